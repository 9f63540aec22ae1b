//! Bond, angle, dihedral and improper styles and their coefficients in our forms.
//!
//! | style | energy (LAMMPS documentation, page of the style) | here |
//! |---|---|---|
//! | bond `harmonic` K r₀ | K (r − r₀)² | `harmonic`, k = 2K |
//! | angle `harmonic` K θ₀ | K (θ − θ₀)² | `harmonic`, k = 2K |
//! | angle `charmm` K θ₀ K_ub r_ub | K (θ − θ₀)² + K_ub (r − r_ub)² | `urey_bradley`, both constants doubled |
//! | dihedral `opls` K₁ … K₄ | ½ Σ K_n \[1 ∓ cos nφ\] | `opls`, the same |
//! | dihedral `multi/harmonic` A₁ … A₅ | Σ A_n cosⁿ⁻¹ φ | `ryckaert_bellemans`, C_n = (−1)ⁿ A_{n+1}, for ψ = φ − 180° |
//! | dihedral `nharmonic` n A₁ … A_n | Σ A_i cosⁱ⁻¹ φ | the same, n up to 6 |
//! | dihedral `fourier` m (K n d)ₘ | Σ K \[1 + cos(nφ − d)\] | m of `periodic` |
//! | dihedral `charmm` K n d w | K \[1 + cos(nφ − d)\] | `periodic`; w: a 1-4 pair of weight w |
//! | dihedral `harmonic` K d n | K \[1 + d cos nφ\] | `periodic`, phase 0 or 180° |
//! | improper `cvff` K d n | K \[1 + d cos nφ\] | `periodic`, phase 0 or 180° |
//! | improper `harmonic` K χ₀ | K (χ − χ₀)², χ without a sign | `harmonic_unsigned`, k = 2K |
//!
//! Energies in the script's unit, lengths in Å, angles in degrees; K in energy/Å² or energy/rad². φ is 180° at trans in
//! both programs. `hybrid` of these, `zero` and `none` (no energy) exist for each class.

use super::args::Args;
use super::types::Kind;
use super::units::{LENGTH, Units};
use crate::formats::ImportError;

/// What one type of bond, angle, dihedral or improper does.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Coefficients {
    /// Form and parameters of each term, internal units.
    pub terms: Vec<(&'static str, Vec<f64>)>,
    /// Weight of the 1-4 pair (`dihedral_style charmm`).
    pub weight_14: f64,
    /// Equilibrium distance (nm) or angle (rad), for constraints.
    pub equilibrium: Option<f64>,
}

/// Every style of a class that is read here.
pub(super) fn names(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Bond | Kind::Angle => &["harmonic", "charmm", "zero", "none"],
        Kind::Dihedral => &["opls", "multi/harmonic", "fourier", "charmm", "harmonic", "nharmonic", "zero", "none"],
        _ => &["cvff", "harmonic", "zero", "none"],
    }
}

/// Coefficients of `style` from the words after type and style.
pub(super) fn coefficients(kind: Kind, style: &str, args: &Args, units: &Units) -> Result<Coefficients, ImportError> {
    match kind {
        Kind::Bond => bond(style, args, units),
        Kind::Angle => angle(style, args, units),
        Kind::Dihedral => dihedral(style, args, units),
        _ => improper(style, args, units),
    }
}

fn bond(style: &str, args: &Args, units: &Units) -> Result<Coefficients, ImportError> {
    match style {
        "none" => args.count(0..=0, "no coefficients of none").map(|()| Coefficients::default()),
        "zero" => {
            args.count(0..=1, "[R0] of zero")?;
            let r0 = if args.is_empty() { None } else { Some(args.not_negative(0, "r0")? * LENGTH) };
            Ok(Coefficients { equilibrium: r0, ..Coefficients::default() })
        }
        _ => {
            args.count(2..=2, "K R0 of harmonic")?;
            let k = 2.0 * args.not_negative(0, "K")? * units.energy / (LENGTH * LENGTH);
            let r0 = args.not_negative(1, "r0")? * LENGTH;
            Ok(Coefficients { terms: vec![("harmonic", vec![r0, k])], equilibrium: Some(r0), weight_14: 0.0 })
        }
    }
}

