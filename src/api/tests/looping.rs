//! The loop over HTTP: a ticket from the agent to the verdict, who is refused on the way, and who never learns of it.

use super::{Desk, answer, on_both};
use crate::store::projector::Projector;
use crate::store::tests::facts::{Book, NINE, call};
use crate::store::{User, Work};
use reqwest::{Method, StatusCode};
use serde_json::{Value as Json, json};

/// A number the morning has not drawn.
const FIRST: &str = "261123000034";

pub(super) async fn send(
    desk: &Desk,
    method: Method,
    token: &str,
    path: &str,
    body: &Json,
) -> (StatusCode, Json) {
    let request = desk.ask(method, &format!("/api/v1/{path}")).bearer_auth(token);
    answer(request.header("content-type", "application/json").body(body.to_string())).await
}

/// A step by somebody on the version he reads.
async fn act(desk: &Desk, token: &str, no: &str, action: &str, more: Json) -> (StatusCode, Json) {
    let version = match desk.get(token, &format!("/api/v1/tickets/{no}")).await {
        (StatusCode::OK, ticket) => ticket["version"].as_i64().unwrap(),
        _ => 1,
    };
    let mut body = json!({"action": action, "version": version});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    send(desk, Method::POST, token, &format!("tickets/{no}/actions"), &body).await
}

#[track_caller]
fn fine((status, body): (StatusCode, Json)) -> Json {
    assert_eq!(status, StatusCode::OK, "{body}");
    body
}

#[track_caller]
fn told((status, body): (StatusCode, Json)) -> (u16, String, String) {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    (status.as_u16(), text(&body["code"]), text(&body["errors"][0]["field"]))
}

/// Of nobody else.
const NUMBER: &str = "12000000987";

/// An agent took a call; the draft has its number.
async fn draft(desk: &Desk) {
    draft_of(desk, "12000000013").await;
}

async fn draft_of(desk: &Desk, number: &str) {
    let mut book = Book::morning();
    let done = book.0.len();
    book.arrived(call(11), number).answered(call(11)).taken(call(11), "8001", FIRST);
    Projector::new(desk.db.clone(), 1).apply(&book.0[done..]).await.unwrap();
}

async fn accept(desk: &Desk, token: &str, more: Json) -> Json {
    let mut body = json!({"version": 2, "state": "accepted", "type": "help", "category": "030101", "street": "110102019",
        "title": "室温十五度", "content": "我家三号楼室温只有十五度", "secrecy": "normal",
        "contact": {"name": "王女士", "number": "12000000013", "address": "3 号楼"}});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    fine(send(desk, Method::PATCH, token, &format!("tickets/{FIRST}"), &body).await)
}

async fn user(desk: &Desk, name: &str, role: &str, unit: &str) -> String {
    let (_, hash) = desk.db.user("8001").await.unwrap().unwrap();
    let user = User {
        name: name.into(),
        display: name.into(),
        unit: Some(unit.into()),
        roles: vec![role.into()],
        disabled: false,
        created_at: NINE,
        work: Work::default(),
    };
    desk.db.add_user(&user, &hash).await.unwrap();
    desk.token(name).await
}

