//! Who may do what, in which state, with which words (domain reference 2.2). One row for each step of a person.

use super::model::{Hand, State, Step, Ticket, Who};
use crate::ticket::district::District;

/// What a unit is to a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stand {
    /// It has nothing to do with it.
    Other,
    Assist,
    /// Below the lead, and the ticket was passed down to it.
    Sub,
    Lead,
    /// It, one above it, or the person himself is complained about: the ticket does not exist for them.
    Complained,
}

impl Stand {
    pub const ALL: [Self; 5] = [Self::Other, Self::Assist, Self::Sub, Self::Lead, Self::Complained];
}

/// What this unit and person are to the ticket.
pub fn stand(ticket: &Ticket, unit: Option<&str>, user: &str, district: &District) -> Stand {
    let matter = &ticket.matter;
    let Some(unit) = unit else {
        return if matter.complained_person.as_deref() == Some(user) {
            Stand::Complained
        } else {
            Stand::Other
        };
    };
    let subs = ticket.subs.iter().map(|sub| sub.unit.as_str());
    let facts = Facts {
        lead: ticket.lead.as_deref(),
        assist: &ticket.assist,
        complained_unit: matter.complained_unit.as_deref(),
        complained_person: matter.complained_person.as_deref(),
    };
    facts.stand(unit, user, subs, district)
}

/// The same of a row that is not folded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    pub lead: Option<&'a str>,
    pub assist: &'a [String],
    pub complained_unit: Option<&'a str>,
    pub complained_person: Option<&'a str>,
}

impl Facts<'_> {
    pub fn stand<'s>(
        &self,
        unit: &str,
        user: &str,
        mut subs: impl Iterator<Item = &'s str>,
        district: &District,
    ) -> Stand {
        let complained =
            self.complained_unit.is_some_and(|target| district.line(unit).any(|one| one == target));
        if complained || self.complained_person == Some(user) {
            Stand::Complained
        } else if self.lead == Some(unit) {
            Stand::Lead
        } else if self.assist.iter().any(|one| one == unit) {
            Stand::Assist
        } else if subs.any(|one| one == unit) {
            Stand::Sub
        } else {
            Stand::Other
        }
    }
}

/// A row.
pub(super) struct Row {
    pub step: Step,
    /// Hands of the hotline may whoever leads; those of a unit only where it stands as `stand` says.
    pub hands: &'static [Hand],
    pub stand: Stand,
    pub from: &'static [State],
    /// Fields it takes, and those among them it needs.
    pub takes: &'static [&'static str],
    pub needs: &'static [&'static str],
}

use Hand as H;
use State as S;

const UNIT: &[Hand] = &[H::Unit, H::Head];
const HEAD: &[Hand] = &[H::Head];
const OFFICE: &[Hand] = &[H::Office];
const DESK: &[Hand] = &[H::Agent, H::Lead, H::Dispatcher];

/// While somebody has to do something.
pub(super) const OPEN: &[State] = &[
    S::Accepted,
    S::Clarification,
    S::Dispatched,
    S::ReturnReview,
    S::Handling,
    S::ExtensionReview,
    S::JointReview,
    S::Deferred,
    S::Staged,
    S::Replied,
    S::AwaitingVisit,
    S::Visited,
    S::Redo,
    S::Transferred,
];
/// As long as anybody may look at it.
const TOLD: &[State] = &[
    S::Accepted,
    S::Clarification,
    S::Dispatched,
    S::ReturnReview,
    S::Handling,
    S::ExtensionReview,
    S::JointReview,
    S::Deferred,
    S::Staged,
    S::Replied,
    S::AwaitingVisit,
    S::Visited,
    S::Redo,
    S::Transferred,
    S::Closed,
    S::Rejected,
    S::Withdrawn,
];
const OPEN_OR_CLOSED: &[State] = &[
    S::Accepted,
    S::Clarification,
    S::Dispatched,
    S::ReturnReview,
    S::Handling,
    S::ExtensionReview,
    S::JointReview,
    S::Deferred,
    S::Staged,
    S::Replied,
    S::AwaitingVisit,
    S::Visited,
    S::Redo,
    S::Closed,
];
/// While units work on it.
const WITH_UNIT: &[State] =
    &[S::Dispatched, S::Handling, S::ExtensionReview, S::JointReview, S::Deferred, S::Staged, S::Redo];
/// While the lead works on it, and while its reply goes its way: the result is told then too.
const ANSWERING: &[State] =
    &[S::Handling, S::ExtensionReview, S::JointReview, S::Deferred, S::Staged, S::Replied, S::AwaitingVisit];

