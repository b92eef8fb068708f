//! The recorder: a thread that writes every call and message into its own WAV file while it goes on.
//!
//! ```text
//!  worker 0 ══ ring of frames ══▶ ┌──────────┐ ──▶ <dir>/<id>.wav   16 bits, 8,000 Hz; stereo for a call, mono for a message
//!  worker 1 ══ ring of frames ══▶ │ recorder │ ──▶ <dir>/<id>.json  what is missing, and why; the same as marks in the WAV
//!                                 └──────────┘ ══ ring of events ══▶ engine
//! ```
//!
//! A file is whole at any moment: its header is renewed at least every 200 ms, so a killed process loses no more than that.
//! A disk that cannot follow costs sound, never a call: frames that found no room become silence, listed as a gap; a file
//! that cannot be written is told as failed.

mod file;
mod sync;

use crate::base::LegId;
use crate::media::seam::{Event, MessageEnd, RecordingId};
use crate::media::take::{Frame, What};
use file::{File, Gaps, Kind};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use sync::{Sync, Synced};

/// Frames a worker may be ahead: 33 s of one recording, 650 ms of a thousand. 11 MB.
const FRAMES: usize = 32_768;
/// Ends on their way to the engine, a worker.
const NEWS: usize = 4096;
/// Ends kept while that ring is full.
const KEPT: usize = 65_536;
const ROUND: Duration = Duration::from_millis(20);
const IDLE_ROUND: Duration = Duration::from_millis(50);
/// A header is renewed when its file has grown for so long: with the frames' own way it stays below 200 ms.
const HEADER: Duration = Duration::from_millis(80);
/// A recording without frames for so long has lost its end.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// A worker's door to the recorder, both ways.
pub struct Door {
    frames: rtrb::Producer<Frame>,
    news: rtrb::Consumer<Event>,
}

impl Door {
    pub fn split(self) -> (rtrb::Producer<Frame>, rtrb::Consumer<Event>) {
        (self.frames, self.news)
    }
}

/// The running thread.
pub struct RecorderHandle {
    counters: Arc<Counters>,
    thread: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Counters {
    open: AtomicU64,
    ended: AtomicU64,
    failed: AtomicU64,
    frames: AtomicU64,
    overrun_ms: AtomicU64,
    slowest_round_us: AtomicU64,
}

/// Starts the thread and makes a door for each worker. `waker` wakes the engine when a recording has ended.
pub fn start(
    dir: &Path,
    workers: usize,
    waker: Box<dyn Fn() + Send>,
) -> io::Result<(RecorderHandle, Vec<Door>)> {
    std::fs::create_dir_all(dir)?;
    let (mut doors, mut sides) = (Vec::new(), Vec::new());
    for _ in 0..workers {
        let (to_recorder, frames) = rtrb::RingBuffer::new(FRAMES);
        let (to_engine, news) = rtrb::RingBuffer::new(NEWS);
        doors.push(Door { frames: to_recorder, news });
        sides.push(Side { frames, news: to_engine, kept: VecDeque::new() });
    }
    let counters = Arc::new(Counters::default());
    let recorder = Recorder {
        dir: dir.to_owned(),
        sides,
        sync: Sync::start()?,
        files: BTreeMap::new(),
        waker,
        counters: Arc::clone(&counters),
        swept: Instant::now(),
    };
    let thread = thread::Builder::new().name("recorder".to_owned()).spawn(move || recorder.run())?;
    Ok((RecorderHandle { counters, thread }, doors))
}

impl RecorderHandle {
    pub fn counters(&self) -> Vec<(&'static str, u64)> {
        let c = &self.counters;
        [
            ("open", &c.open),
            ("ended", &c.ended),
            ("failed", &c.failed),
            ("frames", &c.frames),
            ("overrun_ms", &c.overrun_ms),
            ("slowest_round_us", &c.slowest_round_us),
        ]
        .into_iter()
        .map(|(name, count)| (name, count.load(Ordering::Relaxed)))
        .collect()
    }

