//! Activations of a layer: ReLU, leaky ReLU, sigmoid, hyperbolic tangent, softplus, or none.
//!
//! relu(x) = max(x, 0), with slope 0 at 0; leaky(x) = x, or x/100 where x < 0 (PyTorch's default; its slope at 0 is that of
//! the left), or x/5 (what discriminators of images have, Radford et al., 2016); σ(x) = 1 / (1 + e^{−x}); softplus(x) = max(x, 0) + log1p(e^{−|x|}).

use super::activation_grad::ActivationGrad;
use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, float};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// The non-linearity of a layer. The numbers are those of `shaders/common/activation_value.wgsl`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u32)]
pub enum Activation {
    /// The value itself.
    #[default]
    Identity = 0,
    /// max(x, 0)
    Relu = 1,
    /// 1 / (1 + e^{−x})
    Sigmoid = 2,
    /// (e^x − e^{−x}) / (e^x + e^{−x})
    Tanh = 3,
    /// x, or x / 100 below 0
    LeakyRelu = 4,
    /// log(1 + e^x)
    Softplus = 5,
    /// x, or x / 5 below 0
    #[serde(rename = "leaky-relu-0.2")]
    LeakierRelu = 6,
}

impl Activation {
    /// All of them.
    pub const ALL: [Activation; 7] = [
        Activation::Identity,
        Activation::Relu,
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::LeakyRelu,
        Activation::Softplus,
        Activation::LeakierRelu,
    ];

    /// Slope of the leaky ReLU below 0.
    pub const LEAK: f32 = 0.01;

    /// That of the one that leaks more.
    pub const LARGER_LEAK: f32 = 0.2;

    /// Its name in a configuration.
    pub fn word(self) -> &'static str {
        match self {
            Activation::Identity => "identity",
            Activation::Relu => "relu",
            Activation::Sigmoid => "sigmoid",
            Activation::Tanh => "tanh",
            Activation::LeakyRelu => "leaky-relu",
            Activation::Softplus => "softplus",
            Activation::LeakierRelu => "leaky-relu-0.2",
        }
    }

    /// Value at `x`.
    pub fn value<T: Real>(self, x: T) -> T {
        match self {
            Activation::Identity => x,
            // A selection, not a maximum: a NaN passes, so that the loss can show it.
            Activation::Relu if x < T::zero() => T::zero(),
            Activation::Relu => x,
            Activation::Sigmoid => T::one() / (T::one() + (-x).exp()),
            Activation::Tanh => x.tanh(),
            Activation::LeakyRelu if x < T::zero() => T::of(f64::from(Self::LEAK)) * x,
            Activation::LeakierRelu if x < T::zero() => T::of(f64::from(Self::LARGER_LEAK)) * x,
            Activation::LeakyRelu | Activation::LeakierRelu => x,
            Activation::Softplus if x < T::zero() => x.exp().ln_1p(),
            Activation::Softplus => x + (-x).exp().ln_1p(),
        }
    }

    /// Slope where the value is `y`: all are functions of their own output.
    pub fn slope<T: Real>(self, y: T) -> T {
        match self {
            Activation::Identity => T::one(),
            Activation::Relu if y > T::zero() => T::one(),
            Activation::Relu => T::zero(),
            Activation::Sigmoid => y * (T::one() - y),
            Activation::Tanh => (T::one() - y) * (T::one() + y),
            Activation::LeakyRelu | Activation::LeakierRelu if y > T::zero() => T::one(),
            Activation::LeakyRelu => T::of(f64::from(Self::LEAK)),
            Activation::LeakierRelu => T::of(f64::from(Self::LARGER_LEAK)),
            Activation::Softplus => -(-y).exp_m1(),
        }
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        for (y, &x) in y[0].real_mut().iter_mut().zip(x[0].real()) {
            *y = self.value(x);
        }
    }
}

impl Op for Activation {
    fn name(&self) -> &'static str {
        "activation"
    }

    fn attributes(&self) -> String {
        self.word().into()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x] = arity("activation", inputs)?;
        float("activation", "x", x)?;
        Ok(vec![x.clone()])
    }

    fn vjp(&self, g: &mut Graph, _x: &[Var], y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None]) };
        Ok(vec![Some(g.apply(ActivationGrad(*self), &[dy, y[0]])?)])
    }

    crate::twin!();
}

/// Tolerance of a sigmoid in WGSL.
pub(in crate::ops) const SIGMOID: Tolerance = Tolerance::new(
    2e-6,
    1e-5,
    Terms::Each,
    "WGSL allows e^x an error of 3 + 2|x| ULP, halved in relative terms by the quotient",
);

/// Tolerance of tanh, leaky ReLU and softplus in WGSL.
pub(in crate::ops) const SMOOTH: Tolerance =
    Tolerance::new(2e-6, 1e-5, Terms::Each, "an exponential as for the sigmoid, series exact to 1e-7, or a product");

/// `shaders/array/activation.wgsl`
pub struct ActivationKernel;

impl Kernel for ActivationKernel {
    fn stem(&self) -> &'static str {
        "activation"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<Activation>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let n = r.inputs[0].elements();
        let kind = *r.op::<Activation>()?;
        let bindings = vec![Bind::Input(0), Bind::Output(0)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, vec![n as u32, kind as u32], Work::Invocations(n)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 4.0 * r.outputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let exact = Tolerance::new(0.0, 0.0, Terms::Each, "a comparison rounds nothing");
        let mut s = Samples::new("activation");
        let mut cases = vec![
            Case::new("identity 5", Activation::Identity, vec![s.normal(&[5])], exact),
            Case::new(
                "sigmoid at the ends",
                Activation::Sigmoid,
                vec![HostTensor::from_f32(&[7], &[-1e4, -104.0, -88.0, 0.0, 88.0, 104.0, 1e4])],
                SIGMOID,
            ),
        ];
        for n in [1, 64, 65, 1013] {
            cases.push(Case::new(format!("relu {n}"), Activation::Relu, vec![s.normal(&[n])], exact));
            cases.push(Case::new(
                format!("sigmoid {n}"),
                Activation::Sigmoid,
                vec![s.uniform(&[n], -20.0, 20.0)],
                SIGMOID,
            ));
            for op in [Activation::Tanh, Activation::LeakyRelu, Activation::Softplus, Activation::LeakierRelu] {
                cases.push(Case::new(format!("{} {n}", op.word()), op, vec![s.uniform(&[n], -12.0, 12.0)], SMOOTH));
            }
        }
        for op in [Activation::Tanh, Activation::LeakyRelu, Activation::Softplus, Activation::LeakierRelu] {
            let x = [-1e4, -104.0, -88.0, -0.625, -1e-3, 1e-6, 0.3, 0.624, 88.0, 104.0, 1e4];
            let label = format!("{} at the ends", op.word());
            cases.push(Case::new(label, op, vec![HostTensor::from_f32(&[x.len()], &x)], SMOOTH));
        }
        cases.push(Case::new("sigmoid 128x784", Activation::Sigmoid, vec![s.normal(&[128, 784])], SIGMOID).benched());
        cases
    }
}
