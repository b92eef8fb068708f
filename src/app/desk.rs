//! The desk's door to the engine, and the engine's questions to the desk.

use super::engine_thread::{Lookup, Order, Orders};
use super::metrics::Board;
use crate::api::{EngineAway, EngineHandle, EngineStatus, LiveCall, MetricsSource, Phase};
use crate::base::CallId;
use crate::call::agents::seam::Refused;
use crate::call::agents::testing::DialTest;
use crate::call::agents::urging::VoiceUrge;
use crate::call::{Reply, Request, TicketSaved};
use crate::ivr::seam::LookupResult;
use crate::store::{Db, StatusAnswer};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};

/// How long a page waits for the engine's answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Live calls told at most.
const LIVE_MAX: usize = 500;
/// Lookups asked of the database at once; more wait, and time out in the flow.
const LOOKUPS: usize = 16;

/// Starting, serving, draining: told by `app`, read by readiness.
#[derive(Clone, Debug, Default)]
pub struct PhaseCell(Arc<AtomicU8>);

impl PhaseCell {
    pub fn set(&self, phase: Phase) {
        self.0.store(phase as u8, Ordering::Release);
    }
    pub fn get(&self) -> Phase {
        match self.0.load(Ordering::Acquire) {
            0 => Phase::Starting,
            1 => Phase::Serving,
            _ => Phase::Draining,
        }
    }
}

/// A reload asked for by a page or a signal, and the problems when nothing was swapped.
pub type ReloadRequest = oneshot::Sender<Result<(), Vec<String>>>;

pub struct Door {
    pub orders: Orders,
    pub board: Board,
    pub phase: PhaseCell,
    pub reloads: mpsc::Sender<ReloadRequest>,
}

impl Door {
    async fn ask(&self, request: Request) -> Result<Reply, EngineAway> {
        let (to, answer) = oneshot::channel();
        if !self.orders.give(Order::Request(request, to)) {
            return Err(EngineAway);
        }
        tokio::time::timeout(PATIENCE, answer).await.map_err(|_| EngineAway)?.map_err(|_| EngineAway)
    }
}

impl Door {
    /// Dials somebody who is to be told of an urgent ticket.
    pub async fn voice_urge(&self, urge: VoiceUrge) -> Result<Result<CallId, Refused>, EngineAway> {
        match self.ask(Request::VoiceUrge(urge)).await? {
            Reply::VoiceUrge(begun) => Ok(begun),
            _ => Err(EngineAway),
        }
    }

    /// There is no reason for that call any more.
    pub async fn urge_over(&self, call: CallId) -> Result<(), EngineAway> {
        match self.ask(Request::UrgeOver { call }).await? {
            Reply::Told => Ok(()),
            _ => Err(EngineAway),
        }
    }
}

impl EngineHandle for Door {
    fn live_calls(&self) -> BoxFuture<'_, Result<Vec<LiveCall>, EngineAway>> {
        Box::pin(async {
            match self.ask(Request::LiveCalls { limit: LIVE_MAX }).await? {
                Reply::LiveCalls(calls) => Ok(calls.into_iter().rev().map(live_call).collect()),
                _ => Err(EngineAway),
            }
        })
    }

    fn status(&self) -> EngineStatus {
        let failing = self.board.get("hotline_journal_failing", None).unwrap_or(1);
        EngineStatus {
            phase: self.phase.get(),
            sip: self.board.get("hotline_live_calls", None).is_some(),
            journal: failing == 0,
            media: self.board.get("hotline_media_workers", None).unwrap_or(0) > 0,
            live_calls: self.board.get("hotline_live_calls", None).unwrap_or(0),
        }
    }

    fn hang_up(&self, call: CallId) -> BoxFuture<'_, Result<bool, EngineAway>> {
        Box::pin(async move {
            match self.ask(Request::HangUp { call }).await? {
                Reply::HungUp(was_up) => Ok(was_up),
                _ => Err(EngineAway),
            }
        })
    }

    fn floor(&self) -> BoxFuture<'_, Result<crate::call::Floor, EngineAway>> {
        Box::pin(async {
            match self.ask(Request::Floor).await? {
                Reply::Floor(floor) => Ok(*floor),
                _ => Err(EngineAway),
            }
        })
    }

    fn ticket_saved(&self, call: CallId, saved: TicketSaved) -> BoxFuture<'_, Result<(), EngineAway>> {
        Box::pin(async move {
            match self.ask(Request::TicketSaved { call, saved }).await? {
                Reply::Told => Ok(()),
                _ => Err(EngineAway),
            }
        })
    }

    fn why(&self, call: CallId) -> BoxFuture<'_, Result<Option<crate::call::Why>, EngineAway>> {
        Box::pin(async move {
            match self.ask(Request::Why { call }).await? {
                Reply::Why(why) => Ok(why.map(|why| *why)),
                _ => Err(EngineAway),
            }
        })
    }

    fn dial_test(&self, test: DialTest) -> BoxFuture<'_, Result<Result<CallId, Refused>, EngineAway>> {
        Box::pin(async move {
            match self.ask(Request::DialTest(test)).await? {
                Reply::DialTest(begun) => Ok(begun),
                _ => Err(EngineAway),
            }
        })
    }

    fn draw_number(&self) -> BoxFuture<'_, Result<(String, String), EngineAway>> {
        Box::pin(async {
            match self.ask(Request::DrawNumber).await? {
                Reply::Number(Some((no, code))) => Ok((no.to_string(), code.reveal().to_owned())),
                _ => Err(EngineAway),
            }
        })
    }

    fn codes_guessed(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            // The metric says it too, whether leads hear of it or not.
            let _ = self.ask(Request::CodesGuessed).await;
        })
    }

    fn peers(&self) -> BoxFuture<'_, Result<Vec<crate::call::PeerState>, EngineAway>> {
        Box::pin(async {
            match self.ask(Request::Peers).await? {
                Reply::Peers(peers) => Ok(peers),
                _ => Err(EngineAway),
            }
        })
    }

    fn reload(&self) -> BoxFuture<'_, Result<Result<(), Vec<String>>, EngineAway>> {
        Box::pin(async {
            let (to, answer) = oneshot::channel();
            self.reloads.try_send(to).map_err(|_| EngineAway)?;
            tokio::time::timeout(10 * PATIENCE, answer).await.map_err(|_| EngineAway)?.map_err(|_| EngineAway)
        })
    }
}

