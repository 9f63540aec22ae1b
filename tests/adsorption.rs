//! `[adsorption]` from the command line: energies against independent sums, bits, resumption, and what is refused.

mod common;

use std::f64::consts::PI;
use std::path::Path;

use amelo_core::units::{COULOMB, EV, KCAL};
use amelo_math::special::{erf, erfc};
use common::{call, ok, with_sets, write};
use serde_json::Value;

/// A thin slab of anatase (101) of 240 atoms; `section` is the rest of the deck.
fn deck(section: &str) -> String {
    format!(
        "title = \"adsorption\"\nseed = 5\n[system]\nlateral = [\"2.05 nm\", \"1.9 nm\"]\n\
         geometry.film = {{ vacuum = \"3 nm\" }}\n[system.oxide.anatase]\nsurface = \"101\"\nthickness = \"0.7 nm\"\n\
         [forcefield]\nfiles = [\"peo-opls-aa\", \"tfsi-clp\", \"li-clp\", \"tio2-matsui-akaogi\", \"tio2-organic\"]\n\
         [nonbonded]\nr_cut = \"0.9 nm\"\nslab = \"z\"\n{section}\n"
    )
}

fn report(directory: &Path) -> Value {
    let path = directory.join("run.run/adsorption.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("a report")).expect("JSON")
}

fn potential(directory: &Path, file: &str) -> f64 {
    let path = format!("run.run/adsorption/{file}");
    let json: Value = serde_json::from_str(&ok(directory, &["energy", &path, "--json"])).expect("JSON");
    json["energy"]["potential"].as_f64().expect("a number")
}

/// A frame of extended XYZ: head line, elements, positions (nm), edges of a rectangular cell (nm).
struct Frame {
    head: String,
    elements: Vec<String>,
    positions: Vec<[f64; 3]>,
    edges: [f64; 3],
}

fn frames(text: &str) -> Vec<Frame> {
    let mut lines = text.lines();
    let mut all = Vec::new();
    while let Some(count) = lines.next() {
        let n: usize = count.parse().expect("a number of atoms");
        let head = lines.next().expect("a head").to_string();
        let lattice = head.split('"').nth(1).expect("a lattice");
        let vectors: Vec<f64> = lattice.split(' ').map(|x| 0.1 * x.parse::<f64>().expect("a number")).collect();
        assert!([1, 2, 3, 5, 6, 7].iter().all(|&k| vectors[k] == 0.0), "a rectangular cell: {lattice}");
        let (mut elements, mut positions) = (Vec::new(), Vec::new());
        for line in lines.by_ref().take(n) {
            let words: Vec<&str> = line.split_whitespace().collect();
            elements.push(words[0].to_string());
            positions.push([1, 2, 3].map(|k| 0.1 * words[k].parse::<f64>().expect("a number")));
        }
        all.push(Frame { head, elements, positions, edges: [vectors[0], vectors[4], vectors[8]] });
    }
    all
}

/// Potential (1/nm) at distance `d` (nm) from a rectangular lattice of unit charges with edges a, b in the plane and open
/// space across it, without the constant that neutral layers do not feel: D. E. Parry, Surf. Sci. 49, 433 (1975).
fn planar_potential(d: [f64; 3], [a, b]: [f64; 2]) -> f64 {
    const ALPHA: f64 = 3.0;
    let (area, z) = (a * b, d[2]);
    let mut sum = 0.0;
    for i in -3..=3 {
        for j in -3..=3 {
            let (x, y) = (d[0] + f64::from(i) * a, d[1] + f64::from(j) * b);
            let r = (x * x + y * y + z * z).sqrt();
            sum += erfc(ALPHA * r) / r;
        }
    }
    for i in -14i32..=14 {
        for j in -14i32..=14 {
            if (i, j) == (0, 0) {
                continue;
            }
            let (kx, ky) = (2.0 * PI * f64::from(i) / a, 2.0 * PI * f64::from(j) / b);
            let k = (kx * kx + ky * ky).sqrt();
            let side = |z: f64| {
                let x = k / (2.0 * ALPHA) + ALPHA * z;
                // The product is small wherever one of its factors is out of range.
                if x > 6.0 && k * z > 300.0 { 0.0 } else { (k * z).exp() * erfc(x) }
            };
            sum += PI / area * (kx * d[0] + ky * d[1]).cos() / k * (side(z) + side(-z));
        }
    }
    let sqrt_pi = PI.sqrt();
    sum - 2.0 * sqrt_pi / area * ((-ALPHA * ALPHA * z * z).exp() / ALPHA + sqrt_pi * z * erf(ALPHA * z))
}

/// The lattice of charges in two periodic directions, against its definition: opposite charges one beside the other on a
/// square lattice, at a height, by a direct sum over neutral cells.
#[test]
fn the_planar_potential_is_that_of_a_direct_sum() {
    let (edge, at) = (0.5, [0.06, 0.11, 0.2]);
    let of = |x: f64, y: f64| planar_potential([at[0] - x, at[1] - y, at[2]], [edge, edge]);
    // A neutral cell without dipole: two charges of each sign on a chessboard.
    let charges = [(0.0, 0.0, 1.0), (0.25, 0.25, 1.0), (0.25, 0.0, -1.0), (0.0, 0.25, -1.0)];
    let found: f64 = charges.iter().map(|(x, y, q)| q * of(*x, *y)).sum();
    let mut direct = 0.0;
    for i in -200..=200 {
        for j in -200..=200 {
            for (x, y, q) in charges {
                let d = [at[0] - x - edge * f64::from(i), at[1] - y - edge * f64::from(j), at[2]];
                direct += q / (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]).sqrt();
            }
        }
    }
    assert!((found - direct).abs() < 2e-4, "{found} and {direct}");
}