    /// Waits until every file is whole. The workers must have been stopped: the thread ends with the last of them.
    pub fn stop(self) {
        let _ = self.thread.join();
    }
}

struct Side {
    frames: rtrb::Consumer<Frame>,
    news: rtrb::Producer<Event>,
    kept: VecDeque<Event>,
}

struct Recorder {
    dir: PathBuf,
    sides: Vec<Side>,
    sync: Sync,
    files: BTreeMap<RecordingId, Open>,
    waker: Box<dyn Fn() + Send>,
    counters: Arc<Counters>,
    swept: Instant,
}

struct Open {
    leg: LegId,
    side: usize,
    /// `None`: it could not be opened or written any more.
    file: Option<File>,
    frames: u32,
    /// When the oldest frame not yet in the header came, and the newest.
    dirty: Option<Instant>,
    last: Instant,
    is_message: bool,
    /// The engine knows already that it failed.
    told: bool,
}

impl Recorder {
    fn run(mut self) {
        loop {
            let began = Instant::now();
            // Asked before reading: what was pushed before the end is still read.
            let over = self.sides.iter().all(|side| side.frames.is_abandoned());
            self.read(began);
            self.renew_headers(Instant::now());
            self.sweep(began);
            while let Some(done) = self.sync.done() {
                self.synced(done);
            }
            self.hand_over();
            let took = began.elapsed();
            self.counters.slowest_round_us.fetch_max(took.as_micros() as u64, Ordering::Relaxed);
            self.counters.open.store(self.files.len() as u64, Ordering::Relaxed);
            if over {
                break;
            }
            let round = if self.files.is_empty() && self.sync.is_idle() { IDLE_ROUND } else { ROUND };
            thread::sleep(round.saturating_sub(took));
        }
        while let Some((id, open)) = self.files.pop_first() {
            self.finish(id, open, None);
        }
        while let Some(done) = self.sync.wait() {
            self.synced(done);
        }
        self.hand_over();
    }

    fn read(&mut self, now: Instant) {
        for side in 0..self.sides.len() {
            // A bounded share, so that one worker cannot starve the headers of another.
            for _ in 0..FRAMES {
                let Ok(frame) = self.sides[side].frames.pop() else { break };
                self.frame(now, side, frame);
            }
        }
    }

    fn frame(&mut self, now: Instant, side: usize, frame: Frame) {
        let id = frame.recording;
        let is_message = matches!(frame.what, What::Message { .. } | What::MessageEnds { .. });
        if !self.files.contains_key(&id) {
            let open = self.open(now, side, &frame, is_message);
            self.files.insert(id, open);
        }
        let Some(open) = self.files.get_mut(&id) else { return };
        open.last = now;
        match frame.what {
            What::CallEnds | What::MessageEnds { .. } => {
                let Some(mut open) = self.files.remove(&id) else { return };
                open.frames = frame.index;
                let message = match frame.what {
                    What::MessageEnds { why, voiced_ms } => Some((why, voiced_ms)),
                    _ => None,
                };
                self.finish(id, open, message);
            }
            _ => {
                self.counters.frames.fetch_add(1, Ordering::Relaxed);
                open.frames = frame.index + 1;
                open.dirty.get_or_insert(now);
                if let Some(file) = &mut open.file
                    && file.frame(&frame).is_err()
                {
                    open.file = None;
                }
                self.tell_failure(id);
            }
        }
    }

    fn open(&self, now: Instant, side: usize, frame: &Frame, is_message: bool) -> Open {
        let kind = if is_message { Kind::Message } else { Kind::Call };
        Open {
            leg: frame.leg,
            side,
            file: File::create(&self.dir, frame.recording, kind).ok(),
            frames: 0,
            dirty: None,
            last: now,
            is_message,
            told: false,
        }
    }

