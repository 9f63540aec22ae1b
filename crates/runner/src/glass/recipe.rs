//! Everything that the bits of a glass depend on, and its hash.

use std::collections::BTreeMap;

use amelo_build::amorphous::{Acceptance, MeltCell, elements};
use amelo_build::oxide::template;
use amelo_build::{AmorphousConfig, Assignment, BuildError, assign};
use amelo_core::quantity::Pressure;
use amelo_io::parameters::ForceFieldData;
use amelo_math::Vec3;
use sha2::{Digest, Sha256};

use super::furnace::steps;
use crate::provenance;

/// Changed whenever, within a version of amelo, the same settings make another glass than before.
const MAKING: u32 = 3;

/// A glass to be made.
#[derive(Clone, Debug)]
pub(super) struct Recipe<'a> {
    /// The section of the deck with defaults filled in, without what does not touch the glass.
    pub settings: AmorphousConfig,
    /// Number of units and first cell.
    pub melt: MeltCell,
    /// Seed.
    pub seed: u64,
    /// Topology and potentials of the oxide alone.
    pub oxide: Assignment,
    data: &'a ForceFieldData,
    /// Charge scale of the oxide alone.
    scale: BTreeMap<String, f64>,
    /// SHA-256 of all of it.
    pub hash: String,
}

impl<'a> Recipe<'a> {
    pub fn new(
        config: &AmorphousConfig,
        melt: MeltCell,
        lateral: [f64; 2],
        deck_seed: u64,
        data: &'a ForceFieldData,
        charge_scale: &BTreeMap<String, f64>,
    ) -> Result<Self, BuildError> {
        let seed = config.seed.unwrap_or(deck_seed);
        let settings = AmorphousConfig {
            seed: Some(seed),
            pressure: config.pressure().map(Pressure),
            accept: Acceptance::default(),
            cache: None,
            vacancies: None,
            ..config.clone()
        };
        let scale = oxide_scale(charge_scale);
        let oxide = oxide_alone(&elements(melt.formula_units), data, &scale)?;
        let [species, pairs] = potentials(&oxide);
        let mut all = serde_json::json!({
            "amelo": provenance::VERSION,
            "making": MAKING,
            "instruction_set": provenance::instruction_set(),
            "settings": settings,
            "lateral": lateral,
        });
        all["species"] = species;
        all["pairs"] = pairs;
        Ok(Recipe { settings, melt, seed, oxide, data, scale, hash: hash(&all) })
    }

