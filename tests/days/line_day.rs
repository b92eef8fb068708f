//! A day of the user agent alone, with an owner that orders anything at any time: calls both ways, reliable answers, changes of
//! ours, forks, transfers, streams that break. An engine asks for a part of that only; the machines must bear all of it.

use crate::day::Faults;
use crate::peer::{self, Care, Deed, Peer, Words, draw};
use hotline::base::{Digit, Time};
use hotline::media::seam::{Codec, IpNet};
use hotline::sip::Ua;
use hotline::sip::seam::{
    Credentials, DialogId, Direction, Event, Flow, LocalMedia, Output, Packet, PeerId, PeerKind,
};
use hotline::sip::seam::{Peer as PeerFacts, UaConfig};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// What the owner may order.
#[derive(Clone, Copy, Debug)]
enum Order {
    Progress,
    EarlyMedia,
    Answer,
    Reject,
    HangUp,
    Hold,
    Resume,
    Key,
    Transferred,
}

enum Happening {
    ToUa { flow: Flow, bytes: Vec<u8> },
    ToPeer { n: usize, text: String },
    Say { n: usize, bytes: Vec<u8> },
    Dial { n: usize, replaces: Option<usize> },
    Call { n: usize },
    Deed { n: usize, deed: Deed },
    Order { n: usize, order: Order },
    Calm,
    EveryoneOut,
}

/// The peers' own deeds and the owner's orders for one session, in milliseconds after its INVITE.
struct Plan {
    deeds: Vec<(u64, Deed)>,
    orders: Vec<(u64, Order)>,
}

pub struct LineDay {
    now: Time,
    pub ua: Ua,
    rng: ChaCha8Rng,
    faults: Faults,
    heap: BinaryHeap<Reverse<(Time, u64)>>,
    events: BTreeMap<u64, Happening>,
    tick: u64,
    peers: Vec<Peer>,
    plans: Vec<Option<Plan>>,
    dialogs: BTreeMap<usize, DialogId>,
    by_call_id: BTreeMap<String, usize>,
    /// Sessions the owner knows of, and whether it has been told their end.
    pub told: BTreeMap<DialogId, bool>,
    out: Vec<Output>,
    pub trace: u64,
}

/// Calls begin within this.
const DIALLING_MS: u64 = 600_000;
/// Then everything is hung up that is still there.
const OUT_MS: u64 = 1_500_000;

