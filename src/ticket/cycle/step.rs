//! What somebody does: checked, and turned into events. Nothing is changed here.

use super::city::{CityOrder, CityWish};
use super::fold::{RESULT, RETALIATION};
use super::model::{Clock, ClockName, Event, Matter, State, Step, Tables, Ticket, VisitTry, Who, Wish};
use super::table::{self, Row, TABLE};
use crate::base::reach::SafeTime;
use crate::ticket::clock::{Family, Span, civil, due, end_of_day};
use crate::ticket::indicators::{SATISFIED, SOLVED};
use crate::ticket::life::{NOTIFIES, Refusal, SECRECIES, TYPES, URGENCIES, WITHOUT_LEAF, Why};
use crate::ticket::rules::{self, Rules};

/// Between two tries to reach a citizen, milliseconds.
const VISIT_GAP_MS: i64 = 2 * 3_600_000;
/// Longest texts, in characters; assisting units; lines of a list that only grows.
const TEXT_MAX: usize = 4_000;
const ASSIST_MAX: usize = 6;
const LIST_MAX: usize = 100;
const DAY_MS: i64 = 86_400_000;

const CLAIMS: &[&str] = &["solved", "partial", "explained"];
const RESULTS: &[&str] = &["unreachable", "not_the_person", "refused", "later"];
const HOWS: &[&str] = &["phone", "sms", "text", "visit"];
const LEVELS: &[&str] = &["remind", "urge", "supervise", "joint", "on_site"];
const FORCE_STEPS: &[&str] = &["list", "first", "territory", "named"];
/// Kinds of callers that come up after the acceptance.
const LATER: &[&str] = &[RETALIATION];
const TICKS: &[&str] = &["happening", "trapped", "smoke", "crowd"];

/// U, L, N in this order; C comes behind them.
fn rank(urgency: &str) -> usize {
    URGENCIES.iter().position(|known| *known == urgency).unwrap_or(URGENCIES.len())
}

fn no<T>(field: &'static str, why: Why, message: impl Into<String>) -> Result<T, Vec<Refusal>> {
    Err(vec![Refusal { field, why, message: message.into() }])
}

/// The beginning of a ticket's life, to be written with its acceptance. `accepted_at`: where the citizen's clock begins.
pub fn open(
    matter: Matter,
    lead: Option<String>,
    assist: Vec<String>,
    accepted_at: i64,
    tables: &Tables,
) -> Event {
    let date = civil(accepted_at, &tables.zone).map(jiff::civil::DateTime::date).unwrap_or_default();
    let mut event = Event::new(Step::Opened);
    if let Some(rules) = tables.rules.on(date) {
        event.rules = Some(rules.version.clone());
        if let Some(row) = rules.row(matter.urgency.as_deref(), matter.kind.as_deref()) {
            event.clocks = plan(row, accepted_at, rules, tables);
        }
    }
    event.matter = Some(matter);
    event.wish.lead = lead;
    event.wish.assist = (!assist.is_empty()).then_some(assist);
    event
}

/// The same of a ticket from the city: its clocks stand, ours are only earlier.
pub fn open_for_city(matter: Matter, order: CityOrder, accepted_at: i64, tables: &Tables) -> Event {
    let urgent = matter.urgency.as_deref() == Some("U");
    let mut event = open(matter, None, Vec::new(), accepted_at, tables);
    event.clocks = event.clocks.into_iter().map(|clock| order.bound(clock, urgent)).collect();
    event.city = Some(order);
    event
}

/// All five clocks of a row.
fn plan(row: &rules::Row, from: i64, rules: &Rules, tables: &Tables) -> Vec<Clock> {
    [
        (ClockName::Dispatch, row.dispatch),
        (ClockName::Sign, row.sign),
        (ClockName::Contact, row.contact),
        (ClockName::Feedback, row.feedback),
        (ClockName::Close, row.close),
    ]
    .map(|(name, span)| counted(name, from, span, 0, rules, tables))
    .into()
}

/// A clock as the rules count it.
pub(super) fn counted(
    name: ClockName,
    from: i64,
    span: Span,
    extra: u32,
    rules: &Rules,
    tables: &Tables,
) -> Clock {
    let due = due(from, span, extra, rules.office, &tables.calendar, &tables.zone);
    Clock { name, from, due_at: due.at, met_at: None, span: Some(span), extra, unsure: due.unsure }
}

/// What this person may do to the ticket now, in the table's order.
pub fn allowed(ticket: &Ticket, who: Who<'_>, now: i64, tables: &Tables) -> Vec<Step> {
    let Some(rules) = tables.rules_of(ticket) else { return Vec::new() };
    let doing = Doing { ticket, who, now, tables, rules };
    TABLE
        .iter()
        .filter(|row| table::may(ticket, row.step, who, &tables.district) && doing.guard(row).is_ok())
        .map(|row| row.step)
        .collect()
}

/// The events that come of it, or everything that is wrong.
pub fn step(
    ticket: &Ticket,
    step: Step,
    wish: &Wish,
    who: Who<'_>,
    now: i64,
    tables: &Tables,
) -> Result<Vec<Event>, Vec<Refusal>> {
    let Some(row) = table::row_of(step) else { return no("action", Why::UnknownCode, "no such action") };
    let Some(rules) = tables.rules_of(ticket) else {
        return no("action", Why::State, "there are no rules to judge it by");
    };
    if !table::may(ticket, step, who, &tables.district) {
        return no("action", Why::Role, "not yours to do");
    }
    let doing = Doing { ticket, who, now, tables, rules };
    doing.guard(row)?;
    let wish = doing.checked(row, wish)?;
    Ok(ticket.bound_all(doing.events(step, wish)?, now))
}

