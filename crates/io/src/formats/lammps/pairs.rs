//! `pair_style`, `pair_coeff`, `pair_modify`: what acts between every two atom types.

use std::collections::BTreeMap;

use amelo_core::{Modifier, PairEntry, Provenance};

use super::args::{Args, shown};
use super::mixing::Mixing;
use super::pair_styles::{Charge, Form, Parameters, Style, known};
use super::types::{Kind, Types};
use super::units::Units;
use crate::formats::{ImportError, Place};

/// How many coefficients may be set: wildcards over many types, again and again, would never end.
const MOST_SETTINGS: usize = 5_000_000;

/// Whether several styles share the pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Combination {
    Single,
    /// Each pair belongs to one style.
    Hybrid,
    /// The styles of a pair add up.
    Overlay,
}

/// One `pair_coeff` for one pair of types.
#[derive(Clone, Debug)]
struct Coefficient {
    style: usize,
    parameters: Parameters,
    /// Of van der Waals and Coulomb (nm).
    cuts: [f64; 2],
    /// Index into `places`.
    place: usize,
}

/// All settings of pair interactions.
#[derive(Clone, Debug)]
pub(super) struct Pairs {
    /// First word of `pair_style`.
    name: String,
    combination: Combination,
    pub styles: Vec<Style>,
    /// Where `pair_style` stands.
    pub place: Option<Place>,
    /// By types, from 1, i ≤ j. Of a hybrid style an empty list is "none".
    coefficients: BTreeMap<(usize, usize), Vec<Coefficient>>,
    /// Lines that set coefficients.
    places: Vec<Place>,
    settings: usize,
    mixing: Option<Mixing>,
    pub shift: Option<Place>,
    pub tail: Option<Place>,
}

/// What acts between two types.
#[derive(Clone, Debug)]
pub(super) struct Resolved {
    pub entry: PairEntry,
    pub charge: Charge,
    /// Cut-offs (nm) of van der Waals and of Coulomb, with the line that they come from, where there is such a part.
    pub cut_vdw: Option<(f64, Place)>,
    pub cut_coul: Option<(f64, Place)>,
    /// The style's own switch to zero at the cut-off.
    pub switch: Option<Modifier>,
    /// ε and σ of 1-4 pairs for `dihedral_style charmm`.
    pub lj14: Option<[f64; 2]>,
}

impl Default for Pairs {
    fn default() -> Self {
        Pairs {
            name: String::new(),
            combination: Combination::Single,
            styles: Vec::new(),
            place: None,
            coefficients: BTreeMap::new(),
            places: Vec::new(),
            settings: 0,
            mixing: None,
            shift: None,
            tail: None,
        }
    }
}

impl Pairs {
    /// The command `pair_style`. Another style than before takes the place of that one with its coefficients, as in
    /// LAMMPS; the same style again would keep them under new cut-offs, which is not read.
    pub fn set_style(&mut self, args: &Args, notes: &mut Vec<String>) -> Result<(), ImportError> {
        if !self.coefficients.is_empty() {
            let old = self.place.as_ref().map_or_else(String::new, Place::to_string);
            if self.name == args.text(0, "the style")? {
                return args.fail(
                    format!("pair_style {} stands twice ({old})", shown(&self.name)),
                    "keep the one that holds for the configuration to be imported",
                );
            }
            notes.push(format!("{}: pair_style replaces the one at {old} with its coefficients", args.place));
        }
        let name = args.text(0, "the style")?.to_string();
        *self = Pairs { name, place: Some(args.place.clone()), ..Pairs::default() };
        match args.text(0, "the style")? {
            "none" => {}
            name @ ("hybrid" | "hybrid/overlay") => {
                self.combination = if name == "hybrid" { Combination::Hybrid } else { Combination::Overlay };
                let mut start = 1;
                while start < args.len() {
                    // The next word that is neither a number nor an option of zero begins the next style.
                    let is_argument = |w: &String| w.parse::<f64>().is_ok() || w == "nocoeff" || w == "full";
                    let length = 1 + args.words[start + 1..].iter().take_while(|w| is_argument(w)).count();
                    let words = &args.words[start..start + length];
                    self.styles.push(Style::new(&Args { words, ..*args })?);
                    start += length;
                }
                if self.styles.is_empty() {
                    return args.fail(format!("{name} names no style"), "list the styles with their cut-offs");
                }
            }
            _ => self.styles.push(Style::new(args)?),
        }
        Ok(())
    }

