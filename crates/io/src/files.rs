//! Plain files that are either the old or the new, never half: written under a temporary name, synced,
//! renamed, and the directory synced, so that a killed process or a power cut leaves one of the two.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::IoError;

/// Writes `bytes` to `path` atomically.
///
/// # Errors
/// [`IoError::Refused`] where the system refuses; `path` then holds what it held before.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), IoError> {
    stream_atomic(path, |out| out.write_all(bytes).map_err(|e| IoError::from_os("write", path, &e)))
}

/// Writes `path` atomically with what `content` streams: for files larger than memory.
///
/// # Errors
/// As [`write_atomic`], and whatever `content` returns; `path` then holds what it held before.
pub fn stream_atomic<T>(path: &Path, content: impl FnOnce(&mut dyn Write) -> Result<T, IoError>) -> Result<T, IoError> {
    let temporary = temporary_name(path);
    let refused = |error: std::io::Error| IoError::from_os("write", path, &error);
    let result = (|| {
        let mut file = std::io::BufWriter::new(File::create(&temporary).map_err(refused)?);
        let value = content(&mut file)?;
        file.into_inner().map_err(|e| refused(e.into_error()))?.sync_all().map_err(refused)?;
        fs::rename(&temporary, path).map_err(refused)?;
        Ok(value)
    })();
    match result {
        Ok(value) => sync_directory_of(path).map(|()| value),
        Err(error) => {
            // A half-written temporary would only eat the space that is short.
            let _ = fs::remove_file(&temporary);
            Err(error)
        }
    }
}

/// Writes `value` as indented JSON to `path` atomically (`results.json`).
///
/// # Errors
/// As [`write_atomic`]; [`IoError::Mismatch`] where `value` has no JSON form.
pub fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), IoError> {
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|e| IoError::Mismatch { path: path.into(), found: format!("no JSON form: {e}") })?;
    text.push(b'\n');
    write_atomic(path, &text)
}

/// Moves the finished file `temporary` to `path`. Where `previous` is given and `path` exists, the old content
/// stays under that name; at no moment is there no file `path`.
pub(crate) fn replace(temporary: &Path, path: &Path, previous: Option<&Path>) -> Result<(), IoError> {
    let refused = |error: std::io::Error| IoError::from_os("replace", path, &error);
    if let Some(previous) = previous
        && path.exists()
    {
        let link = temporary_name(previous);
        let _ = fs::remove_file(&link);
        match fs::hard_link(path, &link) {
            Ok(()) => fs::rename(&link, previous).map_err(refused)?,
            // No hard links on this file system: for a moment only `previous` exists, which readers accept.
            Err(_) => fs::rename(path, previous).map_err(refused)?,
        }
    }
    fs::rename(temporary, path).map_err(refused)?;
    sync_directory_of(path)
}

/// The name under which `path` is written until it is complete.
pub(crate) fn temporary_name(path: &Path) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(".tmp");
    name.into()
}

/// Waits until the directory entry of `path` is on disk.
pub(crate) fn sync_directory_of(path: &Path) -> Result<(), IoError> {
    let directory = match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    File::open(directory).and_then(|d| d.sync_all()).map_err(|e| IoError::from_os("sync", directory, &e))
}

/// Reads a whole text file.
///
/// # Errors
/// [`IoError::Refused`] where the system refuses or the file is not UTF-8.
pub fn read_text(path: &Path) -> Result<String, IoError> {
    fs::read_to_string(path).map_err(|e| IoError::from_os("read", path, &e))
}

/// Which file a path stood for when it was opened: tells that the file was removed or replaced meanwhile,
/// which the open descriptor alone would never notice.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Identity {
    path: PathBuf,
    #[cfg(unix)]
    inode: (u64, u64),
}

impl Identity {
    /// Of the file now at `path`.
    pub(crate) fn of(path: &Path) -> Result<Self, IoError> {
        let found = fs::metadata(path).map_err(|e| IoError::from_os("look at", path, &e))?;
        #[cfg(unix)]
        let inode = (std::os::unix::fs::MetadataExt::dev(&found), std::os::unix::fs::MetadataExt::ino(&found));
        #[cfg(not(unix))]
        let _ = found;
        Ok(Identity {
            path: path.into(),
            #[cfg(unix)]
            inode,
        })
    }

    /// That the path still stands for the same file.
    pub(crate) fn check(&self) -> Result<(), IoError> {
        match Identity::of(&self.path) {
            Ok(now) if now == *self => Ok(()),
            _ => Err(IoError::Vanished { path: self.path.clone() }),
        }
    }
}

/// The right to write into a run directory: held by one process at a time and given back when dropped, or by
/// the system when the process dies.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

impl RunLock {
    /// Takes the lock of `directory` (its file `.lock`, which stays behind, empty).
    ///
    /// # Errors
    /// [`IoError::InUse`] where another process holds it; [`IoError::Refused`] where the directory cannot be written.
    pub fn acquire(directory: &Path) -> Result<Self, IoError> {
        let path = directory.join(".lock");
        let file = File::create(&path).map_err(|e| IoError::from_os("write", &path, &e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(IoError::InUse { path: directory.into() }),
            // Some network file systems have no locks; a run there is no worse off than without ours.
            Err(TryLockError::Error(e)) => tracing::warn!("no lock on {}: {e}", directory.display()),
        }
        Ok(RunLock { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_keeps_the_old_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("results.json");
        write_atomic(&path, b"old").unwrap();
        // A directory in the temporary's place stops the write.
        fs::create_dir(temporary_name(&path)).unwrap();
        assert!(matches!(write_atomic(&path, b"new"), Err(IoError::Refused { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"old");
    }

    #[test]
    fn the_lock_is_exclusive_and_given_back() {
        let dir = tempfile::tempdir().unwrap();
        let first = RunLock::acquire(dir.path()).unwrap();
        assert!(matches!(RunLock::acquire(dir.path()), Err(IoError::InUse { .. })));
        drop(first);
        assert!(RunLock::acquire(dir.path()).is_ok());
    }

    #[test]
    fn a_replaced_file_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        fs::write(&path, "1").unwrap();
        let identity = Identity::of(&path).unwrap();
        identity.check().unwrap();
        fs::remove_file(&path).unwrap();
        assert!(matches!(identity.check(), Err(IoError::Vanished { .. })));
    }
}
