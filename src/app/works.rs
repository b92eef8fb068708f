//! What the desk may ask of the configuration in force and the files beside it.

use super::serve::write_whole;
use super::{assets, build};
use crate::acd::QueueConfig;
use crate::api::{
    FlowFault, FlowFile, FlowKept, FlowShelf, PromptShelf, PromptSound, PutPrompt, QueueSetting,
    TrunkSetting, Works, text_hash,
};
use crate::base::DayKind;
use crate::call::DialRules;
use crate::config::{self, Config};
use crate::ivr::{Book, FlowSet};
use crate::media::load::shelf::{self, Clip};
use crate::media::seam::Codec;
use crate::media::{Prompts, g711};
use crate::roster::Calendar;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

/// What is in force; a reload makes another.
pub struct Live {
    pub config: Config,
    pub calendar: Arc<Calendar>,
    pub dial: DialRules,
    pub queues: Vec<(Arc<str>, QueueConfig)>,
}

impl Live {
    pub fn new(config: &Config, assets: &super::Assets) -> Self {
        Self {
            config: config.clone(),
            calendar: Arc::clone(&assets.calendar),
            dial: build::dial_rules(config),
            queues: build::queues(config, &assets.entry),
        }
    }
}

/// The one in force, told by a start and by reloads.
#[derive(Clone)]
pub struct InForce(Arc<RwLock<Arc<Live>>>);

impl InForce {
    pub fn new(live: Live) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(live))))
    }
    pub fn get(&self) -> Arc<Live> {
        // Swapped whole: whoever panicked left nothing half done.
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
    pub fn set(&self, live: Live) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(live);
    }
}

/// The desk's door to all of it.
pub struct Shop {
    pub live: InForce,
    /// The prompts calls hear, which are those of the start.
    pub prompts: Arc<Prompts>,
    pub book: Arc<Book>,
    /// When the prompts were read.
    pub started: SystemTime,
}

impl Works for Shop {
    fn dialable(&self, number: &str) -> bool {
        self.live.get().dial.allows(number)
    }

    fn rings(&self, number: &str) -> bool {
        let live = self.live.get();
        live.config.sip.number == number || live.config.sip.legacy_numbers.iter().any(|old| old == number)
    }

    fn calendar(&self) -> Arc<Calendar> {
        Arc::clone(&self.live.get().calendar)
    }

    fn day_kind(&self, date: jiff::civil::Date) -> DayKind {
        self.live.get().calendar.day_kind(date)
    }

    fn has_queue(&self, name: &str) -> bool {
        self.live.get().queues.iter().any(|(known, _)| &**known == name)
    }

    fn has_prompt(&self, name: &str) -> bool {
        self.book.has(name)
    }

    fn trunks(&self) -> Vec<TrunkSetting> {
        let config = &self.live.get().config;
        let named = config.dial.trunk.as_deref();
        let with_target = |name: &str| config.trunks.iter().any(|t| t.name == name && t.target.is_some());
        let outgoing = match named {
            Some(name) => Some(name).filter(|name| with_target(name)),
            None => {
                config.trunks.iter().find(|trunk| trunk.target.is_some()).map(|trunk| trunk.name.as_str())
            }
        };
        let setting = |trunk: &config::Trunk| TrunkSetting {
            name: trunk.name.clone(),
            peers: trunk.peers.iter().map(|net| format!("{}/{}", net.addr, net.prefix)).collect(),
            target: trunk.target.map(|target| target.to_string()),
            transport: match trunk.transport {
                config::Transport::Udp => "udp",
                config::Transport::Tcp => "tcp",
            },
            asks_password: trunk.inbound.is_some(),
            registers: trunk.register.is_some(),
            trusted_identity: trunk.trusted_identity,
            max_calls: trunk.max_calls,
            max_cps: trunk.max_cps,
            outgoing: outgoing == Some(trunk.name.as_str()),
        };
        config.trunks.iter().map(setting).collect()
    }

    fn phones(&self) -> Vec<String> {
        self.live.get().config.agent_phones.iter().map(|phone| phone.name.clone()).collect()
    }

