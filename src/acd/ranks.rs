//! Order statistics of a queue: who is first and how many stand before a place, in logarithmic time.
//!
//! A tree ordered by rank and heaped by a mixed-up rank (a treap), each node knowing how many hang below it.

use crate::base::{CallId, Time};
use std::time::Duration;

/// A place in the order: the moment from which it counts, moved back by its priority; then the call's age.
///
/// `due` is fixed while the priority is, so nobody's place changes by waiting, and a step of priority is worth a fixed time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    pub due: u64,
    pub call: CallId,
}

impl Rank {
    pub fn new(call: CallId, entered: Time, steps_below_top: u8, step: Duration) -> Self {
        let handicap = step * u32::from(steps_below_top);
        Self { due: (entered + handicap).as_nanos(), call }
    }
}

#[derive(Debug)]
pub(super) struct Ranks {
    nodes: Vec<Node>,
    free: Vec<u32>,
    root: u32,
}

#[derive(Debug)]
struct Node {
    rank: Rank,
    heap: u64,
    size: u32,
    left: u32,
    right: u32,
}

const NONE: u32 = u32::MAX;

impl Default for Ranks {
    fn default() -> Self {
        Self { nodes: Vec::new(), free: Vec::new(), root: NONE }
    }
}

impl Ranks {
    pub fn len(&self) -> usize {
        self.size(self.root) as usize
    }

    pub fn is_empty(&self) -> bool {
        self.root == NONE
    }

    /// A rank that is in already is not put in twice.
    pub fn insert(&mut self, rank: Rank) {
        if self.contains(rank) {
            return;
        }
        let node = Node { rank, heap: mixed(rank), size: 1, left: NONE, right: NONE };
        let new = match self.free.pop() {
            Some(slot) => {
                self.nodes[slot as usize] = node;
                slot
            }
            None => {
                self.nodes.push(node);
                // Queues hold thousands: far from where 32 bits end.
                (self.nodes.len() - 1) as u32
            }
        };
        let (left, right) = self.split(self.root, rank);
        let left = self.merge(left, new);
        self.root = self.merge(left, right);
    }

    pub fn remove(&mut self, rank: Rank) {
        if self.contains(rank) {
            self.root = self.without(self.root, rank);
        }
        if self.root == NONE {
            // Give back what a rush has taken.
            *self = Self::default();
        }
    }

    /// How many stand before `rank`, whether it is in or not.
    pub fn ahead(&self, rank: Rank) -> u32 {
        let (mut at, mut ahead) = (self.root, 0);
        while at != NONE {
            let node = &self.nodes[at as usize];
            if node.rank < rank {
                ahead += 1 + self.size(node.left);
                at = node.right;
            } else {
                at = node.left;
            }
        }
        ahead
    }

    /// Everybody, in order.
    pub fn iter(&self) -> impl Iterator<Item = Rank> {
        let mut open = Vec::new();
        let mut at = self.root;
        std::iter::from_fn(move || {
            while at != NONE {
                open.push(at);
                at = self.nodes[at as usize].left;
            }
            let node = &self.nodes[open.pop()? as usize];
            at = node.right;
            Some(node.rank)
        })
    }

    fn contains(&self, rank: Rank) -> bool {
        let mut at = self.root;
        while at != NONE {
            let node = &self.nodes[at as usize];
            if node.rank == rank {
                return true;
            }
            at = if rank < node.rank { node.left } else { node.right };
        }
        false
    }

    fn size(&self, at: u32) -> u32 {
        self.nodes.get(at as usize).map_or(0, |node| node.size)
    }

    fn resize(&mut self, at: u32) {
        let node = &self.nodes[at as usize];
        let size = 1 + self.size(node.left) + self.size(node.right);
        self.nodes[at as usize].size = size;
    }

    /// What is below `rank`, and the rest.
    fn split(&mut self, at: u32, rank: Rank) -> (u32, u32) {
        if at == NONE {
            return (NONE, NONE);
        }
        let (left, right) = (self.nodes[at as usize].left, self.nodes[at as usize].right);
        if self.nodes[at as usize].rank < rank {
            let (below, above) = self.split(right, rank);
            self.nodes[at as usize].right = below;
            self.resize(at);
            (at, above)
        } else {
            let (below, above) = self.split(left, rank);
            self.nodes[at as usize].left = above;
            self.resize(at);
            (below, at)
        }
    }

    fn merge(&mut self, left: u32, right: u32) -> u32 {
        if left == NONE || right == NONE {
            return if left == NONE { right } else { left };
        }
        if self.nodes[left as usize].heap > self.nodes[right as usize].heap {
            let below = self.merge(self.nodes[left as usize].right, right);
            self.nodes[left as usize].right = below;
            self.resize(left);
            left
        } else {
            let below = self.merge(left, self.nodes[right as usize].left);
            self.nodes[right as usize].left = below;
            self.resize(right);
            right
        }
    }

    fn without(&mut self, at: u32, rank: Rank) -> u32 {
        if at == NONE {
            return NONE;
        }
        let (here, left, right) = {
            let node = &self.nodes[at as usize];
            (node.rank, node.left, node.right)
        };
        if here == rank {
            self.free.push(at);
            return self.merge(left, right);
        }
        if rank < here {
            let below = self.without(left, rank);
            self.nodes[at as usize].left = below;
        } else {
            let below = self.without(right, rank);
            self.nodes[at as usize].right = below;
        }
        self.resize(at);
        at
    }
}

/// Spreads ranks that lie close together (splitmix64).
fn mixed(rank: Rank) -> u64 {
    let mut x = rank.due ^ rank.call.n.rotate_left(32) ^ (u64::from(rank.call.node) << 48);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    fn rank(due: u64, n: u64) -> Rank {
        Rank { due, call: CallId { node: 1, boot: 1, n } }
    }

    /// Against counting by hand, over thousands of random entries and departures.
    #[test]
    fn ranks_agree_with_counting() {
        for seed in 0..20 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut ranks = Ranks::default();
            let mut people: Vec<Rank> = Vec::new();
            for n in 0..2_000 {
                if people.is_empty() || !rng.next_u32().is_multiple_of(3) {
                    people.push(rank(u64::from(rng.next_u32() % 500), n));
                    ranks.insert(people[people.len() - 1]);
                } else {
                    let gone = people.swap_remove(rng.next_u32() as usize % people.len());
                    ranks.remove(gone);
                    ranks.remove(gone);
                }
                if let Some(&one) = people.last() {
                    let by_hand = people.iter().filter(|other| **other < one).count();
                    assert_eq!(ranks.ahead(one) as usize, by_hand, "seed {seed}");
                }
                assert_eq!(ranks.len(), people.len(), "seed {seed}");
            }
            people.sort_unstable();
            assert!(ranks.iter().eq(people), "seed {seed}");
        }
    }

    #[test]
    fn a_long_line_that_came_in_order_is_no_deep_tree() {
        let mut ranks = Ranks::default();
        (0..50_000).for_each(|n| ranks.insert(rank(n, n)));
        fn depth(ranks: &Ranks, at: u32) -> usize {
            match ranks.nodes.get(at as usize) {
                None => 0,
                Some(node) => 1 + depth(ranks, node.left).max(depth(ranks, node.right)),
            }
        }
        let depth = depth(&ranks, ranks.root);
        assert!(depth < 64, "{depth}");
        assert_eq!(ranks.ahead(rank(40_000, 40_000)), 40_000);
    }
}
