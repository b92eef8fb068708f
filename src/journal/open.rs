//! Opening: segments found in order, a torn tail cut, damage told, the facts folded into what a start needs to know.

use super::disk::Disk;
use super::frame::{self, Found, Frame};
use super::wire;
use crate::base::CallId;
use crate::call::fact::Fact;
use minicbor::{Decoder, Encoder};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Options {
    pub node: u16,
    pub dir: PathBuf,
    /// Where it goes on when `dir`'s disk fails.
    pub spare_dir: Option<PathBuf>,
    /// The calls' keys.
    pub keys_dir: PathBuf,
    pub segment_bytes: u64,
    /// Room kept so that a full disk is told before it stops anything; zero keeps none.
    pub reserve_bytes: u64,
    /// Longest wait of a fact for others to go to the disk with.
    pub commit: Duration,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{path}: {source}")]
    Io { path: String, source: io::Error },
}

impl OpenError {
    fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::Io { path, source }
    }
}

/// A stretch of a segment that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    pub file: PathBuf,
    pub offset: u64,
    pub bytes: u64,
    /// At the end of the newest segment: a write that a crash cut short. It was cut off.
    pub torn: bool,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.torn { "an unfinished write was cut off" } else { "damaged records were skipped" };
        write!(f, "{}: {what}: {} bytes at {}", self.file.display(), self.bytes, self.offset)
    }
}

/// What a start needs to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// This boot's number.
    pub boot: u32,
    pub next_seq: u64,
    /// Date (yyMMdd) → last ticket number of its newest block.
    pub number_blocks: BTreeMap<u32, u32>,
    /// Calls without an end, oldest first.
    pub unended: Vec<CallId>,
    pub damage: Vec<Damage>,
}

/// The running fold; a checkpoint is this, written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fold {
    pub boot: u32,
    pub last_seq: u64,
    pub blocks: BTreeMap<u32, u32>,
    pub live: BTreeSet<CallId>,
}

impl Fold {
    pub fn fold(&mut self, seq: u64, fact: &Fact) {
        self.last_seq = self.last_seq.max(seq);
        match fact {
            Fact::Booted { boot, .. } => self.boot = self.boot.max(*boot),
            Fact::CallArrived(arrived) => drop(self.live.insert(arrived.call)),
            Fact::CallEnded(ended) => drop(self.live.remove(&ended.call)),
            Fact::NumberBlock { date, to, .. } => {
                let last = self.blocks.entry(*date).or_default();
                *last = (*last).max(*to);
            }
            _ => {}
        }
    }

    /// Only what the fold needs is read of a record's body.
    fn frame(&mut self, frame: &Frame<'_>) {
        const NEEDED: [u16; 4] = [1, 2, 11, 19];
        self.last_seq = self.last_seq.max(frame.seq);
        if frame.kind == wire::CHECKPOINT {
            if let Some(fold) = Self::read(frame.body) {
                *self = Self { last_seq: self.last_seq, ..fold };
            }
        } else if NEEDED.contains(&frame.kind)
            && let Ok(Some(fact)) = wire::read(frame.kind, frame.seq, frame.body, &mut |_| None)
        {
            self.fold(frame.seq, &fact);
        }
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        let mut o = wire::Out::new(out, None, self.last_seq);
        o.list(3 + 2 * self.blocks.len() + 3 * self.live.len() + 1)
            .n(self.boot)
            .n(self.last_seq)
            .n(self.blocks.len() as u64);
        for (date, to) in &self.blocks {
            o.n(*date).n(*to);
        }
        o.n(self.live.len() as u64);
        for call in &self.live {
            o.call(*call);
        }
    }

    pub fn read(body: &[u8]) -> Option<Self> {
        let mut d = Decoder::new(body);
        d.array().ok()??;
        let mut fold = Self { boot: d.u32().ok()?, last_seq: d.u64().ok()?, ..Self::default() };
        for _ in 0..d.u64().ok()? {
            fold.blocks.insert(d.u32().ok()?, d.u32().ok()?);
        }
        for _ in 0..d.u64().ok()? {
            fold.live.insert(CallId { node: d.u16().ok()?, boot: d.u32().ok()?, n: d.u64().ok()? });
        }
        Some(fold)
    }
}

/// A segment by its name: where it begins, and which try at that position it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Segment {
    pub first: u64,
    pub attempt: u32,
    pub path: PathBuf,
}

impl Segment {
    pub fn new(dir: &Path, first: u64, attempt: u32) -> Self {
        Self { first, attempt, path: dir.join(format!("{first:020}-{attempt:04}.log")) }
    }

    fn of(dir: &Path, name: &str) -> Option<Self> {
        let (first, attempt) = name.strip_suffix(".log")?.split_once('-')?;
        Some(Self { first: first.parse().ok()?, attempt: attempt.parse().ok()?, path: dir.join(name) })
    }
}

/// Eight bytes that tell what a file is, and eight of its first position.
pub(super) const MAGIC: &[u8; 8] = b"HLJRNL01";
pub(super) const SEGMENT_HEAD: usize = 16;

pub(super) fn segment_head(first: u64) -> [u8; SEGMENT_HEAD] {
    let mut head = [0; SEGMENT_HEAD];
    head[..8].copy_from_slice(MAGIC);
    head[8..].copy_from_slice(&first.to_le_bytes());
    head
}

