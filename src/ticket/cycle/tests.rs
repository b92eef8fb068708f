//! Ten thousand lives of tickets by all roles in virtual time, against a second table that was written apart from the first.

use super::table::TABLE;
use super::*;
use crate::roster::Calendar;
use crate::ticket::district::District;
use crate::ticket::indicators::{Indicator, Weights, value};
use crate::ticket::life::{Refusal, Why};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const HOUR: i64 = 3_600_000;
const HISTORIES: u32 = 10_000;

fn zone() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap()
}

fn calendar(text: &str) -> Arc<Calendar> {
    let (calendar, problems) = Calendar::read(&[("2026.toml".to_owned(), text.to_owned())]);
    assert!(problems.is_empty(), "{problems:?}");
    Arc::new(calendar)
}

const YEAR: &str = include_str!("../../../district/calendar/2026.toml");

fn tables() -> Tables {
    Tables::shipped(calendar(YEAR), zone())
}

fn ms(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

/// The second table: step; states it may be done in; by whom (`u` `h` the lead's liaison and head, `au` `ah` an assisting unit's,
/// `su` `sh` those of a unit it was passed down to; `ag` `ld` `dp` `vi` `of`; `ag!` only when it is urgent); states it may lead to,
/// `=` for the same.
pub(crate) const SECOND: &str = "
dispatch            | accepted                                   | ag! ld dp of | dispatched
ask_clarification   | accepted                                   | dp           | clarification
clarify             | clarification                              | ag ld dp     | accepted
sign                | dispatched redo                            | u h          | handling
ask_return          | dispatched handling                        | u h          | return_review
grant_return        | return_review                              | dp of        | accepted
refuse_return       | return_review                              | dp of        | dispatched
force               | accepted return_review                     | of           | dispatched
object              | dispatched handling                        | u h          | =
decide_objection    | dispatched handling                        | of           | = dispatched
ask_extension       | handling                                   | u h          | extension_review
grant_extension     | extension_review                           | of           | handling
refuse_extension    | extension_review                           | of           | handling
ask_joint           | handling                                   | u h of       | joint_review
decide_joint        | joint_review                               | of           | handling dispatched
defer               | handling                                   | of           | deferred
resume              | deferred                                   | u h of       | handling
progress            | deferred                                   | u h of       | =
stage               | handling                                   | u h          | staged
pass_down           | dispatched handling staged                 | u h su sh    | =
sub_sign            | dispatched handling extension_review joint_review deferred staged redo | su sh | =
sub_reply           | dispatched handling extension_review joint_review deferred staged redo | su sh | =
contact             | handling extension_review joint_review deferred staged replied awaiting_visit | u h | =
assist_reply        | dispatched handling extension_review joint_review deferred staged redo | au ah | =
reply               | handling staged                            | u h          | replied
sign_reply          | replied                                    | h            | =
send_back           | replied                                    | h            | handling
review_pass         | replied                                    | dp of        | awaiting_visit closed
review_back         | replied                                    | dp of        | handling
visit_try           | awaiting_visit                             | vi of        | = closed
visit               | awaiting_visit                             | vi of        | closed redo
redo                | closed visited                             | vi of        | redo
supervise           | OPEN                                       | of           | =
end_supervision     | OPEN                                       | of           | =
urge                | OPEN                                       | ag ld vi of  | =
supplement          | OPEN                                       | ag ld dp vi of | =
withdraw            | OPEN                                       | ag ld dp vi of | withdrawn
reject              | accepted                                   | ld of        | rejected
merge               | accepted                                   | ld dp        | closed
transfer            | accepted                                   | of           | transferred
transfer_receipt    | transferred                                | of           | closed
transfer_refused    | transferred                                | of           | accepted
raise               | OPEN                                       | ag ld dp     | =
lower               | OPEN                                       | ld           | =
approve_unreasonable| handling replied awaiting_visit visited closed | of       | =
protect             | TOLD                                       | ag ld dp vi of | = accepted
ask_city_return     | accepted dispatched return_review handling | dp of        | =
ask_city_extension  | dispatched handling extension_review redo  | of           | =
ask_city_exclusion  | OPEN closed                                | of           | =
";
const OPEN: &str = "accepted clarification dispatched return_review handling extension_review joint_review deferred staged \
    replied awaiting_visit visited redo transferred";

struct Line {
    from: BTreeSet<&'static str>,
    who: BTreeSet<&'static str>,
    to: BTreeSet<&'static str>,
}

fn second() -> BTreeMap<&'static str, Line> {
    let words = |text: &'static str| text.split_whitespace().collect::<BTreeSet<_>>();
    let line = |line: &'static str| {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let mut from = words(parts[1]);
        if from.remove("TOLD") {
            from.extend(words("OPEN closed rejected withdrawn"));
        }
        if from.remove("OPEN") {
            from.extend(words(OPEN));
        }
        (parts[0], Line { from, who: words(parts[2]), to: words(parts[3]) })
    };
    SECOND.trim().lines().map(line).collect()
}

struct Dice(u64);

impl Dice {
    /// SplitMix64: small numbers drawn one after the other must not hang together.
    fn draw(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) >> 8).unwrap() % below.max(1)
    }
    fn one_in(&mut self, n: usize) -> bool {
        self.draw(n) == 0
    }
    fn of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.draw(all.len())]
    }
}

/// Somebody, with his place in the second table.
#[derive(Clone, Copy, Debug)]
struct Somebody {
    user: &'static str,
    hand: Hand,
    unit: Option<&'static str>,
}

impl Somebody {
    fn who(&self) -> Who<'_> {
        Who { user: self.user, hands: std::slice::from_ref(&self.hand), unit: self.unit }
    }
}

const fn desk(user: &'static str, hand: Hand) -> Somebody {
    Somebody { user, hand, unit: None }
}
const fn of_unit(unit: &'static str, hand: Hand) -> Somebody {
    Somebody { user: unit, hand, unit: Some(unit) }
}

/// Everybody: the hotline, units of every kind, what is below them, and who is complained about.
const PEOPLE: &[Somebody] = &[
    desk("8001", Hand::Agent),
    desk("lead", Hand::Lead),
    desk("dispatcher", Hand::Dispatcher),
    desk("visitor", Hand::Visitor),
    desk("office", Hand::Office),
    desk("bad", Hand::Office),
    of_unit("rl", Hand::Unit),
    of_unit("rl", Hand::Head),
    of_unit("rl-bzf", Hand::Unit),
    of_unit("st019", Hand::Unit),
    of_unit("st019", Hand::Head),
    of_unit("st019-sq", Hand::Unit),
    of_unit("st019-sq-w1", Hand::Unit),
    of_unit("cgw", Hand::Unit),
    of_unit("cgw", Hand::Head),
    of_unit("cgw-szk", Hand::Unit),
    of_unit("st018", Hand::Unit),
    of_unit("st018", Hand::Head),
];

