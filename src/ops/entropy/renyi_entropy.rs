//! Rényi entropy of a vector of non-negative weights, in nats, and its gradient.
//!
//! Source: FORMULAS §1. S = Σ a, p = a / S, H_α = M_{1−α}\[−log p; p\], where M_t is the tilted mean
//! (1/t) log Σ p e^{ty} (`tilted_mean.rs`). Shannon's entropy is α = 1, the log of the support α = 0,
//! −log max p α = ∞.
//!
//! dH/da_k = −(α/S) y_k φ((α − 1) y_k), y_k = log p_k + H, φ(x) = expm1(x)/x. At α = ∞ it is 1/S, less
//! 1/(m max a) for each of the m largest weights: the limit of the formula, under which the gradient
//! stays orthogonal to a however many are tied. A zero weight at α ≤ 1 has an infinite slope, masked to
//! 0 as it is at every other order, so that a dead weight stays dead; all weights zero: H = log n,
//! gradient 0.

use super::tilted_mean::{tilted_mean, tilted_slope};
use crate::error::{Error, Result};
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, same, vector};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// H_α of a vector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RenyiEntropy {
    /// Order α in \[0, ∞\].
    pub alpha: f32,
}

impl RenyiEntropy {
    /// α and 1 − α for a shader, zeros at infinity, which shaders are told by a flag.
    pub(in crate::ops) fn order(self) -> [f32; 2] {
        if self.alpha.is_infinite() { [0.0; 2] } else { [self.alpha, (1.0 - f64::from(self.alpha)) as f32] }
    }

    /// Entropy and total weight.
    fn entropy<T: Real>(self, a: &[T]) -> (T, T) {
        let total = crate::ops::array::sum_all::pairwise_sum(a);
        if total <= T::zero() {
            return (T::of(a.len() as f64).ln(), T::zero());
        }
        let support = || a.iter().filter(|&&a| a > T::zero()).map(move |&a| a / total);
        (tilted_mean(self.alpha, support().map(|p| (p, T::zero()))), total)
    }

    /// dH/da of one weight; `largest` is the largest and how many are equal to it.
    fn slope<T: Real>(self, a: T, entropy: T, total: T, largest: (T, T)) -> T {
        if total <= T::zero() || a <= T::zero() {
            return T::zero();
        }
        if self.alpha.is_infinite() {
            let (value, count) = largest;
            return T::one() / total - if a == value { T::one() / (count * value) } else { T::zero() };
        }
        tilted_slope(self.alpha, total, (a / total).ln() + entropy)
    }

    fn gradient<T: Real>(self, a: &[T], entropy: T, total: T, dy: T, da: &mut [T]) {
        let largest = a.iter().fold(T::zero(), |most, &a| most.max(a));
        let count = T::of(a.iter().filter(|&&a| a == largest).count() as f64);
        for (da, &a) in da.iter_mut().zip(a) {
            *da = dy * self.slope(a, entropy, total, (largest, count));
        }
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        y[0].real_mut()[0] = self.entropy(x[0].real()).0;
    }
}

impl Op for RenyiEntropy {
    fn name(&self) -> &'static str {
        "renyi_entropy"
    }

    fn attributes(&self) -> String {
        format!("alpha={}", self.alpha)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [a] = arity(self.name(), inputs)?;
        vector(self.name(), "a", a)?;
        if self.alpha.is_nan() || self.alpha < 0.0 {
            return Err(Error::graph(self.name(), format!("the order must be 0 or more, got {}", self.alpha)));
        }
        Ok(vec![Ty::f32(&[])])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None]) };
        Ok(vec![Some(g.apply(RenyiEntropyGrad(*self), &[x[0], dy])?)])
    }

    crate::twin!();
}

/// da for inputs (a, dH).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RenyiEntropyGrad(pub RenyiEntropy);

impl RenyiEntropyGrad {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let (entropy, total) = self.0.entropy(x[0].real());
        self.0.gradient(x[0].real(), entropy, total, x[1].scalar(), y[0].real_mut());
    }
}

impl Op for RenyiEntropyGrad {
    fn name(&self) -> &'static str {
        "renyi_entropy_grad"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [a, dy] = arity(self.name(), inputs)?;
        vector(self.name(), "a", a)?;
        same(self.name(), "dH", dy, &Ty::f32(&[]))?;
        Ok(vec![a.clone()])
    }

    crate::twin!();
}

/// (H, da) for inputs (a, dH).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RenyiEntropyPair(pub RenyiEntropy);

