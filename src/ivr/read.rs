//! The reader: one file of a flow into its draft, with every problem told at once, by line and column and in the author's own words.

use super::book::{self, Book, How, Part};
use super::flow::{Again, At, Collect, Kind, On, Queue, Speech, Value, When};
use super::problem::{Lines, Problem, hint};
use super::seam::HangUpWhy;
use super::set::BUNDLE_MARK;
use crate::base::{DayKind, Digit};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Largest file that is read, bytes; most nodes in it.
pub(super) const FILE_MAX: usize = 128 * 1024;
pub(super) const NODES_MAX: usize = 1_000;
/// So many problems are told at once; a file with more has one great one.
const PROBLEMS_MAX: usize = 200;

/// A file as it was read: targets are still names.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub version: String,
    pub start: Option<(String, At)>,
    /// Variables its callers have set.
    pub takes: Vec<Arc<str>>,
    /// In the file's order.
    pub nodes: Vec<DraftNode>,
}

#[derive(Debug)]
pub(super) struct DraftNode {
    pub name: Arc<str>,
    pub at: At,
    pub what: DraftKind,
    /// Outcome, target's name, place of the name.
    pub outs: Vec<(Arc<str>, String, At)>,
    pub keys: Vec<(char, String, At)>,
    /// Keys that work although the prompt does not name them.
    pub silent: Vec<char>,
}

#[derive(Debug)]
pub(super) enum DraftKind {
    Own(Kind),
    /// `flow = "other"`: set in by the set of flows.
    Subflow {
        flow: String,
        at: At,
    },
}

/// Reads one file. `number` is its place in the set.
pub(super) fn read(file: &str, number: u16, text: &str, book: &Book, problems: &mut Vec<Problem>) -> Draft {
    let mut reader = Reader { file, number, text, lines: Lines::of(text), book, problems };
    if text.len() > FILE_MAX {
        reader.tell(0, format!("the file has {} bytes, at most {FILE_MAX} are read", text.len()));
        return Draft::default();
    }
    if let Some(at) = text
        .match_indices(BUNDLE_MARK)
        .map(|(at, _)| at)
        .find(|at| text[..*at].chars().next_back().is_none_or(|c| c == '\n'))
    {
        reader.tell(
            at,
            format!("a line may not begin with \"{BUNDLE_MARK}\": kept flows are taken apart there"),
        );
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut twice = None;
    for error in &errors {
        if reader.problems.len() >= PROBLEMS_MAX {
            break;
        }
        let what = error.message().lines().collect::<Vec<_>>().join(" ");
        let span = error.span().unwrap_or(0..0);
        if what != "duplicate key" {
            reader.tell(span.start, what);
            continue;
        }
        // A table that is there twice has all its keys twice: told once.
        if twice.is_some() && table_at(text, span.start) == twice {
            continue;
        }
        twice = table_at(text, span.start).filter(|table| !text[*table..span.start].contains('\n'));
        let name = text.get(span.clone()).unwrap_or_default();
        reader.tell(span.start, format!("\"{name}\" is there twice; give one another name"));
    }
    reader.document(document.get_ref())
}

/// Where the table begins in whose lines an offset stands.
fn table_at(text: &str, offset: usize) -> Option<usize> {
    let line = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    if text[line..].starts_with('[') {
        return Some(line);
    }
    text[..line].rfind("\n[").map(|at| at + 1)
}

struct Reader<'a, 'p> {
    file: &'a str,
    number: u16,
    text: &'a str,
    lines: Lines,
    book: &'a Book,
    problems: &'p mut Vec<Problem>,
}

impl Reader<'_, '_> {
    fn tell(&mut self, offset: usize, what: impl Into<String>) {
        if self.problems.len() >= PROBLEMS_MAX {
            return;
        }
        let (line, column) = self.lines.place(self.text, offset);
        self.problems.push(Problem { file: self.file.to_owned(), line, column, what: what.into() });
    }

    fn at(&self, offset: usize) -> At {
        At { file: self.number, offset: u32::try_from(offset).unwrap_or(u32::MAX) }
    }

    fn document(&mut self, root: &DeTable<'_>) -> Draft {
        let mut draft = Draft::default();
        for (key, value) in in_order(root) {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("flow", DeValue::Table(table)) => self.head(table, key.span().start, &mut draft),
                ("node", DeValue::Table(table)) => self.nodes(table, &mut draft),
                ("flow" | "node", other) => self
                    .tell(value.span().start, format!("{} is a table, not {}", key.get_ref(), named(other))),
                (other, _) => self.tell(
                    key.span().start,
                    format!("unknown table \"{other}\"{}", hint(other, ["flow", "node"])),
                ),
            }
        }
        if draft.start.is_none() && !self.problems.iter().any(|p| p.what.contains("start")) {
            self.tell(0, "[flow] start is missing: the name of the first node");
        }
        draft
    }

    fn head(&mut self, table: &DeTable<'_>, offset: usize, draft: &mut Draft) {
        let mut fields = Fields::new(self, "flow", table, offset);
        draft.start = fields.text("start").map(|(text, offset)| (text, fields.reader.at(offset)));
        if !fields.had("version") {
            fields.missing("version", "the author's name for this state of it, like \"2026-11\"");
        }
        draft.version = fields.text("version").map(|(text, _)| text).unwrap_or_default();
        draft.takes = fields.names("takes");
        let _ = fields.text("title");
        fields.finish();
    }

    fn nodes(&mut self, table: &DeTable<'_>, draft: &mut Draft) {
        for (key, value) in in_order(table) {
            if draft.nodes.len() >= NODES_MAX {
                return self.tell(key.span().start, format!("more than {NODES_MAX} nodes"));
            }
            let name = key.get_ref().as_ref();
            if !name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-')) || name.is_empty() {
                self.tell(
                    key.span().start,
                    format!("\"{name}\" is no name for a node: letters, digits, _ and - make one"),
                );
            }
            let DeValue::Table(fields) = value.get_ref() else {
                self.tell(
                    value.span().start,
                    format!("node.{name} is a table, not {}", named(value.get_ref())),
                );
                continue;
            };
            let node = self.node(name, fields, key.span().start);
            draft.nodes.push(node);
        }
    }

    fn node(&mut self, name: &str, table: &DeTable<'_>, offset: usize) -> DraftNode {
        let path = format!("node.{name}");
        let at = self.at(offset);
        let mut fields = Fields::new(self, &path, table, offset);
        let mut node = DraftNode {
            name: Arc::from(name),
            at,
            what: DraftKind::Own(Kind::Set { values: Vec::new() }),
            outs: Vec::new(),
            keys: Vec::new(),
            silent: Vec::new(),
        };
        // A node that cannot be read keeps its name, so that what leads to it is not told as well.
        let Some((kind, kind_at)) = fields.text("kind") else {
            if !fields.had("kind") {
                fields.missing("kind", "what the node does, like \"play\"");
            }
            return node;
        };
        let Some(read) = read_kind(&kind, &mut fields, &mut node) else {
            let offer = hint(&kind, Kind::NAMES.iter().copied());
            let what = format!("{path}.kind: there is no \"{kind}\"{offer}");
            fields.reader.tell(kind_at, what);
            return node;
        };
        node.what = read;
        fields.out("error", &mut node, false);
        fields.finish();
        node
    }
}

