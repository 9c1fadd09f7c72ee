//! Several narrow linear layers in one kernel: the fusion of [`Linear`]s that feed one another.
//!
//! A layer of 20 neurons is less work than its dispatch; a tile of samples passes through all of them in
//! workgroup memory instead. Every layer's outputs are kept for the backward pass.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::graph::{Op, Precision};
use crate::ops::array::activation::Activation;
use crate::ops::kernel::check::matrix;
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Dispatch, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::ops::matmul::matmul_nt::Linear;
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Ty};

/// Widest layer of a chain.
pub const WIDEST: usize = 128;
/// Most layers of a chain: with x, all of them fit in 16 KiB of workgroup memory.
pub const LONGEST: usize = 6;

/// Invocations of a workgroup, and samples of a tile.
pub(in crate::ops) const WORKGROUP: usize = 128;
pub(in crate::ops) const TILE: usize = 4;

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
        self.0.iter().map(|a| format!("{a:?}").to_lowercase()).collect::<Vec<_>>().join(" ")
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
        if inputs[..1].iter().copied().chain(&outputs).any(|ty| ty.shape.dims()[1] > WIDEST) {
            return Err(Error::graph(self.name(), format!("a layer is wider than {WIDEST}")));
        }
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

/// Dimensions of a matrix that types say is one.
pub(in crate::ops) fn extents(ty: &Ty) -> [usize; 2] {
    matrix("linear_chain", "x", ty).map_or([1, 1], |(rows, columns)| [rows, columns])
}

/// `shaders/linear_chain.wgsl`
pub struct LinearChainKernel;

impl Kernel for LinearChainKernel {
    fn stem(&self) -> &'static str {
        "linear_chain"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<LinearChain>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let activations = r.op.downcast::<LinearChain>().map_or(&[][..], |op| &op.0);
        let [batch, inputs] = extents(r.inputs[0]);
        let tiles = batch.div_ceil(TILE);
        let mut params = vec![activations.len(), batch, inputs, tiles];
        let mut offsets = Vec::new();
        let (mut below, mut width) = (0, inputs);
        for (i, &activation) in activations.iter().enumerate() {
            let at = params.len();
            let (above, outputs) = (below + width, extents(r.outputs[i])[1]);
            params.extend([width, outputs, activation as usize, 0, 0, 0, 0, 0, below, above, 0, 0]);
            offsets.extend([(at + 4, 1, Bind::Input(1 + 2 * i)), (at + 5, 1, Bind::Input(2 + 2 * i))]);
            offsets.push((at + 6, 2, Bind::Output(i)));
            (below, width) = (above, outputs);
        }
        let constants = [("WORKGROUP", WORKGROUP), ("FLOATS", below + width), ("LAYERS", activations.len())];
        let dispatch = Dispatch {
            shader: ShaderKey {
                stem: self.stem(),
                constants: constants.map(|(name, value)| (name, value as u32)).to_vec(),
                snippets: vec!["samples4"],
            },
            bindings: vec![
                Bind::Input(0),
                Bind::Span((1..r.inputs.len()).map(Bind::Input).collect()),
                Bind::Span((0..r.outputs.len()).map(Bind::Output).collect()),
            ],
            params: params.into_iter().map(|p| p as u32).collect(),
            offsets,
            work: Work::Groups(tiles),
        };
        Ok(Launch { dispatches: vec![dispatch], scratch: Vec::new() })
    }

    fn cost(&self, r: &Request<'_>) -> Cost {
        let weights: usize = r.inputs[1..].iter().step_by(2).map(|w| w.elements()).sum();
        Cost::streaming(r, 2.0 * (weights * extents(r.inputs[0])[0]) as f64)
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(1e-6, 1e-5, Terms::Largest, "at most six sums of at most 128 terms in a row");
        let mut s = Samples::new("linear_chain");
        let mut cases = Vec::new();
        for (batch, widths) in examples() {
            let activation = |i: usize| Activation::ALL[(i + 1) % 6];
            let mut inputs = vec![s.normal(&[batch, widths[0]])];
            for pair in widths.windows(2) {
                let bound = 1.0 / (pair[0] as f32).sqrt();
                inputs.extend([s.uniform(&[pair[1], pair[0]], -bound, bound), s.normal(&[pair[1]])]);
            }
            let op = LinearChain((0..widths.len() - 1).map(activation).collect());
            let case = Case::new(format!("{batch} rows {widths:?}"), op, inputs, rounding);
            cases.push(if batch == 128 { case.benched() } else { case });
        }
        cases
    }
}

/// Batches and widths, x first, that chains are proved on.
pub(in crate::ops) fn examples() -> Vec<(usize, Vec<usize>)> {
    vec![
        (1, vec![1, 1, 1]),
        (7, vec![3, 128, 5]),
        (33, vec![127, 1, 65, 128, 17, 9, 2]),
        (128, vec![64, 20, 20, 20, 64]),
    ]
}
