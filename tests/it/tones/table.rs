//! A room with one server and several tables, and the words of a cell's script.
//!
//! | words | what is done |
//! |---|---|
//! | `in a` | the citizen dials, the queue gives him to `a`, and they hear each other |
//! | `out a N` | `a` dials `N` |
//! | `a consult x`, `a transfer x`, `a conference x` | and `x` answers |
//! | `a asks x`, `a sends x` | consult and blind transfer, and `x` rings |
//! | `x answers`, `x refuses` | the ringing |
//! | `a again` | `a` gets the citizen who is in the queue |
//! | `a transfer`, `a conference` | with the one who was asked |
//! | `a queue x` | back to the queue, where `x` gets him |
//! | `a ninth x` | a conference that is refused |
//! | `L listen a`, `L whisper a`, `L barge a`, `L takeover a` | a lead's |
//! | `a hold`, `a retrieve`, `a complete` | the agent's |
//! | `over x` | `x` hangs up, and with that all is over |
//! | `x bye`, `C holds`, `C resumes` | by its telephone, or the agent's panel |
//! | `hear ab C:m L:ab` | `a` and `b` hear each other, `C` the music, `L` both; nobody hears anything else |
//! | `wrong C:bL …` | the same, and the one thing that is not so is that `C` hears `L` |

use crate::support::cti::Agent;
use crate::support::hall::{Hall, Manner, Phone};
use crate::support::level;
use crate::support::page::Page;
use crate::support::server::{PASSWORD, Server, Setup};
use crate::support::tone::{self, Ears, Heard};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const WAIT: Duration = Duration::from_secs(10);
/// A change must be heard by everybody within this time, the window of the measure included.
const SETTLE: Duration = Duration::from_secs(4);
const PHONE: &str = "desk-phone-12341";
/// The letters of a table; the place of a letter is its tone's.
const LETTERS: &str = "CbBpPLNMO";

/// One server, and who is called by what.
pub struct Room {
    pub server: Server,
    pub hall: Hall,
    _sounds: tempfile::TempDir,
    /// One agent is ready at a time, so that the queue has no choice.
    turn: Mutex<()>,
    /// Each table's letters and the music: name and tone.
    tones: Vec<(String, f64)>,
}

impl Room {
    /// `flow`: what the citizen's call does; after an agent it says a silent goodbye at once, or asks how it was.
    pub fn open(tables: usize, flow: &str) -> Self {
        let hall = Hall::open();
        let mut tones = vec![("music".to_owned(), tone::frequency(0))];
        for table in 0..tables {
            for (n, letter) in LETTERS.chars().enumerate() {
                let hz = tone::frequency(1 + table * LETTERS.len() + n);
                tones.push((format!("{letter}{table}"), hz));
            }
        }
        let sounds = tempfile::tempdir().expect("a folder");
        write_sound(sounds.path(), "moh/hold.wav", &tone::samples(tones[0].1, 30.0));
        for quiet in ["goodbye", "survey"] {
            write_sound(sounds.path(), &format!("zh/{quiet}.wav"), &[0; 1_600]);
        }
        let phones: String = (0..tables)
            .flat_map(|table| ["p", "q"].map(|kind| format!("t{table}{kind}")))
            .map(|name| format!("[[agent_phone]]\nname = \"{name}\"\npassword = \"{PHONE}\"\n"))
            .collect();
        let trunk = format!("name = \"city\"\ntarget = \"{}\"", hall.carrier);
        let scenarios =
            include_str!("../../../sipp-scenarios/hotline.toml").replace("name = \"city\"", &trunk);
        let config =
            format!("{scenarios}\n{phones}[queue.people]\nanswer = \"ring\"\n[dial]\nallow = [\"139*\"]\n");
        let setup = Setup::of(&config).key("sip.digest", "MD5").key("sounds.dir", sounds.path().display());
        let server = setup.flow("desk", flow).start();
        std::thread::scope(|scope| {
            for table in 0..tables {
                let server = &server;
                scope.spawn(move || {
                    for kind in ["b", "c", "p", "q"] {
                        server.user(&format!("t{table}{kind}"), "agent");
                    }
                    server.user(&format!("t{table}l"), "lead");
                });
            }
        });
        Self { server, hall, _sounds: sounds, turn: Mutex::new(()), tones }
    }

    fn tone(&self, letter: char, table: usize) -> f64 {
        let name = if letter == 'm' { "music".to_owned() } else { format!("{letter}{table}") };
        self.tones.iter().find(|(known, _)| *known == name).expect("a letter of the table").1
    }
}

fn write_sound(folder: &Path, name: &str, samples: &[i16]) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec).expect("a WAV file");
    samples.iter().for_each(|sample| file.write_sample(*sample).expect("write"));
    file.finalize().expect("a whole file");
}

