//! The writing thread: facts in groups to the disk, and the word that they are there.

use super::disk::{Disk, RealDisk};
use super::keys::{Making, Random};
use super::open::{
    self, Fold, OpenError, Opened, Options, Recovered, SEGMENT_HEAD, Segment, Tail, segment_head,
};
use super::{frame, wire};
use crate::call::fact::Stamped;
use crossbeam_channel::{Receiver, RecvTimeoutError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::Release};
use std::time::{Duration, Instant};

/// Records between two checkpoints.
const CHECKPOINT_EVERY: u64 = 100_000;
/// Bytes of one group at most; the next facts make the next group.
const GROUP_BYTES: usize = 4 * 1024 * 1024;
const GROUP_FACTS: usize = 20_000;
/// While nothing can be written, a new file is tried this often.
const RETRY: Duration = Duration::from_secs(1);
const RESERVE: &str = "reserve";

/// What the journal tells other threads.
#[derive(Debug, Default)]
pub struct News {
    /// Every fact up to and with this position is on disk.
    pub durable: AtomicU64,
    /// Nothing can be made durable now.
    pub failing: AtomicBool,
    facts: AtomicU64,
    groups: AtomicU64,
    bytes: AtomicU64,
    pub(super) segments: AtomicU64,
    failed_syncs: AtomicU64,
    failed_writes: AtomicU64,
    longest_sync_us: AtomicU64,
    reserve_used: AtomicU64,
}

impl News {
    pub fn starting_at(next_seq: u64) -> Self {
        let news = Self::default();
        news.durable.store(next_seq.saturating_sub(1), Release);
        news
    }

    pub fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("facts", self.facts.load(Relaxed)),
            ("groups", self.groups.load(Relaxed)),
            ("bytes", self.bytes.load(Relaxed)),
            ("segments", self.segments.load(Relaxed)),
            ("failed_syncs", self.failed_syncs.load(Relaxed)),
            ("failed_writes", self.failed_writes.load(Relaxed)),
            ("longest_sync_us", self.longest_sync_us.load(Relaxed)),
            ("reserve_used", self.reserve_used.load(Relaxed)),
        ]
    }
}

/// The journal, opened for writing.
pub struct Journal<D: Disk = RealDisk> {
    disk: D,
    options: Options,
    random: Random,
    keys: Making,
    fold: Fold,
    /// The segment that takes the next group; `None`: the last one may not be used any more.
    segment: Option<Segment>,
    length: u64,
    attempt: u32,
    buffer: Vec<u8>,
    since_checkpoint: u64,
    pub(super) checkpoint_every: u64,
}

fn os_random(bytes: &mut [u8]) -> io::Result<()> {
    getrandom::fill(bytes).map_err(|error| io::Error::other(error.to_string()))
}

impl Journal<RealDisk> {
    pub fn open(options: Options, _wall_ms: i64) -> Result<(Self, Recovered), OpenError> {
        Self::open_on(RealDisk::default(), options, os_random)
    }
}

impl<D: Disk> Journal<D> {
    /// Opens on any disk. Every start begins a segment of its own: what an earlier process left is not written to again.
    pub fn open_on(mut disk: D, options: Options, random: Random) -> Result<(Self, Recovered), OpenError> {
        let Opened { mut fold, damage, segments, tail } = open::recover(&mut disk, &options)?;
        let recovered = Recovered {
            boot: fold.boot + 1,
            next_seq: fold.last_seq + 1,
            number_blocks: fold.blocks.clone(),
            unended: fold.live.iter().copied().collect(),
            callbacks: fold.callbacks.clone(),
            intents: fold.intents.clone(),
            damage,
        };
        fold.boot = recovered.boot;
        let first = if tail.bytes.is_empty() { recovered.next_seq } else { tail.first };
        let tries = segments.iter().filter(|segment| segment.first >= first);
        let attempt = tries.map(|segment| segment.attempt).max().unwrap_or(0);
        let keys = Making::new(&options.keys_dir, recovered.boot);
        let mut journal = Self {
            disk,
            random,
            keys,
            fold,
            segment: None,
            length: 0,
            attempt,
            buffer: Vec::with_capacity(64 * 1024),
            since_checkpoint: 0,
            checkpoint_every: CHECKPOINT_EVERY,
            options,
        };
        if !tail.bytes.is_empty() {
            journal.keep_tail(&tail)?;
        }
        if journal.options.reserve_bytes > 0 {
            // Without it a full disk only stops us without a warning.
            let _ = journal.disk.reserve(&journal.reserve(), journal.options.reserve_bytes);
        }
        Ok((journal, recovered))
    }

