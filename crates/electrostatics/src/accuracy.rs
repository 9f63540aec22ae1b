//! The force error of a choice of β, order and mesh, estimated; the mesh of a spacing.
//!
//! Errors are RMS over the atoms that move of |ΔF| for charges without correlation; bound charges cancel in part, and the
//! mesh's error is then several times smaller. Real space: J. Kolafa and J. W. Perram, Mol. Simul. 9, 351 (1992), doi:10.1080/08927029208049126.
//! Mesh: the mean square of the pair force's error over all positions in a mesh cell, as R. W. Hockney and
//! J. W. Eastwood define it, here for the splines' analytic gradient, which also lets a charge push itself: V. Ballenegger, J. J. Cerdà, C. Holm,
//! J. Chem. Theory Comput. 8, 936 (2012), doi:10.1021/ct2001792.

use amelo_core::units::COULOMB;
use amelo_core::{Cell, Topology};
use amelo_math::{Mat3, Vec3, special};
use rayon::prelude::*;

use crate::bspline::{least_error_factor, transform};
use crate::{ElectrostaticsError, checked_beta};

/// Fewest mesh points along an axis that [`mesh_for`] gives: enough for order 6.
const MIN_MESH: usize = 6;
/// Most of them; beyond it [`crate::Pme`] refuses anyway.
const MAX_MESH: usize = 4096;
/// Aliases of each wave on either side that the mesh error counts.
const ALIASES: i32 = 2;

/// The coarsest mesh whose points along each box vector are at most `spacing` (nm) apart and whose numbers of points
/// have no prime factor above 5, nor are odd from 45 on, for the FFT's sake.
pub fn mesh_for(cell: &Cell, spacing: f64) -> [usize; 3] {
    cell.vectors().rows.map(|vector| {
        // A spacing that divides the edge up to rounding must not cost another point.
        let points = (vector.norm() / spacing - 1e-9).ceil();
        let points = if points.is_finite() { points as usize } else { MAX_MESH };
        (points.clamp(MIN_MESH, MAX_MESH)..).find(|&n| is_fast(n)).expect("powers of two go on for ever")
    })
}

/// Whether an FFT of `n` points is fast. Odd numbers come without the radices that are the fastest: in f32 45³ points
/// took 1.9 times as long as 48³.
fn is_fast(mut n: usize) -> bool {
    if n % 2 == 1 && n >= 45 {
        return false;
    }
    for p in [2, 3, 5] {
        while n.is_multiple_of(p) {
            n /= p;
        }
    }
    n == 1
}

/// RMS errors of the Coulomb force (kJ/mol/nm) on the atoms that move, estimated where nothing else is said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ForceErrorEstimate {
    /// Of the real-space sum, from its truncation.
    pub real: f64,
    /// Of the sum over waves, from the mesh.
    pub mesh: f64,
}

impl ForceErrorEstimate {
    /// Both together, as independent errors.
    pub fn total(&self) -> f64 {
        (self.real * self.real + self.mesh * self.mesh).sqrt()
    }
}

/// Estimated RMS force error on the atoms that move of PME with the cut-off `r_cut` (nm), splitting parameter `beta`
/// (nm⁻¹), B-spline `order` and `mesh`.
pub fn pme_force_error(
    topology: &Topology,
    cell: &Cell,
    r_cut: f64,
    beta: f64,
    order: usize,
    mesh: [usize; 3],
) -> Result<ForceErrorEstimate, ElectrostaticsError> {
    checked_beta(beta)?;
    Ok(ForceErrorEstimate {
        real: real_error(topology, cell, r_cut, beta),
        mesh: mesh_error(topology, cell, beta, order, mesh),
    })
}

/// The smallest β whose real-space error stays below `share`; none where rounding would exceed it first.
pub(crate) fn beta_for(topology: &Topology, cell: &Cell, r_cut: f64, share: f64) -> Option<f64> {
    // β r_c = 0.5 truncates nearly everything, 6 is erfc = 2e-17.
    let (mut low, mut high) = (0.5 / r_cut, 6.0 / r_cut);
    if real_error(topology, cell, r_cut, high) > share {
        return None;
    }
    for _ in 0..60 {
        let mid = 0.5 * (low + high);
        if real_error(topology, cell, r_cut, mid) > share {
            low = mid;
        } else {
            high = mid;
        }
    }
    Some(high)
}

/// Atoms that move below which a measured error counts for no less than the estimated one.
pub(crate) const FEW: usize = 50;

/// Numbers of the atoms that move, of all where none does: those whose forces matter.
pub(crate) fn moving(topology: &Topology) -> Vec<usize> {
    let frozen = |atom: usize| topology.frozen.get(atom).is_some_and(|frozen| *frozen);
    let moving: Vec<usize> = (0..topology.n_atoms()).filter(|&atom| !frozen(atom)).collect();
    if moving.is_empty() { (0..topology.n_atoms()).collect() } else { moving }
}

/// Powers of the charges: what a force is felt by, and what makes it.
struct Powers {
    /// Means of q² and q⁴ over the atoms that move.
    felt2: f64,
    felt4: f64,
    /// Σq² over all.
    sum2: f64,
}

impl Powers {
    fn of(topology: &Topology) -> Self {
        let moving = moving(topology);
        let mean = |power: i32| {
            moving.iter().map(|&atom| topology.charges[atom].powi(power)).sum::<f64>() / moving.len().max(1) as f64
        };
        Powers { felt2: mean(2), felt4: mean(4), sum2: topology.charges.iter().map(|q| q * q).sum() }
    }
}

