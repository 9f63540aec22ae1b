//! Atoms sorted into the small cells of a grid; every image within a radius lies in a fixed stencil of them.

use amelo_core::Cell;
use amelo_math::Vec3;
use rayon::prelude::*;

/// Grid cells per radius along each axis: smaller cells fit the sphere better, larger ones are fewer.
const CELLS_PER_RADIUS: f64 = 2.0;

/// Atoms of a periodic cell in the order of grid cells.
pub(crate) struct Grid {
    /// Grid cells along a, b, c.
    n: [usize; 3],
    /// First atom in `atoms` of each grid cell, and the end.
    starts: Vec<u32>,
    /// Atom numbers by grid cell, ascending within one.
    atoms: Vec<u32>,
    /// Wrapped positions in the order of `atoms`, nm.
    sorted: Vec<Vec3>,
    /// \[n_atoms\] grid cell of each atom.
    cell_of: Vec<[u16; 3]>,
    /// \[n_atoms\] wrapped positions, nm.
    wrapped: Vec<Vec3>,
    /// Grid-cell offsets that can hold an atom within the radius.
    stencil: Vec<[i32; 3]>,
    /// Box vectors, for the shifts of images.
    cell: Cell,
    radius2: f64,
}

impl Grid {
    /// Sorts `positions` (nm) for searches within `radius` (nm).
    pub(crate) fn new(cell: &Cell, positions: &[Vec3], radius: f64) -> Self {
        let widths = cell.widths();
        // At most eight grid cells per atom, so that a vacuum costs nothing, and no more than u16 can number.
        let most = 2.0 * (positions.len() as f64).cbrt().ceil().max(1.0);
        let n =
            [0, 1, 2].map(|k| (widths[k] * CELLS_PER_RADIUS / radius).floor().clamp(1.0, most.min(60_000.0)) as usize);
        let (wrapped, cell_of): (Vec<Vec3>, Vec<[u16; 3]>) = positions
            .par_iter()
            .with_min_len(1024)
            .map(|&r| {
                let mut r = r;
                cell.wrap(&mut r, &mut [0; 3]);
                let s = cell.to_fractional(r);
                // The clamp takes the rounding of an atom that sits on a face.
                (r, [0, 1, 2].map(|k| (s[k] * n[k] as f64).clamp(0.0, n[k] as f64 - 1.0) as u16))
            })
            .unzip();

        let flat = |c: [u16; 3]| (usize::from(c[0]) * n[1] + usize::from(c[1])) * n[2] + usize::from(c[2]);
        let mut starts = vec![0u32; n[0] * n[1] * n[2] + 1];
        for &c in &cell_of {
            starts[flat(c) + 1] += 1;
        }
        for k in 1..starts.len() {
            starts[k] += starts[k - 1];
        }
        let mut next = starts.clone();
        let mut atoms = vec![0u32; positions.len()];
        for (atom, &c) in cell_of.iter().enumerate() {
            let slot = &mut next[flat(c)];
            atoms[*slot as usize] = atom as u32;
            *slot += 1;
        }
        let sorted = atoms.par_iter().with_min_len(1024).map(|&a| wrapped[a as usize]).collect();
        let stencil = stencil(cell, n, radius);
        Grid { n, starts, atoms, sorted, cell_of, wrapped, stencil, cell: *cell, radius2: radius * radius }
    }

    /// Fills `near` with the atoms of larger number that have an image within the radius of `atom`, in no order. Where the
    /// cell is narrower than two radii an atom may come more than once.
    pub(crate) fn gather_above(&self, atom: usize, near: &mut Vec<u32>) {
        let home = self.cell_of[atom].map(i32::from);
        let n = self.n.map(|k| k as i32);
        let mut found = 0;
        for offset in &self.stencil {
            let mut image = [0; 3];
            let mut c = [0; 3];
            for k in 0..3 {
                let index = home[k] + offset[k];
                image[k] = index.div_euclid(n[k]);
                c[k] = index.rem_euclid(n[k]) as usize;
            }
            let flat = (c[0] * self.n[1] + c[1]) * self.n[2] + c[2];
            let (start, end) = (self.starts[flat] as usize, self.starts[flat + 1] as usize);
            let first = start + self.atoms[start..end].partition_point(|&j| j as usize <= atom);
            if first == end {
                continue;
            }
            // Every candidate is written down and the pen moves on only where it is near: no branch to mispredict.
            if near.len() < found + end - first {
                near.resize(2 * (found + end - first), 0);
            }
            let from = self.wrapped[atom] - self.cell.shift(image);
            for (&j, r) in self.atoms[first..end].iter().zip(&self.sorted[first..end]) {
                near[found] = j;
                found += usize::from((*r - from).norm2() < self.radius2);
            }
        }
        near.truncate(found);
    }
}

/// Offsets of all grid cells whose nearest points can be within `radius` of each other.
fn stencil(cell: &Cell, n: [usize; 3], radius: f64) -> Vec<[i32; 3]> {
    let widths = cell.widths();
    // Thickness of one layer of grid cells along each face normal.
    let layer = [0, 1, 2].map(|k| widths[k] / n[k] as f64);
    let reach = layer.map(|l| (radius / l).ceil() as i32);
    let gap = |offset: i32, k: usize| f64::from((offset.abs() - 1).max(0)) * layer[k];
    let mut offsets = Vec::new();
    for x in -reach[0]..=reach[0] {
        for y in -reach[1]..=reach[1] {
            for z in -reach[2]..=reach[2] {
                let gaps = Vec3::new(gap(x, 0), gap(y, 1), gap(z, 2));
                // The normals of a skewed cell are not orthogonal: there only the largest gap is a bound.
                if !cell.is_orthorhombic() || gaps.norm2() < radius * radius {
                    offsets.push([x, y, z]);
                }
            }
        }
    }
    offsets
}
