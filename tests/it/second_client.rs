//! A second, independent client: baresip calls over UDP and over TCP, listens, presses keys and speaks.
//!
//! What it heard is compared with the prompt file, what it said and heard with both channels of the recording.

use crate::support::audio;
use crate::support::level;
use crate::support::server::{Server, Setup, TOP};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Correlation above which two sounds are the same (issue 3, row 3).
const LIKE: f64 = 0.9;
/// Samples of 20 ms: how far the recording's channels may be apart.
const ALIGNED: usize = 160;

/// What the caller says. No prompt of the flow, so that nothing can be taken for the other.
const VOICE: &str = "sounds/zh/dept_rexianban.wav";

struct Baresip {
    dir: tempfile::TempDir,
    child: Child,
    control: u16,
}

impl Baresip {
    /// Starts it headless, with a folder of its own: a WAV file is its microphone, what it hears is written to another.
    fn start(voice: &Path) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let (sip, control) = (free_pair(), free_pair());
        let at = |name: &str| dir.path().join(name).display().to_string();
        let config = format!(
            "poll_method epoll\nsip_listen 127.0.0.1:{sip}\nnet_interface 127.0.0.1\ncall_max_calls 1\n\
             audio_source aufile,{}\naudio_player aubridge,sink\naudio_alert aubridge,alert\n\
             ausrc_srate 8000\nauplay_srate 8000\nausrc_channels 1\nauplay_channels 1\naudio_buffer 20-160\n\
             rtp_ports 18000-18999\njitter_buffer_type fixed\njitter_buffer_delay 1-20\n\
             module_path {}\nmodule g711.so\nmodule aufile.so\nmodule aubridge.so\nmodule sndfile.so\n\
             module_tmp account.so\nmodule_app menu.so\nmodule ctrl_tcp.so\nctrl_tcp_listen 127.0.0.1:{control}\nsnd_path {}\n",
            voice.display(),
            module_path().display(),
            at("heard"),
        );
        std::fs::create_dir(dir.path().join("heard")).expect("a folder");
        std::fs::write(dir.path().join("config"), config).expect("write");
        let account = "<sip:12000000055@127.0.0.1>;regint=0;audio_codecs=pcma/8000/1;dtmfmode=rtpevent\n";
        std::fs::write(dir.path().join("accounts"), account).expect("write");
        for empty in ["contacts", "uuid"] {
            std::fs::write(dir.path().join(empty), "").expect("write");
        }
        let log = std::fs::File::create(dir.path().join("log")).expect("a log");
        let mut command = Command::new("baresip");
        command.arg("-4").arg("-f").arg(dir.path()).stdin(Stdio::null());
        command.stdout(log.try_clone().expect("a second handle")).stderr(log);
        let child = command.spawn().unwrap_or_else(|e| panic!("baresip: {e} (apt-get install baresip-core)"));
        let mut client = Self { dir, child, control };
        level::until("baresip listens", Duration::from_secs(20), || {
            assert!(client.child.try_wait().ok().flatten().is_none(), "baresip ended:\n{}", client.log());
            TcpStream::connect(("127.0.0.1", control)).ok()
        });
        client
    }

    fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.dir.path().join("log")).unwrap_or_default()).into_owned()
    }

    /// One command by its control socket: JSON in a netstring.
    fn order(&self, command: &str, params: &str) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.control))
            .unwrap_or_else(|e| panic!("baresip: {e}\n{}", self.log()));
        let text = serde_json::json!({"command": command, "params": params, "token": "test"}).to_string();
        write!(stream, "{}:{text},", text.len()).expect("write to baresip");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
        let mut answer = [0; 4096];
        let n = stream.read(&mut answer).unwrap_or(0);
        let answer = String::from_utf8_lossy(&answer[..n]).into_owned();
        assert!(!answer.contains("\"ok\":false"), "{command} {params}: {answer}\n{}", self.log());
    }

    #[track_caller]
    fn logged(&self, words: &str) {
        level::until(words, Duration::from_secs(20), || self.log().contains(words).then_some(()));
    }

    /// The WAV of what it heard.
    fn heard(&self) -> PathBuf {
        let files =
            std::fs::read_dir(self.dir.path().join("heard")).expect("the folder").flatten().map(|e| e.path());
        let mut files = files;
        files
            .find(|p| p.to_string_lossy().ends_with("-dec.wav"))
            .unwrap_or_else(|| panic!("nothing heard\n{}", self.log()))
    }

    /// Ends it in order, so that its files are whole.
    fn quit(&mut self) {
        let pid = i32::try_from(self.child.id()).expect("a process id");
        // SAFETY: our own child, not yet reaped.
        unsafe { libc::kill(pid, libc::SIGTERM) };
        level::until("baresip ends", Duration::from_secs(10), || self.child.try_wait().ok().flatten());
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where Debian keeps baresip's modules.
fn module_path() -> PathBuf {
    let places = ["/usr/lib/baresip/modules", "/usr/local/lib/baresip/modules", "/usr/lib64/baresip/modules"];
    let found = places.iter().map(Path::new).find(|p| p.join("g711.so").exists());
    found.unwrap_or_else(|| panic!("no baresip modules in {places:?}")).to_path_buf()
}

/// A free port whose neighbour is free too: baresip takes the next one for TLS.
fn free_pair() -> u16 {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let port = udp.local_addr().expect("bound").port();
        if port < 65_000
            && TcpListener::bind(("127.0.0.1", port)).is_ok()
            && TcpListener::bind(("127.0.0.1", port + 1)).is_ok()
        {
            return port;
        }
    }
}

