//! Bridges in virtual time: peers who say tones over networks that delay and lose, and what each of them is sent.

use super::*;
use crate::base::{Digit, LegId, Time};
use crate::media::g711::{self, FRAME};
use crate::media::leg::{Socket, Told};
use crate::media::prompts::Prompts;
use crate::media::rtp::{self, HEADER};
use crate::media::seam::{ClipId, Codec, Event, Piece, PlayId, RecordingId, Session};
use crate::media::source::Local;
use crate::media::take::{Frame, What};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Whole periods of each fit into 20 ms: a tone's frames are all alike, and no two tones share a bin of it.
const TONES: [f64; 8] = [300.0, 450.0, 600.0, 750.0, 1050.0, 1350.0, 1700.0, 2150.0];

#[derive(Default)]
struct Notes {
    told: Vec<Told>,
    frames: Vec<Frame>,
    /// When, and the packet.
    sent: Vec<Vec<u8>>,
}

impl Sink for Notes {
    fn tell(&mut self, event: Told) {
        self.told.push(event);
    }
    fn record(&mut self, frame: Frame) -> bool {
        self.frames.push(frame);
        true
    }
    fn send(&mut self, _: SocketAddr, socket: Socket, bytes: &[u8]) {
        if socket == Socket::Rtp {
            self.sent.push(bytes.to_vec());
        }
    }
}

/// The delay of a packet, milliseconds; `None`: lost.
type Way = Box<dyn FnMut(u64) -> Option<f64>>;
/// What a peer says at a sample of his clock.
type Says = Box<dyn Fn(u64) -> i16>;

struct Party {
    leg: Leg,
    notes: Notes,
    codec: Codec,
    says: Says,
    way: Way,
    /// His clock is so much quicker than ours, and his packets leave so many ms after ours begin.
    speed: f64,
    phase_ms: f64,
    began: Time,
    next: u64,
    on_the_way: BTreeMap<(u64, u64), Vec<u8>>,
}

struct Hall {
    parties: Vec<Party>,
    desk: Desk,
    hearing: Hearing,
    all: u16,
    prompts: Prompts,
    local: Local,
    now: Time,
}

struct Seated<'a>(&'a mut [Party]);

impl Members for Seated<'_> {
    type Sink = Notes;
    fn at(&mut self, seat: usize) -> Option<(&mut Leg, &mut Notes)> {
        self.0.get_mut(seat).map(|party| (&mut party.leg, &mut party.notes))
    }
}

fn sine(hz: f64, level: f64) -> Says {
    Box::new(move |n| ((hz * n as f64 / 8000.0 * std::f64::consts::TAU).sin() * level) as i16)
}

fn calm() -> Way {
    Box::new(|_| Some(2.0))
}

fn session(codec: Codec) -> Box<Session> {
    Box::new(Session {
        remote: Some("192.0.2.1:4000".parse().unwrap()),
        remote_rtcp: None,
        codec,
        send_pt: codec.payload_type(),
        recv_pt: codec.payload_type(),
        event_pt: Some(101),
        send_event_pt: Some(97),
        may_send: true,
        may_receive: true,
        symmetric: true,
        media_nets: Arc::from([]),
    })
}

impl Hall {
    fn new() -> Self {
        Self {
            parties: Vec::new(),
            desk: Desk::default(),
            hearing: Hearing::default(),
            all: 0,
            prompts: Prompts::build(vec![("clip".into(), vec![9000; 1600])]),
            local: Local { bound: "192.0.2.200".parse().unwrap(), ports: (20_000, 29_999) },
            now: Time::from_millis(5_000),
        }
    }

    /// Everyone with the tone of his number and a calm network, hearing whom the matrix says.
    fn of(hears: &[u16]) -> Self {
        let mut hall = Self::new();
        hears.iter().for_each(|_| hall.open(Codec::Pcma));
        hall.matrix(hears);
        hall
    }

    /// Another leg, opened up to 10 ms before the tick that serves it.
    fn open(&mut self, codec: Codec) {
        let n = self.parties.len();
        let opened = Time::from_nanos(
            self.now.as_nanos() - [0, 9_000_000, 4_000_000][n % 3] + [0, 0, 9_000_000][n % 3],
        );
        let env = Env { now: opened, prompts: &self.prompts, local: &self.local, ntp_zero: 0 };
        let leg = Leg::open(&env, LegId(n as u64), n as u32, session(codec));
        self.parties.push(Party {
            leg,
            notes: Notes::default(),
            codec,
            says: sine(TONES[n % TONES.len()], 3500.0),
            way: calm(),
            speed: 1.0,
            phase_ms: (n * 7 % 20) as f64,
            began: self.now,
            next: 0,
            on_the_way: BTreeMap::new(),
        });
    }

