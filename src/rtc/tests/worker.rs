//! A media worker's port for tests: plain RTP out and in.

use super::sound;
use crate::media::g711::FRAME;
use crate::media::rtp;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;

/// One packet that came: when, number, timestamp, source, sound.
pub struct Came {
    pub at: Instant,
    pub seq: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    pub payload: Vec<u8>,
}

pub struct Worker {
    pub address: SocketAddr,
    pub came: Arc<Mutex<Vec<Came>>>,
    tasks: tokio::task::JoinSet<()>,
}

impl Worker {
    /// Sends a tone to `relay` 50 times a second, from the start.
    pub async fn start(relay: SocketAddr, hz: f64, ssrc: u32) -> Self {
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.expect("a port"));
        let address = socket.local_addr().expect("bound");
        let came = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = tokio::task::JoinSet::new();
        let (listening, into) = (Arc::clone(&socket), Arc::clone(&came));
        tasks.spawn(async move {
            let mut datagram = [0; 2_048];
            while let Ok((length, _)) = listening.recv_from(&mut datagram).await {
                let packet = rtp::read(&datagram[..length]).expect("RTP of the relay");
                assert_eq!(packet.payload_type, 8);
                into.lock().expect("no test panics with it").push(Came {
                    at: Instant::now(),
                    seq: packet.seq,
                    timestamp: packet.timestamp,
                    ssrc: packet.ssrc,
                    payload: packet.payload.to_vec(),
                });
            }
        });
        tasks.spawn(async move {
            let mut tick = tokio::time::interval(Duration::from_millis(20));
            for n in 0_u32.. {
                tick.tick().await;
                let mut head = [0; rtp::HEADER];
                let seq = (ssrc as u16).wrapping_add(n as u16);
                rtp::write(&mut head, n == 0, 8, seq, n * FRAME as u32, ssrc);
                let packet = [&head[..], &sound::tone(hz, n)].concat();
                let _ = socket.send_to(&packet, relay).await;
            }
        });
        Self { address, came, tasks }
    }

    pub fn stop(mut self) -> Vec<Came> {
        self.tasks.abort_all();
        std::mem::take(&mut *self.came.lock().expect("no test panics with it"))
    }

    pub fn sound_since(&self, at: Instant) -> Vec<u8> {
        let came = self.came.lock().expect("no test panics with it");
        came.iter().filter(|packet| packet.at >= at).flat_map(|packet| packet.payload.clone()).collect()
    }
}
