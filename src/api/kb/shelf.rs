//! What agents read, in memory with its index. Built whole when something was published since, by one request at a time; the others
//! read the last one meanwhile.

use crate::api::problem::Problem;
use crate::knowledge::{Doc, Index, Words};
use crate::store::{Db, KbLive};
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Debug)]
pub struct Shelf {
    built: Mutex<Option<Arc<Built>>>,
    building: tokio::sync::Mutex<()>,
    pub words: Words,
}

/// At most [`crate::store::KB_MOST`] entries.
#[derive(Debug)]
pub struct Built {
    /// Changes it has seen.
    n: i64,
    pub live: Vec<KbLive>,
    pub index: Index,
}

impl Default for Shelf {
    fn default() -> Self {
        Self { built: Mutex::default(), building: tokio::sync::Mutex::default(), words: Words::shipped() }
    }
}

impl Shelf {
    fn kept(&self) -> Option<Arc<Built>> {
        self.built.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// With everything that was published before this was asked, unless another request is just building it.
    pub async fn current(&self, db: &Db) -> Result<Arc<Built>, Problem> {
        let n = db.kb_changes().await?;
        let kept = self.kept();
        if let Some(built) = kept.as_ref().filter(|built| built.n >= n) {
            return Ok(Arc::clone(built));
        }
        let _building = match (self.building.try_lock(), kept) {
            (Ok(building), _) => building,
            (Err(_), Some(old)) => return Ok(old),
            (Err(_), None) => self.building.lock().await,
        };
        if let Some(built) = self.kept().filter(|built| built.n >= n) {
            return Ok(built);
        }
        // The count is read first: what is read afterwards has seen at least so much.
        let n = db.kb_changes().await?;
        let live = db.kb_live().await?;
        let build = move || {
            let index = Index::build(live.iter().map(|one| Doc {
                title: &one.version.text.title,
                questions: &one.version.text.questions,
                answer: &one.version.text.answer,
                full: &one.version.text.full,
            }));
            Built { n, live, index }
        };
        let built = tokio::task::spawn_blocking(build).await.map_err(|error| {
            tracing::error!(%error, "the index of the knowledge base could not be built");
            Problem::internal()
        })?;
        let built = Arc::new(built);
        *self.built.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&built));
        Ok(built)
    }
}
