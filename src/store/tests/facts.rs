//! Made-up facts, one of each kind at least.

use crate::base::{CallId, Personal};
use crate::call::EndReason;
use crate::call::fact::*;
use crate::store::projector::{FactSource, SourceError};

/// 23 November 2026, 09:00 in Beijing.
pub const NINE: i64 = 1_795_395_600_000;
pub const RECORDING: u128 = 0xaa;
pub const MESSAGE: u128 = 0xbb;
pub const NO: &str = "261123000018";
pub const CODE: &str = "428117";

pub const fn call(n: u64) -> CallId {
    CallId { node: 1, boot: 1, n }
}

/// Facts in order, each a tenth of a second after the one before.
#[derive(Clone, Debug, Default)]
pub struct Book(pub Vec<Stamped>);

impl Book {
    pub fn write(&mut self, fact: Fact) -> &mut Self {
        let seq = self.0.len() as u64 + 1;
        let ms = i64::try_from(seq).unwrap() * 100;
        self.0.push(Stamped { seq, mono_ns: seq * 100_000_000, wall_ms: NINE + ms, fact });
        self
    }

    pub fn booted(&mut self, boot: u32) -> &mut Self {
        self.write(Fact::Booted { node: 1, boot, version: "0.1.0".into(), config_hash: 7 })
    }

    pub fn arrived(&mut self, call: CallId, caller: &str) -> &mut Self {
        self.arrived_at(call, caller, "12341")
    }

    /// The number that was dialled with it.
    pub fn arrived_at(&mut self, call: CallId, caller: &str, called: &str) -> &mut Self {
        self.write(Fact::CallArrived(Box::new(CallArrived {
            call,
            sip_call_id: format!("{}@pbx", call.n),
            caller: Personal::new(caller),
            caller_source: "pai".into(),
            display: Personal::new("某人"),
            private: false,
            called: called.into(),
            redirected_from: Some("88881234".into()),
            redirect_reason: Some("unconditional".into()),
            trunk: "carrier".into(),
            source: "192.0.2.10:5060".into(),
            user_agent: "SBC".into(),
            emergency: false,
            flow_hash: 0xf10,
            flow_file: "main.toml".into(),
            flow_version: "2026-11".into(),
            dialled_by: None,
        })))
    }

    pub fn answered(&mut self, call: CallId) -> &mut Self {
        let sdp = || Personal::new("v=0");
        self.write(Fact::CallAnswered(Box::new(CallAnswered {
            call,
            codec: 8,
            port: 20_000,
            worker: 0,
            ssrc: 1,
            local_sdp: sdp(),
            remote_sdp: sdp(),
        })))
        .write(Fact::Dialog(Box::new(DialogFact {
            call,
            local_tag: "a".into(),
            remote_tag: "b".into(),
            local_uri: "sip:12341@h".into(),
            remote_uri: Personal::new("sip:120@h"),
            remote_target: Personal::new("sip:120@h"),
            route_set: Vec::new(),
            local_cseq_reserved: 1,
            remote_cseq: 1,
            session_expires_s: Some(1800),
            we_refresh: true,
        })))
        .write(Fact::CallConfirmed { call })
    }

    pub fn step(&mut self, call: CallId, input: StepInput, trail: Vec<StepTrail>) -> &mut Self {
        let world = StepWorld { ahead: Some(3), switches: vec!["storm".into()], ..StepWorld::default() };
        self.write(Fact::Step(Box::new(Step { call, input, world, trail })))
    }

    pub fn ended(&mut self, call: CallId, reason: EndReason) -> &mut Self {
        self.write(Fact::CallEnded(Box::new(CallEnded {
            call,
            reason,
            sip_status: reason.sip_status(),
            peer_cause: Some(16),
            duration_ms: 61_000,
            talk_ms: 60_000,
        })))
    }

    /// An agent has the caller, and the draft its number.
    pub fn taken(&mut self, call: CallId, agent: &str, no: &str) -> &mut Self {
        self.write(Fact::PartyJoined(Box::new(PartyJoined {
            call,
            party: 1,
            role: "agent".into(),
            agent: agent.into(),
            number: Personal::default(),
            port: 20_002,
            worker: 0,
            ssrc: 2,
        })))
        .write(Fact::NumberDrawn { call, no: no.into(), code: Personal::new(CODE) })
    }

    /// A test of the duty number `rl-day` that `lead` asked for, from its dialling to its end.
    pub fn dial_test(
        &mut self,
        call: CallId,
        number: &str,
        answered: bool,
        reason: EndReason,
        sip_status: u16,
    ) -> &mut Self {
        self.write(Fact::CallArrived(Box::new(CallArrived {
            call,
            sip_call_id: String::new(),
            caller: Personal::new(number),
            caller_source: "dialled".into(),
            display: Personal::default(),
            private: false,
            called: "12341".into(),
            redirected_from: None,
            redirect_reason: None,
            trunk: "carrier".into(),
            source: String::new(),
            user_agent: String::new(),
            emergency: false,
            flow_hash: 0xf10,
            flow_file: "main.toml".into(),
            flow_version: "2026-11".into(),
            dialled_by: Some("lead".into()),
        })))
        .write(Fact::CallNoted {
            call,
            agent: "lead".into(),
            kind: "dial_test".into(),
            note: Personal::new("rl-day"),
        });
        if answered {
            self.answered(call);
        }
        self.write(Fact::CallEnded(Box::new(CallEnded {
            call,
            reason,
            sip_status,
            peer_cause: None,
            duration_ms: 300,
            talk_ms: 0,
        })))
        .report(call)
    }

