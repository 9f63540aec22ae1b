//! The pair styles that have a counterpart here, their arguments and their coefficients.
//!
//! | style | style arguments (Å) | coefficients | here |
//! |---|---|---|---|
//! | `lj/cut` | R | ε σ \[R\] | `lennard_jones` |
//! | `lj/cut/coul/cut` | R \[R_c\] | ε σ \[R \[R_c\]\] | and truncated Coulomb |
//! | `lj/cut/coul/long` | R \[R_c\] | ε σ \[R\] | and Ewald's real-space part |
//! | `lj/charmm/coul/long` | R_in R \[R_c\] | ε σ \[ε₁₄ σ₁₄\] | `lennard_jones` with the energy switch |
//! | `lj/gromacs` | R_in R | ε σ | `lennard_jones` with the force switch |
//! | `buck`, `buck/coul/cut`, `buck/coul/long` | as `lj/cut…` | A ρ C \[R \[R_c\]\] | `buckingham` |
//! | `coul/cut`, `coul/cut/global` | R_c | \[R_c\], none | truncated Coulomb |
//! | `coul/long` | R_c | none | Ewald's real-space part |
//! | `zero` | R | \[R\] | nothing |
//!
//! Energies in the script's unit, lengths in Å, C in energy Å⁶. Source: LAMMPS documentation, pair_lj_cut_coul,
//! pair_charmm, pair_gromacs, pair_buck, pair_coul, pair_zero.

use super::args::{Args, shown};
use super::units::{LENGTH, Units};
use crate::formats::ImportError;

/// Endings of styles that compute the same on other hardware.
const SUFFIXES: [&str; 5] = ["/omp", "/opt", "/gpu", "/intel", "/kk"];

/// A style's name without the ending of an accelerator package.
pub(super) fn plain_name(name: &str) -> &str {
    SUFFIXES.iter().find_map(|s| name.strip_suffix(s)).unwrap_or(name)
}

/// Van der Waals part of a pair style.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Form {
    None,
    LennardJones,
    /// With CHARMM's energy switch from this distance (nm).
    Charmm {
        inner: f64,
    },
    /// With GROMACS' force switch from this distance (nm).
    Gromacs {
        inner: f64,
    },
    Buckingham,
}

/// How a pair style treats charges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charge {
    None,
    Cut,
    Long,
}

/// A pair style with its global cut-offs (nm).
#[derive(Clone, Debug)]
pub(super) struct Style {
    pub name: &'static str,
    pub form: Form,
    pub charge: Charge,
    pub cut_vdw: f64,
    pub cut_coul: f64,
}

/// Parameters between two types, internal units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Parameters {
    Nothing,
    /// ε, σ, and those of 1-4 pairs.
    LennardJones {
        lj: [f64; 2],
        lj14: [f64; 2],
    },
    /// A, ρ, C.
    Buckingham([f64; 3]),
}

/// Every pair style read here.
const NAMES: [&str; 12] = [
    "lj/cut",
    "lj/cut/coul/cut",
    "lj/cut/coul/long",
    "lj/charmm/coul/long",
    "lj/gromacs",
    "buck",
    "buck/coul/cut",
    "buck/coul/long",
    "coul/cut",
    "coul/cut/global",
    "coul/long",
    "zero",
];

/// The style's name as known here.
pub(super) fn known(name: &str) -> Option<&'static str> {
    NAMES.into_iter().find(|n| *n == plain_name(name))
}