/// Somebody who works by websocket: with a page for ears and mouth, or a desk phone.
pub struct Seat {
    pub agent: Agent,
    pub page: Option<Page>,
    pub phone: Option<Phone>,
}

impl Seat {
    fn ears(&self) -> &Ears {
        match (&self.page, &self.phone) {
            (Some(page), _) => &page.ears,
            (None, Some(phone)) => &phone.ears,
            (None, None) => unreachable!("each seat has one of them"),
        }
    }
}

pub struct Table<'a> {
    room: &'a Room,
    n: usize,
    pub seats: BTreeMap<char, Seat>,
    /// The citizen and the outside numbers.
    pub lines: BTreeMap<char, Phone>,
    /// Held while the citizen is in the queue, or may come to be there.
    turn: Option<MutexGuard<'a, ()>>,
}

/// Of a cell that passed.
pub struct Told {
    /// Pairs of ears and tones.
    pub judged: usize,
    /// Milliseconds until everybody heard what he should.
    pub slowest: u128,
}

impl<'a> Table<'a> {
    pub fn sit(room: &'a Room, n: usize) -> Self {
        let at = room.server.at;
        let mut lines = BTreeMap::new();
        lines.insert('C', room.hall.citizen(at.udp, &format!("1200002000{n}"), room.tone('C', n)));
        for (letter, last) in [('N', 1), ('M', 2), ('O', 3)] {
            let number = format!("139000{n}000{last}");
            lines.insert(letter, room.hall.outside(at.udp, &number, room.tone(letter, n)));
        }
        let mut seats = BTreeMap::new();
        for (letter, kind) in [('b', "b"), ('B', "c"), ('p', "p"), ('P', "q"), ('L', "l")] {
            let (name, hz) = (format!("t{n}{kind}"), room.tone(letter, n));
            let phone = "pP".contains(letter).then(|| room.hall.desk_phone(at.udp, &name, PHONE, hz));
            let mut agent = Agent::open(at.http, &name, PASSWORD);
            let device = if phone.is_some() { name.as_str() } else { "browser" };
            // The directory takes a moment to know a new user.
            level::until("the log-in", WAIT, || {
                (agent.command("agent.login", json!({"device": device}))["ok"] == true).then_some(())
            });
            let page = phone.is_none().then(|| Page::open(&mut agent, hz));
            let mut seat = Seat { agent, page, phone };
            seat.rest();
            seats.insert(letter, seat);
        }
        Self { room, n, seats, lines, turn: None }
    }

    /// Plays a script; the first thing that is not as it says ends it.
    pub fn play(&mut self, script: &str) -> Result<Told, String> {
        let mut told = Told { judged: 0, slowest: 0 };
        for step in script.split(';').map(str::trim) {
            let done = catch_unwind(AssertUnwindSafe(|| self.step(step, &mut told)));
            let why = match done {
                Ok(Ok(())) => continue,
                Ok(Err(why)) => why,
                Err(panic) => panic
                    .downcast_ref::<String>()
                    .cloned()
                    .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                    .unwrap_or_default(),
            };
            return Err(format!("at \"{step}\" of \"{script}\": {why}"));
        }
        Ok(told)
    }

