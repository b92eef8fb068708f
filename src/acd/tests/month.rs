//! Wait estimates over a month of unsteady days: does the stated interval hold the truth four times in five, and does its middle beat
//! the single average that is usual (three parts old, one part the last wait)?

use super::dice::Dice;
use super::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Event {
    Arrive,
    Bind(OfferId),
    HangUp(AgentId, CallId),
    Patience(CallId),
    Shift,
}

#[derive(Debug, Default)]
struct Errors {
    n: u64,
    ours_s: f64,
    average_s: f64,
}

struct Month {
    dice: Dice,
    room: Acd,
    now: Time,
    agenda: BTreeMap<(Time, u64), Event>,
    noted: u64,
    calls: u64,
    /// Stated when he came: our middle, the average's guess.
    guessed: BTreeMap<CallId, (f64, f64)>,
    average_s: f64,
    unsteady: Errors,
    /// Intervals stated and later found right, by hour of day.
    by_hour: [(u64, u64); 24],
    told: BTreeMap<CallId, (Time, Duration, Duration)>,
    told_end: BTreeMap<CallId, (Time, u32)>,
    grown: u64,
}

const AGENTS: u64 = 14;

impl Month {
    fn note(&mut self, after: Duration, event: Event) {
        self.noted += 1;
        self.agenda.insert((self.now + after, self.noted), event);
    }

    fn hour(&self) -> u64 {
        self.now.as_millis() / 3_600_000
    }

    fn unsteady_day(&self) -> bool {
        self.hour() / 24 % 3 == 1
    }

    fn tell<R>(&mut self, fact: impl FnOnce(&mut Acd, Time, &mut Vec<Action>) -> R) -> R {
        let mut said = Vec::new();
        let result = fact(&mut self.room, self.now, &mut said);
        for action in said {
            match action {
                Action::Offer { offer, .. } => self.note(Duration::from_secs(2), Event::Bind(offer)),
                Action::Connect { agent, call, waited, .. } => {
                    let talk = self.dice.after(180.0) + Duration::from_secs(20);
                    self.note(talk, Event::HangUp(agent, call));
                    self.learn(call, waited.as_secs_f64());
                }
                _ => {}
            }
        }
        result
    }

    fn learn(&mut self, call: CallId, waited_s: f64) {
        if let Some((ours, average)) = self.guessed.remove(&call)
            && self.unsteady_day()
        {
            self.unsteady.n += 1;
            self.unsteady.ours_s += (ours - waited_s).abs();
            self.unsteady.average_s += (average - waited_s).abs();
        }
        if let Some((since, low, high)) = self.told.remove(&call) {
            let truth = self.now.since(since);
            let (right, all) = &mut self.by_hour[(since.as_millis() / 3_600_000 % 24) as usize];
            *all += 1;
            *right += u64::from(low <= truth && truth <= high);
        }
        self.average_s = (3.0 * self.average_s + waited_s) / 4.0;
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Arrive => {
                // Busy mornings; every third day a storm comes and goes.
                let hour = self.hour() % 24;
                let base = [25.0, 90.0, 150.0, 110.0, 140.0, 60.0][(hour / 4) as usize];
                let storm = if self.unsteady_day() && (9..12).contains(&hour) { 1.7 } else { 1.0 };
                let gap = self.dice.after(3600.0 / (base * storm));
                self.note(gap, Event::Arrive);
                self.calls += 1;
                let id = call(self.calls);
                let priority = if self.dice.chance(5) { 3 } else { 0 };
                self.tell(|acd, now, out| acd.enter(now, Enter::new(id, "main", priority), out));
                if let Some(stated) = self.room.places.get(&id).and_then(|place| place.stated) {
                    self.guessed.insert(id, (stated.middle.as_secs_f64(), self.average_s));
                    if stated.sure {
                        self.told.insert(id, (self.now, stated.low, stated.high));
                    }
                    let patience = self.dice.after(900.0);
                    self.note(patience, Event::Patience(id));
                }
            }
            Event::Bind(offer) => {
                if self.room.bound(offer).is_ok() {
                    self.tell(|acd, now, out| acd.answered(now, offer, out)).expect("bound");
                }
            }
            Event::HangUp(agent, id) => {
                self.tell(|acd, now, out| acd.hung_up(now, agent, id, out)).expect("on it");
            }
            Event::Patience(id) => {
                self.tell(|acd, now, out| acd.leave(now, id, out));
                self.guessed.remove(&id);
                self.told.remove(&id);
            }
            Event::Shift => {
                self.note(Duration::from_secs(3600), Event::Shift);
                let hour = self.hour() % 24;
                let seats = [3, 9, 14, 11, 13, 6][(hour / 4) as usize];
                // On unsteady days some do not come, or come late.
                let seats =
                    if self.unsteady_day() { seats - self.dice.below(3).min(seats - 2) } else { seats };
                for n in 0..AGENTS {
                    let id = name(&format!("{}", 8000 + n));
                    let fact = |acd: &mut Acd, now, out: &mut Vec<Action>| match n < seats {
                        true => acd.ready(now, id, out),
                        false => acd.not_ready(now, id, "off", out),
                    };
                    self.tell(fact).expect("logged in");
                }
            }
        }
    }

    /// What callers who still wait are told never gets later unless somebody stopped serving.
    fn listen(&mut self) {
        let waiting: Vec<CallId> = self.room.calls_waiting().take(5).collect();
        for id in waiting {
            let drops =
                self.room.places.get(&id).and_then(|p| self.room.lines.get(&p.line)).map_or(0, |l| l.drops);
            let Some((_, high)) = self.room.estimate(self.now, id) else { continue };
            let end = self.now + high;
            if let Some((before, then)) = self.told_end.insert(id, (end, drops))
                && then == drops
            {
                self.grown += u64::from(end > before);
            }
        }
    }
}

