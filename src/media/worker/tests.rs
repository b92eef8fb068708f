//! The real worker and recorder on loopback. Every wait is for a level, with a limit.

use super::{Start, WorkerHandle, start};
use crate::base::{LegId, Time};
use crate::media::g711;
use crate::media::prompts::Prompts;
use crate::media::recorder::{self, RecorderHandle};
use crate::media::rtp;
use crate::media::seam::{
    Codec, Event, MessageEnd, Order, Piece, PlayId, RecordingGap, RecordingId, Session,
};
use crate::media::source::Local;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

mod bridges;

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const LIMIT: Duration = Duration::from_secs(20);

struct Room {
    worker: WorkerHandle,
    recorder: RecorderHandle,
    events: Vec<Event>,
    wakes: Arc<AtomicU64>,
    port: u16,
    address: SocketAddr,
}

impl Room {
    fn new(dir: &Path, sounds: Vec<(Arc<str>, Vec<i16>)>) -> Self {
        let began = Instant::now();
        let wakes = Arc::new(AtomicU64::new(0));
        let woken = Arc::clone(&wakes);
        let (recorder, mut doors) = recorder::start(dir, 1, Box::new(|| {})).unwrap();
        let mut worker = start(Start {
            name: "media-0".into(),
            prompts: Arc::new(Prompts::build(sounds)),
            recorder: doors.pop().unwrap(),
            clock: Box::new(move || Time::from_millis(1000) + began.elapsed()),
            waker: Box::new(move || {
                woken.fetch_add(1, Ordering::Relaxed);
            }),
            realtime: false,
            local: Local { bound: LOCAL, ports: (1, 1) },
            legs: 16,
        })
        .unwrap();
        let (rtp, rtcp) = (UdpSocket::bind((LOCAL, 0)).unwrap(), UdpSocket::bind((LOCAL, 0)).unwrap());
        let address = rtp.local_addr().unwrap();
        worker.add_port(address.port(), rtp, rtcp);
        Self { worker, recorder, events: Vec::new(), wakes, port: address.port(), address }
    }

    fn order(&mut self, order: Order) {
        assert!(self.worker.order(order));
        self.worker.wake();
    }

    fn open(&mut self, leg: u64, peer: &UdpSocket, event_pt: Option<u8>) {
        let session = Box::new(Session {
            remote: Some(peer.local_addr().unwrap()),
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
        });
        self.order(Order::Open { leg: LegId(leg), port: self.port, ssrc: 77, session });
    }

    fn wait(&mut self, what: &str, is: impl Fn(&Event) -> bool) -> Event {
        let began = Instant::now();
        loop {
            let events = &mut self.events;
            self.worker.events(&mut |event| events.push(event));
            if let Some(at) = self.events.iter().position(&is) {
                return self.events.remove(at);
            }
            assert!(began.elapsed() < LIMIT, "no {what} in {:?}", self.events);
            std::thread::yield_now();
        }
    }
}

fn peer() -> UdpSocket {
    let socket = UdpSocket::bind((LOCAL, 0)).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    socket
}

/// The next packet's payload.
fn hear(peer: &UdpSocket) -> (u16, u32, Vec<u8>) {
    let mut bytes = [0; 2000];
    let length = peer.recv(&mut bytes).unwrap();
    let packet = rtp::read(&bytes[..length]).unwrap();
    (packet.seq, packet.timestamp, packet.payload.to_vec())
}

fn say(peer: &UdpSocket, to: SocketAddr, n: u16, payload_type: u8, timestamp: u32, payload: &[u8]) {
    let mut bytes = [0; rtp::HEADER];
    rtp::write(&mut bytes, false, payload_type, n, timestamp, 4242);
    peer.send_to(&[&bytes[..], payload].concat(), to).unwrap();
}

fn read(dir: &Path, id: u128) -> Vec<Vec<i16>> {
    let mut reader = hound::WavReader::open(dir.join(format!("{id:032x}.wav"))).unwrap();
    let channels = usize::from(reader.spec().channels);
    let samples: Vec<i16> = reader.samples::<i16>().map(Result::unwrap).collect();
    (0..channels).map(|c| samples.iter().skip(c).step_by(channels).copied().collect()).collect()
}

