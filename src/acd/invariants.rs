//! What holds between any two facts. Tests and simulators ask after every step; it looks at everything, which the room itself never does.

use super::Acd;
use super::agent::Standing;
use super::lines::{Counts, LineId};
use super::places::PlaceState;
use std::collections::{BTreeMap, BTreeSet};

impl Acd {
    /// Panics with what is wrong.
    pub fn assert_invariants(&self) {
        assert!(self.freed.is_empty() && self.again.is_empty() && self.touched.is_empty(), "not settled");
        assert!(self.beside.is_empty(), "a caller waits beside a free agent");
        self.assert_lines();
        self.assert_places();
        self.assert_agents();
    }

    fn assert_lines(&self) {
        let mut fits: BTreeMap<LineId, Counts> = BTreeMap::new();
        for agent in self.agents.values() {
            let standing = agent.standing();
            agent.lines.iter().for_each(|(line, _)| fits.entry(*line).or_default().add(standing));
        }
        for (id, line) in &self.lines {
            assert!(
                line.waiting.is_empty() || line.idle.is_empty(),
                "{} waits beside a free agent",
                line.queue
            );
            assert_eq!(self.queues[&line.queue].lines.get(&line.needs), Some(id), "a line is lost");
            assert_eq!(self.empty_lines.contains(id), line.places == 0, "an empty line is listed wrongly");
            assert_eq!(
                self.queues[&line.queue].busy.contains(id),
                line.places > 0,
                "a busy line is listed wrongly"
            );
            assert_eq!(
                line.counts,
                *fits.get(id).unwrap_or(&Counts::default()),
                "miscounted: {}",
                line.queue
            );
            let free = usize::from(line.counts.of(Standing::Free));
            assert_eq!(line.idle.len(), free, "somebody is listed in {} who is not free", line.queue);
        }
        let waiting: usize = self.lines.values().map(|line| line.waiting.len()).sum();
        let places: usize = self.lines.values().map(|line| line.places).sum();
        assert_eq!(places, self.places.len(), "a place without a line");
        assert!(waiting <= places);
        for (name, queue) in &self.queues {
            assert_eq!(queue.ranks.len(), queue.arrivals.len(), "{name}: ranks and arrivals differ");
            let mut counts = Counts::default();
            queue.agents.iter().for_each(|id| counts.add(self.agents[id].standing()));
            assert_eq!(queue.counts, counts, "{name} miscounts its agents");
        }
    }

    fn assert_places(&self) {
        let (mut ranked, mut offers, mut due) = (0, BTreeSet::new(), 0);
        let calls = self.calls_waiting();
        for call in calls {
            ranked += 1;
            let place = self.places.get(&call).expect("whoever is ranked has a place");
            assert!(!self.served.contains_key(&call), "{call} waits and is served");
            match &place.state {
                PlaceState::Waiting => due += 1,
                PlaceState::Offered(ids) => {
                    assert!(!ids.is_empty(), "{call} is offered to nobody");
                    for id in ids {
                        assert_eq!(
                            self.offers.get(id).map(|o| o.call),
                            Some(call),
                            "{id:?} is no offer of {call}"
                        );
                        offers.insert(*id);
                    }
                }
                PlaceState::Resting { .. } => panic!("{call} rests and is ranked"),
            }
        }
        let resting = self.places.len() - ranked;
        assert_eq!(self.call_due.len(), due + resting, "a place without a deadline");
        assert!(self.offers.keys().eq(offers.iter()), "an offer without a caller");
        assert_eq!(self.offer_due.len(), self.offers.len(), "an offer without a deadline");
    }

    fn assert_agents(&self) {
        let mut offered = 0;
        for agent in self.agents.values() {
            if let Some(offer) = agent.offer() {
                offered += 1;
                assert_eq!(self.offers.get(&offer).map(|o| o.agent), Some(agent.id()), "two offers or none");
                assert!(agent.epoch.is_some(), "an offer to somebody logged out");
            }
            let free = agent.standing() == Standing::Free;
            let face = agent.face();
            for (line, level) in &agent.lines {
                let line = &self.lines[line];
                let listed = line.idle.contains(&line.key(agent.id(), *level, &face));
                assert_eq!(listed, free, "{} is listed wrongly", agent.id());
            }
        }
        assert_eq!(offered, self.offers.len(), "an offer without its agent");
        let away = self.agents.values().filter(|agent| agent.on_break).count();
        assert_eq!(away, self.on_break, "breaks are miscounted");
        assert_eq!(self.agents.values().filter(|a| a.asked.is_some()).count(), self.break_line.len());
        for (call, served) in &self.served {
            let on = self.agents.get(&served.agent).and_then(|agent| agent.call());
            assert_eq!(on, Some(*call), "{call} is served by nobody");
        }
        assert!(self.told.len() == self.told_order.len() && self.told.len() <= self.config.reasons_kept);
    }
}
