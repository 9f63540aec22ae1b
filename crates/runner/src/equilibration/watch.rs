//! What is watched while a stage comes to rest, and the verdict on it: a function of the samples alone, so that a
//! resumed run decides as an uninterrupted one.

use amelo_analysis::stationarity::{Drift, MIN_PER_HALF, decay, drift, vector_correlation};
use amelo_analysis::statistics::series_mean;
use amelo_analysis::{Axis, Chains, Curve, Level, LogScale, Outcome, Quantity, Series, Window};
use amelo_core::{State, StateValue, System};
use serde::Serialize;
use serde_json::json;

use crate::deck::StageConfig;

/// Blocks of time for intervals.
const BLOCKS: usize = 10;

/// When samples are taken and tests are made, in steps of the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchPlan {
    /// Steps between samples.
    pub sample: u64,
    /// Steps between tests.
    pub test: u64,
    /// Whether a barostat moves the density.
    pub density: bool,
}

impl WatchPlan {
    /// For a stage with these numbers of steps; or what cannot be about it.
    pub fn of(stage: &StageConfig, sample: u64, test: u64) -> Result<Self, &'static str> {
        let ends =
            [stage.nvt.as_ref().and_then(|c| c.temperature_end), stage.npt.as_ref().and_then(|c| c.temperature_end)];
        if stage.minimize.is_some() {
            return Err("a minimisation ends by its own rule");
        }
        if ends.iter().any(|end| end.is_some()) {
            return Err("a temperature that changes over the stage is not stationary");
        }
        if sample == 0 || !test.is_multiple_of(sample) {
            return Err("the time between tests is no multiple of that between samples");
        }
        Ok(WatchPlan { sample, test, density: stage.npt.is_some() })
    }
}

/// Samples of one stage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Watched {
    /// Steps of the stage.
    pub steps: Vec<u64>,
    /// Time of the run (ps).
    pub times: Vec<f64>,
    /// Density (g/cm³).
    pub density: Vec<f64>,
    /// Potential energy (kJ/mol).
    pub energy: Vec<f64>,
    /// End-to-end vectors (nm): x, y, z of each chain, sample after sample.
    pub ends: Vec<f64>,
}

/// One thing that must have come to rest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Criterion {
    /// What it is.
    pub name: &'static str,
    /// Whether it has.
    pub passed: bool,
    /// What was found.
    pub found: String,
}

/// What the tests said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// Whether all have passed.
    pub stationary: bool,
    /// Each of them.
    pub criteria: Vec<Criterion>,
}

impl Verdict {
    /// One sentence.
    pub fn text(&self) -> String {
        let told: Vec<String> = self.criteria.iter().map(|c| format!("{}: {}", c.name, c.found)).collect();
        let head = if self.stationary { "stationary" } else { "NOT stationary" };
        format!("{head}: {}", told.join("; "))
    }
}

impl Watched {
    /// Takes a sample.
    pub fn take(&mut self, step: u64, system: &System, potential: f64, chains: &Chains) {
        self.steps.push(step);
        self.times.push(system.time);
        self.density.push(system.density());
        self.energy.push(potential);
        self.ends.extend(chains.vectors(&system.frame()).iter().flat_map(|v| v.to_array()));
    }

    /// The verdict at `step` of the stage, over the second half of the samples until then.
    pub fn verdict(&self, plan: &WatchPlan, step: u64) -> Verdict {
        let n = self.steps.iter().take_while(|&&s| s <= step).count();
        let window = n / 2..n;
        let mut criteria = vec![];
        if plan.density {
            criteria.push(of_series("density", "g/cm^3", &self.density[window.clone()]));
        }
        criteria.push(of_series("potential energy", "kJ/mol", &self.energy[window.clone()]));
        if self.chains() > 0 {
            criteria.push(self.of_chains(window));
        }
        Verdict { stationary: criteria.iter().all(|c| c.passed), criteria }
    }

    /// Whether the stage is at rest at `step`, if that is a step at which it is tested.
    pub fn at_rest(&self, plan: &WatchPlan, step: u64) -> bool {
        step > 0 && step.is_multiple_of(plan.test) && self.verdict(plan, step).stationary
    }

    fn chains(&self) -> usize {
        if self.steps.is_empty() { 0 } else { self.ends.len() / (3 * self.steps.len()) }
    }