#[test]
fn a_leg_plays_hears_keys_records_and_leaves_its_port() {
    let dir = tempfile::tempdir().unwrap();
    let mut room = Room::new(dir.path(), vec![("tone".into(), vec![8000; 8000])]);
    let (leg, peer, us) = (LegId(1), peer(), room.address);
    room.open(1, &peer, Some(101));
    let clip = crate::media::seam::ClipId(0);
    room.order(Order::Record { leg, recording: RecordingId(0xABC) });
    room.order(Order::Play {
        leg,
        play: PlayId(5),
        pieces: Box::new([Piece::Clip(clip), Piece::Pause(100)]),
    });
    let loud = g711::encode(Codec::Pcma, 8000);
    let first = hear(&peer);
    let mut heard = Vec::new();
    for n in 1..60u16 {
        let (seq, timestamp, payload) = hear(&peer);
        assert_eq!(seq, first.0.wrapping_add(n));
        assert_eq!(timestamp, first.1.wrapping_add(160 * u32::from(n)));
        heard.extend(payload);
        if n == 20 {
            say(&peer, us, n, 101, 3200, &[7, 10, 2, 0]);
        } else {
            say(&peer, us, n, 8, 160 * u32::from(n), &[g711::encode(Codec::Pcma, -4000); 160]);
        }
    }
    let tone = heard.iter().chain(&first.2).filter(|byte| **byte == loud).count();
    assert!((7840..=8000).contains(&tone), "{tone}");
    room.wait("Heard", |e| matches!(e, Event::Heard { .. }));
    room.wait("Finished", |e| *e == Event::Finished { leg, play: PlayId(5) });
    room.wait("Digit", |e| matches!(e, Event::Digit { digit, .. } if digit.as_char() == '7'));
    room.order(Order::Close { leg });
    let ended = room.wait("RecordingEnded", |e| matches!(e, Event::RecordingEnded { .. }));
    let Event::RecordingEnded { length_ms, gaps_ms: 0, failed: false, .. } = ended else {
        panic!("{ended:?}")
    };
    assert!((1160..2000).contains(&length_ms), "{length_ms}");
    let Event::Closed { stats, .. } = room.wait("Closed", |e| matches!(e, Event::Closed { .. })) else {
        panic!()
    };
    assert_eq!((stats.digits, stats.foreign_packets, stats.duplicate_packets), (1, 0, 0), "{stats:?}");
    assert!(stats.mos > 1.0 && stats.received_packets >= 58, "{stats:?}");
    room.wait("PortFree", |e| *e == Event::PortFree { port: us.port() });
    assert!(room.wakes.load(Ordering::Relaxed) > 0);
    room.worker.stop();
    room.recorder.stop();
    let channels = read(dir.path(), 0xABC);
    let near = |of: i16| move |s: &&i16| (i32::from(**s) - i32::from(of)).abs() < 300;
    let caller = channels[0].iter().filter(near(-4000)).count();
    let ours = channels[1].iter().filter(near(8000)).count();
    assert!(caller > 7000, "{caller} of the caller's samples are in the file");
    assert!(ours > 7600, "{ours} of our samples are in the file");
}

#[test]
fn a_caller_who_was_quiet_for_long_is_heard_to_the_last_packet_when_he_speaks() {
    let dir = tempfile::tempdir().unwrap();
    let mut room = Room::new(dir.path(), vec![("tone".into(), vec![8000; 8000])]);
    let (leg, peer, us) = (LegId(7), peer(), room.address);
    room.open(7, &peer, Some(101));
    let mut seq = 0;
    for spell in 1..4 {
        // Longer than it takes to stop reading his socket every tick.
        (0..40).for_each(|_| drop(hear(&peer)));
        for n in 0..4 {
            seq += 1;
            let ended = if n == 0 { 2 } else { 0x82 };
            say(&peer, us, seq, 101, 8000 * spell, &[5, ended, 2, 0]);
        }
        room.wait("Digit", |e| matches!(e, Event::Digit { digit, .. } if digit.as_char() == '5'));
    }
    room.order(Order::Close { leg });
    let Event::Closed { stats, .. } = room.wait("Closed", |e| matches!(e, Event::Closed { .. })) else {
        panic!()
    };
    assert_eq!((stats.received_packets, stats.digits), (12, 3), "{stats:?}");
}

