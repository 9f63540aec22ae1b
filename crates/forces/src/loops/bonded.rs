//! The sweeps over bonds, angles, dihedrals and impropers: one term per class.

use amelo_core::{Class, ForceError, ForceTerm, Forces, Request, System, Topology};
use amelo_math::fixed::{FixedVec3, MAX_FORCE};
use amelo_math::{Mat3, Vec3};

use super::Sweep;
use crate::ForcesError;
use crate::bonded::geometry::{angle_with_gradient, dihedral_with_gradient};
use crate::bonded::{AnyAngle, AnyBond, AnyDihedral, AnyForm, AnyImproper};

/// Interactions per unit of work: fixed, so that energies are summed in the same order on any number of threads.
const CHUNK: usize = 256;

/// Every bonded term that the topology has: keys `bond`, `angle`, `dihedral`, `improper`.
/// Errors: an unknown form, parameters that it refuses, atoms that do not exist.
pub fn bonded_terms(topology: &Topology) -> Result<Vec<Box<dyn ForceTerm>>, ForcesError> {
    let mut terms: Vec<Box<dyn ForceTerm>> = Vec::new();
    push(&mut terms, BondedTerm::<AnyBond, 2>::new(topology, Class::Bond, "bond", bond)?);
    push(&mut terms, BondedTerm::<AnyAngle, 3>::new(topology, Class::Angle, "angle", angle)?);
    push(&mut terms, BondedTerm::<AnyDihedral, 4>::new(topology, Class::Dihedral, "dihedral", dihedral)?);
    push(&mut terms, BondedTerm::<AnyImproper, 4>::new(topology, Class::Improper, "improper", dihedral)?);
    Ok(terms)
}

fn push<A: AnyForm, const N: usize>(terms: &mut Vec<Box<dyn ForceTerm>>, term: BondedTerm<A, N>) {
    if !term.interactions.is_empty() {
        terms.push(Box::new(term));
    }
}

/// Energy, forces on the N atoms, and virial of one interaction.
struct Contribution<const N: usize> {
    energy: f64,
    forces: [Vec3; N],
    virial: Mat3,
}

/// From the form and the vectors r_{m+1} − r_m between successive atoms.
type Kernel<A, const N: usize> = fn(&A, &[Vec3; N]) -> Contribution<N>;

/// All interactions of one class.
struct BondedTerm<A, const N: usize> {
    key: &'static str,
    forms: Vec<A>,
    interactions: Vec<([u32; N], u32)>,
    kernel: Kernel<A, N>,
    sweep: Sweep,
}

impl<A: AnyForm, const N: usize> BondedTerm<A, N> {
    fn new(topology: &Topology, class: Class, key: &'static str, kernel: Kernel<A, N>) -> Result<Self, ForcesError> {
        let mut forms = Vec::new();
        let mut interactions = Vec::new();
        for list in topology.interactions.iter().filter(|l| l.class == class) {
            let first = forms.len() as u32;
            for parameters in &list.parameters {
                forms.push(A::new(&list.form, parameters)?);
            }
            if list.atoms.len() != N * list.kind.len() {
                return Err(ForcesError::Mismatch {
                    message: format!("{key} {}: {} atoms for {} interactions", list.form, list.atoms.len(), list.len()),
                });
            }
            for (atoms, &kind) in list.atoms.chunks_exact(N).zip(&list.kind) {
                let bad =
                    atoms.iter().any(|&a| a as usize >= topology.n_atoms()) || kind as usize >= list.parameters.len();
                if bad {
                    return Err(ForcesError::Mismatch {
                        message: format!(
                            "{key} {} of atoms {atoms:?} with parameters {kind}, but there are {} atoms and {} \
                             parameter rows",
                            list.form,
                            topology.n_atoms(),
                            list.parameters.len()
                        ),
                    });
                }
                let mut fixed = [0; N];
                fixed.copy_from_slice(atoms);
                interactions.push((fixed, first + kind));
            }
        }
        Ok(BondedTerm { key, forms, interactions, kernel, sweep: Sweep::default() })
    }
}

