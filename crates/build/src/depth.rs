//! How deep in an oxide a place lies: below the faces of a slab, or below the wall of a pore.

use amelo_math::Vec3;

use crate::oxide::Oxide;
use crate::pore::from_axis;

/// What an oxide ends at: two planes or a cylinder, through the nuclei that stand furthest out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Surface {
    /// The faces of a slab: heights z of its lowest and highest nuclei (nm).
    Faces([f64; 2]),
    /// The wall of a pore along z.
    Wall {
        /// x and y of the axis (nm).
        axis: [f64; 2],
        /// Edges of the right-angled block (nm).
        edges: Vec3,
        /// Distance of the nearest nuclei from the axis (nm).
        radius: f64,
    },
}

impl Surface {
    /// The surface of `oxide`; a periodic one without a pore has none.
    pub fn of(oxide: &Oxide) -> Option<Self> {
        let Some(periodic) = oxide.periodic else {
            let heights = || oxide.positions.iter().map(|r| r.z);
            return Some(Surface::Faces([
                heights().fold(f64::INFINITY, f64::min),
                heights().fold(f64::NEG_INFINITY, f64::max),
            ]));
        };
        let axis = oxide.report.pore.as_ref()?.axis;
        let edges = Vec3::new(oxide.lateral[0].x, oxide.lateral[1].y, periodic.z);
        let radius = oxide.positions.iter().map(|r| from_axis(*r, axis, edges).norm()).fold(f64::INFINITY, f64::min);
        Some(Surface::Wall { axis, edges, radius })
    }

    /// Depth of `r` below the surface (nm): in a slab below the nearer face, in a pore away from the nearest axis.
    pub fn depth(&self, r: Vec3) -> f64 {
        match *self {
            Surface::Faces([low, high]) => (high - r.z).min(r.z - low),
            Surface::Wall { radius, .. } => self.offset(r).norm() - radius,
        }
    }

    /// `r` as seen from the middle plane of the slab or from the nearest axis (nm), along the directions in which a dipole
    /// is defined. Charges at two opposite places balance.
    pub fn offset(&self, r: Vec3) -> Vec3 {
        match *self {
            Surface::Faces([low, high]) => Vec3::new(0.0, 0.0, r.z - 0.5 * (low + high)),
            Surface::Wall { axis, edges, .. } => from_axis(r, axis, edges),
        }
    }
}
