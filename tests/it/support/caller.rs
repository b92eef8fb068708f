//! A telephone of a few lines, for what SIPp cannot do: bytes cut where we like, answers compared byte for byte, keys when we say so.

use super::level;
use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A SIP message as text: enough for a peer that is known to write whole ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message(pub String);

impl Message {
    pub fn first_line(&self) -> &str {
        self.0.lines().next().unwrap_or_default()
    }
    /// The status of a response.
    pub fn status(&self) -> Option<u16> {
        self.first_line().strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
    }
    /// The method of a request, or the one a response answers.
    pub fn method(&self) -> &str {
        match self.status() {
            None => self.first_line().split(' ').next().unwrap_or_default(),
            Some(_) => self.header("CSeq").and_then(|c| c.split_whitespace().nth(1)).unwrap_or_default(),
        }
    }
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.lines().skip(1).take_while(|line| !line.is_empty()).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
    pub fn to_tag(&self) -> Option<&str> {
        self.header("To")?.split(";tag=").nth(1)?.split(';').next()
    }
    /// 200 to this request.
    pub fn ok(&self) -> String {
        let mut out = String::from("SIP/2.0 200 OK\r\n");
        for line in self.0.lines().skip(1).take_while(|line| !line.is_empty()) {
            let name = line.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
            if ["via", "from", "to", "call-id", "cseq"].contains(&name.as_str()) {
                let _ = write!(out, "{line}\r\n");
            }
        }
        out + "Content-Length: 0\r\n\r\n"
    }
}

/// One call's names and numbers, and the requests made of them.
#[derive(Clone, Debug)]
pub struct Script {
    pub server: SocketAddr,
    pub local: SocketAddr,
    pub transport: &'static str,
    pub number: String,
    pub caller: String,
    pub call_id: String,
    pub tag: String,
    pub to_tag: Option<String>,
    pub cseq: u32,
    pub rtp: u16,
}

impl Script {
    pub fn new(name: &str, server: SocketAddr, local: SocketAddr, transport: &'static str) -> Self {
        static CALLS: AtomicU32 = AtomicU32::new(0);
        let n = CALLS.fetch_add(1, Ordering::Relaxed);
        Self {
            server,
            local,
            transport,
            number: "12341".into(),
            caller: format!("1200001{:04}", n % 10_000),
            call_id: format!("{name}-{}-{n}", std::process::id()),
            tag: format!("t{}x{n}", std::process::id()),
            to_tag: None,
            cseq: 0,
            rtp: 9_998,
        }
    }

    pub fn sdp(&self) -> String {
        let (ip, port) = (self.local.ip(), self.rtp);
        format!(
            "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 101\r\n\
             a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n"
        )
    }

    /// A request under CSeq `cseq`; the branch follows from it, so the same request twice is the same bytes.
    pub fn request(&self, method: &str, cseq: u32, more: &str, body: Option<(&str, &str)>) -> String {
        let Self { server, local, transport, number, caller, call_id, tag, .. } = self;
        let to_tag = self.to_tag.as_ref().map(|tag| format!(";tag={tag}")).unwrap_or_default();
        // ACK of a 200 is a transaction of its own.
        let branch = format!("z9hG4bK-{tag}-{cseq}{}", if method == "ACK" { "a" } else { "" });
        let mut out = format!(
            "{method} sip:{number}@{server} SIP/2.0\r\nVia: SIP/2.0/{transport} {local};branch={branch};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:{caller}@{local}>;tag={tag}\r\nTo: <sip:{number}@{server}>{to_tag}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n\
             Contact: <sip:{caller}@{local};transport={}>\r\n{more}",
            transport.to_lowercase()
        );
        let (kind, body) = body.unwrap_or_default();
        if !kind.is_empty() {
            let _ = write!(out, "Content-Type: {kind}\r\n");
        }
        let _ = write!(out, "Content-Length: {}\r\n\r\n{body}", body.len());
        out
    }

    pub fn invite(&mut self) -> String {
        self.cseq += 1;
        self.request("INVITE", self.cseq, "", Some(("application/sdp", &self.sdp())))
    }
    pub fn ack(&self) -> String {
        self.request("ACK", 1, "", None)
    }
    pub fn bye(&mut self) -> String {
        self.cseq += 1;
        self.request("BYE", self.cseq, "", None)
    }
    /// A key by INFO: the lightest way to press one.
    pub fn key(&mut self, key: char) -> String {
        self.cseq += 1;
        self.request(
            "INFO",
            self.cseq,
            "",
            Some(("application/dtmf-relay", &format!("Signal={key}\r\nDuration=160\r\n"))),
        )
    }
}

/// How long a peer of these tests may take to answer.
pub const ANSWER: Duration = Duration::from_secs(10);

enum Wire {
    Udp(UdpSocket),
    Tcp { stream: TcpStream, unread: Vec<u8> },
}

/// A telephone on one socket, with one call at a time.
pub struct Phone {
    wire: Wire,
    pub script: Script,
}

impl Phone {
    pub fn udp(name: &str, server: SocketAddr) -> Self {
        Self::udp_from(name, "127.0.0.1", server)
    }

    pub fn udp_from(name: &str, source: &str, server: SocketAddr) -> Self {
        let socket = UdpSocket::bind((source, 0)).expect("a UDP socket");
        socket.set_read_timeout(Some(Duration::from_millis(20))).expect("a timeout");
        let script = Script::new(name, server, socket.local_addr().expect("bound"), "UDP");
        Self { wire: Wire::Udp(socket), script }
    }

