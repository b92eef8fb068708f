//! Reading while the file grows: from any position, only what is whole, and within a running server only what is durable.

use super::disk::RealDisk;
use super::frame::{self, Found};
use super::keys::Ring;
use super::open::{self, SEGMENT_HEAD, Segment};
use super::wire;
use super::writer::News;
use crate::base::CallId;
use crate::call::fact::Stamped;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Acquire;

#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub struct ReadError {
    path: String,
    source: io::Error,
}

/// Bytes read at a time.
const CHUNK: usize = 1024 * 1024;

/// One reader's place in the journal.
#[derive(Debug)]
pub struct Reader {
    dirs: Vec<PathBuf>,
    keys: Ring,
    news: Option<Arc<News>>,
    /// The segment being read, its file, and the offset of the next record.
    at: Option<(Segment, File, u64)>,
    last_seq: u64,
    /// Records that could not be read, and positions that were stepped over.
    skipped: u64,
}

impl Reader {
    /// Reads from the beginning. The folder may be empty, or not there yet.
    pub fn open(dir: &Path, keys_dir: &Path) -> Self {
        Self {
            dirs: vec![dir.to_owned()],
            keys: Ring::new(keys_dir),
            news: None,
            at: None,
            last_seq: 0,
            skipped: 0,
        }
    }

    /// Also the folder in which it goes on when the first one's disk fails.
    #[must_use]
    pub fn and_spare(mut self, dir: Option<&Path>) -> Self {
        self.dirs.extend(dir.map(Path::to_owned));
        self
    }

    /// Reads nothing before it is durable: who makes promises of it needs that.
    #[must_use]
    pub fn bounded_by(mut self, news: Arc<News>) -> Self {
        self.news = Some(news);
        self
    }

    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Appends facts with a position over `after`, in order, at most `max`.
    pub fn read_after(&mut self, after: u64, max: usize, out: &mut Vec<Stamped>) -> Result<(), ReadError> {
        if after < self.last_seq || self.at.is_none() {
            self.seek(after)?;
        }
        let limit = self.news.as_ref().map_or(u64::MAX, |news| news.durable.load(Acquire));
        let begin = out.len();
        while out.len() - begin < max && self.last_seq < limit {
            let before = (out.len(), self.at.as_ref().map(|(_, _, offset)| *offset));
            self.read_some(after, max - (out.len() - begin), limit, out)?;
            let stuck = before == (out.len(), self.at.as_ref().map(|(_, _, offset)| *offset));
            if stuck && !self.next_segment()? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Every fact of one call, in order. Reads everything: for people, not for service.
    pub fn of_call(&mut self, call: CallId) -> Result<Vec<Stamped>, ReadError> {
        let (mut found, mut batch, mut after) = (Vec::new(), Vec::new(), 0);
        loop {
            self.read_after(after, 10_000, &mut batch)?;
            let Some(last) = batch.last() else { return Ok(found) };
            after = last.seq;
            found.extend(batch.drain(..).filter(|stamped| stamped.fact.call() == Some(call)));
        }
    }

    fn error(path: &Path) -> impl FnOnce(io::Error) -> ReadError {
        let path = path.display().to_string();
        move |source| ReadError { path, source }
    }

    fn segments(&self) -> Result<Vec<Segment>, ReadError> {
        let dirs: Vec<&Path> = self.dirs.iter().map(PathBuf::as_path).collect();
        open::segments(&mut RealDisk::default(), &dirs).map_err(Self::error(dirs[0]))
    }

    fn open_segment(&mut self, segment: Segment) -> Result<(), ReadError> {
        let file = File::open(&segment.path).map_err(Self::error(&segment.path))?;
        self.at = Some((segment, file, SEGMENT_HEAD as u64));
        Ok(())
    }

    /// The last segment that begins at or before the wanted position; among several tries, the first: what counts is in order.
    fn seek(&mut self, after: u64) -> Result<(), ReadError> {
        let all = self.segments()?;
        let begin = all.iter().rposition(|segment| segment.first <= after + 1).unwrap_or(0);
        let first = all.get(begin).map(|segment| segment.first);
        let begin = all.iter().position(|segment| Some(segment.first) == first);
        self.last_seq = after;
        match begin {
            Some(n) => self.open_segment(all[n].clone()),
            None => {
                self.at = None;
                Ok(())
            }
        }
    }

    fn next_segment(&mut self) -> Result<bool, ReadError> {
        let Some((current, file, offset)) = &self.at else { return Ok(false) };
        let next = self
            .segments()?
            .into_iter()
            .find(|segment| (segment.first, segment.attempt) > (current.first, current.attempt));
        let Some(next) = next else { return Ok(false) };
        // What is left of the old one was torn off by a crash or a failed flush.
        let length = file.metadata().map_err(Self::error(&current.path))?.len();
        self.skipped += u64::from(length > *offset);
        self.open_segment(next)?;
        Ok(true)
    }

    fn read_some(
        &mut self,
        after: u64,
        max: usize,
        limit: u64,
        out: &mut Vec<Stamped>,
    ) -> Result<(), ReadError> {
        let Some((segment, file, offset)) = &mut self.at else { return Ok(()) };
        let mut bytes = vec![0; CHUNK];
        let mut got = file.read_at(&mut bytes, *offset).map_err(Self::error(&segment.path))?;
        // A record may be larger than what is left of the chunk.
        if got == CHUNK {
            bytes.resize(CHUNK + frame::LARGEST + frame::HEAD, 0);
            got += file
                .read_at(&mut bytes[CHUNK..], *offset + CHUNK as u64)
                .map_err(Self::error(&segment.path))?;
        }
        let bytes = &bytes[..got];
        let (mut at, mut taken) = (0, 0);
        while at < bytes.len() && at < CHUNK && taken < max {
            match frame::read(&bytes[at..]) {
                Found::Frame(frame, length) => {
                    if frame.kind != wire::CHECKPOINT && frame.seq > limit {
                        break;
                    }
                    at += length;
                    if frame.kind == wire::CHECKPOINT || frame.seq <= self.last_seq {
                        continue;
                    }
                    self.last_seq = frame.seq;
                    if frame.seq <= after {
                        continue;
                    }
                    let keys = &mut self.keys;
                    match wire::read(frame.kind, frame.seq, frame.body, &mut |call| keys.cipher(call)) {
                        Ok(Some(fact)) => {
                            out.push(Stamped {
                                seq: frame.seq,
                                mono_ns: frame.mono_ns,
                                wall_ms: frame.wall_ms,
                                fact,
                            });
                            taken += 1;
                        }
                        Ok(None) | Err(_) => self.skipped += 1,
                    }
                }
                Found::Short => break,
                Found::Damaged { .. } => {
                    // Damage in the middle: on to the next whole record, if there is one.
                    let rest = &bytes[at + 1..];
                    let next = (0..rest.len()).find(|n| matches!(frame::read(&rest[*n..]), Found::Frame(..)));
                    self.skipped += 1;
                    match next {
                        Some(n) => at += 1 + n,
                        None => break,
                    }
                }
            }
        }
        *offset += at as u64;
        Ok(())
    }
}
