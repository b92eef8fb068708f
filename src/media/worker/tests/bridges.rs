//! Legs that hear each other, on real sockets: each peer says a tone of its own, and what each hears is measured.

use super::*;
use crate::media::seam::{BridgeId, Member};

/// A peer's tone, by its number; whole periods fit into 20 ms, so the frames of a tone are all alike.
const TONES: [f64; 4] = [400.0, 700.0, 1050.0, 1400.0];

struct Peer {
    leg: LegId,
    socket: UdpSocket,
    us: SocketAddr,
    tone: Vec<u8>,
    heard: Vec<u8>,
}

/// Power of one frequency, relative to a full-scale sine.
fn power(samples: &[u8], hz: f64) -> f64 {
    let turn = 2.0 * (std::f64::consts::TAU * hz / 8000.0).cos();
    let (mut a, mut b) = (0.0, 0.0);
    for byte in samples {
        let sample = f64::from(g711::decode(Codec::Pcma, *byte)) / 32_768.0;
        (a, b) = (sample + turn * a - b, a);
    }
    4.0 * (a * a + b * b - turn * a * b) / (samples.len() * samples.len()) as f64
}

impl Peer {
    fn new(room: &mut Room, n: usize) -> Self {
        let (rtp, rtcp) = (UdpSocket::bind((LOCAL, 0)).unwrap(), UdpSocket::bind((LOCAL, 0)).unwrap());
        let us = rtp.local_addr().unwrap();
        room.worker.add_port(us.port(), rtp, rtcp);
        room.port = us.port();
        let socket = peer();
        socket.set_nonblocking(true).unwrap();
        room.open(n as u64, &socket, Some(101));
        let sample = |i: usize| (TONES[n] * i as f64 / 8000.0 * std::f64::consts::TAU).sin() * 6000.0;
        let tone = (0..160).map(|i| g711::encode(Codec::Pcma, sample(i) as i16)).collect();
        Self { leg: LegId(n as u64), socket, us, tone, heard: Vec::new() }
    }

    /// Which tones are in the second half of what it heard since the last time; `None`: too little came, the machine stood still.
    fn tones(&mut self) -> Option<Vec<usize>> {
        let heard = std::mem::take(&mut self.heard);
        let half = &heard[heard.len() / 2..];
        (half.len() >= 3200).then(|| (0..TONES.len()).filter(|n| power(half, TONES[*n]) > 0.005).collect())
    }
}

/// Everyone says his tone and listens, 20 ms at a time from the `from`th on.
fn talk(peers: &mut [Peer], from: u16, frames: u16) -> u16 {
    let began = Instant::now();
    for n in from..from + frames {
        for peer in &mut *peers {
            say(&peer.socket, peer.us, n, 8, 160 * u32::from(n), &peer.tone);
            let mut bytes = [0; 2000];
            while let Ok(length) = peer.socket.recv(&mut bytes) {
                peer.heard.extend(rtp::read(&bytes[..length]).unwrap().payload);
            }
        }
        std::thread::sleep(
            (Duration::from_millis(20) * u32::from(n - from + 1)).saturating_sub(began.elapsed()),
        );
    }
    from + frames
}

/// Talks until each hears what he should, at most so often: a machine with other work stands still for a second now and then, and
/// nobody hears anybody then.
#[track_caller]
fn each_hears(peers: &mut [Peer], mut at: u16, want: &[Vec<usize>], what: &str) -> u16 {
    let want: Vec<_> = want.iter().cloned().map(Some).collect();
    let mut heard = Vec::new();
    for _ in 0..12 {
        at = talk(peers, at, 60);
        heard = peers.iter_mut().map(Peer::tones).collect();
        if heard == want {
            return at;
        }
    }
    panic!("{what}: {heard:?}, not {want:?}");
}

/// Samples of a recording's channel as the bytes that `power` takes.
fn bytes_of(channel: &[i16]) -> Vec<u8> {
    channel.iter().map(|sample| g711::encode(Codec::Pcma, *sample)).collect()
}

fn matrix(room: &mut Room, peers: &[Peer], hears: &[u16]) {
    let members = peers.iter().zip(hears).map(|(peer, hears)| Member { leg: peer.leg, hears: *hears });
    room.order(Order::Bridge { bridge: BridgeId(1), members: members.collect() });
}

