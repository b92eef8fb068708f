//! `hotline flow`: lints, draws and walks flows without a phone.

use super::{Failure, Where};
use crate::base::Personal;
use crate::config::Config;
use crate::ivr::{Flow, FlowSet, Problem, graph, sim};
use serde_json::json;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Tell everything that is wrong with flow files or folders of them, with file, line and column.
    Check(Check),
    /// Draw a flow.
    Graph(Graph),
    /// Walk a flow without a phone and print what happens and what is heard.
    Sim(Box<Sim>),
}

#[derive(clap::Args, Debug)]
pub struct Check {
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Print the problems as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Where,
}

#[derive(clap::Args, Debug)]
pub struct Graph {
    file: PathBuf,
    #[arg(long, value_enum, default_value = "mermaid")]
    format: Format,
    /// Print the picture inside JSON: {"format", "text"}.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Where,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Format {
    Mermaid,
    Dot,
    Svg,
}

#[derive(clap::Args, Debug)]
pub struct Sim {
    file: PathBuf,
    /// The moment of the call, in the configured zone unless an offset is written: 2026-11-25T22:30. Without: now.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Keys and when they are pressed: 1,4,# as soon as the walk listens; 8@45, 8@people+45, 1@:menu.
    #[arg(long, default_value = "")]
    keys: String,
    /// Walk the cases of a file and tell what differs from what they expect.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["at", "keys"])]
    case: Option<PathBuf>,
    /// The caller's number; empty for a caller without one.
    #[arg(long)]
    caller: Option<String>,
    /// Switches that staff have on, like storm.
    #[arg(long = "switch", value_name = "NAME")]
    switches: Vec<String>,
    /// The unit whose head is on the line (一把手接听), like rl.
    #[arg(long, value_name = "UNIT")]
    leader: Option<String>,
    /// Agents take the caller so many seconds after he joined a queue. Without: nobody is there.
    #[arg(long, value_name = "SECONDS")]
    answer_after: Option<u32>,
    /// The agent hangs up after so many seconds, and the flow goes on.
    #[arg(long, value_name = "SECONDS", requires = "answer_after")]
    talk: Option<u32>,
    /// Callers ahead in the queue.
    #[arg(long, default_value_t = 0)]
    ahead: u32,
    /// Print the story as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Where,
}

pub fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Check(args) => check(args),
        Command::Graph(args) => draw(args),
        Command::Sim(args) => match &args.case {
            Some(case) => walk_cases(args, case),
            None => walk(args),
        },
    }
}

/// One flow, with the files beside it for its subflows; every problem of it told.
fn load(file: &Path, config: &Config) -> Result<Arc<Flow>, Failure> {
    let book = Arc::new(crate::app::book(config).map_err(Failure::new)?);
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut all = files(file)?;
    all.extend(files(folder)?.into_iter().filter(|(other, _)| *other != name));
    FlowSet::one(all, &book).map_err(|told| {
        told.iter().for_each(|problem| eprintln!("{}/{problem}", folder.display()));
        Failure::Quiet
    })
}

fn draw(args: &Graph) -> Result<(), Failure> {
    let flow = load(&args.file, &args.place.load()?)?;
    let (format, name) = match args.format {
        Format::Mermaid => (graph::Format::Mermaid, "mermaid"),
        Format::Dot => (graph::Format::Dot, "dot"),
        Format::Svg => (graph::Format::Svg, "svg"),
    };
    let text = graph::draw(&flow, format);
    match args.json {
        true => put(&format!("{}\n", json!({"format": name, "text": text}))),
        false => put(&text),
    }
}

fn walk(args: &Sim) -> Result<(), Failure> {
    let config = args.place.load()?;
    let flow = load(&args.file, &config)?;
    let now = jiff::Timestamp::now().in_tz(&config.timezone).map_err(Failure::new)?;
    let (offset, local) = (now.offset().seconds(), now.datetime().to_string());
    let text = args.at.as_deref().unwrap_or(&local);
    let moment = sim::Moment::parse(text, offset)
        .ok_or_else(|| Failure::new(format!("--at {text}: no moment like 2026-11-25T22:30")))?;
    let mut plan = sim::Plan::at(moment);
    plan.day = crate::app::calendar(&config).0.day_kind(moment.date);
    plan.switches.clone_from(&args.switches);
    plan.switches.sort();
    plan.leader.clone_from(&args.leader);
    plan.keys = sim::Press::read(&args.keys).map_err(Failure::new)?;
    if let Some(caller) = &args.caller {
        plan.facts.caller = (!caller.is_empty()).then(|| Personal::new(caller.as_str()));
    }
    (plan.ahead, plan.talk_s) = (args.ahead, args.talk);
    if let Some(s) = args.answer_after {
        let waits = sim::Waits { full: false, staffed: 1, answer_s: Some(s), let_go_s: None };
        plan.queues = flow.queues().map(|queue| (queue.to_string(), waits.clone())).collect();
    }
    let story = sim::run(&flow, &plan);
    print_story(&story, args.json)
}

