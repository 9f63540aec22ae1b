//! Slab correction: from a stack of films, as a three-dimensional Ewald sum sees it, to a single film in vacuum.
//!
//! U = (2π k_e/V) [M_z² − Q Σ q_i z_i² − Q² L_z²/12], M_z = Σ q_i z_i.
//! I.-C. Yeh and M. L. Berkowitz, J. Chem. Phys. 111, 3155 (1999), doi:10.1063/1.479595; with a net charge Q:
//! V. Ballenegger, A. Arnold, J. J. Cerdà, J. Chem. Phys. 131, 094107 (2009), doi:10.1063/1.3216473.
//!
//! z is unwrapped across the vacuum: the film starts above the largest gap along the axis. U does not depend on the
//! origin of z, only on where the periodic line is cut. A cell may be oblique, as long as the film's normal is a
//! Cartesian axis.

use amelo_core::units::COULOMB;
use amelo_core::{Cell, ForceError, ForceTerm, Forces, Request, Shared, System, Topology};
use amelo_math::Mat3;

use crate::ElectrostaticsError;

const NAME: &str = "slab_correction";

/// The correction as a force term.
pub struct SlabCorrection {
    axis: usize,
    charges: Shared<Vec<f64>>,
    net_charge: f64,
}

/// Extent of a film and of the vacuum beside it (nm), measured between atom centres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Vacuum {
    /// Largest gap along the axis.
    pub gap: f64,
    /// The rest of the cell.
    pub thickness: f64,
    /// Fractional coordinate of the first atom above the gap.
    film_start: f64,
}

impl SlabCorrection {
    /// The correction for a film normal to Cartesian axis `axis` (2 = z). Two axes of the cell must lie in the film:
    /// always so for z, whose cell vectors are lower-triangular.
    pub fn new(topology: &Topology, axis: usize) -> Result<Self, ElectrostaticsError> {
        if axis > 2 {
            return Err(ElectrostaticsError::SlabAxis(axis));
        }
        Ok(SlabCorrection { axis, charges: topology.charges.clone(), net_charge: topology.total_charge() })
    }

    /// Where the vacuum is. Sound results need a gap of at least the film's thickness, better twice that.
    pub fn vacuum(&self, system: &System) -> Result<Vacuum, ForceError> {
        let length = height(&system.cell, self.axis)?;
        let mut s: Vec<f64> = (0..system.n_atoms()).map(|i| self.fraction(system, i)).collect();
        s.sort_unstable_by(f64::total_cmp);
        let Some(&first) = s.first() else {
            return Ok(Vacuum { gap: length, thickness: 0.0, film_start: 0.0 });
        };
        // The gap through the periodic boundary, unless an inner one is larger.
        let (mut gap, mut film_start) = (first + 1.0 - s[s.len() - 1], first);
        for pair in s.windows(2) {
            if pair[1] - pair[0] > gap {
                (gap, film_start) = (pair[1] - pair[0], pair[1]);
            }
        }
        Ok(Vacuum { gap: gap * length, thickness: (1.0 - gap) * length, film_start })
    }

    /// Fractional coordinate of an atom along the axis, in [0, 1).
    fn fraction(&self, system: &System, atom: usize) -> f64 {
        let s = system.cell.to_fractional(system.positions[atom])[self.axis];
        s - s.floor()
    }
}

impl ForceTerm for SlabCorrection {
    fn name(&self) -> &'static str {
        NAME
    }

    fn add(&mut self, system: &System, want: Request, out: &mut Forces) -> Result<(), ForceError> {
        if system.n_atoms() != self.charges.len() {
            let message = format!("made for {} atoms, but the system has {}", self.charges.len(), system.n_atoms());
            return Err(ForceError::Other { term: NAME, message });
        }
        let length = height(&system.cell, self.axis)?;
        let vacuum = self.vacuum(system)?;
        if vacuum.gap < vacuum.thickness {
            out.count("vacuum_thinner_than_film", 1);
        }
        // Heights above the film's first atom; the origin does not matter.
        let heights: Vec<f64> = (0..system.n_atoms())
            .map(|i| {
                let s = self.fraction(system, i) - vacuum.film_start;
                (if s < 0.0 { s + 1.0 } else { s }) * length
            })
            .collect();
        let (mut moment, mut second) = (0.0, 0.0);
        for (q, z) in self.charges.iter().zip(&heights) {
            moment += q * z;
            second += q * z * z;
        }
        let (charge, prefactor) = (self.net_charge, 2.0 * std::f64::consts::PI * COULOMB / system.cell.volume());
        for (i, (q, z)) in self.charges.iter().zip(&heights).enumerate() {
            out.on[i][self.axis] -= 2.0 * prefactor * q * (moment - charge * z);
        }
        let energy = prefactor * (moment * moment - charge * second - charge * charge * length * length / 12.0);
        if want.energy {
            out.energy.add(NAME, energy);
        }
        if want.virial {
            // U ∝ height²/V, with every term: W = −dU/dε = U (1 − 2 along the axis).
            let mut diagonal = [energy; 3];
            diagonal[self.axis] = -energy;
            out.virial += Mat3::diagonal(diagonal[0], diagonal[1], diagonal[2]);
        }
        Ok(())
    }
}

/// Height of the cell along Cartesian `axis` (nm); an error unless the other two cell vectors are normal to it.
fn height(cell: &Cell, axis: usize) -> Result<f64, ForceError> {
    let vectors = cell.vectors();
    if (0..3).all(|row| row == axis || vectors.rows[row][axis] == 0.0) {
        return Ok(vectors.rows[axis][axis]);
    }
    let message = format!(
        "the film's normal {} must be perpendicular to the other two cell vectors, but the cell is {:?} nm; \
         orient the film along z",
        ["x", "y", "z"][axis],
        vectors.to_array()
    );
    Err(ForceError::Other { term: NAME, message })
}
