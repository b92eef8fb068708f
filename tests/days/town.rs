//! Numbers that the engine dials: each call of ours meets somebody who answers, is busy, refuses, lets it ring or is gone.

use crate::setup_engine::TOWN;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::time::Duration;

/// Media ports of those who are dialled begin here; agents' relays are above.
pub const PHONES: u16 = 50_000;

/// Bytes and when they are sent.
pub type Words = Vec<(Duration, Vec<u8>)>;

pub struct Town {
    rng: ChaCha8Rng,
    calls: BTreeMap<String, Line>,
    /// Calls that ring or are up, by what we were told; and the most at once.
    pub up: usize,
    pub most: usize,
}

struct Line {
    invite: String,
    n: u16,
    /// What was said last to the INVITE.
    last: Vec<u8>,
    /// A final answer to the INVITE is decided.
    answered: bool,
    /// BYE was sent or heard.
    over: bool,
}

impl Town {
    pub fn new(seed: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed ^ 0x70_3e), calls: BTreeMap::new(), up: 0, most: 0 }
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.rng.next_u64() % below
    }

    pub fn hear(&mut self, text: &str) -> Words {
        let call = line(text, "Call-ID").unwrap_or_default().to_owned();
        let method = text.split(' ').next().unwrap_or_default();
        match method {
            "INVITE" if self.calls.get(&call).is_some_and(|known| same(&known.invite, text)) => {
                let last = self.calls.get(&call).map(|line| line.last.clone()).unwrap_or_default();
                vec![(Duration::ZERO, last)]
            }
            "INVITE" if self.calls.contains_key(&call) => vec![(Duration::ZERO, reply(text, 200, 0, true))],
            "INVITE" => self.invited(text, call),
            "CANCEL" => {
                let mut words = vec![(Duration::ZERO, reply(text, 200, 0, false))];
                if let Some(line) = self.calls.get_mut(&call).filter(|line| !line.answered) {
                    line.answered = true;
                    line.last = reply(&line.invite, 487, line.n, false);
                    words.push((Duration::from_millis(1), line.last.clone()));
                    self.ends(&call);
                }
                words
            }
            "BYE" => {
                self.ends(&call);
                vec![(Duration::ZERO, reply(text, 200, 0, false))]
            }
            "ACK" => Words::new(),
            // What begins with SIP/2.0 answers our BYE.
            _ if text.starts_with("SIP/2.0") => Words::new(),
            _ => vec![(Duration::ZERO, reply(text, 200, 0, false))],
        }
    }

    fn ends(&mut self, call: &str) {
        if let Some(line) = self.calls.get_mut(call)
            && !std::mem::replace(&mut line.over, true)
        {
            self.up -= 1;
        }
    }

    fn invited(&mut self, text: &str, call: String) -> Words {
        let n = (self.calls.len() % 4_000) as u16;
        let mut known = Line { invite: text.to_owned(), n, last: Vec::new(), answered: false, over: false };
        self.up += 1;
        self.most = self.most.max(self.up);
        let ring = Duration::from_millis(100 + self.draw(3_000));
        let answer = ring + Duration::from_millis(self.draw(20_000));
        let early = self.draw(4) == 0;
        let mut words = vec![(ring, reply(text, if early { 183 } else { 180 }, n, early))];
        let mut fails = |status: u16, known: &mut Line| {
            (known.answered, known.over) = (true, true);
            known.last = reply(text, status, n, false);
            words.push((answer, known.last.clone()));
        };
        match self.rng.next_u64() % 12 {
            0 | 1 => fails(486, &mut known),
            2 => fails(603, &mut known),
            3 => fails(404, &mut known),
            4 => fails(480, &mut known),
            5 => fails(503, &mut known),
            // Rings for ever.
            6 => {
                known.last = reply(text, 180, n, false);
            }
            // Is not there at all.
            7 => words.clear(),
            talks => {
                known.answered = true;
                known.last = reply(text, 200, n, true);
                words.push((answer, known.last.clone()));
                // Lost once, it is said again.
                words.push((answer + Duration::from_millis(500), known.last.clone()));
                if talks < 11 {
                    let stay = Duration::from_millis(1_000 + self.draw(120_000));
                    words.push((answer + stay, bye(text, n)));
                }
            }
        }
        if known.over {
            self.up -= 1;
        }
        self.calls.insert(call, known);
        words
    }
}

fn same(invite: &str, again: &str) -> bool {
    line(invite, "CSeq") == line(again, "CSeq")
}

fn line<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(": "))
}

fn sdp(n: u16) -> String {
    let port = PHONES + 2 * n;
    format!(
        "v=0\r\no=- 3 3 IN IP4 127.0.0.3\r\ns=-\r\nc=IN IP4 127.0.0.3\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\n\
         a=rtpmap:8 PCMA/8000\r\na=ptime:20\r\n"
    )
}

fn reply(request: &str, status: u16, n: u16, media: bool) -> Vec<u8> {
    let mut out = format!("SIP/2.0 {status} Word\r\n");
    for name in ["Via", "From", "Call-ID", "CSeq"] {
        for value in request.lines().filter_map(|l| l.strip_prefix(name)?.strip_prefix(": ")) {
            out += &format!("{name}: {value}\r\n");
        }
    }
    let to = line(request, "To").unwrap_or_default();
    let tag = if to.contains(";tag=") { String::new() } else { format!(";tag=town{n}") };
    out += &format!("To: {to}{tag}\r\nContact: <sip:town@{TOWN}>\r\n");
    let body = if media { sdp(n) } else { String::new() };
    if media {
        out += "Content-Type: application/sdp\r\n";
    }
    out += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    out.into_bytes()
}

/// The one who was called hangs up.
fn bye(invite: &str, n: u16) -> Vec<u8> {
    let target = line(invite, "Contact").unwrap_or_default();
    let target = target.trim_start_matches('<').split('>').next().unwrap_or_default();
    let (from, to) = (line(invite, "To").unwrap_or_default(), line(invite, "From").unwrap_or_default());
    let call = line(invite, "Call-ID").unwrap_or_default();
    format!(
        "BYE {target} SIP/2.0\r\nVia: SIP/2.0/UDP {TOWN};branch=z9hG4bKtown{n}{}\r\nMax-Forwards: 70\r\nFrom: {from};tag=town{n}\r\n\
         To: {to}\r\nCall-ID: {call}\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n",
        call.len()
    )
    .into_bytes()
}
