//! What everybody is told: one word of the engine for all pages, in its place among each one's own events.

use super::*;
use crate::cti::counts::Cut;

const PAGES: usize = 20;

fn names() -> Arc<[AgentId]> {
    (0..PAGES).map(|n| AgentId::from(format!("{}", 8100 + n))).collect()
}

fn word(to: &Arc<[AgentId]>, but: Option<&str>, note: &str) -> FromEngine {
    let event = AgentEvent::RosterNotice { code: "n", note: note.into() };
    FromEngine::Floor { to: Arc::clone(to), but: but.map(Into::into), at: Time::ZERO, wall_ms: NINE, event }
}

/// Pages that have their snapshot.
async fn pages(bench: &Bench, names: &[AgentId]) -> Vec<Page> {
    let mut all = Vec::new();
    for name in names {
        let mut page = bench.page(&format!("agent={name}")).await;
        while page.frame().await["event"] != "snapshot" {}
        all.push(page);
    }
    all
}

/// Notes up to and with `last`, and whether their numbers follow each other.
async fn notes(page: &mut Page, last: &str) -> Vec<String> {
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let frame = page.frame().await;
        let seq = frame["seq"].as_u64().expect("an event");
        assert!(before.is_none_or(|before| seq == before + 1), "{seq} after {before:?}");
        before = Some(seq);
        let note = frame["data"]["note"].as_str().expect("a note").to_owned();
        seen.push(note);
        if seen.last().is_some_and(|note| note == last) {
            return seen;
        }
    }
}

#[tokio::test]
async fn each_page_has_everything_once_in_the_order_in_which_it_was_said() {
    let (bench, _) = Bench::open(HubLimits::default()).await.obliging();
    let names = names();
    let mut pages = pages(&bench, &names).await;
    let mut said: Vec<Vec<String>> = vec![Vec::new(); PAGES];
    for n in 0..600_usize {
        let note = n.to_string();
        let whose = n * 7 % PAGES;
        match n % 3 {
            // To everybody but one, who is told himself before it.
            0 => {
                bench.event(&names[whose], &note).await;
                bench.say(word(&names, Some(&names[whose]), &note)).await;
                said.iter_mut().for_each(|notes| notes.push(note.clone()));
            }
            1 => {
                bench.say(word(&names, None, &note)).await;
                said.iter_mut().for_each(|notes| notes.push(note.clone()));
            }
            _ => {
                bench.event(&names[whose], &note).await;
                said[whose].push(note);
            }
        }
        if n % 50 == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    bench.say(word(&names, None, "end")).await;
    for (page, said) in pages.iter_mut().zip(&mut said) {
        said.push("end".to_owned());
        assert_eq!(notes(page, "end").await, *said);
    }
}

#[tokio::test]
async fn a_burst_to_everybody_cuts_nobody() {
    // With a frame each it would be twelve times what may wait.
    let limits = HubLimits { outgoing: 16, ..HubLimits::default() };
    let (bench, _) = Bench::open(limits).await.obliging();
    let names = names();
    let mut pages = pages(&bench, &names).await;
    for n in 0..200 {
        bench.say(word(&names, None, &n.to_string())).await;
    }
    for page in &mut pages {
        assert_eq!(notes(page, "199").await.len(), 200);
    }
    assert_eq!(bench.desk.counts().cuts(Cut::Slow), 0);
}

#[tokio::test]
async fn who_was_away_has_it_all_when_he_resumes_however_much_it_is() {
    let limits = HubLimits { outgoing: 16, ..HubLimits::default() };
    let (bench, _) = Bench::open(limits).await.obliging();
    let names = names();
    let mut all = pages(&bench, &names[..1]).await;
    bench.say(word(&names, None, "0")).await;
    let frame = all[0].frame().await;
    let seq = frame["seq"].as_u64().expect("an event");
    drop(all);
    for n in 1..=400 {
        bench.say(word(&names, None, &n.to_string())).await;
    }
    let mut page = bench.page(&format!("agent={}&resume={seq}", names[0])).await;
    let hello = page.frame().await;
    assert_eq!((&hello["data"]["resumed"], &hello["data"]["resume"]), (&true.into(), &seq.into()));
    let notes = notes(&mut page, "400").await;
    assert_eq!(notes, (1..=400).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_snapshot_holds_what_was_said_before_it() {
    let mut bench = Bench::open(HubLimits::default()).await;
    let names = names();
    let (mut page, _, _) = bench.page_with_snapshot("agent=8100").await;
    let mut second = bench.page("agent=8100&watch=true").await;
    second.frame().await;
    let re = loop {
        if let ToEngine::Snapshot { re, .. } = bench.hear().await {
            break re;
        }
    };
    bench.say(word(&names, None, "before")).await;
    bench.say(snapshot(&names[0], re, AgentState::Ready)).await;
    bench.say(word(&names, None, "after")).await;
    assert_eq!(notes(&mut page, "after").await, ["before", "after"]);
    let whole = second.frame().await;
    let (event, seq) = (whole["event"].clone(), whole["seq"].as_u64().expect("a number"));
    assert_eq!(event, "snapshot");
    let next = second.frame().await;
    assert_eq!((next["data"]["note"].clone(), next["seq"].clone()), ("after".into(), (seq + 1).into()));
}