const LEADS: &[&str] = &["rl", "st019", "cgw"];

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// What might come with the step: mostly sensible, sometimes not.
fn wish(dice: &mut Dice, step: Step, now: i64) -> Wish {
    let mut wish = Wish::default();
    let lead = dice.of(LEADS);
    let day = now + i64::try_from(dice.draw(40 * 24)).unwrap() * HOUR;
    match step {
        Step::Dispatch => {
            wish.lead = text(lead);
            wish.assist =
                Some(LEADS.iter().filter(|u| **u != lead && dice.one_in(2)).map(|&u| u.into()).collect());
        }
        Step::Force => {
            wish.step = text(dice.of(&["list", "first", "territory", "named"]));
            wish.lead = text(lead);
            wish.reason = text("权责不清");
        }
        Step::DecideJoint => {
            wish.lead = text(lead);
            wish.reason = text("会商纪要");
        }
        Step::DecideObjection => {
            wish.uphold = Some(dice.one_in(2));
            wish.lead = text(lead);
            wish.reason = text("裁定");
        }
        Step::AskClarification => wish.missing = text("地址"),
        Step::Clarify => {
            wish.address = text("3 号楼");
            if dice.one_in(3) {
                wish.kind = text(dice.of(&["help", "consult", "complaint"]));
            }
        }
        Step::AskReturn => {
            wish.basis = text("权责清单");
            wish.to = text(lead);
        }
        Step::GrantReturn
        | Step::RefuseReturn
        | Step::RefuseExtension
        | Step::AskJoint
        | Step::SendBack
        | Step::ReviewBack
        | Step::Redo
        | Step::Withdraw
        | Step::Reject
        | Step::Transfer
        | Step::TransferRefused
        | Step::ApproveUnreasonable => wish.reason = text("理由"),
        Step::Object
        | Step::Progress
        | Step::SubReply
        | Step::AssistReply
        | Step::Urge
        | Step::Supplement => wish.text = text("说明"),
        Step::AskExtension => {
            wish.workdays = Some(u32::try_from(dice.draw(5)).unwrap());
            wish.reason = text("材料未齐");
        }
        Step::GrantExtension => wish.workdays = Some(u32::try_from(dice.draw(4)).unwrap()),
        Step::Defer => {
            wish.until = Some(day);
            wish.plan = text("改造");
        }
        Step::Stage => {
            wish.until = Some(day);
            wish.basis = text("行政处罚法");
            wish.text = text("已立案");
        }
        Step::PassDown => wish.unit = text(dice.of(&["rl-bzf", "st019-sq", "cgw-szk", "st019-sq-w1"])),
        Step::Contact => {
            wish.how = text(dice.of(&["phone", "visit"]));
            wish.at = dice.one_in(2).then_some(now - HOUR);
            wish.what = dice.one_in(3).then(|| "result".to_owned());
        }
        Step::Reply => {
            wish.report = text("内部");
            wish.text = text("答复");
            wish.claim = text(dice.of(&["solved", "partial", "explained"]));
        }
        Step::VisitTry => wish.result = text(dice.of(&["unreachable", "unreachable", "later", "refused"])),
        Step::Visit => {
            wish.contacted = Some(true);
            wish.solved = text(dice.of(&["yes", "partial", "no"]));
            wish.satisfied = text(dice.of(&["very", "satisfied", "basic", "not", "very_not"]));
            wish.matches = [None, Some(true), Some(false)][dice.draw(3)];
            wish.redo = [None, Some(true)][dice.draw(2)];
        }
        Step::Supervise => {
            wish.level = text("supervise");
            wish.text = text("限期办理");
        }
        Step::Protect => match dice.draw(4) {
            0 => wish.complained_unit = text(lead),
            1 => wish.notify = text("text_only"),
            2 => wish.special = text("retaliation"),
            _ => wish.secrecy = text("secret"),
        },
        Step::AskCityReturn | Step::AskCityExclusion => wish.basis = text("不在本区"),
        Step::AskCityExtension => {
            wish.until = Some(day);
            wish.reason = text("需备料");
        }
        Step::Merge => wish.into = text("261123000018"),
        Step::TransferReceipt => wish.city_no = text("12345-1"),
        Step::Raise => wish.ticks = Some(vec![dice.of(&["happening", "trapped", "crowd"]).to_owned()]),
        Step::Lower => {
            wish.urgency = text(dice.of(&["L", "N"]));
            wish.reason = text("已脱险");
        }
        Step::Sign
        | Step::Resume
        | Step::SubSign
        | Step::SignReply
        | Step::ReviewPass
        | Step::EndSupervision
        | Step::Opened
        | Step::Closed
        | Step::Reminded
        | Step::VoiceUrged
        | Step::CityAnswered
        | Step::Late
        | Step::Escalated
        | Step::Recalculated => {}
    }
    // Something is amiss now and then.
    if dice.one_in(25) {
        wish.reason = text("");
    }
    if dice.one_in(25) {
        wish.lead = text("nobody");
    }
    wish
}

/// Whether the second table gives this person a part in the step.
fn by_second(line: &Line, ticket: &Ticket, who: Somebody, district: &District) -> bool {
    let about =
        |unit: &str| district.line(unit).any(|one| Some(one) == ticket.matter.complained_unit.as_deref());
    if ticket.matter.complained_person.as_deref() == Some(who.user) || who.unit.is_some_and(about) {
        return false;
    }
    let head = who.hand == Hand::Head;
    let name =
        match (who.hand, who.unit) {
            (Hand::Agent, _) if line.who.contains("ag!") => {
                return ticket.matter.urgency.as_deref() == Some("U");
            }
            (Hand::Agent, _) => "ag",
            (Hand::Lead, _) => "ld",
            (Hand::Dispatcher, _) => "dp",
            (Hand::Visitor, _) => "vi",
            (Hand::Office, _) => "of",
            (Hand::Unit | Hand::Head, unit) if ticket.lead.as_deref() == unit => {
                if head {
                    "h"
                } else {
                    "u"
                }
            }
            (Hand::Unit | Hand::Head, Some(unit)) if ticket.assist.iter().any(|one| one == unit) => {
                if head {
                    "ah"
                } else {
                    "au"
                }
            }
            (Hand::Unit | Hand::Head, Some(unit)) if ticket.subs.iter().any(|sub| sub.unit == unit) => {
                if head { "sh" } else { "su" }
            }
            _ => return false,
        };
    line.who.contains(name)
}

/// An order with some of the clocks, in their order.
fn city_order(dice: &mut Dice, at: i64) -> CityOrder {
    let mut due = Vec::new();
    let mut end = at + HOUR;
    for name in
        [ClockName::Dispatch, ClockName::Sign, ClockName::Contact, ClockName::Feedback, ClockName::Close]
    {
        end += i64::try_from(dice.draw(60)).unwrap() * HOUR;
        if name == ClockName::Close || dice.one_in(3) {
            due.push((name, end));
        }
    }
    CityOrder { no: "12345TEST2612030001".to_owned(), due, visits: dice.one_in(2) }
}

/// A life under examination: the ticket as it is, and all that was written of it.
struct Life {
    ticket: Ticket,
    written: Vec<(i64, String, &'static str, serde_json::Value, Option<serde_json::Value>)>,
}

impl Life {
    fn begin(matter: Matter, at: i64, tables: &Tables) -> Self {
        Self::of(open(matter, None, Vec::new(), at, tables), at)
    }

    fn of(event: Event, at: i64) -> Self {
        let ticket = Ticket::fold([(at, "user:8001", &event)]).unwrap();
        let mut life = Self { ticket, written: Vec::new() };
        life.note(at, "user:8001", &event);
        life
    }

    fn note(&mut self, at: i64, actor: &str, event: &Event) {
        let (kind, open, sealed) = event.written();
        self.written.push((at, actor.to_owned(), kind, open, sealed));
    }

    fn live(&mut self, at: i64, actor: &str, event: &Event) {
        self.ticket.apply(at, actor, event);
        self.note(at, actor, event);
    }

    /// What holds at every moment.
    #[track_caller]
    fn examine_now(&self, now: i64, story: &str) {
        let ticket = &self.ticket;
        // The city's time binds: what it named stands, and nothing of ours ends after it.
        if let Some(city) = ticket.city.as_ref().filter(|city| !city.free) {
            for clock in &ticket.clocks {
                let (named, cap) = (city.order.named(clock.name), city.order.cap(clock.name));
                assert!(
                    cap.is_none_or(|cap| clock.due_at <= cap),
                    "{:?} after the city's: {story}",
                    clock.name
                );
                let urgent = ticket.matter.urgency.as_deref() == Some("U");
                // What was done while it was urgent was done by an earlier time.
                let free = urgent || clock.met_at.is_some();
                assert!(free || named.is_none_or(|at| clock.due_at == at), "{:?}: {story}", clock.name);
            }
        }
        if ticket.is_over() {
            assert!(ticket.owner.is_none() && ticket.next().is_none(), "{story}");
        } else {
            assert!(ticket.owner.is_some(), "open without an owner: {story}");
            assert!(ticket.next().is_some(), "open without a deadline: {story}");
        }
        let sum: i64 = ticket.shares(now).iter().map(|held| held.ms).sum();
        assert_eq!(
            sum,
            ticket.closed_at.unwrap_or(now) - ticket.opened_at,
            "the parts are the whole: {story}"
        );
    }

