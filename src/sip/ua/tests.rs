//! Stories of a user agent on a virtual clock: what a peer says, what it hears, what the owner is told.

use super::*;
use crate::media::seam::Codec;
use crate::sip::seam::{
    Credentials, Event, Peer, PeerKind, Registration, Strangers as StrangersRule, Transmit,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::sync::Arc;
use std::time::Duration;

const CALLER: &str = "127.0.0.2:5070";
const SDP: &str = "v=0\r\no=- 7 1 IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\nm=audio 20000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n";

fn config() -> UaConfig {
    let loopback = IpNet { addr: "127.0.0.0".parse().unwrap(), prefix: 29 };
    UaConfig {
        numbers: vec!["12341".into()],
        udp: vec!["127.0.0.1:5060".parse().unwrap()],
        tcp: Some("127.0.0.1:5060".parse().unwrap()),
        external: None,
        peers: vec![Peer {
            name: "city".into(),
            kind: PeerKind::Trunk,
            nets: vec![loopback],
            inbound: None,
            outbound: Some(Credentials {
                user: "12341".into(),
                password: "secret".into(),
                realm: Some("carrier".into()),
            }),
            trusted_identity: true,
            target: Some((CALLER.parse().unwrap(), false)),
            register: None,
            media_nets: Arc::from([loopback]),
        }],
        strangers: StrangersRule::Silent,
        realm: "hotline".into(),
        digest: vec![crate::sip::seam::Algorithm::Sha256, crate::sip::seam::Algorithm::Md5],
        t1: Duration::from_millis(500),
        t2: Duration::from_secs(4),
        t4: Duration::from_secs(5),
        min_se_s: 90,
        session_expires_s: 1800,
        codecs: vec![Codec::Pcma, Codec::Pcmu],
        user_agent: "hotline".into(),
        max_transactions: 10_000,
        max_dialogs: 1_000,
        stranger_answers_per_s: 5,
    }
}

fn media() -> LocalMedia {
    LocalMedia {
        addr: "127.0.0.1:30000".parse().unwrap(),
        codecs: vec![Codec::Pcma, Codec::Pcmu],
        sdp_session: 9,
    }
}

/// A user agent, the time, and everything it has said and told.
struct Line {
    ua: Ua,
    now: Time,
    sent: Vec<Transmit>,
    told: Vec<Event>,
    closed: usize,
}

impl Line {
    fn new(config: UaConfig) -> Self {
        let mut line = Self {
            ua: Ua::new(config, [7; 32]),
            now: Time::from_millis(10),
            sent: Vec::new(),
            told: Vec::new(),
            closed: 0,
        };
        line.pass(Duration::ZERO);
        line
    }

    fn take(&mut self, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Send(transmit) => self.sent.push(transmit),
                Output::Event(event) => self.told.push(event),
                Output::Close(_) => self.closed += 1,
            }
        }
    }

    fn hear_from(&mut self, flow: Flow, text: &str) {
        let mut out = Vec::new();
        self.ua.receive(self.now, Packet { flow, bytes: text.as_bytes() }, &mut out);
        self.take(out);
    }

    fn hear(&mut self, text: &str) {
        self.hear_from(Flow::Udp { socket: 0, peer: CALLER.parse().unwrap() }, text);
    }

    fn order<R>(&mut self, order: impl FnOnce(&mut Ua, Time, &mut Vec<Output>) -> R) -> R {
        let mut out = Vec::new();
        let result = order(&mut self.ua, self.now, &mut out);
        self.take(out);
        result
    }

    /// Lets time pass; every deadline is kept at its own moment.
    fn pass(&mut self, by: Duration) {
        let until = self.now + by;
        while let Some((at, _)) = self.ua.poll_timeout().filter(|(at, _)| *at <= until) {
            self.now = self.now.max(at);
            let mut out = Vec::new();
            self.ua.handle_timeout(self.now, &mut out);
            self.take(out);
        }
        self.now = until;
    }

    fn texts(&self) -> Vec<String> {
        self.sent.iter().map(|t| String::from_utf8_lossy(&t.bytes).into_owned()).collect()
    }

    /// The last message sent whose first line begins so.
    #[track_caller]
    fn said(&self, first: &str) -> String {
        self.texts()
            .into_iter()
            .rfind(|text| text.starts_with(first))
            .unwrap_or_else(|| panic!("{first:?} was not said:\n{}", self.texts().join("\n---\n")))
    }

    fn count(&self, first: &str) -> usize {
        self.texts().iter().filter(|text| text.starts_with(first)).count()
    }

    /// Requests of ours that begin so, without their retransmissions.
    fn asked(&self, first: &str) -> usize {
        self.texts().into_iter().filter(|text| text.starts_with(first)).collect::<BTreeSet<_>>().len()
    }

    fn ends(&self) -> Vec<DialogEnd> {
        let ended = |event: &Event| match event {
            Event::Ended { why, .. } => Some(*why),
            _ => None,
        };
        self.told.iter().filter_map(ended).collect()
    }

    fn invited(&self) -> DialogId {
        let invited = |event: &Event| match event {
            Event::Invited { dialog, .. } => Some(*dialog),
            _ => None,
        };
        self.told.iter().rev().find_map(invited).expect("an invitation was told")
    }

    /// A call that has been answered and confirmed.
    fn talking() -> (Self, DialogId, String) {
        let mut line = Self::new(config());
        line.hear(&invite(1, "a", SDP, ""));
        let dialog = line.invited();
        line.order(|ua, now, out| ua.answer(now, dialog, media(), out));
        let to = header(&line.said("SIP/2.0 200"), "To");
        line.hear(&request("ACK", 1, "a", &to, "", ""));
        (line, dialog, to)
    }

    /// We call, and the peer has answered.
    fn calling() -> (Self, DialogId, String) {
        let mut line = Self::new(config());
        let dialog = line
            .order(|ua, now, out| ua.invite(now, PeerId(0), "12000000001", "12341", media(), &[], out))
            .expect("a call");
        let invite = line.said("INVITE");
        line.hear(&answer(&invite, "200 OK", "theirs", SDP));
        (line, dialog, invite)
    }

    #[track_caller]
    fn assert_nothing_left(&mut self) {
        self.pass(Duration::from_secs(200));
        assert_eq!((self.ua.live().transactions, self.ua.live().dialogs), (0, 0), "{:?}", self.ua.live());
    }
}

