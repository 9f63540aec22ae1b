//! The data file: box, masses, atoms with image flags, velocities, bonded lists.

use std::fmt::Write;

use amelo_core::Frame;
use amelo_math::Vec3;

use super::bonded::{Bonded, Table};
use super::{ANGSTROM, Types, refuse};
use crate::formats::model::{Model, NoCounterpart, film, line, number, word};

/// nm/ps in Å/fs.
const VELOCITY: f64 = 1e-2;

/// Room between a film and the fixed walls of its box (nm), where the vacuum has it.
const MARGIN: f64 = 1.0;

/// The box as LAMMPS gets it.
pub(super) struct Shape {
    /// Lowest and highest z (nm).
    z: [f64; 2],
    /// \[n_atoms\] positions in it (nm).
    positions: Vec<Vec3>,
    /// Ratio of the cell's height to the box', for `kspace_modify slab`.
    pub slab: Option<f64>,
    /// Whether a tilt is larger than LAMMPS likes without being told.
    pub large_tilt: bool,
}

impl Shape {
    pub fn of(model: &Model) -> Result<Self, NoCounterpart> {
        let system = model.system;
        let [a, b, c] = system.cell.vectors().rows;
        let large = |x: f64, edge: f64| x.abs() > 0.5 * edge;
        let large_tilt = large(b.x, a.x) || large(c.x, a.x) || large(c.y, b.y);
        let whole = Shape { z: [0.0, c.z], positions: system.positions.clone(), slab: None, large_tilt };
        let Some(axis) = model.nonbonded.slab else { return Ok(whole) };
        if axis != 2 {
            let what = format!("a slab correction along {}", ["x", "y"][axis.min(1)]);
            return Err(refuse(what, "turn the film so that its normal is z"));
        }
        if !system.cell.is_orthorhombic() {
            return Err(refuse("a slab correction in a triclinic cell".into(), "build the film on a rectangular cell"));
        }
        // Fixed walls about the film; the rest of the cell is the empty part of kspace_modify slab.
        let (moves, thickness, lowest) = film(&system.cell, &system.positions, axis);
        let positions = system.positions.iter().zip(&moves).map(|(r, k)| *r + c * f64::from(*k)).collect();
        let margin = MARGIN.min(0.25 * (c.z - thickness));
        let z = [lowest - margin, lowest + thickness + margin];
        Ok(Shape { z, positions, slab: Some(c.z / (z[1] - z[0])), large_tilt })
    }
}

/// The data file of `model`.
pub(super) fn text(model: &Model, types: &Types, bonded: &Bonded, shape: &Shape) -> String {
    let (system, topology) = (model.system, model.topology());
    let n = topology.n_atoms();
    let [a, b, c] = system.cell.vectors().rows;
    let angstrom = |x: f64| number(ANGSTROM * x);
    let mut out = format!("{}: written by amelo, units real, step {}\n\n{n} atoms\n", line(model.title), system.step);
    let tables = [
        ("bond", "Bonds", &bonded.bonds),
        ("angle", "Angles", &bonded.angles),
        ("dihedral", "Dihedrals", &bonded.dihedrals),
        ("improper", "Impropers", &bonded.impropers),
    ];
    // Writing to a string cannot fail.
    for (name, _, table) in &tables {
        let _ = writeln!(out, "{} {name}s", table.list.len());
    }
    let _ = writeln!(out, "\n{} atom types", types.kinds.len());
    for (name, _, table) in &tables {
        let _ = writeln!(out, "{} {name} types", table.types.len());
    }
    let _ = writeln!(out, "\n0.0 {} xlo xhi\n0.0 {} ylo yhi", angstrom(a.x), angstrom(b.y));
    let _ = writeln!(out, "{} {} zlo zhi", angstrom(shape.z[0]), angstrom(shape.z[1]));
    if !system.cell.is_orthorhombic() {
        let _ = writeln!(out, "{} {} {} xy xz yz", angstrom(b.x), angstrom(c.x), angstrom(c.y));
    }
    out.push_str("\nMasses\n\n");
    for (k, &(t, mass)) in types.kinds.iter().enumerate() {
        let _ = writeln!(out, "{} {} # {}", k + 1, number(mass), word(&topology.types[t].name, 40));
    }
    out.push_str("\nAtoms # full\n\n");
    let molecule = topology.molecule_of();
    for (atom, r) in shape.positions.iter().enumerate() {
        let [x, y, z] = r.to_array().map(angstrom);
        // A box with walls has no images across them.
        let mut image = system.images[atom];
        if shape.slab.is_some() {
            image[2] = 0;
        }
        let [ix, iy, iz] = image;
        let charge = number(topology.charges[atom]);
        let _ = writeln!(
            out,
            "{} {} {} {charge} {x} {y} {z} {ix} {iy} {iz}",
            atom + 1,
            molecule[atom] + 1,
            types.of_atom[atom]
        );
    }
    if system.velocities.iter().any(|v| *v != Vec3::ZERO) {
        out.push_str("\nVelocities\n\n");
        for (atom, v) in system.velocities.iter().enumerate() {
            let [x, y, z] = v.to_array().map(|x| number(VELOCITY * x));
            let _ = writeln!(out, "{} {x} {y} {z}", atom + 1);
        }
    }
    for (_, section, table) in &tables {
        out.push_str(&list(section, table));
    }
    out
}

