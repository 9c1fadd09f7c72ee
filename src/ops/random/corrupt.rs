//! What noise does to a tensor: elements set to 0, or to 0 and 1, where a uniform draw says so.
//!
//! Sources: Vincent et al., "Extracting and Composing Robust Features with Denoising Autoencoders" (2008), masking
//! and salt-and-pepper noise; Srivastava et al., "Dropout" (2014), in the form that scales while training.
//! With u in [0, 1):
//!
//! * mask: y = s · x where u ≥ p, else 0; dropout is that with s = 1 / (1 − p)
//! * salt and pepper: y = 0 where u < p/2, 1 where u ≥ 1 − p/2, else x
//! * keep, the gradient of salt and pepper: y = x where p/2 ≤ u < 1 − p/2, else 0

use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, float, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// y for inputs (x, u) of one shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Corrupt {
    /// Zeros at a rate, the rest scaled.
    Mask {
        /// Share p of elements that become 0.
        rate: f32,
        /// Factor s of the others.
        scale: f32,
    },
    /// Zeros and ones at a rate, as many of each.
    SaltPepper {
        /// Share p of elements that are replaced.
        rate: f32,
    },
    /// Zeros where salt and pepper would replace.
    Keep {
        /// Share p of elements that become 0.
        rate: f32,
    },
}

impl Corrupt {
    /// Dropout at a rate: the expected value stays what it was.
    pub fn dropout(rate: f32) -> Self {
        Corrupt::Mask { rate, scale: 1.0 / (1.0 - rate) }
    }

    /// Number of the kind in the shader, the lower and upper bound of what is kept, the factor.
    pub(crate) fn parts(self) -> (u32, f32, f32, f32) {
        match self {
            Corrupt::Mask { rate, scale } => (0, rate, 1.0, scale),
            Corrupt::SaltPepper { rate } => (1, rate / 2.0, 1.0 - rate / 2.0, 1.0),
            Corrupt::Keep { rate } => (0, rate / 2.0, 1.0 - rate / 2.0, 1.0),
        }
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let (salt, low, high, scale) = self.parts();
        let [low, high, scale] = [low, high, scale].map(|bound| T::of(f64::from(bound)));
        for ((y, &x), &u) in y[0].real_mut().iter_mut().zip(x[0].real()).zip(x[1].real()) {
            *y = if u < low {
                T::zero()
            } else if u < high {
                scale * x
            } else {
                T::of(f64::from(salt))
            };
        }
    }
}

impl Op for Corrupt {
    fn name(&self) -> &'static str {
        "corrupt"
    }

    fn attributes(&self) -> String {
        match self {
            Corrupt::Mask { rate, scale } => format!("mask {rate} times {scale}"),
            Corrupt::SaltPepper { rate } => format!("salt and pepper {rate}"),
            Corrupt::Keep { rate } => format!("keep {rate}"),
        }
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x, u] = arity(self.name(), inputs)?;
        float(self.name(), "x", x)?;
        same(self.name(), "the draws", u, x)?;
        Ok(vec![x.clone()])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None, None]) };
        let same = match *self {
            Corrupt::SaltPepper { rate } => Corrupt::Keep { rate },
            mask => mask,
        };
        Ok(vec![Some(g.apply(same, &[dy, x[1]])?), None])
    }

    crate::twin!();
}

/// `shaders/random/corrupt.wgsl`
pub struct CorruptKernel;

impl Kernel for CorruptKernel {
    fn stem(&self) -> &'static str {
        "corrupt"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<Corrupt>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let n = r.inputs[0].elements();
        let (salt, low, high, scale) = r.op::<Corrupt>()?.parts();
        let params = vec![n as u32, salt, low.to_bits(), high.to_bits(), scale.to_bits()];
        let bindings = vec![Bind::Input(0), Bind::Input(1), Bind::Output(0)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(n)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, r.outputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(0.0, 2e-7, Terms::Each, "one product");
        let mut s = Samples::new("corrupt");
        let kinds = [Corrupt::Mask { rate: 0.3, scale: 1.0 }, Corrupt::dropout(0.5), Corrupt::SaltPepper { rate: 0.4 }];
        let kinds = kinds.into_iter().chain([Corrupt::Keep { rate: 0.4 }, Corrupt::SaltPepper { rate: 0.0 }]);
        let mut cases: Vec<Case> = kinds
            .zip([[1, 1], [3, 67], [65, 20], [13, 7], [5, 5]])
            .map(|(op, dims)| {
                let inputs = vec![s.normal(&dims), s.uniform(&dims, 0.0, 1.0)];
                Case::new(format!("{}x{}", dims[0], dims[1]), op, inputs, rounding)
            })
            .collect();
        let inputs = vec![s.normal(&[256, 784]), s.uniform(&[256, 784], 0.0, 1.0)];
        cases.push(Case::new("256x784", Corrupt::dropout(0.2), inputs, rounding).benched());
        cases
    }
}
