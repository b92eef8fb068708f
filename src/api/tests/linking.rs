//! One call, several tickets; several calls, one ticket: what becomes of drafts, histories and the agent's wrap-up.

use super::{Desk, answer, on_both};
use crate::store::projector::Projector;
use crate::store::tests::facts::{Book, call};
use reqwest::{Method, StatusCode};
use serde_json::{Value as Json, json};

/// Numbers the morning has not drawn.
const FIRST: &str = "261123000034";
const SECOND: &str = "261123000042";

async fn send(desk: &Desk, method: Method, token: &str, path: &str, body: &Json) -> (StatusCode, Json) {
    let request = desk.ask(method, &format!("/api/v1/{path}")).bearer_auth(token);
    answer(request.header("content-type", "application/json").body(body.to_string())).await
}

#[track_caller]
fn told((status, body): (StatusCode, Json)) -> (u16, String) {
    (status.as_u16(), body["errors"][0]["field"].as_str().unwrap_or_default().to_owned())
}

/// Two calls of one citizen, both answered by 8001.
async fn two_calls(desk: &Desk) {
    let mut book = Book::morning();
    let done = book.0.len();
    book.arrived(call(11), "12000000013").answered(call(11)).taken(call(11), "8001", FIRST);
    book.arrived(call(12), "12000000013").answered(call(12)).taken(call(12), "8001", SECOND);
    Projector::new(desk.db.clone(), 1).apply(&book.0[done..]).await.unwrap();
}

async fn accept(desk: &Desk, token: &str, no: &str) -> (StatusCode, Json) {
    let (_, seen) = desk.get(token, &format!("/api/v1/tickets/{no}")).await;
    let body = json!({"version": seen["version"], "state": "accepted", "type": "help", "category": "030101",
        "street": "110102019", "title": "室温十五度", "content": "我家三号楼室温只有十五度", "secrecy": "normal"});
    send(desk, Method::PATCH, token, &format!("tickets/{no}"), &body).await
}

