use crate::api::guard::{Person, whence};
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::origin::is_ours;
use crate::auth::{Action, Resource};
use crate::cti::{self, Opening, Who};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use std::sync::Arc;

/// The agents' websocket, subprotocol `hotline.cti.v1`. Its frames are described by `/api/v1/cti.schema.json`.
///
/// By cookie only from a page of ours; programs send the token as bearer.
#[utoipa::path(get, path = "/cti/v1", tag = "cti", params(
    ("resume" = Option<u64>, Query, description = "The last `seq` seen: only what came after it is sent, as long as it is kept"),
    ("watch" = Option<bool>, Query, description = "Do not act, also where this sign-in may"),
), responses(
    (status = 101),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn open(
    State(api): State<Api>,
    person: Person,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    // A page of another site would bring the cookie along too: reading is what it is after here, so reading is guarded.
    if person.by_cookie && !is_ours(whence(&headers), &api.parts.origins, api.parts.https) {
        return Err(Problem::foreign_origin());
    }
    person.may(Action::UseDesk, Resource::default())?;
    let lead = person.may(Action::Supervise, Resource::default()).is_ok();
    let opening = opening(query.as_deref().unwrap_or_default())?;
    let upgrade = upgrade.map_err(|error| Problem::bad_request(error.body_text()))?;
    let named = headers.contains_key(header::SEC_WEBSOCKET_PROTOCOL);
    let upgrade = upgrade.protocols([cti::SUBPROTOCOL]);
    if named && upgrade.selected_protocol().is_none() {
        return Err(Problem::bad_request(format!("the subprotocol is {}", cti::SUBPROTOCOL)));
    }
    let desk = api.parts.cti.clone().ok_or_else(|| Problem::away("the agents' desk"))?;
    let place = desk.place().ok_or_else(|| Problem::away("a place for one more session"))?;
    let token = person.token.hash();
    let who = Who::new(&person.name, &person.display, token, lead);
    let check = {
        let api = api.clone();
        Arc::new(move || -> futures_util::future::BoxFuture<'static, cti::Standing> {
            let api = api.clone();
            Box::pin(async move { standing(&api, token).await })
        })
    };
    let upgrade = upgrade.max_frame_size(cti::READ_MAX).max_message_size(cti::READ_MAX);
    Ok(upgrade.on_upgrade(move |socket| cti::run(socket, who, opening, desk, check, place)))
}

async fn standing(api: &Api, token: [u8; 32]) -> cti::Standing {
    match Person::still(api, &token).await {
        Ok(true) => cti::Standing::Good,
        Ok(false) => cti::Standing::Over,
        Err(_) => cti::Standing::Unknown,
    }
}

fn opening(query: &str) -> Result<Opening, Problem> {
    let mut opening = Opening::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("resume", number)) => match number.parse() {
                Ok(number) => opening.resume = Some(number),
                Err(_) => return Err(Problem::bad_request("resume is not a number")),
            },
            Some(("watch", "true" | "1")) => opening.watch = true,
            Some(("watch", "false" | "0")) => opening.watch = false,
            _ => {
                return Err(Problem::bad_request(
                    "only resume=<number> and watch=<true|false> are known here",
                ));
            }
        }
    }
    Ok(opening)
}
