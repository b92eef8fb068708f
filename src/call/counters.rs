//! What the engine counts. A closed list: a metric's labels never come from outside (`attacks.md` L8).

use super::EndReason;

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident = $label:literal;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Count { $($(#[$doc])* $name,)* }
        impl Count {
            pub const ALL: &[Self] = &[$(Self::$name,)*];
            pub const fn label(self) -> &'static str { match self { $(Self::$name => $label,)* } }
        }
    };
}

counts! {
    CallsArrived = "calls_arrived";
    CallsAnswered = "calls_answered";
    /// Refused before a call began, by reason.
    RefusedFull = "refused_full";
    RefusedNoPort = "refused_no_port";
    RefusedDraining = "refused_draining";
    RefusedCallerLimit = "refused_caller_limit";
    RefusedCallerRate = "refused_caller_rate";
    RefusedRate = "refused_rate";
    RefusedJournalBehind = "refused_journal_behind";
    DigitsRtp = "digits_rtp";
    DigitsInband = "digits_inband";
    DigitsInfo = "digits_info";
    /// The same press by two ways within 300 ms.
    DigitsDoubled = "digits_doubled";
    ClipMissing = "clip_missing";
    WalkFault = "walk_fault";
    NumbersDrawn = "numbers_drawn";
    /// A message or callback that could not be made safe in time: the caller was told so.
    StoreFailed = "store_failed";
    LookupTimeout = "lookup_timeout";
    FlowRefused = "flow_refused";
    FlowLoaded = "flow_loaded";
    /// News for a call, leg or dialog that is no more.
    Stale = "stale";
    InvariantBroken = "invariant_broken";
    MediaEventsLost = "media_events_lost";
    SourceMoved = "source_moved";
    TransferRefused = "transfer_refused";
    LegCloseLost = "leg_close_lost";
    Offers = "offers";
    OffersAnswered = "offers_answered";
    /// The agent let it ring.
    OffersMissed = "offers_missed";
    OffersDeclined = "offers_declined";
    /// Taken back by no doing of the agent's.
    OffersRescinded = "offers_rescinded";
    /// The agent or the call was not free when it came to bind them.
    OfferRefused = "offer_refused";
    AgentCommands = "agent_commands";
    AgentCommandsRefused = "agent_commands_refused";
    /// A desk phone or trunk could not be called at all.
    PhoneUnreachable = "phone_unreachable";
    /// One call has as many parties as it may.
    PartyRefused = "party_refused";
    PartySilent = "party_silent";
    /// Agents whose line was lost while they talked.
    AgentsLost = "agents_lost";
    CallsDialled = "calls_dialled";
    /// Callbacks dialled, citizens reached by them, and those given up.
    CallbacksTried = "callbacks_tried";
    CallbacksReached = "callbacks_reached";
    CallbacksGivenUp = "callbacks_given_up";
    /// Calls by an old number, and those by one whose last day is over.
    LegacyCalls = "legacy_calls";
    LegacyExpired = "legacy_expired";
    /// Asked for with a number nobody is called back at, and asked for again while promised already.
    CallbacksRefused = "callbacks_refused";
    CallbacksAgain = "callbacks_again";
    /// Duty numbers dialled to see who is there.
    DialTests = "dial_tests";
    /// Units told of an urgent ticket by telephone, and those who pressed that they heard it.
    VoiceUrges = "voice_urges";
    VoiceUrgesHeard = "voice_urges_heard";
    /// Dialled by an agent beyond his share of an hour.
    DialsLimited = "dials_limited";
    Alarms = "alarms";
}

#[derive(Clone, Debug)]
pub struct Counters {
    counts: Vec<u64>,
    /// Ended calls by reason, in the order of [`EndReason::ALL`].
    ended: Vec<u64>,
}

impl Default for Counters {
    fn default() -> Self {
        Self { counts: vec![0; Count::ALL.len()], ended: vec![0; EndReason::ALL.len()] }
    }
}

impl Counters {
    pub fn add(&mut self, what: Count) {
        self.counts[what as usize] += 1;
    }
    pub fn get(&self, what: Count) -> u64 {
        self.counts[what as usize]
    }
    pub(super) fn ended(&mut self, why: EndReason) {
        if let Some(i) = EndReason::ALL.iter().position(|r| *r == why) {
            self.ended[i] += 1;
        }
    }
    pub fn ended_by(&self) -> impl Iterator<Item = (EndReason, u64)> + '_ {
        EndReason::ALL.iter().copied().zip(self.ended.iter().copied())
    }
    pub fn all(&self) -> impl Iterator<Item = (Count, u64)> + '_ {
        Count::ALL.iter().copied().zip(self.counts.iter().copied())
    }
}
