//! A disk in memory that forgets. What was written and what was synced are kept apart, and so are the names in its folders; a crash keeps,
//! drops or tears what was not synced, page by page and in no order. Any operation can be made to fail.

use crate::journal::Disk;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The disk answers with an error.
    Eio,
    /// It is full.
    Enospc,
    /// A part is written, then it fails.
    Short,
    /// The power is gone: this operation may be done in part, and no later one is.
    PowerCut,
}

pub const FAULTS: [Fault; 3] = [Fault::Eio, Fault::Enospc, Fault::Short];

#[derive(Clone, Debug, Default)]
struct Inode {
    now: Vec<u8>,
    /// What a crash certainly leaves.
    synced: Vec<u8>,
    /// Writes since then: where, and what.
    pending: Vec<(usize, Vec<u8>)>,
    /// A sync has failed: nobody may write to it or sync it again.
    poisoned: bool,
}

impl Inode {
    fn write(&mut self, at: usize, bytes: &[u8]) {
        put(&mut self.now, at, bytes);
        self.pending.push((at, bytes.to_vec()));
    }
}

fn put(file: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    if file.len() < at + bytes.len() {
        file.resize(at + bytes.len(), 0);
    }
    file[at..at + bytes.len()].copy_from_slice(bytes);
}

#[derive(Debug)]
struct State {
    rng: ChaCha8Rng,
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    /// The names a crash certainly leaves.
    synced_names: BTreeMap<PathBuf, usize>,
    operations: u64,
    /// Which operation fails, and how.
    fault: Option<(u64, Fault)>,
    off: bool,
    /// Everything in this folder fails.
    broken: Option<PathBuf>,
    /// A real folder that shows what a program would see.
    mirror: Option<PathBuf>,
}

/// One disk; clones are handles of it.
#[derive(Clone, Debug)]
pub struct SimDisk(Arc<Mutex<State>>);

impl SimDisk {
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            rng: ChaCha8Rng::seed_from_u64(seed),
            inodes: Vec::new(),
            names: BTreeMap::new(),
            synced_names: BTreeMap::new(),
            operations: 0,
            fault: None,
            off: false,
            broken: None,
            mirror: None,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// The operation that comes after `n` others from now on fails.
    pub fn fail_after(&self, n: u64, fault: Fault) {
        let mut state = self.state();
        state.fault = Some((state.operations + n, fault));
    }

    /// The fault has not come.
    pub fn fault_waits(&self) -> bool {
        self.state().fault.is_some()
    }

    pub fn is_off(&self) -> bool {
        self.state().off
    }

    pub fn break_folder(&self, dir: Option<&Path>) {
        self.state().broken = dir.map(Path::to_owned);
    }

    pub fn mirror_to(&self, dir: &Path) {
        self.state().mirror = Some(dir.to_owned());
    }

    /// The machine goes down and comes up.
    pub fn crash(&self) {
        let mut state = self.state();
        let state = &mut *state;
        (state.off, state.fault) = (false, None);
        let paths: Vec<PathBuf> = state.names.keys().chain(state.synced_names.keys()).cloned().collect();
        let mut names = BTreeMap::new();
        for path in paths {
            let old = state.synced_names.get(&path).copied();
            let new = state.names.get(&path).copied();
            let kept = if state.rng.next_u64().is_multiple_of(2) { old } else { new };
            names.extend(kept.map(|inode| (path, inode)));
        }
        for inode in &mut state.inodes {
            inode.now = after_crash(&mut state.rng, inode);
            inode.synced = inode.now.clone();
            inode.pending.clear();
            inode.poisoned = false;
        }
        state.synced_names = names.clone();
        state.names = names;
        state.show_all();
    }

    /// Only the program goes down: what it wrote can be read, and is no safer than before.
    pub fn kill(&self) {
        let mut state = self.state();
        (state.off, state.fault) = (false, None);
    }

