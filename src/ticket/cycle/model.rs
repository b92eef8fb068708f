//! The words: states, steps, what is known of a ticket and what happened to it.

use super::city::{City, CityOrder};
use crate::roster::Calendar;
use crate::ticket::clock::Span;
use crate::ticket::district::District;
use crate::ticket::rules::{RuleBook, Rules};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

macro_rules! names {
    ($(#[$meta:meta])* $type:ident { $($(#[$doc:meta])* $name:ident = $label:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $type { $($(#[$doc])* #[serde(rename = $label)] $name,)* }

        impl $type {
            pub const ALL: &[Self] = &[$(Self::$name,)*];
            /// Name on the wire and in the history.
            pub const fn label(self) -> &'static str { match self { $(Self::$name => $label,)* } }
            pub fn read(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.label() == text)
            }
        }
    };
}

names! {
    /// Where a ticket is, after its acceptance.
    State {
        /// 已受理 待派单.
        Accepted = "accepted",
        /// 退回坐席补正.
        Clarification = "clarification",
        /// 已派单 待签收.
        Dispatched = "dispatched",
        /// 退单待审.
        ReturnReview = "return_review",
        /// 已签收 办理中.
        Handling = "handling",
        /// 延期待审.
        ExtensionReview = "extension_review",
        /// 会商中.
        JointReview = "joint_review",
        /// 挂账.
        Deferred = "deferred",
        /// 阶段性答复, a statutory procedure is under way.
        Staged = "staged",
        /// 已回复, 待审核 once its head has signed.
        Replied = "replied",
        AwaitingVisit = "awaiting_visit",
        Visited = "visited",
        /// 重办, to be signed for again.
        Redo = "redo",
        /// 转市平台.
        Transferred = "transferred",
        Closed = "closed",
        Rejected = "rejected",
        Withdrawn = "withdrawn",
    }
}

impl State {
    /// Nobody has to do anything any more.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Closed | Self::Rejected | Self::Withdrawn)
    }
}

names! {
    /// What happens to a ticket: what people do, and at the end what time and the machine do.
    Step {
        Dispatch = "dispatch",
        AskClarification = "ask_clarification",
        Clarify = "clarify",
        Sign = "sign",
        AskReturn = "ask_return",
        GrantReturn = "grant_return",
        RefuseReturn = "refuse_return",
        /// 强制派单.
        Force = "force",
        Object = "object",
        DecideObjection = "decide_objection",
        AskExtension = "ask_extension",
        GrantExtension = "grant_extension",
        RefuseExtension = "refuse_extension",
        AskJoint = "ask_joint",
        DecideJoint = "decide_joint",
        Defer = "defer",
        Resume = "resume",
        Progress = "progress",
        Stage = "stage",
        PassDown = "pass_down",
        SubSign = "sub_sign",
        SubReply = "sub_reply",
        Contact = "contact",
        AssistReply = "assist_reply",
        Reply = "reply",
        SignReply = "sign_reply",
        SendBack = "send_back",
        ReviewPass = "review_pass",
        ReviewBack = "review_back",
        VisitTry = "visit_try",
        Visit = "visit",
        Redo = "redo",
        Supervise = "supervise",
        EndSupervision = "end_supervision",
        /// 催办.
        Urge = "urge",
        Supplement = "supplement",
        Withdraw = "withdraw",
        Reject = "reject",
        Merge = "merge",
        Transfer = "transfer",
        TransferReceipt = "transfer_receipt",
        TransferRefused = "transfer_refused",
        Raise = "raise",
        Lower = "lower",
        ApproveUnreasonable = "approve_unreasonable",
        /// What the caller asked for after his ticket was accepted: secrecy, how and when he may be told, whom he complains about.
        Protect = "protect",
        /// 向市平台申请退单.
        AskCityReturn = "ask_city_return",
        /// 向市平台申请延期.
        AskCityExtension = "ask_city_extension",
        /// 向市平台申请剔除, or 申诉.
        AskCityExclusion = "ask_city_exclusion",
        /// The history begins here; written with the acceptance.
        Opened = "opened",
        /// It came to its end.
        Closed = "closed",
        /// So much of a clock has passed.
        Reminded = "reminded",
        /// A clock is over and what it was for has not been done.
        Late = "late",
        /// 补正 took too long: the lead has it.
        Escalated = "escalated",
        /// A calendar came or changed.
        Recalculated = "recalculated",
        /// 语音催签: the machine has telephoned somebody about it.
        VoiceUrged = "voice_urged",
        /// The city ruled on what it was asked for.
        CityAnswered = "city_answered",
    }
}

names! {
    /// What somebody is to the loop.
    Hand {
        Agent = "agent",
        Lead = "lead",
        Dispatcher = "dispatcher",
        Unit = "unit",
        Head = "unit_head",
        Visitor = "visitor",
        Office = "office",
    }
}

