//! Gradients scaled down together where their common norm is too large.
//!
//! Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks" (2013); as
//! PyTorch's `clip_grad_norm_`: g ← g · min(1, c / (‖g‖ + 1e-6)), ‖g‖ over the elements of all tensors. A norm that
//! is not finite leaves them as they are, so that what is wrong is seen and not hidden.
//!
//! Two stages, no atomics: every workgroup adds the squares of a strided share of all tensors; then every workgroup
//! adds the shares, in the same order, and scales its part, if it has to be scaled.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::graph::Op;
use crate::ops::array::sum_all::pairwise_sum;
use crate::ops::kernel::check::float;
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Dispatch, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// Gradients with a norm of at most `limit`, for the gradients of all tensors. Outputs overwrite their inputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClipNorm {
    /// The largest norm c.
    pub limit: f32,
    /// Number of tensors.
    pub tensors: usize,
}

impl ClipNorm {
    /// What gradients whose squares add up to `squares` are multiplied by.
    pub(crate) fn scale<T: Real>(&self, squares: T) -> T {
        let norm = squares.sqrt();
        let scale = T::of(f64::from(self.limit)) / (norm + T::of(1e-6));
        if norm.is_finite() && scale < T::one() { scale } else { T::one() }
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let squares = |g: &&HostTensor<T>| pairwise_sum(&g.real().iter().map(|&g| g * g).collect::<Vec<T>>());
        let scale = self.scale(x.iter().map(squares).sum::<T>());
        for (y, x) in y.iter_mut().zip(x) {
            y.real_mut().iter_mut().zip(x.real()).for_each(|(y, &g)| *y = scale * g);
        }
    }
}

impl Op for ClipNorm {
    fn name(&self) -> &'static str {
        "clip_norm"
    }

    fn attributes(&self) -> String {
        format!("{} tensors to {}", self.tensors, self.limit)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        if self.tensors == 0 || inputs.len() != self.tensors {
            return Err(Error::graph(self.name(), format!("takes {} inputs, got {}", self.tensors, inputs.len())));
        }
        inputs.iter().try_for_each(|input| float(self.name(), "a gradient", input))?;
        Ok(inputs.iter().map(|&ty| ty.clone()).collect())
    }

    fn aliases(&self) -> Vec<(usize, usize)> {
        (0..self.tensors).map(|t| (t, t)).collect()
    }

    fn packed_inputs(&self, inputs: usize) -> Vec<(&'static str, Range<usize>)> {
        vec![("grads", 0..inputs)]
    }

    crate::twin!();
}

/// Workgroups of the first stage, and the shares that they leave.
const SHARES: usize = 64;

/// Elements that an invocation of the second stage takes: `EACH` vectors of four.
const SCALED: usize = 16;

/// `shaders/step/clip_norm_squares.wgsl`, `shaders/step/clip_norm_scale.wgsl`
pub struct ClipNormKernel;

impl Kernel for ClipNormKernel {
    fn stem(&self) -> &'static str {
        "clip_norm"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<ClipNorm>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let op = r.op::<ClipNorm>()?;
        let n = r.inputs.len();
        let words = crate::ops::packed_words(r.inputs);
        let squares = Dispatch::new(
            ShaderKey { constants: vec![("TENSORS", n as u32)], ..ShaderKey::plain("clip_norm_squares") },
            vec![Bind::Inputs(0..n), Bind::Scratch(0)],
            crate::ops::packed_table(r.inputs),
            Work::Groups(SHARES),
        );
        let scale = Dispatch::new(
            ShaderKey::plain("clip_norm_scale"),
            vec![Bind::Scratch(0), Bind::Inputs(0..n)],
            vec![words.div_ceil(4) as u32, op.limit.to_bits()],
            Work::Invocations(words.div_ceil(SCALED)),
        );
        Ok(Launch { dispatches: vec![squares, scale], scratch: vec![4 * SHARES] })
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let elements: usize = r.inputs.iter().map(|ty| ty.elements()).sum();
        Ok(Cost { flops: 3.0 * elements as f64, bytes: 12.0 * elements as f64 })
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(
            1e-9,
            5e-5,
            Terms::Each,
            "the root halves the error of a sum of positive terms, at most a thousand of them in a row; a few \
             roundings more, among them WGSL's division and root at 2.5 ULP",
        );
        let mut s = Samples::new("clip_norm");
        let mut case = |label: &str, limit: f32, shapes: &[&[usize]]| {
            let inputs = shapes.iter().map(|shape| s.normal(shape)).collect();
            Case::new(label, ClipNorm { limit, tensors: shapes.len() }, inputs, rounding)
        };
        let mut cases = vec![
            case("1", 0.01, &[&[1]]),
            case("tensors of 67, 64 and 1", 1.0, &[&[67], &[8, 8], &[1]]),
            case("short enough", 100.0, &[&[67], &[8, 8], &[1]]),
            case("ragged", 0.5, &[&[1], &[3], &[5, 7], &[1009], &[2, 333], &[65]]),
            case("64x784, 64, 784x64, 784", 1.0, &[&[64, 784], &[64], &[784, 64], &[784]]).benched(),
        ];
        let exact = Tolerance::new(0.0, 0.0, Terms::Each, "nothing is multiplied");
        let op = |tensors: usize| ClipNorm { limit: 1.0, tensors };
        let infinite =
            [HostTensor::from_f32(&[3], &[1.0, f32::INFINITY, -2.0]), HostTensor::from_f32(&[2], &[0.5, 4.0])];
        cases.push(Case::new("infinite", op(2), infinite.to_vec(), exact));
        cases.push(Case::new("nothing", op(1), vec![HostTensor::from_f32(&[5], &[0.0; 5])], exact));
        cases
    }
}
