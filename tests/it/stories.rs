//! Four of the domain's scenarios from the first word to the ticket, by the whole server over real sockets (issue 4, row 15): a life in
//! danger (SC14), nobody heard (SC15), told by text only (SC18), gas (SC05). The shipped flow, telephones with a tone each.

use crate::support::api::Api;
use crate::support::cti::Agent;
use crate::support::hall::{Hall, Manner, Phone};
use crate::support::level;
use crate::support::receiver::Receiver;
use crate::support::server::{PASSWORD, Server, Setup};
use crate::support::tone::{self, Heard};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const WAIT: Duration = Duration::from_secs(20);
const PHONE: &str = "desk-phone-12341";

/// An agent and a lead at desk phones, and a trunk that reaches the emergency codes, the gas company and the citizens.
struct Desk {
    server: Server,
    hall: Hall,
    agent: Agent,
    ear: Phone,
    lead: Agent,
    lead_ear: Phone,
    tones: u32,
}

impl Desk {
    fn open() -> Self {
        Self::with("")
    }

    /// With more in its configuration's section of what is sent outside.
    fn with(outbox: &str) -> Self {
        let hall = Hall::open();
        let trunk = format!("name = \"city\"\ntarget = \"{}\"", hall.carrier);
        let scenarios =
            include_str!("../../sipp-scenarios/hotline.toml").replacen("name = \"city\"", &trunk, 1);
        let phones: String = ["p1", "p2"]
            .map(|name| format!("[[agent_phone]]\nname = \"{name}\"\npassword = \"{PHONE}\"\n"))
            .concat();
        let config = format!(
            "{scenarios}\n{phones}[dial]\ntrunk = \"city\"\nallow = [\"110\", \"96777\", \"1200000*\"]\n\
             [outbox]\nmobiles = [\"1200000\"]\n{outbox}\n"
        );
        let setup = Setup::of(&config).key("sip.digest", "MD5").key("acd.hold_unfinished", "true");
        let server = setup.key("acd.beep_ms", "100").start();
        server.user("8001", "agent");
        server.user("boss", "lead");
        let ear = hall.desk_phone(server.at.udp, "p1", PHONE, tone::frequency(0));
        let lead_ear = hall.desk_phone(server.at.udp, "p2", PHONE, tone::frequency(1));
        let log_in = |name: &str, device: &str| {
            let mut agent = Agent::open(server.at.http, name, PASSWORD);
            level::until("the log-in", WAIT, || {
                (agent.command("agent.login", json!({"device": device}))["ok"] == true).then_some(())
            });
            agent
        };
        let (agent, lead) = (log_in("8001", "p1"), log_in("boss", "p2"));
        Self { server, hall, agent, ear, lead, lead_ear, tones: 2 }
    }

    fn tone(&mut self) -> f64 {
        self.tones += 1;
        tone::frequency(self.tones as usize - 1)
    }

    /// He dials and the agent has him; the call's id.
    fn citizen(&mut self, number: &str) -> (Phone, f64, String) {
        let hz = self.tone();
        let citizen = self.hall.citizen(self.server.at.udp, number, hz);
        self.agent.done("agent.ready", json!({}));
        citizen.dial("12341");
        let call = self.agent.event("call.answered")["data"]["call"].as_str().expect("an id").to_owned();
        (citizen, hz, call)
    }

    /// A number that the trunk reaches.
    fn outside(&mut self, number: &str) -> (Phone, f64) {
        let hz = self.tone();
        (self.hall.outside(self.server.at.udp, number, hz), hz)
    }

    #[track_caller]
    fn alarm(&mut self, kind: &str) -> Value {
        self.lead.wait_for(kind, |frame| frame["event"] == "alarm" && frame["data"]["kind"] == kind)
    }

    fn api(&self) -> Api {
        Api::sign_in(self.server.at.http, "8001", PASSWORD)
    }

    /// The draft, once it has its number.
    fn ticket(&self, call: &str) -> Value {
        let api = self.api();
        level::until("the ticket has its number", WAIT, || {
            api.try_get(&format!("tickets/{call}")).filter(|ticket| ticket["no"].is_string())
        })
    }

    fn save(&self, call: &str, mut wish: Value) -> Value {
        wish["version"] = self.ticket(call)["version"].clone();
        self.api().patch(&format!("tickets/{call}"), &wish)
    }

    /// What was sent, or would have been, of these tickets: oldest first.
    fn pushes(&self) -> Vec<Value> {
        let mut all = Api::sign_in(self.server.at.http, "boss", PASSWORD).list("outbox");
        all.reverse();
        all
    }

    fn record(&self, call: &str) -> Value {
        let api = self.server.api();
        level::until("the call's record is complete", WAIT, || {
            api.try_get(&format!("calls/{call}")).filter(|call| !call["end_reason"].is_null())
        })
    }
}

