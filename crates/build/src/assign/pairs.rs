//! The potential between every two types, and where it comes from.

use amelo_core::{AtomType, PairEntry, PairTable, Provenance};
use amelo_forces::mixing::{MixingRule, mix_lj};
use amelo_forces::pair::AnyPair;
use amelo_io::parameters::{ForceFieldData, Mixing, PairParameters, PairPotential, TypeParameters};

use super::{AssignError, Result, file_names};

/// Resolves every pair of `types`: an entry written for the pair, the last one where some override others, else
/// the mixing rule that both types share, else an error.
pub(super) fn table(types: &[AtomType], data: &ForceFieldData) -> Result<PairTable> {
    PairTable::from_fn(types.len(), |i, j| {
        let (first, second) = (&types[i].name, &types[j].name);
        let entry = match written(data, first, second) {
            Some(pair) => from_pair(pair),
            None => from_rule(data, first, second)?,
        };
        AnyPair::new(&entry.form, &entry.parameters).map_err(|error| AssignError::Parameters {
            what: format!("pair {first} - {second}"),
            file: entry.source.clone(),
            error,
        })?;
        Ok(entry)
    })
}

fn written<'a>(data: &'a ForceFieldData, first: &str, second: &str) -> Option<&'a PairParameters> {
    data.pairs.iter().rev().find(|p| {
        let [a, b] = [p.types[0].as_str(), p.types[1].as_str()];
        (a == first && b == second) || (a == second && b == first)
    })
}

fn from_pair(pair: &PairParameters) -> PairEntry {
    let (form, parameters, provenance) = match &pair.potential {
        PairPotential::None => ("none".into(), Vec::new(), Provenance::None),
        PairPotential::Form(term) => (term.form.clone(), term.parameters.clone(), Provenance::Explicit),
    };
    PairEntry {
        form,
        parameters,
        provenance: if pair.replaces { Provenance::Override } else { provenance },
        source: format!("{}: {}", pair.file, pair.source),
    }
}

fn from_rule(data: &ForceFieldData, first: &str, second: &str) -> Result<PairEntry> {
    let missing = |reason: String| AssignError::MissingPair {
        first: first.into(),
        second: second.into(),
        reason,
        files: file_names(data),
    };
    let of = |name: &str| data.types.get(name).and_then(|t: &TypeParameters| t.lennard_jones.as_ref());
    let (a, b) = match (of(first), of(second)) {
        (Some(a), Some(b)) => (a, b),
        (Some(_), None) => return Err(missing(format!("\"{second}\" has no Lennard-Jones parameters to mix"))),
        (None, Some(_)) => return Err(missing(format!("\"{first}\" has no Lennard-Jones parameters to mix"))),
        (None, None) => return Err(missing("neither has Lennard-Jones parameters to mix".into())),
    };
    if a.mixing != b.mixing {
        let (rule_a, rule_b) = (a.mixing.name(), b.mixing.name());
        return Err(missing(format!("\"{first}\" mixes by the {rule_a} rule, \"{second}\" by the {rule_b} one")));
    }
    let rule = match a.mixing {
        Mixing::Geometric => MixingRule::Geometric,
        Mixing::LorentzBerthelot => MixingRule::LorentzBerthelot,
    };
    let source = if first == second {
        format!("{}: {}", a.file, a.source)
    } else {
        format!("{}: {}; {}: {}", a.file, a.source, b.file, b.source)
    };
    Ok(PairEntry {
        form: "lennard_jones".into(),
        parameters: mix_lj(rule, [a.sigma, a.epsilon], [b.sigma, b.epsilon]).to_vec(),
        provenance: Provenance::Rule(rule.name().into()),
        source,
    })
}
