//! A page's end of its websocket, as light as may be: five hundred of them share a machine with the server that is measured.
//!
//! What RFC 6455 lets a client rely on is relied on: the server's frames are whole, unmasked, and not compressed.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

type Failure = Box<dyn Error + Send + Sync>;

pub const TEXT: u8 = 1;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;

pub struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// What was read and not yet taken begins here.
    from: usize,
}

impl Wire {
    /// `whence`: the address of the office the page is in.
    pub async fn open(
        at: SocketAddr,
        whence: Ipv4Addr,
        token: &str,
        resume: Option<u64>,
    ) -> Result<Self, Failure> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((whence, 0).into())?;
        let mut stream = socket.connect(at).await?;
        stream.set_nodelay(true)?;
        let query = resume.map(|n| format!("?resume={n}")).unwrap_or_default();
        let hello = format!(
            "GET /cti/v1{query} HTTP/1.1\r\nHost: {at}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
             Sec-WebSocket-Protocol: hotline.cti.v1\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(hello.as_bytes()).await?;
        let mut wire = Self { stream, buffer: Vec::with_capacity(16 * 1024), from: 0 };
        loop {
            let head = wire.buffer.windows(4).position(|end| end == b"\r\n\r\n");
            if let Some(end) = head {
                let line = String::from_utf8_lossy(&wire.buffer[..end])
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                if !line.starts_with("HTTP/1.1 101") {
                    return Err(format!("the upgrade: {line}").into());
                }
                wire.from = end + 4;
                return Ok(wire);
            }
            if !wire.more().await? {
                return Err("closed within the upgrade".into());
            }
        }
    }

    /// Reads once. `false`: the server has closed.
    pub async fn more(&mut self) -> Result<bool, Failure> {
        if self.from > 0 {
            self.buffer.drain(..self.from);
            self.from = 0;
        }
        self.buffer.reserve(16 * 1024);
        Ok(self.stream.read_buf(&mut self.buffer).await? > 0)
    }

    /// The next whole frame: its kind, and where its payload stands.
    pub fn next(&mut self) -> Option<(u8, Range<usize>)> {
        let head = self.buffer.get(self.from..)?;
        let (kind, short) = (head.first()? & 0x0F, usize::from(head.get(1)? & 0x7F));
        let big = |n: usize| {
            head.get(2..2 + n)?.iter().try_fold(0_usize, |all, byte| Some(all << 8 | usize::from(*byte)))
        };
        let (size, before) = match short {
            126 => (big(2)?, 4),
            127 => (big(8)?, 10),
            size => (size, 2),
        };
        head.get(before..before + size)?;
        let payload = self.from + before..self.from + before + size;
        self.from = payload.end;
        Some((kind, payload))
    }

    pub fn payload(&self, at: Range<usize>) -> &[u8] {
        self.buffer.get(at).unwrap_or_default()
    }

    pub async fn send(&mut self, text: &str) -> Result<(), Failure> {
        self.frame(0x81, text.as_bytes()).await
    }

    pub async fn pong(&mut self) -> Result<(), Failure> {
        self.frame(0x8A, &[]).await
    }

    /// A mask of zeros is one too.
    async fn frame(&mut self, first: u8, payload: &[u8]) -> Result<(), Failure> {
        let mut bytes = vec![first];
        match u8::try_from(payload.len()).ok().filter(|n| *n < 126) {
            Some(n) => bytes.push(0x80 | n),
            None => {
                bytes.push(0x80 | 126);
                bytes.extend(u16::try_from(payload.len())?.to_be_bytes());
            }
        }
        bytes.extend([0; 4]);
        bytes.extend(payload);
        Ok(self.stream.write_all(&bytes).await?)
    }
}
