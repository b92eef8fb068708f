//! One leg: what comes from the peer and what goes to it. Pure: bytes and the time in, bytes and news out.
//!
//! A leg sends a frame every 20 ms from [`Leg::open`] on. What it receives is judged ([`super::source`]), counted
//! ([`super::stats`]), placed ([`super::playout`]) and looked at for keys. Nothing here allocates once a leg is open.

use super::events::Events;
use super::g711::{self, FRAME};
use super::playlist::Playlist;
use super::playout::{Placed, Playout, SLACK};
use super::prompts::Prompts;
use super::rtcp;
use super::rtp::{self, HEADER, Packet};
use super::seam::{DigitSource, Event, MessageEnd, RecordingId, Session, Stats};
use super::source::{Aim, Local, Source, Verdict};
use super::stats::{Place, Stream};
use super::take::{Frame, Ours, Take};
use super::tones::Tones;
use crate::base::{Digit, LegId, Time};
use std::net::SocketAddr;
use std::time::Duration;

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

/// Time between our reports (RFC 3550 section 6.2).
const REPORT: Duration = Duration::from_secs(5);
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
    playlist: Playlist,
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

struct Reports {
    next: Time,
    /// The middle of the NTP time of the peer's last sender report, and when it came.
    peer: Option<(u32, Time)>,
    round_trip_ms: u32,
}

impl Leg {
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
            playlist: Playlist::default(),
            events: Events::default(),
            tones: Tones::default(),
            ours: Ours::default(),
            call: None,
            message: None,
            watch: Watch { after: Duration::ZERO, last: env.now, told: false },
            // Spread, so that legs opened together do not report together.
            reports: Reports {
                next: env.now + REPORT / 2 + Duration::from_millis(random % 2500),
                peer: None,
                round_trip_ms: 0,
            },
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

    /// One datagram of RTCP. Reports of strangers and broken ones change nothing; a BYE is only a hint (M6).
    pub fn report(&mut self, env: &Env<'_>, from: SocketAddr, bytes: &[u8], sink: &mut impl Sink) {
        if !self.source.may_report(from.ip()) {
            return self.foreign();
        }
        let Ok(report) = rtcp::read(bytes, self.ssrc) else { return self.foreign() };
        if self.source.ssrc().is_some_and(|ssrc| ssrc != report.sender) {
            return self.foreign();
        }
        self.alive(env.now, sink);
        if let Some(ntp) = report.sender_ntp {
            self.reports.peer = Some((ntp, env.now));
        }
        if let Some(block) = report.about_us {
            self.stats.peer_fraction_lost = Some(block.fraction_lost);
            if let Some(ms) = rtcp::round_trip_ms(&block, middle(ntp(env))) {
                self.reports.round_trip_ms = ms;
            }
        }
    }

    /// `periods` of 20 ms have begun since the last tick: normally one. At most two frames are sent; the rest is a gap.
    /// `late`: it comes more than 5 ms after its time.
    pub fn tick(&mut self, env: &Env<'_>, periods: u32, late: bool, sink: &mut impl Sink) {
        let skipped = periods.saturating_sub(CATCH_UP);
        self.stats.late_ticks += u32::from(late);
        self.timestamp = self.timestamp.wrapping_add(skipped.wrapping_mul(FRAME as u32));
        for _ in 0..skipped {
            self.ours.keep(self.frame, &[g711::silence(self.session.codec); FRAME]);
            self.next_frame(env, sink);
        }
        for _ in skipped..periods {
            self.send_frame(env, sink);
            self.next_frame(env, sink);
        }
        let (leg, now, digits) = (self.id, env.now, &mut self.stats.digits);
        self.events.tick(now, &mut |digit| press(leg, digit, DigitSource::Rtp, now, digits, sink));
        self.look_for_silence(env.now, sink);
        if env.now >= self.reports.next {
            self.reports.next = env.now + REPORT;
            self.send_report(env, false, sink);
        }
    }

