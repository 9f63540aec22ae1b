//! What a run writes while it goes on: rows of the log, frames of the trajectory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use amelo_core::units::BAR_PER_PRESSURE;
use amelo_core::{Forces, System, Topology};
use amelo_dynamics::Observables;
use amelo_io::Snapshot;
use amelo_io::h5md::{Observable, OwnedFrame, TrajectorySettings, TrajectoryWriter};
use amelo_io::log::LogWriter;

use crate::error::RunnerError;
use crate::plan::{StagePlan, TrajectoryPlan};
use crate::writer::{Files, Writer};

/// Energy terms that every log has, in this order; those of the energy JSON.
pub const ENERGY_TERMS: [&str; 11] = [
    "bond",
    "angle",
    "dihedral",
    "improper",
    "vdw",
    "vdw_14",
    "dispersion_correction",
    "coulomb_real",
    "coulomb_14",
    "coulomb_reciprocal",
    "slab_correction",
];

/// Energy terms that a log has too where a stage can have them.
const CONDITION_TERMS: [&str; 2] = ["position_restraint", "electric_field"];

/// The log, the trajectory and the checkpoints of a run. They are written in the order of the calls, on another thread:
/// each call returns before, and may tell the error of one before it.
pub struct Outputs {
    writer: Writer,
    terms: Vec<&'static str>,
    trajectory: Option<Frames>,
}

/// What frames hold beyond positions, and how many there are with those that still wait.
struct Frames {
    velocities: bool,
    forces: bool,
    count: u64,
}

/// How the files are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// Nothing was recorded yet: old records are removed.
    Anew,
    /// Records up to this step stay.
    After {
        /// Step of the checkpoint.
        step: u64,
        /// Frames that were there.
        frames: u64,
    },
}

impl Outputs {
    /// Opens what the stages ask for.
    pub fn open(
        directory: &Path,
        plans: &[StagePlan],
        topology: &Arc<Topology>,
        parameters: BTreeMap<String, String>,
        how: Open,
    ) -> Result<Self, RunnerError> {
        let conditions = plans.iter().map(|p| &p.conditions);
        let wanted = [
            conditions.clone().any(|c| !c.tethered.is_empty()),
            conditions.clone().any(|c| c.electric_field.is_some()),
        ];
        let extra = CONDITION_TERMS.into_iter().zip(wanted).filter_map(|(name, wanted)| wanted.then_some(name));
        let terms: Vec<&'static str> = ENERGY_TERMS.into_iter().chain(extra).collect();
        let log = match how {
            Open::Anew => {
                remove_if_there(&directory.join(amelo_io::log::FILE_NAME))?;
                LogWriter::create(directory, &columns(&terms))?
            }
            Open::After { step, .. } => LogWriter::resume(directory, &columns(&terms), step)?,
        };
        let wishes: Vec<TrajectoryPlan> = plans.iter().filter_map(|p| p.trajectory).collect();
        let settings = TrajectorySettings {
            velocities: wishes.iter().any(|t| t.velocities),
            forces: wishes.iter().any(|t| t.forces),
            observables: observables(),
            expected_frames: Some(
                1 + plans.iter().filter_map(|p| p.trajectory.map(|t| p.n_steps() / t.every)).sum::<u64>(),
            ),
            author: String::new(),
            program_version: crate::provenance::VERSION.into(),
            parameters,
        };
        let (velocities, forces) = (settings.velocities, settings.forces);
        if how == Open::Anew {
            amelo_io::h5md::remove(directory)?;
        }
        let trajectory = match how {
            _ if wishes.is_empty() => None,
            // Frames that the checkpoint counts and that are not there are an error, never a trajectory begun anew.
            Open::After { step, frames } => {
                Some(TrajectoryWriter::resume(directory, topology, settings, step, frames)?)
            }
            Open::Anew => Some(TrajectoryWriter::create(directory, topology, settings)?),
        };
        let frames = trajectory.as_ref().map(|t| Frames { velocities, forces, count: t.frames() });
        Ok(Outputs { writer: Writer::new(Files { log, trajectory })?, terms, trajectory: frames })
    }

