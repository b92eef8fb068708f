//! What the agents' sockets count, for `/metrics`. Labels are closed sets.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! cuts {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $label:literal, $reason:literal;)*) => {
        /// Why a socket was closed from our side.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Cut { $($(#[$doc])* $name,)* }

        impl Cut {
            pub const ALL: &[Self] = &[$(Self::$name,)*];
            /// The close frame's code (RFC 6455, 7.4).
            pub const fn code(self) -> u16 { match self { $(Self::$name => $code,)* } }
            pub const fn label(self) -> &'static str { match self { $(Self::$name => $label,)* } }
            /// The close frame's text.
            pub const fn reason(self) -> &'static str { match self { $(Self::$name => $reason,)* } }
        }
    };
}

cuts! {
    /// The client breaks the websocket protocol itself.
    Broken = 1002, "broken", "not a websocket";
    Binary = 1003, "binary", "text frames only";
    TooBig = 1009, "too_big", "a frame is larger than 64 KiB";
    TooFast = 1008, "too_fast", "more than 100 commands a second";
    /// Its queue is full, or nothing was taken for too long.
    Slow = 1008, "slow", "the client does not read";
    /// Nothing was heard, not even answers to pings.
    Silent = 1001, "silent", "no heartbeat";
    SignedOut = 4401, "signed_out", "signed out";
    /// The agent has too many pages open.
    Crowded = 1013, "crowded", "too many pages are open";
    /// The engine gave no snapshot.
    NoSnapshot = 1013, "no_snapshot", "the engine does not answer";
    Stopping = 1012, "stopping", "the service restarts";
}

#[derive(Debug, Default)]
pub struct CtiCounts {
    pub open: AtomicU64,
    pub opened: AtomicU64,
    pub resumed: AtomicU64,
    pub snapshots: AtomicU64,
    pub taken_over: AtomicU64,
    pub events: AtomicU64,
    pub commands: AtomicU64,
    /// The same id again.
    pub repeated: AtomicU64,
    pub refused: AtomicU64,
    /// Frames that were no command.
    pub unread: AtomicU64,
    /// Commands and snapshots the engine or the audio left unanswered.
    pub unanswered: AtomicU64,
    cuts: [AtomicU64; Cut::ALL.len()],
}

impl CtiCounts {
    pub fn cut(&self, why: Cut) {
        self.cuts[why as usize].fetch_add(1, Relaxed);
    }

    #[cfg(test)]
    pub fn cuts(&self, why: Cut) -> u64 {
        self.cuts[why as usize].load(Relaxed)
    }

    /// Puts the figures into `text`, which is OpenMetrics and ends with its mark.
    pub fn append(&self, mut text: String) -> String {
        const END: &str = "# EOF\n";
        if text.ends_with(END) {
            text.truncate(text.len() - END.len());
        }
        let get = |count: &AtomicU64| count.load(Relaxed);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "# HELP hotline_cti_open Agents' sockets now.\n# TYPE hotline_cti_open gauge\nhotline_cti_open {}",
            get(&self.open)
        );
        let _ = writeln!(text, "# HELP hotline_cti What agents' sockets did.\n# TYPE hotline_cti counter");
        for (what, count) in [
            ("opened", &self.opened),
            ("resumed", &self.resumed),
            ("snapshots", &self.snapshots),
            ("taken_over", &self.taken_over),
            ("events", &self.events),
            ("commands", &self.commands),
            ("repeated", &self.repeated),
            ("refused", &self.refused),
            ("unread", &self.unread),
            ("unanswered", &self.unanswered),
        ] {
            let _ = writeln!(text, "hotline_cti_total{{what=\"{what}\"}} {}", get(count));
        }
        let _ = writeln!(
            text,
            "# HELP hotline_cti_cuts Agents' sockets closed by us, by the reason.\n# TYPE hotline_cti_cuts counter"
        );
        for cut in Cut::ALL {
            let _ = writeln!(
                text,
                "hotline_cti_cuts_total{{reason=\"{}\"}} {}",
                cut.label(),
                get(&self.cuts[*cut as usize])
            );
        }
        text.push_str(END);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_row_and_a_code_that_may_be_sent() {
        let counts = CtiCounts::default();
        counts.cut(Cut::TooBig);
        let text = counts.append("a 1\n# EOF\n".into());
        assert!(text.starts_with("a 1\n# HELP") && text.ends_with("# EOF\n"));
        assert_eq!(text.matches("# EOF").count(), 1);
        for (n, cut) in Cut::ALL.iter().enumerate() {
            assert_eq!(*cut as usize, n);
            let row = format!(
                "hotline_cti_cuts_total{{reason=\"{}\"}} {}",
                cut.label(),
                u8::from(*cut == Cut::TooBig)
            );
            assert_eq!(text.lines().filter(|line| **line == row).count(), 1, "{row}");
            assert!((1000..=1014).contains(&cut.code()) || (4000..5000).contains(&cut.code()));
            assert!(cut.reason().len() <= 123, "a control frame's payload");
        }
    }
}
