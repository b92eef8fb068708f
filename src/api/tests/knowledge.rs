//! Knowledge over HTTP: who may what, search, quotes, the way from a draft to the agents, and what is not passed.

use super::{Desk, answer, on_both, on_sqlite};
use crate::auth::Role;
use crate::store::projector::Projector;
use crate::store::tests::facts::{Book, call};
use crate::store::{User, Work};
use reqwest::{Method, StatusCode};
use serde_json::{Value as Json, json};
use std::sync::atomic::Ordering::Relaxed;

const KB: &str = "/api/v1/kb";
/// A number that the morning has not drawn.
const FIRST: &str = "261123000034";
const DAY_MS: i64 = 86_400_000;

async fn send(desk: &Desk, token: &str, method: Method, path: &str, body: &Json) -> (StatusCode, Json) {
    let request = desk.ask(method, path).bearer_auth(token);
    answer(request.header("content-type", "application/json").body(body.to_string())).await
}

/// A user with the roles of a unit, who has the demo's password.
async fn person(desk: &Desk, name: &str, role: &str, unit: &str) -> String {
    let hash = desk.db.user("admin").await.unwrap().unwrap().1;
    let user = User {
        name: name.into(),
        display: name.into(),
        unit: Some(unit.into()),
        roles: vec![role.into()],
        disabled: false,
        created_at: 0,
        work: Work::default(),
    };
    desk.db.add_user(&user, &hash).await.unwrap();
    desk.token(name).await
}

async fn a_call(desk: &Desk) -> String {
    let mut book = Book::morning();
    let done = book.0.len();
    book.arrived(call(11), "12000000011").answered(call(11)).taken(call(11), "8001", FIRST);
    Projector::new(desk.db.clone(), 1).apply(&book.0[done..]).await.unwrap();
    call(11).to_string()
}

async fn act(desk: &Desk, token: &str, id: &str, action: &str) -> (StatusCode, Json) {
    let (status, entry) = desk.get(token, &format!("{KB}/{id}")).await;
    assert_eq!(status, StatusCode::OK, "{action} {id}: {entry}");
    let body = json!({"action": action, "version": entry["version"], "reason": "理由"});
    send(desk, token, Method::POST, &format!("{KB}/{id}/actions"), &body).await
}

fn codes(told: &Json) -> Vec<&str> {
    told["errors"]
        .as_array()
        .map(|all| all.iter().filter_map(|e| e["code"].as_str()).collect())
        .unwrap_or_default()
}

fn new_entry(unit: &str) -> Json {
    json!({"title": "供热单位入户测温", "questions": ["谁来家里测温", "测温要预约吗"], "answer": "供热单位接到报修后二十四小时内上门测温。",
        "unit": unit, "category": "030101", "review_by": "2027-03-15", "source": "区城管委口径", "confidence": "S"})
}