/// 2 k_e √(⟨q²⟩ Σq²) exp(−β² r_c²) / √(r_c V), the mean over the atoms that move.
pub(crate) fn real_error(topology: &Topology, cell: &Cell, r_cut: f64, beta: f64) -> f64 {
    let Powers { felt2, sum2, .. } = Powers::of(topology);
    let x = beta * r_cut;
    2.0 * COULOMB * (felt2 * sum2 / (r_cut * cell.volume())).sqrt() * special::exp(-x * x)
}

/// Of two charges: √(⟨q²⟩ Σq²), the mean over the atoms that move, times the RMS error of the force between unit charges
/// over all their positions. Of one
/// charge with its own image on the mesh: a force that oscillates with the mesh spacing, U = q²/V Σ_a B_a cos(K_a·r),
/// K_a = 2π N_a a*, B_a = Σ_m C(m) Σ_n W_n W_{n+a}.
pub(crate) fn mesh_error(topology: &Topology, cell: &Cell, beta: f64, order: usize, mesh: [usize; 3]) -> f64 {
    let reciprocal = cell.vectors().inverse().transpose() * (2.0 * std::f64::consts::PI);
    let axes = mesh.map(|n| (0..n).map(|m| Aliases::new(m, n, order)).collect::<Vec<_>>());
    let kernel = |k2: f64| 4.0 * std::f64::consts::PI * COULOMB * special::exp(-k2 / (4.0 * beta * beta)) / k2;
    let planes: Vec<(f64, Vec3)> = axes[0]
        .par_iter()
        .map(|a| {
            let (mut pair, mut own) = (0.0, Vec3::ZERO);
            for b in &axes[1] {
                for c in &axes[2] {
                    let waves = [a, b, c];
                    if waves.iter().all(|w| w.m == 0.0) {
                        continue;
                    }
                    let k2 = reciprocal.vec_mul(Vec3::new(a.m, b.m, c.m)).norm2();
                    let exact = kernel(k2);
                    if waves.iter().any(|w| w.nyquist) {
                        pair += exact * exact * k2; // left out of the mesh
                        continue;
                    }
                    let on_mesh = exact * waves.iter().map(|w| w.factor).product::<f64>();
                    let principal: f64 = waves.iter().map(|w| w.principal * w.principal).product();
                    let square: f64 = waves.iter().map(|w| w.moments[0]).product();
                    pair += on_mesh * on_mesh * gradient_square(&reciprocal, waves) * square
                        - 2.0 * on_mesh * exact * k2 * principal
                        + exact * exact * k2;
                    for axis in 0..3 {
                        own[axis] += on_mesh * square / waves[axis].moments[0] * waves[axis].overlap;
                    }
                }
            }
            (pair, own)
        })
        .collect();
    let volume = cell.volume();
    let pair = planes.iter().map(|p| p.0).sum::<f64>().max(0.0) / (volume * volume);
    let amplitudes: Vec3 = planes.iter().map(|p| p.1).sum();
    let own: f64 = (0..3)
        .map(|axis| {
            let k = reciprocal.rows[axis] * mesh[axis] as f64;
            0.5 * (amplitudes[axis] / volume).powi(2) * k.norm2()
        })
        .sum();
    let Powers { felt2, felt4, sum2 } = Powers::of(topology);
    (felt2 * sum2 * pair + felt4 * own).sqrt()
}

/// Σ_n |k_n|² W_n² over the aliases k_n = Σ_a (m_a + n_a N_a) a* of one wave.
fn gradient_square(reciprocal: &Mat3, waves: [&Aliases; 3]) -> f64 {
    let mut sum = 0.0;
    for i in 0..3 {
        for j in 0..3 {
            let mut term = reciprocal.rows[i].dot(reciprocal.rows[j]);
            for (axis, w) in waves.iter().enumerate() {
                term *= w.moments[usize::from(axis == i) + usize::from(axis == j)];
            }
            sum += term;
        }
    }
    sum
}

/// The Fourier transform W of a B-spline at the aliases m + n N of one mesh wave.
struct Aliases {
    /// Wave number, −N/2 < m ≤ N/2.
    m: f64,
    nyquist: bool,
    /// W at m itself.
    principal: f64,
    /// What the influence function takes for it.
    factor: f64,
    /// Σ_n W_n W_{n+1}.
    overlap: f64,
    /// Σ_n (m + n N)^p W_n², p = 0, 1, 2.
    moments: [f64; 3],
}

impl Aliases {
    fn new(m: usize, n: usize, order: usize) -> Self {
        let points = n as f64;
        let m_signed = if 2 * m > n { m as f64 - points } else { m as f64 };
        let mut aliases = Aliases {
            m: m_signed,
            nyquist: 2 * m == n,
            principal: transform(m, n, order, 0),
            factor: least_error_factor(m, n, order),
            overlap: 0.0,
            moments: [0.0; 3],
        };
        for image in -ALIASES..=ALIASES {
            let (weight, wave) = (transform(m, n, order, image), m_signed + f64::from(image) * points);
            aliases.overlap += weight * transform(m, n, order, image + 1);
            for (p, moment) in aliases.moments.iter_mut().enumerate() {
                *moment += wave.powi(p as i32) * weight * weight;
            }
        }
        aliases
    }
}
