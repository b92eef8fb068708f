//! Reading what a client sends. Every frame becomes a request or a refusal with a code and a sentence.

use crate::base::CallId;
use crate::call::agents::seam::{AgentCommand, Device, Forced, Special, Target};
use crate::cti::media::{MediaCommand, Microphone};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Longest texts, in characters.
const ID: usize = 64;
const NAME: usize = 64;
const REASON: usize = 64;
const NOTE: usize = 500;
const NUMBER: usize = 32;
const DIGITS: usize = 32;
const SDP: usize = 48 * 1024;
const CANDIDATE: usize = 1024;
/// Queues watched at once.
const QUEUES: usize = 64;

/// What a frame asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `take_over`: this session is to act, whoever does now.
    Login {
        device: Device,
        take_over: bool,
    },
    /// For the engine as it is.
    Agent(AgentCommand),
    Media(MediaCommand),
}

impl Command {
    /// Needs a lead's rights.
    pub const fn is_supervision(&self) -> bool {
        matches!(
            self,
            Self::Agent(
                AgentCommand::Listen { .. }
                    | AgentCommand::Whisper { .. }
                    | AgentCommand::Barge { .. }
                    | AgentCommand::TakeOver { .. }
                    | AgentCommand::ForceState { .. }
            )
        )
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The client's own.
    pub id: Arc<str>,
    pub command: Command,
}

/// A frame that is no command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Unread {
    /// The frame's id, where it could be found.
    pub re: Option<Arc<str>>,
    pub code: &'static str,
    pub message: String,
}

type Read = fn(&mut Fields<'_>) -> Result<Command, Wrong>;

/// Every command by its name.
const COMMANDS: &[(&str, Read)] = &[
    ("agent.login", |f| {
        let device = match f.maybe_text("device", NAME)? {
            None => Device::Browser,
            Some(name) if &*name == "browser" => Device::Browser,
            Some(name) => Device::Phone(name),
        };
        Ok(Command::Login { device, take_over: f.flag("take_over")? })
    }),
    ("agent.logout", |_| agent(AgentCommand::Logout)),
    ("agent.ready", |_| agent(AgentCommand::Ready)),
    ("agent.not_ready", |f| agent(AgentCommand::NotReady { reason: f.text("reason", REASON)? })),
    ("agent.break_request", |f| agent(AgentCommand::BreakRequest { reason: f.text("reason", REASON)? })),
    ("agent.break_withdraw", |_| agent(AgentCommand::BreakWithdraw)),
    ("call.answer", |f| agent(AgentCommand::Answer { call: f.call()? })),
    ("call.reject", |f| agent(AgentCommand::Reject { call: f.call()? })),
    ("call.hangup", |f| agent(AgentCommand::HangUp { call: f.call()? })),
    ("call.hold", |f| agent(AgentCommand::Hold { call: f.call()? })),
    ("call.retrieve", |f| agent(AgentCommand::Retrieve { call: f.call()? })),
    ("call.dtmf", |f| {
        let digits = f.text("digits", DIGITS)?;
        if !digits.chars().all(|c| matches!(c, '0'..='9' | '*' | '#' | 'A'..='D')) {
            return Err(wrong("digits", "has other characters than 0-9 * # A-D"));
        }
        agent(AgentCommand::Dtmf { call: f.call()?, digits })
    }),
    ("call.dial", |f| {
        agent(AgentCommand::Dial { number: f.number("number")?, ticket: f.maybe_text("ticket", NAME)? })
    }),
    ("call.consult", |f| {
        let to = f.target()?.ok_or_else(|| wrong("to", "is missing"))?;
        agent(AgentCommand::Consult { call: f.call()?, to })
    }),
    ("call.transfer", |f| agent(AgentCommand::Transfer { call: f.call()?, to: f.target()? })),
    ("call.conference", |f| agent(AgentCommand::Conference { call: f.call()?, to: f.target()? })),
    ("call.complete", |f| agent(AgentCommand::Complete { call: f.call()? })),
    ("call.mark", |f| {
        let name = f.text("special", NAME)?;
        let special = Special::ALL.into_iter().find(|special| special.label() == &*name);
        let special = special.ok_or_else(|| wrong("special", "is no kind of caller"))?;
        agent(AgentCommand::Mark { call: f.call()?, special })
    }),
    ("wrapup.finish", |_| agent(AgentCommand::WrapUpFinish)),
    ("wrapup.extend", |_| agent(AgentCommand::WrapUpExtend)),
    ("recording.pause", |f| agent(AgentCommand::RecordingPause { call: f.call()? })),
    ("recording.resume", |f| agent(AgentCommand::RecordingResume { call: f.call()? })),
    ("media.offer", |f| media(MediaCommand::Offer { sdp: f.text("sdp", SDP)? })),
    ("media.candidate", |f| {
        media(MediaCommand::Candidate {
            candidate: f.any_text("candidate", CANDIDATE)?.ok_or_else(|| wrong("candidate", "is missing"))?,
            mid: f.maybe_text("mid", NAME)?,
            line: f.small("line")?,
        })
    }),
    ("media.restart", |_| media(MediaCommand::Restart)),
    ("media.microphone", |f| {
        let state = match &*f.text("state", NAME)? {
            "live" => Microphone::Live,
            "muted" => Microphone::Muted,
            "ended" => Microphone::Ended,
            "denied" => Microphone::Denied,
            _ => return Err(wrong("state", "is not live, muted, ended or denied")),
        };
        media(MediaCommand::Microphone { state })
    }),
    ("media.probe", |f| {
        let received = f.count("received")?.ok_or_else(|| wrong("received", "is missing"))?;
        media(MediaCommand::Probe { received })
    }),
    ("supervisor.listen", |f| agent(AgentCommand::Listen { agent: f.text("agent", NAME)? })),
    ("supervisor.whisper", |f| agent(AgentCommand::Whisper { agent: f.text("agent", NAME)? })),
    ("supervisor.barge", |f| agent(AgentCommand::Barge { agent: f.text("agent", NAME)? })),
    ("supervisor.takeover", |f| agent(AgentCommand::TakeOver { agent: f.text("agent", NAME)? })),
    ("supervisor.force_state", |f| {
        let state = match &*f.text("state", NAME)? {
            "ready" => Forced::Ready,
            "not_ready" => Forced::NotReady { reason: f.text("reason", REASON)? },
            "offline" => Forced::Offline,
            _ => return Err(wrong("state", "is not ready, not_ready or offline")),
        };
        agent(AgentCommand::ForceState { agent: f.text("agent", NAME)?, state })
    }),
    ("assist.request", |f| {
        let note = f.any_text("note", NOTE)?.unwrap_or_default();
        agent(AgentCommand::AssistRequest { call: f.call()?, note })
    }),
    ("assist.cancel", |_| agent(AgentCommand::AssistCancel)),
    ("crisis.raise", |f| agent(AgentCommand::CrisisRaise { call: f.call()? })),
    ("queue.watch", |f| agent(AgentCommand::QueueWatch { queues: f.names("queues")? })),
];

/// Names of all commands.
#[cfg(test)]
pub fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|(name, _)| *name)
}

