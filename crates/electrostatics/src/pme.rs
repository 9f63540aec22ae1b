//! Smooth particle-mesh Ewald: the sum over waves on a mesh.
//!
//! Charges are spread by B-splines of order P, the mesh is convolved with the Ewald kernel by FFT, and each force
//! is the analytic gradient of the interpolated energy
//! U = ½ Σ_m C(m) |Q̂(m)|², C = (4π k_e/V) exp(−k²/4β²)/k² |b₁ b₂ b₃|².
//! U. Essmann et al., J. Chem. Phys. 103, 8577 (1995), doi:10.1063/1.470117.

use amelo_core::{ForceError, ForceTerm, Forces, Precision, Request, System, Topology};
use amelo_math::Vec3;
use amelo_math::lanes::Isa;
use rayon::prelude::*;
use rustfft::num_complex::Complex;

use crate::charges::Charges;
use crate::corrections::{Components, Corrections, Waves};
use crate::excluded_pairs::BLOCK;
use crate::influence::Influence;
use crate::mesh_fft::MeshFft;
use crate::number::MeshNumber;
use crate::{COULOMB_RECIPROCAL, ElectrostaticsError, checked_beta};

/// Orders of B-splines that exist: 4 to 6 for simulations, 7 as LAMMPS has it, 8 and 12 for references. Each is code of
/// its own, and they take long to compile; mixed precision is for 4 to 6.
pub const ORDERS: [usize; 6] = [4, 5, 6, 7, 8, 12];

/// The term of B-spline order `order`.
pub fn new(
    topology: &Topology,
    beta: f64,
    order: usize,
    mesh: [usize; 3],
    precision: Precision,
) -> Result<Box<dyn ForceTerm>, ElectrostaticsError> {
    match order {
        4 => boxed::<4>(topology, beta, mesh, precision),
        5 => boxed::<5>(topology, beta, mesh, precision),
        6 => boxed::<6>(topology, beta, mesh, precision),
        // Finer than f32 can tell: double in either case.
        7 => Ok(Box::new(Pme::<7>::new(topology, beta, mesh)?)),
        8 => Ok(Box::new(Pme::<8>::new(topology, beta, mesh)?)),
        12 => Ok(Box::new(Pme::<12>::new(topology, beta, mesh)?)),
        _ => Err(ElectrostaticsError::Order(order)),
    }
}

fn boxed<const P: usize>(
    topology: &Topology,
    beta: f64,
    mesh: [usize; 3],
    precision: Precision,
) -> Result<Box<dyn ForceTerm>, ElectrostaticsError> {
    Ok(match precision {
        Precision::Double => Box::new(Pme::<P>::new(topology, beta, mesh)?),
        Precision::Mixed => Box::new(Pme::<P, f32>::mixed(topology, beta, mesh)?),
    })
}

/// Smooth particle-mesh Ewald with B-splines of order `P` on a mesh of numbers `T`. Where forces alone are asked for the mesh
/// gives none to frozen atoms.
pub struct Pme<const P: usize, T: MeshNumber = f64> {
    charges: Charges<P, T>,
    corrections: Corrections,
    influence: Influence<T>,
    fft: MeshFft<T>,
    /// Energy and virial by wave number along c.
    waves: Vec<Waves>,
    /// What [`ForceTerm::prepare`] has left for [`ForceTerm::add`]: see [`Pme::solve`].
    potential: Option<Vec<T>>,
}

impl<const P: usize> Pme<P, f64> {
    /// The term for the charges of `topology` with splitting parameter `beta` (nm⁻¹) on `mesh` points along a, b, c, in
    /// double precision throughout.
    pub fn new(topology: &Topology, beta: f64, mesh: [usize; 3]) -> Result<Self, ElectrostaticsError> {
        Self::with_instructions(topology, beta, mesh, Isa::current())
    }
}

impl<const P: usize> Pme<P, f32> {
    /// As [`Pme::new`], with mesh and FFT in single precision; positions, and the sums of energy and virial, in double.
    pub fn mixed(topology: &Topology, beta: f64, mesh: [usize; 3]) -> Result<Self, ElectrostaticsError> {
        Self::with_instructions(topology, beta, mesh, Isa::current())
    }
}

impl<const P: usize, T: MeshNumber> Pme<P, T> {
    fn with_instructions(
        topology: &Topology,
        beta: f64,
        mesh: [usize; 3],
        isa: Isa,
    ) -> Result<Self, ElectrostaticsError> {
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
        let charges = Charges::new(topology, mesh, isa);
        let fft = MeshFft::new(mesh, isa);
        Ok(Pme {
            corrections: Corrections::new(topology, beta, isa, T::SHORT),
            influence: Influence::new::<P>(mesh, beta, isa),
            waves: vec![Waves::default(); fft.planes()],
            potential: None,
            fft,
            charges,
        })
    }

