//! The loop by the whole server: a telephone call becomes a ticket, a unit answers for it, the citizen judges. SQLite and PostgreSQL.

use crate::support::api::Api;
use crate::support::cti::Agent;
use crate::support::hall::{Hall, Phone};
use crate::support::level;
use crate::support::postgres::Postgres;
use crate::support::server::{PASSWORD, Server, Setup};
use crate::support::tone;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(20);
const PHONE: &str = "desk-phone-12341";

/// Everybody with a part in it, signed in, and an agent at a desk phone.
pub struct Town {
    pub server: Server,
    hall: Hall,
    agent: Agent,
    _ear: Phone,
    people: BTreeMap<&'static str, Api>,
    calls: u32,
}

const PEOPLE: &[(&str, &str, Option<&str>)] = &[
    ("8001", "agent", None),
    ("boss", "lead", None),
    ("dispatcher", "dispatcher", None),
    ("visitor", "visitor", None),
    ("office", "office", None),
    ("rl", "unit", Some("rl")),
    ("rl-head", "unit_head", Some("rl")),
    ("cgw", "unit", Some("cgw")),
    ("fgzx", "unit", Some("fgzx")),
    ("st013", "unit", Some("st013")),
    ("hbj", "unit", Some("hbj")),
    ("st018", "unit", Some("st018")),
    ("st018-head", "unit_head", Some("st018")),
    ("st007", "unit", Some("st007")),
    ("st007-head", "unit_head", Some("st007")),
    ("st010", "unit", Some("st010")),
    ("st010-head", "unit_head", Some("st010")),
];

impl Town {
    fn open(database: Option<String>) -> Self {
        Self::open_at(database, None)
    }

    /// At this moment, where one is given: as the demonstration, whose tickets and people are there too.
    pub fn open_at(database: Option<String>, now: Option<&str>) -> Self {
        let hall = Hall::open();
        let trunk = format!("name = \"city\"\ntarget = \"{}\"", hall.carrier);
        let config = include_str!("../../sipp-scenarios/hotline.toml").replacen("name = \"city\"", &trunk, 1);
        let config = format!("{config}\n[[agent_phone]]\nname = \"p1\"\npassword = \"{PHONE}\"\n");
        let mut setup = Setup::of(&config).key("sip.digest", "MD5").key("acd.beep_ms", "100");
        if let Some(url) = database {
            setup = setup.key("database.url", url);
        }
        if let Some(now) = now {
            setup.args = ["--demo", "--now", now].map(str::to_owned).into();
        }
        let server = setup.start();
        for (name, role, unit) in PEOPLE {
            server.user_with(name, role, *unit);
        }
        let ear = hall.desk_phone(server.at.udp, "p1", PHONE, tone::frequency(0));
        let mut agent = Agent::open(server.at.http, "8001", PASSWORD);
        level::until("the log-in", WAIT, || {
            (agent.command("agent.login", json!({"device": "p1"}))["ok"] == true).then_some(())
        });
        let people =
            PEOPLE.iter().map(|(name, ..)| (*name, Api::sign_in(server.at.http, name, PASSWORD))).collect();
        Self { server, hall, agent, _ear: ear, people, calls: 0 }
    }

    pub fn api(&self, name: &str) -> &Api {
        &self.people[name]
    }

    /// He dials, the agent takes his word and writes it down; the number of his ticket.
    pub fn called(&mut self, number: &str, mut wish: Value) -> String {
        self.calls += 1;
        let citizen = self.hall.citizen(self.server.at.udp, number, tone::frequency(self.calls as usize));
        self.agent.done("agent.ready", json!({}));
        citizen.dial("12341");
        let call = self.agent.event("call.answered")["data"]["call"].as_str().expect("an id").to_owned();
        let draft = level::until("the ticket has its number", WAIT, || {
            self.api("8001").try_get(&format!("tickets/{call}")).filter(|ticket| ticket["no"].is_string())
        });
        citizen.hang_up();
        self.agent.event("call.ended");
        wish["version"] = draft["version"].clone();
        match wish["state"].as_str() {
            None => wish["state"] = json!("accepted"),
            // He leaves it as it is.
            Some("draft") => drop(wish.as_object_mut().and_then(|wish| wish.remove("state"))),
            Some(_) => {}
        }
        let ticket = self.api("8001").patch(&format!("tickets/{call}"), &wish);
        self.agent.done("wrapup.finish", json!({}));
        ticket["no"].as_str().expect("a number").to_owned()
    }

