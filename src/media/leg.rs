//! One leg: what comes from the peer and what goes to it. Pure: bytes and the time in, bytes and news out.
//!
//! A leg sends a frame every 20 ms from [`Leg::open`] on. What it receives is judged ([`super::source`]), counted
//! ([`super::stats`]), placed ([`super::playout`]) and looked at for keys. Nothing here allocates once a leg is open.

use super::digits::{Digits, Key};
use super::events::Events;
use super::g711::{self, FRAME};
use super::live::Live;
use super::mixer::Sound;
use super::playlist::Playlist;
use super::playout::{Placed, Playout, SLACK};
use super::prompts::Prompts;
use super::rtp::{self, HEADER, Packet};
use super::seam::{Codec, DigitSource, Event, MessageEnd, RecordingId, Session, Stats};
use super::source::{Aim, Local, Source, Verdict};
use super::stats::{Place, Stream};
use super::take::{Frame, Ours, Take};
use super::tones::Tones;
use crate::base::{Digit, LegId, Time};
use std::net::SocketAddr;
use std::time::Duration;

mod reports;
use reports::Reports;

/// What a leg needs to know of the world at a moment.
pub struct Env<'a> {
    pub now: Time,
    pub prompts: &'a Prompts,
    pub local: &'a Local,
    /// NTP time (RFC 3550 section 4) at [`Time::ZERO`], seconds and 1/2³² s.
    pub ntp_zero: u64,
}

/// Where a leg's words go. `record` is false when there is no room; the frame is lost then.
pub trait Sink {
    fn tell(&mut self, event: Told);
    fn record(&mut self, frame: Frame) -> bool;
    fn send(&mut self, to: SocketAddr, socket: Socket, bytes: &[u8]);
}

/// An [`Event`], or one that the engine's side puts in a box.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    Event(Event),
    Closed { leg: LegId, stats: Stats },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Socket {
    Rtp,
    Rtcp,
}

/// Payload type of comfort noise (RFC 3389): a sign of life without sound.
const COMFORT_NOISE: u8 = 13;
/// Longest packet that can be 8,000 Hz speech of one byte a sample: 200 ms.
const LONGEST: usize = 1600;
/// Frames that may be made up for at once after a late tick (`attacks.md` M14).
const CATCH_UP: u32 = 2;

pub struct Leg {
    id: LegId,
    session: Box<Session>,
    ssrc: u32,
    seq: u16,
    /// Of the next packet.
    timestamp: u32,
    /// Packets we have sent, and the octets in them.
    sent: u64,
    /// The frame the next tick makes, counted from the opening.
    frame: u64,
    opened: Time,
    source: Source,
    aim: Aim,
    target: Option<SocketAddr>,
    stream: Stream,
    playout: Playout,
    /// Where its voice is on the way to others.
    live: Live,
    /// The frame from which on it hears the same others.
    voices_since: u64,
    playlist: Playlist,
    digits: Digits,
    events: Events,
    tones: Tones,
    ours: Ours,
    call: Option<Take>,
    message: Option<Take>,
    watch: Watch,
    reports: Reports,
    stats: Stats,
    heard: bool,
}

/// Silence of the peer, RTP and RTCP together.
struct Watch {
    after: Duration,
    last: Time,
    told: bool,
}

impl Leg {
    /// Where the memory is that every frame needs, for whoever can ask for it in time.
    pub fn hot(&self) -> [*const u8; 5] {
        [
            (&raw const *self.session).cast(),
            (&raw const self.seq).cast(),
            (&raw const self.playlist).cast(),
            (&raw const self.target).cast(),
            (&raw const self.stats).cast(),
        ]
    }

    pub fn open(env: &Env<'_>, id: LegId, ssrc: u32, session: Box<Session>) -> Self {
        // The engine drew the SSRC at random; the first sequence number and timestamp follow from it.
        let random = mixed(u64::from(ssrc) << 32 ^ id.0);
        let codec = session.codec;
        let mut leg = Self {
            id,
            ssrc,
            seq: random as u16,
            timestamp: (random >> 32) as u32,
            sent: 0,
            frame: 0,
            opened: env.now,
            source: Source::new(env.now, &session),
            aim: Aim::default(),
            target: None,
            stream: Stream::default(),
            playout: Playout::new(g711::silence(codec)),
            live: Live::default(),
            voices_since: 0,
            playlist: Playlist::default(),
            digits: Digits::default(),
            events: Events::default(),
            tones: Tones::default(),
            ours: Ours::default(),
            call: None,
            message: None,
            watch: Watch { after: Duration::ZERO, last: env.now, told: false },
            reports: Reports::new(env.now, random),
            stats: Stats::default(),
            heard: false,
            session,
        };
        leg.take_aim(env);
        leg
    }

    pub fn id(&self) -> LegId {
        self.id
    }

