//! `topol.top`: atom types, pairs of types, molecules.

use std::collections::BTreeMap;
use std::fmt::Write;

use amelo_core::{Class, Modifier, PairEntry, PairTable, Topology};

use super::molecules::{Block, blocks};
use super::{Options, PROGRAM};
use crate::formats::model::{Model, NoCounterpart, line, number, word};

/// The topology of `model`.
pub(super) fn text(model: &Model, options: Options, notes: &mut Vec<String>) -> Result<String, NoCounterpart> {
    let topology = model.topology();
    let used = used_types(topology);
    let names = type_names(topology);
    let mut out = format!("; {}: written by amelo. Energies in kJ/mol, lengths in nm.\n", line(model.title));
    // Every pair of types and every scaled pair has its own parameters: of the rule only the meaning of the two
    // columns (sigma and epsilon, rules 2 and 3) is used, and of the fudge factors only that of charges.
    let fudge_qq = common_coulomb_factor(topology);
    let rule = rule(model.pair_table, &used);
    let cut = cut_pairs(model)?;
    if cut > 0 && model.nonbonded.modifier != Modifier::None {
        notes.push(format!(
            "{cut} scaled pairs follow the cut-off's modifier here, as LAMMPS has them; GROMACS never modifies [ pairs ]"
        ));
    }
    // Writing to a string cannot fail.
    let _ = writeln!(out, "\n[ defaults ]\n; nbfunc comb-rule gen-pairs fudgeLJ fudgeQQ");
    let _ = writeln!(out, "1 {rule} no 1.0 {}", number(fudge_qq.unwrap_or(1.0)));

    let mut left_out = 0;
    let mut parameters = |i: usize, j: usize| -> Result<[f64; 2], NoCounterpart> {
        let entry = model.pair_table.get(i, j);
        if entry.form == "buckingham" && options.without_buckingham {
            left_out += 1;
            return Ok([0.0; 2]);
        }
        sigma_epsilon(entry, &format!("of types {} and {}", topology.types[i].name, topology.types[j].name))
    };
    let _ = writeln!(out, "\n[ atomtypes ]\n; name mass charge ptype sigma epsilon");
    for &t in &used {
        let atom = topology.type_of.iter().position(|&k| k as usize == t).unwrap_or_default();
        let [sigma, epsilon] = parameters(t, t)?.map(number);
        let (mass, charge) = (number(topology.masses[atom]), number(topology.charges[atom]));
        let _ = writeln!(out, "{} {mass} {charge} A {sigma} {epsilon}", names[t]);
    }
    let _ = writeln!(out, "\n[ nonbond_params ]\n; i j func sigma epsilon");
    for (k, &i) in used.iter().enumerate() {
        for &j in &used[k + 1..] {
            let [sigma, epsilon] = parameters(i, j)?.map(number);
            let _ = writeln!(out, "{} {} 1 {sigma} {epsilon}", names[i], names[j]);
        }
    }
    if left_out > 0 {
        notes.push(format!(
            "{left_out} pairs of types have no interaction in this export, they are Buckingham pairs: freeze those atoms, \
             whose charges nothing holds apart now"
        ));
    }

    let mut bodies: BTreeMap<String, String> = BTreeMap::new();
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let mut sequence: Vec<(String, usize)> = Vec::new();
    let writer = MoleculeWriter::new(model, options, &names, fudge_qq);
    for (b, block) in writer.blocks.iter().enumerate() {
        let body = writer.body(b)?;
        let name = bodies.entry(body).or_insert_with_key(|body| {
            let stem = word(&block.kind, 40);
            // GROMACS does not tell upper from lower case.
            let count = taken.entry(stem.to_lowercase()).or_insert(0);
            *count += 1;
            let name = if *count == 1 { stem } else { format!("{stem}_{count}") };
            let _ = write!(out, "\n[ moleculetype ]\n; name nrexcl\n{name} 0\n{body}");
            name
        });
        match sequence.last_mut() {
            Some((last, count)) if last == name => *count += 1,
            _ => sequence.push((name.clone(), 1)),
        }
    }
    let _ = writeln!(out, "\n[ system ]\n{}\n\n[ molecules ]", word_or(&line(model.title), "amelo"));
    for (name, count) in sequence {
        let _ = writeln!(out, "{name} {count}");
    }
    Ok(out)
}

