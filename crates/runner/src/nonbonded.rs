//! `[nonbonded]`: cut-off, what happens there, and how charges interact; as written and as resolved.

use amelo_core::quantity::{Force, Length};
use amelo_core::{Coulomb, Modifier, Nonbonded, System};
use amelo_electrostatics::PmeChoice;
use amelo_math::special::ewald_beta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Problem;
use crate::plan;
use crate::source::Source;

/// Non-bonded interactions.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NonbondedConfig {
    /// Cut-off of pair potentials and of the real-space part of Coulomb; at most half the cell's smallest width.
    /// Default `"1.2 nm"`.
    #[serde(default = "default_r_cut")]
    pub r_cut: Length,
    /// Van der Waals: what happens at the cut-off.
    #[serde(default)]
    pub vdw: VdwConfig,
    /// How charges interact: `coulomb.pme`, `coulomb.ewald`, `coulomb.cutoff` or `coulomb = "none"`. Default pme.
    #[serde(default)]
    pub coulomb: CoulombConfig,
    /// Slab correction (Yeh and Berkowitz) for a film with vacuum: `"z"`, or `{ axis = "z", extend = 3 }` to make
    /// the cell that many times longer first.
    pub slab: Option<SlabConfig>,
    /// Arithmetic of pairs and mesh: `"mixed"`, the default, or `"double"`. Positions, sums and integration are double
    /// in either case. `amelo energy` computes in double where this key is absent. Alone in its section it leaves the
    /// other settings of a stored or imported system as they are.
    pub precision: Option<Precision>,
}

impl Default for NonbondedConfig {
    fn default() -> Self {
        NonbondedConfig {
            r_cut: default_r_cut(),
            vdw: VdwConfig::default(),
            coulomb: CoulombConfig::default(),
            slab: None,
            precision: None,
        }
    }
}

fn default_r_cut() -> Length {
    Length(1.2)
}

/// Pair potentials at their cut-off.
#[derive(Clone, Debug, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VdwConfig {
    /// What happens at the cut-off.
    #[serde(default)]
    pub modifier: ModifierConfig,
    /// Where the force-switch begins.
    pub r_switch: Option<Length>,
    /// Analytic dispersion tail in energy and pressure; for homogeneous boxes only.
    #[serde(default)]
    pub dispersion_correction: bool,
}

/// What happens to a pair potential at the cut-off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ModifierConfig {
    /// Truncated: energy and force jump.
    None,
    /// Shifted to zero at the cut-off: continuous energy, unchanged forces.
    #[default]
    PotentialShift,
    /// The force goes smoothly to zero between `r_switch` and the cut-off: best energy conservation.
    ForceSwitch,
}

/// How charges interact.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CoulombConfig {
    /// Not at all.
    None,
    /// Plain 1/r, truncated at the cut-off. For tests; electrolytes need pme.
    Cutoff,
    /// Ewald's sum: the exact reference, slow.
    Ewald(EwaldConfig),
    /// Smooth particle-mesh Ewald.
    Pme(PmeConfig),
}

impl Default for CoulombConfig {
    fn default() -> Self {
        CoulombConfig::Pme(PmeConfig::default())
    }
}

/// Ewald's sum.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EwaldConfig {
    /// erfc(β r_cut), and the relative size below which reciprocal terms are dropped. Default 1e-12.
    #[serde(default = "default_ewald_tolerance")]
    pub tolerance: f64,
}

fn default_ewald_tolerance() -> f64 {
    1e-12
}

/// Smooth particle-mesh Ewald: tolerance, order, and mesh or spacing; or `force_error`, which chooses them all and holds
/// where nothing is said.
#[derive(Clone, Debug, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PmeConfig {
    /// erfc(β r_cut), which sets β. Default 1e-5 where another of these keys but `force_error` stands.
    pub tolerance: Option<f64>,
    /// Largest mesh spacing. Default `"0.12 nm"` beside `tolerance` or `order`.
    pub spacing: Option<Length>,
    /// Mesh points along a, b, c, instead of a spacing.
    pub mesh: Option<[usize; 3]>,
    /// Order of the B-splines, 4 to 6 (up to 12 for references). Default 4 beside `tolerance`, `spacing` or `mesh`.
    pub order: Option<usize>,
    /// Target of the RMS force error on the atoms that move in any stage (on all where a barostat acts, for the pressure's
    /// sake), which chooses β, mesh and order instead of the keys above; the error is measured on the system as the run
    /// starts. Default `"0.065 kJ/mol/nm"`.
    pub force_error: Option<Force>,
    /// Times the settings that reach `force_error` when a run (or a bench) of the deck starts and takes the fastest,
    /// instead of the one that a model takes for the fastest. A restart keeps what was chosen; a new run may choose
    /// otherwise. Default false.
    #[serde(default)]
    pub tune: bool,
}

