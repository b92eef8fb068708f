//! What the city is told, drawn from the lines of a ticket's history.

use crate::ticket::cycle::{Event, State, Step, Ticket};
use serde_json::{Value as Json, json};

/// What we say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// 签收.
    Sign,
    /// 阶段反馈.
    Feedback,
    /// 办结.
    Result,
    /// 退单申请.
    Return,
    /// 延期申请.
    Extension,
    /// 剔除, 申诉.
    Exclusion,
    /// 转市平台: a ticket of ours.
    Transfer,
}

impl Word {
    pub const ALL: &[Self] = &[
        Self::Sign,
        Self::Feedback,
        Self::Result,
        Self::Return,
        Self::Extension,
        Self::Exclusion,
        Self::Transfer,
    ];
    pub const fn label(self) -> &'static str {
        match self {
            Self::Sign => "sign",
            Self::Feedback => "feedback",
            Self::Result => "result",
            Self::Return => "return",
            Self::Extension => "extension",
            Self::Exclusion => "exclusion",
            Self::Transfer => "transfer",
        }
    }
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|word| word.label() == text)
    }
    /// Asks for something, so an answer is waited for.
    pub const fn asks(self) -> bool {
        matches!(self, Self::Return | Self::Extension | Self::Exclusion | Self::Transfer)
    }
}

/// What is to be sent because of a line: in the open, and what only the city may read.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    pub word: Word,
    pub open: Json,
    pub personal: Json,
}

/// RFC 3339.
fn stamp(ms: i64) -> Option<String> {
    jiff::Timestamp::from_millisecond(ms).ok().map(|at| at.to_string())
}

/// What the city is told of this event; `ticket` is as the event has left it.
pub fn outgoing(ticket: &Ticket, event: &Event) -> Option<Outgoing> {
    let wish = &event.wish;
    let say = |word, open, personal| Some(Outgoing { word, open, personal });
    if ticket.city.is_none() {
        return match event.step {
            Step::Transfer => say(Word::Transfer, json!({}), json!({"reason": wish.reason})),
            _ => None,
        };
    }
    match event.step {
        Step::Sign => say(Word::Sign, json!({"unit": ticket.lead}), Json::Null),
        Step::Stage => say(
            Word::Feedback,
            json!({"until": wish.until.and_then(stamp)}),
            json!({"basis": wish.basis, "text": wish.text}),
        ),
        Step::Progress => say(Word::Feedback, json!({}), json!({"text": wish.text})),
        Step::AskCityReturn => say(Word::Return, json!({}), json!({"basis": wish.basis, "text": wish.text})),
        Step::AskCityExtension => {
            say(Word::Extension, json!({"until": wish.until.and_then(stamp)}), json!({"reason": wish.reason}))
        }
        Step::AskCityExclusion => {
            say(Word::Exclusion, json!({}), json!({"basis": wish.basis, "text": wish.text}))
        }
        _ => match event.state {
            Some(State::Closed | State::Withdrawn) => {
                let reply = ticket.reply.as_ref();
                let open = json!({
                    "how": if ticket.state == State::Withdrawn { "withdrawn" } else { "closed" },
                    "claim": reply.map(|reply| reply.claim.as_str()),
                    "unit": ticket.lead,
                    "redo": ticket.redos,
                });
                let text = reply.map(|reply| reply.text.as_str()).or(wish.reason.as_deref());
                say(Word::Result, open, json!({"text": text}))
            }
            _ => None,
        },
    }
}
