//! The public network beyond the trunk: numbers that we dial, each of which answers, is busy, refuses or lets it ring.

use super::caller::Message;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// What a number does when it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    Answers,
    /// 486, 480, 603, 404 after ringing.
    Fails(u16),
    /// Until it is cancelled.
    Rings,
}

#[derive(Debug, Default)]
struct Seen {
    /// Numbers in the order in which they were dialled, and the number each call came from.
    dialled: Vec<(String, String)>,
    /// Calls ringing or up, by Call-ID; and the most there ever were.
    up: HashMap<String, String>,
    most: usize,
    cancelled: usize,
    plans: HashMap<String, Vec<Does>>,
}

/// One address for all numbers.
pub struct Exchange {
    pub at: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Exchange {
    pub fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a UDP socket");
        socket.set_read_timeout(Some(Duration::from_millis(20))).expect("a timeout");
        let at = socket.local_addr().expect("bound");
        let (seen, done) = (Arc::new(Mutex::new(Seen::default())), Arc::new(AtomicBool::new(false)));
        let (all, over) = (Arc::clone(&seen), Arc::clone(&done));
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 65_535];
            while !over.load(Ordering::Relaxed) {
                if let Ok((n, from)) = socket.recv_from(&mut buffer) {
                    let message = Message(String::from_utf8_lossy(&buffer[..n]).into_owned());
                    for answer in all.lock().expect("whole").take(&message, at) {
                        socket.send_to(answer.as_bytes(), from).expect("send");
                    }
                }
            }
        });
        Self { at, seen, done, thread: Some(thread) }
    }

    /// What this number does at its next calls, one after the other; afterwards it answers.
    pub fn plan(&self, number: &str, does: &[Does]) {
        self.seen.lock().expect("whole").plans.insert(number.to_owned(), does.to_vec());
    }

    /// Numbers in the order in which they were dialled.
    pub fn dialled(&self) -> Vec<String> {
        self.seen.lock().expect("whole").dialled.iter().map(|(to, _)| to.clone()).collect()
    }

    /// What was shown to those who were dialled.
    pub fn shown(&self) -> Vec<String> {
        self.seen.lock().expect("whole").dialled.iter().map(|(_, from)| from.clone()).collect()
    }

    /// The most calls that rang or were up at once.
    pub fn most(&self) -> usize {
        self.seen.lock().expect("whole").most
    }

    pub fn cancelled(&self) -> usize {
        self.seen.lock().expect("whole").cancelled
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Seen {
    fn take(&mut self, message: &Message, at: SocketAddr) -> Vec<String> {
        if message.status().is_some() {
            return Vec::new();
        }
        let call = message.header("Call-ID").unwrap_or_default().to_owned();
        match message.method() {
            "INVITE" => self.invited(message, call, at),
            "BYE" => {
                self.up.remove(&call);
                vec![message.ok()]
            }
            "CANCEL" => {
                self.cancelled += 1;
                let invite = self.up.remove(&call);
                let refused = invite.map(|invite| answer(&Message(invite), 487, at));
                [Some(message.ok()), refused].into_iter().flatten().collect()
            }
            _ => Vec::new(),
        }
    }

    fn invited(&mut self, message: &Message, call: String, at: SocketAddr) -> Vec<String> {
        // A repeated INVITE has its answers already.
        if self.up.contains_key(&call) {
            return Vec::new();
        }
        let user = |header: &str| {
            let text = message.header(header).unwrap_or_default();
            text.split("sip:").nth(1).and_then(|rest| rest.split('@').next()).unwrap_or_default().to_owned()
        };
        let number = user("To");
        self.dialled.push((number.clone(), user("From")));
        self.up.insert(call.clone(), message.0.clone());
        self.most = self.most.max(self.up.len());
        let plan = self.plans.get_mut(&number).filter(|plan| !plan.is_empty());
        let does = plan.map_or(Does::Answers, |plan| plan.remove(0));
        let mut answers = vec![answer(message, 180, at)];
        match does {
            Does::Answers => answers.push(answer(message, 200, at)),
            Does::Fails(status) => {
                self.up.remove(&call);
                answers.push(answer(message, status, at));
            }
            Does::Rings => {}
        }
        answers
    }
}

fn answer(request: &Message, status: u16, at: SocketAddr) -> String {
    let mut out = format!("SIP/2.0 {status} {}\r\n", if status == 200 { "OK" } else { "Answer" });
    for line in request.0.lines().skip(1).take_while(|line| !line.is_empty()) {
        let name = line.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
        if ["via", "from", "call-id", "cseq", "record-route"].contains(&name.as_str()) {
            let _ = write!(out, "{line}\r\n");
        } else if name == "to" {
            let _ = write!(out, "{line};tag=exchange\r\n");
        }
    }
    let _ = write!(out, "Contact: <sip:exchange@{at}>\r\n");
    if status != 200 {
        return out + "Content-Length: 0\r\n\r\n";
    }
    let sdp = format!(
        "v=0\r\no=- 7 7 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 9996 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=ptime:20\r\n",
        ip = at.ip()
    );
    let _ = write!(out, "Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}", sdp.len());
    out
}
