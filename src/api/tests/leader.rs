//! Sessions in which the head of a department takes calls: planned, changed, called off, reported.

use super::{Desk, answer, on_both};
use crate::base::{CallId, Personal};
use crate::call::EndReason;
use crate::call::fact::Fact;
use crate::store::projector::Projector;
use crate::store::tests::facts::{Book, call};
use reqwest::{Method, StatusCode};
use serde_json::{Value as Json, json};
use std::sync::atomic::Ordering::Relaxed;

const SESSIONS: &str = "/api/v1/leader-sessions";
const HOUR: i64 = 3_600_000;

async fn send(desk: &Desk, method: Method, token: &str, path: &str, body: &Json) -> (StatusCode, Json) {
    let request = desk.ask(method, path).bearer_auth(token);
    answer(request.header("content-type", "application/json").body(body.to_string())).await
}

fn plan() -> Json {
    json!({"unit": "rl", "date": "2026-11-23", "from": "09:30", "to": "11:00", "names": "张某某 总经理",
        "scope": "供热服务", "seat": "8004", "recorder": "8003"})
}

fn at_fault(body: &Json) -> Vec<(&str, &str)> {
    let errors = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    errors.iter().map(|e| (e["field"].as_str().unwrap(), e["code"].as_str().unwrap())).collect()
}

#[test]
fn the_office_plans_changes_and_calls_off() {
    on_both(|desk| async move {
        let (office, agent) = (desk.token("office").await, desk.token("8001").await);
        let (status, first) = send(&desk, Method::POST, &office, SESSIONS, &plan()).await;
        assert_eq!(status, StatusCode::CREATED, "{first}");
        assert_eq!((&first["no"], &first["state"]), (&json!(1), &json!("planned")));
        let (status, _) = send(&desk, Method::POST, &agent, SESSIONS, &plan()).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "agents read");
        let (status, list) = desk.get(&agent, SESSIONS).await;
        assert_eq!((status, &list["items"][0]), (StatusCode::OK, &first));
        for (field, value, code) in [
            ("unit", json!("nobody"), "unknown"),
            ("date", json!("soon"), "not_a_date"),
            ("from", json!("9:30"), "not_a_time"),
            ("to", json!("09:30"), "out_of_range"),
            ("names", json!(" "), "too_long"),
            ("scope", json!("长".repeat(1_001)), "too_long"),
            ("seat", json!("office"), "unknown"),
            ("recorder", json!("8004"), "same"),
            ("recorder", json!("9999"), "unknown"),
            ("no", json!(0), "out_of_range"),
            ("no", json!(1), "taken"),
        ] {
            let mut wish = plan();
            wish["date"] = json!("2026-11-24");
            wish[field] = value;
            let (status, body) = send(&desk, Method::POST, &office, SESSIONS, &wish).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wish}");
            assert_eq!(at_fault(&body), [(field, code)], "{wish}");
        }
        // Two are never open at once; one after the other is another matter.
        let mut wish = plan();
        wish["from"] = json!("10:59");
        wish["to"] = json!("12:00");
        let (_, body) = send(&desk, Method::POST, &office, SESSIONS, &wish).await;
        assert_eq!(at_fault(&body), [("from", "overlaps")]);
        wish["from"] = json!("11:00");
        let (status, second) = send(&desk, Method::POST, &office, SESSIONS, &wish).await;
        assert_eq!((status, &second["no"]), (StatusCode::CREATED, &json!(2)));

        let path = format!("{SESSIONS}/{}", first["id"].as_str().unwrap());
        let change = json!({"version": 1, "to": "10:30", "recorder": ""});
        let (status, changed) = send(&desk, Method::PATCH, &office, &path, &change).await;
        assert_eq!(status, StatusCode::OK, "{changed}");
        assert_eq!((&changed["to"], &changed["recorder"]), (&json!("10:30"), &Json::Null));
        let (status, _) = send(&desk, Method::PATCH, &office, &path, &change).await;
        assert_eq!(status, StatusCode::CONFLICT, "somebody was faster");
        let off = json!({"version": 2, "cancelled": true});
        let (_, called_off) = send(&desk, Method::PATCH, &office, &path, &off).await;
        assert_eq!((&called_off["state"], &called_off["version"]), (&json!("cancelled"), &json!(3)));
        // Its time is free again, and no longer once somebody has it.
        wish["from"] = json!("09:30");
        wish["to"] = json!("10:30");
        let (status, _) = send(&desk, Method::POST, &office, SESSIONS, &wish).await;
        assert_eq!(status, StatusCode::CREATED);
        let on = json!({"version": 3, "cancelled": false});
        let (_, body) = send(&desk, Method::PATCH, &office, &path, &on).await;
        assert_eq!(at_fault(&body), [("from", "overlaps")]);
        // What has been, was.
        let second = format!("{SESSIONS}/{}", second["id"].as_str().unwrap());
        desk.later.store(2 * HOUR + 1, Relaxed);
        // Who had signed in before is signed out by now.
        let office = desk.token("office").await;
        assert_eq!(desk.get(&office, SESSIONS).await.1["items"][0]["state"], json!("open"));
        desk.later.store(3 * HOUR, Relaxed);
        let office = desk.token("office").await;
        assert_eq!(desk.get(&office, SESSIONS).await.1["items"][0]["state"], json!("over"));
        let (status, _) =
            send(&desk, Method::PATCH, &office, &second, &json!({"version": 1, "cancelled": true})).await;
        assert_eq!(status, StatusCode::CONFLICT);
        let written = desk.db.accesses(first["id"].as_str().unwrap()).await.unwrap();
        let outcomes: Vec<&str> = written.iter().map(|one| one.outcome.as_str()).collect();
        assert!(
            ["planned", "changed", "cancelled"].iter().all(|what| outcomes.contains(what)),
            "{outcomes:?}"
        );
        desk
    });
}

