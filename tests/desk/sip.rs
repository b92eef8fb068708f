//! A telephone that does at once what it is told to: citizens dial with it, desk phones and outside numbers are rung on it. It shares
//! no code with the engine.

use sha2::{Digest as _, Sha256};
use std::net::SocketAddr;

pub const PASSWORD: &str = "desk-phone-12341";

/// What it does when it is rung.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rung {
    #[default]
    Rings,
    Answers,
    Refuses(u16),
    /// Off, or out of reach.
    Silent,
}

pub struct Peer {
    pub at: SocketAddr,
    pub rung: Rung,
    /// Has a call that was answered.
    pub up: bool,
    pub registered: bool,
    /// Picks up although a CANCEL has come: the two cross on the way.
    pub crosses: bool,
    /// The first lines of all requests it was sent.
    pub got: Vec<String>,
    call_id: String,
    calls: u32,
    tag: String,
    their_tag: Option<String>,
    me: String,
    them: String,
    target: String,
    cseq: u32,
    /// Versions of its SDP.
    versions: u32,
    /// The INVITE it was sent and has not answered for good.
    pub invite: Option<String>,
}

/// Where it sends and takes sound.
pub fn rtp(at: SocketAddr) -> SocketAddr {
    SocketAddr::new(at.ip(), 30_000 + at.port() % 10_000)
}

impl Peer {
    pub fn new(at: SocketAddr) -> Self {
        Self {
            at,
            rung: Rung::default(),
            up: false,
            registered: false,
            crosses: false,
            got: Vec::new(),
            call_id: String::new(),
            calls: 0,
            tag: String::new(),
            their_tag: None,
            me: String::new(),
            them: String::new(),
            target: String::new(),
            cseq: 0,
            versions: 0,
            invite: None,
        }
    }

    pub fn asked(&self, method: &str) -> usize {
        self.got.iter().filter(|line| line.starts_with(method)).count()
    }

    pub fn dial(&mut self) -> Vec<Vec<u8>> {
        self.begin();
        (self.them, self.target) = ("<sip:12341@127.0.0.1>".into(), "sip:12341@127.0.0.1:5060".into());
        self.me = format!("<sip:120{:08}@{}>", self.at.port(), self.at.ip());
        let body = self.sdp();
        vec![self.request("INVITE", "", &body)]
    }

    /// Another number of ours than 12341, or 12341 after a diversion from it.
    pub fn dial_old(&mut self, number: &str, diverted: bool) -> Vec<Vec<u8>> {
        let _ = self.dial();
        let (to, header) = match diverted {
            true => ("12341", format!("Diversion: <sip:{number}@127.0.0.1>;reason=unconditional\r\n")),
            false => (number, String::new()),
        };
        self.cseq = 0;
        (self.them, self.target) = (format!("<sip:{to}@127.0.0.1>"), format!("sip:{to}@127.0.0.1:5060"));
        let body = self.sdp();
        vec![self.request("INVITE", &header, &body)]
    }

    fn begin(&mut self) {
        self.calls += 1;
        self.call_id = format!("{}-{}@desk", self.at.port(), self.calls);
        self.tag = format!("t{}x{}", self.at.port(), self.calls);
        (self.their_tag, self.cseq, self.up) = (None, 0, false);
    }

    pub fn bye(&mut self) -> Vec<Vec<u8>> {
        assert!(std::mem::take(&mut self.up), "nothing to hang up");
        vec![self.request("BYE", "", "")]
    }

    pub fn cancel(&mut self) -> Vec<Vec<u8>> {
        vec![self.message("CANCEL", self.cseq, None, "", "")]
    }

    /// It offers anew: `inactive` or `sendonly` while it holds us, `sendrecv` when it is back.
    pub fn reinvite(&mut self, direction: &str) -> Vec<Vec<u8>> {
        self.versions += 1;
        let body = format!("{}a={direction}\r\n", self.sdp());
        vec![self.request("INVITE", "", &body)]
    }

    /// A key by INFO.
    pub fn key(&mut self, key: char) -> Vec<Vec<u8>> {
        let body = format!("Signal={key}\r\nDuration=160\r\n");
        vec![self.request("INFO", "Content-Type: application/dtmf-relay\r\n", &body)]
    }

    pub fn register(&mut self) -> Vec<Vec<u8>> {
        self.begin();
        (self.me, self.them) = ("<sip:desk@127.0.0.1>".into(), "<sip:desk@127.0.0.1>".into());
        self.target = "sip:127.0.0.1".into();
        vec![self.request("REGISTER", "Expires: 3600\r\n", "")]
    }

    /// It picks up what rings.
    pub fn pick_up(&mut self) -> Vec<Vec<u8>> {
        let invite = self.invite.take().expect("it rings");
        self.up = true;
        let body = self.sdp();
        vec![self.answer(&invite, 200, &body)]
    }

    pub fn refuse(&mut self, status: u16) -> Vec<Vec<u8>> {
        let invite = self.invite.take().expect("it rings");
        vec![self.answer(&invite, status, "")]
    }

    pub fn hear(&mut self, text: &str) -> Vec<Vec<u8>> {
        match text.strip_prefix("SIP/2.0 ") {
            Some(rest) => self.response(rest[..3].parse().expect("a status"), text),
            None => self.incoming(text),
        }
    }

