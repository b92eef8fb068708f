//! The engine's value, its inputs and effects, and the loop that settles each input.

use super::EndReason;
use super::agents::calling_back::{self, Callback};
use super::agents::desk::Desk;
use super::agents::seam::{FromEngine, ToEngine};
use super::agents::special::{Redial, SilentCalls};
use super::callbacks::RestoredCallback;
use super::config::EngineConfig;
use super::counters::{Count, Counters};
use super::fact::{CallEnded, Fact, QueueOutcome, Stamped};
use super::intents::IntentFold;
use super::legacy::LegacyNumber;
use super::live::{Call, Closing, Stage};
use super::ports::{MediaPort, Ports};
use super::rates::Rates;
use super::reach::{News, Place, Reach, reach};
use super::request::{Reply, Request};
use crate::acd::{self, Acd, AgentId};
use crate::base::{CallId, DayKind, Deadlines, LegId, Personal, Seeded, Time};
use crate::ivr::{self, Flow};
use crate::media::seam as media;
use crate::sip::Ua;
use crate::sip::seam::{self as sip, ConnId, DialogId, Packet, Transmit};
use crate::ticket::number::Blocks;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Media ports asked for at a time.
const BIND_AT_ONCE: usize = 64;

/// Everything that can happen to the engine.
#[derive(Debug)]
pub enum Input<'a> {
    /// A datagram or a message cut out of a stream.
    Packet(Packet<'a>),
    ConnectionLost(ConnId),
    Media(media::Event),
    /// The process has started: the first fact of its boot, and the flow that is in force.
    Boot {
        version: String,
        config_hash: u64,
    },
    /// The driver bound these; empty: there are no more.
    Ports(Vec<MediaPort>),
    /// Every fact up to and with `upto` is on disk.
    Durable {
        upto: u64,
    },
    LookupDone {
        call: CallId,
        id: u32,
        result: ivr::seam::LookupResult,
    },
    Request {
        id: u64,
        request: Request,
    },
    /// A checked flow comes into force for new calls.
    Flow(Arc<Flow>),
    FlowRefused {
        file: String,
        reason: String,
    },
    /// Trunks, numbers, queues, limits changed; live calls go on.
    Reconfigure(Box<EngineConfig>),
    /// Callbacks that the journal still promises; after [`Input::LostByRestart`].
    RestoreCallbacks(Vec<RestoredCallback>),
    /// What agents wanted before the start; before the first of them logs in.
    RestoreIntents(IntentFold),
    /// The table of old numbers, whole.
    LegacyNumbers(Vec<LegacyNumber>),
    /// Calls that were up when the last process went away, and which this one does not take over.
    LostByRestart(Vec<CallId>),
    /// A panel's command, or what is known of an agent's page and sound.
    Agent(ToEngine),
    /// The directory of agents, whole.
    Agents(Vec<acd::AgentSpec>),
    /// The wall clock reads this now.
    Wall {
        ms: i64,
    },
    Drain,
    /// The drain limit has passed, or a second SIGTERM came: end what is left.
    EndAll,
}

/// Everything the engine can want done.
#[derive(Debug, PartialEq)]
pub enum Effect {
    Send(Transmit),
    Close(ConnId),
    Media {
        worker: u8,
        order: media::Order,
    },
    Fact(Box<Stamped>),
    BindPorts {
        count: usize,
    },
    Lookup {
        call: CallId,
        id: u32,
        kind: Arc<str>,
        args: Vec<(Arc<str>, Personal)>,
        timeout: Duration,
    },
    Reply {
        id: u64,
        reply: Reply,
    },
    /// To an agent's pages, or to the relay of his browser.
    Agent(Box<FromEngine>),
}

