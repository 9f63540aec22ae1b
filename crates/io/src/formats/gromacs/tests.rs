//! Whole imports: every directive on small topologies, and what is refused, with its line and words.

use std::path::Path;

use amelo_core::{Class, Provenance, ScaledPair, Topology};

use super::*;

/// A topology of two molecules that uses most directives; lines that start with `@` are replaced by tests.
const TOP: &str = "\
[ defaults ]
1 3 yes 0.5 0.8333
[ atomtypes ]
@types
A  AB  6 12.011  0.10 A 0.35 0.276
B      8 15.999 -0.20 A 0.29 0.585
W      8 15.999 -0.80 A 0.31 0.65
H      1  1.008  0.40 A 0.0  0.0
[ bondtypes ]
AB B 1 0.141 267776
[ angletypes ]
AB B AB 1 109.5 500
[ dihedraltypes ]
X B AB X 9 0 1.0 3
X B AB X 9 180 0.5 2
AB B AB B 9 0 2.0 1
@params
[ moleculetype ]
MOL 3
[ atoms ]
1 A 1 RES C1 1
2 B 1 RES O1 1
3 A 1 RES C2 1  0.15
4 B 2 TWO O2 2 -0.05 16.5
5 A 2 TWO C3 2
[ bonds ]
1 2
2 3 1
3 4 1 0.15 1000
4 5 5
[ angles ]
1 2 3 1
[ dihedrals ]
1 2 3 4 9
2 3 4 5 9
@molecule
[ pairs ]
1 4 1
2 5 1 0.3 0.1
[ moleculetype ]
SOL 2
[ atoms ]
1 W 1 SOL OW 1
2 H 1 SOL HW1 1
3 H 1 SOL HW2 1
[ settles ]
1 1 0.1 0.16333
[ exclusions ]
1 2 3
2 1 3
3 1 2
[ system ]
a test
[ molecules ]
MOL 1
@molecules
SOL 2
";

/// A `.gro` for the names of the first `n` atoms.
fn gro(n: usize) -> String {
    let names = ["RES C1", "RES O1", "RES C2", "TWO O2", "TWO C3", "SOL OW", "SOL HW1", "SOL HW2"];
    let mut text = format!("t\n{n}\n");
    for k in 0..n {
        let (residue, name) = names[if k < 8 { k } else { 5 + (k - 5) % 3 }].split_once(' ').unwrap();
        text += &format!("{:5}{residue:<5}{name:>5}{:5}{:8.3}{:8.3}{:8.3}\n", 1, k + 1, 0.1 * k as f64, 0.2, 0.3);
    }
    text + "3 3 3\n"
}

fn import_texts(top: &str, gro: &str) -> Result<Imported, ImportError> {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("a.top"), top).unwrap();
    std::fs::write(path("a.gro"), gro).unwrap();
    import(&path("a.top"), &path("a.gro"), &Options::default())
}

/// [`TOP`] with texts in place of its marks.
fn with(marks: &[(&str, &str)]) -> String {
    let mut text = TOP.to_string();
    for (mark, value) in marks {
        text = text.replace(&format!("{mark}\n"), &format!("{value}\n"));
    }
    text.lines().filter(|l| !l.starts_with('@')).map(|l| format!("{l}\n")).collect()
}

fn imported(marks: &[(&str, &str)]) -> Imported {
    import_texts(&with(marks), &gro(11)).unwrap()
}

/// Atoms (from 1) and parameters of every term of a form.
fn terms(t: &Topology, class: Class, form: &str) -> Vec<(Vec<u32>, Vec<f64>)> {
    let lists = t.interactions.iter().filter(|l| l.class == class && l.form == form);
    lists.flat_map(|l| l.iter().map(|(a, p)| (a.iter().map(|a| a + 1).collect(), p.to_vec()))).collect()
}

