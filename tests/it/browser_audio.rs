//! Agents' audio with the system's browser: its fake microphone reaches a worker's port, a worker's tone reaches its ears, a
//! reload gives the sound back, and a microphone that ends is told.

use crate::support::server::TOP;
use axum::Router;
use axum::extract::State;
use axum::response::Html;
use axum::routing::{get, post};
use hotline::media::g711::{self, FRAME};
use hotline::media::{rtp, seam::Codec};
use hotline::rtc::{self, Deafness, Limits, Microphone, News, Path, RtcHandle, Word};
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

const AGENT: &str = "8003";
const OURS_HZ: f64 = 440.0;
const MICROPHONE_HZ: f64 = 700.0;

/// Packets that came to the worker: when, number, sound.
type Came = Arc<Mutex<Vec<(Instant, u16, Vec<u8>)>>>;

#[derive(Clone)]
struct Side {
    rtc: RtcHandle,
    came: Came,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chromium_is_heard_hears_and_is_back_after_a_reload() {
    let (to, mut news) = mpsc::channel(4_096);
    let config = rtc::Config {
        address: Ipv4Addr::LOCALHOST.into(),
        ports: 31_100..=31_119,
        agents: 2,
        limits: Limits::default(),
    };
    let side = Side { rtc: rtc::start(config, to), came: Came::default() };
    let pages = Router::new()
        .route("/", get(|| async { Html("<!doctype html><title>audio</title>") }))
        .route("/offer", post(offer))
        .route("/echo", post(echo))
        .route("/microphone", post(microphone))
        .with_state(side.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move { axum::serve(listener, pages).await });

    let folder = tempfile::tempdir().expect("a folder");
    let wav = folder.path().join("microphone.wav");
    write_tone(&wav);
    let output = tokio::process::Command::new("node")
        .current_dir(format!("{TOP}/panel"))
        .args(["e2e/audio.mjs", &format!("http://{address}/")])
        .args([wav.as_os_str(), reloads_wanted().to_string().as_ref()])
        .output()
        .await
        .expect("node runs");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_str(&told).expect("JSON");
    println!("{seen}");

    let reloads = seen["reloads"].as_array().expect("a list");
    assert_eq!(reloads.len(), reloads_wanted());
    let mut times: Vec<_> = reloads.iter().map(|load| load["all"].as_u64().expect("ms")).collect();
    times.sort_unstable();
    println!(
        "{} reloads: sound after {} ms (median), {} ms at most",
        times.len(),
        times[times.len() / 2],
        times[times.len() - 1]
    );
    assert!(times.iter().all(|ms| *ms < 2_000), "sound within 2 s of each load: {times:?}");
    for ears in ["before", "after"] {
        let hz = seen[ears]["hz"].as_f64().expect("a frequency");
        assert!((hz - OURS_HZ).abs() < 8.0, "the page hears {hz} Hz: {seen}");
        assert_eq!((&seen[ears]["codec"], &seen[ears]["lost"]), (&"audio/PCMA".into(), &0.into()), "{seen}");
    }
    let came = std::mem::take(&mut *side.came.lock().expect("nobody panics with it"));
    assert!(came.windows(2).all(|pair| pair[1].1 == pair[0].1.wrapping_add(1)), "one stream over the reload");
    // The second before the end of the last: the page stops its microphone at the end.
    let end = came.last().expect("packets came").0 - Duration::from_millis(300);
    let heard: Vec<u8> = came
        .iter()
        .filter(|(at, ..)| *at > end - Duration::from_secs(1) && *at < end)
        .flat_map(|(.., sound)| sound.clone())
        .collect();
    let share = share(&heard, MICROPHONE_HZ);
    println!("{} bytes in the last second, {share:.3} of their power at {MICROPHONE_HZ} Hz", heard.len());
    assert!(heard.len() > 45 * FRAME && share > 0.9);

    let mut verdicts = Vec::new();
    while let Ok(News { path, .. }) = news.try_recv() {
        verdicts.push(path);
    }
    println!("{verdicts:?}");
    assert!(
        verdicts.iter().filter(|path| **path == Path::Proven).count() >= 2,
        "before and after: {verdicts:?}"
    );
    assert_eq!(verdicts.last(), Some(&Path::Deaf(Deafness::NoMicrophone)));
    assert_ne!(side.rtc.quality(AGENT).expect("a leg").0, Word::Poor);
}

fn reloads_wanted() -> usize {
    if std::env::var_os("HOTLINE_PROVE").is_some() { 100 } else { 5 }
}

async fn offer(State(side): State<Side>, sdp: String) -> String {
    let answer = side.rtc.offer(AGENT, &sdp).await.expect("an answer");
    if side.came.lock().expect("nobody panics with it").is_empty() {
        let relay = side.rtc.relay_address(AGENT).expect("a leg");
        let worker = work(relay, Arc::clone(&side.came)).await;
        side.rtc.relay(AGENT, Some(worker)).expect("a leg");
    }
    answer
}

async fn echo(State(side): State<Side>, received: String) {
    side.rtc.probe_echo(AGENT, received.parse().expect("a number")).expect("a leg");
}

async fn microphone(State(side): State<Side>, state: String) {
    assert_eq!(state, "ended");
    side.rtc.microphone(AGENT, Microphone::Ended).expect("a leg");
}

/// A worker's port: a tone out, what comes is kept.
async fn work(relay: SocketAddr, came: Came) -> SocketAddr {
    let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.expect("a port"));
    let address = socket.local_addr().expect("bound");
    let listening = Arc::clone(&socket);
    tokio::spawn(async move {
        let mut datagram = [0; 2_048];
        while let Ok((length, _)) = listening.recv_from(&mut datagram).await {
            let packet = rtp::read(&datagram[..length]).expect("RTP of the relay");
            let packet = (Instant::now(), packet.seq, packet.payload.to_vec());
            came.lock().expect("nobody panics with it").push(packet);
        }
    });
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        for n in 0_u32.. {
            tick.tick().await;
            let mut packet = [0; rtp::HEADER + FRAME];
            let mut head = [0; rtp::HEADER];
            rtp::write(&mut head, n == 0, 8, n as u16, n * FRAME as u32, 7);
            packet[..rtp::HEADER].copy_from_slice(&head);
            for (i, byte) in packet[rtp::HEADER..].iter_mut().enumerate() {
                let sample = wave(OURS_HZ, n as usize * FRAME + i, 8_000.0);
                *byte = g711::encode(Codec::Pcma, sample);
            }
            let _ = socket.send_to(&packet, relay).await;
        }
    });
    address
}

fn wave(hz: f64, n: usize, rate: f64) -> i16 {
    ((n as f64 * hz * std::f64::consts::TAU / rate).sin() * 8_000.0) as i16
}

/// Ten seconds for the browser's microphone; it plays them again and again, and the tone fits at the seam.
fn write_tone(path: &std::path::Path) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec).expect("a file");
    for n in 0..480_000 {
        file.write_sample(wave(MICROPHONE_HZ, n, 48_000.0)).expect("room on the disk");
    }
    file.finalize().expect("room on the disk");
}

/// The share of the power of PCMA at one frequency, by Goertzel in frames of 20 ms.
fn share(pcma: &[u8], hz: f64) -> f64 {
    let (mut at, mut all) = (0.0, f64::EPSILON);
    let turn = 2.0 * (std::f64::consts::TAU * hz / 8_000.0).cos();
    for block in pcma.chunks_exact(FRAME) {
        let (mut one, mut two) = (0.0, 0.0);
        for byte in block {
            let sample = f64::from(g711::decode(Codec::Pcma, *byte));
            (one, two) = (sample + turn * one - two, one);
            all += sample * sample;
        }
        at += (one * one + two * two - turn * one * two) * 2.0 / FRAME as f64;
    }
    at / all
}
