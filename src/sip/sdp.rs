//! Session descriptions (RFC 8866) as far as telephony over RTP needs them, read with limits.

use crate::media::seam::Codec;
use crate::sip::seam::Direction;
use std::net::IpAddr;

/// Media lines and formats of one (`attacks.md` S8), lines of one description.
const MOST_MEDIA: usize = 16;
const MOST_FORMATS: usize = 64;
const MOST_LINES: usize = 512;

/// A description that cannot be read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad session description: {0}")]
pub struct Unreadable(pub &'static str);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sdp {
    pub media: Vec<Media>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `video`, `image`…
    pub kind: String,
    pub port: u16,
    /// `RTP/AVP`, `RTP/SAVP`…
    pub proto: String,
    /// Formats as written.
    pub formats: Vec<String>,
    /// Where to send; `None`: a name, which we do not look up.
    pub address: Option<IpAddr>,
    pub direction: Direction,
    /// By `a=rtcp` (RFC 3605).
    pub rtcp: Option<(u16, Option<IpAddr>)>,
    maps: Vec<Map>,
}

/// One `a=rtpmap`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Map {
    pt: u8,
    name: String,
    rate: u32,
    channels: u32,
}

impl Sdp {
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        // They may stand in no line (RFC 8866 §9), and what of theirs we repeat goes into our answer.
        if text.bytes().any(|b| (b < b' ' && !matches!(b, b'\r' | b'\n' | b'\t')) || b == 0x7f) {
            return Err(Unreadable("control character"));
        }
        let mut lines = text
            .split('\n')
            .map(|line| line.strip_suffix('\r').unwrap_or(line))
            .filter(|line| !line.is_empty());
        if lines.next() != Some("v=0") {
            return Err(Unreadable("no v=0"));
        }
        let (mut address, mut direction, mut media) = (None, None, Vec::<Media>::new());
        let mut origin = false;
        for (count, line) in lines.enumerate() {
            if count >= MOST_LINES {
                return Err(Unreadable("too many lines"));
            }
            if line.contains('\r') {
                return Err(Unreadable("control character"));
            }
            let Some((kind, value)) = line.split_once('=').filter(|(kind, _)| kind.len() == 1) else {
                return Err(Unreadable("a line without its letter"));
            };
            match (kind, media.last_mut()) {
                ("o", None) => origin = true,
                ("c", None) => address = Some(connection(value)?),
                ("c", Some(m)) => m.address = connection(value)?,
                ("a", None) => direction = as_direction(value).or(direction),
                ("a", Some(m)) => {
                    if let Some(d) = as_direction(value) {
                        m.direction = d;
                    } else {
                        m.attribute(value)?;
                    }
                }
                ("m", _) => {
                    if media.len() >= MOST_MEDIA {
                        return Err(Unreadable("too many media lines"));
                    }
                    let mut next = Media::parse(value)?;
                    next.address = address.flatten();
                    next.direction = direction.unwrap_or(Direction::SendRecv);
                    media.push(next);
                }
                _ => {}
            }
        }
        if !origin {
            return Err(Unreadable("no o="));
        }
        if media.is_empty() {
            return Err(Unreadable("no m="));
        }
        Ok(Self { media })
    }
}

impl Media {
    fn parse(value: &str) -> Result<Self, Unreadable> {
        let bad = Unreadable("bad m=");
        let mut words = value.split([' ', '\t']).filter(|w| !w.is_empty());
        let kind = words.next().ok_or(bad)?;
        // `port/count` is for layered media; the first port counts.
        let port = words.next().and_then(|p| p.split('/').next()).ok_or(bad)?;
        let port = digits(port).ok_or(bad)?;
        let proto = words.next().ok_or(bad)?;
        let formats: Vec<String> = words.map(str::to_owned).collect();
        if formats.len() > MOST_FORMATS {
            return Err(Unreadable("too many formats"));
        }
        // A line without formats says nothing; a switched-off one may.
        if formats.is_empty() && port != 0 {
            return Err(Unreadable("m= without formats"));
        }
        Ok(Self {
            kind: kind.to_owned(),
            port,
            proto: proto.to_owned(),
            formats,
            address: None,
            direction: Direction::SendRecv,
            rtcp: None,
            maps: Vec::new(),
        })
    }

