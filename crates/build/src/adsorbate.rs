//! What is brought to a surface or into a box of molecules, and where each attempt begins.
//!
//! A start is a conformation (every dihedral that can turn drawn anew), an orientation and a place, all from the seed and
//! the number of the start. Beside a slab the molecule comes down along the surface normal at a random place until it
//! touches; in a box it is put where it fits. The ions of a salt are first put together, in contact and from a random
//! side, and placed as one.

use std::sync::Arc;

use amelo_core::Cell;
use amelo_io::parameters::{ForceFieldData, MoleculeTemplate};
use amelo_math::Vec3;
use amelo_math::philox::PhiloxRng;
use rand::RngExt;
use rand_distr::{Distribution, UnitSphere};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contacts::{Contacts, radius};
use crate::molecules::{guests, resolve_molecules};
use crate::packing::{FIRST_SCALE, Guest};
use crate::turning::Turning;
use crate::{BuildError, MoleculeConfig};

/// Noise of the start with number 0; every start has a stream of its own.
const START_NOISE: u32 = 1 << 20;

/// Deepest place of a molecule's lowest nucleus below the host's highest one, when it comes down (nm): below a layer of
/// oxide it would be inside.
const DEEPEST: f64 = 0.35;

/// Places tried in a box at one contact distance, and how that distance goes down.
const PLACES: usize = 2000;
const SCALE_STEP: f64 = 0.05;
const LAST_SCALE: f64 = 0.20;

/// What is adsorbed: a molecule or ion, a chain, or one formula unit of a salt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdsorbateConfig {
    /// Name of a molecule, ion, polymer or salt in the parameter files, for example "TFSI", "Li", "LiTFSI",
    /// "dimethyl-ether", "PEO". A salt is placed as one ion pair; its ions are then adsorbed one by one too, and its
    /// dissociation energy follows.
    pub name: String,
    /// Repeat units; polymers only.
    pub monomers: Option<usize>,
    /// Ends of the chain, by their name in the parameter file; the polymer's default if left out.
    pub ends: Option<String>,
}

/// Something to adsorb, ready to be placed.
#[derive(Clone, Debug)]
pub struct Adsorbate {
    /// Name, unique in its deck; of a chain with the number of its repeat units.
    pub name: String,
    /// Its molecules, in the order of their atoms; more than one of a salt.
    pub templates: Vec<Arc<MoleculeTemplate>>,
    /// Of a salt: which of the adsorbates each of its molecules is by itself.
    pub ions: Vec<usize>,
    parts: Vec<Guest>,
    /// Of each part: what turns though its template fixes it.
    turning: Vec<Turning>,
    /// \[n_atoms\] van der Waals radii (nm).
    radii: Vec<f64>,
}

/// Looks up what `entries` name; the ions of salts follow where they are not named themselves. `section` is the deck's key
/// of the list.
pub fn adsorbates(
    entries: &[AdsorbateConfig],
    section: &str,
    data: &ForceFieldData,
) -> Result<Vec<Adsorbate>, BuildError> {
    let mut all: Vec<Adsorbate> = Vec::new();
    for (k, entry) in entries.iter().enumerate() {
        let adsorbate = Adsorbate::new(entry, &format!("{section}[{k}]"), section, k, data)?;
        if all.iter().any(|other| other.name == adsorbate.name) {
            return Err(BuildError::config(
                format!("{section}[{k}].name"),
                format!("{} stands here twice; leave one of them out", adsorbate.name),
            ));
        }
        all.push(adsorbate);
    }
    for salt in 0..all.len() {
        let ions = if all[salt].templates.len() > 1 { all[salt].templates.clone() } else { Vec::new() };
        for template in ions {
            let known = all.iter().position(|other| other.templates.len() == 1 && other.name == template.name);
            let index = match known {
                Some(index) => index,
                None => {
                    let entry = AdsorbateConfig { name: template.name.clone(), monomers: None, ends: None };
                    all.push(Adsorbate::new(&entry, &format!("{section}[{salt}]"), section, salt, data)?);
                    all.len() - 1
                }
            };
            all[salt].ions.push(index);
        }
    }
    Ok(all)
}

impl Adsorbate {
    fn new(
        entry: &AdsorbateConfig,
        key: &str,
        section: &str,
        index: usize,
        data: &ForceFieldData,
    ) -> Result<Self, BuildError> {
        let one = MoleculeConfig {
            name: entry.name.clone(),
            monomers: entry.monomers,
            ends: entry.ends.clone(),
            count: Some(1),
            eo_to_li: None,
        };
        // The entry is looked up alone: its errors name entry 0.
        let here = |e: BuildError| e.moved(&format!("{section}[0]"), &format!("{section}[{index}]"));
        let batches = resolve_molecules(&[one], section, data).map_err(here)?;
        let parts = guests(&batches, data).map_err(here)?;
        let name = match entry.monomers {
            Some(n) => format!("{} {n}", entry.name),
            None => entry.name.clone(),
        };
        let radii = parts.iter().flat_map(|part| part.radii().iter().copied()).collect();
        let templates: Vec<_> = parts.iter().map(|part| part.growth.template().clone()).collect();
        if templates.is_empty() {
            return Err(BuildError::config(key, format!("{name} has no atoms; name a molecule")));
        }
        let turning = parts.iter().map(|part| Turning::new(part.growth.template(), part.radii())).collect();
        Ok(Adsorbate { name, templates, ions: Vec::new(), parts, turning, radii })
    }