    fn correlation(&self, window: std::ops::Range<usize>) -> Vec<f64> {
        let row = 3 * self.chains();
        vector_correlation(&self.ends[window.start * row..window.end * row], self.chains())
    }

    fn spacing(&self) -> f64 {
        self.times.get(1).map_or(0.0, |t| t - self.times[0])
    }

    fn of_chains(&self, window: std::ops::Range<usize>) -> Criterion {
        let (correlation, spacing) = (self.correlation(window), self.spacing());
        let time = decay(&correlation);
        let reach = spacing * correlation.len().saturating_sub(1) as f64;
        let found = match (time, correlation.last()) {
            (Some(k), _) => format!("autocorrelation falls to 1/e within {:.3} ps", k * spacing),
            (None, Some(c)) => {
                format!("autocorrelation is {c:.2} after {reach:.3} ps, a third of the window; 1/e is asked")
            }
            (None, None) => "no samples".into(),
        };
        Criterion { name: "end-to-end vectors", passed: time.is_some(), found }
    }

    /// For `results.json` and the report.
    pub fn outcome(&self, stage: &str, plan: &WatchPlan) -> Outcome {
        let n = self.steps.len();
        let verdict = self.verdict(plan, self.steps.last().copied().unwrap_or(0));
        let window = n / 2..n;
        let time = |k: usize| self.times.get(k).copied().unwrap_or(f64::NAN);
        let bounds =
            Window { of: "time".into(), from: time(window.start), to: time(n.saturating_sub(1)), unit: "ps".into() };
        let quantity = |name: &str, value: Option<f64>, unit: &str, definition: &str| Quantity {
            name: format!("{stage}: {name}"),
            value,
            ci95: None,
            unit: unit.into(),
            definition: definition.into(),
            window: Some(bounds.clone()),
            n_independent: 0,
            level: Level::A,
            settings: json!({ "stage": stage, "samples": n, "sampled_every_ps": self.spacing() }),
            no_interval: None,
            also: vec![],
        };
        let mut told = quantity(
            "stationary",
            Some(f64::from(u8::from(verdict.stationary))),
            "1",
            "1 where no test finds the second half of the stage to move, else 0: docs/equilibration.md",
        );
        told.settings["criteria"] = json!(verdict.criteria);
        let mut quantities = vec![told];
        for (name, unit, values) in [("density", "g/cm^3", &self.density), ("potential energy", "kJ/mol", &self.energy)]
        {
            let mean = series_mean(&values[window.clone()], BLOCKS);
            let value = mean.value.is_finite().then_some(mean.value);
            quantities.push(Quantity {
                ci95: mean.ci95(),
                no_interval: mean.no_interval(),
                n_independent: mean.n_independent,
                ..quantity(name, value, unit, "mean over the second half of the stage")
            });
        }
        let curve = |name: &str, symbol: &str, x: (&str, Vec<f64>), unit: &str, values: Vec<f64>| Curve {
            name: format!("{name} in stage {stage}"),
            symbol: symbol.into(),
            x: Axis { name: x.0.into(), unit: "ps".into(), values: x.1 },
            series: vec![Series { name: name.into(), unit: unit.into(), values, error: None }],
            log: LogScale::default(),
        };
        let times = || ("time", self.times.clone());
        let mut curves = vec![
            curve("density", "ρ", times(), "g/cm^3", self.density.clone()),
            curve("potential energy", "U", times(), "kJ/mol", self.energy.clone()),
        ];
        if self.chains() > 0 {
            let correlation = self.correlation(window);
            let relaxation = decay(&correlation).map(|k| k * self.spacing());
            let mut q =
                quantity("end-to-end relaxation time", relaxation, "ps", "lag at which ⟨R(0)·R(t)⟩/⟨R²⟩ falls to 1/e");
            q.no_interval = Some("no interval: one reading of one curve".into());
            q.settings["chains"] = json!(self.chains());
            quantities.push(q);
            let lags = (0..correlation.len()).map(|k| k as f64 * self.spacing()).collect();
            let name = "autocorrelation of end-to-end vectors";
            curves.push(curve(name, "C(t)", ("lag time", lags), "1", correlation));
        }
        let notes = vec![format!("{stage}: {}", verdict.text())];
        Outcome { name: "equilibration".into(), quantities, curves, notes }
    }

    /// Remembers the samples of stage `k`.
    pub fn save(&self, k: usize, state: &mut State) {
        state.put_u64(&name(k, "steps"), &self.steps);
        for (what, values) in self.columns() {
            state.put_f64(&name(k, what), values);
        }
    }

