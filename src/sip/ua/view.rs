//! A message as the user agent reads it: what every check needs is read once, the rest when asked. Answers to it.

use super::chance::Mark;
use super::core::TxId;
use super::draft::{ALLOW, Draft};
use super::inside::InfoBody;
use super::session::Cx;
use crate::base::Digit;
use crate::sip::header::{
    self, AuthParams, CSeq, HeaderName, Host, NameAddr, Params, RAck, Reason, Refresher, SessionExpires, Uri,
    Via, number,
};
pub(super) use crate::sip::message::Text;
use crate::sip::message::{Message, Refused, Start};
pub(super) use crate::sip::method::Method;
use crate::sip::multipart::{self, Part};
use crate::sip::seam::{Flow, Packet};
use bytes::Bytes;
use std::borrow::Cow;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::net::{IpAddr, SocketAddr};

/// Longest tag, branch and Call-ID (`attacks.md` S4), bytes.
const LONGEST_ID: usize = 1024;
/// Proxies of one route set; each is kept as long as its session (`attacks.md` S6).
const MOST_ROUTES: usize = 32;

/// What a body is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body<'t> {
    None,
    Sdp(&'t str),
    /// A multipart body that cannot be divided.
    Broken,
    Other,
}

#[derive(Debug)]
pub(super) struct View<'t> {
    pub flow: Flow,
    /// 0 of a request.
    pub status: u16,
    /// Of a response: its CSeq's.
    pub method: Method,
    /// Request-URI; empty of a response.
    pub uri: &'t str,
    pub from: &'t str,
    pub to: &'t str,
    pub from_tag: Option<&'t str>,
    pub to_tag: Option<&'t str>,
    pub call_id: &'t str,
    pub cseq: u32,
    /// Bytes that were not UTF-8 have been replaced.
    pub replaced: bool,
    pub message: Message<'t>,
    via: Via<'t>,
    sdp: Option<Cow<'t, str>>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    None,
    Sdp,
    Broken,
    Other,
}

/// A message that cannot be taken.
pub(super) struct Bad {
    pub status: u16,
    why: &'static str,
    /// Head and way of an answer, when it was a request and enough of it could be read.
    answer: Option<(Vec<u8>, Flow)>,
}

impl Bad {
    pub fn reply(self, cx: &mut Cx<'_>) {
        let Some((head, flow)) = self.answer else { return };
        let reason = self.why;
        let draft =
            Draft::response(self.status, &head).line("Warning", format_args!("399 hotline \"{reason}\""));
        let bytes = draft.line("Server", &cx.core.config.user_agent).bare();
        cx.core.counters.answer(self.status);
        cx.core.send(flow, bytes, cx.out);
    }
}

pub(super) fn read<'t>(packet: Packet<'_>, text: &'t Text<'_>) -> Result<View<'t>, Bad> {
    let (message, fits) = Message::read(text);
    let Some(message) = message else {
        let status = fits.err().map_or(400, |r| r.status);
        return Err(Bad { status, why: "not a SIP message", answer: None });
    };
    let refused = match fits {
        Ok(()) => match View::of(packet.flow, text.replaced, message) {
            Ok(view) => return Ok(view),
            Err((message, refused)) => (message, refused),
        },
        Err(refused) => (message, refused),
    };
    let (message, Refused { status, why }) = refused;
    Err(Bad { status, why, answer: lenient_head(&message, packet.flow) })
}

/// The head of an answer to a request whose headers are not all right: what is there, as it stands.
fn lenient_head(message: &Message<'_>, flow: Flow) -> Option<(Vec<u8>, Flow)> {
    let Start::Request { method, .. } = message.start else { return None };
    let top = message.values(HeaderName::Via).next()?;
    if method == "ACK" || !Via::is_answerable(top) {
        return None;
    }
    // Parameters may be what is wrong with it: without them the answer goes back to where the request came from.
    let via = Via::parse(top).or_else(|_| Via::parse(top.split(';').next().unwrap_or(""))).ok()?;
    let mut head = Vec::with_capacity(400);
    vias(&mut head, message, &via, flow);
    for name in [HeaderName::From, HeaderName::To, HeaderName::CallId, HeaderName::CSeq] {
        if let Some(value) = message.line(name) {
            let _ = write!(head, "{}: {value}\r\n", name.as_str()); // Writing into a Vec cannot fail.
        }
    }
    Some((head, answer_flow(&via, flow)))
}

