//! One molecule type with everything looked up: its bonded terms, pairs, exclusions and constraints, in our forms.

use std::collections::BTreeSet;

use amelo_core::{Class, Constraint, PairEntry, Provenance};

use super::directive::{Directive, REFUSED};
use super::fields::Fields;
use super::functions::{Function, Role, function, known};
use super::nonbonded::lennard_jones;
use super::topology::{Entry, MoleculeType};
use super::types::{Types, parameters};
use crate::formats::{ImportError, Place};

/// A bonded term.
#[derive(Clone, Debug)]
pub(super) struct Term {
    pub class: Class,
    pub form: &'static str,
    pub atoms: Vec<u32>,
    pub parameters: Vec<f64>,
}

/// An entry of `[ pairs ]`.
#[derive(Clone, Debug)]
pub(super) struct ScaledTerm {
    pub atoms: [u32; 2],
    pub vdw: f64,
    pub coulomb: f64,
    pub charges: Option<[f64; 2]>,
    /// Own potential in place of the types'.
    pub own: Option<PairEntry>,
}

/// A molecule type resolved; atoms count from 0 within it.
#[derive(Debug, Default)]
pub(super) struct Kind {
    pub terms: Vec<Term>,
    pub pairs: Vec<ScaledTerm>,
    pub excluded: Vec<[u32; 2]>,
    pub constraints: Vec<Constraint>,
    /// Chemical bonds.
    pub bonds: Vec<[u32; 2]>,
    /// Name and number of atoms of each residue.
    pub residues: Vec<(String, usize)>,
    pub notes: Vec<String>,
}

/// Most exclusions of one molecule type.
const MOST_EXCLUSIONS: usize = 50_000_000;

/// Looks up everything that `molecule` needs.
pub(super) fn resolve(molecule: &MoleculeType, types: &Types, reorders: bool) -> Result<Kind, ImportError> {
    let mut kind = Kind::default();
    check_atoms(molecule, types)?;
    let mut last = None;
    for atom in &molecule.atoms {
        let here = (&atom.residue_number, &atom.residue);
        match kind.residues.last_mut() {
            Some((_, count)) if last == Some(here) => *count += 1,
            _ => kind.residues.push((atom.residue.clone(), 1)),
        }
        last = Some(here);
    }
    let mut graph = vec![Vec::new(); molecule.atoms.len()];
    let mut resolver = Resolver { molecule, types, reorders, kind: &mut kind, graph: &mut graph };
    for entry in &molecule.entries {
        resolver.entry(entry)?;
    }
    neighbours(molecule, &graph, &mut kind.excluded)?;
    Ok(kind)
}

fn check_atoms(molecule: &MoleculeType, types: &Types) -> Result<(), ImportError> {
    if molecule.atoms.is_empty() {
        let found = format!("molecule type \"{}\" has no atoms", molecule.name);
        return Err(ImportError::at(&molecule.place, "[ moleculetype ]", found, "write them below [ atoms ]"));
    }
    for atom in &molecule.atoms {
        let kind = &types.atoms[atom.kind];
        let fail = |found: String, remedy: &str| Err(ImportError::at(&atom.place, "[ atoms ]", found, remedy));
        if kind.particle != 'A' {
            return fail(
                format!("{} is of type {}, a particle of kind {}", atom.name, kind.name, kind.particle),
                "take a model whose every site is an atom (particle type A) with a mass",
            );
        }
        if atom.mass <= 0.0 {
            return fail(
                format!("{} has the mass {}", atom.name, atom.mass),
                "give it a positive mass (u); sites without mass have no counterpart here",
            );
        }
    }
    Ok(())
}

struct Resolver<'a> {
    molecule: &'a MoleculeType,
    types: &'a Types,
    /// Whether the force field asks for dihedrals in the order of AMBER's LEaP.
    reorders: bool,
    kind: &'a mut Kind,
    /// Neighbours by chemical bonds.
    graph: &'a mut [Vec<u32>],
}

