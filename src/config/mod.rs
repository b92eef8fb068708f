//! The configuration: `hotline.toml` and the environment, read into one typed value with every problem and its place.
//!
//! ```text
//! hotline.toml ─┐
//!               ├─▶ Reader ─▶ Config            (all of it, typed, with defaults)
//! HOTLINE__… ───┘       └───▶ Problems          (all of them: file:line:column, what was written, what would be right)
//! ```
//!
//! The rule that always holds: **a key that the code reads stands in `default.toml`, with its default, and the other way
//! round.** A test compares the two, so the file is the documentation and can't go stale. Nothing here touches the world
//! but [`Config::load`], which reads one file; everything after that is a function of its text and the environment.
//!
//! How to add a key: ask for it in the section's `read`, write it into `default.toml` with unit, default and effect, run
//! the tests of this room. `#key = value` in that file is a default, `# example: key = value` is a key without one.

mod city;
mod desk;
mod engine;
mod outbox;
mod problem;
mod read;
mod secret;
mod sip;

pub use city::City;
pub use desk::{Cti, Database, Http, LogFormat, Public, Retention, Telemetry, Ticket};
pub use engine::{
    Acd, Answer, Calendar, Dial, Ivr, Journal, Limits, Media, Overflow, Queue, Recording, Roster, Sounds,
    Strategy,
};
pub use outbox::{ALL_UNITS, Outbox, OutboxMode, SmsGateway, SmsMethod, Smtp, SmtpTls, UnitPlace};
pub use problem::{Place, Problem, Problems};
pub use read::{PREFIX, net};
pub use secret::Secret;
pub use sip::{AgentPhone, Inbound, Login, Profile, Register, Sip, Transport, Trunk};

use crate::media::seam::IpNet;
use read::{Reader, Section};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use toml::de::DeTable;

/// The commented default file: every key, its unit, its default, its effect. `hotline check --print-default` shows it.
pub const DEFAULT_TOML: &str = include_str!("default.toml");

/// The file that is read when none is named.
pub const FILE: &str = "hotline.toml";

/// What `--demo` gives to all of its users and phones.
pub const DEMO_PASSWORD: &str = "demo-12341";
/// The beginning of the only numbers that a demonstration dials.
pub const DEMO_DIALS: &str = "120000";
/// The old number that rings in a demonstration beside the hotline's own.
pub const DEMO_LEGACY: &str = "12000096341";

#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// IANA name; ticket numbers, calendars and reports count their days in it.
    pub timezone: String,
    /// This machine's number in every call id, 1–99.
    pub node: u16,
    /// Folder of everything the program writes, unless a section says otherwise.
    pub data: PathBuf,
    pub sip: Sip,
    pub trunks: Vec<Trunk>,
    pub media: Media,
    pub ivr: Ivr,
    pub sounds: Sounds,
    pub queues: BTreeMap<String, Queue>,
    pub acd: Acd,
    pub dial: Dial,
    pub roster: Roster,
    pub calendar: Calendar,
    pub recording: Recording,
    pub ticket: Ticket,
    pub outbox: Outbox,
    pub city: City,
    pub http: Http,
    pub cti: Cti,
    pub agent_phones: Vec<AgentPhone>,
    pub database: Database,
    pub journal: Journal,
    pub limits: Limits,
    pub retention: Retention,
    pub public: Public,
    pub telemetry: Telemetry,
}

impl Config {
    /// Reads `path`, or `hotline.toml` of the working directory when there is one, and lays `HOTLINE__…` of `env` over it.
    pub fn load(path: Option<&Path>, env: impl Iterator<Item = (String, String)>) -> Result<Self, Problems> {
        let file = path.unwrap_or(Path::new(FILE));
        match std::fs::read_to_string(file) {
            Ok(text) => Self::from_str_named(&text, file, env),
            Err(e) if path.is_none() && e.kind() == std::io::ErrorKind::NotFound => {
                Self::from_str_named("", file, env)
            }
            Err(e) => Err(Problems(vec![Problem {
                place: Place::File(file.to_path_buf()),
                what: format!("cannot be read: {e}"),
            }])),
        }
    }

