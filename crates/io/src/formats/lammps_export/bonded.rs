//! Bonds, angles, dihedrals and impropers with their styles and coefficients.
//!
//! LAMMPS' harmonic forms have no ½: K = k/2. Its dihedrals are those of IUPAC, trans at 180°, as ours.

use std::collections::BTreeMap;
use std::f64::consts::PI;

use amelo_core::units::KCAL;
use amelo_core::{Class, Topology};

use super::constraints::Constraints;
use super::{ANGSTROM, refuse};
use crate::formats::model::{NoCounterpart, number};

/// All interactions of one class: what a style says of each type, and who belongs to which.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Table {
    /// Style, coefficients and whether SHAKE holds it, for type 1, 2, …
    pub types: Vec<(String, String, bool)>,
    index: BTreeMap<(String, String, bool), usize>,
    /// Type and atoms (from 0) of each.
    pub list: Vec<(usize, Vec<u32>)>,
}

impl Table {
    fn push(&mut self, style: &str, coefficients: String, held: bool, atoms: &[u32]) {
        let key = (style.to_string(), coefficients, held);
        let next = self.types.len() + 1;
        let types = &mut self.types;
        let number = *self.index.entry(key).or_insert_with_key(|key| {
            types.push(key.clone());
            next
        });
        self.list.push((number, atoms.to_vec()));
    }

    /// Styles that occur, each once.
    pub fn styles(&self) -> Vec<&str> {
        let mut styles: Vec<&str> = self.types.iter().map(|t| t.0.as_str()).collect();
        styles.sort_unstable();
        styles.dedup();
        styles
    }

    /// Numbers of the types that SHAKE holds.
    pub fn held(&self) -> Vec<usize> {
        (1..=self.types.len()).filter(|&k| self.types[k - 1].2).collect()
    }
}

/// Every bonded interaction.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Bonded {
    pub bonds: Table,
    pub angles: Table,
    pub dihedrals: Table,
    pub impropers: Table,
}

fn words(values: &[f64]) -> String {
    values.iter().copied().map(number).collect::<Vec<_>>().join(" ")
}

/// ½ k of a spring in kcal/mol/Å², and a length in Å.
fn spring(k: f64, r0: f64) -> [f64; 2] {
    [k / (2.0 * KCAL * ANGSTROM * ANGSTROM), ANGSTROM * r0]
}

fn sorted(a: &[u32]) -> [u32; 2] {
    [a[0].min(a[1]), a[0].max(a[1])]
}

