//! A call with an agent, recorded (issue 4, row 11): both sides in step, pauses marked, the citizen's judgement on call and ticket.

use super::table::{Room, Table};
use crate::support::level;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const WAIT: Duration = Duration::from_secs(20);
const RATE: f64 = 8_000.0;

/// Where bursts begin in a channel, seconds: loud after a quarter of a second of silence.
fn onsets(samples: &[f32]) -> Vec<f64> {
    let mut last_loud = None;
    let mut begins = Vec::new();
    for (n, sample) in samples.iter().enumerate() {
        if sample.abs() > 600.0 {
            if last_loud.is_none_or(|last| n - last > 2_000) {
                begins.push(n as f64 / RATE);
            }
            last_loud = Some(n);
        }
    }
    begins
}

/// How long before the file's beginning `zero` the bursts would have begun: the middle of what each pair of send and onset says.
fn offset(onsets: &[f64], sent: &[Instant], zero: Instant) -> f64 {
    let sent: Vec<f64> = sent.iter().map(|at| at.saturating_duration_since(zero).as_secs_f64()).collect();
    // Each second one: an onset belongs to the send whose place within a second is nearest, and that is the same for all.
    let mut differences: Vec<f64> = onsets
        .iter()
        .filter_map(|onset| sent.iter().map(|at| at - onset).min_by(|a, b| a.abs().total_cmp(&b.abs())))
        .collect();
    assert!(differences.len() >= 4, "{onsets:?}");
    differences.sort_by(f64::total_cmp);
    differences[differences.len() / 2]
}