/// Energy (kJ/mol) of Li⁺ at `ion` above a frozen slab: a charge in the potential of a slab that is periodic in two
/// directions, and Lennard-Jones, shifted to zero at 0.9 nm.
fn of_an_ion(ion: [f64; 3], elements: &[String], host: &[[f64; 3]], [a, b, c]: [f64; 3]) -> f64 {
    let (mut coulomb, mut lj) = (0.0, 0.0);
    for (element, r) in elements.iter().zip(host) {
        let image = |d: f64, edge: f64| d - edge * (d / edge).round();
        let d = [image(ion[0] - r[0], a), image(ion[1] - r[1], b), image(ion[2] - r[2], c)];
        let (charge, sigma, epsilon) = match element.as_str() {
            "Ti" => (2.196, 0.28286, 0.017),
            _ => (-1.098, 0.31181, 0.060),
        };
        coulomb += COULOMB * charge * planar_potential(d, [a, b]);
        let (sigma, epsilon) = ((sigma * 0.2126452f64).sqrt(), KCAL * (epsilon * 0.018279f64).sqrt());
        let u = |r: f64| 4.0 * epsilon * ((sigma / r).powi(12) - (sigma / r).powi(6));
        let distance = (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]).sqrt();
        if distance < 0.9 {
            lj += u(distance) - u(0.9);
        }
    }
    coulomb + lj
}

