//! What a caller hears: a playlist once, and a sound below it that goes round while nothing plays.
//!
//! ```text
//!  Play ──▶ pieces one after another, without a seam ──last sample sent──▶ finished ──▶ others' voices, background, or silence
//!             └ Play again: replaced, unheard     └ Stop: ended, unheard
//! ```

use super::g711::{self, FRAME};
use super::prompts::Prompts;
use super::seam::{ClipId, Codec, Piece, PlayId};

#[derive(Clone, Debug, Default)]
pub struct Playlist {
    playing: Option<Playing>,
    background: Option<Background>,
}

#[derive(Clone, Debug)]
struct Playing {
    play: PlayId,
    pieces: Box<[Piece]>,
    /// The piece in hand, and how many of its samples have gone.
    piece: usize,
    gone: usize,
}

#[derive(Clone, Copy, Debug)]
struct Background {
    clip: ClipId,
    gone: usize,
}

impl Playlist {
    pub fn play(&mut self, play: PlayId, pieces: Box<[Piece]>) {
        self.playing = Some(Playing { play, pieces, piece: 0, gone: 0 });
    }
    pub fn stop(&mut self) {
        self.playing = None;
    }
    /// The same sound goes on where it is.
    pub fn background(&mut self, clip: Option<ClipId>) {
        if self.background.map(|background| background.clip) != clip {
            self.background = clip.map(|clip| Background { clip, gone: 0 });
        }
    }
    pub fn is_playing(&self) -> bool {
        self.playing.is_some()
    }

    /// Fills the next frame; the playlist that ended with it, if one did. `others`: what is heard of the bridge's other
    /// members while nothing plays; it takes the background's place.
    pub fn fill(
        &mut self,
        prompts: &Prompts,
        codec: Codec,
        others: Option<&[u8; FRAME]>,
        frame: &mut [u8; FRAME],
    ) -> Option<PlayId> {
        let mut filled = 0;
        let mut finished = None;
        if let Some(playing) = &mut self.playing {
            filled = playing.fill(prompts, codec, frame);
            if playing.piece >= playing.pieces.len() {
                finished = Some(playing.play);
                self.playing = None;
            }
        }
        if let Some(others) = others {
            frame[filled..].copy_from_slice(&others[filled..]);
            return finished;
        }
        // The background waits while something plays, and goes on within the frame that ends it.
        if let Some(background) = &mut self.background {
            filled += background.fill(prompts.get(background.clip, codec), &mut frame[filled..]);
        }
        frame[filled..].fill(g711::silence(codec));
        finished
    }
}

impl Playing {
    /// How much of the frame was filled: all of it, or what was left.
    fn fill(&mut self, prompts: &Prompts, codec: Codec, frame: &mut [u8; FRAME]) -> usize {
        let mut filled = 0;
        while filled < FRAME
            && let Some(piece) = self.pieces.get(self.piece)
        {
            let room = &mut frame[filled..];
            let (copied, whole) = match piece {
                Piece::Clip(clip) => {
                    let sound = prompts.get(*clip, codec);
                    let rest = sound.get(self.gone..).unwrap_or_default();
                    let some = rest.len().min(room.len());
                    room[..some].copy_from_slice(&rest[..some]);
                    (some, sound.len())
                }
                Piece::Pause(ms) => {
                    let whole = usize::from(*ms) * 8;
                    let some = whole.saturating_sub(self.gone).min(room.len());
                    room[..some].fill(g711::silence(codec));
                    (some, whole)
                }
            };
            filled += copied;
            self.gone += copied;
            if self.gone >= whole {
                self.piece += 1;
                self.gone = 0;
            }
        }
        filled
    }
}

impl Background {
    fn fill(&mut self, sound: &[u8], room: &mut [u8]) -> usize {
        let mut filled = 0;
        while filled < room.len() && !sound.is_empty() {
            let rest = &sound[self.gone.min(sound.len())..];
            let some = rest.len().min(room.len() - filled);
            room[filled..filled + some].copy_from_slice(&rest[..some]);
            filled += some;
            self.gone += some;
            if self.gone >= sound.len() {
                self.gone = 0;
            }
        }
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::prompts::Prompts;

    fn prompts() -> Prompts {
        let tone = |level: i16, length: usize| vec![level; length];
        Prompts::build(vec![
            ("a".into(), tone(1000, 200)),
            ("b".into(), tone(2000, 300)),
            ("music".into(), tone(4000, 250)),
        ])
    }

    /// What was heard, and for how many frames.
    type Runs = Vec<(char, usize)>;

    /// The sound of so many frames as runs of (level by name, samples), and when playlists ended.
    fn heard(list: &mut Playlist, prompts: &Prompts, frames: usize) -> (Runs, Vec<(usize, u32)>) {
        let mut runs: Vec<(char, usize)> = Vec::new();
        let mut ended = Vec::new();
        for n in 0..frames {
            let mut frame = [0; FRAME];
            if let Some(play) = list.fill(prompts, Codec::Pcma, None, &mut frame) {
                ended.push((n, play.0));
            }
            for byte in frame {
                let name = match g711::decode(Codec::Pcma, byte) {
                    900..1100 => 'a',
                    1900..2100 => 'b',
                    3800..4200 => 'm',
                    _ => '.',
                };
                match runs.last_mut() {
                    Some((last, count)) if *last == name => *count += 1,
                    _ => runs.push((name, 1)),
                }
            }
        }
        (runs, ended)
    }

    #[test]
    fn pieces_follow_without_a_seam_and_the_background_goes_on_below() {
        let prompts = prompts();
        let id = |name: &str| prompts.names()[name];
        let mut list = Playlist::default();
        list.background(Some(id("music")));
        list.play(PlayId(7), Box::new([Piece::Clip(id("a")), Piece::Pause(10), Piece::Clip(id("b"))]));
        let (runs, ended) = heard(&mut list, &prompts, 5);
        assert_eq!(runs, [('a', 200), ('.', 80), ('b', 300), ('m', 220)]);
        assert_eq!(ended, [(3, 7)]);
        list.play(PlayId(8), Box::new([Piece::Clip(id("a"))]));
        assert_eq!(heard(&mut list, &prompts, 2).0, [('a', 200), ('m', 120)]);
    }

    #[test]
    fn replaced_and_stopped_playlists_do_not_finish() {
        let prompts = prompts();
        let id = |name: &str| prompts.names()[name];
        let mut list = Playlist::default();
        list.play(PlayId(1), Box::new([Piece::Clip(id("b"))]));
        assert_eq!(heard(&mut list, &prompts, 1).1, []);
        list.play(PlayId(2), Box::new([Piece::Clip(id("a"))]));
        assert_eq!(heard(&mut list, &prompts, 1).0, [('a', 160)]);
        list.stop();
        assert_eq!(heard(&mut list, &prompts, 3), (vec![('.', 480)], vec![]));
    }

    #[test]
    fn empty_and_unknown_pieces_end_at_once() {
        let prompts = prompts();
        for pieces in [vec![], vec![Piece::Pause(0)], vec![Piece::Clip(ClipId(99)), Piece::Pause(0)]] {
            let mut list = Playlist::default();
            list.background(Some(ClipId(99)));
            list.play(PlayId(3), pieces.into());
            assert_eq!(heard(&mut list, &prompts, 1), (vec![('.', 160)], vec![(0, 3)]));
        }
        let mut exact = Playlist::default();
        exact.play(PlayId(4), Box::new([Piece::Pause(20)]));
        assert_eq!(heard(&mut exact, &prompts, 2).1, [(0, 4)]);
    }
}
