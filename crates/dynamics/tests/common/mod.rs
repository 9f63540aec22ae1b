//! Toys whose exact behaviour is known.
#![allow(dead_code)] // each test binary uses its own part

use std::sync::Arc;

use amelo_core::units::BOLTZMANN;
use amelo_core::{Cell, Constraint, ForceError, ForceProvider, Forces, Molecule, Request, System, Topology};
use amelo_dynamics::{Ensemble, Integrator, IntegratorSettings};
use amelo_math::{Mat3, Vec3};

pub const KT_300: f64 = BOLTZMANN * 300.0;

/// No forces at all.
pub struct Ideal;

impl ForceProvider for Ideal {
    fn evaluate(&mut self, system: &System, _: Request, out: &mut Forces) -> Result<(), ForceError> {
        out.clear(system.n_atoms());
        out.energy.add("ideal", 0.0);
        Ok(())
    }
}

/// Every atom tied to its site: U = ½ k |r − r₀|², with one k per atom.
pub struct Wells {
    pub sites: Vec<Vec3>,
    pub stiffness: Vec<f64>,
}

impl ForceProvider for Wells {
    fn evaluate(&mut self, system: &System, _: Request, out: &mut Forces) -> Result<(), ForceError> {
        out.clear(system.n_atoms());
        let mut energy = 0.0;
        for (i, (site, k)) in self.sites.iter().zip(&self.stiffness).enumerate() {
            let d = system.cell.minimum_image(system.positions[i] - *site);
            out.on[i] = d * -k;
            energy += 0.5 * k * d.norm2();
        }
        out.energy.add("wells", energy);
        Ok(())
    }
}

/// Harmonic springs between pairs: U = ½ k (r − r₀)².
pub struct Springs {
    pub pairs: Vec<[usize; 2]>,
    pub k: f64,
    pub r0: f64,
}

impl ForceProvider for Springs {
    fn evaluate(&mut self, system: &System, _: Request, out: &mut Forces) -> Result<(), ForceError> {
        out.clear(system.n_atoms());
        let mut energy = 0.0;
        for &[i, j] in &self.pairs {
            let d = system.cell.minimum_image(system.positions[i] - system.positions[j]);
            let r = d.norm();
            let f = d * (-self.k * (r - self.r0) / r);
            energy += 0.5 * self.k * (r - self.r0) * (r - self.r0);
            out.on[i] += f;
            out.on[j] -= f;
            out.virial += d.outer(f);
        }
        out.energy.add("springs", energy);
        Ok(())
    }
}

/// Lennard-Jones over all images within a cut-off, C¹ at it: O(N² · images).
pub struct LennardJones {
    pub epsilon: f64,
    pub sigma: f64,
    pub cutoff: f64,
}

impl ForceProvider for LennardJones {
    fn evaluate(&mut self, system: &System, _: Request, out: &mut Forces) -> Result<(), ForceError> {
        let n = system.n_atoms();
        out.clear(n);
        let u = |r2: f64| {
            let s6 = (self.sigma * self.sigma / r2).powi(3);
            (4.0 * self.epsilon * (s6 * s6 - s6), 24.0 * self.epsilon * (2.0 * s6 * s6 - s6) / r2)
        };
        let rc = self.cutoff;
        let (uc, fc) = u(rc * rc);
        let w = system.cell.widths();
        let reach = [w.x, w.y, w.z].map(|w| (rc / w).ceil() as i32);
        let mut energy = 0.0;
        for i in 0..n {
            for j in 0..n {
                for a in -reach[0]..=reach[0] {
                    for b in -reach[1]..=reach[1] {
                        for c in -reach[2]..=reach[2] {
                            if i == j && [a, b, c] == [0; 3] {
                                continue;
                            }
                            let d = system.cell.minimum_image(system.positions[i] - system.positions[j])
                                + system.cell.shift([a, b, c]);
                            let r2 = d.norm2();
                            if r2 >= rc * rc {
                                continue;
                            }
                            let (e, f) = u(r2);
                            let r = r2.sqrt();
                            // Force-shifted: U − U(rc) + F(rc)(r − rc).
                            let f = d * (f - fc * rc / r);
                            energy += 0.5 * (e - uc + fc * rc * (r - rc));
                            out.on[i] += f;
                            out.virial += d.outer(f) * 0.5;
                        }
                    }
                }
            }
        }
        out.energy.add("lj", energy);
        Ok(())
    }
}

