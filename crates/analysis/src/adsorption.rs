//! Adsorption and dissociation energies from minimised structures: minimum, Boltzmann average, distribution over sites,
//! and what half of the starts would have found.

use amelo_core::units::{BOLTZMANN, EV};
use amelo_math::special::exp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{Axis, Curve, Level, LogScale, Outcome, Quantity, Series};

/// Name of the outcome.
pub const NAME: &str = "adsorption";

/// What an electronic-structure value in the literature belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surroundings {
    /// Amorphous TiO₂.
    Amorphous,
    /// A crystal's surface.
    Crystal,
    /// Molecules alone.
    Molecules,
}

/// A published electronic-structure value.
struct Published {
    energy: &'static str,
    name: &'static str,
    surroundings: Surroundings,
    /// eV.
    value: f64,
    source: &'static str,
}

/// DFT values that stand beside ours. Nothing is fitted to them.
const PUBLISHED: [Published; 2] = [
    Published {
        energy: "adsorption",
        name: "TFSI",
        surroundings: Surroundings::Amorphous,
        value: -1.54,
        source: "DFT on TiO2 with O vacancies, Hou et al., Angew. Chem. Int. Ed. 64, e202421427 (2025), figure 1c",
    },
    Published {
        energy: "dissociation",
        name: "LiTFSI",
        surroundings: Surroundings::Amorphous,
        value: 3.57,
        source: "DFT on amorphous TiO2, Hou et al., Angew. Chem. Int. Ed. 64, e202421427 (2025), figure S1a",
    },
];

/// An energy again where the cell is so many times as wide along both edges of the slab.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Wider {
    /// How many times as wide.
    pub times: usize,
    /// The same minimum's energy there (kJ/mol).
    pub energy: f64,
}

/// Adsorption energies of one adsorbate.
#[derive(Clone, Debug, PartialEq)]
pub struct Adsorbed {
    /// Its name.
    pub name: String,
    /// \[n_starts\] energy of what each start ended in (kJ/mol); none where it was not refined.
    pub by_start: Vec<Option<f64>>,
    /// Minimisations that failed.
    pub failed: usize,
    /// \[n_sites\] energy of each distinct minimum (kJ/mol), ascending.
    pub sites: Vec<f64>,
    /// What the images of a charge in a host that screens them leave out (kJ/mol), where the deck asks for it.
    pub finite_size: Option<f64>,
    /// The lowest minimum in wider cells.
    pub wider: Vec<Wider>,
}

/// What holds for all numbers of a run.
#[derive(Clone, Debug)]
pub struct Conditions {
    /// Temperature of the Boltzmann average (K).
    pub temperature: f64,
    /// What they are adsorbed on.
    pub surroundings: Surroundings,
    /// How charges interact, in words.
    pub electrostatics: String,
    /// Relative permittivity of the host, where the deck gives it.
    pub relative_permittivity: Option<f64>,
}

/// ⟨E⟩ = Σ E exp(−E/kT) / Σ exp(−E/kT) over `energies` (kJ/mol), each counted once; not a number where there is none.
pub fn boltzmann_average(energies: &[f64], temperature: f64) -> f64 {
    let lowest = energies.iter().copied().fold(f64::INFINITY, f64::min);
    let weight = |e: f64| exp(-(e - lowest) / (BOLTZMANN * temperature));
    let (sum, norm) = energies.iter().fold((0.0, 0.0), |(s, n), &e| (s + e * weight(e), n + weight(e)));
    sum / norm
}

/// The energy below which a share of `sorted` lies, between its two neighbours in proportion.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() as f64 - 1.0);
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    sorted[low] + (at - at.floor()) * (sorted[high] - sorted[low])
}

/// The lowest of those that there are; infinite where there is none.
fn lowest(energies: &[Option<f64>]) -> f64 {
    energies.iter().flatten().copied().fold(f64::INFINITY, f64::min)
}

impl Adsorbed {
    /// Lowest energy over all starts (kJ/mol), where one came to an end.
    pub fn minimum(&self) -> Option<f64> {
        Some(lowest(&self.by_start)).filter(|e| e.is_finite())
    }

    /// How much lower the minimum over all starts is than that over their first half (kJ/mol): what doubling the number
    /// of starts brought.
    pub fn gained_by_doubling(&self) -> Option<f64> {
        let half = lowest(&self.by_start[..self.by_start.len() / 2]);
        Some(half - self.minimum()?).filter(|gain| gain.is_finite())
    }

