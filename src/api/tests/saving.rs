//! Agents finish their tickets.

use super::{Desk, answer, on_both};
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
