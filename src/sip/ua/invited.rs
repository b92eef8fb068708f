//! A call that has come and has no final answer yet: provisional answers, reliable ones (RFC 3262), the 200, refusals.
//!
//! One reliable answer is out at a time; later ones queue behind its PRACK, and so does a 200 when that answer carried
//! a session description (RFC 3262 §3 and §5).

use super::change::{Interval, SessionTimer};
use super::core::TxId;
use super::draft::Draft;
use super::reach::{News, Place};
use super::session::{Cx, Session, State, WaitingAck};
use super::view::View;
use super::{Dropped, Noted};
use crate::base::{Time, soonest};
use crate::sip::seam::{DialogEnd, Event, LocalMedia};
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::Duration;

/// A provisional answer is said again this often, so that no proxy gives up (RFC 3261 §13.3.1.1).
const REPEAT: Duration = Duration::from_secs(60);
/// The owner must have answered by then; it has had every chance.
pub(super) const LONGEST_RINGING: Duration = Duration::from_secs(600);
/// Reliable answers that may wait for their turn.
const MOST_QUEUED: usize = 8;

#[derive(Debug)]
pub(super) struct Invited {
    pub tx: TxId,
    /// Via to CSeq of every answer.
    pub head: Bytes,
    pub record_route: Bytes,
    pub cseq: u32,
    /// The peer takes reliable provisional answers.
    pub reliable: bool,
    pub interval: Option<Interval>,
    pub out: Option<Reliable>,
    pub queue: VecDeque<(u16, Option<LocalMedia>)>,
    pub rseq: u32,
    /// RSeq and CSeq of the last PRACK that was taken.
    pub acked: Option<(u32, u32)>,
    /// The owner's 200 waits for a PRACK.
    pub answer: Option<LocalMedia>,
    /// Our description went out in an answer the peer need not have got.
    pub shown: bool,
    /// The last provisional answer, when it was not a reliable one.
    pub last: Option<(u16, Bytes)>,
    pub repeat_at: Time,
    pub give_up_at: Time,
}

/// A reliable provisional answer that waits for its PRACK.
#[derive(Debug)]
pub(super) struct Reliable {
    rseq: u32,
    bytes: Bytes,
    again_at: Time,
    interval: Duration,
    give_up_at: Time,
    /// It carried a description: ours as an answer, or ours as an offer.
    sdp: bool,
}

impl Invited {
    #[expect(clippy::too_many_arguments, reason = "the parts of one record, each with its own name")]
    pub fn new(
        now: Time,
        tx: TxId,
        head: Bytes,
        record_route: Bytes,
        cseq: u32,
        reliable: bool,
        interval: Option<Interval>,
        expires: Option<Duration>,
        rseq: u32,
    ) -> Self {
        Self {
            tx,
            head,
            record_route,
            cseq,
            reliable,
            interval,
            out: None,
            queue: VecDeque::new(),
            rseq,
            acked: None,
            answer: None,
            shown: false,
            last: None,
            repeat_at: now + REPEAT,
            give_up_at: now + expires.unwrap_or(LONGEST_RINGING).min(LONGEST_RINGING),
        }
    }

    pub fn next_deadline(&self) -> Option<Time> {
        let reliable = self.out.as_ref().map(|r| r.again_at.min(r.give_up_at));
        soonest(reliable, Some(self.repeat_at.min(self.give_up_at)))
    }
}

impl Session {
    /// 18x, reliably when the peer can.
    pub fn progress(&mut self, cx: &mut Cx<'_>, status: u16, media: Option<LocalMedia>) -> bool {
        let State::Invited(invited) = &mut self.state else { return false };
        if !(101..200).contains(&status) || invited.answer.is_some() {
            return false;
        }
        if invited.out.is_some() {
            if invited.queue.len() >= MOST_QUEUED {
                cx.core.counters.drop(Dropped::Limit);
                return false;
            }
            invited.queue.push_back((status, media));
            return true;
        }
        self.send_progress(cx, status, media)
    }

