//! Pushes: with their events or not at all, once, taken by one, recorded, on both databases.

use super::super::db::Durability;
use super::super::outbox;
use super::super::projector::CommitFault;
use super::super::sql::Sql;
use super::acting::{DISPATCHER, MINUTE, RL, accepted, act, done, some, to_rl, whole};
use super::facts::{Book as Facts, CODE, NINE, NO, call};
use super::save::{answered, full, save};
use super::{on_both, tables};
use crate::base::Personal;
use crate::call::EndReason;
use crate::call::fact::Fact;
use crate::outbox::{ALL, Asked, Book, Kind, Next, NotNow, Outcome, SHIPPED, Settings, State, Units, Why};
use crate::store::projector::Projector;
use crate::store::{
    ActOutcome, AskOutcome, Db, Letter, Link, LinkOutcome, OutboxFilter, OutboxRow, Page, Recorded,
    SaveOutcome, Scope, Split,
};
use crate::ticket::cycle::{ClockName, Hand, Step, Who, Wish};
use sqlx::Row as _;
use std::sync::Arc;

/// Demonstration numbers are mobiles here; every unit has a webhook and a mail address.
fn with_book(db: Db) -> Db {
    let (book, problems) = Book::read("pushes.toml", SHIPPED);
    assert_eq!(problems, [""; 0]);
    let settings = Settings {
        city: false,
        zone: tables().zone,
        link: Some("https://12341.example/public/".into()),
        mobiles: vec!["120000".into()],
        units: [(ALL.to_owned(), Units { webhook: true, mail: true })].into(),
    };
    db.with_pushes(Arc::new(book.with(settings)))
}

/// Oldest first.
async fn rows(db: &Db) -> Vec<OutboxRow> {
    let page = Page { limit: 500, after: None };
    let mut rows = db.outbox(&OutboxFilter::default(), &page).await.unwrap().items;
    rows.sort_by(|a, b| (a.created_at, &a.subject, &a.kind).cmp(&(b.created_at, &b.subject, &b.kind)));
    rows
}

async fn subjects(db: &Db) -> Vec<String> {
    rows(db).await.into_iter().map(|row| format!("{} {}", row.kind.label(), row.subject)).collect()
}

/// Everything in the table that is no ciphertext.
async fn in_the_open(db: &Db) -> String {
    let sql = Sql::new(
        "SELECT id || key || kind || ticket_id || subject || COALESCE(place, '') || payload || COALESCE(reason, '') FROM outbox",
    );
    sql.read(&db.read).await.unwrap().iter().map(|row| row.try_get::<String, _>(0).unwrap()).collect()
}

async fn take(db: &Db, now: i64, by: &str) -> Vec<Letter> {
    db.take_letters(now, 60_000, by, 100).await.unwrap()
}

async fn record(db: &Db, letter: &Letter, by: &str, outcome: &Outcome, state: State, now: i64) -> Recorded {
    let why = match outcome {
        Outcome::Sent { .. } => None,
        Outcome::Later { why, .. } | Outcome::Never { why } => Some(*why),
    };
    let next = Next { state, due_at: now + MINUTE, why };
    db.record_letter(letter, by, outcome, next, now, &tables()).await.unwrap()
}

fn sent() -> Outcome {
    Outcome::Sent { receipt: some("gw-7") }
}

