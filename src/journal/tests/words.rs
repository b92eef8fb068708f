//! Records and checkpoints of today and of before, read back.

use crate::base::{CallId, Personal};
use crate::call::fact::Fact;
use crate::call::intents::{LastIntent, Wish};
use crate::journal::open::Fold;
use crate::journal::wire;

fn again(fact: &Fact) -> Fact {
    let mut bytes = Vec::new();
    wire::write(fact, &mut wire::Out::new(&mut bytes, None, 1));
    wire::read(wire::kind(fact), 1, &bytes, &mut |_| None).expect("a whole body").expect("a known kind")
}

#[test]
fn skills_of_a_callback_and_intents_are_read_as_they_were_written() {
    let call = CallId { node: 1, boot: 2, n: 3 };
    let asked = |skills: Vec<(String, u8)>| Fact::CallbackRequested {
        call,
        number: Personal::default(),
        queue: "main".into(),
        priority: 3,
        entered_ms: 7,
        skills,
    };
    for skills in [Vec::new(), vec![("english".to_owned(), 2), ("老年".to_owned(), 1)]] {
        assert_eq!(again(&asked(skills.clone())), asked(skills));
    }
    let intent = Fact::AgentIntent { agent: "8001".into(), intent: "break".into(), reason: "吃饭".into() };
    assert_eq!(again(&intent), intent);
}

#[test]
fn a_callback_of_before_there_were_skills_needs_none() {
    let mut bytes = Vec::new();
    let body: &[u8] = &[0x87, 1, 2, 3, 0x40, 0x64, b'm', b'a', b'i', b'n', 3, 7];
    bytes.extend_from_slice(body);
    let fact = wire::read(13, 1, &bytes, &mut |_| None).expect("a whole body").expect("a known kind");
    let Fact::CallbackRequested { queue, entered_ms, skills, .. } = fact else { panic!("{fact:?}") };
    assert_eq!((queue.as_str(), entered_ms, skills.len()), ("main", 7, 0));
}

#[test]
fn a_checkpoint_keeps_what_agents_wanted_and_an_old_one_is_read_too() {
    let mut fold = Fold { boot: 4, last_seq: 9, ..Fold::default() };
    let said = |agent: &str, intent: &str, reason: &str| Fact::AgentIntent {
        agent: agent.into(),
        intent: intent.into(),
        reason: reason.into(),
    };
    fold.fold(10, 1_000, &said("8001", "ready", ""));
    fold.fold(11, 2_000, &said("8002", "break", "tea"));
    let is = |agent: &str, state: &str| Fact::AgentState {
        agent: agent.into(),
        state: state.into(),
        reason: String::new(),
        device: "browser".into(),
    };
    for (agent, state) in [("8001", "on_call"), ("8002", "wrap_up"), ("8002", "not_ready")] {
        fold.fold(12, 3_000, &is(agent, state));
    }
    let mut bytes = Vec::new();
    fold.write(&mut bytes);
    let read = Fold::read(&bytes).expect("a checkpoint");
    assert_eq!(read, fold);
    assert_eq!(read.intents.busy.iter().collect::<Vec<_>>(), ["8001"]);
    let tea = LastIntent { wish: Wish::Break, reason: "tea".into(), since_ms: 2_000 };
    assert_eq!(read.intents.last.get("8002"), Some(&tea));
    // Boot, last position, and three empty lists.
    let old = Fold::read(&[0x85, 4, 9, 0, 0, 0]).expect("a checkpoint of before");
    assert_eq!((old.boot, old.last_seq, old.intents.last.len()), (4, 9, 0));
}
