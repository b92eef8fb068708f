//! Receiver reports, read where they pass: an interceptor in the connection's chain that only looks.

use super::counters::Counters;
use super::quality::Report;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use webrtc_core::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use webrtc_core::rtcp::receiver_report::ReceiverReport;
use webrtc_core::rtcp::reception_report::ReceptionReport;
use webrtc_core::rtcp::sender_report::SenderReport;
use webrtc_core::sansio::Protocol;
use webrtc_core::shared::error::Error;

/// Ours that may still be answered: one a second, answered at the latest after a browser's 7.5 s.
const REMEMBERED: usize = 16;

pub(super) struct Reports {
    ssrc: u32,
    to: mpsc::Sender<Report>,
    counters: Arc<Counters>,
    /// Middle 32 bits of the NTP time in our sender reports, and when each went.
    sent: VecDeque<(u32, Instant)>,
    reads: VecDeque<TaggedPacket>,
    writes: VecDeque<TaggedPacket>,
}

impl Reports {
    /// Tells what is reported of the stream `ssrc`.
    pub fn new(ssrc: u32, to: mpsc::Sender<Report>, counters: Arc<Counters>) -> Self {
        Self {
            ssrc,
            to,
            counters,
            sent: VecDeque::with_capacity(REMEMBERED),
            reads: VecDeque::new(),
            writes: VecDeque::new(),
        }
    }

    fn reported(&self, blocks: &[ReceptionReport], now: Instant) {
        let Some(block) = blocks.iter().find(|block| block.ssrc == self.ssrc) else { return };
        let report = Report {
            highest: block.last_sequence_number,
            lost_256: block.fraction_lost,
            jitter: Duration::from_secs_f64(f64::from(block.jitter) / 8_000.0),
            round_trip: self.round_trip(block, now),
        };
        if self.to.try_send(report).is_err() {
            Counters::add(&self.counters.reports_lost);
        }
    }

    /// RFC 3550 section 6.4.1, with our own clock instead of the wall's.
    fn round_trip(&self, block: &ReceptionReport, now: Instant) -> Option<Duration> {
        let (_, at) = self.sent.iter().find(|(ntp, _)| *ntp == block.last_sender_report && *ntp != 0)?;
        let held = Duration::from_secs_f64(f64::from(block.delay) / 65_536.0);
        Some(now.saturating_duration_since(*at).saturating_sub(held))
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Reports {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(packets) = &packet.message.packet {
            for rtcp in packets {
                let any = rtcp.as_any();
                if let Some(report) = any.downcast_ref::<ReceiverReport>() {
                    self.reported(&report.reports, packet.now);
                } else if let Some(report) = any.downcast_ref::<SenderReport>() {
                    self.reported(&report.reports, packet.now);
                }
            }
        }
        self.reads.push_back(packet);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.reads.pop_front()
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(packets) = &packet.message.packet {
            for rtcp in packets {
                if let Some(report) = rtcp.as_any().downcast_ref::<SenderReport>()
                    && report.ssrc == self.ssrc
                {
                    if self.sent.len() == REMEMBERED {
                        self.sent.pop_front();
                    }
                    // The middle is meant to be cut out.
                    self.sent.push_back(((report.ntp_time >> 16) as u32, packet.now));
                }
            }
        }
        self.writes.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.writes.pop_front()
    }
}

impl Interceptor for Reports {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
