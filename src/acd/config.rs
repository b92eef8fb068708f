//! Every number and rule of this room.

use std::sync::Arc;
use std::time::Duration;

/// Limits and rules for all queues and agents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcdConfig {
    /// Agents at most; more in the directory are left out.
    pub max_agents: usize,
    /// Queue and need of skills together make a line; lines at most over all queues. A caller who would need one more is not taken.
    pub max_lines: usize,
    /// The highest priority; a higher one counts as this.
    pub max_priority: u8,
    /// One step of priority is worth this much waiting. So a caller of priority `p` is never passed by one who came more than
    /// `(max_priority - p) * ageing_step` after him: see [`AcdConfig::ageing_bound`].
    pub ageing_step: Duration,
    /// An offer that rings ends after this.
    pub ring: Duration,
    /// The beep before an automatic answer.
    pub auto_answer_after: Duration,
    /// Time for the ticket after a call, before it is asked to be extended.
    pub wrap_up: Duration,
    /// Longest wrap-up with all extensions.
    pub wrap_up_max: Duration,
    /// Rest after a declined offer, shown as wrap-up.
    pub decline_pause: Duration,
    /// Declined offers in a row after which the agent is not ready.
    pub max_declines: u8,
    /// Agents on a break at once; more wait for theirs.
    pub max_on_break: usize,
    /// Only who is on shift may be ready.
    pub roster_binds: bool,
    /// Rung when neither agent nor lead answers.
    pub on_call: Option<Arc<str>>,
    /// Gaps before the second, third … try of a callback; one try more than gaps.
    pub callback_gaps: Arc<[Duration]>,
    /// A callback that could not be made for this long is given up.
    pub callback_max_wait: Duration,
    /// Repeat callers remembered for queues that are sticky.
    pub max_sticky: usize,
    /// Intervals kept of a caller's wait; older ones are joined.
    pub reasons_per_call: usize,
    /// Changes kept of a line; what is older reads as [`super::Cause::NotKept`].
    pub reasons_per_line: usize,
    /// Ended waits and choices of agents that can still be asked about.
    pub reasons_kept: usize,
}

impl Default for AcdConfig {
    fn default() -> Self {
        Self {
            max_agents: 2_000,
            max_lines: 256,
            max_priority: 9,
            ageing_step: Duration::from_secs(300),
            ring: Duration::from_secs(8),
            auto_answer_after: Duration::from_millis(1_200),
            wrap_up: Duration::from_secs(90),
            wrap_up_max: Duration::from_secs(600),
            decline_pause: Duration::from_secs(10),
            max_declines: 3,
            max_on_break: 5,
            roster_binds: false,
            on_call: None,
            callback_gaps: Arc::from([Duration::from_secs(300), Duration::from_secs(1_800)]),
            callback_max_wait: Duration::from_secs(8 * 3600),
            max_sticky: 20_000,
            reasons_per_call: 32,
            reasons_per_line: 512,
            reasons_kept: 2_048,
        }
    }
}

impl AcdConfig {
    /// Nobody who comes later than this after a caller of priority `p` is served before him.
    pub fn ageing_bound(&self, priority: u8) -> Duration {
        self.ageing_step * u32::from(self.max_priority.saturating_sub(priority))
    }
}

/// Which of several free agents is offered the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Strategy {
    /// Whose last call ended first. A break does not count as work and changes nothing.
    #[default]
    LongestIdle,
    /// Who has answered fewest since he was added; equals by longest idle. A break changes nothing.
    FewestCalls,
    /// The highest sum of levels in what the caller needs; equals by longest idle.
    SkillFirst,
    /// Up to this many at once by longest idle; the first to answer has the call, the others are rescinded.
    RingAll { at_most: u8 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Answer {
    /// A beep, then the agent is on the call.
    #[default]
    Auto,
    Ring,
}

/// Where callers go who cannot be served here. A move keeps the time of entry; a caller is moved three times at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overflow {
    pub to: Arc<str>,
    /// After this much waiting in the queue.
    pub after: Option<Duration>,
    /// Those who come while this many wait.
    pub longer_than: Option<usize>,
    /// While nobody serves this queue.
    pub no_staff: bool,
}

/// One queue's limits and rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueConfig {
    /// Callers at most, callbacks not counted; one more hears the flow's `full`.
    pub max_waiting: usize,
    /// Longest wait; then the flow's `timeout`. An open offer is waited for.
    pub max_wait: Duration,
    /// Callbacks at most.
    pub max_callbacks: usize,
    pub strategy: Strategy,
    pub answer: Answer,
    /// A repeat caller goes to the agent he knows, if that one is free.
    pub sticky: bool,
    pub overflow: Option<Overflow>,
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self {
            max_waiting: 200,
            max_wait: Duration::from_secs(2 * 3600),
            max_callbacks: 500,
            strategy: Strategy::default(),
            answer: Answer::default(),
            sticky: false,
            overflow: None,
        }
    }
}
