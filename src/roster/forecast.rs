//! From a forecast day to seats: by Erlang C and by a played day, side by side.

use super::coverage::{Required, day_key};
use super::erlang::{self, Load, Target};
use super::model::Forecast;
use super::simulate;
use crate::base::DayKind;
use std::collections::BTreeMap;

/// One half hour of a forecast day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Minutes after midnight.
    pub from: i64,
    pub calls_per_hour: f64,
    pub aht_s: f64,
    /// `None`: no number of seats keeps the promise.
    pub erlang: Option<u32>,
    pub simulated: Option<u32>,
    /// Seconds, with the seats of Erlang C.
    pub asa_s: Option<f64>,
    /// The share that would give up with the seats of Erlang C.
    pub gave_up: f64,
}

impl Row {
    /// How many seats fewer the played day needs (negative: more). Erlang C lets nobody give up, and a caller who gave up in the
    /// played day counts as not served.
    pub fn difference(&self) -> Option<i64> {
        Some(i64::from(self.erlang?) - i64::from(self.simulated?))
    }
}

impl Forecast {
    pub fn target(&self) -> Target {
        Target { share: self.service, within_s: self.within_s }
    }

    /// The table of a day of this kind. Equal half hours are played once.
    pub fn table(&self, kind: DayKind) -> Vec<Row> {
        let mut known: BTreeMap<u64, Row> = BTreeMap::new();
        (0..Self::SLOTS)
            .map(|slot| {
                let calls = self.calls(kind, slot);
                let row = *known.entry(calls.to_bits()).or_insert_with(|| self.row(calls));
                Row { from: i64::try_from(slot).unwrap_or(0) * 30, ..row }
            })
            .collect()
    }

    fn row(&self, calls_per_hour: f64) -> Row {
        let load = Load { calls_per_hour, aht_s: self.aht_s };
        let erlang = erlang::required(load, self.target());
        let near = erlang.unwrap_or(1);
        let played = simulate::play(near, load, self.patience_s, self.within_s, self.seed);
        Row {
            from: 0,
            calls_per_hour,
            aht_s: self.aht_s,
            erlang,
            simulated: simulate::required(load, self.target(), self.patience_s, self.seed, near),
            asa_s: erlang::asa_s(near, load),
            gave_up: if calls_per_hour > 0.0 { played.gave_up } else { 0.0 },
        }
    }
}

/// Seats by Erlang C of each half hour, for each kind of day. What can't be reached counts as the largest number.
pub fn required_by_kind(forecast: &Forecast) -> Required {
    [DayKind::Workday, DayKind::Weekend, DayKind::Holiday]
        .into_iter()
        .map(|kind| {
            let seats = |slot| {
                let load = Load { calls_per_hour: forecast.calls(kind, slot), aht_s: forecast.aht_s };
                let seats = erlang::required(load, forecast.target());
                seats.map_or(u16::MAX, |seats| u16::try_from(seats).unwrap_or(u16::MAX))
            };
            (day_key(kind), (0..Forecast::SLOTS).map(seats).collect())
        })
        .collect()
}
