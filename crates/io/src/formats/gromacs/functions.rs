//! Interaction functions: how many parameters each takes, and which form of this engine it is.
//!
//! GROMACS 2022 reference manual, section "Topology file", table of interaction types, and sections "Bonded
//! interactions" for the formulas. GROMACS writes ½ k (x − x₀)² as this engine does; its angles are in degrees.

use std::f64::consts::{PI, TAU};

use amelo_core::Class;

use super::directive::Directive;

/// From a function's parameters to those of our form, or why they cannot be.
type Convert = fn(&[f64]) -> Result<Vec<f64>, String>;

/// What a function means here.
#[derive(Clone, Copy)]
pub(super) enum Role {
    /// A bonded form of ours.
    Form(Class, &'static str, Convert),
    /// A chemical bond without interaction.
    Connection,
    /// A distance held fixed.
    Constraint,
    /// A rigid water molecule.
    Settle,
    /// A pair with parameters of its own.
    Pair,
    /// No counterpart here.
    Missing,
}

/// An interaction function of a directive.
pub(super) struct Function {
    pub directive: Directive,
    pub number: i64,
    pub name: &'static str,
    /// Parameters of state A, for messages.
    pub layout: &'static str,
    /// Number of parameters of state A.
    pub n: usize,
    /// How many of them state B repeats behind them.
    pub n_b: usize,
    /// Whether it makes a bond that counts for excluded neighbours.
    pub connects: bool,
    pub role: Role,
}

const fn row(
    directive: Directive,
    number: i64,
    name: &'static str,
    layout: &'static str,
    n: usize,
    n_b: usize,
    connects: bool,
    role: Role,
) -> Function {
    Function { directive, number, name, layout, n, n_b, connects, role }
}

use Class::{Angle, Bond, Dihedral, Improper};
use Directive::{Angles, Bonds, Constraints, Dihedrals, Pairs, Settles};
use Role::{Connection, Constraint, Form, Missing, Pair, Settle};

#[rustfmt::skip]
const FUNCTIONS: &[Function] = &[
    row(Bonds, 1, "bond", "r0 [nm] k [kJ/mol/nm^2]", 2, 2, true, Form(Bond, "harmonic", length_and_stiffness)),
    row(Bonds, 2, "GROMOS-96 bond", "", 0, 0, true, Missing),
    row(Bonds, 3, "Morse bond", "", 0, 0, true, Missing),
    row(Bonds, 4, "cubic bond", "", 0, 0, true, Missing),
    row(Bonds, 5, "connection", "nothing", 0, 0, true, Connection),
    // Trap: function 6 acts as function 1 does, but excludes nobody (manual, footnote of the table).
    row(Bonds, 6, "harmonic potential", "r0 [nm] k [kJ/mol/nm^2]", 2, 2, false, Form(Bond, "harmonic", length_and_stiffness)),
    row(Bonds, 7, "FENE bond", "", 0, 0, true, Missing),
    row(Bonds, 8, "tabulated bond", "", 0, 0, true, Missing),
    row(Bonds, 9, "tabulated bond without exclusions", "", 0, 0, false, Missing),
    row(Bonds, 10, "restraint potential", "", 0, 0, false, Missing),
    row(Angles, 1, "angle", "theta0 [deg] k [kJ/mol/rad^2]", 2, 2, false, Form(Angle, "harmonic", angle_and_stiffness)),
    row(Angles, 2, "GROMOS-96 angle", "", 0, 0, false, Missing),
    row(Angles, 3, "cross bond-bond", "", 0, 0, false, Missing),
    row(Angles, 4, "cross bond-angle", "", 0, 0, false, Missing),
    row(Angles, 5, "Urey-Bradley", "theta0 [deg] k [kJ/mol/rad^2] r13 [nm] kUB [kJ/mol/nm^2]", 4, 4, false, Form(Angle, "urey_bradley", urey_bradley)),
    row(Angles, 6, "quartic angle", "", 0, 0, false, Missing),
    row(Angles, 8, "tabulated angle", "", 0, 0, false, Missing),
    row(Angles, 9, "linear angle", "", 0, 0, false, Missing),
    row(Angles, 10, "restricted bending", "", 0, 0, false, Missing),
    row(Dihedrals, 1, "proper dihedral", "phi_s [deg] k [kJ/mol] multiplicity", 3, 3, false, Form(Dihedral, "periodic", periodic)),
    row(Dihedrals, 2, "improper dihedral", "xi0 [deg] k [kJ/mol/rad^2]", 2, 2, false, Form(Improper, "harmonic", improper)),
    row(Dihedrals, 3, "Ryckaert-Bellemans dihedral", "C0 C1 C2 C3 C4 C5 [kJ/mol]", 6, 6, false, Form(Dihedral, "ryckaert_bellemans", as_they_are)),
    row(Dihedrals, 4, "periodic improper dihedral", "phi_s [deg] k [kJ/mol] multiplicity", 3, 3, false, Form(Improper, "periodic", periodic)),
    row(Dihedrals, 5, "Fourier dihedral", "C1 C2 C3 C4 [kJ/mol]", 4, 4, false, Form(Dihedral, "opls", as_they_are)),
    row(Dihedrals, 8, "tabulated dihedral", "", 0, 0, false, Missing),
    row(Dihedrals, 9, "proper dihedral (multiple)", "phi_s [deg] k [kJ/mol] multiplicity", 3, 3, false, Form(Dihedral, "periodic", periodic)),
    row(Dihedrals, 10, "restricted dihedral", "", 0, 0, false, Missing),
    row(Dihedrals, 11, "combined bending-torsion", "", 0, 0, false, Missing),
    row(Constraints, 1, "constraint", "length [nm]", 1, 1, true, Constraint),
    row(Constraints, 2, "constraint without exclusions", "length [nm]", 1, 1, false, Constraint),
    row(Settles, 1, "settle", "d_OH d_HH [nm]", 2, 0, true, Settle),
    row(Pairs, 1, "pair", "sigma epsilon, or C6 C12 with combination rule 1", 2, 2, false, Pair),
    row(Pairs, 2, "pair with charges", "fudgeQQ q_i q_j sigma epsilon", 5, 0, false, Pair),
];

/// The function `number` of `directive`, where GROMACS has it.
pub(super) fn function(directive: Directive, number: i64) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|f| f.directive == directive && f.number == number)
}