impl<A: AnyForm, const N: usize> ForceTerm for BondedTerm<A, N> {
    fn name(&self) -> &'static str {
        self.key
    }

    fn add(&mut self, system: &System, want: Request, out: &mut Forces) -> Result<(), ForceError> {
        let (key, forms, interactions, kernel) = (self.key, &self.forms, &self.interactions, self.kernel);
        let sums = self.sweep.run(interactions.len().div_ceil(CHUNK), &mut out.on, |chunk, forces| {
            let (mut energy, mut virial) = (0.0, Mat3::ZERO);
            let last = interactions.len().min((chunk + 1) * CHUNK);
            for (atoms, kind) in &interactions[chunk * CHUNK..last] {
                let mut steps = [Vec3::ZERO; N];
                for m in 0..N - 1 {
                    let d = system.positions[atoms[m + 1] as usize] - system.positions[atoms[m] as usize];
                    steps[m] = system.cell.minimum_image(d);
                }
                let c = kernel(&forms[*kind as usize], &steps);
                energy += c.energy;
                virial += c.virial;
                for (atom, force) in atoms.iter().zip(c.forces) {
                    let size = force.norm();
                    if !size.is_finite() || size > MAX_FORCE {
                        let (i, j) = (atoms[0] as usize, atoms[1] as usize);
                        return Err(ForceError::Overlap { term: key, i, j, r: steps[0].norm(), force: size });
                    }
                    forces[*atom as usize].add(FixedVec3::from_vec3(force));
                }
            }
            Ok((energy, virial))
        })?;
        if want.energy {
            out.energy.add(key, sums.iter().map(|(e, _)| e).sum());
        }
        if want.virial {
            out.virial += sums.iter().map(|(_, w)| *w).sum();
        }
        Ok(())
    }
}

fn bond<A: AnyForm>(form: &A, steps: &[Vec3; 2]) -> Contribution<2> {
    let d = steps[0]; // r_j − r_i
    let r = d.norm();
    let eval = form.eval(r);
    // Two atoms on one spot have no direction to push in.
    let on_i = if r > 0.0 { d * (eval.slope / r) } else { Vec3::ZERO };
    Contribution { energy: eval.energy, forces: [on_i, -on_i], virial: (-d).outer(on_i) }
}

fn angle<A: AnyForm>(form: &A, steps: &[Vec3; 3]) -> Contribution<3> {
    let (a, b) = (-steps[0], steps[1]); // from the vertex to both ends
    let (theta, [by_a, by_b]) = angle_with_gradient(a, b);
    let eval = form.eval(theta);
    let (mut on_i, mut on_k) = (by_a * -eval.slope, by_b * -eval.slope);
    let mut energy = eval.energy;
    let ends = a - b; // r_i − r_k
    let r = ends.norm();
    if let Some(spring) = form.eval_ends(r) {
        energy += spring.energy;
        if r > 0.0 {
            let on_end = ends * (-spring.slope / r);
            on_i += on_end;
            on_k -= on_end;
        }
    }
    Contribution { energy, forces: [on_i, -on_i - on_k, on_k], virial: a.outer(on_i) + b.outer(on_k) }
}

fn dihedral<A: AnyForm>(form: &A, steps: &[Vec3; 4]) -> Contribution<4> {
    let [b1, b2, b3, _] = *steps;
    let (phi, gradient) = dihedral_with_gradient(b1, b2, b3);
    let eval = form.eval(phi);
    let forces = gradient.map(|g| g * -eval.slope);
    // Positions relative to j: forces add up to zero, so the origin does not matter.
    let virial = (-b1).outer(forces[0]) + b2.outer(forces[2]) + (b2 + b3).outer(forces[3]);
    Contribution { energy: eval.energy, forces, virial }
}
