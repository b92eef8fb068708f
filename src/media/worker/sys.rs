//! The system calls of a worker: datagrams in and out, a bell to be woken by, real-time scheduling. The only unsafe code of this room.

#![allow(unsafe_code)]

use std::io;
use std::mem;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// Datagrams read by one call: two packets of 10 ms a tick, and as many again that were late.
pub const BATCH: usize = 4;
/// Longer ones are cut, and dropped for it.
const DATAGRAM: usize = 1664;
/// Room for the kernel's time of arrival.
const CONTROL: usize = 64;

/// Reads datagrams with the kernel's time of arrival, into its own buffers.
pub struct Receiver {
    buffers: Box<[[u8; DATAGRAM]; BATCH]>,
    addrs: Box<[libc::sockaddr_storage; BATCH]>,
    controls: Box<[Control; BATCH]>,
    headers: Box<[libc::mmsghdr; BATCH]>,
    #[allow(dead_code)] // The headers point at them.
    iovecs: Box<[libc::iovec; BATCH]>,
    got: usize,
}

#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL]);

// SAFETY: the raw pointers inside refer to this value's own boxes, which never move while it lives.
unsafe impl Send for Receiver {}

/// One datagram of the last call.
pub struct Datagram<'a> {
    pub from: SocketAddr,
    pub bytes: &'a [u8],
    /// Nanoseconds since 1970 by the kernel; `None` when it did not say.
    pub stamp: Option<u64>,
}

impl Receiver {
    pub fn new() -> Self {
        // SAFETY: all-zero is a valid value of these plain C structures.
        let (addr, header, iovec): (libc::sockaddr_storage, libc::mmsghdr, libc::iovec) =
            unsafe { mem::zeroed() };
        let mut this = Self {
            buffers: Box::new([[0; DATAGRAM]; BATCH]),
            addrs: Box::new([addr; BATCH]),
            controls: Box::new([Control([0; CONTROL]); BATCH]),
            headers: Box::new([header; BATCH]),
            iovecs: Box::new([iovec; BATCH]),
            got: 0,
        };
        for i in 0..BATCH {
            this.iovecs[i].iov_base = this.buffers[i].as_mut_ptr().cast();
            this.iovecs[i].iov_len = DATAGRAM;
            let header = &mut this.headers[i].msg_hdr;
            header.msg_name = (&raw mut this.addrs[i]).cast();
            header.msg_iov = &raw mut this.iovecs[i];
            header.msg_iovlen = 1;
            header.msg_control = this.controls[i].0.as_mut_ptr().cast();
        }
        this
    }

    /// Reads up to `most` datagrams that are there now, [`BATCH`] at the very most; 0 when there are none or the socket fails.
    pub fn receive(&mut self, fd: RawFd, most: usize) -> usize {
        let most = most.min(BATCH);
        for i in 0..most {
            let header = &mut self.headers[i].msg_hdr;
            header.msg_namelen = mem::size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            header.msg_controllen = CONTROL as _;
        }
        // SAFETY: every header points at this value's own address, iovec, buffer and control, each of the size given.
        let got = unsafe {
            libc::recvmmsg(
                fd,
                self.headers.as_mut_ptr(),
                most as u32,
                libc::MSG_DONTWAIT,
                std::ptr::null_mut(),
            )
        };
        self.got = usize::try_from(got).unwrap_or(0).min(most);
        self.got
    }

    /// The `i`th datagram of the last call; `None` for one that was cut, or of an address family we do not speak.
    pub fn datagram(&self, i: usize) -> Option<Datagram<'_>> {
        let header = self.headers.get(i).filter(|_| i < self.got)?;
        if header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0 {
            return None;
        }
        let bytes = self.buffers[i].get(..header.msg_len as usize)?;
        Some(Datagram { from: read_addr(&self.addrs[i])?, bytes, stamp: self.stamp(i) })
    }

    fn stamp(&self, i: usize) -> Option<u64> {
        // SAFETY: the header is one the kernel filled, and its control buffer is this value's own; CMSG_FIRSTHDR checks its length.
        let first = unsafe { libc::CMSG_FIRSTHDR(&raw const self.headers[i].msg_hdr).as_ref() }?;
        if first.cmsg_level != libc::SOL_SOCKET || first.cmsg_type != libc::SCM_TIMESTAMPNS {
            return None;
        }
        // SAFETY: a control message of this type carries a timespec; it may be unaligned.
        let time: libc::timespec =
            unsafe { libc::CMSG_DATA(first).cast::<libc::timespec>().read_unaligned() };
        u64::try_from(time.tv_sec).ok()?.checked_mul(1_000_000_000)?.checked_add(time.tv_nsec as u64)
    }
}

/// Asks the kernel to stamp arrivals; a socket that refuses is read without.
pub fn stamp_arrivals(socket: &UdpSocket) {
    let on: libc::c_int = 1;
    // SAFETY: the option's value is a c_int that outlives the call.
    unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_TIMESTAMPNS,
            (&raw const on).cast(),
            mem::size_of::<libc::c_int>() as libc::socklen_t,
        );
    }
}

/// Sends one datagram; false when the kernel did not take it.
pub fn send(fd: RawFd, to: SocketAddr, bytes: &[u8]) -> bool {
    match to {
        SocketAddr::V4(to) => send_to(fd, &v4(to), bytes),
        SocketAddr::V6(to) => send_to(fd, &v6(to), bytes),
    }
}