fn word_or(text: &str, otherwise: &str) -> String {
    if text.trim().is_empty() { otherwise.into() } else { text.replace([';', '['], " ") }
}

/// Number of scaled pairs that are cut off and modified as the pair loop's are. GROMACS does neither: such a pair comes
/// out the same without a modifier and up to a constant with a shift, but not beyond the cut-off.
fn cut_pairs(model: &Model) -> Result<usize, NoCounterpart> {
    let (system, r_cut) = (model.system, model.nonbonded.r_cut);
    let cut = || model.topology().scaled_pairs.iter().filter(|p| p.cut);
    for p in cut() {
        let [i, j] = p.atoms.map(|a| a as usize);
        let r = system.cell.minimum_image(system.positions[i] - system.positions[j]).norm();
        if r >= r_cut {
            return Err(NoCounterpart {
                program: PROGRAM,
                what: format!(
                    "the scaled pair of atoms {} and {}, which are {r:.3} nm apart and cut off at {r_cut} nm",
                    i + 1,
                    j + 1
                ),
                remedy: "take a longer cut-off, or export to LAMMPS".into(),
            });
        }
    }
    Ok(cut().count())
}

/// Types that atoms have, ascending.
fn used_types(topology: &Topology) -> Vec<usize> {
    let mut used: Vec<usize> = topology.type_of.iter().map(|&t| t as usize).collect();
    used.sort_unstable();
    used.dedup();
    used
}

/// One word per type, no two alike (GROMACS does not tell upper from lower case).
fn type_names(topology: &Topology) -> Vec<String> {
    let mut taken = BTreeMap::new();
    let unique = |name: &str| {
        let stem = word(name, 30);
        // A name of digits alone would be taken for a number.
        let stem = if stem.starts_with(|c: char| c.is_ascii_digit()) { format!("T{stem}") } else { stem };
        (1..)
            .map(|k| if k == 1 { stem.clone() } else { format!("{stem}_{k}") })
            .find(|name| taken.insert(name.to_lowercase(), ()).is_none())
            .unwrap_or(stem)
    };
    topology.types.iter().map(|t| t.name.as_str()).map(unique).collect()
}

/// Combination rule under which most pairs would come out right without `[ nonbond_params ]`: 2 (arithmetic sigma) or
/// 3 (geometric).
fn rule(table: &PairTable, used: &[usize]) -> u8 {
    let own = |t: usize| sigma_epsilon(table.get(t, t), "").unwrap_or([0.0; 2]);
    let mut fits = [0, 0];
    for (k, &i) in used.iter().enumerate() {
        for &j in &used[k + 1..] {
            let ([si, _], [sj, _]) = (own(i), own(j));
            let Ok([sigma, _]) = sigma_epsilon(table.get(i, j), "") else { continue };
            let close = |x: f64| (x - sigma).abs() <= 1e-9 * sigma;
            fits[0] += usize::from(close(0.5 * (si + sj)));
            fits[1] += usize::from(close((si * sj).sqrt()));
        }
    }
    if fits[0] > fits[1] { 2 } else { 3 }
}

/// (sigma nm, epsilon kJ/mol) of an entry; `whose` for the error.
fn sigma_epsilon(entry: &PairEntry, whose: &str) -> Result<[f64; 2], NoCounterpart> {
    match (entry.form.as_str(), entry.parameters.as_slice()) {
        ("none", _) => Ok([0.0; 2]),
        ("lennard_jones", &[sigma, epsilon]) => Ok([sigma, epsilon]),
        ("buckingham", _) => Err(NoCounterpart {
            program: PROGRAM,
            what: format!("the Buckingham potential {whose}: its Verlet scheme has Lennard-Jones only"),
            remedy: "export to LAMMPS, or leave those pairs out with --without-buckingham".into(),
        }),
        (form, _) => Err(NoCounterpart {
            program: PROGRAM,
            what: format!("the pair potential {form} {whose}"),
            remedy: "write the pair as lennard_jones".into(),
        }),
    }
}

