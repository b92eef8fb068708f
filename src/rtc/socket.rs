//! The sockets of the `webrtc` crate with a [`Gate`] before them: its runtime is Tokio's, but for the UDP socket.

use super::counters::Counters;
use super::gate::{Gate, Refusal};
use std::fmt;
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::ReadBuf;
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime,
    TokioRuntime, Transmit,
};

/// Datagrams refused in one go before other work of the thread gets its turn.
const REFUSED_AT_ONCE: usize = 64;

/// A runtime for one connection.
#[derive(Debug)]
pub(super) struct Guarded {
    inner: TokioRuntime,
    gate: Arc<Mutex<Gate>>,
    counters: Arc<Counters>,
}

impl Guarded {
    pub fn new(ufrag: String, counters: Arc<Counters>) -> Self {
        Self { inner: TokioRuntime, gate: Arc::new(Mutex::new(Gate::new(ufrag))), counters }
    }
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl Runtime for Guarded {
    fn spawn(&self, future: Boxed<'static, ()>) -> Box<dyn JoinHandle> {
        self.inner.spawn(future)
    }
    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        socket.set_nonblocking(true)?;
        Ok(Arc::new(GuardedSocket {
            io: tokio::net::UdpSocket::from_std(socket)?,
            gate: Arc::clone(&self.gate),
            counters: Arc::clone(&self.counters),
        }))
    }
    fn wrap_tcp_listener(&self, listener: std::net::TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        self.inner.wrap_tcp_listener(listener)
    }
    fn connect_tcp<'a>(&'a self, to: SocketAddr) -> Boxed<'a, io::Result<Arc<dyn AsyncTcpStream>>> {
        self.inner.connect_tcp(to)
    }
    fn resolve_host<'a>(&'a self, host: &'a str) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
        self.inner.resolve_host(host)
    }
    fn sleep(&self, duration: Duration) -> Boxed<'static, ()> {
        self.inner.sleep(duration)
    }
    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        self.inner.interval(period)
    }
    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        self.inner.block_on(future);
    }
    fn name(&self) -> &'static str {
        "guarded"
    }
}

struct GuardedSocket {
    io: tokio::net::UdpSocket,
    gate: Arc<Mutex<Gate>>,
    counters: Arc<Counters>,
}

/// Without addresses: they belong to nobody's log.
impl fmt::Debug for GuardedSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GuardedSocket")
    }
}

impl GuardedSocket {
    /// Nothing panics while it is held, so its state is whole even if the lock should be poisoned.
    fn gate(&self) -> std::sync::MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncUdpSocket for GuardedSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let sent = ready!(self.io.poll_send_to(cx, transmit.contents, transmit.destination))?;
        self.gate().outgoing(transmit.contents, transmit.destination);
        Poll::Ready(Ok(sent))
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let (Some(buf), Some(meta)) = (bufs.first_mut(), meta.first_mut()) else {
            return Poll::Ready(Ok(0));
        };
        for _ in 0..REFUSED_AT_ONCE {
            let mut into = ReadBuf::new(buf);
            let from = ready!(self.io.poll_recv_from(cx, &mut into))?;
            let length = into.filled().len();
            match self.gate().incoming(into.filled(), from) {
                Ok(()) => {
                    // A length of 0 never passes the gate, so the stride is at least 1.
                    *meta = RecvMeta::default();
                    (meta.addr, meta.len, meta.stride) = (from, length, length);
                    return Poll::Ready(Ok(1));
                }
                Err(Refusal::Stranger) => Counters::add(&self.counters.strangers),
                Err(Refusal::Stun) => Counters::add(&self.counters.stun_refused),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
