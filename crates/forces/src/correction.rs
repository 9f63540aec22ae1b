//! The dispersion tail: what the cut-off and its modifier take away from −C₆/r⁶, in a homogeneous fluid.
//!
//! With g(r) = 1 for what is missing,
//! U = 2π N ρ ⟨C₆⟩ I_U, I_U = ∫ (u − u_mod) r² dr, and P = −(2π/3) ρ² ⟨C₆⟩ I_P, I_P = ∫ (u − u_mod)′ r³ dr, for
//! u = −1/r⁶. For `none` I_U = −1/(3 r_c³), so U = −(2π/3) N ρ ⟨C₆⟩/r_c³; for `potential-shift` twice that; P is
//! −(4π/3) ρ² ⟨C₆⟩/r_c³ for both. ⟨C₆⟩ is the mean over all pairs of atoms, N² of them.
//! M. P. Allen, D. J. Tildesley, Computer Simulation of Liquids, 2nd ed., section 2.8 (2017).
//!
//! The truncated potential of `none` jumps at r_c; the derivative of the tail with respect to the volume knows nothing
//! of that jump, so there, and only there, W ≠ −dU/dε for this term.

use std::f64::consts::PI;

use amelo_core::{ForceError, ForceTerm, Forces, Modifier, Nonbonded, PairTable, Request, System, Topology};
use amelo_math::Mat3;

use crate::ForcesError;
use crate::pair::{CutPolynomial, EnergySwitch, PairForms};

/// Tail energy and pressure. Energy `dispersion_correction`.
#[derive(Clone, Copy, Debug)]
pub struct DispersionCorrection {
    n_atoms: f64,
    /// ⟨C₆⟩ (kJ mol⁻¹ nm⁶).
    mean_c6: f64,
    /// I_U and I_P (nm⁻³).
    energy_integral: f64,
    pressure_integral: f64,
}

impl DispersionCorrection {
    /// The tail of all pair potentials of `topology` beyond the cut-off of `settings`. Errors: a table of another number
    /// of types, a form or parameter that is refused, a switch distance not between 0 and the cut-off.
    pub fn new(topology: &Topology, table: &PairTable, settings: &Nonbonded) -> Result<Self, ForcesError> {
        let forms = PairForms::of(topology, table)?;
        let [energy_integral, pressure_integral] = integrals(settings.modifier, settings.r_cut)?;
        let mean_c6 = mean_c6(topology, &forms);
        Ok(DispersionCorrection { n_atoms: topology.n_atoms() as f64, mean_c6, energy_integral, pressure_integral })
    }

    /// ⟨C₆⟩ over all pairs of atoms (kJ mol⁻¹ nm⁶).
    pub fn mean_c6(&self) -> f64 {
        self.mean_c6
    }

    /// Energy (kJ/mol) in a cell of `volume` (nm³).
    pub fn energy(&self, volume: f64) -> f64 {
        2.0 * PI * self.n_atoms * self.n_atoms / volume * self.mean_c6 * self.energy_integral
    }

    /// Pressure (kJ mol⁻¹ nm⁻³) in a cell of `volume` (nm³).
    pub fn pressure(&self, volume: f64) -> f64 {
        let density = self.n_atoms / volume;
        -2.0 / 3.0 * PI * density * density * self.mean_c6 * self.pressure_integral
    }
}

/// Σ_ab n_a n_b C₆(a, b) / N².
fn mean_c6(topology: &Topology, forms: &PairForms) -> f64 {
    let mut count = vec![0.0; forms.n_types()];
    topology.type_of.iter().for_each(|&t| count[t as usize] += 1.0);
    let n = topology.n_atoms().max(1) as f64;
    let mut sum = 0.0;
    for (a, n_a) in count.iter().enumerate() {
        for (b, n_b) in count.iter().enumerate() {
            sum += n_a * n_b * forms.get(a, b).dispersion_c6();
        }
    }
    sum / (n * n)
}

/// I_U and I_P (nm⁻³) of u = −1/r⁶ cut off at `r_cut`.
fn integrals(modifier: Modifier, r_cut: f64) -> Result<[f64; 2], ForcesError> {
    let inv3 = 1.0 / (r_cut * r_cut * r_cut);
    let inv6 = inv3 * inv3;
    if let Modifier::EnergySwitch { r_switch } = modifier {
        return switched_integrals(&EnergySwitch::new(r_switch, r_cut)?, r_switch, r_cut);
    }
    let polynomial = CutPolynomial::new(modifier, r_cut, -inv6, -6.0 * inv6 / r_cut, 42.0 * inv6 / (r_cut * r_cut))?;
    // Beyond r_c all of u is missing; within, u − u_mod = −p and its slope is the polynomial's force s.
    let within =
        |f: &dyn Fn(f64) -> f64| integrate(0.0, polynomial.start(), f) + integrate(polynomial.start(), r_cut, f);
    Ok([
        -inv3 / 3.0 + within(&|r| -polynomial.energy(r) * r * r),
        2.0 * inv3 + within(&|r| polynomial.force(r) * r * r * r),
    ])
}

