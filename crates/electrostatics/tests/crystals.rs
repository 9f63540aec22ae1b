//! Energies of crystals and of a single ion, known to many digits.

mod common;

use amelo_core::units::COULOMB;
use amelo_core::{Cell, System};
use amelo_math::{Mat3, Vec3};

use common::{evaluate, full_ewald, system};

/// Energy of the cell in k_e e²/nm; checks on the way that the virial's trace is the energy, as for anything that
/// scales with 1/length, and that real space and waves may share the work differently.
fn energy(crystal: &System) -> f64 {
    let width = 2.0 * crystal.cell.half_width();
    let energies = [1.4, 2.1].map(|cells| {
        let out = evaluate(full_ewald(crystal, cells * width, 1e-15), crystal);
        let energy = out.energy.potential();
        assert!((out.virial.trace() / energy - 1.0).abs() < 1e-12, "{} and {energy}", out.virial.trace());
        energy / COULOMB
    });
    assert!((energies[0] / energies[1] - 1.0).abs() < 1e-13, "{energies:?}");
    energies[0]
}

fn crystal(edges: [f64; 3], ions: &[([f64; 3], f64)]) -> System {
    let cell = Cell::orthorhombic(edges[0], edges[1], edges[2]).unwrap();
    let positions = ions.iter().map(|(s, _)| cell.to_cartesian(Vec3::from(*s))).collect();
    system(cell, positions, ions.iter().map(|(_, q)| *q).collect(), &[])
}

const FACE_CENTRED: [[f64; 3]; 4] = [[0.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]];

/// Four ion pairs with the anion displaced by `offset`.
fn face_centred(offset: f64) -> System {
    let mut ions = Vec::new();
    for s in FACE_CENTRED {
        ions.push((s, 1.0));
        ions.push((s.map(|x| x + offset), -1.0));
    }
    crystal([1.0; 3], &ions)
}

// Madelung constants: OEIS A085469 (NaCl, 1.74756459463318…), A181152 (CsCl, 1.76267477307098…), A182566 (zinc
// blende, 1.63805505338879…), for the nearest-neighbour distance.
#[test]
fn madelung_constants_of_binary_crystals() {
    let rock_salt = -energy(&face_centred(0.5)) / 4.0 * 0.5;
    assert!((rock_salt - 1.747_564_594_633_18).abs() < 1e-12, "{rock_salt}");
    let zinc_blende = -energy(&face_centred(0.25)) / 4.0 * 0.75_f64.sqrt() / 2.0;
    assert!((zinc_blende - 1.638_055_053_388_79).abs() < 1e-12, "{zinc_blende}");
    let caesium_chloride = -energy(&crystal([1.0; 3], &[([0.0; 3], 1.0), ([0.5; 3], -1.0)])) * 0.75_f64.sqrt();
    assert!((caesium_chloride - 1.762_674_773_070_98).abs() < 1e-12, "{caesium_chloride}");
}

// The same rock salt in its primitive rhombohedral cell, lower-triangular.
#[test]
fn oblique_cell_of_rock_salt() {
    let d = 0.5_f64.sqrt();
    let cell = Cell::new(Mat3::from_array([
        [d, 0.0, 0.0],
        [d / 2.0, d * 0.75_f64.sqrt(), 0.0],
        [d / 2.0, d * (1.0_f64 / 12.0).sqrt(), d * (2.0_f64 / 3.0).sqrt()],
    ]))
    .unwrap();
    let positions = vec![Vec3::ZERO, cell.to_cartesian(Vec3::new(0.5, 0.5, 0.5))];
    let madelung = -energy(&system(cell, positions, vec![1.0, -1.0], &[])) * 0.5;
    assert!((madelung - 1.747_564_594_633_18).abs() < 1e-12, "{madelung}");
}

// Per TiO₂ at charges +2 and −1, in k_e e²/a: numbers given to us with eight decimals (Ewald sums by others), for the
// positions x = 0.3053 and u = 0.2081; the refined x of rutile is 0.30478.
#[test]
fn titania() {
    let (a, c, x) = (0.45937, 0.29587, 0.3053);
    let rutile = crystal(
        [a, a, c],
        &[
            ([0.0, 0.0, 0.0], 2.0),
            ([0.5, 0.5, 0.5], 2.0),
            ([x, x, 0.0], -1.0),
            ([-x, -x, 0.0], -1.0),
            ([0.5 + x, 0.5 - x, 0.5], -1.0),
            ([0.5 - x, 0.5 + x, 0.5], -1.0),
        ],
    );
    let per_unit = energy(&rutile) * a / 2.0;
    assert!((per_unit + 11.262_735_24).abs() < 1e-8, "{per_unit:.10}");

    let (a, c, u) = (0.37845, 0.95143, 0.2081);
    let mut ions = Vec::new();
    for [dx, dy, dz] in [[0.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.0, 0.5, 0.25], [0.5, 0.0, 0.75]] {
        ions.push(([dx, dy, dz], 2.0));
        ions.push(([dx, dy, dz + u], -1.0));
        ions.push(([dx, dy, dz - u], -1.0));
    }
    let per_unit = energy(&crystal([a, a, c], &ions)) * a / 4.0;
    assert!((per_unit + 9.297_081_81).abs() < 1e-8, "{per_unit:.10}");
}

// A point charge in a cubic lattice of itself and a neutralising background: −ξ q²/(2L), ξ = 2.837297479480…
// (OEIS A185576, Born's basic potential; 2.837297 in I.-C. Yeh, G. Hummer, J. Phys. Chem. B 108, 15873 (2004),
// doi:10.1021/jp0477147).
#[test]
fn single_ion_in_its_background() {
    let edge = 0.8;
    let ion = crystal([edge; 3], &[([0.3, 0.1, 0.7], 1.5)]);
    let xi = -energy(&ion) * 2.0 * edge / (1.5 * 1.5);
    assert!((xi - 2.837_297_479).abs() < 1e-9, "{xi:.12}");
}
