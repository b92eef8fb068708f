//! `hotline trunk doctor URI`: asks a carrier's SIP server what it can do, with OPTIONS alone: no call is made and
//! nothing is registered. Prints what was found and a `[[trunk]]` that fits.
//!
//! ```text
//! each transport:  OPTIONS ×5 ─▶ reachable, latency, rport, address we appear by, methods, extensions, codecs, challenge
//!                  Require: x-nobody-knows ─▶ 420 as it should be, or swallowed   (RFC 3261 8.2.2.3)
//!                  a method nobody knows   ─▶ 405/501, or silence                 (RFC 3261 8.2.1)
//!                  odd private headers     ─▶ answered, or a parser that drops
//!                  2 kB over UDP           ─▶ answered, or fragments get lost     (then TCP is the better choice)
//! ```
//!
//! Reading an answer and judging it are plain functions; only [`Line`] touches a socket or the clock.

use super::Failure;
use serde_json::json;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::{Duration, Instant};

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The carrier's server: sip:host, host:port, or sip:host:port;transport=tcp to ask that transport only.
    uri: String,
    /// How long one question may take, milliseconds.
    #[arg(long, default_value_t = 2000, value_name = "MS")]
    timeout_ms: u64,
    /// The user name in From: the hotline's number, or what the carrier knows us by.
    #[arg(long, default_value = "12341", value_name = "USER")]
    from: String,
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transport {
    Udp,
    Tcp,
}

impl Transport {
    const fn upper(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        }
    }
    const fn lower(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        }
    }
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let target = Target::read(&args.uri).ok_or_else(|| {
        Failure::new(format!("{}: not a SIP address, write sip:host:port or host:port", args.uri))
    })?;
    let addr = (target.host.as_str(), target.port)
        .to_socket_addrs()
        .map_err(|e| Failure::new(format!("{}: {e}", target.host)))?
        .next()
        .ok_or_else(|| Failure::new(format!("{}: the name has no address", target.host)))?;
    let timeout = Duration::from_millis(args.timeout_ms.clamp(50, 60_000));
    let transports = target.transport.map_or(vec![Transport::Udp, Transport::Tcp], |only| vec![only]);
    let findings: Vec<Finding> = transports
        .into_iter()
        .map(|transport| examine(transport, addr, &target, &args.from, timeout))
        .collect();
    if args.json {
        let list: Vec<_> = findings.iter().map(Finding::as_json).collect();
        println!(
            "{}",
            json!({ "target": addr.to_string(), "transports": list, "trunk": suggest(&target, addr, &findings) })
        );
    } else {
        println!("{} ({addr})", target.host);
        for finding in &findings {
            finding.print();
        }
        if let Some(trunk) = suggest(&target, addr, &findings) {
            println!("\nfor hotline.toml:\n\n{trunk}");
        }
    }
    if findings.iter().any(|finding| finding.answer.is_some()) {
        return Ok(());
    }
    let asked: Vec<_> =
        findings.iter().map(|f| format!("{} ({})", f.transport.upper(), f.trouble())).collect();
    Err(Failure::new(format!("{addr} does not answer OPTIONS over {}", asked.join(" or "))))
}

struct Target {
    host: String,
    port: u16,
    transport: Option<Transport>,
}

impl Target {
    fn read(uri: &str) -> Option<Self> {
        let rest = uri.strip_prefix("sip:").unwrap_or(uri);
        let (address, parameters) = rest.split_once(';').unwrap_or((rest, ""));
        let address = address.rsplit('@').next()?;
        let transport = match parameters.split(';').find_map(|p| p.strip_prefix("transport=")) {
            None => None,
            Some(t) if t.eq_ignore_ascii_case("udp") => Some(Transport::Udp),
            Some(t) if t.eq_ignore_ascii_case("tcp") => Some(Transport::Tcp),
            Some(_) => return None,
        };
        let (host, port) = if let Some(v6) = address.strip_prefix('[') {
            let (host, rest) = v6.split_once(']')?;
            (host, rest.strip_prefix(':').map_or(Some(5060), |port| port.parse().ok())?)
        } else {
            match address.split_once(':') {
                Some((host, port)) => (host, port.parse().ok()?),
                None => (address, 5060),
            }
        };
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        (!host.is_empty() && host.chars().all(good)).then(|| Self { host: host.to_owned(), port, transport })
    }