fn read_kind(kind: &str, f: &mut Fields<'_, '_, '_, '_>, node: &mut DraftNode) -> Option<DraftKind> {
    let own = match kind {
        "play" => {
            let speech = f.speech("prompt", true);
            let finish = f.flag("finish");
            f.keys(node, false);
            f.out("next", node, true);
            Kind::Play { speech, finish }
        }
        "say" => {
            let speech = f.say();
            let finish = f.flag("finish");
            f.keys(node, false);
            f.out("next", node, true);
            Kind::Play { speech, finish }
        }
        "set" => {
            let values = f.values("values", true);
            f.out("next", node, true);
            Kind::Set { values }
        }
        "menu" => {
            let (speech, wrong) = (f.speech("prompt", true), f.speech("wrong_prompt", false));
            let (timeout_ms, tries) =
                (f.seconds("timeout_s", 5, 1..=120), f.number("tries", 2, 1..=10) as u8);
            f.keys(node, true);
            node.silent = f.key_list("silent");
            f.out("no_input", node, true);
            f.out("wrong", node, true);
            Kind::Menu { speech, wrong, timeout_ms, tries }
        }
        "collect" => f.collect(node),
        "branch" => f.branch(node),
        "lookup" => {
            let what = f.lookup_kind();
            let args = f.values("args", false);
            let gives = f.lookup_gives(&what, &args);
            let timeout_ms = f.seconds("timeout_s", 3, 1..=30);
            let tries = f.number("tries", 3, 1..=10) as u8;
            ["found", "none", "failed"].into_iter().for_each(|out| f.out(out, node, true));
            Kind::Lookup { what, args, gives, timeout_ms, tries }
        }
        "queue" => f.queue(node),
        "dial" => {
            let to = f.value("to").unwrap_or(Value::Text(Arc::from("")));
            let timeout_ms = f.seconds("timeout_s", 30, 5..=180);
            ["answered", "busy", "no_answer", "failed"].into_iter().for_each(|out| f.out(out, node, true));
            Kind::Dial { to, timeout_ms }
        }
        "voicemail" => {
            let speech = f.speech_or("prompt", "voicemail");
            let beep = f.speech_or("beep", "tones/beep");
            let max_ms = f.seconds("max_s", 180, 5..=900);
            let silence_ms = f.seconds("silence_s", 6, 1..=60);
            let end = f.key("end").unwrap_or('#');
            ["done", "failed"].into_iter().for_each(|out| f.out(out, node, true));
            Kind::Voicemail { speech, beep, max_ms, silence_ms, end }
        }
        "callback" => {
            let number = f.value_if("number");
            let queue = Arc::from(f.text("queue").map_or_else(|| "main".to_owned(), |(text, _)| text));
            ["done", "failed"].into_iter().for_each(|out| f.out(out, node, true));
            Kind::Callback { number, queue }
        }
        "survey" => {
            let speech = f.speech("prompt", true);
            let name = Arc::from(f.text("name").map_or_else(|| "satisfaction".to_owned(), |(text, _)| text));
            let answers = f.answers();
            let (timeout_ms, tries) = (f.seconds("timeout_s", 5, 1..=60), f.number("tries", 2, 1..=5) as u8);
            f.out("done", node, true);
            Kind::Survey { speech, name, answers, timeout_ms, tries }
        }
        "subflow" => return f.subflow(node),
        "hangup" => {
            let speech = f.speech("prompt", false);
            let why = f.why();
            Kind::Hangup { speech, why }
        }
        _ => return None,
    };
    Some(DraftKind::Own(own))
}

