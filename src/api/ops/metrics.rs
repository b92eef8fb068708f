use crate::api::state::Api;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

/// Figures for Prometheus. Labels are closed sets: no numbers, names or addresses.
#[utoipa::path(get, path = "/metrics", tag = "operations", responses((status = 200, content_type = "text/plain")))]
pub async fn metrics(State(api): State<Api>) -> impl IntoResponse {
    let mut text = api.counts.append(api.parts.metrics.text());
    if let Some(cti) = &api.parts.cti {
        text = cti.counts().append(text);
    }
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
}
