//! Agents finish their tickets.

use super::{Desk, answer, on_both};
use crate::call::fact::{Fact, QueueOutcome};
use crate::store::projector::Projector;
use crate::store::tests::facts::{Book, call};
use reqwest::{Method, StatusCode};
use serde_json::{Value as Json, json};

/// Numbers that the morning has not drawn.
const FIRST: &str = "261123000034";
const SECOND: &str = "261123000042";

/// Calls 11 and 12, taken by two agents, after the morning's facts.
async fn two_calls(desk: &Desk) {
    let mut book = Book::morning();
    let done = book.0.len();
    book.arrived(call(11), "12000000011").answered(call(11)).taken(call(11), "8001", FIRST);
    book.arrived(call(12), "12000000012").answered(call(12)).taken(call(12), "8002", SECOND);
    Projector::new(desk.db.clone(), 1).apply(&book.0[done..]).await.unwrap();
}

async fn save(desk: &Desk, token: &str, name: &str, body: &Json) -> (StatusCode, Json) {
    let request = desk.ask(Method::PATCH, &format!("/api/v1/tickets/{name}")).bearer_auth(token);
    answer(request.header("content-type", "application/json").body(body.to_string())).await
}

fn full(version: i64) -> Json {
    json!({"version": version, "state": "accepted", "type": "complaint", "category": "030101", "street": "110102019",
        "lead": "rl", "title": "室温十五度", "content": "建功南里室温只有十五度", "secrecy": "normal",
        "contact": {"name": "王女士", "number": "12000000011", "address": "3 号楼"}})
}

