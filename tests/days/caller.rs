//! A caller written by itself from RFC 3261: it shares no code with the engine, and it may misbehave.

use hotline::base::Time;
use std::time::Duration;

/// What a caller does with the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Habit {
    /// Listens, presses these keys (milliseconds after the answer), hangs up after `stay_ms`.
    Polite { keys: Vec<(u64, char)>, stay_ms: u64, by_info: bool },
    /// CANCELs so many milliseconds after the INVITE.
    Cancels { after_ms: u64 },
    /// Never acknowledges the 200.
    NeverAcks,
    /// Answers and is never heard of again: no BYE, no RTP.
    Vanishes,
    /// Never hangs up; waits for us to.
    Stays,
    /// Puts us on hold and takes us back, then hangs up.
    Holds { at_ms: u64, for_ms: u64, stay_ms: u64 },
    /// Sends no offer; answers ours in the ACK, or does not.
    Offerless { answers: bool, stay_ms: u64 },
    /// Asks for a session timer and refreshes it, or does not.
    Timer { refreshes: bool, stay_ms: u64 },
    /// Sends something odd inside the dialog, then hangs up.
    Odd { what: u8, stay_ms: u64 },
    /// Does these things at these milliseconds after dialling, whatever the state; acknowledges late; answers requests of ours
    /// with 481 when he `forgets`. An even number calls by TCP.
    Wild { acts: Vec<(u64, Act)>, ack_after_ms: u64, offers: bool, forgets: bool, timer: bool },
}

/// What a wild caller does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Key(char),
    Info(char),
    Reoffer,
    Update,
    AskOffer,
    Refer,
    Bye,
    Cancel,
    /// His connection is gone, if he has one.
    Cut,
    /// Another call takes this one's place.
    Replace,
    /// A word of the voice path that nobody asked for.
    Heard,
    Moved,
    Silent,
    /// Staff end the call.
    HangUp,
}

pub struct Caller {
    pub n: usize,
    pub habit: Habit,
    call_id: String,
    tag: String,
    number: String,
    their_tag: Option<String>,
    target: Option<String>,
    cseq: u32,
    branch: u32,
    pub state: State,
    /// The request of ours that is being repeated until answered.
    pending: Option<Pending>,
    answered_at: Option<Time>,
    plan: Vec<(Time, Step)>,
    offer_pending: bool,
    pub saw_final: bool,
    late_ack: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Idle,
    Calling,
    Talking,
    Over,
}

#[derive(Clone, Debug)]
enum Step {
    Key(char),
    Info(char),
    Hold(bool),
    Refresh,
    Odd(u8),
    Bye,
    Cancel,
    GiveUp,
    Ack,
    Wild(Act),
}

struct Pending {
    bytes: Vec<u8>,
    next: Time,
    gap: Duration,
    until: Time,
    cseq: u32,
    method: &'static str,
}

/// What a caller wants of the world.
pub enum Wish {
    Send(Vec<u8>),
    /// A key by the voice path.
    Key(char),
    /// What is not a message: the connection, the voice path, staff.
    World(Act),
}

impl Caller {
    pub fn new(n: usize, habit: Habit, number: String) -> Self {
        Self {
            n,
            habit,
            call_id: format!("day-{n}@caller"),
            tag: format!("t{n}"),
            number,
            their_tag: None,
            target: None,
            cseq: 0,
            branch: 0,
            state: State::Idle,
            pending: None,
            answered_at: None,
            plan: Vec::new(),
            offer_pending: false,
            saw_final: false,
            late_ack: None,
        }
    }

    pub fn dial(&mut self, now: Time, out: &mut Vec<Wish>) {
        self.state = State::Calling;
        let offer = !matches!(self.habit, Habit::Offerless { .. } | Habit::Wild { offers: false, .. });
        let extra = match self.habit {
            // He leaves the refreshing to us, and may have forgotten the call by then.
            Habit::Wild { timer: true, forgets: true, .. } => {
                "Supported: timer\r\nSession-Expires: 90;refresher=uas\r\n"
            }
            Habit::Timer { .. } | Habit::Wild { timer: true, .. } => {
                "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n"
            }
            _ => "",
        };
        let body = if offer { self.sdp("sendrecv") } else { String::new() };
        self.request(now, "INVITE", extra, &body, out);
        match &self.habit {
            Habit::Cancels { after_ms } => self.plan.push((now + ms(*after_ms), Step::Cancel)),
            Habit::Wild { acts, .. } => {
                self.plan.extend(acts.iter().map(|(after, act)| (now + ms(*after), Step::Wild(*act))));
            }
            _ => {}
        }
    }

    /// By TCP, on a connection of his own.
    pub fn by_tcp(&self) -> bool {
        matches!(self.habit, Habit::Wild { .. }) && self.n.is_multiple_of(2)
    }

