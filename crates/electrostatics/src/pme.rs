//! Smooth particle-mesh Ewald: the sum over waves on a mesh.
//!
//! Charges are spread by B-splines of order P, the mesh is convolved with the Ewald kernel by FFT, and each force
//! is the analytic gradient of the interpolated energy
//! U = ½ Σ_m C(m) |Q̂(m)|², C = (4π k_e/V) exp(−k²/4β²)/k² |b₁ b₂ b₃|².
//! U. Essmann et al., J. Chem. Phys. 103, 8577 (1995), doi:10.1063/1.470117.

use amelo_core::units::COULOMB;
use amelo_core::{Cell, ForceError, ForceTerm, Forces, Request, System, Topology};
use amelo_math::{Mat3, Vec3, special};
use rayon::prelude::*;

use crate::bspline::{Weights, inverse_smoothing, weights};
use crate::corrections::{Components, Corrections, Waves};
use crate::mesh_fft::MeshFft;
use crate::{COULOMB_RECIPROCAL, ElectrostaticsError, checked_beta};

/// Orders of B-splines that exist: 4 to 6 for simulations, 7 as LAMMPS has it, 8 and 12 for references. Each is code of
/// its own, and they take long to compile.
pub const ORDERS: [usize; 6] = [4, 5, 6, 7, 8, 12];

/// The term of B-spline order `order`.
pub fn new(
    topology: &Topology,
    beta: f64,
    order: usize,
    mesh: [usize; 3],
) -> Result<Box<dyn ForceTerm>, ElectrostaticsError> {
    Ok(match order {
        4 => Box::new(Pme::<4>::new(topology, beta, mesh)?),
        5 => Box::new(Pme::<5>::new(topology, beta, mesh)?),
        6 => Box::new(Pme::<6>::new(topology, beta, mesh)?),
        7 => Box::new(Pme::<7>::new(topology, beta, mesh)?),
        8 => Box::new(Pme::<8>::new(topology, beta, mesh)?),
        12 => Box::new(Pme::<12>::new(topology, beta, mesh)?),
        _ => return Err(ElectrostaticsError::Order(order)),
    })
}

/// Smooth particle-mesh Ewald with B-splines of order `P`.
pub struct Pme<const P: usize> {
    beta: f64,
    n: [usize; 3],
    charged: Vec<u32>,
    charges: Vec<f64>,
    corrections: Corrections,
    /// |b(m)|² along a, b, c.
    inverse_smoothing: [Vec<f64>; 3],
    fft: MeshFft,
    kernel: Option<Kernel>,
    /// [a][b][c]: charge, then potential (kJ mol⁻¹ e⁻¹).
    mesh: Vec<f64>,
    spread: Vec<Spread<P>>,
    planes: Planes,
}

/// Where one charge sits on the mesh.
#[derive(Clone, Copy)]
struct Spread<const P: usize> {
    /// First mesh point along a, b, c.
    at: [usize; 3],
    along: [Weights<P>; 3],
}

/// C(m) of one cell.
struct Kernel {
    cell: Cell,
    /// Rows 2π a*, 2π b*, 2π c* (nm⁻¹).
    reciprocal: Mat3,
    /// [wave c][wave b][wave a], zero at m = 0.
    factor: Vec<f64>,
}

/// Charges sorted by their first plane of constant a, each plane's in ascending order.
#[derive(Default)]
struct Planes {
    starts: Vec<usize>,
    members: Vec<u32>,
}

impl<const P: usize> Pme<P> {
    /// The term for the charges of `topology` with splitting parameter `beta` (nm⁻¹) on `mesh` points along a, b, c.
    pub fn new(topology: &Topology, beta: f64, mesh: [usize; 3]) -> Result<Self, ElectrostaticsError> {
        let beta = checked_beta(beta)?;
        if !ORDERS.contains(&P) {
            return Err(ElectrostaticsError::Order(P));
        }
        if mesh.iter().any(|&n| n < P) {
            return Err(ElectrostaticsError::MeshTooSmall { mesh, order: P });
        }
        let points = mesh.iter().fold(1_usize, |product, &n| product.saturating_mul(n));
        if points > 1 << 30 {
            return Err(ElectrostaticsError::MeshTooLarge(mesh));
        }
        let charged: Vec<u32> =
            (0..topology.n_atoms() as u32).filter(|&i| topology.charges[i as usize] != 0.0).collect();
        let charges = charged.iter().map(|&i| topology.charges[i as usize]).collect();
        Ok(Pme {
            beta,
            n: mesh,
            charged,
            charges,
            corrections: Corrections::new(topology, beta),
            inverse_smoothing: mesh.map(inverse_smoothing::<P>),
            fft: MeshFft::new(mesh),
            kernel: None,
            mesh: vec![0.0; points],
            spread: Vec::new(),
            planes: Planes::default(),
        })
    }

