//! `.gro`: positions and velocities in fixed columns whose width follows from the decimals.
//! GROMACS reference manual, "File formats", gro.

use std::fmt::Write;

use amelo_core::{Cell, Topology};
use amelo_math::{Mat3, Vec3};

use crate::formats::model::{Model, film, line, word};

/// Decimals of positions in an input that is to be run: 1e-12 nm.
pub const EXACT: usize = 12;

/// One frame: `title`, atoms with `decimals` decimals of nm (velocities, in nm/ps, have one more), the cell.
pub fn frame(
    title: &str,
    topology: &Topology,
    cell: &Cell,
    positions: &[Vec3],
    velocities: Option<&[Vec3]>,
    decimals: usize,
) -> String {
    let n = topology.n_atoms();
    let mut residue_of = vec![("UNK", 0); n];
    for (k, residue) in topology.residues.iter().enumerate() {
        residue_of[residue.first..residue.first + residue.count].fill((residue.name.as_str(), k + 1));
    }
    let mut out = format!("{}\n{n}\n", line(title));
    let width = decimals + 5;
    for (atom, r) in positions.iter().enumerate() {
        let (residue, number) = residue_of[atom];
        // Numbers of five digits start again at 0, as GROMACS does it. Writing to a string cannot fail.
        let _ = write!(
            out,
            "{:5}{:<5}{:>5}{:5}",
            number % 100_000,
            word(residue, 5),
            word(&topology.names[atom], 5),
            (atom + 1) % 100_000
        );
        for x in r.to_array() {
            let _ = write!(out, "{x:width$.decimals$}");
        }
        for x in velocities.iter().flat_map(|v| v[atom].to_array()) {
            let more = decimals + 1;
            let _ = write!(out, "{x:width$.more$}");
        }
        out.push('\n');
    }
    let [a, b, c] = cell.vectors().to_array();
    let mut edges = vec![a[0], b[1], c[2]];
    if !cell.is_orthorhombic() {
        edges.extend([a[1], a[2], b[0], b[2], c[0], c[1]]);
    }
    let edges: Vec<String> = edges.iter().map(|x| format!("{x:.decimals$}")).collect();
    out + &edges.join(" ") + "\n"
}

/// The state of `model`. A film is put in one piece in the middle of its cell, where GROMACS' slab correction sees it
/// as it is; a cell more skewed than GROMACS allows is replaced by an equivalent one.
pub(super) fn of_model(model: &Model, notes: &mut Vec<String>) -> String {
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
    let title = format!("{} t= {} step= {}", model.title, system.time, system.step);
    frame(&title, &system.topology, &cell, &positions, moving.then_some(system.velocities.as_slice()), EXACT)
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
    use amelo_core::{AtomType, Residue};

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
        let (r, v) = (Vec3::new(0.126, 1.624, 1.679), Vec3::new(0.1227, -0.0580, 0.0434));
        let text = frame("MD", &topology, &cell, &[r], Some(&[v]), 3);
        assert_eq!(text.lines().nth(2), Some("    1WATER  OW1    1   0.126   1.624   1.679  0.1227 -0.0580  0.0434"));
        assert_eq!(text.lines().nth(3), Some("1.821 1.821 1.821"));
        let oblique = Cell::new(Mat3::from_array([[2.0, 0.0, 0.0], [0.5, 3.0, 0.0], [-0.25, 0.75, 4.0]])).unwrap();
        let text = frame("MD", &topology, &oblique, &[r], None, 2);
        assert_eq!(text.lines().nth(3), Some("2.00 3.00 4.00 0.00 0.00 0.50 0.00 -0.25 0.75"));
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