    /// A new offer and answer.
    pub fn update(&mut self, env: &Env<'_>, session: Box<Session>, sink: &mut impl Sink) {
        self.source.update(env.now, &session);
        if session.codec != self.session.codec {
            // What waits for the recorder is still in the old one.
            self.give_takes(self.frame, sink);
            self.playout.set_silence(g711::silence(session.codec));
        }
        self.session = session;
        self.aim.reset();
        self.take_aim(env);
    }

    fn take_aim(&mut self, env: &Env<'_>) {
        let to = self.source.target().filter(|_| self.session.remote.is_some());
        self.target = to.filter(|to| env.local.may_aim_at(*to, &self.session.media_nets));
    }

    pub fn playlist(&mut self) -> &mut Playlist {
        &mut self.playlist
    }
    pub fn digits(&mut self) -> &mut Digits {
        &mut self.digits
    }
    pub fn codec(&self) -> Codec {
        self.session.codec
    }
    pub fn ours(&mut self) -> &mut Ours {
        &mut self.ours
    }

    pub fn watch_silence(&mut self, now: Time, after_ms: u32) {
        self.watch = Watch { after: Duration::from_millis(after_ms.into()), last: now, told: false };
    }

    /// One datagram of the RTP port. `arrived` is the kernel's time.
    pub fn packet(
        &mut self,
        env: &Env<'_>,
        arrived: Time,
        from: SocketAddr,
        bytes: &[u8],
        sink: &mut impl Sink,
    ) {
        if rtp::is_rtcp(bytes) {
            return self.report(env, from, bytes, sink);
        }
        let Ok(packet) = rtp::read(bytes) else { return self.foreign() };
        let known = [Some(self.session.recv_pt), self.session.event_pt, Some(COMFORT_NOISE)];
        if !known.contains(&Some(packet.payload_type)) || packet.payload.len() > LONGEST {
            return self.foreign();
        }
        let fits = self.stream.place(packet.seq) != Place::Outside;
        match self.source.judge(arrived, from, &packet, fits) {
            Verdict::Foreign => return self.foreign(),
            Verdict::Ours => {}
            Verdict::NewStream => self.new_stream(),
            Verdict::Moved(to) => {
                self.new_stream();
                self.take_aim(env);
                sink.tell(Told::Event(Event::SourceMoved { leg: self.id, to }));
            }
        }
        self.alive(env.now, sink);
        if !self.heard {
            self.heard = true;
            sink.tell(Told::Event(Event::Heard { leg: self.id, at: arrived }));
        }
        let arrival = self.samples(arrived);
        if self.stream.take(packet.seq, arrival, packet.timestamp) == Place::Duplicate {
            // Ends of a key are sent three times under one timestamp, each with its own number: a true double says nothing new.
            return;
        }
        if self.session.may_receive {
            self.sound(env.now, arrival, &packet, sink);
        }
    }

    fn sound(&mut self, now: Time, arrival: u64, packet: &Packet<'_>, sink: &mut impl Sink) {
        if packet.payload_type == self.session.recv_pt {
            let placed = self.playout.place(arrival, packet.timestamp, packet.payload);
            self.stats.late_packets += u64::from(placed == Placed::Late);
        } else if Some(packet.payload_type) == self.session.event_pt {
            let (leg, digits) = (self.id, &mut self.stats.digits);
            self.events.packet(now, packet.timestamp, packet.payload, &mut |digit| {
                press(leg, digit, DigitSource::Rtp, now, digits, sink);
            });
        }
    }

    fn foreign(&mut self) {
        self.stats.foreign_packets += 1;
    }

    fn new_stream(&mut self) {
        self.keep_stream();
        self.stream = Stream::default();
        self.playout.new_stream();
        self.aim.reset();
    }

    /// A stream that ends is added to the leg's figures.
    fn keep_stream(&mut self) {
        self.stats.received_packets += self.stream.received();
        self.stats.lost_packets += self.stream.lost();
        self.stats.duplicate_packets += self.stream.duplicates();
        if self.stream.received() > 1 {
            self.stats.jitter_ms = self.stream.jitter() as f32 / 8.0;
        }
    }

    fn alive(&mut self, now: Time, sink: &mut impl Sink) {
        self.watch.last = now;
        if self.watch.told {
            self.watch.told = false;
            sink.tell(Told::Event(Event::Back { leg: self.id }));
        }
    }

    /// Samples since the leg was opened.
    fn samples(&self, at: Time) -> u64 {
        at.since(self.opened).as_nanos() as u64 / 125_000
    }

    /// `periods` of 20 ms have begun since the last tick: normally one. At most two frames are sent; the rest is a gap.
    /// `late`: it comes more than 5 ms after its time.
    pub fn tick(&mut self, env: &Env<'_>, periods: u32, late: bool, sink: &mut impl Sink) {
        for _ in 0..self.begin_tick(env, periods, late, sink) {
            self.frame(env, None, sink);
        }
        self.end_tick(env, sink);
    }

