//! The sounds one by one: listed, measured, and checked before one is replaced.

use super::{Files, decoded, names_of};
use std::collections::BTreeSet;
use std::path::Path;

/// A sound's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clip {
    pub name: String,
    /// Below the folder of sounds.
    pub file: String,
    /// In the folder; else in the binary.
    pub on_disk: bool,
}

/// Every sound by its name, once.
pub fn clips(dir: &Path) -> Vec<Clip> {
    // What is wrong with the folder is told by a load.
    let files = Files::find(dir, &mut Vec::new());
    let mut done = BTreeSet::new();
    let mut clips = Vec::new();
    let there = |file: &str| (files.on_disk.contains(file), files.carried.contains(file));
    for (name, file) in files.manifest(&mut Vec::new()) {
        let (on_disk, carried) = there(&file);
        done.insert(file.clone());
        if on_disk || carried {
            clips.push(Clip { name, file, on_disk });
        }
    }
    for file in files.names().filter(|file| !done.contains(*file) && file.ends_with(".wav")) {
        let name = names_of(file).next().map(|name| name.to_string()).unwrap_or_default();
        clips.push(Clip { name, file: file.clone(), on_disk: there(file).0 });
    }
    clips.sort_by(|a, b| a.name.cmp(&b.name));
    clips.dedup_by(|b, a| a.name == b.name);
    clips
}

/// A sound's file as it is.
pub fn bytes(dir: &Path, clip: &Clip) -> Option<Vec<u8>> {
    let files = Files::find(dir, &mut Vec::new());
    files.bytes(&clip.file).ok().map(std::borrow::Cow::into_owned)
}

/// How long and how loud.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    pub ms: u32,
    /// RMS of the stretches that are not silent, and the loudest sample: decibels below full scale.
    pub level_dbfs: f32,
    pub peak_dbfs: f32,
}

/// Quieter than this, a stretch of 20 ms is a pause.
const PAUSE_DBFS: f64 = -50.0;
/// What silence is called.
const FLOOR_DBFS: f64 = -96.0;

fn dbfs(level: f64) -> f64 {
    if level <= 0.0 { FLOOR_DBFS } else { (20.0 * (level / 32_768.0).log10()).max(FLOOR_DBFS) }
}

/// Of a sound at 8,000 Hz.
pub fn figures(samples: impl Iterator<Item = i16>) -> Figures {
    let (mut count, mut peak, mut loud, mut frames) = (0_u64, 0_u16, 0.0, 0_u32);
    let (mut sum, mut n) = (0.0, 0_u32);
    let mut close = |sum: f64, n: u32| {
        let power = sum / f64::from(n.max(1));
        if dbfs(power.sqrt()) > PAUSE_DBFS {
            loud += power;
            frames += 1;
        }
    };
    for sample in samples {
        count += 1;
        peak = peak.max(sample.unsigned_abs());
        sum += f64::from(sample) * f64::from(sample);
        n += 1;
        if n == 160 {
            close(sum, n);
            (sum, n) = (0.0, 0);
        }
    }
    if n > 0 {
        close(sum, n);
    }
    let level = if frames == 0 { 0.0 } else { (loud / f64::from(frames)).sqrt() };
    Figures {
        ms: u32::try_from(count / 8).unwrap_or(u32::MAX),
        level_dbfs: dbfs(level) as f32,
        peak_dbfs: dbfs(f64::from(peak)) as f32,
    }
}

/// What a load would say of this file, and its figures when it would take it.
pub fn check(wav: &[u8]) -> Result<Figures, String> {
    decoded(wav).map(|samples| figures(samples.into_iter()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_sound_is_listed_once_with_its_file() {
        let clips = clips(Path::new("/nonexistent/sounds"));
        let of = |name: &str| clips.iter().find(|clip| clip.name == name).cloned().unwrap();
        assert_eq!(
            of("welcome"),
            Clip { name: "welcome".into(), file: "zh/welcome.wav".into(), on_disk: false }
        );
        assert_eq!(of("beep").file, "tones/beep.wav");
        assert_eq!(clips.iter().map(|clip| &clip.name).collect::<BTreeSet<_>>().len(), clips.len());
        let figures = check(&bytes(Path::new("/nonexistent/sounds"), &of("welcome")).unwrap()).unwrap();
        assert!((7000..7010).contains(&figures.ms), "{figures:?}");
        assert!(
            (-35.0..-5.0).contains(&figures.level_dbfs) && figures.peak_dbfs > figures.level_dbfs,
            "{figures:?}"
        );
    }

    #[test]
    fn pauses_do_not_make_a_sound_quieter() {
        let tone = |n: i32| (f64::from(n) * 0.3).sin() * 8_000.0;
        let loud: Vec<i16> = (0..8_000).map(|n| tone(n) as i16).collect();
        let mut paused = loud.clone();
        paused.extend([0; 16_000]);
        let (a, b) = (figures(loud.into_iter()), figures(paused.into_iter()));
        assert!((a.level_dbfs - b.level_dbfs).abs() < 0.1, "{a:?} {b:?}");
        assert!((a.level_dbfs + 15.25).abs() < 0.3, "8,000 of 32,768, a sine: {a:?}");
        assert_eq!((a.ms, b.ms), (1_000, 3_000));
        assert_eq!(figures([0_i16; 800].into_iter()).level_dbfs, -96.0);
    }

    #[test]
    fn what_a_load_would_refuse_is_refused_with_the_same_words() {
        assert!(check(b"RIFF....WAVEnonsense").is_err());
        assert!(check(b"<script>").unwrap_err().contains("not a WAV file"));
    }
}
