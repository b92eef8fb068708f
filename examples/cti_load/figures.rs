//! What was measured: percentiles, and what the server's process used, by thread.

use std::collections::BTreeMap;
use std::time::Instant;

/// What a figure is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An event about the page's own agent or call, from its `at` to its receipt.
    Own,
    /// A colleague's state.
    Floor,
    /// `queue.stats`.
    Queue,
    /// From sending a command to its answer.
    Answer,
    /// From the caller's ACK, which puts him into the line, to `call.offered` at the page of a free agent.
    Ring,
    /// From the caller's ACK to the INVITE at the desk phone of a free agent.
    PhoneRing,
    /// From the agent's `wrapup.finish` or `agent.ready` to `call.offered`, while callers wait.
    NextOffer,
    /// From INVITE to 200 at the caller.
    Pickup,
}

/// One figure, in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    pub phase: usize,
    pub kind: Kind,
    pub us: i64,
}

/// Figures of one phase and kind, sorted.
#[derive(Default)]
pub struct Spread(Vec<i64>);

impl Spread {
    pub fn of(all: &[Figure], phase: usize, kinds: &[Kind]) -> Self {
        let fits = |figure: &&Figure| figure.phase == phase && kinds.contains(&figure.kind);
        let mut us: Vec<i64> = all.iter().filter(fits).map(|figure| figure.us).collect();
        us.sort_unstable();
        Self(us)
    }

    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Milliseconds.
    pub fn at(&self, share: f64) -> f64 {
        let at = (self.0.len().saturating_sub(1) as f64 * share) as usize;
        self.0.get(at).map_or(f64::NAN, |us| *us as f64 / 1e3)
    }
}

/// What the process has used until now: seconds by thread's name, and resident kibibytes.
pub struct Usage {
    at: Instant,
    threads: BTreeMap<String, f64>,
    pub resident_kib: u64,
}

impl Usage {
    pub fn of(pid: u32) -> std::io::Result<Self> {
        // The kernel's unit for programs, whatever it ticks with: USER_HZ.
        const TICKS: f64 = 100.0;
        let mut threads: BTreeMap<String, f64> = BTreeMap::new();
        for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
            // A thread may end while we look.
            let Ok(stat) = std::fs::read_to_string(task?.path().join("stat")) else { continue };
            let Some((name, rest)) = stat.split_once('(').and_then(|(_, s)| s.rsplit_once(')')) else {
                continue;
            };
            let field = |n: usize| rest.split_whitespace().nth(n).and_then(|f| f.parse::<f64>().ok());
            // Fields 14 and 15 of proc_pid_stat(5), the state being the third.
            let used = (field(11).unwrap_or(0.0) + field(12).unwrap_or(0.0)) / TICKS;
            *threads.entry(name.to_owned()).or_default() += used;
        }
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident_kib = resident.and_then(|r| r.split_whitespace().next()?.parse().ok()).unwrap_or(0);
        Ok(Self { at: Instant::now(), threads, resident_kib })
    }

    /// Percent of one core since `before`: all, then each thread's that took a twentieth of a percent or more.
    pub fn since(&self, before: &Self) -> (f64, Vec<(String, f64)>) {
        let seconds = (self.at - before.at).as_secs_f64();
        let percent = |name: &String, used: &f64| {
            (used - before.threads.get(name).copied().unwrap_or(0.0)) / seconds * 100.0
        };
        let mut by: Vec<(String, f64)> =
            self.threads.iter().map(|(name, used)| (name.clone(), percent(name, used))).collect();
        by.sort_by(|a, b| b.1.total_cmp(&a.1));
        let all = by.iter().map(|(_, p)| p).sum();
        by.retain(|(_, p)| *p >= 0.05);
        (all, by)
    }
}