names! {
    /// The citizen's clocks, and the one of a state that has its own.
    ClockName {
        /// 派单.
        Dispatch = "dispatch",
        /// 签收.
        Sign = "sign",
        /// 首次联系.
        Contact = "contact",
        /// 反馈.
        Feedback = "feedback",
        /// 办结.
        Close = "close",
        /// What the present state waits for.
        Step = "step",
        /// The ruling on an objection.
        Objection = "objection",
        /// What 督办 named.
        Supervision = "supervision",
    }
}

/// How near a deadline is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Light {
    Green,
    /// Half of the time is over.
    Yellow,
    /// Four fifths.
    Orange,
    /// All of it.
    Red,
}

impl Light {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Orange => "orange",
            Self::Red => "red",
        }
    }
}

/// One clock. Times in milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    pub name: ClockName,
    pub from: i64,
    pub due_at: i64,
    /// When what it is for was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub met_at: Option<i64>,
    /// How it was counted; `None` when a person named the day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// Days of work that an extension added.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub extra: u32,
    /// Counted without a calendar of its year.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unsure: bool,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}
fn is_false(yes: &bool) -> bool {
    !*yes
}

impl Clock {
    /// Percent of it that has passed, 100 and more when it is over.
    pub fn passed_pct(&self, now: i64) -> i64 {
        let (all, passed) = (self.due_at.saturating_sub(self.from), now.saturating_sub(self.from));
        if now >= self.due_at || all <= 0 {
            (passed.max(0) * 100 / all.max(1)).max(100)
        } else {
            passed.max(0) * 100 / all
        }
    }

    /// The moment at which so many percent have passed.
    pub fn at_pct(&self, pct: u8) -> i64 {
        let all = self.due_at.saturating_sub(self.from).max(0);
        // Rounded up: at that millisecond so much has passed, and not before.
        self.from + (all / 100) * i64::from(pct) + ((all % 100) * i64::from(pct) + 99) / 100
    }

    /// `running met late missed`.
    pub fn state(&self, now: i64) -> &'static str {
        match self.met_at {
            Some(met) if met <= self.due_at => "met",
            Some(_) => "late",
            None if now > self.due_at => "missed",
            None => "running",
        }
    }
}

/// What the ticket is about, as far as rules depend on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matter {
    /// `consult help complaint report suggestion praise`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urgency: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub special: Option<String>,
    /// The unit it complains about: never a candidate, never a reader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complained_unit: Option<String>,
    /// The user it complains about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complained_person: Option<String>,
}

/// A field that may be a text.
trait Worded {
    fn worded(&self) -> Option<&str> {
        None
    }
    fn trimmed(&mut self) {}
}

impl Worded for String {
    fn worded(&self) -> Option<&str> {
        Some(self)
    }
    fn trimmed(&mut self) {
        if self.trim().len() != self.len() {
            *self = self.trim().to_owned();
        }
    }
}
impl Worded for Vec<String> {
    fn trimmed(&mut self) {
        for one in self {
            one.trimmed();
        }
    }
}
impl Worded for bool {}
impl Worded for i64 {}
impl Worded for u32 {}