    fn send_progress(&mut self, cx: &mut Cx<'_>, status: u16, media: Option<LocalMedia>) -> bool {
        let State::Invited(invited) = &mut self.state else { return false };
        let mut sdp = None;
        if let Some(local) = media {
            if self.media.their_offer.is_some() {
                if self.media.answer_theirs(cx.now, &local).is_err() {
                    self.refuse(cx, 488, None, None);
                    self.end(cx, DialogEnd::Rejected { status: 488 });
                    return false;
                }
                invited.shown = !invited.reliable;
                sdp = Some(self.media.local_sdp.clone());
            } else if invited.shown {
                sdp = Some(self.media.local_sdp.clone());
            } else if invited.reliable && self.media.agreed.is_none() && self.media.our_offer.is_none() {
                sdp = Some(self.media.offer(&local));
            }
        }
        let flow = cx.core.get(invited.tx).map_or(self.flow, |tx| tx.flow);
        let mut draft = Draft::response(status, &invited.head).lines(&invited.record_route);
        if invited.reliable {
            invited.rseq += 1;
            draft = draft.line("Require", "100rel").line("RSeq", invited.rseq);
        }
        let bytes = cx.core.dress(draft, flow, &self.user).sdp(sdp.as_deref());
        invited.repeat_at = cx.now + REPEAT;
        if invited.reliable {
            let t1 = cx.core.timers.t1;
            invited.last = None;
            invited.out = Some(Reliable {
                rseq: invited.rseq,
                bytes: bytes.clone(),
                again_at: cx.now + t1,
                interval: t1,
                give_up_at: cx.now + cx.core.timers.limit(),
                sdp: sdp.is_some(),
            });
        } else {
            invited.last = Some((status, bytes.clone()));
        }
        let tx = invited.tx;
        cx.core.answer(cx.now, tx, status, bytes, cx.out);
        self.tell_media(cx);
        true
    }

    /// 200, with our answer to the peer's offer, or with our offer when the peer made none.
    pub fn answer(&mut self, cx: &mut Cx<'_>, local: LocalMedia) -> bool {
        let State::Invited(invited) = &mut self.state else { return false };
        if invited.answer.is_some() {
            return false;
        }
        if invited.out.as_ref().is_some_and(|r| r.sdp) {
            invited.answer = Some(local);
            return true;
        }
        let mut offers = false;
        let sdp = if self.media.their_offer.is_some() {
            if self.media.answer_theirs(cx.now, &local).is_err() {
                self.refuse(cx, 488, None, None);
                self.end(cx, DialogEnd::Rejected { status: 488 });
                return false;
            }
            Some(self.media.local_sdp.clone())
        } else if invited.shown {
            Some(self.media.local_sdp.clone())
        } else if self.media.agreed.is_some() {
            None // Agreed reliably before, perhaps by UPDATE since: nothing more to say.
        } else {
            offers = true;
            Some(self.media.offer(&local))
        };
        let (tx, cseq) = (invited.tx, invited.cseq);
        self.change.late_prack = invited.out.as_ref().map(|r| (r.rseq, cseq));
        let flow = cx.core.get(tx).map_or(self.flow, |tx| tx.flow);
        let mut draft = Draft::response(200, &invited.head).lines(&invited.record_route);
        if let Some(interval) = invited.interval {
            draft = interval.write(draft);
            self.timer = Some(SessionTimer::start(cx.now, interval.s, !interval.peer_refreshes));
        }
        let ok = cx.core.dress(draft, flow, &self.user).sdp(sdp.as_deref());
        cx.core.answer(cx.now, tx, 200, ok.clone(), cx.out);
        cx.core.disown(tx);
        self.state = State::Up { confirmed: false, leave: None };
        self.wait_for_ack(cx, ok, flow, cseq, offers);
        self.tell_media(cx);
        true
    }

    pub fn wait_for_ack(
        &mut self,
        cx: &Cx<'_>,
        ok: Bytes,
        flow: crate::sip::seam::Flow,
        cseq: u32,
        offers: bool,
    ) {
        let interval = cx.t1();
        self.waiting_ack = Some(WaitingAck {
            ok,
            flow,
            cseq,
            again_at: cx.now + interval,
            interval,
            give_up_at: cx.limit(),
            offers,
        });
    }

    /// A final refusal of the first INVITE. The session is gone; its transaction sees to the ACK.
    pub fn refuse(&mut self, cx: &mut Cx<'_>, status: u16, retry_after_s: Option<u32>, reason: Option<&str>) {
        let State::Invited(invited) = &self.state else { return };
        let bytes = Draft::response(status, &invited.head)
            .maybe("Retry-After", retry_after_s)
            .maybe("Reason", reason)
            .line("Server", &cx.core.config.user_agent)
            .bare();
        let tx = invited.tx;
        cx.core.answer(cx.now, tx, status, bytes, cx.out);
        cx.core.disown(tx);
        self.state = State::Gone;
    }

    /// CANCEL of the INVITE whose transaction is `tx`: it means something only for the first one, still open.
    pub fn cancelled(&mut self, cx: &mut Cx<'_>, tx: TxId) {
        if matches!(&self.state, State::Invited(invited) if invited.tx == tx) {
            self.refuse(cx, 487, None, None);
            self.end(cx, DialogEnd::Cancelled);
        }
    }

