//! `.gro`: positions and velocities in fixed columns whose width follows from the decimals.
//! GROMACS reference manual, "File formats", gro.

use std::fmt::Write;

use amelo_core::{Cell, Frame};
use amelo_math::{Mat3, Vec3};

use super::PROGRAM;
use crate::formats::model::{Model, NoCounterpart, film, line, word};

/// Decimals of positions in an input that is to be run: 1e-12 nm.
pub const EXACT: usize = 12;

/// One frame with `decimals` decimals of nm; velocities (nm/ps), where it has some, with one more.
///
/// # Errors
/// The atom whose number does not fit its columns.
pub fn text(title: &str, frame: &Frame, decimals: usize) -> Result<String, String> {
    let topology = frame.topology;
    let n = topology.n_atoms();
    let mut residue_of = vec![("UNK", 0); n];
    for (k, residue) in topology.residues.iter().enumerate() {
        residue_of[residue.first..residue.first + residue.count].fill((residue.name.as_str(), k + 1));
    }
    let mut out = format!("{}\n{n}\n", line(title));
    let width = decimals + 5;
    let put = |out: &mut String, atom: usize, v: Vec3, decimals: usize| {
        for x in v.to_array() {
            let column = format!("{x:width$.decimals$}");
            if column.len() > width || !x.is_finite() {
                return Err(format!("{x} of atom {} does not fit the {width} columns of a .gro file", atom + 1));
            }
            out.push_str(&column);
        }
        Ok(())
    };
    for (atom, r) in frame.positions.iter().enumerate() {
        let (residue, number) = residue_of[atom];
        let (residue, name) = (word(residue, 5), word(&topology.names[atom], 5));
        // Numbers of five digits start again at 0, as GROMACS does it. Writing to a string cannot fail.
        let _ = write!(out, "{:5}{residue:<5}{name:>5}{:5}", number % 100_000, (atom + 1) % 100_000);
        put(&mut out, atom, *r, decimals)?;
        if let Some(velocities) = frame.velocities {
            put(&mut out, atom, velocities[atom], decimals + 1)?;
        }
        out.push('\n');
    }
    let [a, b, c] = frame.cell.vectors().to_array();
    let mut edges = vec![a[0], b[1], c[2]];
    if !frame.cell.is_orthorhombic() {
        edges.extend([a[1], a[2], b[0], b[2], c[0], c[1]]);
    }
    let edges: Vec<String> = edges.iter().map(|x| format!("{x:.decimals$}", decimals = decimals.max(5))).collect();
    Ok(out + &edges.join(" ") + "\n")
}

/// The state of `model`. A film is put in one piece in the middle of its cell, where GROMACS' slab correction sees it
/// as it is; a cell more skewed than GROMACS allows is replaced by an equivalent one.
pub(super) fn of_model(model: &Model, notes: &mut Vec<String>) -> Result<String, NoCounterpart> {
    let system = model.system;
    let mut positions = system.positions.clone();
    if let Some(axis) = model.nonbonded.slab {
        let (moves, thickness, lowest) = film(&system.cell, &positions, axis);
        let vector = system.cell.vectors().rows[axis];
        let offset = 0.5 * (system.cell.diagonal()[axis] - thickness) - lowest;
        for (r, k) in positions.iter_mut().zip(moves) {
            *r += vector * f64::from(k) + Vec3::unit(axis) * offset;
        }
        notes.push(format!("the film was moved by {offset:.6} nm along its normal, into the middle of the cell"));
    }
    let cell = reduced(&system.cell);
    if cell != system.cell {
        notes.push("the cell is too skewed for GROMACS: conf.gro holds an equivalent one of the same lattice".into());
    }
    let moving = system.velocities.iter().any(|v| *v != Vec3::ZERO);
    let velocities = Some(system.velocities.as_slice()).filter(|_| moving);
    let frame = Frame { cell: &cell, positions: &positions, velocities, ..system.frame() };
    let title = format!("{} t= {} step= {}", model.title, system.time, system.step);
    let remedy = "mend the state: positions are wrapped and velocities below 1000 nm/ps in a sound one";
    text(&title, &frame, EXACT).map_err(|what| NoCounterpart { program: PROGRAM, what, remedy: remedy.into() })
}