    /// Nobody should speak into a message that is not kept: its failure is told at once, a call's at its end.
    fn tell_failure(&mut self, id: RecordingId) {
        let Some(open) = self.files.get_mut(&id) else { return };
        if open.file.is_some() || open.told || !open.is_message {
            return;
        }
        open.told = true;
        let (side, leg, length_ms) = (open.side, open.leg, open.frames * 20);
        self.counters.failed.fetch_add(1, Ordering::Relaxed);
        let why = MessageEnd::Failed;
        self.tell(side, Event::MessageEnded { leg, recording: id, length_ms, voiced_ms: 0, why });
    }

    /// `message`: why a message ended and how much of it was voice; `None` for a call or an end that was lost.
    fn finish(&mut self, id: RecordingId, open: Open, message: Option<(MessageEnd, u32)>) {
        self.counters.ended.fetch_add(1, Ordering::Relaxed);
        if open.told {
            return;
        }
        let length_ms = open.frames.saturating_mul(20);
        let (gaps, handle) = open.file.and_then(|file| file.finish(open.frames).ok()).unzip();
        let Gaps { total_ms: gaps_ms, overrun_ms } = gaps.unwrap_or_default();
        self.counters.overrun_ms.fetch_add(u64::from(overrun_ms), Ordering::Relaxed);
        let (leg, failed) = (open.leg, handle.is_none());
        if !open.is_message {
            let event = Event::RecordingEnded { leg, recording: id, length_ms, gaps_ms, failed };
            self.count_failure(failed);
            return self.tell(open.side, event);
        }
        let (why, voiced_ms) = message.unwrap_or((MessageEnd::Stopped, 0));
        let why = if failed { MessageEnd::Failed } else { why };
        let event = Event::MessageEnded { leg, recording: id, length_ms, voiced_ms, why };
        // A message becomes a number that its caller hears: it is told once it is on the disk.
        match handle {
            Some(handle) => self.sync.ask(handle, open.side, event),
            None => {
                self.count_failure(true);
                self.tell(open.side, event);
            }
        }
    }

    fn count_failure(&self, failed: bool) {
        self.counters.failed.fetch_add(u64::from(failed), Ordering::Relaxed);
    }

    fn synced(&mut self, done: Synced) {
        let Synced { side, mut event, on_disk } = done;
        self.count_failure(!on_disk);
        if let Event::MessageEnded { why, .. } = &mut event
            && !on_disk
        {
            *why = MessageEnd::Failed;
        }
        self.tell(side, event);
    }

    fn tell(&mut self, side: usize, event: Event) {
        if self.sides[side].kept.len() < KEPT {
            self.sides[side].kept.push_back(event);
        }
    }

    fn hand_over(&mut self) {
        let mut told = false;
        for side in &mut self.sides {
            while let Some(event) = side.kept.pop_front() {
                if let Err(rtrb::PushError::Full(event)) = side.news.push(event) {
                    side.kept.push_front(event);
                    break;
                }
                told = true;
            }
        }
        if told {
            (self.waker)();
        }
    }

    fn renew_headers(&mut self, now: Instant) {
        for open in self.files.values_mut() {
            if open.dirty.is_some_and(|since| now.duration_since(since) >= HEADER) {
                open.dirty = None;
                if let Some(file) = &mut open.file
                    && file.renew_header().is_err()
                {
                    open.file = None;
                }
            }
        }
    }

    /// Ends files whose end was lost.
    fn sweep(&mut self, now: Instant) {
        if now.duration_since(self.swept) < FORGOTTEN / 4 {
            return;
        }
        self.swept = now;
        let forgotten: Vec<_> = self
            .files
            .iter()
            .filter(|(_, open)| now.duration_since(open.last) > FORGOTTEN)
            .map(|(id, _)| *id)
            .collect();
        for id in forgotten {
            if let Some(open) = self.files.remove(&id) {
                self.finish(id, open, None);
            }
        }
    }
}

#[cfg(test)]
mod tests;
