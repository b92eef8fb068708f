//! A citizen's telephone: one call to the hotline by SIP over UDP (RFC 3261), without sockets and clock.
//!
//! ```text
//!  Calling ─180─▶ Ringing ─200, ACK─▶ Talking ─BYE─▶ Ended
//!     └──────────────┴── CANCEL, 4xx–6xx ────────────▶ Ended
//! ```
//!
//! Whoever drives it hands in datagrams, keys and the time, and sends what lies in the list it passes.

use crate::api::PhoneState;
use crate::base::{Time, soonest};
use crate::sip::header::{CSeq, HeaderName, NameAddr};
use crate::sip::message::{Message, Start, Text};
use crate::sip::sdp::Sdp;
use crate::sip::seam::Direction;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

/// RFC 3261 §17: the first repetition, the longest pause between two, and when nobody is waited for any more.
const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
const TIMEOUT: Duration = Duration::from_secs(32);
/// A hotline that has been called rings so long at most.
const RINGS: Duration = Duration::from_secs(180);
/// Keys that may wait.
pub const KEYS: usize = 32;
const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE";

/// What a call begins with. All are our own words: none has a line break in it.
#[derive(Clone, Debug)]
pub struct Dial {
    /// Who is called, and where.
    pub number: String,
    pub server: SocketAddr,
    /// Who calls, from which socket.
    pub caller: String,
    pub local: SocketAddr,
    /// Where we take RTP.
    pub media: SocketAddr,
    /// Random, for Call-ID, tag and branches.
    pub word: String,
}

/// A request on its way, or an answer that waits for its ACK.
#[derive(Debug)]
struct Sent {
    bytes: Vec<u8>,
    n: u32,
    method: &'static str,
    again: Time,
    pause: Duration,
    until: Time,
    repeats: bool,
}

impl Sent {
    fn new(bytes: Vec<u8>, n: u32, method: &'static str, now: Time) -> Self {
        Self { bytes, n, method, again: now + T1, pause: T1, until: now + TIMEOUT, repeats: true }
    }

    fn wake(&self) -> Time {
        if self.repeats { self.again.min(self.until) } else { self.until }
    }

    /// Sends it again when it is time. `false`: nobody is waited for any more.
    fn tick(&mut self, now: Time, out: &mut Vec<Vec<u8>>) -> bool {
        if now >= self.until {
            return false;
        }
        if self.repeats && now >= self.again {
            out.push(self.bytes.clone());
            // An INVITE's pause has no upper bound but its end (§17.1.1.2).
            self.pause = if self.method == "INVITE" { self.pause * 2 } else { (self.pause * 2).min(T2) };
            self.again = now + self.pause;
        }
        true
    }
}

#[derive(Debug)]
pub struct Client {
    dial: Dial,
    state: PhoneState,
    /// Of ours, counted.
    cseq: u32,
    branches: u32,
    /// Until its final answer.
    invite: Option<Sent>,
    /// INFO, CANCEL or BYE.
    other: Option<Sent>,
    /// Our 200 to a re-INVITE, until the ACK.
    answer: Option<Sent>,
    /// The last ACK to a 200, for its repetitions.
    ack: Vec<u8>,
    to: String,
    target: String,
    media: Option<SocketAddr>,
    keys: VecDeque<char>,
    hung_up: bool,
}

impl Client {
    /// Begins to call.
    pub fn new(dial: Dial, now: Time, out: &mut Vec<Vec<u8>>) -> Self {
        let target = format!("sip:{}@{}", dial.number, dial.server);
        let mut client = Self {
            to: format!("<{target}>"),
            target,
            dial,
            state: PhoneState::Calling,
            cseq: 1,
            branches: 0,
            invite: None,
            other: None,
            answer: None,
            ack: Vec::new(),
            media: None,
            keys: VecDeque::new(),
            hung_up: false,
        };
        let sdp = client.sdp("sendrecv");
        let invite = client.request("INVITE", 1, Some(("application/sdp", &sdp)));
        out.push(invite.clone());
        client.invite = Some(Sent::new(invite, 1, "INVITE", now));
        client
    }