fn header(text: &str, name: &str) -> String {
    let prefix = format!("{name}: ");
    let line =
        text.lines().find(|line| line.starts_with(&prefix)).unwrap_or_else(|| panic!("no {name} in\n{text}"));
    line[prefix.len()..].to_owned()
}

fn request(method: &str, cseq: u32, branch: &str, to: &str, body: &str, extra: &str) -> String {
    let to = if to.is_empty() { "<sip:12341@127.0.0.1>" } else { to };
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "{method} sip:12341@127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP {CALLER};branch=z9hG4bK{branch}{method}{cseq}\r\nFrom: <sip:12000000001@127.0.0.2>;tag=f\r\n\
         To: {to}\r\nCall-ID: story@test\r\nCSeq: {cseq} {method}\r\nContact: <sip:c@{CALLER}>\r\nMax-Forwards: 70\r\n{extra}{kind}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn invite(cseq: u32, branch: &str, sdp: &str, extra: &str) -> String {
    request("INVITE", cseq, branch, "", sdp, extra)
}

/// A peer's answer to a request of ours.
fn answer(asked: &str, status: &str, tag: &str, body: &str) -> String {
    let to = header(asked, "To");
    let to = if to.contains("tag=") { to } else { format!("{to};tag={tag}") };
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "SIP/2.0 {status}\r\nVia: {}\r\nFrom: {}\r\nTo: {to}\r\nCall-ID: {}\r\nCSeq: {}\r\nContact: <sip:{tag}@{CALLER}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
        header(asked, "Via"),
        header(asked, "From"),
        header(asked, "Call-ID"),
        header(asked, "CSeq"),
        body.len()
    )
}

#[test]
fn a_call_is_answered_confirmed_and_hung_up() {
    let (mut line, dialog, to) = Line::talking();
    assert_eq!(line.count("SIP/2.0 100"), 1);
    assert!(line.told.iter().any(|e| matches!(e, Event::Confirmed { dialog: d } if *d == dialog)));
    assert!(line.told.iter().any(|e| matches!(e, Event::Media { .. })));
    line.hear(&request("BYE", 2, "b", &to, "", ""));
    assert_eq!(line.count("SIP/2.0 200"), 2);
    assert_eq!(line.ends(), [DialogEnd::Bye { cause: None }]);
    // The same BYE again gets the same answer and ends nothing twice.
    let answer = line.sent.last().cloned();
    line.hear(&request("BYE", 2, "b", &to, "", ""));
    assert_eq!((line.count("SIP/2.0 200"), line.sent.last().cloned()), (3, answer));
    assert_eq!(line.ends().len(), 1);
    line.assert_nothing_left();
}

