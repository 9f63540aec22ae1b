//! The charge spread over all Ti.

use super::{Cation, CompensationInfo};

pub const INFO: CompensationInfo = CompensationInfo {
    name: "all-ti",
    summary: "every Ti takes the same part of the charge of the missing O",
    formula: "q_Ti → q_Ti + n_v q_O/N_Ti for each of the N_Ti titanium atoms and n_v vacancies",
    assumptions: &[
        "The electrons are spread out, which no experiment shows; it is the baseline that tells what their place matters.",
        "Ti keeps its Buckingham potentials.",
    ],
    citation: "charges: M. Matsui, M. Akaogi, Mol. Simul. 6, 239 (1991), doi:10.1080/08927029108022432",
};

pub fn takers(cations: &[Cation]) -> Vec<usize> {
    cations.iter().map(|c| c.atom).collect()
}
