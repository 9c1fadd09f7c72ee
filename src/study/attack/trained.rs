//! A trained classifier, under attack on the device of its session.

use super::{Attacked, Pixels};
use crate::device::wait;
use crate::error::Result;
use crate::model::slopes::Slope;
use crate::study::slopes::{Arriving, Slopes};
use crate::train::Session;

/// The classifier of a session, for rows as pixels.
pub struct TrainedClassifier<'a> {
    session: &'a mut Session,
    slopes: Slopes,
    pixels: Pixels,
}

impl<'a> TrainedClassifier<'a> {
    /// That of a session, whose rows are these pixels; `unrounded` has gradients go through codes as if they were not rounded.
    ///
    /// # Errors
    /// When an operation of the network has no gradient, or the device fails.
    pub fn new(session: &'a mut Session, pixels: Pixels, unrounded: bool) -> Result<Self> {
        let slope = if unrounded { Slope::UnroundedCrossEntropy } else { Slope::CrossEntropy };
        let slopes = Slopes::load(session, slope)?;
        Ok(TrainedClassifier { session, slopes, pixels })
    }

    fn seen(&self, pixels: &[f32]) -> Vec<f32> {
        let mut rows = Vec::with_capacity(pixels.len());
        self.pixels.append(pixels, &mut rows);
        rows
    }
}

impl Attacked for TrainedClassifier<'_> {
    fn answers(&mut self, pixels: &[f32]) -> Result<Vec<f32>> {
        let rows = self.seen(pixels);
        wait(self.session.answers_to(&rows))
    }

    fn slopes(&mut self, pixels: &[f32], classes: &[u16]) -> Result<[Vec<f32>; 2]> {
        let rows = self.seen(pixels);
        let [answers, mut gradients] = self.slopes.of(self.session, &rows, Arriving::Classes(classes))?;
        self.pixels.of_gradient(&mut gradients);
        Ok([answers, gradients])
    }
}
