//! Whole systems from decks: counts, densities, distances through the periodic boundary, and every refusal.

mod common;

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use amelo_build::packing::{FIRST_SCALE, LAST_SCALE};
use amelo_build::{Placed, SystemConfig, build_system, contacts, place};
use amelo_io::parameters::{DihedralPlace, Place};
use amelo_math::Vec3;
use common::{DATA, build, config, refuse};

/// What the O(N²) check needs of each atom.
struct Atom {
    molecule: usize,
    index: usize,
    element: String,
    r: Vec3,
}

fn atoms(placed: &Placed) -> Vec<Atom> {
    let mut list = Vec::new();
    for (molecule, template) in placed.molecules.iter().enumerate() {
        for (index, atom) in template.atoms.iter().enumerate() {
            let element = DATA.types[&atom.type_name].element.clone();
            list.push(Atom { molecule, index, element, r: placed.positions[list.len()] });
        }
    }
    assert_eq!(list.len(), placed.positions.len());
    list
}

/// Bonds between two atoms of a molecule, up to 3; more counts as 4.
fn bonds_apart(bonds: &[[usize; 2]], from: usize, to: usize) -> usize {
    let mut reached = vec![from];
    for n in 0..4 {
        if reached.contains(&to) {
            return n;
        }
        let step: Vec<usize> = bonds
            .iter()
            .flat_map(|&[i, j]| [(i, j), (j, i)])
            .filter(|(i, _)| reached.contains(i))
            .map(|(_, j)| j)
            .collect();
        reached.extend(step);
    }
    4
}

/// Every pair more than three bonds apart keeps the stated distance, found without cell grid or growth code.
/// Returns the shortest heavy-atom distance.
fn check_distances(placed: &Placed) -> f64 {
    let scale = placed.report.packing.as_ref().unwrap().contact_scale;
    assert!((LAST_SCALE - 1e-9..=FIRST_SCALE).contains(&scale));
    let atoms = atoms(placed);
    let mut shortest = f64::INFINITY;
    for (i, p) in atoms.iter().enumerate() {
        for q in &atoms[..i] {
            let template = &placed.molecules[p.molecule];
            if p.molecule == q.molecule && (template.name == "oxide" || template.name == "TFSI") {
                continue;
            }
            let d = placed.cell.minimum_image(p.r - q.r).norm();
            let contact = scale * (contacts::radius(&p.element) + contacts::radius(&q.element));
            if d < contact && p.molecule == q.molecule && bonds_apart(&template.bonds, p.index, q.index) < 4 {
                continue;
            }
            assert!(d >= contact - 1e-12, "{}–{} at {d} nm", p.element, q.element);
            if p.element != "H" && q.element != "H" && (p.molecule != q.molecule || d > 0.3) {
                shortest = shortest.min(d);
            }
        }
    }
    shortest
}

/// Dihedral of four points (rad): the sine from the triple product, positive for a right-handed screw (IUPAC).
fn torsion([a, b, c, d]: [Vec3; 4]) -> f64 {
    let (b1, b2, b3) = (b - a, c - b, d - c);
    let (m, n) = (b1.cross(b2), b2.cross(b3));
    f64::atan2(b2.norm() * b1.dot(n), m.dot(n))
}

/// Bond lengths, angles and fixed dihedrals are the template's.
fn check_geometry(placed: &Placed) {
    let mut first = 0;
    for template in &placed.molecules {
        for (k, atom) in template.atoms.iter().enumerate() {
            if let Place::Internal { bond, length, angle, dihedral } = &atom.place {
                let r = |i: usize| placed.positions[first + i];
                let d = r(k) - r(*bond);
                assert!((d.norm() - length).abs() < 1e-12, "{}", d.norm());
                if let Some((other, theta)) = angle {
                    let e = r(*other) - r(*bond);
                    let cosine = d.dot(e) / d.norm() / e.norm();
                    assert!((cosine.acos() - theta).abs() < 1e-9);
                    if let Some((last, DihedralPlace::Fixed(phi))) = dihedral {
                        let off = (torsion([r(k), r(*bond), r(*other), r(*last)]) - phi).rem_euclid(TAU);
                        assert!(off.min(TAU - off) < 1e-9, "{off}");
                    }
                }
            }
        }
        first += template.atoms.len();
    }
}

const ELECTROLYTE: &str = r#"
    box = ["2.6 nm", "2.6 nm", "2.6 nm"]
    [[molecule]]
    name = "LiTFSI"
    eo_to_li = 20
    [[molecule]]
    name = "PEO"
    monomers = 10
    count = 16
"#;

