//! `attacks.md` S1 to S10 where the user agent meets them: what comes is answered with its reason or dropped, always counted, and
//! nothing of it stays. The readers' own tables are beside the readers.

use super::*;

/// The status of the one answer; `0` when there is none. Nothing may be left but a call that was taken.
#[track_caller]
fn heard(message: &[u8]) -> (u16, String) {
    let mut line = Line::new(config());
    let before = dropped(&line);
    let mut out = Vec::new();
    let flow = Flow::Udp { socket: 0, peer: CALLER.parse().unwrap() };
    line.ua.receive(line.now, Packet { flow, bytes: message }, &mut out);
    line.take(out);
    // A call that is taken hears 100 first.
    let texts = line.texts();
    let text = texts.first().cloned().unwrap_or_default();
    let status = text.get(8..11).and_then(|s| s.parse().ok()).unwrap_or(0);
    if status != 100 && status != 200 {
        assert_eq!(dropped(&line), before + 1, "counted once: {text}");
        assert_eq!(line.ua.live(), Live::default(), "nothing is kept: {text}");
        assert_eq!(line.told, [], "nobody is told: {text}");
    }
    (status, text)
}

fn dropped(line: &Line) -> u64 {
    line.ua
        .counters()
        .iter()
        .filter(|(family, _, _)| *family == "hotline_sip_dropped")
        .map(|(_, _, n)| n)
        .sum()
}

#[track_caller]
fn status(message: &str) -> u16 {
    heard(message.as_bytes()).0
}

fn options(extra: &str) -> String {
    request("OPTIONS", 1, "o", "", "", extra)
}

#[test]
fn attack_s1_lengths_that_lie_in_a_datagram() {
    let with = |length: &str| options("").replace("Content-Length: 0", &format!("Content-Length: {length}"));
    for (length, want) in [
        ("0", 200),
        ("000", 200),
        ("-1", 400),
        ("+0", 400),
        ("0x0", 400),
        ("1", 400),
        ("", 400),
        ("0 0", 400),
        ("0\r\nContent-Length: 0", 200),
        ("0\r\nl: 1", 400),
        ("4294967296", 400),
        ("99999999999999999999", 400),
        ("16385", 413),
    ] {
        assert_eq!(status(&with(length)), want, "{length:?}");
    }
    assert_eq!(status(&format!("{}surplus", options(""))), 200, "surplus bytes are cut");
}

#[test]
fn attack_s2_every_prefix_of_a_message_and_broken_addresses() {
    let whole = invite(1, "a", SDP, "");
    for cut in 1..whole.len() {
        let (status, text) = heard(&whole.as_bytes()[..cut]);
        assert!(matches!(status, 0 | 400), "cut at {cut}: {text}");
    }
    for (from, to) in [
        ("From: <sip:12000000001@127.0.0.2>;tag=f", "From: \"unclosed <sip:1@127.0.0.2>;tag=f"),
        ("From: <sip:12000000001@127.0.0.2>;tag=f", "From: <sip:1@127.0.0.2;tag=f"),
        ("From: <sip:12000000001@127.0.0.2>;tag=f", "From: <sip:1@127.0.0.2>;tag=\"f"),
        ("To: <sip:12341@127.0.0.1>", "To: \""),
        ("To: <sip:12341@127.0.0.1>", "To: <>"),
        ("sip:12341@127.0.0.1:5060 SIP", "sip:12341@127.0.0.1:99999 SIP"),
        ("sip:12341@127.0.0.1:5060 SIP", "sip:12341@[::1 SIP"),
        ("sip:12341@127.0.0.1:5060 SIP", "<sip:12341@127.0.0.1> SIP"),
        ("Contact: <sip:c@127.0.0.2:5070>", "Contact: \"c\" <sip:c"),
    ] {
        assert!(whole.contains(from));
        assert_eq!(status(&whole.replacen(from, to, 1)), 400, "{to}");
    }
    let via = format!("Via: SIP/2.0/UDP {CALLER};branch=z9hG4bKaINVITE1");
    assert!(whole.contains(&via));
    for broken in ["Via: ", "Via: SIP/2.0", "Via: SIP/2.0/UDP", "Via: SIP/2.0/UDP :", "Via: \"", "X: y"] {
        assert_eq!(status(&whole.replacen(&via, broken, 1)), 0, "{broken}: nowhere to answer to");
    }
}

