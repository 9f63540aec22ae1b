//! Lennard-Jones parameters of unlike types.
//!
//! ε = √(ε_i ε_j); σ = √(σ_i σ_j) for `geometric`, the default of `lj/cut…`, (σ_i + σ_j)/2 for `arithmetic`, the default
//! of `lj/charmm…`. Buckingham pairs are not mixed. Source: LAMMPS documentation, pair_modify.

/// Rule for ε and σ of unlike types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mixing {
    Geometric,
    Arithmetic,
}

impl Mixing {
    /// As provenance rows name it.
    pub fn name(self) -> &'static str {
        match self {
            Mixing::Geometric => "geometric",
            Mixing::Arithmetic => "lorentz-berthelot",
        }
    }

    /// σ, and likewise a cut-off, of unlike types.
    pub fn distance(self, a: f64, b: f64) -> f64 {
        match self {
            _ if a == b => a,
            Mixing::Geometric => (a * b).sqrt(),
            Mixing::Arithmetic => 0.5 * (a + b),
        }
    }

    /// (ε, σ) of unlike types.
    pub fn mix(self, [epsilon_i, sigma_i]: [f64; 2], [epsilon_j, sigma_j]: [f64; 2]) -> [f64; 2] {
        [(epsilon_i * epsilon_j).sqrt(), self.distance(sigma_i, sigma_j)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_by_hand() {
        let [epsilon, sigma] = Mixing::Geometric.mix([1.0, 0.2], [4.0, 0.45]);
        assert!((epsilon - 2.0).abs() < 1e-15 && (sigma - 0.3).abs() < 1e-15);
        let [epsilon, sigma] = Mixing::Arithmetic.mix([1.0, 0.2], [4.0, 0.4]);
        assert!((epsilon - 2.0).abs() < 1e-15 && (sigma - 0.3).abs() < 1e-15);
    }
}