macro_rules! wish {
    ($($(#[$doc:meta])* $field:ident: $type:ty,)*) => {
        /// What comes with a step; which of it a step takes, and which it needs, stands in its row of the table.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct Wish {
            $($(#[$doc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $field: Option<$type>,)*
        }

        impl Wish {
            /// Names of the fields that are there.
            pub fn given(&self) -> Vec<&'static str> {
                let mut given = Vec::new();
                $(if self.$field.is_some() { given.push(stringify!($field)); })*
                given
            }

            /// The field as a text, when it is there and is one.
            pub(super) fn text(&self, name: &str) -> Option<&str> {
                match name {
                    $(stringify!($field) => self.$field.as_ref().and_then(Worded::worded),)*
                    _ => None,
                }
            }

            /// Texts without space around them.
            pub(super) fn trim(&mut self) {
                $(if let Some(field) = &mut self.$field { field.trimmed(); })*
            }
        }
    };
}

wish! {
    /// The unit that leads.
    lead: String,
    /// Units that assist.
    assist: Vec<String>,
    /// What the unit reads.
    brief: String,
    reason: String,
    text: String,
    /// What is missing.
    missing: String,
    /// Law or rule.
    basis: String,
    /// The unit that should have it.
    to: String,
    /// `list first territory named`.
    step: String,
    uphold: bool,
    workdays: u32,
    /// Milliseconds since 1970: the end of the day somebody named.
    until: i64,
    plan: String,
    unit: String,
    at: i64,
    /// `phone sms text visit`.
    how: String,
    /// For the hotline.
    report: String,
    /// `solved partial explained`.
    claim: String,
    /// `unreachable not_the_person refused later`.
    result: String,
    contacted: bool,
    /// `yes partial no`.
    solved: String,
    /// `very satisfied basic not very_not`.
    satisfied: String,
    /// Whether the reply is what is really there.
    matches: bool,
    /// An unhappy verdict sends it back.
    redo: bool,
    /// `remind urge supervise joint on_site`.
    level: String,
    deadline: i64,
    statute: String,
    /// Number of the ticket that goes on.
    into: String,
    city_no: String,
    /// What the city answered to: `return extension exclusion`; what a contact was about: `result`.
    what: String,
    /// `happening trapped smoke crowd`.
    ticks: Vec<String>,
    urgency: String,
    kind: String,
    category: String,
    street: String,
    title: String,
    content: String,
    complained_unit: String,
    complained_person: String,
    name: String,
    number: String,
    address: String,
    /// `normal secret anonymous`.
    secrecy: String,
    /// `any text_only no_message`.
    notify: String,
    /// `09:00-11:30`.
    safe_time: String,
    /// `retaliation`: the only kind of caller that may come up later.
    special: String,
}

/// Fields of a wish that may tell who somebody is: sealed in the history.
const PERSONAL: &[&str] = &[
    "brief",
    "reason",
    "text",
    "missing",
    "basis",
    "plan",
    "report",
    "title",
    "content",
    "name",
    "number",
    "address",
    "complained_person",
];

/// One line of the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    #[serde(skip, default = "opened")]
    pub step: Step,
    /// The state afterwards, when it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Clocks that are new or changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<Clock>,
    /// When the new state has to be left, where the state has a clock of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<i64>,
    /// Which clock a reminder is about, and how much of it has passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<(ClockName, u8)>,
    /// The rules it is judged by, at the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<String>,
    /// What it is about, at the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matter: Option<Matter>,
    /// The city's number and clocks, at the beginning and when it moves them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<CityOrder>,
    #[serde(default, flatten)]
    pub wish: Wish,
}

const fn opened() -> Step {
    Step::Opened
}

impl Event {
    pub fn new(step: Step) -> Self {
        Self {
            step,
            state: None,
            clocks: Vec::new(),
            due_at: None,
            clock: None,
            rules: None,
            matter: None,
            city: None,
            wish: Wish::default(),
        }
    }

    /// As the history keeps it: kind, what anybody may read, what is sealed.
    pub fn written(&self) -> (&'static str, serde_json::Value, Option<serde_json::Value>) {
        let mut open = match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(map)) => map,
            // A struct of plain fields is an object.
            _ => serde_json::Map::new(),
        };
        let mut sealed = serde_json::Map::new();
        for name in PERSONAL {
            if let Some(value) = open.remove(*name) {
                sealed.insert((*name).to_owned(), value);
            }
        }
        if let Some(matter) = open.get_mut("matter").and_then(serde_json::Value::as_object_mut)
            && let Some(person) = matter.remove("complained_person")
        {
            sealed.insert("complained_person".to_owned(), person);
        }
        let sealed = (!sealed.is_empty()).then_some(serde_json::Value::Object(sealed));
        (self.step.label(), serde_json::Value::Object(open), sealed)
    }

    /// Read back; `None` for lines that are not the loop's. A sealed part whose key is gone reads as if nothing had been said.
    pub fn read(kind: &str, open: &serde_json::Value, sealed: Option<&serde_json::Value>) -> Option<Self> {
        let mut map = open.as_object()?.clone();
        // Written with the acceptance, which has a name of its own.
        let step =
            if kind == "accepted" && map.contains_key("rules") { Step::Opened } else { Step::read(kind)? };
        map.remove("by");
        for (name, value) in sealed.and_then(serde_json::Value::as_object).into_iter().flatten() {
            map.insert(name.clone(), value.clone());
        }
        let mut event: Self = serde_json::from_value(serde_json::Value::Object(map)).ok()?;
        event.step = step;
        if step == Step::Opened
            && let Some(matter) = &mut event.matter
        {
            matter.complained_person = event.wish.complained_person.take();
        }
        Some(event)
    }
}

/// Whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owner {
    pub role: Hand,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// How long one owner had it in all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// `None`: it was closed and taken up again.
    pub owner: Option<Owner>,
    pub ms: i64,
}

