//! The user agent: owner of every transaction, dialog and registration. Pure: packets, commands and the time go in;
//! packets, facts and the next moment come out.
//!
//! ```text
//!   packet --> whose source? --no peer's--> one stateless answer or silence          (strangers)
//!                 | a peer's
//!                 v
//!              readable? --no--> 400, 413, 513
//!                 | yes
//!                 v
//!   response --> transaction of ours --> session | registration
//!   repeated --> its transaction says it again
//!   CANCEL   --> the INVITE's transaction --> session
//!   To tag   --> session (source, Call-ID and both tags right) --> inside.rs
//!   INVITE   --> arriving.rs: Require 420, merged 482, number 404, Contact 400, SDP 400/415/488, timer 422, limits 503
//!   REGISTER --> registrar.rs      OPTIONS --> 200       known, not for us: 405       unknown: 501
//! ```
//!
//! | file | subject |
//! |---|---|
//! | [`core`] | table of transactions, deadlines, chance, counters |
//! | [`view`] | a message as the user agent reads it; answers to it |
//! | [`draft`] | messages of ours |
//! | [`arriving`] | requests outside a session, in the order of their checks |
//! | [`session`] | one session, its states and requests of ours inside it |
//! | [`invited`], [`calling`] | before the final answer: theirs, ours |
//! | [`inside`], [`change`] | after it: theirs, ours, session timers |
//! | [`media`] | offer/answer state of one session |
//! | [`reach`] | which rows of the state tables have been taken |
//! | [`registrar`], [`trunk`] | phones that register with us; carriers where we do |
//! | [`strangers`], [`auth`], [`chance`], [`counters`] | what their names say |
//!
//! Rules that always hold:
//! - Refusals outside a session are stateless (RFC 3261 §8.2.7): whatever is refused costs no memory.
//! - Every session and every registration has a deadline or a transaction that has one; when all calls have ended
//!   [`Ua::live`] is zero.
//! - No event looks at more than the session, transaction or source it is about.
//! - A command for a dialog that has just ended returns `false` and is counted.
//!
//! To add a method: its name in `view::Method` and `draft::ALLOW`, its row in `inside.rs` or `arriving.rs`, its counter,
//! and a script in `tests/`.

mod arriving;
mod auth;
mod calling;
mod chance;
mod change;
mod core;
pub mod counters;
mod draft;
mod inside;
mod invited;
mod media;
mod reach;
mod registrar;
mod session;
mod strangers;
mod trunk;
mod view;

#[cfg(test)]
mod tests;

pub use counters::{Counters, Dropped, Noted, Received};
pub use reach::Row;

use self::core::{Ask, Core, Due, Kind, Owner};
use crate::base::{Digit, Time};
use crate::media::seam::IpNet;
use crate::sip::seam::{
    ConnId, DialogEnd, DialogFacts, DialogId, Direction, Flow, LocalMedia, Output, Packet, PeerId, UaConfig,
};
use crate::sip::transaction::Gone;
use crate::sip::transaction::reach::ClientNews;
use calling::Calling;
use chance::Mark;
use reach::News;
use registrar::Registrar;
use session::{Cx, Session, State};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use strangers::Strangers;
use trunk::TrunkRegistration;
use view::View;

#[derive(Debug)]
pub struct Ua {
    core: Core,
    sessions: BTreeMap<DialogId, Session>,
    /// Our tag in a dialog names its session.
    by_tag: HashMap<Mark, DialogId, chance::Keyed>,
    by_conn: BTreeSet<(ConnId, DialogId)>,
    /// Sources of live sessions that no network of their peer's names (only digest does, or the configuration has changed),
    /// with the number of such sessions.
    guests: BTreeMap<SocketAddr, (PeerId, usize)>,
    /// Peers' networks, narrowest first.
    nets: Vec<(IpNet, PeerId)>,
    strangers: Strangers,
    registrar: Registrar,
    trunks: BTreeMap<PeerId, TrunkRegistration>,
    doorman: auth::Doorman,
    draining: bool,
    next_dialog: u64,
}

/// What is alive now. All zero when everything has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Live {
    pub transactions: usize,
    pub dialogs: usize,
    /// Phones' contacts.
    pub registrations: usize,
}

/// Why a call of ours cannot even begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InviteError {
    #[error("no such peer")]
    NoPeer,
    #[error("the peer has no address: a trunk without a target, or a phone that is not registered")]
    NoAddress,
    #[error("too many dialogs or transactions")]
    Limit,
    #[error("a line break in a header, an address or a name")]
    LineBreak,
}

