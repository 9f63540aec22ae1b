use super::*;

/// Matsui and Akaogi's charges (e), Mol. Simul. 6, 239 (1991).
fn charge(element: &str) -> f64 {
    if element == "Ti" { 2.196 } else { -1.098 }
}

/// Ti–O partners of every atom, and the shortest Ti–O distance, under the slab's lateral periodicity.
fn coordination(slab: &Slab) -> (Vec<usize>, f64) {
    let n = slab.atoms.len();
    let (mut partners, mut shortest) = (vec![0; n], f64::INFINITY);
    for i in 0..n {
        for j in 0..n {
            if slab.atoms[i].element == slab.atoms[j].element {
                continue;
            }
            for p in -1..=1 {
                for q in -1..=1 {
                    let shift = slab.a * f64::from(p) + slab.b * f64::from(q);
                    let r = (slab.atoms[i].position - slab.atoms[j].position + shift).norm();
                    shortest = f64::min(shortest, r);
                    if r < BOND_LENGTH {
                        partners[i] += 1;
                    }
                }
            }
        }
    }
    (partners, shortest)
}

fn count(slab: &Slab, partners: &[usize], element: &str, n: usize) -> usize {
    (0..slab.atoms.len()).filter(|&i| slab.atoms[i].element == element && partners[i] == n).count()
}

fn check_slab(crystal: Crystal, miller: &str, lateral: [f64; 2], thickness: f64) -> Slab {
    let formula_volume = crystal.volume() / crystal.sites.iter().filter(|s| s.element == "Ti").count() as f64;
    let cell = SurfaceCell::new(crystal, Miller::parse(miller).unwrap());
    let slab = cell.slab(lateral, thickness, None, PolarCuts::Refuse, "system.oxide.anatase").unwrap();
    let of = |element: &str| slab.atoms.iter().filter(|a| a.element == element).count();
    assert_eq!(of("O"), 2 * of("Ti"), "{miller} {lateral:?} {thickness}");
    let area = slab.a.cross(slab.b).z;
    // As many formula units as the volume holds.
    assert!((of("Ti") as f64 * formula_volume - area * slab.thickness).abs() < 1e-9);
    // 1e-3 e·Å/Å² is 1e-2 e/nm; symmetry makes it zero up to rounding.
    let dipole: f64 = slab.atoms.iter().map(|a| charge(a.element) * a.position.z).sum::<f64>() / area;
    assert!(dipole.abs() < 1e-9, "{miller}: {dipole} e/nm");
    let (_, shortest) = coordination(&slab);
    assert!((shortest - 0.1934).abs() < 5e-3, "{miller}: Ti–O {shortest} nm");
    let lowest = slab.atoms.iter().map(|a| a.position.z).fold(f64::INFINITY, f64::min);
    assert!(lowest.abs() < 1e-12);
    slab
}

#[test]
fn anatase_101_has_its_known_surface_cell() {
    // √(a² + c²) × a = 10.24 × 3.78 Å, layers a c/√(a² + c²) = 3.52 Å apart. This surface: A. Vittadini et al.,
    // Phys. Rev. Lett. 81, 2954 (1998).
    let cell = SurfaceCell::new(Crystal::anatase(), Miller([1, 0, 1]));
    let [u, v] = cell.in_plane();
    assert!((u.x - (0.37845f64.powi(2) + 0.95143f64.powi(2)).sqrt()).abs() < 1e-12);
    assert!((v - Vec3::new(0.0, 0.37845, 0.0)).norm() < 1e-12);
    assert!((cell.spacing() - 0.37845 * 0.95143 / u.x).abs() < 1e-12);
}