/// Words with who said them and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    pub by: String,
    pub at: i64,
    #[serde(default)]
    pub text: String,
    /// The unit that said it, or how it was said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub of: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Return {
    pub unit: String,
    pub to: String,
    pub basis: String,
    pub text: String,
    pub at: i64,
    pub granted: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forced {
    pub step: String,
    pub reason: String,
    pub at: i64,
    pub objection: Option<Said>,
    /// By when the office rules on it, milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<i64>,
    /// The office's ruling on it.
    pub upheld: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    pub asked_workdays: u32,
    pub reason: String,
    pub at: i64,
    pub granted: Option<bool>,
    pub granted_until: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staged {
    pub basis: String,
    pub text: String,
    pub until: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deferred {
    pub plan: String,
    pub until: i64,
    pub progress: Vec<Said>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supervised {
    pub level: String,
    pub deadline: Option<i64>,
    pub text: String,
    pub at: i64,
    /// Through the district office, because the unit takes no orders from here.
    #[serde(default)]
    pub letter: bool,
}

/// What the unit says it did; a record apart from the citizen's verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    pub text: String,
    pub report: String,
    pub claim: String,
    pub by: String,
    pub at: i64,
    pub signed_by: Option<String>,
    pub signed_at: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sub {
    pub unit: String,
    pub text: String,
    /// Inner: the first-level unit answers for the clock.
    pub due_at: i64,
    pub signed_at: Option<i64>,
    pub reply: Option<Said>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitTry {
    pub at: i64,
    pub by: String,
    pub result: String,
}

/// Somebody was telephoned because nobody had signed for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoiceTry {
    /// When it was dialled, milliseconds since 1970.
    pub at: i64,
    pub unit: String,
    /// `duty deputy office`.
    pub rung: String,
    /// `heard unheard busy no_answer failed not_allowed no_number signed cut`.
    pub result: String,
}

/// The citizen's own verdict: four questions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    pub contacted: Option<bool>,
    pub solved: Option<String>,
    pub satisfied: Option<String>,
    pub matches: Option<bool>,
    pub text: String,
    pub at: i64,
    pub by: String,
}

/// A ticket as its history leaves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    pub state: State,
    pub rules: String,
    pub opened_at: i64,
    pub matter: Matter,
    pub lead: Option<String>,
    #[serde(default)]
    pub assist: Vec<String>,
    pub clocks: Vec<Clock>,
    /// The state's own clock, where it has one.
    pub due_at: Option<i64>,
    pub owner: Option<Owner>,
    /// Since when it is this owner's, and how long it was whose before.
    pub since: i64,
    pub held: Vec<Held>,
    /// Since when it is in this state.
    pub state_at: i64,
    pub dispatched_at: Option<i64>,
    pub signed_at: Option<i64>,
    pub closed_at: Option<i64>,
    /// Units that had it, in order.
    pub had: Vec<String>,
    /// Reminders given: clock, percent, and the deadline they were for.
    pub reminded: Vec<(ClockName, u8, i64)>,
    pub returns: Vec<Return>,
    pub forced: Option<Forced>,
    pub extension: Option<Extension>,
    pub joint: Option<Said>,
    pub staged: Option<Staged>,
    pub deferred: Option<Deferred>,
    pub supervised: Option<Supervised>,
    pub reply: Option<Reply>,
    pub assists: Vec<Said>,
    pub subs: Vec<Sub>,
    pub contacts: Vec<Said>,
    pub tries: Vec<VisitTry>,
    pub visit: Option<Visit>,
    /// Verdicts before the last redo.
    pub earlier_visits: Vec<Visit>,
    pub redos: u32,
    pub urges: u32,
    pub escalated: bool,
    /// Returned as often as may be: the office forces it on somebody.
    #[serde(default, skip_serializing_if = "is_false")]
    pub to_force: bool,
    pub unreasonable: bool,
    /// Closed although nobody was reached.
    pub unreached: bool,
    pub merged_into: Option<String>,
    pub city_no: Option<String>,
    /// The city sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<City>,
    /// Telephone calls about its signing, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub voice: Vec<VoiceTry>,
    /// When the unit told the caller the result, by its own note; none since the last redo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<i64>,
    /// Clocks that were missed before a redo gave new ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<ClockName>,
}

/// Who does something.
#[derive(Clone, Copy, Debug)]
pub struct Who<'a> {
    pub user: &'a str,
    pub hands: &'a [Hand],
    pub unit: Option<&'a str>,
}

/// What decisions are made by: the district's codes, its rules, its calendar, its zone.
#[derive(Clone, Debug)]
pub struct Tables {
    pub district: Arc<District>,
    pub rules: Arc<RuleBook>,
    pub calendar: Arc<Calendar>,
    pub zone: TimeZone,
}

impl Tables {
    /// The codes and rules the program carries.
    pub fn shipped(calendar: Arc<Calendar>, zone: TimeZone) -> Self {
        let (district, rules) = (Arc::new(District::shipped()), Arc::new(RuleBook::shipped()));
        Self { district, rules, calendar, zone }
    }

    /// The rules a ticket is judged by.
    pub(super) fn rules_of(&self, ticket: &Ticket) -> Option<&Rules> {
        self.rules.version(&ticket.rules)
    }
}
