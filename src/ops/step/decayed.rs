//! Which parameters decay, and stretches of the arena that are treated alike.
//!
//! Weights of layers are matrices and kernels, of two extents or more; biases and what a normalisation scales and shifts by are
//! vectors. Decaying the latter changes what a network can say and hardly how simple it is, so that it is customary to leave
//! them out: Goyal et al., "Accurate, Large Minibatch SGD" (2017); You, Gitman and Ginsburg, "Large Batch Training of
//! Convolutional Networks" (2017).

use std::ops::Range;

use crate::ops::packed_words;
use crate::tensor::Ty;

/// Whether it is a layer's weight, and neither a bias nor of a normalisation.
pub fn is_weight(ty: &Ty) -> bool {
    ty.shape.dims().len() > 1
}

/// The parameters that decay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decayed {
    /// All of them.
    #[default]
    All,
    /// Weights of layers: neither biases nor what normalisations have.
    Weights,
}

impl Decayed {
    /// The decay of a parameter, where that of those that decay is `lambda`.
    pub fn lambda(self, lambda: f32, ty: &Ty) -> f32 {
        if self == Decayed::All || is_weight(ty) { lambda } else { 0.0 }
    }

    /// What is said of it behind a decay.
    pub(super) fn words(self) -> &'static str {
        match self {
            Decayed::All => "",
            Decayed::Weights => " of weights",
        }
    }
}

/// Tensors side by side in an arena that have one decay.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Run {
    /// Which they are.
    pub tensors: Range<usize>,
    /// Their decay.
    pub lambda: f32,
}

/// The runs of tensors of these types, as long as they can be.
pub(crate) fn runs<'a>(types: impl IntoIterator<Item = &'a Ty>, decay: impl Fn(&Ty) -> f32) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (tensor, ty) in types.into_iter().enumerate() {
        let lambda = decay(ty);
        match runs.last_mut().filter(|run| run.lambda == lambda) {
            Some(run) => run.tensors.end = tensor + 1,
            None => runs.push(Run { tensors: tensor..tensor + 1, lambda }),
        }
    }
    runs
}

/// The table of `shaders/step/parts/decay_runs.wgsl`: the first vector of every run, and its decay.
pub(super) fn table(types: &[&Ty], runs: &[Run]) -> Vec<u32> {
    runs.iter().flat_map(|run| [first_vector(types, run.tensors.start), run.lambda.to_bits(), 0, 0]).collect()
}

/// Where a tensor begins in the arena, in vectors of four.
pub(super) fn first_vector(types: &[&Ty], tensor: usize) -> u32 {
    ((packed_words(&types[..=tensor]) - types[tensor].elements()) / 4) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_as_long_as_they_can_be() {
        let types = [Ty::f32(&[3, 70]), Ty::f32(&[3]), Ty::f32(&[5]), Ty::f32(&[2, 2, 1, 3])];
        let of = |decayed: Decayed| runs(&types, |ty| decayed.lambda(0.5, ty));
        assert_eq!(of(Decayed::All), [Run { tensors: 0..4, lambda: 0.5 }]);
        let [first, second, third] = [0..1, 1..3, 3..4].map(|tensors: Range<usize>| tensors);
        let expected = [(first, 0.5), (second, 0.0), (third, 0.5)].map(|(tensors, lambda)| Run { tensors, lambda });
        assert_eq!(of(Decayed::Weights), expected);
        let places: Vec<u32> = table(&types.each_ref(), &of(Decayed::Weights)).chunks(4).map(|run| run[0]).collect();
        assert_eq!(places, [0, 64, 96], "210 words take four times 64, 3 and 5 words 64 each");
    }
}
