//! `[sip]`, `[[trunk]]`, `[[agent_phone]]`: where calls come from and how they are spoken to.

use super::Secret;
use super::read::Section;
use crate::media::seam::IpNet;
use crate::sip::seam::{Algorithm, Strangers};
use std::net::{IpAddr, SocketAddr};

#[derive(Clone, Debug, PartialEq)]
pub struct Sip {
    /// The hotline's number.
    pub number: String,
    /// Old numbers that still ring here.
    pub legacy_numbers: Vec<String>,
    pub udp: Vec<SocketAddr>,
    pub tcp: Option<SocketAddr>,
    /// What peers reach us by, behind one-to-one NAT.
    pub external_address: Option<IpAddr>,
    pub realm: String,
    /// What we challenge with, in this order.
    pub digest: Vec<Algorithm>,
    pub strangers: Strangers,
    /// Answers a second that one unknown source gets.
    pub stranger_answers_per_s: u32,
    /// RFC 3261 timers, milliseconds.
    pub t1_ms: u32,
    pub t2_ms: u32,
    pub t4_ms: u32,
    /// RFC 4028, seconds.
    pub min_se_s: u32,
    pub session_expires_s: u32,
    pub user_agent: String,
    pub max_transactions: usize,
    pub max_dialogs: usize,
    pub tcp_max_connections: usize,
    pub tcp_max_per_source: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Udp,
    Tcp,
}

/// How a carrier likes to be spoken to. One so far: what carriers are known to do wrong is borne with on every trunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    Standard,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Trunk {
    pub name: String,
    /// Addresses whose requests are this trunk's.
    pub peers: Vec<IpNet>,
    /// Where our own requests go; `None`: this trunk only calls us.
    pub target: Option<SocketAddr>,
    pub transport: Transport,
    pub profile: Profile,
    /// What we show the carrier when it asks.
    pub credentials: Option<Login>,
    /// What the carrier must show us.
    pub inbound: Option<Inbound>,
    pub register: Option<Register>,
    /// P-Asserted-Identity, Diversion and History-Info of this trunk are believed.
    pub trusted_identity: bool,
    /// Addresses its media may come from; empty: the one its SDP names.
    pub media_nets: Vec<IpNet>,
    /// Calls at once, and new calls a second; 0 is no limit of its own.
    pub max_calls: usize,
    pub max_cps: u32,
}

