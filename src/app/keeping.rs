//! What is old enough goes: recordings, the log of views, sessions, files of the journal that everybody has read. Looked at once an hour.

use super::clock::Clock;
use super::metrics::{Board, Sample};
use crate::config::Config;
use crate::journal;
use crate::store::projector::ProjectorGauge;
use crate::store::{Db, StoreError, months_before};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, SystemTime};

const EVERY: Duration = Duration::from_secs(3600);
/// Calls whose recordings are deleted between two looks at the database.
const BATCH: u32 = 200;

pub struct Keeping {
    pub db: Db,
    pub recordings: PathBuf,
    pub journal: Vec<PathBuf>,
    pub recordings_months: u32,
    pub access_log_months: u32,
    pub journal_days: u32,
    pub recipients_days: u32,
    pub zone: jiff::tz::TimeZone,
    pub clock: Clock,
    pub tables: Arc<ProjectorGauge>,
}

/// What has been deleted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gone {
    pub recordings: u64,
    /// Files that would not go; they are tried again.
    pub stuck: u64,
    pub accesses: u64,
    pub sessions: u64,
    /// Searches of the knowledge base.
    pub searches: u64,
    pub segments: u64,
    /// Whom pushes went to.
    pub recipients: u64,
}

impl Keeping {
    pub fn new(
        config: &Config,
        db: Db,
        zone: jiff::tz::TimeZone,
        clock: Clock,
        tables: Arc<ProjectorGauge>,
    ) -> Self {
        let spare = config.journal.spare_dir.iter();
        Self {
            db,
            recordings: config.recording.dir.clone(),
            journal: std::iter::once(&config.journal.dir).chain(spare).cloned().collect(),
            recordings_months: config.retention.recordings_months,
            access_log_months: config.retention.access_log_months,
            journal_days: config.retention.journal_days,
            recipients_days: config.retention.recipients_days,
            zone,
            clock,
            tables,
        }
    }

    pub async fn run(self, board: Board) {
        let mut gone = Gone::default();
        loop {
            if let Err(error) = self.look(&mut gone).await {
                tracing::warn!(%error, "what is old could not be deleted; it is tried again in an hour");
            }
            board.publish("keeping", samples(gone));
            tokio::time::sleep(EVERY).await;
        }
    }

    pub async fn look(&self, gone: &mut Gone) -> Result<(), StoreError> {
        let now = self.clock.wall_ms();
        self.recordings(months_before(now, self.recordings_months, &self.zone), gone).await?;
        let logged = months_before(now, self.access_log_months, &self.zone);
        gone.accesses += self.db.forget_accesses(logged).await?;
        gone.searches += self.db.forget_kb_searches(logged).await?;
        let told = now - i64::from(self.recipients_days) * 86_400_000;
        gone.recipients += self.db.forget_recipients(told).await?;
        gone.sessions += self.db.forget_sessions(now).await?;
        let age = Duration::from_secs(u64::from(self.journal_days) * 86_400);
        let before = SystemTime::now().checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH);
        let (dirs, read) = (self.journal.clone(), self.tables.cursor.load(Relaxed));
        let deleted = tokio::task::spawn_blocking(move || journal::expire(&dirs, read, before)).await;
        match deleted {
            Ok(Ok(n)) => gone.segments += n,
            Ok(Err(error)) => tracing::warn!(%error, "an old file of the journal could not be deleted"),
            Err(error) => tracing::warn!(%error, "deleting files of the journal"),
        }
        Ok(())
    }

    async fn recordings(&self, before: i64, gone: &mut Gone) -> Result<(), StoreError> {
        loop {
            let expired = self.db.expired_recordings(before, BATCH).await?;
            let mut forgotten = 0;
            for call in &expired {
                let mut all = true;
                for id in &call.recordings {
                    match delete(&self.recordings, id).await {
                        Ok(n) => gone.recordings += n,
                        Err(error) => {
                            tracing::warn!(%error, recording = %id, "a recording past its time could not be deleted");
                            gone.stuck += 1;
                            all = false;
                        }
                    }
                }
                // The name goes after the file: what was cut off between the two is looked at again.
                if all {
                    self.db.forget_recordings(&call.call).await?;
                    forgotten += 1;
                }
            }
            if forgotten == 0 || expired.len() < BATCH as usize {
                return Ok(());
            }
        }
    }
}

/// 1, or 0 when it was gone already.
async fn delete(dir: &Path, id: &str) -> std::io::Result<u64> {
    match tokio::fs::remove_file(dir.join(format!("{id}.wav"))).await {
        Ok(()) => Ok(1),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

fn samples(gone: Gone) -> Vec<Sample> {
    let all = [
        ("recordings", gone.recordings),
        ("recordings_stuck", gone.stuck),
        ("access_log", gone.accesses),
        ("sessions", gone.sessions),
        ("kb_searches", gone.searches),
        ("journal_segments", gone.segments),
        ("recipients", gone.recipients),
    ];
    all.into_iter()
        .map(|(what, n)| {
            Sample::counter("hotline_retention", "Deleted because its time was over", n).by("what", what)
        })
        .collect()
}
