//! Facts as they stand in the file: CBOR arrays by kind, converted by hand. Kinds keep their number for ever, fields are only added at
//! the end, a reader that finds fewer takes the default.

use super::seal;
use crate::base::{CallId, DayKind, Personal};
use crate::call::EndReason;
use crate::call::fact::{
    CallAnswered, CallArrived, CallEnded, DialogFact, Fact, MediaReport, PartyJoined, QueueOutcome, Step,
    StepInput, StepTrail, StepWorld,
};
use chacha20poly1305::ChaCha20Poly1305;
use minicbor::{Decoder, Encoder};

/// Version of the body's form.
pub const VERSION: u16 = 1;
/// What a checkpoint is filed under; facts stay below.
pub const CHECKPOINT: u16 = 1000;

pub fn kind(fact: &Fact) -> u16 {
    match fact {
        Fact::Booted { .. } => 1,
        Fact::CallArrived(_) => 2,
        Fact::CallAnswered(_) => 3,
        Fact::CallConfirmed { .. } => 4,
        Fact::MediaChanged { .. } => 5,
        Fact::Dialog(_) => 6,
        Fact::Step(_) => 7,
        Fact::QueueEntered { .. } => 8,
        Fact::QueueLeft { .. } => 9,
        Fact::NumberDrawn { .. } => 10,
        Fact::NumberBlock { .. } => 11,
        Fact::MessageStored { .. } => 12,
        Fact::CallbackRequested { .. } => 13,
        Fact::RecordingStarted { .. } => 14,
        Fact::RecordingEnded { .. } => 15,
        Fact::ValueSet { .. } => 16,
        Fact::DialStarted { .. } => 17,
        Fact::DialEnded { .. } => 18,
        Fact::CallEnded(_) => 19,
        Fact::MediaReport(_) => 20,
        Fact::FlowLoaded { .. } => 21,
        Fact::FlowRefused { .. } => 22,
        Fact::Draining => 23,
        Fact::Stopped => 24,
        Fact::QueueRaised { .. } => 25,
        Fact::AgentState { .. } => 26,
        Fact::CallOffered { .. } => 27,
        Fact::OfferEnded { .. } => 28,
        Fact::PartyJoined(_) => 29,
        Fact::PartyHeld { .. } => 30,
        Fact::PartyLeft { .. } => 31,
        Fact::WrappedUp { .. } => 32,
        Fact::CallNoted { .. } => 33,
        Fact::RecordingPaused { .. } => 34,
        Fact::RosterNoted { .. } => 40,
        Fact::CallbackTried { .. } => 50,
        Fact::CallbackTryEnded { .. } => 51,
        Fact::CallbackOver { .. } => 52,
        Fact::AgentIntent { .. } => 60,
        Fact::CallbackMoved { .. } => 53,
    }
}

/// Writes fields; texts about persons are sealed on the way.
pub struct Out<'a> {
    cbor: Encoder<&'a mut Vec<u8>>,
    cipher: Option<&'a ChaCha20Poly1305>,
    seq: u64,
    sealed: u32,
}

// Writing into a Vec cannot fail, so results are dropped here and nowhere else.
impl<'a> Out<'a> {
    pub fn new(bytes: &'a mut Vec<u8>, cipher: Option<&'a ChaCha20Poly1305>, seq: u64) -> Self {
        Self { cbor: Encoder::new(bytes), cipher, seq, sealed: 0 }
    }
    pub fn list(&mut self, fields: usize) -> &mut Self {
        let _ = self.cbor.array(fields as u64);
        self
    }
    pub fn n(&mut self, n: impl Into<u64>) -> &mut Self {
        let _ = self.cbor.u64(n.into());
        self
    }
    fn i(&mut self, n: impl Into<i64>) -> &mut Self {
        let _ = self.cbor.i64(n.into());
        self
    }
    fn b(&mut self, on: bool) -> &mut Self {
        let _ = self.cbor.bool(on);
        self
    }
    pub fn s(&mut self, text: &str) -> &mut Self {
        let _ = self.cbor.str(text);
        self
    }
    fn wide(&mut self, n: u128) -> &mut Self {
        let _ = self.cbor.bytes(&n.to_be_bytes());
        self
    }
    fn maybe_n(&mut self, n: Option<impl Into<u64>>) -> &mut Self {
        match n {
            Some(n) => self.n(n),
            None => self.none(),
        }
    }
    fn maybe_s(&mut self, text: Option<&String>) -> &mut Self {
        match text {
            Some(text) => self.s(text),
            None => self.none(),
        }
    }
    fn none(&mut self) -> &mut Self {
        let _ = self.cbor.null();
        self
    }
    pub fn call(&mut self, call: CallId) -> &mut Self {
        self.n(call.node).n(call.boot).n(call.n)
    }
    fn person(&mut self, text: &Personal) -> &mut Self {
        self.sealed += 1;
        let sealed = match self.cipher {
            Some(cipher) if !text.is_empty() => seal::seal(cipher, self.seq, self.sealed, text.reveal()),
            _ => Vec::new(),
        };
        let _ = self.cbor.bytes(&sealed);
        self
    }
    fn strings(&mut self, texts: &[String]) -> &mut Self {
        self.list(texts.len());
        for text in texts {
            self.s(text);
        }
        self
    }
}

