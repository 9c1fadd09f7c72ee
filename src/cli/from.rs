//! What a classifier begins with: the encoder of another run.

use std::path::{Path, PathBuf};

use gpu_ae::config::{RunConfig, Said};
use gpu_ae::data::DataOptions;
use gpu_ae::nn::BlockConfig;
use gpu_ae::study::cluster::plain_encoder;
use gpu_ae::train::session::State;
use gpu_ae::{Error, Result};

use super::flags::{ConfigFlags, DataFlags, DeviceFlag, open_run};

/// An encoder, and the data that it was trained on.
struct Encoder {
    blocks: Vec<BlockConfig>,
    state: State,
    data: DataOptions,
    data_dir: Option<PathBuf>,
}

/// The encoder of a run: of one that has sorted rows into clusters as plain layers, of any other as it is.
fn encoder(from: &Path, quiet: bool) -> Result<Encoder> {
    let (_, checkpoint) = open_run(from, &DataFlags::default(), &DeviceFlag::default(), quiet)?;
    let (blocks, state) = match checkpoint.config.clustering {
        Some(_) => plain_encoder(&checkpoint.config, &checkpoint.state)?,
        None => (checkpoint.config.encoder, checkpoint.state),
    };
    Ok(Encoder { blocks, state, data: checkpoint.config.data, data_dir: checkpoint.config.data_dir })
}

/// Puts the encoder of the run `from` into a configuration, and its data unless `flags` name some; returns its parameters.
pub fn begin_with(from: &Path, config: &mut RunConfig, flags: &ConfigFlags, quiet: bool) -> Result<State> {
    let Some(classifier) = &mut config.classifier else {
        let problem = "expected --model classifier, which alone begins with another run's encoder";
        return Err(Error::Usage(format!("--from {}: {problem}", from.display())));
    };
    classifier.from = Some(from.to_path_buf());
    let encoder = encoder(from, quiet)?;
    config.encoder = encoder.blocks;
    config.entropy.layers.clear();
    if flags.data.data.is_none() {
        config.data = encoder.data;
        flags.data.reading.apply(&mut config.data);
        if let Some(run) = &mut config.data.of_run {
            run.anew = flags.data.reading.given();
        }
        config.data_dir = config.data_dir.take().or(encoder.data_dir);
        config.follow_data(Said { encoder: true, ..flags.said()? })?;
    }
    // Layers that an entropy may be of are this encoder's.
    *config = config.clone().settled();
    config.check()?;
    Ok(encoder.state)
}
