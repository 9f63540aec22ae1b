//! Molecules, polymers, salts and oxides.

use std::collections::BTreeMap;

use amelo_core::quantity::Dimension;
use amelo_math::Vec3;

use super::{File, Known, Result, unknown_type};
use crate::parameters::tree::Node;
use crate::parameters::{
    DihedralPlace, Ends, ForceFieldData, Fragment, FragmentAtom, FragmentPlace, MoleculeTemplate, OxideTemplate, Place,
    PolymerTemplate, Reference, Salt, TemplateAtom,
};

const ATOM_KEYS: [&str; 8] = ["name", "type", "charge", "at", "bond", "angle", "dihedral", "groups"];

/// What may stand at an atom's place: coordinates are for molecules, internal coordinates for all.
struct AtomEntry {
    atom: FragmentAtom,
    at: Option<Vec3>,
}

/// The atoms of a molecule or fragment, with their groups.
struct Atoms {
    entries: Vec<AtomEntry>,
    groups: BTreeMap<String, Vec<usize>>,
}

/// What an atom list belongs to.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Molecule,
    Head,
    Inner,
}

impl File<'_> {
    pub(super) fn molecules(&self, known: &Known, data: &mut ForceFieldData) -> Result<()> {
        let Some(section) = self.root.get("molecules")? else { return Ok(()) };
        for (name, node) in section.entries()? {
            node.only(&["residue", "atoms", "bonds", "impropers", "source"])?;
            refuse_double(&node, name, data)?;
            let atoms = self.atoms(&node, known, Kind::Molecule)?;
            let fragment: Vec<_> = atoms.entries.iter().map(|e| &e.atom).collect();
            let here = |r: Reference| match r {
                Reference::Here(k) => k,
                Reference::Previous(_) => unreachable!("a molecule's atoms refer to no fragment before it"),
            };
            let bonds = references::<2>(&node, "bonds", &fragment, Kind::Molecule)?;
            let impropers = references::<4>(&node, "impropers", &fragment, Kind::Molecule)?;
            let residue = residue(&node, name)?;
            let n = atoms.entries.len();
            let template = MoleculeTemplate {
                name: name.into(),
                bonds: bonds.into_iter().map(|b| b.map(here)).collect(),
                impropers: impropers.into_iter().map(|b| b.map(here)).collect(),
                residues: vec![(residue, n)],
                groups: atoms.groups,
                scaling: self.scaling,
                source: self.source_of(&node)?,
                atoms: atoms
                    .entries
                    .into_iter()
                    .map(|AtomEntry { atom, at }| TemplateAtom {
                        place: match atom.place {
                            None => Place::Xyz(at.unwrap_or(Vec3::ZERO)),
                            Some(p) => Place::Internal {
                                bond: here(p.bond.0),
                                length: p.bond.1,
                                angle: p.angle.map(|(r, v)| (here(r), v)),
                                dihedral: p.dihedral.map(|(r, d)| (here(r), d)),
                            },
                        },
                        name: atom.name,
                        type_name: atom.type_name,
                        charge: atom.charge,
                    })
                    .collect(),
            };
            data.molecules.insert(name.into(), template);
        }
        Ok(())
    }

    pub(super) fn polymers(&self, known: &Known, data: &mut ForceFieldData) -> Result<()> {
        let Some(section) = self.root.get("polymers")? else { return Ok(()) };
        for (name, node) in section.entries()? {
            node.only(&["default_ends", "unit", "ends", "source"])?;
            refuse_double(&node, name, data)?;
            let ends_node = node.need("ends")?;
            let mut ends = BTreeMap::new();
            for (end, both) in ends_node.entries()? {
                both.only(&["head", "tail"])?;
                let head = self.fragment(&both.need("head")?, known, Kind::Head)?;
                let tail = self.fragment(&both.need("tail")?, known, Kind::Inner)?;
                ends.insert(end.to_string(), Ends { head, tail });
            }
            let default = node.need("default_ends")?;
            let default_ends = default.text()?.to_string();
            if !ends.contains_key(&default_ends) {
                let list = ends.keys().cloned().collect::<Vec<_>>().join(", ");
                return Err(
                    default.error(format!("there are no ends \"{default_ends}\""), format!("use one of: {list}"))
                );
            }
            let mut unit = self.fragment(&node.need("unit")?, known, Kind::Inner)?;
            unit.monomers = 1;
            let polymer = PolymerTemplate {
                name: name.into(),
                unit,
                ends,
                default_ends,
                scaling: self.scaling,
                source: self.source_of(&node)?,
            };
            // A chain long enough to hold every junction shows now whether all references between fragments hold.
            for (end, e) in &polymer.ends {
                let longest = e.head.monomers + e.tail.monomers + 2;
                for monomers in (longest - 2).max(1)..=longest {
                    polymer.chain(monomers, Some(end)).map_err(|e| {
                        node.error(e.to_string(), "name an atom of that residue, or give it an alias of that name")
                    })?;
                }
            }
            data.polymers.insert(name.into(), polymer);
        }
        Ok(())
    }

    fn fragment(&self, node: &Node, known: &Known, kind: Kind) -> Result<Fragment> {
        node.only(&["residue", "monomers", "atoms", "bonds", "impropers", "aliases"])?;
        let atoms = self.atoms(node, known, kind)?;
        let list: Vec<_> = atoms.entries.iter().map(|e| &e.atom).collect();
        let bonds = references::<2>(node, "bonds", &list, kind)?;
        let impropers = references::<4>(node, "impropers", &list, kind)?;
        let mut aliases = BTreeMap::new();
        if let Some(table) = node.get("aliases")? {
            for (alias, of) in table.entries()? {
                aliases.insert(alias.to_string(), find(&of, &list)?);
            }
        }
        Ok(Fragment {
            residue: residue(node, "")?,
            monomers: node.get("monomers")?.map_or(Ok(0), |n| n.count())?,
            bonds,
            impropers,
            groups: atoms.groups,
            aliases,
            atoms: atoms.entries.into_iter().map(|e| e.atom).collect(),
        })
    }

    fn atoms(&self, node: &Node, known: &Known, kind: Kind) -> Result<Atoms> {
        let list = node.need("atoms")?;
        let mut atoms = Atoms { entries: Vec::new(), groups: BTreeMap::new() };
        for (k, entry) in list.list()?.into_iter().enumerate() {
            entry.only(&ATOM_KEYS)?;
            let earlier: Vec<&FragmentAtom> = atoms.entries.iter().map(|e| &e.atom).collect();
            let name_node = entry.need("name")?;
            let name = name_node.text()?;
            if name.is_empty() || name.starts_with('-') {
                return Err(name_node.error(
                    format!("\"{name}\" cannot name an atom"),
                    "a leading \"-\" stands for the fragment before; choose another name",
                ));
            }
            if earlier.iter().any(|a| a.name == name) {
                return Err(name_node.error(format!("two atoms are named \"{name}\""), "give each atom its own name"));
            }
            let type_node = entry.need("type")?;
            let type_name = type_node.text()?;
            if !known.types.contains(type_name) {
                return Err(unknown_type(&type_node, "type", type_name, &known.types));
            }
            let at = entry.get("at")?.map(|n| coordinates(&n)).transpose()?;
            if at.is_some() && kind != Kind::Molecule {
                return Err(
                    entry.error("coordinates in a polymer's fragment", "place its atoms by bond, angle and dihedral")
                );
            }
            let place = internal(&entry, &earlier, kind, k)?;
            match (at.is_some(), place.is_some()) {
                (true, true) => return Err(entry.error("both coordinates and a bond", "keep one of them")),
                (false, false) if k > 0 || kind == Kind::Inner => {
                    return Err(entry.error(
                        format!("atom \"{name}\" has no place"),
                        "give it at = \"x y z Å\", or bond, angle and dihedral to earlier atoms",
                    ));
                }
                _ => {}
            }
            if let Some(groups) = entry.get("groups")? {
                for group in groups.list()? {
                    atoms.groups.entry(group.text()?.into()).or_default().push(k);
                }
            }
            let charge = entry.need("charge")?.quantity(Dimension::CHARGE)?;
            let atom = FragmentAtom { name: name.into(), type_name: type_name.into(), charge, place };
            atoms.entries.push(AtomEntry { atom, at });
        }
        if atoms.entries.is_empty() {
            return Err(list.error("no atoms", "list at least one"));
        }
        Ok(atoms)
    }

    pub(super) fn salts(&self, data: &mut ForceFieldData) -> Result<()> {
        let Some(section) = self.root.get("salts")? else { return Ok(()) };
        for (name, node) in section.entries()? {
            node.only(&["ions"])?;
            refuse_double(&node, name, data)?;
            let mut ions = Vec::new();
            for (ion, number) in node.need("ions")?.entries()? {
                let n = number.count()?;
                if n == 0 {
                    return Err(number.error("none of this ion", "write 1 or more, or leave it out"));
                }
                ions.push((ion.to_string(), n));
            }
            data.salts.insert(name.into(), Salt { name: name.into(), ions });
        }
        Ok(())
    }

    pub(super) fn oxides(&self, known: &Known, data: &mut ForceFieldData) -> Result<()> {
        let Some(section) = self.root.get("oxides")? else { return Ok(()) };
        for (name, node) in section.entries()? {
            node.only(&["species", "source"])?;
            refuse_double(&node, name, data)?;
            let mut species = Vec::new();
            for (element, entry) in node.need("species")?.entries()? {
                entry.only(&["type", "charge"])?;
                let type_node = entry.need("type")?;
                let type_name = type_node.text()?;
                match data.types.get(type_name) {
                    None => return Err(unknown_type(&type_node, "type", type_name, &known.types)),
                    Some(t) if t.element != element => {
                        return Err(type_node.error(
                            format!("type \"{type_name}\" is element {}, not {element}", t.element),
                            "name a type of this element",
                        ));
                    }
                    Some(_) => {}
                }
                let charge = entry.need("charge")?.quantity(Dimension::CHARGE)?;
                species.push((element.to_string(), type_name.to_string(), charge));
            }
            let source = self.source_of(&node)?;
            data.oxides.insert(name.into(), OxideTemplate { name: name.into(), species, source });
        }
        Ok(())
    }
}

