//! An agent's page without a browser: a WebRTC connection made by the agent's websocket, a tone for a microphone, and ears.

use super::cti::Agent;
use super::tone::{self, Ears};
use bytes::Bytes;
use serde_json::json;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use webrtc::media_stream::MediaStreamTrack;
use webrtc::media_stream::track_local::{TrackLocal, static_rtp::TrackLocalStaticRTP};
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::*;
use webrtc_core::ice::mdns::MulticastDnsMode;
use webrtc_core::peer_connection::configuration::media_engine::MIME_TYPE_PCMA;
use webrtc_core::rtp;
use webrtc_core::rtp_transceiver::rtp_sender::*;

const WAIT: Duration = Duration::from_secs(10);

/// All pages of a test process; it has no other use for them than to run.
static PAGES: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime"));

pub struct Page {
    pub ears: Ears,
    works: Arc<Works>,
    connection: Arc<dyn PeerConnection>,
    tone: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Works {
    received: Arc<AtomicU32>,
    connected: tokio::sync::Notify,
    gathered: tokio::sync::Notify,
    dead: AtomicBool,
    /// When bursts went out, once there is nothing else.
    bursts: Mutex<Option<Vec<Instant>>>,
    ears: Ears,
}

struct Handler(Arc<Works>);

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
        let works = Arc::clone(&self.0);
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                if let TrackRemoteEvent::OnRtpPacket(packet) = event
                    && !works.dead.load(Relaxed)
                {
                    works.received.fetch_add(1, Relaxed);
                    works.ears.take(&packet.payload);
                }
            }
        });
    }
}

fn pcma() -> RTCRtpCodec {
    RTCRtpCodec { mime_type: MIME_TYPE_PCMA.into(), clock_rate: 8_000, channels: 1, ..Default::default() }
}

impl Page {
    /// Offers by the agent's websocket, connects, sends its tone and echoes the probe from then on.
    #[track_caller]
    pub fn open(agent: &mut Agent, hz: f64) -> Self {
        let works = Arc::new(Works::default());
        let (connection, track, ssrc, offer) = PAGES.block_on(offer(&works, hz));
        agent.done("media.offer", json!({"sdp": offer}));
        let answer = agent.event("media.answer")["data"]["sdp"].as_str().expect("an SDP").to_owned();
        let connected = PAGES.block_on(async {
            let answer = RTCSessionDescription::answer(answer).expect("a description");
            connection.set_remote_description(answer).await.expect("a fitting answer");
            tokio::time::timeout(WAIT, works.connected.notified()).await.is_ok()
        });
        assert!(connected, "the page has no connection");
        let tone = PAGES.spawn(speak(Arc::clone(&works), track, ssrc, hz));
        agent.echo(Some(Arc::clone(&works.received)));
        Self { ears: works.ears.clone(), works, connection, tone }
    }

    /// As when the network or the machine is gone: nothing is sent and nothing taken any more.
    pub fn die(&self) {
        self.works.dead.store(true, Relaxed);
    }

    /// And it is back.
    pub fn revive(&self) {
        self.works.dead.store(false, Relaxed);
    }

    /// As when the page is closed: ICE ends with a word.
    pub fn close(&self) {
        let _ = PAGES.block_on(self.connection.close());
    }

    /// From now on silent but for a burst of its tone of 40 ms each second.
    pub fn burst(&self) {
        *self.works.bursts.lock().expect("whole") = Some(Vec::new());
    }

    /// And the whole tone again.
    pub fn steady(&self) {
        *self.works.bursts.lock().expect("whole") = None;
    }

    /// When the bursts went out.
    pub fn bursts(&self) -> Vec<Instant> {
        self.works.bursts.lock().expect("whole").clone().unwrap_or_default()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.tone.abort();
        let connection = Arc::clone(&self.connection);
        PAGES.spawn(async move {
            let _ = connection.close().await;
        });
    }
}

async fn offer(
    works: &Arc<Works>,
    hz: f64,
) -> (Arc<dyn PeerConnection>, Arc<TrackLocalStaticRTP>, u32, String) {
    let mut engine = MediaEngine::default();
    engine
        .register_codec(RTCRtpCodecParameters { rtp_codec: pcma(), payload_type: 8 }, RtpCodecKind::Audio)
        .expect("PCMA");
    let settings = SettingEngineBuilder::new()
        .with_include_loopback_candidate(true)
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .build();
    let connection: Arc<dyn PeerConnection> = Arc::new(
        PeerConnectionBuilder::new()
            .with_media_engine(engine)
            .with_setting_engine(settings)
            .with_interceptor_registry(configure_rtcp_reports(Registry::new()))
            .with_handler(Arc::new(Handler(Arc::clone(works))))
            .with_udp_addrs(vec!["127.0.0.1:0"])
            .build()
            .await
            .expect("a peer connection"),
    );
    let ssrc = 0x5EED_0000 | hz as u32;
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
    works.gathered.notified().await;
    let sdp = connection.local_description().await.expect("after gathering").sdp;
    (connection, track, ssrc, sdp)
}

/// 50 packets a second, as long as the page lives.
async fn speak(works: Arc<Works>, track: Arc<TrackLocalStaticRTP>, ssrc: u32, hz: f64) {
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    for n in 0_u32.. {
        tick.tick().await;
        if works.dead.load(Relaxed) {
            continue;
        }
        let header = rtp::Header {
            version: 2,
            payload_type: 8,
            sequence_number: n as u16,
            timestamp: n * tone::FRAME as u32,
            ssrc,
            ..Default::default()
        };
        let sound = tone::burst_or_tone(hz, n, &mut works.bursts.lock().expect("whole"));
        let payload = Bytes::copy_from_slice(&sound);
        if track.write_rtp(rtp::Packet { header, payload }).await.is_err() {
            return;
        }
    }
}
