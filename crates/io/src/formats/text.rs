//! Files of other programs as text, without trust: bounded, regular files only.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::IoError;

/// Largest file that is read (bytes): coordinates of some ten million atoms.
const LARGEST: u64 = 2 << 30;

/// The bytes of a regular file. A device or a pipe, which might never end, is refused.
///
/// # Errors
/// [`IoError::Refused`] where the system refuses, the path is not a regular file, or the file is larger than 2 GiB.
pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>, IoError> {
    let os = |e: std::io::Error| IoError::from_os("read", path, &e);
    let about = std::fs::metadata(path).map_err(os)?;
    let refuse = |reason: &str, remedy| {
        Err(IoError::Refused { action: "read", path: path.into(), reason: reason.into(), remedy })
    };
    if about.is_dir() {
        return refuse("it is a directory", "name a file, not a directory");
    }
    if !about.is_file() {
        return refuse("it is not a regular file", "copy its content into a file first");
    }
    if about.len() > LARGEST {
        return refuse("it is larger than 2 GiB", "check that it is the right file");
    }
    let mut bytes = Vec::new();
    File::open(path).map_err(os)?.take(LARGEST).read_to_end(&mut bytes).map_err(os)?;
    Ok(bytes)
}

/// The same as text; bytes that are not UTF-8 (comments in older encodings) become U+FFFD.
pub(super) fn read_lossy(path: &Path) -> Result<String, IoError> {
    let bytes = read_bytes(path)?;
    Ok(String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
}
