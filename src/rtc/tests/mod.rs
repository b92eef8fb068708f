//! The relay with a browser on one side and a worker on the other, over real sockets on loopback.

mod page;
mod sound;
mod worker;

use super::*;
use page::Page;
use std::sync::atomic::Ordering::Relaxed;
use worker::Worker;

/// Time for sound to pass; a share of a second suffices for a tone.
const A_WHILE: Duration = Duration::from_millis(600);

/// Ports of a test's own: tests run beside each other. Below the range that the system gives away by itself.
fn open(ports: RangeInclusive<u16>) -> (RtcHandle, mpsc::Receiver<News>) {
    let (to, news) = mpsc::channel(64);
    let config = Config { address: Ipv4Addr::LOCALHOST.into(), ports, agents: 4, limits: Limits::default() };
    (start(config, to), news)
}

/// Waits for a level. The deadline is for a machine with other work: how soon it comes is printed where it matters.
async fn until(news: &mut mpsc::Receiver<News>, path: Path) -> News {
    let limit = Duration::from_secs(20);
    let found = async {
        loop {
            let next = news.recv().await.expect("the room lives");
            if next.path == path {
                return next;
            }
        }
    };
    tokio::time::timeout(limit, found).await.unwrap_or_else(|_| panic!("not {path:?} within {limit:?}"))
}