    pub fn tried(&self, who: &str, no: &str, action: &str, mut wish: Value) -> (u16, Value) {
        let seen = self.api(who).try_get(&format!("tickets/{no}"));
        wish["action"] = json!(action);
        wish["version"] = seen.map_or(json!(1), |ticket| ticket["version"].clone());
        self.api(who).post(&format!("tickets/{no}/actions"), &wish)
    }

    #[track_caller]
    pub fn does(&self, who: &str, no: &str, action: &str, wish: Value) -> Value {
        let (status, ticket) = self.tried(who, no, action, wish);
        assert_eq!(status, 200, "{action} by {who}: {ticket}");
        ticket
    }

    pub fn kinds(&self, no: &str) -> Vec<String> {
        let lines = self.api("office").get(&format!("tickets/{no}/events"));
        let kinds = lines["items"]
            .as_array()
            .expect("lines")
            .iter()
            .map(|line| line["kind"].as_str().unwrap_or_default());
        kinds.filter(|kind| !["reminded", "late", "survey"].contains(kind)).map(str::to_owned).collect()
    }

    pub fn close(mut self) {
        assert!(self.server.stop().success(), "{}", self.server.log());
        let verified = self.server.command(&["db", "verify"]).output().expect("db verify");
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    }
}

/// A telephone call, a unit, a verdict: the whole way with its history and its clocks.
fn whole_way(database: Option<String>) {
    let mut town = Town::open(database);
    let no = town.called(
        "12000000001",
        json!({"type": "help", "category": "030101", "street": "110102019", "title": "供暖首日室温15度",
            "content": "屋里才十五度", "secrecy": "normal"}),
    );
    let ticket = town.api("dispatcher").get(&format!("tickets/{no}"));
    let clocks = |ticket: &Value| -> BTreeMap<String, String> {
        let clocks = ticket["clocks"].as_array().expect("clocks").iter();
        clocks
            .map(|c| {
                (
                    c["name"].as_str().unwrap_or_default().into(),
                    c["state"].as_str().unwrap_or_default().into(),
                )
            })
            .collect()
    };
    assert_eq!(ticket["urgency"], "L");
    assert!(clocks(&ticket).values().all(|state| state == "running"), "{ticket}");
    town.does(
        "dispatcher",
        &no,
        "dispatch",
        json!({"lead": "rl", "assist": ["st013"], "brief": "居民反映室温低"}),
    );
    town.does("rl", &no, "sign", json!({}));
    town.does("rl", &no, "contact", json!({"how": "phone"}));
    town.does("rl", &no, "reply", json!({"report": "换阀门", "text": "已更换阀门", "claim": "solved"}));
    town.does("rl-head", &no, "sign_reply", json!({}));
    town.does("dispatcher", &no, "review_pass", json!({}));
    let verdict = json!({"contacted": true, "solved": "yes", "satisfied": "satisfied", "matches": true});
    let ticket = town.does("visitor", &no, "visit", verdict);
    assert_eq!(ticket["state"], "closed");
    assert!(clocks(&ticket).values().all(|state| state == "met"), "{ticket}");
    let held: i64 =
        ticket["held"].as_array().expect("shares").iter().filter_map(|one| one["held_ms"].as_i64()).sum();
    let ms = |field: &str| {
        let text = ticket[field].as_str().unwrap_or_default();
        text.parse::<jiff::Timestamp>().expect("a time").as_millisecond()
    };
    assert_eq!(held, ms("closed_at") - ms("accepted_at"), "the parts are the whole");
    let want = [
        "created",
        "numbered",
        "saved",
        "accepted",
        "dispatch",
        "sign",
        "contact",
        "reply",
        "sign_reply",
        "review_pass",
        "visit",
        "closed",
    ];
    assert_eq!(town.kinds(&no), want);

    // SC11: twice returned with good reason, then forced in its order, an objection, a plan for works.
    let no = town.called(
        "12000000011",
        json!({"type": "help", "category": "030203", "street": "110102013", "urgency": "C", "title": "胡同积水",
            "content": "一下雨就积水", "secrecy": "normal"}),
    );
    let back = |to: &str| json!({"basis": "权责清单", "to": to, "text": "非我单位管线"});
    let list = town.api("office").get("categories");
    let list = list["items"].as_array().expect("categories");
    let listed = list.iter().find(|one| one["code"] == "030203").expect("the matter")["lead"].clone();
    let first = if listed == "fgzx" { ["fgzx", "cgw"] } else { ["cgw", "fgzx"] };
    for (lead, other) in [(first[0], first[1]), (first[1], first[0])] {
        town.does("dispatcher", &no, "dispatch", json!({"lead": lead}));
        town.does(lead, &no, "ask_return", back(other));
        town.does("dispatcher", &no, "grant_return", json!({"reason": "理由成立"}));
    }
    let (status, told) = town.tried("dispatcher", &no, "dispatch", json!({"lead": "st013"}));
    assert_eq!((status, &told["errors"][0]["code"]), (422, &json!("limit")), "{told}");
    let street = town.api("office").get("units");
    assert!(street["items"].as_array().expect("units").iter().any(|unit| unit["key"] == "st013"));
    let (status, told) =
        town.tried("office", &no, "force", json!({"lead": "st013", "step": "named", "reason": "指定"}));
    assert_eq!(
        (status, &told["errors"][0]["field"]),
        (422, &json!("step")),
        "the street comes first: {told}"
    );
    let forced = json!({"lead": "st013", "step": "territory", "reason": "清单定不了，属地牵头"});
    let ticket = town.does("office", &no, "force", forced);
    assert_eq!((&ticket["state"], &ticket["forced"]["step"]), (&json!("dispatched"), &json!("territory")));
    town.does("st013", &no, "object", json!({"text": "管线不属街道"}));
    town.does("office", &no, "decide_objection", json!({"uphold": false, "reason": "属地管理"}));
    town.does("st013", &no, "sign", json!({}));
    town.does("st013", &no, "ask_joint", json!({"reason": "涉及多家"}));
    let decided = json!({"lead": "st013", "assist": ["cgw", "fgzx"], "reason": "会商纪要第1号"});
    town.does("office", &no, "decide_joint", decided);
    let ticket = town.does("office", &no, "defer", json!({"until": "2028-06-30", "plan": "排水改造"}));
    assert_eq!((&ticket["state"], &ticket["owner"]["unit"]), (&json!("deferred"), &json!("st013")));
    assert!(ticket["next_due_at"].is_string());

    // SC13: whom it complains about never learns of it.
    let no = town.called(
        "12000000013",
        json!({"type": "complaint", "category": "050201", "street": "110102018", "title": "油烟",
            "content": "牛街城管办有人跟那家饭馆是亲戚", "secrecy": "secret", "complained": {"unit": "st018"}}),
    );
    let (status, told) = town.tried("dispatcher", &no, "dispatch", json!({"lead": "st018"}));
    assert_eq!((status, &told["errors"][0]["field"]), (422, &json!("lead")), "{told}");
    town.does(
        "dispatcher",
        &no,
        "dispatch",
        json!({"lead": "hbj", "assist": ["cgzf", "scjg"], "brief": "餐馆油烟"}),
    );
    let seen = town.api("hbj").get(&format!("tickets/{no}"));
    assert!(seen["content"].is_null() && seen["complained"].is_null(), "{seen}");
    for target in ["st018", "st018-head"] {
        assert_eq!(town.api(target).status(&format!("tickets/{no}")), 404);
        assert_eq!(town.api(target).status(&format!("tickets/{no}/events")), 404);
        assert_eq!(town.tried(target, &no, "sign", json!({})).0, 404);
        assert!(town.api(target).list("tickets").is_empty());
        let boxes = town.api(target).get("tickets/boxes");
        assert_eq!(boxes["items"], json!([]), "{boxes}");
    }
    town.close();
}

