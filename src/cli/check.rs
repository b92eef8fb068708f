//! `hotline check`: would a start or a reload with these files succeed?

use super::{Failure, Where};
use crate::config::{Config, DEFAULT_TOML, Place, Problem, Problems};
use crate::ticket::district::District;
use crate::ticket::duty::DutyBook;
use crate::ticket::rules::RuleBook;
use std::path::Path;

#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    place: Where,
    /// Print the commented default file, which lists every option, and check nothing.
    #[arg(long)]
    print_default: bool,
    /// Print the result as JSON: {"ok": …, "problems": [{"file", "line", "column", "message"}]}.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    if args.print_default {
        print!("{DEFAULT_TOML}");
        return Ok(());
    }
    let problems = match args.place.load() {
        Ok(config) => match places(&config) {
            problems if problems.is_empty() => assets(&config),
            problems => problems,
        },
        Err(Failure::Config(Problems(problems))) => problems,
        Err(other) => return Err(other),
    };
    if args.json {
        let list: Vec<_> = problems.iter().map(as_json).collect();
        println!("{}", serde_json::json!({ "ok": problems.is_empty(), "problems": list }));
        return if problems.is_empty() { Ok(()) } else { Err(Failure::Quiet) };
    }
    if problems.is_empty() {
        println!("no problems");
        return Ok(());
    }
    Err(Failure::Config(Problems(problems)))
}

/// What a configuration names must be there: a folder that was written down and doesn't exist is a slip, not a default.
fn places(config: &Config) -> Vec<Problem> {
    let defaults = Config::defaults();
    let named: [(&str, &Path, &Path); 4] = [
        ("ivr.flows", &config.ivr.flows, &defaults.ivr.flows),
        ("sounds.dir", &config.sounds.dir, &defaults.sounds.dir),
        ("calendar.dir", &config.calendar.dir, &defaults.calendar.dir),
        ("roster.dir", &config.roster.dir, &defaults.roster.dir),
    ];
    named
        .into_iter()
        // The defaults may be missing: then what the binary carries is used.
        .filter(|(_, dir, default)| !dir.is_dir() && !dir.ends_with(default))
        .map(|(key, dir, _)| Problem {
            place: Place::File(dir.to_path_buf()),
            what: format!("{key} names this folder, and it does not exist"),
        })
        .collect()
}

/// Prompts, flows, calendars, the roster and the rules of tickets, each problem with its place as the reader told it.
fn assets(config: &Config) -> Vec<Problem> {
    match crate::app::load_assets(config) {
        Ok(assets) => {
            let told = {
                let (district, book) = (District::shipped(), DutyBook::shipped());
                let mut told = RuleBook::shipped().check(&assets.calendar, &district);
                told.extend(book.missing(&district));
                told
            };
            told.iter().map(|line| placed(line)).collect()
        }
        Err(told) => told.0.iter().map(|line| placed(line)).collect(),
    }
}

/// `file:line:column: what` taken apart again.
fn placed(line: &str) -> Problem {
    let mut parts = line.splitn(4, ':');
    let (file, row, column, rest) = (parts.next(), parts.next(), parts.next(), parts.next());
    let number = |text: Option<&str>| text.and_then(|text| text.parse().ok());
    match (file, number(row), number(column), rest) {
        (Some(file), Some(line), Some(column), Some(what)) => Problem {
            place: Place::At { file: file.into(), line, column },
            what: what.trim_start().to_owned(),
        },
        _ => match line.split_once(": ") {
            Some((file, what)) => Problem { place: Place::File(file.into()), what: what.to_owned() },
            None => Problem { place: Place::File(".".into()), what: line.to_owned() },
        },
    }
}

fn as_json(problem: &Problem) -> serde_json::Value {
    let (file, line, column) = match &problem.place {
        Place::At { file, line, column } => (Some(file.display().to_string()), Some(*line), Some(*column)),
        Place::File(file) => (Some(file.display().to_string()), None, None),
        Place::Variable(name) => {
            return serde_json::json!({ "variable": name, "message": problem.what });
        }
    };
    serde_json::json!({ "file": file, "line": line, "column": column, "message": problem.what })
}
