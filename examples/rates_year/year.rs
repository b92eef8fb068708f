//! A year of tickets that live at random by the real rules, written past the program; and a second computation of their rates, by
//! pandas, from nothing but the events.

use hotline::roster::Calendar;
use hotline::store::{Db, Measured, Period, Scope, Source};
use hotline::ticket::cycle::{
    self, ClockName, Event, Hand, Matter, State, Step, Tables, Ticket, Who, Wish, due, step, watch_at,
};
use hotline::ticket::indicators::{Indicator, MEASURE, counts, value};
use hotline::ticket::number::check_digit;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Of units: some lead more than others.
const UNITS: [&str; 9] = ["rl", "rl", "rl", "cgw", "cgw", "hbj", "st018", "st019", "st019"];
/// Steps of one life at most.
const STEPS: u32 = 40;

/// Chances from a seed: SplitMix64, after Steele, Lea and Flood 2014.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn draw(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.draw(all.len() as u64) as usize]
    }
    fn text(&mut self, all: &[&str]) -> Option<String> {
        Some(self.of(all).to_owned())
    }
    /// In so many of a hundred cases.
    fn pct(&mut self, pct: u64) -> bool {
        self.draw(100) < pct
    }
}

pub fn tables() -> Result<Tables, Failure> {
    let file = ("2026.toml".to_owned(), include_str!("../../district/calendar/2026.toml").to_owned());
    let calendar = Arc::new(Calendar::read(&[file]).0);
    Ok(Tables::shipped(calendar, jiff::tz::TimeZone::get("Asia/Shanghai")?))
}

/// A ticket and the lines of its life.
#[derive(Debug)]
pub struct Life {
    pub ticket: Ticket,
    lines: Vec<(i64, Event)>,
}

impl Life {
    fn apply(&mut self, at: i64, event: Event) {
        self.ticket.apply(at, "user:x", &event);
        self.lines.push((at, event));
    }

    /// What time does until `now`, each thing at its moment.
    fn pass(&mut self, now: i64, tables: &Tables) {
        for _ in 0..200 {
            let Some(at) = watch_at(&self.ticket, tables).filter(|at| *at <= now) else { return };
            let at = at.max(self.lines.last().map_or(at, |(last, _)| *last));
            for event in due(&self.ticket, at, tables) {
                self.apply(at, event);
            }
        }
    }
}

fn why(text: &str) -> Wish {
    Wish { reason: Some(text.to_owned()), ..Wish::default() }
}