/// RFC 3261 13.3.1.4: the 200 again at T1, doubling to T2, until 64·T1; then BYE.
#[test]
fn a_missing_ack_repeats_the_200_for_32_seconds_and_ends_the_call() {
    let mut line = Line::new(config());
    line.hear(&invite(1, "a", SDP, ""));
    let dialog = line.invited();
    let began = line.now;
    line.order(|ua, now, out| ua.answer(now, dialog, media(), out));
    line.pass(Duration::from_millis(31_900));
    // 0, 0.5, 1.5, 3.5, 7.5, 11.5 … 31.5 s.
    assert_eq!(line.count("SIP/2.0 200"), 11);
    assert_eq!(line.count("BYE"), 0);
    line.pass(Duration::from_millis(200));
    assert!(line.said("BYE").contains("Reason: SIP;cause=408"), "{}", line.said("BYE"));
    assert_eq!(line.ends(), [DialogEnd::AckMissing]);
    assert!(line.now.since(began) >= Duration::from_secs(32));
    line.assert_nothing_left();
}

#[test]
fn the_same_invite_again_gets_the_same_answer_and_one_call() {
    let mut line = Line::new(config());
    let text = invite(1, "a", SDP, "");
    line.hear(&text);
    let first = line.sent.last().cloned();
    line.hear(&text);
    assert_eq!(line.sent.last().cloned(), first);
    assert_eq!(line.told.iter().filter(|e| matches!(e, Event::Invited { .. })).count(), 1);
}

#[test]
fn cancel_before_the_answer_ends_and_after_it_changes_nothing() {
    let mut line = Line::new(config());
    line.hear(&invite(1, "a", SDP, ""));
    let cancel = request("CANCEL", 1, "a", "", "", "").replace("z9hG4bKaCANCEL1", "z9hG4bKaINVITE1");
    line.hear(&cancel);
    assert_eq!((line.count("SIP/2.0 487"), line.count("SIP/2.0 200")), (1, 1));
    assert_eq!(line.ends(), [DialogEnd::Cancelled]);
    line.hear(
        &request("ACK", 1, "a", &header(&line.said("SIP/2.0 487"), "To"), "", "")
            .replace("z9hG4bKaACK1", "z9hG4bKaINVITE1"),
    );
    line.assert_nothing_left();

    let (mut line, ..) = Line::talking();
    line.hear(&cancel);
    assert_eq!(line.ends(), []);
    assert_eq!(line.count("SIP/2.0 487"), 0);
}

/// A re-INVITE on a leg that we began is the same call, and our answer carries our address.
#[test]
fn carrier_fault_10_a_reinvite_on_our_own_leg_is_the_same_call() {
    let (mut line, dialog, asked) = Line::calling();
    let (ours, theirs) = (header(&asked, "From"), format!("{};tag=theirs", header(&asked, "To")));
    let reinvite = format!(
        "INVITE sip:12341@127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP {CALLER};branch=z9hG4bKre\r\nFrom: {theirs}\r\nTo: {ours}\r\nCall-ID: {}\r\nCSeq: 5 INVITE\r\n\
         Contact: <sip:theirs@{CALLER}>\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}",
        header(&asked, "Call-ID"),
        SDP.len()
    );
    line.hear(&reinvite);
    let ok = line.said("SIP/2.0 200");
    assert!(ok.contains("c=IN IP4 127.0.0.1") && ok.contains("m=audio 30000"), "{ok}");
    assert!(!line.told.iter().any(|e| matches!(e, Event::Invited { .. })), "not a new call");
    assert!(line.ua.dialog_facts(dialog).is_some());
}

