//! Amorphous TiO₂: what a deck says of it, where its melt begins, and its slab as the oxide of a system.
//!
//! Geometry only. Whoever has dynamics melts, quenches, cuts ([`crate::cleave`]) and anneals in between, and hands the slab
//! to [`Oxide::of_glass`].

use amelo_core::Cell;
use amelo_core::quantity::{CoolingRate, Density, Length, Pressure, Temperature, Time};
use amelo_core::units::{BAR_PER_PRESSURE, GRAM_PER_CM3};
use amelo_io::parameters::{ForceFieldData, MoleculeTemplate};
use amelo_math::Vec3;
use amelo_math::philox::PhiloxRng;
use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use crate::BuildError;
use crate::contacts::{Contacts, radius};
use crate::glass::Certificate;
use crate::oxide::{Oxide, OxideReport, template};
use crate::pore::PoreConfig;
use crate::vacancy::VacancyConfig;

/// Deck path of an amorphous oxide.
pub const KEY: &str = "system.oxide.amorphous";

/// A glass from a melt: TiO₂ units placed at random, melted, quenched at a rate, relaxed, cut open along z, and annealed
/// with both surfaces in vacuum. The runner does the dynamics before anything else is built, keeps the glass in a
/// cache, and certifies it.
///
/// No complete recipe for this potential could be taken from the literature: temperatures, times and rates are ours,
/// within what melt–quench simulations of oxides use (melts at 4000 to 6000 K, 1 to 50 K/ps).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AmorphousConfig {
    /// Thickness of the slab, as volume of glass per area; of a pore its length. Together with `lateral` it gives the number of TiO₂ units,
    /// at 4.11 g/cm³ or at `density`; the glass then takes the size that its pressure gives it.
    pub thickness: Length,
    /// Density of a film, for example `"3.7 g/cm^3"`: the volume is fixed at it, instead of `pressure`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub density: Option<Density>,
    /// Pressure from the melt to the relaxed glass, isotropic. Default `"1 bar"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pressure: Option<Pressure>,
    /// The melt. Default 5000 K for 20 ps.
    #[serde(default = "default_melt")]
    pub melt: Hold,
    /// Cooling from the melt to `temperature`, linear in time. Default `"10 K/ps"` (10¹³ K/s).
    #[serde(default = "default_quench_rate")]
    pub quench_rate: CoolingRate,
    /// Temperature of the glass. Default `"300 K"`.
    #[serde(default = "default_temperature")]
    pub temperature: Temperature,
    /// Relaxation of the quenched glass at `temperature`, whose second half is measured, and of the slab behind its
    /// treatment. Default `"20 ps"`.
    #[serde(default = "default_relax")]
    pub relax: Time,
    /// Annealing of the slab with both surfaces in vacuum, at the lateral size of the glass, with cooling at
    /// `quench_rate` behind it. Default 700 K for 50 ps.
    #[serde(default = "default_anneal")]
    pub surface_anneal: Hold,
    /// Further thermal treatment of the slab in vacuum, one hold after another, each with cooling behind it.
    /// Default none.
    #[serde(default)]
    pub treatment: Vec<Hold>,
    /// Cut-off of pairs while the glass is made. Default `"0.9 nm"`.
    #[serde(default = "default_r_cut")]
    pub r_cut: Length,
    /// Time step while the glass is made. Default `"1 fs"`.
    #[serde(default = "default_timestep")]
    pub timestep: Time,
    /// Seed of the glass; another one, another surface. Default: the deck's seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Which glasses are taken: those inside the acceptance window (`"window"`, the default) or `"any"`.
    #[serde(default)]
    pub accept: Acceptance,
    /// Oxygen vacancies, made in the finished slab or wall (the glass in the cache has none), and drawn by the deck's seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vacancies: Option<VacancyConfig>,
    /// A pore along z through the periodic glass, instead of a cut: its wall is then what `surface_anneal` and `treatment`
    /// anneal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pore: Option<PoreConfig>,
    /// Folder of finished glasses, relative to the deck. Default: `glasses` in the folder of AMELO_CACHE, else in
    /// `~/.cache/amelo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<String>,
}

/// A temperature for a time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// Temperature.
    pub temperature: Temperature,
    /// How long.
    pub time: Time,
}

