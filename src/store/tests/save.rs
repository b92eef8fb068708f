//! People write into tickets, beside the projector, on both databases.

use super::facts::{Book, CODE, NINE, NO, call};
use super::on_both;
use crate::base::Personal;
use crate::call::EndReason;
use crate::call::fact::{Fact, StepInput};
use crate::store::projector::Projector;
use crate::store::{Db, SaveOutcome, Scope, Ticket, TicketChange};
use crate::ticket::life::{Change, Contact, Fields, Why};
use crate::ticket::number::check_digit;

/// A call that an agent answered: its draft has a number.
pub(super) fn answered(book: &mut Book) -> &mut Book {
    book.arrived(call(1), "12000000001").answered(call(1)).taken(call(1), "8001", NO)
}

fn some(text: &str) -> Option<String> {
    Some(text.into())
}

pub(super) fn full(state: &str) -> Change {
    Change {
        fields: Fields {
            kind: some("help"),
            category: some("030101"),
            street: some("110102019"),
            lead: some("rl"),
            title: some("室温十五度"),
            content: some("建功南里室温只有十五度"),
            secrecy: some("secret"),
            ..Fields::default()
        },
        contact: Contact { name: some("王女士"), number: some("12000000001"), address: some("3 号楼") },
        state: some(state),
        reason: None,
    }
}

pub(super) async fn save(db: &Db, name: &str, version: i64, change: &Change) -> SaveOutcome {
    let wish = TicketChange { name, user: "8001", at: NINE + 60_000, version, change };
    db.save_ticket(wish, &super::tables()).await.unwrap()
}

async fn draft(db: &Db) -> Ticket {
    db.ticket(&call(1).to_string(), &Scope::All).await.unwrap().unwrap()
}

async fn kinds(db: &Db, id: &str) -> Vec<String> {
    db.ticket_events(id).await.unwrap().into_iter().map(|event| event.kind).collect()
}

#[test]
fn a_draft_is_filled_in_accepted_and_final() {
    on_both(|db| async move {
        let mut book = Book::default();
        Projector::new(db.clone(), 1).apply(&answered(book.booted(1)).0).await.unwrap();
        let before = draft(&db).await;
        assert_eq!((before.state.as_str(), before.version), ("draft", 2), "created, numbered");

        let mut half = full("accepted");
        half.fields.street = None;
        let SaveOutcome::Refused(told) = save(&db, NO, 2, &half).await else { panic!("it lacks a street") };
        assert_eq!((told[0].field, told[0].why), ("street", Why::Needed));
        assert_eq!(draft(&db).await, before, "a refused change leaves nothing");

        let SaveOutcome::Saved(after) = save(&db, &before.id, 2, &full("accepted")).await else {
            panic!("saved")
        };
        assert_eq!(after.state, "accepted");
        assert_eq!((after.accepted_at, after.closed_at), (Some(NINE + 60_000), None));
        assert_eq!(after.urgency.as_deref(), Some("L"), "the matter's own");
        assert_eq!((after.kind.as_deref(), after.lead.as_deref()), (Some("help"), Some("rl")));
        assert_eq!((after.secrecy.as_str(), after.version), ("secret", 4));
        let history = db.ticket_events(&after.id).await.unwrap();
        assert_eq!(kinds(&db, &after.id).await, ["created", "numbered", "saved", "accepted"]);
        assert_eq!(history[2].actor, "user:8001");
        assert_eq!(history[2].payload["category"], "030101");
        assert!(!history[2].payload.to_string().contains("王女士"), "what names a person is sealed");
        assert_eq!(history[2].personal.as_ref().unwrap()["name"], "王女士");

        assert!(
            matches!(save(&db, NO, 4, &full("closed")).await, SaveOutcome::Refused(told) if told[0].why == Why::Final)
        );
        assert_eq!(save(&db, NO, 2, &full("closed")).await, SaveOutcome::Changed(4));
        assert_eq!(save(&db, "261123000091", 2, &full("closed")).await, SaveOutcome::Unknown);
        let report = db.verify().await.unwrap();
        assert!(report.is_clean(), "{:?}", report.problems);
    });
}