/// Who hears these tones and not those.
#[track_caller]
fn hears(who: &Phone, yes: &[f64], no: &[f64]) {
    level::until(&format!("{yes:?} heard and not {no:?}"), WAIT, || {
        let yes = who.ears.now(yes).into_iter().all(|heard| heard == Heard::Yes);
        let no = who.ears.now(no).into_iter().all(|heard| heard == Heard::No);
        (yes && no).then_some(())
    });
}

#[test]
fn sc14_a_life_in_danger() {
    let mut desk = Desk::open();
    let (agent_hz, lead_hz) = (tone::frequency(0), tone::frequency(1));
    let (citizen, citizen_hz, call) = desk.citizen("12000000014");
    hears(&citizen, &[agent_hz], &[]);
    // One key: the lead knows within two seconds, and the citizen hears nothing of it.
    let raised = Instant::now();
    desk.agent.done("crisis.raise", json!({}));
    assert_eq!(desk.alarm("crisis")["data"]["call"], call.as_str());
    assert!(raised.elapsed() < Duration::from_secs(2), "{:?}", raised.elapsed());
    desk.lead.done("supervisor.whisper", json!({"agent": "8001"}));
    hears(&desk.ear, &[citizen_hz, lead_hz], &[]);
    hears(&citizen, &[agent_hz], &[lead_hz]);
    // Nobody is let go of without a word, and nobody is left with music.
    let blind = desk.agent.command("call.transfer", json!({"to": {"number": "110"}}));
    assert_eq!(blind["error"]["code"], "not_allowed", "{blind}");
    // The police joins; all three speak.
    let (police, police_hz) = desk.outside("110");
    desk.agent.done("call.conference", json!({"to": {"number": "110"}}));
    hears(&police, &[citizen_hz, agent_hz], &[lead_hz]);
    hears(&citizen, &[agent_hz, police_hz], &[lead_hz]);
    // He drops the line: he is called back at once, by the same agent, on the same ticket.
    let (again, again_hz) = desk.outside("12000000014");
    citizen.hang_up();
    again.until_up();
    let dropped = desk.alarm("crisis_dropped");
    assert_eq!((&dropped["data"]["call"], &dropped["data"]["note"]), (&json!(call), &json!("called_back")));
    hears(&again, &[agent_hz], &[]);
    hears(&desk.ear, &[again_hz], &[]);
    desk.agent.done("call.hangup", json!({}));
    again.until_down();
    // No survey; the ticket is saved without a leaf, secret, urgent.
    let record = desk.record(&call);
    assert!(record["surveys"].as_array().is_none_or(Vec::is_empty), "{record}");
    let wish = json!({"state": "accepted", "type": "help", "special": "suicide", "secrecy": "normal",
        "content": "来电人说在楼顶上，不想活了。已三方接通110，交接完毕。"});
    let ticket = desk.save(&call, wish);
    assert_eq!(
        (&ticket["state"], &ticket["secrecy"], &ticket["urgency"], &ticket["special"]),
        (&json!("accepted"), &json!("secret"), &json!("U"), &json!("suicide")),
        "{ticket}"
    );
    assert!(ticket["category"].is_null());
    desk.agent.done("wrapup.finish", json!({}));
    // He rests, outside the cap on breaks.
    desk.agent.wait_for("he rests", |frame| {
        frame["event"] == "agent.state"
            && frame["data"]["agent"] == "8001"
            && frame["data"]["reason"] == "crisis_rest"
    });
    drop(desk.lead_ear.clone());
    assert_eq!(desk.pushes(), [] as [Value; 0], "nothing is sent to him");
    desk.server.assert_clean();
}

#[test]
fn sc15_nobody_is_heard() {
    let mut desk = Desk::open();
    for round in 0..2 {
        let (citizen, _, call) = desk.citizen("12000000015");
        desk.agent.done("call.mark", json!({"special": "silent"}));
        desk.agent.event("call.ended");
        if round == 1 {
            // The second time within ten minutes.
            assert_eq!(desk.alarm("silent_again")["data"]["call"], call.as_str());
        }
        // The flow asks for a key instead of a voice; one press is enough, and a lead judges what it is.
        level::until("the flow asks", WAIT, || {
            let live = desk.server.api().try_get("calls/live")?;
            let asks = live["items"].as_array()?.iter().any(|call| {
                call["path"].as_array().is_some_and(|path| path.last() == Some(&json!("silent")))
            });
            asks.then_some(())
        });
        citizen.press('1');
        assert_eq!(desk.alarm("silent_key")["data"]["call"], call.as_str());
        citizen.until_down();
        let record = desk.record(&call);
        assert!(record["surveys"].as_array().is_none_or(Vec::is_empty), "{record}");
        // Void: it counts in no figure.
        let wish = json!({"state": "void", "special": "silent", "reason": "静默来电"});
        let ticket = desk.save(&call, wish);
        assert_eq!((&ticket["state"], &ticket["special"]), (&json!("void"), &json!("silent")));
        desk.agent.done("wrapup.finish", json!({}));
        // One text for each key, in neutral words; a server that nobody set to live keeps it.
        let pushes = level::until("the text is kept", WAIT, || {
            let pushes = desk.pushes();
            (pushes.len() > round && pushes.iter().all(|push| push["state"] == "held")).then_some(pushes)
        });
        assert_eq!(pushes.len(), round + 1, "{pushes:?}");
        let push = &pushes[round];
        assert_eq!(
            (&push["subject"], &push["to"], &push["no"]),
            (&json!("silent"), &json!("0015"), &ticket["no"])
        );
        assert_eq!(push["text"], "【西城12341】您刚才的来电已收到。也可以随时再拨。");
    }
    desk.server.assert_clean();
}

