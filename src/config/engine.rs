//! The sections that the engine, the media workers and the journal live by.

use super::read::Section;
use crate::media::seam::Codec;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

#[derive(Clone, Debug, PartialEq)]
pub struct Media {
    /// Address in SDP and of the RTP sockets; `None`: the one the caller's INVITE came to.
    pub address: Option<IpAddr>,
    /// First and last RTP port, both usable; RTCP takes the odd one above each.
    pub ports: (u16, u16),
    pub codecs: Vec<Codec>,
    /// Worker threads; 0 is cores − 1, at least 1.
    pub threads: usize,
    /// A call without RTP and RTCP for this long is ended; 0 never.
    pub silence_ms: u32,
    /// Ask the kernel for real-time scheduling of the workers.
    pub realtime: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Ivr {
    pub flows: PathBuf,
    /// Name of the flow a call begins with, without `.toml`.
    pub entry: String,
    /// Announcements staff have switched on, by the names flows ask for.
    pub switches: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Sounds {
    pub dir: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Auto,
    Ring,
}

/// How a free agent is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    LongestIdle,
    FewestCalls,
    SkillFirst,
    RingAll,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Queue {
    pub answer: Answer,
    pub max_waiting: usize,
    /// Last resort that gives every place an end; the flow's own `timeout` comes earlier.
    pub max_wait_s: u32,
    pub max_callbacks: usize,
    pub strategy: Strategy,
    /// How many ring at once with [`Strategy::RingAll`].
    pub ring_at_most: u8,
    pub sticky: bool,
    pub overflow: Option<Overflow>,
}

/// Where callers go who cannot be served in a queue.
#[derive(Clone, Debug, PartialEq)]
pub struct Overflow {
    pub to: String,
    /// 0: never by time.
    pub after_s: u32,
    /// 0: never by length.
    pub longer_than: u32,
    pub no_staff: bool,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            answer: Answer::Auto,
            max_waiting: 200,
            max_wait_s: 7_200,
            max_callbacks: 500,
            strategy: Strategy::LongestIdle,
            ring_at_most: 5,
            sticky: false,
            overflow: None,
        }
    }
}

/// Rules that hold for all queues and agents; seconds unless the name says otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Acd {
    pub ring_s: u32,
    pub beep_ms: u32,
    pub wrap_up_s: u32,
    pub wrap_up_max_s: u32,
    pub decline_pause_s: u32,
    pub max_declines: u8,
    pub max_on_break: usize,
    /// Wrap-up does not end while the call's ticket is a draft.
    pub hold_unfinished: bool,
    pub ageing_step_s: u32,
    pub on_call: Option<String>,
    pub callback_gaps_s: Vec<u32>,
    pub callback_max_wait_s: u32,
}

/// What agents may dial.
#[derive(Clone, Debug, PartialEq)]
pub struct Dial {
    pub trunk: Option<String>,
    pub allow: Vec<String>,
    pub deny: Vec<String>,
    pub per_agent_hour: u32,
    /// An outside number may ring for so long, seconds.
    pub ring_s: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Calendar {
    pub dir: PathBuf,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Roster {
    pub dir: PathBuf,
    /// Only who is on shift may be ready.
    pub binds: bool,
    /// In the place of what the rules say.
    pub early_login_min: Option<u16>,
    pub late_logout_min: Option<u16>,
    /// Minutes after a shift's beginning at which an unsigned hand-over is counted.
    pub handover_min: Option<u16>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    pub enabled: bool,
    pub dir: PathBuf,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Journal {
    pub dir: PathBuf,
    /// Mebibytes after which the next segment begins.
    pub segment_mib: u32,
    /// Where the journal goes on when its own disk fails.
    pub spare_dir: Option<PathBuf>,
    /// Mebibytes kept free so that a full disk is noticed before it stops us.
    pub reserve_mib: u32,
    /// Longest time a fact waits for company before the disk is asked, milliseconds.
    pub commit_ms: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Calls at once; the next gets 503 with Retry-After.
    pub max_calls: usize,
    /// New calls a second over all trunks; 0 is no limit.
    pub max_cps: u32,
    /// Calls at once, and new calls in a minute, of one caller's number; 0 is no limit.
    pub caller_concurrent: u32,
    pub caller_per_minute: u32,
    /// Longest call, seconds.
    pub call_max_s: u32,
    /// Ring this long before the answer, milliseconds; 0 answers at once.
    pub answer_after_ms: u32,
    /// Shortest voiced part of a message worth keeping, milliseconds.
    pub message_min_ms: u32,
    /// Longest wait for a number to be safe on disk before the caller is told that it could not be stored, milliseconds.
    pub durable_wait_ms: u32,
    /// Facts that may wait for the disk before new calls are refused.
    pub max_undurable: u32,
    /// Longest Retry-After of a 503, seconds.
    pub retry_after_s: u32,
    /// How long SIGTERM waits for calls in progress, seconds.
    pub drain_s: u32,
}

/// `20000-29999`.
struct Ports(u16, u16);

impl FromStr for Ports {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let (first, last) = text.split_once('-').ok_or(())?;
        let (first, last) = (first.trim().parse().map_err(|_| ())?, last.trim().parse().map_err(|_| ())?);
        // A pair is the least: RTP on the even port, RTCP on the odd one above it.
        if first >= 1024 && first % 2 == 0 && last > first { Ok(Self(first, last)) } else { Err(()) }
    }
}

struct CodecName(Codec);

impl FromStr for CodecName {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match text.to_ascii_uppercase().as_str() {
            "PCMA" => Ok(Self(Codec::Pcma)),
            "PCMU" => Ok(Self(Codec::Pcmu)),
            _ => Err(()),
        }
    }
}

impl Media {
    /// The upper end of the range is for agents' browsers, a port each and as many again for pages that are loaded anew: a
    /// quarter of a small range, a thousand ports of a large one. The rest carries calls.
    fn split(&self) -> u16 {
        let size = self.ports.1 - self.ports.0;
        self.ports.1 - (size / 4).min(1_000) / 2 * 2
    }