    fn attribute(&mut self, value: &str) -> Result<(), Unreadable> {
        if let Some(map) = value.strip_prefix("rtpmap:") {
            let bad = Unreadable("bad rtpmap");
            let (pt, rest) = map.trim().split_once(' ').ok_or(bad)?;
            let pt: u8 = digits(pt).ok_or(bad)?;
            let mut parts = rest.trim().split('/');
            let name = parts.next().filter(|n| !n.is_empty()).ok_or(bad)?;
            let rate = parts.next().and_then(|r| digits(r.trim())).ok_or(bad)?;
            let channels = parts.next().map_or(Some(1), |c| digits(c.trim())).ok_or(bad)?;
            if self.maps.len() < 2 * MOST_FORMATS {
                self.maps.push(Map { pt, name: name.to_owned(), rate, channels });
            }
        } else if let Some(rtcp) = value.strip_prefix("rtcp:") {
            let mut words = rtcp.split(' ');
            let port = words.next().and_then(digits).ok_or(Unreadable("bad rtcp"))?;
            let address = match (words.next(), words.next(), words.next()) {
                (Some("IN"), Some("IP4" | "IP6"), Some(ip)) => ip.parse().ok(),
                _ => None,
            };
            self.rtcp = Some((port, address));
        }
        Ok(())
    }

    /// Payload types the line offers, in its order. Types over 127 are no payload types.
    pub fn payload_types(&self) -> impl Iterator<Item = u8> + '_ {
        self.formats.iter().filter_map(|f| digits::<u8>(f)).filter(|pt| *pt < 128)
    }

    /// Of two maps for one type the first counts, whoever asks: speech and keys never share a number.
    fn map(&self, pt: u8) -> Option<&Map> {
        self.maps.iter().find(|map| map.pt == pt)
    }

    /// What we know this payload type as.
    pub fn codec(&self, pt: u8) -> Option<Codec> {
        match self.map(pt) {
            Some(map) if map.rate != 8000 || map.channels != 1 => None,
            Some(map) if map.name.eq_ignore_ascii_case("PCMA") => Some(Codec::Pcma),
            Some(map) if map.name.eq_ignore_ascii_case("PCMU") => Some(Codec::Pcmu),
            Some(_) => None,
            // Static types need no map (RFC 3551 §6).
            None => [Codec::Pcma, Codec::Pcmu].into_iter().find(|codec| codec.payload_type() == pt),
        }
    }

    /// The payload type of telephone-event at 8 kHz (RFC 4733).
    pub fn events(&self) -> Option<u8> {
        let is_events = |map: &Map| map.rate == 8000 && map.name.eq_ignore_ascii_case("telephone-event");
        self.payload_types().find(|pt| self.map(*pt).is_some_and(is_events))
    }

    pub fn is_plain_audio(&self) -> bool {
        self.kind == "audio" && self.port != 0 && matches!(self.proto.as_str(), "RTP/AVP" | "RTP/AVPF")
    }
}

/// A number of digits alone: no sign.
fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn connection(value: &str) -> Result<Option<IpAddr>, Unreadable> {
    let bad = Unreadable("bad c=");
    let mut words = value.split(' ').filter(|w| !w.is_empty());
    let (Some("IN"), Some("IP4" | "IP6"), Some(address)) = (words.next(), words.next(), words.next()) else {
        return Err(bad);
    };
    // A multicast address carries `/ttl`.
    Ok(address.split('/').next().and_then(|a| a.parse().ok()))
}

