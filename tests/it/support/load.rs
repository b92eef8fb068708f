//! Many callers from one thread and one UDP socket: the load of the kill and reload tests, and their witness.
//!
//! Each call is INVITE, 200, ACK, then either the caller hangs up after `hold` or the server does when its flow has come to its end.
//! What the server acknowledged is told to `Witness` at that moment, before anything else happens.

use super::caller::{Message, Script};
use std::collections::{BTreeMap, HashMap};
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What a caller learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seen {
    /// 200 to the INVITE.
    Answered,
    /// Refused with this status.
    Refused(u16),
    /// BYE came from the server: the flow was at its end, what it told the caller had been told.
    EndedByServer,
    /// Our BYE was answered 200.
    HungUp,
    /// Our BYE was answered otherwise: the server does not know the call (any more).
    Forgotten(u16),
    /// No answer to INVITE or BYE for 32 s of retransmissions, or the load was told to give up.
    NoAnswer,
}

/// Everything the callers saw, by Call-ID, in order.
pub type Story = Arc<Mutex<BTreeMap<String, Vec<Seen>>>>;

pub struct Plan {
    pub name: &'static str,
    pub server: SocketAddr,
    pub per_second: u32,
    /// Time from the ACK to our BYE; `None`: wait for the server's.
    pub hold: Option<Duration>,
    /// A key pressed by INFO so long after the ACK.
    pub key: Option<(Duration, char)>,
    /// Longest that a call that waits for the server's BYE waits.
    pub patience: Duration,
}

pub struct Load {
    stop: Arc<AtomicBool>,
    pub story: Story,
    thread: Option<JoinHandle<()>>,
}

enum State {
    Inviting { sent: Instant, every: Duration, since: Instant },
    Talking { bye_at: Instant, key_at: Option<(Instant, char)> },
    Leaving { sent: Instant, every: Duration, since: Instant, bye: String },
}

struct Call {
    script: Script,
    invite: String,
    state: State,
}

/// Retransmission as a caller does it: 500 ms, doubling to 4 s.
const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
/// A caller gives up after so long without any answer.
const GIVE_UP: Duration = Duration::from_secs(8);

impl Load {
    /// `witness` hears of each thing at the moment it is seen, on the load's own thread.
    pub fn start(plan: Plan, witness: impl FnMut(&str, Seen) + Send + 'static) -> Self {
        let (stop, story) = (Arc::new(AtomicBool::new(false)), Story::default());
        let (stopped, told) = (Arc::clone(&stop), Arc::clone(&story));
        let thread = std::thread::Builder::new()
            .name("load".into())
            .spawn(move || drive(&plan, &stopped, &told, witness))
            .expect("a thread");
        Self { stop, story, thread: Some(thread) }
    }

    /// No new calls; those in progress come to their end.
    pub fn finish(mut self) -> BTreeMap<String, Vec<Seen>> {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the load's thread");
        }
        let story = self.story.lock().expect("the story");
        story.clone()
    }

    pub fn calls(&self) -> usize {
        self.story.lock().expect("the story").len()
    }

    pub fn count(&self, wanted: Seen) -> usize {
        self.story.lock().expect("the story").values().filter(|seen| seen.contains(&wanted)).count()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn drive(plan: &Plan, stop: &AtomicBool, story: &Story, mut witness: impl FnMut(&str, Seen)) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a UDP socket");
    // Where the sound goes: bound so that nothing else is there, never read.
    let sink = UdpSocket::bind("127.0.0.1:0").expect("a UDP socket");
    let rtp = sink.local_addr().expect("bound").port();
    let local = socket.local_addr().expect("bound");
    socket.set_read_timeout(Some(Duration::from_millis(2))).expect("a timeout");
    let mut calls: HashMap<String, Call> = HashMap::new();
    let begun = Instant::now();
    let mut made = 0_u32;
    let mut buffer = [0; 65_535];
    let mut tell = |call_id: &str, seen: Seen| {
        witness(call_id, seen);
        story.lock().expect("the story").entry(call_id.to_owned()).or_default().push(seen);
    };
    loop {
        let now = Instant::now();
        let due = (now - begun).as_secs_f64() * f64::from(plan.per_second);
        let stopping = stop.load(Ordering::Relaxed);
        if stopping && calls.is_empty() {
            return;
        }
        if !stopping && f64::from(made) < due {
            made += 1;
            let mut script = Script::new(plan.name, plan.server, local, "UDP");
            script.rtp = rtp;
            let invite = script.invite();
            story.lock().expect("the story").entry(script.call_id.clone()).or_default();
            let _ = socket.send_to(invite.as_bytes(), plan.server);
            let state = State::Inviting { sent: now, every: T1, since: now };
            calls.insert(script.call_id.clone(), Call { script, invite, state });
        }
        while let Ok((n, _)) = socket.recv_from(&mut buffer) {
            let message = Message(String::from_utf8_lossy(&buffer[..n]).into_owned());
            let Some(call_id) = message.header("Call-ID").map(str::to_owned) else { continue };
            let is_request = message.status().is_none();
            if is_request {
                // A BYE is answered also when it comes again.
                let _ = socket.send_to(message.ok().as_bytes(), plan.server);
            }
            let Some(call) = calls.get_mut(&call_id) else { continue };
            if heard(plan, &socket, call, &message, &mut tell) {
                calls.remove(&call_id);
            }
            if Instant::now() - now > Duration::from_millis(20) {
                break;
            }
        }
        calls.retain(|_, call| timers(plan, &socket, call, stopping, &mut tell));
    }
}