    fn queues(&self) -> Vec<QueueSetting> {
        let setting = |(name, queue): &(Arc<str>, QueueConfig)| QueueSetting {
            name: name.to_string(),
            answer: match queue.answer {
                crate::acd::Answer::Auto => "auto",
                crate::acd::Answer::Ring => "ring",
            },
            max_waiting: queue.max_waiting,
        };
        self.live.get().queues.iter().map(setting).collect()
    }

    fn flows(&self) -> Result<FlowShelf, Vec<String>> {
        let config = &self.live.get().config;
        let dir = &config.ivr.flows;
        let files = assets::flow_files(config).map_err(|told| told.0)?;
        let file = |(name, text): (String, String)| FlowFile {
            in_folder: dir.join(&name).is_file(),
            name: name.trim_end_matches(".toml").to_owned(),
            bytes: text.len(),
            hash: text_hash(&text),
        };
        Ok(FlowShelf {
            folder: dir.display().to_string(),
            writable: dir.is_dir(),
            entry: config.ivr.entry.clone(),
            files: files.into_iter().map(file).collect(),
        })
    }

    fn flow(&self, name: &str, hash: Option<&str>) -> Option<String> {
        let config = &self.live.get().config;
        if let Some(hash) = hash {
            return std::fs::read_to_string(history(&config.data, name).join(format!("{hash}.toml"))).ok();
        }
        let wanted = format!("{name}.toml");
        let files = assets::flow_files(config).ok()?;
        files.into_iter().find(|(file, _)| *file == wanted).map(|(_, text)| text)
    }

    fn flow_versions(&self, name: &str) -> Vec<FlowKept> {
        let Ok(entries) = std::fs::read_dir(history(&self.live.get().config.data, name)) else {
            return Vec::new();
        };
        let kept = |entry: std::fs::DirEntry| {
            let hash = entry.file_name().to_str()?.strip_suffix(".toml")?.to_owned();
            let at = entry.metadata().ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
            Some(FlowKept { hash, at: i64::try_from(at.as_millis()).unwrap_or(i64::MAX) })
        };
        let mut versions: Vec<FlowKept> = entries.flatten().filter_map(kept).collect();
        versions.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.hash.cmp(&b.hash)));
        versions.truncate(VERSIONS);
        versions
    }

    fn check_flow(&self, name: &str, text: &str) -> Vec<FlowFault> {
        let live = self.live.get();
        let fault = |what: String| FlowFault { file: String::new(), line: 0, column: 0, what };
        let mut files = match assets::flow_files(&live.config) {
            Ok(files) => files,
            Err(told) => return told.0.into_iter().map(fault).collect(),
        };
        let file = format!("{name}.toml");
        match files.iter_mut().find(|(known, _)| *known == file) {
            Some((_, old)) => text.clone_into(old),
            None => files.push((file, text.to_owned())),
        }
        match FlowSet::load(files, &self.book) {
            Ok(_) => Vec::new(),
            Err(problems) => problems
                .iter()
                .map(|p| FlowFault {
                    file: p.file.clone(),
                    line: p.line,
                    column: p.column,
                    what: p.what.clone(),
                })
                .collect(),
        }
    }

    fn put_flow(&self, name: &str, text: &str) -> Result<Option<String>, Vec<String>> {
        let live = self.live.get();
        let dir = &live.config.ivr.flows;
        if !dir.is_dir() {
            return Err(vec![format!(
                "{}: there is no such folder, so the flows are the program's own; make it (ivr.flows) and try again",
                dir.display()
            )]);
        }
        let path = dir.join(format!("{name}.toml"));
        let shown = |error: std::io::Error| vec![format!("{}: cannot be written: {error}", path.display())];
        let before = match std::fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(shown(error)),
        };
        let kept = history(&live.config.data, name);
        std::fs::create_dir_all(&kept).map_err(shown)?;
        for version in self.flow(name, None).iter().map(String::as_str).chain([text]) {
            write_whole(&kept.join(format!("{}.toml", text_hash(version))), version.as_bytes())
                .map_err(shown)?;
        }
        write_whole(&path, text.as_bytes()).map_err(shown)?;
        Ok(before)
    }

    fn put_back_flow(&self, name: &str, before: Option<&str>) -> Result<(), Vec<String>> {
        let path = self.live.get().config.ivr.flows.join(format!("{name}.toml"));
        let done = match before {
            Some(text) => write_whole(&path, text.as_bytes()),
            None => std::fs::remove_file(&path),
        };
        done.map_err(|error| vec![format!("{}: cannot be put back: {error}", path.display())])
    }

    fn prompts(&self) -> PromptShelf {
        let dir = &self.live.get().config.sounds.dir;
        let sounds = shelf::clips(dir).into_iter().map(|clip| self.sound(dir, clip)).collect();
        PromptShelf { folder: dir.display().to_string(), writable: dir.is_dir(), sounds }
    }

    fn prompt(&self, name: &str) -> Option<Vec<u8>> {
        let dir = &self.live.get().config.sounds.dir;
        let clip = shelf::clips(dir).into_iter().find(|clip| clip.name == name)?;
        shelf::bytes(dir, &clip)
    }

    fn put_prompt(&self, name: &str, wav: &[u8]) -> Result<PromptSound, PutPrompt> {
        let dir = &self.live.get().config.sounds.dir;
        let refused = |what: String| PutPrompt::Refused(vec![what]);
        let Some(mut clip) = shelf::clips(dir).into_iter().find(|clip| clip.name == name) else {
            return Err(PutPrompt::Unknown);
        };
        if !dir.is_dir() {
            return Err(refused(format!(
                "{}: there is no such folder, so the sounds are the program's own; make it (sounds.dir) and try again",
                dir.display()
            )));
        }
        shelf::check(wav).map_err(|what| refused(format!("{name}.wav: {what}")))?;
        let path = dir.join(&clip.file);
        let written =
            path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| write_whole(&path, wav));
        written.map_err(|error| refused(format!("{}: cannot be written: {error}", path.display())))?;
        clip.on_disk = true;
        Ok(self.sound(dir, clip))
    }
}

