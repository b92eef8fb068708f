//! What every part of the user agent leans on: configuration, chance, the table of transactions, deadlines, counters.
//!
//! A transaction knows its owner by id, never by pointer; an owner that has ended meanwhile is simply not found.

use super::chance::{Chance, Keyed, Mark};
use super::counters::{Counters, Noted};
use super::draft::Draft;
use super::reach::Tables;
use crate::base::{Deadlines, Time};
use crate::sip::seam::{ConnId, DialogId, Flow, Output, Peer, PeerId, Transmit, UaConfig};
use crate::sip::transaction::reach::{ClientNews, Reached, ServerInviteNews, ServerOtherNews};
use crate::sip::transaction::{ClientInvite, ClientOther, Gone, ServerInvite, ServerOther, Step, Timers};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;

/// A request of ours over this goes by a stream where the peer has one (RFC 3261 §18.1.1), bytes.
pub(super) const LARGEST_DATAGRAM: usize = 1300;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct TxId(u64);

/// Whose deadline it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    Tx(TxId),
    Session(DialogId),
    Registration(PeerId),
    Binding(PeerId),
}

impl Due {
    pub fn why(self) -> &'static str {
        match self {
            Self::Tx(_) => "transaction",
            Self::Session(_) => "dialog",
            Self::Registration(_) => "registration at a trunk",
            Self::Binding(_) => "a phone's contact ends",
        }
    }
}

/// Why we asked: what a response or its absence means to the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Invite,
    Reinvite,
    Update,
    Bye,
    /// BYE or CANCEL whose answer changes nothing any more.
    Farewell,
    Prack,
    Info,
    Notify,
    Register,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Nobody,
    Session(DialogId),
    Registration(PeerId),
}

#[derive(Debug)]
pub(super) enum Kind {
    ServerInvite(ServerInvite),
    ServerOther(ServerOther),
    ClientInvite(ClientInvite),
    ClientOther(ClientOther),
}

#[derive(Debug)]
enum Key {
    Server(Box<[u8]>),
    Client(Mark, bool),
}

#[derive(Debug)]
pub(super) struct Tx {
    pub kind: Kind,
    pub flow: Flow,
    pub owner: Owner,
    pub ask: Ask,
    key: Key,
    /// Where an answer goes when its connection is gone (RFC 3261 §18.2.2).
    fallback: SocketAddr,
    due: Option<Time>,
    /// Server INVITE: what marks the same request on another path (§8.2.2.2).
    merged: Option<Box<[u8]>>,
    /// Client INVITE: To-tags that have answered, and the ACK each got.
    pub acks: Vec<(Box<str>, Bytes, Flow)>,
    /// Client INVITE: what its CANCEL, and the ACK of its refusal, must repeat.
    pub echo: Option<Box<Echo>>,
}

/// The parts of an INVITE of ours that CANCEL and ACK repeat (RFC 3261 §9.1, §17.1.1.3).
#[derive(Debug)]
pub(super) struct Echo {
    pub uri: String,
    /// Top Via, Max-Forwards, Route, From, Call-ID: whole lines.
    pub top: String,
    pub to: String,
    pub cseq: u32,
    pub branch: Mark,
}

impl Echo {
    pub fn draft(&self, method: &str, to: &str) -> Draft {
        Draft::request(method, &self.uri)
            .lines(self.top.as_bytes())
            .line("To", to)
            .line("CSeq", format_args!("{} {method}", self.cseq))
    }
}

#[derive(Debug)]
pub(super) struct Core {
    pub config: UaConfig,
    pub peers: Vec<Arc<Peer>>,
    pub timers: Timers,
    pub chance: Chance,
    pub counters: Counters,
    pub reach: Tables,
    pub deadlines: Deadlines<Due>,
    txs: BTreeMap<TxId, Tx>,
    by_server: HashMap<Box<[u8]>, TxId, Keyed>,
    by_client: HashMap<(Mark, bool), TxId, Keyed>,
    by_merge: HashMap<Box<[u8]>, TxId, Keyed>,
    by_conn: BTreeSet<(ConnId, TxId)>,
    next: u64,
}