pub struct Engine {
    pub(super) config: EngineConfig,
    pub(super) ua: Ua,
    pub(super) acd: Acd,
    pub(super) numbers: Blocks,
    /// The fact by which the newest block was noted.
    pub(super) block_seq: u64,
    /// The desk's numbers that wait for it, by its fact and the request.
    pub(super) desk_numbers: BTreeMap<(u64, u64), (Arc<str>, Arc<str>)>,
    pub(super) calls: HashMap<CallId, Call, Seeded>,
    pub(super) order: std::collections::BTreeSet<CallId>,
    pub(super) by_dialog: HashMap<DialogId, CallId, Seeded>,
    pub(super) by_leg: HashMap<LegId, CallId, Seeded>,
    pub(super) per_caller: HashMap<String, usize, Seeded>,
    pub(super) closing: BTreeMap<LegId, Closing>,
    pub(super) deadlines: Deadlines<CallId>,
    pub(super) closing_deadlines: Deadlines<LegId>,
    pub(super) ports: Ports,
    /// Calls whose number waits for the disk, by the fact that must be there.
    pub(super) saving: BTreeMap<(u64, CallId), ()>,
    pub(super) next_seq: u64,
    pub(super) durable: u64,
    pub(super) next_call: u64,
    pub(super) next_leg: u64,
    pub(super) next_lookup: u32,
    pub(super) wall: WallClock,
    pub(super) today: Today,
    pub(super) rates: Rates,
    pub(super) reach: Reach,
    pub(super) draining: bool,
    pub(super) counters: Counters,
    pub(super) rng: ChaCha8Rng,
    /// What the user agent wants; drained within every input.
    pub(super) sip_out: VecDeque<sip::Output>,
    sip_scratch: Vec<sip::Output>,
    /// Walk inputs that follow from this input.
    pub(super) todo: VecDeque<(CallId, ivr::seam::Input)>,
    /// Calls this input touched; their deadlines are mirrored at its end.
    pub(super) touched: Vec<CallId>,
    pub(super) acd_scratch: Vec<acd::Action>,
    /// What the ACD wants; drained within every input.
    pub(super) acd_out: VecDeque<acd::Action>,
    /// Crisis calls that broke and are dialled again before this input is over.
    pub(super) redials: VecDeque<Redial>,
    pub(super) silent: SilentCalls,
    pub(super) desk: Desk,
    /// Citizens who are called back, by the call in which they asked for it.
    pub(super) callbacks: BTreeMap<CallId, Callback>,
    pub(super) legacy: BTreeMap<Arc<str>, LegacyNumber>,
}

/// Wall time as data: what it read, and when.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct WallClock {
    ms: i64,
    at: Time,
}

impl WallClock {
    pub fn at(self, now: Time) -> i64 {
        self.ms + i64::try_from(now.since(self.at).as_millis()).unwrap_or(0)
    }

    /// Wall time as a moment of this boot's clock, whenever it is asked; what was before the clock began is its beginning.
    pub fn moment(self, wall_ms: i64) -> Time {
        let nanos = (wall_ms.saturating_sub(self.ms)).saturating_mul(1_000_000);
        Time::from_nanos(self.at.as_nanos().saturating_add_signed(nanos))
    }
}

/// What the calendar says of now. Read again whenever the wall clock is told, which is about once a second.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Today {
    pub utc_offset_s: i32,
    pub day: DayKind,
}

impl Today {
    fn of(wall_ms: i64, config: &EngineConfig) -> Self {
        let Ok(at) = jiff::Timestamp::from_millisecond(wall_ms) else { return Self::default() };
        let local = at.to_zoned_datetime(config.timezone.clone());
        Self { utc_offset_s: local.offset().seconds(), day: config.calendar.day_kind(local.date()) }
    }
}

impl Engine {
    /// `numbers` comes from the journal's fold, so that a restart never reuses one.
    pub fn new(config: EngineConfig, numbers: Blocks) -> Self {
        let mut rng = ChaCha8Rng::from_seed(config.seed);
        let mut ua_seed = [0; 32];
        rng.fill_bytes(&mut ua_seed);
        let ua = Ua::new(config.ua.clone(), ua_seed);
        let acd = Acd::with_config(config.acd.clone(), config.queues.iter().cloned());
        Self {
            ua,
            acd,
            numbers,
            block_seq: 0,
            desk_numbers: BTreeMap::new(),
            calls: HashMap::default(),
            order: std::collections::BTreeSet::new(),
            by_dialog: HashMap::default(),
            by_leg: HashMap::default(),
            per_caller: HashMap::default(),
            closing: BTreeMap::new(),
            deadlines: Deadlines::default(),
            closing_deadlines: Deadlines::default(),
            ports: Ports::default(),
            saving: BTreeMap::new(),
            next_seq: config.next_seq,
            durable: config.next_seq.saturating_sub(1),
            next_call: 1,
            next_leg: 1,
            next_lookup: 1,
            wall: WallClock::default(),
            today: Today::default(),
            rates: Rates::default(),
            reach: reach(),
            draining: false,
            counters: Counters::default(),
            rng,
            sip_out: VecDeque::new(),
            sip_scratch: Vec::new(),
            todo: VecDeque::new(),
            touched: Vec::new(),
            acd_scratch: Vec::new(),
            acd_out: VecDeque::new(),
            redials: VecDeque::new(),
            silent: SilentCalls::default(),
            desk: Desk::default(),
            callbacks: BTreeMap::new(),
            legacy: BTreeMap::new(),
            config,
        }
    }

