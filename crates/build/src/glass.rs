//! The certificate of a glass: what it is made by, what was measured on it, and whether it lies inside the window
//! that the model's own glasses have.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::amorphous::AmorphousConfig;
use crate::pore::PoreReport;

/// A glass with its papers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// SHA-256 of everything that the glass depends on: the name of its file in the cache.
    pub recipe: String,
    /// Seed of its first positions, velocities and noise.
    pub seed: u64,
    /// The recipe with every default filled in.
    pub settings: AmorphousConfig,
    /// Whether it is accepted, check by check.
    pub verdict: Verdict,
    /// The periodic glass at its temperature.
    pub bulk: BulkGlass,
    /// The slab with both surfaces, as it is handed over; absent for a pore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slab: Option<GlassSlab>,
    /// The pore, where there is one and the report of the oxide does not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pore: Option<PoreReport>,
    /// g(r) of the periodic glass.
    pub curves: GlassCurves,
}

/// What was measured on the periodic glass, over the second half of its relaxation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BulkGlass {
    /// TiO₂ units.
    pub formula_units: usize,
    /// Root of the mean square displacement in the melt (nm): memory of the start is lost where it is several bonds.
    pub melt_displacement: f64,
    /// Mean density (g/cm³).
    pub density: f64,
    /// Mean diagonal of the pressure tensor (bar).
    pub pressure: [f64; 3],
    /// Mean potential energy per TiO₂ unit (kJ/mol).
    pub energy: f64,
    /// First peak of g(r) by pair: Ti–O, O–O, Ti–Ti (nm), to the width of a bin.
    pub first_peaks: BTreeMap<String, f64>,
    /// First minimum of the Ti–O g(r) behind its peak (nm): the cut-off of all coordination numbers here.
    pub first_minimum: f64,
    /// Mean number of O around Ti.
    pub titanium_coordination: f64,
    /// Mean number of Ti around O.
    pub oxygen_coordination: f64,
    /// Share of Ti by number of O.
    pub titanium_by_coordination: BTreeMap<usize, f64>,
    /// Share of O by number of Ti.
    pub oxygen_by_coordination: BTreeMap<usize, f64>,
    /// Pairs inside the short-range guard of the Buckingham potential, summed over all steps of the making.
    pub guard_entries: u64,
}

/// What was measured on the slab after annealing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GlassSlab {
    /// Volume of the glass per area (nm).
    pub thickness: f64,
    /// Ti–O bonds that the cut parted, per area (nm⁻²).
    pub broken_bonds: f64,
    /// Dipole per area of the fresh cut and after annealing (e/nm).
    pub dipole_per_area: [f64; 2],
    /// Mean −½(P_xx + P_yy) times the height of the cell (N/m): the tension of the slab at the lateral size of the
    /// periodic glass, both surfaces together.
    pub tension: f64,
    /// The lower face and the upper one.
    pub faces: [crate::roughness::Face; 2],
    /// Pieces that Ti–O bonds hold together; one, if nothing has come off.
    pub pieces: usize,
}

/// g(r) by pair, over the second half of the relaxation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GlassCurves {
    /// Distance (nm), middle of each bin.
    pub r: Vec<f64>,
    /// g(r) by pair: Ti–O, O–O, Ti–Ti.
    pub g: BTreeMap<String, Vec<f64>>,
}

/// Whether a glass is accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether every check holds.
    pub accepted: bool,
    /// The checks.
    pub checks: Vec<Check>,
    /// What experiments on amorphous TiO₂ give. The model is denser and more coordinated: no condition.
    pub experiment: Vec<Measured>,
}

/// One number with the window that it must lie in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// What is checked.
    pub quantity: String,
    /// Its value in the glass.
    pub value: f64,
    /// Unit; `1` for a plain number.
    pub unit: String,
    /// Lowest and highest accepted value.
    pub window: [f64; 2],
    /// Whether it lies inside.
    pub inside: bool,
    /// Where the window comes from.
    pub source: String,
}

/// One number of an experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// What was measured.
    pub quantity: String,
    /// Lowest and highest value.
    pub range: [f64; 2],
    /// Unit.
    pub unit: String,
    /// On what, and by whom.
    pub source: String,
}

/// LAMMPS with the same potential (buck/coul/long, r_c 0.9 nm with tail, PPPM 1e-4): 200 TiO₂, 1 bar, 5000 K for 20 ps,
/// 5·10¹³ K/s, averaged at 300 K: 4.106 g/cm³, first Ti–O peak 1.94 Å, 5.96 O around Ti within 2.5 Å.
const MODEL: &str = "Matsui–Akaogi glass at 1 bar by LAMMPS, 5000 K, 5e13 K/s";
const DENSITY: f64 = 4.11;
const DENSITY_SHARE: f64 = 0.03;
const FILM_DENSITY: [f64; 2] = [3.6, 3.8];
const BOND: [f64; 2] = [0.190, 0.198];
const COORDINATION: [f64; 2] = [5.8, 6.1];

