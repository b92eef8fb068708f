//! A leg's RTCP: the peer's reports read, our own sent.

use super::{Env, Leg, Sink, Socket, mixed};
use crate::base::Time;
use crate::media::g711::FRAME;
use crate::media::rtcp;
use std::net::SocketAddr;
use std::time::Duration;

/// Time between our reports (RFC 3550 section 6.2).
const REPORT: Duration = Duration::from_secs(5);

pub(super) struct Reports {
    next: Time,
    /// The middle of the NTP time of the peer's last sender report, and when it came.
    peer: Option<(u32, Time)>,
    pub round_trip_ms: u32,
}

impl Reports {
    /// Spread by a random number, so that legs opened together do not report together.
    pub fn new(now: Time, random: u64) -> Self {
        Self { next: now + REPORT / 2 + Duration::from_millis(random % 2500), peer: None, round_trip_ms: 0 }
    }
}

impl Leg {
    /// One datagram of RTCP. Reports of strangers and broken ones change nothing; a BYE is only a hint (M6).
    pub fn report(&mut self, env: &Env<'_>, from: SocketAddr, bytes: &[u8], sink: &mut impl Sink) {
        if !self.source.may_report(from.ip()) {
            return self.foreign();
        }
        let Ok(report) = rtcp::read(bytes, self.ssrc) else { return self.foreign() };
        if self.source.ssrc().is_some_and(|ssrc| ssrc != report.sender) {
            return self.foreign();
        }
        self.alive(env.now, sink);
        if let Some(ntp) = report.sender_ntp {
            self.reports.peer = Some((ntp, env.now));
        }
        if let Some(block) = report.about_us {
            self.stats.peer_fraction_lost = Some(block.fraction_lost);
            if let Some(ms) = rtcp::round_trip_ms(&block, middle(ntp(env))) {
                self.reports.round_trip_ms = ms;
            }
        }
    }

    /// Our report, if it is time for one.
    pub(super) fn report_when_due(&mut self, env: &Env<'_>, sink: &mut impl Sink) {
        if env.now >= self.reports.next {
            self.reports.next = env.now + REPORT;
            self.send_report(env, false, sink);
        }
    }

    pub(super) fn send_report(&mut self, env: &Env<'_>, bye: bool, sink: &mut impl Sink) {
        let Some((to, socket)) = self.report_target(env) else { return };
        let heard = self.source.ssrc().map(|ssrc| (ssrc, self.block(env)));
        let sent = (self.sent > 0).then(|| rtcp::Sent {
            ntp: ntp(env),
            timestamp: self.timestamp,
            packets: self.sent as u32,
            octets: (self.sent * FRAME as u64) as u32,
        });
        let mut room = [0; rtcp::ROOM];
        let cname = mixed(u64::from(self.ssrc));
        let length = rtcp::write(&mut room, self.ssrc, cname, sent, heard, bye);
        sink.send(to, socket, &room[..length]);
    }

    fn report_target(&self, env: &Env<'_>) -> Option<(SocketAddr, Socket)> {
        let target = self.target?;
        let to = match self.session.remote_rtcp {
            mux if mux.is_some() && mux == self.session.remote => return Some((target, Socket::Rtp)),
            Some(named) if Some(target) == self.session.remote => named,
            _ => SocketAddr::new(target.ip(), target.port().checked_add(1)?),
        };
        // A named address gets reports only where it could get sound.
        let fine = env.local.may_aim_at(to, &self.session.media_nets);
        let same = to.ip() == target.ip() || self.session.media_nets.iter().any(|net| net.contains(to.ip()));
        (fine && same).then_some((to, Socket::Rtcp))
    }

    fn block(&mut self, env: &Env<'_>) -> rtcp::Block {
        let (last_sr, delay) = self.reports.peer.map_or((0, 0), |(ntp, at)| {
            (ntp, (env.now.since(at).as_nanos().saturating_mul(65_536) / 1_000_000_000) as u32)
        });
        rtcp::Block {
            fraction_lost: self.stream.fraction_lost(),
            lost: self.stream.lost().min(0x7F_FFFF) as i32,
            highest_seq: self.stream.highest(),
            jitter: self.stream.jitter(),
            last_sr,
            delay,
        }
    }
}

fn ntp(env: &Env<'_>) -> u64 {
    let ns = u128::from(env.now.as_nanos());
    env.ntp_zero.wrapping_add(((ns << 32) / 1_000_000_000) as u64)
}

fn middle(ntp: u64) -> u32 {
    (ntp >> 16) as u32
}
