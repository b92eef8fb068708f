//! `hotline call` and `hotline journal`: calls as the journal tells them, with or without a running server.

use super::desk::time as shown;
use super::{Failure, Where};
use crate::base::CallId;
use crate::call::fact::{Fact, Stamped, StepInput, StepTrail};
use crate::call::replay::{self, Replayed};
use crate::config::Config;
use crate::ivr::{Book, Flow, FlowSet};
use crate::journal::Reader;
use crate::store::fold;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// The calls in the journal, oldest first.
    List(List),
    /// One call as a timeline: SIP, the way through the flow, the queue, the ticket.
    Show(Show),
    /// Run a call's decisions again from the journal and name the first that would differ today.
    Replay(Replay),
}

#[derive(clap::Args, Debug)]
pub struct List {
    /// Only the newest so many.
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: usize,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Where,
}

#[derive(clap::Args, Debug)]
pub struct Show {
    id: CallId,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Where,
}

#[derive(clap::Args, Debug)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["id", "all"]))]
pub struct Replay {
    id: Option<CallId>,
    /// Every call in the journal.
    #[arg(long)]
    all: bool,
    /// Walk through this flow instead of the one the call had.
    #[arg(long, value_name = "FILE")]
    flow: Option<PathBuf>,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Where,
}

#[derive(clap::Args, Debug)]
pub struct Tail {
    /// Begin behind this position; without it, from the first fact.
    #[arg(long, default_value_t = 0, value_name = "OFFSET")]
    from: u64,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Where,
}

pub fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::List(args) => list(args),
        Command::Show(args) => show(args),
        Command::Replay(args) => replay_calls(args),
    }
}

fn reader(config: &Config) -> Reader {
    Reader::open(&config.journal.dir, &config.data.join("keys"))
        .and_spare(config.journal.spare_dir.as_deref())
}

/// Facts read at a time.
const BATCH: usize = 10_000;

fn each(config: &Config, from: u64, mut each: impl FnMut(Stamped)) -> Result<(), Failure> {
    let (mut reader, mut batch, mut after) = (reader(config), Vec::new(), from);
    loop {
        reader.read_after(after, BATCH, &mut batch).map_err(Failure::new)?;
        let Some(last) = batch.last() else { return Ok(()) };
        after = last.seq;
        batch.drain(..).for_each(&mut each);
    }
}

pub fn tail(args: &Tail) -> Result<(), Failure> {
    let config = args.place.load()?;
    each(&config, args.from, |stamped| {
        let (kind, data) = fold::event_of(&stamped.fact);
        let call = stamped.fact.call().map(|call| call.to_string());
        if args.json {
            println!(
                "{}",
                json!({"seq": stamped.seq, "at": shown(&config, stamped.wall_ms), "call": call, "kind": kind, "data": data})
            );
        } else {
            println!(
                "{:>8}  {}  {:<22} {:<20} {data}",
                stamped.seq,
                shown(&config, stamped.wall_ms),
                call.unwrap_or_else(|| "-".into()),
                kind
            );
        }
    })
}

#[derive(Default)]
struct Line {
    at: i64,
    caller: String,
    called: String,
    end: Option<&'static str>,
    duration_ms: u64,
    number: Option<String>,
}

fn list(args: &List) -> Result<(), Failure> {
    let config = args.place.load()?;
    let mut calls: BTreeMap<CallId, Line> = BTreeMap::new();
    each(&config, 0, |stamped| {
        let Some(id) = stamped.fact.call() else { return };
        let line = calls.entry(id).or_default();
        match stamped.fact {
            Fact::CallArrived(f) => {
                (line.at, line.caller, line.called) =
                    (stamped.wall_ms, f.caller.reveal().to_owned(), f.called)
            }
            Fact::CallEnded(f) => (line.end, line.duration_ms) = (Some(f.reason.label()), f.duration_ms),
            Fact::NumberDrawn { no, .. } => line.number = Some(no),
            _ => {}
        }
        while calls.len() > args.limit {
            calls.pop_first();
        }
    })?;
    if args.json {
        let items: Vec<Value> = calls
            .iter()
            .map(|(id, l)| json!({"id": id.to_string(), "started_at": shown(&config, l.at), "caller": l.caller, "called": l.called, "end_reason": l.end, "duration_ms": l.duration_ms, "ticket": l.number}))
            .collect();
        println!("{}", Value::Array(items));
        return Ok(());
    }
    for (id, l) in calls {
        let end = l.end.unwrap_or("live");
        println!(
            "{id}  {}  {:<14} → {:<8} {end:<18} {:>7.1} s  {}",
            shown(&config, l.at),
            l.caller,
            l.called,
            l.duration_ms as f64 / 1000.0,
            l.number.unwrap_or_default()
        );
    }
    Ok(())
}