fn as_direction(value: &str) -> Option<Direction> {
    match value.trim() {
        "sendrecv" => Some(Direction::SendRecv),
        "sendonly" => Some(Direction::SendOnly),
        "recvonly" => Some(Direction::RecvOnly),
        "inactive" => Some(Direction::Inactive),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";

    #[test]
    fn an_offer_of_a_carrier() {
        let text = format!(
            "{HEAD}a=sendonly\r\nm=audio 49170 RTP/AVP 18 96 0 101\r\na=rtpmap:96 pcma/8000/1\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=rtcp:49180 IN IP4 192.0.2.9\r\nm=video 0 RTP/AVP\r\nc=IN IP6 ::1\r\na=recvonly\r\n"
        );
        let sdp = Sdp::parse(&text).unwrap();
        let audio = &sdp.media[0];
        assert!(audio.is_plain_audio() && !sdp.media[1].is_plain_audio());
        assert_eq!(
            (audio.codec(96), audio.codec(0), audio.codec(18)),
            (Some(Codec::Pcma), Some(Codec::Pcmu), None)
        );
        assert_eq!((audio.events(), audio.direction), (Some(101), Direction::SendOnly));
        assert_eq!(audio.rtcp, Some((49180, "192.0.2.9".parse().ok())));
        assert_eq!(sdp.media[1].address, "::1".parse().ok());
    }

    /// `attacks.md` S8.
    #[test]
    fn what_is_unreadable() {
        let with = |media: &str| Sdp::parse(&format!("{HEAD}{media}")).map(|_| ());
        for bad in [
            "",
            "m=audio",
            "m=audio x RTP/AVP 0\r\n",
            "m=audio 70000 RTP/AVP 0\r\n",
            "m=audio +1 RTP/AVP 0\r\n",
            "m=audio 1 RTP/AVP\r\n",
            "m=audio 1 RTP/AVP 0\r\na=rtpmap:0\r\n",
            "m=audio 1 RTP/AVP 0\r\na=rtpmap:0 PCMU\r\n",
            "m=audio 1 RTP/AVP 0\r\nnothing\r\n",
            "m=audio 1 RTP/AVP 0\r\nc=IN IP4\r\n",
            "m=audio 1 RTP/AVP 0\r\na=rtpmap:999 PCMU/8000\r\n",
            "m=audio 1 RTP/AVP 0\r\na=rtpmap:+0 PCMU/8000\r\n",
            "m=audio\r 1 RTP/AVP 0\r\n",
            "m=audio\0 1 RTP/AVP 0\r\n",
            "m=audio 1 RTP/AVP 0\x1b\r\n",
        ] {
            assert!(with(bad).is_err(), "{bad}");
        }
        assert!(Sdp::parse("").is_err() && Sdp::parse("v=1\r\n").is_err());
        assert!(with(&"m=audio 1 RTP/AVP 0\r\n".repeat(16)).is_ok());
        assert!(with(&"m=audio 1 RTP/AVP 0\r\n".repeat(17)).is_err());
        assert!(with(&format!("m=audio 1 RTP/AVP{}\r\n", " 0".repeat(64))).is_ok());
        assert!(with(&format!("m=audio 1 RTP/AVP{}\r\n", " 0".repeat(65))).is_err());
        assert!(
            with("m=audio 1 RTP/AVP 0\r\na=fmtp:96 x\r\n").is_ok(),
            "an fmtp for an absent type says nothing"
        );
    }

    #[test]
    fn keys_and_speech_never_share_a_payload_type() {
        let text = format!(
            "{HEAD}m=audio 1 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:8 telephone-event/8000\r\n"
        );
        let audio = &Sdp::parse(&text).unwrap().media[0];
        assert_eq!((audio.codec(8), audio.events()), (Some(Codec::Pcma), None));
    }

    #[test]
    fn a_name_instead_of_an_address_is_not_looked_up() {
        let sdp =
            Sdp::parse("v=0\no=- 1 1 IN IP4 a\ns=-\nc=IN IP4 media.example\nt=0 0\nm=audio 9 RTP/AVP 0\n")
                .unwrap();
        assert_eq!(sdp.media[0].address, None);
    }
}
