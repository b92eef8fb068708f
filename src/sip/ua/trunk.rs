//! Our registrations at carriers that want one: kept alive by timers, credentials shown once per challenge.

use super::Ua;
use super::auth;
use super::chance::Mark;
use super::core::{Ask, Core, Due, Owner, TxId};
use super::draft::{ALLOW, Draft};
use super::session::Cx;
use super::view::{self, View};
use crate::base::Time;
use crate::sip::seam::{Event, Flow, Output, PeerId, Registration};
use std::collections::BTreeMap;
use std::time::Duration;

/// Waits between tries after a failure: doubling, with chance, so that not all engines come back at once.
const FIRST_RETRY: Duration = Duration::from_secs(5);
const LONGEST_RETRY: Duration = Duration::from_secs(300);
/// A carrier may ask for a longer wait (Retry-After), up to this.
const LONGEST_ASKED: Duration = Duration::from_secs(3600);

#[derive(Debug)]
pub(super) struct TrunkRegistration {
    wanted: Registration,
    call_id: String,
    tag: Mark,
    cseq: u32,
    expires_s: u32,
    tries: auth::Tries,
    tried_interval: bool,
    failures: u32,
    /// The REGISTER in the air.
    tx: Option<TxId>,
    /// What the owner was told last.
    told: Option<bool>,
    due: Option<Time>,
}

impl TrunkRegistration {
    /// Makes the set of registrations that of the configuration. New ones are due at once.
    pub fn reconcile(all: &mut BTreeMap<PeerId, Self>, core: &mut Core) {
        let wanted: BTreeMap<PeerId, Registration> = core
            .config
            .peers
            .iter()
            .zip(0..)
            .filter_map(|(peer, n)| {
                Some((PeerId(n), peer.register.clone().filter(|_| peer.target.is_some())?))
            })
            .collect();
        all.retain(|peer, have| {
            let stays = wanted.get(peer) == Some(&have.wanted);
            if !stays {
                core.deadlines.moved(Due::Registration(*peer), have.due, None);
                have.tx.into_iter().for_each(|tx| core.disown(tx)); // Its answer is nobody's.
            }
            stays
        });
        for (peer, registration) in wanted {
            all.entry(peer).or_insert_with(|| {
                core.deadlines.moved(Due::Registration(peer), None, Some(Time::ZERO));
                Self {
                    expires_s: u32::try_from(registration.expires.as_secs())
                        .unwrap_or(3600)
                        .clamp(60, 86_400),
                    wanted: registration,
                    call_id: format!("{}{}", core.chance.mark(), core.chance.mark()),
                    tag: core.chance.mark(),
                    cseq: 0,
                    tries: auth::Tries::None,
                    tried_interval: false,
                    failures: 0,
                    tx: None,
                    told: None,
                    due: Some(Time::ZERO),
                }
            });
        }
    }

    /// The configuration numbers its peers anew.
    pub fn renumber(
        all: &mut BTreeMap<PeerId, Self>,
        core: &mut Core,
        new: impl Fn(PeerId) -> Option<PeerId>,
    ) {
        for (old, mut registration) in std::mem::take(all) {
            core.deadlines.moved(Due::Registration(old), registration.due, None);
            let tx = registration.tx.filter(|tx| core.get(*tx).is_some());
            let Some(peer) = new(old) else {
                tx.into_iter().for_each(|tx| core.disown(tx));
                continue;
            };
            core.deadlines.moved(Due::Registration(peer), None, registration.due);
            if let Some(tx) = tx.and_then(|tx| core.get_mut(tx)) {
                tx.owner = Owner::Registration(peer);
            }
            registration.tx = tx;
            all.insert(peer, registration);
        }
    }

    /// The carrier's last word was yes.
    pub fn stands(&self) -> bool {
        self.told == Some(true)
    }

    fn plan(&mut self, peer: PeerId, core: &mut Core, at: Option<Time>) {
        core.deadlines.moved(Due::Registration(peer), self.due, at);
        self.due = at;
    }

    fn tell(&mut self, peer: PeerId, ok: bool, status: u16, out: &mut Vec<Output>) {
        if self.told != Some(ok) {
            self.told = Some(ok);
            out.push(Output::Event(Event::TrunkRegistration { peer, ok, status }));
        }
    }

