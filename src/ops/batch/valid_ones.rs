//! A matrix of ones where a batch holds data: what a gradient of every output of every row starts from.
//!
//! y\[m, n\] = 1 for rows m that are valid by the clock, in all columns or in one, else 0.

use crate::error::{Error, Result};
use crate::graph::Op;
use crate::ops::batch::rows_per_sample;
use crate::ops::kernel::check::{arity, same};
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Tolerance, Work};
use crate::ops::step::clock;
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// Ones and zeros \[rows, columns\] for a clock as input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValidOnes {
    /// Rows of a full batch.
    pub rows: usize,
    /// Rows that belong to one sample.
    pub rows_per_sample: usize,
    /// Columns.
    pub columns: usize,
    /// The one column that holds ones; all of them if none is named.
    pub column: Option<usize>,
}

impl ValidOnes {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let valid = rows_per_sample::valid_rows(x[0].words(), self.rows_per_sample);
        for row in y[0].real_mut().chunks_exact_mut(self.columns).take(valid) {
            match self.column {
                Some(column) => row[column] = T::one(),
                None => row.fill(T::one()),
            }
        }
    }
}

impl Op for ValidOnes {
    fn name(&self) -> &'static str {
        "valid_ones"
    }

    fn attributes(&self) -> String {
        let columns = self.column.map_or_else(|| "all columns".into(), |column| format!("column {column}"));
        rows_per_sample::attributes(columns, self.rows_per_sample)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [clock] = arity("valid_ones", inputs)?;
        same("valid_ones", "the clock", clock, &clock::ty())?;
        rows_per_sample::check("valid_ones", self.rows, self.rows_per_sample)?;
        if let Some(column) = self.column.filter(|&column| column >= self.columns) {
            return Err(Error::graph("valid_ones", format!("there is no column {column} of {}", self.columns)));
        }
        Ok(vec![Ty::f32(&[self.rows, self.columns])])
    }

    crate::twin!();
}

/// `shaders/batch/valid_ones.wgsl`
pub struct ValidOnesKernel;

impl Kernel for ValidOnesKernel {
    fn stem(&self) -> &'static str {
        "valid_ones"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<ValidOnes>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let ValidOnes { columns, column, rows_per_sample: of_sample, .. } = *r.op::<ValidOnes>()?;
        let n = r.outputs[0].elements();
        let column = column.map_or(u32::MAX, |column| column as u32);
        let params = vec![n as u32, columns as u32, column, of_sample as u32];
        let bindings = vec![Bind::Input(0), Bind::Output(0)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(n)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 0.0))
    }

    fn cases(&self) -> Vec<Case> {
        let case = |rows: usize, columns: usize, valid: usize, rows_per_sample: usize, column: Option<usize>| {
            let label = format!("{rows}x{columns} of {rows_per_sample}, {valid} valid, column {column:?}");
            Case::new(
                label,
                ValidOnes { rows, rows_per_sample, columns, column },
                vec![clock::with_valid_rows(valid)],
                Tolerance::EXACT,
            )
        };
        vec![
            case(1, 1, 1, 1, None),
            case(7, 13, 5, 1, None),
            case(65, 3, 65, 1, Some(0)),
            case(67, 17, 41, 1, Some(16)),
            case(128, 256, 128, 1, None).benched(),
            case(6, 5, 1, 3, None),
            case(130, 7, 9, 10, Some(4)),
        ]
    }
}
