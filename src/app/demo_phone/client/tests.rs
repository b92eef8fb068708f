use super::*;

const MS: Duration = Duration::from_millis(1);
type Out = Vec<Vec<u8>>;

fn dialled() -> (Client, Out) {
    let mut out = Vec::new();
    let dial = Dial {
        number: "12341".into(),
        server: "127.0.0.1:5060".parse().unwrap(),
        caller: "12000000123".into(),
        local: "127.0.0.1:40000".parse().unwrap(),
        media: "127.0.0.1:40002".parse().unwrap(),
        word: "word".into(),
    };
    let client = Client::new(dial, Time::ZERO, &mut out);
    (client, out)
}

fn text(out: &mut Out) -> Vec<String> {
    out.drain(..).map(|bytes| String::from_utf8(bytes).unwrap()).collect()
}

/// An answer to what we sent, as the hotline makes it.
fn answer(request: &str, status: &str, more: &str) -> Vec<u8> {
    let mut reply = format!("SIP/2.0 {status}\r\n");
    for line in request.split("\r\n").take_while(|line| !line.is_empty()) {
        if line.starts_with("To:") && !line.contains(";tag=") {
            reply += &format!("{line};tag=theirs\r\n");
        } else if ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name)) {
            reply += &format!("{line}\r\n");
        }
    }
    (reply + more).into_bytes()
}

fn with_sound(port: u16, direction: &str) -> String {
    let sdp = format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\na={direction}\r\n"
    );
    format!(
        "Contact: <sip:hotline@127.0.0.1:5060>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    )
}

const EMPTY: &str = "Content-Length: 0\r\n\r\n";

fn asks(method: &str, n: u32, more: &str) -> Vec<u8> {
    format!(
        "{method} sip:12000000123@127.0.0.1:40000 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKx{n}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:12341@127.0.0.1>;tag=theirs\r\nTo: <sip:12000000123@127.0.0.1>;tag=word\r\n\
         Call-ID: word@browser\r\nCSeq: {n} {method}\r\n{more}"
    )
    .into_bytes()
}

fn talking() -> (Client, Out) {
    let (mut client, mut out) = dialled();
    let invite = text(&mut out).remove(0);
    client.received(&answer(&invite, "200 OK", &with_sound(30_000, "sendrecv")), Time::ZERO, &mut out);
    (client, out)
}

#[test]
fn a_call_is_made_keys_are_sent_one_by_one_and_it_is_hung_up() {
    let (mut client, mut out) = talking();
    assert_eq!(client.state(), PhoneState::Talking);
    assert_eq!(client.media(), Some("127.0.0.1:30000".parse().unwrap()));
    let ack = text(&mut out);
    assert!(ack[0].starts_with("ACK sip:hotline@127.0.0.1:5060 SIP/2.0\r\n"), "{}", ack[0]);
    assert!(ack[0].contains("tag=theirs"));
    assert!(client.press('0', Time::ZERO, &mut out) && client.press('#', Time::ZERO, &mut out));
    let first = text(&mut out);
    assert_eq!(first.len(), 1, "the second waits for the answer to the first");
    assert!(first[0].starts_with("INFO ") && first[0].contains("Signal=0\r\n"));
    client.received(&answer(&first[0], "200 OK", EMPTY), Time::ZERO, &mut out);
    let second = text(&mut out);
    assert!(second[0].contains("Signal=#\r\n") && second[0].contains("CSeq: 3 INFO"));
    client.received(&answer(&second[0], "200 OK", EMPTY), Time::ZERO, &mut out);
    assert!(client.hang_up(Time::ZERO, &mut out));
    assert!(!client.hang_up(Time::ZERO, &mut out));
    let bye = text(&mut out);
    assert!(bye.len() == 1 && bye[0].starts_with("BYE ") && !client.is_over());
    client.received(&answer(&bye[0], "200 OK", EMPTY), Time::ZERO, &mut out);
    assert!(client.is_over());
    assert_eq!((client.state(), client.wake()), (PhoneState::HungUp, None));
}

