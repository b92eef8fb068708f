//! `hotline db …`: the database as a whole.

use super::desk::{self, Missing, ask};
use super::{Failure, Where};
use crate::app;
use crate::config::Database;
use crate::store::{StoreError, restore_postgres, restore_sqlite, without_password};
use serde_json::json;
use std::path::PathBuf;

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Bring the tables up to date. The server does so itself when it starts; harmless when they are.
    Migrate(Migrate),
    /// Write a whole copy while the server goes on: a SQLite file, or an archive for pg_restore.
    Backup(Backup),
    /// Put a copy back in the place of the database; the server must not run. A SQLite file that was there is kept beside it.
    Restore(Restore),
    /// Erase a person: his texts in tickets, calls, pictures and recordings, and the keys of what can only grow. Cannot be undone.
    ErasePerson(ErasePerson),
    /// Walk every ticket's history (a chain of hashes) and every promise between the tables. Changes nothing.
    Verify(Verify),
}

#[derive(clap::Args, Debug)]
pub struct Migrate {
    #[command(flatten)]
    place: Where,
}

#[derive(clap::Args, Debug)]
pub struct Backup {
    /// Where to; a file that is there is not overwritten.
    to: PathBuf,
    #[command(flatten)]
    place: Where,
}

#[derive(clap::Args, Debug)]
pub struct Restore {
    /// What `db backup` wrote.
    from: PathBuf,
    #[command(flatten)]
    place: Where,
}

#[derive(clap::Args, Debug)]
pub struct ErasePerson {
    /// His telephone number, digits only.
    #[arg(long)]
    pub number: String,
    /// Whose decision it is and why; in the access log.
    #[arg(long)]
    pub reason: String,
    /// Only say what would be erased.
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON: {"calls", "tickets", "recordings", "pictures", "pushes", "mentions", "shared": […]}.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub place: Where,
}

#[derive(clap::Args, Debug)]
pub struct Verify {
    /// Print JSON: {"ok", "calls", "tickets", "events", "problem_count", "problems": […]}.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Where,
}

pub fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Migrate(args) => migrate(args),
        Command::Backup(args) => backup(args),
        Command::Restore(args) => restore(args),
        Command::ErasePerson(args) => super::erase::run(args),
        Command::Verify(args) => verify(args),
    }
}

fn migrate(args: &Migrate) -> Result<(), Failure> {
    ask(&args.place, Missing::Make, |db, _| async move {
        db.migrate().await.map_err(Failure::new)?;
        println!("the tables are up to date");
        Ok(())
    })
}

fn backup(args: &Backup) -> Result<(), Failure> {
    ask(&args.place, Missing::Tell, |db, _| async move {
        match db.backup(&args.to).await {
            Err(StoreError::Exists) => Err(Failure::new(format!("{}: is there already", args.to.display()))),
            done => done.map_err(Failure::new),
        }?;
        println!("{}", args.to.display());
        Ok(())
    })
}

fn restore(args: &Restore) -> Result<(), Failure> {
    let config = args.place.load()?;
    // Held until the end: no server may begin on a database that is being put back.
    let _lock = app::take_data(&config.data).map_err(Failure::new)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::new)?;
    match &config.database {
        Database::Sqlite { path } => {
            let kept =
                runtime.block_on(restore_sqlite(&args.from, path, desk::now())).map_err(Failure::new)?;
            println!("{}", path.display());
            if let Some(kept) = kept {
                println!("what was there before is {}", kept.display());
            }
        }
        Database::Postgres { url } => {
            runtime.block_on(restore_postgres(&args.from, url.reveal())).map_err(Failure::new)?;
            println!("{}", without_password(url.reveal()));
        }
    }
    Ok(())
}

fn verify(args: &Verify) -> Result<(), Failure> {
    ask(&args.place, Missing::Tell, |db, _| async move {
        let report = db.verify().await.map_err(Failure::new)?;
        if args.json {
            let told = json!({ "ok": report.is_clean(), "calls": report.calls, "tickets": report.tickets,
                "events": report.events, "problem_count": report.problem_count, "problems": report.problems });
            println!("{told}");
            return if report.is_clean() { Ok(()) } else { Err(Failure::Quiet) };
        }
        println!(
            "{} calls, {} tickets, {} events in their histories",
            report.calls, report.tickets, report.events
        );
        for problem in &report.problems {
            println!("{problem}");
        }
        match report.problem_count {
            0 => Ok(()),
            1 => Err(Failure::new("one problem in the database")),
            n => Err(Failure::new(format!("{n} problems in the database"))),
        }
    })
}