    fn uri(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == 5060 { format!("sip:{host}") } else { format!("sip:{host}:{}", self.port) }
    }
}

/// What came back to one question.
#[derive(Clone, Debug, PartialEq)]
struct Answer {
    status: u16,
    reason: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    /// Reads a response; `None` when it is something else.
    fn read(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let mut lines = head.split("\r\n");
        let mut first = lines.next()?.strip_prefix("SIP/2.0 ")?.splitn(2, ' ');
        let status = first.next()?.parse().ok().filter(|s| (100..700).contains(s))?;
        let reason = first.next().unwrap_or_default().to_owned();
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in lines {
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = headers.last_mut() {
                    value.push(' ');
                    value.push_str(line.trim());
                }
            } else if let Some((name, value)) = line.split_once(':') {
                headers.push((full_name(name.trim()), value.trim().to_owned()));
            }
        }
        Some(Self { status, reason, headers, body: body.to_owned() })
    }

    fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        self.headers.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Words of a list header (`Allow`, `Supported`), wherever they were split.
    fn words(&self, name: &str) -> Vec<String> {
        self.all(name)
            .flat_map(|v| v.split(','))
            .map(|w| w.trim().to_owned())
            .filter(|w| !w.is_empty())
            .collect()
    }

    fn has_word(&self, name: &str, word: &str) -> bool {
        self.words(name).iter().any(|w| w.eq_ignore_ascii_case(word))
    }

    /// A parameter of our own Via as it came back.
    fn via(&self, parameter: &str) -> Option<&str> {
        self.all("via").next()?.split(';').skip(1).find_map(|p| {
            let (name, value) = p.split_once('=').unwrap_or((p, ""));
            name.trim().eq_ignore_ascii_case(parameter).then(|| value.trim())
        })
    }

    /// Codecs of the audio line: names from rtpmap, static ones by number.
    fn codecs(&self) -> Vec<String> {
        let Some(media) = self.body.lines().find_map(|l| l.strip_prefix("m=audio ")) else {
            return Vec::new();
        };
        let named = |pt: &str| {
            self.body.lines().filter_map(|l| l.strip_prefix("a=rtpmap:")).find_map(|l| {
                l.split_once(' ').filter(|(number, _)| *number == pt).map(|(_, name)| name.trim().to_owned())
            })
        };
        media
            .split_whitespace()
            .skip(2)
            .map(|pt| {
                named(pt).unwrap_or_else(|| match pt {
                    "0" => "PCMU/8000".into(),
                    "8" => "PCMA/8000".into(),
                    "9" => "G722/8000".into(),
                    "18" => "G729/8000".into(),
                    other => format!("payload type {other}"),
                })
            })
            .collect()
    }
}

fn full_name(name: &str) -> String {
    match name.to_ascii_lowercase().as_str() {
        "v" => "via",
        "k" => "supported",
        "l" => "content-length",
        "c" => "content-type",
        "f" => "from",
        "t" => "to",
        "i" => "call-id",
        "m" => "contact",
        "x" => "session-expires",
        long => long,
    }
    .to_owned()
}

/// Everything found out over one transport.
struct Finding {
    transport: Transport,
    local: Option<SocketAddr>,
    /// Why nothing could be asked at all.
    broken: Option<String>,
    answer: Option<Answer>,
    /// Round trips of the answered questions, sorted.
    latency: Vec<Duration>,
    asked: usize,
    unknown_extension: Option<u16>,
    unknown_method: Option<u16>,
    odd_headers: Option<u16>,
    large: Option<u16>,
}

