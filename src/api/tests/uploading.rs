//! Trunks, phones, queues' settings, flows and prompts: who may see them, who may replace them, and what is put back.

use super::{Desk, answer, on_sqlite};
use crate::auth::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value as Json, json};

async fn send(
    desk: &Desk,
    token: &str,
    method: Method,
    path: &str,
    body: impl Into<reqwest::Body>,
) -> (StatusCode, Json) {
    answer(desk.ask(method, path).bearer_auth(token).body(body)).await
}

#[test]
fn each_role_sees_and_replaces_the_machine_as_the_table_says() {
    on_sqlite(|desk| async move {
        for role in Role::ALL {
            let token = desk.token(&format!("as-{}", role.label().replace('_', "-"))).await;
            let sees = ["lead", "office", "admin"].contains(&role.label());
            for path in ["trunks", "phones", "queue-settings", "prompts", "prompts/welcome"] {
                let want = if sees { StatusCode::OK } else { StatusCode::FORBIDDEN };
                assert_eq!(desk.get(&token, &format!("/api/v1/{path}")).await.0, want, "{role:?} {path}");
            }
            let reads = sees || ["agent", "dispatcher", "qa", "observer"].contains(&role.label());
            for path in ["flow-files", "flows/main"] {
                let want = if reads { StatusCode::OK } else { StatusCode::FORBIDDEN };
                assert_eq!(desk.get(&token, &format!("/api/v1/{path}")).await.0, want, "{role:?} {path}");
            }
            let want = if *role == Role::Admin { StatusCode::OK } else { StatusCode::FORBIDDEN };
            for (method, path, body) in [
                (Method::POST, "flows/check?name=main", "[flow]"),
                (Method::PUT, "flows/main", "[flow] # again"),
                (Method::PUT, "prompts/welcome", "RIFF again"),
            ] {
                let got = send(&desk, &token, method, &format!("/api/v1/{path}"), body).await.0;
                assert_eq!(got, want, "{role:?} {path}");
            }
        }
        desk
    });
}

#[test]
fn trunks_and_phones_tell_who_is_registered_and_no_secret() {
    on_sqlite(|desk| async move {
        let token = desk.token("admin").await;
        let (_, told) = desk.get(&token, "/api/v1/trunks").await;
        let carrier = &told["items"][0];
        assert_eq!(
            (&carrier["name"], &carrier["registered"], &carrier["live_calls"]),
            (&json!("carrier"), &json!(true), &json!(1)),
            "{told}"
        );
        assert!(
            carrier["calls_today"].as_i64().unwrap() > 0 && carrier["answered_today"].as_i64().unwrap() > 0
        );
        assert_eq!(
            (&told["items"][1]["registered"], &told["items"][1]["calls_today"]),
            (&Json::Null, &json!(0))
        );
        assert!(!told.to_string().contains("\"password\""));
        let (_, told) = desk.get(&token, "/api/v1/phones").await;
        let states: Vec<_> =
            told["items"].as_array().unwrap().iter().map(|p| (&p["registered"], &p["contacts"])).collect();
        assert_eq!(states, [(&json!(true), &json!(2)), (&json!(false), &json!(0))]);
        let (_, told) = desk.get(&token, "/api/v1/queue-settings").await;
        assert_eq!(told["items"], json!([{"name": "main", "answer": "ring", "max_waiting": 200}]));
        desk
    });
}

