//! The agents' side of the process: their sessions, the browsers' audio, and the directory the engine is told of.

use super::clock::Clock;
use super::engine_thread::{Order, Orders};
use crate::acd::{AgentId, AgentSpec};
use crate::auth::Role;
use crate::call::agents::seam::{FromEngine, ToEngine};
use crate::config::Config;
use crate::cti::{self, CtiHandle, HubConfig, HubLimits};
use crate::store::Db;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::sleep;

/// Words on their way to the engine, and to the sessions.
const WORDS: usize = 1_024;
/// How often the directory of agents is read again.
const DIRECTORY: Duration = Duration::from_secs(2);

/// Starts what agents need; must be called inside the runtime.
pub fn start(
    config: &Config,
    boot: u32,
    zone: jiff::tz::TimeZone,
    clock: Clock,
    orders: &Orders,
    from_engine: mpsc::Receiver<FromEngine>,
) -> CtiHandle {
    let (to_engine, words) = mpsc::channel(WORDS);
    let (to_hub, hub_hears) = mpsc::channel(WORDS);
    tokio::spawn(carry(words, orders.clone()));
    tokio::spawn(sort(from_engine, to_hub));
    let hub = HubConfig { limits: limits(config), zone, clock: Arc::new(move || clock.wall_ms()), boot };
    cti::start(hub, to_engine, hub_hears, None)
}

fn limits(config: &Config) -> HubLimits {
    let cti = &config.cti;
    let mut limits = HubLimits {
        heartbeat: Duration::from_millis(cti.heartbeat_ms.into()),
        outgoing: cti.outgoing as usize,
        sessions: cti.sessions as usize,
        recheck: Duration::from_secs(cti.recheck_s.into()),
        ..HubLimits::default()
    };
    limits.stream.events = cti.history_events as usize;
    limits.stream.bytes = cti.history_kib as usize * 1024;
    limits.stream.sessions = cti.pages_per_agent as usize;
    limits
}

async fn carry(mut words: mpsc::Receiver<ToEngine>, orders: Orders) {
    while let Some(word) = words.recv().await {
        // The engine's inbox is full only when it stands still; a command is then answered by the hub's own patience.
        if !orders.give(Order::Agent(word)) {
            sleep(Duration::from_millis(1)).await;
        }
    }
}

async fn sort(mut from_engine: mpsc::Receiver<FromEngine>, to_hub: mpsc::Sender<FromEngine>) {
    while let Some(word) = from_engine.recv().await {
        match word {
            FromEngine::Relay { .. } => {}
            word => {
                if to_hub.send(word).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Tells the engine who can be an agent, again whenever that changes.
pub async fn directory(db: Db, queues: Vec<Arc<str>>, orders: Orders) {
    let mut told = None;
    loop {
        match db.users().await {
            Ok(users) => {
                let agents: Vec<AgentSpec> = users
                    .iter()
                    .filter(|user| !user.disabled)
                    .filter_map(|user| {
                        let lead = user.roles.iter().any(|role| role == Role::Lead.label());
                        let agent = lead || user.roles.iter().any(|role| role == Role::Agent.label());
                        let id = AgentId::new(&user.name).filter(|_| agent)?;
                        let queues = if lead { Vec::new() } else { queues.clone() };
                        Some(AgentSpec { id, skills: BTreeMap::new(), queues, lead, mobile: None })
                    })
                    .collect();
                if told.as_ref() != Some(&agents) && orders.give(Order::Agents(agents.clone())) {
                    told = Some(agents);
                }
            }
            Err(error) => tracing::debug!(%error, "directory of agents"),
        }
        sleep(DIRECTORY).await;
    }
}