#[test]
fn an_accepted_ticket_has_its_text_and_nobody_reads_number_or_code_in_the_table() {
    on_both(|db| async move {
        let db = with_book(db);
        let mut facts = Facts::default();
        Projector::new(db.clone(), 1).apply(&answered(facts.booted(1)).0).await.unwrap();
        let mut half = full("accepted");
        half.fields.street = None;
        assert!(matches!(save(&db, NO, 2, &half).await, SaveOutcome::Refused(_)));
        assert_eq!(rows(&db).await, [], "what did not happen is not told");

        let SaveOutcome::Saved(ticket) = save(&db, NO, 2, &full("accepted")).await else { panic!("saved") };
        let all = rows(&db).await;
        let [row] = &all[..] else { panic!("{all:?}") };
        assert_eq!((row.kind, row.state, row.subject.as_str()), (Kind::Sms, State::Queued, "accepted"));
        assert_eq!((row.ticket.as_deref(), row.no.as_deref()), (Some(ticket.id.as_str()), Some(NO)));
        assert_eq!(row.to.as_deref(), Some("0001"), "the tail of the number, no more");
        assert!(
            row.text.contains(NO) && row.text.contains("••••••") && !row.text.contains(CODE),
            "{}",
            row.text
        );
        let open = in_the_open(&db).await;
        for personal in ["12000000001", CODE, "王女士", "建功南里", "3 号楼", "室温"] {
            assert!(!open.contains(personal), "{personal} in {open}");
        }
        let letters = take(&db, NINE + 60_000, "a").await;
        let [letter] = &letters[..] else { panic!("{letters:?}") };
        assert_eq!(letter.number.as_ref().map(Personal::reveal), Some("12000000001"));
        assert!(
            letter.text().contains(&format!("查询码{CODE}")),
            "the citizen reads his code: {}",
            letter.text()
        );
        assert!(!letter.text().contains("王"), "{}", letter.text());
    });
}

#[test]
fn who_must_not_be_written_to_has_no_row() {
    on_both(|db| async move {
        let db = with_book(db);
        let mut facts = Facts::default();
        facts.booted(1);
        let numbers = [
            "261123000018",
            "261123000026",
            "261123000034",
            "261123000042",
            "261123000059",
            "261123000067",
            "261123000075",
        ];
        for (n, no) in (1..).zip(numbers) {
            let caller = if n == 5 { "01066160001" } else { "12000000001" };
            facts.arrived(call(n), caller).answered(call(n)).taken(call(n), "8001", no);
            // The agent said so in the call, and forgot it on the ticket.
            let mark = match n {
                6 => "violence",
                7 => "crisis",
                _ => continue,
            };
            facts.write(Fact::CallNoted {
                call: call(n),
                agent: "8001".into(),
                kind: mark.into(),
                note: Personal::default(),
            });
        }
        // Nobody hears her, and she presses the key.
        let set = Fact::ValueSet { call: call(6), name: "silent".into(), value: Personal::new("pressed") };
        facts.write(set);
        Projector::new(db.clone(), 1).apply(&facts.0).await.unwrap();
        for (n, no) in (1..).zip(numbers) {
            let mut change = full("accepted");
            change.contact = Default::default();
            match n {
                1 => change.fields.special = some("violence"),
                2 => change.fields.special = some("suicide"),
                3 => change.fields.notify = some("no_message"),
                4 => change.fields.secrecy = some("anonymous"),
                _ => {}
            }
            let version = db.ticket(no, &Scope::All).await.unwrap().unwrap().version;
            let saved = save(&db, no, version, &change).await;
            assert!(matches!(saved, SaveOutcome::Saved(_)), "{n}: {saved:?}");
        }
        assert_eq!(rows(&db).await, [], "violence, suicide, no message, anonymous, a landline, and by word");
    });
}

/// A voice message, a caller who cannot speak and presses the key twice, one who presses nothing, one from a landline.
fn evening() -> Facts {
    let mut facts = Facts::morning();
    let pressed = |facts: &mut Facts, n: u64, caller: &str, value: &str| {
        let set = || Fact::ValueSet { call: call(n), name: "silent".into(), value: Personal::new(value) };
        facts.arrived(call(n), caller).answered(call(n)).write(set()).write(set());
        facts.ended(call(n), EndReason::FlowEnded);
    };
    pressed(&mut facts, 31, "12000000015", "pressed");
    pressed(&mut facts, 32, "12000000016", "nobody");
    pressed(&mut facts, 33, "01066160001", "pressed");
    // Two who asked to be called back: one was reached, the other never.
    for (n, no, why) in [(34, "261123000083", "given_up"), (35, "261123000091", "reached")] {
        let call = call(n);
        facts
            .arrived(call, "12000000034")
            .answered(call)
            .write(Fact::NumberDrawn { call, no: no.into(), code: Personal::new(CODE) })
            .write(Fact::CallbackRequested {
                call,
                number: Personal::new("12000000034"),
                queue: "main".into(),
                priority: 0,
                entered_ms: 0,
                skills: Vec::new(),
            })
            .ended(call, EndReason::CallbackBooked)
            .write(Fact::CallbackOver { call, why: why.into() });
    }
    facts
}

