//! Telephones of the demonstration: each call of the page `/demo/phone` is a SIP call from loopback to our own SIP address.
//!
//! ```text
//!  page ─ SRTP ─▶ rtc (a room of its own) ─ RTP ─▶ media worker
//!  page ─ HTTP ─▶ DemoPhones ─▶ one task a call: Client, UDP socket ─ SIP ─▶ engine
//! ```
//!
//! To the engine these are calls of the trunk `demo` like any other: no way round it.

mod client;
#[cfg(test)]
mod tests;

use super::agents;
use super::build::{self, Bound};
use super::metrics::{Board, Sample};
use crate::api::{DemoPhone, PhoneCall, PhoneRefused, PhoneState};
use crate::base::Time;
use crate::config::Config;
use crate::rtc::{self, RtcError, RtcHandle};
use client::{Client, Dial};
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

/// Calls at once.
const CALLS: usize = 4;
/// Ended calls whose end may still be asked for.
const REMEMBERED: usize = 32;
/// What ends a call that nobody ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limits {
    /// A page that has not asked for so long is gone.
    gone: Duration,
    longest: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { gone: Duration::from_secs(10), longest: Duration::from_secs(30 * 60) }
    }
}

const LOOK: Duration = Duration::from_millis(500);
/// A call that has ended is let go after this, whatever has been answered.
const ENDING: Duration = Duration::from_secs(35);
/// UDP ports for browsers: the upper end of the agents' own, which take theirs from the lower end.
const PORTS: u16 = 8;
/// The demonstration's callers: this and three digits.
const CALLERS: &str = "12000000";
const COMMANDS: usize = 8;

/// The door; cheap to clone.
#[derive(Clone)]
pub struct DemoPhones(Arc<Inner>);

struct Inner {
    rooms: RtcHandle,
    number: String,
    server: SocketAddr,
    /// The workers listen on every address: they are reached by loopback.
    media_anywhere: bool,
    lines: Mutex<BTreeMap<String, Line>>,
    counts: Counts,
    limits: Limits,
}

#[derive(Default)]
struct Counts {
    calls: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    keys: AtomicU64,
    page_gone: AtomicU64,
    too_long: AtomicU64,
}

struct Line {
    asked: Instant,
    state: PhoneState,
    /// Counts towards [`CALLS`] until its task is over.
    busy: bool,
    commands: Option<mpsc::Sender<Command>>,
}

enum Command {
    Keys(String),
    HangUp,
}

/// Starts the telephones; must be called inside the runtime. `None`: there is no SIP address to call by UDP over IPv4.
pub fn start(config: &Config, sip_at: &Bound, board: Board) -> Option<Arc<dyn DemoPhone>> {
    let server = sip_at.udp.iter().copied().find(SocketAddr::is_ipv4)?;
    let server = if server.ip().is_unspecified() { near(server) } else { server };
    let mut audio = agents::audio(config, sip_at);
    let last = *audio.ports.end();
    audio.ports = last.saturating_sub(PORTS - 1).max(*audio.ports.start())..=last;
    audio.agents = CALLS + 1;
    let (to, mut news) = mpsc::channel(16);
    // A citizen's sound is judged by the engine, as with every caller.
    tokio::spawn(async move { while news.recv().await.is_some() {} });
    let inner = Inner {
        rooms: rtc::start(audio, to),
        number: config.sip.number.clone(),
        server,
        media_anywhere: build::media_address(config, sip_at).1.is_unspecified(),
        lines: Mutex::default(),
        counts: Counts::default(),
        limits: Limits::default(),
    };
    let phones = DemoPhones(Arc::new(inner));
    tokio::spawn(publish(phones.clone(), board));
    Some(Arc::new(phones))
}

fn near(at: SocketAddr) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), at.port())
}

async fn publish(phones: DemoPhones, board: Board) {
    loop {
        let counts = &phones.0.counts;
        let busy = phones.lines().values().filter(|line| line.busy).count();
        let mut samples = vec![Sample::gauge(
            "hotline_demo_phone_calls",
            "Calls of the demonstration's telephones",
            busy as u64,
        )];
        for (what, n) in [
            ("calls", &counts.calls),
            ("failed", &counts.failed),
            ("keys", &counts.keys),
            ("page_gone", &counts.page_gone),
            ("refused", &counts.refused),
            ("too_long", &counts.too_long),
        ] {
            let help = "What the demonstration's telephones counted";
            samples.push(Sample::counter("hotline_demo_phone", help, n.load(Relaxed)).by("what", what));
        }
        board.publish("demo_phone", samples);
        sleep(LOOK).await;
    }
}