/// All segments of both folders, in the order they were written.
pub(super) fn segments(disk: &mut dyn Disk, dirs: &[&Path]) -> io::Result<Vec<Segment>> {
    let mut all = Vec::new();
    for dir in dirs {
        all.extend(disk.list(dir)?.iter().filter_map(|name| Segment::of(dir, name)));
    }
    all.sort();
    Ok(all)
}

/// Walks the records of a segment's bytes; what is damaged is stepped over and told as (offset, bytes). The last such stretch may be a
/// torn tail: it reaches to the end.
pub(super) fn walk(bytes: &[u8], mut each: impl FnMut(usize, &Frame<'_>)) -> Vec<(usize, usize)> {
    let mut damage: Vec<(usize, usize)> = Vec::new();
    let mut at = if bytes.starts_with(MAGIC) { SEGMENT_HEAD.min(bytes.len()) } else { 0 };
    let mut bad: Option<usize> = None;
    while at < bytes.len() {
        match frame::read(&bytes[at..]) {
            Found::Frame(frame, length) => {
                if let Some(from) = bad.take() {
                    damage.push((from, at - from));
                }
                each(at, &frame);
                at += length;
            }
            other => {
                bad.get_or_insert(at);
                // A length that leads to a whole record is believed; otherwise the next place is tried.
                let jump = match other {
                    Found::Damaged { skip: Some(skip) }
                        if matches!(
                            frame::read(&bytes[(at + skip).min(bytes.len())..]),
                            Found::Frame(..)
                        ) =>
                    {
                        skip
                    }
                    _ => 1,
                };
                at += jump;
            }
        }
    }
    if let Some(from) = bad {
        damage.push((from, bytes.len() - from));
    }
    damage
}

/// Where to begin reading on a start: written beside the segments after each checkpoint.
const HINT: &str = "checkpoint";

pub(super) fn write_hint(disk: &mut dyn Disk, dir: &Path, seq: u64) {
    // Only a help: without it everything is read.
    let mut text = Vec::new();
    let _ = Encoder::new(&mut text).array(1).and_then(|e| e.u64(seq));
    text.resize(16, 0);
    let _ = disk.write_at(&dir.join(HINT), 0, &text);
}

fn read_hint(disk: &mut dyn Disk, dir: &Path) -> u64 {
    let Ok(bytes) = disk.read(&dir.join(HINT)) else { return 0 };
    let mut d = Decoder::new(&bytes);
    d.array().and_then(|_| d.u64()).unwrap_or(0)
}

/// The fold of everything there is, and what is to be told. Cuts the torn tail of the newest segment.
pub(super) fn recover(
    disk: &mut dyn Disk,
    options: &Options,
) -> Result<(Fold, Vec<Damage>, Vec<Segment>), OpenError> {
    let mut dirs: Vec<&Path> = vec![&options.dir];
    dirs.extend(options.spare_dir.as_deref());
    disk.make_dir(&options.dir).map_err(OpenError::at(&options.dir))?;
    disk.make_dir(&options.keys_dir).map_err(OpenError::at(&options.keys_dir))?;
    let all = segments(disk, &dirs).map_err(OpenError::at(&options.dir))?;
    // The last segment that begins at or before the newest checkpoint: everything earlier is in it.
    let hint = read_hint(disk, &options.dir);
    let begin = all.iter().rposition(|segment| segment.first <= hint).unwrap_or(0);
    let mut outcome = fold(disk, &all, begin)?;
    if begin > 0 && !outcome.2 {
        outcome = fold(disk, &all, 0)?;
    }
    let (mut fold, damage, _) = outcome;
    // Every name tells a boot's calls: none is ever used again, even if its `Booted` was lost.
    for name in disk.list(&options.keys_dir).map_err(OpenError::at(&options.keys_dir))? {
        let boot = name.strip_suffix(".keys").and_then(|boot| boot.parse().ok()).unwrap_or(0);
        fold.boot = fold.boot.max(boot);
    }
    Ok((fold, damage, all))
}

/// The bool: a checkpoint was met, so nothing before `begin` is missing.
fn fold(disk: &mut dyn Disk, all: &[Segment], begin: usize) -> Result<(Fold, Vec<Damage>, bool), OpenError> {
    let (mut fold, mut told, mut met) = (Fold::default(), Vec::new(), begin == 0);
    for (n, segment) in all.iter().enumerate().skip(begin) {
        let bytes = disk.read(&segment.path).map_err(OpenError::at(&segment.path))?;
        let mut last = fold.last_seq;
        let damage = walk(&bytes, |_, frame| {
            // A record that stands again behind a failed flush counts once.
            if frame.kind == wire::CHECKPOINT || frame.seq > last {
                last = last.max(frame.seq);
                met |= frame.kind == wire::CHECKPOINT;
                fold.frame(frame);
            }
        });
        let newest = n + 1 == all.len();
        for (offset, length) in damage {
            let torn = newest && offset + length == bytes.len();
            if torn {
                disk.truncate(&segment.path, offset as u64).map_err(OpenError::at(&segment.path))?;
            }
            told.push(Damage {
                file: segment.path.clone(),
                offset: offset as u64,
                bytes: length as u64,
                torn,
            });
        }
    }
    Ok((fold, told, met))
}
