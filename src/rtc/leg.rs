//! One agent's relay: a task that owns his relay socket and, as long as there is one, his browser's connection.
//!
//! ```text
//!            SRTP                       RTP on loopback
//!  browser ───────▶ Browser ──▶ Leg ──▶ relay socket ──▶ the connected worker's port
//!          ◀───────         ◀──     ◀──              ◀── (and only from there)
//! ```

use super::browser::{Browser, PCMA};
use super::counters::Counters;
use super::path::{Input, Limits, Microphone, Path, PathState, Transport};
use super::quality::{Quality, Report};
use super::splice::Splice;
use super::{News, RtcError, random};
use crate::base::{Time, soonest};
use crate::media::seam::Codec;
use crate::media::{g711, rtp};
use bytes::Bytes;
use std::net::{SocketAddr, UdpSocket as StdSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};

/// 60 ms of PCMA: more is no telephony.
const PAYLOAD_LONGEST: usize = 480;
/// A connection that is not proven yet is probed like a call, this long; afterwards, and when it is proven, more slowly.
const FAST_FOR: Duration = Duration::from_secs(3);
const FAST: Duration = Duration::from_millis(20);
const SLOW: Duration = Duration::from_millis(100);
/// News that found no room are sent again after this.
const TELL_AGAIN: Duration = Duration::from_millis(50);
/// How long the last word of a leg may wait for room.
const LAST_WORD: Duration = Duration::from_secs(1);
static SILENCE: [u8; g711::FRAME] = [g711::silence(Codec::Pcma); g711::FRAME];

/// What a leg is told. The latest of each counts, so nothing queues up.
pub(super) struct Controls {
    pub browsers: mpsc::Sender<Browser>,
    pub worker: watch::Sender<Option<SocketAddr>>,
    pub microphone: watch::Sender<Microphone>,
    pub echo: watch::Sender<u64>,
    pub quality: watch::Receiver<Quality>,
    pub relay: SocketAddr,
    /// One offer at a time.
    pub offering: tokio::sync::Mutex<()>,
}

/// What a leg shares with the others.
#[derive(Clone)]
pub(super) struct Common {
    pub limits: Limits,
    pub start: Instant,
    pub news: mpsc::Sender<News>,
    pub counters: Arc<Counters>,
}

