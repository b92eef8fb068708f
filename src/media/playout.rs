//! Received sound on our own time line: packets are placed by their timestamps, whatever order and rhythm they come in.
//!
//! A packet belongs where the quickest packets of the last two seconds would have arrived, so that the network's variation
//! does not reach the sound; a clock that has drifted by more than a millisecond is followed a sample at a time, so that the
//! distance from the network never grows.
//! A frame is taken [`SLACK`] frames after its time; whatever comes later is late.

use super::g711::FRAME;

/// Frames that a packet may be late by: 60 to 80 ms.
pub const SLACK: u64 = 4;
/// Frames waited for, and room for a sender that runs ahead.
const AHEAD: u64 = 16;
/// Frames kept after they were taken, for other legs' recordings.
const PAST: u64 = 2;
const FRAMES: u64 = PAST + AHEAD;
const WINDOW: usize = FRAMES as usize * FRAME;
/// Samples from the first frame not taken to the end of the window.
const ROOM: i64 = AHEAD as i64 * FRAME as i64;
/// Samples of a bucket of the sliding minimum: 1 s.
const BUCKET: u64 = 8_000;
/// A distance beyond this is no drift but a jump, samples: 60 ms.
const JUMP: i64 = 480;
/// So many late packets in a row: the way has become longer.
const LATE_IN_A_ROW: u8 = 10;
/// A distance within this is the arrival's own noise, samples: 1 ms. Followed, it would cut and stretch a steady voice.
const NOISE: i64 = 8;
/// Samples over which the most that packets wavered is remembered, at least: 4 s.
const WAVERING: u64 = 32_000;
/// Packets in the beginning that set the distance at once.
const SETTLING: u8 = 50;

#[derive(Clone, Debug)]
pub struct Playout {
    ring: [u8; WINDOW],
    /// Samples placed in each frame of the ring.
    filled: [u16; FRAMES as usize],
    /// The first frame not taken yet.
    next: u64,
    silence: u8,
    clock: Option<Clock>,
}

/// How the peer's timestamps lie on our time line.
#[derive(Clone, Copy, Debug)]
struct Clock {
    /// The last packet's timestamp, and the same without turns.
    timestamp: u32,
    extended: i64,
    /// Our sample minus the peer's, as packets are placed now.
    distance: i64,
    /// On the way to where the packets now belong.
    moving: bool,
    /// The smallest seen in this bucket and in the one before.
    least: [i64; 2],
    bucket_ends: u64,
    packets: u8,
    late: u8,
    /// Where the last packet ended, and the furthest that any did.
    end: i64,
    newest: i64,
    /// The latest that a packet came after its place, in this stretch and in the one before, samples.
    waver: [i64; 2],
    waver_ends: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    InTime,
    Late,
}

impl Playout {
    pub fn new(silence: u8) -> Self {
        Self { ring: [silence; WINDOW], filled: [0; FRAMES as usize], next: 0, silence, clock: None }
    }

    /// Another codec's silence from here on.
    pub fn set_silence(&mut self, silence: u8) {
        if silence != self.silence {
            self.silence = silence;
            self.ring.fill(silence);
            self.filled.fill(0);
        }
    }

    /// Another stream: its timestamps have nothing to do with the last one's.
    pub fn new_stream(&mut self) {
        self.clock = None;
    }

    /// Places a packet that arrived at `arrival` (samples since the time line began).
    pub fn place(&mut self, arrival: u64, timestamp: u32, payload: &[u8]) -> Placed {
        let mut clock = self.clock.unwrap_or_else(|| Clock::begin(arrival, timestamp));
        clock.follow(arrival, timestamp);
        let first = (self.next * FRAME as u64) as i64;
        let mut at = clock.extended + clock.distance;
        if at + payload.len() as i64 > first + ROOM {
            // A sender that ran ahead of real time by more than we keep.
            clock.jump(arrival);
            at = arrival as i64;
        }
        let late = at + payload.len() as i64 <= first;
        clock.late = if late { clock.late + 1 } else { 0 };
        if clock.late >= LATE_IN_A_ROW {
            clock.jump(arrival);
            at = arrival as i64;
        }
        // One sample too few between two packets is heard as a click; the next one said twice is not.
        let gap = at - clock.end;
        if (1..=4).contains(&gap)
            && let Some(byte) = payload.first()
        {
            self.put(first, clock.end, &[*byte; 4][..gap as usize]);
        }
        self.put(first, at, payload);
        clock.end = at + payload.len() as i64;
        clock.note(arrival, at);
        self.clock = Some(clock);
        if late { Placed::Late } else { Placed::InTime }
    }

    /// Copies what of `bytes` is within the window that begins at `first`.
    fn put(&mut self, first: i64, at: i64, bytes: &[u8]) {
        let skip = usize::try_from(first - at).unwrap_or(0).min(bytes.len());
        let Ok(mut at) = usize::try_from(at + skip as i64) else { return };
        let room = usize::try_from(first + ROOM - at as i64).unwrap_or(0);
        let mut rest = &bytes[skip..];
        rest = &rest[..rest.len().min(room)];
        // A frame at a time: the ring turns at the end of one.
        while !rest.is_empty() {
            let slot = at % WINDOW;
            let some = (FRAME - slot % FRAME).min(rest.len());
            self.ring[slot..slot + some].copy_from_slice(&rest[..some]);
            self.filled[slot / FRAME] = self.filled[slot / FRAME].saturating_add(some as u16);
            at += some;
            rest = &rest[some..];
        }
    }

