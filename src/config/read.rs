//! The reader: typed questions to a TOML table, with the environment laid over it.
//!
//! A section is read by asking for each key it has, by type and with its default. Asking makes the key known; when the
//! section closes, every key that was written but never asked for is a problem. So the code that reads is the list of keys,
//! and a key cannot be read without being known or known without being read.

use super::problem::{Place, Problem, suggestion};
use crate::media::seam::IpNet;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use toml::de::{DeTable, DeValue};

/// What begins the name of a variable that overrides a key.
pub const PREFIX: &str = "HOTLINE__";

/// One configuration being read: its text for the places, its problems so far.
pub struct Reader<'a> {
    file: &'a Path,
    text: &'a str,
    base: PathBuf,
    /// Overrides by upper-case path below [`PREFIX`] (`SIP__UDP`), and whether somebody asked for them.
    env: BTreeMap<String, (String, bool)>,
    problems: Vec<(usize, Problem)>,
    known: BTreeSet<String>,
    /// Every path a variable may have, for suggestions.
    variables: BTreeSet<String>,
}

/// A value as it was given, before it has a type.
enum Given<'a> {
    Toml(&'a DeValue<'a>, usize),
    /// An override: the variable's name and its text.
    Env(String, String),
}

impl<'a> Reader<'a> {
    pub fn new(file: &'a Path, text: &'a str, env: impl Iterator<Item = (String, String)>) -> Self {
        let base = file.parent().map(Path::to_path_buf).unwrap_or_default();
        let env = env
            .filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.to_uppercase(), (value, false))))
            .collect();
        Self {
            file,
            text,
            base,
            env,
            problems: Vec::new(),
            known: BTreeSet::new(),
            variables: BTreeSet::new(),
        }
    }

    pub fn syntax(&mut self, error: &toml::de::Error) {
        let offset = error.span().map_or(0, |span| span.start);
        self.at(offset, error.message().replace('\n', ", "));
    }

    fn at(&mut self, offset: usize, what: String) {
        let place = Place::of(self.file, self.text, offset);
        self.problems.push((offset, Problem { place, what }));
    }

    fn about(&mut self, given: &Given<'_>, what: String) {
        match given {
            Given::Toml(_, offset) => self.at(*offset, what),
            Given::Env(name, _) => self
                .problems
                .push((usize::MAX, Problem { place: Place::Variable(format!("{PREFIX}{name}")), what })),
        }
    }

    /// Reads the whole document with `read`; what it leaves unasked is unknown.
    pub fn document<T>(&mut self, table: &'a DeTable<'a>, read: impl FnOnce(&mut Section<'_, 'a>) -> T) -> T {
        self.section(String::new(), String::new(), Some(table), 0, read)
    }

    fn section<T>(
        &mut self,
        path: String,
        variable: String,
        table: Option<&'a DeTable<'a>>,
        offset: usize,
        read: impl FnOnce(&mut Section<'_, 'a>) -> T,
    ) -> T {
        let mut section = Section { reader: self, path, variable, table, offset, asked: BTreeSet::new() };
        let value = read(&mut section);
        section.close();
        value
    }

    /// All problems in order, and every key that was asked for.
    pub fn finish(mut self) -> (Vec<Problem>, BTreeSet<String>) {
        let strangers: Vec<_> =
            self.env.iter().filter(|(_, (_, asked))| !asked).map(|(n, _)| n.clone()).collect();
        for name in strangers {
            let hint = suggestion(&name, self.variables.iter().map(String::as_str));
            let hint = hint.replace("mean \"", &format!("mean \"{PREFIX}"));
            let what = format!("no key has this name{hint}");
            self.problems
                .push((usize::MAX, Problem { place: Place::Variable(format!("{PREFIX}{name}")), what }));
        }
        self.problems.sort_by_key(|(offset, _)| *offset);
        (self.problems.into_iter().map(|(_, p)| p).collect(), self.known)
    }
}

/// One table, open for questions.
pub struct Section<'r, 'a> {
    reader: &'r mut Reader<'a>,
    /// `sip`, `trunk.credentials`; empty at the top.
    path: String,
    /// The same for variables: `SIP`, `TRUNK__CITY__CREDENTIALS`.
    variable: String,
    table: Option<&'a DeTable<'a>>,
    offset: usize,
    asked: BTreeSet<&'static str>,
}

