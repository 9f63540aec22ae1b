//! What happens to a pair potential at its cut-off, written once for all of them.
//!
//! The modified force is F(r) + s(r), the modified energy U(r) + p(r) with p′ = −s and U + p = 0 at r_c:
//!
//! | modifier | s(r) |
//! |---|---|
//! | none | 0 (and p = 0: the energy jumps) |
//! | potential-shift | 0 |
//! | force-shift | −F(r_c) |
//! | force-switch | A t² + B t³ with t = r − r_s beyond r_s, 0 before |
//!
//! The energy switch is no such sum: it multiplies U by S(r²), see [`EnergySwitch`].
//!
//! A and B make force and its slope vanish at r_c: A = (F′d − 3F)/d², B = (2F − F′d)/d³ at r_c, d = r_c − r_s.
//! Both are linear in F, so for r⁻⁶ and r⁻¹² this is the force switch of GROMACS' reference manual ("Modified
//! non-bonded interactions"; see also D. van der Spoel, P. J. van Maaren, J. Chem. Theory Comput. 2, 1 (2006),
//! doi:10.1021/ct0502256), but it holds for any U(r).

use amelo_core::Modifier;
use amelo_math::{Dual, Real};

use super::{AnyPair, PairEval};
use crate::ForcesError;

/// The polynomial that a modifier adds to a force and its energy.
#[derive(Clone, Copy, Debug)]
pub struct CutPolynomial<R = f64> {
    /// Where t = r − start begins (nm), the same for all pairs.
    start: f64,
    /// s = c0 + c2 t² + c3 t³ beyond `start`.
    c0: R,
    c2: R,
    c3: R,
    /// p at t = 0 (kJ/mol).
    constant: R,
}

impl CutPolynomial {
    /// The polynomial of `modifier` for a potential with U = `energy`, F = `force`, F′ = `slope` at `r_cut`.
    /// Errors: a switch distance that is not between 0 and the cut-off.
    pub fn new(modifier: Modifier, r_cut: f64, energy: f64, force: f64, slope: f64) -> Result<Self, ForcesError> {
        let mut p = CutPolynomial { start: 0.0, c0: 0.0, c2: 0.0, c3: 0.0, constant: 0.0 };
        match modifier {
            Modifier::None | Modifier::EnergySwitch { .. } => return Ok(p),
            Modifier::PotentialShift => {}
            Modifier::ForceShift => p.c0 = -force,
            Modifier::ForceSwitch { r_switch } => {
                check_switch(r_switch, r_cut)?;
                let d = r_cut - r_switch;
                p.start = r_switch;
                p.c2 = (slope * d - 3.0 * force) / (d * d);
                p.c3 = (2.0 * force - slope * d) / (d * d * d);
            }
        }
        p.constant = -energy - p.energy(r_cut);
        Ok(p)
    }

    /// Whether the force changes at all.
    #[inline(always)]
    pub fn changes_the_force(&self) -> bool {
        self.c0 != 0.0 || self.c2 != 0.0 || self.c3 != 0.0
    }

    /// Where the polynomial begins to depend on r (nm).
    pub fn start(&self) -> f64 {
        self.start
    }

    /// c0, c2, c3 and p(start), for [`CutPolynomial::with`].
    pub fn constants(&self) -> [f64; 4] {
        [self.c0, self.c2, self.c3, self.constant]
    }
}

impl<R: Real> CutPolynomial<R> {
    /// The polynomial from `start` (nm) with the constants of [`CutPolynomial::constants`].
    #[inline(always)]
    pub fn with(start: f64, [c0, c2, c3, constant]: [R; 4]) -> Self {
        CutPolynomial { start, c0, c2, c3, constant }
    }

    /// r − start, or 0 before it.
    #[inline(always)]
    fn beyond(&self, r: R) -> R {
        let start = R::splat(self.start);
        r.select_lt(start, R::splat(0.0), r - start)
    }

    /// p(r), kJ/mol.
    #[inline(always)]
    pub fn energy(&self, r: R) -> R {
        let t = self.beyond(r);
        let quartic = self.c2 * R::splat(1.0 / 3.0) + self.c3 * R::splat(0.25) * t;
        self.constant - t * (self.c0 + t * t * quartic)
    }

