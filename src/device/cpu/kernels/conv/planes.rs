//! Results of few channels: the source as planes, one of each channel, so that neighbouring pixels fill the vectors that so few
//! channels would leave empty. What lies between the rows of a band is computed as well, and left behind.

use pulp::{Simd, WithSimd};

use super::passes::Run;
use super::tile::Pixel;
use crate::device::cpu::pool::Pool;
use crate::threads::current_num_threads;
use crate::vectors::dispatch;

/// Channels of results up to which it is done this way.
pub(super) const FEW: usize = 4;
/// Numbers behind a plane that vectors may reach into.
const SLACK: usize = 128;
/// Pixels that are turned at a time.
const BLOCK: usize = 64;

/// What planes lie in, and sums before they are brought to their places.
static PLANES: Pool = Pool::new();

/// Planes of a band.
pub(super) struct Planes {
    channels: usize,
    /// Pixels of a plane.
    pixels: usize,
}

/// Results of one pass.
pub(super) struct PlaneProduct<'a> {
    pub planes: &'a [f32],
    /// Where each term lies for the first pixel.
    pub terms: &'a [usize],
    /// Weights, column by column.
    pub weights: &'a [f32],
    /// Room for the sums, a plane of each column.
    pub sums: &'a mut [f32],
    /// Places of the results in a plane, and among the results.
    pub pixels: &'a [Pixel],
    /// Results, and the first of them that a pixel at 0 has.
    pub results: &'a mut [f32],
    pub first: usize,
}

impl Planes {
    /// Planes of bands of so many pixels.
    pub fn new(channels: usize, pixels: usize) -> Self {
        let planes = Planes { channels, pixels };
        PLANES.reserve(current_num_threads(), planes.words());
        planes
    }

    /// From one plane to the next.
    fn stride(&self) -> usize {
        self.pixels + SLACK
    }

    fn words(&self) -> usize {
        (self.channels + FEW) * self.stride()
    }

    /// Where the terms of these runs of a band lie.
    pub fn terms(&self, runs: &[Run]) -> Vec<usize> {
        let terms = runs.iter().flat_map(|run| run.offset..run.offset + run.terms);
        terms.map(|term| term % self.channels * self.stride() + term / self.channels).collect()
    }

    /// Places in a plane for those in a band.
    pub fn places(&self, pixels: Vec<Pixel>) -> Vec<Pixel> {
        pixels.into_iter().map(|[seen, result]| [seen / self.channels as u32, result]).collect()
    }

    /// Gives `task` a band's planes, and room for the sums.
    pub fn with(&self, band: &[f32], task: impl FnOnce(&[f32], &mut [f32])) {
        PLANES.with(self.words(), |own| {
            let (planes, sums) = own.split_at_mut(self.channels * self.stride());
            for begin in (0..self.pixels).step_by(BLOCK) {
                let count = BLOCK.min(self.pixels - begin);
                let pixels = &band[begin * self.channels..][..count * self.channels];
                for channel in 0..self.channels {
                    let plane = &mut planes[channel * self.stride() + begin..][..count];
                    let numbers = pixels[channel..].iter().step_by(self.channels);
                    plane.iter_mut().zip(numbers).for_each(|(to, from)| *to = *from);
                }
            }
            task(planes, sums);
        });
    }
}

impl PlaneProduct<'_> {
    /// Computes it on this thread.
    pub fn run(self) {
        dispatch(self);
    }
}

impl WithSimd for PlaneProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.weights.len() / self.terms.len().max(1) {
            0 => {}
            1 => self.columns::<S, 1, 8>(simd),
            2 => self.columns::<S, 2, 6>(simd),
            3 => self.columns::<S, 3, 4>(simd),
            _ => self.columns::<S, FEW, 2>(simd),
        }
    }
}

impl PlaneProduct<'_> {
    #[inline(always)]
    fn columns<S: Simd, const COLUMNS: usize, const VECTORS: usize>(self, simd: S) {
        let PlaneProduct { planes, terms, weights, sums, pixels, results, first } = self;
        let Some(last) = pixels.last() else { return };
        let (count, width) = (last[0] as usize + 1, VECTORS * S::F32_LANES);
        let stride = sums.len() / FEW;
        let weights: [&[f32]; COLUMNS] = std::array::from_fn(|column| &weights[column * terms.len()..][..terms.len()]);
        for begin in (0..count).step_by(width) {
            let mut local = [[simd.splat_f32s(0.0); VECTORS]; COLUMNS];
            for (term, place) in terms.iter().enumerate() {
                let right = S::as_simd_f32s(&planes[place + begin..][..width]).0;
                let mut factors = [simd.splat_f32s(0.0); COLUMNS];
                factors.iter_mut().zip(&weights).for_each(|(factor, weights)| *factor = simd.splat_f32s(weights[term]));
                // All sums of one vector together: they, the weights and a vector are all that registers hold.
                for (vector, &right) in right.iter().enumerate().take(VECTORS) {
                    for (sums, &weight) in local.iter_mut().zip(&factors) {
                        sums[vector] = simd.mul_add_e_f32s(weight, right, sums[vector]);
                    }
                }
            }
            for (column, local) in local.iter().enumerate() {
                let sums = S::as_mut_simd_f32s(&mut sums[column * stride + begin..][..width]).0;
                sums.iter_mut().zip(local).for_each(|(sum, &local)| *sum = local);
            }
        }
        let sums: [&[f32]; COLUMNS] = std::array::from_fn(|column| &sums[column * stride..][..count]);
        for &[place, result] in pixels {
            let results = &mut results[result as usize + first..][..COLUMNS];
            results.iter_mut().zip(&sums).for_each(|(to, sums)| *to = sums[place as usize]);
        }
    }
}
