//! What agents read, in memory with its index. Built whole when something was published since, by one request at a time; the others
//! read the last one meanwhile.

use crate::api::problem::Problem;
use crate::knowledge::{Doc, Index, Words};
use crate::store::{Db, KbLive};
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Debug)]
pub struct Shelf {
    built: Arc<Mutex<Option<Arc<Built>>>>,
    building: Arc<tokio::sync::Mutex<()>>,
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
        Self { built: Arc::default(), building: Arc::default(), words: Words::shipped() }
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
        let building = match (Arc::clone(&self.building).try_lock_owned(), kept) {
            (Ok(building), _) => building,
            (Err(_), Some(old)) => return Ok(old),
            (Err(_), None) => Arc::clone(&self.building).lock_owned().await,
        };
        if let Some(built) = self.kept().filter(|built| built.n >= n) {
            return Ok(built);
        }
        // The count is read first: what is read afterwards has seen at least so much.
        let n = db.kb_changes().await?;
        let live = db.kb_live().await?;
        let kept = Arc::clone(&self.built);
        // It is put on the shelf even when the request that asked for it has given up meanwhile.
        let build = move || {
            let index = Index::build(live.iter().map(|one| Doc {
                title: &one.version.text.title,
                questions: &one.version.text.questions,
                answer: &one.version.text.answer,
                full: &one.version.text.full,
            }));
            let built = Arc::new(Built { n, live, index });
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&built));
            drop(building);
            built
        };
        tokio::task::spawn_blocking(build).await.map_err(|error| {
            tracing::error!(%error, "the index of the knowledge base could not be built");
            Problem::internal()
        })
    }
}
