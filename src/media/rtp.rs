//! RTP packets (RFC 3550 section 5.1): read within their bounds, written into a buffer.

/// What a packet's header says, and where its sound is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    pub marker: bool,
    pub payload_type: u8,
    pub seq: u16,
    /// In samples.
    pub timestamp: u32,
    pub ssrc: u32,
    /// Without contributing sources, extension and padding.
    pub payload: &'a [u8],
}

/// Why bytes are no RTP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Bad {
    #[error("shorter than its own header")]
    Short,
    #[error("not version 2")]
    Version,
    #[error("an RTCP packet (RFC 5761 section 4)")]
    Rtcp,
    #[error("the padding's length is not within the packet")]
    Padding,
}

/// Bytes of the header we write: no contributing sources, no extension.
pub const HEADER: usize = 12;

/// Reads one packet. Never looks beyond `bytes`; costs the same whatever they hold.
pub fn read(bytes: &[u8]) -> Result<Packet<'_>, Bad> {
    let (head, mut rest) = bytes.split_at_checked(HEADER).ok_or(Bad::Short)?;
    if head[0] >> 6 != 2 {
        return Err(Bad::Version);
    }
    if is_rtcp(bytes) {
        return Err(Bad::Rtcp);
    }
    let sources = usize::from(head[0] & 0x0F) * 4;
    rest = rest.get(sources..).ok_or(Bad::Short)?;
    if head[0] & 0x10 != 0 {
        let words = rest.get(2..4).ok_or(Bad::Short)?;
        let length = 4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]));
        rest = rest.get(length..).ok_or(Bad::Short)?;
    }
    if head[0] & 0x20 != 0 {
        let padding = usize::from(*rest.last().ok_or(Bad::Padding)?);
        let kept = rest.len().checked_sub(padding).filter(|_| padding > 0).ok_or(Bad::Padding)?;
        rest = &rest[..kept];
    }
    Ok(Packet {
        marker: head[1] & 0x80 != 0,
        payload_type: head[1] & 0x7F,
        seq: u16::from_be_bytes([head[2], head[3]]),
        timestamp: u32::from_be_bytes([head[4], head[5], head[6], head[7]]),
        ssrc: u32::from_be_bytes([head[8], head[9], head[10], head[11]]),
        payload: rest,
    })
}

/// RTCP on the RTP port: the second byte is one of its types (RFC 5761 section 4).
pub fn is_rtcp(bytes: &[u8]) -> bool {
    matches!(bytes.get(1), Some(192..=223))
}

/// Writes a header into the first [`HEADER`] bytes.
pub fn write(into: &mut [u8; HEADER], marker: bool, payload_type: u8, seq: u16, timestamp: u32, ssrc: u32) {
    into[0] = 0x80;
    into[1] = (u8::from(marker) << 7) | (payload_type & 0x7F);
    into[2..4].copy_from_slice(&seq.to_be_bytes());
    into[4..8].copy_from_slice(&timestamp.to_be_bytes());
    into[8..12].copy_from_slice(&ssrc.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> Vec<u8> {
        let mut bytes = [0; HEADER];
        write(&mut bytes, true, 8, 65_535, 0xDEAD_BEEF, 7);
        let mut bytes = bytes.to_vec();
        bytes.extend([1, 2, 3, 4]);
        bytes
    }

    #[test]
    fn what_was_written_is_read() {
        let bytes = plain();
        let packet = read(&bytes).unwrap();
        let want = Packet {
            marker: true,
            payload_type: 8,
            seq: 65_535,
            timestamp: 0xDEAD_BEEF,
            ssrc: 7,
            payload: &[1, 2, 3, 4],
        };
        assert_eq!(packet, want);
    }

    #[test]
    fn sources_extension_and_padding_are_cut_off() {
        let mut bytes = plain()[..HEADER].to_vec();
        bytes[0] = 0x80 | 0x20 | 0x10 | 2;
        bytes.extend([0; 8]);
        bytes.extend([0xBE, 0xDE, 0, 1, 9, 9, 9, 9]);
        bytes.extend([5, 6, 7, 0, 0, 3]);
        assert_eq!(read(&bytes).unwrap().payload, &[5, 6, 7]);
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        for (what, change, want) in [
            ("empty", Box::new(|b: &mut Vec<u8>| b.clear()) as Box<dyn Fn(&mut Vec<u8>)>, Bad::Short),
            ("eleven bytes", Box::new(|b: &mut Vec<u8>| b.truncate(11)), Bad::Short),
            ("version 1", Box::new(|b: &mut Vec<u8>| b[0] = 0x40), Bad::Version),
            ("version 0, as STUN", Box::new(|b: &mut Vec<u8>| b[0] = 0), Bad::Version),
            ("fifteen sources", Box::new(|b: &mut Vec<u8>| b[0] = 0x8F), Bad::Short),
            ("extension without room", Box::new(|b: &mut Vec<u8>| b[0] = 0x90), Bad::Short),
            (
                "padding of zero",
                Box::new(|b: &mut Vec<u8>| {
                    b[0] = 0xA0;
                    *b.last_mut().unwrap() = 0
                }),
                Bad::Padding,
            ),
            (
                "padding beyond",
                Box::new(|b: &mut Vec<u8>| {
                    b[0] = 0xA0;
                    *b.last_mut().unwrap() = 5
                }),
                Bad::Padding,
            ),
            (
                "padding of nothing",
                Box::new(|b: &mut Vec<u8>| {
                    b[0] = 0xA0;
                    b.truncate(12)
                }),
                Bad::Padding,
            ),
            ("a sender report", Box::new(|b: &mut Vec<u8>| b[1] = 200), Bad::Rtcp),
        ] {
            let mut bytes = plain();
            change(&mut bytes);
            assert_eq!(read(&bytes), Err(want), "{what}");
        }
        let mut huge = plain();
        huge[0] = 0x90;
        huge[14] = 0xFF;
        huge[15] = 0xFF;
        assert_eq!(read(&huge), Err(Bad::Short), "extension bomb");
    }
}
