//! `[city]`: the city's 12345, both ways.

use super::Secret;
use super::outbox::{in_the_clear, is_url};
use super::read::Section;

#[derive(Clone, Debug, PartialEq)]
pub struct City {
    /// Signs what goes either way; without it nothing comes in.
    pub secret: Option<Secret>,
    /// Where the city takes what we tell it; without it nothing goes out.
    pub url: Option<String>,
    /// A signature's time may be so far from ours, seconds.
    pub window_s: u32,
}

pub(super) fn read(s: &mut Section<'_, '_>) -> City {
    let city = City {
        secret: s.maybe_text("secret").map(Secret::new),
        url: s.maybe_text("url"),
        window_s: s.number("window_s", 300, 10..=3600),
    };
    if city.secret.as_ref().is_some_and(|secret| secret.reveal().len() < 16) {
        s.refuse("secret", "shorter than 16 characters: it could be guessed");
    }
    if let Some(url) = &city.url {
        if !is_url(url) {
            s.refuse("url", "it begins with neither \"https://\" nor \"http://\"");
        } else if in_the_clear(url) {
            s.refuse("url", "what citizens said would cross the network in the clear: https");
        }
        if city.secret.is_none() {
            s.refuse("url", "it needs a secret, by which the city knows that it is us");
        }
    }
    city
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use std::path::Path;

    fn read(text: &str) -> Result<Config, String> {
        Config::from_str_named(text, Path::new("hotline.toml"), std::iter::empty())
            .map_err(|problems| problems.to_string())
    }

    #[test]
    fn what_could_not_work_is_refused_with_its_place() {
        for (text, says) in [
            ("[city]\nsecret = \"short\"\n", "city.secret: shorter than 16"),
            ("[city]\nurl = \"https://city/\"\n", "city.url: it needs a secret"),
            ("[city]\nsecret = \"0123456789abcdef\"\nurl = \"city\"\n", "city.url: it begins with neither"),
            ("[city]\nsecret = \"0123456789abcdef\"\nurl = \"http://city.example/\"\n", "in the clear"),
            ("[city]\nwindow_s = 5\n", "city.window_s"),
        ] {
            assert!(read(text).expect_err(says).contains(says), "{says}");
        }
        let good =
            read("[city]\nsecret = \"0123456789abcdef\"\nurl = \"https://city.example/12341\"\n").unwrap();
        assert!(!format!("{good:?}").contains("0123456789abcdef"));
    }
}