#[test]
fn sc17_no_message_of_any_kind() {
    let mut desk = Desk::open();
    let (citizen, _, call) = desk.citizen("12000000017");
    desk.agent.done("call.mark", json!({"special": "violence"}));
    assert_eq!(desk.alarm("special")["data"]["note"], "violence");
    citizen.hang_up();
    desk.agent.event("call.ended");
    let wish = json!({"state": "accepted", "type": "help", "special": "violence", "safe_time": "10:00-11:30",
        "content": "他又动手了，现在在隔壁屋。已三方接通110。"});
    let ticket = desk.save(&call, wish);
    assert_eq!((&ticket["state"], &ticket["secrecy"]), (&json!("accepted"), &json!("secret")), "{ticket}");
    let withdraw = json!({"action": "withdraw", "version": ticket["version"], "reason": "来电人要求"});
    let no = ticket["no"].as_str().expect("a number");
    let (status, after) = desk.api().post(&format!("tickets/{no}/actions"), &withdraw);
    assert_eq!((status, &after["state"]), (200, &json!("withdrawn")), "{after}");
    assert_eq!(desk.pushes(), [] as [Value; 0], "he reads her telephone");
    desk.server.assert_clean();
}

#[test]
fn sc18_told_by_text_only() {
    let mut desk = Desk::open();
    let (citizen, _, call) = desk.citizen("12000000018");
    desk.agent.done("call.mark", json!({"special": "deaf"}));
    citizen.hang_up();
    desk.agent.event("call.ended");
    let wish = json!({"state": "accepted", "type": "complaint", "special": "deaf", "category": "040103",
        "street": "110102016", "lead": "cgw", "secrecy": "normal",
        "content": "陶然亭路口的无障碍坡道被共享单车堵死了，请只发文字，别打电话。"});
    let ticket = desk.save(&call, wish);
    assert_eq!((&ticket["notify"], &ticket["urgency"]), (&json!("text_only"), &json!("N")), "{ticket}");
    desk.agent.done("wrapup.finish", json!({}));
    // He is told by text, with number and code; whoever looks at it reads the number and not the code.
    let pushes = desk.pushes();
    assert_eq!((pushes.len(), &pushes[0]["subject"]), (1, &json!("accepted")), "{pushes:?}");
    let text = pushes[0]["text"].as_str().expect("a text");
    assert!(
        text.contains(ticket["no"].as_str().expect("a number")) && text.contains("查询码••••••"),
        "{text}"
    );
    assert!(!text.contains("陶然亭") && !text.contains("12000000018"), "{text}");
    // Nobody calls him, by whatever name the ticket is dialled from.
    let (number, _) = desk.outside("12000000018");
    for name in
        [call.as_str(), ticket["no"].as_str().expect("a number"), ticket["id"].as_str().expect("an id")]
    {
        let refused = desk.agent.command("call.dial", json!({"number": "12000000018", "ticket": name}));
        assert_eq!(refused["error"]["code"], "text_only", "{name}: {refused}");
    }
    assert!(!number.is_busy(), "it never rang");
    desk.server.assert_clean();
}

/// Everything is sent, by this gateway.
fn live(gateway: &Receiver) -> String {
    format!(
        "mode = \"live\"\ntimeout_ms = 5000\n[outbox.sms]\nurl = \"http://{}/\"\nbody = \"{{to}} {{text}}\"\ncontent_type = \"text/plain\"",
        gateway.at
    )
}