fn examine(
    transport: Transport,
    addr: SocketAddr,
    target: &Target,
    from: &str,
    timeout: Duration,
) -> Finding {
    let mut finding = Finding {
        transport,
        local: None,
        broken: None,
        answer: None,
        latency: Vec::new(),
        asked: 0,
        unknown_extension: None,
        unknown_method: None,
        odd_headers: None,
        large: None,
    };
    let mut line = match Line::open(transport, addr, timeout) {
        Ok(line) => line,
        Err(e) => {
            finding.broken = Some(e.to_string());
            return finding;
        }
    };
    finding.local = Some(line.local);
    let mut ask = |method: &str, extra: &str, body: &str| {
        let request = Question { transport, local: line.local, target, from, method, extra, body };
        line.ask(|n| request.write(n))
    };
    for _ in 0..5 {
        finding.asked += 1;
        if let Some((answer, took)) = ask("OPTIONS", "", "") {
            finding.latency.push(took);
            finding.answer.get_or_insert(answer);
        } else if finding.answer.is_none() {
            return finding;
        }
    }
    finding.latency.sort();
    let status = |answer: Option<(Answer, Duration)>| answer.map(|(a, _)| a.status);
    finding.unknown_extension = status(ask("OPTIONS", "Require: x-nobody-knows\r\n", ""));
    finding.unknown_method = status(ask("NOBODYKNOWS", "", ""));
    finding.odd_headers = status(ask(
        "OPTIONS",
        "P-Charging-Vector: icid-value=\"a=b;\\\"c\";orig-ioi=x\r\nX-Odd : \t~^{}[]|\r\nP-Empty:\r\n",
        "",
    ));
    if transport == Transport::Udp {
        let filling = format!("X-Filling: {}\r\n", "0123456789abcdef".repeat(125));
        finding.large = status(ask("OPTIONS", &filling, ""));
    }
    finding
}

impl Finding {
    fn trouble(&self) -> &str {
        self.broken.as_deref().unwrap_or("no answer")
    }

    /// What is to be read, one (subject, finding) a line.
    fn rows(&self) -> Vec<(&'static str, String)> {
        let Some(answer) = &self.answer else {
            return vec![("reachable", format!("no: {}", self.trouble()))];
        };
        let mut rows = vec![("reachable", "yes".to_owned())];
        rows.push(("answers OPTIONS", format!("{} {}", answer.status, answer.reason)));
        rows.push(("latency", self.latency_text()));
        rows.push(("rport honoured", self.rport()));
        if let Some(seen) = self.behind_nat() {
            rows.push(("NAT", format!("the carrier sees us as {seen}")));
        }
        let yes = |it: bool| if it { "yes" } else { "not offered" }.to_owned();
        rows.push((
            "100rel",
            yes(answer.has_word("supported", "100rel") || answer.has_word("require", "100rel")),
        ));
        rows.push(("session timers", yes(answer.has_word("supported", "timer"))));
        rows.push(("UPDATE", yes(answer.has_word("allow", "UPDATE"))));
        rows.push(("REFER", yes(answer.has_word("allow", "REFER"))));
        let codecs = answer.codecs();
        rows.push((
            "codecs",
            if codecs.is_empty() { "not told (no SDP in the answer)".into() } else { codecs.join(", ") },
        ));
        if let Some((realm, algorithms)) = challenge(answer) {
            rows.push(("wants credentials", format!("realm \"{realm}\", {}", algorithms.join(" or "))));
        }
        rows.push(("unknown extension", judge(self.unknown_extension, |s| s == 420, "420, as it should")));
        rows.push((
            "unknown method",
            judge(self.unknown_method, |s| matches!(s, 405 | 501), "refused, as it should"),
        ));
        rows.push(("odd headers", judge(self.odd_headers, |_| true, "answered")));
        if self.transport == Transport::Udp {
            let large = judge(self.large, |_| true, "answered");
            rows.push((
                "2 kB datagram",
                if self.large.is_some() { large } else { "lost: prefer TCP for large messages".into() },
            ));
        }
        if let Some(server) = answer.all("server").chain(answer.all("user-agent")).next() {
            rows.push(("server", server.to_owned()));
        }
        rows
    }

    fn print(&self) {
        println!("\n{}", self.transport.upper());
        for (subject, text) in self.rows() {
            println!("  {subject:<18}{text}");
        }
    }

    fn as_json(&self) -> serde_json::Value {
        let answer = self.answer.as_ref();
        json!({
            "transport": self.transport.lower(),
            "reachable": answer.is_some(),
            "error": if answer.is_none() { Some(self.trouble()) } else { None },
            "status": answer.map(|a| a.status),
            "latency_ms": self.latency.iter().map(|d| d.as_secs_f64() * 1000.0).collect::<Vec<_>>(),
            "asked": self.asked,
            "rport": answer.and_then(|a| a.via("rport")).is_some_and(|p| !p.is_empty()),
            "seen_as": self.behind_nat(),
            "rel100": answer.is_some_and(|a| a.has_word("supported", "100rel") || a.has_word("require", "100rel")),
            "session_timers": answer.is_some_and(|a| a.has_word("supported", "timer")),
            "allow": answer.map(|a| a.words("allow")),
            "supported": answer.map(|a| a.words("supported")),
            "codecs": answer.map(Answer::codecs),
            "realm": answer.and_then(challenge).map(|(realm, _)| realm),
            "unknown_extension": self.unknown_extension,
            "unknown_method": self.unknown_method,
            "odd_headers": self.odd_headers,
            "large_datagram": self.large,
        })
    }

