//! Two zones in a pore, interphase and core: from small pores that can be simulated to wide ones that cannot.

use amelo_core::Topology;
use amelo_core::quantity::{Diffusion, Length};
use amelo_math::philox::Noise;
use amelo_math::special::pow;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::computed::Computed;
use crate::msd::{ANGSTROM2_PER_PS, CM2_PER_S, brief};
use crate::{Analysis, AnalysisError, AnalysisInfo, Axis, Context, Curve, Level, LogScale, Outcome, Quantity, Series};

const NAME: &str = "two-zone";

/// Purpose of the noise of the intervals.
const PURPOSE: u32 = 21;
/// Draws behind an interval: its ends are then known to a tenth of its width.
const DRAWS: u64 = 1000;
/// Half-width of a 95 % interval over the standard deviation of a normal distribution.
const NORMAL95: f64 = 1.959_963_984_540_054;
/// Thicknesses tried before the best of them is refined.
const TRIED: usize = 400;
/// Points of the curve.
const POINTS: usize = 60;

/// D along the axis of pores of any radius, from two zones: given, or fitted to pores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TwoZoneConfig {
    /// D_b of the core: the bulk's.
    pub bulk: MeasuredDiffusion,
    /// D_i of the interphase, together with `thickness`; or `pores`.
    pub interphase: Option<MeasuredDiffusion>,
    /// δ, the thickness of the interphase.
    pub thickness: Option<MeasuredLength>,
    /// Pores to which D_i and δ are fitted: at least two, of different radii.
    #[serde(default)]
    pub pores: Vec<PoreDiffusion>,
    /// Radii to predict D for, for example `["30 nm", "40 nm", "55 nm"]`.
    pub radii: Vec<Length>,
}

/// A diffusion coefficient.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeasuredDiffusion {
    /// Its value.
    pub value: Diffusion,
    /// Half-width of its 95 % interval. Left out: no interval is given for what follows from it.
    pub half_width: Option<Diffusion>,
}

/// A length.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeasuredLength {
    /// Its value.
    pub value: Length,
    /// Half-width of its 95 % interval.
    pub half_width: Option<Length>,
}

/// D in a pore.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PoreDiffusion {
    /// Radius of the pore: the accessible one of its certificate.
    pub radius: Length,
    /// D along its axis.
    pub value: Diffusion,
    /// Half-width of its 95 % interval.
    pub half_width: Option<Diffusion>,
}

/// Share of the area of a pore of `radius` that lies within `thickness` of its wall.
pub fn interphase_share(radius: f64, thickness: f64) -> f64 {
    let core = 1.0 - (thickness / radius).clamp(0.0, 1.0);
    1.0 - core * core
}

/// The model: nm, nm²/ps.
#[derive(Clone, Copy, Debug)]
struct Zones {
    thickness: f64,
    interphase: f64,
    bulk: f64,
}

impl Zones {
    fn diffusion(&self, radius: f64) -> f64 {
        let f = interphase_share(radius, self.thickness);
        self.interphase * f + self.bulk * (1.0 - f)
    }

    /// Least squares over pores (radius, D, weight). For each δ the best D_i ≥ 0 follows; δ is searched up to the largest
    /// radius, where every pore is all interphase.
    fn fit(bulk: f64, pores: &[[f64; 3]]) -> Zones {
        let largest = pores.iter().map(|p| p[0]).fold(0.0, f64::max);
        let at = |thickness: f64| {
            let (mut above, mut below) = (0.0, 0.0);
            for [radius, d, weight] in pores {
                let f = interphase_share(*radius, thickness);
                above += weight * f * (d - bulk);
                below += weight * f * f;
            }
            let zones = Zones { thickness, interphase: (bulk + above / below).max(0.0), bulk };
            let off = |[radius, d, weight]: &[f64; 3]| {
                let off = zones.diffusion(*radius) - d;
                weight * off * off
            };
            (pores.iter().map(off).sum::<f64>(), zones)
        };
        let step = largest / TRIED as f64;
        let best = (1..=TRIED).min_by(|&i, &j| at(step * i as f64).0.total_cmp(&at(step * j as f64).0)).unwrap_or(1);
        // Golden section between the neighbours of the best.
        let golden = 0.5 * (5_f64.sqrt() - 1.0);
        let (mut low, mut high) = (step * (best as f64 - 1.0), (step * (best as f64 + 1.0)).min(largest));
        low = low.max(1e-3 * step);
        for _ in 0..60 {
            let [a, b] = [high - golden * (high - low), low + golden * (high - low)];
            if at(a).0 <= at(b).0 { high = b } else { low = a }
        }
        at(0.5 * (low + high)).1
    }

