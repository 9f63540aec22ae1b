//! A cylinder along z taken out of a periodic oxide, in whole TiO₂ units.
//!
//! Every Ti inside the cylinder goes. Of the O, first all stay that keep a Ti, so that every remaining Ti has all of its
//! own; that is too many, and the excess is trimmed one by one to exactly two O for each Ti: those with the fewest Ti
//! first, and among them the one whose Ti can spare it best, then the one that leaves the smallest dipole. A Ti that
//! would be left with fewer O than asked for is taken out as well, and the trimming begins anew.

use std::collections::BTreeSet;

use amelo_core::Cell;
use amelo_math::Vec3;
use serde::{Deserialize, Serialize};

use super::from_axis;
use crate::contacts::{Contacts, radius};
use crate::surface::BOND_LENGTH;

/// Dipoles closer than this are equal (e·nm): far below what rounding over a sum of atoms leaves between machines.
const SAME_DIPOLE: f64 = 1e-6;

/// A periodic oxide, in a right-angled cell.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// Its cell.
    pub cell: &'a Cell,
    /// \[n_atoms\] positions (nm).
    pub positions: &'a [Vec3],
    /// \[n_atoms\] element, `Ti` or `O`.
    pub elements: &'a [&'static str],
    /// \[n_atoms\] charge (e).
    pub charges: &'a [f64],
}

/// An atom outside the cylinder that went all the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trimmed {
    /// Its element.
    pub element: String,
    /// Its place before any relaxation (nm), in the cell of the pore.
    pub position: [f64; 3],
    /// Its bonds to what remained at that moment.
    pub bonds: usize,
    /// Why.
    pub reason: String,
}

/// What the carving leaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Carved {
    /// Numbers of the atoms that stay, ascending.
    pub kept: Vec<usize>,
    /// \[kept\] positions (nm) in the cell, whose middle the pore's axis goes through.
    pub positions: Vec<Vec3>,
    /// TiO₂ units removed.
    pub removed_units: usize,
    /// Of them, what stood outside the cylinder.
    pub trimmed: Vec<Trimmed>,
    /// Dipole across the axis, x and y, that the removal leaves, over the length of the pore (e): minus that of the removed
    /// atoms, which together are neutral. Along the axis, where the wall has no end, a dipole is not defined.
    pub dipole_per_length: [f64; 2],
    /// \[kept\] number of bonds.
    pub coordination: Vec<usize>,
}

/// Carves a cylinder of `radius` (nm) along z. Its axis is the one of `axes` (x and y, nm) that leaves the fewest Ti with
/// less than `least` O, then parts the fewest bonds, then has the smallest dipole; the first of equals.
pub fn carve(block: Block, axes: &[[f64; 2]], radius: f64, least: usize) -> Option<Carved> {
    let bonds = bonds(block);
    let score = |c: &Carved| {
        let titanium = c.kept.iter().zip(&c.coordination).filter(|(k, _)| block.elements[**k] == "Ti");
        let few = titanium.filter(|(_, n)| **n < least).count();
        let parted: usize = bonds.iter().map(Vec::len).sum::<usize>() - c.coordination.iter().sum::<usize>();
        // Bonds inside the cylinder went with their atoms: only the units that remain are compared.
        let per_unit = parted as i64 - 12 * c.removed_units as i64;
        let [x, y] = c.dipole_per_length;
        (few, per_unit, round(Vec3::new(x, y, 0.0).norm()))
    };
    let carved = axes.iter().map(|axis| Carving::new(block, &bonds, *axis).carve(radius, least));
    carved.min_by_key(score)
}

fn round(dipole: f64) -> i64 {
    (dipole / SAME_DIPOLE).round() as i64
}

/// Of each atom its partners of the other element.
fn bonds(block: Block) -> Vec<Vec<usize>> {
    let mut contacts = Contacts::new(*block.cell, None, 1.0);
    block.positions.iter().zip(block.elements).for_each(|(r, e)| contacts.push(*r, radius(e)));
    let partners = |k: usize| {
        let mut found = Vec::new();
        contacts.each_within(block.positions[k], BOND_LENGTH, |j, _| {
            if block.elements[j] != block.elements[k] {
                found.push(j);
            }
        });
        found.sort_unstable();
        found
    };
    (0..block.positions.len()).map(partners).collect()
}

/// One attempt, about one axis.
struct Carving<'a> {
    block: Block<'a>,
    bonds: &'a [Vec<usize>],
    /// \[n_atoms\] place from the axis (nm), across it.
    from_axis: Vec<Vec3>,
}

/// Which atoms stay at some moment.
struct Kept {
    here: Vec<bool>,
    /// Bonds of each atom to what is here.
    count: Vec<usize>,
    /// Sum of the removed charges times their places across the axis (e·nm).
    moment: Vec3,
}

impl<'a> Carving<'a> {
    fn new(block: Block<'a>, bonds: &'a [Vec<usize>], axis: [f64; 2]) -> Self {
        let edges = block.cell.diagonal();
        let from_axis = block.positions.iter().map(|r| from_axis(*r, axis, edges)).collect();
        Carving { block, bonds, from_axis }
    }

