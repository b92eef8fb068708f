//! Users, for administrators.
mod add;
mod change;
mod list;
pub use add::{__path_add, add};
pub use change::{__path_change, change};
pub use list::{__path_list, list};

use super::problem::Problem;
use super::state::Api;
use crate::auth::{Role, password};

/// Role names as they are kept; all unknown ones at once in the answer.
fn roles(names: &[String]) -> Result<Vec<String>, Problem> {
    let unknown: Vec<String> =
        names.iter().filter_map(|name| name.parse::<Role>().err().map(|e| e.to_string())).collect();
    if unknown.is_empty() { Ok(names.to_vec()) } else { Err(Problem::refused(unknown)) }
}

/// A person who serves a queue that is none gets no calls and nobody knows why.
fn queues_known(api: &Api, queues: Option<&[String]>) -> Result<(), Problem> {
    let unknown = |name: &&String| !api.parts.works.has_queue(name);
    let wrong: Vec<String> = queues
        .unwrap_or_default()
        .iter()
        .filter(unknown)
        .map(|name| format!("there is no queue \"{name}\""))
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(Problem::refused(wrong)) }
}

/// Hashes off the async threads, two at a time.
async fn hash(api: &Api, password: String) -> Result<String, Problem> {
    let _permit = api.hashing.acquire().await.map_err(|_| Problem::internal())?;
    tokio::task::spawn_blocking(move || password::hash(&password))
        .await
        .map_err(|_| Problem::internal())?
        .map_err(|error| Problem::refused(vec![error.to_string()]))
}
