//! Reads trajectories: the parts as one, every frame verified.

use std::path::{Path, PathBuf};

use amelo_core::{Cell, Frame, Topology};
use amelo_math::Vec3;
use hdf5::File;

use super::columns::Columns;
use super::{FILE_NAME, TrajectorySettings, VERSION, parts};
use crate::h5::{self, H5Result};
use crate::{IoError, hash};

/// A frame in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnedFrame {
    /// Completed steps.
    pub step: u64,
    /// Time since the start of the run (ps).
    pub time: f64,
    /// Periodic cell.
    pub cell: Cell,
    /// \[n_atoms\] wrapped positions (nm).
    pub positions: Vec<Vec3>,
    /// \[n_atoms\] box crossings.
    pub images: Vec<[i32; 3]>,
    /// \[n_atoms\] sum of own moves without the barostat's scaling (nm).
    pub displacements: Vec<Vec3>,
    /// \[n_atoms\] velocities (nm/ps), where stored.
    pub velocities: Option<Vec<Vec3>>,
    /// \[n_atoms\] forces (kJ/mol/nm), where stored.
    pub forces: Option<Vec<Vec3>>,
    /// Values of the trajectory's observables, in the order of [`TrajectoryReader::observables`].
    pub observables: Vec<f64>,
}

impl OwnedFrame {
    /// The frame as analyses see it.
    pub fn as_frame<'a>(&'a self, topology: &'a Topology) -> Frame<'a> {
        Frame {
            step: self.step,
            time: self.time,
            topology,
            cell: &self.cell,
            positions: &self.positions,
            images: &self.images,
            displacements: &self.displacements,
            velocities: self.velocities.as_deref(),
            forces: self.forces.as_deref(),
        }
    }
}

/// A stored trajectory. Frames that a resumed run superseded, and a torn end of a part whose writer was killed,
/// are left out.
pub struct TrajectoryReader {
    topology: Topology,
    observables: Vec<String>,
    parts: Vec<Part>,
    /// (part, entry, step, time) of each frame.
    frames: Vec<(usize, usize, u64, f64)>,
    unreadable: usize,
    superseded: usize,
}

struct Part {
    number: u32,
    path: PathBuf,
    file: File,
    columns: Columns,
    closed_cleanly: bool,
}

/// What [`super::TrajectoryWriter::resume`] has to know of the last part.
pub(super) struct LastPart {
    pub(super) number: u32,
    pub(super) path: PathBuf,
    pub(super) can_be_continued: bool,
    /// Not the first part, and none of its frames counts.
    pub(super) is_superfluous: bool,
    pub(super) last_step: Option<u64>,
}

impl TrajectoryReader {
    /// Opens the trajectory of a run directory, or the one whose first part is the file `path`.
    ///
    /// # Errors
    /// [`IoError::Refused`] (missing, being written), [`IoError::Version`], [`IoError::NotThat`] (not by amelo),
    /// [`IoError::Damaged`].
    pub fn open(path: &Path) -> Result<Self, IoError> {
        let first = if path.is_dir() { path.join(FILE_NAME) } else { path.into() };
        let mut reader = TrajectoryReader {
            topology: Topology::default(),
            observables: Vec::new(),
            parts: Vec::new(),
            frames: Vec::new(),
            unreadable: 0,
            superseded: 0,
        };
        let paths = parts(&first);
        if paths.is_empty() {
            let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
            return Err(IoError::from_os("read", &first, &missing));
        }
        for (number, path) in paths {
            reader.add_part(number, path)?;
        }
        Ok(reader)
    }

    /// Number of frames.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether there is no frame.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// What never changes.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// Names of the scalars that every frame carries.
    pub fn observables(&self) -> &[String] {
        &self.observables
    }

    /// Step of each frame, ascending.
    pub fn steps(&self) -> Vec<u64> {
        self.frames.iter().map(|f| f.2).collect()
    }

    /// Time of each frame (ps).
    pub fn times(&self) -> Vec<f64> {
        self.frames.iter().map(|f| f.3).collect()
    }

