//! Telephones with a tone of their own: citizens and outside numbers of the trunk, and registered desk phones.
//!
//! SIP over UDP and G.711 A-law, written here and not taken from the program under test. One thread serves them all: each 20 ms
//! a packet of its tone for whoever is on a call, and what comes is kept with its time.

use super::caller::Message;
use super::level;
use super::tone::{self, Ears};
use md5::{Digest as _, Md5};
use std::fmt::Write as _;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const WAIT: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(20);

/// What a telephone does when it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Answers,
    /// 180 and nothing more.
    Rings,
    Busy,
}

/// All telephones of a test, and the carrier's address for outside numbers.
pub struct Hall {
    state: Arc<Mutex<State>>,
    pub carrier: SocketAddr,
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// One telephone. Cheap to clone.
#[derive(Clone)]
pub struct Phone {
    state: Arc<Mutex<State>>,
    at: usize,
    pub ears: Ears,
}

struct State {
    carrier: UdpSocket,
    lines: Vec<Line>,
}

struct Line {
    /// What it is called: a number, or a desk phone's name.
    name: String,
    password: Option<String>,
    server: SocketAddr,
    /// `None`: by the carrier's socket.
    sip: Option<UdpSocket>,
    carrier: SocketAddr,
    rtp: UdpSocket,
    hz: f64,
    frames: u32,
    remote: Option<SocketAddr>,
    ears: Ears,
    manner: Manner,
    registered: bool,
    dialog: Option<Dialog>,
    held: bool,
    /// When bursts went out, once there is nothing else.
    bursts: Option<Vec<Instant>>,
}

struct Dialog {
    call_id: String,
    /// `From` and `To` of our own requests.
    ours: String,
    theirs: String,
    cseq: u32,
    up: bool,
    /// Their INVITE, not answered yet.
    ringing: Option<Message>,
}

fn fresh() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("{}x{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a UDP socket");
    socket.set_nonblocking(true).expect("no waiting");
    socket
}

impl Hall {
    pub fn open() -> Self {
        let carrier = socket();
        let at = carrier.local_addr().expect("bound");
        let state = Arc::new(Mutex::new(State { carrier, lines: Vec::new() }));
        let done = Arc::new(AtomicBool::new(false));
        let (works, over) = (Arc::clone(&state), Arc::clone(&done));
        let thread = std::thread::spawn(move || {
            let mut next = Instant::now();
            while !over.load(Ordering::Relaxed) {
                let now = Instant::now();
                let speak = now >= next;
                if speak {
                    // Whoever was held up for long does not catch up in a burst.
                    next = if now > next + 5 * TICK { now + TICK } else { next + TICK };
                }
                let mut state = works.lock().expect("no telephone panics");
                state.signal();
                state.sound(speak);
                drop(state);
                std::thread::park_timeout(Duration::from_millis(3));
            }
        });
        Self { state, carrier: at, done, thread: Some(thread) }
    }

    fn add(&self, name: &str, password: Option<&str>, server: SocketAddr, own: bool, hz: f64) -> Phone {
        let ears = Ears::default();
        let line = Line {
            name: name.to_owned(),
            password: password.map(str::to_owned),
            server,
            sip: own.then(socket),
            carrier: self.carrier,
            rtp: socket(),
            hz,
            frames: 0,
            remote: None,
            ears: ears.clone(),
            manner: Manner::Answers,
            registered: false,
            dialog: None,
            held: false,
            bursts: None,
        };
        let mut state = self.state.lock().expect("whole");
        state.lines.push(line);
        Phone { state: Arc::clone(&self.state), at: state.lines.len() - 1, ears }
    }

    /// Somebody who calls by the trunk.
    pub fn citizen(&self, server: SocketAddr, number: &str, hz: f64) -> Phone {
        self.add(number, None, server, true, hz)
    }

    /// A number that the trunk reaches.
    pub fn outside(&self, server: SocketAddr, number: &str, hz: f64) -> Phone {
        self.add(number, None, server, false, hz)
    }

    /// A desk phone, registered when this returns.
    #[track_caller]
    pub fn desk_phone(&self, server: SocketAddr, name: &str, password: &str, hz: f64) -> Phone {
        let phone = self.add(name, Some(password), server, true, hz);
        phone.with(|line| line.register(None));
        level::until("the phone is registered", WAIT, || phone.with(|line| line.registered).then_some(()));
        phone
    }
}

