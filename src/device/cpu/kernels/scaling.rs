//! What is done to all gradients before an optimiser sees them: a limit on their norm, the end of loss scaling.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::threads::prelude::*;

use super::optimisers::ELEMENTS;
use crate::device::cpu::math::wide;
use crate::device::cpu::memory::{Span, Words};
use crate::ops::step::clip_norm::ClipNorm;
use crate::ops::step::clock;
use crate::ops::step::unscale::settled;

/// Numbers that are squared side by side.
const LANES: usize = 16;

/// The squares are added in f64, block by block in their order, so that neither the number of threads nor the
/// size of a network shows in the norm.
pub(super) fn clip_norm(clip: &ClipNorm, squares: &mut [f64], inputs: &[Span], memory: &mut [Words]) {
    let mut rest = &mut *squares;
    for gradient in inputs {
        let blocks = gradient.floats(memory).par_chunks(ELEMENTS);
        let (own, others) = rest.split_at_mut(blocks.len());
        own.par_iter_mut().zip(blocks).for_each(|(sum, block)| *sum = sum_of_squares(block));
        rest = others;
    }
    let scale = clip.scale(squares.iter().sum::<f64>()) as f32;
    if scale < 1.0 {
        for gradient in inputs {
            let blocks = gradient.part(&mut memory[gradient.memory]).par_chunks_mut(ELEMENTS);
            blocks.for_each(|block| block.iter_mut().for_each(|g| *g *= scale));
        }
    }
}

/// Gradients divided by their scale, if all are finite; what the optimiser is told of it.
pub(super) fn unscale(inputs: &[Span], outputs: &[Span], memory: &mut [Words]) {
    let gradients = &inputs[3..];
    let is_finite = AtomicBool::new(true);
    for gradient in gradients {
        gradient.floats(memory).par_chunks(ELEMENTS).for_each(|block| {
            // Without a branch an element.
            if !block.iter().fold(true, |all, g| all & g.is_finite()) {
                is_finite.store(false, Ordering::Relaxed);
            }
        });
    }
    let is_finite = is_finite.into_inner();
    let scale = inputs[1].floats(memory)[0];
    if is_finite {
        let inverse = 1.0 / scale;
        for gradient in gradients {
            let blocks = gradient.part(&mut memory[gradient.memory]).par_chunks_mut(ELEMENTS);
            blocks.for_each(|block| block.iter_mut().for_each(|g| *g *= inverse));
        }
    }
    let mut given = [0; clock::WORDS];
    given.copy_from_slice(inputs[0].words(memory));
    if given[clock::BAD_STEP] == 0 {
        let (after, held) = settled(is_finite, [scale, inputs[2].floats(memory)[0]]);
        given[clock::BAD_STEP] = if held { given[clock::STEP] + 1 } else { 0 };
        for (span, value) in outputs[1..3].iter().zip(after) {
            span.part(&mut memory[span.memory])[0] = value;
        }
    }
    outputs[0].words_mut(memory).copy_from_slice(&given);
}

pub(super) fn sum_of_squares(x: &[f32]) -> f64 {
    let mut lanes = [0.0; LANES];
    wide(
        &mut lanes,
        #[inline(always)]
        |lanes: &mut [f64; LANES]| {
            let (whole, rest) = x.as_chunks::<LANES>();
            for x in whole {
                for lane in 0..LANES {
                    lanes[lane] += f64::from(x[lane]) * f64::from(x[lane]);
                }
            }
            for (lane, &x) in lanes.iter_mut().zip(rest) {
                *lane += f64::from(x) * f64::from(x);
            }
        },
    );
    lanes.into_iter().sum()
}

/// The same of gradients with a decay of the weights added.
pub(super) fn sum_of_decayed_squares(w: &[f32], g: &[f32], decay: f32) -> f64 {
    let mut lanes = [0.0; LANES];
    wide(
        &mut lanes,
        #[inline(always)]
        |lanes: &mut [f64; LANES]| {
            for (w, g) in w.chunks(LANES).zip(g.chunks(LANES)) {
                for ((lane, &w), &g) in lanes.iter_mut().zip(w).zip(g) {
                    let g = f64::from(g + decay * w);
                    *lane += g * g;
                }
            }
        },
    );
    lanes.into_iter().sum()
}