#[test]
fn an_electrolyte_has_the_counts_that_the_deck_asks_for_and_no_overlap() {
    let placed = build(ELECTROLYTE);
    // 160 repeat units at 20 per Li: 8 Li and 8 TFSI. 8 atoms in the ends and 7 in each unit, one O less: 9 + 70.
    let names: Vec<&str> = placed.molecules.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names.iter().filter(|n| **n == "PEO").count(), 16);
    assert_eq!(names[..16], ["PEO"; 16]);
    assert_eq!(names.iter().filter(|n| **n == "Li").count(), 8);
    assert_eq!(names.iter().filter(|n| **n == "TFSI").count(), 8);
    assert_eq!(placed.report.n_atoms, 16 * 79 + 8 + 8 * 15);
    assert_eq!(placed.report.eo_to_li, Some(20.0));
    let charge: f64 = placed.report.molecules.iter().map(|m| m.charge * m.count as f64).sum();
    assert!(charge.abs() < 1e-9);
    let shortest = check_distances(&placed);
    let reported = placed.report.packing.as_ref().unwrap().shortest_heavy_distance;
    assert!(reported.is_none_or(|r| r <= shortest + 1e-12), "{reported:?} {shortest}");
    check_geometry(&placed);
}

#[test]
fn the_seed_decides_every_bit() {
    let config = config(ELECTROLYTE);
    let [a, b, c] = [7, 7, 8].map(|seed| place(&config, &DATA, seed).unwrap().positions);
    assert_eq!(a, b);
    assert_ne!(a, c);
}

#[test]
fn a_melt_packs_at_its_density() {
    // The melt has 1.07 g/cm³ at 363 K; the push-off and the minimisation begin from here.
    for (density, least) in [(0.95, 0.60), (1.05, 0.55)] {
        let placed = build(&format!(
            "packing_density = \"{density} g/cm^3\"\n[[molecule]]\nname = \"PEO\"\nmonomers = 20\ncount = 12\n"
        ));
        assert!((placed.report.density - density).abs() < 1e-9);
        check_distances(&placed);
        let scale = placed.report.packing.as_ref().unwrap().contact_scale;
        assert!(scale >= least, "{density} g/cm³ packed with contacts at {scale} only");
    }
}

#[test]
fn a_chain_of_200_repeat_units_grows_in_a_box_of_3_nm() {
    let placed =
        build("box = [\"3 nm\", \"3 nm\", \"3 nm\"]\n[[molecule]]\nname = \"PEO\"\nmonomers = 200\ncount = 1\n");
    assert_eq!(placed.positions.len(), 9 + 7 * 200);
    check_distances(&placed);
    check_geometry(&placed);
    // A coil, not a ball: it leaves its box, so the periodic boundary matters.
    let reach = placed.positions.iter().map(|r| (*r - placed.positions[0]).norm()).fold(0.0, f64::max);
    assert!(reach > 3.0, "{reach}");
}

const INTERFACE: &str = r#"
    lateral = ["2 nm", "2 nm"]
    [oxide.anatase]
    surface = "101"
    thickness = "1 nm"
    [[molecule]]
    name = "PEO"
    monomers = 12
    count = 8
    [[molecule]]
    name = "LiTFSI"
    eo_to_li = 24
"#;

#[test]
fn an_interface_has_its_oxide_first_and_its_molecules_beside_it() {
    let placed = build(INTERFACE);
    let oxide = placed.report.oxide.as_ref().unwrap();
    let n = placed.molecules[0].atoms.len();
    assert_eq!(placed.molecules[0].name, "oxide");
    assert_eq!(n, 3 * oxide.formula_units);
    assert_eq!(oxide.oxygen_to_titanium, 2.0);
    assert!(oxide.dipole_per_area.abs() < 1e-9);
    assert_eq!(oxide.repeats, [2, 5]);
    assert_eq!(oxide.titanium_by_coordination[&5], oxide.oxygen_by_coordination[&2]);
    assert_eq!(oxide.titanium_by_coordination[&5], 4 * 10);
    assert!((oxide.shortest_bond.unwrap() - 0.1934).abs() < 1e-4);
    assert!((placed.report.packing_density.unwrap() - 0.95).abs() < 1e-9);
    assert_eq!(placed.report.eo_to_li, Some(24.0));
    let heights = |atoms: &[Vec3]| {
        atoms.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), r| (low.min(r.z), high.max(r.z)))
    };
    let (bottom, top) = heights(&placed.positions[..n]);
    let (lowest, highest) = heights(&placed.positions[n..]);
    assert!(
        lowest >= top + 0.15 && highest <= placed.cell.vectors()[(2, 2)] + bottom - 0.15,
        "{top} {lowest} {highest}"
    );
    check_distances(&placed);
    check_geometry(&placed);
}