#[test]
fn attack_s3_credentials_cut_short_or_for_another_realm() {
    let phones = || UaConfig {
        peers: vec![Peer {
            kind: PeerKind::Phone,
            inbound: Some(Credentials { user: "8001".into(), password: "secret".into(), realm: None }),
            outbound: None,
            nets: Vec::new(),
            target: None,
            ..config().peers.remove(0)
        }],
        ..config()
    };
    for (value, want) in [
        ("Digest", 401),
        ("Basic ODAwMTpzZWNyZXQ=", 401),
        ("Digest realm=\"other\", username=\"8001\", nonce=\"n\", uri=\"u\", response=\"r\"", 401),
        ("Digest realm=\"HOTLINE\", username=\"8001\"", 401),
        ("Digest realm=\"hotline\", username=\"8001\", nonce=\"n\", uri=\"u\", response=\"r\"", 401),
        ("Digest realm=\"hotline\"", 400),
        ("Digest realm=\"hotline\", username=\"8001\"", 400),
        ("Digest realm=\"hotline\", username=\"8001\", nonce=\"n\", uri=\"u\"", 400),
        ("Digest realm=\"hotline\", username", 400),
        ("Digest realm=\"hotline\", username=", 400),
        ("Digest realm=\"hotline", 400),
        ("Digest realm", 400),
        ("Digest realm=\"hotline\", realm=\"other\"", 400),
        (
            "Digest realm=\"hotline\", username=\"8001\", nonce=\"n\", uri=\"u\", response=\"r\", qop=auth",
            400,
        ),
        (
            "Digest realm=\"hotline\", username=\"8001\", nonce=\"n\", uri=\"u\", response=\"r\", qop=\"auth\", nc=1, cnonce=\"c\"",
            400,
        ),
        (
            "Digest realm=\"hotline\", username=\"8001\", nonce=\"n\", uri=\"u\", response=\"r\", algorithm=SHA-1",
            401,
        ),
        ("", 400),
        (",", 400),
        ("Digest ,,,", 401),
        ("Digest \"", 400),
    ] {
        let mut line = Line::new(phones());
        line.hear(&request(
            "REGISTER",
            1,
            "r",
            "<sip:8001@hotline>",
            "",
            &format!("X-Room: {}\r\nAuthorization: {value}\r\n", "x".repeat(400)),
        ));
        let text = line.texts().last().cloned().unwrap_or_default();
        // What is broken is told so or asked again; what is another's is always asked.
        let asked = text.starts_with("SIP/2.0 401");
        assert!(asked || (want == 400 && text.starts_with("SIP/2.0 400")), "{value:?} wants {want}: {text}");
        assert_eq!(text.contains("WWW-Authenticate: Digest realm=\"hotline\""), asked, "{value:?}");
        assert_eq!(line.ua.live().registrations, 0);
    }
}