    /// s(r), kJ/mol/nm.
    #[inline(always)]
    pub fn force(&self, r: R) -> R {
        let t = self.beyond(r);
        self.c0 + t * t * (self.c2 + self.c3 * t)
    }
}

/// A switch must begin somewhere before it ends.
fn check_switch(r_switch: f64, r_cut: f64) -> Result<(), ForcesError> {
    if r_switch > 0.0 && r_switch < r_cut {
        return Ok(());
    }
    let message =
        format!("the switch distance is {r_switch} nm, but it must lie between 0 and the cut-off, {r_cut} nm");
    Err(ForcesError::setting(message))
}

/// S(r²) = (r_c² − r²)² (r_c² + 2r² − 3r_s²) / (r_c² − r_s²)³ from r_s to r_c, 1 before: value and slope join at both
/// ends. B. R. Brooks et al., J. Comput. Chem. 4, 187 (1983), doi:10.1002/jcc.540040211.
#[derive(Clone, Copy, Debug)]
pub struct EnergySwitch {
    /// r_s² (nm²).
    begin2: f64,
    /// r_c² (nm²).
    end2: f64,
}

impl EnergySwitch {
    /// Errors: a switch distance that is not between 0 and the cut-off.
    pub fn new(r_switch: f64, r_cut: f64) -> Result<Self, ForcesError> {
        check_switch(r_switch, r_cut)?;
        Ok(EnergySwitch { begin2: r_switch * r_switch, end2: r_cut * r_cut })
    }

    /// S and −S′/r at the squared distance `r2` (nm²) within the cut-off.
    #[inline(always)]
    pub fn eval<R: Real>(&self, r2: R) -> [R; 2] {
        let width = self.end2 - self.begin2;
        let per_cube = R::splat(1.0 / (width * width * width));
        let to_end = R::splat(self.end2) - r2;
        let from_begin = r2 - R::splat(self.begin2);
        let value = to_end * to_end * (R::splat(width) + R::splat(2.0) * from_begin) * per_cube;
        let fall = R::splat(12.0) * to_end * from_begin * per_cube;
        [
            r2.select_lt(R::splat(self.begin2), R::splat(1.0), value),
            r2.select_lt(R::splat(self.begin2), R::splat(0.0), fall),
        ]
    }
}

/// A pair potential as the loop sees it: with its cut-off treatment.
#[derive(Clone, Copy, Debug)]
pub struct Modified {
    potential: AnyPair,
    polynomial: CutPolynomial,
    switch: Option<EnergySwitch>,
}

impl Modified {
    /// The potential without its cut-off treatment.
    pub fn potential(&self) -> &AnyPair {
        &self.potential
    }

    /// What is added to it.
    pub fn polynomial(&self) -> &CutPolynomial {
        &self.polynomial
    }

    /// What multiplies it.
    pub fn switch(&self) -> Option<&EnergySwitch> {
        self.switch.as_ref()
    }

    /// `potential` cut off at `r_cut` (nm). Errors: a switch distance that is not between 0 and the cut-off.
    pub fn new(potential: AnyPair, modifier: Modifier, r_cut: f64) -> Result<Self, ForcesError> {
        let r = Dual::variable(r_cut);
        let at_cut = potential.eval(r * r);
        let force = at_cut.force_over_r * r;
        let polynomial = CutPolynomial::new(modifier, r_cut, at_cut.energy.value, force.value, force.derivative)?;
        let switch = match modifier {
            Modifier::EnergySwitch { r_switch } => Some(EnergySwitch::new(r_switch, r_cut)?),
            _ => None,
        };
        Ok(Modified { potential, polynomial, switch })
    }

