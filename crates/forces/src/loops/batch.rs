//! Batches of interactions of N atoms: arrays over the interactions, one for each component of each vector, so that the
//! loops over them are the compiler's to vectorise. Everything here is inlined into functions that are compiled for one
//! instruction set.

use amelo_core::{ForceError, NearestImage};
use amelo_math::fixed::{FixedVec3, MAX_FORCE, SMALL_FORCE, small_to_fixed};
use amelo_math::{Mat3, Vec3};

/// Interactions whose arrays are worked on together: they stay in the first cache.
pub(crate) const WIDTH: usize = 64;

/// Lanes of the widest vectors: arrays are filled up to a multiple of them, so that no loop has a rest.
const VECTOR: usize = 8;

/// One number per interaction.
pub(crate) type Lanes = [f64; WIDTH];

/// No number yet.
pub(crate) const ZERO: Lanes = [0.0; WIDTH];

/// A batch of interactions, component by component.
pub(crate) struct Arrays<const N: usize> {
    /// Positions, then the vectors r_{m+1} − r_m at place m.
    pub r: [[Lanes; 3]; N],
    /// Forces.
    pub f: [[Lanes; 3]; N],
    /// Σ |f|² over the atoms.
    pub size2: Lanes,
}

/// `n` interactions and as many copies of the last as fill the vectors.
#[inline(always)]
pub(crate) fn padded(n: usize) -> std::ops::Range<usize> {
    0..n.min(WIDTH).div_ceil(VECTOR) * VECTOR
}

#[inline(always)]
pub(crate) fn at(v: &[Lanes; 3], l: usize) -> Vec3 {
    Vec3::new(v[0][l], v[1][l], v[2][l])
}

#[inline(always)]
pub(crate) fn put(v: &mut [Lanes; 3], l: usize, value: Vec3) {
    (v[0][l], v[1][l], v[2][l]) = (value.x, value.y, value.z);
}

impl<const N: usize> Arrays<N> {
    pub const ZERO: Self = Arrays { r: [[ZERO; 3]; N], f: [[ZERO; 3]; N], size2: ZERO };

    /// The vectors between successive atoms of each interaction, at their nearest images.
    #[inline(always)]
    pub fn load(&mut self, atoms: &[[u32; N]], image: &NearestImage, positions: &[Vec3]) {
        for l in padded(atoms.len()) {
            let atoms = atoms[l.min(atoms.len() - 1)];
            for m in 0..N {
                put(&mut self.r[m], l, positions[atoms[m] as usize]);
            }
        }
        for l in padded(atoms.len()) {
            for m in 0..N - 1 {
                let step = image.of(at(&self.r[m + 1], l) - at(&self.r[m], l));
                put(&mut self.r[m], l, step);
            }
        }
    }

    /// Writes the forces on the atoms of interaction `l`.
    #[inline(always)]
    pub fn put(&mut self, l: usize, forces: [Vec3; N]) {
        self.size2[l] = 0.0;
        for m in 0..N {
            self.size2[l] += forces[m].norm2();
            put(&mut self.f[m], l, forces[m]);
        }
    }

    /// Adds the virials r ⊗ f of `n` interactions to `sums`, place by place.
    #[inline(always)]
    pub fn add_virial(&self, n: usize, sums: &mut [[Lanes; 3]; 3]) {
        for l in 0..n.min(WIDTH) {
            // Positions relative to the first atom: forces add up to zero, so the origin does not matter.
            let mut from_first = Vec3::ZERO;
            for m in 1..N {
                from_first += at(&self.r[m - 1], l);
                let force = at(&self.f[m], l);
                for a in 0..3 {
                    for b in 0..3 {
                        sums[a][b][l] += from_first[a] * force[b];
                    }
                }
            }
        }
    }

    /// Adds the forces in fixed point. Errors: one that leaves the range of numbers.
    #[inline(always)]
    pub fn store(&self, key: &'static str, atoms: &[[u32; N]], forces: &mut [FixedVec3]) -> Result<(), ForceError> {
        if self.size2[..atoms.len()].iter().all(|s| *s < SMALL_FORCE * SMALL_FORCE) {
            let mut fixed = [[[0; WIDTH]; 3]; N];
            for m in 0..N {
                for axis in 0..3 {
                    for l in padded(atoms.len()) {
                        fixed[m][axis][l] = small_to_fixed(self.f[m][axis][l]);
                    }
                }
            }
            for (l, atoms) in atoms.iter().enumerate() {
                for m in 0..N {
                    forces[atoms[m] as usize].add(FixedVec3([fixed[m][0][l], fixed[m][1][l], fixed[m][2][l]]));
                }
            }
            return Ok(());
        }
        for (l, atoms) in atoms.iter().enumerate() {
            for m in 0..N {
                let force = at(&self.f[m], l);
                let size = force.norm();
                if !size.is_finite() || size > MAX_FORCE {
                    let (i, j) = (atoms[0] as usize, atoms[1] as usize);
                    return Err(ForceError::Overlap { term: key, i, j, r: at(&self.r[0], l).norm(), force: size });
                }
                forces[atoms[m] as usize].add(FixedVec3::from_vec3(force));
            }
        }
        Ok(())
    }
}

/// The matrix of sums over all places.
#[inline(always)]
pub(crate) fn total(sums: &[[Lanes; 3]; 3]) -> Mat3 {
    Mat3::from_array(sums.each_ref().map(|row| row.each_ref().map(|lanes| lanes.iter().sum())))
}
