//! What an analysis hands over: numbers with their intervals and definitions, curves with their units.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How honestly classical molecular dynamics answers the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Level {
    /// Classical MD answers it.
    A,
    /// Classical MD gives a proxy or a trend.
    B,
    /// It needs another method; what that method needs is exported.
    C,
}

/// The part of the data that a number comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// What is bounded, for example `lag` or `time`.
    pub of: String,
    /// Lower bound.
    pub from: f64,
    /// Upper bound.
    pub to: f64,
    /// Unit of both.
    pub unit: String,
}

/// The same number in another unit that the field uses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OtherUnit {
    /// The value.
    pub value: f64,
    /// 95 % interval.
    pub ci95: Option<[f64; 2]>,
    /// Its unit.
    pub unit: String,
}

/// One number, with everything that makes it one. Serialises as an entry of `results.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantity {
    /// Unique within its analysis, for example `PEO ether O, in-plane: D_app(0.5 ps)`.
    pub name: String,
    /// The value; `null` where it could not be determined.
    pub value: Option<f64>,
    /// 95 % interval from independent blocks or runs; `null` where there is none, and then `no_interval` says why.
    pub ci95: Option<[f64; 2]>,
    /// Unit; `1` for a plain number.
    pub unit: String,
    /// What was computed, as a formula.
    pub definition: String,
    /// The data that entered, where it was not all of them.
    pub window: Option<Window>,
    /// Independent blocks or runs behind the interval.
    pub n_independent: usize,
    /// How honestly classical MD answers the question.
    pub level: Level,
    /// Settings of the estimator and the conditions that belong to the number.
    pub settings: Value,
    /// Why there is no interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_interval: Option<String>,
    /// The same number in other units.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<OtherUnit>,
}

impl Quantity {
    /// Adds the value times `factor` as a number in `unit`.
    pub fn also_in(mut self, unit: &str, factor: f64) -> Self {
        if let Some(value) = self.value {
            self.also.push(OtherUnit {
                value: value * factor,
                ci95: self.ci95.map(|[low, high]| [low * factor, high * factor]),
                unit: unit.into(),
            });
        }
        self
    }
}

/// The abscissa of a curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// What it is, for example `lag time`.
    pub name: String,
    /// Unit; `1` for a plain number.
    pub unit: String,
    /// The points.
    #[serde(with = "null_is_nan")]
    pub values: Vec<f64>,
}

/// One line of a curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Label in the legend.
    pub name: String,
    /// Unit; `1` for a plain number.
    pub unit: String,
    /// One value per point of the axis; NaN (`null` in JSON) where there is none.
    #[serde(with = "null_is_nan")]
    pub values: Vec<f64>,
    /// Half-width of the 95 % interval per point; NaN (`null`) where there is none.
    #[serde(default, with = "null_is_nan_option", skip_serializing_if = "Option::is_none")]
    pub error: Option<Vec<f64>>,
}

/// Which axes are drawn logarithmically.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogScale {
    /// The abscissa.
    pub x: bool,
    /// The ordinate.
    pub y: bool,
}

/// Lines over a common axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// What the ordinate shows, for example `mean squared displacement of PEO ether O`; unique within its analysis.
    pub name: String,
    /// Symbol of the ordinate for a plot's axis, for example `g₁(t)`.
    pub symbol: String,
    /// The abscissa.
    pub x: Axis,
    /// The lines; all in one unit.
    pub series: Vec<Series>,
    /// How to draw it.
    pub log: LogScale,
}

/// All that one analysis found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Name of the analysis in the registry.
    pub name: String,
    /// Numbers.
    pub quantities: Vec<Quantity>,
    /// Curves.
    pub curves: Vec<Curve>,
    /// Remarks that a reader must see.
    pub notes: Vec<String>,
}

/// An entry that says which analysis it belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Of<T> {
    /// Analysis that produced the entry.
    pub analysis: String,
    /// The entry.
    #[serde(flatten)]
    pub entry: T,
}

/// A remark and the analysis that made it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// Analysis that made the remark.
    pub analysis: String,
    /// The remark.
    pub text: String,
}