/// `A` is one of the kernel's address structures.
fn send_to<A>(fd: RawFd, to: &A, bytes: &[u8]) -> bool {
    // SAFETY: address and bytes are of the lengths given and outlive the call; the kernel only reads them.
    let sent = unsafe {
        libc::sendto(
            fd,
            bytes.as_ptr().cast(),
            bytes.len(),
            libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
            (&raw const *to).cast(),
            mem::size_of::<A>() as libc::socklen_t,
        )
    };
    sent >= 0
}

fn v4(to: SocketAddrV4) -> libc::sockaddr_in {
    libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: to.port().to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from(*to.ip()).to_be() },
        sin_zero: [0; 8],
    }
}

fn v6(to: SocketAddrV6) -> libc::sockaddr_in6 {
    libc::sockaddr_in6 {
        sin6_family: libc::AF_INET6 as libc::sa_family_t,
        sin6_port: to.port().to_be(),
        sin6_flowinfo: 0,
        sin6_addr: libc::in6_addr { s6_addr: to.ip().octets() },
        sin6_scope_id: to.scope_id(),
    }
}

/// The sockets of legs that have heard nothing for a while: one call tells which of them have something now.
pub struct Quiet {
    epoll: OwnedFd,
    events: Box<[libc::epoll_event; QUIET_EVENTS]>,
}

/// Sockets told by one look.
const QUIET_EVENTS: usize = 256;

impl Quiet {
    pub fn new() -> io::Result<Self> {
        // SAFETY: a plain system call; the descriptor it returns is ours alone.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: checked for an error just above, owned by nobody else.
        let epoll = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { epoll, events: Box::new([libc::epoll_event { events: 0, u64: 0 }; QUIET_EVENTS]) })
    }

    /// Makes a socket known, not yet watched; false when the kernel refuses.
    pub fn add(&self, fd: RawFd, index: u32) -> bool {
        self.control(libc::EPOLL_CTL_ADD, fd, 0, index)
    }

    /// Watches it for one datagram, one that is there already included; false when the kernel refuses.
    pub fn watch(&self, fd: RawFd, index: u32) -> bool {
        self.control(libc::EPOLL_CTL_MOD, fd, libc::EPOLLIN | libc::EPOLLONESHOT, index)
    }

    fn control(&self, what: libc::c_int, fd: RawFd, events: libc::c_int, index: u32) -> bool {
        let mut event = libc::epoll_event { events: events as u32, u64: u64::from(index) };
        // SAFETY: one event that outlives the call.
        unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), what, fd, &raw mut event) == 0 }
    }

    /// How many watched sockets have something (at most [`QUIET_EVENTS`] at a time). They are watched no longer.
    pub fn look(&mut self) -> usize {
        // SAFETY: the events are this value's own, as many as said.
        let got = unsafe {
            libc::epoll_wait(self.epoll.as_raw_fd(), self.events.as_mut_ptr(), QUIET_EVENTS as libc::c_int, 0)
        };
        usize::try_from(got).unwrap_or(0)
    }

    /// The index of the `i`th socket of the last look.
    pub fn index(&self, i: usize) -> u32 {
        self.events.get(i).map_or(u32::MAX, |event| event.u64 as u32)
    }
}

/// An eventfd: whoever holds orders rings it.
pub struct Bell(OwnedFd);

impl Bell {
    pub fn new() -> io::Result<Self> {
        // SAFETY: a plain system call; the descriptor it returns is ours alone.
        let fd = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) };
        // SAFETY: checked for an error just below, owned by nobody else.
        if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) })) }
    }
    pub fn ring(&self) {
        let one = 1u64;
        // SAFETY: eight bytes that outlive the call.
        unsafe { libc::write(self.0.as_raw_fd(), (&raw const one).cast(), 8) };
    }
    /// Sleeps until it rings or the time is over, and silences it.
    pub fn wait(&self, limit: Duration) {
        let mut poll = libc::pollfd { fd: self.0.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        let time = libc::timespec {
            tv_sec: limit.as_secs().min(3600) as libc::time_t,
            tv_nsec: limit.subsec_nanos() as libc::c_long,
        };
        // SAFETY: one pollfd and one timespec that outlive the call.
        let woken = unsafe { libc::ppoll(&raw mut poll, 1, &raw const time, std::ptr::null()) };
        if woken > 0 {
            let mut count = 0u64;
            // SAFETY: eight bytes that outlive the call.
            unsafe { libc::read(self.0.as_raw_fd(), (&raw mut count).cast(), 8) };
        }
    }
}

/// Asks for round-robin real-time scheduling of this thread (needs CAP_SYS_NICE); false when refused.
pub fn ask_for_realtime() -> bool {
    let param = libc::sched_param { sched_priority: 10 };
    // SAFETY: 0 is this thread; the parameter outlives the call.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_RR, &raw const param) == 0 }
}

/// Wakes this thread when it asked to be, not up to 50 µs later.
pub fn no_timer_slack() {
    // SAFETY: a plain system call about this thread.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1 as libc::c_ulong, 0, 0, 0) };
}

/// Asks for the memory at `what` ahead of its use: a leg's is cold every time its turn comes. A hint, and nothing depends on it.
#[inline]
pub fn soon(what: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch reads nothing the program sees and never faults, whatever the address.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(what.cast());
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above.
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{0}]", in(reg) what, options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = what;
}

/// Nanoseconds since 1970, by the clock the kernel stamps with.
pub fn wall_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: one timespec that outlives the call.
    unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut time) };
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + time.tv_nsec as u64
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
            Some(SocketAddrV6::new(ip, u16::from_be(v6.sin6_port), 0, v6.sin6_scope_id).into())
        }
        _ => None,
    }
}
