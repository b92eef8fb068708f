//! Offer/answer state of one session (RFC 3264, RFC 6337): at most one offer is open, theirs or ours.

use crate::base::Time;
use crate::sip::offer_answer::{self, Agreed, Refusal};
use crate::sip::sdp::Sdp;
use crate::sip::seam::{Direction, LocalMedia, NegotiatedMedia};
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Media {
    /// Our end, once it was named in an offer or answer.
    pub local: Option<LocalMedia>,
    pub local_sdp: Arc<str>,
    pub remote_sdp: Arc<str>,
    pub their_offer: Option<Offer>,
    /// The offer of ours that is open, and the direction it asks for.
    pub our_offer: Option<(Arc<str>, Direction)>,
    pub agreed: Option<Agreed>,
    /// The direction we want when it is ours to say.
    pub wish: Direction,
    /// What stood before the open offer of ours: it stays in force when the offer is refused.
    before: Option<Arc<str>>,
    version: u64,
    agreed_at: Time,
    told: Option<(Agreed, Arc<str>, Arc<str>)>,
}

/// The peer's offer, read.
#[derive(Debug)]
pub(super) struct Offer {
    text: Arc<str>,
    sdp: Sdp,
}

impl Offer {
    pub fn read(text: &str) -> Result<Self, Refusal> {
        Ok(Self { text: text.into(), sdp: Sdp::parse(text)? })
    }
    /// Could this be answered from an end like `local`?
    pub fn check(&self, local: &LocalMedia) -> Result<(), Refusal> {
        offer_answer::answer(local, 0, Direction::SendRecv, &self.sdp).map(drop)
    }
}

impl Default for Media {
    fn default() -> Self {
        Self {
            local: None,
            local_sdp: "".into(),
            remote_sdp: "".into(),
            their_offer: None,
            our_offer: None,
            agreed: None,
            wish: Direction::SendRecv,
            before: None,
            version: 0,
            agreed_at: Time::ZERO,
            told: None,
        }
    }
}

impl Media {
    /// Our offer. Unchanged words keep their version (RFC 3264 §8).
    pub fn offer(&mut self, local: &LocalMedia) -> Arc<str> {
        let wish = self.wish;
        let text = self.versioned(|version| offer_answer::offer(local, version, wish));
        self.before = Some(std::mem::replace(&mut self.local_sdp, Arc::clone(&text)));
        self.local = Some(local.clone());
        self.our_offer = Some((Arc::clone(&text), wish));
        text
    }

    /// Writes a description with the version it had when it says what the last one said, else with the next.
    fn versioned(&mut self, write: impl Fn(u64) -> String) -> Arc<str> {
        if self.version > 0 {
            let same = write(self.version);
            if *same == *self.local_sdp {
                return Arc::clone(&self.local_sdp);
            }
        }
        self.version += 1;
        write(self.version).into()
    }

    /// Answers the peer's open offer.
    pub fn answer_theirs(&mut self, now: Time, local: &LocalMedia) -> Result<(), Refusal> {
        let Some(offer) = self.their_offer.take() else { return Ok(()) };
        self.local = Some(local.clone());
        self.answer(now, local, &offer)
    }

    fn answer(&mut self, now: Time, local: &LocalMedia, offer: &Offer) -> Result<(), Refusal> {
        let wish = self.wish;
        let (_, agreed) = offer_answer::answer(local, 0, wish, &offer.sdp)?;
        let text = self.versioned(|version| {
            // The same inputs as a moment ago.
            offer_answer::answer(local, version, wish, &offer.sdp).map(|(text, _)| text).unwrap_or_default()
        });
        self.local_sdp = text;
        self.remote_sdp = Arc::clone(&offer.text);
        self.agree(now, agreed);
        Ok(())
    }

    /// A new offer of the peer inside the session, answered at once. `Err`: the status that refuses it.
    pub fn reoffer_theirs(&mut self, now: Time, text: &str) -> Result<(), u16> {
        let offer = Offer::read(text).map_err(Refusal::status)?;
        let Some(local) = self.local.clone() else { return Err(488) };
        self.answer(now, &local, &offer).map_err(Refusal::status)
    }

    /// The peer's answer to our open offer.
    pub fn take_answer(&mut self, now: Time, text: &str) -> Result<(), Refusal> {
        let agreed = self.read_answer(text)?;
        self.our_offer = None;
        self.before = None;
        self.remote_sdp = text.into();
        self.agree(now, agreed);
        Ok(())
    }

    /// An answer in a provisional response: used at once, final only with the 200 or another fork's.
    pub fn preview_answer(&mut self, now: Time, text: &str) -> Result<(), Refusal> {
        let agreed = self.read_answer(text)?;
        self.remote_sdp = text.into();
        self.agree(now, agreed);
        Ok(())
    }

    fn read_answer(&self, text: &str) -> Result<Agreed, Refusal> {
        let (Some((_, wish)), Some(local)) = (&self.our_offer, &self.local) else {
            return Err(Refusal::NothingCommon);
        };
        offer_answer::read_answer(local, *wish, &Sdp::parse(text)?)
    }

    fn agree(&mut self, now: Time, agreed: Agreed) {
        self.agreed = Some(agreed);
        self.agreed_at = now;
    }

    /// Our offer was refused or never answered: what was agreed before stands.
    pub fn drop_offer(&mut self) {
        if self.our_offer.take().is_some()
            && let Some(before) = self.before.take().filter(|_| self.agreed.is_some())
        {
            self.local_sdp = before;
        }
    }

    /// What was agreed since the last time this was asked.
    pub fn news(&mut self) -> Option<NegotiatedMedia> {
        let agreed = self.agreed?;
        let now = (agreed, Arc::clone(&self.local_sdp), Arc::clone(&self.remote_sdp));
        if self.told.as_ref() == Some(&now) {
            return None;
        }
        self.told = Some(now);
        Some(NegotiatedMedia {
            remote: agreed.remote,
            remote_rtcp: agreed.remote_rtcp,
            rtcp_mux: false,
            codec: agreed.codec,
            send_pt: agreed.send_pt,
            recv_pt: agreed.recv_pt,
            event_pt: agreed.event_pt,
            send_event_pt: agreed.send_event_pt,
            direction: agreed.direction,
            held_by_peer: agreed.is_held(),
            local_sdp: Arc::clone(&self.local_sdp),
            remote_sdp: Arc::clone(&self.remote_sdp),
            at: self.agreed_at,
        })
    }
}
