//! Mean squared displacement: g₁(t), its local exponent, and D only where the rule allows it.

pub(crate) mod axial;
mod config;
mod estimate;
pub(crate) mod layers;
pub(crate) mod segments;

use amelo_core::{Frame, Topology};
use amelo_math::Vec3;
use rayon::prelude::*;
use serde_json::json;

use crate::bootstrap::{self, Cell, Intervals};
use crate::selection::ReferenceFrame;
use crate::statistics::{MIN_BLOCKS, inefficiency, too_few_blocks};
use crate::{Analysis, AnalysisError, Axis, Context, Curve, Level, LogScale, Outcome, Quantity, Series, Window};
use estimate::{Estimates, Estimator, HALF_DECADE, Verdict, lag_grid, verdict};
use layers::Layers;
use segments::SquareDisplacements;

pub use config::MsdConfig;

const NAME: &str = "msd";

/// Molecules are dealt into at most this many bundles for the bootstrap.
const MAX_BUNDLES: usize = 64;

/// nm²/ps in cm²/s.
pub(crate) const CM2_PER_S: f64 = 1e-2;

/// nm²/ps in Å²/ps.
pub(crate) const ANGSTROM2_PER_PS: f64 = 100.0;

/// Atoms (as numbers within the group) of each bundle of molecules.
fn bundles(topology: &Topology, atoms: &[u32]) -> Vec<Vec<u32>> {
    let owner = topology.molecule_of();
    let mut molecules: Vec<(u32, Vec<u32>)> = vec![];
    for (k, &atom) in atoms.iter().enumerate() {
        let molecule = owner[atom as usize];
        match molecules.last_mut() {
            Some((m, members)) if *m == molecule => members.push(k as u32),
            _ => molecules.push((molecule, vec![k as u32])),
        }
    }
    let n_bundles = molecules.len().min(MAX_BUNDLES);
    let mut bundles = vec![vec![]; n_bundles];
    for (k, (_, members)) in molecules.into_iter().enumerate() {
        bundles[k % n_bundles].extend(members);
    }
    bundles
}

/// The tracks of one run.
#[derive(Default)]
struct Run {
    n_frames: usize,
    last: Option<(u64, f64)>,
    spacing: Option<f64>,
    /// \[frame × atom\] displacement relative to the reference, nm.
    tracks: Vec<Vec3>,
    /// \[frame × atom\] layer, where there are layers.
    layer: Vec<u8>,
}

struct Msd {
    name: &'static str,
    /// Only z counts.
    axial: bool,
    config: MsdConfig,
    context: Context,
    atoms: Vec<u32>,
    bundles: Vec<Vec<u32>>,
    reference: ReferenceFrame,
    layers: Option<Layers>,
    in_plane: bool,
    runs: Vec<Run>,
}

/// Whose displacements are averaged, and in which directions.
struct Selection {
    label: String,
    dimensions: f64,
    layer: Option<usize>,
}

/// Sums over one stretch at the grid's lags.
#[derive(Clone)]
struct Sums {
    plane: Vec<f64>,
    normal: Vec<f64>,
    pairs: Vec<f64>,
    origins: Vec<f64>,
}