impl Drop for Hall {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the telephones' thread failed");
        }
    }
}

impl Phone {
    fn with<R>(&self, f: impl FnOnce(&mut Line) -> R) -> R {
        f(&mut self.state.lock().expect("whole").lines[self.at])
    }

    fn send(&self, make: impl FnOnce(&mut Line) -> Option<String>) {
        let mut state = self.state.lock().expect("whole");
        if let Some(text) = make(&mut state.lines[self.at]) {
            state.post(self.at, &text);
        }
    }

    pub fn dial(&self, number: &str) {
        self.send(|line| Some(line.invite(number)));
    }

    pub fn is_up(&self) -> bool {
        self.with(|line| line.dialog.as_ref().is_some_and(|dialog| dialog.up))
    }

    /// It has a dialog, ringing or up.
    pub fn is_busy(&self) -> bool {
        self.with(|line| line.dialog.is_some())
    }

    #[track_caller]
    pub fn until_up(&self) {
        let what = self.with(|line| format!("{} is on a call", line.name));
        level::until(&what, WAIT, || self.is_up().then_some(()));
    }

    #[track_caller]
    pub fn until_down(&self) {
        let what = self.with(|line| format!("{} is off the call", line.name));
        level::until(&what, WAIT, || (!self.is_busy()).then_some(()));
    }

    /// BYE, when there is a call.
    pub fn hang_up(&self) {
        self.send(Line::bye);
    }

    /// A re-INVITE that sets us aside (`sendonly`), or takes us back.
    pub fn hold(&self, on: bool) {
        self.send(|line| {
            line.held = on;
            let sdp = line.sdp();
            line.request("INVITE", Some(&sdp))
        });
    }

    /// A key by INFO.
    pub fn press(&self, key: char) {
        self.send(|line| {
            let body = format!("Signal={key}\r\nDuration=160\r\n");
            line.request_as("INFO", "application/dtmf-relay", Some(&body))
        });
    }

    pub fn behave(&self, manner: Manner) {
        self.with(|line| line.manner = manner);
    }

    /// From now on silent but for a burst of its tone of 40 ms each second.
    pub fn burst(&self) {
        self.with(|line| line.bursts = Some(Vec::new()));
    }

    /// And the whole tone again.
    pub fn steady(&self) {
        self.with(|line| line.bursts = None);
    }

    /// When the bursts went out.
    pub fn bursts(&self) -> Vec<Instant> {
        self.with(|line| line.bursts.clone().unwrap_or_default())
    }

    #[track_caller]
    pub fn until_rings(&self) {
        let what = self.with(|line| format!("{} rings", line.name));
        level::until(&what, WAIT, || self.is_busy().then_some(()));
    }

    /// A ringing one says that it is busy.
    pub fn refuse(&self) {
        self.send(|line| {
            let invite = line.dialog.as_mut()?.ringing.take()?;
            line.over();
            Some(reply(&invite, "486 Busy Here", &fresh(), None))
        });
    }

    /// A ringing one answers by hand.
    pub fn answer(&self) {
        self.send(|line| {
            let invite = line.dialog.as_mut()?.ringing.take()?;
            Some(line.accept(&invite))
        });
    }
}

impl State {
    fn post(&self, at: usize, text: &str) {
        let line = &self.lines[at];
        let socket = line.sip.as_ref().unwrap_or(&self.carrier);
        let _ = socket.send_to(text.as_bytes(), line.server);
    }

    fn signal(&mut self) {
        let mut buffer = [0; 65_535];
        for at in 0..self.lines.len() {
            while let Some(Ok((n, _))) = self.lines[at].sip.as_ref().map(|sip| sip.recv_from(&mut buffer)) {
                let message = Message(String::from_utf8_lossy(&buffer[..n]).into_owned());
                for text in self.lines[at].hear(&message) {
                    self.post(at, &text);
                }
            }
        }
        while let Ok((n, from)) = self.carrier.recv_from(&mut buffer) {
            let message = Message(String::from_utf8_lossy(&buffer[..n]).into_owned());
            let id = message.header("Call-ID").unwrap_or_default().to_owned();
            let of = |line: &Line| line.dialog.as_ref().is_some_and(|dialog| dialog.call_id == id);
            let called = message.first_line().split([':', '@']).nth(1).unwrap_or_default();
            // A number may be several servers': the one that calls has it.
            let is_called =
                |line: &Line| line.sip.is_none() && line.name == called && line.server.port() == from.port();
            let at = self.lines.iter().position(of).or_else(|| self.lines.iter().position(is_called));
            match at {
                Some(at) => {
                    for text in self.lines[at].hear(&message) {
                        self.post(at, &text);
                    }
                }
                None if message.method() == "INVITE" && message.status().is_none() => {
                    let _ = self
                        .carrier
                        .send_to(reply(&message, "404 Not Found", &fresh(), None).as_bytes(), from);
                }
                // A dialog that is over, and OPTIONS.
                None if message.status().is_none() && message.method() != "ACK" => {
                    let _ = self.carrier.send_to(message.ok().as_bytes(), from);
                }
                None => {}
            }
        }
    }

