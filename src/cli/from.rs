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

/// The parameters of the encoder that a configuration says it began with, if it says so: of a file that is read again.
pub fn begin_again(config: &RunConfig, quiet: bool) -> Result<Option<State>> {
    let Some(from) = config.classifier.as_ref().and_then(|classifier| classifier.from.as_ref()) else {
        return Ok(None);
    };
    let encoder = encoder(from, quiet)?;
    if encoder.blocks != config.encoder {
        let problem = "its encoder is not that of this configuration; --from RUN takes the encoder of a run as it is";
        return Err(Error::Usage(format!("classifier.from {}: {problem}", from.display())));
    }
    Ok(Some(encoder.state))
}

/// Puts the encoder of the run `from` into a configuration, and its data unless `flags` name some; returns its parameters.
pub fn begin_with(from: &Path, config: &mut RunConfig, flags: &ConfigFlags, quiet: bool) -> Result<State> {
    let Some(classifier) = &mut config.classifier else {
        let problem = "expected --model classifier, which alone begins with another run's encoder";
        return Err(Error::Usage(format!("--from {}: {problem}", from.display())));
    };
    // Whoever reads the configuration again may be in another folder.
    classifier.from = Some(std::path::absolute(from).map_err(Error::io(from, "find"))?);
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
