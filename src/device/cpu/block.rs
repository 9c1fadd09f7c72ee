//! What happens to one block of samples.

use bytemuck::{cast_slice, cast_slice_mut};

use super::kernels::activation::{activate, slopes};
use super::kernels::product::RowProduct;
use super::math::{cross_entropy, lay_out, squared_errors, unpack, wide};
use super::memory::{Span, Words};
use super::own::Own;
use super::panels::{PANEL, Paneled};
use super::region::{LARGE_BLOCK, Parts};
use crate::ops::array::activation::Activation;
use crate::ops::batch::batch_rows::{self, PADDING};
use crate::ops::batch::rows_per_sample;
use crate::ops::loss::reconstruction_loss::LossKind;

/// A tensor with one row for every sample, in a block.
pub(in crate::device) struct Value {
    /// How its rows lie there.
    pub layout: Paneled,
    /// First word within a block.
    pub offset: usize,
}

impl Value {
    /// A value of so many rows a block behind those that are there already.
    pub fn behind(values: &[Value], rows: usize, columns: usize) -> Self {
        let offset = values.last().map_or(0, |last| last.offset + last.layout.words());
        Value { layout: Paneled { rows, columns }, offset }
    }
}

/// Rows of data, all of them or a part.
#[derive(Clone, Copy)]
pub(in crate::device) struct Shard {
    /// Where they lie.
    pub span: Span,
    /// Words from one to the next.
    pub stride: usize,
    /// Whether they are bytes, of which 255 stands for 1; else floats.
    pub is_bytes: bool,
    /// Number of the first.
    pub first: u32,
    /// How many there are.
    pub rows: u32,
}

/// An operation on rows; numbers are those of values and weights.
pub(in crate::device) enum RowOp {
    /// Rows of a tensor from elsewhere.
    Import { from: Span, to: usize },
    /// The same rows once more.
    Copy { from: usize, to: usize },
    /// Row numbers of the batch.
    Rows { clock: Span, to: usize },
    /// Rows of the data that lie in one shard of it, or in the whole, as floats.
    Gather { data: Shard, rows: usize, to: usize },
    /// act(x · Wᵀ + b)
    Linear { x: usize, weight: usize, bias: Span, activation: Activation, to: usize },
    /// x · W, or x · Wᵀ
    Product { x: usize, weight: usize, to: usize },
    /// (dy · W) ∘ act'(h)
    InputGrad { dy: usize, weight: usize, h: usize, activation: Activation, to: usize },
    /// A loss, and its gradient over the prediction where there is a seed.
    Loss { prediction: usize, target: usize, total: usize, activation: Activation, seed: Option<Span> },
}

impl RowOp {
    /// Which of the device's kernels it is; none where it moves rows, or where its code is the twin's too.
    pub fn own(&self) -> Option<Own> {
        match self {
            RowOp::Import { .. } | RowOp::Copy { .. } | RowOp::Rows { .. } => None,
            RowOp::Gather { .. } => Some(Own::Gather),
            RowOp::Linear { .. } => Some(Own::Linear),
            RowOp::Product { .. } => Some(Own::Product),
            RowOp::InputGrad { .. } => Some(Own::InputGrad),
            RowOp::Loss { .. } => Some(Own::Loss),
        }
    }
}

/// The values of a few rows of a batch.
pub(in crate::device) struct Block {
    /// Number of the first row.
    pub first: usize,
    /// How many rows there are.
    pub rows: usize,
    /// All values.
    pub words: Words,
    /// Sums of the losses over these rows.
    pub losses: Vec<f32>,
    /// Room for the operand of a product.
    copy: Words,
}

impl Block {
    /// Room for so many words of values and of an operand of a product, and so many losses.
    pub fn new(words: usize, copy: usize, losses: usize) -> Self {
        let [words, copy] = [words, copy].map(Words::zeros);
        Block { first: 0, rows: 0, words, losses: vec![0.0; losses], copy }
    }

