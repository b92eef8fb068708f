//! Who may open the agents' websocket, from where, and what ends it. What goes over it is told in `cti::tests`.

use super::*;
use crate::call::agents::seam::{AgentState, FromEngine, Snapshot, ToEngine};
use crate::cti::{self, HubConfig, HubLimits, SUBPROTOCOL};
use futures_util::StreamExt as _;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A desk with a hub whose engine knows everybody as offline.
async fn with_sockets(desk: Desk, limits: HubLimits) -> Desk {
    let (to_engine, mut heard) = mpsc::channel(64);
    let (engine, from_engine) = mpsc::channel(64);
    tokio::spawn(async move {
        while let Some(words) = heard.recv().await {
            let ToEngine::Snapshot { agent, re } = words else { continue };
            let snapshot = Box::new(Snapshot {
                agent: Arc::clone(&agent),
                state: AgentState::Offline,
                since_ms: NINE,
                device: None,
                break_pending: None,
                calls: Vec::new(),
                offer: None,
                queues: Vec::new(),
                colleagues: Vec::new(),
            });
            if engine.send(FromEngine::Snapshot { agent, re, wall_ms: NINE, snapshot }).await.is_err() {
                return;
            }
        }
    });
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    let handle = cti::start(
        HubConfig { limits, zone, clock: Arc::new(|| NINE), boot: 1 },
        to_engine,
        from_engine,
        None,
    );
    let db = desk.db.clone();
    desk.close().await;
    Desk::serve_with(db, ServeLimits::default(), false, Some(handle)).await
}

/// Opens a socket with these headers; the status when it is refused.
async fn open(desk: &Desk, path: &str, headers: &[(&str, &str)]) -> Result<Socket, u16> {
    let mut request = format!("ws://{}{path}", desk.address()).into_client_request().unwrap();
    for (name, value) in headers {
        let name: axum::http::HeaderName = name.parse().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    match tokio_tungstenite::connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => {
            let body: Json =
                serde_json::from_slice(response.body().as_deref().unwrap_or_default()).unwrap_or_default();
            assert_eq!(body["status"], response.status().as_u16(), "a problem document");
            Err(response.status().as_u16())
        }
        Err(error) => panic!("{error}"),
    }
}

