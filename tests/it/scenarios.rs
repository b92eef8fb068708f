//! Scenarios of the domain reference from the call to the end, at their own dates, by the whole server: SC01 and SC07, SC02, SC03, SC04,
//! SC10, SC19. SC05, 14, 15, 17, 18 are in `stories`, SC11 and 13 in `looping`, SC20 in `city`, SC21 in `urging`, SC06 and 12 in `flows`
//! and `callbacks`.

use crate::looping::Town;
use crate::support::level;
use crate::support::postgres::Postgres;
use serde_json::{Value, json};
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(20);

fn minutes(ticket: &Value, clock: &str) -> i64 {
    let ms = |text: &Value| {
        text.as_str().expect("a time").parse::<jiff::Timestamp>().expect("a time").as_millisecond()
    };
    let clocks = ticket["clocks"].as_array().expect("clocks");
    let of =
        clocks.iter().find(|one| one["name"] == clock).unwrap_or_else(|| panic!("no {clock} in {ticket}"));
    (ms(&of["due_at"]) - ms(&ticket["accepted_at"])) / 60_000
}

/// What the unit reads of it has none of these words.
fn unit_reads_none(town: &Town, unit: &str, no: &str, secrets: &[&str]) -> Value {
    let seen = town.api(unit).get(&format!("tickets/{no}"));
    let history = town.api(unit).get(&format!("tickets/{no}/events"));
    let list = town.api(unit).get("tickets?limit=200");
    for secret in secrets {
        for (what, text) in [("ticket", &seen), ("history", &history), ("list", &list)] {
            assert!(!text.to_string().contains(secret), "{secret} in the {what}: {text}");
        }
    }
    seen
}

/// From the dispatch to the citizen's verdict.
fn answered(town: &Town, no: &str, unit: &str, dispatch: Value, verdict: Value) -> Value {
    let head = format!("{unit}-head");
    town.does("dispatcher", no, "dispatch", dispatch);
    town.does(unit, no, "sign", json!({}));
    town.does(unit, no, "contact", json!({"how": "phone", "what": "result"}));
    town.does(unit, no, "reply", json!({"report": "已处理", "text": "已处理完毕", "claim": "solved"}));
    town.does(&head, no, "sign_reply", json!({}));
    town.does("dispatcher", no, "review_pass", json!({}));
    town.does("visitor", no, "visit", verdict)
}

fn rates(town: &Town, query: &str) -> Vec<Value> {
    let list = town.api("office").get(&format!("indicators?from=2026-01-01&to=2027-12-31{query}"));
    list["items"].as_array().expect("rates").clone()
}

/// 契合度 of all: numerator and denominator. The demonstration's own tickets are in it.
fn agreed(town: &Town) -> (f64, i64) {
    let all = rates(town, "");
    let one = all.iter().find(|one| one["name"] == "match").expect("the rate");
    (one["numerator"].as_f64().expect("a number"), one["denominator"].as_i64().expect("a number"))
}

