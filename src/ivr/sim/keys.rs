//! When which key is pressed: a script like `1, 261123000018#@ask_no, 8@people+45, 1@:queue_offer`.
//!
//! Without a place a key waits until the walk listens to it. `@12` is so many seconds after the answer, `@node` after entering a node,
//! `@:prompt` after a prompt has begun; `+3` is so many seconds later. Several keys in one are pressed one after another.

use crate::base::{Digit, Time};
use crate::ivr::Walk;
use crate::ivr::seam::Trail;
use std::sync::Arc;
use std::time::Duration;

/// Between two keys of one group, and before a key that waited for the walk to listen.
const BETWEEN: Duration = Duration::from_millis(300);
const THINKS: Duration = Duration::from_secs(1);
const KEYS_MAX: usize = 200;

/// When a key is pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// As soon as the walk listens to it.
    Listening,
    /// Milliseconds after the answer.
    At(u64),
    /// After entering a node, for the first time since the key before.
    Node(Arc<str>),
    /// After a prompt has begun.
    Prompt(Arc<str>),
    /// Right after the key before.
    Next,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Press {
    pub key: char,
    pub when: When,
    /// Milliseconds later than that.
    pub plus_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("keys: \"{0}\" is none: write 1, 261123000018#, 8@45, 8@people+45 or 1@:queue_offer")]
pub struct BadKeys(String);

impl Press {
    /// Reads a script.
    pub fn read(text: &str) -> Result<Vec<Self>, BadKeys> {
        let mut presses = Vec::new();
        for item in text.split([',', ' ']).map(str::trim).filter(|item| !item.is_empty()) {
            let bad = || BadKeys(item.to_owned());
            let (keys, place) =
                item.split_once('@').map_or((item, None), |(keys, place)| (keys, Some(place)));
            let (place, plus) =
                match place.map(|place| place.rsplit_once('+').map_or((place, "0"), |both| both)) {
                    Some((place, plus)) => (Some(place), plus),
                    None => (None, "0"),
                };
            let plus_ms = ms(plus).ok_or_else(bad)?;
            let when = match place {
                None => When::Listening,
                Some(place) => match (ms(place), place.strip_prefix(':')) {
                    (Some(at), _) => When::At(at),
                    (None, Some(prompt)) => When::Prompt(Arc::from(prompt)),
                    (None, None) if !place.is_empty() => When::Node(Arc::from(place)),
                    _ => return Err(bad()),
                },
            };
            for (n, key) in keys.chars().enumerate() {
                let key = Digit::from_char(key).ok_or_else(bad)?.as_char();
                let (when, plus_ms) = if n == 0 { (when.clone(), plus_ms) } else { (When::Next, 0) };
                presses.push(Self { key, when, plus_ms });
            }
            if keys.is_empty() || presses.len() > KEYS_MAX {
                return Err(bad());
            }
        }
        Ok(presses)
    }
}

fn ms(seconds: &str) -> Option<u64> {
    let s: f64 = seconds.parse().ok()?;
    (s.is_finite() && (0.0..=86_400.0).contains(&s)).then(|| (s * 1_000.0).round() as u64)
}

/// A script on its way.
#[derive(Debug)]
pub struct Script {
    presses: Vec<Press>,
    at: usize,
    /// When what the next key waits for has happened.
    since: Option<Time>,
    last: Option<Time>,
}

impl Script {
    pub(super) fn new(presses: &[Press]) -> Self {
        Self { presses: presses.to_vec(), at: 0, since: None, last: None }
    }

    /// The next key and its moment; `None` while what it waits for has not happened.
    pub(super) fn next(&mut self, now: Time, walk: &Walk) -> Option<(Time, char)> {
        let press = self.presses.get(self.at)?;
        let plus = Duration::from_millis(press.plus_ms);
        let at = match press.when {
            When::At(ms) => Time::from_millis(ms) + plus,
            When::Node(_) | When::Prompt(_) => self.since? + plus,
            When::Next => self.last? + BETWEEN,
            When::Listening if walk.listens(press.key) => {
                let since = *self.since.get_or_insert(now);
                self.last.map_or(since + THINKS, |last| (last + THINKS).max(since + THINKS)) + plus
            }
            When::Listening => {
                self.since = None;
                return None;
            }
        };
        Some((at, press.key))
    }

    pub(super) fn saw(&mut self, now: Time, step: &Trail) {
        let Some(press) = self.presses.get(self.at) else { return };
        let met = match (&press.when, step) {
            (When::Node(name), Trail::Entered(node)) => name == node,
            (When::Prompt(name), Trail::Prompt(prompt)) => name == prompt,
            _ => false,
        };
        if met && self.since.is_none() {
            self.since = Some(now);
        }
    }

    pub(super) fn pressed(&mut self, now: Time) {
        self.last = Some(now);
        self.since = None;
        self.at += 1;
    }

    /// Keys that were never pressed.
    pub(super) fn left(&self) -> usize {
        self.presses.len() - self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_reads() {
        let keys = Press::read("1, 26#@ask_no+2.5 8@45,0@:menu").unwrap();
        let want = [
            ('1', When::Listening, 0),
            ('2', When::Node("ask_no".into()), 2_500),
            ('6', When::Next, 0),
            ('#', When::Next, 0),
            ('8', When::At(45_000), 0),
            ('0', When::Prompt("menu".into()), 0),
        ];
        assert_eq!(keys.len(), want.len());
        for (press, (key, when, plus_ms)) in keys.iter().zip(want) {
            assert_eq!((press.key, &press.when, press.plus_ms), (key, &when, plus_ms));
        }
        for bad in ["x", "1@", "@people", "1@people+x", "1@:menu+-1"] {
            assert!(Press::read(bad).is_err(), "{bad}");
        }
        assert_eq!(Press::read(""), Ok(Vec::new()));
    }
}
