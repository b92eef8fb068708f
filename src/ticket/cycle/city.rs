//! 市派: the city's number and its clocks, which bind unchanged; what is asked of the city, and what its answers do.

use super::model::{Clock, ClockName, Event, State, Step, Tables, Ticket, Wish};
use super::step::counted;
use serde::{Deserialize, Serialize};

/// What the city gave with its order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CityOrder {
    /// Its number.
    pub no: String,
    /// Its deadlines, milliseconds since 1970; in the order of the clocks.
    pub due: Vec<(ClockName, i64)>,
    /// It calls the citizen back itself: we do not.
    pub visits: bool,
}

impl CityOrder {
    /// The city's own deadline of a clock.
    pub fn named(&self, name: ClockName) -> Option<i64> {
        self.due.iter().find(|(one, _)| *one == name).map(|(_, at)| *at)
    }

    /// Nothing of ours ends after what the city named for it or for anything behind it.
    pub fn cap(&self, name: ClockName) -> Option<i64> {
        self.due.iter().filter(|(one, _)| *one >= name).map(|(_, at)| *at).min()
    }

    /// The clock as the city lets it be: what it named stands unchanged, everything else may only be earlier. What is urgent here
    /// may be earlier in both.
    pub(super) fn bound(&self, clock: Clock, urgent: bool) -> Clock {
        match self.named(clock.name) {
            Some(at) if !urgent || clock.due_at > at => {
                Clock { due_at: at, span: None, extra: 0, unsure: false, ..clock }
            }
            Some(_) => clock,
            None => {
                let cap = self.cap(clock.name).unwrap_or(i64::MAX);
                Clock { due_at: clock.due_at.min(cap), ..clock }
            }
        }
    }
}

/// What can be asked of the city.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CityWish {
    /// 退单.
    Return,
    /// 延期.
    Extension,
    /// 剔除, and 申诉 when that was refused.
    Exclusion,
}

impl CityWish {
    pub const ALL: &[Self] = &[Self::Return, Self::Extension, Self::Exclusion];
    pub const fn label(self) -> &'static str {
        match self {
            Self::Return => "return",
            Self::Extension => "extension",
            Self::Exclusion => "exclusion",
        }
    }
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.label() == text)
    }
    /// The step that asks for it.
    pub const fn of(step: Step) -> Option<Self> {
        match step {
            Step::AskCityReturn => Some(Self::Return),
            Step::AskCityExtension => Some(Self::Extension),
            Step::AskCityExclusion => Some(Self::Exclusion),
            _ => None,
        }
    }
    /// So often: an appeal follows a refused exclusion, the others are asked for once.
    pub(super) const fn most(self) -> usize {
        match self {
            Self::Return | Self::Extension => 1,
            Self::Exclusion => 2,
        }
    }
}

/// Something that was asked of the city.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CityAsk {
    pub what: CityWish,
    pub at: i64,
    /// The day asked for, of an extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    pub granted: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<i64>,
    /// Why it answered so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// A ticket's dealings with the city that sent it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct City {
    pub order: CityOrder,
    #[serde(default)]
    pub asks: Vec<CityAsk>,
    /// It took the ticket back: over here.
    #[serde(default)]
    pub returned: bool,
    /// It was taken up again after the city's time: the district's own clocks count.
    #[serde(default)]
    pub free: bool,
}

impl City {
    pub(super) const fn new(order: CityOrder) -> Self {
        Self { order, asks: Vec::new(), returned: false, free: false }
    }

    /// What still waits for the city's answer.
    pub fn waits(&self, what: CityWish) -> Option<&CityAsk> {
        self.asks.iter().find(|ask| ask.what == what && ask.granted.is_none())
    }

    pub(super) fn over_at(&self) -> i64 {
        self.order.due.iter().map(|(_, at)| *at).max().unwrap_or(0)
    }

