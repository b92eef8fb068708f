//! A throw-away PostgreSQL server on a free port.

use super::level;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub struct Postgres {
    dir: tempfile::TempDir,
    bin: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Postgres {
    /// `None`, said aloud, where PostgreSQL is not installed.
    pub fn start() -> Option<Self> {
        let Some(bin) = find_bin() else {
            eprintln!("SKIPPED: no PostgreSQL server on this machine (apt-get install postgresql)");
            return None;
        };
        let dir = tempfile::Builder::new().prefix("hotline-pg").tempdir().expect("a folder for PostgreSQL");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
        let mut server = Self { dir, bin, port, child: None };
        server.open_folder();
        let data = server.data();
        let made = server
            .as_its_user("initdb")
            .arg("-D")
            .arg(&data)
            .args(["-A", "trust", "-U", "hotline", "-E", "UTF8", "--no-sync"])
            .output();
        let made = made.expect("run initdb");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        server.resume();
        let created = server
            .as_its_user("createdb")
            .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-U", "hotline", "hotline"])
            .output();
        let created = created.expect("run createdb");
        assert!(created.status.success(), "createdb: {}", String::from_utf8_lossy(&created.stderr));
        Some(server)
    }

    pub fn url(&self) -> String {
        format!("postgres://hotline@127.0.0.1:{}/hotline", self.port)
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// The server refuses to run as root: then the folder belongs to `postgres` and so do its processes.
    fn open_folder(&self) {
        if is_root() {
            let done =
                Command::new("chown").arg("postgres").arg(self.dir.path()).status().expect("run chown");
            assert!(done.success(), "chown to postgres");
        }
    }

    fn as_its_user(&self, program: &str) -> Command {
        let program = self.bin.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.dir.path()).stdin(Stdio::null());
        command
    }

    /// Stops it at once, as a crash would.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let pid = i32::try_from(child.id()).expect("a process id");
            // SAFETY: our own child, not yet reaped. SIGQUIT is PostgreSQL's immediate shutdown.
            unsafe { libc::kill(pid, libc::SIGQUIT) };
            let _ = child.wait();
        }
    }

    pub fn resume(&mut self) {
        assert!(self.child.is_none(), "PostgreSQL is stopped");
        let _ = std::fs::remove_file(self.data().join("postmaster.pid"));
        let (data, port, dir) = (self.data(), self.port.to_string(), self.dir.path().display().to_string());
        let mut command = self.as_its_user("postgres");
        command.arg("-D").arg(data).args([
            "-p",
            &port,
            "-k",
            &dir,
            "-h",
            "127.0.0.1",
            "-c",
            "fsync=on",
            "-c",
            "shared_buffers=16MB",
        ]);
        self.child =
            Some(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("start postgres"));
        let ready = self.bin.join("pg_isready");
        level::until("PostgreSQL takes connections", Duration::from_secs(60), || {
            let asked = Command::new(&ready).args(["-q", "-h", "127.0.0.1", "-p", &port]).status();
            asked.ok().filter(std::process::ExitStatus::success)
        });
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

fn is_root() -> bool {
    // SAFETY: reads this process's user id.
    unsafe { libc::geteuid() == 0 }
}

/// Debian keeps the server's programs out of the path, one folder a version.
fn find_bin() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut bins: Vec<PathBuf> = versions.map(|entry| entry.path().join("bin")).collect();
    bins.sort();
    bins.extend(
        std::env::var_os("PATH").iter().flat_map(|path| std::env::split_paths(path).collect::<Vec<_>>()),
    );
    bins.into_iter()
        .rev()
        .find(|bin| ["initdb", "postgres", "pg_isready"].iter().all(|p| Path::new(bin).join(p).exists()))
}
