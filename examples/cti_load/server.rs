//! The program itself: `hotline serve` on free ports, in a folder of its own, with as many users as are needed.

use hotline::store::{Db, OpenOptions, User, Work};
use std::error::Error;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub const PASSWORD: &str = "correct horse battery 12341";
/// Of all desk phones.
pub const PHONE: &str = "desk-phone-12341";

/// Callers stand in line from the answer on.
const FLOW: &str = "[flow]\nstart = \"people\"\nversion = \"load\"\n\
    [node.people]\nkind = \"queue\"\nqueue = \"people\"\ntimeout_s = 7200\nno_staff_after_s = 7200\n\
    timeout = \"bye\"\nfull = \"bye\"\nno_staff = \"bye\"\n\
    [node.bye]\nkind = \"hangup\"\nprompt = \"goodbye\"\n";

/// A running server; dropping it kills it and removes its folder.
pub struct Server {
    _dir: tempfile::TempDir,
    child: Child,
    pub udp: SocketAddr,
    pub http: SocketAddr,
}

impl Server {
    /// `users`: name and role; `phones`: desk phones by name.
    pub async fn start(users: &[(String, &str)], phones: &[String]) -> Result<Self, Box<dyn Error>> {
        let dir = tempfile::tempdir()?;
        let data = dir.path().join("data");
        std::fs::create_dir_all(&data)?;
        std::fs::create_dir_all(dir.path().join("ivr-flows"))?;
        std::fs::write(dir.path().join("ivr-flows/load.toml"), FLOW)?;
        let config = dir.path().join("hotline.toml");
        std::fs::write(&config, configuration(phones))?;
        enrol(&data.join("hotline.db"), users).await?;
        let log = std::fs::File::create(dir.path().join("log.txt"))?;
        let child = Command::new(binary()?)
            .args(["serve", "--config"])
            .arg(&config)
            .arg("--data")
            .arg(&data)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self { _dir: dir, child, udp: nowhere, http: nowhere };
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(30) {
            if let Some(ended) = server.child.try_wait()? {
                let log = std::fs::read_to_string(server._dir.path().join("log.txt"))?;
                return Err(format!("the server ended with {ended}: {log}").into());
            }
            if let Some((udp, http)) = addresses(&data.join("run.json"))
                && reqwest::get(format!("http://{http}/readyz")).await.is_ok_and(|a| a.status().is_success())
            {
                (server.udp, server.http) = (udp, http);
                return Ok(server);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err("the server is not ready after 30 s".into())
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A sample of `/metrics` by its whole name with labels; all whose name begins so, summed.
    pub async fn metric(&self, name: &str) -> Result<f64, Box<dyn Error>> {
        let text = reqwest::get(format!("http://{}/metrics", self.http)).await?.text().await?;
        let samples = text.lines().filter(|line| line.starts_with(name));
        Ok(samples.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Beside the folder of the examples.
fn binary() -> Result<PathBuf, Box<dyn Error>> {
    let own = std::env::current_exe()?;
    let folder = own.parent().and_then(Path::parent).ok_or("no folder above the example's")?;
    let binary = folder.join("hotline");
    if binary.exists() {
        return Ok(binary);
    }
    Err(format!("{} is not built: cargo build --release", binary.display()).into())
}

fn configuration(phones: &[String]) -> String {
    let mut text = "[sip]\nudp = \"127.0.0.1:0\"\ntcp = \"127.0.0.1:0\"\ndigest = [\"MD5\"]\n\
        [[trunk]]\nname = \"city\"\npeers = [\"127.0.0.1\"]\nmedia_nets = [\"127.0.0.0/8\"]\n\
        [media]\nports = \"14000-17999\"\n[ivr]\nentry = \"load\"\n[http]\nlisten = \"127.0.0.1:0\"\n\
        [queue.people]\nanswer = \"auto\"\nmax_waiting = 1000\n[acd]\nhold_unfinished = false\n\
        [limits]\ncaller_concurrent = 0\ncaller_per_minute = 0\n[telemetry]\nlog = \"warn\"\n"
        .to_owned();
    for phone in phones {
        // Writing to a String cannot fail.
        let _ = write!(text, "[[agent_phone]]\nname = \"{phone}\"\npassword = \"{PHONE}\"\n");
    }
    text
}

/// Rows past the program, all with the one password: its hash is drawn once and not five hundred times.
async fn enrol(path: &Path, users: &[(String, &str)]) -> Result<(), Box<dyn Error>> {
    let db = Db::open(&format!("sqlite://{}", path.display()), OpenOptions::default()).await?;
    db.migrate().await?;
    let hash = hotline::auth::password::hash(PASSWORD)?;
    for (name, role) in users {
        let user = User {
            name: name.clone(),
            display: name.clone(),
            unit: None,
            roles: vec![(*role).to_owned()],
            disabled: false,
            created_at: 1_795_000_000_000,
            work: Work::default(),
        };
        db.add_user(&user, &hash).await?;
    }
    db.close().await;
    Ok(())
}

fn addresses(path: &Path) -> Option<(SocketAddr, SocketAddr)> {
    let run: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()?;
    let one = |key: &str| {
        let value = &run[key];
        value.as_str().or_else(|| value[0].as_str()).and_then(|text| text.parse().ok())
    };
    Some((one("udp")?, one("http")?))
}
