use super::wire::{Phone, PhoneList};
use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use crate::call::agents::seam::Device;
use axum::Json;
use axum::extract::State;

/// The desk phones: registered or not, and who is logged in with them.
#[utoipa::path(get, path = "/api/v1/phones", tag = "works", responses(
    (status = 200, body = PhoneList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn phones(State(api): State<Api>, person: Person) -> Result<Json<PhoneList>, Problem> {
    person.may(Action::ReadWorks, Resource::default())?;
    let engine = &api.parts.engine;
    let (peers, floor) = (engine.peers().await?, engine.floor().await?);
    let items = api.parts.works.phones().into_iter().map(|name| {
        let peer = peers.iter().find(|peer| !peer.trunk && *peer.name == *name);
        let holds =
            |device: &Option<Device>| matches!(device, Some(Device::Phone(phone)) if **phone == *name);
        Phone {
            registered: peer.is_some_and(|peer| peer.registered),
            contacts: peer.map_or(0, |peer| peer.contacts),
            agent: floor.agents.iter().find(|agent| holds(&agent.device)).map(|a| a.agent.to_string()),
            name,
        }
    });
    Ok(Json(PhoneList { items: items.collect(), next: None }))
}
