//! Mean opinion score by the E-model (ITU-T G.107), from what a receiver can measure.

/// Quality without any impairment (G.107 default values).
const R_MAX: f32 = 93.2;
/// How well G.711 bears random loss without concealment (G.113 Appendix I, table I.3).
const BPL_G711: f32 = 4.3;

/// `lost` is a share of 0 to 1, delays are one way, milliseconds. Returns 1.0 to 4.5.
pub fn mos(lost: f32, network_delay_ms: f32, jitter_ms: f32) -> f32 {
    let lost = if lost.is_finite() { lost.clamp(0.0, 1.0) * 100.0 } else { 0.0 };
    // A packet's own length, and a buffer that swallows twice the mean deviation.
    let delay = 20.0 + network_delay_ms.max(0.0) + 2.0 * jitter_ms.max(0.0);
    let loss_impairment = 95.0 * lost / (lost + BPL_G711);
    let too_long = (delay - 177.3).max(0.0);
    let delay_impairment = 0.024 * delay + 0.11 * too_long;
    score(R_MAX - delay_impairment - loss_impairment)
}

/// Annex B of G.107.
fn score(r: f32) -> f32 {
    let r = r.clamp(0.0, 100.0);
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7.0e-6).clamp(1.0, 4.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scores_are_those_of_the_model() {
        for (lost, delay, jitter, low, high) in [
            (0.0, 0.0, 0.0, 4.37, 4.42),
            (0.01, 20.0, 2.0, 3.7, 4.0),
            (0.05, 20.0, 5.0, 1.8, 2.3),
            (0.0, 400.0, 0.0, 2.8, 3.1),
            (1.0, 0.0, 0.0, 1.0, 1.1),
            (f32::NAN, -5.0, -1.0, 4.3, 4.42),
        ] {
            let got = mos(lost, delay, jitter);
            assert!((low..=high).contains(&got), "{lost} {delay} {jitter}: {got}");
        }
    }
}
