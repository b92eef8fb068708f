//! Calls, tickets, recordings and the machine's own pages, as each role sees them.

use super::{LIVE, answer, on_both, on_sqlite};
use crate::api::Phase;
use crate::auth::Role;
use crate::store::demo;
use crate::store::fold::hex32;
use crate::store::tests::facts::{MESSAGE, NO, RECORDING, call};
use reqwest::{Method, StatusCode};
use serde_json::{Value as Json, json};

fn ids(list: &Json) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn calls_and_tickets_are_listed_filtered_and_paged() {
    on_both(|desk| async move {
        let lead = desk.token("lead").await;
        let get = async |path: &str| {
            let (status, body) = desk.get(&lead, path).await;
            assert_eq!(status, StatusCode::OK, "{path}: {body}");
            body
        };
        let all = ids(&get("/api/v1/calls").await);
        assert_eq!(all.len(), 5);
        let mut paged = Vec::new();
        let mut path = "/api/v1/calls?limit=2".to_owned();
        loop {
            let page = get(&path).await;
            paged.extend(ids(&page));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/api/v1/calls?limit=2&cursor={next}");
        }
        assert_eq!(paged, all);
        assert_eq!(ids(&get("/api/v1/calls?end_reason=message_left").await), [call(1).to_string()]);
        assert_eq!(ids(&get("/api/v1/calls?state=live").await), [LIVE.to_string()]);
        assert_eq!(ids(&get("/api/v1/calls?caller=12000000002&state=ended").await), [call(2).to_string()]);
        assert!(ids(&get("/api/v1/calls?since=2026-11-24T00:00:00%2B08:00").await).is_empty());

        let one = get(&format!("/api/v1/calls/{}", call(1))).await;
        for field in [
            "id",
            "sip_call_id",
            "direction",
            "caller",
            "called",
            "trunk",
            "state",
            "queue",
            "agent",
            "started_at",
            "answered_at",
            "ended_at",
            "end_reason",
            "tickets",
            "recording",
        ] {
            assert!(one.get(field).is_some(), "a call has {field}");
        }
        assert_eq!(one["started_at"], "2026-11-23T09:00:00.400+08:00");
        assert_eq!(one["recording"]["id"], hex32(RECORDING));
        let events = get(&format!("/api/v1/calls/{}/events", call(1))).await;
        assert_eq!(events["items"][0]["kind"], "call_arrived");
        assert_eq!(events["items"][1]["offset_ms"], 100);

        let ticket = get(&format!("/api/v1/tickets/{NO}")).await;
        for field in [
            "id",
            "no",
            "state",
            "channel",
            "type",
            "category",
            "street",
            "lead",
            "assist",
            "urgency",
            "title",
            "content",
            "caller",
            "secrecy",
            "calls",
            "created_at",
            "accepted_at",
            "due_at",
            "closed_at",
        ] {
            assert!(ticket.get(field).is_some(), "a ticket has {field}");
        }
        let events = get(&format!("/api/v1/tickets/{NO}/events")).await;
        assert_eq!(events["items"].as_array().map(Vec::len), Some(3));
        assert_eq!(ids(&get(&format!("/api/v1/tickets?call={}", call(1))).await).len(), 1);
        assert_eq!(ids(&get("/api/v1/tickets?state=missed").await).len(), 2);
        let numbered = ids(&get("/api/v1/tickets?numbered=true&limit=500").await);
        assert_eq!(numbered.len(), 2 + demo::TICKETS.len());
        assert_eq!(get("/api/v1/flows").await["items"].as_array().map(Vec::len), Some(2));

        for wrong in
            ["?limit=0", "?limit=501", "?cursor=x", "?since=yesterday", "?password=1", "?cursor=1~a'b"]
        {
            for list in ["calls", "tickets"] {
                let (status, body) = desk.get(&lead, &format!("/api/v1/{list}{wrong}")).await;
                assert_eq!(
                    (status, &body["code"]),
                    (StatusCode::BAD_REQUEST, &json!("bad_request")),
                    "{list}{wrong}"
                );
            }
        }
        for nowhere in
            ["calls/c-09-00001-0000000001", "calls/x/events", "tickets/261123000091", "tickets/x/events"]
        {
            assert_eq!(
                desk.get(&lead, &format!("/api/v1/{nowhere}")).await.0,
                StatusCode::NOT_FOUND,
                "{nowhere}"
            );
        }
        desk
    });
}

#[test]
fn live_calls_come_from_the_engine_and_can_be_ended_by_those_who_may() {
    on_sqlite(|desk| async move {
        let (agent, lead) = (desk.token("8001").await, desk.token("lead").await);
        let (_, live) = desk.get(&agent, "/api/v1/calls/live").await;
        assert_eq!(live["items"][0]["path"], json!(["welcome"]));
        let path = format!("/api/v1/calls/{LIVE}/hangup");
        let hang_up = |token: &str| desk.ask(Method::POST, &path).bearer_auth(token);
        assert_eq!(answer(hang_up(&agent)).await.0, StatusCode::FORBIDDEN);
        assert_eq!(answer(hang_up(&lead)).await.0, StatusCode::NO_CONTENT);
        assert_eq!(answer(hang_up(&lead)).await.0, StatusCode::CONFLICT, "it is over");
        assert_eq!(desk.db.accesses(&LIVE.to_string()).await.unwrap()[0].user, "lead");
        desk
    });
}

