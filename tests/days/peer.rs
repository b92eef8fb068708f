//! The other end of one SIP session, written by itself from the RFCs: it answers anything with anything, late, twice or never, and
//! asks whatever comes to its mind. What it says is well formed; what it means need not be.

use hotline::sip::seam::{ConnId, Flow};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use std::collections::BTreeSet;
use std::net::SocketAddr;

/// What it says, and after how many milliseconds.
pub type Words = Vec<(u64, Vec<u8>)>;

/// What it may do by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A request inside the session.
    Ask(&'static str),
    /// An INVITE inside it without an offer.
    AskOffer,
    /// CANCEL of its last INVITE.
    Cancel,
    /// Its last request once more.
    Repeat,
    /// Its first INVITE once more.
    RepeatInvite,
    /// An ACK nobody waits for: of the last INVITE, under its branch or a new one.
    Ack,
    /// The same request on the session's behalf by a connection of its own.
    AskByStream,
    /// Its connection is gone.
    Cut,
    /// Another call takes this one's place.
    Replace,
}

/// How well it acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    Mostly,
    Seldom,
    Never,
}

pub struct Peer {
    pub n: usize,
    pub called: bool,
    pub flow: Flow,
    pub call_id: String,
    tag: String,
    their_tag: Option<String>,
    /// From and To of its requests, without tags, and where they go.
    me: String,
    them: String,
    target: String,
    cseq: u32,
    branch: u32,
    /// Its last INVITE: branch, CSeq, had it an offer.
    invite: (u32, u32, bool),
    first: Vec<u8>,
    last: Vec<u8>,
    /// Branches of requests that it has seen.
    seen: BTreeSet<String>,
    /// The INVITE it got, until it has spoken finally.
    got: Option<String>,
    /// The last RSeq it gave.
    rseq: u32,
    pub care: Care,
    streams: u64,
}

impl Peer {
    /// One that calls us.
    pub fn caller(n: usize, flow: Flow) -> Self {
        Self {
            n,
            called: false,
            flow,
            call_id: format!("line-{n}@peer"),
            tag: format!("p{n}"),
            their_tag: None,
            me: format!("<sip:{n}@{}>", flow.peer().ip()),
            them: "<sip:12341@127.0.0.1>".into(),
            target: "sip:12341@127.0.0.1:5060".into(),
            cseq: 0,
            branch: 0,
            invite: (0, 0, true),
            first: Vec::new(),
            last: Vec::new(),
            seen: BTreeSet::new(),
            got: None,
            rseq: 0,
            care: Care::Mostly,
            streams: 0,
        }
    }

    /// We call it: it learns the rest from our INVITE.
    pub fn is_called(&mut self, call_id: String) {
        self.called = true;
        self.call_id = call_id;
    }

    pub fn by_stream(&self) -> bool {
        self.flow.is_reliable()
    }

    pub fn dial(&mut self, rng: &mut ChaCha8Rng, replaces: Option<&str>) -> Vec<u8> {
        let mut extra = replaces.map(|line| format!("Replaces: {line}\r\n")).unwrap_or_default();
        if draw(rng, 2) == 0 {
            extra += "Supported: 100rel\r\n";
        }
        extra += timer(rng);
        let offer = draw(rng, 4) > 0;
        let body = if offer { self.sdp() } else { String::new() };
        self.first = self.request("INVITE", &extra, &body);
        self.first.clone()
    }

    /// The value of a Replaces header that names this session.
    pub fn replaces(&self) -> Option<String> {
        let theirs = self.their_tag.as_deref()?;
        Some(format!("{};to-tag={theirs};from-tag={}", self.call_id, self.tag))
    }

    /// What comes of a deed that is only words.
    pub fn act(&mut self, rng: &mut ChaCha8Rng, deed: Deed) -> Option<Vec<u8>> {
        match deed {
            Deed::Repeat => (!self.last.is_empty()).then(|| self.last.clone()),
            Deed::RepeatInvite => (!self.first.is_empty()).then(|| self.first.clone()),
            Deed::Cancel if self.invite.1 > 0 => {
                let to = if self.cseq == 1 && !self.called { None } else { self.their_tag.clone() };
                Some(self.message("CANCEL", self.invite.0, self.invite.1, to.as_deref(), "", ""))
            }
            Deed::Ack if self.their_tag.is_some() => {
                let branch = if draw(rng, 2) == 0 { self.invite.0 } else { self.fresh_branch() };
                let body = if draw(rng, 2) == 0 { self.sdp() } else { String::new() };
                let to = self.their_tag.clone();
                Some(self.message("ACK", branch, self.invite.1, to.as_deref(), "", &body))
            }
            Deed::AskOffer if self.their_tag.is_some() => Some(self.request("INVITE", "", "")),
            Deed::Ask(method) if self.their_tag.is_some() => Some(self.ask(rng, method)),
            Deed::AskByStream if self.their_tag.is_some() => {
                self.move_to_stream();
                let method = ["UPDATE", "OPTIONS", "INVITE"][draw(rng, 3) as usize];
                Some(self.ask(rng, method))
            }
            _ => None,
        }
    }

