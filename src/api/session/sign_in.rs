use crate::api::guard::{Source, cookie_name, whence};
use crate::api::input::JsonBody;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::wire::{Credentials, SessionView};
use crate::auth::{origin, password, token::Token};
use crate::store::{Access, SessionRow};
use axum::Json;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

/// Sign in: a cookie for pages, a token for programs.
///
/// The session is always a new one, whatever cookie came along.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = Credentials, responses(
    (status = 200, body = SessionView),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 429, body = Problem, content_type = "application/problem+json"),
))]
pub async fn sign_in(State(api): State<Api>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    if !origin::may_sign_in(whence(&parts.headers), &api.parts.origins, api.parts.https) {
        return Err(Problem::foreign_origin());
    }
    let source = Source::text(&parts);
    let client = parts.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let client: String = client.chars().take(200).collect();
    let JsonBody(Credentials { username, password }) =
        JsonBody::from_request(Request::from_parts(parts, body), &api).await?;

    let now = api.now();
    if let Some(wait) = api.attempts().wait(&username, &source, now) {
        return Err(Problem::too_many(wait));
    }
    // Each try is counted before it is looked at: a hundred at once are a hundred.
    api.attempts().failed(&username, &source, now);
    let known = api.db().user(&username).await?;
    let kept = known.as_ref().filter(|(user, _)| !user.disabled).map(|(_, hash)| hash.clone());
    let _permit = api.hashing.acquire().await.map_err(|_| Problem::internal())?;
    let right = tokio::task::spawn_blocking(move || password::verify(&password, kept.as_deref()))
        .await
        .map_err(|_| Problem::internal())?;
    let mut access = Access {
        at: now,
        user: username.chars().take(64).collect(),
        source: source.clone(),
        action: "session.sign_in".to_owned(),
        subject: "session".to_owned(),
        outcome: "refused".to_owned(),
    };
    let Some((user, _)) = known.filter(|_| right) else {
        api.db().log_access(&access).await?;
        let left = api.attempts().left(&username, &source, now);
        return Err(Problem::wrong_credentials(left));
    };
    api.attempts().succeeded(&username, &source);
    let token = Token::fresh().map_err(|_| Problem::internal())?;
    let expires_at = now + api.limits.session_ms;
    let row = SessionRow {
        user: user.name.clone(),
        created_at: now,
        seen_at: now,
        expires_at,
        source,
        agent: client,
    };
    api.db().add_session(&token.hash(), &row).await?;
    access.outcome = "allowed".to_owned();
    api.db().log_access(&access).await?;

    let age = api.limits.session_ms / 1000;
    let name = cookie_name(api.parts.https);
    let mut cookie = format!("{name}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}", token.reveal());
    if api.parts.https {
        cookie.push_str("; Secure");
    }
    let view = SessionView {
        csrf: token.csrf(),
        token: Some(token.reveal().to_owned()),
        username: user.name,
        display: user.display,
        unit: user.unit,
        roles: user.roles,
        expires_at: api.time(expires_at),
    };
    let mut response = Json(view).into_response();
    let cookie = HeaderValue::from_str(&cookie).map_err(|_| Problem::internal())?;
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}