    fn response(&mut self, status: u16, text: &str) -> Vec<Vec<u8>> {
        let method = header(text, "CSeq").and_then(|cseq| cseq.split(' ').nth(1)).unwrap_or_default();
        match (method, status) {
            ("REGISTER", 401) if !self.registered => {
                let proof = self.proof(header(text, "WWW-Authenticate").expect("a challenge"));
                vec![self.request("REGISTER", &format!("Expires: 3600\r\n{proof}"), "")]
            }
            ("REGISTER", 200) => {
                self.registered = true;
                Vec::new()
            }
            ("INVITE", 200) => {
                self.their_tag = header(text, "To").and_then(tag).map(str::to_owned);
                if let Some(contact) = header(text, "Contact").and_then(uri) {
                    self.target = contact.to_owned();
                }
                self.up = true;
                vec![self.message("ACK", self.cseq, self.their_tag.as_deref(), "", "")]
            }
            ("INVITE", 300..) => {
                let theirs = header(text, "To").and_then(tag);
                vec![self.message("ACK", self.cseq, theirs, "", "")]
            }
            _ => Vec::new(),
        }
    }

    fn incoming(&mut self, text: &str) -> Vec<Vec<u8>> {
        let method = text.split(' ').next().unwrap_or_default();
        self.got.push(text.lines().next().unwrap_or_default().to_owned());
        match method {
            "INVITE" if header(text, "To").and_then(tag).is_none() => {
                self.begin();
                self.call_id = header(text, "Call-ID").expect("a Call-ID").to_owned();
                self.their_tag = header(text, "From").and_then(tag).map(str::to_owned);
                self.me = bare(header(text, "To").expect("To"));
                self.them = bare(header(text, "From").expect("From"));
                self.target = header(text, "Contact").and_then(uri).expect("a Contact").to_owned();
                self.invite = Some(text.to_owned());
                match self.rung {
                    Rung::Rings => vec![self.answer(text, 180, "")],
                    Rung::Answers => self.pick_up(),
                    Rung::Refuses(status) => self.refuse(status),
                    Rung::Silent => Vec::new(),
                }
            }
            "INVITE" => {
                let body = self.sdp();
                vec![self.answer(text, 200, &body)]
            }
            "ACK" => Vec::new(),
            "CANCEL" => {
                let mut said = vec![self.answer(text, 200, "")];
                if self.crosses {
                    return said;
                }
                said.extend(self.invite.take().map(|invite| self.answer(&invite, 487, "")));
                said
            }
            _ => {
                if method == "BYE" {
                    self.up = false;
                }
                vec![self.answer(text, 200, "")]
            }
        }
    }

    fn answer(&self, text: &str, status: u16, body: &str) -> Vec<u8> {
        let mut reply = format!("SIP/2.0 {status} Word\r\n");
        for name in ["Via", "From", "Call-ID", "CSeq"] {
            for line in text.lines().take_while(|line| !line.is_empty()) {
                if line.split(':').next() == Some(name) {
                    reply += &format!("{line}\r\n");
                }
            }
        }
        let to = header(text, "To").expect("To");
        let tagged = tag(to).map(|_| String::new()).unwrap_or(format!(";tag={}", self.tag));
        reply += &format!("To: {to}{tagged}\r\nContact: <sip:peer@{}>\r\n", self.at);
        if !body.is_empty() {
            reply += "Content-Type: application/sdp\r\n";
        }
        reply += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
        reply.into_bytes()
    }

    fn request(&mut self, method: &str, extra: &str, body: &str) -> Vec<u8> {
        self.cseq += 1;
        let theirs = self.their_tag.clone();
        self.message(method, self.cseq, theirs.as_deref(), extra, body)
    }

    fn message(&self, method: &str, cseq: u32, theirs: Option<&str>, extra: &str, body: &str) -> Vec<u8> {
        let Self { at, me, them, target, tag, call_id, .. } = self;
        let to = theirs.map(|theirs| format!(";tag={theirs}")).unwrap_or_default();
        // The ACK of a 200 is a transaction of its own; that of a refusal is the INVITE's.
        let branch = if method == "ACK" && self.up { "a" } else { "" };
        let kind = match (body.is_empty(), extra.contains("Content-Type")) {
            (false, false) => "Content-Type: application/sdp\r\n",
            _ => "",
        };
        format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK-{tag}-{cseq}{branch}\r\nFrom: {me};tag={tag}\r\nTo: {them}{to}\r\n\
             Call-ID: {call_id}\r\nCSeq: {cseq} {method}\r\nContact: <sip:peer@{at}>\r\nMax-Forwards: 70\r\n{extra}{kind}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }

    fn sdp(&self) -> String {
        let rtp = rtp(self.at);
        format!(
            "v=0\r\no=- {n} {version} IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n\
             a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n",
            n = self.calls,
            version = self.calls + self.versions,
            ip = rtp.ip(),
            port = rtp.port(),
        )
    }

    /// RFC 8760: SHA-256.
    fn proof(&self, challenge: &str) -> String {
        let part = |name: &str| {
            let rest = challenge.split(&format!("{name}=\"")).nth(1).expect("a part of the challenge");
            rest.split('"').next().unwrap_or_default()
        };
        let hash = |text: String| -> String {
            Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
        };
        let (realm, nonce, uri) = (part("realm"), part("nonce"), &self.target);
        let ours = hash(format!("desk:{realm}:{PASSWORD}"));
        let asked = hash(format!("REGISTER:{uri}"));
        let response = hash(format!("{ours}:{nonce}:00000001:c0ffee:auth:{asked}"));
        format!(
            "Authorization: Digest username=\"desk\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\", \
             algorithm=SHA-256, qop=auth, nc=00000001, cnonce=\"c0ffee\"\r\n"
        )
    }
}

fn header<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = text.lines().skip(1).take_while(|line| !line.is_empty());
    lines.find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn tag(value: &str) -> Option<&str> {
    value.split(";tag=").nth(1)?.split(';').next()
}

fn uri(value: &str) -> Option<&str> {
    value.split('<').nth(1)?.split('>').next()
}

fn bare(value: &str) -> String {
    value.split(";tag=").next().unwrap_or_default().to_owned()
}
