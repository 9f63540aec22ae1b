//! Everything that touches files: trajectories, checkpoints, logs, parameter files and other programs' formats.
//!
//! Two rules hold for every writer here. A process killed at any moment leaves only files that open, with
//! everything that was flushed before. A system that refuses (full disk, vanished directory) gives an
//! [`IoError`] with path and remedy, and leaves what was written before readable.

mod error;
mod files;
pub mod formats;
mod h5;
pub mod h5md;
mod hash;
pub mod log;
pub mod parameters;
pub mod pdb;
pub mod snapshot;

pub use error::IoError;
pub use files::{RunLock, read_text, stream_atomic, write_atomic, write_json};
pub use h5md::{Observable, OwnedFrame, TrajectoryReader, TrajectorySettings, TrajectoryWriter};
pub use hash::{CHECKPOINT, hash_run};
pub use log::{LogTable, LogWriter, read_log};
pub use pdb::write_pdb;
pub use snapshot::Snapshot;

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
