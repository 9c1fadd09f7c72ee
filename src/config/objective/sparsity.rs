//! A penalty on activity: `[sparsity]`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Objective, Told, Weight, check_layers, check_weight, refuse};
use crate::config::RunConfig;
use crate::error::{Error, Result};
use crate::graph::{Graph, Var};
use crate::nn::Batch;
use crate::ops::array::activation::Activation;
use crate::ops::array::binary::Binary;
use crate::ops::loss::sparsity::{Penalty, Sparsity};

/// A penalty on activity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SparsityConfig {
    /// Which penalty.
    pub kind: SparsityKind,
    /// Its weight beside the reconstruction error.
    pub weight: f32,
    /// Rate at which a neuron should be active; for `divergence` alone.
    #[serde(default = "SparsityConfig::usual_target")]
    pub target: f32,
    /// Numbers of the hidden layers that are kept sparse, the first 1.
    pub layers: Vec<usize>,
}

/// A kind of penalty on activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SparsityKind {
    /// Σ|h|, mean over rows.
    L1,
    /// Divergence of each neuron's rate from a target; for sigmoid layers.
    Divergence,
}

impl SparsityConfig {
    fn usual_target() -> f32 {
        0.05
    }
}

impl Objective for SparsityConfig {
    fn check(&self, config: &RunConfig) -> Result<()> {
        check_weight("sparsity.weight", self.weight)?;
        if !(self.target > 0.0 && self.target < 1.0) {
            return refuse("sparsity.target", self.target, "a rate between 0 and 1");
        }
        let layers = config.layers();
        check_layers("sparsity.layers", &self.layers, layers.len().saturating_sub(1))?;
        let wrong = self.layers.iter().find(|&&layer| layers[layer - 1].activation != Activation::Sigmoid);
        if let (SparsityKind::Divergence, Some(layer)) = (self.kind, wrong) {
            let expected = "sigmoid layers for sparsity.kind divergence, since it compares probabilities";
            return refuse("sparsity.layers", layer, expected);
        }
        Ok(())
    }

    fn weights(&self, _config: &RunConfig) -> Vec<(&'static str, Weight)> {
        vec![("sparsity", Weight::fixed(self.weight))]
    }

    fn vars(&self, _config: &RunConfig, g: &mut Graph, batch: &Batch) -> Result<Vec<Var>> {
        let penalty = match self.kind {
            SparsityKind::L1 => Penalty::L1,
            SparsityKind::Divergence => Penalty::Divergence { target: self.target },
        };
        let op = Sparsity { penalty, rows_per_sample: 1 };
        let mut total: Option<Var> = None;
        for &number in &self.layers {
            let term = g.push(Arc::new(op), &[batch.passed.outputs[number - 1], batch.clock])?[0];
            total = Some(match total {
                Some(sum) => g.apply(Binary::Add, &[sum, term])?,
                None => term,
            });
        }
        Ok(vec![total.ok_or_else(|| Error::Usage("sparsity.layers: expected at least one layer".into()))?])
    }

    fn relief(&self, _config: &RunConfig, _metrics: &BTreeMap<String, f64>) -> Option<String> {
        Some("a smaller sparsity.weight".into())
    }

    fn of_whole_batch(&self) -> Option<&'static str> {
        (self.kind == SparsityKind::Divergence).then_some("sparsity.kind divergence")
    }

    fn told(&self, _config: &RunConfig) -> Vec<Told> {
        let sparsity = Told::new("test_sparsity", "sparsity", 3);
        let share = self.layers.first().map(|layer| format!("active_share_{layer}"));
        let share = share.map(|key| Told::new(key, "active for a row", 1).percent());
        [sparsity].into_iter().chain(share).collect()
    }
}
