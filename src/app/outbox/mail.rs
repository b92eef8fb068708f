//! Mail to units by SMTP.

use super::{BadSender, Sender};
use crate::config::{ALL_UNITS, Outbox, SmtpTls, UnitPlace};
use crate::outbox::{Outcome, Why};
use crate::store::Letter;
use async_trait::async_trait;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use std::collections::BTreeMap;
use std::time::Duration;

pub struct Mail {
    server: Option<(AsyncSmtpTransport<Tokio1Executor>, Mailbox)>,
    units: BTreeMap<String, UnitPlace>,
}

impl Mail {
    pub fn new(outbox: &Outbox) -> Result<Self, BadSender> {
        let Some(smtp) = &outbox.smtp else { return Ok(Self { server: None, units: outbox.units.clone() }) };
        let tls = || TlsParameters::new(smtp.host.clone());
        let from: Mailbox = smtp.from.parse()?;
        let mut server = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)
            .port(smtp.port)
            .tls(match smtp.tls {
                SmtpTls::Tls => Tls::Wrapper(tls()?),
                SmtpTls::Starttls => Tls::Required(tls()?),
                SmtpTls::None => Tls::None,
            })
            .hello_name(ClientId::Domain(from.email.domain().to_owned()))
            .timeout(Some(Duration::from_millis(outbox.timeout_ms.into())));
        if let (Some(username), Some(password)) = (&smtp.username, &smtp.password) {
            server = server.credentials(Credentials::new(username.clone(), password.reveal().to_owned()));
        }
        Ok(Self { server: Some((server.build(), from)), units: outbox.units.clone() })
    }
}

#[async_trait]
impl Sender for Mail {
    fn address(&self, letter: &Letter) -> Option<String> {
        let place = self.units.get(letter.place.as_deref()?).or_else(|| self.units.get(ALL_UNITS));
        place?.mail.clone()
    }

    async fn send(&self, letter: &Letter, to: &str) -> Outcome {
        let Some((server, from)) = &self.server else { return Outcome::Never { why: Why::NoAddress } };
        let Ok(to) = to.parse::<Mailbox>() else { return Outcome::Never { why: Why::BadAddress } };
        // The same for each try: by this a mail server knows a repetition.
        let id = format!("<{}@{}>", letter.id, from.email.domain());
        let mail = Message::builder()
            .from(from.clone())
            .to(to)
            .message_id(Some(id))
            .subject(letter.payload["subject"].as_str().unwrap_or_default())
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text());
        let Ok(mail) = mail else { return Outcome::Never { why: Why::Broken } };
        match server.send(mail).await {
            Ok(_) => Outcome::Sent { receipt: None },
            Err(error) => failed(&error),
        }
    }
}

/// RFC 5321 §4.2.1: 4yz is worth another try, 5yz is not.
fn failed(error: &lettre::transport::smtp::Error) -> Outcome {
    let later = |why| Outcome::Later { why, wait_ms: None };
    match error.status() {
        Some(code) if error.is_permanent() => Outcome::Never { why: Why::Status(code.into()) },
        Some(code) => later(Why::Status(code.into())),
        None if error.is_timeout() => later(Why::Timeout),
        None if error.is_response() || error.is_client() => later(Why::Broken),
        None => later(Why::Unreachable),
    }
}