/// Reads one text frame.
pub fn read(text: &str) -> Result<Request, Unread> {
    let unread = |re, code, message| Unread { re, code, message };
    let value: Value = serde_json::from_str(text)
        .map_err(|error| unread(None, "bad_frame", format!("the frame is not JSON: {error}")))?;
    let Value::Object(map) = value else {
        return Err(unread(None, "bad_frame", "the frame is not a JSON object".into()));
    };
    let mut fields = Fields { map: &map, asked: vec!["id", "cmd"] };
    let id = fields.text("id", ID).map_err(|error| unread(None, "bad_frame", error.message()))?;
    let re = Some(Arc::clone(&id));
    let name = match map.get("cmd") {
        Some(Value::String(name)) => name,
        _ => return Err(unread(re, "bad_frame", "\"cmd\" is missing or not a text".into())),
    };
    let Some((_, reader)) = COMMANDS.iter().find(|(known, _)| known == name) else {
        let shown: String = name.chars().take(NAME).collect();
        return Err(unread(re, "unknown_command", format!("there is no command {shown:?}")));
    };
    let command = reader(&mut fields)
        .and_then(|command| fields.rest().map(|()| command))
        .map_err(|error| unread(re, "bad_field", error.message()))?;
    Ok(Request { id, command })
}

fn agent(command: AgentCommand) -> Result<Command, Wrong> {
    Ok(Command::Agent(command))
}

fn media(command: MediaCommand) -> Result<Command, Wrong> {
    Ok(Command::Media(command))
}

/// A field that is not as it must be.
struct Wrong {
    field: String,
    what: String,
}

impl Wrong {
    fn message(&self) -> String {
        format!("\"{}\" {}", self.field, self.what)
    }
}

fn wrong(field: &str, what: impl Into<String>) -> Wrong {
    Wrong { field: field.chars().take(NAME).collect(), what: what.into() }
}

/// A frame's fields; those nobody asked for are wrong in the end. `null` is the same as not there.
struct Fields<'m> {
    map: &'m Map<String, Value>,
    asked: Vec<&'static str>,
}

