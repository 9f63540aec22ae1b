//! Whole scripts: what a good one gives, and what each broken one says.

use std::fs;
use std::path::PathBuf;

use amelo_core::{Class, Coulomb, Modifier};
use amelo_math::Vec3;

use super::import;
use crate::formats::{ImportError, Imported};

const SCRIPT: &str = "\
units real
atom_style full
boundary p p p
pair_style lj/cut/coul/long 4.0
bond_style harmonic
angle_style harmonic
dihedral_style opls
special_bonds lj/coul 0 0.25 0.5
read_data data.lmp
pair_coeff 1 1 0.1 3.5 # line 10
pair_coeff 2 2 0.03 2.5
kspace_style ewald 1.0e-6
thermo 10
run 0
";

const DATA: &str = "\
a title that is never read

5 atoms
2 atom types
4 bonds
1 bond types
3 angles
1 angle types
2 dihedrals
1 dihedral types

1.0 11.0 xlo xhi
-2.0 9.0 ylo yhi
0.0 12.0 zlo zhi
1.0 -2.0 0.5 xy xz yz

Masses # line 17

1 12.011
2 1.008

Bond Coeffs # harmonic

1 300.0 1.5

Angle Coeffs # harmonic

1 50.0 110.0

Dihedral Coeffs # opls

1 1.0 -0.5 0.3 0.0

Atoms # full

5 1 1 0.1 6.0 2.5 2.0 0 0 0
1 1 1 -0.2 2.0 1.0 1.0 0 0 0
2 1 2 0.1 3.2 1.3 1.8 0 0 1
3 1 1 -0.1 4.1 2.4 1.1 0 -1 0
4 1 2 0.1 5.3 1.9 1.2 0 0 0

Velocities # line 42

1 0.001 0 0
2 0 -0.002 0
3 0 0 0
4 0 0 0
5 0 0 0.5

Bonds # line 50

1 1 1 2
2 1 2 3
3 1 3 4
4 1 4 5

Angles # line 57

1 1 1 2 3
2 1 2 3 4
3 1 3 4 5

Dihedrals # line 63

1 1 1 2 3 4
2 1 2 3 4 5
";

/// Imports `script` with `data` beside it, and any further files.
fn with(script: &str, data: &str, others: &[(&str, &str)]) -> Result<Imported, ImportError> {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("in.lmp");
    fs::write(&path, script).unwrap();
    fs::write(folder.path().join("data.lmp"), data).unwrap();
    for (name, text) in others {
        fs::write(folder.path().join(name), text).unwrap();
    }
    import(&path)
}

/// The message, with the folder cut off.
fn message(error: &ImportError) -> String {
    let text = error.to_string();
    let folder = error.place().and_then(|p| p.path.parent().map(|f| format!("{}/", f.display())));
    folder.map_or(text.clone(), |f| text.replace(&f, ""))
}