impl<'a> Section<'_, 'a> {
    fn full(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn ask(&mut self, key: &'static str) -> Option<Given<'a>> {
        self.asked.insert(key);
        self.reader.known.insert(self.full(key));
        let name = join_variable(&self.variable, key);
        self.reader.variables.insert(name.clone());
        if let Some((value, asked)) = self.reader.env.get_mut(&name) {
            *asked = true;
            return Some(Given::Env(name, value.clone()));
        }
        self.toml(key)
    }

    fn toml(&self, key: &str) -> Option<Given<'a>> {
        let value = self.table?.get(key)?;
        Some(Given::Toml(value.get_ref(), value.span().start))
    }

    fn wrong(&mut self, key: &str, given: &Given<'_>, want: &str) {
        let written = match given {
            Given::Toml(DeValue::String(text), _) => format!("\"{text}\""),
            Given::Toml(value, offset) => {
                let text: String =
                    self.reader.text.get(*offset..).unwrap_or_default().chars().take(40).collect();
                match value {
                    DeValue::Array(_) | DeValue::Table(_) => format!("this {}", value.type_str()),
                    _ => text.split([',', '\n', '#', '}', ']']).next().unwrap_or_default().trim().to_owned(),
                }
            }
            Given::Env(_, text) => format!("\"{text}\""),
        };
        let what = format!("{}: {written} is not {want}", self.full(key));
        self.reader.about(given, what);
    }

    /// A problem the caller found with a key of this section, placed at the key.
    pub fn refuse(&mut self, key: &'static str, what: &str) {
        let given = self.ask(key);
        let what = format!("{}: {what}", self.full(key));
        match given {
            Some(given) => self.reader.about(&given, what),
            None => self.reader.at(self.offset, what),
        }
    }

    /// The same for a key that holds tables.
    pub fn refuse_table(&mut self, key: &'static str, what: &str) {
        let offset = match self.toml(key) {
            Some(Given::Toml(_, offset)) => offset,
            _ => self.offset,
        };
        let what = format!("{}: {what}", self.full(key));
        self.reader.at(offset, what);
    }

    /// Was anything written under this key?
    pub fn has(&self, key: &str) -> bool {
        self.toml(key).is_some()
    }

    pub fn text(&mut self, key: &'static str, default: &str) -> String {
        self.maybe_text(key).unwrap_or_else(|| default.to_owned())
    }

    pub fn maybe_text(&mut self, key: &'static str) -> Option<String> {
        let given = self.ask(key)?;
        match &given {
            Given::Toml(DeValue::String(text), _) => Some(text.to_string()),
            Given::Env(_, text) => Some(text.clone()),
            _ => {
                self.wrong(key, &given, "a text in quotes");
                None
            }
        }
    }

    /// A text that must be there.
    pub fn required(&mut self, key: &'static str) -> String {
        let asked = self.ask(key).is_some();
        let text = if asked { self.maybe_text(key).unwrap_or_default() } else { String::new() };
        if !asked {
            self.reader.at(self.offset, format!("{}: missing", self.full(key)));
        } else if text.is_empty() {
            self.refuse(key, "must not be empty");
        }
        text
    }

    pub fn flag(&mut self, key: &'static str, default: bool) -> bool {
        let Some(given) = self.ask(key) else { return default };
        let value = match &given {
            Given::Toml(DeValue::Boolean(value), _) => Some(*value),
            Given::Env(_, text) => text.parse().ok(),
            Given::Toml(..) => None,
        };
        value.unwrap_or_else(|| {
            self.wrong(key, &given, "true or false");
            default
        })
    }

    /// A whole number within `range`.
    pub fn number<T>(&mut self, key: &'static str, default: T, range: RangeInclusive<T>) -> T
    where
        T: FromStr + PartialOrd + std::fmt::Display + Copy,
    {
        let Some(given) = self.ask(key) else { return default };
        let value = match &given {
            Given::Toml(DeValue::Integer(n), _) if n.radix() == 10 => n.as_str().parse::<T>().ok(),
            Given::Env(_, text) => text.trim().parse().ok(),
            Given::Toml(..) => None,
        };
        value.filter(|v| range.contains(v)).unwrap_or_else(|| {
            self.wrong(key, &given, &format!("a whole number from {} to {}", range.start(), range.end()));
            default
        })
    }

    /// A text that `T` can read; an empty text is `None` where the default is.
    pub fn parsed<T: FromStr>(&mut self, key: &'static str, default: Option<T>, want: &str) -> Option<T> {
        let Some(given) = self.ask(key) else { return default };
        let text = match &given {
            Given::Toml(DeValue::String(text), _) => text.to_string(),
            Given::Env(_, text) => text.clone(),
            Given::Toml(..) => {
                self.wrong(key, &given, want);
                return default;
            }
        };
        if text.is_empty() {
            return None;
        }
        match text.parse() {
            Ok(value) => Some(value),
            Err(_) => {
                self.wrong(key, &given, want);
                default
            }
        }
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&mut self, key: &'static str, default: T, words: &[(&'static str, T)]) -> T {
        let Some(given) = self.ask(key) else { return default };
        let text = match &given {
            Given::Toml(DeValue::String(text), _) => text.to_string(),
            Given::Env(_, text) => text.clone(),
            Given::Toml(..) => String::new(),
        };
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return *value;
        }
        let all: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let hint = suggestion(&text, words.iter().map(|(word, _)| *word));
        self.wrong(key, &given, &format!("one of {}{hint}", all.join(", ")));
        default
    }

    /// The items of a list; a single value is a list of one, and in the environment commas separate.
    fn items(given: &Given<'a>) -> Vec<Given<'a>> {
        match given {
            Given::Toml(DeValue::Array(items), _) => {
                items.iter().map(|i| Given::Toml(i.get_ref(), i.span().start)).collect()
            }
            Given::Env(name, text) => text
                .split(',')
                .map(str::trim)
                .filter(|t| !t.is_empty())
                .map(|t| Given::Env(name.clone(), t.to_owned()))
                .collect(),
            Given::Toml(value, offset) => vec![Given::Toml(value, *offset)],
        }
    }

    /// A list of whole numbers within `range`.
    pub fn numbers(&mut self, key: &'static str, default: &[u32], range: RangeInclusive<u32>) -> Vec<u32> {
        let Some(given) = self.ask(key) else { return default.to_vec() };
        let mut values = Vec::new();
        for item in Self::items(&given) {
            let value = match &item {
                Given::Toml(DeValue::Integer(n), _) if n.radix() == 10 => n.as_str().parse().ok(),
                Given::Env(_, text) => text.parse().ok(),
                Given::Toml(..) => None,
            };
            match value.filter(|v| range.contains(v)) {
                Some(value) => values.push(value),
                None => self.wrong(
                    key,
                    &item,
                    &format!("a whole number from {} to {}", range.start(), range.end()),
                ),
            }
        }
        values
    }

    /// A list of texts that `T` can read; a single text is a list of one, and in the environment commas separate.
    pub fn list<T: FromStr>(&mut self, key: &'static str, default: Vec<T>, want: &str) -> Vec<T> {
        let Some(given) = self.ask(key) else { return default };
        let items = Self::items(&given);
        let mut values = Vec::with_capacity(items.len());
        for item in &items {
            let text = match item {
                Given::Toml(DeValue::String(text), _) => text.as_ref(),
                Given::Env(_, text) => text.as_str(),
                Given::Toml(..) => "",
            };
            match text.parse() {
                Ok(value) if !text.is_empty() => values.push(value),
                _ if text.is_empty()
                    && items.len() == 1
                    && matches!(item, Given::Toml(DeValue::String(_), _)) => {}
                _ => self.wrong(key, item, want),
            }
        }
        values
    }

    pub fn nets(&mut self, key: &'static str) -> Vec<IpNet> {
        self.list::<Net>(key, Vec::new(), "an address or a range like \"10.1.0.0/16\"")
            .into_iter()
            .map(|net| net.0)
            .collect()
    }

    /// A path; a relative one is relative to the file.
    pub fn path(&mut self, key: &'static str, default: &Path) -> PathBuf {
        match self.maybe_text(key) {
            Some(text) => self.reader.base.join(text),
            None => default.to_path_buf(),
        }
    }

    /// Where relative paths of this file begin.
    pub fn base(&self) -> PathBuf {
        self.reader.base.clone()
    }

    /// A table of its own; its keys have their defaults when it isn't written.
    pub fn section<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Section<'_, 'a>) -> T) -> T {
        self.asked.insert(key);
        let (table, offset) = self.table_at(key);
        let (path, variable) = (self.full(key), join_variable(&self.variable, key));
        self.reader.section(path, variable, table, offset, read)
    }

    /// A table that may be left out altogether.
    pub fn maybe<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Section<'_, 'a>) -> T) -> Option<T> {
        let variable = format!("{}__", join_variable(&self.variable, key));
        let in_env = self.reader.env.keys().any(|name| name.starts_with(&variable));
        self.asked.insert(key);
        (self.toml(key).is_some() || in_env).then(|| self.section(key, read))
    }

    /// `[[key]]`, as often as it is written. Variables reach an entry by its name: `HOTLINE__TRUNK__<NAME>__…`.
    pub fn each<T>(&mut self, key: &'static str, mut read: impl FnMut(&mut Section<'_, 'a>) -> T) -> Vec<T> {
        self.asked.insert(key);
        let Some(given) = self.toml(key) else { return Vec::new() };
        let Given::Toml(DeValue::Array(items), _) = &given else {
            self.wrong(key, &given, &format!("a list of tables: write [[{key}]]"));
            return Vec::new();
        };
        let mut values = Vec::with_capacity(items.len());
        for item in items.iter() {
            let Some(table) = item.get_ref().as_table() else {
                self.wrong(key, &Given::Toml(item.get_ref(), item.span().start), "a table");
                continue;
            };
            let name = table.get("name").and_then(|n| n.get_ref().as_str()).unwrap_or_default();
            let variable = join_variable(&join_variable(&self.variable, key), name);
            values.push(self.reader.section(
                self.full(key),
                variable,
                Some(table),
                item.span().start,
                &mut read,
            ));
        }
        values
    }

    /// `[key.NAME]` for every name the author chose.
    pub fn named<T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(&str, &mut Section<'_, 'a>) -> T,
    ) -> BTreeMap<String, T> {
        self.asked.insert(key);
        let (Some(table), _) = self.table_at(key) else { return BTreeMap::new() };
        let mut values = BTreeMap::new();
        for (name, value) in table.iter() {
            let Some(inner) = value.get_ref().as_table() else {
                self.wrong(key, &Given::Toml(value.get_ref(), value.span().start), "a table");
                continue;
            };
            let name = name.get_ref().to_string();
            let variable = join_variable(&join_variable(&self.variable, key), &name);
            let path = format!("{}.NAME", self.full(key));
            let read =
                self.reader.section(path, variable, Some(inner), value.span().start, |s| read(&name, s));
            values.insert(name, read);
        }
        values
    }

    fn table_at(&mut self, key: &'static str) -> (Option<&'a DeTable<'a>>, usize) {
        match self.toml(key) {
            Some(Given::Toml(DeValue::Table(table), offset)) => (Some(table), offset),
            Some(given) => {
                self.wrong(key, &given, &format!("a table: write [{key}]"));
                (None, 0)
            }
            None => (None, self.offset),
        }
    }

    fn close(self) {
        for (key, _) in self.table.into_iter().flat_map(DeTable::iter) {
            let name = key.get_ref().as_ref();
            if !self.asked.contains(name) {
                let hint = suggestion(name, self.asked.iter().copied());
                let of = if self.path.is_empty() { String::new() } else { format!(" in [{}]", self.path) };
                self.reader.at(key.span().start, format!("unknown key \"{name}\"{of}{hint}"));
            }
        }
    }
}

fn join_variable(path: &str, key: &str) -> String {
    let key = key.to_uppercase().replace(['-', '.', ' '], "_");
    if path.is_empty() { key } else { format!("{path}__{key}") }
}

/// `10.1.0.0/16`, or one address.
struct Net(IpNet);

impl FromStr for Net {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let (addr, prefix) = match text.split_once('/') {
            Some((addr, prefix)) => (addr, Some(prefix.parse::<u8>().map_err(|_| ())?)),
            None => (text, None),
        };
        let addr: std::net::IpAddr = addr.parse().map_err(|_| ())?;
        let most = if addr.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(most);
        if prefix > most { Err(()) } else { Ok(Self(IpNet { addr, prefix })) }
    }
}

/// Reads an address range as the configuration writes it.
pub fn net(text: &str) -> Option<IpNet> {
    text.parse::<Net>().ok().map(|net| net.0)
}