/// The same for the energy switch, u_mod = S u: what is missing begins at the switch.
fn switched_integrals(switch: &EnergySwitch, r_switch: f64, r_cut: f64) -> Result<[f64; 2], ForcesError> {
    // The integrands are smooth; panels make the rule exact to rounding.
    const PANELS: usize = 64;
    let inv3 = 1.0 / (r_cut * r_cut * r_cut);
    let (mut energy, mut pressure) = (-inv3 / 3.0, 2.0 * inv3);
    let edge = |k: usize| r_switch + (r_cut - r_switch) * k as f64 / PANELS as f64;
    for k in 0..PANELS {
        energy += integrate(edge(k), edge(k + 1), &|r| -(1.0 - switch.eval(r * r)[0]) / r.powi(4));
        // (u (1 − S))′ r³ with u = −r⁻⁶ and S′ = −r · fall.
        pressure += integrate(edge(k), edge(k + 1), &|r| {
            let [value, fall] = switch.eval(r * r);
            6.0 * (1.0 - value) / r.powi(4) - fall / (r * r)
        });
    }
    Ok([energy, pressure])
}

/// Gauss–Legendre rule of five points, exact for polynomials of degree up to nine (Abramowitz and Stegun, table 25.4).
fn integrate(from: f64, to: f64, f: &dyn Fn(f64) -> f64) -> f64 {
    const POINTS: [(f64, f64); 5] = [
        (0.0, 0.568_888_888_888_888_9),
        (0.538_469_310_105_683_1, 0.478_628_670_499_366_47),
        (-0.538_469_310_105_683_1, 0.478_628_670_499_366_47),
        (0.906_179_845_938_664, 0.236_926_885_056_189_08),
        (-0.906_179_845_938_664, 0.236_926_885_056_189_08),
    ];
    let (mid, half) = (0.5 * (from + to), 0.5 * (to - from));
    half * POINTS.iter().map(|(x, w)| w * f(mid + half * x)).sum::<f64>()
}

impl ForceTerm for DispersionCorrection {
    fn name(&self) -> &'static str {
        "dispersion_correction"
    }

    fn add(&mut self, system: &System, want: Request, out: &mut Forces) -> Result<(), ForceError> {
        let volume = system.cell.volume();
        if want.energy {
            out.energy.add("dispersion_correction", self.energy(volume));
        }
        if want.virial {
            out.virial += Mat3::IDENTITY * (self.pressure(volume) * volume);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The closed forms of the conventions for `none` and `potential-shift`.
    #[test]
    fn integrals_without_and_with_shift() {
        let rc: f64 = 1.1;
        let unit = rc.powi(-3);
        let [u, p] = integrals(Modifier::None, rc).unwrap();
        assert!((2.0 * PI * u / (-2.0 / 3.0 * PI * unit) - 1.0).abs() < 1e-14);
        assert!((-2.0 / 3.0 * PI * p / (-4.0 / 3.0 * PI * unit) - 1.0).abs() < 1e-14);
        let [u_shifted, p_shifted] = integrals(Modifier::PotentialShift, rc).unwrap();
        assert!((u_shifted / (2.0 * u) - 1.0).abs() < 1e-14);
        assert_eq!(p_shifted, p);
    }

    /// P = −dU/dV for the energy switch too: U ∝ 1/V, so I_P = −3 I_U. And a switch of no width is plain truncation of a
    /// continuous potential's kind: the energy integral tends to that of `none`.
    #[test]
    fn integrals_of_the_energy_switch() {
        let [u, p] = integrals(Modifier::EnergySwitch { r_switch: 0.9 }, 1.2).unwrap();
        assert!((p / (-3.0 * u) - 1.0).abs() < 1e-13);
        let [narrow, _] = integrals(Modifier::EnergySwitch { r_switch: 1.2 - 1e-7 }, 1.2).unwrap();
        let [none, _] = integrals(Modifier::None, 1.2).unwrap();
        assert!((narrow / none - 1.0).abs() < 1e-6 && u < none);
    }

    /// Against a fine trapezoidal sum over the switched potential, and P = −dU/dV at constant N: U ∝ 1/V, so P V = U.
    #[test]
    fn integrals_of_smooth_modifiers_agree_with_quadrature_and_with_the_volume_derivative() {
        let rc = 1.2;
        for modifier in [Modifier::ForceSwitch { r_switch: 0.9 }, Modifier::ForceShift, Modifier::PotentialShift] {
            let [u, p] = integrals(modifier, rc).unwrap();
            assert!((p / (-3.0 * u) - 1.0).abs() < 1e-13, "{modifier:?}");
            let inv6 = f64::powi(rc, -6);
            let c = CutPolynomial::new(modifier, rc, -inv6, -6.0 * inv6 / rc, 42.0 * inv6 / (rc * rc)).unwrap();
            let n = 20_000;
            let trapezoid: f64 = (0..=n)
                .map(|k| {
                    let r = rc * f64::from(k) / f64::from(n);
                    let weight = if k == 0 || k == n { 0.5 } else { 1.0 };
                    -c.energy(r) * r * r * weight * rc / f64::from(n)
                })
                .sum();
            assert!((u / (trapezoid - f64::powi(rc, -3) / 3.0) - 1.0).abs() < 1e-7, "{modifier:?}");
        }
    }
}
