//! 试拨: a duty number is dialled to see who is there. Nobody speaks; whoever answers hears a short announcement and is hung up on.
//!
//! What came of it is read from the facts of that call: [`DIAL_TEST`] names the number's row, the rest is the call's own end.

use super::consulting::plain;
use super::seam::Refused;
use crate::base::reach::is_emergency;
use crate::base::{CallId, LegId, Personal, Time};
use crate::call::EndReason;
use crate::call::counters::Count;
use crate::call::engine::{Effect, EndedBy, Engine};
use crate::call::fact::Fact;
use crate::call::live::Leg;
use crate::media::seam::{Order, Piece, PlayId};
use crate::sip::seam::LocalMedia;
use rand_chacha::rand_core::Rng;
use std::net::SocketAddr;
use std::time::Duration;

/// Kind of the note by which such a call is known; its text is the row of the number.
pub const DIAL_TEST: &str = "dial_test";
/// Tests at once.
const MOST: usize = 4;
/// Who has answered is not kept longer than this.
const LONGEST: Duration = Duration::from_secs(60);
/// Who we are, and that nothing is to be done.
const ANNOUNCEMENT: &str = "dial_test";
/// Between the answer and the first word, and after the last, milliseconds.
const BREATH_MS: u16 = 500;

/// What is to be tried, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialTest {
    /// The row of the number.
    pub duty: String,
    pub number: String,
    /// The user who asks.
    pub by: String,
}

impl Engine {
    /// By the rules for all that is dialled. Emergency codes are never tried out, whatever the rules open.
    pub(in crate::call) fn dial_test(
        &mut self,
        now: Time,
        test: &DialTest,
        out: &mut Vec<Effect>,
    ) -> Result<CallId, Refused> {
        if self.desk.tests.len() >= MOST {
            return Err(Refused::Limit);
        }
        let id = self.dial_alone(now, &test.number, &test.by, LONGEST, out)?;
        let (agent, kind, note) = (test.by.clone(), DIAL_TEST.to_owned(), Personal::new(&*test.duty));
        self.note(now, Fact::CallNoted { call: id, agent, kind, note }, out);
        self.desk.tests.insert(id);
        self.counters.add(Count::DialTests);
        Ok(id)
    }

    /// Dials a number for nobody: who answers is spoken to by the machine, for so long at most. One call to a number at a time.
    pub(super) fn dial_alone(
        &mut self,
        now: Time,
        number: &str,
        by: &str,
        longest: Duration,
        out: &mut Vec<Effect>,
    ) -> Result<CallId, Refused> {
        if is_emergency(&plain(number)) {
            return Err(Refused::NotAllowed);
        }
        let (peer, number) = self.outside(number)?;
        let rings = |id: &CallId| self.calls.get(id).is_some_and(|call| call.number == *number);
        if self.desk.tests.iter().chain(self.desk.urges.keys()).any(rings) {
            return Err(Refused::TargetBusy);
        }
        if self.draining || self.calls.len() >= self.config.limits.max_calls {
            return Err(Refused::Limit);
        }
        let Some(port) = self.ports.lease() else { return Err(Refused::Limit) };
        let leg = Leg { id: LegId(self.next_leg), port, ssrc: self.rng.next_u32(), open: false };
        self.next_leg += 1;
        let sdp_session = self.rng.next_u64() >> 2;
        let addr = SocketAddr::new(self.config.media_addr, port.port);
        let media = LocalMedia { addr, codecs: self.config.ua.codecs.clone(), sdp_session };
        let from = self.own_number();
        let Ok(dialog) = self.sip(|ua, sip| ua.invite(now, peer, &number, &from, media, &[], sip)) else {
            self.ports.give_back(port.port);
            return Err(Refused::TargetBusy);
        };
        let id = self.begin_outbound(now, dialog, leg, by, None, &number, &from, peer, None, out);
        if let Some(call) = self.calls.get_mut(&id) {
            call.max_call_at = now + self.config.limits.ring_out + longest;
        }
        Ok(id)
    }

    /// Nobody of ours is on the other end of it: the machine speaks.
    pub(super) fn speaks_alone(&self, id: CallId) -> bool {
        self.is_test(id) || self.desk.urges.contains_key(&id)
    }

    pub(in crate::call) fn is_test(&self, id: CallId) -> bool {
        self.desk.tests.contains(&id)
    }

    /// He has answered and can be spoken to: once.
    pub(in crate::call) fn announce_test(&mut self, id: CallId, out: &mut Vec<Effect>) {
        if !self.is_test(id) {
            return;
        }
        let Some(clip) = self.clip(ANNOUNCEMENT) else { return };
        let Some(call) = self.calls.get_mut(&id) else { return };
        if !call.leg.open || call.answered.is_none() || call.play != PlayId(0) {
            return;
        }
        call.play = PlayId(1);
        let (leg, worker, play) = (call.leg.id, call.leg.port.worker, call.play);
        let pieces = Box::from([Piece::Pause(BREATH_MS), Piece::Clip(clip), Piece::Pause(BREATH_MS)]);
        out.push(Effect::Media { worker, order: Order::Play { leg, play, pieces } });
    }

    /// The announcement was heard: that was all. False: this is no test.
    pub(in crate::call) fn test_heard(&mut self, now: Time, id: CallId, out: &mut Vec<Effect>) -> bool {
        let test = self.is_test(id);
        if test {
            self.end(now, id, EndReason::FlowEnded, EndedBy::Us, out);
        }
        test
    }
}
