//! Everything between pairs of atoms within the cut-off: van der Waals with its modifier, Coulomb in real space.

use amelo_core::{ForceError, ForceTerm, Forces, NearestImage, Nonbonded, PairTable, Request, System, Topology};
use amelo_math::fixed::FixedVec3;
use amelo_math::{Mat3, Vec3};
use amelo_neighbor::{NeighborError, NeighborList};

use super::Sweep;
use crate::coulomb::RealSpace;
use crate::pair::{Modified, PairForms};
use crate::{ForcesError, PairEval};

/// Default extra radius of the pair list (nm). It costs time, never accuracy: the list is rebuilt before it could miss
/// a pair.
pub const DEFAULT_BUFFER: f64 = 0.15;

/// Pair potentials and real-space Coulomb over all pairs within the cut-off that are not excluded.
/// Energies `vdw` and `coulomb_real`; event `guard` counts pairs inside a potential's short-range guard.
pub struct NonbondedTerm {
    kernel: Kernel,
    list: NeighborList,
    sweep: Sweep,
}

/// What acts between two atoms of known types and charges.
struct Kernel {
    n_types: usize,
    /// Square, row by row.
    potentials: Vec<Modified>,
    /// Squared guard radius of each, nm².
    guard2: Vec<f64>,
    coulomb: RealSpace,
    r_cut: f64,
}

/// What one chunk of pairs sums up.
#[derive(Clone, Copy, Default)]
struct Partial {
    vdw: f64,
    coulomb: f64,
    virial: Mat3,
    guarded: u64,
}

impl NonbondedTerm {
    const NAME: &'static str = "nonbonded";

    /// The term for `topology` with the potentials of `table`. Errors: a table of another number of types, a form or
    /// parameter that is refused, a cut-off that is not positive, a switch distance not between 0 and the cut-off.
    pub fn new(topology: &Topology, table: &PairTable, settings: &Nonbonded) -> Result<Self, ForcesError> {
        Self::with_buffer(topology, table, settings, DEFAULT_BUFFER)
    }

    /// The same with another extra radius of the pair list (nm, not negative): it changes the speed and no bit.
    pub fn with_buffer(
        topology: &Topology,
        table: &PairTable,
        settings: &Nonbonded,
        buffer: f64,
    ) -> Result<Self, ForcesError> {
        let r_cut = settings.r_cut;
        if !(r_cut > 0.0 && r_cut.is_finite()) {
            return Err(ForcesError::setting(format!("the cut-off is {r_cut} nm, but it must be positive")));
        }
        if !(buffer >= 0.0 && buffer.is_finite()) {
            return Err(ForcesError::setting(format!("the list's buffer is {buffer} nm, but it must not be negative")));
        }
        let forms = PairForms::of(topology, table)?;
        let potentials = forms
            .square()
            .iter()
            .map(|&p| Modified::new(p, settings.modifier, r_cut))
            .collect::<Result<Vec<_>, ForcesError>>()?;
        let guard2 = forms.square().iter().map(|p| p.guard_radius() * p.guard_radius()).collect();
        let kernel = Kernel { n_types: forms.n_types(), potentials, guard2, coulomb: RealSpace::new(settings), r_cut };
        Ok(NonbondedTerm { kernel, list: NeighborList::new(r_cut, buffer), sweep: Sweep::default() })
    }

    /// The pair list as it stands.
    pub fn list(&self) -> &NeighborList {
        &self.list
    }
}

impl Kernel {
    /// One chunk of the list: for each atom first the partners within the cut-off, then what acts between them.
    fn chunk<'a>(
        &self,
        pairs: impl Iterator<Item = (usize, &'a [u32])>,
        system: &System,
        forces: &mut [FixedVec3],
    ) -> Result<Partial, ForceError> {
        let Topology { type_of, charges, .. } = &*system.topology;
        let image = system.cell.nearest_image();
        let mut sum = Partial::default();
        let mut near = Vec::new();
        for (i, partners) in pairs {
            let row = type_of[i] as usize * self.n_types;
            let mut on_i = FixedVec3::ZERO;
            for &Near { j, d, r2 } in self.within_cutoff(i, partners, &system.positions, &image, &mut near) {
                let kind = row + type_of[j] as usize;
                let vdw = self.potentials[kind].eval(r2);
                let qq = charges[i] * charges[j];
                let coulomb = if qq == 0.0 { PairEval::zero() } else { self.coulomb.eval(qq, r2) };
                let force = d * (vdw.force_over_r + coulomb.force_over_r);
                let fixed = FixedVec3::checked(force).ok_or_else(|| overlap(NonbondedTerm::NAME, i, j, d, force))?;
                on_i.add(fixed);
                forces[j].sub(fixed);
                sum.vdw += vdw.energy;
                sum.coulomb += coulomb.energy;
                sum.virial += d.outer(force);
                sum.guarded += u64::from(r2 < self.guard2[kind]);
            }
            forces[i].add(on_i);
        }
        Ok(sum)
    }

