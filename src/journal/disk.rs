//! What the journal asks of a disk. The real one is here; tests have one that forgets, tears and fails.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// Files by path. Everything not synced may be lost by a crash.
pub trait Disk: Send {
    /// A folder and those above it; their names are durable when this returns.
    fn make_dir(&mut self, dir: &Path) -> io::Result<()>;
    /// Names of the files of a folder; an absent folder has none.
    fn list(&mut self, dir: &Path) -> io::Result<Vec<String>>;
    fn read(&mut self, path: &Path) -> io::Result<Vec<u8>>;
    /// At most so many bytes from `offset` on; fewer at the file's end.
    fn read_at(&mut self, path: &Path, offset: u64, length: usize) -> io::Result<Vec<u8>>;
    /// A new file, which must not be there; its name is durable when this returns.
    fn create(&mut self, path: &Path) -> io::Result<()>;
    fn append(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    fn write_at(&mut self, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Everything written to the file so far survives a crash.
    fn sync(&mut self, path: &Path) -> io::Result<()>;
    /// Another name for a file in the same folder; the name is durable when this returns.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove(&mut self, path: &Path) -> io::Result<()>;
    /// Takes room for later. May do nothing.
    fn reserve(&mut self, path: &Path, bytes: u64) -> io::Result<()>;
    /// Nothing more will be written to the file.
    fn close(&mut self, path: &Path);
}

/// The file system, with the files that are written kept open.
#[derive(Debug, Default)]
pub struct RealDisk {
    open: BTreeMap<PathBuf, File>,
}

impl RealDisk {
    fn file(&mut self, path: &Path) -> io::Result<&mut File> {
        if !self.open.contains_key(path) {
            let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
            self.open.insert(path.to_owned(), file);
        }
        self.open.get_mut(path).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync_folder(path: &Path) -> io::Result<()> {
        let above = match path.parent() {
            Some(above) if !above.as_os_str().is_empty() => above,
            Some(_) => Path::new("."),
            None => return Ok(()),
        };
        File::open(above)?.sync_all()
    }
}

impl Disk for RealDisk {
    fn make_dir(&mut self, dir: &Path) -> io::Result<()> {
        if dir.as_os_str().is_empty() || dir.is_dir() {
            return Ok(());
        }
        if let Some(above) = dir.parent() {
            self.make_dir(above)?;
        }
        match std::fs::create_dir(dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Self::sync_folder(dir),
        }
    }

    fn list(&mut self, dir: &Path) -> io::Result<Vec<String>> {
        match std::fs::read_dir(dir) {
            Ok(entries) => {
                entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn read_at(&mut self, path: &Path, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let file = File::open(path)?;
        let left = file.metadata()?.len().saturating_sub(offset);
        let length = length.min(usize::try_from(left).unwrap_or(usize::MAX));
        let mut bytes = vec![0; length];
        let mut got = 0;
        while got < length {
            match file.read_at(&mut bytes[got..], offset + got as u64)? {
                0 => break,
                n => got += n,
            }
        }
        bytes.truncate(got);
        Ok(bytes)
    }

    fn create(&mut self, path: &Path) -> io::Result<()> {
        let file = OpenOptions::new().create_new(true).read(true).append(true).open(path)?;
        self.open.insert(path.to_owned(), file);
        Self::sync_folder(path)
    }

    fn append(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.file(path)?.write_all(bytes)
    }

    fn write_at(&mut self, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file(path)?.write_all_at(bytes, offset)
    }

    fn sync(&mut self, path: &Path) -> io::Result<()> {
        self.file(path)?.sync_data()
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)?;
        if let Some(file) = self.open.remove(from) {
            self.open.insert(to.to_owned(), file);
        }
        Self::sync_folder(to)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.open.remove(path);
        std::fs::remove_file(path)
    }

    fn reserve(&mut self, path: &Path, bytes: u64) -> io::Result<()> {
        use std::os::fd::AsRawFd as _;
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        let length = i64::try_from(bytes).map_err(io::Error::other)?;
        // SAFETY: the descriptor is open for the call; nothing in memory is touched.
        match unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, length) } {
            0 => Ok(()),
            code => {
                // Half a reserve would only take what is left.
                let _ = std::fs::remove_file(path);
                Err(io::Error::from_raw_os_error(code))
            }
        }
    }

    fn close(&mut self, path: &Path) {
        self.open.remove(path);
    }
}
