//! Bonded interactions of one molecule: which there are, from its bonds, and whose parameters they take.

use std::collections::BTreeMap;
use std::rc::Rc;

use amelo_core::FormClass;
use amelo_forces::ForcesError;
use amelo_forces::bonded::{AnyAngle, AnyBond, AnyDihedral, AnyForm, AnyImproper};
use amelo_io::parameters::{BondedParameters, ForceFieldData, FormTerm, MoleculeTemplate};

use super::{AssignError, Result, class_of, file_names};

/// One interaction: its atoms, counted from the molecule's first, and the entry of `data.bonded` that it uses.
pub(super) struct Use {
    pub entry: usize,
    pub atoms: Vec<u32>,
    /// Bonded types, joined by dashes, in the order that sorts first.
    pub types: Rc<str>,
}

/// Pairs at most three bonds apart, i < j, with the number of bonds between them.
pub(super) type ClosePairs = Vec<([u32; 2], usize)>;

/// Class and bonded types of an interaction, in the order that sorts first.
type Key<'a> = (u8, Vec<&'a str>);

/// Finds entries by types, each combination once.
pub(super) struct Assigner<'a> {
    data: &'a ForceFieldData,
    found: BTreeMap<Key<'a>, (usize, Rc<str>)>,
}

impl<'a> Assigner<'a> {
    pub fn new(data: &'a ForceFieldData) -> Self {
        Assigner { data, found: BTreeMap::new() }
    }

    /// Every bond, angle, dihedral and improper of `template`, and its close pairs.
    pub fn molecule(&mut self, template: &MoleculeTemplate) -> Result<(Vec<Use>, ClosePairs)> {
        let n = template.atoms.len();
        let mut neighbors: Vec<Vec<usize>> = vec![Vec::new(); n];
        let mut bonds: Vec<[usize; 2]> = template.bonds.iter().map(|&[a, b]| [a.min(b), a.max(b)]).collect();
        bonds.sort_unstable();
        bonds.dedup();
        for &[a, b] in &bonds {
            neighbors[a].push(b);
            neighbors[b].push(a);
        }
        let mut uses = Vec::new();
        for bond in &bonds {
            uses.push(self.find(FormClass::Bond, template, bond)?);
        }
        for (j, around) in neighbors.iter().enumerate() {
            for (m, &i) in around.iter().enumerate() {
                for &k in &around[m + 1..] {
                    uses.push(self.find(FormClass::Angle, template, &[i, j, k])?);
                }
            }
        }
        for &[j, k] in &bonds {
            for &i in neighbors[j].iter().filter(|&&i| i != k) {
                for &l in neighbors[k].iter().filter(|&&l| l != j && l != i) {
                    uses.push(self.find(FormClass::Dihedral, template, &[i, j, k, l])?);
                }
            }
        }
        for improper in &template.impropers {
            uses.push(self.find(FormClass::Improper, template, improper)?);
        }
        Ok((uses, close_pairs(&neighbors)))
    }

    fn find(&mut self, class: FormClass, template: &MoleculeTemplate, atoms: &[usize]) -> Result<Use> {
        let bonded_type = |a: &usize| {
            // The builder has checked that every type is known.
            self.data.types.get(&template.atoms[*a].type_name).map_or("", |t| t.bonded.as_str())
        };
        let mut types: Vec<&'a str> = atoms.iter().map(bonded_type).collect();
        let reversed: Vec<&'a str> = types.iter().rev().copied().collect();
        types = types.min(reversed);
        let (entry, types) = match self.found.get(&(class as u8, types.clone())) {
            Some((entry, text)) => (*entry, text.clone()),
            None => {
                let text: Rc<str> = types.join("-").into();
                let Some(entry) = self.best(class, &types)? else {
                    let names: Vec<&str> = atoms.iter().map(|&a| template.atoms[a].name.as_str()).collect();
                    return Err(AssignError::MissingBonded {
                        class: class_of(class).1,
                        types: text.to_string(),
                        atoms: names.join("-"),
                        molecule: template.name.clone(),
                        files: file_names(self.data),
                    });
                };
                self.found.insert((class as u8, types), (entry, text.clone()));
                (entry, text)
            }
        };
        Ok(Use { entry, atoms: atoms.iter().map(|&a| a as u32).collect(), types })
    }

