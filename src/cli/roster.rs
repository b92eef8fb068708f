//! `hotline roster`: is a plan whole and lawful, and how many seats does a forecast ask for?

use super::flow::put;
use super::{Failure, Where};
use crate::base::DayKind;
use crate::config::Config;
use crate::roster::{
    Calendar, Clock, Fairness, Finding, Plan, Roster, Row, Schedule, Severity, Spread, demo_roster, plus_days,
};
use jiff::civil::Date;
use serde_json::{Value as Json, json};
use std::fmt::Write as _;

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Tell every gap, breach of a rule and slip of the plans; exit 1 when one can't be published.
    Check(Check),
    /// The seats a day's forecast asks for: by Erlang C, by a played day with callers who give up, and the difference.
    Plan(Seats),
}

#[derive(clap::Args, Debug)]
pub struct Check {
    /// First day, like 2026-11-26. Without: today.
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// First day no longer looked at. Without: four weeks after the first.
    #[arg(long, value_name = "DATE")]
    to: Option<Date>,
    /// Only the plan of this name.
    #[arg(long, value_name = "NAME")]
    plan: Option<String>,
    /// The demonstration's roster instead of the folder's.
    #[arg(long)]
    demo: bool,
    /// Tell findings in Chinese.
    #[arg(long)]
    zh: bool,
    /// Print JSON: {"ok", "from", "to", "plans": [{"name", "publishable", "findings": […], "fairness": {…}}]}.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Where,
}

#[derive(clap::Args, Debug)]
pub struct Seats {
    /// The day whose kind (working day, weekend, holiday) counts. Without: today.
    #[arg(long, value_name = "DATE")]
    day: Option<Date>,
    /// The demonstration's forecast instead of the folder's.
    #[arg(long)]
    demo: bool,
    /// Print JSON: {"day", "kind", "source", "target", "rows": […]}.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Where,
}

/// The longest range that is looked at, days.
const LONGEST: i64 = 3 * 366;

pub fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Check(args) => check(args),
        Command::Plan(args) => seats(args),
    }
}

/// Roster and calendar of the folders; what can't be read in them ends the command.
fn load(config: &Config, demo: bool, today: Date) -> Result<(Roster, Calendar), Failure> {
    let (calendar, mut problems) = crate::app::calendar(config);
    let (roster, told) = if demo {
        let (roster, told) = demo_roster(today);
        (roster, told.iter().map(ToString::to_string).collect())
    } else {
        crate::app::roster(config)
    };
    problems.extend(told);
    if problems.is_empty() {
        return Ok((roster, calendar));
    }
    problems.iter().for_each(|problem| eprintln!("{problem}"));
    Err(Failure::Quiet)
}

fn today(config: &Config) -> Result<Date, Failure> {
    Ok(jiff::Timestamp::now().in_tz(&config.timezone).map_err(Failure::new)?.date())
}

fn check(args: &Check) -> Result<(), Failure> {
    let config = args.place.load()?;
    let today = today(&config)?;
    let from = args.from.unwrap_or(today);
    let to = args.to.unwrap_or_else(|| plus_days(from, 28));
    if to <= from || plus_days(from, LONGEST) < to {
        return Err(Failure::new(format!("--from {from} --to {to}: a range has 1 to {LONGEST} days")));
    }
    let (roster, calendar) = load(&config, args.demo, from)?;
    let plans: Vec<&Plan> =
        roster.plans.iter().filter(|plan| args.plan.as_ref().is_none_or(|name| *name == plan.name)).collect();
    if plans.is_empty() {
        let what = match &args.plan {
            Some(name) => format!("there is no plan \"{name}\" in {}", config.roster.dir.display()),
            None => format!("{} has no plan", config.roster.dir.display()),
        };
        return Err(Failure::new(what));
    }
    let (mut fine, mut list, mut text) = (true, Vec::new(), String::new());
    for plan in plans {
        let report = roster.check(plan, from, to, &calendar);
        fine &= report.publishable();
        let schedule = Schedule::new(&roster, plan, from, to, &calendar);
        let fairness = Fairness::of(&roster, &schedule, &calendar, from, to);
        if args.json {
            list.push(json!({
                "name": plan.name,
                "publishable": report.publishable(),
                "findings": report.findings.iter().map(as_json).collect::<Vec<_>>(),
                "fairness": fairness_json(&fairness),
            }));
        } else {
            as_text(&mut text, plan, &report.findings, &fairness, args.zh);
        }
    }
    if args.json {
        text = format!(
            "{}\n",
            json!({"ok": fine, "from": from.to_string(), "to": to.to_string(), "plans": list})
        );
    }
    put(&text)?;
    if fine { Ok(()) } else { Err(Failure::Quiet) }
}

