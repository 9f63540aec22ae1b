//! Exports are read again, line by line, as LAMMPS' documentation has them. 1 kcal = 4.184 kJ, 1 nm = 10 Å.

use amelo_core::{Class, Coulomb, Modifier, ScaledPair};

use super::*;
use crate::formats::example::{Example, example};

fn both(example: &Example) -> (String, String) {
    let mut exported = export(&example.model(), DATA, Options::default()).unwrap();
    let data = exported.files.pop().unwrap().1;
    (exported.files.pop().unwrap().1, data)
}

fn refusal(example: &Example) -> String {
    export(&example.model(), DATA, Options::default()).unwrap_err().to_string()
}

/// Arguments of every line that begins with `command`, comments gone.
fn commands(script: &str, command: &str) -> Vec<String> {
    let lines = script.lines().map(|l| l.split('#').next().unwrap_or("").trim());
    lines.filter_map(|l| l.strip_prefix(command)?.strip_prefix(' ')).map(|l| l.trim().to_string()).collect()
}

/// Lines of a section of a data file.
fn section(data: &str, name: &str) -> Vec<String> {
    let mut lines = data.lines().skip_while(|l| l.split('#').next().unwrap_or("").trim() != name).skip(2);
    std::iter::from_fn(|| lines.next().filter(|l| !l.is_empty())).map(String::from).collect()
}

fn floats(text: &str) -> Vec<f64> {
    text.split_whitespace().filter_map(|x| x.parse().ok()).collect()
}

#[test]
fn pairs_of_types_in_kcal_and_angstrom() {
    let mut example = example();
    example.set_pair(1, 1, "lennard_jones", &[0.3, 4.184]);
    let (script, _) = both(&example);
    assert_eq!(commands(&script, "pair_style"), ["lj/cut/coul/long 9.0"]);
    let coefficients = commands(&script, "pair_coeff");
    assert_eq!(coefficients.len(), 10);
    assert_eq!(coefficients[4], "2 2 1.0 3.0");
    assert_eq!(coefficients[3], "1 4 0.0 1.0"); // declared to be none
    assert_eq!(commands(&script, "pair_modify"), ["shift no tail no", "table 0"]);
    assert_eq!(commands(&script, "special_bonds"), ["lj 0.0 0.0 0.5 coul 0.0 0.0 0.5"]);
    assert_eq!(commands(&script, "kspace_style"), ["pppm 1e-5"]);
    assert_eq!(commands(&script, "kspace_modify"), ["gewald 0.3123456789012345 mesh 20 24 25 order 5"]);
    assert_eq!(commands(&script, "timestep"), ["2.0"]);
}

#[test]
fn buckingham_beside_lennard_jones_is_an_overlay() {
    let mut example = example();
    example.set_pair(3, 3, "buckingham", &[4.184e6, 0.02, 4.184e-3]);
    example.nonbonded.modifier = Modifier::PotentialShift;
    let (script, _) = both(&example);
    assert_eq!(commands(&script, "pair_style"), ["hybrid/overlay lj/cut 9.0 buck 9.0 coul/long 9.0"]);
    let coefficients = commands(&script, "pair_coeff");
    assert_eq!(coefficients[0], "* * coul/long");
    // A in kcal/mol, rho in Å, C in kcal/mol Å⁶.
    let last: Vec<f64> = floats(coefficients.last().unwrap());
    assert!(coefficients.last().unwrap().starts_with("4 4 buck "));
    let expected = [4.0, 4.0, 1e6, 0.2, 1000.0];
    assert!(last.iter().zip(expected).all(|(x, y)| (x / y - 1.0).abs() < 1e-14), "{last:?}");
    assert_eq!(coefficients.len(), 10); // the pair that is none has Coulomb alone
    assert_eq!(commands(&script, "pair_modify")[0], "shift yes tail no");
    example.nonbonded.modifier = Modifier::ForceSwitch { r_switch: 0.75 };
    assert!(refusal(&example).contains("Buckingham pairs with the modifier force-switch"));
    example.set_pair(3, 3, "none", &[]);
    assert_eq!(commands(&both(&example).0, "pair_style"), ["hybrid/overlay lj/gromacs 7.5 9.0 coul/long 9.0"]);
    example.nonbonded.dispersion_correction = true;
    assert!(refusal(&example).contains("dispersion correction"));
    let without = Options { without_dispersion_correction: true };
    assert!(export(&example.model(), DATA, without).unwrap().notes.iter().any(|n| n.contains("is left out")));
}