/// Both change the session at once: 491 each; the owner of the Call-ID tries again after 2.1 to 4 s, the other after 0 to 2 s.
#[test]
fn carrier_fault_11_glare_is_refused_both_ways_and_tried_again_apart() {
    let (mut line, dialog, to) = Line::talking();
    line.order(|ua, now, out| ua.hold(now, dialog, media(), out));
    let ours = line.said("INVITE");
    line.hear(&request("INVITE", 3, "g", &to, SDP, ""));
    assert_eq!(line.count("SIP/2.0 491"), 1);
    line.hear(&answer(&ours, "491 Request Pending", "f", ""));
    let before = line.asked("INVITE");
    line.pass(Duration::from_millis(2_050));
    assert_eq!(line.asked("INVITE"), before + 1, "the Call-ID is theirs: within 2 s");

    let (mut line, dialog, _) = Line::calling();
    line.order(|ua, now, out| ua.hold(now, dialog, media(), out));
    line.hear(&answer(&line.said("INVITE"), "491 Request Pending", "theirs", ""));
    let before = line.asked("INVITE");
    line.pass(Duration::from_millis(2_090));
    assert_eq!(line.asked("INVITE"), before, "the Call-ID is ours: not before 2.1 s");
    line.pass(Duration::from_millis(1_920));
    assert_eq!(line.asked("INVITE"), before + 1);
}

/// A 183 without a description is told as progress without media, so that the owner plays its own ringing.
#[test]
fn carrier_fault_14_progress_without_sound_is_told_as_such() {
    let mut line = Line::new(config());
    line.order(|ua, now, out| ua.invite(now, PeerId(0), "12000000001", "12341", media(), &[], out))
        .expect("a call");
    let asked = line.said("INVITE");
    line.hear(&answer(&asked, "183 Session Progress", "x", ""));
    assert!(line.told.iter().any(|e| matches!(e, Event::Progress { status: 183, .. })));
    assert!(!line.told.iter().any(|e| matches!(e, Event::Media { .. })));
    line.hear(&answer(&asked, "183 Session Progress", "x", SDP));
    assert!(
        line.told.iter().any(|e| matches!(e, Event::Media { .. })),
        "the sound's address is told when it comes"
    );
}

/// Branches a and b ring, b answers, and then c as well: the call is b's; c gets ACK and BYE.
#[test]
fn carrier_fault_15_forks_leave_one_call() {
    let mut line = Line::new(config());
    let dialog = line
        .order(|ua, now, out| ua.invite(now, PeerId(0), "12000000001", "12341", media(), &[], out))
        .expect("a call");
    let asked = line.said("INVITE");
    line.hear(&answer(&asked, "183 Session Progress", "a", SDP));
    line.hear(&answer(&asked, "183 Session Progress", "b", &SDP.replace("20000", "20100")));
    line.hear(&answer(&asked, "200 OK", "b", &SDP.replace("20000", "20100")));
    line.hear(&answer(&asked, "200 OK", "c", &SDP.replace("20000", "20200")));
    assert_eq!(line.count("ACK"), 2);
    let bye = line.said("BYE");
    assert!(header(&bye, "To").contains("tag=c"), "{bye}");
    let facts = line.ua.dialog_facts(dialog).expect("the call lives");
    assert_eq!(facts.remote_tag, "b");
    assert!(facts.remote_sdp.contains("20100"), "{}", facts.remote_sdp);
    assert_eq!(line.ends(), []);
}

#[test]
fn an_offerless_invite_gets_our_offer_and_needs_an_answer() {
    for (body, end) in [(SDP, None), ("", Some(DialogEnd::NoAnswerSdp))] {
        let mut line = Line::new(config());
        line.hear(&invite(1, "a", "", ""));
        let dialog = line.invited();
        line.order(|ua, now, out| ua.answer(now, dialog, media(), out));
        let ok = line.said("SIP/2.0 200");
        assert!(ok.contains("m=audio 30000") && ok.contains("telephone-event"), "{ok}");
        line.hear(&request("ACK", 1, "a", &header(&ok, "To"), body, ""));
        assert_eq!(line.ends().first().copied(), end);
        assert_eq!(line.told.iter().any(|e| matches!(e, Event::Media { .. })), end.is_none());
    }
}