fn as_text(out: &mut String, plan: &Plan, findings: &[Finding], fairness: &Fairness, zh: bool) {
    let blocking = findings.iter().filter(|finding| finding.stops()).count();
    let gaps = findings.iter().filter(|finding| finding.hours.is_some()).count();
    let warnings = findings.iter().filter(|finding| finding.severity == Severity::Warns).count();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{}: {blocking} in the way, {warnings} warnings, {gaps} gaps", plan.name);
    for finding in findings {
        let _ = match (&finding.place, zh) {
            (Some(place), true) => writeln!(out, "  {place}: {}：{}", finding.code.zh(), finding.zh),
            (None, true) => writeln!(out, "  {}：{}", finding.code.zh(), finding.zh),
            (_, false) => writeln!(out, "  {finding}"),
        };
    }
    let told = |spread: Spread| {
        let mean = format!("{}.{}", spread.mean_tenths / 10, spread.mean_tenths % 10);
        format!("{}–{} (mean {mean}, {} people)", spread.fewest, spread.most, spread.people)
    };
    let _ = writeln!(
        out,
        "  nights {}, weekend days {}, holiday days {}",
        told(fairness.spread(|share| share.nights)),
        told(fairness.spread(|share| share.weekend_days)),
        told(fairness.spread(|share| share.holiday_days)),
    );
}

fn as_json(finding: &Finding) -> Json {
    json!({
        "code": finding.code.label(),
        "severity": match finding.severity {
            Severity::Blocks => "blocks",
            Severity::Warns => "warns",
        },
        "law": finding.law,
        "person": finding.person.as_deref(),
        "date": finding.date.map(|date| date.to_string()),
        "from": finding.hours.map(|(from, _)| from.to_datetime().to_string()),
        "to": finding.hours.map(|(_, to)| to.to_datetime().to_string()),
        "missing": finding.hours.map(|_| finding.missing),
        "message": finding.en,
        "message_zh": finding.zh,
        "file": finding.place.as_ref().map(|place| &*place.file),
        "line": finding.place.as_ref().map(|place| place.line),
        "column": finding.place.as_ref().map(|place| place.column),
        "approved_by": finding.approved_by,
    })
}

fn fairness_json(fairness: &Fairness) -> Json {
    let people = fairness.shares.iter().map(|(id, share)| {
        let share = json!({
            "days": share.days, "nights": share.nights, "weekend_days": share.weekend_days,
            "holiday_days": share.holiday_days, "on_call": share.on_call,
            "paid_min": share.paid_minutes, "statutory_min": share.statutory_minutes,
        });
        (id.to_string(), share)
    });
    Json::Object(people.collect())
}