/// The same lattice with vectors that are no more skewed than half an edge.
fn reduced(cell: &Cell) -> Cell {
    let [a, mut b, mut c] = cell.vectors().rows;
    // A vector within GROMACS' tolerance stays as it is, bit for bit.
    let too_skewed = |x: f64, edge: f64| x.abs() > 0.5 * edge * 1.000_5;
    if too_skewed(c.y, b.y) {
        c -= b * (c.y / b.y).round();
    }
    if too_skewed(c.x, a.x) {
        c -= a * (c.x / a.x).round();
    }
    if too_skewed(b.x, a.x) {
        b -= a * (b.x / a.x).round();
    }
    Cell::new(Mat3::from_rows(a, b, c)).unwrap_or(*cell)
}

#[cfg(test)]
mod tests {
    use super::*;
    use amelo_core::{AtomType, Residue, Topology};

    fn frame<'a>(topology: &'a Topology, cell: &'a Cell, r: &'a [Vec3], v: Option<&'a [Vec3]>) -> Frame<'a> {
        Frame {
            step: 0,
            time: 0.0,
            topology,
            cell,
            positions: r,
            images: &[],
            displacements: &[],
            velocities: v,
            forces: None,
        }
    }

    /// The manual's example line for water, `1WATER  OW1    1   0.126   1.624   1.679  0.1227 -0.0580  0.0434`.
    #[test]
    fn columns_are_those_of_the_manual() {
        let topology = Topology {
            types: vec![AtomType { name: "OW".into(), element: "O".into() }],
            type_of: vec![0],
            names: vec!["OW1".into()],
            residues: vec![Residue { name: "WATER".into(), first: 0, count: 1 }],
            ..Topology::default()
        };
        let cell = Cell::orthorhombic(1.82060, 1.82060, 1.82060).unwrap();
        let (r, v) = ([Vec3::new(0.126, 1.624, 1.679)], [Vec3::new(0.1227, -0.0580, 0.0434)]);
        let written = text("MD", &frame(&topology, &cell, &r, Some(&v)), 3).unwrap();
        assert_eq!(
            written.lines().nth(2),
            Some("    1WATER  OW1    1   0.126   1.624   1.679  0.1227 -0.0580  0.0434")
        );
        assert_eq!(written.lines().nth(3), Some("1.82060 1.82060 1.82060"));
        let oblique = Cell::new(Mat3::from_array([[2.0, 0.0, 0.0], [0.5, 3.0, 0.0], [-0.25, 0.75, 4.0]])).unwrap();
        let written = text("MD", &frame(&topology, &oblique, &r, None), 2).unwrap();
        let edges = "2.00000 3.00000 4.00000 0.00000 0.00000 0.50000 0.00000 -0.25000 0.75000";
        assert_eq!(written.lines().nth(3), Some(edges));
        let error = text("MD", &frame(&topology, &cell, &[Vec3::new(0.0, -1e4, 0.0)], None), 3).unwrap_err();
        assert!(error.contains("-10000 of atom 1"), "{error}");
    }

    #[test]
    fn a_skewed_cell_becomes_an_equivalent_one() {
        let cell = Cell::new(Mat3::from_array([[2.0, 0.0, 0.0], [1.5, 3.0, 0.0], [-1.25, 1.75, 4.0]])).unwrap();
        let reduced = reduced(&cell);
        let m = reduced.vectors().to_array();
        assert!(m[1][0].abs() <= 1.0 && m[2][0].abs() <= 1.0 && m[2][1].abs() <= 1.5, "{m:?}");
        assert_eq!(reduced.volume(), cell.volume());
        for row in reduced.vectors().rows {
            let s = cell.to_fractional(row);
            assert!((0..3).all(|k| (s[k] - s[k].round()).abs() < 1e-12), "{s:?}");
        }
        let mild = Cell::new(Mat3::from_array([[2.0, 0.0, 0.0], [1.0, 3.0, 0.0], [0.0, 0.0, 4.0]])).unwrap();
        assert_eq!(super::reduced(&mild), mild);
    }
}
