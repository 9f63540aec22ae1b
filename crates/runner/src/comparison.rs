//! Runs grouped by what their decks differ in beside the seeds, and the groups compared: mean squared displacements,
//! their exponents, and their ratios at stated lags, layer by layer.

use std::collections::BTreeMap;

use amelo_analysis::compare::{Member, Pooled, pooled};
use amelo_analysis::{Axis, Curve, Level, LogScale, Quantity, Series, Window};
use serde::Serialize;
use serde_json::{Value, json};

use crate::checkpointing::{Difference, differences};
use crate::report::{RunData, brief};

/// Lags (ps) at which ratios are stated, as far as the runs reach; the longest common one is stated too.
const LAGS: [f64; 5] = [10.0, 100.0, 1e3, 1e4, 1e5];
/// Symbols of the curves that are compared; of the first the ratio is taken.
const SYMBOLS: [&str; 2] = ["g₁(t)", "α(t)"];
/// Keys of a deck that make another replica, not another system.
const REPLICA: [&str; 3] = ["seed", "system.oxide.amorphous.seed", "system.oxide.amorphous.cache"];
/// Seed of the bootstrap over surfaces or packings.
const SEED: u64 = 1;

/// Runs of the same system.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// What sets it apart: its oxide, else the keys of its decks that differ from the first group's.
    pub label: String,
    /// Its runs.
    pub runs: Vec<String>,
    /// Surfaces among them: glasses made separately; every run on the same crystal shares one.
    pub surfaces: usize,
}

/// A group's curve.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OfGroup {
    /// Label of the group.
    pub group: String,
    /// Its curve.
    #[serde(flatten)]
    pub curve: Curve,
}

/// What comes out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// The groups; ratios are over the first.
    pub groups: Vec<Group>,
    /// What the decks differ in, beside seeds.
    pub differences: Vec<String>,
    /// Ratios at stated lags.
    pub results: Vec<Quantity>,
    /// Group means of g₁(t) and α(t), one curve per group, and ratios R(t).
    pub curves: Vec<OfGroup>,
    /// Remarks that a reader must see.
    pub notes: Vec<String>,
}

/// Runs of one group, their surfaces numbered.
struct Replicas<'a> {
    label: String,
    runs: Vec<(&'a RunData, usize)>,
}

/// Compares `runs`; none where there is but one, or where one does not tell its deck. The group of the first run is the
/// reference of every ratio.
pub fn compare(runs: &[RunData]) -> Option<Comparison> {
    let identities: Vec<&Value> = runs.iter().map(|r| r.identity.as_ref()).collect::<Option<_>>()?;
    if runs.len() < 2 {
        return None;
    }
    let mut out = Comparison::default();
    let mut groups: Vec<(Value, Vec<&RunData>)> = vec![];
    for (k, run) in runs.iter().enumerate() {
        if let Some(twin) = (0..k).find(|&j| identities[j] == identities[k]) {
            out.notes.push(format!(
                "{} has the deck and the seeds of {}: it is the same run and does not count",
                run.name, runs[twin].name
            ));
            continue;
        }
        let key = system_of(identities[k]);
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, members)) => members.push(run),
            None => groups.push((key, vec![run])),
        }
    }
    let (first, _) = groups.first()?.clone();
    let replicas: Vec<Replicas> = groups
        .iter()
        .map(|(key, members)| Replicas { label: label(key, &groups, &first), runs: with_surfaces(members) })
        .collect();
    for (key, _) in &groups[1..] {
        let found = differences(&first, key);
        let (oxide, other): (Vec<&Difference>, Vec<_>) = found.iter().partition(|d| d.key.starts_with("system.oxide"));
        if !oxide.is_empty() {
            out.differences.push(format!("system.oxide: {} against {}", oxide_name(key), oxide_name(&first)));
        }
        out.differences.extend(other.iter().map(|d| d.to_string()));
        if !oxide.is_empty() && !other.is_empty() {
            out.notes.push("the decks differ in more than the oxide: a ratio shows all of it".into());
        }
    }
    out.groups = replicas
        .iter()
        .map(|g| Group {
            label: g.label.clone(),
            runs: g.runs.iter().map(|(r, _)| r.name.clone()).collect(),
            surfaces: g.runs.iter().map(|(_, s)| s + 1).max().unwrap_or(0),
        })
        .collect();
    for curve in curves_of(runs) {
        compare_curve(curve, &replicas, &mut out);
    }
    Some(out)
}