    fn latency_text(&self) -> String {
        let ms = |d: &Duration| d.as_secs_f64() * 1000.0;
        match (self.latency.first(), self.latency.get(self.latency.len() / 2), self.latency.last()) {
            (Some(least), Some(middle), Some(most)) => format!(
                "{:.1} ms ({:.1}–{:.1}), {} of {} answered",
                ms(middle),
                ms(least),
                ms(most),
                self.latency.len(),
                self.asked
            ),
            _ => "not measured".into(),
        }
    }

    fn rport(&self) -> String {
        let port = self.answer.as_ref().and_then(|a| a.via("rport")).and_then(|p| p.parse::<u16>().ok());
        match (port, self.local) {
            (Some(port), Some(local)) if port == local.port() => format!("yes, {port}"),
            (Some(port), Some(local)) => {
                format!("yes, {port} (ours is {}: a NAT is in between)", local.port())
            }
            _ if self.transport == Transport::Tcp => "not told (TCP needs none)".into(),
            _ => "no: behind NAT its answers would get lost".into(),
        }
    }

    /// The address the carrier sees us by, when it isn't our own.
    fn behind_nat(&self) -> Option<String> {
        let seen = self
            .answer
            .as_ref()?
            .via("received")?
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .ok()?;
        (Some(seen) != self.local.map(|l| l.ip())).then(|| seen.to_string())
    }
}

fn judge(status: Option<u16>, right: impl Fn(u16) -> bool, words: &str) -> String {
    match status {
        Some(status) if right(status) => words.to_owned(),
        Some(status) => format!("{status}: not what RFC 3261 asks for, harmless to us"),
        None => "no answer: the carrier drops it in silence".to_owned(),
    }
}

/// Realm and algorithms of the challenges in an answer.
fn challenge(answer: &Answer) -> Option<(String, Vec<String>)> {
    let all: Vec<&str> = answer.all("www-authenticate").chain(answer.all("proxy-authenticate")).collect();
    let parameter = |text: &str, name: &str| {
        text.split([',', ' '])
            .find_map(|p| Some(p.trim().strip_prefix(name)?.strip_prefix('=')?.trim_matches('"').to_owned()))
    };
    let realm = all.iter().find_map(|text| {
        let start = text.find("realm=\"")? + 7;
        Some(text[start..].split('"').next()?.to_owned())
    })?;
    let algorithms = all.iter().map(|t| parameter(t, "algorithm").unwrap_or_else(|| "MD5".into())).collect();
    Some((realm, algorithms))
}

/// A `[[trunk]]` for what was found; `None` when nothing answered.
fn suggest(target: &Target, addr: SocketAddr, findings: &[Finding]) -> Option<String> {
    let answered: Vec<_> = findings.iter().filter(|f| f.answer.is_some()).collect();
    let best = answered
        .iter()
        .find(|f| f.transport == Transport::Udp && f.large.is_some())
        .or_else(|| answered.iter().find(|f| f.transport == Transport::Tcp))
        .or(answered.first())?;
    let mut text = String::new();
    let mut line = |l: String| {
        text.push_str(&l);
        text.push('\n');
    };
    if let Some(seen) = best.behind_nat() {
        line(format!("# [sip]\n# external_address = \"{seen}\"   # the carrier sees us by this address\n"));
    }
    let name: String = target.host.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    line("[[trunk]]".into());
    line(format!("name = \"{name}\""));
    line(format!("peers = [\"{}\"]", addr.ip()));
    line(format!("target = \"{addr}\""));
    line(format!("transport = \"{}\"", best.transport.lower()));
    line("profile = \"standard\"".into());
    if let Some((realm, _)) = best.answer.as_ref().and_then(challenge) {
        line(format!(
            "credentials = {{ username = \"\", password = \"\", realm = \"{realm}\" }}   # fill in"
        ));
    }
    let codecs = best.answer.as_ref().map(Answer::codecs).unwrap_or_default();
    let ours = |c: &String| c.to_ascii_uppercase().starts_with("PCM");
    if !codecs.is_empty() && !codecs.iter().any(ours) {
        line("# This carrier names neither PCMA nor PCMU: calls to it would end with 488.".into());
    }
    Some(text)
}