/// Numbers of the functions of `directive` that this engine has, for messages.
pub(super) fn known(directive: Directive) -> String {
    let known = FUNCTIONS.iter().filter(|f| f.directive == directive && !matches!(f.role, Missing));
    known.map(|f| format!("{} ({})", f.number, f.name)).collect::<Vec<_>>().join(", ")
}

impl Function {
    /// Number of the function whose table of default parameters it uses: 9 and 1 share theirs.
    pub fn table(&self) -> i64 {
        if self.directive == Dihedrals && self.number == 9 { 1 } else { self.number }
    }

    /// Whether defaults of this function may hold `X` for any type (manual, section "Wildcards").
    pub fn has_wildcards(&self) -> bool {
        self.directive == Dihedrals && self.number != 5
    }
}

fn not_negative(what: &str, value: f64) -> Result<f64, String> {
    if value < 0.0 { Err(format!("{what} is {value}, but it must not be negative")) } else { Ok(value) }
}

fn theta(degrees: f64) -> Result<f64, String> {
    if (0.0..=180.0).contains(&degrees) {
        // Not above π by a rounding.
        Ok(degrees.to_radians().min(PI))
    } else {
        Err(format!("the angle is {degrees} deg, but it must be between 0 and 180"))
    }
}

/// b₀, k_b → r0, k: section "Harmonic potential".
fn length_and_stiffness(p: &[f64]) -> Result<Vec<f64>, String> {
    Ok(vec![not_negative("r0", p[0])?, not_negative("k", p[1])?])
}

