//! A bounded repulsion that takes atoms of a fresh packing apart before the true potentials, which diverge, are used.
//!
//! U(r) = ε (1 − r/d)² below the contact distance d of the two types, 0 beyond: finite for atoms on top of each other,
//! with its largest force there, and continuous force at d. It replaces van der Waals and Coulomb; bonded terms stay.

use amelo_core::units::COULOMB;
use amelo_core::{ForceError, ForceTerm, Forces, PairTable, Request, System, Topology};
use amelo_math::Vec3;
use amelo_math::fixed::FixedVec3;
use amelo_neighbor::NeighborList;

use crate::ForcesError;
use crate::loops::sums::{Sums, energy, rounded, total};
use crate::loops::{Sweep, check_types, list_error};
use crate::pair::{AnyPair, PairForms};

/// Contact is where a pair potential, coming from outside, first rises above this energy (kJ/mol).
/// The oxygens along an edge of anatase, 0.246 nm apart, stand at 18 kJ/mol and must not count as overlapping.
const CONTACT_ENERGY: f64 = 25.0;

/// Least contact distance (nm): hydrogens without van der Waals parameters and pairs without a potential.
const LEAST_CONTACT: f64 = 0.12;

/// Extra radius of the pair list (nm).
const BUFFER: f64 = 0.1;

/// Contact distances and the height of the repulsion.
struct Contacts {
    n_types: usize,
    /// Contact distances d (nm), square, row by row.
    distances: Vec<f64>,
    /// ε (kJ/mol).
    strength: f64,
}

/// The soft repulsion of all pairs that are not excluded. Energy `push_off`; it is zero exactly when no pair is closer
/// than its contact distance.
pub struct PushOff {
    contacts: Contacts,
    list: NeighborList,
    /// \[n_atoms\] all the same.
    classes: Vec<u8>,
    sweep: Sweep,
}

impl PushOff {
    const NAME: &'static str = "push_off";

    /// A repulsion of height `strength` (kJ/mol; some hundreds win against bonded terms) with contact distances that
    /// follow from the pair potentials. Errors: a strength that is not positive or above 10⁵, a table of another number
    /// of types, a form or parameter that is refused.
    pub fn new(topology: &Topology, table: &PairTable, strength: f64) -> Result<Self, ForcesError> {
        if !(strength > 0.0 && strength <= 1e5) {
            let message =
                format!("the push-off's strength is {strength} kJ/mol, but must lie between 0 and 1e5 kJ/mol");
            return Err(ForcesError::setting(message));
        }
        let forms = PairForms::of(topology, table)?;
        let n_types = forms.n_types();
        let charges = mean_charges(topology);
        let distances: Vec<f64> = (0..n_types * n_types)
            .map(|k| contact_distance(&forms.square()[k], charges[k / n_types] * charges[k % n_types]))
            .collect();
        let reach = distances.iter().copied().fold(LEAST_CONTACT, f64::max);
        Ok(PushOff {
            contacts: Contacts { n_types, distances, strength },
            list: NeighborList::new(reach, BUFFER),
            classes: Vec::new(),
            sweep: Sweep::default(),
        })
    }

    /// Contact distance (nm) of types `a` and `b`.
    pub fn contact(&self, a: usize, b: usize) -> f64 {
        self.contacts.of(a, b)
    }
}

impl Contacts {
    fn of(&self, a: usize, b: usize) -> f64 {
        self.distances[a * self.n_types + b]
    }

    /// Energy and virial of one chunk of pairs.
    fn chunk(&self, pairs: impl Iterator<Item = [usize; 2]>, system: &System, forces: &mut [FixedVec3]) -> Sums {
        let type_of = &system.topology.type_of;
        let mut sums = Sums::default();
        for [i, j] in pairs {
            let contact = self.of(type_of[i] as usize, type_of[j] as usize);
            let d = system.cell.minimum_image(system.positions[i] - system.positions[j]);
            let r = d.norm();
            if r >= contact {
                continue;
            }
            // Atoms exactly on each other have no direction; any one takes them apart that does not depend on which of
            // them comes first.
            let along = Vec3::unit((i + j) % 3) * if i < j { 1.0 } else { -1.0 };
            let direction = if r > 0.0 { d / r } else { along };
            let overlap = 1.0 - r / contact;
            let force = direction * (2.0 * self.strength * overlap / contact);
            let fixed = FixedVec3::from_vec3(force);
            forces[i].add(fixed);
            forces[j].sub(fixed);
            sums.vdw += rounded(self.strength * overlap * overlap);
            sums.add_virial(d, force);
        }
        sums
    }
}

/// \[n_types\] mean charge (e) of the atoms of each type.
fn mean_charges(topology: &Topology) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); topology.types.len()];
    for (&t, q) in topology.type_of.iter().zip(&topology.charges) {
        sums[t as usize].0 += q;
        sums[t as usize].1 += 1.0;
    }
    sums.into_iter().map(|(q, n): (f64, f64)| q / n.max(1.0)).collect()
}

/// Where `potential`, with the attraction of unlike charges whose product is `qq` (e²), first rises above
/// [`CONTACT_ENERGY`] on the way in (nm); at least [`LEAST_CONTACT`]. Without that attraction the neighbours of a
/// crystal, which its charges hold inside the repulsion, would count as overlapping.
fn contact_distance(potential: &AnyPair, qq: f64) -> f64 {
    const OUTERMOST: f64 = 0.6;
    const STEP: f64 = 0.001;
    let mut r = OUTERMOST;
    while r > LEAST_CONTACT && potential.eval(r * r).energy + (COULOMB * qq / r).min(0.0) < CONTACT_ENERGY {
        r -= STEP;
    }
    r.max(LEAST_CONTACT)
}

impl ForceTerm for PushOff {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn reach(&self) -> Option<f64> {
        Some(self.list.r_cut())
    }

    fn add(&mut self, system: &System, want: Request, out: &mut Forces) -> Result<(), ForceError> {
        let PushOff { contacts, list, classes, sweep } = self;
        check_types(Self::NAME, system, contacts.n_types)?;
        classes.resize(system.n_atoms(), 0);
        list.update(&system.cell, &system.positions, &system.topology.exclusions, classes)
            .map_err(|e| list_error(Self::NAME, list.r_cut(), e))?;
        let partials = sweep.run(list.n_chunks(), &mut out.on, |chunk, forces| {
            Ok(contacts.chunk(list.pairs_of(chunk), system, forces))
        })?;
        let sums = total(&partials);
        if want.energy {
            out.energy.add(Self::NAME, energy(sums.vdw));
        }
        if want.virial {
            out.virial += sums.virial();
        }
        Ok(())
    }
}
