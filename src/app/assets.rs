//! Prompts, flows, calendars and the roster: from the files beside the configuration, else from the binary; checked against each other.

use crate::api::{RosterFiles, roster_minute};
use crate::config::{ALL_UNITS, Config, OutboxMode, UnitPlace};
use crate::ivr::{self, Book, Flow, FlowSet};
use crate::media::seam::ClipId;
use crate::media::{self, Prompts};
use crate::outbox;
use crate::roster::{Calendar, Roster, demo_roster};
use crate::ticket::district::District;
use rust_embed::RustEmbed;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Everything read from files that the engine and the workers live by.
pub struct Assets {
    pub prompts: Arc<Prompts>,
    pub clips: Arc<BTreeMap<Arc<str>, ClipId>>,
    /// Which pieces each prompt is made of.
    pub book: Arc<Book>,
    pub calendar: Arc<Calendar>,
    pub roster: Arc<Roster>,
    pub flows: FlowSet,
    pub entry: Arc<Flow>,
    /// What is sent outside, when, and in which words.
    pub pushes: Arc<outbox::Book>,
}

/// All problems, a line each, with their places.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct AssetError(pub Vec<String>);

#[derive(RustEmbed)]
#[folder = "ivr-flows"]
struct ShippedFlows;

#[derive(RustEmbed)]
#[folder = "district/calendar"]
struct ShippedCalendars;

/// The law is everybody's; people and plans are only those of the folder.
const SHIPPED_RULES: (&str, &str) = ("rules.toml", include_str!("../../district/roster/rules.toml"));

/// Reads everything. Used by a start, by `hotline check`, and but for the prompts by a reload.
pub fn load(config: &Config) -> Result<Assets, AssetError> {
    let (prompts, told) = media::load::load(&config.sounds.dir);
    let mut problems: Vec<String> = told.iter().map(ToString::to_string).collect();
    let clips = Arc::clone(prompts.names());
    let book = match book(config) {
        Ok(book) => Arc::new(book),
        Err(told) => {
            problems.push(told);
            return Err(AssetError(problems));
        }
    };
    let (calendar, told) = calendar(config);
    problems.extend(told);
    let (roster, told) = roster(config);
    problems.extend(told);
    let (pushes, told) = pushes(config);
    problems.extend(told);
    let read = flows(config, &book);
    if let Ok((_, entry)) = &read {
        problems.extend(overflows(config, entry));
    }
    match read {
        Ok((flows, entry)) if problems.is_empty() => {
            let (prompts, calendar, roster) = (Arc::new(prompts), Arc::new(calendar), Arc::new(roster));
            Ok(Assets { prompts, clips, book, calendar, roster, flows, entry, pushes: Arc::new(pushes) })
        }
        Ok(_) => Err(AssetError(problems)),
        Err(told) => {
            problems.extend(told.0);
            Err(AssetError(problems))
        }
    }
}

/// The texts that are sent: the configuration's file, else the binary's; with the places the configuration names.
pub fn pushes(config: &Config) -> (outbox::Book, Vec<String>) {
    let path = &config.outbox.texts;
    let shown = path.display().to_string();
    let (book, mut problems) = match std::fs::read_to_string(path) {
        Ok(text) => outbox::Book::read(&shown, &text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            outbox::Book::read(&shown, outbox::SHIPPED)
        }
        Err(error) => (outbox::Book::shipped(), vec![format!("{shown}: cannot be read: {error}")]),
    };
    let district = District::shipped();
    let strangers =
        config.outbox.units.keys().filter(|code| *code != ALL_UNITS && district.unit(code).is_none());
    problems
        .extend(strangers.map(|code| format!("[outbox.unit.{code}]: no unit of the district has this code")));
    if config.outbox.mode == OutboxMode::Live {
        if config.outbox.sms.is_none() && book.tells_callers() {
            problems.push(format!(
                "{shown}: citizens are told by SMS, mode is \"live\", and there is no [outbox.sms]"
            ));
        }
        if config.outbox.smtp.is_none() && config.outbox.units.values().any(|place| place.mail.is_some()) {
            problems.push(
                "[outbox.unit]: units are told by mail, mode is \"live\", and there is no [outbox.smtp]"
                    .into(),
            );
        }
    }
    if let Err(error) = super::outbox::senders(config) {
        problems.push(error.to_string());
    }
    let told =
        |place: &UnitPlace| outbox::Units { webhook: place.webhook.is_some(), mail: place.mail.is_some() };
    let name = |code: &String| if code == ALL_UNITS { outbox::ALL.to_owned() } else { code.clone() };
    let settings = outbox::Settings {
        zone: super::zone(config),
        link: config.http.public_url.clone(),
        mobiles: config.outbox.mobiles.clone(),
        city: config.city.url.is_some(),
        units: config.outbox.units.iter().map(|(code, place)| (name(code), told(place))).collect(),
    };
    (book.with(settings), problems)
}

