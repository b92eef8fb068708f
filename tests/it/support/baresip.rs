//! Baresip, a telephone that others have written, with a sound card made of a named pipe.
//!
//! Its player wants a device that takes samples at their rate. ALSA's file device writes into the pipe, and the test reads from it
//! as a loudspeaker would, 8,000 samples a second: no sound server and no hardware. What goes through its codec is written to
//! files besides, in the moment it is sent and received; how they grow tells when each sample was on the wire.

use super::{audio, level};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const WAIT: Duration = Duration::from_secs(20);
/// Bytes in the pipe: a page, the least there is. It is the card's own delay, a quarter of a second.
const PIPE: usize = 4096;

pub struct Baresip {
    child: Child,
    control: TcpStream,
    card: Card,
    dir: tempfile::TempDir,
}

impl Baresip {
    /// Starts it headless, with a folder of its own. `voice` is a WAV file and its microphone; it must last longer than the call.
    pub fn start(voice: &Path) -> Self {
        Self::citizen(voice, "12000000055")
    }

    /// The same with another number.
    pub fn citizen(voice: &Path, number: &str) -> Self {
        let account =
            format!("<sip:{number}@127.0.0.1>;regint=0;audio_codecs=pcma/8000/1;dtmfmode=rtpevent\n");
        Self::with(voice, account)
    }

    /// A desk phone: it registers with its name and password and answers by itself.
    pub fn phone(voice: &Path, at: std::net::SocketAddr, name: &str, password: &str) -> Self {
        let account = format!(
            "<sip:{name}@{at};transport=udp>;auth_user={name};auth_pass={password};regint=60;answermode=auto;\
             audio_codecs=pcma/8000/1;dtmfmode=rtpevent\n"
        );
        Self::with(voice, account)
    }

