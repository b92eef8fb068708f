//! One browser's peer connection: offer in, answer out, PCMA both ways.
//!
//! Our side is ICE lite with one socket on one configured address: it answers the browser's checks, checks back, and sends nothing
//! to any address that a check has not come from. The credentials are ours, so that the [gate](super::gate) knows them.

use super::counters::Counters;
use super::ports::{Lease, Ports};
use super::quality::Report;
use super::reports::Reports;
use super::socket::Guarded;
use super::splice::Header;
use super::{RtcError, offer, path::Transport, random};
use bytes::Bytes;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use webrtc::media_stream::MediaStreamTrack;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder,
    RTCIceGatheringState, RTCPeerConnectionState, RTCSessionDescription, Registry, SettingEngineBuilder,
    configure_rtcp_reports,
};
use webrtc_core::ice::mdns::MulticastDnsMode;
use webrtc_core::peer_connection::configuration::media_engine::MIME_TYPE_PCMA;
use webrtc_core::rtp;
use webrtc_core::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};

/// The static payload type of RFC 3551.
pub(super) const PCMA: u8 = 8;
/// Binding a socket and naming it takes below 1 ms.
const GATHERING: Duration = Duration::from_secs(2);
/// Ports tried before giving up: somebody else may have one of ours.
const TRIES: usize = 8;
/// Without a check from the browser (Chromium: every 2.5 s at least).
const DISCONNECTED: Duration = Duration::from_secs(7);
const FAILED: Duration = Duration::from_secs(15);
const KEEPALIVE: Duration = Duration::from_secs(2);
const REPORTS: usize = 16;
/// Where in the chain the looker sits: nearer to the wire than the reports it looks at.
const LOOKER: usize = 9_500;

pub(super) struct Browser {
    connection: Arc<dyn PeerConnection>,
    track: Arc<TrackLocalStaticRTP>,
    ssrc: u32,
    /// The browser's sound, when it first comes.
    pub tracks: mpsc::Receiver<Arc<dyn TrackRemote>>,
    pub reports: mpsc::Receiver<Report>,
    pub transport: watch::Receiver<Transport>,
    lease: Lease,
}

struct Handler {
    gathered: tokio::sync::Notify,
    tracks: mpsc::Sender<Arc<dyn TrackRemote>>,
    transport: watch::Sender<Transport>,
    counters: Arc<Counters>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.gathered.notify_one();
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        let transport = match state {
            RTCPeerConnectionState::Connected => Transport::Connected,
            RTCPeerConnectionState::Disconnected
            | RTCPeerConnectionState::Failed
            | RTCPeerConnectionState::Closed => Transport::Broken,
            _ => Transport::Connecting,
        };
        match transport {
            Transport::Connected => Counters::add(&self.counters.connected),
            Transport::Broken if state == RTCPeerConnectionState::Failed => {
                Counters::add(&self.counters.failed)
            }
            _ => {}
        }
        self.transport.send_replace(transport);
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        // One section has one track; more would be the browser's invention.
        let _ = self.tracks.try_send(track);
    }
}

impl Browser {
    /// Takes an offer. Returns the connection and the answer, with all candidates in it.
    pub async fn answer(
        offered: &str,
        address: IpAddr,
        ports: &Ports,
        counters: &Arc<Counters>,
    ) -> Result<(Self, String), RtcError> {
        let offered = offer::admit(offered)?;
        let offered = RTCSessionDescription::offer(offered)
            .map_err(|_| RtcError::BadOffer("not a session description"))?;
        let (browser, handler) = Self::build(address, ports, counters).await?;
        match browser.negotiate(offered, &handler).await {
            Ok(answer) => Ok((browser, answer)),
            Err(why) => {
                browser.close().await;
                Err(why)
            }
        }
    }

    async fn negotiate(&self, offered: RTCSessionDescription, handler: &Handler) -> Result<String, RtcError> {
        let connection = &self.connection;
        // The crate's errors may quote the description, with its addresses: they are not passed on.
        let refused = |_| RtcError::BadOffer("cannot be answered");
        connection.add_track(Arc::clone(&self.track) as Arc<dyn TrackLocal>).await.map_err(refused)?;
        connection.set_remote_description(offered).await.map_err(refused)?;
        let answer = connection.create_answer(None).await.map_err(refused)?;
        connection.set_local_description(answer).await.map_err(refused)?;
        tokio::time::timeout(GATHERING, handler.gathered.notified())
            .await
            .map_err(|_| RtcError::NoAddress)?;
        let answer = connection.local_description().await.ok_or(RtcError::NoAddress)?.sdp;
        if !answer.contains("a=candidate:") {
            return Err(RtcError::NoAddress);
        }
        if !offer::accepts_pcma(&answer) {
            return Err(RtcError::NoPcma);
        }
        Ok(answer)
    }

