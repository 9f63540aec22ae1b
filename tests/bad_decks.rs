//! Broken decks, parameter files and run directories: each gives an error with its place, the remedy and the exit
//! code, no panic, and touches nothing.
//!
//! `«` in a text marks where the error must point; it is removed before the file is written.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use amelo_core::Cell;
use amelo_math::Vec3;
use common::{argon, argon_deck, atoms, call, ok, store, write};

/// What must come of a call.
struct Expected<'a> {
    code: i32,
    /// Words of the message and of the remedy.
    says: &'a [&'a str],
}

/// Every file below a directory with its content.
fn contents(directory: &Path) -> BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(directory).expect("readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).expect("readable"));
        }
    }
    found
}

/// Runs `arguments` and asserts code, words, remedy, no panic, and that every file is what it was.
fn refused(directory: &Path, arguments: &[&str], expected: &Expected) -> String {
    let before = contents(directory);
    let (code, stderr) = call(directory, arguments);
    let what = format!("amelo {}\n{stderr}", arguments.join(" "));
    assert_eq!(code, expected.code, "{what}");
    for words in expected.says {
        assert!(stderr.contains(words), "\"{words}\" is not in:\n{what}");
    }
    assert!(stderr.contains("help:"), "no remedy in:\n{what}");
    assert!(!stderr.contains("panicked") && !stderr.contains("internal error"), "{what}");
    let after = contents(directory);
    for (path, content) in &before {
        assert!(after.get(path) == Some(content), "{} was changed by {what}", path.display());
    }
    if expected.code == 2 {
        assert_eq!(before.len(), after.len(), "new files after {what}");
    }
    stderr
}

/// Where `«` stands in `text`, as `name:line:column`, and the text without it.
fn marked(name: &str, text: &str) -> (Option<String>, String) {
    let Some(at) = text.find('«') else { return (None, text.into()) };
    let before = &text[..at];
    let line = 1 + before.matches('\n').count();
    let column = 1 + before.rsplit('\n').next().unwrap_or("").chars().count();
    (Some(format!("{name}:{line}:{column}")), text.replace('«', ""))
}

/// A deck that is refused at its mark before anything is written.
fn bad_deck(deck: &str, says: &[&str]) {
    let directory = tempfile::tempdir().expect("a directory");
    store(&argon(6), &directory.path().join("argon.h5"));
    let (place, text) = marked("run.toml", deck);
    write(directory.path(), "run.toml", &text);
    let stderr = refused(directory.path(), &["run", "run.toml"], &Expected { code: 2, says });
    let place = place.expect("a mark");
    assert!(stderr.contains(&place), "{place} is not in:\n{stderr}");
    // `check` finds it too.
    let stderr = refused(directory.path(), &["check", "run.toml"], &Expected { code: 2, says });
    assert!(stderr.contains(&place), "{place} is not in:\n{stderr}");
}

/// The argon deck with one piece replaced.
fn changed(from: &str, to: &str) -> String {
    let deck = argon_deck("");
    assert!(deck.contains(from), "{from}");
    deck.replacen(from, to, 1)
}

#[test]
fn a_typo_in_a_key() {
    bad_deck(&changed("timestep =", "«tiemstep ="), &["unknown field", "tiemstep", "timestep"]);
}

#[test]
fn a_wrong_dimension() {
    bad_deck(&changed("\"4 fs\"", "«\"4 nm\""), &["4 nm", "is not a time", "ps, fs"]);
}

#[test]
fn an_unknown_unit() {
    bad_deck(&changed("\"4 fs\"", "«\"4 furlong\""), &["unknown unit", "furlong"]);
}

#[test]
fn a_bare_number() {
    bad_deck(&changed("\"4 fs\"", "«4"), &["has no unit", "ps, fs"]);
}

#[test]
fn a_quantity_without_a_number() {
    bad_deck(&changed("\"4 fs\"", "«\"fs\""), &["does not start with a number"]);
}

#[test]
fn not_toml() {
    bad_deck(&changed("title = \"argon\"", "title = «argon"), &["string"]);
}

#[test]
fn a_key_twice() {
    bad_deck(&changed("seed = 5", "seed = 5\n«seed = 6"), &["duplicate key"]);
}

