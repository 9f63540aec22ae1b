//! `amelo export`: a state, or stored frames, as files of other programs.

use std::path::{Path, PathBuf};

use amelo_core::{Cell, Frame, Topology};
use amelo_forces::pair::{AnyPair, Modified};
use amelo_io::formats::model::{Exported, NoCounterpart};
use amelo_io::formats::{self, extxyz, gromacs, gromacs_export, lammps_export, xtc};
use amelo_io::pdb::PdbWriter;
use amelo_io::{IoError, OwnedFrame, TrajectoryReader, stream_atomic, write_atomic};
use amelo_math::Vec3;
use serde::Serialize;

use crate::checkpointing::{self, StoredDeck};
use crate::deck::TIMESTEP;
use crate::energy::{self, State};
use crate::error::{Problem, RunnerError};
use crate::plan::Conditions;

mod slice;

use slice::Slice;

/// What to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `conf.gro`, `topol.top`, `grompp.mdp`, `index.ndx`.
    Gromacs,
    /// `in.lmp`, `system.data`.
    Lammps,
    /// Extended XYZ.
    Extxyz,
    /// PDB, several frames as models.
    Pdb,
    /// XTC with a `.gro` beside it.
    Xtc,
}

/// How to write it.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Frames as a Python slice or a number.
    pub frames: Option<String>,
    /// Replace existing files.
    pub overwrite: bool,
    /// GROMACS: Buckingham pairs become no interaction.
    pub without_buckingham: bool,
    /// LAMMPS: no dispersion correction.
    pub without_dispersion_correction: bool,
    /// `--set` texts.
    pub sets: Vec<String>,
}

/// What was written.
#[derive(Clone, Debug, Serialize)]
pub struct ExportReport {
    /// Files, in the order in which they were written.
    pub files: Vec<PathBuf>,
    /// Atoms.
    pub n_atoms: usize,
    /// Frames.
    pub n_frames: usize,
    /// What differs in the other program, one sentence each.
    pub notes: Vec<String>,
    /// How to run it, where it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

impl ExportReport {
    /// For people.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for note in &self.notes {
            out.push_str(&format!("note: {note}\n"));
        }
        let names: Vec<String> = self.files.iter().map(|f| f.display().to_string()).collect();
        out.push_str(&format!("{} atoms, {} frames: {}\n", self.n_atoms, self.n_frames, names.join(", ")));
        if let Some(command) = &self.command {
            out.push_str(&format!("run: {command}\n"));
        }
        out
    }
}

/// Writes what `path` (run directory, trajectory, system or checkpoint file, deck) holds as `format` to `output`.
///
/// # Errors
/// Input: a slice that is none or selects nothing, an output that exists, something that the format cannot represent.
/// Files: what cannot be read or written.
pub fn export(format: Format, path: &Path, output: &Path, options: &Options) -> Result<ExportReport, RunnerError> {
    let slice = options.frames.as_deref().map(Slice::parse).transpose().map_err(RunnerError::input)?;
    match format {
        Format::Gromacs | Format::Lammps => export_input(format, path, output, slice, options),
        Format::Extxyz | Format::Pdb | Format::Xtc => export_frames(format, path, output, slice, options),
    }
}

/// Refuses to replace a file, unless that is wanted.
fn check_absent(file: &Path, options: &Options) -> Result<(), RunnerError> {
    if !file.exists() || options.overwrite {
        return Ok(());
    }
    Err(RunnerError::input(
        Problem::new(format!("{} exists already; nothing was touched", file.display()))
            .help("choose another -o, or give --overwrite"),
    ))
}

/// Frames of a trajectory, or the one state of a file.
enum Frames {
    Stored { reader: Box<TrajectoryReader>, chosen: Vec<usize>, energy: Option<usize> },
    Single { topology: std::sync::Arc<Topology>, frame: Box<OwnedFrame> },
}

