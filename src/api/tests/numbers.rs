//! Services of one key, duty numbers, old numbers: who may read and write them, and what an agent is offered at an hour.

use super::{Desk, answer, on_both};
use crate::auth::Role;
use crate::call::EndReason;
use crate::store::projector::Projector;
use crate::store::tests::facts::{Book, call};
use crate::store::{self, demo};
use reqwest::{Method, StatusCode};
use serde_json::{Value as Json, json};

async fn send(desk: &Desk, token: &str, method: Method, path: &str, body: &Json) -> (StatusCode, Json) {
    let request = desk.ask(method, path).bearer_auth(token);
    answer(request.header("content-type", "application/json").body(body.to_string())).await
}

fn fields(told: &Json) -> Vec<(String, String)> {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    told["errors"].as_array().unwrap().iter().map(|e| (text(&e["field"]), text(&e["code"]))).collect()
}

const SERVICES: &str = "/api/v1/numbers/services";
const DUTY: &str = "/api/v1/numbers/duty";
const LEGACY: &str = "/api/v1/numbers/legacy";

fn duty() -> Json {
    json!({"unit": "rl", "label": "新值班", "number": "12000071005", "days": ["holiday", "workday"], "from": "18:00",
        "to": "08:30", "rank": 3})
}

#[test]
fn each_role_reads_and_writes_numbers_as_the_table_says() {
    on_both(|desk| async move {
        for role in Role::ALL {
            let token = desk.token(&format!("as-{}", role.label().replace('_', "-"))).await;
            let reads = ["agent", "lead", "dispatcher", "visitor", "office", "admin"].contains(&role.label());
            let want = if reads { StatusCode::OK } else { StatusCode::FORBIDDEN };
            for path in [SERVICES, DUTY, LEGACY, "/api/v1/transfer-targets"] {
                assert_eq!(desk.get(&token, path).await.0, want, "{role:?} {path}");
            }
            let is_admin = *role == Role::Admin;
            for (method, path, body) in [
                (
                    Method::POST,
                    SERVICES.to_owned(),
                    json!({"key": "x", "name_zh": "", "name_en": "", "number": ""}),
                ),
                (Method::PATCH, format!("{SERVICES}/110"), json!({"rank": 0})),
                (Method::DELETE, format!("{SERVICES}/none"), json!({})),
                (
                    Method::POST,
                    DUTY.to_owned(),
                    json!({"unit": "", "label": "", "number": "", "days": [], "from": "",
                    "to": "", "rank": 0}),
                ),
                (Method::PATCH, format!("{DUTY}/rl-day"), json!({"rank": 0})),
                (Method::PATCH, format!("{DUTY}/rl-day"), json!({"rank": 0, "result": "answered"})),
                (Method::DELETE, format!("{DUTY}/none"), json!({})),
                (Method::POST, LEGACY.to_owned(), json!({"number": ""})),
                (Method::PATCH, format!("{LEGACY}/{}", demo::LEGACY), json!({"unit": "nobody"})),
                (Method::DELETE, format!("{LEGACY}/none"), json!({})),
            ] {
                let (status, told) = send(&desk, &token, method.clone(), &path, &body).await;
                let want = match (is_admin, method == Method::DELETE) {
                    (false, _) => StatusCode::FORBIDDEN,
                    (true, true) => StatusCode::NOT_FOUND,
                    (true, false) => StatusCode::UNPROCESSABLE_ENTITY,
                };
                assert_eq!(status, want, "{role:?} {method} {path}: {told}");
            }
            let tests = is_admin || *role == Role::Lead;
            let path = format!("{DUTY}/rl-night");
            let (status, told) = send(&desk, &token, Method::PATCH, &path, &json!({"result": "busy"})).await;
            assert_eq!(
                status,
                if tests { StatusCode::OK } else { StatusCode::FORBIDDEN },
                "{role:?}: {told}"
            );
        }
        desk
    });
}

