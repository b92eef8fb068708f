//! One function for each reader of what strangers send: any bytes in, nothing out, a panic when a rule is broken.
//! The fuzzer calls them with bytes it makes up; `tests/it/corpus.rs` with those it has kept.
//!
//! To add one: a function here, a row in [`ALL`], a file in `fuzz_targets/` and its `[[bin]]`, and seeds in `corpus/`.

use hotline::base::{Digit, LegId, Time};
use hotline::ivr::FlowSet;
use hotline::ivr::graph::{Format, draw};
use hotline::journal::{frame, wire};
use hotline::media::leg::{Env, Leg, Sink, Socket, Told};
use hotline::media::seam::{Codec, IpNet, Session};
use hotline::media::source::Local;
use hotline::media::take::Frame as Recorded;
use hotline::media::{Prompts, events, g711, rtcp, rtp, wav};
use hotline::sip::header::{self, HeaderName, Malformed};
use hotline::sip::message::{LARGEST_BODY, LARGEST_HEAD, LARGEST_LINE, LARGEST_MESSAGE, MOST_HEADERS};
use hotline::sip::message::{Message, Start, Text};
use hotline::sip::multipart::{self, Part};
use hotline::sip::offer_answer;
use hotline::sip::sdp::Sdp;
use hotline::sip::seam::{
    Algorithm, ConnId, Credentials, DialogId, Direction, Event, Flow, LocalMedia, Output, Packet, Peer,
    PeerId, PeerKind, Registration, Strangers, UaConfig,
};
use hotline::sip::stream::{Framed, Framer};
use hotline::sip::ua::{Live, Ua};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Takes one input, and panics when a rule is broken.
pub type Target = fn(&[u8]);

/// Name of the target and of its folder in `corpus/`, and the target.
pub const ALL: &[(&str, Target)] = &[
    ("sip", sip),
    ("stream", stream),
    ("sdp", sdp),
    ("multipart", multipart),
    ("rtp", rtp_packets),
    ("rtcp", rtcp_packets),
    ("wav", wav_file),
    ("flow", flow),
    ("journal", journal),
    ("ua", ua),
];

// --- sip -----------------------------------------------------------------------------------------------------------

/// One message: its head, every header by every reader that may meet it, its credentials.
pub fn sip(bytes: &[u8]) {
    let text = Text::cut(bytes);
    let (message, fits) = Message::read(&text);
    let Some(message) = message else {
        assert!(fits.is_err(), "no message, and nothing wrong with it");
        return;
    };
    if let Err(refused) = fits {
        assert!((400..700).contains(&refused.status) && !refused.why.is_empty(), "{refused:?}");
    } else {
        written_again(&message);
    }
    let mut lines = 0;
    for name in HeaderName::ALL {
        for line in message.lines_of(*name) {
            lines += 1;
            assert!(line.len() <= LARGEST_LINE && !line.contains(['\r', '\n', '\0']), "{name:?}: {line:?}");
        }
        for value in message.values(*name) {
            assert!(!value.is_empty() && value.trim_matches([' ', '\t']) == value, "{name:?}: {value:?}");
            every_header(value);
        }
    }
    assert!(lines <= MOST_HEADERS, "{lines} lines");
    assert!(message.body.len() <= LARGEST_BODY, "{} bytes of body", message.body.len());
    if let Start::Request { uri, .. } = message.start {
        uri_again(uri);
    }
}

/// What was read without fault, written plainly, reads the same.
fn written_again(message: &Message<'_>) {
    let mut plain = match message.start {
        Start::Request { method, uri } => format!("{method} {uri} SIP/2.0\r\n"),
        Start::Response { status } => format!("SIP/2.0 {status} \r\n"),
    };
    for name in HeaderName::ALL.iter().filter(|name| **name != HeaderName::ContentLength) {
        for line in message.lines_of(*name).filter(|_| !name.as_str().is_empty()) {
            plain.push_str(&format!("{}: {line}\r\n", name.as_str()));
        }
    }
    plain.push_str(&format!("Content-Length: {}\r\n\r\n", message.body.len()));
    // Names written in full may be longer than they came.
    if plain.len() > LARGEST_HEAD || plain.split("\r\n").any(|line| line.len() > LARGEST_LINE) {
        return;
    }
    let bytes = [plain.as_bytes(), message.body].concat();
    let text = Text::cut(&bytes);
    let (again, fits) = Message::read(&text);
    // A line for the length is added: one more than may be.
    if fits.is_err_and(|refused| refused.why == "too many headers") {
        return;
    }
    let again = again.expect("what was written is read");
    assert_eq!(fits, Ok(()), "{plain:?}");
    assert_eq!(again.start, message.start);
    assert_eq!(again.body, message.body);
    for name in HeaderName::ALL.iter().filter(|name| **name != HeaderName::ContentLength) {
        if !name.as_str().is_empty() {
            assert!(again.lines_of(*name).eq(message.lines_of(*name)), "{name:?} of {plain:?}");
        }
    }
}