impl DemoPhone for DemoPhones {
    fn call(&self, sdp: String, number: Option<String>) -> BoxFuture<'_, Result<PhoneCall, PhoneRefused>> {
        let phones = self.clone();
        // A task of its own: a page that gives up half-way leaves nothing behind.
        let call = tokio::spawn(async move { phones.begin(&sdp, number).await });
        Box::pin(async move {
            let call = call.await.unwrap_or(Err(PhoneRefused::Away));
            let counts = &self.0.counts;
            let count = match &call {
                Ok(_) => &counts.calls,
                Err(PhoneRefused::Full) => &counts.refused,
                Err(_) => &counts.failed,
            };
            count.fetch_add(1, Relaxed);
            call
        })
    }

    fn keys(&self, id: &str, digits: &str) -> Result<(), PhoneRefused> {
        if digits.is_empty() || digits.len() > client::KEYS {
            return Err(PhoneRefused::Bad("digits: 1 to 32 keys"));
        }
        if !digits.bytes().all(|key| key.is_ascii_digit() || matches!(key, b'*' | b'#')) {
            return Err(PhoneRefused::Bad("digits: 0 to 9, * and #"));
        }
        self.command(id, Command::Keys(digits.to_owned()))?;
        self.0.counts.keys.fetch_add(digits.len() as u64, Relaxed);
        Ok(())
    }

    fn hang_up(&self, id: &str) -> Result<(), PhoneRefused> {
        self.command(id, Command::HangUp)
    }

    fn state(&self, id: &str) -> Option<PhoneState> {
        let mut lines = self.lines();
        let line = lines.get_mut(id)?;
        line.asked = Instant::now();
        Some(line.state)
    }
}

impl DemoPhones {
    async fn begin(&self, sdp: &str, number: Option<String>) -> Result<PhoneCall, PhoneRefused> {
        let (word, any) = random()?;
        let number = match number {
            Some(number) if is_ours(&number) => number,
            Some(_) => return Err(PhoneRefused::Bad("number: 12000000 and three digits")),
            None => format!("{CALLERS}{any:03}"),
        };
        self.take(&word)?;
        match self.connect(&word, sdp, &number).await {
            Ok(answer) => Ok(PhoneCall { id: word, sdp: answer, number }),
            Err(why) => {
                self.lines().remove(&word);
                self.0.rooms.close(&word);
                Err(why)
            }
        }
    }

    /// A place for one more call.
    fn take(&self, id: &str) -> Result<(), PhoneRefused> {
        let mut lines = self.lines();
        let now = Instant::now();
        lines.retain(|_, line| line.busy || now.duration_since(line.asked) < self.0.limits.gone);
        if lines.len() >= REMEMBERED || lines.values().filter(|line| line.busy).count() >= CALLS {
            return Err(PhoneRefused::Full);
        }
        lines.insert(
            id.to_owned(),
            Line { asked: now, state: PhoneState::Calling, busy: true, commands: None },
        );
        Ok(())
    }

    async fn connect(&self, id: &str, sdp: &str, number: &str) -> Result<String, PhoneRefused> {
        let Inner { rooms, server, .. } = &*self.0;
        let answer = rooms.offer(id, sdp).await.map_err(|why| match why {
            RtcError::BadOffer(_) => PhoneRefused::Bad("sdp: not the offer of one audio connection"),
            RtcError::NoPcma => PhoneRefused::Bad("sdp: no PCMA is offered"),
            RtcError::TooMany | RtcError::NoPort => PhoneRefused::Full,
            _ => PhoneRefused::Away,
        })?;
        let media = rooms.relay_address(id).map_err(|_| PhoneRefused::Away)?;
        let local = if server.ip().is_loopback() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { server.ip() };
        let socket = UdpSocket::bind((local, 0)).await.map_err(|_| PhoneRefused::Away)?;
        socket.connect(server).await.map_err(|_| PhoneRefused::Away)?;
        let dial = Dial {
            number: self.0.number.clone(),
            server: *server,
            caller: number.to_owned(),
            local: socket.local_addr().map_err(|_| PhoneRefused::Away)?,
            media,
            word: id.to_owned(),
        };
        let (commands, told) = mpsc::channel(COMMANDS);
        if let Some(line) = self.lines().get_mut(id) {
            line.commands = Some(commands);
        }
        tokio::spawn(self.clone().run(dial, socket, told));
        Ok(answer)
    }

