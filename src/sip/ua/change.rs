//! Changing a session that is up: session timers (RFC 4028), our own re-INVITE and UPDATE, glare (RFC 3261 §14.1).
//!
//! One change of ours is in the air at a time. What the owner wants meanwhile is kept as a wish; the latest wins.

use super::Noted;
use super::core::{Ask, TxId};
use super::draft::Draft;
use super::reach::News;
use super::session::{Cx, Session, State};
use super::view::View;
use crate::base::{Time, soonest};
use crate::sip::seam::{DialogEnd, Direction, LocalMedia, UaConfig};
use std::time::Duration;

/// What a request and our answer to it agree on (RFC 4028 §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interval {
    pub s: u32,
    pub peer_refreshes: bool,
    /// The peer knows the extension: our answer may require it.
    pub require: bool,
}

impl Interval {
    /// Reads a request. `Err` is the smallest interval we take, for 422.
    pub fn judge(view: &View<'_>, config: &UaConfig) -> Result<Option<Self>, u32> {
        let knows = view.supports("timer");
        let asked = view.session_expires();
        match asked {
            Some((s, _)) if s < config.min_se_s && knows => Err(config.min_se_s),
            // A proxy asks on behalf of a caller that does not know the extension: nobody can be told 422, and we refresh.
            Some((s, refresher_is_uac)) => Ok(Some(Self {
                s: s.max(config.min_se_s),
                peer_refreshes: knows && refresher_is_uac.unwrap_or(true),
                require: knows,
            })),
            None if knows && config.session_expires_s > 0 => {
                let s = config.session_expires_s.max(view.min_se().unwrap_or(0)).max(config.min_se_s);
                Ok(Some(Self { s, peer_refreshes: true, require: true }))
            }
            None => Ok(None),
        }
    }
    pub fn write(self, draft: Draft) -> Draft {
        let draft = if self.require { draft.line("Require", "timer") } else { draft };
        let who = if self.peer_refreshes { "uac" } else { "uas" };
        draft.line("Session-Expires", format_args!("{};refresher={who}", self.s))
    }
}

#[derive(Debug)]
pub(super) struct SessionTimer {
    pub interval_s: u32,
    pub we_refresh: bool,
    pub refresh_at: Option<Time>,
    /// Without a refresh until then we hang up: the smaller of 32 s and a third before the end (RFC 4028 §10).
    pub bye_at: Time,
}

impl SessionTimer {
    pub fn start(now: Time, interval_s: u32, we_refresh: bool) -> Self {
        let whole = Duration::from_secs(u64::from(interval_s));
        Self {
            interval_s,
            we_refresh,
            refresh_at: we_refresh.then(|| now + whole / 2),
            bye_at: now + (whole - (whole / 3).min(Duration::from_secs(32))),
        }
    }
    pub fn next_deadline(&self) -> Time {
        self.refresh_at.map_or(self.bye_at, |at| at.min(self.bye_at))
    }
}

#[derive(Debug, Default)]
pub(super) struct Change {
    asked: Option<Asked>,
    wish: Option<(LocalMedia, Direction)>,
    /// Not before (after glare).
    wish_at: Option<Time>,
    /// A provisional answer whose PRACK may still come after our 200: (RSeq, CSeq).
    pub late_prack: Option<(u32, u32)>,
}

#[derive(Debug)]
struct Asked {
    tx: TxId,
    cseq: u32,
    offer: Option<(LocalMedia, Direction)>,
    /// A provisional answer may have stopped the transaction's own clock: first CANCEL, then the end (`attacks.md` S23).
    give_up_at: Time,
    cancelled: bool,
}

/// A refresh that was refused is tried again after this; several fit before the session would end.
const REFRESH_AGAIN: Duration = Duration::from_secs(10);

impl Change {
    pub fn next_deadline(&self) -> Option<Time> {
        match &self.asked {
            Some(asked) => Some(asked.give_up_at),
            None => self.wish_at.filter(|_| self.wish.is_some()),
        }
    }
    pub fn is_asking(&self) -> bool {
        self.asked.is_some()
    }
    /// Is an offer of ours in the air? A refresh by UPDATE has none.
    pub fn is_offering(&self) -> bool {
        self.asked.as_ref().is_some_and(|asked| asked.offer.is_some())
    }
    /// The session ends: answers to what is in the air mean nothing any more.
    pub fn stop(&mut self, cx: &mut Cx<'_>) {
        if let Some(asked) = self.asked.take() {
            cx.core.disown(asked.tx);
        }
        self.wish = None;
        self.wish_at = None;
    }
}

