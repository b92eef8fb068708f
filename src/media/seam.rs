//! The words between the engine and the media workers. Plain data: no socket, no clock, no sound.

use crate::base::{Digit, LegId, Time};
use std::net::SocketAddr;
use std::sync::Arc;

/// A sound the prompt store knows, by its index there. Indices stay valid for the life of a [`super::Prompts`] value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClipId(pub u32);

/// One stretch of a playlist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    Clip(ClipId),
    /// Silence, in milliseconds.
    Pause(u16),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    Pcma,
    Pcmu,
}

impl Codec {
    /// Static RTP payload type (RFC 3551 table 4).
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Pcma => 8,
            Self::Pcmu => 0,
        }
    }
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcma => "PCMA",
            Self::Pcmu => "PCMU",
        }
    }
}

/// What offer/answer agreed for one leg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Where we send; `None` while the peer holds with 0.0.0.0 or has given no address yet.
    pub remote: Option<SocketAddr>,
    /// `None`: RTP port + 1. With rtcp-mux it equals `remote`.
    pub remote_rtcp: Option<SocketAddr>,
    pub codec: Codec,
    /// Payload type under which the peer expects us to send `codec` (may differ from the static one).
    pub send_pt: u8,
    /// Payload type the peer uses towards us for the same codec.
    pub recv_pt: u8,
    /// Payload type of telephone-event towards us; `None` turns the in-band detector on (RFC 4733).
    pub event_pt: Option<u8>,
    /// Payload type under which the peer takes telephone-event from us; `None`: keys go out as tones.
    pub send_event_pt: Option<u8>,
    pub may_send: bool,
    pub may_receive: bool,
    /// Latching on the source of received RTP is allowed (`attacks.md` M1): same address first, three packets in sequence.
    pub symmetric: bool,
    /// The addresses a peer of this trunk may name or send from (`attacks.md` M8); empty: only `remote`'s.
    pub media_nets: Arc<[IpNet]>,
}

/// An address range, `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpNet {
    pub addr: std::net::IpAddr,
    pub prefix: u8,
}

impl IpNet {
    pub fn contains(&self, ip: std::net::IpAddr) -> bool {
        use std::net::IpAddr::{V4, V6};
        match (self.addr, ip) {
            (V4(a), V4(b)) => {
                let shift = 32 - u32::from(self.prefix.min(32));
                (u64::from(u32::from(a)) >> shift) == (u64::from(u32::from(b)) >> shift)
            }
            (V6(a), V6(b)) => {
                let shift = 128 - u32::from(self.prefix.min(128));
                shift == 128 || (u128::from(a) >> shift) == (u128::from(b) >> shift)
            }
            _ => false,
        }
    }
}

/// A playlist's name, chosen by the engine, so that a late end of an earlier one cannot be mistaken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlayId(pub u32);

/// Where a recording goes. The name is 128 random bits in hex; the recorder adds `.wav`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordingId(pub u128);

impl std::fmt::Display for RecordingId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}
impl std::fmt::Debug for RecordingId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// Why a stretch of a recording is missing; written into the file and the call's metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingGap {
    /// A number that must not be recorded is being keyed.
    Sensitive,
    /// An agent paused it.
    Paused,
    /// The disk could not follow.
    Overrun,
}

/// A bridge's name, chosen by the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BridgeId(pub u64);

/// One leg of a bridge and whom it hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    pub leg: LegId,
    /// Bit `i`: hears `members[i]` of the same order. Its own bit and bits without a member mean nothing.
    pub hears: u16,
}

/// Members a bridge has at most: a conference of eight, a lead, an echo, and room.
pub const MEMBERS_MAX: usize = 12;

/// Keys waiting to be sent on one leg; more are dropped.
pub const DIGITS_MAX: usize = 64;

