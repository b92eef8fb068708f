//! Requests of the peer: repetitions, ACK, CANCEL, those inside a session, and those outside in the order of their checks.

use super::auth::{self, Proof};
use super::chance::Mark;
use super::change::Interval;
use super::core::{Kind, Owner, TxId};
use super::counters::Received;
use super::draft::Draft;
use super::invited::Invited;
use super::media::Offer;
use super::reach::News;
use super::session::{Cx, Session, State};
use super::view::{Body, Method, View};
use super::{Dropped, Noted, Ua};
use crate::base::Time;
use crate::sip::digest::Algorithm;
use crate::sip::header::{self, HeaderName, Malformed, NameAddr, Replaces, Uri};
use crate::sip::offer_answer::Refusal;
use crate::sip::seam::{self, DialogId, Event, Flow, Invite, LocalMedia, Output, PeerId};
use crate::sip::transaction::reach::{ServerInviteNews, ServerOtherNews};
use crate::sip::transaction::{ServerInvite, ServerOther};
use std::net::SocketAddr;
use std::time::Duration;

/// Seconds in Retry-After of a 503.
const TRY_LATER_S: u32 = 5;
/// Longest identity text kept, characters; entries of a list kept.
const LONGEST_TEXT: usize = 256;
const MOST_ENTRIES: usize = 16;

impl Ua {
    /// A readable request of a peer.
    pub(super) fn request(&mut self, now: Time, peer: PeerId, view: &View<'_>, out: &mut Vec<Output>) {
        self.core.counters.receive(counted(&view.method));
        let key = view.key(if view.method == Method::Ack { "INVITE" } else { view.method.as_str() });
        if let Some(tx) = self.core.server(&key)
            && !self.repeated(now, tx, view, out)
        {
            return;
        }
        match view.method {
            Method::Ack => self.ack(now, peer, view, out),
            Method::Cancel => self.cancel(now, peer, view, &key, out),
            _ if view.to_tag.is_some() => self.inside(now, peer, view, key, out),
            Method::Invite => self.invited(now, peer, view, key, out),
            Method::Register => self.registers(now, view, out),
            Method::Options
                if Uri::parse(view.uri).is_err_and(|bad| bad == Malformed("unknown URI scheme")) =>
            {
                view.refuse(&mut Cx { now, core: &mut self.core, out }, 416);
            }
            Method::Options => view.answer_options(&mut Cx { now, core: &mut self.core, out }),
            Method::Bye | Method::Prack | Method::Update | Method::Info => {
                self.core.counters.drop(Dropped::UnknownDialog);
                view.refuse(&mut Cx { now, core: &mut self.core, out }, 481);
            }
            // Known, but only inside a session of the sender's own (`attacks.md` S20).
            Method::Refer => {
                self.core.counters.drop(Dropped::Referral);
                view.refuse(&mut Cx { now, core: &mut self.core, out }, 403);
            }
            _ => view.refuse_method(&mut Cx { now, core: &mut self.core, out }),
        }
    }

    /// A request whose transaction is there already. True: an ACK that belongs to the session after all.
    fn repeated(&mut self, now: Time, id: TxId, view: &View<'_>, out: &mut Vec<Output>) -> bool {
        let is_ack = view.method == Method::Ack;
        let Some(tx) = self.core.get_mut(id) else { return false };
        let step = match &mut tx.kind {
            Kind::ServerInvite(machine) if is_ack => {
                let place = machine.place();
                // An ACK of a 2xx under the INVITE's own branch: older stacks do so.
                let step = (!machine.is_accepted()).then(|| machine.handle_ack(now));
                self.core.reach.transactions.server_invite.took(place, ServerInviteNews::Ack);
                let Some(step) = step else { return true };
                step
            }
            Kind::ServerInvite(machine) => {
                let (place, step) = (machine.place(), machine.handle_invite());
                self.core.reach.transactions.server_invite.took(place, ServerInviteNews::Repeated);
                step
            }
            Kind::ServerOther(machine) => {
                let (place, step) = (machine.place(), machine.handle_request());
                self.core.reach.transactions.server_other.took(place, ServerOtherNews::Repeated);
                step
            }
            Kind::ClientInvite(_) | Kind::ClientOther(_) => return false,
        };
        if !is_ack {
            self.core.counters.note(Noted::Repeated);
        }
        self.core.apply(id, step, out);
        false
    }

