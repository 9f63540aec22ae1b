//! What can go wrong with files: which file, what was being done, what to do about it.

use std::path::{Path, PathBuf};

/// A file that could not be written, read or trusted.
#[derive(Debug, thiserror::Error)]
pub enum IoError {
    /// The operating system refused.
    #[error("cannot {action} {}: {reason}; {remedy}", path.display())]
    Refused {
        /// What was being done, as in "write".
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        reason: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The file is there, but not what was written: cut short, overwritten, bits changed.
    #[error("{} is damaged: {found}; {remedy}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        found: String,
        /// What to do.
        remedy: &'static str,
    },
    /// Written by a version of amelo that this one does not understand.
    #[error(
        "{} has {what} version {found}, but this amelo reads versions up to {known}; \
         read it with the amelo that wrote it, or a newer one", path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Which format.
        what: &'static str,
        /// Version in the file.
        found: u32,
        /// Latest version that this program knows.
        known: u32,
    },
    /// A good file of another kind.
    #[error("{} is not {expected}: {found}", path.display())]
    NotThat {
        /// The file.
        path: PathBuf,
        /// What was expected.
        expected: &'static str,
        /// What was found.
        found: String,
    },
    /// The file or its directory was removed or replaced while it was being written.
    #[error(
        "{} is gone: it or its directory was removed, renamed or unmounted while being written; \
         put the directory back and go on with --resume from the last checkpoint", path.display()
    )]
    Vanished {
        /// The file as it was opened.
        path: PathBuf,
    },
    /// A file that must not be overwritten.
    #[error("{} exists already and is not overwritten; go on with --resume, or start anew with --overwrite", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Another process works in the run directory.
    #[error("{} is in use by another amelo process; wait until it ends, or stop it", path.display())]
    InUse {
        /// The run directory.
        path: PathBuf,
    },
    /// The trajectory does not reach back to the checkpoint: going on would leave a hole.
    #[error(
        "the trajectory in {} holds {found} readable frames up to step {step}, but {expected} were written before \
         the checkpoint at that step; resume from an earlier checkpoint", path.display()
    )]
    MissingFrames {
        /// The run directory.
        path: PathBuf,
        /// Step of the checkpoint.
        step: u64,
        /// Readable frames up to that step.
        found: u64,
        /// Frames that the checkpoint counts.
        expected: u64,
    },
    /// The caller's data do not fit the file (a bug of ours, not of the user).
    #[error("{} cannot take this: {found}", path.display())]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        found: String,
    },
}

impl IoError {
    /// The file or directory concerned.
    pub fn path(&self) -> &Path {
        match self {
            IoError::Refused { path, .. }
            | IoError::Damaged { path, .. }
            | IoError::Version { path, .. }
            | IoError::NotThat { path, .. }
            | IoError::Vanished { path }
            | IoError::Exists { path }
            | IoError::InUse { path }
            | IoError::MissingFrames { path, .. }
            | IoError::Mismatch { path, .. } => path,
        }
    }

    /// From the operating system's error while doing `action` ("read", "write", …) with `path`.
    pub fn from_os(action: &'static str, path: &Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let remedy = match error.kind() {
            ErrorKind::NotFound => "check the path, and that its directory still exists",
            ErrorKind::PermissionDenied => "check the permissions of the file and its directory",
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => FREE_SPACE,
            ErrorKind::ReadOnlyFilesystem => "choose a directory on a file system that can be written",
            ErrorKind::IsADirectory => "name a file, not a directory",
            ErrorKind::InvalidData => "the file is not text; check that it is the right one",
            _ => "check the file system",
        };
        IoError::Refused { action, path: path.into(), reason: reason(error), remedy }
    }

    /// From the HDF5 library's error while doing `action` with `path`. Where the library's error stack ends in
    /// an error number of the operating system, that is what the user hears; else the file is not sound.
    pub(crate) fn from_hdf5(action: &'static str, path: &Path, error: &hdf5::Error) -> Self {
        let frames: Vec<String> =
            error.stack().map(|stack| stack.iter().map(|f| f.desc().to_string()).collect()).unwrap_or_default();
        let number = frames.iter().find_map(|text| errno(text));
        match number {
            // 11 = EAGAIN: HDF5 could not take its lock on the file.
            Some(11) => IoError::Refused {
                action,
                path: path.into(),
                reason: "another process is writing it".into(),
                remedy: "wait for that process, or set HDF5_USE_FILE_LOCKING=FALSE to read what is there so far",
            },
            Some(number) => IoError::from_os(action, path, &std::io::Error::from_raw_os_error(number)),
            None => IoError::Damaged {
                path: path.into(),
                found: format!("cannot {action}: {error}"),
                remedy: "use an undamaged copy, an earlier checkpoint, or run again",
            },
        }
    }
}

/// Advice when a disk is full.
const FREE_SPACE: &str =
    "free some space (or raise the quota) and go on with --resume; everything written before is readable";

/// The system's text without Rust's "(os error N)".
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_string(),
        None => text,
    }
}

/// The `errno = N` that HDF5 writes into its messages.
fn errno(text: &str) -> Option<i32> {
    let rest = &text[text.find("errno = ")? + "errno = ".len()..];
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_numbers_are_found_in_hdf5_messages() {
        // Message of H5FD_sec2_write, HDF5 1.10.8.
        let text = "file write failed: time = Sun Nov 22 21:00:00 2026, filename = 'x', file descriptor = 3, \
                    errno = 28, error message = 'No space left on device', buf = 0x1, total write size = 96";
        assert_eq!(errno(text), Some(28));
        assert_eq!(errno("bad object header version number"), None);
    }

    #[test]
    fn a_full_disk_is_named_with_its_remedy() {
        let error = IoError::from_os("write", Path::new("a/b.h5"), &std::io::Error::from_raw_os_error(28));
        assert_eq!(
            error.to_string(),
            "cannot write a/b.h5: No space left on device; free some space (or raise the quota) and go on with \
             --resume; everything written before is readable"
        );
    }
}
