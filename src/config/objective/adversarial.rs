//! Rows that are made to pass for data: `[adversarial]`.
//!
//! Source: Goodfellow et al., "Generative Adversarial Nets" (2014), with the non-saturating loss of its section 3. Two networks
//! learn against one another: the encoder is the discriminator D, one logit a row, and learns to tell rows of the data from
//! drawn ones; the decoder is the generator G, which makes rows of codes z ~ N(0, I), and learns to have them taken for data.
//!
//! * `discriminator`: −log σ(D(x)) − log(1 − σ(D(G(z)))), mean over rows, which moves D alone, first
//! * `generator`: −log σ(D(G(z))) under the D that has moved, which moves G alone

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Collapse, ENOUGH_STEPS, Objective, Told, Trained, Weight, refuse};
use crate::config::RunConfig;
use crate::error::{Error, Result};
use crate::graph::{Graph, Var};
use crate::nn::Batch;
use crate::ops::array::activation::Activation;
use crate::ops::array::binary::Binary;
use crate::ops::array::sum_all::SumAll;
use crate::ops::array::unary::Unary;
use crate::ops::batch::valid_share::ValidShare;
use crate::ops::loss::reconstruction_loss::{LossKind, ReconstructionLoss};

/// Names of the two losses.
pub const DISCRIMINATOR: &str = "discriminator";
/// The other.
pub const GENERATOR: &str = "generator";

/// Rows that are made to pass for data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adversarial {
    /// Width of the codes that rows are drawn from.
    pub code: usize,
}

/// Widest code.
const MOST: usize = 1 << 16;

/// Share of drawn rows taken for data below which the discriminator has won.
const WON: f64 = 0.01;

impl Adversarial {
    /// What the discriminator makes smaller, given its logits \[batch, 1\] of the data's rows and of drawn ones.
    ///
    /// # Errors
    /// When the two are no logits of one batch.
    pub fn discriminator(self, g: &mut Graph, [data, drawn]: [Var; 2], clock: Var) -> Result<Var> {
        let of_data = mistaken(g, data, 1.0, clock)?;
        let of_drawn = mistaken(g, drawn, 0.0, clock)?;
        g.apply(Binary::Add, &[of_data, of_drawn])
    }

    /// What the generator makes smaller, given the discriminator's logits of drawn rows.
    ///
    /// # Errors
    /// When they are no logits.
    pub fn generator(self, g: &mut Graph, drawn: Var, clock: Var) -> Result<Var> {
        mistaken(g, drawn, 1.0, clock)
    }

    /// The shares at which the discriminator takes rows of the data, and drawn ones, for data.
    ///
    /// # Errors
    /// When they are no logits.
    pub fn shares(self, g: &mut Graph, logits: [Var; 2], clock: Var) -> Result<[Var; 2]> {
        let mut shares = logits;
        for share in &mut shares {
            let probability = g.apply(Activation::Sigmoid, &[*share])?;
            let of_rows = g.apply(ValidShare { rows_per_sample: 1 }, &[probability, clock])?;
            *share = g.apply(SumAll, &[of_rows])?;
        }
        Ok(shares)
    }
}

/// Cross entropy of logits where all rows are data, 1, or none is, 0.
fn mistaken(g: &mut Graph, logits: Var, are_data: f32, clock: Var) -> Result<Var> {
    let truth = g.apply(Unary::Affine { scale: 0.0, shift: are_data }, &[logits])?;
    g.apply(ReconstructionLoss { kind: LossKind::Bce, rows_per_sample: 1 }, &[logits, truth, clock])
}

impl Objective for Adversarial {
    fn check(&self, config: &RunConfig) -> Result<()> {
        if !(1..=MOST).contains(&self.code) {
            return refuse("adversarial.code", self.code, &format!("1 to {MOST} numbers"));
        }
        if config.objectives().len() > 1 || config.lambda_mse > 0.0 {
            let problem =
                "two networks that play against one another have no other objective beside it, and no entropy";
            return Err(Error::Usage(format!("adversarial: {problem}")));
        }
        if config.tied {
            return refuse("tied", "true", "a generator with weights of its own");
        }
        if let Some(stopping) = &config.early_stopping {
            let problem = "losses of networks that play against one another do not tell how good the drawn rows are";
            let patience = stopping.patience;
            return refuse("early_stopping.patience", patience, &format!("no early stopping: {problem}"));
        }
        match config.encoder.last().map(|_| config.encoded_width()) {
            Some(1) | None => Ok(()),
            Some(other) => {
                let problem = format!("makes {other} numbers of a row: expected 1, the logit of the discriminator");
                Err(Error::Usage(format!("encoder: {problem}")))
            }
        }
    }

    fn weights(&self, _config: &RunConfig) -> Vec<(&'static str, Weight)> {
        let [loss, watched] = [Weight::fixed(1.0), Weight::watched()];
        vec![(DISCRIMINATOR, loss), (GENERATOR, loss), ("data_accepted", watched), ("drawn_accepted", watched)]
    }

    fn vars(&self, _config: &RunConfig, g: &mut Graph, batch: &Batch) -> Result<Vec<Var>> {
        let drawn = batch.network.judge(g, batch.passed.answer, batch.clock, batch.pass)?;
        let logits = [batch.passed.code, drawn];
        let losses = [self.discriminator(g, logits, batch.clock)?, self.generator(g, drawn, batch.clock)?];
        Ok([losses, self.shares(g, logits, batch.clock)?].concat())
    }

    fn is_sufficient(&self) -> bool {
        true
    }

    fn has_other_answer(&self) -> bool {
        true
    }

    fn of_whole_batch(&self) -> Option<&'static str> {
        Some("adversarial")
    }

    fn is_better_larger(&self, term: &str) -> bool {
        term == "drawn_accepted"
    }

    fn told(&self, _config: &RunConfig) -> Vec<Told> {
        let told = |key: &str, label: &str| Told::new(key, label, 0).percent();
        vec![told("test_data_accepted", "data accepted"), told("test_drawn_accepted", "drawn accepted")]
    }

    fn collapses(&self, _config: &RunConfig, metrics: &BTreeMap<String, f64>, trained: Trained) -> Vec<Collapse> {
        let accepted = metrics.get("train_drawn_accepted").copied().unwrap_or(1.0);
        if accepted > WON || trained.steps < ENOUGH_STEPS {
            return Vec::new();
        }
        let advice = format!(
            "the discriminator has won: it takes {:.1} % of drawn rows for data, and the generator learns next to nothing from \
             that; a smaller --lr, or fewer channels in the encoder, usually helps",
            100.0 * accepted
        );
        vec![Collapse { of: "generator".into(), advice }]
    }
}
