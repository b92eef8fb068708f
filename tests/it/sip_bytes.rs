//! What SIPp cannot send: streams cut where we like, two messages in one segment, answers compared byte for byte, messages too long for it.

use crate::support::caller::{ANSWER, Phone};
use crate::support::level;
use crate::support::server::{Server, Setup};
use std::time::Duration;

const QUIET: Duration = Duration::from_millis(600);

fn server() -> Server {
    Setup::scenarios().flow("keys", include_str!("flows/keys.toml")).start()
}

/// How the call of this phone ended, once the desk knows.
#[track_caller]
fn end_reason(server: &Server, phone: &Phone) -> String {
    let api = server.api();
    level::until("the call's end is recorded", Duration::from_secs(15), || {
        let call = api.call_by_sip_id(&phone.script.call_id)?;
        call["end_reason"].as_str().map(str::to_owned)
    })
}

#[test]
fn a_stream_cut_at_every_byte_is_read_whole() {
    let server = server();
    let mut phone = Phone::tcp("cut", server.at.tcp);
    let invite = phone.script.invite();
    for byte in invite.as_bytes() {
        phone.send_bytes(&[*byte]);
    }
    let answer = phone.expect_status("INVITE", 200);
    phone.script.to_tag = answer.to_tag().map(str::to_owned);
    let (ack, bye) = (phone.script.ack(), phone.script.bye());
    phone.send(&ack);
    for part in bye.as_bytes().chunks(7) {
        phone.send_bytes(part);
    }
    phone.expect_status("BYE", 200);
    assert_eq!(end_reason(&server, &phone), "caller_hung_up");
    server.assert_clean();
}

#[test]
fn two_messages_in_one_segment_are_two_messages() {
    let server = server();
    let mut phone = Phone::tcp("two", server.at.tcp);
    phone.dial();
    let (key, bye) = (phone.script.key('1'), phone.script.bye());
    // And the end of the second comes later, behind a keep-alive of the next.
    let both = format!("\r\n\r\n{key}{bye}");
    let cut = both.len() - 5;
    phone.send_bytes(&both.as_bytes()[..cut]);
    phone.expect_status("INFO", 200);
    phone.send_bytes(&both.as_bytes()[cut..]);
    phone.expect_status("BYE", 200);
    assert_eq!(end_reason(&server, &phone), "caller_hung_up");
    server.assert_clean();
}

#[test]
fn a_keep_alive_is_answered() {
    let server = server();
    let mut phone = Phone::tcp("ping", server.at.tcp);
    // RFC 5626 3.5.1: a double CRLF asks, a single one answers.
    phone.send("\r\n\r\n");
    let options = phone.script.request("OPTIONS", 1, "", None);
    phone.send(&options);
    phone.expect_status("OPTIONS", 200);
}

#[test]
fn a_message_longer_than_64_kib_is_refused_and_the_stream_closed() {
    let server = server();
    let mut phone = Phone::tcp("long", server.at.tcp);
    let body = "a".repeat(70_000);
    let options = phone.script.request("OPTIONS", 1, "", Some(("text/plain", &body)));
    phone.send(&options);
    let answer = phone.expect("an answer", |m| m.status().is_some());
    assert!(matches!(answer.status(), Some(400 | 413 | 513)), "{}", answer.0);
    level::until("the server closes the stream", ANSWER, || phone.is_closed().then_some(()));
    server.assert_clean();
}

/// RFC 3261 17.2.1: the transaction repeats its answer, it does not make another.
#[test]
fn a_repeated_invite_gets_the_same_bytes_and_makes_no_second_call() {
    let server = server();
    let mut phone = Phone::udp("again", server.at.udp);
    let invite = phone.script.invite();
    phone.send(&invite);
    let first = phone.expect_status("INVITE", 200);
    phone.send(&invite);
    let second = phone.expect_status("INVITE", 200);
    assert_eq!(first, second);
    phone.script.to_tag = first.to_tag().map(str::to_owned);
    let ack = phone.script.ack();
    phone.send(&ack);
    phone.hang_up();
    assert_eq!(end_reason(&server, &phone), "caller_hung_up");
    let same: Vec<_> = server
        .api()
        .list("calls")
        .into_iter()
        .filter(|c| c["sip_call_id"] == *phone.script.call_id)
        .collect();
    assert_eq!(same.len(), 1, "{same:?}");
    server.assert_clean();
}

