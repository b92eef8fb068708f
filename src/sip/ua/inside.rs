//! Requests of the peer inside a session: BYE, re-INVITE, UPDATE, PRACK, INFO, OPTIONS, REFER.

use super::change::{Interval, SessionTimer};
use super::core::TxId;
use super::session::{Cx, Session, State};
use super::view::{Body, Method, View};
use super::{Dropped, Noted};
use crate::base::Digit;
use crate::sip::seam::{DialogEnd, Event, PeerKind};

impl Session {
    /// A new request (not a repetition), whose source has been checked. `tx` is its own transaction.
    pub fn inside(&mut self, cx: &mut Cx<'_>, view: &View<'_>, tx: TxId) {
        if matches!(self.state, State::Gone) {
            return view.reply(cx, tx, 481);
        }
        let last = self.remote_cseq_of(view.from_tag.unwrap_or(""));
        if last.is_some_and(|last| view.cseq <= last) {
            cx.core.counters.drop(Dropped::OldCseq);
            return view.reply(cx, tx, 500); // RFC 3261 §12.2.2.
        }
        *last = Some(view.cseq);
        self.flow = view.flow;
        match view.method {
            Method::Bye => self.peer_left(cx, view, tx),
            Method::Options => view.reply_capable(cx, tx, 200),
            _ if matches!(self.state, State::Leaving { .. }) => view.reply(cx, tx, 481),
            Method::Invite => self.reinvited(cx, view, tx),
            Method::Update => self.updated(cx, view, tx),
            Method::Prack => self.prack(cx, view, tx),
            Method::Info => self.informed(cx, view, tx),
            Method::Refer => self.referred(cx, view, tx),
            Method::Notify if matches!(self.peer.kind, PeerKind::Phone) => view.reply(cx, tx, 481),
            _ => view.reply_not_allowed(cx, tx),
        }
    }

    fn peer_left(&mut self, cx: &mut Cx<'_>, view: &View<'_>, tx: TxId) {
        let why = DialogEnd::Bye { cause: view.reason_cause() };
        match &self.state {
            State::Calling(_) | State::Gone => return view.reply(cx, tx, 481),
            State::Invited(_) => {
                view.reply(cx, tx, 200);
                self.refuse(cx, 487, None, None);
                self.end(cx, why);
            }
            State::Up { .. } => {
                view.reply(cx, tx, 200);
                self.end(cx, why);
            }
            State::Leaving { .. } => {
                view.reply(cx, tx, 200);
                self.end(cx, DialogEnd::HungUp); // Both hung up; ours was first.
            }
        }
        self.change.stop(cx);
        self.waiting_ack = None;
        self.state = State::Gone;
    }

    /// re-INVITE, with an offer or asking for ours.
    fn reinvited(&mut self, cx: &mut Cx<'_>, view: &View<'_>, tx: TxId) {
        match &self.state {
            State::Up { .. } => {}
            // The first INVITE has no final answer yet (RFC 3261 §14.2).
            State::Invited(_) | State::Calling(_) => return self.busy(cx, view, tx),
            State::Leaving { .. } | State::Gone => return view.reply(cx, tx, 481),
        }
        if self.change.is_offering() || self.waiting_ack.as_ref().is_some_and(|w| w.offers) {
            cx.core.counters.note(Noted::Glare);
            return view.reply(cx, tx, 491);
        }
        let Some(interval) = self.acceptable(cx, view, tx) else { return };
        let offers = match view.body() {
            Body::Sdp(text) => match self.media.reoffer_theirs(cx.now, text) {
                Ok(()) => false,
                Err(status) => return self.refuse_offer(cx, view, tx, status),
            },
            Body::None => true,
            Body::Broken => return self.refuse_offer(cx, view, tx, 400),
            Body::Other => return self.refuse_offer(cx, view, tx, 415),
        };
        if self.waiting_ack.take().is_some() {
            self.confirm(cx); // It has our 200, or it would not speak so.
            if !matches!(self.state, State::Up { .. }) {
                return view.reply(cx, tx, 481); // We were only waiting for that, to hang up.
            }
        }
        self.refresh_target(view);
        let sdp = if offers {
            let Some(local) = self.media.local.clone() else { return view.reply(cx, tx, 488) };
            self.media.offer(&local)
        } else {
            self.media.local_sdp.clone()
        };
        let user = self.user.clone();
        let ok = view.write_reply(cx, 200, |cx, draft| {
            let draft = match interval {
                Some(interval) => interval.write(draft),
                None => draft,
            };
            cx.core.dress(draft, view.flow, &user).sdp(Some(&sdp))
        });
        self.timer = interval.map(|i| SessionTimer::start(cx.now, i.s, !i.peer_refreshes));
        cx.core.answer(cx.now, tx, 200, ok.clone(), cx.out);
        let flow = cx.core.get(tx).map_or(view.flow, |tx| tx.flow);
        self.wait_for_ack(cx, ok, flow, view.cseq, offers);
        self.dirty = true;
        self.tell_media(cx);
    }