/// A deck without what makes another replica of the same system.
fn system_of(identity: &Value) -> Value {
    let mut system = identity.clone();
    for key in REPLICA {
        let (parents, last) = key.rsplit_once('.').unwrap_or(("", key));
        let parent = parents.split('.').filter(|p| !p.is_empty()).try_fold(&mut system, |v, part| v.get_mut(part));
        if let Some(table) = parent.and_then(Value::as_object_mut) {
            table.remove(last);
        }
    }
    system
}

/// Runs with the numbers of their surfaces: a glass by its recipe, a crystal with vacancies by the seed that drew them,
/// a perfect one by itself.
fn with_surfaces<'a>(runs: &[&'a RunData]) -> Vec<(&'a RunData, usize)> {
    let mut known: Vec<String> = vec![];
    runs.iter()
        .map(|&run| {
            let oxide = run.results.build.as_ref().map(|b| &b["oxide"]);
            let glass = run.glass.as_ref().map(|glass| glass.recipe.clone());
            let drawn = oxide.is_some_and(|o| o["vacancies"].is_object());
            let seed = drawn.then(|| run.identity.as_ref().map(|i| i["seed"].to_string())).flatten();
            let name = glass.or(seed).unwrap_or_default();
            let number = known.iter().position(|k| *k == name).unwrap_or_else(|| {
                known.push(name);
                known.len() - 1
            });
            (run, number)
        })
        .collect()
}

/// The oxide of a deck in words; a deck that starts from another run or program has none to name.
fn oxide_name(system: &Value) -> String {
    let Some((kind, config)) = system["system"]["oxide"].as_object().and_then(|o| o.iter().next()) else {
        return "no oxide of its own".into();
    };
    match (kind.as_str(), config["surface"].as_str(), config["cif"].as_str()) {
        ("amorphous", ..) => "amorphous TiO2".into(),
        ("file", Some(surface), Some(cif)) => format!("{cif} ({surface})"),
        (_, Some(surface), _) => format!("{kind} ({surface})"),
        _ => kind.to_string(),
    }
}

/// A name for the group of `system` that no other group has.
fn label(system: &Value, groups: &[(Value, Vec<&RunData>)], first: &Value) -> String {
    let oxide = oxide_name(system);
    if groups.iter().filter(|(other, _)| oxide_name(other) == oxide).count() == 1 {
        return oxide;
    }
    let changes = |d: &Difference| match (&d.now, d.now.as_str()) {
        (Value::Null, _) => format!("no {}", d.key),
        (_, Some(text)) => format!("{} = {text}", d.key),
        (value, _) => format!("{} = {value}", d.key),
    };
    match differences(first, system).iter().map(changes).collect::<Vec<_>>() {
        none if none.is_empty() => "first deck".into(),
        found => found.join(", "),
    }
}

/// Names and symbols of the curves that are compared, in the order in which they first appear.
fn curves_of(runs: &[RunData]) -> Vec<(&str, &str)> {
    let mut found: Vec<(&str, &str)> = vec![];
    for symbol in SYMBOLS {
        for curve in runs.iter().flat_map(|r| &r.results.curves).map(|c| &c.entry).filter(|c| c.symbol == symbol) {
            if !found.contains(&(curve.name.as_str(), symbol)) {
                found.push((&curve.name, symbol));
            }
        }
    }
    found
}