fn prompt(name: &str) -> Vec<f32> {
    sound(&Path::new(TOP).join("sounds/zh").join(format!("{name}.wav")))
}

fn sound(path: &Path) -> Vec<f32> {
    let (channels, rate) = audio::read_wav(path);
    audio::to_8k(&channels[0], rate)
}

/// The stretch of a sound that is compared: its first seconds, without the silence around it.
fn core(sound: &[f32]) -> &[f32] {
    let loud = |s: &&f32| s.abs() > 500.0;
    let first = sound.iter().position(|s| loud(&s)).unwrap_or(0);
    let last = sound.iter().rposition(|s| loud(&s)).unwrap_or(sound.len().saturating_sub(1));
    &sound[first..=last.min(first + 3 * 8_000)]
}

/// A voice file that is three times what it says, with silence between, so that it lasts.
fn voice(dir: &Path) -> PathBuf {
    let said = sound(&Path::new(TOP).join(VOICE));
    let path = dir.join("voice.wav");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(&path, spec).expect("a WAV file");
    for _ in 0..3 {
        for sample in said.iter().copied().chain(std::iter::repeat_n(0.0, 4_000)) {
            file.write_sample(sample as i16).expect("write");
        }
    }
    file.finalize().expect("a whole file");
    path
}

fn a_call(transport: &str) {
    let server: Server = Setup::scenarios().flow("keys", include_str!("flows/keys.toml")).start();
    let api = server.api();
    let dir = tempfile::tempdir().expect("a folder");
    let mut client = Baresip::start(&voice(dir.path()));
    let at = if transport == "tcp" { server.at.tcp } else { server.at.udp };
    client.order("dial", &format!("sip:12341@{at};transport={transport}"));
    client.logged("Call established");

    // Listens to the first seconds, presses 1, listens again, presses 1, and leaves from the third node.
    let live = |want: &[&str]| {
        let calls = api.try_get("calls?limit=1")?;
        let path: Vec<&str> =
            calls["items"][0]["path"].as_array()?.iter().filter_map(Value::as_str).collect();
        (path == want).then_some(())
    };
    let heard_for = |ms: u64| {
        let enough = usize::try_from(ms * 16).expect("small");
        level::until("enough was heard", Duration::from_secs(20), || {
            (std::fs::metadata(client.heard()).ok()?.len() as usize > enough).then_some(())
        });
    };
    level::until("the walk began", Duration::from_secs(20), || live(&["listen"]));
    heard_for(5_000);
    client.order("sndcode", "1");
    level::until("key 1 led on", Duration::from_secs(20), || live(&["listen", "one"]));
    heard_for(9_000);
    client.order("sndcode", "1");
    level::until("key 1 led on again", Duration::from_secs(20), || live(&["listen", "one", "two"]));
    heard_for(11_000);
    client.order("hangup", "");
    client.logged("terminated");
    client.quit();

    let call = level::until("the call's record is complete", Duration::from_secs(20), || {
        let calls = api.try_get("calls?limit=1")?;
        let call = calls["items"][0].clone();
        (!call["end_reason"].is_null() && !call["recording"]["length_ms"].is_null()).then_some(call)
    });
    assert_eq!(
        (call["end_reason"].as_str(), call["keys"].as_str()),
        (Some("caller_hung_up"), Some("11")),
        "{call}"
    );

    let heard = sound(&client.heard());
    for name in ["menu", "queue_offer"] {
        let whole = prompt(name);
        let (like, _) = audio::find(core(&whole), &heard);
        assert!(like > LIKE, "prompt {name} is {like:.3} like what baresip heard over {transport}");
    }

    let file = dir.path().join("recording.wav");
    let id = call["recording"]["id"].as_str().expect("an id");
    std::fs::write(&file, api.bytes(&format!("recordings/{id}"))).expect("write");
    let (channels, rate) = audio::read_wav(&file);
    assert_eq!((channels.len(), rate), (2, 8_000));
    let said = sound(&Path::new(TOP).join(VOICE));
    let (like, _) = audio::find(core(&said), &channels[0]);
    assert!(
        like > LIKE,
        "the caller's voice is {like:.3} like the recording's caller channel over {transport}"
    );
    let menu = prompt("menu");
    let (like, began) = audio::find(core(&menu), &channels[1]);
    assert!(like > LIKE, "the prompt is {like:.3} like the recording's other channel over {transport}");
    assert!(audio::find(core(&menu), &channels[0]).0 < 0.5, "the prompt is in the caller's channel");

    // The prompt begins with the answer, and so does the recording.
    let lead = menu.iter().position(|s| s.abs() > 500.0).unwrap_or(0);
    assert!(
        began <= lead + ALIGNED,
        "the prompt began {} ms late in the recording",
        (began.saturating_sub(lead)) / 8
    );
    drop(client);
    server.assert_clean();
}

