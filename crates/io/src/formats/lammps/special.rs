//! `special_bonds`: factors of pairs one, two and three bonds apart.
//!
//! Bonds define the distance, the shortest way counts. A factor of 0 excludes the pair, 1 leaves it to the pair loop,
//! anything else makes a scaled pair that is cut off and shifted like the others. Source: LAMMPS documentation,
//! special_bonds.

use amelo_core::ScaledPair;

use super::args::{Args, shown};
use crate::formats::ImportError;

/// Most partners within three bonds of one atom.
const MOST_PARTNERS: usize = 1000;

/// Factors at 1, 2, 3 bonds: \[van der Waals, Coulomb\].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Special {
    pub factors: [[f64; 2]; 3],
}

impl Default for Special {
    /// LAMMPS' default excludes all three.
    fn default() -> Self {
        Special { factors: [[0.0; 2]; 3] }
    }
}

impl Special {
    /// The command `special_bonds`. Each one begins anew at zeros.
    pub fn set(&mut self, args: &Args) -> Result<(), ImportError> {
        *self = Special::default();
        if args.is_empty() {
            return args.fail("it has no arguments", "write special_bonds lj/coul F2 F3 F4, or a force field's name");
        }
        let mut k = 0;
        while k < args.len() {
            let mut named = |lj: [f64; 3], coul: [f64; 3]| {
                self.factors = std::array::from_fn(|n| [lj[n], coul[n]]);
                k + 1
            };
            k = match args.words[k].as_str() {
                "charmm" => named([0.0; 3], [0.0; 3]),
                "amber" => named([0.0, 0.0, 0.5], [0.0, 0.0, 5.0 / 6.0]),
                "dreiding" => named([0.0, 0.0, 1.0], [0.0, 0.0, 1.0]),
                "fene" => named([0.0, 1.0, 1.0], [0.0, 1.0, 1.0]),
                key @ ("lj" | "coul" | "lj/coul") => {
                    for n in 0..3 {
                        let factor = args.number(k + 1 + n, "a factor")?;
                        if !(0.0..=1.0).contains(&factor) {
                            return args.fail(format!("a factor is {factor}"), "factors lie between 0 and 1");
                        }
                        if key != "coul" {
                            self.factors[n][0] = factor;
                        }
                        if key != "lj" {
                            self.factors[n][1] = factor;
                        }
                    }
                    k + 4
                }
                key @ ("angle" | "dihedral") => {
                    if args.yes_no(k + 1, key)? {
                        return args.fail(
                            format!("{key} yes makes the factors depend on the {key}s, which is not represented here"),
                            format!("write {key} no"),
                        );
                    }
                    k + 2
                }
                "one/five" => {
                    if args.yes_no(k + 1, "one/five")? {
                        return args.fail("one/five yes is not represented here", "write one/five no");
                    }
                    k + 2
                }
                "extra" => {
                    args.whole(k + 1, "extra", 0..=i64::MAX)?;
                    k + 2
                }
                other => {
                    return args.fail(
                        format!("\"{}\" is not known", shown(other)),
                        "use lj, coul, lj/coul, charmm, amber or dreiding",
                    );
                }
            };
        }
        Ok(())
    }

