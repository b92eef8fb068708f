//! A call's decisions, run again from its journal: the same inputs into the same walk, and the first step that differs.

use super::fact::{Fact, Stamped, StepTrail};
use super::steps;
use crate::base::Time;
use crate::ivr::seam::{CallFacts, World};
use crate::ivr::{Flow, Walk};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq)]
pub struct Replayed {
    /// Inputs run.
    pub steps: usize,
    pub difference: Option<Difference>,
}

/// The first step at which the walk decided otherwise than the journal says.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Which input of the call, from 1, and its place in the journal.
    pub step: usize,
    pub seq: u64,
    pub wall_ms: i64,
    pub recorded: Vec<StepTrail>,
    pub replayed: Vec<StepTrail>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    #[error("the journal has no beginning of this call")]
    NoArrival,
}

/// Runs `facts` (one call's, in order) through `flow`.
pub fn replay(flow: &Arc<Flow>, facts: &[Stamped]) -> Result<Replayed, ReplayError> {
    let (began, arrived) = facts
        .iter()
        .find_map(|stamped| match &stamped.fact {
            Fact::CallArrived(arrived) => Some((stamped.mono_ns, arrived)),
            _ => None,
        })
        .ok_or(ReplayError::NoArrival)?;
    let mut walk = Walk::new(
        Arc::clone(flow),
        CallFacts {
            caller: (!arrived.caller.is_empty()).then(|| arrived.caller.clone()),
            called: arrived.called.clone(),
            redirected_from: arrived.redirected_from.clone(),
            trunk: arrived.trunk.clone(),
            tags: Vec::new(),
            began: Time::from_nanos(began),
        },
    );
    let mut count = 0;
    for stamped in facts {
        let Fact::Step(step) = &stamped.fact else { continue };
        count += 1;
        let world = World {
            wall_ms: stamped.wall_ms,
            utc_offset_s: step.world.utc_offset_s,
            day: step.world.day,
            switches: step.world.switches.iter().map(|name| Arc::from(name.as_str())).collect(),
            ahead: step.world.ahead,
            wait_ms: step.world.wait_ms,
            staffed: step.world.staffed,
            free: step.world.free,
            leader: step.world.leader.as_deref().map(Arc::from),
        };
        let (mut actions, mut trail) = (Vec::new(), Vec::new());
        // A masked digit has no input of its own: the node's outcome, journaled at the last one, takes its place.
        if let Some(input) = steps::from_fact(&step.input) {
            walk.handle(Time::from_nanos(stamped.mono_ns), &world, input, &mut actions, &mut trail);
        }
        let replayed: Vec<StepTrail> = trail.iter().map(steps::trail_to_fact).collect();
        if replayed != step.trail {
            let difference = Difference {
                step: count,
                seq: stamped.seq,
                wall_ms: stamped.wall_ms,
                recorded: step.trail.clone(),
                replayed,
            };
            return Ok(Replayed { steps: count, difference: Some(difference) });
        }
    }
    Ok(Replayed { steps: count, difference: None })
}