#[test]
fn atoms_molecules_residues_and_groups() {
    let i = imported(&[]);
    let t = &i.system.topology;
    assert_eq!(t.names.iter().collect::<Vec<_>>().join(" "), "C1 O1 C2 O2 C3 OW HW1 HW2 OW HW1 HW2");
    assert_eq!(t.charges[..5], [0.10, -0.20, 0.15, -0.05, 0.10]);
    assert_eq!(t.masses[3..6], [16.5, 12.011, 15.999]);
    assert_eq!(t.types.iter().map(|t| t.element.as_str()).collect::<Vec<_>>(), ["C", "O", "O", "H"]);
    let molecules: Vec<_> = t.molecules.iter().map(|m| (m.kind.as_str(), m.first, m.count)).collect();
    assert_eq!(molecules, [("MOL", 0, 5), ("SOL", 5, 3), ("SOL", 8, 3)]);
    let residues: Vec<_> = t.residues.iter().map(|r| (r.name.as_str(), r.first, r.count)).collect();
    assert_eq!(residues, [("RES", 0, 3), ("TWO", 3, 2), ("SOL", 5, 3), ("SOL", 8, 3)]);
    assert_eq!(t.groups["MOL"], [0, 1, 2, 3, 4]);
    assert_eq!((t.groups["TWO"].as_slice(), t.groups["SOL"].len()), ([3, 4].as_slice(), 6));
    assert_eq!(i.nonbonded, None);
    assert_eq!(i.notes, Vec::<String>::new());
}

#[test]
fn bonded_terms_come_from_the_line_or_the_types_and_wildcards_are_second_choice() {
    let i = imported(&[]);
    let t = &i.system.topology;
    let bonds = terms(t, Class::Bond, "harmonic");
    assert_eq!(bonds[0], (vec![1, 2], vec![0.141, 267_776.0]));
    assert_eq!(bonds[2], (vec![3, 4], vec![0.15, 1000.0]));
    assert_eq!(bonds.len(), 3);
    assert_eq!(terms(t, Class::Angle, "harmonic"), [(vec![1, 2, 3], vec![109.5_f64.to_radians(), 500.0])]);
    // 1-2-3-4 is AB-B-AB-B: exact. 2-3-4-5 is B-AB-B-AB: the same read backwards.
    let dihedrals = terms(t, Class::Dihedral, "periodic");
    assert_eq!(dihedrals, [(vec![1, 2, 3, 4], vec![0.0, 2.0, 1.0]), (vec![2, 3, 4, 5], vec![0.0, 2.0, 1.0])]);
    // Without the exact entry both lines of the wildcard's block act.
    let other = import_texts(&with(&[]).replace("AB B AB B 9 0 2.0 1\n", ""), &gro(11)).unwrap();
    let dihedrals = terms(&other.system.topology, Class::Dihedral, "periodic");
    assert_eq!(dihedrals.len(), 4);
    assert_eq!(dihedrals[1], (vec![1, 2, 3, 4], vec![std::f64::consts::PI, 0.5, 2.0]));
}

#[test]
fn exclusions_follow_the_bonds_and_pairs_their_own_or_generated_parameters() {
    let i = imported(&[]);
    let t = &i.system.topology;
    let of_chain: Vec<_> = t.exclusions.pairs().filter(|p| p[1] < 5).collect();
    assert_eq!(of_chain.len(), 4 + 3 + 2); // 1-2, 1-3 and 1-4, not 1-5
    assert!(!t.exclusions.contains(0, 4));
    assert_eq!(t.exclusions.of(9), [8, 10]);
    let none = ScaledPair { atoms: [0, 3], vdw: 0.5, coulomb: 0.8333, charges: None, pair_override: None, cut: false };
    let own = ScaledPair { atoms: [1, 4], vdw: 1.0, pair_override: Some(0), ..none };
    assert_eq!(t.scaled_pairs, vec![none, own].into());
    assert_eq!(t.pair_overrides[0].parameters, [0.3, 0.1]);
    assert_eq!(t.bonds[..4], [[0, 1], [1, 2], [2, 3], [3, 4]]);
}

