//! Legs in virtual time: bytes and moments in, packets, frames and news out.

use super::*;
use crate::media::g711;
use crate::media::rtcp;
use crate::media::seam::{ClipId, Codec, IpNet, Piece, PlayId, RecordingGap};
use crate::media::take::What;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::sync::Arc;

const PEER: &str = "192.0.2.1:4000";
const STRANGER: &str = "203.0.113.1:4000";
const SSRC: u32 = 99;

#[derive(Default)]
struct Notes {
    told: Vec<Told>,
    frames: Vec<Frame>,
    sent: Vec<(SocketAddr, Socket, Vec<u8>)>,
}

impl Sink for Notes {
    fn tell(&mut self, event: Told) {
        self.told.push(event);
    }
    fn record(&mut self, frame: Frame) -> bool {
        self.frames.push(frame);
        true
    }
    fn send(&mut self, to: SocketAddr, socket: Socket, bytes: &[u8]) {
        self.sent.push((to, socket, bytes.to_vec()));
    }
}

struct World {
    leg: Leg,
    notes: Notes,
    prompts: Prompts,
    local: Local,
    now: Time,
    seq: u16,
}

fn session() -> Box<Session> {
    Box::new(Session {
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
        media_nets: Arc::from([]),
    })
}

fn rtp(payload_type: u8, seq: u16, timestamp: u32, ssrc: u32, payload: &[u8]) -> Vec<u8> {
    let mut head = [0; HEADER];
    rtp::write(&mut head, false, payload_type, seq, timestamp, ssrc);
    [&head[..], payload].concat()
}

