//! For whoever runs the machine: alive, ready, measured. Without sign-in, without anything about persons.
mod about;
mod healthz;
mod metrics;
mod readyz;
pub use about::{__path_about, about};
pub use healthz::{__path_healthz, healthz};
pub use metrics::{__path_metrics, metrics};
pub use readyz::{__path_readyz, readyz};

use super::handle::{EngineStatus, Phase};
use super::state::Api;
use super::wire::Status;

/// The words of readiness. The database is the desk's: without it calls are still taken, so it only degrades.
fn verdict(engine: EngineStatus, database: bool) -> &'static str {
    match engine.phase {
        Phase::Starting => "starting",
        Phase::Draining => "draining",
        Phase::Serving if !(engine.sip && engine.journal && engine.media) => "not_ready",
        Phase::Serving if !database => "degraded",
        Phase::Serving => "ready",
    }
}

pub async fn state(api: &Api) -> Status {
    let engine = api.parts.engine.status();
    let database = api.db().is_up().await;
    Status {
        status: verdict(engine, database).to_owned(),
        sip: engine.sip,
        journal: engine.journal,
        media: engine.media,
        database,
        live_calls: engine.live_calls,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readiness_is_sip_journal_and_media_and_the_database_only_degrades() {
        let good =
            EngineStatus { phase: Phase::Serving, sip: true, journal: true, media: true, live_calls: 0 };
        assert_eq!(verdict(good, true), "ready");
        assert_eq!(verdict(good, false), "degraded");
        assert_eq!(verdict(EngineStatus { phase: Phase::Starting, ..good }, true), "starting");
        assert_eq!(verdict(EngineStatus { phase: Phase::Draining, ..good }, true), "draining");
        for broken in [
            EngineStatus { sip: false, ..good },
            EngineStatus { journal: false, ..good },
            EngineStatus { media: false, ..good },
        ] {
            assert_eq!(verdict(broken, true), "not_ready");
        }
    }
}