    /// From now on it speaks by a new connection.
    pub fn move_to_stream(&mut self) {
        self.streams += 1;
        let conn = ConnId(self.n as u64 + self.streams * 1_000_000);
        self.flow = Flow::Tcp { conn, peer: self.flow.peer() };
    }

    fn ask(&mut self, rng: &mut ChaCha8Rng, method: &'static str) -> Vec<u8> {
        match method {
            "INVITE" => {
                let (extra, body) = (timer(rng), self.sdp());
                self.request(method, extra, &body)
            }
            "UPDATE" if draw(rng, 2) == 0 => {
                let (extra, body) = (timer(rng), self.sdp());
                self.request(method, extra, &body)
            }
            "UPDATE" => self.request(method, timer(rng), ""),
            "PRACK" => {
                let rack = format!("RAck: {} {} INVITE\r\n", self.rseq.max(1), self.invite.1);
                self.request(method, &rack, "")
            }
            "INFO" => self.request(
                method,
                "Content-Type: application/dtmf-relay\r\n",
                "Signal=5\r\nDuration=160\r\n",
            ),
            "REFER" => self.request(method, "Refer-To: <sip:9@127.0.0.9>\r\n", ""),
            _ => self.request(method, "", ""),
        }
    }

    /// Something of ours has come.
    pub fn hear(&mut self, rng: &mut ChaCha8Rng, text: &str) -> Words {
        match text.strip_prefix("SIP/2.0 ") {
            Some(rest) => {
                let status = rest.get(..3).and_then(|s| s.parse().ok()).unwrap_or(0);
                self.response(rng, status, text)
            }
            None => self.incoming(rng, text),
        }
    }

    fn response(&mut self, rng: &mut ChaCha8Rng, status: u16, text: &str) -> Words {
        let (cseq, method) = cseq(text);
        if self.their_tag.is_none() {
            self.their_tag = tag_of(line(text, "To"));
        }
        if method != "INVITE" || status <= 100 || cseq != self.invite.1 {
            return Words::new();
        }
        let to = self.their_tag.clone();
        let late =
            |rng: &mut ChaCha8Rng, care: Care| match draw(rng, if care == Care::Mostly { 10 } else { 4 }) {
                _ if care == Care::Never => None,
                0 => None,
                1 => Some(draw(rng, 40_000)),
                2 => Some(draw(rng, 2_000)),
                _ => Some(0),
            };
        if status < 200 {
            let Some(rseq) = line(text, "RSeq").and_then(|rseq| rseq.parse::<u32>().ok()) else {
                return Words::new();
            };
            if rseq == self.rseq {
                return Words::new();
            }
            self.rseq = rseq;
            let Some(wait) = late(rng, self.care) else { return Words::new() };
            let rack = format!("RAck: {rseq} {cseq} INVITE\r\n");
            let body =
                if text.contains("application/sdp") && !self.invite.2 { self.sdp() } else { "".into() };
            return vec![(wait, self.request("PRACK", &rack, &body))];
        }
        let Some(wait) = late(rng, self.care) else { return Words::new() };
        if status >= 300 {
            return vec![(wait, self.message("ACK", self.invite.0, cseq, to.as_deref(), "", ""))];
        }
        if let Some(target) = uri_of(line(text, "Contact")) {
            self.target = target;
        }
        let body = if self.invite.2 || draw(rng, 8) == 0 { String::new() } else { self.sdp() };
        // Older stacks acknowledge under the INVITE's own branch.
        let branch = if draw(rng, 4) == 0 { self.invite.0 } else { self.fresh_branch() };
        vec![(wait, self.message("ACK", branch, cseq, to.as_deref(), "", &body))]
    }

