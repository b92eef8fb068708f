//! A program that writes facts, dies and comes up again, and the book of what it was promised.

use super::disk::SimDisk;
use crate::base::{CallId, Personal};
use crate::call::EndReason;
use crate::call::fact::{CallArrived, CallEnded, Fact, Stamped, Step, StepInput, StepTrail, StepWorld};
use crate::journal::{Journal, News, Options, Reader, Recovered};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Acquire;
use std::time::Duration;

pub fn options(spare: bool) -> Options {
    Options {
        node: 1,
        dir: "/data/journal".into(),
        spare_dir: spare.then(|| "/spare/journal".into()),
        keys_dir: "/data/keys".into(),
        segment_bytes: 2_000,
        reserve_bytes: 1_000,
        commit: Duration::ZERO,
    }
}

/// Keys need not be secret here, only different.
fn random(bytes: &mut [u8]) -> std::io::Result<()> {
    getrandom::fill(bytes).map_err(|error| std::io::Error::other(error.to_string()))
}

/// All there is, read from real files as any reader does; and how much it had to leave out.
pub fn read_all(disk: &SimDisk, options: &Options) -> (Vec<Stamped>, u64) {
    let dir = tempfile::tempdir().unwrap();
    disk.copy_to(dir.path());
    let mut reader = reader(dir.path(), options);
    let mut all = Vec::new();
    loop {
        let after = all.last().map_or(0, |last: &Stamped| last.seq);
        let before = all.len();
        reader.read_after(after, 7, &mut all).unwrap();
        if all.len() == before {
            return (all, reader.skipped());
        }
    }
}

pub fn reader(root: &Path, options: &Options) -> Reader {
    let real = |dir: &Path| root.join(dir.strip_prefix("/").unwrap());
    let spare = options.spare_dir.as_deref().map(real);
    Reader::open(&real(&options.dir), &real(&options.keys_dir)).and_spare(spare.as_deref())
}

/// What the oracle knows.
pub struct World {
    pub disk: SimDisk,
    pub options: Options,
    pub rng: ChaCha8Rng,
    pub journal: Option<Journal<SimDisk>>,
    pub news: Arc<News>,
    /// Each position and the newest fact given to it.
    pub given: BTreeMap<u64, Stamped>,
    /// The highest position promised.
    pub acked: u64,
    next_seq: u64,
    boot: u32,
    calls: u64,
    live: Vec<CallId>,
    last_no: u32,
    pub lives: u64,
    pub grouped: u64,
}

impl World {
    pub fn new(seed: u64, spare: bool) -> Self {
        Self {
            disk: SimDisk::new(seed),
            options: options(spare),
            rng: ChaCha8Rng::seed_from_u64(seed ^ 0x5eed),
            journal: None,
            news: Arc::default(),
            given: BTreeMap::new(),
            acked: 0,
            next_seq: 1,
            boot: 0,
            calls: 0,
            live: Vec::new(),
            last_no: 0,
            lives: 0,
            grouped: 0,
        }
    }

    pub fn draw(&mut self, below: u64) -> u64 {
        self.rng.next_u64() % below
    }

    /// Opens, compares what was recovered with the book, and writes the first fact. False: the disk did not let it.
    pub fn boot(&mut self) -> bool {
        self.journal = None;
        let Ok((mut journal, recovered)) = Journal::open_on(self.disk.clone(), self.options.clone(), random)
        else {
            return false;
        };
        journal.checkpoint_every = 25;
        self.lives += 1;
        self.check_recovered(&recovered);
        // A start tells as durable whatever it has found.
        self.acked = recovered.next_seq - 1;
        self.given.split_off(&recovered.next_seq);
        self.next_seq = recovered.next_seq;
        self.boot = recovered.boot;
        self.calls = 0;
        self.last_no = recovered.number_blocks.get(&261_126).copied().unwrap_or(0);
        self.live = recovered.unended;
        self.news = Arc::new(News::starting_at(recovered.next_seq));
        self.journal = Some(journal);
        let booted = Fact::Booted { node: 1, boot: self.boot, version: "test".into(), config_hash: 7 };
        let group = vec![self.stamp(booted)];
        self.commit(&group)
    }