    /// Adds forces, energy and virial as [`ForceTerm::add`] does, and returns the parts of the energy.
    pub fn components(&mut self, system: &System, want: Request, out: &mut Forces) -> Result<Components, ForceError> {
        if self.potential.is_none() {
            self.prepare(system, want)?;
        }
        let potential = self.potential.take().unwrap_or_default();
        let waves = self.waves.iter().copied().sum();
        let (charges, gradients) = (&self.charges, self.influence.mesh_gradients());
        let gather = |first: usize, forces: &mut [Vec3]| charges.gather(&potential, &gradients, want, first, forces);
        let components = self.corrections.add(system, waves, want, out, gather);
        self.charges.give_back(potential);
        Ok(components)
    }

    /// From the charges on the mesh to the potential (kJ mol⁻¹ e⁻¹), \[a\]\[b\]\[c\], rows and planes padded, in the
    /// memory that the charges had.
    fn solve(&mut self, want: Request) -> Vec<T> {
        let (charges, influence) = (&self.charges, &self.influence);
        let (row, plane) = (charges.row(), charges.plane());
        let collect = |a: usize, plane: &mut [T]| charges.collect(a, plane);
        let apply = |c: usize, plane: &mut [Complex<T>]| influence.apply(c, plane, want);
        self.fft.transform(plane, row, collect, apply, &mut self.waves);
        let mut potential = self.charges.lend();
        let charges = &self.charges;
        let mesh = &mut potential[..charges.n[0] * plane];
        self.fft.transform_back(mesh, row, |plane| charges.pad(plane));
        potential
    }

    /// One stage of [`Pme::components`] alone, on what earlier ones left, for benches.
    pub fn stage(&mut self, stage: Stage, system: &System, want: Request, out: &mut Forces) {
        let (charges, influence) = (&mut self.charges, &mut self.influence);
        match stage {
            Stage::Influence => influence.update(system.cell),
            Stage::Locate => charges.locate(system),
            Stage::Spread => charges.spread(),
            Stage::Solve => {
                let potential = self.solve(want);
                self.charges.give_back(potential);
            }
            Stage::Gather => {
                let (potential, gradients) = (charges.lend(), influence.mesh_gradients());
                let blocks = out.on.par_chunks_mut(BLOCK).enumerate();
                blocks.for_each(|(block, forces)| charges.gather(&potential, &gradients, want, BLOCK * block, forces));
                charges.give_back(potential);
            }
            Stage::Corrections => {
                self.corrections.add(system, Waves::default(), want, out, |_, _| ());
            }
        }
    }
}

/// The stages of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The influence function of the cell, where the cell is new.
    Influence,
    /// Mesh points and weights of every charge.
    Locate,
    /// Charges onto the mesh.
    Spread,
    /// FFT, influence function, inverse FFT.
    Solve,
    /// Forces from the potential on the mesh.
    Gather,
    /// Excluded pairs, self energy, background.
    Corrections,
}