    pub fn handle(&mut self, now: Time, input: Input<'_>, out: &mut Vec<Effect>) {
        match input {
            Input::Packet(packet) => self.sip(|ua, sip| ua.receive(now, packet, sip)),
            Input::ConnectionLost(conn) => self.sip(|ua, sip| ua.connection_lost(now, conn, sip)),
            Input::Media(event) => self.media_news(now, event, out),
            Input::Boot { version, config_hash } => {
                let (node, boot) = (self.config.node, self.config.boot);
                self.note(now, Fact::Booted { node, boot, version, config_hash }, out);
                self.flow_loaded(now, Arc::clone(&self.config.flow), out);
            }
            Input::Ports(ports) => self.ports.bound(ports),
            Input::Durable { upto } => self.now_durable(now, upto, out),
            Input::LookupDone { call, id, result } => self.lookup_done(call, id, result),
            Input::Request { id, request } => self.request(now, id, request, out),
            Input::Flow(flow) => self.flow_loaded(now, flow, out),
            Input::FlowRefused { file, reason } => {
                self.counters.add(Count::FlowRefused);
                self.note(now, Fact::FlowRefused { file, reason }, out);
            }
            Input::Reconfigure(config) => self.reconfigure(now, *config),
            Input::LostByRestart(calls) => self.lost_by_restart(now, calls, out),
            Input::RestoreCallbacks(open) => self.restore_callbacks(now, open, out),
            Input::RestoreIntents(intents) => self.restore_intents(now, intents),
            Input::LegacyNumbers(table) => self.set_legacy(table),
            Input::Agent(input) => self.agent_input(now, input, out),
            Input::Agents(agents) => {
                self.config.agents = agents;
                self.set_agents(now);
            }
            Input::Wall { ms } => {
                self.wall = WallClock { ms, at: now };
                self.today = Today::of(ms, &self.config);
                self.turn_sessions(now, out);
            }
            Input::Drain => self.drain(now, out),
            Input::EndAll => self.end_all(now, out),
        }
        self.settle(now, out);
    }