/// The factor of charges that all scaled pairs share, where they do.
fn common_coulomb_factor(topology: &Topology) -> Option<f64> {
    let first = topology.scaled_pairs.iter().next()?.coulomb;
    topology.scaled_pairs.iter().all(|p| p.coulomb == first && p.charges.is_none()).then_some(first)
}

/// Chemical bonds that neither an interaction nor a constraint holds.
fn bare_bonds(topology: &Topology) -> Vec<[u32; 2]> {
    let pair = |a: &[u32]| (a[0].min(a[1]), a[0].max(a[1]));
    let mut held: Vec<(u32, u32)> = topology.constraints.iter().map(|c| pair(&c.atoms)).collect();
    for list in topology.interactions.iter().filter(|l| l.class == Class::Bond) {
        held.extend(list.iter().map(|(atoms, _)| pair(atoms)));
    }
    held.sort_unstable();
    topology.bonds.iter().copied().filter(|b| held.binary_search(&pair(b)).is_err()).collect()
}

/// Writes the directives of one molecule, atoms numbered from 1: molecules of the same text are the same type.
struct MoleculeWriter<'a> {
    model: &'a Model<'a>,
    options: Options,
    names: &'a [String],
    fudge_qq: Option<f64>,
    blocks: Vec<Block>,
    /// \[n_blocks\] by directive: finished lines without the numbers of the atoms, which come first.
    lines: Vec<Vec<(Directive, Vec<u32>, String)>>,
    residue_of: Vec<usize>,
    failure: Option<NoCounterpart>,
}

/// Directives in the order in which they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Directive {
    Bonds,
    Pairs,
    Angles,
    Dihedrals,
    Settles,
    Constraints,
}

impl Directive {
    const ALL: [Directive; 6] = [
        Directive::Bonds,
        Directive::Pairs,
        Directive::Angles,
        Directive::Dihedrals,
        Directive::Settles,
        Directive::Constraints,
    ];

    fn head(self) -> &'static str {
        match self {
            Directive::Bonds => "bonds",
            Directive::Pairs => "pairs",
            Directive::Angles => "angles",
            Directive::Dihedrals => "dihedrals",
            Directive::Settles => "settles",
            Directive::Constraints => "constraints",
        }
    }
}

impl<'a> MoleculeWriter<'a> {
    fn new(model: &'a Model, options: Options, names: &'a [String], fudge_qq: Option<f64>) -> Self {
        let topology = model.topology();
        let blocks = blocks(topology);
        let mut residue_of = vec![0; topology.n_atoms()];
        for (k, r) in topology.residues.iter().enumerate() {
            residue_of[r.first..r.first + r.count].fill(k + 1);
        }
        let lines = vec![Vec::new(); blocks.len()];
        let mut writer = MoleculeWriter { model, options, names, fudge_qq, blocks, lines, residue_of, failure: None };
        writer.failure = writer.collect().err();
        writer
    }

    fn block_of(&self, atom: u32) -> usize {
        self.blocks.partition_point(|b| b.first <= atom as usize) - 1
    }

