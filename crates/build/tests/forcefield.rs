//! The parameter files of `potentials/`, from text to energies: charge sums, gas-phase single points and conformers,
//! provenance, and a user's own molecules as data alone.

mod gas;

use std::collections::BTreeMap;
use std::sync::Arc;

use amelo_build::{AssignError, assign};
use amelo_core::Provenance;
use amelo_io::parameters::{ForceFieldData, MoleculeTemplate, SearchPath, load};
use gas::{Energies, energies, from_internal, potentials, relaxed_energy, turned, xyz_positions};

fn files(names: &[&str]) -> ForceFieldData {
    let names: Vec<String> = names.iter().map(|n| n.to_string()).collect();
    load(&names, &potentials(), &amelo_forces::registry::all()).unwrap_or_else(|e| panic!("{e}"))
}

fn single_point(data: &ForceFieldData, template: &MoleculeTemplate) -> Energies {
    let positions = xyz_positions(template);
    energies(data, &Arc::new(template.clone()), &positions)
}

fn close(found: &Energies, expected: [f64; 6]) {
    let found = [found.total, found.bond, found.angle, found.dihedral, found.lj, found.coulomb];
    for (k, name) in ["total", "bond", "angle", "dihedral", "Lennard-Jones", "Coulomb"].iter().enumerate() {
        assert!((found[k] - expected[k]).abs() < 1e-3, "{name}: {} instead of {} kJ/mol", found[k], expected[k]);
    }
}

#[test]
fn charges_add_up() {
    let data = files(&["peo-opls-aa", "tfsi-clp", "fsi-clp", "li-clp", "na-clp", "tio2-matsui-akaogi"]);
    let charge = |m: &MoleculeTemplate| m.charge();
    for (name, q) in [("TFSI", -1.0), ("FSI", -1.0), ("Li", 1.0), ("Na", 1.0)] {
        assert!((charge(&data.molecules[name]) - q).abs() < 1e-12, "{name}");
    }
    for variant in ["peo-opls-aa", "peo-opls-2020"] {
        let data = files(&[variant]);
        for ends in ["methyl", "hydroxyl"] {
            for n in [2, 3, 40] {
                let chain = data.polymers["PEO"].chain(n, Some(ends)).unwrap();
                assert!(charge(&chain).abs() < 1e-12, "{variant} {ends} {n}: {}", charge(&chain));
                // CH3O(CH2CH2O)nCH3 has 7n + 9 atoms, HO(CH2CH2O)nH has 7n + 3.
                assert_eq!(chain.atoms.len(), 7 * n + if ends == "methyl" { 9 } else { 3 });
                assert_eq!(chain.bonds.len(), chain.atoms.len() - 1);
            }
        }
    }
    let oxide = &data.oxides["TiO2"];
    assert!((oxide.species[0].2 + 2.0 * oxide.species[1].2).abs() < 1e-15);
}

/// Reference: LAMMPS (`units real`, `pair_style lj/cut/coul/cut` beyond the molecule, `special_bonds lj/coul 0 0 0.5`)
/// at these coordinates and parameters, printed to 1e-4 kJ/mol.
#[test]
fn single_points_of_tfsi_and_fsi() {
    let data = files(&["tfsi-clp"]);
    let tfsi = single_point(&data, &data.molecules["TFSI"]);
    close(&tfsi, [196.4970, 1.9795, 6.3027, 7.8488, -3.2209, 183.5870]);
    assert_eq!(tfsi.counts, [14, 25, 24, 24]);
    let data = files(&["tfsi-clp-2004"]);
    close(&single_point(&data, &data.molecules["TFSI"]), [190.7069, 1.9795, 6.3027, 7.8488, -9.0110, 183.5870]);
    let data = files(&["fsi-clp"]);
    let fsi = single_point(&data, &data.molecules["FSI"]);
    close(&fsi, [-19.5704, 0.0396, 3.5397, -18.5152, -2.8134, -1.8210]);
    assert_eq!(fsi.counts, [8, 13, 6, 6]);
}

/// A user's file: no Rust, only data that stands beside the deck and uses types of a built-in file.
const DME: &str = r#"
title = "1,2-dimethoxyethane, a user's molecule"
source = "this test"
scaling."1-4" = { vdw = 0.5, coulomb = 0.5 }

