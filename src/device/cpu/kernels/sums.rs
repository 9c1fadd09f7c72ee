//! Sums over the rows of a matrix: parts of it side by side, added in their order.

use crate::threads::prelude::*;

use crate::device::cpu::math::{add, wide};
use crate::device::cpu::memory::{LINE, Span, Words, whole_lines};
use crate::ops::array::sum_axis::SumAxis;
use crate::plan::Step;

/// Elements of a part.
const PART: usize = 1 << 16;

/// Sums of all rows, for matrices of so many columns.
pub(in crate::device) struct SumKernel {
    columns: usize,
    /// Columns that are added at a time: whole lines, where rows are narrower.
    wide: usize,
    /// Elements of a part, whole rows of that width.
    part: usize,
    /// Sums of the parts.
    parts: Words,
}

impl SumKernel {
    /// The kernel of a step, if it is one of these.
    pub fn new(step: &Step) -> Option<Self> {
        step.op.downcast::<SumAxis>().filter(|sum| **sum == SumAxis::Rows)?;
        let (rows, columns) = step.inputs[0].ty.shape.matrix()?;
        let wide = if columns < LINE { whole_lines(columns) } else { columns };
        let part = (PART / wide).max(1) * wide;
        let count = (rows * columns).div_ceil(part).max(1);
        Some(SumKernel { columns, wide, part, parts: Words::zeros(count * wide) })
    }

    /// Runs it.
    pub fn run(&mut self, inputs: &[Span], outputs: &[Span], memory: &mut [Words]) {
        let (x, width) = (inputs[0].floats(memory), self.wide);
        let parts = self.parts.floats_mut().par_chunks_mut(width).zip(x.par_chunks(self.part));
        parts.for_each(|(sums, x)| {
            sums.fill(0.0);
            wide(
                sums,
                #[inline(always)]
                |sums: &mut [f32]| {
                    let rows = x.chunks_exact(width);
                    let rest = rows.remainder();
                    rows.for_each(|row| add(sums, row));
                    sums.iter_mut().zip(rest).for_each(|(sum, x)| *sum += x);
                },
            );
        });
        let y = outputs[0].part(&mut memory[outputs[0].memory]);
        y.fill(0.0);
        for row in self.parts.floats().chunks_exact(self.columns) {
            y.iter_mut().zip(row).for_each(|(y, sum)| *y += sum);
        }
    }
}