/// The marks in a WAV file: label, beginning and length in milliseconds.
fn marks(bytes: &[u8]) -> Vec<(String, u32, u32)> {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four"));
    let (mut points, mut labels, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
    let mut at = 12;
    while at + 8 <= bytes.len() {
        let (name, size, body) = (&bytes[at..at + 4], word(at + 4) as usize, at + 8);
        match name {
            b"cue " => points = (0..word(body) as usize).map(|n| word(body + 4 + 24 * n + 4) / 8).collect(),
            b"LIST" if bytes[body..].starts_with(b"adtl") => {
                let mut inner = body + 4;
                while inner + 8 <= body + size {
                    let length = word(inner + 4) as usize;
                    match &bytes[inner..inner + 4] {
                        b"labl" => {
                            let text = &bytes[inner + 12..inner + 8 + length];
                            labels.push(String::from_utf8_lossy(text).trim_end_matches('\0').to_owned());
                        }
                        b"ltxt" => lengths.push(word(inner + 12) / 8),
                        _ => {}
                    }
                    inner += 8 + length.next_multiple_of(2);
                }
            }
            _ => {}
        }
        at = body + size.next_multiple_of(2);
    }
    assert_eq!((points.len(), labels.len()), (lengths.len(), lengths.len()), "each mark has all three");
    labels.into_iter().zip(points).zip(lengths).map(|((label, from), length)| (label, from, length)).collect()
}

/// A recorded call with this agent: in step, a pause, and the key `judgement` after it.
fn recorded(table: &mut Table<'_>, room: &Room, letter: char, key: char, answer: &str) {
    table.play(&format!("in {letter}")).expect("both ways");
    let zero = Instant::now();
    table.lines[&'C'].burst();
    match (&table.seats[&letter].page, &table.seats[&letter].phone) {
        (Some(page), _) => page.burst(),
        (_, phone) => phone.as_ref().expect("one of them").burst(),
    }
    let enough = |count: usize| {
        let line = &table.lines[&'C'];
        level::until("enough bursts", WAIT, || (line.bursts().len() >= count).then_some(()));
    };
    enough(7);
    let agent = &mut table.seats.get_mut(&letter).expect("an agent").agent;
    agent.done("recording.pause", json!({}));
    assert_eq!(agent.command("recording.pause", json!({}))["error"]["code"], "wrong_state", "paused already");
    let paused = Instant::now();
    enough(10);
    let agent = &mut table.seats.get_mut(&letter).expect("an agent").agent;
    agent.done("recording.resume", json!({}));
    let pause = paused.elapsed();
    enough(12);
    let agent = &mut table.seats.get_mut(&letter).expect("an agent").agent;
    agent.done("call.hangup", json!({}));
    agent.event("call.ended");
    // The question's prompt is short and silent; a key that comes too early waits for it.
    let citizen = &table.lines[&'C'];
    citizen.press(key);
    citizen.until_down();

    let api = room.server.api();
    let call = level::until("the call's record is complete", WAIT, || {
        let call = api.try_get("calls?limit=1")?["items"][0].clone();
        (call["end_reason"] == "survey_done" && !call["recording"]["length_ms"].is_null()).then_some(call)
    });
    let id = call["recording"]["id"].as_str().expect("an id");
    let bytes = api.bytes(&format!("recordings/{id}"));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("recording.wav");
    std::fs::write(&file, &bytes).expect("write");
    let (channels, _) = crate::support::audio::read_wav(&file);

    // Both sides in step: each burst's way into the file takes the same time from either side.
    let agents = match (&table.seats[&letter].page, &table.seats[&letter].phone) {
        (Some(page), _) => page.bursts(),
        (_, phone) => phone.as_ref().expect("one of them").bursts(),
    };
    // The tones before the bursts are one long sound: the first onset is theirs.
    let sides = [(&channels[0], table.lines[&'C'].bursts()), (&channels[1], agents)];
    let rough = {
        // Where `zero` stands in the file, to half a second: from the citizen's own first burst.
        let onsets = onsets(&channels[0]);
        let first = sides[0].1[1].saturating_duration_since(zero).as_secs_f64();
        let second = onsets[1..].iter().find(|at| onsets.iter().any(|next| (next - *at - 1.0).abs() < 0.05));
        second.expect("bursts in the file") - first
    };
    let offsets = sides.map(|(samples, sent)| {
        let onsets: Vec<f64> = onsets(samples)[1..].iter().map(|at| at - rough).collect();
        offset(&onsets, &sent, zero) * 1_000.0
    });
    let apart = (offsets[0] - offsets[1]).abs();
    println!("{letter}: the sides of the recording are {apart:.1} ms apart");
    assert!(apart < 20.0, "{offsets:?} ms");

    // The pause: silence in both channels, marked in the file, told in the record and in the timeline.
    let marks = marks(&bytes);
    assert_eq!((marks.len(), marks[0].0.as_str()), (1, "paused"), "{marks:?}");
    let (from, length) = (marks[0].1, marks[0].2);
    let near = |a: f64, b: f64| (a - b).abs() < 250.0;
    assert!(near(f64::from(length), pause.as_secs_f64() * 1_000.0), "{marks:?}, {pause:?}");
    for channel in &channels {
        let silent = &channel[from as usize * 8..(from + length) as usize * 8];
        assert!(silent.iter().all(|sample| *sample == 0.0), "sound in the pause");
    }
    let told = &call["recording"]["pauses"];
    let ms = |value: &Value| value.as_f64().expect("ms");
    assert_eq!((told.as_array().map(Vec::len), &told[0]["by"]), (Some(1), &json!(call["agent"])), "{told}");
    assert!(near(ms(&told[0]["from_ms"]), from.into()), "{told} {marks:?}");
    assert!(near(ms(&told[0]["to_ms"]), (from + length).into()), "{told} {marks:?}");
    let gaps = call["recording"]["gaps_ms"].as_f64().expect("ms");
    assert_eq!(gaps, f64::from(length), "nothing else is missing");
    let id = call["id"].as_str().expect("an id");
    let events = api.list(&format!("calls/{id}/events"));
    let pauses: Vec<&Value> = events.iter().filter(|event| event["kind"] == "recording_paused").collect();
    assert_eq!(pauses.len(), 2, "{pauses:?}");
    assert_eq!((&pauses[0]["data"]["on"], &pauses[1]["data"]["on"]), (&json!(true), &json!(false)));

    // The judgement: with the call and with the ticket; 1 is the best.
    let fits = |surveys: &Value| {
        let one = &surveys[0];
        surveys.as_array().is_some_and(|all| all.len() == 1)
            && one["name"] == "satisfaction"
            && one["answer"] == answer
            && one["key"] == key.to_string()
    };
    assert!(fits(&call["surveys"]), "{}", call["surveys"]);
    let number = call["ticket_nos"][0].as_str().expect("a number");
    let ticket = api.get(&format!("tickets/{number}"));
    assert!(fits(&ticket["surveys"]), "{ticket}");
    let history = api.list(&format!("tickets/{number}/events"));
    assert!(history.iter().any(|line| line["kind"] == "survey" && line["data"]["key"] == key.to_string()));
    table.lines[&'C'].steady();
    match (&table.seats[&letter].page, &table.seats[&letter].phone) {
        (Some(page), _) => page.steady(),
        (_, phone) => phone.as_ref().expect("one of them").steady(),
    }
    table.clear();
}

#[test]
fn a_recorded_call_is_in_step_its_pause_is_marked_and_its_judgement_kept() {
    let room = Room::open(1, include_str!("../flows/desk.toml"));
    let mut table = Table::sit(&room, 0);
    recorded(&mut table, &room, 'b', '1', "very_satisfied");
    recorded(&mut table, &room, 'p', '5', "very_unsatisfied");
    room.server.assert_replays(2);
    room.server.assert_clean();
}