impl Frames {
    /// `last_state`: without a slice the state itself, not the trajectory.
    fn of(path: &Path, slice: Option<Slice>, last_state: bool, sets: &[String]) -> Result<Self, RunnerError> {
        let is_trajectory = path.is_file() && path.extension().is_some_and(|e| e == "h5md");
        let has_trajectory = is_trajectory || path.join(amelo_io::h5md::FILE_NAME).exists();
        if has_trajectory && (slice.is_some() || is_trajectory || !last_state) {
            let reader = TrajectoryReader::open(path)?;
            let slice = slice.unwrap_or(if last_state { Slice::LAST } else { Slice::ALL });
            let chosen = slice.of(reader.len()).map_err(RunnerError::input)?;
            let energy = reader.observables().iter().position(|name| name == "potential_energy");
            return Ok(Frames::Stored { reader: Box::new(reader), chosen, energy });
        }
        let system = energy::state(path, sets)?.system;
        slice.unwrap_or(Slice::ALL).of(1).map_err(RunnerError::input)?;
        let topology = system.topology.clone();
        let moving = system.velocities.iter().any(|v| *v != Vec3::ZERO);
        let frame = OwnedFrame {
            step: system.step,
            time: system.time,
            cell: system.cell,
            positions: system.positions,
            images: system.images,
            displacements: system.displacements,
            velocities: moving.then_some(system.velocities),
            forces: None,
            observables: Vec::new(),
        };
        Ok(Frames::Single { topology, frame: Box::new(frame) })
    }

    fn len(&self) -> usize {
        match self {
            Frames::Stored { chosen, .. } => chosen.len(),
            Frames::Single { .. } => 1,
        }
    }

    fn topology(&self) -> &Topology {
        match self {
            Frames::Stored { reader, .. } => reader.topology(),
            Frames::Single { topology, .. } => topology,
        }
    }

    /// Each frame with its potential energy (kJ/mol), where stored.
    fn each(&self, mut put: impl FnMut(&Frame, Option<f64>) -> Result<(), IoError>) -> Result<(), IoError> {
        match self {
            Frames::Stored { reader, chosen, energy } => chosen.iter().try_for_each(|&k| {
                let frame = reader.frame(k)?;
                put(&frame.as_frame(reader.topology()), energy.and_then(|e| frame.observables.get(e).copied()))
            }),
            Frames::Single { topology, frame } => put(&frame.as_frame(topology), None),
        }
    }
}

fn export_frames(
    format: Format,
    path: &Path,
    output: &Path,
    slice: Option<Slice>,
    options: &Options,
) -> Result<ExportReport, RunnerError> {
    let beside = (format == Format::Xtc).then(|| output.with_extension("gro"));
    check_absent(output, options)?;
    beside.iter().try_for_each(|gro| check_absent(gro, options))?;
    let frames = Frames::of(path, slice, format == Format::Pdb, &options.sets)?;
    let topology = frames.topology();
    let mut files = vec![output.to_path_buf()];
    stream_atomic(output, |out| match format {
        Format::Pdb => {
            let mut writer = PdbWriter::new(output, out, frames.len() > 1);
            frames.each(|frame, _| writer.append(frame))?;
            writer.finish(topology)
        }
        Format::Xtc => frames.each(|frame, _| xtc::append(output, out, frame)),
        _ => frames.each(|frame, energy| extxyz::append(output, out, frame, energy)),
    })?;
    if let Some(gro) = beside {
        // Names and residues, with the first frame.
        let mut first = None;
        frames.each(|frame, _| {
            if first.is_none() {
                first = Some(gro_text(&gro, frame, GRO_DECIMALS)?);
            }
            Ok(())
        })?;
        write_atomic(&gro, first.unwrap_or_default().as_bytes())?;
        files.push(gro);
    }
    Ok(ExportReport { files, n_atoms: topology.n_atoms(), n_frames: frames.len(), notes: Vec::new(), command: None })
}

