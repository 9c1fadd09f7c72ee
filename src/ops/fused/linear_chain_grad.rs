//! Gradients of the inputs of several narrow linear layers in one kernel: the fusion of
//! [`LinearInputGrad`]s that feed one another, and the way back of [`super::linear_chain`].

use std::ops::Range;

use super::linear_chain::{LONGEST, TILE, WIDEST, WORKGROUP, examples, extents};
use crate::error::{Error, Result};
use crate::graph::{Op, Precision};
use crate::ops::array::activation::Activation;
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Dispatch, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::ops::matmul::matmul_nn::LinearInputGrad;
use crate::shader::ShaderKey;
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
        self.0.iter().map(|a| format!("{a:?}").to_lowercase()).collect::<Vec<_>>().join(" ")
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
        if inputs[..1].iter().copied().chain(&outputs).any(|ty| ty.shape.dims()[1] > WIDEST) {
            return Err(Error::graph(self.name(), format!("a layer is wider than {WIDEST}")));
        }
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

/// `shaders/linear_chain_grad.wgsl`
pub struct LinearChainGradKernel;

impl Kernel for LinearChainGradKernel {
    fn stem(&self) -> &'static str {
        "linear_chain_grad"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<LinearChainGrad>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let activations = r.op.downcast::<LinearChainGrad>().map_or(&[][..], |op| &op.0);
        let n = activations.len();
        let [batch, outputs] = extents(r.inputs[0]);
        let tiles = batch.div_ceil(TILE);
        let inputs: Vec<usize> = r.inputs[1..1 + n].iter().map(|ty| extents(ty)[1]).collect();
        let mut params = vec![n, batch, tiles, inputs.iter().sum()];
        let mut offsets = Vec::new();
        let mut above = 0;
        // Entry i has the outputs of layer i and, beside their activation, where their deltas go.
        for i in 0..=n {
            let at = params.len();
            let width = inputs.get(i).copied().unwrap_or(outputs);
            let (below, narrower) = if i == 0 { (0, 0) } else { (above - inputs[i - 1], inputs[i - 1]) };
            let activation = activations.get(i).copied().unwrap_or_default();
            params.extend([narrower, width, activation as usize, 0, 0, 0, 0, 0, below, above, 0, 0]);
            if i > 0 {
                offsets.push((at + 4, 1, Bind::Input(n + i)));
            }
            if i > 0 && i < n {
                offsets.push((at + 6, 3, Bind::Input(1 + i)));
            }
            if i < n {
                offsets.push((at + 7, 4, Bind::Output(i)));
            }
            above += width;
        }
        let constants = [("WORKGROUP", WORKGROUP), ("FLOATS", above), ("LAYERS", n)];
        let span = |range: Range<usize>| Bind::Span(range.map(Bind::Input).collect());
        let dispatch = Dispatch {
            shader: ShaderKey {
                stem: self.stem(),
                constants: constants.map(|(name, value)| (name, value as u32)).to_vec(),
                snippets: vec!["samples4"],
            },
            // A single layer has no hidden values; x stands in for them.
            bindings: vec![
                Bind::Input(0),
                span(1 + n..1 + 2 * n),
                Bind::Input(1),
                if n > 1 { span(2..1 + n) } else { Bind::Input(1) },
                Bind::Span((0..n).map(Bind::Output).collect()),
            ],
            params: params.into_iter().map(|p| p as u32).collect(),
            offsets,
            work: Work::Groups(tiles),
        };
        Ok(Launch { dispatches: vec![dispatch], scratch: Vec::new() })
    }

    fn cost(&self, r: &Request<'_>) -> Cost {
        let layers = r.outputs.len();
        let weights: usize = r.inputs[1 + layers..].iter().map(|w| w.elements()).sum();
        Cost::streaming(r, 2.0 * (weights * extents(r.inputs[0])[0]) as f64)
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(1e-6, 1e-5, Terms::Largest, "at most six sums of at most 128 terms in a row");
        let mut s = Samples::new("linear_chain_grad");
        let mut cases = Vec::new();
        for (batch, widths) in examples() {
            let n = widths.len() - 1;
            let activation = |i: usize| Activation::ALL[(i + 2) % 6];
            let mut inputs = vec![s.normal(&[batch, widths[n]])];
            inputs.extend(widths[..n].iter().map(|&width| s.normal(&[batch, width])));
            for pair in widths.windows(2) {
                let bound = 1.0 / (pair[1] as f32).sqrt();
                inputs.push(s.uniform(&[pair[1], pair[0]], -bound, bound));
            }
            let op = LinearChainGrad((0..n).map(activation).collect());
            let case = Case::new(format!("{batch} rows {widths:?}"), op, inputs, rounding);
            cases.push(if batch == 128 { case.benched() } else { case });
        }
        cases
    }
}