impl Style {
    /// The style `args.words[0]` with the arguments after it.
    pub fn new(args: &Args) -> Result<Self, ImportError> {
        let written = args.text(0, "the style")?;
        let Some(name) = known(written) else {
            return args.fail(
                format!("pair style \"{}\" has no counterpart here", shown(written)),
                format!("use one of {}, or hybrid and hybrid/overlay of them", NAMES.join(", ")),
            );
        };
        let args = args.from(1);
        let cut = |k: usize, what: &str| args.positive(k, what).map(|r| r * LENGTH);
        let charge = match name {
            n if n.ends_with("coul/cut") || n == "coul/cut/global" => Charge::Cut,
            n if n.ends_with("coul/long") => Charge::Long,
            _ => Charge::None,
        };
        let (form, cut_vdw, cut_coul) = match name {
            "lj/charmm/coul/long" | "lj/gromacs" => {
                let charmm = charge == Charge::Long;
                let most = if charmm { 3 } else { 2 };
                args.count(2..=most, &format!("{name} R_INNER R_OUTER{}", ["", " [R_COULOMB]"][most - 2]))?;
                let (inner, outer) = (cut(0, "the inner cut-off")?, cut(1, "the outer cut-off")?);
                if inner >= outer {
                    return args.fail(
                        format!("the switch would begin at {} Å and end at {} Å", inner / LENGTH, outer / LENGTH),
                        "let the inner cut-off be the smaller one",
                    );
                }
                let cut_coul = if args.len() == 3 { cut(2, "the Coulomb cut-off")? } else { outer };
                (if charmm { Form::Charmm { inner } } else { Form::Gromacs { inner } }, outer, cut_coul)
            }
            "coul/cut" | "coul/cut/global" | "coul/long" => {
                args.count(1..=1, &format!("{name} R_COULOMB"))?;
                let r = cut(0, "the cut-off")?;
                (Form::None, r, r)
            }
            "zero" => {
                args.count(1..=3, "zero R")?;
                if let Some(other) = args.words[1..].iter().find(|w| *w != "nocoeff" && *w != "full") {
                    return args.fail(format!("\"{}\" follows zero", shown(other)), "write zero R [nocoeff]");
                }
                let r = args.not_negative(0, "the cut-off")? * LENGTH;
                (Form::None, r, r)
            }
            _ => {
                let most = if charge == Charge::None { 1 } else { 2 };
                args.count(1..=most, &format!("{name} R{}", ["", " [R_COULOMB]"][most - 1]))?;
                let r = cut(0, "the cut-off")?;
                let cut_coul = if args.len() == 2 { cut(1, "the Coulomb cut-off")? } else { r };
                let form = if name.starts_with("buck") { Form::Buckingham } else { Form::LennardJones };
                (form, r, cut_coul)
            }
        };
        Ok(Style { name, form, charge, cut_vdw, cut_coul })
    }

    /// Parameters and the two cut-offs (nm) from the words after types and style of a `pair_coeff`.
    pub fn coefficients(&self, args: &Args, units: &Units) -> Result<(Parameters, [f64; 2]), ImportError> {
        let energy = |k, what| args.not_negative(k, what).map(|e| e * units.energy);
        let (needed, layout) = match (self.form, self.name) {
            // Cut-offs of single pairs, which lj/gromacs takes too, would be switches unlike those of others.
            (Form::LennardJones | Form::Gromacs { .. }, _) => (2, "EPSILON SIGMA"),
            (Form::Charmm { .. }, _) => (2, "EPSILON SIGMA [EPSILON_14 SIGMA_14]"),
            (Form::Buckingham, _) => (3, "A RHO C"),
            (Form::None, _) => (0, "no parameters"),
        };
        let own_cutoffs = match (self.name, self.charge) {
            ("lj/charmm/coul/long" | "lj/gromacs" | "coul/long" | "coul/cut/global", _) => 0,
            ("coul/cut" | "zero", _) => 1,
            (_, Charge::Cut) => 2,
            _ => 1,
        };
        let optional = if matches!(self.form, Form::Charmm { .. }) { 2 } else { own_cutoffs };
        args.count(needed..=needed + optional, &format!("after the types {layout} of {}", self.name))?;
        let parameters = match self.form {
            Form::None => Parameters::Nothing,
            Form::LennardJones | Form::Gromacs { .. } => {
                let lj = [energy(0, "epsilon")?, args.not_negative(1, "sigma")? * LENGTH];
                Parameters::LennardJones { lj, lj14: lj }
            }
            Form::Charmm { .. } => {
                let lj = [energy(0, "epsilon")?, args.not_negative(1, "sigma")? * LENGTH];
                let lj14 = match args.len() {
                    2 => lj,
                    4 => [energy(2, "epsilon_14")?, args.not_negative(3, "sigma_14")? * LENGTH],
                    _ => return args.fail("epsilon_14 stands without sigma_14", "write both, or neither"),
                };
                Parameters::LennardJones { lj, lj14 }
            }
            Form::Buckingham => {
                let (a, rho) = (energy(0, "A")?, args.positive(1, "rho")? * LENGTH);
                let c = energy(2, "C")? * LENGTH.powi(6);
                // At r = 7 ρ the repulsion's force is largest against r⁻⁷: if it loses there, it loses everywhere.
                if c > 0.0 && a * rho.powi(6) * 7.0_f64.powi(7) * amelo_math::special::exp(-7.0) <= 6.0 * c {
                    return args.fail(
                        format!("with \"{}\" nothing holds the atoms apart at any distance", args.line()),
                        "check A and rho; a pair of pure attraction is not represented here",
                    );
                }
                Parameters::Buckingham([a, rho, c])
            }
        };
        let mut cuts = [self.cut_vdw, self.cut_coul];
        if own_cutoffs > 0 && args.len() > needed {
            cuts[0] = args.positive(needed, "the cut-off")? * LENGTH;
            // With one cut-off LAMMPS takes it for both, where the Coulomb part may have an own one at all.
            if self.charge == Charge::Cut {
                cuts[1] = cuts[0];
            }
            if args.len() > needed + 1 {
                cuts[1] = args.positive(needed + 1, "the Coulomb cut-off")? * LENGTH;
            }
        }
        Ok((parameters, cuts))
    }
}

