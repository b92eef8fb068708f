//! Looks over the engine's shoulder: after each step the facts, folded, must say what the engine says; at some steps the same after
//! they went through the real journal and were read back whole.

use hotline::call::Engine;
use hotline::call::fact::Stamped;
use hotline::call::fold::LiveFold;
use hotline::journal::{Journal, News, Options, Reader};
use std::time::Duration;

pub struct Watch {
    fold: LiveFold,
    /// Facts not yet in the journal.
    #[allow(clippy::vec_box)] // As the journal takes them.
    facts: Vec<Box<Stamped>>,
    journal: Journal,
    news: News,
    dir: tempfile::TempDir,
    pub steps: u64,
    pub rereads: u64,
}

impl Watch {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let options = Options {
            node: 1,
            dir: dir.path().join("journal"),
            spare_dir: None,
            keys_dir: dir.path().join("keys"),
            segment_bytes: 1 << 20,
            reserve_bytes: 0,
            commit: Duration::ZERO,
        };
        let (journal, recovered) = Journal::open(options, 0).expect("an empty journal");
        let news = News::starting_at(recovered.next_seq);
        Self { fold: LiveFold::default(), facts: Vec::new(), journal, news, dir, steps: 0, rereads: 0 }
    }

    pub fn fact(&mut self, stamped: &Stamped) {
        self.fold.fold(&stamped.fact);
        self.facts.push(Box::new(stamped.clone()));
    }

    pub fn step(&mut self, engine: &Engine) {
        self.steps += 1;
        assert_eq!(
            engine.live_digest(),
            self.fold.digest(),
            "step {}: {}",
            self.steps,
            engine.differs_from(&self.fold).unwrap_or_default()
        );
    }

    /// Writes what is new, reads everything from the first record on, folds it anew.
    pub fn reread(&mut self, engine: &Engine) {
        self.rereads += 1;
        assert!(self.journal.commit(&self.facts, &self.news), "the journal takes the facts");
        self.facts.clear();
        let mut reader = Reader::open(&self.dir.path().join("journal"), &self.dir.path().join("keys"));
        let (mut fold, mut after, mut batch) = (LiveFold::default(), 0, Vec::new());
        loop {
            reader.read_after(after, 10_000, &mut batch).expect("the journal can be read");
            let Some(last) = batch.last() else { break };
            after = last.seq;
            batch.drain(..).for_each(|stamped: Stamped| fold.fold(&stamped.fact));
        }
        assert_eq!(after + 1, engine.next_seq(), "the last fact is there");
        assert_eq!(engine.live_digest(), fold.digest(), "{}", engine.differs_from(&fold).unwrap_or_default());
    }
}