[molecules.DME]
atoms = [
  { name = "C1", type = "CT", charge = "0.11 e", at = "-1.7289 2.1894 0.2827 Å" },
  { name = "O2", type = "OS", charge = "-0.40 e", at = "-1.1716 0.8878 0.3286 Å", groups = ["ether O"] },
  { name = "C3", type = "CT", charge = "0.14 e", at = "0.2465 0.9005 0.3900 Å" },
  { name = "C4", type = "CT", charge = "0.14 e", at = "0.7732 -0.5394 0.3675 Å" },
  { name = "O5", type = "OS", charge = "-0.40 e", at = "0.4404 -1.1467 -0.8717 Å", groups = ["ether O"] },
  { name = "C6", type = "CT", charge = "0.11 e", at = "0.8422 -2.5034 -0.9414 Å" },
  { name = "H7", type = "HC", charge = "0.03 e", at = "-1.3939 2.7313 -0.6027 Å" },
  { name = "H8", type = "HC", charge = "0.03 e", at = "-2.8160 2.1206 0.2419 Å" },
  { name = "H9", type = "HC", charge = "0.03 e", at = "-1.4615 2.7659 1.1692 Å" },
  { name = "H10", type = "HC", charge = "0.03 e", at = "0.6596 1.4570 -0.4529 Å" },
  { name = "H11", type = "HC", charge = "0.03 e", at = "0.5715 1.3993 1.3042 Å" },
  { name = "H12", type = "HC", charge = "0.03 e", at = "0.3411 -1.1026 1.1962 Å" },
  { name = "H13", type = "HC", charge = "0.03 e", at = "1.8561 -0.5397 0.4991 Å" },
  { name = "H14", type = "HC", charge = "0.03 e", at = "0.3512 -3.1005 -0.1718 Å" },
  { name = "H15", type = "HC", charge = "0.03 e", at = "0.5677 -2.9168 -1.9120 Å" },
  { name = "H16", type = "HC", charge = "0.03 e", at = "1.9224 -2.6027 -0.8268 Å" },
]
bonds = [
  ["C1", "O2"], ["O2", "C3"], ["C3", "C4"], ["C4", "O5"], ["O5", "C6"],
  ["C1", "H7"], ["C1", "H8"], ["C1", "H9"], ["C3", "H10"], ["C3", "H11"], ["C4", "H12"], ["C4", "H13"],
  ["C6", "H14"], ["C6", "H15"], ["C6", "H16"],
]
"#;

const POTASSIUM: &str = r#"
title = "K+, a user's ion"
mixing = "geometric"
source = "J. Åqvist, J. Phys. Chem. 94, 8021 (1990)"

[types]
K = { element = "K", mass = "39.0983 u", lennard_jones = { sigma = "4.934628 Å", epsilon = "0.000328 kcal/mol" } }

[molecules.K]
atoms = [{ name = "K", type = "K", charge = "1 e" }]

[[pair]]
types = ["K", "OS"]
lennard_jones = { sigma = "3.6 Å", epsilon = "0.01 kcal/mol" }
source = "invented: an override is what is tested"
override = true
"#;

#[test]
fn a_user_adds_molecules_and_ions_as_data_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("potentials")).unwrap();
    std::fs::write(folder.path().join("dme.toml"), DME).unwrap();
    std::fs::write(folder.path().join("potentials/potassium.toml"), POTASSIUM).unwrap();
    let search = SearchPath::for_deck(folder.path(), None, potentials().builtin);
    let read = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|n| n.to_string()).collect();
        load(&names, &search, &amelo_forces::registry::all()).unwrap_or_else(|e| panic!("{e}"))
    };

    let data = read(&["peo-opls-aa", "dme"]);
    assert_eq!(data.files[1].path, folder.path().join("dme.toml"));
    close(&single_point(&data, &data.molecules["DME"]), [28.1000, 0.3931, 2.4630, -1.4145, 3.4482, 23.2101]);
    let data = read(&["peo-opls-2020", "dme"]);
    let dme = single_point(&data, &data.molecules["DME"]);
    close(&dme, [27.3241, 0.3931, 2.4630, -1.4527, 2.7105, 23.2101]);

    let data = read(&["peo-opls-aa", "dme", "potassium", "tfsi-clp"]);
    let of = |name: &str| Arc::new(data.molecules[name].clone());
    let molecules = [of("DME"), of("K"), of("TFSI"), of("K")];
    let done = assign(&molecules, &data, &BTreeMap::from([("TFSI".into(), 0.8), ("K".into(), 0.8)])).unwrap();
    let top = &done.topology;
    assert_eq!((top.n_atoms(), top.molecules.len()), (16 + 1 + 15 + 1, 4));
    assert_eq!(top.groups["DME ether O"], [1, 4]);
    assert_eq!(top.groups["K"], [16, 32]);
    assert_eq!((top.charges[16], top.nominal_charges[16]), (0.8, 1.0));
    assert_eq!(top.charges[1], -0.40, "what charge_scale does not name keeps its charges");
    assert!((top.total_charge() - 0.8).abs() < 1e-12 && (done.report.net_nominal_charge - 1.0).abs() < 1e-12);
    assert!(done.report.warnings[0].contains("net charge of 1.000000 e"), "{:?}", done.report.warnings);
    let ty = |name: &str| top.types.iter().position(|t| t.name == name).unwrap();
    let pair = |a: &str, b: &str| done.pair_table.get(ty(a), ty(b));
    assert_eq!(pair("K", "OS").provenance, Provenance::Override);
    assert!((pair("K", "OS").parameters[0] - 0.36).abs() < 1e-15);
    assert_eq!(pair("K", "CT").provenance, Provenance::Rule("geometric".into()));
    assert!(pair("K", "CT").source.contains("potassium: J. Åqvist"));
}

