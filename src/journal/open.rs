//! Opening: segments found in order, a torn tail cut, damage told, the facts folded into what a start needs to know.

use super::disk::{Disk, RealDisk};
use super::frame::{self, Found, Frame};
use super::{keys, wire};
use crate::base::CallId;
use crate::call::callbacks::{CallbackFold, OpenCallback};
use crate::call::fact::Fact;
use crate::call::intents::{IntentFold, LastIntent, Wish};
use minicbor::Decoder;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

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
    /// Positions that are missing because of it; of an unfinished write nobody knows.
    pub records: u64,
    /// At the end of the newest segment: a write that a crash cut short. Nothing of it was promised; it is left out.
    pub torn: bool,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, bytes, records, .. } = self;
        write!(f, "{}: ", self.file.display())?;
        match self.torn {
            true => write!(f, "an unfinished write was left out: {bytes} bytes at {offset}"),
            false => write!(f, "{records} damaged records were skipped: {bytes} bytes at {offset}"),
        }
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
    /// Callbacks that are still promised.
    pub callbacks: CallbackFold,
    /// What agents wanted last.
    pub intents: IntentFold,
    pub damage: Vec<Damage>,
}

/// The running fold; a checkpoint is this, written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fold {
    pub boot: u32,
    pub last_seq: u64,
    pub blocks: BTreeMap<u32, u32>,
    pub live: BTreeSet<CallId>,
    pub callbacks: CallbackFold,
    pub intents: IntentFold,
}