    /// The session a request names by Call-ID and both tags, when its sender may speak in it.
    fn session_of(&mut self, peer: PeerId, view: &View<'_>) -> Result<DialogId, Dropped> {
        let ours = view.to_tag.and_then(Mark::read).and_then(|tag| self.by_tag.get(&tag));
        let Some(session) = ours.and_then(|id| self.sessions.get(id)) else {
            return Err(Dropped::UnknownDialog);
        };
        if *session.call_id != *view.call_id || !session.has_fork(view.from_tag.unwrap_or("")) {
            return Err(Dropped::UnknownDialog);
        }
        // `attacks.md` S25: another peer's word counts for nothing, however well it guesses.
        if session.peer_id == peer { Ok(session.id) } else { Err(Dropped::WrongSource) }
    }

    fn ack(&mut self, now: Time, peer: PeerId, view: &View<'_>, out: &mut Vec<Output>) {
        match self.session_of(peer, view) {
            Ok(id) => {
                self.with(now, id, News::Ack, out, |session, cx| session.ack(cx, view));
            }
            Err(Dropped::WrongSource) => self.core.counters.drop(Dropped::WrongSource),
            Err(_) => self.core.counters.drop(Dropped::StrayAck),
        }
    }

    fn cancel(&mut self, now: Time, peer: PeerId, view: &View<'_>, key: &[u8], out: &mut Vec<Output>) {
        let invite = self.core.server(&view.key("INVITE")).and_then(|id| Some((id, self.core.get(id)?)));
        let Some((invite, tx)) = invite else {
            self.core.counters.drop(Dropped::StrayCancel);
            return view.refuse(&mut Cx { now, core: &mut self.core, out }, 481);
        };
        let owner = tx.owner;
        let dialog = match owner {
            Owner::Session(id) => Some(id),
            Owner::Nobody | Owner::Registration(_) => None,
        };
        let session = dialog.and_then(|id| self.sessions.get(&id));
        if session.is_some_and(|session| session.peer_id != peer) {
            return self.core.counters.drop(Dropped::WrongSource);
        }
        let tag = session.map(|session| session.tag);
        let Some(tx) = self.open_other(now, view, key.into(), Owner::Nobody, out) else { return };
        // 200 to the CANCEL itself, whatever it still finds (RFC 3261 §9.2), under the INVITE's tag.
        let bytes = Draft::response(200, &view.head(tag)).line("Server", &self.core.config.user_agent).bare();
        self.core.answer(now, tx, 200, bytes, out);
        if let Some(id) = dialog {
            self.with(now, id, News::Cancel, out, |session, cx| session.cancelled(cx, invite));
        }
    }

    fn inside(&mut self, now: Time, peer: PeerId, view: &View<'_>, key: Box<[u8]>, out: &mut Vec<Output>) {
        let id = match self.session_of(peer, view) {
            Ok(id) => id,
            Err(why) => {
                self.core.counters.drop(why);
                if why == Dropped::UnknownDialog {
                    view.refuse(&mut Cx { now, core: &mut self.core, out }, 481);
                }
                return;
            }
        };
        let tx = if view.method == Method::Invite {
            self.open_invite(view, key, Owner::Session(id))
        } else {
            self.open_other(now, view, key, Owner::Session(id), out)
        };
        if let Some(tx) = tx {
            let news = News::request(&view.method);
            self.with(now, id, news, out, |session, cx| session.inside(cx, view, tx));
        }
    }