impl Resolver<'_> {
    fn entry(&mut self, entry: &Entry) -> Result<(), ImportError> {
        let fields = entry.fields();
        match entry.directive {
            Directive::Refused(k) => fields.fail(
                format!("molecule type \"{}\" has {}, which has no counterpart here", self.molecule.name, REFUSED[k].0),
                REFUSED[k].1,
            ),
            Directive::Exclusions => self.exclusions(&fields),
            Directive::Settles => self.settle(&fields),
            Directive::Pairs => self.pair(&fields),
            Directive::Angles => self.interaction::<3>(&fields),
            Directive::Dihedrals => self.interaction::<4>(&fields),
            _ => self.interaction::<2>(&fields),
        }
    }

    /// The first N fields as atoms, from 0, all different.
    fn atoms<const N: usize>(&self, fields: &Fields) -> Result<[u32; N], ImportError> {
        let n = self.molecule.atoms.len() as i64;
        let mut atoms = [0; N];
        for (k, atom) in atoms.iter_mut().enumerate() {
            *atom = (fields.whole(k, "an atom", 1..=n)? - 1) as u32;
        }
        for k in 1..N {
            if atoms[..k].contains(&atoms[k]) {
                return fields
                    .fail(format!("\"{}\" names atom {} twice", fields.line(), atoms[k] + 1), "name each once");
            }
        }
        Ok(atoms)
    }

    /// The function in field `k`; 1 where there is none.
    fn function(&self, fields: &Fields, k: usize) -> Result<&'static Function, ImportError> {
        let number = if fields.len() > k { fields.whole(k, "the function", 1..=99)? } else { 1 };
        match function(fields.directive, number) {
            Some(f) if !matches!(f.role, Role::Missing) => Ok(f),
            Some(f) => fields.fail(
                format!("function {number} ({}) has no counterpart in this engine", f.name),
                format!("take {}", known(fields.directive)),
            ),
            None => {
                fields.fail(format!("function {number} does not exist"), format!("take {}", known(fields.directive)))
            }
        }
    }

    /// Bonds, angles, dihedrals, constraints.
    fn interaction<const N: usize>(&mut self, fields: &Fields) -> Result<(), ImportError> {
        let atoms: [u32; N] = self.atoms(fields)?;
        let function = self.function(fields, N)?;
        if function.connects {
            self.connect(atoms[0], atoms[1]);
            self.kind.bonds.push([atoms[0], atoms[1]]);
        }
        let own = if fields.len() > N { parameters(fields, N + 1, function)? } else { Vec::new() };
        let sets =
            if function.n == 0 || !own.is_empty() { vec![own] } else { self.defaults(fields, &atoms, function)? };
        for set in sets {
            match function.role {
                Role::Form(class, form, convert) => {
                    let parameters = convert(&set).or_else(|e| fields.fail(e, format!("write {}", function.layout)))?;
                    self.kind.terms.push(Term { class, form, atoms: atoms.to_vec(), parameters });
                }
                Role::Constraint => self.constrain(fields, [atoms[0], atoms[1]], set[0])?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Parameters by types: several sets for dihedrals of several terms.
    fn defaults(&self, fields: &Fields, atoms: &[u32], function: &Function) -> Result<Vec<Vec<f64>>, ImportError> {
        if self.reorders && matches!(function.role, Role::Form(Class::Improper, ..)) {
            return fields.fail(
                "the force field defines _FF_AMBER_LEAP_ATOM_REORDERING, which turns the atoms of impropers around",
                "write the improper with its parameters and the atoms in their final order",
            );
        }
        let kinds: Vec<&super::types::TypeAtom> =
            atoms.iter().map(|&a| &self.types.atoms[self.molecule.atoms[a as usize].kind]).collect();
        let ids: Vec<u32> = kinds.iter().map(|k| k.bonded).collect();
        let found: Vec<Vec<f64>> = self.types.find(function, &ids).into_iter().map(<[f64]>::to_vec).collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let names: Vec<&str> = kinds.iter().map(|k| k.name.as_str()).collect();
        fields.fail(
            format!(
                "no parameters of function {} ({}) for the types {}",
                function.number,
                function.name,
                names.join(", ")
            ),
            format!("add them to the types, or write {} behind the function", function.layout),
        )
    }

    fn constrain(&mut self, fields: &Fields, atoms: [u32; 2], length: f64) -> Result<(), ImportError> {
        if length <= 0.0 {
            return fields.fail(format!("the length is {length} nm"), "write a positive length");
        }
        self.kind.constraints.push(Constraint { atoms, length });
        Ok(())
    }

    fn connect(&mut self, i: u32, j: u32) {
        self.graph[i as usize].push(j);
        self.graph[j as usize].push(i);
    }

    /// OW function d_OH d_HH: a rigid water of the atom named and the two behind it. Section "Constraint algorithms".
    fn settle(&mut self, fields: &Fields) -> Result<(), ImportError> {
        fields.count(4..=4, "OW 1 d_OH d_HH")?;
        let [o] = self.atoms::<1>(fields)?;
        let function = self.function(fields, 1)?;
        if o as usize + 2 >= self.molecule.atoms.len() {
            let found = format!("atom {} has no two atoms behind it", o + 1);
            return fields.fail(found, "name the oxygen; its hydrogens follow it");
        }
        let p = parameters(fields, 2, function)?;
        for (atoms, length) in [([o, o + 1], p[0]), ([o, o + 2], p[0]), ([o + 1, o + 2], p[1])] {
            self.constrain(fields, atoms, length)?;
        }
        // Trap: only the first O–H bond counts for excluded neighbours there, which is why water models write their
        // exclusions out.
        self.connect(o, o + 1);
        self.kind.bonds.extend([[o, o + 1], [o, o + 2]]);
        Ok(())
    }

    /// i j k …: i excludes all that follow.
    fn exclusions(&mut self, fields: &Fields) -> Result<(), ImportError> {
        let n = self.molecule.atoms.len() as i64;
        let first = (fields.whole(0, "an atom", 1..=n)? - 1) as u32;
        for k in 1..fields.len() {
            let other = (fields.whole(k, "an atom", 1..=n)? - 1) as u32;
            if other != first {
                self.kind.excluded.push([first.min(other), first.max(other)]);
            }
        }
        Ok(())
    }

    /// Section "Pair interactions" of the manual's chapter on topologies: parameters of the line, else of
    /// `[ pairtypes ]`, else, with gen-pairs, those of the types with fudgeLJ.
    fn pair(&mut self, fields: &Fields) -> Result<(), ImportError> {
        let atoms: [u32; 2] = self.atoms(fields)?;
        let function = self.function(fields, 2)?;
        let defaults = &self.types.defaults;
        let own = if fields.len() <= 3 { Vec::new() } else { parameters(fields, 3, function)? };
        let mut term = ScaledTerm { atoms, vdw: 1.0, coulomb: defaults.fudge_qq, charges: None, own: None };
        let lj = |p: &[f64], place: &Place, section: &str| {
            lennard_jones(defaults.rule, p, Provenance::Explicit, place, section)
        };
        let [i, j] = atoms.map(|a| self.molecule.atoms[a as usize].kind);
        match own.as_slice() {
            [fudge_qq, qi, qj, p @ ..] if function.number == 2 => {
                term.coulomb = *fudge_qq;
                term.charges = Some([*qi, *qj]);
                term.own = Some(lj(p, fields.place, "[ pairs ]")?);
            }
            p @ [_, _] => term.own = Some(lj(p, fields.place, "[ pairs ]")?),
            _ => match self.types.pairs_14.get(&(i.min(j), i.max(j))) {
                Some(of_types) => term.own = Some(lj(&of_types.parameters, &of_types.place, "[ pairtypes ]")?),
                None if defaults.generates_pairs => term.vdw = defaults.fudge_lj,
                None => {
                    let [a, b] = [i, j].map(|k| self.types.atoms[k].name.as_str());
                    return fields.fail(
                        format!("no [ pairtypes ] for {a} and {b}, and gen-pairs is no"),
                        "add them, write the parameters behind the function, or set gen-pairs in [ defaults ] to yes",
                    );
                }
            },
        }
        if function.number == 2 && own.is_empty() {
            // Trap: GROMACS (2022.5, double) looks the parameters up, and then leaves the Lennard-Jones part at zero.
            (term.vdw, term.own) = (0.0, None);
            let note = "pairs of function 2 without parameters have no Lennard-Jones part, as GROMACS evaluates them";
            self.kind.notes.push(format!("{}: {note}", fields.place));
        }
        self.kind.pairs.push(term);
        Ok(())
    }
}

/// Adds the pairs of atoms up to `n_excluded_bonds` bonds apart.
fn neighbours(molecule: &MoleculeType, graph: &[Vec<u32>], excluded: &mut Vec<[u32; 2]>) -> Result<(), ImportError> {
    for start in 0..graph.len() as u32 {
        let mut seen = BTreeSet::from([start]);
        let mut shell = vec![start];
        for _ in 0..molecule.n_excluded_bonds {
            let mut next = Vec::new();
            for &atom in &shell {
                next.extend(graph[atom as usize].iter().copied().filter(|&other| seen.insert(other)));
            }
            if next.is_empty() {
                break;
            }
            excluded.extend(next.iter().filter(|&&other| other > start).map(|&other| [start, other]));
            shell = next;
            if excluded.len() > MOST_EXCLUSIONS {
                let found = format!(
                    "nrexcl = {} makes more than {MOST_EXCLUSIONS} exclusions in \"{}\"",
                    molecule.n_excluded_bonds, molecule.name
                );
                return Err(ImportError::at(&molecule.place, "[ moleculetype ]", found, "3 is usual"));
            }
        }
    }
    Ok(())
}