    fn check_recovered(&self, recovered: &Recovered) {
        assert!(recovered.next_seq > self.acked, "{} after {} was promised", recovered.next_seq, self.acked);
        let kept: Vec<&Fact> =
            self.given.range(..recovered.next_seq).map(|(_, stamped)| &stamped.fact).collect();
        let lost: Vec<_> = recovered.damage.iter().filter(|damage| damage.records > 0).collect();
        assert!(lost.is_empty(), "records are lost: {lost:?}");
        let (mut boot, mut last_no, mut live) = (0, None, BTreeSet::new());
        for fact in kept {
            match fact {
                Fact::Booted { boot: n, .. } => boot = *n,
                Fact::NumberBlock { to, .. } => last_no = last_no.max(Some(*to)),
                Fact::CallArrived(f) => drop(live.insert(f.call)),
                Fact::CallEnded(f) => drop(live.remove(&f.call)),
                _ => {}
            }
        }
        assert!(recovered.boot > boot, "boot {} again", recovered.boot);
        assert_eq!(recovered.number_blocks.get(&261_126).copied(), last_no, "number blocks");
        assert_eq!(recovered.unended, live.into_iter().collect::<Vec<_>>(), "calls without an end");
    }

    /// Everything promised is there once and in order; behind it only what was given next, without a gap.
    pub fn check_read(&self) {
        let (all, _) = read_all(&self.disk, &self.options);
        for (n, stamped) in all.iter().enumerate() {
            assert_eq!(stamped.seq, n as u64 + 1, "positions without a gap");
            assert_eq!(Some(stamped), self.given.get(&stamped.seq), "what was given to this position");
        }
        assert!(all.len() as u64 >= self.acked, "{} of {} promised are there", all.len(), self.acked);
    }

    fn stamp(&mut self, fact: Fact) -> Box<Stamped> {
        let seq = self.next_seq;
        self.next_seq += 1;
        let stamped = Stamped { seq, mono_ns: seq * 1_000, wall_ms: 1_795_395_600_000 + seq as i64, fact };
        self.given.insert(seq, stamped.clone());
        Box::new(stamped)
    }

    fn fact(&mut self) -> Fact {
        let kind = self.draw(8);
        let known = (self.draw(1 + self.live.len() as u64)) as usize;
        match (kind, self.live.get(known).copied()) {
            (0, _) => {
                let from = self.last_no + 1;
                self.last_no += 1 + self.draw(50) as u32;
                Fact::NumberBlock { date: 261_126, from, to: self.last_no }
            }
            (1 | 2, Some(call)) => {
                self.live.remove(known);
                Fact::CallEnded(Box::new(CallEnded {
                    call,
                    reason: EndReason::CallerHungUp,
                    sip_status: 0,
                    peer_cause: Some(16),
                    duration_ms: self.draw(90_000),
                    talk_ms: 0,
                }))
            }
            (3..=5, Some(call)) if call.boot == self.boot => Fact::Step(Box::new(Step {
                call,
                input: StepInput::Digit(Personal::new(format!("{}", self.draw(10)))),
                world: StepWorld::default(),
                trail: vec![StepTrail::Prompt("p".repeat(self.draw(200) as usize))],
            })),
            _ => {
                self.calls += 1;
                let call = CallId { node: 1, boot: self.boot, n: self.calls };
                self.live.push(call);
                Fact::CallArrived(Box::new(arrived(call)))
            }
        }
    }

    /// A group of random facts.
    #[allow(clippy::vec_box)] // As the journal takes them.
    pub fn group(&mut self) -> Vec<Box<Stamped>> {
        let size = match self.draw(8) {
            0 => 1 + self.draw(40),
            _ => 1 + self.draw(6),
        };
        (0..size)
            .map(|_| {
                let fact = self.fact();
                self.stamp(fact)
            })
            .collect()
    }

    pub fn commit(&mut self, group: &[Box<Stamped>]) -> bool {
        let Some(journal) = &mut self.journal else { return false };
        let done = journal.commit(group, &self.news);
        let durable = self.news.durable.load(Acquire);
        assert!(durable >= self.acked && durable < self.next_seq);
        if done {
            assert_eq!(durable, group.last().unwrap().seq);
        }
        self.acked = durable;
        self.grouped += u64::from(done);
        done
    }
}

pub fn arrived(call: CallId) -> CallArrived {
    CallArrived {
        call,
        sip_call_id: format!("{}@test", call.n),
        caller: Personal::new(format!("1380000{:04}", call.n)),
        caller_source: "pai".into(),
        display: Personal::new("caller"),
        private: false,
        called: "12341".into(),
        redirected_from: None,
        redirect_reason: None,
        trunk: "city".into(),
        source: "192.0.2.10:5060".into(),
        user_agent: "test".into(),
        emergency: false,
        flow_hash: 1,
        flow_file: "main.toml".into(),
        flow_version: "1".into(),
        dialled_by: None,
    }
}
