//! One session: from the INVITE, either way, to its end.
//!
//! ```text
//!   peer calls:  Invited --answer--> Up(unconfirmed) --ACK--> Up --BYE either way--> Leaving --> Gone
//!                   |  CANCEL, reject, hang up                                           (ours is out)
//!                   +--> Gone
//!   we call:     Calling --200--> Up --...
//!                   |  refusal, nobody, or CANCEL and 487
//!                   +--> Gone
//! ```
//!
//! Rules that always hold: each state but `Gone` has a next deadline or a transaction that has one; `Ended` is told once
//! and last; a request inside the session goes to the peer's own addresses only.

use super::calling::Calling;
use super::chance::Mark;
use super::change::{Change, SessionTimer};
use super::core::{Ask, Core, Owner, TxId};
use super::draft::{ALLOW, Draft, SUPPORTED};
use super::invited::Invited;
use super::media::Media;
use super::reach::{News, Place};
use super::view::{self, View};
use crate::base::{Time, soonest};
use crate::sip::seam::{ConnId, DialogEnd, DialogFacts, DialogId, Event, Flow, Output, Peer, PeerId};
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// CSeq numbers are told to the owner in steps, so that a rebuilt engine never uses one twice (architecture 7.7).
const CSEQ_STEP: u32 = 100;

/// What a session works with besides itself.
pub(super) struct Cx<'a> {
    pub now: Time,
    pub core: &'a mut Core,
    pub out: &'a mut Vec<Output>,
}

impl Cx<'_> {
    pub fn tell(&mut self, event: Event) {
        self.out.push(Output::Event(event));
    }
    pub fn t1(&self) -> Duration {
        self.core.timers.t1
    }
    /// Counts the row of a deadline that has come.
    pub fn took(&mut self, place: Place, news: News) {
        self.core.reach.session.took(place, news);
    }
    pub fn limit(&self) -> Time {
        self.now + self.core.timers.limit()
    }
}

#[derive(Debug)]
pub(super) struct Session {
    pub id: DialogId,
    pub peer: Arc<Peer>,
    pub peer_id: PeerId,
    /// We sent the first INVITE: the Call-ID is ours.
    pub uac: bool,
    /// By which the peer was last heard; where requests go when its Contact is not to be believed.
    pub flow: Flow,
    pub call_id: Box<str>,
    pub tag: Mark,
    /// From and To of our requests, with their tags.
    pub local: String,
    pub remote: String,
    pub remote_tag: Box<str>,
    /// Request-URI of our requests (the peer's Contact) and the route set.
    pub target: String,
    pub routes: Vec<String>,
    /// The user part of our Contact.
    pub user: String,
    pub cseq: u32,
    reserved: u32,
    pub remote_cseq: Option<u32>,
    pub state: State,
    pub media: Media,
    pub timer: Option<SessionTimer>,
    /// What the peer has said it can do.
    pub peer_timer: bool,
    pub peer_update: bool,
    /// A 200 to an INVITE that waits for its ACK.
    pub waiting_ack: Option<WaitingAck>,
    pub change: Change,
    /// The dialog of ours that this one takes over once it is answered (RFC 3891).
    pub replaces: Option<DialogId>,
    pub told_end: bool,
    /// Something of `DialogFacts` has changed.
    pub dirty: bool,
    pub due: Option<Time>,
    /// The connection its deadline table knows it by.
    pub conn: Option<ConnId>,
    /// The source that began it; known by this session only, not by a network of its peer's.
    pub heard_from: SocketAddr,
    pub guest: bool,
}

#[derive(Debug)]
pub(super) enum State {
    Invited(Box<Invited>),
    Calling(Box<Calling>),
    Up {
        confirmed: bool,
        /// Hang up as soon as the ACK is there: before it a callee must not send BYE (RFC 3261 §15).
        leave: Option<Option<String>>,
    },
    /// Our BYE is out.
    Leaving {
        until: Time,
    },
    Gone,
}

/// A 200 of ours, repeated T1..T2 until its ACK (RFC 3261 §13.3.1.4), whatever the transport.
#[derive(Debug)]
pub(super) struct WaitingAck {
    pub ok: Bytes,
    pub flow: Flow,
    pub cseq: u32,
    pub again_at: Time,
    pub interval: Duration,
    pub give_up_at: Time,
    /// It carries our offer: the ACK must bring the answer.
    pub offers: bool,
}

impl Session {
    pub fn next_deadline(&self) -> Option<Time> {
        let own = match &self.state {
            State::Invited(invited) => invited.next_deadline(),
            State::Calling(calling) => Some(calling.next_deadline()),
            State::Up { .. } => {
                soonest(self.timer.as_ref().map(SessionTimer::next_deadline), self.change.next_deadline())
            }
            State::Leaving { until } => Some(*until),
            State::Gone => None,
        };
        soonest(own, self.waiting_ack.as_ref().map(|w| w.again_at.min(w.give_up_at)))
    }