/// θ₀, k_θ → theta0, k: section "Harmonic angle potential".
fn angle_and_stiffness(p: &[f64]) -> Result<Vec<f64>, String> {
    Ok(vec![theta(p[0])?, not_negative("k", p[1])?])
}

/// θ₀, k_θ, r₁₃, k_UB → the same: section "Urey-Bradley potential".
fn urey_bradley(p: &[f64]) -> Result<Vec<f64>, String> {
    Ok(vec![theta(p[0])?, not_negative("k", p[1])?, not_negative("r13", p[2])?, not_negative("kUB", p[3])?])
}

/// φ_s, k_φ, n → phi0, k, n of k [1 + cos(nφ − φ_s)]: section "Proper dihedrals: periodic type".
fn periodic(p: &[f64]) -> Result<Vec<f64>, String> {
    let [phase, k, n] = [p[0].to_radians(), p[1], p[2]];
    if n.fract() != 0.0 || n.abs() > 12.0 {
        return Err(format!("the multiplicity is {n}, but it must be a whole number up to 12"));
    }
    // cos(−|n|φ − φ_s) = cos(|n|φ + φ_s)
    Ok(if n < 0.0 { vec![-phase, k, -n] } else { vec![phase, k, n] })
}

/// ξ₀, k_ξ → phi0, k of ½ k (ξ − ξ₀)²: section "Improper dihedrals: harmonic type".
fn improper(p: &[f64]) -> Result<Vec<f64>, String> {
    let xi = p[0].to_radians();
    Ok(vec![xi - TAU * (xi / TAU).round(), not_negative("k", p[1])?])
}

/// The same parameters: Ryckaert and Bellemans' with ψ = φ − 180° (section "Proper dihedrals: Ryckaert-Bellemans
/// function"), and the Fourier form ½ [C₁ (1 + cos φ) + C₂ (1 − cos 2φ) + …] (section "Proper dihedrals: Fourier").
fn as_they_are(p: &[f64]) -> Result<Vec<f64>, String> {
    Ok(p.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(directive: Directive, number: i64, p: &[f64]) -> Result<Vec<f64>, String> {
        match function(directive, number).unwrap().role {
            Role::Form(_, _, convert) => convert(p),
            _ => panic!("not a form"),
        }
    }

    #[test]
    fn conversions() {
        assert_eq!(converted(Angles, 1, &[180.0, 5.0]).unwrap(), [PI, 5.0]);
        assert_eq!(converted(Dihedrals, 9, &[90.0, 2.0, -3.0]).unwrap(), [-PI / 2.0, 2.0, 3.0]);
        assert_eq!(converted(Dihedrals, 2, &[0.0, 167.4]).unwrap(), [0.0, 167.4]);
        assert_eq!(converted(Angles, 5, &[90.0, 2.0, 0.2, 7.0]).unwrap(), [PI / 2.0, 2.0, 0.2, 7.0]);
        assert!(converted(Bonds, 1, &[0.1, -2.0]).unwrap_err().contains("k is -2"));
        assert!(converted(Dihedrals, 4, &[0.0, 1.0, 2.5]).unwrap_err().contains("multiplicity is 2.5"));
        assert!(converted(Angles, 1, &[190.0, 1.0]).unwrap_err().contains("190 deg"));
    }

    #[test]
    fn every_row_is_found_by_its_own_number_and_nine_shares_the_table_of_one() {
        for f in FUNCTIONS {
            assert_eq!(function(f.directive, f.number).unwrap().name, f.name);
        }
        assert_eq!(function(Dihedrals, 9).unwrap().table(), 1);
        assert!(function(Bonds, 11).is_none() && known(Bonds).starts_with("1 (bond), 5"));
    }
}