/// RFC 3261 §18.2.2 and RFC 3581 §4: back by the connection, else to the source, at the port the sender asks for.
fn answer_flow(via: &Via<'_>, flow: Flow) -> Flow {
    match flow {
        Flow::Udp { socket, peer } if via.rport().is_none() => {
            Flow::Udp { socket, peer: SocketAddr::new(peer.ip(), via.port_or_default()) }
        }
        flow => flow,
    }
}

/// All Via lines; the top one with `received` and `rport` filled in.
fn vias(head: &mut Vec<u8>, message: &Message<'_>, top: &Via<'_>, flow: Flow) {
    let source = flow.peer();
    for (i, value) in message.values(HeaderName::Via).enumerate() {
        if i > 0 {
            let _ = write!(head, "Via: {value}\r\n"); // Writing into a Vec cannot fail.
            continue;
        }
        let sent_by = value.split(';').next().unwrap_or(value);
        let _ = write!(head, "Via: {}", header::trim(sent_by));
        for (name, value) in top.params.iter() {
            if name.eq_ignore_ascii_case("received") || name.eq_ignore_ascii_case("rport") {
                continue; // Ours to say, never the sender's.
            }
            let _ = write!(head, ";{name}");
            if let Some(value) = value {
                let _ = write!(head, "={value}");
            }
        }
        if top.rport().is_some() || top.host.ip() != Some(source.ip()) {
            let _ = write!(head, ";received={}", source.ip().to_canonical());
        }
        if top.rport().is_some() {
            let _ = write!(head, ";rport={}", source.port());
        }
        head.extend_from_slice(b"\r\n");
    }
}

impl<'t> View<'t> {
    fn of(flow: Flow, replaced: bool, message: Message<'t>) -> Result<Self, (Message<'t>, Refused)> {
        match Facts::read(&message) {
            Ok(facts) => {
                let (kind, sdp) = body_of(&message);
                let Facts { status, method, uri, from, to, from_tag, to_tag, call_id, cseq, via } = facts;
                Ok(Self {
                    flow,
                    status,
                    method,
                    uri,
                    from,
                    to,
                    from_tag,
                    to_tag,
                    call_id,
                    cseq,
                    replaced,
                    via,
                    sdp,
                    kind,
                    message,
                })
            }
            Err(refused) => Err((message, refused)),
        }
    }

    pub fn is_response(&self) -> bool {
        self.status != 0
    }
    /// The branch of a response's top Via, when it is one of ours.
    pub fn our_branch(&self) -> Option<Mark> {
        Mark::read(self.via.rfc3261_branch()?.get(7..)?)
    }

    // --- names of things (RFC 3261 §17.2.3, §8.2.2.2) --------------------------------------------------------

    /// What names the server transaction of this request; ACK and CANCEL ask for the INVITE's by `method`.
    pub fn key(&self, method: &str) -> Box<[u8]> {
        let mut key = Vec::with_capacity(96);
        let port = self.via.port.unwrap_or(0);
        // Writing into a Vec cannot fail.
        let _ = match self.via.rfc3261_branch() {
            Some(branch) => write!(key, "{branch}|{}:{port}|{method}", self.via.host),
            None => {
                let from = self.from_tag.unwrap_or("");
                let branch = self.via.branch().unwrap_or("");
                write!(
                    key,
                    "2543|{}|{from}|{}|{}|{}:{port}|{branch}|{method}",
                    self.uri, self.call_id, self.cseq, self.via.host
                )
            }
        };
        key.into_boxed_slice()
    }
    /// The same request by another way has the same mark.
    pub fn merge_mark(&self) -> Box<[u8]> {
        format!("{}|{}|{}|{}", self.call_id, self.from_tag.unwrap_or(""), self.cseq, self.method)
            .into_bytes()
            .into_boxed_slice()
    }