/// Wall times are after 1970.
fn wall(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or(0)
}

pub fn write(fact: &Fact, o: &mut Out<'_>) {
    match fact {
        Fact::Booted { node, boot, version, config_hash } => {
            o.list(4).n(*node).n(*boot).s(version).n(*config_hash);
        }
        Fact::CallArrived(f) => {
            o.list(19)
                .call(f.call)
                .s(&f.sip_call_id)
                .person(&f.caller)
                .s(&f.caller_source)
                .person(&f.display)
                .b(f.private)
                .s(&f.called);
            o.maybe_s(f.redirected_from.as_ref())
                .maybe_s(f.redirect_reason.as_ref())
                .s(&f.trunk)
                .s(&f.source)
                .s(&f.user_agent);
            o.b(f.emergency).n(f.flow_hash).s(&f.flow_file).s(&f.flow_version).maybe_s(f.dialled_by.as_ref());
        }
        Fact::CallAnswered(f) => {
            o.list(9)
                .call(f.call)
                .n(f.codec)
                .n(f.port)
                .n(f.worker)
                .n(f.ssrc)
                .person(&f.local_sdp)
                .person(&f.remote_sdp);
        }
        Fact::CallConfirmed { call } => {
            o.list(3).call(*call);
        }
        Fact::MediaChanged { call, held, codec, local_sdp, remote_sdp } => {
            o.list(7).call(*call).b(*held).n(*codec).person(local_sdp).person(remote_sdp);
        }
        Fact::Dialog(f) => {
            o.list(13)
                .call(f.call)
                .s(&f.local_tag)
                .s(&f.remote_tag)
                .s(&f.local_uri)
                .person(&f.remote_uri)
                .person(&f.remote_target);
            o.strings(&f.route_set)
                .n(f.local_cseq_reserved)
                .n(f.remote_cseq)
                .maybe_n(f.session_expires_s)
                .b(f.we_refresh);
        }
        Fact::Step(f) => step(f, o),
        Fact::QueueEntered { call, queue, priority, ahead } => {
            o.list(6).call(*call).s(queue).n(*priority).n(*ahead);
        }
        Fact::QueueRaised { call, priority } => {
            o.list(4).call(*call).n(*priority);
        }
        Fact::QueueLeft { call, queue, outcome, waited_ms } => {
            o.list(6).call(*call).s(queue).n(outcome_code(*outcome)).n(*waited_ms);
        }
        Fact::NumberDrawn { call, no, code } => {
            o.list(5).call(*call).s(no).person(code);
        }
        Fact::NumberBlock { date, from, to } => {
            o.list(3).n(*date).n(*from).n(*to);
        }
        Fact::MessageStored { call, recording, length_ms } => {
            o.list(5).call(*call).wide(*recording).n(*length_ms);
        }
        Fact::CallbackRequested { call, number, queue, priority, entered_ms, skills } => {
            o.list(8).call(*call).person(number).s(queue).n(*priority).n(wall(*entered_ms));
            o.list(2 * skills.len());
            for (skill, level) in skills {
                o.s(skill).n(*level);
            }
        }
        Fact::CallbackTried { call, nth, agent, by } => {
            o.list(8).call(*call).n(*nth).s(agent).call(*by);
        }
        Fact::CallbackTryEnded { call, nth, outcome, next_ms } => {
            o.list(6).call(*call).n(*nth).s(outcome).n(wall(*next_ms));
        }
        Fact::CallbackOver { call, why } => {
            o.list(4).call(*call).s(why);
        }
        Fact::CallbackMoved { call, queue } => {
            o.list(4).call(*call).s(queue);
        }
        Fact::RecordingStarted { call, recording } => {
            o.list(4).call(*call).wide(*recording);
        }
        Fact::RecordingEnded { call, recording, length_ms, gaps_ms, failed } => {
            o.list(7).call(*call).wide(*recording).n(*length_ms).n(*gaps_ms).b(*failed);
        }
        Fact::ValueSet { call, name, value } => {
            o.list(5).call(*call).s(name).person(value);
        }
        Fact::DialStarted { call, to } => {
            o.list(4).call(*call).person(to);
        }
        Fact::DialEnded { call, outcome } => {
            o.list(4).call(*call).n(*outcome);
        }
        Fact::CallEnded(f) => {
            o.list(8)
                .call(f.call)
                .n(f.reason.code())
                .n(f.sip_status)
                .maybe_n(f.peer_cause)
                .n(f.duration_ms)
                .n(f.talk_ms);
        }
        Fact::MediaReport(f) => {
            o.list(13)
                .call(f.call)
                .n(f.sent)
                .n(f.received)
                .n(f.lost)
                .n(f.late)
                .n(f.duplicate)
                .n(f.foreign)
                .n(f.jitter_us);
            o.n(f.mos_x100).n(f.digits).n(f.late_ticks);
        }
        Fact::FlowLoaded { hash, file, version } => {
            o.list(3).n(*hash).s(file).s(version);
        }
        Fact::FlowRefused { file, reason } => {
            o.list(2).s(file).s(reason);
        }
        Fact::Draining | Fact::Stopped => {
            o.list(0);
        }
        Fact::AgentState { agent, state, reason, device } => {
            o.list(4).s(agent).s(state).s(reason).s(device);
        }
        Fact::CallOffered { call, offer, agent, queue } => {
            o.list(6).call(*call).n(*offer).s(agent).s(queue);
        }
        Fact::OfferEnded { call, offer, agent, how } => {
            o.list(6).call(*call).n(*offer).s(agent).s(how);
        }
        Fact::PartyJoined(f) => {
            o.list(10).call(f.call).n(f.party).s(&f.role).s(&f.agent).person(&f.number);
            o.n(f.port).n(f.worker).n(f.ssrc);
        }
        Fact::PartyHeld { call, party, on } => {
            o.list(5).call(*call).n(*party).b(*on);
        }
        Fact::PartyLeft { call, party, why } => {
            o.list(5).call(*call).n(*party).s(why);
        }
        Fact::WrappedUp { call, agent, wrap_ms } => {
            o.list(5).call(*call).s(agent).n(*wrap_ms);
        }
        Fact::CallNoted { call, agent, kind, note } => {
            o.list(6).call(*call).s(agent).s(kind).person(note);
        }
        Fact::RecordingPaused { call, on, why } => {
            o.list(5).call(*call).b(*on).s(why);
        }
        Fact::AgentIntent { agent, intent, reason } => {
            o.list(3).s(agent).s(intent).s(reason);
        }
        Fact::RosterNoted { agent, kind, minutes } => {
            o.list(3).s(agent).s(kind).n(*minutes);
        }
    }
}

