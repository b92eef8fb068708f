//! Agents in real browsers, a process and a microphone each: two calls at once, and three on one (issue 4, row 1); the server
//! goes away during a call and comes back (row 2).

use crate::agents::{one_at_a_time, prompts, write_voice};
use crate::support::baresip::Baresip;
use crate::support::caller::Phone;
use crate::support::desk::Desk;
use crate::support::level;
use crate::support::server::{Server, Setup};
use crate::support::voice::{self, Voice};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(20);
/// The median of the half seconds that are no pause.
const LIKE: f64 = 0.9;
/// Two seconds of a voice are less like any other than this.
const UNLIKE: f64 = 0.4;
/// Half seconds with a voice in them, of nine seconds.
const ENOUGH: usize = 6;

/// Ten seconds of a voice, said again and again by whose microphone the file is.
fn speaker(dir: &Path, name: &str, clips: &[&str]) -> (PathBuf, Voice) {
    let mut said = prompts(clips);
    said.truncate(80_000);
    let path = write_voice(dir, &format!("{name}.wav"), &said, 240);
    (path, Voice::new(&said))
}

fn demonstration(keys: &[(&str, &str)]) -> Server {
    let setup = Setup { args: vec!["--demo".into()], ..Setup::of("") };
    keys.iter().fold(setup, |setup, (key, value)| setup.key(key, value)).start()
}

fn dial(server: &Server, microphone: &Path, number: &str) -> Baresip {
    let mut citizen = Baresip::citizen(microphone, number);
    citizen.order("dial", &format!("sip:12341@{};transport=udp", server.at.udp));
    citizen.logged("Call established");
    citizen
}

/// The next call rings at this desk and is taken by key.
#[track_caller]
fn takes(desk: &mut Desk) {
    desk.does(json!({"do": "face", "names": ["offered_ring"], "ms": 40_000}));
    desk.press(&["Alt+a"]);
    desk.face("on_call");
}

/// So many seconds of the same time in all ears.
fn together(desks: &mut [&mut Desk], citizens: &[&Baresip], seconds: u32) -> (Vec<Vec<f32>>, Vec<Vec<f32>>) {
    // What is under way, and what the citizen's sound card still holds, is of before.
    citizens.iter().for_each(|citizen| citizen.listen(1));
    let marks: Vec<usize> = citizens.iter().map(|citizen| citizen.mark()).collect();
    desks.iter_mut().for_each(|desk| desk.begin(json!({"do": "hear", "seconds": seconds})));
    let heard = desks.iter_mut().map(|desk| desk.heard()).collect();
    (heard, citizens.iter().zip(marks).map(|(citizen, mark)| citizen.since(mark)).collect())
}

#[track_caller]
fn hears(who: &str, heard: &[f32], voice: &Voice) {
    let likes = voice::alone(heard, voice);
    println!("{who}: {} half seconds, median {:.4}", likes.len(), voice::median(&likes));
    assert!(likes.len() >= ENOUGH && voice::median(&likes) > LIKE, "{who}: {likes:.3?}");
}

#[track_caller]
fn hears_both(who: &str, heard: &[f32], voices: [&Voice; 2]) {
    for likes in voice::both(heard, voices) {
        println!("{who}, of two: {} half seconds, median {:.4}", likes.len(), voice::median(&likes));
        assert!(likes.len() >= ENOUGH && voice::median(&likes) > LIKE, "{who}: {likes:.3?}");
    }
}

#[track_caller]
fn hears_not(who: &str, heard: &[f32], voices: &[&Voice]) {
    for voice in voices {
        let most = voice::at_most(heard, voice);
        println!("{who}, a stranger: at most {most:.3}");
        assert!(most < UNLIKE, "{who} hears a stranger: {most:.3}");
    }
}