    fn step(&mut self, step: &str, told: &mut Told) -> Result<(), String> {
        let words: Vec<&str> = step.split_whitespace().collect();
        let letter = |at: usize| words.get(at).and_then(|word| word.chars().next()).unwrap_or(' ');
        match *words.as_slice() {
            ["hear", ref rest @ ..] => return self.hear(rest, SETTLE, told),
            ["wrong", ref rest @ ..] => {
                // What is still on its way out of somebody's ears is gone within the time that everything has to settle.
                let want = format!("C hears L{}: No", self.n);
                let begun = Instant::now();
                loop {
                    let why = self.hear(rest, tone::WINDOW * 2, told).err().ok_or("heard as said")?;
                    if why == want {
                        break;
                    }
                    assert!(begun.elapsed() < SETTLE, "wanted {want:?}, heard {why:?}");
                }
            }
            ["in", _] => {
                self.comes_in(letter(1), true);
                return self.both_ways(letter(1), told);
            }
            ["over", _] => return self.over(letter(1), told),
            ["out", _, _] => {
                let number = self.number(letter(2));
                self.agent(letter(1)).done("call.dial", json!({"number": number}));
                self.lines[&letter(2)].until_up();
            }
            [_, "queue", _] => {
                self.take_turn();
                self.agent(letter(2)).done("agent.ready", json!({}));
                self.until(letter(2), "ready");
                self.agent(letter(0)).done("call.transfer", json!({"to": {"queue": "people"}}));
                self.takes(letter(2));
                self.turn = None;
                return self.both_ways(letter(2), told);
            }
            [_, "ninth", _] => {
                let to = self.target(letter(2));
                let answer = self.agent(letter(0)).command("call.conference", json!({"to": to}));
                assert_eq!(answer["error"]["code"], "limit", "{answer}");
            }
            ["L", how, _] => {
                let name = self.agent(letter(2)).name.clone();
                self.agent('L').done(&format!("supervisor.{how}"), json!({"agent": name}));
            }
            [_, how @ ("consult" | "transfer" | "conference"), _] => {
                let to = self.target(letter(2));
                self.agent(letter(0)).done(&format!("call.{how}"), json!({"to": to}));
                self.reached(letter(2));
                if how != "transfer" {
                    self.agent(letter(0)).event("call.joined");
                }
            }
            [_, how @ ("asks" | "sends"), _] => {
                let (to, called) = (self.target(letter(2)), letter(2));
                self.phone(called).inspect(|phone| phone.behave(Manner::Rings));
                if how == "sends" {
                    self.take_turn();
                }
                let how = if how == "asks" { "call.consult" } else { "call.transfer" };
                self.agent(letter(0)).done(how, json!({"to": to}));
                match self.phone(called) {
                    Some(phone) => phone.until_rings(),
                    None => drop(self.agent(called).event("call.offered")),
                }
            }
            [_, "answers"] => match self.phone(letter(0)) {
                Some(phone) => phone.answer(),
                None => drop(self.agent(letter(0)).done("call.answer", json!({}))),
            },
            [_, "refuses"] => match self.phone(letter(0)) {
                Some(phone) => phone.refuse(),
                None => drop(self.agent(letter(0)).done("call.reject", json!({}))),
            },
            [_, "again"] => {
                self.seats.get_mut(&letter(0)).expect("an agent").rest();
                self.agent(letter(0)).forget();
                self.comes_in(letter(0), false);
                return self.both_ways(letter(0), told);
            }
            [_, "bye"] => match self.phone(letter(0)) {
                Some(phone) => phone.hang_up(),
                None => drop(self.agent(letter(0)).done("call.hangup", json!({}))),
            },
            [_, "holds"] => self.phone(letter(0)).expect("a telephone").hold(true),
            [_, "resumes"] => self.phone(letter(0)).expect("a telephone").hold(false),
            [_, how @ ("hold" | "retrieve" | "complete" | "transfer" | "conference")] => {
                self.agent(letter(0)).done(&format!("call.{how}"), json!({}));
            }
            _ => return Err("no such words".to_owned()),
        }
        Ok(())
    }

    /// The telephone of a letter that has one.
    fn phone(&self, letter: char) -> Option<&Phone> {
        self.lines.get(&letter).or_else(|| self.seats.get(&letter)?.phone.as_ref())
    }

    fn agent(&mut self, letter: char) -> &mut Agent {
        &mut self.seats.get_mut(&letter).unwrap_or_else(|| panic!("{letter} is no agent")).agent
    }

    fn number(&self, letter: char) -> String {
        let last = "NMO".find(letter).expect("an outside number") + 1;
        format!("139000{}000{last}", self.n)
    }

    fn target(&self, letter: char) -> Value {
        match self.seats.get(&letter) {
            Some(seat) => json!({"agent": seat.agent.name}),
            None => json!({"number": self.number(letter)}),
        }
    }

    fn until(&mut self, letter: char, state: &str) {
        let agent = self.agent(letter);
        let what = format!("{} is {state}", agent.name);
        level::until(&what, WAIT, || (agent.is() == state).then_some(()));
    }