impl Ua {
    pub fn new(config: UaConfig, seed: [u8; 32]) -> Self {
        let mut core = Core::new(config.clone(), seed);
        let hasher = core.chance.hasher();
        let doorman = auth::Doorman::new(core.chance.key());
        let mut ua = Self {
            core,
            sessions: BTreeMap::new(),
            by_tag: HashMap::with_hasher(hasher),
            by_conn: BTreeSet::new(),
            guests: BTreeMap::new(),
            nets: Vec::new(),
            strangers: Strangers::default(),
            registrar: Registrar::default(),
            trunks: BTreeMap::new(),
            doorman,
            draining: false,
            next_dialog: 0,
        };
        ua.reconfigure(config);
        ua
    }

    /// A new configuration. Sessions that are up keep the peer they began with, whatever number it has now; when it is gone,
    /// or lives elsewhere now, their own source may still speak in them until they end.
    pub fn reconfigure(&mut self, config: UaConfig) {
        let old = std::mem::take(&mut self.core.peers);
        self.core.reconfigure(config);
        self.nets = peer_nets(&self.core.config);
        let peers = &self.core.peers;
        let numbers: Vec<Option<PeerId>> = old
            .iter()
            .map(|was| peers.iter().zip(0..).find(|(is, _)| is.name == was.name).map(|(_, n)| PeerId(n)))
            .collect();
        let new = |id: PeerId| numbers.get(usize::from(id.0)).copied().flatten();
        self.registrar.renumber(&mut self.core, new);
        TrunkRegistration::renumber(&mut self.trunks, &mut self.core, new);
        self.guests.clear();
        for session in self.sessions.values_mut() {
            session.peer_id = new(session.peer_id).unwrap_or(RETIRED);
            session.guest = narrowest(&self.nets, session.heard_from) != Some(session.peer_id);
            if session.guest {
                self.guests.entry(session.heard_from).or_insert((session.peer_id, 0)).1 += 1;
            }
        }
        TrunkRegistration::reconcile(&mut self.trunks, &mut self.core);
    }

    /// While draining, new calls get 503 and Retry-After; calls that are up go on.
    pub fn drain(&mut self, draining: bool) {
        self.draining = draining;
    }

    // --- what comes ------------------------------------------------------------------------------------------

    pub fn receive(&mut self, now: Time, packet: Packet<'_>, out: &mut Vec<Output>) {
        if packet.bytes.iter().all(|b| matches!(b, b'\r' | b'\n' | 0)) {
            return self.core.counters.note(Noted::KeepAlive);
        }
        let source = packet.flow.peer();
        let peer = self.whose(source);
        if peer.is_none() && !self.may_hear_stranger(now, source) {
            return self.core.counters.drop(Dropped::Stranger);
        }
        let text = view::Text::cut(packet.bytes);
        match view::read(packet, &text) {
            Ok(view) if view.is_response() => self.response(now, &view, peer.is_some(), out),
            Ok(view) => match peer {
                Some(peer) => self.request(now, peer, &view, out),
                None => self.stranger(now, &view, packet.bytes.len(), out),
            },
            Err(bad) => {
                let large = matches!(bad.status, 413 | 513);
                self.core.counters.drop(if large { Dropped::TooLarge } else { Dropped::Malformed });
                let mut cx = Cx { now, core: &mut self.core, out };
                if peer.is_some() {
                    bad.reply(&mut cx);
                }
            }
        }
    }

    /// The peer whose source this is: a registered phone or guest, else the narrowest network.
    fn whose(&self, source: SocketAddr) -> Option<PeerId> {
        if let Some(peer) = self.registrar.whose(source) {
            return Some(peer);
        }
        if let Some((peer, _)) = self.guests.get(&source) {
            return Some(*peer);
        }
        narrowest(&self.nets, source)
    }

