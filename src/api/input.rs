//! Reading what a client sent: query fields and JSON bodies, with limits and problem documents.

use super::problem::Problem;
use super::state::Api;
use crate::store::{Cursor, LIMIT, LIMIT_MAX, Page};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Largest body, in bytes.
pub const BODY_MAX: usize = 2 * 1024 * 1024;
/// A whole body must be here after this; less than any answer may take that has a body, so that the client is told why.
const BODY_TIME: Duration = Duration::from_secs(4);

/// The query's fields in order, still text.
#[derive(Clone, Debug, Default)]
pub struct Fields(pub Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Fields {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Query(fields) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|_| Problem::bad_request("the query is not name=value&…"))?;
        if fields.len() > 32 {
            return Err(Problem::bad_request("more than 32 query fields"));
        }
        Ok(Self(fields))
    }
}

impl Fields {
    /// Takes the fields that every list has: `limit` and `cursor`.
    pub fn page(&mut self) -> Result<Page, Problem> {
        let limit = match self.take("limit") {
            None => LIMIT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|n| (1..=LIMIT_MAX).contains(n))
                .ok_or_else(|| Problem::bad_request(format!("limit: a number from 1 to {LIMIT_MAX}")))?,
        };
        let after: Option<Cursor> = match self.take("cursor") {
            None => None,
            Some(text) => {
                Some(text.parse().map_err(|_| Problem::bad_request("cursor: not one of this list's"))?)
            }
        };
        Ok(Page { limit, after })
    }

    /// Takes a time (RFC 3339), as milliseconds since 1970.
    pub fn time(&mut self, name: &str) -> Result<Option<i64>, Problem> {
        self.take(name)
            .map(|text| {
                text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_millisecond).map_err(|_| {
                    Problem::bad_request(format!("{name}: a time such as 2026-11-23T09:30:00+08:00"))
                })
            })
            .transpose()
    }

    pub fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(n, _)| n == name)?;
        Some(self.0.swap_remove(at).1)
    }

    /// All that is left must be filters.
    pub fn filters<F: Copy>(
        self,
        all: &[F],
        label: impl Fn(F) -> &'static str,
    ) -> Result<Vec<(F, String)>, Problem> {
        self.0
            .into_iter()
            .map(|(name, value)| match all.iter().find(|f| label(**f) == name) {
                Some(field) => Ok((*field, value)),
                None => {
                    let known: Vec<&str> = all.iter().map(|f| label(*f)).collect();
                    Err(Problem::bad_request(format!(
                        "no filter has that name; there are: limit, cursor, since, until, {}",
                        known.join(", ")
                    )))
                }
            })
            .collect()
    }
}

/// A JSON body.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Api> for JsonBody<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::not_json());
        }
        let bytes = whole(request, api.limits.body_max).await?;
        let body = serde_json::from_slice(&bytes).map_err(|e| {
            // Line, column and kind only: the text itself is not sent back.
            Problem::bad_request(format!(
                "the body is not what is asked for (line {}, column {})",
                e.line(),
                e.column()
            ))
        })?;
        Ok(Self(body))
    }
}

/// A text of UTF-8, not larger than a body may be.
#[derive(Debug)]
pub struct TextBody(pub String);

impl FromRequest<Api> for TextBody {
    type Rejection = Problem;
    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let bytes = whole(request, api.limits.body_max).await?;
        String::from_utf8(bytes.into()).map(Self).map_err(|_| Problem::bad_request("the body is not UTF-8"))
    }
}

/// A file: larger than other bodies may be. What it is tells its content.
#[derive(Debug)]
pub struct FileBody(pub axum::body::Bytes);

impl FromRequest<Api> for FileBody {
    type Rejection = Problem;
    async fn from_request(request: Request, _: &Api) -> Result<Self, Problem> {
        whole(request, BODY_MAX).await.map(Self)
    }
}

async fn whole(request: Request, most: usize) -> Result<axum::body::Bytes, Problem> {
    match tokio::time::timeout(BODY_TIME, axum::body::to_bytes(request.into_body(), most)).await {
        Err(_) => Err(Problem::too_slow()),
        Ok(Err(_)) => Err(Problem::too_large()),
        Ok(Ok(bytes)) => Ok(bytes),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}
