//! The texts and when they are sent: `district/pushes.toml`, read and checked, and asked at each event.

use super::push::{Kind, Push, To};
use crate::base::Personal;
use crate::ticket::cycle::Step;
use crate::ticket::life::{NOTIFIES, SECRECIES, SPECIALS};
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use toml::Spanned;

/// The file the program carries.
pub const SHIPPED: &str = include_str!("../../district/pushes.toml");

/// Events that are no step of the loop.
const EVENTS: [&str; 3] = ["silent_key", "accepted", "callback_given_up"];
/// Longest text, in characters: five parts of an SMS in Chinese.
const TEXT_MAX: usize = 335;
/// So many digits in a row are somebody's number.
const DIGITS_MAX: usize = 6;
/// Words that come before or instead of a person.
const ABOUT_PERSONS: [&str; 9] =
    ["姓名", "先生", "女士", "身份证", "住址", "门牌", "手机号", "电话号码", "来电号码"];

/// Everything a text may name. None of it is about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The ticket's official number.
    No,
    /// Its look-up code, which only the sent text shows.
    Code,
    /// The day promised.
    Due,
    /// The public page.
    Link,
}

impl Field {
    pub const ALL: &[Self] = &[Self::No, Self::Code, Self::Due, Self::Link];
    pub const fn label(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Code => "code",
            Self::Due => "due",
            Self::Link => "link",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Words(String),
    Field(Field),
    /// Left out where one of its fields is not known.
    Maybe(Vec<Part>),
}

/// A text taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Text(Vec<Part>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Texts {
    sms: Option<Text>,
    subject: Option<Text>,
    mail: Option<Text>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whom {
    Caller,
    Unit,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Send {
    on: String,
    to: Whom,
    text: String,
    good_for_ms: i64,
    only: Option<String>,
    contact: bool,
}

/// The name in [`Settings::units`] that stands for all that are not named.
pub const ALL: &str = "*";

/// Where a unit is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Units {
    pub webhook: bool,
    pub mail: bool,
}

/// What of the configuration decides which pushes there are.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub zone: TimeZone,
    /// The public page.
    pub link: Option<String>,
    /// Beginnings of numbers that get an SMS; a landline has none of them.
    pub mobiles: Vec<String>,
    /// The city's 12345 is told.
    pub city: bool,
    /// By units' codes; [`ALL`] for the others.
    pub units: BTreeMap<String, Units>,
}

impl Default for Settings {
    fn default() -> Self {
        let mobiles = ["13", "14", "15", "16", "17", "18", "19"].map(str::to_owned).into();
        Self { zone: TimeZone::UTC, link: None, mobiles, city: false, units: BTreeMap::new() }
    }
}

/// What an event's ticket says of who is told what.
#[derive(Clone, Copy, Debug, Default)]
pub struct About<'a> {
    pub ticket: &'a str,
    pub no: Option<&'a str>,
    pub code: Option<&'a str>,
    /// The citizen's number as it was shown or written.
    pub number: Option<&'a str>,
    pub special: Option<&'a str>,
    /// What agents said of him in his calls, whatever stands on the ticket.
    pub marks: &'a [String],
    pub notify: Option<&'a str>,
    pub secrecy: Option<&'a str>,
    pub lead: Option<&'a str>,
    pub complained_unit: Option<&'a str>,
    pub urgency: Option<&'a str>,
    /// Milliseconds since 1970.
    pub due_at: Option<i64>,
}

/// All texts, and when each is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Book {
    never_special: Vec<String>,
    never_secrecy: Vec<String>,
    texts: BTreeMap<String, Texts>,
    sends: Vec<Send>,
    settings: Settings,
}

impl Book {
    /// The texts the program carries. They read: a test looks at this very file.
    pub fn shipped() -> Self {
        Self::read("pushes.toml", SHIPPED).0
    }

