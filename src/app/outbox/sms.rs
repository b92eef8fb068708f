//! SMS by a gateway's HTTP template.

use super::{Sender, http};
use crate::config::{SmsGateway, SmsMethod};
use crate::outbox::{Outcome, Why};
use crate::store::Letter;
use async_trait::async_trait;
use reqwest::Client;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};

pub struct Sms {
    client: Client,
    gateway: Option<SmsGateway>,
}

/// How what is put into a template is written there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escape {
    Plain,
    Json,
    /// As a URL's query and a form want it.
    Url,
}

impl Sms {
    pub fn new(client: Client, gateway: Option<SmsGateway>) -> Self {
        Self { client, gateway }
    }
}

#[async_trait]
impl Sender for Sms {
    fn address(&self, letter: &Letter) -> Option<String> {
        letter.number.as_ref().map(|number| number.reveal().to_owned())
    }

    async fn send(&self, letter: &Letter, to: &str) -> Outcome {
        let Some(gateway) = &self.gateway else { return Outcome::Never { why: Why::NoAddress } };
        let text = letter.text();
        let filled = |template: &str, escape| filled(template, escape, to, &text, &letter.id);
        let url = filled(gateway.url.reveal(), Escape::Url);
        let mut request = match gateway.method {
            SmsMethod::Get => self.client.get(url),
            SmsMethod::Post => self
                .client
                .post(url)
                .header(CONTENT_TYPE, &gateway.content_type)
                .body(filled(gateway.body.reveal(), escape_of(&gateway.content_type))),
        };
        request = request.header(super::webhook::IDEMPOTENCY_KEY, &letter.id);
        if let Some(authorization) = &gateway.authorization {
            request = request.header(AUTHORIZATION, authorization.reveal());
        }
        let body = match http::ask(request).await {
            Ok(body) => body,
            Err(outcome) => return outcome,
        };
        if gateway.accepted.as_ref().is_some_and(|words| !body.contains(words.as_str())) {
            return Outcome::Later { why: Why::Broken, wait_ms: None };
        }
        let json = || serde_json::from_str::<serde_json::Value>(&body).ok();
        let receipt = gateway.receipt.as_ref().and_then(|pointer| match json()?.pointer(pointer)? {
            serde_json::Value::String(text) => Some(text.clone()),
            value => Some(value.to_string()),
        });
        Outcome::Sent { receipt }
    }
}

fn escape_of(content_type: &str) -> Escape {
    if content_type.contains("json") {
        Escape::Json
    } else if content_type.contains("x-www-form-urlencoded") {
        Escape::Url
    } else {
        Escape::Plain
    }
}

/// The template with everything in its place; what was put in is not looked through again.
fn filled(template: &str, escape: Escape, to: &str, text: &str, id: &str) -> String {
    let mut out = String::with_capacity(template.len() + text.len());
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let found = [("{to}", to), ("{text}", text), ("{id}", id)]
            .into_iter()
            .find(|(name, _)| rest.starts_with(name));
        match found {
            Some((name, value)) => {
                out.push_str(&escaped(value, escape));
                rest = &rest[name.len()..];
            }
            None => {
                out.push('{');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn escaped(value: &str, escape: Escape) -> String {
    match escape {
        Escape::Plain => value.to_owned(),
        Escape::Json => {
            let quoted = serde_json::Value::from(value).to_string();
            // A JSON text stands between two quotes.
            quoted[1..quoted.len() - 1].to_owned()
        }
        Escape::Url => value.bytes().fold(String::with_capacity(value.len() * 3), |mut out, byte| {
            use std::fmt::Write as _;
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                // Writing to a String cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
            out
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_filled_as_its_place_needs() {
        let all = |template: &str, escape| filled(template, escape, "13800000001", "编\"{to}\"\\ &1", "o-1");
        assert_eq!(
            all("{\"to\":\"{to}\",\"text\":\"{text}\",\"x\":{\"id\":\"{id}\"}}", Escape::Json),
            "{\"to\":\"13800000001\",\"text\":\"编\\\"{to}\\\"\\\\ &1\",\"x\":{\"id\":\"o-1\"}}"
        );
        assert_eq!(
            all("https://g/?to={to}&t={text}", Escape::Url),
            "https://g/?to=13800000001&t=%E7%BC%96%22%7Bto%7D%22%5C%20%261"
        );
        assert_eq!(all("{text}{", Escape::Plain), "编\"{to}\"\\ &1{");
        assert_eq!(escape_of("application/json; charset=utf-8"), Escape::Json);
        assert_eq!(escape_of("application/x-www-form-urlencoded"), Escape::Url);
        assert_eq!(escape_of("text/plain"), Escape::Plain);
    }
}