/// One series of a run with what its intervals rest on.
fn member(run: &RunData, surface: usize, curve: &Curve, series: &str, points: &[usize]) -> Option<Member> {
    let s = curve.series.iter().find(|s| s.name == series)?;
    let take = |values: &[f64]| points.iter().map(|&k| values[k]).collect::<Vec<f64>>();
    let told = run.results.results.iter().find(|q| q.entry.name == format!("{series}: alpha")).map(|q| &q.entry);
    let reason = || told.and_then(|q| q.no_interval.clone()).unwrap_or_else(|| "no interval".into());
    Some(Member {
        surface,
        values: take(&s.values),
        half_widths: s.error.as_ref().map(|e| take(e)).ok_or_else(reason),
        n_blocks: told.map_or(0, |q| q.n_independent),
    })
}

fn find<'a>(run: &'a RunData, (name, symbol): (&str, &str)) -> Option<&'a Curve> {
    run.results.curves.iter().map(|c| &c.entry).find(|c| c.name == name && c.symbol == symbol)
}

/// Lags that every run has (ps), and where they stand in a run's own list.
fn common_lags(curves: &[&Curve]) -> Vec<f64> {
    let has = |c: &Curve, t: f64| place(c, t).is_some();
    let Some((first, others)) = curves.split_first() else { return vec![] };
    first.x.values.iter().copied().filter(|&t| others.iter().all(|c| has(c, t))).collect()
}

fn place(curve: &Curve, lag: f64) -> Option<usize> {
    curve.x.values.iter().position(|&t| (t - lag).abs() <= 1e-6 * lag)
}

fn compare_curve(which: (&str, &str), groups: &[Replicas], out: &mut Comparison) {
    let (name, symbol) = which;
    let all: Option<Vec<&Curve>> = groups.iter().flat_map(|g| &g.runs).map(|(run, _)| find(run, which)).collect();
    let Some(all) = all else {
        out.notes.push(format!("{name}: not every run has it, so it is not compared"));
        return;
    };
    let lags = common_lags(&all);
    if lags.is_empty() {
        out.notes
            .push(format!("{name}: the runs have no lag in common; write their trajectories with the same spacing"));
        return;
    }
    let empty = |name: String, symbol: &str, log: LogScale| Curve {
        name,
        symbol: symbol.into(),
        x: Axis { name: "lag time".into(), unit: "ps".into(), values: lags.clone() },
        series: vec![],
        log,
    };
    let mut means: Vec<Curve> = groups.iter().map(|_| empty(name.into(), symbol, all[0].log)).collect();
    let titled = format!("ratio of the {name}, over {}", groups[0].label);
    let mut ratios: Vec<Curve> =
        groups.iter().map(|_| empty(titled.clone(), "R(t)", LogScale { x: true, y: true })).collect();
    for series in &all[0].series {
        let pools: Option<Vec<Pooled>> = groups
            .iter()
            .map(|g| {
                let members: Option<Vec<Member>> = g
                    .runs
                    .iter()
                    .map(|&(run, surface)| {
                        let curve = find(run, which)?;
                        let points: Vec<usize> = lags.iter().filter_map(|&t| place(curve, t)).collect();
                        member(run, surface, curve, &series.name, &points)
                    })
                    .collect();
                members.map(|m| pooled(&m, SEED))
            })
            .collect();
        let Some(pools) = pools else {
            out.notes.push(format!("{}: not every run has it, so it is not compared", series.name));
            continue;
        };
        let line = |values: Vec<f64>, error: Option<Vec<f64>>, unit: &str| Series {
            name: series.name.clone(),
            unit: unit.into(),
            values,
            error,
        };
        for (mean, pool) in means.iter_mut().zip(&pools) {
            mean.series.push(line(pool.values.clone(), pool.half_widths(), &series.unit));
        }
        if symbol != SYMBOLS[0] {
            continue;
        }
        for (k, pool) in pools.iter().enumerate().skip(1) {
            let ratio = pool.over(&pools[0]);
            // The band of a plot is symmetric; the interval is so in the logarithm.
            let sinh = |h: &f64| 0.5 * (amelo_math::special::exp(*h) - amelo_math::special::exp(-h));
            let band = ratio.log_half_widths.as_ref().ok();
            let band = band.map(|h| h.iter().zip(&ratio.values).map(|(h, r)| r * sinh(h)).collect());
            ratios[k].series.push(line(ratio.values.clone(), band, "1"));
            let longest = lags[lags.len() - 1];
            let stated = LAGS.iter().copied().filter(|&t| t < longest * 0.999_999).chain([longest]);
            for q in stated.filter_map(|t| lags.iter().position(|&l| (l - t).abs() <= 1e-6 * t)) {
                let conditions = Conditions { series: &series.name, lag: lags[q], groups: [&groups[k], &groups[0]] };
                out.results.push(conditions.quantity(
                    ratio.values[q],
                    ratio.ci95(q),
                    &ratio.log_half_widths,
                    [pool, &pools[0]],
                ));
            }
        }
    }
    let longest = lags[lags.len() - 1];
    if symbol == SYMBOLS[0]
        && groups.len() > 1
        && let Some(beyond) = LAGS.iter().find(|&&t| t > longest)
    {
        let reach = brief(longest);
        out.notes
            .push(format!("{name}: ratios from {beyond} ps on need longer runs: the longest common lag is {reach} ps"));
    }
    for curves in [means, ratios] {
        let labelled = groups.iter().zip(curves).filter(|(_, curve)| !curve.series.is_empty());
        out.curves.extend(labelled.map(|(g, curve)| OfGroup { group: g.label.clone(), curve }));
    }
}

