use super::wire::{Trunk, TrunkList};
use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use axum::Json;
use axum::extract::State;
use std::collections::BTreeMap;

/// The trunks: settings without secrets, registration, calls now and today.
#[utoipa::path(get, path = "/api/v1/trunks", tag = "works", responses(
    (status = 200, body = TrunkList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn trunks(State(api): State<Api>, person: Person) -> Result<Json<TrunkList>, Problem> {
    person.may(Action::ReadWorks, Resource::default())?;
    let engine = &api.parts.engine;
    let (peers, live) = (engine.peers().await?, engine.live_calls().await?);
    let mut now: BTreeMap<String, usize> = BTreeMap::new();
    for call in live {
        *now.entry(call.trunk).or_default() += 1;
    }
    let midnight = api.midnight();
    let mut today = api.db().trunk_calls(midnight).await?;
    let items = api.parts.works.trunks().into_iter().map(|trunk| {
        let carried = today.remove(&trunk.name).unwrap_or_default();
        let peer = peers.iter().find(|peer| peer.trunk && *peer.name == *trunk.name);
        Trunk {
            registered: if trunk.registers { peer.map(|peer| peer.registered) } else { None },
            live_calls: now.get(&trunk.name).copied().unwrap_or(0),
            calls_today: carried.calls,
            answered_today: carried.answered,
            name: trunk.name,
            peers: trunk.peers,
            target: trunk.target,
            transport: trunk.transport,
            asks_password: trunk.asks_password,
            trusted_identity: trunk.trusted_identity,
            outgoing: trunk.outgoing,
            max_calls: trunk.max_calls,
            max_cps: trunk.max_cps,
            registers: trunk.registers,
        }
    });
    Ok(Json(TrunkList { items: items.collect(), next: None }))
}
