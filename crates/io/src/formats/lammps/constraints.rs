//! `fix shake` and `fix rattle`: bonds held at their equilibrium length, and angles between two of them.
//!
//! Source: LAMMPS documentation, fix_shake: `fix ID all shake TOLERANCE ITERATIONS EVERY b TYPES a TYPES t TYPES m MASSES`.

use std::collections::{BTreeMap, BTreeSet};

use amelo_core::Constraint;
use amelo_math::special;

use super::args::{Args, shown};
use super::bonded::Bonded;
use super::data::Data;
use super::types::{Kind, Types};
use crate::formats::{ImportError, Place};

/// Masses that the key m names may differ by this (u).
const MASS_TOLERANCE: f64 = 0.1;

/// Which bonds and angles are held.
#[derive(Clone, Debug)]
pub(super) struct Shake {
    place: Place,
    bonds: BTreeSet<usize>,
    angles: BTreeSet<usize>,
    atoms: BTreeSet<usize>,
    masses: Vec<f64>,
}

impl Shake {
    pub fn new(args: &Args, types: &Types) -> Result<Self, ImportError> {
        let mut shake = Shake {
            place: args.place.clone(),
            bonds: BTreeSet::new(),
            angles: BTreeSet::new(),
            atoms: BTreeSet::new(),
            masses: Vec::new(),
        };
        args.positive(3, "the tolerance")?;
        args.whole(4, "the number of iterations", 1..=i64::MAX)?;
        args.whole(5, "the interval of reports", 0..=i64::MAX)?;
        let mut key = "";
        let mut k = 6;
        while k < args.len() {
            let word = args.words[k].as_str();
            match (key, word) {
                (_, "b" | "a" | "t" | "m") => key = word,
                (_, "mol" | "kbond" | "store") => {
                    if word == "mol" {
                        return args.fail("molecule templates are not read", "select bonds with b, a, t or m");
                    }
                    args.text(k + 1, word)?;
                    k += 1;
                }
                ("b", _) => {
                    shake.bonds.insert(types.number(args, k, Kind::Bond)?);
                }
                ("a", _) => {
                    shake.angles.insert(types.number(args, k, Kind::Angle)?);
                }
                ("t", _) => {
                    shake.atoms.insert(types.number(args, k, Kind::Atom)?);
                }
                ("m", _) => shake.masses.push(args.positive(k, "a mass")?),
                (_, other) => {
                    return args.fail(format!("\"{}\" is not known", shown(other)), "select bonds with b, a, t or m");
                }
            }
            k += 1;
        }
        Ok(shake)
    }

    /// The distances that this fix holds, ascending.
    pub fn constraints(
        &self,
        data: &Data,
        masses: &[f64],
        bonded: &[Bonded; 4],
    ) -> Result<Vec<Constraint>, ImportError> {
        let length_of = |class: usize, kind: usize, line: usize| -> Result<f64, ImportError> {
            let place = data.at(line);
            let (coefficients, at) = bonded[class].get(kind, &data.types, &place)?;
            coefficients.equilibrium.filter(|x| *x > 0.0).ok_or_else(|| {
                ImportError::at(
                    at,
                    "fix shake",
                    format!("{} type {kind} has no equilibrium value to be held at", Kind::ALL[class + 1].name()),
                    "constrain bonds and angles of style harmonic or charmm",
                )
            })
        };
        let mut held = BTreeMap::new();
        for bond in &data.links[0] {
            let [i, j, ..] = bond.atoms;
            let of_atom = |a: u32| {
                let a = a as usize;
                self.atoms.contains(&data.atoms[a].kind)
                    || self.masses.iter().any(|m| (m - masses[a]).abs() <= MASS_TOLERANCE)
            };
            if self.bonds.contains(&bond.kind) || of_atom(i) || of_atom(j) {
                held.insert([i.min(j), i.max(j)], length_of(0, bond.kind, bond.line)?);
            }
        }
        let mut all: Vec<Constraint> = Vec::new();
        for angle in data.links[1].iter().filter(|a| self.angles.contains(&a.kind)) {
            let [i, j, k, _] = angle.atoms;
            let side = |a: u32| held.get(&[a.min(j), a.max(j)]).copied();
            // LAMMPS holds an angle only between two bonds that it holds.
            if let (Some(a), Some(b)) = (side(i), side(k)) {
                let theta = length_of(1, angle.kind, angle.line)?;
                let length = (a * a + b * b - 2.0 * a * b * special::cos(theta)).sqrt();
                all.push(Constraint { atoms: [i.min(k), i.max(k)], length });
            }
        }
        all.extend(held.into_iter().map(|(atoms, length)| Constraint { atoms, length }));
        if all.is_empty() {
            return Err(ImportError::at(
                &self.place,
                "fix shake",
                "it selects no bond",
                "check the types and masses that it names",
            ));
        }
        all.sort_by_key(|c| c.atoms);
        all.dedup_by_key(|c| c.atoms);
        Ok(all)
    }
}
