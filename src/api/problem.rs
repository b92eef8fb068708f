//! Problem documents (RFC 9457): what a client is told when something is not as it asked.

use crate::store::StoreError;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// Seconds after which a client may try again when the database or the engine is away.
const RETRY_AFTER_S: u32 = 5;

/// Every code there is: what clients may switch on, and the labels of a metric.
pub const CODES: [&str; 19] = [
    "bad_request",
    "signed_out",
    "wrong_credentials",
    "foreign_origin",
    "not_allowed",
    "not_found",
    "method_not_allowed",
    "exists",
    "not_up",
    "changed",
    "breaks",
    "not_now",
    "too_large",
    "not_json",
    "too_slow",
    "refused",
    "too_many_attempts",
    "away",
    "internal",
];

/// The code, left on the response for whoever counts.
#[derive(Clone, Copy, Debug)]
pub struct Reason(pub &'static str);

/// One thing that is wrong with a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The field's name in the body.
    #[schema(value_type = String)]
    pub field: &'static str,
    /// For programs, like the document's own.
    #[schema(value_type = String)]
    pub code: &'static str,
    pub detail: String,
}

/// The document. `code` is for programs, `title` and `detail` for people.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `urn:hotline:problem:<code>`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub kind: Box<str>,
    #[schema(value_type = String)]
    pub code: &'static str,
    #[schema(value_type = String)]
    pub title: &'static str,
    pub status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Every problem found, where there may be several.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub problems: Box<[String]>,
    /// The same, each at its field of what was sent.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<FieldError>)]
    pub errors: Box<[FieldError]>,
    /// Of a refused sign-in: how often it may be tried again before the name has to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tries_left: Option<u8>,
    #[serde(skip)]
    #[schema(ignore)]
    retry_after_s: Option<u32>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
        debug_assert!(CODES.contains(&code), "{code} is not in the list");
        Self {
            kind: ["urn:hotline:problem:", code].concat().into(),
            code,
            title,
            status: status.as_u16(),
            detail: None,
            problems: Box::default(),
            errors: Box::default(),
            tries_left: None,
            retry_after_s: None,
        }
    }

    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub fn problems(mut self, problems: Vec<String>) -> Self {
        self.problems = problems.into();
        self
    }

    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", "The request cannot be understood").detail(detail)
    }
    pub fn signed_out() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "signed_out", "Sign in first")
    }
    /// One answer for unknown users, wrong passwords and disabled accounts.
    pub fn wrong_credentials(tries_left: u32) -> Self {
        let problem =
            Self::new(StatusCode::UNAUTHORIZED, "wrong_credentials", "User name or password is wrong");
        Self { tries_left: u8::try_from(tries_left).ok(), ..problem }
    }
    pub fn foreign_origin() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "foreign_origin",
            "The request does not come from a page of this service",
        )
    }
    pub fn not_allowed() -> Self {
        Self::new(StatusCode::FORBIDDEN, "not_allowed", "Your role may not do this")
    }
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here")
    }
    pub fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "This address does not take that method",
        )
    }
    pub fn exists() -> Self {
        Self::new(StatusCode::CONFLICT, "exists", "It exists already")
    }
    pub fn not_up() -> Self {
        Self::new(StatusCode::CONFLICT, "not_up", "The call is not in progress")
    }
    pub fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The body is larger than 2 MiB")
    }
    pub fn not_json() -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", "The body must be application/json")
    }
    pub fn too_slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "too_slow", "The body did not arrive in time")
    }
    pub fn refused(problems: Vec<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", "Nothing was changed").problems(problems)
    }
    /// Refused for what stands in these fields.
    pub fn refused_fields(errors: Vec<FieldError>) -> Self {
        let problems = errors.iter().map(|error| error.detail.clone()).collect();
        Self { errors: errors.into(), ..Self::refused(problems) }
    }
    /// Somebody else was faster.
    pub fn changed(version: i64) -> Self {
        Self::new(StatusCode::CONFLICT, "changed", "It changed since it was read; nothing was written")
            .detail(format!("version {version} now"))
    }
    /// The same of a text without a version number.
    pub fn written_over() -> Self {
        Self::new(StatusCode::CONFLICT, "changed", "It changed since it was read; nothing was written")
    }
    /// The roster would break a rule that was whole before; each finding is an error.
    pub fn breaks(findings: Vec<FieldError>) -> Self {
        let problems = findings.iter().map(|finding| finding.detail.clone()).collect();
        let title = "The roster would break a rule; nothing was changed";
        Self {
            errors: findings.into(),
            ..Self::new(StatusCode::CONFLICT, "breaks", title).problems(problems)
        }
    }
    /// It would have been right at another time.
    pub fn not_now(why: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "not_now", "Not as things stand").detail(why)
    }
    pub fn too_many(wait_ms: i64) -> Self {
        let mut problem = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_attempts",
            "Too many wrong attempts; try later",
        );
        problem.retry_after_s = Some(u32::try_from(wait_ms / 1000 + 1).unwrap_or(1));
        problem
    }
    pub fn away(what: &str) -> Self {
        let mut problem =
            Self::new(StatusCode::SERVICE_UNAVAILABLE, "away", "A part of the service is not available")
                .detail(what);
        problem.retry_after_s = Some(RETRY_AFTER_S);
        problem
    }
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong here")
    }
}

impl From<StoreError> for Problem {
    /// What the database said goes to the log, never to the client.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Away(_) => {
                tracing::warn!(%error, "desk");
                Self::away("the database")
            }
            StoreError::Exists => Self::exists(),
            StoreError::Refused(_) | StoreError::Migration(_) | StoreError::Corrupt(_) => {
                tracing::error!(%error, "desk");
                Self::internal()
            }
        }
    }
}

impl From<super::handle::EngineAway> for Problem {
    fn from(_: super::handle::EngineAway) -> Self {
        Self::away("the engine")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (retry, reason) = (self.retry_after_s, Reason(self.code));
        let mut response = (status, Json(self)).into_response();
        response.extensions_mut().insert(reason);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
