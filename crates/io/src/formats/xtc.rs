//! XTC, GROMACS' compressed trajectory: positions on a grid of 0.001 nm. The encoder is the crate `molly`.

use std::io::Write;
use std::path::Path;

use amelo_core::Frame;
use molly::XTCWriter;

use crate::IoError;
use crate::formats::registry::FormatInfo;

/// Row of `amelo list formats`.
pub const INFO: FormatInfo = FormatInfo {
    name: "xtc",
    summary: "compressed trajectory with a .gro beside it, for MDAnalysis, chemfiles, VMD, GROMACS; written",
    layout: "positions (nm) on a grid of 0.001 nm, cell and time (ps) in f32, wrapped positions",
    limits: &[
        "Positions are rounded to 0.001 nm: at most 0.0005 nm off. Up to 9 atoms are stored in f32 instead.",
        "No velocities, forces, energies, images or displacements: a mean-square displacement belongs to the H5MD file.",
        "Steps above 2 147 483 647 do not fit.",
    ],
    citation: "F. van Hoesel, xdrf library (1995); GROMACS reference manual, \"File formats\", xtc",
};

/// Grid points per nm: what GROMACS writes by default.
const PRECISION: f32 = 1000.0;

/// Largest coordinate (nm) whose grid point and the differences between any two of them fit 32 bits.
const LARGEST: f64 = 1e5;

/// Appends one frame to `out`, which becomes `path`.
///
/// # Errors
/// [`IoError::Refused`] where the system refuses; [`IoError::Mismatch`] for a step or a coordinate that the format
/// cannot hold.
pub fn append(path: &Path, out: &mut dyn Write, frame: &Frame) -> Result<(), IoError> {
    let unfit = |found: String| IoError::Mismatch { path: path.into(), found };
    if frame.step > i32::MAX as u64 {
        return Err(unfit(format!("step {} does not fit 31 bits; export extxyz", frame.step)));
    }
    if let Some(atom) = frame.positions.iter().position(|r| !r.to_array().iter().all(|x| x.abs() < LARGEST)) {
        let r = frame.positions[atom];
        return Err(unfit(format!(
            "atom {} is at {:?} nm, beyond {LARGEST} nm; wrap or mend it",
            atom + 1,
            r.to_array()
        )));
    }
    if frame.positions.len() > molly::XTC_1995_MAX_NATOMS {
        return Err(unfit(format!(
            "{} atoms, more than {}; export extxyz",
            frame.positions.len(),
            molly::XTC_1995_MAX_NATOMS
        )));
    }
    let positions = frame.positions.iter().flat_map(|r| r.to_array()).map(|x| x as f32).collect();
    // Three box vectors one after the other.
    let mut boxvec = [0.0; 9];
    for (to, from) in boxvec.iter_mut().zip(frame.cell.vectors().to_array().into_iter().flatten()) {
        *to = from as f32;
    }
    let frame =
        molly::Frame { step: frame.step as u32, time: frame.time as f32, boxvec, precision: PRECISION, positions };
    XTCWriter::new(out).write_frame(&frame).map_err(|e| IoError::from_os("write", path, &e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use amelo_core::{Cell, Topology};
    use amelo_math::{Mat3, Vec3};

    fn frame<'a>(topology: &'a Topology, cell: &'a Cell, positions: &'a [Vec3]) -> Frame<'a> {
        Frame {
            step: 50,
            time: 0.1,
            topology,
            cell,
            positions,
            images: &[],
            displacements: &[],
            velocities: None,
            forces: None,
        }
    }

    /// The header by hand: magic 1995, atoms, step, time, nine box numbers, atoms again; big-endian. For up to nine
    /// atoms plain f32 follow.
    #[test]
    fn a_small_frame_byte_by_byte() {
        let cell = Cell::new(Mat3::from_array([[2.0, 0.0, 0.0], [0.5, 3.0, 0.0], [-0.25, 0.75, 4.0]])).unwrap();
        let mut out = Vec::new();
        append(Path::new("x.xtc"), &mut out, &frame(&Topology::default(), &cell, &[Vec3::new(0.125, -1.0, 2.5)]))
            .unwrap();
        let word = |k: usize| <[u8; 4]>::try_from(&out[4 * k..4 * k + 4]).unwrap();
        assert_eq!([0, 1, 2, 13].map(|k| i32::from_be_bytes(word(k))), [1995, 1, 50, 1]);
        let box_: Vec<f32> = (4..13).map(|k| f32::from_be_bytes(word(k))).collect();
        assert_eq!(box_, [2.0, 0.0, 0.0, 0.5, 3.0, 0.0, -0.25, 0.75, 4.0]);
        assert_eq!((f32::from_be_bytes(word(3)), out.len()), (0.1, 4 * 17));
        assert_eq!([14, 15, 16].map(|k| f32::from_be_bytes(word(k))), [0.125, -1.0, 2.5]);
    }

    #[test]
    fn positions_come_back_on_the_grid() {
        let cell = Cell::orthorhombic(3.0, 3.0, 3.0).unwrap();
        let noise = amelo_math::philox::Noise::new(3, 3);
        let positions: Vec<Vec3> = (0..500).map(|k| noise.normal3(k, 0, 0)).collect();
        let mut out = Vec::new();
        for _ in 0..2 {
            append(Path::new("x.xtc"), &mut out, &frame(&Topology::default(), &cell, &positions)).unwrap();
        }
        let frames = molly::XTCReader::new(out.as_slice()).read_all_frames().unwrap();
        assert_eq!(frames.len(), 2);
        for frame in frames.iter() {
            for (found, r) in frame.coords().zip(&positions) {
                let off = (0..3).map(|k| (f64::from(found[k]) - r[k]).abs()).fold(0.0, f64::max);
                assert!(off < 0.000_501, "{off}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let cell = Cell::orthorhombic(3.0, 3.0, 3.0).unwrap();
        for x in [1e6, f64::NAN] {
            let at = [Vec3::ZERO, Vec3::new(0.0, x, 0.0)];
            let error =
                append(Path::new("x.xtc"), &mut Vec::new(), &frame(&Topology::default(), &cell, &at)).unwrap_err();
            assert!(error.to_string().contains("atom 2"), "{error}");
        }
        let topology = Topology::default();
        let late = Frame { step: 1 << 31, ..frame(&topology, &cell, &[]) };
        assert!(append(Path::new("x.xtc"), &mut Vec::new(), &late).is_err());
    }
}
