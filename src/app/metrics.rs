//! `/metrics`: what the engine, the sockets, the workers and the journal count, in Prometheus' text form.
//!
//! The engine's thread publishes a snapshot a few times a second; a scrape reads the last one. Names and labels are closed lists,
//! so an attacker cannot make metrics (`attacks.md` L8).

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
}

/// One figure. Samples of one name follow each other.
#[derive(Clone, Debug)]
pub struct Sample {
    pub name: &'static str,
    pub help: &'static str,
    pub kind: Kind,
    pub label: Option<(&'static str, String)>,
    pub value: u64,
}

impl Sample {
    pub fn counter(name: &'static str, help: &'static str, value: u64) -> Self {
        Self { name, help, kind: Kind::Counter, label: None, value }
    }
    pub fn gauge(name: &'static str, help: &'static str, value: u64) -> Self {
        Self { name, help, kind: Kind::Gauge, label: None, value }
    }
    pub fn by(mut self, label: &'static str, value: impl Into<String>) -> Self {
        self.label = Some((label, value.into()));
        self
    }
}

/// The last snapshot of each part. The lock is held for a copy, never across a wait.
#[derive(Clone, Debug, Default)]
pub struct Board(Arc<Mutex<BTreeMap<&'static str, Vec<Sample>>>>);

impl Board {
    pub fn publish(&self, part: &'static str, samples: Vec<Sample>) {
        if let Ok(mut parts) = self.0.lock() {
            parts.insert(part, samples);
        }
    }

    /// The text of `/metrics`.
    pub fn render(&self) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self.clone()));
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &registry);
        text
    }

    /// One figure by name and label value, for readiness.
    pub fn get(&self, name: &str, label: Option<&str>) -> Option<u64> {
        let parts = self.0.lock().ok()?;
        parts
            .values()
            .flatten()
            .find(|s| s.name == name && s.label.as_ref().map(|(_, v)| v.as_str()) == label)
            .map(|s| s.value)
    }
}

impl Collector for Board {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Ok(parts) = self.0.lock() else { return Ok(()) };
        let all: Vec<&Sample> = parts.values().flatten().collect();
        for group in all.chunk_by(|a, b| a.name == b.name) {
            let (first, kind) = (group[0], group[0].kind);
            if first.label.is_none() {
                match kind {
                    Kind::Counter => {
                        let metric = ConstCounter::new(first.value);
                        metric.encode(encoder.encode_descriptor(
                            first.name,
                            first.help,
                            None,
                            metric.metric_type(),
                        )?)?;
                    }
                    Kind::Gauge => {
                        let metric = ConstGauge::new(gauge(first.value));
                        metric.encode(encoder.encode_descriptor(
                            first.name,
                            first.help,
                            None,
                            metric.metric_type(),
                        )?)?;
                    }
                }
                continue;
            }
            match kind {
                Kind::Counter => {
                    let metric = ConstCounter::new(first.value);
                    let mut family =
                        encoder.encode_descriptor(first.name, first.help, None, metric.metric_type())?;
                    for sample in group {
                        let metric = ConstCounter::new(sample.value);
                        if let Some((name, value)) = &sample.label {
                            metric.encode(family.encode_family(&[(*name, value.as_str())])?)?;
                        }
                    }
                }
                Kind::Gauge => {
                    let metric = ConstGauge::new(gauge(first.value));
                    let mut family =
                        encoder.encode_descriptor(first.name, first.help, None, metric.metric_type())?;
                    for sample in group {
                        let metric = ConstGauge::new(gauge(sample.value));
                        if let Some((name, value)) = &sample.label {
                            metric.encode(family.encode_family(&[(*name, value.as_str())])?)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

fn gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_told_in_prometheus_words() {
        let board = Board::default();
        board.publish(
            "engine",
            vec![
                Sample::gauge("hotline_live_calls", "Calls now", 3),
                Sample::counter("hotline_calls_ended", "Calls ended", 2).by("reason", "flow_ended"),
                Sample::counter("hotline_calls_ended", "Calls ended", 5).by("reason", "caller_hung_up"),
            ],
        );
        let text = board.render();
        assert!(text.contains("hotline_live_calls 3\n"), "{text}");
        assert!(text.contains("hotline_calls_ended_total{reason=\"caller_hung_up\"} 5\n"), "{text}");
        assert_eq!(board.get("hotline_calls_ended", Some("flow_ended")), Some(2));
    }
}