fn show(args: &Show) -> Result<(), Failure> {
    let config = args.place.load()?;
    let facts = reader(&config).of_call(args.id).map_err(Failure::new)?;
    let Some(first) = facts.first().map(|f| f.mono_ns) else {
        return Err(Failure::new(format!("the journal has no call {}", args.id)));
    };
    if args.json {
        let items: Vec<Value> = facts
            .iter()
            .map(|f| {
                let (kind, data) = fold::event_of(&f.fact);
                json!({"seq": f.seq, "at": shown(&config, f.wall_ms), "after_ms": (f.mono_ns - first) / 1_000_000, "kind": kind, "data": data})
            })
            .collect();
        println!("{}", json!({"id": args.id.to_string(), "events": items}));
        return Ok(());
    }
    println!("{}   {}", args.id, shown(&config, facts[0].wall_ms));
    println!("   seconds   caller            hotline   what");
    for stamped in &facts {
        let seconds = stamped.mono_ns.saturating_sub(first) as f64 / 1e9;
        for (arrow, text) in ladder(&stamped.fact) {
            println!("{seconds:>10.3}   {arrow:<25}   {text}");
        }
    }
    Ok(())
}

const IN: &str = "  |── {} ──▶|";

/// What a fact looks like in the ladder: an arrow between caller and hotline, or nothing but words.
fn ladder(fact: &Fact) -> Vec<(String, String)> {
    let to_us = |what: &str| IN.replace("{}", what);
    let to_them = |what: &str| format!("  |◀── {what} ──|");
    let inside = "  |              |".to_owned();
    match fact {
        Fact::CallArrived(f) => vec![(
            to_us("INVITE"),
            format!(
                "{} calls {} by trunk {} ({}), flow {} {}",
                f.caller.reveal(),
                f.called,
                f.trunk,
                f.source,
                f.flow_file,
                f.flow_version
            ),
        )],
        Fact::CallAnswered(f) => {
            vec![(to_them("200"), format!("answered; RTP port {}, payload type {}", f.port, f.codec))]
        }
        Fact::CallConfirmed { .. } => vec![(to_us("ACK"), String::new())],
        Fact::MediaChanged { held, .. } => {
            vec![(to_us("re-INVITE"), if *held { "held".into() } else { "not held".into() })]
        }
        Fact::Step(step) => {
            let input = match &step.input {
                StepInput::Digit(key) => format!("key {}", key.reveal()),
                other => {
                    format!("{other:?}").split(['(', '{', ' ']).next().unwrap_or_default().to_lowercase()
                }
            };
            let trail: Vec<String> = step
                .trail
                .iter()
                .map(|trail| match trail {
                    StepTrail::Entered(node) => format!("→ {node}"),
                    StepTrail::Left { node, outcome } => format!("{node} ={outcome}="),
                    StepTrail::Prompt(name) => format!("♪ {name}"),
                })
                .collect();
            vec![(inside, format!("[{input}] {}", trail.join(" ")))]
        }
        Fact::CallEnded(f) => {
            let arrow = match f.reason.fault() {
                crate::call::Fault::Caller
                    if f.talk_ms > 0 && f.reason == crate::call::EndReason::CallerHungUp =>
                {
                    to_us("BYE")
                }
                crate::call::Fault::Caller if f.reason == crate::call::EndReason::CallerCancelled => {
                    to_us("CANCEL")
                }
                _ if f.talk_ms > 0 => to_them("BYE"),
                _ => to_them(&f.sip_status.to_string()),
            };
            vec![(
                arrow,
                format!("{} (by {}) after {} ms", f.reason.label(), f.reason.fault().label(), f.duration_ms),
            )]
        }
        other => {
            let (kind, data) = fold::event_of(other);
            vec![(inside, format!("{kind} {data}"))]
        }
    }
}