fn read(rtc: &RtcHandle, name: &str) -> u64 {
    rtc.counters().read().into_iter().find(|(n, _)| *n == name).expect("a counter's name").1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tones_pass_both_ways_and_nobody_hears_anything_unconnected() {
    let (rtc, mut news) = open(31_000..=31_009);
    let mut page = Page::open(&rtc, "8003", 700.0).await;
    let relay = rtc.relay_address("8003").expect("a leg");
    let worker = Worker::start(relay, 450.0, 7).await;
    page.echo(&rtc, "8003");
    let proven = until(&mut news, Path::Proven).await;
    assert_eq!(proven.relay, Some(relay));

    // Nobody is connected: the worker's tone is refused, the browser hears the probe's silence.
    let begin = Instant::now();
    tokio::time::sleep(A_WHILE).await;
    assert!(worker.sound_since(begin).is_empty());
    let idle = page.heard_since(begin);
    assert!(sound::share(&idle, 450.0) < 0.01);
    assert!((3 * 160..=20 * 160).contains(&idle.len()), "{} probes' bytes in {A_WHILE:?}", idle.len());
    assert!(read(&rtc, "relay_strangers") > 20 && read(&rtc, "unconnected") > 20);

    rtc.relay("8003", Some(worker.address)).expect("a leg");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let begin = Instant::now();
    tokio::time::sleep(A_WHILE).await;
    let (there, back) = (worker.sound_since(begin), page.heard_since(begin));
    assert!(there.len() >= 20 * 160 && back.len() >= 20 * 160, "{} and {} bytes", there.len(), back.len());
    assert!(sound::share(&there, 700.0) > 0.95 && sound::share(&there, 450.0) < 0.02);
    assert!(sound::share(&back, 450.0) > 0.95 && sound::share(&back, 700.0) < 0.02);

    rtc.close("8003");
    let last = until(&mut news, Path::Deaf(Deafness::NotSetUp)).await;
    assert_eq!(last.relay, None);
    assert_eq!(rtc.relay("8003", None), Err(RtcError::NoSuchAgent));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_worker_goes_on_with_the_same_stream() {
    let (rtc, _news) = open(31_010..=31_019);
    let page = Page::open(&rtc, "8003", 700.0).await;
    let relay = rtc.relay_address("8003").expect("a leg");
    let one = Worker::start(relay, 450.0, 1_000).await;
    let two = Worker::start(relay, 1_200.0, 60_000).await;
    let mut cuts = Vec::new();
    for worker in [&one, &two, &one] {
        rtc.relay("8003", Some(worker.address)).expect("a leg");
        tokio::time::sleep(A_WHILE).await;
        cuts.push(Instant::now());
    }
    let heard = page.seen.heard.lock().expect("no test panics with it");
    for pair in heard.windows(2) {
        assert_eq!(pair[1].seq, pair[0].seq.wrapping_add(1), "a gap in {:?}", heard.len());
        let step = pair[1].timestamp.wrapping_sub(pair[0].timestamp);
        assert!(step.is_multiple_of(160) && (160..=160 * 20).contains(&step), "a step of {step}");
    }
    let between = |from: Instant, to: Instant| -> Vec<u8> {
        let margin = Duration::from_millis(100);
        heard.iter().filter(|p| p.at > from + margin && p.at < to).flat_map(|p| p.payload.to_vec()).collect()
    };
    let second = between(cuts[0], cuts[1]);
    assert!(second.len() > 15 * 160);
    assert!(sound::share(&second, 1_200.0) > 0.95 && sound::share(&second, 450.0) < 0.02);
    assert!(sound::share(&between(cuts[1], cuts[2]), 450.0) > 0.95);
    drop(heard);
    // To both workers it is one stream, too.
    let (mut all, more) = (one.stop(), two.stop());
    all.extend(more);
    all.sort_by_key(|packet| packet.at);
    assert!(all.len() > 70);
    for pair in all.windows(2) {
        assert_eq!(pair[1].ssrc, pair[0].ssrc);
        assert_eq!(pair[1].seq, pair[0].seq.wrapping_add(1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reloaded_page_has_its_sound_back_within_two_seconds() {
    let (rtc, mut news) = open(31_020..=31_029);
    let mut old = Page::open(&rtc, "8003", 700.0).await;
    let relay = rtc.relay_address("8003").expect("a leg");
    let worker = Worker::start(relay, 450.0, 9).await;
    rtc.relay("8003", Some(worker.address)).expect("a leg");
    old.echo(&rtc, "8003");
    until(&mut news, Path::Proven).await;
    // The page goes without a word.
    old.stop_tasks();
    drop(old);

    let begin = Instant::now();
    let mut page = Page::open(&rtc, "8003", 1_200.0).await;
    page.echo(&rtc, "8003");
    until(&mut news, Path::Proven).await;
    let first = page.seen.heard.lock().expect("no test panics with it")[0].at - begin;
    println!("from the offer: sound after {first:?}, proven after {:?}", begin.elapsed());
    assert!(first < Duration::from_secs(2));
    assert_eq!(rtc.relay_address("8003"), Ok(relay), "the relay stays");

    tokio::time::sleep(A_WHILE).await;
    let back = worker.sound_since(Instant::now() - A_WHILE / 2);
    assert!(sound::share(&back, 1_200.0) > 0.95);
    let came = worker.stop();
    assert!(came.windows(2).all(|pair| pair[1].ssrc == pair[0].ssrc));
    assert!(came.windows(2).all(|pair| pair[1].seq == pair[0].seq.wrapping_add(1)));
    assert!(came.windows(2).all(|pair| pair[1].timestamp.wrapping_sub(pair[0].timestamp) < 8_000 * 3));
    // The old connection's port is free again.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(rtc.gauges(), (1, 9));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deafness_is_told_and_hearing_again_too() {
    let (rtc, mut news) = open(31_030..=31_039);
    let mut page = Page::open(&rtc, "8003", 700.0).await;
    page.echo(&rtc, "8003");
    let second = Duration::from_secs(1);
    until(&mut news, Path::Proven).await;

    rtc.microphone("8003", Microphone::Ended).expect("a leg");
    until(&mut news, Path::Deaf(Deafness::NoMicrophone)).await;
    rtc.microphone("8003", Microphone::Live).expect("a leg");
    until(&mut news, Path::Proven).await;

    page.seen.mute.store(true, Relaxed);
    let begin = Instant::now();
    until(&mut news, Path::Deaf(Deafness::NothingHeard)).await;
    println!("silence told after {:?}", begin.elapsed());
    page.seen.mute.store(false, Relaxed);
    until(&mut news, Path::Proven).await;

    // The page stops echoing (it is frozen, or hears nothing): only the echo's age tells.
    page.stop_tasks();
    page.play(700.0);
    until(&mut news, Path::Deaf(Deafness::NotConfirmed)).await;
    page.echo(&rtc, "8003");
    until(&mut news, Path::Proven).await;

    let (word, quality) = rtc.quality("8003").expect("a leg");
    println!("{word:?}: {:?}", quality.report());
    assert_eq!(word, Word::Good);
    assert!(quality.report().and_then(|report| report.round_trip).expect("reports were sent") < second);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strangers_client_hellos_do_not_get_in_the_way() {
    let setups = if std::env::var_os("HOTLINE_PROVE").is_some() { 100 } else { 8 };
    let (rtc, _news) = open(31_040..=31_049);
    // As much of a ClientHello as is looked at before the handshake: record header, message header, version, random.
    let mut hello =
        vec![22, 254, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 50, 1, 0, 0, 38, 0, 0, 0, 0, 0, 0, 0, 38, 254, 253];
    hello.extend([7; 32]);
    hello.extend([0, 0, 0, 2, 0xC0, 0x2B, 1, 0]);
    let stranger = tokio::net::UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let mut sent = 0;
    for _ in 0..setups {
        let (mut page, offer) = Page::offer().await;
        let answer = rtc.offer("8003", &offer).await.expect("an answer");
        page.answered(&answer).await;
        let flood = async {
            for _ in 0..125 {
                let _ = stranger.send_to(&hello, page.server).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            connected = page.is_connected_within(Duration::from_secs(5)) => assert!(connected, "no connection"),
            () = flood => {}
        }
        for _ in 0..125 {
            let _ = stranger.send_to(&hello, page.server).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        sent += 125;
    }
    let refused = read(&rtc, "strangers");
    println!("{refused} refused");
    assert!(refused > sent, "some of {refused} came while the connection was made, {sent} afterwards");
    assert_eq!(read(&rtc, "connected"), setups);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_certificate_than_the_offers_gets_no_connection() {
    let (rtc, _news) = open(31_050..=31_059);
    let (mut page, offer) = Page::offer().await;
    let (before, hash) = offer.split_once("a=fingerprint:sha-256 ").expect("a fingerprint");
    let forged = format!(
        "{before}a=fingerprint:sha-256 {}{}",
        if hash.starts_with("00") { "11" } else { "00" },
        &hash[2..]
    );
    let answer = rtc.offer("8003", &forged).await.expect("an answer");
    page.answered(&answer).await;
    page.play(700.0);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((read(&rtc, "connected"), read(&rtc, "unconnected")), (0, 0));
}

#[tokio::test]
async fn what_is_not_served_is_refused_and_leaves_nothing_behind() {
    let (rtc, _news) = open(31_060..=31_069);
    for bad in ["", "v=0", "\u{0}", "m=audio 9 X 8"] {
        assert!(rtc.offer("8003", bad).await.is_err());
    }
    assert_eq!(rtc.microphone("9000", Microphone::Live), Err(RtcError::NoSuchAgent));
    assert_eq!(rtc.candidate("9000"), Err(RtcError::NoSuchAgent));
    for agent in ["1", "2", "3"] {
        assert!(rtc.offer(agent, "").await.is_err());
    }
    assert_eq!(rtc.offer("4", "").await, Err(RtcError::TooMany));
    assert_eq!(rtc.gauges(), (4, 10), "no port is lost to a bad offer");
    for agent in ["8003", "1", "2", "3"] {
        rtc.close(agent);
    }
    assert_eq!(rtc.gauges(), (0, 10));
}

#[test]
fn the_crates_below_are_kept_out_of_the_log() {
    let filter = QUIET.iter().fold(tracing_subscriber::EnvFilter::new("trace"), |filter, quiet| {
        filter.add_directive(quiet.parse().expect("a directive"))
    });
    let told = filter.to_string();
    assert!(told.contains("webrtc=off") && told.contains("rtc=off") && told.contains("trace"), "{told}");
}
