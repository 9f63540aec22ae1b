//! The configuration for `grompp`: films centred, cells no more skewed than GROMACS allows.

use amelo_core::{Cell, Frame};
use amelo_math::{Mat3, Vec3};

use super::PROGRAM;
use crate::formats::gromacs::gro::text;
use crate::formats::model::{Model, NoCounterpart, film};

/// Decimals of positions in an input that is to be run: 1e-12 nm.
pub const EXACT: usize = 12;

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