impl<'m> Fields<'m> {
    fn get(&mut self, name: &'static str) -> Option<&'m Value> {
        self.asked.push(name);
        self.map.get(name).filter(|value| !value.is_null())
    }

    /// A text that may be empty.
    fn any_text(&mut self, name: &'static str, most: usize) -> Result<Option<Arc<str>>, Wrong> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => bounded(name, text, most).map(Some),
            Some(_) => Err(wrong(name, "is not a text")),
        }
    }

    fn maybe_text(&mut self, name: &'static str, most: usize) -> Result<Option<Arc<str>>, Wrong> {
        match self.any_text(name, most)? {
            Some(text) if text.is_empty() => Err(wrong(name, "is empty")),
            text => Ok(text),
        }
    }

    fn text(&mut self, name: &'static str, most: usize) -> Result<Arc<str>, Wrong> {
        self.maybe_text(name, most)?.ok_or_else(|| wrong(name, "is missing"))
    }

    fn flag(&mut self, name: &'static str) -> Result<bool, Wrong> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(wrong(name, "is not true or false")),
        }
    }

    fn small(&mut self, name: &'static str) -> Result<Option<u16>, Wrong> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = value.as_u64().and_then(|n| u16::try_from(n).ok());
        number.map(Some).ok_or_else(|| wrong(name, "is not a whole number from 0 to 65535"))
    }

    fn count(&mut self, name: &'static str) -> Result<Option<u64>, Wrong> {
        let Some(value) = self.get(name) else { return Ok(None) };
        value.as_u64().map(Some).ok_or_else(|| wrong(name, "is not a whole number"))
    }

    fn call(&mut self) -> Result<Option<CallId>, Wrong> {
        let Some(text) = self.maybe_text("call", NAME)? else { return Ok(None) };
        text.parse().map(Some).map_err(|error: crate::base::NotACallId| wrong("call", format!("is {error}")))
    }

    fn number(&mut self, name: &'static str) -> Result<Arc<str>, Wrong> {
        let number = self.text(name, NUMBER)?;
        dialable(name, number)
    }

    fn names(&mut self, name: &'static str) -> Result<Vec<Arc<str>>, Wrong> {
        let Some(Value::Array(items)) = self.get(name) else { return Err(wrong(name, "is not a list")) };
        if items.len() > QUEUES {
            return Err(wrong(name, format!("has more than {QUEUES} entries")));
        }
        let text = |item: &Value| match item {
            Value::String(text) if !text.is_empty() => bounded(name, text, NAME),
            _ => Err(wrong(name, "has an entry that is not a name")),
        };
        items.iter().map(text).collect()
    }

    /// `"to": {"queue" | "agent" | "number": "…"}`.
    fn target(&mut self) -> Result<Option<Target>, Wrong> {
        const WHAT: &str = "is not one of {\"queue\": …}, {\"agent\": …}, {\"number\": …}";
        let Some(value) = self.get("to") else { return Ok(None) };
        let Value::Object(map) = value else { return Err(wrong("to", WHAT)) };
        let mut only = map.iter();
        let (Some((kind, Value::String(text))), None) = (only.next(), only.next()) else {
            return Err(wrong("to", WHAT));
        };
        if text.is_empty() {
            return Err(wrong("to", "is empty"));
        }
        match kind.as_str() {
            "queue" => Ok(Some(Target::Queue(bounded("to", text, NAME)?))),
            "agent" => Ok(Some(Target::Agent(bounded("to", text, NAME)?))),
            "number" => Ok(Some(Target::Number(dialable("to", bounded("to", text, NUMBER)?)?))),
            _ => Err(wrong("to", WHAT)),
        }
    }

    fn rest(&self) -> Result<(), Wrong> {
        match self.map.keys().find(|key| !self.asked.contains(&key.as_str())) {
            Some(key) => Err(wrong(key, "is not a field of this command")),
            None => Ok(()),
        }
    }
}

fn bounded(name: &str, text: &str, most: usize) -> Result<Arc<str>, Wrong> {
    if text.len() > most && text.chars().count() > most {
        return Err(wrong(name, format!("has more than {most} characters")));
    }
    // Line ends are for SDP and notes; nothing else of this kind is.
    let fine = |c: char| !c.is_control() || matches!((name, c), ("sdp" | "note", '\r' | '\n' | '\t'));
    if !text.chars().all(fine) {
        return Err(wrong(name, "has control characters"));
    }
    Ok(text.into())
}

fn dialable(name: &str, number: Arc<str>) -> Result<Arc<str>, Wrong> {
    let digits = number.strip_prefix('+').unwrap_or(&number);
    let fine = !digits.is_empty() && digits.chars().all(|c| matches!(c, '0'..='9' | '*' | '#'));
    if fine { Ok(number) } else { Err(wrong(name, "is not a number as dialled")) }
}