#[test]
fn a_session_that_nobody_refreshes_ends_in_time() {
    let mut line = Line::new(config());
    line.hear(&invite(1, "a", SDP, "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n"));
    let dialog = line.invited();
    line.order(|ua, now, out| ua.answer(now, dialog, media(), out));
    let ok = line.said("SIP/2.0 200");
    assert!(header(&ok, "Session-Expires").starts_with("90"), "{ok}");
    line.hear(&request("ACK", 1, "a", &header(&ok, "To"), "", ""));
    line.pass(Duration::from_secs(50));
    line.hear(&request(
        "UPDATE",
        2,
        "u",
        &header(&ok, "To"),
        "",
        "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n",
    ));
    line.pass(Duration::from_secs(50));
    assert_eq!(line.ends(), [], "refreshed half way");
    line.pass(Duration::from_secs(41));
    assert_eq!(line.ends(), [DialogEnd::SessionExpired]);
    assert_eq!(line.asked("BYE"), 1);
}

#[test]
fn a_reliable_180_is_repeated_until_its_prack() {
    let mut line = Line::new(config());
    line.hear(&invite(1, "a", SDP, "Require: 100rel\r\nSupported: 100rel\r\n"));
    let dialog = line.invited();
    line.order(|ua, now, out| ua.progress(now, dialog, 180, None, out));
    let ringing = line.said("SIP/2.0 180");
    line.pass(Duration::from_millis(1_600));
    assert_eq!(line.count("SIP/2.0 180"), 3, "at 0, 0.5 and 1.5 s");
    let rack = format!("RAck: {} 1 INVITE\r\n", header(&ringing, "RSeq"));
    line.hear(&request("PRACK", 2, "p", &header(&ringing, "To"), "", &rack));
    line.pass(Duration::from_secs(10));
    assert_eq!((line.count("SIP/2.0 180"), line.count("SIP/2.0 200")), (3, 1));
    // Carrier fault 2: the same PRACK once more gets the same 200 once more.
    line.hear(&request("PRACK", 2, "p", &header(&ringing, "To"), "", &rack));
    assert_eq!(line.count("SIP/2.0 200"), 2);
}

#[test]
fn strangers_hear_nothing_and_cannot_end_calls() {
    let (mut line, dialog, to) = Line::talking();
    let stranger = Flow::Udp { socket: 0, peer: "192.0.2.66:5060".parse().unwrap() };
    let said = line.sent.len();
    line.hear_from(stranger, &invite(9, "s", SDP, ""));
    line.hear_from(stranger, &request("BYE", 9, "s", &to, "", ""));
    line.hear_from(stranger, "REGISTER sip:x SIP/2.0\r\n\r\n");
    assert_eq!(line.sent.len(), said);
    assert_eq!(line.ends(), []);
    assert!(line.ua.dialog_facts(dialog).is_some());
    let heard: u64 = line.ua.counters().dropped(Dropped::Stranger);
    assert!(heard >= 3, "each is counted: {heard}");
}

/// `attacks.md` S17, S30: five answers a second to one source, none longer than the question.
#[test]
fn a_stranger_that_is_refused_hears_five_answers_a_second() {
    let mut line = Line::new(UaConfig { strangers: StrangersRule::Forbid, ..config() });
    let stranger = Flow::Udp { socket: 0, peer: "192.0.2.66:5060".parse().unwrap() };
    let question = invite(9, "s", SDP, "").replace(CALLER, "192.0.2.66:5060");
    for _ in 0..100 {
        line.hear_from(stranger, &question);
    }
    assert_eq!(line.count("SIP/2.0 403"), 5);
    assert!(line.sent.iter().all(|t| t.bytes.len() <= question.len()));
    assert_eq!((line.ua.live().transactions, line.ua.live().dialogs), (0, 0), "nothing is kept of strangers");
}

#[test]
fn a_connection_lost_while_ringing_ends_the_call_and_later_does_not() {
    let flow = Flow::Tcp { conn: ConnId(4), peer: CALLER.parse().unwrap() };
    let mut line = Line::new(config());
    line.hear_from(flow, &invite(1, "a", SDP, "").replace("SIP/2.0/UDP", "SIP/2.0/TCP"));
    line.order(|ua, now, out| ua.connection_lost(now, ConnId(4), out));
    assert_eq!(line.ends(), [DialogEnd::TransportLost]);
    line.assert_nothing_left();

    let mut line = Line::new(config());
    line.hear_from(flow, &invite(1, "a", SDP, "").replace("SIP/2.0/UDP", "SIP/2.0/TCP"));
    let dialog = line.invited();
    line.order(|ua, now, out| ua.answer(now, dialog, media(), out));
    let to = header(&line.said("SIP/2.0 200"), "To");
    line.hear_from(flow, &request("ACK", 1, "a", &to, "", ""));
    line.order(|ua, now, out| ua.connection_lost(now, ConnId(4), out));
    assert_eq!(line.ends(), []);
    line.order(|ua, now, out| ua.hang_up(now, dialog, None, out));
    assert!(matches!(line.sent.last().expect("BYE").flow, Flow::TcpTo { .. }));
}

