//! LAMMPS' unit systems in ours.
//!
//! `units real`: Å, fs, kcal/mol, g/mol, degrees. `units metal`: Å, ps, eV, g/mol, degrees (LAMMPS documentation,
//! units). Energies are converted by the exact calorie and by CODATA 2018's electronvolt. Charges stay in e, and
//! Coulomb's law keeps our constant; LAMMPS' own one (`qqr2e` of its class Force: 332.06371 kcal Å mol⁻¹ e⁻² and
//! 14.399645 eV Å e⁻²) is smaller by 1.0·10⁻⁸ (real) and 3.3·10⁻⁸ (metal) of the Coulomb energy.

use amelo_core::units::{COULOMB, EV, KCAL};

/// Factors from a LAMMPS unit system to nm, ps, kJ/mol.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Units {
    pub name: &'static str,
    /// kJ/mol per unit of energy.
    pub energy: f64,
    /// ps per unit of time.
    pub time: f64,
    /// LAMMPS' Coulomb constant in its own units.
    pub coulomb: f64,
}

/// nm per Å: the unit of length of both systems.
pub(super) const LENGTH: f64 = 0.1;

/// `units real`.
pub(super) const REAL: Units = Units { name: "real", energy: KCAL, time: 1e-3, coulomb: 332.063_71 };
/// `units metal`.
pub(super) const METAL: Units = Units { name: "metal", energy: EV, time: 1.0, coulomb: 14.399_645 };

impl Units {
    /// nm/ps per unit of velocity.
    pub fn velocity(&self) -> f64 {
        LENGTH / self.time
    }

    /// Relative difference of LAMMPS' Coulomb constant from ours.
    pub fn coulomb_difference(&self) -> f64 {
        self.coulomb * self.energy * LENGTH / COULOMB - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coulomb_constants_differ_as_documented() {
        assert!((REAL.coulomb_difference() + 1.0e-8).abs() < 0.05e-8, "{:e}", REAL.coulomb_difference());
        assert!((METAL.coulomb_difference() + 3.3e-8).abs() < 0.05e-8, "{:e}", METAL.coulomb_difference());
    }

    #[test]
    fn a_velocity_in_each_system() {
        assert!((REAL.velocity() - 100.0).abs() < 1e-12); // 1 Å/fs
        assert_eq!(METAL.velocity(), 0.1); // 1 Å/ps
    }
}
