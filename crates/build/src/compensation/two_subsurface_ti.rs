//! Two Ti below the surface layer become Ti³⁺.

use super::{Cation, CompensationInfo};
use crate::vacancy::LAYER;

pub const INFO: CompensationInfo = CompensationInfo {
    name: "two-subsurface-ti",
    summary: "the two nearest Ti below the first layer take half of the charge of the missing O each",
    formula: "q_Ti → q_Ti + q_O/2 for the two nearest Ti deeper than 0.35 nm below the face of a slab or the wall of a \
              pore that no other vacancy has reduced. With the charges of Matsui and Akaogi: 2.196 → 1.647 e",
    assumptions: &[
        "The electrons sit in the second layer, where dynamics from first principles finds them most on rutile (110).",
        "Ti³⁺ keeps the Buckingham potentials of Ti⁴⁺: no separate published set is known for this model.",
        "A model of ours, not a published parametrisation; it needs a slab or a pore.",
    ],
    citation: "excess electrons below the surface of rutile (110): P. M. Kowalski, M. Farnesi Camellone, N. N. Nair, B. Meyer, \
               D. Marx, arXiv:1008.4652 (2010); charges: M. Matsui, M. Akaogi, Mol. Simul. 6, 239 (1991)",
};

pub fn takers(cations: &[Cation]) -> Vec<usize> {
    super::two(cations, |c| c.depth.is_some_and(|depth| depth > LAYER))
}
