use super::wire::{FlowText, FlowVersionKept};
use super::{is_name, slowly, text_hash};
use crate::api::guard::Person;
use crate::api::input::Fields;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use axum::Json;
use axum::extract::{Path, State};

/// A flow file's text and its kept versions; `?hash=` gives the text of one of them.
#[utoipa::path(get, path = "/api/v1/flows/{name}", tag = "flows", params(
    ("name" = String, Path, description = "without `.toml`"), ("hash" = Option<String>, Query)), responses(
    (status = 200, body = FlowText),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub async fn flow(
    State(api): State<Api>,
    person: Person,
    Path(name): Path<String>,
    mut fields: Fields,
) -> Result<Json<FlowText>, Problem> {
    person.may(Action::ReadFlows, Resource::default())?;
    let wanted = fields.take("hash");
    if !fields.0.is_empty() {
        return Err(Problem::bad_request("there is: hash"));
    }
    let is_hash = |text: &str| text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_name(&name) || wanted.as_deref().is_some_and(|hash| !is_hash(hash)) {
        return Err(Problem::not_found());
    }
    let asked = name.clone();
    let (text, kept) =
        slowly(&api, move |works| (works.flow(&asked, wanted.as_deref()), works.flow_versions(&asked)))
            .await?;
    let text = text.ok_or_else(Problem::not_found)?;
    let versions = kept.into_iter().map(|kept| FlowVersionKept { hash: kept.hash, at: api.time(kept.at) });
    Ok(Json(FlowText { hash: text_hash(&text), name, text, versions: versions.collect() }))
}