async fn ids(desk: &Desk, token: &str, q: &str) -> Vec<String> {
    let request = desk.ask(Method::GET, &format!("{KB}/search")).query(&[("q", q)]).bearer_auth(token);
    let (status, found) = answer(request).await;
    assert_eq!(status, StatusCode::OK, "{found}");
    found["items"].as_array().unwrap().iter().map(|hit| hit["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn each_role_reads_and_writes_knowledge_as_the_table_says() {
    on_both(|desk| async move {
        let bad = json!({"title": "", "questions": [], "answer": "", "category": "", "review_by": "2027-01-01", "source": "",
            "confidence": "S", "unit": "rl"});
        let table: &[(Method, &str, Json, &str)] = &[
            // `A` answered (or refused for its content), `.` 403, `h` 404.
            //                                             agent lead disp unit head visit office leader kb qa audit analyst observer sec admin
            (Method::GET, KB, json!(null), "AAAAAAA.AAA...."),
            (Method::GET, "/api/v1/kb/search?q=x", json!(null), "AAAAAAA.AAA...."),
            (Method::GET, "/api/v1/kb/today", json!(null), "AAAAAAA.AAA...."),
            (Method::GET, "/api/v1/kb/wordings", json!(null), "AAAAAAA.AAA...."),
            (Method::GET, "/api/v1/kb/KB-0001", json!(null), "AAAhhAA.AAA...."),
            (Method::GET, "/api/v1/kb/KB-0014", json!(null), "hhhhhhA.Ahh...."),
            (Method::GET, "/api/v1/kb/KB-0001/versions", json!(null), "...hh.A.A......"),
            (Method::GET, "/api/v1/kb/KB-0001/events", json!(null), "...hh.A.A......"),
            (Method::GET, "/api/v1/kb/corrections", json!(null), "...AA.A.A......"),
            (Method::GET, "/api/v1/kb/notices", json!(null), "...AA.A.A......"),
            (Method::GET, "/api/v1/kb/units", json!(null), "...AA.A.A......"),
            (Method::GET, "/api/v1/kb/gaps", json!(null), ".A....A.A..A..."),
            (Method::GET, "/api/v1/kb/quotes?call=x", json!(null), "AAA..AAA.A.AA.A"),
            (Method::POST, KB, bad, "........A......"),
            (Method::PATCH, "/api/v1/kb/KB-0001", json!({"version": 0}), "...hh...A......"),
            (
                Method::POST,
                "/api/v1/kb/KB-0001/actions",
                json!({"action": "submit", "version": 0}),
                "...hh...A......",
            ),
            (
                Method::POST,
                "/api/v1/kb/KB-0001/actions",
                json!({"action": "approve", "version": 0}),
                "...hh..........",
            ),
            (
                Method::POST,
                "/api/v1/kb/KB-0001/actions",
                json!({"action": "retire", "version": 0}),
                "...hh.A........",
            ),
            (
                Method::POST,
                "/api/v1/kb/KB-0001/actions",
                json!({"action": "settle", "version": 0}),
                "...hh.A........",
            ),
            (
                Method::POST,
                "/api/v1/kb/KB-0001/actions",
                json!({"action": "doubt", "version": 0}),
                "...hh.A.A......",
            ),
            (Method::POST, "/api/v1/kb/KB-0001/corrections", json!({"text": " "}), "AAA..AA..A....."),
            (
                Method::PATCH,
                "/api/v1/kb/corrections/none",
                json!({"outcome": "x", "answer": "x"}),
                "...hh.h.h......",
            ),
            (
                Method::POST,
                "/api/v1/kb/notices",
                json!({"effective_on": "2026-12-01", "text": " ", "unit": "rl"}),
                "...AA.A.A......",
            ),
            (Method::POST, "/api/v1/kb/notices/none/close", json!({}), "......h........"),
            (
                Method::POST,
                "/api/v1/kb/wordings",
                json!({"unit": "x", "title": "", "text": "", "until_at": ""}),
                "......A........",
            ),
            (Method::DELETE, "/api/v1/kb/wordings/none", json!(null), "......h........"),
            (Method::POST, "/api/v1/kb/searches", json!({"q": " "}), "AAAAAAA.AAA...."),
            (
                Method::POST,
                "/api/v1/kb/quotes",
                json!({"entry": "KB-0001", "version": 1, "call": "none"}),
                "hh.............",
            ),
        ];
        for (at, role) in Role::ALL.iter().enumerate() {
            let token = desk.token(&format!("as-{}", role.label().replace('_', "-"))).await;
            for (method, path, body, row) in table {
                let (status, told) = send(&desk, &token, method.clone(), path, body).await;
                let seen = match status {
                    StatusCode::FORBIDDEN => '.',
                    StatusCode::NOT_FOUND => 'h',
                    StatusCode::OK | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::CONFLICT => 'A',
                    other => panic!("{method} {path} as {role:?}: {other} {told}"),
                };
                assert_eq!(Some(seen), row.chars().nth(at), "{method} {path} as {role:?}: {status} {told}");
            }
        }
        for (method, path, body, _) in table {
            let request = desk
                .ask(method.clone(), path)
                .header("content-type", "application/json")
                .body(body.to_string());
            assert_eq!(answer(request).await.0, StatusCode::UNAUTHORIZED, "{method} {path}");
        }
        desk
    });
}

#[test]
fn a_draft_goes_by_its_unit_and_the_office_to_the_agents() {
    on_both(|desk| async move {
        let kb = person(&desk, "rl-kb", "kb", "rl").await;
        let (head, office) = (desk.token("rl-head").await, desk.token("office").await);
        let agent = desk.token("8001").await;
        let (status, told) = send(&desk, &kb, Method::POST, KB, &new_entry("cgw")).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "another unit's: {told}");
        let (status, entry) = send(&desk, &kb, Method::POST, KB, &new_entry("rl")).await;
        assert_eq!((status, &entry["id"]), (StatusCode::CREATED, &json!("KB-0021")), "{entry}");
        assert_eq!((&entry["stage"], &entry["live"]), (&json!("draft"), &json!(null)));
        assert_eq!(entry["actions"], json!(["change", "submit", "conflict"]));
        let path = format!("{KB}/KB-0021");
        assert_eq!(desk.get(&agent, &path).await.0, StatusCode::NOT_FOUND);
        assert!(!ids(&desk, &agent, "入户测温").await.contains(&"KB-0021".to_owned()));

        assert_eq!(
            act(&desk, &head, "KB-0021", "approve").await.0,
            StatusCode::UNPROCESSABLE_ENTITY,
            "too early"
        );
        assert_eq!(act(&desk, &kb, "KB-0021", "submit").await.1["stage"], "unit_review");
        let st019 = desk.token("st019-head").await;
        assert_eq!(desk.get(&st019, &path).await.0, StatusCode::NOT_FOUND);
        assert_eq!(act(&desk, &office, "KB-0021", "publish").await.0, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(act(&desk, &head, "KB-0021", "approve").await.1["stage"], "office_review");
        let (_, back) = act(&desk, &office, "KB-0021", "return").await;
        assert_eq!(back["stage"], "draft");
        let change =
            json!({"version": back["version"], "answer": "供热单位接报后24小时内上门测温，请留人。"});
        let (status, changed) = send(&desk, &kb, Method::PATCH, &path, &change).await;
        assert_eq!((status, &changed["head"]), (StatusCode::OK, &json!(2)), "{changed}");
        let (status, told) = send(&desk, &kb, Method::PATCH, &path, &change).await;
        assert_eq!((status, &told["code"]), (StatusCode::CONFLICT, &json!("changed")));
        for (token, step) in [(&kb, "submit"), (&head, "approve"), (&office, "publish")] {
            let (status, told) = act(&desk, token, "KB-0021", step).await;
            assert_eq!(status, StatusCode::OK, "{step}: {told}");
        }
        assert_eq!(ids(&desk, &agent, "入户测温").await.first().map(String::as_str), Some("KB-0021"));
        let (_, today) = desk.get(&agent, &format!("{KB}/today")).await;
        assert_eq!(today["changed"][0]["id"], "KB-0021", "{today}");
        assert_eq!(today["changed"][0]["changed_today"], true);

        let (_, versions) = desk.get(&kb, &format!("{path}/versions")).await;
        assert_eq!(versions["items"].as_array().unwrap().len(), 2);
        let (_, history) = desk.get(&kb, &format!("{path}/events")).await;
        let steps: Vec<_> = history["items"].as_array().unwrap().iter().map(|e| e["step"].clone()).collect();
        assert_eq!(steps, ["draft", "submit", "approve", "return", "change", "submit", "approve", "publish"]);
        assert_eq!(history["items"][3]["reason"], "理由");

        // Another entry that answers the same question is not published beside it.
        let (_, twin) = send(&desk, &kb, Method::POST, KB, &new_entry("rl")).await;
        let twin = twin["id"].as_str().unwrap().to_owned();
        assert_eq!(desk.get(&kb, &format!("{KB}/{twin}")).await.1["obstacles"], json!(["same_question"]));
        act(&desk, &kb, &twin, "submit").await;
        act(&desk, &head, &twin, "approve").await;
        let (status, told) = act(&desk, &office, &twin, "publish").await;
        assert_eq!((status, codes(&told)), (StatusCode::UNPROCESSABLE_ENTITY, vec!["same_question"]));
        assert!(told["problems"][0].as_str().unwrap().contains("KB-0021"), "{told}");
        // Retired, it is gone from the desk.
        assert_eq!(act(&desk, &office, "KB-0021", "retire").await.1["stage"], "retired");
        assert!(!ids(&desk, &agent, "入户测温").await.contains(&"KB-0021".to_owned()));
        let (_, today) = desk.get(&agent, &format!("{KB}/today")).await;
        assert_eq!(today["retired"][0]["id"], "KB-0021");
        assert_eq!(act(&desk, &office, &twin, "publish").await.0, StatusCode::OK);
        // The next day nothing of it is today's.
        desk.later.store(DAY_MS, Relaxed);
        let agent = desk.token("8001").await;
        let (_, today) = desk.get(&agent, &format!("{KB}/today")).await;
        assert_eq!((&today["changed"], &today["retired"]), (&json!([]), &json!([])));
        desk
    });
}

#[test]
fn nobody_passes_his_own_text() {
    on_sqlite(|desk| async move {
        let hash = desk.db.user("admin").await.unwrap().unwrap().1;
        let user = User {
            name: "all".into(),
            display: "all".into(),
            unit: Some("rl".into()),
            roles: vec!["kb".into(), "unit_head".into(), "office".into()],
            disabled: false,
            created_at: 0,
            work: Work::default(),
        };
        desk.db.add_user(&user, &hash).await.unwrap();
        let all = desk.token("all").await;
        let (_, entry) = send(&desk, &all, Method::POST, KB, &new_entry("rl")).await;
        let id = entry["id"].as_str().unwrap().to_owned();
        act(&desk, &all, &id, "submit").await;
        let (status, told) = act(&desk, &all, &id, "approve").await;
        assert_eq!((status, codes(&told)), (StatusCode::UNPROCESSABLE_ENTITY, vec!["own_text"]));
        let head = desk.token("rl-head").await;
        assert_eq!(act(&desk, &head, &id, "approve").await.0, StatusCode::OK);
        let (status, told) = act(&desk, &all, &id, "publish").await;
        assert_eq!((status, codes(&told)), (StatusCode::UNPROCESSABLE_ENTITY, vec!["own_text"]));
        desk
    });
}

#[test]
fn an_agent_quotes_in_his_own_call_and_the_version_is_frozen() {
    on_both(|desk| async move {
        let id = a_call(&desk).await;
        let (agent, other) = (desk.token("8001").await, desk.token("8002").await);
        let quote = json!({"entry": "KB-0002", "version": 1, "call": id});
        let path = format!("{KB}/quotes");
        let (status, told) = send(&desk, &other, Method::POST, &path, &quote).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "not his call: {told}");
        let (status, kept) = send(&desk, &agent, Method::POST, &path, &quote).await;
        assert_eq!((status, &kept["version"]), (StatusCode::CREATED, &json!(1)), "{kept}");
        let (_, again) = send(&desk, &agent, Method::POST, &path, &quote).await;
        assert_eq!(again["id"], kept["id"], "the same key twice");
        let (_, history) = desk.get(&agent, &format!("/api/v1/tickets/{FIRST}/events")).await;
        let lines: Vec<_> =
            history["items"].as_array().unwrap().iter().filter(|e| e["kind"] == "quoted").collect();
        assert_eq!((lines.len(), &lines[0]["actor"]), (1, &json!("user:8001")), "{history}");

        // The entry changes afterwards; the call keeps what was said.
        let (kb, office) = (desk.token("kb").await, desk.token("office").await);
        let head = person(&desk, "cgw-head", "unit_head", "cgw").await;
        let (_, entry) = desk.get(&kb, &format!("{KB}/KB-0002")).await;
        let change = json!({"version": entry["version"], "answer": "新的答案"});
        send(&desk, &kb, Method::PATCH, &format!("{KB}/KB-0002"), &change).await;
        let (_, meanwhile) = desk.get(&agent, &format!("{KB}/KB-0002")).await;
        assert_eq!((&meanwhile["text"]["version"], &meanwhile["stage"]), (&json!(1), &json!("draft")));
        for (token, step) in [(&kb, "submit"), (&head, "approve"), (&office, "publish")] {
            assert_eq!(act(&desk, token, "KB-0002", step).await.0, StatusCode::OK, "{step}");
        }
        let (_, quotes) = desk.get(&agent, &format!("{path}?call={id}")).await;
        assert_eq!(quotes["items"].as_array().unwrap().len(), 1);
        assert_eq!(quotes["items"][0]["text"]["answer"], kept["text"]["answer"]);
        let (status, told) = send(&desk, &agent, Method::POST, &path, &quote).await;
        assert_eq!((status, &told["code"]), (StatusCode::CONFLICT, &json!("changed")), "{told}");
        let wanted = json!({"entry": "KB-0002", "version": 2, "call": id});
        assert_eq!(send(&desk, &agent, Method::POST, &path, &wanted).await.0, StatusCode::CREATED);
        desk
    });
}

/// Acceptance row 14: what contradicts itself is not published, what is to be verified is not quoted, by anybody.
#[test]
fn row_14_kb_0014_is_not_published_and_kb_0013_and_kb_0010_are_not_quoted() {
    on_both(|desk| async move {
        let id = a_call(&desk).await;
        let (agent, lead) = (desk.token("8001").await, desk.token("lead").await);
        for (entry, q) in [("KB-0010", "老楼加装电梯"), ("KB-0013", "路侧停车收费")] {
            for token in [&agent, &lead] {
                let body = json!({"entry": entry, "version": 1, "call": id});
                let (status, told) = send(&desk, token, Method::POST, &format!("{KB}/quotes"), &body).await;
                assert_eq!(
                    (status, codes(&told)),
                    (StatusCode::UNPROCESSABLE_ENTITY, vec!["stale"]),
                    "{entry}: {told}"
                );
            }
            assert_eq!(ids(&desk, &agent, q).await.first().map(String::as_str), Some(entry), "it is found");
            let (_, shown) = desk.get(&agent, &format!("{KB}/{entry}")).await;
            assert_eq!((&shown["standing"], &shown["why"]), (&json!("stale"), &json!("doubt")), "{entry}");
        }
        // A draft exists for no agent.
        let body = json!({"entry": "KB-0014", "version": 1, "call": id});
        assert_eq!(
            send(&desk, &agent, Method::POST, &format!("{KB}/quotes"), &body).await.0,
            StatusCode::NOT_FOUND
        );
        assert!(!ids(&desk, &agent, "居民楼装修噪声时间").await.contains(&"KB-0014".to_owned()));
        assert_eq!(desk.db.kb_quotes(Some(&id), None).await.unwrap(), []);

        // KB-0014 on its whole way: its leader may pass it on, the office cannot publish it, nor settle it as it is.
        let (kb, office) = (desk.token("kb").await, desk.token("office").await);
        let head = person(&desk, "zjw-head", "unit_head", "zjw").await;
        assert_eq!(act(&desk, &kb, "KB-0014", "submit").await.0, StatusCode::OK);
        assert_eq!(act(&desk, &head, "KB-0014", "approve").await.0, StatusCode::OK);
        let (status, told) = act(&desk, &office, "KB-0014", "publish").await;
        assert_eq!(
            (status, codes(&told)),
            (StatusCode::UNPROCESSABLE_ENTITY, vec!["conflict", "contradicted", "unverified"]),
            "{told}"
        );
        let (status, told) = act(&desk, &office, "KB-0014", "settle").await;
        assert_eq!((status, codes(&told)), (StatusCode::UNPROCESSABLE_ENTITY, vec!["same_text"]), "{told}");
        // Another mark on the same words does not help.
        act(&desk, &office, "KB-0014", "return").await;
        let (_, entry) = desk.get(&kb, &format!("{KB}/KB-0014")).await;
        let change = json!({"version": entry["version"], "confidence": "S"});
        assert_eq!(
            send(&desk, &kb, Method::PATCH, &format!("{KB}/KB-0014"), &change).await.0,
            StatusCode::OK
        );
        act(&desk, &kb, "KB-0014", "submit").await;
        act(&desk, &head, "KB-0014", "approve").await;
        let (_, told) = act(&desk, &office, "KB-0014", "publish").await;
        assert_eq!(codes(&told), ["conflict", "unverified"], "{told}");
        let (_, shown) = desk.get(&office, &format!("{KB}/KB-0014")).await;
        assert_eq!(shown["live"], json!(null));
        desk
    });
}

#[test]
fn past_its_review_date_an_entry_is_shown_and_not_quoted() {
    on_both(|desk| async move {
        let id = a_call(&desk).await;
        // The morning after 31 January 2027, by which most of the district's entries are to be looked at.
        desk.later.store(70 * DAY_MS, Relaxed);
        let agent = desk.token("8001").await;
        let (_, shown) = desk.get(&agent, &format!("{KB}/KB-0001")).await;
        assert_eq!((&shown["standing"], &shown["why"]), (&json!("stale"), &json!("review_past")), "{shown}");
        let body = json!({"entry": "KB-0001", "version": 1, "call": id});
        let (status, told) = send(&desk, &agent, Method::POST, &format!("{KB}/quotes"), &body).await;
        assert_eq!((status, codes(&told)), (StatusCode::UNPROCESSABLE_ENTITY, vec!["stale"]));
        desk
    });
}

#[test]
fn an_error_is_answered_within_a_working_day_or_late() {
    on_both(|desk| async move {
        let agent = desk.token("8001").await;
        let path = format!("{KB}/KB-0002/corrections");
        let (status, kept) = send(&desk, &agent, Method::POST, &path, &json!({"text": "96069 打不通"})).await;
        assert_eq!((status, &kept["unit"]), (StatusCode::CREATED, &json!("cgw")), "{kept}");
        // Monday, 23 November 2026: due on Tuesday when offices close.
        assert_eq!(kept["due_at"], "2026-11-24T17:30:00.000+08:00");
        let kb = desk.token("kb").await;
        let cgw = person(&desk, "cgw-kb", "kb", "cgw").await;
        let rl = person(&desk, "rl-kb", "kb", "rl").await;
        for (token, n) in [(&kb, 1), (&cgw, 1), (&rl, 0)] {
            let (_, open) = desk.get(token, &format!("{KB}/corrections?open=true")).await;
            assert_eq!(open["items"].as_array().unwrap().len(), n, "{open}");
        }
        let one = format!("{KB}/corrections/{}", kept["id"].as_str().unwrap());
        let done = json!({"outcome": "fixed", "answer": "已改为新号码"});
        assert_eq!(send(&desk, &rl, Method::PATCH, &one, &done).await.0, StatusCode::NOT_FOUND);
        desk.later.store(2 * DAY_MS, Relaxed);
        let cgw = desk.token("cgw-kb").await;
        let (_, open) = desk.get(&cgw, &format!("{KB}/corrections?open=true")).await;
        assert_eq!(open["items"][0]["late"], true);
        let (status, told) = send(&desk, &cgw, Method::PATCH, &one, &done).await;
        assert_eq!(
            (status, &told["late"], &told["done_by"]),
            (StatusCode::OK, &json!(true), &json!("cgw-kb"))
        );
        assert_eq!(send(&desk, &cgw, Method::PATCH, &one, &done).await.0, StatusCode::CONFLICT);
        desk
    });
}

#[test]
fn a_change_of_policy_counts_until_its_entries_are_published_again() {
    on_both(|desk| async move {
        let cgw = person(&desk, "cgw-kb", "kb", "cgw").await;
        person(&desk, "cgw-head", "unit_head", "cgw").await;
        let office = desk.token("office").await;
        let path = format!("{KB}/notices");
        let mut notice =
            json!({"effective_on": "2026-12-01", "text": "测温上门时限调整为12小时", "entries": ["KB-0001"]});
        let (status, kept) = send(&desk, &cgw, Method::POST, &path, &notice).await;
        assert_eq!((status, &kept["unit"]), (StatusCode::CREATED, &json!("cgw")), "{kept}");
        assert_eq!(
            (&kept["due_at"], &kept["late"]),
            (&json!("2026-11-24T17:30:00.000+08:00"), &json!(false))
        );
        notice["entries"] = json!(["KB-0010"]);
        let (status, told) = send(&desk, &cgw, Method::POST, &path, &notice).await;
        assert_eq!(
            (status, codes(&told)),
            (StatusCode::UNPROCESSABLE_ENTITY, vec!["unknown"]),
            "another unit's entry"
        );
        notice["unit"] = json!("zjw");
        assert_eq!(send(&desk, &cgw, Method::POST, &path, &notice).await.0, StatusCode::FORBIDDEN);
        let close = format!("{path}/{}/close", kept["id"].as_str().unwrap());
        assert_eq!(send(&desk, &office, Method::POST, &close, &json!({})).await.0, StatusCode::CONFLICT);
        // Published on Wednesday at nine: late by fifteen and a half hours.
        desk.later.store(2 * DAY_MS, Relaxed);
        let (cgw, head) = (desk.token("cgw-kb").await, desk.token("cgw-head").await);
        let office = desk.token("office").await;
        let (_, entry) = desk.get(&cgw, &format!("{KB}/KB-0001")).await;
        let change = json!({"version": entry["version"], "full": "测温上门时限12小时"});
        send(&desk, &cgw, Method::PATCH, &format!("{KB}/KB-0001"), &change).await;
        for (token, step) in [(&cgw, "submit"), (&head, "approve"), (&office, "publish")] {
            assert_eq!(act(&desk, token, "KB-0001", step).await.0, StatusCode::OK, "{step}");
        }
        let (_, all) = desk.get(&office, &path).await;
        let one = &all["items"][0];
        assert_eq!((&one["late"], &one["late_ms"]), (&json!(true), &json!(55_800_000)), "{one}");
        assert_eq!(one["entries"][0]["done_at"], one["done_at"]);
        let other = person(&desk, "zjw-kb", "kb", "zjw").await;
        assert_eq!(desk.get(&other, &path).await.1["items"], json!([]));
        // The unit's figures, which another one does not see.
        let (_, figures) = desk.get(&office, &format!("{KB}/units")).await;
        let cgw = figures["items"].as_array().unwrap().iter().find(|row| row["unit"] == "cgw").unwrap();
        let of = |name: &str| cgw[name].as_i64().unwrap();
        let names = ["live", "stale", "due_soon", "published", "corrections", "notices", "notices_late"];
        assert_eq!(names.map(of), [5, 1, 0, 1, 0, 1, 1], "{figures}");
        let (_, figures) = desk.get(&other, &format!("{KB}/units")).await;
        assert!(figures["items"].as_array().unwrap().iter().all(|row| row["unit"] == "zjw"), "{figures}");
        desk
    });
}

#[test]
fn a_wording_stands_above_everything_until_it_ends_by_itself() {
    on_both(|desk| async move {
        let (office, agent) = (desk.token("office").await, desk.token("8001").await);
        let path = format!("{KB}/wordings");
        let body = json!({"unit": "cgw", "title": "供暖首日", "text": "供暖首日升温需要时间，请关好门窗，48小时后仍不达标请来电。",
            "until_at": "2026-11-24T00:00:00+08:00"});
        let (status, kept) = send(&desk, &office, Method::POST, &path, &body).await;
        assert_eq!((status, &kept["current"]), (StatusCode::CREATED, &json!(true)), "{kept}");
        let (_, found) = desk.get(&agent, &format!("{KB}/search?q=x")).await;
        assert_eq!(found["wordings"][0]["title"], "供暖首日");
        for until in ["", "2026-11-22T00:00:00+08:00", "2028-01-01T00:00:00+08:00"] {
            let mut bad = body.clone();
            bad["until_at"] = json!(until);
            assert_eq!(
                send(&desk, &office, Method::POST, &path, &bad).await.0,
                StatusCode::UNPROCESSABLE_ENTITY
            );
        }
        let other = send(&desk, &office, Method::POST, &path, &body).await.1;
        let one = format!("{path}/{}", other["id"].as_str().unwrap());
        assert_eq!(send(&desk, &office, Method::DELETE, &one, &json!(null)).await.0, StatusCode::NO_CONTENT);
        assert_eq!(send(&desk, &office, Method::DELETE, &one, &json!(null)).await.0, StatusCode::NOT_FOUND);
        let (_, found) = desk.get(&agent, &format!("{KB}/search?q=x")).await;
        assert_eq!(found["wordings"].as_array().unwrap().len(), 1, "the other one stands");
        desk.later.store(DAY_MS, Relaxed);
        let agent = desk.token("8001").await;
        assert_eq!(desk.get(&agent, &format!("{KB}/search?q=x")).await.1["wordings"], json!([]));
        desk
    });
}

#[test]
fn what_was_looked_for_in_vain_is_a_gap_without_numbers_of_people() {
    on_both(|desk| async move {
        let (agent, kb) = (desk.token("8001").await, desk.token("kb").await);
        let path = format!("{KB}/searches");
        for q in ["学区 划分？", "学区 划分", "13800000000 的学区"] {
            let (status, _) = send(&desk, &agent, Method::POST, &path, &json!({"q": q})).await;
            assert_eq!(status, StatusCode::NO_CONTENT);
        }
        send(&desk, &agent, Method::POST, &path, &json!({"q": "暖气", "used": "KB-0002"})).await;
        let (_, gaps) = desk.get(&kb, &format!("{KB}/gaps")).await;
        assert_eq!(
            (&gaps["searches"][0]["q"], &gaps["searches"][0]["times"]),
            (&json!("学区 划分"), &json!(2))
        );
        assert_eq!(gaps["searches"].as_array().unwrap().len(), 2);
        assert!(!gaps.to_string().contains("13800000000"), "{gaps}");
        assert_eq!(gaps["passed_on"], json!([]));
        // An enquiry that went to a unit although the matter has an entry.
        a_call(&desk).await;
        let body = json!({"version": 2, "state": "accepted", "type": "consult", "category": "030101", "street": "110102019",
            "lead": "cgw", "title": "供暖期", "content": "问什么时候供暖", "secrecy": "normal"});
        let path = format!("/api/v1/tickets/{FIRST}");
        let (status, told) = send(&desk, &agent, Method::PATCH, &path, &body).await;
        assert_eq!(status, StatusCode::OK, "{told}");
        let (_, gaps) = desk.get(&kb, &format!("{KB}/gaps")).await;
        assert_eq!(gaps["passed_on"], json!([{"category": "030101", "times": 1, "entries": ["KB-0001"]}]));
        desk
    });
}

#[test]
fn faults_of_a_text_are_told_field_by_field() {
    on_sqlite(|desk| async move {
        let kb = desk.token("kb").await;
        let mut bad = new_entry("nobody");
        bad["answer"] = json!("长".repeat(201));
        bad["category"] = json!("x");
        bad["questions"] = json!([]);
        let (status, told) = send(&desk, &kb, Method::POST, KB, &bad).await;
        let fields: Vec<_> = told["errors"].as_array().unwrap().iter().map(|e| e["field"].clone()).collect();
        assert_eq!(
            (status, fields),
            (
                StatusCode::UNPROCESSABLE_ENTITY,
                vec![json!("answer"), json!("questions"), json!("unit"), json!("category")]
            )
        );
        for (body, want) in [
            (json!({"title": 5}), StatusCode::BAD_REQUEST),
            (json!({"version": 1, "nothing": 1}), StatusCode::BAD_REQUEST),
            (json!({"version": 1, "valid_from": "never"}), StatusCode::UNPROCESSABLE_ENTITY),
            (json!({"version": 1, "confidence": "Q"}), StatusCode::UNPROCESSABLE_ENTITY),
        ] {
            assert_eq!(
                send(&desk, &kb, Method::PATCH, &format!("{KB}/KB-0001"), &body).await.0,
                want,
                "{body}"
            );
        }
        for path in ["?stage=x", "?color=red", "/search?limit=0", "/corrections?open=maybe"] {
            assert_eq!(desk.get(&kb, &format!("{KB}{path}")).await.0, StatusCode::BAD_REQUEST, "{path}");
        }
        desk
    });
}