impl Asked {
    fn new(cx: &Cx<'_>, tx: TxId, cseq: u32, offer: Option<(LocalMedia, Direction)>) -> Self {
        Self { tx, cseq, offer, give_up_at: cx.limit() + cx.t1(), cancelled: false }
    }
}

impl Session {
    /// The owner wants other media or another direction.
    pub fn reoffer(&mut self, local: LocalMedia, direction: Direction) -> bool {
        let State::Up { leave: None, .. } = self.state else { return false };
        self.change.wish = Some((local, direction));
        true // `settle` sends it when it is its turn.
    }

    /// Sends the wish, if there is one and nothing stands in its way.
    pub fn send_wish(&mut self, cx: &mut Cx<'_>) {
        if self.change.wish_at.is_some_and(|at| at > cx.now) {
            return;
        }
        // Its time has come; whatever is still in the way ends by itself and is followed by another call of this.
        self.change.wish_at = None;
        if self.change.is_asking() || self.waiting_ack.is_some() || self.media.our_offer.is_some() {
            return;
        }
        let Some((local, direction)) = self.change.wish.take() else { return };
        self.media.wish = direction;
        self.reinvite_ours(cx, local);
    }

    fn reinvite_ours(&mut self, cx: &mut Cx<'_>, local: LocalMedia) {
        let sdp = self.media.offer(&local);
        let direction = self.media.wish;
        let d = self.interval_lines(cx, "INVITE");
        let d = d.line("Allow", super::draft::ALLOW);
        let cseq = d.cseq;
        let bytes = d.draft.sdp(Some(&sdp));
        let tx = self.submit(cx, Ask::Reinvite, bytes, d.branch, d.flow);
        self.echo(cx, tx, cseq, d.branch, d.flow);
        self.change.asked = Some(Asked::new(cx, tx, cseq, Some((local, direction))));
    }

    fn interval_lines(&mut self, cx: &mut Cx<'_>, method: &str) -> super::session::Drafted {
        let d = self.draft(cx, method, None).line("Supported", super::draft::SUPPORTED);
        match &self.timer {
            Some(timer) if self.peer_timer || timer.we_refresh => {
                let who = if timer.we_refresh { "uac" } else { "uas" };
                d.line("Session-Expires", format_args!("{};refresher={who}", timer.interval_s))
                    .line("Min-SE", cx.core.config.min_se_s.min(timer.interval_s))
            }
            _ => d,
        }
    }

    fn refresh(&mut self, cx: &mut Cx<'_>) {
        if self.change.is_asking() || self.waiting_ack.is_some() {
            // Whatever is in the air refreshes the session too when it succeeds; look again in a second.
            if let Some(timer) = &mut self.timer {
                timer.refresh_at = Some(cx.now + Duration::from_secs(1));
            }
            return;
        }
        if let Some(timer) = &mut self.timer {
            timer.refresh_at = None;
        }
        if !self.peer_update {
            if let Some(local) = self.media.local.clone() {
                self.reinvite_ours(cx, local);
            }
            return;
        }
        let d = self.interval_lines(cx, "UPDATE");
        let cseq = d.cseq;
        let tx = self.submit(cx, Ask::Update, d.draft.bare(), d.branch, d.flow);
        self.change.asked = Some(Asked::new(cx, tx, cseq, None));
    }

    pub fn fire_change(&mut self, cx: &mut Cx<'_>) {
        let place = self.place();
        if self.change.wish_at.is_some_and(|at| at <= cx.now) && self.change.wish.is_some() {
            cx.took(place, News::WishDue); // `settle` sends it.
        }
        if self.change.asked.as_ref().is_some_and(|asked| asked.give_up_at <= cx.now) {
            cx.took(place, News::ChangeLate);
            self.change_unanswered(cx);
        }
        let Some(timer) = self.timer.as_ref().filter(|_| matches!(self.state, State::Up { .. })) else {
            return;
        };
        if timer.bye_at <= cx.now {
            cx.took(place, News::Expired);
            let reason = "SIP;cause=408;text=\"Session timer\"".to_owned();
            return self.bye(cx, Some(reason), DialogEnd::SessionExpired);
        }
        if timer.refresh_at.is_some_and(|at| at <= cx.now) {
            cx.took(place, News::RefreshDue);
            self.refresh(cx);
        }
    }

