use amelo_core::Cell;
use amelo_math::Vec3;
use amelo_math::philox::Noise;

/// Atoms at random places of a cube, so many per nm³.
pub fn uniform(n_atoms: usize, per_nm3: f64) -> (Cell, Vec<Vec3>) {
    let edge = (n_atoms as f64 / per_nm3).cbrt();
    let noise = Noise::new(1, 1);
    let place = |i: usize| {
        let ([x, y], [z, _]) = (noise.uniform2(i as u32, 0, 0), noise.uniform2(i as u32, 0, 1));
        Vec3::new(x, y, z) * edge
    };
    (Cell::orthorhombic(edge, edge, edge).unwrap(), (0..n_atoms).map(place).collect())
}