    fn response(&mut self, now: Time, view: &View<'_>, known: bool, out: &mut Vec<Output>) {
        self.core.counters.answered(view.status);
        let is_cancel = view.method == view::Method::Cancel;
        let tx = view.our_branch().filter(|_| known).and_then(|branch| self.core.client(branch, is_cancel));
        let Some(id) = tx else { return self.core.counters.drop(Dropped::StrayResponse) };
        let Some(tx) = self.core.get_mut(id) else { return };
        let (owner, ask) = (tx.owner, tx.ask);
        let step = match &mut tx.kind {
            Kind::ClientOther(machine) => {
                let (place, step) = (machine.place(), machine.handle_response(now, view.status));
                self.core.reach.transactions.client_other.took(place, ClientNews::of(view.status));
                step
            }
            Kind::ClientInvite(machine) => {
                let place = machine.place();
                let tag = view.to_tag.unwrap_or("");
                let again =
                    tx.acks.iter().find(|(seen, _, _)| (200..300).contains(&view.status) && **seen == *tag);
                if let Some((_, ack, flow)) = again {
                    let (ack, flow) = (ack.clone(), *flow);
                    self.core.reach.transactions.client_invite.took(place, ClientNews::Success);
                    self.core.counters.note(Noted::Repeated);
                    return self.core.send(flow, ack, out);
                }
                let echo = tx.echo.as_ref();
                let step = machine.handle_response(now, view.status, || {
                    echo.map(|echo| echo.draft("ACK", view.to).bare()).unwrap_or_default()
                });
                self.core.reach.transactions.client_invite.took(place, ClientNews::of(view.status));
                step
            }
            Kind::ServerInvite(_) | Kind::ServerOther(_) => return,
        };
        let tell = step.tell;
        self.core.apply(id, step, out);
        if !tell {
            return self.core.counters.note(Noted::Repeated);
        }
        match owner {
            Owner::Session(dialog) => {
                let news = News::answer(ask, view.status);
                let told = self.with(now, dialog, news, out, |session, cx| match ask {
                    Ask::Invite => session.invite_answered(cx, id, view),
                    Ask::Reinvite | Ask::Update => session.change_answered(cx, id, ask, view),
                    Ask::Bye if view.status >= 200 => session.farewell_done(cx),
                    Ask::Info if view.status == 481 => session.forgotten(cx, true),
                    Ask::Bye | Ask::Farewell | Ask::Prack | Ask::Info | Ask::Notify | Ask::Register => {}
                });
                if told.is_none() {
                    self.nobodys_answer(now, id, ask, view, out);
                }
            }
            Owner::Registration(peer) => self.registration_answered(now, peer, view, out),
            Owner::Nobody => self.nobodys_answer(now, id, ask, view, out),
        }
    }

    /// A 2xx to an INVITE whose session is gone still needs its ACK, and the callee a BYE.
    fn nobodys_answer(
        &mut self,
        now: Time,
        id: self::core::TxId,
        ask: Ask,
        view: &View<'_>,
        out: &mut Vec<Output>,
    ) {
        if matches!(ask, Ask::Invite | Ask::Reinvite) && (200..300).contains(&view.status) {
            calling::stray_answer(&mut Cx { now, core: &mut self.core, out }, id, view);
        }
    }

    pub fn connection_lost(&mut self, now: Time, conn: ConnId, out: &mut Vec<Output>) {
        self.core.counters.note(Noted::ConnectionLost);
        for (_, owner, ask) in self.core.connection_lost(conn) {
            self.unanswered(now, owner, ask, out);
        }
        while let Some((_, dialog)) =
            self.by_conn.range((conn, DialogId(0))..=(conn, DialogId(u64::MAX))).next().copied()
        {
            self.by_conn.remove(&(conn, dialog));
            self.with(now, dialog, News::ConnectionLost, out, Session::connection_lost);
        }
        self.registrar.connection_lost(now, conn, &mut self.core, out);
    }

    // --- time ------------------------------------------------------------------------------------------------

    /// When to call [`Ua::handle_timeout`], and what for.
    pub fn poll_timeout(&self) -> Option<(Time, &'static str)> {
        let at = self.core.deadlines.soonest()?;
        let why = self.core.deadlines.due(at).map_or("", Due::why);
        Some((at, why))
    }

    pub fn handle_timeout(&mut self, now: Time, out: &mut Vec<Output>) {
        let (mut last, mut spins) = (None, 0);
        while let Some(due) = self.core.deadlines.due(now) {
            spins = if last.replace(due) == Some(due) { spins + 1 } else { 0 };
            if spins > MOST_SPINS {
                debug_assert!(false, "{due:?} does not move on");
                self.stuck(now, due, out);
                continue;
            }
            match due {
                Due::Tx(id) => {
                    if let Some((owner, ask, why)) = self.core.fire(now, id, out)
                        && why == Gone::NoResponse
                    {
                        self.unanswered(now, owner, ask, out);
                    }
                }
                Due::Session(id) => {
                    self.with(now, id, None, out, Session::fire);
                }
                Due::Registration(peer) => self.register_due(now, peer, out),
                Due::Binding(peer) => self.registrar.expire(now, peer, &mut self.core, out),
            }
        }
    }