#[test]
fn anatase_101_slabs_are_neutral_stoichiometric_and_show_ti5c_and_o2c() {
    for (lateral, thickness) in [([1.0, 1.1], 1.0), ([2.0, 2.0], 1.5), ([3.0, 1.5], 2.1), ([2.0, 3.0], 0.7)] {
        let slab = check_slab(Crystal::anatase(), "101", lateral, thickness);
        assert!((slab.thickness - thickness).abs() <= 0.5 * 0.3517);
        let (partners, _) = coordination(&slab);
        // Per 10.24 × 3.78 Å cell and face two Ti5c and two O2c; nothing less coordinated.
        let cells = slab.repeats[0] * slab.repeats[1];
        assert_eq!(count(&slab, &partners, "Ti", 5), 4 * cells);
        assert_eq!(count(&slab, &partners, "O", 2), 4 * cells);
        let bulk = count(&slab, &partners, "Ti", 6) + count(&slab, &partners, "O", 3);
        assert_eq!(bulk + 8 * cells, slab.atoms.len());
    }
}

#[test]
fn anatase_001_slabs_are_neutral_stoichiometric_and_end_in_ti5c_alone() {
    for (lateral, thickness) in [([1.0, 1.1], 1.0), ([2.0, 2.0], 1.5), ([3.0, 1.5], 1.9)] {
        let slab = check_slab(Crystal::anatase(), "001", lateral, thickness);
        assert!((slab.thickness - thickness).abs() <= 0.5 * 0.25 * 0.95143 + 1e-9);
        let (partners, _) = coordination(&slab);
        let cells = slab.repeats[0] * slab.repeats[1];
        // Bulk-truncated (001): every surface Ti is fivefold, with one O2c each.
        assert_eq!(count(&slab, &partners, "Ti", 5), 2 * cells);
        assert_eq!(count(&slab, &partners, "O", 2), 2 * cells);
    }
}

#[test]
fn rutile_110_shows_rows_of_ti5c_and_bridging_o2c() {
    let slab = check_slab(Crystal::rutile(), "110", [1.2, 1.3], 1.3);
    let (partners, _) = coordination(&slab);
    let cells = slab.repeats[0] * slab.repeats[1];
    // 6.50 × 2.96 Å cell: one Ti5c, one Ti6c and one bridging O per face (U. Diebold, Surf. Sci. Rep. 48, 53
    // (2003)).
    assert_eq!(count(&slab, &partners, "Ti", 5), 2 * cells);
    assert_eq!(count(&slab, &partners, "O", 2), 2 * cells);
}

#[test]
fn slabs_of_other_surfaces_keep_the_crystals_density() {
    for miller in ["100", "110", "103", "112", "301", "1-12"] {
        let cell = SurfaceCell::new(Crystal::anatase(), Miller::parse(miller).unwrap());
        let [u, v] = cell.in_plane();
        let atoms = cell.area() * cell.spacing() / Crystal::anatase().volume() * 12.0;
        assert!((atoms - cell.atoms.len() as f64).abs() < 1e-9, "{miller}: {u:?} {v:?}");
        if let Ok(slab) = cell.slab([1.5, 1.5], 1.2, None, PolarCuts::Refuse, "system.oxide.anatase") {
            let (partners, shortest) = coordination(&slab);
            assert!(shortest > 0.193, "{miller}: {shortest}");
            assert!(partners.iter().all(|&p| p >= 1), "{miller}");
        }
    }
}

#[test]
fn a_polar_cut_is_refused_with_its_dipole_and_the_cuts_that_would_do() {
    let cell = SurfaceCell::new(Crystal::anatase(), Miller([0, 0, 1]));
    // Ti planes at 0 and c/4, an O plane at 0.0419 c = 0.0399 nm: a cut between Ti and O leaves O on one side.
    let error = cell.slab([1.5, 1.5], 1.2, Some(0.02), PolarCuts::Refuse, "system.oxide.anatase").unwrap_err();
    assert_eq!(error.key().as_deref(), Some("system.oxide.anatase.cut"));
    let text = error.to_string();
    assert!(text.contains("polar") && text.contains("0.0399") && text.contains("leave `cut` out"), "{text}");
    // Between two TiO₂ layers the same request is fine, and equals the default.
    let good = cell.slab([1.5, 1.5], 1.2, Some(0.12), PolarCuts::Refuse, "system.oxide.anatase").unwrap();
    let default = cell.slab([1.5, 1.5], 1.2, None, PolarCuts::Refuse, "system.oxide.anatase").unwrap();
    assert_eq!(good.broken_bonds, default.broken_bonds);
}