#[test]
fn a_text_that_a_kill_left_unrecorded_is_sent_again_under_the_same_key() {
    let gateway = Receiver::silent_for(1);
    let mut desk = Desk::with(&live(&gateway));
    let (citizen, _, call) = desk.citizen("12000000019");
    citizen.hang_up();
    desk.agent.event("call.ended");
    let wish = json!({"state": "accepted", "type": "help", "category": "030101", "street": "110102019",
        "secrecy": "normal", "content": "建功南里室温只有十五度，老人受不了。"});
    let ticket = desk.save(&call, wish);
    // The gateway has it and has not said so when the server dies.
    let got = gateway.until(1, WAIT);
    desk.server.kill();
    desk.server.restart();
    let again = gateway.until(2, Duration::from_secs(90));
    assert_eq!((again.len(), &again[0], &again[1]), (2, &got[0], &again[0]), "the same, and once");
    assert!(again[1].body.starts_with("12000000019 【西城12341】"), "{again:?}");
    assert!(again[1].body.contains(ticket["no"].as_str().expect("a number")), "{again:?}");
    assert!(!again[1].body.contains("建功") && !again[1].key.is_empty(), "{again:?}");
    let push = level::until("it is written down", WAIT, || {
        desk.pushes().into_iter().find(|push| push["state"] == "sent")
    });
    assert_eq!((&push["id"], &push["tries"]), (&json!(again[1].key), &json!(2)));
}

#[test]
fn leads_hear_of_a_dead_letter_and_the_office_gives_it_up() {
    let gateway = Receiver::that_says(400);
    let mut desk = Desk::with(&live(&gateway));
    desk.server.user("office", "office");
    let (citizen, _, call) = desk.citizen("12000000019");
    citizen.hang_up();
    desk.agent.event("call.ended");
    let wish = json!({"state": "accepted", "type": "help", "category": "030101", "street": "110102019",
        "secrecy": "normal", "content": "建功南里室温只有十五度，老人受不了。"});
    let ticket = desk.save(&call, wish);
    let id = desk.alarm("dead_letter")["data"]["note"].clone();
    let pushes = desk.pushes();
    assert_eq!((pushes.len(), &pushes[0]["id"]), (1, &id), "{pushes:?}");
    assert_eq!((&pushes[0]["state"], &pushes[0]["reason"]), (&json!("dead"), &json!("status_400")));
    // The ticket's history says that he was not told.
    let no = ticket["no"].as_str().expect("a number");
    let lines = desk.api().get(&format!("tickets/{no}/events"))["items"].clone();
    let pushed = lines.as_array().and_then(|all| all.iter().find(|line| line["kind"] == "pushed"));
    assert_eq!(pushed.map(|line| &line["data"]["result"]), Some(&json!("dead")), "{lines}");
    let office = Api::sign_in(desk.server.at.http, "office", PASSWORD);
    let path = format!("outbox/{}/discard", id.as_str().expect("an id"));
    let (status, item) = office.post(&path, &json!({"reason": "已电话告知"}));
    assert_eq!((status, &item["state"], &item["by"]), (200, &json!("discarded"), &json!("office")), "{item}");
    desk.server.assert_clean();
}

#[test]
fn sc05_gas() {
    let mut desk = Desk::open();
    let agent_hz = tone::frequency(0);
    let (citizen, citizen_hz, call) = desk.citizen("12000000005");
    desk.agent.done("call.mark", json!({"special": "emergency"}));
    assert_eq!(desk.alarm("special")["data"]["note"], "emergency");
    // “我已到室外”: only now the gas company joins. It is a number that matches as a whole.
    for wrong in ["1100", "0110", "967770", "119"] {
        let refused = desk.agent.command("call.conference", json!({"to": {"number": wrong}}));
        assert_eq!(refused["error"]["code"], "number_refused", "{wrong}: {refused}");
    }
    let (gas, gas_hz) = desk.outside("96777");
    gas.behave(Manner::Answers);
    desk.agent.done("call.conference", json!({"to": {"number": "96777"}}));
    hears(&gas, &[citizen_hz, agent_hz], &[]);
    hears(&citizen, &[gas_hz, agent_hz], &[]);
    // Handed over in words, the agent leaves; the two go on.
    desk.agent.done("call.complete", json!({}));
    hears(&citizen, &[gas_hz], &[agent_hz]);
    hears(&gas, &[citizen_hz], &[agent_hz]);
    // The ticket is there all the same.
    let wish = json!({"state": "accepted", "type": "help", "special": "emergency", "category": "030402",
        "street": "110102009", "lead": "rq", "secrecy": "normal",
        "content": "展览路楼道里有煤气味，市民已到室外，已三方接通96777并交接。"});
    let ticket = desk.save(&call, wish);
    assert_eq!((&ticket["state"], &ticket["urgency"]), (&json!("accepted"), &json!("U")), "{ticket}");
    citizen.hang_up();
    gas.until_down();
    let record = desk.record(&call);
    let events = json!(desk.server.api().events(&record)).to_string();
    assert!(events.contains("96777") && !record["recording"].is_null(), "{record}");
    desk.server.assert_clean();
}