fn print_story(story: &sim::Story, as_json: bool) -> Result<(), Failure> {
    let end = story.end.as_ref().map_or("endless", sim::End::name);
    let (path, faults, took_ms) = (story.path(), story.faults(), story.took_ms());
    if as_json {
        let line = |line: &sim::Line| json!({"at_ms": line.at_ms, "what": line.event.to_string().trim()});
        let lines: Vec<_> = story.lines.iter().map(line).collect();
        let whole = json!({"path": path, "end": end, "took_ms": took_ms, "lines": lines, "faults": faults, "keys_left": story.keys_left});
        return put(&format!("{whole}\n"));
    }
    let mut text: String = story.lines.iter().map(|line| format!("{line}\n")).collect();
    let shown = story.end.as_ref().map_or_else(|| end.to_owned(), ToString::to_string);
    text.push_str(&format!("path: {}\nend: {shown} after {} s\n", path.join(" → "), took_ms / 1_000));
    if story.keys_left > 0 {
        text.push_str(&format!("{} keys were never pressed: nothing listened to them\n", story.keys_left));
    }
    put(&text)
}

/// To stdout; a reader that has seen enough (`head`) is no failure.
pub(super) fn put(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::new(error)),
        _ => Ok(()),
    }
}

fn walk_cases(args: &Sim, path: &Path) -> Result<(), Failure> {
    let flow = load(&args.file, &args.place.load()?)?;
    let told = |what: String| Failure::new(format!("{}:{what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| told(format!(" {error}")))?;
    let cases = sim::case::CaseFile::read(&text).map_err(|error| told(error.to_string()))?;
    let mut results = Vec::new();
    for case in &cases.cases {
        let (story, differences) = case.run(&flow).map_err(|error| told(format!(" {error}")))?;
        if !args.json {
            println!("{} {}", if differences.is_empty() { "ok  " } else { "FAIL" }, case.name);
            differences.iter().for_each(|difference| println!("       {difference}"));
        }
        results.push((case.name.clone(), story, differences));
    }
    let failed = results.iter().filter(|(_, _, differences)| !differences.is_empty()).count();
    if args.json {
        let list: Vec<_> = results
            .iter()
            .map(|(name, story, told)| json!({"name": name, "ok": told.is_empty(), "path": story.path(), "took_ms": story.took_ms(), "differences": told}))
            .collect();
        println!("{}", json!({"ok": failed == 0, "cases": list}));
    } else {
        println!("{} cases, {failed} differ", results.len());
    }
    if failed == 0 { Ok(()) } else { Err(Failure::Quiet) }
}

/// A file, or the flow files of a folder, by name.
fn files(path: &Path) -> Result<Vec<(String, String)>, Failure> {
    let told = |path: &Path, error: std::io::Error| Failure::new(format!("{}: {error}", path.display()));
    let mut paths = vec![path.to_owned()];
    if path.is_dir() {
        let entries = std::fs::read_dir(path).map_err(|error| told(path, error))?;
        paths = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|ext| ext == "toml"))
            .collect();
        paths.sort();
    }
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).map_err(|error| told(&path, error))?;
        Ok((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), text))
    };
    paths.into_iter().map(read).collect()
}

fn check(args: &Check) -> Result<(), Failure> {
    let config = args.place.load()?;
    let book = Arc::new(crate::app::book(&config).map_err(Failure::new)?);
    let mut problems: Vec<Problem> = Vec::new();
    for path in &args.paths {
        let folder = if path.is_dir() { path.as_path() } else { path.parent().unwrap_or(Path::new("")) };
        let given = files(path)?;
        let told = if path.is_dir() {
            FlowSet::load(given, &book).err()
        } else {
            // A single file may call its neighbours; of the others it says nothing.
            let names: Vec<String> = given.iter().map(|(name, _)| name.clone()).collect();
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            let beside = files(folder).unwrap_or_default();
            let beside = beside.into_iter().filter(|(name, _)| !names.contains(name));
            FlowSet::one(given.into_iter().chain(beside).collect(), &book).err()
        };
        problems.extend(
            told.into_iter()
                .flat_map(|told| told.0)
                .map(|problem| Problem { file: folder.join(&problem.file).display().to_string(), ..problem }),
        );
    }
    if args.json {
        let list: Vec<_> = problems
            .iter()
            .map(|p| json!({"file": p.file, "line": p.line, "column": p.column, "message": p.what}))
            .collect();
        println!("{}", json!({"ok": problems.is_empty(), "problems": list}));
    } else if problems.is_empty() {
        println!("no problems");
    }
    if problems.is_empty() {
        return Ok(());
    }
    if !args.json {
        problems.iter().for_each(|problem| eprintln!("{problem}"));
    }
    Err(Failure::Quiet)
}