impl Trunk {
    /// A trunk known by its addresses, everything else by default.
    pub fn new(name: &str, peers: Vec<IpNet>) -> Self {
        Self {
            name: name.to_owned(),
            peers,
            target: None,
            transport: Transport::Udp,
            profile: Profile::Standard,
            credentials: None,
            inbound: None,
            register: None,
            trusted_identity: true,
            media_nets: Vec::new(),
            max_calls: 0,
            max_cps: 0,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Login {
    pub username: String,
    pub password: Secret,
    /// Challenges of another realm are not answered.
    pub realm: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Inbound {
    pub username: String,
    pub password: Secret,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Register {
    /// `sip:12341@carrier.example`.
    pub aor: String,
    pub registrar: String,
    pub expires_s: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AgentPhone {
    pub name: String,
    pub password: Secret,
}

const ADDRESS: &str = "an address with a port, like \"0.0.0.0:5060\"";

pub(super) fn read(s: &mut Section<'_, '_>) -> Sip {
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 5060));
    let sip = Sip {
        number: s.text("number", "12341"),
        legacy_numbers: s.list("legacy_numbers", Vec::new(), "a number in quotes"),
        udp: s.list("udp", vec![everywhere], ADDRESS),
        tcp: s.parsed("tcp", Some(everywhere), ADDRESS),
        external_address: s.parsed("external_address", None, "an address, like \"203.0.113.7\""),
        realm: s.text("realm", "hotline"),
        digest: s.list("digest", vec![Algorithm::Sha256, Algorithm::Md5], "\"SHA-256\" or \"MD5\""),
        strangers: s.choice(
            "strangers",
            Strangers::Silent,
            &[("silent", Strangers::Silent), ("403", Strangers::Forbid)],
        ),
        stranger_answers_per_s: s.number("stranger_answers_per_s", 5, 0..=1000),
        t1_ms: s.number("t1_ms", 500, 50..=2000),
        t2_ms: s.number("t2_ms", 4000, 100..=16_000),
        t4_ms: s.number("t4_ms", 5000, 100..=20_000),
        min_se_s: s.number("min_se_s", 90, 90..=86_400),
        session_expires_s: s.number("session_expires_s", 1800, 90..=86_400),
        user_agent: s.text("user_agent", "hotline"),
        max_transactions: s.number("max_transactions", 200_000, 100..=10_000_000),
        max_dialogs: s.number("max_dialogs", 60_000, 10..=10_000_000),
        tcp_max_connections: s.number("tcp_max_connections", 1024, 1..=60_000),
        tcp_max_per_source: s.number("tcp_max_per_source", 32, 1..=60_000),
    };
    if sip.number.is_empty() {
        s.refuse("number", "must not be empty");
    }
    if sip.udp.is_empty() && sip.tcp.is_none() {
        s.refuse("udp", "neither udp nor tcp has an address: no call could come");
    }
    if sip.udp.len() > 16 {
        s.refuse("udp", "at most 16 addresses");
    }
    if sip.session_expires_s < sip.min_se_s {
        s.refuse(
            "session_expires_s",
            &format!("{} is below min_se_s = {}", sip.session_expires_s, sip.min_se_s),
        );
    }
    if sip.t2_ms < sip.t1_ms {
        s.refuse("t2_ms", &format!("{} is below t1_ms = {}", sip.t2_ms, sip.t1_ms));
    }
    sip
}

pub(super) fn read_trunk(s: &mut Section<'_, '_>) -> Trunk {
    let name = s.required("name");
    let peers = s.nets("peers");
    let trunk = Trunk {
        target: s.parsed("target", None, ADDRESS),
        transport: s.choice("transport", Transport::Udp, &[("udp", Transport::Udp), ("tcp", Transport::Tcp)]),
        profile: s.choice("profile", Profile::Standard, &[("standard", Profile::Standard)]),
        credentials: s.maybe("credentials", |s| Login {
            username: s.required("username"),
            password: Secret::new(s.required("password")),
            realm: s.maybe_text("realm"),
        }),
        inbound: s.maybe("inbound", |s| Inbound {
            username: s.required("username"),
            password: Secret::new(s.required("password")),
        }),
        register: s.maybe("register", |s| Register {
            aor: s.required("aor"),
            registrar: s.required("registrar"),
            expires_s: s.number("expires_s", 600, 30..=86_400),
        }),
        trusted_identity: s.flag("trusted_identity", true),
        media_nets: s.nets("media_nets"),
        max_calls: s.number("max_calls", 0, 0..=1_000_000),
        max_cps: s.number("max_cps", 0, 0..=100_000),
        ..Trunk::new(&name, peers)
    };
    if trunk.peers.is_empty() && trunk.inbound.is_none() && !s.has("peers") {
        s.refuse("peers", "missing: neither addresses nor inbound credentials tell who this trunk is");
    }
    if trunk.register.is_some() && trunk.target.is_none() {
        s.refuse("target", "missing: register needs the address of the registrar");
    }
    if let Some(register) = &trunk.register
        && !register.aor.starts_with("sip:")
    {
        s.refuse_table("register", &format!("aor \"{}\" does not begin with \"sip:\"", register.aor));
    }
    trunk
}

pub(super) fn read_phone(s: &mut Section<'_, '_>) -> AgentPhone {
    AgentPhone { name: s.required("name"), password: Secret::new(s.required("password")) }
}
