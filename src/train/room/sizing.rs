//! What to do about a training step that a device has no room for: how much it needs, and which batch there would be room
//! for.

use super::{free, of_training};
use crate::config::RunConfig;
use crate::data::Split;
use crate::device::{Device, ProgramId};
use crate::error::{Error, Result, thousands};
use crate::graph::Graph;
use crate::model::graph;
use crate::plan::{Choices, DeviceProfile, Plan};

/// Loads a training step, or says which batch would fit.
pub(in crate::train) fn load_step(
    device: &mut dyn Device,
    config: &RunConfig,
    rows: &Split,
    graph: &Graph,
    choices: &Choices,
) -> Result<ProgramId> {
    let free = free(device.profile());
    let error = match plan(graph, device.profile(), choices) {
        Ok(plan) => {
            let needed = plan.bytes() as u64;
            if free.is_none_or(|free| needed <= free) {
                return device.load(plan);
            }
            let [needed, free] = [needed, free.unwrap_or_default()].map(|bytes| thousands(bytes / 1_000_000));
            Error::Failed(format!("a training step needs {needed} MB of memory, and {free} MB are free"))
        }
        Err(error) => error,
    };
    let (whole, profile) = (config.step_rows(rows.rows), device.profile());
    match largest_batch(config, rows, profile, choices, free) {
        Some(fitting) => {
            let parts = config.batch_size.div_ceil(fitting).next_power_of_two();
            let or = match config.batch_size.is_multiple_of(parts) {
                true => format!(", or the same in parts with --set optimiser.accumulate={parts}"),
                false => String::new(),
            };
            let advice = format!("a step of --batch-size {fitting} would fit{or}");
            Err(Error::Failed(format!("--batch-size {}: {error}; {advice}", config.batch_size)))
        }
        None if whole == 1 => Err(error),
        None => Err(Error::Failed(format!("{error}; no smaller batch would fit"))),
    }
}

/// The plan of a training step by these choices, as far as the device has what they ask for.
fn plan(graph: &Graph, profile: &DeviceProfile, choices: &Choices) -> Result<Plan> {
    let (choices, _) = choices.resolved(graph, profile)?;
    Plan::chosen("train", graph, profile, &choices)
}

/// The largest batch, halved so often, whose step can be planned for a device and needs no more memory than is free.
fn largest_batch(
    config: &RunConfig,
    rows: &Split,
    profile: &DeviceProfile,
    choices: &Choices,
    free: Option<u64>,
) -> Option<usize> {
    let fits = |batch: usize| {
        let smaller = RunConfig { batch_size: batch, ..config.clone() };
        let graph = graph::training(&smaller, of_training(&smaller, rows, profile)).ok()?;
        let plan = plan(&graph, profile, choices).ok()?;
        free.is_none_or(|free| plan.bytes() as u64 <= free).then_some(batch)
    };
    let whole = config.step_rows(rows.rows);
    std::iter::successors(Some(whole / 2), |batch| Some(batch / 2)).take_while(|batch| *batch > 0).find_map(fits)
}
