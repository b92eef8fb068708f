//! Whose packets are the call's: the rules against bleeding and injection (`attacks.md` M1, M2, M8, M10).
//!
//! ```text
//!            the address in SDP speaks                       another stream of the same address, 3 in sequence,
//!          ┌───────────────────────────▶ Locked ◀──────────┐ the old one silent for 50 ms
//!  Open ───┤  an allowed address, 3 packets │  └───────────┘
//!          └──in sequence of one SSRC──▶ Locked (learned) ──SDP's own address, 3 in sequence──▶ Locked
//!                                             └── 3 s of silence, then an allowed address, 3 in sequence ──▶ Locked (learned)
//! ```
//!
//! Always: sound goes to one address only; a packet that is not from the locked address, of the locked SSRC and within the
//! window of sequence numbers is dropped before anything looks at its sound, and changes nothing but a counter.

use super::rtp::Packet;
use super::seam::{IpNet, Session};
use crate::base::Time;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Packets in sequence that prove a source.
const PROOF: u8 = 3;
/// A stream that stopped for so long has made room for another of the same address.
const STREAM_GONE: Duration = Duration::from_millis(50);
/// A source that stopped for so long has moved.
const SOURCE_GONE: Duration = Duration::from_secs(3);
/// The same soon after a later offer and answer, when a move is likely.
const SOURCE_GONE_SOON: Duration = Duration::from_millis(200);
const SOON: Duration = Duration::from_secs(2);
/// An allowed address that is not the SDP's own waits so long for that one.
const OWN_FIRST: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub struct Source {
    remote: Option<SocketAddr>,
    nets: Arc<[IpNet]>,
    symmetric: bool,
    /// Since when this offer and answer holds, and whether it followed another.
    since: Time,
    renewed: bool,
    lock: Option<Lock>,
    candidate: Option<Candidate>,
}

#[derive(Clone, Copy, Debug)]
struct Lock {
    from: SocketAddr,
    ssrc: u32,
    last: Time,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    from: SocketAddr,
    ssrc: u32,
    next_seq: u16,
    count: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Of the stream we listen to.
    Ours,
    /// The first of a stream we listen to from now on; from the address we already send to.
    NewStream,
    /// The same, from an address that we send to from now on.
    Moved(SocketAddr),
    Foreign,
}

impl Source {
    pub fn new(now: Time, session: &Session) -> Self {
        Self {
            remote: session.remote,
            nets: Arc::clone(&session.media_nets),
            symmetric: session.symmetric,
            since: now,
            renewed: false,
            lock: None,
            candidate: None,
        }
    }

    /// A new offer and answer. Another address is listened to afresh; the same one keeps its stream.
    pub fn update(&mut self, now: Time, session: &Session) {
        // A hold without an address says nothing of where the sound comes from afterwards.
        if session.remote.is_some() && session.remote != self.remote {
            self.lock = None;
            self.remote = session.remote;
        }
        self.nets = Arc::clone(&session.media_nets);
        self.symmetric = session.symmetric;
        self.since = now;
        self.renewed = true;
        self.candidate = None;
    }

    /// Where sound goes: the learned address, or the SDP's.
    pub fn target(&self) -> Option<SocketAddr> {
        self.lock.map(|lock| lock.from).or(self.remote)
    }

    /// Has the address we send to sent anything itself?
    pub fn is_proven(&self) -> bool {
        self.lock.is_some()
    }

    /// SSRC of the stream we listen to.
    pub fn ssrc(&self) -> Option<u32> {
        self.lock.map(|lock| lock.ssrc)
    }

    /// May this address send us reports? RTCP comes from another port, behind NAT from any.
    pub fn may_report(&self, from: IpAddr) -> bool {
        match (self.lock, self.remote) {
            (Some(lock), _) => lock.from.ip() == from,
            (None, Some(remote)) => remote.ip() == from,
            (None, None) => false,
        }
    }

