//! Nothing is allocated on a media worker's thread, whatever its calls do: counted by the allocator itself, under the real
//! worker and recorder with 1,000 streams on loopback, keys both ways, changing prompts, recordings, bridged pairs, a conference
//! of eight, and calls that come and go.

use hotline::base::{Digit, LegId, Time};
use hotline::media::Prompts;
use hotline::media::recorder;
use hotline::media::rtp;
use hotline::media::seam::{
    BridgeId, ClipId, Codec, Event, Member, Order, Piece, PlayId, RecordingGap, RecordingId, Session,
};
use hotline::media::source::Local;
use hotline::media::worker::{self, Start, WorkerHandle};
use std::alloc::{GlobalAlloc, Layout, System};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

struct Counting;

static ON_WORKERS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

fn count(bytes: usize) {
    if worker::is_worker_thread() {
        ON_WORKERS.fetch_add(1, Ordering::Relaxed);
        BYTES.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

// SAFETY: every call is handed on to the system's allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        unsafe { System.realloc(at, layout, size) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const STREAMS: u64 = 1000;
/// Packets each way that the counted stretch takes: five seconds of a thousand streams.
const PACKETS: u64 = 250_000;
const LIMIT: Duration = Duration::from_secs(240);

fn more_files() {
    // SAFETY: a plain system call on a structure of ours.
    unsafe {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        limit.rlim_cur = limit.rlim_max;
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
    }
}

fn session(remote: SocketAddr, event_pt: Option<u8>) -> Box<Session> {
    Box::new(Session {
        remote: Some(remote),
        remote_rtcp: None,
        codec: Codec::Pcma,
        send_pt: 8,
        recv_pt: 8,
        event_pt,
        send_event_pt: event_pt,
        may_send: true,
        may_receive: true,
        symmetric: true,
        media_nets: Arc::from([]),
    })
}

/// The far end of every call: one socket that speaks to all ports, 50 packets a second each, a key now and then.
fn talk(socket: &UdpSocket, ports: &[SocketAddr], stop: &AtomicBool) {
    let mut next = Instant::now();
    for n in 0u32.. {
        for (i, to) in ports.iter().enumerate() {
            let key = (n + i as u32) % 100;
            let (payload_type, timestamp, payload): (u8, u32, &[u8]) = match key {
                0..=5 => (101, (n - key.min(n)) * 160, &[3, 10, 2, 0]),
                6..=8 => (101, (n - key.min(n)) * 160, &[3, 0x8A, 4, 0]),
                _ => (8, n * 160, &[0x55; 160]),
            };
            let mut bytes = [0; rtp::HEADER + 160];
            let (head, sound) = bytes.split_at_mut(rtp::HEADER);
            rtp::write(head.try_into().unwrap(), false, payload_type, n as u16, timestamp, 7);
            sound[..payload.len()].copy_from_slice(payload);
            let _ = socket.send_to(&bytes[..rtp::HEADER + payload.len()], to);
        }
        if stop.load(Ordering::Relaxed) {
            return;
        }
        next += Duration::from_millis(20);
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}

struct Bench {
    worker: WorkerHandle,
    digits: u64,
    finished: u64,
    recorded: u64,
    closed: u64,
    free: Vec<u16>,
}

impl Bench {
    fn order(&mut self, order: Order) {
        assert!(self.worker.order(order));
        self.worker.wake();
    }
    fn counted(&self, what: &str) -> u64 {
        self.worker.counters().iter().find(|(name, _)| *name == what).map_or(0, |(_, n)| *n)
    }
    fn news(&mut self) {
        let (mut digits, mut finished, mut recorded, mut closed) = (0, 0, 0, 0);
        let free = &mut self.free;
        self.worker.events(&mut |event| match event {
            Event::Digit { .. } => digits += 1,
            Event::Finished { .. } => finished += 1,
            Event::RecordingEnded { failed, .. } => {
                assert!(!failed);
                recorded += 1;
            }
            Event::Closed { .. } => closed += 1,
            Event::PortFree { port } => free.push(port),
            _ => {}
        });
        self.digits += digits;
        self.finished += finished;
        self.recorded += recorded;
        self.closed += closed;
    }
    /// Waits until the worker has counted so much.
    fn until(&mut self, what: &str, least: u64) {
        let began = Instant::now();
        while self.counted(what) < least {
            self.news();
            assert!(began.elapsed() < LIMIT, "{what}: {} of {least}", self.counted(what));
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[test]
fn a_worker_with_a_thousand_calls_allocates_nothing() {
    more_files();
    let dir = tempfile::tempdir().unwrap();
    let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let prompts: Vec<(Arc<str>, Vec<i16>)> =
        (0..10i16).map(|i| (format!("p{i}").into(), vec![i * 500; 4000 + 700 * i as usize])).collect();
    let (recorder, mut doors) = recorder::start(dir.path(), 1, Box::new(|| {})).unwrap();
    let began = Instant::now();
    let worker = worker::start(Start {
        name: "media-0".into(),
        prompts: Arc::new(Prompts::build(prompts)),
        recorder: doors.pop().unwrap(),
        clock: Box::new(move || Time::from_millis(1000) + began.elapsed()),
        waker: Box::new(|| {}),
        realtime: false,
        local: Local { bound: local, ports: (1, 1) },
        legs: STREAMS as usize,
    })
    .unwrap();
    let mut bench = Bench { worker, digits: 0, finished: 0, recorded: 0, closed: 0, free: Vec::new() };

    let peer = Arc::new(UdpSocket::bind((local, 0)).unwrap());
    let remote = peer.local_addr().unwrap();
    let mut ports = Vec::new();
    for n in 0..STREAMS {
        let (rtp, rtcp) = (UdpSocket::bind((local, 0)).unwrap(), UdpSocket::bind((local, 0)).unwrap());
        let address = rtp.local_addr().unwrap();
        bench.worker.add_port(address.port(), rtp, rtcp);
        // Every tenth has no telephone-event: its sound goes through the detector of tones.
        let session = session(remote, (n % 10 != 0).then_some(101));
        bench.order(Order::Open { leg: LegId(n), port: address.port(), ssrc: n as u32, session });
        ports.push(address);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let (socket, to, end) = (Arc::clone(&peer), ports.clone(), Arc::clone(&stop));
    let talker = std::thread::spawn(move || talk(&socket, &to, &end));

    // Warm: every leg has sent and received.
    bench.until("packets_received", 20 * STREAMS);
    bench.until("packets_sent", 20 * STREAMS);
    let (before, sent, received) = (
        ON_WORKERS.load(Ordering::Relaxed),
        bench.counted("packets_sent"),
        bench.counted("packets_received"),
    );

    // Work of every kind while the packets flow.
    let (mut round, mut next_leg) = (0u64, STREAMS);
    let mut legs: Vec<u64> = (0..STREAMS).collect();
    while bench.counted("packets_sent") < sent + PACKETS
        || bench.counted("packets_received") < received + PACKETS
    {
        assert!(began.elapsed() < LIMIT, "{:?}", bench.worker.counters());
        for i in 0..20 {
            // A call gets an order every quarter of a second; one in five of them a new prompt and one for the recorder.
            let slot = ((round * 20 + i + round / 50) % STREAMS) as usize;
            let (leg, play) = (LegId(legs[slot]), PlayId(round as u32));
            let clip = |n: u64| Piece::Clip(ClipId(((round + n) % 10) as u32));
            bench.order(Order::Background { leg, clip: Some(ClipId((round % 10) as u32)) });
            bench.order(Order::WatchSilence { leg, after_ms: 30_000 });
            if i >= 4 {
                continue;
            }
            let pieces = Box::new([clip(i), Piece::Pause(50), clip(i + 1)]);
            bench.order(Order::Play { leg, play, pieces });
            let recording = RecordingId(u128::from(round * 20 + i) + 1);
            match (round + i) % 4 {
                0 => bench.order(Order::Record { leg, recording }),
                1 => bench.order(Order::Message { leg, recording, max_ms: 500, silence_ms: 0 }),
                2 => bench.order(Order::RecordGap { leg, why: RecordingGap::Sensitive, on: round % 2 == 0 }),
                _ => bench.order(Order::StopRecording { leg }),
            }
        }
        // A hundred pairs and a conference of eight, set anew all the time: what they hear, who is in them, and their end.
        let pair = 8 + (round % 100) as usize * 2;
        let members = match round / 100 % 4 {
            3 => Box::new([]) as Box<[Member]>,
            n => legs[pair..pair + 2]
                .iter()
                .map(|leg| Member { leg: LegId(*leg), hears: if n == 1 { 0 } else { 3 } })
                .collect(),
        };
        bench.order(Order::Bridge { bridge: BridgeId(1 + round % 100), members });
        if round % 20 == 0 {
            let members =
                legs[..8].iter().map(|leg| Member { leg: LegId(*leg), hears: !(1 << (round / 20 % 8)) });
            bench.order(Order::Bridge { bridge: BridgeId(0), members: members.collect() });
        }
        if round % 7 == 0 {
            let digits = ['1', '#'].into_iter().filter_map(Digit::from_char).collect();
            bench.order(Order::Digits { leg: LegId(legs[pair]), digits });
        }
        // One call ends and another begins, on the port of an earlier one.
        if round % 5 == 0 {
            let slot = (round % STREAMS) as usize;
            bench.order(Order::Close { leg: LegId(legs[slot]) });
            let again = bench.free.pop().or_else(|| {
                let (rtp, rtcp) =
                    (UdpSocket::bind((local, 0)).unwrap(), UdpSocket::bind((local, 0)).unwrap());
                let port = rtp.local_addr().unwrap().port();
                bench.worker.add_port(port, rtp, rtcp);
                Some(port)
            });
            legs[slot] = next_leg;
            let port = again.unwrap();
            bench.order(Order::Open {
                leg: LegId(next_leg),
                port,
                ssrc: 1,
                session: session(remote, Some(101)),
            });
            next_leg += 1;
        }
        round += 1;
        bench.news();
        std::thread::sleep(Duration::from_millis(5));
    }
    let allocated = ON_WORKERS.load(Ordering::Relaxed) - before;
    println!(
        "{} packets sent, {} received, {} keys, {} playlists ended, {} recordings ended, {} calls closed, {} orders; \
         {allocated} allocations on the worker's thread ({} bytes since its start)",
        bench.counted("packets_sent") - sent,
        bench.counted("packets_received") - received,
        bench.digits,
        bench.finished,
        bench.recorded,
        bench.closed,
        round * 49,
        BYTES.load(Ordering::Relaxed),
    );
    println!("{:?}", bench.worker.counters());
    println!("recorder: {:?}", recorder.counters());
    stop.store(true, Ordering::Relaxed);
    talker.join().unwrap();
    assert!(bench.counted("bridge_frames") > 10_000, "{:?}", bench.worker.counters());
    assert!(bench.digits > 100 && bench.finished > 100 && bench.recorded > 10 && bench.closed > 10);
    assert_eq!(allocated, 0, "allocations on the worker's thread");
    bench.worker.stop();
    recorder.stop();
}
