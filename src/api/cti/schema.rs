use axum::http::header;
use axum::response::IntoResponse;

/// JSON Schema of the websocket's frames.
#[utoipa::path(get, path = "/api/v1/cti.schema.json", tag = "cti", responses((status = 200, content_type = "application/schema+json")))]
pub async fn schema() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/schema+json")], crate::cti::SCHEMA)
}
