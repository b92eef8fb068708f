use crate::api::state::Api;
use crate::api::wire::Status;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

/// Ready for calls. 503 only while starting or draining, or without a SIP socket, journal or media.
#[utoipa::path(get, path = "/readyz", tag = "operations", responses(
    (status = 200, body = Status, description = "`ready` or `degraded`"),
    (status = 503, body = Status),
))]
pub async fn readyz(State(api): State<Api>) -> (StatusCode, Json<Status>) {
    let state = super::state(&api).await;
    let fine = matches!(state.status.as_str(), "ready" | "degraded");
    (if fine { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(state))
}