    /// Tells a request from another one of the same sender.
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.call_id, self.from_tag, self.cseq, self.method.as_str()).hash(&mut hasher);
        hasher.finish()
    }

    // --- headers ---------------------------------------------------------------------------------------------

    /// The URI of the first Contact, when it is one that requests can be sent to.
    pub fn contact(&self) -> Option<&'t str> {
        let value = self.message.values(HeaderName::Contact).next()?;
        let uri = NameAddr::parse(value).ok()?.uri;
        Uri::parse(uri).ok()?.host?;
        Some(uri)
    }
    /// Every Contact with its own expiry; `None` when one cannot be read.
    pub fn contacts(&self) -> Option<Vec<(String, Option<u32>)>> {
        self.message
            .values(HeaderName::Contact)
            .map(|value| {
                if value == "*" {
                    return Some(("*".to_owned(), None));
                }
                let address = NameAddr::parse(value).ok()?;
                Uri::parse(address.uri).ok()?;
                let expires = match address.params.token("expires") {
                    Some(text) => Some(number(text).ok()?),
                    None => None,
                };
                Some((address.uri.to_owned(), expires))
            })
            .collect()
    }
    fn number(&self, name: HeaderName) -> Option<u32> {
        number(self.message.line(name)?).ok()
    }
    pub fn expires(&self) -> Option<u32> {
        self.number(HeaderName::Expires)
    }
    pub fn min_expires(&self) -> Option<u32> {
        self.number(HeaderName::MinExpires)
    }
    pub fn rseq(&self) -> Option<u32> {
        self.number(HeaderName::RSeq)
    }
    /// RSeq and CSeq that a PRACK acknowledges.
    pub fn rack(&self) -> Option<(u32, u32)> {
        let rack = RAck::parse(self.message.line(HeaderName::RAck)?).ok()?;
        (rack.cseq.method == "INVITE").then_some((rack.rseq, rack.cseq.n))
    }
    /// Of a challenge: our credentials were right, their nonce too old (RFC 7616 §3.3).
    pub fn says_stale(&self) -> bool {
        let lines = [HeaderName::WwwAuthenticate, HeaderName::ProxyAuthenticate];
        lines.into_iter().flat_map(|name| self.message.lines_of(name)).any(|line| {
            let stale = AuthParams::parse(line).ok().and_then(|params| params.get("stale"));
            stale.is_some_and(|s| s.eq_ignore_ascii_case("true"))
        })
    }
    pub fn retry_after(&self) -> Option<u32> {
        header::retry_after(self.message.line(HeaderName::RetryAfter)?).ok()
    }
    pub fn min_se(&self) -> Option<u32> {
        header::min_se(self.message.line(HeaderName::MinSe)?).ok()
    }
    /// Seconds, and whether the request's sender is to refresh when that was said.
    pub fn session_expires(&self) -> Option<(u32, Option<bool>)> {
        let read = SessionExpires::parse(self.message.line(HeaderName::SessionExpires)?).ok()?;
        Some((read.s, read.refresher.map(|who| who == Refresher::Uac)))
    }
    /// The proxies that want to stay on the way, as they stand; `None` when one cannot be sent to.
    pub fn record_routes(&self) -> Option<Vec<&'t str>> {
        let routes = self.message.values(HeaderName::RecordRoute);
        routes.map(|route| Uri::parse(NameAddr::parse(route).ok()?.uri).ok()?.host.map(|_| route)).collect()
    }
    /// `None` when the peer has not said what it takes.
    pub fn allows_update(&self) -> Option<bool> {
        self.message
            .has(HeaderName::Allow)
            .then(|| self.message.values(HeaderName::Allow).any(|m| m == "UPDATE"))
    }
    pub fn supports(&self, tag: &str) -> bool {
        self.message.values(HeaderName::Supported).any(|t| t.eq_ignore_ascii_case(tag)) || self.requires(tag)
    }
    pub fn requires(&self, tag: &str) -> bool {
        self.message.values(HeaderName::Require).any(|t| t.eq_ignore_ascii_case(tag))
    }
    /// Extensions the peer insists on and we don't know.
    pub fn unsupported(&self) -> Option<String> {
        let known = |tag: &str| super::draft::SUPPORTED.split(", ").any(|k| k.eq_ignore_ascii_case(tag));
        let unknown: Vec<_> = self.message.values(HeaderName::Require).filter(|tag| !known(tag)).collect();
        (!unknown.is_empty()).then(|| unknown.join(", "))
    }
    pub fn reason_cause(&self) -> Option<u16> {
        self.message.values(HeaderName::Reason).find_map(|value| Reason::parse(value).ok()?.cause)
    }
    /// The URI a REFER points to; several are one too many (RFC 3515 §2.4.2).
    pub fn refer_to(&self) -> Option<String> {
        let mut lines = self.message.lines_of(HeaderName::ReferTo);
        let (value, None) = (lines.next()?, lines.next()) else { return None };
        let uri = NameAddr::parse(value).ok()?.uri;
        Uri::parse(uri).ok()?;
        Some(uri.to_owned())
    }

    // --- bodies ----------------------------------------------------------------------------------------------

    pub fn body(&self) -> Body<'_> {
        match (self.kind, &self.sdp) {
            (Kind::Sdp, Some(text)) => Body::Sdp(text),
            (Kind::None, _) => Body::None,
            (Kind::Broken, _) => Body::Broken,
            (Kind::Other | Kind::Sdp, _) => Body::Other,
        }
    }
    pub fn sdp_text(&self) -> Option<&str> {
        self.sdp.as_deref()
    }
    /// A key by INFO, in either of the two habits of the trade: `Signal=5` or the bare digit.
    pub fn info_digit(&self) -> InfoBody {
        if self.message.body.is_empty() {
            return InfoBody::Empty;
        }
        let kind =
            self.message.line(HeaderName::ContentType).and_then(|t| t.split(';').next()).map(header::trim);
        let Ok(text) = std::str::from_utf8(self.message.body) else { return InfoBody::Bad };
        let key = |text: &str| {
            let mut chars = text.trim().chars();
            match (chars.next(), chars.as_str()) {
                // Some senders write the event's number: 10 is the star, 11 the hash.
                (Some('1'), "0") => Digit::from_char('*'),
                (Some('1'), "1") => Digit::from_char('#'),
                (Some(c), "") => Digit::from_char(c),
                _ => None,
            }
        };
        match kind {
            Some(k) if k.eq_ignore_ascii_case("application/dtmf") => {
                key(text).map_or(InfoBody::Bad, |digit| InfoBody::Digit(digit, DEFAULT_KEY_MS))
            }
            Some(k) if k.eq_ignore_ascii_case("application/dtmf-relay") => {
                let field = |name: &str| {
                    text.lines().find_map(|line| {
                        let (n, value) = line.split_once('=')?;
                        n.trim().eq_ignore_ascii_case(name).then(|| value.trim())
                    })
                };
                let ms = field("Duration").and_then(|d| d.parse().ok()).unwrap_or(DEFAULT_KEY_MS);
                field("Signal").and_then(key).map_or(InfoBody::Bad, |digit| InfoBody::Digit(digit, ms))
            }
            _ => InfoBody::Other,
        }
    }

    // --- answers ---------------------------------------------------------------------------------------------

    /// Via to CSeq of an answer; `tag` goes to To when it has none.
    pub fn head(&self, tag: Option<Mark>) -> Bytes {
        let mut head = Vec::with_capacity(512);
        vias(&mut head, &self.message, &self.via, self.flow);
        let _ = write!(head, "From: {}\r\nTo: {}", self.from, self.to); // Writing into a Vec cannot fail.
        if let (None, Some(tag)) = (self.to_tag, tag) {
            let _ = write!(head, ";tag={tag}");
        }
        let _ = write!(head, "\r\nCall-ID: {}\r\nCSeq: {} {}\r\n", self.call_id, self.cseq, self.method);
        head.into()
    }
    pub fn answer_flow(&self) -> Flow {
        answer_flow(&self.via, self.flow)
    }
    /// Where an answer goes when its connection is gone.
    pub fn fallback(&self) -> SocketAddr {
        SocketAddr::new(self.flow.peer().ip(), self.via.port_or_default())
    }

    pub fn write_reply(
        &self,
        cx: &mut Cx<'_>,
        status: u16,
        rest: impl FnOnce(&mut Cx<'_>, Draft) -> Bytes,
    ) -> Bytes {
        rest(cx, Draft::response(status, &self.head(Some(self.steady_tag()))))
    }
    pub fn reply_with(
        &self,
        cx: &mut Cx<'_>,
        tx: TxId,
        status: u16,
        more: impl FnOnce(Draft) -> Draft,
        sdp: Option<&str>,
    ) {
        let bytes = self.write_reply(cx, status, |cx, draft| {
            more(draft).line("Server", &cx.core.config.user_agent).sdp(sdp)
        });
        cx.core.answer(cx.now, tx, status, bytes, cx.out);
    }
    pub fn reply(&self, cx: &mut Cx<'_>, tx: TxId, status: u16) {
        self.reply_with(cx, tx, status, |draft| draft, None);
    }
    /// With Allow, Accept and Supported: what we can do.
    pub fn reply_capable(&self, cx: &mut Cx<'_>, tx: TxId, status: u16) {
        let bytes = self.write_reply(cx, status, |cx, draft| self.capable(cx, draft));
        cx.core.answer(cx.now, tx, status, bytes, cx.out);
    }
    fn capable(&self, cx: &Cx<'_>, draft: Draft) -> Bytes {
        let user = user_of(self.uri).unwrap_or("");
        cx.core
            .dress(draft, self.flow, user)
            .line("Accept", "application/sdp, application/dtmf-relay, application/dtmf")
            .bare()
    }
    pub fn reply_not_allowed(&self, cx: &mut Cx<'_>, tx: TxId) {
        cx.core.counters.drop(super::Dropped::MethodNotAllowed);
        self.reply_with(cx, tx, self.not_allowed(), |draft| draft.line("Allow", ALLOW), None);
    }
    /// Known, but not for us: 405. Never heard of: 501.
    fn not_allowed(&self) -> u16 {
        if matches!(self.method, Method::Other(_)) { 501 } else { 405 }
    }

    /// A final answer without a transaction (RFC 3261 §8.2.7): the same request gets the same bytes again.
    pub fn refuse(&self, cx: &mut Cx<'_>, status: u16) {
        self.refuse_with(cx, status, |draft| draft);
    }
    pub fn refuse_with(&self, cx: &mut Cx<'_>, status: u16, more: impl FnOnce(Draft) -> Draft) {
        let bytes = self.write_reply(cx, status, |cx, draft| {
            more(draft).line("Server", &cx.core.config.user_agent).bare()
        });
        self.send_stateless(cx, status, bytes);
    }
    pub fn refuse_method(&self, cx: &mut Cx<'_>) {
        cx.core.counters.drop(super::Dropped::MethodNotAllowed);
        self.refuse_with(cx, self.not_allowed(), |draft| draft.line("Allow", ALLOW));
    }
    pub fn answer_options(&self, cx: &mut Cx<'_>) {
        let bytes = self.write_reply(cx, 200, |cx, draft| self.capable(cx, draft));
        self.send_stateless(cx, 200, bytes);
    }
    pub fn send_stateless(&self, cx: &mut Cx<'_>, status: u16, bytes: Bytes) {
        cx.core.counters.answer(status);
        cx.core.send(self.answer_flow(), bytes, cx.out);
    }
    /// The same for the same request: a stateless answer must not change its tag.
    fn steady_tag(&self) -> Mark {
        let mut hasher = DefaultHasher::new();
        (self.call_id, self.from_tag, self.cseq).hash(&mut hasher);
        Mark(hasher.finish())
    }
}

