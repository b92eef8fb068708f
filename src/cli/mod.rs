//! The command line: one file for each subcommand, and the rules they share.
//!
//! - Data goes to stdout, in columns for people or as JSON with `--json`; errors go to stderr, one clear line each.
//! - Exit codes: 0 fine, 1 anything wrong, 2 the command was not written right (that one is `clap`'s).
//! - Reading commands work on the data folder alone, whether a server runs on it or not.
//!
//! To add a command: a file with `Args` and `run(Args) -> Result<(), Failure>`, a variant of [`Command`], a line in the
//! README's table. A command does its work through the face of a room and owns only how things are printed.

mod call;
mod check;
mod city_sim;
mod db;
mod desk;
mod erase;
mod flow;
mod import;
mod roster;
mod serve;
mod ticket;
mod trunk_doctor;
mod user;

use crate::config::{Config, Problems};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// 12341, the engine of a district government's hotline: calls, flows, recordings, tickets.
#[derive(Parser)]
#[command(name = "hotline", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the engine. SIGTERM drains, a second one stops at once; SIGHUP reloads flows and configuration.
    Serve(serve::Args),
    /// Check everything a reload would check and tell every problem with file, line and column.
    Check(check::Args),
    /// Lint, draw and walk flows without a phone.
    #[command(subcommand)]
    Flow(flow::Command),
    /// Who works when: gaps and breaches of a plan, and the seats a forecast asks for.
    #[command(subcommand)]
    Roster(roster::Command),
    /// Calls as the journal tells them.
    #[command(subcommand)]
    Call(call::Command),
    /// The journal itself.
    #[command(subcommand)]
    Journal(Journal),
    /// Look at the connection to a carrier.
    #[command(subcommand)]
    Trunk(Trunk),
    /// Play the city's 12345 against a hotline, for tests and trials: orders, pushes, rulings, and every kind of failure.
    CitySim(city_sim::Args),
    /// Look at tickets.
    #[command(subcommand)]
    Ticket(ticket::Command),
    /// Who may sign in: add, give a new password, disable.
    #[command(subcommand)]
    User(user::Command),
    /// The database: bring it up to date, copy it, check it.
    #[command(subcommand)]
    Db(db::Command),
}

#[derive(Subcommand)]
enum Journal {
    /// Print every fact, oldest first.
    Tail(call::Tail),
}

#[derive(Subcommand)]
enum Trunk {
    /// Ask a carrier's SIP server what it can do and print what was found and a [[trunk]] that fits.
    Doctor(trunk_doctor::Args),
}

/// Which configuration and which data folder: the same two options wherever they are needed.
#[derive(Args, Clone, Debug)]
pub struct Where {
    /// The configuration file. Without it: hotline.toml in the working directory, or the defaults.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The data folder, before what the configuration says.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

impl Where {
    /// Reads the configuration with the environment over it, and `--data` over both.
    pub fn load(&self) -> Result<Config, Failure> {
        let data = match &self.data {
            // Against the working directory, where the user is; in the file it would be against the file.
            Some(dir) => {
                Some(std::path::absolute(dir).map_err(|e| Failure::new(format!("{}: {e}", dir.display())))?)
            }
            None => None,
        };
        let env = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| data.is_none() || name != "HOTLINE__DATA")
            .chain(data.iter().map(|dir| ("HOTLINE__DATA".to_owned(), dir.display().to_string())));
        Ok(Config::load(self.config.as_deref(), env)?)
    }
}

/// Why a command ends with 1: what stands on stderr, one clear line for each thing that is wrong.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{0}")]
    Config(#[from] Problems),
    #[error("hotline: {0}")]
    Told(String),
    /// Everything has been printed already; only the exit code is left to say it.
    #[error("")]
    Quiet,
}

impl Failure {
    /// A failure in one line, whatever the text of the cause was.
    pub fn new(what: impl std::fmt::Display) -> Self {
        Self::Told(what.to_string().split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

/// Runs the command this process was started with.
pub fn run() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(args) => serve::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Flow(command) => flow::run(&command),
        Command::Roster(command) => roster::run(&command),
        Command::Call(command) => call::run(&command),
        Command::Journal(Journal::Tail(args)) => call::tail(&args),
        Command::Trunk(Trunk::Doctor(args)) => trunk_doctor::run(&args),
        Command::CitySim(args) => city_sim::run(&args),
        Command::Ticket(command) => ticket::run(&command),
        Command::User(command) => user::run(&command),
        Command::Db(command) => db::run(&command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Quiet) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_failure_is_one_line() {
        assert_eq!(
            Failure::new("cannot bind\n  0.0.0.0:5060: in use").to_string(),
            "hotline: cannot bind 0.0.0.0:5060: in use"
        );
    }

    #[test]
    fn the_data_folder_of_the_command_line_wins() {
        let here = Where { config: None, data: Some("somewhere".into()) };
        let config = here.load().unwrap();
        assert_eq!(config.journal.dir, std::path::absolute("somewhere/journal").unwrap());
    }
}