async fn project(db: &Db, facts: &Facts, size: usize, faults: impl Fn(usize) -> Option<CommitFault>) {
    let mut projector = Projector::new(db.clone(), 1);
    for tries in 0..1_000 {
        let after = projector.position().await.unwrap();
        let some: Vec<_> = facts.0.iter().filter(|f| f.seq > after).take(size).cloned().collect();
        if some.is_empty() {
            return;
        }
        projector.fault = faults(tries);
        let _ = projector.apply(&some).await;
    }
    panic!("it never ended");
}

async fn run(db: &Db, text: &'static str) {
    let mut tx = db.begin(Durability::Full).await.unwrap();
    Sql::new(text).run(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
}

#[test]
fn a_silent_callers_key_and_a_voice_message_are_told_once_whichever_commit_fails_and_however_often_facts_come()
 {
    on_both(|db| async move {
        let db = with_book(db);
        let facts = evening();
        project(&db, &facts, 3, |n| match n % 4 {
            1 => Some(CommitFault::Lost),
            3 => Some(CommitFault::Unanswered),
            _ => None,
        })
        .await;
        let want = ["sms accepted", "sms silent", "sms accepted", "sms missed", "sms accepted"];
        assert_eq!(subjects(&db).await, want);
        let before = rows(&db).await;
        let silent = &before[1];
        assert!(
            before[3].text.contains("261123000083") && before[3].to.as_deref() == Some("0034"),
            "{before:?}"
        );
        assert_eq!(
            silent.text,
            "【西城12341】您刚才的来电已收到。方便时可打开 https://12341.example/public/ 用文字联系我们，也可以随时再拨。"
        );
        assert_eq!((silent.no.as_deref(), silent.to.as_deref()), (None, Some("0015")));
        assert_eq!(
            silent.until,
            Some(silent.created_at + 10 * MINUTE),
            "an old one only puts somebody in danger"
        );
        assert!(before[0].text.contains(NO));

        // The same facts once more, by another projector; and the same events once more, whoever brings them.
        Projector::new(db.clone(), 1).apply(&facts.0).await.unwrap();
        let again = async |event: (&'static str, String)| {
            let id = if event.0 == "silent_key" { &silent.ticket } else { &before[0].ticket };
            let mut tx = db.begin(Durability::Full).await.unwrap();
            outbox::put_for(&mut tx, db.pushes(), id.as_deref().unwrap(), NINE, &[event]).await.unwrap();
            tx.commit().await.unwrap();
        };
        again(outbox::silent_key()).await;
        again(outbox::accepted()).await;
        assert_eq!(rows(&db).await, before);
        // Also after it was sent.
        let letters = take(&db, silent.created_at, "a").await;
        let letter = letters.iter().find(|letter| letter.subject == "silent").unwrap();
        assert_eq!(
            record(&db, letter, "a", &sent(), State::Sent, silent.created_at).await,
            Recorded::Written
        );
        again(outbox::silent_key()).await;
        assert_eq!(subjects(&db).await, want);
        let later = take(&db, silent.created_at + 10 * 3_600_000, "b").await;
        assert!(later.iter().all(|letter| letter.subject != "silent"), "{later:?}");
    });
}

#[test]
fn the_loop_tells_citizen_and_unit_at_its_steps() {
    on_both(|db| async move {
        let db = with_book(db);
        let ticket = whole(&db, 1).await;
        let told = rows(&db).await;
        let told: Vec<_> = told
            .iter()
            .map(|row| (row.kind.label(), row.subject.as_str(), row.to.as_deref(), row.created_at - NINE))
            .collect();
        assert_eq!(
            told,
            [
                ("mail", "dispatched", Some("rl"), 5 * MINUTE),
                ("webhook", "dispatched", Some("rl"), 5 * MINUTE),
                ("sms", "replied", Some("0001"), 80 * MINUTE),
                ("sms", "closed", Some("0001"), 90 * MINUTE),
            ]
        );
        let open = in_the_open(&db).await;
        for personal in ["12000000001", "不热", "十五度", "室温低", "已修好", "123456"] {
            assert!(!open.contains(personal), "{personal} in {open}");
        }
        let letters = take(&db, NINE + 100 * MINUTE, "a").await;
        let webhook = letters.iter().find(|letter| letter.kind == Kind::Webhook).unwrap();
        assert_eq!(webhook.payload["ticket"], ticket.no.as_deref().unwrap());
        assert_eq!((webhook.payload["urgency"].as_str(), webhook.erased), (Some("L"), false));

        // Somebody was faster, or it is not allowed: nothing is told.
        let other = accepted(&db, 2).await;
        let before = subjects(&db).await;
        let refused = act(&db, &other, RL, NINE, Step::Sign, &Wish::default()).await;
        assert!(matches!(refused, ActOutcome::Refused(_)));
        assert_eq!(subjects(&db).await, before);
        // The complained unit is never told of it: it is no candidate, and no place either.
        run(&db, "UPDATE tickets SET complained_unit = 'rl' WHERE id = 't-act-2'").await;
        let _ = act(&db, &other, DISPATCHER, NINE, Step::Dispatch, &to_rl()).await;
        assert_eq!(subjects(&db).await, before);
    });
}

#[test]
fn of_two_tickets_of_one_call_one_text_names_both_numbers() {
    on_both(|db| async move {
        let db = with_book(db);
        let mut facts = Facts::default();
        facts.booted(1);
        let firsts = ["261123000018", "261123000026", "261123000034"];
        let seconds = ["261123000042", "261123000059", "261123000067"];
        for (n, no) in (1..).zip(firsts) {
            facts.arrived(call(n), "12000000019").answered(call(n)).taken(call(n), "8001", no);
        }
        Projector::new(db.clone(), 1).apply(&facts.0).await.unwrap();
        let accept = async |no: &str, number: &str| {
            let mut change = full("accepted");
            change.contact.number = some(number);
            let version = db.ticket(no, &Scope::All).await.unwrap().unwrap().version;
            let saved = save(&db, no, version, &change).await;
            assert!(matches!(saved, SaveOutcome::Saved(_)), "{saved:?}");
        };
        let split = async |from: &str, no: &str| {
            let split = Split { name: from, user: "8001", at: NINE, no, code: "777888" };
            assert!(matches!(db.split_ticket(split).await.unwrap(), LinkOutcome::Done(_)));
        };
        let (now, joined) = (NINE + 60_000, NINE + 60_000 + 90_000);

        // The agent writes the second while the first one's text waits.
        split(firsts[0], seconds[0]).await;
        accept(firsts[0], "12000000019").await;
        assert_eq!(take(&db, joined - 1, "a").await, [], "it waits for the other");
        accept(seconds[0], "12000000019").await;
        let letters = take(&db, now, "a").await;
        let [letter] = &letters[..] else { panic!("{letters:?}") };
        let text = letter.text();
        assert!(text.contains(&format!("编号{}、{}", firsts[0], seconds[0])), "{text}");
        assert!(text.contains(&format!("查询码{CODE}、777888")) && !text.contains("办结"), "{text}");
        assert_eq!(record(&db, letter, "a", &sent(), State::Sent, now).await, Recorded::Written);
        for no in [firsts[0], seconds[0]] {
            let id = db.ticket(no, &Scope::All).await.unwrap().unwrap().id;
            let lines = db.ticket_events(&id).await.unwrap();
            assert_eq!(lines.iter().filter(|line| line.kind == "pushed").count(), 1, "{no}");
        }
        let rows = rows(&db).await;
        let first = rows.iter().find(|row| row.no.as_deref() == Some(firsts[0])).unwrap();
        assert_eq!((first.state, first.reason.as_deref()), (State::Discarded, Some("joined")));
        assert!(rows.iter().all(|row| !row.text.contains(CODE) && !row.text.contains("777888")), "{rows:?}");

        // The second comes when the first has gone: each has its own. So it is with two numbers.
        split(firsts[1], seconds[1]).await;
        accept(firsts[1], "12000000019").await;
        assert_eq!(take(&db, joined, "a").await.len(), 1, "it does not wait for ever");
        accept(seconds[1], "12000000019").await;
        assert_eq!(take(&db, joined, "a").await.len(), 1);
        split(firsts[2], seconds[2]).await;
        accept(firsts[2], "12000000019").await;
        accept(seconds[2], "12000000020").await;
        let letters = take(&db, joined, "a").await;
        assert_eq!(letters.len(), 2, "{letters:?}");
        assert!(letters.iter().all(|letter| !letter.text().contains('、')), "{letters:?}");
        let report = db.verify().await.unwrap();
        assert!(report.is_clean(), "{:?}", report.problems);
    });
}

#[test]
fn what_a_linked_call_wants_is_told_to_the_unit_too() {
    on_both(|db| async move {
        let db = with_book(db);
        let mut facts = Facts::default();
        Projector::new(db.clone(), 1).apply(&answered(facts.booted(1)).0).await.unwrap();
        let old = accepted(&db, 21).await;
        let old = done(act(&db, &old, DISPATCHER, NINE, Step::Dispatch, &to_rl()).await);
        let draft = db.ticket(NO, &Scope::All).await.unwrap().unwrap();
        let hands = [Hand::Agent];
        let link = Link {
            name: NO,
            version: draft.version,
            into: old.no.as_deref().unwrap(),
            who: Who { user: "8001", hands: &hands, unit: None },
            at: NINE + MINUTE,
            step: Some(Step::Urge),
            wish: &Wish { text: some("又来电催了"), ..Wish::default() },
        };
        let outcome = db.link_ticket(link, &tables()).await.unwrap();
        assert!(matches!(outcome, LinkOutcome::Done(_)), "{outcome:?}");
        let pressed = subjects(&db).await.into_iter().filter(|row| row.ends_with("pressed")).count();
        assert_eq!(pressed, 2, "webhook and mail: {:?}", subjects(&db).await);
        assert!(!in_the_open(&db).await.contains("又来电"));
    });
}

#[test]
fn a_push_is_one_servers_until_its_lease_is_over() {
    on_both(|db| async move {
        let db = with_book(db);
        for n in 1..=12 {
            let ticket = accepted(&db, n).await;
            done(act(&db, &ticket, DISPATCHER, NINE, Step::Dispatch, &to_rl()).await);
        }
        let all = rows(&db).await.len();
        assert_eq!(all, 24, "a webhook and a mail each");
        let names = ["a", "b", "c", "d"];
        let taken =
            futures_util::future::join_all(names.iter().map(|by| db.take_letters(NINE + 1, 60_000, by, 10)))
                .await;
        let taken: Vec<Vec<Letter>> = taken.into_iter().map(Result::unwrap).collect();
        let mut ids: Vec<&str> = taken.iter().flatten().map(|letter| letter.id.as_str()).collect();
        ids.sort_unstable();
        let several = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), several, "nobody has what another has");
        let mut rest = 0;
        while rest + several < all {
            let more = take(&db, NINE + 1, "e").await.len();
            assert!(more > 0, "{several} and {rest} of {all}");
            rest += more;
        }
        assert_eq!(take(&db, NINE + 60_000, "f").await, [], "all are being sent");

        let (first, by) =
            taken.iter().zip(names).find_map(|(some, by)| Some((some.first()?.clone(), by))).unwrap();
        let again = take(&db, NINE + 60_001, "g").await;
        assert_eq!(again.len(), all, "whoever had them is gone");
        let same = again.iter().find(|letter| letter.id == first.id).unwrap();
        assert_eq!((same.tries, &same.key, same.text()), (first.tries + 1, &first.key, first.text()));
        // He comes back: that it failed is no news any more, that it was delivered is.
        let failed = Outcome::Later { why: Why::Timeout, wait_ms: None };
        let now = NINE + 60_002;
        assert_eq!(record(&db, &first, by, &failed, State::Queued, now).await, Recorded::NotOurs);
        assert_eq!(record(&db, &first, by, &sent(), State::Sent, now).await, Recorded::Written);
        assert_eq!(record(&db, same, "g", &sent(), State::Sent, now).await, Recorded::NotOurs);
        let row = rows(&db).await.into_iter().find(|row| row.id == first.id).unwrap();
        assert_eq!((row.state, row.receipt.as_deref(), row.done_at), (State::Sent, Some("gw-7"), Some(now)));
    });
}

