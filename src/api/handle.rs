//! What the desk may ask of the engine: a few named requests, answered when the engine gets to them.

use crate::base::CallId;
use crate::call::agents::seam::Refused;
use crate::call::agents::testing::DialTest;
use crate::call::{Floor, PeerState, TicketSaved, Why};
use futures_util::future::BoxFuture;

/// The engine as the desk sees it. `app` implements it with a bounded channel.
pub trait EngineHandle: Send + Sync + 'static {
    /// Calls in progress, oldest first.
    fn live_calls(&self) -> BoxFuture<'_, Result<Vec<LiveCall>, EngineAway>>;
    /// Read from memory, at once.
    fn status(&self) -> EngineStatus;
    /// Ends a call as `forced_by_staff`. `false`: no such call is up.
    fn hang_up(&self, call: CallId) -> BoxFuture<'_, Result<bool, EngineAway>>;
    /// How queues and agents stand now.
    fn floor(&self) -> BoxFuture<'_, Result<Floor, EngineAway>>;
    /// The ticket of this call was saved; `done`: it is no draft any more. Whoever has the call in hand hears of it.
    fn ticket_saved(&self, call: CallId, saved: TicketSaved) -> BoxFuture<'_, Result<(), EngineAway>>;
    /// What kept a caller waiting. `None`: he never waited, or it is no longer known.
    fn why(&self, call: CallId) -> BoxFuture<'_, Result<Option<Why>, EngineAway>>;
    /// Dials a duty number to see who is there: the call that does, or why not.
    fn dial_test(&self, test: DialTest) -> BoxFuture<'_, Result<Result<CallId, Refused>, EngineAway>>;
    /// An official number with its look-up code, for a ticket that the desk makes: nothing gives it a second time.
    fn draw_number(&self) -> BoxFuture<'_, Result<(String, String), EngineAway>>;
    /// Somebody guesses look-up codes: leads hear of it.
    fn codes_guessed(&self) -> BoxFuture<'_, ()>;
    /// Trunks and phones: who is registered.
    fn peers(&self) -> BoxFuture<'_, Result<Vec<PeerState>, EngineAway>>;
    /// Checks flows and configuration and swaps them whole; the problems when nothing was swapped.
    fn reload(&self) -> BoxFuture<'_, Result<Result<(), Vec<String>>, EngineAway>>;
}

/// Prometheus text.
pub trait MetricsSource: Send + Sync + 'static {
    fn text(&self) -> String;
}

/// The engine did not answer in time: starting, stopping or overloaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the engine did not answer")]
pub struct EngineAway;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Starting,
    Serving,
    Draining,
}

/// What readiness is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineStatus {
    pub phase: Phase,
    /// At least one SIP socket is open.
    pub sip: bool,
    /// Facts can be made durable.
    pub journal: bool,
    /// At least one media worker runs.
    pub media: bool,
    pub live_calls: u64,
}

/// A call in progress. Times in milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveCall {
    pub id: String,
    pub caller: Option<String>,
    pub called: String,
    pub trunk: String,
    /// One of the contract's call states.
    pub state: String,
    pub queue: Option<String>,
    pub agent: Option<String>,
    pub started_at: i64,
    pub answered_at: Option<i64>,
    /// Nodes walked so far; the last is where the call is.
    pub path: Vec<String>,
    pub codec: Option<String>,
}