    fn quantities(&self, conditions: &Conditions) -> Vec<Quantity> {
        let Some(minimum) = self.minimum() else { return Vec::new() };
        let settings = json!({
            "temperature_K": conditions.temperature,
            "electrostatics": conditions.electrostatics,
            "starts": self.by_start.len(),
            "refined": self.by_start.iter().flatten().count(),
            "failed": self.failed,
            "distinct_minima": self.sites.len(),
        });
        let name = |what: &str| format!("{}: {what}", self.name);
        let of_sites = "over the distinct minima, each counted once, by energy alone: no vibrations, no multiplicity";
        let mut all = vec![
            published(
                energy(
                    name("adsorption energy"),
                    minimum,
                    format!("{DEFINITION}; the lowest over all starts"),
                    settings.clone(),
                ),
                ("adsorption", &self.name, conditions.surroundings),
            ),
            energy(
                name("adsorption energy, Boltzmann average"),
                boltzmann_average(&self.sites, conditions.temperature),
                format!("sum of E exp(-E/kT) over sum of exp(-E/kT) at {} K {of_sites}", conditions.temperature),
                settings.clone(),
            ),
        ];
        for (share, what) in [(0.25, "lower quartile"), (0.5, "median"), (0.75, "upper quartile")] {
            all.push(energy(
                name(&format!("adsorption energy, {what} over sites")),
                quantile(&self.sites, share),
                format!("quantile {share} {of_sites}"),
                settings.clone(),
            ));
        }
        if let Some(gain) = self.gained_by_doubling() {
            all.push(energy(
                name("gained by doubling the starts"),
                gain,
                "minimum over the first half of the starts minus minimum over all".into(),
                settings.clone(),
            ));
        }
        all.extend(in_wider_cells(&self.name, "adsorption energy", minimum, &self.wider, &settings));
        all.extend(with_finite_size(&self.name, "adsorption energy", minimum, self.finite_size, conditions, settings));
        all
    }

    /// Share of the distinct minima with an energy of at most E.
    fn curve(&self) -> Option<Curve> {
        let n = self.sites.len();
        (n > 1).then(|| Curve {
            name: format!("share of minima up to an energy: {}", self.name),
            symbol: "share".into(),
            x: Axis {
                name: "adsorption energy".into(),
                unit: "eV".into(),
                values: self.sites.iter().map(|e| e / EV).collect(),
            },
            series: vec![Series {
                name: self.name.clone(),
                unit: "1".into(),
                values: (1..=n).map(|k| k as f64 / n as f64).collect(),
                error: None,
            }],
            log: LogScale::default(),
        })
    }
}

/// What an adsorption energy is.
pub const DEFINITION: &str =
    "E(host and molecule) - E(host) - E(molecule), all relaxed with the same settings in the same cell; negative binds";

/// What a dissociation energy is.
pub const DISSOCIATION: &str = "E(dissociated, isolated ions) - E(ion pair), both relaxed in vacuum without images, plus the sum of the ions' \
     adsorption energies minus that of the pair: each ion alone on a host of its own, against the pair on one host";

/// What the finite-size term is.
pub const FINITE_SIZE: &str = "(1 - 1/eps) times the energy of a point charge alone in the cell with its images and background in \
     vacuum (in a cube -2.837297 k_e q^2/2L), to be added: the energy with the host has the images screened by it, the molecule's \
     own not; leading term in 1/L of P. H. Hunenberger, J. A. McCammon, J. Chem. Phys. 110, 1856 (1999), doi:10.1063/1.477873";

/// The finite-size term of `what`, and the `value` (kJ/mol) with it; nothing where there is no such term.
fn with_finite_size(
    name: &str,
    what: &str,
    value: f64,
    term: Option<f64>,
    conditions: &Conditions,
    mut settings: serde_json::Value,
) -> Vec<Quantity> {
    let Some(term) = term else { return Vec::new() };
    settings["relative_permittivity"] = json!(conditions.relative_permittivity);
    settings["uncorrected_kJ_per_mol"] = json!(value);
    let of = |title: String, value, definition: &str| energy(title, value, definition.into(), settings.clone());
    vec![
        of(format!("{name}: finite-size term of the {what}"), term, FINITE_SIZE),
        of(format!("{name}: {what}, with the finite-size term"), value + term, "the one plus the other"),
    ]
}

