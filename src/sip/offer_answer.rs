//! Offer and answer (RFC 3264) for one audio stream. Other streams of an offer are declined in place.

use super::sdp::{Media, Sdp, Unreadable};
use super::seam::{Direction, LocalMedia};
use crate::media::seam::Codec;
use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

/// Payload type of telephone-event in offers of ours.
const OUR_EVENTS: u8 = 101;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// Read, but nothing of it can be served.
    #[error("no common audio")]
    NothingCommon,
}

impl Refusal {
    pub const fn status(self) -> u16 {
        match self {
            Self::Unreadable(_) => 400,
            Self::NothingCommon => 488,
        }
    }
}

/// What both sides now use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// `None`: the peer holds us with 0.0.0.0.
    pub remote: Option<SocketAddr>,
    /// `None`: the port above `remote`'s.
    pub remote_rtcp: Option<SocketAddr>,
    pub codec: Codec,
    pub send_pt: u8,
    pub recv_pt: u8,
    /// Payload type of telephone-event towards us, and towards the peer.
    pub event_pt: Option<u8>,
    pub send_event_pt: Option<u8>,
    /// Ours.
    pub direction: Direction,
}

impl Agreed {
    /// The peer does not want to hear us.
    pub const fn is_held(&self) -> bool {
        self.remote.is_none() || !sends(self.direction)
    }
}

const fn sends(direction: Direction) -> bool {
    matches!(direction, Direction::SendRecv | Direction::SendOnly)
}
const fn receives(direction: Direction) -> bool {
    matches!(direction, Direction::SendRecv | Direction::RecvOnly)
}
const fn direction(sends: bool, receives: bool) -> Direction {
    match (sends, receives) {
        (true, true) => Direction::SendRecv,
        (true, false) => Direction::SendOnly,
        (false, true) => Direction::RecvOnly,
        (false, false) => Direction::Inactive,
    }
}

/// The peer's wish seen from our side, narrowed to ours (RFC 3264 §6.1).
const fn meet(theirs: Direction, ours: Direction) -> Direction {
    direction(receives(theirs) && sends(ours), sends(theirs) && receives(ours))
}

/// An offer of ours. `version` rises with each description that differs from the last (RFC 3264 §8).
pub fn offer(local: &LocalMedia, version: u64, wish: Direction) -> String {
    let mut text = head(local, version);
    let _ = write!(text, "m=audio {} RTP/AVP", local.addr.port()); // Writing into a String cannot fail.
    for codec in &local.codecs {
        let _ = write!(text, " {}", codec.payload_type());
    }
    let _ = write!(text, " {OUR_EVENTS}\r\n");
    for codec in &local.codecs {
        let _ = write!(text, "a=rtpmap:{} {}/8000\r\n", codec.payload_type(), codec.name());
    }
    events(&mut text, OUR_EVENTS);
    tail(&mut text, wish);
    text
}

/// Our answer, and what it makes.
pub fn answer(
    local: &LocalMedia,
    version: u64,
    wish: Direction,
    theirs: &Sdp,
) -> Result<(String, Agreed), Refusal> {
    let at = theirs.media.iter().position(|m| usable(m, local).is_some()).ok_or(Refusal::NothingCommon)?;
    let (codec, pt) = usable(&theirs.media[at], local).ok_or(Refusal::NothingCommon)?;
    let media = &theirs.media[at];
    let agreed =
        Agreed { direction: meet(media.direction, wish), ..agree(media, codec, pt, pt, media.events()) };
    let mut text = head(local, version);
    for (i, line) in theirs.media.iter().enumerate() {
        if i != at {
            // Declined: port zero, one of its own formats.
            let format = line.formats.first().map_or("0", String::as_str);
            let _ = write!(text, "m={} 0 {} {format}\r\n", line.kind, line.proto);
            continue;
        }
        let _ = write!(text, "m=audio {} {} {pt}", local.addr.port(), line.proto);
        if let Some(events) = agreed.event_pt {
            let _ = write!(text, " {events}");
        }
        let _ = write!(text, "\r\na=rtpmap:{pt} {}/8000\r\n", codec.name());
        if let Some(pt) = agreed.event_pt {
            events(&mut text, pt);
        }
        tail(&mut text, agreed.direction);
    }
    Ok((text, agreed))
}

/// The peer's answer to an offer of ours made with `wish`.
pub fn read_answer(local: &LocalMedia, wish: Direction, theirs: &Sdp) -> Result<Agreed, Refusal> {
    // We offer one stream: the first line answers it (RFC 3264 §6).
    let media = theirs.media.first().ok_or(Refusal::NothingCommon)?;
    let (codec, pt) = usable(media, local).ok_or(Refusal::NothingCommon)?;
    let events = media.events().map(|_| OUR_EVENTS);
    Ok(Agreed {
        direction: meet(media.direction, wish),
        ..agree(media, codec, pt, codec.payload_type(), events)
    })
}

/// The first of our codecs that the line offers, and its payload type there.
fn usable(media: &Media, local: &LocalMedia) -> Option<(Codec, u8)> {
    if !media.is_plain_audio() || !media.address.is_some_and(|ip| same_family(ip, local.addr.ip())) {
        return None;
    }
    local
        .codecs
        .iter()
        .find_map(|codec| Some((*codec, media.payload_types().find(|pt| media.codec(*pt) == Some(*codec))?)))
}

fn same_family(a: IpAddr, b: IpAddr) -> bool {
    a.is_ipv4() == b.is_ipv4()
}

