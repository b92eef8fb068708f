//! From the configuration and the files beside it to what the engine is built with. Shared by start, reload and `hotline check`.

use super::assets::Assets;
use crate::acd::{AcdConfig, Answer, Overflow, QueueConfig, Strategy};
use crate::call::{DialRules, EngineConfig, Limits};
use crate::config::{self, Config};
use crate::ivr::Flow;
use crate::media::seam::IpNet;
use crate::sip::UaConfig;
use crate::sip::seam::{Credentials, Peer, PeerKind, Registration};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

/// Where the program's sockets ended up; port 0 in the configuration means that only they know.
#[derive(Clone, Debug)]
pub struct Bound {
    pub udp: Vec<SocketAddr>,
    pub tcp: Option<SocketAddr>,
}

/// The user agent's view of the configuration.
pub fn ua_config(config: &Config, bound: &Bound) -> UaConfig {
    let sip = &config.sip;
    let mut numbers: Vec<Arc<str>> = vec![sip.number.as_str().into()];
    numbers.extend(sip.legacy_numbers.iter().map(|number| Arc::from(number.as_str())));
    let ms = |ms: u32| Duration::from_millis(ms.into());
    UaConfig {
        numbers,
        udp: bound.udp.iter().map(|addr| reachable(*addr)).collect(),
        tcp: bound.tcp.map(reachable),
        external: sip.external_address,
        peers: peers(config),
        strangers: sip.strangers,
        realm: sip.realm.clone(),
        digest: sip.digest.clone(),
        t1: ms(sip.t1_ms),
        t2: ms(sip.t2_ms),
        t4: ms(sip.t4_ms),
        min_se_s: sip.min_se_s,
        session_expires_s: sip.session_expires_s,
        codecs: config.media.codecs.clone(),
        user_agent: sip.user_agent.clone(),
        max_transactions: sip.max_transactions,
        max_dialogs: sip.max_dialogs,
        stranger_answers_per_s: sip.stranger_answers_per_s,
    }
}

fn peers(config: &Config) -> Vec<Peer> {
    let trunks = config.trunks.iter().map(|trunk| {
        let login = trunk.credentials.as_ref();
        Peer {
            name: trunk.name.as_str().into(),
            kind: PeerKind::Trunk,
            nets: trunk.peers.clone(),
            inbound: trunk
                .inbound
                .as_ref()
                .map(|inbound| credentials(&inbound.username, inbound.password.reveal(), None)),
            outbound: login
                .map(|login| credentials(&login.username, login.password.reveal(), login.realm.clone())),
            trusted_identity: trunk.trusted_identity,
            target: trunk.target.map(|target| (target, trunk.transport == crate::config::Transport::Tcp)),
            register: trunk.register.as_ref().map(|register| Registration {
                aor: register.aor.clone(),
                registrar: register.registrar.clone(),
                expires: Duration::from_secs(register.expires_s.into()),
            }),
            media_nets: Arc::from(trunk.media_nets.as_slice()),
        }
    });
    let phones = config.agent_phones.iter().map(|phone| Peer {
        name: phone.name.as_str().into(),
        kind: PeerKind::Phone,
        nets: Vec::new(),
        inbound: Some(credentials(&phone.name, phone.password.reveal(), None)),
        outbound: None,
        trusted_identity: false,
        target: None,
        register: None,
        media_nets: Arc::from([]),
    });
    trunks.chain(phones).collect()
}

fn credentials(user: &str, password: &str, realm: Option<String>) -> Credentials {
    Credentials { user: user.to_owned(), password: password.to_owned(), realm }
}

/// An address others can use: 0.0.0.0 becomes the address of the default route, or loopback where there is none.
fn reachable(addr: SocketAddr) -> SocketAddr {
    if addr.ip().is_unspecified() { SocketAddr::new(default_route(), addr.port()) } else { addr }
}