    /// An INVITE that takes this call's place, from nobody in particular (RFC 3891).
    fn replacement(&self) -> Option<Vec<u8>> {
        let theirs = self.their_tag.as_deref()?;
        let extra = format!("Replaces: {};to-tag={theirs};from-tag={}\r\n", self.call_id, self.tag);
        let twin = Self {
            call_id: format!("twin-{}@caller", self.n),
            tag: format!("w{}", self.n),
            ..Self::new(self.n, self.habit.clone(), self.number.clone())
        };
        Some(twin.message("INVITE", 900_000, 1, None, &extra, &self.sdp("sendrecv")))
    }

    fn wild(&mut self, now: Time, act: Act, out: &mut Vec<Wish>) {
        let has_dialog = self.their_tag.is_some();
        match act {
            Act::Key(c) => out.push(Wish::Key(c)),
            Act::Cancel if self.state == State::Calling => self.act(now, Step::Cancel, out),
            Act::Replace => out.extend(self.replacement().map(Wish::Send)),
            Act::Cut | Act::Heard | Act::Moved | Act::Silent | Act::HangUp => out.push(Wish::World(act)),
            _ if !has_dialog => {}
            Act::Cancel => {}
            Act::Info(c) => {
                let body = format!("Signal={c}\r\nDuration=160\r\n");
                self.request_typed(now, "INFO", "", &body, "application/dtmf-relay", out);
            }
            Act::Reoffer => {
                let sdp = self.sdp("sendrecv");
                self.request(now, "INVITE", "", &sdp, out);
            }
            Act::Update => {
                let sdp = self.sdp("sendrecv");
                self.request(now, "UPDATE", "", &sdp, out);
            }
            Act::AskOffer => self.request(now, "INVITE", "", "", out),
            Act::Refer => self.request(now, "REFER", "Refer-To: <sip:911@elsewhere>\r\n", "", out),
            Act::Bye => {
                self.request(now, "BYE", "", "", out);
                self.state = State::Over;
            }
        }
    }

    pub fn poll_timeout(&self) -> Option<Time> {
        let plan = self.plan.iter().map(|(at, _)| *at).min();
        let repeat = self.pending.as_ref().map(|p| p.next.min(p.until));
        [plan, repeat].into_iter().flatten().min()
    }

    pub fn handle_timeout(&mut self, now: Time, out: &mut Vec<Wish>) {
        if let Some(p) = &mut self.pending {
            if p.until <= now {
                self.pending = None;
                if self.state == State::Calling {
                    self.state = State::Over;
                }
            } else if p.next <= now {
                out.push(Wish::Send(p.bytes.clone()));
                p.gap = (p.gap * 2).min(Duration::from_secs(4));
                p.next = now + p.gap;
            }
        }
        let mut i = 0;
        while i < self.plan.len() {
            if self.plan[i].0 <= now {
                let (_, step) = self.plan.remove(i);
                self.act(now, step, out);
            } else {
                i += 1;
            }
        }
    }

    fn act(&mut self, now: Time, step: Step, out: &mut Vec<Wish>) {
        match step {
            Step::GiveUp => self.state = State::Over,
            Step::Ack => out.extend(self.late_ack.clone().map(Wish::Send)),
            Step::Wild(act) if self.state != State::Over => self.wild(now, act, out),
            Step::Cancel if self.state == State::Calling => {
                let cancel = self.message("CANCEL", self.branch, self.cseq, None, "", "");
                out.push(Wish::Send(cancel));
                // Without a final answer 32 s after the CANCEL the caller forgets the call (RFC 3261 9.1).
                self.plan.push((now + Duration::from_secs(33), Step::GiveUp));
            }
            _ if self.state != State::Talking => {}
            Step::Key(c) => out.push(Wish::Key(c)),
            Step::Info(c) => {
                let body = format!("Signal={c}\r\nDuration=160\r\n");
                self.request_typed(now, "INFO", "", &body, "application/dtmf-relay", out);
            }
            Step::Hold(on) => {
                let sdp = self.sdp(if on { "sendonly" } else { "sendrecv" });
                self.request(now, "INVITE", "", &sdp, out);
            }
            Step::Refresh => {
                self.request(
                    now,
                    "UPDATE",
                    "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n",
                    "",
                    out,
                );
                self.plan.push((now + Duration::from_secs(45), Step::Refresh));
            }
            Step::Odd(what) => match what % 6 {
                0 => self.request(now, "OPTIONS", "", "", out),
                1 => self.request(now, "UPDATE", "", "", out),
                2 => self.request(now, "MESSAGE", "", "", out),
                3 => self.request(now, "REFER", "Refer-To: <sip:911@elsewhere>\r\n", "", out),
                4 => self.request(now, "INVITE", "", "", out),
                _ => out.push(Wish::Send(b"BYE sip:x SIP/2.0\r\nGarbage\r\n\r\n".to_vec())),
            },
            Step::Bye => {
                self.request(now, "BYE", "", "", out);
                self.state = State::Over;
            }
            Step::Cancel | Step::Wild(_) => {}
        }
    }