    pub fn fire(&mut self, cx: &mut Cx<'_>) {
        let place = self.place();
        if self.waiting_ack.as_ref().is_some_and(|w| w.give_up_at <= cx.now) {
            self.waiting_ack = None;
            cx.took(place, News::AckMissing);
            self.ack_missing(cx);
            return;
        }
        if let Some(waiting) = self.waiting_ack.as_mut().filter(|w| w.again_at <= cx.now) {
            cx.took(place, News::OkAgain);
            waiting.interval = (waiting.interval * 2).min(cx.core.timers.t2);
            waiting.again_at = cx.now + waiting.interval;
            cx.core.counters.note(super::Noted::Retransmitted);
            let (flow, ok) = (waiting.flow, waiting.ok.clone());
            cx.core.send(flow, ok, cx.out);
        }
        match &self.state {
            State::Invited(_) => self.fire_invited(cx),
            State::Calling(_) => self.fire_calling(cx),
            State::Up { .. } => self.fire_change(cx),
            State::Leaving { until } if *until <= cx.now => {
                cx.took(place, News::LeftLongAgo);
                self.end(cx, DialogEnd::HungUp);
                self.state = State::Gone;
            }
            State::Leaving { .. } | State::Gone => {}
        }
    }

    fn ack_missing(&mut self, cx: &mut Cx<'_>) {
        cx.core.counters.note(super::Noted::AckMissing);
        match &mut self.state {
            State::Up { leave, .. } => {
                let wished = leave.take();
                let why = if wished.is_some() { DialogEnd::HungUp } else { DialogEnd::AckMissing };
                let reason = wished.flatten().or_else(|| Some("SIP;cause=408;text=\"ACK missing\"".into()));
                self.bye(cx, reason, why);
            }
            State::Invited(_) | State::Calling(_) | State::Leaving { .. } | State::Gone => {}
        }
    }

    /// Tells the owner, once, that it is over.
    pub fn end(&mut self, cx: &mut Cx<'_>, why: DialogEnd) {
        if !self.told_end {
            self.told_end = true;
            cx.tell(Event::Ended { dialog: self.id, why });
        }
    }

    /// Sends BYE. `HungUp` is told when the peer has answered; any other reason at once.
    pub fn bye(&mut self, cx: &mut Cx<'_>, reason: Option<String>, why: DialogEnd) {
        self.timer = None;
        self.waiting_ack = None;
        self.change.stop(cx);
        self.state = State::Leaving { until: cx.limit() + cx.t1() };
        let draft = self.draft(cx, "BYE", None).maybe("Reason", reason);
        self.submit(cx, Ask::Bye, draft.draft.bare(), draft.branch, draft.flow);
        if why != DialogEnd::HungUp {
            self.end(cx, why);
        }
    }

    /// The connection it was spoken over is gone. A confirmed session goes on and opens a new one when it has something to say;
    /// one that is still being set up ends, because nobody is there to hear the answer (`attacks.md` S11).
    pub fn connection_lost(&mut self, cx: &mut Cx<'_>) {
        let peer = self.flow.peer();
        self.flow = Flow::TcpTo { peer };
        if let Some(waiting) = &mut self.waiting_ack {
            waiting.flow = Flow::TcpTo { peer };
        }
        match &self.state {
            State::Invited(_) => {
                self.refuse(cx, 480, None, None);
                self.end(cx, DialogEnd::TransportLost);
            }
            State::Up { confirmed: false, .. } => self.bye(cx, None, DialogEnd::TransportLost),
            State::Up { .. } | State::Calling(_) | State::Leaving { .. } | State::Gone => {}
        }
    }

    /// A session with Replaces has taken this one's place (RFC 3891 §3).
    pub fn replaced(&mut self, cx: &mut Cx<'_>) {
        if let State::Up { .. } = self.state {
            self.bye(cx, None, DialogEnd::Replaced);
        }
    }

    /// The owner wants it over.
    pub fn hang_up(&mut self, cx: &mut Cx<'_>, reason: Option<(&'static str, u16, &'static str)>) -> bool {
        let line = reason.map(|(protocol, cause, text)| format!("{protocol};cause={cause};text=\"{text}\""));
        match &mut self.state {
            State::Invited(_) => {
                let status = match reason {
                    Some(("SIP", code @ 400..=699, _)) => code,
                    _ => 480,
                };
                self.refuse(cx, status, None, line.as_deref());
                self.end(cx, DialogEnd::Rejected { status });
                true
            }
            State::Calling(_) => {
                self.cancel_ours(cx, line);
                true
            }
            State::Up { confirmed: false, leave } if leave.is_none() => {
                *leave = Some(line);
                true
            }
            State::Up { confirmed: true, .. } => {
                self.bye(cx, line, DialogEnd::HungUp);
                true
            }
            State::Up { .. } | State::Leaving { .. } | State::Gone => false,
        }
    }

