//! Bonds, angles, dihedrals and impropers by types; parameters of any registered form.

use amelo_core::{FormClass, FormInfo};

use super::{File, Known, Result, unknown_type};
use crate::parameters::tree::Node;
use crate::parameters::{BondedParameters, ForceFieldData, FormTerm};

/// Section name, class and number of atoms.
const SECTIONS: [(&str, FormClass, usize); 4] = [
    ("bond", FormClass::Bond, 2),
    ("angle", FormClass::Angle, 3),
    ("dihedral", FormClass::Dihedral, 4),
    ("improper", FormClass::Improper, 4),
];

impl<'a> File<'a> {
    pub(super) fn bonded(&self, known: &Known, data: &mut ForceFieldData) -> Result<()> {
        for (section, class, arity) in SECTIONS {
            let Some(list) = self.root.get(section)? else { continue };
            for node in list.list()? {
                let mut types = Vec::with_capacity(arity);
                for name in node.need("types")?.list_of(arity, &format!("{arity} type names"))? {
                    let text = name.text()?;
                    if text != "*" && !known.bonded.contains(text) {
                        return Err(unknown_type(&name, "bonded type", text, &known.bonded));
                    }
                    types.push(text.to_string());
                }
                let new = BondedParameters {
                    class,
                    types,
                    terms: self.form_terms(&node, class, &["types", "source"])?,
                    source: self.source_of(&node)?,
                    file: self.name(),
                };
                let reversed: Vec<String> = new.types.iter().rev().cloned().collect();
                let twin = |b: &&BondedParameters| b.class == class && (b.types == new.types || b.types == reversed);
                match data.bonded.iter().find(twin) {
                    None => data.bonded.push(new),
                    Some(old) if same(&old.terms, &new.terms) => {}
                    Some(old) => {
                        return Err(node.error(
                            format!(
                                "{section} {} is already written, with other numbers, in {}",
                                new.types.join("–"),
                                old.file
                            ),
                            "keep one of the two; terms that add up stand in one entry as a list",
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    /// The functional forms of an entry: `form = { … }`, `form = [{ … }, { … }]` for terms that add up, or
    /// `none = true`, which gives no term.
    pub(super) fn form_terms(&self, node: &Node<'a>, class: FormClass, reserved: &[&str]) -> Result<Vec<FormTerm>> {
        let names: Vec<&str> = self.forms_of(class).map(|f| f.name).collect();
        let mut known = reserved.to_vec();
        known.extend(&names);
        known.push("none");
        node.only(&known)?;
        let none = node.get("none")?.map_or(Ok(false), |b| b.boolean())?;
        let mut terms = Vec::new();
        for form in self.forms_of(class) {
            let Some(value) = node.get(form.name)? else { continue };
            let tables = if value.is_list() { value.list()? } else { vec![value] };
            for table in tables {
                terms.push(FormTerm { form: form.name.into(), parameters: parameters(&table, form)? });
            }
        }
        match (none, terms.is_empty()) {
            (true, false) => Err(node.error("both none and a functional form are given", "keep one of them")),
            (false, true) => Err(node.error(
                "no functional form is given",
                format!("add one of: {}; or none = true where nothing shall act", names.join(", ")),
            )),
            _ => Ok(terms),
        }
    }
}

fn same(a: &[FormTerm], b: &[FormTerm]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.agrees(b))
}

/// The parameters of `form`, all of them and no other.
fn parameters(table: &Node, form: &FormInfo) -> Result<Vec<f64>> {
    table.only(&form.parameters.iter().map(|p| p.name).collect::<Vec<_>>())?;
    form.parameters.iter().map(|p| table.need(p.name)?.quantity(p.dimension)).collect()
}
