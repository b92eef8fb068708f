//! A call by an old number: its greeting first, its queue and its skill, and nothing of it once its last day is over.

use crate::room::{Room, WALL, config, flow, person, who};
use hotline::call::agents::seam::AgentEvent;
use hotline::call::fact::{Fact, StepTrail};
use hotline::call::{Count, Input, LegacyNumber};
use std::net::SocketAddr;

const OLD: &str = "88881234";
const GREETING: &str = "goodbye";

fn table() -> LegacyNumber {
    LegacyNumber {
        number: who(OLD),
        unit: Some(who("water")),
        queue: Some(who("second")),
        skill: Some(who("water")),
        greeting: Some(who(GREETING)),
        until_ms: None,
    }
}

/// 8001 serves the common queue, 8002 and 8003 the second; 8003 knows of water. Key 9 leads to the common queue for English.
fn room(row: LegacyNumber) -> Room {
    let mut config = config();
    config.ua.numbers.push(who(OLD));
    let text = include_str!("flow.toml")
        .replace("start = \"people\"", "start = \"welcome\"")
        .replace("raise =", "keys = { \"9\" = \"english\" }\nraise =")
        + r#"
[node.welcome]
kind = "play"
prompt = "welcome"
next = "people"

[node.english]
kind = "queue"
queue = "main"
skills = { english = 1 }
comfort = "queue_comfort"
timeout_s = 7200
no_staff_after_s = 7200
timeout = "bye"
full = "bye"
no_staff = "bye"
answered = "bye"
"#;
    config.flow = flow(&text);
    let people = [
        person("8001", &["main"], &[("english", 1)]),
        person("8002", &["second"], &[]),
        person("8003", &["second"], &[("water", 2)]),
    ];
    let mut room = Room::with(config, &people);
    room.give(Input::LegacyNumbers(vec![row]));
    room
}

fn clip(name: &str) -> u32 {
    config().clips.get(name).expect("a clip").0
}

fn calls(room: &mut Room, diverted: bool) -> SocketAddr {
    let at = SocketAddr::from(([127, 0, 0, 2], 11_000));
    room.peer_says(at, |peer| peer.dial_old(OLD, diverted));
    at
}

fn offered_to(room: &Room) -> Vec<String> {
    let offered = |event: &AgentEvent| matches!(event, AgentEvent::Offered { .. });
    room.told.iter().filter(|(_, event)| offered(event)).map(|(to, _)| to.to_string()).collect()
}

fn values(room: &Room) -> Vec<(String, String)> {
    let value = |fact: &Fact| match fact {
        Fact::ValueSet { name, value, .. } => Some((name.clone(), value.reveal().to_owned())),
        _ => None,
    };
    room.facts.iter().filter_map(value).collect()
}

#[test]
fn it_leads_to_its_line_after_its_greeting() {
    for diverted in [false, true] {
        let mut room = room(table());
        ["8001", "8002", "8003"].into_iter().for_each(|agent| room.ready(agent));
        room.forget();
        calls(&mut room, diverted);
        assert_eq!(room.played[..2], [clip(GREETING), clip("welcome")], "once, and first");
        assert_eq!(offered_to(&room), ["8003"], "8002 is there longer and knows nothing of water");
        let set = [("dialled", OLD), ("dialled_unit", "water")];
        assert_eq!(values(&room), set.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let begins = room.facts.iter().filter(|fact| match fact {
            Fact::Step(step) => step.trail.contains(&StepTrail::Entered("welcome".to_owned())),
            _ => false,
        });
        assert_eq!(begins.count(), 1);
        assert_eq!(room.engine.counters().get(Count::LegacyCalls), 1);
        room.give(Input::EndAll);
        room.assert_rest();
    }
}

#[test]
fn a_key_leads_where_it_says() {
    let mut room = room(table());
    room.ready("8001");
    let at = calls(&mut room, false);
    assert_eq!(offered_to(&room), Vec::<String>::new());
    room.peer_says(at, |peer| peer.key('9'));
    // Nobody there knows of water; the line that was chosen counts.
    assert_eq!(offered_to(&room), ["8001"]);
}

#[test]
fn a_queue_that_is_gone_and_a_prompt_that_is_missing_harm_nobody() {
    let missing = |greeting: Option<&str>| {
        let row = LegacyNumber { queue: Some(who("gone")), greeting: greeting.map(who), ..table() };
        let mut room = room(row);
        room.ready("8001");
        calls(&mut room, false);
        assert_eq!(room.played.first(), Some(&clip("welcome")));
        assert_eq!(offered_to(&room), ["8001"], "the flow's own queue, where nobody knows of water");
        room.engine.counters().get(Count::ClipMissing)
    };
    assert_eq!(missing(Some("gone")), missing(None) + 1);
}

#[test]
fn after_its_last_day_it_is_a_number_like_any_other() {
    let mut room = room(LegacyNumber { until_ms: Some(WALL + 60_000), ..table() });
    room.ready("8001");
    room.pass(61_000);
    room.forget();
    calls(&mut room, false);
    assert_eq!(room.played.first(), Some(&clip("welcome")));
    assert_eq!((offered_to(&room), values(&room)), (vec!["8001".to_owned()], Vec::new()));
    let counted = |what| room.engine.counters().get(what);
    assert_eq!((counted(Count::LegacyCalls), counted(Count::LegacyExpired)), (0, 1));
}

#[test]
fn who_dials_the_hotline_itself_hears_nothing_of_it() {
    let mut room = room(table());
    room.ready("8001");
    room.citizen();
    assert_eq!(room.played.first(), Some(&clip("welcome")));
    assert_eq!(offered_to(&room), ["8001"]);
}
