//! Agents' audio in the browser: for each agent one WebRTC connection and one plain RTP socket on loopback, the relay.
//!
//! ```text
//!  page ─ offer ─▶ RtcHandle ─ answer ─▶ page          engine ─ relay(agent, worker's port) ─▶ Leg
//!  page ─ echo, microphone ─▶ Leg ─ News: proven or deaf, and why ─▶ engine
//! ```
//!
//! The connection is set up once at log-in and serves all calls. A page that is reloaded makes a new one; the relay and the call
//! stay, and streams go on with their numbers. The media workers know nothing of WebRTC: to them an agent is an RTP peer.
//! Whether sound really passes is judged in [`path`]; who may send to a browser's port in [`gate`].
//!
//! What a page does for it:
//!
//! - It offers one audio section as soon as it has its own description; it need not wait for its candidates.
//! - From the first packet on it echoes `packetsReceived` of its `inbound-rtp` four times a second, by a timer in a Web Worker: in a
//!   hidden tab the page's own timers run once a second or less, and [`Limits::echoed`] would call it deaf.
//! - It tells when its track has `ended`, when the system has muted it, and when the microphone was refused.
//! - After a reload or a change of network (`media.restart`) it makes a new connection and offers again.

mod browser;
mod counters;
pub mod gate;
mod leg;
mod offer;
pub mod path;
mod ports;
pub mod quality;
mod random;
mod reports;
mod socket;
pub mod splice;

pub use counters::Counters;
pub use path::{Deafness, Limits, Microphone, Path};
pub use quality::{Quality, Word};

use browser::Browser;
use leg::{Common, Controls};
use ports::Ports;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// An offer waits so long for the agent's previous one.
const PATIENCE: Duration = Duration::from_secs(3);

/// Directives for the log's filter: the crates below tell addresses, candidates and whole packets at every level, some of it for
/// each datagram of a stranger. What we want to know of them is in [`Counters`] and [`News`].
pub const QUIET: [&str; 2] = ["webrtc=off", "rtc=off"];

#[derive(Clone, Debug)]
pub struct Config {
    /// Where browsers reach us. Unspecified: every address of this machine except loopback.
    pub address: IpAddr,
    /// UDP ports for browsers, one each; ours alone. Twice as many as agents, for reloads.
    pub ports: RangeInclusive<u16>,
    /// Agents at a time.
    pub agents: usize,
    pub limits: Limits,
}