/// The fields of one table, asked for by name; what nobody asked for is a problem.
struct Fields<'r, 'a, 'p, 't> {
    reader: &'r mut Reader<'a, 'p>,
    path: &'t str,
    table: &'t DeTable<'t>,
    offset: usize,
    asked: BTreeSet<&'static str>,
}

impl<'r, 'a, 'p, 't> Fields<'r, 'a, 'p, 't> {
    fn new(reader: &'r mut Reader<'a, 'p>, path: &'t str, table: &'t DeTable<'t>, offset: usize) -> Self {
        Self { reader, path, table, offset, asked: BTreeSet::new() }
    }

    fn get(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.asked.insert(key);
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    fn had(&self, key: &str) -> bool {
        self.table.iter().any(|(name, _)| name.get_ref() == key)
    }

    fn tell(&mut self, offset: usize, key: &str, what: impl std::fmt::Display) {
        let text = format!("{}.{key}: {what}", self.path);
        self.reader.tell(offset, text);
    }

    fn missing(&mut self, key: &str, what: &str) {
        let text = format!("{} has no \"{key}\": {what}", self.path);
        self.reader.tell(self.offset, text);
    }

    /// Tells every field that nobody asked for.
    fn finish(self) {
        for (key, _) in self.table.iter() {
            let name = key.get_ref().as_ref();
            if !self.asked.contains(name) {
                let text = format!(
                    "{}: unknown key \"{name}\"{}",
                    self.path,
                    hint(name, self.asked.iter().copied())
                );
                self.reader.tell(key.span().start, text);
            }
        }
    }

    fn text(&mut self, key: &'static str) -> Option<(String, usize)> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some((text.to_string(), value.span().start)),
            other => {
                self.tell(value.span().start, key, format_args!("a text is wanted, not {}", named(other)));
                None
            }
        }
    }

    fn number(&mut self, key: &'static str, default: u32, range: std::ops::RangeInclusive<u32>) -> u32 {
        let Some(value) = self.get(key) else { return default };
        let read = match value.get_ref() {
            DeValue::Integer(n) if n.radix() == 10 => n.as_str().parse().ok(),
            _ => None,
        };
        read.filter(|n| range.contains(n)).unwrap_or_else(|| {
            let given = named(value.get_ref());
            self.tell(
                value.span().start,
                key,
                format_args!(
                    "{given} is not a whole number; take one from {} to {}",
                    range.start(),
                    range.end()
                ),
            );
            default
        })
    }

    /// Seconds in the file, milliseconds inside.
    fn seconds(&mut self, key: &'static str, default: u32, range: std::ops::RangeInclusive<u32>) -> u32 {
        self.number(key, default, range) * 1_000
    }

    fn flag(&mut self, key: &'static str) -> bool {
        match self.get(key).map(|value| (value.get_ref(), value.span().start)) {
            None => false,
            Some((DeValue::Boolean(on), _)) => *on,
            Some((other, offset)) => {
                self.tell(offset, key, format_args!("{} is not true or false", named(other)));
                false
            }
        }
    }

    fn key(&mut self, key: &'static str) -> Option<char> {
        let (text, offset) = self.text(key)?;
        let found = one_key(&text);
        if found.is_none() {
            self.tell(
                offset,
                key,
                format_args!("\"{text}\" is not a key of a telephone; take one of 0–9, * or #"),
            );
        }
        found
    }