fn angle(style: &str, args: &Args, units: &Units) -> Result<Coefficients, ImportError> {
    let theta = |k: usize| -> Result<f64, ImportError> {
        let degrees = args.number(k, "theta0")?;
        if (0.0..=180.0).contains(&degrees) {
            Ok(degrees.to_radians())
        } else {
            args.fail(format!("theta0 is {degrees} degrees"), "it lies between 0 and 180")
        }
    };
    let stiffness = |k: usize, what| args.not_negative(k, what).map(|k| 2.0 * k * units.energy);
    let (terms, theta0) = match style {
        "none" => {
            args.count(0..=0, "no coefficients of none")?;
            return Ok(Coefficients::default());
        }
        "zero" => {
            args.count(0..=1, "[THETA0] of zero")?;
            let theta0 = if args.is_empty() { None } else { Some(theta(0)?) };
            return Ok(Coefficients { equilibrium: theta0, ..Coefficients::default() });
        }
        "charmm" => {
            args.count(4..=4, "K THETA0 K_UB R_UB of charmm")?;
            let (k, theta0, k_ub) = (stiffness(0, "K")?, theta(1)?, stiffness(2, "K_ub")? / (LENGTH * LENGTH));
            let r13 = args.not_negative(3, "r_ub")? * LENGTH;
            // Without the distance term it is the plain angle.
            match k_ub == 0.0 {
                true => (vec![("harmonic", vec![theta0, k])], theta0),
                false => (vec![("urey_bradley", vec![theta0, k, r13, k_ub])], theta0),
            }
        }
        _ => {
            args.count(2..=2, "K THETA0 of harmonic")?;
            let (k, theta0) = (stiffness(0, "K")?, theta(1)?);
            (vec![("harmonic", vec![theta0, k])], theta0)
        }
    };
    Ok(Coefficients { terms, equilibrium: Some(theta0), weight_14: 0.0 })
}

fn dihedral(style: &str, args: &Args, units: &Units) -> Result<Coefficients, ImportError> {
    let energy = |k: usize, what: &str| args.number(k, what).map(|e| e * units.energy);
    let mut weight_14 = 0.0;
    let terms = match style {
        "none" | "zero" => {
            args.count(0..=0, &format!("no coefficients of {style}"))?;
            Vec::new()
        }
        "opls" => {
            args.count(4..=4, "K1 K2 K3 K4 of opls")?;
            let v = (0..4).map(|k| energy(k, "a coefficient")).collect::<Result<_, _>>()?;
            vec![("opls", v)]
        }
        "multi/harmonic" => {
            args.count(5..=5, "A1 A2 A3 A4 A5 of multi/harmonic")?;
            let a: Vec<f64> = (0..5).map(|k| energy(k, "a coefficient")).collect::<Result<_, _>>()?;
            vec![polynomial(&a)]
        }
        "nharmonic" => {
            let n = args.whole(0, "the number of coefficients", 1..=1_000_000)? as usize;
            args.count(n + 1..=n + 1, "N A1 … AN of nharmonic")?;
            let mut a: Vec<f64> = (0..n).map(|k| energy(k + 1, "a coefficient")).collect::<Result<_, _>>()?;
            while a.len() > 6 && a.last() == Some(&0.0) {
                a.pop();
            }
            if a.len() > 6 {
                return args.fail(format!("{n} powers of the cosine"), "six, up to cos⁵ φ, are represented here");
            }
            vec![polynomial(&a)]
        }
        "fourier" => {
            let m = args.whole(0, "the number of terms", 1..=100)? as usize;
            args.count(3 * m + 1..=3 * m + 1, "M K1 N1 D1 … KM NM DM of fourier")?;
            (0..m)
                .map(|t| {
                    let n = args.whole(3 * t + 2, "the multiplicity", 0..=12)? as f64;
                    let phase = args.number(3 * t + 3, "the phase")?.to_radians();
                    Ok(("periodic", vec![phase, energy(3 * t + 1, "K")?, n]))
                })
                .collect::<Result<_, ImportError>>()?
        }
        "charmm" => {
            args.count(4..=4, "K N D W of charmm")?;
            let n = args.whole(1, "the multiplicity", 0..=12)? as f64;
            let phase = args.whole(2, "the phase", -100_000..=100_000)? as f64;
            weight_14 = args.number(3, "the weight")?;
            if !(0.0..=1.0).contains(&weight_14) {
                return args.fail(format!("the weight is {weight_14}"), "it lies between 0 and 1");
            }
            vec![("periodic", vec![phase.to_radians(), energy(0, "K")?, n])]
        }
        _ => {
            args.count(3..=3, "K D N of harmonic")?;
            vec![signed_cosine(args, energy(0, "K")?)?]
        }
    };
    Ok(Coefficients { terms, weight_14, equilibrium: None })
}