    /// The partners of atom `i` within the cut-off. Every partner is written down and the pen moves on only where it
    /// is near enough: a branch here would be mispredicted for every third pair.
    #[inline(always)]
    fn within_cutoff<'n>(
        &self,
        i: usize,
        partners: &[u32],
        positions: &[Vec3],
        image: &NearestImage,
        near: &'n mut Vec<Near>,
    ) -> &'n [Near] {
        let cut2 = self.r_cut * self.r_cut;
        if near.len() < partners.len() {
            near.resize(partners.len(), Near::default());
        }
        let mut n = 0;
        for &j in partners {
            let d = image.of(positions[i] - positions[j as usize]);
            let r2 = d.norm2();
            near[n] = Near { j: j as usize, d, r2 };
            n += usize::from(r2 < cut2);
        }
        &near[..n]
    }
}

/// A partner within the cut-off: its number, r_i − r_j to its nearest image (nm) and the square of that.
#[derive(Clone, Copy, Default)]
struct Near {
    j: usize,
    d: Vec3,
    r2: f64,
}

/// Two atoms so close that their force leaves the range of numbers.
pub(crate) fn overlap(term: &'static str, i: usize, j: usize, d: Vec3, force: Vec3) -> ForceError {
    ForceError::Overlap { term, i, j, r: d.norm(), force: force.norm() }
}

/// The system must have the types that a term was made for.
pub(crate) fn check_types(term: &'static str, system: &System, n_types: usize) -> Result<(), ForceError> {
    match system.topology.types.len() {
        n if n == n_types => Ok(()),
        n => Err(ForceError::Other {
            term,
            message: format!("made for {n_types} atom types, but the system has {n}: make the term anew"),
        }),
    }
}

/// A pair list's complaint in the words of a term.
pub(crate) fn list_error(term: &'static str, r_cut: f64, error: NeighborError) -> ForceError {
    match error {
        NeighborError::CellTooSmall { half_width } => ForceError::CellTooSmall { half_width, r_cut },
        NeighborError::NotFinite { atom } => ForceError::Other {
            term,
            message: format!(
                "the position of atom {atom} is not a finite number; the run has blown up or its input is damaged"
            ),
        },
    }
}

impl ForceTerm for NonbondedTerm {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn reach(&self) -> Option<f64> {
        Some(self.kernel.r_cut)
    }

    fn add(&mut self, system: &System, want: Request, out: &mut Forces) -> Result<(), ForceError> {
        let NonbondedTerm { kernel, list, sweep } = self;
        check_types(Self::NAME, system, kernel.n_types)?;
        list.update(&system.cell, &system.positions, &system.topology.exclusions)
            .map_err(|e| list_error(Self::NAME, kernel.r_cut, e))?;
        let partials =
            sweep.run(list.n_chunks(), &mut out.on, |chunk, forces| kernel.chunk(list.chunk(chunk), system, forces))?;

        let mut total = Partial::default();
        for p in partials {
            total.vdw += p.vdw;
            total.coulomb += p.coulomb;
            total.virial += p.virial;
            total.guarded += p.guarded;
        }
        if want.energy {
            out.energy.add("vdw", total.vdw);
            if kernel.coulomb != RealSpace::None {
                out.energy.add("coulomb_real", total.coulomb);
            }
        }
        if want.virial {
            out.virial += total.virial;
        }
        if total.guarded > 0 {
            out.count("guard", total.guarded);
        }
        Ok(())
    }
}
