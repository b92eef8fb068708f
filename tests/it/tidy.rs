//! The map in ARCHITECTURE.md, kept true: who may use whom, and which rooms touch nothing of the world.
//!
//! When a new arrow is right, draw it here and in ARCHITECTURE.md in the same change. Code under `#[cfg(test)]` and files
//! named `tests.rs` are not looked at: a test may open a file or look at a clock.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Room and what it may use. `media::seam` is the words of a room without its works.
const ARROWS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("sip", &["base", "media::seam"]),
    ("ivr", &["base"]),
    ("acd", &["base"]),
    ("roster", &["base"]),
    ("call", &["base", "sip", "ivr", "acd", "roster", "media::seam", "ticket::number"]),
    ("media", &["base"]),
    ("rtc", &["base", "media"]),
    ("net", &["base", "sip"]),
    ("journal", &["base", "call"]),
    ("config", &["base", "media::seam", "sip::seam"]),
    ("ticket", &["base", "roster"]),
    ("knowledge", &["base", "roster"]),
    ("outbox", &["base", "ticket"]),
    ("store", &["base", "ticket", "knowledge", "call", "journal", "outbox", "channels"]),
    ("auth", &["base", "ticket"]),
    ("channels", &["base", "ticket"]),
    ("cti", &["base", "call", "acd"]),
    (
        "api",
        &[
            "base",
            "auth",
            "store",
            "ticket",
            "knowledge",
            "call",
            "journal",
            "roster",
            "cti",
            "channels",
            "outbox",
        ],
    ),
    ("app", ALL),
    ("cli", ALL),
];
const ALL: &[&str] = &["*"];

/// Rooms that take what happened and when, and say what is to be done.
const PURE: &[&str] = &[
    "base",
    "sip",
    "ivr",
    "acd",
    "roster",
    "call",
    "media",
    "config",
    "ticket",
    "knowledge",
    "outbox",
    "channels",
    "cti/protocol",
    "cti/stream",
    "cti/answers",
    "cti/media",
    "rtc/gate",
    "rtc/offer",
    "rtc/path",
    "rtc/quality",
    "rtc/splice",
];

/// Where a pure room meets the world after all: path, and why.
const DOORS: &[(&str, &str)] = &[
    ("media/worker", "sends and receives every 20 ms: sockets and the clock are its work"),
    ("media/recorder", "writes the recordings"),
    ("media/load", "reads the prompts' files; what is in them is read by pure code"),
];

/// One word, or one hash map walked through, of one file, allowed although its room is pure: file, word, and why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    (
        "config/mod.rs",
        "std::fs",
        "Config::load reads the one file; everything after it is a function of its text",
    ),
    ("call/engine.rs", "calls", "assert_invariants looks at each call alone and puts out nothing"),
];

/// What waits, reads a clock, touches the world, or gives another order on every run.
const WORLD: &[&str] = &[
    "tokio",
    "Instant",
    "SystemTime",
    "Timestamp::now",
    "Zoned::now",
    "std::fs",
    "std::env",
    "std::thread",
    "std::process",
    "File::",
    "UdpSocket",
    "TcpStream",
    "TcpListener",
    "UnixStream",
    "mio::",
    "socket2::",
    "libc::",
    "getrandom",
    "thread_rng",
    "static mut",
    "Mutex",
    "RwLock",
    "println!",
    "eprintln!",
    "tracing::",
];

/// What no room does.
const NOWHERE: &[(&str, &str)] = &[
    ("todo!(", "unfinished work is left out, not left open"),
    ("unimplemented!(", "unfinished work is left out, not left open"),
    ("unbounded_channel", "nothing is unbounded"),
    ("channel::unbounded", "nothing is unbounded"),
    ("lazy_static", "no global state"),
];

#[test]
fn rooms_use_only_what_the_map_allows() {
    tell(&each_file(arrows_not_on_the_map));
}

