use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::wire::SessionView;
use axum::Json;
use axum::extract::State;

/// Who is signed in.
#[utoipa::path(get, path = "/api/v1/session", tag = "session", responses(
    (status = 200, body = SessionView),
    (status = 401, body = Problem, content_type = "application/problem+json"),
))]
pub async fn show(State(api): State<Api>, person: Person) -> Json<SessionView> {
    Json(SessionView {
        token: None,
        csrf: person.token.csrf(),
        roles: person.roles.iter().map(|role| role.label().to_owned()).collect(),
        username: person.name,
        display: person.display,
        unit: person.unit,
        expires_at: api.time(person.expires_at),
    })
}
