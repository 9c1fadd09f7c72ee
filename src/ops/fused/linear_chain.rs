//! Several narrow linear layers in one kernel: the fusion of [`Linear`]s that feed one another.
//!
//! A layer of 20 neurons is less work than its dispatch; a tile of samples passes through all of them in
//! workgroup memory instead. Every layer's outputs are kept for the backward pass.

use std::ops::Range;

use super::layer_table::{self, LONGEST, LayerTable};
use crate::error::{Error, Result};
use crate::graph::{Op, Precision};
use crate::ops::array::activation::Activation;
use crate::ops::kernel::check::matrix;
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request};
use crate::ops::matmul::matmul_nt::Linear;
use crate::tensor::{HostTensor, Ty};

/// (h₁, …, hₙ) for inputs (x, W₁, b₁, …, Wₙ, bₙ) with these activations.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearChain(pub Vec<Activation>);

impl LinearChain {
    fn eval<T: Precision>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        for (i, &activation) in self.0.iter().enumerate() {
            let (before, after) = y.split_at_mut(i);
            let below = before.last().unwrap_or(x[0]);
            T::eval(&Linear(activation), &[below, x[1 + 2 * i], x[2 + 2 * i]], &mut after[..1]);
        }
    }
}

impl Op for LinearChain {
    fn name(&self) -> &'static str {
        "linear_chain"
    }

    fn attributes(&self) -> String {
        layer_table::words(&self.0)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        if self.0.is_empty() || self.0.len() > LONGEST || inputs.len() != 1 + 2 * self.0.len() {
            return Err(Error::graph(self.name(), format!("takes x and W, b of 1 to {LONGEST} layers")));
        }
        let mut outputs: Vec<Ty> = Vec::new();
        for (i, &activation) in self.0.iter().enumerate() {
            let below = outputs.last().unwrap_or(inputs[0]);
            outputs.extend(Linear(activation).infer(&[below, inputs[1 + 2 * i], inputs[2 + 2 * i]])?);
        }
        layer_table::check_widths(self.name(), inputs[0], &outputs)?;
        Ok(outputs)
    }

    fn spanned_inputs(&self, inputs: usize) -> Vec<Range<usize>> {
        std::iter::once(1..inputs).collect()
    }

    fn packed_outputs(&self, outputs: usize) -> Vec<Range<usize>> {
        std::iter::once(0..outputs).collect()
    }

    crate::twin!();
}

/// `shaders/fused/linear_chain.wgsl`
pub struct LinearChainKernel;

impl Kernel for LinearChainKernel {
    fn stem(&self) -> &'static str {
        "linear_chain"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<LinearChain>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let activations = &r.op::<LinearChain>()?.0;
        let (batch, inputs) = matrix(self.stem(), "x", r.inputs[0])?;
        let mut table = LayerTable::new(activations.len(), batch, inputs);
        let (mut below, mut width) = (0, inputs);
        for (i, &activation) in activations.iter().enumerate() {
            let (above, (_, outputs)) = (below + width, matrix(self.stem(), "h", r.outputs[i])?);
            let [w, b] = [1, 2].map(|input| Some((1, Bind::Input(input + 2 * i))));
            table.push([width, outputs], activation, [w, b, Some((2, Bind::Output(i))), None], [below, above]);
            (below, width) = (above, outputs);
        }
        let bindings = vec![
            Bind::Input(0),
            Bind::Span((1..r.inputs.len()).map(Bind::Input).collect()),
            Bind::Span((0..r.outputs.len()).map(Bind::Output).collect()),
        ];
        Ok(table.launch(self.stem(), below + width, bindings))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        layer_table::cost(r, r.inputs[1..].iter().step_by(2))
    }

    fn cases(&self) -> Vec<Case> {
        let mut s = Samples::new("linear_chain");
        layer_table::cases(|batch, widths, label, rounding| {
            let activation = |i: usize| Activation::ALL[(i + 1) % Activation::ALL.len()];
            let mut inputs = vec![s.normal(&[batch, widths[0]])];
            for pair in widths.windows(2) {
                let bound = 1.0 / (pair[0] as f32).sqrt();
                inputs.extend([s.uniform(&[pair[1], pair[0]], -bound, bound), s.normal(&[pair[1]])]);
            }
            let op = LinearChain((0..widths.len() - 1).map(activation).collect());
            Case::new(label, op, inputs, rounding)
        })
    }
}
