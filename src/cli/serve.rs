//! `hotline serve`: runs the engine until SIGTERM has been carried out.

use super::{Failure, Where};
use crate::app;
use crate::config::{Config, LogFormat};
use jiff::Timestamp;

#[derive(clap::Args, Debug, Clone)]
pub struct Args {
    #[command(flatten)]
    place: Where,
    /// A demonstration on this machine: known users, desk phones, tickets, and a trunk for loopback.
    #[arg(long)]
    demo: bool,
    /// Addresses besides loopback that may call in the demonstration, like 192.0.2.0/24.
    #[arg(long, value_name = "CIDR", requires = "demo")]
    demo_net: Vec<String>,
    /// Move the wall clock (and only it) to this time, RFC 3339.
    #[arg(long, value_name = "TIME", requires = "demo")]
    now: Option<Timestamp>,
}

impl Args {
    fn config(&self) -> Result<Config, Failure> {
        let config = self.place.load()?;
        if !self.demo {
            return Ok(config);
        }
        let nets = app::demo_nets(&self.demo_net).map_err(Failure::new)?;
        Ok(config.demo(&nets)?)
    }
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config()?;
    log(&config);
    let wall_shift_ms = args.now.map_or(0, |now| now.as_millisecond() - Timestamp::now().as_millisecond());
    let again = args.clone();
    let options = app::Options {
        config,
        again: Box::new(move || again.config().map_err(|failure| failure.to_string())),
        demo: args.demo,
        wall_shift_ms,
    };
    app::serve(options).map_err(|error| match error {
        // A line for each problem, each with its place.
        app::ServeError::Assets(problems) => Failure::Told(problems.to_string()),
        other => Failure::new(other),
    })
}

/// The application's log goes to standard error. A second call (in tests) changes nothing.
fn log(config: &Config) {
    let mut filter =
        tracing_subscriber::EnvFilter::try_new(&config.telemetry.log).unwrap_or_else(|_| "info".into());
    for quiet in crate::rtc::QUIET {
        // They are constants that can be read; a test of the room sees to it.
        if let Ok(directive) = quiet.parse() {
            filter = filter.add_directive(directive);
        }
    }
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    let _ = match config.telemetry.format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().try_init(),
    };
}