    // --- requests of ours inside the session -----------------------------------------------------------------

    pub fn next_cseq(&mut self) -> u32 {
        self.cseq = self.cseq.wrapping_add(1).max(1) & 0x7fff_ffff;
        if self.cseq >= self.reserved {
            self.reserved = self.cseq.saturating_add(CSEQ_STEP);
            self.dirty = true;
        }
        self.cseq
    }

    /// Where the next request goes: the next hop when it is the peer's own address, else where the peer was heard
    /// (behind address translation its Contact is not reachable; strangers' addresses never get requests of ours).
    pub fn hop(&self) -> Flow {
        let next = self.routes.first().map_or(self.target.as_str(), |route| view::uri_of(route));
        hop(&self.peer, self.flow, next)
    }

    /// A request inside the session, up to its Contact and User-Agent.
    pub fn draft(&mut self, cx: &mut Cx<'_>, method: &str, cseq: Option<u32>) -> Drafted {
        let cseq = cseq.unwrap_or_else(|| self.next_cseq());
        let branch = cx.core.chance.mark();
        let flow = self.hop();
        let (uri, routes) = route(&self.target, &self.routes);
        let mut draft =
            Draft::request(method, uri).line("Via", cx.core.via(flow, branch)).line("Max-Forwards", 70);
        for line in routes {
            draft = draft.line("Route", line);
        }
        let draft = draft
            .line("From", &self.local)
            .line("To", &self.remote)
            .line("Call-ID", &self.call_id)
            .line("CSeq", format_args!("{cseq} {method}"))
            .line("Contact", cx.core.contact(flow, &self.user))
            .line("User-Agent", &cx.core.config.user_agent);
        Drafted { draft, branch, flow, cseq }
    }

    pub fn submit(&mut self, cx: &mut Cx<'_>, ask: Ask, request: Bytes, branch: Mark, flow: Flow) -> TxId {
        cx.core.open_client(cx.now, Owner::Session(self.id), ask, branch, flow, request, false, cx.out)
    }

    pub fn info_digit(&mut self, cx: &mut Cx<'_>, digit: char, duration_ms: u16) -> bool {
        if !matches!(self.state, State::Up { confirmed: true, .. }) {
            return false;
        }
        let body = format!("Signal={digit}\r\nDuration={duration_ms}\r\n");
        let d = self.draft(cx, "INFO", None);
        let bytes = d.draft.body("application/dtmf-relay", body.as_bytes());
        self.submit(cx, Ask::Info, bytes, d.branch, d.flow);
        true
    }

    // --- what the peer says about itself -----------------------------------------------------------------------

    /// Takes a new remote target from a request or response that refreshes it (RFC 3261 §12.2).
    pub fn refresh_target(&mut self, view: &View<'_>) {
        if let Some(contact) = view.contact()
            && contact != self.target
        {
            self.target = contact.to_owned();
            self.dirty = true;
        }
        self.learn(view);
    }

    pub fn learn(&mut self, view: &View<'_>) {
        if let Some(update) = view.allows_update() {
            self.peer_update = update;
        }
        if view.supports("timer") {
            self.peer_timer = true;
        }
    }

    pub fn facts(&self) -> DialogFacts {
        DialogFacts {
            sip_call_id: self.call_id.to_string(),
            local_tag: self.tag.to_string(),
            remote_tag: self.remote_tag.to_string(),
            local_uri: view::uri_of(&self.local).to_owned(),
            remote_uri: view::uri_of(&self.remote).to_owned(),
            remote_target: self.target.clone(),
            route_set: self.routes.clone(),
            local_cseq_reserved: self.reserved,
            remote_cseq: self.remote_cseq.unwrap_or(0),
            local_sdp: self.media.local_sdp.to_string(),
            remote_sdp: self.media.remote_sdp.to_string(),
            session_expires_s: self.timer.as_ref().map(|t| t.interval_s),
            we_refresh: self.timer.as_ref().is_some_and(|t| t.we_refresh),
        }
    }

    /// Ends every input: tells changed facts of a confirmed dialog, then carries out what waited for its turn.
    pub fn settle(&mut self, cx: &mut Cx<'_>) {
        if let State::Up { confirmed: true, .. } = self.state {
            self.send_wish(cx);
            if self.dirty {
                self.dirty = false;
                let facts = Box::new(self.facts());
                cx.tell(Event::DialogFacts { dialog: self.id, facts });
            }
        }
    }

