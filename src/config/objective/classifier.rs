//! A network that names the class of a row, an encoder and layers from its code to the classes: `[classifier]`.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Objective, Told, Weight, refuse};
use crate::config::RunConfig;
use crate::data::{Dataset, LABELS};
use crate::error::{Error, Result};
use crate::graph::{Graph, Var};
use crate::nn::Batch;
use crate::ops::array::element::Element;
use crate::ops::batch::batch_labels::BatchLabels;
use crate::ops::loss::softmax_cross_entropy::SoftmaxCrossEntropy;
use crate::rng::{Stream, permute, stream_key};
use crate::tensor::Ty;

/// What a classifier learns from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Classifier {
    /// Training rows whose labels are known, as many of each class; 0 for all of them.
    pub labels: usize,
    /// Whether the encoder stays as it begins.
    pub frozen: bool,
    /// The run whose encoder it began with, none if it began from scratch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<PathBuf>,
}

impl Objective for Classifier {
    fn check(&self, config: &RunConfig) -> Result<()> {
        let beside = [
            ("corruption", config.corruption.is_some()),
            ("variational", config.variational.is_some()),
            ("contrastive_divergence", config.contrastive_divergence.is_some()),
            ("tied", config.tied),
        ];
        if let Some((key, _)) = beside.iter().find(|(_, set)| *set) {
            return Err(Error::Usage(format!("{key}: has no meaning for a classifier, which reconstructs nothing")));
        }
        if config.lambda_mse != 0.0 {
            return refuse("--lambda-mse", config.lambda_mse, "0 for a classifier, whose loss is the cross entropy");
        }
        if self.frozen && config.optimiser.weight_decay() > 0.0 {
            let problem = "expected no weight decay beside classifier.frozen, which it would move";
            return Err(Error::Usage(format!("optimiser.weight_decay: {problem}")));
        }
        Ok(())
    }

    /// The cross entropy; watched: the share of wrong answers, and the mean square of the probabilities' errors, against 1
    /// for the class of a row and 0 for the others (Brier, 1950).
    fn weights(&self, _config: &RunConfig) -> Vec<(&'static str, Weight)> {
        vec![("cross_entropy", Weight::fixed(1.0)), ("error", Weight::watched()), ("brier", Weight::watched())]
    }

    fn vars(&self, _config: &RunConfig, g: &mut Graph, batch: &Batch) -> Result<Vec<Var>> {
        let labels = batch.further(g, LABELS, Ty::u32(&[batch.split_rows]))?;
        let labels = g.apply(BatchLabels, &[labels, batch.rows])?;
        let judged =
            g.push(Arc::new(SoftmaxCrossEntropy { rows_per_sample: 1 }), &[batch.passed.answer, labels, batch.clock])?;
        let brier = g.apply(Element(1), &[judged[1]])?;
        Ok(vec![judged[0], g.apply(Element(0), &[judged[1]])?, brier])
    }

    fn is_sufficient(&self) -> bool {
        true
    }

    fn has_other_answer(&self) -> bool {
        true
    }

    fn error_term(&self) -> Option<&'static str> {
        Some("brier")
    }

    fn told(&self, _config: &RunConfig) -> Vec<Told> {
        vec![Told::new("test_cross_entropy", "cross entropy", 4), Told::new("test_error", "errors", 4)]
    }
}

impl RunConfig {
    /// Keeps the rows whose labels the configuration knows: the first of each class in an order of its seed.
    pub(in crate::config) fn keep_labelled(&self, data: &mut Dataset) -> Result<()> {
        let Some(wanted) = self.classifier.as_ref().map(|classifier| classifier.labels).filter(|&n| n > 0) else {
            return Ok(());
        };
        if !data.train.is_labelled() {
            let problem = format!("expected rows with classes, those of {} have none", data.name);
            return Err(Error::Usage(format!("classifier.labels {wanted}: {problem}")));
        }
        let classes = data.classes();
        let each = wanted / classes.max(1);
        let (rows, key) = (data.train.rows as u32, stream_key(self.seed, Stream::Labels));
        let mut order: Vec<usize> = (0..rows).map(|index| permute(index, rows, key) as usize).collect();
        let mut taken = vec![0; classes];
        order.retain(|&row| {
            let count = &mut taken[usize::from(data.train.labels[row])];
            *count += 1;
            *count <= each
        });
        if each * classes != wanted || taken.iter().any(|&count| count < each) {
            let fewest = taken.iter().min().copied().unwrap_or_default();
            return Err(Error::Usage(format!(
                "classifier.labels {wanted}: expected a multiple of {classes}, the classes of {}, and no more than \
                 {} rows of each",
                data.name, fewest
            )));
        }
        data.train = data.train.only(&order);
        Ok(())
    }
}
