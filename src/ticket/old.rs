//! Tickets from before this program, as rows of a sheet: which column is which, what a row says, and what is wrong with it. Pure.

use super::district::District;
use super::life::{SECRECIES, TYPES, URGENCIES};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// Longest text of a cell, characters; longer ones are told, not cut.
const TEXT_MAX: usize = 20_000;
const NAME_MAX: usize = 200;
/// Ways a ticket may have come.
pub const CHANNELS: [&str; 8] =
    ["phone", "mailbox", "wechat", "web", "voicemail", "callback", "city", "other"];

/// A closed ticket of the past. Times in milliseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OldTicket {
    pub old_no: String,
    pub created_at: i64,
    pub closed_at: i64,
    pub channel: String,
    pub kind: Option<String>,
    pub category: Option<String>,
    pub street: Option<String>,
    pub lead: Option<String>,
    pub urgency: Option<String>,
    pub title: Option<String>,
    pub content: Option<String>,
    pub brief: Option<String>,
    pub caller: Option<String>,
    pub name: Option<String>,
    pub address: Option<String>,
    pub secrecy: String,
    pub complained_unit: Option<String>,
    /// What came of it, in the unit's words.
    pub result: Option<String>,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    OldNo,
    CreatedAt,
    ClosedAt,
    Channel,
    Type,
    Category,
    Street,
    Lead,
    Urgency,
    Title,
    Content,
    Brief,
    Caller,
    Name,
    Address,
    Secrecy,
    Complained,
    Result,
}

impl Column {
    pub const ALL: [Self; 18] = [
        Self::OldNo,
        Self::CreatedAt,
        Self::ClosedAt,
        Self::Channel,
        Self::Type,
        Self::Category,
        Self::Street,
        Self::Lead,
        Self::Urgency,
        Self::Title,
        Self::Content,
        Self::Brief,
        Self::Caller,
        Self::Name,
        Self::Address,
        Self::Secrecy,
        Self::Complained,
        Self::Result,
    ];

    /// Its heading, in either language.
    pub const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::OldNo => ("old_no", "原编号"),
            Self::CreatedAt => ("created_at", "受理时间"),
            Self::ClosedAt => ("closed_at", "办结时间"),
            Self::Channel => ("channel", "渠道"),
            Self::Type => ("type", "类型"),
            Self::Category => ("category", "分类代码"),
            Self::Street => ("street", "街道代码"),
            Self::Lead => ("lead", "主办单位"),
            Self::Urgency => ("urgency", "紧急程度"),
            Self::Title => ("title", "标题"),
            Self::Content => ("content", "来电原话"),
            Self::Brief => ("brief", "转办内容"),
            Self::Caller => ("caller", "来电号码"),
            Self::Name => ("name", "姓名"),
            Self::Address => ("address", "地址"),
            Self::Secrecy => ("secrecy", "保密"),
            Self::Complained => ("complained_unit", "被投诉单位"),
            Self::Result => ("result", "办理结果"),
        }
    }
}

/// Why a cell cannot be taken, with the column it stands in. The cell's own text is not repeated: it may name somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Heading of the column.
    pub column: String,
    pub reason: &'static str,
}

/// Which column of the sheet is which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heads(Vec<Option<Column>>);

