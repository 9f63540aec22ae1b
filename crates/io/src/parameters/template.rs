//! Molecules as parameter files describe them: atoms with types and charges, bonds, and where to put them.

use std::collections::BTreeMap;

use amelo_math::Vec3;

use super::Scaling;

/// A molecule, ion or whole oxide slab: everything that is the same for each of its copies.
#[derive(Clone, Debug, PartialEq)]
pub struct MoleculeTemplate {
    /// Name in decks, for example `TFSI`; also the name of the group of all its atoms.
    pub name: String,
    /// Atoms, in their order.
    pub atoms: Vec<TemplateAtom>,
    /// Chemical bonds, as pairs of atoms.
    pub bonds: Vec<[usize; 2]>,
    /// Improper dihedrals, each as four atoms in the order in which the form takes them.
    pub impropers: Vec<[usize; 4]>,
    /// Residues in the order of their atoms: name (up to four letters) and number of atoms.
    pub residues: Vec<(String, usize)>,
    /// Atoms by group, without the molecule's name: `ether O` becomes the topology's group `PEO ether O`.
    pub groups: BTreeMap<String, Vec<usize>>,
    /// Factors of the pairs inside the molecule.
    pub scaling: Scaling,
    /// Where charges and geometry come from.
    pub source: String,
}

impl MoleculeTemplate {
    /// Sum of the charges (e).
    pub fn charge(&self) -> f64 {
        self.atoms.iter().map(|a| a.charge).sum()
    }
}

/// One atom of a template.
#[derive(Clone, Debug, PartialEq)]
pub struct TemplateAtom {
    /// Name, unique within its residue.
    pub name: String,
    /// Atom type.
    pub type_name: String,
    /// Charge (e), before any scaling.
    pub charge: f64,
    /// Where it sits in the molecule.
    pub place: Place,
}

/// Where an atom of a template sits.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// Cartesian coordinates (nm) in the molecule's own frame.
    Xyz(Vec3),
    /// Internal coordinates with respect to earlier atoms of the same molecule.
    Internal {
        /// Atom at distance `length`.
        bond: usize,
        /// Distance (nm).
        length: f64,
        /// Atom and angle (rad): this atom – bond – angle. Absent only for the second atom.
        angle: Option<(usize, f64)>,
        /// Atom and dihedral: this atom – bond – angle – dihedral. Absent only for the second and third atom.
        dihedral: Option<(usize, DihedralPlace)>,
    },
}

/// The dihedral of an atom placed by internal coordinates; rad, trans is π.
#[derive(Clone, Debug, PartialEq)]
pub enum DihedralPlace {
    /// One value.
    Fixed(f64),
    /// Growth picks one of these.
    Rotamers(Vec<f64>),
}

/// A piece of a polymer: repeat unit, head or tail.
#[derive(Clone, Debug, PartialEq)]
pub struct Fragment {
    /// Residue name of up to four letters.
    pub residue: String,
    /// Repeat units that this fragment stands for: 0 for a mere cap.
    pub monomers: usize,
    /// Atoms.
    pub atoms: Vec<FragmentAtom>,
    /// Bonds; at most one end in the previous fragment.
    pub bonds: Vec<[Reference; 2]>,
    /// Improper dihedrals.
    pub impropers: Vec<[Reference; 4]>,
    /// Atoms by group.
    pub groups: BTreeMap<String, Vec<usize>>,
    /// Other names under which the next fragment may refer to atoms of this one.
    pub aliases: BTreeMap<String, usize>,
}

/// An atom of a fragment.
#[derive(Clone, Debug, PartialEq)]
pub struct FragmentAtom {
    /// Name, unique within the fragment.
    pub name: String,
    /// Atom type.
    pub type_name: String,
    /// Charge (e).
    pub charge: f64,
    /// Where it sits; absent for the first atom of a head.
    pub place: Option<FragmentPlace>,
}

/// Internal coordinates within a polymer.
#[derive(Clone, Debug, PartialEq)]
pub struct FragmentPlace {
    /// Bonded atom and distance (nm).
    pub bond: (Reference, f64),
    /// Atom and angle (rad).
    pub angle: Option<(Reference, f64)>,
    /// Atom and dihedral (rad).
    pub dihedral: Option<(Reference, DihedralPlace)>,
}

