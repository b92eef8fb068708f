use super::wire::Prompt;
use super::{PutPrompt, is_name, log, slowly};
use crate::api::guard::Person;
use crate::api::input::FileBody;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use axum::Json;
use axum::extract::{Path, State};

/// Replace a sound (WAV, at most 2 MiB): its rate, length and clipping are checked as `hotline check` does. Calls hear it from the
/// next start on.
#[utoipa::path(put, path = "/api/v1/prompts/{name}", tag = "prompts", params(("name" = String, Path)),
    request_body(content = Vec<u8>, content_type = "audio/wav"), responses(
    (status = 200, body = Prompt),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn put_prompt(
    State(api): State<Api>,
    person: Person,
    Path(name): Path<String>,
    FileBody(wav): FileBody,
) -> Result<Json<Prompt>, Problem> {
    person.may(Action::ManageWorks, Resource::default())?;
    if !is_name(&name) {
        return Err(Problem::not_found());
    }
    let _turn = api.uploading.lock().await;
    let subject = ["prompt:", &name].concat();
    match slowly(&api, move |works| works.put_prompt(&name, &wav)).await? {
        Ok(sound) => {
            log(&api, &person, subject, "written").await?;
            Ok(Json(Prompt::of(sound)))
        }
        Err(PutPrompt::Unknown) => Err(Problem::not_found()),
        Err(PutPrompt::Refused(problems)) => {
            log(&api, &person, subject, "refused").await?;
            Err(Problem::refused(problems))
        }
    }
}
