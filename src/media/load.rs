//! Prompts from files: what the binary carries, and a folder whose files win.
//!
//! Names: a clip of `zh/` by its file's name (`welcome`), everything else also by its folder (`beep` and `tones/beep`,
//! `hold` and `moh/hold`). `manifest.json` lists the clips that must be there; other WAV files beside them are taken too.

pub mod shelf;

use super::prompts::Prompts;
use super::resample;
use super::wav;
use rust_embed::RustEmbed;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(RustEmbed)]
#[folder = "sounds"]
#[allow_missing = true]
struct Carried;

/// Something that would be heard, or missed, by a caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {what}", file.display())]
pub struct Problem {
    pub file: PathBuf,
    pub what: String,
}

#[derive(Deserialize)]
struct Manifest {
    clips: BTreeMap<String, Listed>,
}

#[derive(Deserialize)]
struct Listed {
    /// Below the folder; `zh/<name>.wav` when it isn't said.
    file: Option<String>,
}

const MANIFEST: &str = "manifest.json";
/// The folder whose clips go by their file's name alone.
const SPOKEN: &str = "zh";
/// Largest file read; an hour of the richest sound is smaller.
const MAX_FILE: u64 = 256 * 1024 * 1024;
/// Most sounds a store takes.
const MAX_SOUNDS: usize = 20_000;

/// Every sound there is, and every problem found on the way. A problem never hides the other sounds.
///
/// `dir` may be missing: then what the binary carries is used.
pub fn load(dir: &Path) -> (Prompts, Vec<Problem>) {
    let mut problems = Vec::new();
    let files = Files::find(dir, &mut problems);
    let listed = files.manifest(&mut problems);
    let mut sounds: Vec<(Arc<str>, Vec<i16>)> = Vec::new();
    let mut done = BTreeSet::new();
    for (name, file) in &listed {
        done.insert(file.clone());
        match files.read(file) {
            Ok(samples) => sounds.push((name.as_str().into(), samples)),
            Err(what) => problems.push(Problem { file: files.place(file), what }),
        }
    }
    for file in files.names().filter(|file| !done.contains(*file) && file.ends_with(".wav")) {
        match files.read(file) {
            Ok(samples) => sounds.extend(names_of(file).map(|name| (name, samples.clone()))),
            Err(what) => problems.push(Problem { file: files.place(file), what }),
        }
        if sounds.len() > MAX_SOUNDS {
            problems.push(Problem { file: dir.to_owned(), what: format!("more than {MAX_SOUNDS} sounds") });
            break;
        }
    }
    if sounds.is_empty() {
        problems.push(Problem { file: dir.to_owned(), what: "no sound at all".to_owned() });
    }
    (Prompts::build(sounds), problems)
}

/// `tones/beep.wav` is `beep` and `tones/beep`; `zh/welcome.wav` is `welcome`.
fn names_of(file: &str) -> impl Iterator<Item = Arc<str>> {
    let whole = file.trim_end_matches(".wav");
    let short = whole.rsplit('/').next().unwrap_or(whole);
    let spoken = whole.strip_suffix(short).is_none_or(|folder| folder.is_empty() || folder == "zh/");
    [Some(short), (!spoken).then_some(whole)].into_iter().flatten().map(Arc::from)
}

/// Where each file is, by its path below the folder.
struct Files {
    dir: PathBuf,
    on_disk: BTreeSet<String>,
    carried: BTreeSet<String>,
}

impl Files {
    fn find(dir: &Path, problems: &mut Vec<Problem>) -> Self {
        let mut on_disk = BTreeSet::new();
        // Two levels: the folder itself and its folders.
        let mut folders = vec![(dir.to_owned(), String::new())];
        while let Some((folder, below)) = folders.pop() {
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => {
                    problems.push(Problem { file: folder, what: error.to_string() });
                    continue;
                }
            };
            for entry in entries.flatten() {
                let Some(name) = entry.file_name().to_str().map(|name| format!("{below}{name}")) else {
                    continue;
                };
                match entry.path().is_dir() {
                    true if below.is_empty() => folders.push((entry.path(), format!("{name}/"))),
                    true => {}
                    false => drop(on_disk.insert(name)),
                }
            }
        }
        Self { dir: dir.to_owned(), on_disk, carried: Carried::iter().map(Cow::into_owned).collect() }
    }

    fn names(&self) -> impl Iterator<Item = &String> {
        self.on_disk.union(&self.carried)
    }

    fn place(&self, file: &str) -> PathBuf {
        self.dir.join(file)
    }

    fn bytes(&self, file: &str) -> Result<Cow<'static, [u8]>, String> {
        if self.on_disk.contains(file) {
            let path = self.place(file);
            let length = fs::metadata(&path).map_err(|e| e.to_string())?.len();
            if length > MAX_FILE {
                return Err(format!("{length} bytes are more than a prompt can have"));
            }
            return fs::read(path).map(Cow::Owned).map_err(|e| e.to_string());
        }
        Carried::get(file).map(|carried| carried.data).ok_or_else(|| "missing".to_owned())
    }

    fn manifest(&self, problems: &mut Vec<Problem>) -> BTreeMap<String, String> {
        let mut problem = |what: String| problems.push(Problem { file: self.place(MANIFEST), what });
        let read = self.bytes(MANIFEST).map(|bytes| serde_json::from_slice::<Manifest>(&bytes));
        let clips = match read {
            Ok(Ok(manifest)) => manifest.clips,
            Ok(Err(error)) => {
                problem(error.to_string());
                return BTreeMap::new();
            }
            Err(what) => {
                problem(what);
                return BTreeMap::new();
            }
        };
        let file = |name: &str, listed: Listed| listed.file.unwrap_or_else(|| format!("{SPOKEN}/{name}.wav"));
        clips.into_iter().map(|(name, listed)| (name.clone(), file(&name, listed))).collect()
    }

    /// A file's sound at 8,000 Hz.
    fn read(&self, file: &str) -> Result<Vec<i16>, String> {
        if file.split('/').any(|part| part == "..") || file.starts_with('/') {
            return Err("not below the folder of sounds".to_owned());
        }
        decoded(&self.bytes(file)?)
    }
}