    fn take_turn(&mut self) {
        if self.turn.is_none() {
            self.turn = Some(self.room.turn.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Whoever has got a citizen from the queue hears him and is heard by him.
    fn both_ways(&mut self, letter: char, told: &mut Told) -> Result<(), String> {
        self.hear(&[&format!("{letter}C")], SETTLE, told)
    }

    /// One side hangs up: the other's call ends too, and nobody hears anybody any more.
    fn over(&mut self, letter: char, told: &mut Told) -> Result<(), String> {
        let on_call: Vec<char> =
            self.seats.iter().filter(|(_, seat)| seat.agent.is() == "on_call").map(|(on, _)| *on).collect();
        match self.phone(letter) {
            Some(phone) => phone.hang_up(),
            None => drop(self.agent(letter).done("call.hangup", json!({}))),
        }
        for agent in on_call {
            let ended = self.agent(agent).event("call.ended");
            let why = if self.lines.contains_key(&letter) { "caller_hung_up" } else { "hung_up" };
            if ended["data"]["reason"] != why {
                return Err(format!("{agent}: {ended}"));
            }
        }
        self.lines[&'C'].until_down();
        self.hear(&[], SETTLE, told)
    }

    /// The citizen dials and gets this agent, who wants no other call after him.
    fn comes_in(&mut self, letter: char, dials: bool) {
        self.take_turn();
        self.agent(letter).done("agent.ready", json!({}));
        if dials {
            self.until(letter, "ready");
            self.lines[&'C'].dial("12341");
        }
        self.takes(letter);
        self.lines[&'C'].until_up();
        self.turn = None;
    }

    /// The queue's offer, answered by panel or by handset.
    fn takes(&mut self, letter: char) {
        let browser = self.seats[&letter].page.is_some();
        let agent = self.agent(letter);
        agent.event("call.offered");
        if browser {
            agent.done("call.answer", json!({}));
        }
        agent.event("call.answered");
        agent.done("agent.not_ready", json!({"reason": "table"}));
    }

    /// Whoever was called answers.
    fn reached(&mut self, letter: char) {
        if let Some(line) = self.lines.get(&letter) {
            return line.until_up();
        }
        let browser = self.seats[&letter].page.is_some();
        let agent = self.agent(letter);
        agent.event("call.offered");
        if browser {
            agent.done("call.answer", json!({}));
        }
        agent.event("call.answered");
    }

    /// Whom each letter of the table shall hear.
    fn wanted(&self, said: &[&str]) -> BTreeMap<char, BTreeSet<char>> {
        let mut wanted: BTreeMap<char, BTreeSet<char>> =
            LETTERS.chars().map(|letter| (letter, BTreeSet::new())).collect();
        for group in said {
            match group.split_once(':') {
                Some((listener, heard)) => {
                    let listener = listener.chars().next().unwrap_or(' ');
                    wanted.entry(listener).or_default().extend(heard.chars());
                }
                None => {
                    for listener in group.chars() {
                        let others = group.chars().filter(|other| *other != listener);
                        wanted.entry(listener).or_default().extend(others);
                    }
                }
            }
        }
        wanted
    }

    fn hear(&mut self, said: &[&str], within: Duration, told: &mut Told) -> Result<(), String> {
        let wanted = self.wanted(said);
        let tones: Vec<f64> = self.room.tones.iter().map(|(_, hz)| *hz).collect();
        let began = Instant::now();
        loop {
            let mut wrong = Vec::new();
            for (letter, heard) in &wanted {
                let wants: Vec<f64> = heard.iter().map(|heard| self.room.tone(*heard, self.n)).collect();
                for (n, judged) in self.ears(*letter).now(&tones).into_iter().enumerate() {
                    let want = if wants.contains(&tones[n]) { Heard::Yes } else { Heard::No };
                    if judged != want {
                        wrong.push(format!("{letter} hears {}: {judged:?}", self.room.tones[n].0));
                    }
                }
            }
            if wrong.is_empty() {
                told.judged += wanted.len() * tones.len();
                told.slowest = told.slowest.max(began.elapsed().as_millis());
                return Ok(());
            }
            if began.elapsed() > within {
                return Err(wrong.join(", "));
            }
            std::thread::park_timeout(Duration::from_millis(40));
        }
    }

    fn ears(&self, letter: char) -> &Ears {
        match self.lines.get(&letter) {
            Some(line) => &line.ears,
            None => self.seats[&letter].ears(),
        }
    }

    /// Everybody goes home: nothing of this cell is left for the next.
    pub fn clear(&mut self) {
        let phones = self.seats.values().filter_map(|seat| seat.phone.as_ref());
        for phone in self.lines.values().chain(phones) {
            phone.refuse();
            phone.behave(Manner::Answers);
        }
        self.lines.values().for_each(Phone::hang_up);
        for seat in self.seats.values_mut() {
            seat.rest();
        }
        for line in self.lines.values() {
            line.until_down();
            line.ears.clear();
        }
        for seat in self.seats.values_mut() {
            seat.ears().clear();
            seat.agent.forget();
        }
        self.turn = None;
    }
}

impl Seat {
    /// Until he is logged in, not ready, and on no call.
    fn rest(&mut self) {
        let agent = &mut self.agent;
        level::until("the agent is at rest", WAIT, || {
            let next = match agent.is().as_str() {
                "not_ready" => return Some(()),
                "offered" => ("call.reject", json!({})),
                "on_call" => ("call.hangup", json!({})),
                "wrap_up" => ("wrapup.finish", json!({})),
                _ => ("agent.not_ready", json!({"reason": "table"})),
            };
            // A refusal means that he is on his way already.
            agent.command(next.0, next.1);
            None
        });
    }
}