/// Somebody's next step: what he is, what he does.
fn next(ticket: &Ticket, now: i64, dice: &mut Dice) -> Option<(Hand, Step, Wish)> {
    let d = Wish::default;
    let text = |text: &str| Some(text.to_owned());
    let unit_or_head = dice.of(&[Hand::Unit, Hand::Unit, Hand::Head]);
    let contact = |dice: &mut Dice| {
        let what = dice.pct(60).then(|| "result".to_owned());
        let at = dice.pct(30).then(|| now - (dice.draw(90) as i64) * MINUTE);
        (unit_or_head, Step::Contact, Wish { how: text("phone"), what, at, ..d() })
    };
    let signed = ticket.reply.as_ref().is_some_and(|reply| reply.signed_at.is_some());
    Some(match ticket.state {
        State::Accepted => match dice.draw(100) {
            0..94 => (Hand::Dispatcher, Step::Dispatch, Wish { lead: dice.text(&UNITS), ..d() }),
            94..96 => (Hand::Dispatcher, Step::Reject, why("不属于受理范围")),
            96..98 => (Hand::Agent, Step::Withdraw, why("不用了")),
            _ => (Hand::Office, Step::Transfer, why("跨区")),
        },
        State::Dispatched => match dice.draw(100) {
            0..93 => (unit_or_head, Step::Sign, d()),
            _ => (unit_or_head, Step::AskReturn, Wish { basis: text("权责清单"), to: text("hbj"), ..d() }),
        },
        State::ReturnReview if dice.pct(50) => (Hand::Dispatcher, Step::GrantReturn, why("属实")),
        State::ReturnReview => (Hand::Dispatcher, Step::RefuseReturn, why("不属实")),
        State::Redo => (unit_or_head, Step::Sign, d()),
        State::Handling => match dice.draw(100) {
            0..35 => contact(dice),
            35..86 => {
                let claim = dice.text(&["solved", "partial", "explained"]);
                (unit_or_head, Step::Reply, Wish { report: text("内部"), text: text("答复"), claim, ..d() })
            }
            86..92 => {
                let workdays = Some(1 + dice.draw(3) as u32);
                (unit_or_head, Step::AskExtension, Wish { workdays, ..why("材料未齐") })
            }
            92..94 => {
                let until = Some(now + 30 * DAY);
                (Hand::Office, Step::Defer, Wish { until, plan: text("改造"), ..d() })
            }
            94..97 => {
                let until = Some(now + 20 * DAY);
                let stage = Wish { until, basis: text("行政处罚法"), text: text("已立案"), ..d() };
                (unit_or_head, Step::Stage, stage)
            }
            _ => (Hand::Agent, Step::Withdraw, why("自行解决")),
        },
        State::ExtensionReview if dice.pct(70) => {
            (Hand::Office, Step::GrantExtension, Wish { workdays: Some(1), ..d() })
        }
        State::ExtensionReview => (Hand::Office, Step::RefuseExtension, d()),
        State::Staged => {
            let claim = text("explained");
            (unit_or_head, Step::Reply, Wish { report: text("内部"), text: text("答复"), claim, ..d() })
        }
        State::Deferred => (unit_or_head, Step::Resume, d()),
        State::Replied if !signed && dice.pct(90) => (Hand::Head, Step::SignReply, d()),
        State::Replied if !signed => (Hand::Head, Step::SendBack, why("不清楚")),
        State::Replied => match dice.draw(100) {
            0..15 => contact(dice),
            15..92 => (Hand::Dispatcher, Step::ReviewPass, d()),
            _ => (Hand::Dispatcher, Step::ReviewBack, why("答非所问")),
        },
        State::AwaitingVisit => match dice.draw(100) {
            0..8 => contact(dice),
            8..25 => {
                let result = dice.text(&["unreachable", "unreachable", "later", "refused"]);
                (Hand::Visitor, Step::VisitTry, Wish { result, ..d() })
            }
            25..30 => (Hand::Office, Step::ApproveUnreasonable, why("超出政策")),
            _ => {
                let solved = dice.text(&["yes", "yes", "yes", "partial", "no"]);
                let matches = dice.of(&[Some(true), Some(true), Some(false), None]);
                let redo = (solved.as_deref() != Some("yes") && dice.pct(40)).then_some(true);
                let verdict = Wish {
                    contacted: Some(dice.pct(85)),
                    solved,
                    satisfied: dice.text(&["very", "satisfied", "satisfied", "basic", "not", "very_not"]),
                    matches,
                    redo,
                    text: redo.and_then(|_| text("还是不行")),
                    ..d()
                };
                (Hand::Visitor, Step::Visit, verdict)
            }
        },
        State::Closed if dice.pct(3) => (Hand::Office, Step::Redo, why("又来电")),
        _ => return None,
    })
}

/// One ticket from its acceptance on.
fn live(begun: i64, dice: &mut Dice, tables: &Tables) -> Option<Life> {
    let matter = Matter {
        kind: dice.text(&["help", "help", "help", "complaint", "complaint", "consult", "praise"]),
        category: Some("030101".to_owned()),
        street: Some("110102019".to_owned()),
        urgency: dice.text(&["N", "N", "N", "N", "L", "L", "C", "U"]),
        ..Matter::default()
    };
    // People of a unit need what it usually takes them, or twice as long.
    let pace = match matter.urgency.as_deref() {
        Some("U") => 20 * MINUTE,
        Some("L") => 6 * HOUR,
        Some("N") => DAY,
        _ => 2 * DAY,
    };
    let opened = cycle::open(matter, None, Vec::new(), begun, tables);
    let ticket = Ticket::fold([(begun, "system", &opened)])?;
    let mut life = Life { ticket, lines: vec![(begun, opened)] };
    let mut now = begun;
    for _ in 0..STEPS {
        // Some are still under way when the year is told.
        if dice.draw(400) == 0 {
            break;
        }
        let quick = matches!(life.ticket.state, State::Accepted | State::ReturnReview);
        let most = if quick { 40 * MINUTE } else { pace };
        now += dice.draw(2 * most as u64) as i64;
        life.pass(now, tables);
        let Some((hand, chosen, wish)) = next(&life.ticket, now, dice) else { break };
        let hands = [hand];
        let lead = life.ticket.lead.clone();
        let unit = lead.as_deref().filter(|_| matches!(hand, Hand::Unit | Hand::Head));
        // What is refused is not done; another is chosen later.
        if let Ok(events) =
            step(&life.ticket, chosen, &wish, Who { user: "x", hands: &hands, unit }, now, tables)
        {
            for event in events {
                life.apply(now, event);
            }
        }
    }
    Some(life)
}