async fn first_frame(socket: &mut Socket) -> Json {
    match socket.next().await {
        Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// The code it is closed with.
async fn closed(mut socket: Socket) -> u16 {
    let reading = async {
        while let Some(Ok(message)) = socket.next().await {
            if let Message::Close(Some(close)) = message {
                return close.code.into();
            }
        }
        0
    };
    tokio::time::timeout(Duration::from_secs(20), reading).await.expect("it is not closed")
}

#[test]
fn only_agents_and_leads_open_it_and_the_hello_says_who_they_are() {
    on_sqlite(|desk| async {
        let desk = with_sockets(desk, HubLimits::default()).await;
        assert_eq!(open(&desk, "/cti/v1", &[]).await.err(), Some(401));
        for role in Role::ALL {
            let name = format!("as-{}", role.label().replace('_', "-"));
            let bearer = format!("Bearer {}", desk.token(&name).await);
            let headers = [("authorization", bearer.as_str()), ("sec-websocket-protocol", SUBPROTOCOL)];
            match open(&desk, "/cti/v1", &headers).await {
                Ok(mut socket) => {
                    let hello = first_frame(&mut socket).await;
                    assert_eq!(hello["event"], "hello");
                    assert_eq!(hello["data"]["agent"], name);
                    assert_eq!(hello["data"]["lead"], *role == Role::Lead);
                    assert_eq!(first_frame(&mut socket).await["event"], "snapshot");
                    assert!([Role::Agent, Role::Lead].contains(role), "{role:?}");
                }
                Err(status) => {
                    assert_eq!(status, 403, "{role:?}");
                    assert!(![Role::Agent, Role::Lead].contains(role), "{role:?}");
                }
            }
        }
        desk
    });
}

#[test]
fn a_cookie_opens_it_from_a_page_of_ours_only() {
    on_sqlite(|desk| async {
        let desk = with_sockets(desk, HubLimits::default()).await;
        let token = desk.token("8001").await;
        let cookie = format!("hotline_session={token}");
        let ours = format!("http://{}", desk.address());
        let port = desk.address().rsplit(':').next().unwrap().to_owned();
        let from = |origin: Option<String>| {
            let (desk, cookie) = (&desk, cookie.clone());
            async move {
                let mut headers = vec![("cookie", cookie.as_str())];
                headers.extend(origin.as_deref().map(|origin| ("origin", origin)));
                open(desk, "/cti/v1", &headers).await.err()
            }
        };
        assert_eq!(from(Some(ours.clone())).await, None);
        for foreign in [
            "null".to_owned(),
            ours.replace("http:", "https:"),
            format!("http://sub.127.0.0.1:{port}"),
            "http://127.0.0.1".to_owned(),
            format!("{ours}0"),
            format!("{ours}.evil.example"),
            format!("http://localhost:{port}"),
            "http://evil.example".to_owned(),
        ] {
            assert_eq!(from(Some(foreign.clone())).await, Some(403), "{foreign}");
        }
        assert_eq!(from(None).await, Some(403), "a cookie alone is never enough");
        desk
    });
}

#[test]
fn what_cannot_be_opened_is_a_problem_document() {
    on_sqlite(|desk| async {
        let token = desk.token("8001").await;
        let bearer = format!("Bearer {token}");
        let auth = ("authorization", bearer.as_str());
        assert_eq!(open(&desk, "/cti/v1", &[auth]).await.err(), Some(503), "no calls desk");
        let desk = with_sockets(desk, HubLimits { sessions: 1, ..HubLimits::default() }).await;
        for path in ["/cti/v1?resume=x", "/cti/v1?resume=-1", "/cti/v1?since=1", "/cti/v1?watch=maybe"] {
            assert_eq!(open(&desk, path, &[auth]).await.err(), Some(400), "{path}");
        }
        let other = [auth, ("sec-websocket-protocol", "hotline.cti.v9")];
        assert_eq!(open(&desk, "/cti/v1", &other).await.err(), Some(400));
        assert_eq!(desk.get(&token, "/cti/v1").await.0, StatusCode::BAD_REQUEST, "no upgrade");
        let (status, _) = answer(desk.ask(Method::POST, "/cti/v1").bearer_auth(&token)).await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
        let held = open(&desk, "/cti/v1?watch=1&resume=7", &[auth]).await.unwrap();
        assert_eq!(open(&desk, "/cti/v1", &[auth]).await.err(), Some(503), "no place");
        drop(held);
        desk
    });
}

#[test]
fn signing_out_being_disabled_and_growing_old_close_it() {
    on_both(|desk| async {
        let limits = HubLimits { recheck: Duration::from_millis(100), ..HubLimits::default() };
        let desk = with_sockets(desk, limits).await;
        let admin = desk.token("admin").await;
        let opened = |token: String| {
            let desk = &desk;
            async move {
                let bearer = format!("Bearer {token}");
                let mut socket = open(desk, "/cti/v1", &[("authorization", &bearer)]).await.unwrap();
                assert_eq!(first_frame(&mut socket).await["event"], "hello");
                socket
            }
        };
        let (gone, stays) = (desk.token("8001").await, desk.token("8001").await);
        let (first, mut second) = (opened(gone.clone()).await, opened(stays.clone()).await);
        answer(desk.ask(Method::DELETE, "/api/v1/session").bearer_auth(&gone)).await;
        assert_eq!(closed(first).await, 4401);
        assert_eq!(first_frame(&mut second).await["event"], "snapshot", "the other sign-in goes on");

        let body = json!({"disabled": true}).to_string();
        let change = desk.ask(Method::PATCH, "/api/v1/users/8001").bearer_auth(&admin);
        let (status, _) = answer(change.header("content-type", "application/json").body(body)).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(closed(second).await, 4401);

        // In use without requests a sign-in does not rest, but its life has an end.
        let socket = opened(desk.token("8002").await).await;
        for _ in 0..4 {
            desk.later.fetch_add(20 * 60_000, Relaxed);
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
        let after = desk.get(&admin, "/api/v1/session").await.0;
        assert_eq!(after, StatusCode::UNAUTHORIZED, "one that rested is over");
        desk.later.fetch_add(12 * 3_600_000, Relaxed);
        assert_eq!(closed(socket).await, 4401);
        let text = answer(desk.ask(Method::GET, "/metrics")).await.1;
        let text = text.as_str().unwrap();
        assert!(text.contains("hotline_cti_cuts_total{reason=\"signed_out\"} 3\n"), "{text}");
        assert!(text.ends_with("# EOF\n") && text.matches("# EOF").count() == 1);
        desk
    });
}

#[test]
fn the_schema_is_published() {
    on_sqlite(|desk| async {
        let (status, schema) = answer(desk.ask(Method::GET, "/api/v1/cti.schema.json")).await;
        assert_eq!((status, &schema["$id"]), (StatusCode::OK, &json!("urn:hotline:cti:1")));
        desk
    });
}