    /// Number of its atoms.
    pub fn n_atoms(&self) -> usize {
        self.radii.len()
    }

    /// Whether every start of it alone is the same but for a rotation.
    pub fn is_rigid(&self) -> bool {
        self.parts.len() == 1 && self.parts[0].growth.is_rigid() && self.turning[0].is_empty()
    }

    /// Charge before scaling (e).
    pub fn charge(&self) -> f64 {
        self.templates.iter().map(|t| t.charge()).sum()
    }

    /// \[n_atoms\] positions (nm) of start number `start` of `seed`: a conformation in a random orientation around the
    /// origin, the ions of a salt in contact.
    pub fn conformation(&self, seed: u64, start: usize) -> Vec<Vec3> {
        self.shape(&mut PhiloxRng::new(seed, START_NOISE + start as u32))
    }

    fn shape(&self, rng: &mut PhiloxRng) -> Vec<Vec3> {
        let mut all: Vec<Vec3> = Vec::with_capacity(self.n_atoms());
        for (part, turning) in self.parts.iter().zip(&self.turning) {
            let mut grown = part.alone(rng);
            if part.growth.is_rigid() {
                turning.turn(&mut grown, rng);
            }
            centre(&mut grown);
            if !all.is_empty() {
                let side = Vec3::from(UnitSphere.sample(rng) as [f64; 3]);
                let placed = all.iter().copied().zip(self.radii.iter().copied());
                let coming = grown.iter().copied().zip(self.radii[all.len()..].iter().copied());
                let way = touch(placed, coming.collect::<Vec<_>>().as_slice(), side, |d| d).unwrap_or(0.0);
                grown.iter_mut().for_each(|r| *r += side * way);
            }
            all.extend(grown);
        }
        centre(&mut all);
        all
    }

    /// Lets `shape` (nm) come down on a slab until it touches.
    fn land(&self, host: &Host, shape: &mut [Vec3]) {
        let Some(top) = host.top else { return };
        let atoms: Vec<_> = shape.iter().copied().zip(self.radii.iter().copied()).collect();
        let placed = host.positions.iter().copied().zip(host.radii.iter().copied());
        let across = |d: Vec3| {
            let flat = host.cell.minimum_image(Vec3::new(d.x, d.y, 0.0));
            Vec3::new(flat.x, flat.y, d.z)
        };
        let lowest = shape.iter().map(|r| r.z).fold(f64::INFINITY, f64::min);
        let deepest = top - DEEPEST - lowest;
        let down = touch(placed, &atoms, Vec3::unit(2), across).map_or(deepest, |way| way.max(deepest));
        shape.iter_mut().for_each(|r| r.z += down + host.floor);
    }

    /// \[n_atoms\] positions (nm) of start number `start` of `seed` beside `host`, and the share of the van der Waals
    /// distances that its contacts with the host keep.
    ///
    /// # Errors
    /// [`BuildError::Packing`] where a box has no room for it.
    pub fn beside(&self, host: &Host, seed: u64, start: usize, key: &str) -> Result<(Vec<Vec3>, f64), BuildError> {
        let rng = &mut PhiloxRng::new(seed, START_NOISE + start as u32);
        let mut shape = self.shape(rng);
        if host.top.is_some() {
            let fraction = Vec3::new(rng.random(), rng.random(), 0.0);
            let over = host.cell.to_cartesian(fraction);
            shape.iter_mut().for_each(|r| *r += over);
            self.land(host, &mut shape);
            return Ok((shape, FIRST_SCALE));
        }
        let mut contacts = Contacts::new(host.cell, None, FIRST_SCALE);
        host.positions.iter().zip(&host.radii).for_each(|(r, radius)| contacts.push(*r, *radius));
        let mut scale = FIRST_SCALE;
        while scale > LAST_SCALE - 1e-9 {
            contacts.lower_scale(scale);
            for _ in 0..PLACES {
                let at = host.cell.to_cartesian(Vec3::new(rng.random(), rng.random(), rng.random()));
                if shape.iter().zip(&self.radii).all(|(r, radius)| contacts.fits(*r + at, *radius, |_| false)) {
                    return Ok((shape.into_iter().map(|r| r + at).collect(), scale));
                }
            }
            scale -= SCALE_STEP;
        }
        Err(BuildError::Packing {
            key: key.into(),
            message: format!(
                "no room for {} in the box, even with contacts at {LAST_SCALE} of the van der Waals distance; make the box \
                 less dense, or adsorb a smaller molecule",
                self.name
            ),
        })
    }
}

/// What a molecule is brought to.
#[derive(Clone, Debug)]
pub struct Host {
    cell: Cell,
    /// \[n_atoms\] positions (nm); of a slab unwrapped along z, above its floor.
    positions: Vec<Vec3>,
    radii: Vec<f64>,
    /// z (nm) of the lowest nucleus of a slab in the cell; 0 of a box.
    floor: f64,
    /// Height of a slab's highest above its lowest nuclei (nm); none of a box.
    top: Option<f64>,
}

