//! Whole days from a seed: callers who lose patience, agents who ignore, refuse, vanish, come back, click and log in twice, and a
//! directory that is reloaded meanwhile. A model beside the room, which knows only what went in and came out, judges each offer.
//!
//! Each offer, each ending and the watchdog are judged at every step; the whole room is counted over at every 64th (256th) step.
//! `HOTLINE_PROVE=1` plays 500 full days, otherwise 50 of an hour each.

use super::dice::Dice;
use super::*;
use std::collections::BTreeMap;

const QUEUES: [&str; 5] = ["main", "business", "english", "elder", "street"];
const SKILLS: u64 = 20;
const AGENTS: u64 = 200;

#[derive(Clone, Debug)]
enum Event {
    Arrive,
    Bind(OfferId),
    Act(OfferId),
    HangUp(AgentId, CallId),
    DialFails(CallId),
    TicketDone(AgentId),
    WrapDone(AgentId),
    Patience(CallId),
    Returns(AgentId),
    Mood,
    Reload,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Waits,
    /// In this many open offers.
    Offered(u8),
    Talks,
    /// Between two tries, or on the way in or out.
    Rests,
}

#[derive(Debug)]
struct Caller {
    queue: Arc<str>,
    needs: Needs,
    priority: u8,
    entered: Time,
    doing: Doing,
    kind: Kind,
}

#[derive(Debug, Default)]
struct Tally {
    came: u64,
    answered: u64,
    abandoned: u64,
    timed_out: u64,
    given_up: u64,
    offers: u64,
    missed: u64,
    refused: u64,
    facts: u64,
}

struct Day {
    seed: u64,
    dice: Dice,
    acd: Acd,
    now: Time,
    agenda: BTreeMap<(Time, u64), Event>,
    noted: u64,
    callers: BTreeMap<CallId, Caller>,
    specs: BTreeMap<AgentId, AgentSpec>,
    offers: BTreeMap<OfferId, (AgentId, CallId)>,
    busy: BTreeMap<AgentId, OfferId>,
    epochs: u64,
    next_call: u64,
    /// The first so many agents work today.
    duty: u64,
    load_s: f64,
    check_every: u64,
    tally: Tally,
}

fn skill(n: u64) -> Arc<str> {
    Arc::from(format!("skill-{n}"))
}

impl Day {
    fn new(seed: u64, duty: u64, load_s: f64, check_every: u64) -> Self {
        let mut dice = Dice::new(seed);
        let strategies = [
            Strategy::LongestIdle,
            Strategy::FewestCalls,
            Strategy::SkillFirst,
            Strategy::RingAll { at_most: 3 },
            Strategy::LongestIdle,
        ];
        let queues = QUEUES.iter().zip(strategies).map(|(name, strategy)| {
            let overflow = (*name == "street").then(|| Overflow {
                to: Arc::from("main"),
                after: Some(Duration::from_secs(60)),
                longer_than: Some(20),
                no_staff: true,
            });
            let config = QueueConfig {
                strategy,
                overflow,
                answer: Answer::Ring,
                sticky: *name == "elder",
                max_waiting: 60,
                max_wait: Duration::from_secs(400),
                ..QueueConfig::default()
            };
            (Arc::from(*name), config)
        });
        let config = AcdConfig {
            max_on_break: 8,
            reasons_kept: 64,
            max_lines: 96,
            max_sticky: 50,
            ..AcdConfig::default()
        };
        let mut day = Self {
            seed,
            acd: Acd::with_config(config, queues),
            now: Time::ZERO,
            agenda: BTreeMap::new(),
            noted: 0,
            callers: BTreeMap::new(),
            specs: BTreeMap::new(),
            offers: BTreeMap::new(),
            busy: BTreeMap::new(),
            epochs: 0,
            next_call: 0,
            duty,
            load_s,
            check_every,
            tally: Tally::default(),
            dice: Dice::new(0),
        };
        for n in 0..AGENTS {
            let spec = Self::someone(&mut dice, n);
            day.specs.insert(spec.id, spec);
        }
        day.dice = dice;
        let specs: Vec<AgentSpec> = day.specs.values().cloned().collect();
        day.tell(|acd, now, out| acd.set_agents(now, specs, out));
        for n in 0..duty {
            let id = name(&format!("{}", 8000 + n));
            let at = day.dice.between(1_000, 600_000);
            day.note(at, Event::Returns(id));
        }
        day.note(Duration::from_secs(1), Event::Arrive);
        day.note(Duration::from_secs(30), Event::Mood);
        day.note(Duration::from_secs(900), Event::Reload);
        day
    }

