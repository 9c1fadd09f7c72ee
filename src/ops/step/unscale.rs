//! The end of loss scaling: gradients of a loss that was multiplied by a scale, divided by it again.
//!
//! Source: Micikevicius et al., "Mixed Precision Training" (2018); the scale moves as PyTorch's `GradScaler` moves it. Factors of
//! f16 know nothing below 6e-8, and gradients are small: the loss is multiplied by a power of two S, and so is every gradient,
//! without rounding. If one of them is not finite, S was too large: the step moves no parameter and S is halved. After
//! [`STREAK`] steps without one S is doubled, up to [`LARGEST`]. At a scale of 1 nothing is held back: what is not finite then
//! is wrong without scaling too, and has to be seen.
//!
//! Three stages, no atomics: every workgroup looks at a strided share of all gradients, and one copies the clock for the
//! optimiser; then each looks at what all have seen and divides its part; then one invocation moves scale and streak on, and sets
//! the copy's latch if this step moves nothing. Of gradients that are not finite nothing is written.

use std::ops::Range;

use super::clock;
use crate::error::{Error, Result};
use crate::graph::Op;
use crate::ops::kernel::check::{float, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Dispatch, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// Steps without a gradient that is not finite after which the scale is doubled.
pub const STREAK: f32 = 2000.0;

/// The largest scale, 2²⁴: f32 counts whole numbers up to it.
pub const LARGEST: f32 = 16_777_216.0;

/// Gradients divided by their scale, for inputs (clock, scale, streak, g…). Outputs: the clock that an optimiser is given, then
/// scale, streak and gradients over their inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unscale {
    /// Number of gradients.
    pub tensors: usize,
}

/// Scale and streak after a step whose gradients were all finite, or not, and whether it moves nothing.
pub(crate) fn settled(is_finite: bool, [scale, streak]: [f32; 2]) -> ([f32; 2], bool) {
    match (is_finite, scale > 1.0) {
        (false, true) => ([scale / 2.0, 0.0], true),
        (false, false) => ([scale, 0.0], false),
        (true, _) if streak + 1.0 >= STREAK => ([(2.0 * scale).min(LARGEST), 0.0], false),
        (true, _) => ([scale, streak + 1.0], false),
    }
}

impl Unscale {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let [clock, scale, streak, gradients @ ..] = x else { return };
        let is_finite = gradients.iter().all(|g| g.real().iter().all(|g| g.is_finite()));
        if is_finite {
            let inverse = T::one() / scale.scalar();
            for (y, g) in y[3..].iter_mut().zip(gradients) {
                y.real_mut().iter_mut().zip(g.real()).for_each(|(y, &g)| *y = g * inverse);
            }
        } else {
            y[3..].iter_mut().zip(gradients).for_each(|(y, g)| y.real_mut().copy_from_slice(g.real()));
        }
        let before = [scale, streak].map(|it| it.scalar().f64() as f32);
        let mut words = clock.words().to_vec();
        let mut after = before;
        if words[clock::BAD_STEP] == 0 {
            let (moved, held) = settled(is_finite, before);
            after = moved;
            words[clock::BAD_STEP] = if held { words[clock::STEP] + 1 } else { 0 };
        }
        y[0].words_mut().copy_from_slice(&words);
        y[1].real_mut()[0] = T::of(f64::from(after[0]));
        y[2].real_mut()[0] = T::of(f64::from(after[1]));
    }
}

impl Op for Unscale {
    fn name(&self) -> &'static str {
        "unscale"
    }

    fn attributes(&self) -> String {
        format!("{} tensors", self.tensors)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [clock, scale, streak, gradients @ ..] = inputs else {
            return Err(Error::graph(self.name(), "takes a clock, a scale, a streak and gradients"));
        };
        if self.tensors == 0 || gradients.len() != self.tensors {
            let problem = format!("takes {} gradients, got {}", self.tensors, gradients.len());
            return Err(Error::graph(self.name(), problem));
        }
        same(self.name(), "the clock", clock, &clock::ty())?;
        same(self.name(), "the scale", scale, &Ty::f32(&[]))?;
        same(self.name(), "the streak", streak, &Ty::f32(&[]))?;
        gradients.iter().try_for_each(|gradient| float(self.name(), "a gradient", gradient))?;
        Ok(inputs.iter().map(|&ty| ty.clone()).collect())
    }

    fn aliases(&self) -> Vec<(usize, usize)> {
        (1..3 + self.tensors).map(|t| (t, t)).collect()
    }

    fn packed_inputs(&self, inputs: usize) -> Vec<(&'static str, Range<usize>)> {
        vec![("grads", 3..inputs)]
    }

    crate::twin!();
}

