//! The RTP of the SIPp scenarios, as pcap files: written by [`all`], committed under `sipp-scenarios/pcap/`.
//!
//! SIPp's `play_pcap_audio` sends the UDP payloads with the file's own timing and puts its own addresses around them.

use super::audio::alaw;
use std::f64::consts::TAU;

/// One RTP packet of a file, `at_ms` from its first.
struct Packet {
    at_ms: u32,
    marker: bool,
    payload_type: u8,
    timestamp: u32,
    payload: Vec<u8>,
}

/// Every file that a scenario plays, by name.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    let press = |ends, first| event(1, 101, 8_000, 0, true, ends, first);
    let mut twice = press(3, true);
    twice.extend(event(1, 101, 8_000 + 4_000, 500, true, 3, true));
    vec![
        ("digit-1.pcap", file(press(3, true))),
        ("digit-1-one-end.pcap", file(press(1, true))),
        ("digit-1-no-end.pcap", file(press(0, true))),
        ("digit-1-twice.pcap", file(twice)),
        ("digit-1-no-marker.pcap", file(event(1, 101, 8_000, 0, false, 3, true))),
        ("digit-1-pt96.pcap", file(event(1, 96, 8_000, 0, true, 3, true))),
        ("tones-1.pcap", file(tones(697.0, 1209.0))),
        ("sound-2s.pcap", file(sound(&[(20, 100)]))),
        ("ptime-20-40-20-30.pcap", file(sound(&[(20, 25), (40, 12), (20, 25), (30, 16)]))),
        ("comfort-noise-3s.pcap", file(comfort_noise(15))),
    ]
}

/// One key as RFC 4733 events: 160 ms of updates every 20 ms, then `ends` copies of the end packet.
fn event(
    key: u8,
    payload_type: u8,
    timestamp: u32,
    at_ms: u32,
    marker: bool,
    ends: u32,
    whole: bool,
) -> Vec<Packet> {
    let updates = if whole { 8 } else { 4 };
    let packet = |n: u32, duration: u32, end: bool| Packet {
        at_ms: at_ms + n * 20,
        marker: marker && n == 0,
        payload_type,
        timestamp,
        payload: vec![key, if end { 0x8a } else { 0x0a }, (duration >> 8) as u8, duration as u8],
    };
    let begun = (0..updates).map(|n| packet(n, (n + 1) * 160, false));
    let ended = (0..ends).map(|n| packet(updates + n, updates * 160, true));
    begun.chain(ended).collect()
}

/// 200 ms of silence, 120 ms of two tones at −9 and −7 dBm0, 400 ms of silence.
fn tones(low: f64, high: f64) -> Vec<Packet> {
    let samples = (0..720 * 8).map(|n| {
        let t = f64::from(n) / 8_000.0;
        let on = (1_600..1_600 + 960).contains(&n);
        if on { (TAU * low * t).sin() * 8_000.0 + (TAU * high * t).sin() * 10_000.0 } else { 0.0 }
    });
    let encoded: Vec<u8> = samples.map(|s| alaw::encode(s as i16)).collect();
    packets(&encoded, std::iter::repeat(20))
}

/// A tone that sweeps slowly, in packets of the given lengths: `(ms, how many)`.
fn sound(plan: &[(u32, usize)]) -> Vec<Packet> {
    let total_ms: u32 = plan.iter().map(|(ms, n)| ms * *n as u32).sum();
    let encoded: Vec<u8> = sweep(total_ms).map(alaw::encode).collect();
    packets(&encoded, plan.iter().flat_map(|(ms, n)| std::iter::repeat_n(*ms, *n)))
}

/// The sound itself, before it is coded.
pub fn sweep(total_ms: u32) -> impl Iterator<Item = i16> {
    (0..total_ms * 8).map(|n| {
        let t = f64::from(n) / 8_000.0;
        // Louder and softer twice a second, so that its place in a recording is one.
        let loud = 0.6 + 0.4 * (TAU * 2.0 * t).sin();
        ((TAU * (300.0 + 100.0 * t) * t).sin() * 9_000.0 * loud) as i16
    })
}

/// RFC 3389 comfort noise, one byte of level, every 200 ms.
fn comfort_noise(count: u32) -> Vec<Packet> {
    (0..count)
        .map(|n| Packet {
            at_ms: n * 200,
            marker: n == 0,
            payload_type: 13,
            timestamp: 8_000 + n * 1_600,
            payload: vec![70],
        })
        .collect()
}

fn packets(encoded: &[u8], lengths_ms: impl Iterator<Item = u32>) -> Vec<Packet> {
    let (mut at, mut made) = (0_usize, Vec::new());
    for ms in lengths_ms {
        let end = at + ms as usize * 8;
        let Some(payload) = encoded.get(at..end) else { break };
        let timestamp = 8_000 + at as u32;
        made.push(Packet {
            at_ms: at as u32 / 8,
            marker: at == 0,
            payload_type: 8,
            timestamp,
            payload: payload.to_vec(),
        });
        at = end;
    }
    made
}

/// Classic pcap, little endian, microseconds, link type Ethernet.
fn file(packets: Vec<Packet>) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(0xa1b2_c3d4_u32.to_le_bytes());
    out.extend([2, 0, 4, 0]);
    out.extend([0; 8]);
    out.extend(65_535_u32.to_le_bytes());
    out.extend(1_u32.to_le_bytes());
    for (n, packet) in packets.iter().enumerate() {
        let frame = frame(100 + n as u16, packet);
        let us = u64::from(packet.at_ms) * 1_000;
        out.extend(((us / 1_000_000) as u32).to_le_bytes());
        out.extend(((us % 1_000_000) as u32).to_le_bytes());
        out.extend((frame.len() as u32).to_le_bytes());
        out.extend((frame.len() as u32).to_le_bytes());
        out.extend(frame);
    }
    out
}

/// Ethernet, IPv4, UDP, RTP. Checksums are zero: only the UDP payload is ever sent.
fn frame(sequence: u16, packet: &Packet) -> Vec<u8> {
    let rtp_len = 12 + packet.payload.len() as u16;
    let mut out = vec![0; 12];
    out.extend([0x08, 0x00]);
    out.extend([0x45, 0]);
    out.extend((28 + rtp_len).to_be_bytes());
    out.extend([0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
    out.extend(6_000_u16.to_be_bytes());
    out.extend(6_002_u16.to_be_bytes());
    out.extend((8 + rtp_len).to_be_bytes());
    out.extend([0, 0]);
    out.extend([0x80, packet.payload_type | if packet.marker { 0x80 } else { 0 }]);
    out.extend(sequence.to_be_bytes());
    out.extend(packet.timestamp.to_be_bytes());
    out.extend(0x1234_5678_u32.to_be_bytes());
    out.extend(&packet.payload);
    out
}
