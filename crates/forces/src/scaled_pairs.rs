//! 1-4 pairs and the like: excluded from the pair loop, back here with a factor each.
//!
//! By default they are neither cut off nor modified. A pair with [`amelo_core::ScaledPair::cut`] is treated as LAMMPS
//! treats its `special_bonds`: within the cut-off the pair loop's modified potential times the factor; beyond it no van
//! der Waals and no truncated Coulomb, and with Ewald's sum the factor ends too, so that the waves' whole
//! q_i q_j erf(βr)/r, which the exclusion took out, comes back.

use amelo_core::{ForceError, ForceTerm, Forces, Modifier, Nonbonded, PairTable, Request, System, Topology};
use amelo_math::Mat3;
use amelo_math::fixed::FixedVec3;

use crate::coulomb::RealSpace;
use crate::loops::{Sweep, overlap};
use crate::pair::{AnyPair, Modified, PairForms};
use crate::{ForcesError, PairEval};

/// Pairs per chunk: the unit of work, decided by the system.
const PAIRS_PER_CHUNK: usize = 512;

/// One pair with its potential and prefactors.
#[derive(Clone, Copy, Debug)]
struct Pair {
    atoms: [u32; 2],
    potential: Modified,
    /// nm.
    guard_radius: f64,
    vdw: f64,
    /// Factor times q_i q_j (e²).
    coulomb: f64,
    /// q_i q_j (e²), where the pair loop's cut-off and modifier hold.
    cut: Option<f64>,
}

/// The scaled pairs of a topology. Energies `vdw_14` and `coulomb_14`.
pub struct ScaledPairs {
    pairs: Vec<Pair>,
    /// Cut-off (nm) and Coulomb law of the pair loop, for the pairs that it holds for.
    r_cut: f64,
    law: RealSpace,
    sweep: Sweep,
}

impl ScaledPairs {
    const NAME: &'static str = "pairs_14";

    /// The scaled pairs of `topology`; each takes its own potential where it has one, else that of its types.
    /// `settings` concern only pairs that are cut off. Errors: a table of another number of types, a form or parameter
    /// that is refused, a switch distance not between 0 and the cut-off.
    pub fn new(topology: &Topology, table: &PairTable, settings: &Nonbonded) -> Result<Self, ForcesError> {
        let forms = PairForms::of(topology, table)?;
        let type_of = |a: u32| topology.type_of[a as usize] as usize;
        let charge = |a: u32| topology.charges[a as usize];
        let mut pairs = Vec::with_capacity(topology.scaled_pairs.len());
        for p in &topology.scaled_pairs {
            let [i, j] = p.atoms;
            let potential = match p.pair_override {
                None => *forms.get(type_of(i), type_of(j)),
                Some(k) => {
                    let entry = topology.pair_overrides.get(k as usize).ok_or_else(|| ForcesError::Mismatch {
                        message: format!(
                            "scaled pair of atoms {i} and {j} names override {k}, but there are {}",
                            topology.pair_overrides.len()
                        ),
                    })?;
                    AnyPair::new(&entry.form, &entry.parameters)?
                }
            };
            let modifier = if p.cut { settings.modifier } else { Modifier::None };
            let [qi, qj] = p.charges.unwrap_or([charge(i), charge(j)]);
            pairs.push(Pair {
                atoms: p.atoms,
                potential: Modified::new(potential, modifier, settings.r_cut)?,
                guard_radius: potential.guard_radius(),
                vdw: p.vdw,
                coulomb: p.coulomb * qi * qj,
                cut: p.cut.then_some(charge(i) * charge(j)),
            });
        }
        let law = RealSpace::new(settings);
        Ok(ScaledPairs { pairs, r_cut: settings.r_cut, law, sweep: Sweep::default() })
    }

    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }
}

/// What one chunk sums up.
#[derive(Default)]
struct Partial {
    vdw: f64,
    coulomb: f64,
    virial: Mat3,
    guarded: u64,
}

impl ScaledPairs {
    fn sum_chunk(&self, pairs: &[Pair], system: &System, forces: &mut [FixedVec3]) -> Result<Partial, ForceError> {
        let mut sum = Partial::default();
        for pair in pairs {
            let [i, j] = pair.atoms.map(|a| a as usize);
            let d = system.cell.minimum_image(system.positions[i] - system.positions[j]);
            let r2 = d.norm2();
            let [vdw, coulomb] = self.eval(pair, r2);
            let force = d * (vdw.force_over_r + coulomb.force_over_r);
            let fixed = FixedVec3::checked(force).ok_or_else(|| overlap(ScaledPairs::NAME, i, j, d, force))?;
            forces[i].add(fixed);
            forces[j].sub(fixed);
            sum.vdw += vdw.energy;
            sum.coulomb += coulomb.energy;
            sum.virial += d.outer(force);
            sum.guarded += u64::from(r2 < pair.guard_radius * pair.guard_radius);
        }
        Ok(sum)
    }

    /// Van der Waals and Coulomb of `pair` at the squared distance `r2` (nm²).
    fn eval(&self, pair: &Pair, r2: f64) -> [PairEval<f64>; 2] {
        let beyond = r2 >= self.r_cut * self.r_cut;
        match (pair.cut, self.law) {
            (Some(_), RealSpace::None | RealSpace::Plain) if beyond => [PairEval::zero(); 2],
            (Some(qq), RealSpace::Ewald { .. }) if beyond => {
                let (whole, short) = (RealSpace::Plain.eval(qq, r2), self.law.eval(qq, r2));
                let waves = PairEval {
                    energy: whole.energy - short.energy,
                    force_over_r: whole.force_over_r - short.force_over_r,
                };
                [PairEval::zero(), waves]
            }
            (Some(_), RealSpace::None) => [scaled(pair, r2), PairEval::zero()],
            _ => [scaled(pair, r2), RealSpace::Plain.eval(pair.coulomb, r2)],
        }
    }
}

/// The pair's potential times its factor.
fn scaled(pair: &Pair, r2: f64) -> PairEval<f64> {
    let vdw = pair.potential.eval(r2);
    PairEval { energy: pair.vdw * vdw.energy, force_over_r: pair.vdw * vdw.force_over_r }
}

impl ForceTerm for ScaledPairs {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn add(&mut self, system: &System, want: Request, out: &mut Forces) -> Result<(), ForceError> {
        // The buffers are lent to the sweep, which the pairs do not need.
        let mut sweep = std::mem::take(&mut self.sweep);
        let pairs = &self.pairs;
        let partials = sweep.run(pairs.len().div_ceil(PAIRS_PER_CHUNK), &mut out.on, |chunk, forces| {
            let start = chunk * PAIRS_PER_CHUNK;
            self.sum_chunk(&pairs[start..(start + PAIRS_PER_CHUNK).min(pairs.len())], system, forces)
        });
        self.sweep = sweep;
        let partials = partials?;
        let mut total = Partial::default();
        for p in partials {
            total.vdw += p.vdw;
            total.coulomb += p.coulomb;
            total.virial += p.virial;
            total.guarded += p.guarded;
        }
        if want.energy {
            out.energy.add("vdw_14", total.vdw);
            out.energy.add("coulomb_14", total.coulomb);
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
