//! What the SIP user agent tells, and what the engine makes of it: a call begins, is answered, changes its media, ends.

use super::EndReason;
use super::caller;
use super::counters::Count;
use super::engine::{Effect, EndedBy, Engine};
use super::fact::{CallAnswered, CallArrived, DialogFact, Fact};
use super::live::{Call, KeySource, Leg, Stage};
use super::reach::News;
use crate::base::{CallId, LegId, Personal, Time};
use crate::ivr::Walk;
use crate::ivr::seam::CallFacts;
use crate::media::seam::{Order, Session};
use crate::sip::seam::{
    DialogEnd, DialogFacts, DialogId, Direction, Event, Invite, LocalMedia, NegotiatedMedia,
};
use rand_chacha::rand_core::Rng;
use std::net::SocketAddr;
use std::sync::Arc;

impl Engine {
    pub(super) fn sip_news(&mut self, now: Time, event: Event, out: &mut Vec<Effect>) {
        match event {
            Event::Invited { dialog, invite } => self.invited(now, dialog, *invite, out),
            Event::Confirmed { dialog } => {
                if let Some(call) = self.call_of(dialog) {
                    self.took(call, News::Confirmed);
                    self.note(now, Fact::CallConfirmed { call }, out);
                }
            }
            Event::Media { dialog, media } => match self.party_of(dialog) {
                Some(call) => self.party_media(now, call, dialog, &media, out),
                None => self.media_agreed(now, dialog, *media, out),
            },
            // An agent's own keys are not the citizen's.
            Event::Info { dialog, .. } if self.party_of(dialog).is_some() => {}
            Event::Info { dialog, digit, .. } => {
                if let Some(call) = self.call_of(dialog) {
                    self.took(call, News::InfoKey);
                    self.counters.add(Count::DigitsInfo);
                    self.key(now, call, digit, KeySource::Info);
                    self.urge_keys(now, call, out);
                }
            }
            Event::Ended { dialog, why } => self.dialog_ended(now, dialog, why, out),
            Event::DialogFacts { dialog, .. } if self.party_of(dialog).is_some() => {}
            Event::DialogFacts { dialog, facts } => {
                if let Some(call) = self.call_of(dialog) {
                    self.took(call, News::Facts);
                    let fact = dialog_fact(call, *facts);
                    self.note(now, Fact::Dialog(Box::new(fact)), out);
                }
            }
            Event::Referred { dialog, .. } => {
                self.counters.add(Count::TransferRefused);
                if let Some(call) = self.call_of(dialog) {
                    self.took(call, News::Refer);
                }
            }
            Event::Answered { dialog } => match self.party_of(dialog) {
                Some(call) => self.party_answered(now, call, dialog, out),
                None => self.callee_answered(now, dialog, out),
            },
            Event::Registered { peer, contacts } => self.phone_news(now, peer, contacts),
            Event::Progress { .. } | Event::TrunkRegistration { .. } => {}
        }
    }

    /// The call in which this dialog is not the citizen's.
    fn party_of(&self, dialog: DialogId) -> Option<CallId> {
        let id = self.by_dialog.get(&dialog)?;
        self.calls.get(id).filter(|call| call.dialog != dialog).map(|call| call.id)
    }

    fn call_of(&mut self, dialog: DialogId) -> Option<CallId> {
        let call = self.by_dialog.get(&dialog).copied();
        if call.is_none() {
            self.counters.add(Count::Stale);
        }
        call
    }

    /// Admission: a refusal here makes no call and no draft, only a counter (architecture 6).
    fn invited(&mut self, now: Time, dialog: DialogId, invite: Invite, out: &mut Vec<Effect>) {
        let who = caller::identify(&invite);
        let limits = self.config.limits.clone();
        let undurable = self.next_seq - 1 - self.durable;
        let same_caller = self.per_caller.get(&who.number).copied().unwrap_or(0);
        let refusal = if self.draining {
            Some((Count::RefusedDraining, 503))
        } else if self.calls.len() >= limits.max_calls {
            Some((Count::RefusedFull, 503))
        } else if undurable > limits.max_undurable {
            Some((Count::RefusedJournalBehind, 503))
        } else if !self.rates.second_has_room(now, limits.max_cps) {
            Some((Count::RefusedRate, 503))
        } else if who.number.is_empty() || invite.emergency {
            None
        } else if limits.max_calls_per_caller > 0 && same_caller >= limits.max_calls_per_caller {
            Some((Count::RefusedCallerLimit, 486))
        } else if limits.max_per_minute > 0 && self.rates.of_caller(now, &who.number) >= limits.max_per_minute
        {
            Some((Count::RefusedCallerRate, 486))
        } else {
            None
        };
        let leased = match refusal {
            None => self.ports.lease().ok_or((Count::RefusedNoPort, 503)),
            Some(refusal) => Err(refusal),
        };
        match leased {
            Err((count, status)) => {
                self.counters.add(count);
                let retry = (status == 503).then(|| self.retry_after());
                self.sip(|ua, sip| ua.reject(now, dialog, status, retry, None, sip));
            }
            Ok(port) => {
                let leg = Leg { id: LegId(self.next_leg), port, ssrc: self.rng.next_u32(), open: false };
                self.next_leg += 1;
                self.begin(now, dialog, invite, who, leg, out);
            }
        }
    }

