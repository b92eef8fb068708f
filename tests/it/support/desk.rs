//! An agent's desk in the system's browser: `panel/e2e/desk.mjs`, a process and a microphone of its own each.

use super::server::{Server, TOP};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

/// Longer than any wait of the script's own.
const WAIT: Duration = Duration::from_secs(150);

pub struct Desk {
    name: String,
    script: Child,
    to: ChildStdin,
    lines: Receiver<Value>,
    n: u64,
}

impl Desk {
    /// Signed in with the demonstration's password, and ready for calls.
    #[track_caller]
    pub fn ready(server: &Server, microphone: &Path, user: &str) -> Self {
        let mut script = Command::new("node")
            .current_dir(format!("{TOP}/panel"))
            .arg("e2e/desk.mjs")
            .arg(format!("http://{}/", server.at.http))
            .arg(microphone)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs");
        // One answer for each order.
        let (answers, lines) = sync_channel(64);
        let told = BufReader::new(script.stdout.take().expect("piped"));
        std::thread::spawn(move || {
            for line in told.lines().map_while(Result::ok) {
                let _ = answers.send(serde_json::from_str(&line).unwrap_or(Value::String(line)));
            }
        });
        let to = script.stdin.take().expect("piped");
        let mut desk = Self { name: user.to_owned(), script, to, lines, n: 0 };
        desk.does(json!({"do": "ready", "user": user}));
        desk
    }

    /// Begins something; [`Desk::told`] waits for it.
    pub fn begin(&mut self, mut what: Value) {
        self.n += 1;
        what["n"] = json!(self.n);
        writeln!(self.to, "{what}").expect("the script reads");
    }

    /// The end of what was begun last.
    #[track_caller]
    pub fn told(&mut self) -> Value {
        let told = self.lines.recv_timeout(WAIT);
        let told = told.unwrap_or_else(|e| panic!("no answer of {}'s browser: {e}", self.name));
        assert_eq!(told["did"], self.n, "{}: {told}", self.name);
        assert!(told["failed"].is_null(), "{}: {told}", self.name);
        told
    }

    #[track_caller]
    pub fn does(&mut self, what: Value) -> Value {
        self.begin(what);
        self.told()
    }

    #[track_caller]
    pub fn press(&mut self, keys: &[&str]) {
        self.does(json!({"do": "press", "keys": keys}));
    }

    /// Waits until the bar is in this state.
    #[track_caller]
    pub fn face(&mut self, name: &str) {
        self.does(json!({"do": "face", "names": [name]}));
    }

    /// What its loudspeaker played, of a listening that was begun.
    #[track_caller]
    pub fn heard(&mut self) -> Vec<f32> {
        samples(self.told()["heard"].as_str().expect("samples"))
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}

/// Samples of 16 bits, least byte first, from base64 as `btoa` writes it.
pub fn samples(text: &str) -> Vec<f32> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u32> = text.bytes().filter(|c| *c != b'=').map(|c| u32::from(value(c))).collect();
    let bytes: Vec<u8> = digits
        .chunks(4)
        .flat_map(|four| {
            let bits = four.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - four.len()));
            (0..four.len() - 1).map(move |n| (bits >> (16 - 8 * n)) as u8)
        })
        .collect();
    bytes.chunks_exact(2).map(|two| f32::from(i16::from_le_bytes([two[0], two[1]]))).collect()
}
