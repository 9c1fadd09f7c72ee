//! A linear layer with its activation: `linear = 64`, `activation = "relu"`.

use serde::{Deserialize, Serialize};

use super::{Block, Flow, Kind, width};
use crate::error::{Error, Result};
use crate::graph::Var;
use crate::nn::builder::{Builder, Init};
use crate::nn::layers::Layer;
use crate::ops::array::activation::Activation;
use crate::ops::matmul::MatMul;
use crate::rng::Stream;
use crate::tensor::Shape;

/// Widest layer there may be.
const WIDEST: usize = 1 << 16;

/// y = act(W x + b).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearBlock {
    /// Width of its output.
    pub linear: usize,
    /// What is applied to it; nothing if it is not said.
    #[serde(default)]
    pub activation: Activation,
    /// Whether something is added: not needed before a norm.
    #[serde(default = "has_bias", skip_serializing_if = "Clone::clone")]
    pub bias: bool,
}

fn has_bias() -> bool {
    true
}

impl Kind for LinearBlock {
    fn check(&self, key: &str) -> Result<()> {
        if (1..=WIDEST).contains(&self.linear) {
            return Ok(());
        }
        Err(Error::Usage(format!("{key}.linear {}: expected 1 to {WIDEST} neurons", self.linear)))
    }

    fn infer(&self, sample: &Shape) -> Result<Shape> {
        width("linear", sample)?;
        Ok(Shape::new(&[self.linear]))
    }

    fn build(&self, b: &mut Builder<'_>, sample: &Shape) -> Result<Box<dyn Block>> {
        let inputs = width("linear", sample)?;
        if self.bias {
            return Ok(Box::new(Layer::build(b, [inputs, self.linear], self.activation, Stream::Init, None)));
        }
        // As many draws as with biases, so that what comes behind does not depend on them.
        let init = Init::Uniform { bound: bound(inputs), stream: Stream::Init, skipped: self.linear };
        let weight = b.parameter("weight", &[self.linear, inputs], init);
        Ok(Box::new(Unbiased { weight, activation: self.activation }))
    }

    /// The activation is a module of its own, even where it is none.
    fn modules(&self) -> usize {
        2
    }

    fn word(&self) -> String {
        match self.activation {
            Activation::Identity => format!("linear {}", self.linear),
            activation => format!("linear {}, {}", self.linear, activation.word()),
        }
    }
}

/// y = act(W x).
#[derive(Debug)]
struct Unbiased {
    weight: Var,
    activation: Activation,
}

/// Where the draws of PyTorch's `nn.Linear` end: 1/√inputs, for weights and biases alike.
fn bound(inputs: usize) -> f32 {
    1.0 / (inputs as f32).sqrt()
}

impl Layer {
    /// A layer with `weight` and `bias` where the builder is, drawn from this sequence as PyTorch's `nn.Linear` is; its
    /// weights the transpose of the matrix named `tied` if there is one.
    pub fn build(
        b: &mut Builder<'_>,
        [inputs, outputs]: [usize; 2],
        activation: Activation,
        stream: Stream,
        tied: Option<&str>,
    ) -> Self {
        let init = || Init::Uniform { bound: bound(inputs), stream, skipped: 0 };
        let weight = match tied {
            Some(of) => b.tied("weight", &[outputs, inputs], init(), of),
            None => b.parameter("weight", &[outputs, inputs], init()),
        };
        let bias = b.parameter("bias", &[outputs], init());
        Layer { name: b.scope(), weight, bias, activation }
    }
}

impl Block for Layer {
    fn forward(&self, flow: &mut Flow<'_>, x: Var) -> Result<Var> {
        Layer::forward(self, flow.graph, x)
    }

    fn layer(&self) -> Option<&Layer> {
        Some(self)
    }
}

impl Block for Unbiased {
    fn forward(&self, flow: &mut Flow<'_>, x: Var) -> Result<Var> {
        let product = flow.graph.apply(MatMul::Nt, &[x, self.weight])?;
        match self.activation {
            Activation::Identity => Ok(product),
            activation => flow.graph.apply(activation, &[product]),
        }
    }
}
