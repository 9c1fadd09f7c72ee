//! Gathering and losses of rows so wide that a block of them is no longer in any cache: through memory once, piece by piece.

use bytemuck::cast_slice;

use crate::device::cpu::math::{cross_entropy, squared_errors, wide};
use crate::device::cpu::memory::{Span, Words};
use crate::device::cpu::own::Own;
use crate::device::cpu::region::Total;
use crate::device::cpu::rows::{RowStep, Rows, rows_of};
use crate::ops::batch::batch_rows::PADDING;
use crate::ops::batch::rows_per_sample;
use crate::ops::loss::reconstruction_loss::LossKind;
use crate::ops::loss::reconstruction_loss_grad::LossParts;
use crate::plan::{Place, Step};
use crate::tensor::DType;
use crate::threads::prelude::*;

/// Columns from which a row is wide.
const WIDE: usize = 4096;
/// Numbers of a piece.
const PIECE: usize = 4096;

/// A step on wide rows.
pub(in crate::device) enum WideKernel {
    /// Rows of bytes or of floats.
    Gather {
        /// Columns of the batch.
        columns: usize,
        /// Whether the data are bytes.
        is_bytes: bool,
    },
    /// A loss, its gradient, or both, and the sums of the pieces.
    Loss(LossParts, usize, Words),
}

/// Whether a step is one of these.
pub(in crate::device) fn is_wide(step: &Step) -> bool {
    WideKernel::new(step).is_some()
}

/// Whether an operation on rows does without a region, or hardly makes one.
pub(in crate::device) fn is_alone(step: &Step) -> bool {
    is_wide(step) || matches!(rows_of(step), Rows::Each(RowStep::Numbers))
}

impl WideKernel {
    /// The kernel of a step, if it is one of these.
    pub fn new(step: &Step) -> Option<Self> {
        let columns = |place: &Place| place.ty.shape.matrix().map(|(_, columns)| columns);
        match rows_of(step) {
            Rows::Each(RowStep::Gather) => {
                let columns = columns(&step.outputs[0]).filter(|&columns| columns >= WIDE)?;
                Some(WideKernel::Gather { columns, is_bytes: step.inputs[0].ty.dtype == DType::U8 })
            }
            Rows::Each(RowStep::Loss(parts)) => {
                let columns = columns(&step.inputs[0]).filter(|&columns| columns >= WIDE)?;
                let pieces = step.inputs[0].ty.elements().div_ceil(PIECE);
                Some(WideKernel::Loss(parts, columns, Words::zeros(pieces)))
            }
            _ => None,
        }
    }

    /// Which of the device's kernels it is.
    pub fn own(&self) -> Own {
        match self {
            WideKernel::Gather { .. } => Own::WideGather,
            WideKernel::Loss(..) => Own::WideLoss,
        }
    }

    /// Runs it.
    pub fn run(&mut self, inputs: &[Span], outputs: &[Span], memory: &mut [Words]) {
        match self {
            WideKernel::Gather { columns, is_bytes } => {
                let mut taken = std::mem::take(&mut memory[outputs[0].memory]);
                gather(
                    [inputs[0].words(memory), inputs[1].words(memory)],
                    outputs[0].part(&mut taken),
                    *columns,
                    *is_bytes,
                );
                memory[outputs[0].memory] = taken;
            }
            WideKernel::Loss(parts, columns, sums) => {
                let LossParts { loss, value, gradient } = *parts;
                let total = Total {
                    kind: loss.kind,
                    features: *columns,
                    rows_per_sample: loss.rows_per_sample,
                    clock: inputs[2],
                    to: None,
                };
                let scale = total.scale(memory);
                let valid = rows_per_sample::valid_rows(inputs[2].words(memory), loss.rows_per_sample) * *columns;
                if let Some(port) = gradient {
                    let seed = inputs[3].floats(memory)[0] * scale;
                    let mut taken = std::mem::take(&mut memory[outputs[port].memory]);
                    let [y, x] = [inputs[0].floats(memory), inputs[1].floats(memory)];
                    let pieces = outputs[port].part(&mut taken).par_chunks_mut(PIECE);
                    let pieces = pieces.zip(y.par_chunks(PIECE).zip(x.par_chunks(PIECE)));
                    pieces.zip(sums.floats_mut().par_chunks_mut(1)).enumerate().for_each(
                        |(piece, ((to, (y, x)), sum))| {
                            to.copy_from_slice(y);
                            let (to, padding) = to.split_at_mut(valid.saturating_sub(piece * PIECE).min(y.len()));
                            padding.fill(0.0);
                            sum[0] = errors(parts, to, x, seed);
                        },
                    );
                    memory[outputs[port].memory] = taken;
                } else {
                    let [y, x] = [inputs[0].floats(memory), inputs[1].floats(memory)];
                    let pieces = y.par_chunks(PIECE).zip(x.par_chunks(PIECE));
                    sums.floats_mut().par_chunks_mut(1).zip(pieces).enumerate().for_each(|(piece, (sum, (y, x)))| {
                        let mut own = [0.0; PIECE];
                        let to = &mut own[..valid.saturating_sub(piece * PIECE).min(y.len())];
                        to.copy_from_slice(&y[..to.len()]);
                        sum[0] = errors(parts, to, x, 0.0);
                    });
                }
                if let Some(port) = value {
                    let sum: f32 = sums.floats().iter().sum();
                    outputs[port].words_mut(memory)[0] = (sum * scale).to_bits();
                }
            }
        }
    }
}

/// Writes the gradient over predictions and returns the sum of the loss.
fn errors(parts: &LossParts, y: &mut [f32], x: &[f32], seed: f32) -> f32 {
    let (activation, x) = (parts.loss.activation, &x[..y.len()]);
    match parts.loss.kind {
        LossKind::Mse | LossKind::Sse => squared_errors(y, x, 2.0 * seed, activation),
        LossKind::Bce => cross_entropy(y, x, seed, activation),
    }
}

/// Rows of data as floats, those of padding 0.
fn gather([data, numbers]: [&[u32]; 2], y: &mut [f32], columns: usize, is_bytes: bool) {
    let stride = if is_bytes { columns.div_ceil(4) } else { columns };
    y.par_chunks_mut(columns).zip(numbers.par_chunks(1)).for_each(|(y, number)| {
        let begin = number[0] as usize * stride;
        let row = data.get(begin..begin + stride).filter(|_| number[0] != PADDING);
        match row {
            None => y.fill(0.0),
            Some(row) if is_bytes => wide(
                y,
                #[inline(always)]
                |y: &mut [f32]| {
                    for (y, &byte) in y.iter_mut().zip(cast_slice::<u32, u8>(row)) {
                        *y = f32::from(byte) * (1.0 / 255.0);
                    }
                },
            ),
            Some(row) => y.copy_from_slice(cast_slice(row)),
        }
    });
}