impl Core {
    pub fn new(config: UaConfig, seed: [u8; 32]) -> Self {
        let mut chance = Chance::new(seed);
        let hasher = chance.hasher();
        let mut core = Self {
            peers: Vec::new(),
            timers: Timers::default(),
            chance,
            counters: Counters::default(),
            reach: Tables::default(),
            deadlines: Deadlines::default(),
            txs: BTreeMap::new(),
            by_server: HashMap::with_hasher(hasher),
            by_client: HashMap::with_hasher(hasher),
            by_merge: HashMap::with_hasher(hasher),
            by_conn: BTreeSet::new(),
            next: 0,
            config: config.clone(),
        };
        core.reconfigure(config);
        core
    }

    pub fn reconfigure(&mut self, config: UaConfig) {
        self.timers = Timers { t1: config.t1, t2: config.t2, t4: config.t4 };
        self.peers = config.peers.iter().cloned().map(Arc::new).collect();
        self.config = config;
    }

    pub fn transactions(&self) -> usize {
        self.txs.len()
    }
    /// Is there room for one more transaction that a peer starts?
    pub fn has_room(&self) -> bool {
        self.txs.len() < self.config.max_transactions
    }

    pub fn send(&mut self, flow: Flow, bytes: Bytes, out: &mut Vec<Output>) {
        out.push(Output::Send(Transmit { flow, bytes }));
    }

    // --- server side -----------------------------------------------------------------------------------------

    pub fn server(&self, key: &[u8]) -> Option<TxId> {
        self.by_server.get(key).copied()
    }
    pub fn merged(&self, mark: &[u8]) -> bool {
        self.by_merge.contains_key(mark)
    }

    pub fn open_server(
        &mut self,
        kind: Kind,
        flow: Flow,
        fallback: SocketAddr,
        owner: Owner,
        key: Box<[u8]>,
    ) -> TxId {
        let id = self.fresh();
        self.by_server.insert(key.clone(), id);
        self.insert(id, kind, flow, fallback, owner, Ask::Farewell, Key::Server(key));
        id
    }

    pub fn remember_merge(&mut self, id: TxId, mark: Box<[u8]>) {
        if let Some(tx) = self.txs.get_mut(&id) {
            self.by_merge.insert(mark.clone(), id);
            tx.merged = Some(mark);
        }
    }

    /// Answers through transaction `id`, if it is still there and still waits.
    pub fn answer(&mut self, now: Time, id: TxId, status: u16, bytes: Bytes, out: &mut Vec<Output>) {
        let Some(tx) = self.txs.get_mut(&id) else { return };
        let reach = &mut self.reach.transactions;
        let step = match &mut tx.kind {
            Kind::ServerInvite(machine) => {
                reach.server_invite.took(machine.place(), ServerInviteNews::of(status));
                machine.respond(now, status, bytes)
            }
            Kind::ServerOther(machine) => {
                reach.server_other.took(machine.place(), ServerOtherNews::Answer);
                machine.respond(now, bytes)
            }
            Kind::ClientInvite(_) | Kind::ClientOther(_) => return,
        };
        if step.send.is_some() {
            self.counters.answer(status);
        }
        self.apply(id, step, out);
    }

    // --- client side -----------------------------------------------------------------------------------------

    #[expect(clippy::too_many_arguments, reason = "the parts of one record, each with its own name")]
    pub fn open_client(
        &mut self,
        now: Time,
        owner: Owner,
        ask: Ask,
        branch: Mark,
        flow: Flow,
        request: Bytes,
        is_cancel: bool,
        out: &mut Vec<Output>,
    ) -> TxId {
        let id = self.fresh();
        if request.len() > LARGEST_DATAGRAM && !flow.is_reliable() {
            self.counters.note(Noted::LargeUdp);
        }
        let reliable = flow.is_reliable();
        let kind = match ask {
            Ask::Invite | Ask::Reinvite => {
                Kind::ClientInvite(ClientInvite::new(now, request.clone(), reliable, self.timers))
            }
            _ => Kind::ClientOther(ClientOther::new(now, request.clone(), reliable, self.timers)),
        };
        self.by_client.insert((branch, is_cancel), id);
        self.insert(id, kind, flow, flow.peer(), owner, ask, Key::Client(branch, is_cancel));
        self.send(flow, request, out);
        id
    }