    /// Requests inside sessions are never refused for want of room: their number is bounded by that of the sessions.
    fn open_invite(&mut self, view: &View<'_>, key: Box<[u8]>, owner: Owner) -> Option<TxId> {
        let machine = ServerInvite::new(view.flow.is_reliable(), self.core.timers);
        Some(self.core.open_server(
            Kind::ServerInvite(machine),
            view.answer_flow(),
            view.fallback(),
            owner,
            key,
        ))
    }

    fn open_other(
        &mut self,
        now: Time,
        view: &View<'_>,
        key: Box<[u8]>,
        owner: Owner,
        out: &mut Vec<Output>,
    ) -> Option<TxId> {
        if !self.core.has_room() && view.method != Method::Bye && view.method != Method::Cancel {
            self.core.counters.drop(Dropped::Limit);
            let mut cx = Cx { now, core: &mut self.core, out };
            view.refuse_with(&mut cx, 503, |draft| draft.line("Retry-After", TRY_LATER_S));
            return None;
        }
        let machine = ServerOther::new(now, view.flow.is_reliable(), self.core.timers);
        Some(self.core.open_server(
            Kind::ServerOther(machine),
            view.answer_flow(),
            view.fallback(),
            owner,
            key,
        ))
    }

    // --- INVITE ----------------------------------------------------------------------------------------------

    fn invited(&mut self, now: Time, peer: PeerId, view: &View<'_>, key: Box<[u8]>, out: &mut Vec<Output>) {
        let Some(facts) = self.core.peers.get(usize::from(peer.0)).cloned() else { return };
        if facts.inbound.is_some() && !self.proved(now, peer, view, out) {
            return;
        }
        let checked = match self.check_invite(peer, view) {
            Ok(checked) => checked,
            Err(Refusing { status, why, header }) => {
                self.core.counters.drop(why);
                let mut cx = Cx { now, core: &mut self.core, out };
                return view.refuse_with(&mut cx, status, |draft| match header {
                    Some((name, value)) => draft.line(name, value),
                    None => draft,
                });
            }
        };
        let id = self.fresh_dialog();
        let tag = self.core.chance.mark();
        let Some(tx) = self.open_invite(view, key, Owner::Session(id)) else { return };
        self.core.remember_merge(tx, view.merge_mark());
        let head = view.head(Some(tag));
        let routes: Vec<String> = checked.routes.iter().map(|route| (*route).to_owned()).collect();
        let record_route = routes.iter().fold(Vec::new(), |mut lines, route| {
            lines.extend_from_slice(format!("Record-Route: {route}\r\n").as_bytes());
            lines
        });
        let expires = view.expires().map(|s| Duration::from_secs(u64::from(s.max(1))));
        let rseq = self.core.chance.up_to(1 << 30);
        let reliable = view.supports("100rel");
        let invited = Invited::new(
            now,
            tx,
            head.clone(),
            record_route.into(),
            view.cseq,
            reliable,
            checked.interval,
            expires,
            rseq,
        );
        let state = State::Invited(Box::new(invited));
        let mut session = Session::new(id, (peer, facts), view.flow, view.call_id.into(), tag, state);
        session.local = format!("{};tag={tag}", view.to);
        view.from.clone_into(&mut session.remote);
        session.remote_tag = view.from_tag.unwrap_or("").into();
        checked.contact.clone_into(&mut session.target);
        session.routes = routes;
        session.user.clone_from(&checked.called);
        session.remote_cseq = Some(view.cseq);
        session.replaces = checked.replaces;
        session.learn(view);
        let invite = self.invite_facts(peer, &session, view, checked.called, checked.replaces);
        session.media.their_offer = checked.offer;
        self.enrol(session);
        let trying = Draft::response(100, &view.head(None)).bare();
        self.core.answer(now, tx, 100, trying, out);
        self.core.counters.note(Noted::Invited);
        out.push(Output::Event(Event::Invited { dialog: id, invite: Box::new(invite) }));
        self.with(now, id, None, out, |_, _| {});
    }