#[test]
fn a_draft_is_answered_directly_or_void() {
    on_both(|db| async move {
        let mut book = Book::default();
        book.booted(1).arrived(call(2), "12000000002").answered(call(2));
        Projector::new(db.clone(), 1).apply(&answered(&mut book).0).await.unwrap();
        let SaveOutcome::Saved(closed) = save(&db, NO, 2, &full("closed")).await else { panic!("saved") };
        assert_eq!(closed.state, "closed");
        assert_eq!((closed.accepted_at, closed.closed_at), (Some(NINE + 60_000), Some(NINE + 60_000)));

        let name = call(2).to_string();
        let SaveOutcome::Refused(told) = save(&db, &name, 1, &full("closed")).await else {
            panic!("no number")
        };
        assert_eq!(told[0].why, Why::NoNumber);
        let void = Change { state: some("void"), reason: some("静音"), ..Change::default() };
        let SaveOutcome::Saved(void) = save(&db, &name, 1, &void).await else { panic!("saved") };
        assert_eq!((void.state.as_str(), void.accepted_at), ("void", None));
        let last = db.ticket_events(&void.id).await.unwrap().pop().unwrap();
        assert_eq!((last.kind.as_str(), &last.personal.unwrap()["reason"]), ("void", &"静音".into()));
        assert!(db.verify().await.unwrap().is_clean());
    });
}

#[test]
fn what_changes_nothing_writes_nothing() {
    on_both(|db| async move {
        let mut book = Book::default();
        Projector::new(db.clone(), 1).apply(&answered(book.booted(1)).0).await.unwrap();
        let words =
            Change { fields: Fields { content: some("暖气"), ..Fields::default() }, ..Change::default() };
        for _ in 0..2 {
            let version = draft(&db).await.version;
            let SaveOutcome::Saved(saved) = save(&db, NO, version, &words).await else { panic!("saved") };
            assert_eq!((saved.version, saved.state.as_str()), (3, "draft"));
        }
        assert_eq!(kinds(&db, &draft(&db).await.id).await, ["created", "numbered", "saved"]);
    });
}

/// Numbers reach drafts while two people write into them: nobody's lines are lost, and of two who save one version only
/// one does.
#[test]
fn the_projector_and_two_writers_lose_nothing_of_each_other() {
    const CALLS: u64 = 20;
    on_both(|db| async move {
        let mut projector = Projector::new(db.clone(), 1);
        let mut book = Book::default();
        book.booted(1);
        for n in 1..=CALLS {
            book.arrived(call(n), "12000000001").answered(call(n));
        }
        projector.apply(&book.0).await.unwrap();
        let done = book.0.len();
        for n in 1..=CALLS {
            let stem = format!("261123{n:05}");
            let no = format!("{stem}{}", check_digit(&stem));
            book.write(Fact::NumberDrawn { call: call(n), no, code: Personal::new(CODE) });
        }
        let project = async {
            for fact in &book.0[done..] {
                projector.apply(std::slice::from_ref(fact)).await.unwrap();
            }
        };
        let write = async |words: &'static str| {
            let mut won = 0;
            for round in 0..3 {
                for n in 1..=CALLS {
                    let text = some(&format!("{words}{round}"));
                    let fields = Fields { content: text, ..Fields::default() };
                    let change = Change { fields, ..Change::default() };
                    let name = call(n).to_string();
                    let version = db.ticket(&name, &Scope::All).await.unwrap().unwrap().version;
                    won +=
                        i64::from(matches!(save(&db, &name, version, &change).await, SaveOutcome::Saved(_)));
                }
            }
            won
        };
        let ((), a, b) = futures_util::future::join3(project, write("甲"), write("乙")).await;
        assert!(a + b > 0);
        let (mut versions, mut saved) = (0, 0);
        for n in 1..=CALLS {
            let ticket = db.ticket(&call(n).to_string(), &Scope::All).await.unwrap().unwrap();
            assert!(ticket.no.is_some(), "the number is not lost");
            versions += ticket.version;
            let history = db.ticket_events(&ticket.id).await.unwrap();
            let last = history.iter().rev().find(|event| event.kind == "saved");
            if let Some(last) = last {
                assert_eq!(last.personal.as_ref().unwrap()["content"], ticket.content.clone().unwrap());
            }
            saved += history.iter().filter(|event| event.kind == "saved").count() as i64;
        }
        assert_eq!((versions, saved), (2 * CALLS as i64 + a + b, a + b));
        let report = db.verify().await.unwrap();
        assert!(report.is_clean(), "{:?}", report.problems);
    });
}

