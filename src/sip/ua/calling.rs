//! Our own INVITE until its final answer: forks, early media, reliable progress, credentials once, CANCEL.
//!
//! A CANCEL repeats the INVITE's Request-URI, Call-ID, From, To as first sent, CSeq number, top Via and Route, goes to
//! the same address, and only after a provisional answer (RFC 3261 §9.1). The session lives until 487 or a late 200,
//! which gets ACK and BYE.

use super::change::{Interval, SessionTimer};
use super::core::{Ask, Echo, Kind, Owner, TxId};
use super::draft::{ALLOW, Draft, SUPPORTED};
use super::reach::{News, Place};
use super::session::{Cx, Session, State, hop, route};
use super::view::{self, Body, View};
use super::{Dropped, Noted, auth};
use crate::base::Time;
use crate::sip::seam::{DialogEnd, Event, Flow, LocalMedia};
use std::sync::Arc;
use std::time::Duration;

/// How long it may ring.
const LONGEST_RINGING: Duration = Duration::from_secs(180);
/// Branches of one INVITE that may answer provisionally.
const MOST_FORKS: usize = 8;

#[derive(Debug)]
pub(super) struct Calling {
    pub tx: Option<TxId>,
    pub uri: String,
    pub extra: Vec<(String, String)>,
    pub local: LocalMedia,
    pub offer: Arc<str>,
    pub forks: Vec<Fork>,
    pub cancel: Option<Cancel>,
    pub tries: auth::Tries,
    pub interval_s: u32,
    pub tried_interval: bool,
    pub give_up_at: Time,
}

/// One branch that has answered: an early dialog.
#[derive(Debug)]
pub(super) struct Fork {
    tag: Box<str>,
    remote: String,
    target: String,
    routes: Vec<String>,
    rseq: u32,
    /// CSeq of its last request.
    cseq: Option<u32>,
    /// Its answer to our offer.
    sdp: Option<Arc<str>>,
    /// It has made and got an offer of its own since (UPDATE): what was agreed then stands.
    updated: bool,
}

#[derive(Debug)]
pub(super) struct Cancel {
    sent: bool,
    reason: Option<String>,
    why: DialogEnd,
    give_up_at: Time,
}

impl Calling {
    pub fn new(
        now: Time,
        uri: String,
        extra: Vec<(String, String)>,
        local: LocalMedia,
        offer: Arc<str>,
        s: u32,
    ) -> Self {
        Self {
            tx: None,
            uri,
            extra,
            local,
            offer,
            forks: Vec::new(),
            cancel: None,
            tries: auth::Tries::None,
            interval_s: s,
            tried_interval: false,
            give_up_at: now + LONGEST_RINGING,
        }
    }
    pub fn next_deadline(&self) -> Time {
        self.cancel.as_ref().map_or(self.give_up_at, |c| c.give_up_at)
    }
}