#[test]
fn two_agents_in_their_browsers_speak_with_their_citizens_and_then_three_together() {
    let _ears = one_at_a_time();
    let server = demonstration(&[("acd.wrap_up_s", "3"), ("sip.t1_ms", "50")]);
    let dir = tempfile::tempdir().expect("a folder");
    let (a_file, a) = speaker(dir.path(), "a", &["dept_rexianban", "callback_intro", "abuse_warn"]);
    let (b_file, b) = speaker(dir.path(), "b", &["voicemail", "lang_none"]);
    let (c_file, c) = speaker(dir.path(), "c", &["after_hours", "agent_hold", "conf_add_generic"]);
    let (d_file, d) = speaker(dir.path(), "d", &["visit_q1", "visit_q2"]);
    let mut desk_a = Desk::ready(&server, &a_file, "8001");
    let mut first = dial(&server, &c_file, "12000000055");
    takes(&mut desk_a);
    let mut desk_b = Desk::ready(&server, &b_file, "8002");
    let mut second = dial(&server, &d_file, "12000000056");
    takes(&mut desk_b);

    let (desks, citizens) = together(&mut [&mut desk_a, &mut desk_b], &[&first, &second], 9);
    for (who, heard, other, strangers) in [
        ("agent a", &desks[0], &c, [&b, &d]),
        ("agent b", &desks[1], &d, [&a, &c]),
        ("first citizen", &citizens[0], &a, [&b, &d]),
        ("second citizen", &citizens[1], &b, [&a, &c]),
    ] {
        hears(who, heard, other);
        hears_not(who, heard, &strangers);
    }

    // One asks the other, while his citizen waits.
    second.order("hangup", "");
    drop(second);
    desk_b.face("wrap_up");
    desk_b.face("ready");
    desk_a.press(&["Alt+c"]);
    desk_a.does(json!({"do": "type", "into": "#target", "text": "8002"}));
    desk_a.press(&["Enter"]);
    desk_a.face("consult");
    takes(&mut desk_b);
    let (desks, citizens) = together(&mut [&mut desk_a, &mut desk_b], &[&first], 9);
    hears("agent a, asking", &desks[0], &b);
    hears_not("agent a, asking", &desks[0], &[&c]);
    hears("agent b, asked", &desks[1], &a);
    hears_not("agent b, asked", &desks[1], &[&c]);
    hears_not("the citizen, waiting", &citizens[0], &[&a, &b]);

    desk_a.press(&["Alt+y"]);
    desk_a.face("conference");
    let (desks, citizens) = together(&mut [&mut desk_a, &mut desk_b], &[&first], 12);
    hears_both("agent a", &desks[0], [&b, &c]);
    hears_both("agent b", &desks[1], [&a, &c]);
    hears_both("the citizen", &citizens[0], [&a, &b]);

    // Who began it leaves; the other two go on.
    desk_a.press(&["Alt+t"]);
    desk_a.face("wrap_up");
    let (desks, citizens) = together(&mut [&mut desk_b], &[&first], 9);
    hears("agent b, alone with him", &desks[0], &c);
    hears("the citizen, alone with b", &citizens[0], &b);
    hears_not("the citizen, alone with b", &citizens[0], &[&a]);
    first.order("hangup", "");
    desk_b.face("wrap_up");
    server.assert_replays(2);
    server.assert_clean();
}

