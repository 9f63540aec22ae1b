//! Pores carved and filled: composition, coordination, dipole and density counted anew, without the builder's code.

mod common;

use amelo_build::{BuildError, Placed};
use amelo_core::units::GRAM_PER_CM3;
use amelo_math::Vec3;
use common::{DATA, build, refuse};

/// A pore of 2 nm in a block of anatase, empty unless `more` fills it.
fn deck(kind: &str, lateral: f64, diameter: f64, thickness: f64, more: &str) -> String {
    format!(
        "lateral = [\"{lateral} nm\", \"{lateral} nm\"]\n{more}\n[oxide.{kind}]\nthickness = \"{thickness} nm\"\n\
         pore = {{ diameter = \"{diameter} nm\" }}\n"
    )
}

struct Atom {
    titanium: bool,
    charge: f64,
    r: Vec3,
}

fn oxide(placed: &Placed) -> Vec<Atom> {
    let template = &placed.molecules[0];
    let atoms = template.atoms.iter().zip(&placed.positions);
    atoms.map(|(a, r)| Atom { titanium: DATA.types[&a.type_name].element == "Ti", charge: a.charge, r: *r }).collect()
}

/// Number of atoms of the other element within 0.25 nm, over all pairs.
fn coordination(placed: &Placed, atoms: &[Atom]) -> Vec<usize> {
    let near = |a: &Atom, b: &Atom| a.titanium != b.titanium && placed.cell.minimum_image(a.r - b.r).norm() < 0.25;
    atoms.iter().map(|a| atoms.iter().filter(|b| near(a, b)).count()).collect()
}

fn from_axis(placed: &Placed, r: Vec3) -> f64 {
    let middle = placed.cell.diagonal() * 0.5;
    placed.cell.minimum_image(Vec3::new(r.x - middle.x, r.y - middle.y, 0.0)).norm()
}

/// O/Ti exactly 2, neutral, no Ti inside the cylinder, none with fewer than four O, one piece, and no dipole across the axis:
/// the cylinder has the crystal's fourfold axis, and what is trimmed keeps it.
#[test]
fn pores_in_crystals_are_stoichiometric_and_well_coordinated() {
    let cases = [
        ("anatase", 3.4, 2.0, 0.95),
        ("anatase", 4.2, 3.0, 0.95),
        ("anatase", 4.9, 3.3, 1.9),
        ("rutile", 3.7, 2.2, 0.9),
        ("rutile", 5.5, 4.0, 0.9),
    ];
    for (kind, lateral, diameter, thickness) in cases {
        let placed = build(&deck(kind, lateral, diameter, thickness, ""));
        let what = format!("{kind}, {lateral} nm, pore of {diameter} nm");
        let atoms = oxide(&placed);
        let report = placed.report.oxide.as_ref().unwrap();
        let pore = report.pore.as_ref().unwrap();
        let titanium = atoms.iter().filter(|a| a.titanium).count();
        assert_eq!(atoms.len(), 3 * titanium, "{what}");
        assert_eq!(report.formula_units, titanium, "{what}");
        assert!(atoms.iter().map(|a| a.charge).sum::<f64>().abs() < 1e-9, "{what}");
        // Whole cells: what is there and what went make up the crystal.
        let per_cell = if kind == "anatase" { 4 } else { 2 };
        let cells: usize = report.repeats.iter().product();
        assert_eq!(titanium + pore.removed_units, per_cell * cells, "{what}");
        assert!(atoms.iter().all(|a| !a.titanium || from_axis(&placed, a.r) >= 0.5 * diameter), "{what}");
        let bonds = coordination(&placed, &atoms);
        let least = |titanium: bool| {
            bonds.iter().zip(&atoms).filter(|(_, a)| a.titanium == titanium).map(|(n, _)| *n).min().unwrap()
        };
        assert!(least(true) >= 4, "{what}: Ti with {} O", least(true));
        assert_eq!(pore.lowest_coordination, [least(true)], "{what}");
        assert!(least(false) >= 1, "{what}");
        assert_eq!(pore.pieces, [1], "{what}");
        let [x, y] = pore.dipole_per_length[0];
        // 1e-3 e·Å/Å² is the bound for slabs; here per length and diameter.
        assert!(x.hypot(y) < 1e-2 * diameter, "{what}: dipole {x} {y} e");
        let wall = pore.wall().unwrap();
        assert!(
            wall.surface_radius > 0.5 * diameter - 0.1 && wall.surface_radius < 0.5 * diameter + 0.2,
            "{what}: {wall:?}"
        );
        let gap = wall.surface_radius - wall.accessible_radius;
        assert!((0.05..0.25).contains(&gap), "{what}: {wall:?}");
        assert!(wall.roughness < 0.2, "{what}: {wall:?}");
        assert!(pore.trimmed.iter().all(|t| t.element == "Ti" || t.bonds <= 2), "{what}");
    }
}

