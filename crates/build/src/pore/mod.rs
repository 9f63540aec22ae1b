//! Pores: a cylinder along z through a periodic block of oxide, crystal or glass.
//!
//! ```text
//! crystal.rs  the block of a crystal that a deck asks for, carved
//! carve.rs    which atoms go
//! wall.rs     what a probe sees of the wall: radius, roughness, exposed Ti, open volume
//! filling.rs  molecules into the pore: how many, and where
//! ```
//!
//! Geometry only: whoever has dynamics relaxes the wall and hands the positions to [`Oxide::relax_pore`].

pub mod carve;
pub(crate) mod crystal;
pub(crate) mod filling;
pub mod wall;

use amelo_core::Cell;
use amelo_core::quantity::Length;
use amelo_core::units::GRAM_PER_CM3;
use amelo_io::parameters::ForceFieldData;
use amelo_math::Vec3;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::BuildError;
use crate::amorphous::Hold;
use crate::contacts::{Contacts, radius};
use crate::oxide::{LARGEST_DIPOLE, Oxide, OxideConfig, template};
use crate::pieces::pieces;
use crate::surface::BOND_LENGTH;
use crate::system::{Space, SystemConfig, check_density};
use carve::{Block, Carved, Trimmed, carve};
use wall::{Wall, look};

/// Narrowest pore (nm): between the walls there must be room for a molecule.
const NARROWEST: f64 = 1.0;
/// Least oxide between a pore and its image (nm): about one layer of TiO₆.
const THINNEST_WALL: f64 = 0.5;
/// Axes that are tried along each lateral edge of the crystal's cell, or of a glass.
const AXES: usize = 4;

/// Where `r` stands from the nearest axis through `axis` (x and y, nm), across it, in a right-angled block with `edges` (nm).
pub(crate) fn from_axis(r: Vec3, axis: [f64; 2], edges: Vec3) -> Vec3 {
    let fold = |d: f64, edge: f64| d - edge * (d / edge).round();
    Vec3::new(fold(r.x - axis[0], edges.x), fold(r.y - axis[1], edges.y), 0.0)
}

/// A cylindrical pore along z through the middle of the oxide. The block has the edges `lateral`, and `thickness` as the
/// length of the pore, which is periodic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PoreConfig {
    /// Diameter of the cylinder in which no Ti nucleus stays.
    pub diameter: Length,
    /// Least number of O that the wall leaves around a Ti, 3 to 5; a Ti with fewer is taken out with its cylinder.
    #[serde(default = "default_least")]
    pub least_coordination: usize,
    /// Of a crystal: how its wall is annealed, between two minimisations; cooled to 300 K at 100 K/ps behind it. Default
    /// 700 K for 2 ps. A glass has `surface_anneal` for this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anneal: Option<Hold>,
}

fn default_least() -> usize {
    4
}

/// A pore, as carved and as relaxed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoreReport {
    /// SHA-256 of everything that the relaxed wall depends on; absent where it has not been relaxed.
    pub recipe: Option<String>,
    /// Diameter asked for (nm).
    pub diameter: f64,
    /// x and y of the axis (nm).
    pub axis: [f64; 2],
    /// Length along z (nm).
    pub length: f64,
    /// Least thickness of the oxide between the exposed nuclei of the pore and of its image (nm).
    pub wall_thickness: f64,
    /// TiO₂ units that were taken out.
    pub removed_units: usize,
    /// Least number of O around a Ti that was asked for.
    pub least_coordination: usize,
    /// Least number of O around a Ti, as carved, as relaxed and, where there are any, with vacancies. The other lists too.
    pub lowest_coordination: Vec<usize>,
    /// Pieces that Ti–O bonds hold together; one, if nothing has come off.
    pub pieces: Vec<usize>,
    /// Dipole across the axis, x and y, that the pore adds to the periodic oxide, over its length (e).
    pub dipole_per_length: Vec<[f64; 2]>,
    /// Energy per TiO₂ unit (kJ/mol) as carved, minimised, and at the end; empty where it has not been measured.
    pub energy_per_unit: Vec<f64>,
    /// The wall.
    pub walls: Vec<Wall>,
    /// What was taken out beyond the Ti inside the cylinder and the O that lost all of theirs.
    pub trimmed: Vec<Trimmed>,
}

impl PoreReport {
    /// The wall as it is.
    pub fn wall(&self) -> Option<&Wall> {
        self.walls.last()
    }

    /// Volume that is open to molecules (nm³).
    pub fn open_volume(&self) -> f64 {
        self.wall().map_or(0.0, |w| w.open_volume)
    }

    /// One line for people.
    pub fn summary(&self) -> String {
        let wall = self.wall().cloned().unwrap_or_default();
        format!(
            "pore: {:.3} nm to the nuclei, {:.3} nm open, {:.2} nm^3, R_q {:.3} nm, wall {:.2} nm; least O around Ti {}; {} piece(s)",
            wall.surface_radius,
            wall.accessible_radius,
            wall.open_volume,
            wall.roughness,
            self.wall_thickness,
            self.lowest_coordination.last().copied().unwrap_or_default(),
            self.pieces.last().copied().unwrap_or_default(),
        )
    }
}

