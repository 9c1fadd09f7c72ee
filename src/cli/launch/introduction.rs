//! What is said of a run before it trains: which network learns from what on which device, and how far it has come.

use std::path::Path;

use gpu_ae::Result;
use gpu_ae::config::RunConfig;
use gpu_ae::data::Dataset;
use gpu_ae::device::Device;
use gpu_ae::model::forward::parameter_count;
use gpu_ae::train::Run;

use crate::cli::output::{complain, thousands};

/// How far a run that goes on has come.
pub fn standing(run: &Run, path: &Path, wanted: u32) -> String {
    let (name, done) = (path.display(), run.epoch());
    if run.judgement().is_some_and(|judgement| judgement.is_over) {
        format!(
            "{name}: stopped early after {done} epochs; nothing is left to do, --set early_stopping.patience=N waits \
             longer"
        )
    } else if done < wanted {
        format!("resuming {name} after {done} of {wanted} epochs")
    } else {
        format!("{name}: {done} epochs are done and {wanted} wanted; nothing is left to do, --epochs N trains further")
    }
}

/// A network of rows of so many values in a few words.
pub fn network(config: &RunConfig, features: usize) -> String {
    match config.images() {
        Some([height, width, channels]) => {
            let code =
                if config.decoder.is_empty() { String::new() } else { format!(", code {}", config.code_width()) };
            format!("{height}x{width}x{channels} in {} blocks{code}", config.blocks().count())
        }
        None => {
            let widths = config.layers().into_iter().map(|layer| layer.linear.to_string());
            [features.to_string()].into_iter().chain(widths).collect::<Vec<_>>().join("-")
        }
    }
}

/// Says what is about to be trained, on what.
pub fn introduce(config: &RunConfig, data: &Dataset, device: &dyn Device, quiet: bool) -> Result<()> {
    if quiet {
        return Ok(());
    }
    let aside = match data.validation.rows {
        0 => String::new(),
        rows => format!(", {} set aside for validation", thousands(rows as u64)),
    };
    let features = data.train.width;
    let network = network(config, features);
    let with = match device.profile().member.size {
        1 => device.name().to_string(),
        size => format!("{size} processes, the first on {}", device.name()),
    };
    complain(&format!(
        "{} {network} ({} parameters) on {} ({} + {} {}{aside}) with {with}, {}",
        config.model,
        thousands(parameter_count(config, features)? as u64),
        data.name,
        thousands(data.train.rows as u64),
        thousands(data.test.rows as u64),
        data.encoding.words()[1],
        config.length(data.train.rows),
    ));
    Ok(())
}