/// The open volume by dropping points: those that keep the probe's radius plus the atom's from every nucleus, and what lies
/// within the probe's radius of them.
#[test]
fn the_open_volume_is_what_a_probe_fills() {
    let placed = build(&deck("anatase", 3.4, 2.0, 0.95, ""));
    let atoms = oxide(&placed);
    let probe = 0.152;
    let free = |r: Vec3| {
        atoms.iter().all(|a| {
            let contact = probe + if a.titanium { 0.140 } else { 0.152 };
            placed.cell.minimum_image(r - a.r).norm() >= contact
        })
    };
    let edges = placed.cell.diagonal();
    let (n, h) = (48, edges.x / 48.0);
    let nz = (edges.z / h).round() as usize;
    let hz = edges.z / nz as f64;
    let points: Vec<Vec3> = (0..n * n * nz)
        .map(|k| Vec3::new(h * (k % n) as f64, h * (k / n % n) as f64, hz * (k / n / n) as f64))
        .collect();
    // Only what hangs together with the axis: holes in the crystal are none of the pore's.
    let centres: Vec<Vec3> = points.iter().copied().filter(|r| from_axis(&placed, *r) < 1.2 && free(*r)).collect();
    let reached = points
        .iter()
        .filter(|r| from_axis(&placed, **r) < 1.35)
        .filter(|r| centres.iter().any(|c| placed.cell.minimum_image(**r - *c).norm() <= probe))
        .count();
    let volume = reached as f64 * h * h * hz;
    let pore = placed.report.oxide.unwrap().pore.unwrap();
    let open = pore.wall().unwrap().open_volume;
    // Rays outwards see neither what lies behind an overhang nor less than the grid's ± half a spacing.
    assert!((open / volume - 1.0).abs() < 0.08, "{open} {volume}");
}

const CHAINS: &str = "packing_density = \"0.9 g/cm^3\"\n[[molecule]]\nname = \"PEO\"\nmonomers = 6\n[[molecule]]\nname = \"LiTFSI\"\neo_to_li = 12\n";

/// The count follows from the density; everything stands inside the pore, and the same seed gives the same bits.
#[test]
fn a_pore_is_filled_to_its_density() {
    let text = format!("{CHAINS}{}", deck("anatase", 4.2, 3.0, 1.9, "")).replace("lateral", "\u{0}");
    // `lateral` and `packing_density` stand before the tables.
    let (head, tail) = text.split_once('\u{0}').unwrap();
    let (lateral, oxide_table) = tail.split_once('\n').unwrap();
    let deck = format!("lateral{lateral}\n{head}{oxide_table}");
    let placed = build(&deck);
    let report = &placed.report;
    let pore = report.oxide.as_ref().unwrap().pore.clone().unwrap();
    let open = pore.wall().unwrap().open_volume;
    let mass: f64 = report.molecules.iter().map(|m| m.count as f64 * m.mass).sum();
    let density = mass / open / GRAM_PER_CM3;
    assert!((report.packing_density.unwrap() / density - 1.0).abs() < 1e-12);
    // One chain more or less is the step.
    let step = report.molecules[0].mass / open / GRAM_PER_CM3;
    assert!((density - 0.9).abs() < 1.2 * step, "{density}, steps of {step}");
    let lithium = report.molecules.iter().find(|m| m.name == "Li").unwrap().count;
    assert_eq!(lithium, (6.0 * report.molecules[0].count as f64 / 12.0).round() as usize);
    let n_oxide = placed.molecules[0].atoms.len();
    let middle = placed.cell.diagonal() * 0.5;
    for r in &placed.positions[n_oxide..] {
        assert!((r.x - middle.x).hypot(r.y - middle.y) <= 1.5, "{r:?}");
    }
    let again = build(&deck);
    assert!(again.positions.iter().zip(&placed.positions).all(|(a, b)| a == b));
    // Counts instead: the density is reported.
    let counted = deck
        .replace("packing_density = \"0.9 g/cm^3\"\n", "")
        .replace("monomers = 6", &format!("monomers = 6\ncount = {}", report.molecules[0].count));
    assert_eq!(build(&counted).report.packing_density, report.packing_density);
}