#[test]
fn services_are_kept_in_order_and_a_number_that_cannot_be_dialled_is_refused_at_saving() {
    on_both(|desk| async move {
        let admin = desk.token("admin").await;
        let (_, told) = desk.get(&admin, SERVICES).await;
        let keys: Vec<_> = told["items"].as_array().unwrap().iter().map(|row| row["key"].clone()).collect();
        assert_eq!(keys, ["110", "119", "120", "122", "gas", "water", "power", "heat"]);
        assert!(told["items"].as_array().unwrap().iter().all(|row| row["dialable"] == true), "{told}");
        assert_eq!(
            (&told["items"][0]["emergency"], &told["items"][4]["emergency"]),
            (&json!(true), &json!(false))
        );
        assert_eq!(told["items"][0]["number"], "12000000110", "a demonstration never dials the real one");

        let new = json!({"key": "lift", "name_zh": "电梯困人", "name_en": "Lift", "number": "12000096333"});
        let (status, row) = send(&desk, &admin, Method::POST, SERVICES, &new).await;
        assert_eq!(
            (status, &row["rank"], &row["changed_by"]),
            (StatusCode::CREATED, &json!(9), &json!("admin"))
        );
        let (status, told) = send(&desk, &admin, Method::POST, SERVICES, &new).await;
        assert_eq!((status, &told["code"]), (StatusCode::CONFLICT, &json!("exists")));
        let path = format!("{SERVICES}/lift");
        let (status, told) = send(&desk, &admin, Method::PATCH, &path, &json!({"number": "96333"})).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(fields(&told), [("number".into(), "dial_refused".into())], "{told}");
        assert!(told["problems"][0].as_str().unwrap().contains("[dial] allow"), "{told}");
        let (status, row) =
            send(&desk, &admin, Method::PATCH, &path, &json!({"rank": 1, "name_en": "Lifts"})).await;
        assert_eq!(
            (status, &row["name_en"], &row["number"]),
            (StatusCode::OK, &json!("Lifts"), &json!("12000096333"))
        );
        for (body, want) in [
            (
                json!({"key": "A b", "name_zh": "甲", "name_en": "A", "number": "12000000001"}),
                ("key", "bad_name"),
            ),
            (
                json!({"key": "a", "name_zh": " ", "name_en": "A", "number": "12000000001"}),
                ("name_zh", "needed"),
            ),
            (
                json!({"key": "a", "name_zh": "字".repeat(61), "name_en": "A", "number": "12000000001"}),
                ("name_zh", "too_long"),
            ),
            (
                json!({"key": "a", "name_zh": "甲", "name_en": "A", "number": "12000a"}),
                ("number", "not_a_number"),
            ),
            (
                json!({"key": "a", "name_zh": "甲", "name_en": "A", "number": "12000000001", "rank": 100}),
                ("rank", "out_of_range"),
            ),
        ] {
            let (status, told) = send(&desk, &admin, Method::POST, SERVICES, &body).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
            assert_eq!(fields(&told), [(want.0.into(), want.1.into())], "{body}");
        }
        let odd = json!({"key": "a", "name_zh": "甲", "name_en": "A", "number": "1", "more": 1});
        assert_eq!(send(&desk, &admin, Method::POST, SERVICES, &odd).await.0, StatusCode::BAD_REQUEST);

        assert_eq!(send(&desk, &admin, Method::DELETE, &path, &json!({})).await.0, StatusCode::NO_CONTENT);
        assert_eq!(send(&desk, &admin, Method::DELETE, &path, &json!({})).await.0, StatusCode::NOT_FOUND);
        let log: Vec<_> = desk.db.accesses("service:lift").await.unwrap();
        let mut done: Vec<_> = log.iter().map(|a| (&*a.user, &*a.action, &*a.outcome)).collect();
        done.sort();
        let by = |what| ("admin", "number.manage", what);
        assert_eq!(done, [by("added"), by("changed"), by("removed")]);
        desk
    });
}

