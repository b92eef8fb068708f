//! The loop in tables, on both databases: steps, races, the watcher, scopes, what `verify` finds.

use super::super::db::{Dialect, Durability};
use super::super::sql::Sql;
use super::facts::NINE;
use super::{on_both, tables};
use crate::store::{
    ActOutcome, Behind, Db, NewTicket, Page, Period, Published, Scope, Source, StoreError, Ticket, TicketAct,
    TicketFilter, TicketOrder,
};
use crate::ticket::cycle::{Hand, Step, Who, Wish};
use crate::ticket::district::District;
use crate::ticket::indicators::Indicator;
use crate::ticket::life::Why;
use crate::ticket::number::check_digit;

pub(super) const MINUTE: i64 = 60_000;

pub(super) fn some(text: &str) -> Option<String> {
    Some(text.into())
}

/// An accepted ticket of another channel, with no loop yet.
pub(super) async fn accepted(db: &Db, n: u32) -> Ticket {
    let stem = format!("261123{n:05}");
    let new = NewTicket {
        id: format!("t-act-{n}"),
        no: format!("{stem}{}", check_digit(&stem)),
        code: "123456".into(),
        state: "accepted".into(),
        channel: "web".into(),
        kind: "help".into(),
        category: "030101".into(),
        street: some("110102019"),
        urgency: "L".into(),
        title: "不热".into(),
        content: "十五度".into(),
        caller: some("12000000001"),
        secrecy: "normal".into(),
        created_at: NINE,
        actor: "system".into(),
        ..NewTicket::default()
    };
    db.add_ticket(&new).await.unwrap();
    db.ticket(&new.id, &Scope::All).await.unwrap().unwrap()
}

pub(super) async fn act(
    db: &Db,
    ticket: &Ticket,
    (user, hand, unit): (&str, Hand, Option<&str>),
    at: i64,
    step: Step,
    wish: &Wish,
) -> ActOutcome {
    let hands = [hand];
    let who = Who { user, hands: &hands, unit };
    let act = TicketAct { name: &ticket.id, who, at, version: ticket.version, step, wish };
    db.act_on_ticket(act, &tables()).await.unwrap()
}

pub(super) const DISPATCHER: (&str, Hand, Option<&str>) = ("dispatcher", Hand::Dispatcher, None);
pub(super) const RL: (&str, Hand, Option<&str>) = ("rl", Hand::Unit, Some("rl"));
pub(super) const RL_HEAD: (&str, Hand, Option<&str>) = ("rl-head", Hand::Head, Some("rl"));
const VISITOR: (&str, Hand, Option<&str>) = ("visitor", Hand::Visitor, None);

pub(super) fn to_rl() -> Wish {
    Wish { lead: some("rl"), assist: Some(vec!["st019".into()]), brief: some("室温低"), ..Wish::default() }
}

#[track_caller]
pub(super) fn done(outcome: ActOutcome) -> Ticket {
    match outcome {
        ActOutcome::Done(ticket) => *ticket,
        other => panic!("{other:?}"),
    }
}

/// Dispatch to closed.
pub(super) async fn whole(db: &Db, n: u32) -> Ticket {
    let mut ticket = accepted(db, n).await;
    let reply =
        Wish { report: some("内部"), text: some("已修好"), claim: some("solved"), ..Wish::default() };
    let verdict =
        Wish { contacted: Some(true), solved: some("yes"), satisfied: some("basic"), ..Wish::default() };
    for (minutes, who, step, wish) in [
        (5, DISPATCHER, Step::Dispatch, to_rl()),
        (10, RL, Step::Sign, Wish::default()),
        (20, RL, Step::Contact, Wish { how: some("phone"), ..Wish::default() }),
        (60, RL, Step::Reply, reply),
        (70, RL_HEAD, Step::SignReply, Wish::default()),
        (80, DISPATCHER, Step::ReviewPass, Wish::default()),
        (90, VISITOR, Step::Visit, verdict),
    ] {
        ticket = done(act(db, &ticket, who, NINE + minutes * MINUTE, step, &wish).await);
    }
    ticket
}

