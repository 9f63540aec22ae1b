//! Bodies: what a change of the cell moves as a whole.
//!
//! A free atom is a body. Atoms joined by constraints are one body, moved with its centre of mass, so that the
//! scaling never breaks a constraint and needs no constraint force. Frozen atoms of one molecule are one body.
//! The pressure that belongs to this motion is the one over bodies,
//!
//! P_αα = (Σ_b M_b V_bα² + W_αα − Σ_i ρ_iα F_iα) / V,   ρ_i = r_i − R_b,
//!
//! whose mean is that of the atomic pressure with constraint forces; R_b is the body's centre of mass.
//! With it the map (r, p) → (scaled r, inversely scaled p) of bodies is canonical: its Jacobian is exactly one.

use amelo_core::{Cell, Forces, NearestImage, System};
use amelo_math::Vec3;

use crate::Motion;

/// The bodies of more than one atom or without motion; every other atom is one by itself.
#[derive(Clone, Debug)]
pub struct Bodies {
    compound: Vec<Body>,
    /// Atoms that are bodies by themselves, ascending.
    single: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Body {
    atoms: Vec<u32>,
    /// Weights of the atoms in the centre; they add up to one.
    weights: Vec<f64>,
    /// Mass (u), or `None` where a frozen atom belongs to it.
    mass: Option<f64>,
    /// For bodies that may be as large as the cell: box vectors to add to each atom, relative to the first, beside
    /// those of `images`, so that the body is whole.
    lattice: Option<Vec<[i32; 3]>>,
}

impl Bodies {
    /// The bodies of `system`.
    pub fn new(system: &System, motion: &Motion) -> Self {
        let topology = &system.topology;
        let n = system.n_atoms();
        let mut compound: Vec<Body> = Vec::new();
        let mut taken = vec![false; n];
        let frozen = |atom: usize| motion.inverse_masses[atom] == 0.0;
        for molecule in &topology.molecules {
            let atoms: Vec<u32> =
                (molecule.first..molecule.first + molecule.count).filter(|&a| frozen(a)).map(|a| a as u32).collect();
            if !atoms.is_empty() {
                compound.push(Body::frozen(system, atoms));
            }
        }
        for body in &compound {
            body.atoms.iter().for_each(|&a| taken[a as usize] = true);
        }
        let stray: Vec<u32> = (0..n).filter(|&a| frozen(a) && !taken[a]).map(|a| a as u32).collect();
        if !stray.is_empty() {
            stray.iter().for_each(|&a| taken[a as usize] = true);
            compound.push(Body::frozen(system, stray));
        }
        for group in motion.constraints.groups() {
            match compound.iter_mut().find(|b| b.atoms.iter().any(|a| group.contains(a))) {
                // A constraint to a frozen atom: its mobile end is carried along.
                Some(body) => body.carry(system, group),
                None => compound.push(Body::mobile(&topology.masses, group)),
            }
            group.iter().for_each(|&a| taken[a as usize] = true);
        }
        let single = (0..n).filter(|&a| !taken[a]).map(|a| a as u32).collect();
        Bodies { compound, single }
    }

    /// Diagonal of the pressure over bodies times the volume (kJ/mol). `ahead` (ps) is by how much the velocities
    /// are ahead of `forces` (half a time step between kick and drift, else zero); the kinetic energy is the mean
    /// of the two half-steps adjacent to the instant of the forces.
    pub fn pressure_volume(&self, system: &System, forces: &Forces, motion: &Motion, ahead: f64) -> Vec3 {
        let (half, image) = (0.5 * motion.timestep, system.cell.nearest_image());
        let square = |v: Vec3| Vec3::new(v.x * v.x, v.y * v.y, v.z * v.z);
        // Σ M V² at both half-steps: M (V² + (½ dt A)²) with V at the instant of the forces.
        let kinetic = |mass: f64, v: Vec3, f: Vec3| {
            let a = f / mass;
            (square(v - a * ahead) + square(a * half)) * mass
        };
        let mut sum: Vec3 = self
            .single
            .iter()
            .map(|&i| i as usize)
            .filter(|&i| motion.inverse_masses[i] > 0.0)
            .map(|i| kinetic(system.topology.masses[i], system.velocities[i], forces.on[i]))
            .sum();
        for body in &self.compound {
            if let Some(mass) = body.mass {
                let v = body.mean(|i| system.velocities[i]);
                let f = body.atoms.iter().map(|&i| forces.on[i as usize]).sum();
                sum += kinetic(mass, v, f);
            }
            let centre = body.centre(system, &image);
            for (k, &i) in body.atoms.iter().enumerate() {
                let (rho, f) = (body.beside_first(system, &image, k) - centre, forces.on[i as usize]);
                sum -= Vec3::new(rho.x * f.x, rho.y * f.y, rho.z * f.z);
            }
        }
        sum + Vec3::new(forces.virial[(0, 0)], forces.virial[(1, 1)], forces.virial[(2, 2)])
    }