    /// Topology and potentials of the oxide of `elements`, part of this one.
    pub fn oxide_of(&self, elements: &[&'static str]) -> Result<Assignment, BuildError> {
        oxide_alone(elements, self.data, &self.scale)
    }

    /// The hash as people see it.
    pub fn short(&self) -> &str {
        &self.hash[..12]
    }

    /// Steps of a time (ps), at least one.
    pub fn steps(&self, time: f64) -> u64 {
        steps(time, self.settings.timestep.0)
    }

    /// Steps of the cooling from `temperature` (K); none where there is nothing to cool.
    pub fn cooling_steps(&self, temperature: f64) -> u64 {
        let drop = temperature - self.settings.temperature.0;
        if drop > 0.0 { self.steps(drop / self.settings.quench_rate.0) } else { 0 }
    }

    /// Steps of dynamics in all.
    pub fn n_steps(&self) -> u64 {
        let s = &self.settings;
        let holds = std::iter::once(&s.surface_anneal).chain(&s.treatment);
        let surface: u64 = holds.map(|h| self.steps(h.time.0) + self.cooling_steps(h.temperature.0)).sum();
        self.steps(s.melt.time.0) + self.cooling_steps(s.melt.temperature.0) + 2 * self.steps(s.relax.0) + surface
    }
}

/// What `charge_scale` says of the oxide.
pub(crate) fn oxide_scale(charge_scale: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    charge_scale.iter().filter(|(name, _)| *name == "oxide").map(|(name, f)| (name.clone(), *f)).collect()
}

/// Topology and potentials of an oxide of `elements`.
pub(crate) fn oxide_alone(
    elements: &[&'static str],
    data: &ForceFieldData,
    scale: &BTreeMap<String, f64>,
) -> Result<Assignment, BuildError> {
    let atoms: Vec<_> = elements.iter().map(|e| (*e, Vec3::ZERO)).collect();
    Ok(assign(&[template(&atoms, data)?], data, scale)?)
}

/// Names, masses and charges of an oxide, and what is between its types, without where it stands in a file.
pub(crate) fn potentials(oxide: &Assignment) -> [serde_json::Value; 2] {
    let topology = &oxide.topology;
    let species = [0, topology.n_atoms() - 1].map(|k| (&topology.names[k], topology.masses[k], topology.charges[k]));
    let pairs: Vec<_> = oxide.pair_table.iter().map(|(i, j, e)| (i, j, &e.form, &e.parameters)).collect();
    [serde_json::json!(species), serde_json::json!(pairs)]
}

/// SHA-256 of a recipe.
pub(crate) fn hash(recipe: &serde_json::Value) -> String {
    Sha256::digest(recipe.to_string()).iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data() -> ForceFieldData {
        let text = include_str!("../../../../potentials/tio2-matsui-akaogi.toml");
        amelo_io::parameters::load_texts(&[("tio2", text)], &crate::forcefield::forms()).unwrap()
    }

    fn hash(section: &str, lateral: f64, deck_seed: u64, scale: f64) -> String {
        let config: AmorphousConfig = toml::from_str(&format!("thickness = \"2 nm\"\n{section}")).unwrap();
        let lateral = [lateral; 2];
        let data = data();
        let melt = config.melt_cell(Some(lateral), &data).unwrap();
        let scale = BTreeMap::from([("oxide".to_string(), scale), ("Li".to_string(), 0.8)]);
        Recipe::new(&config, melt, lateral, deck_seed, &data, &scale).unwrap().hash
    }

    #[test]
    fn the_hash_changes_with_every_key_that_touches_the_glass_and_with_no_other() {
        let plain = hash("", 2.0, 7, 1.0);
        let mut seen = vec![plain.clone()];
        for section in [
            "density = \"3.7 g/cm^3\"",
            "pressure = \"2 bar\"",
            "melt = { temperature = \"5100 K\", time = \"20 ps\" }",
            "melt = { temperature = \"5000 K\", time = \"21 ps\" }",
            "quench_rate = \"11 K/ps\"",
            "temperature = \"310 K\"",
            "relax = \"21 ps\"",
            "surface_anneal = { temperature = \"710 K\", time = \"50 ps\" }",
            "surface_anneal = { temperature = \"700 K\", time = \"51 ps\" }",
            "treatment = [{ temperature = \"500 K\", time = \"5 ps\" }]",
            "r_cut = \"0.91 nm\"",
            "timestep = \"0.5 fs\"",
            "seed = 8",
        ] {
            seen.push(hash(section, 2.0, 7, 1.0));
        }
        seen.extend([hash("", 2.1, 7, 1.0), hash("", 2.0, 8, 1.0), hash("", 2.0, 7, 0.9)]);
        // The deck's seed and the glass' own are the same number to it.
        assert_eq!(seen[13], seen[15]);
        seen.remove(15);
        let n = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), n);
        for section in
            ["accept = \"any\"", "cache = \"elsewhere\"", "seed = 7", "pressure = \"1 bar\"", "r_cut = \"9 Å\""]
        {
            assert_eq!(hash(section, 2.0, 7, 1.0), plain, "{section}");
        }
    }

    #[test]
    fn steps_are_counted_by_hand() {
        // 20 ps + 470 ps + 2 · 20 ps + 50 ps + 40 ps of 1 fs.
        let config: AmorphousConfig = toml::from_str("thickness = \"2 nm\"").unwrap();
        let data = data();
        let melt = config.melt_cell(Some([2.0; 2]), &data).unwrap();
        let none = BTreeMap::new();
        let recipe = Recipe::new(&config, melt, [2.0; 2], 1, &data, &none).unwrap();
        assert_eq!(recipe.n_steps(), 620_000);
        // 4.11 g/cm³ · 8 nm³ / 79.8658 u.
        assert_eq!(melt.formula_units, 248);
    }
}