    /// The newest group again, in a segment that takes its place: only then is it certain to be on the disk. The segment has its name
    /// when it is whole, so that an end in between leaves the old one in force.
    fn keep_tail(&mut self, tail: &Tail) -> Result<(), OpenError> {
        let mut bytes = segment_head(tail.first).to_vec();
        bytes.extend_from_slice(&tail.bytes);
        let dirs =
            [Some(self.options.dir.clone()), self.options.spare_dir.clone(), Some(self.options.dir.clone())];
        let mut failed = None;
        for dir in dirs.into_iter().flatten() {
            self.attempt += 1;
            let segment = Segment::new(&dir, tail.first, self.attempt);
            let new = segment.path.with_extension("new");
            let done =
                self.write_whole(&dir, &new, &bytes).and_then(|()| self.disk.rename(&new, &segment.path));
            match done {
                Ok(()) => {
                    self.length = bytes.len() as u64;
                    self.segment = Some(segment);
                    return Ok(());
                }
                Err(source) => {
                    self.disk.close(&new);
                    let _ = self.disk.remove(&new);
                    let _ = self.disk.remove(&self.reserve());
                    failed = Some(OpenError::Io { path: segment.path.display().to_string(), source });
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn write_whole(&mut self, dir: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.disk.make_dir(dir)?;
        // From a start that came no further than here.
        let _ = self.disk.remove(path);
        self.disk.create(path)?;
        self.disk.append(path, bytes)?;
        self.disk.sync(path)
    }

    fn reserve(&self) -> PathBuf {
        self.options.dir.join(RESERVE)
    }

    /// Writes what comes until the senders are gone and everything is on disk. `notify` after each group.
    pub fn run(mut self, facts: Receiver<Box<Stamped>>, news: &News, notify: impl Fn()) {
        let mut group: Vec<Box<Stamped>> = Vec::new();
        let mut tried = None;
        loop {
            let open = self.gather(&facts, &mut group);
            if group.is_empty() {
                if !open {
                    return;
                }
                continue;
            }
            if self.commit(&group, news) {
                group.clear();
                tried = None;
                notify();
            } else {
                notify();
                // The engine refuses new calls long before the ring is full; what is in the group waits here.
                let since = *tried.get_or_insert_with(Instant::now);
                if !open && since.elapsed() > 3 * RETRY {
                    return;
                }
                std::thread::sleep(RETRY);
            }
        }
    }

    /// The first fact, and what comes within the group's time. False: nobody sends any more.
    #[expect(clippy::vec_box, reason = "facts come boxed from the ring; unboxing would copy each")]
    fn gather(&self, facts: &Receiver<Box<Stamped>>, group: &mut Vec<Box<Stamped>>) -> bool {
        if group.is_empty() {
            match facts.recv() {
                Ok(fact) => group.push(fact),
                Err(_) => return false,
            }
        }
        let until = Instant::now() + self.options.commit;
        while group.len() < GROUP_FACTS {
            match facts.recv_deadline(until) {
                Ok(fact) => group.push(fact),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
        true
    }

    /// Makes a group durable, if it takes a new file. False: it could not be; the alarm is up.
    pub fn commit(&mut self, group: &[Box<Stamped>], news: &News) -> bool {
        // A part of it may be on the disk already, from a try that failed later.
        let mut rest = &group[group.partition_point(|stamped| stamped.seq <= self.fold.last_seq)..];
        while let Some(first) = rest.first().map(|stamped| stamped.seq) {
            let taken = match self.encode(rest) {
                Ok(taken) => taken,
                Err(_) => {
                    news.failed_writes.fetch_add(1, Relaxed);
                    news.failing.store(true, Relaxed);
                    return false;
                }
            };
            if !self.put(first, news) {
                news.failing.store(true, Relaxed);
                return false;
            }
            let (done, left) = rest.split_at(taken);
            done.iter().for_each(|stamped| self.fold.fold(stamped.seq, stamped.wall_ms, &stamped.fact));
            news.durable.store(self.fold.last_seq, Release);
            news.facts.fetch_add(taken as u64, Relaxed);
            self.since_checkpoint += taken as u64;
            rest = left;
        }
        news.failing.store(false, Relaxed);
        news.groups.fetch_add(1, Relaxed);
        if self.since_checkpoint >= self.checkpoint_every {
            self.checkpoint(news);
        }
        true
    }

    /// Encodes from the front until the group is full; how many it took.
    fn encode(&mut self, group: &[Box<Stamped>]) -> io::Result<usize> {
        self.buffer.clear();
        for (n, stamped) in group.iter().enumerate() {
            if self.buffer.len() > GROUP_BYTES {
                return Ok(n);
            }
            let cipher = match stamped.fact.call().filter(|call| call.boot == self.fold.boot) {
                Some(call) => self.keys.cipher(&mut self.disk, self.random, call.n)?,
                None => None,
            };
            let at = frame::begin(
                &mut self.buffer,
                stamped.seq,
                wire::kind(&stamped.fact),
                if n == 0 { wire::VERSION | frame::FIRST } else { wire::VERSION },
                stamped.mono_ns,
                stamped.wall_ms,
            );
            wire::write(&stamped.fact, &mut wire::Out::new(&mut self.buffer, cipher.as_ref(), stamped.seq));
            frame::end(&mut self.buffer, at);
        }
        Ok(group.len())
    }

    /// The buffer into a segment, and the segment to the disk. A file whose flush failed is not touched again (`attacks.md` O1).
    fn put(&mut self, first: u64, news: &News) -> bool {
        for attempt in 0..3 {
            if attempt > 0 {
                self.free_reserve(news);
            }
            if self.length > self.options.segment_bytes
                && let Some(full) = self.segment.take()
            {
                self.disk.close(&full.path);
            }
            if self.segment.is_none() && !self.begin_segment(first, attempt > 0, news) {
                continue;
            }
            let Some(segment) = &self.segment else { continue };
            let began = Instant::now();
            let written = self.disk.append(&segment.path, &self.buffer);
            if written.is_err() {
                news.failed_writes.fetch_add(1, Relaxed);
            }
            let synced = written.is_ok()
                && self
                    .disk
                    .sync(&segment.path)
                    .inspect_err(|_| {
                        news.failed_syncs.fetch_add(1, Relaxed);
                    })
                    .is_ok();
            if synced {
                let us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
                news.longest_sync_us.fetch_max(us, Relaxed);
                news.bytes.fetch_add(self.buffer.len() as u64, Relaxed);
                self.length += self.buffer.len() as u64;
                return true;
            }
            if let Some(dead) = self.segment.take() {
                self.give_up(&dead);
            }
        }
        false
    }

    /// A new file at this position; on the spare disk after a failure, where there is one.
    fn begin_segment(&mut self, first: u64, failed: bool, news: &News) -> bool {
        let spare = self.options.spare_dir.clone().filter(|_| failed);
        let dir = spare.unwrap_or_else(|| self.options.dir.clone());
        if self.disk.make_dir(&dir).is_err() {
            return false;
        }
        self.attempt += 1;
        let segment = Segment::new(&dir, first, self.attempt);
        let created = self.disk.create(&segment.path);
        // A file that was there before us is not ours to remove.
        let ours = !matches!(&created, Err(error) if error.kind() == io::ErrorKind::AlreadyExists);
        let made = created.and_then(|()| self.disk.append(&segment.path, &segment_head(first)));
        if made.is_err() {
            news.failed_writes.fetch_add(1, Relaxed);
            self.disk.close(&segment.path);
            if ours {
                let _ = self.disk.remove(&segment.path);
            }
            return false;
        }
        news.segments.fetch_add(1, Relaxed);
        self.length = SEGMENT_HEAD as u64;
        self.segment = Some(segment);
        true
    }

    /// A segment that failed is not touched again; one that holds nothing is in nobody's way.
    fn give_up(&mut self, dead: &Segment) {
        self.disk.close(&dead.path);
        if self.length == SEGMENT_HEAD as u64 {
            let _ = self.disk.remove(&dead.path);
        }
    }

    /// The disk may be full: what was kept for that moment is given back.
    fn free_reserve(&mut self, news: &News) {
        let reserve = self.reserve();
        if self.disk.remove(&reserve).is_ok() {
            news.reserve_used.fetch_add(1, Relaxed);
        }
    }

    /// The fold so far, as the first record of a new segment: a start reads from here on.
    fn checkpoint(&mut self, news: &News) {
        self.since_checkpoint = 0;
        self.buffer.clear();
        let seq = self.fold.last_seq;
        let at = frame::begin(&mut self.buffer, seq, wire::CHECKPOINT, wire::VERSION | frame::FIRST, 0, 0);
        self.fold.write(&mut self.buffer);
        frame::end(&mut self.buffer, at);
        if self.buffer.len() > frame::LARGEST {
            return;
        }
        if let Some(old) = self.segment.take() {
            self.disk.close(&old.path);
        }
        self.attempt = 0;
        // Only a help: without it a start reads from the one before.
        self.put(seq + 1, news);
    }
}