#[test]
fn the_floor_and_the_reasons_come_from_the_engine() {
    on_sqlite(|desk| async move {
        let lead = desk.token("lead").await;
        let (_, queues) = desk.get(&lead, "/api/v1/queues").await;
        let main = &queues["items"][0];
        assert_eq!(
            (&main["queue"], &main["waiting"], &main["callbacks"]),
            (&json!("main"), &json!(2), &json!(4))
        );
        assert!(main["longest_since"].as_str().unwrap().ends_with("+08:00"));
        let (_, agents) = desk.get(&lead, "/api/v1/agents").await;
        let one = &agents["items"][0];
        assert_eq!(
            (&one["state"], &one["reason"], &one["device"]),
            (&json!("not_ready"), &json!("meal"), &json!("browser"))
        );
        let (_, why) = desk.get(&lead, &format!("/api/v1/calls/{LIVE}/why")).await;
        assert_eq!(
            (&why["waited"][0]["cause"], &why["waited"][0]["wait_ms"]),
            (&json!("all_talking"), &json!(41_000))
        );
        assert_eq!(
            (&why["chosen"][0]["agent"], &why["chosen"][0]["rule"]),
            (&json!("8003"), &json!("longest_idle"))
        );
        for (path, status) in
            [("c-01-00001-0000000009", StatusCode::NOT_FOUND), ("nonsense", StatusCode::NOT_FOUND)]
        {
            let asked = desk.ask(Method::GET, &format!("/api/v1/calls/{path}/why")).bearer_auth(&lead);
            assert_eq!(answer(asked).await.0, status, "{path}");
        }
        desk
    });
}

#[test]
fn who_sees_what_is_as_the_table_of_rights_says() {
    on_both(|desk| async move {
        let one = format!("/api/v1/calls/{}", call(1));
        let ticket = format!("/api/v1/tickets/{NO}");
        // The answer's status, and whether the caller's number is in it: `A` whole, `m` not, `.` refused, `h` hidden.
        let table: &[(&str, &str)] = &[
            //        agent lead disp unit head visit office leader kb qa audit analyst observer sec admin
            (&one, "AAA..AAm.A.mm.m"),
            ("/api/v1/calls", "AAA..AAm.A.mm.m"),
            ("/api/v1/calls/live", "AAA...Am.m..m.m"),
            (&ticket, "AAAhhAAA.A.mm.m"),
            ("/api/v1/users", "......m...m..mm"),
            ("/api/v1/flows", "mmm...m..m..m.m"),
            ("/api/v1/engine", "mmm...mm.m..m.m"),
        ];
        for (at, role) in Role::ALL.iter().enumerate() {
            let token = desk.token(&format!("as-{}", role.label().replace('_', "-"))).await;
            for (path, row) in table {
                let (status, body) = desk.get(&token, path).await;
                let seen = match status {
                    StatusCode::FORBIDDEN => '.',
                    StatusCode::NOT_FOUND => 'h',
                    StatusCode::OK if body.to_string().contains("1200000000") => 'A',
                    StatusCode::OK => 'm',
                    other => panic!("{path} as {role:?}: {other} {body}"),
                };
                assert_eq!(Some(seen), row.chars().nth(at), "{path} as {role:?}: {body}");
            }
        }
        desk
    });
}

#[test]
fn a_unit_finds_its_own_tickets_and_no_caller_on_any_way() {
    on_both(|desk| async move {
        let token = desk.token("rl").await;
        let (_, list) = desk.get(&token, "/api/v1/tickets?limit=500").await;
        let mine: Vec<&demo::DemoTicket> =
            demo::TICKETS.iter().filter(|t| [90_001, 90_007].contains(&t.sequence)).collect();
        assert_eq!(list["items"].as_array().unwrap().len(), mine.len(), "{list}");
        assert!(!list.to_string().contains("12000000001"));
        for ticket in demo::TICKETS {
            for way in ["", "/events"] {
                let (status, body) = desk.get(&token, &format!("/api/v1/tickets/{}{way}", ticket.no())).await;
                let own = mine.iter().any(|m| m.sequence == ticket.sequence);
                assert_eq!(
                    status,
                    if own { StatusCode::OK } else { StatusCode::NOT_FOUND },
                    "{}{way}",
                    ticket.no()
                );
                assert!(!body.to_string().contains("12000000"), "{body}");
            }
        }
        assert_eq!(desk.get(&token, "/api/v1/tickets?caller=12000000001").await.0, StatusCode::FORBIDDEN);
        desk
    });
}

