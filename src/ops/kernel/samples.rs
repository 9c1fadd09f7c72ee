//! Inputs for the cases of kernels: reproducible, varied, of the shapes asked for.

use crate::rng::{Rng, Stream, stream_key};
use crate::tensor::HostTensor;

/// A source of test inputs, different for every kernel and the same on every run.
pub struct Samples {
    rng: Rng,
}

impl Samples {
    /// Inputs for the kernel named `stem`.
    pub fn new(stem: &str) -> Self {
        let seed = stem.bytes().fold(0u64, |hash, byte| hash.wrapping_mul(131).wrapping_add(u64::from(byte)));
        Samples { rng: Rng::new(stream_key(seed, Stream::Data)) }
    }

    fn fill(&mut self, dims: &[usize], mut draw: impl FnMut(&mut Rng) -> f32) -> HostTensor<f32> {
        let count = dims.iter().product();
        let elements: Vec<f32> = (0..count).map(|_| draw(&mut self.rng)).collect();
        HostTensor::from_f32(dims, &elements)
    }

    /// Bell-shaped values of about unit variance (a sum of three uniforms).
    pub fn normal(&mut self, dims: &[usize]) -> HostTensor<f32> {
        self.fill(dims, |rng| 2.0 * (rng.uniform() + rng.uniform() + rng.uniform() - 1.5))
    }

    /// Uniform values in [low, high).
    pub fn uniform(&mut self, dims: &[usize], low: f32, high: f32) -> HostTensor<f32> {
        self.fill(dims, |rng| rng.range(low, high))
    }

    /// Values for large tensors, where drawing would take longer than the test.
    pub fn cheap(&mut self, dims: &[usize]) -> HostTensor<f32> {
        let mut state = self.rng.next_u32();
        self.fill(dims, |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        })
    }

    /// Random words below `bound`.
    pub fn words(&mut self, dims: &[usize], bound: u32) -> HostTensor<f32> {
        let words: Vec<u32> = (0..dims.iter().product()).map(|_| self.rng.below(bound)).collect();
        HostTensor::from_words(dims, &words)
    }

    /// Random bytes.
    pub fn bytes(&mut self, dims: &[usize]) -> HostTensor<f32> {
        let bytes: Vec<u8> = (0..dims.iter().product()).map(|_| self.rng.next_u32() as u8).collect();
        HostTensor::from_bytes(dims, &bytes)
    }
}
