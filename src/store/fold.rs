//! One call's record as a function of its facts. Pure: facts in, the record and what it means for tickets out.

use crate::base::CallId;
use crate::call::EndReason;
use crate::call::agents::testing::DIAL_TEST;
use crate::call::agents::urging::{URGE_HEARD, VOICE_URGE};
use crate::call::fact::{Fact, QueueOutcome, Stamped, StepInput, StepTrail};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

/// Nodes and prompts kept in one call's record. A walk that is longer keeps its end in the timeline only.
const PATH_MAX: usize = 512;
const KEYS_MAX: usize = 256;

/// Everything known of a call. Times in milliseconds since 1970 (UTC), durations in milliseconds.
///
/// Kept as the `detail` column; the other columns are drawn from it. Fields are only added, with a default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallRecord {
    pub id: String,
    /// Journal position of the last fact in here: older ones are not folded twice.
    pub last_seq: u64,
    pub began_mono_ns: u64,
    pub sip_call_id: String,
    pub caller: String,
    pub caller_source: String,
    pub display: String,
    pub private: bool,
    pub called: String,
    pub redirected_from: Option<String>,
    pub redirect_reason: Option<String>,
    pub trunk: String,
    pub source: String,
    pub user_agent: String,
    pub emergency: bool,
    pub state: CallState,
    pub queue: Option<String>,
    pub agent: Option<String>,
    pub started_at: i64,
    pub answered_at: Option<i64>,
    pub confirmed_at: Option<i64>,
    pub queued_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub end_reason: Option<String>,
    pub fault: Option<String>,
    pub sip_status: Option<u16>,
    pub peer_cause: Option<u16>,
    pub duration_ms: Option<u64>,
    pub talk_ms: Option<u64>,
    pub flow_file: String,
    pub flow_version: String,
    /// Content hash, 16 hex digits.
    pub flow_hash: String,
    /// Keys in order; `*` for each key of a sensitive node.
    pub keys: String,
    pub path: Vec<String>,
    pub prompts: Vec<String>,
    pub queues: Vec<QueueWait>,
    pub dials: Vec<Dial>,
    /// Values the flow set, by name (survey answers, language).
    pub values: Vec<(String, String)>,
    pub held: bool,
    /// `PCMA`, `PCMU`.
    pub codec: Option<String>,
    pub media: Option<Media>,
    /// 32 hex digits.
    pub recording: Option<String>,
    pub recording_ms: Option<u32>,
    pub recording_gaps_ms: Option<u32>,
    pub recording_failed: bool,
    pub recording_at: Option<i64>,
    /// Where staff stopped the recorder, oldest first.
    pub recording_pauses: Vec<PauseSeen>,
    /// What the citizen answered after an agent had served him.
    pub surveys: Vec<SurveySeen>,
    pub message: Option<String>,
    pub message_ms: Option<u32>,
    pub callback_number: Option<String>,
    pub callback_queue: Option<String>,
    pub callback: Option<CallbackSeen>,
    /// `PartyJoined` and what followed, oldest first.
    pub parties: Vec<PartySeen>,
    /// Offers made, and how each ended.
    pub offers: Vec<OfferSeen>,
    /// The agent who dialled it, for a call that began with us.
    pub dialled_by: Option<String>,
    /// How long the agent worked on after the call.
    pub wrap_ms: Option<u64>,
    /// `assist`, `crisis`, `urgent`: kind and by whom.
    pub notes: Vec<(String, String)>,
    /// It tries out the duty number of this row.
    pub dial_test: Option<String>,
    /// The attempt of voice urging that this call is, and whether who answered pressed that he heard it.
    pub urge: Option<String>,
    pub urge_heard: bool,
    /// The session in which he asked for the head of a department, whether the head took it, and who listened and wrote.
    pub leader_session: Option<String>,
    pub leader_taken: bool,
    pub leader_recorder: Option<String>,
    /// Official numbers drawn, and messages and callback requests stored, so far.
    pub numbers: u32,
    pub stores: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    #[default]
    Arriving,
    Ivr,
    Queued,
    Offered,
    Talking,
    Held,
    Wrap,
    Ended,
}