/// One value by every reader: none may trust that it is given the right kind.
fn every_header(value: &str) {
    if let Ok(name) = header::NameAddr::parse(value) {
        assert!(!name.uri.is_empty(), "an address of nobody: {value:?}");
        let _ = (name.display(), name.tag());
        uri_again(name.uri);
        parameters(name.params);
    }
    if let Ok(via) = header::Via::parse(value) {
        let _ = (via.branch(), via.rfc3261_branch(), via.received(), via.rport(), via.port_or_default());
    }
    let _ = header::Via::is_answerable(value);
    if let Ok(auth) = header::AuthParams::parse(value) {
        for name in
            ["username", "realm", "nonce", "uri", "response", "algorithm", "qop", "nc", "cnonce", "stale"]
        {
            let _ = auth.get(name);
        }
    }
    if let Ok(number) = header::number(value) {
        // RFC 3261 §25.1: digits and nothing else.
        assert!(value.trim_matches([' ', '\t']).bytes().all(|b| b.is_ascii_digit()), "{value:?} as {number}");
    }
    let _ = (header::CSeq::parse(value).is_ok(), header::RAck::parse(value).is_ok());
    let _ = (header::number_of(value), header::retry_after(value), header::min_se(value));
    let _ = (header::number_in(value), header::diversion(value), header::history(value));
    let _ = (header::Reason::parse(value), header::SessionExpires::parse(value));
    let _ = (header::Replaces::parse(value).is_ok(), header::privacy(value).count());
    uri_again(value);
}

fn uri_again(text: &str) {
    let Ok(uri) = header::Uri::parse(text) else { return };
    let plain = uri.user_plain();
    assert!(plain.len() <= 3 * text.len(), "a user part that grows: {text:?}");
    if let Some(host) = uri.host {
        let shown = host.to_string();
        let again: Result<header::Host<'_>, Malformed> = header::Host::parse(&shown);
        assert_eq!(again, Ok(host), "host of {text:?}");
    }
    let _ = (uri.is_tcp(), uri.is_loose_router());
    parameters(uri.params);
}

fn parameters(params: header::Params<'_>) {
    for (name, _) in params.iter().take(64) {
        assert!(params.has(name), "a parameter that is not there: {name:?}");
        let _ = (params.get(name), params.token(name));
    }
    let again = header::Params::parse(&format!(";{}", params.as_str())).map(|p| p.iter().count());
    if !params.as_str().is_empty() {
        assert_eq!(again, Ok(params.iter().count()), "{:?}", params.as_str());
    }
}

// --- stream --------------------------------------------------------------------------------------------------------

/// A byte stream. The first byte says how it is cut; however it is, the same messages come of it.
pub fn stream(bytes: &[u8]) {
    let Some((step, bytes)) = bytes.split_first() else { return };
    let whole = frames(bytes, usize::MAX);
    let cut = frames(bytes, usize::from(*step) + 1);
    assert_eq!(whole, cut, "cut into pieces of {}", usize::from(*step) + 1);
    for message in &whole.0 {
        assert!(message.len() <= LARGEST_MESSAGE, "{} bytes", message.len());
        let text = Text::cut(message);
        let (read, _) = Message::read(&text);
        if let Some(read) = read {
            assert!(read.body.len() <= LARGEST_BODY);
        }
    }
}