    /// Everything a program can read now, as real files.
    pub fn copy_to(&self, dir: &Path) {
        let mut state = self.state();
        let before = state.mirror.replace(dir.to_owned());
        state.show_all();
        state.mirror = before;
    }

    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let state = self.state();
        state.names.iter().map(|(path, inode)| (path.clone(), state.inodes[*inode].now.clone())).collect()
    }
}

/// The synced bytes, and of the rest all, nothing, or pages of it.
fn after_crash(rng: &mut ChaCha8Rng, inode: &Inode) -> Vec<u8> {
    let way = rng.next_u64() % 4;
    let page = [16, 64, 512, 4096][(rng.next_u64() % 4) as usize];
    match way {
        0 => return inode.now.clone(),
        1 => return inode.synced.clone(),
        _ => {}
    }
    let mut file = inode.synced.clone();
    for (at, bytes) in &inode.pending {
        for (n, part) in bytes.chunks(page).enumerate() {
            let keep = match rng.next_u64() % 4 {
                0 => 0,
                1 => (rng.next_u64() % (part.len() as u64 + 1)) as usize,
                _ => part.len(),
            };
            if keep > 0 {
                put(&mut file, at + n * page, &part[..keep]);
            }
        }
    }
    // The new length may be there without the bytes.
    if way == 3 && file.len() < inode.now.len() {
        file.resize(inode.now.len(), 0);
    }
    file
}

impl State {
    /// Counts an operation; how it fails, if it does.
    fn begin(&mut self, path: &Path) -> io::Result<Option<Fault>> {
        if self.off {
            return Err(error(Fault::PowerCut));
        }
        let n = self.operations;
        self.operations += 1;
        if let Some((at, fault)) = self.fault
            && at <= n
        {
            self.fault = None;
            self.off = fault == Fault::PowerCut;
            return Ok(Some(fault));
        }
        Ok(self.broken.as_ref().filter(|dir| path.starts_with(dir)).map(|_| Fault::Eio))
    }

    fn inode(&mut self, path: &Path) -> io::Result<&mut Inode> {
        let inode = *self.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(&mut self.inodes[inode])
    }

    fn coin(&mut self) -> bool {
        self.rng.next_u64().is_multiple_of(2)
    }

    fn new_file(&mut self, path: &Path) {
        self.inodes.push(Inode::default());
        self.names.insert(path.to_owned(), self.inodes.len() - 1);
        self.show(path);
    }

    fn sync_folder(&mut self, dir: Option<&Path>) {
        let inside = |path: &PathBuf| path.parent() == dir;
        self.synced_names.retain(|path, _| !inside(path));
        let now = self.names.iter().filter(|(path, _)| inside(path));
        self.synced_names.extend(now.map(|(path, inode)| (path.clone(), *inode)));
    }

    fn write(&mut self, path: &Path, at: Option<u64>, bytes: &[u8]) -> io::Result<()> {
        let fault = self.begin(path)?;
        let part = match fault {
            None => bytes.len(),
            Some(Fault::Short | Fault::PowerCut) => (self.rng.next_u64() % (bytes.len() as u64 + 1)) as usize,
            Some(_) => 0,
        };
        let inode = self.inode(path)?;
        assert!(!inode.poisoned, "{} is written to after a failed sync", path.display());
        let at = at.map_or(inode.now.len(), |at| at as usize);
        if part > 0 {
            inode.write(at, &bytes[..part]);
            self.show_part(path, at, part);
        }
        fault.map_or(Ok(()), |fault| Err(error(fault)))
    }

    fn shown(&self, path: &Path) -> Option<PathBuf> {
        Some(self.mirror.as_ref()?.join(path.strip_prefix("/").unwrap_or(path)))
    }

    fn show(&self, path: &Path) {
        let Some(real) = self.shown(path) else { return };
        match self.names.get(path) {
            Some(inode) => {
                std::fs::create_dir_all(real.parent().unwrap()).unwrap();
                std::fs::write(real, &self.inodes[*inode].now).unwrap();
            }
            None => drop(std::fs::remove_file(real)),
        }
    }

