//! Operations of independent elements or rows that run by themselves: sums, shifts, functions, directions, noise.

use crate::threads::prelude::*;

use super::activation::{leakier_relu, leaky_relu, relu, sigmoid, slopes};
use super::random::{normal, uniform};
use crate::device::cpu::exp::{exp, softplus, tanh};
use crate::device::cpu::math::wide;
use crate::device::cpu::memory::{Span, Words};
use crate::device::cpu::own::Own;
use crate::ops::array::activation::Activation;
use crate::ops::array::activation_grad::ActivationGrad;
use crate::ops::array::add_bias::AddBias;
use crate::ops::array::binary::Binary;
use crate::ops::array::scale_columns::ScaleColumns;
use crate::ops::array::unary::Unary;
use crate::ops::batch::batch_rows::PADDING;
use crate::ops::norm::normalise_rows::NormaliseRows;
use crate::ops::random::corrupt::Corrupt;
use crate::ops::random::random_normal::RandomNormal;
use crate::ops::random::random_uniform::RandomUniform;
use crate::plan::Step;

/// Elements that one task takes.
const ELEMENTS: usize = 8192;

/// Numbers that are computed side by side.
const LANES: usize = 16;

/// Which operation, and the columns of its matrix.
pub(in crate::device) enum ElementKernel {
    Binary(Binary),
    AddBias(usize),
    ScaleColumns(usize),
    Normalise(NormaliseRows, usize),
    Normal(RandomNormal),
    Uniform(RandomUniform),
    Unary(Unary),
    Activation(Activation),
    ActivationGrad(Activation),
    Corrupt(Corrupt),
}

impl ElementKernel {
    /// The kernel of a step, if it is one of these.
    pub fn new(step: &Step) -> Option<Self> {
        let op = step.op.as_ref();
        let columns = step.inputs[0].ty.shape.matrix().map(|(_, columns)| columns);
        let kernels = [
            op.downcast().map(|op| ElementKernel::Binary(*op)),
            op.downcast::<AddBias>().zip(columns).map(|(_, columns)| ElementKernel::AddBias(columns)),
            op.downcast::<ScaleColumns>().zip(columns).map(|(_, columns)| ElementKernel::ScaleColumns(columns)),
            op.downcast().zip(columns).map(|(op, columns)| ElementKernel::Normalise(*op, columns)),
            op.downcast().map(|op: &RandomNormal| ElementKernel::Normal(op.clone())),
            op.downcast().map(|op: &RandomUniform| ElementKernel::Uniform(op.clone())),
            op.downcast().map(|op| ElementKernel::Unary(*op)),
            op.downcast().map(|op| ElementKernel::Activation(*op)),
            op.downcast::<ActivationGrad>().map(|op| ElementKernel::ActivationGrad(op.0)),
            op.downcast().map(|op| ElementKernel::Corrupt(*op)),
        ];
        kernels.into_iter().flatten().next()
    }

    /// Which of the device's kernels it is.
    pub fn own(&self) -> Own {
        match self {
            ElementKernel::Binary(_) => Own::Binary,
            ElementKernel::AddBias(_) => Own::AddBias,
            ElementKernel::ScaleColumns(_) => Own::ScaleColumns,
            ElementKernel::Normalise(..) => Own::Normalise,
            ElementKernel::Normal(_) => Own::Normal,
            ElementKernel::Uniform(_) => Own::Uniform,
            ElementKernel::Unary(_) => Own::Unary,
            ElementKernel::Activation(_) => Own::Activation,
            ElementKernel::ActivationGrad(_) => Own::ActivationGrad,
            ElementKernel::Corrupt(_) => Own::Corrupt,
        }
    }

    /// Computes `y`, which lies in none of the memory that is read.
    pub fn run(&self, inputs: &[Span], y: &mut [f32], memory: &[Words]) {
        let input = |number: usize| inputs[number].floats(memory);
        match self {
            ElementKernel::Binary(op) => combine(*op, input(0), input(1), y),
            ElementKernel::AddBias(columns) => with_columns(
                input(0),
                input(1),
                y,
                *columns,
                #[inline(always)]
                |x, b| x + b,
            ),
            ElementKernel::ScaleColumns(columns) => with_columns(
                input(0),
                input(1),
                y,
                *columns,
                #[inline(always)]
                |x, s| x * s,
            ),
            ElementKernel::Normalise(op, columns) => {
                let own = inputs.get(2).map(|rows| (input(1), rows.words(memory)));
                normalise(op.scale, input(0), own, y, *columns);
            }
            ElementKernel::Normal(op) => normal(inputs[0].words(memory), op.stream, y),
            ElementKernel::Uniform(op) => uniform(inputs[0].words(memory), op.stream, y),
            ElementKernel::Unary(Unary::Exp) => every(input(0), y, exp),
            ElementKernel::Unary(Unary::InverseRoot) => every(
                input(0),
                y,
                #[inline(always)]
                |x| 1.0 / x.sqrt(),
            ),
            ElementKernel::Unary(Unary::Affine { scale, shift }) => every(
                input(0),
                y,
                #[inline(always)]
                |x| scale * x + shift,
            ),
            ElementKernel::Activation(Activation::Identity) => y.copy_from_slice(input(0)),
            ElementKernel::Activation(Activation::Relu) => every(input(0), y, relu),
            ElementKernel::Activation(Activation::Sigmoid) => every(input(0), y, sigmoid),
            ElementKernel::Activation(Activation::Tanh) => every(input(0), y, tanh),
            ElementKernel::Activation(Activation::LeakyRelu) => every(input(0), y, leaky_relu),
            ElementKernel::Activation(Activation::LeakierRelu) => every(input(0), y, leakier_relu),
            ElementKernel::Activation(Activation::Softplus) => every(input(0), y, softplus),
            ElementKernel::ActivationGrad(op) => {
                y.copy_from_slice(input(0));
                y.par_chunks_mut(ELEMENTS).zip(input(1).par_chunks(ELEMENTS)).for_each(|(dx, h)| slopes(dx, h, *op));
            }
            ElementKernel::Corrupt(op) => {
                let (above, low, high, scale) = op.parts();
                each(
                    input(0),
                    input(1),
                    y,
                    #[inline(always)]
                    |x, u| {
                        let kept = if u < high { scale * x } else { above as f32 };
                        if u < low { 0.0 } else { kept }
                    },
                );
            }
        }
    }
}