    /// The head of a department has the caller of a session, and a recorder writes.
    pub fn of_session(&mut self, call: CallId, session: &str) -> &mut Self {
        for (kind, agent, note) in
            [("leader_asked", "", session), ("leader_session", "", session), ("recorder", "8003", "")]
        {
            let (agent, kind) = (agent.into(), kind.into());
            self.write(Fact::CallNoted { call, agent, kind, note: Personal::new(note) });
        }
        self
    }

    pub fn report(&mut self, call: CallId) -> &mut Self {
        self.write(Fact::MediaReport(Box::new(MediaReport {
            call,
            sent: 3_000,
            received: 2_990,
            lost: 10,
            late: 1,
            duplicate: 2,
            foreign: 3,
            jitter_us: 900,
            mos_x100: 431,
            digits: 2,
            late_ticks: 0,
        })))
    }

    /// A caller who walks the menu, waits, leaves a message and gets a number: every kind of fact a call can have.
    pub fn whole_call(&mut self, call: CallId) -> &mut Self {
        let entered = |node: &str| StepTrail::Entered(node.into());
        self.arrived(call, "12000000001")
            .answered(call)
            .write(Fact::RecordingStarted { call, recording: RECORDING })
            .step(call, StepInput::Begin, vec![entered("welcome"), StepTrail::Prompt("welcome_short".into())])
            .step(
                call,
                StepInput::Digit(Personal::new("3")),
                vec![StepTrail::Left { node: "welcome".into(), outcome: "3".into() }, entered("people")],
            )
            .write(Fact::QueueEntered { call, queue: "main".into(), priority: 5, ahead: 3 })
            .write(Fact::QueueRaised { call, priority: 1 })
            .write(Fact::ValueSet { call, name: "language".into(), value: Personal::new("zh") })
            .write(Fact::MediaChanged {
                call,
                held: true,
                codec: 0,
                local_sdp: Personal::default(),
                remote_sdp: Personal::default(),
            })
            .write(Fact::QueueLeft {
                call,
                queue: "main".into(),
                outcome: QueueOutcome::NoStaff,
                waited_ms: 900,
            })
            .write(Fact::DialStarted { call, to: Personal::new("sip:8001@h") })
            .write(Fact::DialEnded { call, outcome: 2 })
            .write(Fact::NumberDrawn { call, no: NO.into(), code: Personal::new(CODE) })
            .write(Fact::MessageStored { call, recording: MESSAGE, length_ms: 8_000 })
            .step(call, StepInput::MessageStored { no: NO.into(), code: Personal::new(CODE) }, Vec::new())
            .write(Fact::RecordingEnded {
                call,
                recording: RECORDING,
                length_ms: 60_000,
                gaps_ms: 20,
                failed: false,
            })
            .ended(call, EndReason::MessageLeft)
            .report(call)
    }

    /// A morning: a boot, a whole call, one given up before the answer, a callback, one that a restart cuts.
    pub fn morning() -> Self {
        let mut book = Self::default();
        book.booted(1)
            .write(Fact::FlowLoaded { hash: 0xf10, file: "main.toml".into(), version: "2026-11".into() })
            .write(Fact::NumberBlock { date: 261_123, from: 1, to: 100 })
            .whole_call(call(1))
            .arrived(call(2), "12000000002")
            .ended(call(2), EndReason::CallerCancelled)
            .arrived(call(3), "")
            .answered(call(3))
            .write(Fact::NumberDrawn {
                call: call(3),
                no: "261123000026".into(),
                code: Personal::new("555666"),
            })
            .write(Fact::CallbackRequested {
                call: call(3),
                number: Personal::new("12000000003"),
                queue: "main".into(),
                priority: 0,
                entered_ms: 0,
                skills: Vec::new(),
            })
            .ended(call(3), EndReason::CallbackBooked)
            .arrived(call(4), "12000000004")
            .answered(call(4))
            .write(Fact::FlowRefused {
                file: "main.toml".into(),
                reason: "main.toml:3:1: unknown node".into(),
            })
            .booted(2)
            .arrived(CallId { node: 1, boot: 2, n: 1 }, "12000000005")
            .write(Fact::Draining)
            .write(Fact::Stopped);
        book
    }
}

impl FactSource for Book {
    fn read_after(&mut self, after: u64, max: usize, out: &mut Vec<Stamped>) -> Result<(), SourceError> {
        out.extend(self.0.iter().filter(|f| f.seq > after).take(max).cloned());
        Ok(())
    }
}
