//! Who may send to a browser's port (`attacks.md` M5, W4): STUN requests that name our own ufrag; and everything else — answers to
//! our own checks, DTLS, SRTP and SRTCP — only from an address that has passed a connectivity check with our password.
//!
//! Passing a check is seen from outside: our ICE agent answers a request with a success response only after its
//! MESSAGE-INTEGRITY was right, so the destination of such a response is proven.

use std::net::SocketAddr;

/// Addresses proven at a time; the oldest makes room. A browser uses a pair for each of its interfaces at first.
const PROVEN: usize = 8;
/// A binding request with all that ICE puts into it is below 200 bytes.
const STUN_LONGEST: usize = 600;
const STUN_HEADER: usize = 20;
const COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_INDICATION: u16 = 0x0011;
const BINDING_SUCCESS: u16 = 0x0101;
const BINDING_ERROR: u16 = 0x0111;
const USERNAME: u16 = 0x0006;

/// Why a datagram is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not STUN, from an address that has proven nothing.
    Stranger,
    /// STUN that is malformed, not a binding request, or meant for somebody else.
    Stun,
}

#[derive(Clone, Debug)]
pub struct Gate {
    ufrag: String,
    /// The latest last.
    proven: Vec<SocketAddr>,
}

impl Gate {
    /// `ufrag`: ours, as the answer tells it.
    pub fn new(ufrag: String) -> Self {
        Self { ufrag, proven: Vec::with_capacity(PROVEN) }
    }

    /// A datagram that we send.
    pub fn outgoing(&mut self, datagram: &[u8], to: SocketAddr) {
        if stun_type(datagram) == Some(BINDING_SUCCESS) && self.proven.last() != Some(&to) {
            self.proven.retain(|known| *known != to);
            if self.proven.len() == PROVEN {
                self.proven.remove(0);
            }
            self.proven.push(to);
        }
    }

    /// A datagram that has come. Costs no more for a long or hostile one than for any other.
    pub fn incoming(&self, datagram: &[u8], from: SocketAddr) -> Result<(), Refusal> {
        match datagram.first() {
            Some(0..=3) => self.is_for_us(datagram, from).then_some(()).ok_or(Refusal::Stun),
            Some(_) if self.proven.contains(&from) => Ok(()),
            _ => Err(Refusal::Stranger),
        }
    }

    /// A lite agent checks only an address that has checked it before, so nobody else can have an answer for it.
    fn is_for_us(&self, datagram: &[u8], from: SocketAddr) -> bool {
        if datagram.len() > STUN_LONGEST {
            return false;
        }
        match stun_type(datagram) {
            Some(BINDING_INDICATION | BINDING_SUCCESS | BINDING_ERROR) => self.proven.contains(&from),
            Some(BINDING_REQUEST) => {
                let name = attribute(datagram, USERNAME).unwrap_or_default();
                name.strip_prefix(self.ufrag.as_bytes()).is_some_and(|rest| rest.first() == Some(&b':'))
            }
            _ => false,
        }
    }
}

/// The type of a STUN message whose length is its own (RFC 8489 section 5).
fn stun_type(datagram: &[u8]) -> Option<u16> {
    let head = datagram.get(..STUN_HEADER)?;
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let whole = length.is_multiple_of(4) && STUN_HEADER + length == datagram.len();
    (whole && head[4..8] == COOKIE).then(|| u16::from_be_bytes([head[0], head[1]]))
}