    /// Sorts every interaction into its block.
    fn collect(&mut self) -> Result<(), NoCounterpart> {
        let topology = self.model.topology();
        let mut bonds: Vec<[u32; 2]> = topology.bonds.iter().map(|&[i, j]| [i.min(j), i.max(j)]).collect();
        bonds.sort_unstable();
        let is_bond = |a: &[u32]| bonds.binary_search(&[a[0].min(a[1]), a[0].max(a[1])]).is_ok();
        for list in &topology.interactions {
            for (atoms, p) in list.iter() {
                let (directive, function, values) = bonded(list.class, &list.form, p, atoms, is_bond(atoms))?;
                self.push(directive, atoms, format!("{function} {}", values.join(" ")));
            }
        }
        for pair in bare_bonds(topology) {
            // Function 5 is a bond without an interaction.
            self.push(Directive::Bonds, &pair, "5".into());
        }
        for p in topology.scaled_pairs.iter() {
            let [i, j] = p.atoms.map(|a| topology.type_of[a as usize] as usize);
            let table = self.model.pair_table;
            let entry = match p.pair_override {
                Some(k) => topology.pair_overrides.get(k as usize).unwrap_or(table.get(i, j)),
                None => table.get(i, j),
            };
            let whose = format!("of the scaled pair of atoms {} and {}", p.atoms[0] + 1, p.atoms[1] + 1);
            let [sigma, epsilon] = match entry.form.as_str() {
                "buckingham" if self.options.without_buckingham => [0.0; 2],
                _ => sigma_epsilon(entry, &whose)?,
            };
            let (sigma, epsilon) = (number(sigma), number(p.vdw * epsilon));
            let text = match self.fudge_qq {
                Some(_) => format!("1 {sigma} {epsilon}"),
                None => {
                    let [qi, qj] = p.charges.unwrap_or(p.atoms.map(|a| topology.charges[a as usize])).map(number);
                    format!("2 {} {qi} {qj} {sigma} {epsilon}", number(p.coulomb))
                }
            };
            self.push(Directive::Pairs, &p.atoms, text);
        }
        for (block, [d_oh, d_hh]) in self.waters() {
            let first = self.blocks[block].first as u32;
            self.push(Directive::Settles, &[first], format!("1 {} {}", number(d_oh), number(d_hh)));
        }
        for c in &topology.constraints {
            let block = &self.lines[self.block_of(c.atoms[0])];
            if block.iter().any(|line| line.0 == Directive::Settles) {
                continue;
            }
            // Function 1 is a chemical bond, 2 is not.
            let function = if is_bond(&c.atoms) { 1 } else { 2 };
            self.push(Directive::Constraints, &c.atoms, format!("{function} {}", number(c.length)));
        }
        Ok(())
    }

    /// Blocks that are a rigid water, its oxygen first, with the lengths O–H and H–H (nm): three distances held in a
    /// triangle are hard for LINCS, while SETTLE solves them.
    fn waters(&self) -> Vec<(usize, [f64; 2])> {
        let topology = self.model.topology();
        let mut sides: BTreeMap<usize, BTreeMap<[usize; 2], f64>> = BTreeMap::new();
        for c in &topology.constraints {
            let b = self.block_of(c.atoms[0]);
            let [i, j] = c.atoms.map(|a| a as usize - self.blocks[b].first);
            sides.entry(b).or_default().insert([i.min(j), i.max(j)], c.length);
        }
        let water = |(b, sides): (usize, BTreeMap<[usize; 2], f64>)| {
            let Block { first, count, .. } = self.blocks[b];
            let [oh1, oh2, hh] = [[0, 1], [0, 2], [1, 2]].map(|pair| sides.get(&pair).copied());
            let (oh1, oh2, hh) = (oh1?, oh2?, hh?);
            let alike = oh1 == oh2 && topology.masses[first + 1] == topology.masses[first + 2];
            (count == 3 && alike).then_some((b, [oh1, hh]))
        };
        sides.into_iter().filter_map(water).collect()
    }

    fn push(&mut self, directive: Directive, atoms: &[u32], text: String) {
        let block = self.block_of(atoms[0]);
        self.lines[block].push((directive, atoms.to_vec(), text));
    }