#[test]
fn a_missing_system() {
    bad_deck("«title = \"nothing\"\n", &["missing field", "system"]);
}

#[test]
fn an_unknown_thermostat() {
    bad_deck(&changed("\"v-rescale\"", "«\"berendsen\""), &["unknown variant", "berendsen", "v-rescale"]);
}

#[test]
fn an_unknown_analysis() {
    bad_deck(&argon_deck("[[analysis]]\n«msdd = { group = \"argon\" }"), &["unknown variant", "msdd", "msd"]);
}

#[test]
fn a_precision_that_does_not_exist() {
    bad_deck(&argon_deck("[nonbonded]\nr_cut = \"0.9 nm\"\nprecision = «\"single\""), &["single", "double", "mixed"]);
}

#[test]
fn two_kinds_of_stage_in_one() {
    let deck = changed("minimize =", "nve = {}\nminimize =").replacen("name = \"minimise\"", "name = «\"minimise\"", 1);
    bad_deck(&deck, &["more than one of minimize, nve, nvt, npt"]);
}

#[test]
fn no_kind_of_stage() {
    bad_deck(&argon_deck("[[stage]]\nname = «\"rest\"\nduration = \"1 ps\""), &["none of minimize, nve, nvt, npt"]);
}

#[test]
fn two_stages_of_one_name() {
    bad_deck(&changed("\"warm\"", "«\"minimise\""), &["two stages are called"]);
}

#[test]
fn dynamics_without_a_duration() {
    let deck = argon_deck("[[stage]]\nname = «\"rest\"\nnve = {}");
    bad_deck(&deck, &["has no duration", "100 ps"]);
}

#[test]
fn a_duration_that_is_no_whole_number_of_steps() {
    bad_deck(&changed("\"80 fs\"", "«\"81 fs\""), &["not a whole number of steps", "0.08"]);
}

#[test]
fn a_negative_duration() {
    bad_deck(&changed("\"80 fs\"", "«\"-80 fs\""), &["not a positive number of steps"]);
}

#[test]
fn a_cell_smaller_than_twice_the_cutoff() {
    bad_deck(&argon_deck("[nonbonded]\nr_cut = «\"1.2 nm\""), &["half the cell's smallest width", "2.22"]);
}

#[test]
fn a_switch_behind_the_cutoff() {
    let nonbonded = "[nonbonded]\nr_cut = \"0.9 nm\"\nvdw = { modifier = \"force-switch\", r_switch = «\"1.0 nm\" }";
    bad_deck(&argon_deck(nonbonded), &["not between 0 and the cut-off"]);
}

#[test]
fn a_switch_without_its_distance() {
    bad_deck(&argon_deck("[nonbonded]\n«vdw = { modifier = \"force-switch\" }"), &["needs r_switch"]);
}

#[test]
fn not_a_number_as_a_tolerance() {
    bad_deck(&argon_deck("[nonbonded]\ncoulomb.ewald = { tolerance = «nan }"), &["tolerance NaN", "1e-12"]);
}

#[test]
fn a_temperature_below_zero() {
    bad_deck(&changed("temperature = \"100 K\"", "temperature = «\"-100 K\""), &["temperature", "-100"]);
}

#[test]
fn constant_energy_at_rest() {
    let deck = changed("nvt = { temperature = \"100 K\", thermostat = \"v-rescale\" }", "«nve = {}");
    bad_deck(&deck, &["all atoms are at rest", "draw"]);
}

#[test]
fn a_frozen_group_that_is_not_there() {
    bad_deck(
        &changed("timestep = \"4 fs\"", "timestep = \"4 fs\"\nfrozen = [«\"oxide\"]"),
        &["no group \"oxide\"", "argon"],
    );
}

#[test]
fn an_analysis_of_a_group_that_is_not_there() {
    bad_deck(&argon_deck("[[analysis]]\nmsd = { group = «\"PEO\" }"), &["no group \"PEO\"", "argon"]);
}

#[test]
fn an_analysis_without_a_trajectory() {
    let deck = argon_deck("[[analysis]]\n«msd = { group = \"argon\" }")
        .replace("trajectory = { every = \"8 fs\", velocities = true }\n", "");
    bad_deck(&deck.replace("[[analysis]]\n«", "«[[analysis]]\n"), &["no stage writes a trajectory"]);
}