fn improper(style: &str, args: &Args, units: &Units) -> Result<Coefficients, ImportError> {
    let terms = match style {
        "none" | "zero" => {
            args.count(0..=0, &format!("no coefficients of {style}"))?;
            Vec::new()
        }
        "cvff" => {
            args.count(3..=3, "K D N of cvff")?;
            vec![signed_cosine(args, args.number(0, "K")? * units.energy)?]
        }
        _ => {
            args.count(2..=2, "K CHI0 of harmonic")?;
            let k = 2.0 * args.not_negative(0, "K")? * units.energy;
            let chi0 = args.number(1, "chi0")?;
            if !(0.0..=180.0).contains(&chi0) {
                return args.fail(format!("chi0 is {chi0} degrees"), "it lies between 0 and 180");
            }
            vec![("harmonic_unsigned", vec![chi0.to_radians(), k])]
        }
    };
    Ok(Coefficients { terms, ..Coefficients::default() })
}

/// Σ A_n cosⁿ⁻¹ φ in powers of cos ψ = −cos φ.
fn polynomial(a: &[f64]) -> (&'static str, Vec<f64>) {
    let sign = |n: usize| if n.is_multiple_of(2) { 1.0 } else { -1.0 };
    ("ryckaert_bellemans", (0..6).map(|n| a.get(n).map_or(0.0, |a| sign(n) * a)).collect())
}

/// K [1 + d cos nφ] with d = ±1: words 1 and 2 of `args`.
fn signed_cosine(args: &Args, k: f64) -> Result<(&'static str, Vec<f64>), ImportError> {
    let d = args.whole(1, "d", -1..=1)?;
    if d == 0 {
        return args.fail("d is 0", "it is 1 or -1");
    }
    let n = args.whole(2, "the multiplicity", 0..=12)? as f64;
    Ok(("periodic", vec![if d == 1 { 0.0 } else { std::f64::consts::PI }, k, n]))
}

#[cfg(test)]
mod tests {
    use super::super::bonded::Bonded;
    use super::super::types::Types;
    use super::super::units::{METAL, REAL};
    use super::*;
    use crate::formats::Place;

    fn read(kind: Kind, style: &str, line: &str, units: &Units) -> Result<Coefficients, String> {
        let place = Place { path: std::path::Path::new("in.lmp").into(), line: 9 };
        let words = |text: &str| text.split_whitespace().map(String::from).collect::<Vec<_>>();
        let types = Types { counts: [1, 3, 3, 3, 3], ..Types::default() };
        let mut bonded = Bonded::new(kind);
        bonded
            .set_style(&Args { place: &place, name: "style", words: &words(style) }, &mut Vec::new())
            .and_then(|()| {
                bonded.set_coefficients(&Args { place: &place, name: "coeff", words: &words(line) }, &types, units)
            })
            .map_err(|e| e.to_string())?;
        Ok(bonded.get(2, &types, &place).map_err(|e| e.to_string())?.0.clone())
    }

    fn check(kind: Kind, style: &str, line: &str, units: &Units, expected: &[(&str, &[f64])]) {
        let found = read(kind, style, line, units).unwrap();
        assert_eq!(found.terms.len(), expected.len(), "{style} {line}");
        for ((form, parameters), (name, values)) in found.terms.iter().zip(expected) {
            assert_eq!((*form, parameters.len()), (*name, values.len()), "{style} {line}");
            for (p, v) in parameters.iter().zip(*values) {
                assert!((p - v).abs() <= 1e-13 * v.abs().max(1e-3), "{style} {line}: {parameters:?}");
            }
        }
    }

