use crate::api::state::Api;
use crate::api::wire::About;
use axum::Json;
use axum::extract::State;

/// What this service is: for the sign-in page, before anybody is known.
#[utoipa::path(get, path = "/api/v1/about", tag = "operations", responses((status = 200, body = About)))]
pub async fn about(State(api): State<Api>) -> Json<About> {
    Json(About {
        name: "12341".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        demo: api.limits.demo,
        now: api.time(api.now()),
    })
}
