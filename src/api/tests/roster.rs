//! The roster as its pages ask for it.

use super::{Desk, answer, on_both, on_sqlite};
use crate::api::{InForce, roster_minute};
use crate::roster::request::{Denied, Request, Turn, Wish};
use crate::roster::{Kind, Minute, PersonId, dates, plus_days};
use crate::store::tests::facts::NINE;
use jiff::civil::Date;
use reqwest::{Method, StatusCode};
use serde_json::{Value as Json, json};

const REQUESTS: &str = "/api/v1/roster/requests";

async fn send(desk: &Desk, method: Method, token: &str, path: &str, body: &Json) -> (StatusCode, Json) {
    let request = desk.ask(method, path).bearer_auth(token);
    answer(request.header("content-type", "application/json").body(body.to_string())).await
}

async fn decide(
    desk: &Desk,
    token: &str,
    id: &str,
    version: i64,
    what: &str,
    why: &str,
) -> (StatusCode, Json) {
    let body = json!({"version": version, "decision": what, "reason": why});
    send(desk, Method::PATCH, token, &format!("{REQUESTS}/{id}"), &body).await
}

fn today() -> Date {
    roster_minute(NINE, &jiff::tz::TimeZone::get("Asia/Shanghai").unwrap()).date()
}

/// A swap of 8001 and 8002 in the next weeks of which the rules say what is wanted.
fn swap(there: &InForce, wanted: impl Fn(&Result<(), Denied>) -> bool) -> (Turn, Turn) {
    let plan = there.plan(today()).unwrap();
    let turns = |person: &str| -> Vec<Turn> {
        let from = plus_days(today(), 1);
        let all = plan.assignments(from, plus_days(from, 16), there.calendar()).into_iter();
        all.filter(|a| *a.person == *person && a.kind == Kind::Work)
            .map(|a| Turn { person: a.person, date: a.date, shift: a.shift })
            .collect()
    };
    for mine in turns("8001") {
        for theirs in turns("8002") {
            let wish = Wish::Swap { mine: mine.clone(), theirs: theirs.clone() };
            let mut request = Request::new(wish, Minute(0), "").unwrap();
            request.agree(&theirs.person, Minute(0)).unwrap();
            let lead = PersonId::from("lead");
            let told = request.approve(&there.roster, plan, there.calendar(), &lead, Minute(0), "");
            if wanted(&told.map(drop)) {
                return (mine, theirs);
            }
        }
    }
    panic!("there is no such swap");
}

fn ask_swap((mine, theirs): &(Turn, Turn)) -> Json {
    let turn = |t: &Turn| json!({"person": &*t.person, "date": t.date.to_string(), "shift": &*t.shift});
    json!({"kind": "swap", "mine": turn(mine), "theirs": turn(theirs), "reason": "家中有事"})
}

#[test]
fn a_week_has_shifts_coverage_and_what_is_wrong() {
    on_sqlite(|desk| async move {
        let (lead, agent) = (desk.token("lead").await, desk.token("8001").await);
        let (status, week) = desk.get(&lead, "/api/v1/roster").await;
        assert_eq!(status, StatusCode::OK, "{week}");
        assert_eq!((&week["plan"], &week["binds"]), (&json!("four_three"), &json!(true)));
        assert_eq!((&week["from"], &week["to"]), (&json!("2026-11-23"), &json!("2026-11-30")));
        let list = |what: &str| week[what].as_array().unwrap().clone();
        assert_eq!((list("days").len(), list("coverage").len()), (7, 7 * 48));
        assert!(list("coverage").iter().all(|c| c["missing"] == 0), "the demonstration has no gap");
        assert_eq!(list("gaps").len(), 0);
        let me = list("people").into_iter().find(|p| p["id"] == "8001").unwrap();
        assert_eq!(me["always"], true);
        assert!(me["duties"].as_array().unwrap().len() >= 4, "{me}");
        let now: Vec<Json> = week["now"]["agents"].as_array().unwrap().clone();
        assert!(["8001", "8002", "8003", "8004"].iter().all(|id| now.contains(&json!(id))), "{now:?}");
        assert_eq!(week["now"]["required"], 20);
        // Four weeks at once; a bad range and strangers are refused.
        let month = desk.get(&agent, "/api/v1/roster?from=2026-12-01&to=2027-01-01").await;
        assert_eq!((month.0, month.1["days"].as_array().map(Vec::len)), (StatusCode::OK, Some(31)));
        for bad in ["from=2026-12-01&to=2026-12-01", "from=2026-12-01&to=2027-12-01", "from=1", "to=x"] {
            let (status, _) = desk.get(&lead, &format!("/api/v1/roster?{bad}")).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{bad}");
        }
        for who in ["dispatcher", "as-auditor", "as-unit"] {
            let token = desk.token(who).await;
            for path in ["/api/v1/roster", "/api/v1/roster/plan", "/api/v1/roster/handover", REQUESTS] {
                assert_eq!(desk.get(&token, path).await.0, StatusCode::FORBIDDEN, "{who} {path}");
            }
        }
        desk
    });
}