    pub fn state(&self) -> PhoneState {
        self.state
    }

    /// Where the hotline takes RTP, as soon as it has said so.
    pub fn media(&self) -> Option<SocketAddr> {
        self.media
    }

    /// Nothing more will come of it.
    pub fn is_over(&self) -> bool {
        self.state.is_ended() && self.invite.is_none() && self.other.is_none()
    }

    pub fn wake(&self) -> Option<Time> {
        [&self.invite, &self.other, &self.answer]
            .into_iter()
            .flatten()
            .fold(None, |soon, sent| soonest(soon, Some(sent.wake())))
    }

    /// A key, sent when those before it have been answered. `false`: too many wait, or nobody is there.
    pub fn press(&mut self, key: char, now: Time, out: &mut Vec<Vec<u8>>) -> bool {
        if self.state != PhoneState::Talking || self.hung_up || self.keys.len() == KEYS {
            return false;
        }
        self.keys.push_back(key);
        self.next_key(now, out);
        true
    }

    /// `false`: that was so already.
    pub fn hang_up(&mut self, now: Time, out: &mut Vec<Vec<u8>>) -> bool {
        if self.hung_up || self.state.is_ended() {
            return false;
        }
        self.hung_up = true;
        self.keys.clear();
        match self.state {
            PhoneState::Talking => self.bye(now, out),
            // A CANCEL may only follow a first answer (§9.1).
            PhoneState::Ringing => self.cancel(now, out),
            _ => {}
        }
        true
    }

    pub fn tick(&mut self, now: Time, out: &mut Vec<Vec<u8>>) {
        if self.invite.as_mut().is_some_and(|sent| !sent.tick(now, out)) {
            self.invite = None;
            self.end(if self.hung_up { PhoneState::HungUp } else { PhoneState::NoAnswer });
        }
        if self.answer.as_mut().is_some_and(|sent| !sent.tick(now, out)) {
            self.answer = None;
        }
        if self.other.as_mut().is_some_and(|sent| !sent.tick(now, out)) {
            let method = self.other.take().map(|sent| sent.method);
            match method {
                Some("INFO") => {
                    // The peer is gone (§12.2.1.2).
                    self.end(PhoneState::NoAnswer);
                    self.bye(now, out);
                }
                Some("BYE") => self.end(PhoneState::HungUp),
                _ => {}
            }
        }
    }

    /// A datagram of the server. What cannot be read is as if it had not come.
    pub fn received(&mut self, datagram: &[u8], now: Time, out: &mut Vec<Vec<u8>>) {
        let text = Text::cut(datagram);
        let (Some(message), Ok(())) = Message::read(&text) else { return };
        let Some(cseq) = message.line(HeaderName::CSeq).and_then(|line| CSeq::parse(line).ok()) else {
            return;
        };
        if message.line(HeaderName::CallId) != Some(&*self.call_id()) {
            return;
        }
        match message.start {
            Start::Response { status } => self.answered(status, cseq, &message, now, out),
            Start::Request { method, .. } => self.asked(method, cseq, &message, now, out),
        }
    }

    fn answered(
        &mut self,
        status: u16,
        cseq: CSeq<'_>,
        message: &Message<'_>,
        now: Time,
        out: &mut Vec<Vec<u8>>,
    ) {
        if cseq.method == "INVITE" {
            return self.invite_answered(status, message, now, out);
        }
        if status < 200
            || self.other.as_ref().is_none_or(|sent| (sent.n, sent.method) != (cseq.n, cseq.method))
        {
            return;
        }
        self.other = None;
        match cseq.method {
            "BYE" => self.end(PhoneState::HungUp),
            "INFO" if status == 481 || status == 408 => self.end(PhoneState::Released),
            "INFO" => self.next_key(now, out),
            _ => {}
        }
    }

