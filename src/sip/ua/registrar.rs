//! Desk phones that register with us: a bounded table of contacts per phone (RFC 3261 §10.3).
//!
//! A phone is called where its REGISTER came from, whatever its Contact says: that address is known to reach it.

use super::core::{Core, Due};
use super::session::Cx;
use super::view::View;
use super::{Dropped, Ua};
use crate::base::Time;
use crate::sip::seam::{ConnId, Event, Flow, Output, PeerId, PeerKind};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// Contacts of one phone.
const MOST_CONTACTS: usize = 4;
/// Shortest and longest registration, seconds.
const SHORTEST: u32 = 60;
const LONGEST: u32 = 3600;

#[derive(Debug, Default)]
pub(super) struct Registrar {
    phones: BTreeMap<PeerId, Vec<Binding>>,
    by_source: BTreeMap<SocketAddr, PeerId>,
}

#[derive(Debug)]
struct Binding {
    contact: String,
    flow: Flow,
    ends_at: Time,
    call_id: String,
    cseq: u32,
}

impl Registrar {
    pub fn whose(&self, source: SocketAddr) -> Option<PeerId> {
        self.by_source.get(&source).copied()
    }
    pub fn contacts(&self) -> usize {
        self.phones.values().map(Vec::len).sum()
    }
    pub fn contacts_of(&self, peer: PeerId) -> usize {
        self.phones.get(&peer).map_or(0, Vec::len)
    }
    /// Where a phone rings: its latest contact.
    pub fn best(&self, peer: PeerId) -> Option<(Flow, String)> {
        let binding = self.phones.get(&peer)?.last()?;
        Some((binding.flow, binding.contact.clone()))
    }

    /// The configuration numbers its peers anew; phones it does not name any more are forgotten.
    pub fn renumber(&mut self, core: &mut Core, new: impl Fn(PeerId) -> Option<PeerId>) {
        self.by_source.clear();
        for (old, bindings) in std::mem::take(&mut self.phones) {
            core.deadlines.moved(Due::Binding(old), soonest(&bindings), None);
            let is_phone = |id: &PeerId| {
                core.peers
                    .get(usize::from(id.0))
                    .is_some_and(|p| p.kind == PeerKind::Phone && p.inbound.is_some())
            };
            let Some(peer) = new(old).filter(is_phone) else { continue };
            core.deadlines.moved(Due::Binding(peer), None, soonest(&bindings));
            self.by_source.extend(bindings.iter().map(|b| (b.flow.peer(), peer)));
            self.phones.insert(peer, bindings);
        }
    }

    pub fn expire(&mut self, now: Time, peer: PeerId, core: &mut Core, out: &mut Vec<Output>) {
        self.change(peer, core, out, |bindings| bindings.retain(|b| b.ends_at > now));
    }

    pub fn forget(&mut self, peer: PeerId, core: &mut Core, out: &mut Vec<Output>) {
        self.change(peer, core, out, Vec::clear);
    }

    pub fn connection_lost(&mut self, _now: Time, conn: ConnId, core: &mut Core, out: &mut Vec<Output>) {
        let lost = |b: &Binding| matches!(b.flow, Flow::Tcp { conn: c, .. } if c == conn);
        // Phones are few (a room's desks), and this is not a packet's path.
        let peers: Vec<_> =
            self.phones.iter().filter(|(_, list)| list.iter().any(lost)).map(|(p, _)| *p).collect();
        for peer in peers {
            self.change(peer, core, out, |bindings| bindings.retain(|b| !lost(b)));
        }
    }

    /// Changes a phone's contacts; keeps the index, the deadline and the owner's picture true.
    fn change(
        &mut self,
        peer: PeerId,
        core: &mut Core,
        out: &mut Vec<Output>,
        how: impl FnOnce(&mut Vec<Binding>),
    ) {
        let bindings = self.phones.entry(peer).or_default();
        let (before, due) = (bindings.len(), soonest(bindings));
        for binding in &*bindings {
            self.by_source.remove(&binding.flow.peer());
        }
        how(bindings);
        for binding in &*bindings {
            self.by_source.insert(binding.flow.peer(), peer);
        }
        let (contacts, new_due) = (bindings.len(), soonest(bindings));
        core.deadlines.moved(Due::Binding(peer), due, new_due);
        if contacts == 0 {
            self.phones.remove(&peer);
        }
        if contacts != before {
            out.push(Output::Event(Event::Registered { peer, contacts }));
        }
    }
}

fn soonest(bindings: &[Binding]) -> Option<Time> {
    bindings.iter().map(|b| b.ends_at).min()
}

impl Ua {
    /// REGISTER of a source that has shown valid credentials as `peer`.
    pub(super) fn register(&mut self, now: Time, peer: PeerId, view: &View<'_>, out: &mut Vec<Output>) {
        let facts = self.core.peers.get(usize::from(peer.0)).cloned();
        let mut cx = Cx { now, core: &mut self.core, out };
        let user = super::view::user_of(super::view::uri_of(view.to));
        let own =
            facts.as_ref().and_then(|f| f.inbound.as_ref()).is_some_and(|c| Some(c.user.as_str()) == user);
        if !own || !facts.is_some_and(|f| f.kind == PeerKind::Phone) {
            cx.core.counters.drop(Dropped::MethodNotAllowed);
            return view.refuse(&mut cx, 403);
        }
        let Some(wanted) = view.contacts() else { return view.refuse(&mut cx, 400) };
        let default = view.expires().unwrap_or(LONGEST);
        let brief = |s: u32| s > 0 && s < SHORTEST;
        if wanted.iter().any(|(_, s)| brief(s.unwrap_or(default))) {
            cx.core.counters.drop(Dropped::IntervalTooSmall);
            return view.refuse_with(&mut cx, 423, |draft| draft.line("Min-Expires", SHORTEST));
        }
        if wanted.iter().any(|(uri, _)| uri == "*") && (wanted.len() != 1 || default != 0) {
            return view.refuse(&mut cx, 400);
        }
        let mut old = false;
        self.registrar.change(peer, cx.core, cx.out, |bindings| {
            for (uri, expires) in wanted {
                let same = |b: &Binding| b.contact == uri || uri == "*";
                old |= bindings.iter().any(|b| same(b) && b.call_id == view.call_id && b.cseq > view.cseq);
                if old {
                    return;
                }
                bindings.retain(|b| !same(b));
                let s = expires.unwrap_or(default).min(LONGEST);
                if s > 0 && uri != "*" {
                    bindings.push(Binding {
                        contact: uri,
                        flow: view.flow,
                        ends_at: now + Duration::from_secs(u64::from(s)),
                        call_id: view.call_id.to_owned(),
                        cseq: view.cseq,
                    });
                }
            }
            let surplus = bindings.len().saturating_sub(MOST_CONTACTS);
            bindings.drain(..surplus);
        });
        let mut cx = Cx { now, core: &mut self.core, out };
        if old {
            cx.core.counters.drop(Dropped::OldCseq);
            return view.refuse(&mut cx, 500);
        }
        let lines: Vec<String> = self
            .registrar
            .phones
            .get(&peer)
            .into_iter()
            .flatten()
            .map(|b| format!("<{}>;expires={}", b.contact, b.ends_at.since(now).as_secs()))
            .collect();
        view.refuse_with(&mut cx, 200, |draft| {
            lines.iter().fold(draft, |draft, line| draft.line("Contact", line))
        });
    }
}
