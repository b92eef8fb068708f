//! How many calls one media worker carries, and how soon a new one hears its first sound.
//!
//! `cargo run --release --example media_load [STREAMS] [SECONDS] [RECORDED] [BRIDGED]`: every stream sends and receives 50 packets a
//! second on loopback, RECORDED of them into files in a temporary folder. CPU is shown by thread; both ends run here, so
//! pin or subtract as you like. 1000 ÷ (ms of CPU per call-second of `media`) is what one core could carry.
//! Then the first BRIDGED streams are made to hear each other in pairs, and all is measured again: two streams that hear
//! each other beside two that hear a sound of ours.

use hotline::base::{LegId, Time};
use hotline::media::Prompts;
use hotline::media::recorder;
use hotline::media::rtp;
use hotline::media::seam::{
    BridgeId, ClipId, Codec, Event, Member, Order, Piece, PlayId, RecordingId, Session,
};
use hotline::media::source::Local;
use hotline::media::worker::{self, Start, WorkerHandle};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn main() {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<u64>().expect("a number"));
    let (streams, seconds) = (args.next().unwrap_or(1000), args.next().unwrap_or(10));
    let recorded = args.next().unwrap_or(0).min(streams);
    let bridged = args.next().unwrap_or(0).min(streams) / 2 * 2;
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (recorder, mut doors) = recorder::start(dir.path(), 1, Box::new(|| {})).expect("a recorder");
    let began = Instant::now();
    let tone: Vec<i16> = (0..80_000).map(|n| ((n % 100) * 200) as i16).collect();
    let mut worker = worker::start(Start {
        name: "media-0".into(),
        prompts: Arc::new(Prompts::build(vec![("tone".into(), tone)])),
        recorder: doors.pop().expect("one door"),
        clock: Box::new(move || Time::from_millis(1000) + began.elapsed()),
        waker: Box::new(|| {}),
        realtime: true,
        local: Local { bound: LOCAL, ports: (1, 1) },
        legs: streams as usize + 256,
    })
    .expect("a worker");

    first_sound(&mut worker, streams);
    let peer = Arc::new(UdpSocket::bind((LOCAL, 0)).expect("a socket"));
    let remote = peer.local_addr().expect("bound");
    let mut ports = Vec::new();
    for n in 0..streams {
        let port = add_port(&mut worker);
        let leg = LegId(n);
        worker.order(Order::Open { leg, port: port.port(), ssrc: n as u32, session: session(remote) });
        worker.order(Order::Background { leg, clip: Some(ClipId(0)) });
        if n < recorded {
            worker.order(Order::Record { leg, recording: RecordingId(u128::from(n) + 1) });
        }
        worker.wake();
        ports.push(port);
        // Calls do not come all at once.
        std::thread::sleep(Duration::from_micros(500));
    }
    let stop = Arc::new(AtomicBool::new(false));
    let end = Arc::clone(&stop);
    let talker = std::thread::Builder::new().name("peer".into());
    let talker = talker.spawn(move || talk(&peer, &ports, &end)).expect("a thread");
    std::thread::sleep(Duration::from_secs(1));
    println!("{streams} streams, {recorded} recorded");
    let apart = measure(&mut worker, streams, seconds);
    if bridged > 0 {
        for pair in 0..bridged / 2 {
            let member = |n| Member { leg: LegId(pair * 2 + n), hears: 0b11 };
            worker.order(Order::Bridge { bridge: BridgeId(pair), members: Box::new([member(0), member(1)]) });
            worker.wake();
        }
        std::thread::sleep(Duration::from_secs(1));
        println!("{bridged} of them in pairs");
        let together = measure(&mut worker, streams, seconds);
        println!("  the worker's CPU is {:.2} times what it was unbridged", together / apart);
    }
    println!("  recorder: {:?}", recorder.counters());
    stop.store(true, Ordering::Relaxed);
    talker.join().expect("the peer");
    worker.stop();
    recorder.stop();
}