impl Verdict {
    /// The verdict on what was measured, for a volume that was `fixed` or not, and the number of pieces of `what`.
    pub fn on(bulk: &BulkGlass, (what, pieces): (&str, usize), fixed: bool) -> Self {
        let check = |quantity: &str, value: f64, unit: &str, window: [f64; 2], source: &str| Check {
            quantity: quantity.into(),
            value,
            unit: unit.into(),
            window,
            // A half unit of the last digit that a window is written with, so that 0.190 is inside.
            inside: value >= window[0] - 1e-9 && value <= window[1] + 1e-9,
            source: source.into(),
        };
        let density = match fixed {
            true => {
                check("density", bulk.density, "g/cm^3", FILM_DENSITY, "films, which are less dense than the model")
            }
            false => check(
                "density",
                bulk.density,
                "g/cm^3",
                [(1.0 - DENSITY_SHARE) * DENSITY, (1.0 + DENSITY_SHARE) * DENSITY],
                MODEL,
            ),
        };
        let peak = bulk.first_peaks.get("Ti-O").copied().unwrap_or(f64::NAN);
        let checks = vec![
            density,
            check("first Ti-O peak", peak, "nm", BOND, MODEL),
            check("O around Ti", bulk.titanium_coordination, "1", COORDINATION, MODEL),
            check(what, pieces as f64, "1", [1.0, 1.0], "nothing may have come off"),
        ];
        Verdict { accepted: checks.iter().all(|c| c.inside), checks, experiment: experiment() }
    }

    /// What lies outside, one sentence each.
    pub fn reasons(&self) -> Vec<String> {
        let outside = self.checks.iter().filter(|c| !c.inside);
        outside
            .map(|c| {
                let unit = if c.unit == "1" { String::new() } else { format!(" {}", c.unit) };
                format!(
                    "{} is {:.4}{unit}, outside {} to {} ({})",
                    c.quantity,
                    c.value,
                    short(c.window[0]),
                    short(c.window[1]),
                    c.source
                )
            })
            .collect()
    }
}

fn short(x: f64) -> String {
    let text = format!("{x:.4}");
    text.trim_end_matches('0').trim_end_matches('.').into()
}

fn experiment() -> Vec<Measured> {
    let row = |quantity: &str, range, unit: &str, source: &str| Measured {
        quantity: quantity.into(),
        range,
        unit: unit.into(),
        source: source.into(),
    };
    let particles = "2 nm particles, X-ray scattering and absorption: H. Zhang et al., Phys. Rev. B 78, 214106 (2008), \
                     doi:10.1103/PhysRevB.78.214106";
    vec![
        row(
            "density",
            [3.25, 3.68],
            "g/cm^3",
            "films grown by atomic layer deposition at 38 to 125 °C, X-ray reflectometry: \"Variation in the density, optical polarizabilities, and crystallinity of TiO2 thin films deposited via atomic layer deposition from 38 to 150 °C using the titanium tetrachloride-water reaction\", J. Vac. Sci. Technol. A",
        ),
        row("Ti-O distance", [0.194, 0.194], "nm", particles),
        row("O around Ti", [5.3, 5.3], "1", particles),
    ]
}

impl Certificate {
    /// One line for people.
    pub fn summary(&self) -> String {
        let verdict = match self.verdict.accepted {
            true => "accepted".to_string(),
            false => format!("outside the window: {}", self.verdict.reasons().join("; ")),
        };
        let bulk = &self.bulk;
        let peak = bulk.first_peaks.get("Ti-O").copied().unwrap_or(f64::NAN);
        format!(
            "glass {} (seed {}): {:.3} g/cm^3, Ti-O {:.4} nm, {:.2} O around Ti; {verdict}",
            &self.recipe[..self.recipe.len().min(12)],
            self.seed,
            bulk.density,
            peak,
            bulk.titanium_coordination
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glass(density: f64, peak: f64, coordination: f64, pieces: usize) -> (BulkGlass, usize) {
        let bulk = BulkGlass {
            formula_units: 200,
            melt_displacement: 1.0,
            density,
            pressure: [0.0; 3],
            energy: 0.0,
            first_peaks: [("Ti-O".to_string(), peak)].into(),
            first_minimum: 0.25,
            titanium_coordination: coordination,
            oxygen_coordination: 0.5 * coordination,
            titanium_by_coordination: BTreeMap::new(),
            oxygen_by_coordination: BTreeMap::new(),
            guard_entries: 0,
        };
        (bulk, pieces)
    }

    /// The glass by LAMMPS passes; what leaves the window is named with value and window.
    #[test]
    fn the_window_takes_the_models_glass_and_names_what_is_outside() {
        let verdict =
            |(bulk, pieces): (BulkGlass, usize), fixed| Verdict::on(&bulk, ("pieces of the slab", pieces), fixed);
        assert!(verdict(glass(4.106, 0.194, 5.96, 1), false).accepted);
        // Rutile's and anatase's densities lie outside, by hand: 4.11 ± 0.1233.
        for density in [3.90, 4.25] {
            let rejected = verdict(glass(density, 0.194, 5.96, 1), false);
            assert!(!rejected.accepted);
            let reasons = rejected.reasons();
            assert_eq!(reasons.len(), 1);
            assert!(
                reasons[0].starts_with(&format!("density is {density:.4} g/cm^3, outside 3.9867 to 4.2333")),
                "{reasons:?}"
            );
        }
        assert!(verdict(glass(3.7, 0.194, 5.9, 1), true).accepted);
        let bad = verdict(glass(4.11, 0.1985, 5.5, 2), false).reasons().join("; ");
        for part in
            ["first Ti-O peak is 0.1985 nm, outside 0.19 to 0.198", "O around Ti is 5.5", "pieces of the slab is 2"]
        {
            assert!(bad.contains(part), "{bad}");
        }
        assert!(!verdict(glass(f64::NAN, 0.194, 5.96, 1), false).accepted);
    }
}