    /// The next moment at which [`Engine::handle_timeout`] has something to do, and why.
    pub fn poll_timeout(&self) -> Option<(Time, &'static str)> {
        let calls = self.deadlines.soonest().map(|at| (at, "call"));
        let ua = self.ua.poll_timeout();
        let acd = self.acd.poll_timeout().map(|at| (at, "longest wait"));
        let closing = self.closing_deadlines.soonest().map(|at| (at, "leg close"));
        let desk = self.desk.poll_timeout().map(|at| (at, "agents"));
        [calls, ua, acd, closing, desk].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    pub fn handle_timeout(&mut self, now: Time, out: &mut Vec<Effect>) {
        self.sip(|ua, sip| ua.handle_timeout(now, sip));
        self.acd_fact(|acd, said| acd.handle_timeout(now, said));
        self.desk_due(now, out);
        self.settle(now, out);
        while let Some(call) = self.deadlines.due(now) {
            self.call_due(now, call, out);
            self.settle(now, out);
        }
        while let Some(leg) = self.closing_deadlines.due(now) {
            // The port stays leased: a worker that lost the leg may still hold its socket.
            self.counters.add(Count::LegCloseLost);
            self.leg_closed(leg);
        }
    }

    /// Runs a command of the user agent; what it wants is carried out by `settle`.
    pub(super) fn sip<R>(&mut self, command: impl FnOnce(&mut Ua, &mut Vec<sip::Output>) -> R) -> R {
        let mut scratch = std::mem::take(&mut self.sip_scratch);
        let result = command(&mut self.ua, &mut scratch);
        self.sip_out.extend(scratch.drain(..));
        self.sip_scratch = scratch;
        result
    }

    /// Ends every input: nothing that follows from it is left undone, and every touched call's deadline is mirrored.
    fn settle(&mut self, now: Time, out: &mut Vec<Effect>) {
        loop {
            if let Some(output) = self.sip_out.pop_front() {
                match output {
                    sip::Output::Send(transmit) => out.push(Effect::Send(transmit)),
                    sip::Output::Close(conn) => out.push(Effect::Close(conn)),
                    sip::Output::Event(event) => self.sip_news(now, event, out),
                }
            } else if let Some(action) = self.acd_out.pop_front() {
                self.acd_news(now, action, out);
            } else if let Some((call, input)) = self.todo.pop_front() {
                self.step(now, call, input, out);
            } else if let Some(lost) = self.redials.pop_front() {
                self.redial(now, lost, out);
            } else {
                break;
            }
        }
        while let Some(id) = self.touched.pop() {
            if self.calls.get(&id).is_some_and(|call| self.is_broken(call)) {
                self.counters.add(Count::InvariantBroken);
                self.end(now, id, EndReason::InternalFault, EndedBy::Us, out);
                self.settle_rest(now, out);
            }
            self.mirror(id);
        }
        self.flush_words(out);
        if self.ports.should_ask(self.config.limits.ports_low) {
            out.push(Effect::BindPorts { count: self.config.limits.ports_low.clamp(16, BIND_AT_ONCE) });
        }
    }

    /// What an ended call still had to send, and who is free by its end.
    fn settle_rest(&mut self, now: Time, out: &mut Vec<Effect>) {
        loop {
            if let Some(output) = self.sip_out.pop_front() {
                match output {
                    sip::Output::Send(transmit) => out.push(Effect::Send(transmit)),
                    sip::Output::Close(conn) => out.push(Effect::Close(conn)),
                    sip::Output::Event(event) => self.sip_news(now, event, out),
                }
            } else if let Some(action) = self.acd_out.pop_front() {
                self.acd_news(now, action, out);
            } else {
                return;
            }
        }
    }

    /// The cheap half of [`Engine::assert_invariants`], looked at for each call an input touched: one that is broken ends, the
    /// others do not notice.
    fn is_broken(&self, call: &Call) -> bool {
        let queued = matches!(call.stage, Stage::Queued { .. });
        let saved = match call.stage {
            Stage::Saving { seq, .. } => self.saving.contains_key(&(seq, call.id)),
            _ => true,
        };
        queued != self.acd.queue_of(call.id).is_some() || !saved || call.mirrored_deadline().is_none()
    }

    /// Counts the row of the state table that this event takes.
    pub(super) fn took(&mut self, id: CallId, news: News) {
        if let Some(call) = self.calls.get(&id) {
            self.reach.took(call.stage.place(), news);
        }
    }

    /// The same by leg, which outlives its call while the worker closes it.
    pub(super) fn took_leg(&mut self, leg: LegId, news: News) {
        match self.by_leg.get(&leg).copied() {
            Some(id) => self.took(id, news),
            None if self.closing.contains_key(&leg) => self.reach.took(Place::Closing, news),
            None => {}
        }
    }

    fn mirror(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let after = call.mirrored_deadline();
        let before = std::mem::replace(&mut call.mirrored, after);
        self.deadlines.moved(id, before, after);
    }

    fn call_due(&mut self, now: Time, id: CallId, out: &mut Vec<Effect>) {
        self.touched.push(id);
        let Some(call) = self.calls.get(&id) else { return };
        let place = call.stage.place();
        if call.max_call_at <= now {
            self.reach.took(place, News::TooLong);
            return self.end(now, id, EndReason::TooLong, EndedBy::Us, out);
        }
        if call.legacy.as_ref().and_then(|way| way.greeted_by).is_some_and(|until| until <= now) {
            self.reach.took(place, News::WalkDue);
            self.greeting_over(id);
            return;
        }
        if call.parties.iter().any(|party| party.away_until.is_some_and(|at| at <= now)) {
            self.reach.took(place, News::AgentStayedAway);
            return self.agents_stayed_away(now, id, out);
        }
        if call.unmet.is_some_and(|until| until <= now) {
            self.reach.took(place, News::AgentStayedAway);
            return self.end(now, id, EndReason::DialFailed, EndedBy::Us, out);
        }
        match &call.stage {
            Stage::Arriving { answer_at } if *answer_at <= now => {
                self.reach.took(place, News::AnswerDue);
                self.answer(now, id, out);
            }
            Stage::Saving { until, .. } if *until <= now => {
                self.reach.took(place, News::NotOnDisk);
                self.not_saved(id);
            }
            Stage::Dialing { until } if *until <= now => {
                self.reach.took(place, News::Unanswered);
                if !call.outbound {
                    return self.rang_out(now, id, out);
                }
                self.end(now, id, EndReason::CalleeNoAnswer, EndedBy::Us, out);
            }
            Stage::Looking { until, .. } if *until <= now => {
                self.reach.took(place, News::LookupLate);
                self.counters.add(Count::LookupTimeout);
                self.looked_up(id, ivr::seam::LookupResult::Failed);
            }
            _ => {
                self.reach.took(place, News::WalkDue);
                self.todo.push_back((id, ivr::seam::Input::Timeout));
            }
        }
    }

    /// Writes a fact down. Its number is its place in the journal.
    pub(super) fn note(&mut self, now: Time, fact: Fact, out: &mut Vec<Effect>) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        out.push(Effect::Fact(Box::new(Stamped {
            seq,
            mono_ns: now.as_nanos(),
            wall_ms: self.wall.at(now),
            fact,
        })));
        seq
    }