/// What belongs to a ratio.
struct Conditions<'a> {
    series: &'a str,
    lag: f64,
    groups: [&'a Replicas<'a>; 2],
}

impl Conditions<'_> {
    fn quantity(
        &self,
        value: f64,
        ci95: Option<[f64; 2]>,
        log_half_widths: &Result<Vec<f64>, String>,
        pools: [&Pooled; 2],
    ) -> Quantity {
        let g = if self.series.contains("in-plane") { "g₁∥" } else { "g₁" };
        let labels = self.groups.map(|g| g.label.as_str());
        let units: BTreeMap<&str, Value> = labels
            .into_iter()
            .zip(pools)
            .map(|(label, pool)| {
                let told =
                    pool.errors.as_ref().map_or(Value::Null, |e| json!(format!("{} {}", e.n_independent, e.units)));
                (label, told)
            })
            .collect();
        let temperature = self.groups[0].runs.first().and_then(|(run, _)| {
            let of_series = run.results.results.iter().find(|q| q.entry.name == format!("{}: alpha", self.series))?;
            of_series.entry.settings["temperature_K"].as_f64()
        });
        let no_interval = match log_half_widths {
            Err(reason) => Some(reason.clone()),
            Ok(_) if ci95.is_none() => Some("no interval: too few surviving pairs in the blocks".into()),
            Ok(_) => None,
        };
        Quantity {
            name: format!("{}: R({} ps), {} over {}", self.series, brief(self.lag), labels[0], labels[1]),
            value: value.is_finite().then_some(value),
            ci95,
            unit: "1".into(),
            definition: format!("R(t) = {g}(t) of {} / {g}(t) of {}", labels[0], labels[1]),
            window: Some(Window { of: "lag".into(), from: self.lag, to: self.lag, unit: "ps".into() }),
            n_independent: pools.iter().filter_map(|p| Some(p.errors.as_ref().ok()?.n_independent)).min().unwrap_or(0),
            level: Level::A,
            settings: json!({
                "series": self.series,
                "lag_ps": self.lag,
                "temperature_K": temperature,
                "interval_over": units,
            }),
            no_interval,
            also: vec![],
        }
    }
}

#[cfg(test)]
mod tests;