/// One request, written anew for each try.
struct Question<'a> {
    transport: Transport,
    local: SocketAddr,
    target: &'a Target,
    from: &'a str,
    method: &'a str,
    extra: &'a str,
    body: &'a str,
}

impl Question<'_> {
    /// `unique` names the transaction: Call-ID, branch and tag are made of it.
    fn write(&self, unique: &str) -> String {
        let Self { local, from, method, extra, body, .. } = self;
        let uri = self.target.uri();
        let transport = self.transport.upper();
        let length = body.len();
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{transport} {local};branch=z9hG4bK{unique};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:{from}@{local}>;tag={unique}\r\nTo: <{uri}>\r\nCall-ID: {unique}@doctor\r\nCSeq: 1 {method}\r\n\
             Contact: <sip:{from}@{local}>\r\nAccept: application/sdp\r\nSupported: 100rel, timer, replaces\r\n\
             User-Agent: hotline trunk doctor\r\n{extra}Content-Length: {length}\r\n\r\n{body}"
        )
    }
}

/// A socket towards the carrier.
struct Line {
    local: SocketAddr,
    timeout: Duration,
    wire: Wire,
    /// 64 random bits, so that two doctors never share a transaction; and the number of questions so far.
    salt: u64,
    count: u32,
}

enum Wire {
    Udp(UdpSocket),
    Tcp { stream: TcpStream, buffer: Vec<u8> },
}

/// Largest answer that is read.
const MOST: usize = 64 * 1024;

impl Line {
    fn open(transport: Transport, addr: SocketAddr, timeout: Duration) -> std::io::Result<Self> {
        let mut salt = [0; 8];
        getrandom::fill(&mut salt).map_err(|e| std::io::Error::other(e.to_string()))?;
        let wire = match transport {
            Transport::Udp => {
                let any: SocketAddr =
                    if addr.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
                let socket = UdpSocket::bind(any)?;
                // Connected: strangers' datagrams stay out, our own address is known, and a closed port is told.
                socket.connect(addr)?;
                Wire::Udp(socket)
            }
            Transport::Tcp => {
                let stream = TcpStream::connect_timeout(&addr, timeout)?;
                stream.set_nodelay(true)?;
                Wire::Tcp { stream, buffer: Vec::new() }
            }
        };
        let local = match &wire {
            Wire::Udp(socket) => socket.local_addr()?,
            Wire::Tcp { stream, .. } => stream.local_addr()?,
        };
        Ok(Self { local, timeout, wire, salt: u64::from_be_bytes(salt), count: 0 })
    }

    /// Asks, and over UDP asks again at T1, 2·T1… (RFC 3261 17.1.2.2), until the final answer or the time is over.
    fn ask(&mut self, request: impl Fn(&str) -> String) -> Option<(Answer, Duration)> {
        self.count += 1;
        let unique = format!("{:016x}{:04x}", self.salt, self.count);
        let text = request(&unique);
        let begin = Instant::now();
        let mut wait = Duration::from_millis(500);
        self.send(text.as_bytes())?;
        loop {
            let left = self.timeout.checked_sub(begin.elapsed()).filter(|d| !d.is_zero())?;
            let answer = self.receive(left.min(wait));
            match answer {
                Some(answer)
                    if answer.status >= 200 && answer.all("call-id").any(|id| id.starts_with(&unique)) =>
                {
                    return Some((answer, begin.elapsed()));
                }
                // Provisional, or late and meant for an earlier question.
                Some(_) => {}
                None if matches!(self.wire, Wire::Udp(_)) && begin.elapsed() >= wait => {
                    self.send(text.as_bytes())?;
                    wait *= 2;
                }
                None => {}
            }
        }
    }

    fn send(&mut self, bytes: &[u8]) -> Option<()> {
        match &mut self.wire {
            Wire::Udp(socket) => socket.send(bytes).ok().map(|_| ()),
            Wire::Tcp { stream, .. } => stream.write_all(bytes).ok(),
        }
    }