    /// A value's panels.
    pub fn panels(&self, value: &Value) -> std::slice::ChunksExact<'_, f32> {
        self.words.floats()[value.offset..][..value.layout.words()].chunks_exact(value.layout.panel_words())
    }

    /// Copies a value's rows to where they are one after the other.
    pub fn export(&self, value: &Value, to: &mut [u32]) {
        let layout = value.layout;
        let panels = self.words[value.offset..][..layout.words()].chunks_exact(layout.panel_words());
        for (panel, from) in panels.enumerate() {
            let rows = to.chunks_exact_mut(layout.columns).zip(from.chunks_exact(layout.stride()));
            for (to, from) in rows.take(self.rows) {
                to[panel * PANEL..][..layout.width(panel)].copy_from_slice(&from[..layout.width(panel)]);
            }
        }
    }

    /// Runs all operations of a region.
    pub fn run(&mut self, parts: &Parts, memory: &[Words]) {
        for op in &parts.ops {
            self.run_op(op, parts, memory);
        }
    }

    fn run_op(&mut self, op: &RowOp, parts: &Parts, memory: &[Words]) {
        let rows = self.rows;
        let values = &parts.values[..];
        let to = match *op {
            RowOp::Import { to, .. } | RowOp::Copy { to, .. } | RowOp::Rows { to, .. } => to,
            RowOp::Gather { to, .. } | RowOp::Linear { to, .. } | RowOp::InputGrad { to, .. } => to,
            RowOp::Product { to, .. } => to,
            RowOp::Loss { prediction, .. } => prediction,
        };
        let target = &values[to];
        let layout = target.layout;
        let (stride, panel_words) = (layout.stride(), layout.panel_words());
        // Values are numbered in the order of their making: what is read lies before what is written.
        let (before, after) = self.words.split_at_mut(target.offset);
        let before = |value: usize| &before[values[value].offset..][..values[value].layout.words()];
        let floats = |value: usize| -> &[f32] { cast_slice(before(value)) };
        let out = &mut after[..layout.words()];
        let copy = self.copy.floats_mut();
        let mut product = |a: usize, weight: usize, c: &mut [f32]| {
            let b = &parts.weights[weight].strips;
            RowProduct { a: floats(a), a_layout: values[a].layout, b, c, c_layout: layout, rows, copy }.run();
        };
        match *op {
            RowOp::Import { from, .. } => {
                let from = &from.words(memory)[self.first * layout.columns..];
                for (panel, out) in out.chunks_exact_mut(panel_words).enumerate() {
                    let rows = out.chunks_exact_mut(stride).zip(from.chunks_exact(layout.columns)).take(rows);
                    for (out, from) in rows {
                        let width = layout.width(panel);
                        out[..width].copy_from_slice(&from[panel * PANEL..][..width]);
                    }
                }
            }
            RowOp::Copy { from, .. } => out.copy_from_slice(before(from)),
            RowOp::Rows { clock, .. } => {
                let (clock, first) = (clock.words(memory), self.first);
                let mut numbers = [0; LARGE_BLOCK];
                wide(
                    &mut numbers[..rows],
                    #[inline(always)]
                    |numbers: &mut [u32]| batch_rows::fill(clock, first, numbers),
                );
                for (out, number) in out.chunks_exact_mut(stride).zip(numbers) {
                    out[0] = number;
                }
            }
            RowOp::Gather { data, rows: numbers, .. } => {
                let words = data.span.words(memory);
                let numbers = before(numbers).chunks_exact(values[numbers].layout.stride()).take(rows);
                for (i, number) in numbers.enumerate() {
                    let row = match number[0] {
                        // Of several shards the first one leaves padding behind.
                        PADDING if data.first == 0 => None,
                        row if row.wrapping_sub(data.first) < data.rows => Some((row - data.first) as usize),
                        _ => continue,
                    };
                    let row = row.map(|row| &words[row * data.stride..][..data.stride]);
                    let out = &mut cast_slice_mut(out)[i * stride..];
                    match data.is_bytes {
                        true => unpack(out, panel_words, layout.columns, row.map(cast_slice)),
                        false => lay_out(out, panel_words, layout.columns, row.map(cast_slice)),
                    }
                }
            }
            RowOp::Linear { x, weight, bias, activation, .. } => {
                let out: &mut [f32] = cast_slice_mut(out);
                product(x, weight, out);
                for (y, bias) in out.chunks_exact_mut(panel_words).zip(bias.floats(memory).chunks(PANEL)) {
                    activate(&mut y[..rows * stride], stride, bias, activation);
                }
            }
            RowOp::InputGrad { dy, weight, h, activation, .. } => {
                let out: &mut [f32] = cast_slice_mut(out);
                product(dy, weight, out);
                for (dx, h) in out.chunks_exact_mut(panel_words).zip(floats(h).chunks_exact(panel_words)) {
                    slopes(&mut dx[..rows * stride], h, activation);
                }
            }
            RowOp::Product { x, weight, .. } => product(x, weight, cast_slice_mut(out)),
            RowOp::Loss { target: wanted, total: number, activation, seed, .. } => {
                let total = &parts.totals[number];
                let valid = rows_per_sample::valid_rows(total.clock.words(memory), total.rows_per_sample);
                let valid = valid.saturating_sub(self.first).min(rows);
                let seed = seed.map_or(0.0, |seed| seed.floats(memory)[0]) * total.scale(memory);
                let mut sum = 0.0;
                let out: &mut [f32] = cast_slice_mut(out);
                let panels = out.chunks_exact_mut(panel_words).zip(floats(wanted).chunks_exact(panel_words));
                for (panel, (y, x)) in panels.enumerate() {
                    let (y, padding) = y[..rows * stride].split_at_mut(valid * stride);
                    padding.fill(0.0);
                    sum += match total.kind {
                        // What lies beyond the columns is 0 in both, an error of 0.
                        LossKind::Mse | LossKind::Sse => squared_errors(y, x, 2.0 * seed, activation),
                        LossKind::Bce => {
                            let width = layout.width(panel);
                            let rows = y.chunks_exact_mut(stride).zip(x.chunks_exact(stride));
                            rows.map(|(y, x)| cross_entropy(&mut y[..width], x, seed, activation)).sum()
                        }
                    };
                }
                self.losses[number] = sum;
            }
        }
    }
}
