//! What the force-field part of a topology says: defaults, atom types, and parameters by types.
//!
//! GROMACS reference manual, sections "Parameter files" and "Non-bonded parameters".

use std::collections::BTreeMap;

use super::bonded_table::{Added, BondedTable, MOST_TERMS};
use super::directive::Directive;
use super::fields::Fields;
use super::functions::{Function, Role, function, known};
use super::topology::{FREE_ENERGY, FREE_ENERGY_REMEDY};
use crate::formats::{ImportError, Place};

/// The pair potential of all types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PairFunction {
    LennardJones,
    Buckingham,
}

/// How parameters of unlike types follow from those of like ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// 1: types hold C6 and C12, each combined geometrically.
    GeometricC6C12,
    /// 2: σ arithmetic, ε geometric.
    LorentzBerthelot,
    /// 3: σ and ε geometric.
    Geometric,
}

/// `[ defaults ]`
#[derive(Clone, Copy, Debug)]
pub(super) struct Defaults {
    pub function: PairFunction,
    pub rule: Rule,
    pub generates_pairs: bool,
    pub fudge_lj: f64,
    pub fudge_qq: f64,
}

impl Default for Defaults {
    fn default() -> Self {
        Defaults {
            function: PairFunction::LennardJones,
            rule: Rule::GeometricC6C12,
            generates_pairs: false,
            fudge_lj: 1.0,
            fudge_qq: 1.0,
        }
    }
}

/// An atom type.
#[derive(Clone, Debug)]
pub(super) struct TypeAtom {
    pub place: Place,
    pub name: String,
    /// Number of its bonded type.
    pub bonded: u32,
    pub atomic_number: Option<i64>,
    pub mass: f64,
    pub charge: f64,
    /// `A` for an atom; shells and virtual sites have other letters.
    pub particle: char,
    /// Two numbers for Lennard-Jones, three for Buckingham.
    pub parameters: Vec<f64>,
}

/// Parameters of one pair of atom types.
#[derive(Clone, Debug)]
pub(super) struct PairType {
    pub place: Place,
    pub parameters: Vec<f64>,
}

/// A directive of a molecule and the number of a function.
type Table = (Directive, i64);

/// All parameters by types.
#[derive(Debug, Default)]
pub(super) struct Types {
    pub defaults: Defaults,
    pub atoms: Vec<TypeAtom>,
    by_name: BTreeMap<String, usize>,
    bonded_names: BTreeMap<String, u32>,
    bonded: BTreeMap<Table, BondedTable>,
    /// `[ pairtypes ]` by the two types' numbers, the smaller first.
    pub pairs_14: BTreeMap<(usize, usize), PairType>,
    /// `[ nonbond_params ]` likewise.
    pub pairs: BTreeMap<(usize, usize), PairType>,
    pub notes: Vec<String>,
}

impl Types {
    /// Number of the atom type `name`.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// nbfunc comb-rule [gen-pairs [fudgeLJ [fudgeQQ [power]]]]
    pub fn defaults(&mut self, fields: &Fields) -> Result<(), ImportError> {
        fields.count(2..=6, "NBFUNC COMB-RULE [GEN-PAIRS [FUDGELJ [FUDGEQQ]]]")?;
        let function = match fields.whole(0, "the non-bonded function", 1..=2)? {
            1 => PairFunction::LennardJones,
            _ => PairFunction::Buckingham,
        };
        let rule = match fields.whole(1, "the combination rule", 1..=3)? {
            1 => Rule::GeometricC6C12,
            2 => Rule::LorentzBerthelot,
            _ => Rule::Geometric,
        };
        let generates_pairs = match fields.text(2).map(str::to_lowercase) {
            Ok(text) if text.starts_with('y') => true,
            Ok(text) if text.starts_with('n') => false,
            Ok(text) => return fields.fail(format!("gen-pairs is \"{text}\""), "write yes or no"),
            Err(_) => false,
        };
        if generates_pairs && function == PairFunction::Buckingham {
            let found = "gen-pairs is yes with Buckingham potentials, where GROMACS has no rule for it";
            return fields.fail(found, "write no, and the parameters in [ pairtypes ]");
        }
        let fudge = |k: usize, what: &str| if fields.len() > k { fields.number(k, what) } else { Ok(1.0) };
        let (fudge_lj, fudge_qq) = (fudge(3, "fudgeLJ")?, fudge(4, "fudgeQQ")?);
        if fields.len() > 5 && fields.number(5, "the repulsion's power")? != 12.0 {
            let found = format!("the repulsion's power is {}", fields.text(5)?);
            return fields.fail(found, "only 12 has a counterpart in this engine");
        }
        self.defaults = Defaults { function, rule, generates_pairs, fudge_lj, fudge_qq };
        Ok(())
    }