    /// UPDATE (RFC 3311), early or confirmed, with an offer or only as a refresh.
    fn updated(&mut self, cx: &mut Cx<'_>, view: &View<'_>, tx: TxId) {
        if matches!(self.state, State::Calling(_)) {
            return self.updated_early(cx, view, tx);
        }
        let Some(interval) = self.acceptable(cx, view, tx) else { return };
        let mut sdp = None;
        match view.body() {
            Body::None => {}
            Body::Sdp(text) => {
                if self.media.their_offer.is_some() {
                    return self.busy(cx, view, tx); // Its first offer has no answer yet.
                }
                if self.media.our_offer.is_some() || self.change.is_offering() {
                    cx.core.counters.note(Noted::Glare);
                    return view.reply(cx, tx, 491);
                }
                match self.media.reoffer_theirs(cx.now, text) {
                    Ok(()) => sdp = Some(self.media.local_sdp.clone()),
                    Err(status) => return self.refuse_offer(cx, view, tx, status),
                }
            }
            Body::Broken => return self.refuse_offer(cx, view, tx, 400),
            Body::Other => return self.refuse_offer(cx, view, tx, 415),
        }
        self.refresh_target(view);
        let user = self.user.clone();
        let ok = view.write_reply(cx, 200, |cx, draft| {
            let draft = match interval {
                Some(interval) => interval.write(draft),
                None => draft,
            };
            cx.core.dress(draft, view.flow, &user).sdp(sdp.as_deref())
        });
        if matches!(self.state, State::Up { .. }) {
            self.timer = interval.map(|i| SessionTimer::start(cx.now, i.s, !i.peer_refreshes));
            self.dirty = true;
        }
        cx.core.answer(cx.now, tx, 200, ok, cx.out);
        self.tell_media(cx);
    }

    /// Require and Session-Expires of a request that would change the session; refuses it here when they don't fit.
    fn acceptable(&mut self, cx: &mut Cx<'_>, view: &View<'_>, tx: TxId) -> Option<Option<Interval>> {
        if let Some(unknown) = view.unsupported() {
            cx.core.counters.drop(Dropped::UnsupportedRequire);
            view.reply_with(cx, tx, 420, |draft| draft.line("Unsupported", &unknown), None);
            return None;
        }
        match Interval::judge(view, &cx.core.config) {
            Ok(interval) => Some(interval),
            Err(least) => {
                cx.core.counters.drop(Dropped::IntervalTooSmall);
                view.reply_with(cx, tx, 422, |draft| draft.line("Min-SE", least), None);
                None
            }
        }
    }

    fn refuse_offer(&mut self, cx: &mut Cx<'_>, view: &View<'_>, tx: TxId, status: u16) {
        cx.core.counters.drop(match status {
            488 => Dropped::NoCommonCodec,
            415 => Dropped::UnsupportedBody,
            _ => Dropped::BadSdp,
        });
        match status {
            415 => view.reply_with(cx, tx, 415, |draft| draft.line("Accept", "application/sdp"), None),
            status => view.reply(cx, tx, status),
        }
    }

    fn busy(&mut self, cx: &mut Cx<'_>, view: &View<'_>, tx: TxId) {
        cx.core.counters.note(Noted::Glare);
        let wait = cx.core.chance.up_to(10);
        view.reply_with(cx, tx, 500, |draft| draft.line("Retry-After", wait), None);
    }

    /// INFO: keys, or nothing we read (RFC 6086 asks for 200 to an empty one).
    fn informed(&mut self, cx: &mut Cx<'_>, view: &View<'_>, tx: TxId) {
        match view.info_digit() {
            InfoBody::Digit(digit, duration_ms) => {
                view.reply(cx, tx, 200);
                cx.tell(Event::Info { dialog: self.id, digit, duration_ms });
            }
            InfoBody::Empty => view.reply(cx, tx, 200),
            InfoBody::Bad => view.reply(cx, tx, 400),
            InfoBody::Other => {
                cx.core.counters.drop(Dropped::UnsupportedBody);
                let types = "application/dtmf-relay, application/dtmf";
                view.reply_with(cx, tx, 415, |draft| draft.line("Accept", types), None);
            }
        }
    }

    /// REFER (RFC 3515): trunks may not send calls elsewhere (`attacks.md` S20); a phone's wish goes to the owner.
    fn referred(&mut self, cx: &mut Cx<'_>, view: &View<'_>, tx: TxId) {
        let Some(target) = view.refer_to() else { return view.reply(cx, tx, 400) };
        let up = matches!(self.state, State::Up { confirmed: true, .. });
        let accepted = up && matches!(self.peer.kind, PeerKind::Phone);
        if accepted {
            view.reply_capable(cx, tx, 202);
            self.notify(cx, "SIP/2.0 100 Trying", "active;expires=60");
        } else {
            cx.core.counters.drop(Dropped::Referral);
            view.reply(cx, tx, 403);
        }
        cx.tell(Event::Referred { dialog: self.id, target, accepted });
    }

    /// What became of a transfer the peer asked for: the last NOTIFY of its REFER.
    pub fn transfer_result(&mut self, cx: &mut Cx<'_>, status: u16) -> bool {
        if !matches!(self.state, State::Up { confirmed: true, .. }) {
            return false;
        }
        let line = format!("SIP/2.0 {status} {}", super::draft::reason_phrase(status));
        self.notify(cx, &line, "terminated;reason=noresource");
        true
    }

    fn notify(&mut self, cx: &mut Cx<'_>, line: &str, state: &str) {
        let d = self.draft(cx, "NOTIFY", None).line("Event", "refer").line("Subscription-State", state);
        let bytes = d.draft.body("message/sipfrag;version=2.0", format!("{line}\r\n").as_bytes());
        self.submit(cx, super::core::Ask::Notify, bytes, d.branch, d.flow);
    }
}

/// What an INFO carried.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum InfoBody {
    Digit(Digit, u16),
    Empty,
    Bad,
    Other,
}
