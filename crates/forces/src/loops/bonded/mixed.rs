//! Bonded interactions and plain scaled pairs in mixed precision: one sweep, sixteen interactions at a time in f32.
//!
//! Each block of consecutive atoms has the interactions of its own atoms, those with others in the blocks of each of
//! them: it then adds to the forces of its own atoms alone, and blocks need neither each other's results nor a buffer
//! for each thread. Coordinates are fractions of the cell in fixed point ([`ShortFractions`]), so that differences are
//! exact and those of the nearest images; forces are rounded to fixed point, so that every interaction exerts the same
//! force, bit by bit, in each block that has it, and none in sum.
//!
//! f32 cannot tell what happens near singularities (atoms on a line or on one spot) and with forces beyond its fixed
//! point. Such interactions, lane by lane, are left to the f64 formulas of [`super::kernel`].

mod block;
mod job;
mod lanes;

use std::cell::RefCell;

use amelo_core::coordinates::{CoordinateUnits, ShortFractions};
use amelo_core::{Class, ForceError, ForceTerm, Forces, Request, System, Topology};
use amelo_math::Mat3;
use amelo_math::lanes::{Isa, dispatch};
use rayon::prelude::*;

use super::list::InteractionList;
use crate::ForcesError;
use crate::bonded::{AnyAngle, AnyBond, AnyDihedral, AnyImproper};
use crate::scaled_pairs::{PlainPair, PlainPairs};
use block::{BLOCK, Block};
use job::{BlockJob, Scratch, Sums};

thread_local! {
    /// Each thread's own, kept from one evaluation to the next.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Energies that the sweep tells apart, by their names.
const KEYS: [&str; 6] = ["bond", "angle", "dihedral", "improper", "vdw_14", "coulomb_14"];
/// Places of them.
const BOND: usize = 0;
const ANGLE: usize = 1;
const DIHEDRAL: usize = 2;
const IMPROPER: usize = 3;
const VDW_14: usize = 4;
const COULOMB_14: usize = 5;

/// Every form with its parameters.
struct FormTables {
    bonds: Vec<AnyBond>,
    angles: Vec<AnyAngle>,
    dihedrals: Vec<AnyDihedral>,
    impropers: Vec<AnyImproper>,
    pairs: Vec<PlainPair>,
}

/// All bonded interactions of a topology, and its scaled pairs of plain Lennard-Jones.
pub(crate) struct MixedBonded {
    forms: FormTables,
    blocks: Vec<Block>,
    /// What the last evaluation of each block gave.
    outcomes: Vec<Result<Sums, ForceError>>,
    /// Which energies there are.
    present: [bool; KEYS.len()],
    n_atoms: usize,
    isa: Isa,
}

impl MixedBonded {
    /// The bonded interactions of `topology` with `pairs`; nothing where a block has to do with more atoms than it can
    /// number, as where one atom is bound to tens of thousands. Errors: an unknown form, parameters that it refuses,
    /// atoms that do not exist.
    pub fn new(topology: &Topology, pairs: PlainPairs, isa: Isa) -> Result<Option<Self>, ForcesError> {
        let bonds = InteractionList::<AnyBond, 2>::new(topology, Class::Bond, KEYS[BOND])?;
        let angles = InteractionList::<AnyAngle, 3>::new(topology, Class::Angle, KEYS[ANGLE])?;
        let dihedrals = InteractionList::<AnyDihedral, 4>::new(topology, Class::Dihedral, KEYS[DIHEDRAL])?;
        let impropers = InteractionList::<AnyImproper, 4>::new(topology, Class::Improper, KEYS[IMPROPER])?;
        let present = [
            !bonds.atoms.is_empty(),
            !angles.atoms.is_empty(),
            !dihedrals.atoms.is_empty(),
            !impropers.atoms.is_empty(),
            !pairs.pairs.is_empty(),
            !pairs.pairs.is_empty(),
        ];
        let n_atoms = topology.n_atoms();
        let Some(blocks) = Block::all(n_atoms, &bonds, &angles, &dihedrals, &impropers, &pairs) else {
            return Ok(None);
        };
        let forms = FormTables {
            bonds: bonds.forms,
            angles: angles.forms,
            dihedrals: dihedrals.forms,
            impropers: impropers.forms,
            pairs: pairs.kinds,
        };
        let outcomes = vec![Ok(Sums::default()); blocks.len()];
        Ok(Some(MixedBonded { forms, blocks, outcomes, present, n_atoms, isa }))
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.present == [false; KEYS.len()]
    }
}

impl ForceTerm for MixedBonded {
    fn name(&self) -> &'static str {
        "bonded"
    }

    fn add(&mut self, system: &System, want: Request, out: &mut Forces) -> Result<(), ForceError> {
        if system.n_atoms() != self.n_atoms {
            let message = format!("made for {} atoms, but the system has {}", self.n_atoms, system.n_atoms());
            return Err(ForceError::Other { term: self.name(), message });
        }
        let (fractions, units) = (ShortFractions::of(&system.cell), CoordinateUnits::of::<f32>(&system.cell));
        let (isa, forms, wanted) = (self.isa, &self.forms, want.energy || want.virial);
        let blocks = out.on.par_chunks_mut(BLOCK).zip(&self.blocks).zip(&mut self.outcomes);
        blocks.for_each(|((on, block), outcome)| {
            SCRATCH.with_borrow_mut(|scratch| {
                let job = BlockJob { forms, block, scratch, system, fractions, units, want: wanted, on };
                *outcome = dispatch(isa, job);
            });
        });
        let mut sums = Sums::default();
        for outcome in &self.outcomes {
            sums.add(outcome.as_ref().map_err(Clone::clone)?);
        }
        if want.energy {
            for ((key, energy), present) in KEYS.into_iter().zip(sums.energy).zip(self.present) {
                if present {
                    out.energy.add(key, energy);
                }
            }
        }
        if want.virial {
            let mut virial = Mat3::ZERO;
            for (&(a, b), part) in Mat3::SYMMETRIC.iter().zip(sums.virial) {
                virial[(a, b)] = part;
                virial[(b, a)] = part;
            }
            out.virial += virial;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