    /// A deadline that has passed and stays would stop everybody: what it belongs to ends. A fault of ours, if it ever happens.
    fn stuck(&mut self, now: Time, due: Due, out: &mut Vec<Output>) {
        self.core.counters.note(Noted::Stuck);
        match due {
            Due::Tx(id) => self.core.forget(id),
            Due::Session(id) => {
                self.with(now, id, None, out, |session, cx| {
                    session.end(cx, DialogEnd::SessionExpired);
                    session.state = State::Gone;
                });
            }
            Due::Registration(peer) => self.registration_failed(now, peer, 500, None, out),
            Due::Binding(peer) => self.registrar.forget(peer, &mut self.core, out),
        }
    }

    fn unanswered(&mut self, now: Time, owner: Owner, ask: Ask, out: &mut Vec<Output>) {
        match owner {
            Owner::Session(dialog) => {
                self.with(now, dialog, News::silence(ask), out, |session, cx| session.unanswered(cx, ask));
            }
            Owner::Registration(peer) => self.registration_failed(now, peer, 408, None, out),
            Owner::Nobody => {}
        }
    }

    // --- commands of the owner -------------------------------------------------------------------------------

    /// 180, 183 and their like. With `media`, early media. Reliable when the peer can (RFC 3262).
    pub fn progress(
        &mut self,
        now: Time,
        dialog: DialogId,
        status: u16,
        media: Option<LocalMedia>,
        out: &mut Vec<Output>,
    ) -> bool {
        self.command(now, dialog, News::Progress, out, |session, cx| session.progress(cx, status, media))
    }

    /// 200. The first `Media` follows at once, or with the ACK when the peer left the offer to us.
    pub fn answer(&mut self, now: Time, dialog: DialogId, media: LocalMedia, out: &mut Vec<Output>) -> bool {
        self.command(now, dialog, News::Answer, out, |session, cx| session.answer(cx, media))
    }

    /// A final refusal, 300–699. `reason` is the value of a Reason header.
    pub fn reject(
        &mut self,
        now: Time,
        dialog: DialogId,
        status: u16,
        retry_after_s: Option<u32>,
        reason: Option<&str>,
        out: &mut Vec<Output>,
    ) -> bool {
        let reason = reason.filter(|text| one_line(text));
        self.command(now, dialog, News::Reject, out, |session, cx| {
            if !matches!(session.state, State::Invited(_)) || !(300..700).contains(&status) {
                return false;
            }
            session.refuse(cx, status, retry_after_s, reason);
            session.end(cx, DialogEnd::Rejected { status });
            true
        })
    }

    /// Ends it, whatever its state asks for: BYE (after the ACK), CANCEL, or a refusal.
    /// `reason` is protocol (`SIP`, `Q.850`), cause and text of a Reason header (RFC 3326).
    pub fn hang_up(
        &mut self,
        now: Time,
        dialog: DialogId,
        reason: Option<(&'static str, u16, &'static str)>,
        out: &mut Vec<Output>,
    ) -> bool {
        self.command(now, dialog, News::HangUp, out, |session, cx| session.hang_up(cx, reason))
    }

    pub fn hold(&mut self, now: Time, dialog: DialogId, media: LocalMedia, out: &mut Vec<Output>) -> bool {
        self.reoffer(now, dialog, media, Direction::SendOnly, out)
    }
    pub fn resume(&mut self, now: Time, dialog: DialogId, media: LocalMedia, out: &mut Vec<Output>) -> bool {
        self.reoffer(now, dialog, media, Direction::SendRecv, out)
    }
    /// Our re-INVITE. While another change is in the air it waits; after glare it is tried again by itself.
    pub fn reoffer(
        &mut self,
        now: Time,
        dialog: DialogId,
        media: LocalMedia,
        direction: Direction,
        out: &mut Vec<Output>,
    ) -> bool {
        self.command(now, dialog, News::Reoffer, out, |session, _| session.reoffer(media, direction))
    }

