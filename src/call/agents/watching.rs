//! Who watches the floor: everybody's state, and the numbers of the queues he named.
//!
//! Hundreds may watch, and each change is told to all of them. So a change is one word with a list of its readers, and the list is
//! made anew only when somebody begins or ends watching.

use super::seam::AgentId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Debug, Default)]
pub(in crate::call) struct Watching {
    /// Queues by who watches them; never an empty set.
    by: BTreeMap<AgentId, BTreeSet<Arc<str>>>,
    floor: Option<Arc<[AgentId]>>,
    queues: BTreeMap<Arc<str>, Arc<[AgentId]>>,
}

impl Watching {
    /// These and no others from now on; none: he watches nothing.
    pub fn set(&mut self, who: &AgentId, queues: BTreeSet<Arc<str>>) {
        let before = match queues.is_empty() {
            true => self.by.remove(who),
            false => self.by.insert(Arc::clone(who), queues.clone()),
        };
        let before = before.unwrap_or_default();
        if before.is_empty() != queues.is_empty() {
            self.floor = None;
        }
        for changed in before.symmetric_difference(&queues) {
            self.queues.remove(changed);
        }
    }

    /// Whom everybody's state is told to.
    pub fn floor(&mut self) -> Arc<[AgentId]> {
        let by = &self.by;
        Arc::clone(self.floor.get_or_insert_with(|| by.keys().cloned().collect()))
    }

    /// Whom this queue's numbers are told to.
    pub fn of(&mut self, queue: &Arc<str>) -> Arc<[AgentId]> {
        if let Some(known) = self.queues.get(queue) {
            return Arc::clone(known);
        }
        let all = self.by.iter().filter(|(_, queues)| queues.contains(queue));
        let all: Arc<[AgentId]> = all.map(|(who, _)| Arc::clone(who)).collect();
        self.queues.insert(Arc::clone(queue), Arc::clone(&all));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<Arc<str>> {
        names.iter().map(|name| Arc::from(*name)).collect()
    }

    fn list(of: &[AgentId]) -> Vec<&str> {
        of.iter().map(|name| &**name).collect()
    }

    #[test]
    fn lists_are_true_and_shared_until_somebody_comes_or_goes() {
        let mut watching = Watching::default();
        let (main, business) = (Arc::from("main"), Arc::from("business"));
        assert!(watching.floor().is_empty() && watching.of(&main).is_empty());
        watching.set(&"8003".into(), set(&["main"]));
        watching.set(&"8001".into(), set(&["main", "business"]));
        assert_eq!(list(&watching.floor()), ["8001", "8003"], "sorted");
        assert_eq!(list(&watching.of(&main)), ["8001", "8003"]);
        assert_eq!(list(&watching.of(&business)), ["8001"]);
        let (floor, of_main) = (watching.floor(), watching.of(&main));
        watching.set(&"8003".into(), set(&["main", "business"]));
        assert!(Arc::ptr_eq(&floor, &watching.floor()) && Arc::ptr_eq(&of_main, &watching.of(&main)));
        assert_eq!(list(&watching.of(&business)), ["8001", "8003"]);
        watching.set(&"8001".into(), set(&[]));
        assert_eq!(list(&watching.floor()), ["8003"]);
        assert_eq!(list(&watching.of(&main)), ["8003"]);
        watching.set(&"8009".into(), set(&[]));
        assert_eq!(list(&watching.floor()), ["8003"]);
    }
}
