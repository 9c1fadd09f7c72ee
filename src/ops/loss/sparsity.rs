//! How active a layer is: penalties that leave most of it at rest.
//!
//! Over v valid rows, with the rate of a neuron a_j = Σ_m |h_mj| / v:
//!
//! * L1 (FORMULAS §3): Σ_j a_j
//! * Bernoulli divergence from a target rate ρ (Ng, "Sparse autoencoder", CS294A, 2011):
//!   Σ_j ρ ln(ρ/a_j) + (1 − ρ) ln((1 − ρ)/(1 − a_j)), for activations between 0 and 1; a_j is kept 10⁻⁶ from both

use super::sparsity_grad::SparsityGrad;
use crate::error::{Error, Result};
use crate::graph::{Graph, Op, Var};
use crate::ops::batch::rows_per_sample;
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Dispatch, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::ops::step::clock;
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// (penalty, rates \[N\]) for inputs (H \[M, N\], clock); the rates are for the gradient and for people to see. They are
/// means over rows: where these are pixels, a neuron is a channel, and its rate one over all pixels of all samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sparsity {
    /// What a rate costs.
    pub penalty: Penalty,
    /// Rows that belong to one sample.
    pub rows_per_sample: usize,
}

/// What the rate of a neuron costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Penalty {
    /// Mean over rows of Σ|h|.
    L1,
    /// Divergence of the rates from a target.
    Divergence {
        /// The rate ρ wanted, in (0, 1).
        target: f32,
    },
}

/// How near to 0 and 1 a rate may come.
const NEAREST: f64 = 1e-6;

impl Penalty {
    /// Number of the kind in the shaders, and the target.
    pub(in crate::ops) fn parts(self) -> (u32, f32) {
        match self {
            Penalty::L1 => (0, 0.0),
            Penalty::Divergence { target } => (1, target),
        }
    }

    /// What a neuron of this rate adds.
    fn value<T: Real>(self, rate: T) -> T {
        let Penalty::Divergence { target } = self else { return rate };
        let (rho, a) = (T::of(f64::from(target)), Self::inside(rate));
        rho * (rho / a).ln() + (T::one() - rho) * ((T::one() - rho) / (T::one() - a)).ln()
    }

    /// Its derivative by the rate.
    pub(in crate::ops) fn slope<T: Real>(self, rate: T) -> T {
        let Penalty::Divergence { target } = self else { return T::one() };
        let (rho, a) = (T::of(f64::from(target)), Self::inside(rate));
        (T::one() - rho) / (T::one() - a) - rho / a
    }

    fn inside<T: Real>(rate: T) -> T {
        rate.max(T::of(NEAREST)).min(T::of(1.0 - NEAREST))
    }
}

impl Sparsity {
    pub(in crate::ops) fn infer_rows(self, op: &str, h: &Ty, clock: &Ty) -> Result<(usize, usize)> {
        let shape = matrix(op, "H", h)?;
        rows_per_sample::check(op, shape.0, self.rows_per_sample)?;
        same(op, "the clock", clock, &clock::ty())?;
        Ok(shape)
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let columns = x[0].shape.matrix().map_or(1, |(_, columns)| columns);
        let valid = rows_per_sample::valid_rows(x[1].words(), self.rows_per_sample);
        let [total, rates] = y else { return };
        for row in x[0].real().chunks_exact(columns).take(valid) {
            rates.real_mut().iter_mut().zip(row).for_each(|(rate, h)| *rate += h.abs());
        }
        let count = T::of(valid.max(1) as f64);
        rates.real_mut().iter_mut().for_each(|rate| *rate = *rate / count);
        total.real_mut()[0] = rates.real().iter().map(|&rate| self.penalty.value(rate)).sum();
    }
}

impl Op for Sparsity {
    fn name(&self) -> &'static str {
        "sparsity"
    }

    fn attributes(&self) -> String {
        let penalty = match self.penalty {
            Penalty::L1 => "l1".into(),
            Penalty::Divergence { target } => format!("divergence from {target}"),
        };
        rows_per_sample::attributes(penalty, self.rows_per_sample)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [h, clock] = arity(self.name(), inputs)?;
        let (_, columns) = self.infer_rows(self.name(), h, clock)?;
        Ok(vec![Ty::f32(&[]), Ty::f32(&[columns])])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        if dy[1].is_some() {
            return Err(Error::graph(self.name(), "only the penalty can be differentiated, not the rates"));
        }
        let Some(dy) = dy[0] else { return Ok(vec![None; 2]) };
        Ok(vec![Some(g.apply(SparsityGrad(*self), &[x[0], x[1], y[1], dy])?), None])
    }

    crate::twin!();
}

/// `shaders/loss/sparsity_rates.wgsl`, one workgroup a neuron, then `sparsity_total.wgsl`.
pub struct SparsityKernel;

impl Kernel for SparsityKernel {
    fn stem(&self) -> &'static str {
        "sparsity"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<Sparsity>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (_, n) = matrix(self.stem(), "H", r.inputs[0])?;
        let Sparsity { penalty, rows_per_sample } = *r.op::<Sparsity>()?;
        let (kind, target) = penalty.parts();
        let bindings = vec![Bind::Input(0), Bind::Input(1), Bind::Output(1)];
        let params = vec![n as u32, rows_per_sample as u32];
        let rates = Dispatch::new(ShaderKey::plain("sparsity_rates"), bindings, params, Work::Groups(n));
        let bindings = vec![Bind::Output(1), Bind::Output(0)];
        let params = vec![n as u32, kind, target.to_bits()];
        let total = Dispatch::new(ShaderKey::plain("sparsity_total"), bindings, params, Work::Groups(1));
        Ok(Launch { dispatches: vec![rates, total], scratch: Vec::new() })
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 2.0 * r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let why = "sums of positive terms in a tree, and WGSL's log at 3 ULP of values near 1";
        cases("sparsity", |op, inputs, label| {
            Case::new(label, op, inputs, Tolerance::new(1e-6, 2e-5, Terms::Largest, why))
        })
    }
}

/// Cases for both kernels.
pub(in crate::ops) fn cases(stem: &str, make: impl Fn(Sparsity, Vec<HostTensor<f32>>, String) -> Case) -> Vec<Case> {
    let mut s = Samples::new(stem);
    let mut cases = Vec::new();
    let divergence = Penalty::Divergence { target: 0.05 };
    for (penalty, m, n, valid, rows_per_sample) in [
        (Penalty::L1, 1, 1, 1, 1),
        (Penalty::L1, 67, 13, 41, 1),
        (divergence, 1, 2, 1, 1),
        (divergence, 65, 7, 60, 1),
        (Penalty::L1, 1024, 64, 1000, 1),
        (divergence, 128, 100, 128, 1),
        (Penalty::L1, 6, 5, 1, 3),
        (divergence, 130, 7, 9, 10),
    ] {
        let h = match penalty {
            Penalty::L1 => s.normal(&[m, n]),
            Penalty::Divergence { .. } => s.uniform(&[m, n], 0.02, 0.9),
        };
        let case = make(
            Sparsity { penalty, rows_per_sample },
            vec![h, clock::with_valid_rows(valid)],
            format!("{m}x{n} of {rows_per_sample}, {valid} valid"),
        );
        cases.push(if m == 1024 { case.benched() } else { case });
    }
    cases
}