    fn with(voice: &Path, account: String) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let (sip, control) = (free_pair(), free_pair());
        let at = |name: &str| dir.path().join(name);
        // Without a jitter buffer, what is received is written down when it comes. The player's own buffer stays.
        let config = format!(
            "poll_method epoll\nsip_listen 127.0.0.1:{sip}\nnet_interface 127.0.0.1\ncall_max_calls 1\n\
             audio_source aufile,{}\naudio_player alsa,speaker\naudio_alert alsa,speaker\n\
             ausrc_srate 8000\nauplay_srate 8000\nausrc_channels 1\nauplay_channels 1\naudio_buffer 300-1200\n\
             rtp_ports 18000-18999\njitter_buffer_delay 0-0\n\
             module_path {}\nmodule g711.so\nmodule alsa.so\nmodule aufile.so\nmodule sndfile.so\n\
             module_tmp account.so\nmodule_app menu.so\nmodule ctrl_tcp.so\nctrl_tcp_listen 127.0.0.1:{control}\n\
             snd_path {}\n",
            voice.display(),
            module_path().display(),
            at("wire").display(),
        );
        let alsa = format!(
            "pcm.speaker {{ type file slave.pcm {{ type null }} file \"{}\" format \"raw\" }}\n",
            at("speaker").display()
        );
        std::fs::create_dir(at("wire")).expect("a folder");
        for (name, text) in [
            ("config", config),
            ("accounts", account),
            ("alsa.conf", alsa),
            ("contacts", String::new()),
            ("uuid", String::new()),
        ] {
            std::fs::write(at(name), text).expect("write");
        }
        let card = Card::start(&at("speaker"), at("wire"));
        let log = File::create(at("log")).expect("a log");
        let mut command = Command::new("baresip");
        command.arg("-4").arg("-f").arg(dir.path()).env("ALSA_CONFIG_PATH", at("alsa.conf"));
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a second handle")).stderr(log);
        let mut child = command.spawn().unwrap_or_else(|e| panic!("baresip: {e} (scripts/setup.sh test)"));
        let control = level::until("baresip listens", WAIT, || {
            let ended = child.try_wait().ok().flatten();
            assert!(ended.is_none(), "baresip ended:\n{}", read_log(dir.path()));
            TcpStream::connect(("127.0.0.1", control)).ok()
        });
        control.set_read_timeout(Some(Duration::from_millis(20))).expect("a timeout");
        Self { child, control, card, dir }
    }

    pub fn log(&self) -> String {
        read_log(self.dir.path())
    }

    /// One command by its control socket, JSON in a netstring, and the answer to it. Events come on the same socket.
    #[track_caller]
    pub fn order(&mut self, command: &str, params: &str) {
        let text = serde_json::json!({"command": command, "params": params, "token": command}).to_string();
        write!(self.control, "{}:{text},", text.len()).expect("write to baresip");
        let token = format!("\"token\":\"{command}\"");
        let (mut said, mut buffer) = (String::new(), [0; 4096]);
        level::until("baresip answers", WAIT, || {
            let n = self.control.read(&mut buffer).unwrap_or(0);
            said.push_str(&String::from_utf8_lossy(&buffer[..n]));
            said.contains(&token).then_some(())
        });
        assert!(!said.contains("\"ok\":false"), "{command} {params}: {said}\n{}", self.log());
    }

    #[track_caller]
    pub fn logged(&self, words: &str) {
        level::until(words, WAIT, || self.log().contains(words).then_some(()));
    }

    /// Waits until so much more has come out of the loudspeaker.
    #[track_caller]
    pub fn listen(&self, seconds: usize) {
        let enough = self.card.heard.lock().expect("whole").len() + seconds * 8_000;
        level::until("enough was heard", WAIT, || {
            (self.card.heard.lock().expect("whole").len() >= enough).then_some(())
        });
    }

    /// How many samples have come out of the loudspeaker.
    pub fn mark(&self) -> usize {
        self.card.heard.lock().expect("whole").len()
    }

    /// What has come since that mark.
    pub fn since(&self, mark: usize) -> Vec<f32> {
        self.card.heard.lock().expect("whole")[mark..].iter().map(|s| f32::from(*s)).collect()
    }

    /// Ends it in order, so that its files are whole; what it heard and what was on the wire.
    #[track_caller]
    pub fn quit(mut self) -> Sounds {
        let pid = i32::try_from(self.child.id()).expect("a process id");
        // SAFETY: kill has no memory effects; the process is our child and not yet reaped.
        unsafe { libc::kill(pid, libc::SIGTERM) };
        level::until("baresip ends", WAIT, || self.child.try_wait().ok().flatten());
        self.card.stop();
        let sound = |direction: &str| {
            let path = self.card.dump(direction).unwrap_or_else(|| panic!("no {direction}\n{}", self.log()));
            let (mut channels, rate) = audio::read_wav(&path);
            assert_eq!((channels.len(), rate), (1, 8_000), "{}", path.display());
            Track { samples: channels.remove(0), began: self.card.began(direction) }
        };
        let heard = self.card.heard.lock().expect("whole").iter().map(|s| f32::from(*s)).collect();
        Sounds { heard, sent: sound(SENT), received: sound(RECEIVED) }
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Its meter would drown the rest.
            let log = self.log();
            let said = log.split(['\n', '\r']).filter(|l| !l.contains("audio=") && !l.trim().is_empty());
            eprintln!("--- baresip\n{}", said.collect::<Vec<_>>().join("\n"));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A call as its caller has it.
pub struct Sounds {
    /// What came out of the loudspeaker.
    pub heard: Vec<f32>,
    pub sent: Track,
    pub received: Track,
}

/// One direction on the wire.
pub struct Track {
    pub samples: Vec<f32>,
    /// When its first sample passed, seconds on the card's clock.
    pub began: f64,
}

const SENT: &str = "enc";
const RECEIVED: &str = "dec";

/// The loudspeaker, and the look at the dumps' sizes: both need a clock, and it is the same.
struct Card {
    heard: Arc<Mutex<Vec<i16>>>,
    /// Where each dump would have begun, had it been written without any delay: once for each look at which it had grown.
    begins: Arc<Mutex<[Vec<f64>; 2]>>,
    wire: PathBuf,
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Card {
    fn start(pipe: &Path, wire: PathBuf) -> Self {
        let name = std::ffi::CString::new(pipe.as_os_str().as_bytes()).expect("a path");
        // SAFETY: a path that ends with a zero.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0, "{}", std::io::Error::last_os_error());
        // Both ends are held, so that the writer may come and go.
        let mut open = OpenOptions::new();
        let mut pipe =
            open.read(true).write(true).custom_flags(libc::O_NONBLOCK).open(pipe).expect("the pipe");
        // SAFETY: a call on a descriptor that is ours and open.
        unsafe {
            libc::fcntl(std::os::fd::AsRawFd::as_raw_fd(&pipe), libc::F_SETPIPE_SZ, PIPE as libc::c_int)
        };
        let (heard, begins, done) =
            <(Arc<Mutex<Vec<i16>>>, Arc<Mutex<[Vec<f64>; 2]>>, Arc<AtomicBool>)>::default();
        let mut card = Self { heard, begins, wire, done, thread: None };
        let (heard, begins, done) = (card.heard.clone(), card.begins.clone(), card.done.clone());
        let dumps = Dumps { folder: card.wire.clone(), sizes: [0; 2] };
        card.thread = Some(std::thread::spawn(move || {
            let (start, mut dumps) = (Instant::now(), dumps);
            let (mut taken, mut began) = (0, false);
            level::until("the card is stopped", Duration::from_secs(1_200), || {
                let due = 2 * (start.elapsed().as_millis() as usize * 8);
                let mut bytes = vec![0; (due - taken).min(PIPE)];
                match pipe.read(&mut bytes) {
                    Ok(n) => {
                        taken += n;
                        began |= n > 0;
                        let samples = bytes[..n].chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]]));
                        heard.lock().expect("whole").extend(samples);
                    }
                    // A player that is held up is caught up with later; before it begins there is nothing to catch up with.
                    Err(e) if e.kind() == ErrorKind::WouldBlock => taken = if began { taken } else { due },
                    Err(e) => panic!("the pipe: {e}"),
                }
                dumps.look(start, &mut begins.lock().expect("whole"));
                done.load(Ordering::Relaxed).then_some(())
            });
        }));
        card
    }

    fn dump(&self, direction: &str) -> Option<PathBuf> {
        find_dump(&self.wire, direction)
    }

    /// The quicker looks tell it: a tenth of them came sooner after the write.
    fn began(&self, direction: &str) -> f64 {
        let mut begins = self.begins.lock().expect("whole")[usize::from(direction == RECEIVED)].clone();
        assert!(begins.len() > 100, "{direction} grew {} times", begins.len());
        begins.sort_by(f64::total_cmp);
        begins[begins.len() / 10]
    }

    fn stop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the card's thread failed");
        }
    }
}

