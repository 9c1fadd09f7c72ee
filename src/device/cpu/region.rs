//! Operations that treat every sample by itself, run block of samples by block of samples: all of them for
//! one block, on one thread, while the block is in its cache. Weight gradients follow, summed over the
//! blocks in their order. How a batch is cut depends on shapes alone, so the bits do not depend on the
//! number of threads.

use crate::threads::prelude::*;

use super::block::{Block, RowOp, Value};
use super::kernels::gradient::GradientTasks;
use super::kernels::product::{Strips, copy_words};
use super::memory::{LINE, Span, Words};
use super::own::Own;
use crate::ops::loss::reconstruction_loss::LossKind;
use crate::ops::step::clock;

/// Rows that one task takes through all operations.
const BLOCK: usize = 32;
/// The same where the weights do not fit in a core's second-level cache: every block goes through all of them.
pub(in crate::device) const LARGE_BLOCK: usize = 64;
/// Weights that fit there.
const CACHED_WEIGHTS: usize = 1 << 18;
/// Bytes of blocks that are worked on before their weight gradients are summed.
const CHUNK_BYTES: usize = 4 << 20;
/// Rows of a chunk at least: gradients in memory are gone over once for each chunk.
const CHUNK_ROWS: usize = 256;

/// A weight matrix in strips, as `product` wants it.
pub(in crate::device) struct Weight {
    /// Where the matrix lies.
    pub matrix: Span,
    /// Whether the strips hold its transpose.
    pub transposed: bool,
    /// The strips.
    pub strips: Strips,
}

/// A value that somebody outside needs in its place in memory.
pub(in crate::device) struct Export {
    /// Number of the value.
    pub value: usize,
    /// Its place.
    pub to: Span,
}

/// The value of a loss: partial sums of blocks, added in their order.
pub(in crate::device) struct Total {
    /// What it divides by.
    pub kind: LossKind,
    /// Features of a row.
    pub features: usize,
    /// Rows that belong to one sample.
    pub rows_per_sample: usize,
    /// The clock that knows the valid rows.
    pub clock: Span,
    /// Where it goes, if anywhere.
    pub to: Option<Span>,
}

impl Total {
    /// What the sum is multiplied by.
    pub fn scale(&self, memory: &[Words]) -> f32 {
        let valid = clock::valid_rows(self.clock.words(memory));
        let features = self.rows_per_sample * self.features;
        let count = if self.kind == LossKind::Mse { valid * features } else { valid };
        1.0 / count.max(1) as f32
    }
}

/// Rows of a block in a plan with so many weights.
pub(in crate::device) fn block_rows(weights: usize) -> usize {
    if weights > CACHED_WEIGHTS { LARGE_BLOCK } else { BLOCK }
}

/// What a region is made of.
#[derive(Default)]
pub(in crate::device) struct Parts {
    /// Rows of a block.
    pub block_rows: usize,
    pub values: Vec<Value>,
    pub ops: Vec<RowOp>,
    pub weights: Vec<Weight>,
    pub exports: Vec<Export>,
    pub totals: Vec<Total>,
    pub gradients: GradientTasks,
}

/// Operations on the rows of a batch.
pub(in crate::device) struct Region {
    rows: usize,
    parts: Parts,
    blocks: Vec<Block>,
    sums: Vec<f32>,
}

impl Region {
    /// Prepares everything for a batch of so many rows.
    pub fn new(rows: usize, parts: Parts) -> Self {
        let words = parts.values.iter().map(|value| value.layout.words()).sum::<usize>().max(LINE);
        let block_rows = parts.block_rows;
        let blocks = (CHUNK_BYTES / (words * 4)).max(CHUNK_ROWS / block_rows).min(rows.div_ceil(block_rows)).max(1);
        let copy = parts.weights.iter().map(|weight| copy_words(&weight.strips, block_rows)).max().unwrap_or(0);
        let blocks = (0..blocks).map(|_| Block::new(words, copy, parts.totals.len())).collect();
        let sums = vec![0.0; parts.totals.len()];
        Region { rows, parts, blocks, sums }
    }

    /// The kernels that it has.
    pub fn own(&self) -> impl Iterator<Item = Own> {
        let gradients = (!self.parts.gradients.is_empty()).then_some(Own::WeightGrad);
        self.parts.ops.iter().filter_map(RowOp::own).chain(gradients)
    }

    /// Runs all of it.
    pub fn run(&mut self, memory: &mut [Words]) {
        let Region { rows, parts, blocks, sums } = self;
        let shared = &*memory;
        parts.weights.par_iter_mut().for_each(|w| w.strips.pack(w.matrix.floats(shared), w.transposed));
        sums.fill(0.0);
        let block_rows = parts.block_rows;
        let step = blocks.len() * block_rows;
        for first in (0..*rows).step_by(step) {
            let shared = &*memory;
            blocks.par_iter_mut().enumerate().for_each(|(i, block)| {
                let begin = first + i * block_rows;
                block.first = begin;
                block.rows = rows.saturating_sub(begin).min(block_rows);
                if block.rows > 0 {
                    block.run(parts, shared);
                }
            });
            for block in blocks.iter().filter(|block| block.rows > 0) {
                for (sum, part) in sums.iter_mut().zip(&block.losses) {
                    *sum += part;
                }
                for export in &parts.exports {
                    let value = &parts.values[export.value];
                    block.export(value, &mut export.to.words_mut(memory)[block.first * value.layout.columns..]);
                }
            }
            parts.gradients.run(&parts.values, blocks, memory, first > 0);
        }
        for (total, sum) in parts.totals.iter().zip(sums) {
            if let Some(to) = total.to {
                let scale = total.scale(memory);
                to.words_mut(memory)[0] = (*sum * scale).to_bits();
            }
        }
    }
}