    fn incoming(&mut self, rng: &mut ChaCha8Rng, text: &str) -> Words {
        let method = text.split(' ').next().unwrap_or("").to_owned();
        let branch = line(text, "Via").and_then(|via| via.split("branch=").nth(1)).unwrap_or("");
        if method == "ACK" || !self.seen.insert(format!("{method} {branch}")) && draw(rng, 10) > 0 {
            return Words::new();
        }
        match method.as_str() {
            "INVITE" => self.invited(rng, text),
            "CANCEL" => {
                let mut words = Words::new();
                if draw(rng, 3) > 0 {
                    words.push((0, self.answer(rng, text, 200, 0)));
                }
                match (self.got.clone(), draw(rng, 4)) {
                    (Some(invite), 0) => words.push((draw(rng, 3_000), self.answer(rng, &invite, 200, 1))),
                    (Some(invite), 1 | 2) => words.push((0, self.answer(rng, &invite, 487, 1))),
                    _ => {}
                }
                words
            }
            _ => {
                let plan: Vec<(u64, u16)> = match draw(rng, 12) {
                    // It has hung up, and its BYE was lost.
                    0 | 1 if method == "INFO" => vec![(draw(rng, 1_000), 481)],
                    0..5 => vec![(0, 200)],
                    5 => vec![(0, 100), (draw(rng, 12_000), 200)],
                    6 => vec![],
                    7 => vec![(0, 100)],
                    8 => vec![(draw(rng, 9_000), refusal(rng))],
                    9 => babble(rng, 6_000),
                    10 => vec![(0, 100), (draw(rng, 9_000), refusal(rng))],
                    _ => vec![(0, refusal(rng))],
                };
                plan.into_iter().map(|(after, status)| (after, self.answer(rng, text, status, 0))).collect()
            }
        }
    }

    /// Our INVITE, the first or a later one.
    fn invited(&mut self, rng: &mut ChaCha8Rng, text: &str) -> Words {
        let first = tag_of(line(text, "To")).is_none();
        if first {
            self.them = bare(line(text, "From"));
            self.me = bare(line(text, "To"));
            self.their_tag = tag_of(line(text, "From"));
            if let Some(target) = uri_of(line(text, "Contact")) {
                self.target = target;
            }
        }
        self.got = Some(text.to_owned());
        let mut plan: Vec<(u64, u16)> = Vec::new();
        let mut at = 0;
        for _ in 0..draw(rng, 4) {
            plan.push((at, [100, 180, 183, 183][draw(rng, 4) as usize]));
            let longest = [300, 3_000, 60_000][draw(rng, 3) as usize];
            at += draw(rng, longest);
        }
        match draw(rng, 12) {
            0..5 => plan.push((at, 200)),
            5 | 6 => plan.push((at, refusal(rng))),
            7 => plan.extend([(at, 200), (at + 700, 200), (at + 1_500, 180), (at + 2_000, 486)]),
            8 => plan.extend([(at, 486), (at + 700, 486), (at + 1_000, 180), (at + 2_000, 200)]),
            9 => plan.extend(babble(rng, 5_000)),
            // It rings for ever, or says nothing at all.
            _ => {}
        }
        let tags = 1 + draw(rng, 6) / 5;
        let others = if first { tags + 1 } else { 1 + draw(rng, 3) / 2 };
        let forks: Vec<u32> = plan.iter().map(|_| draw(rng, others) as u32).collect();
        plan.into_iter()
            .zip(forks)
            .map(|((after, status), fork)| (after, self.answer(rng, text, status, fork)))
            .collect()
    }

    fn answer(&mut self, rng: &mut ChaCha8Rng, text: &str, status: u16, fork: u32) -> Vec<u8> {
        let (_, method) = cseq(text);
        let mut reply = format!("SIP/2.0 {status} Word\r\n");
        for name in ["Via", "From", "Call-ID", "CSeq"] {
            for value in text.lines().filter_map(|l| l.strip_prefix(name)?.strip_prefix(": ")) {
                reply += &format!("{name}: {value}\r\n");
            }
        }
        let to = line(text, "To").unwrap_or("");
        // A proxy that forks what is inside a session gives an answer of somebody else's.
        let to = if fork > 0 { to.split(";tag=").next().unwrap_or("") } else { to };
        let tagged = status > 100 && !to.contains(";tag=");
        let tag = if fork == 0 { self.tag.clone() } else { format!("{}f{fork}", self.tag) };
        reply += &if tagged { format!("To: {to};tag={tag}\r\n") } else { format!("To: {to}\r\n") };
        let mut body = String::new();
        if method == "INVITE" && (101..300).contains(&status) {
            reply += &format!("Contact: <sip:{}@{}>\r\n", self.n, self.flow.peer());
            reply +=
                ["Allow: INVITE, ACK, BYE, UPDATE\r\n", "Allow: INVITE, ACK, BYE\r\n"][draw(rng, 2) as usize];
            if status == 183 || status >= 200 && draw(rng, 12) > 0 {
                body = self.sdp();
            }
            if status == 183 && draw(rng, 2) == 0 {
                self.rseq += 1;
                reply += &format!("Require: 100rel\r\nRSeq: {}\r\n", self.rseq);
            }
            if status >= 200 {
                reply += [
                    "",
                    "Require: timer\r\nSession-Expires: 90;refresher=uac\r\n",
                    "Session-Expires: 90;refresher=uas\r\n",
                ][draw(rng, 3) as usize];
            }
        }
        match status {
            401 => {
                reply += "WWW-Authenticate: Digest realm=\"carrier\", nonce=\"n1\", algorithm=MD5, qop=\"auth\"\r\n"
            }
            422 => reply += "Min-SE: 2400\r\n",
            500 | 503 if draw(rng, 2) == 0 => reply += "Retry-After: 3\r\n",
            _ => {}
        }
        if !body.is_empty() {
            reply += "Content-Type: application/sdp\r\n";
        }
        reply += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
        reply.into_bytes()
    }