/// The path of an agent has changed. `relay`: where his relay takes RTP from the worker; `None` once he is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    pub agent: Arc<str>,
    pub path: Path,
    pub relay: Option<SocketAddr>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RtcError {
    #[error("the offer is not served: {0}")]
    BadOffer(&'static str),
    #[error("the offer has no PCMA")]
    NoPcma,
    #[error("no address could be given to the browser")]
    NoAddress,
    #[error("no UDP port is free")]
    NoPort,
    #[error("too many agents")]
    TooMany,
    #[error("the agent has no audio connection")]
    NoSuchAgent,
    #[error("another offer of the agent is being answered")]
    Busy,
    #[error("the room is ending")]
    Ending,
    #[error("the system gives no random numbers")]
    NoRandom,
}

/// The room's door. Cheap to clone; the legs end with the last one.
#[derive(Clone)]
pub struct RtcHandle(Arc<Inner>);

struct Inner {
    config: Config,
    ports: Ports,
    common: Common,
    /// Carries the sound.
    runtime: Handle,
    legs: Mutex<HashMap<Arc<str>, Arc<Controls>>>,
}

/// Starts the room on the current Tokio runtime.
pub fn start(config: Config, news: mpsc::Sender<News>) -> RtcHandle {
    start_on(Handle::current(), config, news)
}

/// Starts the room; its tasks run on this Tokio runtime. `news` is never waited for: what finds no room is sent again.
pub fn start_on(runtime: Handle, config: Config, news: mpsc::Sender<News>) -> RtcHandle {
    let common = Common {
        limits: config.limits,
        start: Instant::now(),
        news,
        counters: Arc::new(Counters::default()),
    };
    let ports = Ports::new(config.ports.clone());
    RtcHandle(Arc::new(Inner { config, ports, common, runtime, legs: Mutex::default() }))
}

impl RtcHandle {
    /// `media.offer` and `media.restart`: a page's offer; returns the answer with all candidates in it. A new connection each
    /// time: it takes the place of the agent's previous one at once. The caller limits the rate (`attacks.md` W5).
    pub async fn offer(&self, agent: &str, sdp: &str) -> Result<String, RtcError> {
        let counters = &self.0.common.counters;
        Counters::add(&counters.offers);
        // A task of its own: a caller who gives up half-way would leave a connection behind that nobody closes.
        let (room, agent, sdp) = (self.clone(), agent.to_owned(), sdp.to_owned());
        let answer = self.0.runtime.spawn(async move { room.answer(&agent, &sdp).await });
        let answer = answer.await.unwrap_or(Err(RtcError::Ending));
        if answer.is_err() {
            Counters::add(&counters.offers_refused);
        }
        answer
    }

    async fn answer(&self, agent: &str, sdp: &str) -> Result<String, RtcError> {
        let Inner { config, ports, common, .. } = &*self.0;
        let leg = self.leg_or_new(agent)?;
        let _one = tokio::time::timeout(PATIENCE, leg.offering.lock()).await.map_err(|_| RtcError::Busy)?;
        let (browser, answer) = Browser::answer(sdp, config.address, ports, &common.counters).await?;
        match leg.browsers.send(browser).await {
            Ok(()) => Ok(answer),
            Err(unsent) => {
                unsent.0.close().await;
                Err(RtcError::Ending)
            }
        }
    }

    /// `media.candidate`: nothing is to be done, a lite agent learns the way from the browser's checks. Counted.
    pub fn candidate(&self, agent: &str) -> Result<(), RtcError> {
        self.leg(agent)?;
        Counters::add(&self.0.common.counters.candidates);
        Ok(())
    }

    /// What the page says of its microphone.
    pub fn microphone(&self, agent: &str, state: Microphone) -> Result<(), RtcError> {
        self.leg(agent)?.microphone.send_replace(state);
        Ok(())
    }

    /// The page's echo: `packetsReceived` of its `inbound-rtp`, told some times a second.
    pub fn probe_echo(&self, agent: &str, received: u64) -> Result<(), RtcError> {
        self.leg(agent)?.echo.send_replace(received);
        Ok(())
    }

    /// Connects the relay to a worker's port; `None`: to nobody.
    pub fn relay(&self, agent: &str, worker: Option<SocketAddr>) -> Result<(), RtcError> {
        self.leg(agent)?.worker.send_replace(worker);
        Ok(())
    }

    /// How the browser hears us.
    pub fn quality(&self, agent: &str) -> Result<(Word, Quality), RtcError> {
        let quality = *self.leg(agent)?.quality.borrow();
        Ok((quality.word(self.0.common.now()), quality))
    }

    /// Where the agent's relay takes RTP.
    pub fn relay_address(&self, agent: &str) -> Result<SocketAddr, RtcError> {
        Ok(self.leg(agent)?.relay)
    }

    /// The agent has signed out: connection and relay end.
    pub fn close(&self, agent: &str) {
        self.legs().remove(agent);
    }

    pub fn counters(&self) -> &Counters {
        &self.0.common.counters
    }

    /// Agents with a relay, and browser ports that are free.
    pub fn gauges(&self) -> (usize, usize) {
        (self.legs().len(), self.0.ports.left())
    }

    fn leg(&self, agent: &str) -> Result<Arc<Controls>, RtcError> {
        self.legs().get(agent).cloned().ok_or(RtcError::NoSuchAgent)
    }

    fn leg_or_new(&self, agent: &str) -> Result<Arc<Controls>, RtcError> {
        let mut legs = self.legs();
        if let Some(leg) = legs.get(agent) {
            return Ok(Arc::clone(leg));
        }
        if legs.len() >= self.0.config.agents {
            return Err(RtcError::TooMany);
        }
        let agent: Arc<str> = agent.into();
        let relay = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|_| RtcError::NoPort)?;
        let leg = Arc::new(leg::start(Arc::clone(&agent), self.0.common.clone(), relay)?);
        legs.insert(agent, Arc::clone(&leg));
        Ok(leg)
    }

    /// Each change is one call, so the map is whole even if the lock should be poisoned.
    fn legs(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Controls>>> {
        self.0.legs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
