//! The words between the SIP user agent and its owner. Plain data.

use crate::base::Time;
use crate::media::seam::{Codec, IpNet};
pub use crate::sip::digest::Algorithm;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A TCP (later TLS) connection's name, never reused within a boot (`attacks.md` S11: ids, never pointers).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// Which of our sockets a message came by or shall leave by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flow {
    /// Datagram socket number `socket` (index into the configured listen addresses) and the peer.
    Udp { socket: u8, peer: SocketAddr },
    /// An existing connection and its peer.
    Tcp { conn: ConnId, peer: SocketAddr },
    /// A connection the driver is to open (or reuse) towards `peer`.
    TcpTo { peer: SocketAddr },
}

impl Flow {
    pub const fn peer(&self) -> SocketAddr {
        match *self {
            Self::Udp { peer, .. } | Self::Tcp { peer, .. } | Self::TcpTo { peer } => peer,
        }
    }
    pub const fn is_reliable(&self) -> bool {
        !matches!(self, Self::Udp { .. })
    }
}

/// One whole message as it came: a datagram, or a frame cut out of a stream by `stream::Framer`.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    pub flow: Flow,
    pub bytes: &'a [u8],
}

/// Bytes to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    pub flow: Flow,
    pub bytes: bytes::Bytes,
}

/// A session we take part in: from the INVITE (either way) to its end. Chosen by the user agent, never reused within a boot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DialogId(pub u64);

impl std::fmt::Debug for DialogId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "dialog-{}", self.0)
    }
}

/// A trunk or phone, by its index in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub u16);

/// Who may call us, and how each likes to be spoken to.
#[derive(Clone, Debug)]
pub struct Peer {
    pub name: Arc<str>,
    pub kind: PeerKind,
    /// Source addresses that identify this peer. Empty: only digest does.
    pub nets: Vec<IpNet>,
    /// Credentials the peer must show (inbound digest), and those we show it (outbound).
    pub inbound: Option<Credentials>,
    pub outbound: Option<Credentials>,
    /// P-Asserted-Identity, Diversion and History-Info of this peer are believed (`attacks.md` S26).
    pub trusted_identity: bool,
    /// Where requests that start with us go.
    pub target: Option<(SocketAddr, bool)>,
    /// Keep a registration alive there (carriers that want it).
    pub register: Option<Registration>,
    pub media_nets: Arc<[IpNet]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerKind {
    Trunk,
    /// An agent's desk phone: registers with us.
    Phone,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub user: String,
    pub password: String,
    /// Answer challenges of this realm only (`attacks.md` S16). `None`: the first realm the trunk's own address asks for.
    pub realm: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials {{ user: {:?}, password: *** }}", self.user)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// `sip:user@domain` to register, and the registrar's domain.
    pub aor: String,
    pub registrar: String,
    pub expires: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strangers {
    Silent,
    Forbid,
}

/// What a user agent needs to know. Built by `config`; a reload gives a new one.
#[derive(Clone, Debug)]
pub struct UaConfig {
    /// User parts we answer to (`12341` and the legacy numbers); anything else is 404.
    pub numbers: Vec<Arc<str>>,
    /// Addresses we listen on, by socket index, as peers reach them (Contact, Via).
    pub udp: Vec<SocketAddr>,
    pub tcp: Option<SocketAddr>,
    /// Address put into Contact, Via and SDP instead of the socket's own (behind 1:1 NAT).
    pub external: Option<std::net::IpAddr>,
    pub peers: Vec<Peer>,
    pub strangers: Strangers,
    pub realm: String,
    /// What we challenge with, in this order (RFC 8760 2.4).
    pub digest: Vec<Algorithm>,
    /// RFC 3261 timer base, default 500 ms.
    pub t1: Duration,
    pub t2: Duration,
    pub t4: Duration,
    /// Smallest Session-Expires accepted (RFC 4028), seconds; and what we ask for.
    pub min_se_s: u32,
    pub session_expires_s: u32,
    /// Codecs in our order of preference.
    pub codecs: Vec<Codec>,
    pub user_agent: String,
    /// Upper bounds: transactions, dialogs, registrations, bytes kept for retransmission.
    pub max_transactions: usize,
    pub max_dialogs: usize,
    /// Requests a second that one unknown source gets answers for.
    pub stranger_answers_per_s: u32,
}

/// Our end of the media of one dialog: what goes into SDP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalMedia {
    pub addr: SocketAddr,
    pub codecs: Vec<Codec>,
    /// Session id for the o= line, from the owner's random source.
    pub sdp_session: u64,
}

/// What the caller's INVITE told, read once. Texts are valid UTF-8 already; what had to be replaced is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    pub peer: PeerId,
    pub flow: Flow,
    pub sip_call_id: String,
    /// User part of the Request-URI: the number dialled.
    pub called: String,
    pub from_user: String,
    pub from_display: String,
    /// P-Asserted-Identity values, in order (`tel:` and `sip:` user parts), of trusted peers only.
    pub asserted: Vec<String>,
    /// Lower-case Privacy values (RFC 3323): `id`, `user`, `header`…
    pub privacy: Vec<String>,
    /// Diversion, first diverting party last as on the wire: (number, reason).
    pub diversion: Vec<(String, String)>,
    /// History-Info entries: (number, cause).
    pub history: Vec<(String, Option<u16>)>,
    pub user_agent: String,
    /// The offer's SDP when there was one: kept for the journal.
    pub offer: Option<String>,
    /// Was the source marked as an emergency (Priority, Resource-Priority)?
    pub emergency: bool,
    /// INVITE inside which a Replaces header named this dialog of ours (RFC 3891).
    pub replaces: Option<DialogId>,
}

