//! Who speaks in what was heard: a stretch of it is laid over a known voice at every place at once, by a Fourier transform, and also
//! over the sum of two.

/// Samples of half a second, and of the two that tell a stranger from chance.
pub const HALF: usize = 4_000;
pub const LONG: usize = 16_000;
/// 30 ms.
const NEAR: usize = 240;
/// Quieter than this is a pause, 16-bit samples.
const PAUSE: f32 = 60.0;

/// A voice that is said again and again, ready to be looked up.
pub struct Voice {
    /// Once around and a long stretch more.
    said: Vec<f32>,
    round: usize,
    spectrum: Vec<Complex>,
    /// Sums of squares up to each sample.
    energy: Vec<f64>,
}

#[derive(Clone, Copy, Default)]
struct Complex {
    re: f64,
    im: f64,
}

impl Voice {
    pub fn new(round: &[f32]) -> Self {
        let said: Vec<f32> = round.iter().cycle().take(round.len() + LONG).copied().collect();
        let mut spectrum = padded(&said, (said.len() + LONG).next_power_of_two());
        transform(&mut spectrum);
        let mut energy = vec![0.0];
        for sample in &said {
            energy.push(energy.last().copied().unwrap_or_default() + f64::from(*sample).powi(2));
        }
        Self { said, round: round.len(), spectrum, energy }
    }

    /// Where `part` is most like this voice: normalised correlation, and the place.
    pub fn find(&self, part: &[f32]) -> (f64, usize) {
        let mut spectrum = padded(part, self.spectrum.len());
        transform(&mut spectrum);
        // The product with the conjugate, and conjugated again for the way back.
        for (ours, voice) in spectrum.iter_mut().zip(&self.spectrum) {
            let (re, im) = (voice.re * ours.re + voice.im * ours.im, voice.im * ours.re - voice.re * ours.im);
            *ours = Complex { re, im: -im };
        }
        transform(&mut spectrum);
        let own: f64 = part.iter().map(|s| f64::from(*s).powi(2)).sum();
        let like = |at: usize| {
            let there = self.energy[at + part.len()] - self.energy[at];
            let both = (own * there).sqrt();
            // A pause is like nothing.
            let loud = there > (PAUSE as f64).powi(2) * part.len() as f64;
            if loud && both > 0.0 { spectrum[at].re / spectrum.len() as f64 / both } else { 0.0 }
        };
        (0..self.round).map(|at| (like(at), at)).max_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or_default()
    }

    fn at(&self, place: usize, length: usize) -> &[f32] {
        let place = place % self.round;
        &self.said[place..place + length]
    }

    /// The place near this one where `part` is most like this voice.
    fn near(&self, part: &[f32], place: usize) -> usize {
        let places = place.saturating_sub(NEAR)..=place + NEAR;
        let like = |at: usize| likeness(part, self.at(at, part.len()));
        places.map(|at| (like(at), at)).max_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or_default().1
    }
}

/// Stretches of `heard` that are no pause.
fn stretches(heard: &[f32], length: usize) -> impl Iterator<Item = &[f32]> {
    heard.chunks_exact(length).filter(|part| dot(part, part) > f64::from(PAUSE).powi(2) * part.len() as f64)
}

/// How like one voice each half second is.
pub fn alone(heard: &[f32], voice: &Voice) -> Vec<f64> {
    stretches(heard, HALF).map(|part| voice.find(part).0).collect()
}

/// How like a voice two seconds are at most: who is not there is like it by chance only.
pub fn at_most(heard: &[f32], voice: &Voice) -> f64 {
    stretches(heard, LONG).map(|part| voice.find(part).0).fold(0.0, f64::max)
}

/// How like each of two voices each half second is once the other one, as it fits best, is taken away. Where one of them pauses
/// nothing is said of it.
pub fn both(heard: &[f32], voices: [&Voice; 2]) -> [Vec<f64>; 2] {
    let mut likes = [Vec::new(), Vec::new()];
    for from in (0..(heard.len() + 1).saturating_sub(LONG)).step_by(HALF) {
        // The middle of two seconds: these tell where each voice is, once the other is taken away.
        let around = &heard[from..from + LONG];
        let found = voices.map(|voice| voice.find(around).0);
        let loud = usize::from(found[1] > found[0]);
        let mut places = [0; 2];
        let mut rest = around.to_vec();
        for who in [loud, 1 - loud, loud, 1 - loud] {
            places[who] = voices[who].find(&rest).1;
            rest = without(around, voices[who].at(places[who], LONG));
        }
        let begin = (LONG - HALF) / 2;
        let part = &around[begin..begin + HALF];
        if dot(part, part) < f64::from(PAUSE).powi(2) * HALF as f64 {
            continue;
        }
        // A browser stretches time a little: each is looked for a few milliseconds around.
        let mut at = [0, 1].map(|who| voices[who].near(part, places[who] + begin));
        for who in [1 - loud, loud] {
            let other = voices[1 - who].at(at[1 - who], HALF);
            at[who] = voices[who].near(&without(part, other), places[who] + begin);
        }
        for who in [0, 1] {
            let (own, other) = (voices[who].at(at[who], HALF), voices[1 - who].at(at[1 - who], HALF));
            if dot(own, own) > f64::from(PAUSE).powi(2) * HALF as f64 {
                likes[who].push(apart(part, own, other));
            }
        }
    }
    likes
}