    fn sound(&mut self, speak: bool) {
        let mut buffer = [0; 2_048];
        for line in &mut self.lines {
            while let Ok(n) = line.rtp.recv(&mut buffer) {
                // Version 2, payload type 8 in twelve bytes of header: others are events.
                if n > 12 && buffer[0] == 0x80 && buffer[1] & 0x7F == 8 {
                    line.ears.take(&buffer[12..n]);
                }
            }
            let up = line.dialog.as_ref().is_some_and(|dialog| dialog.up);
            if let Some(remote) = line.remote.filter(|_| speak && up) {
                let packet = line.packet();
                let _ = line.rtp.send_to(&packet, remote);
            }
        }
    }
}

impl Line {
    fn local(&self) -> SocketAddr {
        self.sip.as_ref().map_or(self.carrier, |sip| sip.local_addr().expect("bound"))
    }

    fn packet(&mut self) -> Vec<u8> {
        let n = self.frames;
        self.frames += 1;
        let mut packet = vec![0x80, 8];
        packet.extend((n as u16).to_be_bytes());
        packet.extend((n * tone::FRAME as u32).to_be_bytes());
        packet.extend((self.rtp.local_addr().expect("bound").port() as u32).to_be_bytes());
        packet.extend(tone::burst_or_tone(self.hz, n, &mut self.bursts));
        packet
    }

    fn sdp(&self) -> String {
        let port = self.rtp.local_addr().expect("bound").port();
        let way = if self.held { "sendonly" } else { "sendrecv" };
        format!(
            "v=0\r\no=- 1 {} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 101\r\n\
             a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na={way}\r\n",
            self.dialog.as_ref().map_or(1, |dialog| dialog.cseq)
        )
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one request, each with its own name")]
    fn write(
        &self,
        method: &str,
        uri: &str,
        from: &str,
        to: &str,
        call: &str,
        cseq: u32,
        more: &str,
        body: Option<(&str, &str)>,
    ) -> String {
        let (local, name) = (self.local(), &self.name);
        let mut out = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bK-{};rport\r\nMax-Forwards: 70\r\n\
             From: {from}\r\nTo: {to}\r\nCall-ID: {call}\r\nCSeq: {cseq} {method}\r\nContact: <sip:{name}@{local}>\r\n{more}",
            fresh()
        );
        let (kind, body) = body.unwrap_or_default();
        if !kind.is_empty() {
            let _ = write!(out, "Content-Type: {kind}\r\n");
        }
        let _ = write!(out, "Content-Length: {}\r\n\r\n{body}", body.len());
        out
    }

    fn invite(&mut self, number: &str) -> String {
        let call_id = fresh();
        let ours = format!("<sip:{}@127.0.0.1>;tag={}", self.name, fresh());
        let theirs = format!("<sip:{number}@{}>", self.server);
        let uri = format!("sip:{number}@{}", self.server);
        self.frames = 0;
        let out = self.write(
            "INVITE",
            &uri,
            &ours,
            &theirs,
            &call_id,
            1,
            "",
            Some(("application/sdp", &self.sdp())),
        );
        self.dialog = Some(Dialog { call_id, ours, theirs, cseq: 1, up: false, ringing: None });
        out
    }

    /// A request within the call that is up.
    fn request(&mut self, method: &str, sdp: Option<&str>) -> Option<String> {
        self.request_as(method, "application/sdp", sdp)
    }