impl World {
    fn with(session: Box<Session>) -> Self {
        let prompts = Prompts::build(vec![("tone".into(), vec![8000; 800])]);
        let local = Local { bound: "192.0.2.200".parse().unwrap(), ports: (20_000, 29_999) };
        let now = Time::from_millis(5_000);
        let env = Env { now, prompts: &prompts, local: &local, ntp_zero: 3_900_000_000 << 32 };
        let leg = Leg::open(&env, LegId(1), SSRC, session);
        Self { leg, notes: Notes::default(), prompts, local, now, seq: 0 }
    }
    fn new() -> Self {
        Self::with(session())
    }
    fn on<T>(&mut self, act: impl FnOnce(&mut Leg, &Env<'_>, &mut Notes) -> T) -> T {
        let env =
            Env { now: self.now, prompts: &self.prompts, local: &self.local, ntp_zero: 3_900_000_000 << 32 };
        act(&mut self.leg, &env, &mut self.notes)
    }
    fn hear(&mut self, from: &str, bytes: &[u8]) {
        self.on(|leg, env, notes| leg.packet(env, env.now, from.parse().unwrap(), bytes, notes));
    }
    /// The peer's next packet.
    fn say(&mut self, payload_type: u8, timestamp: u32, payload: &[u8]) {
        self.seq = self.seq.wrapping_add(1);
        self.hear(PEER, &rtp(payload_type, self.seq, timestamp, 1, payload));
    }
    fn tick(&mut self, periods: u32) {
        self.on(|leg, env, notes| leg.tick(env, periods, periods > 1, notes));
        self.now = self.now + Duration::from_millis(20);
    }
    fn ticks(&mut self, count: u32) {
        (0..count).for_each(|_| self.tick(1));
    }
    fn rtp_to(&self, to: &str) -> usize {
        self.notes
            .sent
            .iter()
            .filter(|(at, socket, _)| *socket == Socket::Rtp && at.to_string() == to)
            .count()
    }
    fn events(&self) -> Vec<&Event> {
        self.notes
            .told
            .iter()
            .filter_map(|told| if let Told::Event(event) = told { Some(event) } else { None })
            .collect()
    }
    fn stats(&mut self) -> Stats {
        self.leg.stats()
    }
}

#[test]
fn packets_of_every_odd_shape_are_dropped_and_counted() {
    let good = rtp(8, 1, 0, 1, &[0xD5; 160]);
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    let mut shapes: Vec<Vec<u8>> = (0..12).map(|cut| good[..cut].to_vec()).collect();
    shapes.extend([with(0, 0), with(0, 0x40), with(0, 0xC0), with(0, 0x8F)[..60].to_vec(), with(0, 0xA0)]);
    // Types never negotiated, some of them real codecs.
    shapes.extend([0, 3, 9, 18, 34, 96, 100, 102, 127].map(|pt| with(1, pt)));
    shapes.push(rtp(8, 1, 0, 1, &[0; 1601]));
    let mut bomb = with(0, 0x90);
    (bomb[14], bomb[15]) = (0xFF, 0xFF);
    shapes.push(bomb);
    shapes.extend([vec![0; 1500], vec![0xFF; 1500], b"OPTIONS sip:x SIP/2.0\r\n\r\n".to_vec()]);
    assert!(shapes.len() >= 30);
    let mut world = World::new();
    for shape in &shapes {
        // An empty datagram of RTCP's type counts as one of it, and is as foreign.
        world.hear(PEER, shape);
    }
    let stats = world.stats();
    assert_eq!((stats.foreign_packets, stats.received_packets), (shapes.len() as u64, 0));
    assert!(world.notes.told.is_empty());
    world.say(8, 0, &[]);
    world.say(8, 160, &[0xD5; 160]);
    assert_eq!(world.stats().received_packets, 2, "an empty payload is harmless");
}

#[test]
fn a_bystander_named_in_sdp_gets_no_more_than_300_packets_a_minute() {
    let mut named = session();
    named.media_nets = Arc::from([IpNet { addr: "198.51.100.0".parse().unwrap(), prefix: 24 }]);
    let mut world = World::with(named);
    world.ticks(60 * 50);
    let sent = world.rtp_to(PEER);
    assert!((250..=310).contains(&sent), "{sent}");
    let before = sent;
    world.say(8, 0, &[0xD5; 160]);
    world.ticks(50);
    assert_eq!(world.rtp_to(PEER) - before, 50, "whoever speaks is spoken to");
}

#[test]
fn nothing_goes_to_many_to_nobody_or_to_a_peer_on_hold() {
    for to in ["224.0.0.5:4000", "255.255.255.255:4000", "192.0.2.200:20000", "127.0.0.1:4000"] {
        let mut named = session();
        named.remote = Some(to.parse().unwrap());
        let mut world = World::with(named);
        world.ticks(300);
        assert_eq!(world.notes.sent, [], "{to}");
    }
    let mut world = World::new();
    world.ticks(10);
    let mut held = session();
    held.remote = None;
    held.may_send = false;
    world.on(|leg, env, notes| leg.update(env, held, notes));
    let play = Box::new([Piece::Clip(ClipId(0))]);
    world.leg.playlist().play(PlayId(3), play);
    world.ticks(300);
    assert_eq!(world.notes.sent.len(), 10);
    assert!(world.events().contains(&&Event::Finished { leg: LegId(1), play: PlayId(3) }), "a walk goes on");
    world.on(|leg, env, notes| leg.update(env, session(), notes));
    world.ticks(10);
    assert_eq!(world.rtp_to(PEER), 20);
}

#[test]
fn a_late_tick_makes_up_for_two_frames_and_no_more() {
    let mut world = World::new();
    world.tick(1);
    for (periods, sent) in [(1, 1), (2, 2), (25, 2), (1, 1)] {
        let before = world.notes.sent.len();
        world.tick(periods);
        assert_eq!(world.notes.sent.len() - before, sent, "{periods} periods");
    }
    let stamps: Vec<u32> = world.notes.sent.iter().map(|(_, _, b)| rtp::read(b).unwrap().timestamp).collect();
    let steps: Vec<u32> = stamps.windows(2).map(|w| w[1].wrapping_sub(w[0]) / 160).collect();
    assert_eq!(steps, [1, 1, 1, 24, 1, 1], "the timestamp keeps real time");
    let seqs: Vec<u16> = world.notes.sent.iter().map(|(_, _, b)| rtp::read(b).unwrap().seq).collect();
    assert!(seqs.windows(2).all(|w| w[1] == w[0].wrapping_add(1)));
    assert_eq!(world.stats().late_ticks, 2);
}

#[test]
fn comfort_noise_for_ten_minutes_is_not_dead_and_silence_is_told_once() {
    let mut world = World::new();
    let now = world.now;
    world.leg.watch_silence(now, 30_000);
    for n in 0..10 * 60 * 50u32 {
        if n % 200 == 0 {
            world.say(13, n * 160, &[40]);
        }
        world.tick(1);
    }
    assert!(!world.events().iter().any(|e| matches!(e, Event::Silent { .. })));
    world.ticks(70 * 50);
    let silent: Vec<_> = world.events().into_iter().filter(|e| matches!(e, Event::Silent { .. })).collect();
    assert!(matches!(silent[..], [Event::Silent { for_ms: 30_000..30_040, .. }]), "{silent:?}");
    world.say(8, 0, &[0xD5; 160]);
    assert!(world.events().iter().any(|e| matches!(e, Event::Back { .. })));
}

#[test]
fn reports_keep_a_call_alive_and_a_goodbye_does_not_end_it() {
    let mut world = World::new();
    let now = world.now;
    world.leg.watch_silence(now, 10_000);
    let mut room = [0; rtcp::ROOM];
    let block = rtcp::Block { fraction_lost: 51, ..rtcp::Block::default() };
    let length = rtcp::write(&mut room, 1, 5, None, Some((SSRC, block)), true);
    for _ in 0..20 {
        world.ticks(4 * 50);
        world.hear(PEER, &room[..length]);
        world.hear(STRANGER, &room[..length]);
    }
    assert!(!world.events().iter().any(|e| matches!(e, Event::Silent { .. })));
    let stats = world.stats();
    assert_eq!((stats.peer_fraction_lost, stats.foreign_packets), (Some(51), 20));
}

#[test]
fn our_own_reports_go_to_the_port_above_every_five_seconds_and_say_goodbye() {
    let mut world = World::new();
    for n in 0..60 * 50u32 {
        world.say(8, n * 160, &[0xD5; 160]);
        world.tick(1);
    }
    world.on(|leg, env, notes| {
        let leg = std::mem::replace(leg, Leg::open(env, LegId(2), 1, session()));
        leg.close(env, notes);
    });
    let reports: Vec<_> = world.notes.sent.iter().filter(|(_, socket, _)| *socket == Socket::Rtcp).collect();
    assert!((11..=14).contains(&reports.len()), "{}", reports.len());
    for (to, _, bytes) in &reports {
        assert_eq!(to.to_string(), "192.0.2.1:4001");
        let report = rtcp::read(bytes, 1).unwrap();
        assert_eq!(report.sender, SSRC);
        assert_eq!(report.about_us.map(|block| (block.lost, block.fraction_lost)), Some((0, 0)));
    }
    let bye = |bytes: &[u8]| rtcp::read(bytes, 1).unwrap().bye;
    assert!(bye(&reports.last().unwrap().2) && !bye(&reports[0].2));
    let mut muxed = session();
    muxed.remote_rtcp = muxed.remote;
    let mut world = World::with(muxed);
    world.ticks(300);
    let mixed =
        world.notes.sent.iter().filter(|(_, socket, b)| *socket == Socket::Rtp && rtp::is_rtcp(b)).count();
    assert_eq!(mixed, 1, "with rtcp-mux on the RTP port");
}

#[test]
fn packets_of_another_length_leave_no_gap_in_the_recording() {
    let mut world = World::new();
    world.on(|leg, _, notes| leg.record(RecordingId(1), notes));
    let lengths = [160, 320, 160, 240, 80];
    let (mut said, mut due) = (0usize, 0usize);
    for n in 0..500usize {
        while due <= n * 160 {
            let length = lengths[n / 100];
            let sound: Vec<u8> = (said..said + length).map(|i| (i / 8 % 100) as u8).collect();
            world.say(8, said as u32, &sound);
            said += length;
            due += length;
        }
        world.tick(1);
    }
    world.on(|leg, _, notes| leg.stop_recording(notes));
    let caller: Vec<u8> = world
        .notes
        .frames
        .iter()
        .filter_map(|f| if let What::Call { caller, .. } = &f.what { Some(caller) } else { None })
        .flatten()
        .copied()
        .collect();
    assert_eq!(caller.len(), 500 * 160);
    let begin = caller.iter().position(|b| *b != 0xD5).unwrap();
    let wrong = caller[begin..caller.len() - 480]
        .iter()
        .enumerate()
        .filter(|(i, b)| **b != (i / 8 % 100) as u8)
        .count();
    assert!(begin <= 160 && wrong == 0, "begins at {begin}, {wrong} samples wrong");
}

#[test]
fn a_change_of_codec_keeps_the_recording_whole() {
    let mut world = World::new();
    world.on(|leg, _, notes| leg.record(RecordingId(1), notes));
    let loud = |codec| g711::encode(codec, 9000);
    for n in 0..50u32 {
        world.say(8, n * 160, &[loud(Codec::Pcma); 160]);
        world.tick(1);
    }
    let mut other = session();
    (other.codec, other.send_pt, other.recv_pt) = (Codec::Pcmu, 0, 0);
    world.on(|leg, env, notes| leg.update(env, other, notes));
    for n in 50..100u32 {
        world.say(0, n * 160, &[loud(Codec::Pcmu); 160]);
        world.tick(1);
    }
    world.on(|leg, _, notes| leg.stop_recording(notes));
    let mut indices = Vec::new();
    for frame in &world.notes.frames {
        if let What::Call { codec, caller, .. } = &frame.what {
            indices.push(frame.index);
            for byte in caller {
                let sample = g711::decode(*codec, *byte);
                assert!(
                    sample.abs() < 10 || (8500..9500).contains(&sample),
                    "{codec:?} {sample} in {}",
                    frame.index
                );
            }
        }
    }
    assert_eq!(indices, (0..100).collect::<Vec<_>>());
    assert_eq!(world.notes.frames.last().map(|f| (&f.what, f.index)), Some((&What::CallEnds, 100)));
}

#[test]
fn a_gap_silences_from_its_order_to_its_end_whatever_is_still_waited_for() {
    let mut world = World::new();
    world.on(|leg, _, notes| leg.record(RecordingId(1), notes));
    for n in 0..100u32 {
        match n {
            40 => world.leg.ours().set_gap(RecordingGap::Sensitive, true),
            45 => world.leg.ours().set_gap(RecordingGap::Paused, true),
            50 => world.leg.ours().set_gap(RecordingGap::Sensitive, false),
            60 => world.leg.ours().set_gap(RecordingGap::Paused, false),
            _ => {}
        }
        world.say(8, n * 160, &[1; 160]);
        world.tick(1);
    }
    let gap = |why| {
        let of = |f: &&Frame| matches!(&f.what, What::Call { gap, .. } if *gap == Some(why));
        world.notes.frames.iter().filter(of).map(|f| f.index).collect::<Vec<_>>()
    };
    assert_eq!(gap(RecordingGap::Sensitive), (40..50).collect::<Vec<_>>());
    assert_eq!(gap(RecordingGap::Paused), (50..60).collect::<Vec<_>>());
}

#[test]
fn tones_are_keys_only_where_events_were_not_offered() {
    let tone = |n: usize| -> Vec<u8> {
        let at = |i: usize| (n * 160 + i) as f32 / 8000.0 * std::f32::consts::TAU;
        (0..160)
            .map(|i| ((at(i) * 770.0).sin() + (at(i) * 1336.0).sin()) * 6000.0)
            .map(|s| g711::encode(Codec::Pcma, s as i16))
            .collect()
    };
    for (event_pt, want) in [(None, 1), (Some(101), 0)] {
        let mut offered = session();
        offered.event_pt = event_pt;
        let mut world = World::with(offered);
        for n in 0..30usize {
            let sound = if (10..14).contains(&n) { tone(n) } else { vec![0xD5; 160] };
            world.say(8, n as u32 * 160, &sound);
            world.tick(1);
        }
        let keys: Vec<_> = world.events().into_iter().filter(|e| matches!(e, Event::Digit { .. })).collect();
        assert_eq!(keys.len(), want, "{event_pt:?}");
        if let [Event::Digit { digit, source, .. }] = keys[..] {
            assert_eq!((digit.as_char(), *source), ('5', DigitSource::Inband));
        }
    }
}

/// Four hours through the whole receiving path: bytes with loss, reordering and a drifting clock; keys now and then.
fn four_hours(ppm: f64, seed: u64) {
    const TICKS: u64 = 4 * 3600 * 50;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut world = World::new();
    world.on(|leg, _, notes| leg.record(RecordingId(1), notes));
    let speed = 1.0 + ppm / 1e6;
    // Samples of our clock at which the peer's packet k leaves.
    let leaves = |k: u64| (k as f64 * 160.0 / speed) as u64;
    let code = |k: u64| (k % 200) as u8;
    let (mut peer, mut sent, mut presses) = (0u64, 0u64, 0u32);
    let mut on_the_way: BTreeMap<(u64, u64), Vec<u8>> = BTreeMap::new();
    let (mut right, mut silent, mut wrong, mut frames) = (0u64, 0u64, 0u64, 0u64);
    let opened = world.now;
    for n in 0..TICKS {
        world.now = opened + Duration::from_nanos(n * 20_000_000);
        while leaves(peer) <= n * 160 {
            // Each half minute a key is held for 100 ms: events in place of the sound, its end three times.
            let within = peer % 1500;
            let (pt, timestamp, payload) = match within {
                0..=4 => (
                    101,
                    (peer - within) * 160,
                    vec![
                        (peer / 1500 % 10) as u8,
                        10,
                        (((within + 1) * 160) >> 8) as u8,
                        ((within + 1) * 160) as u8,
                    ],
                ),
                5..=7 => (
                    101,
                    (peer - within) * 160,
                    vec![(peer / 1500 % 10) as u8, 0x8A, (960u16 >> 8) as u8, 960u16 as u8],
                ),
                _ => (8, peer * 160, vec![code(peer); 160]),
            };
            presses += u32::from(within == 0);
            if rng.next_u64() % 100 >= 5 {
                let delay = 40 + rng.next_u64() % 320;
                on_the_way.insert(
                    (leaves(peer) + delay, peer),
                    rtp(pt, peer as u16, timestamp as u32, 1, &payload),
                );
                sent += 1;
            }
            peer += 1;
        }
        while let Some((&(arrival, _), _)) = on_the_way.first_key_value()
            && arrival <= n * 160
        {
            let Some((_, bytes)) = on_the_way.pop_first() else { break };
            let arrived = opened + Duration::from_nanos(arrival * 125_000);
            world.on(|leg, env, notes| leg.packet(env, arrived, PEER.parse().unwrap(), &bytes, notes));
        }
        let now = world.now;
        world.tick(1);
        world.now = now;
        world.notes.sent.clear();
        for frame in world.notes.frames.drain(..) {
            let What::Call { caller, .. } = &frame.what else { continue };
            frames += 1;
            // What the peer said at this moment, after the quickest way; a frame more or less is 20 ms.
            let said = ((u64::from(frame.index) * 160 + 80).saturating_sub(40) as f64 * speed / 160.0) as u64;
            match caller[80] {
                0xD5 => silent += 1,
                byte if (said.saturating_sub(1)..=said + 1).any(|k| code(k) == byte) => right += 1,
                _ => wrong += 1,
            }
        }
    }
    let stats = world.stats();
    println!(
        "{ppm} ppm, seed {seed}: {frames} frames: {right} where they belong within 20 ms, {silent} silent, {wrong} elsewhere; {stats:?}"
    );
    assert_eq!(wrong, 0, "sound more than 20 ms from where it belongs");
    let share = right as f64 / frames as f64;
    assert!(
        (0.93..0.96).contains(&share),
        "{share} of the frames are there, 0.945 were sent as sound and not lost"
    );
    assert_eq!(stats.digits, presses, "keys");
    assert!(stats.late_packets * 1000 < sent, "{} late", stats.late_packets);
    let lost = peer - sent;
    assert!(stats.lost_packets.abs_diff(lost) < 20, "{} lost, {lost} were dropped", stats.lost_packets);
    assert_eq!(stats.foreign_packets, 0);
}

#[test]
fn four_hours_of_a_fast_clock_with_loss_and_reordering() {
    four_hours(100.0, 11);
}

#[test]
fn four_hours_of_a_slow_clock_with_loss_and_reordering() {
    four_hours(-100.0, 12);
}

/// M2: ten thousand foreign packets of every kind leave the recording, the keys and the target as they were.
#[test]
fn ten_thousand_foreign_packets_change_nothing() {
    let run = |attack: bool| {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut world = World::new();
        world.on(|leg, _, notes| leg.record(RecordingId(1), notes));
        for n in 0..500u32 {
            world.say(8, n * 160, &[(n % 100) as u8; 160]);
            for _ in 0..20 * u32::from(attack) {
                let r = rng.next_u64();
                let seq = world.seq.wrapping_add((r >> 8) as u16 % 5);
                match r % 4 {
                    // The right stream from the wrong place, also keys.
                    0 => world.hear(STRANGER, &rtp(8, seq, n * 160 + 160, 1, &[0x2A; 160])),
                    1 => world.hear(STRANGER, &rtp(101, seq, n * 160, 1, &[5, 10, 3, 0])),
                    // Another stream, spoofed from the right place.
                    2 => world.hear(PEER, &rtp(8, (r >> 20) as u16, r as u32, 77, &[0x2A; 160])),
                    // The right stream far outside its window.
                    _ => world.hear(
                        PEER,
                        &rtp(8, seq.wrapping_add(20_000 + (r >> 30) as u16 % 9000), 0, 1, &[0x2A; 160]),
                    ),
                }
            }
            world.tick(1);
        }
        let stats = world.stats();
        (world.notes.frames, world.notes.sent, stats)
    };
    let (calm, under_attack) = (run(false), run(true));
    assert!(calm.0 == under_attack.0, "the recording differs");
    assert!(calm.1 == under_attack.1, "what is sent differs");
    assert_eq!(under_attack.2.foreign_packets, 10_000);
    assert_eq!(Stats { foreign_packets: 0, ..under_attack.2 }, calm.2);
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_a_leg_panic(packets in proptest::collection::vec((0u8..4, proptest::collection::vec(proptest::num::u8::ANY, 0..60)), 0..80)) {
        let mut world = World::new();
        world.on(|leg, _, notes| { leg.record(RecordingId(1), notes); leg.start_message(RecordingId(2), 500, 100, notes) });
        for (shape, mut bytes) in packets {
            if shape > 0 && bytes.len() > 2 {
                bytes[0] = 0x80;
                bytes[1] = [8, 101, 200][usize::from(shape) - 1];
            }
            world.hear(PEER, &bytes);
            world.tick(1);
        }
        world.leg.stats();
    }
}