fn combine(op: Binary, a: &[f32], b: &[f32], y: &mut [f32]) {
    match op {
        Binary::Add => each(
            a,
            b,
            y,
            #[inline(always)]
            |a, b| a + b,
        ),
        Binary::Sub => each(
            a,
            b,
            y,
            #[inline(always)]
            |a, b| a - b,
        ),
        Binary::Mul => each(
            a,
            b,
            y,
            #[inline(always)]
            |a, b| a * b,
        ),
    }
}

fn each(a: &[f32], b: &[f32], y: &mut [f32], f: impl Fn(f32, f32) -> f32 + Sync) {
    let blocks = y.par_chunks_mut(ELEMENTS).zip(a.par_chunks(ELEMENTS)).enumerate();
    blocks.for_each(|(number, (y, a))| {
        wide(
            y,
            #[inline(always)]
            |y: &mut [f32]| {
                if let [b] = *b {
                    y.iter_mut().zip(a).for_each(|(y, &a)| *y = f(a, b));
                } else {
                    for ((y, &a), &b) in y.iter_mut().zip(a).zip(&b[number * ELEMENTS..]) {
                        *y = f(a, b);
                    }
                }
            },
        );
    });
}

fn every(x: &[f32], y: &mut [f32], f: impl Fn(f32) -> f32 + Sync) {
    y.par_chunks_mut(ELEMENTS).zip(x.par_chunks(ELEMENTS)).for_each(|(y, x)| {
        wide(
            y,
            #[inline(always)]
            |y: &mut [f32]| y.iter_mut().zip(x).for_each(|(y, &x)| *y = f(x)),
        );
    });
}

/// Elements of whole rows that one task takes.
fn whole_rows(columns: usize) -> usize {
    (ELEMENTS / columns).max(1) * columns
}

/// y = f(x, b) for rows x and one row b.
fn with_columns(x: &[f32], b: &[f32], y: &mut [f32], columns: usize, f: impl Fn(f32, f32) -> f32 + Sync) {
    let block = whole_rows(columns);
    y.par_chunks_mut(block).zip(x.par_chunks(block)).for_each(|(y, x)| {
        wide(
            y,
            #[inline(always)]
            |y: &mut [f32]| {
                for (y, x) in y.chunks_exact_mut(columns).zip(x.chunks_exact(columns)) {
                    for ((y, &x), &b) in y.iter_mut().zip(x).zip(b) {
                        *y = f(x, b);
                    }
                }
            },
        );
    });
}

/// `own`: lengths of the rows of a data set, and which of them the rows of `x` are.
fn normalise(scale: f32, x: &[f32], own: Option<(&[f32], &[u32])>, y: &mut [f32], columns: usize) {
    let block = whole_rows(columns);
    y.par_chunks_mut(block).zip(x.par_chunks(block)).enumerate().for_each(|(number, (y, x))| {
        let first = number * (block / columns);
        for (m, (y, x)) in y.chunks_exact_mut(columns).zip(x.chunks_exact(columns)).enumerate() {
            let length = match own {
                Some((_, rows)) if rows[first + m] == PADDING => 0.0,
                Some((lengths, rows)) => lengths[rows[first + m] as usize],
                None => 1.0,
            };
            wide(
                y,
                #[inline(always)]
                |y: &mut [f32]| direction(x, y, scale * length),
            );
        }
    });
}

/// x / ‖x‖ · length, relative to the largest element, so that tiny ones do not square to nothing.
#[inline(always)]
fn direction(x: &[f32], y: &mut [f32], length: f32) {
    let largest = fold(
        x,
        #[inline(always)]
        |most, x| f32::max(most, x.abs()),
    )
    .into_iter()
    .fold(0.0, f32::max);
    if largest == 0.0 {
        y.fill(0.0);
        return;
    }
    let sums = fold(
        x,
        #[inline(always)]
        |sum, x| (x / largest).mul_add(x / largest, sum),
    );
    let factor = length / sums.into_iter().sum::<f32>().sqrt();
    for (y, &x) in y.iter_mut().zip(x) {
        *y = x / largest * factor;
    }
}

/// Folds of every `LANES`-th element.
#[inline(always)]
fn fold(x: &[f32], f: impl Fn(f32, f32) -> f32) -> [f32; LANES] {
    let mut lanes = [0.0; LANES];
    let (whole, rest) = x.as_chunks::<LANES>();
    for x in whole {
        for lane in 0..LANES {
            lanes[lane] = f(lanes[lane], x[lane]);
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(rest) {
        *lane = f(*lane, x);
    }
    lanes
}
