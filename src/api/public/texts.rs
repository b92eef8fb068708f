//! What the page says, in two languages: data beside this file.

use std::collections::HashMap;
use std::sync::LazyLock;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Chinese,
    English,
}

type Texts = HashMap<String, String>;

static CHINESE: LazyLock<Texts> = LazyLock::new(|| read(include_str!("texts.zh.json")));
static ENGLISH: LazyLock<Texts> = LazyLock::new(|| read(include_str!("texts.en.json")));

/// Both files read: a test looks at these very texts.
fn read(text: &str) -> Texts {
    serde_json::from_str(text).unwrap_or_default()
}

impl Language {
    /// Chinese unless somebody asks for English.
    pub fn read(asked: Option<&str>) -> Self {
        if asked == Some("en") { Self::English } else { Self::Chinese }
    }

    pub const fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }

    /// The words for a key; nothing where there are none.
    pub fn say(self, key: &str) -> &str {
        let texts: &'static Texts = match self {
            Self::Chinese => &CHINESE,
            Self::English => &ENGLISH,
        };
        texts.get(key).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same() {
        let keys = |texts: &Texts| texts.keys().cloned().collect::<std::collections::BTreeSet<_>>();
        assert!(CHINESE.len() > 100, "{}", CHINESE.len());
        assert_eq!(keys(&CHINESE), keys(&ENGLISH));
        assert!(CHINESE.values().chain(ENGLISH.values()).all(|text| !text.trim().is_empty()));
    }
}
