//! Gradient of [`Mmd`] by the codes.
//!
//! With κ = dk/dD: dz_i = dy · (4 Σ_{j≠i} κ(z_i, z_j)(z_i − z_j)/(m(m − 1)) − 4 Σ_j κ(z_i, y_j)(z_i − y_j)/(mn)), 0 for
//! rows of padding.

use super::mmd::{Mmd, cases, share, squared_distance, valid_rows};
use crate::error::Result;
use crate::graph::Op;
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// The codes' gradient \[M, d\] for inputs (codes \[M, d\], draws \[K, d\], clock, dy scalar).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MmdGrad(pub Mmd);

impl MmdGrad {
    /// Adds to the gradient of `code` what the points of a set do to it.
    fn pull<'a, T: Real>(self, code: &[T], set: impl Iterator<Item = &'a [T]>, weight: T, d: &mut [T]) {
        for other in set {
            let force = weight * self.0.slope(code.len(), squared_distance(code, other));
            for (d, (&a, &b)) in d.iter_mut().zip(code.iter().zip(other)) {
                *d += force * (a - b);
            }
        }
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let [codes, draws] = valid_rows(x);
        let (m, n) = (codes.len(), draws.len());
        let dy = T::of(4.0) * x[3].scalar();
        let (within, across) = (dy * share(m * m.saturating_sub(1)), -dy * share(m * n));
        let columns = x[0].shape.matrix().map_or(1, |(_, columns)| columns);
        for (i, d) in y[0].real_mut().chunks_exact_mut(columns).enumerate().take(m) {
            let others = codes.iter().enumerate().filter(|&(j, _)| j != i);
            self.pull(codes[i], others.map(|(_, row)| *row), within, d);
            self.pull(codes[i], draws.iter().copied(), across, d);
        }
    }
}

impl Op for MmdGrad {
    fn name(&self) -> &'static str {
        "mmd_grad"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [codes, draws, clock, dy] = arity(self.name(), inputs)?;
        Mmd::infer_rows(self.name(), codes, draws, clock)?;
        same(self.name(), "the seed", dy, &Ty::f32(&[]))?;
        Ok(vec![codes.clone()])
    }

    crate::twin!();
}

/// `shaders/loss/mmd_grad.wgsl`, one workgroup a row.
pub struct MmdGradKernel;

impl Kernel for MmdGradKernel {
    fn stem(&self) -> &'static str {
        "mmd_grad"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<MmdGrad>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let params = r.op::<MmdGrad>()?.0.params(r)?;
        let rows = params[0] as usize;
        let bindings = (0..4).map(Bind::Input).chain([Bind::Output(0)]).collect();
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Groups(rows)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let ((m, _), (n, _)) =
            (matrix(self.stem(), "the codes", r.inputs[0])?, matrix(self.stem(), "the draws", r.inputs[1])?);
        Ok(Cost::streaming(r, 6.0 * (m + n) as f64 * r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let why = "sums of pulls in both directions, some of which cancel; WGSL's exp at 3 + 2|x| ULP";
        cases("mmd_grad", |op, mut inputs, label| {
            inputs.push(HostTensor::from_f32(&[], &[0.7]));
            Case::new(label, MmdGrad(op), inputs, Tolerance::new(1e-8, 2e-5, Terms::Largest, why))
        })
    }
}
