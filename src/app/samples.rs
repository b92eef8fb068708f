//! The engine's and the sockets' figures as metric samples.

use super::metrics::Sample;
use crate::call::Engine;
use crate::journal::News;
use crate::net::Stats;
use crate::store::projector::ProjectorGauge;
use std::sync::atomic::Ordering::Relaxed;

pub fn engine(engine: &Engine) -> Vec<Sample> {
    let status = engine.status();
    let mut out = vec![
        Sample::gauge("hotline_live_calls", "Calls now", status.live_calls as u64),
        Sample::gauge(
            "hotline_media_legs",
            "Media legs open or closing",
            (status.live_calls + status.closing_legs) as u64,
        ),
        Sample::gauge("hotline_sip_transactions", "SIP transactions", status.transactions as u64),
        Sample::gauge("hotline_sip_dialogs", "SIP dialogs", status.dialogs as u64),
        Sample::gauge(
            "hotline_media_ports_leased",
            "Media ports in use or resting",
            status.ports_leased as u64,
        ),
        Sample::gauge("hotline_media_ports_free", "Media ports bound and free", status.ports_free as u64),
        Sample::gauge(
            "hotline_draining",
            "New calls are refused because the server is going down",
            u64::from(status.draining),
        ),
        Sample::gauge("hotline_journal_behind", "Facts not yet on disk", status.journal_behind),
    ];
    out.extend(status.waiting.iter().map(|(queue, n)| {
        Sample::gauge("hotline_queue_waiting", "Callers waiting", *n as u64).by("queue", &**queue)
    }));
    out.extend(status.ended.iter().map(|(why, n)| {
        Sample::counter("hotline_calls_ended", "Calls ended, by reason", *n).by("reason", why.label())
    }));
    out.extend(engine.counters().all().map(|(count, n)| {
        Sample::counter("hotline_engine", "What the engine counted", n).by("what", count.label())
    }));
    out.extend(engine.ua().counters().iter().map(|(family, what, n)| {
        Sample::counter(family, "What the SIP user agent counted", n).by("what", what)
    }));
    let refused = engine.counters().get(crate::call::Count::FlowRefused);
    out.push(Sample::counter("hotline_flow_refused", "Flow files refused at a reload", refused));
    out
}

/// What the journal's thread tells.
pub fn journal(news: &News) -> Vec<Sample> {
    let mut out = vec![Sample::gauge(
        "hotline_journal_durable",
        "Position up to which every fact is on disk",
        news.durable.load(Relaxed),
    )];
    out.extend(
        news.counters().into_iter().map(|(what, n)| {
            Sample::counter("hotline_journal", "What the journal counted", n).by("what", what)
        }),
    );
    out
}

/// How far the tables are.
pub fn projector(gauge: &ProjectorGauge) -> Vec<Sample> {
    let read = |value: &std::sync::atomic::AtomicU64| value.load(Relaxed);
    vec![
        Sample::gauge(
            "hotline_projector_cursor",
            "Position of the last fact in the tables",
            read(&gauge.cursor),
        ),
        Sample::gauge(
            "hotline_projector_lag_ms",
            "Age of the last written fact when it was committed, milliseconds",
            read(&gauge.lag_ms),
        ),
        Sample::gauge(
            "hotline_projector_up",
            "The last attempt to write to the database succeeded",
            read(&gauge.up),
        ),
        Sample::counter("hotline_projector_facts", "Facts written into the tables", read(&gauge.facts)),
        Sample::counter("hotline_projector_batches", "Transactions of the projector", read(&gauge.batches)),
        Sample::counter(
            "hotline_projector_failures",
            "Transactions that failed and were tried again",
            read(&gauge.failures),
        ),
        Sample::counter(
            "hotline_projector_skipped",
            "Positions the journal did not have",
            read(&gauge.skipped),
        ),
    ]
}

pub fn net(stats: Stats) -> Vec<Sample> {
    let count = |what: &'static str, n| {
        Sample::counter("hotline_net", "What the SIP sockets counted", n).by("what", what)
    };
    vec![
        Sample::gauge("hotline_tcp_connections", "SIP over TCP connections", stats.tcp_open),
        count("datagrams_in", stats.datagrams_in),
        count("datagrams_out", stats.datagrams_out),
        count("datagrams_dropped", stats.datagrams_dropped),
        count("send_errors", stats.send_errors),
        count("tcp_accepted", stats.tcp_accepted),
        count("tcp_refused", stats.tcp_refused),
        count("tcp_timed_out", stats.tcp_timed_out),
        count("tcp_overrun", stats.tcp_overrun),
        count("tcp_bad_frames", stats.tcp_bad_frames),
    ]
}