/// One frame as LAMMPS' text dump (`rerun FILE dump x y z vx vy vz box yes`): wrapped positions with image flags, Å and
/// Å/fs. <https://docs.lammps.org/dump.html>
pub fn dump(frame: &Frame) -> String {
    let [a, b, c] = frame.cell.vectors().rows;
    let angstrom = |x: f64| number(ANGSTROM * x);
    let oblique = !frame.cell.is_orthorhombic();
    // The bounds of an oblique box are those of its corners.
    let (low_x, high_x) = ([0.0, b.x, c.x, b.x + c.x], a.x);
    let least = |v: &[f64]| v.iter().copied().fold(0.0, f64::min);
    let most = |v: &[f64]| v.iter().copied().fold(0.0, f64::max);
    let bounds = [
        ([least(&low_x), high_x + most(&low_x)], b.x),
        ([least(&[0.0, c.y]), b.y + most(&[0.0, c.y])], c.x),
        ([0.0, c.z], c.y),
    ];
    let kind = if oblique { "xy xz yz pp pp pp" } else { "pp pp pp" };
    let mut out = format!("ITEM: TIMESTEP\n{}\n", frame.step);
    let _ = writeln!(out, "ITEM: NUMBER OF ATOMS\n{}\nITEM: BOX BOUNDS {kind}", frame.positions.len());
    for ([low, high], tilt) in bounds {
        let tilt = if oblique { format!(" {}", angstrom(tilt)) } else { String::new() };
        let _ = writeln!(out, "{} {}{tilt}", angstrom(low), angstrom(high));
    }
    let moving = if frame.velocities.is_some() { " vx vy vz" } else { "" };
    let _ = writeln!(out, "ITEM: ATOMS id x y z ix iy iz{moving}");
    for (atom, (r, image)) in frame.positions.iter().zip(frame.images).enumerate() {
        let [x, y, z] = r.to_array().map(angstrom);
        let _ = write!(out, "{} {x} {y} {z} {} {} {}", atom + 1, image[0], image[1], image[2]);
        for v in frame.velocities.iter().flat_map(|v| v[atom].to_array()) {
            let _ = write!(out, " {}", number(VELOCITY * v));
        }
        out.push('\n');
    }
    out
}

fn list(section: &str, table: &Table) -> String {
    if table.list.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{section}\n\n");
    for (k, (kind, atoms)) in table.list.iter().enumerate() {
        let atoms: Vec<String> = atoms.iter().map(|a| (a + 1).to_string()).collect();
        let _ = writeln!(out, "{} {kind} {}", k + 1, atoms.join(" "));
    }
    out
}