impl Common {
    pub fn now(&self) -> Time {
        Time::from_nanos(u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
}

/// Starts a leg. It ends when its controls are dropped.
pub(super) fn start(agent: Arc<str>, common: Common, relay: StdSocket) -> Result<Controls, RtcError> {
    relay.set_nonblocking(true).map_err(|_| RtcError::NoPort)?;
    let address = relay.local_addr().map_err(|_| RtcError::NoPort)?;
    let relay = UdpSocket::from_std(relay).map_err(|_| RtcError::NoPort)?;
    let (browsers, new_browsers) = mpsc::channel(1);
    let (worker, new_worker) = watch::channel(None);
    let (microphone, new_microphone) = watch::channel(Microphone::Live);
    let (echo, new_echo) = watch::channel(0);
    let (quality_to, quality) = watch::channel(Quality::default());
    let leg = Leg {
        path: PathState::new(common.limits, Microphone::Live, false),
        agent,
        common,
        relay,
        address,
        worker: None,
        browser: None,
        track: None,
        ssrc: random::number()?,
        to_worker: new_stream()?,
        to_browser: new_stream()?,
        numbered_from: 0,
        wrote: None,
        fast_until: Time::ZERO,
        told: None,
        tell_at: None,
        quality: quality_to,
    };
    let inputs =
        Inputs { browsers: new_browsers, worker: new_worker, microphone: new_microphone, echo: new_echo };
    tokio::spawn(leg.run(inputs));
    Ok(Controls {
        browsers,
        worker,
        microphone,
        echo,
        quality,
        relay: address,
        offering: tokio::sync::Mutex::new(()),
    })
}

/// Random beginnings (RFC 3550 section 5.1). The upper half of the numbers is left out, so that a listener who misses the first
/// packets still counts the rounds as we do.
fn new_stream() -> Result<Splice, RtcError> {
    let [a, b, ..] = random::number()?.to_be_bytes();
    Ok(Splice::new(u16::from_be_bytes([a, b]) & 0x7FFF, random::number()?))
}

struct Inputs {
    browsers: mpsc::Receiver<Browser>,
    worker: watch::Receiver<Option<SocketAddr>>,
    microphone: watch::Receiver<Microphone>,
    echo: watch::Receiver<u64>,
}

struct Leg {
    agent: Arc<str>,
    common: Common,
    relay: UdpSocket,
    address: SocketAddr,
    worker: Option<SocketAddr>,
    browser: Option<Browser>,
    track: Option<Arc<dyn TrackRemote>>,
    path: PathState,
    /// Of the stream to the workers.
    ssrc: u32,
    to_worker: Splice,
    /// A new one for each connection.
    to_browser: Splice,
    /// The number before that stream's first: reports are counted from it.
    numbered_from: u32,
    wrote: Option<Time>,
    fast_until: Time,
    told: Option<Path>,
    tell_at: Option<Time>,
    quality: watch::Sender<Quality>,
}

enum FromBrowser {
    Track(Arc<dyn TrackRemote>),
    Event(Option<TrackRemoteEvent>),
    Report(Report),
    Transport(Transport),
}

impl Leg {
    async fn run(mut self, mut inputs: Inputs) {
        let mut datagram = [0; 2_048];
        loop {
            let now = self.common.now();
            self.probe(now);
            self.tell(now);
            let wake = tokio::time::Instant::from_std(self.common.start + since_zero(self.wake(now)));
            tokio::select! {
                browser = inputs.browsers.recv() => match browser {
                    Some(browser) => self.take(browser, *inputs.microphone.borrow()),
                    None => break,
                },
                Ok(()) = inputs.worker.changed() => {
                    let worker = *inputs.worker.borrow_and_update();
                    self.connect(worker);
                }
                Ok(()) = inputs.microphone.changed() => {
                    let microphone = *inputs.microphone.borrow_and_update();
                    self.path.handle(Input::Microphone(microphone), self.common.now());
                }
                Ok(()) = inputs.echo.changed() => {
                    let received = *inputs.echo.borrow_and_update();
                    self.path.handle(Input::Echoed(received), self.common.now());
                }
                received = self.relay.recv_from(&mut datagram) => {
                    if let Ok((length, from)) = received {
                        self.worker_sent(&datagram[..length], from);
                    }
                }
                event = next(&mut self.browser, &self.track) => self.browser_told(event),
                () = tokio::time::sleep_until(wake) => {}
            }
        }
        if let Some(browser) = self.browser.take() {
            browser.close().await;
        }
        let last =
            News { agent: Arc::clone(&self.agent), path: Path::Deaf(super::Deafness::NotSetUp), relay: None };
        let _ = tokio::time::timeout(LAST_WORD, self.common.news.send(last)).await;
    }

    /// A page has made a connection; the one before is over.
    fn take(&mut self, browser: Browser, microphone: Microphone) {
        // Random numbers came at the start, so they come now; if not, the old stream's numbers go on as well.
        if let Ok(stream) = new_stream() {
            self.to_browser = stream;
        }
        self.numbered_from = u32::from(self.to_browser.last());
        self.path = PathState::new(self.common.limits, microphone, self.worker.is_some());
        self.path.handle(Input::Transport(*browser.transport.borrow()), self.common.now());
        self.to_worker.cut();
        self.track = None;
        self.wrote = None;
        self.begin_fast();
        if let Some(old) = self.browser.replace(browser) {
            // Its end may take 100 ms, which the new connection's set-up need not wait for.
            tokio::spawn(old.close());
        }
    }

    fn connect(&mut self, worker: Option<SocketAddr>) {
        if worker != self.worker {
            self.worker = worker;
            self.to_browser.cut();
            self.path.handle(Input::InCall(worker.is_some()), self.common.now());
        }
    }

    fn begin_fast(&mut self) {
        self.fast_until = self.common.now() + FAST_FOR;
    }

    fn browser_told(&mut self, event: FromBrowser) {
        let now = self.common.now();
        match event {
            FromBrowser::Track(track) => self.track = Some(track),
            FromBrowser::Transport(transport) => {
                self.path.handle(Input::Transport(transport), now);
                self.begin_fast();
            }
            FromBrowser::Report(report) => {
                let highest = report.highest.wrapping_sub(self.numbered_from);
                self.path.handle(Input::Reported(highest), now);
                self.quality.send_modify(|quality| quality.reported(report, now));
            }
            FromBrowser::Event(Some(TrackRemoteEvent::OnRtpPacket(packet))) => {
                if packet.header.payload_type != PCMA || !is_sound(&packet.payload) {
                    return Counters::add(&self.common.counters.browser_bad);
                }
                self.path.handle(Input::Heard, now);
                let head = &packet.header;
                self.send_to_worker(
                    head.ssrc,
                    head.sequence_number,
                    head.timestamp,
                    head.marker,
                    &packet.payload,
                    now,
                );
            }
            FromBrowser::Event(Some(_)) => {}
            FromBrowser::Event(None) => self.track = None,
        }
    }

    fn send_to_worker(
        &mut self,
        ssrc: u32,
        seq: u16,
        timestamp: u32,
        marker: bool,
        payload: &[u8],
        now: Time,
    ) {
        let counters = &self.common.counters;
        let Some(worker) = self.worker else { return Counters::add(&counters.unconnected) };
        let Some(header) = self.to_worker.pass(ssrc, seq, timestamp, marker, now) else {
            return Counters::add(&counters.late);
        };
        let mut packet = [0; rtp::HEADER + PAYLOAD_LONGEST];
        let mut head = [0; rtp::HEADER];
        rtp::write(&mut head, header.marker, PCMA, header.seq, header.timestamp, self.ssrc);
        packet[..rtp::HEADER].copy_from_slice(&head);
        let length = rtp::HEADER + payload.len();
        packet[rtp::HEADER..length].copy_from_slice(payload);
        match self.relay.try_send_to(&packet[..length], worker) {
            Ok(_) => Counters::add(&counters.to_worker),
            Err(_) => Counters::add(&counters.worker_full),
        }
    }

    fn worker_sent(&mut self, datagram: &[u8], from: SocketAddr) {
        let counters = Arc::clone(&self.common.counters);
        if self.worker != Some(from) {
            return Counters::add(&counters.relay_strangers);
        }
        let Some(packet) =
            rtp::read(datagram).ok().filter(|packet| packet.payload_type == PCMA && is_sound(packet.payload))
        else {
            return Counters::add(&counters.worker_bad);
        };
        if !self.path.is_connected() {
            return Counters::add(&counters.browser_full);
        }
        let now = self.common.now();
        let Some(header) =
            self.to_browser.pass(packet.ssrc, packet.seq, packet.timestamp, packet.marker, now)
        else {
            return Counters::add(&counters.late);
        };
        if self.write(header, Bytes::copy_from_slice(packet.payload), now) {
            Counters::add(&counters.to_browser);
        }
    }

    /// Sends silence when it is time for a sign of life.
    fn probe(&mut self, now: Time) {
        if !self.path.is_connected() || self.probe_at(now) > now {
            return;
        }
        let header = self.to_browser.own(now);
        if self.write(header, Bytes::from_static(&SILENCE), now) {
            Counters::add(&self.common.counters.probes);
        }
    }

    fn write(&mut self, header: super::splice::Header, payload: Bytes, now: Time) -> bool {
        // Also when it fails: the next try is at the next turn, not at once.
        self.wrote = Some(now);
        let Some(browser) = &self.browser else { return false };
        if browser.send(header, payload) {
            self.path.handle(Input::Sent(self.to_browser.span()), now);
            return true;
        }
        Counters::add(&self.common.counters.browser_full);
        false
    }

    fn probe_at(&self, now: Time) -> Time {
        let fast = now < self.fast_until && self.path.verdict(now) != Path::Proven;
        self.wrote.map_or(now, |at| at + if fast && self.worker.is_none() { FAST } else { SLOW })
    }

    fn wake(&self, now: Time) -> Time {
        let probe = self.path.is_connected().then(|| self.probe_at(now));
        let deadline = self.path.deadline().filter(|at| *at > now);
        soonest(soonest(probe, deadline), self.tell_at).unwrap_or(now + LAST_WORD)
    }

    /// Tells the verdict when it is another than the one told.
    fn tell(&mut self, now: Time) {
        let path = self.path.verdict(now);
        self.tell_at = None;
        if self.told == Some(path) {
            return;
        }
        let news = News { agent: Arc::clone(&self.agent), path, relay: Some(self.address) };
        match self.common.news.try_send(news) {
            Ok(()) => self.told = Some(path),
            Err(_) => {
                Counters::add(&self.common.counters.news_delayed);
                self.tell_at = Some(now + TELL_AGAIN);
            }
        }
    }
}

fn is_sound(payload: &[u8]) -> bool {
    (1..=PAYLOAD_LONGEST).contains(&payload.len())
}

fn since_zero(at: Time) -> Duration {
    at.since(Time::ZERO)
}

/// The next that comes from the browser; nothing ever without one. Safe to be given up between two calls.
async fn next(browser: &mut Option<Browser>, track: &Option<Arc<dyn TrackRemote>>) -> FromBrowser {
    let Some(browser) = browser else { return std::future::pending().await };
    let sound = async {
        match track {
            Some(track) => track.poll().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        event = sound => FromBrowser::Event(event),
        Some(track) = browser.tracks.recv() => FromBrowser::Track(track),
        Some(report) = browser.reports.recv() => FromBrowser::Report(report),
        Ok(()) = browser.transport.changed() => FromBrowser::Transport(*browser.transport.borrow_and_update()),
        else => std::future::pending().await,
    }
}
