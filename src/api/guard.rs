//! Who asks: the session behind a cookie or a bearer token.

use super::problem::Problem;
use super::state::Api;
use crate::auth::origin::{Whence, is_ours};
use crate::auth::token::Token;
use crate::auth::{Action, Decision, Refusal, Resource, RoleSet, SessionState, may, session_state};
use crate::store::{SessionRow, StoreError, User};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use std::net::IpAddr;

/// The session's cookie. By TLS it has the prefix that keeps sibling hosts and plain HTTP from setting it (RFC 6265bis, 4.1.3.2).
pub const fn cookie_name(https: bool) -> &'static str {
    if https { "__Host-hotline_session" } else { "hotline_session" }
}
pub const CSRF_HEADER: &str = "x-csrf-token";
/// A session's rest is written down this often at most.
const TOUCH_MS: i64 = 60_000;

/// Where the connection came from; put there by the accept loop.
#[derive(Clone, Copy, Debug)]
pub struct Source(pub IpAddr);

impl Source {
    pub fn text(parts: &Parts) -> String {
        parts.extensions.get::<Self>().map_or_else(|| "local".to_owned(), |source| source.0.to_string())
    }
}

/// Somebody who has signed in.
#[derive(Clone, Debug)]
pub struct Person {
    pub name: String,
    pub display: String,
    pub unit: Option<String>,
    pub roles: RoleSet,
    pub source: String,
    pub token: Token,
    pub expires_at: i64,
    /// By the cookie, which a browser sends along whoever asks.
    pub by_cookie: bool,
}

impl Person {
    /// Whether a sign-in that is in use without requests is still good; notes that it is in use.
    pub async fn still(api: &Api, hash: &[u8; 32]) -> Result<bool, StoreError> {
        let now = api.now();
        let Some((session, _)) = signed_in(api, hash, now).await? else { return Ok(false) };
        if now - session.seen_at >= TOUCH_MS {
            api.db().touch_session(hash, now).await?;
        }
        Ok(true)
    }

    /// What comes of asking; refusals are already the problem to answer with.
    pub fn may(&self, action: Action, resource: Resource<'_>) -> Result<Decision, Problem> {
        let resource = Resource { own_unit: self.unit.as_deref(), ..resource };
        match may(&self.roles, action, resource) {
            Decision::Refuse(Refusal::Role) => Err(Problem::not_allowed()),
            Decision::Refuse(Refusal::Hidden) => Err(Problem::not_found()),
            decision => Ok(decision),
        }
    }
}

/// The sign-in behind a token's hash and its user, as long as both are good.
async fn signed_in(api: &Api, hash: &[u8; 32], now: i64) -> Result<Option<(SessionRow, User)>, StoreError> {
    let Some(session) = api.db().session(hash).await? else { return Ok(None) };
    if session_state(session.seen_at, session.expires_at, now) == SessionState::Over {
        api.db().end_session(hash).await?;
        return Ok(None);
    }
    let user = api.db().user(&session.user).await?.map(|(user, _)| user);
    Ok(user.filter(|user| !user.disabled).map(|user| (session, user)))
}

impl FromRequestParts<Api> for Person {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let (token, by_cookie) = match bearer(&parts.headers) {
            Some(token) => (token, false),
            None => (cookie(&parts.headers, api.parts.https).ok_or_else(Problem::signed_out)?, true),
        };
        let now = api.now();
        let hash = token.hash();
        let (session, user) = signed_in(api, &hash, now).await?.ok_or_else(Problem::signed_out)?;
        if by_cookie && !parts.method.is_safe() {
            let mut whence = whence(&parts.headers);
            let given = text(&parts.headers, CSRF_HEADER).unwrap_or_default();
            whence.csrf = crate::store::same(given.as_bytes(), token.csrf().as_bytes());
            if !is_ours(whence, &api.parts.origins, api.parts.https) {
                return Err(Problem::foreign_origin());
            }
        }
        if now - session.seen_at >= TOUCH_MS {
            api.db().touch_session(&hash, now).await?;
        }
        Ok(Self {
            roles: RoleSet::from_labels(user.roles.iter().map(String::as_str)),
            name: user.name,
            display: user.display,
            unit: user.unit,
            source: Source::text(parts),
            token,
            expires_at: session.expires_at,
            by_cookie,
        })
    }
}

pub fn whence(headers: &HeaderMap) -> Whence<'_> {
    Whence {
        origin: text(headers, "origin"),
        host: text(headers, "host"),
        fetch_site: text(headers, "sec-fetch-site"),
        csrf: false,
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    // A header that is not text is a foreign one.
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}

fn bearer(headers: &HeaderMap) -> Option<Token> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Token::read(token.trim())).flatten()
}

fn cookie(headers: &HeaderMap, https: bool) -> Option<Token> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == cookie_name(https))
        .and_then(|(_, value)| Token::read(value))
}

/// A number with its middle hidden: `120****0001`.
pub fn masked(number: &str) -> String {
    let chars: Vec<char> = number.chars().collect();
    if chars.len() < 8 {
        return "***".to_owned();
    }
    let (head, tail) = (&chars[..3], &chars[chars.len() - 4..]);
    head.iter().chain("****".chars().collect::<Vec<_>>().iter()).chain(tail).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masking_leaves_head_and_tail_of_whole_numbers_only() {
        assert_eq!(masked("12000000001"), "120****0001");
        assert_eq!(masked("6666666"), "***");
        assert_eq!(masked(""), "***");
    }

    #[test]
    fn cookies_are_found_among_others() {
        let mut headers = HeaderMap::new();
        let token = Token::fresh().unwrap();
        let value = format!("a=b; hotline_session={}; c=d", token.reveal());
        headers.insert(header::COOKIE, value.parse().unwrap());
        assert_eq!(cookie(&headers, true), None, "by TLS another name is asked for");
        assert_eq!(cookie(&headers, false), Some(token));
        headers.insert(header::COOKIE, "hotline_session=short".parse().unwrap());
        assert_eq!(cookie(&headers, false), None);
    }
}