    fn receive(&mut self, within: Duration) -> Option<Answer> {
        let within = within.max(Duration::from_millis(1));
        match &mut self.wire {
            Wire::Udp(socket) => {
                socket.set_read_timeout(Some(within)).ok()?;
                let mut bytes = vec![0; MOST];
                match socket.recv(&mut bytes) {
                    Ok(n) => Answer::read(&bytes[..n]),
                    // "Connection refused" comes at once: without a pause the loop would spin until the time is over.
                    Err(e) if e.kind() == std::io::ErrorKind::ConnectionRefused => {
                        std::thread::sleep(within.min(Duration::from_millis(50)));
                        None
                    }
                    Err(_) => None,
                }
            }
            Wire::Tcp { stream, buffer } => {
                stream.set_read_timeout(Some(within)).ok()?;
                let end = Instant::now() + within;
                loop {
                    if let Some(length) = framed(buffer) {
                        let whole: Vec<u8> = buffer.drain(..length).collect();
                        return Answer::read(&whole);
                    }
                    let mut bytes = [0; 4096];
                    match stream.read(&mut bytes) {
                        Ok(n) if n > 0 && buffer.len() + n <= MOST => buffer.extend_from_slice(&bytes[..n]),
                        _ => {
                            // Closed or too much: as above, no spinning.
                            std::thread::sleep(
                                end.saturating_duration_since(Instant::now()).min(Duration::from_millis(50)),
                            );
                            return None;
                        }
                    }
                }
            }
        }
    }
}

