//! How well two views of a sample find each other among all views of a batch: the normalised, temperature-scaled cross entropy.
//!
//! Source: Chen et al., "A simple framework for contrastive learning of visual representations" (2020), eq. 1; FORMULAS §4. With
//! c_ij the cosine of the angle between two views of a batch: ℓ_i = log Σ_{j ≠ i} e^{c_ij / τ} − c_{i p(i)} / τ, in nats. Rows 2k and
//! 2k + 1 are the views of sample k, so p(i) is i with its last bit turned, and j goes over all valid rows but i: 2B − 1 candidates.

use super::nt_xent_grad::NtXentGrad;
use crate::error::{Error, Result};
use crate::graph::{Graph, Op, Var};
use crate::ops::batch::rows_per_sample;
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::ops::step::clock;
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// (loss of each view \[N\], log Σ of its candidates \[N\], whether another one is nearer than its partner \[N\]) for inputs
/// (cosines \[N, N\], clock), whose valid rows are views; 0 in rows of padding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NtXent {
    /// Temperature τ, more than 0.
    pub temperature: f32,
}

impl NtXent {
    /// Number of rows.
    pub(in crate::ops) fn rows(self, op: &str, cosines: &Ty, clock: &Ty) -> Result<usize> {
        let (rows, columns) = matrix(op, "the cosines of the views", cosines)?;
        same(op, "the clock", clock, &clock::ty())?;
        if rows != columns || !rows.is_multiple_of(2) {
            let problem = format!("expected pairs of views against each other, found {cosines}");
            return Err(Error::graph(op, problem));
        }
        Ok(rows)
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let n = y[0].shape.dims()[0];
        let valid = rows_per_sample::valid_rows(x[1].words(), 1).min(n);
        let scale = T::one() / T::of(f64::from(self.temperature));
        for i in 0..valid {
            let row = &x[0].real()[i * n..][..valid];
            let others = || row.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, &cosine)| cosine * scale);
            let most = others().fold(T::of(f64::NEG_INFINITY), |most, logit| if logit > most { logit } else { most });
            let total = most + others().fold(T::zero(), |sum, logit| sum + (logit - most).exp()).ln();
            let own = row[i ^ 1] * scale;
            y[0].real_mut()[i] = total - own;
            y[1].real_mut()[i] = total;
            y[2].real_mut()[i] = if most > own { T::one() } else { T::zero() };
        }
    }
}

impl Op for NtXent {
    fn name(&self) -> &'static str {
        "nt_xent"
    }

    fn attributes(&self) -> String {
        format!("temperature={}", self.temperature)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [cosines, clock] = arity(self.name(), inputs)?;
        let rows = self.rows(self.name(), cosines, clock)?;
        Ok(vec![Ty::f32(&[rows]); 3])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        if dy[1].is_some() || dy[2].is_some() {
            return Err(Error::graph(self.name(), "only the losses can be differentiated, not the statistics"));
        }
        let Some(dy) = dy[0] else { return Ok(vec![None; 2]) };
        Ok(vec![Some(g.apply(NtXentGrad(*self), &[x[0], x[1], y[1], dy])?), None])
    }

    crate::twin!();
}

/// One dispatch of a workgroup a row: all inputs, then all outputs.
pub(super) fn launch(stem: &'static str, r: &Request<'_>, op: NtXent) -> Result<Launch> {
    let rows = op.rows(stem, r.inputs[0], r.inputs[1])?;
    let bindings = (0..r.inputs.len()).map(Bind::Input).chain((0..r.outputs.len()).map(Bind::Output)).collect();
    let params = vec![rows as u32, op.temperature.to_bits()];
    Ok(Launch::single(ShaderKey::plain(stem), bindings, params, Work::Groups(rows)))
}

/// Cosines of views with each other, and the clock that counts them: of so many rows so many valid ones, of this many numbers.
/// What is not valid holds anything.
pub(super) fn views(s: &mut Samples, rows: usize, valid: usize, width: usize) -> Vec<HostTensor<f32>> {
    let mut z = s.normal(&[rows, width]);
    for row in z.real_mut().chunks_exact_mut(width) {
        let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
        row.iter_mut().for_each(|x| *x /= length);
    }
    let z: Vec<&[f32]> = z.real().chunks_exact(width).collect();
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let cosines: Vec<f32> = z.iter().flat_map(|a| z.iter().map(|b| product(a, b)).collect::<Vec<_>>()).collect();
    vec![HostTensor::from_f32(&[rows, rows], &cosines), clock::with_valid_rows(valid)]
}

/// Rows, valid rows, numbers of a row and temperature of the cases.
pub(super) const CASES: [(usize, usize, usize, f32); 6] =
    [(2, 2, 3, 0.07), (6, 4, 2, 0.5), (14, 14, 13, 0.07), (134, 82, 7, 0.2), (66, 66, 1, 1.0), (512, 512, 128, 0.07)];

/// `shaders/loss/nt_xent.wgsl`, one workgroup a row.
pub struct NtXentKernel;

impl Kernel for NtXentKernel {
    fn stem(&self) -> &'static str {
        "nt_xent"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<NtXent>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        launch(self.stem(), r, *r.op::<NtXent>()?)
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 12.0 * r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let mut s = Samples::new("nt_xent");
        let why = "cosines over the temperature, to rounding, and the log and exp of WGSL at 3 to 20 ULP";
        let tolerance = Tolerance::new(2e-6, 4e-5, Terms::Largest, why);
        let mut cases: Vec<Case> = CASES
            .into_iter()
            .map(|(rows, valid, width, temperature)| {
                let label = format!("{rows} views of {width}, {valid} valid, at {temperature}");
                let case = Case::new(label, NtXent { temperature }, views(&mut s, rows, valid, width), tolerance);
                if rows == 512 { case.benched() } else { case }
            })
            .collect();
        let nothing = vec![HostTensor::zeros(&Ty::f32(&[130, 130])), clock::with_valid_rows(130)];
        cases.push(Case::new("views of zeros", NtXent { temperature: 0.07 }, nothing, tolerance));
        cases
    }
}