#[test]
fn an_invite_with_replaces_takes_the_call_over() {
    let (mut line, old, to) = Line::talking();
    let tag = to.rsplit("tag=").next().unwrap_or_default().to_owned();
    let extra = format!("Replaces: story@test;to-tag={tag};from-tag=f\r\n");
    line.hear(
        &invite(1, "n", SDP, &extra)
            .replace("story@test\r\nCSeq", "second@test\r\nCSeq")
            .replace(";tag=f\r", ";tag=n\r"),
    );
    let new = line.invited();
    assert_ne!(new, old);
    line.order(|ua, now, out| ua.answer(now, new, media(), out));
    assert_eq!(line.ends(), [DialogEnd::Replaced]);
    assert_eq!(line.count("BYE"), 1);
    // Somebody else's tags name nothing (`attacks.md` S21).
    line.hear(
        &invite(1, "m", SDP, "Replaces: story@test;to-tag=guess;from-tag=f\r\n")
            .replace("story@test\r\nCSeq", "third@test\r\nCSeq"),
    );
    assert_eq!(line.count("SIP/2.0 481"), 1);
}

#[test]
fn a_trunk_that_challenges_gets_its_password_once() {
    let mut line = Line::new(config());
    line.order(|ua, now, out| ua.invite(now, PeerId(0), "12000000001", "12341", media(), &[], out))
        .expect("a call");
    for n in 0..4 {
        let asked = line.said("INVITE");
        let challenge = answer(&asked, "401 Unauthorized", "x", "")
            .replace("Content-Length", &format!("WWW-Authenticate: Digest realm=\"carrier\", nonce=\"n{n}\", algorithm=SHA-256, qop=\"auth\"\r\nContent-Length"));
        line.hear(&challenge);
    }
    // `attacks.md` S15: at most one more for `stale`.
    assert_eq!(line.count("INVITE"), 2);
    assert!(line.said("INVITE").contains("username=\"12341\""));
    assert!(matches!(line.ends()[..], [DialogEnd::Failed { status: 401 }]));

    // `attacks.md` S16: another realm's challenge learns nothing.
    let mut line = Line::new(config());
    line.order(|ua, now, out| ua.invite(now, PeerId(0), "12000000001", "12341", media(), &[], out))
        .expect("a call");
    let asked = line.said("INVITE");
    line.hear(&answer(&asked, "401 Unauthorized", "x", "").replace(
        "Content-Length",
        "WWW-Authenticate: Digest realm=\"thief\", nonce=\"n\"\r\nContent-Length",
    ));
    assert_eq!(line.count("INVITE"), 1);
}

#[test]
fn a_registration_is_made_renewed_and_told() {
    let mut with = config();
    with.peers[0].register = Some(Registration {
        aor: "sip:12341@carrier".into(),
        registrar: "carrier".into(),
        expires: Duration::from_secs(600),
    });
    let mut line = Line::new(with);
    let asked = line.said("REGISTER");
    line.hear(&answer(&asked, "401 Unauthorized", "x", "").replace(
        "Content-Length",
        "WWW-Authenticate: Digest realm=\"carrier\", nonce=\"n\", qop=\"auth\"\r\nContent-Length",
    ));
    let asked = line.said("REGISTER");
    assert!(asked.contains("Authorization: Digest"), "{asked}");
    line.hear(&answer(&asked, "200 OK", "x", "").replace("Content-Length", "Expires: 600\r\nContent-Length"));
    assert!(line.told.iter().any(|e| matches!(e, Event::TrunkRegistration { ok: true, .. })));
    let before = line.count("REGISTER");
    line.pass(Duration::from_secs(599));
    assert!(line.count("REGISTER") > before, "renewed before it ends");
}

