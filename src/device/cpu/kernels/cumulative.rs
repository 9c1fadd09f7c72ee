//! Learnt cumulative distributions, a line of columns at a time: what is made of the parameters alone is made once a step.

use crate::threads::prelude::*;

use crate::device::cpu::exp::{exp, softplus, tanh};
use crate::device::cpu::math::wide;
use crate::device::cpu::memory::{Span, Words};
use crate::device::cpu::own::Own;
use crate::ops::rate::cumulative::{Cumulative, MOST_FILTERS, MOST_HIDDEN};
use crate::ops::rate::cumulative_grad::CumulativeGrad;
use crate::plan::Step;

/// Columns that are computed side by side.
const LANES: usize = 16;
/// Parts that rows are cut into, each with sums of its own.
const PARTS: usize = 8;

type Lane = [f32; LANES];

/// A layer: widths in front of it and behind it, and where its parameters begin.
type Layer = ([usize; 2], usize, bool);

/// A step of this kind.
pub(in crate::device) struct CumulativeKernel {
    op: Cumulative,
    layers: Vec<Layer>,
    rows: usize,
    columns: usize,
    is_grad: bool,
    /// Of each line of columns, every parameter as it is used: softplus of matrices, tanh of bends.
    used: Vec<Lane>,
    /// Slopes of these by the parameters.
    slopes: Vec<Lane>,
    /// Sums of the gradients of each part of the rows.
    sums: Vec<Lane>,
}

/// What numbers become on their way.
struct Way {
    inputs: [[Lane; MOST_FILTERS]; MOST_HIDDEN + 1],
    /// tanh behind each layer's matrix and biases.
    bent: [[Lane; MOST_FILTERS]; MOST_HIDDEN + 1],
}

impl CumulativeKernel {
    /// The kernel of a step, if it is one of these.
    pub fn new(step: &Step) -> Option<Self> {
        let grad = step.op.downcast::<CumulativeGrad>().map(|grad| grad.0);
        let op = grad.or_else(|| step.op.downcast::<Cumulative>().copied())?;
        let (rows, columns) = step.inputs[0].ty.shape.matrix()?;
        let (lines, size) = (columns.div_ceil(LANES), op.parameters());
        let of_grad = |count: usize| if grad.is_some() { vec![[0.0; LANES]; count] } else { Vec::new() };
        Some(CumulativeKernel {
            op,
            layers: op.layers().collect(),
            rows,
            columns,
            is_grad: grad.is_some(),
            used: vec![[0.0; LANES]; lines * size],
            slopes: of_grad(lines * size),
            sums: of_grad(PARTS * lines * size),
        })
    }

    /// Which of the device's kernels it is.
    pub fn own(&self) -> Own {
        if self.is_grad { Own::CumulativeGrad } else { Own::Cumulative }
    }

    /// Computes `y`, the output of this number, which lies in none of the memory that is read; the second one follows from the
    /// first.
    pub fn run(&mut self, port: usize, inputs: &[Span], y: &mut [f32], memory: &[Words]) {
        let (z, parameters) = (inputs[0].floats(memory), inputs[1].floats(memory));
        let size = self.op.parameters();
        if port == 1 {
            for (column, y) in y.chunks_exact_mut(size).enumerate() {
                let (line, lane) = (column / LANES, column % LANES);
                for (p, y) in y.iter_mut().enumerate() {
                    let parts = self.sums.chunks_exact(self.used.len());
                    *y = parts.map(|part| part[line * size + p][lane]).sum();
                }
            }
            return;
        }
        self.prepare(parameters);
        let dy = self.is_grad.then(|| inputs[2].floats(memory));
        let (shift, part) = (self.op.shift, self.rows.div_ceil(PARTS) * self.columns);
        let CumulativeKernel { ref layers, columns, ref used, ref slopes, ref mut sums, .. } = *self;
        let of_part = |first: usize, y: &mut [f32], sums: &mut [Lane]| {
            wide(
                (y, sums),
                #[inline(always)]
                |(y, sums): (&mut [f32], &mut [Lane])| {
                    for (row, y) in y.chunks_exact_mut(columns).enumerate() {
                        let at = first + row * columns;
                        for (line, y) in y.chunks_mut(LANES).enumerate() {
                            let own = line * size..(line + 1) * size;
                            let count = y.len();
                            let load = |x: &[f32]| {
                                let mut lane = [0.0; LANES];
                                lane[..count].copy_from_slice(&x[at + line * LANES..][..count]);
                                lane
                            };
                            let shifted = load(z).map(|z| z + shift);
                            let (mut result, way) = forward(layers, &used[own.clone()], shifted);
                            if let Some(dy) = dy {
                                let tables = [&used[own.clone()], &slopes[own.clone()]];
                                result = back(layers, tables, &way, load(dy), &mut sums[own]);
                            }
                            y.copy_from_slice(&result[..count]);
                        }
                    }
                },
            );
        };
        if dy.is_some() {
            let each = sums.len() / PARTS;
            sums.fill([0.0; LANES]);
            let parts = y.par_chunks_mut(part).zip(sums.par_chunks_mut(each)).enumerate();
            parts.for_each(|(number, (y, sums))| of_part(number * part, y, sums));
        } else {
            y.par_chunks_mut(part).enumerate().for_each(|(number, y)| of_part(number * part, y, &mut []));
        }
    }