#[test]
fn a_good_script() {
    let imported = with(SCRIPT, DATA, &[]).unwrap();
    let (system, settings) = (&imported.system, imported.nonbonded.unwrap());
    let t = &system.topology;
    assert_eq!(t.n_atoms(), 5);
    assert_eq!(*t.charges, [-0.2, 0.1, -0.1, 0.1, 0.1]);
    assert_eq!((t.element(0), t.element(1)), ("C", "H"));
    assert_eq!(t.molecules.len(), 1);
    let rows = system.cell.vectors().to_array();
    let expected = [[1.0, 0.0, 0.0], [0.1, 1.1, 0.0], [-0.2, 0.05, 1.2]];
    assert!((0..3).all(|i| (0..3).all(|j| (rows[i][j] - expected[i][j]).abs() < 1e-15)), "{rows:?}");
    // Atom 2: (3.2, 1.3, 1.8) − (1, −2, 0) Å, one image along c.
    let r = system.unwrapped(1);
    let c = Vec3::from([-0.2, 0.05, 1.2]);
    assert!((r - c - Vec3::new(0.22, 0.33, 0.18)).norm() < 1e-14, "{r:?}");
    assert!((system.velocities[1].y + 0.2).abs() < 1e-15 && (system.velocities[4].z - 50.0).abs() < 1e-12);
    assert!((settings.r_cut - 0.4).abs() < 1e-15);
    assert_eq!((settings.modifier, settings.dispersion_correction), (Modifier::None, false));
    assert!(matches!(settings.coulomb, Coulomb::Ewald { tolerance, .. } if tolerance == 1e-12));
    // Geometric mixing of σ = 3.5 and 2.5 Å.
    let entry = imported.pair_table.get(0, 1);
    assert!((entry.parameters[0] - 0.1 * f64::sqrt(3.5 * 2.5)).abs() < 1e-15);
    assert!((entry.parameters[1] - 4.184 * f64::sqrt(0.1 * 0.03)).abs() < 1e-15);
    let classes: Vec<(Class, &str, usize)> =
        t.interactions.iter().map(|l| (l.class, l.form.as_str(), l.len())).collect();
    assert_eq!(classes, [(Class::Bond, "harmonic", 4), (Class::Angle, "harmonic", 3), (Class::Dihedral, "opls", 2)]);
    // 1-2 excluded; 1-3 (three) and 1-4 (two) scaled.
    assert_eq!(t.exclusions.pairs().count(), 9);
    assert_eq!(t.scaled_pairs.iter().map(|p| p.vdw).collect::<Vec<_>>().len(), 5);
    assert!(t.scaled_pairs.iter().all(|p| p.cut));
    let notes = imported.notes.join("\n");
    for words in ["thermo (", "run (", "kspace_style ewald", "-9.9e-9", "lower corner (1.000000, -2.000000, 0.000000)"]
    {
        assert!(notes.contains(words), "{words} in\n{notes}");
    }
}

#[test]
fn includes_variables_and_continuations() {
    let script = SCRIPT
        .replace("lj/cut/coul/long 4.0", "${style} $(2*v_half:%.1f) # twice")
        .replace("units real\n", "variable style string 'lj/cut/coul/long'\nvariable half equal 4/2\nunits real\n")
        .replace("pair_coeff 2 2 0.03 2.5\n", "include more.lmp\n")
        .replace("pair_coeff 1 1 0.1", "pair_coeff 1 &\n  1 0.1");
    let imported = with(&script, DATA, &[("more.lmp", "pair_coeff 2 2 0.03 2.5\n")]).unwrap();
    let plain = with(SCRIPT, DATA, &[]).unwrap();
    assert_eq!(imported.nonbonded, plain.nonbonded);
    assert_eq!(imported.pair_table.get(0, 1).parameters, plain.pair_table.get(0, 1).parameters);
    assert_eq!(imported.system.topology.scaled_pairs, plain.system.topology.scaled_pairs);
}

#[test]
fn type_labels_stand_for_numbers() {
    let data = DATA
        .replace("Masses", "Atom Type Labels\n\n1 CT\n2 HC\n\nBond Type Labels\n\n1 CT-HC\n\nMasses")
        .replace("2 1 2 0.1 3.2", "2 1 HC 0.1 3.2")
        .replace("\n1 1 1 2\n2", "\n1 CT-HC 1 2\n2");
    let imported = with(&SCRIPT.replace("pair_coeff 2 2", "pair_coeff HC HC"), &data, &[]).unwrap();
    assert_eq!(imported.system.topology.types[1].name, "HC");
    assert_eq!(*imported.system.topology.type_of, [0, 1, 0, 1, 0]);
    assert_eq!(
        imported.pair_table,
        with(SCRIPT, DATA, &[]).unwrap().pair_table.clone_with_sources(&imported.pair_table)
    );
}

/// The same table with another one's sources, which name the line.
trait CloneWithSources {
    fn clone_with_sources(&self, other: &Self) -> Self;
}

impl CloneWithSources for amelo_core::PairTable {
    fn clone_with_sources(&self, other: &Self) -> Self {
        amelo_core::PairTable::from_fn(self.n_types(), |i, j| {
            let source = other.get(i, j).source.clone();
            Ok::<_, ()>(amelo_core::PairEntry { source, ..self.get(i, j).clone() })
        })
        .unwrap()
    }
}