    /// Our request rings for ever: CANCEL, and if that has no end either, the peer does not answer any more.
    fn change_unanswered(&mut self, cx: &mut Cx<'_>) {
        let give_up_at = cx.limit();
        let Some(asked) = &mut self.change.asked else { return };
        let first = !std::mem::replace(&mut asked.cancelled, true);
        asked.give_up_at = give_up_at;
        let tx = asked.tx;
        if !(first && cx.core.cancel_client(cx.now, tx, None, cx.out)) {
            self.unanswered(cx, Ask::Reinvite);
        }
    }

    /// A final answer to our re-INVITE or UPDATE, or its repetition.
    pub fn change_answered(&mut self, cx: &mut Cx<'_>, tx: TxId, ask: Ask, view: &View<'_>) {
        if view.status < 200 {
            return;
        }
        let Some(asked) = self.change.asked.take_if(|asked| asked.tx == tx) else { return };
        if view.status < 300 {
            if ask == Ask::Reinvite {
                self.refresh_target(view);
                let ack = self.draft(cx, "ACK", Some(asked.cseq));
                let bytes = ack.draft.bare();
                cx.core.send(ack.flow, bytes.clone(), cx.out);
                if let Some(tx) = cx.core.get_mut(tx) {
                    tx.acks.push((view.to_tag.unwrap_or("").into(), bytes, ack.flow));
                }
            } else {
                self.refresh_target(view);
            }
            if asked.offer.is_some() {
                match view.sdp_text().map(|text| self.media.take_answer(cx.now, text)) {
                    Some(Ok(())) => self.tell_media(cx),
                    Some(Err(_)) | None => self.media.drop_offer(),
                }
            }
            self.timer = view.session_expires().map(|(s, refresher_is_uac)| {
                SessionTimer::start(cx.now, s, refresher_is_uac.unwrap_or(true))
            });
            self.dirty = true;
            return;
        }
        self.media.drop_offer();
        match view.status {
            481 | 408 => self.forgotten(cx, view.status == 481),
            491 => {
                cx.core.counters.note(Noted::Glare);
                let wait = self.back_off(cx);
                self.try_again(cx, asked, wait);
            }
            500 | 503 if view.retry_after().is_some() => {
                let wait = Duration::from_secs(u64::from(view.retry_after().unwrap_or(1).clamp(1, 60)));
                self.try_again(cx, asked, wait);
            }
            422 => {
                let least = view.min_se().unwrap_or(0);
                if let Some(timer) = self.timer.as_mut().filter(|t| least > t.interval_s) {
                    timer.interval_s = least;
                    timer.refresh_at = Some(cx.now);
                }
            }
            405 | 501 if ask == Ask::Update => {
                self.peer_update = false;
                if let Some(timer) = &mut self.timer {
                    timer.refresh_at = Some(cx.now);
                }
            }
            // The session goes on as it was (RFC 3261 §14.1); a refresh is tried again, by re-INVITE, while there is time.
            _ => {
                cx.core.counters.note(Noted::ChangeRefused);
                self.peer_update &= ask != Ask::Update;
                if let Some(timer) = self.timer.as_mut().filter(|t| t.we_refresh) {
                    timer.refresh_at.get_or_insert(cx.now + REFRESH_AGAIN);
                }
            }
        }
    }

    /// RFC 3261 §14.1: who chose the Call-ID waits 2.1 to 4 s, the other 0 to 2 s, so that they do not meet again.
    fn back_off(&self, cx: &mut Cx<'_>) -> Duration {
        let (from, to) = if self.uac { (2100, 4000) } else { (0, 2000) };
        cx.core.chance.between(Duration::from_millis(from), Duration::from_millis(to))
    }

    fn try_again(&mut self, cx: &Cx<'_>, asked: Asked, wait: Duration) {
        let at = cx.now + wait;
        if let Some(timer) = self.timer.as_mut().filter(|t| t.we_refresh) {
            timer.refresh_at = soonest(timer.refresh_at, Some(at));
        }
        if let Some(wish) = asked.offer {
            self.change.wish.get_or_insert(wish);
            self.change.wish_at = Some(at);
        }
    }

    /// The peer does not know the dialog any more, or does not answer inside it.
    pub fn forgotten(&mut self, cx: &mut Cx<'_>, surely: bool) {
        if !matches!(self.state, State::Up { .. }) {
            return;
        }
        if surely {
            self.change.stop(cx);
            self.end(cx, DialogEnd::PeerForgot);
            self.state = State::Gone;
        } else {
            self.bye(cx, Some("SIP;cause=408;text=\"No answer\"".into()), DialogEnd::PeerForgot);
        }
    }
}
