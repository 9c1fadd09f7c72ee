//! Element-wise functions of one tensor that are no activations: exponential, affine map, inverse square root.

use super::binary::Binary;
use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, float};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// Element-wise function of one tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unary {
    /// e^x
    Exp,
    /// 1/√x, for positive x.
    InverseRoot,
    /// scale · x + shift
    Affine {
        /// Factor.
        scale: f32,
        /// Summand.
        shift: f32,
    },
}

impl Unary {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        for (y, &x) in y[0].real_mut().iter_mut().zip(x[0].real()) {
            *y = match *self {
                Unary::Exp => x.exp(),
                Unary::InverseRoot => T::one() / x.sqrt(),
                Unary::Affine { scale, shift } => T::of(f64::from(scale)) * x + T::of(f64::from(shift)),
            };
        }
    }

    fn params(self, n: usize) -> Vec<u32> {
        match self {
            Unary::Exp => vec![n as u32, 0, 0, 0],
            Unary::InverseRoot => vec![n as u32, 2, 0, 0],
            Unary::Affine { scale, shift } => vec![n as u32, 1, scale.to_bits(), shift.to_bits()],
        }
    }
}

impl Op for Unary {
    fn name(&self) -> &'static str {
        "unary"
    }

    fn attributes(&self) -> String {
        match self {
            Unary::Exp => "exp".into(),
            Unary::InverseRoot => "inverse root".into(),
            Unary::Affine { scale, shift } => format!("{scale}*x+{shift}"),
        }
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x] = arity("unary", inputs)?;
        float("unary", "x", x)?;
        Ok(vec![x.clone()])
    }

    fn vjp(&self, g: &mut Graph, _x: &[Var], y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None]) };
        let dx = match *self {
            Unary::Exp => g.apply(Binary::Mul, &[dy, y[0]])?,
            Unary::InverseRoot => {
                // −½ y³
                let square = g.apply(Binary::Mul, &[y[0], y[0]])?;
                let cube = g.apply(Binary::Mul, &[square, y[0]])?;
                let slope = g.apply(Unary::Affine { scale: -0.5, shift: 0.0 }, &[cube])?;
                g.apply(Binary::Mul, &[dy, slope])?
            }
            Unary::Affine { scale, .. } => g.apply(Unary::Affine { scale, shift: 0.0 }, &[dy])?,
        };
        Ok(vec![Some(dx)])
    }

    crate::twin!();
}

/// `shaders/array/unary.wgsl`
pub struct UnaryKernel;

impl Kernel for UnaryKernel {
    fn stem(&self) -> &'static str {
        "unary"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<Unary>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let n = r.inputs[0].elements();
        let params = r.op::<Unary>()?.params(n);
        let bindings = vec![Bind::Input(0), Bind::Output(0)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(n)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 2.0 * r.outputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(1e-6, 1e-6, Terms::Each, "two roundings of values near 1");
        let exp = Tolerance::new(
            1e-7,
            2e-5,
            Terms::Each,
            "WGSL allows e^x an error of 3 + 2|x| ULP, and drivers compute it as 2^(x log2 e)",
        );
        let root = Tolerance::new(0.0, 1e-6, Terms::Each, "WGSL allows the inverse root an error of 2 ULP");
        let mut s = Samples::new("unary");
        let affine = Unary::Affine { scale: -1.5, shift: 0.25 };
        vec![
            Case::new("affine 1", affine, vec![s.normal(&[1])], rounding),
            Case::new("affine 127", affine, vec![s.normal(&[127])], rounding),
            Case::new("exp 65", Unary::Exp, vec![s.uniform(&[65], -40.0, 40.0)], exp),
            Case::new("inverse root 67", Unary::InverseRoot, vec![s.uniform(&[67], 1e-3, 40.0)], root),
            Case::new("exp 262144", Unary::Exp, vec![s.cheap(&[1 << 18])], exp).benched(),
        ]
    }
}
