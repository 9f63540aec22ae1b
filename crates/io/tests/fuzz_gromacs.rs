//! Topologies and coordinates that were cut, copied, shuffled and spoiled: any of them ends in a system or in an error
//! with a file and a line, soon and without a panic.
//!
//! 2000 cases by default, always the same; AMELO_FUZZ_SECONDS=600 goes on with new ones for ten minutes.

use std::path::Path;
use std::time::{Duration, Instant};

use amelo_io::formats::ImportError;
use amelo_io::formats::gromacs::{Options, import};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

/// Longest time that a spoiled system of a few hundred lines may take.
const LONGEST: Duration = Duration::from_secs(20);

/// Words that mean something somewhere.
const WORDS: &[&str] = &[
    "[ defaults ]",
    "[ atomtypes ]",
    "[ bondtypes ]",
    "[ dihedraltypes ]",
    "[ pairtypes ]",
    "[ nonbond_params ]",
    "[ moleculetype ]",
    "[ atoms ]",
    "[ bonds ]",
    "[ pairs ]",
    "[ angles ]",
    "[ dihedrals ]",
    "[ constraints ]",
    "[ settles ]",
    "[ exclusions ]",
    "[ position_restraints ]",
    "[ cmap ]",
    "[ system ]",
    "[ molecules ]",
    "[ virtual_sites3 ]",
    "[",
    "]",
    "#include \"a.top\"",
    "#include <b.itp>",
    "#include",
    "#define A A A",
    "#define B A",
    "#define 0.35 x",
    "#ifdef A",
    "#ifndef B",
    "#else",
    "#endif",
    "#undef A",
    "\\",
    ";",
    "A",
    "B",
    "X",
    "0",
    "1",
    "2",
    "3",
    "9",
    "-1",
    "1e308",
    "-1e-308",
    "nan",
    "inf",
    "4294967295",
    "99999999999999999999",
    "1000000",
    "0.1",
    "é",
    "\t",
    "1 1 1 1 1 1 1 1 1 1 1 1",
    "HA",
    "CT",
    "CHAIN",
    "SOL",
    ".",
    "1.0.0",
];

#[derive(Clone, Debug)]
enum Spoil {
    /// Remove lines.
    Cut(f64, usize),
    /// Copy lines elsewhere.
    Copy(f64, usize, f64),
    /// A word in place of a word.
    Word(f64, f64, usize),
    /// A line of its own.
    Line(f64, usize),
    /// A byte.
    Byte(f64, u8),
    /// Nothing behind this.
    Truncate(f64),
}

fn spoil() -> impl Strategy<Value = Spoil> {
    let at = || 0.0..1.0_f64;
    prop_oneof![
        (at(), 1..4_usize).prop_map(|(a, n)| Spoil::Cut(a, n)),
        (at(), 1..6_usize, at()).prop_map(|(a, n, b)| Spoil::Copy(a, n, b)),
        (at(), at(), 0..WORDS.len()).prop_map(|(a, b, w)| Spoil::Word(a, b, w)),
        (at(), at(), 0..WORDS.len()).prop_map(|(a, b, w)| Spoil::Word(a, b, w)),
        (at(), 0..WORDS.len()).prop_map(|(a, w)| Spoil::Line(a, w)),
        (at(), any::<u8>()).prop_map(|(a, b)| Spoil::Byte(a, b)),
        at().prop_map(Spoil::Truncate),
    ]
}

fn index(at: f64, n: usize) -> usize {
    ((at * n as f64) as usize).min(n.saturating_sub(1))
}

fn apply(text: &mut Vec<u8>, spoil: &Spoil) {
    let mut lines: Vec<Vec<u8>> = text.split(|&b| b == b'\n').map(<[u8]>::to_vec).collect();
    let n = lines.len();
    match *spoil {
        Spoil::Cut(a, count) => {
            let from = index(a, n);
            lines.drain(from..(from + count).min(n));
        }
        Spoil::Copy(a, count, b) => {
            let from = index(a, n);
            let copy: Vec<_> = lines[from..(from + count).min(n)].to_vec();
            let to = index(b, n);
            lines.splice(to..to, copy);
        }
        Spoil::Word(a, b, w) => {
            let line = &mut lines[index(a, n)];
            let text = String::from_utf8_lossy(line).into_owned();
            let mut words: Vec<&str> = text.split(' ').collect();
            let k = index(b, words.len());
            words[k] = WORDS[w];
            *line = words.join(" ").into_bytes();
        }
        Spoil::Line(a, w) => lines.insert(index(a, n), WORDS[w].as_bytes().to_vec()),
        Spoil::Byte(a, byte) => {
            let mut all = lines.join(&b'\n');
            let n = all.len();
            if n > 0 {
                all[index(a, n)] = byte;
            }
            *text = all;
            return;
        }
        Spoil::Truncate(a) => {
            text.truncate(index(a, text.len() + 1));
            return;
        }
    }
    *text = lines.join(&b'\n');
}

