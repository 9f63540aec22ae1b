//! What a certificate says of a glass, measured.

use std::collections::BTreeMap;

use amelo_analysis::{Analysis, AnalysisConfig, Context, Outcome, PairExclusion, RdfConfig, neighbours};
use amelo_build::amorphous::elements;
use amelo_build::glass::{BulkGlass, GlassCurves, GlassSlab, Verdict};
use amelo_build::pieces::pieces;
use amelo_build::roughness::face;
use amelo_build::{Certificate, PoreReport};
use amelo_core::quantity::Length;
use amelo_core::units::BAR_PER_PRESSURE;
use amelo_core::{Cell, System};
use amelo_dynamics::Observables;
use amelo_math::Vec3;

use super::making::Cut;
use super::recipe::Recipe;
use crate::error::RunnerError;

/// Pairs of g(r): name in the certificate, groups.
const PAIRS: [(&str, [&str; 2]); 3] =
    [("Ti-O", ["oxide Ti", "oxide O"]), ("O-O", ["oxide O", "oxide O"]), ("Ti-Ti", ["oxide Ti", "oxide Ti"])];
/// Range and bin of g(r) (nm).
const RANGE: (f64, f64) = (0.8, 0.002);

/// A measurement that cannot be had.
fn failed(what: &str) -> RunnerError {
    RunnerError::Simulation {
        message: format!("measuring the glass: {what}"),
        help: "take a longer `relax` or another `seed` in [system.oxide.amorphous]".into(),
        dossier: None,
    }
}

/// Means over the samples of the periodic glass.
pub(super) struct Bulk {
    rdf: Box<dyn Analysis>,
    melt_displacement: f64,
    /// Cell and positions of each sample: coordination needs a cut-off that only all of them tell.
    samples: Vec<(Cell, Vec<Vec3>)>,
    density: f64,
    pressure: [f64; 3],
    energy: f64,
}

impl Bulk {
    /// Nothing yet, of a system that had `melt_displacement` (nm) in its melt.
    pub fn new(system: &System, melt_displacement: f64) -> Result<Self, RunnerError> {
        let config = AnalysisConfig::Rdf(RdfConfig {
            pairs: PAIRS.iter().map(|(_, groups)| groups.map(String::from)).collect(),
            r_max: Length(RANGE.0),
            bin: Length(RANGE.1),
            cutoff: None,
            exclude: PairExclusion::None,
            blocks: 1,
        });
        let rdf = config.build(&system.topology, &Context::default()).map_err(|e| RunnerError::Bug(e.to_string()))?;
        Ok(Bulk { rdf, melt_displacement, samples: Vec::new(), density: 0.0, pressure: [0.0; 3], energy: 0.0 })
    }

    /// Takes in one sample.
    pub fn observe(&mut self, system: &System, now: &Observables) -> Result<(), RunnerError> {
        self.rdf.observe(&system.frame()).map_err(|e| failed(&e.to_string()))?;
        self.samples.push((system.cell, system.positions.clone()));
        self.density += system.density();
        self.energy += now.potential;
        for axis in 0..3 {
            self.pressure[axis] += now.pressure[(axis, axis)] * BAR_PER_PRESSURE;
        }
        Ok(())
    }

