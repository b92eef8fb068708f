//! A call's record is what its facts say.

use super::facts::{Book, CODE, MESSAGE, NINE, NO, RECORDING, call};
use crate::call::EndReason;
use crate::call::fact::Fact;
use crate::store::fold::{CallRecord, CallState, TicketNews, call_of, event_of, hex32};
use std::collections::BTreeSet;

fn folded(book: &Book, n: u64) -> (CallRecord, Vec<TicketNews>) {
    let mut record = CallRecord::new(call(n));
    let mut news = Vec::new();
    for stamped in book.0.iter().filter(|f| call_of(&f.fact) == Some(call(n))) {
        news.extend(record.fold(stamped).expect("each fact is new"));
        assert_eq!(record.fold(stamped), None, "a fact is taken once");
    }
    (record, news)
}

#[test]
fn a_whole_call_ends_in_its_record() {
    let (record, news) = folded(&Book::morning(), 1);
    assert_eq!(record.state, CallState::Ended);
    assert_eq!(record.caller, "12000000001");
    assert_eq!(record.started_at, NINE + 400);
    assert_eq!(record.answered_at, Some(NINE + 500));
    assert_eq!(record.keys, "3");
    assert_eq!(record.path, ["welcome", "people"]);
    assert_eq!(record.prompts, ["welcome_short"]);
    assert_eq!(record.queues.len(), 1);
    assert_eq!((record.queues[0].priority, record.queues[0].ahead), (1, 3), "raised after joining");
    assert_eq!(record.queues[0].outcome.as_deref(), Some("no_staff"));
    assert_eq!(record.values, [("language".to_owned(), "zh".to_owned())]);
    assert_eq!(record.recording.as_deref(), Some(hex32(RECORDING).as_str()));
    assert_eq!(record.message.as_deref(), Some(hex32(MESSAGE).as_str()));
    assert_eq!(record.end_reason.as_deref(), Some("message_left"));
    assert_eq!(record.fault.as_deref(), Some("caller"));
    assert_eq!(record.media.as_ref().map(|m| m.mos_x100), Some(431));
    assert_eq!(
        news,
        [
            TicketNews::Draft,
            TicketNews::Number { nth: 1, no: NO.into(), code: CODE.into(), stored: false },
            TicketNews::Stored { nth: 1, what: "message" },
            TicketNews::Ended
        ]
    );
}

#[test]
fn pauses_of_the_recorder_are_told_from_its_beginning() {
    let paused = |on| Fact::RecordingPaused { call: call(1), on, why: "8001".into() };
    let mut book = Book::default();
    book.arrived(call(1), "1").answered(call(1));
    book.write(Fact::RecordingStarted { call: call(1), recording: RECORDING });
    book.write(paused(true)).write(paused(true)).write(paused(false)).write(paused(true));
    let (record, _) = folded(&book, 1);
    let told: Vec<_> = record.recording_pauses.iter().map(|p| (p.from_ms, p.to_ms, p.by.as_str())).collect();
    assert_eq!(told, [(100, None, "8001"), (200, Some(300), "8001"), (400, None, "8001")]);
}

#[test]
fn nothing_reopens_an_ended_call_and_a_restart_is_an_end() {
    let mut book = Book::default();
    book.arrived(call(1), "1").ended(call(1), EndReason::CallerCancelled).answered(call(1));
    assert_eq!(folded(&book, 1).0.state, CallState::Ended);

    let mut book = Book::default();
    book.arrived(call(1), "1").answered(call(1));
    let (mut record, _) = folded(&book, 1);
    assert!(record.cut_by_restart(NINE + 10_000));
    assert!(!record.cut_by_restart(NINE + 20_000), "once");
    assert_eq!(record.end_reason.as_deref(), Some("restarted"));
    assert_eq!(record.ended_at, Some(NINE + 10_000));
}

#[test]
fn every_kind_of_fact_has_a_line_of_its_own_that_tells_no_code() {
    let mut kinds = BTreeSet::new();
    for stamped in Book::morning().0 {
        let (kind, data) = event_of(&stamped.fact);
        kinds.insert(kind);
        assert!(!data.to_string().contains(CODE), "{kind} tells the look-up code");
    }
    // As many as `Fact` has kinds.
    assert_eq!(kinds.len(), 25, "{kinds:?}");
}

#[test]
fn a_record_reads_back_from_what_is_kept_of_it() {
    let (record, _) = folded(&Book::morning(), 1);
    let kept = serde_json::to_string(&record).unwrap();
    assert_eq!(serde_json::from_str::<CallRecord>(&kept).unwrap(), record);
    // A field that a later version adds has a default.
    assert_eq!(serde_json::from_str::<CallRecord>("{\"id\": \"c\"}").unwrap().id, "c");
}