/// A key after the talk is a line of the ticket's history, and no reason to refuse what the agent writes meanwhile.
#[test]
fn the_citizens_judgement_is_on_call_and_ticket_and_in_nobodys_way() {
    on_both(|db| async move {
        let mut projector = Projector::new(db.clone(), 1);
        let mut book = Book::default();
        let value = |name: &str, value| Fact::ValueSet { call: call(1), name: name.into(), value };
        answered(book.booted(1).arrived(call(2), "1"));
        // Before and during the talk a value is no judgement.
        book.write(value("language", Personal::new("zh")));
        book.write(Fact::PartyLeft { call: call(1), party: 1, why: "hung_up".into() });
        book.step(call(1), StepInput::Digit(Personal::new("4")), Vec::new());
        book.write(value("satisfaction", Personal::new("unsatisfied")));
        book.step(call(1), StepInput::Digit(Personal::new("2")), Vec::new());
        book.write(value("unsatisfied_with", Personal::new("waiting")));
        book.ended(call(1), EndReason::SurveyDone);
        projector.apply(&book.0).await.unwrap();

        let call = db.call(&call(1).to_string()).await.unwrap().unwrap().record;
        let told: Vec<_> =
            call.surveys.iter().map(|s| (s.name.as_str(), s.answer.as_str(), s.key.as_str())).collect();
        let want = [("satisfaction", "unsatisfied", "4"), ("unsatisfied_with", "waiting", "2")];
        assert_eq!(told, want);
        let ticket = draft(&db).await;
        let told: Vec<_> =
            ticket.surveys.iter().map(|s| (s.name.as_str(), s.answer.as_str(), s.key.as_str())).collect();
        assert_eq!((told, ticket.version), (want.to_vec(), 4));
        // Version 2 is what the agent had before him: created, numbered.
        assert!(matches!(save(&db, NO, 2, &full("accepted")).await, SaveOutcome::Saved(_)));
        assert_eq!(
            kinds(&db, &ticket.id).await,
            ["created", "numbered", "survey", "survey", "saved", "accepted"]
        );
        // A person's line is in the way as ever.
        assert_eq!(save(&db, NO, 2, &full("closed")).await, SaveOutcome::Changed(6));
        assert_eq!(save(&db, NO, 9, &full("closed")).await, SaveOutcome::Changed(6));
        assert!(db.verify().await.unwrap().is_clean());
    });
}

/// The projector comes late to a ticket that a person has finished: it only adds its line.
#[test]
fn what_a_person_finished_stays_so_when_the_journal_goes_on() {
    on_both(|db| async move {
        let mut projector = Projector::new(db.clone(), 1);
        let mut book = Book::default();
        projector.apply(&answered(book.booted(1)).0).await.unwrap();
        assert!(matches!(save(&db, NO, 2, &full("closed")).await, SaveOutcome::Saved(_)));
        book.ended(call(1), EndReason::CallerHungUp).report(call(1));
        projector.apply(&book.0).await.unwrap();
        let after = draft(&db).await;
        assert_eq!((after.state.as_str(), after.closed_at), ("closed", Some(NINE + 60_000)));
        assert_eq!(after.title.as_deref(), Some("室温十五度"));
        assert!(db.verify().await.unwrap().is_clean());
    });
}