/// Callers who overflow into a queue that nobody asks for and nothing describes would wait for ever.
fn overflows(config: &Config, entry: &Flow) -> Vec<String> {
    let known = super::build::queues(config, entry);
    let is_known = |to: &str| known.iter().any(|(name, _)| **name == *to);
    let wrong = config.queues.iter().filter_map(|(name, queue)| {
        let to = queue.overflow.as_ref().map(|overflow| overflow.to.as_str()).filter(|to| !is_known(to))?;
        Some(format!("[queue.{name}.overflow] to = \"{to}\": no flow and no [queue.{to}] knows this queue"))
    });
    wrong.collect()
}

/// Folders inside hold cases and examples.
fn is_flow(name: &str) -> bool {
    name.ends_with(".toml") && !name.contains('/')
}

/// The flow files in force: those of the binary, and those of the folder over them.
pub fn flow_files(config: &Config) -> Result<Vec<(String, String)>, AssetError> {
    merged(
        &config.ivr.flows,
        ShippedFlows::iter()
            .filter(|name| is_flow(name))
            .filter_map(|name| Some((name.to_string(), ShippedFlows::get(&name)?.data.into_owned()))),
    )
}

/// The book of prompts: the manifest beside the sounds, else the binary's.
pub fn book(config: &Config) -> Result<Book, String> {
    let path = config.sounds.dir.join(MANIFEST);
    let (text, shown) = match std::fs::read_to_string(&path) {
        Ok(text) => (text, path.display().to_string()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            (SHIPPED_MANIFEST.to_owned(), MANIFEST.to_owned())
        }
        Err(error) => return Err(format!("{}: cannot be read: {error}", path.display())),
    };
    Book::read(&text).map_err(|error| format!("{shown}: {error}"))
}

const MANIFEST: &str = "manifest.json";
const SHIPPED_MANIFEST: &str = include_str!("../../sounds/manifest.json");

/// Reads and lints all flows against the prompts; the set, and the flow a call begins with.
pub fn flows(config: &Config, book: &Arc<Book>) -> Result<(FlowSet, Arc<Flow>), AssetError> {
    let files = flow_files(config)?;
    let set = FlowSet::load(files, book).map_err(|problems| {
        AssetError(problems.iter().map(|problem| place(config, &problem.to_string())).collect())
    })?;
    let entry = set.get(&config.ivr.entry).ok_or_else(|| {
        let file = config.ivr.flows.join(format!("{}.toml", config.ivr.entry));
        let near = ivr::nearest(&config.ivr.entry, set.names())
            .map(|name| format!(", did you mean \"{name}\"?"))
            .unwrap_or_default();
        AssetError(vec![format!("{}: ivr.entry names this flow, and there is none{near}", file.display())])
    })?;
    Ok((set, entry))
}

/// `file:line:column: …` with the folder before it, as an editor opens it.
fn place(config: &Config, problem: &str) -> String {
    format!("{}/{problem}", config.ivr.flows.display())
}