    #[test]
    fn coefficients_by_hand() {
        use std::f64::consts::PI;
        // 2 · 320 kcal/mol/Å² · 4.184 · 100 = 267 776 kJ/mol/nm²; 1.41 Å = 0.141 nm: CT–OS of OPLS-AA.
        check(Kind::Bond, "harmonic", "2 320 1.41", &REAL, &[("harmonic", &[0.141, 267_776.0])]);
        // 1 eV/Å² doubled: 2 · 96.485… · 100.
        check(Kind::Bond, "harmonic/omp", "2 1 1", &METAL, &[("harmonic", &[0.1, 19_297.066_424_662])]);
        // 2 · 60 · 4.184 = 502.08.
        check(Kind::Angle, "harmonic", "* 60 109.5", &REAL, &[("harmonic", &[109.5 * PI / 180.0, 502.08])]);
        let expected: &[f64] = &[PI / 2.0, 8.368, 0.25, 2510.4];
        check(Kind::Angle, "charmm", "2 1 90 3 2.5", &REAL, &[("urey_bradley", expected)]);
        check(Kind::Angle, "charmm", "2 1 90 0 2.5", &REAL, &[("harmonic", &[PI / 2.0, 8.368])]);
        check(Kind::Dihedral, "opls", "2 1 -2 3 0", &REAL, &[("opls", &[4.184, -8.368, 12.552, 0.0])]);
        let rb: &[f64] = &[4.184, -8.368, 12.552, -16.736, 20.92, 0.0];
        check(Kind::Dihedral, "multi/harmonic", "2 1 2 3 4 5", &REAL, &[("ryckaert_bellemans", rb)]);
        let rb: &[f64] = &[4.184, -8.368, 12.552, 0.0, 0.0, 0.0];
        check(Kind::Dihedral, "nharmonic", "2 3 1 2 3", &REAL, &[("ryckaert_bellemans", rb)]);
        check(
            Kind::Dihedral,
            "fourier",
            "1*2 2 1 3 180 0.5 1 0",
            &REAL,
            &[("periodic", &[PI, 4.184, 3.0]), ("periodic", &[0.0, 2.092, 1.0])],
        );
        check(Kind::Dihedral, "charmm", "2 1 2 180 0.5", &REAL, &[("periodic", &[PI, 4.184, 2.0])]);
        assert_eq!(read(Kind::Dihedral, "charmm", "2 1 2 180 0.5", &REAL).unwrap().weight_14, 0.5);
        check(Kind::Dihedral, "harmonic", "2 1 -1 2", &REAL, &[("periodic", &[PI, 4.184, 2.0])]);
        check(Kind::Improper, "cvff", "2 1 1 3", &REAL, &[("periodic", &[0.0, 4.184, 3.0])]);
        check(Kind::Improper, "harmonic", "2 1 60", &REAL, &[("harmonic_unsigned", &[PI / 3.0, 8.368])]);
        check(Kind::Dihedral, "hybrid opls charmm", "2 opls 1 0 0 0", &REAL, &[("opls", &[4.184, 0.0, 0.0, 0.0])]);
        check(Kind::Bond, "hybrid harmonic zero", "2 zero 1.5", &REAL, &[]);
    }

    #[test]
    fn what_a_style_does_not_take() {
        for (kind, style, line, words) in [
            (Kind::Bond, "morse", "2 1 1", "bond style \"morse\" has no counterpart"),
            (Kind::Bond, "harmonic", "4 1 1", "from 1 to 3"),
            (Kind::Bond, "harmonic", "2 -1 1", "K is -1"),
            (Kind::Bond, "harmonic", "2 1", "has 1 arguments"),
            (Kind::Bond, "harmonic", "1 1 1", "bond type 2 has no coefficients"),
            (Kind::Angle, "harmonic", "2 1 190", "theta0 is 190"),
            (Kind::Dihedral, "harmonic", "2 1 0 2", "d is 0"),
            (Kind::Dihedral, "charmm", "2 1 2.5 0 0", "multiplicity is \"2.5\""),
            (Kind::Dihedral, "charmm", "2 1 2 0 2", "weight is 2"),
            (Kind::Dihedral, "fourier", "2 2 1 1 0", "has 4 arguments"),
            (Kind::Dihedral, "nharmonic", "2 7 1 1 1 1 1 1 1", "7 powers"),
            (Kind::Dihedral, "hybrid opls", "2 charmm 1 1 0 0", "no style of this hybrid"),
            (Kind::Improper, "harmonic", "2 1 -5", "chi0 is -5"),
            (Kind::Improper, "none", "2 1 5", "none has no coefficients"),
        ] {
            let error = read(kind, style, line, &REAL).unwrap_err();
            assert!(error.contains(words) && error.starts_with("in.lmp:9: "), "{style} {line}: {error}");
        }
    }
}
