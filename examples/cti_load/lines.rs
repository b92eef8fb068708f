//! The telephones: citizens of the trunk and desk phones that answer at once. SIP over UDP and G.711, a packet each 20 ms for whoever
//! is on a call; what is heard is not looked at.

use super::caller::{Message, Script};
use super::server::PHONE;
use md5::{Digest as _, Md5};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(20);
/// Requests go out again after so long without an answer.
const AGAIN: Duration = Duration::from_millis(500);

/// What happened, by the citizen's number.
#[derive(Default)]
pub struct Seen {
    /// His ACK: he stands in line.
    pub in_line: HashMap<String, Instant>,
    /// A desk phone was called for him.
    pub rung: HashMap<String, Instant>,
    /// INVITE to 200, with the moment of the 200.
    pub pickups: Vec<(Instant, Duration)>,
}

struct Leg {
    remote: SocketAddr,
    phone: bool,
    packet: [u8; 172],
    n: u16,
}

struct Citizen {
    script: Script,
    invite: String,
    bye: Option<String>,
    begun: Instant,
    sent: Instant,
    up: bool,
}

struct State {
    server: SocketAddr,
    trunk: UdpSocket,
    desk: UdpSocket,
    trunk_rtp: UdpSocket,
    desk_rtp: UdpSocket,
    over: AtomicBool,
    citizens: Mutex<HashMap<String, Citizen>>,
    /// Call-ID by the citizen's number.
    numbers: Mutex<HashMap<String, String>>,
    hang_ups: Mutex<BTreeSet<(Instant, String)>>,
    legs: Mutex<BTreeMap<String, Leg>>,
    seen: Mutex<Seen>,
    registered: AtomicUsize,
    refused: AtomicUsize,
    placed: AtomicUsize,
}

/// All of them. Cheap to clone; they fall silent with the process.
#[derive(Clone)]
pub struct Lines(Arc<State>);

