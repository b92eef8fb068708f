//! One push, as it is handed in.

use crate::base::Personal;
use serde_json::Value as Json;

/// By which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Sms,
    Mail,
    Webhook,
    /// The city's 12345.
    City,
}

impl Kind {
    pub const ALL: &[Self] = &[Self::Sms, Self::Mail, Self::Webhook, Self::City];
    pub const fn label(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Mail => "mail",
            Self::Webhook => "webhook",
            Self::City => "city",
        }
    }
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.label() == text)
    }
}

/// Whom it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// A person's number: kept under the ticket's key only.
    Person(Personal),
    /// A unit's code, or another name from the configuration; where that is stands there.
    Place(String),
}

/// What is to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Push {
    /// What must not be sent twice, like `<ticket id>:<line of its history>:<kind>`.
    pub key: String,
    pub kind: Kind,
    pub to: To,
    /// The ticket's id. A push to a person, or with something personal in it, has one: its key seals it.
    pub ticket: Option<String>,
    /// Which text, or what a machine is told.
    pub subject: String,
    /// Nothing personal.
    pub payload: Json,
    /// What only the receiver may read; sealed.
    pub personal: Option<Json>,
    /// Milliseconds since 1970: when the event was, and until when it is worth sending.
    pub at: i64,
    pub until: Option<i64>,
    /// Its delivery is the first contact with somebody who is only written to.
    pub contact: bool,
}
