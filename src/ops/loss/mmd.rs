//! How far a set of codes is from a set of draws: the squared maximum mean discrepancy, unbiased.
//!
//! Source: Gretton et al., "A Kernel Two-Sample Test" (2012), the U-statistic; Tolstikhin et al., "Wasserstein
//! Auto-Encoders" (2018), which penalises it with the inverse multiquadric kernel; FORMULAS §3. For m codes z, n draws
//! y and a kernel k of the squared distance D,
//!
//! Σ_{i≠j} k(z_i, z_j)/(m(m − 1)) + Σ_{i≠j} k(y_i, y_j)/(n(n − 1)) − 2 Σ_{ij} k(z_i, y_j)/(mn)
//!
//! with the scale c = 2d, what two draws from a standard normal distribution in d dimensions are apart on average. A
//! mean over no pairs at all counts as 0. The value is below 0 for half of all pairs of sets from one distribution.

use super::mmd_grad::MmdGrad;
use crate::error::{Error, Result};
use crate::graph::{Graph, Op, Var};
use crate::ops::array::sum_all;
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Dispatch, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::ops::step::clock;
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// The discrepancy, a scalar, for inputs (codes \[M, d\], draws \[K, d\], clock), under a kernel. Padding is left out of
/// both: of the draws as many rows at the end as the codes have rows of padding. Draws get no gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mmd {
    /// The inverse multiquadric kernel, c/(c + D).
    Imq,
    /// The Gaussian or radial basis function kernel, e^{−D/c}.
    Rbf,
    /// Inverse multiquadric kernels of several scales, .1, .2, .5, 1, 2, 5 and 10 times c, added.
    ImqMulti,
}

/// The scales of [`Mmd::ImqMulti`] as multiples of c.
const SCALES: [f64; 7] = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];

/// Squared distance of two points.
pub(in crate::ops) fn squared_distance<T: Real>(a: &[T], b: &[T]) -> T {
    a.iter().zip(b).fold(T::zero(), |sum, (&a, &b)| sum + (a - b) * (a - b))
}

/// Codes and draws that count, row by row.
pub(in crate::ops) fn valid_rows<'a, T: Real>(x: &[&'a HostTensor<T>]) -> [Vec<&'a [T]>; 2] {
    let columns = x[0].shape.matrix().map_or(1, |(_, columns)| columns);
    let rows = |x: &'a HostTensor<T>| x.real().chunks_exact(columns);
    let codes = rows(x[0]).len();
    let padding = codes - clock::valid_rows(x[2].words()).min(codes);
    [0, 1].map(|set| rows(x[set]).take(rows(x[set]).len().saturating_sub(padding)).collect())
}

/// 1 over a number of pairs, 0 where there are none.
pub(in crate::ops) fn share<T: Real>(pairs: usize) -> T {
    if pairs == 0 { T::zero() } else { T::one() / T::of(pairs as f64) }
}

impl Mmd {
    pub(in crate::ops) fn infer_rows(op: &str, codes: &Ty, draws: &Ty, clock: &Ty) -> Result<()> {
        let ((_, d), (_, other)) = (matrix(op, "the codes", codes)?, matrix(op, "the draws", draws)?);
        if d != other {
            return Err(Error::graph(op, format!("draws must have {d} columns as the codes, got {draws}")));
        }
        same(op, "the clock", clock, &clock::ty())
    }

    /// The words of the uniform block of both kernels.
    pub(in crate::ops) fn params(self, r: &Request<'_>) -> Result<Vec<u32>> {
        let ((codes, d), (draws, _)) =
            (matrix(r.op.name(), "the codes", r.inputs[0])?, matrix(r.op.name(), "the draws", r.inputs[1])?);
        Ok(vec![codes as u32, draws as u32, d as u32, self as u32, (2.0 * d as f32).to_bits()])
    }

    /// The kernel at squared distance `d` between points of `dimensions`.
    fn value<T: Real>(self, dimensions: usize, d: T) -> T {
        let c = T::of(2.0 * dimensions as f64);
        match self {
            Mmd::Imq => c / (c + d),
            Mmd::Rbf => (-d / c).exp(),
            Mmd::ImqMulti => SCALES.iter().map(|&s| c * T::of(s)).map(|c| c / (c + d)).sum(),
        }
    }

