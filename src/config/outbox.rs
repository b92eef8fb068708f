//! `[outbox]`: what is sent to people and machines outside, by which way, and whether truly.

use super::read::Section;
use super::{DEMO_DIALS, Secret};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboxMode {
    /// Nothing leaves the house but what is for the allow list.
    Test,
    Live,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Outbox {
    pub mode: OutboxMode,
    /// Numbers, mail addresses and URLs to which is sent in test mode too: whole, or a beginning and a star.
    pub allow: Vec<String>,
    pub texts: PathBuf,
    /// Beginnings of numbers that get an SMS.
    pub mobiles: Vec<String>,
    /// Sent at once.
    pub concurrent: u32,
    /// For one try, milliseconds.
    pub timeout_ms: u32,
    pub tries: u32,
    /// The wait after the first try and the longest, seconds.
    pub retry_first_s: u32,
    pub retry_longest_s: u32,
    pub sms: Option<SmsGateway>,
    pub smtp: Option<Smtp>,
    /// By unit's code; `all` is for those that are not named.
    pub units: BTreeMap<String, UnitPlace>,
}

/// A gateway with an HTTP template: `{to}`, `{text}` and `{id}` are put in, escaped as their place needs.
#[derive(Clone, Debug, PartialEq)]
pub struct SmsGateway {
    pub url: Secret,
    pub method: SmsMethod,
    pub content_type: String,
    pub body: Secret,
    pub authorization: Option<Secret>,
    /// What the answer's body must contain.
    pub accepted: Option<String>,
    /// JSON pointer to the gateway's own number of the message.
    pub receipt: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmsMethod {
    Get,
    Post,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    pub tls: SmtpTls,
    pub from: String,
    pub username: Option<String>,
    pub password: Option<Secret>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// From the first byte.
    Tls,
    Starttls,
    /// For a relay in one's own house.
    None,
}

/// Where a unit is told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UnitPlace {
    pub webhook: Option<String>,
    pub secret: Option<Secret>,
    pub mail: Option<String>,
}

/// The unit's name that stands for all that are not named.
pub const ALL_UNITS: &str = "all";

impl Outbox {
    /// The place of a unit.
    pub fn unit(&self, code: &str) -> Option<&UnitPlace> {
        self.units.get(code).or_else(|| self.units.get(ALL_UNITS))
    }

    /// Nothing is sent in a demonstration; what would have been is to be seen, for units too.
    pub(super) fn demo(&mut self) {
        self.mode = OutboxMode::Test;
        self.allow.clear();
        self.mobiles.push(DEMO_DIALS.to_owned());
        self.units.entry(ALL_UNITS.to_owned()).or_insert_with(|| UnitPlace {
            webhook: Some("https://unit.example/12341".to_owned()),
            secret: Some(Secret::new("demo")),
            mail: Some("office@unit.example".to_owned()),
        });
    }
}

const MOBILES: [&str; 7] = ["13", "14", "15", "16", "17", "18", "19"];

pub(super) fn read(s: &mut Section<'_, '_>) -> Outbox {
    let texts = s.base().join("district/pushes.toml");
    let modes = [("test", OutboxMode::Test), ("live", OutboxMode::Live)];
    let outbox = Outbox {
        mode: s.choice("mode", OutboxMode::Test, &modes),
        allow: s.list("allow", Vec::new(), "a number, a mail address or the beginning of a URL in quotes"),
        texts: s.path("texts", &texts),
        mobiles: s.list(
            "mobiles",
            MOBILES.map(str::to_owned).into(),
            "the beginning of mobiles' numbers in quotes",
        ),
        concurrent: s.number("concurrent", 8, 1..=256),
        timeout_ms: s.number("timeout_ms", 10_000, 100..=120_000),
        tries: s.number("tries", 8, 1..=100),
        retry_first_s: s.number("retry_first_s", 15, 1..=3600),
        retry_longest_s: s.number("retry_longest_s", 3600, 1..=86_400),
        sms: s.maybe("sms", read_sms),
        smtp: s.maybe("smtp", read_smtp),
        units: s.named("unit", |_, s| read_unit(s)),
    };
    if outbox.allow.iter().any(|entry| entry.strip_suffix('*').is_some_and(|beginning| beginning.len() < 3)) {
        s.refuse("allow", "a star needs at least three characters before it: everything would be sent");
    }
    if outbox.retry_first_s > outbox.retry_longest_s {
        s.refuse("retry_first_s", "longer than retry_longest_s");
    }
    outbox
}

pub(super) fn is_url(text: &str) -> bool {
    text.strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains(char::is_whitespace))
}