/// Somebody asked for the head; `taken`: he had him, with the recorder on the line.
fn asks(book: &mut Book, call: CallId, id: &str, agent: Option<(&str, &str)>, taken: bool) {
    let note = |kind: &str, agent: &str, note: &str| Fact::CallNoted {
        call,
        agent: agent.into(),
        kind: kind.into(),
        note: Personal::new(note),
    };
    book.arrived(call, "12000000009").answered(call).write(note("leader_asked", "", id));
    if let Some((agent, no)) = agent {
        book.taken(call, agent, no);
    }
    if taken {
        book.write(note("leader_session", "", id)).write(note("recorder", "8003", ""));
    }
    book.ended(call, EndReason::CallerHungUp);
}

#[test]
fn afterwards_there_is_a_report_and_every_ticket_has_its_tag() {
    on_both(|desk| async move {
        let (office, agent) = (desk.token("office").await, desk.token("8001").await);
        let (_, session) = send(&desk, Method::POST, &office, SESSIONS, &plan()).await;
        let id = session["id"].as_str().unwrap();
        let mut book = Book::morning();
        asks(&mut book, call(21), id, Some(("8004", "261123000034")), true);
        asks(&mut book, call(22), id, Some(("8001", "261123000042")), false);
        asks(&mut book, call(23), id, None, false);
        let mut projector = Projector::new(desk.db.clone(), 1);
        projector.apply(&book.0).await.unwrap();
        // Whatever dies when: the same facts once more change nothing.
        Projector::new(desk.db.clone(), 1).apply(&book.0).await.unwrap();
        let path = format!("{SESSIONS}/{id}/report");
        let (status, report) = desk.get(&office, &path).await;
        assert_eq!(status, StatusCode::OK, "{report}");
        let figures = ["asked", "taken", "by_others", "unreached", "tickets", "unfinished", "closed"];
        let figures: Vec<i64> = figures.iter().map(|name| report[*name].as_i64().unwrap()).collect();
        assert_eq!(figures, [3, 1, 1, 1, 1, 1, 0]);
        let his = &report["calls"][0];
        assert_eq!((&his["agents"], &his["recorder"]), (&json!(["8004"]), &json!("8003")));
        assert_eq!((&his["no"], &his["taken"]), (&json!("261123000034"), &json!(true)));
        let tags =
            async |no: &str| desk.get(&office, &format!("/api/v1/tickets/{no}")).await.1["tags"].clone();
        assert_eq!(tags("261123000034").await, json!(["一把手接听"]));
        assert_eq!(tags("261123000042").await, json!([]), "an agent's own");
        assert!(desk.db.verify().await.unwrap().is_clean());

        // The recorder writes the ticket of a call another has taken, and its tag stays.
        let recorder = desk.token("8003").await;
        let ticket = "/api/v1/tickets/261123000034";
        let version = desk.get(&recorder, ticket).await.1["version"].clone();
        let change = json!({"version": version, "title": "供热不足"});
        let (status, saved) = send(&desk, Method::PATCH, &recorder, ticket, &change).await;
        assert_eq!((status, &saved["tags"]), (StatusCode::OK, &json!(["一把手接听"])), "{saved}");
        let (status, _) = send(&desk, Method::PATCH, &agent, ticket, &change).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "another agent does not");
        let (_, whole) = desk.get(&office, &path).await;
        assert_eq!(whole["calls"][0]["title"], json!("供热不足"));
        let (_, masked) = desk.get(&agent, &path).await;
        assert_eq!(masked["calls"][0]["title"], Json::Null);
        assert_eq!(desk.get(&desk.token("as-unit").await, &path).await.0, StatusCode::FORBIDDEN);
        assert_eq!(desk.get(&office, &format!("{SESSIONS}/gone/report")).await.0, StatusCode::NOT_FOUND);
        desk
    });
}
