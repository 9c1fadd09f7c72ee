//! The error of a reconstruction: mean squared error against the rows as they are, `lambda_mse`.

use super::{Objective, Told, Weight, check_weight};
use crate::config::RunConfig;
use crate::error::Result;
use crate::graph::{Graph, Var};
use crate::nn::Batch;
use crate::ops::loss::reconstruction_loss::{LossKind, ReconstructionLoss};

/// What every network has that answers with the rows it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconstruction;

impl Objective for Reconstruction {
    fn check(&self, config: &RunConfig) -> Result<()> {
        check_weight("--lambda-mse", config.lambda_mse)
    }

    /// Without an objective of its own a network learns by the error, however small its weight.
    fn weights(&self, config: &RunConfig) -> Vec<(&'static str, Weight)> {
        let weight = Weight::fixed(config.lambda_mse);
        vec![("mse", Weight { counts: weight.counts || !config.has_own_objective(), ..weight })]
    }

    fn vars(&self, _config: &RunConfig, g: &mut Graph, batch: &Batch) -> Result<Vec<Var>> {
        let answer = batch.reconstruction(g)?;
        let error = ReconstructionLoss { kind: LossKind::Mse, rows_per_sample: 1 };
        Ok(vec![g.apply(error, &[answer, batch.x, batch.clock])?])
    }

    fn error_term(&self) -> Option<&'static str> {
        Some("mse")
    }

    fn told(&self, _config: &RunConfig) -> Vec<Told> {
        vec![Told::new("train_mse", "mse", 4), Told::new("test_mse", "test mse", 4)]
    }
}