/// So many lives whose acceptance is spread over 2026.
pub fn lives(tickets: u64, seed: u64, tables: &Tables) -> impl Iterator<Item = (u64, Life)> {
    const NEW_YEAR: i64 = 1_767_196_800_000;
    (0..tickets).filter_map(move |n| {
        let mut dice = Dice(seed ^ n.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let begun = NEW_YEAR + (dice.draw(365 * DAY as u64)) as i64;
        Some((n, live(begun, &mut dice, tables)?))
    })
}

/// The head of the events' file.
pub const HEAD: &str = "ticket,n,at,step,state,kind,lead,what,told_at,contacted,solved,satisfied,matches,late,\
    close_due,close_met,feedback_due,feedback_met\n";

/// One line for each event, as it was written; what an event does not say stays empty.
pub fn csv(out: &mut impl std::io::Write, id: u64, life: &Life) -> std::io::Result<()> {
    let yes = |answer: Option<bool>| answer.map_or("", |yes| if yes { "1" } else { "0" });
    for (n, (at, event)) in life.lines.iter().enumerate() {
        let wish = &event.wish;
        let clock = |name| {
            let clock = event.clocks.iter().find(|clock| clock.name == name);
            clock.map_or(",".to_owned(), |clock| {
                format!("{},{}", clock.due_at, clock.met_at.map(|met| met.to_string()).unwrap_or_default())
            })
        };
        let late = match event.clock {
            Some((ClockName::Close, 100)) => "close",
            Some((ClockName::Feedback, 100)) => "feedback",
            _ => "",
        };
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        writeln!(
            out,
            "{id},{n},{at},{},{},{},{},{},{},{},{},{},{},{late},{},{}",
            event.step.label(),
            event.state.map_or("", State::label),
            event.matter.as_ref().and_then(|matter| matter.kind.clone()).unwrap_or_default(),
            text(&wish.lead),
            text(&wish.what),
            wish.at.map(|at| at.to_string()).unwrap_or_default(),
            yes(wish.contacted),
            text(&wish.solved),
            text(&wish.satisfied),
            yes(wish.matches),
            clock(ClockName::Close),
            clock(ClockName::Feedback),
        )?;
    }
    Ok(())
}

/// Rows of tickets, many in a statement, and their events beside it; how many events.
pub async fn fill(url: &str, csv_at: &Path, tickets: u64, seed: u64) -> Result<u64, Failure> {
    sqlx::any::install_default_drivers();
    let tables = tables()?;
    let pool = sqlx::AnyPool::connect(url).await?;
    let blob = if url.starts_with("sqlite") { "zeroblob(32)" } else { "decode('', 'hex')" };
    let mut out = std::io::BufWriter::new(std::fs::File::create(csv_at)?);
    out.write_all(HEAD.as_bytes())?;
    let mut tx = pool.begin().await?;
    let mut events = 0;
    let mut rows = String::new();
    let head = format!(
        "INSERT INTO tickets (id, no, state, channel, type, secrecy, title, content, lead, due_at, created_at, accepted_at, counted, \
         reasonable, measured, {}, detail, events, head) VALUES ",
        Indicator::ALL.map(|indicator| format!("v_{}", indicator.label())).join(", ")
    );
    let mut held = 0;
    for (n, life) in lives(tickets, seed, &tables) {
        csv(&mut out, n, &life)?;
        events += life.lines.len() as u64;
        let ticket = &life.ticket;
        let stem = format!("{:06}{:05}", 260_101 + n / 100_000, n % 100_000);
        let rules = tables.rules.version(&ticket.rules).ok_or("no rules")?;
        let number = |value: Option<i64>| value.map_or("NULL".to_owned(), |value| value.to_string());
        let values =
            Indicator::ALL.map(|indicator| number(value(ticket, indicator, &rules.weights))).join(", ");
        let _ = write!(
            rows,
            "{}('y-{n:07}', '{stem}{}', '{}', 'phone', '{}', 'normal', '暖气不热', '三号楼不热', {}, {}, {}, {}, {}, {}, {MEASURE}, \
             {values}, '{}', {}, {blob})",
            if held == 0 { "" } else { ", " },
            check_digit(&stem),
            ticket.state.label(),
            ticket.matter.kind.as_deref().unwrap_or("help"),
            ticket.lead.as_ref().map_or("NULL".to_owned(), |lead| format!("'{lead}'")),
            number(ticket.promised()),
            ticket.opened_at,
            ticket.opened_at,
            i64::from(counts(ticket)),
            i64::from(!ticket.unreasonable),
            serde_json::to_string(ticket)?.replace('\'', ""),
            life.lines.len(),
        );
        held += 1;
        if held == 200 {
            sqlx::query(sqlx::AssertSqlSafe(format!("{head}{rows}"))).execute(&mut *tx).await?;
            rows.clear();
            held = 0;
        }
    }
    if held > 0 {
        sqlx::query(sqlx::AssertSqlSafe(format!("{head}{rows}"))).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    pool.close().await;
    out.flush()?;
    Ok(events)
}

/// Months of 2026 in Beijing time, and the year.
pub fn periods() -> Result<Vec<(String, Period)>, Failure> {
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai")?;
    let start = |year: i16, month: i8| -> Result<i64, Failure> {
        let day = jiff::civil::Date::new(year, month, 1)?.at(0, 0, 0, 0);
        Ok(zone.to_timestamp(day)?.as_millisecond())
    };
    let mut periods = Vec::new();
    for month in 1..=12_i8 {
        let to = if month == 12 { start(2027, 1)? } else { start(2026, month + 1)? };
        periods.push((format!("2026-{month:02}"), Period { from: start(2026, month)?, to }));
    }
    periods.push(("2026".to_owned(), Period { from: start(2026, 1)?, to: start(2027, 1)? }));
    Ok(periods)
}

fn line(period: &str, one: &Measured) -> String {
    let unit = one.unit.as_deref().unwrap_or("-");
    format!("{period} {unit} {} {} {} {}", one.indicator.label(), one.numerator, one.denominator, one.missing)
}

/// What the program says, as sorted lines of period, unit, indicator, numerator, denominator, missing.
pub async fn first(db: &Db) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    for (name, period) in periods()? {
        let measured = db.indicators(&Source::Now(period), &Scope::All).await?;
        lines.extend(measured.iter().map(|one| line(&name, one)));
    }
    lines.sort();
    Ok(lines)
}

/// The same from the events by pandas, which shares nothing with the program.
pub fn second(csv_at: &Path) -> Result<Vec<String>, Failure> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/rates_year/second.py");
    // The distribution's own has the distribution's pandas.
    let has_pandas = |python: &&&str| {
        let tried = std::process::Command::new(python).args(["-c", "import pandas"]).output();
        tried.is_ok_and(|tried| tried.status.success())
    };
    let python = ["python3", "/usr/bin/python3"];
    let python = python.iter().find(has_pandas).ok_or("no python3 with pandas: scripts/setup.sh test")?;
    let done = std::process::Command::new(python).arg(script).arg(csv_at).output()?;
    if !done.status.success() {
        return Err(String::from_utf8_lossy(&done.stderr).into_owned().into());
    }
    let mut lines: Vec<String> = String::from_utf8(done.stdout)?.lines().map(str::to_owned).collect();
    lines.sort();
    Ok(lines)
}