#[test]
fn hybrid_and_overlay() {
    let overlay = SCRIPT
        .replace("pair_style lj/cut/coul/long 4.0", "pair_style hybrid/overlay lj/cut 4.0 buck 4.0 coul/long 4.0")
        .replace("pair_coeff 1 1 0.1 3.5", "pair_coeff * * coul/long\npair_coeff 1 1 lj/cut 0.1 3.5")
        .replace("pair_coeff 2 2 0.03 2.5", "pair_coeff 2 2 lj/cut 0.03 2.5\npair_coeff 1 2 buck 10000 0.3 20");
    let imported = with(&overlay, DATA, &[]).unwrap();
    let forms: Vec<String> = imported.pair_table.iter().map(|(_, _, e)| e.form.clone()).collect();
    assert_eq!(forms, ["lennard_jones", "buckingham", "lennard_jones"]);
    assert!(matches!(imported.nonbonded.unwrap().coulomb, Coulomb::Ewald { .. }));
    // Without Coulomb between 1 and 2 the model is another one than amelo's.
    let error = with(&overlay.replace("* * coul/long", "1 1 coul/long"), DATA, &[]).unwrap_err();
    assert!(message(&error).contains("do not interact, but others do"), "{error}");
}

#[test]
fn constraints_of_shake() {
    let script = SCRIPT.replace("thermo 10", "fix 1 all shake 1e-4 20 0 b 1 a 1");
    let imported = with(&script, DATA, &[]).unwrap();
    let constraints = &imported.system.topology.constraints;
    assert_eq!(constraints.len(), 7);
    let of = |atoms: [u32; 2]| constraints.iter().find(|c| c.atoms == atoms).unwrap().length;
    assert!((of([0, 1]) - 0.15).abs() < 1e-15);
    assert!((of([0, 2]) - 0.3 * f64::sin(55.0_f64.to_radians())).abs() < 1e-15);
    let by_mass = SCRIPT.replace("thermo 10", "fix 1 all rattle 1e-4 20 0 m 1.0");
    assert_eq!(with(&by_mass, DATA, &[]).unwrap().system.topology.constraints.len(), 4);
}

#[test]
fn charmm_dihedrals_bring_their_own_pairs() {
    let script = SCRIPT
        .replace("lj/cut/coul/long 4.0", "lj/charmm/coul/long 3.0 4.0")
        .replace("dihedral_style opls", "dihedral_style charmm")
        .replace("lj/coul 0 0.25 0.5", "charmm")
        .replace("pair_coeff 1 1 0.1 3.5", "pair_coeff 1 1 0.1 3.5 0.2 3.0");
    let data = DATA.replace("# opls", "# charmm").replace("1 1.0 -0.5 0.3 0.0", "1 1.0 2 180 0.5");
    let imported = with(&script, &data, &[]).unwrap();
    let t = &imported.system.topology;
    assert_eq!(t.scaled_pairs.len(), 2);
    assert!(t.scaled_pairs.iter().all(|p| !p.cut && p.vdw == 0.5 && p.coulomb == 0.5));
    // σ₁₄ = (3.0 + 2.5)/2 Å, ε₁₄ = √(0.2 · 0.03) kcal/mol: type 2 has no own 1-4 parameters.
    let [sigma, epsilon] = t.pair_overrides[0].parameters[..] else { panic!() };
    assert!((sigma - 0.275).abs() < 1e-15 && (epsilon - 4.184 * f64::sqrt(0.006)).abs() < 1e-15);
    assert_eq!(imported.nonbonded.unwrap().modifier, Modifier::EnergySwitch { r_switch: 3.0 * 0.1 });
    let error = with(
        &script.replace("lj/charmm/coul/long 3.0 4.0", "lj/cut/coul/long 4.0").replace(" 0.2 3.0", ""),
        &data,
        &[],
    )
    .unwrap_err();
    assert!(
        message(&error).starts_with("in.lmp:7: dihedral_style: ") && message(&error).contains("lj/charmm"),
        "{error}"
    );
    let error = with(&script.replace("special_bonds charmm", "special_bonds amber"), &data, &[]).unwrap_err();
    assert!(message(&error).contains("write special_bonds charmm"), "{error}");
}

