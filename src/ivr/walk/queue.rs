//! Waiting for people: announcements in their rhythm, keys, the moments at which waiting ends.

use super::super::flow::{Kind, Queue};
use super::super::seam::{Action, QueueNews};
use super::{Next, Outbox, State, Walk, after};
use crate::base::Time;
use std::sync::Arc;

/// One caller's wait.
#[derive(Debug)]
pub(super) struct Queued {
    /// The queue has taken the caller, or may yet.
    pub in_line: bool,
    give_up_at: Time,
    /// When it ends because nobody is there.
    no_staff_at: Option<Time>,
    /// When each announcement is next due; `None`: never again.
    due: Vec<Option<Time>>,
}

impl Queued {
    pub fn new(now: Time, queue: &Queue) -> Self {
        Self {
            in_line: true,
            give_up_at: after(now, queue.timeout_ms),
            no_staff_at: None,
            due: queue.announcements.iter().map(|again| Some(after(now, again.after_ms))).collect(),
        }
    }

    pub fn deadline(&self) -> (Time, &'static str) {
        let announcement = self.due.iter().flatten().min().map(|at| (*at, "announcement"));
        let no_staff = self.no_staff_at.map(|at| (at, "nobody is there"));
        [announcement, no_staff]
            .into_iter()
            .flatten()
            .fold((self.give_up_at, "longest wait"), |a, b| if b.0 < a.0 { b } else { a })
    }
}

impl Walk {
    pub(super) fn queue_news(&mut self, news: QueueNews, out: &mut Outbox<'_>) -> Next {
        let flow = Arc::clone(&self.flow);
        let (Kind::Queue(queue), State::Queued(queued)) = (&flow.node(self.at).kind, &mut self.state) else {
            return Next::Stay;
        };
        match news {
            QueueNews::Waiting => Next::Stay,
            QueueNews::Full => {
                queued.in_line = false;
                Next::out("full")
            }
            QueueNews::NoStaff if queue.no_staff_ms == 0 => Next::out("no_staff"),
            QueueNews::NoStaff => {
                queued.no_staff_at = Some(after(out.now, queue.no_staff_ms));
                Next::Stay
            }
            // The queue has let go of the caller already.
            QueueNews::TimedOut => {
                queued.in_line = false;
                Next::out("timeout")
            }
            QueueNews::Answered => {
                queued.in_line = false;
                self.put_down(out);
                self.state = State::Resting;
                Next::Stay
            }
        }
    }

    /// A moment of the wait has come.
    pub(super) fn waited(&mut self, out: &mut Outbox<'_>) -> Next {
        let flow = Arc::clone(&self.flow);
        let (Kind::Queue(queue), State::Queued(queued)) = (&flow.node(self.at).kind, &mut self.state) else {
            return Next::Stay;
        };
        if queued.give_up_at <= out.now {
            return Next::out("timeout");
        }
        if queued.no_staff_at.is_some_and(|at| at <= out.now) {
            return Next::out("no_staff");
        }
        let due = queued.due.iter().position(|at| at.is_some_and(|at| at <= out.now));
        let Some(n) = due else { return Next::Stay };
        let again = &queue.announcements[n];
        queued.due[n] = (again.every_ms > 0).then(|| after(out.now, again.every_ms));
        // One at a time: what would talk into this one waits until its turn is over.
        if self.playing {
            if let State::Queued(queued) = &mut self.state {
                queued.due[n] = Some(after(out.now, WAIT_FOR_TURN_MS));
            }
            return Next::Stay;
        }
        // What cannot be said of a wait (a place that is not known) is left out; the caller waits on.
        if self.play(&again.speech, out).is_none() {
            out.actions.push(Action::Fault {
                node: Arc::clone(&self.node().name),
                what: Arc::from("an announcement cannot be said"),
            });
        }
        Next::Stay
    }
}

/// An announcement that is due while another is heard comes so much later.
const WAIT_FOR_TURN_MS: u32 = 2_000;
