//! The kernels of a run: the record that a resumed run repeats, and how they are chosen.

#[cfg(feature = "native")]
mod choosing;

#[cfg(feature = "native")]
pub use choosing::{Mode, Progress, choose, choose_again};

use serde::{Deserialize, Serialize};

use crate::device::Device;
use crate::error::{Error, Result};
use crate::plan::Choices;

/// The choices of a run with the adapter that they are for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tuning {
    /// The adapter.
    pub adapter: String,
    /// The choices.
    pub choices: Choices,
}

impl Tuning {
    /// The record as text.
    ///
    /// # Errors
    /// Never for choices of this program.
    pub fn to_text(&self) -> Result<String> {
        toml::to_string(self).map_err(|error| Error::Failed(format!("the tuning choice cannot be written: {error}")))
    }

    /// Reads the record.
    ///
    /// # Errors
    /// When it names a fusion or a kernel that this program does not have; the message lists those it has.
    pub fn from_text(text: &str) -> Result<Self, String> {
        let tuning: Tuning = toml::from_str(text).map_err(|error| error.to_string())?;
        tuning.choices.check().map_err(|error| error.to_string())?;
        Ok(tuning)
    }

    /// The choices of the device's kind, nothing measured.
    pub fn fixed(device: &dyn Device) -> Self {
        Tuning { adapter: device.identity().adapter, choices: Choices::by_kind(device.profile()) }
    }

    /// The recorded choices if they are for this device, else those of its kind.
    pub fn or_static(recorded: Option<&Tuning>, device: &dyn Device) -> Choices {
        let adapter = device.identity().adapter;
        let fitting = recorded.filter(|tuning| tuning.adapter == adapter);
        fitting.map_or_else(|| Choices::by_kind(device.profile()), |tuning| tuning.choices.clone())
    }
}
