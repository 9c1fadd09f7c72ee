//! Gradients of weights and biases: sums over all samples, cut by rows of the result.

use super::product::{DEPTH, SAMPLES, Stretch, StretchProduct};
use crate::device::cpu::block::{Block, Value};
use crate::device::cpu::math::{add, wide};
use crate::device::cpu::memory::{Span, Words};
use crate::device::cpu::panels::PANEL;

/// Elements of a gradient that one task computes at least.
const ELEMENTS: usize = 12_544;
/// Most tasks of a gradient: each goes through all of x.
const TASKS: usize = 16;

/// Part of a gradient.
struct Task {
    /// Numbers of the values dy and x.
    dy: usize,
    x: usize,
    /// Which rows of dW, or all of db.
    rows: Option<usize>,
    to: Span,
}

/// All parts of all gradients.
#[derive(Default)]
pub(in crate::device) struct GradientTasks {
    /// In the order of their places, by memory.
    memories: Vec<(usize, Vec<Task>)>,
}

impl GradientTasks {
    /// Adds the gradients of a layer: dW = dyᵀ · x, db = Σ dy.
    pub fn push(&mut self, values: &[Value], dy: usize, x: usize, dw: Span, db: Option<Span>) {
        let (m, n) = (values[dy].layout.columns, values[x].layout.columns);
        let rows = (ELEMENTS / n).max(m.div_ceil(TASKS)).clamp(1, m);
        for first in (0..m).step_by(rows) {
            let length = rows.min(m - first) * n;
            let to = Span { start: dw.start + first * n, length, ..dw };
            self.insert(Task { dy, x, rows: Some(first), to });
        }
        if let Some(to) = db {
            self.insert(Task { dy, x, rows: None, to });
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.memories.is_empty()
    }

    fn insert(&mut self, task: Task) {
        let number = self.memories.iter().position(|(memory, _)| *memory == task.to.memory).unwrap_or_else(|| {
            self.memories.push((task.to.memory, Vec::new()));
            self.memories.len() - 1
        });
        let tasks = &mut self.memories[number].1;
        let at = tasks.partition_point(|other| other.to.start < task.to.start);
        tasks.insert(at, task);
    }

    /// Computes them from the blocks, or adds to what is there.
    pub fn run(&self, values: &[Value], blocks: &[Block], memory: &mut [Words], add: bool) {
        let job = Job { values, blocks, add };
        for (number, tasks) in &self.memories {
            job.split(tasks, memory[*number].floats_mut(), 0);
        }
    }
}

struct Job<'a> {
    values: &'a [Value],
    blocks: &'a [Block],
    add: bool,
}

impl Job<'_> {
    /// Runs tasks whose places all lie in `memory`, which begins at the word `begin`.
    fn split(&self, tasks: &[Task], memory: &mut [f32], begin: usize) {
        match tasks {
            [] => {}
            [task] => self.run(task, &mut memory[task.to.start - begin..][..task.to.length]),
            _ => {
                let (left, right) = tasks.split_at(tasks.len() / 2);
                let middle = right[0].to.start;
                let (low, high) = memory.split_at_mut(middle - begin);
                crate::threads::join(|| self.split(left, low, begin), || self.split(right, high, middle));
            }
        }
    }

    fn run(&self, task: &Task, to: &mut [f32]) {
        let (dy, x) = (self.values[task.dy].layout, self.values[task.x].layout);
        let blocks = || self.blocks.iter().filter(|block| block.rows > 0);
        let Some(first) = task.rows else {
            if !self.add {
                to.fill(0.0);
            }
            for block in blocks() {
                for (panel, to) in block.panels(&self.values[task.dy]).zip(to.chunks_mut(PANEL)) {
                    let rows = &panel[..block.rows * dy.stride()];
                    wide(
                        to,
                        #[inline(always)]
                        |to: &mut [f32]| rows.chunks_exact(dy.stride()).for_each(|row| add(to, row)),
                    );
                }
            }
            return;
        };
        let blocks_at_once = (SAMPLES / dy.rows).clamp(1, DEPTH);
        for (number, blocks) in self.blocks.chunks(blocks_at_once).enumerate() {
            let operand = |block: &'_ Block, value: usize, [panel, column]: [usize; 2]| {
                let value = &self.values[value];
                value.offset + panel * value.layout.panel_words() + column..block.words.len()
            };
            StretchProduct {
                stretches: |row: [usize; 2], column: [usize; 2]| {
                    blocks.iter().filter(|block| block.rows > 0).map(move |block| Stretch {
                        a: &block.words.floats()[operand(block, task.dy, row)],
                        b: &block.words.floats()[operand(block, task.x, column)],
                        terms: block.rows,
                    })
                },
                strides: [dy.stride(), x.stride()],
                first,
                c: &mut *to,
                columns: x.columns,
                add: self.add || number > 0,
            }
            .run();
        }
    }
}