const fn row(
    step: Step,
    hands: &'static [Hand],
    from: &'static [State],
    takes: &'static [&'static str],
    needs: &'static [&'static str],
) -> Row {
    Row { step, hands, stand: Stand::Lead, from, takes, needs }
}

impl Row {
    const fn of(self, stand: Stand) -> Self {
        Self { stand, ..self }
    }
}

/// What `clarify` may fill in.
pub(super) const FIELDS: &[&str] = &[
    "kind",
    "category",
    "street",
    "urgency",
    "title",
    "content",
    "brief",
    "name",
    "number",
    "address",
    "complained_unit",
    "complained_person",
];

pub(super) const TABLE: &[Row] = &[
    // An agent only where every minute counts: see `permits`.
    row(
        Step::Dispatch,
        &[H::Agent, H::Lead, H::Dispatcher, H::Office],
        &[S::Accepted],
        &["lead", "assist", "brief", "reason", "category", "street"],
        &["lead"],
    ),
    row(Step::AskClarification, &[H::Dispatcher], &[S::Accepted], &["missing"], &["missing"]),
    row(Step::Clarify, DESK, &[S::Clarification], FIELDS, &[]),
    row(Step::Sign, UNIT, &[S::Dispatched, S::Redo], &[], &[]),
    row(Step::AskReturn, UNIT, &[S::Dispatched, S::Handling], &["basis", "to", "text"], &["basis", "to"]),
    row(Step::GrantReturn, &[H::Dispatcher, H::Office], &[S::ReturnReview], &["reason"], &["reason"]),
    row(Step::RefuseReturn, &[H::Dispatcher, H::Office], &[S::ReturnReview], &["reason"], &["reason"]),
    row(
        Step::Force,
        OFFICE,
        &[S::Accepted, S::ReturnReview],
        &["lead", "assist", "step", "reason"],
        &["lead", "step", "reason"],
    ),
    row(Step::Object, UNIT, &[S::Dispatched, S::Handling], &["text"], &["text"]),
    row(
        Step::DecideObjection,
        OFFICE,
        &[S::Dispatched, S::Handling],
        &["uphold", "lead", "reason"],
        &["uphold", "reason"],
    ),
    row(Step::AskExtension, UNIT, &[S::Handling], &["workdays", "reason"], &["workdays", "reason"]),
    row(Step::GrantExtension, OFFICE, &[S::ExtensionReview], &["workdays", "reason"], &["workdays"]),
    row(Step::RefuseExtension, OFFICE, &[S::ExtensionReview], &["reason"], &["reason"]),
    row(Step::AskJoint, &[H::Unit, H::Head, H::Office], &[S::Handling], &["reason"], &["reason"]),
    row(Step::DecideJoint, OFFICE, &[S::JointReview], &["lead", "assist", "reason"], &["lead", "reason"]),
    row(Step::Defer, OFFICE, &[S::Handling], &["until", "plan"], &["until", "plan"]),
    row(Step::Resume, &[H::Unit, H::Head, H::Office], &[S::Deferred], &["text"], &[]),
    row(Step::Progress, &[H::Unit, H::Head, H::Office], &[S::Deferred], &["text"], &["text"]),
    row(Step::Stage, UNIT, &[S::Handling], &["basis", "until", "text"], &["basis", "until", "text"]),
    row(Step::PassDown, UNIT, &[S::Dispatched, S::Handling, S::Staged], &["unit", "text"], &["unit"]),
    row(Step::SubSign, UNIT, WITH_UNIT, &[], &[]).of(Stand::Sub),
    row(Step::SubReply, UNIT, WITH_UNIT, &["text"], &["text"]).of(Stand::Sub),
    row(Step::Contact, UNIT, ANSWERING, &["at", "how", "text", "what"], &["how"]),
    row(Step::AssistReply, UNIT, WITH_UNIT, &["text"], &["text"]).of(Stand::Assist),
    row(
        Step::Reply,
        UNIT,
        &[S::Handling, S::Staged],
        &["report", "text", "claim"],
        &["report", "text", "claim"],
    ),
    row(Step::SignReply, HEAD, &[S::Replied], &[], &[]),
    row(Step::SendBack, HEAD, &[S::Replied], &["reason"], &["reason"]),
    row(Step::ReviewPass, &[H::Dispatcher, H::Office], &[S::Replied], &["text"], &[]),
    row(Step::ReviewBack, &[H::Dispatcher, H::Office], &[S::Replied], &["reason"], &["reason"]),
    row(Step::VisitTry, &[H::Visitor, H::Office], &[S::AwaitingVisit], &["result", "at"], &["result"]),
    row(
        Step::Visit,
        &[H::Visitor, H::Office],
        &[S::AwaitingVisit],
        &["contacted", "solved", "satisfied", "matches", "text", "redo"],
        &["contacted", "solved", "satisfied"],
    ),
    row(Step::Redo, &[H::Office, H::Visitor], &[S::Closed, S::Visited], &["reason"], &["reason"]),
    row(Step::Supervise, OFFICE, OPEN, &["level", "deadline", "text"], &["level", "text"]),
    row(Step::EndSupervision, OFFICE, OPEN, &["text"], &[]),
    row(Step::Urge, &[H::Agent, H::Lead, H::Visitor, H::Office], OPEN, &["text"], &["text"]),
    row(
        Step::Supplement,
        &[H::Agent, H::Lead, H::Dispatcher, H::Visitor, H::Office],
        OPEN,
        &["text"],
        &["text"],
    ),
    row(
        Step::Withdraw,
        &[H::Agent, H::Lead, H::Dispatcher, H::Visitor, H::Office],
        OPEN,
        &["reason"],
        &["reason"],
    ),
    row(Step::Reject, &[H::Lead, H::Office], &[S::Accepted], &["reason", "statute"], &["reason"]),
    row(Step::Merge, &[H::Lead, H::Dispatcher], &[S::Accepted], &["into"], &["into"]),
    row(Step::Transfer, OFFICE, &[S::Accepted], &["reason"], &["reason"]),
    row(Step::TransferReceipt, OFFICE, &[S::Transferred], &["city_no"], &["city_no"]),
    row(Step::TransferRefused, OFFICE, &[S::Transferred], &["reason"], &["reason"]),
    row(Step::Raise, DESK, OPEN, &["ticks", "reason"], &["ticks"]),
    row(Step::Lower, &[H::Lead], OPEN, &["urgency", "reason"], &["urgency", "reason"]),
    row(
        Step::ApproveUnreasonable,
        OFFICE,
        &[S::Handling, S::Replied, S::AwaitingVisit, S::Visited, S::Closed],
        &["reason"],
        &["reason"],
    ),
    row(
        Step::Protect,
        &[H::Agent, H::Lead, H::Dispatcher, H::Visitor, H::Office],
        TOLD,
        &["secrecy", "notify", "safe_time", "special", "complained_unit", "complained_person", "reason"],
        &[],
    ),
    row(
        Step::AskCityReturn,
        &[H::Dispatcher, H::Office],
        &[S::Accepted, S::Dispatched, S::ReturnReview, S::Handling],
        &["basis", "text"],
        &["basis"],
    ),
    row(
        Step::AskCityExtension,
        OFFICE,
        &[S::Dispatched, S::Handling, S::ExtensionReview, S::Redo],
        &["until", "reason"],
        &["until", "reason"],
    ),
    row(Step::AskCityExclusion, OFFICE, OPEN_OR_CLOSED, &["basis", "text"], &["basis"]),
];