impl Host {
    /// The host at `positions` (nm). With `slab` it lies below the largest gap along z.
    pub fn new<'a>(cell: Cell, positions: &[Vec3], elements: impl Iterator<Item = &'a str>, slab: bool) -> Self {
        let radii = elements.map(radius).collect();
        if !slab {
            return Host { cell, positions: positions.to_vec(), radii, floor: 0.0, top: None };
        }
        let (floor, positions) = above_floor(&cell, positions);
        let top = positions.iter().map(|r| r.z).fold(0.0, f64::max);
        Host { cell, positions, radii, floor, top: Some(top) }
    }

    /// Height of the vacuum above a slab (nm); none of a box.
    pub fn vacuum(&self) -> Option<f64> {
        self.top.map(|top| self.cell.vectors()[(2, 2)] - top)
    }

    /// \[n_atoms\] height of each atom above a slab's lowest nucleus (nm).
    pub fn heights(&self) -> impl Iterator<Item = f64> {
        self.positions.iter().map(|r| r.z)
    }
}

/// Floor (nm) of what lies above the largest gap along z, and the positions above it: no atom is on the gap's other side.
fn above_floor(cell: &Cell, positions: &[Vec3]) -> (f64, Vec<Vec3>) {
    let c = cell.vectors().rows[2];
    let fraction = |r: &Vec3| {
        let s = cell.to_fractional(*r).z;
        s - s.floor()
    };
    let mut sorted: Vec<f64> = positions.iter().map(fraction).collect();
    sorted.sort_by(f64::total_cmp);
    let around = sorted.first().zip(sorted.last()).map_or((1.0, 0.0), |(low, high)| (1.0 + low - high, *low));
    let inner = sorted.windows(2).map(|w| (w[1] - w[0], w[1]));
    let (_, start) = inner.fold(around, |best, here| if here.0 > best.0 { here } else { best });
    let raised = positions.iter().map(|r| {
        let turns = (cell.to_fractional(*r).z - start + 1e-12).floor();
        *r - c * turns - Vec3::new(0.0, 0.0, start * c.z)
    });
    (start * c.z, raised.collect())
}

/// Moves the mean of `positions` (nm) to the origin.
fn centre(positions: &mut [Vec3]) {
    let centre = positions.iter().copied().sum::<Vec3>() / positions.len() as f64;
    positions.iter_mut().for_each(|r| *r -= centre);
}

/// How far `coming` must be moved along the unit vector `side` so that, on its way back, it just touches `placed`; none
/// where it never does. `image` maps a distance to the shortest one across the side.
fn touch(
    placed: impl Iterator<Item = (Vec3, f64)>,
    coming: &[(Vec3, f64)],
    side: Vec3,
    image: impl Fn(Vec3) -> Vec3,
) -> Option<f64> {
    let mut way: Option<f64> = None;
    for (r, first) in placed {
        for (s, second) in coming {
            let d = image(*s - r);
            let along = d.dot(side);
            let contact = FIRST_SCALE * (first + second);
            let rest = contact * contact - (d.norm2() - along * along);
            if rest > 0.0 {
                let here = rest.sqrt() - along;
                way = Some(way.map_or(here, |w| w.max(here)));
            }
        }
    }
    way
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two spheres of radii 0.1 and 0.15 with a lateral offset of 0.12 touch, at the scale of contacts, where the triangle
    /// of 0.2, 0.12 closes: 0.16 apart along the way.
    #[test]
    fn a_sphere_comes_down_until_it_touches() {
        let placed = [(Vec3::ZERO, 0.1)];
        let coming = [(Vec3::new(0.12, 0.0, 5.0), 0.15)];
        let way = touch(placed.into_iter(), &coming, Vec3::unit(2), |d| d).unwrap();
        assert!((5.0 + way - 0.16).abs() < 1e-12);
        let beside = [(Vec3::new(0.21, 0.0, 5.0), 0.15)];
        assert!(touch(placed.into_iter(), &beside, Vec3::unit(2), |d| d).is_none());
    }

    /// A slab that lies across the periodic boundary is one piece above its floor.
    #[test]
    fn a_slab_across_the_boundary_is_put_together() {
        let cell = Cell::orthorhombic(1.0, 1.0, 4.0).unwrap();
        let positions = [Vec3::new(0.0, 0.0, 3.8), Vec3::new(0.0, 0.0, 0.1), Vec3::new(0.0, 0.0, 0.4)];
        let host = Host::new(cell, &positions, ["Ti", "O", "O"].into_iter(), true);
        let heights: Vec<f64> = host.heights().collect();
        for (found, expected) in heights.iter().zip([0.0, 0.3, 0.6]) {
            assert!((found - expected).abs() < 1e-9, "{heights:?}");
        }
        assert!((host.floor - 3.8).abs() < 1e-9 && (host.vacuum().unwrap() - 3.4).abs() < 1e-9);
    }
}
