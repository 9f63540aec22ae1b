//! The two nearest Ti become Ti³⁺.

use super::{Cation, CompensationInfo};

pub const INFO: CompensationInfo = CompensationInfo {
    name: "two-nearest-ti",
    summary: "the two Ti nearest to the missing O take half of its charge each",
    formula: "q_Ti → q_Ti + q_O/2 for the two nearest Ti that no other vacancy has reduced. With the charges of Matsui and \
              Akaogi: 2.196 → 1.647 e, the ratio 3/4 of Ti³⁺ to Ti⁴⁺",
    assumptions: &[
        "The electrons stay beside the vacancy as two small polarons; a rigid-ion model cannot move them.",
        "Ti³⁺ keeps the Buckingham potentials of Ti⁴⁺: no separate published set is known for this model.",
        "A model of ours, not a published parametrisation: compare with all-ti before trusting what depends on it.",
    ],
    citation: "charges: M. Matsui, M. Akaogi, Mol. Simul. 6, 239 (1991), doi:10.1080/08927029108022432; two excess electrons \
               per vacancy on Ti 3d: U. Diebold, Surf. Sci. Rep. 48, 53 (2003), doi:10.1016/S0167-5729(02)00100-0",
};

pub fn takers(cations: &[Cation]) -> Vec<usize> {
    super::two(cations, |_| true)
}
