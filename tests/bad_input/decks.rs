//! Decks that say something wrong.

use crate::bad_deck;
use crate::common::argon_deck;

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

#[test]
fn a_profile_about_nothing() {
    bad_deck(
        &argon_deck("[[analysis]]\nradial-density = { bin = «\"0 nm\" }"),
        &["radial-density: bin = 0 nm", "for example \"0.05 nm\""],
    );
}