    fn matrix(&mut self, hears: &[u16]) {
        self.all = ((1u32 << hears.len()) - 1) as u16;
        for (seat, hears) in hears.iter().enumerate() {
            let before = self.hearing.of(seat);
            self.hearing.set(seat, *hears);
            if before != self.hearing.of(seat) {
                self.parties[seat].leg.hears_others();
            }
        }
    }

    fn tick(&mut self) {
        self.now = self.now + Duration::from_millis(20);
        let Self { parties, desk, hearing, all, prompts, local, now } = self;
        let env = Env { now: *now, prompts, local, ntp_zero: 0 };
        for party in &mut *parties {
            party.receive(&env);
        }
        for party in &mut *parties {
            assert_eq!(party.leg.begin_tick(&env, 1, false, &mut party.notes), 1);
        }
        let due = ((1u32 << parties.len()) - 1) as u16;
        desk.frame(&env, hearing, *all, due, &mut Seated(parties));
        for party in parties {
            party.leg.end_tick(&env, &mut party.notes);
        }
    }

    fn ticks(&mut self, count: usize) {
        (0..count).for_each(|_| self.tick());
    }

    /// What a party was sent since the last time, in frames.
    fn heard(&mut self, seat: usize) -> Vec<Vec<u8>> {
        let sent = std::mem::take(&mut self.parties[seat].notes.sent);
        sent.iter().map(|bytes| rtp::read(bytes).unwrap().payload.to_vec()).collect()
    }

    /// Which tones a party hears in the second half of so many ticks.
    fn tones(&mut self, ticks: usize) -> Vec<Vec<usize>> {
        (0..self.parties.len()).for_each(|seat| drop(self.heard(seat)));
        self.ticks(ticks);
        let parties = self.parties.len();
        let of = |seat: usize| {
            let heard = self.heard(seat);
            let codec = self.parties[seat].codec;
            let half: Vec<u8> = heard[heard.len() / 2..].concat();
            (0..TONES.len()).filter(|n| power(&half, codec, TONES[*n]) > 0.002).collect()
        };
        (0..parties).map(of).collect()
    }

    /// A party's own frame as he says it.
    fn frame_of(&self, seat: usize) -> Vec<u8> {
        let party = &self.parties[seat];
        (0..160).map(|n| g711::encode(party.codec, (party.says)(n))).collect()
    }
}

impl Party {
    fn receive(&mut self, env: &Env<'_>) {
        let leaves = |k: u64| (k as f64 * 20.0 / self.speed + self.phase_ms) * 1e6;
        while self.began.as_nanos() as f64 + leaves(self.next) <= env.now.as_nanos() as f64 {
            let k = self.next;
            self.next += 1;
            let Some(delay) = (self.way)(k) else { continue };
            let sound: Vec<u8> =
                (0..160).map(|i| g711::encode(self.codec, (self.says)(k * 160 + i))).collect();
            let mut head = [0; HEADER];
            rtp::write(&mut head, k == 0, self.codec.payload_type(), k as u16, (k * 160) as u32, 1);
            let arrives = self.began.as_nanos() + (leaves(k) + delay * 1e6) as u64;
            self.on_the_way.insert((arrives, k), [&head[..], &sound].concat());
        }
        while let Some((&(arrives, _), _)) = self.on_the_way.first_key_value()
            && arrives <= env.now.as_nanos()
            && let Some((_, bytes)) = self.on_the_way.pop_first()
        {
            let from = "192.0.2.1:4000".parse().unwrap();
            self.leg.packet(env, Time::from_nanos(arrives), from, &bytes, &mut self.notes);
        }
    }
}

/// Power of one frequency, relative to a full-scale sine (Goertzel).
fn power(bytes: &[u8], codec: Codec, hz: f64) -> f64 {
    let turn = 2.0 * (std::f64::consts::TAU * hz / 8000.0).cos();
    let (mut a, mut b) = (0.0, 0.0);
    for byte in bytes {
        let sample = f64::from(g711::decode(codec, *byte)) / 32_768.0;
        (a, b) = (sample + turn * a - b, a);
    }
    4.0 * (a * a + b * b - turn * a * b) / (bytes.len() * bytes.len()) as f64
}