impl Fold {
    pub fn fold(&mut self, seq: u64, wall_ms: i64, fact: &Fact) {
        self.last_seq = self.last_seq.max(seq);
        self.callbacks.fold(seq, fact);
        self.intents.fold(wall_ms, fact);
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
        const NEEDED: [u16; 11] = [1, 2, 11, 13, 19, 26, 50, 51, 52, 53, 60];
        self.last_seq = self.last_seq.max(frame.seq);
        if frame.kind == wire::CHECKPOINT {
            if let Some(fold) = Self::read(frame.body) {
                *self = Self { last_seq: self.last_seq, ..fold };
            }
        } else if NEEDED.contains(&frame.kind)
            && let Ok(Some(fact)) = wire::read(frame.kind, frame.seq, frame.body, &mut |_| None)
        {
            self.fold(frame.seq, frame.wall_ms, &fact);
        }
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        let mut o = wire::Out::new(out, None, self.last_seq);
        let (callbacks, intents, busy) = (&self.callbacks.0, &self.intents.last, &self.intents.busy);
        let moved = || callbacks.iter().filter_map(|(call, open)| Some((call, open.queue.as_ref()?)));
        let counts = 5;
        let lists = 2 * self.blocks.len() + 3 * self.live.len() + 9 * callbacks.len();
        let later = 4 * intents.len() + 4 * moved().count() + busy.len();
        o.list(3 + counts + lists + later).n(self.boot).n(self.last_seq).n(self.blocks.len() as u64);
        for (date, to) in &self.blocks {
            o.n(*date).n(*to);
        }
        o.n(self.live.len() as u64);
        for call in &self.live {
            o.call(*call);
        }
        o.n(callbacks.len() as u64);
        for (call, open) in callbacks {
            let wall = |ms: i64| u64::try_from(ms).unwrap_or(0);
            o.call(*call).n(open.seq).n(wall(open.entered_ms)).n(open.priority).n(open.tries);
            o.n(wall(open.next_ms)).n(u8::from(open.dialled));
        }
        o.n(intents.len() as u64);
        for (agent, last) in intents {
            o.s(agent).s(last.wish.label()).s(&last.reason).n(u64::try_from(last.since_ms).unwrap_or(0));
        }
        o.n(moved().count() as u64);
        for (call, queue) in moved() {
            o.call(*call).s(queue);
        }
        o.n(busy.len() as u64);
        for agent in busy {
            o.s(agent);
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
        // A checkpoint of before there were any ends here.
        for _ in 0..d.u64().unwrap_or(0) {
            let call = CallId { node: d.u16().ok()?, boot: d.u32().ok()?, n: d.u64().ok()? };
            let open = OpenCallback {
                seq: d.u64().ok()?,
                entered_ms: i64::try_from(d.u64().ok()?).ok()?,
                priority: d.u8().ok()?,
                tries: d.u8().ok()?,
                next_ms: i64::try_from(d.u64().ok()?).ok()?,
                dialled: d.u8().ok()? != 0,
                queue: None,
            };
            fold.callbacks.0.insert(call, open);
        }
        // And one of before there were these ends here.
        for _ in 0..d.u64().unwrap_or(0) {
            let (agent, wish) = (d.str().ok()?.to_owned(), Wish::of(d.str().ok()?)?);
            let (reason, since) = (d.str().ok()?.to_owned(), d.u64().ok()?);
            let last = LastIntent { wish, reason, since_ms: i64::try_from(since).ok()? };
            fold.intents.last.insert(agent, last);
        }
        // And one of before they were moved, here.
        for _ in 0..d.u64().unwrap_or(0) {
            let call = CallId { node: d.u16().ok()?, boot: d.u32().ok()?, n: d.u64().ok()? };
            let queue = d.str().ok()?.to_owned();
            if let Some(open) = fold.callbacks.0.get_mut(&call) {
                open.queue = Some(queue);
            }
        }
        // And one of before it was kept who was at work, here.
        for _ in 0..d.u64().unwrap_or(0) {
            fold.intents.busy.insert(d.str().ok()?.to_owned());
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

/// Deletes segments that nobody needs any more; how many there were.
///
/// One goes when every record of it is at or before `read`, the position up to which the tables are written, and it was last written
/// before `before`. The newest two stay: a start needs a checkpoint.
pub fn expire(dirs: &[PathBuf], read: u64, before: SystemTime) -> io::Result<u64> {
    let dirs: Vec<&Path> = dirs.iter().map(PathBuf::as_path).collect();
    let all = segments(&mut RealDisk::default(), &dirs)?;
    let mut gone = 0;
    for pair in all.windows(3) {
        let (old, next) = (&pair[0], &pair[1]);
        if next.first > read.saturating_add(1) || fs::metadata(&old.path)?.modified()? >= before {
            break;
        }
        fs::remove_file(&old.path)?;
        gone += 1;
    }
    Ok(gone)
}

/// Walks the records of a segment's bytes; what is damaged is stepped over and told as (offset, bytes). The last such stretch may be a
/// torn tail: it reaches to the end.
pub(super) fn walk(bytes: &[u8], mut each: impl FnMut(usize, &Frame<'_>, usize)) -> Vec<(usize, usize)> {
    let mut damage: Vec<(usize, usize)> = Vec::new();
    let mut at = if bytes.starts_with(MAGIC) { SEGMENT_HEAD.min(bytes.len()) } else { 0 };
    let mut bad: Option<usize> = None;
    while at < bytes.len() {
        match frame::read(&bytes[at..]) {
            Found::Frame(frame, length) => {
                if let Some(from) = bad.take() {
                    damage.push((from, at - from));
                }
                each(at, &frame, length);
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

/// The newest group of all. The program may have ended between its write and its flush, or after a failed one: it can be read, and yet
/// be gone after the next power cut.
#[derive(Debug, Default)]
pub(super) struct Tail {
    pub first: u64,
    pub bytes: Vec<u8>,
}

/// What was found on a start.
pub(super) struct Opened {
    pub fold: Fold,
    pub damage: Vec<Damage>,
    pub segments: Vec<Segment>,
    pub tail: Tail,
}

/// The fold of everything there is, and what is to be told. Changes nothing.
pub(super) fn recover(disk: &mut dyn Disk, options: &Options) -> Result<Opened, OpenError> {
    let mut dirs: Vec<&Path> = vec![&options.dir];
    dirs.extend(options.spare_dir.as_deref());
    disk.make_dir(&options.dir).map_err(OpenError::at(&options.dir))?;
    disk.make_dir(&options.keys_dir).map_err(OpenError::at(&options.keys_dir))?;
    let segments = segments(disk, &dirs).map_err(OpenError::at(&options.dir))?;
    let begin = newest_checkpoint(disk, &segments)?;
    let mut opened = Opened { fold: Fold::default(), damage: Vec::new(), segments, tail: Tail::default() };
    opened.read(disk, begin)?;
    // Every name tells a boot's calls: none is ever used again, even if its `Booted` was lost.
    for name in disk.list(&options.keys_dir).map_err(OpenError::at(&options.keys_dir))? {
        opened.fold.boot = opened.fold.boot.max(keys::boot_of(&name).unwrap_or(0));
    }
    Ok(opened)
}

/// The last segment that begins with a whole checkpoint: everything earlier is in it. Else the first.
fn newest_checkpoint(disk: &mut dyn Disk, segments: &[Segment]) -> Result<usize, OpenError> {
    for (n, segment) in segments.iter().enumerate().rev() {
        let mut bytes = Vec::new();
        // Most segments begin with a small record of another kind.
        for length in [4096, frame::HEAD + frame::LARGEST] {
            bytes = disk
                .read_at(&segment.path, SEGMENT_HEAD as u64, length)
                .map_err(OpenError::at(&segment.path))?;
            if frame::kind(&bytes) != Some(wire::CHECKPOINT) {
                break;
            }
        }
        if let Found::Frame(frame, _) = frame::read(&bytes)
            && frame.kind == wire::CHECKPOINT
            && Fold::read(frame.body).is_some()
        {
            return Ok(n);
        }
    }
    Ok(0)
}

impl Opened {
    /// Each segment is believed up to where the next one begins: what a failed flush left behind that was written again there.
    fn read(&mut self, disk: &mut dyn Disk, begin: usize) -> Result<(), OpenError> {
        self.fold.last_seq = self.segments.get(begin).map_or(0, |segment| segment.first.saturating_sub(1));
        for n in begin..self.segments.len() {
            let segment = &self.segments[n];
            let bytes = disk.read(&segment.path).map_err(OpenError::at(&segment.path))?;
            match self.segments.get(n + 1).map(|next| next.first) {
                Some(until) => self.read_older(n, &bytes, until),
                None => self.read_newest(n, &bytes),
            }
        }
        Ok(())
    }

    fn read_older(&mut self, n: usize, bytes: &[u8], until: u64) {
        // Where the last record ended that counts.
        let mut end = 0;
        let bad = walk(bytes, |at, frame, length| {
            if frame.kind != wire::CHECKPOINT && !(self.fold.last_seq + 1..until).contains(&frame.seq) {
                return;
            }
            self.missing(n, end, at, frame);
            self.fold.frame(frame);
            end = at + length;
        });
        if self.fold.last_seq + 1 < until {
            let records = until - 1 - self.fold.last_seq;
            self.tell(n, end, bytes.len(), records, false);
            self.fold.last_seq = until - 1;
        }
        // Damage without a loss: the head, a checkpoint.
        let covers = |damage: &Damage, at: usize| {
            damage.offset <= at as u64 && at as u64 <= damage.offset + damage.bytes
        };
        for (from, length) in bad {
            let known =
                self.damage.iter().any(|damage| damage.file == self.segments[n].path && covers(damage, from));
            if from + length <= end && !known {
                self.tell(n, from, from + length, 0, false);
            }
        }
    }

    /// Up to its newest group it is like any other. From there on it is as far as the last write came: nothing behind a tear counts.
    fn read_newest(&mut self, n: usize, bytes: &[u8]) {
        // No record begins a group: the only one there was is torn at its front.
        let mut group = 0;
        let bad = walk(bytes, |at, frame, _| {
            if frame.first {
                group = at;
            }
        });
        let cut = bad.iter().map(|(from, _)| *from).find(|from| *from >= group).unwrap_or(bytes.len());
        let (mut end, mut tail) = (0, Tail::default());
        let _ = walk(&bytes[..cut], |at, frame, length| {
            if frame.kind != wire::CHECKPOINT {
                if frame.seq <= self.fold.last_seq {
                    return;
                }
                if at >= group {
                    tail.first = if tail.first == 0 { frame.seq } else { tail.first };
                    tail.bytes.extend_from_slice(&bytes[at..at + length]);
                }
            }
            self.missing(n, end, at, frame);
            self.fold.frame(frame);
            end = at + length;
        });
        self.tail = tail;
        for (from, length) in bad.iter().filter(|(from, _)| *from < cut) {
            if !self.damage.iter().any(|told| {
                told.file == self.segments[n].path
                    && told.offset <= *from as u64
                    && (*from as u64) < told.offset + told.bytes
            }) {
                self.tell(n, *from, from + length, 0, false);
            }
        }
        if cut < bytes.len() {
            self.tell(n, cut, bytes.len(), 0, true);
        }
    }

    /// Tells the positions between the last record that counts and this one.
    fn missing(&mut self, n: usize, end: usize, at: usize, frame: &Frame<'_>) {
        let expected = self.fold.last_seq + u64::from(frame.kind != wire::CHECKPOINT);
        if frame.seq > expected {
            self.tell(n, end, at, frame.seq - expected, false);
        }
    }

    fn tell(&mut self, n: usize, from: usize, to: usize, records: u64, torn: bool) {
        let file = self.segments[n].path.clone();
        self.damage.push(Damage { file, offset: from as u64, bytes: (to - from) as u64, records, torn });
    }
}