fn step(f: &Step, o: &mut Out<'_>) {
    o.list(6).call(f.call);
    let code = input_code(&f.input);
    match &f.input {
        StepInput::Digit(key) => {
            o.list(2).n(code).person(key);
        }
        StepInput::LookupFound(values) => {
            o.list(1 + 2 * values.len()).n(code);
            for (name, value) in values {
                o.s(name).person(value);
            }
        }
        StepInput::MessageStored { no, code: secret } | StepInput::CallbackStored { no, code: secret } => {
            o.list(3).n(code).s(no).person(secret);
        }
        StepInput::SensitiveOutcome(outcome) => {
            o.list(2).n(code).s(outcome);
        }
        _ => {
            o.list(1).n(code);
        }
    }
    let w = &f.world;
    o.list(8)
        .i(w.utc_offset_s)
        .n(day_code(w.day))
        .strings(&w.switches)
        .maybe_n(w.ahead)
        .maybe_n(w.wait_ms)
        .n(w.staffed)
        .n(w.free)
        .maybe_s(w.leader.as_ref());
    o.list(f.trail.len());
    for trail in &f.trail {
        match trail {
            StepTrail::Entered(node) => {
                o.list(2).n(0_u8).s(node);
            }
            StepTrail::Left { node, outcome } => {
                o.list(3).n(1_u8).s(node).s(outcome);
            }
            StepTrail::Prompt(name) => {
                o.list(2).n(2_u8).s(name);
            }
        }
    }
}

