//! The weight of a term over time.

use serde::{Deserialize, Serialize};

/// The weight of the entropy over time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// `lambda_entropy` from the first step on.
    #[default]
    Constant,
    /// Nothing for `from` epochs, then up in a straight line to `lambda_entropy` after `to` epochs.
    WarmUp {
        /// Epochs without weight.
        #[serde(default)]
        from: f32,
        /// Epochs until the whole weight.
        #[serde(default = "whole_after")]
        to: f32,
    },
    /// As much as a reconstruction budget allows, at most `lambda_entropy`.
    Budget {
        /// Epochs without weight; six tenths of all if nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        warm_up: Option<f32>,
        /// The mean squared error not to be exceeded; 0 takes what training has reached after the warm-up.
        #[serde(default)]
        mse: f32,
        /// How fast the weight follows: relative change a step when the error is off by its whole budget.
        #[serde(default = "rate")]
        rate: f32,
    },
    /// As much as brings the term itself to a budget: of bits, which say so in words of their own (`rate.budget`).
    #[serde(skip)]
    Hold {
        /// The budget.
        budget: f32,
        /// Epochs without weight.
        warm_up: f32,
        /// How fast the weight follows: how many times e it changes by on the way down to the budget when the term is off by its
        /// whole budget at every step.
        pace: f32,
    },
}

fn whole_after() -> f32 {
    3.0
}

fn rate() -> f32 {
    0.1
}

/// Share of a run's epochs that a warm-up takes if nothing is said.
const WARM_UP: f32 = 0.6;

impl Schedule {
    /// The same with everything said that depends on the number of epochs.
    pub fn settled(self, epochs: u32) -> Self {
        match self {
            Schedule::Budget { warm_up: None, mse, rate } => {
                // To the tenth, as people would write it.
                let warm_up = Some((10.0 * WARM_UP * epochs as f32).round() / 10.0);
                Schedule::Budget { warm_up, mse, rate }
            }
            other => other,
        }
    }

    /// A budget with its usual settings.
    pub fn budget() -> Self {
        Schedule::Budget { warm_up: None, mse: 0.0, rate: rate() }
    }
}
