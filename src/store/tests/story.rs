//! From facts to what people read, and what people write, on both databases.

use super::facts::{Book, CODE, MESSAGE, NINE, NO, RECORDING, call};
use super::on_both;
use crate::store::fold::{CallState, hex32};
use crate::store::projector::Projector;
use crate::store::{
    Access, CallField, CallFilter, Db, Expired, NewTicket, NoStatus, Page, Scope, SessionRow, StatusAnswer,
    StoreError, TicketField, TicketFilter, User, Work, demo,
};
use crate::ticket::district::District;
use std::convert::Infallible;

#[test]
fn a_morning_of_calls_becomes_rows_tickets_and_status() {
    on_both(|db| async move {
        Projector::new(db.clone(), 1).apply(&Book::morning().0).await.unwrap();
        calls_are_read(&db).await;
        tickets_are_read(&db).await;
        status_by_number_and_code(&db).await;
        users_and_sessions(&db).await;
        demo_data(&db).await;
        retention(&db).await;
        let report = db.verify().await.unwrap();
        assert!(report.is_clean(), "{:?}", report.problems);
        assert_eq!(report.calls, 5);
        assert_eq!(report.tickets, 5 + demo::TICKETS.len() as u64);
    });
}

async fn calls_are_read(db: &Db) {
    let all = db.calls(&CallFilter::default(), &Page::default()).await.unwrap();
    assert_eq!(all.items.len(), 5);
    assert!(all.items.windows(2).all(|w| w[0].record.started_at >= w[1].record.started_at), "newest first");
    assert!(all.next.is_none());
    let mut seen = Vec::new();
    let mut page = Page { limit: 2, after: None };
    loop {
        let got = db.calls(&CallFilter::default(), &page).await.unwrap();
        seen.extend(got.items.into_iter().map(|c| c.record.id));
        match got.next {
            Some(next) => page.after = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, all.items.iter().map(|c| c.record.id.clone()).collect::<Vec<_>>(), "pages are the list");

    let with =
        |field, value: &str| CallFilter { fields: vec![(field, value.to_owned())], ..CallFilter::default() };
    for (field, value, count) in [
        (CallField::State, "live", 1),
        (CallField::State, "ended", 4),
        (CallField::EndReason, "restarted,caller_cancelled", 2),
        (CallField::Caller, "12000000001", 1),
        (CallField::Caller, "1' OR '1'='1", 0),
        (CallField::SipCallId, "2@pbx", 1),
        (CallField::Trunk, "carrier", 5),
    ] {
        let got = db.calls(&with(field, value), &Page::default()).await.unwrap().items;
        assert_eq!(got.len(), count, "{field:?} {value}");
    }
    let since = CallFilter { since: Some(NINE + 60_000), ..CallFilter::default() };
    assert!(db.calls(&since, &Page::default()).await.unwrap().items.is_empty());

    let one = db.call(&call(1).to_string()).await.unwrap().unwrap();
    assert_eq!(one.record.state, CallState::Ended);
    assert_eq!(one.tickets, ["t-01-00001-0000000001"]);
    assert_eq!(one.numbers, [NO]);
    for recording in [RECORDING, MESSAGE] {
        let owner = db.call_of_recording(&hex32(recording)).await.unwrap().unwrap();
        assert_eq!(owner.record.id, one.record.id);
    }
    let events = db.call_events(&one.record.id).await.unwrap().unwrap();
    assert_eq!(events.first().map(|e| e.kind.as_str()), Some("call_arrived"));
    assert_eq!(events.last().map(|e| e.kind.as_str()), Some("media_report"));
    assert!(db.call_events("c-09-00001-0000000001").await.unwrap().is_none());
    let cut = db.call(&call(4).to_string()).await.unwrap().unwrap();
    assert_eq!(cut.record.end_reason.as_deref(), Some("restarted"));
    let flows = db.flow_versions().await.unwrap();
    assert_eq!(flows.iter().filter(|f| f.in_force).count(), 1);
    assert!(flows.iter().any(|f| f.refused.is_some()));
}

async fn tickets_are_read(db: &Db) {
    let states = |state: &str| TicketFilter {
        fields: vec![(TicketField::State, state.to_owned())],
        ..TicketFilter::default()
    };
    for (state, count) in [("accepted", 2), ("missed", 2), ("draft", 1)] {
        assert_eq!(db.tickets(&states(state), &Page::default()).await.unwrap().items.len(), count, "{state}");
    }
    let numbered = TicketFilter { numbered: Some(true), ..TicketFilter::default() };
    assert_eq!(db.tickets(&numbered, &Page::default()).await.unwrap().items.len(), 2);
    let of_call = TicketFilter { call: Some(call(1).to_string()), ..TicketFilter::default() };
    assert_eq!(db.tickets(&of_call, &Page::default()).await.unwrap().items.len(), 1);
    let ticket = db.ticket(NO, &Scope::All).await.unwrap().unwrap();
    assert_eq!(ticket.calls, [call(1).to_string()]);
    assert_eq!(ticket.state, "accepted");
    let history = db.ticket_events(&ticket.id).await.unwrap();
    assert_eq!(
        history.iter().map(|e| e.kind.as_str()).collect::<Vec<_>>(),
        ["created", "numbered", "accepted"]
    );
    assert_eq!(history[0].personal.as_ref().unwrap()["caller"], "12000000001");
    assert!(
        db.ticket(NO, &Scope::of_unit("rl", "rl", &District::shipped())).await.unwrap().is_none(),
        "not that unit's"
    );
}

async fn status_by_number_and_code(db: &Db) {
    let ask = async |no: &str, code: &str, at: i64| db.ticket_status(no, code, at).await.unwrap();
    assert!(matches!(ask(NO, CODE, NINE).await, StatusAnswer::Found(s) if s.state == "accepted"));
    assert_eq!(ask("261123000091", CODE, NINE).await, StatusAnswer::None(NoStatus::UnknownNumber));
    for _ in 0..5 {
        assert_eq!(ask(NO, "000000", NINE).await, StatusAnswer::None(NoStatus::WrongCode));
    }
    assert_eq!(
        ask(NO, CODE, NINE + 1).await,
        StatusAnswer::None(NoStatus::Locked),
        "five wrong codes lock it"
    );
    assert!(matches!(ask(NO, CODE, NINE + 3_600_001).await, StatusAnswer::Found(_)), "for an hour");
}

async fn users_and_sessions(db: &Db) {
    let user = User {
        name: "wang".into(),
        display: "王".into(),
        unit: Some("rl".into()),
        roles: vec!["admin".into(), "auditor".into()],
        disabled: false,
        created_at: NINE,
        work: Work {
            skills: [("english".into(), 2)].into(),
            queues: Some(vec!["main".into()]),
            mobile: None,
        },
    };
    db.add_user(&user, "$argon2id$…").await.unwrap();
    assert!(matches!(db.add_user(&user, "x").await, Err(StoreError::Exists)));
    assert_eq!(db.user("wang").await.unwrap(), Some((user.clone(), "$argon2id$…".into())));
    let session = SessionRow {
        user: "wang".into(),
        created_at: NINE,
        seen_at: NINE,
        expires_at: NINE + 1_000,
        source: "127.0.0.1".into(),
        agent: "test".into(),
    };
    let hash = [7u8; 32];
    db.add_session(&hash, &session).await.unwrap();
    db.touch_session(&hash, NINE + 5).await.unwrap();
    assert_eq!(db.session(&hash).await.unwrap().map(|s| s.seen_at), Some(NINE + 5));
    assert!(db.set_password("wang", "other").await.unwrap());
    assert!(db.session(&hash).await.unwrap().is_none(), "a new password ends sessions");
    db.add_session(&hash, &session).await.unwrap();
    assert!(db.set_disabled("wang", true).await.unwrap());
    assert!(db.session(&hash).await.unwrap().is_none());
    assert!(db.set_roles("wang", None, &["qa".into()]).await.unwrap());
    assert_eq!(db.user("wang").await.unwrap().unwrap().0.roles, ["qa"]);
    db.add_session(&hash, &session).await.unwrap();
    let work = Work { mobile: Some("13900000001".into()), ..Work::default() };
    assert!(db.set_work("wang", &work).await.unwrap());
    assert_eq!(db.user("wang").await.unwrap().unwrap().0.work, work);
    assert!(db.session(&hash).await.unwrap().is_some(), "other skills end no session");
    assert!(db.end_session(&hash).await.unwrap());
    assert!(!db.set_password("nobody", "x").await.unwrap());
    assert!(!db.end_session(&hash).await.unwrap());
}

async fn demo_data(db: &Db) {
    for _ in 0..2 {
        demo::fill(db, NINE, &super::tables(), || Ok::<_, Infallible>("$argon2id$demo".to_owned()))
            .await
            .unwrap();
    }
    assert_eq!(db.users().await.unwrap().len(), demo::USERS.len() + 1);
    for ticket in demo::TICKETS {
        let answer = db.ticket_status(&ticket.no(), ticket.code, NINE).await.unwrap();
        assert!(matches!(answer, StatusAnswer::Found(s) if s.state == ticket.state), "{}", ticket.no());
    }
    let of_unit = TicketFilter {
        scope: Scope::of_unit("st019", "st019", &District::shipped()),
        ..TicketFilter::default()
    };
    let seen = db.tickets(&of_unit, &Page::default()).await.unwrap().items;
    assert!(!seen.is_empty() && seen.iter().all(|t| t.assist.contains(&"st019".to_owned())));
}

async fn retention(db: &Db) {
    let access = |at| Access {
        at,
        user: "wang".into(),
        source: "127.0.0.1".into(),
        action: "play".into(),
        subject: hex32(RECORDING),
        outcome: "ok".into(),
    };
    for at in [NINE, NINE + 10_000] {
        db.log_access(&access(at)).await.unwrap();
    }
    assert_eq!(db.accesses(&hex32(RECORDING)).await.unwrap().len(), 2);
    assert_eq!(db.forget_accesses(NINE + 10_000).await.unwrap(), 1);
    assert_eq!(db.accesses(&hex32(RECORDING)).await.unwrap().len(), 1);

    assert!(db.expired_recordings(NINE, 100).await.unwrap().is_empty(), "nothing is that old");
    let one = Expired { call: call(1).to_string(), recordings: vec![hex32(RECORDING), hex32(MESSAGE)] };
    assert_eq!(db.expired_recordings(NINE + 60_000, 100).await.unwrap(), std::slice::from_ref(&one));
    db.forget_recordings(&one.call).await.unwrap();
    assert!(db.expired_recordings(NINE + 60_000, 100).await.unwrap().is_empty());
    let record = db.call(&one.call).await.unwrap().unwrap().record;
    assert_eq!((record.recording, record.message), (None, None));
    assert!(db.call_of_recording(&hex32(RECORDING)).await.unwrap().is_none());
    let session = SessionRow {
        user: "admin".into(),
        created_at: NINE,
        seen_at: NINE,
        expires_at: NINE + 1_000,
        source: "127.0.0.1".into(),
        agent: "test".into(),
    };
    db.add_session(&[9; 32], &session).await.unwrap();
    assert_eq!(db.forget_sessions(NINE + 999).await.unwrap(), 0);
    assert_eq!(db.forget_sessions(NINE + 1_000).await.unwrap(), 1);
}

#[test]
fn fifty_guesses_at_once_are_five() {
    on_both(|db| async move {
        demo::fill(&db, NINE, &super::tables(), || Ok::<_, Infallible>("$argon2id$demo".to_owned()))
            .await
            .unwrap();
        let ticket = &demo::TICKETS[0];
        let no = ticket.no();
        // Fewer at a time than would wait for a connection longer than a caller does.
        let mut compared = 0;
        for ten in 0..5 {
            let codes: Vec<String> = (0..10).map(|n| format!("9{ten}{n}000")).collect();
            let tries = codes.iter().map(|code| db.ticket_status(&no, code, NINE));
            for answer in futures_util::future::join_all(tries).await {
                match answer.unwrap() {
                    StatusAnswer::None(NoStatus::WrongCode) => compared += 1,
                    StatusAnswer::None(NoStatus::Locked) => {}
                    other => panic!("{other:?}"),
                }
            }
        }
        assert_eq!(compared, 5);
        let right = db.ticket_status(&no, ticket.code, NINE).await.unwrap();
        assert_eq!(right, StatusAnswer::None(NoStatus::Locked));
    });
}

/// What SQL gives a unit is what the rule says in plain words, also where names hold what SQL patterns are made of.
#[test]
fn a_units_list_is_what_it_leads_or_assists_whatever_units_are_called() {
    const UNITS: &[&str] =
        &["rl", "rl-head", "r_", "r%", "%", "_", "st019", "st019-sq", "st01", "\\", "r\\_", "'"];
    on_both(|db| async move {
        let mut seed = 0x5eed_u64;
        let mut draw = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as usize % below
        };
        let mut made = Vec::new();
        for n in 0..150 {
            let lead = (draw(3) > 0).then(|| UNITS[draw(UNITS.len())].to_owned());
            let assist: Vec<String> = (0..draw(4)).map(|_| UNITS[draw(UNITS.len())].to_owned()).collect();
            let stem = format!("261123{n:05}");
            let check = crate::ticket::number::check_digit(&stem);
            let new = NewTicket {
                id: format!("t-u-{n}"),
                no: format!("{stem}{check}"),
                code: "123456".into(),
                // In its hands: what nobody has dispatched is nobody's.
                state: "handling".into(),
                channel: "web".into(),
                secrecy: "normal".into(),
                created_at: NINE + n,
                actor: "system".into(),
                lead: lead.clone(),
                assist: assist.clone(),
                ..NewTicket::default()
            };
            db.add_ticket(&new).await.unwrap();
            made.push((new.id, lead, assist));
        }
        for unit in UNITS {
            let filter = TicketFilter {
                scope: Scope::of_unit(unit, unit, &District::shipped()),
                ..TicketFilter::default()
            };
            let page = Page { limit: 500, after: None };
            let mut got: Vec<String> =
                db.tickets(&filter, &page).await.unwrap().items.into_iter().map(|t| t.id).collect();
            let own = |lead: &Option<String>, assist: &[String]| {
                lead.as_deref() == Some(*unit) || assist.iter().any(|a| a == unit)
            };
            let mut want: Vec<String> = made
                .iter()
                .filter(|(_, lead, assist)| own(lead, assist))
                .map(|(id, _, _)| id.clone())
                .collect();
            got.sort();
            want.sort();
            assert_eq!(got, want, "{unit}");
            for (id, lead, assist) in &made {
                let found = db.ticket(id, &filter.scope).await.unwrap().is_some();
                assert_eq!(found, own(lead, assist), "{unit} asks for {id}");
            }
        }
    });
}