    /// Files that the trajectory consists of.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.parts.iter().map(|p| p.path.as_path())
    }

    /// Torn frames at the end of parts whose writer was killed. They are not counted in [`TrajectoryReader::len`].
    pub fn unreadable(&self) -> usize {
        self.unreadable
    }

    /// Frames that a resumed run wrote again. They are not counted in [`TrajectoryReader::len`].
    pub fn superseded(&self) -> usize {
        self.superseded
    }

    /// Whether the last part was closed cleanly: false while a run is under way and after a crash.
    pub fn closed_cleanly(&self) -> bool {
        self.parts.last().is_some_and(|p| p.closed_cleanly)
    }

    /// The text `name` of `/parameters/texts`, for example the deck.
    pub fn parameter(&self, name: &str) -> Option<String> {
        h5::text(&self.parts.first()?.file.group("parameters/texts").ok()?, name).ok()
    }

    /// Reads frame `k` and verifies its checksum.
    ///
    /// # Errors
    /// [`IoError::Damaged`] where the frame is not what was written.
    ///
    /// # Panics
    /// Where there is no frame `k`.
    pub fn frame(&self, k: usize) -> Result<OwnedFrame, IoError> {
        let (part, entry, step, _) = self.frames[k];
        let part = &self.parts[part];
        part.read(entry, self.topology.n_atoms()).map_err(|found| IoError::Damaged {
            path: part.path.clone(),
            found: format!("frame {entry} (step {step}): {found}"),
            remedy: "run the part of the simulation again, or cut the trajectory before this frame",
        })
    }

    /// Every frame in order.
    pub fn iter(&self) -> impl Iterator<Item = Result<OwnedFrame, IoError>> {
        (0..self.len()).map(|k| self.frame(k))
    }

    pub(super) fn last_part(&self, step: u64, settings: &TrajectorySettings) -> LastPart {
        let index = self.parts.len() - 1;
        let part = &self.parts[index];
        let same = part.columns.has_velocities() == settings.velocities
            && part.columns.has_forces() == settings.forces
            && self.observables.iter().eq(settings.observables.iter().map(|o| &o.name));
        let counts = |frame: &&(usize, usize, u64, f64)| frame.2 <= step;
        LastPart {
            number: part.number,
            path: part.path.clone(),
            can_be_continued: part.closed_cleanly && same && self.frames.last().is_none_or(|f| f.2 <= step),
            is_superfluous: index > 0 && !self.frames.iter().filter(counts).any(|f| f.0 == index),
            last_step: self.frames.iter().rfind(counts).map(|f| f.2),
        }
    }

    fn add_part(&mut self, number: u32, path: PathBuf) -> Result<(), IoError> {
        let file = h5::open(&path)?;
        let Ok(parameters) = file.group("parameters") else {
            let found = "it has no /parameters".into();
            return Err(IoError::NotThat { path, expected: "a trajectory written by amelo", found });
        };
        let Ok(version) = parameters.attr("amelo_trajectory_version").and_then(|a| a.read_scalar::<u32>()) else {
            let found = "/parameters has no attribute amelo_trajectory_version".into();
            return Err(IoError::NotThat { path, expected: "a trajectory written by amelo", found });
        };
        if version > VERSION {
            return Err(IoError::Version { path, what: "trajectory", found: version, known: VERSION });
        }
        let damaged = |e: hdf5::Error| IoError::from_hdf5("read", &path, &e);
        let contents = || -> H5Result<_> {
            let topology: Topology = serde_json::from_slice(&parameters.dataset("topology")?.read_raw::<u8>()?)
                .map_err(|e| format!("topology: {e}"))?;
            let names: Vec<String> = serde_json::from_str(&h5::text(&parameters, "observables")?)
                .map_err(|e| format!("list of observables: {e}"))?;
            let columns = Columns::open(&file, &names)?;
            let closed_cleanly = parameters.attr("closed_cleanly")?.read_scalar::<u8>()? == 1;
            let resumed_from = match parameters.attr("resumed_from_step") {
                Ok(attribute) => Some(attribute.read_scalar::<u64>()?),
                Err(_) => None,
            };
            let (length, even) = columns.len()?;
            let n_atoms = columns.n_atoms()?;
            Ok((topology, names, columns, closed_cleanly, resumed_from, length, even, n_atoms))
        };
        let (topology, names, columns, closed_cleanly, resumed_from, length, even, n_atoms) =
            contents().map_err(damaged)?;
        let unfit = |found: &str| IoError::Damaged {
            path: path.clone(),
            found: found.into(),
            remedy: "use an undamaged copy, or run again",
        };
        if n_atoms != topology.n_atoms() {
            return Err(unfit("its frames and its topology have different numbers of atoms"));
        }
        if self.parts.is_empty() {
            self.topology = topology;
            self.observables = names;
        } else if topology.n_atoms() != self.topology.n_atoms() || names != self.observables {
            return Err(unfit("it is not of the same run as the parts before it"));
        }
        drop(parameters);
        let part = Part { number, path: path.clone(), file, columns, closed_cleanly };
        let mut instants = part.columns.instants(length);
        if closed_cleanly {
            if !even || instants.len() != length {
                return Err(unfit("it was closed cleanly, but its datasets have different lengths"));
            }
        } else {
            // What was flushed last may be torn. Frames before the last sound one were flushed earlier.
            while instants.last().is_some_and(|_| part.read(instants.len() - 1, n_atoms).is_err()) {
                instants.pop();
            }
            self.unreadable += length - instants.len();
        }
        if let Some(step) = resumed_from {
            let before = self.frames.len();
            self.frames.retain(|frame| frame.2 <= step);
            self.superseded += before - self.frames.len();
        }
        let index = self.parts.len();
        for (entry, (step, time)) in instants.into_iter().enumerate() {
            if self.frames.last().is_some_and(|frame| frame.2 >= step) {
                return Err(unfit(&format!("frame {entry} is of step {step}, which is not after the one before it")));
            }
            self.frames.push((index, entry, step, time));
        }
        self.parts.push(part);
        Ok(())
    }
}

impl Part {
    /// Entry `k`, verified; the error says what is wrong with it.
    fn read(&self, k: usize, n_atoms: usize) -> Result<OwnedFrame, String> {
        let (frame, digest) = self.columns.read(k).map_err(|e| e.to_string())?;
        let lengths = [frame.positions.len(), frame.images.len(), frame.displacements.len()];
        if lengths != [n_atoms; 3] {
            return Err(format!("{lengths:?} entries for {n_atoms} atoms"));
        }
        // The digest needs no topology.
        let nothing = Topology::default();
        if hash::of_frame(&frame.as_frame(&nothing), &frame.observables) == digest {
            Ok(frame)
        } else {
            Err("its SHA-256 is not the one that was stored with it".into())
        }
    }
}