#[test]
fn from_the_agent_to_the_verdict() {
    on_both(|desk| async move {
        draft(&desk).await;
        let mut tokens = std::collections::BTreeMap::new();
        for name in
            ["8001", "dispatcher", "rl", "rl-head", "st019", "st019-sq", "visitor", "office", "qa", "admin"]
        {
            tokens.insert(name, desk.token(name).await);
        }
        let of = |name: &str| tokens[name].clone();
        let ticket = accept(&desk, &of("8001"), json!({})).await;
        assert_eq!(
            (&ticket["owner"], &ticket["rules"]),
            (&json!({"role": "dispatcher", "unit": null}), &json!("2026-11"))
        );
        assert_eq!(ticket["clocks"][0]["name"], "dispatch");
        assert_eq!(ticket["light"], "green");
        assert!(
            !ticket["actions"].as_array().unwrap().contains(&json!("dispatch")),
            "not urgent: not the agent's"
        );
        let (_, ticket) = desk.get(&of("dispatcher"), &format!("/api/v1/tickets/{FIRST}")).await;
        for name in ["dispatch", "ask_clarification", "merge", "supplement", "raise"] {
            assert!(ticket["actions"].as_array().unwrap().contains(&json!(name)), "{name}: {ticket}");
        }
        // A unit that has nothing to do with it learns nothing; roles without a part are refused.
        assert_eq!(told(act(&desk, &of("rl"), FIRST, "sign", json!({})).await).0, 404);
        assert_eq!(told(act(&desk, &of("admin"), FIRST, "dispatch", json!({"lead": "rl"})).await).0, 403);
        assert_eq!(told(act(&desk, &of("8001"), FIRST, "dispatch", json!({"lead": "rl"})).await).0, 403);
        let wrong = told(act(&desk, &of("dispatcher"), FIRST, "dispatch", json!({"lead": "rl-bzf"})).await);
        assert_eq!(wrong, (422, "refused".into(), "lead".into()), "of the first level only");
        let wrong = told(act(&desk, &of("dispatcher"), FIRST, "dispatch", json!({})).await);
        assert_eq!(wrong, (422, "refused".into(), "lead".into()));
        let wrong = told(act(&desk, &of("dispatcher"), FIRST, "dance", json!({})).await);
        assert_eq!(wrong, (422, "refused".into(), "action".into()));
        let old = json!({"action": "dispatch", "version": 1, "lead": "rl"});
        let path = format!("tickets/{FIRST}/actions");
        assert_eq!(told(send(&desk, Method::POST, &of("dispatcher"), &path, &old).await).0, 409);
        let wish = json!({"lead": "rl", "assist": ["st019"], "brief": "居民反映室温低"});
        let ticket = fine(act(&desk, &of("dispatcher"), FIRST, "dispatch", wish).await);
        assert_eq!((&ticket["state"], &ticket["lead"]), (&json!("dispatched"), &json!("rl")));

        // The unit reads what is meant for it, and nothing that was said to the hotline.
        let (_, seen) = desk.get(&of("rl"), &format!("/api/v1/tickets/{FIRST}")).await;
        assert_eq!((&seen["brief"], &seen["content"]), (&json!("居民反映室温低"), &Json::Null));
        assert_eq!(seen["actions"], json!(["sign", "ask_return", "pass_down"]));
        assert_eq!(told(act(&desk, &of("st019"), FIRST, "sign", json!({})).await).0, 403, "it assists");
        fine(act(&desk, &of("rl"), FIRST, "sign", json!({})).await);
        fine(act(&desk, &of("rl"), FIRST, "pass_down", json!({"unit": "rl-bzf", "text": "上门"})).await);
        assert_eq!(told(act(&desk, &of("st019-sq"), FIRST, "sub_sign", json!({})).await).0, 404);
        fine(act(&desk, &of("st019"), FIRST, "assist_reply", json!({"text": "已告知社区"})).await);
        fine(act(&desk, &of("rl"), FIRST, "contact", json!({"how": "phone", "text": "约了下午"})).await);
        fine(act(&desk, &of("office"), FIRST, "urge", json!({"text": "老人在家"})).await);
        let reply = json!({"report": "换阀门", "text": "已更换阀门，室温二十度", "claim": "solved"});
        let ticket = fine(act(&desk, &of("rl"), FIRST, "reply", reply).await);
        assert_eq!((&ticket["state"], &ticket["owner"]["role"]), (&json!("replied"), &json!("unit_head")));
        assert_eq!(told(act(&desk, &of("rl"), FIRST, "sign_reply", json!({})).await).0, 403);
        fine(act(&desk, &of("rl-head"), FIRST, "sign_reply", json!({})).await);
        fine(act(&desk, &of("dispatcher"), FIRST, "review_pass", json!({})).await);
        let visitor = of("visitor");
        let (_, list) = desk.get(&visitor, "/api/v1/tickets/visits").await;
        assert!(list["items"].as_array().unwrap().iter().any(|one| one["no"] == FIRST), "{list}");
        let verdict =
            json!({"contacted": true, "solved": "no", "satisfied": "not", "matches": false, "redo": true});
        let ticket = fine(act(&desk, &visitor, FIRST, "visit", verdict).await);
        assert_eq!((&ticket["state"], &ticket["redos"]), (&json!("redo"), &json!(1)));
        fine(act(&desk, &of("rl"), FIRST, "sign", json!({})).await);
        let reply = json!({"report": "换泵", "text": "已换泵", "claim": "solved"});
        fine(act(&desk, &of("rl"), FIRST, "reply", reply).await);
        fine(act(&desk, &of("rl-head"), FIRST, "sign_reply", json!({})).await);
        fine(act(&desk, &of("dispatcher"), FIRST, "review_pass", json!({})).await);
        let verdict = json!({"contacted": true, "solved": "yes", "satisfied": "basic", "matches": true});
        let ticket = fine(act(&desk, &visitor, FIRST, "visit", verdict).await);
        assert_eq!((&ticket["state"], &ticket["visit"]["satisfied"]), (&json!("closed"), &json!("basic")));
        assert!(ticket["next_due_at"].is_null() && ticket["owner"].is_null());

        // Words between hotline and units are theirs; the caller's are not.
        let (_, lines) = desk.get(&of("rl"), &format!("/api/v1/tickets/{FIRST}/events")).await;
        let text = lines.to_string();
        assert!(text.contains("老人在家") && text.contains("已换泵"), "{text}");
        for secret in ["王女士", "12000000013", "三号楼"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        // The verdict counts, and opens to its ticket.
        let period = "from=2026-11-01&to=2026-12-31";
        let (_, numbers) = desk.get(&of("office"), &format!("/api/v1/indicators?{period}&by=unit")).await;
        let number = |name: &str| {
            let items = numbers["items"].as_array().unwrap();
            items.iter().find(|one| one["unit"] == "rl" && one["name"] == name).unwrap().clone()
        };
        let basic = number("satisfaction");
        assert_eq!(
            (&basic["numerator"], &basic["denominator"], &basic["few"]),
            (&json!(0.8), &json!(1), &json!(true))
        );
        assert_eq!(number("solved")["rate_pct"], 100.0);
        assert_eq!(number("match")["denominator"], 1);
        let path = format!("/api/v1/indicators/satisfaction/tickets?{period}&unit=rl&which=short");
        let (_, behind) = desk.get(&of("office"), &path).await;
        assert_eq!(behind["items"][0]["no"], FIRST, "{behind}");
        let (_, own) = desk.get(&of("st019"), &format!("/api/v1/indicators?{period}&by=unit")).await;
        let units: std::collections::BTreeSet<_> =
            own["items"].as_array().unwrap().iter().map(|one| one["unit"].clone().to_string()).collect();
        assert!(units.iter().all(|unit| unit != "\"cgw\""), "{units:?}");
        assert_eq!(
            desk.get(&of("admin"), &format!("/api/v1/indicators?{period}")).await.0,
            StatusCode::FORBIDDEN
        );
        // A period that is over is published once, by the office alone, and read back as it was told.
        let path = "indicators/periods";
        let new = |from: &str, to: &str| json!({"title": "十月", "from": from, "to": to});
        let done = new("2026-10-01", "2026-10-31");
        let by = async |who: &str, body: Json| send(&desk, Method::POST, &of(who), path, &body).await;
        assert_eq!(by("dispatcher", done.clone()).await.0, StatusCode::FORBIDDEN);
        assert_eq!(told(by("office", new("2026-11-01", "2027-01-01")).await).1, "refused", "it is not over");
        assert_eq!(by("office", new("2026-11-23", "2026-11-01")).await.0, StatusCode::BAD_REQUEST);
        let (status, kept) = by("office", done.clone()).await;
        assert_eq!(
            (status, &kept["tickets"], &kept["by"]),
            (StatusCode::CREATED, &json!(0), &json!("office")),
            "{kept}"
        );
        assert_eq!(by("office", done).await.0, StatusCode::CONFLICT);
        let id = kept["id"].as_str().unwrap();
        let (_, known) = desk.get(&of("rl"), &format!("/api/v1/{path}")).await;
        assert_eq!(known["items"][0]["id"], id);
        assert_eq!(desk.get(&of("rl"), &format!("/api/v1/indicators?period={id}")).await.0, StatusCode::OK);
        let behind = format!("/api/v1/indicators/on_time/tickets?period={id}");
        assert_eq!(desk.get(&of("rl"), &behind).await.1["items"], json!([]));
        assert_eq!(desk.get(&of("rl"), "/api/v1/indicators?period=p-0").await.0, StatusCode::NOT_FOUND);
        let (status, corrected) = desk.get(&of("office"), &format!("/api/v1/{path}/{id}/corrections")).await;
        assert_eq!((status, &corrected["items"]), (StatusCode::OK, &json!([])), "{corrected}");

        // Every look is written down.
        let accesses = desk.db.accesses(ticket["id"].as_str().unwrap()).await.unwrap();
        let by =
            |user: &str, action: &str| accesses.iter().any(|one| one.user == user && one.action == action);
        assert!(
            by("rl", "ticket.read") && by("rl", "ticket.act") && by("rl", "ticket.history"),
            "{accesses:?}"
        );
        assert!(desk.db.verify().await.unwrap().is_clean());
        desk
    });
}

/// SC13: it complains about the street that would get it. Neither the street, nor what is below it, nor the person ever learns of it.
#[test]
fn who_is_complained_about_gets_404_everywhere() {
    on_both(|desk| async move {
        draft(&desk).await;
        let (agent, dispatcher) = (desk.token("8001").await, desk.token("dispatcher").await);
        let office = desk.token("office").await;
        let hbj = user(&desk, "hbj", "unit", "hbj").await;
        let targets = [
            user(&desk, "st018", "unit", "st018").await,
            user(&desk, "st018-head", "unit_head", "st018").await,
            // One with a hat of the hotline too.
            user(&desk, "cousin", "dispatcher", "st018").await,
            desk.token("as-lead").await,
        ];
        let complained = json!({"unit": "st018", "person": "as-lead"});
        let refused = json!({"version": 2, "state": "accepted", "type": "complaint", "category": "050201",
            "street": "110102018", "content": "油烟没人管", "lead": "st018", "complained": complained});
        let path = format!("tickets/{FIRST}");
        let refusal = told(send(&desk, Method::PATCH, &agent, &path, &refused).await);
        assert_eq!(refusal, (422, "refused".into(), "lead".into()), "never a candidate");
        let more = json!({"type": "complaint", "category": "050201", "street": "110102018", "secrecy": "secret",
            "complained": complained});
        let ticket = accept(&desk, &agent, more).await;
        assert_eq!(ticket["complained"], json!({"unit": "st018", "person": "as-lead"}));
        for (field, wish) in [
            ("lead", json!({"lead": "st018"})),
            ("assist", json!({"lead": "hbj", "assist": ["cgzf", "st018"]})),
        ] {
            let refusal = told(act(&desk, &dispatcher, FIRST, "dispatch", wish).await);
            assert_eq!(refusal, (422, "refused".into(), field.into()));
        }
        let wish = json!({"lead": "hbj", "assist": ["cgzf"], "brief": "市民反映餐馆油烟"});
        fine(act(&desk, &dispatcher, FIRST, "dispatch", wish).await);
        let (_, seen) = desk.get(&hbj, &format!("/api/v1/tickets/{FIRST}")).await;
        assert!(seen["complained"].is_null() && seen["content"].is_null(), "{seen}");
        let (_, lines) = desk.get(&hbj, &format!("/api/v1/tickets/{FIRST}/events")).await;
        assert!(
            !lines.to_string().contains("as-lead") && !lines.to_string().contains("complained"),
            "{lines}"
        );
        let id = ticket["id"].as_str().unwrap();
        for target in &targets {
            for name in [FIRST, id, &call(11).to_string()] {
                for way in ["", "/events"] {
                    let (status, body) = desk.get(target, &format!("/api/v1/tickets/{name}{way}")).await;
                    assert_eq!(status, StatusCode::NOT_FOUND, "{name}{way}: {body}");
                }
                let sign = json!({"action": "sign", "version": 5});
                let (status, body) =
                    send(&desk, Method::POST, target, &format!("tickets/{name}/actions"), &sign).await;
                assert_eq!(status, StatusCode::NOT_FOUND, "{body}");
            }
            for list in [
                "tickets?limit=500",
                "tickets?limit=500&order=due",
                "tickets?state=dispatched",
                "tickets?street=110102018&limit=500",
                "tickets?lead=hbj&limit=500",
                "tickets/visits",
                "indicators/on_time/tickets?from=2026-11-01&to=2027-12-31&limit=500",
            ] {
                let (status, body) = desk.get(target, &format!("/api/v1/{list}")).await;
                assert_eq!(status, StatusCode::OK, "{list}: {body}");
                assert!(
                    !body.to_string().contains(id) && !body.to_string().contains(FIRST),
                    "{list}: {body}"
                );
            }
            let (_, boxes) = desk.get(target, "/api/v1/tickets/boxes").await;
            let (_, list) = desk.get(target, "/api/v1/tickets?limit=500&order=due").await;
            let counted: i64 =
                boxes["items"].as_array().unwrap().iter().map(|one| one["count"].as_i64().unwrap()).sum();
            assert_eq!(counted, i64::try_from(list["items"].as_array().unwrap().len()).unwrap());
        }
        let (_, lists) = desk.get(&office, "/api/v1/tickets?lead=hbj&limit=500").await;
        assert!(lists.to_string().contains(FIRST), "the office sees it");
        desk
    });
}

#[test]
fn the_districts_codes_have_names() {
    on_both(|desk| async move {
        let token = desk.token("rl").await;
        let (_, units) = desk.get(&token, "/api/v1/units").await;
        let find = |key: &str| {
            units["items"].as_array().unwrap().iter().find(|one| one["key"] == key).unwrap().clone()
        };
        assert_eq!((&find("rl")["level"], &find("rl")["parent"]), (&json!(1), &Json::Null));
        assert_eq!(find("rl-bzf")["parent"], "rl");
        let (_, matters) = desk.get(&token, "/api/v1/categories").await;
        assert_eq!(matters["items"].as_array().unwrap().len(), 68);
        assert!(matters["items"].to_string().contains("\"lead\":\"street\""));
        desk
    });
}

/// 保密: who called is told to nobody who has not taken the call; with a reason, one by one, and everybody who looked is on record.
#[test]
fn who_called_in_secret_is_revealed_with_a_reason_and_who_looked_is_known() {
    on_both(|desk| async move {
        draft_of(&desk, NUMBER).await;
        let agent = desk.token("8001").await;
        let contact = json!({"name": "贺女士", "number": NUMBER, "address": "3 号楼"});
        let id = accept(&desk, &agent, json!({"secrecy": "secret", "contact": contact})).await["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let other = user(&desk, "8002x", "agent", "rexianban").await;
        let (lead, office) = (desk.token("lead").await, desk.token("office").await);
        let (visitor, auditor) = (desk.token("visitor").await, desk.token("auditor").await);
        let paths = |name: &str| {
            [
                format!("/api/v1/tickets/{name}"),
                format!("/api/v1/tickets/{name}/events"),
                "/api/v1/tickets?limit=500".to_owned(),
                format!("/api/v1/tickets?q={NUMBER}"),
                format!("/api/v1/calls/{}", call(11)),
                format!("/api/v1/calls/{}/events", call(11)),
                "/api/v1/calls?limit=500".to_owned(),
                "/api/v1/tickets/similar?category=030101&street=110102019".to_owned(),
            ]
        };
        for (who, token) in
            [("another agent", &other), ("lead", &lead), ("office", &office), ("visitor", &visitor)]
        {
            for path in paths(FIRST) {
                let (status, body) = desk.get(token, &path).await;
                if status == StatusCode::FORBIDDEN {
                    continue;
                }
                assert_eq!(status, StatusCode::OK, "{who} {path}: {body}");
                for name in [NUMBER, "贺女士"] {
                    assert!(!body.to_string().contains(name), "{who} sees {name} in {path}: {body}");
                }
                // What was said is the hotline's, but for an agent whose call it was not.
                if path.ends_with(FIRST) {
                    assert_eq!(body["content"].is_string(), who != "another agent", "{who}: {body}");
                }
            }
        }
        let (_, own) = desk.get(&agent, &format!("/api/v1/tickets/{FIRST}")).await;
        assert_eq!(own["caller"], NUMBER, "he spoke to him");

        let path = format!("tickets/{FIRST}/reveal");
        let why = json!({"reason": "回访前核对号码"});
        for (token, status) in [(&other, 403), (&auditor, 403), (&desk.token("rl").await, 403)] {
            assert_eq!(told(send(&desk, Method::POST, token, &path, &why).await).0, status);
        }
        let refusal = told(send(&desk, Method::POST, &lead, &path, &json!({"reason": " "})).await);
        assert_eq!(refusal, (422, "refused".into(), "reason".into()));
        let told_ = fine(send(&desk, Method::POST, &lead, &path, &why).await);
        let want = json!({"caller": NUMBER, "name": "贺女士", "number": NUMBER, "address": "3 号楼"});
        assert_eq!(told_, want);
        let (_, lines) = desk.get(&office, &format!("/api/v1/tickets/{FIRST}/events")).await;
        let line =
            lines["items"].as_array().unwrap().iter().find(|l| l["kind"] == "revealed").expect("a line");
        assert_eq!(
            (&line["actor"], &line["personal"]["reason"]),
            (&json!("user:lead"), &json!("回访前核对号码"))
        );

        let path = format!("/api/v1/tickets/{FIRST}/looks");
        assert_eq!(desk.get(&lead, &path).await.0, StatusCode::FORBIDDEN);
        for token in [&office, &auditor] {
            let looks = fine(desk.get(token, &path).await);
            let has = |by: &str, action: &str| {
                looks["items"].as_array().unwrap().iter().any(|l| l["by"] == by && l["action"] == action)
            };
            for (by, action) in [
                ("8002x", "ticket.read"),
                ("8002x", "ticket.list"),
                ("8002x", "call.read"),
                ("lead", "ticket.reveal"),
                ("visitor", "ticket.history"),
            ] {
                assert!(has(by, action), "{by} {action}: {looks}");
            }
        }
        let looks = fine(desk.get(&office, &path).await);
        let asked = looks["items"].as_array().unwrap().iter().filter(|l| l["action"] == "ticket.lookers");
        assert_eq!(asked.count(), 2, "who asks is seen, too");
        // Later the caller says that he wants to be named after all: it is open again.
        fine(act(&desk, &agent, FIRST, "protect", json!({"secrecy": "normal", "notify": "text_only"})).await);
        let (_, seen) = desk.get(&lead, &format!("/api/v1/tickets/{FIRST}")).await;
        assert_eq!((&seen["caller"], &seen["notify"]), (&json!(NUMBER), &json!("text_only")));
        assert!(desk.db.ticket(&id, &crate::store::Scope::All).await.unwrap().is_some());
        assert_eq!(desk.db.verify().await.unwrap().problems, Vec::<String>::new());
        desk
    });
}

/// 打击报复: at once urgent, and the office's alone.
#[test]
fn who_is_persecuted_is_heard_by_the_office_alone() {
    on_both(|desk| async move {
        draft(&desk).await;
        let agent = desk.token("8001").await;
        let ticket = accept(&desk, &agent, json!({"special": "retaliation", "lead": "rl"})).await;
        assert_eq!((&ticket["urgency"], &ticket["secrecy"]), (&json!("U"), &json!("secret")));
        let id = ticket["id"].as_str().unwrap().to_owned();
        let office = desk.token("office").await;
        let (_, seen) = desk.get(&office, &format!("/api/v1/tickets/{FIRST}")).await;
        assert_eq!(seen["owner"]["role"], "office", "{seen}");
        for name in [
            "as-lead",
            "as-dispatcher",
            "as-visitor",
            "as-qa",
            "as-leader",
            "as-analyst",
            "as-observer",
            "as-admin",
            "rl",
        ] {
            let token = desk.token(name).await;
            for way in ["", "/events"] {
                let (status, body) = desk.get(&token, &format!("/api/v1/tickets/{FIRST}{way}")).await;
                assert_eq!(status, StatusCode::NOT_FOUND, "{name}{way}: {body}");
            }
            let (status, _) = desk.get(&token, &format!("/api/v1/calls/{}", call(11))).await;
            assert!(matches!(status, StatusCode::NOT_FOUND | StatusCode::FORBIDDEN), "{name}: {status}");
            for list in
                ["tickets?limit=500", "tickets?q=三号楼", "tickets?limit=500&order=due", "calls?limit=500"]
            {
                let (_, body) = desk.get(&token, &format!("/api/v1/{list}")).await;
                let text = body.to_string();
                assert!(!text.contains(&id) && !text.contains(FIRST), "{name} {list}: {body}");
            }
        }
        // The office gives it to whom it trusts, who sees of it what units see.
        fine(
            act(&desk, &office, FIRST, "dispatch", json!({"lead": "rl", "brief": "市民反映被打击报复"}))
                .await,
        );
        let (_, seen) = desk.get(&desk.token("rl").await, &format!("/api/v1/tickets/{FIRST}")).await;
        assert_eq!((&seen["no"], &seen["caller"]), (&json!(FIRST), &Json::Null));
        desk
    });
}