/// `attacks.md` S24: one Call-ID, a thousand branches: one call, the others are merged requests.
#[test]
fn a_thousand_copies_by_other_paths_are_one_call() {
    let mut line = Line::new(config());
    for n in 0..1_000 {
        line.hear(&invite(1, &format!("p{n}"), SDP, ""));
    }
    assert_eq!(line.told.iter().filter(|e| matches!(e, Event::Invited { .. })).count(), 1);
    assert!(line.count("SIP/2.0 482") > 900, "{}", line.count("SIP/2.0 482"));
}

#[test]
fn a_cseq_of_another_method_is_refused() {
    let mut line = Line::new(config());
    line.hear(&request("OPTIONS", 1, "o", "", "", "").replace("1 OPTIONS", "1 INVITE"));
    assert_eq!(line.count("SIP/2.0 400"), 1);
    assert!(!line.told.iter().any(|e| matches!(e, Event::Invited { .. })));
}

/// Whatever comes: no panic, bounded answers, and nothing is left when the timers have run out.
#[test]
fn mutated_messages_do_no_harm() {
    let seed = std::env::var("SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1_u64);
    println!("SEED={seed}");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (_, _, to) = Line::talking();
    let models = [
        invite(
            1,
            "a",
            SDP,
            "Require: 100rel\r\nSession-Expires: 90;refresher=uas\r\nDiversion: <sip:1@x>;reason=no-answer\r\n",
        ),
        request("BYE", 2, "b", &to, "", "Reason: Q.850;cause=16\r\n"),
        request("INVITE", 3, "c", &to, SDP, "P-Asserted-Identity: <tel:+861>, <sip:2@x>\r\nPrivacy: id\r\n"),
        request("UPDATE", 4, "d", &to, SDP, ""),
        request("INFO", 5, "e", &to, "Signal=1\r\nDuration=100\r\n", "")
            .replace("application/sdp", "application/dtmf-relay"),
        request("CANCEL", 1, "a", "", "", ""),
        request("PRACK", 6, "f", &to, "", "RAck: 1 1 INVITE\r\n"),
        request("REFER", 7, "g", &to, "", "Refer-To: <sip:9@x?Replaces=a%3Bto-tag%3Db>\r\n"),
        request("REGISTER", 8, "h", "", "", "Authorization: Digest username=\"8001\", realm=\"hotline\"\r\n"),
    ];
    for _ in 0..400 {
        let mut line = Line::new(config());
        for _ in 0..12 {
            let mut bytes = models[rng.next_u64() as usize % models.len()].clone().into_bytes();
            for _ in 0..rng.next_u64() % 6 {
                let at = rng.next_u64() as usize % bytes.len().max(1);
                if at >= bytes.len() {
                    break;
                }
                match rng.next_u64() % 5 {
                    0 => bytes[at] = rng.next_u64() as u8,
                    1 => drop(bytes.remove(at)),
                    2 => bytes.insert(at, b"\r\n:;,<>\"@ 0"[rng.next_u64() as usize % 11]),
                    3 => bytes.truncate(at.max(1)),
                    _ => {
                        let piece: Vec<u8> = bytes[at..].iter().take(30).copied().collect();
                        bytes.splice(at..at, piece);
                    }
                }
            }
            let mut out = Vec::new();
            let flow = Flow::Udp { socket: 0, peer: CALLER.parse().unwrap() };
            line.ua.receive(line.now, Packet { flow, bytes: &bytes }, &mut out);
            assert!(out.len() <= 8, "{} outputs for one message, SEED={seed}", out.len());
            line.take(out);
            if rng.next_u64() % 3 == 0 && line.told.iter().any(|e| matches!(e, Event::Invited { .. })) {
                let dialog = line.invited();
                line.order(|ua, now, out| ua.answer(now, dialog, media(), out));
            }
            line.pass(Duration::from_millis(rng.next_u64() % 2_000));
        }
        // Owners answer or refuse every call: what is still ringing is refused here.
        for event in line.told.clone() {
            if let Event::Invited { dialog, .. } = event {
                line.order(|ua, now, out| ua.hang_up(now, dialog, None, out));
            }
        }
        line.pass(Duration::from_secs(4_000));
        assert_eq!((line.ua.live().transactions, line.ua.live().dialogs), (0, 0), "SEED={seed}");
    }
}

/// Signalling attacks, by their ids.
#[path = "attack_tests.rs"]
mod attacks;

#[path = "reach_tests.rs"]
mod reached;