/// Versions of a flow that are listed.
const VERSIONS: usize = 100;

/// Where the versions of a flow file are kept.
fn history(data: &Path, name: &str) -> PathBuf {
    data.join("flows").join("history").join(name)
}

impl Shop {
    /// Measured in memory, as calls hear it; from the file when that is newer than the start.
    fn sound(&self, dir: &Path, clip: Clip) -> PromptSound {
        let changed = std::fs::metadata(dir.join(&clip.file)).and_then(|about| about.modified());
        let waiting = clip.on_disk && changed.is_ok_and(|at| at > self.started);
        let heard = self.prompts.id(&clip.name).filter(|_| !waiting);
        let figures = match heard {
            Some(id) => {
                let table = g711::table(Codec::Pcma);
                let bytes = self.prompts.get(id, Codec::Pcma);
                shelf::figures(bytes.iter().map(|byte| table[usize::from(*byte)]))
            }
            None => shelf::bytes(dir, &clip).and_then(|wav| shelf::check(&wav).ok()).unwrap_or_default(),
        };
        PromptSound {
            text: self.book.text(&clip.name).to_owned(),
            name: clip.name,
            ms: figures.ms,
            level_dbfs: figures.level_dbfs,
            peak_dbfs: figures.peak_dbfs,
            in_folder: clip.on_disk,
            waiting,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shop over folders of its own; what isn't in them is the binary's.
    fn shop(dir: &Path, folders: bool) -> Shop {
        if folders {
            std::fs::create_dir_all(dir.join("ivr-flows")).unwrap();
            std::fs::create_dir_all(dir.join("sounds")).unwrap();
        }
        let config = Config::from_str_named("", &dir.join("hotline.toml"), std::iter::empty()).unwrap();
        let started = SystemTime::now() - std::time::Duration::from_secs(1);
        let assets = super::super::load_assets(&config).unwrap();
        let (prompts, book) = (Arc::clone(&assets.prompts), Arc::clone(&assets.book));
        Shop { live: InForce::new(Live::new(&config, &assets)), prompts, book, started }
    }

    #[test]
    fn a_flow_is_checked_with_the_others_written_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let shop = shop(dir.path(), true);
        let shipped = shop.flow("main", None).unwrap();
        assert!(shop.check_flow("main", &shipped).is_empty());
        let broken = shipped.replacen("next = \"", "next = \"no_such_", 1);
        let faults = shop.check_flow("main", &broken);
        assert!(faults.iter().any(|f| f.file == "main.toml" && f.line > 1 && f.column > 0), "{faults:?}");
        assert!(!shop.check_flow("other", "[flow").is_empty());

        let changed = format!("# ours\n{shipped}");
        assert_eq!(shop.put_flow("main", &changed), Ok(None), "the folder had none");
        assert_eq!(shop.flow("main", None).as_ref(), Some(&changed));
        let file = |shelf: FlowShelf| shelf.files.into_iter().find(|file| file.name == "main").unwrap();
        assert!(file(shop.flows().unwrap()).in_folder);
        let hashes: Vec<String> = shop.flow_versions("main").into_iter().map(|kept| kept.hash).collect();
        assert!(hashes.contains(&text_hash(&shipped)) && hashes.contains(&text_hash(&changed)));
        assert_eq!(shop.flow("main", Some(&text_hash(&shipped))), Some(shipped.clone()));
        shop.put_back_flow("main", None).unwrap();
        assert_eq!(shop.flow("main", None), Some(shipped));
    }

    #[test]
    fn without_folders_nothing_is_written_and_the_reason_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let shop = shop(dir.path(), false);
        assert!(!shop.flows().unwrap().writable && !shop.prompts().writable);
        let told = shop.put_flow("main", "[flow]").unwrap_err();
        assert!(told[0].contains("ivr.flows"), "{told:?}");
        let wav = shop.prompt("welcome").unwrap();
        let Err(PutPrompt::Refused(told)) = shop.put_prompt("welcome", &wav) else {
            panic!("it was written")
        };
        assert!(told[0].contains("sounds.dir"), "{told:?}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_prompt_is_measured_checked_and_waits_for_the_next_start() {
        let dir = tempfile::tempdir().unwrap();
        let shop = shop(dir.path(), true);
        let of = |name: &str| shop.prompts().sounds.into_iter().find(|sound| sound.name == name).unwrap();
        let welcome = of("welcome");
        assert!(!welcome.in_folder && !welcome.waiting && !welcome.text.is_empty());
        assert!(
            (7000..7010).contains(&welcome.ms) && (-35.0..-5.0).contains(&welcome.level_dbfs),
            "{welcome:?}"
        );
        let other = shop.prompt("keys_hint").unwrap();
        let put = shop.put_prompt("welcome", &other).unwrap();
        assert!(put.waiting && put.in_folder && put.ms == of("keys_hint").ms, "{put:?}");
        assert_eq!(shop.prompt("welcome"), Some(other));
        let Err(PutPrompt::Refused(told)) = shop.put_prompt("welcome", b"<svg onload=alert(1)>") else {
            panic!("it was taken")
        };
        assert!(told[0].contains("not a WAV file"), "{told:?}");
        assert_eq!(shop.put_prompt("../welcome", b""), Err(PutPrompt::Unknown));
        assert!(of("welcome").waiting, "the refused one changed nothing");
    }

    #[test]
    fn settings_are_those_of_the_configuration_without_its_secrets() {
        let dir = tempfile::tempdir().unwrap();
        let text = "[[trunk]]\nname = \"city\"\npeers = [\"192.0.2.0/24\"]\ntarget = \"192.0.2.10:5060\"\n\
                    inbound = { username = \"city\", password = \"hidden-1\" }\n[[agent_phone]]\nname = \"8001\"\n\
                    password = \"hidden-2\"\n[dial]\nallow = [\"110\", \"010*\"]\n[sip]\nlegacy_numbers = [\"96341\"]\n";
        let config =
            Config::from_str_named(text, &dir.path().join("hotline.toml"), std::iter::empty()).unwrap();
        let assets = super::super::load_assets(&config).unwrap();
        let (prompts, book) = (Arc::clone(&assets.prompts), Arc::clone(&assets.book));
        let live = InForce::new(Live::new(&config, &assets));
        let shop = Shop { live, prompts, book, started: SystemTime::now() };
        let trunks = shop.trunks();
        assert!(
            trunks[0].outgoing && trunks[0].asks_password && trunks[0].peers == ["192.0.2.0/24"],
            "{trunks:?}"
        );
        assert!(!format!("{trunks:?}{:?}", shop.phones()).contains("hidden"));
        assert!(shop.dialable("110") && shop.dialable("01012345") && !shop.dialable("1100"));
        assert!(shop.rings("96341") && shop.rings("12341") && !shop.rings("110"));
        assert!(shop.has_queue("main") && !shop.has_queue("nothing") && shop.has_prompt("welcome"));
    }
}
