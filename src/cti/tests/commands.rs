//! Every command and every way it can end; ids twice; who may act.

use super::*;
use crate::base::CallId;
use crate::cti::media::{MediaCommand, MediaEvent, MediaRefused};
use serde_json::json;

const REFUSALS: [Refused; 17] = [
    Refused::NotLoggedIn,
    Refused::Watching,
    Refused::NotOffered,
    Refused::NoSuchCall,
    Refused::WrongState,
    Refused::NotOnRoster,
    Refused::NotAllowed,
    Refused::NumberRefused,
    Refused::TextOnly,
    Refused::NotNow,
    Refused::NoSuchTarget,
    Refused::TargetBusy,
    Refused::NoMedia,
    Refused::TicketUnfinished,
    Refused::Limit,
    Refused::Rescinded,
    Refused::NotSafe,
];

/// A frame for each command that goes to the engine.
fn frames() -> Vec<Value> {
    let mut frames = Vec::new();
    for cmd in crate::cti::protocol::names().filter(|cmd| !cmd.starts_with("media.")) {
        let mut frame = json!({"cmd": cmd});
        match cmd {
            "agent.not_ready" | "agent.break_request" => frame["reason"] = json!("lunch"),
            "call.dtmf" => frame["digits"] = json!("1"),
            "call.dial" => frame["number"] = json!("12341"),
            "call.mark" => frame["special"] = json!("minor"),
            "call.consult" => frame["to"] = json!({"agent": "8004"}),
            "supervisor.force_state" => {
                frame["agent"] = json!("8004");
                frame["state"] = json!("offline");
            }
            "queue.watch" => frame["queues"] = json!([]),
            _ if cmd.starts_with("supervisor.") => frame["agent"] = json!("8004"),
            _ => {}
        }
        frames.push(frame);
    }
    frames
}

#[tokio::test]
async fn hello_snapshot_event_command() {
    let mut bench = Bench::open(HubLimits::default()).await;
    let (mut page, hello, snapshot) = bench.page_with_snapshot("agent=8003").await;
    assert_eq!(hello["event"], "hello");
    assert_eq!(hello["data"]["protocol"], 1);
    assert_eq!(hello["data"]["agent"], "8003");
    assert_eq!(hello["data"]["heartbeat_ms"], 5000);
    assert_eq!(hello["data"]["acting"], true);
    assert!(hello.get("seq").is_none());
    let first = crate::cti::first_seq(7);
    assert_eq!(snapshot["seq"], first);
    bench.event("8003", "one").await;
    bench.event("8004", "not yours").await;
    bench.event("8003", "two").await;
    for (n, note) in [(1, "one"), (2, "two")] {
        let frame = page.frame().await;
        assert_eq!((&frame["seq"], &frame["data"]["note"]), (&json!(first + n), &json!(note)));
        assert_eq!(frame["at"], "2026-11-27T09:30:00.120+08:00");
    }
    page.send(json!({"id": "a1", "cmd": "agent.ready"})).await;
    let (re, command) = bench.hear_command().await;
    assert_eq!(command, AgentCommand::Ready);
    bench.answer("8003", re, Ok(None)).await;
    assert_eq!(page.frame().await, json!({"re": "a1", "ok": true}));
}

#[tokio::test]
async fn every_command_is_answered_in_every_way_it_can_end() {
    let mut bench = Bench::open(HubLimits::default()).await;
    let (mut page, ..) = bench.page_with_snapshot("agent=lead&lead=true").await;
    let call = CallId { node: 1, boot: 2, n: 3 };
    let mut rows = 0;
    for mut frame in frames() {
        let outcomes = [Ok(None), Ok(Some(call))].into_iter().chain(REFUSALS.map(Err));
        for outcome in outcomes {
            rows += 1;
            let id = format!("r{rows}");
            frame["id"] = json!(id);
            page.send(&frame).await;
            let (re, _) = bench.hear_command().await;
            bench.answer("lead", re, outcome).await;
            let answer = page.answer(&id).await;
            match outcome {
                Ok(None) => assert_eq!(answer, json!({"re": id, "ok": true})),
                Ok(Some(call)) => assert_eq!(answer, json!({"re": id, "ok": true, "call": call.to_string()})),
                Err(why) => {
                    assert_eq!(
                        (&answer["ok"], &answer["error"]["code"]),
                        (&json!(false), &json!(why.code()))
                    );
                    assert_eq!(answer["error"]["message"], why.to_string());
                }
            }
            // Within the rate: a row takes less than its share.
            tokio::time::sleep(Duration::from_millis(if rows > 150 { 10 } else { 0 })).await;
        }
    }
    assert_eq!(rows, frames().len() * (2 + REFUSALS.len()));
}