    fn finish(mut self, formula_units: usize, guard_entries: u64) -> Result<(BulkGlass, GlassCurves), RunnerError> {
        let outcome = self.rdf.finish().map_err(|e| failed(&e.to_string()))?;
        let first_peaks: BTreeMap<String, f64> = PAIRS
            .iter()
            .filter_map(|(name, groups)| Some((name.to_string(), quantity(&outcome, groups, "first peak")?.0)))
            .collect();
        let (titanium_coordination, radius) = quantity(&outcome, &PAIRS[0].1, "coordination number")
            .ok_or_else(|| failed("the Ti-O g(r) has no first minimum"))?;
        let first_minimum = radius.ok_or_else(|| RunnerError::Bug("a coordination number without a radius".into()))?;
        let n = self.samples.len() as f64;
        let mut histograms = [BTreeMap::<usize, f64>::new(), BTreeMap::new()];
        for (cell, positions) in &self.samples {
            let (titanium, oxygen) = positions.split_at(formula_units);
            for (histogram, (centres, others)) in histograms.iter_mut().zip([(titanium, oxygen), (oxygen, titanium)]) {
                for found in neighbours(cell, centres, others, first_minimum) {
                    *histogram.entry(found.len()).or_default() += 1.0 / (n * centres.len() as f64);
                }
            }
        }
        let [titanium_by_coordination, oxygen_by_coordination] = histograms;
        let mut curves = GlassCurves::default();
        for curve in outcome.curves.iter().filter(|c| c.symbol == "g(r)") {
            curves.r = curve.x.values.clone();
            curves.g =
                PAIRS.iter().zip(&curve.series).map(|((name, _), s)| (name.to_string(), s.values.clone())).collect();
        }
        let bulk = BulkGlass {
            formula_units,
            melt_displacement: self.melt_displacement,
            density: self.density / n,
            pressure: self.pressure.map(|p| p / n),
            energy: self.energy / n / formula_units as f64,
            first_peaks,
            first_minimum,
            titanium_coordination,
            // Each bond has one end at a Ti and one at an O, and there are two O for each Ti.
            oxygen_coordination: 0.5 * titanium_coordination,
            titanium_by_coordination,
            oxygen_by_coordination,
            guard_entries,
        };
        Ok((bulk, curves))
    }
}

/// Value and radius (nm) of a quantity of g(r).
fn quantity(outcome: &Outcome, groups: &[&str; 2], name: &str) -> Option<(f64, Option<f64>)> {
    let name = format!("{} – {}: {name}", groups[0], groups[1]);
    let found = outcome.quantities.iter().find(|q| q.name == name)?;
    Some((found.value?, found.settings["radius_nm"].as_f64()))
}

/// The certificate of a finished glass; `look` at the slab or the pore in it, given what the periodic glass was.
pub(super) fn certify(
    recipe: &Recipe,
    bulk: Bulk,
    guard_entries: u64,
    look: impl FnOnce(&BulkGlass) -> (Option<GlassSlab>, Option<PoreReport>),
) -> Result<Certificate, RunnerError> {
    let (bulk, curves) = bulk.finish(recipe.melt.formula_units, guard_entries)?;
    let (slab, pore) = look(&bulk);
    let in_pore = pore.as_ref().and_then(|p| p.pieces.last().copied()).map(|n| ("pieces around the pore", n));
    let in_slab = slab.as_ref().map(|s| ("pieces of the slab", s.pieces));
    let pieces = in_slab.or(in_pore).ok_or_else(|| RunnerError::Bug("a glass without slab or pore".into()))?;
    let verdict = Verdict::on(&bulk, pieces, recipe.settings.density.is_some());
    let settings = recipe.settings.clone();
    Ok(Certificate { recipe: recipe.hash.clone(), seed: recipe.seed, settings, verdict, bulk, slab, pore, curves })
}

/// What is measured on the slab after annealing.
pub(super) fn look_at_slab(bulk: &BulkGlass, system: &System, cut: Cut) -> (Option<GlassSlab>, Option<PoreReport>) {
    let n = bulk.formula_units;
    let edges = system.cell.diagonal();
    let (titanium, oxygen) = system.positions.split_at(n);
    let bonds = neighbours(&system.cell, titanium, oxygen, bulk.first_minimum);
    let coordination: Vec<Option<usize>> =
        bonds.iter().map(|b| Some(b.len())).chain(std::iter::repeat_n(None, 2 * n)).collect();
    let elements = elements(n);
    let look = |up| face([edges.x, edges.y], &system.positions, &elements, &coordination, up);
    let dipole: f64 = system.positions.iter().zip(&system.topology.charges).map(|(r, q)| r.z * q).sum();
    let slab = GlassSlab {
        thickness: cut.thickness,
        broken_bonds: cut.broken_bonds,
        dipole_per_area: [cut.dipole_per_area, dipole / (edges.x * edges.y)],
        // 1 bar nm = 1e-4 N/m.
        tension: cut.tension * BAR_PER_PRESSURE * 1e-4,
        faces: [look(false), look(true)],
        pieces: pieces(
            3 * n,
            bonds.iter().enumerate().flat_map(|(k, of)| of.iter().map(move |o| [k, n + *o as usize])),
        ),
    };
    (Some(slab), None)
}
