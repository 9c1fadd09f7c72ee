//! Samples of a restricted Boltzmann machine.
//!
//! Source: Geman and Geman (1984). Hidden units are drawn given the visible ones and visible ones given the hidden,
//! in turn; after enough of that a state is a draw from the machine's distribution, wherever it began. The
//! probabilities are the encoder's and the decoder's outputs; what is drawn from them is drawn on the host.

use crate::device::wait;
use crate::error::Result;
use crate::rng::Rng;
use crate::train::session::Session;

/// Each of `probabilities` becomes 1 that often, else 0.
fn bernoulli(probabilities: &mut [f32], rng: &mut Rng) {
    probabilities.iter_mut().for_each(|p| *p = f32::from(u8::from(rng.uniform() < *p)));
}

impl Session {
    /// Takes every one of `rows` `[rows, features]`, states or probabilities from 0 to 1, through `steps` Gibbs steps:
    /// the probabilities of the visible units `[rows, features]` in the last one.
    ///
    /// # Errors
    /// When the device fails.
    pub fn gibbs(&mut self, mut rows: Vec<f32>, steps: u32, rng: &mut Rng) -> Result<Vec<f32>> {
        for _ in 0..steps {
            bernoulli(&mut rows, rng);
            let mut hidden = wait(self.encode(&rows))?;
            bernoulli(&mut hidden, rng);
            rows = wait(self.decode(&hidden))?;
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_on_as_often_as_their_probability_says() {
        let mut states: Vec<f32> = [0.0, 0.25, 1.0].into_iter().flat_map(|p| [p; 4000]).collect();
        bernoulli(&mut states, &mut Rng::new([1, 2]));
        assert!(states.iter().all(|&state| state == 0.0 || state == 1.0));
        let on = |part: usize| states[4000 * part..][..4000].iter().sum::<f32>() / 4000.0;
        assert_eq!((on(0), on(2)), (0.0, 1.0));
        // Four standard deviations.
        assert!((on(1) - 0.25).abs() < 0.028, "{}", on(1));
    }
}
