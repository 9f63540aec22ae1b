//! `topology.pdb`: names, residues and bonds for programs that need a topology beside the trajectory.
//!
//! PDB format 3.3 (wwPDB): fixed columns, Å. Serial numbers above 99 999 and residue numbers above 9999 start again
//! at 0, as other programs do it; bonds are written only while serial numbers are unique.

use std::fmt::Write;
use std::path::Path;

use amelo_core::{Cell, Topology};
use amelo_math::Vec3;

use crate::{IoError, write_atomic};

/// Name of the file in a run directory.
pub const FILE_NAME: &str = "topology.pdb";

/// Atoms up to which every serial number is unique.
const MOST_SERIALS: usize = 99_999;

/// Writes `path` atomically.
///
/// # Errors
/// As [`write_atomic`].
pub fn write_pdb(path: &Path, topology: &Topology, cell: &Cell, positions: &[Vec3]) -> Result<(), IoError> {
    write_atomic(path, text(topology, cell, positions).as_bytes())
}

fn text(topology: &Topology, cell: &Cell, positions: &[Vec3]) -> String {
    let n = topology.n_atoms();
    let mut out = String::from("REMARK   4 written by amelo\n");
    let [a, b, c] = cell.vectors().rows;
    let angle = |u: Vec3, v: Vec3| amelo_math::special::acos(u.dot(v) / (u.norm() * v.norm())).to_degrees();
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "CRYST1{:9.3}{:9.3}{:9.3}{:7.2}{:7.2}{:7.2} P 1           1",
        10.0 * a.norm(),
        10.0 * b.norm(),
        10.0 * c.norm(),
        angle(b, c),
        angle(a, c),
        angle(a, b)
    );
    let mut residue_of = vec![("UNK", 0); n];
    for (k, residue) in topology.residues.iter().enumerate() {
        residue_of[residue.first..residue.first + residue.count].fill((residue.name.as_str(), k + 1));
    }
    for (atom, r) in positions.iter().enumerate().take(n) {
        let (residue, number) = residue_of[atom];
        let element = topology.element(atom);
        let _ = writeln!(
            out,
            "HETATM{:5} {} {:<4}A{:4}    {:8.3}{:8.3}{:8.3}{:6.2}{:6.2}          {:>2}",
            (atom + 1) % (MOST_SERIALS + 1),
            atom_name(&topology.names[atom], element),
            cut(residue, 4),
            number % 10_000,
            coordinate(10.0 * r.x),
            coordinate(10.0 * r.y),
            coordinate(10.0 * r.z),
            1.0,
            0.0,
            cut(element, 2).to_uppercase(),
        );
    }
    if n <= MOST_SERIALS {
        let mut partners = vec![Vec::new(); n];
        for &[i, j] in &topology.bonds {
            partners[i as usize].push(j + 1);
            partners[j as usize].push(i + 1);
        }
        for (atom, list) in partners.iter_mut().enumerate() {
            list.sort_unstable();
            for four in list.chunks(4) {
                let _ = write!(out, "CONECT{:5}", atom + 1);
                let partners: String = four.iter().map(|j| format!("{j:5}")).collect();
                let _ = writeln!(out, "{partners}");
            }
        }
    }
    out + "END\n"
}

/// Four columns: elements of one letter start in the second, unless the name needs all four.
fn atom_name(name: &str, element: &str) -> String {
    if element.chars().count() == 1 && name.chars().count() < 4 {
        format!(" {name:<3}")
    } else {
        format!("{:<4}", cut(name, 4))
    }
}

fn cut(text: &str, most: usize) -> String {
    text.chars().filter(char::is_ascii).take(most).collect()
}

/// A coordinate that fits its eight columns; beyond them the format has no numbers.
fn coordinate(x: f64) -> f64 {
    x.clamp(-999.999, 9999.999)
}

#[cfg(test)]
mod tests {
    use super::*;
    use amelo_core::{AtomType, Residue};

    // Column numbers: wwPDB format 3.3, sections CRYST1, HETATM and CONECT.
    #[test]
    fn columns_are_those_of_the_format() {
        let topology = Topology {
            types: vec![
                AtomType { name: "OS".into(), element: "O".into() },
                AtomType { name: "Li".into(), element: "Li".into() },
            ],
            type_of: vec![0, 1],
            names: vec!["O1".into(), "LI".into()],
            residues: vec![
                Residue { name: "EO".into(), first: 0, count: 1 },
                Residue { name: "LI".into(), first: 1, count: 1 },
            ],
            bonds: vec![[0, 1]],
            ..Topology::default()
        };
        let cell = Cell::orthorhombic(2.0, 3.0, 4.5).unwrap();
        let text = text(&topology, &cell, &[Vec3::new(0.1, -0.2, 1.2345), Vec3::new(1.0, 2.0, 3.0)]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(&lines[1][6..54], "   20.000   30.000   45.000  90.00  90.00  90.00");
        let atom = lines[2];
        assert_eq!((&atom[6..11], &atom[12..16], &atom[17..21], &atom[22..26]), ("    1", " O1 ", "EO  ", "   1"));
        assert_eq!(
            (&atom[30..38], &atom[38..46], &atom[46..54], &atom[76..78]),
            ("   1.000", "  -2.000", "  12.345", " O")
        );
        assert_eq!((&lines[3][12..16], &lines[3][76..78]), ("LI  ", "LI"));
        assert_eq!(lines[4], "CONECT    1    2");
    }
}