    /// What an event says of it.
    pub(super) fn note(&mut self, at: i64, event: &Event) {
        let wish = &event.wish;
        if let Some(what) = CityWish::of(event.step) {
            let until = wish.until;
            let ask = CityAsk { what, at, until, granted: None, answered_at: None, reason: String::new() };
            self.asks.push(ask);
        }
        if event.step == Step::Redo && self.over_at() <= at {
            self.free = true;
        }
        if event.step != Step::CityAnswered {
            return;
        }
        let what = wish.what.as_deref().and_then(CityWish::read);
        let open = self.asks.iter_mut().find(|ask| Some(ask.what) == what && ask.granted.is_none());
        if let Some(ask) = open {
            ask.granted = wish.uphold;
            ask.answered_at = Some(at);
            ask.reason = wish.reason.clone().unwrap_or_default();
            self.returned |= ask.what == CityWish::Return && event.state == Some(State::Transferred);
        }
        if let Some(order) = &event.city {
            self.order = order.clone();
        }
    }
}

/// What the city's answer does; nothing when nothing of the kind waits for one. Applied, it comes no second time.
pub fn answered(
    ticket: &Ticket,
    what: CityWish,
    granted: bool,
    until: Option<i64>,
    reason: &str,
    now: i64,
    tables: &Tables,
) -> Vec<Event> {
    let Some(city) = &ticket.city else { return Vec::new() };
    let Some(ask) = city.waits(what) else { return Vec::new() };
    let mut event = Event::new(Step::CityAnswered);
    event.wish = Wish {
        what: Some(what.label().to_owned()),
        uphold: Some(granted),
        reason: Some(reason.to_owned()).filter(|reason| !reason.is_empty()),
        ..Wish::default()
    };
    match (what, granted) {
        (CityWish::Return, true) if !ticket.is_over() => event.state = Some(State::Transferred),
        // As by the dispatcher's own no: the unit goes on, by the city's time.
        (CityWish::Return, false) if ticket.state == State::ReturnReview => {
            event.state = Some(State::Dispatched);
        }
        (CityWish::Extension, true) => {
            let old = city.order.named(ClockName::Close).unwrap_or(now);
            // Never earlier than it was: that would be no extension.
            let close = until.or(ask.until).unwrap_or(old).max(old);
            let mut order = city.order.clone();
            for (name, at) in &mut order.due {
                if matches!(name, ClockName::Feedback | ClockName::Close) {
                    *at = at.saturating_add(close - old);
                }
            }
            let urgent = ticket.matter.urgency.as_deref() == Some("U");
            let rules = tables.rules_of(ticket);
            // What only the city's time had cut short has its own again.
            let again = |clock: &Clock| {
                let own = rules
                    .zip(clock.span)
                    .map(|(rules, span)| counted(clock.name, clock.from, span, clock.extra, rules, tables));
                order.bound(own.unwrap_or_else(|| clock.clone()), urgent)
            };
            let running = ticket.clocks.iter().filter(|clock| clock.met_at.is_none() && !city.free);
            event.clocks = running
                .map(|clock| (clock, again(clock)))
                .filter(|(was, is)| *was != is)
                .map(|(_, is)| is)
                .collect();
            event.wish.until = Some(close);
            event.city = Some(order);
        }
        _ => {}
    }
    if what == CityWish::Extension && ticket.state == State::ExtensionReview {
        event.state = Some(State::Handling);
    }
    vec![event]
}

impl Ticket {
    /// The city's order that binds its clocks.
    fn binding(&self) -> Option<&CityOrder> {
        self.city.as_ref().filter(|city| !city.free).map(|city| &city.order)
    }

    /// A clock as the city lets it be.
    pub(super) fn bound(&self, clock: Clock) -> Clock {
        let urgent = self.matter.urgency.as_deref() == Some("U");
        match self.binding() {
            Some(order) => order.bound(clock, urgent),
            None => clock,
        }
    }

    /// Events with clocks as the city lets them be.
    pub(super) fn bound_all(&self, mut events: Vec<Event>, now: i64) -> Vec<Event> {
        let Some(order) = self.binding() else { return events };
        for event in &mut events {
            let over = self.city.as_ref().is_some_and(|city| city.over_at() <= now);
            if event.step == Step::Redo && over {
                continue;
            }
            let urgency = event.wish.urgency.as_ref().or(self.matter.urgency.as_ref());
            let urgent = urgency.is_some_and(|urgency| urgency == "U");
            for clock in &mut event.clocks {
                *clock = order.bound(clock.clone(), urgent);
            }
            // A state's own wait ends with the city's time, unless that is over.
            let end = order.cap(ClockName::Close).filter(|end| *end > now);
            if let (Some(due), Some(end)) = (event.due_at, end) {
                event.due_at = Some(due.min(end));
            }
        }
        events
    }
}