/// One of the systems of tests/data/gromacs in one file, with its coordinates.
fn seed(name: &str) -> (Vec<u8>, Vec<u8>) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/gromacs");
    let read = |file: &str| std::fs::read_to_string(data.join(file)).expect("a file of the repository");
    let mut top = read(&format!("{name}.top"));
    for _ in 0..3 {
        for file in
            ["functions.ff/forcefield.itp", "functions.ff/nonbonded.itp", "functions.ff/bonded.itp", "functions.itp"]
        {
            for written in [file, file.rsplit('/').next().unwrap()] {
                top = top.replace(&format!("#include \"{written}\"\n"), &read(file));
            }
        }
    }
    (top.into_bytes(), read(&format!("{name}.gro")).into_bytes())
}

/// What must hold for any input.
fn check(folder: &Path, top: &[u8], gro: &[u8]) -> Result<(), TestCaseError> {
    let (top_path, gro_path) = (folder.join("a.top"), folder.join("a.gro"));
    std::fs::write(&top_path, top).expect("written");
    std::fs::write(&gro_path, gro).expect("written");
    let options = Options { define: vec!["CLCHARGE=-1.8".into()], include: vec![folder.into()] };
    let begin = Instant::now();
    let result = import(&top_path, &gro_path, &options);
    prop_assert!(begin.elapsed() < LONGEST, "{:?}", begin.elapsed());
    match result {
        Ok(imported) => {
            let t = &imported.system.topology;
            let n = t.n_atoms();
            prop_assert_eq!(n, imported.system.positions.len());
            prop_assert_eq!(t.types.len(), imported.pair_table.n_types());
            prop_assert!(t.interactions.iter().all(|l| l.atoms.iter().all(|&a| (a as usize) < n)));
            let numbers = t.interactions.iter().flat_map(|l| l.parameters.iter().flatten());
            prop_assert!(numbers.chain(&t.masses).chain(&t.charges).all(|x| x.is_finite()));
            prop_assert!(imported.system.positions.iter().all(|r| r.is_finite()));
        }
        Err(ImportError::Content { place, found, remedy, .. }) => {
            prop_assert!(place.line >= 1 && !found.is_empty() && !remedy.is_empty());
            prop_assert!(place.path.starts_with(folder));
        }
        Err(other) => prop_assert!(!other.to_string().is_empty()),
    }
    Ok(())
}

fn run(cases: u32, rng: TestRng) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(folder.path().join("b.itp"), "[ bonds ]\n1 2\n#include \"b.itp\"\n").expect("written");
    let seeds = ["functions", "rule1", "water"].map(seed);
    for (top, gro) in &seeds {
        check(folder.path(), top, gro).expect("the unspoiled system");
    }
    let strategy = (0..seeds.len(), prop::collection::vec((spoil(), 0..8_u8), 1..6));
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new_with_rng(config, rng).run(&strategy, |(which, spoils)| {
        let (mut top, mut gro) = seeds[which].clone();
        for (spoil, target) in &spoils {
            // One in eight spoils the coordinates.
            apply(if *target == 0 { &mut gro } else { &mut top }, spoil);
        }
        check(folder.path(), &top, &gro)
    });
    if let Err(TestError::Fail(reason, (which, spoils))) = &outcome {
        panic!("{reason}\nseed {which}, {spoils:?}");
    }
    outcome.expect("the runner itself");
}

#[test]
fn spoiled_files_end_in_a_system_or_an_error() {
    run(2000, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let seconds = std::env::var("AMELO_FUZZ_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(0);
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        run(2000, Config::default().rng_algorithm.into_rng());
    }
}

/// A generator seeded by the system.
trait IntoRng {
    fn into_rng(self) -> TestRng;
}

impl IntoRng for RngAlgorithm {
    fn into_rng(self) -> TestRng {
        TestRng::from_seed(
            self,
            &std::array::from_fn::<u8, 32, _>(|k| {
                let now =
                    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_nanos());
                (now >> (k % 16)) as u8 ^ (k as u8).wrapping_mul(37)
            }),
        )
    }
}