/// The default target of the RMS force error (kJ/mol/nm): what GROMACS' defaults (1e-5, 0.12 nm, order 4) give on a
/// polymer electrolyte of 10,172 atoms with 1.2 nm, mixed precision: 0.0654 (`scripts/bench-peers`).
const FORCE_ERROR: Force = Force(0.065);

impl PmeConfig {
    /// The target of the force error, unless β, mesh and order are given.
    fn target(&self) -> Option<Force> {
        let given = self.tolerance.is_some() || self.spacing.is_some() || self.mesh.is_some() || self.order.is_some();
        self.force_error.or((!given).then_some(FORCE_ERROR))
    }
}

/// Slab correction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum SlabConfig {
    /// Along this axis; the cell holds its vacuum already.
    Axis(Axis),
    /// Along this axis, after the cell has been made longer.
    Extended(ExtendedSlab),
}

/// A film whose cell is made longer to hold the vacuum.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtendedSlab {
    /// Axis of the surface normal.
    pub axis: Axis,
    /// Factor on the cell's length along the axis, at least 1. Default 1.
    #[serde(default = "one")]
    pub extend: f64,
}

fn one() -> f64 {
    1.0
}

// By hand and not `untagged`, which would lose the place of an error.
impl<'de> Deserialize<'de> for SlabConfig {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = SlabConfig;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("\"z\" or { axis = \"z\", extend = 3 }")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<SlabConfig, E> {
                Axis::deserialize(serde::de::value::StrDeserializer::new(text)).map(SlabConfig::Axis)
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<SlabConfig, A::Error> {
                ExtendedSlab::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(SlabConfig::Extended)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl SlabConfig {
    /// Axis number (0, 1, 2) and factor on the cell's length.
    pub fn resolved(self) -> (usize, f64) {
        match self {
            SlabConfig::Axis(axis) => (axis as usize, 1.0),
            SlabConfig::Extended(ExtendedSlab { axis, extend }) => (axis as usize, extend),
        }
    }
}

/// A Cartesian axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Axis {
    /// Along x.
    X = 0,
    /// Along y.
    Y = 1,
    /// Along z.
    Z = 2,
}

/// Arithmetic of pairs and mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// f32 for each pair and on the mesh, with exact sums; f64 for positions and integration.
    #[default]
    Mixed,
    /// f64 everywhere.
    Double,
}

impl Precision {
    /// As force terms take it.
    pub fn resolved(self) -> amelo_core::Precision {
        match self {
            Precision::Mixed => amelo_core::Precision::Mixed,
            Precision::Double => amelo_core::Precision::Double,
        }
    }
}

/// Name of a precision as every output writes it.
pub fn precision_name(precision: amelo_core::Precision) -> &'static str {
    match precision {
        amelo_core::Precision::Double => "double",
        amelo_core::Precision::Mixed => "mixed",
    }
}

/// Also false for not-a-number.
fn positive(x: f64) -> bool {
    x > 0.0
}