#[test]
fn each_hears_whom_the_matrix_says_and_nobody_else() {
    // Seats: caller, agent, lead, colleague.
    for (what, hears, want) in [
        ("a call", vec![0b10, 0b01], vec![vec![1], vec![0]]),
        ("one way", vec![0b10, 0], vec![vec![1], vec![]]),
        ("asked to hear himself", vec![0b11, 0b11], vec![vec![1], vec![0]]),
        ("listened to", vec![0b010, 0b001, 0b011], vec![vec![1], vec![0], vec![0, 1]]),
        ("whispered to", vec![0b010, 0b101, 0b011], vec![vec![1], vec![0, 2], vec![0, 1]]),
        ("barged in", vec![0b110, 0b101, 0b011], vec![vec![1, 2], vec![0, 2], vec![0, 1]]),
        ("a consultation", vec![0, 0b1000, 0, 0b0010], vec![vec![], vec![3], vec![], vec![1]]),
        ("two pairs in one", vec![0b0010, 0b0001, 0b1000, 0b0100], vec![vec![1], vec![0], vec![3], vec![2]]),
    ] {
        assert_eq!(Hall::of(&hears).tones(60), want, "{what}");
    }
    let all_but_himself: Vec<Vec<usize>> =
        (0..8).map(|seat| (0..8).filter(|other| *other != seat).collect()).collect();
    assert_eq!(Hall::of(&[0xFF; 8]).tones(60), all_but_himself, "a conference of eight");
}

#[test]
fn codecs_meet_and_a_lone_voice_of_the_same_is_not_touched() {
    let mut hall = Hall::new();
    for codec in [Codec::Pcma, Codec::Pcma, Codec::Pcmu] {
        hall.open(codec);
    }
    hall.matrix(&[0b010, 0b001, 0b010]);
    assert_eq!(hall.tones(60), [vec![1], vec![0], vec![1]]);
    hall.ticks(200);
    let said = [hall.frame_of(1), hall.frame_of(0)];
    for (seat, said) in said.iter().enumerate() {
        let heard = hall.heard(seat);
        assert!(heard.iter().all(|frame| frame == said), "of seat {seat}");
    }
}

#[test]
fn a_clip_wins_then_the_voices_and_the_background_only_where_nobody_is_heard() {
    let mut hall = Hall::of(&[0b10, 0b01]);
    hall.ticks(20);
    hall.parties[0].leg.playlist().background(Some(ClipId(0)));
    let clip = g711::encode(Codec::Pcma, 9000);
    hall.parties[0].leg.playlist().play(PlayId(1), Box::new([Piece::Clip(ClipId(0)), Piece::Pause(10)]));
    hall.heard(0);
    hall.ticks(20);
    let said = hall.frame_of(1);
    let heard = hall.heard(0);
    assert!(heard[..10].iter().flatten().all(|byte| *byte == clip));
    assert_eq!(&heard[10][..80], [g711::silence(Codec::Pcma); 80]);
    assert!(heard[11..].iter().all(|frame| *frame == said));
    let finished = Told::Event(Event::Finished { leg: LegId(0), play: PlayId(1) });
    assert!(hall.parties[0].notes.told.contains(&finished));
    // An agent who says nothing is no reason for music; nobody there is.
    hall.parties[1].way = Box::new(|_| None);
    hall.ticks(20);
    assert!(hall.heard(0)[10..].iter().flatten().all(|byte| *byte == g711::silence(Codec::Pcma)));
    hall.hearing.leave(1);
    hall.ticks(20);
    assert!(hall.heard(0).iter().flatten().all(|byte| *byte == clip));
}

#[test]
fn who_joins_and_who_leaves_costs_the_others_no_frame() {
    let mut hall = Hall::of(&[0b010, 0b001, 0]);
    hall.ticks(50);
    (0..3).for_each(|seat| drop(hall.heard(seat)));
    let (said, mut odd) = (hall.frame_of(1), Vec::new());
    for n in 0..200 {
        match n {
            50 => hall.matrix(&[0b110, 0b101, 0b011]),
            100 => hall.matrix(&[0b010, 0b001, 0b011]),
            150 => hall.hearing.leave(2),
            _ => {}
        }
        hall.tick();
        let heard = hall.heard(0).concat();
        // Byte by byte while they are two; with a third, his tone's whole level is there at once or a frame later.
        let clean = if (50..100).contains(&n) {
            let levels = [1, 2].map(|tone| power(&heard, Codec::Pcma, TONES[tone]));
            let whole = (3500.0f64 / 32_768.0).powi(2);
            levels.iter().all(|level| (level / whole - 1.0).abs() < 0.1)
        } else {
            heard == said
        };
        if !clean {
            odd.push(n);
        }
    }
    assert!(odd.is_empty() || odd == [50], "frames that were not whole: {odd:?}");
}