fn input_code(input: &StepInput) -> u8 {
    match input {
        StepInput::Begin => 0,
        StepInput::PlayFinished => 1,
        StepInput::Digit(_) => 2,
        StepInput::Timeout => 3,
        StepInput::LookupFound(_) => 4,
        StepInput::LookupNone => 5,
        StepInput::LookupFailed => 6,
        StepInput::QueueWaiting => 7,
        StepInput::QueueFull => 8,
        StepInput::QueueNoStaff => 9,
        StepInput::QueueTimedOut => 10,
        StepInput::QueueAnswered => 11,
        StepInput::DialAnswered => 12,
        StepInput::DialBusy => 13,
        StepInput::DialNoAnswer => 14,
        StepInput::DialFailed => 15,
        StepInput::MessageStored { .. } => 16,
        StepInput::MessageFailed => 17,
        StepInput::CallbackStored { .. } => 18,
        StepInput::CallbackFailed => 19,
        StepInput::Returned => 20,
        StepInput::SensitiveOutcome(_) => 21,
        StepInput::Silent => 22,
    }
}

const fn day_code(day: DayKind) -> u8 {
    match day {
        DayKind::Workday => 0,
        DayKind::Weekend => 1,
        DayKind::Holiday => 2,
    }
}

const OUTCOMES: [QueueOutcome; 7] = [
    QueueOutcome::Answered,
    QueueOutcome::TimedOut,
    QueueOutcome::Full,
    QueueOutcome::NoStaff,
    QueueOutcome::LeftByFlow,
    QueueOutcome::Abandoned,
    QueueOutcome::Cut,
];

fn outcome_code(outcome: QueueOutcome) -> u8 {
    OUTCOMES.iter().position(|known| *known == outcome).map_or(0, |n| n as u8)
}

// --- back again ----------------------------------------------------------------------------------------------------

/// The body is not what its kind says.
#[derive(Debug, thiserror::Error)]
#[error("a record's body cannot be read")]
pub struct BadBody;

impl From<minicbor::decode::Error> for BadBody {
    fn from(_: minicbor::decode::Error) -> Self {
        Self
    }
}

type Read<T> = Result<T, BadBody>;
/// Items of a list believed at most.
const LIST_MAX: u64 = 65_536;

/// Gives the cipher of a call; `None`: its key is gone.
pub type Ciphers<'a> = &'a mut dyn FnMut(CallId) -> Option<ChaCha20Poly1305>;

/// Reads fields; a list that ends early gives defaults.
struct In<'b, 'c> {
    cbor: Decoder<'b>,
    left: u64,
    ciphers: Ciphers<'c>,
    cipher: Option<ChaCha20Poly1305>,
    seq: u64,
    sealed: u32,
}

