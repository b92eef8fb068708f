//! The city's 12345 over HTTP: its orders, what they become, what it rules, what is told to it; retries, replays, strangers.

use super::{CITY_SECRET, Desk, answer, on_both};
use crate::channels::{SIGNATURE, sign};
use crate::outbox::{Book, SHIPPED, Settings};
use crate::store::{Db, Page, Scope, TicketField, TicketFilter};
use reqwest::{Method, StatusCode};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use tokio::io::AsyncWriteExt as _;

const NO: &str = "12345TEST2612030001";

fn order() -> Json {
    json!({"city_no": NO, "type": "help", "category": "010202", "title": "增光路三盏路灯不亮",
        "content": "增光路连着三盏路灯不亮。经核实位置在海淀区。", "name": "李先生", "number": "12000000020",
        "deadlines": {"sign": "2026-11-24T09:00:00+08:00", "close": "2026-11-28T09:00:00+08:00"}})
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

async fn sent(desk: &Desk, path: &str, body: &Json, secret: &str, at: i64) -> (StatusCode, Json) {
    let body = body.to_string();
    let signature = sign(secret, at, body.as_bytes());
    let request = desk.ask(Method::POST, &format!("/api/v1/city/{path}")).header(SIGNATURE, signature);
    answer(request.header("content-type", "application/json").body(body)).await
}

async fn city(desk: &Desk, path: &str, body: &Json) -> (StatusCode, Json) {
    sent(desk, path, body, CITY_SECRET, now()).await
}

#[track_caller]
fn fine((status, body): (StatusCode, Json)) -> Json {
    assert!(status.is_success(), "{status} {body}");
    body
}

async fn act(desk: &Desk, who: &str, no: &str, action: &str, more: Json) -> (StatusCode, Json) {
    let token = desk.token(who).await;
    let path = format!("/api/v1/tickets/{no}");
    let (_, ticket) = desk.get(&token, &path).await;
    let mut body = json!({"action": action, "version": ticket["version"]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let request = desk.ask(Method::POST, &format!("{path}/actions")).bearer_auth(token);
    answer(request.header("content-type", "application/json").body(body.to_string())).await
}

async fn from_city(db: &Db) -> usize {
    let filter = TicketFilter {
        fields: vec![(TicketField::Channel, "city12345".into())],
        scope: Scope::All,
        ..TicketFilter::default()
    };
    db.tickets(&filter, &Page { limit: 100, after: None }).await.unwrap().items.len()
}

/// The same desk with a hand to the city: what it would be told is in the outbox.
async fn telling(desk: Desk) -> Desk {
    let book = Book::read("pushes.toml", SHIPPED).0.with(Settings { city: true, ..Settings::default() });
    let db = desk.db.clone().with_pushes(Arc::new(book));
    let other = Desk::serve(db, crate::api::ServeLimits::default()).await;
    desk.close().await;
    other
}

#[test]
fn an_order_is_one_ticket_however_it_comes() {
    on_both(|desk| async move {
        let desk = telling(desk).await;
        let (before, office) = (from_city(&desk.db).await, desk.token("office").await);
        let (status, first) = city(&desk, "orders", &order()).await;
        assert_eq!((status, &first["fresh"]), (StatusCode::CREATED, &json!(true)), "{first}");
        let no = first["no"].as_str().unwrap().to_owned();
        // Again, by somebody who caught it within the window, and with other words under the same number.
        let at = now();
        for _ in 0..3 {
            let (status, again) = sent(&desk, "orders", &order(), CITY_SECRET, at).await;
            assert_eq!(
                (status, &again["no"], &again["fresh"], &again["differs"]),
                (StatusCode::OK, &json!(no), &json!(false), &json!(false))
            );
        }
        let mut other = order();
        other["content"] = json!("别的事情");
        let (_, again) = city(&desk, "orders", &other).await;
        assert_eq!((&again["no"], &again["differs"]), (&json!(no), &json!(true)));
        // Many at once under a number that nobody has seen.
        let mut crowd = order();
        crowd["city_no"] = json!("12345TEST2612030009");
        let told = futures_util::future::join_all((0..8).map(|_| city(&desk, "orders", &crowd))).await;
        let numbers: std::collections::BTreeSet<String> =
            told.iter().map(|(_, body)| body["no"].as_str().unwrap_or_default().to_owned()).collect();
        assert_eq!(numbers.len(), 1, "{told:?}");
        assert_eq!(told.iter().filter(|(status, _)| *status == StatusCode::CREATED).count(), 1, "{told:?}");
        // The line breaks before the answer: what was written is there, once.
        let mut cut = order();
        cut["city_no"] = json!("12345TEST2612030010");
        let (body, at) = (cut.to_string(), now());
        let mut socket = tokio::net::TcpStream::connect(desk.address()).await.unwrap();
        let head = format!(
            "POST /api/v1/city/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{SIGNATURE}: {}\r\nContent-Length: {}\r\n\r\n{body}",
            sign(CITY_SECRET, at, body.as_bytes()),
            body.len()
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        drop(socket);
        fine(city(&desk, "orders", &cut).await);
        fine(city(&desk, "orders", &cut).await);
        assert_eq!(from_city(&desk.db).await, before + 3, "one for each number");

        // What the ticket says: the city's clocks as they came, ours no later; and the one check for what is alike finds it.
        let (_, ticket) = desk.get(&office, &format!("/api/v1/tickets/{no}")).await;
        for (field, want) in [
            ("channel", json!("city12345")),
            ("state", json!("accepted")),
            ("city_no", json!(NO)),
            ("type", json!("help")),
            ("category", json!("010202")),
            ("urgency", json!("N")),
        ] {
            assert_eq!(ticket[field], want, "{field} of {ticket}");
        }
        let city_clock = |name: &str| {
            let clocks = ticket["city"]["clocks"].as_array().unwrap();
            clocks.iter().find(|one| one["name"] == name).map(|one| one["due_at"].clone())
        };
        let clock = |name: &str| {
            let clocks = ticket["clocks"].as_array().unwrap();
            clocks.iter().find(|one| one["name"] == name).unwrap()["due_at"].as_str().unwrap().to_owned()
        };
        assert_eq!(city_clock("close"), Some(json!("2026-11-28T09:00:00.000+08:00")));
        assert_eq!(clock("close"), "2026-11-28T09:00:00.000+08:00");
        assert_eq!(clock("sign"), "2026-11-24T09:00:00.000+08:00");
        assert!(clock("dispatch") < clock("sign") && clock("feedback") <= clock("close"));
        let similar = "/api/v1/tickets/similar?category=010202&caller=12000000020";
        let lead = desk.token("lead").await;
        let (_, similar) = desk.get(&lead, similar).await;
        assert!(similar["own"].as_array().unwrap().iter().any(|one| one["no"] == no), "{similar}");
        let (_, found) = desk.get(&office, &format!("/api/v1/tickets?city_no={NO}")).await;
        assert_eq!(found["items"][0]["no"], json!(no));
        // One box finds it by the city's number too.
        let (_, found) = desk.get(&office, &format!("/api/v1/tickets?q={NO}")).await;
        assert_eq!(found["items"][0]["no"], json!(no), "{found}");
        assert!(desk.db.verify().await.unwrap().is_clean(), "{:?}", desk.db.verify().await.unwrap().problems);
        desk
    });
}

#[test]
fn strangers_and_slips_make_nothing() {
    on_both(|desk| async move {
        let before = from_city(&desk.db).await;
        for (secret, at) in
            [("another secret of 16", now()), (CITY_SECRET, now() - 301), (CITY_SECRET, now() + 302)]
        {
            for path in ["orders", "messages"] {
                let (status, problem) = sent(&desk, path, &order(), secret, at).await;
                assert_eq!((status, &problem["code"]), (StatusCode::UNAUTHORIZED, &json!("signed_out")));
            }
        }
        // Signed for another body, and by a person's sign-in.
        let signature = sign(CITY_SECRET, now(), order().to_string().as_bytes());
        let mut other = order();
        other["city_no"] = json!("12345-2");
        let request = desk.ask(Method::POST, "/api/v1/city/orders").header(SIGNATURE, signature);
        let (status, _) =
            answer(request.header("content-type", "application/json").body(other.to_string())).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        let office = desk.token("office").await;
        let request = desk.ask(Method::POST, "/api/v1/city/orders").bearer_auth(&office);
        assert_eq!(answer(request.body(order().to_string())).await.0, StatusCode::UNAUTHORIZED);
        for (field, value, want) in [
            ("type", json!("wish"), 422),
            ("category", json!("999999"), 422),
            ("content", json!(" "), 422),
            ("deadlines", json!({"close": "tomorrow"}), 422),
            ("deadlines", json!({"close": "2036-11-28T09:00:00+08:00"}), 422),
            ("deadlines", json!({}), 400),
            ("city_no", json!("a/b"), 422),
            ("colour", json!("red"), 400),
        ] {
            let mut slip = order();
            slip[field] = value;
            let (status, problem) = city(&desk, "orders", &slip).await;
            assert_eq!(status.as_u16(), want, "{field}: {problem}");
            assert!(!problem.to_string().contains("增光路"), "{problem}");
        }
        assert_eq!(from_city(&desk.db).await, before);
        desk
    });
}

async fn dispatched(desk: &Desk) -> String {
    let no = fine(city(desk, "orders", &order()).await)["no"].as_str().unwrap().to_owned();
    fine(act(desk, "dispatcher", &no, "dispatch", json!({"lead": "rl", "brief": "路灯不亮"})).await);
    no
}

/// Ids of what the city is told, by word.
async fn told(desk: &Desk, no: &str, word: &str) -> Vec<String> {
    let office = desk.token("office").await;
    let (_, list) = desk.get(&office, &format!("/api/v1/tickets/{no}/city")).await;
    let lines = list["items"].as_array().unwrap();
    lines
        .iter()
        .filter(|line| line["direction"] == "out" && line["kind"] == word)
        .map(|line| line["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_return_is_asked_of_the_city_and_its_ruling_counts_once() {
    on_both(|desk| async move {
        let desk = telling(desk).await;
        for (granted, state) in [(true, "transferred"), (false, "dispatched")] {
            let mut order = order();
            order["city_no"] = json!(format!("12345-{state}"));
            let no = fine(city(&desk, "orders", &order).await)["no"].as_str().unwrap().to_owned();
            fine(act(&desk, "dispatcher", &no, "dispatch", json!({"lead": "rl", "brief": "路灯不亮"})).await);
            let back = json!({"basis": "定位在海淀区", "to": "st019"});
            fine(act(&desk, "rl", &no, "ask_return", back).await);
            // A unit asks the hotline; only the hotline asks the city.
            assert_eq!(act(&desk, "rl", &no, "ask_city_return", json!({"basis": "x"})).await.0, 403);
            let asked =
                fine(act(&desk, "office", &no, "ask_city_return", json!({"basis": "定位在海淀区"})).await);
            assert_eq!(asked["state"], "return_review");
            let again = act(&desk, "office", &no, "ask_city_return", json!({"basis": "x"})).await;
            assert_eq!(again.0, 422, "{}", again.1);
            let ids = told(&desk, &no, "return").await;
            assert_eq!(ids.len(), 1);
            let ruling = json!({"id": format!("d-{state}"), "kind": "decision", "about": ids[0],
                "city_no": order["city_no"], "granted": granted, "reason": "已核实"});
            let told = futures_util::future::join_all((0..4).map(|_| city(&desk, "messages", &ruling))).await;
            let fresh = told.iter().filter(|(_, body)| body["fresh"] == json!(true)).count();
            assert!(fresh == 1 && told.iter().all(|(status, _)| *status == 200), "{told:?}");
            let office = desk.token("office").await;
            let (_, ticket) = desk.get(&office, &format!("/api/v1/tickets/{no}")).await;
            assert_eq!(ticket["state"], state, "{ticket}");
            assert_eq!(ticket["city"]["asks"][0]["granted"], json!(granted));
            assert_eq!(ticket["closed_at"].is_string(), granted);
            let (_, events) = desk.get(&office, &format!("/api/v1/tickets/{no}/events")).await;
            let lines = events["items"].as_array().unwrap();
            assert_eq!(lines.iter().filter(|line| line["kind"] == "city_answered").count(), 1, "{events}");
            // Later, another ruling on the same: nothing waits for it any more.
            let late =
                json!({"id": format!("e-{state}"), "kind": "decision", "about": ids[0], "granted": !granted});
            fine(city(&desk, "messages", &late).await);
            let (_, ticket) = desk.get(&office, &format!("/api/v1/tickets/{no}")).await;
            assert_eq!(ticket["state"], state);
        }
        for (unknown, want) in [
            (json!({"id": "x-1", "kind": "decision", "about": "o-none", "granted": true}), 404),
            (json!({"id": "x-2", "kind": "points", "city_no": "12345-none", "points": 1}), 404),
            (json!({"id": "x-3", "kind": "points", "city_no": "12345-dispatched"}), 422),
        ] {
            assert_eq!(city(&desk, "messages", &unknown).await.0.as_u16(), want, "{unknown}");
        }
        assert!(desk.db.verify().await.unwrap().is_clean(), "{:?}", desk.db.verify().await.unwrap().problems);
        desk
    });
}

#[test]
fn the_result_goes_out_once_and_what_the_city_finds_stands_beside_ours() {
    on_both(|desk| async move {
        let desk = telling(desk).await;
        let no = dispatched(&desk).await;
        fine(act(&desk, "rl", &no, "sign", json!({})).await);
        let until = json!({"workdays": 1, "reason": "备料"});
        fine(act(&desk, "rl", &no, "ask_extension", until).await);
        assert_eq!(act(&desk, "office", &no, "grant_extension", json!({"workdays": 1})).await.0, 422);
        let asked = json!({"until": "2026-12-02", "reason": "备料"});
        fine(act(&desk, "office", &no, "ask_city_extension", asked).await);
        let id = told(&desk, &no, "extension").await.remove(0);
        let ruling = json!({"id": "d-1", "kind": "decision", "about": id, "granted": true});
        fine(city(&desk, "messages", &ruling).await);
        let office = desk.token("office").await;
        let (_, ticket) = desk.get(&office, &format!("/api/v1/tickets/{no}")).await;
        assert_eq!((&ticket["state"], &ticket["extension"]["granted"]), (&json!("handling"), &json!(true)));
        assert!(ticket["due_at"].as_str().unwrap().starts_with("2026-12-03T00:00:00"), "{ticket}");
        fine(
            act(&desk, "rl", &no, "reply", json!({"report": "内部", "text": "灯已修好", "claim": "solved"}))
                .await,
        );
        fine(act(&desk, "rl-head", &no, "sign_reply", json!({})).await);
        let ticket = fine(act(&desk, "dispatcher", &no, "review_pass", json!({})).await);
        assert_eq!(ticket["state"], "closed", "the city calls him back, we do not");
        let visitor = desk.token("visitor").await;
        let (_, visits) = desk.get(&visitor, "/api/v1/tickets/visits").await;
        assert!(visits["items"].as_array().unwrap().iter().all(|one| one["no"] != no), "{visits}");
        for (word, n) in [("sign", 1), ("extension", 1), ("result", 1), ("return", 0), ("transfer", 0)] {
            assert_eq!(told(&desk, &no, word).await.len(), n, "{word}");
        }

        let before = measured(&desk).await;
        let visit = json!({"id": "v-1", "kind": "visit", "city_no": NO, "contacted": true, "solved": "no",
            "satisfied": "not", "reason": "李先生说灯又灭了"});
        let points =
            json!({"id": "p-1", "kind": "points", "city_no": NO, "points": -2.5, "reason": "逾期反馈"});
        for message in [&visit, &points, &visit, &points] {
            fine(city(&desk, "messages", message).await);
        }
        assert_eq!(measured(&desk).await, before, "the city's verdicts are never in our rates");
        let (_, list) = desk.get(&office, "/api/v1/city/messages?kind=visit,points").await;
        let kinds: Vec<_> = list["items"].as_array().unwrap().iter().map(|one| one["kind"].clone()).collect();
        assert_eq!(kinds.len(), 2, "{list}");
        assert!(!list.to_string().contains("李先生"), "a list tells nothing of anybody");
        assert!(list["items"].as_array().unwrap().iter().any(|one| one["points"] == json!(-2.5)));
        let (_, seen) = desk.get(&office, &format!("/api/v1/tickets/{no}/city")).await;
        assert!(seen.to_string().contains("李先生说灯又灭了"), "{seen}");
        let unit = desk.token("rl").await;
        let (status, seen) = desk.get(&unit, &format!("/api/v1/tickets/{no}/city")).await;
        assert!(status == 200 && !seen.to_string().contains("李先生"), "{seen}");
        let other = desk.token("st019").await;
        assert_eq!(desk.get(&other, &format!("/api/v1/tickets/{no}/city")).await.0, 404);
        assert_eq!(desk.get(&unit, "/api/v1/city/messages").await.0, 403);
        // An appeal against it, twice at most, while the ticket is closed.
        for n in 1..=2 {
            fine(act(&desk, "office", &no, "ask_city_exclusion", json!({"basis": "非我区职责"})).await);
            let id = told(&desk, &no, "exclusion").await.remove(n - 1);
            let ruling = json!({"id": format!("x-{n}"), "kind": "decision", "about": id, "granted": false});
            fine(city(&desk, "messages", &ruling).await);
        }
        assert_eq!(act(&desk, "office", &no, "ask_city_exclusion", json!({"basis": "x"})).await.0, 422);
        // Nobody is told by text what the city tells him.
        let (_, list) = desk.get(&office, "/api/v1/outbox?kind=sms").await;
        assert!(list["items"].as_array().unwrap().iter().all(|one| one["no"] != no), "{list}");
        assert!(!list.to_string().contains("灯已修好"));
        assert!(desk.db.verify().await.unwrap().is_clean(), "{:?}", desk.db.verify().await.unwrap().problems);
        desk
    });
}

async fn measured(desk: &Desk) -> Json {
    let office = desk.token("office").await;
    let (status, list) = desk.get(&office, "/api/v1/indicators?from=2026-11-01&to=2026-12-31").await;
    assert_eq!(status, StatusCode::OK, "{list}");
    list
}

#[test]
fn one_of_ours_goes_to_the_city_and_waits_for_its_receipt() {
    on_both(|desk| async move {
        let desk = telling(desk).await;
        let office = desk.token("office").await;
        let (_, list) = desk.get(&office, "/api/v1/tickets?state=accepted&limit=500").await;
        let ours: Vec<String> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["channel"] != "city12345")
            .filter_map(|one| one["no"].as_str().map(str::to_owned))
            .collect();
        assert!(ours.len() >= 2, "{list}");
        for (no, granted) in ours.iter().zip([true, false]) {
            fine(act(&desk, "office", no, "transfer", json!({"reason": "不在本区"})).await);
            let id = told(&desk, no, "transfer").await.remove(0);
            let city_no = format!("12345OUT-{granted}");
            let ruling = json!({"id": format!("t-{granted}"), "kind": "decision", "about": id, "granted": granted,
                "city_no": city_no, "reason": "同意接收"});
            for _ in 0..2 {
                fine(city(&desk, "messages", &ruling).await);
            }
            let (_, ticket) = desk.get(&office, &format!("/api/v1/tickets/{no}")).await;
            let want = if granted { ("closed", json!(city_no)) } else { ("accepted", Json::Null) };
            assert_eq!((&ticket["state"], &ticket["city_no"]), (&json!(want.0), &want.1), "{ticket}");
        }
        desk
    });
}
