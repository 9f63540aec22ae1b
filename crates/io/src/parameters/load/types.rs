//! Atom types, what other files add to them, and potentials of single pairs.

use amelo_core::FormClass;
use amelo_core::quantity::Dimension;

use super::{File, Known, Result, unknown_type};
use crate::parameters::data::agree;
use crate::parameters::tree::Node;
use crate::parameters::{
    ForceFieldData, FormTerm, Mixing, PairParameters, PairPotential, TypeLennardJones, TypeParameters,
};

impl File<'_> {
    pub(super) fn types(&self, data: &mut ForceFieldData) -> Result<()> {
        let Some(section) = self.root.get("types")? else { return Ok(()) };
        for (name, node) in section.entries()? {
            node.only(&["element", "mass", "lennard_jones", "bonded", "source"])?;
            if name == "*" || name.is_empty() {
                return Err(node.error("a type cannot have this name", "\"*\" stands for any type; choose another"));
            }
            let element = node.need("element")?;
            let symbol = element.text()?;
            let mut letters = symbol.chars();
            let is_symbol = letters.next().is_some_and(|c| c.is_ascii_uppercase())
                && letters.all(|c| c.is_ascii_lowercase())
                && symbol.len() <= 2;
            if !is_symbol {
                return Err(element.error(
                    format!("\"{symbol}\" is not an element symbol"),
                    "write it as in the periodic table, for example \"Li\"",
                ));
            }
            let mass = positive(&node.need("mass")?, Dimension::MASS)?;
            let new = TypeParameters {
                name: name.into(),
                element: symbol.into(),
                mass,
                bonded: node.get("bonded")?.map_or(Ok(name), |b| b.text())?.into(),
                lennard_jones: node.get("lennard_jones")?.map(|lj| self.lennard_jones(&lj, &node)).transpose()?,
                source: self.source_of(&node)?,
                file: self.name(),
            };
            match data.types.get(name) {
                None => {
                    data.types.insert(name.into(), new);
                }
                // Files of one family may repeat a type, as long as they agree on it.
                Some(old) if same(old, &new) => {}
                Some(old) => {
                    return Err(node.error(
                        format!("type \"{name}\" is already defined, with other numbers, in {}", old.file),
                        "load only one of the two files, or rename the type in yours",
                    ));
                }
            }
        }
        Ok(())
    }

    /// `[extend.TYPE]`: Lennard-Jones parameters for a type that another file defines without.
    pub(super) fn extensions(&self, data: &mut ForceFieldData) -> Result<()> {
        let Some(section) = self.root.get("extend")? else { return Ok(()) };
        for (name, node) in section.entries()? {
            node.only(&["lennard_jones", "source"])?;
            let lj = self.lennard_jones(&node.need("lennard_jones")?, &node)?;
            let known = data.types.keys().cloned().collect();
            let Some(ty) = data.types.get_mut(name) else {
                return Err(unknown_type(&node, "type", name, &known));
            };
            if let Some(old) = &ty.lennard_jones {
                return Err(node.error(
                    format!("type \"{name}\" already has Lennard-Jones parameters, from {}", old.file),
                    "remove one of the two, or write single pairs as [[pair]]",
                ));
            }
            ty.lennard_jones = Some(lj);
        }
        Ok(())
    }

    fn lennard_jones(&self, node: &Node, parent: &Node) -> Result<TypeLennardJones> {
        node.only(&["sigma", "epsilon"])?;
        Ok(TypeLennardJones {
            sigma: not_negative(&node.need("sigma")?, Dimension::LENGTH)?,
            epsilon: not_negative(&node.need("epsilon")?, Dimension::ENERGY)?,
            mixing: self.mixing(node)?,
            source: self.source_of(parent)?,
            file: self.name(),
        })
    }

    fn mixing(&self, asked_by: &Node) -> Result<Mixing> {
        let rules = Mixing::ALL.map(Mixing::name).join(", ");
        let Some(node) = self.root.get("mixing")? else {
            return Err(asked_by.error(
                "Lennard-Jones parameters of a type need a mixing rule, and this file names none",
                format!("add at its top mixing = \"…\", one of: {rules}"),
            ));
        };
        let name = node.text()?;
        Mixing::ALL
            .into_iter()
            .find(|m| m.name() == name)
            .ok_or_else(|| node.error(format!("unknown mixing rule \"{name}\""), format!("choose one of: {rules}")))
    }

    pub(super) fn pairs(&self, known: &Known, data: &mut ForceFieldData) -> Result<()> {
        let Some(section) = self.root.get("pair")? else { return Ok(()) };
        for node in section.list()? {
            let names = node.need("types")?.list_of(2, "two type names, [\"A\", \"B\"]")?;
            let mut types = Vec::with_capacity(2);
            for name in &names {
                let text = name.text()?;
                if !known.types.contains(text) {
                    return Err(unknown_type(name, "type", text, &known.types));
                }
                types.push(text.to_string());
            }
            let replaces = node.get("override")?.map_or(Ok(false), |b| b.boolean())?;
            let terms = self.form_terms(&node, FormClass::Pair, &["types", "override", "source"])?;
            let potential = match <[FormTerm; 1]>::try_from(terms) {
                Ok([term]) => PairPotential::Form(term),
                Err(terms) if terms.is_empty() => PairPotential::None,
                Err(_) => {
                    return Err(node.error("more than one potential for one pair", "keep one; pairs do not add up"));
                }
            };
            let new = PairParameters {
                types: [types[0].clone(), types[1].clone()],
                potential,
                replaces,
                source: self.source_of(&node)?,
                file: self.name(),
            };
            let same_pair = |p: &&PairParameters| {
                p.types == new.types || (p.types[0] == new.types[1] && p.types[1] == new.types[0])
            };
            match data.pairs.iter().rev().find(same_pair) {
                Some(old) if !new.replaces && !old.potential.agrees(&new.potential) => {
                    return Err(node.error(
                        format!(
                            "the pair {} – {} is already written, with other numbers, in {}",
                            new.types[0], new.types[1], old.file
                        ),
                        "add override = true if this one shall replace it",
                    ));
                }
                _ => data.pairs.push(new),
            }
        }
        Ok(())
    }
}

/// Whether two definitions of a type say the same, whatever their sources.
fn same(a: &TypeParameters, b: &TypeParameters) -> bool {
    let lj = match (&a.lennard_jones, &b.lennard_jones) {
        (Some(a), Some(b)) => a.mixing == b.mixing && agree(a.sigma, b.sigma) && agree(a.epsilon, b.epsilon),
        (None, None) => true,
        _ => false,
    };
    lj && a.element == b.element && agree(a.mass, b.mass) && a.bonded == b.bonded
}

fn positive(node: &Node, dimension: Dimension) -> Result<f64> {
    let value = node.quantity(dimension)?;
    if value > 0.0 {
        Ok(value)
    } else {
        Err(node.error(format!("a {} of {value}", dimension.name), "write a value above zero"))
    }
}

fn not_negative(node: &Node, dimension: Dimension) -> Result<f64> {
    let value = node.quantity(dimension)?;
    if value >= 0.0 {
        Ok(value)
    } else {
        Err(node.error(format!("a {} of {value}", dimension.name), "write zero or a value above it"))
    }
}