    /// One row of the log.
    pub fn log(
        &mut self,
        stage: usize,
        system: &System,
        now: &Observables,
        forces: &Forces,
    ) -> Result<(), RunnerError> {
        let p = now.pressure * BAR_PER_PRESSURE;
        let h = system.cell.vectors();
        let total = now.potential + now.kinetic;
        let mut row = vec![
            stage as f64,
            system.time,
            now.potential,
            now.kinetic,
            now.kinetic_full,
            total,
            now.conserved,
            now.temperature,
            now.temperature_full,
            p.trace() / 3.0,
            p[(0, 0)],
            p[(1, 1)],
            p[(2, 2)],
            0.5 * (p[(0, 1)] + p[(1, 0)]),
            0.5 * (p[(0, 2)] + p[(2, 0)]),
            0.5 * (p[(1, 2)] + p[(2, 1)]),
            h[(0, 0)],
            h[(1, 0)],
            h[(1, 1)],
            h[(2, 0)],
            h[(2, 1)],
            h[(2, 2)],
            system.cell.volume(),
            system.density(),
        ];
        row.extend(self.terms.iter().map(|name| now.energies.get(name)));
        row.push(forces.events.iter().filter(|(name, _)| *name == "guard").map(|(_, n)| *n as f64).sum());
        let step = system.step;
        self.writer.order(move |files| Ok(files.log.append(step, &row)?))
    }

    /// One frame of the trajectory.
    pub fn frame(&mut self, system: &System, now: &Observables, forces: &Forces) -> Result<(), RunnerError> {
        let Some(frames) = &mut self.trajectory else { return Ok(()) };
        let observables = vec![
            now.potential,
            now.kinetic,
            now.temperature,
            now.pressure.trace() / 3.0 * BAR_PER_PRESSURE,
            system.cell.volume(),
            system.density(),
        ];
        let frame = OwnedFrame {
            step: system.step,
            time: system.time,
            cell: system.cell,
            positions: system.positions.clone(),
            images: system.images.clone(),
            displacements: system.displacements.clone(),
            velocities: frames.velocities.then(|| system.velocities.clone()),
            forces: frames.forces.then(|| forces.on.clone()),
            observables,
        };
        frames.count += 1;
        let topology = Arc::clone(&system.topology);
        self.writer.order(move |files| files.append(&frame, &topology))
    }

    /// Frames of the trajectory so far; `before` where there is no trajectory.
    pub fn frames(&self, before: u64) -> u64 {
        self.trajectory.as_ref().map_or(before, |frames| frames.count)
    }

    /// Everything recorded so far onto the disk.
    pub fn flush(&mut self) -> Result<(), RunnerError> {
        self.writer.order(Files::flush)
    }

    /// A checkpoint at `path`, once everything recorded so far is on the disk.
    pub fn checkpoint(&mut self, snapshot: Snapshot, path: PathBuf) -> Result<(), RunnerError> {
        self.writer.order(move |files| {
            files.flush()?;
            Ok(snapshot.write_atomic(&path)?)
        })
    }

    /// Waits until all of this is done.
    pub fn wait(&mut self) -> Result<(), RunnerError> {
        self.writer.wait()
    }

    /// Waits, and closes the files cleanly.
    pub fn close(self) -> Result<(), RunnerError> {
        self.writer.close()
    }
}

fn remove_if_there(path: &Path) -> Result<(), RunnerError> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(RunnerError::file(path, "remove", &e)),
        _ => Ok(()),
    }
}

fn columns(terms: &[&'static str]) -> Vec<String> {
    let fixed = [
        "stage",
        "time [ps]",
        "potential_energy [kJ/mol]",
        "kinetic_energy [kJ/mol]",
        "kinetic_energy_full_step [kJ/mol]",
        "total_energy [kJ/mol]",
        "conserved_quantity [kJ/mol]",
        "temperature [K]",
        "temperature_full_step [K]",
        "pressure [bar]",
        "pressure_xx [bar]",
        "pressure_yy [bar]",
        "pressure_zz [bar]",
        "pressure_xy [bar]",
        "pressure_xz [bar]",
        "pressure_yz [bar]",
        "box_ax [nm]",
        "box_bx [nm]",
        "box_by [nm]",
        "box_cx [nm]",
        "box_cy [nm]",
        "box_cz [nm]",
        "volume [nm^3]",
        "density [g/cm^3]",
    ];
    let fixed = fixed.into_iter().map(String::from);
    let terms = terms.iter().map(|name| format!("{name} [kJ/mol]"));
    fixed.chain(terms).chain(["guard_entries".to_string()]).collect()
}

fn observables() -> Vec<Observable> {
    vec![
        Observable::new("potential_energy", "kJ mol-1"),
        Observable::new("kinetic_energy", "kJ mol-1"),
        Observable::new("temperature", "K"),
        Observable::new("pressure", "bar"),
        Observable::new("volume", "nm+3"),
        Observable::new("density", "g cm-3"),
    ]
}
