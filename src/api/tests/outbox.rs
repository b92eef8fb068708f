//! The outbox over HTTP: who reads it, what he does not read, trying again and giving up.

use super::{Desk, answer, on_both};
use crate::base::{CallId, Personal};
use crate::call::fact::Fact;
use crate::outbox::{Book as Texts, Next, Outcome, SHIPPED, Settings, State, Why};
use crate::store::Db;
use crate::store::projector::Projector;
use crate::store::tests::facts::{Book, CODE, NINE};
use crate::store::tests::tables;
use reqwest::{Method, StatusCode};
use serde_json::{Value as Json, json};
use std::sync::Arc;

const OUTBOX: &str = "/api/v1/outbox";

/// A voice message at another node, with texts for demonstration numbers.
async fn message(desk: &Desk) -> Db {
    let settings = Settings { mobiles: vec!["120000".into()], ..Settings::default() };
    let db = desk.db.clone().with_pushes(Arc::new(Texts::read("pushes.toml", SHIPPED).0.with(settings)));
    let call = CallId { node: 2, boot: 1, n: 7 };
    let mut facts = Book::default();
    facts
        .arrived(call, "12000000077")
        .answered(call)
        .write(Fact::NumberDrawn { call, no: "261123000075".into(), code: Personal::new(CODE) })
        .write(Fact::MessageStored { call, recording: 77, length_ms: 8_000 });
    Projector::new(db.clone(), 2).apply(&facts.0).await.unwrap();
    db
}

async fn post(desk: &Desk, token: &str, path: &str, body: Json) -> (StatusCode, Json) {
    let request = desk.ask(Method::POST, path).bearer_auth(token);
    answer(request.header("content-type", "application/json").body(body.to_string())).await
}

#[test]
fn who_may_sees_what_was_sent_and_never_to_whom() {
    on_both(|desk| async move {
        let db = message(&desk).await;
        let admin = desk.token("admin").await;
        let (status, list) = desk.get(&admin, OUTBOX).await;
        assert_eq!(status, StatusCode::OK, "{list}");
        let item = &list["items"][0];
        assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "{list}");
        for (field, want) in [
            ("kind", json!("sms")),
            ("state", json!("queued")),
            ("subject", json!("accepted")),
            ("no", json!("261123000075")),
            ("to", json!("0077")),
            ("tries", json!(0)),
            ("reason", Json::Null),
        ] {
            assert_eq!(item[field], want, "{field} of {item}");
        }
        assert!(!list.to_string().contains("12000000077") && !list.to_string().contains(CODE), "{list}");
        for (query, n) in [
            ("?state=queued", 1),
            ("?state=held,dead", 0),
            ("?kind=sms", 1),
            ("?kind=mail,webhook,city", 0),
            ("?state=queued&kind=sms&limit=1", 1),
        ] {
            let (status, list) = desk.get(&admin, &format!("{OUTBOX}{query}")).await;
            assert_eq!(
                (status, list["items"].as_array().map(Vec::len)),
                (StatusCode::OK, Some(n)),
                "{query}"
            );
        }
        for query in ["?state=lost", "?kind=fax", "?number=12000000077", "?cursor=x"] {
            let (status, problem) = desk.get(&admin, &format!("{OUTBOX}{query}")).await;
            assert_eq!(
                (status, &problem["code"]),
                (StatusCode::BAD_REQUEST, &json!("bad_request")),
                "{query}"
            );
        }
        let agent = desk.token("8001").await;
        assert_eq!(desk.get(&agent, OUTBOX).await.0, StatusCode::FORBIDDEN);
        assert_eq!(desk.get("", OUTBOX).await.0, StatusCode::UNAUTHORIZED);

        // Dead, tried again with a reason, given up; each is written down.
        let id = item["id"].as_str().unwrap().to_owned();
        let letters = db.take_letters(NINE + 60_000, 1_000, "a", 9).await.unwrap();
        let outcome = Outcome::Never { why: Why::Status(400) };
        let next = Next { state: State::Dead, due_at: NINE, why: Some(Why::Status(400)) };
        for letter in &letters {
            db.record_letter(letter, "a", &outcome, next, NINE + 60_000, &tables()).await.unwrap();
        }
        let (retry, discard) = (format!("{OUTBOX}/{id}/retry"), format!("{OUTBOX}/{id}/discard"));
        for body in [json!({"reason": " "}), json!({"reason": "长".repeat(501)})] {
            let (status, problem) = post(&desk, &admin, &retry, body).await;
            assert_eq!(
                (status, &problem["errors"][0]["field"]),
                (StatusCode::UNPROCESSABLE_ENTITY, &json!("reason"))
            );
        }
        assert_eq!(post(&desk, &admin, &retry, json!({})).await.0, StatusCode::BAD_REQUEST);
        assert_eq!(post(&desk, &agent, &retry, json!({"reason": "x"})).await.0, StatusCode::FORBIDDEN);
        let lead = desk.token("lead").await;
        assert_eq!(desk.get(&lead, OUTBOX).await.0, StatusCode::OK, "he heard the alarm");
        assert_eq!(post(&desk, &lead, &retry, json!({"reason": "x"})).await.0, StatusCode::FORBIDDEN);
        let (status, item) = post(&desk, &admin, &retry, json!({"reason": "网关已修复"})).await;
        assert_eq!(
            (status, &item["state"], &item["reason"]),
            (StatusCode::OK, &json!("queued"), &json!("status_400"))
        );
        assert_eq!((&item["by"], &item["by_reason"]), (&json!("admin"), &json!("网关已修复")));
        let (status, item) = post(&desk, &admin, &discard, json!({"reason": "已电话告知"})).await;
        assert_eq!((status, &item["state"]), (StatusCode::OK, &json!("discarded")));
        let (status, problem) = post(&desk, &admin, &retry, json!({"reason": "x"})).await;
        assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("not_now")));
        assert_eq!(
            post(&desk, &admin, &format!("{OUTBOX}/o-none/retry"), json!({"reason": "x"})).await.0,
            404
        );
        let log = desk.db.accesses(&id).await.unwrap();
        let mut outcomes: Vec<_> =
            log.iter().map(|one| (one.action.as_str(), one.outcome.as_str())).collect();
        outcomes.sort_unstable();
        assert_eq!(outcomes, [("outbox.manage", "discarded"), ("outbox.manage", "retried")]);
        desk
    });
}
