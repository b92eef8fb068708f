//! SIPp, one scenario at a time, on ports of its own.

use super::level;
use super::server::{Server, TOP};
use std::fmt::Write as _;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How a run went.
pub struct Run {
    pub code: Option<i32>,
    /// Every message sent and received, as SIPp wrote it.
    pub trace: String,
    pub errors: String,
    /// The Call-ID of the run's only call.
    pub call_id: String,
}

impl Run {
    /// Messages received whose first line begins so.
    pub fn received(&self, first_line: &str) -> usize {
        self.trace
            .split("message received")
            .skip(1)
            .filter(|part| part.split_once("\n\n").is_some_and(|(_, m)| m.starts_with(first_line)))
            .count()
    }

    pub fn explain(&self) -> String {
        let mut out = format!("sipp ended with {:?}\n", self.code);
        let _ = writeln!(out, "{}\n{}", self.errors.trim(), self.trace.trim());
        out
    }
}

pub struct Sipp<'a> {
    pub scenario: &'a str,
    pub service: &'a str,
    pub source: &'a str,
    pub tcp: bool,
    /// Longest run.
    pub limit: Duration,
}

pub fn path(scenario: &str) -> PathBuf {
    Path::new(TOP).join("sipp-scenarios").join(format!("{scenario}.xml"))
}

/// May this process send packets with addresses of its own making, as SIPp's replay of pcap files does?
pub fn may_replay() -> bool {
    // SAFETY: creates and closes a descriptor, nothing else.
    let fd = unsafe { libc::socket(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_UDP) };
    if fd >= 0 {
        // SAFETY: the descriptor was made above and is used nowhere else.
        unsafe { libc::close(fd) };
    }
    fd >= 0
}

impl<'a> Sipp<'a> {
    pub fn new(scenario: &'a str) -> Self {
        Self { scenario, service: "12341", source: "127.0.0.1", tcp: false, limit: Duration::from_secs(40) }
    }

    pub fn call(&self, server: &Server) -> Run {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        let folder = tempfile::tempdir().expect("a folder for the trace");
        let (trace, errors) = (folder.path().join("trace"), folder.path().join("errors"));
        let port = free_port(self.source);
        let media = 10_000 + (std::process::id() * 50 + run * 20) % 10_000 / 20 * 20;
        let call_id = format!("{}-{}-{run}", self.scenario, std::process::id());
        let to = if self.tcp { server.at.tcp } else { server.at.udp };
        let mut command = Command::new("sipp");
        command.arg("-sf").arg(path(self.scenario));
        command.args([
            &to.to_string(),
            "-s",
            self.service,
            "-i",
            self.source,
            "-mi",
            self.source,
            "-m",
            "1",
            "-l",
            "1",
        ]);
        command.args([
            "-p",
            &port.to_string(),
            "-mp",
            &media.to_string(),
            "-t",
            if self.tcp { "t1" } else { "u1" },
        ]);
        command.args(["-cid_str", &call_id, "-nostdin", "-recv_timeout", "15000"]);
        command.args(["-timeout", &self.limit.as_secs().to_string(), "-timeout_error"]);
        command
            .arg("-trace_msg")
            .arg("-message_file")
            .arg(&trace)
            .arg("-trace_err")
            .arg("-error_file")
            .arg(&errors);
        command.current_dir(Path::new(TOP).join("sipp-scenarios"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap_or_else(|e| panic!("sipp: {e} (apt-get install sip-tester)"));
        let deadline = std::time::Instant::now() + self.limit + Duration::from_secs(5);
        let ended = level::until("sipp ends", self.limit + Duration::from_secs(10), || {
            if std::time::Instant::now() > deadline {
                let _ = child.kill();
            }
            child.try_wait().ok().flatten()
        });
        let read =
            |path: &Path| String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned();
        Run { code: ended.code(), trace: read(&trace).replace('\r', ""), errors: read(&errors), call_id }
    }
}

/// A port that was free a moment ago, for UDP and for TCP.
fn free_port(source: &str) -> u16 {
    loop {
        let udp = UdpSocket::bind((source, 0)).unwrap_or_else(|e| panic!("{source}: {e}"));
        let port = udp.local_addr().expect("a bound address").port();
        if std::net::TcpListener::bind((source, port)).is_ok() {
            return port;
        }
    }
}