#[test]
fn what_was_sent_stands_in_the_tickets_history_and_disturbs_nobody() {
    on_both(|db| async move {
        let db = with_book(db);
        let ticket = whole(&db, 1).await;
        let (mut ok, mut dead) = (0, 0);
        for letter in take(&db, NINE + 100 * MINUTE, "a").await {
            let now = NINE + 101 * MINUTE;
            if letter.kind == Kind::Mail {
                let outcome = Outcome::Never { why: Why::Status(550) };
                assert_eq!(record(&db, &letter, "a", &outcome, State::Dead, now).await, Recorded::Written);
                dead += 1;
            } else {
                assert_eq!(record(&db, &letter, "a", &sent(), State::Sent, now).await, Recorded::Written);
                ok += 1;
            }
        }
        assert_eq!((ok, dead), (3, 1));
        let history = db.ticket_events(&ticket.id).await.unwrap();
        let pushed: Vec<_> = history.iter().filter(|line| line.kind == "pushed").collect();
        assert_eq!(pushed.len(), 4);
        let results: Vec<_> = pushed.iter().map(|line| line.payload["result"].as_str().unwrap()).collect();
        assert_eq!(results.iter().filter(|result| **result == "dead").count(), 1, "{results:?}");
        assert!(pushed.iter().all(|line| line.personal.is_none() && line.actor == "system"));
        let counts = db.outbox_counts(NINE + 102 * MINUTE).await.unwrap();
        assert_eq!((counts.queued, counts.held, counts.dead, counts.oldest), (0, 0, 1, None));
        let report = db.verify().await.unwrap();
        assert!(report.is_clean(), "{:?}", report.problems);

        // Somebody had the ticket open when the text went out: his step is as good as before.
        let open = accepted(&db, 2).await;
        let open = done(act(&db, &open, DISPATCHER, NINE, Step::Dispatch, &to_rl()).await);
        for letter in take(&db, NINE + MINUTE, "a").await {
            record(&db, &letter, "a", &sent(), State::Sent, NINE + MINUTE).await;
        }
        assert!(db.ticket(&open.id, &Scope::All).await.unwrap().unwrap().version > open.version);
        done(act(&db, &open, RL, NINE + 2 * MINUTE, Step::Sign, &Wish::default()).await);
        assert!(db.verify().await.unwrap().is_clean());
    });
}

