//! Knowledge on both databases: versions stay, quotes freeze, notices are carried through.

use super::facts::{Book, NINE, NO, call};
use super::on_both;
use crate::knowledge::{Refusal, Stage, Step, Text, shipped};
use crate::store::projector::Projector;
use crate::store::{
    Db, KbAnswered, KbCorrection, KbEntry, KbFilter, KbNotice, KbOutcome, KbQuoted, KbSearch, KbWish,
    KbWording, Page, SaveOutcome, Scope, StoreError, TicketChange,
};
use crate::ticket::life::{Change, Fields};
use jiff::civil::date;

fn text() -> Text {
    shipped().remove(0).text
}

async fn step(db: &Db, id: &str, step: Step, by: &str, new: Option<&Text>) -> KbOutcome {
    let version = db.kb_entry(id).await.unwrap().unwrap().events;
    let wish = KbWish {
        id,
        by,
        at: NINE + version * 1_000,
        version,
        step,
        reason: Some("理由"),
        with: None,
        text: new,
        today: date(2026, 11, 23),
        same: None,
    };
    db.step_kb(wish).await.unwrap()
}

async fn done(db: &Db, id: &str, one: Step, by: &str, new: Option<&Text>) -> KbEntry {
    match step(db, id, one, by, new).await {
        KbOutcome::Done(row) => *row,
        other => panic!("{one:?}: {other:?}"),
    }
}

async fn publish(db: &Db, id: &str) -> KbEntry {
    for (one, by) in [(Step::Submit, "kb"), (Step::Approve, "head")] {
        done(db, id, one, by, None).await;
    }
    done(db, id, Step::Publish, "office", None).await
}

