//! Offers go to proven ears only (issue 4, row 7): a path that is dead, or dies as the call comes, costs the caller less than a second.

use super::FLOW;
use super::table::{Room, Table};
use crate::support::level;
use crate::support::server::Server;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const WAIT: Duration = Duration::from_secs(10);
/// What the caller may lose once the deafness is known.
const LOSS: Duration = Duration::from_secs(1);

/// The agent is told why he gets no calls.
fn told(table: &mut Table<'_>, letter: char, reason: &str) {
    let agent = &mut table.seats.get_mut(&letter).expect("an agent").agent;
    let name = agent.name.clone();
    level::until(&format!("{name} is told {reason}"), WAIT, || {
        let state = agent.state(&name, "not_ready");
        (state["data"]["reason"] == reason).then_some(())
    });
}

fn ready(table: &mut Table<'_>, letter: char) {
    let agent = &mut table.seats.get_mut(&letter).expect("an agent").agent;
    agent.done("agent.ready", json!({}));
    // With somebody waiting he has an offer before one can look.
    level::until("the agent is ready", WAIT, || ["ready", "offered"].contains(&&*agent.is()).then_some(()));
}

fn event(table: &mut Table<'_>, letter: char, name: &str) -> Value {
    table.seats.get_mut(&letter).expect("an agent").agent.event(name)
}

fn order(table: &mut Table<'_>, letter: char, command: &str, fields: Value) {
    table.seats.get_mut(&letter).expect("an agent").agent.done(command, fields);
}

fn page<'t>(table: &'t Table<'_>, letter: char) -> &'t crate::support::page::Page {
    table.seats[&letter].page.as_ref().expect("a page")
}

/// `B` is offered the caller, takes him, and they hear each other.
fn taken_by_the_other(table: &mut Table<'_>) {
    order(table, 'B', "call.answer", json!({}));
    event(table, 'B', "call.answered");
    table.play("hear CB; over C").map(drop).expect("both ways");
    table.clear();
}

#[test]
fn a_dead_path_gets_no_offer_and_the_caller_loses_less_than_a_second() {
    let room = Room::open(1, FLOW);
    let mut table = Table::sit(&room, 0);
    let microphone = |state: &str| json!({"state": state});

    // Dead before the call comes: each way of dying is told, and no offer is made.
    for (how, reason) in
        [("silent", "nothing_heard"), ("ended", "no_microphone"), ("denied", "no_microphone")]
    {
        ready(&mut table, 'b');
        match how {
            "silent" => page(&table, 'b').die(),
            state => order(&mut table, 'b', "media.microphone", microphone(state)),
        }
        told(&mut table, 'b', reason);
        table.lines[&'C'].dial("12341");
        table.lines[&'C'].until_up();
        ready(&mut table, 'B');
        event(&mut table, 'B', "call.offered");
        assert!(!table.seats[&'b'].agent.has("call.offered"), "{how}: offered to deaf ears");
        taken_by_the_other(&mut table);
        // Sound passes again: he is ready by himself, as he wanted to be.
        match how {
            "silent" => page(&table, 'b').revive(),
            _ => order(&mut table, 'b', "media.microphone", microphone("live")),
        }
        table.clear();
    }

    // Gone while it rings at his place: taken back, never his miss.
    ready(&mut table, 'b');
    table.lines[&'C'].dial("12341");
    event(&mut table, 'b', "call.offered");
    ready(&mut table, 'B');
    let known = Instant::now();
    order(&mut table, 'b', "media.microphone", microphone("ended"));
    event(&mut table, 'B', "call.offered");
    let lost = known.elapsed();
    let rescinded = event(&mut table, 'b', "call.rescinded");
    println!("microphone gone while it rang: the next was offered after {lost:?}; {rescinded}");
    assert!(lost < LOSS, "{lost:?}");
    told(&mut table, 'b', "no_microphone");
    taken_by_the_other(&mut table);
    order(&mut table, 'b', "media.microphone", microphone("live"));
    table.clear();

    // His network dies as the offer comes, and he takes it: nobody has heard him, so the next gets the caller.
    ready(&mut table, 'b');
    page(&table, 'b').die();
    table.lines[&'C'].dial("12341");
    let begun = Instant::now();
    event(&mut table, 'b', "call.offered");
    ready(&mut table, 'B');
    // Taken before anybody can know, or taken back meanwhile: both are right.
    let took = table.seats.get_mut(&'b').expect("b").agent.command("call.answer", json!({}));
    event(&mut table, 'b', if took["ok"] == true { "call.ended" } else { "call.rescinded" });
    let known = Instant::now();
    event(&mut table, 'B', "call.offered");
    println!(
        "dead as it came ({took}): offered to the next {:?} after it was known, {:?} after dialling",
        known.elapsed(),
        begun.elapsed()
    );
    assert!(known.elapsed() < LOSS);
    taken_by_the_other(&mut table);
    page(&table, 'b').revive();
    table.clear();

    // The page is closed while it rings: ICE itself says so, or its silence does.
    ready(&mut table, 'b');
    table.lines[&'C'].dial("12341");
    event(&mut table, 'b', "call.offered");
    ready(&mut table, 'B');
    page(&table, 'b').close();
    event(&mut table, 'b', "call.rescinded");
    let known = Instant::now();
    event(&mut table, 'B', "call.offered");
    assert!(known.elapsed() < LOSS);
    taken_by_the_other(&mut table);
    let missed = table.seats[&'b'].agent.is();
    assert_eq!(missed, "not_ready", "deaf, not \"not responding\"");
    let server: &Server = &room.server;
    server.assert_replays(6);
    server.assert_clean();
}
