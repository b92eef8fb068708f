//! What hostile clients do (the A rows of the list of attacks).

use super::{Desk, PASSWORD, answer, on_both, on_sqlite};
use crate::api::{ServeLimits, routes};
use reqwest::{Method, StatusCode};
use serde_json::json;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[test]
fn every_route_but_the_open_ones_asks_who_you_are() {
    on_sqlite(|desk| async move {
        const OPEN: &[&str] = &[
            "/healthz",
            "/readyz",
            "/metrics",
            "/api/v1/openapi.json",
            "/api/v1/cti.schema.json",
            "/api/v1/about",
        ];
        for (method, path) in routes() {
            // Citizens have no sign-in; what they may do has tests of its own.
            if path.starts_with("/public") {
                continue;
            }
            if OPEN.contains(&path) || (&method, path) == (&Method::POST, "/api/v1/session") {
                continue;
            }
            for bearer in [None, Some("A".repeat(43)), Some("x".into())] {
                let mut request = desk.ask(method.clone(), &path.replace(['{', '}'], "")).body("{}");
                request = request.header("content-type", "application/json");
                if let Some(token) = &bearer {
                    request = request.bearer_auth(token);
                }
                let response = request.send().await.unwrap();
                assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{method} {path} {bearer:?}");
                assert_eq!(response.headers()["content-type"], "application/problem+json");
                assert_eq!(response.headers()["www-authenticate"], "Bearer");
            }
        }
        desk
    });
}

#[test]
fn identity_headers_of_strangers_are_nothing() {
    on_sqlite(|desk| async move {
        for name in
            ["x-remote-user", "remote-user", "x-forwarded-user", "x-webauth-user", "x-auth-request-user"]
        {
            let request = desk.ask(Method::GET, "/api/v1/session").header(name, "admin");
            assert_eq!(answer(request).await.0, StatusCode::UNAUTHORIZED, "{name}");
        }
        // Nor does a forged address open the limit on wrong passwords.
        for n in 0..6 {
            let body = json!({"username": "admin", "password": "wrong-password"}).to_string();
            let request =
                desk.ask(Method::POST, "/api/v1/session").header("content-type", "application/json");
            let (status, _) =
                answer(request.header("x-forwarded-for", format!("10.0.0.{n}")).body(body)).await;
            let want = if n < 5 { StatusCode::UNAUTHORIZED } else { StatusCode::TOO_MANY_REQUESTS };
            assert_eq!(status, want);
        }
        desk
    });
}

#[test]
fn a_hundred_wrong_passwords_at_once_are_not_a_hundred_tries() {
    on_sqlite(|desk| async move {
        let tries = (0..100).map(|_| desk.sign_in("admin", "wrong-password"));
        let told = futures_util::future::join_all(tries).await;
        let looked_at = told.iter().filter(|(status, _)| *status == StatusCode::UNAUTHORIZED).count();
        assert!(looked_at <= 5, "{looked_at} were compared");
        desk
    });
}

#[test]
fn quotes_in_every_field_find_nothing_and_break_nothing() {
    on_both(|desk| async move {
        let lead = desk.token("lead").await;
        for text in ["'", "\"", "' OR '1'='1", "\\", "%", "_", ";--", "\u{0}", "$1", "{}", "é漢字"] {
            for list in [
                "calls?trunk",
                "calls?caller",
                "calls?queue",
                "calls?sip_call_id",
                "tickets?no",
                "tickets?lead",
                "tickets?call",
            ] {
                let (path, field) = list.split_once('?').unwrap();
                let request = desk
                    .ask(Method::GET, &format!("/api/v1/{path}"))
                    .bearer_auth(&lead)
                    .query(&[(field, text)]);
                let (status, body) = answer(request).await;
                assert_eq!(status, StatusCode::OK, "{list}={text:?}: {body}");
                assert_eq!(body["items"], json!([]), "{list}={text:?}");
            }
            let (status, _) = desk.sign_in(text, text).await;
            assert!(
                matches!(status, StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS),
                "{text:?}: {status}"
            );
        }
        desk
    });
}