    /// A frame of the window, and whether most of it has come. `None` before the window and beyond it.
    pub fn frame(&self, index: u64) -> Option<(&[u8; FRAME], bool)> {
        if !(self.next..self.next + AHEAD).contains(&index) {
            return None;
        }
        let slot = (index % FRAMES) as usize;
        let frame = self.ring[slot * FRAME..].first_chunk()?;
        Some((frame, usize::from(self.filled[slot]) >= FRAME / 2))
    }

    /// The first frame still in the window.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// The first frame has been taken.
    pub fn advance(&mut self) {
        // Where the next of the window goes, the oldest kept was.
        let slot = ((self.next + AHEAD) % FRAMES) as usize;
        self.ring[slot * FRAME..(slot + 1) * FRAME].fill(self.silence);
        self.filled[slot] = 0;
        self.next += 1;
    }

    /// Where the received sound ends for now, and how much later than their places its packets came in the last seconds.
    pub fn newest(&self) -> Option<(i64, i64)> {
        self.clock.map(|clock| (clock.newest, clock.waver[0].max(clock.waver[1])))
    }

    /// Copies a frame's length from any sample of the window on; silence beyond it. False when nothing of it has come.
    pub fn read(&self, at: i64, into: &mut [u8; FRAME]) -> bool {
        let Ok(at) = usize::try_from(at) else {
            into.fill(self.silence);
            return false;
        };
        let (index, cut) = ((at / FRAME) as u64, at % FRAME);
        let (head, tail) = into.split_at_mut(FRAME - cut);
        let first = self.part(index, cut, head);
        self.part(index + 1, 0, tail) || first
    }

    fn part(&self, index: u64, cut: usize, into: &mut [u8]) -> bool {
        if into.is_empty() {
            return false;
        }
        if !(self.next.saturating_sub(PAST)..self.next + AHEAD).contains(&index) {
            into.fill(self.silence);
            return false;
        }
        let slot = (index % FRAMES) as usize;
        let from = slot * FRAME + cut;
        into.copy_from_slice(&self.ring[from..from + into.len()]);
        self.filled[slot] > 0
    }

    /// Our sample minus the peer's, as packets are placed now.
    pub fn distance(&self) -> Option<i64> {
        self.clock.map(|clock| clock.distance)
    }
}

impl Clock {
    fn begin(arrival: u64, timestamp: u32) -> Self {
        let distance = arrival as i64;
        Self {
            timestamp,
            extended: 0,
            distance,
            moving: false,
            least: [distance; 2],
            bucket_ends: arrival + BUCKET,
            packets: 0,
            late: 0,
            end: 0,
            newest: i64::MIN,
            waver: [0; 2],
            waver_ends: arrival + WAVERING,
        }
    }

    fn follow(&mut self, arrival: u64, timestamp: u32) {
        self.extended += i64::from(timestamp.wrapping_sub(self.timestamp) as i32);
        self.timestamp = timestamp;
        let distance = arrival as i64 - self.extended;
        if arrival >= self.bucket_ends {
            self.least = [distance, self.least[0]];
            self.bucket_ends = arrival + BUCKET;
        }
        self.least[0] = self.least[0].min(distance);
        let aim = self.least[0].min(self.least[1]);
        let off = aim - self.distance;
        self.moving = off.abs() > NOISE || self.moving && off != 0;
        if self.moving {
            let at_once = self.packets < SETTLING || off.abs() > JUMP;
            self.distance += if at_once { off } else { off.signum() };
        }
        self.packets = self.packets.saturating_add(1);
    }

    /// What a packet placed at `at` says of its way.
    fn note(&mut self, arrival: u64, at: i64) {
        // Far behind the newest: no late packet, the stream lies elsewhere now.
        self.newest = if self.end + JUMP < self.newest { self.end } else { self.newest.max(self.end) };
        if arrival >= self.waver_ends {
            self.waver = [0, self.waver[0]];
            self.waver_ends = arrival + WAVERING;
        }
        self.waver[0] = self.waver[0].max(arrival as i64 - at);
    }

