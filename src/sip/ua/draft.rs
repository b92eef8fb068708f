//! Messages of ours, written once into one buffer.
//!
//! Values copied from a peer's message are single lines already: the reader unfolds and refuses bare CR and LF.

use bytes::Bytes;
use std::fmt::Display;
use std::io::Write;

/// Methods we answer, for Allow.
pub(super) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, REGISTER";
/// Extensions we know, for Supported.
pub(super) const SUPPORTED: &str = "100rel, timer, replaces";

#[derive(Debug)]
pub(super) struct Draft(Vec<u8>);

impl Draft {
    /// `head` is what [`super::view::Request::head`] made: Via to CSeq, each with its line end.
    pub fn response(status: u16, head: &[u8]) -> Self {
        let mut text = Vec::with_capacity(head.len() + 700);
        text.extend_from_slice(b"SIP/2.0 ");
        put(&mut text, status);
        text.push(b' ');
        text.extend_from_slice(reason_phrase(status).as_bytes());
        text.extend_from_slice(b"\r\n");
        text.extend_from_slice(head);
        Self(text)
    }
    pub fn request(method: &str, uri: &str) -> Self {
        let mut text = Vec::with_capacity(1200);
        text.extend_from_slice(method.as_bytes());
        text.push(b' ');
        text.extend_from_slice(uri.as_bytes());
        text.extend_from_slice(b" SIP/2.0\r\n");
        Self(text)
    }
    pub fn line(mut self, name: &str, value: impl Display) -> Self {
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b": ");
        put(&mut self.0, value);
        self.0.extend_from_slice(b"\r\n");
        self
    }
    pub fn maybe(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.line(name, value),
            None => self,
        }
    }
    /// Whole lines, each with its line end.
    pub fn lines(mut self, lines: &[u8]) -> Self {
        self.0.extend_from_slice(lines);
        self
    }
    pub fn bare(mut self) -> Bytes {
        self.0.extend_from_slice(b"Content-Length: 0\r\n\r\n");
        self.0.into()
    }
    pub fn body(self, kind: &str, body: &[u8]) -> Bytes {
        let mut whole = self.line("Content-Type", kind).line("Content-Length", body.len()).0;
        whole.extend_from_slice(b"\r\n");
        whole.extend_from_slice(body);
        whole.into()
    }
    pub fn sdp(self, sdp: Option<&str>) -> Bytes {
        match sdp {
            Some(sdp) => self.body("application/sdp", sdp.as_bytes()),
            None => self.bare(),
        }
    }
}

fn put(into: &mut Vec<u8>, value: impl Display) {
    // Writing into a Vec cannot fail.
    let _ = write!(into, "{value}");
}

/// RFC 3261 §21 and the extensions' own phrases.
pub(super) fn reason_phrase(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        180 => "Ringing",
        181 => "Call Is Being Forwarded",
        182 => "Queued",
        183 => "Session Progress",
        200 => "OK",
        202 => "Accepted",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        413 => "Request Entity Too Large",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        421 => "Extension Required",
        422 => "Session Interval Too Small",
        423 => "Interval Too Brief",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        491 => "Request Pending",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        600 => "Busy Everywhere",
        603 => "Decline",
        _ => match status / 100 {
            1 => "Progress",
            2 => "Success",
            3 => "Redirection",
            4 => "Request Failure",
            5 => "Server Failure",
            _ => "Global Failure",
        },
    }
}
