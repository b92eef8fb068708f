//! The words between agents' sessions and the browsers' audio. They never pass through the engine.

use crate::call::agents::seam::{AgentId, SessionEpoch};
use std::sync::Arc;

/// What a page asks of its own audio path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaCommand {
    /// A whole offer, with all candidates known by then.
    Offer {
        sdp: Arc<str>,
    },
    /// A later candidate; empty text: there are no more.
    Candidate {
        candidate: Arc<str>,
        mid: Option<Arc<str>>,
        line: Option<u16>,
    },
    /// The page's network has changed: the next offer restarts ICE.
    Restart,
    Microphone {
        state: Microphone,
    },
    /// The page's echo of the probe: RTP packets it has received so far. Carried out each time, its answer is not kept.
    Probe {
        received: u64,
    },
}

/// How the page's microphone stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Microphone {
    Live,
    Muted,
    /// The track has ended: unplugged, or taken by another program.
    Ended,
    /// The browser or its user gives none.
    Denied,
}

/// Why a media command was not carried out. The code is the contract's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MediaRefused {
    #[error("the offer cannot be read, or has nothing we can take")]
    BadOffer,
    #[error("send an offer first")]
    NoOffer,
    #[error("too many offers or candidates")]
    Limit,
    #[error("no audio port is free")]
    NoPort,
}

impl MediaRefused {
    pub const fn code(self) -> &'static str {
        match self {
            Self::BadOffer => "bad_offer",
            Self::NoOffer => "no_offer",
            Self::Limit => "limit",
            Self::NoPort => "no_port",
        }
    }
}

/// To the browsers' audio. The path belongs to the epoch: what an older one still sends is not for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToMedia {
    /// This page acts for the agent from now on; `None`: its socket is gone, the audio may well go on.
    Acting { agent: AgentId, epoch: Option<SessionEpoch> },
    /// `re` comes back with the answer and with the `media.answer` it leads to.
    Command { agent: AgentId, epoch: SessionEpoch, re: u64, command: MediaCommand },
}

/// From the browsers' audio, in order for each agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromMedia {
    Answer {
        agent: AgentId,
        re: u64,
        result: Result<(), MediaRefused>,
    },
    /// Of the path that `epoch`'s page set up.
    Event {
        agent: AgentId,
        epoch: SessionEpoch,
        wall_ms: i64,
        event: MediaEvent,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaEvent {
    /// Our side of the offer; all our candidates are inside.
    Answer {
        sdp: Arc<str>,
    },
    Candidate {
        candidate: Arc<str>,
        mid: Option<Arc<str>>,
    },
    /// How well sound passes: `proven` or why it does not, and the figures of the last seconds.
    Quality {
        path: &'static str,
        round_trip_ms: Option<u32>,
        jitter_ms: Option<u32>,
        /// Packets lost of a thousand.
        lost_permille: Option<u16>,
    },
}