#[tokio::test]
async fn media_goes_to_the_audio_and_comes_back_by_its_epoch() {
    let mut bench = Bench::open(HubLimits::default()).await;
    let (mut page, hello, _) = bench.page_with_snapshot("agent=8003").await;
    let session = hello["data"]["session"].as_u64().unwrap();
    let epoch = SessionEpoch(session);
    assert_eq!(
        bench.media_heard.recv().await,
        Some(ToMedia::Acting { agent: "8003".into(), epoch: Some(epoch) })
    );
    page.send(json!({"id": "m", "cmd": "media.offer", "sdp": "v=0\r\n"})).await;
    let Some(ToMedia::Command { re, command, epoch: whose, .. }) = bench.media_heard.recv().await else {
        panic!()
    };
    assert_eq!((command, whose), (MediaCommand::Offer { sdp: "v=0\r\n".into() }, epoch));
    bench.media.send(FromMedia::Answer { agent: "8003".into(), re, result: Ok(()) }).await.unwrap();
    assert_eq!(page.answer("m").await["ok"], true);
    let event = MediaEvent::Answer { sdp: "v=0\r\nx".into() };
    bench.media.send(FromMedia::Event { agent: "8003".into(), epoch, wall_ms: NINE, event }).await.unwrap();
    let frame = page.frame().await;
    assert_eq!(
        (&frame["event"], &frame["data"]),
        (&json!("media.answer"), &json!({"session": session, "sdp": "v=0\r\nx"}))
    );
    for (n, why) in [MediaRefused::BadOffer, MediaRefused::NoOffer, MediaRefused::Limit, MediaRefused::NoPort]
        .into_iter()
        .enumerate()
    {
        let id = format!("c{n}");
        page.send(json!({"id": id, "cmd": "media.candidate", "candidate": ""})).await;
        let Some(ToMedia::Command { re, .. }) = bench.media_heard.recv().await else { panic!() };
        bench.media.send(FromMedia::Answer { agent: "8003".into(), re, result: Err(why) }).await.unwrap();
        assert_eq!(page.answer(&id).await["error"]["code"], why.code());
    }
    drop(bench.media);
    bench.media_heard.close();
    assert_eq!(page.ask(json!({"id": "z", "cmd": "media.restart"})).await["error"]["code"], "no_media");
}

#[tokio::test]
async fn an_engine_that_is_full_or_silent_is_told_of() {
    let limits = HubLimits { patience: Duration::from_secs(1), ..HubLimits::default() };
    let mut bench = Bench::with_rooms(limits, 2).await;
    let (mut page, ..) = bench.page_with_snapshot("agent=8003").await;
    for id in ["a", "b", "c"] {
        page.send(json!({"id": id, "cmd": "agent.ready"})).await;
    }
    assert_eq!(page.answer("c").await["error"]["code"], "busy");
    assert_eq!(page.answer("a").await["error"]["code"], "no_answer");
    assert_eq!(page.answer("b").await["error"]["code"], "no_answer");
    for _ in 0..2 {
        bench.hear_command().await;
    }
    page.send(json!({"id": "c", "cmd": "agent.ready"})).await;
    let (re, _) = bench.hear_command().await;
    bench.answer("8003", re, Ok(None)).await;
    assert_eq!(page.answer("c").await["ok"], true, "what was not carried out may come again");
}

