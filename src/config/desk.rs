//! The sections of the desk: tickets, the database, HTTP, what is kept and what is told.

use super::Secret;
use super::read::Section;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    /// Official numbers reserved in the journal at a time.
    pub number_block: u32,
    /// 语音催签: units that have not signed for an urgent ticket are telephoned.
    pub voice_urging: bool,
    /// From the dispatch to the first call, and between the rounds, seconds.
    pub urge_after_s: u32,
    pub urge_pause_s: u32,
    /// Duty number, deputy, office: so often.
    pub urge_rounds: u32,
    /// The key by which somebody says that he heard it signs for the ticket.
    pub urge_signs: bool,
    /// Most rows of a file of tickets that somebody takes out.
    pub export_rows: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Http {
    pub listen: SocketAddr,
    /// A sign-in ends after this long, seconds.
    pub session_s: u32,
    /// Largest request body, kibibytes.
    pub max_body_kib: u32,
    /// Origins besides our own that may write with a cookie, like `https://desk.example`.
    pub origins: Vec<String>,
    /// People reach the panel by https, through a proxy: cookies are `Secure`, and our own origin is an https one.
    pub https: bool,
    /// The citizens' page as they reach it: what texts to them link to.
    pub public_url: Option<String>,
    /// Wrong passwords in a quarter of an hour after which a user name has to wait.
    pub sign_in_tries: u32,
}

/// The citizens' page.
#[derive(Clone, Debug, PartialEq)]
pub struct Public {
    pub enabled: bool,
    /// Of one address in an hour: messages, wrong numbers or codes, acts by number and code.
    pub messages_per_hour: u32,
    pub wrong_per_hour: u32,
    pub acts_per_hour: u32,
    /// Photos of a message, and mebibytes of one.
    pub photos: u32,
    pub photo_mib: u32,
}

/// The agents' websockets. Sizes and rates of what clients send are fixed by the protocol.
#[derive(Clone, Debug, PartialEq)]
pub struct Cti {
    /// A ping and a heartbeat go out this often, milliseconds.
    pub heartbeat_ms: u32,
    /// Frames that wait for one page before it is cut.
    pub outgoing: u32,
    /// Past events of an agent, kept for a page that comes back, and their kibibytes.
    pub history_events: u32,
    pub history_kib: u32,
    /// Sockets at once, and pages of one agent among them.
    pub sessions: u32,
    pub pages_per_agent: u32,
    /// A sign-in is looked at again this often, seconds.
    pub recheck_s: u32,
}

/// Where tickets and users live.
#[derive(Clone, Debug, PartialEq)]
pub enum Database {
    Sqlite {
        path: PathBuf,
    },
    /// The whole URL: it may hold a password.
    Postgres {
        url: Secret,
    },
}

impl Database {
    /// The URL as the driver wants it. It may hold a password: never log it.
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite { path } => format!("sqlite://{}", path.display()),
            Self::Postgres { url } => url.reveal().to_owned(),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Retention {
    pub recordings_months: u32,
    pub access_log_months: u32,
    pub journal_days: u32,
    /// How long the outbox knows whom a push went to.
    pub recipients_days: u32,
    pub application_log_days: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Telemetry {
    /// Directives as `tracing` reads them: `info`, `info,hotline::sip=debug`.
    pub log: String,
    pub format: LogFormat,
}

pub(super) fn read_ticket(s: &mut Section<'_, '_>) -> Ticket {
    Ticket {
        number_block: s.number("number_block", 100, 1..=10_000),
        voice_urging: s.flag("voice_urging", true),
        urge_after_s: s.number("urge_after_s", 600, 1..=86_400),
        urge_pause_s: s.number("urge_pause_s", 600, 1..=86_400),
        urge_rounds: s.number("urge_rounds", 2, 1..=10),
        urge_signs: s.flag("urge_signs", false),
        export_rows: s.number("export_rows", 100_000, 1..=1_000_000),
    }
}

pub(super) fn read_public(s: &mut Section<'_, '_>) -> Public {
    Public {
        enabled: s.flag("enabled", true),
        messages_per_hour: s.number("messages_per_hour", 6, 1..=10_000),
        wrong_per_hour: s.number("wrong_per_hour", 20, 1..=10_000),
        acts_per_hour: s.number("acts_per_hour", 30, 1..=10_000),
        photos: s.number("photos", 3, 0..=8),
        photo_mib: s.number("photo_mib", 6, 1..=7),
    }
}

pub(super) fn read_http(s: &mut Section<'_, '_>) -> Http {
    let usual = SocketAddr::from(([127, 0, 0, 1], 8080));
    let public_url = s.maybe_text("public_url");
    if public_url.as_ref().is_some_and(|url| !url.starts_with("https://") && !url.starts_with("http://")) {
        s.refuse("public_url", "it begins with neither \"https://\" nor \"http://\"");
    }
    Http {
        listen: s
            .parsed("listen", Some(usual), "an address with a port, like \"127.0.0.1:8080\"")
            .unwrap_or(usual),
        session_s: s.number("session_s", 43_200, 60..=2_592_000),
        max_body_kib: s.number("max_body_kib", 256, 1..=65_536),
        sign_in_tries: s.number("sign_in_tries", 5, 1..=1000),
        origins: s.list("origins", Vec::new(), "an origin in quotes, like \"https://desk.example\""),
        https: s.flag("https", false),
        public_url,
    }
}

pub(super) fn read_cti(s: &mut Section<'_, '_>) -> Cti {
    Cti {
        heartbeat_ms: s.number("heartbeat_ms", 5000, 500..=60_000),
        outgoing: s.number("outgoing", 256, 16..=65_536),
        history_events: s.number("history_events", 1000, 0..=100_000),
        history_kib: s.number("history_kib", 512, 0..=65_536),
        sessions: s.number("sessions", 2000, 1..=100_000),
        pages_per_agent: s.number("pages_per_agent", 8, 1..=100),
        recheck_s: s.number("recheck_s", 30, 1..=3600),
    }
}

pub(super) fn read_database(s: &mut Section<'_, '_>, data: &Path) -> Database {
    let base = s.base();
    let Some(url) = s.maybe_text("url") else { return Database::Sqlite { path: data.join("hotline.db") } };
    match url.split_once("://") {
        Some(("sqlite", path)) if !path.is_empty() => Database::Sqlite { path: base.join(path) },
        Some(("postgres" | "postgresql", _)) => Database::Postgres { url: Secret::new(url) },
        _ => {
            // The text isn't repeated: it may be a PostgreSQL address with a slip in it, and a password.
            s.refuse("url", "neither \"sqlite://path\" nor \"postgres://user:password@host/name\"");
            Database::Sqlite { path: data.join("hotline.db") }
        }
    }
}

pub(super) fn read_retention(s: &mut Section<'_, '_>) -> Retention {
    Retention {
        recordings_months: s.number("recordings_months", 24, 1..=1200),
        access_log_months: s.number("access_log_months", 36, 6..=1200),
        journal_days: s.number("journal_days", 90, 1..=36_500),
        recipients_days: s.number("recipients_days", 90, 1..=36_500),
        application_log_days: s.number("application_log_days", 30, 1..=36_500),
    }
}

pub(super) fn read_telemetry(s: &mut Section<'_, '_>) -> Telemetry {
    Telemetry {
        log: s.text("log", "info"),
        format: s.choice("format", LogFormat::Text, &[("text", LogFormat::Text), ("json", LogFormat::Json)]),
    }
}