#[test]
fn duty_numbers_follow_hour_and_calendar_with_their_backups_in_order() {
    on_both(|desk| async move {
        let agent = desk.token("8001").await;
        // What 热力西城 shows: on a working day, at night, on Sunday, in the holiday week, at night after it.
        for (at, day, want) in [
            ("2026-11-23T10:00:00+08:00", "workday", vec!["12000071001", "12000071009"]),
            ("2026-11-23T17:30:00+08:00", "workday", vec!["12000071002", "12000071009"]),
            ("2026-11-24T03:00:00+08:00", "workday", vec!["12000071002", "12000071009"]),
            ("2026-11-29T10:00:00+08:00", "weekend", vec!["12000071003", "12000071009"]),
            ("2026-10-01T10:00:00+08:00", "holiday", vec!["12000071003", "12000071009"]),
            // Monday's early hours belong to Sunday, on which no night is manned: the backup answers.
            ("2026-11-30T03:00:00+08:00", "workday", vec!["12000071009"]),
        ] {
            let path = format!("/api/v1/transfer-targets?at={}", at.replace('+', "%2B"));
            let (status, told) = desk.get(&agent, &path).await;
            assert_eq!((status, &told["day"]), (StatusCode::OK, &json!(day)), "{at}: {told}");
            let rl = told["duty"].as_array().unwrap().iter().find(|unit| unit["unit"] == "rl").unwrap();
            let numbers: Vec<_> =
                rl["numbers"].as_array().unwrap().iter().map(|n| n["number"].clone()).collect();
            assert_eq!(numbers, want, "{at}");
            assert_eq!(told["services"].as_array().unwrap().len(), 8);
        }
        assert_eq!(desk.get(&agent, "/api/v1/transfer-targets?at=soon").await.0, StatusCode::BAD_REQUEST);
        assert_eq!(desk.get(&agent, "/api/v1/transfer-targets?when=1").await.0, StatusCode::BAD_REQUEST);

        let admin = desk.token("admin").await;
        let (status, row) = send(&desk, &admin, Method::POST, DUTY, &duty()).await;
        assert_eq!(status, StatusCode::CREATED, "{row}");
        assert_eq!(
            (&row["days"], &row["from"], &row["overdue"]),
            (&json!(["workday", "holiday"]), &json!("18:00"), &json!(true))
        );
        for (field, value, want) in [
            ("unit", json!("nobody"), "unknown"),
            ("label", json!(""), "needed"),
            ("number", json!("110"), "dial_refused"),
            ("days", json!([]), "unknown"),
            ("days", json!(["monday"]), "unknown"),
            ("from", json!("25:00"), "not_a_time"),
            ("to", json!("9"), "not_a_time"),
            ("rank", json!(0), "out_of_range"),
        ] {
            let mut body = duty();
            body[field] = value;
            let (status, told) = send(&desk, &admin, Method::POST, DUTY, &body).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
            assert_eq!(fields(&told), [(field.to_owned(), want.to_owned())], "{body}");
        }
        let path = format!("{DUTY}/{}", row["id"].as_str().unwrap());
        assert_eq!(send(&desk, &admin, Method::DELETE, &path, &json!({})).await.0, StatusCode::NO_CONTENT);
        assert_eq!(
            send(&desk, &admin, Method::PATCH, &path, &json!({"rank": 1})).await.0,
            StatusCode::NOT_FOUND
        );
        desk
    });
}

