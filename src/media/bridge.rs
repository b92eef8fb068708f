//! Legs that hear each other: one frame of a bridge. Pure.
//!
//! ```text
//!  all members' packets received ─▶ each voice taken once ─▶ a mix for each listener ─▶ all members' frames sent
//! ```
//!
//! All members are served in one slot, so a voice waits for its listeners no longer than for its own next frame.

use super::leg::{Env, Leg, Sink};
use super::mixer::{Mixer, Sound, seats};
use super::seam::MEMBERS_MAX;

/// Who hears whom, by seat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hearing([u16; MEMBERS_MAX]);

impl Hearing {
    /// Nobody hears himself, whatever was asked for.
    pub fn set(&mut self, seat: usize, hears: u16) {
        if let Some(own) = self.0.get_mut(seat) {
            *own = hears & !(1 << seat);
        }
    }
    /// A member left: he hears nobody, and nobody hears him.
    pub fn leave(&mut self, seat: usize) {
        for (n, hears) in self.0.iter_mut().enumerate() {
            *hears = if n == seat { 0 } else { *hears & !(1 << seat) };
        }
    }
    pub fn of(&self, seat: usize) -> u16 {
        self.0.get(seat).copied().unwrap_or(0)
    }
    /// Seats that anyone hears.
    fn heard(&self) -> u16 {
        self.0.iter().fold(0, |all, hears| all | hears)
    }
}

/// The legs of a bridge, by seat, each with the way to its sockets.
pub trait Members {
    type Sink: Sink;
    fn at(&mut self, seat: usize) -> Option<(&mut Leg, &mut Self::Sink)>;
}

/// Room for the voices of a frame; one is enough for any number of bridges.
#[derive(Default)]
pub struct Desk {
    voices: Mixer,
    /// What was said a while ago, for recordings.
    past: Mixer,
    recorded: [Option<Sound>; MEMBERS_MAX],
}

impl Desk {
    /// One frame of 20 ms: the seats of `due` are sent one; the others of `members` are only heard.
    pub fn frame(
        &mut self,
        env: &Env<'_>,
        hearing: &Hearing,
        all: u16,
        due: u16,
        members: &mut impl Members,
    ) {
        self.take_voices(env, hearing.heard(), all, members);
        // Before any leg moves on by a frame and forgets the oldest it has.
        for seat in seats(due) {
            self.look_back(hearing.of(seat), seat, members);
        }
        for seat in seats(due) {
            let Some((leg, sink)) = members.at(seat) else { continue };
            if let Some(sound) = &self.recorded[seat] {
                leg.put_voices(sound);
            }
            let hears = hearing.of(seat);
            let mut sound = [0; super::g711::FRAME];
            if hears != 0 {
                self.voices.mix(hears, leg.codec(), &mut sound);
            }
            leg.frame(env, (hears != 0).then_some(&sound), sink);
        }
    }

    fn take_voices(&mut self, env: &Env<'_>, heard: u16, all: u16, members: &mut impl Members) {
        self.voices.clear();
        for seat in seats(all) {
            let Some((leg, _)) = members.at(seat) else { continue };
            if heard >> seat & 1 == 1 {
                self.voices.voice(seat, leg.codec(), |sound| leg.speak(env, sound));
            } else {
                leg.rest();
            }
        }
    }

    /// What a recorded member heard at the moment his own recorded frame was said: both sides of the file in step, however
    /// long a voice waited on its way to him.
    fn look_back(&mut self, hears: u16, seat: usize, members: &mut impl Members) {
        self.recorded[seat] = None;
        let Some((leg, _)) = members.at(seat) else { return };
        let (Some(at), codec) = (leg.wants_voices(), leg.codec()) else { return };
        self.past.clear();
        for other in seats(hears) {
            let Some((leg, _)) = members.at(other) else { continue };
            self.past.voice(other, leg.codec(), |sound| leg.said_at(at, sound));
        }
        let mut sound = [0; super::g711::FRAME];
        self.past.mix(hears, codec, &mut sound);
        self.recorded[seat] = Some(sound);
    }
}

#[cfg(test)]
mod tests;