    /// Reads a file; every problem is a line with its place. What has a problem is left out.
    pub fn read(name: &str, text: &str) -> (Self, Vec<String>) {
        let place = |at: usize| {
            let before = text.get(..at).unwrap_or_default();
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            format!("{name}:{}:{column}", before.matches('\n').count() + 1)
        };
        let mut book = Self {
            never_special: Vec::new(),
            never_secrecy: Vec::new(),
            texts: BTreeMap::new(),
            sends: Vec::new(),
            settings: Settings::default(),
        };
        let raw: Raw = match toml::from_str(text) {
            Ok(raw) => raw,
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                return (book, vec![format!("{}: {}", place(at), error.message())]);
            }
        };
        let mut problems = Vec::new();
        let mut wrong = |at: usize, what: String| problems.push(format!("{}: {what}", place(at)));
        for (words, known, into) in [
            (raw.never.special, &SPECIALS[..], &mut book.never_special),
            (raw.never.secrecy, &SECRECIES[..], &mut book.never_secrecy),
        ] {
            for word in words {
                if known.contains(&word.get_ref().as_str()) {
                    into.push(word.into_inner());
                } else {
                    wrong(
                        word.span().start,
                        format!("{:?} is not one of {}", word.get_ref(), known.join(", ")),
                    );
                }
            }
        }
        for (title, texts) in raw.text {
            let mut read = |text: Option<Spanned<String>>| {
                let text = text?;
                match Text::read(text.get_ref()) {
                    Ok(read) => Some(read),
                    Err(what) => {
                        wrong(text.span().start, format!("text.{title}: {what}"));
                        None
                    }
                }
            };
            let texts = Texts { sms: read(texts.sms), subject: read(texts.subject), mail: read(texts.mail) };
            book.texts.insert(title, texts);
        }
        for send in raw.send {
            let at = send.text.span().start;
            let (on, title) = (send.on.get_ref().as_str(), send.text.get_ref().as_str());
            if !EVENTS.contains(&on) && Step::read(on).is_none() {
                wrong(send.on.span().start, format!("{on:?} is no event and no step of the loop"));
                continue;
            }
            if let Some(only) = send.only.as_ref().filter(|only| !NOTIFIES.contains(&only.get_ref().as_str()))
            {
                let known = NOTIFIES.join(", ");
                wrong(only.span().start, format!("{:?} is not one of {known}", only.get_ref()));
            }
            let Some(texts) = book.texts.get(title) else {
                wrong(at, format!("there is no text.{title}"));
                continue;
            };
            let whole = match send.to {
                RawWhom::Caller => texts.sms.is_some(),
                RawWhom::Unit => texts.subject.is_some() && texts.mail.is_some(),
            };
            if !whole {
                let needs = if send.to == RawWhom::Caller { "an sms" } else { "a subject and a mail" };
                wrong(at, format!("text.{title} needs {needs} for this"));
                continue;
            }
            // Nobody knows yet that this is a matter with a number, and he may not want anybody to see one.
            let tells =
                |text: &Text| [Field::No, Field::Code, Field::Due].iter().any(|field| text.names(*field));
            if on == "silent_key" && texts.sms.as_ref().is_some_and(tells) {
                wrong(at, format!("text.{title}: a caller who cannot speak is told of no ticket"));
                continue;
            }
            book.sends.push(Send {
                on: on.to_owned(),
                to: if send.to == RawWhom::Caller { Whom::Caller } else { Whom::Unit },
                text: title.to_owned(),
                good_for_ms: i64::from(send.good_for_min) * 60_000,
                only: send.only.map(Spanned::into_inner),
                contact: send.contact,
            });
        }
        (book, problems)
    }

    #[must_use]
    pub fn with(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Whether anybody could be told of this at all.
    pub fn knows(&self, on: &str) -> bool {
        self.sends.iter().any(|send| send.on == on)
    }

    /// Whether the city's 12345 is told of its tickets.
    pub const fn tells_city(&self) -> bool {
        self.settings.city
    }

    /// Whether citizens are told anything.
    pub fn tells_callers(&self) -> bool {
        self.sends.iter().any(|send| send.to == Whom::Caller)
    }

    /// What is sent because of an event. `mark` is the event within its ticket: the line of the history, or a word where it can
    /// happen only once.
    pub fn pushes(&self, on: &str, mark: &str, at: i64, about: &About<'_>) -> Vec<Push> {
        self.sends
            .iter()
            .filter(|send| {
                send.on == on && send.only.as_deref().is_none_or(|only| about.notify == Some(only))
            })
            .flat_map(|send| match send.to {
                Whom::Caller => self.to_caller(send, mark, at, about).into_iter().collect(),
                Whom::Unit => self.to_unit(send, mark, at, about),
            })
            .collect()
    }

    fn to_caller(&self, send: &Send, mark: &str, at: i64, about: &About<'_>) -> Option<Push> {
        let barred =
            |list: &[String], word: Option<&str>| word.is_some_and(|word| list.iter().any(|one| one == word));
        if about.notify == Some("no_message")
            || barred(&self.never_special, about.special)
            || about.marks.iter().any(|mark| barred(&self.never_special, Some(mark)))
            || barred(&self.never_secrecy, about.secrecy)
        {
            return None;
        }
        let number = mobile(about.number?, &self.settings.mobiles)?;
        let text = self.texts.get(&send.text)?.sms.as_ref()?;
        let words = self.say(text, about)?;
        let code = about.code.filter(|_| text.names(Field::Code));
        Some(Push {
            payload: json!({"text": words}),
            personal: code.map(|code| json!({"code": code})),
            contact: send.contact,
            ..self.push(send, Kind::Sms, To::Person(Personal::new(number)), mark, at, about)
        })
    }

    fn to_unit(&self, send: &Send, mark: &str, at: i64, about: &About<'_>) -> Vec<Push> {
        let Some(unit) = about.lead.filter(|lead| about.complained_unit != Some(*lead)) else {
            return Vec::new();
        };
        let known = self.settings.units.get(unit).or_else(|| self.settings.units.get(ALL));
        let (told, place) = (known.copied().unwrap_or_default(), || To::Place(unit.to_owned()));
        let mut pushes = Vec::new();
        if told.webhook {
            let payload = json!({
                "event": send.on,
                "unit": unit,
                "ticket": about.no,
                "urgency": about.urgency,
                "due_at": about.due_at.map(|due| self.stamp(due)),
                "at": self.stamp(at),
            });
            pushes.push(Push { payload, ..self.push(send, Kind::Webhook, place(), mark, at, about) });
        }
        let texts = self.texts.get(&send.text);
        if told.mail
            && let Some((subject, body)) = texts.and_then(|texts| {
                Some((self.say(texts.subject.as_ref()?, about)?, self.say(texts.mail.as_ref()?, about)?))
            })
        {
            let payload = json!({"subject": subject, "text": body});
            pushes.push(Push { payload, ..self.push(send, Kind::Mail, place(), mark, at, about) });
        }
        pushes
    }

    fn push(&self, send: &Send, kind: Kind, to: To, mark: &str, at: i64, about: &About<'_>) -> Push {
        Push {
            key: [about.ticket, ":", mark, ":", kind.label()].concat(),
            kind,
            to,
            ticket: Some(about.ticket.to_owned()),
            subject: send.text.clone(),
            payload: serde_json::Value::Null,
            personal: None,
            at,
            until: Some(at.saturating_add(send.good_for_ms)),
            contact: false,
        }
    }

    /// The text; its code stays a mark until it is sent. `None`: a field that must be there is not.
    fn say(&self, text: &Text, about: &About<'_>) -> Option<String> {
        let value = |field: Field| match field {
            Field::No => about.no.map(str::to_owned),
            Field::Code => about.code.map(|_| CODE.to_owned()),
            Field::Due => about.due_at.map(|due| self.day(due)),
            Field::Link => self.settings.link.clone(),
        };
        text.say(&value)
    }

    fn day(&self, at: i64) -> String {
        let Ok(at) = jiff::Timestamp::from_millisecond(at) else { return String::new() };
        let at = self.settings.zone.to_datetime(at);
        format!("{}月{}日{:02}:{:02}", at.month(), at.day(), at.hour(), at.minute())
    }

    fn stamp(&self, at: i64) -> String {
        let Ok(at) = jiff::Timestamp::from_millisecond(at) else { return String::new() };
        at.to_zoned_datetime(self.settings.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }
}

/// What stands in a row's text for the look-up code.
const CODE: &str = "{code}";

/// A row's text as it is sent, or as anybody else may see it.
pub fn with_code(text: &str, code: Option<&str>) -> String {
    text.replace(CODE, code.unwrap_or("••••••"))
}

/// A number without what people and networks put around it.
pub fn plain(number: &str) -> String {
    let digits: String = number.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')')).collect();
    digits.strip_prefix("+86").or_else(|| digits.strip_prefix("0086")).unwrap_or(&digits).to_owned()
}