#[test]
fn an_entry_goes_its_way_and_every_version_stays() {
    on_both(|db| async move {
        let id = db.add_kb_entry(&text(), "kb", NINE).await.unwrap();
        assert_eq!(id, "KB-0001");
        assert!(db.kb_live().await.unwrap().is_empty(), "a draft is nobody's answer");
        let n = db.kb_changes().await.unwrap();
        let row = publish(&db, &id).await;
        assert_eq!(
            (row.entry.stage, row.entry.live, row.live_at),
            (Stage::Published, Some(1), Some(NINE + 3_000))
        );
        assert!(db.kb_changes().await.unwrap() > n, "an index knows that it is old");

        let mut second = text();
        second.answer = "改过的答案".into();
        second.valid_until = Some(date(2027, 3, 15));
        let row = done(&db, &id, Step::Change, "kb", Some(&second)).await;
        assert_eq!((row.entry.stage, row.entry.head, row.entry.live), (Stage::Draft, 2, Some(1)));
        let live = db.kb_live().await.unwrap();
        assert_eq!((live.len(), live[0].version.n, &live[0].version.text), (1, 1, &text()));
        publish(&db, &id).await;
        let live = db.kb_live().await.unwrap();
        assert_eq!((live[0].version.n, &live[0].version.text), (2, &second));
        let versions = db.kb_versions(&id).await.unwrap();
        assert_eq!(versions.iter().map(|v| v.n).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(versions[1].text, text());
        let steps: Vec<String> = db.kb_events(&id).await.unwrap().into_iter().map(|e| e.step).collect();
        assert_eq!(
            steps,
            ["draft", "submit", "approve", "publish", "change", "submit", "approve", "publish"]
        );

        // Somebody was faster.
        let wish = KbWish {
            id: &id,
            by: "office",
            at: NINE,
            version: 1,
            step: Step::Retire,
            reason: Some("x"),
            with: None,
            text: None,
            today: date(2026, 11, 23),
            same: None,
        };
        assert_eq!(db.step_kb(wish).await.unwrap(), KbOutcome::Changed(8));
        assert_eq!(db.step_kb(KbWish { id: "KB-0009", ..wish }).await.unwrap(), KbOutcome::Unknown);
        assert_eq!(step(&db, &id, Step::Approve, "head", None).await, KbOutcome::Refused(Refusal::Stage));
        let row = done(&db, &id, Step::Retire, "office", None).await;
        assert_eq!((row.entry.stage, row.entry.live), (Stage::Retired, None));
        assert!(db.kb_live().await.unwrap().is_empty());
        assert_eq!(db.kb_version(&id, 1).await.unwrap().unwrap().text, text(), "what was quoted can be read");
    });
}

#[test]
fn what_stands_against_a_publication_leaves_nothing_behind() {
    on_both(|db| async move {
        let mut doubtful = shipped().into_iter().find(|seed| seed.id == "KB-0014").unwrap().text;
        doubtful.review_by = date(2026, 11, 23);
        let id = db.add_kb_entry(&doubtful, "kb", NINE).await.unwrap();
        done(&db, &id, Step::Submit, "kb", None).await;
        done(&db, &id, Step::Approve, "head", None).await;
        let before = db.kb_entry(&id).await.unwrap();
        let told = step(&db, &id, Step::Publish, "office", None).await;
        assert_eq!(told, KbOutcome::Stands(vec!["contradicted", "unverified", "review_past"]));
        assert_eq!(db.kb_entry(&id).await.unwrap(), before);
        assert_eq!(step(&db, &id, Step::Publish, "kb", None).await, KbOutcome::Refused(Refusal::OwnText));
    });
}

#[test]
fn a_contradiction_is_known_on_both_sides() {
    on_both(|db| async move {
        let mut ids = Vec::new();
        for _ in 0..2 {
            let id = db.add_kb_entry(&text(), "kb", NINE).await.unwrap();
            publish(&db, &id).await;
            ids.push(id);
        }
        let row = db.kb_entry(&ids[0]).await.unwrap().unwrap();
        let wish = KbWish {
            id: &ids[0],
            by: "office",
            at: NINE + 9_000,
            version: row.events,
            step: Step::Conflict,
            reason: Some("期限不一致"),
            with: Some(&ids[1]),
            text: None,
            today: date(2026, 11, 23),
            same: None,
        };
        assert!(matches!(db.step_kb(wish).await.unwrap(), KbOutcome::Done(_)));
        for (one, other) in [(0, 1), (1, 0)] {
            let conflict = db.kb_entry(&ids[one]).await.unwrap().unwrap().entry.conflict.unwrap();
            assert_eq!((conflict.with.as_deref(), &*conflict.text), (Some(&*ids[other]), "期限不一致"));
        }
        done(&db, &ids[0], Step::Settle, "office", None).await;
        assert!(db.kb_entry(&ids[0]).await.unwrap().unwrap().entry.conflict.is_none());
        assert!(db.kb_entry(&ids[1]).await.unwrap().unwrap().entry.conflict.is_some(), "each for itself");
    });
}

#[test]
fn a_quote_is_frozen_into_the_call_and_the_tickets_history_and_holds_up_nobody() {
    on_both(|db| async move {
        let mut book = Book::default();
        let booked =
            book.booted(1).arrived(call(1), "12000000001").answered(call(1)).taken(call(1), "8001", NO);
        Projector::new(db.clone(), 1).apply(&booked.0).await.unwrap();
        let id = db.add_kb_entry(&text(), "kb", NINE).await.unwrap();
        let (call, at) = (call(1).to_string(), NINE + 5_000);
        let quote = async |version| db.quote_kb((&id, version), &call, "8001", at).await.unwrap();
        assert_eq!(quote(1).await, KbQuoted::Changed, "a draft is not quoted");
        publish(&db, &id).await;
        let draft = db.ticket(&call, &Scope::All).await.unwrap().unwrap();
        let KbQuoted::Kept(kept) = quote(1).await else { panic!("not kept") };
        assert_eq!((kept.version, kept.ticket.as_deref()), (1, Some(&*draft.id)));
        assert_eq!(quote(1).await, KbQuoted::Kept(kept.clone()), "the same key twice");
        assert_eq!(quote(2).await, KbQuoted::Changed);

        let history = db.ticket_events(&draft.id).await.unwrap();
        let quoted: Vec<_> = history.iter().filter(|event| event.kind == "quoted").collect();
        assert_eq!(quoted.len(), 1);
        assert_eq!(
            (&quoted[0].payload["entry"], &quoted[0].payload["version"]),
            (&id.clone().into(), &1.into())
        );
        // The agent had read the ticket before he quoted: what he saves is taken.
        let change = Change {
            fields: Fields {
                kind: Some("consult".into()),
                category: Some("030101".into()),
                street: Some("110102019".into()),
                title: Some("供暖期".into()),
                content: Some("问供暖期".into()),
                secrecy: Some("normal".into()),
                ..Fields::default()
            },
            state: Some("closed".into()),
            ..Change::default()
        };
        let wish =
            TicketChange { name: &call, user: "8001", at: at + 1, version: draft.version, change: &change };
        let saved = db.save_ticket(wish, &super::tables()).await.unwrap();
        assert!(matches!(&saved, SaveOutcome::Saved(ticket) if ticket.state == "closed"), "{saved:?}");
        let report = db.verify().await.unwrap();
        assert!(report.is_clean(), "{:?}", report.problems);

        // A new version later: what was read out stays what it was.
        let mut second = text();
        second.answer = "新答案".into();
        done(&db, &id, Step::Change, "kb", Some(&second)).await;
        publish(&db, &id).await;
        let all = db.kb_quotes(Some(&call), None).await.unwrap();
        assert_eq!(all, std::slice::from_ref(&kept));
        assert_eq!(db.kb_quotes(None, Some(&draft.id)).await.unwrap(), all);
        assert_eq!(db.kb_version(&id, kept.version).await.unwrap().unwrap().text, text());
    });
}

#[test]
fn a_notice_is_done_with_the_last_entry_it_touches() {
    on_both(|db| async move {
        let mut ids = Vec::new();
        for _ in 0..2 {
            let id = db.add_kb_entry(&text(), "kb", NINE).await.unwrap();
            publish(&db, &id).await;
            ids.push(id);
        }
        let notice = KbNotice {
            unit: "cgw".into(),
            at: NINE,
            by: "kb".into(),
            effective_on: "2026-12-01".into(),
            text: "测温时限调整".into(),
            due_at: NINE + 86_400_000,
            entries: ids.iter().map(|id| (id.clone(), None)).collect(),
            ..KbNotice::default()
        };
        let kept = db.add_kb_notice(notice.clone()).await.unwrap();
        let bare = db.add_kb_notice(KbNotice { entries: Vec::new(), ..notice }).await.unwrap();
        assert!(!db.close_kb_notice(&kept.id, "office", NINE).await.unwrap(), "its entries come first");
        for (n, id) in ids.iter().enumerate() {
            assert!(db.kb_notice(&kept.id).await.unwrap().unwrap().done_at.is_none(), "before {n}");
            done(&db, id, Step::Change, "kb", Some(&text())).await;
            publish(&db, id).await;
        }
        let now = db.kb_notice(&kept.id).await.unwrap().unwrap();
        assert!(now.done_at.is_some() && now.done_by.is_none());
        assert!(now.entries.iter().all(|(_, at)| at.is_some()));
        let open = db.kb_notices(Some("cgw"), Some(true), &Page::default()).await.unwrap().items;
        assert_eq!(open.iter().map(|one| &one.id).collect::<Vec<_>>(), [&bare.id], "no publication ends it");
        assert!(db.close_kb_notice(&bare.id, "office", NINE + 1).await.unwrap());
        assert!(!db.close_kb_notice(&bare.id, "office", NINE + 2).await.unwrap());
        assert!(db.kb_notices(Some("zjw"), None, &Page::default()).await.unwrap().items.is_empty());
    });
}

#[test]
fn searches_in_vain_corrections_and_wordings_are_kept_and_end() {
    on_both(|db| async move {
        let search = KbSearch { q: "学区划分", by: "8001", at: NINE, found: 0, used: None };
        for n in 0..3 {
            db.add_kb_search(&KbSearch { at: NINE + n, ..search.clone() }).await.unwrap();
        }
        db.add_kb_search(&KbSearch { q: "停车", found: 4, ..search.clone() }).await.unwrap();
        db.add_kb_search(&KbSearch { q: "供暖", used: Some("KB-0001"), ..search.clone() }).await.unwrap();
        let gaps = db.kb_gaps(NINE).await.unwrap();
        let gaps: Vec<_> = gaps.iter().map(|gap| (gap.q.as_str(), gap.times, gap.found)).collect();
        assert_eq!(gaps, [("学区划分", 3, 0), ("停车", 1, 4)]);
        assert_eq!(db.forget_kb_searches(NINE + 2).await.unwrap(), 4);
        assert_eq!(db.kb_gaps(NINE).await.unwrap().len(), 1);

        let correction = KbCorrection {
            entry: "KB-0001".into(),
            version: 1,
            unit: "cgw".into(),
            at: NINE,
            by: "8001".into(),
            text: "电话错了".into(),
            due_at: NINE + 1,
            ..KbCorrection::default()
        };
        let kept = db.add_kb_correction(correction).await.unwrap();
        let answered =
            KbAnswered { outcome: "fixed".into(), answer: "已改".into(), at: NINE + 2, by: "kb".into() };
        assert!(db.answer_kb_correction(&kept.id, &answered).await.unwrap());
        assert!(!db.answer_kb_correction(&kept.id, &answered).await.unwrap(), "once");
        let page = Page::default();
        assert!(db.kb_corrections(None, Some(true), &page).await.unwrap().items.is_empty());
        let all = db.kb_corrections(Some("cgw"), None, &page).await.unwrap().items;
        assert_eq!(all, [KbCorrection { done: Some(answered), ..kept }]);
        assert!(db.kb_corrections(Some("zjw"), None, &page).await.unwrap().items.is_empty());

        let wording = KbWording {
            unit: "cgw".into(),
            title: "供暖首日".into(),
            text: "统一口径".into(),
            from_at: NINE,
            until_at: NINE + 100,
            at: NINE,
            by: "office".into(),
            ..KbWording::default()
        };
        let kept = db.add_kb_wording(wording).await.unwrap();
        assert_eq!(db.kb_wordings(NINE + 99).await.unwrap(), std::slice::from_ref(&kept));
        assert!(db.kb_wordings(NINE + 100).await.unwrap().is_empty(), "it withdraws itself");
        assert!(db.withdraw_kb_wording(&kept.id, NINE + 50).await.unwrap());
        assert!(!db.withdraw_kb_wording(&kept.id, NINE + 60).await.unwrap());
    });
}

#[test]
fn the_lists_are_what_their_filters_say_and_nothing_is_rewritten() {
    on_both(|db| async move {
        crate::store::demo::fill(&db, NINE, &super::tables(), || {
            Ok::<_, std::convert::Infallible>("x".to_owned())
        })
        .await
        .unwrap();
        let list = async |filter: KbFilter| {
            let page = Page { limit: 100, after: None };
            db.kb_entries(&filter, &page).await.unwrap().items
        };
        assert_eq!(list(KbFilter::default()).await.len(), 20);
        let live = list(KbFilter { live: true, ..KbFilter::default() }).await;
        assert_eq!(live.len(), 19, "all but KB-0014");
        let drafts = KbFilter { drafts_of: Some("zjw".into()), ..KbFilter::default() };
        assert_eq!(list(drafts).await.len(), 20);
        let drafts = KbFilter { drafts_of: Some("cgw".into()), ..KbFilter::default() };
        assert_eq!(list(drafts).await.len(), 19);
        let stage = KbFilter { stage: Some(Stage::Draft), ..KbFilter::default() };
        assert_eq!(list(stage).await.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["KB-0014"]);
        let unit = KbFilter { unit: Some("' OR '1'='1".into()), ..KbFilter::default() };
        assert!(list(unit).await.is_empty());
        assert_eq!(
            db.add_kb_entry(&text(), "kb", NINE).await.unwrap(),
            "KB-0021",
            "after the district's own"
        );
        for statement in [
            "UPDATE kb_versions SET answer = 'x' WHERE n = 1",
            "DELETE FROM kb_versions WHERE n = 1",
            "UPDATE kb_events SET reason = 'x' WHERE n = 1",
            "DELETE FROM kb_quotes WHERE at >= 0",
        ] {
            let mut tx = db.begin(crate::store::db::Durability::Full).await.unwrap();
            let outcome = crate::store::sql::Sql::new(statement).run(&mut tx).await;
            // No quote is there to be deleted: SQLite asks per row.
            let nothing = statement.contains("kb_quotes") && matches!(outcome, Ok(0));
            assert!(nothing || matches!(outcome, Err(StoreError::Refused(_))), "{statement}: {outcome:?}");
        }
    });
}