    /// A crisis or an emergency whose citizen is gone is not over for us.
    fn keep_for_redial(&mut self, id: CallId, reason: EndReason, by: &EndedBy) {
        let Some(call) = self.calls.get(&id) else { return };
        let gone = matches!(by, EndedBy::Peer { .. })
            || matches!(reason, EndReason::MediaLost | EndReason::TransportLost | EndReason::PeerForgot);
        // Once: whom we called back and who hangs up again is for the lead.
        if !gone || !call.redial || call.outbound {
            return;
        }
        let has_it = |agent: &AgentId| call.party_of(*agent).is_some_and(|party| party.up);
        self.redials.push_back(Redial {
            agent: call.agent.filter(has_it).or_else(|| call.next_agent(None)),
            call: id,
            number: call.number.clone(),
            queue: call.queue.clone(),
            crisis: call.crisis,
        });
    }

    /// The one place where a call ends, whatever ended it.
    pub(super) fn end(
        &mut self,
        now: Time,
        id: CallId,
        reason: EndReason,
        by: EndedBy,
        out: &mut Vec<Effect>,
    ) {
        self.keep_for_redial(id, reason, &by);
        self.parties_go(now, id, reason.label(), out);
        let Some(mut call) = self.calls.remove(&id) else { return };
        let callback = call.callback.take();
        self.desk.tests.remove(&id);
        self.desk.urges.remove(&id);
        // A try until somebody has spoken with him: the citizen may be quicker than the agent's own phone.
        let tried = call.calls_back.filter(|of| self.is_tried_by(*of, id));
        self.order.remove(&id);
        self.deadlines.moved(id, call.mirrored, None);
        self.by_dialog.remove(&call.dialog);
        self.forget_caller(&call.number);
        if let Stage::Saving { seq, .. } = call.stage {
            self.saving.remove(&(seq, id));
        }
        if let Some((queue, since)) = self.acd_fact(|acd, said| acd.leave(now, id, said)) {
            let outcome =
                if matches!(by, EndedBy::Peer { .. }) { QueueOutcome::Abandoned } else { QueueOutcome::Cut };
            let waited_ms = millis(now.since(since));
            self.note(now, Fact::QueueLeft { call: id, queue: queue.to_string(), outcome, waited_ms }, out);
        }
        let peer_cause = match by {
            EndedBy::Peer { cause } => cause,
            EndedBy::Us => {
                let why = sip_reason(reason);
                // What we dialled ourselves is cancelled; a caller is refused.
                let (hang_up, status) = (call.answered.is_some() || call.outbound, reason.sip_status());
                let retry = (status == 503).then(|| self.retry_after());
                self.sip(|ua, sip| match hang_up {
                    true => drop(ua.hang_up(now, call.dialog, why, sip)),
                    false => drop(ua.reject(
                        now,
                        call.dialog,
                        if status == 0 { 480 } else { status },
                        retry,
                        None,
                        sip,
                    )),
                });
                None
            }
        };
        let talk = call.answered.map_or(Duration::ZERO, |at| now.since(at));
        let ended = CallEnded {
            call: id,
            reason,
            sip_status: match call.answered {
                Some(_) => 0,
                None if call.outbound => call.refused_with,
                None => reason.sip_status(),
            },
            peer_cause,
            duration_ms: millis(now.since(call.arrived)),
            talk_ms: millis(talk),
        };
        self.counters.ended(reason);
        self.note(now, Fact::CallEnded(Box::new(ended)), out);
        let (ticket, reachable) = (call.ticket.clone(), call.reachable);
        self.close_leg(now, call, out);
        if let Some(of) = tried {
            self.callback_try_over(now, of, calling_back::outcome(reason), out);
        }
        if let Some(callback) = callback {
            self.callback_waits(now, id, Callback { ticket, reachable, ..callback }, None, false, out);
            self.callback_is_late(now, id, now, out);
        }
    }