    /// Adds forces, energy and virial as [`ForceTerm::add`] does, and returns the parts of the energy.
    pub fn components(&mut self, system: &System, want: Request, out: &mut Forces) -> Result<Components, ForceError> {
        self.corrections.check(system, COULOMB_RECIPROCAL)?;
        let kernel = match self.kernel.take() {
            Some(kernel) if kernel.cell == system.cell => kernel,
            _ => self.kernel_of(system.cell),
        };
        self.locate(system);
        self.spread();
        let waves = self.solve(&kernel, want);
        self.gather(&kernel, out);
        self.kernel = Some(kernel);
        Ok(self.corrections.add(system, waves, want, out))
    }

    fn kernel_of(&self, cell: Cell) -> Kernel {
        let [na, nb, _] = self.n;
        let reciprocal = cell.vectors().inverse().transpose() * (2.0 * std::f64::consts::PI);
        let prefactor = 4.0 * std::f64::consts::PI * COULOMB / cell.volume();
        let mut factor = vec![0.0; na * nb * self.fft.planes()];
        factor.par_chunks_mut(na * nb).enumerate().for_each(|(c, plane)| {
            for (i, f) in plane.iter_mut().enumerate() {
                let m = [i % na, i / na, c];
                if m == [0, 0, 0] {
                    continue;
                }
                let smoothing: f64 = (0..3).map(|axis| self.inverse_smoothing[axis][m[axis]]).product();
                let k2 = wave_vector(&reciprocal, m, self.n).norm2();
                *f = prefactor * smoothing * special::exp(-k2 / (4.0 * self.beta * self.beta)) / k2;
            }
        });
        Kernel { cell, reciprocal, factor }
    }

    /// Mesh coordinates and weights of every charge, and the charges of every plane.
    fn locate(&mut self, system: &System) {
        let n = self.n;
        self.charged
            .par_iter()
            .with_min_len(128)
            .map(|&atom| {
                let s = system.cell.to_fractional(system.positions[atom as usize]);
                let mut at = [0; 3];
                let along = [0, 1, 2].map(|axis| {
                    let u = (s[axis] - s[axis].floor()) * n[axis] as f64;
                    let point = u.floor();
                    // u = n where a tiny negative s was rounded up.
                    at[axis] = point as usize % n[axis];
                    weights::<P>(u - point)
                });
                Spread { at, along }
            })
            .collect_into_vec(&mut self.spread);
        self.planes.sort(n[0], &self.spread);
    }

    /// Charges onto the mesh, each plane by one task in a fixed order of charges.
    fn spread(&mut self) {
        let [na, nb, nc] = self.n;
        let (planes, spread, charges) = (&self.planes, &self.spread, &self.charges);
        self.mesh.par_chunks_mut(nb * nc).enumerate().for_each(|(a, plane)| {
            plane.fill(0.0);
            for j in 0..P {
                // Here the plane is the j-th of the P that these charges touch.
                for &i in planes.of((a + na - j) % na) {
                    let s = &spread[i as usize];
                    let weight_a = charges[i as usize] * s.along[0].value[j];
                    for (jb, weight_b) in s.along[1].value.iter().enumerate() {
                        let row = &mut plane[wrapped(s.at[1] + jb, nb) * nc..][..nc];
                        let weight = weight_a * weight_b;
                        for (jc, weight_c) in s.along[2].value.iter().enumerate() {
                            row[wrapped(s.at[2] + jc, nc)] += weight * weight_c;
                        }
                    }
                }
            }
        });
    }