    /// The parts of [`Leg::tick`] for a leg in a bridge: how many frames are to be made now, after what is a gap.
    pub fn begin_tick(&mut self, env: &Env<'_>, periods: u32, late: bool, sink: &mut impl Sink) -> u32 {
        let skipped = periods.saturating_sub(CATCH_UP);
        self.stats.late_ticks += u32::from(late);
        self.timestamp = self.timestamp.wrapping_add(skipped.wrapping_mul(FRAME as u32));
        self.live.skip(skipped);
        for _ in 0..skipped {
            self.ours.keep(self.frame, &[g711::silence(self.session.codec); FRAME], false);
            self.next_frame(env, sink);
        }
        periods - skipped
    }

    /// One frame to the peer, and one of its own taken. `others`: what it hears of others; `None` when it hears none.
    pub fn frame(&mut self, env: &Env<'_>, others: Option<&Sound>, sink: &mut impl Sink) {
        self.send_frame(env, others, sink);
        self.next_frame(env, sink);
    }

    pub fn end_tick(&mut self, env: &Env<'_>, sink: &mut impl Sink) {
        let (leg, now, digits) = (self.id, env.now, &mut self.stats.digits);
        self.events.tick(now, &mut |digit| press(leg, digit, DigitSource::Rtp, now, digits, sink));
        self.look_for_silence(env.now, sink);
        self.report_when_due(env, sink);
    }

    fn send_frame(&mut self, env: &Env<'_>, others: Option<&Sound>, sink: &mut impl Sink) {
        let mut bytes = [0; HEADER + FRAME];
        let (head, sound) = bytes.split_at_mut(HEADER);
        let (Ok(head), Ok(sound)): (Result<&mut [u8; HEADER], _>, Result<&mut Sound, _>) =
            (head.try_into(), sound.try_into())
        else {
            return;
        };
        let (codec, timestamp) = (self.session.codec, self.timestamp);
        let key = self.digits.frame(self.session.send_event_pt, timestamp, codec, sound);
        let voices = key.is_none() && others.is_some() && !self.playlist.is_playing();
        match key {
            Some(Key::Event { .. }) => sound.fill(g711::silence(codec)),
            Some(Key::Tones) => {}
            None => {
                if let Some(play) = self.playlist.fill(env.prompts, codec, others, sound) {
                    sink.tell(Told::Event(Event::Finished { leg: self.id, play }));
                }
            }
        }
        self.timestamp = timestamp.wrapping_add(FRAME as u32);
        let trusted = self.session.media_nets.is_empty() || self.source.is_proven() || self.is_listed();
        let to = self.target.filter(|_| self.session.may_send && self.aim.may_send(trusted));
        let Some(to) = to else {
            // The caller hears nothing, and so the recording says.
            self.ours.keep(self.frame, &[g711::silence(codec); FRAME], false);
            return;
        };
        self.ours.keep(self.frame, sound, voices);
        let mut length = FRAME;
        if let Some(Key::Event { payload_type, first, timestamp, payload }) = key {
            rtp::write(head, first, payload_type, self.seq, timestamp, self.ssrc);
            length = payload.len();
            sound[..length].copy_from_slice(&payload);
        } else {
            rtp::write(head, self.sent == 0, self.session.send_pt, self.seq, timestamp, self.ssrc);
        }
        self.seq = self.seq.wrapping_add(1);
        self.sent += 1;
        sink.send(to, Socket::Rtp, &bytes[..HEADER + length]);
    }

    /// The voice of this tick for those who hear it; false when nothing is there to be heard.
    pub fn speak(&mut self, env: &Env<'_>, into: &mut Sound) -> bool {
        let now = self.samples(env.now) as i64;
        let table = g711::table(self.session.codec);
        self.session.may_receive && self.live.take(now, &self.playout, table, into)
    }

    /// Nobody hears it now.
    pub fn rest(&mut self) {
        self.live.rest();
    }

    /// It hears others than before from the next frame on.
    pub fn hears_others(&mut self) {
        self.voices_since = self.frame;
    }

    /// The moment for which a recording now wants what was heard of others, if it does.
    pub fn wants_voices(&self) -> Option<Time> {
        let index = self.frame.checked_sub(SLACK).filter(|index| *index >= self.voices_since)?;
        (self.call.is_some() && self.ours.is_voices(index))
            .then(|| self.opened + Duration::from_millis(index * 20))
    }

    /// What others said at that moment.
    pub fn put_voices(&mut self, sound: &Sound) {
        if let Some(index) = self.frame.checked_sub(SLACK) {
            self.ours.put_voices(index, sound);
        }
    }

