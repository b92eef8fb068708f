//! One key a call, in a file that can be changed: overwriting a slot erases a person from everything that is only appended to.
//!
//! `<boot>.keys` holds 32 bytes for each call of that boot, by the call's number. Keys are made in blocks ahead, so that a call costs
//! no flush of its own.

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

pub(super) fn path(dir: &Path, boot: u32) -> PathBuf {
    dir.join(format!("{boot:05}.keys"))
}

/// The offset of a call's slot; calls are numbered from 1.
fn offset(n: u64) -> u64 {
    n.saturating_sub(1) * KEY as u64
}

fn cipher(key: &[u8; KEY]) -> Option<ChaCha20Poly1305> {
    // A slot of zeros belongs to nobody (any more).
    key.iter().any(|byte| *byte != 0).then(|| ChaCha20Poly1305::new(&Key::from(*key)))
}

/// The keys of this boot's calls, made ahead of need.
#[derive(Debug)]
pub(super) struct Making {
    path: PathBuf,
    /// Calls up to this one have a key on disk.
    made: u64,
    keys: BTreeMap<u64, [u8; KEY]>,
    synced: bool,
}

/// Fills with random bytes.
pub type Random = fn(&mut [u8]) -> io::Result<()>;

impl Making {
    pub fn new(dir: &Path, boot: u32) -> Self {
        Self { path: path(dir, boot), made: 0, keys: BTreeMap::new(), synced: true }
    }

    /// The key of call `n`. A new block is on disk before any of its keys is used.
    pub fn cipher(&mut self, disk: &mut dyn Disk, random: Random, n: u64) -> io::Result<ChaCha20Poly1305> {
        while self.made < n || !self.synced {
            if self.synced {
                let mut block = vec![0; BLOCK as usize * KEY];
                random(&mut block)?;
                disk.write_at(&self.path, self.made * KEY as u64, &block)?;
                for (i, key) in block.chunks_exact(KEY).enumerate() {
                    self.keys.insert(self.made + i as u64 + 1, std::array::from_fn(|b| key[b]));
                }
                self.made += BLOCK;
                self.synced = false;
            }
            disk.sync(&self.path)?;
            self.synced = true;
            while self.keys.len() > AT_HAND {
                self.keys.pop_first();
            }
        }
        let known = self.keys.get(&n).copied();
        let key = match known {
            Some(key) => key,
            // Its call has been up for very long: the file still has it.
            None => slot(&disk.read(&self.path)?, n).ok_or(io::ErrorKind::NotFound)?,
        };
        cipher(&key).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

fn slot(file: &[u8], n: u64) -> Option<[u8; KEY]> {
    let at = usize::try_from(offset(n)).ok()?;
    file.get(at..at + KEY)?.try_into().ok()
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
            let found = read_slot(&path(&self.dir, call.boot), call.n)
                .and_then(|key| cipher(&key))
                .map(ChaCha20Poly1305Debug);
            self.known.insert(call, found);
        }
        self.known.get(&call).cloned().flatten().map(|cipher| cipher.0)
    }
}

fn read_slot(path: &Path, n: u64) -> Option<[u8; KEY]> {
    use std::os::unix::fs::FileExt as _;
    let file = std::fs::File::open(path).ok()?;
    let mut key = [0; KEY];
    file.read_exact_at(&mut key, offset(n)).ok()?;
    Some(key)
}

/// Destroys a call's key: its texts are gone from the journal for ever.
pub fn erase(disk: &mut dyn Disk, dir: &Path, call: CallId) -> io::Result<()> {
    let path = path(dir, call.boot);
    disk.write_at(&path, offset(call.n), &[0; KEY])?;
    disk.sync(&path)
}