#[test]
fn pure_rooms_touch_nothing_of_the_world() {
    tell(&each_file(world_in_a_pure_room));
}

#[test]
fn no_order_comes_out_of_a_hash_map() {
    let mut told = String::new();
    for room in PURE {
        let files: Vec<_> = sources()
            .into_iter()
            .filter(|(file, _)| inside(file, room))
            .map(|(f, t)| (f, code_of(&t)))
            .collect();
        for (file, line, what) in hash_order(&files) {
            writeln!(told, "src/{file}:{line}: {what}").expect("writing to a String cannot fail");
        }
    }
    tell(&told);
}

#[test]
fn nobody_does_what_nobody_may() {
    tell(&each_file(|_, code| {
        let mut found = Vec::new();
        for (n, line) in code.iter() {
            for (word, why) in NOWHERE.iter().filter(|(word, _)| line.contains(word)) {
                found.push((*n, format!("{word}: {why}")));
            }
        }
        found
    }));
}

#[test]
fn every_room_is_on_the_map() {
    let rooms = fs::read_dir(src()).expect("src is there").map(|e| e.expect("readable").file_name());
    let strangers: Vec<_> = rooms
        .filter_map(|name| Some(name.to_str()?.trim_end_matches(".rs").to_owned()))
        .filter(|name| {
            !["lib", "main"].contains(&name.as_str()) && ARROWS.iter().all(|(room, _)| room != name)
        })
        .collect();
    assert!(strangers.is_empty(), "draw these in tests/it/tidy.rs and ARCHITECTURE.md: {strangers:?}");
}

#[test]
fn the_rules_catch_what_they_are_for() {
    let breach = |file: &str, text: &str| {
        let code = code_of(text);
        (arrows_not_on_the_map(file, &code).len(), world_in_a_pure_room(file, &code).len())
    };
    assert_eq!(breach("ivr/walk.rs", "use crate::{base::Time, sip::seam::Flow};\nfn f() {}\n"), (1, 0));
    assert_eq!(breach("sip/ua.rs", "use crate::media::{seam::Codec, worker::Worker};\n"), (1, 0));
    assert_eq!(
        breach("sip/ua.rs", "let now = std::time::Instant::now();\nlet m = Mutex::new(());\n"),
        (0, 2)
    );
    assert_eq!(
        breach("ivr/mod.rs", "/// See [`crate::sip::Ua`], std::fs, tokio.\n// Instant\nlet t = \"tokio\";\n"),
        (0, 0)
    );
    assert_eq!(
        breach("ivr/mod.rs", "#[cfg(test)]\nmod tests {\n    use crate::sip::Ua;\n    use std::fs;\n}\n"),
        (0, 0)
    );
    assert_eq!(breach("media/worker/mod.rs", "use std::net::UdpSocket;\n"), (0, 0));
    let walked = |text: &str| hash_order(&[("sip/ua.rs".to_owned(), code_of(text))]).len();
    assert_eq!(
        walked(
            "struct U {\n    calls: HashMap<u8, u8>,\n}\nfn f(u: &U) { u.calls.get(&1); u.others.iter(); }\n"
        ),
        0
    );
    assert_eq!(
        walked(
            "struct U {\n    calls: HashMap<u8, u8>,\n}\nfn f(&self) {\n    for c in &self.calls {\n    }\n}\n"
        ),
        1
    );
    assert_eq!(walked("let mut seen = HashSet::new();\nlet all = seen.iter().count();\n"), 1);
    assert_eq!(walked("    pub by_tag: std::collections::HashMap<u8, u8>,\n    self.by_tag.values()\n"), 1);
    assert_eq!(breach("app/mod.rs", "use crate::{api, sip};\nuse tokio::runtime;\n"), (0, 0));
}

/// Numbered lines without comments, texts and tests.
type Code = Vec<(usize, String)>;
type Found = Vec<(usize, String)>;