    /// And that the history alone makes the ticket.
    #[track_caller]
    fn examine(&self, now: i64, story: &str) {
        self.examine_now(now, story);
        let ticket = &self.ticket;
        let read: Vec<(i64, &str, Event)> = self
            .written
            .iter()
            .map(|(at, actor, kind, open, sealed)| {
                (*at, actor.as_str(), Event::read(kind, open, sealed.as_ref()).expect(kind))
            })
            .collect();
        let folded = Ticket::fold(read.iter().map(|(at, actor, event)| (*at, *actor, event)));
        assert_eq!(folded.as_ref(), Some(ticket), "the history makes another ticket: {story}");
        let text = serde_json::to_string(ticket).unwrap();
        assert_eq!(serde_json::from_str::<Ticket>(&text).unwrap(), *ticket, "{story}");
    }
}

#[test]
fn ten_thousand_lives_keep_the_second_table() {
    let seed = std::env::var("SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        u64::from(now.subsec_nanos()) | 1
    });
    println!("SEED={seed}");
    let (second, tables) = (second(), tables());
    assert_eq!(second.len(), TABLE.len(), "a step without a line");
    // Ends are rare, or nothing would grow old; what only adds a line is rarer than what moves it on.
    let ends = [Step::Withdraw, Step::Reject, Step::Merge, Step::Transfer];
    let asides = [
        Step::Urge,
        Step::Supplement,
        Step::Supervise,
        Step::EndSupervision,
        Step::Raise,
        Step::Lower,
        Step::ApproveUnreasonable,
        Step::Protect,
    ];
    let mut done: BTreeMap<&'static str, u32> = BTreeMap::new();
    let mut states: BTreeSet<&'static str> = BTreeSet::new();
    for n in 0..HISTORIES {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(u64::from(n) * 2 + 1) | 1);
        let begun = ms("2026-01-05T00:00:00+08:00") + i64::try_from(dice.draw(8_000)).unwrap() * HOUR;
        let matter = Matter {
            kind: text(dice.of(&["help", "complaint", "consult", "praise"])),
            category: text(dice.of(&["030101", "040104", "050101", "010201", "030203"])),
            street: text("110102019"),
            urgency: text(dice.of(&["U", "L", "N", "N", "C"])),
            special: None,
            complained_unit: dice.one_in(3).then(|| "st018".to_owned()),
            complained_person: dice.one_in(3).then(|| "bad".to_owned()),
        };
        // Every third comes from the city.
        let mut life = if dice.one_in(3) {
            Life::of(open_for_city(matter, city_order(&mut dice, begun), begun, &tables), begun)
        } else {
            Life::begin(matter, begun, &tables)
        };
        let mut now = begun;
        for _ in 0..5 + dice.draw(30) {
            // Minutes mostly, days sometimes.
            now += match dice.draw(10) {
                0 => i64::try_from(dice.draw(20 * 24)).unwrap() * HOUR,
                1 | 2 => i64::try_from(dice.draw(10)).unwrap() * HOUR,
                _ => i64::try_from(dice.draw(20)).unwrap() * 60_000,
            };
            for event in due(&life.ticket, now, &tables) {
                life.live(now, "system", &event);
            }
            assert_eq!(due(&life.ticket, now, &tables), [], "time did it twice (SEED={seed}, history {n})");
            // The city answers now and then, whatever has become of the ticket meanwhile.
            let waits = CityWish::ALL
                .iter()
                .find(|what| life.ticket.city.as_ref().is_some_and(|city| city.waits(**what).is_some()));
            if let Some(what) = waits.filter(|_| dice.one_in(4)) {
                let before = life.ticket.city.clone().map(|city| city.order);
                let granted = dice.one_in(2);
                for event in answered(&life.ticket, *what, granted, None, "市平台意见", now, &tables) {
                    life.live(now, "city", &event);
                }
                assert_eq!(
                    answered(&life.ticket, *what, granted, None, "", now, &tables),
                    [],
                    "the city did it twice"
                );
                if *what != CityWish::Extension || !granted {
                    assert_eq!(life.ticket.city.clone().map(|city| city.order), before);
                }
                *done.entry("city_answered").or_default() += 1;
            }
            // Mostly somebody who can move it on does so; else anybody does anything.
            let mut somebody = PEOPLE[dice.draw(PEOPLE.len())];
            let mut chosen = Step::ALL[dice.draw(Step::ALL.len())];
            if !dice.one_in(4) {
                for _ in 0..PEOPLE.len() {
                    let who = PEOPLE[dice.draw(PEOPLE.len())];
                    let offered = allowed(&life.ticket, who.who(), now, &tables);
                    let rare = |one: &Step| match one {
                        one if ends.contains(one) => 60,
                        one if asides.contains(one) => 12,
                        _ => 1,
                    };
                    let moves: Vec<Step> = offered.into_iter().filter(|one| dice.one_in(rare(one))).collect();
                    if !moves.is_empty() {
                        (somebody, chosen) = (who, moves[dice.draw(moves.len())]);
                        break;
                    }
                }
            }
            let who = somebody.who();
            let offered = allowed(&life.ticket, who, now, &tables);
            let wish = wish(&mut dice, chosen, now);
            let story = format!(
                "SEED={seed}, history {n}: {} of {} by {somebody:?}",
                chosen.label(),
                life.ticket.state.label()
            );
            let before = life.ticket.state;
            let outcome = step(&life.ticket, chosen, &wish, who, now, &tables);
            let Some(line) = second.get(chosen.label()) else {
                assert!(outcome.is_err(), "nobody may: {story}");
                continue;
            };
            let his = by_second(line, &life.ticket, somebody, &tables.district);
            let here = line.from.contains(before.label());
            match outcome {
                Err(reasons) => {
                    let role = reasons.iter().any(|one: &Refusal| one.why == Why::Role);
                    assert_eq!(role, !his, "{story}: {reasons:?}");
                }
                Ok(events) => {
                    assert!(his && here, "{story}");
                    assert!(offered.contains(&chosen), "done and not offered: {story}");
                    for event in &events {
                        life.live(now, "user:x", event);
                    }
                    let after = life.ticket.state;
                    let fits = line.to.contains(after.label()) || (after == before && line.to.contains("="));
                    assert!(fits, "{story} leads to {}", after.label());
                    *done.entry(chosen.label()).or_default() += 1;
                    states.insert(after.label());
                }
            }
            // Whoever is complained about is offered nothing.
            if !his && stand(&life.ticket, who.unit, who.user, &tables.district) == Stand::Complained {
                assert!(offered.is_empty(), "{story}");
            }
            life.examine_now(now, &story);
        }
        life.examine(now, &format!("SEED={seed}, history {n}"));
    }
    let rare: Vec<_> = second.keys().filter(|step| done.get(*step).copied().unwrap_or(0) < 2).collect();
    assert!(rare.is_empty(), "too rarely done to mean anything: {rare:?} (SEED={seed}); {done:?}");
    let never: Vec<_> =
        State::ALL.iter().map(|state| state.label()).filter(|state| !states.contains(state)).collect();
    // One passes through `visited` within one step.
    assert_eq!(never, ["visited"], "never reached (SEED={seed})");
}

// === Single stories ===

fn matter(urgency: &str, kind: &str) -> Matter {
    Matter {
        kind: text(kind),
        category: text("030101"),
        street: text("110102019"),
        urgency: text(urgency),
        ..Matter::default()
    }
}

fn life(urgency: &str, at: &str) -> Life {
    Life::begin(matter(urgency, "help"), ms(at), &tables())
}

#[track_caller]
fn does(life: &mut Life, by: Somebody, what: Step, wish: Wish, at: i64) {
    let hands = [by.hand];
    let who = Who { user: by.user, hands: &hands, unit: by.unit };
    let events =
        step(&life.ticket, what, &wish, who, at, &tables()).unwrap_or_else(|e| panic!("{what:?}: {e:?}"));
    for event in &events {
        life.live(at, by.user, event);
    }
    life.examine(at, what.label());
}

#[track_caller]
fn refused(life: &Life, by: Somebody, what: Step, wish: &Wish, at: i64) -> Vec<(&'static str, Why)> {
    let hands = [by.hand];
    let who = Who { user: by.user, hands: &hands, unit: by.unit };
    let told = step(&life.ticket, what, wish, who, at, &tables()).expect_err("refused");
    told.into_iter().map(|one| (one.field, one.why)).collect()
}

const DISPATCHER: Somebody = desk("dispatcher", Hand::Dispatcher);
const OFFICE: Somebody = desk("office", Hand::Office);
const VISITOR: Somebody = desk("visitor", Hand::Visitor);
const RL: Somebody = of_unit("rl", Hand::Unit);
const RL_HEAD: Somebody = of_unit("rl", Hand::Head);
const CGW: Somebody = of_unit("cgw", Hand::Unit);
const CGW_HEAD: Somebody = of_unit("cgw", Hand::Head);

fn to(lead: &str) -> Wish {
    Wish { lead: text(lead), ..Wish::default() }
}
fn because(reason: &str) -> Wish {
    Wish { reason: text(reason), ..Wish::default() }
}
fn answer() -> Wish {
    Wish { report: text("内部"), text: text("答复"), claim: text("solved"), ..Wish::default() }
}
fn no_heat() -> Wish {
    Wish { basis: text("权责清单"), to: text("cgw"), ..Wish::default() }
}

fn due_of(life: &Life, name: ClockName) -> String {
    let at = jiff::Timestamp::from_millisecond(life.ticket.clock(name).unwrap().due_at).unwrap();
    zone().to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
}

#[test]
fn clocks_follow_the_matrix_over_midnight_month_and_year() {
    // 24 hours a day: over midnight, the end of a month, the end of the year.
    for (at, urgency, clocks) in [
        (
            "2026-11-16T06:52:00+08:00",
            "L",
            [
                "2026-11-16 07:22",
                "2026-11-16 07:52",
                "2026-11-16 08:52",
                "2026-11-17 06:52",
                "2026-11-19 06:52",
            ],
        ),
        (
            "2026-06-20T23:55:00+08:00",
            "U",
            [
                "2026-06-21 00:05",
                "2026-06-21 00:20",
                "2026-06-21 00:25",
                "2026-06-21 01:55",
                "2026-06-21 23:55",
            ],
        ),
        (
            "2026-02-28T23:50:00+08:00",
            "U",
            [
                "2026-03-01 00:00",
                "2026-03-01 00:15",
                "2026-03-01 00:20",
                "2026-03-01 01:50",
                "2026-03-01 23:50",
            ],
        ),
        (
            "2026-12-31T22:10:00+08:00",
            "U",
            [
                "2026-12-31 22:20",
                "2026-12-31 22:35",
                "2026-12-31 22:40",
                "2027-01-01 00:10",
                "2027-01-01 22:10",
            ],
        ),
        // The holidays stand still for N (SC04 without its tick): from 22 June.
        (
            "2026-06-20T23:42:00+08:00",
            "N",
            [
                "2026-06-22 11:00",
                "2026-06-22 17:30",
                "2026-06-22 17:30",
                "2026-06-26 17:30",
                "2026-06-30 17:30",
            ],
        ),
        (
            "2026-02-13T16:00:00+08:00",
            "N",
            [
                "2026-02-14 09:30",
                "2026-02-14 17:30",
                "2026-02-14 17:30",
                "2026-02-27 17:30",
                "2026-03-02 17:30",
            ],
        ),
        // Calendar days end at 24:00.
        (
            "2026-07-12T09:10:00+08:00",
            "C",
            [
                "2026-07-13 09:10",
                "2026-07-14 09:10",
                "2026-07-14 09:10",
                "2026-07-28 00:00",
                "2026-07-28 00:00",
            ],
        ),
    ] {
        let life = life(urgency, at);
        let got: Vec<String> = life.ticket.clocks.iter().map(|clock| due_of(&life, clock.name)).collect();
        assert_eq!(got, clocks, "{urgency} received {at}");
    }
    let consult = Life::begin(matter("N", "consult"), ms("2026-11-23T10:00:00+08:00"), &tables());
    assert_eq!(due_of(&consult, ClockName::Feedback), "2026-11-25 17:30");
    assert_eq!(due_of(&consult, ClockName::Close), "2026-11-27 17:30");
}