impl Session {
    /// Sends the INVITE, first or again with credentials or a longer session interval: same Call-ID and From, next CSeq.
    pub fn send_invite(&mut self, cx: &mut Cx<'_>, credentials: Option<(&'static str, String)>) {
        let cseq = self.next_cseq();
        let branch = cx.core.chance.mark();
        let flow = self.flow;
        let State::Calling(calling) = &mut self.state else { return };
        let mut draft = Draft::request("INVITE", &calling.uri)
            .line("Via", cx.core.via(flow, branch))
            .line("Max-Forwards", 70)
            .line("From", &self.local)
            .line("To", &self.remote)
            .line("Call-ID", &self.call_id)
            .line("CSeq", format_args!("{cseq} INVITE"))
            .line("Contact", cx.core.contact(flow, &self.user))
            .line("Allow", ALLOW)
            .line("Supported", SUPPORTED)
            .line("User-Agent", &cx.core.config.user_agent);
        if calling.interval_s > 0 {
            let least =
                cx.core.config.min_se_s.max(if calling.tried_interval { calling.interval_s } else { 0 });
            draft = draft.line("Session-Expires", calling.interval_s).line("Min-SE", least);
        }
        for (name, value) in &calling.extra {
            draft = draft.line(name, value);
        }
        if let Some((name, value)) = credentials {
            draft = draft.line(name, value);
        }
        let bytes = draft.sdp(Some(&calling.offer));
        let uri = calling.uri.clone();
        let tx = self.submit(cx, Ask::Invite, bytes, branch, flow);
        if let State::Calling(calling) = &mut self.state {
            calling.tx = Some(tx);
        }
        let top = self.echo_lines(cx, flow, branch, &[]);
        let echo = Echo { uri, top, to: self.remote.clone(), cseq, branch };
        if let Some(tx) = cx.core.get_mut(tx) {
            tx.echo = Some(Box::new(echo));
        }
    }

    /// Keeps what ACK to a refusal of our re-INVITE must repeat.
    pub fn echo(&mut self, cx: &mut Cx<'_>, tx: TxId, cseq: u32, branch: super::chance::Mark, flow: Flow) {
        let (uri, routes) = route(&self.target, &self.routes);
        let routes: Vec<String> = routes.into_iter().map(|r| r.into_owned()).collect();
        let top = self.echo_lines(cx, flow, branch, &routes);
        let echo = Echo { uri: uri.to_owned(), top, to: self.remote.clone(), cseq, branch };
        if let Some(tx) = cx.core.get_mut(tx) {
            tx.echo = Some(Box::new(echo));
        }
    }

    fn echo_lines(&self, cx: &Cx<'_>, flow: Flow, branch: super::chance::Mark, routes: &[String]) -> String {
        use std::fmt::Write;
        let mut top = format!("Via: {}\r\nMax-Forwards: 70\r\n", cx.core.via(flow, branch));
        for line in routes {
            let _ = write!(top, "Route: {line}\r\n"); // Writing into a String cannot fail.
        }
        let _ = write!(top, "From: {}\r\nCall-ID: {}\r\n", self.local, self.call_id);
        top
    }

    /// Any answer to our INVITE that is news: provisional, refusal, or a 2xx of a tag not seen before.
    pub fn invite_answered(&mut self, cx: &mut Cx<'_>, tx: TxId, view: &View<'_>) {
        let State::Calling(calling) = &mut self.state else {
            if (200..300).contains(&view.status) {
                stray_answer(cx, tx, view);
            }
            return;
        };
        if calling.tx != Some(tx) {
            return;
        }
        match view.status {
            100..200 => self.ringing(cx, view),
            200..300 => self.picked_up(cx, tx, view),
            status => self.turned_down(cx, status, view),
        }
    }

    fn ringing(&mut self, cx: &mut Cx<'_>, view: &View<'_>) {
        let State::Calling(calling) = &mut self.state else { return };
        if calling.cancel.as_ref().is_some_and(|c| !c.sent) {
            return self.send_cancel(cx);
        }
        let (Some(tag), 101..200) = (view.to_tag, view.status) else { return };
        let known = calling.forks.iter().position(|fork| &*fork.tag == tag);
        let at = match known {
            Some(at) => at,
            None if calling.forks.len() >= MOST_FORKS => return cx.core.counters.drop(Dropped::Limit),
            None => {
                calling.forks.push(Fork::read(tag, view, &calling.uri));
                calling.forks.len() - 1
            }
        };
        let fork = &mut calling.forks[at];
        let rseq = view.rseq().filter(|_| view.requires("100rel"));
        let news = match rseq {
            Some(rseq) if fork.rseq != 0 && rseq != fork.rseq.wrapping_add(1) => false,
            Some(rseq) => {
                fork.rseq = rseq;
                true
            }
            None => true,
        };
        if !news {
            return cx.core.counters.note(Noted::Repeated);
        }
        let text = view.sdp_text();
        if let Some(text) = text {
            fork.sdp = Some(text.into());
        }
        self.adopt(at);
        self.learn(view);
        if let Some(rseq) = rseq {
            let d = self.draft(cx, "PRACK", None).line("RAck", format_args!("{rseq} {} INVITE", view.cseq));
            self.submit(cx, Ask::Prack, d.draft.bare(), d.branch, d.flow);
        }
        if let Some(text) = text
            && self.media.preview_answer(cx.now, text).is_ok()
        {
            self.tell_media(cx);
        }
        cx.tell(Event::Progress { dialog: self.id, status: view.status });
    }

    /// The session speaks with this branch now.
    fn adopt(&mut self, at: usize) {
        let State::Calling(calling) = &self.state else { return };
        let Some(fork) = calling.forks.get(at) else { return };
        self.remote_tag.clone_from(&fork.tag);
        self.remote.clone_from(&fork.remote);
        self.target.clone_from(&fork.target);
        self.routes.clone_from(&fork.routes);
    }

    /// Where the peer's CSeq is kept: each early dialog has its own.
    pub fn remote_cseq_of(&mut self, tag: &str) -> &mut Option<u32> {
        match &mut self.state {
            State::Calling(calling) => match calling.forks.iter_mut().find(|fork| &*fork.tag == tag) {
                Some(fork) => &mut fork.cseq,
                None => &mut self.remote_cseq,
            },
            _ => &mut self.remote_cseq,
        }
    }

    pub fn has_fork(&self, tag: &str) -> bool {
        match &self.state {
            State::Calling(calling) => calling.forks.iter().any(|fork| &*fork.tag == tag),
            _ => &*self.remote_tag == tag,
        }
    }

    fn picked_up(&mut self, cx: &mut Cx<'_>, tx: TxId, view: &View<'_>) {
        let State::Calling(calling) = &mut self.state else { return };
        let tag = view.to_tag.unwrap_or("");
        let old = calling.forks.iter().position(|fork| &*fork.tag == tag);
        let (early, updated, last) = match old {
            Some(at) => (calling.forks[at].sdp.take(), calling.forks[at].updated, calling.forks[at].cseq),
            None => (None, false, None),
        };
        self.remote_cseq = last;
        // The 2xx is what the dialog is made of (RFC 3261 §13.2.2.4): its Contact and Record-Route, not the early ones.
        let fork = Fork::read(tag, view, &calling.uri);
        let cancel = calling.cancel.take();
        let local = calling.local.clone();
        self.remote_tag = fork.tag;
        self.remote = fork.remote;
        self.target = fork.target;
        self.routes = fork.routes;
        self.learn(view);
        self.state = State::Up { confirmed: true, leave: None };
        self.dirty = true;
        let ack = self.draft(cx, "ACK", Some(view.cseq));
        let bytes = ack.draft.bare();
        cx.core.send(ack.flow, bytes.clone(), cx.out);
        if let Some(tx) = cx.core.get_mut(tx) {
            tx.acks.push((tag.into(), bytes, ack.flow));
        }
        if let Some(cancel) = cancel {
            return self.bye(cx, cancel.reason, cancel.why);
        }
        self.media.local = Some(local);
        let agreed = match view.sdp_text() {
            Some(text) if !updated => self.media.take_answer(cx.now, text).is_ok(),
            _ if updated => {
                self.media.drop_offer();
                self.media.agreed.is_some()
            }
            _ => early.is_some_and(|text| self.media.take_answer(cx.now, &text).is_ok()),
        };
        cx.tell(Event::Answered { dialog: self.id });
        if !agreed {
            self.media.drop_offer();
            let reason = "SIP;cause=488;text=\"No usable answer\"".to_owned();
            return self.bye(cx, Some(reason), DialogEnd::NoAnswerSdp);
        }
        self.timer =
            view.session_expires().map(|(s, uac)| SessionTimer::start(cx.now, s, uac.unwrap_or(true)));
        self.tell_media(cx);
    }

    fn turned_down(&mut self, cx: &mut Cx<'_>, status: u16, view: &View<'_>) {
        let State::Calling(calling) = &mut self.state else { return };
        let open = calling.cancel.is_none();
        match status {
            401 | 407 if open && calling.tries.may_answer(view) => {
                let uri = calling.uri.clone();
                if let Some(line) =
                    auth::answer_challenge(cx.core, &self.peer, self.flow, view, "INVITE", &uri)
                {
                    return self.send_invite(cx, Some(line));
                }
            }
            422 if open && !calling.tried_interval => {
                if let Some(least) = view.min_se().filter(|least| *least > calling.interval_s) {
                    calling.tried_interval = true;
                    calling.interval_s = least;
                    return self.send_invite(cx, None);
                }
            }
            _ => {}
        }
        let State::Calling(calling) = &mut self.state else { return };
        let why = calling.cancel.take().map_or(DialogEnd::Failed { status }, |c| c.why);
        self.end(cx, why);
        self.state = State::Gone;
    }

    /// Stops our own INVITE.
    pub fn cancel_ours(&mut self, cx: &mut Cx<'_>, reason: Option<String>) {
        self.cancel_because(cx, reason, DialogEnd::HungUp);
    }

    fn cancel_because(&mut self, cx: &mut Cx<'_>, reason: Option<String>, why: DialogEnd) {
        let give_up_at = cx.limit();
        let State::Calling(calling) = &mut self.state else { return };
        if calling.cancel.is_some() {
            return;
        }
        calling.cancel = Some(Cancel { sent: false, reason, why, give_up_at });
        let may = calling.tx.and_then(|tx| cx.core.get(tx)).is_some_and(|tx| match &tx.kind {
            Kind::ClientInvite(machine) => machine.may_cancel(),
            _ => false,
        });
        if may {
            self.send_cancel(cx);
        }
    }

    fn send_cancel(&mut self, cx: &mut Cx<'_>) {
        let give_up_at = cx.limit();
        let State::Calling(calling) = &mut self.state else { return };
        let (Some(cancel), Some(tx)) = (&mut calling.cancel, calling.tx) else { return };
        cancel.sent = true;
        cancel.give_up_at = give_up_at;
        let reason = cancel.reason.clone();
        cx.core.cancel_client(cx.now, tx, reason, cx.out);
    }

    pub fn fire_calling(&mut self, cx: &mut Cx<'_>) {
        let State::Calling(calling) = &mut self.state else { return };
        match &calling.cancel {
            Some(cancel) if cancel.give_up_at <= cx.now => {
                cx.took(Place::Calling, News::CancelUnanswered);
                let (why, tx) = (cancel.why, calling.tx);
                if let Some(tx) = tx {
                    cx.core.forget(tx);
                }
                self.end(cx, why);
                self.state = State::Gone;
            }
            Some(_) => {}
            None if calling.give_up_at <= cx.now => {
                cx.took(Place::Calling, News::RangTooLong);
                let reason = "SIP;cause=408;text=\"No answer\"".to_owned();
                self.cancel_because(cx, Some(reason), DialogEnd::Failed { status: 408 });
            }
            None => {}
        }
    }

    /// A request of ours got no final answer at all.
    pub fn unanswered(&mut self, cx: &mut Cx<'_>, ask: Ask) {
        match ask {
            Ask::Invite => {
                let State::Calling(calling) = &mut self.state else { return };
                let why = calling.cancel.take().map_or(DialogEnd::Failed { status: 408 }, |c| c.why);
                self.end(cx, why);
                self.state = State::Gone;
            }
            Ask::Bye => self.farewell_done(cx),
            Ask::Reinvite | Ask::Update => {
                self.change.stop(cx);
                self.media.drop_offer();
                self.forgotten(cx, false);
            }
            Ask::Farewell | Ask::Prack | Ask::Info | Ask::Notify | Ask::Register => {}
        }
    }

    pub fn farewell_done(&mut self, cx: &mut Cx<'_>) {
        if matches!(self.state, State::Leaving { .. }) {
            self.end(cx, DialogEnd::HungUp);
            self.state = State::Gone;
        }
    }

    /// UPDATE of a callee that still rings (`peers.md` §4 fault 13).
    pub fn updated_early(&mut self, cx: &mut Cx<'_>, view: &View<'_>, tx: TxId) {
        let State::Calling(calling) = &mut self.state else { return };
        let tag = view.from_tag.unwrap_or("");
        let Some(at) = calling.forks.iter().position(|fork| &*fork.tag == tag) else {
            return view.reply(cx, tx, 481);
        };
        let fork = &mut calling.forks[at];
        let mut sdp = None;
        match view.body() {
            Body::None => {}
            Body::Sdp(_) if fork.sdp.is_none() && !fork.updated => return view.reply(cx, tx, 491),
            Body::Sdp(text) => {
                self.media.local.get_or_insert_with(|| calling.local.clone());
                match self.media.reoffer_theirs(cx.now, text) {
                    Ok(()) => {
                        fork.updated = true;
                        sdp = Some(self.media.local_sdp.clone());
                    }
                    Err(status) => return view.reply(cx, tx, status),
                }
            }
            Body::Broken => return view.reply(cx, tx, 400),
            Body::Other => return view.reply(cx, tx, 415),
        }
        if let Some(contact) = view.contact() {
            fork.target = contact.to_owned();
        }
        let interval = Interval::judge(view, &cx.core.config).ok().flatten();
        let user = self.user.clone();
        let ok = view.write_reply(cx, 200, |cx, draft| {
            let draft = match interval {
                Some(interval) => interval.write(draft),
                None => draft,
            };
            cx.core.dress(draft, view.flow, &user).sdp(sdp.as_deref())
        });
        cx.core.answer(cx.now, tx, 200, ok, cx.out);
        self.tell_media(cx);
    }
}

