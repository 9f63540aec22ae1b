//! One molecule in vacuum: a box so large that neither cut-off nor images matter.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use amelo_build::assign;
use amelo_core::{Cell, Coulomb, ForceProvider, Forces, Modifier, Nonbonded, Request, System, TermSum};
use amelo_forces::{NonbondedTerm, ScaledPairs, bonded_terms};
use amelo_io::parameters::{DihedralPlace, ForceFieldData, MoleculeTemplate, Place, SearchPath};
use amelo_math::Vec3;

/// The parameter files of the repository, as the program carries them.
pub fn potentials() -> SearchPath {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../potentials");
    let mut builtin: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|p| (p.file_stem().unwrap().to_string_lossy().into(), std::fs::read_to_string(&p).unwrap()))
        .collect();
    builtin.sort();
    SearchPath::builtin_only(builtin)
}

/// Energies by component (kJ/mol), and the numbers of bonds, angles, dihedrals and 1-4 pairs.
#[derive(Debug)]
pub struct Energies {
    pub total: f64,
    pub bond: f64,
    pub angle: f64,
    pub dihedral: f64,
    pub lj: f64,
    pub coulomb: f64,
    pub counts: [usize; 4],
}

fn provider(data: &ForceFieldData, molecule: &Arc<MoleculeTemplate>, positions: &[Vec3]) -> (TermSum, System) {
    let done = assign(std::slice::from_ref(molecule), data, &BTreeMap::new()).unwrap_or_else(|e| panic!("{e}"));
    let settings = Nonbonded {
        r_cut: 4.0,
        modifier: Modifier::None,
        dispersion_correction: false,
        coulomb: Coulomb::Cutoff,
        slab: None,
        precision: Default::default(),
    };
    let mut terms = bonded_terms(&done.topology).unwrap();
    terms.push(Box::new(NonbondedTerm::new(&done.topology, &done.pair_table, &settings).unwrap()));
    terms.push(Box::new(ScaledPairs::new(&done.topology, &done.pair_table, &settings).unwrap()));
    let cell = Cell::orthorhombic(12.0, 12.0, 12.0).unwrap();
    let middle = Vec3::new(6.0, 6.0, 6.0);
    let positions = positions.iter().map(|r| *r + middle).collect();
    (TermSum::new(terms), System::new(Arc::new(done.topology), cell, positions))
}

pub fn energies(data: &ForceFieldData, molecule: &Arc<MoleculeTemplate>, positions: &[Vec3]) -> Energies {
    let (mut terms, system) = provider(data, molecule, positions);
    let mut forces = Forces::new(system.n_atoms());
    terms.evaluate(&system, Request::ALL, &mut forces).unwrap();
    let e = &forces.energy;
    let count = |class| system.topology.interactions.iter().filter(|l| l.class == class).map(|l| l.len()).sum();
    use amelo_core::Class;
    Energies {
        total: e.potential(),
        bond: e.get("bond"),
        angle: e.get("angle"),
        dihedral: e.get("dihedral"),
        lj: e.get("vdw") + e.get("vdw_14"),
        coulomb: e.get("coulomb_real") + e.get("coulomb_14"),
        counts: [count(Class::Bond), count(Class::Angle), count(Class::Dihedral), system.topology.scaled_pairs.len()],
    }
}

pub fn xyz_positions(template: &MoleculeTemplate) -> Vec<Vec3> {
    template
        .atoms
        .iter()
        .map(|a| match a.place {
            Place::Xyz(r) => r,
            Place::Internal { .. } => panic!("{} has internal coordinates", a.name),
        })
        .collect()
}