impl Bonded {
    pub fn of(topology: &Topology, notes: &mut Vec<String>) -> Result<Self, NoCounterpart> {
        let mut all = Bonded::default();
        let constraints = Constraints::of(topology)?;
        let mut chemical: Vec<[u32; 2]> = topology.bonds.iter().map(|b| sorted(b)).collect();
        chemical.sort_unstable();
        chemical.dedup();
        let mut written = Vec::new();
        let mut as_dihedrals = 0;
        for list in &topology.interactions {
            for (atoms, p) in list.iter() {
                let named = || {
                    let numbers: Vec<String> = atoms.iter().map(|a| (a + 1).to_string()).collect();
                    format!("the {:?} form {} of atoms {}", list.class, list.form, numbers.join(", ")).to_lowercase()
                };
                match (list.class, list.form.as_str(), p) {
                    (Class::Bond, "harmonic", &[r0, k]) => {
                        let pair = sorted(atoms);
                        if chemical.binary_search(&pair).is_err() {
                            let remedy = "only a bond of the molecule can carry a spring there; export to GROMACS";
                            return Err(refuse(format!("{}, which are not bonded", named()), remedy));
                        }
                        let held = constraints.length(pair);
                        if let Some(length) = held.filter(|l| (l - r0).abs() > 1e-9) {
                            let what = format!("{}, constrained to {length} nm but resting at {r0} nm", named());
                            return Err(refuse(what, "give the bond and its constraint the same length"));
                        }
                        all.bonds.push("harmonic", words(&spring(k, r0)), held.is_some(), atoms);
                        written.push(pair);
                    }
                    (Class::Angle, "harmonic", &[theta0, k]) => {
                        let held = constraints.angle(atoms);
                        if held.is_none_or(|theta| (theta - theta0).abs() < 1e-9) {
                            all.angles.push(
                                "harmonic",
                                words(&[k / (2.0 * KCAL), theta0.to_degrees()]),
                                held.is_some(),
                                atoms,
                            );
                        } else {
                            let what = format!("{}, whose constraints do not fit its rest angle", named());
                            return Err(refuse(what, "leave the angle out, or make its ends' distance fit"));
                        }
                    }
                    (Class::Angle, "urey_bradley", &[theta0, k, r13, k_ub]) => {
                        let [k_ub, r13] = spring(k_ub, r13);
                        all.angles.push(
                            "charmm",
                            words(&[k / (2.0 * KCAL), theta0.to_degrees(), k_ub, r13]),
                            false,
                            atoms,
                        );
                    }
                    (Class::Dihedral, "opls", &[_, _, _, _]) => {
                        all.dihedrals.push("opls", words(&[0, 1, 2, 3].map(|n| p[n] / KCAL)), false, atoms);
                    }
                    // cos ψ = −cos φ: odd powers change sign.
                    (Class::Dihedral, "ryckaert_bellemans", &[c0, c1, c2, c3, c4, c5]) => {
                        let a = [c0, -c1, c2, -c3, c4, -c5].map(|c| if c == 0.0 { 0.0 } else { c / KCAL });
                        if c5 == 0.0 {
                            all.dihedrals.push("multi/harmonic", words(&a[..5]), false, atoms);
                        } else {
                            all.dihedrals.push("nharmonic", format!("6 {}", words(&a)), false, atoms);
                        }
                    }
                    (Class::Dihedral, "periodic", &[phi0, k, n]) => {
                        all.dihedrals.push("fourier", fourier(phi0, k, n), false, atoms);
                    }
                    (Class::Improper, "periodic", &[phi0, k, n]) => match sign(phi0).filter(|_| n <= 6.0 && n != 5.0) {
                        Some(d) => all.impropers.push("cvff", format!("{} {d} {n}", number(k / KCAL)), false, atoms),
                        // A dihedral of the same atoms has the same energy at any phase.
                        None => {
                            as_dihedrals += 1;
                            all.dihedrals.push("fourier", fourier(phi0, k, n), false, atoms);
                        }
                    },
                    (Class::Improper, "harmonic_unsigned", &[phi0, k]) => {
                        let chi0 = phi0.to_degrees();
                        all.impropers.push("harmonic", words(&[k / (2.0 * KCAL), chi0]), false, atoms);
                    }
                    // LAMMPS' angle between the planes has no sign: right for 0° and 180° only.
                    (Class::Improper, "harmonic", &[phi0, k]) => match sign(phi0) {
                        Some(d) => {
                            let chi0 = if d > 0 { 0.0 } else { 180.0 };
                            all.impropers.push("harmonic", words(&[k / (2.0 * KCAL), chi0]), false, atoms);
                        }
                        None => {
                            let what = format!("{} at {}°, an improper with a sign", named(), phi0.to_degrees());
                            return Err(refuse(what, "export to GROMACS, or use an improper at 0° or 180°"));
                        }
                    },
                    _ => return Err(refuse(named(), "take a form that LAMMPS has")),
                }
            }
        }
        if as_dihedrals > 0 {
            notes.push(format!("{as_dihedrals} impropers are written as dihedrals: LAMMPS counts their energy there"));
        }
        all.add_bare(topology, &chemical, written, &constraints);
        Ok(all)
    }

    /// Chemical bonds and rigid angles that have no energy: they make exclusions and carry constraints.
    fn add_bare(&mut self, topology: &Topology, chemical: &[[u32; 2]], mut written: Vec<[u32; 2]>, held: &Constraints) {
        written.sort_unstable();
        for pair in chemical.iter().filter(|p| written.binary_search(p).is_err()) {
            let length = held.length(*pair);
            // Without energy the rest length has no meaning; LAMMPS wants one.
            let r0 = length.unwrap_or(0.1);
            self.bonds.push("harmonic", words(&spring(0.0, r0)), length.is_some(), pair);
        }
        for (atoms, theta) in held.angles() {
            let ends = |a: &[u32]| (a[1], sorted(&[a[0], a[2]]));
            let is_there = topology
                .interactions
                .iter()
                .filter(|l| l.class == Class::Angle && l.form == "harmonic")
                .any(|l| l.iter().any(|(a, _)| ends(a) == ends(&atoms)));
            if !is_there {
                self.angles.push("harmonic", words(&[0.0, theta.to_degrees()]), true, &atoms);
            }
        }
    }
}

fn fourier(phi0: f64, k: f64, n: f64) -> String {
    format!("1 {} {n} {}", number(k / KCAL), number(phi0.to_degrees()))
}

/// +1 for a phase of 0°, −1 for 180° (whole turns aside), none for any other.
fn sign(phase: f64) -> Option<i32> {
    let turns = phase / PI;
    let near = turns.round();
    ((turns - near).abs() < 1e-12).then_some(if near.rem_euclid(2.0) == 0.0 { 1 } else { -1 })
}
