//! The program itself: `hotline serve` on free ports, in a folder of its own.

use super::api::Api;
use super::level;
use serde_json::Value;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

pub const BINARY: &str = env!("CARGO_BIN_EXE_hotline");
/// The top of the checkout.
pub const TOP: &str = env!("CARGO_MANIFEST_DIR");

/// The user with which the tests look at the desk's side.
pub const USER: &str = "tester";
pub const PASSWORD: &str = "correct horse battery 12341";

const START: Duration = Duration::from_secs(30);

/// What a server shall be like. Keys are written as in the environment's form of the configuration: `sip.t1_ms`.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The configuration file's text.
    pub config: String,
    /// Flow files beside it, by name without `.toml`; they win over those in the binary.
    pub flows: Vec<(String, String)>,
    pub keys: Vec<(String, String)>,
    pub args: Vec<String>,
}

impl Setup {
    /// The server of the scenarios: `sipp-scenarios/hotline.toml`.
    pub fn scenarios() -> Self {
        Self::of(include_str!("../../../sipp-scenarios/hotline.toml"))
    }

    pub fn of(config: &str) -> Self {
        Self { config: config.to_owned(), flows: Vec::new(), keys: Vec::new(), args: Vec::new() }
    }

    #[must_use]
    pub fn key(mut self, key: &str, value: impl ToString) -> Self {
        self.keys.push((key.to_owned(), value.to_string()));
        self
    }

    /// A flow file; the first one is also the entry.
    #[must_use]
    pub fn flow(mut self, name: &str, text: &str) -> Self {
        if self.flows.is_empty() {
            self = self.key("ivr.entry", name);
        }
        self.flows.push((name.to_owned(), text.to_owned()));
        self
    }

    pub fn start(self) -> Server {
        Server::start(self)
    }
}

/// The addresses a running server has bound, from its `run.json`.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    pub udp: SocketAddr,
    pub tcp: SocketAddr,
    pub http: SocketAddr,
}

/// A running server. Dropping it kills it and removes its folder.
pub struct Server {
    dir: tempfile::TempDir,
    setup: Setup,
    child: Option<Child>,
    pub at: Addresses,
    starts: u32,
    _ports: MediaPorts,
}

/// A range of RTP ports that no other test has, in this process or another: the lock is held as long as the server lives.
struct MediaPorts {
    first: u16,
    _lock: File,
}

const PORTS_EACH: u16 = 1_000;

impl MediaPorts {
    fn take() -> Self {
        let folder = std::env::temp_dir().join("hotline-tests");
        std::fs::create_dir_all(&folder).expect("a folder for locks");
        level::until("a free range of media ports", Duration::from_secs(300), || {
            (0..10).find_map(|slot| {
                let lock = File::create(folder.join(format!("media-ports-{slot}"))).ok()?;
                lock.try_lock().ok()?;
                Some(Self { first: 20_000 + slot * PORTS_EACH, _lock: lock })
            })
        })
    }
}

impl Server {
    fn start(mut setup: Setup) -> Self {
        let dir = tempfile::tempdir().expect("a folder for the server");
        let ports = MediaPorts::take();
        setup = setup.key("media.ports", format!("{}-{}", ports.first, ports.first + PORTS_EACH - 1));
        for (key, value) in
            // Agents of most tests write no tickets.
            [
                ("sip.udp", "127.0.0.1:0"),
                ("sip.tcp", "127.0.0.1:0"),
                ("http.listen", "127.0.0.1:0"),
                ("acd.hold_unfinished", "false"),
            ]
        {
            if !setup.keys.iter().any(|(k, _)| k == key) {
                setup = setup.key(key, value);
            }
        }
        std::fs::write(dir.path().join("hotline.toml"), &setup.config).expect("write the configuration");
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let at = Addresses { udp: nowhere, tcp: nowhere, http: nowhere };
        let mut server = Self { dir, setup, child: None, at, starts: 0, _ports: ports };
        for (name, text) in server.setup.flows.clone() {
            server.write_flow(&name, &text);
        }
        server.add_user();
        server.launch();
        server
    }

    fn add_user(&self) {
        let added = self
            .command(&["user", "add", USER, "--role", "admin", "--role", "auditor", "--role", "lead"])
            .env("HOTLINE_PASSWORD", PASSWORD)
            .output();
        let added = added.expect("run hotline user add");
        assert!(added.status.success(), "hotline user add: {}", text(&added));
    }

    /// Another user, with the password of all test users.
    pub fn user(&self, name: &str, role: &str) {
        let added =
            self.command(&["user", "add", name, "--role", role]).env("HOTLINE_PASSWORD", PASSWORD).output();
        let added = added.expect("run hotline user add");
        assert!(added.status.success(), "hotline user add {name}: {}", text(&added));
    }

    /// The same of a unit.
    /// The same for one of a unit; a name that the demonstration has gets that password.
    pub fn user_with(&self, name: &str, role: &str, unit: Option<&str>) {
        let run = |args: &[&str]| {
            let done = self.command(args).env("HOTLINE_PASSWORD", PASSWORD).output();
            done.expect("run hotline user")
        };
        let mut add = vec!["user", "add", name, "--role", role];
        add.extend(unit.into_iter().flat_map(|unit| ["--unit", unit]));
        let added = run(&add);
        if !added.status.success() {
            let changed = run(&["user", "passwd", name]);
            assert!(changed.status.success(), "hotline user add {name}: {}", text(&added));
        }
    }

    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Puts a flow file where the server reads it.
    pub fn write_flow(&self, name: &str, text: &str) {
        let flows = self.dir.path().join("ivr-flows");
        std::fs::create_dir_all(&flows).expect("a folder for flows");
        std::fs::write(flows.join(format!("{name}.toml")), text).expect("write a flow");
    }