/// `what` in wider cells, with how far it moved from its `value` (kJ/mol) in the cell itself.
fn in_wider_cells(name: &str, what: &str, value: f64, wider: &[Wider], settings: &serde_json::Value) -> Vec<Quantity> {
    let of = |there: &Wider| {
        let mut settings = settings.clone();
        settings["times_as_wide"] = json!(there.times);
        settings["moved_kJ_per_mol"] = json!(there.energy - value);
        let title = format!("{name}: {what} in a cell {} times as wide", there.times);
        energy(title, there.energy, WIDER.into(), settings)
    };
    wider.iter().map(of).collect()
}

/// What stands for an energy in a wider cell.
pub const WIDER: &str = "the lowest minimum relaxed again where the slab is repeated along both its edges and the molecule stands \
     alone: host, molecule and both, as in the cell itself";

/// The dissociation energy of a salt in its surroundings (kJ/mol).
#[derive(Clone, Debug, PartialEq)]
pub struct Dissociation {
    /// Name of the salt.
    pub name: String,
    /// Of the pair in vacuum (kJ/mol).
    pub vacuum: f64,
    /// Adsorption energy of the pair (kJ/mol).
    pub pair: f64,
    /// Adsorption energies of its ions (kJ/mol).
    pub ions: Vec<f64>,
    /// Finite-size terms of the ions less that of the pair (kJ/mol), where the deck asks for them.
    pub finite_size: Option<f64>,
    /// The same cycle in wider cells.
    pub wider: Vec<Wider>,
}

impl Dissociation {
    /// E_diss = E_diss(vacuum) + Σ E_ads(ions) − E_ads(pair) (kJ/mol).
    pub fn energy(&self) -> f64 {
        self.vacuum + self.ions.iter().sum::<f64>() - self.pair
    }

    fn quantities(&self, conditions: &Conditions) -> Vec<Quantity> {
        let settings = json!({
            "electrostatics": conditions.electrostatics,
            "vacuum_kJ_per_mol": self.vacuum,
            "adsorption_of_pair_kJ_per_mol": self.pair,
            "adsorption_of_ions_kJ_per_mol": self.ions,
        });
        let name = |what: &str| format!("{}: {what}", self.name);
        let mut all = vec![
            published(
                energy(name("dissociation energy"), self.energy(), DISSOCIATION.into(), settings.clone()),
                ("dissociation", &self.name, conditions.surroundings),
            ),
            energy(
                name("dissociation energy in vacuum"),
                self.vacuum,
                "sum of E(isolated ions) - E(ion pair), relaxed in vacuum without images".into(),
                settings.clone(),
            ),
        ];
        let (what, value) = ("dissociation energy", self.energy());
        all.extend(in_wider_cells(&self.name, what, value, &self.wider, &settings));
        all.extend(with_finite_size(&self.name, what, value, self.finite_size, conditions, settings));
        all
    }
}

/// Everything as an entry of a run's results.
pub fn outcome(
    adsorbed: &[Adsorbed],
    dissociation: &[Dissociation],
    conditions: &Conditions,
    notes: Vec<String>,
) -> Outcome {
    let mut quantities: Vec<Quantity> = adsorbed.iter().flat_map(|a| a.quantities(conditions)).collect();
    quantities.extend(dissociation.iter().flat_map(|d| d.quantities(conditions)));
    Outcome { name: NAME.into(), quantities, curves: adsorbed.iter().filter_map(Adsorbed::curve).collect(), notes }
}

/// An energy (kJ/mol). Level C: the force field's own number stands where an electronic-structure one is asked for.
fn energy(name: String, value: f64, definition: String, settings: serde_json::Value) -> Quantity {
    Quantity {
        name,
        value: Some(value).filter(|v| v.is_finite()),
        ci95: None,
        unit: "kJ/mol".into(),
        definition,
        window: None,
        n_independent: 0,
        level: Level::C,
        settings,
        no_interval: Some("a minimum over starts has no interval; see what doubling the starts gained".into()),
        also: Vec::new(),
    }
    .also_in("eV", 1.0 / EV)
}