    /// Charge to potential on the mesh; energy and virial on the way.
    fn solve(&mut self, kernel: &Kernel, want: Request) -> Waves {
        let ([na, nb, nc], n, beta) = (self.n, self.n, self.beta);
        let sums = self.fft.convolve(&mut self.mesh, |c, plane| {
            // A wave inside the half spectrum stands for its conjugate too; those with m_c = n_c/2 are zero.
            let copies = if c == 0 || 2 * c == nc { 1.0 } else { 2.0 };
            let factor = &kernel.factor[c * na * nb..][..na * nb];
            let mut sum = Waves::default();
            for (i, (q, &f)) in plane.iter_mut().zip(factor).enumerate() {
                if f == 0.0 {
                    *q *= 0.0;
                    continue;
                }
                if want.energy || want.virial {
                    let k = wave_vector(&kernel.reciprocal, [i % na, i / na, c], n);
                    sum.add(0.5 * copies * f * q.norm_sqr(), k, k.norm2(), beta, want.virial);
                }
                *q *= f;
            }
            sum
        });
        sums.into_iter().sum()
    }

    /// F_i = −q_i Σ φ ∂θ/∂r_i.
    fn gather(&self, kernel: &Kernel, out: &mut Forces) {
        let [_, nb, nc] = self.n;
        // Rows: gradients of the mesh coordinates u = n s.
        let turn = 0.5 / std::f64::consts::PI;
        let gradient = [0, 1, 2].map(|axis| kernel.reciprocal.rows[axis] * (turn * self.n[axis] as f64));
        let forces: Vec<Vec3> = self
            .spread
            .par_iter()
            .zip(&self.charges)
            .with_min_len(64)
            .map(|(s, q)| {
                let mut slope = [0.0; 3];
                for ja in 0..P {
                    let plane = &self.mesh[wrapped(s.at[0] + ja, self.n[0]) * nb * nc..][..nb * nc];
                    let (mut value_a, mut slope_b, mut slope_c) = (0.0, 0.0, 0.0);
                    for jb in 0..P {
                        let row = &plane[wrapped(s.at[1] + jb, nb) * nc..][..nc];
                        let (mut value, mut slope) = (0.0, 0.0);
                        for jc in 0..P {
                            let potential = row[wrapped(s.at[2] + jc, nc)];
                            value += s.along[2].value[jc] * potential;
                            slope += s.along[2].slope[jc] * potential;
                        }
                        value_a += s.along[1].value[jb] * value;
                        slope_b += s.along[1].slope[jb] * value;
                        slope_c += s.along[1].value[jb] * slope;
                    }
                    slope[0] += s.along[0].slope[ja] * value_a;
                    slope[1] += s.along[0].value[ja] * slope_b;
                    slope[2] += s.along[0].value[ja] * slope_c;
                }
                (gradient[0] * slope[0] + gradient[1] * slope[1] + gradient[2] * slope[2]) * -q
            })
            .collect();
        for (&atom, force) in self.charged.iter().zip(forces) {
            out.on[atom as usize] += force;
        }
    }
}

impl<const P: usize> ForceTerm for Pme<P> {
    fn name(&self) -> &'static str {
        COULOMB_RECIPROCAL
    }

    fn add(&mut self, system: &System, want: Request, out: &mut Forces) -> Result<(), ForceError> {
        self.components(system, want, out).map(|_| ())
    }
}

impl Planes {
    /// Counting sort, stable: the order within a plane is that of the charges.
    fn sort<const P: usize>(&mut self, n_planes: usize, spread: &[Spread<P>]) {
        self.starts.clear();
        self.starts.resize(n_planes + 1, 0);
        for s in spread {
            self.starts[s.at[0] + 1] += 1;
        }
        for a in 0..n_planes {
            self.starts[a + 1] += self.starts[a];
        }
        let mut next = self.starts.clone();
        self.members.resize(spread.len(), 0);
        for (i, s) in spread.iter().enumerate() {
            let slot = &mut next[s.at[0]];
            self.members[*slot] = i as u32;
            *slot += 1;
        }
    }

    fn of(&self, plane: usize) -> &[u32] {
        &self.members[self.starts[plane]..self.starts[plane + 1]]
    }
}

/// `point` modulo `n`, for point < 2n.
#[inline(always)]
fn wrapped(point: usize, n: usize) -> usize {
    if point < n { point } else { point - n }
}

/// The wave vector (nm⁻¹) of mesh wave `m`, the upper half of each axis standing for negative numbers.
#[inline(always)]
fn wave_vector(reciprocal: &Mat3, m: [usize; 3], n: [usize; 3]) -> Vec3 {
    let signed = |axis: usize| if 2 * m[axis] > n[axis] { m[axis] as f64 - n[axis] as f64 } else { m[axis] as f64 };
    reciprocal.vec_mul(Vec3::new(signed(0), signed(1), signed(2)))
}
