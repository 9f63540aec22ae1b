//! Writes trajectories: frame by frame, flushed when the caller says so.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use amelo_core::{Frame, Topology};
use hdf5::types::FixedAscii;
use hdf5::{File, ObjectReference1};

use super::columns::{Columns, PARTICLES, SCALARS_PER_CHUNK};
use super::{FILE_NAME, TrajectoryReader, TrajectorySettings, VERSION, part_path};
use crate::files::{Identity, replace, temporary_name};
use crate::h5::{self, H5Result};
use crate::{IoError, hash};

/// Bytes of one chunk of per-atom data; half of HDF5's chunk cache, so that a chunk in work stays in it.
const CHUNK_BYTES: usize = 512 * 1024;

/// Most chunks of one dataset in one part: keeps an index below 1.5 MB. Then a new part begins.
const MOST_CHUNKS: u64 = 32_768;

/// Writes a trajectory into a run directory.
pub struct TrajectoryWriter {
    first: PathBuf,
    topology: Arc<Topology>,
    settings: TrajectorySettings,
    open: Option<OpenPart>,
    number: u32,
    /// Frames of the whole trajectory that count.
    frames: u64,
    last_step: Option<u64>,
}

/// The part that grows.
struct OpenPart {
    path: PathBuf,
    file: File,
    columns: Columns,
    identity: Identity,
    frames: usize,
    capacity: usize,
}

impl TrajectoryWriter {
    /// Starts the trajectory of a new run in `directory`.
    ///
    /// # Errors
    /// [`IoError::Exists`] where there is a trajectory; [`IoError::Refused`] where the system refuses.
    pub fn create(directory: &Path, topology: &Arc<Topology>, settings: TrajectorySettings) -> Result<Self, IoError> {
        let first = directory.join(FILE_NAME);
        if first.exists() {
            return Err(IoError::Exists { path: first });
        }
        let mut writer = TrajectoryWriter {
            first,
            topology: Arc::clone(topology),
            settings,
            open: None,
            number: 0,
            frames: 0,
            last_step: None,
        };
        writer.check_settings()?;
        writer.begin_part(None)?;
        Ok(writer)
    }

    /// Goes on with the trajectory in `directory` after a restart at `step`, when `expected` frames (see
    /// [`TrajectoryWriter::frames`]) had been written. A last part that was closed cleanly and has no frame beyond
    /// `step` is continued; else a new part begins and frames beyond `step` no longer count.
    ///
    /// # Errors
    /// [`IoError::MissingFrames`] where not all the `expected` frames are readable; else as
    /// [`TrajectoryWriter::create`] and [`TrajectoryReader::open`].
    pub fn resume(
        directory: &Path,
        topology: &Arc<Topology>,
        settings: TrajectorySettings,
        step: u64,
        expected: u64,
    ) -> Result<Self, IoError> {
        let first = directory.join(FILE_NAME);
        if !first.exists() && expected == 0 {
            return TrajectoryWriter::create(directory, topology, settings);
        }
        let (found, last) = if first.exists() {
            let reader = TrajectoryReader::open(&first)?;
            if reader.topology().n_atoms() != topology.n_atoms() {
                let found = format!("{} atoms; it holds frames of {}", topology.n_atoms(), reader.topology().n_atoms());
                return Err(IoError::Mismatch { path: first, found });
            }
            (reader.steps().iter().filter(|&&s| s <= step).count() as u64, Some(reader.last_part(step, &settings)))
        } else {
            (0, None)
        };
        let Some(last) = last.filter(|_| found == expected) else {
            return Err(IoError::MissingFrames { path: directory.into(), step, found, expected });
        };
        let mut writer = TrajectoryWriter {
            first,
            topology: Arc::clone(topology),
            settings,
            open: None,
            number: last.number,
            frames: expected,
            last_step: last.last_step,
        };
        writer.check_settings()?;
        if last.can_be_continued {
            writer.continue_part()?;
        } else {
            if last.is_superfluous {
                fs::remove_file(&last.path).map_err(|e| IoError::from_os("remove", &last.path, &e))?;
                writer.number -= 1;
            }
            writer.begin_part(Some(step))?;
        }
        Ok(writer)
    }