struct Doing<'a> {
    ticket: &'a Ticket,
    who: Who<'a>,
    now: i64,
    tables: &'a Tables,
    rules: &'a Rules,
}

impl Doing<'_> {
    /// What must hold whatever is said with it.
    fn guard(&self, row: &Row) -> Result<(), Vec<Refusal>> {
        let (ticket, now) = (self.ticket, self.now);
        if !row.from.contains(&ticket.state) {
            return no("state", Why::State, format!("not while it is {}", ticket.state.label()));
        }
        if ticket.state == State::Transferred && ticket.is_over() {
            return no("state", Why::State, "the city has it back");
        }
        self.guard_city(row.step)?;
        match row.step {
            Step::Dispatch if ticket.granted_returns() >= self.rules.returns.per_ticket => {
                return no("action", Why::Limit, "it was returned as often as may be: it has to be forced");
            }
            Step::AskReturn => self.may_return()?,
            Step::Object if ticket.forced.is_none() => {
                return no("action", Why::State, "it was not forced on anybody");
            }
            Step::Object if ticket.forced.as_ref().is_some_and(|forced| forced.objection.is_some()) => {
                return no("action", Why::Limit, "there is one objection, and it was made");
            }
            Step::DecideObjection => {
                let open = ticket
                    .forced
                    .as_ref()
                    .is_some_and(|forced| forced.objection.is_some() && forced.upheld.is_none());
                if !open {
                    return no("action", Why::State, "no objection waits for a ruling");
                }
            }
            Step::AskExtension => {
                if ticket.extension.is_some() {
                    return no("action", Why::Limit, "it may be extended once, and that was asked for");
                }
                if self.extension_max() == 0 {
                    return no("action", Why::Limit, "so short a time is not extended");
                }
                let over = |name| ticket.clock(name).is_some_and(|clock| now > clock.due_at);
                if over(ClockName::Feedback) || over(ClockName::Close) {
                    return no("action", Why::Late, "to be asked for before the deadline");
                }
            }
            Step::SubSign | Step::SubReply => {
                let own = self.who.unit.unwrap_or_default();
                let sub = ticket.subs.iter().find(|sub| sub.unit == own);
                let done = match row.step {
                    Step::SubSign => sub.is_none_or(|sub| sub.signed_at.is_some()),
                    _ => sub.is_none_or(|sub| sub.reply.is_some()),
                };
                if done {
                    return no("action", Why::State, "that was done");
                }
            }
            Step::SignReply | Step::SendBack | Step::ReviewPass | Step::ReviewBack => {
                let signed = ticket.reply.as_ref().is_some_and(|reply| reply.signed_at.is_some());
                if signed == matches!(row.step, Step::SignReply | Step::SendBack) {
                    let what = if signed { "it is signed" } else { "it is not signed yet" };
                    return no("action", Why::State, what);
                }
            }
            Step::Redo => {
                if ticket.lead.is_none() || ticket.merged_into.is_some() || ticket.dispatched_at.is_none() {
                    return no("action", Why::State, "no unit has handled it");
                }
                let days = i64::from(self.rules.limits.reopen_days);
                if ticket.closed_at.is_some_and(|at| now > at.saturating_add(days * DAY_MS)) {
                    return no("action", Why::Late, format!("closed tickets are taken up for {days} days"));
                }
            }
            Step::Supervise => {
                let lead = ticket.lead.as_deref().and_then(|lead| self.tables.district.unit(lead));
                if lead.is_some_and(|unit| unit.supervise == "refer") {
                    return no("action", Why::State, "this body is told, and pressed by nobody");
                }
            }
            Step::EndSupervision if ticket.supervised.is_none() => {
                return no("action", Why::State, "it is not supervised");
            }
            Step::Urge if ticket.urges as usize >= LIST_MAX => {
                return no("action", Why::Limit, format!("urged {LIST_MAX} times"));
            }
            Step::Contact if ticket.contacts.len() >= LIST_MAX => {
                return no("action", Why::Limit, format!("{LIST_MAX} contacts are noted"));
            }
            Step::VisitTry if ticket.tries.len() >= LIST_MAX => {
                return no("action", Why::Limit, format!("{LIST_MAX} tries are noted"));
            }
            Step::Progress if ticket.deferred.as_ref().is_some_and(|d| d.progress.len() >= LIST_MAX) => {
                return no("action", Why::Limit, format!("{LIST_MAX} notes are there"));
            }
            Step::Raise if ticket.matter.urgency.as_deref() == Some("U") => {
                return no("action", Why::State, "it is urgent");
            }
            Step::Lower if ticket.matter.urgency.as_deref() == Some("N") => {
                return no("action", Why::State, "it is not urgent");
            }
            Step::ApproveUnreasonable if ticket.unreasonable => {
                return no("action", Why::State, "that was decided");
            }
            _ => {}
        }
        Ok(())
    }

    /// What comes from the city has the city's clock, and leaves only through the city; only of it anything can be asked there.
    fn guard_city(&self, step: Step) -> Result<(), Vec<Refusal>> {
        let city = self.ticket.city.as_ref();
        if let Some(what) = CityWish::of(step) {
            let Some(city) = city else {
                return no("action", Why::State, "it does not come from the city");
            };
            let asked = city.asks.iter().filter(|ask| ask.what == what);
            if city.waits(what).is_some() {
                return no("action", Why::State, "that was asked for, and the city has not answered");
            }
            if asked.clone().count() >= what.most() || asked.clone().any(|ask| ask.granted == Some(true)) {
                return no("action", Why::Limit, "that was asked of the city as often as may be");
            }
            let close = city.order.named(ClockName::Close);
            if what == CityWish::Extension && close.is_some_and(|close| self.now > close) {
                return no("action", Why::Late, "to be asked for before the city's deadline");
            }
            return Ok(());
        }
        match step {
            Step::Merge if city.is_some() => {
                no("action", Why::State, "it has the city's clock: the other one goes into it")
            }
            Step::Reject | Step::Transfer if city.is_some() => {
                no("action", Why::State, "it comes from the city, and goes back by asking it")
            }
            Step::GrantExtension if city.is_some() => {
                no("action", Why::State, "the clock is the city's: it has to be asked")
            }
            _ => Ok(()),
        }
    }

    fn may_return(&self) -> Result<(), Vec<Refusal>> {
        let (ticket, returns) = (self.ticket, &self.rules.returns);
        if ticket.forced.is_some() {
            return no("action", Why::Limit, "what was forced can be objected to, not returned");
        }
        let own = ticket.returns.iter().filter(|one| Some(&one.unit) == ticket.lead.as_ref()).count();
        if own >= returns.per_unit || ticket.returns.len() >= returns.per_ticket {
            return no("action", Why::Limit, "it was returned as often as may be");
        }
        let special = ticket.matter.special.as_deref().unwrap_or_default();
        let window = match ticket.matter.urgency.as_deref() {
            _ if matches!(special, "suicide" | "violence" | "emergency") => returns.window_danger,
            Some("U") => returns.window_urgent,
            _ => returns.window,
        };
        let from = ticket.dispatched_at.unwrap_or(ticket.opened_at);
        if self.now > self.after(from, window) {
            return no("action", Why::Late, "the time for returning it is over");
        }
        Ok(())
    }

    fn after(&self, from: i64, span: Span) -> i64 {
        due(from, span, 0, self.rules.office, &self.tables.calendar, &self.tables.zone).at
    }

    fn row(&self) -> Option<&rules::Row> {
        let matter = &self.ticket.matter;
        self.rules.row(matter.urgency.as_deref(), matter.kind.as_deref())
    }

    /// Days of work an extension may add at most.
    fn extension_max(&self) -> u32 {
        self.row().map_or(0, |row| row.close.whole_days() * self.rules.limits.extension_pct / 100)
    }

    /// The wish with its texts trimmed, when it has what the step needs and nothing else.
    fn checked(&self, row: &Row, wish: &Wish) -> Result<Wish, Vec<Refusal>> {
        let mut wrong = Vec::new();
        let mut tell = |field, why, message: String| wrong.push(Refusal { field, why, message });
        let mut wish = wish.clone();
        wish.trim();
        let clears = matches!(row.step, Step::Clarify | Step::Protect);
        let empty = |name: &str| wish.text(name).is_some_and(|text| text.is_empty());
        let given: Vec<&'static str> = wish.given();
        for name in &given {
            if !row.takes.contains(name) {
                tell(name, Why::NotHere, format!("{name}: has no place in {}", row.step.label()));
            }
            if wish
                .text(name)
                .is_some_and(|text| text.len() > TEXT_MAX && text.chars().nth(TEXT_MAX).is_some())
            {
                tell(name, Why::TooLong, format!("{name}: at most {TEXT_MAX} characters"));
            }
        }
        for name in row.needs {
            if !given.contains(name) || (!clears && empty(name)) {
                tell(name, Why::Needed, format!("{name}: needed for {}", row.step.label()));
            }
        }
        let district = &self.tables.district;
        let mut code = |name: &'static str, known: &dyn Fn(&str) -> bool| {
            let fine = |code: &str| known(code) || (clears && code.is_empty());
            if wish.text(name).is_some_and(|code| !fine(code)) {
                tell(name, Why::UnknownCode, format!("{name}: no such code here"));
            }
        };
        code("claim", &|code| CLAIMS.contains(&code));
        code("solved", &|code| SOLVED.contains(&code));
        code("satisfied", &|code| SATISFIED.contains(&code));
        code("result", &|code| RESULTS.contains(&code));
        code("how", &|code| HOWS.contains(&code));
        code("what", &|code| code == RESULT);
        code("level", &|code| LEVELS.contains(&code));
        code("step", &|code| FORCE_STEPS.contains(&code));
        code("urgency", &|code| URGENCIES.contains(&code));
        code("kind", &|code| TYPES.contains(&code));
        code("category", &|code| district.has_category(code));
        code("street", &|code| district.has_street(code));
        code("to", &|code| district.has_unit(code));
        code("complained_unit", &|code| code.is_empty() || district.unit(code).is_some());
        code("secrecy", &|code| SECRECIES.contains(&code));
        code("notify", &|code| NOTIFIES.contains(&code));
        code("safe_time", &|text| text.is_empty() || SafeTime::read(text).is_some());
        code("special", &|code| LATER.contains(&code));
        code("lead", &|code| district.has_unit(code) && !self.excluded(code));
        code("unit", &|code| district.unit(code).is_some() && !self.excluded(code));
        if let Some(assist) = &wish.assist {
            let lead = wish.lead.as_ref().or(self.ticket.lead.as_ref());
            if assist.len() > ASSIST_MAX {
                tell("assist", Why::TooLong, format!("assist: at most {ASSIST_MAX}"));
            }
            if assist.iter().any(|unit| !district.has_unit(unit) || self.excluded(unit)) {
                tell("assist", Why::UnknownCode, "assist: no such code here".to_owned());
            }
            if assist.iter().any(|unit| Some(unit) == lead) {
                tell("assist", Why::NotHere, "assist: the lead does not assist itself".to_owned());
            }
        }
        if wish.ticks.as_ref().is_some_and(|ticks| {
            ticks.len() > TICKS.len() || ticks.iter().any(|tick| !TICKS.contains(&tick.as_str()))
        }) {
            tell("ticks", Why::UnknownCode, "ticks: happening, trapped, smoke, crowd".to_owned());
        }
        if wrong.is_empty() { Ok(wish) } else { Err(wrong) }
    }

    /// Who is complained about is never a candidate, and neither is what is below him.
    fn excluded(&self, unit: &str) -> bool {
        let target = self.ticket.matter.complained_unit.as_deref();
        target.is_some_and(|target| self.tables.district.line(unit).any(|one| one == target))
    }

    fn event(&self, step: Step, wish: Wish) -> Event {
        Event { wish, ..Event::new(step) }
    }

    fn to(&self, step: Step, wish: Wish, state: State) -> Event {
        Event { state: Some(state), ..self.event(step, wish) }
    }

    /// The clock, met now; nothing when it was met before.
    fn met(&self, name: ClockName, at: i64) -> Vec<Clock> {
        let clock = self.ticket.clock(name).filter(|clock| clock.met_at.is_none());
        clock.map(|clock| Clock { met_at: Some(at), ..clock.clone() }).into_iter().collect()
    }

    /// A unit gets it: the dispatch is done, and it signs in its own time if it was late or had been elsewhere.
    fn handed(&self) -> Vec<Clock> {
        let (ticket, now) = (self.ticket, self.now);
        let mut clocks = self.met(ClockName::Dispatch, now);
        let late = ticket.clock(ClockName::Dispatch).is_some_and(|clock| now > clock.due_at);
        let again = ticket.dispatched_at.is_some();
        if let (Some(sign), Some(row)) = (ticket.clock(ClockName::Sign), self.row()) {
            let mut sign = Clock { met_at: None, ..sign.clone() };
            if late || again {
                let own = counted(ClockName::Sign, now, row.sign_after, 0, self.rules, self.tables);
                if own.due_at > sign.due_at || sign.due_at <= now {
                    sign = own;
                }
            }
            clocks.push(sign);
        }
        clocks
    }

    /// The same, with these clocks in place of the ticket's.
    fn handed_as(&self, planned: Vec<Clock>) -> Vec<Clock> {
        if planned.is_empty() {
            return self.handed();
        }
        let mut ticket = self.ticket.clone();
        let mut clocks = planned;
        for clock in &clocks {
            if let Some(known) = ticket.clocks.iter_mut().find(|known| known.name == clock.name) {
                *known = clock.clone();
            }
        }
        let handed = Doing { ticket: &ticket, ..*self }.handed();
        clocks.retain(|clock| handed.iter().all(|one| one.name != clock.name));
        clocks.extend(handed);
        clocks
    }

    /// By when the dispatcher sends it on when it came back: as long as he has for a new one.
    fn dispatch_again(&self) -> Option<i64> {
        self.row().map(|row| self.after(self.now, row.dispatch))
    }

    /// A clock that ends on a day somebody named.
    fn until(&self, name: ClockName, until: i64) -> Option<Clock> {
        let clock = self.ticket.clock(name)?.clone();
        Some(Clock { due_at: until, span: None, extra: 0, unsure: false, ..clock })
    }

    fn named_day(&self, wish: &Wish) -> Result<i64, Vec<Refusal>> {
        let until = wish.until.map_or(0, |at| end_of_day(at, &self.tables.zone));
        if until <= self.now {
            return no("until", Why::Limit, "until: a day to come");
        }
        let city = self.ticket.city.as_ref().filter(|city| !city.free);
        let close = city.and_then(|city| city.order.named(ClockName::Close));
        if close.is_some_and(|close| until > close) {
            return no("until", Why::Limit, "until: not after the city's day; it can be asked for more time");
        }
        if until > self.now.saturating_add(3 * 366 * DAY_MS) {
            return no("until", Why::Limit, "until: at most three years from now");
        }
        Ok(until)
    }

    /// One arm for each step, in the table's order.
    fn events(&self, step: Step, mut wish: Wish) -> Result<Vec<Event>, Vec<Refusal>> {
        let (ticket, now, rules) = (self.ticket, self.now, self.rules);
        let waits = &rules.waits;
        let event = match step {
            Step::Dispatch => {
                let special = ticket.matter.special.as_deref().unwrap_or_default();
                let leaf = wish.category.as_deref().filter(|code| !code.is_empty());
                if leaf.or(ticket.matter.category.as_deref()).is_none() && !WITHOUT_LEAF.contains(&special) {
                    return no("category", Why::Needed, "category: needed before it is dispatched");
                }
                wish.assist.get_or_insert_with(Vec::new);
                // What the citizen wrote himself gets its leaf here, and with it its clocks.
                let clocks = self.handed_as(self.replanned(&mut wish));
                Event { clocks, ..self.to(step, wish, State::Dispatched) }
            }
            Step::Force => {
                self.forced_in_order(&wish)?;
                wish.assist.get_or_insert_with(Vec::new);
                Event { clocks: self.handed(), ..self.to(step, wish, State::Dispatched) }
            }
            Step::AskClarification => Event {
                due_at: Some(self.after(now, waits.clarify)),
                ..self.to(step, wish, State::Clarification)
            },
            Step::Clarify => {
                if wish.given().is_empty() {
                    return no("content", Why::Needed, "what was missing");
                }
                self.not_lowered(&wish)?;
                let clocks = self.replanned(&mut wish);
                // What came back from a unit is to be sent on again.
                let met = ticket.clock(ClockName::Dispatch).is_some_and(|clock| clock.met_at.is_some());
                let due_at = self.dispatch_again().filter(|_| met);
                Event { clocks, due_at, ..self.to(step, wish, State::Accepted) }
            }
            Step::Sign => {
                Event { clocks: self.met(ClockName::Sign, now), ..self.to(step, wish, State::Handling) }
            }
            Step::AskReturn => {
                if wish.to == ticket.lead {
                    return no("to", Why::NotHere, "to: another unit than the own");
                }
                if wish.to.as_deref().is_some_and(|to| self.excluded(to)) {
                    return no("to", Why::UnknownCode, "to: no such code here");
                }
                Event {
                    due_at: Some(self.after(now, waits.return_review)),
                    ..self.to(step, wish, State::ReturnReview)
                }
            }
            Step::GrantReturn => {
                let sign = ticket.clock(ClockName::Sign).map(|clock| Clock { met_at: None, ..clock.clone() });
                let clocks = sign.into_iter().collect();
                if ticket.granted_returns() + 1 >= rules.returns.per_ticket {
                    wish.step = Some("force".to_owned());
                }
                Event { clocks, due_at: self.dispatch_again(), ..self.to(step, wish, State::Accepted) }
            }
            Step::RefuseReturn => self.to(step, wish, State::Dispatched),
            Step::DecideObjection => {
                if wish.uphold == Some(true) {
                    if wish.lead.is_none() || wish.lead == ticket.lead {
                        return no("lead", Why::Needed, "lead: the unit that gets it instead");
                    }
                    Event { clocks: self.handed(), ..self.to(step, wish, State::Dispatched) }
                } else {
                    wish.lead = None;
                    self.event(step, wish)
                }
            }
            Step::AskExtension => {
                self.within_extension(wish.workdays)?;
                Event {
                    due_at: Some(self.after(now, waits.extension_review)),
                    ..self.to(step, wish, State::ExtensionReview)
                }
            }
            Step::GrantExtension => {
                let days = self.within_extension(wish.workdays)?;
                let clocks = [ClockName::Feedback, ClockName::Close]
                    .into_iter()
                    .filter_map(|name| {
                        let clock = ticket.clock(name)?;
                        Some(Clock { met_at: clock.met_at, ..self.longer(clock, days) })
                    })
                    .collect();
                Event { clocks, ..self.to(step, wish, State::Handling) }
            }
            Step::RefuseExtension | Step::Resume | Step::SendBack => self.to(step, wish, State::Handling),
            Step::AskJoint => Event {
                due_at: Some(self.after(now, waits.joint_review)),
                ..self.to(step, wish, State::JointReview)
            },
            Step::DecideJoint => {
                if wish.lead == ticket.lead {
                    self.to(step, wish, State::Handling)
                } else {
                    wish.assist.get_or_insert_with(Vec::new);
                    Event { clocks: self.handed(), ..self.to(step, wish, State::Dispatched) }
                }
            }
            Step::Defer => {
                let until = self.named_day(&wish)?;
                wish.until = Some(until);
                let clocks = [ClockName::Feedback, ClockName::Close]
                    .into_iter()
                    .filter_map(|name| self.until(name, until));
                Event {
                    clocks: clocks.collect(),
                    due_at: Some(until.min(self.after(now, waits.progress))),
                    ..self.to(step, wish, State::Deferred)
                }
            }
            Step::Progress => {
                let until = ticket.deferred.as_ref().map_or(now, |deferred| deferred.until);
                Event { due_at: Some(until.min(self.after(now, waits.progress))), ..self.event(step, wish) }
            }
            Step::Stage => {
                let until = self.named_day(&wish)?;
                wish.until = Some(until);
                let mut clocks = self.met(ClockName::Feedback, now);
                clocks.extend(self.until(ClockName::Close, until));
                Event { clocks, due_at: Some(until), ..self.to(step, wish, State::Staged) }
            }
            Step::PassDown => {
                let unit = wish.unit.clone().unwrap_or_default();
                // The lead passes down to its own, one of those to theirs.
                let own = ticket.subs.iter().find(|sub| Some(sub.unit.as_str()) == self.who.unit);
                let above = own.map_or(ticket.lead.as_deref(), |sub| Some(sub.unit.as_str()));
                let below = self.tables.district.unit(&unit).filter(|below| below.parent.as_deref() == above);
                let Some(below) = below else {
                    return no("unit", Why::UnknownCode, "unit: none of the own ones");
                };
                if ticket.subs.iter().any(|sub| sub.unit == unit) {
                    return no("unit", Why::State, "unit: it has it");
                }
                let running = [ClockName::Feedback, ClockName::Close]
                    .into_iter()
                    .find_map(|name| ticket.clock(name).filter(|clock| clock.met_at.is_none()));
                let end = own.map_or_else(|| running.map_or(now, |clock| clock.due_at), |sub| sub.due_at);
                let left = (end - now).max(0);
                let reserve =
                    (left * i64::from(below.reserve_pct) / 100).max(i64::from(below.reserve_min) * 60_000);
                wish.deadline = Some((end - reserve).max(now));
                self.event(step, wish)
            }
            Step::SubSign | Step::SubReply | Step::AssistReply => {
                wish.unit = self.who.unit.map(str::to_owned);
                self.event(step, wish)
            }
            Step::Contact => {
                let at = wish.at.unwrap_or(now);
                // Who had not got it cannot have called.
                if at > now || at < ticket.dispatched_at.unwrap_or(ticket.opened_at) {
                    return no("at", Why::Limit, "at: between the dispatch and now");
                }
                // There is no result before it was worked on; a redo is signed for anew.
                if wish.what.is_some() && ticket.signed_at.is_none_or(|signed| at < signed) {
                    return no("at", Why::Limit, "at: a result is told after the signing");
                }
                Event { clocks: self.met(ClockName::Contact, at), ..self.event(step, wish) }
            }
            Step::Reply => self.to(step, wish, State::Replied),
            Step::SignReply => Event {
                clocks: self.met(ClockName::Feedback, now),
                due_at: Some(self.after(now, waits.review)),
                ..self.to(step, wish, State::Replied)
            },
            Step::ReviewPass if ticket.matter.kind.as_deref() == Some("praise") => {
                return Ok(vec![self.event(step, wish), self.closed(None)]);
            }
            // Nobody is called back twice.
            Step::ReviewPass if ticket.city.as_ref().is_some_and(|city| city.order.visits) => {
                return Ok(vec![self.event(step, wish), self.closed(Some("city_visits"))]);
            }
            Step::ReviewPass => self.to(step, wish, State::AwaitingVisit),
            Step::ReviewBack => {
                let feedback =
                    ticket.clock(ClockName::Feedback).map(|clock| Clock { met_at: None, ..clock.clone() });
                Event { clocks: feedback.into_iter().collect(), ..self.to(step, wish, State::Handling) }
            }
            Step::VisitTry => return self.tried(wish),
            Step::Visit => return self.visited(wish),
            Step::Redo => return Ok(self.redone(wish)),
            Step::Supervise => {
                let lead = ticket.lead.as_deref().and_then(|lead| self.tables.district.unit(lead));
                wish.how = lead.filter(|unit| unit.supervise == "letter").map(|_| "letter".to_owned());
                if wish.deadline.is_some_and(|at| at <= now) {
                    return no("deadline", Why::Limit, "deadline: a time to come");
                }
                self.event(step, wish)
            }
            Step::Withdraw => self.to(step, wish, State::Withdrawn),
            Step::Reject => self.to(step, wish, State::Rejected),
            Step::Merge => self.to(step, wish, State::Closed),
            Step::Transfer => Event {
                due_at: Some(self.after(now, waits.transfer)),
                ..self.to(step, wish, State::Transferred)
            },
            Step::TransferReceipt => self.to(step, wish, State::Closed),
            Step::TransferRefused => {
                Event { due_at: self.dispatch_again(), ..self.to(step, wish, State::Accepted) }
            }
            Step::Raise => self.raised(wish)?,
            Step::Lower => self.lowered(wish)?,
            Step::Object => {
                wish.deadline = Some(self.after(now, waits.return_review));
                self.event(step, wish)
            }
            Step::Protect => self.protected(wish)?,
            Step::AskCityExtension => {
                let until = wish.until.map_or(0, |at| end_of_day(at, &self.tables.zone));
                let close = ticket.city.as_ref().and_then(|city| city.order.named(ClockName::Close));
                if until <= close.unwrap_or(now) || until > now.saturating_add(366 * DAY_MS) {
                    return no("until", Why::Limit, "until: a day after the city's, within a year");
                }
                wish.until = Some(until);
                self.event(step, wish)
            }
            Step::AskCityReturn
            | Step::AskCityExclusion
            | Step::EndSupervision
            | Step::Urge
            | Step::Supplement
            | Step::ApproveUnreasonable => self.event(step, wish),
            Step::Opened
            | Step::Closed
            | Step::Reminded
            | Step::VoiceUrged
            | Step::CityAnswered
            | Step::Late
            | Step::Escalated
            | Step::Recalculated => return no("action", Why::Role, "nobody's to do"),
        };
        Ok(vec![event])
    }

    fn within_extension(&self, days: Option<u32>) -> Result<u32, Vec<Refusal>> {
        let (days, most) = (days.unwrap_or(0), self.extension_max());
        if days == 0 || days > most {
            return no("workdays", Why::Limit, format!("workdays: 1 to {most}"));
        }
        Ok(days)
    }

    /// Forced assignment goes by an order: the catalogue, the first that took it, the street, whom the office names. A later step only
    /// where none before it names somebody.
    fn forced_in_order(&self, wish: &Wish) -> Result<(), Vec<Refusal>> {
        let (lead, step) =
            (wish.lead.as_deref().unwrap_or_default(), wish.step.as_deref().unwrap_or_default());
        for name in FORCE_STEPS {
            let named = self.force_candidate(name);
            if *name == step {
                return match named {
                    Some(unit) if unit != lead => {
                        no("lead", Why::NotHere, format!("lead: this step names {unit}"))
                    }
                    None if step != "named" => no("step", Why::State, "step: it names nobody here"),
                    _ => Ok(()),
                };
            }
            if named.is_some() {
                return no("step", Why::State, format!("step: {name} comes first and names a unit"));
            }
        }
        no("step", Why::UnknownCode, "step: list, first, territory or named")
    }

    /// Whom a step of the order names: nobody who gave it back with a good reason, and nobody who is complained about.
    fn force_candidate(&self, step: &str) -> Option<&str> {
        let (ticket, district) = (self.ticket, &self.tables.district);
        let gave_back =
            |unit: &str| ticket.returns.iter().any(|one| one.granted == Some(true) && one.unit == unit);
        let fit = |unit: &&str| !gave_back(unit) && !self.excluded(unit);
        let matter = &ticket.matter;
        match step {
            "list" => {
                let category = matter.category.as_deref()?;
                district.catalogue_lead(category, matter.street.as_deref()).filter(fit)
            }
            "first" => ticket.had.iter().map(String::as_str).find(fit),
            "territory" => district.street_office(matter.street.as_deref()?).filter(fit),
            _ => None,
        }
    }

    /// What another matter makes of the clocks. Times still count from the acceptance. A leaf that is more urgent makes it so, one that
    /// is less does not.
    fn replanned(&self, wish: &mut Wish) -> Vec<Clock> {
        let matter = &self.ticket.matter;
        if wish.urgency.is_none() {
            let leaf = wish.category.as_deref().and_then(|c| self.tables.district.urgency(c));
            let more = |leaf: &&str| matter.urgency.as_deref().is_none_or(|was| rank(leaf) < rank(was));
            wish.urgency = leaf.filter(more).map(str::to_owned);
        }
        let urgency = wish.urgency.as_deref().or(matter.urgency.as_deref());
        let kind = wish.kind.as_deref().or(matter.kind.as_deref());
        if urgency == matter.urgency.as_deref() && kind == matter.kind.as_deref() {
            return Vec::new();
        }
        let Some(row) = self.rules.row(urgency, kind) else { return Vec::new() };
        self.unmet_of(plan(row, self.ticket.opened_at, self.rules, self.tables))
    }

    /// Only clocks that still run are counted anew: not those of a day that somebody named, and with the days of an extension. A unit that
    /// has a later time to sign keeps it.
    fn unmet_of(&self, clocks: Vec<Clock>) -> Vec<Clock> {
        let anew = |clock: Clock| {
            let Some(known) = self.ticket.clock(clock.name) else { return Some(clock) };
            if known.met_at.is_some() {
                return None;
            }
            let handed = clock.name == ClockName::Sign && self.ticket.dispatched_at.is_some();
            if known.span.is_none() || (handed && known.due_at >= clock.due_at) {
                // Told again as it is, so that a time of the city's holds.
                return Some(known.clone());
            }
            Some(if known.extra > 0 { self.longer(&clock, known.extra) } else { clock })
        };
        clocks.into_iter().filter_map(anew).collect()
    }

    /// So many days of work later; where a person named the day, from that day on.
    fn longer(&self, clock: &Clock, days: u32) -> Clock {
        match clock.span {
            Some(span) => counted(clock.name, clock.from, span, clock.extra + days, self.rules, self.tables),
            None => {
                let span = Span { family: Family::Work, minutes: 0, days };
                let later = counted(clock.name, clock.due_at, span, 0, self.rules, self.tables);
                Clock { due_at: later.due_at, unsure: later.unsure, ..clock.clone() }
            }
        }
    }

    /// Lowering is the lead's, with a reason.
    fn not_lowered(&self, wish: &Wish) -> Result<(), Vec<Refusal>> {
        let (was, new) = (self.ticket.matter.urgency.as_deref(), wish.urgency.as_deref());
        match (was, new) {
            (Some(was), Some(new)) if rank(new) > rank(was) => {
                no("urgency", Why::Role, "urgency: lowered by a lead, with a reason")
            }
            _ => Ok(()),
        }
    }

    /// What the caller asked for later. Who is complained about has it no longer.
    fn protected(&self, mut wish: Wish) -> Result<Event, Vec<Refusal>> {
        if wish.given().iter().all(|name| *name == "reason") {
            return no("secrecy", Why::Needed, "what is to be changed");
        }
        let ticket = self.ticket;
        let mut clocks = Vec::new();
        if wish.special.is_some() && ticket.matter.urgency.as_deref() != Some("U") {
            wish.urgency = Some("U".to_owned());
            clocks = self.sooner(self.rules.row(Some("U"), ticket.matter.kind.as_deref()));
        }
        let target = match wish.complained_unit.as_deref() {
            Some(named) => Some(named).filter(|named| !named.is_empty()),
            None => ticket.matter.complained_unit.as_deref(),
        };
        let barred = |unit: &str| {
            target.is_some_and(|target| self.tables.district.line(unit).any(|one| one == target))
        };
        if ticket.lead.as_deref().is_some_and(barred) && !ticket.state.is_over() {
            // It begins again with the dispatcher; the citizen's clocks run on.
            let sign = ticket.clock(ClockName::Sign).map(|clock| Clock { met_at: None, ..clock.clone() });
            if clocks.is_empty() {
                clocks.extend(sign);
            }
            return Ok(Event {
                clocks,
                due_at: self.dispatch_again(),
                ..self.to(Step::Protect, wish, State::Accepted)
            });
        }
        if ticket.assist.iter().any(|unit| barred(unit)) {
            wish.assist = Some(ticket.assist.iter().filter(|unit| !barred(unit)).cloned().collect());
        }
        Ok(Event { clocks, ..self.event(Step::Protect, wish) })
    }

    /// This row's clocks from now on, where they are not later than what runs.
    fn sooner(&self, row: Option<&rules::Row>) -> Vec<Clock> {
        let Some(row) = row else { return Vec::new() };
        let sooner = plan(row, self.now, self.rules, self.tables).into_iter().filter_map(|clock| match self
            .ticket
            .clock(clock.name)
        {
            Some(known) if known.met_at.is_some() || known.due_at <= clock.due_at => None,
            _ => Some(clock),
        });
        sooner.collect()
    }

    fn raised(&self, mut wish: Wish) -> Result<Event, Vec<Refusal>> {
        let ticks = wish.ticks.as_deref().unwrap_or_default();
        let category = self.ticket.matter.category.as_deref().and_then(|c| self.tables.district.category(c));
        let happening = category.is_some_and(|category| category.happening);
        if !ticks.iter().any(|tick| tick != "happening" || happening) {
            return no("ticks", Why::Limit, "ticks: none of them makes this matter urgent");
        }
        wish.urgency = Some("U".to_owned());
        let kind = self.ticket.matter.kind.as_deref();
        let Some(row) = self.rules.row(Some("U"), kind) else {
            return no("urgency", Why::State, "no such row");
        };
        // From now on, and never later than it was.
        let clocks = self.sooner(Some(row));
        Ok(Event { clocks, ..self.event(Step::Raise, wish) })
    }

    fn lowered(&self, wish: Wish) -> Result<Event, Vec<Refusal>> {
        let was = self.ticket.matter.urgency.as_deref().unwrap_or("N");
        let new = wish.urgency.as_deref().unwrap_or_default();
        if rank(new) <= rank(was) {
            return no("urgency", Why::Limit, "urgency: a lower one");
        }
        let Some(row) = self.rules.row(Some(new), self.ticket.matter.kind.as_deref()) else {
            return no("urgency", Why::State, "no such row");
        };
        let clocks = self.unmet_of(plan(row, self.ticket.opened_at, self.rules, self.tables));
        Ok(Event { clocks, ..self.event(Step::Lower, wish) })
    }

    /// The end; `how` when it is not the usual one.
    fn closed(&self, how: Option<&str>) -> Event {
        let wish = Wish { result: how.map(str::to_owned), ..Wish::default() };
        Event { clocks: self.met(ClockName::Close, self.now), ..self.to(Step::Closed, wish, State::Closed) }
    }

    fn tried(&self, wish: Wish) -> Result<Vec<Event>, Vec<Refusal>> {
        let at = wish.at.unwrap_or(self.now);
        if at > self.now || at < self.ticket.opened_at {
            return no("at", Why::Limit, "at: between the acceptance and now");
        }
        let unreachable = |result: Option<&str>| usize::from(result == Some("unreachable"));
        let before: usize = self.ticket.tries.iter().map(|one| unreachable(Some(&one.result))).sum();
        let now = unreachable(wish.result.as_deref());
        // Three presses in a minute are one try: people are called at different times.
        let soon = |one: &VisitTry| one.result == "unreachable" && (at - one.at).abs() < VISIT_GAP_MS;
        if now == 1 && self.ticket.tries.iter().any(soon) {
            return no("at", Why::Limit, "at: two hours after the last try");
        }
        let refused = wish.result.as_deref() == Some("refused");
        let mut events = vec![self.event(Step::VisitTry, wish)];
        if refused {
            // He was asked and does not want to be: that is an end, and no verdict.
            events.push(self.closed(Some("refused")));
        } else if now == 1 && before + now >= self.rules.limits.visit_tries {
            events.push(self.closed(Some("unreached")));
        }
        Ok(events)
    }

    fn visited(&self, wish: Wish) -> Result<Vec<Event>, Vec<Refusal>> {
        let unhappy = wish.solved.as_deref() != Some("yes") || wish.matches == Some(false);
        let again = wish.redo == Some(true);
        if again && !unhappy {
            return no("redo", Why::State, "redo: what is solved is not done again");
        }
        let reason = wish.text.clone().unwrap_or_default();
        let mut events = vec![self.to(Step::Visit, wish, State::Visited)];
        if again {
            events.extend(self.redone(Wish { reason: Some(reason), ..Wish::default() }));
        } else {
            events.push(self.closed(None));
        }
        Ok(events)
    }

    /// A shorter clock from now on; once too often, and the office looks on.
    fn redone(&self, wish: Wish) -> Vec<Event> {
        let limits = &self.rules.limits;
        let clocks = self.row().map_or_else(Vec::new, |row| {
            let shorter = |span: Span| span.share(limits.redo_pct);
            [
                (ClockName::Sign, row.sign_after),
                (ClockName::Contact, shorter(row.contact)),
                (ClockName::Feedback, shorter(row.feedback)),
                (ClockName::Close, shorter(row.close)),
            ]
            .map(|(name, span)| counted(name, self.now, span, 0, self.rules, self.tables))
            .into()
        });
        let mut events = vec![Event { clocks, ..self.to(Step::Redo, wish, State::Redo) }];
        let press = self.ticket.lead.as_deref().and_then(|lead| self.tables.district.unit(lead));
        if self.ticket.redos + 1 > limits.redos && press.is_none_or(|unit| unit.supervise != "refer") {
            let letter = press.filter(|unit| unit.supervise == "letter").map(|_| "letter".to_owned());
            let wish = Wish { level: Some("supervise".to_owned()), how: letter, ..Wish::default() };
            events.push(self.event(Step::Supervise, wish));
        }
        events
    }
}