impl LineDay {
    pub fn new(seed: u64, calls: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x11e5);
        let faults = Faults {
            lost: draw(&mut rng, 60) as u32,
            doubled: 20 + draw(&mut rng, 100) as u32,
            jitter_ms: draw(&mut rng, 300),
            disk_stall_ms: 0,
        };
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let mut day = Self {
            now: Time::from_millis(1),
            ua: Ua::new(config(), bytes),
            rng,
            faults,
            heap: BinaryHeap::new(),
            events: BTreeMap::new(),
            tick: 0,
            peers: Vec::new(),
            plans: Vec::new(),
            dialogs: BTreeMap::new(),
            by_call_id: BTreeMap::new(),
            told: BTreeMap::new(),
            out: Vec::new(),
            trace: 0xcbf2_9ce4_8422_2325,
        };
        for n in 0..calls {
            let at = Time::from_millis(10 + day.draw(DIALLING_MS));
            let happening = match day.draw(2) {
                0 => Happening::Call { n },
                _ => Happening::Dial { n, replaces: None },
            };
            let flow = match (n % 3, &happening) {
                (1, Happening::Call { .. }) => Flow::TcpTo { peer: target(1) },
                (kind, Happening::Call { .. }) => Flow::Udp { socket: 0, peer: target(kind) },
                _ => Flow::Udp { socket: 0, peer: peer::address(n) },
            };
            let mut peer = Peer::caller(n, flow);
            if flow.is_reliable() || matches!(happening, Happening::Dial { .. }) && day.draw(2) == 0 {
                peer.move_to_stream();
            }
            day.admit(peer);
            day.at(at, happening);
        }
        day.at(Time::from_millis(OUT_MS), Happening::EveryoneOut);
        day.at(Time::from_millis(OUT_MS), Happening::Calm);
        day
    }

    fn admit(&mut self, mut peer: Peer) {
        peer.care =
            [Care::Mostly, Care::Mostly, Care::Mostly, Care::Seldom, Care::Never][self.draw(5) as usize];
        self.by_call_id.insert(peer.call_id.clone(), peer.n);
        self.peers.push(peer);
        let plan = self.plan();
        self.plans.push(Some(plan));
    }

    /// Everything within a moment, or spread over minutes; some do nothing at all.
    fn plan(&mut self) -> Plan {
        let within = [300, 3_000, 40_000, 150_000, 700_000][self.draw(5) as usize];
        let (mut deeds, mut orders) = (Vec::new(), Vec::new());
        for _ in 0..[0, 2, 6, 14][self.draw(4) as usize] {
            let deed = match self.draw(26) {
                0 | 1 => Deed::Ask("INVITE"),
                2 => Deed::AskOffer,
                3 | 4 => Deed::Ask("UPDATE"),
                5 => Deed::Ask("PRACK"),
                6 => Deed::Ask("INFO"),
                7 | 8 => Deed::Ask("REFER"),
                9 => Deed::Ask("OPTIONS"),
                10 => Deed::Ask(["NOTIFY", "MESSAGE", "FOO"][self.draw(3) as usize]),
                11 | 12 => Deed::Ask("BYE"),
                13..16 => Deed::Cancel,
                16 | 17 => Deed::Repeat,
                18 => Deed::RepeatInvite,
                19 | 20 => Deed::Ack,
                21 => Deed::AskByStream,
                22 | 23 => Deed::Cut,
                _ => Deed::Replace,
            };
            let at = self.draw(within);
            deeds.push((at, deed));
            // A CANCEL is most of a CANCEL right after the INVITE.
            if deed == Deed::AskOffer || deed == Deed::Ask("INVITE") && self.draw(3) == 0 {
                deeds.push((at + self.draw(50), Deed::Cancel));
            }
        }
        if self.draw(8) > 0 {
            let slow = [1, 800, 6_000, 70_000, 130_000][self.draw(5) as usize];
            for _ in 0..self.draw(4) {
                let order = if self.draw(2) == 0 { Order::Progress } else { Order::EarlyMedia };
                orders.push((self.draw(slow), order));
            }
            let order = if self.draw(8) == 0 { Order::Reject } else { Order::Answer };
            orders.push((slow, order));
        }
        for _ in 0..[0, 0, 3, 8][self.draw(4) as usize] {
            let order = match self.draw(10) {
                0 => Order::Progress,
                1 => Order::EarlyMedia,
                2 => Order::Answer,
                3 => Order::Reject,
                4 => Order::HangUp,
                5 => Order::Hold,
                6 => Order::Resume,
                7 | 8 => Order::Key,
                _ => Order::Transferred,
            };
            let at = self.draw(within);
            orders.push((at, order));
            // One that goes while something of his is in the air.
            if matches!(order, Order::Key | Order::Hold) && self.draw(2) == 0 {
                orders.push((at + self.draw(600), Order::HangUp));
            }
            // A stream that breaks under a request of ours, before its first answer or after.
            if matches!(order, Order::Key | Order::Hold | Order::HangUp) && self.draw(4) == 0 {
                let after = [1, 1, 5_000][self.draw(3) as usize];
                deeds.push((at + 1 + self.draw(after), Deed::Cut));
            }
        }
        if self.draw(10) == 0 {
            // He hangs up on one who has not acknowledged, and who changes his mind twice.
            orders.extend([(1, Order::Answer), (self.draw(400), Order::HangUp)]);
            deeds.extend([(900, Deed::Ask("INVITE")), (900 + self.draw(600), Deed::Cancel)]);
        }
        Plan { deeds, orders }
    }

    fn draw(&mut self, below: u64) -> u64 {
        draw(&mut self.rng, below)
    }

    /// Runs until nothing is left to come.
    pub fn run(&mut self) {
        loop {
            let heap = self.heap.peek().map(|Reverse((at, _))| *at);
            let ua = self.ua.poll_timeout().map(|(at, _)| at);
            let Some(next) = [heap, ua].into_iter().flatten().min() else { break };
            assert!(next < Time::from_millis(4 * OUT_MS), "it never comes to rest");
            self.now = self.now.max(next);
            if heap == Some(next) {
                self.happen();
            } else {
                let mut out = std::mem::take(&mut self.out);
                self.ua.handle_timeout(self.now, &mut out);
                self.carry_out(out);
            }
        }
    }

    fn happen(&mut self) {
        let Some(Reverse((_, tick))) = self.heap.pop() else { return };
        let Some(happening) = self.events.remove(&tick) else { return };
        match happening {
            Happening::ToUa { flow, bytes } => {
                self.step(|ua, now, out| ua.receive(now, Packet { flow, bytes: &bytes }, out));
            }
            Happening::ToPeer { n, text } => {
                let words = self.peers[n].hear(&mut self.rng, &text);
                self.say(n, words);
            }
            Happening::Say { n, bytes } => self.send(n, bytes),
            Happening::Dial { n, replaces } => {
                let line = replaces.and_then(|old| self.peers[old].replaces());
                let bytes = self.peers[n].dial(&mut self.rng, line.as_deref());
                self.send(n, bytes.clone());
                // Without an answer it says it again.
                let again = 500 + self.draw(3_000);
                self.say(n, vec![(again, bytes)]);
                self.begin(n);
            }
            Happening::Call { n } => self.call(n),
            Happening::Deed { n, deed } => self.deed(n, deed),
            Happening::Order { n, order } => self.order(n, order),
            Happening::Calm => self.faults = Faults::NONE,
            Happening::EveryoneOut => {
                let live: Vec<DialogId> =
                    self.told.iter().filter(|(_, over)| !**over).map(|(dialog, _)| *dialog).collect();
                for dialog in live {
                    self.step(|ua, now, out| {
                        // False when it is leaving already.
                        let _ = ua.hang_up(now, dialog, None, out);
                    });
                }
            }
        }
    }

    fn begin(&mut self, n: usize) {
        let Some(plan) = self.plans[n].take() else { return };
        for (after, deed) in plan.deeds {
            self.later(after, Happening::Deed { n, deed });
        }
        for (after, order) in plan.orders {
            self.later(after, Happening::Order { n, order });
        }
    }

    /// We call it.
    fn call(&mut self, n: usize) {
        let media = media(n);
        let peer = PeerId((n % 3) as u16);
        let mut out = std::mem::take(&mut self.out);
        let made = self.ua.invite(self.now, peer, "8001", "12341", media, &[], &mut out);
        let dialog = made.expect("the peer has an address, and there is room");
        let call_id = self.ua.dialog_facts(dialog).expect("it has just begun").sip_call_id;
        self.by_call_id.insert(call_id.clone(), n);
        self.peers[n].is_called(call_id);
        self.know(n, dialog);
        self.carry_out(out);
        self.begin(n);
    }

    fn know(&mut self, n: usize, dialog: DialogId) {
        self.dialogs.insert(n, dialog);
        assert!(self.told.insert(dialog, false).is_none(), "{dialog:?} is told twice");
    }

    fn deed(&mut self, n: usize, deed: Deed) {
        match deed {
            Deed::Cut => {
                if let Flow::Tcp { conn, .. } = self.peers[n].flow {
                    self.step(|ua, now, out| ua.connection_lost(now, conn, out));
                    self.peers[n].move_to_stream();
                }
            }
            Deed::Replace => {
                let twin = self.peers.len();
                // From the same peer, or it has no say.
                let mut peer = Peer::caller(twin, self.peers[n].flow);
                if peer.by_stream() {
                    peer.move_to_stream();
                }
                self.admit(peer);
                self.later(0, Happening::Dial { n: twin, replaces: Some(n) });
            }
            _ => {
                if let Some(bytes) = self.peers[n].act(&mut self.rng, deed) {
                    self.send(n, bytes);
                }
            }
        }
    }

    fn order(&mut self, n: usize, order: Order) {
        let Some(dialog) = self.dialogs.get(&n).copied() else { return };
        let media = media(n);
        self.step(|ua, now, out| {
            // False when it does not fit: the owner may be late.
            let _ = match order {
                Order::Progress => ua.progress(now, dialog, 180, None, out),
                Order::EarlyMedia => ua.progress(now, dialog, 183, Some(media), out),
                Order::Answer => ua.answer(now, dialog, media, out),
                Order::Reject => ua.reject(now, dialog, 486, None, None, out),
                Order::HangUp => ua.hang_up(now, dialog, Some(("Q.850", 16, "done")), out),
                Order::Hold => ua.hold(now, dialog, media, out),
                Order::Resume => ua.reoffer(now, dialog, media, Direction::SendRecv, out),
                Order::Key => {
                    let key = Digit::from_char('5').expect("a key");
                    ua.send_info_digit(now, dialog, key, 160, out)
                }
                Order::Transferred => ua.transfer_result(now, dialog, 200, out),
            };
        });
    }

    fn step(&mut self, what: impl FnOnce(&mut Ua, Time, &mut Vec<Output>)) {
        let mut out = std::mem::take(&mut self.out);
        what(&mut self.ua, self.now, &mut out);
        self.carry_out(out);
    }

    fn carry_out(&mut self, mut out: Vec<Output>) {
        for output in out.drain(..) {
            match output {
                Output::Send(transmit) => {
                    self.remember(&transmit.bytes);
                    let text = String::from_utf8_lossy(&transmit.bytes).into_owned();
                    let Some(n) = peer::call_id(&text).and_then(|id| self.by_call_id.get(id)).copied() else {
                        continue;
                    };
                    let (copies, delay) = self.luck(transmit.flow.is_reliable());
                    for _ in 0..copies {
                        self.later(delay, Happening::ToPeer { n, text: text.clone() });
                    }
                }
                Output::Close(_) => {}
                Output::Event(event) => self.event(event),
            }
        }
        self.out = out;
    }

    fn event(&mut self, event: Event) {
        let dialog = match &event {
            Event::Invited { dialog, invite } => {
                let n = self.by_call_id.get(&invite.sip_call_id).copied().expect("a caller of this day");
                self.know(n, *dialog);
                return;
            }
            Event::Ended { dialog, .. } => {
                let over = self.told.insert(*dialog, true);
                assert_eq!(over, Some(false), "{dialog:?} ends once");
                return;
            }
            Event::Confirmed { dialog }
            | Event::Media { dialog, .. }
            | Event::Info { dialog, .. }
            | Event::Referred { dialog, .. }
            | Event::Progress { dialog, .. }
            | Event::Answered { dialog }
            | Event::DialogFacts { dialog, .. } => *dialog,
            Event::Registered { .. } | Event::TrunkRegistration { .. } => return,
        };
        assert_eq!(self.told.get(&dialog), Some(&false), "{event:?} after the end");
    }

    fn say(&mut self, n: usize, words: Words) {
        for (after, bytes) in words {
            if after == 0 {
                self.send(n, bytes);
            } else {
                self.later(after, Happening::Say { n, bytes });
            }
        }
    }

    fn send(&mut self, n: usize, bytes: Vec<u8>) {
        let flow = self.peers[n].flow;
        let (copies, delay) = self.luck(flow.is_reliable());
        for _ in 0..copies {
            self.later(delay, Happening::ToUa { flow, bytes: bytes.clone() });
        }
    }

    /// How many copies arrive, and after how long. A connection loses nothing and keeps its order.
    fn luck(&mut self, reliable: bool) -> (u32, u64) {
        if reliable {
            return (1, 1);
        }
        let copies = match self.draw(1000) as u32 {
            roll if roll < self.faults.lost => 0,
            roll if roll < self.faults.lost + self.faults.doubled => 2,
            _ => 1,
        };
        let jitter = self.faults.jitter_ms;
        (copies, 1 + self.draw(1 + jitter))
    }

    fn later(&mut self, after_ms: u64, happening: Happening) {
        self.at(self.now + Duration::from_millis(after_ms), happening);
    }

    fn at(&mut self, at: Time, happening: Happening) {
        self.tick += 1;
        self.events.insert(self.tick, happening);
        self.heap.push(Reverse((at, self.tick)));
    }

    fn remember(&mut self, bytes: &[u8]) {
        let now = self.now.as_nanos().to_le_bytes();
        for byte in now.iter().chain(bytes) {
            self.trace = (self.trace ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// Where a peer of this kind is called: a trunk by datagrams, one by a stream, a phone.
fn target(kind: usize) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 2 + kind as u8], 5060))
}

fn media(n: usize) -> LocalMedia {
    LocalMedia {
        addr: SocketAddr::from(([127, 0, 0, 1], 30_000 + (n % 10_000) as u16)),
        codecs: vec![Codec::Pcma, Codec::Pcmu],
        sdp_session: n as u64 + 1,
    }
}

fn config() -> UaConfig {
    let facts = |kind: usize| {
        let nets = vec![IpNet { addr: target(kind).ip(), prefix: 32 }];
        PeerFacts {
            name: ["by datagram", "by stream", "phone"][kind].into(),
            kind: if kind == 2 { PeerKind::Phone } else { PeerKind::Trunk },
            nets: nets.clone(),
            inbound: None,
            outbound: Some(Credentials {
                user: "12341".into(),
                password: "secret".into(),
                realm: Some("carrier".into()),
            }),
            trusted_identity: true,
            target: Some((target(kind), kind == 1)),
            register: None,
            media_nets: Arc::from(nets),
        }
    };
    UaConfig {
        tcp: Some(SocketAddr::from(([127, 0, 0, 1], 5060))),
        peers: (0..3).map(facts).collect(),
        ..crate::setup_engine::ua()
    }
}
