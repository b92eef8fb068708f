//! Row 5: what one event costs with 100, 1,000, 10,000 and 50,000 live calls in the real engine.
//!
//! `cargo run --release --no-default-features --example engine_load`

#[path = "../tests/days/setup_engine.rs"]
mod setup_engine;

use hotline::base::{Digit, LegId, Time};
use hotline::call::{Effect, Engine, Input, MediaPort};
use hotline::media::seam::{DigitSource, Event, Order};
use hotline::sip::seam::{Flow, Packet};
use hotline::ticket::number::Blocks;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// As in the server.
#[global_allocator]
static ALLOC: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Load {
    engine: Engine,
    now: Time,
    effects: Vec<Effect>,
    legs: Vec<LegId>,
    targets: Vec<String>,
    free_ports: Vec<u16>,
}

impl Load {
    fn new(calls: usize) -> Self {
        let (mut config, _) = setup_engine::config(1, 0);
        config.limits.max_calls = calls + 1000;
        config.limits.max_undurable = u64::MAX;
        config.limits.media_silence = Duration::from_secs(3600);
        config.ua.max_dialogs = 2 * calls + 10_000;
        config.ua.max_transactions = 4 * calls + 100_000;
        for (_, queue) in &mut config.queues {
            queue.max_waiting = calls + 1000;
        }
        let mut load = Self {
            engine: Engine::new(config, Blocks::default()),
            now: Time::from_millis(1),
            effects: Vec::new(),
            legs: Vec::new(),
            targets: Vec::new(),
            free_ports: Vec::new(),
        };
        load.give(Input::Wall { ms: 1_795_000_000_000 });
        for n in 0..calls {
            load.call(n);
            load.wait(Duration::from_micros(500));
        }
        load
    }

    fn give(&mut self, input: Input<'_>) {
        self.engine.handle(self.now, input, &mut self.effects);
        self.drain();
    }

    /// Carries out what matters here: ports, and a journal that is always done.
    fn drain(&mut self) {
        while !self.effects.is_empty() {
            let effects = std::mem::take(&mut self.effects);
            let mut durable = 0;
            for effect in effects {
                match effect {
                    Effect::BindPorts { count } => {
                        // Port numbers are reused freely here: nothing is bound.
                        let ports = (0..count)
                            .map(|i| MediaPort {
                                port: self.free_ports.len().wrapping_add(i) as u16,
                                worker: 0,
                            })
                            .collect();
                        self.free_ports.extend(std::iter::repeat_n(0, count));
                        self.engine.handle(self.now, Input::Ports(ports), &mut self.effects);
                    }
                    Effect::Media { order: Order::Open { leg, .. }, .. } => self.legs.push(leg),
                    Effect::Media { order: Order::Close { leg }, .. } => self.legs.retain(|l| *l != leg),
                    Effect::Fact(fact) => durable = fact.seq,
                    Effect::Send(transmit) => {
                        if transmit.bytes.starts_with(b"SIP/2.0 200")
                            && let Some(to) = String::from_utf8_lossy(&transmit.bytes)
                                .lines()
                                .find(|l| l.starts_with("To:"))
                        {
                            self.targets.push(to.to_owned());
                        }
                    }
                    _ => {}
                }
            }
            if durable > 0 {
                self.engine.handle(self.now, Input::Durable { upto: durable }, &mut self.effects);
            }
        }
    }

    fn wait(&mut self, by: Duration) {
        let until = self.now + by;
        while let Some((at, _)) = self.engine.poll_timeout().filter(|(at, _)| *at <= until) {
            self.now = self.now.max(at);
            self.engine.handle_timeout(self.now, &mut self.effects);
            self.drain();
        }
        self.now = until;
    }

    fn packet(&mut self, bytes: &[u8], n: usize) {
        let peer = SocketAddr::from(([127, 0, 0, 2], 1024 + (n % 60_000) as u16));
        self.give(Input::Packet(Packet { flow: Flow::Udp { socket: 0, peer }, bytes }));
    }

    fn call(&mut self, n: usize) {
        let invite = request("INVITE", n, 1, "To: <sip:12341@127.0.0.1>", &sdp(n));
        self.packet(invite.as_bytes(), n);
        let to = self.targets.last().cloned().unwrap_or_default();
        let ack = request("ACK", n, 1, &to, "");
        self.packet(ack.as_bytes(), n);
    }
}

fn sdp(n: usize) -> String {
    format!(
        "v=0\r\no=- {n} 1 IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\nm=audio {} RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n",
        20_000 + n % 20_000 * 2
    )
}

fn request(method: &str, n: usize, cseq: u32, to: &str, body: &str) -> String {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "{method} sip:12341@127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2:{port};branch=z9hG4bK{n}-{cseq}-{method}\r\nFrom: <sip:120{n:08}@127.0.0.2>;tag=f{n}\r\n{to}\r\n\
         Call-ID: load-{n}@bench\r\nCSeq: {cseq} {method}\r\nContact: <sip:c@127.0.0.2:{port}>\r\nMax-Forwards: 70\r\n{kind}Content-Length: {len}\r\n\r\n{body}",
        port = 1024 + n % 60_000,
        len = body.len()
    )
}

fn main() {
    println!(
        "{:>8} {:>12} {:>12} {:>12} {:>14} {:>12}",
        "calls", "key ns", "whole call", "timeouts", "ns per call-s", "waiting"
    );
    let mut first = None;
    for calls in [100, 1_000, 10_000, 50_000] {
        let mut load = Load::new(calls);
        load.wait(Duration::from_secs(20));
        let live = load.engine.live_calls();
        assert!(live >= calls, "{live} of {calls} calls live");
        // A key on a random live leg: RTP event to walk and back.
        const EVENTS: usize = 20_000;
        let legs = load.legs.clone();
        let began = Instant::now();
        for i in 0..EVENTS {
            let leg = legs[(i * 7_919) % legs.len()];
            let digit = Digit::from_char('5').expect("a key");
            load.now = load.now + Duration::from_micros(400);
            let at = load.now;
            load.give(Input::Media(Event::Digit { leg, digit, source: DigitSource::Rtp, at }));
        }
        let key = began.elapsed().as_nanos() as f64 / EVENTS as f64;
        // Whole new calls beside the live ones: INVITE, 200, ACK, BYE, 200.
        const CALLS: usize = 2_000;
        let began = Instant::now();
        for i in 0..CALLS {
            let n = 1_000_000 + i;
            load.call(n);
            let to = load.targets.last().cloned().unwrap_or_default();
            let bye = request("BYE", n, 2, &to, "");
            load.packet(bye.as_bytes(), n);
            load.targets.clear();
        }
        let call = began.elapsed().as_nanos() as f64 / CALLS as f64;
        // Ten seconds of everybody's own timers.
        let began = Instant::now();
        load.wait(Duration::from_secs(10));
        let timers = began.elapsed();
        let per = timers.as_nanos() as f64 / 10.0 / calls as f64;
        println!(
            "{calls:>8} {key:>12.0} {call:>12.0} {:>12.1?} {per:>14.0} {:>12}",
            timers,
            load.engine.acd().waiting().map(|(_, n)| n).sum::<usize>()
        );
        let base = *first.get_or_insert((key, call));
        if calls == 50_000 {
            println!(
                "last / first: key {:.2}, whole call {:.2} (row 5 asks for at most 3)",
                key / base.0,
                call / base.1
            );
        }
    }
}
