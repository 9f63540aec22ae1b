//! The faces of a slab as a probe sees them that comes down along the normal.
//!
//! Where a sphere of radius r_p first touches an atom (radius R_i, at lateral distance d), its centre stands
//! √((R_i + r_p)² − d²) above the nucleus. Over a grid of lateral points these heights give the roughness, and the atoms
//! that are touched somewhere are the exposed ones.
//! B. Lee, F. M. Richards, J. Mol. Biol. 55, 379 (1971), doi:10.1016/0022-2836(71)90324-X, for the probe.

use std::collections::BTreeMap;

use amelo_math::Vec3;
use serde::{Deserialize, Serialize};

use crate::contacts::radius;

/// One face of a slab.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Face {
    /// Root mean square R_q of the probe's height about its mean (nm).
    pub roughness: f64,
    /// Highest less lowest probe height (nm).
    pub range: f64,
    /// Exposed Ti atoms by number of O around them.
    pub titanium_by_coordination: BTreeMap<usize, usize>,
    /// Exposed Ti with fewer than six O, per area (nm⁻²).
    pub undercoordinated: f64,
}

/// Radius of the probe (nm): the van der Waals radius of O, A. Bondi, J. Phys. Chem. 68, 441 (1964).
pub(crate) const PROBE: f64 = 0.152;
/// Distance of the grid's points (nm), at most.
pub(crate) const SPACING: f64 = 0.025;

/// The face of a slab towards +z (`up`) or −z. Edges of the right-angled lateral cell (nm), positions (nm), and of each Ti
/// the number of O around it, in the order of the atoms (`None` for O).
pub fn face(edges: [f64; 2], positions: &[Vec3], elements: &[&str], coordination: &[Option<usize>], up: bool) -> Face {
    let n = edges.map(|e| ((e / SPACING).ceil() as usize).max(1));
    let step = [edges[0] / n[0] as f64, edges[1] / n[1] as f64];
    // Height and atom of the first touch.
    let mut touch = vec![(f64::NEG_INFINITY, usize::MAX); n[0] * n[1]];
    for (atom, (r, element)) in positions.iter().zip(elements).enumerate() {
        let z = if up { r.z } else { -r.z };
        let contact = radius(element) + PROBE;
        let first = |x: f64, k: usize| ((x - contact) / step[k]).ceil() as i64;
        let last = |x: f64, k: usize| ((x + contact) / step[k]).floor() as i64;
        for i in first(r.x, 0)..=last(r.x, 0) {
            for j in first(r.y, 1)..=last(r.y, 1) {
                let (dx, dy) = (i as f64 * step[0] - r.x, j as f64 * step[1] - r.y);
                let rest = contact * contact - dx * dx - dy * dy;
                if rest >= 0.0 {
                    let point = i.rem_euclid(n[0] as i64) as usize * n[1] + j.rem_euclid(n[1] as i64) as usize;
                    let height = z + rest.sqrt();
                    if height > touch[point].0 {
                        touch[point] = (height, atom);
                    }
                }
            }
        }
    }
    // A hole through the slab has no height.
    touch.retain(|(height, _)| height.is_finite());
    let count = touch.len() as f64;
    let mean = touch.iter().map(|t| t.0).sum::<f64>() / count;
    let square = touch.iter().map(|t| (t.0 - mean) * (t.0 - mean)).sum::<f64>() / count;
    let low = touch.iter().map(|t| t.0).fold(f64::INFINITY, f64::min);
    let high = touch.iter().map(|t| t.0).fold(f64::NEG_INFINITY, f64::max);
    let mut exposed: Vec<usize> = touch.into_iter().map(|t| t.1).collect();
    exposed.sort_unstable();
    exposed.dedup();
    let mut titanium_by_coordination = BTreeMap::new();
    for partners in exposed.iter().filter_map(|&atom| coordination[atom]) {
        *titanium_by_coordination.entry(partners).or_default() += 1;
    }
    let few: usize = titanium_by_coordination.range(..6).map(|(_, n)| *n).sum();
    Face {
        roughness: square.sqrt(),
        range: high - low,
        titanium_by_coordination,
        undercoordinated: few as f64 / (edges[0] * edges[1]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of O along x, 0.1 nm apart, each row at its height.
    fn rows(heights: &[f64]) -> ([f64; 2], Vec<Vec3>) {
        let positions = heights
            .iter()
            .enumerate()
            .flat_map(|(j, z)| (0..20).map(move |i| Vec3::new(0.1 * i as f64, 0.1 * j as f64, *z)))
            .collect();
        ([2.0, 0.1 * heights.len() as f64], positions)
    }

    fn look(heights: &[f64], up: bool) -> Face {
        let (edges, positions) = rows(heights);
        let n = positions.len();
        face(edges, &positions, &vec!["O"; n], &vec![None; n], up)
    }

    /// A plane of atoms: heights √(c² − d²) above the nearest one.
    #[test]
    fn heights_are_those_of_spheres() {
        let flat = look(&[0.3; 20], true);
        // Between touching spheres the probe sinks by at most c − √(c² − d²) with d² = 2 (0.05 nm)².
        let contact: f64 = 0.152 + PROBE;
        assert!((flat.range - (contact - (contact * contact - 0.005).sqrt())).abs() < 1e-12, "{}", flat.range);
        assert!(flat.roughness > 0.0 && flat.roughness < 0.5 * flat.range);
        let below = look(&[0.3; 20], false);
        assert!((flat.roughness - below.roughness).abs() < 1e-12 && (flat.range - below.range).abs() < 1e-12);
    }

    /// Two terraces of equal width: R_q tends to half the step, with less where the probe rides over the edge.
    #[test]
    fn a_step_has_half_its_height_as_roughness() {
        let heights: Vec<f64> = (0..200).map(|k| if k < 100 { 0.0 } else { 1.0 }).collect();
        let stepped = look(&heights, true);
        assert!((stepped.roughness - 0.5).abs() < 0.01, "{}", stepped.roughness);
        assert!((stepped.range - 1.0).abs() < 0.01, "{}", stepped.range);
    }

    /// Of two Ti one above the other, only the upper is seen from above and the lower from below.
    #[test]
    fn only_what_the_probe_touches_is_exposed() {
        let positions = [Vec3::new(0.2, 0.2, 0.0), Vec3::new(0.2, 0.2, 1.0)];
        let see = |up| face([0.4, 0.4], &positions, &["Ti", "Ti"], &[Some(5), Some(4)], up);
        assert_eq!(see(true).titanium_by_coordination, [(4, 1)].into());
        assert_eq!(see(false).titanium_by_coordination, [(5, 1)].into());
        assert!((see(true).undercoordinated - 1.0 / 0.16).abs() < 1e-9);
    }
}
