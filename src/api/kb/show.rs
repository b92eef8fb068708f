use super::act::allowed;
use super::wire::{KbConflictView, KbEntryView, KbTextView};
use super::{of, visible};
use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::Action;
use crate::knowledge::{Stage, Standing, obstacles, standing};
use crate::store::KbEntry;
use axum::Json;
use axum::extract::{Path, State};

/// One entry with its text, what stands against it, and what the person may do.
#[utoipa::path(get, path = "/api/v1/kb/{id}", tag = "knowledge", params(("id" = String, Path)), responses(
    (status = 200, body = KbEntryView),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub async fn show(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Json<KbEntryView>, Problem> {
    let row = visible(&api, &person, &id).await?;
    Ok(Json(view(&api, &person, row).await?))
}

/// An entry as this person sees it; he may see it.
pub(super) async fn view(api: &Api, person: &Person, row: KbEntry) -> Result<KbEntryView, Problem> {
    let works = person.may(Action::ReadDrafts, of(&row.unit)).is_ok();
    let (head, live) = (row.entry.head, row.entry.live);
    let version = |n| {
        let id = row.id.clone();
        async move { api.db().kb_version(&id, n).await?.ok_or_else(Problem::internal) }
    };
    let text = version(if works { head } else { live.unwrap_or(head) }).await?;
    let live_text = match live {
        Some(n) if n != text.n => Some(version(n).await?),
        _ => None,
    };
    let read = live.map(|_| live_text.as_ref().map_or(&text.text, |live| &live.text));
    let stands = read.map(|text| standing(&row.entry, text, api.today()));
    let under_way = works && !matches!(row.entry.stage, Stage::Published | Stage::Retired);
    let told = if under_way {
        let same = same_question(api, &row.id, &text.text.questions).await?;
        obstacles(&row.entry, &text.text, api.today(), same.as_deref())
    } else {
        Vec::new()
    };
    let conflict = row.entry.conflict.as_ref();
    Ok(KbEntryView {
        stage: row.entry.stage.label().to_owned(),
        version: row.events,
        head,
        live,
        live_at: row.live_at.map(|at| api.time(at)),
        standing: stands.map(|s| s.label().to_owned()),
        why: stands.and_then(Standing::why).map(str::to_owned),
        doubt: row.entry.doubt.clone(),
        conflict: conflict.map(|c| KbConflictView { text: c.text.clone(), with: c.with.clone() }),
        text: KbTextView::of(api, text),
        live_text: live_text.filter(|_| works).map(|live| KbTextView::of(api, live)),
        obstacles: told.into_iter().map(str::to_owned).collect(),
        actions: allowed(person, &row).into_iter().map(str::to_owned).collect(),
        writer: row.entry.writer,
        created_at: api.time(row.created_at),
        changed_at: api.time(row.changed_at),
        id: row.id,
    })
}

/// Another live entry that answers one of these questions.
pub(super) async fn same_question(
    api: &Api,
    id: &str,
    questions: &[String],
) -> Result<Option<String>, Problem> {
    let shelf = api.kb.current(api.db()).await?;
    let asked: std::collections::BTreeSet<String> =
        questions.iter().map(|question| api.kb.words.bare(question)).collect();
    let other = shelf.live.iter().find(|one| {
        one.row.id != id
            && one.version.text.questions.iter().any(|theirs| asked.contains(&api.kb.words.bare(theirs)))
    });
    Ok(other.map(|one| one.row.id.clone()))
}
