//! 语音催签: the machine telephones a unit that has not signed for an urgent ticket. Whoever answers hears what it is about and where, and
//! says by key 1 that he has heard it.
//!
//! ```text
//!  dialled ──answers──▶ told ──1──▶ "it is noted" ──▶ over: heard
//!     │                  │ 2: again; three times in all
//!     │                  └──nothing──▶ "somebody else is told" ──▶ over: unheard
//!     └─busy, no answer, refused─────────────────────────────────▶ over
//!  signed meanwhile: who is told hears so, who is rung is not rung any more
//! ```
//!
//! What came of it is read from the facts of that call: [`VOICE_URGE`] names the attempt, [`URGE_HEARD`] the key. Whom to call, when and how
//! often is the loop's to say (`ticket::cycle::urging`).

use super::seam::Refused;
use crate::base::{CallId, Digit, Personal, Time};
use crate::call::EndReason;
use crate::call::counters::Count;
use crate::call::engine::{Effect, EndedBy, Engine};
use crate::call::fact::Fact;
use crate::media::seam::{ClipId, Order, Piece, PlayId};
use std::time::Duration;

/// Kinds of the notes by which such a call, and its being heard, are known.
pub const VOICE_URGE: &str = "voice_urge";
pub const URGE_HEARD: &str = "urge_heard";
/// Who dials, in the call's record.
pub const BY: &str = "voice_urge";
/// At once: they keep no citizen from a line.
const MOST: usize = 4;
/// Nobody is kept longer than this.
const LONGEST: Duration = Duration::from_secs(150);
/// It is said so often to who presses nothing.
const SAID_MOST: u8 = 3;
/// Before the first word, between the parts, and for the key after the last, milliseconds.
const BREATH_MS: u16 = 500;
const PAUSE_MS: u16 = 250;
const KEY_MS: u16 = 5_000;
/// Said at the end, by what it came to.
const HEARD: &str = "urge_heard";
const SIGNED: &str = "urge_signed";
const UNHEARD: &str = "urge_bye";

/// What is to be said to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoiceUrge {
    /// The attempt's own id.
    pub attempt: String,
    pub number: String,
    /// Clips in their order. What is not there is left out; there is always the first.
    pub clips: Vec<String>,
}

/// One that is being told.
#[derive(Clone, Debug)]
pub struct Urge {
    pieces: Box<[Piece]>,
    said: u8,
    pressed: Option<Digit>,
    /// The last words are being said.
    leaving: bool,
}

impl Engine {
    /// By the rules for all that is dialled.
    pub(in crate::call) fn voice_urge(
        &mut self,
        now: Time,
        urge: &VoiceUrge,
        out: &mut Vec<Effect>,
    ) -> Result<CallId, Refused> {
        if self.desk.urges.len() >= MOST {
            return Err(Refused::Limit);
        }
        let clips: Vec<ClipId> = urge.clips.iter().filter_map(|name| self.clip(name)).collect();
        if clips.is_empty() {
            // A telephone that rings for silence urges nobody.
            return Err(Refused::NotAllowed);
        }
        let id = self.dial_alone(now, &urge.number, BY, LONGEST, out)?;
        let (kind, note) = (VOICE_URGE.to_owned(), Personal::new(&*urge.attempt));
        self.note(now, Fact::CallNoted { call: id, agent: BY.to_owned(), kind, note }, out);
        let spoken = clips.into_iter().flat_map(|clip| [Piece::Clip(clip), Piece::Pause(PAUSE_MS)]);
        let pieces =
            std::iter::once(Piece::Pause(BREATH_MS)).chain(spoken).chain([Piece::Pause(KEY_MS)]).collect();
        self.desk.urges.insert(id, Urge { pieces, said: 0, pressed: None, leaving: false });
        self.counters.add(Count::VoiceUrges);
        Ok(id)
    }

