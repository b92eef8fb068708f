//! What everybody is told, gathered for a moment and handed out in shares. Pure.
//!
//! Hundreds of pages watch the floor, and each of a colleague's steps is told to all of them. The text is written once, without a
//! number; readers with the same share get the same list. So a burst costs each page one packet, not one a step.
//!
//! Words have places, counted from the first one ever: whoever has had words of his own meanwhile was given his share before them,
//! up to a place, and gets only what comes after it.

use crate::call::agents::seam::AgentId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Words that are gathered at most, and different lists of readers among them.
const WORDS: usize = 256;
const LISTS: usize = 64;

#[derive(Debug)]
struct Word {
    list: usize,
    but: Option<AgentId>,
    text: Arc<str>,
}

/// One reader's share.
pub type Share = Arc<[Arc<str>]>;

#[derive(Debug, Default)]
pub struct Floor {
    /// The place of the first word that is here.
    first: u64,
    words: Vec<Word>,
    /// Each sorted, no two the same.
    lists: Vec<Arc<[AgentId]>>,
}

impl Floor {
    /// One more. `true`: there is no room for another.
    pub fn push(&mut self, to: &Arc<[AgentId]>, but: Option<AgentId>, text: Arc<str>) -> bool {
        let known = self.lists.iter().position(|list| Arc::ptr_eq(list, to));
        let list = known.unwrap_or_else(|| {
            self.lists.push(Arc::clone(to));
            self.lists.len() - 1
        });
        self.words.push(Word { list, but, text });
        self.words.len() >= WORDS || self.lists.len() >= LISTS
    }

    pub const fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The place after the last word.
    pub const fn end(&self) -> u64 {
        self.first + self.words.len() as u64
    }

    /// What this reader has not been given, from the place `had` on.
    pub fn share(&self, had: u64, reader: &AgentId) -> Share {
        let reads: Vec<bool> = self.lists.iter().map(|list| list.binary_search(reader).is_ok()).collect();
        self.words_for(had, |word| {
            reads.get(word.list).is_some_and(|reads| *reads) && word.but.as_ref() != Some(reader)
        })
    }

    fn words_for(&self, had: u64, fits: impl Fn(&Word) -> bool) -> Share {
        let skip = usize::try_from(had.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let rest = self.words.iter().skip(skip).filter(|word| fits(word));
        rest.map(|word| Arc::clone(&word.text)).collect()
    }

    /// Every reader with what he has not been given; `had` tells his place. Nothing is left.
    pub fn take(&mut self, had: impl Fn(&AgentId) -> u64) -> Vec<(AgentId, Share)> {
        let mut shares: BTreeMap<u64, Share> = BTreeMap::new();
        let mut out = Vec::with_capacity(self.lists.iter().map(|list| list.len()).max().unwrap_or(0));
        let mut at = vec![0; self.lists.len()];
        let mut but: Vec<&AgentId> = self.words.iter().filter_map(|word| word.but.as_ref()).collect();
        but.sort_unstable();
        // All lists side by side, each reader once.
        while let Some(reader) = self.lists.iter().zip(&at).filter_map(|(list, at)| list.get(*at)).min() {
            let mut mask = 0_u64;
            for (n, (list, at)) in self.lists.iter().zip(&mut at).enumerate() {
                if list.get(*at) == Some(reader) {
                    *at += 1;
                    mask |= 1 << n;
                }
            }
            let had = had(reader);
            let share = if had > self.first || but.binary_search(&reader).is_ok() {
                self.words_for(had, |word| mask >> word.list & 1 == 1 && word.but.as_ref() != Some(reader))
            } else {
                let all = || self.words_for(had, |word| mask >> word.list & 1 == 1);
                Arc::clone(shares.entry(mask).or_insert_with(all))
            };
            if !share.is_empty() {
                out.push((Arc::clone(reader), share));
            }
        }
        self.first = self.end();
        self.words.clear();
        self.lists.clear();
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list(names: &[&str]) -> Arc<[AgentId]> {
        names.iter().map(|name| AgentId::from(*name)).collect()
    }

    fn told(taken: &[(AgentId, Share)]) -> BTreeMap<String, Vec<String>> {
        let texts = |share: &Share| share.iter().map(|text| text.to_string()).collect();
        taken.iter().map(|(reader, share)| (reader.to_string(), texts(share))).collect()
    }

    #[test]
    fn the_same_share_is_one_list_and_whoever_was_told_himself_is_left_out() {
        let mut floor = Floor::default();
        let all = list(&["8001", "8002", "8003"]);
        floor.push(&all, Some("8002".into()), "a".into());
        floor.push(&all, None, "b".into());
        assert_eq!(floor.end(), 2);
        let taken = floor.take(|_| 0);
        assert_eq!(told(&taken)["8001"], ["a", "b"]);
        assert_eq!(told(&taken)["8002"], ["b"]);
        assert!(Arc::ptr_eq(&taken[0].1, &taken[2].1));
        assert!(floor.is_empty() && floor.take(|_| 0).is_empty());
    }

    #[test]
    fn room_is_bounded() {
        let (mut floor, all) = (Floor::default(), list(&["8001"]));
        for n in 1..WORDS {
            assert!(!floor.push(&all, None, n.to_string().into()), "{n}");
        }
        assert!(floor.push(&all, None, "last".into()));
        floor.take(|_| 0);
        for n in 1..LISTS {
            assert!(!floor.push(&list(&["8001"]), None, n.to_string().into()), "{n}");
        }
        assert!(floor.push(&list(&["8001"]), None, "last".into()));
    }

    proptest! {
        /// Beside one that tells each word to each reader at once.
        #[test]
        fn everybody_is_told_everything_once_and_in_order(
            steps in proptest::collection::vec((0..4_usize, 0..7_usize, 0..9_usize), 1..200)
        ) {
            let names = ["8000", "8001", "8002", "8003", "8004", "8005"];
            let lists = [list(&names), list(&names[..3]), list(&[names[0], names[4]])];
            let (mut floor, mut had) = (Floor::default(), BTreeMap::<AgentId, u64>::new());
            let mut true_story: BTreeMap<String, Vec<String>> = BTreeMap::new();
            let mut story: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (n, (which, who, what)) in steps.into_iter().enumerate() {
                match (lists.get(which), names.get(who), what) {
                    // All get their shares.
                    (_, _, 0) => {
                        for (reader, share) in floor.take(|name| had.get(name).copied().unwrap_or(0)) {
                            story.entry(reader.to_string()).or_default().extend(share.iter().map(ToString::to_string));
                        }
                    }
                    // One of them gets his before the others.
                    (None, Some(name), _) => {
                        let name = AgentId::from(*name);
                        let share = floor.share(had.get(&name).copied().unwrap_or(0), &name);
                        story.entry(name.to_string()).or_default().extend(share.iter().map(ToString::to_string));
                        had.insert(name, floor.end());
                    }
                    (Some(list), but, _) => {
                        let but = but.map(|name| AgentId::from(*name));
                        for reader in list.iter().filter(|reader| Some(*reader) != but.as_ref()) {
                            true_story.entry(reader.to_string()).or_default().push(n.to_string());
                        }
                        floor.push(list, but, n.to_string().into());
                    }
                    (None, None, _) => {}
                }
            }
            for (reader, share) in floor.take(|name| had.get(name).copied().unwrap_or(0)) {
                story.entry(reader.to_string()).or_default().extend(share.iter().map(ToString::to_string));
            }
            story.retain(|_, told| !told.is_empty());
            prop_assert_eq!(story, true_story);
        }
    }
}
