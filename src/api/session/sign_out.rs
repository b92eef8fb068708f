use crate::api::guard::{Person, cookie_name};
use crate::api::problem::Problem;
use crate::api::state::Api;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

/// Sign out: the session is over everywhere it is used.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", responses(
    (status = 204),
    (status = 401, body = Problem, content_type = "application/problem+json"),
))]
pub async fn sign_out(State(api): State<Api>, person: Person) -> Result<Response, Problem> {
    api.db().end_session(&person.token.hash()).await?;
    if let Some(cti) = &api.parts.cti {
        cti.signed_out(&person.name, Some(person.token.hash())).await;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    let https = api.parts.https;
    let secure = if https { "; Secure" } else { "" };
    let gone = [cookie_name(https), "=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0", secure].concat();
    if let Ok(gone) = HeaderValue::from_str(&gone) {
        response.headers_mut().insert(header::SET_COOKIE, gone);
    }
    Ok(response)
}