fn export_input(
    format: Format,
    path: &Path,
    output: &Path,
    slice: Option<Slice>,
    options: &Options,
) -> Result<ExportReport, RunnerError> {
    let mut state = energy::state(path, &options.sets)?;
    let mut notes = Vec::new();
    let timestep = apply_stage(&mut state, &mut notes)?;
    let frames = slice.map(|slice| Frames::of(path, Some(slice), false, &options.sets)).transpose()?;
    if let Some(frames) = &frames {
        place(&mut state, frames)?;
    }
    let topology = state.model.stage_topology(&state.conditions);
    state.system.topology = topology;
    let title = if state.title.is_empty() { "amelo".into() } else { state.title.clone() };
    let model = formats::model::Model {
        title: &title,
        system: &state.system,
        pair_table: &state.model.pair_table,
        nonbonded: &state.model.nonbonded,
        timestep,
        electric_field: state.conditions.electric_field,
    };
    let exported = match format {
        Format::Gromacs => {
            gromacs_export::export(&model, gromacs_export::Options { without_buckingham: options.without_buckingham })
        }
        _ => {
            let without =
                lammps_export::Options { without_dispersion_correction: options.without_dispersion_correction };
            lammps_export::export(&model, lammps_export::DATA, without)
        }
    };
    let Exported { files: texts, notes: more } = exported.map_err(refused)?;
    notes.extend(more);
    notes.extend(scaled_pair_note(format, &state)?);
    for tether in &state.conditions.tethered {
        notes.push(format!("the tethers of group \"{}\" are not exported", tether.group));
    }

    if output.exists() && !output.is_dir() {
        return Err(RunnerError::input(
            Problem::new(format!("{} is not a directory", output.display())).help("name a directory with -o"),
        ));
    }
    texts.iter().try_for_each(|(name, _)| check_absent(&output.join(name), options))?;
    std::fs::create_dir_all(output).map_err(|e| RunnerError::file(output, "make the directory", &e))?;
    let mut files = Vec::new();
    for (name, text) in texts {
        let file = output.join(name);
        write_atomic(&file, text.as_bytes())?;
        files.push(file);
    }
    let n_frames = frames.as_ref().map_or(1, Frames::len);
    if let Some(frames) = frames.filter(|f| f.len() > 1) {
        files.push(write_series(format, output, &frames)?);
    }
    let directory = output.display();
    let command = match format {
        Format::Gromacs => {
            format!("cd {directory} && gmx grompp -f grompp.mdp -c conf.gro -p topol.top -n index.ndx && gmx mdrun")
        }
        _ => format!("cd {directory} && lmp -in {}", lammps_export::SCRIPT),
    };
    Ok(ExportReport { files, n_atoms: state.system.n_atoms(), n_frames, notes, command: Some(command) })
}

/// Conditions and time step (ps) of the stage at which the state was stored, under what `--set` gives.
fn apply_stage(state: &mut State, notes: &mut Vec<String>) -> Result<f64, RunnerError> {
    let Some(snapshot) = &state.snapshot else { return Ok(state.timestep.unwrap_or(TIMESTEP)) };
    let Some(deck) = StoredDeck::of(&snapshot.meta)? else { return Ok(state.timestep.unwrap_or(TIMESTEP)) };
    let position = checkpointing::position(snapshot)?.map(|(position, _)| position);
    let stage = position.and_then(|p| deck.stage.get(p.stage)).cloned().unwrap_or_default().with(&state.dynamics);
    state.conditions = Conditions::of_stage(&deck.dynamics, &stage);
    if stage.nvt.is_some() || stage.npt.is_some() {
        let kind = if stage.npt.is_some() { "thermostat and barostat" } else { "thermostat" };
        notes.push(format!("stage \"{}\": no {kind} in the export, its run is NVE", stage.name));
    }
    Ok(stage.timestep.or(deck.dynamics.timestep).map_or(TIMESTEP, |t| t.0))
}