impl Fork {
    fn read(tag: &str, view: &View<'_>, uri: &str) -> Self {
        Self {
            tag: tag.into(),
            remote: view.to.to_owned(),
            target: view.contact().unwrap_or(uri).to_owned(),
            // A way that cannot be read is no way: the contact is asked directly.
            routes: view.record_routes().unwrap_or_default().into_iter().rev().map(str::to_owned).collect(),
            rseq: 0,
            cseq: None,
            sdp: None,
            updated: false,
        }
    }
}

/// A 2xx nobody waits for: another fork's, or one that came after we gave up. It gets ACK and BYE (§13.2.2.4).
pub(super) fn stray_answer(cx: &mut Cx<'_>, id: TxId, view: &View<'_>) {
    cx.core.counters.note(Noted::SecondAnswer);
    let Some(tx) = cx.core.get(id) else { return };
    let tag = view.to_tag.unwrap_or("");
    if tx.acks.len() >= MOST_FORKS {
        return cx.core.counters.drop(Dropped::Limit);
    }
    let flow = tx.flow;
    let fork = Fork::read(tag, view, view::uri_of(view.to));
    let next = fork.routes.first().map_or(fork.target.as_str(), |r| view::uri_of(r));
    let known = cx.core.peers.iter().find(|p| p.nets.iter().any(|n| n.contains(flow.peer().ip()))).cloned();
    let flow = known.map_or(flow, |peer| hop(&peer, flow, next));
    let (uri, routes) = route(&fork.target, &fork.routes);
    let (one, two) = (cx.core.chance.mark(), cx.core.chance.mark());
    let write = |core: &super::core::Core, method: &str, cseq: u32, branch| {
        let mut draft =
            Draft::request(method, uri).line("Via", core.via(flow, branch)).line("Max-Forwards", 70);
        for line in &routes {
            draft = draft.line("Route", line);
        }
        draft
            .line("From", view.from)
            .line("To", view.to)
            .line("Call-ID", view.call_id)
            .line("CSeq", format_args!("{cseq} {method}"))
            .bare()
    };
    let ack = write(cx.core, "ACK", view.cseq, one);
    let bye = write(cx.core, "BYE", view.cseq.wrapping_add(1), two);
    cx.core.send(flow, ack.clone(), cx.out);
    if let Some(tx) = cx.core.get_mut(id) {
        tx.acks.push((tag.into(), ack, flow));
    }
    cx.core.open_client(cx.now, Owner::Nobody, Ask::Farewell, two, flow, bye, false, cx.out);
}
