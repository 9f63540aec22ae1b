//! The sweep over bonds, angles, dihedrals and impropers, in one term.
//!
//! Interactions are cut into chunks in the order of the topology. Within a chunk those of one form with the same
//! parameters stand together, as a run: the innermost loops then have one formula with constant parameters and arrays
//! of coordinates, and [`amelo_math::lanes::dispatch`] compiles them for every instruction set. They use no fused
//! multiply-add, so that all sets give the same bits.

mod kernel;
mod list;
mod mixed;

use amelo_core::{Class, ForceError, ForceTerm, Forces, Nonbonded, PairTable, Precision, Request, System, Topology};
use amelo_math::fixed::FixedVec3;
use amelo_math::lanes::{Isa, dispatch};

use super::Sweep;
use crate::bonded::{AnyAngle, AnyBond, AnyDihedral, AnyForm, AnyImproper};
use crate::{ForcesError, ScaledPairs};
use kernel::{Bend, Chunk, Geometry, Stretch, Sums, Twist};
use list::InteractionList;
use mixed::MixedBonded;

/// The bonded term of a topology, or nothing where it has no bonded interaction; energies `bond`, `angle`, `dihedral`,
/// `improper`. Errors: an unknown form, parameters that it refuses, atoms that do not exist.
pub fn bonded_terms(topology: &Topology) -> Result<Vec<Box<dyn ForceTerm>>, ForcesError> {
    let bonded = Bonded::new(topology, Isa::current())?;
    Ok(if bonded.chunks.is_empty() { Vec::new() } else { vec![Box::new(bonded)] })
}

/// The bonded terms and the scaled pairs of a topology, in the precision of `settings`; what there is none of has no
/// term. Energies `bond`, `angle`, `dihedral`, `improper`, `vdw_14`, `coulomb_14`. Errors as of [`bonded_terms`] and
/// [`ScaledPairs::new`].
pub fn molecular_terms(
    topology: &Topology,
    table: &PairTable,
    settings: &Nonbonded,
) -> Result<Vec<Box<dyn ForceTerm>>, ForcesError> {
    if settings.precision == Precision::Mixed {
        let (plain, others) = ScaledPairs::split(topology, table, settings)?;
        if let Some(mixed) = MixedBonded::new(topology, plain, Isa::current())? {
            let mut terms: Vec<Box<dyn ForceTerm>> = Vec::new();
            if !mixed.is_empty() {
                terms.push(Box::new(mixed));
            }
            if !others.is_empty() {
                terms.push(Box::new(others));
            }
            return Ok(terms);
        }
    }
    let mut terms = bonded_terms(topology)?;
    if !topology.scaled_pairs.is_empty() {
        terms.push(Box::new(ScaledPairs::new(topology, table, settings)?));
    }
    Ok(terms)
}

/// All bonded interactions.
struct Bonded {
    bonds: InteractionList<AnyBond, 2>,
    angles: InteractionList<AnyAngle, 3>,
    dihedrals: InteractionList<AnyDihedral, 4>,
    impropers: InteractionList<AnyImproper, 4>,
    /// Class, and chunk of its list.
    chunks: Vec<(Class, usize)>,
    isa: Isa,
    sweep: Sweep,
}

impl Bonded {
    fn new(topology: &Topology, isa: Isa) -> Result<Self, ForcesError> {
        let bonds = InteractionList::new(topology, Class::Bond, "bond")?;
        let angles = InteractionList::new(topology, Class::Angle, "angle")?;
        let dihedrals = InteractionList::new(topology, Class::Dihedral, "dihedral")?;
        let impropers = InteractionList::new(topology, Class::Improper, "improper")?;
        // Dihedrals first: the last chunks, on which threads may have to wait, are then the cheap ones.
        let lengths = [
            (Class::Dihedral, dihedrals.chunks.len()),
            (Class::Improper, impropers.chunks.len()),
            (Class::Angle, angles.chunks.len()),
            (Class::Bond, bonds.chunks.len()),
        ];
        let chunks = lengths.into_iter().flat_map(|(class, n)| (0..n).map(move |k| (class, k))).collect();
        Ok(Bonded { bonds, angles, dihedrals, impropers, chunks, isa, sweep: Sweep::default() })
    }