/// How long a key lasts when INFO does not say, ms.
const DEFAULT_KEY_MS: u16 = 160;

/// What every message must have.
struct Facts<'t> {
    status: u16,
    method: Method,
    uri: &'t str,
    from: &'t str,
    to: &'t str,
    from_tag: Option<&'t str>,
    to_tag: Option<&'t str>,
    call_id: &'t str,
    cseq: u32,
    via: Via<'t>,
}

impl<'t> Facts<'t> {
    fn read(message: &Message<'t>) -> Result<Self, Refused> {
        let must =
            |name: HeaderName, why| message.line(name).filter(|v| !v.is_empty()).ok_or(Refused::bad(why));
        let via = Via::parse(message.values(HeaderName::Via).next().ok_or(Refused::bad("no Via"))?)?;
        let (from, to) = (must(HeaderName::From, "no From")?, must(HeaderName::To, "no To")?);
        let call_id = must(HeaderName::CallId, "no Call-ID")?;
        let cseq = CSeq::parse(must(HeaderName::CSeq, "no CSeq")?)?;
        let from_tag = NameAddr::parse(from)?.tag();
        let to_tag = NameAddr::parse(to)?.tag();
        for id in [from_tag, to_tag, via.branch(), Some(call_id)].into_iter().flatten() {
            if id.len() > LONGEST_ID {
                return Err(Refused::bad("tag, branch or Call-ID too long"));
            }
        }
        if message.line(HeaderName::MaxForwards).is_some_and(|text| number(text).is_err()) {
            return Err(Refused::bad("bad Max-Forwards"));
        }
        let (status, method, uri) = match message.start {
            Start::Response { status } => (status, Method::read(cseq.method), ""),
            Start::Request { method, uri } => (0, Method::read(method), uri),
        };
        if status != 0 && message.values(HeaderName::Via).nth(1).is_some() {
            return Err(Refused::bad("a response that is somebody else's")); // RFC 3261 §8.1.3.3.
        }
        if message.values(HeaderName::RecordRoute).nth(MOST_ROUTES).is_some() {
            return Err(Refused::bad("too many Record-Routes"));
        }
        if status == 0 && cseq.method != method.as_str() {
            return Err(Refused::bad("CSeq of another method"));
        }
        Ok(Self { status, method, uri, from, to, from_tag, to_tag, call_id, cseq: cseq.n, via })
    }
}

