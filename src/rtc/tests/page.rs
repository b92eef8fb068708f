//! A browser for tests: another `webrtc` peer connection that offers, sends a tone and remembers what it hears.

use super::sound;
use crate::media::g711::FRAME;
use crate::rtc::RtcHandle;
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use webrtc::media_stream::MediaStreamTrack;
use webrtc::media_stream::track_local::{TrackLocal, static_rtp::TrackLocalStaticRTP};
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::*;
use webrtc_core::ice::mdns::MulticastDnsMode;
use webrtc_core::peer_connection::configuration::media_engine::MIME_TYPE_PCMA;
use webrtc_core::rtp;
use webrtc_core::rtp_transceiver::rtp_sender::*;

/// One packet heard.
pub struct Heard {
    pub seq: u16,
    pub timestamp: u32,
    pub payload: Bytes,
    pub at: Instant,
}

#[derive(Default)]
pub struct Seen {
    pub heard: Mutex<Vec<Heard>>,
    pub received: AtomicU64,
    connected: tokio::sync::Notify,
    gathered: tokio::sync::Notify,
    pub mute: AtomicBool,
}

pub struct Page {
    pub seen: Arc<Seen>,
    connection: Arc<dyn PeerConnection>,
    track: Arc<TrackLocalStaticRTP>,
    ssrc: u32,
    /// Where the answer says we are to be found.
    pub server: SocketAddr,
    tasks: tokio::task::JoinSet<()>,
}

struct Handler(Arc<Seen>);

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.0.gathered.notify_one();
        }
    }
    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        if state == RTCPeerConnectionState::Connected {
            self.0.connected.notify_one();
        }
    }
    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let seen = Arc::clone(&self.0);
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                if let TrackRemoteEvent::OnRtpPacket(packet) = event {
                    seen.received.fetch_add(1, Relaxed);
                    let heard = Heard {
                        seq: packet.header.sequence_number,
                        timestamp: packet.header.timestamp,
                        payload: packet.payload,
                        at: Instant::now(),
                    };
                    seen.heard.lock().expect("no test panics with it").push(heard);
                }
            }
        });
    }
}

fn pcma() -> RTCRtpCodec {
    RTCRtpCodec { mime_type: MIME_TYPE_PCMA.into(), clock_rate: 8_000, channels: 1, ..Default::default() }
}

impl Page {
    /// Makes the offer; nothing is told to the other side yet.
    pub async fn offer() -> (Self, String) {
        let seen = Arc::new(Seen::default());
        let mut engine = MediaEngine::default();
        engine
            .register_codec(RTCRtpCodecParameters { rtp_codec: pcma(), payload_type: 8 }, RtpCodecKind::Audio)
            .expect("PCMA");
        let settings = SettingEngineBuilder::new()
            .with_include_loopback_candidate(true)
            .with_multicast_dns_mode(MulticastDnsMode::Disabled)
            .build();
        let registry = configure_rtcp_reports(Registry::new());
        let connection: Arc<dyn PeerConnection> = Arc::new(
            PeerConnectionBuilder::new()
                .with_media_engine(engine)
                .with_setting_engine(settings)
                .with_interceptor_registry(registry)
                .with_handler(Arc::new(Handler(Arc::clone(&seen))))
                .with_udp_addrs(vec!["127.0.0.1:0"])
                .build()
                .await
                .expect("a peer connection"),
        );
        let ssrc = 0x5EED_0000 | u32::from(std::process::id() as u16);
        let track = Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
            "page".into(),
            "microphone".into(),
            "page".into(),
            RtpCodecKind::Audio,
            vec![RTCRtpEncodingParameters {
                rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() },
                codec: pcma(),
                ..Default::default()
            }],
        )));
        connection.add_track(Arc::clone(&track) as Arc<dyn TrackLocal>).await.expect("a track");
        let offer = connection.create_offer(None).await.expect("an offer");
        connection.set_local_description(offer).await.expect("our own offer");
        seen.gathered.notified().await;
        let sdp = connection.local_description().await.expect("after gathering").sdp;
        let server = SocketAddr::from(([0, 0, 0, 0], 0));
        (Self { seen, connection, track, ssrc, server, tasks: tokio::task::JoinSet::new() }, sdp)
    }

    /// Takes the answer. Says nothing about whether the connection will come about.
    pub async fn answered(&mut self, answer: &str) {
        let candidate = answer.lines().find(|line| line.starts_with("a=candidate:")).expect("a candidate");
        let words: Vec<_> = candidate.split(' ').collect();
        self.server = format!("{}:{}", words[4], words[5]).parse().expect("address and port");
        let answer = RTCSessionDescription::answer(answer.to_owned()).expect("a description");
        self.connection.set_remote_description(answer).await.expect("a fitting answer");
    }

    pub async fn is_connected_within(&self, limit: Duration) -> bool {
        tokio::time::timeout(limit, self.seen.connected.notified()).await.is_ok()
    }

    /// Offers, connects, and sends a tone from then on.
    pub async fn open(rtc: &RtcHandle, agent: &str, hz: f64) -> Self {
        let (mut page, offer) = Self::offer().await;
        let answer = rtc.offer(agent, &offer).await.expect("an answer");
        page.answered(&answer).await;
        assert!(page.is_connected_within(Duration::from_secs(5)).await, "no connection");
        page.play(hz);
        page
    }

    /// 50 packets a second of a tone, unless [`Seen::mute`].
    pub fn play(&mut self, hz: f64) {
        let (track, ssrc, seen) = (Arc::clone(&self.track), self.ssrc, Arc::clone(&self.seen));
        self.tasks.spawn(async move {
            let mut tick = tokio::time::interval(Duration::from_millis(20));
            for n in 0_u32.. {
                tick.tick().await;
                if seen.mute.load(Relaxed) {
                    continue;
                }
                let header = rtp::Header {
                    version: 2,
                    payload_type: 8,
                    sequence_number: 30_000_u16.wrapping_add(n as u16),
                    timestamp: n * FRAME as u32,
                    ssrc,
                    ..Default::default()
                };
                let payload = Bytes::copy_from_slice(&sound::tone(hz, n));
                if track.write_rtp(rtp::Packet { header, payload }).await.is_err() {
                    break;
                }
            }
        });
    }

    /// Echoes what it has received, as the panel does.
    pub fn echo(&mut self, rtc: &RtcHandle, agent: &'static str) {
        let (rtc, seen) = (rtc.clone(), Arc::clone(&self.seen));
        self.tasks.spawn(async move {
            let mut tick = tokio::time::interval(Duration::from_millis(250));
            loop {
                tick.tick().await;
                if rtc.probe_echo(agent, seen.received.load(Relaxed)).is_err() {
                    break;
                }
            }
        });
    }

    pub fn stop_tasks(&mut self) {
        self.tasks.abort_all();
    }

    pub fn heard_since(&self, at: Instant) -> Vec<u8> {
        let heard = self.seen.heard.lock().expect("no test panics with it");
        heard.iter().filter(|packet| packet.at >= at).flat_map(|packet| packet.payload.to_vec()).collect()
    }
}