impl<'b> In<'b, '_> {
    fn more(&mut self) -> bool {
        let more = self.left > 0;
        self.left = self.left.saturating_sub(1);
        more
    }
    fn open(&mut self) -> Read<u64> {
        self.cbor.array()?.filter(|n| *n <= LIST_MAX).ok_or(BadBody)
    }
    /// A list inside: its fields, then the outer list goes on.
    fn inside<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<Option<T>> {
        if !self.more() {
            return Ok(None);
        }
        let n = self.open()?;
        let outer = std::mem::replace(&mut self.left, n);
        let value = read(self)?;
        self.rest()?;
        self.left = outer;
        Ok(Some(value))
    }
    /// Fields that a newer writer added.
    fn rest(&mut self) -> Read<()> {
        while self.more() {
            self.cbor.skip()?;
        }
        Ok(())
    }
    fn n<T: TryFrom<u64> + Default>(&mut self) -> Read<T> {
        if self.more() { T::try_from(self.cbor.u64()?).map_err(|_| BadBody) } else { Ok(T::default()) }
    }
    fn i(&mut self) -> Read<i32> {
        if self.more() { Ok(self.cbor.i32()?) } else { Ok(0) }
    }
    fn b(&mut self) -> Read<bool> {
        if self.more() { Ok(self.cbor.bool()?) } else { Ok(false) }
    }
    fn s(&mut self) -> Read<String> {
        if self.more() { Ok(self.cbor.str()?.to_owned()) } else { Ok(String::new()) }
    }
    fn wide(&mut self) -> Read<u128> {
        if !self.more() {
            return Ok(0);
        }
        Ok(u128::from_be_bytes(self.cbor.bytes()?.try_into().map_err(|_| BadBody)?))
    }
    fn null(&mut self) -> Read<bool> {
        if self.left == 0 {
            return Ok(true);
        }
        let null = self.cbor.datatype()? == minicbor::data::Type::Null;
        if null {
            self.left -= 1;
            self.cbor.null()?;
        }
        Ok(null)
    }
    fn maybe_n<T: TryFrom<u64> + Default>(&mut self) -> Read<Option<T>> {
        if self.null()? { Ok(None) } else { Ok(Some(self.n()?)) }
    }
    fn maybe_s(&mut self) -> Read<Option<String>> {
        if self.null()? { Ok(None) } else { Ok(Some(self.s()?)) }
    }
    fn call(&mut self) -> Read<CallId> {
        let call = CallId { node: self.n()?, boot: self.n()?, n: self.n()? };
        self.cipher = (self.ciphers)(call);
        Ok(call)
    }
    fn person(&mut self) -> Read<Personal> {
        self.sealed += 1;
        if !self.more() {
            return Ok(Personal::default());
        }
        let sealed = self.cbor.bytes()?;
        let text = self
            .cipher
            .as_ref()
            .filter(|_| !sealed.is_empty())
            .and_then(|cipher| seal::unseal(cipher, self.seq, self.sealed, sealed));
        Ok(text.map(Personal::new).unwrap_or_default())
    }
    fn strings(&mut self) -> Read<Vec<String>> {
        let texts = self.inside(|i| {
            let mut texts = Vec::new();
            while i.left > 0 {
                texts.push(i.s()?);
            }
            Ok(texts)
        })?;
        Ok(texts.unwrap_or_default())
    }
    fn levels(&mut self) -> Read<Vec<(String, u8)>> {
        let levels = self.inside(|i| {
            let mut levels = Vec::new();
            while i.left > 0 {
                levels.push((i.s()?, i.n()?));
            }
            Ok(levels)
        })?;
        Ok(levels.unwrap_or_default())
    }
}