#[test]
fn a_built_interface_is_neutral_complete_and_grouped() {
    let scale = BTreeMap::from([("Li".to_string(), 0.8), ("TFSI".to_string(), 0.8)]);
    let built = build_system(&config(INTERFACE), None, &DATA, &scale, 7).unwrap();
    let topology = &built.topology;
    assert_eq!(topology.n_atoms(), built.positions.len());
    assert!(topology.total_charge().abs() < 1e-9);
    let formula_units = built.report.oxide.as_ref().unwrap().formula_units;
    // 8 chains of 12 repeat units have 13 ether O each; 96 units at 24 per Li make 4 Li and 4 TFSI.
    for (group, n) in [
        ("PEO", 8 * 93),
        ("PEO ether O", 8 * 13),
        ("PEO C", 8 * 26),
        ("Li", 4),
        ("TFSI", 4 * 15),
        ("TFSI O", 4 * 4),
        ("TFSI N", 4),
        ("oxide", 3 * formula_units),
        ("oxide Ti", formula_units),
        ("oxide O", 2 * formula_units),
    ] {
        assert_eq!(topology.groups.get(group).map(Vec::len), Some(n), "{group}");
    }
    let bad = BTreeMap::from([("PEG".to_string(), 0.8)]);
    let error = build_system(&config(INTERFACE), None, &DATA, &bad, 7).unwrap_err();
    assert_eq!(error.key().as_deref(), Some("forcefield.charge_scale"));
}

#[test]
fn a_film_leaves_its_vacuum_empty() {
    let placed = build(&format!("geometry = {{ film = {{ vacuum = \"5 nm\" }} }}\n{INTERFACE}"));
    let top = placed.positions.iter().map(|r| r.z).fold(f64::NEG_INFINITY, f64::max);
    let bottom = placed.positions.iter().map(|r| r.z).fold(f64::INFINITY, f64::min);
    assert!(placed.cell.vectors()[(2, 2)] - (top - bottom) >= 5.0);
    check_distances(&placed);
}

#[test]
fn a_periodic_crystal_keeps_its_density_and_full_coordination() {
    let placed = build("[oxide.anatase]\nsupercell = [3, 3, 2]\n");
    let oxide = placed.report.oxide.as_ref().unwrap();
    assert_eq!(oxide.titanium_by_coordination, [(6, 72)].into());
    assert_eq!(oxide.oxygen_by_coordination, [(3, 144)].into());
    assert!((placed.report.density - 3.893).abs() < 5e-4);
}

#[test]
fn the_decks_of_inputs_build_the_systems_that_they_describe() {
    let decks = [
        (include_str!("../../../inputs/peo-melt.toml"), 1788),
        (include_str!("../../../inputs/peo-litfsi.toml"), 622),
        (include_str!("../../../inputs/anatase.toml"), 3 * 768),
    ];
    for (deck, n_atoms) in decks {
        let mut table: toml::Table = toml::from_str(deck).unwrap();
        let config: SystemConfig = table.remove("system").unwrap().try_into().unwrap();
        let placed = place(&config, &DATA, 1).unwrap();
        assert_eq!(placed.report.n_atoms, n_atoms);
        // Wide enough for the deck's cut-off, with room for the barostat.
        let r_cut = table["nonbonded"]["r_cut"].as_str().unwrap();
        let r_cut = amelo_core::quantity::parse(r_cut, amelo_core::quantity::Dimension::LENGTH).unwrap();
        assert!(placed.cell.half_width() > 1.1 * r_cut, "{deck}");
    }
}