#[test]
fn a_force_field_beside_a_restart() {
    bad_deck(&changed("[dynamics]", "[«forcefield]\nfiles = []\n[dynamics]"), &["holds its own force field"]);
}

/// Argon as a user would add it: a parameter file beside the deck.
const ARGON: &str = r#"title = "argon"
source = "A. Rahman, Phys. Rev. 136, A405 (1964)"
mixing = "geometric"
[types]
Ar = { element = "Ar", mass = "39.948 u", lennard_jones = { sigma = "3.4 Å", epsilon = "0.997735 kJ/mol" } }
[molecules.Ar]
residue = "AR"
atoms = [{ name = "Ar", type = "Ar", charge = "0 e", at = "0 0 0 Å" }]
"#;

/// A box of argon built from that file.
const BOX: &str = r#"[system]
box = ["2.2 nm", "2.2 nm", "2.2 nm"]
[[system.molecule]]
name = "Ar"
count = 100
[forcefield]
files = ["argon"]
[nonbonded]
r_cut = "0.9 nm"
[[stage]]
name = "warm"
nvt = { temperature = "100 K" }
duration = "8 fs"
"#;

/// A deck and a parameter file of which one is refused at its mark.
fn bad_parameters(deck: &str, parameters: &str, says: &[&str]) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let (in_deck, deck) = marked("run.toml", deck);
    let (in_file, parameters) = marked("argon.toml", parameters);
    write(path, "run.toml", &deck);
    write(path, "argon.toml", &parameters);
    let stderr = refused(path, &["run", "run.toml"], &Expected { code: 2, says });
    let place = in_deck.or(in_file).expect("a mark");
    assert!(stderr.contains(&place), "{place} is not in:\n{stderr}");
}

/// The text with one piece replaced.
fn with(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

#[test]
fn the_user_s_own_molecule_runs() {
    let directory = tempfile::tempdir().expect("a directory");
    write(directory.path(), "run.toml", BOX);
    write(directory.path(), "argon.toml", ARGON);
    ok(directory.path(), &["run", "run.toml"]);
}

#[test]
fn a_parameter_file_that_is_not_there() {
    bad_parameters(&with(BOX, "\"argon\"", "«\"argone\""), ARGON, &["no parameter file \"argone\"", "peo-opls-aa"]);
}

#[test]
fn a_molecule_that_is_not_there() {
    bad_parameters(&with(BOX, "\"Ar\"", "«\"Xe\""), ARGON, &["Xe", "Ar"]);
}

#[test]
fn a_parameter_of_the_wrong_dimension() {
    bad_parameters(BOX, &with(ARGON, "\"3.4 Å\"", "«\"3.4 K\""), &["sigma", "3.4 K", "nm"]);
}

#[test]
fn a_parameter_without_a_unit() {
    bad_parameters(BOX, &with(ARGON, "\"39.948 u\"", "«39.948"), &["mass", "u"]);
}

#[test]
fn a_parameter_that_is_missing() {
    bad_parameters(BOX, &with(ARGON, "{ sigma = \"3.4 Å\", epsilon", "«{ epsilon"), &["sigma"]);
}

#[test]
fn an_unknown_key_in_a_parameter_file() {
    bad_parameters(BOX, &with(ARGON, "epsilon = \"0", "«epsilonn = \"0"), &["epsilonn"]);
}

#[test]
fn a_parameter_file_that_is_not_toml() {
    bad_parameters(BOX, &with(ARGON, "\"39.948 u\"", "«39.948 u"), &["argon.toml"]);
}

#[test]
fn a_type_without_a_potential() {
    let alone = with(ARGON, ", lennard_jones = { sigma = \"3.4 Å\", epsilon = \"0.997735 kJ/mol\" }", "");
    bad_parameters(&with(BOX, "files = ", "files = «"), &alone, &["Ar", "no potential between the types"]);
}

#[test]
fn an_atom_of_a_type_that_is_not_there() {
    bad_parameters(BOX, &with(ARGON, "type = \"Ar\"", "type = «\"Arr\""), &["Arr"]);
}

#[test]
fn a_packing_that_does_not_fit() {
    bad_parameters(&with(&with(BOX, "count = 100", "count = 100000"), "box = ", "box = «"), ARGON, &["dens"]);
}

#[test]
fn a_deck_that_is_not_utf8() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("run.toml"), b"title = \"Ti\xff\"\n").expect("written");
    refused(directory.path(), &["run", "run.toml"], &Expected { code: 2, says: &["not UTF-8", "run.toml:1:12"] });
}