fn heating_is_cold_and_cold_again(database: Option<String>) {
    // SC01: the first days of heating, before seven in the morning.
    let mut town = Town::open_at(database, Some("2026-11-16T06:52:00+08:00"));
    let before = agreed(&town);
    let said = "我是白纸坊建功南里的,姓刘,七十八了,昨天供上暖屋里才十五度。";
    let no = town.called(
        "12000000001",
        json!({"type": "help", "category": "030101", "street": "110102019", "content": said,
            "title": "建功南里居民反映供暖首日室温15度", "brief": "居民反映供暖首日室温15度", "tags": ["供暖季", "老年人"],
            "secrecy": "normal", "contact": {"name": "刘女士", "number": "12000000001", "address": "建功南里1号楼2单元301"}}),
    );
    let ticket = town.api("dispatcher").get(&format!("tickets/{no}"));
    assert_eq!(
        (&ticket["urgency"], &ticket["state"]),
        (&json!("L"), &json!("accepted")),
        "by its leaf: {ticket}"
    );
    assert_eq!((minutes(&ticket, "dispatch"), minutes(&ticket, "feedback")), (30, 24 * 60));
    let verdict = json!({"contacted": true, "solved": "yes", "satisfied": "satisfied", "matches": true});
    let dispatch = json!({"lead": "rl", "assist": ["st019"]});
    let ticket = answered(&town, &no, "rl", dispatch, verdict);
    assert_eq!(
        (&ticket["state"], &ticket["tags"]),
        (&json!("closed"), &json!(["供暖季", "老年人"])),
        "{ticket}"
    );
    unit_reads_none(&town, "rl", &no, &[said, "12000000001", "2单元301", "刘女士"]);
    assert_eq!(agreed(&town), (before.0 + 1.0, before.1 + 1));

    // SC07: he calls again, not content. No ticket beside it; done again, and what he says is to be verified.
    let again = town.called(
        "12000000001",
        json!({"state": "draft", "type": "complaint", "category": "030101", "street": "110102019",
            "content": "还是那个暖气的事,他们说修好了,根本没修!", "secrecy": "normal"}),
    );
    let draft = town.api("8001").get(&format!("tickets/{again}"));
    let similar = town.api("8001").get(&format!(
        "tickets/similar?category=030101&street=110102019&caller=12000000001&besides={}",
        draft["id"].as_str().expect("an id")
    ));
    assert_eq!(similar["own"][0]["no"], no.as_str(), "the agent sees it: {similar}");
    let link = json!({"version": draft["version"], "into": no});
    let (status, told) = town.api("8001").post(&format!("tickets/{again}/link"), &link);
    assert_eq!((status, &told["no"]), (200, &json!(no)), "{told}");
    assert_eq!(agreed(&town), (before.0 + 1.0, before.1 + 1), "an angry call changes nothing yet");
    let ticket = town.does("office", &no, "redo", json!({"reason": "来电人称没修好，待核"}));
    assert_eq!((&ticket["state"], &ticket["visit"]), (&json!("redo"), &Value::Null), "{ticket}");
    assert_eq!(agreed(&town), before, "to be verified, so neither one nor the other");
    town.does("rl", &no, "sign", json!({}));
    town.does("rl", &no, "reply", json!({"report": "换阀门", "text": "已更换阀门", "claim": "solved"}));
    town.does("rl-head", &no, "sign_reply", json!({}));
    town.does("dispatcher", &no, "review_pass", json!({}));
    let verdict = json!({"contacted": true, "solved": "no", "satisfied": "not", "matches": false});
    let ticket = town.does("visitor", &no, "visit", verdict);
    assert_eq!(ticket["state"], "closed");
    assert_eq!(agreed(&town), (before.0, before.1 + 1), "verified by the callback");
    town.close();
}

#[test]
fn sc01_sc07_the_heating_is_cold_and_cold_again() {
    heating_is_cold_and_cold_again(None);
}

#[test]
fn sc01_sc07_on_postgresql() {
    let Some(server) = Postgres::start() else { return };
    heating_is_cold_and_cold_again(Some(server.url()));
}