#[test]
fn one_leg_s_loss_and_jitter_are_not_heard_on_another() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut hall = Hall::of(&[0b110, 0b001, 0b001]);
    hall.parties[2].way = Box::new(move |_| {
        let lost = rng.next_u64() % 100 < 3;
        (!lost).then(|| 10.0 + (rng.next_u64() % 300) as f64 / 10.0)
    });
    hall.ticks(200);
    (0..3).for_each(|seat| drop(hall.heard(seat)));
    hall.ticks(3000);
    let said = hall.frame_of(0);
    for seat in [1, 2] {
        assert!(hall.heard(seat).iter().all(|frame| *frame == said), "seat {seat}");
    }
    let whole = (3500.0f64 / 32_768.0).powi(2);
    let (mut calm, mut rough) = (0, 0);
    for frame in hall.heard(0) {
        // A part of the other's frame leaks into all bins a little.
        calm += usize::from((0.5..2.0).contains(&(power(&frame, Codec::Pcma, TONES[1]) / whole)));
        rough += usize::from(power(&frame, Codec::Pcma, TONES[2]) > whole / 2.0);
    }
    println!("of 3000 frames: {calm} of the calm voice, {rough} of the one that lost 90");
    assert_eq!(calm, 3000);
    assert!(rough > 2820, "{rough}");
}

/// A click of 20 ms every 300 ms.
fn clicks() -> Says {
    Box::new(|n| if n % 2400 < 160 { if n % 8 < 4 { 12_000 } else { -12_000 } } else { 0 })
}

fn beginnings(samples: impl Iterator<Item = i16>) -> Vec<usize> {
    let mut last = None;
    samples
        .enumerate()
        .filter(|(_, sample)| sample.unsigned_abs() > 6000)
        .filter_map(|(n, _)| (last.replace(n).is_none_or(|last| n - last > 400)).then_some(n))
        .collect()
}

#[test]
fn a_voice_is_under_way_for_less_than_a_frame_and_its_network_s_wavering() {
    for (wavering, most) in [(0.0, 24.0), (5.0, 28.0), (20.0, 43.0), (40.0, 63.0)] {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut hall = Hall::of(&[0b10, 0b01]);
        hall.parties[1].says = clicks();
        hall.parties[1].way =
            Box::new(move |_| Some(2.0 + (rng.next_u64() % 1000) as f64 / 1000.0 * wavering));
        hall.ticks(1000);
        let sent = hall.heard(0).concat();
        // The frame of tick n leaves 20 (n + 1) ms after the talk began; a packet 2 ms after it was said, at best.
        let phase = hall.parties[1].phase_ms;
        let mut delays: Vec<f64> = beginnings(sent.iter().map(|byte| g711::decode(Codec::Pcma, *byte)))
            .iter()
            .map(|at| (*at as f64 / 8.0 + 20.0 - phase - 2.0) % 300.0)
            .collect();
        delays.sort_by(f64::total_cmp);
        let (median, longest) = (delays[delays.len() / 2], delays[delays.len() - 1]);
        println!("wavering {wavering} ms: {} clicks, median {median} ms, longest {longest} ms", delays.len());
        assert!(delays.len() >= 62 && longest <= most, "{delays:?}");
    }
}

#[test]
fn both_sides_of_a_recording_are_in_step_whatever_the_network() {
    for (seed, wavering) in [(1, 0.0), (2, 10.0), (3, 45.0)] {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut hall = Hall::of(&[0b110, 0b001, 0b001]);
        for seat in [0, 1] {
            hall.parties[seat].says = clicks();
            hall.parties[seat].phase_ms = 0.0;
        }
        hall.parties[2].says = Box::new(|_| 0);
        hall.parties[1].way =
            Box::new(move |_| Some(2.0 + (rng.next_u64() % 1000) as f64 / 1000.0 * wavering));
        let party = &mut hall.parties[0];
        party.leg.record(RecordingId(1), &mut party.notes);
        hall.ticks(1000);
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for frame in &hall.parties[0].notes.frames {
            let What::Call { codec, caller, ours, .. } = &frame.what else { continue };
            left.extend(caller.iter().map(|byte| g711::decode(*codec, *byte)));
            right.extend(ours.iter().map(|byte| g711::decode(*codec, *byte)));
        }
        let (left, right) = (beginnings(left.into_iter()), beginnings(right.into_iter()));
        let apart: Vec<f64> = left.iter().zip(&right).map(|(l, r)| l.abs_diff(*r) as f64 / 8.0).collect();
        println!(
            "wavering {wavering} ms: {} clicks, at most {} ms apart",
            apart.len(),
            apart.iter().copied().fold(0.0, f64::max)
        );
        assert!(apart.len() >= 60 && left.len().abs_diff(right.len()) <= 1, "{} {}", left.len(), right.len());
        assert!(apart.iter().all(|ms| *ms < 20.0), "{apart:?}");
    }
}