impl Analysis for Msd {
    fn name(&self) -> &'static str {
        self.name
    }

    fn new_run(&mut self) {
        if self.runs.last().is_some_and(|run| run.n_frames > 0) {
            self.runs.push(Run::default());
        }
    }

    fn observe(&mut self, frame: &Frame) -> Result<(), AnalysisError> {
        if self.runs.is_empty() {
            self.runs.push(Run::default());
        }
        let expected = self.runs[0].spacing;
        let Some(run) = self.runs.last_mut() else { return Ok(()) };
        if let Some((step, time)) = run.last {
            if step == frame.step {
                return Ok(());
            }
            let found = frame.time - time;
            let spacing = *run.spacing.get_or_insert(expected.unwrap_or(found));
            if (found - spacing).abs() > 1e-6 * spacing.abs() || found <= 0.0 {
                return Err(AnalysisError::UnevenFrames {
                    analysis: self.name,
                    step: frame.step,
                    expected: spacing,
                    found,
                });
            }
        }
        run.last = Some((frame.step, frame.time));
        run.n_frames += 1;
        let origin = self.reference.displacement(frame);
        for &atom in &self.atoms {
            let d = frame.displacements[atom as usize] - origin;
            if !(d.is_finite() && frame.positions[atom as usize].is_finite()) {
                return Err(AnalysisError::NotFinite { analysis: self.name, atom: atom as usize, step: frame.step });
            }
            run.tracks.push(d);
        }
        if let Some(layers) = &self.layers {
            run.layer.extend(layers.assign(frame, &self.atoms));
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Outcome, AnalysisError> {
        self.runs.retain(|run| run.n_frames > 0);
        let n = self.runs.iter().map(|run| run.n_frames).min().unwrap_or(0);
        let needed = 4;
        let Some(spacing) = self.runs.iter().find_map(|run| run.spacing).filter(|_| n >= needed) else {
            return Err(AnalysisError::TooFewFrames { analysis: self.name, found: n, needed });
        };
        let plan = Plan::new(n, spacing, &self.config);
        let mut out = Outcome { name: self.name.into(), quantities: vec![], curves: vec![], notes: vec![] };
        let curve = |name: String, symbol: &str, log_y: bool| Curve {
            name,
            symbol: symbol.into(),
            x: Axis { name: "lag time".into(), unit: "ps".into(), values: plan.times.clone() },
            series: vec![],
            log: LogScale { x: true, y: log_y },
        };
        let group = &self.config.group;
        let (title, symbol) = if self.axial {
            ("mean squared axial displacement", "⟨Δz²⟩(t)")
        } else {
            ("mean squared displacement", "g₁(t)")
        };
        let mut g = curve(format!("{title} of {group}"), symbol, true);
        let mut alpha = curve(format!("local exponent of {group}"), "α(t)", false);
        let mut apparent = curve(format!("apparent diffusion coefficient of {group}"), "D_app(t)", true);
        let mut survival = curve(format!("survival of {group} in its layer"), "P(t)", false);
        let independence = self.independence(&plan);
        for selection in self.selections() {
            let (value, error, level) = self.evaluate(&plan, &selection, &independence);
            if value.g.iter().all(|g| !g.is_finite()) {
                out.notes.push(format!("{}: nothing stayed there for one lag", selection.label));
                continue;
            }
            let half = |pick: fn(&Estimates) -> &Vec<f64>| error.as_ref().ok().map(|e| pick(&e.0).clone());
            let series = |unit: &str, values: &[f64], error: Option<Vec<f64>>| Series {
                name: selection.label.clone(),
                unit: unit.into(),
                values: values.to_vec(),
                error,
            };
            g.series.push(series("nm^2", &value.g, half(|e| &e.g)));
            alpha.series.push(series("1", &value.alpha, half(|e| &e.alpha)));
            let scaled = |v: &[f64]| v.iter().map(|x| x * ANGSTROM2_PER_PS).collect::<Vec<_>>();
            let half_apparent = half(|e| &e.apparent).map(|v| scaled(&v));
            apparent.series.push(series("Å^2/ps", &scaled(&value.apparent), half_apparent));
            if selection.layer.is_some() {
                survival.series.push(series("1", &value.survival, half(|e| &e.survival)));
            }
            self.quantities(&plan, &selection, &value, &error, level, &mut out);
        }
        out.curves = [g, alpha, apparent, survival].into_iter().filter(|c| !c.series.is_empty()).collect();
        let frames: usize = self.runs.iter().map(|run| run.n_frames).sum();
        out.notes.push(format!(
            "{} atoms of {group}, {frames} frames every {} ps in {} run(s); displacements relative to the {}",
            self.atoms.len(),
            brief(spacing),
            self.runs.len(),
            self.reference.name
        ));
        if let Err(reason) = &independence {
            out.notes.push(reason.clone());
        }
        Ok(out)
    }
}

/// Lags and blocks for runs of a given length.
struct Plan {
    /// Lags, frames.
    lags: Vec<usize>,
    /// Lags, ps.
    times: Vec<f64>,
    /// Window of α and D, ps.
    window: [f64; 2],
    /// Its last lag, frames.
    last_lag: usize,
    /// Frames per block.
    block: usize,
    blocks: usize,
    /// Duration of the (shortest) run, ps.
    duration: f64,
}

impl Plan {
    fn new(n: usize, spacing: f64, config: &MsdConfig) -> Plan {
        let last_lag = ((config.longest_lag * (n - 1) as f64 + 1e-9).floor() as usize).max(1);
        let first_lag = ((last_lag as f64 / HALF_DECADE).floor() as usize).max(1);
        let block = n / config.blocks;
        // Nothing beyond a fifth of the run is shown: it would be one or two independent windows.
        let max = ((n - 1) / 5).clamp(last_lag, n - 1).min(block.saturating_sub(1).max(last_lag));
        let lags = lag_grid(max, Some([first_lag, last_lag]));
        Plan {
            times: lags.iter().map(|&l| l as f64 * spacing).collect(),
            lags,
            window: [first_lag as f64 * spacing, last_lag as f64 * spacing],
            last_lag,
            block,
            blocks: config.blocks,
            duration: (n - 1) as f64 * spacing,
        }
    }
}

impl Msd {
    fn selections(&self) -> Vec<Selection> {
        let group = &self.config.group;
        let (whole, dimensions) = if self.axial { (", axial", 1.0) } else { ("", 3.0) };
        let mut all = vec![Selection { label: format!("{group}{whole}"), dimensions, layer: None }];
        if self.in_plane {
            all.push(Selection { label: format!("{group}, in-plane"), dimensions: 2.0, layer: None });
        }
        if let Some(layers) = &self.layers {
            let (within, dimensions) = if self.axial { ("axial", 1.0) } else { ("in-plane", 2.0) };
            all.extend((0..layers.count()).map(|layer| Selection {
                label: format!("{group}, {within}, {}", layers.label(layer)),
                dimensions,
                layer: Some(layer),
            }));
        }
        all
    }

    /// Sums over the atoms of one bundle, frames `from..to` of one run.
    fn sums(&self, run: &Run, bundle: &[u32], layer: Option<usize>, [from, to]: [usize; 2], lags: &[usize]) -> Sums {
        let n_atoms = self.atoms.len();
        let zero = vec![0.0; lags.len()];
        let mut sums = Sums { plane: zero.clone(), normal: zero.clone(), pairs: zero.clone(), origins: zero };
        let mut displacements = SquareDisplacements::default();
        let longest = lags[lags.len() - 1];
        for &atom in bundle {
            let at = |frame: usize| frame * n_atoms + atom as usize;
            let present = |frame: usize| layer.is_none_or(|l| run.layer[at(frame)] as usize == l);
            // Pairs of times between which an atom never left are the pairs within its unbroken stays.
            let mut start = from;
            while start < to {
                if !present(start) {
                    start += 1;
                    continue;
                }
                let end = (start..to).find(|&k| !present(k)).unwrap_or(to);
                let stay: Vec<Vec3> = (start..end).map(|k| run.tracks[at(k)]).collect();
                let squares = displacements.sums(&stay, longest);
                for (q, &lag) in lags.iter().enumerate().take_while(|(_, lag)| **lag < stay.len()) {
                    sums.plane[q] += squares[lag].x + squares[lag].y;
                    sums.normal[q] += squares[lag].z;
                    sums.pairs[q] += (stay.len() - lag) as f64;
                }
                for (q, &lag) in lags.iter().enumerate() {
                    sums.origins[q] += end.min(to.saturating_sub(lag)).saturating_sub(start) as f64;
                }
                start = end;
            }
        }
        sums
    }

    /// Sums over all bundles: whole runs, or every block of every run.
    fn cells(&self, plan: &Plan, selection: &Selection, blocks: bool) -> Vec<Cell> {
        let mut jobs = vec![];
        for (r, run) in self.runs.iter().enumerate() {
            for (b, _) in self.bundles.iter().enumerate() {
                if blocks {
                    let skipped = run.n_frames - plan.block * plan.blocks;
                    for k in 0..plan.blocks {
                        let from = skipped + k * plan.block;
                        jobs.push((r, b, k, [from, from + plan.block]));
                    }
                } else {
                    jobs.push((r, b, 0, [0, run.n_frames]));
                }
            }
        }
        jobs.into_par_iter()
            .map(|(r, b, k, range)| {
                let s = self.sums(&self.runs[r], &self.bundles[b], selection.layer, range, &plan.lags);
                let mut sums = if self.axial { s.normal.clone() } else { s.plane };
                if selection.dimensions == 3.0 {
                    sums.iter_mut().zip(&s.normal).for_each(|(plane, normal)| *plane += normal);
                }
                let mut counts = s.pairs.clone();
                if selection.layer.is_some() {
                    sums.extend(&s.pairs);
                    counts.extend(&s.origins);
                }
                Cell { run: r, block: r * plan.blocks + k, bundle: r * self.bundles.len() + b, sums, counts }
            })
            .collect()
    }

    /// Whether the blocks are independent: the squared displacement at the window's last lag, as a series over its
    /// time origin, must have forgotten itself at least four times.
    fn independence(&self, plan: &Plan) -> Result<(), String> {
        if self.runs.len() >= MIN_BLOCKS {
            return Ok(());
        }
        let n_atoms = self.atoms.len();
        let independent: f64 = self
            .runs
            .iter()
            .map(|run| {
                let origins = run.n_frames - plan.last_lag;
                let series: Vec<f64> = (0..origins)
                    .map(|k| {
                        let [a, b] = [k, k + plan.last_lag].map(|f| &run.tracks[f * n_atoms..(f + 1) * n_atoms]);
                        let square = |d: Vec3| if self.axial { d.z * d.z } else { d.norm2() };
                        a.iter().zip(b).map(|(a, b)| square(*b - *a)).sum::<f64>()
                    })
                    .collect();
                origins as f64 / inefficiency(&series)
            })
            .sum();
        if independent < MIN_BLOCKS as f64 { Err(too_few_blocks(independent as usize)) } else { Ok(()) }
    }

    /// Numbers of one selection with half-widths, or the reason why there are none.
    fn evaluate(
        &self,
        plan: &Plan,
        selection: &Selection,
        independence: &Result<(), String>,
    ) -> (Estimates, Result<(Estimates, Intervals), String>, Level) {
        let estimator = Estimator { times: plan.times.clone(), window: plan.window, dimensions: selection.dimensions };
        let whole = self.cells(plan, selection, false);
        let value = estimator.estimate(&bootstrap::ratio(&whole, |_, _| 1.0));
        let error = independence.clone().and_then(|()| {
            if plan.block <= plan.last_lag || plan.blocks * self.runs.len() < MIN_BLOCKS {
                return Err(too_few_blocks(if plan.block <= plan.last_lag { 0 } else { plan.blocks }));
            }
            let cells = self.cells(plan, selection, true);
            let end = plan.lags.iter().position(|&lag| lag == plan.last_lag).unwrap_or(0);
            let filled = (0..plan.blocks * self.runs.len())
                .filter(|&b| cells.iter().any(|c| c.block == b && c.counts[end] > 0.0))
                .count();
            if filled < MIN_BLOCKS {
                return Err(too_few_blocks(filled));
            }
            let mut intervals =
                bootstrap::intervals(&cells, self.context.seed, |ratios| estimator.estimate(ratios).flatten())?;
            if intervals.units == "blocks" {
                intervals.n_independent = filled;
            }
            Ok((value.with(&intervals.half_widths), intervals))
        });
        (value, error, Level::A)
    }

    fn quantities(
        &self,
        plan: &Plan,
        selection: &Selection,
        value: &Estimates,
        error: &Result<(Estimates, Intervals), String>,
        level: Level,
        out: &mut Outcome,
    ) {
        let half = |pick: fn(&Estimates) -> f64| error.as_ref().ok().map(|(e, _)| pick(e)).filter(|h| h.is_finite());
        let alpha_half = half(|e| e.window_alpha[0]);
        let verdict = verdict(&value.window_alpha, alpha_half, plan.window);
        let interval = |value: f64, half: Option<f64>| half.map(|h| [value - h, value + h]);
        let [t1, t2] = plan.window;
        let settings = json!({
            "group": self.config.group,
            "layer": selection.layer.and_then(|l| self.layers.as_ref().map(|layers| layers.label(l))),
            "dimensions": selection.dimensions,
            "reference_frame": self.reference.name,
            "temperature_K": self.context.temperature,
            "alpha": finite(value.window_alpha[0]),
            "alpha_ci95": interval(value.window_alpha[0], alpha_half),
            "motion": match &verdict { Verdict::Diffusive => "diffusive", Verdict::Not(text) => text },
            "finite_size_correction": "not available",
            "run_length_ps": plan.duration,
            "longest_lag_of_run": t2 / plan.duration,
            "runs": self.runs.len(),
            "blocks_per_run": plan.blocks,
            "independent_units": error.as_ref().map_or("none", |(_, i)| i.units),
        });
        let quantity = |name: String, value: f64, half: Option<f64>, unit: &str, definition: String| Quantity {
            name: format!("{}: {name}", selection.label),
            value: finite(value),
            ci95: interval(value, half),
            unit: unit.into(),
            definition,
            window: Some(Window { of: "lag".into(), from: t1, to: t2, unit: "ps".into() }),
            n_independent: error.as_ref().map_or(0, |(_, i)| i.n_independent),
            level,
            settings: settings.clone(),
            no_interval: match error {
                Err(reason) => Some(reason.clone()),
                Ok(_) if half.is_none() => Some("no interval: too few surviving pairs in the blocks".into()),
                Ok(_) => None,
            },
            also: vec![],
        };
        let g = match selection.dimensions {
            1.0 => "⟨Δz²⟩",
            2.0 => "g₁∥",
            _ => "g₁",
        };
        out.quantities.push(quantity(
            "alpha".into(),
            value.window_alpha[0],
            alpha_half,
            "1",
            format!("slope of ln {g} over ln t in the window"),
        ));
        let d = selection.dimensions;
        let diffusion = match &verdict {
            Verdict::Diffusive => quantity(
                "D".into(),
                value.diffusion * CM2_PER_S,
                half(|e| e.diffusion).map(|h| h * CM2_PER_S),
                "cm^2/s",
                format!("D = (1/{}) d{g}/dt over the window", 2.0 * d),
            ),
            Verdict::Not(_) => {
                let mut q = quantity(
                    format!("D_app({} ps)", brief(t2)),
                    value.apparent_at_end * CM2_PER_S,
                    half(|e| e.apparent_at_end).map(|h| h * CM2_PER_S),
                    "cm^2/s",
                    format!("D_app(t) = {g}(t)/({} t) at one lag; not a diffusion coefficient", 2.0 * d),
                );
                q.window = Some(Window { of: "lag".into(), from: t2, to: t2, unit: "ps".into() });
                q
            }
        };
        if let Verdict::Not(why) = &verdict {
            let range = match interval(value.window_alpha[0], alpha_half) {
                Some([low, high]) => format!("95 % interval {low:.2} to {high:.2}"),
                None => "no interval".into(),
            };
            out.notes.push(format!(
                "{}: {why} (α = {:.2}, {range}, lags {} to {} ps): D is undefined here, D_app depends on the lag",
                selection.label,
                value.window_alpha[0],
                brief(t1),
                brief(t2)
            ));
        }
        out.quantities.push(diffusion.also_in("Å^2/ps", ANGSTROM2_PER_PS / CM2_PER_S));
        if selection.layer.is_some() {
            let longest = plan.times[plan.times.len() - 1];
            let left = value.survival[value.survival.len() - 1];
            let decayed = left < 0.05;
            let mut q = quantity(
                "residence time".into(),
                if decayed { value.residence } else { f64::NAN },
                half(|e| e.residence).filter(|_| decayed),
                "ps",
                "∫P(t) dt, P(t) the share of those in the layer at t₀ that never left it until t₀ + t".into(),
            );
            q.window = Some(Window { of: "lag".into(), from: 0.0, to: longest, unit: "ps".into() });
            if !decayed && left.is_finite() {
                let why = format!("not available: {:.0} % still stay at the longest lag", 100.0 * left);
                q.no_interval = Some(why);
            }
            out.quantities.push(q);
        }
    }
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// A number with at most four significant digits, for names and notes.
pub(crate) fn brief(value: f64) -> String {
    let text = format!("{value:.3e}");
    text.parse::<f64>().map_or(text, |v| v.to_string())
}

#[cfg(test)]
mod tests;