    /// Names of variables.
    fn names(&mut self, key: &'static str) -> Vec<Arc<str>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            let given = named(value.get_ref());
            self.tell(value.span().start, key, format_args!("a list of variables is wanted, not {given}"));
            return Vec::new();
        };
        let mut names = Vec::new();
        for item in items.iter() {
            match item.get_ref() {
                DeValue::String(text) => names.push(Arc::from(text.trim_start_matches('$'))),
                other => self.tell(
                    item.span().start,
                    key,
                    format_args!("the name of a variable is wanted, not {}", named(other)),
                ),
            }
        }
        names
    }

    fn key_list(&mut self, key: &'static str) -> Vec<char> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            self.tell(
                value.span().start,
                key,
                format_args!("a list of keys is wanted, not {}", named(value.get_ref())),
            );
            return Vec::new();
        };
        let mut keys = Vec::new();
        for item in items.iter() {
            match item.get_ref() {
                DeValue::String(text) if one_key(text).is_some() => keys.extend(one_key(text)),
                other => self.tell(
                    item.span().start,
                    key,
                    format_args!("{} is not a key of a telephone; take one of 0–9, * or #", named(other)),
                ),
            }
        }
        keys
    }

    // --- what is said --------------------------------------------------------------------------------------------

    fn speech(&mut self, key: &'static str, wanted: bool) -> Speech {
        let Some(value) = self.get(key) else {
            if wanted {
                self.missing(key, "what the caller hears");
            }
            return Speech::default();
        };
        let mut speech = Speech::default();
        match value.get_ref() {
            DeValue::String(text) => self.words(text, value.span().start, key, &mut speech),
            DeValue::Array(items) => {
                for item in items.iter() {
                    match item.get_ref() {
                        DeValue::String(text) => self.words(text, item.span().start, key, &mut speech),
                        other => self.tell(
                            item.span().start,
                            key,
                            format_args!("the name of a prompt is wanted, not {}", named(other)),
                        ),
                    }
                }
            }
            other => self.tell(
                value.span().start,
                key,
                format_args!(
                    "the name of a prompt, or a list of them, is wanted, not {}; write it in quotes",
                    named(other)
                ),
            ),
        }
        speech
    }

    fn speech_or(&mut self, key: &'static str, default: &str) -> Speech {
        if self.had(key) {
            return self.speech(key, false);
        }
        self.asked.insert(key);
        let parts = self.reader.book.parts(default).unwrap_or_default();
        Speech { names: vec![Arc::from(default)], parts }
    }

    /// A prompt's name, `{variable:how}` or `pause:300`.
    fn words(&mut self, text: &str, offset: usize, key: &'static str, speech: &mut Speech) {
        if text.starts_with('{') || text.starts_with("pause:") {
            match book::part(text) {
                Some(part) => speech.parts.push(part),
                None => self.unreadable(text, offset, key),
            }
            return;
        }
        match self.reader.book.parts(text) {
            Some(parts) => {
                speech.names.push(Arc::from(text));
                speech.parts.extend(parts);
            }
            None => {
                let offer = hint(text, self.reader.book.names());
                self.tell(offset, key, format_args!("there is no prompt \"{text}\"{offer}"));
            }
        }
    }

    fn unreadable(&mut self, text: &str, offset: usize, key: &str) {
        let how = text.trim_matches(['{', '}']).split_once(':').map_or("", |(_, how)| how);
        let names = How::NAMES.iter().map(|(name, _)| *name);
        let offer = hint(how, names.clone());
        let all: Vec<_> = names.collect();
        self.tell(
            offset,
            key,
            format_args!(
                "\"{text}\" cannot be read aloud; {{variable:how}} with how one of {}{offer}",
                all.join(", ")
            ),
        );
    }

    fn say(&mut self) -> Speech {
        let value = self.value("value");
        let how = self.text("as");
        let (Some(value), Some((how, offset))) = (value, how) else {
            if !self.had("as") {
                self.missing("as", "how the value is read aloud, like \"digits\"");
            }
            return Speech::default();
        };
        let Some(read) = How::of(&how) else {
            let offer = hint(&how, How::NAMES.iter().map(|(name, _)| *name));
            self.tell(offset, "as", format_args!("nothing is read aloud as \"{how}\"{offer}"));
            return Speech::default();
        };
        match value {
            Value::Var(var) => Speech { names: Vec::new(), parts: vec![Part::Say { var, how: read }] },
            Value::Text(text) => {
                self.tell(self.offset, "value", format_args!("\"{text}\" is always the same: record it as a prompt, or name a variable like \"$no\""));
                Speech::default()
            }
        }
    }

    // --- values --------------------------------------------------------------------------------------------------

    fn value(&mut self, key: &'static str) -> Option<Value> {
        if !self.had(key) {
            self.asked.insert(key);
            self.missing(key, "a text, or a variable like \"$number\"");
            return None;
        }
        self.value_if(key)
    }

    fn value_if(&mut self, key: &'static str) -> Option<Value> {
        self.text(key).map(|(text, _)| value_of(&text))
    }

    fn values(&mut self, key: &'static str, wanted: bool) -> Vec<(Arc<str>, Value)> {
        let Some(value) = self.get(key) else {
            if wanted {
                self.missing(key, "names and what they become, like { language = \"en\" }");
            }
            return Vec::new();
        };
        let DeValue::Table(table) = value.get_ref() else {
            self.tell(
                value.span().start,
                key,
                format_args!(
                    "a table is wanted, like {{ language = \"en\" }}, not {}",
                    named(value.get_ref())
                ),
            );
            return Vec::new();
        };
        let mut values = Vec::new();
        for (name, value) in in_order(table) {
            match value.get_ref() {
                DeValue::String(text) => values.push((Arc::from(name.get_ref().as_ref()), value_of(text))),
                DeValue::Integer(n) => {
                    values.push((Arc::from(name.get_ref().as_ref()), Value::Text(Arc::from(n.as_str()))))
                }
                other => self.tell(
                    value.span().start,
                    key,
                    format_args!("a text is wanted for {}, not {}", name.get_ref(), named(other)),
                ),
            }
        }
        values
    }

    // --- outcomes ------------------------------------------------------------------------------------------------

    fn out(&mut self, outcome: &'static str, node: &mut DraftNode, wanted: bool) {
        match self.text(outcome) {
            Some((target, offset)) => node.outs.push((Arc::from(outcome), target, self.reader.at(offset))),
            None if wanted && !self.had(outcome) => {
                self.missing(outcome, "where the walk goes on then; write it with the name of a node")
            }
            None => {}
        }
    }

    fn keys(&mut self, node: &mut DraftNode, wanted: bool) {
        let Some(value) = self.get("keys") else {
            if wanted {
                self.missing("keys", "where each key leads, like { \"1\" = \"people\" }");
            }
            return;
        };
        let DeValue::Table(table) = value.get_ref() else {
            return self.tell(
                value.span().start,
                "keys",
                format_args!(
                    "a table is wanted, like {{ \"1\" = \"people\" }}, not {}",
                    named(value.get_ref())
                ),
            );
        };
        for (key, target) in in_order(table) {
            let name = key.get_ref().as_ref();
            let Some(digit) = one_key(name) else {
                self.tell(
                    key.span().start,
                    "keys",
                    format_args!("\"{name}\" is not a key of a telephone; take one of 0–9, * or #"),
                );
                continue;
            };
            match target.get_ref() {
                DeValue::String(to) => {
                    node.keys.push((digit, to.to_string(), self.reader.at(target.span().start)))
                }
                other => self.tell(
                    target.span().start,
                    "keys",
                    format_args!(
                        "key {name} leads to a node's name, not to {}; write the name in quotes",
                        named(other)
                    ),
                ),
            }
        }
        if wanted && node.keys.is_empty() {
            self.missing("keys", "a menu without keys asks for nothing");
        }
    }

    // --- kinds with many fields ------------------------------------------------------------------------------------

    fn collect(&mut self, node: &mut DraftNode) -> Kind {
        let speech = self.speech("prompt", true);
        let wrong = self.speech("wrong_prompt", false);
        let var = match self.text("var") {
            Some((name, _)) => Arc::from(name),
            None => {
                if !self.had("var") {
                    self.missing("var", "the variable that takes the digits");
                }
                Arc::from("digits")
            }
        };
        let (min, max) = (self.number("min", 1, 1..=32), self.number("max", 32, 1..=32));
        if min > max {
            let offset = self.get("min").map_or(self.offset, |value| value.span().start);
            self.tell(offset, "min", format_args!("{min} is more than max, {max}; take at most that"));
        }
        let end = match self.text("end") {
            None => Some('#'),
            Some((text, _)) if text.is_empty() => None,
            Some((text, offset)) => {
                let key = one_key(&text);
                if key.is_none() {
                    self.tell(
                        offset,
                        "end",
                        format_args!("\"{text}\" is not a key of a telephone; take one of 0–9, * or #"),
                    );
                }
                key
            }
        };
        let first_ms = self.seconds("timeout_s", 8, 1..=120);
        let digit_ms = self.seconds("between_s", 5, 1..=60);
        let tries = self.number("tries", 2, 1..=10) as u8;
        let sensitive = self.flag("sensitive");
        ["done", "no_input", "wrong"].into_iter().for_each(|out| self.out(out, node, true));
        Kind::Collect(Box::new(Collect {
            speech,
            wrong,
            var,
            min: min as u8,
            max: max as u8,
            end,
            first_ms,
            digit_ms,
            tries,
            sensitive,
        }))
    }

    fn branch(&mut self, node: &mut DraftNode) -> Kind {
        const ON: &[(&str, On)] = &[
            ("time", On::Time),
            ("day", On::Day),
            ("caller", On::Caller),
            ("called", On::Called),
            ("redirected", On::Redirected),
            ("trunk", On::Trunk),
            ("tag", On::Tag),
            ("staffed", On::Staffed),
            ("switch", On::Switch),
            ("leader", On::Leader),
        ];
        let on = match self.text("on") {
            Some((text, offset)) => match text.strip_prefix('$') {
                Some(var) => Some(On::Var(Arc::from(var))),
                None => {
                    let found = ON.iter().find(|(name, _)| *name == text).map(|(_, on)| on.clone());
                    if found.is_none() {
                        let offer = hint(&text, ON.iter().map(|(name, _)| *name));
                        self.tell(offset, "on", format_args!("a branch does not look at \"{text}\"{offer}"));
                    }
                    found
                }
            },
            None => {
                if !self.had("on") {
                    self.missing("on", "what is looked at: time, day, caller, called, staffed, switch, leader, or a variable like \"$language\"");
                }
                None
            }
        };
        let cases = self.cases(on.as_ref(), node);
        self.out("else", node, true);
        Kind::Branch { on: on.unwrap_or(On::Day), cases }
    }

    fn cases(&mut self, on: Option<&On>, node: &mut DraftNode) -> Vec<(Arc<str>, When)> {
        let Some(value) = self.get("cases") else {
            self.missing("cases", "values and where each leads, like { holiday = \"closed\" }");
            return Vec::new();
        };
        let DeValue::Table(table) = value.get_ref() else {
            self.tell(
                value.span().start,
                "cases",
                format_args!("a table is wanted, not {}", named(value.get_ref())),
            );
            return Vec::new();
        };
        let mut cases = Vec::new();
        for (key, target) in in_order(table) {
            let name = key.get_ref().as_ref();
            match on.map(|on| when(on, name)) {
                Some(Ok(case)) => cases.push((Arc::from(name), case)),
                Some(Err(want)) => {
                    self.tell(key.span().start, "cases", format_args!("\"{name}\" is not {want}"))
                }
                None => {}
            }
            match target.get_ref() {
                DeValue::String(to) => {
                    node.outs.push((Arc::from(name), to.to_string(), self.reader.at(target.span().start)))
                }
                other => self.tell(
                    target.span().start,
                    "cases",
                    format_args!(
                        "{name} leads to a node's name, not to {}; write the name in quotes",
                        named(other)
                    ),
                ),
            }
        }
        cases
    }

    fn lookup_kind(&mut self) -> Arc<str> {
        const KINDS: [&str; 2] = ["ticket_status", "http"];
        match self.text("what") {
            Some((text, _)) if KINDS.contains(&text.as_str()) => Arc::from(text),
            Some((text, offset)) => {
                let offer = hint(&text, KINDS);
                self.tell(offset, "what", format_args!("\"{text}\" cannot be looked up{offer}"));
                Arc::from("")
            }
            None => {
                if !self.had("what") {
                    self.missing("what", "what is looked up: \"ticket_status\" or \"http\"");
                }
                Arc::from("")
            }
        }
    }

    /// The variables an answer brings, and whether its question is whole.
    fn lookup_gives(&mut self, what: &str, args: &[(Arc<str>, Value)]) -> Vec<Arc<str>> {
        let has = |name: &str| args.iter().any(|(known, _)| **known == *name);
        let need: &[&str] = match what {
            "ticket_status" => &["no", "code"],
            "http" => &["url"],
            _ => &[],
        };
        for name in need.iter().filter(|name| !has(name)) {
            let path = format!("{what} needs \"{name}\" in args; write {name} = \"$variable\" there");
            self.missing("args", &path);
        }
        match (what, self.had("gives")) {
            ("ticket_status", false) => ["state", "dept", "due", "date"].into_iter().map(Arc::from).collect(),
            _ => self.names("gives"),
        }
    }

    fn queue(&mut self, node: &mut DraftNode) -> Kind {
        let queue = match self.text("queue") {
            Some((name, _)) => Arc::from(name),
            None => {
                if !self.had("queue") {
                    self.missing("queue", "the name of the waiting line");
                }
                Arc::from("main")
            }
        };
        let priority = self.number("priority", 0, 0..=9) as u8;
        let music = match self.text("music") {
            None => Some(Arc::from("moh/hold")),
            Some((name, _)) if name.is_empty() => None,
            Some((name, offset)) => {
                if !self.reader.book.has_clip(&name) {
                    self.tell(
                        offset,
                        "music",
                        format_args!(
                            "there is no sound \"{name}\"{}",
                            hint(&name, ["moh/hold", "tones/ringback"])
                        ),
                    );
                }
                Some(Arc::from(name))
            }
        };
        let mut announcements = Vec::new();
        let mut again = |speech: Speech, after_ms: u32, every_ms: u32| {
            if !speech.is_empty() {
                announcements.push(Again { speech, after_ms, every_ms });
            }
        };
        let hint = self.speech("hint", false);
        again(hint, self.seconds("hint_after_s", 0, 0..=600), 0);
        let announce = self.speech("announce", false);
        again(
            announce,
            self.seconds("announce_after_s", 30, 0..=600),
            self.seconds("announce_every_s", 60, 5..=600),
        );
        let comfort = self.speech("comfort", false);
        again(
            comfort,
            self.seconds("comfort_after_s", 20, 0..=600),
            self.seconds("comfort_every_s", 60, 5..=600),
        );
        let timeout_ms = self.seconds("timeout_s", 600, 5..=7200);
        let no_staff_ms = self.seconds("no_staff_after_s", 0, 0..=7200);
        let raise = self.raise();
        let skills = self.skills();
        self.keys(node, false);
        ["timeout", "full", "no_staff"].into_iter().for_each(|out| self.out(out, node, true));
        // After the agent has hung up: a survey.
        self.out("answered", node, false);
        // After an agent has heard nobody: asked for a key instead of a voice.
        self.out("silent", node, false);
        Kind::Queue(Box::new(Queue {
            queue,
            priority,
            skills,
            music,
            announcements,
            timeout_ms,
            no_staff_ms,
            raise,
        }))
    }

    fn raise(&mut self) -> Vec<(char, u8)> {
        let Some(value) = self.get("raise") else { return Vec::new() };
        let DeValue::Table(table) = value.get_ref() else {
            self.tell(
                value.span().start,
                "raise",
                format_args!("a table is wanted, like {{ \"0\" = 5 }}, not {}", named(value.get_ref())),
            );
            return Vec::new();
        };
        let mut out = Vec::new();
        for (key, value) in in_order(table) {
            let name = key.get_ref().as_ref();
            let priority = match value.get_ref() {
                DeValue::Integer(n) => n.as_str().parse::<u8>().ok().filter(|n| (1..=9).contains(n)),
                _ => None,
            };
            match (one_key(name), priority) {
                (Some(key), Some(priority)) => out.push((key, priority)),
                (None, _) => self.tell(
                    key.span().start,
                    "raise",
                    format_args!("\"{name}\" is not a key of a telephone; take one of 0–9, * or #"),
                ),
                (_, None) => self.tell(
                    value.span().start,
                    "raise",
                    format_args!("{} is not a priority from 1 to 9", named(value.get_ref())),
                ),
            }
        }
        out
    }

    /// What the agent must be able to do: the directory's skills, with the least level of each.
    fn skills(&mut self) -> Arc<[(Arc<str>, u8)]> {
        let Some(value) = self.get("skills") else { return Arc::from([]) };
        let DeValue::Table(table) = value.get_ref() else {
            self.tell(
                value.span().start,
                "skills",
                format_args!("a table is wanted, like {{ english = 1 }}, not {}", named(value.get_ref())),
            );
            return Arc::from([]);
        };
        let mut out: Vec<(Arc<str>, u8)> = Vec::new();
        for (name, value) in in_order(table) {
            let level = match value.get_ref() {
                DeValue::Integer(n) => n.as_str().parse::<u8>().ok().filter(|n| (1..=9).contains(n)),
                _ => None,
            };
            match level {
                Some(level) => out.push((Arc::from(name.get_ref().as_ref()), level)),
                None => self.tell(
                    value.span().start,
                    "skills",
                    format_args!("{} is not a level from 1 to 9", named(value.get_ref())),
                ),
            }
        }
        out.sort();
        out.into()
    }

    fn answers(&mut self) -> Vec<(char, Arc<str>)> {
        let mut answers = Vec::new();
        for (name, value) in self.values("answers", true) {
            match (one_key(&name), value) {
                (Some(key), Value::Text(text)) => answers.push((key, text)),
                (None, _) => {
                    let offset = self.get("answers").map_or(self.offset, |value| value.span().start);
                    self.tell(
                        offset,
                        "answers",
                        format_args!("\"{name}\" is not a key of a telephone; take one of 0–9, * or #"),
                    );
                }
                (_, Value::Var(_)) => {}
            }
        }
        answers
    }

    fn subflow(&mut self, node: &mut DraftNode) -> Option<DraftKind> {
        let (flow, at) = match self.text("flow") {
            Some((flow, offset)) => (flow, self.reader.at(offset)),
            None => {
                if !self.had("flow") {
                    self.missing("flow", "the flow that is walked, by its file's name without .toml");
                }
                (String::new(), node.at)
            }
        };
        let Some(value) = self.get("returns") else {
            self.missing("returns", "where each of its ways back leads, like { done = \"people\" }");
            return Some(DraftKind::Subflow { flow, at });
        };
        let DeValue::Table(table) = value.get_ref() else {
            self.tell(
                value.span().start,
                "returns",
                format_args!("a table is wanted, not {}", named(value.get_ref())),
            );
            return Some(DraftKind::Subflow { flow, at });
        };
        for (key, target) in in_order(table) {
            let name = key.get_ref().as_ref();
            match target.get_ref() {
                DeValue::String(to) => {
                    node.outs.push((Arc::from(name), to.to_string(), self.reader.at(target.span().start)))
                }
                other => self.tell(
                    target.span().start,
                    "returns",
                    format_args!(
                        "{name} leads to a node's name, not to {}; write the name in quotes",
                        named(other)
                    ),
                ),
            }
        }
        Some(DraftKind::Subflow { flow, at })
    }

    fn why(&mut self) -> Option<HangUpWhy> {
        const WHY: &[(&str, HangUpWhy)] = &[
            ("flow_end", HangUpWhy::FlowEnd),
            ("message_left", HangUpWhy::MessageLeft),
            ("callback_booked", HangUpWhy::CallbackBooked),
            ("survey_done", HangUpWhy::SurveyDone),
            ("no_input", HangUpWhy::NoInput),
            ("wrong_input", HangUpWhy::WrongInput),
        ];
        let (text, offset) = self.text("reason")?;
        let found = WHY.iter().find(|(name, _)| *name == text).map(|(_, why)| *why);
        if found.is_none() {
            let offer = hint(&text, WHY.iter().map(|(name, _)| *name));
            self.tell(offset, "reason", format_args!("a call does not end as \"{text}\"{offer}"));
        }
        found
    }
}