#[test]
fn attack_s4_each_limit_less_one_exact_and_one_more() {
    for over in [-1_i32, 0, 1] {
        let want = if over > 0 { 400 } else { 200 };
        let long = "x".repeat((1024 + over) as usize);
        assert_eq!(status(&options("").replace(";tag=f", &format!(";tag={long}"))), want, "tag {over}");
        assert_eq!(status(&options("").replace("story@test", &long)), want, "Call-ID {over}");
        let branch = format!("branch=z9hG4bK{}", &long[7..]);
        assert_eq!(status(&options("").replace("branch=z9hG4bKoOPTIONS1", &branch)), want, "branch {over}");
        let line = format!("X: {}\r\n", "y".repeat((8192 - 3 + over) as usize));
        assert_eq!(status(&options(&line)), want, "line {over}");
        let lines = "X: y\r\n".repeat((128 - 8 + over) as usize);
        assert_eq!(options("").matches("\r\n").count() - 2, 8, "lines of the model");
        assert_eq!(status(&options(&lines)), want, "lines {over}");
        let head = options("").len() - 4;
        let fill = format!("X: {}\r\n", "y".repeat(1019)).repeat(46);
        let rest = 48 * 1024 + over - (head + fill.len()) as i32 - 5;
        let filled = options(&format!("{fill}X: {}\r\n", "y".repeat(rest as usize)));
        assert_eq!(filled.len() as i32 - 4, 48 * 1024 + over, "the head's length");
        assert_eq!(status(&filled), if over > 0 { 513 } else { 200 }, "head {over}");
    }
}

#[test]
fn attack_s5_numbers_of_any_length() {
    for digits in 1..=40 {
        for digit in ['0', '1', '4', '9'] {
            let number = digit.to_string().repeat(digits);
            let fits = number.parse::<u128>().is_ok_and(|n| n <= u128::from(u32::MAX));
            let cseq = status(&options("").replace("CSeq: 1 ", &format!("CSeq: {number} ")));
            // RFC 3261 §8.1.1.5: less than 2³¹ is what a sender may say; what fits is read.
            assert!(if fits { matches!(cseq, 200 | 400) } else { cseq == 400 }, "CSeq {number}: {cseq}");
            let hops = status(&options("").replace("Max-Forwards: 70", &format!("Max-Forwards: {number}")));
            assert!(
                if fits { matches!(hops, 200 | 483) } else { hops == 400 },
                "Max-Forwards {number}: {hops}"
            );
            let expires = status(&invite(1, "a", SDP, &format!("Session-Expires: {number}\r\n")));
            assert!(matches!(expires, 100 | 400 | 422), "Session-Expires {number}: {expires}");
            let port = number.parse::<u128>().is_ok_and(|n| n <= u128::from(u16::MAX));
            let uri =
                invite(1, "a", SDP, "").replacen("127.0.0.1:5060 SIP", &format!("127.0.0.1:{number} SIP"), 1);
            assert_eq!(status(&uri), if port { 100 } else { 400 }, "port {number}");
        }
    }
}

#[test]
fn attack_s6_a_bomb_of_headers_ends_at_the_limit() {
    for name in [
        "Accept: a/b",
        "Record-Route: <sip:r;lr>",
        "X: y",
        "Via: SIP/2.0/UDP 192.0.2.1",
        "Contact: <sip:a@b>",
    ] {
        let bomb = format!("{name}\r\n").repeat(10_000);
        assert!(matches!(status(&options(&bomb)), 400 | 513), "{name}");
        let short = format!("{name}\r\n").repeat(129);
        assert_eq!(status(&options(&short)), 400, "{name}");
    }
    // Behind a comma the limit is the same: values of a route set are kept as long as their session.
    let routes = format!("Record-Route: {}<sip:r;lr>\r\n", "<sip:r;lr>,".repeat(600));
    assert_eq!(status(&invite(1, "a", SDP, &routes)), 400);
}

#[test]
fn a_way_that_cannot_be_sent_to_is_refused() {
    for route in ["<sip:127.0.0.2:5070;lr", "<sip:127.0..2;lr+", "<tel:1>", "<sip:a@>", "<sip:r;lr>, <"] {
        assert_eq!(status(&invite(1, "a", SDP, &format!("Record-Route: {route}\r\n"))), 400, "{route}");
    }
    assert_eq!(status(&invite(1, "a", SDP, "Record-Route: \"p\" <sip:r;lr>, <sip:[::1]:5061>\r\n")), 100);
}