/// An atom of this fragment, or by name (or alias) one of the fragment before.
#[derive(Clone, Debug, PartialEq)]
pub enum Reference {
    /// Atom of this fragment.
    Here(usize),
    /// Atom of the previous fragment, written `-NAME`.
    Previous(String),
}

/// The two ends of a chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Ends {
    /// What the chain begins with.
    pub head: Fragment,
    /// What it ends with.
    pub tail: Fragment,
}

/// A linear polymer: head, repeat units, tail.
#[derive(Clone, Debug, PartialEq)]
pub struct PolymerTemplate {
    /// Name in decks, for example `PEO`.
    pub name: String,
    /// Repeat unit.
    pub unit: Fragment,
    /// Ends by name.
    pub ends: BTreeMap<String, Ends>,
    /// Ends used where a deck names none.
    pub default_ends: String,
    /// Factors of the pairs inside a chain.
    pub scaling: Scaling,
    /// Where charges and geometry come from.
    pub source: String,
}

/// A template that cannot make the molecule that was asked for.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TemplateError {
    /// Ends that the polymer does not have.
    #[error("{polymer} has no ends named \"{ends}\"; it has {}", known.join(", "))]
    UnknownEnds {
        /// Polymer.
        polymer: String,
        /// What was asked for.
        ends: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Too few repeat units.
    #[error("a {polymer} chain with {ends} ends has at least {least} repeat units, not {monomers}")]
    TooShort {
        /// Polymer.
        polymer: String,
        /// Its ends.
        ends: String,
        /// What was asked for.
        monomers: usize,
        /// What is possible.
        least: usize,
    },
    /// A reference to an atom that the previous fragment lacks.
    #[error(
        "{polymer}: residue {residue} refers to atom \"-{atom}\", but the residue before it ({previous}) has neither an atom nor an alias of that name"
    )]
    NoSuchAtom {
        /// Polymer.
        polymer: String,
        /// Residue with the reference.
        residue: String,
        /// Name that was referred to.
        atom: String,
        /// Residue that lacks it.
        previous: String,
    },
    /// An element that the oxide's file does not describe.
    #[error("oxide {oxide} has no species for element {element}; it has {}", known.join(", "))]
    NoSuchSpecies {
        /// Oxide.
        oxide: String,
        /// Element that was asked for.
        element: String,
        /// What there is.
        known: Vec<String>,
    },
}

impl PolymerTemplate {
    /// A chain of `monomers` repeat units with the named ends, or the default ones.
    pub fn chain(&self, monomers: usize, ends: Option<&str>) -> Result<MoleculeTemplate, TemplateError> {
        let ends_name = ends.unwrap_or(&self.default_ends);
        let Some(ends) = self.ends.get(ends_name) else {
            return Err(TemplateError::UnknownEnds {
                polymer: self.name.clone(),
                ends: ends_name.into(),
                known: self.ends.keys().cloned().collect(),
            });
        };
        let in_ends = ends.head.monomers + ends.tail.monomers;
        let least = in_ends.max(1);
        if monomers < least {
            return Err(TemplateError::TooShort {
                polymer: self.name.clone(),
                ends: ends_name.into(),
                monomers,
                least,
            });
        }
        let mut chain = MoleculeTemplate {
            name: self.name.clone(),
            atoms: Vec::new(),
            bonds: Vec::new(),
            impropers: Vec::new(),
            residues: Vec::new(),
            groups: BTreeMap::new(),
            scaling: self.scaling,
            source: self.source.clone(),
        };
        let units = std::iter::repeat_n(&self.unit, monomers - in_ends);
        let mut previous: Option<(&Fragment, usize)> = None;
        for fragment in std::iter::once(&ends.head).chain(units).chain(std::iter::once(&ends.tail)) {
            let first = chain.atoms.len();
            self.append(fragment, previous, &mut chain)?;
            previous = Some((fragment, first));
        }
        Ok(chain)
    }