    /// Ports of calls' voice, first and last.
    pub fn voice_ports(&self) -> (u16, u16) {
        (self.ports.0, self.split())
    }

    /// Ports of agents' browsers, first and last.
    pub fn browser_ports(&self) -> (u16, u16) {
        (self.split() + 1, self.ports.1)
    }
}

pub(super) fn read_media(s: &mut Section<'_, '_>) -> Media {
    let ports = s.parsed(
        "ports",
        Some(Ports(20_000, 29_999)),
        "a range of ports that begins with an even one from 1024, like \"20000-29999\"",
    );
    let codecs =
        s.list("codecs", vec![CodecName(Codec::Pcma), CodecName(Codec::Pcmu)], "one of \"PCMA\", \"PCMU\"");
    let media = Media {
        address: s.parsed("address", None, "an address, like \"192.0.2.10\""),
        ports: ports.map_or((20_000, 29_999), |p| (p.0, p.1)),
        codecs: codecs.into_iter().map(|c| c.0).collect(),
        threads: s.number("threads", 0, 0..=256),
        silence_ms: s.number("silence_ms", 30_000, 0..=3_600_000),
        realtime: s.flag("realtime", true),
    };
    if media.address.is_some_and(|a| a.is_unspecified()) {
        s.refuse(
            "address",
            "0.0.0.0 cannot stand in SDP: leave it out, or name the address callers can reach",
        );
    }
    media
}

pub(super) fn read_ivr(s: &mut Section<'_, '_>) -> Ivr {
    let base = s.base();
    Ivr {
        flows: s.path("flows", &base.join("ivr-flows")),
        entry: s.text("entry", "main"),
        switches: s.list("switches", Vec::new(), "a switch's name in quotes, like \"storm\""),
    }
}

pub(super) fn read_sounds(s: &mut Section<'_, '_>) -> Sounds {
    let base = s.base();
    Sounds { dir: s.path("dir", &base.join("sounds")) }
}

pub(super) fn read_queue(s: &mut Section<'_, '_>) -> Queue {
    let own = Queue::default();
    let strategies = [
        ("longest_idle", Strategy::LongestIdle),
        ("fewest_calls", Strategy::FewestCalls),
        ("skill_first", Strategy::SkillFirst),
        ("ring_all", Strategy::RingAll),
    ];
    Queue {
        answer: s.choice("answer", own.answer, &[("auto", Answer::Auto), ("ring", Answer::Ring)]),
        max_waiting: s.number("max_waiting", own.max_waiting, 1..=100_000),
        max_wait_s: s.number("max_wait_s", own.max_wait_s, 10..=86_400),
        max_callbacks: s.number("max_callbacks", own.max_callbacks, 0..=100_000),
        strategy: s.choice("strategy", own.strategy, &strategies),
        ring_at_most: s.number("ring_at_most", own.ring_at_most, 1..=20),
        sticky: s.flag("sticky", own.sticky),
        overflow: s.maybe("overflow", read_overflow),
    }
}

fn read_overflow(s: &mut Section<'_, '_>) -> Overflow {
    let overflow = Overflow {
        to: s.required("to"),
        after_s: s.number("after_s", 0, 0..=86_400),
        longer_than: s.number("longer_than", 0, 0..=100_000),
        no_staff: s.flag("no_staff", false),
    };
    if overflow.after_s == 0 && overflow.longer_than == 0 && !overflow.no_staff {
        s.refuse("to", "says where to and not when: after_s, longer_than or no_staff is missing");
    }
    overflow
}

pub(super) fn read_acd(s: &mut Section<'_, '_>) -> Acd {
    let acd = Acd {
        // The service promises to answer or move on within 8 s.
        ring_s: s.number("ring_s", 8, 2..=8),
        beep_ms: s.number("beep_ms", 1_200, 0..=5_000),
        wrap_up_s: s.number("wrap_up_s", 90, 0..=3_600),
        wrap_up_max_s: s.number("wrap_up_max_s", 600, 0..=7_200),
        decline_pause_s: s.number("decline_pause_s", 10, 0..=600),
        max_declines: s.number("max_declines", 3, 1..=100),
        max_on_break: s.number("max_on_break", 5, 0..=2_000),
        hold_unfinished: s.flag("hold_unfinished", true),
        ageing_step_s: s.number("ageing_step_s", 300, 1..=86_400),
        on_call: s.maybe_text("on_call"),
        callback_gaps_s: s.numbers("callback_gaps_s", &[300, 1_800], 1..=86_400),
        callback_max_wait_s: s.number("callback_max_wait_s", 28_800, 60..=604_800),
    };
    if acd.wrap_up_max_s < acd.wrap_up_s {
        s.refuse("wrap_up_max_s", "is shorter than wrap_up_s");
    }
    if acd.callback_gaps_s.len() > 9 {
        s.refuse("callback_gaps_s", "at most nine gaps, so ten tries");
    }
    acd
}

pub(super) fn read_dial(s: &mut Section<'_, '_>) -> Dial {
    let pattern = "a number, or its beginning and a star, like \"010*\"";
    let dial = Dial {
        trunk: s.maybe_text("trunk"),
        allow: s.list("allow", Vec::new(), pattern),
        deny: s.list("deny", Vec::new(), pattern),
        per_agent_hour: s.number("per_agent_hour", 60, 0..=10_000),
        ring_s: s.number("ring_s", 45, 1..=180),
    };
    for (key, patterns) in [("allow", &dial.allow), ("deny", &dial.deny)] {
        let whole = |pattern: &String| {
            let digits = pattern.strip_suffix('*').unwrap_or(pattern);
            !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b == b'+')
        };
        if let Some(wrong) = patterns.iter().find(|pattern| !whole(pattern)) {
            s.refuse(key, &format!("\"{wrong}\" is not {pattern}"));
        }
    }
    dial
}