fn arrows_not_on_the_map(file: &str, code: &Code) -> Found {
    let room = file.split(['/', '.']).next().unwrap_or_default();
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == room) else { return Vec::new() };
    let whole: String = code.iter().map(|(_, line)| format!("{line}\n")).collect();
    let mut found = Vec::new();
    for (at, _) in whole.match_indices("crate::") {
        // Not `$crate::` and not the tail of a longer name.
        if whole[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let line = code[whole[..at].matches('\n').count()].0;
        for used in tree(&whole[at + "crate::".len()..]).0 {
            let fine = used.split("::").next() == Some(room)
                || allowed.iter().any(|a| *a == "*" || used == *a || used.starts_with(&format!("{a}::")));
            if !fine {
                found.push((line, format!("{room} uses {used}")));
            }
        }
    }
    found
}

/// The paths of a use tree, and how long it is: `a::{b, c::d}` is `a::b`, `a::c::d`.
fn tree(text: &str) -> (Vec<String>, usize) {
    let name = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let (head, rest) = text.split_at(name);
    if head.is_empty()
        && let Some(mut inner) = rest.strip_prefix('{')
    {
        let mut paths = Vec::new();
        let begin = inner.len();
        loop {
            inner = inner.trim_start_matches([',', ' ', '\n', '\t']);
            if inner.is_empty() || inner.starts_with('}') {
                return (paths, 2 + begin - inner.len());
            }
            let (more, length) = tree(inner);
            paths.extend(more);
            // `as` and whatever else follows up to the next comma.
            let skip = inner[length.max(1)..].find([',', '}']).unwrap_or(inner.len() - length.max(1));
            inner = &inner[length.max(1) + skip..];
        }
    }
    match rest.strip_prefix("::") {
        Some(deeper) if !head.is_empty() => {
            let (paths, length) = tree(deeper);
            let joined =
                paths.iter().map(|p| if p.is_empty() { head.to_owned() } else { format!("{head}::{p}") });
            (joined.collect(), name + 2 + length)
        }
        _ => (vec![head.to_owned()], name),
    }
}

fn world_in_a_pure_room(file: &str, code: &Code) -> Found {
    if !PURE.iter().any(|room| inside(file, room)) || DOORS.iter().any(|(door, _)| inside(file, door)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (n, line) in code {
        for word in WORLD.iter().filter(|word| has_word(line, word)) {
            if !excepted(file, word) {
                found.push((*n, format!("a pure room mentions {word}")));
            }
        }
    }
    found
}

fn excepted(file: &str, word: &str) -> bool {
    EXCEPTIONS.iter().any(|(f, w, _)| *f == file && *w == word)
}

/// Is the file this room's, or below it?
fn inside(file: &str, place: &str) -> bool {
    file.strip_prefix(place).is_some_and(|rest| rest.starts_with(['/', '.']))
}

/// Looking something up in a hash map is fine in a pure room; walking through one is not: its order differs on every run.
/// Fields and variables are known by their name within a room.
fn hash_order(files: &[(String, Code)]) -> Vec<(String, usize, String)> {
    const WALKS: &[&str] = &[
        "iter()",
        "iter_mut()",
        "keys()",
        "values()",
        "values_mut()",
        "into_iter()",
        "into_keys()",
        "into_values()",
        "drain()",
    ];
    let declared = |line: &str| -> Option<String> {
        let at = line.find("HashMap").or_else(|| line.find("HashSet"))?;
        let before =
            line[..at].trim_end_matches(|c: char| c.is_alphanumeric() || "_:<&".contains(c)).trim_end();
        let before = before.trim_end_matches(['=', ' ', ':']);
        // `name: HashMap<…>` loses its colon above, `let mut name = HashMap::new()` its equals sign.
        let whole = if before.is_empty() { line[..at].trim_end_matches([' ', ':', '=']) } else { before };
        let name = whole.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next()?;
        (!name.is_empty() && name != "use" && name != "mut").then(|| name.to_owned())
    };
    let names: std::collections::BTreeSet<String> = files
        .iter()
        .flat_map(|(_, code)| code.iter())
        .filter(|(_, line)| !line.trim_start().starts_with("use "))
        .filter_map(|(_, line)| declared(line))
        .collect();
    let mut found = Vec::new();
    for (file, code) in files {
        for (n, line) in code {
            for name in &names {
                let walked = WALKS.iter().any(|walk| has_word(line, &format!("{name}.{walk}")))
                    || (line.contains("for ")
                        && [
                            format!("in &self.{name} "),
                            format!("in &mut self.{name} "),
                            format!("in &{name} "),
                            format!("in {name} "),
                        ]
                        .iter()
                        .any(|looped| line.contains(looped)));
                if walked && !excepted(file, name) {
                    found.push((
                        file.clone(),
                        *n,
                        format!("walks through the hash map `{name}`: use a BTreeMap, or an index in order"),
                    ));
                }
            }
        }
    }
    found
}

fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let joined = |c: char| c.is_alphanumeric() || c == '_';
        let ends = word.ends_with(|c: char| !joined(c));
        !line[..at].ends_with(joined) && (ends || !line[at + word.len()..].starts_with(joined))
    })
}