    /// Frames of the trajectory up to now, over all parts and without superseded ones: what a checkpoint has to
    /// remember for [`TrajectoryWriter::resume`].
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Appends a frame with the values of the settings' observables. It is safe from a kill after the next
    /// [`TrajectoryWriter::flush`].
    ///
    /// # Errors
    /// [`IoError::Refused`] (full disk): the writer then takes no more frames, the flushed ones stay readable.
    /// [`IoError::Mismatch`] where `frame` has not what the settings promise.
    pub fn append(&mut self, frame: &Frame, observables: &[f64]) -> Result<(), IoError> {
        self.check_frame(frame, observables)?;
        if self.part()?.frames >= self.part()?.capacity {
            self.finish_part()?;
            self.begin_part(self.last_step)?;
        }
        // Only what the settings ask for is stored, and so only that is in the digest.
        let stored = Frame {
            velocities: frame.velocities.filter(|_| self.settings.velocities),
            forces: frame.forces.filter(|_| self.settings.forces),
            ..*frame
        };
        let digest = hash::of_frame(&stored, observables);
        let part = self.part()?;
        let written = part.columns.append(part.frames, &stored, observables, digest);
        part.frames += 1;
        self.settle(written)?;
        self.frames += 1;
        self.last_step = Some(frame.step);
        Ok(())
    }

    /// Hands every frame to the system: after this a killed process loses none of them. To be called every ten
    /// seconds or so, on signals, and before each checkpoint.
    ///
    /// # Errors
    /// [`IoError::Refused`] (full disk), [`IoError::Vanished`] (the file or its directory was removed).
    pub fn flush(&mut self) -> Result<(), IoError> {
        let part = self.part()?;
        let flushed = part.file.flush();
        let there = part.identity.check();
        self.settle(flushed)?;
        there
    }

    /// Writes everything, marks the file as closed cleanly and closes it.
    ///
    /// # Errors
    /// As [`TrajectoryWriter::flush`].
    pub fn close(mut self) -> Result<(), IoError> {
        self.finish_part()
    }

    fn part(&mut self) -> Result<&mut OpenPart, IoError> {
        self.open.as_mut().ok_or_else(|| IoError::Mismatch {
            path: self.first.clone(),
            found: "another frame after a write that failed".into(),
        })
    }

    /// After a failed write the state of the HDF5 library is unknown: the part is dropped and never written again.
    fn settle<T>(&mut self, result: H5Result<T>) -> Result<T, IoError> {
        result.map_err(|error| match self.open.take() {
            Some(part) => match part.identity.check() {
                Err(vanished) => vanished,
                Ok(()) => IoError::from_hdf5("write", &part.path, &error),
            },
            None => IoError::from_hdf5("write", &self.first, &error),
        })
    }

    fn finish_part(&mut self) -> Result<(), IoError> {
        self.flush()?;
        let part = self.part()?;
        // The mark goes to disk after everything that it vouches for.
        let marked = mark(&part.file, true);
        self.settle(marked)?;
        if let Some(OpenPart { path, file, columns, .. }) = self.open.take() {
            drop(columns);
            file.close().map_err(|e| IoError::from_hdf5("write", &path, &e))?;
            fs::File::open(&path).and_then(|f| f.sync_all()).map_err(|e| IoError::from_os("write", &path, &e))?;
        }
        Ok(())
    }

    fn begin_part(&mut self, resumed_from: Option<u64>) -> Result<(), IoError> {
        let number = self.number + 1;
        let path = part_path(&self.first, number);
        let temporary = temporary_name(&path);
        // HDF5's own report of a directory that is not there names no reason.
        fs::File::create(&temporary).map_err(|e| IoError::from_os("write", &path, &e))?;
        let made = self.make_part(&temporary, number, resumed_from).and_then(|()| {
            let file = fs::File::open(&temporary).and_then(|f| f.sync_all());
            file.map_err(|e| IoError::from_os("write", &path, &e))
        });
        if made.is_err() {
            let _ = fs::remove_file(&temporary);
            return made;
        }
        replace(&temporary, &path, None)?;
        self.number = number;
        self.continue_part()
    }

