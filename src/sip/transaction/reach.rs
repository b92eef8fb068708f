//! The state tables of the four transactions: where each can be, what can happen to it, and which rows cannot be.
//!
//! Which timer it was follows from the state, so two words are enough for them: `RepeatDue` (A, E, G) and `TimeUp` (B, C, D,
//! F, H, I, J, K, L, M).

use crate::base::{Closed, Impossible, Reach, closed};

closed! {
    /// Where an INVITE server transaction is.
    ServerInvitePlace { Proceeding, Accepted, Completed, Confirmed, Gone }
}
closed! {
    /// What can happen to it: the INVITE again, an ACK under its branch, answers of ours, timers, its connection.
    ServerInviteNews { Repeated, Ack, Provisional, Success, Refusal, RepeatDue, TimeUp, ConnectionLost }
}
closed! {
    /// Where a server transaction of another method is.
    ServerOtherPlace { Trying, Completed, Gone }
}
closed! {
    /// What can happen to it.
    ServerOtherNews { Repeated, Answer, TimeUp, ConnectionLost }
}
closed! {
    /// Where an INVITE client transaction is.
    ClientInvitePlace { Calling, Proceeding, Accepted, Completed, Gone }
}
closed! {
    /// Where a client transaction of another method is.
    ClientOtherPlace { Trying, Proceeding, Completed, Gone }
}
closed! {
    /// What can happen to a client transaction: answers by their class, timers, its connection.
    ClientNews { Provisional, Success, Refusal, RepeatDue, TimeUp, ConnectionLost }
}

impl ClientNews {
    pub fn of(status: u16) -> Self {
        match status {
            ..200 => Self::Provisional,
            200..300 => Self::Success,
            300.. => Self::Refusal,
        }
    }
}

impl ServerInviteNews {
    pub fn of(status: u16) -> Self {
        match status {
            ..200 => Self::Provisional,
            200..300 => Self::Success,
            300.. => Self::Refusal,
        }
    }
}

const FORGOTTEN: &str = "what is gone is forgotten in the same step";
const BY_DATAGRAM: &str = "only datagrams have this state: a connection loses nothing to wait for";

const SERVER_INVITE: &[Impossible<ServerInvitePlace, ServerInviteNews>] = {
    use {ServerInviteNews as N, ServerInvitePlace as P};
    &[
        (&[P::Gone], N::ALL, FORGOTTEN),
        (
            &[P::Proceeding],
            &[N::RepeatDue, N::TimeUp],
            "it waits for a person: the session holds that deadline",
        ),
        (&[P::Accepted], &[N::RepeatDue], "the session repeats a 200 (RFC 3261 13.3.1.4)"),
        (&[P::Confirmed], &[N::RepeatDue], "nothing is said after the ACK"),
        (
            &[P::Accepted, P::Completed, P::Confirmed],
            &[N::Provisional, N::Success, N::Refusal],
            "its session ends, or lets it go, with the first final answer",
        ),
        (&[P::Confirmed], &[N::ConnectionLost], BY_DATAGRAM),
    ]
};

const SERVER_OTHER: &[Impossible<ServerOtherPlace, ServerOtherNews>] = {
    use {ServerOtherNews as N, ServerOtherPlace as P};
    &[
        (&[P::Gone], N::ALL, FORGOTTEN),
        (
            &[P::Trying],
            &[N::Repeated, N::TimeUp, N::ConnectionLost],
            "each request is answered in the step it came in",
        ),
        (&[P::Completed], &[N::Answer], "each request is answered once"),
        (&[P::Completed], &[N::ConnectionLost], BY_DATAGRAM),
    ]
};

const CLIENT_INVITE: &[Impossible<ClientInvitePlace, ClientNews>] = {
    use {ClientInvitePlace as P, ClientNews as N};
    &[
        (&[P::Gone], N::ALL, FORGOTTEN),
        (
            &[P::Proceeding, P::Accepted, P::Completed],
            &[N::RepeatDue],
            "an INVITE that was heard is not repeated",
        ),
        (&[P::Completed], &[N::ConnectionLost], BY_DATAGRAM),
    ]
};

const CLIENT_OTHER: &[Impossible<ClientOtherPlace, ClientNews>] = {
    use {ClientNews as N, ClientOtherPlace as P};
    &[
        (&[P::Gone], N::ALL, FORGOTTEN),
        (&[P::Completed], &[N::RepeatDue], "the answer ends the repeats"),
        (&[P::Completed], &[N::ConnectionLost], BY_DATAGRAM),
    ]
};

/// The rows of all four.
#[derive(Clone, Debug)]
pub struct Reached {
    pub server_invite: Reach<ServerInvitePlace, ServerInviteNews>,
    pub server_other: Reach<ServerOtherPlace, ServerOtherNews>,
    pub client_invite: Reach<ClientInvitePlace, ClientNews>,
    pub client_other: Reach<ClientOtherPlace, ClientNews>,
}

impl Default for Reached {
    fn default() -> Self {
        Self {
            server_invite: Reach::new(SERVER_INVITE),
            server_other: Reach::new(SERVER_OTHER),
            client_invite: Reach::new(CLIENT_INVITE),
            client_other: Reach::new(CLIENT_OTHER),
        }
    }
}
