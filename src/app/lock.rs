//! One server a data folder, and a folder that can be written: both are found out before anything else starts.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    #[error("data folder {0} cannot be made or written: {1}")]
    Unwritable(PathBuf, std::io::Error),
    #[error("another hotline runs on data folder {0} (process {1})")]
    InUse(PathBuf, String),
}

/// Held for the life of the process; the kernel lets go of it however the process ends.
#[derive(Debug)]
pub struct DataLock(#[allow(dead_code)] File);

pub fn take(dir: &Path) -> Result<DataLock, DataDirError> {
    let unwritable = |error| DataDirError::Unwritable(dir.to_path_buf(), error);
    fs::create_dir_all(dir).map_err(unwritable)?;
    let path = dir.join("hotline.lock");
    let mut file = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path)
        .map_err(unwritable)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let pid = fs::read_to_string(&path).unwrap_or_default();
            return Err(DataDirError::InUse(dir.to_path_buf(), pid.trim().to_owned()));
        }
        Err(TryLockError::Error(error)) => return Err(unwritable(error)),
    }
    file.set_len(0).map_err(unwritable)?;
    writeln!(file, "{}", std::process::id()).map_err(unwritable)?;
    Ok(DataLock(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_server() {
        let dir = tempfile::tempdir().unwrap();
        let first = take(dir.path()).unwrap();
        assert!(matches!(take(dir.path()), Err(DataDirError::InUse(..))));
        drop(first);
        assert!(take(dir.path()).is_ok());
    }

    #[test]
    fn a_file_in_the_way_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data");
        std::fs::write(&path, "x").unwrap();
        assert!(matches!(take(&path), Err(DataDirError::Unwritable(..))));
    }
}