#[test]
fn a_text_that_arrived_is_the_first_contact_with_somebody_who_is_only_written_to() {
    on_both(|db| async move {
        let db = with_book(db);
        let now = NINE + 10 * MINUTE;
        for (n, notify) in [(1, true), (2, false)] {
            let ticket = accepted(&db, n).await;
            if notify {
                run(&db, "UPDATE tickets SET notify = 'text_only' WHERE id = 't-act-1'").await;
            }
            let ticket = done(act(&db, &ticket, DISPATCHER, NINE, Step::Dispatch, &to_rl()).await);
            let ticket = done(act(&db, &ticket, RL, NINE + MINUTE, Step::Sign, &Wish::default()).await);
            for letter in take(&db, now, "a").await {
                record(&db, &letter, "a", &sent(), State::Sent, now).await;
            }
            let after = db.ticket(&ticket.id, &Scope::All).await.unwrap().unwrap();
            let cycle = after.cycle.unwrap();
            let met = cycle.clock(ClockName::Contact).unwrap().met_at;
            assert_eq!(met, notify.then_some(now), "text only: {notify}");
            assert_eq!(cycle.contacts.len(), usize::from(notify));
        }
        assert_eq!(subjects(&db).await.iter().filter(|row| *row == "sms signed").count(), 1);
        let report = db.verify().await.unwrap();
        assert!(report.is_clean(), "{:?}", report.problems);
    });
}

