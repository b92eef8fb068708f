//! Who may call us by digest, and our own answers to a trunk's challenges.
//!
//! Nothing is remembered of who has not proved anything yet: a challenge is a pure function of time and address. Of who
//! has, the nonce is kept for its minute, so that nobody else can show the same credentials again.

use super::core::Core;
use super::draft::Draft;
use super::view::View;
use crate::base::Time;
use crate::sip::digest::{self, Algorithm, Nonce, Secret};
use crate::sip::header::{AuthParams, AuthScheme, HeaderName};
use crate::sip::seam::{Flow, Peer, PeerId, PeerKind};
use std::collections::BTreeMap;

/// What a request's credentials show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    Peer(PeerId),
    /// None for our realm.
    Missing,
    /// Right in form, made for an old nonce.
    Stale,
    Wrong,
    /// They cannot be read: 400.
    Malformed,
}

/// Does the configuration know anybody whom only digest identifies?
pub(super) fn anyone_by_digest(core: &Core) -> bool {
    core.peers.iter().any(|peer| peer.nets.is_empty() && peer.inbound.is_some())
}

/// Who keeps the door: the key of our nonces, and which of them have been used.
#[derive(Debug)]
pub(super) struct Doorman {
    key: [u8; 32],
    /// By nonce; a nonce begins with its time, so the oldest stands first. Only right credentials get in here.
    used: BTreeMap<Box<str>, Used>,
}

#[derive(Debug)]
struct Used {
    count: u32,
    /// The request it was last shown for.
    request: u64,
    until: Time,
}

/// Nonces remembered; the oldest goes when there are more.
const MOST_USED: usize = 65_536;

impl Doorman {
    pub const fn new(key: [u8; 32]) -> Self {
        Self { key, used: BTreeMap::new() }
    }

    pub fn prove(&mut self, core: &Core, now: Time, view: &View<'_>) -> Proof {
        let (proof, shown) = prove(core, &self.key, now, view);
        let new = shown.is_none_or(|shown| self.is_new(now, shown, view));
        if new { proof } else { Proof::Stale }
    }

    /// Credentials count once: the nonce count rises with each request, or it is the same request again
    /// (RFC 7616 §3.4). Without a count a nonce is good for one request.
    fn is_new(&mut self, now: Time, (nonce, count): (Box<str>, u32), view: &View<'_>) -> bool {
        while self.used.first_key_value().is_some_and(|(_, used)| used.until < now) {
            self.used.pop_first();
        }
        let request = view.fingerprint();
        let until = now + digest::NONCE_LIFE;
        match self.used.get_mut(&nonce) {
            Some(used) if used.request == request => true,
            Some(used) if count > used.count => {
                *used = Used { count, request, until };
                true
            }
            Some(_) => false,
            None => {
                if self.used.len() >= MOST_USED {
                    self.used.pop_first();
                }
                self.used.insert(nonce, Used { count, request, until });
                true
            }
        }
    }

    /// Adds a challenge for each of `algorithms`.
    pub fn challenge(
        &self,
        core: &Core,
        now: Time,
        flow: Flow,
        stale: bool,
        algorithms: &[Algorithm],
        draft: Draft,
    ) -> Draft {
        challenge(core, &self.key, now, flow, stale, algorithms, draft)
    }
}

/// One answer to a trunk's challenge, a second only when its nonce was merely too old (`attacks.md` S15).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tries {
    #[default]
    None,
    Once,
    Twice,
}

impl Tries {
    pub fn may_answer(&mut self, view: &View<'_>) -> bool {
        let next = match self {
            Self::None => Self::Once,
            Self::Once if view.says_stale() => Self::Twice,
            Self::Once | Self::Twice => return false,
        };
        *self = next;
        true
    }
}

/// What a request shows, and the nonce and count it did so with.
fn prove(core: &Core, key: &[u8; 32], now: Time, view: &View<'_>) -> (Proof, Option<(Box<str>, u32)>) {
    let mut best = Proof::Missing;
    for line in view.message.lines_of(HeaderName::Authorization) {
        let Ok(params) = AuthParams::parse(line) else { return (Proof::Malformed, None) };
        let ours = params.scheme == AuthScheme::Digest
            && params.get("realm").is_some_and(|r| *r == *core.config.realm);
        if !ours {
            continue; // Another realm's are no credentials (`attacks.md` S3).
        }
        match prove_one(core, key, now, view, params) {
            Proof::Peer(peer) => {
                let count = params.get("nc").and_then(|nc| u32::from_str_radix(&nc, 16).ok()).unwrap_or(0);
                return (Proof::Peer(peer), params.get("nonce").map(|nonce| (nonce.into(), count)));
            }
            other => best = other,
        }
    }
    (best, None)
}