    pub fn fire_invited(&mut self, cx: &mut Cx<'_>) {
        let State::Invited(invited) = &mut self.state else { return };
        if invited.give_up_at <= cx.now {
            cx.took(Place::Invited, News::RangTooLong);
            self.refuse(cx, 480, None, None);
            return self.end(cx, DialogEnd::Rejected { status: 480 });
        }
        if let Some(reliable) = &mut invited.out {
            if reliable.give_up_at <= cx.now {
                cx.took(Place::Invited, News::PrackMissing);
                self.refuse(cx, 504, None, Some("SIP;cause=504;text=\"PRACK missing\""));
                return self.end(cx, DialogEnd::Rejected { status: 504 });
            }
            if reliable.again_at <= cx.now {
                cx.took(Place::Invited, News::ReliableAgain);
                reliable.interval *= 2;
                reliable.again_at = cx.now + reliable.interval;
                cx.core.counters.note(Noted::Retransmitted);
                let flow = cx.core.get(invited.tx).map_or(self.flow, |tx| tx.flow);
                cx.core.send(flow, reliable.bytes.clone(), cx.out);
            }
        }
        if invited.repeat_at <= cx.now {
            cx.took(Place::Invited, News::RingingAgain);
            invited.repeat_at = cx.now + REPEAT;
            if let Some((status, bytes)) = invited.last.clone() {
                let tx = invited.tx;
                cx.core.answer(cx.now, tx, status, bytes, cx.out);
            }
        }
    }

    /// PRACK (RFC 3262 §3). `tx` is its own transaction.
    pub fn prack(&mut self, cx: &mut Cx<'_>, view: &View<'_>, tx: TxId) {
        let rack = view.rack();
        let State::Invited(invited) = &mut self.state else {
            // The 200 has overtaken the acknowledgement of a provisional answer without a description.
            let late = self.change.late_prack.is_some() && self.change.late_prack == rack;
            if !late {
                cx.core.counters.drop(Dropped::StrayPrack);
            }
            return view.reply(cx, tx, if late { 200 } else { 481 });
        };
        let fits = invited.out.as_ref().is_some_and(|r| rack == Some((r.rseq, invited.cseq)));
        if !fits && invited.acked.is_some() && rack == invited.acked {
            // Some send a new PRACK for each repeated 18x: it changes nothing, and 481 would end the call (`peers.md` §4 fault 2).
            cx.core.counters.note(Noted::Repeated);
            let sdp = view.sdp_text().map(|_| self.media.local_sdp.clone());
            return view.reply_with(cx, tx, 200, |draft| draft, sdp.as_deref());
        }
        if !fits {
            cx.core.counters.drop(Dropped::StrayPrack);
            return view.reply(cx, tx, 481);
        }
        invited.out = None;
        invited.acked = rack;
        let mut sdp = None;
        if self.media.our_offer.is_some() {
            // Our offer went out in the 18x: this must be the answer (RFC 3262 §5).
            let agreed = view.sdp_text().is_some_and(|text| self.media.take_answer(cx.now, text).is_ok());
            if !agreed {
                view.reply(cx, tx, 488);
                self.refuse(cx, 488, None, None);
                return self.end(cx, DialogEnd::NoAnswerSdp);
            }
        } else if let Some(text) = view.sdp_text() {
            match self.media.reoffer_theirs(cx.now, text) {
                Ok(()) => sdp = Some(self.media.local_sdp.clone()),
                Err(status) => return view.reply(cx, tx, status),
            }
        }
        view.reply_with(cx, tx, 200, |draft| draft, sdp.as_deref());
        self.tell_media(cx);
        self.after_prack(cx);
    }

    fn after_prack(&mut self, cx: &mut Cx<'_>) {
        let State::Invited(invited) = &mut self.state else { return };
        if let Some((status, media)) = invited.queue.pop_front() {
            self.send_progress(cx, status, media);
        } else if let Some(local) = invited.answer.take() {
            self.answer(cx, local);
        }
    }

    /// ACK of a 200. Anything else that calls itself ACK changes nothing.
    pub fn ack(&mut self, cx: &mut Cx<'_>, view: &View<'_>) {
        let Some(waiting) = self.waiting_ack.as_ref().filter(|w| w.cseq == view.cseq) else {
            return cx.core.counters.note(Noted::Repeated);
        };
        let offers = waiting.offers;
        self.waiting_ack = None;
        let first = matches!(self.state, State::Up { confirmed: false, .. });
        if offers {
            let agreed = view.sdp_text().is_some_and(|text| self.media.take_answer(cx.now, text).is_ok());
            if !agreed {
                self.media.drop_offer();
                if first {
                    let reason = "SIP;cause=488;text=\"ACK without an answer\"".to_owned();
                    return self.bye(cx, Some(reason), DialogEnd::NoAnswerSdp);
                }
            }
        }
        self.confirm(cx);
        self.tell_media(cx);
    }

    /// The peer has our 200: by its ACK, or by a later request that only makes sense after it.
    pub fn confirm(&mut self, cx: &mut Cx<'_>) {
        let State::Up { confirmed, leave } = &mut self.state else { return };
        let first = !*confirmed;
        *confirmed = true;
        let leave = leave.take();
        if first {
            self.dirty = true;
            cx.tell(Event::Confirmed { dialog: self.id });
        }
        if let Some(reason) = leave {
            self.bye(cx, reason, DialogEnd::HungUp);
        }
    }
}