async fn kinds(desk: &Desk, token: &str, no: &str) -> Vec<String> {
    let (_, events) = desk.get(token, &format!("/api/v1/tickets/{no}/events")).await;
    let lines = events["items"].as_array().unwrap();
    lines.iter().map(|line| line["kind"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_call_with_two_matters_has_two_tickets_and_is_written_up_when_both_are() {
    on_both(|desk| async move {
        two_calls(&desk).await;
        let (agent, other, rl) = (desk.token("8001").await, desk.token("8002").await, desk.token("rl").await);
        let path = format!("tickets/{FIRST}/split");
        assert_eq!(told(send(&desk, Method::POST, &other, &path, &json!({})).await).0, 403, "not his call");
        assert_eq!(told(send(&desk, Method::POST, &rl, &path, &json!({})).await).0, 403);
        let (status, made) = send(&desk, Method::POST, &agent, &path, &json!({})).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let second = made["ticket"]["no"].as_str().unwrap().to_owned();
        assert_eq!(
            (&made["ticket"]["state"], &made["ticket"]["calls"], &made["ticket"]["caller"], &made["code"]),
            (&json!("draft"), &json!([call(11).to_string()]), &json!("12000000013"), &json!("654321"))
        );
        assert_ne!(second, FIRST);
        assert_eq!(kinds(&desk, &agent, FIRST).await.last().unwrap(), "split");
        assert_eq!(kinds(&desk, &agent, &second).await, ["created", "numbered", "saved"]);
        // The first is done, the call is not; then both are.
        assert_eq!(accept(&desk, &agent, FIRST).await.0, StatusCode::OK);
        assert_eq!(accept(&desk, &agent, &second).await.0, StatusCode::OK);
        let engine = desk.engine.tickets.lock().unwrap().clone();
        let draft = (call(11), false, "draft".to_owned());
        let accepted = |done| (call(11), done, "accepted".to_owned());
        assert_eq!(engine, [draft, accepted(false), accepted(true)]);
        let (_, list) = desk.get(&agent, &format!("/api/v1/tickets?call={}", call(11))).await;
        assert_eq!(list["items"].as_array().unwrap().len(), 2);
        assert_eq!(desk.db.verify().await.unwrap().problems, Vec::<String>::new());
        // No end of them.
        for n in 3..=8 {
            let (status, body) = send(&desk, Method::POST, &agent, &path, &json!({})).await;
            assert_eq!(status, StatusCode::CREATED, "{n}: {body}");
        }
        assert_eq!(told(send(&desk, Method::POST, &agent, &path, &json!({})).await), (422, "state".into()));
        desk
    });
}

#[test]
fn a_second_call_about_a_matter_goes_to_its_ticket_and_counts_for_none() {
    on_both(|desk| async move {
        two_calls(&desk).await;
        let (agent, office) = (desk.token("8001").await, desk.token("office").await);
        accept(&desk, &agent, FIRST).await;
        let (_, draft) = desk.get(&agent, &format!("/api/v1/tickets/{SECOND}")).await;
        let path = format!("tickets/{SECOND}/link");
        let wish = |more: Json| {
            let mut body = json!({"version": draft["version"], "into": FIRST});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        for (body, field) in [
            (wish(json!({"into": "261123999999"})), "into"),
            (wish(json!({"into": SECOND})), "into"),
            (wish(json!({"action": "sign"})), "action"),
            (wish(json!({"action": "supplement"})), "text"),
        ] {
            let refused = told(send(&desk, Method::POST, &agent, &path, &body).await);
            assert_eq!(refused, (422, field.to_owned()), "{body}");
        }
        let stale = json!({"version": 1, "into": FIRST});
        assert_eq!(told(send(&desk, Method::POST, &agent, &path, &stale).await).0, 409);
        let before = kinds(&desk, &agent, FIRST).await.len();
        let (status, old) =
            send(&desk, Method::POST, &agent, &path, &wish(json!({"action": "urge", "text": "还没人来"})))
                .await;
        assert_eq!(status, StatusCode::OK, "{old}");
        assert_eq!((&old["no"], &old["urges"]), (&json!(FIRST), &json!(1)));
        assert_eq!(old["calls"], json!([call(11).to_string(), call(12).to_string()]));
        assert_eq!(kinds(&desk, &agent, FIRST).await[before..], ["linked", "urge"]);
        let (_, draft) = desk.get(&office, &format!("/api/v1/tickets/{SECOND}")).await;
        assert_eq!(draft["state"], "void");
        assert_eq!(desk.engine.tickets.lock().unwrap().last().unwrap(), &(call(12), true, "void".to_owned()));
        assert_eq!(told(send(&desk, Method::POST, &agent, &path, &wish(json!({}))).await).0, 409);
        assert_eq!(desk.db.verify().await.unwrap().problems, Vec::<String>::new());
        desk
    });
}

#[test]
fn what_there_is_already_is_shown_while_the_next_one_is_written() {
    on_both(|desk| async move {
        two_calls(&desk).await;
        let (agent, rl) = (desk.token("8001").await, desk.token("rl").await);
        accept(&desk, &agent, FIRST).await;
        let (_, draft) = desk.get(&agent, &format!("/api/v1/tickets/{SECOND}")).await;
        let id = draft["id"].as_str().unwrap();
        let ask = |street: &str, caller: &str| {
            format!("/api/v1/tickets/similar?category=030101&street={street}&caller={caller}&besides={id}")
        };
        let (_, found) = desk.get(&agent, &ask("110102019", "12000000013")).await;
        assert_eq!((&found["own"][0]["no"], &found["near"]), (&json!(FIRST), &json!(2)), "{found}");
        let (_, found) = desk.get(&agent, &ask("110102001", "12000000099")).await;
        assert_eq!((&found["own"], &found["near"], &found["near_at"]), (&json!([]), &json!(0), &Json::Null));
        assert_eq!(desk.get(&rl, &ask("110102019", "12000000013")).await.0, StatusCode::FORBIDDEN);
        assert_eq!(desk.get(&agent, "/api/v1/tickets/similar").await.0, StatusCode::BAD_REQUEST);
        desk
    });
}

#[test]
fn the_promises_are_those_of_the_rules() {
    on_both(|desk| async move {
        two_calls(&desk).await;
        let agent = desk.token("8001").await;
        let (_, told) = desk.get(&agent, "/api/v1/tickets/promises?type=help&category=030101").await;
        let (_, accepted) = accept(&desk, &agent, FIRST).await;
        let of = |clocks: &Json| -> Vec<(String, i64)> {
            let clocks = clocks.as_array().unwrap().iter();
            let minute =
                |at: &Json| at.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second() / 60;
            clocks.map(|one| (one["name"].as_str().unwrap().to_owned(), minute(&one["due_at"]))).collect()
        };
        assert_eq!(of(&told["items"]), of(&accepted["clocks"]), "both within one minute");
        assert_eq!(told["rules"], "2026-11");
        let (_, urgent) =
            desk.get(&agent, "/api/v1/tickets/promises?type=help&category=030101&urgency=U").await;
        assert!(of(&urgent["items"])[0].1 < of(&told["items"])[0].1);
        desk
    });
}

#[test]
fn the_one_box_finds_numbers_telephones_and_words_for_whoever_may_read_them() {
    on_both(|desk| async move {
        two_calls(&desk).await;
        let agent = desk.token("8001").await;
        accept(&desk, &agent, FIRST).await;
        let mut found = std::collections::BTreeMap::new();
        for name in ["8001", "office", "rl", "qa", "analyst"] {
            let token = desk.token(name).await;
            for q in [FIRST, "12000000013", "三号楼", "室温十五"] {
                let (status, list) = desk.get(&token, &format!("/api/v1/tickets?q={q}")).await;
                let hit = || list["items"].as_array().unwrap().iter().any(|one| one["no"] == FIRST);
                found.insert(
                    (name, q),
                    if status == StatusCode::OK { Ok(hit()) } else { Err(status.as_u16()) },
                );
            }
        }
        let of = |name: &'static str| [FIRST, "12000000013", "三号楼", "室温十五"].map(|q| found[&(name, q)]);
        assert_eq!(of("8001"), [Ok(true); 4]);
        assert_eq!(of("office"), [Ok(true); 4]);
        // No unit has it; quality may not read what callers keep secret, and so looks in what units may read; an analyst reads no words.
        assert_eq!(of("rl"), [Ok(false); 4]);
        assert_eq!(of("qa"), [Ok(true), Ok(false), Ok(false), Ok(true)]);
        assert_eq!(of("analyst"), [Ok(true), Ok(false), Err(403), Err(403)]);
        for q in ["%E7%83%AD", "", "%25%25%25"] {
            let (status, _) = desk.get(&agent, &format!("/api/v1/tickets?q={q}")).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{q:?}");
        }
        // What is mended is found as it is now.
        let (_, seen) = desk.get(&agent, &format!("/api/v1/tickets/{SECOND}")).await;
        let words = json!({"version": seen["version"], "content": "楼道堆放电动自行车"});
        send(&desk, Method::PATCH, &agent, &format!("tickets/{SECOND}"), &words).await;
        let (_, list) = desk.get(&agent, "/api/v1/tickets?q=电动自行车").await;
        assert!(list["items"].as_array().unwrap().iter().any(|one| one["no"] == SECOND), "{list}");
        desk
    });
}

#[test]
fn nobody_finds_the_call_in_which_he_was_complained_about() {
    on_both(|desk| async move {
        two_calls(&desk).await;
        let (agent, lead) = (desk.token("8001").await, desk.token("lead").await);
        let (_, seen) = desk.get(&agent, &format!("/api/v1/tickets/{FIRST}")).await;
        let body = json!({"version": seen["version"], "complained": {"person": "lead"}});
        let (status, told) = send(&desk, Method::PATCH, &agent, &format!("tickets/{FIRST}"), &body).await;
        assert_eq!(status, StatusCode::OK, "{told}");
        let calls = |list: &Json| -> Vec<String> {
            list["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["id"].as_str().unwrap().to_owned())
                .collect()
        };
        let (_, his) = desk.get(&lead, "/api/v1/calls?limit=500").await;
        let (_, ours) = desk.get(&agent, "/api/v1/calls?limit=500").await;
        let (his, ours) = (calls(&his), calls(&ours));
        assert!(!his.contains(&call(11).to_string()) && his.contains(&call(12).to_string()), "{his:?}");
        assert!(ours.contains(&call(11).to_string()));
        for path in ["", "/events"] {
            let path = format!("/api/v1/calls/{}{path}", call(11));
            assert_eq!(desk.get(&lead, &path).await.0, StatusCode::NOT_FOUND, "{path}");
            assert_eq!(desk.get(&agent, &path).await.0, StatusCode::OK, "{path}");
        }
        desk
    });
}