    async fn build(
        address: IpAddr,
        ports: &Ports,
        counters: &Arc<Counters>,
    ) -> Result<(Self, Arc<Handler>), RtcError> {
        let ssrc = random::number()?.max(1);
        let (to_tracks, tracks) = mpsc::channel(1);
        let (to_reports, reports) = mpsc::channel(REPORTS);
        let (to_transport, transport) = watch::channel(Transport::Connecting);
        let handler = Arc::new(Handler {
            gathered: tokio::sync::Notify::new(),
            tracks: to_tracks,
            transport: to_transport,
            counters: Arc::clone(counters),
        });
        for _ in 0..TRIES {
            let lease = ports.lease().ok_or(RtcError::NoPort)?;
            let looker = Reports::new(ssrc, to_reports.clone(), Arc::clone(counters));
            let at = SocketAddr::new(address, lease.port);
            let secrets = (random::word(8)?, random::word(32)?);
            let Ok(connection) = connect(at, secrets, looker, Arc::clone(&handler), counters).await else {
                continue;
            };
            let track = Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
                "hotline".into(),
                "hotline-audio".into(),
                "hotline".into(),
                RtpCodecKind::Audio,
                vec![RTCRtpEncodingParameters {
                    rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() },
                    codec: pcma(),
                    ..Default::default()
                }],
            )));
            return Ok((Self { connection, track, ssrc, tracks, reports, transport, lease }, handler));
        }
        Err(RtcError::NoPort)
    }

    /// Sends one packet of PCMA. False when the connection's queue is full or the connection is gone.
    pub fn send(&self, header: Header, payload: Bytes) -> bool {
        let packet = rtp::Packet {
            header: rtp::Header {
                version: 2,
                marker: header.marker,
                payload_type: PCMA,
                sequence_number: header.seq,
                timestamp: header.timestamp,
                ssrc: self.ssrc,
                ..Default::default()
            },
            payload,
        };
        // Waiting for a full queue would hold up the agent's other direction; the error would print the packet.
        matches!(futures_util::FutureExt::now_or_never(self.track.write_rtp(packet)), Some(Ok(())))
    }

    /// Ends the connection and gives the port back.
    pub async fn close(self) {
        let _ = self.connection.close().await;
        drop(self.lease);
    }
}

async fn connect(
    at: SocketAddr,
    (ufrag, password): (String, String),
    looker: Reports,
    handler: Arc<Handler>,
    counters: &Arc<Counters>,
) -> Result<Arc<dyn PeerConnection>, webrtc::error::Error> {
    let mut engine = MediaEngine::default();
    // Alone: with PCMU beside it Chromium sends PCMU.
    engine.register_codec(
        RTCRtpCodecParameters { rtp_codec: pcma(), payload_type: PCMA },
        RtpCodecKind::Audio,
    )?;
    let settings = SettingEngineBuilder::new()
        .with_lite(true)
        .with_include_loopback_candidate(at.ip().is_loopback())
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_ice_timeouts(Some(DISCONNECTED), Some(FAILED), Some(KEEPALIVE))
        .with_ice_credentials(ufrag.clone(), password)
        .build();
    let connection = PeerConnectionBuilder::new()
        .with_configuration(RTCConfigurationBuilder::new().build())
        .with_media_engine(engine)
        .with_interceptor_registry(configure_rtcp_reports(Registry::new()).with(LOOKER.into(), looker))
        .with_setting_engine(settings)
        .with_runtime(Arc::new(Guarded::new(ufrag, Arc::clone(counters))))
        .with_handler(handler)
        .with_udp_addrs(vec![at])
        .build()
        .await?;
    Ok(Arc::new(connection))
}

fn pcma() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_PCMA.to_owned(),
        clock_rate: 8_000,
        channels: 1,
        sdp_fmtp_line: String::new(),
        rtcp_feedback: vec![],
    }
}
