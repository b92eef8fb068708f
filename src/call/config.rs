//! What an engine is built with. `app` makes it from the configuration file; a reload makes a new one.

use crate::acd::{AcdConfig, AgentSpec, QueueConfig};
use crate::base::reach::is_emergency;
use crate::ivr::Flow;
use crate::media::seam::ClipId;
use crate::roster::Calendar;
use crate::sip::UaConfig;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct EngineConfig {
    pub node: u16,
    /// Counts the starts of this node: call ids of two boots never meet.
    pub boot: u32,
    /// Where the journal goes on.
    pub next_seq: u64,
    /// The only randomness: tags, branches, recording names, look-up codes.
    pub seed: [u8; 32],
    pub ua: UaConfig,
    pub flow: Arc<Flow>,
    pub clips: Arc<BTreeMap<Arc<str>, ClipId>>,
    pub queues: Vec<(Arc<str>, QueueConfig)>,
    /// Rules of waiting and offering.
    pub acd: AcdConfig,
    /// Who can log in as an agent; a reload leaves them, the directory changes them.
    pub agents: Vec<AgentSpec>,
    /// What sounds while somebody is set aside, and what he hears when his agent's line is lost: clips by name.
    pub hold_music: Option<Arc<str>>,
    pub hold_prompt: Option<Arc<str>>,
    pub dial: DialRules,
    /// Decides the date of a ticket's number, and with the calendar what a walk is told of today.
    pub timezone: TimeZone,
    pub calendar: Arc<Calendar>,
    /// Announcements that staff have switched on, sorted: a walk's `branch` may ask for them.
    pub switches: Arc<[Arc<str>]>,
    /// Our address in SDP.
    pub media_addr: IpAddr,
    /// Where our own relays reach the same ports.
    pub media_local: IpAddr,
    /// Record every call from its answer.
    pub record: bool,
    pub limits: Limits,
}

/// Which numbers agents may dial, by which trunk (`attacks.md` S20, S21). Nothing is allowed unless a pattern says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DialRules {
    /// `None`: the first trunk with a target.
    pub trunk: Option<Arc<str>>,
    /// Whole numbers, or a beginning followed by `*`.
    pub allow: Vec<Arc<str>>,
    /// Wins over `allow`.
    pub deny: Vec<Arc<str>>,
    /// Numbers an agent may dial in an hour, callbacks offered to him apart; zero: no limit.
    pub per_agent_hour: u32,
}

impl DialRules {
    pub fn allows(&self, number: &str) -> bool {
        let fits = |pattern: &Arc<str>| match pattern.strip_suffix('*') {
            Some(beginning) => number.starts_with(beginning),
            None => **pattern == *number,
        };
        // An emergency code is opened by its own name only: "1*" is meant for other numbers.
        let named = |pattern: &Arc<str>| **pattern == *number;
        let allowed = match is_emergency(number) {
            true => self.allow.iter().any(named),
            false => self.allow.iter().any(fits),
        };
        allowed && !self.deny.iter().any(fits)
    }
}

/// Every number that bounds a call or the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Live calls; one more gets 503 with Retry-After.
    pub max_calls: usize,
    /// Live calls of one number; zero: no limit. One more gets 486.
    pub max_calls_per_caller: usize,
    /// New calls in a second over all trunks; zero: no limit. One more gets 503 with Retry-After.
    pub max_cps: u32,
    /// New calls in a minute of one number; zero: no limit. One more gets 486.
    pub max_per_minute: u32,
    /// Ring this long before the answer; zero answers at once.
    pub answer_after: Duration,
    /// Longest call.
    pub max_call: Duration,
    /// No RTP and no RTCP for this long ends a call.
    pub media_silence: Duration,
    /// The same of an agent's browser: his line counts as lost. For his telephone it is `media_silence`.
    pub party_silence: Duration,
    /// How long a citizen is kept for an agent whose line is lost, and an idle agent logged in without his page.
    pub agent_away: Duration,
    /// A number we dial is let ring for so long.
    pub ring_out: Duration,
    /// Wrap-up does not end while the call's ticket is a draft.
    pub hold_unfinished: bool,
    /// How long a caller waits for a number to be safe on disk before he is told that it could not be stored.
    pub durable_wait: Duration,
    /// Shortest voiced part of a message worth keeping.
    pub message_min: Duration,
    /// Free media ports below which more are asked for.
    pub ports_low: usize,
    /// Facts that may be waiting for the disk before new calls are refused.
    pub max_undurable: u64,
    /// Longest Retry-After of a 503, seconds; each draws its own from one on, so that trunks do not come back together.
    pub retry_after_s: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_calls: 10_000,
            max_calls_per_caller: 5,
            max_cps: 0,
            max_per_minute: 0,
            answer_after: Duration::ZERO,
            max_call: Duration::from_secs(4 * 3600),
            media_silence: Duration::from_secs(60),
            party_silence: Duration::from_secs(3),
            agent_away: Duration::from_secs(20),
            ring_out: Duration::from_secs(45),
            hold_unfinished: false,
            durable_wait: Duration::from_secs(3),
            message_min: Duration::from_millis(600),
            ports_low: 256,
            max_undurable: 200_000,
            retry_after_s: 10,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(allow: &[&str], deny: &[&str]) -> DialRules {
        let list = |texts: &[&str]| texts.iter().map(|text| Arc::from(*text)).collect();
        DialRules { allow: list(allow), deny: list(deny), ..DialRules::default() }
    }

    #[test]
    fn emergency_codes_are_opened_by_their_own_name_only() {
        let open = rules(&["110", "1*", "96777"], &["1380000*"]);
        for (number, allowed) in [
            ("110", true),
            ("119", false),
            ("122", false),
            ("1100", true),
            ("0110", false),
            ("13912345678", true),
            ("13800001111", false),
            ("96777", true),
            ("967770", false),
        ] {
            assert_eq!(open.allows(number), allowed, "{number}");
        }
        assert!(!rules(&["11*", "12*"], &[]).allows("110"), "practice opens no emergency code by chance");
        assert!(!rules(&["110"], &["11*"]).allows("110"), "deny wins");
        assert!(!rules(&[], &[]).allows("12000000001"));
    }
}
