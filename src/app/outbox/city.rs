//! The city's 12345: signed JSON, one address for all words. Its answer is its receipt.

use super::Sender;
use super::http;
use super::webhook::IDEMPOTENCY_KEY;
use crate::channels::{SIGNATURE, sign};
use crate::config;
use crate::outbox::{Outcome, Why};
use crate::store::Letter;
use async_trait::async_trait;
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value as Json;

pub struct City {
    client: Client,
    city: config::City,
}

impl City {
    pub fn new(client: Client, city: config::City) -> Self {
        Self { client, city }
    }
}

/// What the city gets: what is in the open, what only it may read, and the id by which it knows a repetition.
fn body(letter: &Letter) -> String {
    let mut all = letter.payload.clone();
    if let (Some(all), Some(Json::Object(personal))) = (all.as_object_mut(), &letter.personal) {
        all.extend(personal.clone());
    }
    all["id"] = letter.id.as_str().into();
    all.to_string()
}

/// The city's own number for what it took.
fn receipt(answer: &str) -> Option<String> {
    let answer: Json = serde_json::from_str(answer).ok()?;
    answer["receipt"].as_str().map(str::to_owned)
}

#[async_trait]
impl Sender for City {
    fn address(&self, _: &Letter) -> Option<String> {
        self.city.url.clone()
    }

    async fn send(&self, letter: &Letter, url: &str) -> Outcome {
        let Some(secret) = &self.city.secret else { return Outcome::Never { why: Why::NoAddress } };
        let body = body(letter);
        let seconds = jiff::Timestamp::now().as_second();
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(IDEMPOTENCY_KEY, &letter.id)
            .header(SIGNATURE, sign(secret.reveal(), seconds, body.as_bytes()))
            .body(body);
        match http::ask(request).await {
            // An answer that is none of its receipts may come from something in between.
            Ok(answer) => match receipt(&answer) {
                Some(receipt) => Outcome::Sent { receipt: Some(receipt) },
                None => Outcome::Later { why: Why::Broken, wait_ms: None },
            },
            Err(outcome) => outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_a_receipt_is_a_receipt() {
        assert_eq!(super::receipt("{\"receipt\": \"R-1\"}").as_deref(), Some("R-1"));
        for other in ["", "ok", "{}", "{\"receipt\": 1}", "<html>"] {
            assert_eq!(super::receipt(other), None, "{other}");
        }
    }
}