#[test]
fn a_ticket_goes_round_and_its_row_is_the_fold_of_its_history() {
    on_both(|db| async move {
        let ticket = whole(&db, 1).await;
        assert_eq!(ticket.state, "closed");
        assert_eq!(ticket.closed_at, Some(NINE + 90 * MINUTE));
        assert_eq!(ticket.due_at, Some(NINE + 72 * 60 * MINUTE), "the citizen's promise stands");
        assert_eq!(ticket.brief.as_deref(), Some("室温低"));
        let kinds: Vec<String> =
            db.ticket_events(&ticket.id).await.unwrap().into_iter().map(|event| event.kind).collect();
        let want = [
            "created",
            "numbered",
            "opened",
            "dispatch",
            "sign",
            "contact",
            "reply",
            "sign_reply",
            "review_pass",
            "visit",
            "closed",
        ];
        assert_eq!(kinds, want);
        let history = db.ticket_events(&ticket.id).await.unwrap();
        assert!(history.iter().all(|line| !line.payload.to_string().contains("已修好")), "words are sealed");
        assert_eq!(history[6].personal.as_ref().unwrap()["text"], "已修好");
        let report = db.verify().await.unwrap();
        assert!(report.is_clean(), "{:?}", report.problems);

        // A row that somebody helped along is named.
        for (change, back) in [
            (
                "UPDATE tickets SET detail = replace(detail, '\"solved\":\"yes\"', '\"solved\":\"no\"') WHERE id = 't-act-1'",
                "UPDATE tickets SET detail = replace(detail, '\"solved\":\"no\"', '\"solved\":\"yes\"') WHERE id = 't-act-1'",
            ),
            (
                "UPDATE tickets SET state = 'handling' WHERE id = 't-act-1'",
                "UPDATE tickets SET state = 'closed' WHERE id = 't-act-1'",
            ),
        ] {
            sql(&db, change).await;
            let report = db.verify().await.unwrap();
            assert_eq!(
                report.problems,
                ["ticket t-act-1: its row is not what its history makes of it"],
                "{change}"
            );
            sql(&db, back).await;
        }
        assert!(db.verify().await.unwrap().is_clean());
    });
}

async fn sql(db: &Db, text: &'static str) {
    let mut tx = db.begin(Durability::Full).await.unwrap();
    assert_eq!(Sql::new(text).run(&mut tx).await.unwrap(), 1, "{text}");
    tx.commit().await.unwrap();
}

#[test]
fn of_two_at_once_one_is_told_that_it_changed() {
    on_both(|db| async move {
        let ticket = accepted(&db, 2).await;
        let wish = to_rl();
        let both = futures_util::future::join_all(
            (0..6).map(|_| act(&db, &ticket, DISPATCHER, NINE + MINUTE, Step::Dispatch, &wish)),
        )
        .await;
        let done = both.iter().filter(|one| matches!(one, ActOutcome::Done(_))).count();
        let changed = both.iter().filter(|one| matches!(one, ActOutcome::Changed(_))).count();
        assert_eq!((done, changed), (1, 5), "{both:?}");
        // A refusal writes nothing, not even the beginning of the loop.
        let other = accepted(&db, 3).await;
        let refused = act(&db, &other, RL, NINE + MINUTE, Step::Sign, &Wish::default()).await;
        assert!(matches!(&refused, ActOutcome::Refused(told) if told[0].why == Why::Role), "{refused:?}");
        assert_eq!(db.ticket(&other.id, &Scope::All).await.unwrap().unwrap().version, other.version);
        assert!(db.verify().await.unwrap().is_clean());
    });
}

