//! Smooth particle-mesh Ewald: the sum over waves on a mesh.
//!
//! Charges are spread by B-splines of order P, the mesh is convolved with the Ewald kernel by FFT, and each force
//! is the analytic gradient of the interpolated energy
//! U = ½ Σ_m C(m) |Q̂(m)|², C = (4π k_e/V) exp(−k²/4β²)/k² |b₁ b₂ b₃|².
//! U. Essmann et al., J. Chem. Phys. 103, 8577 (1995), doi:10.1063/1.470117.

use amelo_core::{ForceError, ForceTerm, Forces, Precision, Request, System, Topology};
use amelo_math::Vec3;

use crate::charges::Charges;
use crate::corrections::{Components, Corrections, Waves};
use crate::influence::Influence;
use crate::mesh_fft::MeshFft;
use crate::number::MeshNumber;
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
    precision: Precision,
) -> Result<Box<dyn ForceTerm>, ElectrostaticsError> {
    match order {
        4 => boxed::<4>(topology, beta, mesh, precision),
        5 => boxed::<5>(topology, beta, mesh, precision),
        6 => boxed::<6>(topology, beta, mesh, precision),
        7 => boxed::<7>(topology, beta, mesh, precision),
        8 => boxed::<8>(topology, beta, mesh, precision),
        12 => boxed::<12>(topology, beta, mesh, precision),
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

/// Smooth particle-mesh Ewald with B-splines of order `P` on a mesh of numbers `T`.
pub struct Pme<const P: usize, T: MeshNumber = f64> {
    charges: Charges<P, T>,
    corrections: Corrections,
    influence: Influence<T>,
    fft: MeshFft<T>,
    /// \[a\]\[b\]\[c\], rows and planes padded: charge (e), then potential (kJ mol⁻¹ e⁻¹).
    mesh: Vec<T>,
    /// Energy and virial by wave number along c.
    waves: Vec<Waves>,
}

impl<const P: usize> Pme<P, f64> {
    /// The term for the charges of `topology` with splitting parameter `beta` (nm⁻¹) on `mesh` points along a, b, c, in
    /// double precision throughout.
    pub fn new(topology: &Topology, beta: f64, mesh: [usize; 3]) -> Result<Self, ElectrostaticsError> {
        Self::with_numbers(topology, beta, mesh)
    }
}

impl<const P: usize> Pme<P, f32> {
    /// As [`Pme::new`], with mesh and FFT in single precision; positions, and the sums of energy and virial, in double.
    pub fn mixed(topology: &Topology, beta: f64, mesh: [usize; 3]) -> Result<Self, ElectrostaticsError> {
        Self::with_numbers(topology, beta, mesh)
    }
}

impl<const P: usize, T: MeshNumber> Pme<P, T> {
    fn with_numbers(topology: &Topology, beta: f64, mesh: [usize; 3]) -> Result<Self, ElectrostaticsError> {
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
        let charges = Charges::new(topology, mesh);
        let fft = MeshFft::new(mesh);
        Ok(Pme {
            corrections: Corrections::new(topology, beta),
            influence: Influence::new::<P>(mesh, beta),
            mesh: vec![T::zero(); mesh[0] * charges.plane()],
            waves: vec![Waves::default(); fft.planes()],
            fft,
            charges,
        })
    }

    /// Adds forces, energy and virial as [`ForceTerm::add`] does, and returns the parts of the energy.
    pub fn components(&mut self, system: &System, want: Request, out: &mut Forces) -> Result<Components, ForceError> {
        self.corrections.check(system, COULOMB_RECIPROCAL)?;
        self.influence.update(system.cell);
        self.charges.locate(system);
        let (charges, influence) = (&self.charges, &self.influence);
        self.fft.convolve(
            &mut self.mesh,
            charges.row(),
            |a, plane| charges.spread(a, plane),
            |c, plane| influence.apply(c, plane, want),
            |plane| charges.pad(plane),
            &mut self.waves,
        );
        let waves = self.waves.iter().copied().sum();
        let (mesh, gradients) = (&self.mesh, influence.mesh_gradients());
        let gather = |first: usize, forces: &mut [Vec3]| charges.gather(mesh, &gradients, first, forces);
        Ok(self.corrections.add(system, waves, want, out, gather))
    }
}

impl<const P: usize, T: MeshNumber> ForceTerm for Pme<P, T> {
    fn name(&self) -> &'static str {
        COULOMB_RECIPROCAL
    }

    fn add(&mut self, system: &System, want: Request, out: &mut Forces) -> Result<(), ForceError> {
        self.components(system, want, out).map(|_| ())
    }
}