#[test]
fn what_a_client_sends_is_not_sent_back_as_a_page() {
    on_sqlite(|desk| async move {
        let lead = desk.token("lead").await;
        let script = "%3Cscript%3Ealert(1)%3C/script%3E";
        for path in [
            format!("/{script}"),
            format!("/api/v1/{script}"),
            format!("/api/v1/calls/{script}"),
            format!("/api/v1/calls?{script}=1"),
            format!("/api/v1/calls?limit={script}"),
            format!("/api/v1/tickets?cursor={script}"),
        ] {
            let response = desk.ask(Method::GET, &path).bearer_auth(&lead).send().await.unwrap();
            assert!(response.status().is_client_error(), "{path}");
            assert_eq!(response.headers()["content-type"], "application/problem+json", "{path}");
            assert_eq!(response.headers()["x-content-type-options"], "nosniff");
            assert!(!response.text().await.unwrap().contains("<script"), "{path}");
        }
        desk
    });
}

#[test]
fn every_answer_carries_the_headers_that_keep_browsers_safe() {
    on_sqlite(|desk| async move {
        for path in ["/", "/healthz", "/api/v1/session", "/nowhere", "/metrics"] {
            let response = desk.ask(Method::GET, path).send().await.unwrap();
            let policy = response.headers()["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
            assert!(!policy.contains("unsafe"), "{policy}");
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("x-frame-options", "DENY"),
                ("referrer-policy", "no-referrer"),
                ("cache-control", "no-store"),
            ] {
                assert_eq!(response.headers()[name], value, "{path}");
            }
            assert!(response.headers().get("access-control-allow-origin").is_none());
        }
        desk
    });
}

#[test]
fn paths_lead_nowhere_but_to_the_list_of_files() {
    on_sqlite(|desk| async move {
        for path in [
            "/../Cargo.toml",
            "/..%2fCargo.toml",
            "/%2e%2e/Cargo.toml",
            "/assets/../../Cargo.toml",
            "/assets/%2e%2e%2fsrc",
            "//etc/passwd",
            "/etc/passwd",
            "/.git/config",
            "/index.html%00",
            "/assets/",
            "/assets",
            "/%5c..%5c",
            "/file:///etc",
            "/index.html/..",
            "/./index.html%2f..",
            "/recordings/x.wav",
            "/panel/dist/index.html",
            "/assets/..;/",
            "/..",
        ] {
            // A raw request: a client library would tidy the path.
            let (status, body) =
                raw(&desk, &format!("GET {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")).await;
            assert!((400..500).contains(&status), "{path}: {status}");
            assert!(!body.contains("[package]") && !body.contains("root:"), "{path}");
        }
        desk
    });
}

/// Sends bytes as they are; the answer's status and all of it. 0 where the connection was just closed.
async fn raw(desk: &Desk, text: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(desk.address()).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ =
        tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await.expect("an end");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    (answer.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0), answer)
}

