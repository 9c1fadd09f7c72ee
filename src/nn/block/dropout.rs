//! Units left out at random while training: `dropout = 0.2`.
//!
//! Source: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting" (2014), inverted: what
//! stays is divided by 1 − rate, so that nothing changes outside of training.

use serde::{Deserialize, Serialize};

use super::{Block, Flow, Kind};
use crate::error::{Error, Result};
use crate::graph::Var;
use crate::nn::builder::Builder;
use crate::nn::{Pass, stream};
use crate::ops::random::corrupt::Corrupt;
use crate::ops::random::random_uniform::RandomUniform;
use crate::tensor::Shape;

/// Some of the units, each kept with probability 1 − rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropoutBlock {
    /// Share of the units left out, at least 0 and less than 1.
    pub dropout: f32,
}

/// One with draws of its own.
#[derive(Debug)]
struct Built {
    rate: f32,
    stream: u32,
}

impl Kind for DropoutBlock {
    fn check(&self, key: &str) -> Result<()> {
        if (0.0..1.0).contains(&self.dropout) {
            return Ok(());
        }
        let expected = "expected a share of at least 0 and less than 1";
        Err(Error::Usage(format!("{key}.dropout {}: {expected}", self.dropout)))
    }

    fn build(&self, b: &mut Builder<'_>, _sample: &Shape) -> Result<Box<dyn Block>> {
        let stream = stream::DROPOUT_BLOCK + b.number() as u32;
        Ok(Box::new(Built { rate: self.dropout, stream }))
    }

    fn word(&self) -> String {
        format!("dropout {}", self.dropout)
    }
}

impl Block for Built {
    fn forward(&self, flow: &mut Flow<'_>, x: Var) -> Result<Var> {
        dropped(flow, x, self.rate, self.stream)
    }

    fn is_pointwise(&self) -> bool {
        true
    }
}

/// X with some of its units left out, where the pass is one to learn from.
///
/// # Errors
/// Never for floats.
pub fn dropped(flow: &mut Flow<'_>, x: Var, rate: f32, stream: u32) -> Result<Var> {
    if flow.pass != Pass::Train {
        return Ok(x);
    }
    let shape = flow.graph.ty(x).shape.clone();
    let clock = flow.clock()?;
    let draws = flow.graph.apply(RandomUniform { shape, stream }, &[clock])?;
    flow.graph.apply(Corrupt::dropout(rate), &[x, draws])
}