/// The number as a gateway wants it, when it is a mobile's.
fn mobile(number: &str, beginnings: &[String]) -> Option<String> {
    let digits = plain(number);
    let fine = digits.len() == 11
        && digits.bytes().all(|b| b.is_ascii_digit())
        && beginnings.iter().any(|beginning| !beginning.is_empty() && digits.starts_with(beginning.as_str()));
    fine.then_some(digits)
}

impl Text {
    fn read(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() || text.chars().count() > TEXT_MAX {
            return Err(format!("a text has between 1 and {TEXT_MAX} characters"));
        }
        if text.contains(char::is_control) {
            return Err("a text is one line".into());
        }
        let mut rest = text;
        let parts = parts(&mut rest, false)?;
        let read = Self(parts);
        for words in read.words() {
            let longest = words.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0);
            if longest > DIGITS_MAX {
                return Err("a number stands in it; texts name nobody's".into());
            }
            if words.contains(['@', '＠']) {
                return Err("an address stands in it; texts name nobody's".into());
            }
            if let Some(word) = ABOUT_PERSONS.iter().find(|word| words.contains(**word)) {
                return Err(format!("{word} is about a person"));
            }
        }
        Ok(read)
    }

    fn names(&self, field: Field) -> bool {
        fn within(parts: &[Part], field: Field) -> bool {
            parts.iter().any(|part| match part {
                Part::Words(_) => false,
                Part::Field(known) => *known == field,
                Part::Maybe(parts) => within(parts, field),
            })
        }
        within(&self.0, field)
    }

    /// All of its words, those in brackets too.
    fn words(&self) -> Vec<&str> {
        fn within<'a>(parts: &'a [Part], all: &mut Vec<&'a str>) {
            for part in parts {
                match part {
                    Part::Words(words) => all.push(words),
                    Part::Field(_) => {}
                    Part::Maybe(parts) => within(parts, all),
                }
            }
        }
        let mut all = Vec::new();
        within(&self.0, &mut all);
        all
    }

    fn say(&self, value: &dyn Fn(Field) -> Option<String>) -> Option<String> {
        fn within(parts: &[Part], value: &dyn Fn(Field) -> Option<String>) -> Option<String> {
            let mut said = String::new();
            for part in parts {
                match part {
                    Part::Words(words) => said.push_str(words),
                    Part::Field(field) => said.push_str(&value(*field)?),
                    Part::Maybe(parts) => said.push_str(&within(parts, value).unwrap_or_default()),
                }
            }
            Some(said)
        }
        within(&self.0, value)
    }
}