    pub fn receive(&mut self, now: Time, bytes: &[u8], out: &mut Vec<Wish>) {
        let text = String::from_utf8_lossy(bytes).into_owned();
        if matches!(self.habit, Habit::Vanishes) && self.answered_at.is_some() {
            return;
        }
        if let Some(rest) = text.strip_prefix("SIP/2.0 ") {
            let status: u16 = rest[..3].parse().unwrap_or(0);
            self.response(now, status, &text, out);
        } else {
            self.incoming(now, &text, out);
        }
    }

    fn response(&mut self, now: Time, status: u16, text: &str, out: &mut Vec<Wish>) {
        let Some((cseq, method)) = header(text, "CSeq").and_then(|v| {
            v.split_once(' ').map(|(n, m)| (n.parse::<u32>().unwrap_or(0), m.trim().to_owned()))
        }) else {
            return;
        };
        if let Some(to) = header(text, "To")
            && let Some(tag) = to.split(";tag=").nth(1)
        {
            self.their_tag = Some(tag.split(';').next().unwrap_or("").to_owned());
        }
        let mine = self.pending.as_ref().is_some_and(|p| p.cseq == cseq && p.method == method);
        if status >= 200 && mine {
            self.pending = None;
        } else if status >= 100 && mine && method == "INVITE" {
            // Provisional: the server has it, stop repeating, keep a bound.
            if let Some(p) = &mut self.pending {
                p.next = Time::MAX;
                p.until = now + Duration::from_secs(180);
            }
        }
        if method != "INVITE" || status < 200 {
            return;
        }
        if status >= 300 {
            let ack = self.message("ACK", self.branch, cseq, self.their_tag.clone().as_deref(), "", "");
            out.push(Wish::Send(ack));
            if self.answered_at.is_none() {
                self.saw_final = true;
                self.state = State::Over;
            }
            return;
        }
        if let Some(contact) = header(text, "Contact") {
            self.target = contact.split('<').nth(1).and_then(|t| t.split('>').next()).map(str::to_owned);
        }
        self.saw_final = true;
        if matches!(self.habit, Habit::NeverAcks) {
            return;
        }
        let body = match self.habit {
            Habit::Offerless { answers: true, .. } => self.sdp("sendrecv"),
            Habit::Wild { offers: false, .. } if self.answered_at.is_none() => self.sdp("sendrecv"),
            _ if self.offer_pending => self.sdp("sendrecv"),
            _ => String::new(),
        };
        self.branch += 1;
        let ack = self.message("ACK", self.branch, cseq, self.their_tag.clone().as_deref(), "", &body);
        match self.habit {
            Habit::Wild { ack_after_ms, .. } if ack_after_ms > 0 => {
                if self.answered_at.is_none() {
                    self.late_ack = Some(ack);
                    self.plan.push((now + ms(ack_after_ms), Step::Ack));
                }
            }
            _ => out.push(Wish::Send(ack)),
        }
        if self.answered_at.is_none() {
            self.answered_at = Some(now);
            let late = self.state == State::Over;
            self.state = State::Talking;
            if late || matches!(self.habit, Habit::Cancels { .. }) {
                // The 200 crossed our CANCEL: the call exists, so it is hung up (RFC 3261 9.1).
                self.plan.push((now, Step::Bye));
            } else {
                self.make_plan(now);
            }
        }
    }

    fn make_plan(&mut self, now: Time) {
        let mut at = |after: u64, step: Step| self.plan.push((now + ms(after), step));
        match self.habit.clone() {
            Habit::Polite { keys, stay_ms, by_info } => {
                for (after, key) in keys {
                    at(after, if by_info { Step::Info(key) } else { Step::Key(key) });
                }
                at(stay_ms, Step::Bye);
            }
            Habit::Holds { at_ms, for_ms, stay_ms } => {
                at(at_ms, Step::Hold(true));
                at(at_ms + for_ms, Step::Hold(false));
                at(at_ms + for_ms + stay_ms, Step::Bye);
            }
            Habit::Offerless { stay_ms, .. } => at(stay_ms, Step::Bye),
            Habit::Timer { refreshes, stay_ms } => {
                if refreshes {
                    at(45_000, Step::Refresh);
                    at(stay_ms, Step::Bye);
                }
            }
            Habit::Odd { what, stay_ms } => {
                at(stay_ms / 2, Step::Odd(what));
                at(stay_ms, Step::Bye);
            }
            Habit::Cancels { .. }
            | Habit::NeverAcks
            | Habit::Vanishes
            | Habit::Stays
            | Habit::Wild { .. } => {}
        }
    }