    fn close_leg(&mut self, now: Time, call: Call, out: &mut Vec<Effect>) {
        self.by_leg.remove(&call.leg.id);
        if !call.leg.open {
            self.ports.give_back(call.leg.port.port);
            return;
        }
        let worker = call.leg.port.worker;
        out.push(Effect::Media { worker, order: media::Order::Close { leg: call.leg.id } });
        let until = now + LEG_CLOSE_LIMIT;
        self.closing_deadlines.moved(call.leg.id, None, Some(until));
        let (ticket, arrived_ms) = (call.ticket, call.arrived_ms);
        let closing = Closing { call: call.id, until, ticket, arrived_ms, party: false };
        self.closing.insert(call.leg.id, closing);
    }

    /// Forgets a closing leg; its port is still the worker's until [`media::Event::PortFree`].
    pub(super) fn leg_closed(&mut self, leg: LegId) -> Option<Closing> {
        let closing = self.closing.remove(&leg)?;
        self.closing_deadlines.moved(leg, Some(closing.until), None);
        Some(closing)
    }

    fn forget_caller(&mut self, number: &str) {
        if let Some(count) = self.per_caller.get_mut(number) {
            *count -= 1;
            if *count == 0 {
                self.per_caller.remove(number);
            }
        }
    }

    fn flow_loaded(&mut self, now: Time, flow: Arc<Flow>, out: &mut Vec<Effect>) {
        self.counters.add(Count::FlowLoaded);
        let (hash, file, version) = (flow.hash(), flow.file().to_owned(), flow.version().to_owned());
        self.note(now, Fact::FlowLoaded { hash, file, version }, out);
        self.config.flow = flow;
    }

    fn reconfigure(&mut self, now: Time, config: EngineConfig) {
        self.ua.reconfigure(config.ua.clone());
        self.acd_fact(|acd, said| {
            acd.configure(now, config.acd.clone(), said);
            acd.reconfigure(now, config.queues.iter().cloned(), said);
        });
        self.desk.renumber_phones(&self.config.ua.peers, &config.ua.peers);
        let agents = std::mem::take(&mut self.config.agents);
        self.config = EngineConfig { flow: Arc::clone(&self.config.flow), agents, ..config };
        self.today = Today::of(self.wall.ms, &self.config);
    }

    /// Every call ends exactly once, also those whose engine died: their record says that it was us.
    fn lost_by_restart(&mut self, now: Time, calls: Vec<CallId>, out: &mut Vec<Effect>) {
        for call in calls {
            let reason = EndReason::Restarted;
            self.counters.ended(reason);
            let ended =
                CallEnded { call, reason, sip_status: 0, peer_cause: None, duration_ms: 0, talk_ms: 0 };
            self.note(now, Fact::CallEnded(Box::new(ended)), out);
        }
    }

    /// SIGTERM: no new calls; who waits is offered a callback; the rest goes on.
    fn drain(&mut self, now: Time, out: &mut Vec<Effect>) {
        if std::mem::replace(&mut self.draining, true) {
            return;
        }
        self.note(now, Fact::Draining, out);
        self.callbacks_rest(now);
        let waiting: Vec<CallId> = self.acd.calls_waiting().collect();
        for call in waiting {
            self.acd_fact(|acd, said| acd.leave(now, call, said));
            self.left_queue(now, call, QueueOutcome::TimedOut, ivr::seam::QueueNews::TimedOut, out);
        }
    }