#[test]
fn a_message_ends_by_silence_and_a_sensitive_stretch_is_silent() {
    let dir = tempfile::tempdir().unwrap();
    let mut room = Room::new(dir.path(), vec![]);
    let (leg, peer, us) = (LegId(2), peer(), room.address);
    room.open(2, &peer, Some(101));
    room.order(Order::Record { leg, recording: RecordingId(1) });
    room.order(Order::Message { leg, recording: RecordingId(2), max_ms: 60_000, silence_ms: 400 });
    for n in 0..90u16 {
        hear(&peer);
        let level = |i: usize| if i % 8 < 4 { 6000 } else { -6000 };
        let sound: Vec<u8> = (0..160).map(|i| g711::encode(Codec::Pcma, level(i))).collect();
        if n == 20 {
            room.order(Order::RecordGap { leg, why: RecordingGap::Sensitive, on: true });
        }
        if n == 30 {
            room.order(Order::RecordGap { leg, why: RecordingGap::Sensitive, on: false });
        }
        if n < 50 {
            say(&peer, us, n, 8, 160 * u32::from(n), &sound);
        }
    }
    let ended = room.wait("MessageEnded", |e| matches!(e, Event::MessageEnded { .. }));
    let Event::MessageEnded { length_ms, voiced_ms, why: MessageEnd::Silence, .. } = ended else {
        panic!("{ended:?}")
    };
    assert!((900..1100).contains(&voiced_ms) && (1400..1900).contains(&length_ms), "{ended:?}");
    room.order(Order::StopRecording { leg });
    let ended = room.wait("RecordingEnded", |e| matches!(e, Event::RecordingEnded { .. }));
    let Event::RecordingEnded { gaps_ms, .. } = ended else { panic!() };
    assert!((160..400).contains(&gaps_ms), "{gaps_ms}");
    room.worker.stop();
    room.recorder.stop();
    let (call, message) = (read(dir.path(), 1), read(dir.path(), 2));
    assert_eq!((call.len(), message.len()), (2, 1));
    let silent = call[0].iter().skip(20 * 160).take(15 * 160).filter(|s| **s == 0).count();
    assert!(silent >= 160 * 8, "{silent} samples of the gap are silent");
    let page = std::fs::read_to_string(dir.path().join(format!("{:032x}.json", 1))).unwrap();
    assert!(page.contains("sensitive"), "{page}");
}

#[test]
fn a_folder_that_takes_no_files_fails_the_recording_and_not_the_call() {
    let dir = tempfile::tempdir().unwrap();
    let mut room = Room::new(dir.path(), vec![]);
    // The file is there already: nobody overwrites a recording.
    std::fs::write(dir.path().join(format!("{:032x}.wav", 9)), b"kept").unwrap();
    let (leg, peer) = (LegId(3), peer());
    room.open(3, &peer, None);
    room.order(Order::Record { leg, recording: RecordingId(9) });
    (0..5).for_each(|_| drop(hear(&peer)));
    room.order(Order::Close { leg });
    room.wait("RecordingEnded", |e| matches!(e, Event::RecordingEnded { failed: true, .. }));
    room.wait("Closed", |e| matches!(e, Event::Closed { .. }));
    room.worker.stop();
    room.recorder.stop();
    assert_eq!(std::fs::read(dir.path().join(format!("{:032x}.wav", 9))).unwrap(), b"kept");
}

#[test]
fn strangers_get_nothing_and_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut room = Room::new(dir.path(), vec![]);
    let (leg, peer, us) = (LegId(4), peer(), room.address);
    // Another host: its address is not the peer's, so it can never be learned.
    let stranger = UdpSocket::bind("127.0.0.9:0").unwrap();
    stranger.set_nonblocking(true).unwrap();
    let spray =
        |n: u16| (0..20).for_each(|i| say(&stranger, us, n * 20 + i, 8, 160 * u32::from(n), &[0x2A; 160]));
    spray(0);
    room.open(4, &peer, Some(101));
    room.order(Order::Record { leg, recording: RecordingId(4) });
    for n in 1..40u16 {
        hear(&peer);
        spray(n);
        say(&stranger, us, n, 101, u32::from(n) * 4000, &[5, 10, 3, 0]);
        say(&peer, us, n, 8, 160 * u32::from(n), &[g711::silence(Codec::Pcma); 160]);
    }
    room.order(Order::Close { leg });
    let Event::Closed { stats, .. } = room.wait("Closed", |e| matches!(e, Event::Closed { .. })) else {
        panic!()
    };
    spray(41);
    room.wait("PortFree", |e| matches!(e, Event::PortFree { .. }));
    assert!(stats.received_packets >= 30 && stats.foreign_packets > 100, "{stats:?}");
    assert_eq!(stats.digits, 0);
    assert!(!room.events.iter().any(|e| matches!(e, Event::SourceMoved { .. } | Event::Digit { .. })));
    let mut bytes = [0; 2000];
    let got = stranger.recv(&mut bytes);
    assert!(got.is_err_and(|e| e.kind() == std::io::ErrorKind::WouldBlock), "a stranger was sent something");
    room.worker.stop();
    room.recorder.stop();
    let loudest = read(dir.path(), 4)[0].iter().map(|s| s.unsigned_abs()).max().unwrap();
    assert!(loudest <= 8, "a stranger's sound is in the recording: {loudest}");
}
