/// Alive: the process answers.
#[utoipa::path(get, path = "/healthz", tag = "operations", responses((status = 200, content_type = "text/plain")))]
pub async fn healthz() -> &'static str {
    "alive\n"
}
