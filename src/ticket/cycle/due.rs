//! What time itself does to a ticket: reminders, lateness, an escalation, clocks that are counted again.

use super::model::{Clock, ClockName, Event, State, Step, Tables, Ticket};
use super::step::counted;
use crate::ticket::rules::Rules;

/// Clocks that somebody is reminded of: those that run and whose turn it is. A unit is reminded of nothing before it has the ticket.
fn running<'a>(ticket: &'a Ticket) -> impl Iterator<Item = Clock> + 'a {
    let with_unit = ticket.dispatched_at.is_some() && ticket.lead.is_some();
    ticket
        .clocks
        .iter()
        .filter(move |clock| match clock.name {
            ClockName::Sign | ClockName::Contact => with_unit,
            _ => true,
        })
        .cloned()
        .chain(
            [ClockName::Step, ClockName::Objection, ClockName::Supervision]
                .into_iter()
                .filter_map(|name| ticket.deadline(name)),
        )
        .filter(|clock| clock.met_at.is_none())
}

/// Thresholds of a clock that nobody was told of, with their moments.
fn untold<'a>(
    ticket: &'a Ticket,
    clock: &'a Clock,
    rules: &'a Rules,
) -> impl Iterator<Item = (u8, i64)> + 'a {
    // What is done at the last millisecond is not late.
    let moment = |pct| if pct == 100 { clock.due_at.saturating_add(1) } else { clock.at_pct(pct) };
    let thresholds = rules.remind.iter().copied().filter(|pct| *pct <= 100);
    thresholds
        .map(move |pct| (pct, moment(pct)))
        .filter(move |(pct, _)| !ticket.reminded.contains(&(clock.name, *pct, clock.due_at)))
}

/// When time will next do something; `None`: never by itself.
pub fn watch_at(ticket: &Ticket, tables: &Tables) -> Option<i64> {
    if ticket.is_over() {
        return None;
    }
    let rules = tables.rules_of(ticket)?;
    let clocks: Vec<Clock> = running(ticket).collect();
    let reminders =
        clocks.iter().filter_map(|clock| untold(ticket, clock, rules).map(|(_, at)| at).min()).min();
    let escalates =
        (ticket.state == State::Clarification && !ticket.escalated).then_some(ticket.due_at).flatten();
    reminders.into_iter().chain(escalates).chain(resumes(ticket)).min()
}

/// When a 挂账 is over: on the day of its plan it goes on by itself.
fn resumes(ticket: &Ticket) -> Option<i64> {
    let until = ticket.deferred.as_ref().filter(|_| ticket.state == State::Deferred)?.until;
    Some(until.saturating_add(1))
}

/// What has come due by `now`. Applied, it comes no second time.
pub fn due(ticket: &Ticket, now: i64, tables: &Tables) -> Vec<Event> {
    let Some(rules) = tables.rules_of(ticket).filter(|_| !ticket.is_over()) else { return Vec::new() };
    let again = recalculated(ticket, rules, tables);
    if !again.is_empty() {
        return vec![Event { clocks: again, ..Event::new(Step::Recalculated) }];
    }
    let mut events = Vec::new();
    for clock in running(ticket) {
        for (pct, at) in untold(ticket, &clock, rules) {
            if at <= now {
                let step = if pct == 100 { Step::Late } else { Step::Reminded };
                events.push(Event { clock: Some((clock.name, pct)), ..Event::new(step) });
            }
        }
    }
    if resumes(ticket).is_some_and(|at| at <= now) {
        events.push(Event { state: Some(State::Handling), ..Event::new(Step::Resume) });
    }
    if ticket.state == State::Clarification && !ticket.escalated && ticket.due_at.is_some_and(|at| at <= now)
    {
        events.push(Event::new(Step::Escalated));
    }
    events
}

/// Clocks that the calendar of today counts otherwise: its year has come, or a holiday was announced later.
fn recalculated(ticket: &Ticket, rules: &Rules, tables: &Tables) -> Vec<Clock> {
    let again = |clock: &Clock| {
        let now = ticket.bound(counted(clock.name, clock.from, clock.span?, clock.extra, rules, tables));
        let same = now.due_at == clock.due_at && now.unsure == clock.unsure;
        if same { None } else { Some(Clock { met_at: clock.met_at, ..now }) }
    };
    ticket.clocks.iter().filter(|clock| clock.met_at.is_none()).filter_map(again).collect()
}
