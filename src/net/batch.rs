//! Many datagrams by one system call: `recvmmsg` and `sendmmsg`. The only unsafe code of this room.

#![allow(unsafe_code)]

use std::io;
use std::mem;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::RawFd;

/// Datagrams read by one call.
pub const BATCH: usize = 32;
/// Largest datagram (RFC 3261 18.1.1: a UDP packet of any size must be accepted).
const DATAGRAM: usize = 65_535;

pub struct Receiver {
    buffers: Vec<u8>,
    addrs: Vec<libc::sockaddr_storage>,
    iovecs: Vec<libc::iovec>,
    headers: Vec<libc::mmsghdr>,
    got: usize,
}

// The raw pointers inside refer to this value's own vectors, which never grow or move while it lives.
unsafe impl Send for Receiver {}

impl Default for Receiver {
    fn default() -> Self {
        // SAFETY: all-zero is a valid value of these plain C structures.
        let zero: (libc::sockaddr_storage, libc::mmsghdr) = unsafe { mem::zeroed() };
        let mut this = Self {
            buffers: vec![0; BATCH * DATAGRAM],
            addrs: vec![zero.0; BATCH],
            iovecs: Vec::with_capacity(BATCH),
            headers: vec![zero.1; BATCH],
            got: 0,
        };
        for i in 0..BATCH {
            let base = this.buffers[i * DATAGRAM..].as_mut_ptr().cast();
            this.iovecs.push(libc::iovec { iov_base: base, iov_len: DATAGRAM });
        }
        this
    }
}

impl Receiver {
    /// Reads up to [`BATCH`] datagrams that are there now; `Ok(0)` when there are none.
    pub fn receive(&mut self, fd: RawFd) -> io::Result<usize> {
        self.got = 0;
        for i in 0..BATCH {
            let header = &mut self.headers[i].msg_hdr;
            header.msg_name = (&raw mut self.addrs[i]).cast();
            header.msg_namelen = mem::size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            header.msg_iov = &raw mut self.iovecs[i];
            header.msg_iovlen = 1;
        }
        // SAFETY: every header points at this value's own address, iovec and buffer, each of the size given.
        let got = unsafe {
            libc::recvmmsg(
                fd,
                self.headers.as_mut_ptr(),
                BATCH as u32,
                libc::MSG_DONTWAIT,
                std::ptr::null_mut(),
            )
        };
        if got < 0 {
            let error = io::Error::last_os_error();
            return match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(0),
                _ => Err(error),
            };
        }
        self.got = got as usize;
        Ok(self.got)
    }

    /// The `i`th datagram of the last call and its sender; `None` for an address family we do not speak.
    pub fn datagram(&self, i: usize) -> Option<(SocketAddr, &[u8])> {
        if i >= self.got {
            return None;
        }
        let len = (self.headers[i].msg_len as usize).min(DATAGRAM);
        let addr = read_addr(&self.addrs[i])?;
        Some((addr, &self.buffers[i * DATAGRAM..i * DATAGRAM + len]))
    }
}

/// Sends as many of `messages` as the socket takes now; returns how many.
pub fn send(fd: RawFd, messages: &[(SocketAddr, bytes::Bytes)]) -> io::Result<usize> {
    let count = messages.len().min(BATCH);
    // SAFETY: all-zero is a valid value of these plain C structures.
    let mut addrs: [libc::sockaddr_storage; BATCH] = unsafe { mem::zeroed() };
    let mut iovecs: [libc::iovec; BATCH] = unsafe { mem::zeroed() };
    let mut headers: [libc::mmsghdr; BATCH] = unsafe { mem::zeroed() };
    for (i, (to, bytes)) in messages.iter().take(count).enumerate() {
        let len = write_addr(&mut addrs[i], *to);
        iovecs[i] = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
        headers[i].msg_hdr.msg_name = (&raw mut addrs[i]).cast();
        headers[i].msg_hdr.msg_namelen = len;
        headers[i].msg_hdr.msg_iov = &raw mut iovecs[i];
        headers[i].msg_hdr.msg_iovlen = 1;
    }
    // SAFETY: the first `count` headers point at addresses, iovecs and message bytes that outlive the call; the kernel only reads them.
    let sent = unsafe { libc::sendmmsg(fd, headers.as_mut_ptr(), count as u32, libc::MSG_DONTWAIT) };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(sent as usize) }
}

fn read_addr(storage: &libc::sockaddr_storage) -> Option<SocketAddr> {
    match i32::from(storage.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says that the storage holds a `sockaddr_in`, which is smaller than the storage.
            let v4 = unsafe { &*(&raw const *storage).cast::<libc::sockaddr_in>() };
            Some(
                SocketAddrV4::new(
                    Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr)),
                    u16::from_be(v4.sin_port),
                )
                .into(),
            )
        }
        libc::AF_INET6 => {
            // SAFETY: as above, for `sockaddr_in6`.
            let v6 = unsafe { &*(&raw const *storage).cast::<libc::sockaddr_in6>() };
            let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
            Some(SocketAddrV6::new(ip, u16::from_be(v6.sin6_port), v6.sin6_flowinfo, v6.sin6_scope_id).into())
        }
        _ => None,
    }
}

fn write_addr(storage: &mut libc::sockaddr_storage, to: SocketAddr) -> libc::socklen_t {
    match to {
        SocketAddr::V4(to) => {
            // SAFETY: the storage is larger than a `sockaddr_in` and suitably aligned for every address family.
            let v4 = unsafe { &mut *(&raw mut *storage).cast::<libc::sockaddr_in>() };
            v4.sin_family = libc::AF_INET as libc::sa_family_t;
            v4.sin_port = to.port().to_be();
            v4.sin_addr.s_addr = u32::from(*to.ip()).to_be();
            mem::size_of::<libc::sockaddr_in>() as libc::socklen_t
        }
        SocketAddr::V6(to) => {
            // SAFETY: as above, for `sockaddr_in6`.
            let v6 = unsafe { &mut *(&raw mut *storage).cast::<libc::sockaddr_in6>() };
            v6.sin6_family = libc::AF_INET6 as libc::sa_family_t;
            v6.sin6_port = to.port().to_be();
            v6.sin6_flowinfo = to.flowinfo();
            v6.sin6_addr.s6_addr = to.ip().octets();
            v6.sin6_scope_id = to.scope_id();
            mem::size_of::<libc::sockaddr_in6>() as libc::socklen_t
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;
    use std::os::fd::AsRawFd;

    #[test]
    fn a_batch_goes_out_and_comes_in_whole() {
        for local in ["127.0.0.1:0", "[::1]:0"] {
            let (Ok(a), Ok(b)) = (UdpSocket::bind(local), UdpSocket::bind(local)) else {
                assert!(local.starts_with('['), "no IPv4 loopback");
                continue;
            };
            let to = b.local_addr().unwrap();
            let messages: Vec<_> =
                (0..BATCH).map(|i| (to, bytes::Bytes::from(vec![i as u8; i + 1]))).collect();
            assert_eq!(send(a.as_raw_fd(), &messages).unwrap(), BATCH);
            let mut receiver = Receiver::default();
            let mut seen = 0;
            while seen < BATCH {
                for i in 0..receiver.receive(b.as_raw_fd()).unwrap() {
                    let (from, bytes) = receiver.datagram(i).unwrap();
                    assert_eq!(from, a.local_addr().unwrap());
                    assert_eq!(bytes, vec![seen as u8; seen + 1]);
                    seen += 1;
                }
            }
        }
    }
}
