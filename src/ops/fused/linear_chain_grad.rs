//! Gradients of the inputs of several narrow linear layers in one kernel: the fusion of
//! [`LinearInputGrad`]s that feed one another, and the way back of [`super::linear_chain`].

use std::ops::Range;

use super::layer_table::{self, LONGEST, LayerTable};
use crate::error::{Error, Result};
use crate::graph::{Op, Precision};
use crate::ops::array::activation::Activation;
use crate::ops::kernel::check::matrix;
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request};
use crate::ops::matmul::matmul_nn::LinearInputGrad;
use crate::tensor::{HostTensor, Ty};

/// (dx, dh₁, …, dhₙ₋₁) for inputs (dy, x, h₁, …, hₙ₋₁, W₁, …, Wₙ), where dy belongs to hₙ and the
/// activations are those that made x, h₁, …, hₙ₋₁.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearChainGrad(pub Vec<Activation>);

impl LinearChainGrad {
    fn layers(&self) -> usize {
        self.0.len()
    }

    fn eval<T: Precision>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        for (i, &activation) in self.0.iter().enumerate().rev() {
            let (before, after) = y.split_at_mut(i + 1);
            let above = after.first().unwrap_or(x[0]);
            let inputs = [above, x[1 + self.layers() + i], x[1 + i]];
            T::eval(&LinearInputGrad(activation), &inputs, &mut before[i..]);
        }
    }
}

impl Op for LinearChainGrad {
    fn name(&self) -> &'static str {
        "linear_chain_grad"
    }

    fn attributes(&self) -> String {
        layer_table::words(&self.0)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let n = self.layers();
        if n == 0 || n > LONGEST || inputs.len() != 1 + 2 * n {
            return Err(Error::graph(self.name(), format!("takes dy, the inputs and W of 1 to {LONGEST} layers")));
        }
        let mut outputs: Vec<Ty> = Vec::new();
        for i in (0..n).rev() {
            let above = outputs.last().unwrap_or(inputs[0]);
            outputs.extend(LinearInputGrad(self.0[i]).infer(&[above, inputs[1 + n + i], inputs[1 + i]])?);
        }
        layer_table::check_widths(self.name(), inputs[0], &outputs)?;
        outputs.reverse();
        Ok(outputs)
    }

    fn spanned_inputs(&self, inputs: usize) -> Vec<Range<usize>> {
        let weights = 1 + self.layers()..inputs;
        if self.layers() > 1 { vec![weights, 2..1 + self.layers()] } else { vec![weights] }
    }

    fn packed_outputs(&self, outputs: usize) -> Vec<Range<usize>> {
        std::iter::once(0..outputs).collect()
    }

    crate::twin!();
}

/// `shaders/fused/linear_chain_grad.wgsl`
pub struct LinearChainGradKernel;

impl Kernel for LinearChainGradKernel {
    fn stem(&self) -> &'static str {
        "linear_chain_grad"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<LinearChainGrad>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let op = r.op::<LinearChainGrad>()?;
        let n = op.layers();
        let (batch, outputs) = matrix(self.stem(), "dy", r.inputs[0])?;
        // Widths of x and of the layers, and what made them; nothing follows the last one.
        let widths = r.inputs[1..1 + n].iter().map(|ty| Ok(matrix(self.stem(), "h", ty)?.1));
        let widths = widths.chain([Ok(outputs)]).collect::<Result<Vec<usize>>>()?;
        let made_by = op.0.iter().copied().chain([Activation::Identity]);
        let mut table = LayerTable::new(n, batch, widths[0]);
        let mut above = 0;
        // Entry i has the outputs of layer i and, beside their activation, where their deltas go.
        for (i, activation) in made_by.enumerate() {
            let (below, narrower) = if i == 0 { (0, 0) } else { (above - widths[i - 1], widths[i - 1]) };
            let weight = (i > 0).then(|| (1, Bind::Input(n + i)));
            let values = (i > 0 && i < n).then(|| (3, Bind::Input(1 + i)));
            let deltas = (i < n).then_some((4, Bind::Output(i)));
            table.push([narrower, widths[i]], activation, [weight, None, values, deltas], [below, above]);
            above += widths[i];
        }
        let span = |range: Range<usize>| Bind::Span(range.map(Bind::Input).collect());
        // A single layer has no hidden values; x stands in for them.
        let bindings = vec![
            Bind::Input(0),
            span(1 + n..1 + 2 * n),
            Bind::Input(1),
            if n > 1 { span(2..1 + n) } else { Bind::Input(1) },
            Bind::Span((0..n).map(Bind::Output).collect()),
        ];
        Ok(table.launch(self.stem(), above, bindings))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        layer_table::cost(r, r.inputs[1 + r.outputs.len()..].iter())
    }

    fn cases(&self) -> Vec<Case> {
        let mut s = Samples::new("linear_chain_grad");
        layer_table::cases(|batch, widths, label, rounding| {
            let n = widths.len() - 1;
            let activation = |i: usize| Activation::ALL[(i + 2) % Activation::ALL.len()];
            let mut inputs = vec![s.normal(&[batch, widths[n]])];
            inputs.extend(widths[..n].iter().map(|&width| s.normal(&[batch, width])));
            for pair in widths.windows(2) {
                let bound = 1.0 / (pair[1] as f32).sqrt();
                inputs.push(s.uniform(&[pair[1], pair[0]], -bound, bound));
            }
            let op = LinearChainGrad((0..n).map(activation).collect());
            Case::new(label, op, inputs, rounding)
        })
    }
}
