//! No script and no data file makes the LAMMPS importer panic or go on for ever.
//!
//! Mutations of good inputs: bytes changed, lines removed, doubled, swapped, words replaced by words of the language or
//! by extreme numbers. `AMELO_FUZZ_CASES=1000000` runs longer than the default of some seconds.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use amelo_io::formats::{ImportError, lammps};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

const SCRIPT: &str = include_str!("data/lammps/in.lmp");
const DATA: &str = include_str!("data/lammps/data.lmp");

/// Words that a mutation may write anywhere.
const WORDS: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "3.5",
    "1e308",
    "-1e308",
    "1e-320",
    "nan",
    "inf",
    "99999999999999999999",
    "2147483648",
    "*",
    "1*",
    "*2",
    "2*1",
    "**",
    "&",
    "#",
    "\"",
    "'",
    "\"\"\"",
    "$",
    "${x}",
    "$(",
    "$(1/0)",
    "$(v_x^v_x)",
    "v_x",
    "none",
    "hybrid",
    "hybrid/overlay",
    "zero",
    "lj/cut",
    "buck/coul/long",
    "lj/charmm/coul/long",
    "coul/cut",
    "charmm",
    "fourier",
    "nharmonic",
    "multi/harmonic",
    "opls",
    "cvff",
    "harmonic",
    "ewald",
    "pppm",
    "slab",
    "gewald",
    "mesh",
    "shift",
    "tail",
    "mix",
    "arithmetic",
    "real",
    "metal",
    "full",
    "molecular",
    "charge",
    "p",
    "f",
    "yes",
    "no",
    "Atoms",
    "Masses",
    "Bonds",
    "Velocities",
    "Pair",
    "Coeffs",
    "PairIJ",
    "Type",
    "Labels",
    "include",
    "in.lmp",
    "data.lmp",
    "read_data",
    "variable",
    "index",
    "equal",
    "string",
    "delete",
    "special_bonds",
    "pair_coeff",
    "fix",
    "shake",
    "all",
    "a",
    "b",
    "t",
    "m",
    "xlo",
    "xhi",
    "xy",
    "xz",
    "yz",
    "atoms",
    "types",
    "\u{fffd}",
    "\u{0}",
];

/// One change of a text; the numbers choose what and where.
#[derive(Clone, Debug)]
enum Mutation {
    Byte(usize, u8),
    Word(usize, usize),
    Remove(usize),
    Double(usize),
    Swap(usize, usize),
    Cut(usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let n = any::<prop::sample::Index>().prop_map(|i| i.index(1 << 20));
    prop_oneof![
        2 => (n.clone(), any::<u8>()).prop_map(|(at, b)| Mutation::Byte(at, b)),
        6 => (n.clone(), n.clone()).prop_map(|(at, w)| Mutation::Word(at, w)),
        2 => n.clone().prop_map(Mutation::Remove),
        1 => n.clone().prop_map(Mutation::Double),
        1 => (n.clone(), n.clone()).prop_map(|(a, b)| Mutation::Swap(a, b)),
        1 => n.prop_map(Mutation::Cut),
    ]
}

fn mutate(text: &str, mutations: &[Mutation]) -> Vec<u8> {
    let mut lines: Vec<String> = text.lines().map(String::from).collect();
    let mut bytes = Vec::new();
    for m in mutations {
        let n = lines.len().max(1);
        match *m {
            Mutation::Word(at, word) if !lines.is_empty() => {
                let line = &mut lines[at % n];
                let mut words: Vec<&str> = line.split_whitespace().collect();
                let word = WORDS[word % WORDS.len()];
                let place = (at / n) % (words.len() + 1);
                if place < words.len() {
                    words[place] = word
                } else {
                    words.push(word)
                }
                *line = words.join(" ");
            }
            Mutation::Remove(at) if !lines.is_empty() => drop(lines.remove(at % n)),
            Mutation::Double(at) if !lines.is_empty() => lines.insert(at % n, lines[at % n].clone()),
            Mutation::Swap(a, b) if !lines.is_empty() => lines.swap(a % n, b % n),
            _ => bytes.push(m),
        }
    }
    let mut out = lines.join("\n").into_bytes();
    for m in bytes {
        match *m {
            Mutation::Byte(at, byte) if !out.is_empty() => {
                let n = out.len();
                out[at % n] = byte;
            }
            Mutation::Cut(at) => out.truncate(at % (out.len() + 1)),
            _ => {}
        }
    }
    out
}

fn run(folder: &Path, script: &[u8], data: &[u8]) -> Result<(), TestCaseError> {
    fs::write(folder.join("in.lmp"), script).unwrap();
    fs::write(folder.join("data.lmp"), data).unwrap();
    let started = Instant::now();
    match lammps::import(&folder.join("in.lmp")) {
        Ok(imported) => {
            // What is accepted is complete.
            let t = &imported.system.topology;
            prop_assert_eq!(imported.pair_table.n_types(), t.types.len());
            prop_assert!(t.type_of.iter().all(|k| (*k as usize) < t.types.len()));
            prop_assert!(imported.system.positions.iter().all(|r| r.is_finite()));
        }
        Err(ImportError::Content { place, found, remedy, .. }) => {
            prop_assert!(place.line >= 1 && !found.is_empty() && !remedy.is_empty());
        }
        Err(_) => {}
    }
    prop_assert!(started.elapsed() < Duration::from_secs(5), "it took {:?}", started.elapsed());
    Ok(())
}

#[test]
fn mutated_scripts_and_data_neither_panic_nor_hang() {
    let cases = std::env::var("AMELO_FUZZ_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(3000);
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), SCRIPT.as_bytes(), DATA.as_bytes()).unwrap();
    lammps::import(&folder.path().join("in.lmp")).expect("the unchanged input is a good one");
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    let changes = || prop::collection::vec(mutation(), 0..8);
    TestRunner::new(config)
        .run(&(changes(), changes()), |(a, b)| run(folder.path(), &mutate(SCRIPT, &a), &mutate(DATA, &b)))
        .unwrap();
}