    /// Excluded pairs and, among them, those that come back scaled, ascending. Errors: an atom with too many partners.
    pub fn pairs(&self, n_atoms: usize, bonds: &[[u32; 2]]) -> Result<SpecialPairs, usize> {
        let mut neighbors = vec![Vec::new(); n_atoms];
        for &[i, j] in bonds {
            neighbors[i as usize].push(j);
            neighbors[j as usize].push(i);
        }
        for list in &mut neighbors {
            list.sort_unstable();
            list.dedup();
        }
        let mut found = SpecialPairs::default();
        for start in 0..n_atoms as u32 {
            let mut reached = vec![start];
            let mut shell = 0..1;
            for factors in self.factors {
                let first = reached.len();
                for k in shell {
                    for &b in &neighbors[reached[k] as usize] {
                        if !reached.contains(&b) {
                            reached.push(b);
                        }
                        if reached.len() > MOST_PARTNERS {
                            return Err(start as usize);
                        }
                    }
                }
                shell = first..reached.len();
                let [vdw, coulomb] = factors;
                for &partner in reached[shell.clone()].iter().filter(|p| **p > start) {
                    let atoms = [start, partner];
                    if vdw == 1.0 && coulomb == 1.0 {
                        continue;
                    }
                    found.excluded.push(atoms);
                    if vdw != 0.0 || coulomb != 0.0 {
                        found.scaled.push(ScaledPair {
                            atoms,
                            vdw,
                            coulomb,
                            charges: None,
                            pair_override: None,
                            cut: true,
                        });
                    }
                }
            }
        }
        Ok(found)
    }
}

/// Pairs taken out of the pair loop.
#[derive(Clone, Debug, Default)]
pub(super) struct SpecialPairs {
    pub excluded: Vec<[u32; 2]>,
    pub scaled: Vec<ScaledPair>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::Place;

    fn set(line: &str) -> Result<Special, String> {
        let place = Place { path: std::path::Path::new("in.lmp").into(), line: 4 };
        let words: Vec<String> = line.split_whitespace().map(String::from).collect();
        let mut special = Special::default();
        special.set(&Args { place: &place, name: "special_bonds", words: &words }).map_err(|e| e.to_string())?;
        Ok(special)
    }

    #[test]
    fn keywords() {
        assert_eq!(set("amber").unwrap().factors, [[0.0; 2], [0.0; 2], [0.5, 5.0 / 6.0]]);
        assert_eq!(set("lj 0 0 0.5 coul 0 0.1 0.2 angle no").unwrap().factors, [[0.0; 2], [0.0, 0.1], [0.5, 0.2]]);
        assert_eq!(set("lj/coul 0.1 0.25 1").unwrap().factors, [[0.1; 2], [0.25; 2], [1.0; 2]]);
        for (line, words) in [
            ("", "no arguments"),
            ("lj 0 0", "ends before a factor"),
            ("lj 0 0 2", "a factor is 2"),
            ("opls", "\"opls\" is not known"),
            ("lj/coul 0 0 0.5 dihedral yes", "not represented"),
        ] {
            let error = set(line).unwrap_err();
            assert!(error.starts_with("in.lmp:4: special_bonds: ") && error.contains(words), "{error}");
        }
    }

    #[test]
    fn rings_count_the_shortest_way_and_factors_of_one_stay_in_the_loop() {
        let chain: Vec<[u32; 2]> = (0..5).map(|i| [i, i + 1]).collect();
        let special = set("lj/coul 0 0.25 1").unwrap();
        let pairs = special.pairs(6, &chain).unwrap();
        assert_eq!(pairs.excluded.len(), 5 + 4);
        let scaled: Vec<[u32; 2]> = pairs.scaled.iter().map(|p| p.atoms).collect();
        assert_eq!(scaled, [[0, 2], [1, 3], [2, 4], [3, 5]]);
        assert!(pairs.scaled.iter().all(|p| p.vdw == 0.25 && p.cut));
        // In a ring of four the opposite corners are two bonds apart, both ways, and none is three.
        let ring = [[0, 1], [1, 2], [2, 3], [3, 0], [3, 0]];
        let pairs = set("lj/coul 0.1 0.2 0.3").unwrap().pairs(4, &ring).unwrap();
        assert_eq!(pairs.scaled.iter().filter(|p| p.vdw == 0.1).count(), 4);
        assert_eq!(pairs.scaled.iter().filter(|p| p.vdw == 0.2).count(), 2);
        assert_eq!(pairs.scaled.len(), 6);
    }

    #[test]
    fn a_star_without_end_is_refused() {
        let star: Vec<[u32; 2]> = (1..5000).map(|i| [0, i]).collect();
        assert_eq!(Special::default().pairs(5000, &star).unwrap_err(), 0);
    }
}