    /// Its derivative by that distance.
    pub(in crate::ops) fn slope<T: Real>(self, dimensions: usize, d: T) -> T {
        let c = T::of(2.0 * dimensions as f64);
        match self {
            Mmd::Imq => -c / ((c + d) * (c + d)),
            Mmd::Rbf => -(-d / c).exp() / c,
            Mmd::ImqMulti => SCALES.iter().map(|&s| c * T::of(s)).map(|c| -c / ((c + d) * (c + d))).sum(),
        }
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let [codes, draws] = valid_rows(x);
        let (m, n) = (codes.len(), draws.len());
        let kernel = |a: &[T], b: &[T]| self.value(a.len(), squared_distance(a, b));
        // Each pair of one set once, under its second point.
        let below = |rows: &[&[T]], i: usize| -> T { rows[..i].iter().map(|row| kernel(rows[i], row)).sum() };
        let (two, code_pairs, draw_pairs) = (T::of(2.0), m * m.saturating_sub(1), n * n.saturating_sub(1));
        let mut terms = Vec::with_capacity(m + n);
        for i in 0..m {
            let across: T = draws.iter().map(|row| kernel(codes[i], row)).sum();
            terms.push(two * (below(&codes, i) * share(code_pairs) - across * share(m * n)));
        }
        terms.extend((0..n).map(|i| two * below(&draws, i) * share(draw_pairs)));
        y[0].real_mut()[0] = sum_all::pairwise_sum(&terms);
    }
}

impl Op for Mmd {
    fn name(&self) -> &'static str {
        "mmd"
    }

    fn attributes(&self) -> String {
        match self {
            Mmd::Imq => "imq".into(),
            Mmd::Rbf => "rbf".into(),
            Mmd::ImqMulti => "imq-multi".into(),
        }
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [codes, draws, clock] = arity(self.name(), inputs)?;
        Self::infer_rows(self.name(), codes, draws, clock)?;
        Ok(vec![Ty::f32(&[])])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None; 3]) };
        let d = g.apply(MmdGrad(*self), &[x[0], x[1], x[2], dy])?;
        Ok(vec![Some(d), None, None])
    }

    crate::twin!();
}

/// `shaders/loss/mmd.wgsl`, one workgroup a row, then `sum_all.wgsl`.
pub struct MmdKernel;

impl Kernel for MmdKernel {
    fn stem(&self) -> &'static str {
        "mmd"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<Mmd>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let params = r.op::<Mmd>()?.params(r)?;
        let rows = params[0].max(params[1]) as usize;
        let bindings = [0, 1, 2].map(Bind::Input).into_iter().chain([Bind::Scratch(0)]).collect();
        let terms = Dispatch::new(ShaderKey::plain(self.stem()), bindings, params, Work::Groups(rows));
        let dispatches = [vec![terms], sum_all::stages(Bind::Scratch(0), rows, 0, 1)].concat();
        Ok(Launch { dispatches, scratch: vec![rows * 4, sum_all::SCRATCH_BYTES] })
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let ((m, _), (n, _)) =
            (matrix(self.stem(), "the codes", r.inputs[0])?, matrix(self.stem(), "the draws", r.inputs[1])?);
        Ok(Cost::streaming(r, 3.0 * (m + n) as f64 * r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let why = "a difference of means of kernels, each of order 1 (7 in the sum of scales) and right to some 1e-7; \
                   WGSL's exp at 3 + 2|x| ULP";
        cases("mmd", |op, inputs, label| Case::new(label, op, inputs, Tolerance::new(2e-6, 1e-5, Terms::Largest, why)))
    }
}

/// Cases for both kernels: codes with a spread and a shift of their own, sets of unequal size, single rows.
pub(in crate::ops) fn cases(stem: &str, make: impl Fn(Mmd, Vec<HostTensor<f32>>, String) -> Case) -> Vec<Case> {
    let mut s = Samples::new(stem);
    let mut cases = Vec::new();
    for op in [Mmd::Imq, Mmd::Rbf, Mmd::ImqMulti] {
        for (m, k, d, valid, spread) in [
            (1, 1, 1, 1, 1.0),
            (2, 1, 3, 2, 0.5),
            (5, 3, 2, 1, 2.0),
            (7, 9, 13, 7, 1.0),
            (67, 67, 5, 41, 2.0),
            (65, 130, 70, 64, 0.7),
            (128, 128, 20, 128, 1.5),
        ] {
            let codes = s.uniform(&[m, d], -spread, spread + 0.5);
            let inputs = vec![codes, s.normal(&[k, d]), clock::with_valid_rows(valid)];
            let case = make(op, inputs, format!("{} {m} and {k} x{d}, {valid} valid", op.attributes()));
            cases.push(if (op, m) == (Mmd::Imq, 128) { case.benched() } else { case });
        }
    }
    cases
}