/// Messages and pings, and whether the stream broke.
fn frames(bytes: &[u8], step: usize) -> (Vec<Vec<u8>>, bool) {
    let mut framer = Framer::default();
    let mut found = Vec::new();
    for piece in bytes.chunks(step.min(bytes.len()).max(1)) {
        framer.push(piece);
        loop {
            match framer.next_frame() {
                Ok(Some(Framed::Message(message))) => {
                    assert!(!message.is_empty(), "a message of nothing");
                    found.push(message.to_vec());
                }
                Ok(Some(Framed::Ping)) => found.push(b"\r\n\r\n".to_vec()),
                Ok(None) => break,
                Err(bad) => {
                    assert!(bad.head.len() <= bytes.len().min(LARGEST_MESSAGE + LARGEST_HEAD));
                    framer.push(b"OPTIONS sip:a SIP/2.0\r\n\r\n");
                    assert_eq!(framer.next_frame(), Ok(None), "a broken stream says nothing more");
                    return (found, true);
                }
            }
        }
    }
    (found, false)
}

// --- sdp -----------------------------------------------------------------------------------------------------------

/// A description as an offer and as an answer; whatever we answer fits it and reads back.
pub fn sdp(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(theirs) = Sdp::parse(text) else { return };
    assert!((1..=16).contains(&theirs.media.len()), "{} media lines", theirs.media.len());
    for media in &theirs.media {
        assert!(media.formats.len() <= 64, "{} formats", media.formats.len());
        for pt in media.payload_types() {
            assert!(pt < 128);
            let _ = media.codec(pt);
        }
        let _ = (media.events(), media.is_plain_audio());
    }
    let local = LocalMedia {
        addr: SocketAddr::from(([192, 0, 2, 1], 30_000)),
        codecs: vec![Codec::Pcma, Codec::Pcmu],
        sdp_session: 9,
    };
    for wish in [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive] {
        match offer_answer::answer(&local, 1, wish, &theirs) {
            Ok((answer, agreed)) => {
                let ours = Sdp::parse(&answer).expect("our answer can be read");
                assert_eq!(ours.media.len(), theirs.media.len(), "a line for each of the offer's");
                assert_eq!(ours.media.iter().filter(|m| m.port != 0).count(), 1, "one stream");
                let plain = |line: &str| !line.bytes().any(|b| b < b' ' || b == 0x7f);
                assert!(answer.split("\r\n").all(plain), "control characters in our answer: {answer:?}");
                assert!(agreed.send_pt < 128 && agreed.recv_pt < 128);
                assert!(agreed.event_pt != Some(agreed.recv_pt), "keys and speech under one number");
            }
            Err(refusal) => assert!((400..500).contains(&refusal.status())),
        }
        if let Err(refusal) = offer_answer::read_answer(&local, wish, &theirs) {
            assert!((400..500).contains(&refusal.status()));
        }
    }
}

// --- multipart -----------------------------------------------------------------------------------------------------