#[test]
fn clocks_that_drift_and_networks_that_burst_cost_few_frames() {
    for ppm in [100.0, -100.0] {
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let mut hall = Hall::of(&[0b10, 0b01]);
        // Said like speech: a second of tone, half a second of nothing.
        hall.parties[1].says = Box::new(|n| if n % 12_000 < 8_000 { sine(600.0, 6000.0)(n) } else { 0 });
        hall.parties[1].speed = 1.0 + ppm / 1e6;
        let mut late = 0.0f64;
        hall.parties[1].way = Box::new(move |k| {
            // Every ten seconds the network holds everything back for 100 ms.
            late = if k % 500 == 499 { 100.0 } else { (late - 20.0).max(0.0) };
            Some(2.0 + late + (rng.next_u64() % 80) as f64 / 10.0)
        });
        hall.ticks(30_000);
        let heard = hall.heard(0);
        let voiced = heard.iter().filter(|frame| power(frame, Codec::Pcma, 600.0) > 0.01).count();
        let share = voiced as f64 / (30_000.0 * 2.0 / 3.0);
        println!("{ppm} ppm: {:.2} % of the voiced frames were heard", share * 100.0);
        assert!((0.97..1.02).contains(&share), "{share}");
    }
}

#[test]
fn keys_go_to_the_peer_they_are_for_and_are_no_sound_on_the_way() {
    let mut hall = Hall::of(&[0b10, 0b01]);
    hall.ticks(20);
    (0..2).for_each(|seat| drop(hall.heard(seat)));
    // The caller presses: packets of telephone-event in place of his sound.
    let pressed: Vec<Vec<u8>> = (0..8u16)
        .map(|n| {
            let mut head = [0; HEADER];
            rtp::write(&mut head, n == 0, 101, 1000 + n, 160_000, 1);
            [&head[..], &[5, if n > 4 { 0x8A } else { 10 }, 3, n.min(5) as u8 * 32]].concat()
        })
        .collect();
    hall.parties[0].way = Box::new(|_| None);
    // The stream's numbers go on where they were.
    let first = hall.parties[0].next as u16;
    for (n, bytes) in pressed.iter().enumerate() {
        let mut bytes = bytes.clone();
        bytes[2..4].copy_from_slice(&(first + n as u16).to_be_bytes());
        let env = Env { now: hall.now, prompts: &hall.prompts, local: &hall.local, ntp_zero: 0 };
        let party = &mut hall.parties[0];
        party.leg.packet(&env, env.now, "192.0.2.1:4000".parse().unwrap(), &bytes, &mut party.notes);
        hall.tick();
    }
    let keys =
        |told: &[Told]| told.iter().filter(|told| matches!(told, Told::Event(Event::Digit { .. }))).count();
    assert_eq!((keys(&hall.parties[0].notes.told), keys(&hall.parties[1].notes.told)), (1, 0));
    let heard = hall.heard(1);
    assert!(heard[3..].iter().all(|frame| power(frame, Codec::Pcma, TONES[0]) < 0.002));
    assert!(heard.iter().all(|frame| frame.len() == FRAME));
    // And one of ours towards the agent: seven packets of his type, then the caller's voice again.
    hall.parties[0].way = calm();
    hall.ticks(10);
    drop(hall.heard(1));
    assert_eq!(hall.parties[1].leg.digits().push(&[Digit::from_char('9').unwrap()]), 0);
    hall.ticks(20);
    let sent = std::mem::take(&mut hall.parties[1].notes.sent);
    let packets: Vec<_> = sent.iter().map(|bytes| rtp::read(bytes).unwrap()).collect();
    let types: Vec<u8> = packets.iter().map(|packet| packet.payload_type).collect();
    assert_eq!(types, [vec![97; 7], vec![8; 13]].concat());
    assert!(packets.windows(2).all(|two| two[1].seq == two[0].seq.wrapping_add(1)));
    assert!(packets[..7].iter().all(|packet| packet.timestamp == packets[0].timestamp));
    assert_eq!(packets[7].timestamp.wrapping_sub(packets[0].timestamp), 7 * 160);
    assert!(packets[7..].iter().all(|packet| power(packet.payload, Codec::Pcma, TONES[0]) > 0.005));
    assert!(packets[0].marker && !packets[1].marker);
}
