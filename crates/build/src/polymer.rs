//! Growth of one molecule from internal coordinates: a self-avoiding walk that knows the periodic boundaries and
//! everything placed before, the oxide included.
//!
//! Bond lengths, angles and fixed dihedrals are the template's to the last bit; only the dihedrals with rotamers
//! are chosen. Each such choice opens a segment of atoms that follows rigidly. A segment that fits nowhere sends
//! the walk back, further each time it fails at the same place (M. N. Rosenbluth and A. W. Rosenbluth, J. Chem.
//! Phys. 23, 356 (1955), for the walk; without their weights: what follows is a relaxation, not an average).

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use amelo_core::Cell;
use amelo_io::parameters::{DihedralPlace, MoleculeTemplate, Place};
use amelo_math::philox::PhiloxRng;
use amelo_math::{Vec3, special};
use nalgebra::{Quaternion, UnitQuaternion, Vector3};
use rand::RngExt;
use rand_distr::{Distribution, UnitDisc};

use crate::BuildError;
use crate::contacts::{Contacts, Zone};

/// A chosen dihedral lies this far around its rotamer (rad): 20°, within the wells of the C–C and C–O torsions.
const WOBBLE: f64 = 0.35;

/// Dihedrals tried for a segment before the walk turns back: first [`ROTAMER_TRIALS`] near the rotamers, then any; a
/// strained torsion relaxes in the minimisation, a missing chain does not.
const TRIALS: usize = 24;
const ROTAMER_TRIALS: usize = 16;

/// Places and orientations tried for the first segment.
const STARTS: usize = 100;

/// Dead ends of a walk without getting further than before, after which a new start is cheaper.
const PATIENCE: usize = 200;

/// Atoms up to this many bonds apart do not exclude each other: their distances follow from the geometry.
const BONDS_APART: usize = 3;

/// A molecule prepared for growth.
#[derive(Clone, Debug)]
pub struct Growth {
    template: Arc<MoleculeTemplate>,
    radii: Vec<f64>,
    segments: Vec<Range<usize>>,
    /// \[n_atoms\] earlier atoms that may be close.
    exempt: Vec<Vec<u32>>,
}

impl Growth {
    /// Prepares `template`; `radii` (nm), one per atom.
    pub fn new(template: Arc<MoleculeTemplate>, radii: Vec<f64>) -> Result<Self, BuildError> {
        let n = template.atoms.len();
        let mut starts = vec![0];
        for (k, atom) in template.atoms.iter().enumerate() {
            let fail = |message: &str| {
                Err(BuildError::Template {
                    molecule: template.name.clone(),
                    atom: k,
                    name: atom.name.clone(),
                    message: message.into(),
                })
            };
            match &atom.place {
                Place::Xyz(_) if starts.len() > 1 => {
                    return fail("Cartesian coordinates must come before the first dihedral with rotamers");
                }
                Place::Xyz(_) => {}
                Place::Internal { bond, angle, dihedral, .. } => {
                    let named = [Some(*bond), angle.as_ref().map(|a| a.0), dihedral.as_ref().map(|d| d.0)];
                    if named.iter().flatten().any(|&earlier| earlier >= k) {
                        return fail("internal coordinates refer to earlier atoms of the same molecule");
                    }
                    if named.iter().flatten().count() < k.min(3) {
                        return fail(
                            "needs a bond, an angle and a dihedral (the second atom a bond, the third also an angle)",
                        );
                    }
                    if let Some((_, DihedralPlace::Rotamers(values))) = dihedral {
                        if values.is_empty() {
                            return fail("the list of rotamers is empty");
                        }
                        starts.push(k);
                    }
                }
            }
        }
        starts.dedup();
        let ends = starts.iter().skip(1).copied().chain(std::iter::once(n));
        let segments: Vec<Range<usize>> = starts.iter().copied().zip(ends).map(|(a, b)| a..b).collect();
        let exempt = close_by_bonds(&template, &segments);
        Ok(Growth { template, radii, segments, exempt })
    }

    /// The molecule.
    pub fn template(&self) -> &Arc<MoleculeTemplate> {
        &self.template
    }

    /// \[n_atoms\] van der Waals radii (nm).
    pub fn radii(&self) -> &[f64] {
        &self.radii
    }