#[test]
fn attack_s7_multiparts_without_a_description() {
    let with = |body: &str| {
        invite(1, "a", SDP, "").replace("application/sdp", "multipart/mixed;boundary=b").replace(
            &format!("Content-Length: {}\r\n\r\n{SDP}", SDP.len()),
            &format!("Content-Length: {}\r\n\r\n{body}", body.len()),
        )
    };
    let part = format!("--b\r\nContent-Type: application/sdp\r\n\r\n{SDP}\r\n");
    assert_eq!(status(&with(&format!("{part}--b--"))), 100, "whole");
    for (body, want) in [
        (part.clone(), 400),
        (part[..part.len() - 60].to_owned(), 400),
        ("--b--".to_owned(), 415),
        ("--b\r\n\r\n--b--".to_owned(), 415),
        ("--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--".to_owned(), 415),
        ("no boundary at all".to_owned(), 400),
        ("--b\r\nContent-Type: application/sdp\r\n\r\n\r\n--b--".to_owned(), 400),
    ] {
        assert_eq!(status(&with(&body)), want, "{body:?}");
    }
}

#[test]
fn attack_s8_descriptions_nobody_can_serve() {
    let with = |media: &str| {
        let head = &SDP[..SDP.find("m=").unwrap()];
        status(&invite(1, "a", &format!("{head}{media}"), ""))
    };
    let codecs: String = (0..500).map(|n| format!("a=rtpmap:{} C{n}/8000\r\n", 96 + n % 32)).collect();
    for (media, want) in [
        ("m=audio 20000 RTP/AVP\r\n".to_owned(), 400),
        ("m=audio 20000 RTP/AVP 8\r\na=fmtp:99 x\r\n".to_owned(), 100),
        (format!("m=audio 20000 RTP/AVP 96\r\n{codecs}"), 488),
        (String::new(), 400),
        ("m=audio 20000 RTP/AVP 8\r\n".repeat(16), 100),
        ("m=audio 20000 RTP/AVP 8\r\n".repeat(60), 400),
        (format!("m=audio 20000 RTP/AVP{}\r\n", " 8".repeat(64)), 100),
        (format!("m=audio 20000 RTP/AVP{}\r\n", " 8".repeat(65)), 400),
        ("m=audio 0 RTP/AVP 8\r\n".to_owned(), 488),
        ("m=video 20000 RTP/AVP 31\r\n".to_owned(), 488),
        ("m=audio\x1b 20000 RTP/AVP 8\r\n".to_owned(), 400),
    ] {
        assert_eq!(with(&media), want, "{}", &media[..media.len().min(80)]);
    }
}

#[test]
fn attack_s9_an_invite_less_each_mandatory_header_makes_no_state() {
    let whole = invite(1, "a", SDP, "");
    assert_eq!(status(&whole), 100);
    for name in ["Via", "From", "To", "Call-ID", "CSeq", "Contact"] {
        let less: String =
            whole.split_inclusive("\r\n").filter(|line| !line.starts_with(&format!("{name}: "))).collect();
        assert!(less.len() < whole.len());
        // Without a Via there is nowhere to answer to.
        assert_eq!(status(&less), if name == "Via" { 0 } else { 400 }, "without {name}");
    }
}

#[test]
fn attack_s10_any_byte_before_the_colon() {
    for byte in 0..=255_u8 {
        let mut bytes = options("").into_bytes();
        let at = bytes.windows(8).position(|w| w == b"Call-ID:").unwrap() + 7;
        bytes.insert(at, byte);
        let (status, text) = heard(&bytes);
        // Blanks belong to HCOLON; every other byte makes another name or none, and then the Call-ID is missing. A second colon
        // begins the value.
        let want = if matches!(byte, b' ' | b'\t' | b':') { 200 } else { 400 };
        assert_eq!(status, want, "byte {byte}: {text}");
    }
    // What only our own side may say counts for nothing from outside.
    assert_eq!(status(&options("X-Hotline-Trusted: yes\r\nX-Peer: city\r\n")), 200);
}