#[test]
fn a_dial_test_is_noted_by_a_lead_and_gone_with_the_number() {
    on_both(|desk| async move {
        let (lead, admin) = (desk.token("lead").await, desk.token("admin").await);
        let (_, told) = desk.get(&lead, DUTY).await;
        let overdue = |id: &str| {
            told["items"].as_array().unwrap().iter().find(|row| row["id"] == id).unwrap()["overdue"].clone()
        };
        assert_eq!(
            (overdue("rl-day"), overdue("zls-all"), overdue("rl-night")),
            (json!(false), json!(true), json!(true))
        );
        let path = format!("{DUTY}/zls-all");
        let (status, told) = send(&desk, &lead, Method::PATCH, &path, &json!({"result": "maybe"})).await;
        assert_eq!(
            (status, fields(&told)),
            (StatusCode::UNPROCESSABLE_ENTITY, vec![("result".into(), "unknown".into())])
        );
        let (status, row) = send(&desk, &lead, Method::PATCH, &path, &json!({"result": "no_answer"})).await;
        assert_eq!(status, StatusCode::OK, "{row}");
        assert_eq!(
            (&row["result"], &row["tested_by"], &row["overdue"], &row["changed_by"]),
            (&json!("no_answer"), &json!("lead"), &json!(false), &json!("demo"))
        );
        let log = desk.db.accesses("duty:zls-all").await.unwrap();
        assert_eq!((&*log[0].action, &*log[0].outcome), ("number.test", "tested:no_answer"));
        let (_, row) = send(&desk, &admin, Method::PATCH, &path, &json!({"number": "12000072009"})).await;
        assert_eq!(
            (&row["tested_at"], &row["overdue"]),
            (&Json::Null, &json!(true)),
            "another number was never dialled"
        );
        desk
    });
}

#[test]
fn old_numbers_say_where_they_lead_and_how_many_dial_them() {
    on_both(|desk| async move {
        // After the morning's calls; who had signed in before would be signed out by now.
        desk.later.store(3_600_000, std::sync::atomic::Ordering::Relaxed);
        let (admin, agent) = (desk.token("admin").await, desk.token("8001").await);
        let mut book = Book::morning();
        let done = book.0.len();
        for n in [21, 22] {
            book.arrived_at(call(n), "12000000011", demo::LEGACY);
        }
        Projector::new(desk.db.clone(), 1).apply(&book.0[done..]).await.unwrap();
        let (_, told) = desk.get(&agent, LEGACY).await;
        let row = &told["items"][0];
        assert_eq!(
            (&row["number"], &row["calls"], &row["rings"], &row["in_force"]),
            (&json!(demo::LEGACY), &json!(2), &json!(true), &json!(true)),
            "{told}"
        );
        assert!(row["last_call_at"].is_string());
        let (_, none) = desk.get(&agent, &format!("{LEGACY}?until=2026-01-01T00:00:00Z")).await;
        assert_eq!((&none["items"][0]["calls"], &none["items"][0]["last_call_at"]), (&json!(0), &Json::Null));
        assert_eq!(desk.get(&agent, &format!("{LEGACY}?since=yesterday")).await.0, StatusCode::BAD_REQUEST);

        let new = json!({"number": "12000096342", "unit": "rl", "queue": "main", "greeting": "welcome", "ends_on": "2026-11-22"});
        let (status, row) = send(&desk, &admin, Method::POST, LEGACY, &new).await;
        assert_eq!(
            (status, &row["in_force"], &row["calls"]),
            (StatusCode::CREATED, &json!(false), &json!(0)),
            "{row}"
        );
        let path = format!("{LEGACY}/12000096342");
        let change = json!({"ends_on": "2026-11-23", "unit": "", "note": "年底停用"});
        let (status, row) = send(&desk, &admin, Method::PATCH, &path, &change).await;
        assert_eq!(
            (status, &row["in_force"], &row["unit"], &row["queue"]),
            (StatusCode::OK, &json!(true), &Json::Null, &json!("main")),
            "{row}"
        );
        for (field, value, want) in [
            ("number", "12345", "does_not_ring"),
            ("number", "x", "not_a_number"),
            ("unit", "nobody", "unknown"),
            ("queue", "nobody", "unknown"),
            ("greeting", "nothing", "unknown"),
            ("ends_on", "2026-13-01", "not_a_date"),
            ("ends_on", "soon", "not_a_date"),
        ] {
            let mut body = new.clone();
            body[field] = json!(value);
            let (status, told) = send(&desk, &admin, Method::POST, LEGACY, &body).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
            assert_eq!(fields(&told), [(field.to_owned(), want.to_owned())], "{body}");
        }
        assert_eq!(send(&desk, &admin, Method::POST, LEGACY, &new).await.0, StatusCode::CONFLICT);
        // Whoever was diverted from it has dialled it too: the morning's calls all were, and those two dialled the other one themselves.
        let row = store::LegacyNumber {
            number: "88881234".into(),
            unit: None,
            queue: None,
            skill: None,
            greeting: None,
            ends_on: None,
            note: None,
            changed_at: 0,
            changed_by: "admin".into(),
        };
        desk.db.add_legacy_number(&row).await.unwrap();
        let (_, told) = desk.get(&agent, LEGACY).await;
        let counted = |number: &str| {
            told["items"].as_array().unwrap().iter().find(|row| row["number"] == number).unwrap()["calls"]
                .clone()
        };
        assert_eq!((counted("88881234"), counted(demo::LEGACY)), (json!(5), json!(2)));
        assert_eq!(send(&desk, &admin, Method::DELETE, &path, &json!({})).await.0, StatusCode::NO_CONTENT);
        desk
    });
}