impl MetricsSource for Door {
    fn text(&self) -> String {
        self.board.render()
    }
}

fn live_call(call: crate::call::LiveCall) -> LiveCall {
    let caller = (!call.caller.is_empty()).then(|| call.caller.reveal().to_owned());
    LiveCall {
        id: call.id.to_string(),
        caller,
        called: call.called,
        trunk: call.trunk.to_string(),
        state: call.state.to_owned(),
        queue: call.queue.map(|queue| queue.to_string()),
        agent: call.agent,
        started_at: call.started_ms,
        answered_at: call.answered_ms,
        path: call.path.iter().map(ToString::to_string).collect(),
        codec: None,
    }
}

/// Answers the walks' questions from the database. A database that is slow or away gives `failed`, and the flow goes to a person.
pub async fn answer_lookups(
    db: Db,
    mut questions: mpsc::Receiver<Lookup>,
    orders: Orders,
    wall_ms: Arc<dyn Fn() -> i64 + Send + Sync>,
) {
    let at_once = Arc::new(Semaphore::new(LOOKUPS));
    while let Some(lookup) = questions.recv().await {
        // The semaphore is never closed.
        let Ok(permit) = Arc::clone(&at_once).acquire_owned().await else { return };
        let (db, orders, now) = (db.clone(), orders.clone(), wall_ms());
        tokio::spawn(async move {
            let _permit = permit;
            let result = match tokio::time::timeout(lookup.timeout, look_up(&db, &lookup, now)).await {
                Ok(result) => result,
                Err(_) => LookupResult::Failed,
            };
            orders.give(Order::Lookup { call: lookup.call, id: lookup.id, result });
        });
    }
}

async fn look_up(db: &Db, lookup: &Lookup, now: i64) -> LookupResult {
    let arg = |name: &str| lookup.args.iter().find(|(n, _)| &**n == name).map(|(_, value)| value.reveal());
    match (&*lookup.kind, arg("no"), arg("code")) {
        ("ticket_status", Some(no), Some(code)) => match db.ticket_status(no, code, now).await {
            Ok(answer) => status_result(answer),
            Err(error) => {
                tracing::warn!(%error, "lookup");
                LookupResult::Failed
            }
        },
        _ => LookupResult::Failed,
    }
}

/// The flow's variables: `state`, `dept`, `due` and `date`, times as RFC 3339 in UTC; the flow says them in the caller's words.
fn status_result(answer: StatusAnswer) -> LookupResult {
    match answer {
        StatusAnswer::None(_) => LookupResult::None,
        StatusAnswer::Found(status) => {
            let time =
                |ms: i64| jiff::Timestamp::from_millisecond(ms).map(|at| at.to_string()).unwrap_or_default();
            let mut values: Vec<(Arc<str>, Arc<str>)> = vec![("state".into(), status.state.into())];
            values.extend(status.lead.map(|lead| ("dept".into(), lead.into())));
            values.extend(status.due_at.map(|due| ("due".into(), time(due).into())));
            values.push(("date".into(), time(status.created_at).into()));
            LookupResult::Found(values)
        }
    }
}