    fn append(
        &self,
        fragment: &Fragment,
        previous: Option<(&Fragment, usize)>,
        chain: &mut MoleculeTemplate,
    ) -> Result<(), TemplateError> {
        let first = chain.atoms.len();
        let resolve =
            |reference: &Reference| match reference {
                Reference::Here(k) => Ok(first + k),
                Reference::Previous(name) => previous
                    .and_then(|(p, start)| p.find(name).map(|k| start + k))
                    .ok_or_else(|| TemplateError::NoSuchAtom {
                        polymer: self.name.clone(),
                        residue: fragment.residue.clone(),
                        atom: name.clone(),
                        previous: previous.map_or("none".into(), |(p, _)| p.residue.clone()),
                    }),
            };
        for atom in &fragment.atoms {
            let place = match &atom.place {
                None => Place::Xyz(Vec3::ZERO),
                Some(p) => Place::Internal {
                    bond: resolve(&p.bond.0)?,
                    length: p.bond.1,
                    angle: p.angle.as_ref().map(|(r, value)| Ok((resolve(r)?, *value))).transpose()?,
                    dihedral: p.dihedral.as_ref().map(|(r, d)| Ok((resolve(r)?, d.clone()))).transpose()?,
                },
            };
            chain.atoms.push(TemplateAtom {
                name: atom.name.clone(),
                type_name: atom.type_name.clone(),
                charge: atom.charge,
                place,
            });
        }
        for [a, b] in &fragment.bonds {
            chain.bonds.push([resolve(a)?, resolve(b)?]);
        }
        for [a, b, c, d] in &fragment.impropers {
            chain.impropers.push([resolve(a)?, resolve(b)?, resolve(c)?, resolve(d)?]);
        }
        for (group, atoms) in &fragment.groups {
            chain.groups.entry(group.clone()).or_default().extend(atoms.iter().map(|k| first + k));
        }
        chain.residues.push((fragment.residue.clone(), fragment.atoms.len()));
        Ok(())
    }
}

impl Fragment {
    /// The atom named `name`, or known under that alias.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.aliases.get(name).copied().or_else(|| self.atoms.iter().position(|a| a.name == name))
    }
}

/// The species of an oxide: which type and charge each element gets.
#[derive(Clone, Debug, PartialEq)]
pub struct OxideTemplate {
    /// Name, for example `TiO2`.
    pub name: String,
    /// Element, atom type and charge (e).
    pub species: Vec<(String, String, f64)>,
    /// Where the charges come from.
    pub source: String,
}

impl OxideTemplate {
    /// A slab as one molecule named `oxide`, from elements and positions (nm), with one group per element.
    /// It has no bonds, so every pair interacts in full.
    pub fn slab(&self, atoms: &[(String, Vec3)]) -> Result<MoleculeTemplate, TemplateError> {
        let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut slab = Vec::with_capacity(atoms.len());
        for (k, (element, r)) in atoms.iter().enumerate() {
            let Some((_, type_name, charge)) = self.species.iter().find(|(e, _, _)| e == element) else {
                return Err(TemplateError::NoSuchSpecies {
                    oxide: self.name.clone(),
                    element: element.clone(),
                    known: self.species.iter().map(|(e, _, _)| e.clone()).collect(),
                });
            };
            groups.entry(element.clone()).or_default().push(k);
            slab.push(TemplateAtom {
                name: element.clone(),
                type_name: type_name.clone(),
                charge: *charge,
                place: Place::Xyz(*r),
            });
        }
        Ok(MoleculeTemplate {
            name: "oxide".into(),
            atoms: slab,
            bonds: Vec::new(),
            impropers: Vec::new(),
            residues: vec![("OXI".into(), atoms.len())],
            groups,
            scaling: Scaling::default(),
            source: self.source.clone(),
        })
    }
}

/// A salt: which ions, and how many of each, one formula unit holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Salt {
    /// Name in decks, for example `LiTFSI`.
    pub name: String,
    /// Molecule names with their numbers, in the file's order.
    pub ions: Vec<(String, usize)>,
}