    fn begin(
        &mut self,
        now: Time,
        dialog: DialogId,
        invite: Invite,
        who: caller::Caller,
        leg: Leg,
        out: &mut Vec<Effect>,
    ) {
        let id = CallId { node: self.config.node, boot: self.config.boot, n: self.next_call };
        self.next_call += 1;
        self.counters.add(Count::CallsArrived);
        let counted = self.config.limits.max_per_minute > 0 && !who.number.is_empty();
        self.rates.began(now, counted.then_some(who.number.as_str()));
        let peer = self.config.ua.peers.get(usize::from(invite.peer.0));
        let trunk: Arc<str> = peer.map_or_else(|| Arc::from("unknown"), |peer| Arc::clone(&peer.name));
        let flow = Arc::clone(&self.config.flow);
        let arrived = CallArrived {
            call: id,
            sip_call_id: invite.sip_call_id.clone(),
            caller: Personal::new(who.number.clone()),
            caller_source: who.source.to_owned(),
            display: Personal::new(invite.from_display.clone()),
            private: who.private,
            called: invite.called.clone(),
            redirected_from: who.redirected_from.clone(),
            redirect_reason: who.redirect_reason.clone(),
            trunk: trunk.to_string(),
            source: invite.flow.peer().to_string(),
            user_agent: invite.user_agent.clone(),
            emergency: invite.emergency,
            flow_hash: flow.hash(),
            flow_file: flow.file().to_owned(),
            flow_version: flow.version().to_owned(),
            dialled_by: None,
        };
        self.note(now, Fact::CallArrived(Box::new(arrived)), out);
        let facts = CallFacts {
            caller: (!who.number.is_empty()).then(|| Personal::new(who.number.clone())),
            called: invite.called.clone(),
            redirected_from: who.redirected_from.clone(),
            trunk: trunk.to_string(),
            tags: Vec::new(),
            began: now,
        };
        let walk = Walk::new(flow, facts);
        let (called, redirected) = (invite.called.clone(), who.redirected_from.clone());
        let answer_at = now + self.config.limits.answer_after;
        let wall_ms = self.wall.at(now);
        self.by_leg.insert(leg.id, id);
        self.by_dialog.insert(dialog, id);
        self.order.insert(id);
        if !who.number.is_empty() {
            *self.per_caller.entry(who.number.clone()).or_default() += 1;
        }
        let max_call = self.config.limits.max_call;
        self.calls.insert(
            id,
            Call::new(id, dialog, leg, now, wall_ms, &who, &invite, trunk, walk, answer_at, max_call),
        );
        self.legacy_dialled(now, id, &called, redirected.as_deref(), out);
        self.touched.push(id);
        if answer_at == now {
            self.answer(now, id, out);
        } else {
            self.sip(|ua, sip| ua.progress(now, dialog, 180, None, sip));
        }
    }

    /// 200 with our SDP. What offer/answer gives comes back as [`Event::Media`], at once unless the offer is ours.
    pub(super) fn answer(&mut self, now: Time, id: CallId, out: &mut Vec<Effect>) {
        let sdp_session = self.rng.next_u64() >> 2;
        let Some(call) = self.calls.get_mut(&id) else { return };
        self.touched.push(id);
        call.answered = Some(now);
        call.stage = Stage::AwaitingSdp;
        self.counters.add(Count::CallsAnswered);
        let addr = SocketAddr::new(self.config.media_addr, call.leg.port.port);
        let media = LocalMedia { addr, codecs: self.config.ua.codecs.clone(), sdp_session };
        let (dialog, port, ssrc) = (call.dialog, call.leg.port, call.leg.ssrc);
        let before = self.sip_out.len();
        self.sip(|ua, sip| ua.answer(now, dialog, media, sip));
        let agreed = self.sip_out.iter().skip(before).find_map(|output| match output {
            crate::sip::seam::Output::Event(Event::Media { media, .. }) => Some(media),
            _ => None,
        });
        let told = agreed.is_some();
        let (codec, local_sdp, remote_sdp) = match agreed {
            Some(media) => (media.codec.payload_type(), sealed(&media.local_sdp), sealed(&media.remote_sdp)),
            None => {
                (crate::media::seam::Codec::Pcma.payload_type(), Personal::default(), Personal::default())
            }
        };
        let fact = CallAnswered {
            call: id,
            codec,
            port: port.port,
            worker: port.worker,
            ssrc,
            local_sdp,
            remote_sdp,
        };
        self.note(now, Fact::CallAnswered(Box::new(fact)), out);
        if let Some(call) = self.calls.get_mut(&id) {
            call.sdp_told = told;
        }
    }

