//! `bond_style`, `bond_coeff` and their like: which style and coefficients each type has.

use std::collections::BTreeMap;

use super::args::{Args, shown};
use super::bonded_styles::{Coefficients, coefficients, names};
use super::pair_styles::plain_name;
use super::types::{Kind, Types};
use super::units::Units;
use crate::formats::{ImportError, Place};

/// How many coefficients may be set, as for pairs.
const MOST_SETTINGS: usize = 5_000_000;

/// Styles and coefficients of one class.
#[derive(Clone, Debug)]
pub(super) struct Bonded {
    kind: Kind,
    /// Names; of a hybrid several.
    styles: Vec<&'static str>,
    hybrid: bool,
    /// Where the style stands.
    pub place: Option<Place>,
    by_type: BTreeMap<usize, (Coefficients, Place)>,
    settings: usize,
}

impl Bonded {
    pub fn new(kind: Kind) -> Self {
        Bonded { kind, styles: Vec::new(), hybrid: false, place: None, by_type: BTreeMap::new(), settings: 0 }
    }

    /// The command `…_style`. Another one takes the place of the one before with its coefficients, as in LAMMPS.
    pub fn set_style(&mut self, args: &Args, notes: &mut Vec<String>) -> Result<(), ImportError> {
        if let Some(old) = self.place.as_ref().filter(|_| !self.by_type.is_empty()) {
            notes.push(format!("{}: {} replaces the one at {old} with its coefficients", args.place, args.name));
            self.by_type.clear();
        }
        let first = args.text(0, "the style")?;
        self.hybrid = first == "hybrid";
        let names = if self.hybrid { &args.words[1..] } else { args.words };
        if !self.hybrid || names.is_empty() {
            args.count(1..=1, "one style, or hybrid and its styles")?;
        }
        self.styles = names.iter().map(|name| self.known(args, name)).collect::<Result<_, _>>()?;
        self.styles.retain(|s| *s != "none");
        if self.hybrid && self.styles.is_empty() {
            return args.fail("hybrid names no style", "list the styles");
        }
        self.place = Some(args.place.clone());
        Ok(())
    }

    fn known(&self, args: &Args, name: &str) -> Result<&'static str, ImportError> {
        let names = names(self.kind);
        match names.iter().find(|n| **n == plain_name(name)) {
            Some(name) => Ok(name),
            None => args.fail(
                format!("{} style \"{}\" has no counterpart here", self.kind.name(), shown(name)),
                format!("use one of {}, or hybrid of them", names.join(", ")),
            ),
        }
    }

    /// The command `…_coeff`, or a line of "… Coeffs".
    pub fn set_coefficients(&mut self, args: &Args, types: &Types, units: &Units) -> Result<(), ImportError> {
        let class = self.kind.name();
        if self.place.is_none() {
            return args.fail(format!("it stands before {class}_style"), "move it behind");
        }
        let range = types.range(args, 0, self.kind)?;
        let rest = args.from(1);
        let (style, rest) = match (self.hybrid, self.styles.first()) {
            (false, None) => return args.fail(format!("{class}_style none has no coefficients"), "leave them away"),
            (false, Some(style)) => (*style, rest),
            (true, _) => {
                let written = rest.text(0, "the style that it belongs to")?;
                let style = self.known(&rest, written)?;
                if style != "none" && !self.styles.contains(&style) {
                    return rest.fail(
                        format!("\"{style}\" is no style of this hybrid"),
                        format!("name one of {}", self.styles.join(", ")),
                    );
                }
                (style, rest.from(1))
            }
        };
        let coefficients = coefficients(self.kind, style, &rest, units)?;
        for number in range {
            self.settings += 1;
            if self.settings > MOST_SETTINGS {
                return args.fail(format!("coefficients are set more than {MOST_SETTINGS} times"), "set each once");
            }
            self.by_type.insert(number, (coefficients.clone(), args.place.clone()));
        }
        Ok(())
    }

    /// Coefficients of type `number`, once all are read. `used` is the line of the data file that needs them.
    pub fn get(&self, number: usize, types: &Types, used: &Place) -> Result<&(Coefficients, Place), ImportError> {
        let class = self.kind.name();
        let section = format!("{class}_style");
        let Some(place) = &self.place else {
            return Err(ImportError::at(used, &section, format!("there are {class}s, but no {section}"), "add it"));
        };
        self.by_type.get(&number).ok_or_else(|| {
            let name = types.name(self.kind, number);
            let found = format!("{class} type {name} has no coefficients");
            ImportError::at(place, &section, found, format!("add {class}_coeff {name} …"))
        })
    }
}