fn seats(args: &Seats) -> Result<(), Failure> {
    let config = args.place.load()?;
    let day = args.day.map_or_else(|| today(&config), Ok)?;
    let (roster, calendar) = load(&config, args.demo, day)?;
    let Some(forecast) = &roster.forecast else {
        return Err(Failure::new(format!("{} has no forecast", config.roster.dir.display())));
    };
    let kind = match calendar.day_kind(day) {
        DayKind::Workday => "workday",
        DayKind::Weekend => "weekend",
        DayKind::Holiday => "holiday",
    };
    let rows = forecast.table(calendar.day_kind(day));
    if args.json {
        let target = json!({
            "share": forecast.service,
            "within_ms": forecast.within_s * 1_000.0,
            "patience_ms": forecast.patience_s * 1_000.0,
        });
        let rows: Vec<Json> = rows.iter().map(row_json).collect();
        let day = day.to_string();
        let all =
            json!({"day": day, "kind": kind, "source": forecast.source, "target": target, "rows": rows});
        return put(&format!("{all}\n"));
    }
    let mut text = format!("{day} ({kind})  {}\n", forecast.source);
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{:.0} % within {} s, callers give up after {} s on average in the simulation; Erlang C knows neither that nor skills",
        forecast.service * 100.0,
        forecast.within_s,
        forecast.patience_s
    );
    let heads = ["calls/h", "AHT s", "Erlang", "simulated", "difference"];
    let _ = writeln!(
        text,
        "{:<6} {:>8} {:>6} {:>7} {:>10} {:>10}",
        "from", heads[0], heads[1], heads[2], heads[3], heads[4]
    );
    rows.iter().for_each(|row| {
        let _ = writeln!(text, "{}", row_text(row));
    });
    put(&text)
}

fn row_text(row: &Row) -> String {
    let seats = |seats: Option<u32>| seats.map_or_else(|| "-".to_owned(), |seats| seats.to_string());
    let difference = row.difference().map_or_else(|| "-".to_owned(), |seats| format!("{seats:+}"));
    format!(
        "{:<6} {:>8.1} {:>6.0} {:>7} {:>10} {:>10}",
        Clock(row.from).to_string(),
        row.calls_per_hour,
        row.aht_s,
        seats(row.erlang),
        seats(row.simulated),
        difference
    )
}

fn row_json(row: &Row) -> Json {
    json!({
        "from": Clock(row.from).to_string(),
        "calls_per_hour": row.calls_per_hour,
        "aht_ms": row.aht_s * 1_000.0,
        "erlang": row.erlang,
        "simulated": row.simulated,
        "difference": row.difference(),
        "asa_ms": row.asa_s.map(|s| (s * 1_000.0).round()),
        "gave_up": row.gave_up,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_tells_both_counts_and_their_difference() {
        let row = Row {
            from: 540,
            calls_per_hour: 160.0,
            aht_s: 300.0,
            erlang: Some(20),
            simulated: Some(19),
            asa_s: Some(2.8),
            gave_up: 0.01,
        };
        assert_eq!(row_text(&row), "09:00     160.0    300      20         19         +1");
        let none = Row { erlang: None, ..row };
        assert!(row_text(&none).ends_with("-         19          -"));
        assert_eq!(row_json(&row)["difference"], 1);
    }

    #[test]
    fn a_report_in_lines_counts_what_is_in_the_way() {
        let (roster, _) = demo_roster(jiff::civil::date(2026, 11, 26));
        let plan = roster.plan("four_three").unwrap();
        let (from, to) = (jiff::civil::date(2027, 1, 4), jiff::civil::date(2027, 1, 11));
        let calendar = Calendar::default();
        let report = roster.check(plan, from, to, &calendar);
        let schedule = Schedule::new(&roster, plan, from, to, &calendar);
        let fairness = Fairness::of(&roster, &schedule, &calendar, from, to);
        let (mut en, mut zh) = (String::new(), String::new());
        as_text(&mut en, plan, &report.findings, &fairness, false);
        as_text(&mut zh, plan, &report.findings, &fairness, true);
        assert!(en.starts_with("four_three: 0 in the way, 1 warnings, 0 gaps\n"), "{en}");
        assert!(en.contains("calendar_missing: no calendar for 2027"), "{en}");
        assert!(zh.contains("缺年度日历：2027 年没有日历文件"), "{zh}");
        assert_eq!(as_json(&report.findings[0])["severity"], "warns");
    }
}