/// What of a file is code in force.
fn code_of(text: &str) -> Code {
    let mut code = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((n, line)) = lines.next() {
        if line.trim_start().starts_with("#[cfg(test)]") {
            let next = lines.peek().map(|(_, l)| l.trim_start()).unwrap_or_default();
            // Tests stand at the bottom of a file; a single item under the mark is skipped to its closing brace.
            if next.starts_with("mod ") && next.ends_with('{') {
                break;
            }
            let indent = line.len() - line.trim_start().len();
            for (_, l) in lines.by_ref() {
                let outdented = l.len() - l.trim_start().len() == indent;
                if outdented && (l.trim_start().starts_with('}') || l.trim_end().ends_with([';', '}'])) {
                    break;
                }
            }
            continue;
        }
        code.push((n + 1, without_texts(line)));
    }
    code
}

/// A line without its comment and without what stands in quotes.
fn without_texts(line: &str) -> String {
    let mut out = String::new();
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if quoted => {
                chars.next();
            }
            // A quote in a character literal is not the beginning of a text.
            '"' if out.ends_with('\'') && chars.peek() == Some(&'\'') => {}
            '"' => quoted = !quoted,
            '/' if !quoted && chars.peek() == Some(&'/') => break,
            c if !quoted => out.push(c),
            _ => {}
        }
    }
    out
}

fn each_file(rule: impl Fn(&str, &Code) -> Found) -> String {
    let mut told = String::new();
    for (file, text) in sources() {
        for (line, what) in rule(&file, &code_of(&text)) {
            writeln!(told, "src/{file}:{line}: {what}").expect("writing to a String cannot fail");
        }
    }
    told
}

fn tell(breaches: &str) {
    assert!(breaches.is_empty(), "not as ARCHITECTURE.md has it:\n{breaches}");
}

fn src() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every source file below `src/` but tests, by its path there, sorted.
fn sources() -> Vec<(String, String)> {
    let root = src();
    let mut todo = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(path) = todo.pop() {
        if path.is_dir() {
            todo.extend(fs::read_dir(&path).expect("readable").map(|entry| entry.expect("readable").path()));
        } else if path.extension().is_some_and(|e| e == "rs") {
            let name = path.strip_prefix(&root).expect("below src").to_string_lossy().replace('\\', "/");
            let test = name.ends_with("tests.rs") || name.split('/').any(|part| part == "tests");
            if !test {
                found.push((name, fs::read_to_string(&path).expect("readable")));
            }
        }
    }
    found.sort();
    assert!(found.len() > 10, "the sources were not found");
    found
}