    /// A key towards the peer by INFO (`application/dtmf-relay`).
    pub fn send_info_digit(
        &mut self,
        now: Time,
        dialog: DialogId,
        digit: Digit,
        duration_ms: u16,
        out: &mut Vec<Output>,
    ) -> bool {
        self.command(now, dialog, News::InfoDigit, out, |session, cx| {
            session.info_digit(cx, digit.as_char(), duration_ms)
        })
    }

    /// What became of a transfer that was accepted (`Event::Referred`): final status of the call to its target.
    pub fn transfer_result(
        &mut self,
        now: Time,
        dialog: DialogId,
        status: u16,
        out: &mut Vec<Output>,
    ) -> bool {
        self.command(now, dialog, News::TransferResult, out, |session, cx| {
            session.transfer_result(cx, status)
        })
    }

    /// Calls somebody. `to` and `from` are user parts or whole `sip:` URIs; `headers` go into the INVITE as they are.
    pub fn invite(
        &mut self,
        now: Time,
        peer: PeerId,
        to: &str,
        from: &str,
        media: LocalMedia,
        headers: &[(&str, String)],
        out: &mut Vec<Output>,
    ) -> Result<DialogId, InviteError> {
        let facts = self.core.peers.get(usize::from(peer.0)).cloned().ok_or(InviteError::NoPeer)?;
        let lines = headers.iter().all(|(name, value)| one_line(name) && one_line(value));
        if !lines || !one_line(to) || !one_line(from) {
            return Err(InviteError::LineBreak);
        }
        if self.sessions.len() >= self.core.config.max_dialogs || !self.core.has_room() {
            self.core.counters.drop(Dropped::Limit);
            return Err(InviteError::Limit);
        }
        let (flow, uri) = match (self.registrar.best(peer), facts.target) {
            (Some((flow, contact)), _) => (flow, contact),
            (None, Some((address, tcp))) => {
                let flow =
                    if tcp { Flow::TcpTo { peer: address } } else { Flow::Udp { socket: 0, peer: address } };
                let user = to.strip_prefix("sip:").map_or(to, |t| t.split('@').next().unwrap_or(t));
                let param = if tcp { ";transport=tcp" } else { "" };
                (
                    flow,
                    if to.starts_with("sip:") && to.contains('@') {
                        to.into()
                    } else {
                        format!("sip:{user}@{address}{param}")
                    },
                )
            }
            (None, None) => return Err(InviteError::NoAddress),
        };
        let id = self.fresh_dialog();
        let tag = self.core.chance.mark();
        let address = self.core.address(flow);
        let call_id = format!("{}{}", self.core.chance.mark(), self.core.chance.mark()).into_boxed_str();
        let from_uri = if from.starts_with("sip:") {
            from.to_owned()
        } else {
            format!("sip:{from}@{}", view::host(address.ip()))
        };
        let s = self.core.config.session_expires_s;
        let mut media_state = media::Media::default();
        let offer = media_state.offer(&media);
        let extra = headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let calling = Calling::new(now, uri.clone(), extra, media, offer, s);
        let mut session =
            Session::new(id, (peer, facts), flow, call_id, tag, State::Calling(Box::new(calling)));
        session.media = media_state;
        session.user = view::user_of(&from_uri).unwrap_or("").to_owned();
        session.local = format!("<{from_uri}>;tag={tag}");
        session.remote = format!("<{uri}>");
        session.target = uri;
        self.enrol(session);
        self.with(now, id, None, out, |session, cx| session.send_invite(cx, None));
        Ok(id)
    }

    // --- what can be asked -----------------------------------------------------------------------------------

    pub fn counters(&self) -> &Counters {
        &self.core.counters
    }
    /// Rows of the SIP machines' state tables, of the four transactions' and the session's.
    pub fn reach(&self) -> Vec<Row> {
        self.core.reach.rows()
    }
    pub fn live(&self) -> Live {
        Live {
            transactions: self.core.transactions(),
            dialogs: self.sessions.len(),
            registrations: self.registrar.contacts(),
        }
    }
    /// Is a trunk's registration of ours good, or a phone registered here, and at how many places?
    pub fn registration(&self, peer: PeerId) -> (bool, usize) {
        let contacts = self.registrar.contacts_of(peer);
        (contacts > 0 || self.trunks.get(&peer).is_some_and(TrunkRegistration::stands), contacts)
    }
    pub fn dialog_facts(&self, dialog: DialogId) -> Option<DialogFacts> {
        self.sessions.get(&dialog).map(Session::facts)
    }

