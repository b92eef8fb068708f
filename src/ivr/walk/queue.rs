//! Waiting for people: announcements in their rhythm, keys, the moments at which waiting ends.

use super::super::flow::{Kind, Queue};
use super::super::seam::{Action, QueueNews};
use super::{Line, Next, Outbox, State, Walk, after};
use crate::base::Time;
use std::sync::Arc;

/// One caller's wait.
#[derive(Debug)]
pub(super) struct Queued {
    give_up_at: Time,
    /// When it ends because nobody is there.
    no_staff_at: Option<Time>,
    /// When each announcement is next due; `None`: never again.
    due: Vec<Option<Time>>,
}

impl Queued {
    /// `vacant`: in line already, and nobody is there.
    pub fn new(now: Time, queue: &Queue, vacant: bool) -> Self {
        Self {
            give_up_at: after(now, queue.timeout_ms),
            no_staff_at: vacant.then(|| after(now, queue.no_staff_ms)),
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
    /// Waits by this node: in the place the caller has, where it is the same queue; else at the end of the line.
    pub(super) fn wait(&mut self, queue: &Queue, out: &mut Outbox<'_>) -> Next {
        let node = self.at;
        let kept = self.line.as_mut().filter(|line| line.queue == queue.queue && line.skills == queue.skills);
        let vacant = kept.is_some() && out.world.staffed == 0;
        match kept {
            Some(line) => {
                line.node = node;
                if queue.priority > line.priority {
                    line.priority = queue.priority;
                    out.actions.push(Action::Raise { priority: queue.priority });
                }
            }
            None => {
                self.leave_line(out);
                let (name, priority) = (Arc::clone(&queue.queue), queue.priority);
                let skills = Arc::clone(&queue.skills);
                self.line =
                    Some(Line { queue: Arc::clone(&name), priority, skills: Arc::clone(&skills), node });
                out.actions.push(Action::Enqueue { queue: name, priority, skills });
            }
        }
        self.state = State::Queued(Box::new(Queued::new(out.now, queue, vacant)));
        Next::Stay
    }

    pub(super) fn queue_news(&mut self, news: QueueNews, out: &mut Outbox<'_>) -> Next {
        if news == QueueNews::Waiting && matches!(self.state, State::Resting) {
            self.wait_again(out);
            return Next::Stay;
        }
        let Some(line) = &self.line else { return Next::Stay };
        let (flow, node) = (Arc::clone(&self.flow), line.node);
        match news {
            QueueNews::Waiting => {}
            // The queue has let go of the caller already; one who listens to something else is not torn away from it.
            QueueNews::Full | QueueNews::TimedOut => {
                self.line = None;
                if matches!(self.state, State::Queued(_)) {
                    return Next::out(if news == QueueNews::Full { "full" } else { "timeout" });
                }
            }
            QueueNews::NoStaff => {
                if let (Kind::Queue(queue), State::Queued(queued)) =
                    (&flow.node(self.at).kind, &mut self.state)
                {
                    if queue.no_staff_ms == 0 {
                        return Next::out("no_staff");
                    }
                    queued.no_staff_at = Some(after(out.now, queue.no_staff_ms));
                }
            }
            QueueNews::Answered => {
                self.line = None;
                self.put_down(out);
                self.at = node;
                self.state = State::Resting;
            }
        }
        Next::Stay
    }

    /// Whoever had the caller is gone; he is in line once more, by no doing of his own or of the flow.
    fn wait_again(&mut self, out: &mut Outbox<'_>) {
        let flow = Arc::clone(&self.flow);
        let Kind::Queue(queue) = &flow.node(self.at).kind else { return };
        self.line = Some(Line {
            queue: Arc::clone(&queue.queue),
            priority: queue.priority,
            skills: Arc::clone(&queue.skills),
            node: self.at,
        });
        self.state = State::Queued(Box::new(Queued::new(out.now, queue, false)));
        if let Some(music) = &queue.music {
            self.music = true;
            out.actions.push(Action::Music(Some(Arc::clone(music))));
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
