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

/// And so many more, in which the last record of a chunk ends.
const BEHIND: usize = frame::LARGEST + frame::HEAD;

/// One reader's place in the journal.
#[derive(Debug)]
pub struct Reader {
    dirs: Vec<PathBuf>,
    keys: Ring,
    news: Option<Arc<News>>,
    at: Option<Place>,
    last_seq: u64,
    /// Records that could not be read, and positions that were stepped over.
    skipped: u64,
    buffer: Vec<u8>,
}

/// The segment being read.
#[derive(Debug)]
struct Place {
    segment: Segment,
    file: File,
    /// Of the next record.
    offset: u64,
    /// The segment after it, which takes over at its own first position.
    next: Option<Segment>,
    /// How many segments the writer had begun when that was looked up.
    seen: Option<u64>,
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
            buffer: Vec::new(),
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
            // Looked up before reading: a segment that has a next one is complete.
            self.look_ahead()?;
            if !self.read_some(after, max - (out.len() - begin), limit, out)? && !self.next_segment()? {
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
        self.at = Some(Place { segment, file, offset: SEGMENT_HEAD as u64, next: None, seen: None });
        Ok(())
    }

    /// The last segment that begins at or before the wanted position.
    fn seek(&mut self, after: u64) -> Result<(), ReadError> {
        let mut all = self.segments()?;
        let begin = all.iter().rposition(|segment| segment.first <= after + 1).unwrap_or(0);
        (self.last_seq, self.at) = (after, None);
        if begin < all.len() {
            self.open_segment(all.swap_remove(begin))?;
        }
        Ok(())
    }

    /// Is there a next segment by now? Within the server the writer's count says when looking is worth it.
    fn look_ahead(&mut self) -> Result<(), ReadError> {
        let begun = self.news.as_ref().map(|news| news.segments.load(Acquire));
        if self
            .at
            .as_ref()
            .is_none_or(|place| place.next.is_some() || (begun.is_some() && place.seen == begun))
        {
            return Ok(());
        }
        let all = self.segments()?;
        if let Some(place) = &mut self.at {
            let here = (place.segment.first, place.segment.attempt);
            place.next = all.into_iter().find(|segment| (segment.first, segment.attempt) > here);
            place.seen = begun;
        }
        Ok(())
    }

    fn next_segment(&mut self) -> Result<bool, ReadError> {
        let Some(next) = self.at.as_mut().and_then(|place| place.next.take()) else { return Ok(false) };
        let first = next.first;
        match self.open_segment(next) {
            Ok(()) => {}
            // Its first write failed, and it was removed again.
            Err(error) if error.source.kind() == io::ErrorKind::NotFound => {
                if let Some(place) = &mut self.at {
                    place.seen = None;
                }
                return Ok(true);
            }
            Err(error) => return Err(error),
        }
        self.step_to(first);
        Ok(true)
    }

    /// Positions before this one cannot be read any more.
    fn step_to(&mut self, seq: u64) {
        let missing = seq.saturating_sub(self.last_seq + 1);
        self.skipped += missing;
        self.last_seq += missing;
    }

    /// Reads a chunk's records. False: there is nothing more in this segment, or not yet.
    fn read_some(
        &mut self,
        after: u64,
        max: usize,
        limit: u64,
        out: &mut Vec<Stamped>,
    ) -> Result<bool, ReadError> {
        let Some(place) = &self.at else { return Ok(false) };
        let mut buffer = std::mem::take(&mut self.buffer);
        let length = place.file.metadata().map_err(Self::error(&place.segment.path))?.len();
        let left = usize::try_from(length.saturating_sub(place.offset)).unwrap_or(usize::MAX);
        buffer.resize(left.min(CHUNK + BEHIND), 0);
        let got = fill(&place.file, &mut buffer, place.offset).map_err(Self::error(&place.segment.path))?;
        let until = place.next.as_ref().map_or(u64::MAX, |next| next.first);
        let at = self.take(&buffer[..got], after, max, limit, until, out);
        self.buffer = buffer;
        if let Some(place) = &mut self.at {
            place.offset += at as u64;
        }
        Ok(at > 0)
    }

    /// Takes what is whole, wanted and allowed; how many bytes are done with.
    fn take(
        &mut self,
        bytes: &[u8],
        after: u64,
        max: usize,
        limit: u64,
        until: u64,
        out: &mut Vec<Stamped>,
    ) -> usize {
        let (mut at, enough) = (0, out.len() + max);
        while at < bytes.len() && at < CHUNK && out.len() < enough {
            let Found::Frame(frame, length) = frame::read(&bytes[at..]) else {
                // Damage, or a write in progress: on to the next whole record, if there is one.
                let end = bytes.len().min(CHUNK);
                let whole = |at: &usize| matches!(frame::read(&bytes[*at..]), Found::Frame(..));
                match (at + 1..end).find(whole) {
                    Some(next) => at = next,
                    None if bytes.len() > CHUNK => at = CHUNK,
                    None => break,
                }
                continue;
            };
            if frame.kind == wire::CHECKPOINT || frame.seq <= self.last_seq {
                at += length;
                continue;
            }
            if frame.seq > limit || frame.seq >= until {
                break;
            }
            at += length;
            self.step_to(frame.seq);
            self.last_seq = frame.seq;
            if frame.seq <= after {
                continue;
            }
            let keys = &mut self.keys;
            match wire::read(frame.kind, frame.seq, frame.body, &mut |call| keys.cipher(call)) {
                Ok(Some(fact)) => {
                    out.push(Stamped { seq: frame.seq, mono_ns: frame.mono_ns, wall_ms: frame.wall_ms, fact })
                }
                Ok(None) | Err(_) => self.skipped += 1,
            }
        }
        at
    }
}

/// As many bytes as there are from the offset on.
fn fill(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut got = 0;
    while got < bytes.len() {
        match file.read_at(&mut bytes[got..], offset + got as u64)? {
            0 => break,
            n => got += n,
        }
    }
    Ok(got)
}
