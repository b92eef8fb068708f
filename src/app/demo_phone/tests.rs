//! What ends a call of the demonstration that nobody ends: its page is gone, or it has lasted long enough.

use super::*;
use crate::rtc::Limits as SoundLimits;

const SOON: Duration = Duration::from_millis(300);
const LATE: Duration = Duration::from_secs(3_600);

#[test]
fn ten_seconds_without_its_page_and_half_an_hour_are_the_limits() {
    let limits = Limits::default();
    assert_eq!((limits.gone, limits.longest), (Duration::from_secs(10), Duration::from_secs(1_800)));
}

/// A call that is up, against a hotline that takes every call and says yes to everything.
async fn up(limits: Limits, ports: std::ops::RangeInclusive<u16>) -> (DemoPhones, String, UdpSocket) {
    let hotline = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (to, mut news) = mpsc::channel(16);
    tokio::spawn(async move { while news.recv().await.is_some() {} });
    let sound =
        rtc::Config { address: Ipv4Addr::LOCALHOST.into(), ports, agents: 2, limits: SoundLimits::default() };
    let inner = Inner {
        rooms: rtc::start(sound, to),
        number: "12341".into(),
        server: hotline.local_addr().unwrap(),
        media_anywhere: false,
        lines: Mutex::default(),
        counts: Counts::default(),
        limits,
    };
    let phones = DemoPhones(Arc::new(inner));
    let id = "word".to_owned();
    phones.take(&id).unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(phones.0.server).await.unwrap();
    let dial = Dial {
        number: "12341".into(),
        server: phones.0.server,
        caller: "12000000123".into(),
        local: socket.local_addr().unwrap(),
        media: "127.0.0.1:40002".parse().unwrap(),
        word: id.clone(),
    };
    let (_, told) = mpsc::channel(1);
    tokio::spawn(phones.clone().run(dial, socket, told));
    (phones, id, hotline)
}

/// Answers what comes until a request of this kind has.
async fn until(hotline: &UdpSocket, method: &str) {
    let limit = Duration::from_secs(20);
    let wanted = async {
        let mut bytes = vec![0; 8_192];
        loop {
            let (length, from) = hotline.recv_from(&mut bytes).await.unwrap();
            let request = String::from_utf8_lossy(&bytes[..length]).into_owned();
            if !request.starts_with("ACK ") {
                hotline.send_to(yes(&request).as_bytes(), from).await.unwrap();
            }
            if request.starts_with(method) {
                return;
            }
        }
    };
    tokio::time::timeout(limit, wanted).await.unwrap_or_else(|_| panic!("no {method} came"));
}

fn yes(request: &str) -> String {
    let mut reply = "SIP/2.0 200 OK\r\n".to_owned();
    for line in request.split("\r\n").take_while(|line| !line.is_empty()) {
        let tagged = line.starts_with("To:") && !line.contains(";tag=");
        if ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name)) {
            reply += &format!("{line}{}\r\n", if tagged { ";tag=theirs" } else { "" });
        }
    }
    let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 30000 RTP/AVP 8\r\n";
    match request.starts_with("INVITE ") {
        true => format!(
            "{reply}Contact: <sip:hotline@127.0.0.1:5060>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
            sdp.len()
        ),
        false => format!("{reply}Content-Length: 0\r\n\r\n"),
    }
}

#[tokio::test]
async fn a_page_that_asks_no_more_is_gone_and_its_call_is_hung_up() {
    let (phones, id, hotline) = up(Limits { gone: SOON, longest: LATE }, 29_240..=29_247).await;
    until(&hotline, "INVITE").await;
    until(&hotline, "BYE").await;
    let counts = &phones.0.counts;
    assert_eq!((counts.page_gone.load(Relaxed), counts.too_long.load(Relaxed)), (1, 0));
    let state = phones.state(&id).unwrap();
    assert!(state.is_ended() && state != PhoneState::TooLong, "{state:?}");
}

#[tokio::test]
async fn a_page_that_asks_on_keeps_its_call_and_not_for_ever() {
    let (phones, id, hotline) = up(Limits { gone: LATE, longest: SOON }, 29_248..=29_255).await;
    until(&hotline, "INVITE").await;
    until(&hotline, "BYE").await;
    let counts = &phones.0.counts;
    assert_eq!((counts.page_gone.load(Relaxed), counts.too_long.load(Relaxed)), (0, 1));
    let ended = async {
        while phones.state(&id) != Some(PhoneState::TooLong) {
            sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ended).await.expect("it says why");
}
