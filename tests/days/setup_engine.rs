//! An engine as the program would build it, with the shipped flow and the lengths of the shipped prompts.

use hotline::acd::QueueConfig;
use hotline::call::{EngineConfig, Limits};
use hotline::ivr::{Book, Flow, FlowSet};
use hotline::media::seam::{ClipId, Codec, IpNet};
use hotline::sip::UaConfig;
use hotline::sip::seam::{Peer, PeerKind, Strangers};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Where the trunk leads: numbers that the engine dials.
pub const TOWN: std::net::SocketAddr =
    std::net::SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3)), 9_000);

/// The mobile of who is on call.
pub const ON_CALL: &str = "12000000999";

pub fn config(seed: u64, ring_ms: u64) -> (EngineConfig, BTreeMap<ClipId, u32>) {
    let (clips, clip_ms) = clips();
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let queue = QueueConfig { max_wait: Duration::from_secs(1800), ..QueueConfig::default() };
    let queues =
        ["main", "business", "english"].into_iter().map(|name| (Arc::from(name), queue.clone())).collect();
    let config = EngineConfig {
        node: 1,
        boot: 1,
        next_seq: 1,
        seed: bytes,
        ua: ua(),
        flow: flow(),
        clips,
        queues,
        acd: hotline::acd::AcdConfig { on_call: Some(ON_CALL.into()), ..hotline::acd::AcdConfig::default() },
        agents: Vec::new(),
        hold_music: Some("hold".into()),
        hold_prompt: Some("agent_hold".into()),
        dial: hotline::call::DialRules {
            allow: vec!["1200000*".into()],
            deny: vec!["12000000013".into()],
            ..hotline::call::DialRules::default()
        },
        media_local: IpAddr::V4(Ipv4Addr::LOCALHOST),
        calendar: Arc::default(),
        switches: Arc::from([]),
        timezone: jiff::tz::TimeZone::get("Asia/Shanghai").expect("in the binary"),
        media_addr: IpAddr::V4(Ipv4Addr::LOCALHOST),
        record: true,
        limits: Limits {
            max_calls_per_caller: 0,
            answer_after: Duration::from_millis(ring_ms),
            media_silence: Duration::from_secs(60),
            ..Limits::default()
        },
    };
    (config, clip_ms)
}

pub fn ua() -> UaConfig {
    let loopback: [IpNet; 1] = [IpNet { addr: IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), prefix: 8 }];
    UaConfig {
        numbers: vec!["12341".into()],
        udp: vec!["127.0.0.1:5060".parse().expect("an address")],
        tcp: None,
        external: None,
        peers: vec![Peer {
            name: "city".into(),
            kind: PeerKind::Trunk,
            nets: loopback.to_vec(),
            inbound: None,
            outbound: None,
            trusted_identity: true,
            target: Some((TOWN, false)),
            register: None,
            media_nets: Arc::from(loopback),
        }],
        strangers: Strangers::Silent,
        realm: "hotline".into(),
        digest: vec![hotline::sip::seam::Algorithm::Sha256],
        t1: Duration::from_millis(500),
        t2: Duration::from_secs(4),
        t4: Duration::from_secs(5),
        min_se_s: 90,
        session_expires_s: 1800,
        codecs: vec![Codec::Pcma, Codec::Pcmu],
        user_agent: "hotline".into(),
        max_transactions: 200_000,
        max_dialogs: 60_000,
        stranger_answers_per_s: 5,
    }
}

/// The flow of the wild days, and the short limits that go with them.
#[allow(dead_code)] // The load example has no wild days.
pub fn wild(config: &mut EngineConfig, max_call: Duration) {
    static FLOW: OnceLock<Arc<Flow>> = OnceLock::new();
    let flow = FLOW.get_or_init(|| {
        let manifest = include_str!("../../sounds/manifest.json");
        let book = Arc::new(Book::read(manifest).expect("the manifest is right"));
        FlowSet::one(vec![("wild.toml".into(), include_str!("wild.toml").into())], &book)
            .expect("the wild flow is right")
    });
    config.flow = Arc::clone(flow);
    config.limits.max_call = max_call;
}

fn flow() -> Arc<Flow> {
    static FLOW: OnceLock<Arc<Flow>> = OnceLock::new();
    Arc::clone(FLOW.get_or_init(|| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("ivr-flows");
        let files = ["main.toml", "status.toml", "callback.toml"].map(|name| {
            (name.to_owned(), std::fs::read_to_string(folder.join(name)).expect("a shipped flow"))
        });
        let manifest = std::fs::read_to_string(folder.join("../sounds/manifest.json")).expect("the manifest");
        let book = Arc::new(Book::read(&manifest).expect("the manifest is right"));
        let set = FlowSet::load(files.into(), &book).expect("the shipped flow is right");
        set.get("main").expect("the flow in force by default")
    }))
}

/// Clips by name, and their lengths in milliseconds.
type Clips = (Arc<BTreeMap<Arc<str>, ClipId>>, BTreeMap<ClipId, u32>);

/// Names and lengths from the sounds' manifest.
fn clips() -> Clips {
    static CLIPS: OnceLock<Clips> = OnceLock::new();
    CLIPS
        .get_or_init(|| {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sounds/manifest.json");
            let manifest: serde_json::Value =
                serde_json::from_str(&std::fs::read_to_string(path).expect("sounds/manifest.json"))
                    .expect("JSON");
            let (mut names, mut lengths) = (BTreeMap::new(), BTreeMap::new());
            for (i, (name, clip)) in manifest["clips"].as_object().expect("clips").iter().enumerate() {
                let id = ClipId(i as u32);
                names.insert(Arc::from(name.as_str()), id);
                lengths.insert(id, clip["ms"].as_u64().expect("ms") as u32);
            }
            (Arc::new(names), lengths)
        })
        .clone()
}
