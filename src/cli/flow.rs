//! `hotline flow`: lints, draws and walks flows without a phone.

use super::{Failure, Where};
use crate::ivr::{FlowSet, Problem};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Tell everything that is wrong with flow files or folders of them, with file, line and column.
    Check(Check),
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

pub fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Check(args) => check(args),
    }
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
        // A single file may call its neighbours.
        let given = files(path)?;
        let names: Vec<String> = given.iter().map(|(name, _)| name.clone()).collect();
        let mut all = given;
        if !path.is_dir() {
            let beside = files(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
                .unwrap_or_default();
            all.extend(beside.into_iter().filter(|(name, _)| !names.contains(name)));
        }
        if let Err(told) = FlowSet::load(all, &book) {
            let ours = told.0.into_iter().filter(|problem| names.contains(&problem.file));
            problems.extend(ours.map(|problem| Problem {
                file: folder.join(&problem.file).display().to_string(),
                ..problem
            }));
        }
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
