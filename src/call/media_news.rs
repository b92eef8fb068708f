//! What the media workers tell: keys, ends of playlists and messages, silence, figures.

use super::EndReason;
use super::counters::Count;
use super::engine::{Effect, EndedBy, Engine};
use super::fact::{Fact, MediaReport};
use super::live::{KeySource, Stage};
use super::reach::News;
use crate::base::{CallId, Digit, LegId, Time};
use crate::ivr;
use crate::ivr::seam::{Input, Stored};
use crate::media::seam::{DigitSource, Event, MessageEnd, Stats};

impl Engine {
    pub(super) fn media_news(&mut self, now: Time, event: Event, out: &mut Vec<Effect>) {
        if let Some((leg, news)) = row(&event) {
            if let Some(id) = self.party_leg(leg) {
                return self.party_leg_news(now, id, leg, &event, out);
            }
            self.took_leg(leg, news);
        }
        match event {
            Event::Finished { leg, play } => {
                if let Some(id) = self.call_on(leg)
                    && self.calls.get(&id).is_some_and(|call| call.play == play)
                    && !self.greeting_over(id)
                    && !self.test_heard(now, id, out)
                    && !self.urge_said(now, id, out)
                {
                    self.touched.push(id);
                    self.todo.push_back((id, Input::PlayFinished));
                }
            }
            Event::Digit { leg, digit, source, .. } => {
                if let Some(id) = self.call_on(leg) {
                    self.counters.add(match source {
                        DigitSource::Rtp => Count::DigitsRtp,
                        DigitSource::Inband => Count::DigitsInband,
                    });
                    self.key(now, id, digit, KeySource::Media(source));
                    self.urge_keys(now, id, out);
                }
            }
            Event::Silent { leg, .. } => {
                if let Some(id) = self.call_on(leg) {
                    self.end(now, id, EndReason::MediaLost, EndedBy::Us, out);
                }
            }
            Event::Heard { .. } | Event::Back { .. } => {}
            Event::SourceMoved { .. } => self.counters.add(Count::SourceMoved),
            Event::RecordingEnded { leg, recording, length_ms, gaps_ms, failed } => {
                if let Some(call) = self.call_or_closing(leg) {
                    self.note(
                        now,
                        Fact::RecordingEnded { call, recording: recording.0, length_ms, gaps_ms, failed },
                        out,
                    );
                }
            }
            Event::MessageEnded { leg, recording, length_ms, voiced_ms, why } => {
                self.message_ended(now, leg, recording, length_ms, voiced_ms, why, out);
            }
            Event::Closed { leg, stats } => {
                if let Some(closing) = self.leg_closed(leg).filter(|closing| !closing.party) {
                    let report = report(closing.call, &stats);
                    self.note(now, Fact::MediaReport(Box::new(report)), out);
                }
            }
            Event::PortFree { port } => {
                if !self.ports.give_back(port) {
                    self.counters.add(Count::Stale);
                }
            }
            Event::Overrun { lost } => (0..lost).for_each(|_| self.counters.add(Count::MediaEventsLost)),
        }
    }

    /// The call on which this leg is not the citizen's.
    fn party_leg(&self, leg: LegId) -> Option<CallId> {
        let id = self.by_leg.get(&leg)?;
        self.calls.get(id).filter(|call| call.leg.id != leg).map(|call| call.id)
    }

    /// A party's leg: only its silence means something; its keys are its own.
    fn party_leg_news(&mut self, now: Time, id: CallId, leg: LegId, event: &Event, out: &mut Vec<Effect>) {
        match event {
            Event::Silent { .. } => self.party_silent(now, id, leg, out),
            Event::Heard { .. } | Event::Back { .. } => self.party_heard(now, id, leg, out),
            Event::SourceMoved { .. } => self.counters.add(Count::SourceMoved),
            _ => {}
        }
    }

    fn call_on(&mut self, leg: LegId) -> Option<CallId> {
        let call = self.by_leg.get(&leg).copied();
        if call.is_none() && !self.closing.contains_key(&leg) {
            self.counters.add(Count::Stale);
        }
        call
    }

    fn call_or_closing(&self, leg: LegId) -> Option<CallId> {
        self.by_leg.get(&leg).copied().or_else(|| self.closing.get(&leg).map(|closing| closing.call))
    }

    /// One press, whichever way it came; the same key by RTP and by INFO is one.
    pub(super) fn key(&mut self, now: Time, id: CallId, digit: Digit, source: KeySource) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.is_echo(now, digit, source) {
            self.counters.add(Count::DigitsDoubled);
            return;
        }
        call.last_digit = Some((digit, now, source));
        self.touched.push(id);
        if self.greeting_over(id) || self.urge_pressed(id, digit) {
            return;
        }
        self.todo.push_back((id, Input::Digit(digit)));
    }

    /// A message is safe as a file. It becomes a ticket with a number; the caller hears the number only once both are in the journal.
    /// A caller who hung up while speaking is heard all the same.
    #[allow(clippy::too_many_arguments)]
    fn message_ended(
        &mut self,
        now: Time,
        leg: LegId,
        recording: crate::media::seam::RecordingId,
        length_ms: u32,
        voiced_ms: u32,
        why: MessageEnd,
        out: &mut Vec<Effect>,
    ) {
        let Some(id) = self.call_or_closing(leg) else { return };
        let worth =
            why != MessageEnd::Failed && u128::from(voiced_ms) >= self.config.limits.message_min.as_millis();
        let live = self
            .calls
            .get(&id)
            .is_some_and(|call| matches!(call.stage, Stage::Message { recording: r } if r == recording));
        if !worth {
            if live {
                self.counters.add(Count::StoreFailed);
                self.back_to_walk(id, Input::MessageStored(Stored::Failed));
            }
            return;
        }
        self.note(now, Fact::MessageStored { call: id, recording: recording.0, length_ms }, out);
        if live {
            self.save(now, id, super::live::Saved::Message, out);
        } else {
            self.number_after_end(now, leg, id, out);
        }
    }

    pub(super) fn back_to_walk(&mut self, id: CallId, input: ivr::seam::Input) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.stage = Stage::Walking;
            self.touched.push(id);
            self.todo.push_back((id, input));
        }
    }
}

const fn row(event: &Event) -> Option<(LegId, News)> {
    Some(match *event {
        Event::Finished { leg, .. } => (leg, News::Finished),
        Event::Digit { leg, .. } => (leg, News::Key),
        Event::Heard { leg, .. } | Event::Back { leg } => (leg, News::Heard),
        Event::Silent { leg, .. } => (leg, News::Silent),
        Event::SourceMoved { leg, .. } => (leg, News::Moved),
        Event::RecordingEnded { leg, .. } => (leg, News::RecordingEnded),
        Event::MessageEnded { leg, .. } => (leg, News::MessageEnded),
        Event::Closed { leg, .. } => (leg, News::LegClosed),
        Event::PortFree { .. } | Event::Overrun { .. } => return None,
    })
}

fn report(call: CallId, stats: &Stats) -> MediaReport {
    MediaReport {
        call,
        sent: stats.sent_packets,
        received: stats.received_packets,
        lost: stats.lost_packets,
        late: stats.late_packets,
        duplicate: stats.duplicate_packets,
        foreign: stats.foreign_packets,
        jitter_us: (stats.jitter_ms.max(0.0) * 1000.0) as u32,
        mos_x100: (stats.mos.clamp(0.0, 5.0) * 100.0) as u16,
        digits: stats.digits,
        late_ticks: stats.late_ticks,
    }
}