#[test]
fn the_loop_from_a_call_to_the_verdict() {
    whole_way(None);
}

#[test]
fn the_loop_from_a_call_to_the_verdict_on_postgresql() {
    let Some(server) = Postgres::start() else { return };
    whole_way(Some(server.url()));
}

/// Reminders and lateness come by themselves, once, also over `kill -9`; and clocks that reach into a year without a calendar are counted
/// again when its file is there.
#[test]
fn time_does_its_part_in_a_running_server() {
    let args = ["--demo", "--now", "2026-12-28T10:00:00+08:00"];
    let mut server = Setup { args: args.map(str::to_owned).to_vec(), ..Setup::of("") }.start();
    let lines = |api: &Api, no: &str| -> Vec<Value> {
        let answer = api.get(&format!("tickets/{no}/events"));
        answer["items"].as_array().cloned().unwrap_or_default()
    };
    let of = |api: &Api, state: &str| {
        level::until(&format!("a demo ticket is {state}"), WAIT, || {
            let list = api.try_get(&format!("tickets?state={state}&numbered=true"))?;
            list["items"][0]["no"].as_str().map(str::to_owned)
        })
    };
    let api = Api::sign_in(server.at.http, "dispatcher", "demo-12341");
    // An hour old, urgent, and nobody has dispatched it.
    let late = of(&api, "accepted");
    level::until("its lateness is written down", WAIT, || {
        let lines = lines(&api, &late);
        lines
            .iter()
            .any(|line| line["kind"] == "late" && line["data"]["clock"] == json!(["dispatch", 100]))
            .then_some(())
    });
    let unsure = of(&api, "extension_review");
    let before = api.get(&format!("tickets/{unsure}"));
    assert_eq!(before["calendar_warning"], true, "it reaches into 2027: {before}");
    server.kill();
    server.restart();
    let api = Api::sign_in(server.at.http, "dispatcher", "demo-12341");
    // The notice of the new year comes.
    let folder = server.data().parent().expect("the server's folder").join("district/calendar");
    std::fs::create_dir_all(&folder).expect("a folder for calendars");
    let year = "year = 2027\n[[holiday]]\nname = \"元旦\"\nfrom = 2027-01-01\nto = 2027-01-04\n[makeup]\ndays = []\n\
        [statutory]\ndays = [2027-01-01]\n";
    std::fs::write(folder.join("2027.toml"), year).expect("write the calendar");
    let (status, told) =
        Api::sign_in(server.at.http, "admin", "demo-12341").post("engine/reload", &json!({}));
    assert_eq!(status, 200, "{told}");
    let after = level::until("its clocks are counted again", WAIT, || {
        api.try_get(&format!("tickets/{unsure}")).filter(|ticket| ticket["calendar_warning"] == false)
    });
    assert_ne!(after["due_at"], before["due_at"]);
    assert_eq!(lines(&api, &unsure).iter().filter(|line| line["kind"] == "recalculated").count(), 1);
    // What time had done before, it did not do again.
    for no in [&late, &unsure] {
        let told: Vec<String> = lines(&api, no)
            .iter()
            .filter(|line| line["kind"] == "late" || line["kind"] == "reminded")
            .map(|line| format!("{} {}", line["kind"], line["data"]["clock"]))
            .collect();
        let once: std::collections::BTreeSet<_> = told.iter().collect();
        if no == &late {
            assert_eq!(once.len(), told.len(), "{told:?}");
        }
        assert!(!told.is_empty());
    }
    assert!(server.stop().success(), "{}", server.log());
    let verified = server.command(&["db", "verify"]).output().expect("db verify");
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}