/// A call at a desk whose agent has begun to write; then `away` happens to the server, and it comes back.
fn the_server_goes_during_a_call(away: impl FnOnce(&mut Server, &mut Baresip, &mut Desk, [&Voice; 2])) {
    const WORDS: &str = "白纸坊建功南里昨天供暖，暖气不热，屋里只有十五度。";
    let _ears = one_at_a_time();
    let mut server = demonstration(&[("acd.hold_unfinished", "true")]);
    let dir = tempfile::tempdir().expect("a folder");
    let (agent_file, agent) =
        speaker(dir.path(), "agent", &["dept_rexianban", "callback_intro", "abuse_warn"]);
    let (citizen_file, voice) =
        speaker(dir.path(), "citizen", &["after_hours", "agent_hold", "conf_add_generic"]);
    let mut desk = Desk::ready(&server, &agent_file, "8001");
    let mut citizen = dial(&server, &citizen_file, "12000000055");
    takes(&mut desk);
    desk.does(json!({"do": "type", "into": "#words", "text": WORDS}));
    let call = live_call(&server);
    away(&mut server, &mut citizen, &mut desk, [&agent, &voice]);
    drop(citizen);
    server.restart();

    // Back by itself, with sound, and nobody is on the line: the ticket is to be finished before the next one.
    let face = desk.does(json!({"do": "face", "names": ["not_ready", "ready", "on_call"], "ms": 60_000}));
    assert_eq!(face["face"], "not_ready");
    desk.does(json!({"do": "wait", "at": "header.phone:has-text('通话已中断')"}));
    let seen = desk.does(json!({"do": "look"}));
    println!("{}", seen["bar"]);
    assert_eq!(seen["words"], WORDS, "not a word is lost: {seen}");
    let api = server.api();
    let ended = level::until("the call has ended in the tables", WAIT, || {
        api.list("calls").into_iter().find(|one| one["id"] == call["id"] && !one["ended_at"].is_null())
    });
    assert_eq!((&ended["agent"], &ended["caller"]), (&json!("8001"), &json!("12000000055")), "{ended}");
    assert!(ended["end_reason"].is_string(), "{ended}");
    let agents = api.get("agents");
    let me = agents["items"].as_array().and_then(|all| all.iter().find(|one| one["agent"] == "8001"));
    assert_eq!(me.map(|one| &one["state"]), Some(&json!("not_ready")), "{agents}");
    let name = ended["ticket_nos"][0].as_str().expect("the ticket's number");
    let draft = api.get(&format!("tickets/{name}"));
    assert_eq!((&draft["state"], &draft["caller"]), (&json!("draft"), &json!("12000000055")), "{draft}");
    let calls = draft["calls"].as_array().expect("a list");
    assert!(calls.iter().any(|one| one == &ended["id"] || one["id"] == ended["id"]), "{draft}");

    // Finished by key, and ready for the next one.
    desk.press(&["Control+Enter"]);
    desk.does(json!({"do": "wait", "at": "#e-secrecy"}));
    desk.does(json!({"do": "check", "at": "input[name=secrecy][value=normal]"}));
    desk.press(&["Control+Enter"]);
    desk.face("ready");
    let ticket = api.get(&format!("tickets/{name}"));
    assert_eq!((&ticket["state"], &ticket["content"]), (&json!("accepted"), &json!(WORDS)), "{ticket}");
    let again = dial(&server, &citizen_file, "12000000055");
    takes(&mut desk);
    let (desks, citizens) = together(&mut [&mut desk], &[&again], 9);
    hears("the agent, after it", &desks[0], &voice);
    hears("the citizen, after it", &citizens[0], &agent);
    drop(again);
}

fn live_call(server: &Server) -> Value {
    let api = server.api();
    level::until("the call is known to be answered", WAIT, || {
        api.list("calls").into_iter().find(|call| call["agent"] == "8001" && call["ended_at"].is_null())
    })
}

#[test]
fn a_call_is_spoken_to_its_end_before_the_server_stops_and_its_ticket_is_finished_after() {
    the_server_goes_during_a_call(|server, citizen, desk, [agent, voice]| {
        server.signal(libc::SIGTERM);
        level::until_equal("readyz", WAIT, Some(503), || server.readyz());
        let mut late = Phone::udp("late", server.at.udp);
        let invite = late.script.invite();
        late.send(&invite);
        late.expect_status("INVITE", 503);
        let (desks, citizens) = together(&mut [desk], &[citizen], 9);
        hears("the agent, in the drain", &desks[0], voice);
        hears("the citizen, in the drain", &citizens[0], agent);
        desk.face("on_call");
        citizen.order("hangup", "");
        let status = server.ended(WAIT);
        assert!(status.success(), "{status}: {}", server.log());
    });
}

#[test]
fn a_call_that_was_killed_with_the_server_is_over_and_its_ticket_is_finished_after() {
    the_server_goes_during_a_call(|server, _, desk, _| {
        server.kill();
        // Who speaks is told at once that nothing can be done.
        desk.does(json!({"do": "leaves", "name": "on_call"}));
    });
}