impl CallState {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Arriving => "arriving",
            Self::Ivr => "ivr",
            Self::Queued => "queued",
            Self::Offered => "offered",
            Self::Talking => "talking",
            Self::Held => "held",
            Self::Wrap => "wrap",
            Self::Ended => "ended",
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueueWait {
    pub queue: String,
    pub entered_at: i64,
    pub priority: u8,
    pub ahead: u32,
    pub waited_ms: Option<u64>,
    pub outcome: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dial {
    pub to: String,
    pub at: i64,
    pub outcome: Option<u8>,
}

/// Another leg of the call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PartySeen {
    pub party: u64,
    pub role: String,
    pub agent: String,
    pub number: String,
    pub joined_at: i64,
    pub left_at: Option<i64>,
    pub why: Option<String>,
}

/// Times in milliseconds from the recording's beginning.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PauseSeen {
    pub from_ms: u64,
    /// `None`: to its end.
    pub to_ms: Option<u64>,
    /// The agent.
    pub by: String,
}

/// `key` 1 is the best.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SurveySeen {
    pub name: String,
    pub answer: String,
    pub key: String,
    pub at: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OfferSeen {
    pub offer: u64,
    pub agent: String,
    pub at: i64,
    pub ended_at: Option<i64>,
    pub how: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Media {
    pub sent: u64,
    pub received: u64,
    pub lost: u64,
    pub late: u64,
    pub duplicate: u64,
    pub foreign: u64,
    pub jitter_us: u32,
    pub mos_x100: u16,
    pub digits: u32,
    pub late_ticks: u32,
}

/// A callback that was asked for, and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallbackSeen {
    pub asked_at: i64,
    /// The place in line: when the citizen came, and with what priority.
    pub entered_at: i64,
    pub priority: u8,
    pub tries: Vec<CallbackTry>,
    /// When the next try may be.
    pub next_at: Option<i64>,
    pub over_at: Option<i64>,
    /// `reached given_up too_late number_refused no_line full no_queue withdrawn lost`.
    pub why: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallbackTry {
    pub nth: u8,
    pub agent: String,
    /// The call that dialled; the request's own where none could be begun.
    pub call: String,
    pub at: i64,
    pub ended_at: Option<i64>,
    pub outcome: Option<String>,
}

impl CallbackSeen {
    /// `waiting`, `dialling`, or how it is over.
    pub fn state(&self) -> &str {
        match (&self.why, self.tries.last()) {
            (Some(why), _) => why,
            (None, Some(CallbackTry { outcome: None, .. })) => "dialling",
            (None, _) => "waiting",
        }
    }
}

/// The tag of tickets that the head of a department took.
pub const LEADER_TAG: &str = "一把手接听";

/// What a fact means for the call's tickets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketNews {
    /// The first INVITE: there is a draft from now on.
    Draft,
    /// The `nth` official number (from 1) was drawn for this call. `stored`: what it numbers is stored already.
    Number { nth: u32, no: String, code: String, stored: bool },
    /// A message or callback request belongs to the `nth` ticket.
    Stored { nth: u32, what: &'static str },
    /// The citizen answered a question after his talk.
    Survey { name: String, answer: String, key: String },
    /// Something about the callback: a line in the history of the `nth` ticket.
    Callback { nth: u32, kind: &'static str, payload: Json },
    /// A word by which such tickets are found.
    Tagged { nth: u32, tag: &'static str },
    /// Somebody whom nobody heard pressed a key: he cannot speak.
    SilentKey { nth: u32 },
    /// The call is over; a draft that reached nobody is `missed`.
    Ended,
}

/// What flows set about callers whom nobody hears, and its word for a key that was pressed.
const SILENT: &str = "silent";
const SILENT_PRESSED: &str = "pressed";

/// The call a fact belongs to, if it belongs to one.
pub fn call_of(fact: &Fact) -> Option<CallId> {
    fact.call()
}

impl CallRecord {
    pub fn new(call: CallId) -> Self {
        Self { id: call.to_string(), ..Self::default() }
    }

    /// Takes one fact in. `None` when it is in here already.
    pub fn fold(&mut self, stamped: &Stamped) -> Option<Vec<TicketNews>> {
        if stamped.seq <= self.last_seq {
            return None;
        }
        self.last_seq = stamped.seq;
        let at = stamped.wall_ms;
        let mut news = Vec::new();
        match &stamped.fact {
            Fact::CallArrived(f) => {
                self.began_mono_ns = stamped.mono_ns;
                self.started_at = at;
                self.sip_call_id.clone_from(&f.sip_call_id);
                self.caller = f.caller.reveal().to_owned();
                self.caller_source.clone_from(&f.caller_source);
                self.display = f.display.reveal().to_owned();
                self.private = f.private;
                self.called.clone_from(&f.called);
                self.redirected_from.clone_from(&f.redirected_from);
                self.redirect_reason.clone_from(&f.redirect_reason);
                self.trunk.clone_from(&f.trunk);
                self.source.clone_from(&f.source);
                self.user_agent.clone_from(&f.user_agent);
                self.emergency = f.emergency;
                self.flow_hash = hex16(f.flow_hash);
                self.flow_file.clone_from(&f.flow_file);
                self.flow_version.clone_from(&f.flow_version);
                self.dialled_by.clone_from(&f.dialled_by);
                self.agent.clone_from(&f.dialled_by);
                // A call of ours belongs to the ticket it was made for; it begins none.
                if f.dialled_by.is_none() {
                    news.push(TicketNews::Draft);
                }
            }
            Fact::CallAnswered(f) => {
                self.answered_at = Some(at);
                self.codec = Some(codec_name(f.codec).to_owned());
                let ours = self.dialled_by.is_some();
                self.enter(if ours { CallState::Talking } else { CallState::Ivr });
            }
            Fact::CallConfirmed { .. } => self.confirmed_at = Some(at),
            Fact::MediaChanged { held, codec, .. } => {
                self.held = *held;
                self.codec = Some(codec_name(*codec).to_owned());
                match (self.state, *held) {
                    (CallState::Talking, true) => self.enter(CallState::Held),
                    (CallState::Held, false) => self.enter(CallState::Talking),
                    _ => {}
                }
            }
            Fact::Dialog(_) => {}
            Fact::Step(f) => {
                if let StepInput::Digit(key) = &f.input
                    && self.keys.len() < KEYS_MAX
                {
                    self.keys.push_str(key.reveal());
                }
                for trail in &f.trail {
                    match trail {
                        StepTrail::Entered(node) if self.path.len() < PATH_MAX => {
                            self.path.push(node.clone())
                        }
                        StepTrail::Prompt(name) if self.prompts.len() < PATH_MAX => {
                            self.prompts.push(name.clone())
                        }
                        _ => {}
                    }
                }
            }
            Fact::QueueEntered { queue, priority, ahead, .. } => {
                self.queue = Some(queue.clone());
                self.queued_at.get_or_insert(at);
                if self.queues.len() < PATH_MAX {
                    self.queues.push(QueueWait {
                        queue: queue.clone(),
                        entered_at: at,
                        priority: *priority,
                        ahead: *ahead,
                        waited_ms: None,
                        outcome: None,
                    });
                }
                self.enter(CallState::Queued);
            }
            Fact::QueueRaised { priority, .. } => {
                if let Some(wait) = self.queues.last_mut().filter(|wait| wait.outcome.is_none()) {
                    wait.priority = *priority;
                }
            }
            Fact::QueueLeft { queue, outcome, waited_ms, .. } => {
                if let Some(wait) = self.queues.iter_mut().rev().find(|w| w.queue == *queue) {
                    wait.waited_ms = Some(*waited_ms);
                    wait.outcome = Some(queue_outcome(*outcome).to_owned());
                }
                self.enter(if *outcome == QueueOutcome::Answered {
                    CallState::Talking
                } else {
                    CallState::Ivr
                });
            }
            Fact::NumberDrawn { no, code, .. } => {
                self.numbers += 1;
                news.push(TicketNews::Number {
                    nth: self.numbers,
                    no: no.clone(),
                    code: code.reveal().to_owned(),
                    stored: self.stores >= self.numbers,
                });
            }
            Fact::MessageStored { recording, length_ms, .. } => {
                self.message = Some(hex32(*recording));
                self.message_ms = Some(*length_ms);
                news.push(self.stored("message"));
            }
            Fact::CallbackRequested { number, queue, priority, entered_ms, .. } => {
                let entered_at = if *entered_ms > 0 { *entered_ms } else { at };
                self.callback = Some(CallbackSeen {
                    asked_at: at,
                    entered_at,
                    priority: *priority,
                    ..CallbackSeen::default()
                });
                self.callback_number = Some(number.reveal().to_owned());
                self.callback_queue = Some(queue.clone());
                news.push(self.stored("callback"));
            }
            Fact::RecordingStarted { recording, .. } => {
                self.recording = Some(hex32(*recording));
                self.recording_at = Some(at);
            }
            Fact::RecordingPaused { on, why, .. } => self.paused(at, *on, why),
            Fact::CallbackTried { nth, agent, by, .. } => {
                let payload = json!({"nth": nth, "agent": agent, "call": by.to_string()});
                let seen = self.callback.get_or_insert_default();
                seen.next_at = None;
                if seen.tries.len() < PATH_MAX {
                    let (agent, call) = (agent.clone(), by.to_string());
                    seen.tries.push(CallbackTry { nth: *nth, agent, call, at, ..CallbackTry::default() });
                }
                news.push(self.of_callback("callback_tried", payload));
            }
            Fact::CallbackTryEnded { nth, outcome, next_ms, .. } => {
                let seen = self.callback.get_or_insert_default();
                seen.next_at = (*next_ms > 0).then_some(*next_ms);
                if let Some(tried) = seen.tries.iter_mut().rev().find(|tried| tried.nth == *nth) {
                    (tried.ended_at, tried.outcome) = (Some(at), Some(outcome.clone()));
                }
                news.push(self.of_callback("callback_try_ended", json!({"nth": nth, "outcome": outcome})));
            }
            Fact::CallbackMoved { queue, .. } => {
                self.callback_queue = Some(queue.clone());
                news.push(self.of_callback("callback_moved", json!({"queue": queue})));
            }
            Fact::CallbackOver { why, .. } => {
                let seen = self.callback.get_or_insert_default();
                (seen.next_at, seen.over_at, seen.why) = (None, Some(at), Some(why.clone()));
                news.push(self.of_callback("callback_over", json!({"why": why})));
            }
            Fact::RecordingEnded { recording, length_ms, gaps_ms, failed, .. } => {
                self.recording = Some(hex32(*recording));
                self.recording_ms = Some(*length_ms);
                self.recording_gaps_ms = Some(*gaps_ms);
                self.recording_failed = *failed;
            }
            Fact::ValueSet { name, value, .. } => {
                let value = value.reveal().to_owned();
                news.extend(self.survey(at, name, &value));
                if name == SILENT && value == SILENT_PRESSED && self.dialled_by.is_none() {
                    news.push(TicketNews::SilentKey { nth: self.numbers.max(1) });
                }
                if let Some(slot) = self.values.iter_mut().find(|(n, _)| n == name) {
                    slot.1 = value;
                } else if self.values.len() < PATH_MAX {
                    self.values.push((name.clone(), value));
                }
            }
            Fact::DialStarted { to, .. } => {
                if self.dials.len() < PATH_MAX {
                    self.dials.push(Dial { to: to.reveal().to_owned(), at, outcome: None });
                }
            }
            Fact::DialEnded { outcome, .. } => {
                if let Some(dial) = self.dials.last_mut() {
                    dial.outcome = Some(*outcome);
                }
            }
            Fact::CallEnded(f) => {
                self.end(f.reason, at);
                self.sip_status = (f.sip_status != 0).then_some(f.sip_status);
                self.peer_cause = f.peer_cause;
                self.duration_ms = Some(f.duration_ms);
                self.talk_ms = Some(f.talk_ms);
                if self.dialled_by.is_none() {
                    news.push(TicketNews::Ended);
                }
            }
            Fact::MediaReport(f) => {
                self.media = Some(Media {
                    sent: f.sent,
                    received: f.received,
                    lost: f.lost,
                    late: f.late,
                    duplicate: f.duplicate,
                    foreign: f.foreign,
                    jitter_us: f.jitter_us,
                    mos_x100: f.mos_x100,
                    digits: f.digits,
                    late_ticks: f.late_ticks,
                });
            }
            Fact::CallOffered { offer, agent, .. } => {
                if self.offers.len() < PATH_MAX {
                    let (offer, agent) = (*offer, agent.clone());
                    self.offers.push(OfferSeen { offer, agent, at, ended_at: None, how: None });
                }
                self.enter(CallState::Offered);
            }
            Fact::OfferEnded { offer, how, .. } => {
                if let Some(seen) = self.offers.iter_mut().rev().find(|seen| seen.offer == *offer) {
                    (seen.ended_at, seen.how) = (Some(at), Some(how.clone()));
                }
                if self.state == CallState::Offered {
                    self.enter(CallState::Queued);
                }
            }
            Fact::PartyJoined(f) => {
                if f.role == "agent" {
                    self.agent = Some(f.agent.clone());
                }
                if self.parties.len() < PATH_MAX {
                    self.parties.push(PartySeen {
                        party: f.party,
                        role: f.role.clone(),
                        agent: f.agent.clone(),
                        number: f.number.reveal().to_owned(),
                        joined_at: at,
                        left_at: None,
                        why: None,
                    });
                }
                if self.state == CallState::Ivr {
                    self.enter(CallState::Talking);
                }
            }
            Fact::PartyHeld { on, .. } => {
                self.enter(if *on { CallState::Held } else { CallState::Talking });
            }
            Fact::PartyLeft { party, why, .. } => {
                if let Some(seen) = self.parties.iter_mut().rev().find(|seen| seen.party == *party) {
                    (seen.left_at, seen.why) = (Some(at), Some(why.clone()));
                }
                let alone = self.parties.iter().all(|seen| seen.left_at.is_some() || seen.role == "listen");
                if alone && matches!(self.state, CallState::Talking | CallState::Held) {
                    self.enter(CallState::Ivr);
                }
            }
            Fact::WrappedUp { wrap_ms, .. } => self.wrap_ms = Some(*wrap_ms),
            Fact::CallNoted { agent, kind, note, .. } => {
                news.extend(self.noted(kind, agent, note.reveal()));
                if self.notes.len() < PATH_MAX {
                    self.notes.push((kind.clone(), agent.clone()));
                }
            }
            Fact::AgentState { .. }
            | Fact::AgentIntent { .. }
            | Fact::RosterNoted { .. }
            | Fact::Booted { .. }
            | Fact::NumberBlock { .. }
            | Fact::FlowLoaded { .. }
            | Fact::FlowRefused { .. }
            | Fact::Draining
            | Fact::Stopped => {}
        }
        Some(news)
    }

    /// A call without an end whose boot is over: the process died. A later `CallEnded` of the engine's own still counts.
    pub fn cut_by_restart(&mut self, at: i64) -> bool {
        if self.state == CallState::Ended {
            return false;
        }
        self.end(EndReason::Restarted, at);
        self.duration_ms = u64::try_from(at - self.started_at).ok();
        true
    }

    fn end(&mut self, reason: EndReason, at: i64) {
        self.ended_at = Some(at);
        self.end_reason = Some(reason.label().to_owned());
        self.fault = Some(reason.fault().label().to_owned());
        self.state = CallState::Ended;
    }

    /// Notes that say what the call is: one of a session with the head of a department, whose tickets are known by their tag; a test.
    fn noted(&mut self, kind: &str, agent: &str, note: &str) -> Option<TicketNews> {
        match kind {
            "leader_asked" => self.leader_session = Some(note.to_owned()),
            "leader_session" => {
                self.leader_session = Some(note.to_owned());
                self.leader_taken = true;
                return Some(TicketNews::Tagged { nth: self.numbers.max(1), tag: LEADER_TAG });
            }
            DIAL_TEST => self.dial_test = Some(note.to_owned()),
            VOICE_URGE => self.urge = Some(note.to_owned()),
            URGE_HEARD => self.urge_heard = true,
            "recorder" => self.leader_recorder = Some(agent.to_owned()),
            _ => {}
        }
        None
    }

    /// A value that the walk sets after an agent's talk is the citizen's answer to a question, by the key he pressed last.
    fn survey(&mut self, at: i64, name: &str, answer: &str) -> Option<TicketNews> {
        let served = self.parties.iter().any(|party| !party.agent.is_empty() && party.left_at.is_some());
        let walks = self.state == CallState::Ivr && self.dialled_by.is_none();
        // What the flow notes of a caller whom nobody hears is no judgement.
        if !served || !walks || name == SILENT || self.surveys.len() >= PATH_MAX {
            return None;
        }
        let key = self.keys.chars().last().map(String::from).unwrap_or_default();
        let (name, answer) = (name.to_owned(), answer.to_owned());
        self.surveys.push(SurveySeen { name: name.clone(), answer: answer.clone(), key: key.clone(), at });
        Some(TicketNews::Survey { name, answer, key })
    }

    fn paused(&mut self, at: i64, on: bool, by: &str) {
        let since = |from: i64| u64::try_from(at - from).unwrap_or(0);
        let Some(ms) = self.recording_at.map(since) else { return };
        if on && self.recording_pauses.len() < PATH_MAX {
            self.recording_pauses.push(PauseSeen { from_ms: ms, to_ms: None, by: by.to_owned() });
        } else if let Some(open) = self.recording_pauses.last_mut().filter(|pause| pause.to_ms.is_none()) {
            open.to_ms = Some(ms);
        }
    }

    /// Nothing reopens a call that has ended.
    fn enter(&mut self, state: CallState) {
        if self.state != CallState::Ended {
            self.state = state;
        }
    }

    /// The request was the last thing stored.
    fn of_callback(&self, kind: &'static str, payload: Json) -> TicketNews {
        TicketNews::Callback { nth: self.stores.min(self.numbers).max(1), kind, payload }
    }

    /// The k-th thing stored belongs to the k-th number, in whichever order the two are told.
    fn stored(&mut self, what: &'static str) -> TicketNews {
        self.stores += 1;
        TicketNews::Stored { nth: self.stores.min(self.numbers.max(1)), what }
    }
}

/// Kind and data of a fact's line in the call's timeline. Personal parts are as plain as in the record.
pub fn event_of(fact: &Fact) -> (&'static str, Json) {
    match fact {
        Fact::Booted { node, boot, version, config_hash } => (
            "booted",
            json!({"node": node, "boot": boot, "version": version, "config_hash": hex16(*config_hash)}),
        ),
        Fact::CallArrived(f) => (
            "call_arrived",
            json!({"caller": f.caller.reveal(), "caller_source": f.caller_source, "private": f.private, "called": f.called,
                "redirected_from": f.redirected_from, "redirect_reason": f.redirect_reason, "trunk": f.trunk,
                "source": f.source, "user_agent": f.user_agent, "flow": f.flow_file, "flow_version": f.flow_version}),
        ),
        Fact::CallAnswered(f) => {
            ("call_answered", json!({"codec": codec_name(f.codec), "port": f.port, "worker": f.worker}))
        }
        Fact::CallConfirmed { .. } => ("call_confirmed", json!({})),
        Fact::MediaChanged { held, codec, .. } => {
            ("media_changed", json!({"held": held, "codec": codec_name(*codec)}))
        }
        Fact::Dialog(f) => {
            ("dialog", json!({"session_expires_s": f.session_expires_s, "we_refresh": f.we_refresh}))
        }
        Fact::Step(f) => ("step", step_json(f)),
        Fact::QueueEntered { queue, priority, ahead, .. } => {
            ("queue_entered", json!({"queue": queue, "priority": priority, "ahead": ahead}))
        }
        Fact::QueueRaised { priority, .. } => ("queue_raised", json!({"priority": priority})),
        Fact::QueueLeft { queue, outcome, waited_ms, .. } => (
            "queue_left",
            json!({"queue": queue, "outcome": queue_outcome(*outcome), "waited_ms": waited_ms}),
        ),
        // The look-up code is told to the citizen and to nobody else.
        Fact::NumberDrawn { no, .. } => ("number_drawn", json!({"no": no})),
        Fact::NumberBlock { date, from, to } => {
            ("number_block", json!({"date": date, "from": from, "to": to}))
        }
        Fact::MessageStored { recording, length_ms, .. } => {
            ("message_stored", json!({"recording": hex32(*recording), "length_ms": length_ms}))
        }
        Fact::CallbackRequested { number, queue, priority, .. } => {
            ("callback_requested", json!({"number": number.reveal(), "queue": queue, "priority": priority}))
        }
        Fact::CallbackTried { nth, agent, by, .. } => {
            ("callback_tried", json!({"nth": nth, "agent": agent, "call": by.to_string()}))
        }
        Fact::CallbackTryEnded { nth, outcome, .. } => {
            ("callback_try_ended", json!({"nth": nth, "outcome": outcome}))
        }
        Fact::CallbackMoved { queue, .. } => ("callback_moved", json!({"queue": queue})),
        Fact::CallbackOver { why, .. } => ("callback_over", json!({"why": why})),
        Fact::RecordingStarted { recording, .. } => {
            ("recording_started", json!({"recording": hex32(*recording)}))
        }
        Fact::RecordingEnded { recording, length_ms, gaps_ms, failed, .. } => (
            "recording_ended",
            json!({"recording": hex32(*recording), "length_ms": length_ms, "gaps_ms": gaps_ms, "failed": failed}),
        ),
        Fact::ValueSet { name, value, .. } => ("value_set", json!({"name": name, "value": value.reveal()})),
        Fact::DialStarted { to, .. } => ("dial_started", json!({"to": to.reveal()})),
        Fact::DialEnded { outcome, .. } => ("dial_ended", json!({"outcome": outcome})),
        Fact::CallEnded(f) => (
            "call_ended",
            json!({"reason": f.reason.label(), "fault": f.reason.fault().label(), "sip_status": f.sip_status,
                "peer_cause": f.peer_cause, "duration_ms": f.duration_ms, "talk_ms": f.talk_ms}),
        ),
        Fact::MediaReport(f) => (
            "media_report",
            json!({"sent": f.sent, "received": f.received, "lost": f.lost, "late": f.late, "duplicate": f.duplicate,
                "foreign": f.foreign, "jitter_us": f.jitter_us, "mos_x100": f.mos_x100, "digits": f.digits,
                "late_ticks": f.late_ticks}),
        ),
        Fact::FlowLoaded { hash, file, version } => {
            ("flow_loaded", json!({"hash": hex16(*hash), "file": file, "version": version}))
        }
        Fact::FlowRefused { file, reason } => ("flow_refused", json!({"file": file, "reason": reason})),
        Fact::AgentState { agent, state, reason, device } => {
            ("agent_state", json!({"agent": agent, "state": state, "reason": reason, "device": device}))
        }
        Fact::CallOffered { offer, agent, queue, .. } => {
            ("call_offered", json!({"offer": offer, "agent": agent, "queue": queue}))
        }
        Fact::OfferEnded { offer, agent, how, .. } => {
            ("offer_ended", json!({"offer": offer, "agent": agent, "how": how}))
        }
        Fact::PartyJoined(f) => (
            "party_joined",
            json!({"party": f.party, "role": f.role, "agent": f.agent, "number": f.number.reveal()}),
        ),
        Fact::PartyHeld { party, on, .. } => ("party_held", json!({"party": party, "held": on})),
        Fact::PartyLeft { party, why, .. } => ("party_left", json!({"party": party, "why": why})),
        Fact::WrappedUp { agent, wrap_ms, .. } => ("wrapped_up", json!({"agent": agent, "wrap_ms": wrap_ms})),
        Fact::CallNoted { agent, kind, note, .. } => {
            ("call_noted", json!({"agent": agent, "kind": kind, "note": note.reveal()}))
        }
        Fact::RecordingPaused { on, why, .. } => ("recording_paused", json!({"on": on, "why": why})),
        Fact::AgentIntent { agent, intent, reason } => {
            ("agent_intent", json!({"agent": agent, "intent": intent, "reason": reason}))
        }
        Fact::RosterNoted { agent, kind, minutes } => {
            ("roster_noted", json!({"agent": agent, "kind": kind, "minutes": minutes}))
        }
        Fact::Draining => ("draining", json!({})),
        Fact::Stopped => ("stopped", json!({})),
    }
}

fn step_json(step: &crate::call::fact::Step) -> Json {
    let input = match &step.input {
        StepInput::Begin => json!({"input": "begin"}),
        StepInput::PlayFinished => json!({"input": "play_finished"}),
        StepInput::Digit(key) => json!({"input": "digit", "key": key.reveal()}),
        StepInput::Timeout => json!({"input": "timeout"}),
        // What a look-up found is said to the caller; its values are not repeated here.
        StepInput::LookupFound(values) => {
            json!({"input": "lookup_found", "names": values.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>()})
        }
        StepInput::LookupNone => json!({"input": "lookup_none"}),
        StepInput::LookupFailed => json!({"input": "lookup_failed"}),
        StepInput::QueueWaiting => json!({"input": "queue_waiting"}),
        StepInput::QueueFull => json!({"input": "queue_full"}),
        StepInput::QueueNoStaff => json!({"input": "queue_no_staff"}),
        StepInput::QueueTimedOut => json!({"input": "queue_timed_out"}),
        StepInput::QueueAnswered => json!({"input": "queue_answered"}),
        StepInput::DialAnswered => json!({"input": "dial_answered"}),
        StepInput::DialBusy => json!({"input": "dial_busy"}),
        StepInput::DialNoAnswer => json!({"input": "dial_no_answer"}),
        StepInput::DialFailed => json!({"input": "dial_failed"}),
        StepInput::MessageStored { no, .. } => json!({"input": "message_stored", "no": no}),
        StepInput::MessageFailed => json!({"input": "message_failed"}),
        StepInput::CallbackStored { no, .. } => json!({"input": "callback_stored", "no": no}),
        StepInput::CallbackFailed => json!({"input": "callback_failed"}),
        StepInput::Returned => json!({"input": "returned"}),
        StepInput::Silent => json!({"input": "silent"}),
        StepInput::SensitiveOutcome(outcome) => json!({"input": "sensitive_outcome", "outcome": outcome}),
    };
    let trail: Vec<Json> = step
        .trail
        .iter()
        .map(|t| match t {
            StepTrail::Entered(node) => json!({"entered": node}),
            StepTrail::Left { node, outcome } => json!({"left": node, "outcome": outcome}),
            StepTrail::Prompt(name) => json!({"prompt": name}),
        })
        .collect();
    let mut out = input;
    if let Some(map) = out.as_object_mut() {
        if !trail.is_empty() {
            map.insert("trail".to_owned(), Json::Array(trail));
        }
        // What the walk was told of its queue and of announcements; the rest of its world is the clock's and the calendar's.
        let world = &step.world;
        map.extend(world.ahead.map(|ahead| ("ahead".to_owned(), ahead.into())));
        map.extend(world.wait_ms.map(|wait| ("wait_ms".to_owned(), wait.into())));
        if !world.switches.is_empty() {
            map.insert("switches".to_owned(), json!(world.switches));
        }
    }
    out
}

const fn queue_outcome(outcome: QueueOutcome) -> &'static str {
    match outcome {
        QueueOutcome::Answered => "answered",
        QueueOutcome::TimedOut => "timed_out",
        QueueOutcome::Full => "full",
        QueueOutcome::NoStaff => "no_staff",
        QueueOutcome::LeftByFlow => "left_by_flow",
        QueueOutcome::Abandoned => "abandoned",
        QueueOutcome::Cut => "cut",
    }
}

/// Name of an RTP payload type (RFC 3551, section 6).
const fn codec_name(payload_type: u8) -> &'static str {
    match payload_type {
        0 => "PCMU",
        8 => "PCMA",
        9 => "G722",
        _ => "other",
    }
}

fn hex16(v: u64) -> String {
    format!("{v:016x}")
}

/// A recording's id as it is written in paths and addresses.
pub fn hex32(v: u128) -> String {
    format!("{v:032x}")
}
