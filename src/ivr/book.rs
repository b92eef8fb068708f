//! The book of prompts: which pieces a prompt is made of, and what it says. Read from the sounds' manifest.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// How a value is read aloud; the names of the manifest's kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Digit by digit, 1 as 幺.
    Digits,
    /// The same in groups of four, with a pause between.
    Digits4,
    /// A plain number.
    Number,
    /// A number before a measure word: 2 is 两.
    Count,
    /// Month and day, and the time of day where there is one.
    Date,
    /// Time of day alone.
    Time,
    Dept,
    QueuePos,
    QueueWait,
    /// Words that only a synthesiser can say; the prompt's fallback is heard instead.
    Text,
}

impl How {
    pub const NAMES: &[(&str, Self)] = &[
        ("digits", Self::Digits),
        ("digits4", Self::Digits4),
        ("number", Self::Number),
        ("count", Self::Count),
        ("date", Self::Date),
        ("time", Self::Time),
        ("dept", Self::Dept),
        ("queue_pos", Self::QueuePos),
        ("queue_wait", Self::QueueWait),
        ("text", Self::Text),
    ];

    pub fn of(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, how)| *how)
    }
}

/// One piece of what is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Clip(Arc<str>),
    /// Milliseconds of silence.
    Pause(u16),
    /// The value of a variable.
    Say {
        var: Arc<str>,
        how: How,
    },
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clip(name) => f.write_str(name),
            Self::Pause(ms) => write!(f, "pause:{ms}"),
            Self::Say { var, how } => {
                let name = How::NAMES.iter().find(|(_, known)| known == how).map_or("text", |(name, _)| name);
                write!(f, "{{{var}:{name}}}")
            }
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Prompt {
    pub text: String,
    pub parts: Vec<Part>,
    /// Heard when a part cannot be said.
    pub fallback: Vec<Part>,
}

#[derive(Debug, Default)]
pub struct Book {
    prompts: BTreeMap<Arc<str>, Prompt>,
    clips: BTreeMap<Arc<str>, (u32, String)>,
    /// Nothing is known: every name is taken for a clip.
    open: bool,
}

/// The manifest cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("manifest of the sounds: {0}")]
pub struct BookError(String);

impl Book {
    /// Takes every name for a clip; for flows that are looked at without their sounds.
    pub fn open() -> Self {
        Self { open: true, ..Self::default() }
    }