#[test]
fn time_does_each_thing_once_also_after_a_restart() {
    on_both(|db| async move {
        let ticket = accepted(&db, 4).await;
        let watch = async |now: i64| {
            let mut done = 0;
            for id in db.tickets_to_watch(now, 128).await.unwrap() {
                done += u32::from(db.tick_ticket(&id, now, &tables()).await.unwrap());
            }
            done
        };
        assert_eq!(watch(NINE).await, 1, "its loop begins");
        assert_eq!(watch(NINE).await, 0);
        let dispatch = 30 * MINUTE;
        for (now, lines) in [(dispatch / 2, 1), (dispatch * 8 / 10, 1), (dispatch, 0), (dispatch + 1, 1)] {
            assert_eq!(watch(NINE + now - 1).await.min(lines), 0, "not before its moment: {now}");
            assert_eq!(watch(NINE + now).await, lines, "{now}");
            // Whatever was done is in the tables: a new process finds it there.
            assert_eq!(watch(NINE + now).await, 0, "once: {now}");
        }
        let told: Vec<_> = db
            .ticket_events(&ticket.id)
            .await
            .unwrap()
            .into_iter()
            .filter(|line| ["reminded", "late"].contains(&&*line.kind))
            .map(|line| (line.kind, line.payload["clock"].clone(), line.actor))
            .collect();
        let line = |kind: &str, pct: u8| {
            (kind.to_owned(), serde_json::json!(["dispatch", pct]), "system".to_owned())
        };
        assert_eq!(told, [line("reminded", 50), line("reminded", 80), line("late", 100)]);
        // Who had read it before a reminder came may still act.
        let wish = to_rl();
        assert!(matches!(
            act(&db, &ticket, DISPATCHER, NINE + 31 * MINUTE, Step::Dispatch, &wish).await,
            ActOutcome::Done(_)
        ));
        assert!(db.verify().await.unwrap().is_clean());
    });
}

#[test]
fn who_is_complained_about_neither_lists_nor_counts_nor_finds_it() {
    on_both(|db| async move {
        let mut ticket = accepted(&db, 5).await;
        let ask = Wish { missing: some("投诉谁"), ..Wish::default() };
        ticket = done(act(&db, &ticket, DISPATCHER, NINE, Step::AskClarification, &ask).await);
        let fill =
            Wish { complained_unit: some("st019"), complained_person: some("clerk"), ..Wish::default() };
        ticket = done(act(&db, &ticket, ("8001", Hand::Agent, None), NINE, Step::Clarify, &fill).await);
        // It is no candidate.
        for lead in ["st019", "st019-sq"] {
            let wish = Wish { lead: some(lead), ..Wish::default() };
            let refused = act(&db, &ticket, DISPATCHER, NINE, Step::Dispatch, &wish).await;
            assert!(
                matches!(&refused, ActOutcome::Refused(told) if told[0].why == Why::UnknownCode),
                "{refused:?}"
            );
        }
        let wish = Wish { lead: some("rl"), assist: Some(vec!["cgw".into()]), ..Wish::default() };
        ticket = done(act(&db, &ticket, DISPATCHER, NINE, Step::Dispatch, &wish).await);
        // Even where an old row would give it a part.
        sql(&db, "UPDATE tickets SET assist = 'cgw,st019', subs = 'st019-sq' WHERE id = 't-act-5'").await;
        let district = District::shipped();
        let person = |user: &str, line: &[&str]| Scope::Person {
            line: line.iter().map(|&unit| unit.to_owned()).collect(),
            user: user.to_owned(),
            office: false,
        };
        for (scope, seen) in [
            (Scope::of_unit("rl", "rl", &district), true),
            (Scope::of_unit("cgw", "cgw", &district), true),
            (Scope::of_unit("cgw", "clerk", &district), false),
            (Scope::of_unit("st019", "x", &district), false),
            (Scope::of_unit("st019-sq", "x", &district), false),
            (Scope::of_unit("zls", "x", &district), false),
            (person("office", &[]), true),
            (person("clerk", &[]), false),
            (person("two-hats", &["st019"]), false),
        ] {
            assert_eq!(db.ticket(&ticket.id, &scope).await.unwrap().is_some(), seen, "{scope:?}");
            let filter =
                TicketFilter { scope: scope.clone(), order: TicketOrder::Due, ..TicketFilter::default() };
            let listed = db.tickets(&filter, &Page::default()).await.unwrap().items.len();
            let counted: i64 = db.ticket_boxes(&scope, NINE).await.unwrap().iter().map(|one| one.count).sum();
            assert_eq!((listed, counted), (usize::from(seen), i64::from(seen)), "{scope:?}");
        }
    });
}