#[test]
fn every_pair_of_the_interface_is_resolved_and_says_how() {
    let names = ["peo-opls-aa", "tfsi-clp", "fsi-clp", "li-clp", "na-clp", "tio2-matsui-akaogi", "tio2-organic"];
    let data = files(&names);
    let oxide = data.oxides["TiO2"]
        .slab(&[("Ti", [0.0; 3]), ("O", [0.2, 0.0, 0.0]), ("O", [0.0, 0.2, 0.0])].map(|(e, r)| (e.into(), r.into())))
        .unwrap();
    let mut molecules = vec![Arc::new(oxide), Arc::new(data.polymers["PEO"].chain(3, Some("hydroxyl")).unwrap())];
    molecules.extend(["TFSI", "FSI", "Li", "Na"].map(|m| Arc::new(data.molecules[m].clone())));
    let done = assign(&molecules, &data, &BTreeMap::new()).unwrap();
    let n = done.topology.types.len();
    assert_eq!((n, done.report.pairs.len()), (14, 14 * 15 / 2));
    let row = |a: &str, b: &str| {
        let is = |t: &[String; 2]| (t[0] == a && t[1] == b) || (t[0] == b && t[1] == a);
        done.report.pairs.iter().find(|p| is(&p.types)).unwrap()
    };
    assert_eq!((row("Ti", "O_ox").form.as_str(), &row("Ti", "O_ox").provenance), ("buckingham", &Provenance::Explicit));
    assert!(row("Ti", "O_ox").source.contains("doi:10.1080/08927029108022432"));
    // Pre-mixed values of the cross terms, σ in Å and ε in kcal/mol, to the digits of the table.
    for (a, b, sigma, epsilon) in [
        ("OS", "Ti", 2.8641, 0.04879),
        ("CT", "O_ox", 3.3035, 0.06293),
        ("OB", "O_ox", 3.1340, 0.10958),
        ("FB", "Ti", 2.9698, 0.03221),
        ("Li", "O_ox", 2.5750, 0.03312),
        ("Na", "Ti", 3.0693, 0.00686),
    ] {
        let p = &row(a, b).parameters;
        assert!((p[0].value * 10.0 - sigma).abs() < 6e-5 && (p[1].value / 4.184 - epsilon).abs() < 6e-6, "{a} {b}");
    }
    // Every row of the report has a source, and every interaction of the topology is in it.
    assert!(done.report.pairs.iter().all(|p| p.source.len() > 20));
    assert!(done.report.bonded.iter().all(|b| b.source.len() > 20 && !b.parameters.is_empty()));
    let counted: usize = done.report.bonded.iter().map(|b| b.count).sum();
    assert_eq!(counted, done.topology.interactions.iter().map(|l| l.len()).sum::<usize>());
    assert_eq!(done.topology.groups["oxide O"], [1, 2]);
    assert_eq!(done.topology.groups["PEO ether O"].len(), 2);
}

/// Both ways of writing the oxide's potential: f (Bi+Bj) exp[(Ai+Aj−r)/(Bi+Bj)] − CiCj/r⁶, f = 1 kcal/mol/Å.
#[test]
fn matsui_akaogi_is_its_original_form() {
    let data = files(&["tio2-matsui-akaogi"]);
    let ion = |name: &str| if name == "Ti" { [1.1823, 0.077, 22.5] } else { [1.6339, 0.117, 54.0] };
    for pair in &data.pairs {
        let ([ai, bi, ci], [aj, bj, cj]) = (ion(&pair.types[0]), ion(&pair.types[1]));
        let amelo_io::parameters::PairPotential::Form(term) = &pair.potential else { panic!("a potential") };
        let potential = amelo_forces::pair::AnyPair::new(&term.form, &term.parameters).unwrap();
        for r in [1.5, 1.95, 2.8, 4.0] {
            let b: f64 = bi + bj;
            let original = 4.184 * b * ((ai + aj - r) / b).exp() - ci * cj / f64::powi(r, 6);
            let found = potential.eval(r * r / 100.0).energy;
            assert!((found / original - 1.0).abs() < 1e-9, "{:?} at {r} Å: {found} {original}", pair.types);
        }
    }
}

