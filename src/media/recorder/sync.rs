//! Messages on their way to the disk: waited for by a thread of their own, so that a slow disk holds up no other file.

use crate::media::seam::Event;
use std::fs;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

/// Messages that may wait for the disk; the recorder waits itself for the next.
const WAITING: usize = 1024;

pub struct Sync {
    ask: SyncSender<(fs::File, Synced)>,
    answers: Receiver<Synced>,
    /// Answers of those that found no room.
    own: Vec<Synced>,
    asked: usize,
}

/// What is to be told once the file is safe, and whether it is.
pub struct Synced {
    pub side: usize,
    pub event: Event,
    pub on_disk: bool,
}

impl Sync {
    pub fn start() -> io::Result<Self> {
        let (ask, asked) = sync_channel::<(fs::File, Synced)>(WAITING);
        // Never more answers than questions: this one cannot fill up.
        let (answer, answers) = sync_channel(2 * WAITING);
        thread::Builder::new().name("recorder-sync".to_owned()).spawn(move || {
            while let Ok((file, waiting)) = asked.recv() {
                let on_disk = file.sync_data().is_ok();
                if answer.send(Synced { on_disk, ..waiting }).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { ask, answers, own: Vec::new(), asked: 0 })
    }

    pub fn ask(&mut self, file: fs::File, side: usize, event: Event) {
        self.asked += 1;
        let waiting = Synced { side, event, on_disk: false };
        if let Err(TrySendError::Full((file, waiting)) | TrySendError::Disconnected((file, waiting))) =
            self.ask.try_send((file, waiting))
        {
            let on_disk = file.sync_data().is_ok();
            self.own.push(Synced { on_disk, ..waiting });
        }
    }

    pub fn is_idle(&self) -> bool {
        self.asked == 0
    }

    /// The next answer that is there.
    pub fn done(&mut self) -> Option<Synced> {
        let done = self.own.pop().or_else(|| self.answers.try_recv().ok())?;
        self.asked -= 1;
        Some(done)
    }

    /// The next answer, waited for; `None` when all have come.
    pub fn wait(&mut self) -> Option<Synced> {
        if self.asked == 0 {
            return None;
        }
        let done = self.own.pop().or_else(|| self.answers.recv().ok())?;
        self.asked -= 1;
        Some(done)
    }
}