    /// The entry with the fewest wildcards among those that fit in either direction.
    fn best(&self, class: FormClass, types: &[&str]) -> Result<Option<usize>> {
        let wildcards = |b: &BondedParameters| b.types.iter().filter(|t| *t == "*").count();
        let fits = |b: &BondedParameters| {
            let forward = b.types.iter().zip(types).all(|(p, t)| p == "*" || p == t);
            let backward = b.types.iter().rev().zip(types).all(|(p, t)| p == "*" || p == t);
            b.class == class && (forward || backward)
        };
        let mut fitting: Vec<usize> = (0..self.data.bonded.len()).filter(|&k| fits(&self.data.bonded[k])).collect();
        fitting.sort_by_key(|&k| wildcards(&self.data.bonded[k]));
        if let [first, second, ..] = fitting[..] {
            let [a, b] = [first, second].map(|k| &self.data.bonded[k]);
            if wildcards(a) == wildcards(b) {
                return Err(AssignError::Ambiguous {
                    class: class_of(class).1,
                    types: types.join("-"),
                    first: format!("{} ({})", a.types.join("-"), a.file),
                    second: format!("{} ({})", b.types.join("-"), b.file),
                });
            }
        }
        let Some(&entry) = fitting.first() else { return Ok(None) };
        let parameters = &self.data.bonded[entry];
        for term in &parameters.terms {
            check(class, term).map_err(|error| AssignError::Parameters {
                what: format!("{} {}", class_of(class).1, parameters.types.join("-")),
                file: parameters.file.clone(),
                error,
            })?;
        }
        Ok(Some(entry))
    }
}

fn check(class: FormClass, FormTerm { form, parameters }: &FormTerm) -> std::result::Result<(), ForcesError> {
    match class {
        FormClass::Angle => AnyAngle::new(form, parameters).map(|_| ()),
        FormClass::Dihedral => AnyDihedral::new(form, parameters).map(|_| ()),
        FormClass::Improper => AnyImproper::new(form, parameters).map(|_| ()),
        FormClass::Bond | FormClass::Pair => AnyBond::new(form, parameters).map(|_| ()),
    }
}

/// Breadth first to three bonds: in a ring the shortest way counts, and every pair appears once.
fn close_pairs(neighbors: &[Vec<usize>]) -> ClosePairs {
    let mut pairs = Vec::new();
    for start in 0..neighbors.len() {
        let mut reached = vec![start];
        let mut shell = vec![start];
        for bonds_apart in 1..=3 {
            let mut next = Vec::new();
            for &a in &shell {
                for &b in &neighbors[a] {
                    if !reached.contains(&b) {
                        reached.push(b);
                        next.push(b);
                    }
                }
            }
            pairs.extend(next.iter().filter(|&&b| b > start).map(|&b| ([start as u32, b as u32], bonds_apart)));
            shell = next;
        }
    }
    pairs.sort_unstable();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_counts_the_shortest_way() {
        // A five-membered ring has no pair three bonds apart; a chain of five has two.
        let ring: Vec<Vec<usize>> = (0..5).map(|i| vec![(i + 1) % 5, (i + 4) % 5]).collect();
        let count = |pairs: &ClosePairs, d: usize| pairs.iter().filter(|(_, k)| *k == d).count();
        let pairs = close_pairs(&ring);
        assert_eq!([1, 2, 3].map(|d| count(&pairs, d)), [5, 5, 0]);
        let chain = vec![vec![1], vec![0, 2], vec![1, 3], vec![2, 4], vec![3]];
        let pairs = close_pairs(&chain);
        assert_eq!([1, 2, 3].map(|d| count(&pairs, d)), [4, 3, 2]);
    }
}
