//! Erasing a person: none of his words are left, everybody else's are, and the chains hold.

use super::acting::{act, done, whole};
use super::facts::{Book, NINE, call};
use super::{on_both, tables};
use crate::store::projector::Projector;
use crate::store::{ActOutcome, Attachment, Db, NewTicket, Scope, TicketSearch, WebMessage};
use crate::ticket::cycle::{Hand, Step, Wish};
use crate::ticket::search;

const HIS: &str = "13911112222";
const SEEDS: [&str; 5] = [HIS, "欧阳雪映", "枫桦里七号楼", "窗台漏雨三昼夜", "桦里"];

fn new(id: &str, no: &str, caller: &str, content: &str) -> NewTicket {
    NewTicket {
        id: id.into(),
        no: no.into(),
        code: "123456".into(),
        state: "accepted".into(),
        channel: "web".into(),
        kind: "help".into(),
        category: "030101".into(),
        urgency: "L".into(),
        title: "漏雨".into(),
        content: content.into(),
        caller: Some(caller.into()),
        secrecy: "normal".into(),
        created_at: NINE,
        actor: "citizen".into(),
        ..NewTicket::default()
    }
}

/// Everything the database holds, as bytes.
async fn bytes(db: &Db) -> Vec<u8> {
    match db.path() {
        Some(path) => {
            let mut all = std::fs::read(path).unwrap();
            for end in ["-wal", "-shm"] {
                let mut name = path.as_os_str().to_owned();
                name.push(end);
                all.extend(std::fs::read(name).unwrap_or_default());
            }
            all
        }
        // What the server's own files hold beside it (its log) is its keeper's.
        None => {
            let dump = std::process::Command::new("pg_dump").arg("--dbname").arg(db.url()).output().unwrap();
            assert!(dump.status.success());
            dump.stdout
        }
    }
}

fn holds(all: &[u8], text: &str) -> bool {
    all.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn nothing_of_him_is_left_and_the_chains_hold() {
    on_both(|db| async move {
        // His message with a picture, answered and closed; a call of his that he gave up; another's ticket.
        let photos = [Attachment { id: "c".repeat(32), bytes: 1, width: 1, height: 1 }];
        let ticket = new("t-web-1", "261123000018", HIS, "枫桦里七号楼窗台漏雨三昼夜");
        let message = WebMessage {
            token: "form",
            ticket: &ticket,
            name: Some("欧阳雪映"),
            address: Some("枫桦里七号楼"),
            hide: Some("欧阳雪映"),
            photos: &photos,
        };
        db.add_web_message(&message).await.unwrap();
        let mut book = Book::default();
        book.booted(1).arrived(call(1), HIS).ended(call(1), crate::call::EndReason::CallerHungUp);
        Projector::new(db.clone(), 1).apply(&book.0).await.unwrap();
        let other = whole(&db, 2).await;

        let person = db.person(HIS).await.unwrap();
        assert_eq!(person.calls, [call(1).to_string()]);
        assert_eq!(person.tickets, ["t-01-00001-0000000001", "t-web-1"]);
        assert_eq!(person.pictures, ["c".repeat(32)]);
        assert_eq!(person.busy, ["ticket 261123000018 is accepted"], "what is open is told");
        let seen = db.ticket("t-web-1", &Scope::All).await.unwrap().unwrap();
        let dispatch = Wish {
            lead: Some("rl".into()),
            brief: Some("枫桦里七号楼窗台漏雨三昼夜".into()),
            ..Wish::default()
        };
        let dispatcher = ("dispatcher", Hand::Dispatcher, None);
        let seen = done(act(&db, &seen, dispatcher, NINE + 60_000, Step::Dispatch, &dispatch).await);
        let withdraw = Wish {
            reason: Some("欧阳雪映：窗台漏雨三昼夜，不等了".into()), ..Wish::default()
        };
        let agent = ("8001", Hand::Agent, None);
        let seen = done(act(&db, &seen, agent, NINE + 120_000, Step::Withdraw, &withdraw).await);
        assert_eq!(seen.state, "withdrawn");
        let before = bytes(&db).await;
        for seed in [HIS, "枫桦里七号楼"] {
            assert!(holds(&before, seed), "{seed}: the search finds what is there");
        }

        let person = db.person(HIS).await.unwrap();
        assert_eq!(person.busy, Vec::<String>::new());
        let erased = db.erase_person(HIS, &person, NINE + 180_000).await.unwrap();
        assert_eq!((erased.calls, erased.tickets, erased.pictures), (1, 2, 1));
        db.scrub().await.unwrap();
        let after = bytes(&db).await;
        for seed in SEEDS {
            assert!(!holds(&after, seed), "{seed} is still there");
        }
        let report = db.verify().await.unwrap();
        assert_eq!(report.problems, Vec::<String>::new());
        assert!(report.tickets >= 3, "nothing was deleted");
        assert!(db.person(HIS).await.unwrap().tickets.is_empty());

        let gone = db.ticket("t-web-1", &Scope::All).await.unwrap().unwrap();
        assert_eq!((gone.no.as_deref(), gone.state.as_str()), (Some("261123000018"), "withdrawn"));
        assert_eq!((&gone.title, &gone.content, &gone.brief, &gone.caller), (&None, &None, &None, &None));
        let lines = db.ticket_events("t-web-1").await.unwrap();
        assert_eq!(lines.last().unwrap().kind, "erased");
        assert!(lines.iter().all(|line| line.personal.is_none()));
        let wish = |q: &str| TicketSearch {
            sought: search::read(q).unwrap(),
            all: true,
            callers: true,
            scope: Scope::All,
            limit: 10,
        };
        for q in [HIS, "漏雨三昼夜"] {
            assert!(db.search_tickets(&wish(q)).await.unwrap().is_empty(), "{q}");
        }
        // Nobody can put anything of his back; what is another's is whole.
        let more = act(&db, &gone, agent, NINE + 200_000, Step::Supplement, &withdraw).await;
        assert!(matches!(more, ActOutcome::Refused(_)), "{more:?}");
        let kept = db.ticket(&other.id, &Scope::All).await.unwrap().unwrap();
        assert_eq!(kept, other);
        assert!(db.ticket_events(&other.id).await.unwrap()[0].personal.is_some());
        assert!(!db.tick_ticket("t-web-1", NINE + 90 * 86_400_000, &tables()).await.unwrap());
        assert_eq!(db.verify().await.unwrap().problems, Vec::<String>::new());
    });
}