impl NonbondedConfig {
    /// What can be said without a cell.
    pub fn check(&self, source: &Source) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut wrong = |key: &str, message: String, help: &str| {
            problems.push(source.problem(&format!("nonbonded.{key}"), message).help(help));
        };
        if !positive(self.r_cut.0) {
            wrong("r_cut", format!("the cut-off is {}; it must be positive", self.r_cut), "1.0 to 1.4 nm are usual");
        }
        match (self.vdw.modifier, self.vdw.r_switch) {
            (ModifierConfig::ForceSwitch, None) => wrong(
                "vdw",
                "modifier \"force-switch\" needs r_switch, where the switch begins".into(),
                "write for example r_switch = \"1.0 nm\"",
            ),
            (ModifierConfig::ForceSwitch, Some(r)) if !(r.0 > 0.0 && r.0 < self.r_cut.0) => wrong(
                "vdw.r_switch",
                format!("r_switch is {r}, which is not between 0 and the cut-off {}", self.r_cut),
                "let it begin 0.1 to 0.2 nm before the cut-off",
            ),
            (ModifierConfig::None | ModifierConfig::PotentialShift, Some(_)) => wrong(
                "vdw.r_switch",
                "r_switch stands without modifier \"force-switch\"".into(),
                "write modifier = \"force-switch\", or leave r_switch out",
            ),
            _ => {}
        }
        let tolerance = |t: f64| t > 1e-16 && t < 0.1;
        match &self.coulomb {
            CoulombConfig::Ewald(e) if !tolerance(e.tolerance) => wrong(
                "coulomb.ewald.tolerance",
                format!("tolerance {} is not between 1e-16 and 0.1", e.tolerance),
                "1e-12 is exact for all purposes",
            ),
            CoulombConfig::Pme(p) => {
                if let Some(t) = p.tolerance.filter(|t| !tolerance(*t)) {
                    wrong(
                        "coulomb.pme.tolerance",
                        format!("tolerance {t} is not between 1e-16 and 0.1"),
                        "1e-5 is usual",
                    );
                }
                if let Some(order) = p.order.filter(|o| !amelo_electrostatics::ORDERS.contains(o)) {
                    wrong(
                        "coulomb.pme.order",
                        format!("B-splines of order {order} do not exist here"),
                        "take 4, 5 or 6 (7, 8 and 12 exist for comparisons)",
                    );
                }
                if let Some(s) = p.spacing.filter(|s| !positive(s.0)) {
                    wrong(
                        "coulomb.pme.spacing",
                        format!("the mesh spacing is {s}; it must be positive"),
                        "0.1 to 0.12 nm are usual at order 4",
                    );
                }
                if let Some(mesh) = p.mesh {
                    if p.spacing.is_some() {
                        wrong("coulomb.pme.mesh", "mesh stands beside spacing".into(), "keep one of the two");
                    }
                    let order = p.order.unwrap_or(4);
                    if mesh.iter().any(|n| *n < order) {
                        wrong(
                            "coulomb.pme.mesh",
                            format!("the mesh {mesh:?} has fewer points along an axis than its order {order}"),
                            "take about 8 points per nm",
                        );
                    }
                }
                if p.tune && p.target().is_none() {
                    wrong(
                        "coulomb.pme.tune",
                        "tune stands beside tolerance, spacing, mesh or order, which it would choose".into(),
                        "keep tune with force_error, or leave it out",
                    );
                }
                if let Some(f) = p.force_error {
                    if p.tolerance.is_some() || p.spacing.is_some() || p.mesh.is_some() || p.order.is_some() {
                        wrong(
                            "coulomb.pme.force_error",
                            "force_error stands beside tolerance, spacing, mesh or order, which it would choose".into(),
                            "keep either force_error or the others",
                        );
                    }
                    if !positive(f.0) {
                        wrong(
                            "coulomb.pme.force_error",
                            format!("the force error is {f}; it must be positive"),
                            "0.08 kJ/mol/nm is about what 1e-5, 0.12 nm and order 4 give",
                        );
                    }
                }
            }
            _ => {}
        }
        if let Some(SlabConfig::Extended(e)) = self.slab
            && !(e.extend >= 1.0 && e.extend <= 20.0)
        {
            wrong(
                "slab.extend",
                format!("the cell cannot be made {} times longer", e.extend),
                "take a factor between 1 and 20; 3 is usual",
            );
        }
        if matches!(self.coulomb, CoulombConfig::None | CoulombConfig::Cutoff) && self.slab.is_some() {
            wrong(
                "slab",
                "the slab correction belongs to ewald or pme, and this deck has neither".into(),
                "take coulomb.pme, or leave slab out",
            );
        }
        problems
    }

    /// The precision where the section says nothing else: the other settings of a stored or imported system hold then.
    pub fn precision_alone(&self, source: &Source) -> Option<amelo_core::Precision> {
        let alone = source.keys_of("nonbonded").iter().all(|key| key == "precision");
        self.precision.filter(|_| alone).map(Precision::resolved)
    }

    /// Resolved for a system whose `frozen` groups never move, and every setting that would do, the chosen one first, where
    /// the settings of PME were chosen. Problems carry the place of their key.
    pub fn resolve(
        &self,
        source: &Source,
        system: &System,
        frozen: &[String],
    ) -> Result<(Nonbonded, Vec<PmeChoice>), Problem> {
        let (topology, cell, r_cut) = (&system.topology, &system.cell, self.r_cut.0);
        let mut choices = Vec::new();
        if r_cut > cell.half_width() {
            let w = cell.widths();
            return Err(source
                .problem(
                    "nonbonded.r_cut",
                    format!("the cut-off {r_cut} nm is larger than half the cell's smallest width ({:.4} × {:.4} × {:.4} nm)", w.x, w.y, w.z),
                )
                .help(format!("make the system larger than {:.4} nm in every direction, or r_cut smaller than {:.4} nm", 2.0 * r_cut, cell.half_width())));
        }
        let modifier = match (self.vdw.modifier, self.vdw.r_switch) {
            (ModifierConfig::ForceSwitch, Some(r)) => Modifier::ForceSwitch { r_switch: r.0 },
            (ModifierConfig::None, _) => Modifier::None,
            _ => Modifier::PotentialShift,
        };
        let has_charges = topology.charges.iter().any(|&q| q != 0.0);
        let coulomb = match &self.coulomb {
            _ if !has_charges => Coulomb::None,
            CoulombConfig::None => Coulomb::None,
            CoulombConfig::Cutoff => Coulomb::Cutoff,
            CoulombConfig::Ewald(e) => Coulomb::Ewald { beta: ewald_beta(r_cut, e.tolerance), tolerance: e.tolerance },
            CoulombConfig::Pme(p) => match p.target() {
                Some(target) => {
                    let felt = plan::frozen(system, frozen);
                    choices = amelo_electrostatics::pme_for_force_error(&felt, r_cut, target.0).map_err(|e| {
                        source
                            .problem("nonbonded.coulomb.pme.force_error", e.to_string())
                            .help("take a larger force_error or a larger r_cut")
                    })?;
                    choices[0].coulomb()
                }
                None => Coulomb::Pme {
                    beta: ewald_beta(r_cut, p.tolerance.unwrap_or(1e-5)),
                    order: p.order.unwrap_or(4),
                    mesh: p
                        .mesh
                        .unwrap_or_else(|| amelo_electrostatics::mesh_for(cell, p.spacing.map_or(0.12, |s| s.0))),
                },
            },
        };
        let resolved = Nonbonded {
            r_cut,
            modifier,
            dispersion_correction: self.vdw.dispersion_correction,
            coulomb,
            slab: self.slab.map(|s| s.resolved().0),
            precision: self.precision.unwrap_or_default().resolved(),
        };
        Ok((resolved, choices))
    }

    /// Whether β and mesh follow from a force error.
    pub fn chooses_mesh(&self) -> bool {
        matches!(&self.coulomb, CoulombConfig::Pme(p) if p.target().is_some())
    }

    /// Whether the fastest setting of PME is to be found by timing.
    pub fn tunes(&self) -> bool {
        matches!(&self.coulomb, CoulombConfig::Pme(p) if p.tune)
    }
}