#[tokio::test]
async fn an_id_is_carried_out_once_also_across_a_lost_line() {
    let mut bench = Bench::open(HubLimits::default()).await;
    let (mut page, ..) = bench.page_with_snapshot("agent=8003").await;
    let frame = json!({"id": "x", "cmd": "agent.ready"});
    page.send(&frame).await;
    page.send(&frame).await;
    let (re, _) = bench.hear_command().await;
    drop(page);
    while bench.hear().await != (ToEngine::Present { agent: "8003".into(), present: false }) {}
    let (mut page, ..) = bench.page_with_snapshot("agent=8003").await;
    page.send(&frame).await;
    assert_eq!(page.ask(json!({"id": "x", "cmd": "agent.logout"})).await["error"]["code"], "id_reused");
    bench.answer("8003", re, Err(Refused::NotOnRoster)).await;
    assert_eq!(page.answer("x").await["error"]["code"], "not_on_roster");
    assert_eq!(page.ask(frame.clone()).await["error"]["code"], "not_on_roster", "the first one's answer");
    page.send(json!({"id": "y", "cmd": "agent.ready"})).await;
    let (_, command) = bench.hear_command().await;
    assert_eq!(command, AgentCommand::Ready);
    assert!(bench.heard.try_recv().is_err(), "the engine heard of x once");
}

#[tokio::test]
async fn a_reload_takes_over_and_another_sign_in_watches_until_it_asks() {
    let mut bench = Bench::open(HubLimits::default()).await;
    let (mut first, ..) = bench.page_with_snapshot("agent=8003&sign_in=1").await;
    let (mut second, hello, _) = bench.page_with_snapshot("agent=8003&sign_in=1").await;
    assert_eq!(hello["data"]["acting"], true);
    let told = first.frame().await;
    assert_eq!(
        (&told["event"], &told["data"]["session"]),
        (&json!("session.taken_over"), &hello["data"]["session"])
    );
    let refused = first.ask(json!({"id": "a", "cmd": "agent.ready"})).await;
    assert_eq!(refused["error"]["code"], "watching");

    let (mut third, hello, _) = bench.page_with_snapshot("agent=8003&sign_in=2").await;
    assert_eq!(hello["data"]["acting"], false);
    for (id, cmd) in [("a", "agent.ready"), ("b", "media.restart"), ("c", "agent.login")] {
        assert_eq!(third.ask(json!({"id": id, "cmd": cmd})).await["error"]["code"], "watching", "{cmd}");
    }
    assert!(bench.heard.try_recv().is_err(), "nothing of it reached the engine");
    third.send(json!({"id": "d", "cmd": "agent.login", "take_over": true})).await;
    let (re, command) = bench.hear_command().await;
    assert_eq!(command, AgentCommand::Login { device: Device::Browser });
    bench.answer("8003", re, Ok(None)).await;
    let told = third.frame().await;
    assert_eq!(
        (&told["event"], &told["data"]["session"]),
        (&json!("session.taken_over"), &hello["data"]["session"])
    );
    assert_eq!(third.answer("d").await["ok"], true);
    assert_eq!(second.frame().await["event"], "session.taken_over");
    assert_eq!(second.ask(json!({"id": "e", "cmd": "agent.ready"})).await["error"]["code"], "watching");
    bench.event("8003", "all see it").await;
    for page in [&mut first, &mut second, &mut third] {
        loop {
            if page.frame().await["data"]["note"] == "all see it" {
                break;
            }
        }
    }
    drop(third);
    assert_eq!(bench.hear().await, ToEngine::Present { agent: "8003".into(), present: false });
}

#[tokio::test]
async fn only_a_lead_supervises() {
    let mut bench = Bench::open(HubLimits::default()).await;
    let (mut page, ..) = bench.page_with_snapshot("agent=8003").await;
    let mut refused = 0;
    for (n, mut frame) in frames().into_iter().enumerate() {
        frame["id"] = json!(n.to_string());
        let supervision = frame["cmd"].as_str().unwrap().starts_with("supervisor.");
        page.send(&frame).await;
        if supervision {
            assert_eq!(page.answer(&n.to_string()).await["error"]["code"], "not_allowed", "{frame}");
            refused += 1;
        } else {
            let (re, _) = bench.hear_command().await;
            bench.answer("8003", re, Ok(None)).await;
            assert_eq!(page.answer(&n.to_string()).await["ok"], true, "{frame}");
        }
    }
    assert_eq!(refused, 5);
}