    fn someone(dice: &mut Dice, n: u64) -> AgentSpec {
        let queues: Vec<&str> = QUEUES.iter().copied().filter(|_| dice.chance(50)).collect();
        let mut spec = person(&format!("{}", 8000 + n), &queues, &[]);
        for s in 0..SKILLS {
            if dice.chance(40) {
                spec.skills.insert(skill(s), 1 + dice.below(3) as u8);
            }
        }
        spec.lead = dice.chance(4);
        spec
    }

    fn note(&mut self, after: Duration, event: Event) {
        self.noted += 1;
        self.agenda.insert((self.now + after, self.noted), event);
    }

    fn tell<R>(&mut self, fact: impl FnOnce(&mut Acd, Time, &mut Vec<Action>) -> R) -> R {
        let mut said = Vec::new();
        let result = fact(&mut self.acd, self.now, &mut said);
        self.tally.facts += 1;
        said.into_iter().for_each(|action| self.heard(action));
        assert_eq!(self.acd.watchdog(self.now), Duration::ZERO, "seed {}", self.seed);
        if self.tally.facts.is_multiple_of(self.check_every) {
            self.acd.assert_invariants();
            self.nobody_waits_beside_a_free_agent();
        }
        result
    }

    fn try_to<R>(
        &mut self,
        fact: impl FnOnce(&mut Acd, Time, &mut Vec<Action>) -> Result<R, Refused>,
    ) -> bool {
        let done = self.tell(fact).is_ok();
        self.tally.refused += u64::from(!done);
        done
    }

    fn heard(&mut self, action: Action) {
        let seed = self.seed;
        match action {
            Action::Offer { offer, agent, call, dial, .. } => {
                self.judge(offer, agent, call);
                let caller =
                    self.callers.get_mut(&call).unwrap_or_else(|| panic!("seed {seed}: {call} is gone"));
                assert_eq!(dial, caller.kind == Kind::Callback, "seed {seed}");
                caller.doing = match caller.doing {
                    Doing::Offered(n) => Doing::Offered(n + 1),
                    _ => Doing::Offered(1),
                };
                assert!(self.busy.insert(agent, offer).is_none(), "seed {seed}: {agent} has two offers");
                self.offers.insert(offer, (agent, call));
                self.tally.offers += 1;
                let after = self.dice.between(5, 60);
                self.note(after, Event::Bind(offer));
            }
            Action::Rescind { offer, why, call, .. } => {
                self.tally.missed += u64::from(why == Ending::NoAnswer);
                self.over(offer);
                if why == Ending::CallerLeft
                    && let Some(caller) = self.callers.get_mut(&call)
                {
                    caller.doing = Doing::Rests;
                }
            }
            Action::Connect { offer, agent, call, dial, .. } => {
                self.over(offer);
                self.tally.answered += u64::from(!dial);
                let caller = self.callers.get_mut(&call).expect("connected callers exist");
                caller.doing = Doing::Talks;
                let after = self.dice.after(150.0) + Duration::from_secs(3);
                let fails = dial && self.dice.chance(50);
                self.note(after, if fails { Event::DialFails(call) } else { Event::HangUp(agent, call) });
            }
            Action::TimedOut { call } => self.ends(call, |tally| &mut tally.timed_out),
            Action::CallbackGivenUp { call } => self.ends(call, |tally| &mut tally.given_up),
            Action::Overflow { call, to, .. } => {
                // On entering, the caller is written down only afterwards.
                if let Some(caller) = self.callers.get_mut(&call) {
                    caller.queue = to;
                }
            }
            Action::AgentState { agent, state: AgentState::NotResponding, .. } => {
                let after = self.dice.between(20_000, 120_000);
                self.note(after, Event::Returns(agent));
            }
            Action::AgentState { .. }
            | Action::Break { .. }
            | Action::WrapOverdue { .. }
            | Action::Unstaffed { .. }
            | Action::Intends { .. }
            | Action::Escalate { .. } => {}
        }
    }

