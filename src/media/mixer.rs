//! Who hears what in a frame: sums of those a listener hears, clipped at full scale. Pure.
//!
//! Samples are added in 32 bits, so that a sum does not depend on its order and nobody's own voice leaves a trace in what he
//! hears (mix-minus): twelve voices at full scale are 19 bits.

use super::g711::{self, FRAME};
use super::seam::{Codec, MEMBERS_MAX};

/// A frame in a codec's bytes.
pub type Sound = [u8; FRAME];

/// The voices of one frame, by seat. Room for them is kept from frame to frame.
#[derive(Clone, Debug)]
pub struct Mixer {
    bytes: [Sound; MEMBERS_MAX],
    codecs: [Codec; MEMBERS_MAX],
    samples: [[i16; FRAME]; MEMBERS_MAX],
    /// Of all voices; made once two are mixed for anyone.
    total: [i32; FRAME],
    /// Seats that speak in this frame, and whether `samples` and `total` are made.
    speaking: u16,
    totalled: bool,
}

impl Default for Mixer {
    fn default() -> Self {
        Self {
            bytes: [[0; FRAME]; MEMBERS_MAX],
            codecs: [Codec::Pcma; MEMBERS_MAX],
            samples: [[0; FRAME]; MEMBERS_MAX],
            total: [0; FRAME],
            speaking: 0,

            totalled: false,
        }
    }
}

impl Mixer {
    /// Another frame: nobody has spoken yet.
    pub fn clear(&mut self) {
        (self.speaking, self.totalled) = (0, false);
    }

    /// The place of a seat's voice. What `fill` leaves there counts when it says so.
    pub fn voice(&mut self, seat: usize, codec: Codec, fill: impl FnOnce(&mut Sound) -> bool) {
        let Some(bytes) = self.bytes.get_mut(seat) else { return };
        self.codecs[seat] = codec;
        if fill(bytes) {
            self.speaking |= 1 << seat;
        }
    }

    /// What one who hears `hears` hears in `codec`: a lone voice of his own codec byte by byte, else the sum.
    pub fn mix(&mut self, hears: u16, codec: Codec, into: &mut Sound) {
        let heard = hears & self.speaking;
        match heard.count_ones() {
            0 => into.fill(g711::silence(codec)),
            1 => self.lone(heard.trailing_zeros() as usize, codec, into),
            _ => self.sum(heard, codec, into),
        }
    }

    fn lone(&self, seat: usize, codec: Codec, into: &mut Sound) {
        if self.codecs[seat] == codec {
            *into = self.bytes[seat];
            return;
        }
        let table = g711::table(self.codecs[seat]);
        for (out, byte) in into.iter_mut().zip(&self.bytes[seat]) {
            *out = g711::encode(codec, table[usize::from(*byte)]);
        }
    }

    fn sum(&mut self, heard: u16, codec: Codec, into: &mut Sound) {
        self.decode();
        let unheard = self.speaking & !heard;
        let mut sum = [0; FRAME];
        if unheard.count_ones() < heard.count_ones() {
            sum = self.total;
            for seat in seats(unheard) {
                sum.iter_mut().zip(&self.samples[seat]).for_each(|(sum, one)| *sum -= i32::from(*one));
            }
        } else {
            for seat in seats(heard) {
                sum.iter_mut().zip(&self.samples[seat]).for_each(|(sum, one)| *sum += i32::from(*one));
            }
        }
        for (out, sum) in into.iter_mut().zip(&sum) {
            *out = g711::encode(codec, clip(*sum));
        }
    }

    /// Every voice as samples, and their sum: once a frame, however many hear it.
    fn decode(&mut self) {
        if self.totalled {
            return;
        }
        self.total = [0; FRAME];
        for seat in seats(self.speaking) {
            let table = g711::table(self.codecs[seat]);
            for ((sample, total), byte) in
                self.samples[seat].iter_mut().zip(&mut self.total).zip(&self.bytes[seat])
            {
                *sample = table[usize::from(*byte)];
                *total += i32::from(*sample);
            }
        }
        self.totalled = true;
    }
}

/// The seats of a mask, lowest first.
pub fn seats(mask: u16) -> impl Iterator<Item = usize> {
    (0..MEMBERS_MAX).filter(move |seat| mask >> seat & 1 == 1)
}