#[test]
fn sizes_that_cannot_be_are_errors_with_a_remedy() {
    let cell = SurfaceCell::new(Crystal::anatase(), Miller([1, 0, 1]));
    let refused = |lateral, thickness| {
        cell.slab(lateral, thickness, None, PolarCuts::Refuse, "system.oxide.anatase").unwrap_err()
    };
    assert_eq!(refused([3.0, 3.0], 0.0).key().as_deref(), Some("system.oxide.anatase.thickness"));
    assert_eq!(refused([3.0, 3.0], 0.05).key().as_deref(), Some("system.oxide.anatase.thickness"));
    assert_eq!(refused([0.2, 3.0], 1.0).key().as_deref(), Some("system.lateral"));
    assert!(refused([0.2, 3.0], 1.0).to_string().contains("1.0239 nm"));
}

#[test]
fn anatase_100_and_rutile_110_have_their_known_cells_and_layers() {
    // (100): a × c = 3.78 × 9.51 Å, layers a/2 apart; (110) of rutile: √2 a × c = 6.50 × 2.96 Å, layers a/√2 apart.
    let (a, c) = (0.37845, 0.95143);
    let cell = SurfaceCell::new(Crystal::anatase(), Miller([1, 0, 0]));
    assert!((cell.area() - a * c).abs() < 1e-12);
    assert!((cell.spacing() - a / 2.0).abs() < 1e-12);
    let slab = check_slab(Crystal::anatase(), "100", [2.0, 1.2], 1.5);
    let (partners, _) = coordination(&slab);
    let cells = slab.repeats[0] * slab.repeats[1];
    // Of the two bonds along ±[100] of each Ti in the outer plane one is cut, and as many of O there: by hand.
    assert_eq!(count(&slab, &partners, "Ti", 5), 4 * cells);
    assert_eq!(count(&slab, &partners, "O", 2), 4 * cells);
    let (a, c) = (0.459_37, 0.295_87);
    let cell = SurfaceCell::new(Crystal::rutile(), Miller([1, 1, 0]));
    assert!((cell.area() - 2f64.sqrt() * a * c).abs() < 1e-12);
    assert!((cell.spacing() - a / 2f64.sqrt()).abs() < 1e-12);
}

#[test]
fn cuts_are_ranked_by_tasker_with_the_bonds_and_dipoles_of_hand_counts() {
    let (a, c) = (0.37845, 0.95143);
    let list = SurfaceCell::new(Crystal::anatase(), Miller([0, 0, 1])).terminations();
    // Charged planes Ti (+4) and O (−2): the cuts between TiO₂ layers are of type 2 and break two bonds per a².
    assert_eq!((list[0].tasker_type, list[0].cuts), (2, 2));
    assert!((list[0].broken_bonds - 2.0 / (a * a)).abs() < 1e-9);
    assert_eq!(list[0].planes, ["O", "O"]);
    // Between Ti and O of one layer: +2 e per a² are moved by c/2.
    let polar = &list[1];
    assert_eq!((polar.tasker_type, polar.cuts), (3, 4));
    assert!((polar.dipole_per_area.abs() - c / (a * a)).abs() < 1e-9, "{polar:?}");
    // (101): per 10.24 × 3.78 Å cell two Ti5c and two O2c on each face, so four bonds.
    let cell = SurfaceCell::new(Crystal::anatase(), Miller([1, 0, 1]));
    let best = cell.terminations().remove(0);
    assert_eq!(best.tasker_type, 2);
    assert!((best.broken_bonds - 4.0 / cell.area()).abs() < 1e-9, "{best}");
    // Rocksalt: (001) is of type 1, (111) of type 3 whatever the cut.
    let salt = rocksalt();
    assert!(SurfaceCell::new(salt.clone(), Miller([0, 0, 1])).terminations().iter().all(|t| t.tasker_type == 1));
    assert!(SurfaceCell::new(salt, Miller([1, 1, 1])).terminations().iter().all(|t| t.tasker_type == 3));
}