    fn show_part(&self, path: &Path, at: usize, length: usize) {
        use std::os::unix::fs::FileExt as _;
        let Some(real) = self.shown(path) else { return };
        let bytes = &self.inodes[self.names[path]].now[at..at + length];
        std::fs::OpenOptions::new().write(true).open(real).unwrap().write_all_at(bytes, at as u64).unwrap();
    }

    fn show_all(&self) {
        let Some(root) = &self.mirror else { return };
        let _ = std::fs::remove_dir_all(root);
        std::fs::create_dir_all(root).unwrap();
        self.names.keys().for_each(|path| self.show(path));
    }
}

fn error(fault: Fault) -> io::Error {
    match fault {
        Fault::Enospc => io::ErrorKind::StorageFull.into(),
        _ => io::Error::other("the disk does not answer"),
    }
}

impl Disk for SimDisk {
    fn make_dir(&mut self, dir: &Path) -> io::Result<()> {
        self.state().begin(dir)?.map_or(Ok(()), |fault| Err(error(fault)))
    }

    fn list(&mut self, dir: &Path) -> io::Result<Vec<String>> {
        let mut state = self.state();
        if let Some(fault) = state.begin(dir)? {
            return Err(error(fault));
        }
        let inside = state.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect())
    }

    fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        self.read_at(path, 0, usize::MAX)
    }

    fn read_at(&mut self, path: &Path, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut state = self.state();
        if let Some(fault) = state.begin(path)? {
            return Err(error(fault));
        }
        let bytes = &state.inode(path)?.now;
        let from = (offset as usize).min(bytes.len());
        Ok(bytes[from..from.saturating_add(length).min(bytes.len())].to_vec())
    }

    fn create(&mut self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        let fault = state.begin(path)?;
        if state.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        // A create that fails may have made the file, its name not yet safe.
        if fault.is_none() || (fault != Some(Fault::Enospc) && state.coin()) {
            state.new_file(path);
        }
        match fault {
            None => {
                state.sync_folder(path.parent());
                Ok(())
            }
            Some(fault) => Err(error(fault)),
        }
    }

    fn append(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.state().write(path, None, bytes)
    }

    fn write_at(&mut self, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        // As the real one: a file that is not there is made, and nobody makes its name safe.
        if !state.names.contains_key(path) && !state.off {
            state.new_file(path);
        }
        state.write(path, Some(offset), bytes)
    }

    fn sync(&mut self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        let fault = state.begin(path)?;
        let inode = state.inode(path)?;
        assert!(!inode.poisoned, "{} is synced again after a failed sync", path.display());
        match fault {
            None => {
                inode.synced = inode.now.clone();
                inode.pending.clear();
                Ok(())
            }
            Some(fault) => {
                inode.poisoned = fault != Fault::PowerCut;
                Err(error(fault))
            }
        }
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        let fault = state.begin(to)?;
        if fault.is_none() || state.coin() {
            let inode = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
            state.names.insert(to.to_owned(), inode);
            state.show(from);
            state.show(to);
        }
        match fault {
            None => {
                state.sync_folder(to.parent());
                Ok(())
            }
            Some(fault) => Err(error(fault)),
        }
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        if let Some(fault) = state.begin(path)? {
            return Err(error(fault));
        }
        state.names.remove(path).ok_or(io::ErrorKind::NotFound)?;
        state.show(path);
        Ok(())
    }

    fn reserve(&mut self, path: &Path, _bytes: u64) -> io::Result<()> {
        let mut state = self.state();
        if let Some(fault) = state.begin(path)? {
            return Err(error(fault));
        }
        if !state.names.contains_key(path) {
            state.new_file(path);
        }
        Ok(())
    }

    fn close(&mut self, _path: &Path) {}
}