impl RenyiEntropyPair {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let (entropy, total) = self.0.entropy(x[0].real());
        y[0].real_mut()[0] = entropy;
        self.0.gradient(x[0].real(), entropy, total, x[1].scalar(), y[1].real_mut());
    }
}

impl Op for RenyiEntropyPair {
    fn name(&self) -> &'static str {
        "renyi_entropy_pair"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        Ok([vec![Ty::f32(&[])], RenyiEntropyGrad(self.0).infer(inputs)?].concat())
    }

    crate::twin!();
}

/// `shaders/entropy/renyi_entropy.wgsl`: any of the three operations above, by one workgroup.
pub struct RenyiEntropyKernel;

impl RenyiEntropyKernel {
    /// The entropy, and which outputs hold value and gradient.
    fn parts(op: &dyn Op) -> Option<(RenyiEntropy, Option<usize>, Option<usize>)> {
        if let Some(op) = op.downcast::<RenyiEntropy>() {
            return Some((*op, Some(0), None));
        }
        if let Some(op) = op.downcast::<RenyiEntropyGrad>() {
            return Some((op.0, None, Some(0)));
        }
        op.downcast::<RenyiEntropyPair>().map(|op| (op.0, Some(0), Some(1)))
    }
}

impl Kernel for RenyiEntropyKernel {
    fn stem(&self) -> &'static str {
        "renyi_entropy"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        Self::parts(op).is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (op, value, gradient) = Self::parts(r.op).ok_or_else(|| r.foreign())?;
        let n = r.inputs[0].elements();
        // Whichever output is not wanted goes to scratch.
        let output = |port: Option<usize>, scratch: usize| port.map_or(Bind::Scratch(scratch), Bind::Output);
        let seed = if gradient.is_some() { Bind::Input(1) } else { Bind::Input(0) };
        let mut launch = Launch::single(
            ShaderKey::plain(self.stem()),
            vec![Bind::Input(0), seed, output(value, 0), output(gradient, 1)],
            // WGSL has no infinity: infinite orders are flagged.
            vec![
                n as u32,
                u32::from(op.alpha.is_infinite()),
                op.alpha.min(f32::MAX).to_bits(),
                (1.0 - op.alpha.min(f32::MAX)).to_bits(),
            ],
            Work::Groups(1),
        );
        launch.scratch = vec![4, n * 4];
        Ok(launch)
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 40.0 * r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(
            4e-6,
            4e-5,
            Terms::Largest,
            "the golden vectors' bound of 1e-5, times 4 for WGSL's log and exp at 3 to 20 ULP",
        );
        let mut s = Samples::new("renyi_entropy");
        let dy = HostTensor::from_f32(&[], &[0.3]);
        let mut cases = Vec::new();
        for alpha in [0.0, 0.04, 0.5, 0.999, 1.0 - 1e-6, 1.0, 1.0 + 1e-6, 2.0, 5.0, f32::INFINITY] {
            for n in [1, 2, 20, 65, 1009] {
                let op = RenyiEntropy { alpha };
                let a = s.uniform(&[n], 0.0, 3.0);
                let inputs = vec![a.clone(), dy.clone()];
                let case = Case::new(format!("both {n} alpha={alpha}"), RenyiEntropyPair(op), inputs.clone(), rounding);
                cases.push(if n == 1009 && alpha == 0.04 { case.benched() } else { case });
                if n == 20 {
                    cases.push(Case::new(format!("value {n} alpha={alpha}"), op, vec![a], rounding));
                    cases.push(Case::new(
                        format!("gradient {n} alpha={alpha}"),
                        RenyiEntropyGrad(op),
                        inputs,
                        rounding,
                    ));
                }
            }
            let mut sparse = s.uniform(&[67], -1.0, 1.0);
            sparse.real_mut().iter_mut().for_each(|a| *a = a.max(0.0));
            cases.push(Case::new(
                format!("half zero alpha={alpha}"),
                RenyiEntropyPair(RenyiEntropy { alpha }),
                vec![sparse, dy.clone()],
                rounding,
            ));
            let mut tied = s.uniform(&[71], 0.0, 3.0);
            for i in [0, 5, 70] {
                tied.real_mut()[i] = 3.0;
            }
            let op = RenyiEntropyPair(RenyiEntropy { alpha });
            cases.push(Case::new(format!("three largest alpha={alpha}"), op, vec![tied, dy.clone()], rounding));
            let zeros = HostTensor::from_f32(&[9], &[0.0; 9]);
            let op = RenyiEntropyPair(RenyiEntropy { alpha });
            cases.push(Case::new(format!("all zero alpha={alpha}"), op, vec![zeros, dy.clone()], rounding));
        }
        cases
    }
}