/// The fact of a record; `None` for a kind this version does not know.
pub fn read(kind: u16, seq: u64, body: &[u8], ciphers: Ciphers<'_>) -> Read<Option<Fact>> {
    let mut i = In { cbor: Decoder::new(body), left: 0, ciphers, cipher: None, seq, sealed: 0 };
    i.left = i.open()?;
    let i = &mut i;
    Ok(Some(match kind {
        1 => Fact::Booted { node: i.n()?, boot: i.n()?, version: i.s()?, config_hash: i.n()? },
        2 => Fact::CallArrived(Box::new(CallArrived {
            call: i.call()?,
            sip_call_id: i.s()?,
            caller: i.person()?,
            caller_source: i.s()?,
            display: i.person()?,
            private: i.b()?,
            called: i.s()?,
            redirected_from: i.maybe_s()?,
            redirect_reason: i.maybe_s()?,
            trunk: i.s()?,
            source: i.s()?,
            user_agent: i.s()?,
            emergency: i.b()?,
            flow_hash: i.n()?,
            flow_file: i.s()?,
            flow_version: i.s()?,
            dialled_by: i.maybe_s()?,
        })),
        3 => Fact::CallAnswered(Box::new(CallAnswered {
            call: i.call()?,
            codec: i.n()?,
            port: i.n()?,
            worker: i.n()?,
            ssrc: i.n()?,
            local_sdp: i.person()?,
            remote_sdp: i.person()?,
        })),
        4 => Fact::CallConfirmed { call: i.call()? },
        5 => Fact::MediaChanged {
            call: i.call()?,
            held: i.b()?,
            codec: i.n()?,
            local_sdp: i.person()?,
            remote_sdp: i.person()?,
        },
        6 => Fact::Dialog(Box::new(DialogFact {
            call: i.call()?,
            local_tag: i.s()?,
            remote_tag: i.s()?,
            local_uri: i.s()?,
            remote_uri: i.person()?,
            remote_target: i.person()?,
            route_set: i.strings()?,
            local_cseq_reserved: i.n()?,
            remote_cseq: i.n()?,
            session_expires_s: i.maybe_n()?,
            we_refresh: i.b()?,
        })),
        7 => Fact::Step(Box::new(Step {
            call: i.call()?,
            input: read_input(i)?,
            world: read_world(i)?,
            trail: read_trail(i)?,
        })),
        8 => Fact::QueueEntered { call: i.call()?, queue: i.s()?, priority: i.n()?, ahead: i.n()? },
        9 => Fact::QueueLeft {
            call: i.call()?,
            queue: i.s()?,
            outcome: *OUTCOMES.get(i.n::<usize>()?).ok_or(BadBody)?,
            waited_ms: i.n()?,
        },
        10 => Fact::NumberDrawn { call: i.call()?, no: i.s()?, code: i.person()? },
        11 => Fact::NumberBlock { date: i.n()?, from: i.n()?, to: i.n()? },
        12 => Fact::MessageStored { call: i.call()?, recording: i.wide()?, length_ms: i.n()? },
        13 => Fact::CallbackRequested {
            call: i.call()?,
            number: i.person()?,
            queue: i.s()?,
            priority: i.n()?,
            entered_ms: i.n()?,
            skills: i.levels()?,
        },
        14 => Fact::RecordingStarted { call: i.call()?, recording: i.wide()? },
        15 => Fact::RecordingEnded {
            call: i.call()?,
            recording: i.wide()?,
            length_ms: i.n()?,
            gaps_ms: i.n()?,
            failed: i.b()?,
        },
        16 => Fact::ValueSet { call: i.call()?, name: i.s()?, value: i.person()? },
        17 => Fact::DialStarted { call: i.call()?, to: i.person()? },
        18 => Fact::DialEnded { call: i.call()?, outcome: i.n()? },
        19 => Fact::CallEnded(Box::new(CallEnded {
            call: i.call()?,
            reason: EndReason::from_code(i.n()?).ok_or(BadBody)?,
            sip_status: i.n()?,
            peer_cause: i.maybe_n()?,
            duration_ms: i.n()?,
            talk_ms: i.n()?,
        })),
        20 => Fact::MediaReport(Box::new(MediaReport {
            call: i.call()?,
            sent: i.n()?,
            received: i.n()?,
            lost: i.n()?,
            late: i.n()?,
            duplicate: i.n()?,
            foreign: i.n()?,
            jitter_us: i.n()?,
            mos_x100: i.n()?,
            digits: i.n()?,
            late_ticks: i.n()?,
        })),
        21 => Fact::FlowLoaded { hash: i.n()?, file: i.s()?, version: i.s()? },
        22 => Fact::FlowRefused { file: i.s()?, reason: i.s()? },
        23 => Fact::Draining,
        24 => Fact::Stopped,
        25 => Fact::QueueRaised { call: i.call()?, priority: i.n()? },
        26 => Fact::AgentState { agent: i.s()?, state: i.s()?, reason: i.s()?, device: i.s()? },
        27 => Fact::CallOffered { call: i.call()?, offer: i.n()?, agent: i.s()?, queue: i.s()? },
        28 => Fact::OfferEnded { call: i.call()?, offer: i.n()?, agent: i.s()?, how: i.s()? },
        29 => Fact::PartyJoined(Box::new(PartyJoined {
            call: i.call()?,
            party: i.n()?,
            role: i.s()?,
            agent: i.s()?,
            number: i.person()?,
            port: i.n()?,
            worker: i.n()?,
            ssrc: i.n()?,
        })),
        30 => Fact::PartyHeld { call: i.call()?, party: i.n()?, on: i.b()? },
        31 => Fact::PartyLeft { call: i.call()?, party: i.n()?, why: i.s()? },
        32 => Fact::WrappedUp { call: i.call()?, agent: i.s()?, wrap_ms: i.n()? },
        33 => Fact::CallNoted { call: i.call()?, agent: i.s()?, kind: i.s()?, note: i.person()? },
        34 => Fact::RecordingPaused { call: i.call()?, on: i.b()?, why: i.s()? },
        60 => Fact::AgentIntent { agent: i.s()?, intent: i.s()?, reason: i.s()? },
        40 => Fact::RosterNoted { agent: i.s()?, kind: i.s()?, minutes: i.n()? },
        50 => {
            let call = i.call()?;
            let (nth, agent) = (i.n()?, i.s()?);
            Fact::CallbackTried { call, nth, agent, by: i.call()? }
        }
        51 => Fact::CallbackTryEnded { call: i.call()?, nth: i.n()?, outcome: i.s()?, next_ms: i.n()? },
        52 => Fact::CallbackOver { call: i.call()?, why: i.s()? },
        53 => Fact::CallbackMoved { call: i.call()?, queue: i.s()? },
        _ => return Ok(None),
    }))
}

