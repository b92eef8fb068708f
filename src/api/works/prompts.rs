use super::slowly;
use super::wire::{Prompt, PromptList};
use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use axum::Json;
use axum::extract::State;

/// Every sound there is: what it says, how long and how loud it is, and whether calls hear it yet.
#[utoipa::path(get, path = "/api/v1/prompts", tag = "prompts", responses(
    (status = 200, body = PromptList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn prompts(State(api): State<Api>, person: Person) -> Result<Json<PromptList>, Problem> {
    person.may(Action::ReadWorks, Resource::default())?;
    let shelf = slowly(&api, |works| works.prompts()).await?;
    let items = shelf.sounds.into_iter().map(Prompt::of).collect();
    Ok(Json(PromptList { items, next: None, folder: shelf.folder, writable: shelf.writable }))
}