/// By plain HTTP to anything but this machine and private addresses (RFC 1918, RFC 4193).
pub(super) fn in_the_clear(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((inner, _)) => inner,
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => !(ip.is_loopback() || ip.is_private()),
        Ok(IpAddr::V6(ip)) => !(ip.is_loopback() || ip.is_unique_local()),
        Err(_) => host != "localhost",
    }
}

fn read_sms(s: &mut Section<'_, '_>) -> SmsGateway {
    let url = s.required("url");
    if !url.is_empty() && !is_url(&url) {
        // Not repeated: there may be a key in it.
        s.refuse("url", "it begins with neither \"https://\" nor \"http://\"");
    }
    if in_the_clear(&url) {
        s.refuse(
            "url",
            "numbers and texts would cross the network in the clear: https, or an address of one's own house",
        );
    }
    let method = s.choice("method", SmsMethod::Post, &[("POST", SmsMethod::Post), ("GET", SmsMethod::Get)]);
    let body = s.text("body", "");
    for (name, place) in [("{to}", "to whom"), ("{text}", "what")] {
        if !url.contains(name) && !body.contains(name) {
            s.refuse(
                "body",
                &format!("{name} stands neither here nor in the url: nobody would know {place}"),
            );
        }
    }
    let receipt = s.maybe_text("receipt");
    if receipt.as_ref().is_some_and(|pointer| !pointer.starts_with('/')) {
        s.refuse("receipt", "a place in the JSON answer begins with a slash, like \"/data/id\"");
    }
    SmsGateway {
        url: Secret::new(url),
        method,
        content_type: s.text("content_type", "application/json"),
        body: Secret::new(body),
        authorization: s.maybe_text("authorization").map(Secret::new),
        accepted: s.maybe_text("accepted"),
        receipt,
    }
}

fn read_smtp(s: &mut Section<'_, '_>) -> Smtp {
    let ways = [("tls", SmtpTls::Tls), ("starttls", SmtpTls::Starttls), ("none", SmtpTls::None)];
    let tls = s.choice("tls", SmtpTls::Tls, &ways);
    let from = s.required("from");
    if !from.is_empty() && !is_mail(&from) {
        s.refuse("from", "not a mail address");
    }
    let (username, password) = (s.maybe_text("username"), s.maybe_text("password"));
    if username.is_some() != password.is_some() {
        s.refuse("username", "username and password come together");
    }
    Smtp {
        host: s.required("host"),
        port: s.number("port", 465, 1..=65_535),
        tls,
        from,
        username,
        password: password.map(Secret::new),
    }
}

fn is_mail(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && host.contains('.') && !text.contains(char::is_whitespace)
    })
}