    /// name [bonded type] [atomic number] mass charge particle parameters; the columns decide which are there, as the
    /// place of the particle's single letter tells.
    pub fn atom_type(&mut self, fields: &Fields) -> Result<(), ImportError> {
        const LAYOUT: &str = "NAME [BONDED] [NUMBER] MASS CHARGE A and the pair potential's parameters";
        let n = match self.defaults.function {
            PairFunction::LennardJones => 2,
            PairFunction::Buckingham => 3,
        };
        fields.count(4 + n..=6 + n, LAYOUT)?;
        let letter =
            |k: usize| matches!(fields.text(k), Ok(t) if t.len() == 1 && t.as_bytes()[0].is_ascii_alphabetic());
        let (has_bonded, has_number) = match () {
            _ if letter(5) => (true, true),
            _ if letter(3) => (false, false),
            _ if letter(4) => {
                let number = fields.text(1)?.parse::<i64>().is_ok();
                (!number, number)
            }
            () => {
                return fields.fail(format!("\"{}\" has no particle type A", fields.line()), format!("write {LAYOUT}"));
            }
        };
        let at_mass = 1 + usize::from(has_bonded) + usize::from(has_number);
        fields.count(at_mass + 3 + n..=at_mass + 3 + n, LAYOUT)?;
        let name = fields.text(0)?.to_string();
        let bonded_name = if has_bonded { fields.text(1)? } else { &name }.to_string();
        let next = self.bonded_names.len() as u32;
        let bonded = *self.bonded_names.entry(bonded_name).or_insert(next);
        let atomic_number =
            if has_number { Some(fields.whole(at_mass - 1, "the atomic number", -1..=200)?) } else { None };
        let particle = fields.text(at_mass + 2)?.chars().next().unwrap_or('A').to_ascii_uppercase();
        if !"ANSBVD".contains(particle) {
            return fields.fail(format!("the particle type is \"{particle}\""), "write A for an atom");
        }
        let kind = TypeAtom {
            place: fields.place.clone(),
            name: name.clone(),
            bonded,
            atomic_number,
            mass: fields.number(at_mass, "the mass")?,
            charge: fields.number(at_mass + 1, "the charge")?,
            particle,
            parameters: fields.numbers_from(at_mass + 3)?,
        };
        match self.by_name.get(&name) {
            Some(&k) => {
                self.notes
                    .push(format!("{}: atom type {name} replaces the one of {}", kind.place, self.atoms[k].place));
                self.atoms[k] = kind;
            }
            None => {
                self.by_name.insert(name, self.atoms.len());
                self.atoms.push(kind);
            }
        }
        Ok(())
    }

    /// A line of `[ bondtypes ]`, `[ constrainttypes ]`, `[ angletypes ]` or `[ dihedraltypes ]`.
    pub fn bonded_type(&mut self, fields: &Fields) -> Result<(), ImportError> {
        let directive = match fields.directive {
            Directive::BondTypes => Directive::Bonds,
            Directive::ConstraintTypes => Directive::Constraints,
            Directive::AngleTypes => Directive::Angles,
            _ => Directive::Dihedrals,
        };
        let is_digit = |k: usize| matches!(fields.text(k), Ok(t) if t.len() == 1 && t.as_bytes()[0].is_ascii_digit());
        let n_types = match directive {
            Directive::Angles => 3,
            Directive::Dihedrals if !is_digit(2) => 4,
            _ => 2,
        };
        let number = fields.whole(n_types, "the function", 1..=99)?;
        let Some(function) = function(directive, number) else {
            return fields.fail(format!("function {number} does not exist"), format!("take {}", known(directive)));
        };
        if matches!(function.role, Role::Missing) {
            // Kept out: a molecule that needs it is refused by its function.
            return Ok(());
        }
        let mut types = Vec::with_capacity(4);
        for k in 0..n_types {
            types.push(self.bonded_id(fields, k, directive == Directive::Dihedrals)?);
        }
        if directive == Directive::Dihedrals && n_types == 2 {
            // Two types: the outer ones of an improper of function 2, else the inner ones.
            types = match number {
                2 => vec![types[0], None, None, types[1]],
                _ => vec![None, types[0], types[1], None],
            };
        }
        let parameters = parameters(fields, n_types + 1, function)?;
        if parameters.is_empty() && function.n > 0 {
            return fields
                .fail(format!("\"{}\" has no parameters", fields.line()), format!("write {}", function.layout));
        }
        self.add_bonded(function, types, parameters, fields)
    }