#[test]
fn a_dial_test_is_read_from_its_call_exactly_once() {
    on_both(|desk| async move {
        let lead = desk.token("lead").await;
        let path = format!("{DUTY}/rl-day");
        let (_, list) = desk.get(&lead, DUTY).await;
        let row = |list: &Json| {
            list["items"].as_array().unwrap().iter().find(|row| row["id"] == "rl-day").unwrap().clone()
        };
        let number = row(&list)["number"].as_str().unwrap().to_owned();
        let (status, begun) = send(&desk, &lead, Method::POST, &format!("{path}/test"), &json!({})).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{begun}");
        assert_eq!(desk.engine.tests.lock().unwrap()[0].number, number);
        let (status, _) = send(&desk, &lead, Method::POST, &format!("{path}/test"), &json!({})).await;
        assert_eq!(status, StatusCode::CONFLICT, "it rings already");
        let agent = desk.token("8001").await;
        let (status, _) = send(&desk, &agent, Method::POST, &format!("{path}/test"), &json!({})).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        let (status, _) = send(&desk, &lead, Method::POST, &format!("{DUTY}/none/test"), &json!({})).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        // A demonstration's police is no number to try out either.
        let admin = desk.token("admin").await;
        let change = json!({"number": "12000000110"});
        let (status, told) = send(&desk, &admin, Method::PATCH, &format!("{DUTY}/rl-night"), &change).await;
        assert_eq!(status, StatusCode::OK, "{told}");
        let tries = format!("{DUTY}/rl-night/test");
        let (status, told) = send(&desk, &lead, Method::POST, &tries, &json!({})).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(fields(&told), [("number".into(), "emergency".into())]);
        assert_eq!(desk.engine.tests.lock().unwrap().len(), 2, "nothing was dialled for it");

        let mut book = Book::morning();
        book.dial_test(call(31), &number, false, EndReason::CalleeBusy, 486);
        book.dial_test(call(32), &number, true, EndReason::FlowEnded, 0);
        // Of a number that has been changed since nothing is said of the new one.
        book.dial_test(call(33), "12000071999", false, EndReason::CalleeNoAnswer, 0);
        for _ in 0..2 {
            Projector::new(desk.db.clone(), 1).apply(&book.0).await.unwrap();
        }
        let now = row(&desk.get(&lead, DUTY).await.1);
        assert_eq!((&now["result"], &now["sip_status"]), (&json!("answered"), &json!(200)));
        assert_eq!((&now["tested_by"], &now["overdue"]), (&json!("lead"), &json!(false)));
        assert_eq!(now["ring_ms"], 200, "two facts lie between dialling and answer");
        let (_, tests) = desk.get(&lead, &format!("{path}/tests")).await;
        let tests = tests["items"].as_array().unwrap();
        let seen: Vec<_> = tests.iter().map(|t| (t["result"].as_str().unwrap(), &t["sip_status"])).collect();
        assert_eq!(seen, [("no_answer", &json!(0)), ("answered", &json!(200)), ("busy", &json!(486))]);
        desk
    });
}
