//! Sessions: how they begin, how they end, and what a cookie alone may not do.

use super::{Desk, PASSWORD, answer, on_both, on_sqlite};
use crate::api::guard::CSRF_HEADER;
use reqwest::{Method, StatusCode};
use serde_json::json;
use std::sync::atomic::Ordering::Relaxed;

const JSON: (&str, &str) = ("content-type", "application/json");

/// Signs in and gives the cookie and the session's body.
async fn by_cookie(desk: &Desk, name: &str, before: Option<&str>) -> (String, serde_json::Value) {
    let body = json!({"username": name, "password": PASSWORD}).to_string();
    let mut request = desk.ask(Method::POST, "/api/v1/session").header(JSON.0, JSON.1).body(body);
    if let Some(cookie) = before {
        request = request.header("cookie", cookie);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let set = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
        assert!(set.contains(attribute), "{set}");
    }
    let body = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    (set.split(';').next().unwrap().to_owned(), body)
}

#[test]
fn a_session_begins_with_the_password_and_ends_by_sign_out_rest_or_age() {
    on_both(|desk| async move {
        let (status, body) = desk.sign_in("admin", PASSWORD).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(body["roles"], json!(["admin"]));
        let token = body["token"].as_str().unwrap();
        let (status, shown) = desk.get(token, "/api/v1/session").await;
        assert_eq!((status, &shown["username"]), (StatusCode::OK, &json!("admin")));
        assert!(shown.get("token").is_none(), "the token is told once");

        let (status, _) = answer(desk.ask(Method::DELETE, "/api/v1/session").bearer_auth(token)).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        assert_eq!(desk.get(token, "/api/v1/session").await.0, StatusCode::UNAUTHORIZED);

        let token = desk.token("admin").await;
        desk.later.store(29 * 60_000, Relaxed);
        assert_eq!(desk.get(&token, "/api/v1/session").await.0, StatusCode::OK);
        desk.later.store(58 * 60_000, Relaxed);
        assert_eq!(desk.get(&token, "/api/v1/session").await.0, StatusCode::OK, "using it keeps it");
        desk.later.store(89 * 60_000, Relaxed);
        assert_eq!(
            desk.get(&token, "/api/v1/session").await.0,
            StatusCode::UNAUTHORIZED,
            "half an hour idle"
        );
        desk
    });
}

#[test]
fn wrong_unknown_and_disabled_look_the_same_and_too_many_have_to_wait() {
    on_sqlite(|desk| async move {
        desk.db.set_disabled("qa", true).await.unwrap();
        let mut told = Vec::new();
        for (name, password) in [("admin", "wrong-password"), ("nobody", PASSWORD), ("qa", PASSWORD)] {
            let (status, body) = desk.sign_in(name, password).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED);
            told.push(body);
        }
        assert!(told.windows(2).all(|w| w[0] == w[1]), "{told:?}");
        // Each name has its tries, whether there is such a user or not.
        for left in [4, 3, 2, 1, 0] {
            for name in ["admin", "nobody", "qa"] {
                let (_, body) = match left {
                    4 => (StatusCode::UNAUTHORIZED, told[0].clone()),
                    _ => desk.sign_in(name, "wrong-password").await,
                };
                assert_eq!(body["tries_left"], left, "{name}: {body}");
            }
        }
        let (status, body) = desk.sign_in("admin", PASSWORD).await;
        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{body}");
        assert_eq!(desk.sign_in("lead", PASSWORD).await.0, StatusCode::OK, "others sign in");
        desk.later.store(15 * 60_000, Relaxed);
        assert_eq!(desk.sign_in("admin", PASSWORD).await.0, StatusCode::OK);
        let tried = desk.db.accesses("session").await.unwrap();
        assert!(tried.iter().any(|a| a.outcome == "refused") && tried.iter().any(|a| a.outcome == "allowed"));
        desk
    });
}

#[test]
fn a_cookie_of_before_is_not_the_session_of_after() {
    on_sqlite(|desk| async move {
        let planted = format!("hotline_session={}", "A".repeat(43));
        let (cookie, _) = by_cookie(&desk, "lead", Some(&planted)).await;
        assert_ne!(cookie, planted);
        let asked = |cookie: String| desk.ask(Method::GET, "/api/v1/session").header("cookie", cookie);
        assert_eq!(answer(asked(planted)).await.0, StatusCode::UNAUTHORIZED);
        let (second, _) = by_cookie(&desk, "lead", Some(&cookie)).await;
        assert_ne!(second, cookie, "each sign-in has its own");
        assert_eq!(answer(asked(second)).await.0, StatusCode::OK);
        desk
    });
}