#[test]
fn what_cannot_be_built_is_refused_with_its_key_and_a_remedy() {
    let peo = |count: usize| format!("[[molecule]]\nname = \"PEO\"\nmonomers = 20\ncount = {count}\n");
    let slab = |more: &str| {
        format!("lateral = [\"2 nm\", \"2 nm\"]\n{more}\n[oxide.anatase]\nsurface = \"101\"\nthickness = \"1 nm\"\n")
    };
    let cases = [
        (String::new(), "system", "nothing to build"),
        (peo(0), "system.molecule[0].count", "at least 1"),
        ("[[molecule]]\nname = \"PEO\"\ncount = 2\n".into(), "system.molecule[0]", "monomers"),
        ("[[molecule]]\nname = \"PEG\"\ncount = 2\n".into(), "system.molecule[0].name", "know PEO"),
        ("[[molecule]]\nname = \"Li\"\n".into(), "system.molecule[0]", "count"),
        ("[[molecule]]\nname = \"Li\"\nmonomers = 3\ncount = 1\n".into(), "system.molecule[0].monomers", "not a polymer"),
        ("[[molecule]]\nname = \"LiTFSI\"\neo_to_li = 20\n".into(), "system.molecule[0].eo_to_li", "no polymer"),
        (
            format!("{}[[molecule]]\nname = \"LiTFSI\"\neo_to_li = 100\n", peo(2)),
            "system.molecule[1].eo_to_li",
            "less than one",
        ),
        (
            "[[molecule]]\nname = \"PEO\"\nmonomers = 5\nends = \"thiol\"\ncount = 1\n".into(),
            "system.molecule[0].ends",
            "methyl",
        ),
        ("[[molecule]]\nname = \"PEO\"\nmonomers = 0\ncount = 1\n".into(), "system.molecule[0].monomers", "at least 1"),
        // Impossible densities, and a box narrower than an atom's reach.
        (format!("box = [\"1 nm\", \"1 nm\", \"1 nm\"]\n{}", peo(4)), "system.box", "impossible"),
        (format!("packing_density = \"3 g/cm^3\"\n{}", peo(4)), "system.packing_density", "impossible"),
        (format!("box = [\"0.5 nm\", \"9 nm\", \"9 nm\"]\n{}", peo(1)), "system.box", "narrow"),
        (format!("box = [\"0 nm\", \"9 nm\", \"9 nm\"]\n{}", peo(1)), "system.box", "positive"),
        // Chains that the gap cannot hold, by volume and by height.
        (format!("{}{}", slab("gap = \"0.9 nm\""), peo(20)), "system.gap", "shorter chains"),
        (format!("{}{}", slab("gap = \"0.5 nm\""), peo(1)), "system.gap", "thinner than one molecule"),
        (format!("{}{}", slab(""), "[[molecule]]\nname = \"Li\"\ncount = 1\n"), "system.lateral", "more molecules"),
        (slab(""), "system.geometry", "vacuum"),
        (slab("geometry = { film = { vacuum = \"0 nm\" } }"), "system.geometry.film.vacuum", "positive"),
        (format!("{}{}", slab("box = [\"3 nm\", \"3 nm\", \"3 nm\"]"), peo(1)), "system.box", "molecules alone"),
        (format!("{}{}", slab("gap = \"3 nm\"\npacking_density = \"1 g/cm^3\""), peo(2)), "system.packing_density", "one of the two"),
        ("[oxide.anatase]\nsurface = \"101\"\nthickness = \"1 nm\"\n".into(), "system.lateral", "edges"),
        (
            "lateral = [\"2 nm\", \"2 nm\"]\n[oxide.anatase]\nsurface = \"101\"\nthickness = \"0 nm\"\n".into(),
            "system.oxide.anatase.thickness",
            "positive",
        ),
        (
            "lateral = [\"2 nm\", \"2 nm\"]\n[oxide.anatase]\nsurface = \"10x\"\nthickness = \"1 nm\"\n".into(),
            "system.oxide.anatase.surface",
            "Miller",
        ),
        (
            "lateral = [\"2 nm\", \"2 nm\"]\n[oxide.anatase]\nsurface = \"001\"\nthickness = \"1 nm\"\ncut = \"0.2 Å\"\n".into(),
            "system.oxide.anatase.cut",
            "polar",
        ),
        ("[oxide.rutile]\nsupercell = [2, 0, 2]\n".into(), "system.oxide.rutile.supercell", "at least 1"),
        (format!("[oxide.rutile]\nsupercell = [4, 4, 4]\n{}", peo(1)), "system.molecule", "no room"),
        ("[oxide.rutile]\nsurface = \"110\"\n".into(), "system.oxide.rutile", "thickness"),
    ];
    for (deck, key, word) in cases {
        let error = refuse(&deck);
        assert_eq!(error.key().as_deref(), Some(key), "{deck}: {error}");
        assert!(error.to_string().contains(word), "{deck}: {error}");
    }
}

#[test]
fn a_packing_that_finds_no_way_says_how_far_it_came() {
    // 1.95 g/cm³ is below the limit of the impossible and above what growth can do.
    let error = refuse("packing_density = \"1.95 g/cm^3\"\n[[molecule]]\nname = \"PEO\"\nmonomers = 6\ncount = 4\n");
    assert_eq!(error.key().as_deref(), Some("system.molecule[0]"));
    let text = error.to_string();
    assert!(text.contains("of 4") && text.contains("packing_density"), "{text}");
}