    /// A request from the engine: BYE, re-INVITE, UPDATE, OPTIONS.
    fn incoming(&mut self, now: Time, text: &str, out: &mut Vec<Wish>) {
        let method = text.split(' ').next().unwrap_or("");
        if method == "ACK" {
            return;
        }
        let forgot = matches!(self.habit, Habit::Wild { forgets: true, .. }) && method != "BYE";
        let mut reply = String::from(if forgot || method == "INVITE" && self.state == State::Over {
            "SIP/2.0 481 Gone\r\n"
        } else {
            "SIP/2.0 200 OK\r\n"
        });
        for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
            for value in headers(text, name) {
                reply += &format!("{name}: {value}\r\n");
            }
        }
        let body = if method == "INVITE" { self.sdp("sendrecv") } else { String::new() };
        if method == "INVITE" {
            reply += &format!(
                "Contact: <sip:{}@127.0.0.2:{}>\r\nContent-Type: application/sdp\r\n",
                self.number,
                self.port()
            );
        }
        reply += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
        out.push(Wish::Send(reply.into_bytes()));
        if method == "BYE" {
            self.state = State::Over;
            self.plan.clear();
            let _ = now;
        }
    }

    /// This caller's SIP port, which is also how the world finds him.
    pub fn port(&self) -> u16 {
        10_000 + (self.n % 50_000) as u16
    }

    fn request(&mut self, now: Time, method: &'static str, extra: &str, body: &str, out: &mut Vec<Wish>) {
        self.request_typed(now, method, extra, body, "application/sdp", out);
    }

    fn request_typed(
        &mut self,
        now: Time,
        method: &'static str,
        extra: &str,
        body: &str,
        kind: &str,
        out: &mut Vec<Wish>,
    ) {
        if method == "INVITE" && self.pending.as_ref().is_some_and(|p| p.method == "INVITE") {
            return; // RFC 3261 14.1: one INVITE at a time.
        }
        self.cseq += 1;
        self.branch += 1;
        self.offer_pending = method == "INVITE" && body.is_empty() && self.answered_at.is_some();
        let typed =
            if body.is_empty() { extra.to_owned() } else { format!("{extra}Content-Type: {kind}\r\n") };
        let bytes =
            self.message(method, self.branch, self.cseq, self.their_tag.clone().as_deref(), &typed, body);
        let gap = Duration::from_millis(500);
        self.pending = Some(Pending {
            bytes: bytes.clone(),
            next: now + gap,
            gap,
            until: now + Duration::from_secs(32),
            cseq: self.cseq,
            method,
        });
        out.push(Wish::Send(bytes));
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
        let target = match (&self.target, method) {
            (_, "CANCEL") | (None, _) => "sip:12341@127.0.0.1:5060",
            (Some(target), _) => target.as_str(),
        };
        // CANCEL and the ACK of a refusal repeat the INVITE's To as first sent, or as answered.
        let to_tag = match method {
            "CANCEL" => String::new(),
            _ => their_tag.map(|tag| format!(";tag={tag}")).unwrap_or_default(),
        };
        let typed = if !body.is_empty() && !extra.contains("Content-Type") {
            "Content-Type: application/sdp\r\n"
        } else {
            ""
        };
        format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/{transport} 127.0.0.2:{port};branch=z9hG4bK-{n}-{branch}\r\nFrom: <sip:{number}@127.0.0.2>;tag={tag}\r\n\
             To: <sip:12341@127.0.0.1>{to_tag}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\nContact: <sip:{number}@127.0.0.2:{port}>\r\n\
             Max-Forwards: 70\r\n{extra}{typed}Content-Length: {len}\r\n\r\n{body}",
            transport = if self.by_tcp() { "TCP" } else { "UDP" },
            port = self.port(),
            n = self.n,
            number = self.number,
            tag = self.tag,
            call_id = self.call_id,
            len = body.len(),
        )
        .into_bytes()
    }

    fn sdp(&self, direction: &str) -> String {
        format!(
            "v=0\r\no=- {n} {v} IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 101\r\n\
             a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na={direction}\r\n",
            n = self.n,
            v = self.cseq + 1,
            port = 20_000 + (self.n % 10_000) * 2,
        )
    }
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn headers<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    text.lines()
        .take_while(|l| !l.is_empty())
        .filter_map(|l| l.split_once(':'))
        .filter(|(n, _)| n.trim().eq_ignore_ascii_case(name))
        .map(|(_, v)| v.trim())
        .collect()
}

fn header<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    headers(text, name).first().copied()
}