    /// The order of the checks is the order in which a peer can repair what it did.
    fn check_invite<'t>(&self, peer: PeerId, view: &View<'t>) -> Result<Checked<'t>, Refusing> {
        if let Some(unknown) = view.unsupported() {
            return Err(Refusing {
                header: Some(("Unsupported", unknown)),
                ..Refusing::of(420, Dropped::UnsupportedRequire)
            });
        }
        if self.core.merged(&view.merge_mark()) {
            return Err(Refusing::of(482, Dropped::Merged));
        }
        let uri = match Uri::parse(view.uri) {
            Ok(uri) => uri,
            Err(Malformed("unknown URI scheme")) => return Err(Refusing::of(416, Dropped::UnknownNumber)),
            Err(_) => return Err(Refusing::of(400, Dropped::Malformed)),
        };
        let called = uri.user_plain().into_owned();
        if !self.core.config.numbers.iter().any(|number| **number == *called) {
            return Err(Refusing::of(404, Dropped::UnknownNumber));
        }
        let contact = view.contact().ok_or(Refusing::of(400, Dropped::Malformed))?;
        let routes = view.record_routes().ok_or(Refusing::of(400, Dropped::Malformed))?;
        let offer = match view.body() {
            Body::None => None,
            Body::Sdp(text) => Some(self.check_offer(view.flow, text)?),
            Body::Broken => return Err(Refusing::of(400, Dropped::BadSdp)),
            Body::Other => {
                let header = Some(("Accept", "application/sdp".to_owned()));
                return Err(Refusing { header, ..Refusing::of(415, Dropped::UnsupportedBody) });
            }
        };
        let interval = Interval::judge(view, &self.core.config).map_err(|least| Refusing {
            header: Some(("Min-SE", least.to_string())),
            ..Refusing::of(422, Dropped::IntervalTooSmall)
        })?;
        let replaces = self.check_replaces(peer, view)?;
        let later = |why| Refusing {
            header: Some(("Retry-After", TRY_LATER_S.to_string())),
            ..Refusing::of(503, why)
        };
        if self.sessions.len() >= self.core.config.max_dialogs || !self.core.has_room() {
            return Err(later(Dropped::Limit));
        }
        if self.draining {
            return Err(later(Dropped::Draining));
        }
        Ok(Checked { called, contact, routes, offer, interval, replaces })
    }

    fn check_offer(&self, flow: Flow, text: &str) -> Result<Offer, Refusing> {
        let local = LocalMedia {
            addr: SocketAddr::new(self.core.address(flow).ip(), 9),
            codecs: self.core.config.codecs.clone(),
            sdp_session: 0,
        };
        let offer = Offer::read(text).and_then(|offer| offer.check(&local).map(|()| offer));
        offer.map_err(|why| match why {
            Refusal::Unreadable(_) => Refusing::of(400, Dropped::BadSdp),
            Refusal::NothingCommon => Refusing::of(488, Dropped::NoCommonCodec),
        })
    }

    /// Both tags, the Call-ID and the peer must be right (`attacks.md` S21), and the dialog still up.
    fn check_replaces(&self, peer: PeerId, view: &View<'_>) -> Result<Option<DialogId>, Refusing> {
        let Some(value) = view.message.line(HeaderName::Replaces) else { return Ok(None) };
        let wanted = Replaces::parse(value).map_err(|_| Refusing::of(400, Dropped::ReplacesRefused))?;
        let old = Mark::read(wanted.to_tag)
            .and_then(|tag| self.by_tag.get(&tag))
            .and_then(|id| self.sessions.get(id));
        let old = old.filter(|s| {
            *s.call_id == *wanted.call_id && *s.remote_tag == *wanted.from_tag && s.peer_id == peer
        });
        match old.map(|session| (session.id, &session.state)) {
            Some((_, State::Up { .. })) if wanted.early_only => {
                Err(Refusing::of(486, Dropped::ReplacesRefused))
            }
            Some((id, State::Up { .. })) => Ok(Some(id)),
            Some((_, State::Leaving { .. })) => Err(Refusing::of(603, Dropped::ReplacesRefused)),
            _ => Err(Refusing::of(481, Dropped::ReplacesRefused)),
        }
    }

    /// What the owner is told of the call; identity headers of trusted peers only (`attacks.md` S26).
    fn invite_facts(
        &mut self,
        peer: PeerId,
        session: &Session,
        view: &View<'_>,
        called: String,
        replaces: Option<DialogId>,
    ) -> Invite {
        let from = NameAddr::parse(view.from);
        let mut unclean = false;
        let mut clean = |text: &str| {
            let (text, changed) = printable(text);
            unclean |= changed;
            text
        };
        let from_user = from
            .as_ref()
            .ok()
            .and_then(|a| Uri::parse(a.uri).ok())
            .map(|u| clean(&u.user_plain()))
            .unwrap_or_default();
        let from_display = from.as_ref().map(|a| clean(&a.display())).unwrap_or_default();
        let user_agent = view.message.line(HeaderName::UserAgent).map(&mut clean).unwrap_or_default();
        let trusted = session.peer.trusted_identity;
        let values = |name: HeaderName| view.message.values(name).filter(move |_| trusted).take(MOST_ENTRIES);
        let asserted = values(HeaderName::PAssertedIdentity)
            .filter_map(|v| header::number_in(v).ok())
            .map(|n| clean(&n))
            .collect();
        let diversion = values(HeaderName::Diversion)
            .filter_map(|v| header::diversion(v).ok())
            .map(|d| (clean(&d.number), clean(&d.reason)))
            .collect();
        let history = values(HeaderName::HistoryInfo)
            .filter_map(|v| header::history(v).ok())
            .map(|h| (clean(&h.number), h.cause))
            .collect();
        let privacy =
            view.message.lines_of(HeaderName::Privacy).flat_map(header::privacy).take(MOST_ENTRIES).collect();
        let emergency =
            view.message.line(HeaderName::Priority).is_some_and(|p| p.eq_ignore_ascii_case("emergency"))
                || view
                    .message
                    .values(HeaderName::ResourcePriority)
                    .any(|p| p.to_ascii_lowercase().starts_with("esnet."));
        if unclean || view.replaced {
            self.core.counters.note(Noted::Replaced);
        }
        Invite {
            peer,
            flow: view.flow,
            sip_call_id: printable(view.call_id).0,
            called,
            from_user,
            from_display,
            asserted,
            privacy,
            diversion,
            history,
            user_agent,
            offer: view.sdp_text().map(str::to_owned),
            emergency,
            replaces,
        }
    }

    // --- REGISTER, digest, strangers -------------------------------------------------------------------------

    fn registers(&mut self, now: Time, view: &View<'_>, out: &mut Vec<Output>) {
        // Carriers have nothing to register here; a phone's source may be a trunk's network all the same.
        if !auth::anyone_by_digest(&self.core) {
            return view.refuse_method(&mut Cx { now, core: &mut self.core, out });
        }
        if let Some(proved) = self.challenged(now, view, out) {
            self.register(now, proved, view, out);
        }
    }

    /// Has the peer shown its credentials? Otherwise it has been asked for them.
    fn proved(&mut self, now: Time, peer: PeerId, view: &View<'_>, out: &mut Vec<Output>) -> bool {
        self.challenged(now, view, out) == Some(peer)
    }

    /// Whose valid credentials the request carries; without any it gets 401.
    fn challenged(&mut self, now: Time, view: &View<'_>, out: &mut Vec<Output>) -> Option<PeerId> {
        let proof = self.doorman.prove(&self.core, now, view);
        match proof {
            Proof::Peer(peer) => return Some(peer),
            Proof::Malformed => {
                self.core.counters.drop(Dropped::BadDigest);
                view.refuse(&mut Cx { now, core: &mut self.core, out }, 400);
                return None;
            }
            Proof::Wrong => self.core.counters.drop(Dropped::BadDigest),
            Proof::Missing | Proof::Stale => self.core.counters.drop(Dropped::Challenged),
        }
        let door = &self.doorman;
        let mut cx = Cx { now, core: &mut self.core, out };
        let bytes = view.write_reply(&mut cx, 401, |cx, draft| {
            let algorithms = cx.core.config.digest.clone();
            door.challenge(cx.core, now, view.flow, proof == Proof::Stale, &algorithms, draft).bare()
        });
        view.send_stateless(&mut cx, 401, bytes);
        None
    }

    /// Is a source that is no peer's worth reading at all? Before that nothing of its packet is looked at.
    pub(super) fn may_hear_stranger(&mut self, now: Time, source: SocketAddr) -> bool {
        let answers =
            self.core.config.strangers == seam::Strangers::Forbid || auth::anyone_by_digest(&self.core);
        answers && self.strangers.admit(now, source.ip(), self.core.config.stranger_answers_per_s)
    }

    /// One stateless answer, never longer than the request of `length` bytes (`attacks.md` S30).
    pub(super) fn stranger(&mut self, now: Time, view: &View<'_>, length: usize, out: &mut Vec<Output>) {
        self.core.counters.receive(counted(&view.method));
        if matches!(view.method, Method::Ack | Method::Cancel) {
            return self.core.counters.drop(Dropped::Stranger);
        }
        let by_digest = auth::anyone_by_digest(&self.core);
        let mut stale = false;
        if by_digest {
            match self.doorman.prove(&self.core, now, view) {
                Proof::Peer(peer) => return self.request(now, peer, view, out),
                Proof::Malformed | Proof::Wrong => self.core.counters.drop(Dropped::BadDigest),
                Proof::Stale => stale = true,
                Proof::Missing => {}
            }
        }
        let all = self.core.config.digest.clone();
        // The last one alone is shorter: no answer to a stranger is longer than his question (`attacks.md` S30).
        let tries: &[&[Algorithm]] =
            if by_digest { &[&all, &all[all.len().saturating_sub(1)..]] } else { &[&[]] };
        let door = &self.doorman;
        let mut cx = Cx { now, core: &mut self.core, out };
        let status = if by_digest { 401 } else { 403 };
        for algorithms in tries {
            let bytes = view.write_reply(&mut cx, status, |cx, draft| {
                door.challenge(cx.core, now, view.flow, stale, algorithms, draft).bare()
            });
            if bytes.len() <= length {
                cx.core.counters.drop(if by_digest {
                    Dropped::Challenged
                } else {
                    Dropped::StrangerAnswered
                });
                return view.send_stateless(&mut cx, status, bytes);
            }
        }
        cx.core.counters.drop(Dropped::Stranger);
    }
}