    fn lateral(&self, atom: usize) -> f64 {
        self.from_axis[atom].norm()
    }

    fn is_titanium(&self, atom: usize) -> bool {
        self.block.elements[atom] == "Ti"
    }

    fn carve(&self, radius: f64, least: usize) -> Carved {
        let n = self.block.positions.len();
        let mut poor = BTreeSet::new();
        loop {
            let titanium: Vec<bool> =
                (0..n).map(|k| self.is_titanium(k) && self.lateral(k) >= radius && !poor.contains(&k)).collect();
            let (kept, trimmed) = self.trim(&titanium);
            let left = |k: &usize| kept.here[*k] && self.is_titanium(*k);
            let next = (0..n)
                .filter(left)
                .filter(|&k| kept.count[k] < least)
                .min_by(|&i, &j| kept.count[i].cmp(&kept.count[j]).then(self.lateral(i).total_cmp(&self.lateral(j))));
            match next {
                // A wall that falls apart is worse than one with a poor Ti.
                Some(k) if poor.len() < titanium.iter().filter(|t| **t).count() / 10 => {
                    poor.insert(k);
                }
                _ => return self.finish(kept, trimmed, &poor, least),
            }
        }
    }

    /// Removes every Ti that is not to stay, then O down to two for each Ti; the O that were trimmed with their bonds.
    fn trim(&self, titanium: &[bool]) -> (Kept, Vec<(usize, usize)>) {
        let n = titanium.len();
        let count = self.bonds.iter().map(Vec::len).collect();
        let mut kept = Kept { here: vec![true; n], count, moment: Vec3::ZERO };
        (0..n).filter(|&k| self.is_titanium(k) && !titanium[k]).for_each(|k| self.remove(k, &mut kept));
        let oxygen = |k: &usize| !self.is_titanium(*k);
        let lonely: Vec<usize> = (0..n).filter(oxygen).filter(|&k| kept.count[k] == 0).collect();
        lonely.into_iter().for_each(|k| self.remove(k, &mut kept));
        let wanted = 2 * titanium.iter().filter(|t| **t).count();
        let mut there = (0..n).filter(oxygen).filter(|&k| kept.here[k]).count();
        let mut trimmed = Vec::new();
        let mut parted: Vec<usize> =
            (0..n).filter(oxygen).filter(|&k| kept.here[k] && kept.count[k] < self.bonds[k].len()).collect();
        while there > wanted {
            let cost = |&k: &usize| {
                let poorest = self.bonds[k].iter().filter(|&&t| kept.here[t]).map(|&t| kept.count[t]).min();
                let moment = kept.moment + self.from_axis[k] * self.block.charges[k];
                (kept.count[k], std::cmp::Reverse(poorest), round(moment.norm()), k)
            };
            // No O that lost a bond is left only where nothing was carved.
            let Some(k) = parted.iter().copied().min_by_key(cost) else { break };
            parted.retain(|&other| other != k);
            trimmed.push((k, kept.count[k]));
            self.remove(k, &mut kept);
            there -= 1;
        }
        (kept, trimmed)
    }

    fn remove(&self, atom: usize, kept: &mut Kept) {
        kept.here[atom] = false;
        kept.moment += self.from_axis[atom] * self.block.charges[atom];
        for &partner in &self.bonds[atom] {
            kept.count[partner] -= 1;
        }
    }

    fn finish(&self, kept: Kept, trimmed: Vec<(usize, usize)>, poor: &BTreeSet<usize>, least: usize) -> Carved {
        let edges = self.block.cell.diagonal();
        let place = |k: usize| {
            let mut r = self.from_axis[k] + Vec3::new(0.5 * edges.x, 0.5 * edges.y, self.block.positions[k].z);
            self.block.cell.wrap(&mut r, &mut [0; 3]);
            r
        };
        let titanium = poor.iter().map(|&k| Trimmed {
            element: "Ti".into(),
            position: place(k).to_array(),
            bonds: self.bonds[k].len(),
            reason: format!("it would have been left with fewer than {least} O"),
        });
        let oxygen = trimmed.iter().map(|&(k, bonds)| Trimmed {
            element: "O".into(),
            position: place(k).to_array(),
            bonds,
            reason: "beyond two O for each Ti, and with the fewest Ti".into(),
        });
        let all: Vec<usize> = (0..kept.here.len()).filter(|&k| kept.here[k]).collect();
        let gone = (0..kept.here.len()).filter(|&k| !kept.here[k] && self.is_titanium(k)).count();
        Carved {
            positions: all.iter().map(|&k| place(k)).collect(),
            removed_units: gone,
            trimmed: titanium.chain(oxygen).collect(),
            dipole_per_length: [-kept.moment.x / edges.z, -kept.moment.y / edges.z],
            coordination: all.iter().map(|&k| kept.count[k]).collect(),
            kept: all,
        }
    }
}
