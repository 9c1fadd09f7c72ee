//! Gradients of a convolution's weights and bias: sums over pixels, of the outputs' gradients times what the pixels see.
//!
//! Tasks are cut by shape alone: parts of the batch, groups of channels, and blocks of columns of the result; the parts are added
//! in their order.

use super::bands::Bands;
use super::depthwise::{self, DepthSums, is_depthwise};
use super::panel_sums::Panels;
use super::passes::{Pass, Run, forward};
use super::tile::Pixel;
use super::turned::{TurnedSums, is_turned};
use crate::device::cpu::math::{add, wide};
use crate::device::cpu::memory::Words;
use crate::device::cpu::pool::Pool;
use crate::ops::conv::{Convolution, Counts};
use crate::threads::prelude::*;

/// Numbers of all parts' sums together.
const SUMS: usize = 1 << 20;
/// Tasks that are enough for any machine.
const TASKS: usize = 32;

/// What the sums of the parts lie in until they are added up.
static PARTS: Pool = Pool::new();

/// The gradient of a convolution's weights.
pub(in crate::device) struct WeightGradient {
    /// Groups that are summed by themselves, and outputs of each.
    groups: usize,
    outputs: usize,
    /// Columns of the result: taps times channels of a group.
    columns: usize,
    bands: Bands,
    pass: Pass,
    pixels: Vec<Pixel>,
    way: Way,
    /// Results of an image.
    results: usize,
    /// Sums of the tasks' biases.
    biases: Words,
    /// Parts of the batch.
    count: usize,
}

/// How the sums of a group are computed.
enum Way {
    /// From panels of columns.
    Panels(Panels),
    /// Turned, by vectors of outputs, given what the first pixel sees of each group.
    Turned(Vec<Vec<Run>>),
    /// Each channel by itself, all in one group, given where the first pixel sees the first of them.
    Depth(Vec<usize>),
}

/// What a band gives to sums.
pub(super) struct Part<'a> {
    /// The results' gradients, from the first output of the group on.
    pub dy: &'a [f32],
    /// The band.
    pub source: &'a [f32],
    /// Where each pixel sees it, and where its gradients are.
    pub pixels: &'a [Pixel],
    pub sums: &'a mut [f32],
    /// The gradients' own sums, where they are wanted.
    pub db: Option<&'a mut [f32]>,
}

impl WeightGradient {
    /// Prepares the gradient.
    pub fn new(of: Convolution, counts: Counts) -> Self {
        let pass = Pass::new(forward(&of, 0), forward(&of, 1), of.window.kernel[1]);
        let passes = [pass];
        let bands = Bands::new(&passes, counts.images, of.size, counts.inputs);
        let [pass] = passes;
        let (of_group, columns) = (counts.inputs / of.groups, of.window.taps() * counts.inputs / of.groups);
        let count = (SUMS / (counts.outputs * columns).max(1)).clamp(1, TASKS).min(bands.tasks());
        let (groups, way) = if is_depthwise(&of, counts) {
            (1, Way::Depth(depthwise::taps(&pass, bands.frame(), counts.inputs)))
        } else {
            let outputs = counts.outputs / of.groups;
            let runs = |group| pass.runs(bands.frame(), counts.inputs, [of_group, group]);
            let runs: Vec<_> = (0..of.groups).map(runs).collect();
            let way = match is_turned(outputs) {
                true => Way::Turned(runs),
                // As many blocks as it takes.
                false => Way::Panels(Panels::new(&runs, outputs, TASKS.div_ceil(count * of.groups))),
            };
            (of.groups, way)
        };
        let output = of.output().unwrap_or_default();
        let mut gradient = WeightGradient {
            groups,
            outputs: counts.outputs / groups,
            columns,
            pixels: bands.pixels(&pass, output, counts.outputs),
            way,
            results: output[0] * output[1] * counts.outputs,
            biases: Words::default(),
            count,
            bands,
            pass,
        };
        let tasks = count * gradient.of_part();
        gradient.biases = Words::zeros(tasks * gradient.outputs);
        PARTS.reserve(1, tasks * gradient.words());
        gradient
    }