    fn media_agreed(&mut self, now: Time, dialog: DialogId, media: NegotiatedMedia, out: &mut Vec<Effect>) {
        let Some(id) = self.call_of(dialog) else { return };
        self.took(id, News::MediaAgreed);
        self.touched.push(id);
        let silence_ms = u32::try_from(self.config.limits.media_silence.as_millis()).unwrap_or(u32::MAX);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let peer = self.config.ua.peers.iter().find(|peer| *peer.name == *call.trunk);
        let nets = peer.map_or_else(|| Arc::from([]), |peer| Arc::clone(&peer.media_nets));
        let held = media.held_by_peer || media.direction == Direction::Inactive;
        let session = Box::new(session_of(&media, nets));
        let (leg, worker) = (call.leg.id, call.leg.port.worker);
        let first = !std::mem::replace(&mut call.leg.open, true);
        let was_held = std::mem::replace(&mut call.held, held);
        // While the peer holds us it may send nothing for as long as it likes.
        let watch = Order::WatchSilence { leg, after_ms: if held { 0 } else { silence_ms } };
        if first {
            let (port, ssrc) = (call.leg.port.port, call.leg.ssrc);
            let waited_for_sdp = matches!(call.stage, Stage::AwaitingSdp);
            if !call.outbound {
                call.stage = Stage::Walking;
            }
            out.push(Effect::Media { worker, order: Order::Open { leg, port, ssrc, session } });
            out.push(Effect::Media { worker, order: watch });
            if held || !call.sdp_told {
                self.media_changed(now, id, &media, held, out);
            }
            if waited_for_sdp {
                self.start_recording(now, id, out);
                self.begin_walk(now, id, out);
            }
        } else {
            out.push(Effect::Media { worker, order: Order::Update { leg, session } });
            if was_held != held {
                out.push(Effect::Media { worker, order: watch });
            }
            self.media_changed(now, id, &media, held, out);
        }
        self.record_callee(now, id, out);
        self.callee_waits(now, id, out);
        self.announce_test(id, out);
        self.announce_urge(id, out);
        self.rebridge(id, out);
    }

    /// Whom an agent dialled is recorded from his answer on; his leg may open after it.
    pub(super) fn record_callee(&mut self, now: Time, id: CallId, out: &mut Vec<Effect>) {
        let due = |call: &Call| {
            call.outbound && call.leg.open && call.answered.is_some() && call.recording.is_none()
        };
        if self.calls.get(&id).is_some_and(due) {
            self.start_recording(now, id, out);
        }
    }

    /// An agent's call has been answered; what offer/answer agreed was told when it came.
    pub(super) fn callee_answer_fact(&mut self, now: Time, id: CallId, out: &mut Vec<Effect>) {
        let Some(call) = self.calls.get(&id) else { return };
        let fact = CallAnswered {
            call: id,
            codec: crate::media::seam::Codec::Pcma.payload_type(),
            port: call.leg.port.port,
            worker: call.leg.port.worker,
            ssrc: call.leg.ssrc,
            local_sdp: Personal::default(),
            remote_sdp: Personal::default(),
        };
        self.note(now, Fact::CallAnswered(Box::new(fact)), out);
    }

    fn media_changed(
        &mut self,
        now: Time,
        call: CallId,
        media: &NegotiatedMedia,
        held: bool,
        out: &mut Vec<Effect>,
    ) {
        let (codec, local_sdp, remote_sdp) =
            (media.codec.payload_type(), sealed(&media.local_sdp), sealed(&media.remote_sdp));
        self.note(now, Fact::MediaChanged { call, held, codec, local_sdp, remote_sdp }, out);
    }