/// The content of `results.json`: every number and every curve of every analysis, flat, so that a script finds
/// a number by its name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Numbers.
    pub results: Vec<Of<Quantity>>,
    /// Curves.
    pub curves: Vec<Of<Curve>>,
    /// Remarks.
    pub notes: Vec<Note>,
    /// What was built, where the system was: the certificate of its oxide with vacancies and changed charges, molecules,
    /// packing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<serde_json::Value>,
}

impl Results {
    /// All outcomes in their order.
    pub fn new(outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        let mut all = Results::default();
        for o in outcomes {
            let of = |name: &String| name.clone();
            all.results.extend(o.quantities.into_iter().map(|entry| Of { analysis: of(&o.name), entry }));
            all.curves.extend(o.curves.into_iter().map(|entry| Of { analysis: of(&o.name), entry }));
            all.notes.extend(o.notes.into_iter().map(|text| Note { analysis: of(&o.name), text }));
        }
        all
    }
}

/// JSON has no NaN: a missing point is `null` there and NaN here.
mod null_is_nan {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(|v| v.is_finite().then_some(*v)))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        let values = Vec::<Option<f64>>::deserialize(deserializer)?;
        Ok(values.into_iter().map(|v| v.unwrap_or(f64::NAN)).collect())
    }
}

mod null_is_nan_option {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(values: &Option<Vec<f64>>, serializer: S) -> Result<S::Ok, S::Error> {
        match values {
            Some(v) => super::null_is_nan::serialize(v, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<f64>>, D::Error> {
        let values = Option::<Vec<Option<f64>>>::deserialize(deserializer)?;
        Ok(values.map(|v| v.into_iter().map(|v| v.unwrap_or(f64::NAN)).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn quantity() -> Quantity {
        Quantity {
            name: "D".into(),
            value: Some(0.25),
            ci95: Some([0.2, 0.3]),
            unit: "cm^2/s".into(),
            definition: "slope".into(),
            window: Some(Window { of: "lag".into(), from: 1.0, to: 4.0, unit: "ps".into() }),
            n_independent: 5,
            level: Level::A,
            settings: json!({"blocks": 5}),
            no_interval: None,
            also: vec![],
        }
    }

    #[test]
    fn a_quantity_has_exactly_the_keys_that_scripts_rely_on() {
        let outcome = Outcome { name: "msd".into(), quantities: vec![quantity()], curves: vec![], notes: vec![] };
        let value = serde_json::to_value(Results::new([outcome])).unwrap();
        assert_eq!(
            value["results"][0],
            json!({
                "analysis": "msd", "name": "D", "value": 0.25, "ci95": [0.2, 0.3], "unit": "cm^2/s", "definition": "slope",
                "window": {"of": "lag", "from": 1.0, "to": 4.0, "unit": "ps"}, "n_independent": 5, "level": "A",
                "settings": {"blocks": 5}
            })
        );
        let mut none = quantity();
        (none.ci95, none.no_interval) = (None, Some("two blocks".into()));
        let value = serde_json::to_value(&none).unwrap();
        assert!(value["ci95"].is_null() && value["no_interval"] == "two blocks");
    }

    #[test]
    fn results_survive_a_round_trip_with_missing_points() {
        let series = Series {
            name: "all".into(),
            unit: "nm^2".into(),
            values: vec![0.1, f64::NAN, 0.3],
            error: Some(vec![0.01, f64::NAN, f64::INFINITY]),
        };
        let curve = Curve {
            name: "msd".into(),
            symbol: "g₁".into(),
            x: Axis { name: "lag time".into(), unit: "ps".into(), values: vec![1.0, 2.0, 3.0] },
            series: vec![series],
            log: LogScale { x: true, y: true },
        };
        let outcome =
            Outcome { name: "msd".into(), quantities: vec![quantity()], curves: vec![curve], notes: vec!["n".into()] };
        let text = serde_json::to_string(&Results::new([outcome])).unwrap();
        let back: Results = serde_json::from_str(&text).unwrap();
        let line = &back.curves[0].entry.series[0];
        assert_eq!(line.values[0].to_bits(), 0.1f64.to_bits());
        assert!(line.values[1].is_nan() && line.error.as_ref().unwrap()[2].is_nan());
        assert_eq!(serde_json::to_string(&back).unwrap(), text);
    }
}
