//! Decks' systems built with the project's own parameter files.

#![allow(dead_code)] // Each test file uses its part.

use std::sync::LazyLock;

use amelo_build::{BuildError, Placed, SystemConfig, place};
use amelo_io::parameters::{ForceFieldData, load_texts};

/// The project's own parameter files.
pub static DATA: LazyLock<ForceFieldData> = LazyLock::new(|| {
    let files = [
        ("peo-opls-aa", include_str!("../../../../potentials/peo-opls-aa.toml")),
        ("tfsi-clp", include_str!("../../../../potentials/tfsi-clp.toml")),
        ("li-clp", include_str!("../../../../potentials/li-clp.toml")),
        ("tio2-matsui-akaogi", include_str!("../../../../potentials/tio2-matsui-akaogi.toml")),
        ("tio2-organic", include_str!("../../../../potentials/tio2-organic.toml")),
    ];
    load_texts(&files, &amelo_forces::registry::all()).unwrap()
});

pub fn config(deck: &str) -> SystemConfig {
    toml::from_str(deck).unwrap()
}

pub fn build(deck: &str) -> Placed {
    place(&config(deck), &DATA, 7).unwrap()
}

pub fn refuse(deck: &str) -> BuildError {
    place(&config(deck), &DATA, 7).unwrap_err()
}
