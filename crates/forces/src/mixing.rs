//! Parameters between unlike atoms from those of like ones.

use serde::{Deserialize, Serialize};

/// How Lennard-Jones parameters of unlike types follow from those of like ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MixingRule {
    /// σ = √(σ_i σ_j), ε = √(ε_i ε_j): OPLS and UFF. R. J. Good, C. J. Hope, J. Chem. Phys. 53, 540 (1970).
    Geometric,
    /// σ = (σ_i + σ_j)/2, ε = √(ε_i ε_j). H. A. Lorentz, Ann. Phys. 248, 127 (1881); D. Berthelot, C. R. 126, 1703 (1898).
    LorentzBerthelot,
}

impl MixingRule {
    /// Name in parameter files and provenance rows.
    pub fn name(self) -> &'static str {
        match self {
            MixingRule::Geometric => "geometric",
            MixingRule::LorentzBerthelot => "lorentz-berthelot",
        }
    }
}

/// (σ in nm, ε in kJ/mol) between two types from those of each with itself.
pub fn mix_lj(rule: MixingRule, [sigma_i, epsilon_i]: [f64; 2], [sigma_j, epsilon_j]: [f64; 2]) -> [f64; 2] {
    let sigma = match rule {
        MixingRule::Geometric => (sigma_i * sigma_j).sqrt(),
        MixingRule::LorentzBerthelot => 0.5 * (sigma_i + sigma_j),
    };
    [sigma, (epsilon_i * epsilon_j).sqrt()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_the_textbooks() {
        let close = |found: [f64; 2], expected: [f64; 2]| {
            assert!(found.iter().zip(&expected).all(|(f, e)| (f / e - 1.0).abs() < 1e-15), "{found:?}");
        };
        close(mix_lj(MixingRule::Geometric, [0.2, 1.0], [0.45, 4.0]), [0.3, 2.0]);
        close(mix_lj(MixingRule::LorentzBerthelot, [0.2, 1.0], [0.4, 4.0]), [0.3, 2.0]);
        // Mixing a type with itself must give it back, bit for bit.
        let own = [0.355, 0.29288];
        for rule in [MixingRule::Geometric, MixingRule::LorentzBerthelot] {
            assert_eq!(mix_lj(rule, own, own), own);
        }
    }
}
