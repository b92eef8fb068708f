//! Values read aloud in Mandarin, from the pieces of the prompt store (domain reference 3.7, reading rules).

use super::book::How;
use super::seam::Spoken;
use std::sync::Arc;

/// Between groups of four digits, milliseconds.
const GROUP_MS: u16 = 250;
/// Largest number that is read as one: 九千九百九十九万九千九百九十九.
const LARGEST: u64 = 99_999_999;

fn clip(name: impl Into<Arc<str>>) -> Spoken {
    Spoken::Clip(name.into())
}

/// The pieces of a value; `None` when it is nothing that can be read so.
pub(super) fn say(how: How, value: &str, utc_offset_s: i32) -> Option<Vec<Spoken>> {
    match how {
        How::Digits => digits(value, usize::MAX),
        How::Digits4 => digits(value, 4),
        How::Number => value.parse().ok().and_then(|n| number(n, false)),
        How::Count => value.parse().ok().and_then(|n| number(n, true)),
        How::Date => date(value, utc_offset_s),
        How::Time => time_of_day(moment(value, utc_offset_s)?.1?),
        How::Dept => (!value.is_empty()).then(|| vec![clip(format!("dept_{value}"))]),
        How::QueuePos => value.parse().ok().and_then(queue_pos),
        How::QueueWait => value.parse().ok().map(queue_wait),
        How::Text => None,
    }
}

/// One by one: 1 is 幺, so that it is not taken for 七.
fn digits(text: &str, group: usize) -> Option<Vec<Spoken>> {
    let mut out = Vec::with_capacity(text.len() + 4);
    for (n, c) in text.chars().enumerate() {
        if n > 0 && n % group == 0 {
            out.push(Spoken::Pause(GROUP_MS));
        }
        out.push(match c {
            '0'..='9' => clip(format!("d{c}")),
            '#' => clip("u_jing"),
            '*' => clip("u_xing"),
            _ => return None,
        });
    }
    (!out.is_empty()).then_some(out)
}

/// `before_measure`: a lone 2 is 两, also before 百, 千 and 万.
fn number(n: u64, before_measure: bool) -> Option<Vec<Spoken>> {
    if n > LARGEST {
        return None;
    }
    if before_measure && n == 2 {
        return Some(vec![clip("u_liang")]);
    }
    let mut out = Vec::new();
    let (wan, rest) = (n / 10_000, n % 10_000);
    if wan > 0 {
        if wan == 2 {
            out.push(clip("u_liang"))
        } else {
            below_wan(wan, false, &mut out)
        }
        out.push(clip("u_wan"));
    }
    if rest > 0 || wan == 0 {
        below_wan(rest, wan > 0 && rest < 1_000, &mut out);
    }
    Some(out)
}

/// 0–9,999. `gap`: a higher group stands before and a place is empty between: 零.
fn below_wan(n: u64, gap: bool, out: &mut Vec<Spoken>) {
    if gap {
        out.push(clip("u_ling"));
    }
    let (thousands, hundreds, rest) = (n / 1_000, n / 100 % 10, n % 100);
    if thousands > 0 {
        out.push(if thousands == 2 { clip("u_liang") } else { clip(format!("n{thousands}")) });
        out.push(clip("u_qian"));
    }
    if hundreds > 0 {
        out.push(if hundreds == 2 { clip("u_liang") } else { clip(format!("n{hundreds}")) });
        out.push(clip("u_bai"));
    }
    if rest == 0 && n > 0 {
        return;
    }
    let higher = thousands > 0 || hundreds > 0;
    if higher && (rest < 10 || (hundreds == 0 && thousands > 0)) {
        out.push(clip("u_ling"));
    }
    // 一百一十二 and 一万零一十二, but 十二 where nothing stands before it.
    if (higher || gap) && (10..20).contains(&rest) {
        out.push(clip("n1"));
    }
    out.push(clip(format!("n{rest}")));
}

/// 您前面还有…位市民在等候. Nobody ahead is not said.
fn queue_pos(ahead: u64) -> Option<Vec<Spoken>> {
    Some(match ahead {
        0 => Vec::new(),
        1..=20 => vec![clip(format!("queue_pos_{ahead}"))],
        _ => {
            let mut out = vec![clip("queue_pos.1")];
            out.extend(number(ahead, true)?);
            out.push(clip("queue_pos.2"));
            out
        }
    })
}

fn queue_wait(minutes: u64) -> Vec<Spoken> {
    vec![match minutes {
        0 => clip("queue_soon"),
        1..=10 => clip(format!("queue_wait_{minutes}")),
        _ => clip("queue_long"),
    }]
}

type Moment = (jiff::civil::Date, Option<jiff::civil::Time>);