#[test]
fn a_deck_that_is_missing_or_a_directory() {
    let directory = tempfile::tempdir().expect("a directory");
    refused(directory.path(), &["run", "none.toml"], &Expected { code: 4, says: &["none.toml"] });
    refused(directory.path(), &["run", "."], &Expected { code: 4, says: &["cannot read the deck"] });
}

#[test]
fn a_deck_without_stages() {
    let directory = tempfile::tempdir().expect("a directory");
    store(&argon(6), &directory.path().join("argon.h5"));
    write(directory.path(), "run.toml", "[system.restart]\nfrom = \"argon.h5\"\n");
    refused(directory.path(), &["run", "run.toml"], &Expected { code: 2, says: &["no stage"] });
}

#[test]
fn wrong_set_arguments() {
    let directory = tempfile::tempdir().expect("a directory");
    store(&argon(6), &directory.path().join("argon.h5"));
    write(directory.path(), "run.toml", &argon_deck(""));
    let cases: [(&str, &[&str]); 5] = [
        ("seed", &["without an equals sign"]),
        ("stage.cool.duration=\"1 ps\"", &["no entry named or numbered \"cool\""]),
        ("dynamics.tiemstep=\"1 fs\"", &["unknown field", "--set:1:1"]),
        ("dynamics.timestep=1", &["has no unit", "--set:1:19"]),
        ("seed.x=1", &["is a value"]),
    ];
    for (set, says) in cases {
        refused(directory.path(), &["run", "run.toml", "--set", set], &Expected { code: 2, says });
    }
}

#[test]
fn an_existing_run_directory_is_not_touched() {
    let directory = tempfile::tempdir().expect("a directory");
    store(&argon(6), &directory.path().join("argon.h5"));
    write(directory.path(), "run.toml", &argon_deck(""));
    let precious = directory.path().join("run.run");
    std::fs::create_dir(&precious).expect("made");
    write(&precious, "checkpoint.h5", "precious");
    refused(directory.path(), &["run", "run.toml"], &Expected { code: 2, says: &["exists already", "--resume"] });
    // A broken deck does not cost the old run, even with --overwrite.
    write(directory.path(), "bad.toml", &argon_deck("[[analysis]]\nmsd = { group = \"PEO\" }"));
    refused(
        directory.path(),
        &["run", "bad.toml", "--out", "run.run", "--overwrite"],
        &Expected { code: 2, says: &["PEO"] },
    );
    refused(
        directory.path(),
        &["build", "run.toml", "-o", "argon.h5"],
        &Expected { code: 2, says: &["exists already"] },
    );
    refused(
        directory.path(),
        &["run", "run.toml", "--out", "argon.h5"],
        &Expected { code: 2, says: &["not a directory"] },
    );
}

#[test]
fn a_run_directory_that_cannot_be_made() {
    let directory = tempfile::tempdir().expect("a directory");
    store(&argon(6), &directory.path().join("argon.h5"));
    write(directory.path(), "run.toml", &argon_deck(""));
    refused(
        directory.path(),
        &["run", "run.toml", "--out", "argon.h5/run"],
        &Expected { code: 4, says: &["argon.h5/run"] },
    );
}