#[test]
fn bonded_forms_in_the_conventions_of_lammps() {
    let mut example = example();
    let half_turn = std::f64::consts::PI;
    let kcal = 4.184;
    example.interact(Class::Angle, "urey_bradley", &[1, 2, 3], &[half_turn / 2.0, 2.0 * kcal, 0.25, 200.0 * kcal]);
    example.interact(Class::Dihedral, "opls", &[0, 1, 2, 3], &[kcal, 2.0 * kcal, 3.0 * kcal, 4.0 * kcal]);
    let rb = [1.0, 2.0, 3.0, 4.0, 5.0, 0.0].map(|c| c * kcal);
    example.interact(Class::Dihedral, "ryckaert_bellemans", &[1, 2, 3, 4], &rb);
    example.interact(Class::Dihedral, "ryckaert_bellemans", &[1, 2, 3, 4], &[kcal; 6]);
    example.interact(Class::Dihedral, "periodic", &[2, 3, 4, 5], &[half_turn / 3.0, 2.5 * kcal, 3.0]);
    example.interact(Class::Improper, "harmonic", &[0, 1, 2, 3], &[half_turn, 2.0 * kcal]);
    example.interact(Class::Improper, "periodic", &[1, 2, 3, 4], &[half_turn, 10.0 * kcal, 2.0]);
    example.interact(Class::Improper, "periodic", &[1, 2, 3, 4], &[1.0, kcal, 2.0]);
    let (script, data) = both(&example);
    // No ½ in LAMMPS: k/2 per Å² or rad². The last bond type is the constrained one.
    assert_eq!(commands(&script, "bond_style"), ["harmonic"]);
    assert_eq!(commands(&script, "bond_coeff"), ["1 300.0 1.5", "2 340.0 1.09"]);
    assert_eq!(commands(&script, "angle_style"), ["hybrid charmm harmonic"]);
    let angles = commands(&script, "angle_coeff");
    assert!(angles[0].starts_with("1 harmonic ") && (floats(&angles[0])[1] / 60.0 - 1.0).abs() < 1e-15, "{angles:?}");
    assert_eq!(angles[1], "2 charmm 1.0 90.0 1.0 2.5");
    let dihedrals = commands(&script, "dihedral_coeff");
    assert_eq!(
        dihedrals[..3],
        [
            "1 opls 1.0 2.0 3.0 4.0",
            "2 multi/harmonic 1.0 -2.0 3.0 -4.0 5.0",
            "3 nharmonic 6 1.0 -1.0 1.0 -1.0 1.0 -1.0"
        ]
    );
    assert!(dihedrals[3].starts_with("4 fourier 1 2.5 3 ") && (floats(&dihedrals[3])[4] - 60.0).abs() < 1e-12);
    assert!(dihedrals[4].starts_with("5 fourier 1 1.0 2 57.29"), "{dihedrals:?}");
    assert_eq!(commands(&script, "improper_coeff"), ["1 harmonic 1.0 180.0", "2 cvff 10.0 -1 2"]);
    assert_eq!(section(&data, "Bonds").len(), 10);
    assert_eq!(section(&data, "Dihedrals")[2], "3 2 2 3 4 5");
    example.interact(Class::Improper, "harmonic", &[0, 1, 2, 3], &[0.6, 300.0]);
    assert!(refusal(&example).contains("improper form harmonic of atoms 1, 2, 3, 4"));
    example.topology().interactions.pop();
    example.interact(Class::Bond, "harmonic", &[0, 2], &[0.25, 1000.0]);
    assert!(refusal(&example).contains("bond form harmonic of atoms 1, 3, which are not bonded"));
}