fn clip(sum: i32) -> i16 {
    sum.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mixed(voices: &[(Codec, i16)], hears: u16, codec: Codec) -> i16 {
        let mut mixer = Mixer::default();
        for (seat, (codec, level)) in voices.iter().enumerate() {
            mixer.voice(seat, *codec, |sound| {
                sound.fill(g711::encode(*codec, *level));
                true
            });
        }
        let mut sound = [0; FRAME];
        mixer.mix(hears, codec, &mut sound);
        assert!(sound.iter().all(|byte| *byte == sound[0]));
        g711::decode(codec, sound[0])
    }

    #[test]
    fn sums_clips_and_silence() {
        use Codec::{Pcma, Pcmu};
        let near = |codec, level| g711::decode(codec, g711::encode(codec, level));
        for (what, voices, hears, codec, want) in [
            ("nobody", vec![(Pcma, 5000)], 0, Pcma, near(Pcma, 0)),
            ("a seat without a voice", vec![(Pcma, 5000)], 0b10, Pcmu, near(Pcmu, 0)),
            ("one", vec![(Pcma, 5000)], 1, Pcma, near(Pcma, 5000)),
            ("one in another codec", vec![(Pcmu, 31_000)], 1, Pcma, near(Pcma, near(Pcmu, 31_000))),
            ("two", vec![(Pcma, 4096 + 128), (Pcma, 4096 + 128)], 3, Pcma, near(Pcma, 8448)),
            ("two that cancel", vec![(Pcma, 9000), (Pcma, -9000)], 3, Pcmu, 0),
            ("two too loud", vec![(Pcma, 30_000), (Pcma, 30_000)], 3, Pcma, near(Pcma, i16::MAX)),
            ("two too low", vec![(Pcmu, -30_000), (Pcma, -30_000)], 3, Pcmu, near(Pcmu, i16::MIN)),
            (
                "clipped only at the end",
                vec![(Pcma, 30_000), (Pcma, 30_000), (Pcma, -30_000)],
                7,
                Pcma,
                near(Pcma, near(Pcma, 30_000)),
            ),
            ("one of three", vec![(Pcma, 900), (Pcma, 7000), (Pcma, -7000)], 1, Pcma, near(Pcma, 900)),
        ] {
            assert_eq!(mixed(&voices, hears, codec), want, "{what}");
        }
    }

    #[test]
    fn a_lone_voice_of_the_same_codec_is_passed_on_byte_by_byte() {
        for codec in [Codec::Pcma, Codec::Pcmu] {
            let mut mixer = Mixer::default();
            let said: Sound = std::array::from_fn(|n| n as u8 ^ 0x7F);
            mixer.voice(3, codec, |sound| {
                *sound = said;
                true
            });
            mixer.voice(4, codec, |_| false);
            let mut heard = [0; FRAME];
            mixer.mix(0b1_1000, codec, &mut heard);
            assert_eq!(heard, said);
        }
    }

    proptest! {
        #[test]
        fn every_listener_gets_the_sum_of_whom_he_hears(
            bytes in proptest::collection::vec((any::<u8>(), any::<bool>(), any::<bool>()), 1..=MEMBERS_MAX),
            hears in any::<u16>(),
            to_alaw in any::<bool>(),
        ) {
            let codec_of = |alaw: bool| if alaw { Codec::Pcma } else { Codec::Pcmu };
            let mut mixer = Mixer::default();
            // What an earlier frame left behind is not heard.
            mixer.voice(MEMBERS_MAX - 1, Codec::Pcma, |sound| { sound.fill(0x2A); true });
            mixer.mix(u16::MAX, Codec::Pcma, &mut [0; FRAME]);
            mixer.clear();
            for (seat, (byte, alaw, speaks)) in bytes.iter().enumerate() {
                mixer.voice(seat, codec_of(*alaw), |sound| { sound.fill(*byte); *speaks });
            }
            let want: i32 = bytes
                .iter()
                .enumerate()
                .filter(|(seat, (_, _, speaks))| *speaks && hears >> seat & 1 == 1)
                .map(|(_, (byte, alaw, _))| i32::from(g711::decode(codec_of(*alaw), *byte)))
                .sum();
            let codec = codec_of(to_alaw);
            let mut sound = [0; FRAME];
            mixer.mix(hears, codec, &mut sound);
            // µ-law's two zeros are one level.
            prop_assert_eq!(g711::decode(codec, sound[0]), g711::decode(codec, g711::encode(codec, clip(want))));
        }
    }
}