    fn jump(&mut self, arrival: u64) {
        self.distance = arrival as i64 - self.extended;
        self.least = [self.distance; 2];
        self.late = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    /// The frames a list of (arrival, timestamp, samples) makes, each sample the low byte of its timestamp ÷ 160 or '.'.
    fn line(packets: &[(u64, u32, usize)], frames: u64) -> String {
        let mut playout = Playout::new(255);
        for (arrival, timestamp, length) in packets {
            let payload: Vec<u8> =
                (0..*length).map(|n| ((timestamp / 160) as usize + n / 160) as u8).collect();
            playout.place(*arrival, *timestamp, &payload);
        }
        (0..frames)
            .map(|n| {
                let (frame, whole) = playout.frame(n).unwrap();
                let byte = frame[80];
                assert_eq!(whole, byte != 255, "frame {n}");
                if byte == 255 { '.' } else { (b'0' + byte % 10) as char }
            })
            .collect()
    }

    #[test]
    fn order_holes_doubles_and_packet_length_do_not_move_the_sound() {
        for (what, packets, want) in [
            ("in order", vec![(0, 0, 160), (160, 160, 160), (320, 320, 160)], "012..."),
            ("swapped", vec![(0, 0, 160), (400, 320, 160), (410, 160, 160)], "012..."),
            ("one lost", vec![(0, 0, 160), (320, 320, 160)], "0.2..."),
            ("doubled", vec![(0, 0, 160), (5, 0, 160), (160, 160, 160)], "01...."),
            (
                "40 ms, then 20, then 10",
                vec![(0, 0, 320), (320, 320, 160), (480, 480, 80), (560, 560, 80)],
                "0123..",
            ),
            (
                "a burst after a stall",
                vec![(0, 0, 160), (500, 160, 160), (500, 320, 160), (500, 480, 160)],
                "0123..",
            ),
        ] {
            assert_eq!(line(&packets, 6), want, "{what}");
        }
    }

    #[test]
    fn arrivals_that_waver_by_a_millisecond_leave_a_steady_voice_whole() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let (mut playout, mut began) = (Playout::new(255), None);
        for n in 0..3_000u64 {
            playout.place(800 + n * 160 + rng.next_u64() % 8, (n * 160) as u32, &[1; 160]);
            assert_eq!(playout.distance(), *began.get_or_insert(playout.distance()), "packet {n}");
            if n >= SLACK {
                playout.advance();
            }
        }
    }

    /// Four hours of a peer whose clock is off, on a network that loses, delays and reorders.
    fn four_hours(ppm: f64, seed: u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut playout = Playout::new(255);
        let packets = 4 * 3600 * 50u64;
        let (mut late, mut sent, mut missing) = (0u64, 0u64, 0u64);
        let mut on_the_way: std::collections::BTreeMap<(u64, u64), u32> = std::collections::BTreeMap::new();
        let (mut worst, mut first) = (0i64, None);
        let speed = 1.0 + ppm / 1e6;
        let mut peer = 0;
        for n in 0..packets {
            // Our frame n begins; whatever left the peer by its own clock until now is on its way.
            let now = n * 160;
            while leaves_at(peer, speed) <= now as i64 {
                if rng.next_u64() % 100 >= 5 {
                    let delay = 100 + rng.next_u64() % 240;
                    on_the_way.insert((leaves_at(peer, speed) as u64 + delay, peer), (peer * 160) as u32);
                    sent += 1;
                }
                peer += 1;
            }
            while let Some((&(arrival, k), &timestamp)) = on_the_way.first_key_value()
                && arrival <= now
            {
                on_the_way.pop_first();
                late += u64::from(playout.place(arrival, timestamp, &[(k % 250) as u8; 160]) == Placed::Late);
                // True distance of an undelayed packet: its departure on our line, and the least delay.
                let began = *first.get_or_insert(timestamp);
                let truth = leaves_at(k, speed) + 100 - (i64::from(timestamp) - i64::from(began));
                if n > 200 {
                    worst = worst.max((playout.distance().unwrap() - truth).abs());
                }
            }
            if n >= SLACK {
                let whole = playout.frame(n - SLACK).unwrap().1;
                missing += u64::from(!whole && n > 10);
                playout.advance();
            }
        }
        println!(
            "{ppm} ppm, seed {seed}: {sent} packets, {late} late, {missing} frames missing, worst distance {worst} samples"
        );
        assert!(late * 1000 < sent, "{late} of {sent} late");
        assert!(worst <= 80, "placed up to {worst} samples from where it belongs: delay grows");
        let gone = peer - sent;
        assert!(missing <= gone + gone / 20, "{missing} frames missing, {gone} packets lost");
    }

    fn leaves_at(k: u64, speed: f64) -> i64 {
        (k as f64 * 160.0 / speed) as i64
    }

    #[test]
    fn a_clock_that_drifts_for_four_hours_does_not_move_the_sound() {
        for (ppm, seed) in [(100.0, 1), (-100.0, 2), (0.0, 3)] {
            four_hours(ppm, seed);
        }
    }

    #[test]
    fn a_way_that_becomes_longer_is_followed_within_a_fifth_of_a_second() {
        let mut playout = Playout::new(255);
        let mut whole = 0;
        for n in 0..300u64 {
            let delay = if n < 100 { 0 } else { 2400 };
            playout.place(n * 160 + delay, (n * 160) as u32, &[1; 160]);
            // Frames are taken by our clock: 2400 samples after the jump all seems late.
            while playout.next() * 160 + SLACK * 160 <= n * 160 + delay {
                whole += u64::from(playout.frame(playout.next()).unwrap().1);
                playout.advance();
            }
        }
        assert!(whole > 270, "{whole}");
    }
}