    /// Reads `text`, which stands in `file`: problems name it, relative paths begin beside it.
    pub fn from_str_named(
        text: &str,
        file: &Path,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, Problems> {
        let (config, problems, _) = read_all(text, file, env);
        if problems.is_empty() { Ok(config) } else { Err(Problems(problems)) }
    }

    /// The same configuration for a demonstration on this machine: a trunk `demo` for loopback and `nets`, four desk phones,
    /// no limit for a single caller (whoever tries it out calls from one number). Refuses to serve the panel to a network.
    pub fn demo(mut self, nets: &[IpNet]) -> Result<Self, Problems> {
        if !self.http.listen.ip().is_loopback() {
            let what = format!(
                "http.listen: {} is not a loopback address, and --demo has known passwords",
                self.http.listen
            );
            return Err(Problems(vec![Problem { place: Place::File(FILE.into()), what }]));
        }
        let loopback = IpNet { addr: std::net::Ipv4Addr::new(127, 0, 0, 0).into(), prefix: 8 };
        if !self.trunks.iter().any(|trunk| trunk.name == "demo") {
            let peers: Vec<IpNet> = std::iter::once(loopback).chain(nets.iter().copied()).collect();
            self.trunks.push(Trunk { media_nets: peers.clone(), ..Trunk::new("demo", peers) });
        }
        for name in ["8001", "8002", "8003", "8004"] {
            if !self.agent_phones.iter().any(|phone| phone.name == name) {
                self.agent_phones
                    .push(AgentPhone { name: name.into(), password: Secret::new(DEMO_PASSWORD) });
            }
        }
        self.roster.binds = true;
        self.outbox.demo();
        // Whoever tries it out wants to see it ring.
        for name in ["main", "business", "english"] {
            let queue = Queue { answer: Answer::Ring, ..Queue::default() };
            self.queues.entry(name.into()).or_insert(queue);
        }
        // Nothing is dialled but the demonstration's own numbers, whatever the file allows.
        self.dial.allow = vec![format!("{DEMO_DIALS}*")];
        if !self.sip.legacy_numbers.iter().any(|number| number == DEMO_LEGACY) {
            self.sip.legacy_numbers.push(DEMO_LEGACY.to_owned());
        }
        self.limits.caller_concurrent = 0;
        self.limits.caller_per_minute = 0;
        Ok(self)
    }

    /// The configuration of an empty file.
    pub fn defaults() -> Self {
        read_all("", Path::new(FILE), std::iter::empty()).0
    }
}

fn read_all(
    text: &str,
    file: &Path,
    env: impl Iterator<Item = (String, String)>,
) -> (Config, Vec<Problem>, BTreeSet<String>) {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader::new(file, text, env);
    for error in &errors {
        reader.syntax(error);
    }
    let config = reader.document(document.get_ref(), read_config);
    let (problems, known) = reader.finish();
    (config, problems, known)
}

fn read_config(s: &mut Section<'_, '_>) -> Config {
    let timezone = s.text("timezone", "Asia/Shanghai");
    if jiff::tz::TimeZone::get(&timezone).is_err() {
        s.refuse("timezone", &format!("\"{timezone}\" is not a time zone, like \"Asia/Shanghai\""));
    }
    let base = s.base();
    let data = s.path("data", &base.join("data"));
    let config = Config {
        timezone,
        node: s.number("node", 1, 1..=99),
        sip: s.section("sip", sip::read),
        trunks: s.each("trunk", sip::read_trunk),
        media: s.section("media", engine::read_media),
        ivr: s.section("ivr", engine::read_ivr),
        sounds: s.section("sounds", engine::read_sounds),
        queues: s.named("queue", |_, s| engine::read_queue(s)),
        acd: s.section("acd", engine::read_acd),
        dial: s.section("dial", engine::read_dial),
        roster: s.section("roster", engine::read_roster),
        calendar: s.section("calendar", engine::read_calendar),
        recording: s.section("recording", |s| engine::read_recording(s, &data)),
        ticket: s.section("ticket", desk::read_ticket),
        outbox: s.section("outbox", outbox::read),
        city: s.section("city", city::read),
        http: s.section("http", desk::read_http),
        cti: s.section("cti", desk::read_cti),
        agent_phones: s.each("agent_phone", sip::read_phone),
        database: s.section("database", |s| desk::read_database(s, &data)),
        journal: s.section("journal", |s| engine::read_journal(s, &data)),
        limits: s.section("limits", engine::read_limits),
        retention: s.section("retention", desk::read_retention),
        public: s.section("public", desk::read_public),
        telemetry: s.section("telemetry", desk::read_telemetry),
        data,
    };
    twice(s, "trunk", config.trunks.iter().map(|t| t.name.as_str()));
    twice(s, "agent_phone", config.agent_phones.iter().map(|p| p.name.as_str()));
    config
}

fn twice<'n>(s: &mut Section<'_, '_>, key: &'static str, names: impl Iterator<Item = &'n str>) {
    let mut seen = BTreeSet::new();
    for name in names.filter(|name| !name.is_empty()) {
        if !seen.insert(name) {
            s.refuse_table(key, &format!("the name \"{name}\" is used twice"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, Problems> {
        Config::from_str_named(text, Path::new("hotline.toml"), std::iter::empty())
    }

    fn lines(text: &str) -> Vec<String> {
        read(text).expect_err("must be refused").to_string().lines().map(str::to_owned).collect()
    }

    fn with_env(text: &str, env: &[(&str, &str)]) -> Result<Config, Problems> {
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Config::from_str_named(text, Path::new("etc/hotline.toml"), env)
    }

    /// The default file with its defaults in force, and with its examples too when asked.
    fn uncommented(examples: bool) -> String {
        let mut text = String::new();
        for line in DEFAULT_TOML.lines() {
            let line = match line.strip_prefix("# example: ") {
                Some(example) if examples => example,
                Some(_) => "",
                None if line.starts_with("# ") || line == "#" => "",
                None => line.strip_prefix('#').unwrap_or(line),
            };
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    #[test]
    fn the_default_file_itself_changes_nothing() {
        assert_eq!(read(DEFAULT_TOML).unwrap(), Config::defaults());
    }

    #[test]
    fn the_defaults_written_in_the_file_are_those_of_the_code() {
        assert_eq!(read(&uncommented(false)).unwrap_or_else(|p| panic!("{p}")), Config::defaults());
    }

    #[test]
    fn the_default_file_lists_exactly_the_keys_the_code_reads() {
        let text = uncommented(true);
        let (_, problems, known) = read_all(&text, Path::new("default.toml"), std::iter::empty());
        assert_eq!(problems, [], "{}", Problems(problems.clone()));
        let document: toml::Table = toml::from_str(&text).unwrap();
        let mut written = BTreeSet::new();
        flatten("", &document, &mut written);
        let missing: Vec<_> = known.difference(&written).collect();
        let unread: Vec<_> = written.difference(&known).collect();
        assert!(
            missing.is_empty() && unread.is_empty(),
            "not in the file: {missing:?}; never read: {unread:?}"
        );
    }

    fn flatten(path: &str, table: &toml::Table, out: &mut BTreeSet<String>) {
        for (key, value) in table {
            let key = if ["queue", "outbox.unit"].contains(&path) { "NAME" } else { key };
            let full = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
            match value {
                toml::Value::Table(inner) => flatten(&full, inner, out),
                toml::Value::Array(items) if items.first().is_some_and(toml::Value::is_table) => {
                    for item in items {
                        flatten(&full, item.as_table().unwrap(), out);
                    }
                }
                _ => {
                    out.insert(full);
                }
            }
        }
    }

    #[test]
    fn every_key_of_the_default_file_is_explained() {
        let mut explained = false;
        for (n, line) in DEFAULT_TOML.lines().enumerate() {
            let is_key = line.starts_with("# example: ")
                || (line.starts_with('#') && !line.starts_with("# ") && line.contains('='));
            if is_key {
                assert!(explained, "line {}: no sentence stands above it", n + 1);
            } else {
                // A sentence explains the keys directly below it, up to the next empty line.
                explained = line.starts_with("# ");
            }
            explained |= is_key;
        }
    }

    #[test]
    fn an_unknown_key_is_an_error_with_a_suggestion() {
        assert_eq!(
            lines("timezone = \"Asia/Shanghai\"\n\n[sip]\n  nubmer = \"12341\"\n[sipp]\n"),
            [
                "hotline.toml:4:3: unknown key \"nubmer\" in [sip], did you mean \"number\"?",
                "hotline.toml:5:2: unknown key \"sipp\", did you mean \"sip\"?",
            ]
        );
    }

    #[test]
    fn every_problem_is_told_at_once_with_its_place() {
        let told = lines(
            "timezone = \"Asia/Peking\"\n[sip]\nudp = [\"0.0.0.0\", \"127.0.0.1:5062\"]\nstrangers = \"silnt\"\n\
             t1_ms = 0\n[media]\nports = \"30000-20000\"\ncodecs = [\"opus\"]\n[recording]\nenabled = \"yes\"\n[[trunk]]\npeers = [\"10.0.0.0/40\"]\n",
        );
        let want = [
            "hotline.toml:1:12: timezone: \"Asia/Peking\" is not a time zone",
            "hotline.toml:3:8: sip.udp: \"0.0.0.0\" is not an address with a port",
            "hotline.toml:4:13: sip.strangers: \"silnt\" is not one of \"silent\", \"403\", did you mean \"silent\"?",
            "hotline.toml:5:9: sip.t1_ms: 0 is not a whole number from 50 to 2000",
            "hotline.toml:7:9: media.ports: \"30000-20000\" is not",
            "hotline.toml:8:11: media.codecs: \"opus\" is not",
            "hotline.toml:10:11: recording.enabled: \"yes\" is not true or false",
            "hotline.toml:11:1: trunk.name: missing",
            "hotline.toml:12:10: trunk.peers: \"10.0.0.0/40\" is not an address or a range",
        ];
        assert_eq!(told.len(), want.len(), "{told:#?}");
        for (told, want) in told.iter().zip(want) {
            assert!(told.starts_with(want), "{told}\n  should begin\n{want}");
        }
    }

    #[test]
    fn broken_toml_is_told_with_its_line() {
        let told = lines("[sip\nnumber = \"1\"\n");
        assert!(told[0].starts_with("hotline.toml:1:"), "{told:?}");
        assert!(told.iter().all(|line| !line.is_empty()));
    }

    #[test]
    fn the_environment_wins_over_the_file_and_is_checked_like_it() {
        let env = [
            ("HOTLINE__SIP__NUMBER", "12345"),
            ("HOTLINE__SIP__UDP", "127.0.0.1:0, [::1]:0"),
            ("HOTLINE__NODE", "7"),
            ("HOTLINE__TRUNK__CITY_A__CREDENTIALS__PASSWORD", "s3cret"),
            ("HOTLINE__QUEUE__MAIN__MAX_WAITING", "9"),
            ("PATH", "/bin"),
        ];
        let text = "[sip]\nnumber = \"1\"\n[[trunk]]\nname = \"city-a\"\npeers = \"192.0.2.1\"\n\
                    credentials = { username = \"u\", password = \"p\" }\n[queue.main]\n";
        let config = with_env(text, &env).unwrap_or_else(|p| panic!("{p}"));
        assert_eq!((config.sip.number.as_str(), config.node, config.sip.udp.len()), ("12345", 7, 2));
        let login = config.trunks[0].credentials.as_ref().unwrap();
        assert_eq!(login.password.reveal(), "s3cret");
        assert_eq!(config.queues["main"].max_waiting, 9);

        let told =
            with_env("", &[("HOTLINE__SIP__UPD", "x"), ("HOTLINE__NODE", "none")]).unwrap_err().to_string();
        assert_eq!(
            told,
            "environment HOTLINE__NODE: node: \"none\" is not a whole number from 1 to 99\n\
             environment HOTLINE__SIP__UPD: no key has this name, did you mean \"HOTLINE__SIP__UDP\"?"
        );
    }

    #[test]
    fn relative_paths_begin_beside_the_file() {
        let config = with_env("[ivr]\nflows = \"f\"\n[sounds]\ndir = \"/srv/sounds\"\n", &[]).unwrap();
        assert_eq!(config.ivr.flows, Path::new("etc/f"));
        assert_eq!(config.sounds.dir, Path::new("/srv/sounds"));
        assert_eq!(config.journal.dir, Path::new("etc/data/journal"));
        let moved = with_env("data = \"/var/lib/hotline\"", &[]).unwrap();
        assert_eq!(moved.recording.dir, Path::new("/var/lib/hotline/recordings"));
        assert_eq!(moved.database.url(), "sqlite:///var/lib/hotline/hotline.db");
    }

    #[test]
    fn passwords_never_print() {
        let text = "[[agent_phone]]\nname = \"8001\"\npassword = \"hunter2\"\n[database]\nurl = \"postgres://u:hunter2@db/h\"\n\
                    [[trunk]]\nname = \"t\"\npeers = \"192.0.2.1\"\ncredentials = { username = \"u\", password = \"hunter2\" }\n";
        let config = read(text).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        assert_eq!(config.database.url(), "postgres://u:hunter2@db/h");
    }

    #[test]
    fn a_demonstration_stays_on_this_machine() {
        let config = Config::defaults().demo(&[]).unwrap();
        assert_eq!(config.trunks[0].name, "demo");
        assert_eq!(config.dial.allow, ["120000*"], "contract: it dials nothing but its own numbers");
        assert!(config.dial.allow[0].starts_with(crate::config::DEMO_DIALS));
        assert_eq!(config.agent_phones.len(), 4);
        let open = read("[http]\nlisten = \"0.0.0.0:8080\"").unwrap();
        assert!(open.demo(&[]).unwrap_err().to_string().contains("loopback"));
    }

    #[test]
    fn a_missing_file_that_was_named_is_one_line() {
        let told =
            Config::load(Some(Path::new("/nonexistent/h.toml")), std::iter::empty()).unwrap_err().to_string();
        assert!(
            told.starts_with("/nonexistent/h.toml: cannot be read") && told.lines().count() == 1,
            "{told}"
        );
    }
}