#[test]
fn a_year_without_a_calendar_warns_and_is_counted_again_when_it_comes() {
    let at = ms("2026-12-28T10:00:00+08:00");
    let mut life = Life::begin(matter("N", "help"), at, &tables());
    assert!(life.ticket.unsure(), "five days of work reach into a year nobody has published");
    assert_eq!(due_of(&life, ClockName::Feedback), "2027-01-04 17:30", "Monday to Friday");
    assert_eq!(due(&life.ticket, at, &tables()), [], "nothing new, nothing counted");
    // The notice comes: New Year's day and the Monday behind it are off.
    let next = "year = 2027\n[[holiday]]\nname = \"元旦\"\nfrom = 2027-01-01\nto = 2027-01-04\n[makeup]\ndays = []\n[statutory]\ndays = [2027-01-01]\n";
    let files = [("2026.toml".to_owned(), YEAR.to_owned()), ("2027.toml".to_owned(), next.to_owned())];
    let (both, problems) = Calendar::read(&files);
    assert!(problems.is_empty(), "{problems:?}");
    let later = Tables::shipped(Arc::new(both), zone());
    let events = due(&life.ticket, at, &later);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].step, Step::Recalculated);
    life.live(at, "system", &events[0]);
    assert_eq!(due_of(&life, ClockName::Feedback), "2027-01-06 17:30");
    assert!(!life.ticket.unsure());
    assert_eq!(due(&life.ticket, at, &later), []);
    life.examine(at, "counted again");
}

/// A holiday that is announced after the ticket was dated moves what still runs and nothing that was met.
#[test]
fn a_holiday_announced_later_moves_what_still_runs() {
    let before = YEAR.replacen("[[holiday]]\nname = \"国庆节\"\nfrom = 2026-10-01\nto = 2026-10-07\n", "", 1);
    assert_ne!(before, YEAR);
    let statutory = "    2026-10-01, 2026-10-02, 2026-10-03,\n";
    let before = before.replacen(statutory, "", 1);
    let known = Tables::shipped(calendar(&before), zone());
    let at = ms("2026-09-29T10:00:00+08:00");
    let mut life = Life::begin(matter("N", "help"), at, &known);
    let hands = [Hand::Dispatcher];
    let who = Who { user: "dispatcher", hands: &hands, unit: None };
    let events = step(&life.ticket, Step::Dispatch, &to("rl"), who, at + HOUR, &known).unwrap();
    life.live(at + HOUR, "user:dispatcher", &events[0]);
    let was = due_of(&life, ClockName::Feedback);
    let events = due(&life.ticket, at + HOUR, &tables());
    assert_eq!(events[0].step, Step::Recalculated);
    assert!(events[0].clocks.iter().all(|clock| clock.name != ClockName::Dispatch), "it was met");
    life.live(at + HOUR, "system", &events[0]);
    assert_eq!(
        (was.as_str(), due_of(&life, ClockName::Feedback).as_str()),
        ("2026-10-06 17:30", "2026-10-12 17:30")
    );
}

#[test]
fn the_way_of_a_ticket_from_dispatch_to_closed() {
    let mut life = life("L", "2026-11-16T06:52:00+08:00");
    let at = |minutes: i64| ms("2026-11-16T06:52:00+08:00") + minutes * 60_000;
    does(&mut life, DISPATCHER, Step::Dispatch, to("rl"), at(5));
    does(&mut life, RL, Step::Sign, Wish::default(), at(20));
    let contact = Wish { how: text("phone"), ..Wish::default() };
    does(&mut life, RL, Step::Contact, contact, at(30));
    does(&mut life, RL, Step::Reply, answer(), at(300));
    assert_eq!(life.ticket.owner.as_ref().unwrap().role, Hand::Head);
    assert_eq!(
        refused(&life, DISPATCHER, Step::ReviewPass, &Wish::default(), at(301)),
        [("action", Why::State)]
    );
    does(&mut life, RL_HEAD, Step::SignReply, Wish::default(), at(310));
    does(&mut life, DISPATCHER, Step::ReviewPass, Wish::default(), at(320));
    let verdict =
        Wish { contacted: Some(true), solved: text("yes"), satisfied: text("satisfied"), ..Wish::default() };
    does(&mut life, VISITOR, Step::Visit, verdict, at(400));
    assert_eq!(life.ticket.state, State::Closed);
    assert!(life.ticket.clocks.iter().all(|clock| clock.state(at(500)) == "met"), "{:?}", life.ticket.clocks);
    let shares: BTreeMap<_, _> = life
        .ticket
        .shares(at(500))
        .into_iter()
        .map(|held| (held.owner.map(|owner| owner.role.label()), held.ms / 60_000))
        .collect();
    let want = [("dispatcher", 15), ("unit", 295), ("unit_head", 10), ("visitor", 80)];
    assert_eq!(shares, want.map(|(role, minutes)| (Some(role), minutes)).into());
}

#[test]
fn returns_end_in_a_forced_assignment_in_its_order() {
    let mut life = Life::begin(
        Matter { category: text("030203"), ..matter("C", "help") },
        ms("2026-07-13T09:10:00+08:00"),
        &tables(),
    );
    let at = |minutes: i64| ms("2026-07-13T09:10:00+08:00") + minutes * 60_000;
    let listed = tables().district.catalogue_lead("030203", Some("110102019")).unwrap().to_owned();
    let unit = |key: &'static str| of_unit(key, Hand::Unit);
    let (first, other) = (listed.clone(), if listed == "cgw" { "rl" } else { "cgw" });
    let first: &'static str = Box::leak(first.into_boxed_str());
    does(&mut life, DISPATCHER, Step::Dispatch, to(first), at(5));
    let back = |to: &str| Wish { basis: text("权责清单"), to: text(to), ..Wish::default() };
    does(&mut life, unit(first), Step::AskReturn, back(other), at(10));
    does(&mut life, DISPATCHER, Step::GrantReturn, because("有理"), at(20));
    assert_eq!(life.ticket.state, State::Accepted);
    does(&mut life, DISPATCHER, Step::Dispatch, to(other), at(25));
    does(&mut life, unit(other), Step::AskReturn, back(first), at(30));
    does(&mut life, OFFICE, Step::GrantReturn, because("有理"), at(40));
    // The limit is reached: only force goes on.
    assert_eq!(refused(&life, DISPATCHER, Step::Dispatch, &to("rl"), at(41)), [("action", Why::Limit)]);
    let force = |step: &str, lead: &str| Wish {
        step: text(step),
        lead: text(lead),
        reason: text("按顺序"),
        ..Wish::default()
    };
    // The list names one that gave it back with good reason, nobody took it: the street is next.
    assert_eq!(refused(&life, OFFICE, Step::Force, &force("list", first), at(42)), [("step", Why::State)]);
    assert_eq!(refused(&life, OFFICE, Step::Force, &force("first", first), at(42)), [("step", Why::State)]);
    assert_eq!(refused(&life, OFFICE, Step::Force, &force("named", "st018"), at(42)), [("step", Why::State)]);
    assert_eq!(
        refused(&life, OFFICE, Step::Force, &force("territory", "st018"), at(42)),
        [("lead", Why::NotHere)]
    );
    does(&mut life, OFFICE, Step::Force, force("territory", "st019"), at(43));
    let street = unit("st019");
    assert_eq!(refused(&life, street, Step::AskReturn, &back("cgw"), at(44)), [("action", Why::Limit)]);
    does(&mut life, street, Step::Object, Wish { text: text("异议"), ..Wish::default() }, at(45));
    let again = Wish { text: text("再议"), ..Wish::default() };
    assert_eq!(refused(&life, street, Step::Object, &again, at(46)), [("action", Why::Limit)]);
    let ruling = Wish { uphold: Some(false), reason: text("属地"), ..Wish::default() };
    does(&mut life, OFFICE, Step::DecideObjection, ruling, at(50));
    assert_eq!(life.ticket.lead.as_deref(), Some("st019"), "the ruling is final");
    does(&mut life, street, Step::Sign, Wish::default(), at(55));
    let plan = Wish { until: Some(at(60 * 24 * 60)), plan: text("排水改造"), ..Wish::default() };
    does(&mut life, OFFICE, Step::Defer, plan, at(60));
    assert_eq!(life.ticket.state, State::Deferred);
}