    /// Sends CANCEL for an INVITE of ours. False when none may be sent now: no answer yet, or a final one (RFC 3261 §9.1).
    pub fn cancel_client(
        &mut self,
        now: Time,
        id: TxId,
        reason: Option<String>,
        out: &mut Vec<Output>,
    ) -> bool {
        let Some(tx) = self.txs.get(&id) else { return false };
        let (Kind::ClientInvite(machine), Some(echo)) = (&tx.kind, &tx.echo) else { return false };
        if !machine.may_cancel() {
            return false;
        }
        let bytes = echo.draft("CANCEL", &echo.to).maybe("Reason", reason).bare();
        let (branch, flow) = (echo.branch, tx.flow);
        self.open_client(now, Owner::Nobody, Ask::Farewell, branch, flow, bytes, true, out);
        true
    }

    pub fn client(&self, branch: Mark, is_cancel: bool) -> Option<TxId> {
        self.by_client.get(&(branch, is_cancel)).copied()
    }

    // --- both ------------------------------------------------------------------------------------------------

    pub fn get(&self, id: TxId) -> Option<&Tx> {
        self.txs.get(&id)
    }
    pub fn get_mut(&mut self, id: TxId) -> Option<&mut Tx> {
        self.txs.get_mut(&id)
    }
    pub fn disown(&mut self, id: TxId) {
        if let Some(tx) = self.txs.get_mut(&id) {
            tx.owner = Owner::Nobody;
        }
    }

    /// Sends what the step says, keeps the deadline's mirror true, forgets a finished transaction.
    pub fn apply(&mut self, id: TxId, step: Step, out: &mut Vec<Output>) {
        let Some(tx) = self.txs.get_mut(&id) else { return };
        if let Some(bytes) = step.send {
            if step.repeat {
                self.counters.note(Noted::Retransmitted);
            }
            out.push(Output::Send(Transmit { flow: tx.flow, bytes }));
        }
        match step.gone {
            Some(why) => {
                match why {
                    Gone::Done => {}
                    Gone::NoResponse => self.counters.note(Noted::NoResponse),
                    Gone::AckMissing => self.counters.note(Noted::AckMissing),
                }
                self.forget(id);
            }
            None => {
                let due = poll(&tx.kind);
                self.deadlines.moved(Due::Tx(id), tx.due, due);
                tx.due = due;
            }
        }
    }

    /// Fires a transaction's timer. What it means to the owner, when the transaction ended by it.
    pub fn fire(&mut self, now: Time, id: TxId, out: &mut Vec<Output>) -> Option<(Owner, Ask, Gone)> {
        let tx = self.txs.get_mut(&id)?;
        let (owner, ask) = (tx.owner, tx.ask);
        let step = fire(now, &mut tx.kind, &mut self.reach.transactions);
        let gone = step.gone;
        self.apply(id, step, out);
        gone.map(|why| (owner, ask, why))
    }