fn replay_calls(args: &Replay) -> Result<(), Failure> {
    let config = args.place.load()?;
    let mut calls: BTreeMap<CallId, Vec<Stamped>> = BTreeMap::new();
    each(&config, 0, |stamped| {
        if let Some(id) = stamped.fact.call().filter(|id| args.all || Some(*id) == args.id) {
            calls.entry(id).or_default().push(stamped);
        }
    })?;
    if let Some(id) = args.id.filter(|id| !calls.contains_key(id)) {
        return Err(Failure::new(format!("the journal has no call {id}")));
    }
    let other = args.flow.as_deref().map(|file| one_flow(&config, file)).transpose()?;
    let mut kept = BTreeMap::new();
    let (mut steps, mut differing) = (0, Vec::new());
    for (id, facts) in &calls {
        let Some(hash) = facts.iter().find_map(|f| match &f.fact {
            Fact::CallArrived(f) => Some(f.flow_hash),
            _ => None,
        }) else {
            continue;
        };
        let flow = match &other {
            Some(flow) => Arc::clone(flow),
            None => match kept.get(&hash) {
                Some(flow) => Arc::clone(flow),
                None => {
                    let flow = kept_flow(&config, hash)?;
                    kept.insert(hash, Arc::clone(&flow));
                    flow
                }
            },
        };
        let replayed = replay::replay(&flow, facts).map_err(Failure::new)?;
        steps += replayed.steps;
        if let Some(told) = difference(*id, &replayed) {
            differing.push(told);
        }
    }
    report(args, calls.len(), steps, &differing)
}

fn report(args: &Replay, calls: usize, steps: usize, differing: &[(String, Value)]) -> Result<(), Failure> {
    if args.json {
        let items: Vec<&Value> = differing.iter().map(|(_, value)| value).collect();
        println!("{}", json!({"calls": calls, "steps": steps, "differences": items}));
    } else {
        differing.iter().for_each(|(text, _)| println!("{text}"));
        println!("{calls} calls, {steps} steps, {} differ", differing.len());
    }
    if differing.is_empty() { Ok(()) } else { Err(Failure::Quiet) }
}

fn difference(id: CallId, replayed: &Replayed) -> Option<(String, Value)> {
    let d = replayed.difference.as_ref()?;
    let text =
        format!("{id} step {} (position {}): then {:?}, now {:?}", d.step, d.seq, d.recorded, d.replayed);
    let value = json!({"id": id.to_string(), "step": d.step, "seq": d.seq, "recorded": format!("{:?}", d.recorded), "replayed": format!("{:?}", d.replayed)});
    Some((text, value))
}

/// The flow a call had, by its hash.
fn kept_flow(config: &Config, hash: u64) -> Result<Arc<Flow>, Failure> {
    let path = crate::app::kept(&config.data, hash);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Failure::new(format!("{}: the flow of this call is not kept: {error}", path.display()))
    })?;
    FlowSet::from_bundle(&text).map_err(Failure::new)
}

/// A flow of one's own, with the other flows of its folder and of the configuration as subflows.
fn one_flow(config: &Config, file: &Path) -> Result<Arc<Flow>, Failure> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
    let mut files: BTreeMap<String, String> =
        crate::app::flow_files(config).map_err(Failure::new)?.into_iter().collect();
    files.insert(name.clone(), text);
    let set = FlowSet::load(files.into_iter().collect(), &Arc::new(Book::open())).map_err(Failure::new)?;
    set.get(name.trim_end_matches(".toml"))
        .ok_or_else(|| Failure::new(format!("{} holds no flow", file.display())))
}
