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
use crate::graph::Graph;
use crate::model::forward::network;
use crate::nn::network::SCOPE;
use crate::train::session::State;
use crate::whole_file;

/// Writes `encoder.safetensors` and `decoder.safetensors` of a network for rows of `features` values into a folder; returns
/// their paths.
///
/// # Errors
/// When a parameter is missing from the state or the folder cannot be written.
pub fn export(state: &State, config: &RunConfig, features: usize, folder: &Path) -> Result<[PathBuf; 2]> {
    let first = |name: &str| name.strip_prefix(SCOPE)?.strip_prefix('.')?.split_once('.').map(|(n, _)| n.parse().ok());
    let network = network(&mut Graph::new(), config, features)?;
    let (mut encoder, mut decoder) = (State::new(), State::new());
    let mut begin: Option<usize> = None;
    for (index, parameter) in network.parameters.iter().enumerate() {
        let name = &parameter.name;
        // What is no block of the network, such as log-variances, is no module of either half.
        let Some(Some(module)) = first(name) else { continue };
        let tensor = state.get(name).ok_or_else(|| Error::Failed(format!("checkpoint: '{name}' is missing")))?;
        let rest = name.splitn(3, '.').nth(2).unwrap_or_default();
        let module: usize = module;
        if index < network.encoder_parameters().len() {
            encoder.insert(format!("{module}.{rest}"), tensor.clone());
        } else {
            let begin = *begin.get_or_insert(module);
            decoder.insert(format!("{}.{rest}", module - begin), tensor.clone());
        }
    }
    whole_file::make_folder(folder)?;
    let files = ["encoder", "decoder"].map(|half| folder.join(format!("{half}.safetensors")));
    for (file, half) in files.iter().zip([&encoder, &decoder]) {
        whole_file::write(file, &serialize(half, None)?, "write the exported model")?;
    }
    Ok(files)
}