#[test]
fn roles_a_password_and_disabling_end_sessions() {
    on_both(|desk| async move {
        let admin = desk.token("admin").await;
        let patch = |name: &str, body: serde_json::Value| {
            let path = format!("/api/v1/users/{name}");
            desk.ask(Method::PATCH, &path).bearer_auth(&admin).header(JSON.0, JSON.1).body(body.to_string())
        };
        for change in [
            json!({"roles": ["lead", "qa"]}),
            json!({"password": "another-password"}),
            json!({"disabled": true}),
        ] {
            let new = json!({"name": "li", "roles": ["lead"], "password": PASSWORD});
            let add = desk.ask(Method::POST, "/api/v1/users").bearer_auth(&admin).header(JSON.0, JSON.1);
            let (status, body) = answer(add.body(new.to_string())).await;
            assert!(matches!(status, StatusCode::CREATED | StatusCode::CONFLICT), "{body}");
            answer(patch("li", json!({"password": PASSWORD, "disabled": false}))).await;
            let token = desk.token("li").await;
            let (status, body) = answer(patch("li", change.clone())).await;
            assert_eq!(status, StatusCode::OK, "{body}");
            assert_eq!(desk.get(&token, "/api/v1/session").await.0, StatusCode::UNAUTHORIZED, "{change}");
        }
        let (status, body) = answer(patch("li", json!({"roles": ["king"]}))).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(body["problems"], json!(["no role is called \"king\""]));
        let (status, body) = answer(patch("li", json!({"queues": ["main", "mian"]}))).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(body["problems"], json!(["there is no queue \"mian\""]));
        desk
    });
}

#[test]
fn a_cookie_writes_from_our_own_pages_only() {
    on_sqlite(|desk| async move {
        let (cookie, body) = by_cookie(&desk, "lead", None).await;
        let csrf = body["csrf"].as_str().unwrap();
        let own = desk.url.clone();
        let cases: &[(&[(&str, &str)], bool)] = &[
            (&[], false),
            (&[("origin", &own)], true),
            (&[("origin", "null")], false),
            (&[("origin", "http://evil.example")], false),
            (&[("origin", &own.replace("http:", "https:"))], false),
            (&[("origin", &own), ("sec-fetch-site", "cross-site")], false),
            (&[("origin", &own), ("sec-fetch-site", "same-origin")], true),
            (&[(CSRF_HEADER, csrf)], true),
            (&[(CSRF_HEADER, "guess")], false),
            (&[("x-http-method-override", "DELETE")], false),
        ];
        for (headers, fine) in cases {
            let path = format!("/api/v1/calls/{}/hangup", super::LIVE);
            let mut request = desk.ask(Method::POST, &path).header("cookie", &cookie);
            for (name, value) in *headers {
                request = request.header(*name, *value);
            }
            let (status, body) = answer(request).await;
            let passed = matches!(status, StatusCode::NO_CONTENT | StatusCode::CONFLICT);
            assert_eq!(passed, *fine, "{headers:?}: {status} {body}");
        }
        // Signing in from a foreign page is refused too.
        let body = json!({"username": "lead", "password": PASSWORD}).to_string();
        let foreign =
            desk.ask(Method::POST, "/api/v1/session").header(JSON.0, JSON.1).header("origin", "http://evil");
        assert_eq!(answer(foreign.body(body)).await.0, StatusCode::FORBIDDEN);
        desk
    });
}

#[test]
fn what_is_stored_of_a_session_opens_nothing() {
    on_sqlite(|desk| async move {
        let token = desk.token("lead").await;
        let file = std::fs::read(desk.db.path().unwrap()).unwrap();
        let log = std::fs::read(desk.db.path().unwrap().with_extension("db-wal")).unwrap_or_default();
        for bytes in [file, log] {
            for secret in [token.as_bytes(), PASSWORD.as_bytes()] {
                assert!(!bytes.windows(secret.len()).any(|w| w == secret));
            }
        }
        desk
    });
}