    /// U + p and the modified −U′/r at the squared distance `r2` (nm²); the caller cuts at r_cut.
    #[inline(always)]
    pub fn eval<R: Real>(&self, r2: R) -> PairEval<R> {
        let mut pair = self.potential.eval(r2);
        if let Some(switch) = &self.switch {
            let [value, fall] = switch.eval(r2);
            pair.force_over_r = pair.force_over_r * value + pair.energy * fall;
            pair.energy = pair.energy * value;
        } else if self.polynomial.changes_the_force() {
            let r = r2.sqrt();
            let polynomial = CutPolynomial::with(self.polynomial.start, self.polynomial.constants().map(R::splat));
            pair.energy = pair.energy + polynomial.energy(r);
            pair.force_over_r = pair.force_over_r + polynomial.force(r) / r;
        } else {
            pair.energy = pair.energy + R::splat(self.polynomial.constant);
        }
        pair
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lj(modifier: Modifier) -> Modified {
        Modified::new(AnyPair::new("lennard_jones", &[0.3, 0.8]).unwrap(), modifier, 1.2).unwrap()
    }

    /// The GROMACS manual, section "Modified non-bonded interactions": for r⁻ᵖ the switch has
    /// A = −p [(p+4) r_c − (p+1) r_1] / [r_c^(p+2) (r_c − r_1)²], B = p [(p+3) r_c − (p+1) r_1] / [r_c^(p+2) (r_c − r_1)³].
    #[test]
    fn the_switch_is_that_of_gromacs_for_powers() {
        let (rc, r1, p) = (1.2, 0.9, 6.0);
        let force = p * f64::powf(rc, -7.0);
        let slope = -p * 7.0 * f64::powf(rc, -8.0);
        let s =
            CutPolynomial::new(Modifier::ForceSwitch { r_switch: r1 }, rc, f64::powf(rc, -6.0), force, slope).unwrap();
        let d: f64 = rc - r1;
        let a = -p * ((p + 4.0) * rc - (p + 1.0) * r1) / (f64::powf(rc, p + 2.0) * d.powi(2));
        let b = p * ((p + 3.0) * rc - (p + 1.0) * r1) / (f64::powf(rc, p + 2.0) * d.powi(3));
        assert!((s.c2 / a - 1.0).abs() < 1e-13 && (s.c3 / b - 1.0).abs() < 1e-13);
        let c = f64::powf(rc, -6.0) - a / 3.0 * d.powi(3) - b / 4.0 * d.powi(4);
        assert!((s.constant / -c - 1.0).abs() < 1e-13);
    }

    #[test]
    fn what_should_vanish_at_the_cutoff_does() {
        let r = Dual::variable(1.2);
        let end = |m| lj(m).eval(r * r);
        let plain = end(Modifier::None);
        let scale = plain.energy.value.abs();
        let shifted = end(Modifier::PotentialShift);
        assert!(shifted.energy.value.abs() < 1e-15 * scale);
        assert_eq!(shifted.force_over_r.value, plain.force_over_r.value);
        let linear = end(Modifier::ForceShift);
        assert!(linear.energy.value.abs() < 1e-12 * scale && linear.force_over_r.value.abs() < 1e-12 * scale);
        let switched = end(Modifier::ForceSwitch { r_switch: 0.9 });
        assert!(switched.energy.value.abs() < 1e-12 * scale && switched.force_over_r.value.abs() < 1e-11 * scale);
        assert!((switched.force_over_r * r).derivative.abs() < 1e-9 * scale);
        let multiplied = end(Modifier::EnergySwitch { r_switch: 0.9 });
        assert!(multiplied.energy.value.abs() < 1e-15 * scale && multiplied.force_over_r.value.abs() < 1e-14 * scale);
    }

    /// The paper's switch halfway in r² between its ends is one half; before it nothing changes.
    #[test]
    fn the_energy_switch_at_special_points() {
        let switch = EnergySwitch::new(0.8, 1.2).unwrap();
        let [value, fall] = switch.eval(0.5 * (0.64 + 1.44));
        assert!((value - 0.5).abs() < 1e-15 && (fall - 12.0 * 0.25 / 0.8).abs() < 1e-13);
        assert_eq!(switch.eval(0.63), [1.0, 0.0]);
        assert_eq!(lj(Modifier::EnergySwitch { r_switch: 0.9 }).eval(0.5).energy, lj(Modifier::None).eval(0.5).energy);
        assert!(EnergySwitch::new(1.2, 1.2).is_err());
    }

    #[test]
    fn before_the_switch_the_force_is_untouched() {
        let plain = lj(Modifier::None).eval(0.5);
        assert_eq!(lj(Modifier::ForceSwitch { r_switch: 0.9 }).eval(0.5).force_over_r, plain.force_over_r);
    }

    #[test]
    fn a_switch_beyond_the_cutoff_is_refused() {
        let potential = AnyPair::new("lennard_jones", &[0.3, 0.8]).unwrap();
        for r_switch in [0.0, 1.2, 1.3, f64::NAN] {
            assert!(Modified::new(potential, Modifier::ForceSwitch { r_switch }, 1.2).is_err());
        }
    }
}