#[test]
fn a_film_in_vacuum() {
    let script = SCRIPT
        .replace("boundary p p p", "boundary p p f")
        .replace("kspace_style ewald 1.0e-6", "kspace_style ewald 1.0e-6\nkspace_modify slab 3.0");
    let data = DATA.replace("1.0 -2.0 0.5 xy", "1.0 0.0 0.0 xy").replace("0 0 1\n3", "0 0 0\n3");
    let imported = with(&script, &data, &[]).unwrap();
    assert_eq!(imported.nonbonded.unwrap().slab, Some(2));
    assert!((imported.system.cell.vectors()[(2, 2)] - 3.6).abs() < 1e-14);
    for (script, data, words) in [
        (SCRIPT.replace("p p p", "p p f"), data.clone(), "in.lmp:3: boundary: the box is open along z"),
        (script.replace("p p f", "p p p"), data.clone(), "in.lmp:13: kspace_modify: slab needs a box that is open"),
        (script.clone(), DATA.replace("0 0 1\n3", "0 0 0\n3"), "in.lmp:13: kspace_modify: slab needs a box whose c"),
        (script.clone(), data.replace("2.0 1.0 1.0 0 0 0", "2.0 1.0 13.0 0 0 0"), "atom 1 lies outside the box"),
    ] {
        let found = message(&with(&script, &data, &[]).unwrap_err());
        assert!(found.contains(words), "{found}");
    }
}