/// SC02: reported in confidence. SC04: at night in a holiday, by two ways of ticking.
#[test]
fn sc02_nobody_learns_who_reported_the_bicycles() {
    let mut town = Town::open_at(None, Some("2026-11-18T20:15:00+08:00"));
    let said = "月坛三里河二区,我们楼门洞里停了六七辆电动车,还飞线充电";
    let no = town.called(
        "12000000002",
        json!({"type": "report", "category": "040104", "street": "110102007", "content": said, "secrecy": "secret",
            "title": "楼道内电动自行车充电", "brief": "三里河二区楼道内停放电动自行车并飞线充电",
            "contact": {"name": "张先生", "number": "12000000002", "address": "三里河二区7号楼"}}),
    );
    let secrets = ["12000000002", "张先生", "7号楼", said];
    let ticket = town.api("dispatcher").get(&format!("tickets/{no}"));
    assert_eq!(ticket["urgency"], "L", "none of the four is happening: {ticket}");
    assert!(
        !ticket.to_string().contains("张先生") && !ticket.to_string().contains("12000000002"),
        "{ticket}"
    );
    let verdict = json!({"contacted": true, "solved": "yes", "satisfied": "basic", "matches": true});
    answered(&town, &no, "st007", json!({"lead": "st007", "assist": ["xfjy"]}), verdict);
    unit_reads_none(&town, "st007", &no, &secrets);
    let pushes = town.api("boss").list("outbox");
    assert!(!pushes.is_empty(), "the unit is told of it");
    for secret in secrets {
        assert!(pushes.iter().all(|push| !push.to_string().contains(secret)), "{secret}: {pushes:?}");
    }
    // The number is opened with a reason, and who did is on record.
    let (status, refused) =
        town.api("st007").post(&format!("tickets/{no}/reveal"), &json!({"reason": "需要核实情况"}));
    assert_eq!(status, 403, "{refused}");
    let (status, caller) =
        town.api("dispatcher").post(&format!("tickets/{no}/reveal"), &json!({"reason": "需要核实情况"}));
    assert_eq!((status, &caller["number"]), (200, &json!("12000000002")), "{caller}");
    let looks = town.api("office").get(&format!("tickets/{no}/looks"));
    let opened =
        looks["items"].as_array().expect("looks").iter().filter(|look| look["action"] == "ticket.reveal");
    assert_eq!(opened.map(|look| look["by"].clone()).collect::<Vec<_>>(), [json!("dispatcher")], "{looks}");
    town.close();
}

#[test]
fn sc04_noise_at_night_in_a_holiday_by_both_ways_of_ticking() {
    let mut town = Town::open_at(None, Some("2026-06-20T23:42:00+08:00"));
    let mut wish = json!({"type": "complaint", "category": "050101", "street": "110102020", "title": "夜间施工",
        "content": "马连道工地夜里打混凝土", "secrecy": "normal"});
    let ordinary = town.called("12000000004", wish.clone());
    wish["urgency"] = json!("U");
    let urgent = town.called("12000000004", wish);
    let ticket = town.api("dispatcher").get(&format!("tickets/{urgent}"));
    let of = |name| minutes(&ticket, name);
    assert_eq!((of("dispatch"), of("sign"), of("feedback")), (10, 25, 120), "holidays are hours like others");
    let ticket = town.api("dispatcher").get(&format!("tickets/{ordinary}"));
    assert_eq!(ticket["urgency"], "N");
    let due = |name: &str| {
        let clocks = ticket["clocks"].as_array().expect("clocks");
        clocks.iter().find(|one| one["name"] == name).expect("the clock")["due_at"]
            .as_str()
            .expect("a time")
            .to_owned()
    };
    assert!(
        due("dispatch").starts_with("2026-06-22T11:00"),
        "from the first day of work on: {}",
        due("dispatch")
    );
    let dispatch = json!({"lead": "cgzf", "assist": ["st020", "hbj"]});
    let ticket = town.does("dispatcher", &urgent, "dispatch", dispatch);
    assert_eq!((&ticket["state"], &ticket["lead"]), (&json!("dispatched"), &json!("cgzf")));
    town.close();
}

