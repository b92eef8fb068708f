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

    /// Which tones are in the second half of what it heard since the last time.
    fn tones(&mut self) -> Vec<usize> {
        let heard = std::mem::take(&mut self.heard);
        let half = &heard[heard.len() / 2..];
        assert!(half.len() >= 3200, "{} samples came", half.len());
        (0..TONES.len()).filter(|n| power(half, TONES[*n]) > 0.005).collect()
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

fn matrix(room: &mut Room, peers: &[Peer], hears: &[u16]) {
    let members = peers.iter().zip(hears).map(|(peer, hears)| Member { leg: peer.leg, hears: *hears });
    room.order(Order::Bridge { bridge: BridgeId(1), members: members.collect() });
}

#[test]
fn two_legs_hear_each_other_byte_by_byte_and_nobody_himself() {
    let dir = tempfile::tempdir().unwrap();
    let mut room = Room::new(dir.path(), vec![]);
    let mut peers: Vec<Peer> = (0..2).map(|n| Peer::new(&mut room, n)).collect();
    let at = talk(&mut peers, 0, 50);
    assert_eq!((peers[0].tones(), peers[1].tones()), (vec![], vec![]), "not bridged");
    matrix(&mut room, &peers, &[0b10, 0b01]);
    let at = talk(&mut peers, at, 50);
    let said = [peers[1].tone.clone(), peers[0].tone.clone()];
    for (peer, said) in peers.iter().zip(&said) {
        let same = peer.heard.chunks(160).filter(|frame| frame == said).count();
        assert!(same >= 35, "{same} frames of 50 came as they were said");
    }
    assert_eq!((peers[0].tones(), peers[1].tones()), (vec![1], vec![0]));
    room.order(Order::Bridge { bridge: BridgeId(1), members: Box::new([]) });
    talk(&mut peers, at, 50);
    assert_eq!((peers[0].tones(), peers[1].tones()), (vec![], vec![]), "dissolved");
    room.worker.stop();
    room.recorder.stop();
}