    /// δ, D_i, D_i/D_b, then D at each of `radii`.
    fn row(&self, radii: &[f64]) -> Vec<f64> {
        let mut row = vec![self.thickness, self.interphase, self.interphase / self.bulk];
        row.extend(radii.iter().map(|&r| self.diffusion(r)));
        row
    }
}

impl TwoZoneConfig {
    /// What the analysis is.
    pub(crate) const INFO: AnalysisInfo = AnalysisInfo {
        name: NAME,
        summary: "D along pores of any radius from an interphase and a core, given or fitted to simulated pores; no frame enters",
        formula: "D(R) = D_i [1 − (1 − δ/R)²] + D_b (1 − δ/R)² (D_i where δ ≥ R)\n\
                  fit: least squares over pores, weighted by the inverse squares of their intervals, for δ and D_i ≥ 0 at the \
                  given D_b\n\
                  intervals: 1000 draws of every given number from a normal distribution with its interval, fitted anew; the \
                  central 95 %",
        units: "R and δ in nm, D in cm²/s and Å²/ps",
        assumptions: &[
            "transport along the axis of a straight pore: the zones conduct in parallel, with the same concentration in both",
            "δ and D_i do not depend on R: curvature is left out, and must show in the fit over several pores",
            "for δ much smaller than every R only the product δ (D_i − D_b) is determined; the intervals then say so",
            "what enters are D that may be called so: not D_app of sub-diffusive motion",
        ],
        citation: "two zones in a pore: K. R. Brownstein, C. E. Tarr, Phys. Rev. A 19, 2446 (1979), \
                   doi:10.1103/PhysRevA.19.2446",
    };

    /// The analysis for a system.
    pub(crate) fn build(&self, _: &Topology, context: &Context) -> Result<Box<dyn Analysis>, AnalysisError> {
        let setting = |key, value: String, remedy: &str| {
            Err(AnalysisError::Setting { analysis: NAME, key, value, remedy: remedy.into() })
        };
        let positive = |x: f64| x.is_finite() && x > 0.0;
        if !positive(self.bulk.value.0) {
            return setting("bulk", self.bulk.value.to_string(), "a positive diffusion coefficient");
        }
        if self.radii.is_empty() || !self.radii.iter().all(|r| positive(r.0)) {
            let remedy = "at least one positive radius to predict D for, for example [\"30 nm\"]";
            return setting("radii", format!("{:?}", self.radii), remedy);
        }
        match (self.interphase, self.thickness, self.pores.is_empty()) {
            (Some(i), Some(t), true) => {
                if !(i.value.0 >= 0.0 && i.value.0.is_finite()) {
                    return setting("interphase", i.value.to_string(), "a diffusion coefficient, not negative");
                }
                if !positive(t.value.0) {
                    return setting("thickness", t.value.to_string(), "a positive thickness");
                }
            }
            (None, None, false) => {
                let first = self.pores[0].radius.0;
                if self.pores.len() < 2 || self.pores.iter().all(|p| p.radius.0 == first) {
                    let remedy = "at least two pores of different radii: one gives no δ";
                    return setting("pores", format!("{} pores", self.pores.len()), remedy);
                }
                if let Some(p) = self.pores.iter().find(|p| !(positive(p.radius.0) && p.value.0 >= 0.0)) {
                    return setting(
                        "pores",
                        format!("{} in {}", p.value, p.radius),
                        "a positive radius and no negative D",
                    );
                }
            }
            _ => {
                let remedy = "write either `interphase` and `thickness`, or `pores` to fit both";
                return setting("pores", format!("{} pores", self.pores.len()), remedy);
            }
        }
        Ok(Box::new(Computed { name: NAME, outcome: self.outcome(context) }))
    }

