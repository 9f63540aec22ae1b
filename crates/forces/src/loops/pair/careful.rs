//! The same sums pair by pair in f64, with every check: what the lanes fall back to where atoms are so close that their
//! sums could leave their range, and what they are tested against.

use amelo_core::{ForceError, NearestImage, System};
use amelo_math::Vec3;
use amelo_math::fixed::FixedVec3;

use super::model::Model;
use super::overlap;
use crate::PairEval;
use crate::loops::sums::{Sums, rounded};

/// Pairs in whatever order: forces on both, sums. Errors: a force that leaves the range of numbers.
pub(super) fn pairs(
    model: &Model,
    pairs: impl Iterator<Item = [usize; 2]>,
    system: &System,
    image: &NearestImage,
    forces: &mut [FixedVec3],
) -> Result<Sums, ForceError> {
    let (types, charges) = (&system.topology.type_of, &system.topology.charges);
    let cut2 = model.r_cut * model.r_cut;
    let mut sums = Sums::default();
    for [i, j] in pairs {
        let d: Vec3 = image.of(system.positions[i] - system.positions[j]);
        let r2 = d.norm2();
        // Not-a-number goes on and is found below.
        if r2 >= cut2 {
            continue;
        }
        let kind = types[i] as usize * model.n_types + types[j] as usize;
        let vdw = model.potentials[kind].eval(r2);
        let qq = charges[i] * charges[j];
        let coulomb = if qq == 0.0 { PairEval::zero() } else { model.coulomb.eval(qq, r2) };
        let force = d * (vdw.force_over_r + coulomb.force_over_r);
        let (low, high) = (i.min(j), i.max(j));
        let fixed =
            FixedVec3::checked(force).ok_or_else(|| overlap(super::NonbondedTerm::NAME, low, high, d, force))?;
        forces[i].add(fixed);
        forces[j].sub(fixed);
        sums.vdw += rounded(vdw.energy);
        sums.coulomb += rounded(coulomb.energy);
        sums.add_virial(d, force);
        sums.guarded += u64::from(r2 < model.guard2[kind]);
    }
    Ok(sums)
}