    fn request_as(&mut self, method: &str, kind: &str, body: Option<&str>) -> Option<String> {
        let dialog = self.dialog.as_mut().filter(|dialog| dialog.up)?;
        dialog.cseq += 1;
        let (cseq, call) = (dialog.cseq, dialog.call_id.clone());
        let (from, to) = (dialog.ours.clone(), dialog.theirs.clone());
        let uri = format!("sip:{}", self.server);
        Some(self.write(method, &uri, &from, &to, &call, cseq, "", body.map(|body| (kind, body))))
    }

    fn bye(&mut self) -> Option<String> {
        let bye = self.request("BYE", None);
        if bye.is_some() {
            self.over();
        }
        bye
    }

    fn over(&mut self) {
        (self.dialog, self.remote, self.held) = (None, None, false);
    }

    fn register(&mut self, challenge: Option<&str>) -> bool {
        let (uri, me) = (format!("sip:{}", self.server), format!("<sip:{}@{}>", self.name, self.server));
        let proof = challenge.map(|challenge| self.proof(challenge, &uri)).unwrap_or_default();
        let more = format!("Expires: 600\r\n{proof}");
        let cseq = if challenge.is_some() { 2 } else { 1 };
        let from = format!("{me};tag=r{}", self.name);
        let call = format!("register-{}-{}", self.name, self.local().port());
        let text = self.write("REGISTER", &uri, &from, &me, &call, cseq, &more, None);
        let sip = self.sip.as_ref().expect("a phone has its own");
        sip.send_to(text.as_bytes(), self.server).is_ok()
    }

    /// RFC 2617 with MD5, `qop=auth` where it is offered.
    fn proof(&self, challenge: &str, uri: &str) -> String {
        let part = |key: &str| {
            let rest = challenge.split(&format!("{key}=")).nth(1).unwrap_or_default();
            let rest =
                rest.strip_prefix('"').map_or_else(|| rest.split([',', ' ']).next(), |r| r.split('"').next());
            rest.unwrap_or_default().to_owned()
        };
        let hash = |text: String| -> String {
            Md5::digest(text.as_bytes()).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
        };
        let (realm, nonce) = (part("realm"), part("nonce"));
        let password = self.password.as_deref().unwrap_or_default();
        let (one, two) = (hash(format!("{}:{realm}:{password}", self.name)), hash(format!("REGISTER:{uri}")));
        let response = hash(format!("{one}:{nonce}:00000001:c0ffee:auth:{two}"));
        format!(
            "Authorization: Digest username=\"{}\",realm=\"{realm}\",nonce=\"{nonce}\",uri=\"{uri}\",algorithm=MD5,\
             qop=auth,nc=00000001,cnonce=\"c0ffee\",response=\"{response}\"\r\n",
            self.name
        )
    }

    /// Says yes to an INVITE, the first one or a later one.
    fn accept(&mut self, invite: &Message) -> String {
        if let Some(remote) = media_of(&invite.0) {
            self.remote = Some(remote);
        }
        let sdp = self.sdp();
        let tag = tag_of(self.dialog.as_ref().map_or("", |dialog| &dialog.ours)).to_owned();
        if let Some(dialog) = &mut self.dialog {
            dialog.up = true;
        }
        reply(invite, "200 OK", &tag, Some((&self.local(), &sdp)))
    }

    /// What comes on its SIP side; what goes out for it.
    fn hear(&mut self, message: &Message) -> Vec<String> {
        let id = message.header("Call-ID").unwrap_or_default();
        let mine = self.dialog.as_ref().is_some_and(|dialog| dialog.call_id == id);
        match (message.method(), message.status()) {
            ("REGISTER", Some(401)) => {
                let challenge = message.header("WWW-Authenticate").unwrap_or_default().to_owned();
                self.register(Some(&challenge));
                Vec::new()
            }
            ("REGISTER", Some(status)) => {
                self.registered = status == 200;
                Vec::new()
            }
            ("INVITE", Some(status)) if status >= 200 && mine => self.answered(message, status),
            (_, Some(_)) => Vec::new(),
            ("ACK", None) => Vec::new(),
            ("INVITE", None) if mine => {
                // A second copy of the one that rings needs no other answer.
                if self.dialog.as_ref().is_some_and(|dialog| dialog.ringing.is_some()) {
                    return Vec::new();
                }
                vec![self.accept(message)]
            }
            ("INVITE", None) => self.called(message),
            ("CANCEL", None) if mine => {
                let ringing = self.dialog.as_mut().and_then(|dialog| dialog.ringing.take());
                let mut out = vec![message.ok()];
                if let Some(invite) = ringing {
                    let tag = tag_of(self.dialog.as_ref().map_or("", |dialog| &dialog.ours)).to_owned();
                    out.push(reply(&invite, "487 Request Terminated", &tag, None));
                    self.over();
                }
                out
            }
            ("BYE", None) if mine => {
                self.over();
                vec![message.ok()]
            }
            ("UPDATE", None) if mine && message.0.contains("m=audio") => vec![self.accept(message)],
            (_, None) => vec![message.ok()],
        }
    }