impl PoreConfig {
    /// What is wrong with the pore in a block with `lateral` edges (nm), as asked for under `key`.
    pub fn check(&self, lateral: [f64; 2], key: &str) -> Result<(), BuildError> {
        let wrong = |name: &str, message: String| Err(BuildError::config(format!("{key}.{name}"), message));
        let (diameter, edge) = (self.diameter.0, lateral[0].min(lateral[1]));
        if diameter.is_nan() || diameter < NARROWEST {
            let message = format!(
                "a pore of {diameter} nm leaves no room for a molecule between its walls; write at least {NARROWEST} nm"
            );
            return wrong("diameter", message);
        }
        if edge - diameter < THINNEST_WALL {
            let message = format!(
                "a pore of {diameter} nm is wider than its block allows: the block is {edge:.3} nm across and {THINNEST_WALL} \
                 nm of oxide must stay between a pore and its image; make `lateral` at least {:.2} nm or the pore at most \
                 {:.2} nm",
                diameter + THINNEST_WALL,
                edge - THINNEST_WALL
            );
            return wrong("diameter", message);
        }
        if !(3..=5).contains(&self.least_coordination) {
            let message = format!(
                "{} O around a Ti of the wall is no bound that a surface can keep; write 3, 4 or 5",
                self.least_coordination
            );
            return wrong("least_coordination", message);
        }
        if let Some(anneal) = self.anneal {
            anneal.check(0.001, &format!("{key}.anneal"))?;
        }
        Ok(())
    }

    /// Carves the pore into a periodic, right-angled block of `elements`; `period`: lateral edges (nm) after which the oxide
    /// repeats. The atoms that stay keep their order.
    pub fn carve(&self, block: Block, period: [f64; 2]) -> Option<Carved> {
        let step = period.map(|e| e / AXES as f64);
        let axes: Vec<[f64; 2]> =
            (0..AXES * AXES).map(|k| [step[0] * (k / AXES) as f64, step[1] * (k % AXES) as f64]).collect();
        carve(block, &axes, 0.5 * self.diameter.0, self.least_coordination)
    }