#[test]
fn a_return_has_its_window_and_its_number() {
    for (urgency, special, minutes) in [("L", None, 240), ("U", None, 60), ("U", Some("violence"), 30)] {
        let begun = ms("2026-11-23T09:30:00+08:00");
        let matter = Matter { special: special.map(str::to_owned), ..matter(urgency, "help") };
        let mut life = Life::begin(matter, begun, &tables());
        does(&mut life, DISPATCHER, Step::Dispatch, to("rl"), begun);
        let late = begun + minutes * 60_000 + 1;
        assert_eq!(
            refused(&life, RL, Step::AskReturn, &no_heat(), late),
            [("action", Why::Late)],
            "{urgency}"
        );
        does(&mut life, RL, Step::AskReturn, no_heat(), late - 1);
        does(&mut life, DISPATCHER, Step::RefuseReturn, because("是你们的"), late);
        assert_eq!(
            refused(&life, RL, Step::AskReturn, &no_heat(), late),
            [("action", Why::Limit)],
            "no second one"
        );
    }
}

#[test]
fn an_extension_is_asked_in_time_and_once() {
    let begun = ms("2026-11-23T09:30:00+08:00");
    let mut life = Life::begin(matter("N", "help"), begun, &tables());
    does(&mut life, DISPATCHER, Step::Dispatch, to("rl"), begun);
    does(&mut life, RL, Step::Sign, Wish::default(), begun);
    let ask = |days| Wish { workdays: Some(days), reason: text("材料未齐"), ..Wish::default() };
    let late = life.ticket.clock(ClockName::Feedback).unwrap().due_at + 1;
    assert_eq!(refused(&life, RL, Step::AskExtension, &ask(1), late), [("action", Why::Late)]);
    assert_eq!(
        refused(&life, RL, Step::AskExtension, &ask(4), begun),
        [("workdays", Why::Limit)],
        "half of seven"
    );
    does(&mut life, RL, Step::AskExtension, ask(3), begun);
    let grant = Wish { workdays: Some(2), ..Wish::default() };
    does(&mut life, OFFICE, Step::GrantExtension, grant, begun);
    assert_eq!(due_of(&life, ClockName::Feedback), "2026-12-02 17:30", "five and two days of work");
    assert_eq!(due_of(&life, ClockName::Close), "2026-12-04 17:30");
    assert_eq!(refused(&life, RL, Step::AskExtension, &ask(1), begun), [("action", Why::Limit)]);
    let mut urgent = Life::begin(matter("U", "help"), begun, &tables());
    does(&mut urgent, DISPATCHER, Step::Dispatch, to("rl"), begun);
    does(&mut urgent, RL, Step::Sign, Wish::default(), begun);
    assert_eq!(refused(&urgent, RL, Step::AskExtension, &ask(1), begun), [("action", Why::Limit)]);
}

#[test]
fn reminders_come_at_their_percent_and_once() {
    let begun = ms("2026-11-23T09:00:00+08:00");
    let mut life = Life::begin(matter("U", "help"), begun, &tables());
    let mut told: Vec<(i64, &str, u8)> = Vec::new();
    let mut now = begun;
    // Time is only looked at when it said it would do something.
    while let Some(at) = watch_at(&life.ticket, &tables()).filter(|at| *at < begun + 11 * 60_000) {
        assert!(at >= now, "time goes on");
        now = at;
        assert_eq!(due(&life.ticket, now - 1, &tables()), [], "not before its moment");
        for event in due(&life.ticket, now, &tables()) {
            let (clock, pct) = event.clock.unwrap();
            told.push(((now - begun) / 1_000, clock.label(), pct));
            life.live(now, "system", &event);
        }
    }
    assert_eq!(told, [(300, "dispatch", 50), (480, "dispatch", 80), (600, "dispatch", 100)]);
    assert_eq!(life.ticket.light(begun + 11 * 60_000), Light::Red);
    // A late dispatch moves the unit's own clock; the citizen's stay.
    let feedback = due_of(&life, ClockName::Feedback);
    does(&mut life, DISPATCHER, Step::Dispatch, to("rl"), begun + 20 * 60_000);
    assert_eq!(due_of(&life, ClockName::Sign), "2026-11-23 09:35", "dispatched at 09:20");
    assert_eq!(due_of(&life, ClockName::Feedback), feedback);
    assert_eq!(life.ticket.clock(ClockName::Dispatch).unwrap().state(now), "late");
}

#[test]
fn corrections_go_to_the_lead_after_half_an_hour() {
    let begun = ms("2026-11-23T09:00:00+08:00");
    let mut life = Life::begin(matter("N", "help"), begun, &tables());
    let ask = Wish { missing: text("门牌"), ..Wish::default() };
    does(&mut life, DISPATCHER, Step::AskClarification, ask, begun);
    assert_eq!(life.ticket.owner.as_ref().unwrap().role, Hand::Agent);
    assert!(due(&life.ticket, begun + 29 * 60_000, &tables()).iter().all(|e| e.step != Step::Escalated));
    let now = begun + 30 * 60_000;
    for event in due(&life.ticket, now, &tables()) {
        life.live(now, "system", &event);
    }
    assert_eq!(life.ticket.owner.as_ref().unwrap().role, Hand::Lead);
    let fill = Wish { address: text("3 号楼"), kind: text("consult"), ..Wish::default() };
    does(&mut life, desk("lead", Hand::Lead), Step::Clarify, fill, now);
    assert_eq!(due_of(&life, ClockName::Feedback), "2026-11-25 17:30", "counted from the acceptance");
}

#[test]
fn a_statutory_procedure_is_neither_late_nor_closed_until_its_day() {
    let begun = ms("2026-11-23T09:00:00+08:00");
    let mut life = Life::begin(matter("N", "help"), begun, &tables());
    does(&mut life, DISPATCHER, Step::Dispatch, to("rl"), begun);
    does(&mut life, RL, Step::Sign, Wish::default(), begun);
    let stage = Wish {
        basis: text("市场监管投诉举报办法"),
        until: Some(ms("2026-12-31T00:00:00+08:00")),
        text: text("已受理"),
        ..Wish::default()
    };
    does(&mut life, RL, Step::Stage, stage, begun + HOUR);
    let day = ms("2026-12-31T23:59:59+08:00");
    assert!(due(&life.ticket, day, &tables()).iter().all(|e| {
        e.clock.is_none_or(|(name, pct)| pct < 100 || name == ClockName::Contact || name == ClockName::Sign)
    }));
    let late = due(&life.ticket, day + 1_001, &tables());
    assert!(
        late.iter().any(|e| e.step == Step::Late && e.clock == Some((ClockName::Close, 100))),
        "{late:?}"
    );
}

#[test]
fn a_third_redo_is_supervised_and_a_week_is_the_end() {
    let begun = ms("2026-11-23T09:00:00+08:00");
    let mut life = Life::begin(matter("L", "help"), begun, &tables());
    does(&mut life, DISPATCHER, Step::Dispatch, to("rl"), begun);
    for round in 0..3 {
        let at = begun + (1 + round) * HOUR;
        does(&mut life, RL, Step::Sign, Wish::default(), at);
        does(&mut life, RL, Step::Reply, answer(), at);
        does(&mut life, RL_HEAD, Step::SignReply, Wish::default(), at);
        does(&mut life, DISPATCHER, Step::ReviewPass, Wish::default(), at);
        let verdict = Wish {
            contacted: Some(true),
            solved: text("no"),
            satisfied: text("not"),
            redo: Some(true),
            ..Wish::default()
        };
        does(&mut life, VISITOR, Step::Visit, verdict, at);
        let close = life.ticket.clock(ClockName::Close).unwrap();
        assert_eq!((close.due_at - close.from) / HOUR, 36, "half of three days");
        assert_eq!(life.ticket.supervised.is_some(), round == 2, "round {round}");
    }
    assert!(life.ticket.supervised.as_ref().unwrap().letter, "a company that takes no orders gets a letter");
    let at = begun + 5 * HOUR;
    does(&mut life, RL, Step::Sign, Wish::default(), at);
    does(&mut life, RL, Step::Reply, answer(), at);
    does(&mut life, RL_HEAD, Step::SignReply, Wish::default(), at);
    does(&mut life, DISPATCHER, Step::ReviewPass, Wish::default(), at);
    let nobody = || Wish { result: text("unreachable"), ..Wish::default() };
    for tries in 0..3 {
        does(&mut life, VISITOR, Step::VisitTry, nobody(), at + 2 * tries * HOUR);
        // A second press is no second try.
        if tries < 2 {
            let soon = at + 2 * tries * HOUR + 60_000;
            assert_eq!(refused(&life, VISITOR, Step::VisitTry, &nobody(), soon), [("at", Why::Limit)]);
        }
    }
    assert!(life.ticket.state == State::Closed && life.ticket.unreached);
    let week = 7 * 24 * HOUR;
    let closed = life.ticket.closed_at.unwrap();
    assert_eq!(refused(&life, OFFICE, Step::Redo, &because("x"), closed + week + 1), [("action", Why::Late)]);
    does(&mut life, OFFICE, Step::Redo, because("仍不热"), closed + week);
}

