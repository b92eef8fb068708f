//! `hotline db`: tables brought up to date, a whole copy, every promise between tables looked at.

use super::desk::with_db;
use super::{Failure, Where};
use serde_json::json;
use std::path::PathBuf;

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Bring the tables up to date. Harmless when they are.
    Migrate(Only),
    /// Write a whole copy to a file that does not exist yet, while the desk goes on.
    Backup(Backup),
    /// Walk every ticket's history and everything that belongs together; exit 1 when something is wrong.
    Verify(Verify),
}

#[derive(clap::Args, Debug)]
pub struct Only {
    #[command(flatten)]
    place: Where,
}

#[derive(clap::Args, Debug)]
pub struct Backup {
    to: PathBuf,
    #[command(flatten)]
    place: Where,
}

#[derive(clap::Args, Debug)]
pub struct Verify {
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Where,
}

pub fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Migrate(args) => with_db(&args.place, |_, _| async { Ok(()) }),
        Command::Backup(args) => with_db(&args.place, |db, _| async move { db.backup(&args.to).await.map_err(Failure::new) }),
        Command::Verify(args) => verify(args),
    }
}

fn verify(args: &Verify) -> Result<(), Failure> {
    let report = with_db(&args.place, |db, _| async move { db.verify().await.map_err(Failure::new) })?;
    if args.json {
        println!(
            "{}",
            json!({"ok": report.is_clean(), "tickets": report.tickets, "events": report.events, "calls": report.calls,
                "problem_count": report.problem_count, "problems": report.problems})
        );
    } else {
        println!("{} tickets, {} events, {} calls", report.tickets, report.events, report.calls);
    }
    if report.is_clean() {
        return Ok(());
    }
    if !args.json {
        report.problems.iter().for_each(|problem| eprintln!("{problem}"));
        eprintln!("{} problems", report.problem_count);
    }
    Err(Failure::Quiet)
}