    /// Whether no dihedral is left to choose.
    pub fn is_rigid(&self) -> bool {
        self.segments.len() == 1
    }

    /// Grows the molecule where nothing else is: unwrapped positions (nm).
    pub fn alone(&self, rng: &mut PhiloxRng) -> Vec<Vec3> {
        // No molecule is longer than its atoms in a row.
        let edge = 2.0 + 0.2 * self.radii.len() as f64;
        let Ok(cell) = Cell::orthorhombic(edge, edge, edge) else { return Vec::new() };
        let mut contacts = Contacts::new(cell, None, crate::packing::LAST_SCALE);
        loop {
            if let Some(positions) = self.grow(&mut contacts, rng) {
                return positions;
            }
        }
    }

    /// Whether atoms `i` and `j` of the molecule are so close by bonds that their distance says nothing.
    pub fn is_close_by_bonds(&self, i: usize, j: usize) -> bool {
        self.exempt[i.max(j)].binary_search(&(i.min(j) as u32)).is_ok()
    }

    /// Grows the molecule among what is already in `contacts` and adds it there; unwrapped positions (nm), or
    /// nothing where it found no way. Leaves `contacts` as it was in that case.
    pub fn grow(&self, contacts: &mut Contacts, rng: &mut PhiloxRng) -> Option<Vec<Vec3>> {
        let first = contacts.len();
        let (mut k, mut furthest, mut failures) = (0, 0, 0);
        while k < self.segments.len() {
            if self.add_segment(k, first, contacts, rng) {
                k += 1;
                if k > furthest {
                    (furthest, failures) = (k, 0);
                }
                continue;
            }
            failures += 1;
            if k == 0 || failures > PATIENCE {
                contacts.truncate(first);
                return None;
            }
            // Further back the longer nothing new is reached: first around the last atom, then out of the pocket.
            k = k.saturating_sub(1 + failures / 4);
            contacts.truncate(first + self.segments[k].start);
        }
        Some((first..contacts.len()).map(|atom| contacts.position(atom)).collect())
    }

    fn add_segment(&self, k: usize, first: usize, contacts: &mut Contacts, rng: &mut PhiloxRng) -> bool {
        let segment = self.segments[k].clone();
        let trials = if k == 0 { STARTS } else { TRIALS };
        'trial: for trial in 0..trials {
            let wobble = if trial < ROTAMER_TRIALS { WOBBLE } else { std::f64::consts::PI };
            contacts.truncate(first + segment.start);
            let positions = if k == 0 { self.start(segment.clone(), contacts, rng) } else { Vec::new() };
            for atom in segment.clone() {
                let r = if k == 0 {
                    positions[atom]
                } else {
                    self.place(atom, |earlier| contacts.position(first + earlier), wobble, rng)
                };
                let exempt =
                    |other: usize| other >= first && self.exempt[atom].binary_search(&((other - first) as u32)).is_ok();
                if !contacts.fits(r, self.radii[atom], exempt) {
                    continue 'trial;
                }
                contacts.push(r, self.radii[atom]);
            }
            return true;
        }
        contacts.truncate(first + segment.start);
        false
    }

    /// The first segment at a random place in the open zone and in a random orientation.
    fn start(&self, segment: Range<usize>, contacts: &Contacts, rng: &mut PhiloxRng) -> Vec<Vec3> {
        let mut local: Vec<Vec3> = Vec::with_capacity(segment.len());
        for atom in segment {
            let r = self.place(atom, |earlier| local[earlier], WOBBLE, rng);
            local.push(r);
        }
        let centre: Vec3 = local.iter().copied().sum::<Vec3>() / local.len() as f64;
        let fraction = Vec3::new(rng.random(), rng.random(), rng.random());
        let mut origin = contacts.cell().to_cartesian(fraction);
        match contacts.zone() {
            None => {}
            Some(Zone::Slit([low, high])) => {
                // Sheared back along c, so that x and y stay uniform.
                let c = contacts.cell().vectors().rows[2];
                let z = low + (high - low) * fraction.z;
                origin += c * ((z - origin.z) / c.z);
            }
            Some(Zone::Cylinder { axis, radius }) => {
                let (away, angle) = (radius * fraction.x.sqrt(), std::f64::consts::TAU * fraction.y);
                origin.x = axis[0] + away * special::cos(angle);
                origin.y = axis[1] + away * special::sin(angle);
            }
        }
        let rotation = random_rotation(rng);
        let turned = |r: Vec3| <[f64; 3]>::from(rotation * Vector3::new(r.x, r.y, r.z));
        local.into_iter().map(|r| origin + Vec3::from(turned(r - centre))).collect()
    }

    /// Position of `atom` from earlier ones (nm); rotamers are met within `wobble` (rad).
    fn place(&self, atom: usize, at: impl Fn(usize) -> Vec3, wobble: f64, rng: &mut PhiloxRng) -> Vec3 {
        match &self.template.atoms[atom].place {
            Place::Xyz(r) => *r,
            Place::Internal { bond, length, angle, dihedral } => {
                let c = at(*bond);
                let Some((b, theta)) = angle else { return c + Vec3::unit(2) * *length };
                let b = at(*b);
                let (a, phi) = match dihedral {
                    Some((a, DihedralPlace::Fixed(phi))) => (at(*a), *phi),
                    Some((a, DihedralPlace::Rotamers(values))) => {
                        let phi = values[rng.random_range(0..values.len())];
                        (at(*a), phi + wobble * (2.0 * rng.random::<f64>() - 1.0))
                    }
                    // The third atom: any plane through the first bond.
                    None => (b + perpendicular(c - b), 0.0),
                };
                from_internal(a, b, c, *length, *theta, phi)
            }
        }
    }
}