/// Why a dialog ended, seen from SIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialogEnd {
    /// BYE from the peer; the cause of its Reason header if it gave one (Q.850 or SIP).
    Bye { cause: Option<u16> },
    /// We hung up and the peer knows, or has been told for long enough.
    HungUp,
    /// CANCEL before a final answer.
    Cancelled,
    /// No ACK to our 200 within 64·T1 (BYE was sent).
    AckMissing,
    /// ACK without the answer to our offer (BYE was sent).
    NoAnswerSdp,
    /// The session timer ran out (RFC 4028 §10; BYE was sent).
    SessionExpired,
    /// We refused it.
    Rejected { status: u16 },
    /// Our own INVITE failed: final status, 408 when nobody answered.
    Failed { status: u16 },
    /// Transport lost with no way to answer.
    TransportLost,
    /// Taken over by a later INVITE with Replaces.
    Replaced,
    /// The peer answered 481/408 to a request inside the dialog.
    PeerForgot,
}

/// Facts for the owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A call for us has passed source, syntax, Require, number and SDP. 100 is on its way.
    /// The owner must `answer`, `progress` or `reject` it.
    Invited {
        dialog: DialogId,
        invite: Box<Invite>,
    },
    /// ACK of our 200 came.
    Confirmed {
        dialog: DialogId,
    },
    /// Offer/answer agreed something new (also hold and resume).
    Media {
        dialog: DialogId,
        media: Box<NegotiatedMedia>,
    },
    /// A key by INFO (`application/dtmf-relay` or `application/dtmf`).
    Info {
        dialog: DialogId,
        digit: crate::base::Digit,
        duration_ms: u16,
    },
    /// The peer asks to transfer (RFC 3515). Already answered 202 or refused by policy.
    Referred {
        dialog: DialogId,
        target: String,
        accepted: bool,
    },
    /// Our own INVITE: 18x, with or without early media.
    Progress {
        dialog: DialogId,
        status: u16,
    },
    /// Our own INVITE: 200; ACK is sent.
    Answered {
        dialog: DialogId,
    },
    Ended {
        dialog: DialogId,
        why: DialogEnd,
    },
    /// A desk phone's contact, or that it has none any more.
    Registered {
        peer: PeerId,
        contacts: usize,
    },
    /// Our registration at a trunk: alive until, or the final status that stopped it.
    TrunkRegistration {
        peer: PeerId,
        ok: bool,
        status: u16,
    },
    /// Something a rebuilt engine must know (architecture 7.7).
    DialogFacts {
        dialog: DialogId,
        facts: Box<DialogFacts>,
    },
}

/// Enough to go on with a dialog after a restart.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct DialogFacts {
    pub sip_call_id: String,
    pub local_tag: String,
    pub remote_tag: String,
    pub local_uri: String,
    pub remote_uri: String,
    pub remote_target: String,
    pub route_set: Vec<String>,
    /// No CSeq of ours above this has been used: steps are reserved ahead.
    pub local_cseq_reserved: u32,
    pub remote_cseq: u32,
    pub local_sdp: String,
    pub remote_sdp: String,
    pub session_expires_s: Option<u32>,
    pub we_refresh: bool,
}

/// The result of offer/answer for one audio stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NegotiatedMedia {
    pub remote: Option<SocketAddr>,
    pub remote_rtcp: Option<SocketAddr>,
    pub rtcp_mux: bool,
    pub codec: Codec,
    pub send_pt: u8,
    pub recv_pt: u8,
    /// Of telephone-event, towards us and towards the peer.
    pub event_pt: Option<u8>,
    pub send_event_pt: Option<u8>,
    pub direction: Direction,
    pub held_by_peer: bool,
    pub local_sdp: Arc<str>,
    pub remote_sdp: Arc<str>,
    pub at: Time,
}

/// Our direction after the answer (RFC 3264 §6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

/// What the user agent wants done, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    Send(Transmit),
    /// The stream broke the rules or is not needed any more.
    Close(ConnId),
    Event(Event),
}