#[test]
fn what_is_passed_down_has_an_inner_deadline() {
    let begun = ms("2026-11-23T09:00:00+08:00");
    let mut life = Life::begin(matter("L", "help"), begun, &tables());
    does(&mut life, DISPATCHER, Step::Dispatch, to("rl"), begun);
    does(&mut life, RL, Step::Sign, Wish::default(), begun);
    let pass = |unit: &str| Wish { unit: text(unit), text: text("上门"), ..Wish::default() };
    assert_eq!(refused(&life, RL, Step::PassDown, &pass("st019-sq"), begun), [("unit", Why::UnknownCode)]);
    does(&mut life, RL, Step::PassDown, pass("rl-bzf"), begun);
    let due = life.ticket.subs[0].due_at;
    assert_eq!((due - begun) / 60_000, 24 * 60 * 80 / 100, "a fifth is kept");
    assert_eq!(
        refused(&life, of_unit("st019-sq", Hand::Unit), Step::SubSign, &Wish::default(), begun),
        [("action", Why::Role)]
    );
    does(&mut life, of_unit("rl-bzf", Hand::Unit), Step::SubSign, Wish::default(), begun);
    let reply = Wish { text: text("已修"), ..Wish::default() };
    does(&mut life, of_unit("rl-bzf", Hand::Unit), Step::SubReply, reply, begun + HOUR);
    assert_eq!(life.ticket.owner.as_ref().unwrap().unit.as_deref(), Some("rl"), "the first level answers");
}

#[test]
fn who_does_not_want_to_be_asked_is_not_asked_for_ever() {
    let begun = ms("2026-11-23T09:00:00+08:00");
    let mut life = replied(begun);
    let no = Wish { result: text("refused"), ..Wish::default() };
    does(&mut life, VISITOR, Step::VisitTry, no, begun + 8 * HOUR);
    assert!(life.ticket.state == State::Closed && !life.ticket.unreached && life.ticket.visit.is_none());
}

#[test]
fn what_was_put_off_goes_on_by_itself_on_its_day() {
    let begun = ms("2026-11-23T09:00:00+08:00");
    let known = tables();
    let mut life = Life::begin(matter("C", "help"), begun, &known);
    does(&mut life, DISPATCHER, Step::Dispatch, to("rl"), begun);
    does(&mut life, RL, Step::Sign, Wish::default(), begun);
    let day = Wish { until: Some(ms("2026-12-01T00:00:00+08:00")), plan: text("换管"), ..Wish::default() };
    does(&mut life, OFFICE, Step::Defer, day, begun);
    let until = life.ticket.deferred.as_ref().unwrap().until;
    let resumes = |now| due(&life.ticket, now, &known).iter().any(|event| event.step == Step::Resume);
    assert!(!resumes(until) && resumes(until + 1));
    assert!(watch_at(&life.ticket, &known).is_some_and(|at| at <= until + 1));
}

#[test]
fn the_citizens_clocks_say_what_is_late_while_a_state_has_its_own() {
    // Friday afternoon: the dispatcher rules on Monday, the citizen was promised tonight.
    let begun = ms("2026-11-27T17:20:00+08:00");
    let mut life = Life::begin(matter("U", "help"), begun, &tables());
    does(&mut life, DISPATCHER, Step::Dispatch, to("rl"), begun);
    let back = Wish { basis: text("权责清单"), to: text("cgw"), ..Wish::default() };
    does(&mut life, RL, Step::AskReturn, back, begun + 20 * 60_000);
    let next = life.ticket.next().unwrap();
    assert_eq!((next.name, next.due_at), (ClockName::Feedback, begun + 2 * HOUR));
}

#[test]
fn nobody_called_before_he_had_it() {
    let begun = ms("2026-11-23T09:00:00+08:00");
    let mut life = Life::begin(matter("L", "help"), begun, &tables());
    does(&mut life, DISPATCHER, Step::Dispatch, to("rl"), begun + HOUR);
    does(&mut life, RL, Step::Sign, Wish::default(), begun + HOUR);
    let called = |at| Wish { at: Some(at), how: text("phone"), ..Wish::default() };
    let now = begun + 2 * HOUR;
    assert_eq!(refused(&life, RL, Step::Contact, &called(begun), now), [("at", Why::Limit)]);
    does(&mut life, RL, Step::Contact, called(begun + HOUR), now);
    assert_eq!(life.ticket.told_at, None, "that somebody called says nothing of a result");
    let told = |at| Wish { what: text("result"), ..called(at) };
    assert_eq!(
        refused(&life, RL, Step::Contact, &Wish { what: text("return"), ..told(now) }, now),
        [("what", Why::UnknownCode)]
    );
    does(&mut life, RL, Step::Contact, told(now), now);
    does(&mut life, RL, Step::Contact, told(now + HOUR), now + HOUR);
    assert_eq!(life.ticket.told_at, Some(now), "the first time counts");
}

/// 三率 of one ticket at each moment of its life: open before its deadline it is in no denominator, and a redo takes no miss away.
#[test]
fn what_is_missed_stays_missed_and_what_is_open_is_not_counted_yet() {
    let begun = ms("2026-11-23T09:00:00+08:00");
    let rates = |life: &Life| {
        let of = |indicator| value(&life.ticket, indicator, &Weights::default());
        [Indicator::OnTime, Indicator::Feedback, Indicator::Claimed, Indicator::Told].map(of)
    };
    let told =
        |what: Option<&str>| Wish { how: text("phone"), what: what.map(str::to_owned), ..Wish::default() };
    let verdict = |contacted, redo: bool| Wish {
        contacted: Some(contacted),
        solved: text(if redo { "no" } else { "yes" }),
        satisfied: text("basic"),
        redo: redo.then_some(true),
        text: text("没好"),
        ..Wish::default()
    };
    // In time, the result told by telephone before the reply was signed.
    let mut life = Life::begin(matter("L", "help"), begun, &tables());
    does(&mut life, DISPATCHER, Step::Dispatch, to("rl"), begun);
    does(&mut life, RL, Step::Sign, Wish::default(), begun);
    does(&mut life, RL, Step::Contact, told(None), begun + HOUR);
    assert_eq!(rates(&life), [None; 4]);
    does(&mut life, RL, Step::Contact, told(Some("result")), begun + 2 * HOUR);
    assert_eq!(rates(&life), [None, None, Some(100), None]);
    does(&mut life, RL, Step::Reply, answer(), begun + 2 * HOUR);
    does(&mut life, RL_HEAD, Step::SignReply, Wish::default(), begun + 3 * HOUR);
    assert_eq!(rates(&life), [None, Some(100), Some(100), None], "told, and the reply is signed");
    does(&mut life, DISPATCHER, Step::ReviewPass, Wish::default(), begun + 4 * HOUR);
    does(&mut life, VISITOR, Step::Visit, verdict(false, false), begun + 5 * HOUR);
    assert_eq!(
        rates(&life),
        [Some(100), Some(100), Some(100), Some(0)],
        "the caller says otherwise: both are told"
    );

    // Nobody noted it, and the caller says he was told.
    let mut life = replied(begun);
    does(&mut life, VISITOR, Step::Visit, verdict(true, false), begun + 5 * HOUR);
    assert_eq!(rates(&life), [Some(100), Some(100), Some(0), Some(100)]);
    // Nor does he say so.
    let mut life = replied(begun);
    does(&mut life, VISITOR, Step::Visit, verdict(false, false), begun + 5 * HOUR);
    assert_eq!(rates(&life), [Some(100), Some(0), Some(0), Some(0)]);

    // Late, visited, done again and then in time: the miss is there.
    let mut life = replied(begun);
    let late = life.ticket.promised().unwrap() + 1;
    for event in due(&life.ticket, late, &tables()) {
        life.live(late, "system", &event);
    }
    assert_eq!(rates(&life)[0], Some(0), "no verdict is needed to be late");
    does(&mut life, VISITOR, Step::Visit, verdict(true, true), late);
    assert_eq!(rates(&life), [Some(0), None, None, None], "the other clocks run anew");
    assert_eq!(life.ticket.missed, [ClockName::Close]);
    does(&mut life, RL, Step::Sign, Wish::default(), late + HOUR);
    does(&mut life, RL, Step::Reply, answer(), late + HOUR);
    does(&mut life, RL_HEAD, Step::SignReply, Wish::default(), late + HOUR);
    does(&mut life, DISPATCHER, Step::ReviewPass, Wish::default(), late + HOUR);
    does(&mut life, VISITOR, Step::Visit, verdict(true, false), late + 2 * HOUR);
    assert_eq!(rates(&life), [Some(0), Some(100), Some(0), Some(100)]);
}

/// It waits for the citizen's verdict.
fn replied(begun: i64) -> Life {
    let mut life = Life::begin(matter("L", "help"), begun, &tables());
    does(&mut life, DISPATCHER, Step::Dispatch, to("rl"), begun);
    does(&mut life, RL, Step::Sign, Wish::default(), begun);
    does(&mut life, RL, Step::Reply, answer(), begun + HOUR);
    does(&mut life, RL_HEAD, Step::SignReply, Wish::default(), begun + HOUR);
    does(&mut life, DISPATCHER, Step::ReviewPass, Wish::default(), begun + HOUR);
    life
}