/// TiO with the structure of NaCl, a 4.18 Å.
fn rocksalt() -> Crystal {
    use crate::crystal::Site;
    use crate::symmetry::{Operation, group};
    let face = ["x,y+1/2,z+1/2", "x+1/2,y,z+1/2"].map(|t| Operation::parse(t).unwrap());
    let sites = [("Ti", 2.0, 0.0), ("O", -2.0, 0.5)];
    let sites = sites.map(|(element, charge, x)| Site { element, charge, position: Vec3::new(x, x, x) });
    Crystal::from_orbits("TiO", Mat3::diagonal(0.418, 0.418, 0.418), &group(&face), &sites)
}

#[test]
fn a_polar_surface_is_built_with_permission_alone() {
    let cell = SurfaceCell::new(rocksalt(), Miller([1, 1, 1]));
    let error = cell.slab([1.5, 1.5], 1.2, None, PolarCuts::Refuse, "system.oxide.file").unwrap_err();
    assert_eq!(error.key().as_deref(), Some("system.oxide.file.surface"));
    let text = error.to_string();
    assert!(text.contains("Tasker type 3") && text.contains("polar = \"allow\""), "{text}");
    let slab = cell.slab([1.5, 1.5], 1.2, None, PolarCuts::Allow, "system.oxide.file").unwrap();
    // One ion of ±2 e per a²√3/4 in each plane, planes of Ti and O a/(2√3) apart: by hand.
    let (area, apart) = (0.418f64.powi(2) * 3f64.sqrt() / 4.0, 0.418 / (2.0 * 3f64.sqrt()));
    let pairs = slab.thickness / (2.0 * apart);
    assert!((pairs - pairs.round()).abs() < 1e-9);
    assert!((slab.dipole.abs() - pairs * 2.0 * apart / area).abs() < 1e-9, "{}", slab.dipole);
    assert!(slab.is_polar());
    // A surface with a cut free of dipole is the same with and without permission.
    let cell = SurfaceCell::new(Crystal::anatase(), Miller([1, 0, 1]));
    let [refuse, allow] = [PolarCuts::Refuse, PolarCuts::Allow]
        .map(|polar| cell.slab([2.0, 2.0], 1.5, None, polar, "system.oxide.anatase").unwrap());
    assert_eq!(refuse, allow);
    // With a cut of its own choice: +2 e per a² moved by c/2, per repeat.
    let cell = SurfaceCell::new(Crystal::anatase(), Miller([0, 0, 1]));
    let slab = cell.slab([1.5, 1.5], 0.95143, Some(0.02), PolarCuts::Allow, "system.oxide.anatase").unwrap();
    assert!((slab.dipole.abs() - 2.0 * 0.95143 / 0.37845f64.powi(2)).abs() < 1e-9, "{}", slab.dipole);
}

#[test]
fn faces_are_alike_where_the_crystal_allows_it() {
    // Rutile (212): O–Ti–O of three planes is neutral, so the cuts above and below it have no dipole alike, and slabs
    // between one above and one below have equal faces.
    let cell = SurfaceCell::new(Crystal::rutile(), Miller([2, 1, 2]));
    for thickness in [1.2, 1.5, 1.8, 2.1] {
        let slab = cell.slab([1.5, 1.5], thickness, None, PolarCuts::Refuse, "system.oxide.rutile").unwrap();
        assert!(slab.faces_alike && (slab.thickness - thickness).abs() <= 0.5 * cell.spacing() + 1e-9);
        let heights = |element: &str, up: bool| {
            let of = slab.atoms.iter().filter(|a| a.element == element).map(|a| a.position.z);
            let mut z: Vec<i64> = of.map(|z| ((if up { z } else { slab.extent - z }) * 1e6).round() as i64).collect();
            z.sort();
            z
        };
        for element in ["Ti", "O"] {
            let off = heights(element, true).into_iter().zip(heights(element, false)).map(|(p, q)| (p - q).abs());
            assert!(off.max() <= Some(1), "{element}");
        }
    }
}