    /// Parameters as they are used, and their slopes, line by line of columns.
    fn prepare(&mut self, parameters: &[f32]) {
        let size = self.op.parameters();
        for (column, own) in parameters.chunks_exact(size).enumerate() {
            let (first, lane) = (column / LANES * size, column % LANES);
            for &([inputs, outputs], begin, last) in &self.layers {
                let (matrix, biases) = (inputs * outputs, if last { 0 } else { outputs });
                for (p, &own) in own.iter().enumerate().skip(begin).take(matrix + outputs + biases) {
                    let (value, slope) = if p < begin + matrix {
                        (softplus(own), 1.0 / (1.0 + exp(-own)))
                    } else if p < begin + matrix + outputs {
                        (own, 1.0)
                    } else {
                        let bend = tanh(own);
                        (bend, (1.0 - bend) * (1.0 + bend))
                    };
                    self.used[first + p][lane] = value;
                    if let Some(slopes) = self.slopes.get_mut(first + p) {
                        slopes[lane] = slope;
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn forward(layers: &[Layer], used: &[Lane], z: Lane) -> (Lane, Way) {
    let none = [[[0.0; LANES]; MOST_FILTERS]; MOST_HIDDEN + 1];
    let mut way = Way { inputs: none, bent: none };
    way.inputs[0][0] = z;
    let mut logits = z;
    for (index, &([inputs, outputs], first, last)) in layers.iter().enumerate() {
        let own = &used[first..];
        for o in 0..outputs {
            let mut sum = own[inputs * outputs + o];
            for i in 0..inputs {
                let (h, x) = (&own[o * inputs + i], &way.inputs[index][i]);
                for lane in 0..LANES {
                    sum[lane] = h[lane].mul_add(x[lane], sum[lane]);
                }
            }
            if last {
                logits = sum;
                continue;
            }
            let bend = &own[inputs * outputs + outputs + o];
            for lane in 0..LANES {
                let bent = tanh(sum[lane]);
                way.bent[index][o][lane] = bent;
                way.inputs[index + 1][o][lane] = bend[lane].mul_add(bent, sum[lane]);
            }
        }
    }
    (logits, way)
}

#[inline(always)]
fn back(layers: &[Layer], [used, slopes]: [&[Lane]; 2], way: &Way, dy: Lane, sums: &mut [Lane]) -> Lane {
    let mut d = [[0.0; LANES]; MOST_FILTERS];
    d[0] = dy;
    for (index, &([inputs, outputs], first, last)) in layers.iter().enumerate().rev() {
        let mut before = [[0.0; LANES]; MOST_FILTERS];
        for (o, d) in d.iter_mut().enumerate().take(outputs) {
            let bias = first + inputs * outputs + o;
            if !last {
                let (bend, slope) = (&used[bias + outputs], &slopes[bias + outputs]);
                for lane in 0..LANES {
                    let bent = way.bent[index][o][lane];
                    sums[bias + outputs][lane] += d[lane] * slope[lane] * bent;
                    d[lane] *= 1.0 + bend[lane] * (1.0 - bent) * (1.0 + bent);
                }
            }
            for lane in 0..LANES {
                sums[bias][lane] += d[lane];
            }
            for (i, before) in before.iter_mut().enumerate().take(inputs) {
                let p = first + o * inputs + i;
                for lane in 0..LANES {
                    sums[p][lane] += d[lane] * slopes[p][lane] * way.inputs[index][i][lane];
                    before[lane] = d[lane].mul_add(used[p][lane], before[lane]);
                }
            }
        }
        d = before;
    }
    d[0]
}