impl Hold {
    /// What is wrong with it under `key`, at a time step (ps).
    pub(crate) fn check(&self, timestep: f64, key: &str) -> Result<(), BuildError> {
        if !(self.temperature.0 > 0.0 && self.temperature.0 <= 10_000.0) {
            let message = format!("{} is no temperature to hold; write 1 to 10000 K", self.temperature);
            return Err(BuildError::config(format!("{key}.temperature"), message));
        }
        if !(self.time.0 >= timestep && self.time.0 <= 1e6) {
            let message = format!("{} is no time to hold; write at least one time step", self.time);
            return Err(BuildError::config(format!("{key}.time"), message));
        }
        Ok(())
    }
}

/// Which glasses are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Acceptance {
    /// Those inside the acceptance window.
    #[default]
    Window,
    /// Any; the certificate still says what lies outside.
    Any,
}

fn default_melt() -> Hold {
    Hold { temperature: Temperature(5000.0), time: Time(20.0) }
}
fn default_quench_rate() -> CoolingRate {
    CoolingRate(10.0)
}
fn default_temperature() -> Temperature {
    Temperature(300.0)
}
fn default_relax() -> Time {
    Time(20.0)
}
fn default_anneal() -> Hold {
    Hold { temperature: Temperature(700.0), time: Time(50.0) }
}
fn default_r_cut() -> Length {
    Length(0.9)
}
fn default_timestep() -> Time {
    Time(0.001)
}

/// Density that turns a thickness into a number of units (g/cm³): of this potential's glass at 1 bar.
pub const GLASS_DENSITY: f64 = 4.11;
/// Density at which the units of a melt at 1 bar are first placed (g/cm³): 2.89 was measured at 4330 K.
const MELT_DENSITY: f64 = 2.9;
/// Room that an edge must leave beside twice the cut-off, since a barostat moves it.
const EDGE_MARGIN: f64 = 1.05;
/// Contact distance over the sum of the radii at which units are placed at random: Ti–O 0.175 nm, O–O 0.182 nm.
const CONTACT_SCALE: f64 = 0.6;
/// Places tried for one atom.
const TRIES: usize = 100_000;
/// Noise of the first positions.
const PLACING_NOISE: u32 = 12;

/// TiO₂ units of a glass and the edges (nm) of the cell in which its melt begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeltCell {
    /// Number of units.
    pub formula_units: usize,
    /// Edges of the cell (nm).
    pub edges: [f64; 3],
}

impl AmorphousConfig {
    /// Pressure of the glass (kJ/mol/nm³), where the volume is not fixed.
    pub fn pressure(&self) -> Option<f64> {
        match self.density {
            Some(_) => None,
            None => Some(self.pressure.map_or(1.0 / BAR_PER_PRESSURE, |p| p.0)),
        }
    }

    /// What a melt begins with, and everything that is wrong with the section. `lateral`: edges asked for (nm).
    pub fn melt_cell(&self, lateral: Option<[f64; 2]>, data: &ForceFieldData) -> Result<MeltCell, BuildError> {
        self.check()?;
        let [x, y] = lateral.ok_or_else(|| {
            BuildError::config(
                "system.lateral",
                "a slab needs its edges along x and y, for example [\"3 nm\", \"3 nm\"]",
            )
        })?;
        let asked = [
            (x, "system.lateral[0]".to_string()),
            (y, "system.lateral[1]".into()),
            (self.thickness.0, key("thickness")),
        ];
        let least = 2.0 * EDGE_MARGIN * self.r_cut.0;
        if let Some((edge, key)) = asked.iter().find(|(edge, _)| edge.is_nan() || *edge < least) {
            return Err(BuildError::config(
                key,
                format!(
                    "{edge} nm is too small for a glass, which is melted in a periodic cell of this size with a cut-off of \
                     {} nm; write at least \"{least:.2} nm\"",
                    self.r_cut.0
                ),
            ));
        }
        let unit = crate::molecules::mass(
            &*template(&[("Ti", Vec3::ZERO), ("O", Vec3::ZERO), ("O", Vec3::ZERO)], data)?,
            data,
        )?;
        if let Some(pore) = &self.pore {
            pore.check([x, y], &key("pore"))?;
            if pore.anneal.is_some() {
                let message = "`surface_anneal` is how the wall of a pore in glass is annealed; leave this key out";
                return Err(BuildError::config(key("pore.anneal"), message));
            }
        }
        let volume = x * y * self.thickness.0;
        let density = self.density.map_or(GLASS_DENSITY * GRAM_PER_CM3, |d| d.0);
        let formula_units = (density * volume / unit).round() as usize;
        let start = self.density.map_or(MELT_DENSITY * GRAM_PER_CM3, |d| d.0);
        // Exactly the density of the whole number of units.
        let scale = amelo_math::special::pow(formula_units as f64 * unit / start / volume, 1.0 / 3.0);
        Ok(MeltCell { formula_units, edges: [x, y, self.thickness.0].map(|e| e * scale) })
    }