    /// Judges one packet. `fits`: its sequence number is within the window of the locked stream.
    pub fn judge(&mut self, now: Time, from: SocketAddr, packet: &Packet<'_>, fits: bool) -> Verdict {
        if !self.is_allowed(from) {
            return Verdict::Foreign;
        }
        let Some(lock) = &mut self.lock else { return self.first(now, from, packet) };
        if from == lock.from && packet.ssrc == lock.ssrc && fits {
            lock.last = lock.last.max(now);
            return Verdict::Ours;
        }
        let silent = now.since(lock.last);
        let may_take_over = if from == lock.from {
            silent >= STREAM_GONE
        } else if Some(from) == self.remote {
            true
        } else {
            let soon = self.renewed && now.since(self.since) < SOON;
            self.symmetric && silent >= if soon { SOURCE_GONE_SOON } else { SOURCE_GONE }
        };
        let before = lock.from;
        if !self.is_proven_by(from, packet) || !may_take_over {
            return Verdict::Foreign;
        }
        self.lock_on(now, from, packet.ssrc);
        if from == before { Verdict::NewStream } else { Verdict::Moved(from) }
    }

    fn first(&mut self, now: Time, from: SocketAddr, packet: &Packet<'_>) -> Verdict {
        if Some(from) == self.remote {
            self.lock_on(now, from, packet.ssrc);
            return Verdict::NewStream;
        }
        let own = self.remote.is_some_and(|remote| remote.ip() == from.ip());
        let early = !own && now.since(self.since) < OWN_FIRST;
        if !self.symmetric || early || !self.is_proven_by(from, packet) {
            return Verdict::Foreign;
        }
        self.lock_on(now, from, packet.ssrc);
        Verdict::Moved(from)
    }

    fn is_allowed(&self, from: SocketAddr) -> bool {
        self.remote.is_some_and(|remote| remote.ip() == from.ip())
            || self.lock.is_some_and(|lock| lock.from == from)
            || self.nets.iter().any(|net| net.contains(from.ip()))
    }

    fn is_proven_by(&mut self, from: SocketAddr, packet: &Packet<'_>) -> bool {
        let next_seq = packet.seq.wrapping_add(1);
        match &mut self.candidate {
            Some(c) if c.from == from && c.ssrc == packet.ssrc && c.next_seq == packet.seq => {
                c.count = c.count.saturating_add(1);
                c.next_seq = next_seq;
                c.count >= PROOF
            }
            other => {
                *other = Some(Candidate { from, ssrc: packet.ssrc, next_seq, count: 1 });
                false
            }
        }
    }

    fn lock_on(&mut self, now: Time, from: SocketAddr, ssrc: u32) {
        self.lock = Some(Lock { from, ssrc, last: now });
        self.candidate = None;
    }
}

/// Packets to an address that has not proved that it wants them: 5 s of sound, then one a second.
#[derive(Clone, Copy, Debug, Default)]
pub struct Aim {
    unasked: u32,
}

const UNASKED: u32 = 250;
const EVERY: u32 = 50;

impl Aim {
    /// May the next packet go? Told for each one that would.
    pub fn may_send(&mut self, trusted: bool) -> bool {
        if trusted {
            return true;
        }
        self.unasked = self.unasked.saturating_add(1);
        self.unasked <= UNASKED || self.unasked.is_multiple_of(EVERY)
    }
    pub fn reset(&mut self) {
        self.unasked = 0;
    }
}

/// What of the world a leg may not be pointed at.
#[derive(Clone, Debug)]
pub struct Local {
    /// The address our sockets are bound to.
    pub bound: IpAddr,
    /// Our own media ports, first and last.
    pub ports: (u16, u16),
}

