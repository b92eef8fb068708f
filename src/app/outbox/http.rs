//! What SMS and webhooks share: a client with limits, and how an answer reads.

use crate::outbox::{Outcome, Why};
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect};
use std::time::Duration;

/// The most that is read of an answer, bytes.
const ANSWER_MAX: usize = 64 * 1024;

/// Redirects are not followed: what was signed and sealed is for one address. Proxies of the environment are not asked: addresses
/// stand in the configuration.
pub fn client(limit: Duration) -> Result<Client, reqwest::Error> {
    Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .timeout(limit)
        .user_agent(concat!("hotline/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// The body of a good answer, or what its try came to.
pub async fn ask(request: RequestBuilder) -> Result<String, Outcome> {
    let answer = request.send().await.map_err(|error| {
        if error.is_builder() {
            // The URL of the configuration, or what was put into it.
            return Outcome::Never { why: Why::BadAddress };
        }
        let why = if error.is_timeout() { Why::Timeout } else { Why::Unreachable };
        Outcome::Later { why, wait_ms: None }
    })?;
    if answer.status().is_success() {
        return body(answer).await.ok_or(Outcome::Later { why: Why::Broken, wait_ms: None });
    }
    Err(refused(&answer))
}

/// What a status means. Ours to mend and then fine: wrong credentials, too many, too early, timeouts and all that is the server's.
fn refused(answer: &Response) -> Outcome {
    let status = answer.status();
    let why = Why::Status(status.as_u16());
    let later = status.is_server_error()
        || matches!(
            status,
            StatusCode::UNAUTHORIZED
                | StatusCode::FORBIDDEN
                | StatusCode::PROXY_AUTHENTICATION_REQUIRED
                | StatusCode::REQUEST_TIMEOUT
                | StatusCode::TOO_EARLY
                | StatusCode::TOO_MANY_REQUESTS
        );
    if !later {
        return Outcome::Never { why };
    }
    // Seconds; a date is passed over, our own wait is as good.
    let wait =
        answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
    Outcome::Later { why, wait_ms: wait.map(|seconds| seconds.saturating_mul(1000)) }
}

async fn body(mut answer: Response) -> Option<String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.ok()? {
        if bytes.len() + chunk.len() > ANSWER_MAX {
            return None;
        }
        bytes.extend_from_slice(&chunk);
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