    /// Scales the centres of all bodies by `factor` and their velocities by its inverse, axis by axis, and puts
    /// `cell` in place. Images stay; the moves are not booked as displacements.
    pub fn scale(&self, system: &mut System, factor: Vec3, cell: Cell) {
        let times = |a: Vec3, b: Vec3| Vec3::new(a.x * b.x, a.y * b.y, a.z * b.z);
        let inverse = Vec3::new(1.0 / factor.x, 1.0 / factor.y, 1.0 / factor.z);
        for &i in &self.single {
            let i = i as usize;
            system.positions[i] = times(system.positions[i], factor);
            system.velocities[i] = times(system.velocities[i], inverse);
        }
        let (one, image) = (Vec3::new(1.0, 1.0, 1.0), system.cell.nearest_image());
        for body in &self.compound {
            let change = body.mass.map_or(Vec3::ZERO, |_| {
                let v = body.mean(|i| system.velocities[i]);
                times(v, inverse - one)
            });
            let (first, centre) = (system.positions[body.atoms[0] as usize], body.centre(system, &image));
            for (k, &i) in body.atoms.iter().enumerate() {
                let rho = body.beside_first_at(system, &image, k, first) - centre;
                let r = &mut system.positions[i as usize];
                // The centre's image that is nearest to this atom in the body.
                *r += times(*r - rho, factor - one);
                system.velocities[i as usize] += change;
            }
        }
        system.cell = cell;
        system.wrap();
    }
}

impl Body {
    /// A group of atoms held together by constraints, smaller than half the cell.
    fn mobile(masses: &[f64], atoms: &[u32]) -> Self {
        let mass: f64 = atoms.iter().map(|&a| masses[a as usize]).sum();
        let weights = atoms.iter().map(|&a| masses[a as usize] / mass).collect();
        Body { atoms: atoms.to_vec(), weights, mass: Some(mass), lattice: None }
    }

    /// Frozen atoms of one molecule, possibly a slab that reaches through the cell: cut at its largest gap along z.
    fn frozen(system: &System, atoms: Vec<u32>) -> Self {
        let height = |a: u32| system.cell.to_fractional(system.unwrapped(a as usize)).z;
        let folded = |a: u32| height(a) - height(a).floor();
        let mut order: Vec<f64> = atoms.iter().map(|&a| folded(a)).collect();
        order.sort_by(f64::total_cmp);
        let n = order.len();
        // Gap above the k-th atom, to the next one or around the cell.
        let gap = |k: usize| if k + 1 < n { order[k + 1] - order[k] } else { order[0] + 1.0 - order[n - 1] };
        let above = (0..n).max_by(|&p, &q| gap(p).total_cmp(&gap(q))).unwrap_or(n - 1);
        let cut = order[above];
        // Atoms above the gap go one cell down, and every atom's own crossings are taken back.
        let shift = |a: u32| -(height(a).floor() as i32) - i32::from(folded(a) > cut);
        let first = shift(atoms[0]);
        let lattice = atoms.iter().map(|&a| [0, 0, shift(a) - first]).collect();
        let weights = vec![1.0 / n as f64; n];
        Body { atoms, weights, mass: None, lattice: Some(lattice) }
    }

    /// Adds the mobile atoms of `group` with weight zero, each at its nearest image.
    fn carry(&mut self, system: &System, group: &[u32]) {
        let Some(&anchor) = group.iter().find(|a| self.atoms.contains(a)) else { return };
        for &atom in group.iter().filter(|a| !self.atoms.contains(a)).collect::<Vec<_>>() {
            let place = self.atoms.iter().position(|&a| a == anchor).unwrap_or(0);
            let (i, j) = (anchor as usize, atom as usize);
            let apart = system.unwrapped(j) - system.unwrapped(i);
            let extra = system.cell.to_fractional(system.cell.minimum_image(apart) - apart);
            self.atoms.push(atom);
            self.weights.push(0.0);
            if let Some(lattice) = &mut self.lattice {
                let base = lattice[place];
                lattice.push([0, 1, 2].map(|k| base[k] + extra[k].round_ties_even() as i32));
            }
        }
    }

    fn mean(&self, of: impl Fn(usize) -> Vec3) -> Vec3 {
        self.atoms.iter().zip(&self.weights).map(|(&a, w)| of(a as usize) * *w).sum()
    }

    /// Atom `k` relative to the first, the body being whole. A pure function of positions and *differences* of images, so
    /// that it has the same bits wherever in the lattice the body has wandered.
    fn beside_first(&self, system: &System, image: &NearestImage, k: usize) -> Vec3 {
        self.beside_first_at(system, image, k, system.positions[self.atoms[0] as usize])
    }

    /// The same, with the position of the first atom `from` where it stood before it was moved.
    fn beside_first_at(&self, system: &System, image: &NearestImage, k: usize, from: Vec3) -> Vec3 {
        let i = self.atoms[k] as usize;
        let d = system.positions[i] - from;
        match &self.lattice {
            None => image.of(d),
            Some(lattice) => {
                let (a, b, n) = (system.images[i], system.images[self.atoms[0] as usize], lattice[k]);
                d + system.cell.shift([0, 1, 2].map(|x| a[x] - b[x] + n[x]))
            }
        }
    }

    /// R relative to the first atom: ρ_i = r_i − R is [`Body::beside_first`] minus this.
    fn centre(&self, system: &System, image: &NearestImage) -> Vec3 {
        self.weights.iter().enumerate().map(|(k, w)| self.beside_first(system, image, k) * *w).sum()
    }
}