    /// What it said at a moment of the last 80 ms or so, late packets and all; false when that was nothing.
    pub fn said_at(&self, at: Time, into: &mut Sound) -> bool {
        at >= self.opened && self.playout.read(self.samples(at) as i64, into)
    }

    fn is_listed(&self) -> bool {
        self.target.is_some_and(|to| self.session.media_nets.iter().any(|net| net.contains(to.ip())))
    }

    /// Our frame is made; the received one that has waited long enough is taken.
    fn next_frame(&mut self, env: &Env<'_>, sink: &mut impl Sink) {
        self.frame += 1;
        let Some(ready) = self.frame.checked_sub(SLACK) else { return };
        self.give_takes(ready, sink);
        while self.playout.next() < ready {
            if self.session.event_pt.is_none() && self.session.may_receive {
                self.look_for_tones(env.now, sink);
            }
            self.playout.advance();
        }
    }

    fn look_for_tones(&mut self, now: Time, sink: &mut impl Sink) {
        let Some((frame, came)) = self.playout.frame(self.playout.next()) else { return };
        let digit = self.tones.frame(came.then_some(frame), g711::table(self.session.codec));
        if let Some(digit) = digit {
            press(self.id, digit, DigitSource::Inband, now, &mut self.stats.digits, sink);
        }
    }

    fn give_takes(&mut self, upto: u64, sink: &mut impl Sink) {
        let codec = self.session.codec;
        let mut over = None;
        if let Some(take) = &mut self.call {
            take.give(self.id, upto, codec, &self.playout, &self.ours, &mut |frame| sink.record(frame));
        }
        if let Some(take) = &mut self.message {
            over =
                take.give(self.id, upto, codec, &self.playout, &self.ours, &mut |frame| sink.record(frame));
        }
        if let Some(why) = over
            && let Some(take) = self.message.take()
        {
            sink.record(take.end(self.id, why));
        }
    }

    fn look_for_silence(&mut self, now: Time, sink: &mut impl Sink) {
        let quiet = now.since(self.watch.last);
        if self.watch.after > Duration::ZERO && !self.watch.told && quiet >= self.watch.after {
            self.watch.told = true;
            let for_ms = u32::try_from(quiet.as_millis()).unwrap_or(u32::MAX);
            sink.tell(Told::Event(Event::Silent { leg: self.id, for_ms }));
        }
    }

    pub fn record(&mut self, recording: RecordingId, sink: &mut impl Sink) {
        self.stop_recording(sink);
        self.call = Some(Take::call(recording, self.frame));
    }

    pub fn stop_recording(&mut self, sink: &mut impl Sink) {
        let Some(mut take) = self.call.take() else { return };
        // Whatever has not come by now is left out.
        take.give(self.id, self.frame, self.session.codec, &self.playout, &self.ours, &mut |f| {
            sink.record(f)
        });
        sink.record(take.end(self.id, MessageEnd::Stopped));
    }

    pub fn start_message(
        &mut self,
        recording: RecordingId,
        max_ms: u32,
        silence_ms: u32,
        sink: &mut impl Sink,
    ) {
        self.stop_message(sink);
        self.message = Some(Take::message(recording, self.frame, max_ms, silence_ms));
    }

    pub fn stop_message(&mut self, sink: &mut impl Sink) {
        let Some(mut take) = self.message.take() else { return };
        let codec = self.session.codec;
        let over = take.give(self.id, self.frame, codec, &self.playout, &self.ours, &mut |f| sink.record(f));
        sink.record(take.end(self.id, over.unwrap_or(MessageEnd::Stopped)));
    }

    /// The leg ends: its recordings, a goodbye, its figures.
    pub fn close(mut self, env: &Env<'_>, sink: &mut impl Sink) {
        self.stop_message(sink);
        self.stop_recording(sink);
        self.send_report(env, true, sink);
        sink.tell(Told::Closed { leg: self.id, stats: self.stats() });
    }

    /// The figures as they are now.
    pub fn stats(&mut self) -> Stats {
        let kept = self.stats;
        self.keep_stream();
        let mut stats = std::mem::replace(&mut self.stats, kept);
        stats.sent_packets = self.sent;
        let missed = stats.lost_packets + stats.late_packets;
        let expected = stats.lost_packets + stats.received_packets;
        let lost = if expected == 0 { 0.0 } else { missed as f32 / expected as f32 };
        stats.mos = super::mos::mos(lost, self.reports.round_trip_ms as f32 / 2.0, stats.jitter_ms);
        stats
    }
}

fn press(leg: LegId, digit: Digit, source: DigitSource, at: Time, count: &mut u32, sink: &mut impl Sink) {
    *count += 1;
    sink.tell(Told::Event(Event::Digit { leg, digit, source, at }));
}

/// Spreads the bits of a random number (the finalizer of SplitMix64).
fn mixed(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests;