    /// The program with this server's configuration and data, for `serve` and for every other command.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command
            .args(args)
            .arg("--config")
            .arg(self.dir.path().join("hotline.toml"))
            .arg("--data")
            .arg(self.data());
        for (key, value) in &self.setup.keys {
            command.env(format!("HOTLINE__{}", key.replace('.', "__").to_uppercase()), value);
        }
        command.stdin(Stdio::null());
        command
    }

    /// Runs a command on this server's data; what it printed.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("run hotline")
    }

    fn log_path(&self) -> PathBuf {
        self.dir.path().join(format!("log-{}.txt", self.starts))
    }

    fn launch(&mut self) {
        self.starts += 1;
        let run_json = self.data().join("run.json");
        let _ = std::fs::remove_file(&run_json);
        let log = File::create(self.log_path()).expect("a log file");
        let mut command = self.command(&["serve"]);
        command.args(&self.setup.args);
        command.stdout(log.try_clone().expect("a second handle of the log")).stderr(log);
        self.child = Some(command.spawn().expect("start hotline"));
        self.at = level::until("run.json of the server", START, || {
            self.assert_running();
            read_addresses(&run_json)
        });
        level::until("readyz is 200", START, || {
            self.assert_running();
            (self.readyz() == Some(200)).then_some(())
        });
    }

    fn assert_running(&mut self) {
        let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
        assert!(ended.is_none(), "the server ended with {ended:?}:\n{}", self.log());
    }

    /// Status of `/readyz`; `None` when nobody listens.
    pub fn readyz(&self) -> Option<u16> {
        let url = format!("http://{}/readyz", self.at.http);
        let client = reqwest::blocking::Client::builder().timeout(Duration::from_secs(2)).build().ok()?;
        client.get(url).send().ok().map(|answer| answer.status().as_u16())
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    pub fn signal(&self, signal: i32) {
        let pid = i32::try_from(self.pid()).expect("a process id");
        assert!(pid > 0, "the server runs");
        // SAFETY: kill has no memory effects; the process is our child and not yet reaped, so the id is still its own.
        let done = unsafe { libc::kill(pid, signal) };
        assert_eq!(done, 0, "kill: {}", std::io::Error::last_os_error());
    }

    /// Waits for the process to end by itself.
    pub fn ended(&mut self, within: Duration) -> ExitStatus {
        let mut child = self.child.take().expect("the server runs");

        level::until("the server ends", within, || child.try_wait().ok().flatten())
    }

    /// SIGTERM, and the end that follows when nobody is on the line.
    pub fn stop(&mut self) -> ExitStatus {
        self.signal(libc::SIGTERM);
        self.ended(Duration::from_secs(20))
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// [`Server::restart`] with these arguments.
    pub fn restart_with(&mut self, args: &[&str]) {
        self.setup.args = args.iter().map(|arg| (*arg).to_owned()).collect();
        self.restart();
    }

    /// Starts it again on the same data and the same addresses.
    pub fn restart(&mut self) {
        assert!(self.child.is_none(), "the server has ended");
        for (key, at) in [("sip.udp", self.at.udp), ("sip.tcp", self.at.tcp), ("http.listen", self.at.http)] {
            self.setup.keys.retain(|(k, _)| k != key);
            self.setup.keys.push((key.to_owned(), at.to_string()));
        }
        self.launch();
    }

    pub fn api(&self) -> Api {
        Api::sign_in(self.at.http, USER, PASSWORD)
    }

    /// Every call of the journal, run again, decides as it did.
    #[track_caller]
    pub fn assert_replays(&self, at_least: usize) {
        let output = self.run(&["call", "replay", "--all"]);
        let told = text(&output);
        assert!(output.status.success(), "{told}");
        let last = told.lines().rev().find(|line| line.ends_with(" 0 differ")).unwrap_or_default();
        let calls = last.split(' ').next().and_then(|n| n.parse::<usize>().ok());
        assert!(calls.is_some_and(|calls| calls >= at_least), "{told}");
        println!("replayed: {last}");
    }

    pub fn metrics(&self) -> super::api::Metrics {
        super::api::metrics(self.at.http)
    }

    /// Nothing of any call is left: no call, dialog, transaction, leg or port. Transactions may take until their timers end.
    #[track_caller]
    pub fn assert_clean(&self) {
        const GAUGES: [&str; 5] = [
            "hotline_live_calls",
            "hotline_sip_dialogs",
            "hotline_sip_transactions",
            "hotline_media_legs",
            "hotline_media_ports_leased",
        ];
        level::until_equal(
            "nothing is left of any call",
            // 64 × T1 by its default, and some.
            Duration::from_secs(45),
            Vec::<String>::new(),
            || {
                let metrics = self.metrics();
                GAUGES
                    .iter()
                    .filter(|g| metrics.get(g) != Some(0.0))
                    .map(|g| format!("{g} {:?}", metrics.get(g)))
                    .collect()
            },
        );
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<_> = log.lines().rev().take(40).collect();
            eprintln!("--- the server's last lines");
            tail.iter().rev().for_each(|line| eprintln!("{line}"));
        }
        self.kill();
    }
}

/// Both streams of a finished command, for a message.
pub fn text(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn read_addresses(path: &Path) -> Option<Addresses> {
    let run: Value = serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()?;
    let one = |key: &str| {
        let value = &run[key];
        value.as_str().or_else(|| value[0].as_str()).and_then(|text| text.parse().ok())
    };
    Some(Addresses { udp: one("udp")?, tcp: one("tcp")?, http: one("http")? })
}