/// Engine → worker. A leg's orders all go to the worker that owns its port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// A leg comes to life on `port`. From now on it sends (silence when nothing plays) and receives.
    Open {
        leg: LegId,
        port: u16,
        ssrc: u32,
        session: Box<Session>,
    },
    /// A new offer/answer has ended; learning of the source opens again.
    Update {
        leg: LegId,
        session: Box<Session>,
    },
    /// Replaces whatever plays.
    Play {
        leg: LegId,
        play: PlayId,
        pieces: Box<[Piece]>,
    },
    /// Ends what plays, without [`Event::Finished`].
    Stop {
        leg: LegId,
    },
    /// What sounds while nothing plays: a clip in a loop, or silence.
    Background {
        leg: LegId,
        clip: Option<ClipId>,
    },
    /// One file a call, stereo: caller left, what the caller hears right.
    Record {
        leg: LegId,
        recording: RecordingId,
    },
    /// Both channels become silence while `on`; the span is listed in the file's metadata.
    RecordGap {
        leg: LegId,
        why: RecordingGap,
        on: bool,
    },
    StopRecording {
        leg: LegId,
    },
    /// A voice message: the caller's side alone, ended by a key, by silence or after `max_ms`.
    Message {
        leg: LegId,
        recording: RecordingId,
        max_ms: u32,
        silence_ms: u32,
    },
    StopMessage {
        leg: LegId,
    },
    /// No RTP and no RTCP for this long is told once by [`Event::Silent`]. Zero turns it off (the peer holds us).
    WatchSilence {
        leg: LegId,
        after_ms: u32,
    },
    /// Who hears whom from now on: the whole matrix at once, in place of this bridge's last one. No members: it is dissolved.
    ///
    /// A leg is in one bridge at most: named here it leaves any other, left out it leaves this one, closed it leaves as
    /// well; the others' places stay as they are. All members are legs of one worker; an order with a leg that is not
    /// there, with one leg twice or with more than [`MEMBERS_MAX`] is refused whole and counted.
    Bridge {
        bridge: BridgeId,
        members: Box<[Member]>,
    },
    /// Keys pressed towards the peer, 100 ms each and 100 ms apart, after those still being sent: as telephone-event
    /// where [`Session::send_event_pt`] allows, else as tones. A clip that plays waits for each key.
    Digits {
        leg: LegId,
        digits: Box<[Digit]>,
    },
    /// The leg ends. Its port rests for a second and comes back with [`Event::PortFree`].
    Close {
        leg: LegId,
    },
}

/// Worker → engine. `at` is the worker's reading of the shared monotone clock.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    Finished {
        leg: LegId,
        play: PlayId,
    },
    /// One press of a key, however it came.
    Digit {
        leg: LegId,
        digit: Digit,
        source: DigitSource,
        at: Time,
    },
    /// The first valid RTP packet of the session.
    Heard {
        leg: LegId,
        at: Time,
    },
    Silent {
        leg: LegId,
        for_ms: u32,
    },
    /// Sound came back after [`Event::Silent`].
    Back {
        leg: LegId,
    },
    /// The peer's packets now come from another address of the right kind, after the rules of M1.
    SourceMoved {
        leg: LegId,
        to: SocketAddr,
    },
    RecordingEnded {
        leg: LegId,
        recording: RecordingId,
        length_ms: u32,
        gaps_ms: u32,
        failed: bool,
    },
    MessageEnded {
        leg: LegId,
        recording: RecordingId,
        length_ms: u32,
        voiced_ms: u32,
        why: MessageEnd,
    },
    Closed {
        leg: LegId,
        stats: Box<Stats>,
    },
    PortFree {
        port: u16,
    },
    /// The ring towards the engine was full and this many events were lost (each lost kind has its own counter).
    Overrun {
        lost: u32,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigitSource {
    /// RFC 4733.
    Rtp,
    /// Tones in the sound.
    Inband,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageEnd {
    Stopped,
    TooLong,
    Silence,
    Failed,
}

/// One leg's media, for the call's metadata.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    pub sent_packets: u64,
    pub received_packets: u64,
    /// By sequence numbers (RFC 3550 A.3).
    pub lost_packets: u64,
    pub late_packets: u64,
    pub duplicate_packets: u64,
    /// Packets of strangers, of another SSRC, of unknown type: dropped before decoding.
    pub foreign_packets: u64,
    /// Interarrival jitter (RFC 3550 A.8), milliseconds.
    pub jitter_ms: f32,
    /// Mean opinion score estimated by the E-model (ITU-T G.107) from loss and delay variation, 1.0–4.5.
    pub mos: f32,
    /// What the peer's last receiver report said of us, 0–255 (RFC 3550 6.4.1); `None` when it sent none.
    pub peer_fraction_lost: Option<u8>,
    /// Digits taken.
    pub digits: u32,
    /// Ticks the worker came more than 5 ms late for.
    pub late_ticks: u32,
}