#[test]
fn bodies_have_a_kind_a_form_and_a_size() {
    on_sqlite(|desk| async move {
        let sign_in = |kind: &'static str, body: Vec<u8>| {
            desk.ask(Method::POST, "/api/v1/session").header("content-type", kind).body(body)
        };
        let good = json!({"username": "lead", "password": PASSWORD}).to_string().into_bytes();
        let json = "application/json";
        for (request, want) in [
            (sign_in("text/plain", good.clone()), StatusCode::UNSUPPORTED_MEDIA_TYPE),
            (sign_in("application/x-www-form-urlencoded", good.clone()), StatusCode::UNSUPPORTED_MEDIA_TYPE),
            (sign_in(json, b"{".to_vec()), StatusCode::BAD_REQUEST),
            (sign_in(json, b"[]".to_vec()), StatusCode::BAD_REQUEST),
            (
                sign_in(json, br#"{"username": "a", "password": "b", "admin": true}"#.to_vec()),
                StatusCode::BAD_REQUEST,
            ),
            (sign_in(json, [b"[".repeat(100_000), b"]".repeat(100_000)].concat()), StatusCode::BAD_REQUEST),
            (sign_in("application/json; charset=utf-8", good), StatusCode::OK),
        ] {
            let (status, body) = answer(request).await;
            assert_eq!(status, want, "{body}");
        }
        // By hand: a client that is still sending may see the closed connection before the answer.
        let head = "POST /api/v1/session HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\nconnection: close\r\n";
        let (status, body) = raw(&desk, &format!("{head}content-length: 2097153\r\n\r\n")).await;
        assert_eq!(status, 413, "{body}");
        // Announced small, sent in pieces without an end.
        let chunks = futures_util::stream::iter((0..40).map(|_| Ok::<_, std::io::Error>(vec![b' '; 65_536])));
        let request = desk.ask(Method::POST, "/api/v1/session").header("content-type", json);
        match request.body(reqwest::Body::wrap_stream(chunks)).send().await {
            Ok(response) => assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE),
            // Told and closed before everything was sent.
            Err(error) => assert!(error.is_request(), "{error}"),
        }
        desk
    });
}

#[test]
fn methods_that_an_address_does_not_take_are_told() {
    on_sqlite(|desk| async move {
        for (method, path) in [
            (Method::PUT, "/api/v1/calls"),
            (Method::DELETE, "/healthz"),
            (Method::POST, "/metrics"),
            (Method::TRACE, "/readyz"),
        ] {
            let (status, body) = answer(desk.ask(method.clone(), path)).await;
            assert_eq!(
                (status, &body["code"]),
                (StatusCode::METHOD_NOT_ALLOWED, &json!("method_not_allowed")),
                "{method} {path}"
            );
        }
        desk
    });
}

#[test]
fn slow_and_many_connections_cost_little_and_others_are_served() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    runtime.block_on(async {
        let db = crate::store::tests::sqlite(dir.path()).await;
        let limits =
            ServeLimits { per_source: 4, head: Duration::from_millis(300), ..ServeLimits::default() };
        let desk = Desk::serve(db.clone(), limits).await;
        // Heads that never end: closed when their time is over.
        let mut slow = Vec::new();
        for _ in 0..4 {
            let mut stream = TcpStream::connect(desk.address()).await.unwrap();
            stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: ").await.unwrap();
            slow.push(stream);
        }
        // The fifth of the same source is closed unheard.
        let mut fifth = TcpStream::connect(desk.address()).await.unwrap();
        let mut nothing = Vec::new();
        let closed = fifth.read_to_end(&mut nothing).await;
        assert!(closed.is_err() || nothing.is_empty());
        assert_eq!(desk.counts.turned_away.load(Relaxed), 1);
        for mut stream in slow {
            let mut rest = Vec::new();
            let ended = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await;
            assert!(ended.is_ok(), "a head without an end is not waited for");
        }
        let (status, _) = raw(&desk, "GET /healthz HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").await;
        assert_eq!(status, 200, "places are given back");
        // A head larger than any of ours.
        let (status, _) =
            raw(&desk, &format!("GET /{} HTTP/1.1\r\nhost: h\r\n\r\n", "a".repeat(100_000))).await;
        assert!(status == 0 || (400..500).contains(&status), "{status}");
        desk.close().await;
        db.close().await;
    });
}