/// `2026-11-25`, or RFC 3339: then in the local time of the given offset.
fn moment(text: &str, utc_offset_s: i32) -> Option<Moment> {
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        let offset = jiff::tz::Offset::from_seconds(utc_offset_s).ok()?;
        let local = offset.to_datetime(at);
        return Some((local.date(), Some(local.time())));
    }
    text.parse::<jiff::civil::Date>().ok().map(|date| (date, None))
}

fn date(text: &str, utc_offset_s: i32) -> Option<Vec<Spoken>> {
    let (date, time) = moment(text, utc_offset_s)?;
    let mut out = vec![clip(format!("m{}", date.month())), clip(format!("day{}", date.day()))];
    if let Some(time) = time {
        out.extend(time_of_day(time)?);
    }
    Some(out)
}

fn time_of_day(time: jiff::civil::Time) -> Option<Vec<Spoken>> {
    // By day 上午九点, 下午三点; at noon, in the evening and by night the hour alone says it.
    let mut out = match time.hour() {
        hour @ 6..=11 => vec![clip("u_shangwu"), clip(format!("h{hour}"))],
        hour @ 13..=17 => vec![clip("u_xiawu"), clip(format!("h{}", hour - 12))],
        hour => vec![clip(format!("h{hour}"))],
    };
    match time.minute() {
        0 => {}
        30 => out.push(clip("u_ban")),
        minute @ 1..=9 => out.extend([clip("u_ling"), clip(format!("n{minute}")), clip("u_fen")]),
        minute => out.extend([clip(format!("n{minute}")), clip("u_fen")]),
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ivr::Book;

    /// What is heard, in writing.
    fn heard(how: How, value: &str) -> String {
        let book = Book::read(include_str!("../../sounds/manifest.json")).unwrap();
        let spoken = say(how, value, 8 * 3600).unwrap_or_else(|| panic!("{value} is not said"));
        let text = |spoken: &Spoken| match spoken {
            Spoken::Clip(name) => book.clip_text(name).unwrap_or_else(|| panic!("no clip {name}")).to_owned(),
            Spoken::Pause(_) => " ".to_owned(),
        };
        spoken.iter().map(text).collect()
    }

    #[test]
    fn numbers_are_read_as_people_read_them() {
        for (n, want) in [
            ("0", "零"),
            ("2", "二"),
            ("10", "十"),
            ("15", "十五"),
            ("30", "三十"),
            ("100", "一百"),
            ("105", "一百零五"),
            ("110", "一百一十"),
            ("112", "一百一十二"),
            ("222", "两百二十二"),
            ("1000", "一千"),
            ("1005", "一千零五"),
            ("1050", "一千零五十"),
            ("2012", "两千零一十二"),
            ("10000", "一万"),
            ("10005", "一万零五"),
            ("12345", "一万两千三百四十五"),
            ("20300", "两万零三百"),
            ("10010", "一万零一十"),
            ("100012", "十万零一十二"),
            ("1010101", "一百零一万零一百零一"),
        ] {
            assert_eq!(heard(How::Number, n), want, "{n}");
        }
        assert_eq!(heard(How::Count, "2"), "两");
        assert_eq!(say(How::Number, "x", 0), None);
        assert_eq!(say(How::Number, "100000000", 0), None);
    }

    #[test]
    fn digits_dates_and_times_are_read() {
        assert_eq!(heard(How::Digits4, "261123000018"), "二六幺幺 二三零零 零零幺八");
        assert_eq!(heard(How::Digits, "12#"), "幺二井号键");
        assert_eq!(heard(How::Date, "2026-11-25"), "十一月二十五日");
        assert_eq!(heard(How::Date, "2026-11-25T09:30:00Z"), "十一月二十五日下午五点半");
        assert_eq!(heard(How::Time, "2026-11-25T01:05:00Z"), "上午九点零五分");
        assert_eq!(heard(How::Time, "2026-11-25T06:30:00Z"), "下午两点半");
        assert_eq!(heard(How::Time, "2026-11-25T16:10:00Z"), "零点十分");
        assert_eq!(heard(How::Time, "2026-11-25T12:00:00Z"), "二十点");
        assert_eq!(say(How::Date, "gestern", 0), None);
    }

    #[test]
    fn places_and_waits_are_told() {
        assert!(heard(How::QueuePos, "3").contains("三位"));
        assert!(heard(How::QueuePos, "22").contains("二十二"));
        assert_eq!(say(How::QueuePos, "0", 0), Some(Vec::new()));
        assert!(heard(How::QueueWait, "0").contains("很快"));
        assert!(heard(How::QueueWait, "12").contains("超过十分钟"));
    }
}