    /// The model for numbers that lie off the given ones by `off`(number, half-width).
    fn zones(&self, mut off: impl FnMut(u32, Option<f64>) -> f64) -> Zones {
        let half = |h: Option<Diffusion>| h.map(|h| h.0);
        let bulk = self.bulk.value.0 + off(0, half(self.bulk.half_width));
        if let (Some(i), Some(t)) = (self.interphase, self.thickness) {
            let interphase = i.value.0 + off(1, half(i.half_width));
            let thickness = (t.value.0 + off(2, t.half_width.map(|h| h.0))).max(0.0);
            return Zones { thickness, interphase: interphase.max(0.0), bulk };
        }
        let weighted = self.pores.iter().all(|p| p.half_width.is_some_and(|h| h.0 > 0.0));
        let weight = |p: &PoreDiffusion| match p.half_width {
            Some(h) if weighted => 1.0 / (h.0 * h.0),
            _ => 1.0,
        };
        let pores: Vec<[f64; 3]> = (3..)
            .zip(&self.pores)
            .map(|(k, p)| [p.radius.0, p.value.0 + off(k, half(p.half_width)), weight(p)])
            .collect();
        Zones::fit(bulk, &pores)
    }

    /// Whether every number comes with an interval.
    fn has_intervals(&self) -> bool {
        let given = |d: &MeasuredDiffusion| d.half_width.is_some();
        given(&self.bulk)
            && self.interphase.iter().all(given)
            && self.thickness.iter().all(|t| t.half_width.is_some())
            && self.pores.iter().all(|p| p.half_width.is_some())
    }

    fn outcome(&self, context: &Context) -> Outcome {
        let mut radii: Vec<f64> = self.radii.iter().map(|r| r.0).collect();
        let asked = radii.len();
        let known = radii.iter().copied().chain(self.pores.iter().map(|p| p.radius.0));
        let (low, high) = known.fold((f64::INFINITY, 0.0_f64), |(l, h), r| (l.min(r), h.max(r)));
        let (low, high) = (0.5 * low, 1.5 * high);
        radii.extend((0..POINTS).map(|k| low * pow(high / low, k as f64 / (POINTS - 1) as f64)));
        let value = self.zones(|_, _| 0.0).row(&radii);
        let intervals = self.has_intervals().then(|| {
            let noise = Noise::new(context.seed, PURPOSE);
            let mut rows: Vec<Vec<f64>> = (0..DRAWS)
                .map(|draw| {
                    let off = |k, half: Option<f64>| noise.normal2(k, draw, 0)[0] * half.unwrap_or(0.0) / NORMAL95;
                    self.zones(off).row(&radii)
                })
                .collect();
            central(&mut rows)
        });
        let fitted = !self.pores.is_empty();
        let quantity = |k: usize, name: String, unit: &str, factor: f64, definition: &str| Quantity {
            name,
            value: Some(value[k] * factor),
            ci95: intervals.as_ref().map(|i| i[k].map(|x| x * factor)),
            unit: unit.into(),
            definition: definition.into(),
            window: None,
            n_independent: self.pores.len(),
            level: Level::B,
            settings: json!({ "bulk": self.bulk, "interphase": self.interphase, "thickness": self.thickness,
                              "pores": self.pores }),
            no_interval: intervals.is_none().then(|| "no interval: not every number given has its own".into()),
            also: vec![],
        };
        let angstrom = ANGSTROM2_PER_PS / CM2_PER_S;
        let model = "D(R) = D_i [1 − (1 − δ/R)²] + D_b (1 − δ/R)²";
        let mut out = Outcome { name: NAME.into(), quantities: vec![], curves: vec![], notes: vec![] };
        if fitted {
            let how = format!("fitted to {} pores: {model}", self.pores.len());
            out.quantities.push(quantity(0, "thickness of the interphase".into(), "nm", 1.0, &how));
            out.quantities
                .push(quantity(1, "D of the interphase".into(), "cm^2/s", CM2_PER_S, &how).also_in("Å^2/ps", angstrom));
            out.quantities.push(quantity(2, "D_i/D_b".into(), "1", 1.0, &how));
        }
        for (k, &radius) in radii[..asked].iter().enumerate() {
            let name = format!("D(R = {} nm)", brief(radius));
            out.quantities.push(quantity(3 + k, name, "cm^2/s", CM2_PER_S, model).also_in("Å^2/ps", angstrom));
        }
        let points = 3 + asked..3 + radii.len();
        let half = |i: &Vec<[f64; 2]>| i[points.clone()].iter().map(|[l, h]| 0.5 * CM2_PER_S * (h - l)).collect();
        out.curves.push(Curve {
            name: "two-zone model".into(),
            symbol: "D(R)".into(),
            x: Axis { name: "radius of the pore".into(), unit: "nm".into(), values: radii[asked..].to_vec() },
            series: vec![Series {
                name: "along the axis".into(),
                unit: "cm^2/s".into(),
                values: value[points.clone()].iter().map(|d| d * CM2_PER_S).collect(),
                error: intervals.as_ref().map(half),
            }],
            log: LogScale { x: true, y: false },
        });
        out
    }
}

