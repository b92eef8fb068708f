//! The demonstration's telephone: a page from which a browser calls the hotline as a citizen. Its routes exist only under `--demo`.
//!
//! Nobody signs in, so only pages of this machine's own server may ask: by loopback, with a loopback `Host` (a name that somebody
//! else has made point here is refused) and our own `Origin`.

use super::guard::{Source, whence};
use super::input::JsonBody;
use super::problem::Problem;
use super::state::Api;
use crate::auth::origin::may_sign_in;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The telephones of the demonstration. `app` implements it.
pub trait DemoPhone: Send + Sync + 'static {
    /// A browser's offer of sound; returns the call's name and the answer. `number`: who calls; none: any of the demonstration's.
    fn call(&self, sdp: String, number: Option<String>) -> BoxFuture<'_, Result<PhoneCall, PhoneRefused>>;
    fn keys(&self, id: &str, digits: &str) -> Result<(), PhoneRefused>;
    fn hang_up(&self, id: &str) -> Result<(), PhoneRefused>;
    /// How the call stands. Asking keeps it alive.
    fn state(&self, id: &str) -> Option<PhoneState>;
}

#[derive(Clone, Debug, Serialize)]
pub struct PhoneCall {
    pub id: String,
    /// The answer.
    pub sdp: String,
    /// Who calls.
    pub number: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhoneRefused {
    #[error("all telephones of the demonstration are in use")]
    Full,
    #[error("{0}")]
    Bad(&'static str),
    #[error("there is no such call")]
    Unknown,
    #[error("the telephone cannot be connected")]
    Away,
}

/// How a call stands, or why it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneState {
    Calling,
    Ringing,
    Talking,
    /// By this page, or because it went away.
    HungUp,
    /// By the hotline.
    Released,
    Busy,
    Refused,
    NoAnswer,
    /// Half an hour is over.
    TooLong,
}

impl PhoneState {
    pub fn is_ended(self) -> bool {
        !matches!(self, Self::Calling | Self::Ringing | Self::Talking)
    }

    fn labels(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Calling => ("calling", None),
            Self::Ringing => ("ringing", None),
            Self::Talking => ("talking", None),
            Self::HungUp => ("ended", Some("hung_up")),
            Self::Released => ("ended", Some("released")),
            Self::Busy => ("ended", Some("busy")),
            Self::Refused => ("ended", Some("refused")),
            Self::NoAnswer => ("ended", Some("no_answer")),
            Self::TooLong => ("ended", Some("too_long")),
        }
    }
}

impl From<PhoneRefused> for Problem {
    fn from(refused: PhoneRefused) -> Self {
        match refused {
            PhoneRefused::Full | PhoneRefused::Away => Self::away(&refused.to_string()),
            PhoneRefused::Bad(why) => Self::bad_request(why),
            PhoneRefused::Unknown => Self::not_found(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    sdp: String,
    number: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    digits: String,
}

#[derive(Debug, Serialize)]
struct Standing {
    state: &'static str,
    reason: Option<&'static str>,
}

/// All below `/demo/phone`.
pub fn routes(phone: Arc<dyn DemoPhone>) -> Router<Api> {
    Router::new()
        .route("/demo/phone", get(|| page("text/html; charset=utf-8", PAGE)))
        .route("/demo/phone/phone.js", get(|| page("text/javascript; charset=utf-8", SCRIPT)))
        .route("/demo/phone/phone.css", get(|| page("text/css; charset=utf-8", STYLE)))
        .route("/demo/phone/calls", post(call))
        .route("/demo/phone/calls/{id}", get(show).delete(hang_up))
        .route("/demo/phone/calls/{id}/keys", post(keys))
        .layer(middleware::from_fn(from_here))
        .layer(axum::Extension(phone))
}

const PAGE: &str = include_str!("../../panel/phone/phone.html");
const SCRIPT: &str = include_str!("../../panel/phone/phone.js");
const STYLE: &str = include_str!("../../panel/phone/phone.css");

async fn page(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

type Phones = axum::Extension<Arc<dyn DemoPhone>>;

async fn call(
    phone: Phones,
    State(_): State<Api>,
    JsonBody(asked): JsonBody<Call>,
) -> Result<Response, Problem> {
    let call = phone.call(asked.sdp, asked.number).await?;
    Ok((StatusCode::CREATED, Json(call)).into_response())
}

async fn show(phone: Phones, Path(id): Path<String>) -> Result<Response, Problem> {
    let (state, reason) = phone.state(&id).ok_or_else(Problem::not_found)?.labels();
    Ok(Json(Standing { state, reason }).into_response())
}

async fn keys(
    phone: Phones,
    Path(id): Path<String>,
    JsonBody(asked): JsonBody<Keys>,
) -> Result<Response, Problem> {
    phone.keys(&id, &asked.digits)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn hang_up(phone: Phones, Path(id): Path<String>) -> Result<Response, Problem> {
    phone.hang_up(&id)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn from_here(request: Request, next: Next) -> Response {
    let whence = whence(request.headers());
    let near = request.extensions().get::<Source>().is_none_or(|source| source.0.is_loopback());
    let host = whence.host.unwrap_or_default();
    let name =
        host.rsplit_once(':').map_or(host, |(name, port)| if port.ends_with(']') { host } else { name });
    let ours = matches!(name, "localhost" | "[::1]")
        || name.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback());
    // Following a link to the page is fine; asking anything from a foreign one is not.
    let foreign = !request.method().is_safe()
        && (whence.fetch_site.is_some_and(|site| site != "same-origin" && site != "none")
            || !may_sign_in(whence, &[], false));
    if !near || !ours || foreign {
        return Problem::foreign_origin().into_response();
    }
    next.run(request).await
}