/// Names of molecules, polymers, salts and oxides share one space: a deck names them all in the same place.
fn refuse_double(node: &Node, name: &str, data: &ForceFieldData) -> Result<()> {
    let taken = data.molecules.contains_key(name)
        || data.polymers.contains_key(name)
        || data.salts.contains_key(name)
        || data.oxides.contains_key(name);
    if taken || name == "oxide" {
        return Err(node.error(
            format!("the name \"{name}\" is already taken"),
            "load only one of the files that define it, or choose another name",
        ));
    }
    Ok(())
}

fn residue(node: &Node, molecule: &str) -> Result<String> {
    let Some(entry) = node.get("residue")? else {
        if molecule.is_empty() {
            return Err(node.error("no residue name", "add residue = \"ABC\""));
        }
        return Ok(molecule.to_uppercase().chars().filter(char::is_ascii_alphanumeric).take(4).collect());
    };
    let text = entry.text()?;
    if (1..=4).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric()) {
        Ok(text.into())
    } else {
        Err(entry.error(format!("\"{text}\" is not a residue name"), "use one to four letters or digits"))
    }
}

/// `"x y z unit"`.
fn coordinates(node: &Node) -> Result<Vec3> {
    let text = node.text()?;
    let words: Vec<&str> = text.split_whitespace().collect();
    let [x, y, z, unit] = words[..] else {
        return Err(node.error(
            format!("\"{text}\" is not a position"),
            "write three numbers and one unit, for example \"0.1 -0.2 0.3 nm\"",
        ));
    };
    let component = |v: &str| {
        amelo_core::quantity::parse(&format!("{v} {unit}"), Dimension::LENGTH)
            .map_err(|e| node.error(e.to_string(), "write three numbers and one unit of length"))
    };
    Ok(Vec3::new(component(x)?, component(y)?, component(z)?))
}