impl Local {
    /// Never to many at once, to nobody, to ourselves; to loopback only where we live there or the trunk does.
    pub fn may_aim_at(&self, to: SocketAddr, nets: &[IpNet]) -> bool {
        let ip = to.ip();
        let many = match ip {
            IpAddr::V4(v4) => v4.is_broadcast() || v4.is_multicast(),
            IpAddr::V6(v6) => v6.is_multicast(),
        };
        if many || ip.is_unspecified() || to.port() == 0 {
            return false;
        }
        let ours = ip == self.bound || (self.bound.is_unspecified() && ip.is_loopback());
        if ours && (self.ports.0..=self.ports.1).contains(&to.port()) {
            return false;
        }
        let here = self.bound.is_loopback() || (self.bound.is_unspecified() && nets.is_empty());
        !ip.is_loopback() || here || nets.iter().any(|net| net.contains(ip))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::seam::Codec;

    const PEER: &str = "192.0.2.1:4000";
    const SAME_HOST: &str = "192.0.2.1:5000";
    const SAME_HOST_2: &str = "192.0.2.1:5002";
    const NET: &str = "198.51.100.9:6000";
    const STRANGER: &str = "203.0.113.1:4000";

    fn session() -> Session {
        Session {
            remote: Some(PEER.parse().unwrap()),
            remote_rtcp: None,
            codec: Codec::Pcma,
            send_pt: 8,
            recv_pt: 8,
            event_pt: Some(101),
            send_event_pt: Some(101),
            may_send: true,
            may_receive: true,
            symmetric: true,
            media_nets: Arc::from([IpNet { addr: "198.51.100.0".parse().unwrap(), prefix: 24 }]),
        }
    }

    struct Case {
        source: Source,
        now: u64,
    }

    impl Case {
        fn new() -> Self {
            Self { source: Source::new(Time::ZERO, &session()), now: 0 }
        }
        fn at(&mut self, ms: u64) -> &mut Self {
            self.now = ms;
            self
        }
        /// `count` packets 20 ms apart; the last verdict.
        fn hears(&mut self, from: &str, ssrc: u32, seq: u16, count: u16) -> Verdict {
            let mut last = Verdict::Foreign;
            for n in 0..count {
                let packet = Packet {
                    marker: false,
                    payload_type: 8,
                    seq: seq.wrapping_add(n),
                    timestamp: 0,
                    ssrc,
                    payload: &[],
                };
                let fits = self.source.ssrc() == Some(ssrc) && seq < 10_000;
                last = self.source.judge(Time::from_millis(self.now), from.parse().unwrap(), &packet, fits);
                self.now += 20;
            }
            last
        }
        fn target(&self) -> String {
            self.source.target().map(|to| to.to_string()).unwrap_or_default()
        }
    }

    fn moved(to: &str) -> Verdict {
        Verdict::Moved(to.parse().unwrap())
    }

    #[test]
    fn a_stranger_gets_nothing_before_during_and_after() {
        let mut case = Case::new();
        assert_eq!(case.hears(STRANGER, 9, 1, 100), Verdict::Foreign);
        assert_eq!(case.target(), PEER);
        assert_eq!(case.hears(PEER, 1, 1, 1), Verdict::NewStream);
        assert_eq!(case.hears(STRANGER, 1, 2, 100), Verdict::Foreign);
        assert_eq!(case.at(60_000).hears(STRANGER, 1, 2, 100), Verdict::Foreign);
        assert_eq!(case.target(), PEER);
    }

    #[test]
    fn another_port_of_the_same_host_is_learned_after_three_in_sequence() {
        let mut case = Case::new();
        assert_eq!(case.hears(SAME_HOST, 1, 1, 2), Verdict::Foreign);
        assert_eq!(case.hears(SAME_HOST, 1, 5, 2), Verdict::Foreign);
        assert_eq!(case.hears(SAME_HOST, 1, 7, 1), moved(SAME_HOST));
        assert_eq!(case.hears(SAME_HOST, 1, 8, 1), Verdict::Ours);
        assert_eq!(case.target(), SAME_HOST);
        assert_eq!(case.hears(SAME_HOST_2, 2, 1, 100), Verdict::Foreign, "then it is locked");
    }

    #[test]
    fn the_address_in_sdp_outranks_a_learned_one() {
        let mut case = Case::new();
        case.hears(SAME_HOST, 1, 1, 3);
        assert_eq!(case.hears(PEER, 2, 1, 2), Verdict::Foreign);
        assert_eq!(case.hears(PEER, 2, 3, 1), moved(PEER));
    }

    #[test]
    fn a_listed_network_waits_for_the_named_address_first() {
        let mut case = Case::new();
        assert_eq!(case.hears(NET, 1, 1, 40), Verdict::Foreign);
        assert_eq!(case.at(2000).hears(NET, 1, 41, 3), moved(NET));
        let mut other = Case::new();
        other.hears(PEER, 1, 1, 5);
        assert_eq!(other.at(300).hears(NET, 2, 1, 30), Verdict::Foreign);
    }

    #[test]
    fn silence_and_proof_move_a_call_behind_nat() {
        let mut case = Case::new();
        case.hears(PEER, 1, 1, 5);
        assert_eq!(case.at(1000).hears(SAME_HOST, 1, 6, 50), Verdict::Foreign);
        assert_eq!(case.at(3200).hears(SAME_HOST, 1, 60, 3), moved(SAME_HOST));
    }

    #[test]
    fn a_new_stream_needs_the_old_one_to_stop() {
        let mut case = Case::new();
        case.hears(PEER, 1, 1, 5);
        assert_eq!(case.hears(PEER, 2, 100, 2), Verdict::Foreign);
        assert_eq!(case.hears(PEER, 2, 102, 1), Verdict::NewStream);
        for n in 0..50 {
            assert_eq!(case.hears(PEER, 2, 103 + n, 1), Verdict::Ours);
            assert_eq!(case.hears(PEER, 7, 500 + n, 1), Verdict::Foreign, "spoofed into a stream that runs");
        }
        assert_eq!(case.hears(PEER, 2, 20_000, 3), Verdict::NewStream, "a counter that jumped");
    }

    #[test]
    fn an_answer_opens_learning_again() {
        let mut case = Case::new();
        case.hears(PEER, 1, 1, 5);
        let mut other = session();
        other.remote = Some("192.0.2.7:4000".parse().unwrap());
        case.source.update(Time::from_millis(500), &other);
        assert_eq!(case.target(), "192.0.2.7:4000");
        assert_eq!(case.at(520).hears("192.0.2.7:4000", 1, 6, 1), Verdict::NewStream);
        let mut held = session();
        held.remote = None;
        case.source.update(Time::from_millis(600), &held);
        assert_eq!(case.at(620).hears("192.0.2.7:4000", 1, 7, 1), Verdict::Ours, "a hold forgets nothing");
    }

    #[test]
    fn a_bystander_gets_five_seconds_and_then_a_trickle() {
        let mut aim = Aim::default();
        let sent = (0..60 * 50).filter(|_| aim.may_send(false)).count();
        assert!(sent <= 250 + 55, "{sent}");
        assert!(aim.may_send(true));
    }

    #[test]
    fn nothing_is_aimed_at_many_at_nobody_or_at_ourselves() {
        let at = |bound: &str| Local { bound: bound.parse().unwrap(), ports: (20_000, 29_999) };
        let net = |text: &str| IpNet { addr: text.parse().unwrap(), prefix: 8 };
        for (bound, to, nets, may) in [
            ("192.0.2.9", "192.0.2.1:4000", vec![], true),
            ("192.0.2.9", "224.0.0.1:4000", vec![], false),
            ("192.0.2.9", "255.255.255.255:4000", vec![], false),
            ("192.0.2.9", "0.0.0.0:4000", vec![], false),
            ("192.0.2.9", "192.0.2.1:0", vec![], false),
            ("192.0.2.9", "192.0.2.9:20000", vec![], false),
            ("192.0.2.9", "192.0.2.9:5000", vec![], true),
            ("192.0.2.9", "127.0.0.1:5000", vec![], false),
            ("0.0.0.0", "127.0.0.1:5000", vec![net("10.0.0.0")], false),
            ("0.0.0.0", "127.0.0.1:5000", vec![net("127.0.0.0")], true),
            ("127.0.0.1", "127.0.0.2:20002", vec![], true),
            ("127.0.0.1", "127.0.0.1:20002", vec![], false),
            ("::", "ff02::1", vec![], false),
        ] {
            let to = if to.starts_with("ff") { format!("[{to}]:4000") } else { to.to_owned() };
            assert_eq!(at(bound).may_aim_at(to.parse().unwrap(), &nets), may, "{bound} → {to}");
        }
    }
}