pub(super) fn read_calendar(s: &mut Section<'_, '_>) -> Calendar {
    let base = s.base();
    Calendar { dir: s.path("dir", &base.join("district/calendar")) }
}

pub(super) fn read_roster(s: &mut Section<'_, '_>) -> Roster {
    let base = s.base();
    Roster {
        dir: s.path("dir", &base.join("district/roster")),
        binds: s.flag("binds", false),
        early_login_min: s.maybe_number("early_login_min", 0..=720),
        late_logout_min: s.maybe_number("late_logout_min", 0..=720),
        handover_min: s.maybe_number("handover_min", 0..=720),
    }
}

pub(super) fn read_recording(s: &mut Section<'_, '_>, data: &Path) -> Recording {
    Recording { enabled: s.flag("enabled", true), dir: s.path("dir", &data.join("recordings")) }
}

pub(super) fn read_journal(s: &mut Section<'_, '_>, data: &Path) -> Journal {
    let base = s.base();
    Journal {
        dir: s.path("dir", &data.join("journal")),
        segment_mib: s.number("segment_mib", 64, 1..=4096),
        spare_dir: s.maybe_text("spare_dir").map(|dir| base.join(dir)),
        reserve_mib: s.number("reserve_mib", 256, 0..=1_048_576),
        commit_ms: s.number("commit_ms", 2, 0..=1000),
    }
}

pub(super) fn read_limits(s: &mut Section<'_, '_>) -> Limits {
    Limits {
        max_calls: s.number("max_calls", 2000, 1..=1_000_000),
        max_cps: s.number("max_cps", 0, 0..=100_000),
        caller_concurrent: s.number("caller_concurrent", 3, 0..=100_000),
        caller_per_minute: s.number("caller_per_minute", 10, 0..=100_000),
        call_max_s: s.number("call_max_s", 7200, 60..=86_400),
        answer_after_ms: s.number("answer_after_ms", 0, 0..=60_000),
        message_min_ms: s.number("message_min_ms", 600, 0..=60_000),
        durable_wait_ms: s.number("durable_wait_ms", 3000, 100..=60_000),
        max_undurable: s.number("max_undurable", 200_000, 100..=10_000_000),
        retry_after_s: s.number("retry_after_s", 10, 1..=600),
        drain_s: s.number("drain_s", 300, 0..=86_400),
    }
}