fn read_input(i: &mut In<'_, '_>) -> Read<StepInput> {
    let input = i.inside(|i| {
        Ok(match i.n::<u8>()? {
            0 => StepInput::Begin,
            1 => StepInput::PlayFinished,
            2 => StepInput::Digit(i.person()?),
            3 => StepInput::Timeout,
            4 => {
                let mut values = Vec::new();
                while i.left > 0 {
                    values.push((i.s()?, i.person()?));
                }
                StepInput::LookupFound(values)
            }
            5 => StepInput::LookupNone,
            6 => StepInput::LookupFailed,
            7 => StepInput::QueueWaiting,
            8 => StepInput::QueueFull,
            9 => StepInput::QueueNoStaff,
            10 => StepInput::QueueTimedOut,
            11 => StepInput::QueueAnswered,
            12 => StepInput::DialAnswered,
            13 => StepInput::DialBusy,
            14 => StepInput::DialNoAnswer,
            15 => StepInput::DialFailed,
            16 => StepInput::MessageStored { no: i.s()?, code: i.person()? },
            17 => StepInput::MessageFailed,
            18 => StepInput::CallbackStored { no: i.s()?, code: i.person()? },
            19 => StepInput::CallbackFailed,
            20 => StepInput::Returned,
            21 => StepInput::SensitiveOutcome(i.s()?),
            22 => StepInput::Silent,
            _ => return Err(BadBody),
        })
    })?;
    input.ok_or(BadBody)
}

fn read_world(i: &mut In<'_, '_>) -> Read<StepWorld> {
    let world = i.inside(|i| {
        Ok(StepWorld {
            utc_offset_s: i.i()?,
            day: match i.n::<u8>()? {
                1 => DayKind::Weekend,
                2 => DayKind::Holiday,
                _ => DayKind::Workday,
            },
            switches: i.strings()?,
            ahead: i.maybe_n()?,
            wait_ms: i.maybe_n()?,
            staffed: i.n()?,
            free: i.n()?,
            leader: i.maybe_s()?,
        })
    })?;
    Ok(world.unwrap_or_default())
}

fn read_trail(i: &mut In<'_, '_>) -> Read<Vec<StepTrail>> {
    let trail = i.inside(|i| {
        let mut trail = Vec::new();
        while i.left > 0 {
            let step = i.inside(|i| {
                Ok(match i.n::<u8>()? {
                    0 => StepTrail::Entered(i.s()?),
                    1 => StepTrail::Left { node: i.s()?, outcome: i.s()? },
                    2 => StepTrail::Prompt(i.s()?),
                    _ => return Err(BadBody),
                })
            })?;
            trail.extend(step);
        }
        Ok(trail)
    })?;
    Ok(trail.unwrap_or_default())
}