    fn invite_answered(&mut self, status: u16, message: &Message<'_>, now: Time, out: &mut Vec<Vec<u8>>) {
        let Some(mut sent) = self.invite.take() else {
            // A 200 again: our ACK was lost.
            if (200..300).contains(&status) && !self.ack.is_empty() {
                out.push(self.ack.clone());
            }
            return;
        };
        if status < 200 {
            if sent.repeats {
                sent.repeats = false;
                sent.until = now + RINGS;
            }
            self.invite = Some(sent);
            if status > 100 {
                self.learn(message);
            }
            if self.state == PhoneState::Calling {
                self.state = PhoneState::Ringing;
                if self.hung_up {
                    self.cancel(now, out);
                }
            }
            return;
        }
        if let Some(to) = message.line(HeaderName::To) {
            self.to = to.to_owned();
        }
        if status >= 300 {
            // The ACK belongs to the INVITE's transaction: its branch and target (§17.1.1.3).
            out.push(self.ack_in(&sent.bytes));
            let busy = matches!(status, 486 | 503 | 600);
            self.end(match (self.hung_up, busy) {
                (true, _) => PhoneState::HungUp,
                (_, true) => PhoneState::Busy,
                _ => PhoneState::Refused,
            });
            return;
        }
        self.learn(message);
        if let Some(contact) = message.line(HeaderName::Contact).and_then(|line| NameAddr::parse(line).ok()) {
            self.target = contact.uri.to_owned();
        }
        self.ack = self.request("ACK", 1, None);
        out.push(self.ack.clone());
        self.state = PhoneState::Talking;
        if self.hung_up || self.media.is_none() {
            // Hung up in the same moment, or an answer without sound.
            self.bye(now, out);
        }
    }

    /// The hotline asks something inside the call.
    fn asked(
        &mut self,
        method: &str,
        cseq: CSeq<'_>,
        message: &Message<'_>,
        now: Time,
        out: &mut Vec<Vec<u8>>,
    ) {
        match method {
            "ACK" => self.answer = None,
            "BYE" => {
                out.push(self.reply(message, "200 OK", None));
                self.other = None;
                self.end(if self.hung_up { PhoneState::HungUp } else { PhoneState::Released });
            }
            "INVITE" | "UPDATE" if self.state != PhoneState::Talking => {
                out.push(self.reply(message, "481 Call/Transaction Does Not Exist", None));
            }
            "INVITE" | "UPDATE" => {
                let mirrored = self.learn(message);
                let sdp = (method == "INVITE" || mirrored.is_some())
                    .then(|| self.sdp(mirrored.unwrap_or("sendrecv")));
                let answer = self.reply(message, "200 OK", sdp.as_deref());
                out.push(answer.clone());
                if method == "INVITE" {
                    self.answer = Some(Sent::new(answer, cseq.n, "200", now));
                }
            }
            "OPTIONS" | "INFO" => out.push(self.reply(message, "200 OK", None)),
            _ => out.push(self.reply(message, "405 Method Not Allowed", None)),
        }
    }