    pub(super) fn start_recording(&mut self, now: Time, id: CallId, out: &mut Vec<Effect>) {
        if !self.config.record {
            return;
        }
        let recording = self.random_recording();
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.recording = Some(recording);
        let (leg, worker) = (call.leg.id, call.leg.port.worker);
        out.push(Effect::Media { worker, order: Order::Record { leg, recording } });
        self.note(now, Fact::RecordingStarted { call: id, recording: recording.0 }, out);
    }

    fn dialog_ended(&mut self, now: Time, dialog: DialogId, why: DialogEnd, out: &mut Vec<Effect>) {
        // A call that we ended has left this table already.
        let Some(id) = self.by_dialog.get(&dialog).copied() else { return };
        if self.party_of(dialog).is_some() {
            return self.party_ended(now, id, dialog, why, out);
        }
        let (reason, cause) = match why {
            DialogEnd::Bye { cause } => (EndReason::CallerHungUp, cause),
            DialogEnd::Cancelled => (EndReason::CallerCancelled, None),
            DialogEnd::AckMissing => (EndReason::AckMissing, None),
            DialogEnd::NoAnswerSdp => (EndReason::NoAnswerSdp, None),
            DialogEnd::SessionExpired => (EndReason::SessionExpired, None),
            DialogEnd::TransportLost => (EndReason::TransportLost, None),
            DialogEnd::Replaced => (EndReason::Replaced, None),
            DialogEnd::PeerForgot => (EndReason::PeerForgot, None),
            DialogEnd::Failed { status } if self.calls.get(&id).is_some_and(|call| call.outbound) => {
                (callee_reason(status), None)
            }
            DialogEnd::HungUp | DialogEnd::Rejected { .. } | DialogEnd::Failed { .. } => {
                (EndReason::InternalFault, None)
            }
        };
        if let (DialogEnd::Failed { status }, Some(call)) = (why, self.calls.get_mut(&id)) {
            call.refused_with = status;
        }
        if let Some(news) = news_of(why) {
            self.took(id, news);
        }
        self.end(now, id, reason, EndedBy::Peer { cause }, out);
    }
}

const fn news_of(why: DialogEnd) -> Option<News> {
    match why {
        DialogEnd::Bye { .. } => Some(News::Bye),
        DialogEnd::Cancelled => Some(News::Cancelled),
        DialogEnd::AckMissing => Some(News::AckMissing),
        DialogEnd::NoAnswerSdp => Some(News::NoSdp),
        DialogEnd::SessionExpired => Some(News::TimerRanOut),
        DialogEnd::TransportLost => Some(News::TransportLost),
        DialogEnd::Replaced => Some(News::Replaced),
        DialogEnd::PeerForgot => Some(News::PeerForgot),
        DialogEnd::HungUp | DialogEnd::Rejected { .. } | DialogEnd::Failed { .. } => None,
    }
}

/// Why a number that an agent dialled was not reached.
const fn callee_reason(status: u16) -> EndReason {
    match status {
        486 | 600 => EndReason::CalleeBusy,
        403 | 603 | 607 | 608 => EndReason::CalleeRefused,
        404 | 410 | 484 | 604 => EndReason::CalleeUnknown,
        408 | 480 | 487 => EndReason::CalleeNoAnswer,
        _ => EndReason::DialFailed,
    }
}

fn sealed(sdp: &str) -> Personal {
    Personal::new(sdp)
}

pub(super) fn session_of(media: &NegotiatedMedia, media_nets: Arc<[crate::media::seam::IpNet]>) -> Session {
    Session {
        remote: media.remote,
        remote_rtcp: media.remote_rtcp,
        codec: media.codec,
        send_pt: media.send_pt,
        recv_pt: media.recv_pt,
        event_pt: media.event_pt,
        send_event_pt: media.send_event_pt,
        may_send: matches!(media.direction, Direction::SendRecv | Direction::SendOnly),
        may_receive: matches!(media.direction, Direction::SendRecv | Direction::RecvOnly),
        symmetric: true,
        media_nets,
    }
}

fn dialog_fact(call: CallId, facts: DialogFacts) -> DialogFact {
    DialogFact {
        call,
        local_tag: facts.local_tag,
        remote_tag: facts.remote_tag,
        local_uri: facts.local_uri,
        remote_uri: Personal::new(facts.remote_uri),
        remote_target: Personal::new(facts.remote_target),
        route_set: facts.route_set,
        local_cseq_reserved: facts.local_cseq_reserved,
        remote_cseq: facts.remote_cseq,
        session_expires_s: facts.session_expires_s,
        we_refresh: facts.we_refresh,
    }
}