    pub fn tcp(name: &str, server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).expect("connect to the server");
        stream.set_nodelay(true).expect("no delay");
        stream.set_read_timeout(Some(Duration::from_millis(20))).expect("a timeout");
        let script = Script::new(name, server, stream.local_addr().expect("bound"), "TCP");
        Self { wire: Wire::Tcp { stream, unread: Vec::new() }, script }
    }

    pub fn send(&mut self, text: &str) {
        self.send_bytes(text.as_bytes());
    }

    pub fn send_bytes(&mut self, bytes: &[u8]) {
        match &mut self.wire {
            Wire::Udp(socket) => {
                assert_eq!(socket.send_to(bytes, self.script.server).expect("send"), bytes.len())
            }
            Wire::Tcp { stream, .. } => stream.write_all(bytes).expect("write"),
        }
    }

    /// The next message, or `None` when none has come for a moment or the peer has closed.
    pub fn poll(&mut self) -> Option<Message> {
        let mut buffer = [0; 65_535];
        match &mut self.wire {
            Wire::Udp(socket) => match socket.recv_from(&mut buffer) {
                Ok((n, _)) => Some(Message(String::from_utf8_lossy(&buffer[..n]).into_owned())),
                Err(e)
                    if matches!(
                        e.kind(),
                        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::ConnectionRefused
                    ) =>
                {
                    None
                }
                Err(e) => panic!("receive: {e}"),
            },
            Wire::Tcp { stream, unread } => {
                if let Some(message) = cut(unread) {
                    return Some(message);
                }
                match stream.read(&mut buffer) {
                    Ok(n) => unread.extend(&buffer[..n]),
                    Err(e)
                        if matches!(
                            e.kind(),
                            ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::ConnectionReset
                        ) => {}
                    Err(e) => panic!("read: {e}"),
                }
                cut(unread)
            }
        }
    }

    /// Has the peer closed the connection?
    pub fn is_closed(&mut self) -> bool {
        match &mut self.wire {
            Wire::Udp(_) => false,
            Wire::Tcp { stream, unread } => {
                let mut buffer = [0; 4096];
                match stream.read(&mut buffer) {
                    Ok(0) => true,
                    Ok(n) => {
                        unread.extend(&buffer[..n]);
                        false
                    }
                    Err(e) => e.kind() == ErrorKind::ConnectionReset,
                }
            }
        }
    }

    /// The next message that `wanted` says yes to; provisional answers and others are passed over.
    #[track_caller]
    pub fn expect(&mut self, what: &str, wanted: impl Fn(&Message) -> bool) -> Message {
        let mut passed = Vec::new();
        let begun = Instant::now();
        loop {
            match self.poll() {
                Some(message) if wanted(&message) => return message,
                Some(message) => passed.push(message.first_line().to_owned()),
                None => assert!(begun.elapsed() < ANSWER, "no {what}; but {passed:?}"),
            }
        }
    }

    #[track_caller]
    pub fn expect_status(&mut self, method: &str, status: u16) -> Message {
        let final_one = |m: &Message| m.method() == method && m.status().is_some_and(|s| s >= 200);
        let answer = self.expect(&format!("final answer to {method}"), final_one);
        assert_eq!(answer.status(), Some(status), "{}", answer.0);
        answer
    }

    /// Nothing comes for `quiet`.
    #[track_caller]
    pub fn expect_silence(&mut self, quiet: Duration) {
        let begun = Instant::now();
        while begun.elapsed() < quiet {
            if let Some(message) = self.poll() {
                panic!("silence was expected, and this came:\n{}", message.0);
            }
        }
    }

    /// INVITE, 200, ACK.
    #[track_caller]
    pub fn dial(&mut self) -> Message {
        let invite = self.script.invite();
        self.send(&invite);
        let answer = self.expect_status("INVITE", 200);
        self.script.to_tag = answer.to_tag().map(str::to_owned);
        let ack = self.script.ack();
        self.send(&ack);
        answer
    }

    #[track_caller]
    pub fn hang_up(&mut self) {
        let bye = self.script.bye();
        self.send(&bye);
        self.expect_status("BYE", 200);
    }

    #[track_caller]
    pub fn press(&mut self, key: char) {
        let info = self.script.key(key);
        self.send(&info);
        self.expect_status("INFO", 200);
    }

    /// Waits for the server's BYE and answers it.
    #[track_caller]
    pub fn expect_bye(&mut self, within: Duration) -> Message {
        let bye = level::until("BYE from the server", within, || {
            self.poll().filter(|m| m.status().is_none() && m.method() == "BYE")
        });
        self.send(&bye.ok());
        bye
    }
}

/// The first whole message of a stream, by its Content-Length.
fn cut(unread: &mut Vec<u8>) -> Option<Message> {
    while unread.starts_with(b"\r\n") {
        unread.drain(..2);
    }
    let head = unread.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let length = Message(String::from_utf8_lossy(&unread[..head]).into_owned());
    let length: usize = length.header("Content-Length").and_then(|v| v.parse().ok()).unwrap_or(0);
    if unread.len() < head + length {
        return None;
    }
    let message = unread.drain(..head + length).collect::<Vec<_>>();
    Some(Message(String::from_utf8_lossy(&message).into_owned()))
}
