//! Numbers and labels of atom, bond, angle, dihedral and improper types.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::args::{Args, shown};
use crate::formats::ImportError;

/// What has types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Atom = 0,
    Bond = 1,
    Angle = 2,
    Dihedral = 3,
    Improper = 4,
}

impl Kind {
    pub const ALL: [Kind; 5] = [Kind::Atom, Kind::Bond, Kind::Angle, Kind::Dihedral, Kind::Improper];

    pub fn name(self) -> &'static str {
        ["atom", "bond", "angle", "dihedral", "improper"][self as usize]
    }
}

/// How many types of each kind there are, and their labels.
#[derive(Clone, Debug, Default)]
pub(super) struct Types {
    pub counts: [usize; 5],
    pub labels: [BTreeMap<String, usize>; 5],
}

impl Types {
    /// Gives type `number` of `kind` a label. LAMMPS' rules: no digit, `*` or `#` in front, unique.
    pub fn label(&mut self, args: &Args, kind: Kind, number: usize, label: &str) -> Result<(), ImportError> {
        if label.is_empty() || label.starts_with(|c: char| c.is_ascii_digit() || "*#-+.".contains(c)) {
            return args.fail(format!("the label is \"{}\"", shown(label)), "begin it with a letter");
        }
        let labels = &mut self.labels[kind as usize];
        if labels.get(label).is_some_and(|n| *n != number) {
            return args.fail(format!("label \"{}\" stands for two types", shown(label)), "make labels unique");
        }
        labels.retain(|_, n| *n != number);
        labels.insert(label.into(), number);
        Ok(())
    }

    /// The types that word `k` names: a label, a number, or a range.
    pub fn range(&self, args: &Args, k: usize, kind: Kind) -> Result<RangeInclusive<usize>, ImportError> {
        let what = format!("the {} type", kind.name());
        match self.labels[kind as usize].get(args.text(k, &what)?) {
            Some(&number) => Ok(number..=number),
            None => args.range(k, &what, self.counts[kind as usize]),
        }
    }

    /// The one type that word `k` names.
    pub fn number(&self, args: &Args, k: usize, kind: Kind) -> Result<usize, ImportError> {
        let what = format!("the {} type", kind.name());
        match self.labels[kind as usize].get(args.text(k, &what)?) {
            Some(&number) => Ok(number),
            None if self.counts[kind as usize] == 0 => {
                args.fail(format!("there is no {what}"), format!("count the {what}s in the data file's header"))
            }
            None => Ok(args.whole(k, &what, 1..=self.counts[kind as usize] as i64)? as usize),
        }
    }

    /// Label of type `number`, or its number.
    pub fn name(&self, kind: Kind, number: usize) -> String {
        let label = self.labels[kind as usize].iter().find(|(_, n)| **n == number);
        label.map_or_else(|| number.to_string(), |(label, _)| label.clone())
    }
}
