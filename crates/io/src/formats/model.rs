//! What an export to another program takes and gives.

use amelo_core::{Cell, Nonbonded, PairTable, System, Topology};
use amelo_math::Vec3;

/// A system with everything that another program must be told to run it.
#[derive(Clone, Copy, Debug)]
pub struct Model<'a> {
    /// One line for people.
    pub title: &'a str,
    /// Atoms, cell, positions, velocities; the topology with the constraints and frozen atoms that shall hold.
    pub system: &'a System,
    /// Potential of every pair of types.
    pub pair_table: &'a PairTable,
    /// Cut-off, modifier, Coulomb.
    pub nonbonded: &'a Nonbonded,
    /// Time step (ps).
    pub timestep: f64,
    /// Uniform electric field (kJ mol⁻¹ nm⁻¹ e⁻¹).
    pub electric_field: Option<Vec3>,
}

impl Model<'_> {
    /// What never changes during a run.
    pub fn topology(&self) -> &Topology {
        &self.system.topology
    }
}

/// Input files for another program.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exported {
    /// Name and text of each file.
    pub files: Vec<(String, String)>,
    /// What differs there, or is left to the user, one sentence each.
    pub notes: Vec<String>,
}

/// Something that the other program cannot do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{program} has no counterpart of {what}; {remedy}")]
pub struct NoCounterpart {
    /// The other program.
    pub program: &'static str,
    /// What was found, with the first atoms, types or values that show it.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

/// A name as one word of at most `most` ASCII characters; what the formats cannot hold becomes `_`.
pub(crate) fn word(text: &str, most: usize) -> String {
    let plain =
        |c: char| if c.is_ascii_graphic() && !matches!(c, ';' | '#' | '"' | '&' | '$' | '[' | '\\') { c } else { '_' };
    let word: String = text.chars().map(plain).take(most).collect();
    if word.is_empty() { "X".into() } else { word }
}

/// One line of ASCII text; what the formats cannot hold becomes `_`, dashes of all kinds `-`.
pub(crate) fn line(text: &str) -> String {
    let plain = |c: char| match c {
        '–' | '—' | '−' => '-',
        _ if c.is_ascii() && !c.is_control() => c,
        _ if c.is_whitespace() => ' ',
        _ => '_',
    };
    text.chars().map(plain).collect()
}

/// Shortest text that reads back as the same f64, with an exponent where that is shorter.
pub(crate) fn number(x: f64) -> String {
    format!("{x:?}")
}

/// Whether any scaled pair feels its charges.
pub(crate) fn charged_pairs(topology: &Topology) -> bool {
    let charge = |a: u32| topology.charges[a as usize];
    topology.scaled_pairs.iter().any(|p| p.coulomb * charge(p.atoms[0]) * charge(p.atoms[1]) != 0.0)
}

/// A film in one piece: which atoms must be moved up by the cell vector `axis` so that it lies above its largest gap
/// (\[n_atoms\] 0 or 1), and its thickness and lowest height along Cartesian `axis` then, between atom centres (nm).
pub(crate) fn film(cell: &Cell, positions: &[Vec3], axis: usize) -> (Vec<i32>, f64, f64) {
    let height = cell.diagonal()[axis];
    let fraction = |r: &Vec3| {
        let s = cell.to_fractional(*r)[axis];
        s - s.floor()
    };
    let mut sorted: Vec<f64> = positions.iter().map(fraction).collect();
    sorted.sort_by(f64::total_cmp);
    let Some((&first, &last)) = sorted.first().zip(sorted.last()) else {
        return (Vec::new(), 0.0, 0.0);
    };
    // The gap through the periodic boundary, unless an inner one is larger.
    let (mut gap, mut start) = (first + 1.0 - last, first);
    for pair in sorted.windows(2) {
        if pair[1] - pair[0] > gap {
            (gap, start) = (pair[1] - pair[0], pair[1]);
        }
    }
    let moves = positions.iter().map(|r| i32::from(fraction(r) < start)).collect();
    (moves, (1.0 - gap) * height, start * height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_hold_no_blank_and_no_comment_sign() {
        assert_eq!(word("ether O of “PEO”;", 99), "ether_O_of__PEO__");
        assert_eq!(word("", 5), "X");
        assert_eq!(word("C1234567", 5), "C1234");
    }

    #[test]
    fn a_title_is_one_line_of_ascii() {
        assert_eq!(line("PEO–LiTFSI\non TiO₂"), "PEO-LiTFSI on TiO_");
    }

    #[test]
    fn numbers_come_back_bit_for_bit() {
        for x in [0.1 + 0.2, 1e-300, -4.9e22, 0.0, 1.0 / 3.0] {
            assert_eq!(number(x).parse::<f64>().unwrap().to_bits(), x.to_bits());
        }
        assert_eq!(number(1e-13), "1e-13");
    }

    #[test]
    fn a_film_across_the_boundary_is_put_together() {
        let cell = Cell::orthorhombic(2.0, 2.0, 10.0).unwrap();
        let at = |z: f64| Vec3::new(0.0, 0.0, z);
        let (moves, thickness, lowest) = film(&cell, &[at(9.0), at(0.5), at(1.0)], 2);
        assert_eq!(moves, [0, 1, 1]);
        assert!((thickness - 2.0).abs() < 1e-12 && (lowest - 9.0).abs() < 1e-12);
    }
}
