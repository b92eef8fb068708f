//! What goes to the recorder, a frame of 20 ms at a time: both channels of a call, or a message.

use super::activity::{Activity, Sounds};
use super::g711::{self, FRAME};
use super::playout::Playout;
use super::seam::{Codec, MessageEnd, RecordingGap, RecordingId};
use crate::base::LegId;

/// One frame for the recorder. Self-contained: the first of a recording opens its file, a jump of `index` is a gap.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    pub leg: LegId,
    pub recording: RecordingId,
    pub what: What,
    /// Frames since the recording began.
    pub index: u32,
}

#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant)] // It lives in a ring of fixed places; a box would be an allocation a frame.
pub enum What {
    /// Caller left, what the caller hears right.
    Call {
        codec: Codec,
        gap: Option<RecordingGap>,
        caller: [u8; FRAME],
        ours: [u8; FRAME],
    },
    Message {
        codec: Codec,
        gap: Option<RecordingGap>,
        caller: [u8; FRAME],
    },
    /// There is no more; `index` frames are all.
    CallEnds,
    MessageEnds {
        why: MessageEnd,
        voiced_ms: u32,
    },
}

/// Frames of our own sound kept until the caller's are ready.
const OURS: usize = 8;

/// What was sent and what must not be recorded, by frame, while the caller's sound is still waited for.
#[derive(Clone, Debug)]
pub struct Ours {
    sound: [[u8; FRAME]; OURS],
    gap: [Option<RecordingGap>; OURS],
    /// The frame was nothing but others' voices.
    voices: [bool; OURS],
    sensitive: bool,
    paused: bool,
}

impl Default for Ours {
    fn default() -> Self {
        Self {
            sound: [[0; FRAME]; OURS],
            gap: [None; OURS],
            voices: [false; OURS],
            sensitive: false,
            paused: false,
        }
    }
}

impl Ours {
    pub fn set_gap(&mut self, why: RecordingGap, on: bool) {
        match why {
            RecordingGap::Sensitive => self.sensitive = on,
            RecordingGap::Paused => self.paused = on,
            // The recorder's own word.
            RecordingGap::Overrun => {}
        }
    }
    /// What the caller hears in frame `index`; `voices`: it is others' voices and nothing else.
    pub fn keep(&mut self, index: u64, sound: &[u8; FRAME], voices: bool) {
        let slot = index as usize % OURS;
        self.voices[slot] = voices;
        self.sound[slot] = *sound;
        self.gap[slot] = match (self.sensitive, self.paused) {
            (true, _) => Some(RecordingGap::Sensitive),
            (false, true) => Some(RecordingGap::Paused),
            (false, false) => None,
        };
    }
    pub fn is_voices(&self, index: u64) -> bool {
        self.voices[index as usize % OURS]
    }
    /// The voices of frame `index` as they were said at its moment: sent, they were a little behind it.
    pub fn put_voices(&mut self, index: u64, sound: &[u8; FRAME]) {
        self.sound[index as usize % OURS] = *sound;
    }
    fn at(&self, index: u64) -> (&[u8; FRAME], Option<RecordingGap>) {
        let slot = index as usize % OURS;
        (&self.sound[slot], self.gap[slot])
    }
}

/// One recording of a leg.
#[derive(Clone, Debug)]
pub struct Take {
    pub recording: RecordingId,
    /// The leg's frame it began with, and the next one to give.
    began: u64,
    next: u64,
    pub kind: Kind,
}

#[derive(Clone, Debug)]
pub enum Kind {
    Call,
    Message(Message),
}

#[derive(Clone, Debug)]
pub struct Message {
    max_frames: u64,
    /// 0: silence does not end it.
    silence_frames: u64,
    silent: u64,
    voiced: u32,
    activity: Activity,
}

/// Longest message whatever was asked for, frames: one hour.
const MESSAGE_MAX: u64 = 3600 * 50;

impl Take {
    pub fn call(recording: RecordingId, frame: u64) -> Self {
        Self { recording, began: frame, next: frame, kind: Kind::Call }
    }

    pub fn message(recording: RecordingId, frame: u64, max_ms: u32, silence_ms: u32) -> Self {
        let message = Message {
            max_frames: u64::from(max_ms.div_ceil(20)).clamp(1, MESSAGE_MAX),
            silence_frames: u64::from(silence_ms.div_ceil(20)),
            silent: 0,
            voiced: 0,
            activity: Activity::default(),
        };
        Self { recording, began: frame, next: frame, kind: Kind::Message(message) }
    }

    /// Gives every frame before `upto` that has not been given. Says when a message ends of itself.
    pub fn give(
        &mut self,
        leg: LegId,
        upto: u64,
        codec: Codec,
        playout: &Playout,
        ours: &Ours,
        record: &mut impl FnMut(Frame) -> bool,
    ) -> Option<MessageEnd> {
        while self.next < upto {
            let index = self.next;
            self.next += 1;
            let silence = [g711::silence(codec); FRAME];
            let (caller, came) = playout.frame(index).unwrap_or((&silence, false));
            let (sound, gap) = ours.at(index);
            let place = (index - self.began) as u32;
            let what = match &mut self.kind {
                Kind::Call => What::Call { codec, gap, caller: *caller, ours: *sound },
                Kind::Message(message) => {
                    message.hear(came.then_some(caller), codec);
                    What::Message { codec, gap, caller: *caller }
                }
            };
            // A full ring loses the frame; the recorder sees the jump and lists it.
            record(Frame { leg, recording: self.recording, what, index: place });
            if let Kind::Message(message) = &self.kind
                && let Some(end) = message.is_over(self.next - self.began)
            {
                return Some(end);
            }
        }
        None
    }

    /// The last frame of all.
    pub fn end(&self, leg: LegId, why: MessageEnd) -> Frame {
        let what = match &self.kind {
            Kind::Call => What::CallEnds,
            Kind::Message(message) => What::MessageEnds { why, voiced_ms: message.voiced * 20 },
        };
        Frame { leg, recording: self.recording, what, index: (self.next - self.began) as u32 }
    }
}

impl Message {
    fn hear(&mut self, frame: Option<&[u8; FRAME]>, codec: Codec) {
        match self.activity.frame(frame, g711::table(codec)) {
            Sounds::Loud => {
                self.voiced += 1;
                self.silent = 0;
            }
            Sounds::Between => self.silent = 0,
            Sounds::Quiet => self.silent += 1,
        }
    }
    fn is_over(&self, frames: u64) -> Option<MessageEnd> {
        if frames >= self.max_frames {
            return Some(MessageEnd::TooLong);
        }
        (self.silence_frames > 0 && self.silent >= self.silence_frames).then_some(MessageEnd::Silence)
    }
}
