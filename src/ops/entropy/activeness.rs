//! How active each neuron of a layer is, judged by its weights.
//!
//! Source: El Bouz, "Entropy-Regularized Autoencoder" (2025), §2.4, corrected as in FORMULAS §1.
//! Incoming: a_i = Σ_j |W\[i, j\]| + β |b_i|, with W the layer's own weights \[n, in\].
//! Outgoing: a_i = Σ_k |W\[k, i\]| + β |b_i|, with W the next layer's weights \[out, n\] and b still the
//! neuron's *own* bias.

use super::activeness_grad::ActivenessGrad;
use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// Which weights of a neuron count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Those into it: rows of its own layer's matrix.
    Incoming,
    /// Those out of it: columns of the next layer's matrix.
    Outgoing,
}

impl Direction {
    /// Neurons, weights of each, and the strides of both in W.
    pub(in crate::ops) fn layout(self, rows: usize, columns: usize) -> [usize; 4] {
        match self {
            Direction::Incoming => [rows, columns, columns, 1],
            Direction::Outgoing => [columns, rows, 1, columns],
        }
    }
}

/// Activeness \[n\] of a layer's neurons for inputs (W, b \[n\]).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Activeness {
    /// Which weights count.
    pub direction: Direction,
    /// Weight β of the bias.
    pub bias_weight: f32,
}

impl Activeness {
    pub(in crate::ops) fn neurons(self, w: &Ty) -> Result<usize> {
        let (rows, columns) = matrix("activeness", "W", w)?;
        Ok(self.direction.layout(rows, columns)[0])
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let (rows, columns) = x[0].shape.matrix().unwrap_or((1, 1));
        let [_, terms, neuron_stride, term_stride] = self.direction.layout(rows, columns);
        let (w, b) = (x[0].real(), x[1].real());
        for (i, a) in y[0].real_mut().iter_mut().enumerate() {
            let weights = (0..terms).fold(T::zero(), |sum, j| sum + w[i * neuron_stride + j * term_stride].abs());
            *a = weights + T::of(f64::from(self.bias_weight)) * b[i].abs();
        }
    }
}

impl Op for Activeness {
    fn name(&self) -> &'static str {
        "activeness"
    }

    fn attributes(&self) -> String {
        format!("{:?} bias_weight={}", self.direction, self.bias_weight).to_lowercase()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [w, b] = arity("activeness", inputs)?;
        let a = Ty::f32(&[self.neurons(w)?]);
        same("activeness", "b", b, &a)?;
        Ok(vec![a])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(da) = dy[0] else { return Ok(vec![None, None]) };
        let gradients = g.push(std::sync::Arc::new(ActivenessGrad(*self)), &[x[0], x[1], da])?;
        Ok(gradients.into_iter().map(Some).collect())
    }

    crate::twin!();
}

/// `shaders/entropy/activeness.wgsl`
pub struct ActivenessKernel;

impl Kernel for ActivenessKernel {
    fn stem(&self) -> &'static str {
        "activeness"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<Activeness>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let Activeness { direction, bias_weight } = *r.op::<Activeness>()?;
        let (rows, columns) = matrix(self.stem(), "W", r.inputs[0])?;
        let layout = direction.layout(rows, columns);
        let mut params: Vec<u32> = layout.iter().map(|&p| p as u32).collect();
        params.push(bias_weight.to_bits());
        Ok(Launch::single(
            ShaderKey::plain(self.stem()),
            vec![Bind::Input(0), Bind::Input(1), Bind::Output(0)],
            params,
            Work::Groups(layout[0]),
        ))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 2.0 * r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(1e-7, 1e-5, Terms::Each, "a sum of non-negative terms, half an ULP each");
        let mut s = Samples::new("activeness");
        let mut cases = Vec::new();
        for direction in [Direction::Incoming, Direction::Outgoing] {
            for (rows, columns) in [(1, 1), (20, 20), (65, 7), (3, 131), (20, 64)] {
                let op = Activeness { direction, bias_weight: 0.5 };
                let n = direction.layout(rows, columns)[0];
                let inputs = vec![s.normal(&[rows, columns]), s.normal(&[n])];
                cases.push(Case::new(format!("{direction:?} {rows}x{columns}"), op, inputs, rounding));
            }
        }
        let op = Activeness { direction: Direction::Incoming, bias_weight: 1.0 };
        cases.push(Case::new("Incoming 64x784", op, vec![s.normal(&[64, 784]), s.normal(&[64])], rounding).benched());
        cases
    }
}