/// A file's sound at 8,000 Hz, or why callers should not hear it.
fn decoded(bytes: &[u8]) -> Result<Vec<i16>, String> {
    let sound = wav::read(bytes).map_err(|e| e.to_string())?;
    if sound.samples.is_empty() {
        return Err("has no sound in it".to_owned());
    }
    if sound.clipped_run >= wav::CLIPPED {
        return Err(format!("clipped: {} samples in a row at full scale", sound.clipped_run));
    }
    resample::to_8k(sound.samples, sound.rate).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::seam::Codec;

    fn wav(path: &Path, rate: u32, samples: &[i16]) {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: rate,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(path, spec).unwrap();
        samples.iter().for_each(|s| writer.write_sample(*s).unwrap());
        writer.finalize().unwrap();
    }

    #[test]
    fn the_shipped_sounds_are_whole() {
        let (prompts, problems) = load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("sounds"));
        assert_eq!(problems, []);
        for name in
            ["welcome", "keys_hint", "d0", "n99", "queue_pos_1", "beep", "tones/beep", "hold", "moh/hold"]
        {
            assert!(prompts.id(name).is_some_and(|clip| prompts.ms(clip) > 100), "{name}");
        }
        let welcome = prompts.id("welcome").unwrap();
        assert!((7000..7010).contains(&prompts.ms(welcome)));
        assert_eq!(prompts.get(welcome, Codec::Pcma).len(), prompts.get(welcome, Codec::Pcmu).len());
    }

    #[test]
    fn a_missing_folder_leaves_what_the_binary_carries() {
        let (prompts, problems) = load(Path::new("/nonexistent/sounds"));
        assert_eq!(problems, []);
        assert!(prompts.id("welcome").is_some());
    }

    #[test]
    fn files_on_disk_win_and_every_fault_is_told_by_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let at = |file: &str| dir.path().join(file);
        fs::create_dir_all(at("zh")).unwrap();
        wav(&at("zh/welcome.wav"), 16_000, &[1000; 16_000]);
        wav(&at("zh/ours.wav"), 8_000, &[1000; 800]);
        wav(&at("zh/keys_hint.wav"), 8_000, &[i16::MAX; 800]);
        wav(&at("zh/menu.wav"), 8_000, &[]);
        fs::write(at("zh/lang.wav"), b"RIFF....WAVEnonsense").unwrap();
        let clips =
            r#"{"clips": {"welcome": {"ms": 1}, "gone": {}, "up": {"file": "../up.wav"}, "lang": {}}}"#;
        fs::write(at("manifest.json"), clips).unwrap();
        let (prompts, problems) = load(dir.path());
        assert_eq!(prompts.ms(prompts.id("welcome").unwrap()), 1000);
        assert_eq!(prompts.ms(prompts.id("ours").unwrap()), 100);
        assert!(prompts.id("d0").is_some(), "the rest is the binary's");
        let told: BTreeMap<_, _> = problems
            .iter()
            .map(|p| {
                (p.file.strip_prefix(dir.path()).unwrap().to_string_lossy().into_owned(), p.what.clone())
            })
            .collect();
        assert_eq!(
            told.keys().collect::<Vec<_>>(),
            ["../up.wav", "zh/gone.wav", "zh/keys_hint.wav", "zh/lang.wav", "zh/menu.wav"]
        );
        assert_eq!(told["zh/gone.wav"], "missing");
        assert!(told["zh/keys_hint.wav"].starts_with("clipped"), "{told:?}");
        assert_eq!(told["zh/menu.wav"], "has no sound in it");
    }

    #[test]
    fn a_broken_manifest_is_a_problem_and_the_sounds_are_still_there() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("manifest.json"), "{").unwrap();
        let (prompts, problems) = load(dir.path());
        assert_eq!(problems.len(), 1);
        assert!(prompts.id("welcome").is_some());
    }

    /// Talk-off: thirteen minutes of speech and music without one key in them.
    #[test]
    fn speech_and_music_are_no_keys_but_the_tones_are() {
        let (prompts, _) = load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("sounds"));
        let table = crate::media::g711::table(Codec::Pcma);
        let (mut heard_ms, mut wrong) = (0u64, Vec::new());
        for (name, clip) in prompts.names().iter() {
            let mut tones = crate::media::tones::Tones::default();
            let mut keys = String::new();
            for frame in prompts.get(*clip, Codec::Pcma).chunks(160) {
                let mut whole = [crate::media::g711::silence(Codec::Pcma); 160];
                whole[..frame.len()].copy_from_slice(frame);
                keys.extend(tones.frame(Some(&whole), table).map(crate::base::Digit::as_char));
            }
            let want = match name.rsplit('/').next().and_then(|short| short.strip_prefix("dtmf_")) {
                Some("star") => "*",
                Some("hash") => "#",
                Some(digit) => digit,
                None => "",
            };
            heard_ms += u64::from(prompts.ms(*clip));
            if keys != want {
                wrong.push(format!("{name}: {keys:?}, not {want:?}"));
            }
        }
        println!("{} s of {} clips", heard_ms / 1000, prompts.len());
        assert!(heard_ms > 300_000, "{heard_ms} ms are not enough to judge by");
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