    fn called(&mut self, invite: &Message) -> Vec<String> {
        let tag = fresh();
        if self.dialog.is_some() || self.manner == Manner::Busy {
            return vec![reply(invite, "486 Busy Here", &tag, None)];
        }
        let header = |name: &str| invite.header(name).unwrap_or_default().to_owned();
        self.frames = 0;
        self.dialog = Some(Dialog {
            call_id: header("Call-ID"),
            ours: format!("{};tag={tag}", header("To")),
            theirs: header("From"),
            cseq: 0,
            up: false,
            ringing: None,
        });
        let rings = reply(invite, "180 Ringing", &tag, None);
        if self.manner == Manner::Rings {
            if let Some(dialog) = &mut self.dialog {
                dialog.ringing = Some(invite.clone());
            }
            return vec![rings];
        }
        vec![rings, self.accept(invite)]
    }

    /// A final answer to our INVITE, the first one or a later one.
    fn answered(&mut self, answer: &Message, status: u16) -> Vec<String> {
        let Some(dialog) = &mut self.dialog else { return Vec::new() };
        if let Some(to) = answer.header("To") {
            dialog.theirs = to.to_owned();
        }
        let cseq = answer.header("CSeq").and_then(|c| c.split(' ').next()?.parse().ok()).unwrap_or(1);
        let (from, to, call) = (dialog.ours.clone(), dialog.theirs.clone(), dialog.call_id.clone());
        dialog.up |= status < 300;
        let up = dialog.up;
        if let Some(remote) = media_of(&answer.0).filter(|_| status < 300) {
            self.remote = Some(remote);
        }
        let uri = format!("sip:{}", self.server);
        let mut ack = self.write("ACK", &uri, &from, &to, &call, cseq, "", None);
        if status >= 300 {
            // The ACK of a refusal belongs to the INVITE: the same branch.
            let branch = |text: &str| {
                text.split("branch=")
                    .nth(1)
                    .map(|b| b.split([';', '\r', '\n']).next().unwrap_or_default().to_owned())
            };
            if let (Some(his), Some(mine)) = (branch(answer.header("Via").unwrap_or_default()), branch(&ack))
            {
                ack = ack.replace(&mine, &his);
            }
            if !up {
                self.over();
            }
        }
        vec![ack]
    }
}

fn tag_of(header: &str) -> &str {
    header.split(";tag=").nth(1).unwrap_or_default()
}

/// Where an SDP wants its sound.
fn media_of(text: &str) -> Option<SocketAddr> {
    let line = |start: &str| text.lines().find_map(|line| line.strip_prefix(start));
    let ip = line("c=IN IP4 ")?.trim().parse().ok()?;
    let port = line("m=audio ")?.split(' ').next()?.parse().ok()?;
    Some(SocketAddr::new(ip, port))
}

/// A response; `body`: the Contact's address and an SDP.
fn reply(request: &Message, status: &str, tag: &str, body: Option<(&SocketAddr, &str)>) -> String {
    let mut out = format!("SIP/2.0 {status}\r\n");
    for line in request.0.lines().skip(1).take_while(|line| !line.is_empty()) {
        let name = line.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
        if ["via", "from", "call-id", "cseq"].contains(&name.as_str()) {
            let _ = write!(out, "{line}\r\n");
        } else if name == "to" {
            let tag = if line.contains(";tag=") { String::new() } else { format!(";tag={tag}") };
            let _ = write!(out, "{line}{tag}\r\n");
        }
    }
    match body {
        None => out + "Content-Length: 0\r\n\r\n",
        Some((contact, sdp)) => {
            let _ = write!(
                out,
                "Contact: <sip:{contact}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
                sdp.len()
            );
            out
        }
    }
}