#[test]
fn exclusions_must_be_those_of_the_bonds() {
    let mut example = example();
    example.topology().scaled_pairs.change(|pairs| pairs[1].vdw = 0.25);
    assert!(refusal(&example).contains("the 1-4 pair of atoms 2 and 5 with the factor 0.25 where another has 0.5"));

    let mut example = crate::formats::example::example();
    let pairs: Vec<[u32; 2]> = example.system.topology.exclusions.pairs().chain([[0, 12]]).collect();
    example.topology().exclusions = amelo_core::Exclusions::new(13, pairs);
    assert!(refusal(&example).contains("exclusion of atoms 1 and 13"));

    let mut example = crate::formats::example::example();
    let pair = example.topology().scaled_pairs.at(0);
    example.topology().scaled_pairs.extend([ScaledPair { atoms: [3, 12], ..pair }]);
    assert!(refusal(&example).contains("exclusion of atoms 4 and 13"));

    // A 1-4 pair that interacts as any other.
    let mut example = crate::formats::example::example();
    let pair = example.topology().scaled_pairs.at(0);
    example.topology().scaled_pairs.change(|pairs| {
        pairs.remove(0);
    });
    let kept: Vec<[u32; 2]> = example.system.topology.exclusions.pairs().filter(|p| *p != pair.atoms).collect();
    example.topology().exclusions = amelo_core::Exclusions::new(13, kept);
    assert!(refusal(&example).contains("1-4 pair"), "{}", refusal(&example));

    // Overrides that are a factor on the types' own potential are no obstacle; others are.
    let mut example = crate::formats::example::example();
    let entries: Vec<_> = example
        .system
        .topology
        .scaled_pairs
        .iter()
        .map(|p| {
            example
                .pair_table
                .get(
                    example.system.topology.type_of[p.atoms[0] as usize] as usize,
                    example.system.topology.type_of[p.atoms[1] as usize] as usize,
                )
                .clone()
        })
        .collect();
    let topology = example.topology();
    for mut entry in entries {
        entry.parameters[1] *= 0.5;
        topology.pair_overrides.push(entry);
    }
    let own = |(p, k)| ScaledPair { vdw: 1.0, pair_override: Some(k), ..p };
    topology.scaled_pairs = topology.scaled_pairs.iter().zip(0..).map(own).collect();
    assert_eq!(commands(&both(&example).0, "special_bonds"), ["lj 0.0 0.0 0.5 coul 0.0 0.0 0.5"]);
    example.topology().pair_overrides[0].parameters[0] *= 1.1;
    assert!(refusal(&example).contains("parameters of its own"));
}

#[test]
fn a_distance_beyond_the_cutoff_is_no_special_pair() {
    let mut example = example();
    example.nonbonded.r_cut = 0.3;
    assert!(refusal(&example).contains("it cuts such pairs off at 0.3 nm"));
}

#[test]
fn constraints_are_stars_or_water() {
    let mut example = example();
    let (script, _) = both(&example);
    assert_eq!(commands(&script, "fix"), ["nve all nve", "constraints all shake 1.0e-10 500 0 b 2"]);
    // A rigid triangle: two bonds and the distance of their ends, 1, 1 and √2: a right angle.
    let constraint = |i, j, length| amelo_core::Constraint { atoms: [i, j], length };
    let mut water = crate::formats::example::example();
    let topology = water.topology();
    topology.interactions.clear();
    topology.constraints = vec![constraint(0, 1, 0.1), constraint(1, 2, 0.1), constraint(2, 0, 0.1 * 2.0_f64.sqrt())];
    let (script, data) = both(&water);
    assert_eq!(commands(&script, "fix")[1], "constraints all shake 1.0e-10 500 0 b 1 a 1");
    let angle = floats(&commands(&script, "angle_coeff")[0]);
    assert!((angle[2] - 90.0).abs() < 1e-9 && angle[1] == 0.0, "{angle:?}");
    assert_eq!(section(&data, "Angles"), ["1 1 1 2 3"]);
    example.topology().constraints.extend([constraint(3, 4, 0.15), constraint(2, 3, 0.15)]);
    assert!(refusal(&example).contains("a chain of them"));
    example.topology().constraints[2] = constraint(0, 12, 0.15);
    assert!(refusal(&example).contains("atoms 1 and 13, which are not bonded"));
}