fn value_of(text: &str) -> Value {
    match text.strip_prefix('$') {
        Some(var) => Value::Var(Arc::from(var)),
        None => Value::Text(Arc::from(text)),
    }
}

fn one_key(text: &str) -> Option<char> {
    let mut chars = text.chars();
    let key = chars.next().filter(|_| chars.next().is_none())?;
    Digit::from_char(key).map(Digit::as_char)
}

/// A branch's case in the words of what it looks at; `Err` is what would be right.
fn when(on: &On, text: &str) -> Result<When, &'static str> {
    let plain = || {
        Ok(match text.strip_suffix('*') {
            Some(begin) => When::Begins(Arc::from(begin)),
            None if text == "none" => When::Nothing,
            None => When::Is(Arc::from(text)),
        })
    };
    match on {
        On::Time => time_range(text).ok_or("a stretch of the day like \"22:00-06:00\""),
        On::Day => match text {
            "workday" => Ok(When::Day(DayKind::Workday)),
            "weekend" => Ok(When::Day(DayKind::Weekend)),
            "holiday" => Ok(When::Day(DayKind::Holiday)),
            _ => Err("one of \"workday\", \"weekend\", \"holiday\""),
        },
        On::Staffed => match (text, text.parse()) {
            ("yes", _) => Ok(When::AtLeast(1)),
            ("no", _) => Ok(When::Nothing),
            (_, Ok(n)) => Ok(When::AtLeast(n)),
            _ => Err("\"yes\", \"no\" or a number of people"),
        },
        On::Caller
        | On::Called
        | On::Redirected
        | On::Trunk
        | On::Tag
        | On::Switch
        | On::Leader
        | On::Var(_) => plain(),
    }
}

