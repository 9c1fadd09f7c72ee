//! Each valid row's share in a mean over the rows of a batch.
//!
//! With v valid rows: y\[m, …\] = x\[m, …\] / v for m < v, and 0 for rows of padding. Summed, it is the mean over
//! valid rows of whatever was computed for each. Its own gradient rule, so it can be differentiated again.

use crate::error::{Error, Result};
use crate::graph::{Graph, Op, Var};
use crate::ops::batch::rows_per_sample;
use crate::ops::kernel::check::{arity, float, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::ops::step::clock;
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// x / v for inputs (x \[M, …\], clock), 0 in rows of padding. v counts rows: a mean over pixels where these are pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValidShare {
    /// Rows that belong to one sample.
    pub rows_per_sample: usize,
}

/// Rows of a tensor whose first extent counts them, and elements of each.
fn rows(op: &str, x: &Ty) -> Result<(usize, usize)> {
    float(op, "x", x)?;
    let rows = *x.shape.dims().first().ok_or_else(|| Error::graph(op, format!("x must have rows, got {x}")))?;
    Ok((rows, x.elements() / rows))
}

impl ValidShare {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let valid = rows_per_sample::valid_rows(x[1].words(), self.rows_per_sample);
        let columns = rows(self.name(), &x[0].ty()).map_or(1, |(_, columns)| columns);
        let count = T::of(valid.max(1) as f64);
        for (y, &x) in y[0].real_mut().iter_mut().zip(x[0].real()).take(valid * columns) {
            *y = x / count;
        }
    }
}

impl Op for ValidShare {
    fn name(&self) -> &'static str {
        "valid_share"
    }

    fn attributes(&self) -> String {
        rows_per_sample::attributes(String::new(), self.rows_per_sample)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x, clock] = arity(self.name(), inputs)?;
        rows_per_sample::check(self.name(), rows(self.name(), x)?.0, self.rows_per_sample)?;
        same(self.name(), "the clock", clock, &clock::ty())?;
        Ok(vec![x.clone()])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None, None]) };
        Ok(vec![Some(g.apply(*self, &[dy, x[1]])?), None])
    }

    crate::twin!();
}

/// `shaders/batch/valid_share.wgsl`
pub struct ValidShareKernel;

impl Kernel for ValidShareKernel {
    fn stem(&self) -> &'static str {
        "valid_share"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<ValidShare>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let n = r.inputs[0].elements();
        let (_, columns) = rows(self.stem(), r.inputs[0])?;
        let rows_per_sample = r.op::<ValidShare>()?.rows_per_sample;
        let bindings = vec![Bind::Input(0), Bind::Input(1), Bind::Output(0)];
        let params = vec![n as u32, columns as u32, rows_per_sample as u32];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(n)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, r.outputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(0.0, 4e-7, Terms::Each, "one quotient, which WGSL allows 2.5 ULP");
        let mut s = Samples::new("valid_share");
        let mut case = |dims: &[usize], valid: usize, rows_per_sample: usize| {
            let label = format!("{dims:?} of {rows_per_sample}, {valid} valid");
            Case::new(
                label,
                ValidShare { rows_per_sample },
                vec![s.normal(dims), clock::with_valid_rows(valid)],
                rounding,
            )
        };
        let small = [(&[1][..], 1), (&[1, 1], 1), (&[67], 41), (&[65, 7], 65), (&[13, 129], 5), (&[4, 3, 5], 3)];
        let mut cases: Vec<Case> = small.map(|(dims, valid)| case(dims, valid, 1)).into();
        cases.push(case(&[1024, 784], 1000, 1).benched());
        cases.extend([(&[6, 5][..], 1, 3), (&[130, 7], 9, 10)].map(|(dims, valid, of)| case(dims, valid, of)));
        cases
    }
}