    // --- the table of sessions -------------------------------------------------------------------------------

    fn fresh_dialog(&mut self) -> DialogId {
        self.next_dialog += 1;
        DialogId(self.next_dialog)
    }

    fn enrol(&mut self, mut session: Session) {
        self.by_tag.insert(session.tag, session.id);
        session.guest = session.peer.nets.is_empty();
        if session.guest {
            let guest = self.guests.entry(session.heard_from).or_insert((session.peer_id, 0));
            guest.1 += 1;
        }
        self.sessions.insert(session.id, session);
    }

    fn command(
        &mut self,
        now: Time,
        dialog: DialogId,
        news: News,
        out: &mut Vec<Output>,
        what: impl FnOnce(&mut Session, &mut Cx<'_>) -> bool,
    ) -> bool {
        let done = self.with(now, dialog, news, out, what).unwrap_or(false);
        if !done {
            self.core.counters.drop(Dropped::LateCommand);
        }
        done
    }

    /// Every touch of a session goes through here: its row is counted (deadlines count their own); afterwards its deadline is mirrored, and what is gone is forgotten.
    fn with<R>(
        &mut self,
        now: Time,
        id: DialogId,
        news: impl Into<Option<News>>,
        out: &mut Vec<Output>,
        what: impl FnOnce(&mut Session, &mut Cx<'_>) -> R,
    ) -> Option<R> {
        let session = self.sessions.get_mut(&id)?;
        if let Some(news) = news.into() {
            self.core.reach.session.took(session.place(), news);
        }
        let mut cx = Cx { now, core: &mut self.core, out };
        let result = what(session, &mut cx);
        session.settle(&mut cx);
        let due = session.next_deadline();
        self.core.deadlines.moved(Due::Session(id), session.due, due);
        session.due = due;
        let conn = match session.flow {
            Flow::Tcp { conn, .. } => Some(conn),
            Flow::Udp { .. } | Flow::TcpTo { .. } => None,
        };
        if conn != session.conn {
            if let Some(old) = session.conn {
                self.by_conn.remove(&(old, id));
            }
            if let Some(new) = conn {
                self.by_conn.insert((new, id));
            }
            session.conn = conn;
        }
        let replaced = if matches!(session.state, State::Up { .. }) { session.replaces.take() } else { None };
        if matches!(session.state, State::Gone) {
            self.forget(id);
        }
        if let Some(old) = replaced {
            self.with(now, old, News::Replaced, out, Session::replaced);
        }
        Some(result)
    }

    fn forget(&mut self, id: DialogId) {
        let Some(session) = self.sessions.remove(&id) else { return };
        self.core.deadlines.moved(Due::Session(id), session.due, None);
        self.by_tag.remove(&session.tag);
        if let Some(conn) = session.conn {
            self.by_conn.remove(&(conn, id));
        }
        if session.guest
            && let Some(guest) = self.guests.get_mut(&session.heard_from)
        {
            guest.1 -= 1;
            if guest.1 == 0 {
                self.guests.remove(&session.heard_from);
            }
        }
    }
}

/// The peer of sessions whose own has left the configuration: they may end, and nobody may begin one.
const RETIRED: PeerId = PeerId(u16::MAX);

fn narrowest(nets: &[(IpNet, PeerId)], source: SocketAddr) -> Option<PeerId> {
    let ip = source.ip().to_canonical();
    nets.iter().find(|(net, _)| net.contains(ip)).map(|(_, peer)| *peer)
}

/// Timers of one thing that may be due at one moment.
const MOST_SPINS: u32 = 16;

fn one_line(text: &str) -> bool {
    !text.bytes().any(|b| matches!(b, b'\r' | b'\n' | 0))
}

fn peer_nets(config: &UaConfig) -> Vec<(IpNet, PeerId)> {
    let mut nets = Vec::new();
    for (peer, id) in config.peers.iter().zip(0..) {
        let id = PeerId(id);
        nets.extend(peer.nets.iter().map(|net| (*net, id)));
        if let Some((target, _)) = peer.target {
            let prefix = if target.is_ipv4() { 32 } else { 128 };
            nets.push((IpNet { addr: target.ip(), prefix }, id));
        }
    }
    nets.sort_by_key(|(net, id)| (std::cmp::Reverse(net.prefix), *id));
    nets
}
