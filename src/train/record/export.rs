//! The two halves of a trained model as safetensors files that PyTorch's `load_state_dict` takes as
//! they are.
//!
//! The source report splits its `nn.Sequential` after module 6: the encoder is modules 0–6 (Flatten,
//! then three pairs of linear layer and activation), so its keys are `1`, `3`, `5`; the decoder starts
//! anew, with keys `0`, `2`, `4`.

use std::path::{Path, PathBuf};

use super::checkpoint::serialize;
use crate::config::RunConfig;
use crate::error::{Error, Result};
use crate::nn::autoencoder::parameter_prefix;
use crate::train::session::State;
use crate::whole_file;

/// Writes `encoder.safetensors` and `decoder.safetensors` into a folder; returns their paths.
///
/// # Errors
/// When a parameter is missing from the state or the folder cannot be written.
pub fn export(state: &State, config: &RunConfig, folder: &Path) -> Result<[PathBuf; 2]> {
    let split = config.encoder.len();
    let (mut encoder, mut decoder) = (State::new(), State::new());
    for index in 0..config.depth() {
        for part in ["weight", "bias"] {
            let name = format!("{}.{part}", parameter_prefix(index));
            let tensor = state.get(&name).ok_or_else(|| Error::Failed(format!("checkpoint: '{name}' is missing")))?;
            if index < split {
                encoder.insert(format!("{}.{part}", 2 * index + 1), tensor.clone());
            } else {
                decoder.insert(format!("{}.{part}", 2 * (index - split)), tensor.clone());
            }
        }
    }
    std::fs::create_dir_all(folder).map_err(Error::io(folder, "create"))?;
    let files = ["encoder", "decoder"].map(|half| folder.join(format!("{half}.safetensors")));
    for (file, half) in files.iter().zip([&encoder, &decoder]) {
        whole_file::write(file, &serialize(half, None)?, "write the exported model")?;
    }
    Ok(files)
}