/// Puts the last of the chosen frames into the state.
fn place(state: &mut State, frames: &Frames) -> Result<(), RunnerError> {
    let Frames::Stored { reader, chosen, .. } = frames else { return Ok(()) };
    let Some(&last) = chosen.last() else { return Ok(()) };
    let frame = reader.frame(last)?;
    if frame.positions.len() != state.system.n_atoms() {
        return Err(RunnerError::Files {
            message: format!(
                "the trajectory has {} atoms, the state {}",
                frame.positions.len(),
                state.system.n_atoms()
            ),
            help: "export from a run directory whose files belong together".into(),
        });
    }
    let system = &mut state.system;
    (system.step, system.time, system.cell) = (frame.step, frame.time, frame.cell);
    (system.positions, system.images, system.displacements) = (frame.positions, frame.images, frame.displacements);
    system.velocities = frame.velocities.unwrap_or_else(|| vec![Vec3::ZERO; system.positions.len()]);
    Ok(())
}

/// Several frames beside the input, for a rerun there: `frames.gro`, `frames.lammpstrj`.
fn write_series(format: Format, output: &Path, frames: &Frames) -> Result<PathBuf, RunnerError> {
    let file = output.join(if format == Format::Gromacs { "frames.gro" } else { lammps_export::FRAMES });
    stream_atomic(&file, |out| {
        frames.each(|frame, _| {
            let text = match format {
                Format::Gromacs => gro_text(&file, frame, gromacs_export::gro::EXACT)?,
                _ => lammps_export::dump(frame),
            };
            out.write_all(text.as_bytes()).map_err(|e| IoError::from_os("write", &file, &e))
        })
    })?;
    Ok(file)
}

/// Decimals of the .gro beside an XTC: as many as its grid has.
const GRO_DECIMALS: usize = 3;

fn gro_text(path: &Path, frame: &Frame, decimals: usize) -> Result<String, IoError> {
    let title = format!("written by amelo t= {} step= {}", frame.time, frame.step);
    gromacs::gro::text(&title, frame, decimals)
        .map_err(|found| IoError::Mismatch { path: path.into(), found: format!("{found}; export extxyz") })
}

/// What the other program's energy has more than ours because LAMMPS cuts and modifies all scaled pairs, GROMACS none.
fn scaled_pair_note(format: Format, state: &State) -> Result<Option<String>, RunnerError> {
    let (topology, settings) = (&state.model.topology, &state.model.nonbonded);
    let image =
        |cell: &Cell, i: usize, j: usize| cell.minimum_image(state.system.positions[i] - state.system.positions[j]);
    let modified_there = format == Format::Lammps;
    let (mut difference, mut other_forces) = (0.0, 0);
    for pair in topology.scaled_pairs.iter().filter(|p| p.cut != modified_there) {
        let [i, j] = pair.atoms.map(|a| a as usize);
        let types = [i, j].map(|a| topology.type_of[a] as usize);
        let entry = match pair.pair_override {
            Some(k) => &topology.pair_overrides[k as usize],
            None => state.model.pair_table.get(types[0], types[1]),
        };
        let bug = |e: amelo_forces::ForcesError| RunnerError::Bug(e.to_string());
        let plain = AnyPair::new(&entry.form, &entry.parameters).map_err(bug)?;
        let modified = Modified::new(plain, settings.modifier, settings.r_cut).map_err(bug)?;
        let r2 = image(&state.system.cell, i, j).norm2();
        let (with, without) = (modified.eval(r2), plain.eval(r2));
        difference += pair.vdw * (with.energy - without.energy);
        other_forces += usize::from(pair.vdw != 0.0 && with.force_over_r != without.force_over_r);
    }
    let forces = match other_forces {
        0 => "its forces are the same".to_string(),
        n => format!("{n} of these pairs, within the switch, have other forces"),
    };
    Ok((difference != 0.0).then(|| match format {
        Format::Lammps => {
            format!("LAMMPS shifts its scaled pairs too: its energy is higher by {difference:.9} kJ/mol, {forces}")
        }
        _ => format!(
            "GROMACS does not shift its scaled pairs: its energy is higher by {:.9} kJ/mol, {forces}",
            -difference
        ),
    }))
}

fn refused(error: NoCounterpart) -> RunnerError {
    let NoCounterpart { program, what, remedy } = error;
    RunnerError::input(Problem::new(format!("{program} has no counterpart of {what}")).help(remedy))
}