#[test]
fn what_no_file_says_is_an_error_that_names_the_types() {
    let none = BTreeMap::new();
    let data = files(&["peo-opls-aa", "tio2-matsui-akaogi"]);
    let oxide = data.oxides["TiO2"].slab(&[("Ti".into(), [0.0; 3].into())]).unwrap();
    let peo = Arc::new(data.polymers["PEO"].chain(1, None).unwrap());
    let error = assign(&[Arc::new(oxide), peo.clone()], &data, &none).unwrap_err();
    let AssignError::MissingPair { first, second, .. } = &error else { panic!("{error}") };
    assert_eq!((first.as_str(), second.as_str()), ("Ti", "CT"));
    assert!(error.to_string().contains("no potential between the types \"Ti\" and \"CT\""), "{error}");

    let mut lorentz = data.clone();
    lorentz.types.get_mut("OS").unwrap().lennard_jones.as_mut().unwrap().mixing =
        amelo_io::parameters::Mixing::LorentzBerthelot;
    let message = assign(std::slice::from_ref(&peo), &lorentz, &none).unwrap_err().to_string();
    assert!(message.contains("geometric") && message.contains("lorentz-berthelot"), "{message}");

    let mut bare = data.clone();
    bare.bonded.retain(|b| b.types != ["OS", "CT", "CT", "OS"]);
    let message = assign(std::slice::from_ref(&peo), &bare, &none).unwrap_err().to_string();
    assert!(message.contains("dihedral OS-CT-CT-OS (atoms O-C1-C2-O of PEO)"), "{message}");

    let scale = BTreeMap::from([("TFSi".to_string(), 0.8)]);
    let message = assign(&[peo], &data, &scale).unwrap_err().to_string();
    assert!(message.contains("\"TFSi\"") && message.contains("PEO"), "{message}");
}

/// Energies of DME's conformers relative to ttt, minimised without cut-off. Reference: LAMMPS, OPLS-AA 1996, kJ/mol.
#[test]
fn conformers_of_dme() {
    let data = files(&["peo-opls-aa"]);
    let dme = Arc::new(data.polymers["PEO"].chain(1, None).unwrap());
    let (t, g) = (180.0, 70.0);
    // The first choice only turns the first methyl group.
    let energy = |[a, b, c]: [f64; 3]| relaxed_energy(&data, &dme, &from_internal(&dme, &[180.0, a, b, c]));
    let ttt = energy([t, t, t]);
    assert!((ttt - 25.879).abs() < 0.01, "{ttt}");
    for (name, dihedrals, expected) in [
        ("tgt", [t, g, t], 2.221),
        ("tg+g-", [t, g, -g], 3.169),
        ("ttg", [t, t, g], 6.616),
        ("tgg", [t, g, g], 7.476),
        ("ggg", [g, g, g], 8.763),
    ] {
        let relative = energy(dihedrals) - ttt;
        assert!((relative - expected).abs() < 0.01, "{name}: {relative} instead of {expected}");
    }
}

/// Energy of the C₁ conformer (both ends on one side of the S–N–S plane) over the C₂ one, minimised without cut-off.
/// Reference: LAMMPS, CL&P with the Lennard-Jones set of 2018, kJ/mol; measured in liquids: 3.5 and 4.5.
#[test]
fn conformers_of_the_imides() {
    for (file, name, end, expected) in [
        ("tfsi-clp", "TFSI", ["C2", "O3", "O4", "F4", "F5", "F6"].as_slice(), 3.37),
        ("fsi-clp", "FSI", ["F2", "O3", "O4"].as_slice(), 5.88),
    ] {
        let data = files(&[file]);
        let imide = Arc::new(data.molecules[name].clone());
        let atom = |name: &&str| imide.atoms.iter().position(|a| a.name == **name).unwrap();
        let trans = xyz_positions(&imide);
        let end: Vec<usize> = end.iter().map(atom).collect();
        let cis = turned(&trans, atom(&"S1"), [atom(&"N"), atom(&"S2")], &end);
        let difference = relaxed_energy(&data, &imide, &cis) - relaxed_energy(&data, &imide, &trans);
        println!("{name}: C1 - C2 = {difference:.3} kJ/mol");
        assert!((difference - expected).abs() < 0.02, "{name}: {difference} instead of {expected}");
    }
}
