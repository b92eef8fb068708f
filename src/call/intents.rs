//! What each agent wanted last, folded from the facts: whoever comes back after a restart is what he was.

use super::fact::Fact;
use std::collections::{BTreeMap, BTreeSet};

/// Agents remembered at most: far more than a directory has.
pub const MOST: usize = 4_096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Ready,
    NotReady,
    /// Not ready on a break that was granted: one of the places on break is his.
    Break,
}

impl Wish {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::NotReady => "not_ready",
            Self::Break => "break",
        }
    }

    pub fn of(label: &str) -> Option<Self> {
        [Self::Ready, Self::NotReady, Self::Break].into_iter().find(|wish| wish.label() == label)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastIntent {
    pub wish: Wish,
    /// Of a break or not being ready.
    pub reason: String,
    /// Wall time of it.
    pub since_ms: i64,
}

/// By the agent's name. Whoever has logged out is not among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntentFold {
    pub last: BTreeMap<String, LastIntent>,
    /// On a call or at its ticket when he was heard of last.
    pub busy: BTreeSet<String>,
}

impl IntentFold {
    pub fn fold(&mut self, wall_ms: i64, fact: &Fact) {
        let last = &mut self.last;
        match fact {
            Fact::AgentIntent { agent, intent, reason } => match Wish::of(intent) {
                // Who has just logged in has said nothing yet.
                Some(Wish::NotReady) if reason == "login" => drop(last.remove(agent)),
                Some(wish) if last.contains_key(agent) || last.len() < MOST => {
                    last.insert(
                        agent.clone(),
                        LastIntent { wish, reason: reason.clone(), since_ms: wall_ms },
                    );
                }
                Some(_) => {}
                None => drop(last.remove(agent)),
            },
            Fact::AgentState { agent, state, .. } => {
                if !matches!(state.as_str(), "on_call" | "wrap_up") {
                    self.busy.remove(agent);
                } else if self.busy.len() < MOST {
                    self.busy.insert(agent.clone());
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(agent: &str, intent: &str, reason: &str) -> Fact {
        Fact::AgentIntent { agent: agent.into(), intent: intent.into(), reason: reason.into() }
    }

    #[test]
    fn the_last_word_counts_and_who_has_logged_out_is_forgotten() {
        let mut fold = IntentFold::default();
        fold.fold(1, &said("8001", "not_ready", "login"));
        assert_eq!(fold, IntentFold::default());
        fold.fold(2, &said("8001", "ready", ""));
        fold.fold(3, &said("8002", "break", "tea"));
        fold.fold(4, &said("8001", "not_ready", "desk"));
        let last = |wish, reason: &str, since_ms| LastIntent { wish, reason: reason.into(), since_ms };
        assert_eq!(fold.last.get("8001"), Some(&last(Wish::NotReady, "desk", 4)));
        assert_eq!(fold.last.get("8002"), Some(&last(Wish::Break, "tea", 3)));
        fold.fold(5, &said("8002", "offline", ""));
        assert_eq!(fold.last.len(), 1);
    }

    #[test]
    fn it_is_bounded() {
        let mut fold = IntentFold::default();
        for n in 0..MOST + 10 {
            fold.fold(1, &said(&format!("a{n}"), "ready", ""));
        }
        assert_eq!(fold.last.len(), MOST);
        fold.fold(2, &said("a0", "break", "tea"));
        assert_eq!(fold.last.get("a0").map(|last| last.wish), Some(Wish::Break), "who is known is followed");
    }
}
