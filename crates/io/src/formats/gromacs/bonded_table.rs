//! Parameters of one bonded function by bonded types, with wildcards.
//!
//! GROMACS reference manual, section "Parameter files": types match in either direction; of the entries with wildcards
//! the first with the most exact matches is taken; dihedrals of function 9 may have several terms on lines that follow
//! each other.

use std::collections::BTreeMap;

/// Most terms of the same types; CHARMM has six.
pub(super) const MOST_TERMS: usize = 100;

/// Parameters of one combination of types; `None` is a wildcard.
#[derive(Clone, Debug)]
struct Row {
    types: Vec<Option<u32>>,
    parameters: Vec<f64>,
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// A combination that was not there, or one more term of the one before.
    New,
    /// The same parameters once more.
    Same,
    /// Other parameters in place of the earlier ones.
    Replaced,
    /// A second block of several terms, which is refused.
    SecondBlock,
    /// More than [`MOST_TERMS`] terms.
    TooMany,
}

/// Bonded parameters of one function.
#[derive(Debug, Default)]
pub(super) struct BondedTable {
    /// In the order of the files; terms of one combination follow each other.
    rows: Vec<Row>,
    /// First row of each combination, the smaller of both directions.
    first: BTreeMap<Vec<Option<u32>>, usize>,
    /// First rows of the combinations with wildcards.
    wild: Vec<usize>,
}

impl BondedTable {
    /// Adds an entry. `repeats`: it may be one of several terms. `wildcards`: they count in lookups.
    pub fn add(&mut self, types: Vec<Option<u32>>, parameters: Vec<f64>, repeats: bool, wildcards: bool) -> Added {
        let key = canonical(&types);
        let continues = repeats && self.rows.last().is_some_and(|r| r.types == types);
        let Some(first) = self.first.get(&key).copied() else {
            if wildcards && types.contains(&None) {
                self.wild.push(self.rows.len());
            }
            self.first.insert(key, self.rows.len());
            self.rows.push(Row { types, parameters });
            return Added::New;
        };
        if continues {
            if self.block(first).nth(MOST_TERMS - 1).is_some() {
                return Added::TooMany;
            }
            self.rows.push(Row { types, parameters });
            return Added::New;
        }
        if self.block(first).any(|r| r.parameters == parameters) {
            return Added::Same;
        }
        if repeats {
            return Added::SecondBlock;
        }
        self.rows[first].parameters = parameters;
        Added::Replaced
    }

    /// The parameters for atoms with these types: one set per term, none where no entry fits.
    pub fn find(&self, ids: &[u32]) -> Vec<&[f64]> {
        let exact: Vec<Option<u32>> = ids.iter().copied().map(Some).collect();
        let mut best = self.first.get(&canonical(&exact)).copied();
        if best.is_none() {
            let mut most = None;
            for &row in &self.wild {
                let types = &self.rows[row].types;
                let found = matches(types, ids.iter()).max(matches(types, ids.iter().rev()));
                if found > most {
                    (most, best) = (found, Some(row));
                }
            }
        }
        best.map_or(Vec::new(), |first| self.block(first).map(|r| r.parameters.as_slice()).collect())
    }

    /// The row `first` and those behind it for the same types.
    fn block(&self, first: usize) -> impl Iterator<Item = &Row> {
        self.rows[first..].iter().take_while(move |r| r.types == self.rows[first].types)
    }
}

/// The smaller of a list and its reverse.
fn canonical(types: &[Option<u32>]) -> Vec<Option<u32>> {
    types.to_vec().min(types.iter().rev().copied().collect())
}

/// Number of exact matches, where all match exactly or by a wildcard.
fn matches<'a>(types: &[Option<u32>], ids: impl Iterator<Item = &'a u32>) -> Option<usize> {
    let mut exact = 0;
    for (t, id) in types.iter().zip(ids) {
        match t {
            Some(t) if t == id => exact += 1,
            Some(_) => return None,
            None => {}
        }
    }
    Some(exact)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(table: &mut BondedTable, types: [u32; 4], value: f64, repeats: bool) -> Added {
        // 0 stands for a wildcard.
        table.add(types.iter().map(|&t| (t > 0).then_some(t)).collect(), vec![value], repeats, true)
    }

    fn found(table: &BondedTable, ids: [u32; 4]) -> Vec<f64> {
        table.find(&ids).concat()
    }

    #[test]
    fn the_first_entry_with_the_most_exact_matches_wins_in_either_direction() {
        let mut table = BondedTable::default();
        for (k, types) in [[0, 1, 2, 0], [0, 1, 2, 3], [4, 1, 2, 0], [5, 1, 2, 3]].into_iter().enumerate() {
            assert_eq!(add(&mut table, types, k as f64, false), Added::New);
        }
        assert_eq!(found(&table, [9, 1, 2, 9]), [0.0]);
        assert_eq!(found(&table, [9, 2, 1, 9]), [0.0]);
        assert_eq!(found(&table, [9, 1, 2, 3]), [1.0]);
        assert_eq!(found(&table, [4, 1, 2, 3]), [1.0]); // three each: the first
        assert_eq!(found(&table, [3, 2, 1, 5]), [3.0]);
        assert_eq!(found(&table, [9, 1, 1, 9]), Vec::<f64>::new());
    }

    #[test]
    fn terms_follow_each_other_and_later_lines_replace_earlier_ones() {
        let mut table = BondedTable::default();
        let of = |table: &mut BondedTable, value, repeats| add(table, [1, 2, 3, 4], value, repeats);
        assert_eq!([of(&mut table, 1.0, true), of(&mut table, 2.0, true)], [Added::New, Added::New]);
        add(&mut table, [7, 7, 7, 7], 0.0, true);
        assert_eq!(found(&table, [4, 3, 2, 1]), [1.0, 2.0]);
        assert_eq!(add(&mut table, [4, 3, 2, 1], 2.0, true), Added::Same);
        assert_eq!(add(&mut table, [4, 3, 2, 1], 5.0, true), Added::SecondBlock);
        assert_eq!(of(&mut table, 5.0, false), Added::Replaced);
        assert_eq!(found(&table, [1, 2, 3, 4]), [5.0, 2.0]);
        for k in 0..MOST_TERMS - 1 {
            assert_eq!(add(&mut table, [8, 8, 8, 8], k as f64, true), Added::New);
        }
        add(&mut table, [8, 8, 8, 8], 1e6, true);
        assert_eq!(add(&mut table, [8, 8, 8, 8], 2e6, true), Added::TooMany);
    }
}