/// What of an INVITE has passed.
struct Checked<'t> {
    called: String,
    contact: &'t str,
    routes: Vec<&'t str>,
    offer: Option<Offer>,
    interval: Option<Interval>,
    replaces: Option<DialogId>,
}

struct Refusing {
    status: u16,
    why: Dropped,
    header: Option<(&'static str, String)>,
}

impl Refusing {
    const fn of(status: u16, why: Dropped) -> Self {
        Self { status, why, header: None }
    }
}

/// Text fit to be stored and shown: no control characters, no marks that turn the writing direction (`attacks.md` S29).
fn printable(text: &str) -> (String, bool) {
    let turns =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let clean: String = text
        .chars()
        .take(LONGEST_TEXT)
        .map(|c| if c.is_control() || turns(c) { '\u{fffd}' } else { c })
        .collect();
    let changed = clean != text;
    (clean, changed)
}

fn counted(method: &Method) -> Received {
    match method {
        Method::Invite => Received::Invite,
        Method::Ack => Received::Ack,
        Method::Bye => Received::Bye,
        Method::Cancel => Received::Cancel,
        Method::Options => Received::Options,
        Method::Register => Received::Register,
        Method::Prack => Received::Prack,
        Method::Update => Received::Update,
        Method::Info => Received::Info,
        Method::Refer => Received::Refer,
        Method::Message => Received::Message,
        Method::Subscribe => Received::Subscribe,
        Method::Notify => Received::Notify,
        Method::Publish => Received::Publish,
        Method::Other(_) => Received::Other,
    }
}