impl Heads {
    /// Reads the first row. An unknown heading, one that is there twice, or none for number and time is told.
    pub fn read(row: &[String]) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut columns: Vec<Option<Column>> = Vec::with_capacity(row.len());
        for text in row {
            let text = text.trim_start_matches('\u{feff}').trim();
            let fault = |reason| Fault { column: text.to_owned(), reason };
            let found = Column::ALL.into_iter().find(|column| {
                let (en, zh) = column.names();
                text.eq_ignore_ascii_case(en) || text == zh
            });
            match found {
                None if text.is_empty() => {}
                None => faults.push(fault("no column has this heading")),
                Some(column) if columns.contains(&Some(column)) => faults.push(fault("is there twice")),
                Some(_) => {}
            }
            columns.push(found);
        }
        for needed in [Column::OldNo, Column::CreatedAt] {
            if !columns.contains(&Some(needed)) {
                faults.push(Fault { column: needed.names().0.to_owned(), reason: "is needed" });
            }
        }
        if faults.is_empty() { Ok(Self(columns)) } else { Err(faults) }
    }

    /// A row as a ticket, or all that is wrong with it. `now`: nothing of the past is later.
    pub fn ticket(
        &self,
        row: &[String],
        district: &District,
        zone: &TimeZone,
        now: i64,
    ) -> Result<OldTicket, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut tell = |column: Column, reason| {
            faults.push(Fault { column: column.names().0.to_owned(), reason });
        };
        let mut ticket = OldTicket::default();
        let (mut created, mut closed) = (None, None);
        for (text, column) in row.iter().zip(&self.0) {
            let (text, Some(column)) = (text.trim(), *column) else { continue };
            if text.is_empty() {
                continue;
            }
            let most = match column {
                Column::Title | Column::Content | Column::Brief | Column::Result => TEXT_MAX,
                _ => NAME_MAX,
            };
            if text.chars().count() > most {
                tell(column, "is too long");
                continue;
            }
            let mut code = |slot: &mut Option<String>, known: bool| {
                if known {
                    *slot = Some(text.to_owned());
                } else {
                    tell(column, "no such code here");
                }
            };
            match column {
                Column::OldNo if text.len() <= 64 => text.clone_into(&mut ticket.old_no),
                Column::OldNo => tell(column, "is too long"),
                Column::CreatedAt | Column::ClosedAt => match moment(text, zone) {
                    Some(at) if at > now => tell(column, "lies in the future"),
                    Some(at) if column == Column::CreatedAt => created = Some(at),
                    Some(at) => closed = Some(at),
                    None => tell(column, "is no time, such as 2024-03-01 08:30"),
                },
                Column::Channel if CHANNELS.contains(&text) => text.clone_into(&mut ticket.channel),
                Column::Secrecy if SECRECIES.contains(&text) => text.clone_into(&mut ticket.secrecy),
                Column::Channel | Column::Secrecy => tell(column, "no such code here"),
                Column::Type => code(&mut ticket.kind, TYPES.contains(&text)),
                Column::Urgency => code(&mut ticket.urgency, URGENCIES.contains(&text)),
                Column::Category => code(&mut ticket.category, district.has_category(text)),
                Column::Street => code(&mut ticket.street, district.has_street(text)),
                Column::Lead => code(&mut ticket.lead, district.has_unit(text)),
                Column::Complained => code(&mut ticket.complained_unit, district.has_unit(text)),
                Column::Caller => match number(text) {
                    Some(number) => ticket.caller = Some(number),
                    None => tell(column, "is no telephone number"),
                },
                Column::Title => ticket.title = Some(text.to_owned()),
                Column::Content => ticket.content = Some(text.to_owned()),
                Column::Brief => ticket.brief = Some(text.to_owned()),
                Column::Name => ticket.name = Some(text.to_owned()),
                Column::Address => ticket.address = Some(text.to_owned()),
                Column::Result => ticket.result = Some(text.to_owned()),
            }
        }
        let told = |column: Column, faults: &[Fault]| faults.iter().any(|one| one.column == column.names().0);
        let mut missing = |column: Column, reason| {
            if !told(column, &faults) {
                faults.push(Fault { column: column.names().0.to_owned(), reason });
            }
        };
        if ticket.old_no.is_empty() {
            missing(Column::OldNo, "is needed");
        }
        match (created, closed) {
            (None, _) => missing(Column::CreatedAt, "is needed"),
            (Some(from), Some(to)) if to < from => missing(Column::ClosedAt, "is before created_at"),
            (Some(from), _) => (ticket.created_at, ticket.closed_at) = (from, closed.unwrap_or(from)),
        }
        if ticket.channel.is_empty() {
            ticket.channel = "phone".to_owned();
        }
        // What nobody said of secrecy then is not open to everybody now.
        if ticket.secrecy.is_empty() {
            ticket.secrecy = "secret".to_owned();
        }
        if faults.is_empty() { Ok(ticket) } else { Err(faults) }
    }
}

