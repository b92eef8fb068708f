//! Facts of calls that overlap, made as they are read: what a projector is fed with in measurements.

use hotline::base::{CallId, Personal};
use hotline::call::EndReason;
use hotline::call::fact::*;
use hotline::store::projector::{FactSource, SourceError};
use std::collections::VecDeque;
use std::time::Instant;

/// Of one call.
pub const FACTS: u64 = 8;

/// Calls in progress at any moment.
const OVERLAP: u64 = 2_000;

/// The facts of `calls` overlapping calls.
#[derive(Debug)]
pub struct Load {
    calls: u64,
    /// Calls a second from this moment on; `None`: all at once.
    pace: Option<(Instant, u64)>,
    begun: u64,
    ready: VecDeque<(u64, u8)>,
    seq: u64,
}

impl Load {
    pub fn new(calls: u64, pace: Option<u64>) -> Self {
        let pace = pace.map(|pace| (Instant::now(), pace));
        Self { calls, pace, begun: 0, ready: VecDeque::new(), seq: 0 }
    }

    /// The call and how far it is.
    fn next(&mut self) -> Option<(u64, u8)> {
        if self.begun < self.calls && (self.ready.len() as u64) < OVERLAP {
            self.begun += 1;
            self.ready.push_back((self.begun, 0));
        }
        let (n, stage) = self.ready.pop_front()?;
        if stage < 7 {
            self.ready.push_back((n, stage + 1));
        }
        Some((n, stage))
    }
}

impl FactSource for Load {
    fn read_after(&mut self, after: u64, max: usize, out: &mut Vec<Stamped>) -> Result<(), SourceError> {
        assert_eq!(after, self.seq, "this source is read once");
        for _ in 0..max {
            let early = |(begun, pace): (Instant, u64)| {
                self.seq as f64 >= begun.elapsed().as_secs_f64() * (pace * FACTS) as f64
            };
            if self.pace.is_some_and(early) {
                break;
            }
            let Some((n, stage)) = self.next() else { break };
            self.seq += 1;
            let (mono_ns, wall_ms) = (self.seq * 62_500, 1_795_395_600_000 + (self.seq / 16) as i64);
            out.push(Stamped { seq: self.seq, mono_ns, wall_ms, fact: fact(n, stage) });
        }
        Ok(())
    }
}

fn fact(n: u64, stage: u8) -> Fact {
    let call = CallId { node: 1, boot: 1, n };
    let sdp = || {
        Personal::new(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 20000 RTP/AVP 8 101\r\n",
        )
    };
    let step = |input, trail| {
        Fact::Step(Box::new(Step {
            call,
            input,
            world: StepWorld { utc_offset_s: 28_800, ..StepWorld::default() },
            trail,
        }))
    };
    match stage {
        0 => Fact::CallArrived(Box::new(CallArrived {
            call,
            sip_call_id: format!("{n}-12345@192.0.2.10"),
            caller: Personal::new(format!("120{n:08}")),
            caller_source: "pai".into(),
            display: Personal::new("sipp"),
            private: false,
            called: "12341".into(),
            redirected_from: None,
            redirect_reason: None,
            trunk: "city".into(),
            source: "192.0.2.10:5060".into(),
            user_agent: "load".into(),
            emergency: false,
            flow_hash: 0x1234_5678_9abc_def0,
            flow_file: "main.toml".into(),
            flow_version: "2026-11".into(),
            dialled_by: None,
        })),
        1 => Fact::CallAnswered(Box::new(CallAnswered {
            call,
            codec: 8,
            port: 20_000,
            worker: 0,
            ssrc: 7,
            local_sdp: sdp(),
            remote_sdp: sdp(),
        })),
        2 => Fact::Dialog(Box::new(DialogFact {
            call,
            local_tag: format!("{n:016x}"),
            remote_tag: format!("{n}"),
            local_uri: "sip:12341@192.0.2.1".into(),
            remote_uri: Personal::new("sip:sipp@192.0.2.10"),
            remote_target: Personal::new("sip:sipp@192.0.2.10:5060"),
            route_set: Vec::new(),
            local_cseq_reserved: 100,
            remote_cseq: 1,
            session_expires_s: None,
            we_refresh: false,
        })),
        3 => step(
            StepInput::Begin,
            vec![StepTrail::Entered("welcome".into()), StepTrail::Prompt("welcome_short".into())],
        ),
        4 => Fact::CallConfirmed { call },
        5 => step(
            StepInput::PlayFinished,
            vec![
                StepTrail::Left { node: "welcome".into(), outcome: "next".into() },
                StepTrail::Entered("people".into()),
            ],
        ),
        6 => Fact::CallEnded(Box::new(CallEnded {
            call,
            reason: EndReason::CallerHungUp,
            sip_status: 0,
            peer_cause: None,
            duration_ms: 1_000,
            talk_ms: 990,
        })),
        _ => Fact::MediaReport(Box::new(MediaReport {
            call,
            sent: 50,
            received: 50,
            lost: 0,
            late: 0,
            duplicate: 0,
            foreign: 0,
            jitter_us: 300,
            mos_x100: 441,
            digits: 0,
            late_ticks: 0,
        })),
    }
}
