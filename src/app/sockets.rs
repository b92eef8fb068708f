//! Every socket is made here and handed to its room as a descriptor, so that a parent can hold them one day.

use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

#[derive(Debug, thiserror::Error)]
#[error("{what}: cannot listen on {addr}: {source}")]
pub struct BindError {
    pub what: &'static str,
    pub addr: SocketAddr,
    #[source]
    pub source: io::Error,
}

/// Receive and send buffers of a signalling socket, bytes: a second of a flood, not more.
const SIGNAL_BUFFER: usize = 4 * 1024 * 1024;
/// The same for one call's RTP: 100 ms of a burst.
const VOICE_BUFFER: usize = 64 * 1024;

pub fn udp(what: &'static str, addr: SocketAddr) -> Result<UdpSocket, BindError> {
    bind(addr, Type::DGRAM, Protocol::UDP, |socket| {
        let _ = socket.set_recv_buffer_size(SIGNAL_BUFFER);
        let _ = socket.set_send_buffer_size(SIGNAL_BUFFER);
        Ok(())
    })
    .map(Into::into)
    .map_err(|source| BindError { what, addr, source })
}

pub fn tcp(what: &'static str, addr: SocketAddr) -> Result<TcpListener, BindError> {
    bind(addr, Type::STREAM, Protocol::TCP, |socket| socket.set_reuse_address(true))
        .and_then(|socket| socket.listen(1024).map(|()| socket.into()))
        .map_err(|source| BindError { what, addr, source })
}

/// One RTP port: its socket, and RTCP's on the next odd port.
pub fn voice(addr: SocketAddr) -> io::Result<(UdpSocket, UdpSocket)> {
    let one = |addr| {
        bind(addr, Type::DGRAM, Protocol::UDP, |socket| {
            let _ = socket.set_recv_buffer_size(VOICE_BUFFER);
            Ok(())
        })
    };
    let rtp = one(addr)?;
    let rtcp = one(SocketAddr::new(addr.ip(), addr.port() + 1))?;
    Ok((rtp.into(), rtcp.into()))
}

/// No more files may be open just now; the address itself may be free.
pub fn out_of_files(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM))
}

fn bind(
    addr: SocketAddr,
    kind: Type,
    protocol: Protocol,
    prepare: impl FnOnce(&Socket) -> io::Result<()>,
) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(addr), kind, Some(protocol))?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    prepare(&socket)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    Ok(socket)
}
