//! Extended XYZ: one block per frame, the cell and the meaning of the columns in its second line.
//!
//! Units are those that ASE takes for granted: Å, eV, eV/Å; velocities are in Å/fs, the time in ps.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

use amelo_core::Frame;
use amelo_core::units::EV;

use crate::IoError;
use crate::formats::model::{number, word};
use crate::formats::registry::FormatInfo;

/// Row of `amelo list formats`.
pub const INFO: FormatInfo = FormatInfo {
    name: "extxyz",
    summary: "extended XYZ, one frame or several, for ASE and OVITO; written",
    layout: "Lattice, Properties=species:S:1:pos:R:3[:velo:R:3][:forces:R:3], step, time (ps), energy where known; Å, \
             Å/fs, eV/Å, eV; wrapped positions, every number as it is in f64",
    limits: &["Names, residues, bonds and charges are not part of the format."],
    citation: "the extended XYZ specification, https://github.com/libAtoms/extxyz",
};

/// Ångström per nm.
const ANGSTROM: f64 = 10.0;

/// Appends one frame to `out`, which becomes `path`; `energy` is the potential energy (kJ/mol), where known.
///
/// # Errors
/// [`IoError::Refused`] where the system refuses.
pub fn append(path: &Path, out: &mut dyn Write, frame: &Frame, energy: Option<f64>) -> Result<(), IoError> {
    append_labelled(path, out, frame, energy, &[])
}

/// The same with further keys and values, without blanks, in the frame's second line.
///
/// # Errors
/// [`IoError::Refused`] where the system refuses.
pub fn append_labelled(
    path: &Path,
    out: &mut dyn Write,
    frame: &Frame,
    energy: Option<f64>,
    labels: &[(&str, String)],
) -> Result<(), IoError> {
    out.write_all(block(frame, energy, labels).as_bytes()).map_err(|e| IoError::from_os("write", path, &e))
}

fn block(frame: &Frame, energy: Option<f64>, labels: &[(&str, String)]) -> String {
    let lattice: Vec<String> =
        frame.cell.vectors().rows.iter().flat_map(|v| v.to_array()).map(|x| number(ANGSTROM * x)).collect();
    let mut columns = String::from("species:S:1:pos:R:3");
    if frame.velocities.is_some() {
        columns.push_str(":velo:R:3");
    }
    if frame.forces.is_some() {
        columns.push_str(":forces:R:3");
    }
    let mut out = format!(
        "{}\nLattice=\"{}\" Properties={columns} step={} time={}",
        frame.positions.len(),
        lattice.join(" "),
        frame.step,
        number(frame.time)
    );
    if let Some(energy) = energy {
        let _ = write!(out, " energy={}", number(energy / EV));
    }
    for (key, value) in labels {
        let _ = write!(out, " {key}={value}");
    }
    out.push_str(" pbc=\"T T T\"\n");
    // nm/ps to Å/fs, kJ/mol/nm to eV/Å.
    let extra = [(frame.velocities, ANGSTROM * 1e-3), (frame.forces, 1.0 / (EV * ANGSTROM))];
    for (atom, r) in frame.positions.iter().enumerate() {
        out.push_str(&word(frame.topology.element(atom), 3));
        let mut put = |v: [f64; 3], factor: f64| {
            v.into_iter().for_each(|x| {
                let _ = write!(out, " {}", number(factor * x));
            })
        };
        put(r.to_array(), ANGSTROM);
        for (vectors, factor) in &extra {
            if let Some(v) = vectors {
                put(v[atom].to_array(), *factor);
            }
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use amelo_core::{AtomType, Cell, Topology};
    use amelo_math::{Mat3, Vec3};

    /// Columns and keys of the specification; 1 eV = 96.4853 kJ/mol.
    #[test]
    fn a_frame_in_the_units_of_ase() {
        let topology = Topology {
            types: vec![
                AtomType { name: "OS".into(), element: "O".into() },
                AtomType { name: "q".into(), element: String::new() },
            ],
            type_of: vec![0, 1].into(),
            ..Topology::default()
        };
        let cell = Cell::new(Mat3::from_array([[2.0, 0.0, 0.0], [0.5, 3.0, 0.0], [0.0, 0.0, 4.0]])).unwrap();
        let positions = [Vec3::new(0.25, 1.0, 0.125), Vec3::ZERO];
        let velocities = [Vec3::new(0.5, 0.0, 0.0), Vec3::ZERO];
        let forces = [Vec3::new(96.485_332_123_310_02, 0.0, 0.0), Vec3::ZERO];
        let frame = Frame {
            step: 7,
            time: 0.014,
            topology: &topology,
            cell: &cell,
            positions: &positions,
            images: &[],
            displacements: &[],
            velocities: Some(&velocities),
            forces: Some(&forces),
        };
        let text = block(&frame, Some(-192.970_664_246_620_04), &[]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "2");
        assert_eq!(
            lines[1],
            "Lattice=\"20.0 0.0 0.0 5.0 30.0 0.0 0.0 0.0 40.0\" Properties=species:S:1:pos:R:3:velo:R:3:forces:R:3 \
             step=7 time=0.014 energy=-2.0 pbc=\"T T T\""
        );
        assert_eq!(lines[2], "O 2.5 10.0 1.25 0.005 0.0 0.0 0.1 0.0 0.0");
        assert!(lines[3].starts_with("X 0.0"));
        let plain = Frame { velocities: None, forces: None, ..frame };
        assert!(!block(&plain, None, &[]).contains("energy"));
        let labels = [("kind", "host".to_string()), ("charge", "-1".to_string())];
        assert!(block(&plain, None, &labels).lines().nth(1).unwrap().ends_with(" kind=host charge=-1 pbc=\"T T T\""));
    }
}
