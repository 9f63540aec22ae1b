//! Charged systems and numerical derivatives for the tests of this crate.
#![allow(dead_code)] // each test binary uses its part

use std::sync::Arc;

use amelo_core::{AtomType, Cell, Exclusions, ForceProvider, ForceTerm, Forces, Request, System, TermSum, Topology};
use amelo_electrostatics::Ewald;
use amelo_math::{Mat3, Vec3, philox::Noise};
use amelo_testkit::RealSpaceEwald;

/// Charges at positions (nm); `excluded` pairs do not see each other.
pub fn system(cell: Cell, positions: Vec<Vec3>, charges: Vec<f64>, excluded: &[[u32; 2]]) -> System {
    let n = charges.len();
    let topology = Topology {
        types: vec![AtomType { name: "Q".into(), element: "X".into() }],
        type_of: vec![0; n].into(),
        names: vec!["Q"; n].into(),
        masses: vec![1.0; n].into(),
        nominal_charges: charges.clone().into(),
        charges: charges.into(),
        exclusions: Exclusions::new(n, excluded.iter().copied()),
        frozen: vec![false; n],
        ..Topology::default()
    };
    System::new(Arc::new(topology), cell, positions)
}

/// Uniformly random positions without any order; charges alternate ±1 with one more `extra` on atom 0. Every third
/// consecutive pair is excluded and 0.1 nm apart.
pub fn random(cell: Cell, n: usize, extra: f64, seed: u64) -> System {
    let noise = Noise::new(seed, 900);
    let mut positions: Vec<Vec3> = (0..n as u32)
        .map(|i| {
            let ([x, y], [z, _]) = (noise.uniform2(i, 0, 0), noise.uniform2(i, 0, 1));
            cell.to_cartesian(Vec3::new(x, y, z))
        })
        .collect();
    let mut excluded = Vec::new();
    for i in (0..n - 1).step_by(6) {
        positions[i + 1] = positions[i] + noise.normal3(i as u32, 1, 0).normalized() * 0.1;
        excluded.push([i as u32, i as u32 + 1]);
    }
    let mut charges: Vec<f64> = (0..n).map(|i| if i % 2 == 0 { 0.8 } else { -0.8 }).collect();
    charges[0] += extra;
    system(cell, positions, charges, &excluded)
}

pub fn orthorhombic() -> Cell {
    Cell::orthorhombic(2.2, 1.9, 2.4).unwrap()
}

pub fn triclinic() -> Cell {
    Cell::new(Mat3::from_array([[2.3, 0.0, 0.0], [0.7, 2.1, 0.0], [-0.6, 0.5, 1.9]])).unwrap()
}

/// The sum of `terms`, all that an evaluation gives.
pub fn evaluate(terms: Vec<Box<dyn ForceTerm>>, system: &System) -> Forces {
    let mut out = Forces::new(system.n_atoms());
    TermSum::new(terms).evaluate(system, Request::ALL, &mut out).unwrap();
    out
}

/// Full Coulomb by Ewald's sums, converged to about `tolerance`.
pub fn full_ewald(system: &System, r_cut: f64, tolerance: f64) -> Vec<Box<dyn ForceTerm>> {
    let beta = amelo_math::special::ewald_beta(r_cut, tolerance);
    vec![Box::new(RealSpaceEwald { beta, r_cut }), Box::new(Ewald::new(&system.topology, beta, tolerance).unwrap())]
}

/// √(Σ|f|²/N).
pub fn rms(forces: &[Vec3]) -> f64 {
    (forces.iter().map(|f| f.norm2()).sum::<f64>() / forces.len() as f64).sqrt()
}

/// √(Σ|f − g|²/N).
pub fn rms_difference(f: &[Vec3], g: &[Vec3]) -> f64 {
    rms(&f.iter().zip(g).map(|(f, g)| *f - *g).collect::<Vec<_>>())
}

fn energy(terms: &mut TermSum, system: &System) -> f64 {
    let mut out = Forces::default();
    terms.evaluate(system, Request::ALL, &mut out).unwrap();
    out.energy.potential()
}

/// Fourth-order central difference of `f` at 0.
fn derivative(h: f64, mut f: impl FnMut(f64) -> f64) -> f64 {
    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
}

/// Holds forces against −∂U/∂r of some atoms and the virial against −dU/dε, both to `tolerance` of the largest.
pub fn check_derivatives(terms: Vec<Box<dyn ForceTerm>>, system: &System, tolerance: f64) {
    let mut terms = TermSum::new(terms);
    let mut exact = Forces::default();
    terms.evaluate(system, Request::ALL, &mut exact).unwrap();

    let f_max = exact.on.iter().map(|f| f.norm()).fold(0.0, f64::max);
    for atom in [0, 1, 7, system.n_atoms() - 1] {
        for axis in 0..3 {
            let slope = derivative(2e-4, |h| {
                let mut moved = system.clone();
                moved.positions[atom][axis] += h;
                moved.wrap();
                energy(&mut terms, &moved)
            });
            let off = (exact.on[atom][axis] + slope).abs() / f_max;
            assert!(off < tolerance, "force on atom {atom}, axis {axis}: off by {off:.1e} of the largest");
        }
    }

    let w_max = exact.virial.max_abs();
    for row in 0..3 {
        for column in 0..=row {
            let slope = derivative(2e-4, |h| {
                let mut strain = Mat3::ZERO;
                strain[(row, column)] = h;
                let mut strained = system.clone();
                strained.cell = system.cell.deformed(strain).unwrap();
                for r in &mut strained.positions {
                    *r += strain.vec_mul(*r);
                }
                energy(&mut terms, &strained)
            });
            let off = (exact.virial[(row, column)] + slope).abs() / w_max;
            assert!(off < tolerance, "virial ({row}, {column}): off by {off:.1e} of the largest");
        }
    }
    let asymmetry = (exact.virial - exact.virial.transpose()).max_abs() / w_max;
    assert!(asymmetry < 1e-12, "Coulomb's virial is symmetric: {asymmetry:.1e}");
}