#[test]
fn pppm_takes_what_is_given_and_finds_the_rest() {
    let pppm = |modify: &str| {
        let script = SCRIPT.replace("kspace_style ewald 1.0e-6", &format!("kspace_style pppm 1.0e-5\n{modify}"));
        match with(&script, DATA, &[]).unwrap().nonbonded.unwrap().coulomb {
            Coulomb::Pme { beta, order, mesh } => (beta, order, mesh),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(pppm("kspace_modify gewald 0.3 order 5 mesh 12 15 16"), (0.3 / 0.1, 5, [12, 15, 16]));
    let (beta, order, mesh) = pppm("");
    assert!(beta > 5.0 && beta < 12.0 && order == 6 && mesh.iter().all(|n| (12..200).contains(n)), "{beta} {mesh:?}");
}

/// Every broken script or data file: what is replaced, by what, and how the message begins and what it contains.
#[test]
fn broken_input_is_an_error_with_file_line_and_words() {
    let script = |from: &str, to: &str| {
        assert!(SCRIPT.contains(from), "{from}");
        (SCRIPT.replacen(from, to, 1), DATA.to_string())
    };
    let data = |from: &str, to: &str| {
        assert!(DATA.contains(from), "{from}");
        (SCRIPT.to_string(), DATA.replacen(from, to, 1))
    };
    let cases = [
        (script("units real", "units lj"), "in.lmp:1: units: ", "units lj are not read"),
        (script("units real\n", ""), "in.lmp:8: units: ", "no units were set, which means lj"),
        (script("atom_style full", "atom_style sphere"), "in.lmp:2: atom_style: ", "\"sphere\" is not read"),
        (script("boundary p p p", "boundary p s p"), "in.lmp:3: boundary: ", "p s p is not represented"),
        (script("boundary p p p", "dimension 2"), "in.lmp:3: dimension: ", "two-dimensional"),
        (script("lj/cut/coul/long 4.0", "eam/alloy"), "in.lmp:4: pair_style: ", "\"eam/alloy\" has no counterpart"),
        (script("bond_style harmonic", "bond_style fene"), "in.lmp:5: bond_style: ", "\"fene\" has no counterpart"),
        (script("read_data data.lmp", "read_data nowhere.lmp"), "in.lmp:9: read_data: ", "there is no file"),
        (script("read_data data.lmp", "read_data data.lmp add append"), "in.lmp:9: read_data: ", "is not read"),
        (script("read_data data.lmp\n", ""), "in.lmp:9: pair_coeff: ", "before read_data"),
        (script("pair_coeff 1 1 0.1 3.5", "pair_coeff 1 3 0.1 3.5"), "in.lmp:10: pair_coeff: ", "from 1 to 2"),
        (script("pair_coeff 1 1 0.1 3.5", "pair_coeff 1 1 0.1 x"), "in.lmp:10: pair_coeff: ", "sigma is \"x\""),
        (
            script("pair_coeff 1 1 0.1 3.5", "pair_coeff 1 1 0.1 3.5 3.9"),
            "in.lmp:10: pair_coeff: ",
            "have a cut-off of 4",
        ),
        (
            script("coul/long 4.0", "coul/long 3.9 4.0"),
            "in.lmp:10: pair_coeff: ",
            "one cut-off for van der Waals and Coulomb",
        ),
        (script("coul/long 4.0", "coul/long 9.0"), "in.lmp:10: pair_style: ", "half the smallest width"),
        (script("pair_coeff 2 2 0.03 2.5\n", ""), "in.lmp:4: pair_style: ", "no pair_coeff for types 2 2"),
        (script("kspace_style ewald 1.0e-6\n", ""), "in.lmp:10: pair_style: ", "without kspace_style"),
        (script("kspace_style ewald", "kspace_style msm"), "in.lmp:12: kspace_style: ", "\"msm\" has no counterpart"),
        (script("coul/long 4.0", "coul/cut 4.0"), "in.lmp:12: kspace_style: ", "without a coul/long"),
        (script("thermo 10", "kspace_modify slab 1.0"), "in.lmp:13: kspace_modify: ", "slab factor is 1"),
        (
            script("ewald 1.0e-6", "pppm 1e-4\nkspace_modify mesh 4 4 4"),
            "in.lmp:12: kspace_modify: ",
            "coarser than its order",
        ),
        (script("ewald 1.0e-6", "pppm 1e-12\nkspace_modify order 3"), "in.lmp:12: kspace_style: ", "more than 1024"),
        (script("thermo 10", "dielectric 78.5"), "in.lmp:13: dielectric: ", "constant is 78.5"),
        (script("thermo 10", "fix 1 all efield 0 0 1"), "in.lmp:13: fix: ", "fix efield"),
        (script("thermo 10", "fix 1 water shake 1e-4 20 0 b 1"), "in.lmp:13: fix: ", "group \"water\""),
        (script("thermo 10", "set type 1 charge 0.2"), "in.lmp:13: set: ", "write_data"),
        (script("thermo 10", "if \"1 > 0\" then \"run 0\""), "in.lmp:13: if: ", "top to bottom"),
        (script("thermo 10", "jump in.lmp here"), "in.lmp:13: jump: ", "top to bottom"),
        (script("thermo 10", "frobnicate 1"), "in.lmp:13: frobnicate: ", "not known here"),
        (script("thermo 10", "thermo ${every}"), "in.lmp:13: line: ", "no variable \"every\""),
        (script("thermo 10", "variable i loop 5"), "in.lmp:13: variable: ", "style \"loop\""),
        (script("thermo 10", "print \"unfinished"), "in.lmp:13: line: ", "does not end"),
        (script("thermo 10", "include in.lmp"), "in.lmp:1: units: ", "cannot change once the box exists"),
        (script("thermo 10", "read_data data.lmp"), "in.lmp:13: read_data: ", "read already"),
        (script("thermo 10", "pair_modify shift yes tail yes"), "in.lmp:13: pair_modify: ", "exclude each other"),
        (script("thermo 10", "pair_modify mix sixthpower"), "in.lmp:13: pair_modify: ", "\"sixthpower\""),
        (script("special_bonds lj/coul 0 0.25", "special_bonds lj/coul 0 1.25"), "in.lmp:8: special_bonds: ", "1.25"),
        (script("dihedral_style opls", "dihedral_style none"), "data.lmp:32: Dihedral Coeffs: ", "none has no coeff"),
        (data("5 atoms", "6 atoms"), "data.lmp:34: Atoms: ", "has 5 lines, but the header says 6"),
        (data("5 atoms", "4 atoms"), "data.lmp:40: Atoms: ", "follows the 4 lines"),
        (data("5 atoms", "99999999999999 atoms"), "data.lmp:3: header: ", "write a whole number"),
        (data("2 atom types", "2000000 atom types"), "data.lmp:4: header: ", "from 0 to 1000"),
        (data("1.0 11.0 xlo xhi", "1.0 1.0 xlo xhi"), "data.lmp:12: header: ", "ends at"),
        (data("1.0 11.0 xlo xhi\n", "\n"), "data.lmp:17: header: ", "no xlo xhi"),
        (data("4 bonds", "4 bnds"), "data.lmp:5: header: ", "no line of a header"),
        (data("Masses # line 17", "Massen"), "data.lmp:17: Massen: ", "\"Massen\" is not known"),
        (data("2 1.008", "2 -1.008"), "data.lmp:20: Masses: ", "mass is -1.008"),
        (data("Atoms # full", "Atoms # charge"), "data.lmp:34: Atoms: ", "style \"charge\""),
        (data("5 1 1 0.1 6.0", "4 1 1 0.1 6.0"), "data.lmp:34: Atoms: ", "atom 4 stands twice"),
        (data("5 1 1 0.1 6.0 2.5", "5 1 1 0.1 6.0"), "data.lmp:36: Atoms: ", "has 9 fields"),
        (data("5 1 1 0.1 6.0", "5 1 3 0.1 6.0"), "data.lmp:36: Atoms: ", "from 1 to 2"),
        (data("5 1 1 0.1 6.0", "5 1 1 0.1 nan"), "data.lmp:36: Atoms: ", "coordinate is \"nan\""),
        (data("2.0 0 0 0", "2.0 0 0 x"), "data.lmp:36: Atoms: ", "image flag is \"x\""),
        (data("4 1 4 5", "4 1 4 6"), "data.lmp:55: Bonds: ", "there is no atom 6"),
        (data("4 1 4 5", "4 2 4 5"), "data.lmp:55: Bonds: ", "from 1 to 1"),
        (data("3 1 3 4 5", "3 1 3 4 3"), "data.lmp:61: Angles: ", "names an atom twice"),
        (data("1 300.0 1.5", "1 300.0"), "data.lmp:24: Bond Coeffs: ", "has 1 arguments"),
        (data("Velocities # line 42", "Bodies"), "data.lmp:42: Bodies: ", "no counterpart"),
        (data("2 0 -0.002 0\n", "9 0 -0.002 0\n"), "data.lmp:45: Velocities: ", "there is no atom 9"),
        (data("2 dihedrals", "2 dihedrals\n1 impropers"), "data.lmp:67: Impropers: ", "the file ends without"),
    ];
    assert!(cases.len() > 40);
    let mut complaints = Vec::new();
    for ((script, data), begin, words) in cases {
        let error = with(&script, &data, &[]).map(|_| ()).expect_err(words);
        let found = message(&error);
        if !(found.starts_with(begin) && found.contains(words)) {
            complaints.push(format!("wanted {begin}…{words}\nfound  {found}"));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn files_that_include_each_other_end() {
    let error = with("include a.lmp\n", "", &[("a.lmp", "include b.lmp\n"), ("b.lmp", "include a.lmp\n")]).unwrap_err();
    assert!(message(&error).contains("include each other more than 16 deep"), "{error}");
    // Each file includes the next one ten times: 10¹⁵ files in all.
    let names: Vec<String> = (0..16).map(|k| format!("f{k}")).collect();
    let texts: Vec<String> = (1..=16).map(|k| format!("include f{k}\n").repeat(10)).collect();
    let mut files: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(texts.iter().map(String::as_str)).collect();
    files[15].1 = "echo none\n";
    let error = with("include f0\n", "", &files).unwrap_err();
    assert!(message(&error).contains("more than 1000 files"), "{error}");
}

#[test]
fn a_missing_script_and_a_script_without_data() {
    let error = import(std::path::Path::new("/nowhere/in.lmp")).unwrap_err();
    assert!(error.to_string().contains("cannot read /nowhere/in.lmp"), "{error}");
    let error = with("units real\n", "", &[]).unwrap_err();
    assert!(message(&error).starts_with("in.lmp:1: read_data: the script reads no data file"), "{error}");
}