    fn bonded_id(&self, fields: &Fields, k: usize, wildcards: bool) -> Result<Option<u32>, ImportError> {
        let name = fields.text(k)?;
        if wildcards && name == "X" {
            return Ok(None);
        }
        match self.bonded_names.get(name) {
            Some(&id) => Ok(Some(id)),
            None => fields.fail(
                format!("no atom type has the bonded type \"{name}\""),
                "correct the name, or define the type in [ atomtypes ]",
            ),
        }
    }

    fn add_bonded(
        &mut self,
        function: &Function,
        types: Vec<Option<u32>>,
        parameters: Vec<f64>,
        fields: &Fields,
    ) -> Result<(), ImportError> {
        let table: Table = (function.directive, function.table());
        let repeats = function.directive == Directive::Dihedrals && function.number == 9;
        let table = self.bonded.entry(table).or_default();
        match table.add(types, parameters, repeats, function.has_wildcards()) {
            Added::New | Added::Same => Ok(()),
            Added::Replaced => {
                let note = format!("{}: {} replaced: {}", fields.place, fields.directive.title(), fields.line());
                self.notes.push(note);
                Ok(())
            }
            Added::SecondBlock => fields.fail(
                "a second block of function 9 for the same types, with other parameters",
                "write all terms of these types on lines that follow each other",
            ),
            Added::TooMany => fields.fail(
                format!("more than {MOST_TERMS} terms for the same types"),
                "check for lines that were copied twice",
            ),
        }
    }

    /// Parameters of `function` for atoms with these bonded types: one set per term, none where no entry fits.
    pub fn find(&self, function: &Function, ids: &[u32]) -> Vec<&[f64]> {
        self.bonded.get(&(function.directive, function.table())).map_or(Vec::new(), |table| table.find(ids))
    }

    /// A line of `[ pairtypes ]` or `[ nonbond_params ]`.
    pub fn pair_type(&mut self, fields: &Fields) -> Result<(), ImportError> {
        let is_14 = fields.directive == Directive::PairTypes;
        let mut pair = [0; 2];
        for (k, id) in pair.iter_mut().enumerate() {
            let name = fields.text(k)?;
            *id = match self.index_of(name) {
                Some(id) => id,
                None => {
                    return fields.fail(format!("atom type \"{name}\" is not in [ atomtypes ]"), "define it there");
                }
            };
        }
        let number = fields.whole(2, "the function", 1..=2)?;
        let is_buckingham = self.defaults.function == PairFunction::Buckingham;
        if !is_14 && (number == 2) != is_buckingham {
            let found = format!("function {number} where [ defaults ] say {}", 1 + i32::from(is_buckingham));
            return fields.fail(found, "take the function of [ defaults ]");
        }
        let n = if !is_14 && is_buckingham { 3 } else { 2 };
        let mut parameters = fields.numbers_from(3)?;
        if is_14 && parameters.len() == 4 {
            if parameters[..2] != parameters[2..] {
                return fields.fail(FREE_ENERGY, FREE_ENERGY_REMEDY);
            }
            parameters.truncate(2);
        }
        if parameters.len() != n {
            return fields
                .fail(format!("\"{}\" has {} parameters", fields.line(), parameters.len()), format!("write {n}"));
        }
        let key = (pair[0].min(pair[1]), pair[0].max(pair[1]));
        let new = PairType { place: fields.place.clone(), parameters };
        let rows = if is_14 { &mut self.pairs_14 } else { &mut self.pairs };
        if let Some(old) = rows.insert(key, new)
            && old.parameters != rows[&key].parameters
        {
            let note = format!("{}: {} replaced: {}", fields.place, fields.directive.title(), fields.line());
            self.notes.push(note);
        }
        Ok(())
    }
}

/// Parameters of state A from field `from` on; state B may repeat them. Empty where there are none.
pub(super) fn parameters(fields: &Fields, from: usize, function: &Function) -> Result<Vec<f64>, ImportError> {
    let mut values = fields.numbers_from(from)?;
    let n = function.n;
    if values.len() == n + function.n_b && function.n_b > 0 {
        if values[n..] != values[..function.n_b] {
            return fields.fail(FREE_ENERGY, FREE_ENERGY_REMEDY);
        }
        values.truncate(n);
    }
    if values.is_empty() || values.len() == n {
        return Ok(values);
    }
    let found = format!("function {} ({}) with {} parameters", function.number, function.name, values.len());
    fields.fail(found, format!("write {}", function.layout))
}