/// Coordinates from the z-matrix, the `k`-th choice among rotamers being `dihedrals[k]` (deg).
pub fn from_internal(template: &MoleculeTemplate, dihedrals: &[f64]) -> Vec<Vec3> {
    let mut choices = dihedrals.iter().map(|d| d.to_radians());
    let mut r: Vec<Vec3> = Vec::new();
    for atom in &template.atoms {
        r.push(match &atom.place {
            Place::Xyz(at) => *at,
            Place::Internal { bond, length, angle: None, .. } => r[*bond] + Vec3::new(*length, 0.0, 0.0),
            Place::Internal { bond, length, angle: Some((b, theta)), dihedral } => {
                let axis = (r[*bond] - r[*b]).normalized();
                let (side, phi) = match dihedral {
                    None => (Vec3::new(0.3, 1.0, 0.2), 0.0),
                    Some((c, DihedralPlace::Fixed(phi))) => (r[*c] - r[*b], *phi),
                    Some((c, DihedralPlace::Rotamers(_))) => (r[*c] - r[*b], choices.next().expect("a choice")),
                };
                let u = (side - axis * side.dot(axis)).normalized();
                let v = axis.cross(u);
                r[*bond] - axis * (length * theta.cos()) + (u * phi.cos() + v * phi.sin()) * (length * theta.sin())
            }
        });
    }
    assert_eq!(choices.next(), None, "as many choices as rotamers");
    r
}

/// The conformer in which the group of `moved` atoms is turned about the axis from `axis[0]` to `axis[1]` until the
/// dihedral from `reference` over the axis to `moved[0]` has changed its sign.
pub fn turned(positions: &[Vec3], reference: usize, axis: [usize; 2], moved: &[usize]) -> Vec<Vec3> {
    let [a, b] = axis.map(|k| positions[k]);
    let u = (b - a).normalized();
    let across = |r: Vec3| (r - b) - u * u.dot(r - b);
    let (side, first) = (across(positions[reference]).normalized(), across(positions[moved[0]]));
    // Twice the angle from the group's first atom back to the plane of the reference.
    let angle = -2.0 * f64::atan2(first.dot(u.cross(side)), first.dot(side));
    let mut turned = positions.to_vec();
    for &k in moved {
        let (along, out) = (b + u * u.dot(positions[k] - b), across(positions[k]));
        turned[k] = along + out * angle.cos() + u.cross(out) * angle.sin();
    }
    turned
}

/// Energy (kJ/mol) at the minimum that steepest descent with momentum (FIRE) reaches from `positions`.
pub fn relaxed_energy(data: &ForceFieldData, molecule: &Arc<MoleculeTemplate>, positions: &[Vec3]) -> f64 {
    let (mut terms, mut system) = provider(data, molecule, positions);
    let n = system.n_atoms();
    let (mut forces, mut velocity) = (Forces::new(n), vec![Vec3::ZERO; n]);
    // Unit masses: the stiffest bonds have ω² ≈ 2·5·10⁵, so dt = 10⁻³ stays below 2/ω.
    let (mut dt, mut mix, mut downhill) = (2e-4, 0.1, 0);
    for _ in 0..20_000 {
        terms.evaluate(&system, Request::ALL, &mut forces).unwrap();
        let f2: f64 = forces.on.iter().map(|f| f.norm2()).sum();
        if f2.sqrt() < 0.02 {
            return forces.energy.potential();
        }
        let power: f64 = forces.on.iter().zip(&velocity).map(|(f, v)| f.dot(*v)).sum();
        if power > 0.0 {
            let scale = mix * (velocity.iter().map(|v| v.norm2()).sum::<f64>() / f2).sqrt();
            velocity.iter_mut().zip(&forces.on).for_each(|(v, f)| *v = *v * (1.0 - mix) + *f * scale);
            downhill += 1;
            if downhill > 5 {
                (dt, mix) = (f64::min(dt * 1.1, 1e-3), mix * 0.99);
            }
        } else {
            velocity.fill(Vec3::ZERO);
            (dt, mix, downhill) = (dt * 0.5, 0.1, 0);
        }
        for ((r, v), f) in system.positions.iter_mut().zip(&mut velocity).zip(&forces.on) {
            *v += *f * dt;
            *r += *v * dt;
        }
    }
    panic!("{} did not relax", molecule.name);
}