/// The value of the first attribute of a kind.
fn attribute(datagram: &[u8], kind: u16) -> Option<&[u8]> {
    let mut rest = datagram.get(STUN_HEADER..)?;
    while let Some((head, body)) = rest.split_first_chunk::<4>() {
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let value = body.get(..length)?;
        if u16::from_be_bytes([head[0], head[1]]) == kind {
            return Some(value);
        }
        rest = body.get(length.next_multiple_of(4)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stun(kind: u16, username: Option<&str>) -> Vec<u8> {
        let mut body = vec![0x80, 0x22, 0, 3, b'x', b'y', b'z', 0];
        if let Some(name) = username {
            body.extend(USERNAME.to_be_bytes());
            body.extend((name.len() as u16).to_be_bytes());
            body.extend(name.as_bytes());
            body.resize(body.len().next_multiple_of(4), 0);
        }
        let mut message = kind.to_be_bytes().to_vec();
        message.extend((body.len() as u16).to_be_bytes());
        message.extend(COOKIE);
        message.extend([7; 12]);
        message.extend(body);
        message
    }
    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }
    /// The start of a ClientHello, of SRTP and of SRTCP.
    const SOUND: [&[u8]; 3] = [&[22, 254, 253, 0, 0], &[0x80, 8, 0, 1], &[0x80, 201, 0, 1]];

    #[test]
    fn dtls_and_sound_only_from_who_has_had_our_success_response() {
        let mut gate = Gate::new("ours".into());
        for datagram in SOUND {
            assert_eq!(gate.incoming(datagram, at(1)), Err(Refusal::Stranger));
        }
        // An error response proves nothing, nor does a success from outside.
        gate.outgoing(&stun(BINDING_ERROR, None), at(1));
        assert_eq!(gate.incoming(&stun(BINDING_SUCCESS, None), at(1)), Err(Refusal::Stun));
        assert_eq!(gate.incoming(SOUND[0], at(1)), Err(Refusal::Stranger));
        gate.outgoing(&stun(BINDING_SUCCESS, None), at(1));
        for kind in [BINDING_SUCCESS, BINDING_ERROR, BINDING_INDICATION] {
            assert_eq!(gate.incoming(&stun(kind, None), at(1)), Ok(()));
            assert_eq!(gate.incoming(&stun(kind, None), at(2)), Err(Refusal::Stun));
        }
        for datagram in SOUND {
            assert_eq!(gate.incoming(datagram, at(1)), Ok(()));
            assert_eq!(gate.incoming(datagram, at(2)), Err(Refusal::Stranger));
        }
        assert_eq!(gate.incoming(&[], at(1)), Err(Refusal::Stranger));
    }

    #[test]
    fn a_request_is_let_in_by_our_ufrag() {
        let gate = Gate::new("ours".into());
        for (message, verdict) in [
            (stun(BINDING_REQUEST, Some("ours:theirs")), Ok(())),
            (stun(BINDING_INDICATION, None), Err(Refusal::Stun)),
            (stun(BINDING_REQUEST, Some("other:theirs")), Err(Refusal::Stun)),
            (stun(BINDING_REQUEST, Some("ours")), Err(Refusal::Stun)),
            (stun(BINDING_REQUEST, Some("oursx:theirs")), Err(Refusal::Stun)),
            (stun(BINDING_REQUEST, None), Err(Refusal::Stun)),
            (stun(0x0003, Some("ours:theirs")), Err(Refusal::Stun)),
            (stun(BINDING_ERROR, Some("ours:theirs")), Err(Refusal::Stun)),
        ] {
            assert_eq!(gate.incoming(&message, at(9)), verdict, "{message:?}");
        }
        let long = format!("ours:{}", "x".repeat(600));
        assert_eq!(gate.incoming(&stun(BINDING_REQUEST, Some(&long)), at(9)), Err(Refusal::Stun));
    }

    #[test]
    fn the_oldest_address_makes_room() {
        let mut gate = Gate::new("ours".into());
        for port in 1..=9 {
            gate.outgoing(&stun(BINDING_SUCCESS, None), at(port));
        }
        assert_eq!(gate.incoming(SOUND[0], at(1)), Err(Refusal::Stranger));
        assert_eq!(gate.incoming(SOUND[0], at(2)), Ok(()));
        // One that is proven again is the youngest.
        gate.outgoing(&stun(BINDING_SUCCESS, None), at(2));
        gate.outgoing(&stun(BINDING_SUCCESS, None), at(10));
        assert_eq!(gate.incoming(SOUND[0], at(2)), Ok(()));
        assert_eq!(gate.incoming(SOUND[0], at(3)), Err(Refusal::Stranger));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_answered_and_a_stranger_passes_nothing_but_stun(
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..80), cut in 0_usize..60,
        ) {
            let gate = Gate::new("ours".into());
            if gate.incoming(&bytes, at(1)).is_ok() {
                proptest::prop_assert!(bytes[0] < 4);
            }
            let whole = stun(BINDING_REQUEST, Some("ours:theirs"));
            let part = &whole[..cut.min(whole.len() - 1)];
            proptest::prop_assert!(gate.incoming(part, at(1)).is_err());
        }
    }
}