    /// One call, to its end.
    async fn run(self, dial: Dial, socket: UdpSocket, mut told: mpsc::Receiver<Command>) {
        let id = dial.word.clone();
        let begun = Instant::now();
        let time = || Time::ZERO + begun.elapsed();
        let mut out = Vec::new();
        let mut client = Client::new(dial, time(), &mut out);
        let mut datagram = vec![0; 8_192];
        let (mut relayed, mut over, mut too_long) = (None, None, false);
        loop {
            for datagram in out.drain(..) {
                // What is lost is sent again.
                let _ = socket.send(&datagram).await;
            }
            let media = client.media().map(|at| if self.0.media_anywhere { near(at) } else { at });
            if media != relayed {
                let _ = self.0.rooms.relay(&id, media);
                relayed = media;
            }
            let state =
                if too_long && client.state().is_ended() { PhoneState::TooLong } else { client.state() };
            let now = Instant::now();
            if state.is_ended() && over.is_none() {
                over = Some(now);
                // The place in the sound's room is free at once.
                self.0.rooms.close(&id);
            }
            if client.is_over() || over.is_some_and(|at| now.duration_since(at) > ENDING) {
                break;
            }
            let asked = self.lines().get_mut(&id).map(|line| {
                line.state = state;
                line.asked
            });
            let gone = asked.is_none_or(|asked| now.duration_since(asked) > self.0.limits.gone);
            if over.is_none() && (gone || begun.elapsed() > self.0.limits.longest) {
                too_long = !gone;
                if client.hang_up(time(), &mut out) {
                    let counts = &self.0.counts;
                    (if gone { &counts.page_gone } else { &counts.too_long }).fetch_add(1, Relaxed);
                    continue;
                }
            }
            let wake = client.wake().map_or(now + LOOK, |at| (begun + at.since(Time::ZERO)).min(now + LOOK));
            tokio::select! {
                received = socket.recv(&mut datagram) => match received {
                    Ok(length) => client.received(&datagram[..length], time(), &mut out),
                    // Nobody listens there any more; the repetitions run out.
                    Err(_) => sleep(LOOK).await,
                },
                command = told.recv(), if !told.is_closed() => match command {
                    Some(Command::Keys(digits)) => {
                        for key in digits.chars() {
                            client.press(key, time(), &mut out);
                        }
                    }
                    Some(Command::HangUp) => {
                        client.hang_up(time(), &mut out);
                    }
                    None => {}
                },
                () = sleep_until(wake) => {}
            }
            client.tick(time(), &mut out);
        }
        self.0.rooms.close(&id);
        if let Some(line) = self.lines().get_mut(&id) {
            line.state = if too_long { PhoneState::TooLong } else { client.state() };
            line.busy = false;
            line.commands = None;
        }
    }

    fn command(&self, id: &str, command: Command) -> Result<(), PhoneRefused> {
        let lines = self.lines();
        let line = lines.get(id).ok_or(PhoneRefused::Unknown)?;
        match (&line.commands, command) {
            (Some(commands), command) => commands.try_send(command).map_err(|_| PhoneRefused::Away),
            // It has ended already, which is what was wanted.
            (None, Command::HangUp) => Ok(()),
            (None, Command::Keys(_)) => Err(PhoneRefused::Unknown),
        }
    }

    /// Each change is one call, so the map is whole even if the lock should be poisoned.
    fn lines(&self) -> MutexGuard<'_, BTreeMap<String, Line>> {
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_ours(number: &str) -> bool {
    number
        .strip_prefix(CALLERS)
        .is_some_and(|rest| rest.len() == 3 && rest.bytes().all(|digit| digit.is_ascii_digit()))
}

/// A call's name, and a number below 1,000.
fn random() -> Result<(String, u16), PhoneRefused> {
    let mut bytes = [0; 18];
    getrandom::fill(&mut bytes).map_err(|_| PhoneRefused::Away)?;
    let [a, b, name @ ..] = bytes;
    let mut word = String::with_capacity(32);
    for byte in name {
        // Writing to a String cannot fail.
        let _ = write!(word, "{byte:02x}");
    }
    Ok((word, u16::from_be_bytes([a, b]) % 1_000))
}