/// The source address of packets to the world. Connecting a datagram socket sends nothing.
fn default_route() -> IpAddr {
    let ask = || {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
        // TEST-NET-1 (RFC 5737): any address that is not ours.
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    ask().filter(|ip| !ip.is_unspecified()).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// Our address in SDP, and the one RTP sockets bind.
pub fn media_address(config: &Config, bound: &Bound) -> (IpAddr, IpAddr) {
    let listens_on = bound.udp.first().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |addr| addr.ip());
    let local = config.media.address.unwrap_or(listens_on);
    let told = config.sip.external_address.unwrap_or_else(|| reachable(SocketAddr::new(local, 0)).ip());
    let bind =
        if config.media.address.is_some() || !listens_on.is_unspecified() { local } else { listens_on };
    (told, bind)
}

fn switches(config: &Config) -> Arc<[Arc<str>]> {
    let mut names: Vec<Arc<str>> = config.ivr.switches.iter().map(|name| Arc::from(name.as_str())).collect();
    names.sort();
    names.dedup();
    names.into()
}

pub fn limits(config: &Config) -> Limits {
    let limits = &config.limits;
    let ms = |ms: u32| Duration::from_millis(ms.into());
    Limits {
        max_calls: limits.max_calls,
        max_calls_per_caller: limits.caller_concurrent as usize,
        max_cps: limits.max_cps,
        max_per_minute: limits.caller_per_minute,
        max_call: Duration::from_secs(limits.call_max_s.into()),
        media_silence: Duration::from_millis(config.media.silence_ms.into()),
        answer_after: ms(limits.answer_after_ms),
        message_min: ms(limits.message_min_ms),
        durable_wait: ms(limits.durable_wait_ms),
        max_undurable: limits.max_undurable.into(),
        retry_after_s: limits.retry_after_s,
        hold_unfinished: config.acd.hold_unfinished,
        ring_out: Duration::from_secs(config.dial.ring_s.into()),
        ..Limits::default()
    }
}

/// Every queue a flow of the set names, with its configured or default limits.
pub fn queues(config: &Config, flow: &Flow) -> Vec<(Arc<str>, QueueConfig)> {
    let mut names: Vec<Arc<str>> = flow.queues().collect();
    names.extend(config.queues.keys().map(|name| Arc::from(name.as_str())));
    names.sort();
    names.dedup();
    let told = |name: &str| queue(config.queues.get(name).unwrap_or(&config::Queue::default()));
    names.into_iter().map(|name| (Arc::clone(&name), told(&name))).collect()
}

/// What sounds while a citizen is set aside, and what he hears when his agent's line is lost.
const HOLD_MUSIC: &str = "hold";
const HOLD_PROMPT: &str = "agent_hold";

fn queue(queue: &config::Queue) -> QueueConfig {
    let seconds = |n: u32| Duration::from_secs(n.into());
    QueueConfig {
        max_waiting: queue.max_waiting,
        max_wait: seconds(queue.max_wait_s),
        max_callbacks: queue.max_callbacks,
        strategy: match queue.strategy {
            config::Strategy::LongestIdle => Strategy::LongestIdle,
            config::Strategy::FewestCalls => Strategy::FewestCalls,
            config::Strategy::SkillFirst => Strategy::SkillFirst,
            config::Strategy::RingAll => Strategy::RingAll { at_most: queue.ring_at_most },
        },
        answer: match queue.answer {
            config::Answer::Auto => Answer::Auto,
            config::Answer::Ring => Answer::Ring,
        },
        sticky: queue.sticky,
        overflow: queue.overflow.as_ref().map(|overflow| Overflow {
            to: Arc::from(overflow.to.as_str()),
            after: (overflow.after_s > 0).then(|| seconds(overflow.after_s)),
            longer_than: (overflow.longer_than > 0).then_some(overflow.longer_than as usize),
            no_staff: overflow.no_staff,
        }),
    }
}

/// The rules for all queues; what the file does not name keeps the room's own value.
pub fn acd(config: &Config) -> AcdConfig {
    let acd = &config.acd;
    let seconds = |n: u32| Duration::from_secs(n.into());
    AcdConfig {
        ring: seconds(acd.ring_s),
        auto_answer_after: Duration::from_millis(acd.beep_ms.into()),
        wrap_up: seconds(acd.wrap_up_s),
        wrap_up_max: seconds(acd.wrap_up_max_s),
        decline_pause: seconds(acd.decline_pause_s),
        max_declines: acd.max_declines,
        max_on_break: acd.max_on_break,
        roster_binds: config.roster.binds,
        ageing_step: seconds(acd.ageing_step_s),
        on_call: acd.on_call.as_deref().map(Arc::from),
        callback_gaps: acd.callback_gaps_s.iter().map(|gap| seconds(*gap)).collect(),
        callback_max_wait: seconds(acd.callback_max_wait_s),
        ..AcdConfig::default()
    }
}

/// What agents may dial.
pub fn dial_rules(config: &Config) -> DialRules {
    let list = |numbers: &[String]| numbers.iter().map(|number| Arc::from(number.as_str())).collect();
    DialRules {
        trunk: config.dial.trunk.as_deref().map(Arc::from),
        allow: list(&config.dial.allow),
        deny: list(&config.dial.deny),
        per_agent_hour: config.dial.per_agent_hour,
    }
}

/// The configured zone; the reader has refused names that are none.
pub fn zone(config: &Config) -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::get(&config.timezone).unwrap_or(jiff::tz::TimeZone::UTC)
}

/// Which configuration this boot ran with, told in the journal; secrets print themselves as stars.
pub fn config_hash(config: &Config) -> u64 {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(format!("{config:?}"));
    digest.iter().take(8).fold(0, |hash, byte| (hash << 8) | u64::from(*byte))
}

pub fn demo_nets(cidrs: &[String]) -> Result<Vec<IpNet>, String> {
    cidrs
        .iter()
        .map(|text| {
            crate::config::net(text).ok_or_else(|| format!("--demo-net {text}: not an address or a range"))
        })
        .collect()
}

#[allow(clippy::too_many_arguments)]
pub fn engine_config(
    config: &Config,
    bound: &Bound,
    assets: &Assets,
    zone: jiff::tz::TimeZone,
    boot: u32,
    next_seq: u64,
    seed: [u8; 32],
) -> EngineConfig {
    EngineConfig {
        node: config.node,
        boot,
        next_seq,
        seed,
        ua: ua_config(config, bound),
        flow: Arc::clone(&assets.entry),
        clips: Arc::clone(&assets.clips),
        queues: queues(config, &assets.entry),
        acd: acd(config),
        agents: Vec::new(),
        hold_music: Some(Arc::from(HOLD_MUSIC)),
        hold_prompt: Some(Arc::from(HOLD_PROMPT)),
        dial: dial_rules(config),
        timezone: zone,
        calendar: Arc::clone(&assets.calendar),
        switches: switches(config),
        media_addr: media_address(config, bound).0,
        media_local: match media_address(config, bound).1 {
            bind if bind.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            bind => bind,
        },
        record: config.recording.enabled,
        limits: limits(config),
    }
}