    /// The command `pair_modify`.
    pub fn modify(&mut self, args: &Args, notes: &mut Vec<String>) -> Result<(), ImportError> {
        if self.place.is_none() {
            return args.fail("it stands before pair_style", "move it behind");
        }
        let mut k = 0;
        while k < args.len() {
            let key = args.words[k].as_str();
            match key {
                "mix" => {
                    self.mixing = Some(match args.text(k + 1, "the rule")? {
                        "geometric" => Mixing::Geometric,
                        "arithmetic" => Mixing::Arithmetic,
                        other => {
                            return args.fail(
                                format!("mixing rule \"{}\" is not known here", shown(other)),
                                "use geometric or arithmetic, or write every pair_coeff",
                            );
                        }
                    });
                }
                "shift" => self.shift = args.yes_no(k + 1, "shift")?.then(|| args.place.clone()),
                "tail" => self.tail = args.yes_no(k + 1, "tail")?.then(|| args.place.clone()),
                "table" | "tabinner" => {
                    args.not_negative(k + 1, key)?;
                    notes.push(format!(
                        "{}: pair_modify {key}: amelo computes erfc itself, so that no table is used; LAMMPS' tables of \
                         12 bits differ by about 1e-6 of a pair's Coulomb energy",
                        args.place
                    ));
                }
                "compute" => {
                    if !args.yes_no(k + 1, "compute")? {
                        return args.fail("pair_modify compute no leaves pair forces out", "leave it away");
                    }
                }
                other => {
                    return args.fail(
                        format!("\"{}\" is not read", shown(other)),
                        "use mix, shift, tail, table or compute yes, for all styles at once",
                    );
                }
            }
            k += 2;
        }
        Ok(())
    }

    /// The command `pair_coeff`, or a line of PairIJ Coeffs.
    pub fn set_coefficient(&mut self, args: &Args, types: &Types, units: &Units) -> Result<(), ImportError> {
        if self.place.is_none() {
            return args.fail("it stands before pair_style", "move it behind");
        }
        let first = types.range(args, 0, Kind::Atom)?;
        let second = types.range(args, 1, Kind::Atom)?;
        let rest = args.from(2);
        let single = self.combination == Combination::Single;
        let (style, rest) = match (single, self.styles.is_empty()) {
            (true, true) => return args.fail("pair_style none has no coefficients", "leave them away"),
            (true, false) => (Some(0), rest),
            (false, _) => self.substyle(&rest)?,
        };
        let coefficient = match style {
            None => None,
            Some(style) => {
                let (parameters, cuts) = self.styles[style].coefficients(&rest, units)?;
                self.places.push(args.place.clone());
                Some(Coefficient { style, parameters, cuts, place: self.places.len() - 1 })
            }
        };
        // Wildcards mean pairs i ≤ j; two plain numbers may stand in either order.
        let plain = first.start() == first.end() && second.start() == second.end();
        let mut any = false;
        for i in first {
            for j in second.clone() {
                if i > j && !plain {
                    continue;
                }
                any = true;
                self.settings += 1;
                if self.settings > MOST_SETTINGS {
                    return args.fail(
                        format!("pair coefficients are set more than {MOST_SETTINGS} times"),
                        "set each pair once",
                    );
                }
                let list = self.coefficients.entry((i.min(j), i.max(j))).or_default();
                if self.combination == Combination::Overlay {
                    list.retain(|c| coefficient.as_ref().is_some_and(|new| new.style != c.style));
                } else {
                    list.clear();
                }
                list.extend(coefficient.clone());
            }
        }
        if any { Ok(()) } else { args.fail("it names no pair of types i ≤ j", "swap the two ranges") }
    }

