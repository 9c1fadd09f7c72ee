//! Training steps of a session, their losses, and the rate and the weights that they are made with.

use super::Session;
#[cfg(feature = "native")]
use super::group::Together;
use super::passage::Passage;
use super::record::metrics::{TermSums, Weights};
use super::session::set;
use crate::config::RunConfig;
use crate::device::{Device, Reading};
#[cfg(feature = "native")]
use crate::device::{Span, Trace};
use crate::error::{Error, Result};
use crate::model::graph::{RING_STEPS, terms, weight_name};
use crate::nn::Pass;
use crate::ops::step::clock;

/// What came of a stretch of training steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Stretch {
    /// Step and term of a loss that was not finite.
    pub bad: Option<(u32, &'static str)>,
    /// The clock after it.
    pub clock: Vec<u32>,
}

impl Session {
    /// Goes on with the rows where the training program's clock stands.
    pub(super) async fn go_on(&mut self) -> Result<()> {
        let program = self.trainer()?;
        let mut clock = [0; clock::WORDS];
        clock.copy_from_slice(&self.device.fetch_u32(program, "clock").await?);
        if let Some((feed, passage)) = &mut self.training {
            *passage = feed.begin_shares(self.device.as_mut(), program, clock)?;
        }
        Ok(())
    }

    /// Starts `steps` training steps, at most as many as the ring holds.
    ///
    /// # Errors
    /// When the device fails, or rows cannot be read.
    pub fn train(&mut self, steps: u32) -> Result<()> {
        #[cfg(feature = "native")]
        if let Some(mut together) = self.together.take() {
            let led = together.lead(steps, |together| self.train_in(together, steps));
            self.together = Some(together);
            return led;
        }
        let program = self.trainer()?;
        if !self.device.plan(program).pauses.is_empty() {
            return Err(Error::Failed(
                "this process learns from a share of every batch, and nobody from the others".into(),
            ));
        }
        let (device, passage) = self.passage()?;
        passage.run(device, steps)
    }

    /// Makes `steps` steps at the same time as others.
    #[cfg(feature = "native")]
    pub(super) fn train_in(&mut self, together: &mut Together, steps: u32) -> Result<()> {
        let (device, passage) = self.passage()?;
        passage.run_together(device, steps, together)
    }

    /// As [`train`](Self::train), with the time of every dispatch.
    ///
    /// # Errors
    /// As [`train`](Self::train).
    #[cfg(feature = "native")]
    pub fn trace(&mut self, steps: u32) -> Result<Trace> {
        let (device, passage) = self.passage()?;
        passage.trace(device, steps)
    }

    /// How long steps waited for rows since this was last asked, each time that they did: never where the device holds all
    /// rows, or their reader keeps up.
    #[cfg(feature = "native")]
    pub fn take_waits(&mut self) -> Vec<Span> {
        self.training.as_mut().map(|(_, passage)| passage.take_waits()).unwrap_or_default()
    }

    fn passage(&mut self) -> Result<(&mut dyn Device, &mut Passage)> {
        self.trainer()?;
        let passage = self.training.as_mut().map(|(_, passage)| passage);
        let passage = passage.ok_or_else(|| Error::Failed("this session was opened to evaluate only".into()))?;
        Ok((self.device.as_mut(), passage))
    }

    /// Whether it pays to start further steps before the losses of those before are waited for.
    pub fn runs_ahead(&self) -> bool {
        self.device.runs_ahead()
    }

    /// Begins to read the losses of all steps started so far.
    ///
    /// # Errors
    /// When the device fails.
    pub fn begin_losses(&mut self) -> Result<Reading> {
        let program = self.trainer()?;
        self.device.begin(program, &["clock", "ring"])
    }

    /// Waits for the losses of the steps started after `first_step`, which no more than fill the ring,
    /// and adds them to `sums`, step by step: how a run is cut into stretches, which is a matter of time,
    /// must not show in its sums. This is the only place where training waits for the device.
    ///
    /// # Errors
    /// When the device fails; a loss that is not finite is reported in the result.
    pub async fn end_losses(&mut self, reading: Reading, first_step: u32, sums: &mut TermSums) -> Result<Stretch> {
        let bytes = self.device.receive(reading).await?;
        let (clock, ring) = bytes.split_at(clock::WORDS * 4);
        let (clock, ring): (Vec<u32>, Vec<f32>) =
            (bytemuck::pod_collect_to_vec(clock), bytemuck::pod_collect_to_vec(ring));
        let done = (clock[clock::STEP] - first_step) as usize;
        let names = terms(&self.config, Pass::Train);
        let width = 1 + names.len();
        for step in (first_step as usize..).take(done) {
            sums.add_row(&names, &ring[step % RING_STEPS * width..][..width]);
        }
        let bad = (clock[clock::BAD_STEP] != 0).then(|| (clock[clock::BAD_STEP], bad_term(&names, &clock)));
        Ok(Stretch { bad, clock })
    }

    /// Trains on with another step size, the largest one where it moves, and another weight of the entropy.
    ///
    /// # Errors
    /// When one is none that a run may have, or would make other terms of the loss, as a weight of 0 does; or the device fails.
    pub fn adjust(&mut self, lr: f32, lambda_entropy: f32) -> Result<()> {
        let program = self.trainer()?;
        let adjusted = RunConfig { lr, lambda_entropy, ..self.config.clone() };
        adjusted.check()?;
        let terms = |config: &RunConfig| -> Vec<(&'static str, bool, bool)> {
            let terms = config.terms(Pass::Train).into_iter();
            terms.map(|(name, weight)| (name, weight.counts, weight.moves())).collect()
        };
        if terms(&adjusted) != terms(&self.config) {
            let was = self.config.lambda_entropy;
            let expected =
                if was == 0.0 { "0, as the run has no entropy" } else { "more than 0, with which the run began" };
            return Err(Error::Usage(format!("weight of the entropy {lambda_entropy}: expected {expected}")));
        }
        set(self.device.as_mut(), program, &adjusted)?;
        self.config = adjusted;
        Ok(())
    }

    /// The weights of the terms that count, as they are now.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn weights(&mut self) -> Result<Weights> {
        let program = self.trainer()?;
        let mut weights = Weights::new();
        for (name, weight) in self.config.terms(Pass::Train).into_iter().filter(|(_, weight)| weight.counts) {
            let value = match weight.moves() {
                true => self.device.fetch_f32(program, &weight_name(name)).await?[0],
                false => weight.value,
            };
            weights.insert(name.to_string(), f64::from(value));
        }
        Ok(weights)
    }
}

/// Name of the term that a clock says was not finite.
pub(super) fn bad_term(names: &[&'static str], clock: &[u32]) -> &'static str {
    names.get(clock[clock::BAD_TERM] as usize).or(names.last()).copied().unwrap_or("loss")
}