fn body_of<'t>(message: &Message<'t>) -> (Kind, Option<Cow<'t, str>>) {
    if message.body.is_empty() {
        return (Kind::None, None);
    }
    let unread = if is_optional(message) { Kind::None } else { Kind::Other };
    let encoded = message.values(HeaderName::ContentEncoding).any(|e| !e.eq_ignore_ascii_case("identity"));
    let Some(kind) = message.line(HeaderName::ContentType).filter(|_| !encoded) else {
        return (unread, None);
    };
    let (name, params) = match kind.find(';') {
        Some(at) => kind.split_at(at),
        None => (kind, ""),
    };
    let name = header::trim(name);
    if name.eq_ignore_ascii_case("application/sdp") {
        return (Kind::Sdp, Some(String::from_utf8_lossy(message.body)));
    }
    if !name.get(..10).is_some_and(|n| n.eq_ignore_ascii_case("multipart/")) {
        return (unread, None);
    }
    match Params::parse(params).map(|params| multipart::sdp_part(params, message.body)) {
        Ok(Part::Sdp(sdp)) => (Kind::Sdp, Some(String::from_utf8_lossy(sdp))),
        Ok(Part::None) => (unread, None),
        Ok(Part::Broken) | Err(_) => (Kind::Broken, None),
    }
}

