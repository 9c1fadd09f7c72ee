//! The learning rate over time.

use serde::{Deserialize, Serialize};

use super::objective::refuse;
use super::optimiser::foreign;
use crate::error::Result;

/// The learning rate over time, which starts from `lr`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RateSchedule {
    /// How it falls.
    pub kind: RateKind,
    /// Epochs, or parts of them, over which it rises in a straight line from almost nothing.
    pub warm_up: f32,
    /// Epochs between two falls of `step`; four fifths of all if nothing is said, so that there is one fall.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<f32>,
    /// What the rate of `step` is multiplied by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factor: Option<f32>,
    /// The rate at which `cosine` ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub floor: Option<f32>,
}

/// How a learning rate falls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RateKind {
    /// Not at all.
    #[default]
    Constant,
    /// By a factor every so many epochs.
    Step,
    /// Along half a cosine until the last epoch.
    Cosine,
}

impl RateSchedule {
    /// What a fall of `step` multiplies the rate by: 0.1 if nothing is said.
    pub fn factor(&self) -> f32 {
        self.factor.unwrap_or(0.1)
    }

    /// Epochs between two falls of `step` in a run of so many.
    pub fn every(&self, epochs: u32) -> f32 {
        self.every.unwrap_or(0.8 * epochs as f32)
    }

    /// Where `cosine` ends: at 0 if nothing is said.
    pub fn floor(&self) -> f32 {
        self.floor.unwrap_or(0.0)
    }

    /// `lr`: the peak; `epochs`: those of the run.
    pub(super) fn check(&self, lr: f32, epochs: u32) -> Result<()> {
        let [is_step, is_cosine] = [RateKind::Step, RateKind::Cosine].map(|kind| self.kind == kind);
        foreign("lr_schedule.every", self.every, is_step, "kind = \"step\"")?;
        foreign("lr_schedule.factor", self.factor, is_step, "kind = \"step\"")?;
        foreign("lr_schedule.floor", self.floor, is_cosine, "kind = \"cosine\"")?;
        if !(self.warm_up >= 0.0 && self.warm_up <= epochs as f32) {
            let expected = format!("a number of epochs from 0 to the run's {epochs}");
            return refuse("lr_schedule.warm_up", self.warm_up, &expected);
        }
        if let Some(every) = self.every.filter(|every| !(every.is_finite() && *every > 0.0)) {
            return refuse("lr_schedule.every", every, "a positive number of epochs");
        }
        if !(self.factor() > 0.0 && self.factor() <= 1.0) {
            return refuse("lr_schedule.factor", self.factor(), "more than 0 and at most 1");
        }
        if !(0.0..=lr).contains(&self.floor()) {
            return refuse("lr_schedule.floor", self.floor(), &format!("a rate from 0 to the --lr of {lr}"));
        }
        Ok(())
    }
}