const LEAD: Somebody = desk("lead", Hand::Lead);
const AGENT: Somebody = desk("8001", Hand::Agent);

/// What was returned as often as may be waits for the office, in whose list it is then.
#[test]
fn what_nobody_keeps_is_the_offices_to_force() {
    let mut life = life("N", "2026-11-23T09:10:00+08:00");
    let at = |minutes: i64| ms("2026-11-23T09:10:00+08:00") + minutes * 60_000;
    does(&mut life, DISPATCHER, Step::Dispatch, to("rl"), at(5));
    does(&mut life, RL, Step::AskReturn, no_heat(), at(10));
    does(&mut life, DISPATCHER, Step::GrantReturn, because("准予"), at(15));
    assert_eq!(life.ticket.owner.as_ref().unwrap().role, Hand::Dispatcher);
    does(&mut life, DISPATCHER, Step::Dispatch, to("cgw"), at(20));
    does(&mut life, CGW, Step::AskReturn, Wish { to: text("rl"), ..no_heat() }, at(25));
    does(&mut life, DISPATCHER, Step::GrantReturn, because("准予"), at(30));
    assert_eq!(life.ticket.owner.as_ref().unwrap().role, Hand::Office);
    assert_eq!(refused(&life, DISPATCHER, Step::Dispatch, &to("rl"), at(31)), [("action", Why::Limit)]);
    let forced = Wish { step: text("territory"), ..Wish { reason: text("属地"), ..to("st019") } };
    does(&mut life, OFFICE, Step::Force, forced, at(40));
    assert_eq!(life.ticket.owner.as_ref().unwrap().unit.as_deref(), Some("st019"));
    // The objection is ruled on within its own time, and somebody is told when it is not.
    let street = of_unit("st019", Hand::Unit);
    does(&mut life, street, Step::Object, Wish { text: text("非本单位职责"), ..Wish::default() }, at(50));
    let due_at = life.ticket.deadline(ClockName::Objection).expect("a deadline").due_at;
    assert_eq!(due_at, at(50 + 120), "two working hours");
    let late = |life: &Life, now| {
        due(&life.ticket, now, &tables()).iter().any(|e| e.clock == Some((ClockName::Objection, 100)))
    };
    assert!(!late(&life, due_at));
    assert!(late(&life, due_at + 1));
    let ruling = Wish { uphold: Some(false), reason: text("维持"), ..Wish::default() };
    does(&mut life, OFFICE, Step::DecideObjection, ruling, at(60));
    assert!(!late(&life, due_at + 1), "it was ruled on");
    life.examine(at(70), "forced");
}

#[test]
fn a_supervision_has_its_own_deadline() {
    let mut life = life("N", "2026-11-23T09:10:00+08:00");
    let at = |minutes: i64| ms("2026-11-23T09:10:00+08:00") + minutes * 60_000;
    does(&mut life, DISPATCHER, Step::Dispatch, to("rl"), at(5));
    let wish =
        Wish {
            level: text("supervise"), text: text("今日反馈"), deadline: Some(at(200)), ..Wish::default()
        };
    does(&mut life, OFFICE, Step::Supervise, wish, at(10));
    let told = |life: &Life, now| {
        let clocks = due(&life.ticket, now, &tables());
        clocks.iter().filter(|e| e.clock.is_some_and(|(name, _)| name == ClockName::Supervision)).count()
    };
    assert_eq!(told(&life, at(11)), 0);
    assert_eq!(told(&life, at(201)), 3, "half, four fifths, late");
    does(&mut life, OFFICE, Step::EndSupervision, Wish::default(), at(100));
    assert_eq!(told(&life, at(201)), 0);
}

/// A correction after a return leaves the dispatcher his time.
#[test]
fn what_is_corrected_after_a_return_is_dispatched_in_time_again() {
    let mut life = life("L", "2026-11-23T09:10:00+08:00");
    let at = |minutes: i64| ms("2026-11-23T09:10:00+08:00") + minutes * 60_000;
    does(&mut life, DISPATCHER, Step::Dispatch, to("rl"), at(5));
    does(&mut life, RL, Step::AskReturn, no_heat(), at(10));
    does(&mut life, DISPATCHER, Step::GrantReturn, because("准予"), at(15));
    does(
        &mut life,
        DISPATCHER,
        Step::AskClarification,
        Wish { missing: text("地址"), ..Wish::default() },
        at(20),
    );
    does(&mut life, AGENT, Step::Clarify, Wish { address: text("3 号楼"), ..Wish::default() }, at(25));
    assert_eq!(
        life.ticket.next().map(|clock| (clock.name, clock.due_at)),
        Some((ClockName::Step, at(25 + 30)))
    );
}

/// Only a lead lowers, with a reason; a leaf that is more urgent raises; lowering takes no day from anybody.
#[test]
fn urgency_goes_down_by_a_lead_alone() {
    let mut life = life("L", "2026-11-23T09:10:00+08:00");
    let at = |minutes: i64| ms("2026-11-23T09:10:00+08:00") + minutes * 60_000;
    does(
        &mut life,
        DISPATCHER,
        Step::AskClarification,
        Wish { missing: text("地址"), ..Wish::default() },
        at(2),
    );
    let lower = Wish { urgency: text("N"), ..Wish::default() };
    assert_eq!(refused(&life, AGENT, Step::Clarify, &lower, at(3)), [("urgency", Why::Role)]);
    let urgent = tables().district.categories().find(|(_, c)| c.urgency == "U").expect("one").0.to_owned();
    does(&mut life, AGENT, Step::Clarify, Wish { category: text(&urgent), ..Wish::default() }, at(4));
    assert_eq!(life.ticket.matter.urgency.as_deref(), Some("U"));
    does(&mut life, DISPATCHER, Step::Dispatch, to("rl"), at(20));
    let sign = life.ticket.clock(ClockName::Sign).unwrap().due_at;
    does(&mut life, LEAD, Step::Lower, Wish { urgency: text("N"), ..because("已脱险") }, at(21));
    assert_eq!(due_of(&life, ClockName::Feedback), "2026-11-30 17:30");
    assert!(life.ticket.clock(ClockName::Sign).unwrap().due_at >= sign, "nobody signs sooner for it");
    life.examine(at(30), "lowered");
}

/// An extension of what was put off counts from the day that was named.
#[test]
fn an_extension_after_a_deferral_is_worth_its_days() {
    let mut life = life("N", "2026-11-16T09:10:00+08:00");
    let at = |minutes: i64| ms("2026-11-16T09:10:00+08:00") + minutes * 60_000;
    let day = 24 * 60;
    does(&mut life, DISPATCHER, Step::Dispatch, to("rl"), at(5));
    does(&mut life, RL, Step::Sign, Wish::default(), at(6));
    let plan = Wish { until: Some(ms("2026-12-04T10:00:00+08:00")), plan: text("改造"), ..Wish::default() };
    does(&mut life, OFFICE, Step::Defer, plan, at(10));
    does(&mut life, RL, Step::Resume, Wish::default(), at(2 * day));
    assert_eq!(due_of(&life, ClockName::Close), "2026-12-05 00:00");
    let asked = Wish { workdays: Some(2), reason: text("材料未齐"), ..Wish::default() };
    does(&mut life, RL, Step::AskExtension, asked, at(3 * day));
    does(
        &mut life,
        OFFICE,
        Step::GrantExtension,
        Wish { workdays: Some(2), ..Wish::default() },
        at(3 * day + 5),
    );
    assert_eq!(due_of(&life, ClockName::Close), "2026-12-08 17:30", "two days of work behind Friday");
    // And lowering or raising later leaves the day that was named.
    does(
        &mut life,
        AGENT,
        Step::Raise,
        Wish { ticks: Some(vec!["trapped".to_owned()]), ..Wish::default() },
        at(4 * day),
    );
    does(&mut life, LEAD, Step::Lower, Wish { urgency: text("N"), ..because("已脱险") }, at(4 * day + 5));
    life.examine(at(5 * day), "extended");
}

/// Whoever has it from above hands it on to those below, within his own time.
#[test]
fn who_has_it_from_above_passes_it_on() {
    const OFFICE_OF_STREET: Somebody = of_unit("st019", Hand::Unit);
    const COMMUNITY: Somebody = of_unit("st019-sq", Hand::Unit);
    let mut life = life("N", "2026-11-23T09:10:00+08:00");
    let at = |minutes: i64| ms("2026-11-23T09:10:00+08:00") + minutes * 60_000;
    does(&mut life, DISPATCHER, Step::Dispatch, to("st019"), at(5));
    does(&mut life, OFFICE_OF_STREET, Step::Sign, Wish::default(), at(6));
    let down = |unit: &str| Wish { unit: text(unit), ..Wish::default() };
    assert_eq!(
        refused(&life, OFFICE_OF_STREET, Step::PassDown, &down("st019-sq-w1"), at(7)),
        [("unit", Why::UnknownCode)]
    );
    does(&mut life, OFFICE_OF_STREET, Step::PassDown, down("st019-sq"), at(8));
    assert_eq!(
        refused(&life, COMMUNITY, Step::PassDown, &down("cgw-szk"), at(9)),
        [("unit", Why::UnknownCode)]
    );
    does(&mut life, COMMUNITY, Step::PassDown, down("st019-sq-w1"), at(10));
    let due = |unit: &str| life.ticket.subs.iter().find(|sub| sub.unit == unit).unwrap().due_at;
    assert!(due("st019-sq-w1") < due("st019-sq"));
    life.examine(at(20), "passed down twice");
}