impl<const P: usize, T: MeshNumber> ForceTerm for Pme<P, T> {
    fn name(&self) -> &'static str {
        COULOMB_RECIPROCAL
    }

    fn is_long_range(&self) -> bool {
        true
    }

    fn prepare(&mut self, system: &System, want: Request) -> Result<(), ForceError> {
        self.corrections.check(system, COULOMB_RECIPROCAL)?;
        // Where an evaluation came to nothing.
        if let Some(potential) = self.potential.take() {
            self.charges.give_back(potential);
        }
        self.influence.update(system.cell);
        self.charges.locate(system);
        self.charges.spread();
        self.potential = Some(self.solve(want));
        Ok(())
    }

    fn add(&mut self, system: &System, want: Request, out: &mut Forces) -> Result<(), ForceError> {
        self.components(system, want, out).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use amelo_core::{Cell, Exclusions};
    use amelo_math::Mat3;
    use amelo_math::philox::Noise;

    use super::*;

    /// 300 charges in an oblique cell, some of them frozen; consecutive ones are excluded.
    fn system(frozen: &[u32]) -> System {
        let cell = Cell::new(Mat3::from_array([[2.3, 0.0, 0.0], [0.7, 2.1, 0.0], [-0.6, 0.5, 1.9]])).unwrap();
        let noise = Noise::new(3, 900);
        let position = |i: u32| {
            let ([x, y], [z, _]) = (noise.uniform2(i, 0, 0), noise.uniform2(i, 0, 1));
            cell.to_cartesian(Vec3::new(x, y, z))
        };
        let topology = Topology {
            type_of: vec![0; 300].into(),
            masses: vec![1.0; 300].into(),
            charges: (0..300).map(|i| [0.7, -0.4, -0.3][i % 3]).collect(),
            exclusions: Exclusions::new(300, (0..299).map(|i| [i, i + 1])),
            frozen: (0..300).map(|i| frozen.contains(&i)).collect(),
            ..Topology::default()
        };
        System::new(Arc::new(topology), cell, (0..300).map(position).collect())
    }

    fn evaluate<const P: usize, T: MeshNumber>(system: &System, isa: Isa) -> Forces {
        let mut term = Pme::<P, T>::with_instructions(&system.topology, 3.0, [20, 21, 25], isa).unwrap();
        let mut out = Forces::new(300);
        term.add(system, Request::ALL, &mut out).unwrap();
        out
    }

    /// RMS difference of the forces over their RMS, and relative differences of energy and virial.
    fn differences(a: &Forces, b: &Forces) -> [f64; 3] {
        let square = |f: &mut dyn Iterator<Item = Vec3>| f.map(|f| f.norm2()).sum::<f64>();
        let force = square(&mut a.on.iter().zip(&b.on).map(|(a, b)| *a - *b)) / square(&mut b.on.iter().copied());
        let energy = (a.energy.potential() / b.energy.potential() - 1.0).abs();
        [force.sqrt(), energy, (a.virial - b.virial).max_abs() / b.virial.max_abs()]
    }

    #[test]
    fn instruction_sets_and_precisions_agree() {
        let system = system(&[]);
        let reference = evaluate::<4, f64>(&system, Isa::Portable);
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
            let double = differences(&evaluate::<4, f64>(&system, isa), &reference);
            assert!(double.into_iter().all(|d| d < 1e-13), "{isa:?}, double: {double:?}");
            let mixed = differences(&evaluate::<4, f32>(&system, isa), &reference);
            println!("{isa:?}, mixed: {mixed:?}");
            // A few hundred times the rounding of f32: the forces on a charge are differences of larger terms.
            assert!(mixed.into_iter().all(|d| d < 2e-5), "{isa:?}, mixed: {mixed:?}");
            assert!(mixed[0] > 1e-9, "an f32 mesh has the rounding of f32");
        }
    }

    #[test]
    fn bits_do_not_depend_on_threads() {
        let system = system(&[20, 21, 22, 150, 151]);
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
            let on = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| (evaluate::<4, f32>(&system, isa), evaluate::<4, f64>(&system, isa)))
            };
            let one = on(1);
            for threads in [2, 3, 8] {
                assert!(on(threads) == one, "{isa:?}, {threads} threads");
            }
        }
    }

    #[test]
    fn preparing_changes_no_bit_even_where_nothing_was_added() {
        let (there, mut here) = (system(&[]), system(&[]));
        here.positions.iter_mut().for_each(|r| *r += Vec3::new(0.03, 0.01, -0.02));
        here.positions.swap(0, 3);
        let mut term = Pme::<4, f32>::mixed(&here.topology, 3.0, [20, 21, 25]).unwrap();
        term.prepare(&there, Request::FORCES).unwrap();
        term.prepare(&here, Request::ALL).unwrap();
        let mut out = Forces::new(300);
        term.add(&here, Request::ALL, &mut out).unwrap();
        assert_eq!(out, evaluate::<4, f32>(&here, Isa::current()));
        assert_ne!(out, evaluate::<4, f32>(&there, Isa::current()));
    }

    #[test]
    fn the_mesh_moves_no_frozen_atom_where_forces_alone_are_asked_for() {
        let system = system(&(60..160).collect::<Vec<u32>>());
        let evaluate = |want| {
            let mut out = Forces::new(300);
            Pme::<4, f32>::mixed(&system.topology, 3.0, [20, 21, 25]).unwrap().add(&system, want, &mut out).unwrap();
            out.on
        };
        let (forces, whole) = (evaluate(Request::FORCES), evaluate(Request::ALL));
        for i in 0..300 {
            assert_eq!(forces[i] == whole[i], !system.topology.frozen[i], "atom {i}");
        }
    }

    // A term that has seen frozen charges before, at the same place or elsewhere, gives what a new one gives.
    #[test]
    fn kept_frozen_charges_change_no_bit() {
        let frozen: Vec<u32> = (60..160).collect();
        let mut system = system(&frozen);
        let mut term = Pme::<4, f32>::mixed(&system.topology, 3.0, [20, 21, 25]).unwrap();
        let mut evaluations = Vec::new();
        for (step, move_frozen) in [false, false, true, false, true].into_iter().enumerate() {
            for (i, r) in system.positions.iter_mut().enumerate() {
                if move_frozen || !system.topology.frozen[i] {
                    *r += Vec3::new(0.01, -0.02, 0.015) * (1.0 + (i % 7) as f64);
                }
            }
            if step == 3 {
                system.cell = Cell::orthorhombic(2.4, 2.2, 1.9).unwrap();
            }
            let mut kept = Forces::new(300);
            term.add(&system, Request::ALL, &mut kept).unwrap();
            let mut new = Forces::new(300);
            Pme::<4, f32>::mixed(&system.topology, 3.0, [20, 21, 25])
                .unwrap()
                .add(&system, Request::ALL, &mut new)
                .unwrap();
            assert_eq!(kept, new, "step {step}");
            evaluations.push(kept);
        }
        assert!(evaluations.windows(2).all(|pair| pair[0].energy != pair[1].energy), "every step is another system");
        // And frozen or not, the charges are the same.
        let mut mobile = system.clone();
        mobile.topology = Arc::new(Topology { frozen: vec![false; 300], ..(*system.topology).clone() });
        let other = differences(&evaluate::<4, f64>(&mobile, Isa::best()), &evaluate::<4, f64>(&system, Isa::best()));
        assert!(other.into_iter().all(|d| d < 1e-13), "{other:?}");
    }
}
