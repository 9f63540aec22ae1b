//! The interactions of one class, in chunks and runs.

use std::ops::Range;

use amelo_core::{Class, Topology};

use crate::ForcesError;
use crate::bonded::AnyForm;

/// Interactions per chunk, the unit of work: fixed, so that energies are summed in the same order on any number of
/// threads; enough for long runs, few enough to share out.
const CHUNK: usize = 1024;

/// Interactions of N atoms each.
pub(super) struct InteractionList<A, const N: usize> {
    /// Name of the class in energies and messages.
    pub key: &'static str,
    /// Every form with its parameters, once.
    pub forms: Vec<A>,
    /// Atoms of each interaction, those of a run next to each other.
    pub atoms: Vec<[u32; N]>,
    /// Index into `forms`, and the part of `atoms` that it governs.
    pub runs: Vec<(usize, Range<usize>)>,
    /// The runs of each chunk.
    pub chunks: Vec<Range<usize>>,
}

impl<A: AnyForm, const N: usize> InteractionList<A, N> {
    /// The interactions of `class` in `topology`. Errors: an unknown form, parameters that it refuses, atoms that do not
    /// exist.
    pub fn new(topology: &Topology, class: Class, key: &'static str) -> Result<Self, ForcesError> {
        // Forms as the topology writes them, to find equal ones.
        let mut written: Vec<(&str, &[f64])> = Vec::new();
        let mut forms = Vec::new();
        let mut interactions: Vec<(usize, [u32; N])> = Vec::new();
        for list in topology.interactions.iter().filter(|l| l.class == class) {
            let mut form_of = Vec::new();
            for parameters in &list.parameters {
                let form = A::new(&list.form, parameters)?;
                let row = (list.form.as_str(), parameters.as_slice());
                let known = written.iter().position(|w| *w == row);
                form_of.push(known.unwrap_or(forms.len()));
                if known.is_none() {
                    written.push(row);
                    forms.push(form);
                }
            }
            if list.atoms.len() != N * list.kind.len() {
                return Err(ForcesError::Mismatch {
                    message: format!("{key} {}: {} atoms for {} interactions", list.form, list.atoms.len(), list.len()),
                });
            }
            for (atoms, &kind) in list.atoms.as_chunks::<N>().0.iter().zip(&list.kind) {
                let bad =
                    atoms.iter().any(|&a| a as usize >= topology.n_atoms()) || kind as usize >= list.parameters.len();
                if bad {
                    return Err(ForcesError::Mismatch {
                        message: format!(
                            "{key} {} of atoms {atoms:?} with parameters {kind}, but there are {} atoms and {} \
                             parameter rows",
                            list.form,
                            topology.n_atoms(),
                            list.parameters.len()
                        ),
                    });
                }
                interactions.push((form_of[kind as usize], *atoms));
            }
        }
        let (mut atoms, mut runs, mut chunks) = (Vec::new(), Vec::new(), Vec::new());
        for chunk in interactions.chunks_mut(CHUNK) {
            let first = runs.len();
            chunk.sort_by_key(|(form, _)| *form);
            for run in chunk.chunk_by(|a, b| a.0 == b.0) {
                let start = atoms.len();
                atoms.extend(run.iter().map(|(_, atoms)| *atoms));
                runs.push((run[0].0, start..atoms.len()));
            }
            chunks.push(first..runs.len());
        }
        Ok(InteractionList { key, forms, atoms, runs, chunks })
    }
}