#[test]
fn an_agent_finishes_the_ticket_of_his_call_and_no_other() {
    on_both(|desk| async move {
        two_calls(&desk).await;
        let (one, two) = (desk.token("8001").await, desk.token("8002").await);
        let draft = call(11).to_string();
        let (status, before) = desk.get(&one, &format!("/api/v1/tickets/{draft}")).await;
        assert_eq!(
            (status, &before["state"], &before["version"]),
            (StatusCode::OK, &json!("draft"), &json!(2))
        );

        let (status, told) = save(&desk, &two, FIRST, &full(2)).await;
        assert_eq!((status, &told["code"]), (StatusCode::FORBIDDEN, &json!("not_allowed")), "not his call");
        let (status, told) = save(&desk, &one, FIRST, &full(1)).await;
        assert_eq!((status, &told["code"]), (StatusCode::CONFLICT, &json!("changed")), "{told}");
        let (_, same) = desk.get(&one, &format!("/api/v1/tickets/{draft}")).await;
        assert_eq!(same, before, "nothing was written");

        let (status, after) = save(&desk, &one, &draft, &full(2)).await;
        assert_eq!(status, StatusCode::OK, "{after}");
        assert_eq!(
            (&after["state"], &after["no"], &after["version"]),
            (&json!("accepted"), &json!(FIRST), &json!(4))
        );
        assert_eq!((&after["urgency"], &after["category"]), (&json!("L"), &json!("030101")));
        let told = desk.engine.tickets.lock().unwrap().clone();
        assert_eq!(told, [(call(11), true, "accepted".to_owned())], "whoever has the call in hand is free");
        let (_, history) = desk.get(&one, &format!("/api/v1/tickets/{FIRST}/events")).await;
        assert_eq!(history["items"][2]["actor"], "user:8001");
        assert_eq!(history["items"][2]["personal"]["name"], "王女士");
        assert_eq!(history["items"][3]["kind"], "accepted");
        let (status, told) = save(&desk, &one, FIRST, &full(4)).await;
        assert_eq!((status, &told["errors"][0]["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("final")));
        let seen = desk.db.accesses(before["id"].as_str().unwrap()).await.unwrap();
        assert!(seen.iter().any(|a| (&*a.action, &*a.outcome) == ("ticket.change", "accepted")));

        // A lead finishes any; what is missing is told field by field.
        let lead = desk.token("lead").await;
        let (status, told) = save(&desk, &lead, SECOND, &json!({"version": 2, "state": "accepted"})).await;
        assert_eq!((status, &told["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("refused")));
        let fields: Vec<_> = told["errors"].as_array().unwrap().iter().map(|e| e["field"].clone()).collect();
        assert_eq!(fields, ["category", "street", "content"]);
        assert!(told["errors"].as_array().unwrap().iter().all(|e| e["code"] == "needed"));
        let void = json!({"version": 2, "state": "void", "reason": "拨错号码"});
        assert_eq!(save(&desk, &lead, SECOND, &void).await.1["state"], "void");
        let (_, metrics) = answer(desk.ask(Method::GET, "/metrics")).await;
        let metrics = metrics.as_str().unwrap().to_owned();
        for line in [
            "hotline_tickets_saved_total{state=\"accepted\"} 1",
            "hotline_tickets_saved_total{state=\"void\"} 1",
        ] {
            assert!(metrics.contains(line), "{line}: {metrics}");
        }
        desk
    });
}

#[test]
fn only_agents_and_leads_change_tickets_and_only_by_what_is_asked_for() {
    on_both(|desk| async move {
        two_calls(&desk).await;
        for role in crate::auth::Role::ALL {
            let token = desk.token(&format!("as-{}", role.label().replace('_', "-"))).await;
            let (status, _) = save(&desk, &token, FIRST, &json!({"version": 2})).await;
            let want = if role.label() == "lead" { StatusCode::OK } else { StatusCode::FORBIDDEN };
            assert_eq!(status, want, "{role:?}");
        }
        let lead = desk.token("lead").await;
        assert_eq!(save(&desk, &lead, "261123000091", &full(2)).await.0, StatusCode::NOT_FOUND);
        assert_eq!(save(&desk, &lead, "c-01-00001-0000000099", &full(2)).await.0, StatusCode::NOT_FOUND);
        for (body, want) in [
            (json!({"version": 2, "no": "1"}), StatusCode::BAD_REQUEST),
            (json!({"state": "void", "reason": "x"}), StatusCode::BAD_REQUEST),
            (json!({"version": 2, "content": 5}), StatusCode::BAD_REQUEST),
            (json!({"version": 2, "street": "' OR '1'='1"}), StatusCode::UNPROCESSABLE_ENTITY),
            (json!({"version": 2, "lead": "nobody"}), StatusCode::UNPROCESSABLE_ENTITY),
            (json!({"version": 2, "state": "handling"}), StatusCode::UNPROCESSABLE_ENTITY),
            (json!({"version": 2, "content": "字".repeat(4_001)}), StatusCode::UNPROCESSABLE_ENTITY),
        ] {
            assert_eq!(save(&desk, &lead, FIRST, &body).await.0, want, "{body}");
        }
        let (_, ticket) = desk.get(&lead, &format!("/api/v1/tickets/{FIRST}")).await;
        assert_eq!(
            (&ticket["state"], &ticket["version"]),
            (&json!("draft"), &json!(2)),
            "nothing of all this"
        );
        desk
    });
}

#[test]
fn the_unit_reads_its_own_text_and_never_the_callers_words() {
    on_both(|desk| async move {
        two_calls(&desk).await;
        let lead = desk.token("lead").await;
        let mut body = full(2);
        body["brief"] = json!("市民反映室温低，望上门测温");
        body["tags"] = json!(["供暖季", "老年人"]);
        body["assist"] = json!(["st019"]);
        let (status, saved) = save(&desk, &lead, FIRST, &body).await;
        assert_eq!(status, StatusCode::OK, "{saved}");
        assert_eq!((&saved["tags"], &saved["assist"]), (&body["tags"], &body["assist"]));
        assert_eq!((&saved["content"], &saved["brief"]), (&body["content"], &body["brief"]));

        let unit = desk.token("as-unit").await;
        let (status, _) = desk.get(&unit, &format!("/api/v1/tickets/{FIRST}")).await;
        assert_eq!(
            status,
            StatusCode::NOT_FOUND,
            "its lead is the agent's guess until somebody dispatches it"
        );
        let sent = json!({"action": "dispatch", "version": saved["version"], "lead": saved["lead"], "assist": ["st019"]});
        let dispatcher = desk.token("dispatcher").await;
        let ask = desk.ask(reqwest::Method::POST, &format!("/api/v1/tickets/{FIRST}/actions"));
        let answer = ask.bearer_auth(&dispatcher).json(&sent).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let (status, seen) = desk.get(&unit, &format!("/api/v1/tickets/{FIRST}")).await;
        assert_eq!((status, &seen["content"]), (StatusCode::OK, &Json::Null), "the hotline's alone");
        assert_eq!((&seen["brief"], &seen["tags"]), (&body["brief"], &body["tags"]));
        let (_, masked) =
            desk.get(&desk.token("as-analyst").await, &format!("/api/v1/tickets/{FIRST}")).await;
        assert_eq!((&masked["brief"], &masked["tags"]), (&Json::Null, &json!([])));

        let (_, history) = desk.get(&lead, &format!("/api/v1/tickets/{FIRST}/events")).await;
        let line = &history["items"][2];
        assert_eq!((&line["data"]["assist"], &line["personal"]["brief"]), (&body["assist"], &body["brief"]));
        assert_eq!(line["personal"]["tags"], body["tags"]);
        assert!(!line["data"].to_string().contains("供暖"), "what may name somebody is sealed: {line}");

        for (field, value, code) in [
            ("tags", json!(["a,b"]), "unknown_code"),
            ("tags", json!(["字".repeat(21)]), "too_long"),
            ("assist", json!(["nobody"]), "unknown_code"),
            ("brief", json!("字".repeat(4_001)), "too_long"),
        ] {
            let mut body = json!({"version": 2});
            body[field] = value;
            let (status, told) = save(&desk, &lead, SECOND, &body).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{told}");
            let error = &told["errors"][0];
            assert_eq!((&error["field"], &error["code"]), (&json!(field), &json!(code)));
        }
        desk
    });
}

/// Five calls of one half hour: in time, late, given up, still waiting, and one that asked for nobody.
#[test]
fn the_floor_tells_how_its_day_goes() {
    on_both(|desk| async move {
        let lead = desk.token("lead").await;
        // Twenty past nine: what began at nine is over.
        desk.later.store(1_200_000, std::sync::atomic::Ordering::Relaxed);
        let (status, before) = desk.get(&lead, "/api/v1/floor").await;
        assert_eq!(status, StatusCode::OK, "{before}");
        let mut book = Book::morning();
        let done = book.0.len();
        let waits = [
            (21, Some((QueueOutcome::Answered, 15_000))),
            (22, Some((QueueOutcome::Answered, 15_001))),
            (23, Some((QueueOutcome::Abandoned, 9_000))),
            (24, None),
        ];
        for (n, wait) in waits {
            let call = call(n);
            book.arrived(call, "12000000021").answered(call);
            book.write(Fact::QueueEntered { call, queue: "elderly".into(), priority: 5, ahead: 0 });
            if let Some((outcome, waited_ms)) = wait {
                book.write(Fact::QueueLeft { call, queue: "elderly".into(), outcome, waited_ms });
            }
        }
        book.arrived(call(25), "12000000025");
        book.taken(call(21), "8001", FIRST);
        Projector::new(desk.db.clone(), 1).apply(&book.0[done..]).await.unwrap();
        let topic = json!({"version": 2, "category": "030101", "street": "110102019"});
        assert_eq!(save(&desk, &lead, FIRST, &topic).await.0, StatusCode::OK);

        let (_, after) = desk.get(&lead, "/api/v1/floor").await;
        let more =
            |field: &str, of: &str| after[of][field].as_i64().unwrap() - before[of][field].as_i64().unwrap();
        for of in ["today", "rolling"] {
            let counts = ["calls", "queued", "answered", "within", "abandoned"].map(|field| more(field, of));
            assert_eq!(counts, [5, 4, 2, 1, 1], "{of}: {after}");
        }
        let queue = after["queues"].as_array().unwrap().iter().find(|q| q["queue"] == "elderly").unwrap();
        let fared = json!({"calls": 4, "queued": 4, "answered": 2, "within": 1, "abandoned": 1});
        assert_eq!(queue["fared"], fared);
        let halves = after["half_hours"].as_array().unwrap();
        assert_eq!((halves.len(), after["day"].as_str()), (48, Some("2026-11-23")));
        assert_eq!(halves[18]["at"], "2026-11-23T09:00:00.000+08:00");
        assert_eq!(halves[18]["fared"]["calls"], after["today"]["calls"], "all began after nine");
        assert_eq!((&halves[19]["fared"], &halves[0]["fared"]["calls"]), (&Json::Null, &json!(0)));
        assert_eq!(halves[18]["forecast"], 80.0, "160 an hour");
        assert_eq!(
            after["topics"],
            json!([{"agent": "8001", "call": call(21).to_string(), "category": "030101"}])
        );
        let street = |told: &Json| {
            let all = told["streets"].as_array().unwrap();
            all.iter().find(|s| s["street"] == "110102019").map_or(0, |s| s["tickets"].as_i64().unwrap())
        };
        assert_eq!(street(&after), street(&before) + 1);
        for (user, want) in [("as-unit", StatusCode::FORBIDDEN), ("8001", StatusCode::OK)] {
            assert_eq!(desk.get(&desk.token(user).await, "/api/v1/floor").await.0, want, "{user}");
        }
        desk
    });
}
