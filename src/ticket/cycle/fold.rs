//! What a ticket is: the fold of its history. Events carry all that is needed; no rule and no calendar is looked at here.

use super::city::{City, CityWish};
use super::model::{
    Clock, ClockName, Deferred, Event, Extension, Forced, Hand, Held, Light, Owner, Reply, Return, Said,
    Staged, State, Step, Sub, Supervised, Ticket, Visit, VisitTry, VoiceTry,
};

/// What a contact was about: the caller was told the result.
pub(super) const RESULT: &str = "result";
/// A caller who is persecuted for what he told us earlier.
pub(super) const RETALIATION: &str = "retaliation";

impl Ticket {
    /// The ticket after these events (with their times and actors); `None` before its acceptance.
    pub fn fold<'a>(events: impl IntoIterator<Item = (i64, &'a str, &'a Event)>) -> Option<Self> {
        let mut ticket: Option<Self> = None;
        for (at, actor, event) in events {
            match &mut ticket {
                None => ticket = Self::opened(at, event),
                Some(ticket) => ticket.apply(at, actor, event),
            }
        }
        ticket
    }

    /// The beginning; `None` when the event is another.
    fn opened(at: i64, event: &Event) -> Option<Self> {
        if event.step != Step::Opened {
            return None;
        }
        let opened_at = event.clocks.first().map_or(at, |clock| clock.from);
        let mut ticket = Self {
            state: State::Accepted,
            rules: event.rules.clone().unwrap_or_default(),
            opened_at,
            matter: event.matter.clone().unwrap_or_default(),
            lead: event.wish.lead.clone(),
            assist: event.wish.assist.clone().unwrap_or_default(),
            clocks: event.clocks.clone(),
            due_at: None,
            owner: None,
            since: opened_at,
            held: Vec::new(),
            state_at: opened_at,
            dispatched_at: None,
            signed_at: None,
            closed_at: None,
            had: Vec::new(),
            reminded: Vec::new(),
            returns: Vec::new(),
            forced: None,
            extension: None,
            joint: None,
            staged: None,
            deferred: None,
            supervised: None,
            reply: None,
            assists: Vec::new(),
            subs: Vec::new(),
            contacts: Vec::new(),
            tries: Vec::new(),
            visit: None,
            earlier_visits: Vec::new(),
            redos: 0,
            urges: 0,
            escalated: false,
            to_force: false,
            unreasonable: false,
            unreached: false,
            merged_into: None,
            city_no: None,
            city: event.city.clone().map(City::new),
            voice: Vec::new(),
            told_at: None,
            missed: Vec::new(),
        };
        ticket.owner = ticket.whose();
        Some(ticket)
    }

    /// One event more.
    pub fn apply(&mut self, at: i64, actor: &str, event: &Event) {
        // A clock that was set back takes no time away from anybody.
        let at = at.max(self.since);
        if event.step == Step::Redo {
            // What was missed stays so, whatever the new clocks say.
            for name in [ClockName::Feedback, ClockName::Close] {
                if self.was_late(name) && !self.missed.contains(&name) {
                    self.missed.push(name);
                }
            }
        }
        for clock in &event.clocks {
            match self.clocks.iter_mut().find(|known| known.name == clock.name) {
                Some(known) => *known = clock.clone(),
                None => self.clocks.push(clock.clone()),
            }
        }
        let was_over = self.is_over();
        self.note(at, actor, event);
        if let Some(state) = event.state {
            if state != self.state {
                self.reminded.retain(|(clock, ..)| *clock != ClockName::Step);
            }
            self.state = state;
            let is_over = self.is_over();
            if was_over && !is_over {
                self.closed_at = None;
            } else if is_over && !was_over {
                self.closed_at = Some(at);
            }
            self.state_at = at;
            self.due_at = event.due_at;
        } else if event.due_at.is_some() {
            self.due_at = event.due_at;
        }
        let owner = self.whose();
        if owner != self.owner {
            self.hand_over(at, owner);
        }
    }

    fn hand_over(&mut self, at: i64, to: Option<Owner>) {
        let ms = at - self.since;
        if ms == 0 {
            // Passed through within one step.
            self.owner = to;
            return;
        }
        match self.held.iter_mut().find(|held| held.owner == self.owner) {
            Some(held) => held.ms += ms,
            None => self.held.push(Held { owner: self.owner.clone(), ms }),
        }
        self.owner = to;
        self.since = at;
    }

    /// What the event says beyond state and clocks.
    fn note(&mut self, at: i64, actor: &str, event: &Event) {
        if let Some(city) = &mut self.city {
            city.note(at, event);
        }
        let wish = &event.wish;
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        let said = |of: &str| Said { by: actor.to_owned(), at, text: text(&wish.text), of: of.to_owned() };
        match event.step {
            Step::Dispatch | Step::Force => {
                let matter = &mut self.matter;
                for (slot, new) in [
                    (&mut matter.category, &wish.category),
                    (&mut matter.street, &wish.street),
                    (&mut matter.urgency, &wish.urgency),
                ] {
                    if let Some(new) = new.as_ref().filter(|new| !new.is_empty()) {
                        *slot = Some(new.clone());
                    }
                }
                self.assign(at, event);
                self.forced = (event.step == Step::Force).then(|| Forced {
                    step: text(&wish.step),
                    reason: text(&wish.reason),
                    at,
                    objection: None,
                    due_at: None,
                    upheld: None,
                });
                // Forced while a return was asked for: that is the answer to it.
                self.rule_on_return(false);
            }
            Step::Clarify => {
                self.escalated = false;
                let matter = &mut self.matter;
                for (slot, new) in [
                    (&mut matter.kind, &wish.kind),
                    (&mut matter.category, &wish.category),
                    (&mut matter.street, &wish.street),
                    (&mut matter.urgency, &wish.urgency),
                    (&mut matter.complained_unit, &wish.complained_unit),
                    (&mut matter.complained_person, &wish.complained_person),
                ] {
                    if let Some(new) = new {
                        *slot = Some(new.clone()).filter(|new| !new.is_empty());
                    }
                }
            }
            Step::Escalated => self.escalated = true,
            Step::Sign => {
                self.signed_at = Some(at);
                if let Some(lead) = self.lead.clone()
                    && !self.had.contains(&lead)
                {
                    self.had.push(lead);
                }
            }
            Step::AskReturn => self.returns.push(Return {
                unit: self.lead.clone().unwrap_or_default(),
                to: text(&wish.to),
                basis: text(&wish.basis),
                text: text(&wish.text),
                at,
                granted: None,
            }),
            Step::GrantReturn => {
                self.rule_on_return(true);
                self.to_force = wish.step.is_some();
                self.lead = None;
                self.assist.clear();
                self.subs.clear();
                self.signed_at = None;
            }
            Step::RefuseReturn => self.rule_on_return(false),
            Step::Object => {
                if let Some(forced) = &mut self.forced {
                    forced.objection = Some(said(self.lead.as_deref().unwrap_or_default()));
                    forced.due_at = wish.deadline;
                }
            }
            Step::DecideObjection => {
                let upheld = wish.uphold.unwrap_or(false);
                if let Some(forced) = &mut self.forced {
                    forced.upheld = Some(upheld);
                }
                if upheld {
                    self.assign(at, event);
                }
            }
            Step::AskExtension => {
                self.extension = Some(Extension {
                    asked_workdays: wish.workdays.unwrap_or(0),
                    reason: text(&wish.reason),
                    at,
                    granted: None,
                    granted_until: None,
                });
            }
            Step::GrantExtension | Step::RefuseExtension => {
                let granted = event.step == Step::GrantExtension;
                let until = self.clock(ClockName::Close).map(|clock| clock.due_at).filter(|_| granted);
                if let Some(extension) = &mut self.extension {
                    extension.granted = Some(granted);
                    extension.granted_until = until;
                }
            }
            Step::AskJoint => {
                self.joint =
                    Some(Said { text: text(&wish.reason), ..said(self.lead.as_deref().unwrap_or_default()) });
            }
            Step::DecideJoint => {
                if wish.lead == self.lead {
                    if let Some(assist) = &wish.assist {
                        self.assist.clone_from(assist);
                    }
                } else {
                    self.assign(at, event);
                }
            }
            Step::Defer => {
                self.deferred = Some(Deferred {
                    plan: text(&wish.plan),
                    until: wish.until.unwrap_or(at),
                    progress: Vec::new(),
                });
            }
            Step::Progress => {
                if let Some(deferred) = &mut self.deferred {
                    deferred.progress.push(said(""));
                }
            }
            Step::Stage => {
                self.staged = Some(Staged {
                    basis: text(&wish.basis),
                    text: text(&wish.text),
                    until: wish.until.unwrap_or(at),
                });
            }
            Step::PassDown => {
                let unit = text(&wish.unit);
                self.subs.retain(|sub| sub.unit != unit);
                let due_at = wish.deadline.unwrap_or(at);
                self.subs.push(Sub { unit, text: text(&wish.text), due_at, signed_at: None, reply: None });
            }
            Step::SubSign | Step::SubReply => {
                let unit = text(&wish.unit);
                if let Some(sub) = self.subs.iter_mut().find(|sub| sub.unit == unit) {
                    sub.signed_at.get_or_insert(at);
                    if event.step == Step::SubReply {
                        sub.reply = Some(said(&unit));
                    }
                }
            }
            Step::Contact => {
                let when = wish.at.unwrap_or(at);
                if wish.what.as_deref() == Some(RESULT) {
                    self.told_at.get_or_insert(when);
                }
                self.contacts.push(Said { at: when, ..said(&text(&wish.how)) });
            }
            Step::AssistReply => {
                let unit = text(&wish.unit);
                self.assists.retain(|reply| reply.of != unit);
                self.assists.push(said(&unit));
            }
            Step::Reply => {
                self.reply = Some(Reply {
                    text: text(&wish.text),
                    report: text(&wish.report),
                    claim: text(&wish.claim),
                    by: actor.to_owned(),
                    at,
                    signed_by: None,
                    signed_at: None,
                });
            }
            Step::SignReply => {
                if let Some(reply) = &mut self.reply {
                    reply.signed_by = Some(actor.to_owned());
                    reply.signed_at = Some(at);
                }
            }
            Step::VisitTry => self.tries.push(VisitTry {
                at: wish.at.unwrap_or(at),
                by: actor.to_owned(),
                result: text(&wish.result),
            }),
            Step::Visit => {
                self.visit = Some(Visit {
                    contacted: wish.contacted,
                    solved: wish.solved.clone(),
                    satisfied: wish.satisfied.clone(),
                    matches: wish.matches,
                    text: text(&wish.text),
                    at,
                    by: actor.to_owned(),
                });
            }
            Step::Closed => {
                self.unreached = wish.result.as_deref() == Some("unreached");
            }
            Step::Redo => {
                self.redos += 1;
                self.earlier_visits.extend(self.visit.take());
                self.tries.clear();
                self.assists.clear();
                self.subs.clear();
                self.reply = None;
                self.staged = None;
                self.signed_at = None;
                self.told_at = None;
                self.unreached = false;
                // New clocks, and what was said of the old ones is said anew.
                self.reminded.clear();
            }
            Step::Supervise => {
                self.supervised = Some(Supervised {
                    level: text(&wish.level),
                    deadline: wish.deadline,
                    text: text(&wish.text),
                    at,
                    letter: wish.how.as_deref() == Some("letter"),
                });
            }
            Step::EndSupervision => self.supervised = None,
            Step::Urge => self.urges += 1,
            Step::Merge => self.merged_into.clone_from(&wish.into),
            Step::TransferReceipt => self.city_no.clone_from(&wish.city_no),
            Step::Raise | Step::Lower => {
                self.matter.urgency.clone_from(&wish.urgency);
                self.reminded.clear();
            }
            Step::ApproveUnreasonable => self.unreasonable = true,
            Step::Protect => {
                let matter = &mut self.matter;
                for (slot, new) in [
                    (&mut matter.complained_unit, &wish.complained_unit),
                    (&mut matter.complained_person, &wish.complained_person),
                    (&mut matter.special, &wish.special),
                    (&mut matter.urgency, &wish.urgency),
                ] {
                    if let Some(new) = new {
                        *slot = Some(new.clone()).filter(|new| !new.is_empty());
                    }
                }
                if event.state == Some(State::Accepted) {
                    // Who is complained about had it.
                    self.lead = None;
                    self.assist.clear();
                    self.subs.clear();
                    self.signed_at = None;
                } else if let Some(assist) = &wish.assist {
                    self.assist.clone_from(assist);
                }
                if wish.urgency.is_some() {
                    self.reminded.clear();
                }
            }
            Step::Reminded | Step::Late => {
                if let Some((name, pct)) = event.clock {
                    let due = self.deadline(name).map_or(0, |clock| clock.due_at);
                    self.reminded.push((name, pct, due));
                }
            }
            Step::VoiceUrged => self.voice.push(VoiceTry {
                at: wish.at.unwrap_or(at),
                unit: text(&wish.unit),
                rung: text(&wish.level),
                result: text(&wish.result),
            }),
            Step::CityAnswered => {
                let granted = wish.uphold.unwrap_or(false);
                match wish.what.as_deref().and_then(CityWish::read) {
                    Some(CityWish::Return) => self.rule_on_return(granted),
                    Some(CityWish::Extension) => {
                        if let Some(extension) = self.extension.as_mut().filter(|one| one.granted.is_none()) {
                            extension.granted = Some(granted);
                            extension.granted_until = wish.until.filter(|_| granted);
                        }
                    }
                    Some(CityWish::Exclusion) | None => {}
                }
            }
            Step::Opened
            | Step::AskCityReturn
            | Step::AskCityExtension
            | Step::AskCityExclusion
            | Step::AskClarification
            | Step::Resume
            | Step::SendBack
            | Step::ReviewPass
            | Step::ReviewBack
            | Step::Supplement
            | Step::Withdraw
            | Step::Reject
            | Step::Transfer
            | Step::TransferRefused
            | Step::Recalculated => {}
        }
    }

    /// It is this unit's from now on.
    fn assign(&mut self, at: i64, event: &Event) {
        if let Some(lead) = &event.wish.lead {
            self.lead = Some(lead.clone());
            self.subs.clear();
            self.signed_at = None;
        }
        if let Some(assist) = &event.wish.assist {
            self.assist.clone_from(assist);
        }
        let lead = self.lead.clone();
        self.assist.retain(|unit| Some(unit) != lead.as_ref());
        self.dispatched_at = Some(at);
        self.to_force = false;
    }

    fn rule_on_return(&mut self, granted: bool) {
        if let Some(last) = self.returns.last_mut().filter(|last| last.granted.is_none()) {
            last.granted = Some(granted);
        }
    }

    /// Nobody has to do anything any more: it came to an end, or the city has it back.
    pub fn is_over(&self) -> bool {
        let returned = self.city.as_ref().is_some_and(|city| city.returned);
        self.state.is_over() || (self.state == State::Transferred && returned)
    }

    /// Whose turn it is in the present state.
    fn whose(&self) -> Option<Owner> {
        if self.is_over() {
            return None;
        }
        let of_unit = |role| Some(Owner { role, unit: self.lead.clone() });
        let of_hotline = |role| Some(Owner { role, unit: None });
        match self.state {
            State::Accepted if self.to_force || self.is_for_office() => of_hotline(Hand::Office),
            State::Accepted | State::ReturnReview => of_hotline(Hand::Dispatcher),
            State::Clarification => of_hotline(if self.escalated { Hand::Lead } else { Hand::Agent }),
            State::Dispatched | State::Handling | State::Redo | State::Staged | State::Deferred => {
                of_unit(Hand::Unit)
            }
            State::ExtensionReview | State::JointReview | State::Transferred | State::Visited => {
                of_hotline(Hand::Office)
            }
            State::Replied if self.reply.as_ref().is_some_and(|reply| reply.signed_at.is_some()) => {
                of_hotline(Hand::Dispatcher)
            }
            State::Replied => of_unit(Hand::Head),
            State::AwaitingVisit => of_hotline(Hand::Visitor),
            State::Closed | State::Rejected | State::Withdrawn => None,
        }
    }

    /// 打击报复: what the office alone sees and handles.
    pub fn is_for_office(&self) -> bool {
        self.matter.special.as_deref() == Some(RETALIATION)
    }

    pub fn clock(&self, name: ClockName) -> Option<&Clock> {
        self.clocks.iter().find(|clock| clock.name == name)
    }

    /// The clock with this name, the state's own among them.
    pub fn deadline(&self, name: ClockName) -> Option<Clock> {
        let (from, due_at) = match name {
            ClockName::Step => (self.state_at, self.due_at?),
            ClockName::Objection => {
                let forced = self.forced.as_ref().filter(|forced| forced.upheld.is_none())?;
                (forced.objection.as_ref()?.at, forced.due_at?)
            }
            ClockName::Supervision => {
                let supervised = self.supervised.as_ref()?;
                (supervised.at, supervised.deadline?)
            }
            _ => return self.clock(name).cloned(),
        };
        Some(Clock { name, from, due_at, met_at: None, span: None, extra: 0, unsure: false })
    }

    /// What has to be done next, and by when; `None` when it is over.
    pub fn next(&self) -> Option<Clock> {
        let unmet = |name| self.clock(name).filter(|clock| clock.met_at.is_none()).cloned();
        let own = || self.deadline(ClockName::Step);
        if self.is_over() {
            return None;
        }
        match self.state {
            State::Accepted => unmet(ClockName::Dispatch).or_else(own).or_else(|| unmet(ClockName::Feedback)),
            State::Dispatched | State::Redo => unmet(ClockName::Sign).or_else(|| unmet(ClockName::Feedback)),
            State::Handling => unmet(ClockName::Contact).or_else(|| unmet(ClockName::Feedback)),
            // The citizen's clocks run on while a state has one of its own: the earliest says what is late.
            _ => {
                let running = [own(), unmet(ClockName::Feedback), unmet(ClockName::Close)];
                running.into_iter().flatten().min_by_key(|clock| clock.due_at)
            }
        }
        .or_else(|| self.clock(ClockName::Close).cloned())
    }

    /// This clock was missed, now or before a redo: met too late, or told to be over.
    pub fn was_late(&self, name: ClockName) -> bool {
        self.missed.contains(&name)
            || self.clock(name).is_some_and(|clock| match clock.met_at {
                Some(met) => met > clock.due_at,
                None => self.reminded.contains(&(name, 100, clock.due_at)),
            })
    }

    /// When the citizen was promised an end: after an extension, or on the day the law or a plan names.
    pub fn promised(&self) -> Option<i64> {
        self.clock(ClockName::Close).map(|clock| clock.due_at)
    }

    pub fn light(&self, now: i64) -> Light {
        match self.next().map_or(0, |clock| clock.passed_pct(now)) {
            100.. => Light::Red,
            80.. => Light::Orange,
            50.. => Light::Yellow,
            _ => Light::Green,
        }
    }

    /// Some clock was counted without its year's calendar.
    pub fn unsure(&self) -> bool {
        !self.is_over() && self.clocks.iter().any(|clock| clock.unsure && clock.met_at.is_none())
    }

    /// Returns of it that were granted.
    pub fn granted_returns(&self) -> usize {
        self.returns.iter().filter(|one| one.granted == Some(true)).count()
    }

    /// How long each had it until `now`; adds up to the time since its acceptance.
    pub fn shares(&self, now: i64) -> Vec<Held> {
        let mut shares = self.held.clone();
        let end = self.closed_at.unwrap_or(now).max(self.since);
        if self.owner.is_some() && end > self.since {
            let ms = end - self.since;
            match shares.iter_mut().find(|held| held.owner == self.owner) {
                Some(held) => held.ms += ms,
                None => shares.push(Held { owner: self.owner.clone(), ms }),
            }
        }
        shares
    }
}