#[test]
fn pages_are_compressed_and_answers_with_secrets_are_not() {
    on_sqlite(|desk| async move {
        let lead = desk.token("lead").await;
        for (path, packed) in [("/", true), ("/api/v1/session", false), ("/api/v1/calls", false)] {
            let request = desk.ask(Method::GET, path).bearer_auth(&lead).header("accept-encoding", "gzip");
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), StatusCode::OK);
            let encoding = response.headers().get("content-encoding").map(|v| v.to_str().unwrap().to_owned());
            assert_eq!(encoding.as_deref(), packed.then_some("gzip"), "{path}");
        }
        desk
    });
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    on_sqlite(|desk| async move {
        let head = "POST /api/v1/session HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\nconnection: close\r\n";
        let (status, body) = raw(&desk, &format!("{head}content-length: 100\r\n\r\n{{")).await;
        assert_eq!(status, 408, "{body}");
        assert!(body.contains("urn:hotline:problem:too_slow"), "{body}");
        desk
    });
}

#[test]
fn every_refusal_is_counted_by_its_code() {
    on_sqlite(|desk| async move {
        let lead = desk.token("lead").await;
        let post = |path: &str, kind: &'static str| {
            desk.ask(Method::POST, path).header("content-type", kind).body("{")
        };
        let session = "/api/v1/session";
        for (code, request) in [
            ("signed_out", desk.ask(Method::GET, "/api/v1/calls")),
            ("not_allowed", desk.ask(Method::GET, "/api/v1/users").bearer_auth(&lead)),
            ("not_found", desk.ask(Method::GET, "/nowhere")),
            ("method_not_allowed", desk.ask(Method::PUT, "/api/v1/calls")),
            ("bad_request", post(session, "application/json")),
            ("not_json", post(session, "text/plain")),
            (
                "foreign_origin",
                post(session, "application/json").header("origin", "https://elsewhere.example"),
            ),
        ] {
            let before = counted(&desk, code).await;
            let (status, body) = answer(request).await;
            assert_eq!(body["code"], code, "{status} {body}");
            assert_eq!(counted(&desk, code).await, before + 1, "{code}");
        }
        // By hand: a client that is still sending may see the closed connection before the answer.
        let before = counted(&desk, "too_large").await;
        let head = "POST /api/v1/session HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\nconnection: close\r\n";
        let (status, _) = raw(&desk, &format!("{head}content-length: 2097153\r\n\r\n")).await;
        assert_eq!(status, 413);
        assert_eq!(counted(&desk, "too_large").await, before + 1);
        let before = counted(&desk, "wrong_credentials").await;
        desk.sign_in("nobody", "wrong-password").await;
        assert_eq!(counted(&desk, "wrong_credentials").await, before + 1);
        desk
    });
}

async fn counted(desk: &Desk, code: &str) -> u64 {
    let text = desk.ask(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
    let name = format!("hotline_http_problems_total{{code=\"{code}\"}} ");
    text.lines().find_map(|line| line.strip_prefix(&name)).expect("a line for the code").parse().unwrap()
}

#[test]
fn by_tls_the_cookie_is_this_hosts_alone_and_browsers_stay_with_tls() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    runtime.block_on(async {
        let db = crate::store::tests::sqlite(dir.path()).await;
        Desk::open(db.clone()).await.close().await;
        let desk = Desk::serve_as(db.clone(), ServeLimits::default(), true).await;
        let body = json!({"username": "lead", "password": PASSWORD}).to_string();
        let request = desk.ask(Method::POST, "/api/v1/session").header("content-type", "application/json");
        let response = request.body(body).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["strict-transport-security"], "max-age=31536000");
        let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
        // The prefix asks for exactly these (RFC 6265bis, 4.1.3.2).
        assert!(cookie.starts_with("__Host-hotline_session="), "{cookie}");
        assert!(cookie.contains("; Path=/;") && cookie.ends_with("; Secure") && !cookie.contains("Domain"));
        let pair = cookie.split(';').next().unwrap();
        for (sent, want) in
            [(pair.to_owned(), StatusCode::OK), (pair.replace("__Host-", ""), StatusCode::UNAUTHORIZED)]
        {
            let request = desk.ask(Method::GET, "/api/v1/session").header("cookie", &sent);
            assert_eq!(answer(request).await.0, want, "{sent}");
        }
        desk.close().await;
        db.close().await;
    });
}