#[test]
fn system_files_that_are_missing_truncated_or_something_else() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    store(&argon(6), &path.join("argon.h5"));
    let whole = std::fs::read(path.join("argon.h5")).expect("readable");
    std::fs::write(path.join("short.h5"), &whole[..whole.len() / 2]).expect("written");
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    std::fs::write(path.join("flipped.h5"), &flipped).expect("written");
    std::fs::write(path.join("empty.h5"), b"").expect("written");
    std::fs::write(path.join("text.h5"), b"hello").expect("written");
    let cases: [(&str, &str); 5] = [
        ("gone.h5", "gone.h5"),
        ("short.h5", "damaged"),
        ("flipped.h5", "SHA-256"),
        ("empty.h5", "damaged"),
        ("text.h5", "not a system or checkpoint file"),
    ];
    for (name, says) in cases {
        write(path, "run.toml", &argon_deck("").replace("argon.h5", name));
        refused(path, &["run", "run.toml"], &Expected { code: 4, says: &[name, says] });
        refused(path, &["energy", name], &Expected { code: 4, says: &[name] });
    }
}

#[test]
fn atoms_on_top_of_each_other() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let cell = Cell::orthorhombic(3.0, 3.0, 3.0).expect("a cell");
    let positions = vec![Vec3::new(1.0, 1.0, 1.0), Vec3::new(1.0, 1.0, 1.001), Vec3::new(2.0, 2.0, 2.0)];
    store(&atoms(positions, cell), &path.join("argon.h5"));
    let deck = argon_deck("").replace("[[stage]]\nname = \"minimise\"\nminimize = { max_steps = 20 }\n", "");
    write(path, "run.toml", &deck);
    refused(path, &["energy", "argon.h5"], &Expected { code: 3, says: &["atoms 0 and 1 overlap", "r = 0.001"] });
    let stderr =
        refused(path, &["run", "run.toml"], &Expected { code: 3, says: &["atoms 0 and 1 overlap", "dossier.json"] });
    let text = std::fs::read_to_string(path.join("run.run/dossier.json")).unwrap_or_else(|e| panic!("{e}: {stderr}"));
    let dossier: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(dossier["atom"]["atom"], 0);
    assert_eq!(dossier["neighbours"][0]["atom"], 1);
    // The checkpoint before it is good.
    ok(path, &["energy", "argon.h5", "--set", "nonbonded.r_cut=\"1 nm\"", "--help"]);
    amelo_io::Snapshot::read(&path.join("run.run/checkpoint.h5")).expect("the last good checkpoint");
}

#[test]
fn a_position_that_is_not_a_number() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut snapshot = argon(6);
    snapshot.system.positions[7].y = f64::NAN;
    store(&snapshot, &directory.path().join("argon.h5"));
    write(directory.path(), "run.toml", &argon_deck(""));
    refused(directory.path(), &["run", "run.toml"], &Expected { code: 4, says: &["atom 7", "not a finite number"] });
}

#[test]
fn a_damaged_checkpoint_is_replaced_by_the_one_before() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    store(&argon(6), &path.join("argon.h5"));
    write(path, "run.toml", &argon_deck(""));
    ok(path, &["run", "run.toml", "--out", "whole"]);
    let (code, stderr) = call(path, &["run", "run.toml", "--out", "parts", "--steps", "33"]);
    assert_eq!(code, 75, "{stderr}");
    let checkpoint = path.join("parts/checkpoint.h5");
    let whole = std::fs::read(&checkpoint).expect("readable");
    std::fs::write(&checkpoint, &whole[..whole.len() / 3]).expect("written");
    let (code, stderr) = call(path, &["run", "run.toml", "--out", "parts", "--resume"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("damaged") && stderr.contains("going on from the checkpoint before"), "{stderr}");
    assert_eq!(common::hash(path, "whole"), common::hash(path, "parts"));
    for name in ["checkpoint.h5", "checkpoint.prev.h5"] {
        std::fs::write(path.join("parts").join(name), b"amelo snapshot\n").expect("written");
    }
    refused(path, &["run", "run.toml", "--out", "parts", "--resume"], &Expected { code: 4, says: &["checkpoint.h5"] });
}

#[test]
fn commands_on_something_that_is_no_run() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    write(path, "trajectory.h5md", "not HDF5");
    refused(path, &["hash", "nowhere"], &Expected { code: 4, says: &["nowhere"] });
    refused(path, &["analyze", "density", "."], &Expected { code: 4, says: &["trajectory.h5md"] });
    refused(path, &["analyze", "nothing", "."], &Expected { code: 2, says: &["no analysis \"nothing\"", "msd"] });
    refused(path, &["explain", "berendsen"], &Expected { code: 2, says: &["v-rescale"] });
}

