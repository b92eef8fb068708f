//! One recording's file, its gaps, and the page beside it that lists them.

use crate::media::g711::{self, FRAME};
use crate::media::seam::{RecordingGap, RecordingId};
use crate::media::take::{Frame, What};
use std::fs;
use std::io::{self, BufWriter, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Call,
    Message,
}

#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Wav(#[from] hound::Error),
}

/// What is missing of a recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    pub total_ms: u32,
    pub overrun_ms: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Gap {
    why: RecordingGap,
    /// Frames.
    from: u32,
    to: u32,
}

/// Gaps listed one by one; what follows is joined to the last.
const GAPS: usize = 10_000;
/// Longest gap made up for at once, frames: an hour. Beyond it something else is wrong.
const LONGEST_GAP: u32 = 180_000;

pub struct File {
    wav: hound::WavWriter<BufWriter<fs::File>>,
    /// For the sync of a message.
    handle: fs::File,
    page: PathBuf,
    id: RecordingId,
    kind: Kind,
    next: u32,
    gaps: Vec<Gap>,
}

impl File {
    /// A new file, readable by its owner only. An id is random: a file that is there already is not ours to write.
    pub fn create(dir: &Path, id: RecordingId, kind: Kind) -> Result<Self, FileError> {
        let path = dir.join(format!("{id}.wav"));
        let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let handle = file.try_clone()?;
        let channels = match kind {
            Kind::Call => 2,
            Kind::Message => 1,
        };
        let spec = hound::WavSpec {
            channels,
            sample_rate: 8000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let wav = hound::WavWriter::new(BufWriter::with_capacity(8192, file), spec)?;
        Ok(Self { wav, handle, page: dir.join(format!("{id}.json")), id, kind, next: 0, gaps: Vec::new() })
    }

    pub fn frame(&mut self, frame: &Frame) -> Result<(), FileError> {
        if frame.index < self.next {
            return Ok(());
        }
        self.catch_up(frame.index)?;
        let (gap, codec, caller, ours) = match &frame.what {
            What::Call { codec, gap, caller, ours } => (*gap, *codec, caller, Some(ours)),
            What::Message { codec, gap, caller } => (*gap, *codec, caller, None),
            What::CallEnds | What::MessageEnds { .. } => return Ok(()),
        };
        if let Some(why) = gap {
            return self.silence(why, 1);
        }
        let table = g711::table(codec);
        let mut samples = self.wav.get_i16_writer((FRAME * if ours.is_some() { 2 } else { 1 }) as u32);
        for (i, byte) in caller.iter().enumerate() {
            samples.write_sample(table[usize::from(*byte)]);
            if let Some(ours) = ours {
                samples.write_sample(table[usize::from(ours[i])]);
            }
        }
        samples.flush()?;
        self.next += 1;
        Ok(())
    }

    /// Frames that found no room in the ring are silence, so that both channels and the clock stay right.
    fn catch_up(&mut self, index: u32) -> Result<(), FileError> {
        let missing = index.saturating_sub(self.next);
        self.silence(RecordingGap::Overrun, missing.min(LONGEST_GAP))?;
        self.next = index;
        Ok(())
    }

    fn silence(&mut self, why: RecordingGap, frames: u32) -> Result<(), FileError> {
        let channels = match self.kind {
            Kind::Call => 2,
            Kind::Message => 1,
        };
        for _ in 0..frames {
            let mut samples = self.wav.get_i16_writer(FRAME as u32 * channels);
            (0..FRAME as u32 * channels).for_each(|_| samples.write_sample(0i16));
            samples.flush()?;
        }
        if frames > 0 {
            self.list(why, self.next, self.next + frames);
        }
        self.next += frames;
        Ok(())
    }

    fn list(&mut self, why: RecordingGap, from: u32, to: u32) {
        let full = self.gaps.len() >= GAPS;
        match self.gaps.last_mut() {
            Some(last) if (last.why == why && last.to == from) || full => last.to = to,
            _ => self.gaps.push(Gap { why, from, to }),
        }
    }

    /// Makes what was written so far a whole file.
    pub fn renew_header(&mut self) -> Result<(), FileError> {
        Ok(self.wav.flush()?)
    }

    /// The last of it: `frames` are all there should be. The descriptor is for whoever must know that it is on the disk.
    pub fn finish(mut self, frames: u32) -> Result<(Gaps, fs::File), FileError> {
        self.catch_up(frames.max(self.next))?;
        self.wav.finalize()?;
        write_marks(&mut self.handle, &self.gaps)?;
        let length = |why: Option<RecordingGap>| {
            let some = self.gaps.iter().filter(|gap| why.is_none_or(|why| why == gap.why));
            some.map(|gap| (gap.to - gap.from) * 20).sum()
        };
        let gaps = Gaps { total_ms: length(None), overrun_ms: length(Some(RecordingGap::Overrun)) };
        write_page(&self.page, self.id, self.kind, self.next * 20, &self.gaps)?;
        Ok((gaps, self.handle))
    }
}

/// Each gap as a labelled stretch behind the sound: a `cue ` point where it begins, in a `LIST` of `adtl` its name (`labl`) and
/// its length (`ltxt`), as sound editors show them. The file is whole before and after.
fn write_marks(file: &mut fs::File, gaps: &[Gap]) -> io::Result<()> {
    if gaps.is_empty() {
        return Ok(());
    }
    let chunk = |name: &[u8; 4], body: &[u8]| {
        let mut out = name.to_vec();
        out.extend((body.len() as u32).to_le_bytes());
        out.extend(body);
        // Chunks stand on even places.
        out.resize(out.len().next_multiple_of(2), 0);
        out
    };
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let mut points = words(&[gaps.len() as u32]);
    let mut labels = b"adtl".to_vec();
    for (n, gap) in gaps.iter().enumerate() {
        let (id, from, length) = (n as u32 + 1, gap.from * FRAME as u32, (gap.to - gap.from) * FRAME as u32);
        points.extend(words(&[id, from]));
        points.extend(b"data");
        points.extend(words(&[0, 0, from]));
        let label = [&words(&[id])[..], word(gap.why).as_bytes(), b"\0"].concat();
        labels.extend(chunk(b"labl", &label));
        let region = [&words(&[id, length])[..], b"mark", &[0; 8]].concat();
        labels.extend(chunk(b"ltxt", &region));
    }
    let length = file.seek(SeekFrom::End(0))?;
    let marks = [chunk(b"cue ", &points), chunk(b"LIST", &labels)].concat();
    file.write_all(&marks)?;
    // The outer size last: until then the marks are behind the file's end, and nobody reads them.
    let riff = u32::try_from(length + marks.len() as u64 - 8).unwrap_or(u32::MAX);
    file.seek(SeekFrom::Start(4))?;
    file.write_all(&riff.to_le_bytes())
}

fn write_page(path: &Path, id: RecordingId, kind: Kind, length_ms: u32, gaps: &[Gap]) -> io::Result<()> {
    let gaps: Vec<_> = gaps
        .iter()
        .map(
            |gap| serde_json::json!({ "from_ms": gap.from * 20, "to_ms": gap.to * 20, "why": word(gap.why) }),
        )
        .collect();
    let kind = match kind {
        Kind::Call => "call",
        Kind::Message => "message",
    };
    let page = serde_json::json!({ "recording": id.to_string(), "kind": kind, "length_ms": length_ms, "gaps": gaps });
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(page.to_string().as_bytes())
}

fn word(why: RecordingGap) -> &'static str {
    match why {
        RecordingGap::Sensitive => "sensitive",
        RecordingGap::Paused => "paused",
        RecordingGap::Overrun => "overrun",
    }
}