/// The point D at distance `length` from C, angle `theta` D–C–B and dihedral `phi` D–C–B–A (IUPAC sign).
/// J. Parsons et al., J. Comput. Chem. 26, 1063 (2005), doi:10.1002/jcc.20237.
pub fn from_internal(a: Vec3, b: Vec3, c: Vec3, length: f64, theta: f64, phi: f64) -> Vec3 {
    let bc = (c - b).normalized();
    let mut n = (b - a).cross(bc);
    if n.norm2() < 1e-12 * (b - a).norm2() {
        // A, B and C on one line leave the dihedral open.
        n = perpendicular(bc);
    }
    let n = n.normalized();
    let m = n.cross(bc);
    let (sin, cos) = (special::sin(theta), special::cos(theta));
    c + (bc * -cos + m * (sin * special::cos(phi)) + n * (sin * special::sin(phi))) * length
}

/// Some unit vector perpendicular to `v`.
fn perpendicular(v: Vec3) -> Vec3 {
    let axis = if v.x.abs() < 0.6 * v.norm() { Vec3::unit(0) } else { Vec3::unit(1) };
    v.cross(axis).normalized()
}

/// A rotation, uniform over all of them: a unit quaternion from two points in the unit disc.
/// G. Marsaglia, Ann. Math. Stat. 43, 645 (1972), doi:10.1214/aoms/1177692644.
fn random_rotation(rng: &mut PhiloxRng) -> UnitQuaternion<f64> {
    let [a, b]: [f64; 2] = UnitDisc.sample(rng);
    let [c, d]: [f64; 2] = UnitDisc.sample(rng);
    let stretch = ((1.0 - a * a - b * b) / (c * c + d * d)).sqrt();
    UnitQuaternion::new_normalize(Quaternion::new(a, b, c * stretch, d * stretch))
}

/// For every atom the earlier ones within [`BONDS_APART`] bonds or in the same rigid segment, ascending.
fn close_by_bonds(template: &MoleculeTemplate, segments: &[Range<usize>]) -> Vec<Vec<u32>> {
    let n = template.atoms.len();
    let mut bonded = vec![Vec::new(); n];
    for &[i, j] in &template.bonds {
        bonded[i].push(j);
        bonded[j].push(i);
    }
    let mut close = vec![Vec::new(); n];
    for segment in segments {
        for atom in segment.clone() {
            let mut reached: BTreeSet<usize> = [atom].into();
            let mut front = vec![atom];
            for _ in 0..BONDS_APART {
                front = front.iter().flat_map(|&k| bonded[k].iter().copied()).filter(|&k| reached.insert(k)).collect();
            }
            reached.extend(segment.start..atom);
            close[atom] = reached.into_iter().filter(|&k| k < atom).map(|k| k as u32).collect();
        }
    }
    close
}
