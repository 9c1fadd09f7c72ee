//! Every row of a batch several times, one copy behind the other: what views of it are made of.
//!
//! y\[t·m + i, n\] = x\[m, n\] for i below t. Copies lie side by side, so that the valid rows of a batch that is not full stay in
//! front.

use crate::error::{Error, Result};
use crate::graph::Op;
use crate::ops::kernel::check::{arity, matrix};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// Rows \[t·M, N\] for X \[M, N\].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RepeatRows {
    /// Copies t of each row.
    pub times: usize,
}

impl RepeatRows {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let columns = x[0].shape.matrix().map_or(1, |(_, columns)| columns);
        let copies = y[0].real_mut().chunks_exact_mut(self.times * columns);
        for (row, copies) in x[0].real().chunks_exact(columns).zip(copies) {
            copies.chunks_exact_mut(columns).for_each(|copy| copy.copy_from_slice(row));
        }
    }
}

impl Op for RepeatRows {
    fn name(&self) -> &'static str {
        "repeat_rows"
    }

    fn attributes(&self) -> String {
        format!("times={}", self.times)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x] = arity(self.name(), inputs)?;
        let (rows, columns) = matrix(self.name(), "X", x)?;
        if self.times == 0 {
            return Err(Error::graph(self.name(), "nothing is left of rows that are there no time"));
        }
        Ok(vec![Ty::f32(&[rows * self.times, columns])])
    }

    crate::twin!();
}

/// `shaders/batch/repeat_rows.wgsl`
pub struct RepeatRowsKernel;

impl Kernel for RepeatRowsKernel {
    fn stem(&self) -> &'static str {
        "repeat_rows"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<RepeatRows>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (_, columns) = matrix(self.stem(), "X", r.inputs[0])?;
        let elements = r.outputs[0].elements();
        let params = vec![elements as u32, columns as u32, r.op::<RepeatRows>()?.times as u32];
        let bindings = vec![Bind::Input(0), Bind::Output(0)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(elements)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 0.0))
    }

    fn cases(&self) -> Vec<Case> {
        let mut s = Samples::new("repeat_rows");
        let mut case = |rows: usize, columns: usize, times: usize| {
            let inputs = vec![s.cheap(&[rows, columns])];
            Case::new(format!("{rows}x{columns}, {times} times"), RepeatRows { times }, inputs, Tolerance::EXACT)
        };
        vec![case(1, 1, 1), case(3, 7, 2), case(67, 13, 3), case(2_100_001, 1, 2), case(256, 3072, 2).benched()]
    }
}