#[test]
fn an_unanswered_invite_is_repeated_with_growing_pauses_and_given_up() {
    let (mut client, mut out) = dialled();
    out.clear();
    let (mut at, mut sent) = (Time::ZERO, Vec::new());
    while let Some(wake) = client.wake() {
        at = wake;
        client.tick(at, &mut out);
        if !text(&mut out).is_empty() {
            sent.push(at.as_millis());
        }
    }
    assert_eq!(sent, [500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    assert_eq!((at.as_millis(), client.state()), (32_000, PhoneState::NoAnswer));
}

#[test]
fn hanging_up_before_the_first_answer_cancels_after_it() {
    let (mut client, mut out) = dialled();
    let invite = text(&mut out).remove(0);
    client.hang_up(Time::ZERO, &mut out);
    assert!(out.is_empty(), "no CANCEL before a first answer");
    client.received(&answer(&invite, "180 Ringing", EMPTY), Time::ZERO, &mut out);
    let cancel = text(&mut out).remove(0);
    assert!(cancel.starts_with("CANCEL sip:12341@127.0.0.1:5060") && cancel.contains("CSeq: 1 CANCEL"));
    let via = |text: &str| text.lines().find(|line| line.starts_with("Via:")).map(str::to_owned);
    assert_eq!(via(&cancel), via(&invite), "the branch is the INVITE's");
    client.received(&answer(&cancel, "200 OK", EMPTY), Time::ZERO, &mut out);
    client.received(&answer(&invite, "487 Request Terminated", EMPTY), Time::ZERO, &mut out);
    let ack = text(&mut out).remove(0);
    assert!(ack.starts_with("ACK sip:12341@") && ack.contains("tag=theirs") && via(&ack) == via(&invite));
    assert!(client.is_over() && client.state() == PhoneState::HungUp);
}

#[test]
fn an_answer_that_crosses_the_hanging_up_is_acknowledged_and_ended() {
    let (mut client, mut out) = dialled();
    let invite = text(&mut out).remove(0);
    client.hang_up(Time::ZERO, &mut out);
    client.received(&answer(&invite, "200 OK", &with_sound(30_000, "sendrecv")), Time::ZERO, &mut out);
    let sent = text(&mut out);
    assert!(sent.len() == 2 && sent[0].starts_with("ACK ") && sent[1].starts_with("BYE "), "{sent:?}");
}

#[test]
fn what_the_hotline_asks_is_answered() {
    let (mut client, mut out) = talking();
    out.clear();
    client.received(&asks("INVITE", 1, &with_sound(30_002, "sendonly")), Time::ZERO, &mut out);
    let held = text(&mut out).remove(0);
    assert!(held.starts_with("SIP/2.0 200 OK") && held.contains("a=recvonly"), "{held}");
    assert_eq!(client.media(), Some("127.0.0.1:30002".parse().unwrap()));
    client.tick(Time::ZERO + 500 * MS, &mut out);
    assert_eq!(text(&mut out), [held], "again until the ACK");
    client.received(&asks("ACK", 1, EMPTY), Time::ZERO, &mut out);
    assert_eq!(client.wake(), None);
    for (method, status) in [("OPTIONS", "200"), ("UPDATE", "200"), ("REFER", "405"), ("BYE", "200")] {
        client.received(&asks(method, 2, EMPTY), Time::ZERO, &mut out);
        assert!(text(&mut out).remove(0).starts_with(&format!("SIP/2.0 {status}")), "{method}");
    }
    assert!(client.is_over() && client.state() == PhoneState::Released);
}

#[test]
fn refusals_are_told_and_noise_is_not_heard() {
    for (status, state) in [
        ("503 Service Unavailable", PhoneState::Busy),
        ("486 Busy Here", PhoneState::Busy),
        ("403 Forbidden", PhoneState::Refused),
    ] {
        let (mut client, mut out) = dialled();
        let invite = text(&mut out).remove(0);
        client.received(b"\xff\x00 nonsense", Time::ZERO, &mut out);
        client.received(&answer(&invite.replace("word@", "else@"), status, EMPTY), Time::ZERO, &mut out);
        assert_eq!(client.state(), PhoneState::Calling);
        client.received(&answer(&invite, status, EMPTY), Time::ZERO, &mut out);
        assert!(text(&mut out).remove(0).starts_with("ACK "));
        assert_eq!((client.state(), client.is_over()), (state, true));
    }
}