    fn columns(&self) -> [(&'static str, &Vec<f64>); 4] {
        [("time", &self.times), ("density", &self.density), ("energy", &self.energy), ("ends", &self.ends)]
    }

    /// The samples of stage `k`; none where it has none.
    pub fn restore(k: usize, state: &State) -> Option<Self> {
        let column = |what: &str| match state.values.get(&name(k, what)) {
            Some(StateValue::F64(values)) => Some(values.clone()),
            _ => None,
        };
        let Some(StateValue::U64(steps)) = state.values.get(&name(k, "steps")) else { return None };
        let (times, density) = (column("time")?, column("density")?);
        Some(Watched { steps: steps.clone(), times, density, energy: column("energy")?, ends: column("ends")? })
    }
}

fn name(k: usize, what: &str) -> String {
    format!("equilibration/{k}/{what}")
}

fn of_series(name: &'static str, unit: &str, values: &[f64]) -> Criterion {
    let text = |change: f64, half: f64| format!("halves of the window differ by {change:.3e} ± {half:.1e} {unit}");
    let (passed, found) = match drift(values) {
        Drift::None { change, half_width } => (true, text(change, half_width)),
        Drift::Found { change, half_width } => (false, format!("it drifts: {}", text(change, half_width))),
        Drift::TooShort { independent } => (
            false,
            format!(
                "{independent:.1} independent samples in a half of the window, so it drifts or is slow; {MIN_PER_HALF} are needed"
            ),
        ),
    };
    Criterion { name, passed, found }
}

#[cfg(test)]
mod tests {
    use super::*;
    use amelo_math::philox::Noise;

    const PLAN: WatchPlan = WatchPlan { sample: 10, test: 1000, density: true };

    /// 400 samples of white noise; `drift` is the density's rise over all of them, `held` keeps the one chain where it is.
    fn watched(drift: f64, held: bool) -> Watched {
        let noise = Noise::new(4, 79);
        let mut w = Watched::default();
        for k in 0..400u64 {
            let [a, b] = noise.normal2(0, k, 0);
            let v = noise.normal3(1, k, 0);
            w.steps.push(10 * (k + 1));
            w.times.push(0.02 * (k + 1) as f64);
            w.density.push(1.1 + 0.01 * a + drift * k as f64 / 400.0);
            w.energy.push(-1e4 + 30.0 * b);
            w.ends.extend([if held { 9.0 } else { 0.0 } + v.x, v.y, v.z]);
        }
        w
    }

    #[test]
    fn rest_is_found_and_each_cause_of_unrest_is_named() {
        let failed = |w: &Watched, step| {
            let verdict = w.verdict(&PLAN, step);
            let names: Vec<&str> = verdict.criteria.iter().filter(|c| !c.passed).map(|c| c.name).collect();
            assert_eq!(verdict.stationary, names.is_empty());
            names.join(", ")
        };
        assert_eq!(failed(&watched(0.0, false), 4000), "");
        assert_eq!(failed(&watched(0.03, false), 4000), "density");
        assert_eq!(failed(&watched(0.0, true), 4000), "end-to-end vectors");
        // Later samples do not count, and ten of them are too few.
        assert_eq!(failed(&watched(0.0, false), 100), "density, potential energy");
        let at_constant_volume = WatchPlan { density: false, ..PLAN };
        assert!(watched(0.03, false).verdict(&at_constant_volume, 4000).stationary);
        assert!(watched(0.0, false).at_rest(&PLAN, 4000) && !watched(0.0, false).at_rest(&PLAN, 3990));
    }

    #[test]
    fn samples_survive_a_checkpoint_and_the_outcome_tells_the_verdict() {
        let w = watched(0.03, false);
        let mut state = State::default();
        w.save(2, &mut state);
        assert_eq!(Watched::restore(2, &state), Some(w.clone()));
        assert_eq!(Watched::restore(1, &state), None);
        let outcome = w.outcome("rest", &PLAN);
        assert_eq!(outcome.quantities[0].value, Some(0.0));
        assert_eq!(outcome.quantities[0].settings["criteria"][0]["passed"], false);
        assert!(outcome.notes[0].contains("NOT stationary: density: it drifts"), "{:?}", outcome.notes);
        assert_eq!(outcome.curves.len(), 3);
    }
}
