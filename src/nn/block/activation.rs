//! An activation by itself: `activation = "tanh"`.

use serde::{Deserialize, Serialize};

use super::{Block, Flow, Kind};
use crate::error::Result;
use crate::graph::Var;
use crate::nn::builder::Builder;
use crate::ops::array::activation::Activation;
use crate::tensor::Shape;

/// y = act(x), element by element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivationBlock {
    /// Which one.
    pub activation: Activation,
}

impl Kind for ActivationBlock {
    fn build(&self, _b: &mut Builder<'_>, _sample: &Shape) -> Result<Box<dyn Block>> {
        Ok(Box::new(*self))
    }

    fn word(&self) -> String {
        self.activation.word().to_string()
    }
}

impl Block for ActivationBlock {
    fn forward(&self, flow: &mut Flow<'_>, x: Var) -> Result<Var> {
        if self.activation == Activation::Identity {
            return Ok(x);
        }
        flow.graph.apply(self.activation, &[x])
    }

    fn activation(&self) -> Option<Activation> {
        Some(self.activation)
    }

    fn is_pointwise(&self) -> bool {
        true
    }
}