/// Takes parts off the front of `rest`, up to the end or, inside brackets, behind the closing one.
fn parts(rest: &mut &str, inside: bool) -> Result<Vec<Part>, String> {
    let mut found = Vec::new();
    loop {
        let end = rest.find(['{', '}', '[', ']']).unwrap_or(rest.len());
        let (words, more) = rest.split_at(end);
        if !words.is_empty() {
            found.push(Part::Words(words.to_owned()));
        }
        *rest = more;
        let Some(mark) = rest.chars().next() else {
            return if inside { Err("a [ without its ]".into()) } else { Ok(found) };
        };
        *rest = &rest[1..];
        match mark {
            '[' if !inside => found.push(Part::Maybe(parts(rest, true)?)),
            ']' if inside => return Ok(found),
            '{' => {
                let (name, more) = rest.split_once('}').ok_or("a { without its }")?;
                *rest = more;
                let known = Field::ALL.iter().copied().find(|field| field.label() == name);
                let field = known.ok_or_else(|| {
                    let all: Vec<_> =
                        Field::ALL.iter().map(|field| format!("{{{}}}", field.label())).collect();
                    format!("{{{name}}} is not one of {}", all.join(", "))
                })?;
                if field != Field::No && !inside {
                    return Err(format!("{{{name}}} is not always known: put it in [brackets]"));
                }
                found.push(Part::Field(field));
            }
            _ => return Err(format!("a {mark} in the wrong place")),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(rename = "version")]
    _version: String,
    never: RawNever,
    #[serde(default)]
    text: BTreeMap<String, RawText>,
    #[serde(default)]
    send: Vec<RawSend>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNever {
    special: Vec<Spanned<String>>,
    secrecy: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawText {
    sms: Option<Spanned<String>>,
    subject: Option<Spanned<String>>,
    mail: Option<Spanned<String>>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum RawWhom {
    Caller,
    Unit,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSend {
    on: Spanned<String>,
    to: RawWhom,
    text: Spanned<String>,
    good_for_min: u32,
    only: Option<Spanned<String>>,
    #[serde(default)]
    contact: bool,
}

#[cfg(test)]
mod tests;