/// `quantity` with the published value that it is read against, where there is one.
fn published(mut quantity: Quantity, (energy, name, surroundings): (&str, &str, Surroundings)) -> Quantity {
    let fits = |p: &&Published| p.energy == energy && p.name == name && p.surroundings == surroundings;
    if let Some(found) = PUBLISHED.iter().find(fits)
        && let Some(settings) = quantity.settings.as_object_mut()
    {
        settings.insert("published_eV".into(), json!(found.value));
        settings.insert("published_source".into(), json!(found.source));
    }
    quantity
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adsorbed(by_start: Vec<Option<f64>>, sites: Vec<f64>) -> Adsorbed {
        Adsorbed { name: "TFSI".into(), by_start, failed: 0, sites, finite_size: None, wider: Vec::new() }
    }

    /// Two levels a distance kT ln 3 apart: populations 3/4 and 1/4.
    #[test]
    fn two_levels_have_boltzmann_populations() {
        let kt = BOLTZMANN * 300.0;
        let upper = -100.0 + kt * 3f64.ln();
        let average = boltzmann_average(&[-100.0, upper], 300.0);
        assert!((average - (0.75 * -100.0 + 0.25 * upper)).abs() < 1e-10);
        // Large energies do not overflow, and at a low temperature only the lowest counts.
        assert!((boltzmann_average(&[-5e4, -4e4], 10.0) + 5e4).abs() < 1e-9);
        assert!(boltzmann_average(&[], 300.0).is_nan());
    }

    #[test]
    fn quantiles_interpolate() {
        let sorted = [1.0, 2.0, 4.0, 8.0, 16.0];
        assert_eq!([0.0, 0.25, 0.5, 0.6, 1.0].map(|q| quantile(&sorted, q)), [1.0, 2.0, 4.0, 5.6, 16.0]);
        assert_eq!(quantile(&[3.0], 0.25), 3.0);
    }

    #[test]
    fn doubling_counts_from_the_first_half() {
        let a = adsorbed(vec![Some(-1.0), None, Some(-4.0), Some(-3.0)], vec![-4.0, -3.0, -1.0]);
        assert_eq!((a.minimum(), a.gained_by_doubling()), (Some(-4.0), Some(3.0)));
        assert_eq!(adsorbed(vec![None, Some(1.0)], vec![1.0]).gained_by_doubling(), None);
        assert_eq!(adsorbed(vec![None, None], vec![]).minimum(), None);
    }

    #[test]
    fn dissociation_closes_the_cycle_and_published_values_stand_where_they_belong() {
        let ions = vec![-150.0, -250.0];
        let d = Dissociation {
            name: "LiTFSI".into(),
            vacuum: 600.0,
            pair: -200.0,
            ions,
            finite_size: Some(-80.0),
            wider: vec![Wider { times: 2, energy: 390.0 }],
        };
        assert_eq!(d.energy(), 400.0);
        let of = |surroundings| {
            let conditions = Conditions {
                temperature: 300.0,
                surroundings,
                electrostatics: String::new(),
                relative_permittivity: Some(2.0),
            };
            let a = adsorbed(vec![Some(-96.485_332_123_310_02)], vec![-96.485_332_123_310_02]);
            outcome(&[a], std::slice::from_ref(&d), &conditions, Vec::new())
        };
        let amorphous = of(Surroundings::Amorphous);
        let find = |o: &Outcome, name: &str| o.quantities.iter().find(|q| q.name == name).cloned().unwrap();
        let e = find(&amorphous, "TFSI: adsorption energy");
        assert_eq!((e.settings["published_eV"].as_f64(), e.level), (Some(-1.54), Level::C));
        assert!((e.also[0].value + 1.0).abs() < 1e-12 && e.also[0].unit == "eV");
        assert_eq!(find(&amorphous, "LiTFSI: dissociation energy").settings["published_eV"].as_f64(), Some(3.57));
        assert!(find(&of(Surroundings::Crystal), "TFSI: adsorption energy").settings.get("published_eV").is_none());
        // The term stands apart, beside the number without it and the one with it.
        let with = find(&amorphous, "LiTFSI: dissociation energy, with the finite-size term");
        let term = find(&amorphous, "LiTFSI: finite-size term of the dissociation energy");
        assert_eq!((with.value, term.value), (Some(320.0), Some(-80.0)));
        assert_eq!(with.settings["relative_permittivity"], 2.0);
        assert!(!amorphous.quantities.iter().any(|q| q.name.starts_with("TFSI") && q.name.contains("finite-size")));
        // A wider cell's value says how far it moved.
        let wide = find(&amorphous, "LiTFSI: dissociation energy in a cell 2 times as wide");
        assert_eq!((wide.value, wide.settings["moved_kJ_per_mol"].as_f64()), (Some(390.0), Some(-10.0)));
    }
}