fn time_range(text: &str) -> Option<When> {
    let minute = |text: &str| {
        let (h, m) = text.trim().split_once(':')?;
        let (h, m): (u16, u16) = (h.parse().ok()?, m.parse().ok()?);
        (h < 24 && m < 60 || (h, m) == (24, 0)).then(|| h * 60 + m)
    };
    let (from, to) = text.split_once('-')?;
    let (from, to) = (minute(from)?, minute(to)?);
    (from != to && from < 24 * 60).then_some(When::Between(from, to))
}

/// A table's entries as they stand in the file: the reader's own table is sorted by name.
fn in_order<'t>(
    table: &'t DeTable<'t>,
) -> Vec<(&'t Spanned<std::borrow::Cow<'t, str>>, &'t Spanned<DeValue<'t>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

fn named(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("\"{text}\""),
        DeValue::Integer(n) => n.as_str().to_owned(),
        DeValue::Float(n) => n.as_str().to_owned(),
        DeValue::Boolean(on) => on.to_string(),
        DeValue::Datetime(at) => at.to_string(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// Where each node's name stands in a draft.
pub(super) fn by_name(draft: &Draft) -> BTreeMap<&str, usize> {
    draft.nodes.iter().enumerate().map(|(i, node)| (&*node.name, i)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_of_the_day() {
        assert_eq!(time_range("22:00-06:00"), Some(When::Between(1320, 360)));
        assert_eq!(time_range("00:00-24:00"), Some(When::Between(0, 1440)));
        for wrong in
            ["24:00-06:00", "9:00-9:00", "65535:59-1:00", "1:00-2000:65535", "1:60-2:00", "9:00", "-"]
        {
            assert_eq!(time_range(wrong), None, "{wrong}");
        }
    }
}
