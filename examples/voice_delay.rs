//! How long a word is under way between a caller and an agent in the browser, each way, measured from the sound.
//!
//! `cargo build --release && cargo run --release --example voice_delay [SECONDS]`: starts the server beside it as a demonstration, an
//! agent in the system's browser (`panel/e2e/delay.mjs`) and a caller whose packets have known times; both say a chirp each second,
//! and all use this machine's one clock.
//!
//! - caller → browser: from the chirp's first sample at the caller's microphone (its packet is sent up to 20 ms later, when it is
//!   full) to the moment the page hands that sample to its loudspeaker. In it: the packet's filling, the network (loopback), our
//!   jitter buffer and bridge, DTLS-SRTP, the browser's jitter buffer and decoder.
//! - browser → caller: from the sample on the track of the page's microphone to the arrival of its packet at the caller and as much
//!   later as it stands in the packet. In it: the browser's sender, DTLS-SRTP, our relay, jitter buffer and bridge, the network.
//!
//! Not in it: sound cards at both ends, the caller's own jitter buffer, the city's network. The measure's own delay is told; it makes
//! the first figure larger and the second one smaller by at most so much.

#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../tests/it/support/audio.rs"]
mod audio;
#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../tests/it/support/caller.rs"]
mod caller;
#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../tests/it/support/level.rs"]
mod level;

use audio::alaw;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const ASKED_MS: f64 = 150.0;
const WAIT: Duration = Duration::from_secs(60);
const FRAME: usize = 160;
/// Samples from chirp to chirp: not a whole number of packets, so that a chirp begins anywhere in one.
const EACH: u64 = 8_104;
/// 40 ms.
const CHIRP: u64 = 320;
/// A chirp is loud at once; what is below this is none.
const LOUD: i16 = 3_000;
/// A chirp that is not there after so long is lost.
const LOST_MS: f64 = 900.0;

type Times = Arc<Mutex<Vec<f64>>>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seconds: u64 = std::env::args().nth(1).map_or(Ok(40), |text| text.parse())?;
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let microphone = dir.path().join("microphone.wav");
    write_microphone(&microphone)?;
    let mut browser = Browser::start(server.http, &microphone, seconds)?;
    browser.line("ready")?;

    let rtp = UdpSocket::bind("127.0.0.1:0")?;
    let mut phone = caller::Phone::udp("delay", server.udp);
    phone.script.rtp = rtp.local_addr()?.port();
    let answer = phone.dial();
    let port =
        answer.0.lines().find_map(|line| line.strip_prefix("m=audio ")?.split(' ').next()?.parse().ok());
    let remote = SocketAddr::from(([127, 0, 0, 1], port.ok_or("no port in the answer")?));
    let (said, heard, done) = (Times::default(), Times::default(), Arc::new(AtomicBool::new(false)));
    let speaking = {
        let (socket, said, done) = (rtp.try_clone()?, Arc::clone(&said), Arc::clone(&done));
        std::thread::spawn(move || speak(&socket, remote, &said, &done))
    };
    let listening = {
        let (heard, done) = (Arc::clone(&heard), Arc::clone(&done));
        rtp.set_read_timeout(Some(Duration::from_millis(100)))?;
        std::thread::spawn(move || listen(&rtp, &heard, &done))
    };
    browser.line("talking")?;
    let page = browser.line("heard")?;
    done.store(true, Ordering::Relaxed);
    speaking.join().map_err(|_| "the speaking thread failed")?;
    listening.join().map_err(|_| "the listening thread failed")?;
    phone.hang_up();

    let times = |key: &str| -> Vec<f64> {
        page[key].as_array().map_or_else(Vec::new, |all| all.iter().filter_map(Value::as_f64).collect())
    };
    println!("voice, one way, ms      chirps   median      p95     most   (asked: median below {ASKED_MS})");
    let mut enough = true;
    let (said, heard) = (said.lock().expect("whole").clone(), heard.lock().expect("whole").clone());
    for (name, from, to) in
        [("caller to browser", &said, &times("heard")), ("browser to caller", &times("said"), &heard)]
    {
        let took = delays(from, to);
        enough &= took.len() >= 20;
        println!(
            "{name:<22} {:>7} {:>8.1} {:>8.1} {:>8.1}   {}",
            took.len(),
            at(&took, 0.5),
            at(&took, 0.95),
            at(&took, 1.0),
            if at(&took, 0.5) < ASKED_MS { "met" } else { "not met" }
        );
    }
    let mut own = times("own");
    own.sort_by(f64::total_cmp);
    println!("{:<22} {:>7} {:>8.1} {:>8.1}", "the measure itself", own.len(), at(&own, 0.5), at(&own, 0.95));
    println!("the browser's jitter buffer: {}; its sound: {}", page["buffer"], page["latency"]);
    // A machine with more work than cores lets every buffer grow.
    println!("the machine's load: {}", std::fs::read_to_string("/proc/loadavg")?.trim());
    if enough { Ok(()) } else { Err("fewer than 20 chirps were heard".into()) }
}

/// Each time of `to` with the last of `from` before it, sorted.
fn delays(from: &[f64], to: &[f64]) -> Vec<f64> {
    let mut took: Vec<f64> = to
        .iter()
        .filter_map(|to| {
            let before = from.iter().filter(|from| **from < *to).max_by(|a, b| a.total_cmp(b))?;
            (to - before < LOST_MS).then_some(to - before)
        })
        .collect();
    took.sort_by(f64::total_cmp);
    took
}

