//! The potential of every pair of atom types, from `[ atomtypes ]`, `[ nonbond_params ]` and the combination rule.
//!
//! GROMACS reference manual, section "Non-bonded interactions": equations of the combination rules of Lennard-Jones;
//! for Buckingham A and C are combined geometrically and 1/B arithmetically.

use amelo_core::{PairEntry, Provenance};

use super::types::{PairFunction, Rule, TypeAtom, Types};
use crate::formats::{ImportError, Place};

/// The potential between the atom types `i` and `j`.
pub(super) fn pair_entry(types: &Types, i: usize, j: usize) -> Result<PairEntry, ImportError> {
    let (a, b) = (&types.atoms[i], &types.atoms[j]);
    let function = types.defaults.function;
    if let Some(own) = types.pairs.get(&(i.min(j), i.max(j))) {
        let section = "[ nonbond_params ]";
        return match function {
            PairFunction::LennardJones => {
                lennard_jones(types.defaults.rule, &own.parameters, Provenance::Explicit, &own.place, section)
            }
            PairFunction::Buckingham => buckingham(&own.parameters, Provenance::Explicit, &own.place, section),
        };
    }
    for t in [a, b] {
        if let Some(wrong) = t.parameters.iter().find(|p| **p < 0.0) {
            let found = format!("type {} has the parameter {wrong}", t.name);
            return Err(ImportError::at(&t.place, TYPES, found, NEGATIVE));
        }
    }
    match function {
        PairFunction::LennardJones => {
            let (mixed, name) = mixed(types.defaults.rule, a, b);
            let half = |t: &TypeAtom| (t.parameters[0] == 0.0) != (t.parameters[1] == 0.0);
            let place = if half(a) || !half(b) { &a.place } else { &b.place };
            let mut entry = lennard_jones(types.defaults.rule, &mixed, Provenance::Rule(name.into()), place, TYPES)?;
            entry.source = source(a, b);
            Ok(entry)
        }
        PairFunction::Buckingham => {
            let [p, q] = [&a.parameters, &b.parameters];
            let inverse = if p[1] == 0.0 || q[1] == 0.0 { 0.0 } else { 2.0 / (1.0 / p[1] + 1.0 / q[1]) };
            let mixed = [(p[0] * q[0]).sqrt(), inverse, (p[2] * q[2]).sqrt()];
            let rule = Provenance::Rule("geometric A and C, harmonic B".into());
            let mut entry = buckingham(&mixed, rule, &a.place, TYPES)?;
            entry.source = source(a, b);
            Ok(entry)
        }
    }
}

const TYPES: &str = "[ atomtypes ]";
const NEGATIVE: &str = "parameters of pair potentials must not be negative (GROMACS' negative sigma, which drops the \
                        attraction, has no counterpart here)";

fn source(a: &TypeAtom, b: &TypeAtom) -> String {
    if a.name == b.name { a.place.to_string() } else { format!("{} and {}", a.place, b.place) }
}

/// Parameters as the rule's types hold them, and its name.
fn mixed(rule: Rule, a: &TypeAtom, b: &TypeAtom) -> ([f64; 2], &'static str) {
    let (p, q) = (&a.parameters, &b.parameters);
    let geometric = |k: usize| if p[k] == q[k] { p[k] } else { (p[k] * q[k]).sqrt() };
    match rule {
        Rule::GeometricC6C12 => ([geometric(0), geometric(1)], "geometric C6 and C12"),
        Rule::LorentzBerthelot => ([0.5 * (p[0] + q[0]), geometric(1)], "lorentz-berthelot"),
        Rule::Geometric => ([geometric(0), geometric(1)], "geometric"),
    }
}

/// σ and ε, or C6 and C12 with rule 1, as our form; nothing where they make no potential.
pub(super) fn lennard_jones(
    rule: Rule,
    p: &[f64],
    provenance: Provenance,
    place: &Place,
    section: &str,
) -> Result<PairEntry, ImportError> {
    if p.iter().any(|v| *v < 0.0) {
        return Err(ImportError::at(place, section, format!("parameters {} and {}", p[0], p[1]), NEGATIVE));
    }
    let [sigma, epsilon] = match rule {
        Rule::GeometricC6C12 if (p[0] == 0.0) != (p[1] == 0.0) => {
            let found = format!("C6 = {} and C12 = {}: one without the other", p[0], p[1]);
            return Err(ImportError::at(
                place,
                section,
                found,
                "give both, or neither: the Lennard-Jones form has σ and ε, which need both",
            ));
        }
        Rule::GeometricC6C12 if p[0] == 0.0 => [0.0, 0.0],
        // C6 = 4εσ⁶, C12 = 4εσ¹²
        Rule::GeometricC6C12 => [(p[1] / p[0]).cbrt().sqrt(), p[0] * p[0] / (4.0 * p[1])],
        Rule::LorentzBerthelot | Rule::Geometric => [p[0], p[1]],
    };
    let source = place.to_string();
    Ok(if sigma == 0.0 || epsilon == 0.0 {
        PairEntry { form: "none".into(), parameters: Vec::new(), provenance, source }
    } else {
        PairEntry { form: "lennard_jones".into(), parameters: vec![sigma, epsilon], provenance, source }
    })
}

/// A exp(−B r) − C/r⁶ as our form with ρ = 1/B.
fn buckingham(p: &[f64], provenance: Provenance, place: &Place, section: &str) -> Result<PairEntry, ImportError> {
    let (source, [a, b, c]) = (place.to_string(), [p[0], p[1], p[2]]);
    if p.iter().any(|v| *v < 0.0) {
        return Err(ImportError::at(place, section, format!("A = {a}, B = {b}, C = {c}"), NEGATIVE));
    }
    if a == 0.0 && c == 0.0 {
        return Ok(PairEntry { form: "none".into(), parameters: Vec::new(), provenance, source });
    }
    if a == 0.0 || b == 0.0 {
        let found = format!("A = {a}, B = {b}, C = {c}: an attraction that nothing holds off");
        return Err(ImportError::at(place, section, found, "give A and B, or set C to 0"));
    }
    Ok(PairEntry { form: "buckingham".into(), parameters: vec![a, 1.0 / b, c], provenance, source })
}