/// The central 95 % of each column.
fn central(rows: &mut [Vec<f64>]) -> Vec<[f64; 2]> {
    let n = rows.len();
    (0..rows[0].len())
        .map(|q| {
            let mut column: Vec<f64> = rows.iter().map(|row| row[q]).collect();
            column.sort_by(f64::total_cmp);
            [column[n / 40], column[n - 1 - n / 40]]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(config: serde_json::Value) -> Outcome {
        let config: TwoZoneConfig = serde_json::from_value(config).unwrap();
        config.build(&Topology::default(), &Context::default()).unwrap().finish().unwrap()
    }

    fn value<'a>(out: &'a Outcome, name: &str) -> &'a Quantity {
        out.quantities.iter().find(|q| q.name == name).unwrap_or_else(|| panic!("{name}"))
    }

    /// By hand: R 30 nm, δ 3 nm, D_i = 5 D_b: f = 0.19, D = (5 · 0.19 + 0.81) D_b = 1.76 D_b.
    #[test]
    fn given_zones_are_averaged_over_the_area() {
        let out = outcome(json!({
            "bulk": {"value": "1e-7 cm^2/s"}, "interphase": {"value": "5e-7 cm^2/s"}, "thickness": {"value": "3 nm"},
            "radii": ["30 nm", "2 nm"]
        }));
        assert!((value(&out, "D(R = 30 nm)").value.unwrap() / 1.76e-7 - 1.0).abs() < 1e-12);
        assert!((value(&out, "D(R = 30 nm)").also[0].value / 1.76e-3 - 1.0).abs() < 1e-12);
        // Nothing but interphase.
        assert!((value(&out, "D(R = 2 nm)").value.unwrap() / 5e-7 - 1.0).abs() < 1e-12);
        assert!(value(&out, "D(R = 2 nm)").no_interval.is_some());
    }

    /// One uncertain number: the interval of D is its own times its share. With a share of 0.19, ± 1e-7 becomes ± 1.9e-8.
    #[test]
    fn the_interval_is_that_of_the_numbers_given() {
        let out = outcome(json!({
            "bulk": {"value": "1e-7 cm^2/s", "half_width": "0 cm^2/s"},
            "interphase": {"value": "5e-7 cm^2/s", "half_width": "1e-7 cm^2/s"},
            "thickness": {"value": "3 nm", "half_width": "0 nm"}, "radii": ["30 nm"]
        }));
        let [low, high] = value(&out, "D(R = 30 nm)").ci95.unwrap();
        assert!((0.5 * (high - low) / 1.9e-8 - 1.0).abs() < 0.1, "{low} {high}");
    }

    fn pores(thickness: f64, interphase: f64, half_width: f64, noise: impl Fn(usize) -> f64) -> serde_json::Value {
        let zones = Zones { thickness, interphase, bulk: 1e-5 };
        let d = |k: usize, r: f64| CM2_PER_S * zones.diffusion(r) + noise(k);
        let pores: Vec<_> = [2.0, 2.5, 4.0, 6.0, 7.5]
            .iter()
            .enumerate()
            .map(|(k, &r)| {
                json!({"radius": format!("{r} nm"), "value": format!("{:e} cm^2/s", d(k, r)),
                       "half_width": format!("{half_width:e} cm^2/s")})
            })
            .collect();
        json!({"bulk": {"value": "1e-7 cm^2/s", "half_width": "0 cm^2/s"}, "pores": pores, "radii": ["30 nm"]})
    }

    #[test]
    fn exact_pores_give_back_their_zones() {
        for (thickness, interphase) in [(0.8, 4e-5), (1.5, 2e-6), (1.2, 0.0)] {
            let out = outcome(pores(thickness, interphase, 1e-10, |_| 0.0));
            let found = value(&out, "thickness of the interphase").value.unwrap();
            assert!((found - thickness).abs() < 1e-6, "{found} {thickness}");
            let found = value(&out, "D of the interphase").value.unwrap();
            assert!((found - CM2_PER_S * interphase).abs() < 1e-13, "{found}");
            let expected = CM2_PER_S * Zones { thickness, interphase, bulk: 1e-5 }.diffusion(30.0);
            assert!((value(&out, "D(R = 30 nm)").value.unwrap() / expected - 1.0).abs() < 1e-6);
        }
    }

    /// Noise of the size that the intervals say: the truth lies inside in about 95 % of 60 trials, 57; three standard deviations
    /// of a binomial are 5.
    #[test]
    fn the_intervals_of_a_fit_cover_the_truth() {
        let expected = CM2_PER_S * Zones { thickness: 1.2, interphase: 4e-5, bulk: 1e-5 }.diffusion(30.0);
        let covered = |trial: u64| {
            let noise = Noise::new(trial, 77);
            let off = |k: usize| 2e-8 / NORMAL95 * noise.normal2(k as u32, 0, 0)[0];
            let out = outcome(pores(1.2, 4e-5, 2e-8, off));
            let [low, high] = value(&out, "D(R = 30 nm)").ci95.unwrap();
            low < expected && expected < high
        };
        let n = (0..60).filter(|&trial| covered(trial)).count();
        assert!(n >= 52, "{n} of 60");
    }

    #[test]
    fn what_cannot_be_fitted_is_refused() {
        let refuse = |config: serde_json::Value| {
            let config: TwoZoneConfig = serde_json::from_value(config).unwrap();
            config.build(&Topology::default(), &Context::default()).err().unwrap().to_string()
        };
        let bulk = json!({"value": "1e-7 cm^2/s"});
        let one = json!([{"radius": "2 nm", "value": "1e-7 cm^2/s"}]);
        assert!(
            refuse(json!({"bulk": bulk, "pores": one, "radii": ["30 nm"]})).contains("two pores of different radii")
        );
        assert!(refuse(json!({"bulk": bulk, "radii": ["30 nm"]})).contains("either `interphase` and `thickness`"));
        let both = json!({"bulk": bulk, "interphase": bulk, "pores": one, "radii": ["30 nm"]});
        assert!(refuse(both).contains("either `interphase` and `thickness`"));
    }
}