#[test]
fn rigid_water_is_three_constraints() {
    let t = imported(&[]).system.topology;
    let c: Vec<_> = t.constraints.iter().map(|c| (c.atoms, c.length)).collect();
    assert_eq!(c[..3], [([5, 6], 0.1), ([5, 7], 0.1), ([6, 7], 0.16333)]);
    assert_eq!((c.len(), t.bonds[4..6].to_vec()), (6, vec![[5, 6], [5, 7]]));
}

#[test]
fn every_function_maps_onto_its_form() {
    let molecule = "[ bonds ]\n1 5 6 0.3 40\n[ angles ]\n2 3 4 5 120 400 0.24 9000\n[ dihedrals ]\n1 2 3 4 1 -60 2 3\n\
                    1 2 3 4 2 35.26 334.72\n1 2 3 4 3 1 2 3 4 5 6\n1 2 3 4 4 180 4.6 2\n1 2 3 4 5 1 2 3 4\n\
                    [ constraints ]\n1 3 2 0.25\n3 5 1 0.26";
    let t = imported(&[("@molecule", molecule)]).system.topology;
    let one = |class, form| terms(&t, class, form).pop().unwrap().1;
    assert_eq!(terms(&t, Class::Bond, "harmonic")[3], (vec![1, 5], vec![0.3, 40.0]));
    assert_eq!(one(Class::Angle, "urey_bradley"), [120_f64.to_radians(), 400.0, 0.24, 9000.0]);
    assert!(
        terms(&t, Class::Dihedral, "periodic").contains(&(vec![1, 2, 3, 4], vec![(-60_f64).to_radians(), 2.0, 3.0]))
    );
    assert_eq!(one(Class::Improper, "harmonic"), [35.26_f64.to_radians(), 334.72]);
    assert_eq!(one(Class::Dihedral, "ryckaert_bellemans"), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(one(Class::Improper, "periodic"), [std::f64::consts::PI, 4.6, 2.0]);
    assert_eq!(one(Class::Dihedral, "opls"), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(t.constraints[..2].iter().map(|c| c.length).collect::<Vec<_>>(), [0.25, 0.26]);
    // Functions 6 of bonds and 2 of constraints exclude nobody; function 1 of constraints (3-5) shortens 1-5 to three
    // bonds.
    assert!(t.exclusions.contains(0, 4) && t.exclusions.contains(2, 4));
    let bond6 = imported(&[("@molecule", "[ bonds ]\n1 5 6 0.3 40")]).system.topology;
    assert!(!bond6.exclusions.contains(0, 4));
}

#[test]
fn pairs_of_function_two_carry_their_charges() {
    let molecule = "[ pairs ]\n1 5 2 0.7 0.3 -0.4 0.33 0.2\n1 2 2";
    let i = imported(&[("@molecule", molecule)]);
    let (t, p) = (&i.system.topology, i.system.topology.scaled_pairs.iter().collect::<Vec<_>>());
    assert_eq!((p[0].coulomb, p[0].charges, p[0].vdw), (0.7, Some([0.3, -0.4]), 1.0));
    assert_eq!(t.pair_overrides[p[0].pair_override.unwrap() as usize].parameters, [0.33, 0.2]);
    // Without parameters there is no Lennard-Jones part: what GROMACS does, not what its manual says.
    assert_eq!((p[1].coulomb, p[1].charges, p[1].vdw, p[1].pair_override), (0.8333, None, 0.0, None));
    assert!(i.notes[0].contains("a.top:36: pairs of function 2 without parameters"), "{:?}", i.notes);
}

#[test]
fn pairtypes_come_before_generated_pairs_and_are_needed_without_them() {
    let params = "[ pairtypes ]\nB A 1 0.31 0.2";
    let t = imported(&[("@params", params)]).system.topology;
    assert_eq!((t.scaled_pairs.at(0).vdw, t.scaled_pairs.at(0).pair_override), (1.0, Some(0)));
    assert_eq!(t.pair_overrides[0].parameters, [0.31, 0.2]);
    let no = with(&[("@params", params)]).replace("1 3 yes", "1 3 no");
    assert_eq!(import_texts(&no, &gro(11)).unwrap().system.topology.scaled_pairs.at(0).vdw, 1.0);
}

#[test]
fn combination_rules() {
    let entry = |rule: &str, params: &str, i: usize, j: usize| {
        let top = with(&[("@params", params)]).replace("1 3 yes", rule);
        import_texts(&top, &gro(11)).unwrap().pair_table.get(i, j).clone()
    };
    let close = |found: &[f64], expected: [f64; 2]| {
        assert!(found.iter().zip(expected).all(|(f, e)| (f / e - 1.0).abs() < 1e-14), "{found:?} {expected:?}");
    };
    let geometric = entry("1 3 yes", "", 0, 1);
    close(&geometric.parameters, [(0.35_f64 * 0.29).sqrt(), (0.276_f64 * 0.585).sqrt()]);
    assert_eq!(geometric.provenance, Provenance::Rule("geometric".into()));
    close(&entry("1 2 yes", "", 0, 1).parameters, [0.32, (0.276_f64 * 0.585).sqrt()]);
    // Rule 1: the columns are C6 and C12.
    let (c6, c12) = ((0.35_f64 * 0.29).sqrt(), (0.276_f64 * 0.585).sqrt());
    close(&entry("1 1 yes", "", 0, 1).parameters, [(c12 / c6).powf(1.0 / 6.0), c6 * c6 / (4.0 * c12)]);
    let own = entry("1 3 yes", "[ nonbond_params ]\nB A 1 0.4 0.5", 0, 1);
    assert_eq!((own.parameters, own.provenance), (vec![0.4, 0.5], Provenance::Explicit));
    assert_eq!(entry("1 3 yes", "", 3, 3).form, "none");
}

#[test]
fn buckingham_potentials() {
    let top = "[ defaults ]\n2 1 no\n[ atomtypes ]\nTi 22 47.867 2.196 A 3000000 65 0.0005\nO 8 15.999 -1.098 A 1136357.0 42.5 0.003\n\
               [ nonbond_params ]\nO Ti 2 1636165 51.5 0.00121\n[ moleculetype ]\nT 0\n[ atoms ]\n1 Ti 1 T Ti 1\n2 O 1 T O 1\n\
               [ system ]\nx\n[ molecules ]\nT 1\n";
    let i = import_texts(top, &gro(2)).unwrap();
    let of = |a: usize, b: usize| i.pair_table.get(a, b).clone();
    assert_eq!(of(0, 1).form, "buckingham");
    assert_eq!(of(0, 1).parameters, [1_636_165.0, 1.0 / 51.5, 0.00121]);
    assert_eq!(of(1, 1).parameters, [1_136_357.0, 1.0 / 42.5, 0.003]);
    assert!(i.notes[0].contains("atom names") && i.notes[0].contains("atom 1: C1 there, Ti in the topology"));
}

#[test]
fn columns_of_atom_types_are_told_apart_by_the_particle_type() {
    for line in
        ["Z 12.0 0.1 A 0.3 0.2", "Z 6 12.0 0.1 A 0.3 0.2", "Z ZB 12.0 0.1 A 0.3 0.2", "Z ZB 6 12.0 0.1 A 0.3 0.2"]
    {
        let molecule = "[ moleculetype ]\nONE 1\n[ atoms ]\n1 Z 1 ONE Z 1\n";
        let top =
            with(&[("@types", line)]).replace("[ moleculetype ]\nSOL", &format!("{molecule}[ moleculetype ]\nSOL"));
        let i = import_texts(&top.replace("MOL 1\n", "ONE 1\n"), &gro(7)).unwrap();
        let t = &i.system.topology;
        assert_eq!((t.masses[0], t.charges[0], t.types[0].element.as_str()), (12.0, 0.1, "C"), "{line}");
        assert_eq!(i.pair_table.get(0, 0).parameters, [0.3, 0.2]);
        assert_eq!(
            i.notes[0].contains("elements guessed from names and masses"),
            !line.contains(" 6 "),
            "{line}: {:?}",
            i.notes
        );
    }
}

#[test]
fn a_banner_of_asterisks_may_stand_in_front() {
    let top = format!("*****\n* a force field\n*****\n{}", with(&[]));
    assert!(import_texts(&top, &gro(11)).is_ok());
}

#[test]
fn what_no_molecule_of_the_system_needs_may_be_beyond_the_engine() {
    let unused = "[ moleculetype ]\nV 1\n[ atoms ]\n1 A 1 V A 1\n2 A 1 V B 1\n[ virtual_sites2 ]\n2 1 1 1 0.5\n[ moleculetype ]\nSOL";
    let params = "[ bondtypes ]\nAB AB 3 0.1 2 3\n[ cmaptypes ]\nX X X X X 1 24 24 \\\n 0 0 0\n";
    let top = with(&[("@params", params)]).replace("[ moleculetype ]\nSOL", unused);
    assert!(import_texts(&top, &gro(11)).is_ok());
    let used = import_texts(&top.replace("MOL 1\n", "V 1\nMOL 1\n"), &gro(13)).unwrap_err().to_string();
    assert!(used.contains("[ virtual_sites2 ]: molecule type \"V\" has virtual_sites2"), "{used}");
}

/// Marks, or a replacement in the text; what the message must say.
#[test]
fn what_is_malformed_or_beyond_the_engine_is_named_with_line_and_directive() {
    let marked: &[(&str, &str, &str)] = &[
        ("@types", "Q 12 0.1 A 0.3", ":4: [ atomtypes ]: \"Q 12 0.1 A 0.3\" has 5 fields; write NAME [BONDED]"),
        ("@types", "Q 12 0.1 A 0.3 x2", ":4: [ atomtypes ]: a parameter is \"x2\"; write a number"),
        ("@types", "Q 12 0.1 A 0.3 inf", ":4: [ atomtypes ]: a parameter is \"inf\""),
        ("@types", "Q 6 12 0.1 Q 0.3 0.2", ":4: [ atomtypes ]: the particle type is \"Q\"; write A for an atom"),
        ("@params", "[ bondtypes ]\nAB ZZ 1 0.1 5", ":17: [ bondtypes ]: no atom type has the bonded type \"ZZ\""),
        ("@params", "[ bondtypes ]\nAB B 1 0.1", ":17: [ bondtypes ]: function 1 (bond) with 1 parameters; write r0"),
        ("@params", "[ bondtypes ]\nAB B 11 0.1 5", ":17: [ bondtypes ]: function 11 does not exist; take 1 (bond)"),
        (
            "@params",
            "[ bondtypes ]\nAB B 1 0.1 5 0.1 6",
            ":17: [ bondtypes ]: state B of a free-energy calculation differs",
        ),
        ("@params", "[ dihedraltypes ]\nX B AB X 9 0 7 7", ":17: [ dihedraltypes ]: a second block of function 9"),
        ("@params", "[ nonbond_params ]\nA B 2 1 2 3", ":17: [ nonbond_params ]: function 2 where [ defaults ] say 1"),
        (
            "@params",
            "[ nonbond_params ]\nA Z 1 1 2",
            ":17: [ nonbond_params ]: atom type \"Z\" is not in [ atomtypes ]",
        ),
        (
            "@params",
            "[ nonbond_params ]\nA B 1 -0.3 2",
            ":17: [ nonbond_params ]: parameters -0.3 and 2; parameters of pair potentials must not be negative",
        ),
        ("@params", "[ pairtypes ]\nA B 1 1 2 3", ":17: [ pairtypes ]: \"A B 1 1 2 3\" has 3 parameters; write 2"),
        ("@params", "[ wonders ]", ":16: topology: unknown directive [ wonders ]"),
        ("@params", "[ atoms", ":16: topology: \"[ atoms\" does not close its bracket"),
        ("@params", "[ bonds ]\n1 2 1", ":16: [ bonds ]: it stands before the [ atoms ] of its molecule"),
        ("@params", "[ defaults ]\n1 3", ":16: [ defaults ]: a second [ defaults ]"),
        ("@params", "[ molecules ]\nMOL 1", ":16: [ molecules ]: it stands before [ system ]"),
        ("@molecule", "[ bonds ]\n1 9", ":35: [ bonds ]: an atom is \"9\"; write a whole number from 1 to 5"),
        ("@molecule", "[ bonds ]\n1 1", ":35: [ bonds ]: \"1 1\" names atom 1 twice"),
        ("@molecule", "[ bonds ]\n1", ":35: [ bonds ]: \"1\" ends after 1 fields"),
        ("@molecule", "[ bonds ]\n1 3 1", ":35: [ bonds ]: no parameters of function 1 (bond) for the types A, A"),
        (
            "@molecule",
            "[ bonds ]\n1 2 3 0.1 400 20",
            ":35: [ bonds ]: function 3 (Morse bond) has no counterpart in this engine; take 1 (bond)",
        ),
        ("@molecule", "[ bonds ]\n1 2 1 0.1 -5", ":35: [ bonds ]: k is -5, but it must not be negative"),
        ("@molecule", "[ bonds ]\n1 2 1 0.1 5 0.2 5", ":35: [ bonds ]: state B"),
        ("@molecule", "[ angles ]\n1 2 3 2 120 500", ":35: [ angles ]: function 2 (GROMOS-96 angle)"),
        ("@molecule", "[ angles ]\n1 2 3 1 190 500", ":35: [ angles ]: the angle is 190 deg"),
        ("@molecule", "[ dihedrals ]\n1 2 3 4 9 0 1 2.5", ":35: [ dihedrals ]: the multiplicity is 2.5"),
        ("@molecule", "[ dihedrals ]\n1 2 3 4 8 1 2", ":35: [ dihedrals ]: function 8 (tabulated dihedral)"),
        ("@molecule", "[ pairs ]\n1 5 1 0.3", ":35: [ pairs ]: function 1 (pair) with 1 parameters"),
        (
            "@molecule",
            "[ pairs ]\n1 5 2 0.5 0.1 0.1",
            ":35: [ pairs ]: function 2 (pair with charges) with 3 parameters",
        ),
        ("@molecule", "[ constraints ]\n1 3 1 0", ":35: [ constraints ]: the length is 0 nm"),
        ("@molecule", "[ settles ]\n4 1 0.1 0.16", ":35: [ settles ]: atom 4 has no two atoms behind it"),
        ("@molecule", "[ exclusions ]\n1 6", ":35: [ exclusions ]: an atom is \"6\""),
        (
            "@molecule",
            "[ position_restraints ]\n1 1 1000 1000 1000",
            ":35: [ position_restraints ]: molecule type \"MOL\" has position_restraints",
        ),
        ("@molecule", "[ virtual-sites3 ]\n1 2 3 4 1 0.1 0.1", ":35: [ virtual_sites3 ]"),
        ("@molecule", "[ cmap ]\n1 2 3 4 5 1", ":35: [ cmap ]"),
        ("@molecule", "[ atoms ]\n7 A 1 R C 1", ":35: [ atoms ]: atom number 7 where 6 is due"),
        ("@molecule", "[ atoms ]\n6 Z 1 R C 1", ":35: [ atoms ]: atom type \"Z\" is not in [ atomtypes ]"),
        ("@molecule", "[ atoms ]\n6 A 1 R C 1 0 12 B", ":35: [ atoms ]: state B"),
        ("@molecule", "[ moleculetype ]\nMOL 3", ":35: [ moleculetype ]: a second molecule type \"MOL\""),
        ("@molecule", "[ moleculetype ]\nEMPTY x", ":35: [ moleculetype ]: the number of excluded bonds is \"x\""),
        ("@molecules", "XXX 1", ":53: [ molecules ]: no molecule type \"XXX\"; take one of MOL, SOL"),
        ("@molecules", "MOL -1", ":53: [ molecules ]: the number of molecules is \"-1\""),
        (
            "@molecules",
            "[ intermolecular_interactions ]\n[ bonds ]\n1 2 6 1 1",
            ":54: [ bonds ]: it stands behind [ system ]",
        ),
        (
            "@molecules",
            "SOL 4000000000",
            "a.gro:2: gro: 11 atoms, but the topology has 12000000011 (1 MOL of 5 atoms, 4000000000 SOL",
        ),
    ];
    let mut complaints = Vec::new();
    let mut check = |what: &str, text: &str, words: &str| {
        let message = import_texts(text, &gro(11)).err().map_or("accepted".to_string(), |e| e.to_string());
        if !message.contains(words) {
            complaints.push(format!("{what}\n{message}\nnot: {words}\n"));
        }
    };
    for (mark, text, words) in marked {
        check(text, &with(&[(mark, text)]), words);
    }
    let replaced: &[(&str, &str, &str)] = &[
        ("1 3 yes 0.5 0.8333", "1", "a.top:2: [ defaults ]: \"1\" has 1 fields"),
        ("1 3 yes 0.5 0.8333", "3 3 yes", ":2: [ defaults ]: the non-bonded function is \"3\""),
        ("1 3 yes 0.5 0.8333", "1 4 yes", ":2: [ defaults ]: the combination rule is \"4\""),
        ("1 3 yes 0.5 0.8333", "1 3 perhaps", ":2: [ defaults ]: gen-pairs is \"perhaps\""),
        ("1 3 yes 0.5 0.8333", "1 3 yes 0.5 0.5 9", ":2: [ defaults ]: the repulsion's power is 9"),
        ("1 3 yes 0.5 0.8333", "2 3 yes", ":2: [ defaults ]: gen-pairs is yes with Buckingham"),
        ("1 3 yes 0.5 0.8333", "1 3 no 0.5 0.5", ":35: [ pairs ]: no [ pairtypes ] for A and B, and gen-pairs is no"),
        ("[ defaults ]\n", "1 3\n[ defaults ]\n", ":1: topology: \"1 3\" stands before any directive"),
        ("[ defaults ]\n1 3 yes 0.5 0.8333\n", "", ":1: [ atomtypes ]: it stands before [ defaults ]"),
        ("MOL 1\nSOL 2\n", "", ":51: [ molecules ]: the topology names no molecules"),
        ("0.0  0.0", "0.0  -1.0", ":7: [ atomtypes ]: type H has the parameter -1"),
        ("-0.05 16.5", "-0.05 0", ":22: [ atoms ]: O2 has the mass 0; give it a positive mass (u)"),
        ("H      1  1.008", "H      1  0.0", ":41: [ atoms ]: HW1 has the mass 0"),
        ("  0.40 A 0.0", "  0.40 V 0.0", ":41: [ atoms ]: HW1 is of type H, a particle of kind V"),
    ];
    for (old, new, words) in replaced {
        let text = with(&[]);
        assert!(text.contains(old), "{old}");
        check(new, &text.replacen(old, new, 1), words);
    }
    check("nothing", "", "a.top:1: [ defaults ]: the topology has no [ defaults ]");
    let rule1 = with(&[]).replace("1 3 yes", "1 1 yes").replace("0.31 0.65", "0 0.65");
    check("rule 1", &rule1, ":6: [ atomtypes ]: C6 = 0 and C12 = 0.42355637169094745: one without the other");
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    let missing = import(Path::new("/nowhere/a.top"), Path::new("b.gro"), &Options::default()).unwrap_err();
    assert!(matches!(missing, ImportError::File(_)) && missing.to_string().contains("/nowhere/a.top"));
}