#[test]
fn a_repeated_bye_gets_the_same_bytes() {
    let server = server();
    let mut phone = Phone::udp("bye-again", server.at.udp);
    phone.dial();
    let bye = phone.script.bye();
    phone.send(&bye);
    let first = phone.expect_status("BYE", 200);
    phone.send(&bye);
    assert_eq!(phone.expect_status("BYE", 200), first);
    server.assert_clean();
}

/// `attacks.md` S25: the right Call-ID and tags from the wrong place end nothing.
#[test]
fn a_bye_from_a_stranger_ends_nothing() {
    let server = server();
    let mut phone = Phone::udp("victim", server.at.udp);
    phone.dial();
    let mut stranger = Phone::udp_from("stranger", "127.0.0.66", server.at.udp);
    let mut forged = phone.script.clone();
    let bye = forged.bye();
    stranger.send(&bye);
    stranger.expect_silence(QUIET);
    phone.press('1');
    phone.hang_up();
    assert_eq!(end_reason(&server, &phone), "caller_hung_up");
    server.assert_clean();
}

/// `attacks.md` S30: an answer to a stranger is never longer than what he sent, and here there is none.
#[test]
fn strangers_get_no_byte_back() {
    let server = server();
    let mut stranger = Phone::udp_from("scan", "127.0.0.66", server.at.udp);
    for cseq in 1..=20 {
        let options = stranger.script.request("OPTIONS", cseq, "User-Agent: friendly-scanner\r\n", None);
        stranger.send(&options);
    }
    stranger.expect_silence(QUIET);
    assert_eq!(server.metrics().count("hotline_sip_transactions"), 0.0, "nothing is kept for a stranger");
}

/// `attacks.md` S1: what a stream's length fields may not say. Each ends with an error answer or a closed stream, and nothing is left.
#[test]
fn lying_lengths_end_the_stream_or_are_refused() {
    let server = server();
    for (n, lengths) in ["-1", "99999999999999999999", "abc", "70000", "0\r\nContent-Length: 7", "+5", "0x10"]
        .iter()
        .enumerate()
    {
        let mut phone = Phone::tcp("lengths", server.at.tcp);
        let options = phone
            .script
            .request("OPTIONS", n as u32 + 1, "", None)
            .replace("Content-Length: 0", &format!("Content-Length: {lengths}"));
        phone.send(&options);
        level::until(
            &format!("an error or the end of the stream for Content-Length {lengths:?}"),
            ANSWER,
            || {
                let refused = phone.poll().is_some_and(|m| m.status().is_some_and(|s| s >= 400));
                (refused || phone.is_closed()).then_some(())
            },
        );
    }
    let mut phone = Phone::tcp("after", server.at.tcp);
    phone.dial();
    phone.hang_up();
    server.assert_clean();
}

/// A connection that dies while its call is being answered leaves nothing behind (`attacks.md` S11).
#[test]
fn calls_whose_connection_is_cut_end_and_leave_nothing() {
    let server = server();
    let mut phones: Vec<Phone> = (0..20).map(|_| Phone::tcp("reset", server.at.tcp)).collect();
    for (n, phone) in phones.iter_mut().enumerate() {
        let invite = phone.script.invite();
        // Cut at places spread over the message; the last ones send it whole.
        let upto = invite.len() * (n + 1) / 18;
        phone.send_bytes(&invite.as_bytes()[..upto.min(invite.len())]);
    }
    drop(phones);
    server.assert_clean();
    let api = server.api();
    level::until("every call has an end", Duration::from_secs(15), || {
        api.list("calls").iter().all(|c| !c["end_reason"].is_null()).then_some(())
    });
}
