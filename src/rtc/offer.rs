//! What of a browser's offer is let through to the `webrtc` crate.
//!
//! One audio section that has PCMA, and no candidates: our side is ICE lite and waits to be called, so the browser's addresses
//! are nothing that it needs to know (`attacks.md` W1). Anything else is refused before it is parsed further.

use super::RtcError;

/// A browser's offer of one audio section is 2 to 6 KiB.
const LONGEST: usize = 16 * 1024;
const PCMA: &str = "PCMA/8000";

/// The offer as it may go on.
pub(super) fn admit(sdp: &str) -> Result<String, RtcError> {
    if sdp.len() > LONGEST {
        return Err(RtcError::BadOffer("longer than 16 KiB"));
    }
    if sdp.bytes().any(|byte| byte != b'\r' && byte != b'\n' && byte != b'\t' && byte < b' ') {
        return Err(RtcError::BadOffer("control characters"));
    }
    let (mut sections, mut pcma, mut fingerprint) = (0, false, false);
    let mut kept = String::with_capacity(sdp.len());
    for line in sdp.lines() {
        if let Some(media) = line.strip_prefix("m=") {
            sections += 1;
            if sections > 1 || !media.starts_with("audio ") {
                return Err(RtcError::BadOffer("not one audio section"));
            }
        } else if line.starts_with("a=candidate:") {
            continue;
        } else if let Some(map) = line.strip_prefix("a=rtpmap:") {
            pcma |= map == "8 PCMA/8000" || map == "8 PCMA/8000/1";
        } else if let Some(hash) = line.strip_prefix("a=fingerprint:") {
            // SHA-1 and MD5 prove nothing (`attacks.md` W6).
            if !hash.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("sha-"))
                || hash.starts_with("sha-1 ")
            {
                return Err(RtcError::BadOffer("a weak fingerprint"));
            }
            fingerprint = true;
        }
        kept.push_str(line);
        kept.push_str("\r\n");
    }
    match (sections, pcma, fingerprint) {
        (0, ..) => Err(RtcError::BadOffer("not one audio section")),
        (_, false, _) => Err(RtcError::NoPcma),
        (.., false) => Err(RtcError::BadOffer("no fingerprint")),
        _ => Ok(kept),
    }
}

/// What an answer must have: the sound accepted, as PCMA.
pub(super) fn accepts_pcma(answer: &str) -> bool {
    answer.lines().any(|line| line.starts_with("m=audio ") && !line.starts_with("m=audio 0 "))
        && answer.contains(PCMA)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 8\r\nc=IN IP4 0.0.0.0\r\n\
        a=candidate:1 1 udp 2113937151 0b1f.local 50000 typ host\r\na=ice-ufrag:abcd\r\na=fingerprint:sha-256 AA:BB\r\n\
        a=rtpmap:111 opus/48000/2\r\na=rtpmap:8 PCMA/8000\r\n";

    #[test]
    fn an_audio_offer_passes_without_its_candidates() {
        let kept = admit(OFFER).expect("a good offer");
        assert!(!kept.contains("candidate:"));
        assert_eq!(kept.lines().count(), OFFER.lines().count() - 1);
    }

    #[test]
    fn anything_else_is_refused_with_its_reason() {
        let why = |sdp: &str| admit(sdp).expect_err("must be refused").to_string();
        assert!(why(&OFFER.repeat(100)).contains("16 KiB"));
        assert!(why(&format!("{OFFER}m=video 9 X 96\r\n")).contains("audio"));
        assert!(why(&OFFER.replace("m=audio", "m=application")).contains("audio"));
        assert!(why("v=0\r\n").contains("audio"));
        assert!(why(&OFFER.replace("PCMA", "PCMU")).contains("PCMA"));
        assert!(why(&OFFER.replace("sha-256", "sha-1")).contains("fingerprint"));
        assert!(why(&OFFER.replace("sha-256", "md5")).contains("fingerprint"));
        assert!(why(&OFFER.replace("a=fingerprint", "a=x")).contains("fingerprint"));
        assert!(why(&OFFER.replace("s=-", "s=\0")).contains("control"));
        assert!(why("").contains("audio"));
    }

    #[test]
    fn an_answer_without_sound_is_noticed() {
        assert!(accepts_pcma("m=audio 9 X 8\r\na=rtpmap:8 PCMA/8000\r\n"));
        assert!(!accepts_pcma("m=audio 0 X 8\r\na=rtpmap:8 PCMA/8000\r\n"));
        assert!(!accepts_pcma("m=audio 9 X 0\r\na=rtpmap:0 PCMU/8000\r\n"));
    }
}
