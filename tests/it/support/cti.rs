//! An agent's websocket, as a program uses it.

use super::api::Api;
use super::level;
use serde_json::{Value, json};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

const WAIT: Duration = Duration::from_secs(20);
/// The page's echo of our probe goes out so often, and its answers are nobody's.
const ECHO: Duration = Duration::from_millis(250);
const ECHO_ID: &str = "echo-";

pub struct Agent {
    pub name: String,
    line: Arc<Mutex<Line>>,
    next: u32,
    done: Arc<AtomicBool>,
}

/// The socket, and the events not yet asked for. A thread reads all the time, as a page does: who does not answer pings is cut.
struct Line {
    socket: WebSocket<TcpStream>,
    events: Vec<Value>,
    seq: u64,
    broken: Option<String>,
    /// Whose page this is, and what he was last told he is.
    name: String,
    state: String,
    /// Packets its page has heard, when it has one with sound.
    echo: Option<Arc<AtomicU32>>,
    echoed: (u32, Instant),
}

impl Agent {
    /// Signs in, opens the socket and reads hello and snapshot.
    #[track_caller]
    pub fn open(at: SocketAddr, user: &str, password: &str) -> Self {
        let api = Api::sign_in(at, user, password);
        let mut request = format!("ws://{at}/cti/v1").into_client_request().expect("a request");
        let headers = request.headers_mut();
        let bearer = format!("Bearer {}", api.token());
        headers.insert("authorization", bearer.parse().expect("a token"));
        headers.insert("sec-websocket-protocol", "hotline.cti.v1".parse().expect("a name"));
        let stream = TcpStream::connect(at).expect("the desk listens");
        stream.set_nodelay(true).expect("no delay");
        let timeout = stream.try_clone().expect("a second handle");
        let (socket, _) = tungstenite::client(request, stream).expect("the upgrade");
        timeout.set_read_timeout(Some(Duration::from_millis(20))).expect("a timeout");
        let line = Arc::new(Mutex::new(Line {
            socket,
            events: Vec::new(),
            seq: 0,
            broken: None,
            name: user.to_owned(),
            state: String::new(),
            echo: None,
            echoed: (0, Instant::now()),
        }));
        let done = Arc::new(AtomicBool::new(false));
        let (reads, over) = (Arc::clone(&line), Arc::clone(&done));
        std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) && reads.lock().expect("whole").read() {
                // Lets the test have the lock.
                std::thread::park_timeout(Duration::from_millis(1));
            }
        });
        let mut agent = Self { name: user.to_owned(), line, next: 1, done };
        agent.event("hello");
        agent.event("snapshot");
        agent
    }

    /// The next frame that fits; earlier ones stay for later.
    #[track_caller]
    pub fn wait_for(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.wait(what, fits)
    }

    fn wait(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        level::until(what, WAIT, || {
            let mut line = self.line.lock().expect("whole");
            assert_eq!(line.broken, None, "the socket, before {what}");
            let at = line.events.iter().position(&fits)?;
            Some(line.events.remove(at))
        })
    }

    /// The next event of that name; earlier ones of other names stay for later.
    #[track_caller]
    pub fn event(&mut self, name: &str) -> Value {
        self.wait(name, |frame| frame["event"] == name)
    }

    /// The next state of its own.
    #[track_caller]
    pub fn state(&mut self, agent: &str, state: &str) -> Value {
        self.wait(&format!("{agent} is {state}"), |frame| {
            frame["event"] == "agent.state"
                && frame["data"]["agent"] == agent
                && frame["data"]["state"] == state
        })
    }

    /// What he was last told he is.
    pub fn is(&self) -> String {
        self.line.lock().expect("whole").state.clone()
    }

    /// Events not asked for until now are not waited for any more.
    pub fn forget(&mut self) {
        self.line.lock().expect("whole").events.clear();
    }

    /// Nor those of a call that is over.
    pub fn forget_call(&mut self, call: &Value) {
        self.line.lock().expect("whole").events.retain(|frame| frame["data"]["call"] != *call);
    }

    /// Is there such an event that was not asked for yet?
    pub fn has(&self, name: &str) -> bool {
        self.line.lock().expect("whole").events.iter().any(|frame| frame["event"] == name)
    }

    /// From now on the page echoes how many packets it has heard; `None`: no more.
    pub fn echo(&mut self, heard: Option<Arc<AtomicU32>>) {
        self.line.lock().expect("whole").echo = heard;
    }

    /// A command, and its answer.
    #[track_caller]
    pub fn command(&mut self, cmd: &str, mut fields: Value) -> Value {
        let id = format!("t{}", self.next);
        self.next += 1;
        fields["id"] = json!(id);
        fields["cmd"] = json!(cmd);
        self.line.lock().expect("whole").socket.send(Message::text(fields.to_string())).expect("send");
        self.wait(&format!("the answer to {cmd}"), |frame| frame["re"] == id.as_str())
    }

    #[track_caller]
    pub fn done(&mut self, cmd: &str, fields: Value) -> Value {
        let answer = self.command(cmd, fields);
        assert_eq!(answer["ok"], true, "{cmd}: {answer}");
        answer
    }
}

impl Line {
    /// False once the socket is broken.
    fn read(&mut self) -> bool {
        if let Some(heard) = &self.echo
            && self.echoed.1.elapsed() >= ECHO
        {
            self.echoed = (self.echoed.0 + 1, Instant::now());
            let received = heard.load(Ordering::Relaxed);
            let id = format!("{ECHO_ID}{}", self.echoed.0);
            let probe = json!({"id": id, "cmd": "media.probe", "received": received});
            let _ = self.socket.send(Message::text(probe.to_string()));
        }
        match self.socket.read() {
            Ok(Message::Text(text)) => {
                let frame: Value = serde_json::from_str(&text).expect("JSON");
                if let Some(seq) = frame["seq"].as_u64() {
                    let follows = frame["event"] == "snapshot" || self.seq == 0 || seq == self.seq + 1;
                    if !follows {
                        self.broken = Some(format!("seq {seq} after {}", self.seq));
                    }
                    self.seq = seq;
                }
                if frame["event"] == "agent.state" && frame["data"]["agent"] == self.name.as_str() {
                    self.state = frame["data"]["state"].as_str().unwrap_or_default().to_owned();
                }
                let is_echo = frame["re"].as_str().is_some_and(|re| re.starts_with(ECHO_ID));
                if !is_echo && frame["event"] != "heartbeat" {
                    self.events.push(frame);
                }
            }
            Ok(_) => {}
            Err(tungstenite::Error::Io(e))
                if matches!(e.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(e) => self.broken = Some(e.to_string()),
        }
        self.broken.is_none()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
    }
}
