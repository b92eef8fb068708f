//! Each command is carried out once: the same id again gets the answer of the first. Pure.
//!
//! ```text
//!  ask ──▶ Pending ──▶ Done       the same id: waits with the first, or gets its answer at once
//! ```
//!
//! Ids belong to a sign-in: a page that comes back may send again what it does not know the fate of. Answers are kept until
//! newer ones push them out.

use super::stream::{Session, SignIn};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

type Key = (SignIn, Arc<str>);

#[derive(Debug)]
struct Entry {
    /// Of the frame's text: the same id with another text is another command.
    print: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    Pending { waiting: Vec<Session> },
    Done { answer: Arc<str> },
}

/// What comes of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Carry it out.
    New,
    /// It is being carried out; the answer will come.
    Waiting,
    /// It was carried out.
    Known(Arc<str>),
    /// The id belongs to another command.
    Reused,
    /// Too many are in progress.
    Full,
}

/// One agent's.
#[derive(Debug, Default)]
pub struct Answers {
    entries: BTreeMap<Key, Entry>,
    /// By the number the engine answers with.
    pending: BTreeMap<u64, Key>,
    /// Finished ones, oldest first.
    done: VecDeque<Key>,
}

impl Answers {
    /// `keep`: finished answers at most; `most`: commands in progress at most.
    pub fn ask(&mut self, key: Key, print: u64, session: Session, re: u64, most: usize) -> Asked {
        if let Some(entry) = self.entries.get_mut(&key) {
            if entry.print != print {
                return Asked::Reused;
            }
            return match &mut entry.state {
                State::Pending { waiting } => {
                    if !waiting.contains(&session) {
                        waiting.push(session);
                    }
                    Asked::Waiting
                }
                State::Done { answer } => Asked::Known(Arc::clone(answer)),
            };
        }
        if self.pending.len() >= most {
            return Asked::Full;
        }
        self.pending.insert(re, key.clone());
        self.entries.insert(key, Entry { print, state: State::Pending { waiting: vec![session] } });
        Asked::New
    }

    /// The answer to `re` has come; `frame` writes it for the client's id. Those who wait get it; `None`: nobody asked.
    pub fn done(
        &mut self,
        re: u64,
        keep: usize,
        frame: impl FnOnce(&str) -> Arc<str>,
    ) -> Option<(Vec<Session>, Arc<str>)> {
        let key = self.pending.remove(&re)?;
        let answer = frame(&key.1);
        let entry = self.entries.get_mut(&key)?;
        let state = State::Done { answer: Arc::clone(&answer) };
        let before = std::mem::replace(&mut entry.state, state);
        self.done.push_back(key);
        while self.done.len() > keep {
            if let Some(oldest) = self.done.pop_front() {
                self.entries.remove(&oldest);
            }
        }
        match before {
            State::Pending { waiting } => Some((waiting, answer)),
            State::Done { .. } => None,
        }
    }

    /// It was not carried out after all: the same id may come again. Gives who waited.
    pub fn forget(&mut self, re: u64) -> Vec<Session> {
        let Some(key) = self.pending.remove(&re) else { return Vec::new() };
        match self.entries.remove(&key) {
            Some(Entry { state: State::Pending { waiting }, .. }) => waiting,
            _ => Vec::new(),
        }
    }

    #[cfg(test)]
    pub fn in_progress(&self) -> usize {
        self.pending.len()
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(sign_in: u8, id: &str) -> Key {
        (SignIn([sign_in; 32]), id.into())
    }

    #[test]
    fn the_same_id_is_carried_out_once_and_answered_each_time() {
        let mut answers = Answers::default();
        assert_eq!(answers.ask(key(1, "a"), 7, 1, 100, 9), Asked::New);
        assert_eq!(answers.ask(key(1, "a"), 7, 2, 101, 9), Asked::Waiting, "from the page that came after");
        assert_eq!(answers.ask(key(1, "a"), 7, 2, 102, 9), Asked::Waiting);
        assert_eq!(answers.ask(key(1, "a"), 8, 2, 103, 9), Asked::Reused);
        assert_eq!(answers.ask(key(2, "a"), 8, 3, 104, 9), Asked::New, "another sign-in's ids are its own");
        let (waiting, answer) = answers.done(100, 9, |id| format!("{id}!").into()).unwrap();
        assert_eq!((waiting, &*answer), (vec![1, 2], "a!"));
        assert_eq!(answers.ask(key(1, "a"), 7, 5, 105, 9), Asked::Known("a!".into()));
        assert_eq!(answers.done(100, 9, |_| "late".into()), None, "an answer comes once");
        assert_eq!(answers.in_progress(), 1);
    }

    #[test]
    fn what_was_never_carried_out_may_come_again() {
        let mut answers = Answers::default();
        assert_eq!(answers.ask(key(1, "a"), 7, 1, 100, 9), Asked::New);
        assert_eq!(answers.forget(100), [1]);
        assert_eq!(answers.ask(key(1, "a"), 7, 1, 101, 9), Asked::New);
    }

    #[test]
    fn both_kinds_are_bounded() {
        let mut answers = Answers::default();
        for n in 0..5 {
            let asked = answers.ask(key(1, &n.to_string()), 0, 1, n, 3);
            assert_eq!(asked, if n < 3 { Asked::New } else { Asked::Full });
        }
        for n in 0..100 {
            answers.done(n, 4, |_| "x".into());
            answers.ask(key(1, &format!("more {n}")), 0, 1, n + 1, 3);
        }
        assert!(answers.len() <= 4 + 3, "{}", answers.len());
    }
}
