//! A process that follows: it makes the steps that the leader makes.

use super::{END, Stage, Together};
use crate::config::RunConfig;
use crate::data::Fingerprint;
use crate::device::{Device, wait};
use crate::error::{Error, Result};
use crate::train::starting::check_rows;
use crate::train::{Checkpoint, Session, Tuning};

/// Makes the steps of the run that the process of rank 0 leads, on the device that `open` brings, until that has come to its end.
///
/// # Errors
/// When the data is not the leader's, the device fails, or another process cannot be reached.
pub fn follow(mut together: Together, open: impl FnOnce(&RunConfig) -> Result<Box<dyn Device>>) -> Result<()> {
    let first = together.said(Vec::new())?;
    if first == END.to_le_bytes() {
        together.stage = Stage::Ended;
        return Ok(());
    }
    begin(&first, &mut together, open)?.follow(together)
}

impl Session {
    /// Makes the steps that the process of rank 0 makes, until that has come to its end.
    ///
    /// # Errors
    /// When the device fails, or another process cannot be reached.
    pub fn follow(&mut self, mut together: Together) -> Result<()> {
        loop {
            match order(&together.said(Vec::new())?)? {
                END => {
                    together.stage = Stage::Ended;
                    return Ok(());
                }
                steps => self.train_in(&mut together, steps)?,
            }
        }
    }

    /// Lets those that make its steps go.
    pub(in crate::train) fn end_together(&mut self) {
        self.together = None;
    }

    /// From now on others make every step that this session makes.
    pub fn lead(&mut self, together: Together) {
        self.together = Some(together);
    }
}

/// The number of steps that the leader says.
fn order(said: &[u8]) -> Result<u32> {
    let word = said.try_into().map_err(|_| Error::Failed(format!("an order of {} bytes is none", said.len())))?;
    Ok(u32::from_le_bytes(word))
}

/// The leader's run as it stands, on a device of this process.
fn begin(
    checkpoint: &[u8],
    together: &mut Together,
    open: impl FnOnce(&RunConfig) -> Result<Box<dyn Device>>,
) -> Result<Session> {
    let checkpoint = Checkpoint::from_bytes(checkpoint).map_err(Error::Failed)?;
    let config = &checkpoint.config;
    let data = together.in_turns(|| config.load_data_as(checkpoint.encoding.as_ref()))?;
    check_rows(config, &checkpoint, &Fingerprint::of(&data.train))?;
    let mut device = open(config)?;
    device.join(together.member());
    let choices = Tuning::or_static(checkpoint.tuning.as_ref(), device.as_ref());
    let mut session = wait(Session::for_training(device, config, &data, &choices, &mut |_, _| ()))?;
    wait(session.restore(&checkpoint.state))?;
    Ok(session)
}
