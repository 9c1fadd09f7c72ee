//! Codes that two views of a row share and no other row has, without labels: `[contrastive]`.
//!
//! Source: Chen et al., "A simple framework for contrastive learning of visual representations" (SimCLR, 2020); FORMULAS §4. Two
//! views of every row, made by `[augment]`, by `[corruption]` or both, go through the encoder and through a head, the decoder, that is
//! of no use afterwards; what the head says of them must be nearer to each other than to any other view of the batch. The code that
//! is kept is the encoder's.
//!
//! To be judged, rows are coded as they are, and views of them are drawn as well, for the loss alone.

use serde::{Deserialize, Serialize};

use super::{Objective, Told, Weight, refuse};
use crate::config::RunConfig;
use crate::error::{Error, Result};
use crate::graph::{Graph, Var};
use crate::nn::losses::nt_xent;
use crate::nn::{Batch, Pass};
use crate::ops::batch::repeat_rows::RepeatRows;
use crate::ops::step::clock_views::ClockViews;

/// Views of a row.
const VIEWS: usize = 2;

/// Two views of a row, found among those of others.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Contrastive {
    /// Temperature by which cosines are divided: the smaller, the more the nearest of the others count.
    pub temperature: f32,
}

impl Default for Contrastive {
    fn default() -> Self {
        Contrastive { temperature: 0.07 }
    }
}

impl Contrastive {
    /// Its terms of what a head says of views, which the clock counts.
    ///
    /// # Errors
    /// When they are no pairs.
    pub fn compared(&self, g: &mut Graph, z: Var, clock: Var) -> Result<[Var; 2]> {
        nt_xent(g, z, clock, self.temperature)
    }
}

/// Name of the term that is learnt from.
pub const NT_XENT: &str = "nt_xent";

impl RunConfig {
    /// How many views of a row a training step sees.
    pub fn views(&self) -> usize {
        if self.contrastive.is_some() { VIEWS } else { 1 }
    }

    /// Refuses views of a row that would be the same.
    pub(in crate::config) fn check_views(&self) -> Result<()> {
        if self.contrastive.is_none() || self.augmentation().is_some() || self.corruption.is_some() {
            return Ok(());
        }
        let problem = "expected something under [augment], or for rows that are no images under [corruption], that changes them: both views of a \
                       row would be the same";
        Err(Error::Usage(format!("contrastive: {problem}")))
    }

    /// Rows \[rows, features\] as often as a training step sees each, and the clock that counts them so; as they are where that is once.
    ///
    /// # Errors
    /// When the rows are no matrix.
    pub fn repeated(&self, g: &mut Graph, x: Var, clock: Var) -> Result<(Var, Var)> {
        match self.views() {
            1 => Ok((x, clock)),
            views => Ok((g.apply(RepeatRows { times: views }, &[x])?, g.apply(ClockViews { views }, &[clock])?)),
        }
    }
}

impl Objective for Contrastive {
    fn check(&self, config: &RunConfig) -> Result<()> {
        if !(self.temperature.is_finite() && self.temperature > 0.0) {
            return refuse("contrastive.temperature", self.temperature, "a number above 0");
        }
        let beside = [
            ("variational", config.variational.is_some()),
            ("contrastive_divergence", config.contrastive_divergence.is_some()),
            ("contractive", config.contractive.is_some()),
            ("classifier", config.classifier.is_some()),
            ("clustering", config.clustering.is_some()),
            ("adversarial", config.adversarial.is_some()),
            ("huber", config.huber.is_some()),
            ("tied", config.tied),
            ("lambda_mse", config.lambda_mse > 0.0),
        ];
        if let Some((key, _)) = beside.iter().find(|(_, set)| *set) {
            let problem = "has no meaning beside contrastive, which compares views and reconstructs nothing";
            return Err(Error::Usage(format!("{key}: {problem}")));
        }
        config.check_views()?;
        if config.batch_size < 2 {
            return refuse(
                "--batch-size",
                config.batch_size,
                "2 or more, since views are told from those of other rows",
            );
        }
        Ok(())
    }

    /// The loss; watched: the share of views to which another one is nearer than their partner.
    fn weights(&self, _config: &RunConfig) -> Vec<(&'static str, Weight)> {
        vec![(NT_XENT, Weight::fixed(1.0)), ("missed", Weight::watched())]
    }

    fn vars(&self, config: &RunConfig, g: &mut Graph, batch: &Batch) -> Result<Vec<Var>> {
        if let Some(compared) = batch.compared {
            return Ok(compared.into());
        }
        let (z, clock) = match batch.pass {
            Pass::Train => (batch.passed.answer, batch.clock),
            _ => {
                let (x, clock) = config.repeated(g, batch.x, batch.clock)?;
                let (_, input) = config.changed(g, x, clock)?;
                (batch.network.forward(g, input, clock, batch.pass)?.answer, clock)
            }
        };
        self.compared(g, z, clock).map(Vec::from)
    }

    fn is_sufficient(&self) -> bool {
        true
    }

    fn has_other_answer(&self) -> bool {
        true
    }

    fn told(&self, _config: &RunConfig) -> Vec<Told> {
        vec![Told::new("test_nt_xent", "NT-Xent", 4), Told::new("test_missed", "missed", 4)]
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn problem(set: &[(&str, &str)]) -> String {
        let mut config = RunConfig::model("simclr").unwrap();
        set.iter().for_each(|(key, value)| config.set("--set", key, value).unwrap());
        config.check().unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_be_told_apart_is_refused_by_its_key() {
        for (key, value) in [
            ("contrastive.temperature", "0"),
            ("contrastive.temperature", "-1"),
            ("classifier.labels", "0"),
            ("clustering.balance", "1"),
            ("lambda_mse", "1"),
        ] {
            let problem = problem(&[(key, value)]);
            assert!(problem.starts_with(key.split('.').next().unwrap()), "{key} {value}: {problem}");
        }
        assert!(problem(&[("batch_size", "1")]).starts_with("--batch-size 1: expected 2 or more"));
        let same =
            [("augment.resized_crop", "0"), ("augment.jitter", "0"), ("augment.flip", "0"), ("augment.grey", "0")];
        assert!(problem(&same).starts_with("contrastive: expected something under [augment]"), "{}", problem(&same));
    }
}
