//! The one internal unit system: nm, ps, u, e, kJ/mol, K. Then F = m a has no constant.
//!
//! Constants are CODATA 2018 (E. Tiesinga et al., Rev. Mod. Phys. 93, 025010 (2021)).

/// Boltzmann constant (kJ mol⁻¹ K⁻¹): k_B N_A, exact since 2019.
pub const BOLTZMANN: f64 = 8.314_462_618_153_24e-3;

/// Coulomb constant 1/(4πε₀) (kJ mol⁻¹ nm e⁻²).
pub const COULOMB: f64 = 138.935_457_644;

/// One kJ mol⁻¹ nm⁻³ in bar.
pub const BAR_PER_PRESSURE: f64 = 16.605_390_671_738_465;

/// One electronvolt in kJ/mol: e N_A.
pub const EV: f64 = 96.485_332_123_310_02;

/// One thermochemical kilocalorie in kJ.
pub const KCAL: f64 = 4.184;

/// One g/cm³ in u/nm³: N_A·10⁻²¹.
pub const GRAM_PER_CM3: f64 = 602.214_076;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_agree_with_the_si_definitions() {
        let (e, n_a, k_b, epsilon0) = (1.602_176_634e-19, 6.022_140_76e23, 1.380_649e-23, 8.854_187_812_8e-12);
        assert!((BOLTZMANN / (k_b * n_a * 1e-3) - 1.0).abs() < 1e-14);
        assert!((EV / (e * n_a * 1e-3) - 1.0).abs() < 1e-14);
        let coulomb = e * e * n_a / (4.0 * std::f64::consts::PI * epsilon0) * 1e9 * 1e-3;
        assert!((COULOMB / coulomb - 1.0).abs() < 1e-11);
        assert!((BAR_PER_PRESSURE / (1e3 / n_a * 1e27 * 1e-5) - 1.0).abs() < 1e-14);
    }
}