/// A pore of 2.4 nm in anatase, with one piece replaced.
fn pore(from: &str, to: &str) -> String {
    let deck = r#"
[system]
lateral = ["3.8 nm", "3.8 nm"]
packing_density = "1 g/cm^3"
[system.oxide.anatase]
thickness = "2.8 nm"
pore = { diameter = "2.4 nm" }
[[system.molecule]]
name = "PEO"
monomers = 10
[forcefield]
files = ["peo-opls-aa", "tio2-matsui-akaogi", "tio2-organic"]
[nonbonded]
r_cut = "1.2 nm"
[[stage]]
name = "run"
nvt = { temperature = "423 K" }
duration = "1 ps"
"#;
    assert!(deck.contains(from), "{from}");
    deck.replacen(from, to, 1)
}

#[test]
fn a_pore_wider_than_its_block() {
    bad_deck(
        &pore("\"2.4 nm\"", "«\"4 nm\""),
        &[
            "a pore of 4 nm is wider than its block allows: the block is 3.784 nm across and 0.5 nm of oxide must stay between a \
             pore and its image",
            "make `lateral` at least 4.50 nm or the pore at most 3.28 nm",
        ],
    );
}

#[test]
fn a_wall_thinner_than_the_cut_off() {
    bad_deck(
        &pore("lateral = [\"3.8 nm\", \"3.8 nm\"]", "lateral = «[\"3.4 nm\", \"3.8 nm\"]"),
        &[
            "the wall between a pore of 2.4 nm and its image in a block of 3.4 nm is 1.000 nm thin, less than the cut-off of 1.2 \
             nm: molecules in one would feel those in the other",
            "make `lateral` at least 3.600 nm",
        ],
    );
}

#[test]
fn a_chain_too_long_for_its_pore() {
    bad_deck(
        &pore("monomers = 10", "monomers = «400"),
        &["the chain is too long for the pore: one PEO", "write at most", "monomers, or make the pore wider or longer"],
    );
}

// The whole cylinder, π/4 · 2.4² · 2.8 nm³: no glass stands there yet, whose wall would say how much of it is open.
#[test]
fn a_chain_too_long_for_a_pore_in_a_glass_that_is_not_made_yet() {
    let deck = pore("monomers = 10", "monomers = «400");
    bad_deck(
        &deck.replace("system.oxide.anatase", "system.oxide.amorphous"),
        &["the chain is too long for the pore: one PEO", "times the mass that 12.67 nm^3 hold"],
    );
}

#[test]
fn a_barostat_on_a_pore() {
    let says = ["a pore has no pressure of its own to be held", "run it at constant volume: nvt"];
    let nvt = "nvt = { temperature = \"423 K\" }";
    for coupling in ["isotropic", "z"] {
        let npt = format!("«npt = {{ temperature = \"423 K\", pressure = \"1 bar\", coupling = \"{coupling}\" }}");
        bad_deck(&pore(nvt, &npt), &says);
    }
    let both = format!("{nvt}\nduration = \"1 ps\"");
    let equilibrate =
        "«equilibrate = { temperature = \"423 K\", pressure = \"1 bar\", cycles = {}, max_duration = \"1 ns\" }";
    bad_deck(&pore(&both, equilibrate), &says);
}

#[test]
fn a_density_in_a_pore_out_of_reach() {
    bad_deck(
        &pore("\"1 g/cm^3\"", "«\"2.6 g/cm^3\""),
        &["the molecules would have a density of 2.600 g/cm³, which is impossible (at most 2)"],
    );
}

#[test]
fn a_pore_whose_molecules_all_have_counts_and_a_density() {
    bad_deck(
        &pore("\"1 g/cm^3\"", "«\"1 g/cm^3\"").replace("monomers = 10", "monomers = 10\ncount = 4"),
        &["every molecule of the pore has its count, which fixes the density"],
    );
}

#[test]
fn a_profile_about_nothing() {
    bad_deck(
        &argon_deck("[[analysis]]\nradial-density = { bin = «\"0 nm\" }"),
        &["radial-density: bin = 0 nm", "for example \"0.05 nm\""],
    );
}