/// A time with or without its offset, or a day.
fn moment(text: &str, zone: &TimeZone) -> Option<i64> {
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(at.as_millisecond());
    }
    let text = text.replace('/', "-");
    let (day, clock) = text.split_once([' ', 'T']).map_or((&*text, ""), |(day, clock)| (day, clock.trim()));
    let mut parts = day.split('-').map(|part| part.parse::<i16>().ok());
    let (year, month, of_month) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() {
        return None;
    }
    let day = Date::new(year, i8::try_from(month).ok()?, i8::try_from(of_month).ok()?).ok()?;
    let mut hms = [0i8; 3];
    if !clock.is_empty() {
        let parts: Vec<&str> = clock.split(':').collect();
        if !(2..=3).contains(&parts.len()) {
            return None;
        }
        for (slot, part) in hms.iter_mut().zip(parts) {
            *slot = part.parse().ok()?;
        }
    }
    let at = DateTime::new(day.year(), day.month(), day.day(), hms[0], hms[1], hms[2], 0).ok()?;
    Some(zone.to_timestamp(at).ok()?.as_millisecond())
}

/// Digits of a telephone number, without what people write between them.
fn number(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')')).collect();
    let fine = (3..=20).contains(&digits.trim_start_matches('+').len())
        && digits.trim_start_matches('+').bytes().all(|b| b.is_ascii_digit());
    fine.then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_395_600_000;

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    fn read(heads: &[&str], cells: &[&str]) -> Result<OldTicket, Vec<(String, &'static str)>> {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let heads = Heads::read(&row(heads)).unwrap();
        heads
            .ticket(&row(cells), &District::shipped(), &zone, NOW)
            .map_err(|faults| faults.into_iter().map(|one| (one.column, one.reason)).collect())
    }

    #[test]
    fn headings_are_known_in_both_languages_and_faults_of_theirs_are_told() {
        assert!(Heads::read(&row(&["\u{feff}原编号", "受理时间", "", "Title"])).is_ok());
        let told = Heads::read(&row(&["old_no", "原编号", "颜色"])).unwrap_err();
        let told: Vec<_> = told.iter().map(|one| (one.column.as_str(), one.reason)).collect();
        assert_eq!(
            told,
            [
                ("原编号", "is there twice"),
                ("颜色", "no column has this heading"),
                ("created_at", "is needed")
            ]
        );
    }

    #[test]
    fn a_row_is_a_ticket_or_all_that_is_wrong_with_it() {
        let heads = ["原编号", "受理时间", "办结时间", "分类代码", "来电号码", "标题", "保密"];
        let good = read(
            &heads,
            &["A-1", "2024/3/1 8:30", "2024-03-04", "030101", "138-0000 0001", "不热", "normal"],
        )
        .unwrap();
        assert_eq!((good.created_at, good.closed_at), (1_709_253_000_000, 1_709_481_600_000));
        assert_eq!((good.caller.as_deref(), &*good.channel), (Some("13800000001"), "phone"));
        let short = read(&heads, &["A-2", "2024-03-01T08:30:00+08:00"]).unwrap();
        assert_eq!((short.created_at, &*short.secrecy), (1_709_253_000_000, "secret"));
        let told = read(&heads, &["", "2024-02-30", "2031-01-01", "999999", "十三", "", "open"]).unwrap_err();
        assert_eq!(
            told,
            [
                ("created_at".to_owned(), "is no time, such as 2024-03-01 08:30"),
                ("closed_at".to_owned(), "lies in the future"),
                ("category".to_owned(), "no such code here"),
                ("caller".to_owned(), "is no telephone number"),
                ("secrecy".to_owned(), "no such code here"),
                ("old_no".to_owned(), "is needed"),
            ]
        );
        let told = read(&heads, &["A-3", "2024-03-01", "2024-02-01"]).unwrap_err();
        assert_eq!(told, [("closed_at".to_owned(), "is before created_at")]);
    }
}