    /// The same with the prompts a kept flow was read with: those of [`Book::kept`].
    pub(super) fn open_with<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut book = Self::open();
        for line in lines {
            let (play, fallback) = line.split_once(" | ").unwrap_or((line, ""));
            let mut words = play.split_whitespace();
            let Some(name) = words.next() else { continue };
            let fallback = fallback.split_whitespace().filter_map(part).collect();
            let prompt = Prompt { text: String::new(), parts: words.filter_map(part).collect(), fallback };
            book.prompts.insert(Arc::from(name), prompt);
        }
        book
    }

    /// One line for a prompt that is more than the clip of its name: its name, its parts, ` | ` and its fallback.
    pub(super) fn kept(&self, name: &str) -> Option<String> {
        let prompt = self.prompts.get(name)?;
        if prompt.fallback.is_empty() && prompt.parts == [Part::Clip(Arc::from(name))] {
            return None;
        }
        let line = |parts: &[Part]| parts.iter().map(|part| format!(" {part}")).collect::<String>();
        Some(format!("{name}{} |{}", line(&prompt.parts), line(&prompt.fallback)))
    }

    /// From the text of `sounds/manifest.json`.
    pub fn read(manifest: &str) -> Result<Self, BookError> {
        let wrong = |what: &str| BookError(what.to_owned());
        let value: Value = serde_json::from_str(manifest).map_err(|error| BookError(error.to_string()))?;
        let table = |key: &str| value[key].as_object().ok_or_else(|| wrong(&format!("no table \"{key}\"")));
        let mut book = Self::default();
        for (name, clip) in table("clips")? {
            let ms = clip["ms"]
                .as_u64()
                .and_then(|ms| u32::try_from(ms).ok())
                .ok_or_else(|| wrong(&format!("clip {name} has no \"ms\"")))?;
            let text = plain(clip["text"].as_str().unwrap_or_default());
            book.clips.insert(Arc::from(name.as_str()), (ms, text));
        }
        for (name, prompt) in table("prompts")? {
            let parts = |key: &str| -> Result<Vec<Part>, BookError> {
                let items = prompt[key].as_array().map(Vec::as_slice).unwrap_or_default();
                items
                    .iter()
                    .map(|item| {
                        item.as_str()
                            .and_then(part)
                            .ok_or_else(|| wrong(&format!("prompt {name}: {item} is no part")))
                    })
                    .collect()
            };
            let text = prompt["text"].as_str().unwrap_or_default().to_owned();
            book.prompts.insert(
                Arc::from(name.as_str()),
                Prompt { text, parts: parts("play")?, fallback: parts("fallback")? },
            );
        }
        Ok(book)
    }

    /// The parts of a prompt or clip; `None` when the name is neither.
    pub(super) fn parts(&self, name: &str) -> Option<Vec<Part>> {
        if let Some(prompt) = self.prompts.get(name) {
            return Some(prompt.parts.clone());
        }
        self.has_clip(name).then(|| vec![Part::Clip(Arc::from(name))])
    }

    pub(super) fn fallback(&self, name: &str) -> &[Part] {
        self.prompts.get(name).map_or(&[], |prompt| &prompt.fallback)
    }

    pub(super) fn has_clip(&self, name: &str) -> bool {
        self.open || self.clips.contains_key(name) || TONES.contains(&name)
    }

    /// What a prompt or clip says, in writing; empty where nobody wrote it down.
    pub fn text(&self, name: &str) -> &str {
        let prompt = self.prompts.get(name).map(|prompt| prompt.text.as_str());
        prompt.or_else(|| self.clips.get(name).map(|(_, text)| text.as_str())).unwrap_or_default()
    }

    pub(super) fn clip_text(&self, name: &str) -> Option<&str> {
        self.clips.get(name).map(|(_, text)| text.as_str())
    }

    /// Milliseconds.
    pub fn clip_ms(&self, name: &str) -> u32 {
        self.clips.get(name).map_or(500, |(ms, _)| *ms)
    }

    /// May a flow write this name?
    pub fn has(&self, name: &str) -> bool {
        self.open || self.prompts.contains_key(name) || self.clips.contains_key(name)
    }

    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Every name a flow may write, for suggestions.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.prompts.keys().chain(self.clips.keys()).map(|name| &**name)
    }
}

/// A clip's text without the marks for the synthesiser: `一{yi2}` and `<en>…</en>`.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut marked = 0_u32;
    for c in text.chars() {
        match c {
            '{' | '<' => marked += 1,
            '}' | '>' => marked = marked.saturating_sub(1),
            c if marked == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

/// Tones and music have no line in the manifest: they say nothing.
const TONES: &[&str] =
    &["moh/hold", "tones/beep", "tones/beep_short", "tones/ringback", "tones/record_notice"];

/// `{no:digits4}`, `pause:300`, or the name of a clip.
pub(super) fn part(text: &str) -> Option<Part> {
    if let Some(ms) = text.strip_prefix("pause:") {
        return ms.parse().ok().map(Part::Pause);
    }
    let Some(slot) = text.strip_prefix('{') else { return Some(Part::Clip(Arc::from(text))) };
    let (var, how) = slot.strip_suffix('}')?.split_once(':')?;
    Some(Part::Say { var: Arc::from(variable(var)), how: How::of(how)? })
}

/// The manifest's Chinese slots are the flow's variables.
fn variable(slot: &str) -> &str {
    match slot {
        "部门" => "dept",
        "事由" => "reason",
        "工号" => "agent",
        "pin" => "code",
        "n" => "ahead",
        "m" => "wait_min",
        "h" => "hours",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_manifest_reads_and_all_its_parts_exist() {
        let book = Book::read(include_str!("../../sounds/manifest.json")).unwrap();
        for (name, prompt) in &book.prompts {
            for part in prompt.parts.iter().chain(&prompt.fallback) {
                if let Part::Clip(clip) = part {
                    assert!(book.has_clip(clip), "prompt {name} needs clip {clip}");
                }
            }
        }
        assert_eq!(book.parts("voicemail_ok").unwrap()[1], Part::Say { var: "no".into(), how: How::Digits4 });
        assert!(book.parts("no_such").is_none());
    }
}