/// Length of the first whole message in a stream (RFC 3261 18.3), keep-alive line ends before it skipped by the reader.
fn framed(buffer: &mut Vec<u8>) -> Option<usize> {
    let blank = buffer.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    buffer.drain(..blank);
    let head = buffer.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&buffer[..head]);
    let body = text
        .lines()
        .filter_map(|l| l.split_once(':'))
        .find(|(name, _)| full_name(name.trim()) == "content-length")
        .and_then(|(_, value)| value.trim().parse::<usize>().ok())
        .unwrap_or(0);
    (buffer.len() >= head.checked_add(body)?).then_some(head + body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    /// A carrier on a free port that answers each request as `script` says; `None` is silence.
    fn carrier(script: fn(&str, SocketAddr) -> Option<String>) -> SocketAddr {
        // A port free for UDP may be another test's for TCP.
        let (udp, tcp) = (0..50)
            .find_map(|_| {
                let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
                TcpListener::bind(udp.local_addr().unwrap()).ok().map(|tcp| (udp, tcp))
            })
            .expect("a port free for both");
        let addr = udp.local_addr().unwrap();
        udp.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        thread::spawn(move || {
            let mut bytes = [0; 65_536];
            while let Ok((n, from)) = udp.recv_from(&mut bytes) {
                if let Some(answer) = script(&String::from_utf8_lossy(&bytes[..n]), from) {
                    udp.send_to(answer.as_bytes(), from).unwrap();
                }
            }
        });
        thread::spawn(move || {
            let (mut stream, from) = tcp.accept().unwrap();
            let mut buffer = Vec::new();
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = stream.read(&mut bytes) {
                buffer.extend_from_slice(&bytes[..n]);
                while let Some(length) = framed(&mut buffer) {
                    let request: Vec<u8> = buffer.drain(..length).collect();
                    if let Some(answer) = script(&String::from_utf8_lossy(&request), from) {
                        stream.write_all(answer.as_bytes()).unwrap();
                    }
                }
            }
        });
        addr
    }

    fn reply(request: &str, from: SocketAddr, status: &str, extra: &str, body: &str) -> String {
        let copied: String = request
            .lines()
            .filter(|l| ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].iter().any(|h| l.starts_with(h)))
            .map(|l| {
                format!(
                    "{}\r\n",
                    l.replace(";rport", &format!(";received={};rport={}", from.ip(), from.port()))
                )
            })
            .collect();
        format!("SIP/2.0 {status}\r\n{copied}{extra}Content-Length: {}\r\n\r\n{body}", body.len())
    }

    fn well_behaved(request: &str, from: SocketAddr) -> Option<String> {
        let sdp = "v=0\r\nm=audio 0 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";
        Some(if request.contains("x-nobody-knows") {
            reply(request, from, "420 Bad Extension", "Unsupported: x-nobody-knows\r\n", "")
        } else if request.starts_with("NOBODYKNOWS") {
            reply(request, from, "501 Not Implemented", "", "")
        } else {
            reply(
                request,
                from,
                "200 OK",
                "Allow: INVITE, UPDATE\r\nk: 100rel,timer\r\nServer: carrier/1\r\n",
                sdp,
            )
        })
    }

    /// Answers OPTIONS with a challenge; swallows what it doesn't know, and everything large.
    fn faulty(request: &str, from: SocketAddr) -> Option<String> {
        let known = request.starts_with("OPTIONS") && !request.contains("x-nobody") && request.len() < 1500;
        let extra = "WWW-Authenticate: Digest realm=\"city exchange\", nonce=\"n\", algorithm=SHA-256\r\n";
        known.then(|| reply(&request.replace(";rport", ""), from, "401 Unauthorized", extra, ""))
    }

    /// `patience` is waited in full for each answer that doesn't come.
    fn examined(addr: SocketAddr, transport: Transport, patience: Duration) -> (Target, Finding) {
        let target = Target::read(&format!("sip:{addr}")).unwrap();
        let finding = examine(transport, addr, &target, "12341", patience);
        (target, finding)
    }

    fn row(finding: &Finding, subject: &str) -> String {
        finding.rows().into_iter().find(|(s, _)| *s == subject).map(|(_, t)| t).unwrap_or_default()
    }

    #[test]
    fn a_good_carrier_is_told_as_it_is_over_both_transports() {
        let addr = carrier(well_behaved);
        for transport in [Transport::Udp, Transport::Tcp] {
            let (target, finding) = examined(addr, transport, Duration::from_secs(20));
            assert_eq!(row(&finding, "answers OPTIONS"), "200 OK", "{transport:?}");
            assert!(row(&finding, "latency").ends_with("5 of 5 answered"));
            assert_eq!(row(&finding, "rport honoured"), format!("yes, {}", finding.local.unwrap().port()));
            for (subject, text) in [
                ("100rel", "yes"),
                ("session timers", "yes"),
                ("UPDATE", "yes"),
                ("REFER", "not offered"),
                ("codecs", "PCMA/8000, PCMU/8000, telephone-event/8000"),
                ("unknown extension", "420, as it should"),
                ("unknown method", "refused, as it should"),
                ("odd headers", "answered"),
                ("server", "carrier/1"),
            ] {
                assert_eq!(row(&finding, subject), text, "{transport:?} {subject}");
            }
            let trunk = suggest(&target, addr, &[finding]).unwrap();
            let config =
                crate::config::Config::from_str_named(&trunk, "t.toml".as_ref(), std::iter::empty()).unwrap();
            assert_eq!(config.trunks[0].target, Some(addr));
        }
    }

    #[test]
    fn each_fault_of_a_carrier_is_named() {
        let addr = carrier(faulty);
        let (target, finding) = examined(addr, Transport::Udp, Duration::from_secs(2));
        assert_eq!(row(&finding, "wants credentials"), "realm \"city exchange\", SHA-256");
        assert!(row(&finding, "rport honoured").starts_with("no"));
        assert!(row(&finding, "2 kB datagram").starts_with("lost"));
        assert!(row(&finding, "unknown method").starts_with("no answer"));
        assert!(row(&finding, "unknown extension").starts_with("no answer"));
        assert!(suggest(&target, addr, &[finding]).unwrap().contains("realm = \"city exchange\""));
    }

    #[test]
    fn nobody_there_is_said_in_one_line() {
        let addr = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (target, finding) = examined(addr, Transport::Udp, Duration::from_millis(300));
        assert_eq!(row(&finding, "reachable"), "no: no answer");
        assert_eq!(suggest(&target, addr, &[finding]), None);
    }

    #[test]
    fn addresses_are_read_in_every_form_people_write() {
        let read = |uri| Target::read(uri).map(|t| (t.host, t.port, t.transport));
        assert_eq!(
            read("sip:12341@carrier.example;transport=tcp"),
            Some(("carrier.example".into(), 5060, Some(Transport::Tcp)))
        );
        assert_eq!(read("192.0.2.1:5080"), Some(("192.0.2.1".into(), 5080, None)));
        assert_eq!(read("sip:[2001:db8::1]:5070"), Some(("2001:db8::1".into(), 5070, None)));
        for bad in ["", "sip:", "host:port", "a b", "sip:h;transport=pigeon"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
