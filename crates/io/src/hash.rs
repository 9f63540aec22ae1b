//! What "bitwise equal" means: SHA-256 over numbers as they are, little-endian, free of names, paths and times.

use std::path::Path;

use amelo_core::{Cell, Frame, StateValue};
use amelo_math::Vec3;
use sha2::{Digest, Sha256};

use crate::h5md::{self, TrajectoryReader};
use crate::{IoError, Snapshot, hex, log};

/// Name of the checkpoint in a run directory.
pub const CHECKPOINT: &str = "checkpoint.h5";

/// SHA-256 of one frame with its observables.
pub(crate) fn of_frame(frame: &Frame, observables: &[f64]) -> [u8; 32] {
    let mut sum = Sha256::new();
    sum.update(frame.step.to_le_bytes());
    sum.update(frame.time.to_le_bytes());
    add_cell(&mut sum, frame.cell);
    add_vectors(&mut sum, frame.positions);
    add_images(&mut sum, frame.images);
    add_vectors(&mut sum, frame.displacements);
    for optional in [frame.velocities, frame.forces].into_iter() {
        sum.update([u8::from(optional.is_some())]);
        add_vectors(&mut sum, optional.unwrap_or_default());
    }
    add_numbers(&mut sum, observables);
    sum.finalize().into()
}

/// SHA-256 (hexadecimal) over every frame of a run, every value of its log and its dynamic state: the same for any
/// number of threads, any interruption followed by `--resume`, any cut into part files. Files that the run does
/// not have count as empty.
///
/// # Errors
/// Any [`IoError`] of reading the files.
pub fn hash_run(directory: &Path) -> Result<String, IoError> {
    if !directory.is_dir() {
        return Err(IoError::NotThat {
            path: directory.into(),
            expected: "a run directory",
            found: if directory.exists() { "it is a file" } else { "there is nothing of that name" }.into(),
        });
    }
    let mut sum = Sha256::new();
    sum.update(b"frames");
    if directory.join(h5md::FILE_NAME).exists() {
        let trajectory = TrajectoryReader::open(directory)?;
        for k in 0..trajectory.len() {
            let frame = trajectory.frame(k)?;
            sum.update(of_frame(&frame.as_frame(trajectory.topology()), &frame.observables));
        }
    }
    sum.update(b"log");
    let path = directory.join(log::FILE_NAME);
    if path.exists() {
        let table = log::read_log(&path)?;
        for column in &table.columns {
            sum.update(column.as_bytes());
            sum.update(b"\n");
        }
        for row in &table.rows {
            add_numbers(&mut sum, row);
        }
    }
    sum.update(b"state");
    let path = directory.join(CHECKPOINT);
    if path.exists() {
        let Snapshot { system, state, .. } = Snapshot::read(&path)?;
        sum.update(system.step.to_le_bytes());
        sum.update(system.time.to_le_bytes());
        add_cell(&mut sum, &system.cell);
        add_vectors(&mut sum, &system.positions);
        add_images(&mut sum, &system.images);
        add_vectors(&mut sum, &system.displacements);
        add_vectors(&mut sum, &system.velocities);
        for (name, value) in &state.values {
            sum.update(name.as_bytes());
            match value {
                StateValue::F64(v) => add_numbers(&mut sum, v),
                StateValue::U64(v) => {
                    sum.update((v.len() as u64).to_le_bytes());
                    v.iter().for_each(|x| sum.update(x.to_le_bytes()));
                }
            }
        }
    }
    Ok(hex(&sum.finalize()))
}

fn add_cell(sum: &mut Sha256, cell: &Cell) {
    add_vectors(sum, &cell.vectors().rows);
}

// Counts go in before values, so that no two different inputs give the same bytes.
fn add_numbers(sum: &mut Sha256, values: &[f64]) {
    sum.update((values.len() as u64).to_le_bytes());
    values.iter().for_each(|v| sum.update(v.to_le_bytes()));
}

fn add_vectors(sum: &mut Sha256, values: &[Vec3]) {
    sum.update((values.len() as u64).to_le_bytes());
    values.iter().for_each(|v| v.to_array().iter().for_each(|x| sum.update(x.to_le_bytes())));
}

fn add_images(sum: &mut Sha256, values: &[[i32; 3]]) {
    sum.update((values.len() as u64).to_le_bytes());
    values.iter().for_each(|v| v.iter().for_each(|x| sum.update(x.to_le_bytes())));
}