#[test]
fn the_soonest_come_first_page_by_page_and_boxes_count_them() {
    on_both(|db| async move {
        let mut all = Vec::new();
        for n in 10..25 {
            let ticket = accepted(&db, n).await;
            // Some are dispatched, so that deadlines differ; several share one.
            db.tick_ticket(&ticket.id, NINE, &tables()).await.unwrap();
            if n % 3 == 0 {
                let seen = db.ticket(&ticket.id, &Scope::All).await.unwrap().unwrap();
                done(
                    act(&db, &seen, DISPATCHER, NINE + i64::from(n) * MINUTE, Step::Dispatch, &to_rl()).await,
                );
            }
            let seen = db.ticket(&ticket.id, &Scope::All).await.unwrap().unwrap();
            all.push((seen.next_due_at().unwrap(), seen.id));
        }
        whole(&db, 30).await;
        all.sort();
        let filter = TicketFilter { order: TicketOrder::Due, ..TicketFilter::default() };
        let (mut got, mut after) = (Vec::new(), None);
        loop {
            let paged = db.tickets(&filter, &Page { limit: 4, after }).await.unwrap();
            got.extend(paged.items.into_iter().map(|ticket| (ticket.next_due_at().unwrap(), ticket.id)));
            after = paged.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(got, all, "closed ones are nobody's to see to");
        let boxes = db.ticket_boxes(&Scope::All, NINE + 25 * MINUTE).await.unwrap();
        let of = |state: &str| {
            boxes.iter().find(|one| one.state == state).map(|one| (one.count, one.late, one.soon))
        };
        assert_eq!(of("accepted"), Some((10, 0, 10)), "25 of 30 minutes are over");
        assert_eq!(of("dispatched").map(|(count, ..)| count), Some(5));
        assert_eq!(of("closed"), None, "nobody has to see to it");
    });
}

/// Whoever reaches the database and knows its keeper's tricks: the append-only guard is taken away first. Each hand laid on the history is
/// named with the first broken line.
#[test]
fn a_hand_laid_on_the_history_is_named() {
    on_both(|db| async move {
        whole(&db, 40).await;
        let lines = db.ticket_events("t-act-40").await.unwrap().len();
        let guards: &[&str] = match db.dialect() {
            Dialect::Sqlite => &["DROP TRIGGER ticket_events_keep", "DROP TRIGGER ticket_events_stay"],
            Dialect::Postgres => &["DROP TRIGGER ticket_events_keep ON ticket_events"],
        };
        let run = async |text: String| {
            let mut tx = db.begin(Durability::Full).await.unwrap();
            sqlx::query(sqlx::AssertSqlSafe(text.clone()))
                .execute(&mut *tx)
                .await
                .unwrap_or_else(|e| panic!("{text}: {e}"));
            tx.commit().await.unwrap();
        };
        for (n, refused) in
            ["UPDATE ticket_events SET at = 0", "DELETE FROM ticket_events"].into_iter().enumerate()
        {
            let mut tx = db.begin(Durability::Full).await.unwrap();
            assert!(Sql::new(refused).run(&mut tx).await.is_err(), "{n}: guarded");
        }
        for guard in guards {
            run((*guard).to_owned()).await;
        }
        run("CREATE TABLE kept AS SELECT * FROM ticket_events".to_owned()).await;
        run("CREATE TABLE kept_rows AS SELECT * FROM tickets".to_owned()).await;
        let told = async || db.verify().await.unwrap().problems;
        assert_eq!(told().await, Vec::<String>::new());
        let of = "WHERE ticket_id = 't-act-40' AND n";
        let mut hands: Vec<(String, String)> = Vec::new();
        for n in 1..=lines {
            for set in ["payload = payload || ' '", "kind = 'x'", "actor = 'user:y'", "at = at + 1"] {
                let line = format!("ticket t-act-40: event {n} was changed, or one before it");
                hands.push((format!("UPDATE ticket_events SET {set} {of} = {n}"), line));
            }
            let missing = if n == lines {
                format!(
                    "ticket t-act-40: its row says {lines} events, its history has {} or ends elsewhere",
                    n - 1
                )
            } else {
                format!("ticket t-act-40: event {n} is missing")
            };
            hands.push((format!("DELETE FROM ticket_events {of} = {n}"), missing));
            if n < lines {
                // Two lines in each other's place.
                let set = |from: usize, to: usize| format!("UPDATE ticket_events SET n = {to} {of} = {from}");
                let swap = [set(n, 5_000), set(n + 1, n), set(5_000, n + 1)].join("; ");
                hands.push((swap, format!("ticket t-act-40: event {n} was changed, or one before it")));
            }
        }
        hands.push((
            "DELETE FROM ticket_events WHERE ticket_id = 't-act-40'".to_owned(),
            format!("ticket t-act-40: its row says {lines} events, its history has 0 or ends elsewhere"),
        ));
        hands.push((
            "DELETE FROM tickets WHERE id = 't-act-40'".to_owned(),
            "t-act-40 has a history and no row".to_owned(),
        ));
        for (hand, want) in hands {
            for one in hand.split("; ") {
                run(one.to_owned()).await;
            }
            assert_eq!(told().await.first(), Some(&want), "{hand}");
            run("DELETE FROM ticket_events".to_owned()).await;
            run("INSERT INTO ticket_events SELECT * FROM kept".to_owned()).await;
            run("DELETE FROM tickets".to_owned()).await;
            run("INSERT INTO tickets SELECT * FROM kept_rows".to_owned()).await;
        }
        assert_eq!(told().await, Vec::<String>::new());
    });
}

/// Sums in SQL are what counting by hand gives, on tickets of every end; and each number opens to its tickets.
#[test]
fn indicators_are_what_counting_by_hand_gives() {
    on_both(|db| async move {
        let reply =
            Wish { report: some("内部"), text: some("答复"), claim: some("solved"), ..Wish::default() };
        // Lead by lead: contacted in time, closed in time, answers of the visit; what is in no rate stands last.
        let mut by_hand: std::collections::BTreeMap<(&str, Indicator), [i64; 3]> =
            std::collections::BTreeMap::new();
        type Verdict = (&'static str, &'static str, Option<bool>);
        type Case = (u32, &'static str, bool, i64, Option<Verdict>, bool);
        let cases: [Case; 6] = [
            (50, "rl", true, 60, Some(("yes", "satisfied", Some(true))), false),
            (51, "rl", true, 70, Some(("partial", "basic", Some(true))), false),
            (52, "rl", false, 80, Some(("no", "not", Some(false))), false),
            (53, "cgw", true, 80 * 60, Some(("yes", "basic", None)), false),
            (54, "cgw", true, 90, Some(("no", "not", Some(false))), true),
            (55, "cgw", true, 90, None, false),
        ];
        for (n, lead, contact, minutes, verdict, unreasonable) in cases {
            let unit = (lead, Hand::Unit, Some(lead));
            let head = (lead, Hand::Head, Some(lead));
            let office = ("office", Hand::Office, None);
            let mut ticket = accepted(&db, n).await;
            let mut steps = vec![
                (5, DISPATCHER, Step::Dispatch, Wish { lead: some(lead), ..Wish::default() }),
                (10, unit, Step::Sign, Wish::default()),
            ];
            if contact {
                let told = Wish { how: some("phone"), what: some("result"), ..Wish::default() };
                steps.push((20, unit, Step::Contact, told));
            }
            steps.push((40, unit, Step::Reply, reply.clone()));
            steps.push((45, head, Step::SignReply, Wish::default()));
            steps.push((50, DISPATCHER, Step::ReviewPass, Wish::default()));
            if unreasonable {
                let why = Wish { reason: some("超出政策"), ..Wish::default() };
                steps.push((55, office, Step::ApproveUnreasonable, why));
            }
            if let Some((solved, satisfied, matches)) = verdict {
                let wish = Wish {
                    contacted: Some(contact),
                    solved: some(solved),
                    satisfied: some(satisfied),
                    matches,
                    ..Wish::default()
                };
                steps.push((minutes, VISITOR, Step::Visit, wish));
            }
            for (minutes, who, step, wish) in steps {
                ticket = done(act(&db, &ticket, who, NINE + minutes * MINUTE, step, &wish).await);
            }
            let mut add = |indicator, value: Option<i64>, counts: bool| {
                let [numerator, denominator, missing] = by_hand.entry((lead, indicator)).or_default();
                *numerator += value.unwrap_or(0);
                *denominator += i64::from(value.is_some());
                *missing += i64::from(counts && value.is_none());
            };
            let hit = |yes: bool| if yes { 100 } else { 0 };
            // What is open before its deadline is not settled.
            add(Indicator::OnTime, verdict.map(|_| hit(minutes <= 72 * 60)), true);
            add(Indicator::Feedback, Some(hit(contact)), true);
            add(Indicator::Claimed, Some(hit(contact)), true);
            add(Indicator::Told, verdict.map(|_| hit(contact)), true);
            let reasonable = verdict.filter(|_| !unreasonable);
            let points = |word: &str, table: &[(&str, i64)]| {
                table.iter().find(|(name, _)| *name == word).map(|one| one.1)
            };
            add(
                Indicator::Solved,
                reasonable.and_then(|one| points(one.0, &[("yes", 100), ("partial", 50), ("no", 0)])),
                !unreasonable,
            );
            add(
                Indicator::Satisfaction,
                reasonable.and_then(|one| points(one.1, &[("satisfied", 100), ("basic", 80), ("not", 0)])),
                !unreasonable,
            );
            add(
                Indicator::Satisfied,
                reasonable.and_then(|one| points(one.1, &[("satisfied", 100), ("basic", 100), ("not", 0)])),
                !unreasonable,
            );
            let truth = reasonable.and_then(|one| one.2).map(|yes| if yes { 100 } else { 0 });
            add(Indicator::Match, truth, !unreasonable);
        }
        // In no rate: withdrawn, never dispatched.
        let gone = accepted(&db, 60).await;
        let why = Wish { reason: some("不用了"), ..Wish::default() };
        done(act(&db, &gone, ("8001", Hand::Agent, None), NINE, Step::Withdraw, &why).await);
        let period = Period { from: NINE, to: NINE + 30 * 24 * 60 * MINUTE };
        let source = Source::Now(period);
        let measured = db.indicators(&source, &Scope::All).await.unwrap();
        assert_eq!(measured.len(), 2 * Indicator::ALL.len());
        for one in &measured {
            let unit = one.unit.as_deref().unwrap();
            let got = [one.numerator, one.denominator, one.missing];
            let want =
                by_hand.iter().find(|((lead, indicator), _)| *lead == unit && *indicator == one.indicator);
            assert_eq!(Some(&got), want.map(|(_, sums)| sums), "{unit} {:?}", one.indicator);
            let mut counts = [0, 0, 0];
            for (n, behind) in [Behind::Hit, Behind::Short, Behind::Missing].into_iter().enumerate() {
                let page = Page { limit: 500, after: None };
                let paged = db
                    .behind_indicator(one.indicator, &source, Some(unit), behind, &Scope::All, &page)
                    .await
                    .unwrap();
                counts[n] = i64::try_from(paged.items.len()).unwrap();
            }
            assert_eq!(
                (counts[0] + counts[1], counts[2]),
                (one.denominator, one.missing),
                "{unit} {:?}",
                one.indicator
            );
        }
        let before = Source::Now(Period { from: 0, to: NINE });
        assert!(db.indicators(&before, &Scope::All).await.unwrap().is_empty());
    });
}

/// What was published stays as it was told, with the tickets behind it; what the tickets say since is listed.
#[test]
fn a_published_period_never_changes_and_its_corrections_are_listed() {
    on_both(|db| async move {
        let period = Period { from: NINE, to: NINE + 30 * 24 * 60 * MINUTE };
        let (stays, again) = (whole(&db, 70).await, whole(&db, 71).await);
        let new = Published {
            id: "p-1".into(),
            title: "十一月".into(),
            period,
            at: NINE + 100 * MINUTE,
            by: "office".into(),
            tickets: 0,
        };
        let published = db.publish_period(&new).await.unwrap();
        assert_eq!(published.tickets, 2);
        let twice = db.publish_period(&Published { id: "p-2".into(), ..new.clone() }).await;
        assert!(matches!(twice, Err(StoreError::Exists)), "{twice:?}");
        assert_eq!(db.published_period("p-2").await.unwrap(), None, "all of it or nothing");
        let page = Page { limit: 1, after: None };
        let told = Source::Published("p-1".into());
        let first = db.indicators(&told, &Scope::All).await.unwrap();
        assert_eq!(first, db.indicators(&Source::Now(period), &Scope::All).await.unwrap());
        assert!(db.corrections(&published, &Scope::All, &page).await.unwrap().items.is_empty());

        // One is taken up again, and one more is due in it.
        let why = Wish { reason: some("又不热了"), ..Wish::default() };
        let office = ("office", Hand::Office, None);
        done(act(&db, &again, office, NINE + 200 * MINUTE, Step::Redo, &why).await);
        let joined = whole(&db, 72).await;
        assert_eq!(db.indicators(&told, &Scope::All).await.unwrap(), first, "as it was told");
        assert_ne!(db.indicators(&Source::Now(period), &Scope::All).await.unwrap(), first);
        let behind = db
            .behind_indicator(
                Indicator::OnTime,
                &told,
                Some("rl"),
                Behind::Hit,
                &Scope::All,
                &Page::default(),
            )
            .await
            .unwrap();
        let ids: Vec<&str> = behind.items.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(ids, [stays.id.as_str(), again.id.as_str()]);
        let (mut corrected, mut after) = (Vec::new(), None);
        loop {
            let paged = db.corrections(&published, &Scope::All, &Page { limit: 1, after }).await.unwrap();
            corrected.extend(paged.items);
            after = paged.next;
            if after.is_none() {
                break;
            }
        }
        let part = |of: &crate::store::Stand| of.values[0];
        let mut seen: Vec<_> = corrected
            .iter()
            .map(|one| (one.id.as_str(), one.then.as_ref().map(part), one.now.as_ref().map(part)))
            .collect();
        seen.sort();
        assert_eq!(
            seen,
            [(again.id.as_str(), Some(Some(100)), Some(None)), (joined.id.as_str(), None, Some(Some(100)))]
        );

        // Not even by hand.
        for change in ["UPDATE published_values SET p_solved = 100", "DELETE FROM published_periods"] {
            let mut tx = db.begin(Durability::Full).await.unwrap();
            let refused = Sql::new(change).run(&mut tx).await;
            assert!(refused.is_err(), "{change}");
        }
    });
}

/// Rates that an older program counted are counted again from the history, and the history stays as it is.
#[test]
fn old_rates_are_counted_again_once() {
    on_both(|db| async move {
        let ticket = whole(&db, 80).await;
        sql(&db, "UPDATE tickets SET measured = 1, v_claimed = NULL, v_on_time = 0, counted = 0 WHERE id = 't-act-80'").await;
        let period = Source::Now(Period { from: NINE, to: NINE + 30 * 24 * 60 * MINUTE });
        assert!(db.indicators(&period, &Scope::All).await.unwrap().is_empty());
        assert_eq!(db.measure_again(10, &tables()).await.unwrap(), 1);
        assert_eq!(db.measure_again(10, &tables()).await.unwrap(), 0, "once");
        let measured = db.indicators(&period, &Scope::All).await.unwrap();
        let of = |indicator| measured.iter().find(|one| one.indicator == indicator).unwrap().numerator;
        assert_eq!(
            (of(Indicator::OnTime), of(Indicator::Claimed), of(Indicator::Satisfaction)),
            (100, 0, 80)
        );
        let now = db.ticket(&ticket.id, &Scope::All).await.unwrap().unwrap();
        assert_eq!(now.version, ticket.version);
        assert!(db.verify().await.unwrap().is_clean());
    });
}
