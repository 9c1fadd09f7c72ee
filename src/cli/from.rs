//! What a classifier begins with: the encoder of another run.

use std::path::{Path, PathBuf};

use gpu_ae::config::{LayerConfig, RunConfig};
use gpu_ae::study::cluster::StoredEncoder;
use gpu_ae::train::session::State;
use gpu_ae::{Error, Result};

use super::flags::{DataFlags, DeviceFlag, open_run};

/// An encoder, and the data that it was trained on.
struct Encoder {
    layers: Vec<LayerConfig>,
    state: State,
    data: String,
    data_dir: Option<PathBuf>,
}

/// The encoder of a cluster run, or of any other.
fn encoder(from: &Path, quiet: bool) -> Result<Encoder> {
    if let Some(stored) = StoredEncoder::load(from)? {
        let layers = stored.layers();
        return Ok(Encoder { layers, state: stored.state, data: stored.config.data, data_dir: stored.config.data_dir });
    }
    let (_, checkpoint) = open_run(from, &DataFlags::default(), &DeviceFlag::default(), quiet)?;
    let RunConfig { encoder, data, data_dir, .. } = checkpoint.config;
    Ok(Encoder { layers: encoder, state: checkpoint.state, data, data_dir })
}

/// Puts the encoder of the run `from` into a configuration, and its data unless `keep_data`; returns its parameters.
pub fn begin_with(from: &Path, config: &mut RunConfig, keep_data: bool, quiet: bool) -> Result<State> {
    let Some(classifier) = &mut config.classifier else {
        let problem = "expected --model classifier, which alone begins with another run's encoder";
        return Err(Error::Usage(format!("--from {}: {problem}", from.display())));
    };
    classifier.from = Some(from.to_path_buf());
    let encoder = encoder(from, quiet)?;
    config.encoder = encoder.layers;
    config.entropy.layers = vec![config.encoder.len()];
    if !keep_data {
        config.data = encoder.data;
        config.data_dir = config.data_dir.take().or(encoder.data_dir);
    }
    config.check()?;
    Ok(encoder.state)
}