impl Drop for Card {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Dumps {
    folder: PathBuf,
    sizes: [u64; 2],
}

impl Dumps {
    const HEADER: u64 = 44;

    fn look(&mut self, start: Instant, begins: &mut [Vec<f64>; 2]) {
        for (n, direction) in [SENT, RECEIVED].into_iter().enumerate() {
            let Some(path) = find_dump(&self.folder, direction) else { continue };
            let Ok(size) = std::fs::metadata(path).map(|m| m.len()) else { continue };
            if size > self.sizes[n].max(Self::HEADER) {
                self.sizes[n] = size;
                begins[n].push(start.elapsed().as_secs_f64() - (size - Self::HEADER) as f64 / 16_000.0);
            }
        }
    }
}

fn find_dump(folder: &Path, direction: &str) -> Option<PathBuf> {
    let mut files = std::fs::read_dir(folder).ok()?.flatten().map(|e| e.path());
    files.find(|p| p.to_string_lossy().ends_with(&format!("-{direction}.wav")))
}

fn read_log(dir: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(dir.join("log")).unwrap_or_default()).into_owned()
}

/// Where packages keep baresip's modules.
fn module_path() -> PathBuf {
    let places = ["/usr/lib/baresip/modules", "/usr/local/lib/baresip/modules", "/usr/lib64/baresip/modules"];
    let found = places.iter().map(Path::new).find(|p| p.join("g711.so").exists());
    found.unwrap_or_else(|| panic!("no baresip modules in {places:?}")).to_path_buf()
}

/// A free port whose neighbour is free too: baresip takes the next one for TLS.
fn free_pair() -> u16 {
    level::until("two free ports", WAIT, || {
        let udp = UdpSocket::bind("127.0.0.1:0").ok()?;
        let port = udp.local_addr().ok()?.port();
        let free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        (port < 65_000 && free(port) && free(port + 1)).then_some(port)
    })
}