/// May a body that we do not understand be passed over (RFC 3261 §20.11)? Exchanges send ISUP so.
fn is_optional(message: &Message<'_>) -> bool {
    let line = message.line(HeaderName::ContentDisposition);
    let params = line.and_then(|l| l.find(';').map(|at| &l[at..])).and_then(|p| Params::parse(p).ok());
    params.and_then(|p| p.get("handling")).is_some_and(|h| h.eq_ignore_ascii_case("optional"))
}

// --- small readers of URIs -------------------------------------------------------------------------------------

/// An address as it stands in a URI.
pub(super) fn host(ip: IpAddr) -> impl fmt::Display {
    Shown(move |f: &mut fmt::Formatter<'_>| write!(f, "{}", Host::Ip(ip)))
}

/// The URI inside an address: `<uri>;params`, `"name" <uri>` or bare.
pub(super) fn uri_of(address: &str) -> &str {
    NameAddr::parse(address).map_or(address, |a| a.uri)
}
pub(super) fn user_of(uri: &str) -> Option<&str> {
    Uri::parse(uri).ok().map(|u| u.user).filter(|u| !u.is_empty())
}
pub(super) fn uri_is_loose(uri: &str) -> bool {
    Uri::parse(uri).is_ok_and(|u| u.is_loose_router())
}
/// Address, port and whether by TCP; `None` for a name.
pub(super) fn uri_address(uri: &str) -> Option<(IpAddr, u16, bool)> {
    let uri = Uri::parse(uri).ok()?;
    Some((uri.host?.ip()?, uri.port.unwrap_or(5060), uri.is_tcp()))
}

/// Shows what a closure writes, without a text in between.
pub(super) struct Shown<F>(pub F);

impl<F: Fn(&mut fmt::Formatter<'_>) -> fmt::Result> fmt::Display for Shown<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0)(f)
    }
}