    /// Takes where sound goes from a description; returns the direction that fits theirs.
    fn learn(&mut self, message: &Message<'_>) -> Option<&'static str> {
        let text = std::str::from_utf8(message.body).ok().filter(|text| !text.is_empty())?;
        let sdp = Sdp::parse(text).ok()?;
        let audio = sdp.media.iter().find(|media| media.kind == "audio" && media.port != 0)?;
        self.media = Some(SocketAddr::new(audio.address?, audio.port));
        Some(match audio.direction {
            Direction::SendOnly => "recvonly",
            Direction::RecvOnly => "sendonly",
            Direction::Inactive => "inactive",
            Direction::SendRecv => "sendrecv",
        })
    }

    fn next_key(&mut self, now: Time, out: &mut Vec<Vec<u8>>) {
        if self.other.is_some() || self.state != PhoneState::Talking {
            return;
        }
        let Some(key) = self.keys.pop_front() else { return };
        let body = format!("Signal={key}\r\nDuration=160\r\n");
        self.ask("INFO", Some(("application/dtmf-relay", &body)), now, out);
    }

    fn bye(&mut self, now: Time, out: &mut Vec<Vec<u8>>) {
        self.ask("BYE", None, now, out);
        self.end(PhoneState::HungUp);
    }

    fn cancel(&mut self, now: Time, out: &mut Vec<Vec<u8>>) {
        let Some(invite) = self.invite.as_mut() else { return };
        invite.until = invite.until.min(now + TIMEOUT);
        let cancel = with_method(&invite.bytes, "CANCEL", None);
        out.push(cancel.clone());
        self.other = Some(Sent::new(cancel, 1, "CANCEL", now));
    }

    fn ask(&mut self, method: &'static str, body: Option<(&str, &str)>, now: Time, out: &mut Vec<Vec<u8>>) {
        self.cseq += 1;
        let request = self.request(method, self.cseq, body);
        out.push(request.clone());
        self.other = Some(Sent::new(request, self.cseq, method, now));
    }

    /// The first end is the one that is told.
    fn end(&mut self, state: PhoneState) {
        if !self.state.is_ended() {
            self.state = state;
        }
        self.keys.clear();
    }

    fn call_id(&self) -> String {
        format!("{}@browser", self.dial.word)
    }

    fn request(&mut self, method: &str, n: u32, body: Option<(&str, &str)>) -> Vec<u8> {
        self.branches += 1;
        let (local, word) = (self.dial.local, &self.dial.word);
        let mut text = format!(
            "{method} {} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bK{word}{};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:{caller}@{local}>;tag={word}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {n} {method}\r\n\
             Contact: <sip:{caller}@{local}>\r\nAllow: {ALLOW}\r\n",
            self.target,
            self.branches,
            self.to,
            self.call_id(),
            caller = self.dial.caller,
        );
        add_body(&mut text, body);
        text.into_bytes()
    }

    fn ack_in(&self, invite: &[u8]) -> Vec<u8> {
        with_method(invite, "ACK", Some(&self.to))
    }

    fn reply(&self, request: &Message<'_>, status: &str, sdp: Option<&str>) -> Vec<u8> {
        let mut text = format!("SIP/2.0 {status}\r\n");
        for name in [HeaderName::Via, HeaderName::From, HeaderName::To, HeaderName::CallId, HeaderName::CSeq]
        {
            for line in request.lines_of(name) {
                text.push_str(&format!("{}: {line}\r\n", name.as_str()));
            }
        }
        text.push_str(&format!(
            "Contact: <sip:{}@{}>\r\nAllow: {ALLOW}\r\n",
            self.dial.caller, self.dial.local
        ));
        add_body(&mut text, sdp.map(|sdp| ("application/sdp", sdp)));
        text.into_bytes()
    }

    /// PCMA and nothing else: what the browser's connection speaks. Keys go by INFO.
    fn sdp(&self, direction: &str) -> String {
        let (ip, port) = (self.dial.media.ip(), self.dial.media.port());
        format!(
            "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\n\
             a=rtpmap:8 PCMA/8000\r\na=ptime:20\r\na={direction}\r\n"
        )
    }
}

fn add_body(text: &mut String, body: Option<(&str, &str)>) {
    let (kind, body) = body.unwrap_or_default();
    if !kind.is_empty() {
        text.push_str(&format!("Content-Type: {kind}\r\n"));
    }
    text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
}

/// A CANCEL or ACK of an INVITE of ours: its lines, without its body.
fn with_method(invite: &[u8], method: &str, to: Option<&str>) -> Vec<u8> {
    let invite = String::from_utf8_lossy(invite);
    let head = invite.split("\r\n\r\n").next().unwrap_or_default();
    let mut text = String::with_capacity(head.len());
    for line in head.split("\r\n") {
        if let Some(uri) = line.strip_prefix("INVITE ") {
            text.push_str(&format!("{method} {uri}\r\n"));
        } else if line.starts_with("CSeq:") {
            text.push_str(&format!("CSeq: 1 {method}\r\n"));
        } else if let (true, Some(to)) = (line.starts_with("To:"), to) {
            text.push_str(&format!("To: {to}\r\n"));
        } else if !line.starts_with("Content-") {
            text.push_str(&format!("{line}\r\n"));
        }
    }
    text.push_str("Content-Length: 0\r\n\r\n");
    text.into_bytes()
}

#[cfg(test)]
mod tests;
