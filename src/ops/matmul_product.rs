//! A matrix product as its kernels see it, whatever operation asks for it: layout, extents, what becomes
//! of the finished sums. Kernels of several layouts share this, the register tiles have each their own.

use super::activation::{Activation, SIGMOID};
use super::kernel::{Bind, Case, Cost, Request, Tolerance};
use super::matmul::{Extents, MatMul};
use super::matmul_nn::LinearInputGrad;
use super::matmul_nt::Linear;
use super::matmul_tiles::{self, PRODUCT};
use super::matmul_tn::LinearWeightGrad;
use super::profile::{DeviceKind, DeviceProfile};
use super::samples::Samples;
use crate::error::{Error, Result};
use crate::graph::Op;

/// What becomes of the finished sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finish {
    /// They are the result.
    Plain,
    /// act(sum + bias), the bias the third input.
    Bias(Activation),
    /// sum ∘ act'(h), h the third input.
    Slope(Activation),
    /// They are the result, and the second output is the left operand summed over k.
    BiasSums,
}

/// A product to be computed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product {
    pub layout: MatMul,
    pub extents: Extents,
    pub finish: Finish,
}

/// Layout and finish of an operation that is a product.
pub(super) fn layout(op: &dyn Op) -> Option<(MatMul, Finish)> {
    if let Some(&layout) = op.downcast::<MatMul>() {
        return Some((layout, Finish::Plain));
    }
    if let Some(op) = op.downcast::<Linear>() {
        return Some((MatMul::Nt, Finish::Bias(op.0)));
    }
    if let Some(op) = op.downcast::<LinearInputGrad>() {
        return Some((MatMul::Nn, Finish::Slope(op.0)));
    }
    op.downcast::<LinearWeightGrad>().map(|_| (MatMul::Tn, Finish::BiasSums))
}

impl Product {
    /// The product that a request asks for.
    pub fn of(r: &Request<'_>) -> Result<Self> {
        let (layout, finish) = layout(r.op).ok_or_else(|| Error::graph(r.op.name(), "is no matrix product"))?;
        Ok(Product { layout, extents: layout.extents(r.inputs[0], r.inputs[1])?, finish })
    }

    /// Whether all row lengths are multiples of four, so that rows can be read as vectors.
    pub fn aligned(&self) -> bool {
        let Extents { m, n, k } = self.extents;
        let left = if self.layout == MatMul::Tn { m } else { k };
        left.is_multiple_of(4) && n.is_multiple_of(4) && (self.layout != MatMul::Nt || k.is_multiple_of(4))
    }

    /// Snippets that give access to the operands, block by block.
    pub fn operands(&self) -> Vec<&'static str> {
        let blocks = match self.layout {
            MatMul::Nt => ["left_rows", "right_rows"],
            MatMul::Nn => ["left_rows", "right_columns"],
            MatMul::Tn => ["left_columns", "right_columns"],
        };
        [&matmul_tiles::access(self.aligned())[..], &blocks].concat()
    }

    /// Snippets that finish the sums.
    pub fn finish(&self) -> Vec<&'static str> {
        let mask = matmul_tiles::mask(self.aligned());
        match self.finish {
            Finish::Plain => vec!["finish_plain", "no_bias_sums"],
            Finish::Bias(_) => vec!["finish_bias", "no_bias_sums"],
            Finish::Slope(_) => vec!["finish_slope", "activation_slope", mask, "no_bias_sums"],
            Finish::BiasSums => vec!["finish_plain", "bias_sums"],
        }
    }

    /// Bindings from 3 on: the result, and what its finish needs.
    pub fn results(&self) -> Vec<Bind> {
        match self.finish {
            Finish::Plain => vec![Bind::Output(0)],
            Finish::Bias(_) | Finish::Slope(_) => vec![Bind::Output(0), Bind::Input(2)],
            Finish::BiasSums => vec![Bind::Output(0), Bind::Output(1)],
        }
    }

    /// The uniform block of all these kernels: m, n, k, activation.
    pub fn params(&self) -> Vec<u32> {
        let Extents { m, n, k } = self.extents;
        let activation = match self.finish {
            Finish::Bias(activation) | Finish::Slope(activation) => activation,
            Finish::Plain | Finish::BiasSums => Activation::Identity,
        };
        vec![m as u32, n as u32, k as u32, activation as u32]
    }
}