/// What the caller says later: whom he complains about has it no longer, and persecution is the office's, at once.
#[test]
fn what_the_caller_asks_for_later_is_kept() {
    let mut life = life("N", "2026-11-23T09:10:00+08:00");
    let at = |minutes: i64| ms("2026-11-23T09:10:00+08:00") + minutes * 60_000;
    assert_eq!(refused(&life, AGENT, Step::Protect, &because("他说的"), at(1)), [("secrecy", Why::Needed)]);
    does(&mut life, DISPATCHER, Step::Dispatch, Wish { assist: Some(vec!["cgw".into()]), ..to("rl") }, at(5));
    does(&mut life, AGENT, Step::Protect, Wish { complained_unit: text("cgw"), ..Wish::default() }, at(6));
    assert_eq!((life.ticket.state, life.ticket.assist.len()), (State::Dispatched, 0), "who assisted is out");
    does(&mut life, RL, Step::Sign, Wish::default(), at(10));
    does(&mut life, AGENT, Step::Protect, Wish { complained_unit: text("rl"), ..Wish::default() }, at(20));
    assert_eq!((life.ticket.state, life.ticket.lead.as_deref()), (State::Accepted, None));
    assert_eq!(refused(&life, DISPATCHER, Step::Dispatch, &to("rl"), at(21)), [("lead", Why::UnknownCode)]);
    let feedback = due_of(&life, ClockName::Feedback);
    does(&mut life, AGENT, Step::Protect, Wish { special: text("retaliation"), ..Wish::default() }, at(30));
    assert_eq!(life.ticket.matter.urgency.as_deref(), Some("U"));
    assert_eq!(life.ticket.owner.as_ref().unwrap().role, Hand::Office);
    assert_ne!(due_of(&life, ClockName::Feedback), feedback, "sooner");
    life.examine(at(40), "protected");
}

// === The city's ===

/// SC20: five days of the city's, nothing of ours may end later.
fn of_city(at: &str, visits: bool) -> Life {
    let (at, day) = (ms(at), 24 * HOUR);
    let due = vec![(ClockName::Feedback, at + 3 * day), (ClockName::Close, at + 5 * day)];
    let order = CityOrder { no: "12345TEST2612030001".into(), due, visits };
    Life::of(open_for_city(matter("N", "help"), order, at, &tables()), at)
}

#[test]
fn the_citys_clock_stands_and_ours_are_only_earlier() {
    let begun = ms("2026-12-03T09:05:00+08:00");
    let mut life = of_city("2026-12-03T09:05:00+08:00", true);
    assert_eq!(due_of(&life, ClockName::Close), "2026-12-08 09:05");
    assert_eq!(due_of(&life, ClockName::Feedback), "2026-12-06 09:05");
    assert_eq!(due_of(&life, ClockName::Dispatch), "2026-12-03 11:05", "our own, which is earlier");
    // The city's last minute is ours too.
    let order = CityOrder { no: "1".into(), due: vec![(ClockName::Close, begun + HOUR)], visits: true };
    let short = Life::of(open_for_city(matter("N", "help"), order, begun, &tables()), begun);
    for clock in &short.ticket.clocks {
        assert!(clock.due_at <= begun + HOUR, "{clock:?}");
    }
    // A late dispatch, a matter that is none of ours to put off, and days that only the city can give.
    does(&mut life, OFFICE, Step::Dispatch, to("cgw"), begun + 30 * HOUR);
    assert_eq!(due_of(&life, ClockName::Close), "2026-12-08 09:05");
    does(&mut life, CGW, Step::Sign, Wish::default(), begun + 31 * HOUR);
    let later = Wish { until: Some(begun + 30 * 24 * HOUR), plan: text("改造"), ..Wish::default() };
    assert_eq!(refused(&life, OFFICE, Step::Defer, &later, begun + 32 * HOUR), [("until", Why::Limit)]);
    let days = Wish { workdays: Some(2), reason: text("备料"), ..Wish::default() };
    does(&mut life, CGW, Step::AskExtension, days, begun + 32 * HOUR);
    let own = Wish { workdays: Some(2), ..Wish::default() };
    assert_eq!(
        refused(&life, OFFICE, Step::GrantExtension, &own, begun + 33 * HOUR),
        [("action", Why::State)]
    );
    let until = begun + 8 * 24 * HOUR;
    let ask = Wish { until: Some(until), reason: text("备料"), ..Wish::default() };
    does(&mut life, OFFICE, Step::AskCityExtension, ask.clone(), begun + 33 * HOUR);
    assert_eq!(life.ticket.state, State::ExtensionReview, "the clock does not stop for it");
    assert_eq!(
        refused(&life, OFFICE, Step::AskCityExtension, &ask, begun + 33 * HOUR),
        [("action", Why::State)]
    );
    for event in answered(&life.ticket, CityWish::Extension, true, None, "同意", begun + 40 * HOUR, &tables())
    {
        life.live(begun + 40 * HOUR, "city", &event);
    }
    assert_eq!(life.ticket.state, State::Handling);
    assert_eq!(due_of(&life, ClockName::Close), "2026-12-12 00:00");
    assert_eq!(life.ticket.extension.as_ref().and_then(|one| one.granted), Some(true));
    life.examine(begun + 41 * HOUR, "an extension by the city");
}

#[test]
fn what_the_city_takes_back_ends_as_transferred_and_what_it_does_not_goes_on() {
    for granted in [true, false] {
        let begun = ms("2026-12-03T09:05:00+08:00");
        let mut life = of_city("2026-12-03T09:05:00+08:00", true);
        does(&mut life, OFFICE, Step::Dispatch, to("cgw"), begun + HOUR / 2);
        let back = Wish { basis: text("位置在海淀区"), to: text("st019"), ..Wish::default() };
        does(&mut life, CGW, Step::AskReturn, back, begun + HOUR);
        for step in [Step::Transfer, Step::Reject, Step::Merge] {
            let why = Wish { reason: text("不在本区"), into: text("261123000018"), ..Wish::default() };
            assert!(!refused(&life, OFFICE, step, &why, begun + HOUR).is_empty());
        }
        let ask = Wish { basis: text("定位在海淀区"), ..Wish::default() };
        does(&mut life, OFFICE, Step::AskCityReturn, ask.clone(), begun + 2 * HOUR);
        assert_eq!(life.ticket.state, State::ReturnReview);
        for event in
            answered(&life.ticket, CityWish::Return, granted, None, "意见", begun + 3 * HOUR, &tables())
        {
            life.live(begun + 3 * HOUR, "city", &event);
        }
        let (state, over) = (life.ticket.state, life.ticket.is_over());
        if granted {
            assert_eq!((state, over), (State::Transferred, true));
            assert_eq!(life.ticket.closed_at, Some(begun + 3 * HOUR));
            assert!(!crate::ticket::indicators::counts(&life.ticket), "in no rate");
            assert!(allowed(&life.ticket, OFFICE.who(), begun + 4 * HOUR, &tables()).is_empty());
            assert_eq!(due(&life.ticket, begun + 400 * HOUR, &tables()), [], "nobody is reminded of it");
        } else {
            assert_eq!((state, over), (State::Dispatched, false));
            assert_eq!(
                refused(&life, OFFICE, Step::AskCityReturn, &ask, begun + 4 * HOUR),
                [("action", Why::Limit)]
            );
        }
        life.examine(begun + 5 * HOUR, "a return to the city");
    }
}

#[test]
fn who_is_called_back_by_the_city_is_not_called_by_us() {
    for visits in [true, false] {
        let begun = ms("2026-12-03T09:05:00+08:00");
        let mut life = of_city("2026-12-03T09:05:00+08:00", visits);
        does(&mut life, OFFICE, Step::Dispatch, to("cgw"), begun + HOUR);
        does(&mut life, CGW, Step::Sign, Wish::default(), begun + 2 * HOUR);
        does(&mut life, CGW, Step::Reply, answer(), begun + 3 * HOUR);
        does(&mut life, CGW_HEAD, Step::SignReply, Wish::default(), begun + 4 * HOUR);
        does(&mut life, OFFICE, Step::ReviewPass, Wish::default(), begun + 5 * HOUR);
        let want = if visits { State::Closed } else { State::AwaitingVisit };
        assert_eq!(life.ticket.state, want);
        // No verdict of ours, so nothing in the rates that are made of verdicts.
        assert_eq!(value(&life.ticket, Indicator::Solved, &Weights::default()), None);
        life.examine(begun + 6 * HOUR, "nobody is called back twice");
    }
}