    /// Opens the last part to add frames.
    fn continue_part(&mut self) -> Result<(), IoError> {
        let path = part_path(&self.first, self.number);
        let file = h5::open_for_append(&path)?;
        let names: Vec<String> = self.settings.observables.iter().map(|o| o.name.clone()).collect();
        let ready = || -> H5Result<(Columns, usize, usize)> {
            // On disk before the first frame: from now on the file counts as unclean.
            mark(&file, false)?;
            file.flush()?;
            let columns = Columns::open(&file, &names)?;
            let capacity = file.group("parameters")?.attr("frame_capacity")?.read_scalar::<u64>()?;
            let frames = columns.len()?.0;
            Ok((columns, frames, capacity as usize))
        };
        let (columns, frames, capacity) = ready().map_err(|e| IoError::from_hdf5("write", &path, &e))?;
        let identity = Identity::of(&path)?;
        self.open = Some(OpenPart { path, file, columns, identity, frames, capacity });
        Ok(())
    }

    /// Writes a complete part without frames.
    fn make_part(&self, path: &Path, number: u32, resumed_from: Option<u64>) -> Result<(), IoError> {
        let n = self.topology.n_atoms();
        let expected = self.settings.expected_frames.map(|e| e.saturating_sub(self.frames).max(1));
        let fitting = (CHUNK_BYTES / (24 * n.max(1))).clamp(1, SCALARS_PER_CHUNK);
        let per_chunk = fitting.min(expected.unwrap_or(u64::MAX).min(1024) as usize);
        let chunks = expected.map_or(4096, |e| e.div_ceil(per_chunk as u64) + 64).min(MOST_CHUNKS);
        let topology = serde_json::to_string(&*self.topology)
            .map_err(|e| IoError::Mismatch { path: path.into(), found: format!("topology: {e}") })?;
        let file = h5::create(path, chunks as u32, 0)?;
        (|| -> H5Result<()> {
            self.put_metadata(&file)?;
            let parameters = file.create_group("parameters")?;
            h5::put_attribute(&parameters, "amelo_trajectory_version", VERSION)?;
            h5::put_attribute(&parameters, "part", number)?;
            h5::put_attribute(&parameters, "closed_cleanly", 0_u8)?;
            h5::put_attribute(&parameters, "frame_capacity", chunks * per_chunk as u64)?;
            if let Some(step) = resumed_from {
                h5::put_attribute(&parameters, "resumed_from_step", step)?;
            }
            h5::put_array(&parameters, "topology", topology.as_bytes())?;
            let names: Vec<&str> = self.settings.observables.iter().map(|o| o.name.as_str()).collect();
            h5::put_text(&parameters, "observables", &serde_json::json!(names).to_string())?;
            let texts = parameters.create_group("texts")?;
            for (name, text) in &self.settings.parameters {
                h5::put_text(&texts, name, text)?;
            }
            self.put_particles(&file)?;
            Columns::create(&file, n, per_chunk, &self.settings)?;
            drop((parameters, texts));
            mark(&file, true)?;
            file.flush()?;
            file.close()
        })()
        .map_err(|e| IoError::from_hdf5("write", path, &e))
    }

    fn put_metadata(&self, file: &File) -> H5Result<()> {
        let h5md = file.create_group("h5md")?;
        h5md.new_attr_builder().with_data(&[1_i32, 1]).create("version")?;
        let author = if self.settings.author.is_empty() { "unknown" } else { &self.settings.author };
        let group = h5md.create_group("author")?;
        h5::put_name(&group, "name", author)?;
        let creator = h5md.create_group("creator")?;
        h5::put_name(&creator, "name", "amelo")?;
        h5::put_name(&creator, "version", &self.settings.program_version)?;
        let units = h5md.create_group("modules/units")?;
        units.new_attr_builder().with_data(&[1_i32, 0]).create("version")?;
        h5::put_name(&units, "system", "SI")
    }

