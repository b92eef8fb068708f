//! Erlang C: how many seats a load needs when nobody gives up. Stable for any number of seats: the recurrence of Erlang B, no factorials.
//!
//! With `A` erlangs and `N` seats: `B(0) = 1`, `B(n) = A·B(n−1) ÷ (n + A·B(n−1))`, `C = N·B ÷ (N − A·(1 − B))`,
//! `SL(T) = 1 − C·e^(−(N−A)·T/AHT)`, `ASA = C·AHT ÷ (N−A)`. It knows neither callers who give up nor skills: see [`super::simulate`].

/// What is offered and what is promised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    pub calls_per_hour: f64,
    /// Average handling time with wrap-up, seconds.
    pub aht_s: f64,
}

/// The promise: this share is answered within this time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    pub share: f64,
    pub within_s: f64,
}

/// No search goes beyond so many seats.
pub const MOST_SEATS: u32 = 20_000;

impl Load {
    pub fn erlangs(self) -> f64 {
        (self.calls_per_hour * self.aht_s / 3_600.0).max(0.0)
    }
}

/// The chance that a caller has to wait: 1 where the load is too much for the seats.
pub fn wait_chance(seats: u32, erlangs: f64) -> f64 {
    if !erlangs.is_finite() || erlangs >= f64::from(seats) {
        return if erlangs == 0.0 { 0.0 } else { 1.0 };
    }
    if erlangs <= 0.0 {
        return 0.0;
    }
    let mut blocked = 1.0;
    for n in 1..=seats {
        blocked = erlangs * blocked / (f64::from(n) + erlangs * blocked);
    }
    let n = f64::from(seats);
    n * blocked / (n - erlangs * (1.0 - blocked))
}

/// The share answered within `within_s`.
pub fn service_level(seats: u32, load: Load, within_s: f64) -> f64 {
    let (a, n) = (load.erlangs(), f64::from(seats));
    if a <= 0.0 {
        return 1.0;
    }
    if a >= n {
        return 0.0;
    }
    1.0 - wait_chance(seats, a) * (-(n - a) * within_s / load.aht_s).exp()
}

/// The average speed of answer, seconds; `None` where the line only grows.
pub fn asa_s(seats: u32, load: Load) -> Option<f64> {
    let (a, n) = (load.erlangs(), f64::from(seats));
    (a < n).then(|| wait_chance(seats, a) * load.aht_s / (n - a))
}

/// The fewest seats that keep the promise; `None` beyond [`MOST_SEATS`] or for a promise nobody can keep.
pub fn required(load: Load, target: Target) -> Option<u32> {
    let a = load.erlangs();
    if a <= 0.0 {
        return Some(0);
    }
    if !a.is_finite() || !(0.0..1.0).contains(&target.share) {
        return None;
    }
    // The recurrence goes on from seat to seat: one pass, whatever the load.
    let mut blocked = 1.0;
    for seats in 1..=MOST_SEATS {
        let n = f64::from(seats);
        blocked = a * blocked / (n + a * blocked);
        if n > a {
            let waits = n * blocked / (n - a * (1.0 - blocked));
            if 1.0 - waits * (-(n - a) * target.within_s / load.aht_s).exp() >= target.share {
                return Some(seats);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64, by: f64) {
        assert!((a - b).abs() <= by, "{a} is not {b}");
    }

    #[test]
    fn the_figures_of_the_domain() {
        // Domain reference 2.5.
        for (seats, erlangs, chance) in
            [(3, 2.5, 0.7022), (4, 2.5, 0.3199), (5, 2.5, 0.1304), (6, 2.5, 0.0474), (20, 13.3333, 0.0623)]
        {
            near(wait_chance(seats, erlangs), chance, 0.000_05);
        }
    }

    /// The definition itself, by logarithms: another way to the same figure.
    fn by_definition(seats: u32, erlangs: f64) -> f64 {
        let term = |k: u32| f64::from(k) * erlangs.ln() - (1..=k).map(|i| f64::from(i).ln()).sum::<f64>();
        let n = f64::from(seats);
        let top = (term(seats)).exp() * n / (n - erlangs);
        top / ((0..seats).map(|k| term(k).exp()).sum::<f64>() + top)
    }

    #[test]
    fn two_formulas_agree() {
        for seats in 1..=120 {
            for tenth in 1..10 {
                let erlangs = f64::from(seats) * f64::from(tenth) / 10.0;
                near(wait_chance(seats, erlangs), by_definition(seats, erlangs), 1e-9);
            }
        }
    }

    #[test]
    fn the_table_of_the_domain() {
        let promises = [(0.80, 20.0), (0.90, 15.0), (0.95, 15.0)];
        let table: [(f64, [[u32; 3]; 3]); 5] = [
            (12.0, [[3, 3, 3], [3, 3, 4], [3, 4, 4]]),
            (70.0, [[8, 8, 9], [9, 10, 11], [10, 12, 13]]),
            (160.0, [[14, 16, 17], [18, 19, 20], [21, 22, 24]]),
            (320.0, [[26, 28, 29], [32, 34, 36], [38, 40, 42]]),
            (560.0, [[43, 45, 47], [53, 56, 58], [63, 66, 68]]),
        ];
        for (calls, rows) in table {
            for (aht_s, row) in [240.0, 300.0, 360.0].into_iter().zip(rows) {
                let load = Load { calls_per_hour: calls, aht_s };
                let found = promises.map(|(share, within_s)| required(load, Target { share, within_s }));
                assert_eq!(found, row.map(Some), "{calls} calls/h, {aht_s} s");
            }
        }
    }

    #[test]
    fn large_and_odd_loads_are_answered() {
        let target = Target { share: 0.9, within_s: 15.0 };
        let seats = required(Load { calls_per_hour: 120_000.0, aht_s: 300.0 }, target).unwrap();
        assert!((10_000..10_400).contains(&seats), "{seats}");
        assert!(wait_chance(10_100, 10_000.0) > 0.0);
        assert_eq!(required(Load { calls_per_hour: 0.0, aht_s: 300.0 }, target), Some(0));
        assert_eq!(required(Load { calls_per_hour: f64::INFINITY, aht_s: 300.0 }, target), None);
        assert_eq!(required(Load { calls_per_hour: f64::NAN, aht_s: 300.0 }, target), Some(0));
        assert_eq!(
            required(Load { calls_per_hour: 9.0, aht_s: 300.0 }, Target { share: 1.0, within_s: 1.0 }),
            None
        );
        assert_eq!(asa_s(2, Load { calls_per_hour: 60.0, aht_s: 300.0 }), None);
        let load = Load { calls_per_hour: 160.0, aht_s: 300.0 };
        near(asa_s(20, load).unwrap(), 0.0623 * 300.0 / (20.0 - 13.3333), 0.01);
        assert!(service_level(20, load, 15.0) >= 0.95 && service_level(19, load, 15.0) < 0.95);
    }
}
