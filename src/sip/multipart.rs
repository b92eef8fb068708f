//! Multipart bodies (RFC 2046 §5.1, RFC 5621): the one part we read is the session description.

use super::header::{HeaderName, Params, trim};
use super::stream::find;

/// Parts looked at.
const MOST_PARTS: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    Sdp(&'a [u8]),
    /// Well-formed, and nothing of it is a session description.
    None,
    /// No boundary, an unclosed one, a part without end: nothing of it is believed (`attacks.md` S7).
    Broken,
}

/// `params`: those of the Content-Type `multipart/…`.
pub fn sdp_part<'a>(params: Params<'_>, body: &'a [u8]) -> Part<'a> {
    let Some(boundary) = params.get("boundary").filter(|b| !b.is_empty() && b.len() <= 70) else {
        return Part::Broken;
    };
    let delimiter = format!("--{boundary}");
    let Some(mut at) = first_delimiter(body, delimiter.as_bytes()) else { return Part::Broken };
    let mut found = Part::None;
    let inner = format!("\r\n{delimiter}");
    for _ in 0..MOST_PARTS {
        let rest = &body[at..];
        if rest.starts_with(b"--") {
            return found;
        }
        let Some(line_end) =
            find(rest, b"\r\n").filter(|end| rest[..*end].iter().all(|b| matches!(b, b' ' | b'\t')))
        else {
            return Part::Broken;
        };
        // A part may be empty: its delimiter follows at once.
        let part = &rest[line_end..];
        let Some(end) = find(part, inner.as_bytes()) else { return Part::Broken };
        if let (Part::None, Some(sdp)) = (found, sdp_of(part.get(2..end).unwrap_or(&[]))) {
            found = Part::Sdp(sdp);
        }
        at += line_end + end + inner.len();
    }
    Part::Broken
}

fn first_delimiter(body: &[u8], delimiter: &[u8]) -> Option<usize> {
    if body.starts_with(delimiter) {
        return Some(delimiter.len());
    }
    let mut lead = b"\r\n".to_vec();
    lead.extend_from_slice(delimiter);
    find(body, &lead).map(|at| at + lead.len())
}

/// The part's body when its type is application/sdp.
fn sdp_of(part: &[u8]) -> Option<&[u8]> {
    // A part without headers begins with its empty line.
    let (head, body) = match find(part, b"\r\n\r\n") {
        Some(at) if !part.starts_with(b"\r\n") => (&part[..at], &part[at + 4..]),
        _ => return None,
    };
    let head = std::str::from_utf8(head).ok()?;
    head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_type = HeaderName::read(trim(name).as_bytes()) == HeaderName::ContentType;
        let kind = value.split(';').next().map(trim)?;
        (is_type && kind.eq_ignore_ascii_case("application/sdp")).then_some(body)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(params: &str, body: &'a str) -> Part<'a> {
        sdp_part(Params::parse(params).unwrap(), body.as_bytes())
    }

    #[test]
    fn the_description_is_found_among_others() {
        let body = "preamble\r\n--b1 \r\nContent-Type: text/plain\r\n\r\nhi\r\n--b1\r\nc: Application/SDP\r\nContent-ID: x\r\n\r\nv=0\r\n\r\n--b1--\r\nepilogue";
        assert_eq!(read(";boundary=\"b1\"", body), Part::Sdp(b"v=0\r\n"));
    }

    /// `attacks.md` S7.
    #[test]
    fn fifteen_that_hold_nothing() {
        let none = [
            "--b\r\n\r\n--b--",
            "--b\r\n\r\nx\r\n--b--",
            "--b--",
            "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--",
            "--b\r\nContent-Type: application/sdp\r\n--b--",
            "--b\r\n\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b--",
        ];
        for body in none {
            assert_eq!(read(";boundary=b", body), Part::None, "{body:?}");
        }
        let broken = [
            "",
            "x",
            "--b",
            "--b\r\n",
            "--b\r\nContent-Type: application/sdp\r\n\r\nv=0",
            "--bx\r\n\r\n--bx--",
            "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--c--",
            "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b",
        ];
        for body in broken {
            assert_eq!(read(";boundary=b", body), Part::Broken, "{body:?}");
        }
        assert_eq!(read("", "--b--"), Part::Broken);
        assert_eq!(read(";boundary=\"\"", "----"), Part::Broken);
        assert_eq!(read(";boundary=b", &format!("{}--b--", "--b\r\n\r\nx\r\n".repeat(40))), Part::Broken);
    }
}