/// Li⁺ above frozen anatase, in its cell and in one twice as wide: its adsorption energy is that of a charge in the
/// potential of a slab that is periodic in two directions, and Lennard-Jones. So slab correction, background and the ion's
/// own images are all accounted for.
#[test]
fn an_ion_on_a_frozen_lattice_has_the_energy_of_a_planar_ewald_sum() {
    let directory = tempfile::tempdir().expect("a directory");
    let section = "coulomb.pme = { tolerance = 1e-9, spacing = \"0.06 nm\", order = 8 }\n[adsorption]\n\
                   molecule = [{ name = \"Li\" }]\nstarts = 2\nfixed = 1.0\nwider = [2]";
    write(directory.path(), "run.toml", &deck(section));
    ok(directory.path(), &["run", "run.toml"]);
    let report = report(directory.path());
    assert_eq!((report["n_host"].as_u64(), report["n_fixed"].as_u64()), (Some(240), Some(240)));
    let text = std::fs::read_to_string(directory.path().join("run.run/adsorption.extxyz")).expect("structures");
    let all = frames(&text);
    let adsorbed: Vec<&Frame> = all.iter().filter(|f| f.head.contains("kind=adsorbed")).collect();
    let minima = report["adsorbates"][0]["minima"].as_array().expect("minima");
    assert_eq!(adsorbed.len(), minima.len());
    for (frame, minimum) in adsorbed.iter().zip(minima) {
        assert_eq!(frame.elements[240], "Li");
        let expected = of_an_ion(frame.positions[240], &frame.elements[..240], &frame.positions[..240], frame.edges);
        let energy = minimum["energy"].as_f64().expect("a number");
        assert!(energy < -10.0, "{energy}");
        assert!((energy - expected).abs() < 2e-3, "{energy} and {expected} kJ/mol");
    }

    let folder = directory.path().join("run.run/adsorption");
    let files = std::fs::read_dir(&folder).expect("a folder").map(|file| file.expect("a file").path());
    let is_wide = |path: &std::path::PathBuf| path.to_string_lossy().contains("/Li-0");
    let wide = files.filter(is_wide).find(|path| path.to_string_lossy().ends_with("-wide-2.json"));
    let text = std::fs::read_to_string(wide.expect("a wider cell")).expect("a file");
    let wide: Value = serde_json::from_str(&text).expect("JSON");
    let positions: Vec<[f64; 3]> = serde_json::from_value(wide["Ok"]["positions"].clone()).expect("positions");
    let elements: Vec<String> = adsorbed[0].elements[..240].iter().cycle().take(960).cloned().collect();
    let [a, b, c] = adsorbed[0].edges;
    let expected = of_an_ion(positions[960], &elements, &positions[..960], [2.0 * a, 2.0 * b, c]);
    let energy = report["adsorbates"][0]["wider"][0]["energy"].as_f64().expect("a number");
    assert!((energy - expected).abs() < 2e-3, "{energy} and {expected} kJ/mol");
    // A lattice that does not move is the same without the ion's images, and they act on the ion alone too.
    assert!((energy - minima[0]["energy"].as_f64().expect("a number")).abs() < 2e-3);
}

/// On a slab that moves, a wider cell is what a deck with twice the lateral size gives.
#[test]
fn a_wider_cell_is_that_of_a_deck_with_twice_the_size() {
    let directory = tempfile::tempdir().expect("a directory");
    let section = "[adsorption]\nmolecule = [{ name = \"Li\" }]\nstarts = 2\nforce_tolerance = \"0.5 kJ/mol/nm\"";
    write(directory.path(), "run.toml", &deck(&format!("{section}\nreference = \"removed\"")));
    let run = |more: &[&str], sets: &[&str]| {
        ok(directory.path(), &with_sets(&[&["run", "run.toml"], more].concat(), sets));
        report(directory.path())
    };
    let narrow = run(&[], &[]);
    assert!(narrow["adsorbates"][0]["wider"].as_array().expect("none").is_empty());
    // Named later, it goes on from what is there.
    let added = run(&["--resume"], &["adsorption.wider=[2]"]);
    let energy = |of: &Value| of["adsorbates"][0]["minima"][0]["energy"].as_f64().expect("a number");
    assert_eq!(energy(&added), energy(&narrow));
    let wider = added["adsorbates"][0]["wider"][0]["energy"].as_f64().expect("a number");
    let edge = |k: usize| format!("\"{} nm\"", 2.0 * added["cell"][k][k].as_f64().expect("an edge"));
    let wide = run(&["--overwrite"], &[&format!("system.lateral=[{}, {}]", edge(0), edge(1))]);
    assert_eq!(wide["n_host"].as_u64(), Some(960));
    // What stands between them is how far both are from rest.
    assert!((energy(&wide) - wider).abs() < 0.1, "{} and {wider}", energy(&wide));
    assert!((energy(&narrow) - wider).abs() > 1.0, "{} and {wider}", energy(&narrow));
}