    fn sum<A: AnyForm, G: Geometry<N>, const N: usize>(
        &self,
        list: &InteractionList<A, N>,
        chunk: usize,
        system: &System,
        want: Request,
        forces: &mut [FixedVec3],
    ) -> Result<Sums, ForceError> {
        dispatch(self.isa, Chunk::<A, G, N>::new(list, chunk, system, want, forces))
    }
}

impl ForceTerm for Bonded {
    fn name(&self) -> &'static str {
        "bonded"
    }

    fn add(&mut self, system: &System, want: Request, out: &mut Forces) -> Result<(), ForceError> {
        // The buffers are lent to the sweep, which the lists do not need.
        let mut sweep = std::mem::take(&mut self.sweep);
        let lists = &*self;
        let sums = sweep.run(lists.chunks.len(), &mut out.on, |k, forces| match lists.chunks[k] {
            (Class::Bond, chunk) => lists.sum::<_, Stretch, 2>(&lists.bonds, chunk, system, want, forces),
            (Class::Angle, chunk) => lists.sum::<_, Bend, 3>(&lists.angles, chunk, system, want, forces),
            (Class::Dihedral, chunk) => lists.sum::<_, Twist, 4>(&lists.dihedrals, chunk, system, want, forces),
            (Class::Improper, chunk) => lists.sum::<_, Twist, 4>(&lists.impropers, chunk, system, want, forces),
        });
        self.sweep = sweep;
        let sums = sums?;
        if want.energy {
            let classes = [
                (Class::Bond, self.bonds.key),
                (Class::Angle, self.angles.key),
                (Class::Dihedral, self.dihedrals.key),
                (Class::Improper, self.impropers.key),
            ];
            for (class, key) in classes {
                let of_class = self.chunks.iter().zip(&sums).filter(|((c, _), _)| *c == class).map(|(_, s)| s.energy);
                // A class without interactions has no energy, not one of zero.
                if of_class.clone().next().is_some() {
                    out.energy.add(key, of_class.sum());
                }
            }
        }
        if want.virial {
            out.virial += sums.iter().map(|s| s.virial).sum();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bonded::examples;
    use amelo_core::{Cell, Interactions};
    use amelo_math::Vec3;

    /// Every form on chains of random atoms, more than one chunk, its parameters in two rows that are equal.
    fn system(class: Class, form: &str, parameters: &[f64]) -> System {
        let noise = amelo_math::philox::Noise::new(6, 90);
        let n = 1500;
        let mut positions = vec![Vec3::new(1.0, 1.0, 1.0)];
        for k in 1..n {
            positions.push(positions[k - 1] + noise.normal3(k as u32, 0, 0).normalized() * 0.15);
        }
        let arity = class.arity();
        let starts = 0..n + 1 - arity;
        let topology = Topology {
            type_of: vec![0; n].into(),
            masses: vec![1.0; n].into(),
            charges: vec![0.0; n].into(),
            interactions: vec![Interactions {
                class,
                form: form.into(),
                atoms: starts.clone().flat_map(|i| i as u32..(i + arity) as u32).collect(),
                kind: starts.map(|i| i as u32 % 2).collect(),
                parameters: vec![parameters.to_vec(); 2],
            }]
            .into(),
            ..Topology::default()
        };
        System::new(topology.into(), Cell::orthorhombic(2.0, 2.1, 2.2).unwrap(), positions)
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        for (class, info, parameters) in examples() {
            let system = system(class, info.name, parameters);
            let with = |isa: Isa| {
                let mut term = Bonded::new(&system.topology, isa).unwrap();
                assert_eq!(term.chunks.len(), 2);
                let mut out = Forces::new(system.n_atoms());
                term.add(&system, Request::ALL, &mut out).unwrap();
                out
            };
            let expected = with(Isa::Portable);
            assert!(expected.energy.potential() != 0.0 && expected.virial.max_abs() > 0.0);
            for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
                assert_eq!(with(isa), expected, "{class:?} {} with {}", info.name, isa.name());
            }
        }
    }

    #[test]
    fn equal_parameters_are_one_form() {
        let system = system(Class::Bond, "harmonic", &[0.15, 1000.0]);
        let list = InteractionList::<AnyBond, 2>::new(&system.topology, Class::Bond, "bond").unwrap();
        assert_eq!((list.forms.len(), list.atoms.len(), list.runs.len()), (1, 1499, 2));
    }
}