    pub fn tell_media(&mut self, cx: &mut Cx<'_>) {
        if let Some(media) = self.media.news() {
            self.dirty = true;
            cx.tell(Event::Media { dialog: self.id, media: Box::new(media) });
        }
    }

    pub fn new(
        id: DialogId,
        (peer_id, peer): (PeerId, Arc<Peer>),
        flow: Flow,
        call_id: Box<str>,
        tag: Mark,
        state: State,
    ) -> Self {
        Self {
            id,
            peer,
            peer_id,
            uac: matches!(state, State::Calling(_)),
            flow,
            call_id,
            tag,
            local: String::new(),
            remote: String::new(),
            remote_tag: "".into(),
            target: String::new(),
            routes: Vec::new(),
            user: String::new(),
            cseq: 0,
            reserved: 0,
            remote_cseq: None,
            state,
            media: Media::default(),
            timer: None,
            peer_timer: false,
            peer_update: false,
            waiting_ack: None,
            change: Change::default(),
            replaces: None,
            told_end: false,
            dirty: false,
            due: None,
            conn: None,
            heard_from: flow.peer(),
            guest: false,
        }
    }
}

/// A request begun: fill in the rest, then [`Session::submit`] it.
pub(super) struct Drafted {
    pub draft: Draft,
    pub branch: Mark,
    pub flow: Flow,
    pub cseq: u32,
}

impl Drafted {
    pub fn line(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.draft = self.draft.line(name, value);
        self
    }
    pub fn maybe(mut self, name: &str, value: Option<impl std::fmt::Display>) -> Self {
        self.draft = self.draft.maybe(name, value);
        self
    }
}

/// Request-URI and Route lines for a target and a route set; a strict router (no `lr`) gets its own form (§12.2.1.1).
pub(super) fn route<'a>(target: &'a str, routes: &'a [String]) -> (&'a str, Vec<std::borrow::Cow<'a, str>>) {
    use std::borrow::Cow;
    match routes.split_first() {
        Some((first, rest)) if !view::uri_is_loose(view::uri_of(first)) => {
            let mut lines: Vec<_> = rest.iter().map(|r| Cow::Borrowed(r.as_str())).collect();
            lines.push(Cow::Owned(format!("<{target}>")));
            (view::uri_of(first), lines)
        }
        _ => (target, routes.iter().map(|r| Cow::Borrowed(r.as_str())).collect()),
    }
}

/// See [`Session::hop`].
pub(super) fn hop(peer: &Peer, heard: Flow, uri: &str) -> Flow {
    let Some((ip, port, tcp)) = view::uri_address(uri) else { return heard };
    let theirs = ip == heard.peer().ip() || peer.nets.iter().any(|net| net.contains(ip));
    let to = SocketAddr::new(ip, port);
    match heard {
        _ if !theirs || port == 0 => heard,
        Flow::Tcp { .. } => heard,
        Flow::TcpTo { .. } => Flow::TcpTo { peer: to },
        Flow::Udp { .. } if tcp => Flow::TcpTo { peer: to },
        Flow::Udp { socket, .. } => Flow::Udp { socket, peer: to },
    }
}

impl Core {
    /// Our address as the peer of this flow reaches it.
    pub fn address(&self, flow: Flow) -> SocketAddr {
        let own = match flow {
            Flow::Udp { socket, .. } => self.config.udp.get(usize::from(socket)).copied(),
            Flow::Tcp { .. } | Flow::TcpTo { .. } => self.config.tcp,
        };
        let own = own
            .or(self.config.udp.first().copied())
            .unwrap_or(SocketAddr::new(std::net::Ipv4Addr::UNSPECIFIED.into(), 5060));
        SocketAddr::new(self.config.external.unwrap_or(own.ip()), own.port())
    }
    pub fn via(&self, flow: Flow, branch: Mark) -> impl std::fmt::Display {
        let transport = if flow.is_reliable() { "TCP" } else { "UDP" };
        let address = self.address(flow);
        view::Shown(move |f: &mut std::fmt::Formatter<'_>| {
            write!(f, "SIP/2.0/{transport} {address};branch=z9hG4bK{branch};rport")
        })
    }
    pub fn contact<'a>(&self, flow: Flow, user: &'a str) -> impl std::fmt::Display + use<'a> {
        let transport = if flow.is_reliable() { ";transport=tcp" } else { "" };
        let address = self.address(flow);
        view::Shown(move |f: &mut std::fmt::Formatter<'_>| write!(f, "<sip:{user}@{address}{transport}>"))
    }
    /// Contact, Allow, Supported and Server of an answer that makes or changes a session.
    pub fn dress(&self, draft: Draft, flow: Flow, user: &str) -> Draft {
        draft
            .line("Contact", self.contact(flow, user))
            .line("Allow", ALLOW)
            .line("Supported", SUPPORTED)
            .line("Server", &self.config.user_agent)
    }
}