#[test]
fn energies_are_differences_of_single_points_and_starts_can_be_added() {
    let directory = tempfile::tempdir().expect("a directory");
    let section =
        "[adsorption]\nmolecule = [{ name = \"dimethyl-ether\" }]\nstarts = 2\nforce_tolerance = \"5 kJ/mol/nm\"";
    write(directory.path(), "run.toml", &deck(section));
    ok(directory.path(), &["run", "run.toml", "--threads", "1"]);
    let first = report(directory.path());
    let two = first["adsorbates"][0]["by_start"].as_array().expect("starts").clone();
    assert_eq!(two.len(), 2);
    let lowest = first["adsorbates"][0]["minima"][0]["energy"].as_f64().expect("a number");
    let parts = ["dimethyl-ether.h5", "host.h5", "dimethyl-ether-alone.h5"].map(|f| potential(directory.path(), f));
    assert!((lowest - (parts[0] - parts[1] - parts[2])).abs() < 1e-6, "{lowest} and {parts:?}");
    // The ether binds through its oxygen, which no reasonable force field makes weaker than 0.3 or stronger than 1.2 eV.
    assert!((-1.2..-0.3).contains(&(lowest / EV)), "{} eV", lowest / EV);
    // results.json has it in both units, at level C.
    let results = std::fs::read_to_string(directory.path().join("run.run/results.json")).expect("results");
    let results: Value = serde_json::from_str(&results).expect("JSON");
    let entry = &results["results"][0];
    assert_eq!(
        (entry["name"].as_str(), entry["level"].as_str()),
        (Some("dimethyl-ether: adsorption energy"), Some("C"))
    );
    assert_eq!(entry["value"].as_f64(), Some(lowest));
    assert!((entry["also"][0]["value"].as_f64().expect("eV") - lowest / EV).abs() < 1e-12);
    let html = std::fs::read_to_string(directory.path().join("run.run/report.html")).expect("a report");
    assert!(html.contains("Adsorption energies") && html.contains("dimethyl-ether"));

    // A third start leaves the first two as they were, and the bits do not depend on the number of threads.
    let more = ["adsorption.starts=3"];
    ok(directory.path(), &with_sets(&["run", "run.toml", "--resume", "--threads", "2"], &more));
    let third = report(directory.path());
    assert_eq!(third["adsorbates"][0]["by_start"].as_array().expect("starts").len(), 3);
    ok(directory.path(), &with_sets(&["run", "run.toml", "--overwrite", "--threads", "2"], &more));
    assert_eq!(report(directory.path()), third);
    // Anything else is another survey.
    let (code, stderr) =
        call(directory.path(), &with_sets(&["run", "run.toml", "--resume"], &["adsorption.fixed=0.2"]));
    assert!(code == 2 && stderr.contains("fixed"), "{stderr}");
}

/// Molecules on a slab lie across the faces of its cell; in a wider one they are as whole.
#[test]
fn molecules_of_the_host_stay_whole_in_a_wider_cell() {
    let directory = tempfile::tempdir().expect("a directory");
    let ethers = "[[system.molecule]]\nname = \"dimethyl-ether\"\ncount = 4\n[forcefield]";
    let stage = "[[stage]]\nname = \"relax\"\nminimize = { force_tolerance = \"5 kJ/mol/nm\", max_steps = 3000 }\n";
    let section = format!(
        "{stage}[adsorption]\nmolecule = [{{ name = \"Li\" }}]\nstarts = 1\nreference = \"removed\"\nwider = [2]"
    );
    write(
        directory.path(),
        "run.toml",
        &deck(&section).replace("[forcefield]", ethers).replacen(
            "seed = 5\n[system]",
            "seed = 5\n[system]\ngap = \"1.2 nm\"",
            1,
        ),
    );
    ok(directory.path(), &["run", "run.toml"]);
    let report = report(directory.path());
    let li = &report["adsorbates"][0];
    let energy = |of: &Value| of["energy"].as_f64().expect("a number");
    let (narrow, wide) = (energy(&li["minima"][0]), energy(&li["wider"][0]));
    // One torn bond is worth thousands of kJ/mol, the images of the ion some ten.
    assert!((narrow - wide).abs() < 40.0, "{narrow} and {wide} kJ/mol");
    assert!(wide < -100.0, "{wide} kJ/mol");
}

/// "Gained by doubling" is what a run with half the starts did not find.
#[test]
fn the_first_half_finds_what_half_the_starts_find() {
    let directory = tempfile::tempdir().expect("a directory");
    let section = "[adsorption]\nmolecule = [{ name = \"Li\" }]\nstarts = 2\nrefined = 1\nfixed = 0.9";
    write(directory.path(), "run.toml", &deck(section));
    let run = |sets: &[&str]| {
        ok(directory.path(), &with_sets(&["run", "run.toml", "--overwrite"], sets));
        let a = report(directory.path())["adsorbates"][0].clone();
        let refined = a["by_start"].as_array().expect("starts").iter().filter(|e| !e.is_null()).count();
        (a["minima"][0]["energy"].as_f64().expect("a number"), a["gained_by_doubling"].as_f64(), refined)
    };
    let (half, _, _) = run(&[]);
    let (all, gained, refined) = run(&["adsorption.starts=4"]);
    assert!((half - all - gained.expect("a gain")).abs() < 1e-9, "{half}, {all}, {gained:?}");
    // One of all four, one of the first two and the first, unless they are the same.
    assert!(refined <= 3, "{refined}");
}