#[cfg(test)]
mod tests {
    use super::super::units::{METAL, REAL};
    use super::*;
    use crate::formats::Place;

    fn read(style: &str, coefficients: &str, units: &Units) -> Result<(Style, Parameters, [f64; 2]), String> {
        let place = Place { path: std::path::Path::new("in.lmp").into(), line: 3 };
        let words = |text: &str| text.split_whitespace().map(String::from).collect::<Vec<_>>();
        let (a, b) = (words(style), words(coefficients));
        let style = Style::new(&Args { place: &place, name: "pair_style", words: &a }).map_err(|e| e.to_string())?;
        let (parameters, cuts) = style
            .coefficients(&Args { place: &place, name: "pair_coeff", words: &b }, units)
            .map_err(|e| e.to_string())?;
        Ok((style, parameters, cuts))
    }

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-14 * b.abs()
    }

    #[test]
    fn coefficients_by_hand() {
        // 0.1 kcal/mol = 0.4184 kJ/mol, 3.5 Å = 0.35 nm.
        let (style, parameters, cuts) = read("lj/cut/coul/long/omp 10 12", "0.1 3.5 9", &REAL).unwrap();
        let Parameters::LennardJones { lj, .. } = parameters else { panic!("{parameters:?}") };
        assert!(close(lj[0], 0.4184) && close(lj[1], 0.35) && close(cuts[0], 0.9) && close(cuts[1], 1.2));
        assert_eq!(style.charge, Charge::Long);
        // Matsui–Akaogi's Ti–O in eV and Å: A = 16957.53 eV, ρ = 0.194 Å, C = 12.59 eV Å⁶.
        let (_, parameters, cuts) = read("buck/coul/cut 8", "16957.53 0.194 12.59 7 6", &METAL).unwrap();
        let Parameters::Buckingham([a, rho, c]) = parameters else { panic!("{parameters:?}") };
        assert!(close(a, 16957.53 * 96.48533212331002) && close(rho, 0.0194), "{a} {rho}");
        assert!((c / (12.59 * 96.48533212331002e-6) - 1.0).abs() < 1e-14);
        assert!(close(cuts[0], 0.7) && close(cuts[1], 0.6));
        let (style, parameters, _) = read("lj/charmm/coul/long 8 10", "0.2 3.0 0.1 2.5", &REAL).unwrap();
        assert_eq!(style.form, Form::Charmm { inner: 0.8 });
        let Parameters::LennardJones { lj, lj14 } = parameters else { panic!("{parameters:?}") };
        assert!(close(lj[0], 0.8368) && close(lj14[0], 0.4184) && close(lj14[1], 0.25));
        let (style, parameters, cuts) = read("lj/gromacs 7.5 9", "0.1 3.5", &REAL).unwrap();
        assert_eq!((style.form, style.charge), (Form::Gromacs { inner: 0.75 }, Charge::None));
        let Parameters::LennardJones { lj, .. } = parameters else { panic!("{parameters:?}") };
        assert!(close(lj[0], 0.4184) && close(lj[1], 0.35) && close(cuts[0], 0.9));
        assert_eq!(read("coul/cut 9", "7", &REAL).unwrap().2.map(|r| (r * 1e6).round()), [7e5, 7e5]);
        assert_eq!(read("zero 9 nocoeff", "", &REAL).unwrap().1, Parameters::Nothing);
    }

    #[test]
    fn what_a_style_does_not_take() {
        for (style, coefficients, words) in [
            ("morse 10", "", "\"morse\" has no counterpart"),
            ("lj/cut", "", "has 0 arguments"),
            ("lj/cut -1", "", "cut-off is -1"),
            ("lj/charmm/coul/long 10 8", "", "begin at 10 Å"),
            ("lj/cut 10", "0.1", "has 1 arguments"),
            ("lj/cut 10", "-0.1 3", "epsilon is -0.1"),
            ("lj/cut 10", "x 3", "epsilon is \"x\""),
            ("lj/charmm/coul/long 8 10", "0.1 3 0.2", "without sigma_14"),
            ("lj/gromacs 9", "", "has 1 arguments"),
            ("lj/gromacs 8 9", "0.1 3 7 8", "has 4 arguments"),
            ("buck 10", "1 0 1", "rho is 0"),
            ("buck 10", "0 1 1", "nothing holds the atoms apart"),
            ("coul/long 10", "8", "has 1 arguments"),
        ] {
            let error = read(style, coefficients, &REAL).err().unwrap();
            assert!(error.starts_with("in.lmp:3: pair_") && error.contains(words), "{style}: {error}");
        }
    }
}
