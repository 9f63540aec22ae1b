//! Constraints as SHAKE knows them: stars of up to three bonds about one atom, and rigid water, whose third distance is
//! an angle there. <https://docs.lammps.org/fix_shake.html>

use std::collections::{BTreeMap, BTreeSet};

use amelo_core::Topology;
use amelo_math::special;

use super::refuse;
use crate::formats::model::NoCounterpart;

/// Most bonds of one star.
const MOST: usize = 3;

/// The constraints of a topology.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Constraints {
    bonds: BTreeMap<[u32; 2], f64>,
    /// Middle atom and sorted ends → angle (rad).
    angles: BTreeMap<(u32, [u32; 2]), f64>,
}

impl Constraints {
    pub fn of(topology: &Topology) -> Result<Self, NoCounterpart> {
        let key = |[i, j]: [u32; 2]| [i.min(j), i.max(j)];
        let chemical: BTreeSet<[u32; 2]> = topology.bonds.iter().copied().map(key).collect();
        let mut found = Constraints::default();
        let mut others = Vec::new();
        let mut partners: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for c in &topology.constraints {
            let pair = key(c.atoms);
            if chemical.contains(&pair) {
                found.bonds.insert(pair, c.length);
                partners.entry(pair[0]).or_default().push(pair[1]);
                partners.entry(pair[1]).or_default().push(pair[0]);
            } else {
                others.push((pair, c.length));
            }
        }
        for (pair, length) in others {
            let none = Vec::new();
            let of = |a: u32| partners.get(&a).unwrap_or(&none);
            let middle = of(pair[0]).iter().copied().find(|m| of(pair[1]).contains(m) && of(*m).len() == 2);
            let Some(middle) = middle else {
                let what =
                    format!("a constraint between atoms {} and {}, which are not bonded", pair[0] + 1, pair[1] + 1);
                return Err(refuse(what, "constrain bonds to hydrogen, or the three distances of a water"));
            };
            let side = |a: u32| found.bonds[&key([a, middle])];
            found.angles.insert((middle, pair), angle_of(side(pair[0]), side(pair[1]), length));
        }
        for (&atom, list) in &partners {
            let shared = list.iter().find(|p| list.len() > 1 && partners[p].len() > 1);
            if list.len() > MOST || shared.is_some() {
                let what = format!("the constraints about atom {}: {} bonds, or a chain of them", atom + 1, list.len());
                return Err(refuse(what, "SHAKE takes stars of up to three bonds: constrain bonds to hydrogen only"));
            }
        }
        Ok(found)
    }

    /// Length (nm) of the constraint on the bond `pair` (ascending).
    pub fn length(&self, pair: [u32; 2]) -> Option<f64> {
        self.bonds.get(&pair).copied()
    }

    /// The angle (rad) at which the three atoms are held.
    pub fn angle(&self, atoms: &[u32]) -> Option<f64> {
        let ends = [atoms[0].min(atoms[2]), atoms[0].max(atoms[2])];
        self.angles.get(&(atoms[1], ends)).copied()
    }

    /// Every rigid angle: its atoms, the middle one second, and its size (rad).
    pub fn angles(&self) -> Vec<([u32; 3], f64)> {
        self.angles.iter().map(|(&(middle, [i, k]), &theta)| ([i, middle, k], theta)).collect()
    }
}

/// The angle (rad) between sides a and b opposite to c.
fn angle_of(a: f64, b: f64, c: f64) -> f64 {
    special::acos(((a * a + b * b - c * c) / (2.0 * a * b)).clamp(-1.0, 1.0))
}