/// True when the call is over.
fn heard(
    plan: &Plan,
    socket: &UdpSocket,
    call: &mut Call,
    message: &Message,
    tell: &mut impl FnMut(&str, Seen),
) -> bool {
    let now = Instant::now();
    let call_id = call.script.call_id.clone();
    match (message.status(), message.method(), &mut call.state) {
        (None, "BYE", _) => {
            tell(&call_id, Seen::EndedByServer);
            true
        }
        (Some(200), "INVITE", state) => {
            call.script.to_tag = message.to_tag().map(str::to_owned);
            let _ = socket.send_to(call.script.ack().as_bytes(), plan.server);
            if matches!(state, State::Inviting { .. }) {
                tell(&call_id, Seen::Answered);
                let bye_at = now + plan.hold.unwrap_or(plan.patience);
                *state = State::Talking { bye_at, key_at: plan.key.map(|(after, key)| (now + after, key)) };
            }
            false
        }
        (Some(status), "INVITE", State::Inviting { .. }) if status >= 300 => {
            let mut ack = call.script.clone();
            ack.to_tag = message.to_tag().map(str::to_owned);
            // The ACK of a refusal belongs to the INVITE's own transaction.
            let ack = ack.ack().replacen("a;rport", ";rport", 1);
            let _ = socket.send_to(ack.as_bytes(), plan.server);
            tell(&call_id, Seen::Refused(status));
            true
        }
        (Some(200), "BYE", State::Leaving { .. }) => {
            tell(&call_id, Seen::HungUp);
            true
        }
        (Some(status), "BYE", State::Leaving { .. }) if status >= 300 => {
            tell(&call_id, Seen::Forgotten(status));
            true
        }
        _ => false,
    }
}

/// False when the call is given up.
fn timers(
    plan: &Plan,
    socket: &UdpSocket,
    call: &mut Call,
    stopping: bool,
    tell: &mut impl FnMut(&str, Seen),
) -> bool {
    let now = Instant::now();
    match &mut call.state {
        State::Inviting { sent, every, since } => {
            if now - *since > GIVE_UP {
                tell(&call.script.call_id, Seen::NoAnswer);
                return false;
            }
            if now - *sent > *every {
                (*sent, *every) = (now, *every * 2);
                let _ = socket.send_to(call.invite.as_bytes(), plan.server);
            }
        }
        State::Talking { bye_at, key_at } => {
            if let Some((at, key)) = *key_at
                && now > at
            {
                *key_at = None;
                let _ = socket.send_to(call.script.key(key).as_bytes(), plan.server);
            }
            if now > *bye_at || (stopping && plan.hold.is_some()) {
                let bye = call.script.bye();
                let _ = socket.send_to(bye.as_bytes(), plan.server);
                call.state = State::Leaving { sent: now, every: T1, since: now, bye };
            }
        }
        State::Leaving { sent, every, since, bye } => {
            if now - *since > GIVE_UP {
                tell(&call.script.call_id, Seen::NoAnswer);
                return false;
            }
            if now - *sent > *every {
                (*sent, *every) = (now, (*every * 2).min(T2));
                let _ = socket.send_to(bye.as_bytes(), plan.server);
            }
        }
    }
    true
}