    /// Blocks of a group.
    fn blocks(&self) -> usize {
        match &self.way {
            Way::Panels(panels) => panels.blocks(),
            Way::Turned(_) | Way::Depth(_) => 1,
        }
    }

    /// Tasks of a part of the batch.
    fn of_part(&self) -> usize {
        self.groups * self.blocks()
    }

    /// Sums of a task.
    fn words(&self) -> usize {
        match &self.way {
            Way::Panels(panels) => panels.words(),
            Way::Turned(_) | Way::Depth(_) => self.columns * self.outputs,
        }
    }

    /// dw of dy and x, and the tasks' sums of dy where they are wanted.
    pub fn run(&mut self, dy: &[f32], x: &[f32], dw: &mut [f32], biased: bool) {
        let mut biases = std::mem::take(&mut self.biases);
        PARTS.with(self.count * self.of_part() * self.words(), |parts| {
            let tasks = parts.par_chunks_mut(self.words());
            let tasks = tasks.zip(biases.floats_mut().par_chunks_mut(self.outputs)).enumerate();
            tasks.for_each(|(task, (sums, db))| self.task(dy, x, task, sums, biased.then_some(db)));
            self.join(parts, dw);
        });
        self.biases = biases;
    }

    /// db of the sums that were made.
    pub fn join_bias(&self, db: &mut [f32]) {
        let of_group = self.outputs * self.blocks();
        db.fill(0.0);
        for part in self.biases.floats().chunks_exact(self.groups * of_group) {
            for (db, sums) in db.chunks_exact_mut(self.outputs).zip(part.chunks_exact(of_group)) {
                add(db, &sums[..self.outputs]);
            }
        }
    }

    /// dw = Σ over parts, in their order: all of them added to the first, and its sums as rows.
    fn join(&self, parts: &mut [f32], dw: &mut [f32]) {
        const BLOCK: usize = 4096;
        let of_group = self.blocks() * self.words();
        let length = self.groups * of_group;
        let (total, parts) = parts.split_at_mut(length);
        total.par_chunks_mut(BLOCK).enumerate().for_each(|(number, total)| {
            wide(
                total,
                #[inline(always)]
                |total: &mut [f32]| {
                    for part in parts.chunks_exact(length) {
                        add(total, &part[number * BLOCK..][..total.len()]);
                    }
                },
            );
        });
        dw.par_chunks_mut(self.columns).enumerate().for_each(|(row, dw)| {
            let (group, row) = (row / self.outputs, row % self.outputs);
            let total = &total[group * of_group..][..of_group];
            match &self.way {
                Way::Panels(panels) => panels.row(total, row, dw),
                Way::Turned(_) | Way::Depth(_) => {
                    let column = total[row..].iter().step_by(self.outputs);
                    dw.iter_mut().zip(column).for_each(|(dw, &sum)| *dw = sum);
                }
            }
        });
    }

    /// The sums of one part of the batch, one group and one block; those of dy by the first block of a group alone.
    fn task(&self, dy: &[f32], x: &[f32], task: usize, sums: &mut [f32], mut db: Option<&mut [f32]>) {
        let (blocks, tasks) = (self.blocks(), self.bands.tasks());
        let (block, group, part) = (task % blocks, task / blocks % self.groups, task / self.of_part());
        db = db.filter(|_| block == 0);
        db.iter_mut().for_each(|db| db.fill(0.0));
        sums.fill(0.0);
        for number in part * tasks / self.count..(part + 1) * tasks / self.count {
            let ([image, first], images) = self.bands.task(number);
            let pixels = &self.pixels[..self.bands.pixels_of(&self.pass, first, images)];
            let begin = image * self.results + first * (self.results / self.pass.rows.count);
            let dy = &dy[begin + group * self.outputs..];
            self.bands.with(x, [image, first], images, |source| {
                let part = Part { dy, source, pixels, sums: &mut *sums, db: db.as_deref_mut() };
                match &self.way {
                    Way::Panels(panels) => panels.add([group, block], part),
                    Way::Turned(runs) => TurnedSums { part, runs: &runs[group], outputs: self.outputs }.run(),
                    Way::Depth(taps) => DepthSums { part, taps, channels: self.outputs }.run(),
                }
            });
        }
    }
}
