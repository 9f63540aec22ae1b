//! Layers by distance to the local oxide surface.

use amelo_core::{Frame, quantity::Length};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AnalysisError, NearestDistance};

/// How atoms are sorted into layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LayerKind {
    /// By distance to the nearest oxide atom.
    SurfaceDistance,
}

/// The layers' bounds (nm) and the oxide's atoms.
#[derive(Clone, Debug)]
pub(crate) struct Layers {
    edges: Vec<f64>,
    oxide: Vec<u32>,
}

impl Layers {
    pub fn new(analysis: &'static str, edges: &[Length], oxide: Vec<u32>) -> Result<Self, AnalysisError> {
        let edges: Vec<f64> = edges.iter().map(|e| e.0).collect();
        let ascending = edges.windows(2).all(|w| w[0] < w[1]);
        if edges.is_empty() || edges[0] <= 0.0 || !ascending || edges.len() > 200 {
            return Err(AnalysisError::Setting {
                analysis,
                key: "layer_edges",
                value: format!("{edges:?} nm"),
                remedy: "the edges are positive and ascend, for example [\"0.6 nm\", \"1.5 nm\", \"3 nm\"]".into(),
            });
        }
        Ok(Layers { edges, oxide })
    }

    pub fn count(&self) -> usize {
        self.edges.len() + 1
    }

    pub fn label(&self, layer: usize) -> String {
        match (layer, self.edges.get(layer)) {
            (0, Some(high)) => format!("0–{high} nm"),
            (_, Some(high)) => format!("{}–{high} nm", self.edges[layer - 1]),
            _ => format!("> {} nm", self.edges[layer - 1]),
        }
    }

    /// Layer of each of `atoms` in this frame, from wrapped positions.
    pub fn assign(&self, frame: &Frame, atoms: &[u32]) -> Vec<u8> {
        let reach = self.edges[self.edges.len() - 1];
        let oxide = self.oxide.iter().map(|&i| frame.positions[i as usize]).collect();
        let surface = NearestDistance::new(frame.cell, oxide, reach);
        let layer_of = |distance: f64| self.edges.iter().filter(|&&edge| distance >= edge).count() as u8;
        atoms.par_iter().map(|&i| layer_of(surface.from(frame.positions[i as usize]))).collect()
    }
}
