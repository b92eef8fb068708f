//! Which rows of the call's state table have been taken: the product of where a call is and what can happen to it.
//!
//! Two array steps an event, so it is always counted. A row that cannot be is listed with its reason; reaching it is a fault.

use super::live::Stage;
use crate::base::{self, Impossible, closed};

closed! {
    /// Where a call is.
    Place { Arriving, AwaitingSdp, Walking, Queued, Message, Saving, Looking, Dialing, Talking, Closing }
}

closed! {
    /// What can happen to it.
    News {
        AnswerDue, Confirmed, MediaAgreed, InfoKey, Facts, Refer,
        Bye, Cancelled, AckMissing, NoSdp, TimerRanOut, TransportLost, Replaced, PeerForgot,
        Finished, Key, Silent, Heard, Moved, RecordingEnded, MessageEnded, LegClosed,
        OnDisk, NotOnDisk, LookedUp, LookupLate, WaitOver, WalkDue, TooLong, HangUp, EndAll,
        Offered, OfferOver, AgentAnswered, AgentLeft, AgentBack, AgentStayedAway, Unanswered, PartyUp, PartyGone, PartySilent,
    }
}

/// A row that cannot be taken, and why.
const IMPOSSIBLE: &[Impossible<Place, News>] = &[
    (
        &[
            Place::Arriving,
            Place::AwaitingSdp,
            Place::Walking,
            Place::Message,
            Place::Saving,
            Place::Looking,
            Place::Dialing,
            Place::Talking,
            Place::Closing,
        ],
        &[News::Offered, News::AgentAnswered],
        "only who waits is offered to anybody",
    ),
    (
        &[Place::Arriving, Place::AwaitingSdp, Place::Dialing, Place::Closing],
        &[News::OfferOver],
        "without a place in line there is no offer; the mobile that takes the caller ends one in the talk",
    ),
    (
        &[
            Place::Arriving,
            Place::AwaitingSdp,
            Place::Walking,
            Place::Queued,
            Place::Message,
            Place::Saving,
            Place::Looking,
            Place::Closing,
        ],
        &[News::AgentLeft, News::AgentBack, News::AgentStayedAway, News::PartyUp, News::PartySilent],
        "nobody is on the line yet, or nobody is any more",
    ),
    (
        &[
            Place::Arriving,
            Place::AwaitingSdp,
            Place::Walking,
            Place::Message,
            Place::Saving,
            Place::Looking,
            Place::Closing,
        ],
        &[News::PartyGone],
        "nobody is called for who does not wait",
    ),
    (
        &[
            Place::Arriving,
            Place::AwaitingSdp,
            Place::Walking,
            Place::Queued,
            Place::Message,
            Place::Saving,
            Place::Looking,
            Place::Talking,
            Place::Closing,
        ],
        &[News::Unanswered],
        "only who is dialled can leave it ringing",
    ),
    (
        &[Place::Dialing],
        &[News::AnswerDue, News::NoSdp, News::Cancelled],
        "who is connected by his flow was answered long ago, who is dialled cancels nothing",
    ),
    (
        &[Place::Dialing, Place::Talking],
        &[
            News::RecordingEnded,
            News::MessageEnded,
            News::LegClosed,
            News::OnDisk,
            News::NotOnDisk,
            News::LookupLate,
            News::WaitOver,
            News::WalkDue,
            News::Cancelled,
            News::NoSdp,
            News::AnswerDue,
        ],
        "the walk rests: nothing is recorded, saved, looked up or waited for",
    ),
    (
        &[Place::Arriving],
        &[News::Confirmed, News::AckMissing, News::NoSdp, News::TimerRanOut],
        "nothing follows a 200 that has not been sent",
    ),
    (
        &[Place::Arriving],
        &[News::MediaAgreed, News::Facts, News::Replaced, News::PeerForgot],
        "the dialog is early: nothing is agreed, nothing asked of the peer, and only a confirmed one can be replaced (RFC 3891 3)",
    ),
    (
        &[Place::AwaitingSdp],
        &[News::Facts, News::TimerRanOut, News::PeerForgot],
        "the ACK that confirms the dialog also ends this place, within 32 s",
    ),
    (
        &[Place::Message, Place::Saving, Place::Looking],
        &[News::WalkDue],
        "the walk has no deadline of its own while the engine works for it",
    ),
    (
        &[Place::Arriving, Place::AwaitingSdp],
        &[
            News::Finished,
            News::Key,
            News::Silent,
            News::Heard,
            News::Moved,
            News::RecordingEnded,
            News::MessageEnded,
            News::LegClosed,
        ],
        "no worker has the leg yet",
    ),
    (&[Place::Arriving, Place::AwaitingSdp], &[News::WalkDue, News::LookedUp], "the walk has not begun"),
    (
        &[
            Place::AwaitingSdp,
            Place::Walking,
            Place::Queued,
            Place::Message,
            Place::Saving,
            Place::Looking,
            Place::Closing,
        ],
        &[News::AnswerDue],
        "answered already",
    ),
    (
        &[
            Place::AwaitingSdp,
            Place::Walking,
            Place::Queued,
            Place::Message,
            Place::Saving,
            Place::Looking,
            Place::Closing,
        ],
        &[News::Cancelled],
        "CANCEL after the answer has no effect (RFC 3261 9.2)",
    ),
    (
        &[Place::Walking, Place::Queued, Place::Message, Place::Saving, Place::Looking],
        &[News::NoSdp],
        "the answer to our offer has come",
    ),
    (
        &[
            Place::Arriving,
            Place::AwaitingSdp,
            Place::Walking,
            Place::Message,
            Place::Saving,
            Place::Looking,
            Place::Closing,
        ],
        &[News::WaitOver],
        "only who waits can have waited too long",
    ),
    (
        &[
            Place::Arriving,
            Place::AwaitingSdp,
            Place::Walking,
            Place::Queued,
            Place::Message,
            Place::Looking,
            Place::Closing,
        ],
        &[News::OnDisk, News::NotOnDisk],
        "nothing is on its way to the disk",
    ),
    (
        &[
            Place::Arriving,
            Place::AwaitingSdp,
            Place::Walking,
            Place::Queued,
            Place::Message,
            Place::Saving,
            Place::Closing,
        ],
        &[News::LookupLate],
        "nothing was asked",
    ),
    (
        &[Place::Walking, Place::Queued, Place::Saving, Place::Looking],
        &[News::MessageEnded],
        "the recorder has told the end already",
    ),
    (
        &[Place::Walking, Place::Queued, Place::Message, Place::Saving, Place::Looking],
        &[News::LegClosed],
        "a leg is closed at the call's end only",
    ),
    (
        &[Place::Walking, Place::Queued, Place::Message, Place::Saving, Place::Looking],
        &[News::RecordingEnded],
        "a recording lasts to the call's end",
    ),
    (
        &[Place::Closing],
        &[
            News::Confirmed,
            News::MediaAgreed,
            News::InfoKey,
            News::Facts,
            News::Refer,
            News::Bye,
            News::AckMissing,
            News::NoSdp,
            News::TimerRanOut,
            News::TransportLost,
            News::Replaced,
            News::PeerForgot,
            News::LookedUp,
            News::WalkDue,
            News::TooLong,
            News::HangUp,
            News::EndAll,
        ],
        "the call has ended: its dialog and its walk are nobody's",
    ),
];

pub(super) type Reach = base::Reach<Place, News>;

pub(super) fn reach() -> Reach {
    Reach::new(IMPOSSIBLE)
}

impl Stage {
    pub fn place(&self) -> Place {
        match self {
            Self::Arriving { .. } => Place::Arriving,
            Self::AwaitingSdp => Place::AwaitingSdp,
            Self::Walking => Place::Walking,
            Self::Queued { .. } => Place::Queued,
            Self::Message { .. } => Place::Message,
            Self::Saving { .. } => Place::Saving,
            Self::Looking { .. } => Place::Looking,
            Self::Dialing { .. } => Place::Dialing,
            Self::Talking { .. } => Place::Talking,
        }
    }
}
