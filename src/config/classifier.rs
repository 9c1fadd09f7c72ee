//! A network that names the class of a row: an encoder, and a layer from its code to the classes.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::RunConfig;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::rng::{Stream, permute, stream_key};

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

impl RunConfig {
    /// Refuses what has no meaning beside a classifier.
    pub(super) fn check_classifier(&self) -> Result<()> {
        let Some(classifier) = &self.classifier else { return Ok(()) };
        let beside = [
            ("corruption", self.corruption.is_some()),
            ("variational", self.variational.is_some()),
            ("contrastive_divergence", self.contrastive_divergence.is_some()),
            ("tied", self.tied),
        ];
        if let Some((key, _)) = beside.iter().find(|(_, set)| *set) {
            return Err(Error::Usage(format!("{key}: has no meaning for a classifier, which reconstructs nothing")));
        }
        if self.lambda_mse != 0.0 {
            let problem = "expected 0 for a classifier, whose loss is the cross entropy";
            return Err(Error::Usage(format!("--lambda-mse {}: {problem}", self.lambda_mse)));
        }
        if classifier.frozen && self.optimiser.weight_decay() > 0.0 {
            let problem = "expected no weight decay beside classifier.frozen, which it would move";
            return Err(Error::Usage(format!("optimiser.weight_decay: {problem}")));
        }
        Ok(())
    }

    /// Keeps the rows whose labels the configuration knows: the first of each class in an order of its seed.
    pub(super) fn keep_labelled(&self, data: &mut Dataset) -> Result<()> {
        let Some(wanted) = self.classifier.as_ref().map(|classifier| classifier.labels).filter(|&n| n > 0) else {
            return Ok(());
        };
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
