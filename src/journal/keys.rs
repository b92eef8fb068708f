//! One key a call, in a file that can be changed: overwriting a slot erases a person from everything that is only appended to.
//!
//! `<boot>.keys` holds 32 bytes for each call of that boot, by the call's number. Keys are made in blocks ahead, so that a call costs
//! no flush of its own. When a block cannot be written or flushed, it and all later ones go to another file, `<boot>-1.keys` and so on:
//! the last file that has something in a call's slot has its key.

use super::disk::Disk;
use crate::base::CallId;
use chacha20poly1305::aead::KeyInit as _;
use chacha20poly1305::{ChaCha20Poly1305, Key};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

pub const KEY: usize = 32;
/// Keys made at a time.
const BLOCK: u64 = 1024;
/// Calls whose cipher is kept at hand.
const AT_HAND: usize = 65_536;

fn path(dir: &Path, boot: u32, attempt: u32) -> PathBuf {
    match attempt {
        0 => dir.join(format!("{boot:05}.keys")),
        _ => dir.join(format!("{boot:05}-{attempt}.keys")),
    }
}

/// The boot a file's name tells.
pub(super) fn boot_of(name: &str) -> Option<u32> {
    let stem = name.strip_suffix(".keys")?;
    stem.split_once('-').map_or(stem, |(boot, _)| boot).parse().ok()
}

/// The offset of a call's slot; calls are numbered from 1.
fn offset(n: u64) -> u64 {
    n.saturating_sub(1) * KEY as u64
}

/// A slot of zeros belongs to nobody (any more).
fn belongs(key: &[u8; KEY]) -> bool {
    key.iter().any(|byte| *byte != 0)
}

fn cipher(key: [u8; KEY]) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(&Key::from(key))
}

/// The keys of this boot's calls, made ahead of need.
#[derive(Debug)]
pub(super) struct Making {
    dir: PathBuf,
    boot: u32,
    /// The file that takes the next block, by its number; it is there if `begun`.
    attempt: u32,
    begun: bool,
    /// Some block is safe in that file.
    holds: bool,
    /// Calls up to this one have a key on disk.
    made: u64,
    keys: BTreeMap<u64, [u8; KEY]>,
}

/// Fills with random bytes.
pub type Random = fn(&mut [u8]) -> io::Result<()>;

impl Making {
    pub fn new(dir: &Path, boot: u32) -> Self {
        let dir = dir.to_owned();
        Self { dir, boot, attempt: 0, begun: false, holds: false, made: 0, keys: BTreeMap::new() }
    }

    /// The key of call `n`; `None`: it has been erased. A new block is on disk before any of its keys is used.
    pub fn cipher(
        &mut self,
        disk: &mut dyn Disk,
        random: Random,
        n: u64,
    ) -> io::Result<Option<ChaCha20Poly1305>> {
        while self.made < n {
            let mut block = vec![0; BLOCK as usize * KEY];
            random(&mut block)?;
            if let Err(error) = self.keep(disk, &block) {
                self.give_up_file(disk);
                return Err(error);
            }
            for (i, key) in block.chunks_exact(KEY).enumerate() {
                self.keys.insert(self.made + i as u64 + 1, std::array::from_fn(|b| key[b]));
            }
            self.made += BLOCK;
            while self.keys.len() > AT_HAND {
                self.keys.pop_first();
            }
        }
        let key = match self.keys.get(&n) {
            Some(key) => Some(*key),
            // Its call has been up for very long: the file still has it.
            None => self.read(disk, n)?,
        };
        Ok(key.map(cipher))
    }

    fn keep(&mut self, disk: &mut dyn Disk, block: &[u8]) -> io::Result<()> {
        while !self.begun {
            match disk.create(&path(&self.dir, self.boot, self.attempt)) {
                Ok(()) => self.begun = true,
                // What an earlier try left and could not remove. Only a file that is there is passed by: there are no gaps.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.attempt += 1,
                Err(error) => return Err(error),
            }
        }
        let path = path(&self.dir, self.boot, self.attempt);
        disk.write_at(&path, self.made * KEY as u64, block)?;
        disk.sync(&path)?;
        self.holds = true;
        Ok(())
    }

    /// A file whose flush failed is not touched again. One that holds nothing makes room for a new one of its name.
    fn give_up_file(&mut self, disk: &mut dyn Disk) {
        let path = path(&self.dir, self.boot, self.attempt);
        disk.close(&path);
        if self.holds {
            self.attempt += 1;
        } else {
            let _ = disk.remove(&path);
        }
        (self.begun, self.holds) = (false, false);
    }

    fn read(&self, disk: &mut dyn Disk, n: u64) -> io::Result<Option<[u8; KEY]>> {
        for attempt in (0..=self.attempt).rev() {
            let path = path(&self.dir, self.boot, attempt);
            match disk.read_at(&path, offset(n), KEY) {
                Ok(bytes) => {
                    if let Ok(key) = <[u8; KEY]>::try_from(bytes)
                        && belongs(&key)
                    {
                        return Ok(Some(key));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        // Erased while it is up: its texts are left out from now on.
        Ok(None)
    }
}

/// Ciphers for reading, by call.
#[derive(Debug)]
pub(super) struct Ring {
    dir: PathBuf,
    known: BTreeMap<CallId, Option<ChaCha20Poly1305Debug>>,
}

/// Prints nothing of the key.
#[derive(Clone)]
struct ChaCha20Poly1305Debug(ChaCha20Poly1305);

impl std::fmt::Debug for ChaCha20Poly1305Debug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Ring {
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), known: BTreeMap::new() }
    }

    /// `None`: erased, or never made.
    pub fn cipher(&mut self, call: CallId) -> Option<ChaCha20Poly1305> {
        if !self.known.contains_key(&call) {
            if self.known.len() >= AT_HAND {
                self.known.clear();
            }
            let found = read_slot(&self.dir, call).map(cipher).map(ChaCha20Poly1305Debug);
            self.known.insert(call, found);
        }
        self.known.get(&call).cloned().flatten().map(|cipher| cipher.0)
    }
}

fn read_slot(dir: &Path, call: CallId) -> Option<[u8; KEY]> {
    use std::os::unix::fs::FileExt as _;
    let mut found = None;
    for attempt in 0.. {
        let Ok(file) = std::fs::File::open(path(dir, call.boot, attempt)) else { break };
        let mut key = [0; KEY];
        if file.read_exact_at(&mut key, offset(call.n)).is_ok() && belongs(&key) {
            found = Some(key);
        }
    }
    found
}

/// Destroys a call's key: its texts are gone from the journal for ever. A call that has none is left alone.
pub fn erase(disk: &mut dyn Disk, dir: &Path, call: CallId) -> io::Result<()> {
    for attempt in 0.. {
        let path = path(dir, call.boot, attempt);
        match disk.read_at(&path, offset(call.n), KEY) {
            Ok(slot) if slot.len() == KEY => {
                disk.write_at(&path, offset(call.n), &[0; KEY])?;
                disk.sync(&path)?;
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