#[test]
fn recordings_are_played_whole_or_by_ranges_and_each_play_is_written_down() {
    on_both(|desk| async move {
        let id = hex32(RECORDING);
        let day = desk.dir.path().join("2026-11-23");
        std::fs::create_dir(&day).unwrap();
        let bytes: Vec<u8> = (0..=255).cycle().take(1_000).collect();
        std::fs::write(day.join(format!("{id}.wav")), &bytes).unwrap();
        std::fs::write(desk.dir.path().join("secret.wav"), b"x").unwrap();
        let (lead, agent) = (desk.token("lead").await, desk.token("8001").await);
        let path = format!("/api/v1/recordings/{id}");
        for (range, status, want) in [
            (None, 200, Some((0, 1_000))),
            (Some("bytes=0-99"), 206, Some((0, 100))),
            (Some("bytes=900-"), 206, Some((900, 1_000))),
            (Some("bytes=-10"), 206, Some((990, 1_000))),
            (Some("bytes=1000-"), 416, None),
        ] {
            let mut request = desk.ask(Method::GET, &path).bearer_auth(&lead);
            if let Some(range) = range {
                request = request.header("range", range);
            }
            let response = request.send().await.unwrap();
            assert_eq!(response.status().as_u16(), status, "{range:?}");
            if let Some((from, to)) = want {
                assert_eq!(response.headers()["content-type"], "audio/wav");
                if status == 206 {
                    let told = format!("bytes {from}-{}/1000", to - 1);
                    assert_eq!(response.headers()["content-range"].to_str().unwrap(), told);
                }
                assert_eq!(response.bytes().await.unwrap(), bytes[from..to], "{range:?}");
            } else {
                assert_eq!(response.headers()["content-range"], "bytes */1000");
            }
        }
        assert_eq!(desk.get(&agent, &path).await.0, StatusCode::FORBIDDEN);
        let plays = desk.db.accesses(&id).await.unwrap();
        assert_eq!(
            plays.iter().filter(|a| a.user == "lead" && a.outcome == "allowed").count(),
            2,
            "{plays:?}"
        );
        assert!(plays.iter().any(|a| a.user == "8001" && a.outcome == "refused"));
        // Known to the database but gone from the disk, guessed, and not an id at all.
        for other in [hex32(MESSAGE), hex32(0xcc), "secret".into(), "..%2Fsecret".into()] {
            assert_eq!(
                desk.get(&lead, &format!("/api/v1/recordings/{other}")).await.0,
                StatusCode::NOT_FOUND,
                "{other}"
            );
        }
        desk
    });
}

#[test]
fn the_machines_pages_tell_alive_ready_and_figures() {
    on_sqlite(|desk| async move {
        let get = async |path: &str| answer(desk.ask(Method::GET, path)).await;
        assert_eq!(get("/healthz").await.0, StatusCode::OK);
        let (status, body) = get("/readyz").await;
        assert_eq!((status, &body["status"]), (StatusCode::OK, &json!("ready")));
        for (phase, word) in [(Phase::Starting, "starting"), (Phase::Draining, "draining")] {
            *desk.engine.phase.lock().unwrap() = phase;
            let (status, body) = get("/readyz").await;
            assert_eq!((status, &body["status"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(word)));
        }
        assert!(get("/metrics").await.1.to_string().contains("hotline_live_calls 1"));
        let (_, document) = get("/api/v1/openapi.json").await;
        assert!(document["openapi"].as_str().unwrap().starts_with("3."));
        assert!(document["components"]["schemas"]["Ticket"].is_object());

        let admin = desk.token("admin").await;
        let reload = || desk.ask(Method::POST, "/api/v1/engine/reload").bearer_auth(&admin);
        assert_eq!(answer(reload()).await.0, StatusCode::OK);
        *desk.engine.reload.lock().unwrap() = Err(vec!["main.toml:3:1: unknown node".into()]);
        let (status, body) = answer(reload()).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(body["problems"], json!(["main.toml:3:1: unknown node"]));
        desk
    });
}

#[test]
fn without_its_database_the_desk_is_degraded_and_says_so_in_time() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        // Nobody listens there.
        let url = "postgres://hotline@127.0.0.1:1/hotline";
        let db = crate::store::Db::open(url, crate::store::OpenOptions::default()).await.unwrap();
        let desk = super::Desk::serve(db, crate::api::ServeLimits::default()).await;
        let (status, body) = answer(desk.ask(Method::GET, "/readyz")).await;
        assert_eq!((status, &body["status"]), (StatusCode::OK, &json!("degraded")), "calls go on");
        let (status, body) = desk.get(&"A".repeat(43), "/api/v1/calls").await;
        let unknown_token = status == StatusCode::UNAUTHORIZED;
        assert!(
            unknown_token || (status, &body["code"]) == (StatusCode::SERVICE_UNAVAILABLE, &json!("away")),
            "{body}"
        );
        let (status, _) = desk.sign_in("admin", "whatever-it-is").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        desk.close().await;
    });
}
