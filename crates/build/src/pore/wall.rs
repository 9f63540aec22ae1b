//! The wall of a pore as a probe sees it that moves outwards from the axis.
//!
//! Where a sphere of radius r_p first touches an atom (radius R_i) on its way along a direction perpendicular to the axis,
//! its centre stands at a radius s. Over a grid of directions and heights these radii give the roughness, the outer edge of
//! the probe, s + r_p, bounds the open volume ½ ∫∫ (s + r_p)² dφ dz, and the atoms that are touched somewhere are the
//! exposed ones. It is the probe of [`crate::roughness`] in cylindrical coordinates; what lies behind an overhang is not
//! seen.

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use amelo_math::Vec3;
use amelo_math::special::{atan2, cos, sin};
use serde::{Deserialize, Serialize};

use super::from_axis;
use crate::contacts::radius;
use crate::roughness::{PROBE, SPACING};

/// The wall of a pore.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Wall {
    /// Mean distance of the exposed atoms' nuclei from the axis (nm).
    pub surface_radius: f64,
    /// Radius of the smooth cylinder with the same open volume (nm).
    pub accessible_radius: f64,
    /// Volume that the probe reaches on its way outwards (nm³).
    pub open_volume: f64,
    /// Root mean square R_q of the probe's radius about its mean (nm).
    pub roughness: f64,
    /// Largest less smallest radius of the probe (nm).
    pub range: f64,
    /// Exposed Ti atoms by number of O around them.
    pub titanium_by_coordination: BTreeMap<usize, usize>,
    /// Exposed Ti with fewer than six O, per area of the cylinder through the exposed nuclei (nm⁻²).
    pub undercoordinated: f64,
}

