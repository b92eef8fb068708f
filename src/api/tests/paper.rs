//! Sheets of paper from when the system was down: entered once, with their own time; what is missing is named.

use super::looping::send;
use super::{Desk, on_both};
use reqwest::{Method, StatusCode};
use serde_json::{Value as Json, json};

async fn enter(desk: &Desk, token: &str, body: Json) -> (StatusCode, Json) {
    send(desk, Method::POST, token, "paper", &body).await
}

#[test]
fn a_sheet_becomes_one_ticket_whose_clock_began_when_it_was_written() {
    on_both(|desk| async move {
        let (agent, lead) = (desk.token("8001").await, desk.token("as-lead").await);
        let received = "2026-11-23T08:20:00+08:00";
        let first = json!({"sheet": "纸－０００１", "received_at": received});
        let (status, sheet) = enter(&desk, &agent, first.clone()).await;
        assert_eq!((status, &sheet["sheet"]), (StatusCode::CREATED, &json!("纸-0001")), "{sheet}");
        assert_eq!(sheet["code"].as_str().map(str::len), Some(6), "the citizen is told it");
        assert_eq!(enter(&desk, &lead, first).await.0, StatusCode::CONFLICT, "each sheet once");
        let no = sheet["no"].as_str().unwrap();

        let (_, draft) = desk.get(&agent, &format!("/api/v1/tickets/{no}")).await;
        assert_eq!((&draft["state"], &draft["channel"]), (&json!("draft"), &json!("paper")), "{draft}");
        let body = json!({"version": draft["version"], "state": "accepted", "type": "help", "category": "030201",
            "street": "110102001", "title": "停水", "content": "停水大半天了", "secrecy": "secret",
            "contact": {"name": "王先生", "number": "12000000022", "address": "太平桥大街"}});
        let path = format!("tickets/{no}");
        let other = desk.token("8002").await;
        assert_eq!(send(&desk, Method::PATCH, &other, &path, &body).await.0, StatusCode::FORBIDDEN);
        let (status, ticket) = send(&desk, Method::PATCH, &agent, &path, &body).await;
        assert_eq!((status, &ticket["state"]), (StatusCode::OK, &json!("accepted")), "{ticket}");
        let ms = |text: &Json| text.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond();
        let began = ms(&json!(received));
        assert_eq!(ms(&ticket["accepted_at"]), began, "the time on the sheet");
        let clocks = ticket["clocks"].as_array().unwrap();
        let dispatch = clocks.iter().find(|clock| clock["name"] == "dispatch").unwrap();
        assert_eq!(ms(&dispatch["due_at"]), began + 30 * 60_000, "{dispatch}");
        assert_eq!(ticket["caller"], "12000000022", "it is secret, and his who entered it: {ticket}");

        // The third was entered, the second was not: it is missing until somebody says what became of it.
        let third = json!({"sheet": "纸-3", "received_at": received});
        assert_eq!(enter(&desk, &lead, third).await.0, StatusCode::CREATED);
        let (_, list) = desk.get(&lead, "/api/v1/paper").await;
        assert_eq!(list["missing"], json!([["纸-0002", "纸-0002"]]), "{list}");
        assert_eq!(list["items"].as_array().map(Vec::len), Some(2));
        assert_eq!(list["items"][1]["code"], Json::Null, "it was shown once");
        let void = json!({"sheet": "纸-0002", "void": "写坏了"});
        assert_eq!(enter(&desk, &lead, void.clone()).await.0, StatusCode::CREATED);
        assert_eq!(enter(&desk, &lead, void).await.0, StatusCode::CONFLICT);
        let (_, list) = desk.get(&lead, "/api/v1/paper").await;
        assert_eq!(list["missing"], json!([]), "{list}");
        let second = list["items"].as_array().unwrap().iter().find(|one| one["sheet"] == "纸-0002").unwrap();
        assert_eq!((&second["void"], &second["ticket"]), (&json!("写坏了"), &Json::Null));

        for (body, field) in [
            (json!({"sheet": "0001", "received_at": received}), "sheet"),
            (json!({"sheet": "纸-9", "received_at": "2026-11-23T23:00:00+08:00"}), "received_at"),
            (json!({"sheet": "纸-9", "received_at": "2026-09-01T08:00:00+08:00"}), "received_at"),
            (json!({"sheet": "纸-9", "void": " "}), "void"),
            (json!({"sheet": "纸-9"}), "received_at"),
        ] {
            let (status, told) = enter(&desk, &agent, body).await;
            assert_eq!(
                (status, &told["errors"][0]["field"]),
                (StatusCode::UNPROCESSABLE_ENTITY, &json!(field))
            );
        }
        let unit = desk.token("rl").await;
        assert_eq!(desk.get(&unit, "/api/v1/paper").await.0, StatusCode::FORBIDDEN);
        assert!(desk.db.verify().await.unwrap().is_clean());
        desk
    });
}
