//! 1-4 pairs and the like: excluded from the pair loop, back here with a factor each, neither cut off nor modified.

use amelo_core::units::COULOMB;
use amelo_core::{ForceError, ForceTerm, Forces, PairTable, Request, System, Topology};
use amelo_math::Mat3;
use amelo_math::fixed::FixedVec3;

use crate::ForcesError;
use crate::loops::{Sweep, overlap};
use crate::pair::{AnyPair, PairForms};

/// Pairs per chunk: the unit of work, decided by the system.
const PAIRS_PER_CHUNK: usize = 512;

/// One pair with its potential and prefactors.
#[derive(Clone, Copy, Debug)]
struct Pair {
    atoms: [u32; 2],
    potential: AnyPair,
    vdw: f64,
    /// k_e times factor times q_i q_j (kJ mol⁻¹ nm).
    coulomb: f64,
}

/// The scaled pairs of a topology. Energies `vdw_14` and `coulomb_14`.
pub struct ScaledPairs {
    pairs: Vec<Pair>,
    sweep: Sweep,
}

impl ScaledPairs {
    const NAME: &'static str = "pairs_14";

    /// The scaled pairs of `topology`; each takes its own potential where it has one, else that of its types.
    /// Errors: a table of another number of types, a form or parameter that is refused.
    pub fn new(topology: &Topology, table: &PairTable) -> Result<Self, ForcesError> {
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
            let [qi, qj] = p.charges.unwrap_or([charge(i), charge(j)]);
            let coulomb = COULOMB * p.coulomb * qi * qj;
            pairs.push(Pair { atoms: p.atoms, potential, vdw: p.vdw, coulomb });
        }
        Ok(ScaledPairs { pairs, sweep: Sweep::default() })
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

fn sum_chunk(pairs: &[Pair], system: &System, forces: &mut [FixedVec3]) -> Result<Partial, ForceError> {
    let mut sum = Partial::default();
    for pair in pairs {
        let [i, j] = pair.atoms.map(|a| a as usize);
        let d = system.cell.minimum_image(system.positions[i] - system.positions[j]);
        let r2 = d.norm2();
        let vdw = pair.potential.eval(r2);
        let coulomb = pair.coulomb / r2.sqrt();
        let force = d * (pair.vdw * vdw.force_over_r + coulomb / r2);
        let fixed = FixedVec3::checked(force).ok_or_else(|| overlap(ScaledPairs::NAME, i, j, d, force))?;
        forces[i].add(fixed);
        forces[j].sub(fixed);
        sum.vdw += pair.vdw * vdw.energy;
        sum.coulomb += coulomb;
        sum.virial += d.outer(force);
        sum.guarded += u64::from(r2 < pair.potential.guard_radius() * pair.potential.guard_radius());
    }
    Ok(sum)
}

impl ForceTerm for ScaledPairs {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn add(&mut self, system: &System, want: Request, out: &mut Forces) -> Result<(), ForceError> {
        let pairs = &self.pairs;
        let partials = self.sweep.run(pairs.len().div_ceil(PAIRS_PER_CHUNK), &mut out.on, |chunk, forces| {
            let start = chunk * PAIRS_PER_CHUNK;
            sum_chunk(&pairs[start..(start + PAIRS_PER_CHUNK).min(pairs.len())], system, forces)
        })?;
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