/// The first line is the parameters of the Content-Type, the rest the body.
pub fn multipart(bytes: &[u8]) {
    let at = bytes.iter().position(|b| *b == b'\n').unwrap_or(bytes.len());
    let (head, body) = (&bytes[..at], bytes.get(at + 1..).unwrap_or_default());
    let Some(params) = std::str::from_utf8(head).ok().and_then(|head| header::Params::parse(head).ok())
    else {
        return;
    };
    if let Part::Sdp(found) = multipart::sdp_part(params, body) {
        let boundary = params.get("boundary").expect("no part without a boundary");
        let inner = format!("\r\n--{boundary}");
        assert!(!contains(found, inner.as_bytes()), "a part that reaches into the next");
        let (from, range) = (found.as_ptr() as usize, body.as_ptr_range());
        assert!(
            from >= range.start as usize && from + found.len() <= range.end as usize,
            "a part of another body"
        );
        sdp(found);
    }
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

// --- rtp -----------------------------------------------------------------------------------------------------------

/// Packets, each behind two bytes: from whom and how long after the last, and its length. Then the leg is closed.
pub fn rtp_packets(bytes: &[u8]) {
    let mut line = Line::open();
    let mut rest = bytes;
    while let Some(([how, length], more)) = rest.split_first_chunk::<2>() {
        let (packet, next) = more.split_at(usize::from(*length).min(more.len()));
        rest = next;
        line.pass(how & 0x0F);
        match how >> 4 {
            0..=9 => line.hear(0, packet),
            10 | 11 => line.hear(1, packet),
            12 => line.hear(2, packet),
            13 => line.long(packet),
            14 => line.change(packet),
            _ => line.report(packet),
        }
        one_packet(packet);
    }
    line.close();
}

fn one_packet(bytes: &[u8]) {
    if let Ok(packet) = rtp::read(bytes) {
        assert!(packet.payload.len() <= bytes.len() - rtp::HEADER);
        let mut head = [0; rtp::HEADER];
        rtp::write(&mut head, packet.marker, packet.payload_type, packet.seq, packet.timestamp, packet.ssrc);
        let again = [&head[..], packet.payload].concat();
        assert_eq!(rtp::read(&again), Ok(packet), "written again");
    }
    if let Some(block) = events::read(bytes) {
        assert!(block.volume < 64);
    }
}

/// A leg on a virtual clock, and what it said.
struct Line {
    leg: Leg,
    prompts: Prompts,
    local: Local,
    now: Time,
    said: Said,
}

#[derive(Default)]
struct Said {
    told: u32,
    sent: u32,
    closed: u32,
}

impl Sink for Said {
    fn tell(&mut self, event: Told) {
        self.told += 1;
        self.closed += u32::from(matches!(event, Told::Closed { .. }));
    }
    fn record(&mut self, _frame: Recorded) -> bool {
        true
    }
    fn send(&mut self, to: SocketAddr, socket: Socket, bytes: &[u8]) {
        self.sent += 1;
        assert!(!to.ip().is_unspecified() && !to.ip().is_multicast(), "a packet to {to}");
        match socket {
            Socket::Rtp => assert!(rtp::read(bytes).is_ok(), "our own packet"),
            Socket::Rtcp => assert!(rtcp::read(bytes, 1).is_ok(), "our own report"),
        }
    }
}

const SOURCES: [([u8; 4], u16); 3] =
    [([192, 0, 2, 1], 4000), ([192, 0, 2, 1], 4002), ([203, 0, 113, 1], 4000)];
const EVENTS: u8 = 101;

impl Line {
    fn open() -> Self {
        let prompts = Prompts::build(vec![("tone".into(), vec![8000; 800])]);
        let local = Local { bound: [192, 0, 2, 200].into(), ports: (20_000, 29_999) };
        let now = Time::from_millis(5_000);
        let env = Env { now, prompts: &prompts, local: &local, ntp_zero: 3_900_000_000 << 32 };
        let mut leg = Leg::open(&env, LegId(1), 99, session(0));
        leg.watch_silence(now, 1_000);
        Self { leg, prompts, local, now, said: Said::default() }
    }
    fn on(&mut self, act: impl FnOnce(&mut Leg, &Env<'_>, &mut Said)) {
        let env =
            Env { now: self.now, prompts: &self.prompts, local: &self.local, ntp_zero: 3_900_000_000 << 32 };
        act(&mut self.leg, &env, &mut self.said);
    }
    /// Up to seven ticks; the high numbers are one tick that comes late.
    fn pass(&mut self, ticks: u8) {
        let (count, periods) = if ticks < 8 { (ticks, 1) } else { (1, u32::from(ticks)) };
        for _ in 0..count {
            self.now = self.now + Duration::from_millis(20 * u64::from(periods));
            self.on(|leg, env, said| leg.tick(env, periods, periods > 1, said));
        }
    }
    fn hear(&mut self, source: usize, packet: &[u8]) {
        let from = SocketAddr::from(SOURCES[source]);
        self.on(|leg, env, said| leg.packet(env, env.now, from, packet, said));
    }
    /// A packet filled up beyond what a length of one byte can say.
    fn long(&mut self, packet: &[u8]) {
        let mut bytes = packet.to_vec();
        bytes.resize(1_472, 0xD5);
        self.hear(0, &bytes);
    }
    fn report(&mut self, packet: &[u8]) {
        let from = SocketAddr::from(SOURCES[0]);
        self.on(|leg, env, said| leg.report(env, from, packet, said));
    }
    fn change(&mut self, packet: &[u8]) {
        let how = packet.first().copied().unwrap_or(0);
        self.on(|leg, env, said| leg.update(env, session(how), said));
    }
    fn close(self) {
        let Self { mut leg, prompts, local, now, mut said } = self;
        let stats = leg.stats();
        assert!(stats.jitter_ms.is_finite() && stats.jitter_ms >= 0.0, "{stats:?}");
        let env = Env { now, prompts: &prompts, local: &local, ntp_zero: 3_900_000_000 << 32 };
        leg.close(&env, &mut said);
        assert_eq!(said.closed, 1, "closed once");
    }
}

fn session(how: u8) -> Box<Session> {
    let codec = if how & 1 == 0 { Codec::Pcma } else { Codec::Pcmu };
    Box::new(Session {
        remote: (how & 2 == 0).then(|| SOURCES[0].into()),
        remote_rtcp: (how & 4 != 0).then(|| SOURCES[1].into()),
        codec,
        send_pt: codec.payload_type(),
        recv_pt: codec.payload_type(),
        event_pt: (how & 8 == 0).then_some(EVENTS),
        send_event_pt: (how & 8 == 0).then_some(EVENTS),
        may_send: how & 16 == 0,
        may_receive: how & 32 == 0,
        symmetric: how & 64 == 0,
        media_nets: Arc::from([IpNet { addr: [192, 0, 2, 0].into(), prefix: 24 }]),
    })
}

// --- rtcp ----------------------------------------------------------------------------------------------------------

/// A compound packet about the source its first four bytes name.
pub fn rtcp_packets(bytes: &[u8]) {
    let Some((about, bytes)) = bytes.split_first_chunk::<4>() else { return };
    let about = u32::from_be_bytes(*about);
    let Ok(report) = rtcp::read(bytes, about) else { return };
    assert!(bytes.len() >= 8, "a report of {} bytes", bytes.len());
    if let Some(block) = report.about_us {
        assert!((-0x80_0000..0x80_0000).contains(&block.lost), "24 bits: {}", block.lost);
        if let Some(ms) = rtcp::round_trip_ms(&block, block.last_sr.wrapping_add(block.delay)) {
            assert_eq!(ms, 0, "nothing on the way");
        }
    }
    let sent = report.sender_ntp.map(|ntp| rtcp::Sent {
        ntp: u64::from(ntp) << 16,
        timestamp: 1,
        packets: 2,
        octets: 3,
    });
    let mut room = [0; rtcp::ROOM];
    let length =
        rtcp::write(&mut room, report.sender, 7, sent, report.about_us.map(|b| (about, b)), report.bye);
    assert_eq!(rtcp::read(&room[..length], about), Ok(report), "written again");
}

// --- wav -----------------------------------------------------------------------------------------------------------

/// A sound file, as an administrator uploads it.
pub fn wav_file(bytes: &[u8]) {
    let Ok(sound) = wav::read(bytes) else { return };
    assert!((4_000..=192_000).contains(&sound.rate), "{} samples a second", sound.rate);
    assert!(sound.samples.len() <= bytes.len(), "more samples than bytes");
    assert!(sound.clipped_run as usize <= sound.samples.len());
    for sample in sound.samples.iter().take(1_000) {
        let _ = g711::encode(Codec::Pcma, *sample);
    }
}

// --- flow ----------------------------------------------------------------------------------------------------------

/// A flow: read and checked. One without fault is kept, drawn, and reads back from what is kept.
pub fn flow(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match FlowSet::read(text) {
        Ok(flow) => {
            let again = FlowSet::from_bundle(flow.bundle()).expect("what is kept reads back");
            assert_eq!(again.hash(), flow.hash());
            assert!(flow.nodes().eq(again.nodes()));
            for format in [Format::Mermaid, Format::Dot, Format::Svg] {
                assert!(!draw(&flow, format).is_empty());
            }
        }
        Err(problems) => {
            assert!(!problems.0.is_empty(), "refused, and nothing wrong with it");
            let lines = text.split('\n').count();
            for problem in &problems.0 {
                assert!((1..=lines).contains(&(problem.line)), "{problem:?} of {lines} lines");
                assert!(problem.column >= 1 && !problem.what.is_empty(), "{problem:?}");
            }
        }
    }
}

// --- journal -------------------------------------------------------------------------------------------------------

/// An even first byte: a file's bytes, read from record to record. An odd one: two bytes of kind and a body, framed rightly.
pub fn journal(bytes: &[u8]) {
    let Some((how, bytes)) = bytes.split_first() else { return };
    if how & 1 == 1 {
        let Some((kind, body)) = bytes.split_first_chunk::<2>() else { return };
        let mut record = Vec::new();
        let at = frame::begin(&mut record, 7, u16::from_le_bytes(*kind), wire::VERSION, 9, -5);
        record.extend_from_slice(body);
        frame::end(&mut record, at);
        let frame::Found::Frame(read, length) = frame::read(&record) else {
            panic!("our own record does not read")
        };
        assert_eq!((length, read.body, read.wall_ms), (record.len(), body, -5));
        return fact(&read);
    }
    let mut rest = bytes;
    loop {
        let take = match frame::read(rest) {
            frame::Found::Frame(read, length) => {
                assert_eq!(length, frame::HEAD + 28 + read.body.len(), "a frame's length");
                fact(&read);
                length
            }
            frame::Found::Damaged { skip: Some(skip) } => skip,
            frame::Found::Damaged { skip: None } | frame::Found::Short => break,
        };
        assert!(take > 0 && take <= rest.len(), "{take} of {}", rest.len());
        rest = &rest[take..];
    }
}

/// A fact that reads is written to what reads the same.
fn fact(frame: &frame::Frame<'_>) {
    let Ok(Some(fact)) = wire::read(frame.kind, frame.seq, frame.body, &mut |_| None) else { return };
    assert_eq!(wire::kind(&fact), frame.kind);
    let mut body = Vec::new();
    wire::write(&fact, &mut wire::Out::new(&mut body, None, frame.seq));
    let again = wire::read(frame.kind, frame.seq, &body, &mut |_| None);
    // By their texts: a figure that is no number equals not even itself.
    let again = again.ok().flatten().expect("what was written reads");
    assert_eq!(format!("{again:?}"), format!("{fact:?}"));
}

// --- ua ------------------------------------------------------------------------------------------------------------

/// What divides the steps of a story.
const STEP: u8 = 0x1e;

/// A story: steps divided by a byte of 1e, each a letter and what it needs. A message may name what we said last: `$T` our To
/// tag, `$F` our From tag, `$B` our branch, `$I` our Call-ID, `$N` our nonce. At the end everybody hangs up, and nothing is left.
pub fn ua(bytes: &[u8]) {
    let mut story = Story::new();
    for step in bytes.split(|b| *b == STEP).take(32) {
        let Some((letter, rest)) = step.split_first() else { continue };
        story.step(*letter, rest);
    }
    story.end();
}

struct Story {
    ua: Ua,
    now: Time,
    open: BTreeSet<DialogId>,
    last: [String; 5],
    /// Bytes that came from strangers, and went to them.
    strangers: (usize, usize),
}

const NAMES: [&str; 5] = ["$T", "$F", "$B", "$I", "$N"];
const STRANGER: ([u8; 4], u16) = ([203, 0, 113, 9], 5060);

fn peer_of(name: &str, kind: PeerKind, net: Option<[u8; 4]>) -> Peer {
    let nets: Vec<IpNet> = net.into_iter().map(|addr| IpNet { addr: addr.into(), prefix: 32 }).collect();
    let secret = |realm: Option<&str>| Credentials {
        user: name.to_owned(),
        password: "secret".to_owned(),
        realm: realm.map(str::to_owned),
    };
    Peer {
        name: name.into(),
        kind,
        media_nets: nets.clone().into(),
        inbound: (kind == PeerKind::Phone).then(|| secret(None)),
        outbound: (kind == PeerKind::Trunk).then(|| secret(Some("carrier"))),
        trusted_identity: kind == PeerKind::Trunk,
        target: net.map(|ip| (SocketAddr::from((ip, 5070)), false)),
        register: None,
        nets,
    }
}

fn two_trunks_and_a_phone() -> UaConfig {
    let registration = Registration {
        aor: "sip:12341@carrier".to_owned(),
        registrar: "sip:carrier".to_owned(),
        expires: Duration::from_secs(600),
    };
    let district =
        Peer { register: Some(registration), ..peer_of("district", PeerKind::Trunk, Some([127, 0, 0, 3])) };
    UaConfig {
        numbers: vec!["12341".into()],
        udp: vec![SocketAddr::from(([127, 0, 0, 1], 5060))],
        tcp: Some(SocketAddr::from(([127, 0, 0, 1], 5060))),
        external: None,
        peers: vec![
            peer_of("city", PeerKind::Trunk, Some([127, 0, 0, 2])),
            district,
            peer_of("desk", PeerKind::Phone, None),
        ],
        strangers: Strangers::Forbid,
        realm: "hotline".to_owned(),
        digest: Algorithm::ALL.to_vec(),
        t1: Duration::from_millis(500),
        t2: Duration::from_secs(4),
        t4: Duration::from_secs(5),
        min_se_s: 90,
        session_expires_s: 1800,
        codecs: vec![Codec::Pcma, Codec::Pcmu],
        user_agent: "hotline".to_owned(),
        max_transactions: 200,
        max_dialogs: 20,
        stranger_answers_per_s: 50,
    }
}

impl Story {
    fn new() -> Self {
        let ua = Ua::new(two_trunks_and_a_phone(), [7; 32]);
        let now = Time::from_millis(10);
        Self { ua, now, open: BTreeSet::new(), last: Default::default(), strangers: (0, 0) }
    }

    fn step(&mut self, letter: u8, rest: &[u8]) {
        let udp = |ip: [u8; 4]| Flow::Udp { socket: 0, peer: SocketAddr::from((ip, 5070)) };
        let conn = ConnId(u64::from(letter & 1));
        let last = self.open.last().copied();
        match letter {
            b'v' => self.hear(udp([127, 0, 0, 3]), rest),
            b't' | b'u' => {
                self.hear(Flow::Tcp { conn, peer: SocketAddr::from(([127, 0, 0, 2], 5070)) }, rest)
            }
            b's' => self.hear(Flow::Udp { socket: 0, peer: SocketAddr::from(STRANGER) }, rest),
            b'w' => self.pass(Duration::from_millis(100 * u64::from(rest.first().copied().unwrap_or(1)))),
            b'W' => self.pass(Duration::from_secs(20 * u64::from(rest.first().copied().unwrap_or(1)))),
            b'l' => self
                .order(|ua, now, out| ua.connection_lost(now, ConnId(u64::from(rest.len() as u8 & 1)), out)),
            b'd' => self.ua.drain(!rest.is_empty()),
            b'c' => self.ua.reconfigure(two_trunks_and_a_phone()),
            b'i' => {
                let to = PeerId(u16::from(rest.first().copied().unwrap_or(0) % 4));
                let mut begun = None;
                self.order(|ua, now, out| {
                    begun = ua.invite(now, to, "4711", "12341", our_media(), &[], out).ok();
                });
                self.open.extend(begun);
            }
            b'g' | b'a' | b'x' | b'r' | b'o' | b'h' | b'k' | b'f' => {
                let Some(dialog) = last else { return };
                self.order(|ua, now, out| {
                    let _ = match letter {
                        b'g' => ua.progress(
                            now,
                            dialog,
                            180 + u16::from(!rest.is_empty()) * 3,
                            (!rest.is_empty()).then(our_media),
                            out,
                        ),
                        b'a' => ua.answer(now, dialog, our_media(), out),
                        b'x' => ua.hang_up(now, dialog, Some(("Q.850", 16, "over")), out),
                        b'r' => ua.reject(now, dialog, 486, Some(9), None, out),
                        b'o' => ua.reoffer(now, dialog, our_media(), Direction::SendRecv, out),
                        b'h' => ua.hold(now, dialog, our_media(), out),
                        b'k' => Digit::from_event(5)
                            .is_some_and(|digit| ua.send_info_digit(now, dialog, digit, 100, out)),
                        _ => ua.transfer_result(now, dialog, 200, out),
                    };
                });
            }
            b'm' => self.hear(udp([127, 0, 0, 2]), rest),
            _ => {}
        }
    }

    fn hear(&mut self, flow: Flow, bytes: &[u8]) {
        let mut message = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|b| *b == b'$') {
            message.extend_from_slice(&rest[..at]);
            let named = NAMES.iter().position(|name| rest[at..].starts_with(name.as_bytes()));
            message.extend_from_slice(named.map_or(b"$", |n| self.last[n].as_bytes()));
            rest = &rest[at + named.map_or(1, |_| 2)..];
            if message.len() > LARGEST_MESSAGE {
                break;
            }
        }
        message.extend_from_slice(rest);
        message.truncate(LARGEST_MESSAGE);
        if flow.peer().ip() == SocketAddr::from(STRANGER).ip() {
            self.strangers.0 += message.len();
        }
        self.order(|ua, now, out| ua.receive(now, Packet { flow, bytes: &message }, out));
        // S30: an answer to a stranger is never longer than what he sent.
        assert!(self.strangers.1 <= self.strangers.0, "{:?} bytes from and to strangers", self.strangers);
    }

    fn order(&mut self, order: impl FnOnce(&mut Ua, Time, &mut Vec<Output>)) {
        let mut out = Vec::new();
        order(&mut self.ua, self.now, &mut out);
        assert!(out.len() < 1_000, "{} outputs of one input", out.len());
        for output in out {
            match output {
                Output::Send(sent) => self.said(sent.flow, &sent.bytes),
                Output::Event(Event::Invited { dialog, invite }) => {
                    assert!(!invite.sip_call_id.is_empty() && !invite.called.is_empty(), "{invite:?}");
                    self.open.insert(dialog);
                }
                Output::Event(Event::Ended { dialog, .. }) => {
                    self.open.remove(&dialog);
                }
                Output::Event(_) | Output::Close(_) => {}
            }
        }
        let Live { transactions, dialogs, registrations } = self.ua.live();
        // Farewells and registrations of ours may go a little beyond.
        assert!(transactions <= 260 && dialogs <= 20 && registrations <= 64, "{:?}", self.ua.live());
    }

    /// Every message of ours is one by our own reader, in one piece.
    fn said(&mut self, flow: Flow, bytes: &[u8]) {
        if flow.peer().ip() == SocketAddr::from(STRANGER).ip() {
            self.strangers.1 += bytes.len();
        }
        let text = Text::cut(bytes);
        assert!(!text.replaced, "our own message is not UTF-8");
        let (message, fits) = Message::read(&text);
        let shown = String::from_utf8_lossy(bytes);
        assert_eq!(fits, Ok(()), "our own message: {shown}");
        let message = message.expect("our own message");
        // A refusal repeats what could be read, and no more.
        let refusal = matches!(message.start, Start::Response { status: 400 | 413 | 505 | 513 });
        assert!(message.has(HeaderName::Via), "our own message: {shown}");
        assert!(refusal || message.has(HeaderName::CSeq), "our own message: {shown}");
        assert_eq!(message.lines_of(HeaderName::ContentLength).count(), 1, "our own message: {shown}");
        let tag = |name| {
            message.line(name).and_then(|value| value.rsplit_once(";tag=")).map(|(_, tag)| tag.to_owned())
        };
        let mut note = |n: usize, text: Option<String>| {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                self.last[n] = text;
            }
        };
        match message.start {
            Start::Response { .. } => note(0, tag(HeaderName::To)),
            Start::Request { .. } => {
                note(1, tag(HeaderName::From));
                let via = message.values(HeaderName::Via).next().and_then(|via| header::Via::parse(via).ok());
                note(2, via.and_then(|via| via.branch().map(str::to_owned)));
                note(3, message.line(HeaderName::CallId).map(str::to_owned));
            }
        }
        let challenge = message.line(HeaderName::WwwAuthenticate);
        let nonce = challenge
            .and_then(|value| header::AuthParams::parse(value).ok()?.get("nonce").map(|n| n.into_owned()));
        note(4, nonce);
    }

    fn pass(&mut self, by: Duration) {
        let until = self.now + by;
        for _ in 0..100_000 {
            let Some((at, why)) = self.ua.poll_timeout().filter(|(at, _)| *at <= until) else {
                self.now = until;
                return;
            };
            self.now = self.now.max(at);
            self.order(|ua, now, out| ua.handle_timeout(now, out));
            let moved = self.ua.poll_timeout().is_none_or(|(next, _)| next > self.now);
            assert!(moved, "a deadline that does not move on: {why}");
        }
        panic!("no end of deadlines");
    }

    /// Everybody hangs up; in two hours all has ended (S23).
    fn end(mut self) {
        for dialog in std::mem::take(&mut self.open) {
            self.order(|ua, now, out| {
                if !ua.reject(now, dialog, 480, None, None, out) {
                    ua.hang_up(now, dialog, None, out);
                }
            });
        }
        self.ua.reconfigure(UaConfig { peers: Vec::new(), ..two_trunks_and_a_phone() });
        self.pass(Duration::from_secs(2 * 3600));
        assert_eq!(self.ua.live(), Live::default(), "left over");
        assert_eq!(self.ua.poll_timeout(), None);
    }
}

fn our_media() -> LocalMedia {
    LocalMedia {
        addr: SocketAddr::from(([127, 0, 0, 1], 30_000)),
        codecs: vec![Codec::Pcma, Codec::Pcmu],
        sdp_session: 9,
    }
}