/// The cycle of the dissociation energy, in a box of chains; each ion finds its own place, so that the box is left as its
/// molecule left it.
#[test]
fn a_salt_dissociates_in_a_box_of_chains_by_the_cycle_that_is_stated() {
    let directory = tempfile::tempdir().expect("a directory");
    let text = "seed = 2\n[system]\nbox = [\"1.9 nm\", \"1.9 nm\", \"1.9 nm\"]\n[[system.molecule]]\nname = \"PEO\"\n\
                monomers = 4\ncount = 16\n[forcefield]\nfiles = [\"peo-opls-aa\", \"tfsi-clp\", \"li-clp\"]\n\
                charge_scale = { Li = 0.8, TFSI = 0.8 }\n[nonbonded]\nr_cut = \"0.9 nm\"\n\
                [[stage]]\nname = \"relax\"\nminimize = { force_tolerance = \"200 kJ/mol/nm\" }\n\
                [adsorption]\nmolecule = [{ name = \"LiTFSI\" }]\nstarts = 2\nmax_steps = 150\nreference = \"removed\"\n\
                anneal = { temperature = \"300 K\", time = \"0.05 ps\" }\nrelative_permittivity = 1.6\n";
    write(directory.path(), "run.toml", text);
    ok(directory.path(), &["run", "run.toml"]);
    let report = report(directory.path());
    let names: Vec<&str> =
        report["adsorbates"].as_array().expect("adsorbates").iter().filter_map(|a| a["name"].as_str()).collect();
    assert_eq!(names, ["LiTFSI", "Li", "TFSI"]);
    let lowest = |k: usize| report["adsorbates"][k]["minima"][0]["energy"].as_f64().expect("a number");
    let charge = |k: usize| report["adsorbates"][k]["charge"].as_f64().expect("a number");
    assert!((charge(0).abs() < 1e-9) && (charge(1) - 0.8).abs() < 1e-9 && (charge(2) + 0.8).abs() < 1e-9);
    let salt = &report["dissociation"][0];
    let vacuum = salt["vacuum"].as_f64().expect("a number");
    let expected = vacuum + lowest(1) + lowest(2) - lowest(0);
    assert!((salt["energy"].as_f64().expect("a number") - expected).abs() < 1e-9);
    // Two charges of 0.8 e between 0.15 and 0.6 nm apart, before they deform.
    assert!((COULOMB * 0.64 / 0.6..COULOMB * 0.64 / 0.15).contains(&vacuum), "{vacuum}");
    assert!(lowest(1) < 0.0, "ether oxygens hold Li: {}", lowest(1));
    // The images' term in a cube, apart: 1.9 nm, 0.8 e, screened by 1 − 1/1.6; no energy above has it.
    let term = -(1.0 - 1.0 / 1.6) * 2.837_297 * COULOMB * 0.64 / (2.0 * 1.9);
    let finite_size = |of: &serde_json::Value| of["finite_size"].as_f64().expect("a number");
    for (k, expected) in [(0, 0.0), (1, term), (2, term)] {
        assert!((finite_size(&report["adsorbates"][k]) - expected).abs() < 1e-4, "{k}: {term}");
    }
    assert!((finite_size(salt) - 2.0 * term).abs() < 1e-4);
    let results = std::fs::read_to_string(directory.path().join("run.run/results.json")).expect("results");
    let results: serde_json::Value = serde_json::from_str(&results).expect("JSON");
    let value = |name: &str| {
        let all = results["results"].as_array().expect("results");
        all.iter().find(|q| q["name"] == name).and_then(|q| q["value"].as_f64()).expect("a value")
    };
    for (name, plain) in [("Li: adsorption energy", lowest(1)), ("LiTFSI: dissociation energy", expected)] {
        let times = if name.starts_with("LiTFSI") { 2.0 } else { 1.0 };
        assert!((value(name) - plain).abs() < 1e-9);
        assert!((value(&format!("{name}, with the finite-size term")) - plain - times * term).abs() < 1e-4);
    }
    for a in report["adsorbates"].as_array().expect("adsorbates") {
        assert!(a["minima"].as_array().expect("minima").iter().all(|m| m["host_left"].is_number()), "{a}");
    }
}