/// `bond = ["A", "1.4 Å"]`, `angle = ["B", "109 deg"]`, `dihedral = ["C", "180 deg", …]`.
fn internal(entry: &Node, earlier: &[&FragmentAtom], kind: Kind, k: usize) -> Result<Option<FragmentPlace>> {
    let Some(bond) = entry.get("bond")? else {
        for key in ["angle", "dihedral"] {
            if let Some(n) = entry.get(key)? {
                return Err(n.error(format!("{key} without bond"), "add bond = [\"ATOM\", \"1.4 Å\"]"));
            }
        }
        return Ok(None);
    };
    let pair = |node: &Node, dimension: Dimension, what: &str| -> Result<(Reference, f64)> {
        let list = node.list_of(2, what)?;
        Ok((refer(&list[0], earlier, kind)?, list[1].quantity(dimension)?))
    };
    // The first atoms of a molecule have too few before them; everywhere else the place must be unique.
    let earlier_atoms = if kind == Kind::Inner { 3 } else { k };
    let angle = match entry.get("angle")? {
        Some(n) => Some(pair(&n, Dimension::ANGLE, "[\"ATOM\", \"109.5 deg\"]")?),
        None if earlier_atoms > 1 => return Err(entry.error("no angle", "add angle = [\"ATOM\", \"109.5 deg\"]")),
        None => None,
    };
    let dihedral = match entry.get("dihedral")? {
        Some(n) => {
            let list = n.list()?;
            let Some((atom, values)) = list.split_first().filter(|(_, v)| !v.is_empty()) else {
                return Err(n.error("no dihedral value", "write [\"ATOM\", \"180 deg\"]"));
            };
            let values: Vec<f64> = values.iter().map(|v| v.quantity(Dimension::ANGLE)).collect::<Result<_>>()?;
            let place =
                if values.len() == 1 { DihedralPlace::Fixed(values[0]) } else { DihedralPlace::Rotamers(values) };
            Some((refer(atom, earlier, kind)?, place))
        }
        None if earlier_atoms > 2 => {
            return Err(entry.error("no dihedral", "add dihedral = [\"ATOM\", \"180 deg\"]"));
        }
        None => None,
    };
    let bond_pair = pair(&bond, Dimension::LENGTH, "[\"ATOM\", \"1.4 Å\"]")?;
    let used = [Some(&bond_pair.0), angle.as_ref().map(|a| &a.0), dihedral.as_ref().map(|d| &d.0)];
    let used: Vec<&Reference> = used.into_iter().flatten().collect();
    if (1..used.len()).any(|i| used[..i].contains(&used[i])) {
        return Err(entry.error("bond, angle and dihedral name the same atom twice", "name three different atoms"));
    }
    Ok(Some(FragmentPlace { bond: bond_pair, angle, dihedral }))
}

