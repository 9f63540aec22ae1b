//! The real-space half of Ewald's sum over all images, O(N²): with a sum over waves it makes the full Coulomb energy.

use amelo_core::units::COULOMB;
use amelo_core::{ForceError, ForceTerm, Forces, Request, System};
use amelo_math::special;

/// k_e Σ q_i q_j erfc(βr)/r over every pair and image closer than `r_cut`, which may be larger than the cell. Of an
/// excluded pair the nearest image is left out.
pub struct RealSpaceEwald {
    /// Splitting parameter (nm⁻¹).
    pub beta: f64,
    /// Cut-off (nm).
    pub r_cut: f64,
}

impl ForceTerm for RealSpaceEwald {
    fn name(&self) -> &'static str {
        "coulomb_real"
    }

    fn add(&mut self, system: &System, want: Request, out: &mut Forces) -> Result<(), ForceError> {
        let (cell, q) = (&system.cell, &system.topology.charges);
        let widths = cell.widths();
        // Positions are wrapped, so a difference spans less than one cell either way.
        let images = [0, 1, 2].map(|axis| (self.r_cut / widths[axis]).ceil() as i32 + 1);
        let mut energy = 0.0;
        for i in 0..system.n_atoms() {
            for j in i..system.n_atoms() {
                let qq = COULOMB * q[i] * q[j] * if i == j { 0.5 } else { 1.0 };
                if qq == 0.0 {
                    continue;
                }
                let difference = system.positions[i] - system.positions[j];
                let excluded = system.topology.exclusions.contains(i, j).then(|| cell.minimum_image(difference));
                for a in -images[0]..=images[0] {
                    for b in -images[1]..=images[1] {
                        for c in -images[2]..=images[2] {
                            let d = difference + cell.shift([a, b, c]);
                            let r2 = d.norm2();
                            let itself = i == j && [a, b, c] == [0; 3];
                            let left_out = excluded.is_some_and(|e| (e - d).norm2() < 1e-18);
                            if r2 > self.r_cut * self.r_cut || itself || left_out {
                                continue;
                            }
                            let (r, x) = (r2.sqrt(), self.beta * r2.sqrt());
                            let u = qq * special::erfc(x) / r;
                            let gaussian = qq * std::f64::consts::FRAC_2_SQRT_PI * self.beta * special::exp(-x * x);
                            let force = d * ((u + gaussian) / r2);
                            energy += u;
                            out.on[i] += force;
                            out.on[j] -= force;
                            if want.virial {
                                out.virial += d.outer(force);
                            }
                        }
                    }
                }
            }
        }
        if want.energy {
            out.energy.add("coulomb_real", energy);
        }
        Ok(())
    }
}