fn read_unit(s: &mut Section<'_, '_>) -> UnitPlace {
    let place = UnitPlace {
        webhook: s.maybe_text("webhook"),
        secret: s.maybe_text("secret").map(Secret::new),
        mail: s.maybe_text("mail"),
    };
    if place.webhook.as_ref().is_some_and(|url| !is_url(url)) {
        s.refuse("webhook", "it begins with neither \"https://\" nor \"http://\"");
    }
    if place.webhook.is_some() && place.secret.as_ref().is_none_or(Secret::is_empty) {
        s.refuse("webhook", "it needs a secret, by which the unit knows that it is us");
    }
    if place.mail.as_ref().is_some_and(|mail| !is_mail(mail)) {
        s.refuse("mail", "not a mail address");
    }
    place
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, OutboxMode};
    use std::path::Path;

    fn read(text: &str) -> Result<Config, Vec<String>> {
        Config::from_str_named(text, Path::new("hotline.toml"), std::iter::empty())
            .map_err(|problems| problems.to_string().lines().map(str::to_owned).collect())
    }

    #[test]
    fn nothing_is_sent_unless_somebody_says_so() {
        let config = read("").unwrap();
        assert_eq!((config.outbox.mode, config.outbox.allow.len()), (OutboxMode::Test, 0));
        let live = read("[outbox]\nmode = \"live\"\nallow = [\"13800000001\"]\n").unwrap();
        let demo = live.demo(&[]).unwrap();
        assert_eq!((demo.outbox.mode, demo.outbox.allow.len()), (OutboxMode::Test, 0));
        assert!(demo.outbox.unit("rl").is_some_and(|unit| unit.webhook.is_some()));
    }

    #[test]
    fn what_could_not_work_is_refused_with_its_place() {
        for (text, says) in [
            ("[outbox]\nmode = \"liv\"\n", "hotline.toml:2:8: outbox.mode: \"liv\" is not one of"),
            ("[outbox]\nallow = [\"1*\"]\n", "hotline.toml:2:9: outbox.allow: a star needs"),
            ("[outbox]\nretry_first_s = 60\nretry_longest_s = 30\n", "outbox.retry_first_s: longer than"),
            (
                "[outbox.sms]\nurl = \"gateway\"\nbody = \"{to}{text}\"\n",
                "outbox.sms.url: it begins with neither",
            ),
            (
                "[outbox.sms]\nurl = \"https://g/\"\nbody = \"{to}\"\n",
                "outbox.sms.body: {text} stands neither",
            ),
            ("[outbox.sms]\nurl = \"http://sms.example/\"\nbody = \"{to}{text}\"\n", "in the clear"),
            ("[outbox.smtp]\nhost = \"m\"\nfrom = \"nobody\"\n", "outbox.smtp.from: not a mail address"),
            ("[outbox.smtp]\nhost = \"m\"\nfrom = \"a@b.cn\"\nusername = \"a\"\n", "come together"),
            ("[outbox.unit.rl]\nwebhook = \"https://u/\"\n", "outbox.unit.NAME.webhook: it needs a secret"),
        ] {
            let told = read(text).expect_err(says);
            assert!(told.len() == 1 && told[0].contains(says), "{says}: {told:?}");
        }
    }

    #[test]
    fn plain_http_stays_in_the_house() {
        for url in [
            "http://127.0.0.1:9/",
            "http://10.1.2.3/x",
            "http://[::1]:8080/",
            "http://localhost/",
            "https://a.example/",
        ] {
            assert!(!super::in_the_clear(url), "{url}");
        }
        for url in
            ["http://a.example/", "http://8.8.8.8:80", "http://[2001:db8::1]/", "http://10.evil.example/"]
        {
            assert!(super::in_the_clear(url), "{url}");
        }
    }

    #[test]
    fn keys_and_passwords_are_never_printed() {
        let text = "[outbox.sms]\nurl = \"https://g/?key=hush&to={to}&t={text}\"\nauthorization = \"Bearer hush\"\n\
            [outbox.smtp]\nhost = \"m\"\nfrom = \"a@b.cn\"\nusername = \"a\"\npassword = \"hush\"\n\
            [outbox.unit.rl]\nwebhook = \"https://u/\"\nsecret = \"hush\"\n";
        assert!(!format!("{:?}", read(text).unwrap()).contains("hush"));
    }
}