    /// He has answered and can be spoken to: once.
    pub(in crate::call) fn announce_urge(&mut self, id: CallId, out: &mut Vec<Effect>) {
        let ready = |call: &crate::call::live::Call| {
            call.leg.open && call.answered.is_some() && call.play == PlayId(0)
        };
        if self.calls.get(&id).is_some_and(ready) {
            self.say_urge(id, out);
        }
    }

    fn say_urge(&mut self, id: CallId, out: &mut Vec<Effect>) {
        let Some(urge) = self.desk.urges.get_mut(&id) else { return };
        urge.said += 1;
        let pieces = urge.pieces.clone();
        self.say_alone(id, pieces, out);
    }

    fn say_alone(&mut self, id: CallId, pieces: Box<[Piece]>, out: &mut Vec<Effect>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.play = PlayId(call.play.0 + 1);
        let (leg, worker, play) = (call.leg.id, call.leg.port.worker, call.play);
        out.push(Effect::Media { worker, order: Order::Play { leg, play, pieces } });
    }

    /// The last words, and then the end.
    fn urge_leaves(&mut self, now: Time, id: CallId, clip: &str, out: &mut Vec<Effect>) {
        let Some(urge) = self.desk.urges.get_mut(&id) else { return };
        urge.leaving = true;
        match self.clip(clip) {
            Some(clip) => {
                let pieces = Box::from([Piece::Pause(PAUSE_MS), Piece::Clip(clip), Piece::Pause(BREATH_MS)]);
                self.say_alone(id, pieces, out);
            }
            None => self.end(now, id, EndReason::FlowEnded, EndedBy::Us, out),
        }
    }

    /// All was said. False: this call is another.
    pub(in crate::call) fn urge_said(&mut self, now: Time, id: CallId, out: &mut Vec<Effect>) -> bool {
        let Some((leaving, said)) = self.desk.urges.get(&id).map(|urge| (urge.leaving, urge.said)) else {
            return false;
        };
        if leaving {
            self.end(now, id, EndReason::FlowEnded, EndedBy::Us, out);
        } else if said < SAID_MOST {
            self.say_urge(id, out);
        } else {
            self.urge_leaves(now, id, UNHEARD, out);
        }
        true
    }

    /// False: this call is another, its keys are its walk's.
    pub(in crate::call) fn urge_pressed(&mut self, id: CallId, digit: Digit) -> bool {
        let Some(urge) = self.desk.urges.get_mut(&id) else { return false };
        urge.pressed = Some(digit);
        true
    }

    /// What the key he pressed last means.
    pub(in crate::call) fn urge_keys(&mut self, now: Time, id: CallId, out: &mut Vec<Effect>) {
        let Some(urge) = self.desk.urges.get_mut(&id) else { return };
        let Some(digit) = urge.pressed.take().filter(|_| !urge.leaving) else { return };
        match digit.as_char() {
            '1' => {
                let (kind, note) = (URGE_HEARD.to_owned(), Personal::default());
                self.note(now, Fact::CallNoted { call: id, agent: BY.to_owned(), kind, note }, out);
                self.counters.add(Count::VoiceUrgesHeard);
                self.urge_leaves(now, id, HEARD, out);
            }
            '2' => {
                let again = urge.said < SAID_MOST;
                if again {
                    self.say_urge(id, out);
                }
            }
            _ => {}
        }
    }

    /// It has been signed for meanwhile: nobody is told of it any more.
    pub(in crate::call) fn urge_over(&mut self, now: Time, id: CallId, out: &mut Vec<Effect>) {
        let Some(urge) = self.desk.urges.get(&id) else { return };
        let leaving = urge.leaving;
        let answered = self.calls.get(&id).is_some_and(|call| call.answered.is_some());
        match (answered, leaving) {
            (_, true) => {}
            (true, false) => self.urge_leaves(now, id, SIGNED, out),
            (false, false) => self.end(now, id, EndReason::ForcedByStaff, EndedBy::Us, out),
        }
    }
}