fn at(sorted: &[f64], share: f64) -> f64 {
    let place = (share * sorted.len() as f64) as usize;
    sorted.get(place.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

fn wall_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1000.0
}

/// A sample of the chirps: 500 to 3,000 Hz in 40 ms, beginning at its loudest; between them almost nothing.
fn sample(n: u64, rate: f64) -> f64 {
    let each = EACH as f64 / 8_000.0;
    let at = n as f64 / rate % each;
    let length = CHIRP as f64 / 8_000.0;
    if at >= length {
        return ((n * 7_919) % 13) as f64 - 6.0;
    }
    let turns = 500.0 * at + (3_000.0 - 500.0) / length * at * at / 2.0;
    16_000.0 * (std::f64::consts::TAU * turns).cos()
}

/// Ten chirps for the browser's microphone, which plays them again and again.
fn write_microphone(path: &Path) -> Result<(), hound::Error> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec)?;
    for n in 0..10 * EACH * 6 {
        file.write_sample(sample(n, 48_000.0) as i16)?;
    }
    file.finalize()
}

/// 50 packets a second; notes when the first sample of each chirp was at the microphone.
fn speak(socket: &UdpSocket, to: SocketAddr, said: &Times, done: &AtomicBool) {
    let begun = Instant::now();
    for n in 0_u64.. {
        // A packet is full when its last sample has been said.
        let due = Duration::from_millis(20 * (n + 1));
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
        if done.load(Ordering::Relaxed) {
            return;
        }
        let first = n * FRAME as u64;
        let mut packet = vec![0x80, 8];
        packet.extend((n as u16).to_be_bytes());
        packet.extend((first as u32).to_be_bytes());
        packet.extend(7_u32.to_be_bytes());
        packet.extend((0..FRAME as u64).map(|i| alaw::encode(sample(first + i, 8_000.0) as i16)));
        let now = wall_ms();
        let _ = socket.send_to(&packet, to);
        if let Some(i) = (0..FRAME as u64).find(|i| (first + i).is_multiple_of(EACH)) {
            said.lock().expect("whole").push(now - (FRAME as u64 - i) as f64 / 8.0);
        }
    }
}

/// Notes when the first sample of each chirp can be played.
fn listen(socket: &UdpSocket, heard: &Times, done: &AtomicBool) {
    let (mut buffer, mut quiet) = ([0; 2_048], 0);
    while !done.load(Ordering::Relaxed) {
        let Ok(n) = socket.recv(&mut buffer) else { continue };
        let now = wall_ms();
        // Version 2, payload type 8 in twelve bytes of header.
        if n <= 12 || buffer[0] != 0x80 || buffer[1] & 0x7F != 8 {
            continue;
        }
        for (i, byte) in buffer[12..n].iter().enumerate() {
            if alaw::decode(*byte).saturating_abs() < LOUD {
                quiet += 1;
                continue;
            }
            if quiet > 2_000 {
                heard.lock().expect("whole").push(now + i as f64 / 8.0);
            }
            quiet = 0;
        }
    }
}

struct Server {
    child: Child,
    udp: SocketAddr,
    http: SocketAddr,
}

impl Server {
    /// The program of the same build, on free ports.
    fn start(dir: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let program = std::env::current_exe()?;
        let program = program.parent().and_then(Path::parent).ok_or("no folder")?.join("hotline");
        let (config, data) = (dir.join("hotline.toml"), dir.join("data"));
        std::fs::write(&config, "")?;
        let log = std::fs::File::create(dir.join("log"))?;
        let mut command = Command::new(&program);
        command.args(["serve", "--demo", "--config"]).arg(&config).arg("--data").arg(&data);
        for key in ["SIP__UDP", "SIP__TCP", "HTTP__LISTEN"] {
            command.env(format!("HOTLINE__{key}"), "127.0.0.1:0");
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .map_err(|e| format!("{}: {e} (cargo build --release)", program.display()))?;
        let mut server = Self { child, udp: ([127, 0, 0, 1], 0).into(), http: ([127, 0, 0, 1], 0).into() };
        let run: Value = level::until("the server listens", WAIT, || {
            serde_json::from_str(&std::fs::read_to_string(data.join("run.json")).ok()?).ok()
        });
        let one =
            |key: &str| run[key].as_str().or_else(|| run[key][0].as_str()).and_then(|text| text.parse().ok());
        (server.udp, server.http) = one("udp").zip(one("http")).ok_or("no addresses in run.json")?;
        let client = reqwest::blocking::Client::new();
        let ready = format!("http://{}/readyz", server.http);
        level::until("the server is ready", WAIT, || {
            client.get(&ready).send().ok().filter(|answer| answer.status().is_success())
        });
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Browser {
    script: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Browser {
    fn start(at: SocketAddr, microphone: &Path, seconds: u64) -> Result<Self, Box<dyn std::error::Error>> {
        let mut script = Command::new("node")
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("panel"))
            .arg("e2e/delay.mjs")
            .arg(format!("http://{at}/"))
            .arg(microphone)
            .args(["8001", &seconds.to_string()])
            .stdout(Stdio::piped())
            .spawn()?;
        let told = script.stdout.take().ok_or("piped")?;
        Ok(Self { script, lines: BufReader::new(told).lines() })
    }

    /// The next line that has this key.
    fn line(&mut self, key: &str) -> Result<Value, Box<dyn std::error::Error>> {
        for line in self.lines.by_ref() {
            let told: Value = serde_json::from_str(&line?)?;
            if !told[key].is_null() {
                return Ok(told);
            }
        }
        Err(format!("the browser ended before \"{key}\"").into())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}