#[test]
fn two_legs_hear_each_other_byte_by_byte_and_nobody_himself() {
    let dir = tempfile::tempdir().unwrap();
    let mut room = Room::new(dir.path(), vec![]);
    let mut peers: Vec<Peer> = (0..2).map(|n| Peer::new(&mut room, n)).collect();
    let at = each_hears(&mut peers, 0, &[vec![], vec![]], "not bridged");
    matrix(&mut room, &peers, &[0b10, 0b01]);
    let said = [peers[1].tone.clone(), peers[0].tone.clone()];
    let same = |peer: &Peer, said: &[u8]| peer.heard.chunks(160).filter(|frame| *frame == said).count();
    let mut at = at;
    let as_said = (0..12).any(|_| {
        peers.iter_mut().for_each(|peer| peer.heard.clear());
        at = talk(&mut peers, at, 50);
        peers.iter().zip(&said).all(|(peer, said)| same(peer, said) >= 35)
    });
    assert!(as_said, "never 35 frames of 50 came as they were said");
    let at = each_hears(&mut peers, at, &[vec![1], vec![0]], "bridged");
    room.order(Order::Bridge { bridge: BridgeId(1), members: Box::new([]) });
    each_hears(&mut peers, at, &[vec![], vec![]], "dissolved");
    room.worker.stop();
    room.recorder.stop();
}

/// Caller, agent, lead and a colleague: whispers, wrong orders, a leg that ends, one that goes elsewhere, and the recording.
#[test]
fn a_call_is_whispered_into_loses_a_leg_and_loses_its_agent_to_a_colleague() {
    let dir = tempfile::tempdir().unwrap();
    let mut room = Room::new(dir.path(), vec![]);
    let mut peers: Vec<Peer> = (0..4).map(|n| Peer::new(&mut room, n)).collect();
    room.order(Order::Record { leg: peers[0].leg, recording: RecordingId(0xB) });
    matrix(&mut room, &peers[..3], &[0b010, 0b101, 0b011]);
    let at = each_hears(&mut peers, 0, &[vec![1], vec![0, 2], vec![0, 1], vec![]], "whispered into");
    // Refused whole: a leg that is not there, a leg twice, too many.
    let member = |leg: u64| Member { leg: LegId(leg), hears: u16::MAX };
    for members in [vec![member(0), member(9)], vec![member(3), member(3)], (0..13).map(member).collect()] {
        assert!(!room.worker.order(Order::Bridge { bridge: BridgeId(1), members: members.into() }));
    }
    let at = each_hears(
        &mut peers,
        at,
        &[vec![1], vec![0, 2], vec![0, 1], vec![]],
        "after orders that were refused",
    );
    room.order(Order::Close { leg: peers[2].leg });
    room.wait("Closed", |e| matches!(e, Event::Closed { leg: LegId(2), .. }));
    peers.remove(2);
    let at = each_hears(&mut peers, at, &[vec![1], vec![0], vec![]], "without the lead");
    let elsewhere =
        Box::new([Member { leg: peers[2].leg, hears: 0b10 }, Member { leg: peers[1].leg, hears: 0b01 }]);
    room.order(Order::Bridge { bridge: BridgeId(2), members: elsewhere });
    let consults = usize::from(at) + 15;
    each_hears(&mut peers, at, &[vec![], vec![3], vec![1]], "the agent consults");
    room.order(Order::Close { leg: peers[0].leg });
    room.wait("RecordingEnded", |e| matches!(e, Event::RecordingEnded { failed: false, .. }));
    let counted = |what: &str, room: &Room| {
        room.worker.counters().iter().find(|(name, _)| *name == what).map_or(0, |(_, n)| *n)
    };
    assert!(counted("bridge_frames", &room) > 200, "{:?}", room.worker.counters());
    room.worker.stop();
    room.recorder.stop();
    let channels = read(dir.path(), 0xB);
    let of = |channel: usize, from: usize| {
        let part = bytes_of(&channels[channel][from * 160..(from + 40) * 160]);
        (0..TONES.len()).filter(|n| power(&part, TONES[*n]) > 0.005).collect::<Vec<_>>()
    };
    assert_eq!(
        (of(0, 60), of(1, 60)),
        (vec![0], vec![1]),
        "the caller's side, and what he heard: no whisper"
    );
    assert_eq!((of(0, consults), of(1, consults)), (vec![0], vec![]), "while the agent consults");
}
