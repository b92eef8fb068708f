//! An agent's websocket, as a program uses it.

use super::api::Api;
use super::level;
use serde_json::{Value, json};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

const WAIT: Duration = Duration::from_secs(20);

pub struct Agent {
    socket: WebSocket<TcpStream>,
    /// Events not yet asked for.
    events: Vec<Value>,
    next: u32,
    pub seq: u64,
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
        stream.set_read_timeout(Some(Duration::from_millis(50))).expect("a timeout");
        stream.set_nodelay(true).expect("no delay");
        let socket = level::until("the upgrade", WAIT, || {
            let stream = stream.try_clone().expect("a second handle");
            tungstenite::client(request.clone(), stream).ok().map(|(socket, _)| socket)
        });
        let mut agent = Self { socket, events: Vec::new(), next: 1, seq: 0 };
        agent.event("hello");
        agent.event("snapshot");
        agent
    }

    fn read(&mut self) {
        match self.socket.read() {
            Ok(Message::Text(text)) => {
                let frame: Value = serde_json::from_str(&text).expect("JSON");
                if let Some(seq) = frame["seq"].as_u64()
                    && frame["event"] != "snapshot"
                {
                    assert!(self.seq == 0 || seq == self.seq + 1, "seq {seq} after {}", self.seq);
                    self.seq = seq;
                } else if let Some(seq) = frame["seq"].as_u64() {
                    self.seq = seq;
                }
                self.events.push(frame);
            }
            Ok(_) => {}
            Err(tungstenite::Error::Io(e))
                if matches!(e.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(e) => panic!("the socket: {e}"),
        }
    }

    fn wait(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        level::until(what, WAIT, || {
            if let Some(at) = self.events.iter().position(&fits) {
                return Some(self.events.remove(at));
            }
            self.read();
            None
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

    /// A command, and its answer.
    #[track_caller]
    pub fn command(&mut self, cmd: &str, mut fields: Value) -> Value {
        let id = format!("t{}", self.next);
        self.next += 1;
        fields["id"] = json!(id);
        fields["cmd"] = json!(cmd);
        self.socket.send(Message::text(fields.to_string())).expect("send");
        self.wait(&format!("the answer to {cmd}"), |frame| frame["re"] == id.as_str())
    }

    #[track_caller]
    pub fn done(&mut self, cmd: &str, fields: Value) -> Value {
        let answer = self.command(cmd, fields);
        assert_eq!(answer["ok"], true, "{cmd}: {answer}");
        answer
    }
}