/// What a user reads about a choice, with the keys that repeat it.
pub fn describe(choice: &PmeChoice, how: &str) -> String {
    let [a, b, c] = choice.mesh;
    format!(
        "coulomb.pme {how}: tolerance = {:e}, order = {}, mesh = [{a}, {b}, {c}]; RMS force error {:.2e} kJ/mol/nm \
         ({:.2e} of the real-space sum and {:.2e} of the mesh, measured on this configuration)",
        choice.tolerance,
        choice.order,
        choice.error(),
        choice.real_error,
        choice.mesh_error,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_force_error_holds_where_nothing_else_is_said() {
        let target = |text: &str| serde_json::from_str::<PmeConfig>(text).unwrap().target().map(|f| f.0);
        assert_eq!(target("{}"), Some(FORCE_ERROR.0));
        assert_eq!(target(r#"{"tune":true}"#), Some(FORCE_ERROR.0));
        assert_eq!(target(r#"{"force_error":"0.2 kJ/mol/nm"}"#), Some(0.2));
        for given in [r#"{"tolerance":1e-5}"#, r#"{"order":4}"#, r#"{"mesh":[8,8,8]}"#, r#"{"spacing":"0.1 nm"}"#] {
            assert_eq!(target(given), None, "{given}");
        }
    }

    /// What a stored state keeps of its deck must be readable again.
    #[test]
    fn the_slab_keys_are_written_as_they_are_read() {
        let axis = SlabConfig::Axis(Axis::Z);
        let longer = SlabConfig::Extended(ExtendedSlab { axis: Axis::Y, extend: 3.0 });
        for (slab, text) in [(axis, r#""z""#), (longer, r#"{"axis":"y","extend":3.0}"#)] {
            assert_eq!(serde_json::to_string(&slab).unwrap(), text);
            let config = NonbondedConfig { slab: Some(slab), ..NonbondedConfig::default() };
            let stored = serde_json::to_string(&config).unwrap();
            assert_eq!(serde_json::from_str::<NonbondedConfig>(&stored).unwrap(), config, "{stored}");
        }
    }
}