#[test]
fn what_cannot_be_is_refused_with_its_key_and_what_would_do() {
    let check = |deck: String, key: &str, words: &[&str]| {
        let error: BuildError = refuse(&deck);
        assert_eq!(error.key().as_deref(), Some(key), "{error}");
        for word in words {
            assert!(error.to_string().contains(word), "\"{word}\" is not in: {error}");
        }
    };
    let pore = "oxide.anatase.pore.diameter";
    let key = |name: &str| format!("system.{name}");
    check(deck("anatase", 3.4, 5.0, 0.95, ""), &key(pore), &["3.406 nm across", "at least 5.50 nm", "at most 2.91 nm"]);
    check(deck("anatase", 3.4, 0.5, 0.95, ""), &key(pore), &["no room for a molecule", "at least 1 nm"]);
    check(deck("anatase", 3.4, 2.0, 0.2, ""), &key("oxide.anatase.thickness"), &["half a cell", "0.951"]);
    let with = |more: &str| deck("anatase", 3.4, 2.0, 1.9, "") + more;
    check(with("surface = \"101\"\n"), &key("oxide.anatase.surface"), &["does not go with a pore", "leave it out"]);
    check(deck("anatase", 3.4, 2.0, 1.9, "gap = \"2 nm\""), &key("gap"), &["the pore", "leave this key out"]);
    let filled = |density: f64, molecules: &str| {
        deck("anatase", 3.4, 2.0, 1.9, &format!("packing_density = \"{density} g/cm^3\"")) + molecules
    };
    let chain = "[[molecule]]\nname = \"PEO\"\nmonomers = 500\n";
    let words = ["the chain is too long for the pore", "write at most", "wider or longer"];
    check(filled(1.0, chain), &key("molecule[0].monomers"), &words);
    let counted = "[[molecule]]\nname = \"PEO\"\nmonomers = 5\ncount = 2\n";
    check(
        filled(1.0, counted),
        &key("packing_density"),
        &["every molecule of the pore has its count", "leave `count` out"],
    );
    check(filled(3.0, chain), &key("packing_density"), &["3.000 g/cm³", "at most 2"]);
    let crowd = "[[molecule]]\nname = \"PEO\"\nmonomers = 5\ncount = 50\n";
    check(deck("anatase", 3.4, 2.0, 1.9, "") + crowd, &key("molecule"), &["g/cm³, which is impossible"]);
}

/// Two chains of six units make the first LiTFSI at 20 units for each: one alone makes 0.3 of one, which is none.
#[test]
fn a_pore_is_filled_where_one_chain_makes_no_whole_salt() {
    let filled = |density: f64, ratio: f64| {
        deck("anatase", 4.2, 3.0, 1.9, &format!("packing_density = \"{density} g/cm^3\""))
            + &format!(
                "[[molecule]]\nname = \"PEO\"\nmonomers = 6\n[[molecule]]\nname = \"LiTFSI\"\neo_to_li = {ratio}\n"
            )
    };
    let placed = build(&filled(0.4, 20.0));
    let report = &placed.report;
    let [chains, lithium, tfsi] = ["PEO", "Li", "TFSI"].map(|n| report.molecules.iter().find(|m| m.name == n).unwrap());
    assert_eq!(lithium.count, (6.0 * chains.count as f64 / 20.0).round() as usize);
    assert_eq!(tfsi.count, lithium.count);
    // One chain fewer or more, with its salt, is further from the density asked for.
    let open = report.oxide.as_ref().unwrap().pore.as_ref().unwrap().wall().unwrap().open_volume;
    let off = |n: usize| {
        let salts = (6.0 * n as f64 / 20.0).round();
        let mass = n as f64 * chains.mass + salts * (lithium.mass + tfsi.mass);
        (mass / open / GRAM_PER_CM3 - 0.4).abs()
    };
    assert!(off(chains.count) <= off(chains.count - 1) && off(chains.count) <= off(chains.count + 1));
    // 40 chains are the fewest with one salt, far more than there is room for.
    let error = refuse(&filled(0.4, 480.0));
    assert_eq!(error.key().as_deref(), Some("system.molecule[1].eo_to_li"), "{error}");
    for word in ["40 PEO, the fewest that make one", "ask for fewer units per Li"] {
        assert!(error.to_string().contains(word), "{error}");
    }
}