    /// The report on what was carved out of `cell`.
    pub fn report(&self, cell: &Cell, carved: &Carved, elements: &[&'static str]) -> PoreReport {
        let edges = cell.diagonal();
        let axis = [0.5 * edges.x, 0.5 * edges.y];
        let mut report = PoreReport {
            recipe: None,
            diameter: self.diameter.0,
            axis,
            length: edges.z,
            wall_thickness: 0.0,
            removed_units: carved.removed_units,
            least_coordination: self.least_coordination,
            lowest_coordination: Vec::new(),
            pieces: Vec::new(),
            dipole_per_length: vec![carved.dipole_per_length],
            energy_per_unit: Vec::new(),
            walls: Vec::new(),
            trimmed: carved.trimmed.clone(),
        };
        report.look(cell, &carved.positions, elements);
        report
    }
}

impl PoreReport {
    /// Takes in how the wall looks at `positions` (nm).
    fn look(&mut self, cell: &Cell, positions: &[Vec3], elements: &[&'static str]) {
        let mut contacts = Contacts::new(*cell, None, 1.0);
        positions.iter().zip(elements).for_each(|(r, e)| contacts.push(*r, radius(e)));
        let mut bonds = Vec::new();
        let mut coordination = vec![None; positions.len()];
        for k in (0..positions.len()).filter(|&k| elements[k] == "Ti") {
            let mut partners = 0;
            contacts.each_within(positions[k], BOND_LENGTH, |j, _| {
                if elements[j] == "O" {
                    partners += 1;
                    bonds.push([k, j]);
                }
            });
            coordination[k] = Some(partners);
        }
        let wall = look(cell.diagonal(), self.axis, positions, elements, &coordination);
        let edges = cell.diagonal();
        self.wall_thickness = edges.x.min(edges.y) - 2.0 * wall.surface_radius;
        self.lowest_coordination.push(coordination.iter().flatten().copied().min().unwrap_or_default());
        self.pieces.push(pieces(positions.len(), bonds));
        self.walls.push(wall);
    }

    /// Enters the wall as relaxed: `from` and `to` are the atoms as carved and as relaxed (nm), with `charges` (e).
    pub fn relaxed(
        &mut self,
        recipe: &str,
        cell: &Cell,
        elements: &[&'static str],
        charges: &[f64],
        [from, to]: [&[Vec3]; 2],
    ) {
        let moved: Vec3 =
            from.iter().zip(to).zip(charges).map(|((a, b), q)| cell.minimum_image(*b - *a) * (*q / self.length)).sum();
        self.recipe = Some(recipe.into());
        let carved = self.dipole_per_length.first().copied().unwrap_or_default();
        self.dipole_per_length.push([carved[0] + moved.x, carved[1] + moved.y]);
        self.look(cell, to, elements);
    }
}

impl Oxide {
    /// A periodic block with a pore: `cell`, the atoms that stay, and the report on it.
    pub fn of_pore(
        cell: &Cell,
        elements: Vec<&'static str>,
        positions: Vec<Vec3>,
        pore: PoreReport,
        data: &ForceFieldData,
    ) -> Result<Oxide, BuildError> {
        let atoms: Vec<_> = elements.iter().copied().zip(positions.iter().copied()).collect();
        let edges = cell.diagonal();
        let mut oxide = Oxide {
            lateral: [Vec3::new(edges.x, 0.0, 0.0), Vec3::new(0.0, edges.y, 0.0)],
            periodic: Some(Vec3::new(0.0, 0.0, edges.z)),
            template: template(&atoms, data)?,
            elements,
            positions,
            extent: edges.z,
            report: crate::OxideReport {
                lateral: [edges.x, edges.y],
                thickness: edges.z,
                extent: edges.z,
                pore: Some(pore),
                ..crate::OxideReport::empty("pore")
            },
        };
        oxide.count();
        oxide.warn_of_pore();
        Ok(oxide)
    }

    /// Puts the relaxed wall in, whole: `positions` (nm) in the same order, and the completed report.
    pub fn relax_pore(&mut self, positions: Vec<Vec3>, pore: PoreReport) {
        self.positions = positions;
        self.report.pore = Some(pore);
        self.report.warnings.clear();
        self.warn_of_pore();
    }

    /// Enters the wall as its vacancies leave it; `moment`: what they add to the dipole (e nm). Nothing to do in a slab.
    pub(crate) fn look_at_reduced_wall(&mut self, moment: Vec3) -> Result<(), BuildError> {
        let Some(mut pore) = self.report.pore.take() else { return Ok(()) };
        let was_whole = pore.pieces.last() == Some(&1);
        let [x, y] = pore.dipole_per_length.last().copied().unwrap_or_default();
        let added = [moment.x / pore.length, moment.y / pore.length];
        pore.dipole_per_length.push([x + added[0], y + added[1]]);
        pore.look(&self.cell(0.0)?, &self.positions, &self.elements);
        if added[0].hypot(added[1]) > LARGEST_DIPOLE * pore.diameter {
            self.report.warnings.push(format!(
                "the vacancies add a dipole of ({:+.4}, {:+.4}) e across the axis of the pore per length: an even number of \
                 them, at opposite places, would balance where the wall has such",
                added[0], added[1]
            ));
        }
        self.report.pore = Some(pore);
        if was_whole {
            self.warn_of_pieces();
        }
        Ok(())
    }

    /// What a reader must know of the pore.
    fn warn_of_pore(&mut self) {
        let Some(pore) = &self.report.pore else { return };
        let lowest = pore.lowest_coordination.last().copied().unwrap_or_default();
        if lowest < pore.least_coordination {
            self.report.warnings.push(format!(
                "the wall of the pore has Ti with {lowest} O, below the {} asked for",
                pore.least_coordination
            ));
        }
        self.warn_of_pieces();
    }

    /// Says so where the oxide does not hold together.
    fn warn_of_pieces(&mut self) {
        let Some(pore) = &self.report.pore else { return };
        if pore.pieces.last().is_some_and(|&pieces| pieces != 1) {
            self.report.warnings.push(format!(
                "the oxide around the pore is in {} pieces; a wider `lateral` gives it a thicker wall",
                pore.pieces.last().copied().unwrap_or_default()
            ));
        }
    }
}

/// What is wrong with the filling that `config` asks for in the pore of `oxide`, as far as it shows before anything is placed.
pub fn check_filling(config: &SystemConfig, oxide: &Oxide, data: &ForceFieldData) -> Result<(), BuildError> {
    let Some(pore) = &oxide.report.pore else { return Ok(()) };
    let mass = filling::total_mass(&filling::molecules(config, pore.open_volume(), data)?, data)?;
    Space::pore(config, oxide, pore, mass).map(|_| ())
}

/// What is wrong with the filling of a pore in a glass that is still to be made: the whole cylinder is more than will be open.
pub fn check_filling_of_glass(config: &SystemConfig, data: &ForceFieldData) -> Result<(), BuildError> {
    let Some(OxideConfig::Amorphous(glass)) = &config.oxide else { return Ok(()) };
    let Some(pore) = &glass.pore else { return Ok(()) };
    let volume = 0.25 * std::f64::consts::PI * pore.diameter.0 * pore.diameter.0 * glass.thickness.0;
    let mass = filling::total_mass(&filling::molecules(config, volume, data)?, data)?;
    if mass > 0.0 { check_density(mass / volume / GRAM_PER_CM3, "system.molecule") } else { Ok(()) }
}