    /// Is it right that this agent gets this caller now?
    fn judge(&self, offer: OfferId, agent: AgentId, call: CallId) {
        let seed = self.seed;
        let by_lead = self.acd.why_chosen(offer).is_some_and(|choice| choice.rule == Rule::Lead);
        let (Some(chosen), Some(spec)) = (self.callers.get(&call), self.specs.get(&agent)) else {
            panic!("seed {seed}: {agent} or {call} is unknown");
        };
        if by_lead {
            return;
        }
        assert!(self.fits(spec, chosen), "seed {seed}: {agent} does not fit {call}");
        for (other_call, other) in self.callers.iter().filter(|(other, _)| **other != call) {
            if other.doing != Doing::Waits || !self.fits(spec, other) {
                continue;
            }
            let in_order = other.priority != chosen.priority || other.entered >= chosen.entered;
            assert!(in_order, "seed {seed}: {call} {chosen:?} overtakes {other_call} {other:?}");
            let bound = self.acd.config().ageing_bound(other.priority);
            assert!(
                other.entered + bound >= chosen.entered,
                "seed {seed}: {call} {chosen:?} passes {other_call} {other:?} {:?} {:?} {:?}",
                self.now,
                self.acd.why_chosen(offer),
                self.acd.agents.get(&agent).map(|a| (&a.lines, &a.activity))
            );
        }
    }

    fn fits(&self, spec: &AgentSpec, caller: &Caller) -> bool {
        spec.queues.contains(&caller.queue)
            && caller.needs.iter().all(|(skill, least)| spec.skills.get(skill).is_some_and(|l| *l >= least))
    }

    fn nobody_waits_beside_a_free_agent(&self) {
        let ready = |id: &AgentId| self.acd.agent_view(*id).is_some_and(|v| v.state == AgentState::Ready);
        let free: Vec<&AgentSpec> = self.specs.iter().filter(|(id, _)| ready(id)).map(|(_, s)| s).collect();
        for (call, caller) in self.callers.iter().filter(|(_, caller)| caller.doing == Doing::Waits) {
            for spec in &free {
                assert!(
                    !self.fits(spec, caller),
                    "seed {}: {call} waits beside {}: {caller:?}, {:?}",
                    self.seed,
                    spec.id,
                    self.acd.places.get(call)
                );
            }
        }
    }

    fn over(&mut self, offer: OfferId) {
        let Some((agent, call)) = self.offers.remove(&offer) else {
            panic!("seed {}: ends twice", self.seed)
        };
        self.busy.remove(&agent);
        if let Some(caller) = self.callers.get_mut(&call) {
            caller.doing = match caller.doing {
                Doing::Offered(n) if n > 1 => Doing::Offered(n - 1),
                _ => Doing::Waits,
            };
        }
    }

    fn ends(&mut self, call: CallId, how: impl FnOnce(&mut Tally) -> &mut u64) {
        assert!(self.callers.remove(&call).is_some(), "seed {}: {call} ends twice", self.seed);
        *how(&mut self.tally) += 1;
    }

    fn play(mut self, hours: u64) -> Tally {
        let end = at(hours * 3600);
        loop {
            let due = self.acd.poll_timeout();
            let next = self.agenda.first_key_value().map(|(key, _)| key.0);
            let Some(first) = soonest(due, next).filter(|first| *first <= end) else { break };
            self.now = self.now.max(first);
            if due.is_some_and(|due| due <= self.now) {
                self.tell(|acd, now, out| acd.handle_timeout(now, out));
                self.wake_resting();
            } else if let Some((_, event)) = self.agenda.pop_first() {
                self.happens(event);
            }
        }
        let calls: Vec<CallId> = self.callers.keys().copied().collect();
        let mut still = 0;
        for call in calls {
            let talks = self.callers.get(&call).is_some_and(|caller| caller.doing == Doing::Talks);
            if let Some(caller) = self.callers.get_mut(&call).filter(|c| c.doing == Doing::Waits) {
                caller.doing = Doing::Rests;
            }
            let left = self.tell(|acd, now, out| acd.leave(now, call, out)).is_some();
            assert_eq!(left, !talks, "seed {}: {call} is lost", self.seed);
            still += 1;
        }
        self.acd.assert_invariants();
        assert!(self.offers.is_empty(), "seed {}: an offer outlives its caller", self.seed);
        let t = &self.tally;
        assert!(t.came >= t.abandoned + t.timed_out + t.given_up + still, "seed {}: {t:?}", self.seed);
        self.tally
    }

