//! A machine that dials the demonstration's numbers only, with one holiday week.

use crate::api::{
    FlowFault, FlowFile, FlowKept, FlowShelf, PromptShelf, PromptSound, PutPrompt, QueueSetting,
    TrunkSetting, Works, text_hash,
};
use crate::base::DayKind;
use crate::call::PeerState;
use crate::store::demo;
use crate::store::tests::facts::NINE;
use jiff::civil::{Date, date};
use std::collections::BTreeMap;
use std::sync::Mutex;

pub struct Plain {
    /// The folder of flows: names and texts.
    pub flows: Mutex<BTreeMap<String, String>>,
    kept: Mutex<Vec<(String, String)>>,
    welcome: Mutex<Vec<u8>>,
}

impl Default for Plain {
    fn default() -> Self {
        let flows = BTreeMap::from([("main".to_owned(), "[flow] # main".to_owned())]);
        Self { flows: Mutex::new(flows), kept: Mutex::default(), welcome: Mutex::new(b"RIFF".to_vec()) }
    }
}

pub fn peers() -> Vec<PeerState> {
    let peer = |name: &str, trunk, registered, contacts| PeerState {
        name: name.into(),
        trunk,
        registered,
        contacts,
    };
    vec![peer("carrier", true, true, 0), peer("8001", false, true, 2), peer("8002", false, false, 0)]
}

impl Works for Plain {
    fn dialable(&self, number: &str) -> bool {
        number.starts_with(demo::DIALS)
    }
    fn rings(&self, number: &str) -> bool {
        ["12341", demo::LEGACY, "12000096342"].contains(&number)
    }
    fn calendar(&self) -> std::sync::Arc<crate::roster::Calendar> {
        crate::store::tests::tables().calendar
    }
    fn day_kind(&self, day: Date) -> DayKind {
        match day {
            day if (date(2026, 10, 1)..=date(2026, 10, 7)).contains(&day) => DayKind::Holiday,
            day if day.weekday().to_monday_one_offset() > 5 => DayKind::Weekend,
            _ => DayKind::Workday,
        }
    }
    fn has_queue(&self, name: &str) -> bool {
        ["main", "business"].contains(&name)
    }
    fn has_prompt(&self, name: &str) -> bool {
        ["welcome", "welcome_short"].contains(&name)
    }
    fn trunks(&self) -> Vec<TrunkSetting> {
        let carrier =
            TrunkSetting { name: "carrier".into(), transport: "udp", registers: true, ..Default::default() };
        vec![carrier, TrunkSetting { name: "spare".into(), transport: "tcp", ..Default::default() }]
    }
    fn phones(&self) -> Vec<String> {
        vec!["8001".into(), "8002".into()]
    }
    fn queues(&self) -> Vec<QueueSetting> {
        vec![QueueSetting { name: "main".into(), answer: "ring", max_waiting: 200 }]
    }
    fn flows(&self) -> Result<FlowShelf, Vec<String>> {
        let file = |(name, text): (&String, &String)| FlowFile {
            name: name.clone(),
            in_folder: true,
            bytes: text.len(),
            hash: text_hash(text),
        };
        let files = self.flows.lock().unwrap().iter().map(file).collect();
        Ok(FlowShelf { folder: "ivr-flows".into(), writable: true, entry: "main".into(), files })
    }
    fn flow(&self, name: &str, hash: Option<&str>) -> Option<String> {
        match hash {
            None => self.flows.lock().unwrap().get(name).cloned(),
            Some(hash) => {
                let kept = self.kept.lock().unwrap();
                kept.iter()
                    .find(|(of, text)| of == name && text_hash(text) == hash)
                    .map(|(_, text)| text.clone())
            }
        }
    }
    fn flow_versions(&self, name: &str) -> Vec<FlowKept> {
        let kept = self.kept.lock().unwrap();
        let of = kept.iter().rev().filter(|(of, _)| of == name);
        of.map(|(_, text)| FlowKept { hash: text_hash(text), at: NINE }).collect()
    }
    fn check_flow(&self, name: &str, text: &str) -> Vec<FlowFault> {
        let fault =
            || FlowFault { file: format!("{name}.toml"), line: 2, column: 5, what: "no such node".into() };
        text.contains("wrong").then(fault).into_iter().collect()
    }
    fn put_flow(&self, name: &str, text: &str) -> Result<Option<String>, Vec<String>> {
        let before = self.flows.lock().unwrap().insert(name.to_owned(), text.to_owned());
        let both = before.iter().cloned().chain([text.to_owned()]);
        self.kept.lock().unwrap().extend(both.map(|text| (name.to_owned(), text)));
        Ok(before)
    }
    fn put_back_flow(&self, name: &str, before: Option<&str>) -> Result<(), Vec<String>> {
        let mut flows = self.flows.lock().unwrap();
        match before {
            Some(text) => drop(flows.insert(name.to_owned(), text.to_owned())),
            None => drop(flows.remove(name)),
        }
        Ok(())
    }
    fn prompts(&self) -> PromptShelf {
        let sound =
            PromptSound { name: "welcome".into(), ms: 7_000, level_dbfs: -20.04, ..Default::default() };
        PromptShelf { folder: "sounds".into(), writable: true, sounds: vec![sound] }
    }
    fn prompt(&self, name: &str) -> Option<Vec<u8>> {
        (name == "welcome").then(|| self.welcome.lock().unwrap().clone())
    }
    fn put_prompt(&self, name: &str, wav: &[u8]) -> Result<PromptSound, PutPrompt> {
        match name {
            "welcome" if wav.starts_with(b"RIFF") => {
                *self.welcome.lock().unwrap() = wav.to_vec();
                Ok(PromptSound { name: name.to_owned(), waiting: true, ..Default::default() })
            }
            "welcome" => Err(PutPrompt::Refused(vec!["welcome.wav: not a WAV file".to_owned()])),
            _ => Err(PutPrompt::Unknown),
        }
    }
}