    /// A connection is gone: answers will go by a new one; requests in the air on it have failed.
    pub fn connection_lost(&mut self, conn: ConnId) -> Vec<(TxId, Owner, Ask)> {
        let mut failed = Vec::new();
        while let Some((_, id)) = self.by_conn.range((conn, TxId(0))..=(conn, TxId(u64::MAX))).next().copied()
        {
            self.by_conn.remove(&(conn, id));
            let Some(tx) = self.txs.get_mut(&id) else { continue };
            tx.flow = Flow::TcpTo { peer: tx.fallback };
            let reach = &mut self.reach.transactions;
            let open = match &tx.kind {
                Kind::ClientInvite(machine) => {
                    reach.client_invite.took(machine.place(), ClientNews::ConnectionLost);
                    machine.is_open()
                }
                Kind::ClientOther(machine) => {
                    reach.client_other.took(machine.place(), ClientNews::ConnectionLost);
                    machine.is_open()
                }
                Kind::ServerInvite(machine) => {
                    reach.server_invite.took(machine.place(), ServerInviteNews::ConnectionLost);
                    false
                }
                Kind::ServerOther(machine) => {
                    reach.server_other.took(machine.place(), ServerOtherNews::ConnectionLost);
                    false
                }
            };
            if open {
                failed.push((id, tx.owner, tx.ask));
                self.forget(id);
            }
        }
        failed
    }

    pub fn forget(&mut self, id: TxId) {
        let Some(tx) = self.txs.remove(&id) else { return };
        self.deadlines.moved(Due::Tx(id), tx.due, None);
        if let Flow::Tcp { conn, .. } = tx.flow {
            self.by_conn.remove(&(conn, id));
        }
        match tx.key {
            Key::Server(key) => {
                self.by_server.remove(&key);
            }
            Key::Client(branch, is_cancel) => {
                self.by_client.remove(&(branch, is_cancel));
            }
        }
        if let Some(mark) = tx.merged {
            self.by_merge.remove(&mark);
        }
    }

    fn insert(
        &mut self,
        id: TxId,
        kind: Kind,
        flow: Flow,
        fallback: SocketAddr,
        owner: Owner,
        ask: Ask,
        key: Key,
    ) {
        let due = poll(&kind);
        self.deadlines.moved(Due::Tx(id), None, due);
        if let Flow::Tcp { conn, .. } = flow {
            self.by_conn.insert((conn, id));
        }
        self.txs.insert(
            id,
            Tx { kind, flow, owner, ask, key, fallback, due, merged: None, acks: Vec::new(), echo: None },
        );
    }

    fn fresh(&mut self) -> TxId {
        self.next += 1;
        TxId(self.next)
    }
}

/// Fires a machine's timer and counts its row. One that is not due says nothing and takes no row.
fn fire(now: Time, kind: &mut Kind, reach: &mut Reached) -> Step {
    match kind {
        Kind::ServerInvite(machine) => {
            let (place, step) = (machine.place(), machine.handle_timeout(now));
            let news = timer(&step, ServerInviteNews::RepeatDue, ServerInviteNews::TimeUp);
            news.into_iter().for_each(|news| reach.server_invite.took(place, news));
            step
        }
        Kind::ServerOther(machine) => {
            let (place, step) = (machine.place(), machine.handle_timeout(now));
            if step.gone.is_some() {
                reach.server_other.took(place, ServerOtherNews::TimeUp);
            }
            step
        }
        Kind::ClientInvite(machine) => {
            let (place, step) = (machine.place(), machine.handle_timeout(now));
            let news = timer(&step, ClientNews::RepeatDue, ClientNews::TimeUp);
            news.into_iter().for_each(|news| reach.client_invite.took(place, news));
            step
        }
        Kind::ClientOther(machine) => {
            let (place, step) = (machine.place(), machine.handle_timeout(now));
            let news = timer(&step, ClientNews::RepeatDue, ClientNews::TimeUp);
            news.into_iter().for_each(|news| reach.client_other.took(place, news));
            step
        }
    }
}

/// Which timer it was, by what it did.
fn timer<N>(step: &Step, repeat_due: N, time_up: N) -> Option<N> {
    match step {
        Step { gone: Some(_), .. } => Some(time_up),
        Step { repeat: true, .. } => Some(repeat_due),
        _ => None,
    }
}

fn poll(kind: &Kind) -> Option<Time> {
    match kind {
        Kind::ServerInvite(machine) => machine.poll_timeout(),
        Kind::ServerOther(machine) => machine.poll_timeout(),
        Kind::ClientInvite(machine) => machine.poll_timeout(),
        Kind::ClientOther(machine) => machine.poll_timeout(),
    }
}
