//! Why calls end: one catalogue for the journal, the metrics, the API and the SIP side.

/// Whose doing an end was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    Caller,
    Agent,
    Trunk,
    Us,
    Policy,
}

impl Fault {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Agent => "agent",
            Self::Trunk => "trunk",
            Self::Us => "us",
            Self::Policy => "policy",
        }
    }
}

macro_rules! catalogue {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $label:literal, $fault:ident, $status:literal, $zh:literal;)*) => {
        /// Why a call ended. The number is the journal's; it is never given to another reason.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EndReason { $($(#[$doc])* $name,)* }

        impl EndReason {
            pub const ALL: &[Self] = &[$(Self::$name,)*];
            pub const fn code(self) -> u8 { match self { $(Self::$name => $code,)* } }
            pub const fn from_code(code: u8) -> Option<Self> { match code { $($code => Some(Self::$name),)* _ => None } }
            /// Name on the wire and in metrics.
            pub const fn label(self) -> &'static str { match self { $(Self::$name => $label,)* } }
            pub const fn fault(self) -> Fault { match self { $(Self::$name => Fault::$fault,)* } }
            /// Final status when the call was still unanswered; 0 where none is sent.
            pub const fn sip_status(self) -> u16 { match self { $(Self::$name => $status,)* } }
            /// For people, in Chinese; the English text is the panel's translation of [`Self::label`].
            pub const fn zh(self) -> &'static str { match self { $(Self::$name => $zh,)* } }
        }
    };
}

catalogue! {
    /// BYE from the caller after the answer.
    CallerHungUp = 1, "caller_hung_up", Caller, 0, "来电人挂机";
    /// CANCEL before the answer.
    CallerCancelled = 2, "caller_cancelled", Caller, 487, "接通前取消";
    /// The flow came to its goodbye.
    FlowEnded = 3, "flow_ended", Caller, 0, "流程结束";
    MessageLeft = 4, "message_left", Caller, 0, "已留言";
    CallbackBooked = 5, "callback_booked", Caller, 0, "已预约回电";
    SurveyDone = 6, "survey_done", Caller, 0, "评价完成";
    /// No key and no voice as often as the flow allows.
    NoInput = 7, "no_input", Caller, 0, "无应答";
    WrongInput = 8, "wrong_input", Caller, 0, "多次误按";
    /// 64·T1 without ACK.
    AckMissing = 20, "ack_missing", Trunk, 0, "未收到ACK";
    /// The ACK carried no answer to our offer.
    NoAnswerSdp = 21, "no_answer_sdp", Trunk, 0, "未收到媒体应答";
    SessionExpired = 22, "session_expired", Trunk, 0, "会话超时";
    /// No RTP and no RTCP for the configured time.
    MediaLost = 23, "media_lost", Trunk, 0, "媒体中断";
    TransportLost = 24, "transport_lost", Trunk, 0, "信令连接中断";
    /// 481 or 408 to a request of ours.
    PeerForgot = 25, "peer_forgot", Trunk, 0, "对端已无此通话";
    /// Replaced by an INVITE with Replaces.
    Replaced = 26, "replaced", Trunk, 0, "被替换";
    /// No free media port.
    NoPort = 40, "no_port", Us, 503, "媒体端口不足";
    /// A broken invariant; the call was ended so that the others could go on.
    InternalFault = 41, "internal_fault", Us, 500, "系统故障";
    /// Somebody an agent dialled was busy, did not answer, could not be reached.
    CalleeBusy = 30, "callee_busy", Caller, 0, "对方忙";
    CalleeNoAnswer = 31, "callee_no_answer", Caller, 0, "对方无人接听";
    DialFailed = 32, "dial_failed", Trunk, 0, "外呼失败";
    /// He refused the call; the number is nobody's.
    CalleeRefused = 33, "callee_refused", Caller, 0, "对方拒接";
    CalleeUnknown = 34, "callee_unknown", Caller, 0, "空号";
    /// Ended by a restart that could not keep it.
    Restarted = 42, "restarted", Us, 0, "系统重启";
    /// SIGTERM's drain limit passed, or the second SIGTERM came.
    Drained = 60, "drained", Policy, 503, "停机";
    /// The longest call the configuration allows.
    TooLong = 61, "too_long", Policy, 0, "超过最长通话时间";
    /// A lead or administrator ended it.
    ForcedByStaff = 62, "forced_by_staff", Agent, 0, "管理人员结束";
    AgentHungUp = 63, "agent_hung_up", Agent, 0, "坐席挂机";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_labels_are_unique_and_read_back() {
        let labels: std::collections::BTreeSet<_> = EndReason::ALL.iter().map(|r| r.label()).collect();
        assert_eq!(labels.len(), EndReason::ALL.len());
        for reason in EndReason::ALL {
            assert_eq!(EndReason::from_code(reason.code()), Some(*reason));
        }
    }
}