#[test]
fn requests_that_cannot_be_are_refused_at_their_line() {
    let molecule = "molecule = [{ name = \"TFSI\" }]";
    let cases = [
        ("molecule = []".to_string(), "15:12", "nothing to adsorb"),
        ("molecule = [{ name = \"water\" }]".into(), "15:22", "no parameter file describes \"water\""),
        ("molecule = [{ name = \"Li\" }, { name = \"PEO\" }]".into(), "15:30", "write `monomers`"),
        ("molecule = [{ name = \"Li\" }, { name = \"Li\" }]".into(), "15:39", "stands here twice"),
        ("molecule = [{ name = \"Li\", count = 2 }]".into(), "15:28", "unknown field"),
        (format!("{molecule}\nstarts = 0"), "16:10", "between 1 and"),
        (format!("{molecule}\nrefined = 0"), "16:11", "no rough structure"),
        (format!("{molecule}\nfixed = 1.5"), "16:9", "between 0 and 1"),
        (format!("{molecule}\ntemperature = \"0 K\""), "16:15", "must be positive"),
        (format!("{molecule}\nforce_tolerance = 2"), "16:19", "has no unit"),
        (format!("{molecule}\nanneal = {{ temperature = \"600 K\", time = \"0 ps\" }}"), "16:1", "at least 0.001 ps"),
        (format!("{molecule}\nsites = 3"), "16:1", "unknown field"),
        (format!("{molecule}\nwider = [1]"), "16:9", "2, 3 and 4 can be had"),
        (format!("{molecule}\nwider = [3, 2]"), "16:9", "does not rise"),
    ];
    for (section, place, words) in cases {
        refused(&deck(&format!("[adsorption]\n{section}")), place, words);
    }
    let film = deck(&format!("[adsorption]\n{molecule}"));
    refused(&film.replace("3 nm", "1 nm"), "3:2", "molecules need at least 1.5 nm");
    refused(&film.replace("\"tfsi-clp\", ", ""), "15:22", "describes \"TFSI\"");
    let missing = film.replace(", \"tio2-organic\"", "");
    refused(&missing, "10:9", "no potential between");
    let alone = "[system]\nbox = [\"2 nm\", \"2 nm\", \"2 nm\"]\n[[system.molecule]]\nname = \"PEO\"\nmonomers = 4\ncount = 8\n\
                 [forcefield]\nfiles = [\"peo-opls-aa\"]\n[nonbonded]\nr_cut = \"0.9 nm\"\n[adsorption]\n\
                 molecule = [{ name = \"dimethyl-ether\" }]\nfixed = 0.5\n";
    refused(alone, "13:9", "no oxide to fix");
    let eps = format!("{molecule}\nrelative_permittivity = 2.0");
    refused(&deck(&format!("[adsorption]\n{eps}")), "16:25", "a box that molecules fill");
    refused(&alone.replace("fixed = 0.5", "relative_permittivity = 0.5"), "13:25", "less than 1");
    refused(&alone.replace("fixed = 0.5", "wider = [2]"), "13:9", "never comes so near to rest");
    let cut = alone.replace("fixed = 0.5", "relative_permittivity = 2.0");
    refused(&cut.replace("[adsorption]", "coulomb.cutoff = {}\n[adsorption]"), "14:25", "have no images");
}

fn refused(deck: &str, place: &str, words: &str) {
    let directory = tempfile::tempdir().expect("a directory");
    write(directory.path(), "run.toml", deck);
    for command in ["run", "check"] {
        let (code, stderr) = call(directory.path(), &[command, "run.toml"]);
        let flat = stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(code, 2, "{words}\n{stderr}");
        assert!(stderr.contains(&format!("run.toml:{place}")), "{place}\n{stderr}");
        assert!(flat.contains(words) && stderr.contains("help:"), "{words}\n{stderr}");
    }
    assert!(!directory.path().join("run.run").exists());
}
