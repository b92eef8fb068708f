//! What the user agent counts: plain numbers by closed enums, so that no caller can make a new label (`attacks.md` L8).

/// Writes an enum whose values are also indices and label texts.
macro_rules! labels {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $value:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $value,)* }
        impl $name {
            pub const ALL: &[Self] = &[$(Self::$value,)*];
            pub const fn label(self) -> &'static str {
                match self { $(Self::$value => $text,)* }
            }
        }
    };
}

labels! {
    /// Requests by method, as received.
    Received {
        Invite = "INVITE", Ack = "ACK", Bye = "BYE", Cancel = "CANCEL", Options = "OPTIONS", Register = "REGISTER",
        Prack = "PRACK", Update = "UPDATE", Info = "INFO", Refer = "REFER", Message = "MESSAGE",
        Subscribe = "SUBSCRIBE", Notify = "NOTIFY", Publish = "PUBLISH", Other = "other",
    }
}

labels! {
    /// Why something that came was given up, or got an answer that makes no call.
    Dropped {
        /// Source that is no peer's, and no budget or wish to answer.
        Stranger = "stranger",
        /// A stranger got one stateless answer.
        StrangerAnswered = "stranger_answered",
        Malformed = "malformed",
        /// Too long a message or header.
        TooLarge = "too_large",
        UnknownDialog = "unknown_dialog",
        /// Right dialog, wrong source (`attacks.md` S25).
        WrongSource = "wrong_source",
        UnknownNumber = "unknown_number",
        UnsupportedRequire = "unsupported_require",
        Merged = "merged",
        BadSdp = "bad_sdp",
        NoCommonCodec = "no_common_codec",
        UnsupportedBody = "unsupported_body",
        IntervalTooSmall = "interval_too_small",
        MethodNotAllowed = "method_not_allowed",
        /// A bound of the configuration was reached.
        Limit = "limit",
        BadDigest = "bad_digest",
        Challenged = "challenged",
        /// A response that no transaction of ours waits for.
        StrayResponse = "stray_response",
        StrayAck = "stray_ack",
        StrayCancel = "stray_cancel",
        StrayPrack = "stray_prack",
        OldCseq = "old_cseq",
        ReplacesRefused = "replaces_refused",
        Referral = "referral",
        /// A command for a dialog that has just ended, or that the state does not allow.
        LateCommand = "late_command",
        Draining = "draining",
    }
}

labels! {
    /// Things worth a curve of their own.
    Noted {
        /// We sent something again.
        Retransmitted = "retransmitted",
        /// The peer sent something again.
        Repeated = "repeated",
        Glare = "glare",
        /// The peer refused a change of the session that we asked for.
        ChangeRefused = "change_refused",
        KeepAlive = "keep_alive",
        /// A request over 1,300 bytes had to go by UDP (RFC 3261 §18.1.1).
        LargeUdp = "large_udp",
        /// ACK of a 200 never came.
        AckMissing = "ack_missing",
        /// Our request got no final answer in 64·T1.
        NoResponse = "no_response",
        /// Text of the peer that was not UTF-8 and was replaced.
        Replaced = "text_replaced",
        ConnectionLost = "connection_lost",
        /// Calls that came and were handed to the owner.
        Invited = "invited",
        SecondAnswer = "second_answer",
        /// A deadline that did not move on: a fault of ours.
        Stuck = "stuck",
    }
}

/// All of them. Read by the metrics page; never reset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counters {
    received: [u64; Received::ALL.len()],
    dropped: [u64; Dropped::ALL.len()],
    noted: [u64; Noted::ALL.len()],
    /// Responses by class 1xx–6xx.
    sent_class: [u64; 6],
    received_class: [u64; 6],
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            received: [0; Received::ALL.len()],
            dropped: [0; Dropped::ALL.len()],
            noted: [0; Noted::ALL.len()],
            sent_class: [0; 6],
            received_class: [0; 6],
        }
    }
}

impl Counters {
    pub(super) fn receive(&mut self, what: Received) {
        self.received[what as usize] += 1;
    }
    pub(super) fn drop(&mut self, why: Dropped) {
        self.dropped[why as usize] += 1;
    }
    pub(super) fn note(&mut self, what: Noted) {
        self.noted[what as usize] += 1;
    }
    pub(super) fn answer(&mut self, status: u16) {
        self.sent_class[class(status)] += 1;
    }
    pub(super) fn answered(&mut self, status: u16) {
        self.received_class[class(status)] += 1;
    }
    pub fn received(&self, what: Received) -> u64 {
        self.received[what as usize]
    }
    pub fn dropped(&self, why: Dropped) -> u64 {
        self.dropped[why as usize]
    }
    pub fn noted(&self, what: Noted) -> u64 {
        self.noted[what as usize]
    }
    /// Responses we sent, by class 1–6.
    pub fn responses_sent(&self, class: usize) -> u64 {
        self.sent_class.get(class.wrapping_sub(1)).copied().unwrap_or(0)
    }
    /// Every number with its family and label, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> + '_ {
        const CLASSES: [&str; 6] = ["1xx", "2xx", "3xx", "4xx", "5xx", "6xx"];
        let received =
            Received::ALL.iter().map(|w| ("hotline_sip_requests_received", w.label(), self.received(*w)));
        let dropped = Dropped::ALL.iter().map(|w| ("hotline_sip_dropped", w.label(), self.dropped(*w)));
        let noted = Noted::ALL.iter().map(|w| ("hotline_sip_noted", w.label(), self.noted(*w)));
        let sent =
            CLASSES.into_iter().zip(self.sent_class).map(|(c, n)| ("hotline_sip_responses_sent", c, n));
        let got = CLASSES
            .into_iter()
            .zip(self.received_class)
            .map(|(c, n)| ("hotline_sip_responses_received", c, n));
        received.chain(dropped).chain(noted).chain(sent).chain(got)
    }
}

fn class(status: u16) -> usize {
    usize::from(status / 100).clamp(1, 6) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_listed_once() {
        let mut c = Counters::default();
        c.drop(Dropped::Merged);
        c.answer(486);
        c.answer(999);
        let rows: Vec<_> = c.iter().collect();
        let mut names: Vec<_> = rows.iter().map(|(family, label, _)| (*family, *label)).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), rows.len());
        assert_eq!(rows.iter().map(|(_, _, n)| n).sum::<u64>(), 3);
        assert_eq!(c.dropped(Dropped::Merged), 1);
    }
}
