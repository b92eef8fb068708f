//! The citizens' page: leave a message with photos, see how it stands by number and code, urge, add, withdraw, judge. Server-made HTML
//! that needs no script and nothing from elsewhere.
//!
//! ```text
//!  /public/ ──▶ /public/message ──POST──▶ receipt: number, code (told once)
//!     └─POST /public/ticket: number + code ──▶ how it stands ──POST with both──▶ urged, added, withdrawn, judged
//! ```
//!
//! The rules that always hold: nobody is known here but by number and code, which come with every act, so that there is no session to
//! steal; a form sent twice is one message; what is shown is the citizen's own, and nothing of a person; every try is counted.

mod limits;
mod message;
mod pages;
mod photo;
mod progress;
mod texts;

pub use limits::{Limits, PublicLimits};
pub use message::{form, leave};
pub use progress::{act, home, look};

use super::guard::Source;
use super::state::Api;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use maud::Markup;
use texts::Language;

const STYLE: &str = include_str!("style.css");

/// The one style sheet.
pub async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

/// Who asks, and in which language.
pub struct Visitor {
    pub source: String,
    pub language: Language,
    /// From another site's page: nothing is done for it.
    pub foreign: bool,
}

impl axum::extract::FromRequestParts<Api> for Visitor {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Self::Rejection> {
        let text = |name: header::HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let asked = parts
            .uri
            .query()
            .into_iter()
            .flat_map(|query| query.split('&'))
            .find_map(|pair| pair.strip_prefix("lang="));
        let kept = text(header::COOKIE).into_iter().flat_map(|all| all.split(';'));
        let kept = kept.filter_map(|pair| pair.trim().strip_prefix("public_lang=")).next();
        let site = parts.headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
        Ok(Self {
            source: Source::text(parts),
            language: Language::read(asked.or(kept)),
            foreign: matches!(site, Some("cross-site" | "same-site")),
        })
    }
}

/// A page in its frame. The language stays with the browser.
fn page(visitor: &Visitor, status: StatusCode, body: Markup) -> Response {
    let html = pages::frame(visitor.language, body);
    let mut response = (status, Html(html.into_string())).into_response();
    let cookie = match visitor.language {
        Language::Chinese => "public_lang=zh; Path=/public/; SameSite=Lax; HttpOnly",
        Language::English => "public_lang=en; Path=/public/; SameSite=Lax; HttpOnly",
    };
    response.headers_mut().insert(header::SET_COOKIE, HeaderValue::from_static(cookie));
    response
}

/// Something cannot be done now, in the citizen's words.
fn sorry(visitor: &Visitor, status: StatusCode, word: &str) -> Response {
    page(visitor, status, pages::sorry(visitor.language, word))
}

/// `/public` is the folder.
pub async fn folder() -> Response {
    (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, "/public/")]).into_response()
}

fn clock(api: &Api, ms: i64) -> String {
    api.civil(ms).map(|at| at.strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default()
}