#[test]
fn the_data_file_holds_the_state() {
    let mut example = example();
    example.system.velocities[0] = amelo_math::Vec3::new(0.5, 0.0, 0.0);
    example.system.images[1] = [1, -2, 0];
    example.topology().masses[0] = 13.0;
    let (_, data) = both(&example);
    // One mass per type in LAMMPS: the heavy carbon is a type of its own.
    let masses = section(&data, "Masses");
    assert_eq!((masses.len(), masses[3].as_str()), (5, "4 13.0 # CT"));
    let atoms = section(&data, "Atoms");
    assert_eq!(atoms.len(), 13);
    assert_eq!(atoms[0], "1 1 4 0.075 4.0 5.0 6.0 0 0 0");
    assert!(atoms[1].starts_with("2 1 3 0.075 5.2 5.4") && atoms[1].ends_with(" 1 -2 0"), "{}", atoms[1]);
    assert_eq!(section(&data, "Velocities")[0], "1 0.005 0.0 0.0");
    assert!(data.contains("0.0 20.0 xlo xhi\n0.0 21.0 ylo yhi\n0.0 22.0 zlo zhi\n"), "{data}");
    let cell = amelo_math::Mat3::from_array([[2.0, 0.0, 0.0], [1.25, 2.1, 0.0], [-0.25, 0.5, 2.2]]);
    example.system.cell = amelo_core::Cell::new(cell).unwrap();
    let (script, data) = both(&example);
    assert!(data.contains("12.5 -2.5 5.0 xy xz yz\n"), "{data}");
    assert_eq!(commands(&script, "box"), ["tilt large"]);
}

#[test]
fn a_film_stands_between_walls_with_its_volume_kept() {
    let mut example = example();
    example.system.cell = amelo_core::Cell::orthorhombic(2.0, 2.1, 12.0).unwrap();
    example.nonbonded.slab = Some(2);
    // The ion below, across the boundary.
    example.system.positions[12].z = 11.5;
    let (script, data) = both(&example);
    assert_eq!(commands(&script, "boundary"), ["p p f"]);
    let factor: f64 = commands(&script, "kspace_modify")[1].split(' ').nth(1).unwrap().parse().unwrap();
    let box_z = floats(data.lines().find(|l| l.ends_with("zlo zhi")).unwrap());
    assert!((factor * (box_z[1] - box_z[0]) - 120.0).abs() < 1e-10);
    for line in section(&data, "Atoms") {
        let z = floats(&line)[6];
        assert!(z >= box_z[0] + 9.9 && z <= box_z[1] - 9.9, "{line} {box_z:?}");
    }
    example.nonbonded.coulomb = Coulomb::Ewald { beta: 3.0, tolerance: 1e-12 };
    assert_eq!(commands(&both(&example).0, "kspace_style"), ["ewald 1e-12"]);
    example.nonbonded.slab = Some(1);
    assert!(refusal(&example).contains("along y"));
}

/// Bounds of an oblique box are those of its corners: https://docs.lammps.org/Howto_triclinic.html
#[test]
fn a_dump_has_the_bounds_of_the_corners() {
    let mut example = example();
    let cell = amelo_math::Mat3::from_array([[2.0, 0.0, 0.0], [0.5, 2.1, 0.0], [-0.75, 0.25, 2.2]]);
    example.system.cell = amelo_core::Cell::new(cell).unwrap();
    let text = dump(&example.system.frame());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[4], "ITEM: BOX BOUNDS xy xz yz pp pp pp");
    assert_eq!(lines[5..8], ["-7.5 25.0 5.0", "0.0 23.5 -7.5", "0.0 22.0 2.5"]);
    assert_eq!(lines[8], "ITEM: ATOMS id x y z ix iy iz vx vy vz");
    assert_eq!(lines.len(), 22);
}