    fn send(&mut self, cx: &mut Cx<'_>, peer: PeerId, credentials: Option<(&'static str, String)>) {
        let Some((address, tcp)) = cx.core.peers.get(usize::from(peer.0)).and_then(|p| p.target) else {
            return;
        };
        let flow = if tcp { Flow::TcpTo { peer: address } } else { Flow::Udp { socket: 0, peer: address } };
        let branch = cx.core.chance.mark();
        self.cseq = self.cseq.wrapping_add(1) & 0x7fff_ffff;
        let uri = self.uri();
        let user = view::user_of(&self.wanted.aor).unwrap_or("");
        let mut draft = Draft::request("REGISTER", &uri)
            .line("Via", cx.core.via(flow, branch))
            .line("Max-Forwards", 70)
            .line("From", format_args!("<{}>;tag={}", self.wanted.aor, self.tag))
            .line("To", format_args!("<{}>", self.wanted.aor))
            .line("Call-ID", &self.call_id)
            .line("CSeq", format_args!("{} REGISTER", self.cseq))
            .line("Contact", cx.core.contact(flow, user))
            .line("Expires", self.expires_s)
            .line("Allow", ALLOW)
            .line("User-Agent", &cx.core.config.user_agent);
        if let Some((name, value)) = credentials {
            draft = draft.line(name, value);
        }
        let owner = Owner::Registration(peer);
        self.plan(peer, cx.core, None); // The transaction has the deadline now.
        let bytes = draft.bare();
        self.tx = Some(cx.core.open_client(cx.now, owner, Ask::Register, branch, flow, bytes, false, cx.out));
    }

    fn uri(&self) -> String {
        let registrar = &self.wanted.registrar;
        if registrar.starts_with("sip:") { registrar.clone() } else { format!("sip:{registrar}") }
    }
}

impl Ua {
    pub(super) fn register_due(&mut self, now: Time, peer: PeerId, out: &mut Vec<Output>) {
        let Some(registration) = self.trunks.get_mut(&peer) else { return };
        registration.tries = auth::Tries::None;
        registration.tried_interval = false;
        registration.send(&mut Cx { now, core: &mut self.core, out }, peer, None);
    }

    pub(super) fn registration_answered(
        &mut self,
        now: Time,
        peer: PeerId,
        view: &View<'_>,
        out: &mut Vec<Output>,
    ) {
        let Some(registration) = self.trunks.get_mut(&peer) else { return };
        let facts = self.core.peers.get(usize::from(peer.0)).cloned();
        let mut cx = Cx { now, core: &mut self.core, out };
        match view.status {
            ..200 => {}
            200..300 => {
                let contact = cx
                    .core
                    .contact(view.flow, view::user_of(&registration.wanted.aor).unwrap_or(""))
                    .to_string();
                let own = contact.trim_matches(['<', '>']).to_owned();
                let s = view
                    .contacts()
                    .and_then(|list| list.into_iter().find(|(uri, _)| *uri == own).and_then(|(_, s)| s))
                    .or(view.expires())
                    .unwrap_or(registration.expires_s)
                    .max(2);
                registration.failures = 0;
                // A tenth before the end, but half of a short one: a carrier may be slow.
                let wait = if s < 120 { s / 2 } else { s - s / 10 };
                registration.plan(peer, cx.core, Some(now + Duration::from_secs(u64::from(wait))));
                registration.tell(peer, true, view.status, cx.out);
            }
            401 | 407 if registration.tries.may_answer(view) => {
                let uri = registration.uri();
                let line = facts.and_then(|f| {
                    let flow = f.target.map(|(address, _)| Flow::TcpTo { peer: address })?;
                    auth::answer_challenge(cx.core, &f, flow, view, "REGISTER", &uri)
                });
                match line {
                    Some(line) => registration.send(&mut cx, peer, Some(line)),
                    None => self.registration_failed(now, peer, view.status, None, out),
                }
            }
            423 if !registration.tried_interval && view.min_expires().is_some() => {
                registration.tried_interval = true;
                registration.tries = auth::Tries::None;
                registration.expires_s = view.min_expires().unwrap_or(3600).clamp(1, 86_400);
                registration.send(&mut cx, peer, None);
            }
            status => self.registration_failed(now, peer, status, view.retry_after(), out),
        }
    }

    pub(super) fn registration_failed(
        &mut self,
        now: Time,
        peer: PeerId,
        status: u16,
        retry_after_s: Option<u32>,
        out: &mut Vec<Output>,
    ) {
        let Some(registration) = self.trunks.get_mut(&peer) else { return };
        let asked = Duration::from_secs(u64::from(retry_after_s.unwrap_or(0))).min(LONGEST_ASKED);
        let wait = (FIRST_RETRY * 2u32.saturating_pow(registration.failures.min(10))).min(LONGEST_RETRY);
        registration.failures = registration.failures.saturating_add(1);
        let wait = self.core.chance.between(wait / 2, wait).max(asked);
        registration.plan(peer, &mut self.core, Some(now + wait));
        registration.tell(peer, false, status, out);
    }
}