#[test]
fn seats_are_told_by_both_ways_with_their_difference() {
    on_sqlite(|desk| async move {
        let lead = desk.token("lead").await;
        let (status, plan) = desk.get(&lead, "/api/v1/roster/plan?day=2026-11-23").await;
        assert_eq!(status, StatusCode::OK, "{plan}");
        let rows = plan["rows"].as_array().unwrap();
        assert_eq!((rows.len(), &plan["kind"], &plan["within_ms"]), (48, &json!("workday"), &json!(15_000)));
        let nine = rows.iter().find(|row| row["from"] == "09:00").unwrap();
        assert_eq!(nine["erlang"], 20, "the domain's figure for 160 calls of 300 s, 95 % in 15 s");
        for row in rows {
            let (erlang, played) = (row["erlang"].as_i64().unwrap(), row["simulated"].as_i64().unwrap());
            assert_eq!(row["difference"], erlang - played);
        }
        desk
    });
}

#[test]
fn a_swap_goes_from_asking_to_the_plan() {
    on_both(|desk| async move {
        let (one, two) = (desk.token("8001").await, desk.token("8002").await);
        let (three, lead) = (desk.token("8003").await, desk.token("lead").await);
        let there = desk.roster.in_force(&desk.db).await.unwrap();
        let swap = swap(&there, Result::is_ok);
        let (status, asked) = send(&desk, Method::POST, &one, REQUESTS, &ask_swap(&swap)).await;
        assert_eq!((status, &asked["stage"]), (StatusCode::CREATED, &json!("requested")), "{asked}");
        let id = asked["id"].as_str().unwrap().to_owned();
        // Before the other agrees nobody approves; strangers do not see it.
        assert_eq!(decide(&desk, &lead, &id, 1, "approve", "").await.1["code"], "not_now");
        assert_eq!(decide(&desk, &three, &id, 1, "agree", "").await.0, StatusCode::NOT_FOUND);
        assert_eq!(decide(&desk, &one, &id, 1, "agree", "").await.0, StatusCode::FORBIDDEN);
        let (status, agreed) = decide(&desk, &two, &id, 1, "agree", "").await;
        assert_eq!(
            (status, &agreed["stage"], &agreed["version"]),
            (StatusCode::OK, &json!("agreed"), &json!(2))
        );
        let (status, late) = decide(&desk, &lead, &id, 1, "approve", "").await;
        assert_eq!((status, &late["code"]), (StatusCode::CONFLICT, &json!("changed")));
        assert_eq!(decide(&desk, &two, &id, 2, "approve", "").await.0, StatusCode::FORBIDDEN);
        let (status, done) = decide(&desk, &lead, &id, 2, "approve", "").await;
        assert_eq!((status, &done["stage"]), (StatusCode::OK, &json!("approved")), "{done}");
        assert_eq!(done["events"][2]["by"], "lead");
        assert_eq!(decide(&desk, &lead, &id, 3, "approve", "").await.1["code"], "not_now", "settled");

        // Each has the other's turn now, and the lists say so.
        let day = |date: Date| format!("/api/v1/roster?from={date}&to={}", plus_days(date, 1));
        for (turn, has, has_not) in [(&swap.0, "8002", "8001"), (&swap.1, "8001", "8002")] {
            let (_, view) = desk.get(&lead, &day(turn.date)).await;
            let shifts = |who: &str| -> Vec<Json> {
                let people = view["people"].as_array().unwrap();
                let of = people.iter().find(|p| p["id"] == who).unwrap()["duties"].as_array().unwrap();
                of.iter().map(|d| d["shift"].clone()).collect()
            };
            assert!(shifts(has).contains(&json!(&*turn.shift)), "{has} {turn:?} {view}");
            assert!(!shifts(has_not).contains(&json!(&*turn.shift)), "{has_not} {turn:?}");
        }
        let seen = desk.db.accesses(&format!("roster:{id}")).await.unwrap();
        assert!(seen.iter().any(|a| (&*a.user, &*a.outcome) == ("lead", "approved")), "{seen:?}");
        for (token, count) in [(&one, 1), (&two, 1), (&three, 0), (&lead, 1)] {
            let (_, list) = desk.get(token, REQUESTS).await;
            assert_eq!(list["items"].as_array().unwrap().len(), count);
        }
        assert_eq!(desk.get(&lead, &format!("{REQUESTS}?stage=agreed")).await.1["items"], json!([]));
        // Asked again for what he no longer has.
        let (status, told) = send(&desk, Method::POST, &one, REQUESTS, &ask_swap(&swap)).await;
        assert_eq!((status, &told["errors"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("mine")));
        desk
    });
}

#[test]
fn what_breaks_rules_needs_a_name_and_a_reason_and_the_law_stands() {
    on_both(|desk| async move {
        let (one, two) = (desk.token("8001").await, desk.token("8002").await);
        let office = desk.token("office").await;
        let there = desk.roster.in_force(&desk.db).await.unwrap();
        let law = |told: &Result<(), Denied>| match told {
            Err(Denied::Breaks(found)) => found.iter().any(|finding| finding.law),
            _ => false,
        };
        let house = |told: &Result<(), Denied>| matches!(told, Err(Denied::Breaks(_))) && !law(told);
        for (wanted, field, end) in [
            (&law as &dyn Fn(&Result<(), Denied>) -> bool, "decision", StatusCode::CONFLICT),
            (&house, "reason", StatusCode::OK),
        ] {
            let (_, asked) =
                send(&desk, Method::POST, &one, REQUESTS, &ask_swap(&swap(&there, wanted))).await;
            let id = asked["id"].as_str().unwrap();
            decide(&desk, &two, id, 1, "agree", "").await;
            let (status, told) = decide(&desk, &office, id, 2, "approve", "").await;
            assert_eq!((status, &told["code"]), (StatusCode::CONFLICT, &json!("breaks")), "{told}");
            let errors = told["errors"].as_array().unwrap();
            assert!(errors.iter().any(|e| e["field"] == field && !e["code"].is_null()), "{told}");
            let (status, done) = decide(&desk, &office, id, 2, "approve", "当日人手紧张，已与本人确认").await;
            assert_eq!(status, end, "{done}");
            if end == StatusCode::CONFLICT {
                assert_eq!(
                    decide(&desk, &office, id, 2, "refuse", " ").await.0,
                    StatusCode::UNPROCESSABLE_ENTITY
                );
                let (_, refused) = decide(&desk, &office, id, 2, "refuse", "法定工时").await;
                assert_eq!(
                    (&refused["stage"], &refused["events"][2]["by"]),
                    (&json!("refused"), &json!("office"))
                );
            }
        }
        // The name stands at the finding he answers for.
        let changes = desk.db.roster_changes().await.unwrap();
        assert_eq!(changes.n, 1);
        assert!(!changes.approvals.is_empty());
        assert!(changes.approvals.iter().all(|a| a.by == "office" && a.reason.starts_with("当日")));
        desk
    });
}

#[test]
fn two_leads_never_approve_on_the_same_view() {
    on_both(|desk| async move {
        use crate::store::{RosterApproved, RosterEvent, RosterSaved};
        let one = desk.token("8001").await;
        let leave = |from: Date| json!({"kind": "leave", "from": from.to_string(), "to": plus_days(from, 1).to_string()});
        let mut ids = Vec::new();
        for n in 3..5 {
            let (_, asked) = send(&desk, Method::POST, &one, REQUESTS, &leave(plus_days(today(), n))).await;
            ids.push(asked["id"].as_str().unwrap().to_owned());
        }
        let event = RosterEvent { at: NINE, stage: "approved".into(), by: "lead".into(), why: String::new() };
        let seen = RosterApproved::default();
        let first = desk.db.change_roster_request(&ids[0], 1, &event, Some(&seen)).await.unwrap();
        let second = desk.db.change_roster_request(&ids[1], 1, &event, Some(&seen)).await.unwrap();
        assert_eq!((first, second), (RosterSaved::Saved, RosterSaved::Changed));
        let after = desk.db.roster_request(&ids[1]).await.unwrap().unwrap();
        assert_eq!((&*after.stage, after.version, after.events.len()), ("requested", 1, 1), "nothing of it");
        desk
    });
}

#[test]
fn bad_wishes_are_refused_field_by_field() {
    on_sqlite(|desk| async move {
        let (one, office) = (desk.token("8001").await, desk.token("office").await);
        let mine = json!({"person": "8002", "date": "2026-11-24", "shift": "early"});
        for (body, status, field) in [
            (json!({"kind": "nap"}), StatusCode::UNPROCESSABLE_ENTITY, "kind"),
            (json!({"kind": "leave"}), StatusCode::UNPROCESSABLE_ENTITY, "from"),
            (
                json!({"kind": "leave", "from": "2026-11-22", "to": "2026-11-25"}),
                StatusCode::UNPROCESSABLE_ENTITY,
                "from",
            ),
            (
                json!({"kind": "leave", "from": "2026-11-25", "to": "2026-11-25"}),
                StatusCode::UNPROCESSABLE_ENTITY,
                "kind",
            ),
            (
                json!({"kind": "leave", "from": "2026-11-25", "to": "2026-11-26", "cover": "nobody"}),
                StatusCode::UNPROCESSABLE_ENTITY,
                "cover",
            ),
            (json!({"kind": "swap", "mine": mine}), StatusCode::UNPROCESSABLE_ENTITY, "mine"),
            (
                json!({"kind": "leave", "from": "2026-11-25", "to": "2026-11-26", "reason": "字".repeat(501)}),
                StatusCode::UNPROCESSABLE_ENTITY,
                "reason",
            ),
        ] {
            let told = send(&desk, Method::POST, &one, REQUESTS, &body).await;
            assert_eq!((told.0, &told.1["errors"][0]["field"]), (status, &json!(field)), "{body} {}", told.1);
        }
        let leave = json!({"kind": "leave", "from": "2026-11-25", "to": "2026-11-26"});
        assert_eq!(send(&desk, Method::POST, &office, REQUESTS, &leave).await.0, StatusCode::FORBIDDEN);
        assert_eq!(
            send(&desk, Method::POST, &one, REQUESTS, &json!({"kind": 1})).await.0,
            StatusCode::BAD_REQUEST
        );
        // Whoever asked takes it back, once.
        let (_, asked) = send(&desk, Method::POST, &one, REQUESTS, &leave).await;
        let id = asked["id"].as_str().unwrap();
        assert_eq!(decide(&desk, &one, id, 1, "withdraw", "").await.1["stage"], "withdrawn");
        assert_eq!(decide(&desk, &one, id, 2, "withdraw", "").await.0, StatusCode::CONFLICT);
        assert_eq!(decide(&desk, &one, id, 2, "sing", "").await.0, StatusCode::BAD_REQUEST);
        assert_eq!(decide(&desk, &one, "r-0", 1, "withdraw", "").await.0, StatusCode::NOT_FOUND);
        desk
    });
}

#[test]
fn the_sheet_for_the_next_shift_has_what_is_open_and_must_be_read() {
    on_both(|desk| async move {
        let (one, lead) = (desk.token("8001").await, desk.token("lead").await);
        let notices = "/api/v1/roster/notices";
        let storm = json!({"text": "今夜暴雨橙色预警，涉水来电一律转紧急"});
        assert_eq!(send(&desk, Method::POST, &one, notices, &storm).await.0, StatusCode::FORBIDDEN);
        let (status, notice) = send(&desk, Method::POST, &lead, notices, &storm).await;
        assert_eq!(status, StatusCode::CREATED, "{notice}");
        assert_eq!(
            send(&desk, Method::POST, &lead, notices, &json!({"text": " "})).await.0,
            StatusCode::UNPROCESSABLE_ENTITY
        );
        let read = format!("{notices}/{}/read", notice["id"].as_str().unwrap());
        for _ in 0..2 {
            assert_eq!(send(&desk, Method::POST, &one, &read, &json!({})).await.0, StatusCode::NO_CONTENT);
        }
        assert_eq!(
            send(&desk, Method::POST, &one, &format!("{notices}/n-0/read"), &json!({})).await.0,
            StatusCode::NOT_FOUND
        );
        let (status, sheet) = desk.get(&one, "/api/v1/roster/handover").await;
        assert_eq!(status, StatusCode::OK, "{sheet}");
        assert_eq!(sheet["notices"][0]["read_by"], json!(["8001"]));
        assert_eq!(sheet["queues"][0]["waiting"], 2);
        assert_eq!(sheet["leads"].as_array().map(Vec::len), Some(2), "{sheet}");
        assert!(sheet["next_at"].as_str().is_some_and(|at| at > "2026-11-23T09:00"), "{sheet}");
        for ticket in sheet["urgent"].as_array().unwrap() {
            assert_eq!(ticket["urgency"], "U");
        }
        let drafts = sheet["drafts"].as_array().unwrap();
        assert!(!drafts.is_empty() && drafts.iter().all(|t| t["state"] == "draft"), "{sheet}");
        desk.later.store(8 * 24 * 3_600_000, std::sync::atomic::Ordering::Relaxed);
        let one = desk.token("8001").await;
        let (_, sheet) = desk.get(&one, "/api/v1/roster/handover").await;
        assert_eq!(sheet["notices"], json!([]), "a notice has an end");
        desk
    });
}

#[test]
fn every_demo_day_is_covered_by_the_desks_own_files() {
    on_sqlite(|desk| async move {
        let files = desk.roster.files();
        let schedule = files.roster.schedule(today(), plus_days(today(), 28), &files.calendar);
        for date in dates(today(), plus_days(today(), 28)) {
            for hour in 0..24 {
                let at = Minute::on(date, hour * 60);
                assert_eq!(schedule.nobody_within(&files.roster, at, 60), None, "{at}");
            }
        }
        desk
    });
}

#[test]
fn both_leads_sign_the_same_sheet_and_nobody_signs_twice() {
    on_both(|desk| async move {
        const TURNS: &str = "/api/v1/roster/handovers";
        const HOUR: i64 = 3_600_000;
        // What was before anybody could sign is nobody's fault.
        let lead = desk.token("lead").await;
        let (status, turns) = desk.get(&lead, &format!("{TURNS}?days=31")).await;
        assert_eq!((status, &turns["unsigned"]), (StatusCode::OK, &json!(0)), "{turns}");
        let mut later = 0;
        let turn = loop {
            later += HOUR;
            assert!(later < 26 * HOUR, "leads change once a day at least");
            desk.later.store(later, std::sync::atomic::Ordering::Relaxed);
            // Who had signed in an hour ago is signed out by now.
            let (_, turns) = desk.get(&desk.token("lead").await, TURNS).await;
            if let Some(turn) = turns["items"].as_array().unwrap().first() {
                break turn.clone();
            }
        };
        let (lead, other) = (desk.token("lead").await, desk.token("as-lead").await);
        assert_eq!((&turn["state"], &turn["overdue"]), (&json!("writing"), &json!(false)), "{turn}");
        // `lead` may be on one side by the plan: then he signs there, and somebody stands in on the other.
        let incoming = turn["incoming"].as_array().unwrap().contains(&json!("lead"));
        let (out, into) = if incoming { (&other, &lead) } else { (&lead, &other) };
        let path = format!("{TURNS}/{}", turn["turn"].as_str().unwrap());
        let sign = async |token: &str, part: &str| {
            send(&desk, Method::POST, token, &format!("{path}/signatures"), &json!({"part": part})).await
        };
        assert_eq!(sign(&desk.token("office").await, "out").await.0, StatusCode::FORBIDDEN);
        assert_eq!(sign(into, "in").await.0, StatusCode::CONFLICT, "nothing is offered");
        assert_eq!(sign(out, "both").await.0, StatusCode::BAD_REQUEST);
        assert_eq!(desk.get(&lead, &format!("{path}/sheet")).await.0, StatusCode::NOT_FOUND);
        let (status, offered) = sign(out, "out").await;
        assert_eq!((status, &offered["state"]), (StatusCode::CREATED, &json!("offered")), "{offered}");
        assert_eq!(sign(out, "in").await.0, StatusCode::CONFLICT, "nobody takes over from himself");
        // A new line: what was signed says nothing of it.
        let notice = json!({"text": "寒潮橙色预警"});
        let (_, notice) = send(&desk, Method::POST, &lead, "/api/v1/roster/notices", &notice).await;
        let (status, told) = sign(into, "in").await;
        assert_eq!(status, StatusCode::CONFLICT);
        assert!(told["detail"].as_str().unwrap().contains("new lines"), "{told}");
        assert_eq!(sign(out, "out").await.0, StatusCode::CREATED, "again, with it");
        let (status, told) = sign(into, "in").await;
        assert_eq!(status, StatusCode::CONFLICT, "unread");
        assert!(told["detail"].as_str().unwrap().contains("not read"), "{told}");
        let read = format!("/api/v1/roster/notices/{}/read", notice["id"].as_str().unwrap());
        send(&desk, Method::POST, into, &read, &json!({})).await;
        let (status, taken) = sign(into, "in").await;
        assert_eq!((status, &taken["state"]), (StatusCode::CREATED, &json!("taken")), "{taken}");
        assert_eq!((&taken["overdue"], &taken["in"]["stands_in"]), (&json!(false), &json!(!incoming)));
        for (who, part) in [(out, "out"), (into, "in")] {
            assert_eq!(sign(who, part).await.0, StatusCode::CONFLICT, "closed");
        }
        let (_, sheet) = desk.get(&lead, &format!("{path}/sheet")).await;
        assert!(sheet["notices"].to_string().contains("寒潮"), "as it was signed: {sheet}");
        let kept = desk.db.handover_signatures(turn["turn"].as_str().unwrap()).await.unwrap();
        let kept: Vec<_> = kept.iter().map(|one| (one.n, one.part.as_str())).collect();
        assert_eq!(kept, [(1, "out"), (2, "out"), (3, "in")], "each is kept");

        // The next one nobody signs: half an hour into the shift it is counted.
        let first = turn["turn"].clone();
        let open = loop {
            later += HOUR;
            assert!(later < 60 * HOUR);
            desk.later.store(later, std::sync::atomic::Ordering::Relaxed);
            let (_, turns) = desk.get(&desk.token("lead").await, &format!("{TURNS}?days=3")).await;
            let newest = turns["items"][0].clone();
            if newest["turn"] != first && newest["overdue"] == json!(true) {
                assert_eq!(turns["unsigned"], 1);
                break newest;
            }
        };
        assert_eq!(open["state"], "writing");
        let lead = desk.token("lead").await;
        assert_eq!(desk.get(&lead, &format!("{TURNS}?days=99")).await.0, StatusCode::BAD_REQUEST);
        desk
    });
}