    fn end_all(&mut self, now: Time, out: &mut Vec<Effect>) {
        self.draining = true;
        let all: Vec<CallId> = self.order.iter().copied().collect();
        for call in all {
            self.took(call, News::EndAll);
            self.end(now, call, EndReason::Drained, EndedBy::Us, out);
        }
        self.note(now, Fact::Stopped, out);
    }

    /// Seconds; spread, so that what was refused together does not come back together (`attacks.md` L2).
    pub(super) fn retry_after(&mut self) -> u32 {
        1 + self.rng.next_u32() % self.config.limits.retry_after_s.max(1)
    }

    pub(super) fn random_recording(&mut self) -> media::RecordingId {
        media::RecordingId((u128::from(self.rng.next_u64()) << 64) | u128::from(self.rng.next_u64()))
    }

    pub fn counters(&self) -> &Counters {
        &self.counters
    }
    /// Rows of the call's state table: where it was, what happened, how often, and why it cannot be where it cannot.
    pub fn reach(&self) -> impl Iterator<Item = (Place, News, u32, Option<&'static str>)> + '_ {
        self.reach.rows()
    }
    pub fn ua(&self) -> &Ua {
        &self.ua
    }
    pub fn acd(&self) -> &Acd {
        &self.acd
    }
    pub fn live_calls(&self) -> usize {
        self.calls.len()
    }
    pub fn closing_legs(&self) -> usize {
        self.closing.len()
    }
    pub fn ports_leased(&self) -> usize {
        self.ports.leased()
    }
    pub fn ports_free(&self) -> usize {
        self.ports.free()
    }
    pub fn is_draining(&self) -> bool {
        self.draining
    }
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// What must hold after every input. A test stops here; see the front page.
    pub fn assert_invariants(&self) {
        assert_eq!(self.calls.len(), self.order.len());
        let parties = || self.calls.values().flat_map(|call| &call.parties);
        let dialogs = parties().filter(|party| party.dialog.is_some()).count();
        assert_eq!(self.calls.len() + dialogs, self.by_dialog.len(), "each side has its dialog");
        assert_eq!(self.calls.len() + parties().count(), self.by_leg.len(), "each side has its leg");
        assert!(self.ports.leased() >= self.calls.len(), "a call without a port");
        assert!(self.sip_out.is_empty() && self.todo.is_empty() && self.touched.is_empty(), "unsettled");
        assert!(
            self.acd_out.is_empty() && self.redials.is_empty() && self.desk.words.is_empty(),
            "unsettled"
        );
        self.assert_desk();
        self.assert_callbacks();
        for (id, call) in &self.calls {
            assert_eq!(call.mirrored, call.mirrored_deadline(), "{id} deadline not mirrored");
            assert!(call.mirrored.is_some(), "{id} has no next deadline");
            assert_eq!(self.by_dialog.get(&call.dialog), Some(id));
            assert_eq!(self.by_leg.get(&call.leg.id), Some(id));
            let queued = matches!(call.stage, Stage::Queued { .. });
            assert_eq!(queued, self.acd.queue_of(*id).is_some(), "{id} queued in one place only");
            if let Stage::Saving { seq, .. } = call.stage {
                assert!(self.saving.contains_key(&(seq, *id)), "{id} waits for nothing");
            }
        }
        self.acd.assert_invariants();
    }
}

/// Who ended a call: the peer has told us, or we tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndedBy {
    Peer { cause: Option<u16> },
    Us,
}

/// After this a worker that never answered a close is given up on.
pub(super) const LEG_CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// Reason header of our BYE (RFC 3326).
fn sip_reason(reason: EndReason) -> Option<(&'static str, u16, &'static str)> {
    match reason {
        EndReason::MediaLost => Some(("Q.850", 38, "no media")),
        EndReason::InternalFault => Some(("SIP", 500, "internal fault")),
        EndReason::Drained => Some(("SIP", 503, "going down")),
        EndReason::TooLong => Some(("Q.850", 102, "longest call reached")),
        _ => Some(("Q.850", 16, "normal clearing")),
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
