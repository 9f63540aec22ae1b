//! Reads parameter files into [`ForceFieldData`].

mod bonded;
mod molecules;
mod types;

use std::collections::BTreeSet;

use amelo_core::{FormClass, FormInfo};
use sha2::{Digest, Sha256};

use super::search::Found;
use super::tree::{Node, Source, parse};
use super::{FileRecord, ForceFieldData, PairScale, ParameterError, Scaling, SearchPath};

type Result<T> = std::result::Result<T, ParameterError>;

const TOP_KEYS: [&str; 16] = [
    "title",
    "source",
    "sources",
    "mixing",
    "scaling",
    "types",
    "extend",
    "pair",
    "bond",
    "angle",
    "dihedral",
    "improper",
    "molecules",
    "polymers",
    "salts",
    "oxides",
];

/// Loads the named files from the search path. `forms` are the registered functional forms of every class.
/// The order of the files matters only where one says that it overrides another.
pub fn load(names: &[String], search: &SearchPath, forms: &[FormInfo]) -> Result<ForceFieldData> {
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        found.push(search.find(name)?);
    }
    assemble(found, forms)
}

/// Loads texts that are already in memory, as (name, text).
pub fn load_texts(texts: &[(&str, &str)], forms: &[FormInfo]) -> Result<ForceFieldData> {
    let found = texts.iter().map(|&(name, text)| Found { name: name.into(), path: name.into(), text: text.into() });
    assemble(found.collect(), forms)
}

fn assemble(found: Vec<Found>, forms: &[FormInfo]) -> Result<ForceFieldData> {
    let mut sources: Vec<Source> = Vec::new();
    for Found { name, path, text } in found {
        if !sources.iter().any(|s| s.path == path) {
            sources.push(Source { name, path, text });
        }
    }
    let mut tables = Vec::with_capacity(sources.len());
    for source in &sources {
        tables.push(parse(source)?);
    }
    let files: Vec<File> = sources
        .iter()
        .zip(&tables)
        .map(|(source, table)| File::open(Node::root(source, table.get_ref()), forms))
        .collect::<Result<_>>()?;

    let mut data = ForceFieldData::default();
    for file in &files {
        data.files.push(FileRecord {
            name: file.root.source.name.clone(),
            path: file.root.source.path.clone(),
            title: file.title.clone(),
            sha256: Sha256::digest(file.root.source.text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect(),
        });
    }
    // Types of all files first: what follows may refer to types of any of them.
    for file in &files {
        file.types(&mut data)?;
    }
    for file in &files {
        file.extensions(&mut data)?;
    }
    let known: Known = Known {
        types: data.types.keys().cloned().collect(),
        bonded: data.types.values().map(|t| t.bonded.clone()).collect(),
    };
    for file in &files {
        file.pairs(&known, &mut data)?;
        file.bonded(&known, &mut data)?;
        file.molecules(&known, &mut data)?;
        file.polymers(&known, &mut data)?;
        file.salts(&mut data)?;
        file.oxides(&known, &mut data)?;
    }
    Ok(data)
}

/// Names that later sections may refer to.
struct Known {
    types: BTreeSet<String>,
    bonded: BTreeSet<String>,
}

/// One file's top level.
struct File<'a> {
    root: Node<'a>,
    title: String,
    default_source: Option<String>,
    sources: Vec<(&'a str, &'a str)>,
    scaling: Scaling,
    forms: &'a [FormInfo],
}

impl<'a> File<'a> {
    fn open(root: Node<'a>, forms: &'a [FormInfo]) -> Result<Self> {
        root.only(&TOP_KEYS)?;
        let mut file = File {
            title: root.need("title")?.text()?.into(),
            default_source: None,
            sources: Vec::new(),
            scaling: Scaling::default(),
            forms,
            root,
        };
        if let Some(table) = file.root.get("sources")? {
            for (key, text) in table.entries()? {
                file.sources.push((key, text.text()?));
            }
        }
        if let Some(node) = file.root.get("source")? {
            file.default_source = Some(file.expand(node.text()?));
        }
        if let Some(node) = file.root.get("scaling")? {
            node.only(&["1-2", "1-3", "1-4"])?;
            for (key, target) in [
                ("1-2", &mut file.scaling.one_two),
                ("1-3", &mut file.scaling.one_three),
                ("1-4", &mut file.scaling.one_four),
            ] {
                if let Some(pair) = node.get(key)? {
                    pair.only(&["vdw", "coulomb"])?;
                    *target = PairScale { vdw: pair.need("vdw")?.number()?, coulomb: pair.need("coulomb")?.number()? };
                }
            }
        }
        Ok(file)
    }

    fn name(&self) -> String {
        self.root.source.name.clone()
    }

    /// `key: detail` becomes `text of sources.key, detail`.
    fn expand(&self, text: &str) -> String {
        match text.split_once(':') {
            Some((key, detail)) => match self.sources.iter().find(|(k, _)| *k == key.trim()) {
                Some((_, source)) => format!("{source}, {}", detail.trim()),
                None => text.into(),
            },
            None => self.sources.iter().find(|(k, _)| *k == text.trim()).map_or(text, |(_, source)| source).into(),
        }
    }

    /// The entry's own source, or the file's.
    fn source_of(&self, node: &Node) -> Result<String> {
        match (node.get("source")?, &self.default_source) {
            (Some(s), _) => Ok(self.expand(s.text()?)),
            (None, Some(s)) => Ok(s.clone()),
            (None, None) => Err(node.error(
                "no source is given for these numbers",
                "add source = \"paper, table\" here, or once at the top of the file",
            )),
        }
    }

    fn forms_of(&self, class: FormClass) -> impl Iterator<Item = &'a FormInfo> {
        self.forms.iter().filter(move |f| f.class == class)
    }
}

/// Where a name is not among the known ones.
fn unknown_type(node: &Node, what: &str, name: &str, known: &BTreeSet<String>) -> ParameterError {
    let list = known.iter().cloned().collect::<Vec<_>>().join(", ");
    node.error(
        format!("there is no {what} \"{name}\""),
        format!("define it under [types], load the file that does, or use one of: {list}"),
    )
}

#[cfg(test)]
mod tests;
