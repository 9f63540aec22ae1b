//! H5MD 1.1 trajectories (P. de Buyl, P. H. Colberg, F. Höfling, Comput. Phys. Commun. 185, 1546 (2014),
//! doi:10.1016/j.cpc.2014.01.018) with the units module, in the shape that MDAnalysis opens without help.
//!
//! A trajectory is `trajectory.h5md` and, where a run went on after a crash or the first file was full,
//! `trajectory.part0002.h5md` and so on; [`TrajectoryReader`] takes the parts as one. Everything is kept in full
//! (f64) precision: frames are part of what "bitwise the same run" means.
//!
//! # Why a killed writer loses nothing that was flushed
//! HDF5 has no journal. After a first flush our writer only ever *adds*: frames behind the last one, entries behind
//! the last entry of an index. Old bytes are never moved: the index of each dataset is made large enough at
//! creation never to be split (the split of an index node is what loses old frames when it is interrupted), and a
//! file that is full is closed and followed by a next part. A file that was not closed cleanly is never written
//! again. Every frame carries its SHA-256, so that a torn last frame is recognised and dropped; attribute
//! `closed_cleanly` of `/parameters` tells whether to look for one. Files are created under a temporary name and
//! renamed when they are complete.

mod columns;
mod reader;
mod writer;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub use reader::{OwnedFrame, TrajectoryReader};
pub use writer::TrajectoryWriter;

use crate::IoError;
use crate::formats::registry::FormatInfo;

/// Row of `amelo list formats`.
pub const INFO: FormatInfo = FormatInfo {
    name: "h5md",
    summary: "trajectory of a run, one or several parts; written and read",
    layout: "HDF5 in the H5MD 1.1 layout with the units module; f64 positions (nm), times (ps)",
    limits: &[],
    citation: "P. de Buyl, P. H. Colberg, F. Höfling, Comput. Phys. Commun. 185, 1546 (2014), doi:10.1016/j.cpc.2014.01.018",
};

/// Version of what our files hold beyond H5MD; readers refuse a later one.
pub const VERSION: u32 = 1;

/// Name of the first part in a run directory.
pub const FILE_NAME: &str = "trajectory.h5md";

/// A scalar that is stored with every frame under `/observables`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observable {
    /// Name, for example `potential_energy`.
    pub name: String,
    /// Unit as H5MD writes it (`kJ mol-1`, `K`, `bar`); empty for a pure number.
    pub unit: String,
}

impl Observable {
    /// An observable by name and unit.
    pub fn new(name: &str, unit: &str) -> Self {
        Observable { name: name.into(), unit: unit.into() }
    }
}

/// What a trajectory holds.
#[derive(Clone, Debug, Default)]
pub struct TrajectorySettings {
    /// Whether frames have velocities.
    pub velocities: bool,
    /// Whether frames have forces.
    pub forces: bool,
    /// Scalars stored with every frame.
    pub observables: Vec<Observable>,
    /// Frames to be expected in all, where known: sizes the index. More frames than that are no error.
    pub expected_frames: Option<u64>,
    /// Person for `/h5md/author`; empty for unknown.
    pub author: String,
    /// Version of the program for `/h5md/creator`.
    pub program_version: String,
    /// Texts for `/parameters`: the deck verbatim, the resolved deck, commit, CPU features, seed, hashes.
    pub parameters: BTreeMap<String, String>,
}

/// Path of part `number` (1 is the first) of the trajectory whose first part is `first`.
fn part_path(first: &Path, number: u32) -> PathBuf {
    if number <= 1 {
        return first.into();
    }
    let stem = first.file_stem().unwrap_or_default().to_string_lossy();
    let extension = first.extension().unwrap_or_default().to_string_lossy();
    first.with_file_name(format!("{stem}.part{number:04}.{extension}"))
}

/// The parts that exist, in order.
fn parts(first: &Path) -> Vec<(u32, PathBuf)> {
    (1..).map(|k| (k, part_path(first, k))).take_while(|(_, path)| path.exists()).collect()
}

/// Removes every part of the trajectory in `directory`, the last one first, and what a killed writer left half-made.
///
/// # Errors
/// [`IoError::Refused`] where the system refuses.
pub fn remove(directory: &Path) -> Result<(), IoError> {
    let first = directory.join(FILE_NAME);
    let existing = parts(&first);
    let next = existing.last().map_or(1, |(k, _)| k + 1);
    let _ = fs::remove_file(crate::files::temporary_name(&part_path(&first, next)));
    for (_, path) in existing.iter().rev() {
        fs::remove_file(path).map_err(|e| IoError::from_os("remove", path, &e))?;
    }
    Ok(())
}