    fn fresh_branch(&mut self) -> u32 {
        self.branch += 1;
        self.branch
    }

    fn request(&mut self, method: &'static str, extra: &str, body: &str) -> Vec<u8> {
        self.cseq += 1;
        let (branch, to) = (self.fresh_branch(), self.their_tag.clone());
        if method == "INVITE" {
            self.invite = (branch, self.cseq, !body.is_empty());
        }
        self.last = self.message(method, branch, self.cseq, to.as_deref(), extra, body);
        self.last.clone()
    }

    fn message(
        &self,
        method: &str,
        branch: u32,
        cseq: u32,
        their_tag: Option<&str>,
        extra: &str,
        body: &str,
    ) -> Vec<u8> {
        let to_tag = their_tag.map(|tag| format!(";tag={tag}")).unwrap_or_default();
        let typed = if !body.is_empty() && !extra.contains("Content-Type") {
            "Content-Type: application/sdp\r\n"
        } else {
            ""
        };
        let transport = if self.by_stream() { "TCP" } else { "UDP" };
        let (at, n) = (self.flow.peer(), self.n);
        format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/{transport} {at};branch=z9hG4bK-{n}-{branch}\r\nFrom: {me};tag={tag}\r\n\
             To: {them}{to_tag}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\nContact: <sip:{n}@{at}>\r\n\
             Max-Forwards: 70\r\n{extra}{typed}Content-Length: {len}\r\n\r\n{body}",
            target = self.target,
            me = self.me,
            them = self.them,
            tag = self.tag,
            call_id = self.call_id,
            len = body.len(),
        )
        .into_bytes()
    }

    fn sdp(&self) -> String {
        format!(
            "v=0\r\no=- {n} {v} IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 101\r\n\
             a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n",
            n = self.n,
            v = self.cseq + self.branch + 1,
            port = 20_000 + (self.n % 10_000) * 2,
        )
    }
}

pub fn draw(rng: &mut ChaCha8Rng, below: u64) -> u64 {
    rng.next_u64() % below.max(1)
}

/// The address of the peer by its number: three of them, and where each is called.
pub fn address(n: usize) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 2 + (n % 3) as u8], 10_000 + (n % 50_000) as u16))
}

fn timer(rng: &mut ChaCha8Rng) -> &'static str {
    [
        "",
        "",
        "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\nAllow: INVITE, ACK, BYE\r\n",
        "Supported: timer\r\nSession-Expires: 90;refresher=uas\r\nAllow: INVITE, ACK, BYE\r\n",
        "Supported: timer\r\nSession-Expires: 90;refresher=uas\r\nAllow: INVITE, ACK, BYE, UPDATE\r\n",
    ][draw(rng, 5) as usize]
}

fn refusal(rng: &mut ChaCha8Rng) -> u16 {
    [302, 401, 405, 408, 422, 481, 486, 488, 491, 491, 500, 503, 603][draw(rng, 13) as usize]
}

/// Anything in any order.
fn babble(rng: &mut ChaCha8Rng, within_ms: u64) -> Vec<(u64, u16)> {
    (0..2 + draw(rng, 4))
        .map(|_| {
            let status = match draw(rng, 5) {
                0 | 1 => 200,
                2 | 3 => [100, 180, 183][draw(rng, 3) as usize],
                _ => refusal(rng),
            };
            (draw(rng, within_ms), status)
        })
        .collect()
}

fn line<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().take_while(|l| !l.is_empty()).find_map(|l| l.strip_prefix(name)?.strip_prefix(": "))
}

pub fn call_id(text: &str) -> Option<&str> {
    line(text, "Call-ID")
}

fn cseq(text: &str) -> (u32, String) {
    let (n, method) = line(text, "CSeq").and_then(|v| v.split_once(' ')).unwrap_or(("0", ""));
    (n.parse().unwrap_or(0), method.trim().to_owned())
}

fn tag_of(value: Option<&str>) -> Option<String> {
    Some(value?.split(";tag=").nth(1)?.split(';').next()?.to_owned())
}

fn bare(value: Option<&str>) -> String {
    value.unwrap_or("").split(";tag=").next().unwrap_or("").to_owned()
}

fn uri_of(value: Option<&str>) -> Option<String> {
    Some(value?.split('<').nth(1)?.split('>').next()?.to_owned())
}
