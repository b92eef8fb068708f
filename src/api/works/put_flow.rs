use super::wire::{FlowProblem, FlowText, FlowVersionKept};
use super::{is_flow, log, slowly};
use crate::api::guard::Person;
use crate::api::input::TextBody;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use sha2::Digest as _;

/// The name of a text: 16 hexadecimal digits.
pub fn hash(text: &str) -> String {
    use std::fmt::Write as _;
    sha2::Sha256::digest(text.as_bytes()).iter().take(8).fold(String::new(), |mut out, b| {
        // Writing into a String cannot fail.
        let _ = write!(out, "{b:02x}");
        out
    })
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct WasRead {
    /// The hash of the text that was changed: another one in force by now is 409, and nothing is written over unseen.
    read: Option<String>,
}

/// Put a flow file into force: the whole set is checked with it, it is written into the folder of flows, and everything is
/// reloaded. 422 names every problem, and nothing was changed. The version before is kept by its hash.
#[utoipa::path(put, path = "/api/v1/flows/{name}", tag = "flows", params(WasRead, ("name" = String, Path, description = "without `.toml`")),
    request_body(content = String, content_type = "application/toml"), responses(
    (status = 200, body = FlowText),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn put_flow(
    State(api): State<Api>,
    person: Person,
    Path(name): Path<String>,
    query: Query<WasRead>,
    TextBody(text): TextBody,
) -> Result<Json<FlowText>, Problem> {
    person.may(Action::ManageWorks, Resource::default())?;
    if !is_flow(&name) {
        return Err(Problem::bad_request("a flow's name has 1 to 40 characters: a-z, 0-9, _ and -"));
    }
    // A task of its own: an administrator who goes away in the middle leaves nothing half done and nothing unwritten in the log.
    let Query(WasRead { read }) = query;
    tokio::spawn(replace(api, person, name, text, read)).await.map_err(|_| Problem::internal())?
}

async fn replace(
    api: Api,
    person: Person,
    name: String,
    text: String,
    read: Option<String>,
) -> Result<Json<FlowText>, Problem> {
    // One at a time: what was there before must be what is put back.
    let _turn = api.uploading.lock().await;
    let subject = ["flow:", &name].concat();
    let (asked, given) = (name.clone(), text.clone());
    let put = slowly(&api, move |works| {
        let now = works.flow(&asked, None);
        if read.is_some_and(|read| now.is_some_and(|now| hash(&now) != read)) {
            return Ok(None);
        }
        let faults = works.check_flow(&asked, &given);
        if !faults.is_empty() {
            return Err(faults.into_iter().map(|fault| FlowProblem::of(fault).line()).collect());
        }
        works.put_flow(&asked, &given).map(Some)
    });
    let before = match put.await? {
        Ok(Some(before)) => before,
        Ok(None) => return Err(Problem::written_over()),
        Err(problems) => {
            log(&api, &person, subject, "refused").await?;
            return Err(Problem::refused(problems));
        }
    };
    let outcome = api.parts.engine.reload().await;
    let refused = match outcome {
        Ok(Ok(())) => None,
        Ok(Err(problems)) => Some(Problem::refused(problems)),
        Err(away) => Some(away.into()),
    };
    if let Some(problem) = refused {
        let asked = name.clone();
        let back = slowly(&api, move |works| works.put_back_flow(&asked, before.as_deref())).await?;
        log(&api, &person, subject, "refused").await?;
        back.map_err(Problem::refused)?;
        return Err(problem);
    }
    log(&api, &person, [&*subject, "@", &hash(&text)].concat(), "in_force").await?;
    let asked = name.clone();
    let kept = slowly(&api, move |works| works.flow_versions(&asked)).await?;
    let versions = kept.into_iter().map(|kept| FlowVersionKept { hash: kept.hash, at: api.time(kept.at) });
    Ok(Json(FlowText { hash: hash(&text), name, text, versions: versions.collect() }))
}