fn prove_one(core: &Core, key: &[u8; 32], now: Time, view: &View<'_>, params: AuthParams<'_>) -> Proof {
    let get = |name| params.get(name);
    let (Some(user), Some(nonce), Some(uri), Some(shown)) =
        (get("username"), get("nonce"), get("uri"), get("response"))
    else {
        return Proof::Malformed;
    };
    let Some(algorithm) = Algorithm::read(get("algorithm").as_deref()) else { return Proof::Wrong };
    let (count, cnonce) = (get("nc"), get("cnonce"));
    let qop = match (get("qop").as_deref(), &count, &cnonce) {
        (None, _, _) => None,
        (Some("auth"), Some(count), Some(cnonce)) if is_count(count) => Some((&**count, &**cnonce)),
        (Some(_), _, _) => return Proof::Malformed,
    };
    let age = digest::check_nonce(key, now.since(Time::ZERO), view.flow.peer().ip(), &nonce);
    let holder = core.peers.iter().zip(0..).find_map(|(peer, n)| {
        let held = peer.inbound.as_ref()?;
        (held.user == *user).then_some((PeerId(n), held.password.as_str()))
    });
    // A name nobody has costs the same work as a wrong password (`attacks.md` S17).
    let password = holder.map_or("", |(_, password)| password);
    let secret = Secret { user: &user, realm: &core.config.realm, password };
    let right = digest::response(algorithm, secret, view.method.as_str(), &uri, &nonce, qop);
    let fits = digest::same(right.as_bytes(), shown.as_bytes());
    match (holder, fits, age) {
        (Some((peer, _)), true, Nonce::Good) => Proof::Peer(peer),
        (Some(_), true, Nonce::Stale) => Proof::Stale,
        _ => Proof::Wrong,
    }
}

/// RFC 7616 §3.4: eight hexadecimal digits.
fn is_count(text: &str) -> bool {
    text.len() == 8 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn challenge(
    core: &Core,
    key: &[u8; 32],
    now: Time,
    flow: Flow,
    stale: bool,
    algorithms: &[Algorithm],
    draft: Draft,
) -> Draft {
    let nonce = digest::nonce(key, now.since(Time::ZERO), flow.peer().ip());
    algorithms.iter().fold(draft, |draft, algorithm| {
        let (realm, name) = (&core.config.realm, algorithm.name());
        let stale = if stale { ", stale=true" } else { "" };
        draft.line(
            "WWW-Authenticate",
            format_args!(
                "Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm={name}, qop=\"auth\"{stale}"
            ),
        )
    })
}

/// Our answer to a trunk's challenge: header name and value. Credentials go to the trunk's configured address only
/// (`attacks.md` S16), the strongest algorithm first.
pub(super) fn answer_challenge(
    core: &mut Core,
    peer: &Peer,
    flow: Flow,
    view: &View<'_>,
    method: &str,
    uri: &str,
) -> Option<(&'static str, String)> {
    let held = peer.outbound.as_ref().filter(|_| peer.kind == PeerKind::Trunk)?;
    let (target, _) = peer.target?;
    if flow.peer().ip() != target.ip() || view.flow.peer().ip() != target.ip() {
        return None;
    }
    let (from, name) = match view.status {
        407 => (HeaderName::ProxyAuthenticate, "Proxy-Authorization"),
        _ => (HeaderName::WwwAuthenticate, "Authorization"),
    };
    let cnonce = core.chance.mark().to_string();
    let answer = |line: &str| {
        digest::answer(line, &held.user, &held.password, held.realm.as_deref(), method, uri, &cnonce)
    };
    let strong = |line: &&str| line.to_ascii_uppercase().contains("SHA-256");
    let mut lines: Vec<&str> = view.message.lines_of(from).collect();
    lines.sort_by_key(|line| !strong(line));
    lines.into_iter().find_map(answer).map(|value| (name, value))
}