fn agree(media: &Media, codec: Codec, send_pt: u8, recv_pt: u8, event_pt: Option<u8>) -> Agreed {
    let ip = media.address.filter(|ip| !ip.is_unspecified());
    Agreed {
        remote: ip.map(|ip| SocketAddr::new(ip, media.port)),
        remote_rtcp: ip.zip(media.rtcp).map(|(ip, (port, own))| SocketAddr::new(own.unwrap_or(ip), port)),
        codec,
        send_pt,
        recv_pt,
        event_pt,
        // Each side names the type it takes (RFC 3264 section 5.1).
        send_event_pt: media.events(),
        direction: media.direction,
    }
}

fn head(local: &LocalMedia, version: u64) -> String {
    let (family, ip) = (if local.addr.is_ipv4() { "IP4" } else { "IP6" }, local.addr.ip());
    let session = local.sdp_session;
    let mut text = String::with_capacity(360);
    // Writing into a String cannot fail.
    let _ = write!(
        text,
        "v=0\r\no=hotline {session} {version} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n"
    );
    text
}

fn events(text: &mut String, pt: u8) {
    let _ = write!(text, "a=rtpmap:{pt} telephone-event/8000\r\na=fmtp:{pt} 0-15\r\n");
}

fn tail(text: &mut String, direction: Direction) {
    let word = match direction {
        Direction::SendRecv => "sendrecv",
        Direction::SendOnly => "sendonly",
        Direction::RecvOnly => "recvonly",
        Direction::Inactive => "inactive",
    };
    let _ = write!(text, "a=ptime:20\r\na={word}\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn local() -> LocalMedia {
        LocalMedia {
            addr: "192.0.2.5:20000".parse().unwrap(),
            codecs: vec![Codec::Pcma, Codec::Pcmu],
            sdp_session: 7,
        }
    }

    fn sdp(media: &str) -> Sdp {
        Sdp::parse(&format!(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{media}"
        ))
        .unwrap()
    }

    #[test]
    fn our_order_wins_and_their_numbers_are_kept() {
        let theirs = sdp(
            "m=video 4 RTP/AVP 99\r\nm=audio 4000 RTP/AVP 0 100 97\r\na=rtpmap:100 PCMA/8000\r\na=rtpmap:97 telephone-event/8000\r\na=sendonly\r\n",
        );
        let (text, agreed) = answer(&local(), 1, Direction::SendRecv, &theirs).unwrap();
        assert_eq!((agreed.codec, agreed.send_pt, agreed.event_pt), (Codec::Pcma, 100, Some(97)));
        assert_eq!(agreed.send_event_pt, Some(97));
        assert_eq!(agreed.direction, Direction::RecvOnly);
        assert!(agreed.is_held());
        assert!(text.contains("m=video 0 RTP/AVP 99\r\nm=audio 20000 RTP/AVP 100 97\r\n"), "{text}");
        assert!(text.ends_with("a=recvonly\r\n"));
    }

    #[test]
    fn what_cannot_be_served() {
        for media in [
            "m=audio 0 RTP/AVP 0\r\n",
            "m=audio 4000 RTP/SAVP 0\r\n",
            "m=audio 4000 RTP/AVP 18\r\n",
            "m=image 4000 udptl t38\r\n",
            "m=audio 4000 RTP/AVP 0\r\nc=IN IP6 ::1\r\n",
            "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 name.example\r\n",
            "m=audio 4000 RTP/AVP 9\r\na=rtpmap:9 PCMA/16000\r\n",
        ] {
            assert_eq!(
                answer(&local(), 1, Direction::SendRecv, &sdp(media)),
                Err(Refusal::NothingCommon),
                "{media}"
            );
        }
    }

    #[test]
    fn both_ends_of_our_own_words_agree() {
        let (a, mut b) = (local(), local());
        b.addr = "192.0.2.6:30000".parse().unwrap();
        for wish in [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive] {
            let offer = Sdp::parse(&offer(&a, 1, wish)).unwrap();
            let (text, theirs) = answer(&b, 1, Direction::SendRecv, &offer).unwrap();
            let ours = read_answer(&a, wish, &Sdp::parse(&text).unwrap()).unwrap();
            assert_eq!((ours.direction, ours.remote), (wish, Some(b.addr)));
            assert_eq!(theirs.direction, meet(wish, Direction::SendRecv));
            assert_eq!((ours.event_pt, ours.send_event_pt), (Some(OUR_EVENTS), theirs.event_pt));
        }
    }

    #[test]
    fn hold_by_the_old_way() {
        let theirs = sdp("m=audio 4000 RTP/AVP 8\r\nc=IN IP4 0.0.0.0\r\na=rtcp:4009\r\n");
        let (_, agreed) = answer(&local(), 1, Direction::SendRecv, &theirs).unwrap();
        assert!(agreed.is_held() && agreed.remote.is_none() && agreed.remote_rtcp.is_none());
    }

    proptest! {
        /// Whatever is offered, an answer has a line for each of the offer's, and reads back (`attacks.md` S8).
        #[test]
        fn an_answer_fits_its_offer(lines in prop::collection::vec((0..3_u8, 0..3_u16, prop::collection::vec(0..128_u8, 1..6)), 1..16)) {
            let mut media = String::new();
            for (kind, port, formats) in &lines {
                let kind = ["audio", "video", "image"][usize::from(*kind)];
                let formats: String = formats.iter().map(|f| format!(" {f}")).collect();
                media.push_str(&format!("m={kind} {} RTP/AVP{formats}\r\n", port * 1000));
            }
            let theirs = sdp(&media);
            if let Ok((text, agreed)) = answer(&local(), 1, Direction::SendRecv, &theirs) {
                let ours = Sdp::parse(&text).unwrap();
                prop_assert_eq!(ours.media.len(), lines.len());
                prop_assert_eq!(ours.media.iter().filter(|m| m.port != 0).count(), 1);
                prop_assert!(theirs.media.iter().any(|m| m.payload_types().any(|pt| pt == agreed.send_pt)));
            }
        }
    }
}
