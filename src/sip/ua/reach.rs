//! The state table of a session, and the rows of all SIP machines as an onlooker reads them.

use super::core::Ask;
use super::session::{Session, State};
use super::view::Method;
use crate::base::{Closed, Impossible, Reach, closed};
use crate::sip::transaction::reach::Reached;

closed! {
    /// Where a session is.
    Place {
        /// The peer has called and has no final answer.
        Invited,
        /// We have called and have none.
        Calling,
        /// Our 200 waits for its ACK.
        Answered,
        /// The same, and the owner has hung up meanwhile.
        Parting,
        Up,
        /// Our BYE is out.
        Leaving,
        Gone,
    }
}

closed! {
    /// What can happen to it.
    News {
        // Requests of the peer.
        Ack, Bye, Cancel, Reinvite, Update, Prack, Info, Refer, Options, OtherRequest,
        // Answers to our INVITE, to a change of ours, to our BYE, to anything else.
        Ringing, PickedUp, TurnedDown,
        ChangeRinging, ChangeTaken, Glare, ChangeRefused, PeerForgot,
        ByeAnswered, OtherAnswer,
        // No answer at all.
        InviteUnanswered, ChangeUnanswered, ByeUnanswered, OtherUnanswered,
        // Deadlines of its own.
        OkAgain, AckMissing, ReliableAgain, PrackMissing, RingingAgain, RangTooLong, CancelUnanswered,
        WishDue, ChangeLate, RefreshDue, Expired, LeftLongAgo,
        // Commands of the owner.
        Progress, Answer, Reject, HangUp, Reoffer, InfoDigit, TransferResult,
        // Another session, the transport.
        Replaced, ConnectionLost,
    }
}

const IMPOSSIBLE: &[Impossible<Place, News>] = &[
    (&[Place::Gone], News::ALL, "what is gone is forgotten in the same step"),
    (
        &[Place::Invited, Place::Answered, Place::Parting],
        &[News::Ringing, News::PickedUp, News::TurnedDown, News::InviteUnanswered],
        "it was the peer who called",
    ),
    (
        &[Place::Up, Place::Leaving],
        &[News::Ringing, News::TurnedDown, News::InviteUnanswered],
        "after a 2xx an INVITE has no other end (RFC 6026 7.2)",
    ),
    (
        &[Place::Invited, Place::Calling, Place::Answered, Place::Parting],
        &[
            News::ChangeRinging,
            News::ChangeTaken,
            News::Glare,
            News::ChangeRefused,
            News::PeerForgot,
            News::ChangeUnanswered,
            News::WishDue,
            News::ChangeLate,
        ],
        "we change, and ask by INFO in, confirmed sessions only",
    ),
    (
        &[Place::Leaving],
        &[
            News::ChangeRinging,
            News::Glare,
            News::ChangeRefused,
            News::ChangeUnanswered,
            News::WishDue,
            News::ChangeLate,
        ],
        "our BYE gives up the change in the air: its end is nobody's",
    ),
    (
        &[Place::Invited, Place::Calling, Place::Answered, Place::Parting, Place::Up],
        &[News::ByeAnswered, News::ByeUnanswered, News::LeftLongAgo],
        "our BYE is not out",
    ),
    (
        &[Place::Leaving],
        &[News::LeftLongAgo],
        "the BYE's own transaction ends first; this deadline is behind it, in case it were lost",
    ),
    (
        &[Place::Invited, Place::Answered, Place::Parting],
        &[News::OtherAnswer, News::OtherUnanswered],
        "we ask nothing of a caller who has not acknowledged",
    ),
    (
        &[Place::Invited, Place::Calling, Place::Leaving],
        &[News::OkAgain, News::AckMissing],
        "no 200 of ours waits for its ACK",
    ),
    (
        &[Place::Calling, Place::Answered, Place::Parting, Place::Up, Place::Leaving],
        &[News::ReliableAgain, News::PrackMissing, News::RingingAgain],
        "no provisional answer of ours is out",
    ),
    (&[Place::Answered, Place::Parting, Place::Up, Place::Leaving], &[News::RangTooLong], "nothing rings"),
    (
        &[Place::Invited, Place::Answered, Place::Parting, Place::Up, Place::Leaving],
        &[News::CancelUnanswered],
        "a CANCEL of ours belongs to a call of ours",
    ),
    (
        &[Place::Invited, Place::Calling, Place::Leaving],
        &[News::RefreshDue, News::Expired],
        "the session timer runs from the 200 to the BYE",
    ),
    (
        &[Place::Answered, Place::Parting],
        &[News::RefreshDue, News::Expired],
        "the ACK comes, or is missed, within 32 s: half of the shortest interval is longer",
    ),
    (
        &[Place::Invited, Place::Calling],
        &[News::Replaced],
        "only a session that is up can be replaced (RFC 3891 3)",
    ),
];

