//! Tickets of the past: once each, found, in the chain, and in nobody's way.

use super::facts::NINE;
use super::on_both;
use crate::store::{Imported, Period, Scope, TicketSearch};
use crate::ticket::old::OldTicket;
use crate::ticket::search;

fn old(n: i64) -> OldTicket {
    OldTicket {
        old_no: format!("HX-{n:06}"),
        // Many in one second, as days without a clock are.
        created_at: NINE - 400 * 86_400_000 + (n / 50) * 1000,
        closed_at: NINE - 399 * 86_400_000,
        channel: "phone".into(),
        category: Some("030101".into()),
        street: Some("110102019".into()),
        lead: Some("rl".into()),
        title: Some(format!("旧单第{n}号暖气不热")),
        content: Some("孙某来电说十五度".into()),
        caller: Some("12000000001".into()),
        secrecy: "normal".into(),
        ..OldTicket::default()
    }
}

#[test]
fn the_same_file_again_adds_nothing_and_the_past_is_in_no_rate_and_no_desk() {
    on_both(|db| async move {
        let bundle = |range: std::ops::Range<i64>| range.map(old).collect::<Vec<_>>();
        let dry = db.import_tickets(bundle(0..700), NINE, true).await.unwrap();
        assert_eq!(dry, Imported { added: 700, known: 0 });
        assert_eq!(db.verify().await.unwrap().tickets, 0, "dry: nothing is written");
        assert_eq!(db.import_tickets(bundle(0..700), NINE, false).await.unwrap().added, 700);
        let mut twice = bundle(650..750);
        twice.push(old(749));
        let again = db.import_tickets(twice, NINE + 1, false).await.unwrap();
        assert_eq!(again, Imported { added: 50, known: 51 });
        let report = db.verify().await.unwrap();
        assert_eq!((report.problems, report.tickets, report.events), (Vec::new(), 750, 750));

        let one = db.ticket("HX-000007", &Scope::All).await.unwrap().unwrap();
        assert_eq!((one.state.as_str(), one.old_no.as_deref(), one.no), ("closed", Some("HX-000007"), None));
        let lines = db.ticket_events(&one.id).await.unwrap();
        assert_eq!(
            (lines[0].kind.as_str(), lines[0].payload["old_no"].as_str()),
            ("imported", Some("HX-000007"))
        );
        assert_eq!(lines[0].personal.as_ref().unwrap()["number"], "12000000001");
        assert!(!lines[0].payload.to_string().contains("12000000001"));

        let wish = |q: &str| TicketSearch {
            sought: search::read(q).unwrap(),
            all: true,
            callers: true,
            scope: Scope::All,
            limit: 100,
        };
        let found = db.search_tickets(&wish("旧单第742")).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].old_no.as_deref(), Some("HX-000742"));
        // The newest of the past come first, and all of them after what is of today.
        super::acting::accepted(&db, 1).await;
        let found = db.search_tickets(&wish("不热")).await.unwrap();
        assert_eq!(found.len(), 100);
        assert_eq!(found[0].id, "t-act-1");
        assert!(found.windows(2).all(|two| two[0].created_at >= two[1].created_at));

        let period = Period { from: 0, to: i64::MAX };
        let rates = db.indicators(&crate::store::Source::Now(period), &Scope::All).await.unwrap();
        assert!(rates.iter().all(|one| one.denominator == 0 && one.missing == 0), "{rates:?}");
        db.tick_ticket("t-act-1", NINE, &super::tables()).await.unwrap();
        let boxes = db.ticket_boxes(&Scope::All, NINE).await.unwrap();
        assert_eq!(
            boxes.iter().map(|one| (one.state.as_str(), one.count)).collect::<Vec<_>>(),
            [("accepted", 1)]
        );
        assert!(db.open_tickets("", 500).await.unwrap().iter().all(|id| id.starts_with("t-")));
        assert!(db.tickets_to_watch(NINE, 500).await.unwrap().iter().all(|id| id.starts_with("t-")));
    });
}