fn lock<T>(what: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    what.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Lines {
    pub fn open(server: SocketAddr) -> std::io::Result<Self> {
        let socket = |ip: &str, patience: u64| {
            let socket = UdpSocket::bind((ip, 0))?;
            socket.set_read_timeout(Some(Duration::from_millis(patience)))?;
            Ok::<_, std::io::Error>(socket)
        };
        let state = Arc::new(State {
            server,
            trunk: socket("127.0.0.1", 5)?,
            // Another address than the trunk's: it is told by its digest.
            desk: socket("127.0.0.1", 100)?,
            trunk_rtp: socket("127.0.0.1", 1)?,
            desk_rtp: socket("127.0.0.1", 1)?,
            over: AtomicBool::new(false),
            citizens: Mutex::default(),
            numbers: Mutex::default(),
            hang_ups: Mutex::default(),
            legs: Mutex::default(),
            seen: Mutex::default(),
            registered: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            placed: AtomicUsize::new(0),
        });
        for (name, work) in
            [("trunk", State::trunk as fn(&State)), ("desk phones", State::desk), ("voice", State::voice)]
        {
            let state = Arc::clone(&state);
            std::thread::Builder::new().name(name.to_owned()).spawn(move || work(&state))?;
        }
        Ok(Self(state))
    }

    /// Desk phones ask for their registration; how many have one is in [`Lines::registered`].
    pub fn register(&self, phone: &str) {
        self.0.register(phone, None);
    }

    pub fn registered(&self) -> usize {
        self.0.registered.load(Ordering::Relaxed)
    }

    /// Calls that were refused or given up by the server.
    pub fn refused(&self) -> usize {
        self.0.refused.load(Ordering::Relaxed)
    }

    /// Another citizen calls.
    pub fn call(&self) -> std::io::Result<()> {
        let state = &*self.0;
        let n = state.placed.fetch_add(1, Ordering::Relaxed);
        let mut script = Script::new("load", state.server, state.trunk.local_addr()?, "UDP");
        script.caller = format!("139{n:08}");
        script.rtp = state.trunk_rtp.local_addr()?.port();
        let (invite, now) = (script.invite(), Instant::now());
        lock(&state.numbers).insert(script.caller.clone(), script.call_id.clone());
        let (call_id, first) = (script.call_id.clone(), invite.clone());
        let citizen = Citizen { script, invite, bye: None, begun: now, sent: now, up: false };
        // Before the answer can be here.
        lock(&state.citizens).insert(call_id, citizen);
        state.trunk.send_to(first.as_bytes(), state.server)?;
        Ok(())
    }

    /// He hangs up then.
    pub fn hang_up(&self, number: &str, at: Instant) {
        lock(&self.0.hang_ups).insert((at, number.to_owned()));
    }

    pub fn everybody_hangs_up(&self) {
        let numbers: Vec<String> = lock(&self.0.numbers).keys().cloned().collect();
        for number in numbers {
            self.hang_up(&number, Instant::now());
        }
    }

    pub fn calls(&self) -> usize {
        lock(&self.0.citizens).len()
    }

    pub fn seen<R>(&self, look: impl FnOnce(&mut Seen) -> R) -> R {
        look(&mut lock(&self.0.seen))
    }
}

impl State {
    fn trunk(&self) {
        let mut buffer = [0; 65_535];
        let mut looked = Instant::now();
        while !self.over.load(Ordering::Relaxed) {
            if let Ok((n, from)) = self.trunk.recv_from(&mut buffer) {
                let message = Message(String::from_utf8_lossy(&buffer[..n]).into_owned());
                self.citizen_hears(&message, from);
            }
            let now = Instant::now();
            self.due_hang_ups(now);
            if now - looked > AGAIN / 4 {
                looked = now;
                for citizen in lock(&self.citizens).values_mut() {
                    let unanswered = citizen.bye.as_ref().or((!citizen.up).then_some(&citizen.invite));
                    if let Some(text) = unanswered.filter(|_| now - citizen.sent > AGAIN) {
                        citizen.sent = now;
                        let _ = self.trunk.send_to(text.as_bytes(), self.server);
                    }
                }
            }
        }
    }

    fn due_hang_ups(&self, now: Instant) {
        loop {
            let mut due = lock(&self.hang_ups);
            if due.first().is_none_or(|(at, _)| *at > now) {
                return;
            }
            let Some((_, number)) = due.pop_first() else { return };
            drop(due);
            let Some(id) = lock(&self.numbers).get(&number).cloned() else { continue };
            let mut citizens = lock(&self.citizens);
            let Some(citizen) = citizens.get_mut(&id).filter(|c| c.up && c.bye.is_none()) else { continue };
            let bye = citizen.script.bye();
            let _ = self.trunk.send_to(bye.as_bytes(), self.server);
            (citizen.bye, citizen.sent) = (Some(bye), now);
            lock(&self.legs).remove(&id);
        }
    }

    fn citizen_hears(&self, message: &Message, from: SocketAddr) {
        let now = Instant::now();
        let id = message.header("Call-ID").unwrap_or_default().to_owned();
        if message.status().is_none() {
            if message.method() == "ACK" {
                return;
            }
            let _ = self.trunk.send_to(message.ok().as_bytes(), from);
            if message.method() == "BYE" {
                self.gone(&id);
            }
            return;
        }
        let mut citizens = lock(&self.citizens);
        let Some(citizen) = citizens.get_mut(&id) else { return };
        match (message.method(), message.status().unwrap_or(0)) {
            ("INVITE", 200) => {
                citizen.script.to_tag = message.to_tag().map(str::to_owned);
                let _ = self.trunk.send_to(citizen.script.ack().as_bytes(), self.server);
                if std::mem::replace(&mut citizen.up, true) {
                    return;
                }
                if let Some(remote) = media_of(&message.0) {
                    lock(&self.legs).insert(id, Leg::new(remote, false));
                }
                let mut seen = lock(&self.seen);
                seen.in_line.insert(citizen.script.caller.clone(), now);
                seen.pickups.push((now, now - citizen.begun));
            }
            ("INVITE", 300..) => {
                citizen.script.to_tag = message.to_tag().map(str::to_owned);
                // The ACK of a refusal belongs to the INVITE's own transaction.
                let ack = citizen.script.ack().replacen("a;rport", ";rport", 1);
                let _ = self.trunk.send_to(ack.as_bytes(), self.server);
                self.refused.fetch_add(1, Ordering::Relaxed);
                drop(citizens);
                self.gone(&id);
            }
            ("BYE", 200..) => {
                drop(citizens);
                self.gone(&id);
            }
            _ => {}
        }
    }

    fn gone(&self, id: &str) {
        let gone = lock(&self.citizens).remove(id);
        if let Some(citizen) = gone {
            lock(&self.numbers).remove(&citizen.script.caller);
        }
        lock(&self.legs).remove(id);
    }

    fn desk(&self) {
        let mut buffer = [0; 65_535];
        while !self.over.load(Ordering::Relaxed) {
            let Ok((n, from)) = self.desk.recv_from(&mut buffer) else { continue };
            let message = Message(String::from_utf8_lossy(&buffer[..n]).into_owned());
            let id = message.header("Call-ID").unwrap_or_default().to_owned();
            match (message.method(), message.status()) {
                ("REGISTER", Some(401)) => {
                    let challenge = message.header("WWW-Authenticate").unwrap_or_default();
                    self.register(user_of(message.header("To").unwrap_or_default()), Some(challenge));
                }
                ("REGISTER", Some(200)) => {
                    self.registered.fetch_add(1, Ordering::Relaxed);
                }
                (_, Some(_)) | ("ACK", None) => {}
                ("INVITE" | "UPDATE", None) => self.phone_answers(&message, id, from),
                ("BYE", None) => {
                    lock(&self.legs).remove(&id);
                    let _ = self.desk.send_to(message.ok().as_bytes(), from);
                }
                (_, None) => {
                    let _ = self.desk.send_to(message.ok().as_bytes(), from);
                }
            }
        }
    }

    /// Hands free, at once: the INVITE asks for that.
    fn phone_answers(&self, invite: &Message, id: String, from: SocketAddr) {
        let caller = user_of(invite.header("From").unwrap_or_default()).to_owned();
        lock(&self.seen).rung.entry(caller).or_insert_with(Instant::now);
        let (Ok(at), Ok(rtp)) = (self.desk.local_addr(), self.desk_rtp.local_addr()) else { return };
        let sdp = format!(
            "v=0\r\no=- 7 7 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\n\
             a=rtpmap:8 PCMA/8000\r\na=ptime:20\r\n",
            ip = at.ip(),
            port = rtp.port()
        );
        let mut out = String::from("SIP/2.0 200 OK\r\n");
        for line in invite.0.lines().skip(1).take_while(|line| !line.is_empty()) {
            let name = line.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
            // Writing to a String cannot fail; so too below.
            if ["via", "from", "call-id", "cseq", "record-route"].contains(&name.as_str()) {
                let _ = write!(out, "{line}\r\n");
            } else if name == "to" {
                let tag = if line.contains(";tag=") { "" } else { ";tag=desk" };
                let _ = write!(out, "{line}{tag}\r\n");
            }
        }
        let _ = write!(
            out,
            "Contact: <sip:desk@{at}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
            sdp.len()
        );
        let _ = self.desk.send_to(out.as_bytes(), from);
        if let Some(remote) = media_of(&invite.0) {
            lock(&self.legs).entry(id).or_insert_with(|| Leg::new(remote, true)).remote = remote;
        }
    }

    fn register(&self, phone: &str, challenge: Option<&str>) {
        let Ok(at) = self.desk.local_addr() else { return };
        let (uri, server) = (format!("sip:{}", self.server), self.server);
        let proof = challenge.map(|challenge| proof(phone, challenge, &uri)).unwrap_or_default();
        let cseq = if challenge.is_some() { 2 } else { 1 };
        let text = format!(
            "REGISTER {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK-r{phone}{cseq};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:{phone}@{server}>;tag=r{phone}\r\nTo: <sip:{phone}@{server}>\r\nCall-ID: register-{phone}\r\n\
             CSeq: {cseq} REGISTER\r\nContact: <sip:{phone}@{at}>\r\nExpires: 3600\r\n{proof}Content-Length: 0\r\n\r\n"
        );
        let _ = self.desk.send_to(text.as_bytes(), server);
    }

    fn voice(&self) {
        let mut next = Instant::now();
        while !self.over.load(Ordering::Relaxed) {
            for leg in lock(&self.legs).values_mut() {
                leg.step();
                let socket = if leg.phone { &self.desk_rtp } else { &self.trunk_rtp };
                let _ = socket.send_to(&leg.packet, leg.remote);
            }
            next += TICK;
            let now = Instant::now();
            // Whoever was held up does not catch up in a burst.
            next = if now > next { now } else { next };
            std::thread::sleep(next.saturating_duration_since(now));
        }
    }
}

impl Leg {
    fn new(remote: SocketAddr, phone: bool) -> Self {
        // A-law of a weak hum: it is sent on, and looked at by nobody.
        let mut packet = [0xD5; 172];
        packet[..12].copy_from_slice(&[0x80, 8, 0, 0, 0, 0, 0, 0, 1, 2, 3, remote.port() as u8]);
        packet.iter_mut().skip(12).step_by(2).for_each(|sample| *sample = 0x95);
        Self { remote, phone, packet, n: 0 }
    }

    fn step(&mut self) {
        self.n = self.n.wrapping_add(1);
        self.packet[2..4].copy_from_slice(&self.n.to_be_bytes());
        self.packet[4..8].copy_from_slice(&(u32::from(self.n) * 160).to_be_bytes());
    }
}

fn user_of(header: &str) -> &str {
    header.split("sip:").nth(1).and_then(|rest| rest.split('@').next()).unwrap_or_default()
}

/// Where an SDP wants its sound.
fn media_of(text: &str) -> Option<SocketAddr> {
    let line = |start: &str| text.lines().find_map(|line| line.strip_prefix(start));
    let ip = line("c=IN IP4 ")?.trim().parse().ok()?;
    let port = line("m=audio ")?.split(' ').next()?.parse().ok()?;
    Some(SocketAddr::new(ip, port))
}

/// RFC 2617 with MD5 and `qop=auth`.
fn proof(phone: &str, challenge: &str, uri: &str) -> String {
    let part = |key: &str| {
        let rest = challenge.split(&format!("{key}=\"")).nth(1).unwrap_or_default();
        rest.split('"').next().unwrap_or_default().to_owned()
    };
    let hash = |text: String| -> String {
        Md5::digest(text.as_bytes()).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
    };
    let (realm, nonce) = (part("realm"), part("nonce"));
    let (one, two) = (hash(format!("{phone}:{realm}:{PHONE}")), hash(format!("REGISTER:{uri}")));
    let response = hash(format!("{one}:{nonce}:00000001:c0ffee:auth:{two}"));
    format!(
        "Authorization: Digest username=\"{phone}\",realm=\"{realm}\",nonce=\"{nonce}\",uri=\"{uri}\",algorithm=MD5,\
         qop=auth,nc=00000001,cnonce=\"c0ffee\",response=\"{response}\"\r\n"
    )
}
