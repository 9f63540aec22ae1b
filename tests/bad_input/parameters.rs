//! Parameter files of the user's own.

use crate::common::{ok, write};
use crate::{Expected, marked, refused};

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
