//! Rows brought to a length, one for all or each its own: directions, of perturbations for instance.
//!
//! y_m = s · l_m · x_m / ‖x_m‖₂; a row of zeros stays one. l_m is 1, or what a table holds for that row of the
//! data set, 0 for rows of padding. A direction is a constant of whatever it is used in: no gradient goes back
//! through it.

use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::batch::batch_rows::PADDING;
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// Rows of length `scale` for X \[M, N\], or of `scale` times a length of their own for (X, lengths f32 \[R\],
/// rows u32 \[M\]): the row numbers of a batch, as of [`crate::ops::batch::batch_rows`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormaliseRows {
    /// Length s of the rows of the result, or what their own lengths are multiplied by.
    pub scale: f32,
}

impl NormaliseRows {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let columns = x[0].shape.matrix().map_or(1, |(_, columns)| columns);
        let own = |m: usize| match x[1..] {
            [_, rows] if rows.words()[m] == PADDING => T::zero(),
            [lengths, rows] => lengths.real()[rows.words()[m] as usize],
            _ => T::one(),
        };
        let rows = x[0].real().chunks_exact(columns).zip(y[0].real_mut().chunks_exact_mut(columns));
        for (m, (x, y)) in rows.enumerate() {
            // By the largest, so that tiny gradients do not square to nothing.
            let largest = x.iter().fold(T::zero(), |most, x| most.max(x.abs()));
            if largest > T::zero() {
                let square = x.iter().fold(T::zero(), |sum, &x| sum + (x / largest) * (x / largest));
                let factor = T::of(f64::from(self.scale)) * own(m) / square.sqrt();
                y.iter_mut().zip(x).for_each(|(y, &x)| *y = x / largest * factor);
            }
        }
    }
}

impl Op for NormaliseRows {
    fn name(&self) -> &'static str {
        "normalise_rows"
    }

    fn attributes(&self) -> String {
        format!("scale={}", self.scale)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let x = if let [x, table @ ..] = inputs
            && !table.is_empty()
        {
            let [lengths, rows] = arity(self.name(), table)?;
            let (count, _) = matrix(self.name(), "X", x)?;
            same(self.name(), "the lengths", lengths, &Ty::f32(&[lengths.elements()]))?;
            same(self.name(), "the row numbers", rows, &Ty::u32(&[count]))?;
            *x
        } else {
            arity::<1>(self.name(), inputs)?[0]
        };
        matrix(self.name(), "X", x)?;
        Ok(vec![x.clone()])
    }

    fn vjp(&self, _g: &mut Graph, x: &[Var], _y: &[Var], _dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        Ok(vec![None; x.len()])
    }

    crate::twin!();
}

/// `shaders/norm/normalise_rows.wgsl`, one workgroup a row.
pub struct NormaliseRowsKernel;

impl Kernel for NormaliseRowsKernel {
    fn stem(&self) -> &'static str {
        "normalise_rows"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<NormaliseRows>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (rows, columns) = matrix(self.stem(), "X", r.inputs[0])?;
        let scale = r.op::<NormaliseRows>()?.scale;
        let params = vec![rows as u32, columns as u32, scale.to_bits()];
        let mut bindings = vec![Bind::Input(0), Bind::Output(0)];
        bindings.extend((1..r.inputs.len()).map(Bind::Input));
        let length = if r.inputs.len() > 1 { "row_length_table" } else { "row_length_same" };
        let shader = ShaderKey { snippets: vec![length], ..ShaderKey::plain(self.stem()) };
        Ok(Launch::single(shader, bindings, params, Work::Groups(rows)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 5.0 * r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(1e-9, 2e-5, Terms::Largest, "a sum of squares, a root and two divisions");
        let mut s = Samples::new("normalise_rows");
        let mut cases = Vec::new();
        for (rows, columns, size) in [(1, 1, 1.0), (3, 65, 1.0), (67, 13, 1e-25), (5, 31, 1e18), (256, 784, 1e-6)] {
            let mut x = s.normal(&[rows, columns]);
            x.real_mut().iter_mut().for_each(|x| *x *= size);
            if rows > 2 {
                x.real_mut()[columns..2 * columns].fill(0.0);
            }
            let label = format!("{rows}x{columns} of {size:e}");
            let case = Case::new(label, NormaliseRows { scale: 1.5 }, vec![x], rounding);
            cases.push(if rows == 256 { case.benched() } else { case });
        }
        for (rows, columns, table) in [(1, 3, 1), (65, 9, 40), (250, 784, 1000)] {
            let mut numbers = s.words(&[rows], table as u32);
            if let (true, Some(last)) = (rows > 1, numbers.words_mut().last_mut()) {
                *last = PADDING;
            }
            let inputs = vec![s.normal(&[rows, columns]), s.uniform(&[table], 0.0, 7.0), numbers];
            let label = format!("{rows}x{columns}, lengths of {table}");
            cases.push(Case::new(label, NormaliseRows { scale: 0.25 }, inputs, rounding));
        }
        cases
    }
}
