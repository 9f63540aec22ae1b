//! Imported topologies against GROMACS itself, through the command line: energies by term, forces, virial.
//!
//! `tests/data/gromacs/NAME.top` and `.gro` are written by `scripts/peers/gromacs_systems.py` (the peptide by
//! `scripts/peers/gromacs_public.py`); `NAME.json` is what GROMACS in double precision made of them, with program,
//! version and settings in its header, written by `scripts/peers/gromacs_import.py` (`--check` runs it again).

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Reference {
    program: String,
    modifier: String,
    r_cut: f64,
    #[serde(default)]
    define: Vec<String>,
    energy: BTreeMap<String, f64>,
    forces: Vec<[f64; 3]>,
    virial: Option<[[f64; 3]; 3]>,
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// Bounds of |ΔE|/Σ|terms|, rms ΔF / rms F and max |ΔW| / max |W| at converged settings.
const ENERGY: f64 = 2e-9;
const FORCE: f64 = 2e-8;
const VIRIAL: f64 = 2e-8;

/// Imports `name`, evaluates it with the settings of the reference, and compares; returns the complaints.
fn compare(name: &str, reference: &str) -> Vec<String> {
    let text = std::fs::read_to_string(data().join(reference)).unwrap_or_else(|e| panic!("{reference}: {e}"));
    let reference: Reference = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{reference}: {e}"));
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = |ending: &str| data().join("gromacs").join(format!("{name}.{ending}")).display().to_string();
    let (top, gro) = (path("top"), path("gro"));
    let mut arguments = vec!["import", "gromacs", &top, &gro, "-o", "system.h5", "-q"];
    for define in &reference.define {
        arguments.extend(["-D", define]);
    }
    let sets = [
        format!("nonbonded.r_cut=\"{} nm\"", reference.r_cut),
        format!("nonbonded.vdw.modifier=\"{}\"", reference.modifier),
        "nonbonded.coulomb.ewald.tolerance=1e-13".to_string(),
    ];
    for set in &sets {
        arguments.extend(["--set", set]);
    }
    common::ok(folder.path(), &arguments);
    let ours: Value =
        serde_json::from_str(&common::ok(folder.path(), &["energy", "system.h5", "--json", "--forces"])).expect("JSON");
    let e = |term: &str| ours["energy"][term].as_f64().unwrap_or(0.0);
    let scale: f64 = reference.energy.values().map(|v| v.abs()).sum();
    let mut d_energy = 0.0_f64;
    for (term, value) in &reference.energy {
        let found = match term.as_str() {
            "coulomb" => e("coulomb_real") + e("coulomb_14") + e("coulomb_reciprocal"),
            name => e(name),
        };
        let d = (found - value).abs() / scale;
        println!("{name:12} {term:10} {found:18.9} {value:18.9} {d:.1e}");
        d_energy = d_energy.max(d);
    }
    let forces: Vec<[f64; 3]> = serde_json::from_value(ours["forces"].clone()).expect("forces");
    assert_eq!(forces.len(), reference.forces.len());
    let (mut difference, mut sum) = (0.0, 0.0);
    for (f, r) in forces.iter().zip(&reference.forces) {
        difference += (0..3).map(|k| (f[k] - r[k]).powi(2)).sum::<f64>();
        sum += (0..3).map(|k| r[k] * r[k]).sum::<f64>();
    }
    let d_force = (difference / sum).sqrt();
    let virial: [[f64; 3]; 3] = serde_json::from_value(ours["virial"].clone()).expect("virial");
    let theirs = reference.virial.unwrap_or(virial);
    let pairs = virial.iter().flatten().zip(theirs.iter().flatten());
    let largest = theirs.iter().flatten().fold(0.0, |m: f64, w| m.max(w.abs()));
    let d_virial = pairs.fold(0.0, |m: f64, (a, b)| m.max((a - b).abs())) / largest;
    println!("{name:12} {} energy {d_energy:.1e} force {d_force:.1e} virial {d_virial:.1e}", reference.program);
    [("energy", d_energy, ENERGY), ("forces", d_force, FORCE), ("virial", d_virial, VIRIAL)]
        .into_iter()
        .filter(|(_, d, bound)| d.is_nan() || d > bound)
        .map(|(what, d, bound)| format!("{name} against {}: {what} {d:.2e}, bound {bound:.0e}", reference.program))
        .collect()
}

#[test]
fn gromacs_finds_the_same_energies_forces_and_virials() {
    let mut complaints = compare("peo-litfsi", "peers/peo-litfsi.gromacs.json");
    let mut names: Vec<String> = std::fs::read_dir(data().join("gromacs"))
        .expect("a folder of the repository")
        .flatten()
        .filter_map(|e| e.file_name().to_string_lossy().strip_suffix(".json").map(String::from))
        .collect();
    names.sort();
    assert!(!names.is_empty());
    for name in names {
        complaints.extend(compare(&name, &format!("gromacs/{name}.json")));
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// A deck with `[system.import.gromacs]` evaluates as the imported file does, and runs.
#[test]
fn a_deck_imports_and_runs() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    for file in ["water.top", "water.gro"] {
        std::fs::copy(data().join("gromacs").join(file), folder.path().join(file)).expect("copied");
    }
    let deck = |water: &str| {
        format!(
            "[system.import.gromacs]\ntopology = \"water.top\"\ncoordinates = \"water.gro\"\n{water}\n\
             [nonbonded]\nr_cut = \"0.75 nm\"\n[[stage]]\nname = \"relax\"\n\
             minimize = {{ max_steps = 20 }}\n[[stage]]\nname = \"run\"\nnve = {{}}\nduration = \"5 fs\"\ntimestep = \"1 fs\"\n"
        )
    };
    common::write(folder.path(), "rigid.toml", &deck(""));
    common::write(folder.path(), "flexible.toml", &deck("define = [\"FLEXIBLE\"]"));
    let energy = |deck: &str| -> Value {
        serde_json::from_str(&common::ok(folder.path(), &["energy", deck, "--json"])).expect("JSON")
    };
    let (rigid, flexible) = (energy("rigid.toml"), energy("flexible.toml"));
    assert!(rigid["virial_constraint"].is_array() && rigid["energy"]["bond"] == 0.0);
    // The geometry is the model's own: bonds rest, angles 0.001° off 109.47°.
    assert!(flexible["energy"]["bond"].as_f64().unwrap() < 1e-6 && flexible["energy"]["angle"] != 0.0);
    assert_eq!(rigid["energy"]["vdw"], flexible["energy"]["vdw"]);
    common::ok(
        folder.path(),
        &["import", "gromacs", "water.top", "water.gro", "-o", "w.h5", "-q", "--set", "nonbonded.r_cut=0.75 nm"],
    );
    let file: Value = serde_json::from_str(&common::ok(folder.path(), &["energy", "w.h5", "--json"])).expect("JSON");
    assert_eq!(file["energy"], rigid["energy"]);
    assert_ne!(file["pressure"], file["virial"]);
    // What the importer says is in the check; nothing was built, and no heading says so.
    let check = common::amelo(folder.path(), &["check", "rigid.toml"]);
    let text = [check.stdout, check.stderr].map(|b| String::from_utf8_lossy(&b).into_owned()).concat();
    assert!(check.status.success() && text.contains("\nOrigin\n  imported "), "{text}");
    assert!(!text.contains("Building") && !text.contains("null"), "{text}");
    let json: Value =
        serde_json::from_str(&common::ok(folder.path(), &["check", "rigid.toml", "--json"])).expect("JSON");
    assert!(json["build"].is_null() && json["notes"].as_array().is_some_and(|n| n.len() > 1), "{}", json["notes"]);
    common::ok(folder.path(), &["run", "rigid.toml", "-q"]);
    assert!(folder.path().join("rigid.run/checkpoint.h5").exists());
}

#[test]
fn a_broken_topology_is_drawn_at_its_line_and_nothing_is_written() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let text = std::fs::read_to_string(data().join("gromacs/water.top")).expect("a file of the repository");
    common::write(folder.path(), "a.top", &text.replace("1 2 1 0.15", "1 2 1 -0.15"));
    std::fs::copy(data().join("gromacs/water.gro"), folder.path().join("a.gro")).expect("copied");
    let import = |arguments: &[&str]| {
        common::call(folder.path(), &[&["import", "gromacs", "a.top", "a.gro", "-o", "a.h5"], arguments].concat())
    };
    let (code, stderr) = import(&[]);
    assert_eq!(code, 2, "{stderr}");
    for words in ["a.top:34: [ constraints ]: the length is -0.15 nm", "1 2 1 -0.15", "write a positive length"] {
        assert!(stderr.contains(words), "{stderr}");
    }
    assert!(!folder.path().join("a.h5").exists());
    std::fs::write(folder.path().join("a.top"), &text).expect("written");
    let (code, stderr) = import(&[]);
    assert!(
        code == 2 && stderr.contains("the cut-off 1.2 nm is larger than half the cell's smallest width"),
        "{stderr}"
    );
    let (code, stderr) = import(&["--set", "system.x=1"]);
    assert!(code == 2 && stderr.contains("an import takes only keys of [nonbonded]"), "{stderr}");
    let (code, stderr) = import(&["--set", "nonbonded.r_cut=0.7 nm", "-D", "A B"]);
    assert!(code == 2 && stderr.contains("\"A B\" is not a macro to define"), "{stderr}");
    let (code, stderr) = import(&["--set", "nonbonded.r_cut=0.7 nm", "-D", "NOBODY"]);
    assert!(code == 0 && stderr.contains("note: the macro NOBODY is defined, but no file asks for it"), "{stderr}");
    let (code, stderr) = import(&["--set", "nonbonded.r_cut=0.7 nm"]);
    assert!(code == 2 && stderr.contains("a.h5 exists already"), "{stderr}");
    let (code, stderr) = common::call(folder.path(), &["import", "gromacs", "no.top", "a.gro", "-o", "b.h5"]);
    assert!(code == 4 && stderr.contains("cannot read") && stderr.contains("no.top"), "{stderr}");
}