    fn put_particles(&self, file: &File) -> H5Result<()> {
        let topology = &self.topology;
        let particles = file.create_group(PARTICLES)?;
        let cell = particles.create_group("box")?;
        h5::put_attribute(&cell, "dimension", 3_i32)?;
        let periodic: [FixedAscii<64>; 3] = std::array::from_fn(|_| h5::fixed("periodic"));
        cell.new_attr_builder().with_data(&periodic).create("boundary")?;
        let species: Vec<i32> = topology.type_of.iter().map(|&t| t as i32).collect();
        h5::put_array(&particles, "species", &species)?;
        let id: Vec<i32> = (0..topology.n_atoms() as i32).collect();
        h5::put_array(&particles, "id", &id)?;
        let mass = h5::put_array(&particles, "mass", &topology.masses)?;
        h5::put_unit(&mass, "u")?;
        let charge = h5::put_array(&particles, "charge", &topology.charges)?;
        h5::put_unit(&charge, "e")?;
        h5::put_name(&charge, "type", "effective")?;
        let connectivity = file.create_group("connectivity")?;
        if !topology.bonds.is_empty() {
            let bonds: Vec<[i32; 2]> = topology.bonds.iter().map(|b| b.map(|atom| atom as i32)).collect();
            let bonds = h5::put_rows(&connectivity, "bonds", &bonds)?;
            let group: ObjectReference1 = file.reference(PARTICLES)?;
            bonds.new_attr::<ObjectReference1>().create("particles_group")?.write_scalar(&group)?;
        }
        Ok(())
    }

    fn check_settings(&self) -> Result<(), IoError> {
        let bad = |found: String| Err(IoError::Mismatch { path: self.first.clone(), found });
        if self.topology.n_atoms() == 0 {
            return bad("a system without atoms".into());
        }
        for (k, observable) in self.settings.observables.iter().enumerate() {
            let name = &observable.name;
            if name.is_empty() || name.contains(['/', '.', '\0']) {
                return bad(format!("observable name {name:?}"));
            }
            if self.settings.observables[..k].iter().any(|o| o.name == *name) {
                return bad(format!("two observables named {name}"));
            }
        }
        match self.settings.parameters.keys().find(|k| k.is_empty() || k.contains(['/', '\0']) || *k == ".") {
            Some(name) => bad(format!("parameter name {name:?}")),
            None => Ok(()),
        }
    }

    fn check_frame(&self, frame: &Frame, observables: &[f64]) -> Result<(), IoError> {
        let n = self.topology.n_atoms();
        let bad = |found: String| Err(IoError::Mismatch { path: self.first.clone(), found });
        let lengths = [
            ("positions", Some(frame.positions.len())),
            ("images", Some(frame.images.len())),
            ("displacements", Some(frame.displacements.len())),
            ("velocities", frame.velocities.map(<[_]>::len).filter(|_| self.settings.velocities)),
            ("forces", frame.forces.map(<[_]>::len).filter(|_| self.settings.forces)),
        ];
        for (name, length) in lengths {
            if let Some(length) = length.filter(|&l| l != n) {
                return bad(format!("{length} {name} for {n} atoms"));
            }
        }
        if self.settings.velocities && frame.velocities.is_none() {
            return bad("a frame without velocities".into());
        }
        if self.settings.forces && frame.forces.is_none() {
            return bad("a frame without forces".into());
        }
        if observables.len() != self.settings.observables.len() {
            return bad(format!("{} values for {} observables", observables.len(), self.settings.observables.len()));
        }
        match self.last_step {
            Some(last) if frame.step <= last => bad(format!("a frame of step {} after one of step {last}", frame.step)),
            _ => Ok(()),
        }
    }
}

fn mark(file: &File, clean: bool) -> H5Result<()> {
    file.group("parameters")?.attr("closed_cleanly")?.write_scalar(&u8::from(clean))
}
