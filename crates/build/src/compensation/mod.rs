//! Where the charge of a missing O goes: named rules, one file each.
//!
//! A neutral O atom that leaves an oxide of ions leaves two electrons behind (its charge −q_O in a model with partial
//! charges). A rule names the cations that take them, in equal parts, so that the sum of all charges stays what it was.

mod all_ti;
mod two_nearest_ti;
mod two_subsurface_ti;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What `amelo explain` says of a rule.
#[derive(Clone, Copy, Debug)]
pub struct CompensationInfo {
    /// Name in decks.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// The charges.
    pub formula: &'static str,
    /// What must hold, one sentence each.
    pub assumptions: &'static [&'static str],
    /// Source.
    pub citation: &'static str,
}

/// A cation as a vacancy sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cation {
    /// Its atom.
    pub atom: usize,
    /// Distance from the missing O (nm).
    pub distance: f64,
    /// Depth below the nearer face of a slab or the wall of a pore (nm); absent in a periodic oxide.
    pub depth: Option<f64>,
    /// Whether an earlier vacancy has reduced it.
    pub reduced: bool,
}

/// From one line per rule, its name and its module, the enum and everything that depends on which rule it is.
macro_rules! compensations {
    ($($(#[$doc:meta])* $kind:ident => $module:ident),+ $(,)?) => {
        /// Which rule.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum Compensation {
            $($(#[$doc])* $kind,)+
        }

        /// Every rule's own description, for `amelo list oxides` and `amelo explain`.
        pub fn compensations() -> Vec<CompensationInfo> {
            vec![$($module::INFO),+]
        }

        impl Compensation {
            /// What it does.
            pub fn info(self) -> CompensationInfo {
                match self { $(Compensation::$kind => $module::INFO),+ }
            }

            /// The atoms that take the charge, in equal parts; none where the rule finds none. `cations`: nearest first.
            pub fn takers(self, cations: &[Cation]) -> Vec<usize> {
                match self { $(Compensation::$kind => $module::takers(cations)),+ }
            }
        }
    };
}

compensations! {
    /// The two nearest Ti that no other vacancy has reduced become Ti³⁺: half of the charge of O each.
    #[default]
    TwoNearestTi => two_nearest_ti,
    /// The two nearest Ti below the first layer of the face or the wall (0.35 nm): half of the charge of O each.
    TwoSubsurfaceTi => two_subsurface_ti,
    /// Every Ti takes the same part.
    AllTi => all_ti,
}

/// The first two of `cations` that `fit` and are not reduced yet; none where there are fewer.
fn two(cations: &[Cation], fit: impl Fn(&Cation) -> bool) -> Vec<usize> {
    let found: Vec<usize> = cations.iter().filter(|c| !c.reduced && fit(c)).take(2).map(|c| c.atom).collect();
    if found.len() == 2 { found } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cations() -> Vec<Cation> {
        let cation = |(atom, depth, reduced): (usize, f64, bool)| Cation {
            atom,
            distance: 0.2 + 0.01 * atom as f64,
            depth: Some(depth),
            reduced,
        };
        [(4, 0.1, false), (5, 0.1, true), (6, 0.4, false), (7, 0.1, false), (8, 0.5, false)].map(cation).to_vec()
    }

    #[test]
    fn rules_choose_the_titanium_that_they_name() {
        let all = cations();
        assert_eq!(Compensation::TwoNearestTi.takers(&all), [4, 6]);
        assert_eq!(Compensation::TwoSubsurfaceTi.takers(&all), [6, 8]);
        assert_eq!(Compensation::AllTi.takers(&all), [4, 5, 6, 7, 8]);
        assert!(Compensation::TwoNearestTi.takers(&all[..2]).is_empty());
        assert!(Compensation::TwoSubsurfaceTi.takers(&all[..4]).is_empty());
    }

    #[test]
    fn names_in_decks_are_those_of_the_descriptions() {
        for info in compensations() {
            let rule: Compensation = serde_json::from_value(info.name.into()).unwrap();
            assert_eq!(rule.info().name, info.name);
        }
    }
}