/// The ways to compute a product, each a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Matrices of f16 multiplied by a subgroup together; only offered where mixed precision is wanted.
    Cooperative,
    /// Tiles in the registers of one invocation each, operands loaded by each for itself.
    Registers,
    /// Tiles in workgroup memory.
    Shared,
    /// Tiles in registers, one operand shared by shuffles within a subgroup.
    Subgroup,
    /// Tiles in registers, one operand in a uniform buffer.
    Uniform,
}

/// Place of a form among the others where nothing was measured.
pub(super) fn rank(form: Form, profile: &DeviceProfile) -> u8 {
    use Form::{Cooperative, Registers, Shared, Subgroup, Uniform};
    let order = match profile.kind {
        DeviceKind::Discrete | DeviceKind::Integrated => [Cooperative, Shared, Subgroup, Registers, Uniform],
        DeviceKind::Software | DeviceKind::Cpu => [Cooperative, Registers, Uniform, Subgroup, Shared],
    };
    order.iter().take_while(|&&other| other != form).count() as u8
}

/// Arithmetic and traffic of a product.
pub(super) fn cost(r: &Request<'_>) -> Cost {
    let flops = Product::of(r).map_or(0.0, |Product { extents: e, .. }| 2.0 * (e.m * e.n * e.k) as f64);
    Cost::streaming(r, flops)
}

/// Every operation that is a product, at extents (m, n, k).
pub(super) fn cases(stem: &'static str, shapes: &[(usize, usize, usize)]) -> Vec<Case> {
    let mut s = Samples::new(stem);
    let mut cases = Vec::new();
    for (i, &(m, n, k)) in shapes.iter().enumerate() {
        let at = |what: &str| format!("{m}x{n}x{k} {what}");
        let (nt, nn, tn) = ([[m, k], [n, k]], [[m, k], [k, n]], [[k, m], [k, n]]);
        let mut pair = |dims: [[usize; 2]; 2]| vec![s.normal(&dims[0]), s.normal(&dims[1])];
        let (nt, nn, tn) = (pair(nt), pair(nn), pair(tn));
        cases.push(Case::new(at("nt"), MatMul::Nt, nt.clone(), PRODUCT));
        cases.push(Case::new(at("nn"), MatMul::Nn, nn.clone(), PRODUCT));
        cases.push(Case::new(at("tn"), MatMul::Tn, tn.clone(), PRODUCT));
        let relu = (Activation::Relu, PRODUCT);
        // The quotient of the sigmoid is flat: an error of the sum reaches it as a quarter at most.
        let sigmoid = (Activation::Sigmoid, Tolerance { atol: 4e-5, ..SIGMOID });
        let (activation, tolerance) = if i % 2 == 0 { relu } else { sigmoid };
        let layer = [nt, vec![s.normal(&[n])]].concat();
        cases.push(Case::new(at(&format!("{activation:?}")), Linear(activation), layer, tolerance));
        // The twin on absolute inputs bounds the sigmoid's slope only for h in [0, 1].
        let lowest = if activation == Activation::Sigmoid { 0.0 } else { -0.5 };
        let masked = [nn, vec![s.uniform(&[m, n], lowest, 1.0)]].concat();
        cases.push(Case::new(at(&format!("{activation:?} slope")), LinearInputGrad(activation), masked, PRODUCT));
        cases.push(Case::new(at("with bias sums"), LinearWeightGrad, tn, PRODUCT));
    }
    cases
}

/// The row in the benchmarks that all forms of the product share: the first layer of the default network.
pub(super) fn bench_case(stem: &'static str) -> Case {
    let mut s = Samples::new(stem);
    let inputs = vec![s.normal(&[128, 784]), s.normal(&[64, 784]), s.normal(&[64])];
    Case::new("128x64x784 relu", Linear(Activation::Relu), inputs, PRODUCT).benched()
}
