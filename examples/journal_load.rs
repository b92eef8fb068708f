//! How fast the journal takes facts, and how long a start needs to be ready behind them.
//!
//! `cargo run --release --example journal_load -- [records] [dir]`. The facts come through the ring and the writing thread to the real
//! disk, as in the server. Then it is opened as a start does.

use hotline::base::{CallId, Personal};
use hotline::call::EndReason;
use hotline::call::fact::*;
use hotline::journal::{Journal, News, Options};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Acquire;
use std::time::{Duration, Instant};

/// Calls in progress at any moment.
const OVERLAP: u64 = 2_000;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let records: u64 = args.next().map_or(Ok(1_000_000), |n| n.parse())?;
    let dir = args.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = dir.join(format!("journal_load-{}", std::process::id()));
    let done = measure(records, &dir);
    std::fs::remove_dir_all(&dir)?;
    done
}

fn measure(records: u64, dir: &Path) -> Result<(), Failure> {
    let options = Options {
        node: 1,
        dir: dir.join("journal"),
        spare_dir: None,
        keys_dir: dir.join("keys"),
        segment_bytes: 64 << 20,
        reserve_bytes: 0,
        commit: Duration::from_millis(2),
    };
    write(records, &options)?;
    open(records, &options)
}

fn write(records: u64, options: &Options) -> Result<(), Failure> {
    let (journal, recovered) = Journal::open(options.clone(), 0)?;
    let news = News::starting_at(recovered.next_seq);
    let (facts, taken) = crossbeam_channel::bounded(65_536);
    let began = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| journal.run(taken, &news, || {}));
        for seq in 1..=records {
            let (mono_ns, wall_ms) = (seq * 62_500, 1_795_395_600_000 + (seq / 16) as i64);
            let stamped = Stamped { seq, mono_ns, wall_ms, fact: fact(seq - 1) };
            if facts.send(Box::new(stamped)).is_err() {
                break;
            }
        }
        drop(facts);
    });
    let seconds = began.elapsed().as_secs_f64();
    let durable = news.durable.load(Acquire);
    println!("{durable} records on disk in {seconds:.2} s: {:.0} a second", durable as f64 / seconds);
    for (name, n) in news.counters() {
        println!("  {name} {n}");
    }
    if durable == records { Ok(()) } else { Err("not all records are on disk".into()) }
}

fn open(records: u64, options: &Options) -> Result<(), Failure> {
    let began = Instant::now();
    let (_, recovered) = Journal::open(options.clone(), 0)?;
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "opened in {seconds:.3} s: next {}, {} calls without an end, {} damaged places (row 6 asks for at most 2 s)",
        recovered.next_seq,
        recovered.unended.len(),
        recovered.damage.len()
    );
    if recovered.next_seq == records + 1 { Ok(()) } else { Err("the positions are wrong".into()) }
}

/// Eight facts a call; so many calls go on side by side.
fn fact(nth: u64) -> Fact {
    let (block, within) = (nth / (8 * OVERLAP), nth % (8 * OVERLAP));
    let (n, stage) = (block * OVERLAP + within % OVERLAP + 1, within / OVERLAP);
    let call = CallId { node: 1, boot: 1, n };
    let sdp = || {
        Personal::new(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 20000 RTP/AVP 8 101\r\n",
        )
    };
    let step = |input, node: &str| {
        Fact::Step(Box::new(Step {
            call,
            input,
            world: StepWorld { utc_offset_s: 28_800, ..StepWorld::default() },
            trail: vec![StepTrail::Entered(node.into()), StepTrail::Prompt("welcome_short".into())],
        }))
    };
    match stage {
        0 => Fact::CallArrived(Box::new(CallArrived {
            call,
            sip_call_id: format!("{n}-12345@192.0.2.10"),
            caller: Personal::new(format!("120{n:08}")),
            caller_source: "pai".into(),
            display: Personal::new("sipp"),
            private: false,
            called: "12341".into(),
            redirected_from: None,
            redirect_reason: None,
            trunk: "city".into(),
            source: "192.0.2.10:5060".into(),
            user_agent: "load".into(),
            emergency: false,
            flow_hash: 0x1234_5678_9abc_def0,
            flow_file: "main.toml".into(),
            flow_version: "2026-11".into(),
            dialled_by: None,
        })),
        1 => Fact::CallAnswered(Box::new(CallAnswered {
            call,
            codec: 8,
            port: 20_000,
            worker: 0,
            ssrc: 7,
            local_sdp: sdp(),
            remote_sdp: sdp(),
        })),
        2 => Fact::CallConfirmed { call },
        3 => step(StepInput::Begin, "welcome"),
        4 => step(StepInput::Digit(Personal::new("1")), "people"),
        5 => Fact::NumberDrawn { call, no: format!("261126-{n:06}"), code: Personal::new("4711") },
        6 => Fact::CallEnded(Box::new(CallEnded {
            call,
            reason: EndReason::CallerHungUp,
            sip_status: 0,
            peer_cause: Some(16),
            duration_ms: 90_000,
            talk_ms: 80_000,
        })),
        _ => Fact::MediaReport(Box::new(MediaReport {
            call,
            sent: 4_500,
            received: 4_499,
            lost: 1,
            late: 0,
            duplicate: 0,
            foreign: 0,
            jitter_us: 300,
            mos_x100: 430,
            digits: 1,
            late_ticks: 0,
        })),
    }
}
