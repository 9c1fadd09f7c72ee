//! Some rows of a matrix, one behind the other.

use crate::error::{Error, Result};
use crate::graph::Op;
use crate::ops::kernel::check::{arity, matrix};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// Rows \[rows, N\] of X \[M, N\], the first of them the one of this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceRows {
    /// Number of the first row.
    pub from: usize,
    /// How many.
    pub rows: usize,
}

impl SliceRows {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let columns = x[0].shape.matrix().map_or(1, |(_, columns)| columns);
        let own = &x[0].real()[self.from * columns..][..self.rows * columns];
        y[0].real_mut().copy_from_slice(own);
    }
}

impl Op for SliceRows {
    fn name(&self) -> &'static str {
        "slice_rows"
    }

    fn attributes(&self) -> String {
        format!("{} from {}", self.rows, self.from)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x] = arity(self.name(), inputs)?;
        let (rows, columns) = matrix(self.name(), "X", x)?;
        if self.rows == 0 || self.from + self.rows > rows {
            return Err(Error::graph(self.name(), format!("{x} has no {} rows from {}", self.rows, self.from)));
        }
        Ok(vec![Ty::f32(&[self.rows, columns])])
    }

    crate::twin!();
}

/// `shaders/array/slice_rows.wgsl`
pub struct SliceRowsKernel;

impl Kernel for SliceRowsKernel {
    fn stem(&self) -> &'static str {
        "slice_rows"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<SliceRows>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (_, columns) = matrix(self.stem(), "X", r.inputs[0])?;
        let elements = r.outputs[0].elements();
        let params = vec![(r.op::<SliceRows>()?.from * columns) as u32, elements as u32];
        let bindings = vec![Bind::Input(0), Bind::Output(0)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(elements)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost { flops: 0.0, bytes: 2.0 * r.outputs[0].bytes() as f64 })
    }

    fn cases(&self) -> Vec<Case> {
        let mut s = Samples::new("slice_rows");
        let mut case = |all: usize, n: usize, from: usize, rows: usize| {
            let label = format!("{rows} of {all} rows of {n}, from {from}");
            Case::new(label, SliceRows { from, rows }, vec![s.cheap(&[all, n])], Tolerance::EXACT)
        };
        vec![
            case(1, 1, 0, 1),
            case(9, 7, 4, 3),
            case(67, 13, 66, 1),
            case(4_200_005, 1, 2, 4_200_001),
            case(4096, 128, 1024, 1024).benched(),
        ]
    }
}