#[test]
fn four_in_five_stated_waits_are_true_over_a_month() {
    let queue = QueueConfig { max_waiting: 400, ..QueueConfig::default() };
    let people: Vec<AgentSpec> =
        (0..AGENTS).map(|n| person(&format!("{}", 8000 + n), &["main"], &[])).collect();
    let room = Room::new(queue, &people).staffed();
    let mut month = Month {
        dice: Dice::new(7),
        room: room.acd,
        now: room.now,
        agenda: BTreeMap::new(),
        noted: 0,
        calls: 0,
        guessed: BTreeMap::new(),
        average_s: 0.0,
        unsteady: Errors::default(),
        by_hour: [(0, 0); 24],
        told: BTreeMap::new(),
        told_end: BTreeMap::new(),
        grown: 0,
    };
    month.note(Duration::ZERO, Event::Shift);
    month.note(Duration::from_secs(1), Event::Arrive);
    while month.hour() < 24 * 30 {
        let due = month.room.poll_timeout();
        let next = month.agenda.first_key_value().map(|(key, _)| key.0).expect("calls never end");
        month.now = month.now.max(due.map_or(next, |due| due.min(next)));
        if due.is_some_and(|due| due <= month.now) {
            month.tell(|acd, now, out| acd.handle_timeout(now, out));
        } else if let Some((_, event)) = month.agenda.pop_first() {
            month.happens(event);
        }
        month.listen();
    }
    let calibration = month.room.calibration("main").expect("a queue");
    let (ours, average) =
        (month.unsteady.ours_s / month.unsteady.n as f64, month.unsteady.average_s / month.unsteady.n as f64);
    eprintln!(
        "{} calls, {calibration:?} ({:.1} %); unsteady days: off by {ours:.0} s, the average by {average:.0} s",
        month.calls,
        calibration.share_inside() * 100.0
    );
    let hours: Vec<String> = month.by_hour.iter().map(|(right, all)| format!("{right}/{all}")).collect();
    eprintln!("by hour: {}", hours.join(" "));
    assert!(calibration.stated() > 2_000, "{calibration:?}");
    assert!((0.75..=0.85).contains(&calibration.share_inside()), "{calibration:?}");
    assert!(ours < average, "{ours} against {average}");
    assert_eq!(month.grown, 0, "an estimate grew");
}