/// Workgroups of the first stage, and what they have seen.
const SHARES: usize = 64;

/// Elements that an invocation of the second stage takes: `EACH` vectors of four.
const SCALED: usize = 16;

/// `shaders/step/unscale_look.wgsl`, `shaders/step/unscale_divide.wgsl`, `shaders/step/unscale_settle.wgsl`
pub struct UnscaleKernel;

impl Kernel for UnscaleKernel {
    fn stem(&self) -> &'static str {
        "unscale"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<Unscale>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let gradients = &r.inputs[3..];
        let n = gradients.len();
        let words = crate::ops::packed_words(gradients);
        let look = Dispatch::new(
            ShaderKey { constants: vec![("TENSORS", n as u32)], ..ShaderKey::plain("unscale_look") },
            vec![Bind::Inputs(3..3 + n), Bind::Input(0), Bind::Scratch(0), Bind::Output(0)],
            crate::ops::packed_table(gradients),
            Work::Groups(SHARES),
        );
        let divide = Dispatch::new(
            ShaderKey::plain("unscale_divide"),
            vec![Bind::Scratch(0), Bind::Input(1), Bind::Inputs(3..3 + n)],
            vec![words.div_ceil(4) as u32],
            Work::Invocations(words.div_ceil(SCALED)),
        );
        let settle = Dispatch::new(
            ShaderKey::plain("unscale_settle"),
            vec![Bind::Scratch(0), Bind::Output(0), Bind::Output(1), Bind::Output(2)],
            vec![STREAK.to_bits(), LARGEST.to_bits()],
            Work::Groups(1),
        );
        Ok(Launch { dispatches: vec![look, divide, settle], scratch: vec![4 * SHARES] })
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let elements: usize = r.inputs[3..].iter().map(|ty| ty.elements()).sum();
        Ok(Cost { flops: elements as f64, bytes: 12.0 * elements as f64 })
    }

    fn cases(&self) -> Vec<Case> {
        let exact = Tolerance::new(0.0, 0.0, Terms::Each, "the scale is a power of two");
        let mut s = Samples::new("unscale");
        let mut case =
            |label: &str, [scale, streak]: [f32; 2], latched: u32, shapes: &[&[usize]], bad: &[(usize, f32)]| {
                let mut words = clock::start(1000, 64, true, 1);
                (words[clock::STEP], words[clock::BAD_STEP]) = (7, latched);
                let scalar = |value: f32| HostTensor::from_f32(&[], &[value]);
                let mut inputs = vec![HostTensor::from_words(&[clock::WORDS], &words), scalar(scale), scalar(streak)];
                inputs.extend(shapes.iter().map(|shape| s.normal(shape)));
                for &(element, value) in bad {
                    // Counted from the end of the last gradient.
                    let last = inputs.len() - 1;
                    let values = inputs[last].real_mut();
                    let place = values.len() - 1 - element;
                    values[place] = value;
                }
                Case::new(label, Unscale { tensors: shapes.len() }, inputs, exact)
            };
        let ragged: &[&[usize]] = &[&[1], &[3], &[5, 7], &[1009], &[2, 333], &[65]];
        let most = STREAK - 1.0;
        vec![
            case("1", [65536.0, 0.0], 0, &[&[1]], &[]),
            case("ragged", [1024.0, 5.0], 0, ragged, &[]),
            case("a streak ends", [1024.0, most], 0, ragged, &[]),
            case("a streak at the largest", [LARGEST, most], 0, &[&[67]], &[]),
            case("infinite at the end", [1024.0, 5.0], 0, ragged, &[(0, f32::INFINITY)]),
            case("not a number in the middle", [65536.0, 5.0], 0, &[&[67], &[64, 784]], &[(30_001, f32::NAN)]),
            case("infinite at the end of a streak", [2.0, most], 0, &[&[67]], &[(66, f32::NEG_INFINITY)]),
            case("infinite without a scale", [1.0, 5.0], 0, &[&[67]], &[(3, f32::INFINITY)]),
            case("latched before", [1024.0, 5.0], 3, &[&[67]], &[(3, f32::INFINITY)]),
            case("64x784, 64, 784x64, 784", [65536.0, 9.0], 0, &[&[64, 784], &[64], &[784, 64], &[784]], &[]).benched(),
        ]
    }
}
