//! Who asks: not a person but the city's platform, by the secret we share.

use crate::api::input::TextBody;
use crate::api::problem::{FieldError, Problem};
use crate::api::state::Api;
use crate::channels::{SIGNATURE, verify};
use crate::ticket::life::Refusal;
use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;
use std::fmt;

/// Longest order, bytes.
const BODY_MAX: usize = 64 * 1024;

/// By which the city is known.
#[derive(Clone)]
pub struct CityDoor {
    pub secret: String,
    /// A signature's time may be so far from ours, seconds.
    pub window_s: i64,
}

impl fmt::Debug for CityDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CityDoor").field("window_s", &self.window_s).finish_non_exhaustive()
    }
}

/// A body that the city has signed.
pub struct Signed<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Api> for Signed<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let header =
            request.headers().get(SIGNATURE).and_then(|value| value.to_str().ok()).map(str::to_owned);
        // Strangers are not listened to for long.
        let Some(door) = api.parts.city.as_ref().filter(|_| header.is_some()) else {
            return Err(Problem::signed_out());
        };
        let TextBody(body) = TextBody::from_request(request, api).await?;
        if body.len() > BODY_MAX {
            return Err(Problem::too_large());
        }
        // Whatever `--now` makes of a demonstration's day: this is about what was caught on the way and sent later.
        let now = jiff::Timestamp::now().as_second();
        verify(&door.secret, header.as_deref(), body.as_bytes(), now, door.window_s)
            .map_err(|why| Problem::signed_out().detail(why.to_string()))?;
        let read = serde_json::from_str(&body).map_err(|e| {
            Problem::bad_request(format!(
                "the body is not what is asked for (line {}, column {})",
                e.line(),
                e.column()
            ))
        })?;
        Ok(Self(read))
    }
}

pub(super) fn refused(reasons: Vec<Refusal>) -> Problem {
    let error = |one: Refusal| FieldError { field: one.field, code: one.why.label(), detail: one.message };
    Problem::refused_fields(reasons.into_iter().map(error).collect())
}