/// Lists of `N` atoms each, under `key`.
fn references<const N: usize>(
    node: &Node,
    key: &str,
    atoms: &[&FragmentAtom],
    kind: Kind,
) -> Result<Vec<[Reference; N]>> {
    let Some(list) = node.get(key)? else { return Ok(Vec::new()) };
    list.list()?
        .iter()
        .map(|entry| {
            let names = entry.list_of(N, &format!("{N} atom names"))?;
            let refs: Vec<Reference> = names.iter().map(|n| refer(n, atoms, kind)).collect::<Result<_>>()?;
            if (1..N).any(|i| refs[..i].contains(&refs[i])) {
                return Err(entry.error("an atom is named twice", "name different atoms"));
            }
            // `list_of` has checked the length.
            refs.try_into().map_err(|_| entry.error("wrong number of atoms", format!("write {N} names")))
        })
        .collect()
}

fn refer(node: &Node, atoms: &[&FragmentAtom], kind: Kind) -> Result<Reference> {
    match node.text()?.strip_prefix('-') {
        Some(name) if kind == Kind::Inner => Ok(Reference::Previous(name.into())),
        Some(_) => Err(node.error("there is no fragment before this one", "name an atom of this one, without \"-\"")),
        None => find(node, atoms).map(Reference::Here),
    }
}

fn find(node: &Node, atoms: &[&FragmentAtom]) -> Result<usize> {
    let name = node.text()?;
    atoms.iter().position(|a| a.name == name).ok_or_else(|| {
        let list = atoms.iter().map(|a| a.name.as_str()).collect::<Vec<_>>().join(", ");
        node.error(format!("there is no atom \"{name}\" before this place"), format!("atoms so far: {list}"))
    })
}