#[test]
fn a_flow_comes_into_force_whole_or_not_at_all_and_its_versions_are_kept() {
    on_sqlite(|desk| async move {
        let token = desk.token("admin").await;
        let path = "/api/v1/flows/main";
        let (_, before) = desk.get(&token, path).await;
        let (status, told) =
            send(&desk, &token, Method::POST, "/api/v1/flows/check?name=main", "a wrong one").await;
        assert_eq!((status, &told["ok"]), (StatusCode::OK, &json!(false)));
        assert_eq!(
            told["problems"][0],
            json!({"file": "main.toml", "line": 2, "column": 5, "message": "no such node"})
        );
        let (_, told) =
            send(&desk, &token, Method::POST, "/api/v1/flows/check?name=main", "a good one").await;
        assert_eq!(told, json!({"ok": true, "problems": []}));

        let (status, told) = send(&desk, &token, Method::PUT, path, "a wrong one").await;
        assert_eq!(
            (status, &told["problems"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!(["main.toml:2:5: no such node"]))
        );
        // The reload refuses what the check let through: the old file is there again.
        *desk.engine.reload.lock().unwrap() = Err(vec!["hotline.toml:3:1: unknown key".into()]);
        let (status, told) = send(&desk, &token, Method::PUT, path, "a good one").await;
        assert_eq!(
            (status, &told["problems"][0]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("hotline.toml:3:1: unknown key"))
        );
        assert_eq!(desk.get(&token, path).await.1["text"], before["text"]);
        *desk.engine.reload.lock().unwrap() = Ok(());

        let (status, after) = send(&desk, &token, Method::PUT, path, "a good one").await;
        assert_eq!((status, &after["text"]), (StatusCode::OK, &json!("a good one")), "{after}");
        let old = after["versions"].as_array().unwrap().iter().find(|v| v["hash"] == before["hash"]).unwrap();
        // Whoever changed what is no longer in force is told, and writes nothing over unseen.
        let read = |hash: &serde_json::Value| format!("{path}?read={}", hash.as_str().unwrap());
        let (status, told) =
            send(&desk, &token, Method::PUT, &read(&before["hash"]), "a good one, late").await;
        assert_eq!((status, &told["code"]), (StatusCode::CONFLICT, &json!("changed")), "{told}");
        assert_eq!(desk.get(&token, path).await.1["text"], "a good one");
        let (status, _) = send(&desk, &token, Method::PUT, &read(&after["hash"]), "a good one").await;
        assert_eq!(status, StatusCode::OK);
        let (_, kept) = desk.get(&token, &format!("{path}?hash={}", old["hash"].as_str().unwrap())).await;
        assert_eq!(kept["text"], before["text"]);
        let log = desk.db.accesses(&format!("flow:main@{}", after["hash"].as_str().unwrap())).await.unwrap();
        assert_eq!((&*log[0].user, &*log[0].action, &*log[0].outcome), ("admin", "works.manage", "in_force"));
        assert_eq!(desk.db.accesses("flow:main").await.unwrap().len(), 2, "the refused ones");

        for (path, want) in [
            ("/api/v1/flows/none", StatusCode::NOT_FOUND),
            ("/api/v1/flows/..%2F..%2Fetc%2Fpasswd", StatusCode::NOT_FOUND),
            ("/api/v1/flows/main?hash=..%2F..%2Fhotline", StatusCode::NOT_FOUND),
            ("/api/v1/flows/main?hash=0123456789abcdef", StatusCode::NOT_FOUND),
            ("/api/v1/flows/main?what=1", StatusCode::BAD_REQUEST),
        ] {
            assert_eq!(desk.get(&token, path).await.0, want, "{path}");
        }
        for name in ["Main", "a%2Fb", "..", "-", &"a".repeat(41)] {
            let (status, _) =
                send(&desk, &token, Method::PUT, &format!("/api/v1/flows/{name}"), "[flow]").await;
            assert!(status.is_client_error(), "{name}: {status}");
        }
        let (status, _) = send(&desk, &token, Method::PUT, path, vec![0xff, 0xfe]).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "not UTF-8");
        desk
    });
}

#[test]
fn a_prompt_is_heard_replaced_and_refused() {
    on_sqlite(|desk| async move {
        let token = desk.token("admin").await;
        let (_, told) = desk.get(&token, "/api/v1/prompts").await;
        assert_eq!(
            (&told["items"][0]["name"], &told["items"][0]["level_dbfs"]),
            (&json!("welcome"), &json!(-20.0))
        );
        let path = "/api/v1/prompts/welcome";
        let (status, told) = send(&desk, &token, Method::PUT, path, "<script>").await;
        assert_eq!(
            (status, &told["problems"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!(["welcome.wav: not a WAV file"]))
        );
        let (status, told) = send(&desk, &token, Method::PUT, path, "RIFF new").await;
        assert_eq!((status, &told["waiting"]), (StatusCode::OK, &json!(true)));
        let response = desk.ask(Method::GET, path).bearer_auth(&token).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "audio/wav");
        assert_eq!(&*response.bytes().await.unwrap(), b"RIFF new");
        for name in ["nothing", "..%2Fhotline", ".hidden"] {
            let (status, _) =
                send(&desk, &token, Method::PUT, &format!("/api/v1/prompts/{name}"), "RIFF").await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{name}");
        }
        // The line may break under the rest of a body that is refused, before the answer is read.
        match desk.ask(Method::PUT, path).bearer_auth(&token).body(vec![0; 3 << 20]).send().await {
            Ok(response) => assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE),
            Err(error) => assert!(error.is_request() && !error.is_timeout(), "{error}"),
        }
        let kept = desk.ask(Method::GET, path).bearer_auth(&token).send().await.unwrap();
        assert_eq!(&*kept.bytes().await.unwrap(), b"RIFF new", "nothing was written");
        let log = desk.db.accesses("prompt:welcome").await.unwrap();
        let mut outcomes: Vec<_> = log.iter().map(|a| &*a.outcome).collect();
        outcomes.sort_unstable();
        assert_eq!(outcomes, ["refused", "written"]);
        desk
    });
}
