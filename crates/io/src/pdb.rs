//! PDB: names, residues and bonds for programs that need a topology beside the trajectory (`topology.pdb`), and frames
//! to look at.
//!
//! PDB format 3.3 (wwPDB): fixed columns, Å. Serial numbers above 99 999 and residue numbers above 9999 start again
//! at 0, as other programs do it; bonds are written only while serial numbers are unique.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

use amelo_core::{Cell, Frame, Topology};
use amelo_math::Vec3;

use crate::formats::registry::FormatInfo;
use crate::{IoError, write_atomic};

/// Row of `amelo list formats`.
pub const INFO: FormatInfo = FormatInfo {
    name: "pdb",
    summary: "names, residues, bonds and positions: topology.pdb of a run, one frame or several as models; written",
    layout: "HETATM, CONECT and CRYST1 records, MODEL where there are several frames; Å, wrapped positions",
    limits: &[
        "Positions have three decimals in Å (5e-5 nm), the cell's angles two decimals.",
        "Above 99 999 atoms serial numbers start again at 0 and bonds are left out.",
        "Coordinates beyond −999.999 and 9999.999 Å do not fit.",
    ],
    citation: "wwPDB Contents Guide 3.3",
};

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

/// A PDB file that grows frame by frame: each a MODEL, or a plain file where there is one frame only.
pub struct PdbWriter<'a> {
    path: &'a Path,
    out: &'a mut dyn Write,
    several: bool,
    models: usize,
}

impl<'a> PdbWriter<'a> {
    /// Writes to `out`, which becomes `path`; `several`: whether more than one frame will come.
    pub fn new(path: &'a Path, out: &'a mut dyn Write, several: bool) -> Self {
        PdbWriter { path, out, several, models: 0 }
    }

    /// The next frame. Errors: a coordinate outside the columns, a system that refuses.
    pub fn append(&mut self, frame: &Frame) -> Result<(), IoError> {
        let fits = |x: f64| coordinate(10.0 * x) == 10.0 * x;
        if let Some(atom) = frame.positions.iter().position(|r| !r.to_array().into_iter().all(fits)) {
            let r = frame.positions[atom] * 10.0;
            let found = format!(
                "atom {} is at ({}, {}, {}) Å, which PDB has no columns for; export extxyz",
                atom + 1,
                r.x,
                r.y,
                r.z
            );
            return Err(IoError::Mismatch { path: self.path.into(), found });
        }
        let mut text = String::new();
        if self.models == 0 {
            text.push_str(HEADER);
        }
        self.models += 1;
        text.push_str(&cryst1(frame.cell));
        if self.several {
            let _ = writeln!(text, "MODEL     {:4}", self.models % 10_000);
        }
        text.push_str(&atoms(frame.topology, frame.positions));
        if self.several {
            text.push_str("ENDMDL\n");
        }
        self.put(&text)
    }

    /// Bonds and the end. Errors: a system that refuses.
    pub fn finish(mut self, topology: &Topology) -> Result<(), IoError> {
        self.put(&(conect(topology) + "END\n"))
    }

    fn put(&mut self, text: &str) -> Result<(), IoError> {
        self.out.write_all(text.as_bytes()).map_err(|e| IoError::from_os("write", self.path, &e))
    }
}

const HEADER: &str = "REMARK   4 written by amelo\n";

fn text(topology: &Topology, cell: &Cell, positions: &[Vec3]) -> String {
    [HEADER, &cryst1(cell), &atoms(topology, positions), &conect(topology), "END\n"].concat()
}

fn cryst1(cell: &Cell) -> String {
    let [a, b, c] = cell.vectors().rows;
    let angle = |u: Vec3, v: Vec3| amelo_math::special::acos(u.dot(v) / (u.norm() * v.norm())).to_degrees();
    format!(
        "CRYST1{:9.3}{:9.3}{:9.3}{:7.2}{:7.2}{:7.2} P 1           1\n",
        10.0 * a.norm(),
        10.0 * b.norm(),
        10.0 * c.norm(),
        angle(b, c),
        angle(a, c),
        angle(a, b)
    )
}

fn atoms(topology: &Topology, positions: &[Vec3]) -> String {
    let n = topology.n_atoms();
    let mut out = String::new();
    let mut residue_of = vec![("UNK", 0); n];
    for (k, residue) in topology.residues.iter().enumerate() {
        residue_of[residue.first..residue.first + residue.count].fill((residue.name.as_str(), k + 1));
    }
    for (atom, r) in positions.iter().enumerate().take(n) {
        let (residue, number) = residue_of[atom];
        let element = topology.element(atom);
        // Writing to a string cannot fail.
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
    out
}

fn conect(topology: &Topology) -> String {
    let n = topology.n_atoms();
    let mut out = String::new();
    if n > MOST_SERIALS {
        return out;
    }
    let mut partners = vec![Vec::new(); n];
    for &[i, j] in &topology.bonds {
        partners[i as usize].push(j + 1);
        partners[j as usize].push(i + 1);
    }
    for (atom, list) in partners.iter_mut().enumerate() {
        list.sort_unstable();
        for four in list.chunks(4) {
            let partners: String = four.iter().map(|j| format!("{j:5}")).collect();
            let _ = writeln!(out, "CONECT{:5}{partners}", atom + 1);
        }
    }
    out
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

    fn two_atoms() -> Topology {
        Topology {
            types: vec![
                AtomType { name: "OS".into(), element: "O".into() },
                AtomType { name: "Li".into(), element: "Li".into() },
            ],
            type_of: vec![0, 1].into(),
            names: vec!["O1", "LI"].into(),
            residues: vec![
                Residue { name: "EO".into(), first: 0, count: 1 },
                Residue { name: "LI".into(), first: 1, count: 1 },
            ],
            bonds: vec![[0, 1]].into(),
            ..Topology::default()
        }
    }

    // Section MODEL of the format: one CRYST1 in front, numbered models, CONECT once at the end.
    #[test]
    fn several_frames_are_models_and_what_does_not_fit_is_refused() {
        let topology = two_atoms();
        let cell = Cell::orthorhombic(2.0, 3.0, 4.5).unwrap();
        let mut out = Vec::new();
        let path = Path::new("x.pdb");
        let mut writer = PdbWriter::new(path, &mut out, true);
        let frame = |positions: &[Vec3], writer: &mut PdbWriter| {
            let frame = Frame {
                step: 0,
                time: 0.0,
                topology: &topology,
                cell: &cell,
                positions,
                images: &[],
                displacements: &[],
                velocities: None,
                forces: None,
            };
            writer.append(&frame)
        };
        for x in [0.1, 0.2] {
            frame(&[Vec3::new(x, 0.0, 0.0), Vec3::ZERO], &mut writer).unwrap();
        }
        let error = frame(&[Vec3::ZERO, Vec3::new(0.0, 0.0, -100.0)], &mut writer).unwrap_err().to_string();
        assert!(error.contains("atom 2") && error.contains("-1000"), "{error}");
        writer.finish(&topology).unwrap();
        let text = String::from_utf8(out).unwrap();
        let heads: Vec<&str> = text.lines().map(|l| l.split_whitespace().next().unwrap()).collect();
        let model = ["MODEL", "HETATM", "HETATM", "ENDMDL"];
        let expected = [&["REMARK", "CRYST1"][..], &model, &["CRYST1"], &model, &["CONECT", "CONECT", "END"]].concat();
        assert_eq!(heads, expected);
    }

    // Column numbers: wwPDB format 3.3, sections CRYST1, HETATM and CONECT.
    #[test]
    fn columns_are_those_of_the_format() {
        let topology = two_atoms();
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