/// SC03: answered at once, dispatched to nobody, in no rate. SC10: praise is passed on and nobody is called back.
#[test]
fn sc03_sc10_what_is_answered_at_once_and_what_is_praise() {
    let mut town = Town::open_at(None, Some("2026-11-19T10:05:00+08:00"));
    let before = rates(&town, "&by=unit");
    let no = town.called(
        "01000001234",
        json!({"state": "closed", "type": "consult", "category": "030101", "urgency": "N", "title": "供暖截止日期和最低室温",
            "content": "什么时候停暖？温度最低标准？", "secrecy": "normal"}),
    );
    let ticket = town.api("dispatcher").get(&format!("tickets/{no}"));
    assert_eq!(
        (&ticket["state"], &ticket["lead"], &ticket["urgency"]),
        (&json!("closed"), &Value::Null, &json!("N")),
        "{ticket}"
    );
    assert_eq!(town.kinds(&no), ["created", "numbered", "saved", "closed"]);

    let no = town.called(
        "12000000010",
        json!({"type": "praise", "category": "120901", "street": "110102010", "title": "表扬网格员",
            "content": "网格员小赵帮我妈买药还送上楼", "secrecy": "normal"}),
    );
    town.does("dispatcher", &no, "dispatch", json!({"lead": "st010"}));
    town.does("st010", &no, "sign", json!({}));
    town.does(
        "st010",
        &no,
        "reply",
        json!({"report": "已通报表扬", "text": "感谢您的来电", "claim": "explained"}),
    );
    town.does("st010-head", &no, "sign_reply", json!({}));
    let ticket = town.does("dispatcher", &no, "review_pass", json!({}));
    assert_eq!(
        (&ticket["state"], &ticket["visit"]),
        (&json!("closed"), &Value::Null),
        "nobody is called back: {ticket}"
    );
    assert_eq!(rates(&town, "&by=unit"), before, "neither is in any rate");
    town.close();
}

/// SC19: two matters in one call are two tickets with a number and clocks each, and know each other by their call.
#[test]
fn sc19_two_matters_of_one_call() {
    let mut town = Town::open_at(None, Some("2026-12-02T15:20:00+08:00"));
    let lamps = json!({"type": "help", "category": "010202", "street": "110102010", "title": "路灯灭了一排",
        "content": "六铺炕南小街路灯灭了一排", "secrecy": "normal"});
    let first = town.called("12000000019", lamps);
    let (status, split) = town.api("8001").post(&format!("tickets/{first}/split"), &json!({}));
    assert_eq!(status, 201, "{split}");
    let second = split["ticket"]["no"].as_str().expect("a number").to_owned();
    assert_ne!(first, second);
    let body = json!({"version": split["ticket"]["version"], "state": "accepted", "type": "complaint", "category": "050103",
        "street": "110102010", "title": "楼上晚上装修", "content": "我家楼上天天晚上装修", "secrecy": "normal"});
    let ticket = town.api("8001").patch(&format!("tickets/{second}"), &body);
    assert_eq!((&ticket["state"], &ticket["urgency"]), (&json!("accepted"), &json!("N")), "{ticket}");
    let both = [first, second].map(|no| town.api("dispatcher").get(&format!("tickets/{no}")));
    let call = |ticket: &Value| {
        let one = &ticket["calls"][0];
        one["id"].as_str().or(one.as_str()).expect("a call").to_owned()
    };
    assert_eq!(call(&both[0]), call(&both[1]), "one call");
    let known = level::until("the call knows both", WAIT, || {
        let call = town.api("boss").try_get(&format!("calls/{}", call(&both[0])))?;
        call["ticket_nos"].as_array().filter(|all| all.len() == 2).cloned()
    });
    for ticket in &both {
        assert!(known.contains(&ticket["no"]), "{known:?}");
        assert!(ticket["clocks"].as_array().is_some_and(|clocks| clocks.len() >= 5), "{ticket}");
    }
    let (a, b) = (&both[0]["no"], &both[1]["no"]);
    town.does(
        "dispatcher",
        a.as_str().expect("a number"),
        "dispatch",
        json!({"lead": "cgw", "assist": ["gd"]}),
    );
    town.does(
        "dispatcher",
        b.as_str().expect("a number"),
        "dispatch",
        json!({"lead": "st010", "assist": ["gafj", "zjw"]}),
    );
    town.close();
}