    fn send_frame(&mut self, env: &Env<'_>, sink: &mut impl Sink) {
        let mut bytes = [0; HEADER + FRAME];
        let (head, sound) = bytes.split_at_mut(HEADER);
        let (Ok(head), Ok(sound)): (Result<&mut [u8; HEADER], _>, Result<&mut [u8; FRAME], _>) =
            (head.try_into(), sound.try_into())
        else {
            return;
        };
        let codec = self.session.codec;
        if let Some(play) = self.playlist.fill(env.prompts, codec, sound) {
            sink.tell(Told::Event(Event::Finished { leg: self.id, play }));
        }
        let timestamp = self.timestamp;
        self.timestamp = timestamp.wrapping_add(FRAME as u32);
        let trusted = self.session.media_nets.is_empty() || self.source.is_proven() || self.is_listed();
        let to = self.target.filter(|_| self.session.may_send && self.aim.may_send(trusted));
        if let Some(to) = to {
            rtp::write(head, self.sent == 0, self.session.send_pt, self.seq, timestamp, self.ssrc);
            self.seq = self.seq.wrapping_add(1);
            self.sent += 1;
            self.ours.keep(self.frame, sound);
            sink.send(to, Socket::Rtp, &bytes);
        } else {
            // The caller hears nothing, and so the recording says.
            self.ours.keep(self.frame, &[g711::silence(codec); FRAME]);
        }
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

    fn send_report(&mut self, env: &Env<'_>, bye: bool, sink: &mut impl Sink) {
        let Some((to, socket)) = self.report_target(env) else { return };
        let heard = self.source.ssrc().map(|ssrc| (ssrc, self.block(env)));
        let sent = (self.sent > 0).then(|| rtcp::Sent {
            ntp: ntp(env),
            timestamp: self.timestamp,
            packets: self.sent as u32,
            octets: (self.sent * FRAME as u64) as u32,
        });
        let mut room = [0; rtcp::ROOM];
        let cname = mixed(u64::from(self.ssrc));
        let length = rtcp::write(&mut room, self.ssrc, cname, sent, heard, bye);
        sink.send(to, socket, &room[..length]);
    }

    fn report_target(&self, env: &Env<'_>) -> Option<(SocketAddr, Socket)> {
        let target = self.target?;
        let to = match self.session.remote_rtcp {
            mux if mux.is_some() && mux == self.session.remote => return Some((target, Socket::Rtp)),
            Some(named) if Some(target) == self.session.remote => named,
            _ => SocketAddr::new(target.ip(), target.port().checked_add(1)?),
        };
        // A named address gets reports only where it could get sound.
        let fine = env.local.may_aim_at(to, &self.session.media_nets);
        let same = to.ip() == target.ip() || self.session.media_nets.iter().any(|net| net.contains(to.ip()));
        (fine && same).then_some((to, Socket::Rtcp))
    }

    fn block(&mut self, env: &Env<'_>) -> rtcp::Block {
        let (last_sr, delay) = self.reports.peer.map_or((0, 0), |(ntp, at)| {
            (ntp, (env.now.since(at).as_nanos().saturating_mul(65_536) / 1_000_000_000) as u32)
        });
        rtcp::Block {
            fraction_lost: self.stream.fraction_lost(),
            lost: self.stream.lost().min(0x7F_FFFF) as i32,
            highest_seq: self.stream.highest(),
            jitter: self.stream.jitter(),
            last_sr,
            delay,
        }
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

fn ntp(env: &Env<'_>) -> u64 {
    let ns = u128::from(env.now.as_nanos());
    env.ntp_zero.wrapping_add(((ns << 32) / 1_000_000_000) as u64)
}

fn middle(ntp: u64) -> u32 {
    (ntp >> 16) as u32
}

/// Spreads the bits of a random number (the finalizer of SplitMix64).
fn mixed(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests;