    fn check(&self) -> Result<(), BuildError> {
        let wrong = |name: &str, message: String| Err(BuildError::config(key(name), message));
        if self.density.is_some() && self.pressure.is_some() {
            return wrong(
                "pressure",
                "`density` fixes the volume, so that no pressure can be held; write one of the two".into(),
            );
        }
        if let Some(d) = self.density.map(|d| d.0 / GRAM_PER_CM3).filter(|d| !(2.0..=5.0).contains(d)) {
            return wrong("density", format!("{d} g/cm³ is no density of TiO₂; films have 3.2 to 3.8, rutile 4.25"));
        }
        let holds = [("melt".to_string(), self.melt), ("surface_anneal".into(), self.surface_anneal)];
        let treatments = self.treatment.iter().enumerate().map(|(k, h)| (format!("treatment[{k}]"), *h));
        for (name, hold) in holds.into_iter().chain(treatments) {
            hold.check(self.timestep.0, &key(&name))?;
        }
        if !(self.temperature.0 > 0.0 && self.temperature.0 < self.melt.temperature.0) {
            return wrong(
                "temperature",
                format!(
                    "{} must be above 0 and below the melt's {}; 300 K is usual",
                    self.temperature, self.melt.temperature
                ),
            );
        }
        if !(self.quench_rate.0 > 0.0 && self.quench_rate.0 <= 1e5) {
            return wrong("quench_rate", format!("{} must be positive; 1 to 50 K/ps are usual", self.quench_rate));
        }
        if !(self.relax.0 >= 4.0 * self.timestep.0 && self.relax.0 <= 1e6) {
            return wrong("relax", format!("{} is too short to measure anything; 20 ps are usual", self.relax));
        }
        if !(self.timestep.0 > 0.0 && self.timestep.0 <= 0.002) {
            return wrong("timestep", format!("{} is no time step of a melt; 0.5 to 1 fs are usual", self.timestep));
        }
        if self.r_cut.0 < 0.6 || self.r_cut.0.is_nan() {
            return wrong(
                "r_cut",
                format!("{} leaves out too much of the potential; 0.9 to 1.2 nm are usual", self.r_cut),
            );
        }
        Ok(())
    }
}

fn key(name: &str) -> String {
    format!("{KEY}.{name}")
}

/// Elements of `formula_units` TiO₂ in the order of a glass: all Ti, then all O.
pub fn elements(formula_units: usize) -> Vec<&'static str> {
    [vec!["Ti"; formula_units], vec!["O"; 2 * formula_units]].concat()
}

/// Positions (nm) of the melt's atoms at random in its cell, without overlap; the same seed gives the same bits.
pub fn random_start(melt: &MeltCell, seed: u64) -> Result<(Cell, Vec<Vec3>), BuildError> {
    let [x, y, z] = melt.edges;
    let cell = Cell::orthorhombic(x, y, z).map_err(|e| BuildError::config(KEY, e.to_string()))?;
    let mut contacts = Contacts::new(cell, None, CONTACT_SCALE);
    let mut rng = PhiloxRng::new(seed, PLACING_NOISE);
    for element in elements(melt.formula_units) {
        let radius = radius(element);
        let mut draw = || cell.to_cartesian(Vec3::new(rng.random(), rng.random(), rng.random()));
        let place = (0..TRIES).map(|_| draw()).find(|r| contacts.fits(*r, radius, |_| false));
        let Some(r) = place else {
            return Err(BuildError::config(
                key("density"),
                "the units of the melt find no room at random; write a smaller density, or leave it out",
            ));
        };
        contacts.push(r, radius);
    }
    Ok((cell, (0..contacts.len()).map(|k| contacts.position(k)).collect()))
}

