//! Pores that cannot be.

use crate::bad_deck;

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