/// CPU and counters over some seconds; the worker's own share of a core.
fn measure(worker: &mut WorkerHandle, streams: u64, seconds: u64) -> f64 {
    let counted = |worker: &WorkerHandle| worker.counters().into_iter().collect::<BTreeMap<_, _>>();
    let (before, from, old) = (cpu(), Instant::now(), counted(worker));
    while from.elapsed() < Duration::from_secs(seconds) {
        worker.events(&mut |_| {});
        std::thread::sleep(Duration::from_millis(5));
    }
    let (took, after, new) = (from.elapsed().as_secs_f64(), cpu(), counted(worker));
    let mut share = 0.0;
    for (name, ms) in &after {
        let used = ms - before.get(name).copied().unwrap_or(0.0);
        if name.starts_with("media") {
            share += used / took;
        }
        println!(
            "  {name:14} {:5.1} % of a core, {:.4} ms per call-second",
            used / took / 10.0,
            used / took / streams as f64
        );
    }
    for (name, n) in &new {
        let grown = n - old.get(name).copied().unwrap_or(0);
        if grown > 0 {
            println!(
                "  {name:22} {grown:10}  {:.2} a stream and second",
                grown as f64 / took / streams as f64
            );
        }
    }
    share
}

/// From the engine's order to the packet at the peer, without and with the load's calls.
fn first_sound(worker: &mut WorkerHandle, streams: u64) {
    let peer = UdpSocket::bind((LOCAL, 0)).expect("a socket");
    let remote = peer.local_addr().expect("bound");
    let mut times = Vec::new();
    for n in 0..200 {
        let (leg, port) = (LegId(streams + n), add_port(worker));
        let at = Instant::now();
        worker.order(Order::Open { leg, port: port.port(), ssrc: 9, session: session(remote) });
        worker.order(Order::Play { leg, play: PlayId(1), pieces: Box::new([Piece::Clip(ClipId(0))]) });
        worker.wake();
        peer.recv(&mut [0; 2000]).expect("a packet");
        times.push(at.elapsed());
        worker.order(Order::Close { leg });
        worker.wake();
        let mut closed = false;
        while !closed {
            worker.events(&mut |event| closed |= matches!(event, Event::Closed { .. }));
            std::thread::sleep(Duration::from_micros(200));
        }
        // Whatever was sent besides.
        peer.set_nonblocking(true).expect("a socket's option");
        while peer.recv(&mut [0; 2000]).is_ok() {}
        peer.set_nonblocking(false).expect("a socket's option");
    }
    times.sort();
    println!(
        "order → first packet at the peer: p50 {:?}, p99 {:?}",
        times[times.len() / 2],
        times[times.len() * 99 / 100]
    );
}

fn add_port(worker: &mut WorkerHandle) -> SocketAddr {
    let (rtp, rtcp) =
        (UdpSocket::bind((LOCAL, 0)).expect("a port"), UdpSocket::bind((LOCAL, 0)).expect("a port"));
    let address = rtp.local_addr().expect("bound");
    worker.add_port(address.port(), rtp, rtcp);
    address
}

fn session(remote: SocketAddr) -> Box<Session> {
    Box::new(Session {
        remote: Some(remote),
        remote_rtcp: None,
        codec: Codec::Pcma,
        send_pt: 8,
        recv_pt: 8,
        event_pt: Some(101),
        send_event_pt: Some(101),
        may_send: true,
        may_receive: true,
        symmetric: true,
        media_nets: Arc::from([]),
    })
}

fn talk(socket: &UdpSocket, ports: &[SocketAddr], stop: &AtomicBool) {
    let mut next = Instant::now();
    let mut bytes = [0x55; rtp::HEADER + 160];
    for n in 0u32.. {
        // Spread over the tick, as callers are.
        for some in ports.chunks(ports.len().div_ceil(20).max(1)) {
            for to in some {
                let head = bytes.first_chunk_mut().expect("longer than a header");
                rtp::write(head, false, 8, n as u16, n.wrapping_mul(160), 7);
                let _ = socket.send_to(&bytes, to);
            }
            next += Duration::from_millis(1);
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        if stop.load(Ordering::Relaxed) {
            return;
        }
    }
}

/// CPU of each thread of this process so far, milliseconds, by name.
fn cpu() -> BTreeMap<String, f64> {
    let mut out = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task").expect("Linux").flatten() {
        let read = |file: &str| std::fs::read_to_string(task.path().join(file)).unwrap_or_default();
        let ns: f64 = read("schedstat").split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0.0);
        *out.entry(read("comm").trim().to_owned()).or_default() += ns / 1e6;
    }
    out
}