#[test]
fn people_try_again_and_give_up_with_a_reason() {
    on_both(|db| async move {
        let db = with_book(db);
        whole(&db, 1).await;
        let now = NINE + 100 * MINUTE;
        let letters = take(&db, now, "a").await;
        let sms = letters.iter().find(|letter| letter.subject == "closed").unwrap();
        let busy = db.ask_outbox(&sms.id, Asked::Retry, "office", "x", now).await.unwrap();
        assert_eq!(busy, AskOutcome::Refused(NotNow::Sending));
        for letter in &letters {
            let outcome = Outcome::Never { why: Why::Status(400) };
            record(&db, letter, "a", &outcome, State::Dead, now).await;
        }
        let AskOutcome::Done(row) =
            db.ask_outbox(&sms.id, Asked::Retry, "office", "网关已修复", now).await.unwrap()
        else {
            panic!("it is dead")
        };
        assert_eq!((row.state, row.tries, row.by_user.as_deref()), (State::Queued, 0, Some("office")));
        assert_eq!(
            (row.by_reason.as_deref(), row.reason.as_deref()),
            (Some("网关已修复"), Some("status_400"))
        );
        assert_eq!(take(&db, now, "b").await.len(), 1);

        let other = letters.iter().find(|letter| letter.subject == "replied").unwrap();
        let AskOutcome::Done(row) =
            db.ask_outbox(&other.id, Asked::Discard, "admin", "已电话告知", now).await.unwrap()
        else {
            panic!("it is dead")
        };
        assert_eq!((row.state, row.done_at), (State::Discarded, Some(now)));
        let again = db.ask_outbox(&other.id, Asked::Retry, "admin", "x", now).await.unwrap();
        assert_eq!(again, AskOutcome::Refused(NotNow::State(State::Discarded)));
        let mail = letters.iter().find(|letter| letter.kind == Kind::Mail).unwrap();
        let late =
            db.ask_outbox(&mail.id, Asked::Retry, "admin", "x", mail.until.unwrap() + 1).await.unwrap();
        assert_eq!(late, AskOutcome::Refused(NotNow::TooLate));
        assert_eq!(
            db.ask_outbox("o-none", Asked::Retry, "admin", "x", now).await.unwrap(),
            AskOutcome::Unknown
        );

        let filter = OutboxFilter { state: vec![State::Dead], kind: vec![Kind::Mail, Kind::Webhook] };
        let mut page = Page { limit: 1, after: None };
        let mut seen = Vec::new();
        loop {
            let some = db.outbox(&filter, &page).await.unwrap();
            seen.extend(some.items.into_iter().map(|row| row.kind.label()));
            let Some(next) = some.next else { break };
            page.after = Some(next);
        }
        seen.sort_unstable();
        assert_eq!(seen, ["mail", "webhook"]);
    });
}

#[test]
fn after_its_time_nobody_knows_whom_a_text_went_to() {
    on_both(|db| async move {
        let db = with_book(db);
        whole(&db, 1).await;
        assert_eq!(db.forget_recipients(NINE).await.unwrap(), 0);
        assert_eq!(db.forget_recipients(NINE + 1_000 * MINUTE).await.unwrap(), 2, "the two to a person");
        assert_eq!(db.forget_recipients(NINE + 1_000 * MINUTE).await.unwrap(), 0);
        let all = rows(&db).await;
        assert!(all.iter().filter(|row| row.kind == Kind::Sms).all(|row| row.to.is_none()));
        assert_eq!(all.iter().filter(|row| row.to.as_deref() == Some("rl")).count(), 2);
        for letter in take(&db, NINE + 100 * MINUTE, "a").await {
            assert_eq!(letter.erased, letter.kind == Kind::Sms, "{letter:?}");
        }
    });
}