/// `n` atoms of `mass` (u), no interactions, one molecule each.
pub fn topology(n: usize, mass: f64) -> Topology {
    Topology {
        type_of: vec![0; n].into(),
        masses: vec![mass; n].into(),
        charges: vec![0.0; n].into(),
        frozen: vec![false; n],
        molecules: (0..n).map(|first| Molecule { kind: "A".into(), first, count: 1 }).collect(),
        ..Topology::default()
    }
}

/// Atoms at pseudo-random places in a cubic cell.
pub fn gas(topology: Topology, edge: f64) -> System {
    let noise = amelo_math::philox::Noise::new(11, 99);
    let positions = (0..topology.n_atoms() as u32).map(|i| {
        let [x, y] = noise.uniform2(i, 0, 0);
        let [z, _] = noise.uniform2(i, 0, 1);
        Vec3::new(x, y, z) * edge
    });
    let positions = positions.collect();
    System::new(Arc::new(topology), Cell::orthorhombic(edge, edge, edge).unwrap(), positions)
}

/// `n` rigid dumbbells of masses `m1`, `m2` and length `d` (nm), at random places and orientations.
pub fn dumbbells(n: usize, m1: f64, m2: f64, d: f64, edge: f64) -> System {
    let mut t = topology(2 * n, m1);
    t.masses = (0..2 * n).map(|i| if i % 2 == 0 { m1 } else { m2 }).collect();
    t.constraints = (0..n as u32).map(|k| Constraint { atoms: [2 * k, 2 * k + 1], length: d }).collect();
    t.molecules = (0..n).map(|k| Molecule { kind: "D".into(), first: 2 * k, count: 2 }).collect();
    let noise = amelo_math::philox::Noise::new(12, 99);
    let mut positions = Vec::new();
    for k in 0..n as u32 {
        let [x, y] = noise.uniform2(k, 0, 0);
        let [z, _] = noise.uniform2(k, 0, 1);
        let centre = Vec3::new(x, y, z) * edge;
        positions.push(centre);
        positions.push(centre + noise.normal3(k, 1, 0).normalized() * d);
    }
    System::new(Arc::new(t), Cell::orthorhombic(edge, edge, edge).unwrap(), positions)
}

pub fn integrator(ensemble: Ensemble, timestep: f64, remove_com: bool, system: &System) -> Integrator {
    let settings = IntegratorSettings { timestep, seed: 2026, remove_com, ..IntegratorSettings::default() };
    Integrator::new(ensemble, settings, system).unwrap()
}

/// Mean, variance and the standard error of the mean from blocks, for correlated data.
pub struct Statistics {
    pub mean: f64,
    pub variance: f64,
    pub error: f64,
    /// Standard error of the variance, from the same blocks.
    pub variance_error: f64,
}

pub fn statistics(x: &[f64], blocks: usize) -> Statistics {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let variance = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let size = x.len() / blocks;
    let of_blocks = |f: &dyn Fn(f64) -> f64| {
        let means: Vec<f64> =
            x.chunks_exact(size).map(|b| b.iter().map(|&v| f(v)).sum::<f64>() / size as f64).collect();
        let m = means.iter().sum::<f64>() / means.len() as f64;
        let v = means.iter().map(|b| (b - m).powi(2)).sum::<f64>() / (means.len() as f64 - 1.0);
        (v / means.len() as f64).sqrt()
    };
    Statistics { mean, variance, error: of_blocks(&|v| v), variance_error: of_blocks(&|v| (v - mean).powi(2)) }
}

pub fn diagonal(m: Mat3) -> [f64; 3] {
    [m[(0, 0)], m[(1, 1)], m[(2, 2)]]
}
