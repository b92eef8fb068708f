//! Writing frames. One text per event, shared by all sessions that get it; each stream puts its own number in.

use super::view::{Clockface, EventView, SnapshotView, event, media_event};
use super::{PROTOCOL, Unread};
use crate::base::CallId;
use crate::call::agents::seam::{AgentEvent, Snapshot};
use crate::cti::media::MediaEvent;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::fmt::Write as _;
use std::sync::Arc;

/// What a session is told first.
#[derive(Clone, Debug, Serialize)]
pub struct Hello<'a> {
    pub protocol: u32,
    pub heartbeat_ms: u64,
    pub agent: &'a str,
    pub display: &'a str,
    pub lead: bool,
    /// This session's number: `session.taken_over` names the one that acts.
    pub session: u64,
    /// Whether it acts, or watches another.
    pub acting: bool,
    /// The number to resume from while no event has come.
    pub resume: u64,
    /// The resume succeeded: no snapshot follows, the missed events do.
    pub resumed: bool,
}

impl Hello<'_> {
    pub const PROTOCOL: u32 = PROTOCOL;
}

#[derive(Serialize)]
struct Frame<'a, T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    event: &'a str,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<T>,
}

#[derive(Serialize)]
struct Answer<'a> {
    re: Option<&'a str>,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Error<'a>>,
}

#[derive(Serialize)]
struct Error<'a> {
    code: &'a str,
    message: &'a str,
}

/// Writes frames with times of one zone.
#[derive(Clone, Debug)]
pub struct Writer {
    zone: TimeZone,
}

impl Clockface for Writer {
    fn time(&self, wall_ms: i64) -> String {
        match jiff::Timestamp::from_millisecond(wall_ms) {
            Ok(at) => {
                at.to_zoned_datetime(self.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
            }
            Err(_) => "0001-01-01T00:00:00.000+00:00".to_owned(),
        }
    }
}

impl Writer {
    pub const fn new(zone: TimeZone) -> Self {
        Self { zone }
    }

    pub fn hello(&self, wall_ms: i64, hello: &Hello<'_>) -> Arc<str> {
        write(&Frame { seq: None, event: "hello", at: self.time(wall_ms), data: Some(hello) })
    }

    /// So that a page which cannot see pings knows that the line is alive.
    pub fn heartbeat(&self, wall_ms: i64) -> Arc<str> {
        write(&Frame { seq: None, event: "heartbeat", at: self.time(wall_ms), data: None::<()> })
    }

    pub fn snapshot(&self, seq: u64, wall_ms: i64, snapshot: &Snapshot) -> Arc<str> {
        let data = Some(SnapshotView::of(snapshot, self));
        write(&Frame { seq: Some(seq), event: "snapshot", at: self.time(wall_ms), data })
    }

    /// Without its number, as the two below: see [`numbered`].
    pub fn event(&self, wall_ms: i64, told: &AgentEvent) -> Arc<str> {
        let (name, data) = event(told, self);
        write(&Frame { seq: None, event: name, at: self.time(wall_ms), data: Some(data) })
    }

    pub fn media(&self, wall_ms: i64, session: u64, told: &MediaEvent) -> Arc<str> {
        let (name, data) = media_event(session, told);
        write(&Frame { seq: None, event: name, at: self.time(wall_ms), data: Some(data) })
    }

    pub fn taken_over(&self, wall_ms: i64, session: u64) -> Arc<str> {
        let data = Some(EventView::TakenOver { session });
        write(&Frame { seq: None, event: "session.taken_over", at: self.time(wall_ms), data })
    }
}

/// An event's frame: its text with its number in this stream.
pub fn numbered(seq: u64, text: &str) -> String {
    let mut frame = String::with_capacity(text.len() + 28);
    // Writing to a String cannot fail; what [`Writer`] wrote begins with a brace.
    let _ = write!(frame, "{{\"seq\":{seq},{}", text.get(1..).unwrap_or("}"));
    frame
}

/// `ok`, with the call it was about where a new one came of it.
pub fn done(re: &str, call: Option<CallId>) -> Arc<str> {
    write(&Answer { re: Some(re), ok: true, call: call.map(|call| call.to_string()), error: None })
}

pub fn refusal(re: Option<&str>, code: &str, message: &str) -> Arc<str> {
    write(&Answer { re, ok: false, call: None, error: Some(Error { code, message }) })
}

impl Unread {
    pub fn frame(&self) -> Arc<str> {
        refusal(self.re.as_deref(), self.code, &self.message)
    }
}

fn write(frame: &impl Serialize) -> Arc<str> {
    // Texts, numbers and lists into memory: there is nothing that could fail. The empty object is refused by every client.
    serde_json::to_string(frame).unwrap_or_else(|_| "{}".to_owned()).into()
}