/// The steps of persons, in the table's order.
pub fn steps() -> impl Iterator<Item = Step> {
    TABLE.iter().map(|row| row.step)
}

pub(super) fn row_of(step: Step) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.step == step)
}

/// Whether this hand may ever do this step to a ticket it stands so to. `urgent`: the ticket is U.
pub fn permits(step: Step, hand: Hand, stand: Stand, urgent: bool) -> bool {
    let Some(row) = row_of(step) else { return false };
    if stand == Stand::Complained || !row.hands.contains(&hand) {
        return false;
    }
    match hand {
        // What was passed down is passed on to those below.
        Hand::Unit | Hand::Head if step == Step::PassDown => matches!(stand, Stand::Lead | Stand::Sub),
        Hand::Unit | Hand::Head => stand == row.stand,
        // Others are dispatched by whose work that is.
        Hand::Agent => step != Step::Dispatch || urgent,
        Hand::Lead | Hand::Dispatcher | Hand::Visitor | Hand::Office => true,
    }
}

pub(super) fn may(ticket: &Ticket, step: Step, who: Who<'_>, district: &District) -> bool {
    let stand = stand(ticket, who.unit, who.user, district);
    let urgent = ticket.matter.urgency.as_deref() == Some("U");
    who.hands.iter().any(|hand| permits(step, *hand, stand, urgent))
}