/// Years without a file count Monday to Friday: that is a warning of the calendar, not a problem.
pub fn calendar(config: &Config) -> (Calendar, Vec<String>) {
    let shipped = ShippedCalendars::iter()
        .filter(|name| is_flow(name))
        .filter_map(|name| Some((name.to_string(), ShippedCalendars::get(&name)?.data.into_owned())));
    match merged(&config.calendar.dir, shipped) {
        Ok(files) => {
            let (calendar, problems) = Calendar::read(&files);
            (
                calendar,
                problems
                    .iter()
                    .map(|problem| format!("{}/{problem}", config.calendar.dir.display()))
                    .collect(),
            )
        }
        Err(AssetError(problems)) => (Calendar::default(), problems),
    }
}

/// People, shifts, needs, plans and the forecast of the folder, under the rules of the folder or the binary.
pub fn roster(config: &Config) -> (Roster, Vec<String>) {
    let (name, text) = SHIPPED_RULES;
    match merged(&config.roster.dir, std::iter::once((name.to_owned(), text.as_bytes().to_vec()))) {
        Ok(files) => {
            // Findings of a plan name the file later, so the folder goes before the name at once.
            let path = |name: String| config.roster.dir.join(name).display().to_string();
            let files: Vec<_> = files.into_iter().map(|(name, text)| (path(name), text)).collect();
            let (roster, problems) = Roster::read(&files);
            (roster, problems.iter().map(ToString::to_string).collect())
        }
        Err(AssetError(problems)) => (Roster::default(), problems),
    }
}

/// The same for the desk, with what the configuration says of it.
pub fn roster_files(config: &Config, mut roster: Roster, calendar: Calendar) -> RosterFiles {
    let (told, rules) = (&config.roster, &mut roster.rules);
    rules.early_login = told.early_login_min.map_or(rules.early_login, i64::from);
    rules.handover = told.handover_min.map_or(rules.handover, i64::from);
    rules.late_logout = told.late_logout_min.map_or(rules.late_logout, i64::from);
    RosterFiles { roster, calendar, binds: told.binds }
}

/// The demonstration's roster about the moment at which it begins; its users are always on shift.
pub fn demo_files(files: RosterFiles, wall_ms: i64, zone: &jiff::tz::TimeZone) -> RosterFiles {
    let (mut roster, problems) = demo_roster(roster_minute(wall_ms, zone).date());
    for problem in problems {
        tracing::error!(%problem, "the demonstration's roster");
    }
    roster.rules = files.roster.rules;
    RosterFiles { roster, ..files }
}

fn merged(
    dir: &Path,
    shipped: impl Iterator<Item = (String, Vec<u8>)>,
) -> Result<Vec<(String, String)>, AssetError> {
    let mut files: BTreeMap<String, Vec<u8>> = shipped.collect();
    let unreadable = |path: &Path, error: std::io::Error| {
        AssetError(vec![format!("{}: cannot be read: {error}", path.display())])
    };
    match std::fs::read_dir(dir) {
        Ok(entries) => {
            for entry in entries {
                let path = entry.map_err(|error| unreadable(dir, error))?.path();
                if path.extension().is_some_and(|ext| ext == "toml") && path.is_file() {
                    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    files.insert(name, std::fs::read(&path).map_err(|error| unreadable(&path, error))?);
                }
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(unreadable(dir, error)),
    }
    let text = |(name, bytes): (String, Vec<u8>)| match String::from_utf8(bytes) {
        Ok(text) => Ok((name, text)),
        Err(_) => Err(AssetError(vec![format!("{}: is not UTF-8", dir.join(name).display())])),
    };
    files.into_iter().map(text).collect()
}

/// Where the text of a flow version is kept, so that `call replay` can walk a call by the flow it had.
pub fn kept(data: &Path, hash: u64) -> PathBuf {
    data.join("flows").join(format!("{hash:016x}.toml"))
}

/// Keeps a flow's whole text by its hash. Written once: the name is the content's.
pub fn keep(data: &Path, flow: &Flow) -> std::io::Result<()> {
    let path = kept(data, flow.hash());
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    super::serve::write_whole(&path, flow.bundle().as_bytes())
}