/// How like `own` a part is once `other`, as both together fit best, is taken away.
fn apart(part: &[f32], own: &[f32], other: &[f32]) -> f64 {
    let (oo, xx, ox) = (dot(own, own), dot(other, other), dot(own, other));
    let det = oo * xx - ox * ox;
    let rest = if det > 1e-6 * oo * xx {
        let much = (dot(part, other) * oo - dot(part, own) * ox) / det;
        less(part, other, much)
    } else {
        part.to_vec()
    };
    likeness(&rest, own)
}

fn likeness(a: &[f32], b: &[f32]) -> f64 {
    let both = (dot(a, a) * dot(b, b)).sqrt();
    // What is left of a sound that was taken away whole is like nothing.
    if dot(a, a) > a.len() as f64 && both > 0.0 { dot(a, b) / both } else { 0.0 }
}

/// What is left of a part when a voice is taken away, as loud as it fits best.
fn without(part: &[f32], voice: &[f32]) -> Vec<f32> {
    let energy = dot(voice, voice);
    if energy > 0.0 { less(part, voice, dot(part, voice) / energy) } else { part.to_vec() }
}

pub fn median(list: &[f64]) -> f64 {
    let mut list = list.to_vec();
    list.sort_by(f64::total_cmp);
    list.get(list.len() / 2).copied().unwrap_or_default()
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
}

fn less(part: &[f32], other: &[f32], much: f64) -> Vec<f32> {
    part.iter().zip(other).map(|(x, y)| x - y * much as f32).collect()
}

fn padded(samples: &[f32], length: usize) -> Vec<Complex> {
    let mut out: Vec<Complex> =
        samples.iter().map(|sample| Complex { re: f64::from(*sample), im: 0.0 }).collect();
    out.resize(length, Complex::default());
    out
}

/// The discrete Fourier transform in place; the length is a power of two.
fn transform(data: &mut [Complex]) {
    let bits = data.len().trailing_zeros();
    for n in 0..data.len() {
        let turned = n.reverse_bits() >> (usize::BITS - bits);
        if n < turned {
            data.swap(n, turned);
        }
    }
    let mut half = 1;
    while half < data.len() {
        let turns: Vec<Complex> = (0..half)
            .map(|n| {
                let angle = -std::f64::consts::PI * n as f64 / half as f64;
                Complex { re: angle.cos(), im: angle.sin() }
            })
            .collect();
        for block in data.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for ((a, b), turn) in low.iter_mut().zip(high).zip(&turns) {
                let (re, im) = (b.re * turn.re - b.im * turn.im, b.re * turn.im + b.im * turn.re);
                *b = Complex { re: a.re - re, im: a.im - im };
                *a = Complex { re: a.re + re, im: a.im + im };
            }
        }
        half *= 2;
    }
}

#[test]
fn voices_are_found_alone_and_in_a_sum_and_strangers_are_not() {
    let mut state = 7_u32;
    let mut noise = |length: usize| -> Vec<f32> {
        (0..length)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 16) as f32 / 32.768 - 1_000.0
            })
            .collect()
    };
    let (one, two, other) = (noise(30_000), noise(25_000), noise(40_000));
    let voices = [&one, &two, &other].map(|said| Voice::new(said));
    // Over the seam of the first.
    let (like, at) = voices[0].find(&[&one[28_000..], &one[..2_000]].concat());
    assert!(like > 0.999 && at == 28_000, "{like} at {at}");
    // Two stretches of two seconds, half a second apart.
    let sum: Vec<f32> = one[5_000..25_000].iter().zip(&two[1_000..]).map(|(a, b)| a + 0.7 * b).collect();
    let likes = both(&sum, [&voices[0], &voices[1]]);
    assert!(likes.iter().all(|likes| likes.len() == 2 && median(likes) > 0.999), "{likes:?}");
    assert!(at_most(&sum, &voices[2]) < 0.1 && at_most(&sum, &voices[1]) > 0.5);
    // Who is not in it is not like it after all.
    let likes = both(&one[..20_000], [&voices[0], &voices[2]]);
    assert!(median(&likes[0]) > 0.99 && median(&likes[1]) < 0.5, "{likes:?}");
    assert!(alone(&one[..8_000], &voices[2]).iter().all(|like| *like < 0.2));
}