    /// Everything of a `[ moleculetype ]` behind its name.
    fn body(&self, b: usize) -> Result<String, NoCounterpart> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let topology = self.model.topology();
        let Block { first, count, .. } = self.blocks[b];
        let mut out = String::from("\n[ atoms ]\n; nr type resnr residue atom cgnr charge mass\n");
        let first_residue = self.residue_of[first];
        for atom in first..first + count {
            let number_in_block = self.residue_of[atom].saturating_sub(first_residue) + 1;
            let residue = self.residue_of[atom].checked_sub(1).map_or("UNK", |k| topology.residues[k].name.as_str());
            let _ = writeln!(
                out,
                "{nr} {} {number_in_block} {} {} {nr} {} {}",
                self.names[topology.type_of[atom] as usize],
                word(residue, 5),
                word(&topology.names[atom], 5),
                number(topology.charges[atom]),
                number(topology.masses[atom]),
                nr = atom - first + 1,
            );
        }
        for directive in Directive::ALL {
            let mut lines = self.lines[b].iter().filter(|l| l.0 == directive).peekable();
            if lines.peek().is_some() {
                let _ = writeln!(out, "\n[ {} ]", directive.head());
            }
            for (_, atoms, text) in lines {
                atoms.iter().for_each(|&a| {
                    let _ = write!(out, "{} ", a as usize - first + 1);
                });
                let _ = writeln!(out, "{text}");
            }
        }
        let mut head = "\n[ exclusions ]\n";
        for atom in first..first + count {
            let partners: Vec<String> = topology
                .exclusions
                .of(atom)
                .iter()
                .filter(|&&j| j as usize > atom)
                .map(|&j| (j as usize - first + 1).to_string())
                .collect();
            if !partners.is_empty() {
                let _ = writeln!(out, "{head}{} {}", atom - first + 1, partners.join(" "));
                head = "";
            }
        }
        Ok(out)
    }
}

/// Directive, function type and parameters of a bonded interaction.
fn bonded(
    class: Class,
    form: &str,
    p: &[f64],
    atoms: &[u32],
    is_bond: bool,
) -> Result<(Directive, u8, Vec<String>), NoCounterpart> {
    let degrees = |x: f64| number(x.to_degrees());
    let numbers = |p: &[f64]| p.iter().copied().map(number).collect::<Vec<_>>();
    // A multiplicity is a whole number; Display writes it as one.
    let periodic = |phi0: f64, k: f64, n: f64| vec![degrees(phi0), number(k), n.to_string()];
    let found = match (class, form, p) {
        // Function 6 is the same spring between atoms that are not chemically bonded.
        (Class::Bond, "harmonic", &[r0, k]) => (Directive::Bonds, if is_bond { 1 } else { 6 }, numbers(&[r0, k])),
        (Class::Angle, "harmonic", &[theta0, k]) => (Directive::Angles, 1, vec![degrees(theta0), number(k)]),
        (Class::Angle, "urey_bradley", &[theta0, k, r13, k_ub]) => {
            (Directive::Angles, 5, [vec![degrees(theta0)], numbers(&[k, r13, k_ub])].concat())
        }
        (Class::Dihedral, "periodic", &[phi0, k, n]) => (Directive::Dihedrals, 9, periodic(phi0, k, n)),
        (Class::Dihedral, "ryckaert_bellemans", _) => (Directive::Dihedrals, 3, numbers(p)),
        (Class::Dihedral, "opls", _) => (Directive::Dihedrals, 5, numbers(p)),
        // Without a sign the angle between the planes is a dihedral only at 0°.
        (Class::Improper, "harmonic_unsigned", &[phi0, k]) if phi0 == 0.0 => {
            (Directive::Dihedrals, 2, vec![degrees(phi0), number(k)])
        }
        (Class::Improper, "harmonic", &[phi0, k]) => (Directive::Dihedrals, 2, vec![degrees(phi0), number(k)]),
        (Class::Improper, "periodic", &[phi0, k, n]) => (Directive::Dihedrals, 4, periodic(phi0, k, n)),
        _ => {
            let atoms: Vec<String> = atoms.iter().map(|a| (a + 1).to_string()).collect();
            return Err(NoCounterpart {
                program: PROGRAM,
                what: format!("the {class:?} form {form} of atoms {}", atoms.join(", ")).to_lowercase(),
                remedy: "take a form that GROMACS has".into(),
            });
        }
    };
    Ok(found)
}
