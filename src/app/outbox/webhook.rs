//! Webhooks to units: signed JSON.
//!
//! `Hotline-Signature: t=<seconds since 1970>,v1=<hex>` is HMAC-SHA256 by the unit's secret over `<t>.<body>`. The time is in it so
//! that a receiver can refuse what was caught and sent again later.

use super::{Sender, http};
use crate::config::{ALL_UNITS, UnitPlace};
use crate::outbox::{Outcome, Why};
use crate::store::Letter;
use async_trait::async_trait;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use sha2::Sha256;
use std::collections::BTreeMap;

/// By which a receiver knows a repetition.
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
const SIGNATURE: &str = "Hotline-Signature";

pub struct Webhook {
    client: Client,
    units: BTreeMap<String, UnitPlace>,
}

impl Webhook {
    pub fn new(client: Client, units: BTreeMap<String, UnitPlace>) -> Self {
        Self { client, units }
    }

    fn place(&self, letter: &Letter) -> Option<&UnitPlace> {
        self.units.get(letter.place.as_deref()?).or_else(|| self.units.get(ALL_UNITS))
    }
}

#[async_trait]
impl Sender for Webhook {
    fn address(&self, letter: &Letter) -> Option<String> {
        self.place(letter)?.webhook.clone()
    }

    async fn send(&self, letter: &Letter, url: &str) -> Outcome {
        let Some(secret) = self.place(letter).and_then(|place| place.secret.as_ref()) else {
            return Outcome::Never { why: Why::NoAddress };
        };
        let mut payload = letter.payload.clone();
        if let Some(all) = payload.as_object_mut() {
            all.insert("id".into(), letter.id.as_str().into());
        }
        let body = payload.to_string();
        let seconds = jiff::Timestamp::now().as_second();
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(IDEMPOTENCY_KEY, &letter.id)
            .header(SIGNATURE, signature(secret.reveal(), seconds, &body))
            .body(body);
        match http::ask(request).await {
            Ok(_) => Outcome::Sent { receipt: None },
            Err(outcome) => outcome,
        }
    }
}

fn signature(secret: &str, seconds: i64, body: &str) -> String {
    // A key of any length is fine for HMAC.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(format!("{seconds}.{body}").as_bytes());
    let hex = mac.finalize().into_bytes().iter().fold(String::new(), |mut hex, byte| {
        use std::fmt::Write as _;
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    format!("t={seconds},v1={hex}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_signature_is_what_any_other_hmac_gives() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret
        assert_eq!(
            super::signature("secret", 1_700_000_000, "{\"a\":1}"),
            "t=1700000000,v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686"
        );
    }
}
