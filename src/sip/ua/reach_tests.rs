//! The instrument itself: one machine is driven, and exactly its rows are counted.

use super::*;

/// Every row that was taken, in the tables' order.
fn taken(line: &Line) -> Vec<String> {
    let rows = line.ua.reach().into_iter().filter(|row| row.count > 0);
    rows.map(|row| format!("{}: {} × {} {}", row.machine, row.state, row.input, row.count)).collect()
}

#[test]
fn before_anything_happens_nothing_is_reached() {
    let line = Line::new(config());
    assert!(taken(&line).is_empty());
    // The product of each machine's words: 5·8, 3·4, 5·6, 4·6 and 7·45.
    assert_eq!(line.ua.reach().len(), 40 + 12 + 30 + 24 + 315);
}

#[test]
fn a_refused_call_takes_the_rows_of_its_transaction_and_no_other() {
    let mut line = Line::new(config());
    let text = invite(1, "a", SDP, "");
    line.hear(&text);
    line.hear(&text);
    let dialog = line.invited();
    line.order(|ua, now, out| ua.reject(now, dialog, 486, None, None, out));
    line.pass(Duration::from_millis(700)); // Timer G, once.
    let to = header(&line.said("SIP/2.0 486"), "To");
    line.hear(&request("ACK", 1, "a", &to, "", "").replace("z9hG4bKaACK1", "z9hG4bKaINVITE1"));
    line.pass(Duration::from_secs(6)); // Timer I.
    assert_eq!(
        taken(&line),
        [
            "INVITE server: Proceeding × Repeated 1",
            "INVITE server: Proceeding × Provisional 1",
            "INVITE server: Proceeding × Refusal 1",
            "INVITE server: Completed × Ack 1",
            "INVITE server: Completed × RepeatDue 1",
            "INVITE server: Confirmed × TimeUp 1",
            "session: Invited × Reject 1",
        ]
    );
    // What comes for a session that has gone takes no row: there is nobody in any state.
    line.order(|ua, now, out| ua.hang_up(now, dialog, None, out));
    assert_eq!(taken(&line).len(), 7);
}

#[test]
fn a_call_of_ours_that_nobody_answers_takes_the_rows_of_timers_a_and_b() {
    let mut line = Line::new(config());
    line.order(|ua, now, out| ua.invite(now, PeerId(0), "12000000001", "12341", media(), &[], out))
        .expect("a call");
    line.pass(Duration::from_secs(40));
    assert_eq!(
        taken(&line),
        [
            "INVITE client: Calling × RepeatDue 6",
            "INVITE client: Calling × TimeUp 1",
            "session: Calling × InviteUnanswered 1",
        ]
    );
}

#[test]
fn our_bye_takes_the_rows_of_its_own_transaction() {
    let (mut line, dialog, _) = Line::calling();
    let before = taken(&line);
    assert_eq!(before, ["INVITE client: Calling × Success 1", "session: Calling × PickedUp 1"]);
    line.order(|ua, now, out| ua.hang_up(now, dialog, None, out));
    line.pass(Duration::from_millis(600)); // Timer E, once.
    let bye = line.said("BYE");
    line.hear(&answer(&bye, "100 Trying", "theirs", ""));
    line.hear(&answer(&bye, "200 OK", "theirs", ""));
    line.hear(&answer(&bye, "200 OK", "theirs", ""));
    line.pass(Duration::from_secs(40)); // Timers K and M.
    assert_eq!(
        taken(&line),
        [
            "INVITE client: Calling × Success 1",
            "INVITE client: Accepted × TimeUp 1",
            "other client: Trying × Provisional 1",
            "other client: Trying × RepeatDue 1",
            "other client: Proceeding × Success 1",
            "other client: Completed × Success 1",
            "other client: Completed × TimeUp 1",
            "session: Calling × PickedUp 1",
            "session: Up × HangUp 1",
            "session: Leaving × ByeAnswered 1",
            "session: Leaving × OtherAnswer 1",
        ]
    );
}