    /// Which style of a hybrid a `pair_coeff` means, and its words behind that.
    fn substyle<'a>(&self, args: &Args<'a>) -> Result<(Option<usize>, Args<'a>), ImportError> {
        let written = args.text(0, "the style that it belongs to")?;
        if written == "none" {
            args.count(1..=1, "I J none")?;
            return Ok((None, args.from(1)));
        }
        let same: Vec<usize> =
            (0..self.styles.len()).filter(|k| Some(self.styles[*k].name) == known(written)).collect();
        match same[..] {
            [] => {
                let names: Vec<&str> = self.styles.iter().map(|s| s.name).collect();
                args.fail(
                    format!("\"{}\" is no style of this hybrid", shown(written)),
                    format!("name one of {}, or none", names.join(", ")),
                )
            }
            [one] => Ok((Some(one), args.from(1))),
            _ => {
                let k = args.whole(1, "the number of the style", 1..=same.len() as i64)? as usize;
                Ok((Some(same[k - 1]), args.from(2)))
            }
        }
    }

    /// What acts between types `i` and `j` (from 1).
    pub fn resolve(&self, i: usize, j: usize, types: &Types) -> Result<Resolved, ImportError> {
        let mut resolved = Resolved {
            entry: PairEntry {
                form: "none".into(),
                parameters: Vec::new(),
                provenance: Provenance::None,
                source: self.place.as_ref().map_or("no pair_style".into(), Place::to_string),
            },
            charge: Charge::None,
            cut_vdw: None,
            cut_coul: None,
            switch: None,
            lj14: None,
        };
        let Some(place) = self.place.as_ref().filter(|_| !self.styles.is_empty()) else { return Ok(resolved) };
        let missing = |i: usize, j: usize| {
            let names = [i, j].map(|t| types.name(Kind::Atom, t)).join(" ");
            ImportError::at(
                place,
                "pair_style",
                format!("there is no pair_coeff for types {names}"),
                "all pairs need coefficients; only those of lj styles are mixed",
            )
        };
        let explicit = self.coefficients.get(&(i, j));
        let (coefficients, rule) = match explicit {
            Some(list) => (list.clone(), None),
            None if i == j => {
                // `zero … nocoeff` and `coul/long` have no parameters, but LAMMPS wants them named all the same.
                return Err(missing(i, j));
            }
            None => {
                let (a, b) = (self.coefficients.get(&(i, i)), self.coefficients.get(&(j, j)));
                let (a, b) = (a.ok_or_else(|| missing(i, i))?, b.ok_or_else(|| missing(j, j))?);
                let mixed = self.mix(a, b).ok_or_else(|| missing(i, j))?;
                (mixed.0, Some(mixed.1))
            }
        };
        for c in &coefficients {
            let style = &self.styles[c.style];
            let place = self.places[c.place].clone();
            let twice = |what: &str| {
                let names = [i, j].map(|t| types.name(Kind::Atom, t)).join(" ");
                Err(ImportError::at(
                    &place,
                    "pair_coeff",
                    format!("types {names} have two {what} potentials"),
                    "one pair has one van der Waals and one Coulomb potential here",
                ))
            };
            if style.charge != Charge::None {
                if resolved.charge != Charge::None {
                    return twice("Coulomb");
                }
                resolved.charge = style.charge;
                resolved.cut_coul = Some((c.cuts[1], place.clone()));
            }
            let (form, parameters) = match c.parameters {
                Parameters::LennardJones { lj: [epsilon, sigma], lj14 } => {
                    resolved.lj14 = matches!(style.form, Form::Charmm { .. }).then_some(lj14);
                    ("lennard_jones", vec![sigma, epsilon])
                }
                Parameters::Buckingham(p) => ("buckingham", p.to_vec()),
                Parameters::Nothing => continue,
            };
            let nothing = match c.parameters {
                Parameters::LennardJones { lj, .. } => lj[0] == 0.0 || lj[1] == 0.0,
                Parameters::Buckingham([a, _, c]) => a == 0.0 && c == 0.0,
                Parameters::Nothing => true,
            };
            if nothing {
                continue;
            }
            if resolved.entry.form != "none" {
                return twice("van der Waals");
            }
            resolved.cut_vdw = Some((c.cuts[0], place.clone()));
            resolved.switch = match style.form {
                Form::Charmm { inner } => Some(Modifier::EnergySwitch { r_switch: inner }),
                Form::Gromacs { inner } => Some(Modifier::ForceSwitch { r_switch: inner }),
                Form::None | Form::LennardJones | Form::Buckingham => None,
            };
            resolved.entry = PairEntry {
                form: form.into(),
                parameters,
                provenance: rule.map_or(Provenance::Explicit, |r| Provenance::Rule(r.into())),
                source: place.to_string(),
            };
        }
        Ok(resolved)
    }

    /// Coefficients of two unlike types from those of each with itself, and the name of the rule. None where the two
    /// belong to different styles, or to one that does not mix.
    fn mix(&self, a: &[Coefficient], b: &[Coefficient]) -> Option<(Vec<Coefficient>, &'static str)> {
        let mut name = "none";
        let mut mixed = Vec::new();
        if a.len() != b.len() {
            return None;
        }
        for x in a {
            let y = b.iter().find(|y| y.style == x.style)?;
            let style = &self.styles[x.style];
            let default =
                if matches!(style.form, Form::Charmm { .. }) { Mixing::Arithmetic } else { Mixing::Geometric };
            let rule = self.mixing.unwrap_or(default);
            let parameters = match (x.parameters, y.parameters) {
                (Parameters::Nothing, Parameters::Nothing) => Parameters::Nothing,
                (Parameters::LennardJones { lj: p, lj14: p14 }, Parameters::LennardJones { lj: q, lj14: q14 }) => {
                    name = rule.name();
                    Parameters::LennardJones { lj: rule.mix(p, q), lj14: rule.mix(p14, q14) }
                }
                _ => return None,
            };
            // Cut-offs are mixed like distances; those of lj/charmm and of Coulomb beside lj are global.
            let cuts = [0, 1].map(|k| rule.distance(x.cuts[k], y.cuts[k]));
            mixed.push(Coefficient { style: x.style, parameters, cuts, place: x.place });
        }
        Some((mixed, name))
    }
}