/// The wall around the axis through `axis` (x and y, nm) of a right-angled cell with `edges` (nm). `coordination`: of each
/// Ti the number of O around it, in the order of the atoms (`None` for O).
pub fn look(
    edges: Vec3,
    axis: [f64; 2],
    positions: &[Vec3],
    elements: &[&str],
    coordination: &[Option<usize>],
) -> Wall {
    let widest = 0.5 * edges.x.min(edges.y);
    let n = [((TAU * widest / SPACING).ceil() as usize).max(8), ((edges.z / SPACING).ceil() as usize).max(1)];
    let step = [TAU / n[0] as f64, edges.z / n[1] as f64];
    let directions: Vec<[f64; 2]> =
        (0..n[0]).map(|i| step[0] * i as f64).map(|angle| [cos(angle), sin(angle)]).collect();
    // Radius and atom of the first touch.
    let mut touch = vec![(f64::INFINITY, usize::MAX); n[0] * n[1]];
    for (atom, (r, element)) in positions.iter().zip(elements).enumerate() {
        let place = from_axis(*r, axis, edges);
        let ([x, y], contact, away) = ([place.x, place.y], radius(element) + PROBE, place.norm());
        let angle = atan2(y, x);
        // Half the angle under which the contact sphere is seen from the axis; all round where the axis lies inside.
        let half = if away > contact { atan2(contact, (away * away - contact * contact).sqrt()) } else { 0.5 * TAU };
        let span = |middle: f64, half: f64, k: usize| {
            ((middle - half) / step[k]).ceil() as i64..=((middle + half) / step[k]).floor() as i64
        };
        for i in span(angle, half, 0) {
            let i = i.rem_euclid(n[0] as i64) as usize;
            let [ux, uy] = directions[i];
            let (along, across) = (x * ux + y * uy, x * uy - y * ux);
            for j in span(r.z, contact, 1) {
                let dz = j as f64 * step[1] - r.z;
                let rest = contact * contact - across * across - dz * dz;
                if rest >= 0.0 && along + rest.sqrt() >= 0.0 {
                    let first = (along - rest.sqrt()).max(0.0);
                    let point = i * n[1] + j.rem_euclid(n[1] as i64) as usize;
                    if first < touch[point].0 {
                        touch[point] = (first, atom);
                    }
                }
            }
        }
    }
    // Through a hole in the wall the probe would go on into the next pore.
    touch.iter_mut().for_each(|t| t.0 = t.0.min(widest));
    let count = touch.len() as f64;
    let mean = touch.iter().map(|t| t.0).sum::<f64>() / count;
    let square = touch.iter().map(|t| (t.0 - mean) * (t.0 - mean)).sum::<f64>() / count;
    let outer = touch.iter().map(|t| (t.0 + PROBE) * (t.0 + PROBE)).sum::<f64>() / count;
    let low = touch.iter().map(|t| t.0).fold(f64::INFINITY, f64::min);
    let high = touch.iter().map(|t| t.0).fold(f64::NEG_INFINITY, f64::max);
    let mut exposed: Vec<usize> = touch.into_iter().map(|t| t.1).filter(|&atom| atom != usize::MAX).collect();
    exposed.sort_unstable();
    exposed.dedup();
    let distance = |&atom: &usize| from_axis(positions[atom], axis, edges).norm();
    let surface_radius = exposed.iter().map(distance).sum::<f64>() / exposed.len() as f64;
    let mut titanium_by_coordination = BTreeMap::new();
    for partners in exposed.iter().filter_map(|&atom| coordination[atom]) {
        *titanium_by_coordination.entry(partners).or_default() += 1;
    }
    let few: usize = titanium_by_coordination.range(..6).map(|(_, n)| *n).sum();
    Wall {
        surface_radius,
        accessible_radius: outer.sqrt(),
        open_volume: 0.5 * TAU * outer * edges.z,
        roughness: square.sqrt(),
        range: high - low,
        titanium_by_coordination,
        undercoordinated: few as f64 / (TAU * surface_radius * edges.z),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tube of O, 0.05 nm apart, whose radius is a function of the direction.
    fn tube(radius_at: impl Fn(f64) -> f64) -> Wall {
        let edges = Vec3::new(8.0, 8.0, 1.0);
        let n = 400;
        let positions: Vec<Vec3> = (0..20)
            .flat_map(|k| (0..n).map(move |i| (k, TAU * f64::from(i) / f64::from(n))))
            .map(|(k, angle)| {
                let radius = radius_at(angle);
                Vec3::new(3.0 + radius * cos(angle), 5.0 + radius * sin(angle), 0.05 * f64::from(k))
            })
            .collect();
        let n = positions.len();
        look(edges, [3.0, 5.0], &positions, &vec!["O"; n], &vec![None; n])
    }

    /// A smooth tube: the probe's outer edge is the nuclei's radius less O's own. Between the nuclei it sinks by at most
    /// c − √(c² − d²) with d² = (0.025 nm)² + (0.016 nm)², 1.5e-3 nm.
    #[test]
    fn a_smooth_tube_has_the_radius_of_its_nuclei_less_that_of_an_oxygen() {
        let wall = tube(|_| 2.0);
        assert!((wall.surface_radius - 2.0).abs() < 1e-12);
        let accessible = 2.0 - radius("O");
        assert!(wall.accessible_radius > accessible - 1e-12 && wall.accessible_radius < accessible + 1.5e-3);
        assert!((wall.open_volume - 0.5 * TAU * wall.accessible_radius * wall.accessible_radius).abs() < 1e-9);
        assert!(wall.range < 1.5e-3 && wall.roughness < wall.range, "{wall:?}");
    }

    /// Two half tubes: R_q is half the step, the open volume the mean of two half discs less what the edges hide.
    #[test]
    fn a_stepped_tube_has_half_its_step_as_roughness() {
        let wall = tube(|angle| if angle < 0.5 * TAU { 2.0 } else { 2.6 });
        assert!((wall.roughness - 0.3).abs() < 0.02, "{wall:?}");
        // The narrower half hides the wider one within the angle of a contact at each of its two edges, and no further.
        let (inner, outer) = (1.848_f64.powi(2), 2.448_f64.powi(2));
        let discs = 0.5 * TAU * 0.5 * (inner + outer);
        let hidden = 2.0 * (0.304 / 2.0) * 0.5 * (outer - inner);
        assert!(wall.open_volume > discs - hidden && wall.open_volume < 1.002 * discs, "{wall:?}");
    }

    /// Behind an O that stands nearer to the axis a Ti is not seen.
    #[test]
    fn only_what_the_probe_touches_is_exposed() {
        let edges = Vec3::new(4.0, 4.0, 0.3);
        let at = |x: f64| Vec3::new(2.0 + x, 2.0, 0.0);
        let see = |positions: &[Vec3], elements: &[&str], coordination: &[Option<usize>]| {
            look(edges, [2.0, 2.0], positions, elements, coordination).titanium_by_coordination
        };
        assert_eq!(see(&[at(1.0)], &["Ti"], &[Some(5)]), [(5, 1)].into());
        let hidden = [at(0.4), at(0.6)];
        assert_eq!(see(&hidden, &["O", "Ti"], &[None, Some(5)]), [].into());
    }
}