#[test]
fn baresip_over_udp_listens_presses_keys_and_is_recorded() {
    a_call("udp");
}

#[test]
fn baresip_over_tcp_listens_presses_keys_and_is_recorded() {
    a_call("tcp");
}

/// The same sound out and back: what was played and what came back at that moment stand side by side in the recording.
///
/// The caller is an echo on the same machine, so between the channels there is the way to it and back and nothing else.
#[test]
fn the_channels_of_a_recording_are_aligned_within_20_ms() {
    let server = Setup::scenarios().flow("keys", include_str!("flows/keys.toml")).start();
    let api = server.api();
    let mut phone = crate::support::caller::Phone::udp("echo", server.at.udp);
    let rtp = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    rtp.set_read_timeout(Some(Duration::from_millis(50))).expect("a timeout");
    phone.script.rtp = rtp.local_addr().expect("bound").port();
    phone.dial();
    let mut echoed = 0;
    let mut buffer = [0; 2048];
    level::until("four seconds were echoed", Duration::from_secs(30), || {
        while let Ok((n, from)) = rtp.recv_from(&mut buffer) {
            rtp.send_to(&buffer[..n], from).expect("echo");
            echoed += 1;
            if echoed >= 200 {
                return Some(());
            }
        }
        None
    });
    phone.hang_up();
    let call = level::until("the call's record is complete", Duration::from_secs(20), || {
        api.call_by_sip_id(&phone.script.call_id).filter(|c| !c["recording"]["length_ms"].is_null())
    });
    let file = tempfile::NamedTempFile::new().expect("a file");
    let id = call["recording"]["id"].as_str().expect("an id");
    std::fs::write(file.path(), api.bytes(&format!("recordings/{id}"))).expect("write");
    let (channels, _) = audio::read_wav(file.path());
    let menu = prompt("menu");
    let part = &core(&menu)[..2 * 8_000];
    let ((like_out, out), (like_back, back)) =
        (audio::find(part, &channels[1]), audio::find(part, &channels[0]));
    assert!(like_out > LIKE && like_back > LIKE, "out {like_out:.3}, back {like_back:.3}");
    let apart = out.abs_diff(back);
    assert!(apart <= ALIGNED, "the channels are {} ms apart", apart / 8);
    server.assert_clean();
}