    /// A callback whose rest is over waits again; the room says nothing then, for nobody has to do anything.
    fn wake_resting(&mut self) {
        for (call, caller) in self.callers.iter_mut().filter(|(_, caller)| caller.doing == Doing::Rests) {
            if self.acd.ahead(*call).is_some_and(|_| self.acd.calls_waiting().any(|other| other == *call)) {
                caller.doing = Doing::Waits;
            }
        }
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Arrive => self.arrives(),
            Event::Bind(offer) => self.binds(offer),
            Event::Act(offer) => self.acts(offer),
            Event::HangUp(agent, call) => self.hangs_up(agent, call),
            Event::DialFails(call) => {
                if self.callers.contains_key(&call) {
                    // Unless the agent was lost meanwhile and he is in line again.
                    if let Some(caller) = self.callers.get_mut(&call).filter(|c| c.doing == Doing::Talks) {
                        caller.doing = Doing::Rests;
                    }
                    self.try_to(|acd, now, out| acd.callback_failed(now, call, out));
                }
            }
            Event::TicketDone(agent) => {
                self.try_to(|acd, now, out| acd.ticket_unfinished(now, agent, false, out));
            }
            Event::WrapDone(agent) => {
                self.try_to(|acd, now, out| acd.wrap_finish(now, agent, out));
            }
            Event::Patience(call) => self.loses_patience(call),
            Event::Returns(agent) => self.returns(agent),
            Event::Mood => self.mood(),
            Event::Reload => self.reload(),
        }
    }

    fn arrives(&mut self) {
        // Quiet and busy hours.
        let hour = self.now.as_millis() / 3_600_000;
        let rush = if hour % 3 == 1 { 2.5 } else { 1.0 };
        let gap = self.dice.after(self.load_s / rush);
        self.note(gap, Event::Arrive);
        self.next_call += 1;
        let id = call(self.next_call);
        let queue: Arc<str> = Arc::from(QUEUES[self.dice.below(5) as usize]);
        let first = self.dice.below(SKILLS);
        let kinds = [0, 0, 1, 1, 2][self.dice.below(5) as usize];
        let wanted: Vec<(Arc<str>, u8)> =
            (first..first + kinds).map(|s| (skill(s % SKILLS), 1 + (s % 2) as u8)).collect();
        let priority = if self.dice.chance(15) { self.dice.below(10) as u8 } else { 0 };
        let mut enter = Enter::new(id, Arc::clone(&queue), priority);
        enter.needs = Needs::new(wanted);
        enter.caller = Some(self.dice.below(200));
        let needs = enter.needs.clone();
        let caller =
            Caller { queue, needs, priority, entered: self.now, doing: Doing::Rests, kind: Kind::Live };
        self.callers.insert(id, caller);
        self.tally.came += 1;
        match self.tell(|acd, now, out| acd.enter(now, enter, out)) {
            Entered::Waiting { .. } => {
                if let Some(caller) = self.callers.get_mut(&id).filter(|c| c.doing == Doing::Rests) {
                    caller.doing = Doing::Waits;
                }
                let patience = self.dice.after(240.0);
                self.note(patience, Event::Patience(id));
            }
            Entered::Full => self.ends(id, |tally| &mut tally.abandoned),
            Entered::Unknown => panic!("seed {}: no such queue", self.seed),
        }
    }

    fn binds(&mut self, offer: OfferId) {
        let Some((agent, call)) = self.offers.get(&offer).copied() else {
            assert_eq!(self.acd.bound(offer), Err(Refused::NotOffered), "seed {}", self.seed);
            return;
        };
        match self.dice.below(100) {
            0 => {
                self.over(offer);
                self.tell(|acd, now, out| acd.refused(now, offer, RefusedBy::Agent("gone".into()), out))
                    .expect("open");
                self.comes_back_later(agent);
            }
            1 => {
                self.tell(|acd, now, out| acd.refused(now, offer, RefusedBy::Call, out)).expect("open");
                self.ends(call, |tally| &mut tally.abandoned);
            }
            // Never says anything.
            2 => self.comes_back_later(agent),
            _ => {
                self.acd.bound(offer).expect("open");
                let after = self.dice.between(300, 7_000);
                self.note(after, Event::Act(offer));
            }
        }
    }

    fn comes_back_later(&mut self, agent: AgentId) {
        let after = self.dice.between(20_000, 90_000);
        self.note(after, Event::Returns(agent));
    }

    fn acts(&mut self, offer: OfferId) {
        let Some((agent, call)) = self.offers.get(&offer).copied() else {
            let late = self.tell(|acd, now, out| acd.answered(now, offer, out));
            assert_eq!(late, Err(Refused::NotOffered), "seed {}", self.seed);
            return;
        };
        match self.dice.below(100) {
            // Ignores it.
            0..=4 => {}
            5..=8 => {
                self.over(offer);
                self.tell(|acd, now, out| acd.declined(now, offer, out)).expect("open");
            }
            9..=10 => {
                self.over(offer);
                self.tell(|acd, now, out| acd.device_failed(now, offer, out)).expect("open");
                self.comes_back_later(agent);
            }
            // The page vanishes in mid-offer, and the microphone with it.
            11..=12 => {
                self.try_to(|acd, now, out| acd.path(now, agent, Path::Deaf("ice".into()), out));
                self.comes_back_later(agent);
            }
            // He logs out, or dials somebody, in mid-offer.
            13 => {
                self.try_to(|acd, now, out| acd.logout(now, agent, out));
                self.comes_back_later(agent);
            }
            14 => {
                let other = CallId { node: 2, boot: 1, n: offer.0 };
                self.tell(|acd, now, out| acd.busy(now, agent, other, out)).expect("may dial");
                self.note(Duration::from_secs(20), Event::HangUp(agent, other));
            }
            _ => {
                self.tell(|acd, now, out| acd.answered(now, offer, out)).expect("open");
                // A double click.
                let again = self.tell(|acd, now, out| acd.answered(now, offer, out));
                assert_eq!(again, Err(Refused::NotOffered), "seed {}", self.seed);
                if self.dice.chance(2) {
                    // The line to the agent breaks: the caller is first again.
                    let top = self.acd.config().max_priority;
                    if let Some(caller) = self.callers.get_mut(&call) {
                        caller.doing = Doing::Waits;
                        caller.priority = top;
                    }
                    self.tell(|acd, now, out| acd.front(now, call, out)).expect("was served");
                    self.try_to(|acd, now, out| acd.idle(now, agent, out));
                    self.note(Duration::from_secs(60), Event::Patience(call));
                }
            }
        }
    }

    fn hangs_up(&mut self, agent: AgentId, call: CallId) {
        let open = self.dice.chance(30);
        self.try_to(|acd, now, out| acd.ticket_unfinished(now, agent, open, out));
        if self.try_to(|acd, now, out| acd.hung_up(now, agent, call, out)) && call.node == 1 {
            self.callers.remove(&call);
        }
        let after = self.dice.between(5_000, 120_000);
        self.note(after, Event::TicketDone(agent));
        if self.dice.chance(50) {
            self.note(after + Duration::from_secs(2), Event::WrapDone(agent));
        }
    }

    fn loses_patience(&mut self, call: CallId) {
        let Some(caller) = self.callers.get(&call) else { return };
        if !matches!(caller.doing, Doing::Waits | Doing::Offered(_)) || caller.kind == Kind::Callback {
            return;
        }
        match self.dice.below(10) {
            0 | 1 => {
                // `to_callback` may make an offer of it at once: the model has to know first.
                if let Some(caller) = self.callers.get_mut(&call) {
                    caller.kind = Kind::Callback;
                }
                self.tell(|acd, now, out| acd.to_callback(now, call, out)).expect("waits");
            }
            2 => {
                if let Some(caller) = self.callers.get_mut(&call) {
                    caller.priority = caller.priority.max(9);
                }
                self.tell(|acd, now, out| acd.raise(now, call, 9, out));
                self.note(Duration::from_secs(120), Event::Patience(call));
            }
            _ => {
                self.tell(|acd, now, out| acd.leave(now, call, out)).expect("waits");
                self.ends(call, |tally| &mut tally.abandoned);
            }
        }
    }

    /// Logs in, perhaps twice, and wants calls again.
    fn returns(&mut self, agent: AgentId) {
        if agent.as_str().parse().is_ok_and(|n: u64| n >= 8000 + self.duty) {
            return;
        }
        self.epochs += 1;
        let epoch = self.epochs;
        self.try_to(|acd, now, out| acd.login(now, agent, epoch, out));
        if self.dice.chance(10) {
            self.try_to(|acd, now, out| acd.login(now, agent, epoch, out));
            self.try_to(|acd, now, out| acd.login(now, agent, epoch - 1, out));
        }
        self.try_to(|acd, now, out| acd.path(now, agent, Path::Proven, out));
        self.try_to(|acd, now, out| acd.ready(now, agent, out));
        self.try_to(|acd, now, out| acd.ready(now, agent, out));
    }

    /// Somebody somewhere wants something.
    fn mood(&mut self) {
        self.note(Duration::from_secs(20), Event::Mood);
        let all: Vec<AgentId> = self.specs.keys().copied().collect();
        let agent = all[self.dice.below(all.len() as u64) as usize];
        let what = self.dice.below(12);
        self.try_to(|acd, now, out| match what {
            0 => acd.break_request(now, agent, "tea", out),
            1 => acd.break_withdraw(now, agent, out),
            2 => acd.approve(now, agent, out),
            3 => acd.not_ready(now, agent, "case work", out),
            4 => acd.logout(now, agent, out),
            5 => acd.force_state(now, agent, Forced::Ready, out),
            6 => acd.force_state(now, agent, Forced::NotReady("talk".into()), out),
            7 => acd.force_state(now, agent, Forced::Offline, out),
            8 => acd.roster(now, agent, false, out),
            9 => acd.path(now, agent, Path::Deaf("muted".into()), out),
            10 => acd.wrap_extend(now, agent, Duration::from_secs(60), out),
            _ => acd.roster(now, agent, true, out),
        });
        self.comes_back_later(agent);
    }

    fn reload(&mut self) {
        self.note(Duration::from_secs(900), Event::Reload);
        let ids: Vec<AgentId> = self.specs.keys().copied().collect();
        for id in ids {
            if self.dice.chance(10) {
                let n: u64 = id.as_str().parse().unwrap_or(8000);
                let spec = Self::someone(&mut self.dice, n - 8000);
                self.specs.insert(id, spec);
            }
        }
        let specs: Vec<AgentSpec> = self.specs.values().cloned().collect();
        self.tell(|acd, now, out| acd.set_agents(now, specs, out));
        let fewer: Vec<AgentSpec> = self.specs.values().filter(|_| !self.dice.chance(2)).cloned().collect();
        let kept: BTreeMap<AgentId, AgentSpec> = fewer.iter().map(|s| (s.id, s.clone())).collect();
        let all = std::mem::replace(&mut self.specs, kept);
        self.tell(|acd, now, out| acd.set_agents(now, fewer, out));
        self.specs = all;
        let specs: Vec<AgentSpec> = self.specs.values().cloned().collect();
        self.tell(|acd, now, out| acd.set_agents(now, specs, out));
    }
}

#[test]
fn whole_days_keep_every_rule() {
    let prove = std::env::var_os("HOTLINE_PROVE").is_some();
    let (seeds, hours, load_s, every) = if prove { (500, 24, 12.0, 256) } else { (50, 1, 6.0, 64) };
    let mut all = Tally::default();
    for seed in 0..seeds {
        // Calm, busy, and more than those on duty can bear.
        let duty = [200, 60, 30][seed as usize % 3];
        let t = Day::new(seed, duty, load_s, every).play(hours);
        all.came += t.came;
        all.answered += t.answered;
        all.abandoned += t.abandoned;
        all.timed_out += t.timed_out;
        all.given_up += t.given_up;
        all.offers += t.offers;
        all.missed += t.missed;
        all.refused += t.refused;
        all.facts += t.facts;
    }
    eprintln!("{seeds} days: {all:?}");
    assert!(all.answered > all.came / 3 && all.missed > 0 && all.refused > 0, "{all:?}");
    assert!(all.abandoned > 0 && all.timed_out > 0 && all.given_up > 0, "nobody ever had to wait: {all:?}");
}