impl Oxide {
    /// A finished glass as the oxide of a system. `lateral`: edges (nm); positions (nm) with the lowest nucleus at
    /// z = 0; `thickness`: volume of the glass per area (nm).
    pub fn of_glass(
        lateral: [f64; 2],
        asked: ([f64; 2], f64),
        thickness: f64,
        elements: Vec<&'static str>,
        positions: Vec<Vec3>,
        certificate: Option<Certificate>,
        data: &ForceFieldData,
    ) -> Result<Oxide, BuildError> {
        let atoms: Vec<_> = elements.iter().copied().zip(positions.iter().copied()).collect();
        let template: Arc<MoleculeTemplate> = template(&atoms, data)?;
        let extent = positions.iter().map(|r| r.z).fold(0.0, f64::max);
        let report = OxideReport {
            lateral_asked: Some(asked.0),
            lateral,
            thickness_asked: Some(asked.1),
            thickness,
            extent,
            glass: certificate.map(Box::new),
            ..OxideReport::empty("amorphous")
        };
        let edges = [Vec3::new(lateral[0], 0.0, 0.0), Vec3::new(0.0, lateral[1], 0.0)];
        let mut oxide = Oxide { lateral: edges, periodic: None, template, elements, positions, extent, report };
        oxide.count();
        Ok(oxide)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data() -> ForceFieldData {
        let text = include_str!("../../../potentials/tio2-matsui-akaogi.toml");
        amelo_io::parameters::load_texts(&[("tio2", text)], &amelo_forces::registry::all()).unwrap()
    }

    fn config(section: &str) -> AmorphousConfig {
        toml::from_str(section).unwrap()
    }

    fn start(seed: u64) -> (MeltCell, Cell, Vec<Vec3>) {
        let config = config("thickness = \"1.5 nm\"\nr_cut = \"0.6 nm\"");
        let melt = config.melt_cell(Some([1.4, 1.3]), &data()).unwrap();
        let (cell, positions) = random_start(&melt, seed).unwrap();
        (melt, cell, positions)
    }

    #[test]
    fn a_melt_begins_with_whole_units_at_its_density_and_without_overlap() {
        let (melt, cell, positions) = start(3);
        // 4.11 g/cm³ · 2.73 nm³ = 6757.1 u; a unit has 47.867 + 2 · 15.9994 u.
        assert_eq!(melt.formula_units, 85);
        assert_eq!(positions.len(), 255);
        let density = 85.0 * 79.8658 / cell.volume() / GRAM_PER_CM3;
        assert!((density - 2.9).abs() < 1e-9, "{density}");
        let edges = cell.diagonal();
        assert!((edges.x / edges.z - 1.4 / 1.5).abs() < 1e-12 && (edges.y / edges.z - 1.3 / 1.5).abs() < 1e-12);
        let elements = elements(85);
        for i in 0..255 {
            for j in 0..i {
                let least = 0.6 * (radius(elements[i]) + radius(elements[j]));
                assert!(cell.minimum_image(positions[i] - positions[j]).norm() >= least);
            }
        }
        assert_eq!(start(3).2, positions);
        assert_ne!(start(4).2, positions);
        let film = config("thickness = \"2 nm\"\ndensity = \"3.7 g/cm^3\"").melt_cell(Some([2.0; 2]), &data()).unwrap();
        // 3.7 g/cm³ · 8 nm³ / 79.8658 u = 223.19, and the edges are those of 223 units.
        assert_eq!(film.formula_units, 223);
        let volume: f64 = film.edges.iter().product();
        assert!((223.0 * 79.8658 / volume / GRAM_PER_CM3 - 3.7).abs() < 1e-9);
    }

    #[test]
    fn what_cannot_be_melted_is_refused_with_its_key_and_a_remedy() {
        let cases = [
            ("density = \"3.7 g/cm^3\"\npressure = \"1 bar\"", "pressure", "one of the two"),
            ("density = \"37 g/cm^3\"", "density", "films have"),
            ("melt = { temperature = \"0 K\", time = \"1 ps\" }", "melt.temperature", "1 to 10000 K"),
            ("treatment = [{ temperature = \"500 K\", time = \"0 ps\" }]", "treatment[0].time", "one time step"),
            ("temperature = \"5000 K\"", "temperature", "below the melt's"),
            ("quench_rate = \"0 K/ps\"", "quench_rate", "positive"),
            ("relax = \"1 fs\"", "relax", "too short"),
            ("timestep = \"5 fs\"", "timestep", "0.5 to 1 fs"),
            ("r_cut = \"0.2 nm\"", "r_cut", "leaves out"),
            ("r_cut = \"1.2 nm\"", "thickness", "2.52 nm"),
        ];
        for (section, name, word) in cases {
            let config = config(&format!("thickness = \"2 nm\"\n{section}"));
            let error = config.melt_cell(Some([3.0, 3.0]), &data()).unwrap_err();
            assert_eq!(error.key(), Some(key(name)), "{section}: {error}");
            assert!(error.to_string().contains(word), "{section}: {error}");
        }
        let plain = config("thickness = \"2 nm\"");
        assert_eq!(plain.melt_cell(None, &data()).unwrap_err().key().as_deref(), Some("system.lateral"));
        assert_eq!(plain.melt_cell(Some([1.0, 3.0]), &data()).unwrap_err().key().as_deref(), Some("system.lateral[0]"));
    }
}
