//! How much faster than the bulk an interphase would have to be to explain a gain.

use amelo_core::{Topology, quantity::Length};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::computed::Computed;
use crate::msd::brief;
use crate::two_zone::interphase_share;
use crate::{Analysis, AnalysisError, AnalysisInfo, Context, Level, Outcome, Quantity};

const NAME: &str = "interphase-budget";

/// The ratio D_i/D_b that an interphase in a pore needs to raise the mean along the axis by a factor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InterphaseBudgetConfig {
    /// Radii of pores, for example `["30 nm", "55 nm"]`.
    pub radii: Vec<Length>,
    /// Thicknesses of the interphase at the wall, for example `["1.5 nm", "3 nm"]`.
    pub thicknesses: Vec<Length>,
    /// Gains over the bulk to be explained, for example `[2, 5.6]`.
    pub gains: Vec<f64>,
}

impl InterphaseBudgetConfig {
    /// What the analysis is.
    pub(crate) const INFO: AnalysisInfo = AnalysisInfo {
        name: NAME,
        summary: "share of a pore that is interphase, and how many times as fast as the bulk it must be to explain a gain; no \
                  frame enters",
        formula: "f = 1 − (1 − δ/R)², the area within δ of the wall of a pore of radius R (1 where δ ≥ R)\n\
                  G = f D_i/D_b + 1 − f, hence D_i/D_b = (G − (1 − f))/f",
        units: "f and D_i/D_b plain numbers; R and δ in nm",
        assumptions: &[
            "transport along the axis of a straight pore: interphase and core conduct in parallel",
            "the same concentration in both zones, and the core as in the bulk",
        ],
        citation: "two zones in a pore: K. R. Brownstein, C. E. Tarr, Phys. Rev. A 19, 2446 (1979), \
                   doi:10.1103/PhysRevA.19.2446",
    };

    /// The analysis for a system.
    pub(crate) fn build(&self, _: &Topology, _: &Context) -> Result<Box<dyn Analysis>, AnalysisError> {
        let setting = |key, value: String, remedy: &str| {
            Err(AnalysisError::Setting { analysis: NAME, key, value, remedy: remedy.into() })
        };
        let bad = |lengths: &[Length]| lengths.is_empty() || lengths.iter().any(|l| l.0.is_nan() || l.0 <= 0.0);
        if bad(&self.radii) {
            return setting(
                "radii",
                format!("{:?}", self.radii),
                "at least one positive radius, for example [\"30 nm\"]",
            );
        }
        if bad(&self.thicknesses) {
            let remedy = "at least one positive thickness, for example [\"1.5 nm\"]";
            return setting("thicknesses", format!("{:?}", self.thicknesses), remedy);
        }
        if self.gains.is_empty() || self.gains.iter().any(|g| !(g.is_finite() && *g > 0.0)) {
            return setting("gains", format!("{:?}", self.gains), "at least one positive factor, for example [2.0]");
        }
        Ok(Box::new(Computed { name: NAME, outcome: self.outcome() }))
    }

    fn outcome(&self) -> Outcome {
        let mut out = Outcome { name: NAME.into(), quantities: vec![], curves: vec![], notes: vec![] };
        let quantity = |name: String, value: Option<f64>, definition: &str, settings| Quantity {
            name,
            value,
            ci95: None,
            unit: "1".into(),
            definition: definition.into(),
            window: None,
            n_independent: 0,
            level: Level::B,
            settings,
            no_interval: Some("exact for the numbers given".into()),
            also: vec![],
        };
        for (radius, thickness) in self.radii.iter().flat_map(|r| self.thicknesses.iter().map(|t| (r.0, t.0))) {
            let f = interphase_share(radius, thickness);
            let place = format!("R {} nm, δ {} nm", brief(radius), brief(thickness));
            let settings = |gain: Option<f64>| json!({ "radius_nm": radius, "thickness_nm": thickness, "gain": gain });
            out.quantities.push(quantity(
                format!("{place}: share of interphase"),
                Some(f),
                "f = 1 − (1 − δ/R)²",
                settings(None),
            ));
            for &gain in &self.gains {
                let ratio = (gain - (1.0 - f)) / f;
                // Below zero the bulk that is left conducts more than the whole is said to.
                let name = format!("{place}: D_i/D_b for a gain of {gain}");
                out.quantities.push(quantity(
                    name.clone(),
                    (ratio >= 0.0).then_some(ratio),
                    "(G − (1 − f))/f",
                    settings(Some(gain)),
                ));
                if ratio < 0.0 {
                    out.notes.push(format!("{name}: none; even an interphase at rest would leave {:.3}", 1.0 - f));
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two digits by hand: R 30 and 55 nm, δ 1.5, 3, 5, 10 nm, G 2 and 5.6. For R = 30 nm, δ = 1.5 nm: f = 1 − 0.95² = 0.0975,
    /// (2 − 0.9025)/0.0975 = 11.26, (5.6 − 0.9025)/0.0975 = 48.18.
    #[test]
    fn the_table_of_tubes_of_60_and_110_nm() {
        let config: InterphaseBudgetConfig = serde_json::from_value(json!({
            "radii": ["30 nm", "55 nm"], "thicknesses": ["1.5 nm", "3 nm", "5 nm", "10 nm"], "gains": [2.0, 5.6]
        }))
        .unwrap();
        let out = config.build(&Topology::default(), &Context::default()).unwrap().finish().unwrap();
        let values: Vec<f64> = out.quantities.iter().map(|q| q.value.unwrap()).collect();
        let table: [[f64; 3]; 8] = [
            [0.098, 11.0, 48.0],
            [0.19, 6.3, 25.0],
            [0.31, 4.3, 16.0],
            [0.56, 2.8, 9.3],
            [0.054, 20.0, 86.0],
            [0.11, 10.0, 44.0],
            [0.17, 6.8, 28.0],
            [0.33, 4.0, 15.0],
        ];
        assert_eq!(values.len(), 24);
        for (value, printed) in values.iter().zip(table.iter().flatten()) {
            // Half a unit of the second digit that is printed.
            let digit = f64::powi(10.0, printed.log10().floor() as i32 - 1);
            assert!((value - printed).abs() <= 0.5001 * digit, "{value} {printed}");
        }
        assert!((values[1] - 11.256_41).abs() < 1e-5, "{}", values[1]);
    }

    #[test]
    fn what_no_interphase_can_explain_is_said() {
        let config = |gain: f64| InterphaseBudgetConfig {
            radii: vec![Length(30.0)],
            thicknesses: vec![Length(1.5)],
            gains: vec![gain],
        };
        let out = config(0.5).outcome();
        assert_eq!(out.quantities[1].value, None);
        assert!(out.notes[0].contains("0.902") || out.notes[0].contains("0.903"), "{:?}", out.notes);
        let error = config(-1.0).build(&Topology::default(), &Context::default()).err().unwrap();
        assert!(error.to_string().contains("positive factor"), "{error}");
    }
}