impl Session {
    pub fn place(&self) -> Place {
        match &self.state {
            State::Invited(_) => Place::Invited,
            State::Calling(_) => Place::Calling,
            State::Up { confirmed: true, .. } => Place::Up,
            State::Up { leave: Some(_), .. } => Place::Parting,
            State::Up { .. } => Place::Answered,
            State::Leaving { .. } => Place::Leaving,
            State::Gone => Place::Gone,
        }
    }
}

impl News {
    /// A request of the peer.
    pub(super) fn request(method: &Method) -> Self {
        match method {
            Method::Ack => Self::Ack,
            Method::Bye => Self::Bye,
            Method::Cancel => Self::Cancel,
            Method::Invite => Self::Reinvite,
            Method::Update => Self::Update,
            Method::Prack => Self::Prack,
            Method::Info => Self::Info,
            Method::Refer => Self::Refer,
            Method::Options => Self::Options,
            _ => Self::OtherRequest,
        }
    }

    /// An answer to what we asked.
    pub(super) fn answer(ask: Ask, status: u16) -> Self {
        match (ask, status) {
            (Ask::Invite, ..200) => Self::Ringing,
            (Ask::Invite, 200..300) => Self::PickedUp,
            (Ask::Invite, _) => Self::TurnedDown,
            (Ask::Reinvite | Ask::Update, ..200) => Self::ChangeRinging,
            (Ask::Reinvite | Ask::Update, 200..300) => Self::ChangeTaken,
            (Ask::Reinvite | Ask::Update, 491) => Self::Glare,
            (Ask::Reinvite | Ask::Update, 408 | 481) | (Ask::Info, 481) => Self::PeerForgot,
            (Ask::Reinvite | Ask::Update, _) => Self::ChangeRefused,
            (Ask::Bye, 200..) => Self::ByeAnswered,
            (Ask::Bye | Ask::Farewell | Ask::Prack | Ask::Info | Ask::Notify | Ask::Register, _) => {
                Self::OtherAnswer
            }
        }
    }

    /// No answer to it.
    pub(super) fn silence(ask: Ask) -> Self {
        match ask {
            Ask::Invite => Self::InviteUnanswered,
            Ask::Reinvite | Ask::Update => Self::ChangeUnanswered,
            Ask::Bye => Self::ByeUnanswered,
            Ask::Farewell | Ask::Prack | Ask::Info | Ask::Notify | Ask::Register => Self::OtherUnanswered,
        }
    }
}

/// Every SIP machine's table.
#[derive(Clone, Debug)]
pub(super) struct Tables {
    pub session: Reach<Place, News>,
    pub transactions: Reached,
}

impl Default for Tables {
    fn default() -> Self {
        Self { session: Reach::new(IMPOSSIBLE), transactions: Reached::default() }
    }
}

/// A row of one SIP machine's state table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub machine: &'static str,
    pub state: String,
    pub input: String,
    pub count: u32,
    /// Why it cannot be, if it cannot.
    pub impossible: Option<&'static str>,
}

impl Tables {
    pub fn rows(&self) -> Vec<Row> {
        let all = &self.transactions;
        [
            rows("INVITE server", &all.server_invite),
            rows("other server", &all.server_other),
            rows("INVITE client", &all.client_invite),
            rows("other client", &all.client_other),
            rows("session", &self.session),
        ]
        .concat()
    }
}

fn rows<S: Closed, I: Closed>(machine: &'static str, reach: &Reach<S, I>) -> Vec<Row> {
    let words = |(state, input, count, impossible)| Row {
        machine,
        state: format!("{state:?}"),
        input: format!("{input:?}"),
        count,
        impossible,
    };
    reach.rows().map(words).collect()
}
