//! Parts of a trained model as safetensors files that PyTorch's `load_state_dict` takes as they are.
//!
//! The source report splits its `nn.Sequential` after module 6: the encoder is modules 0–6 (Flatten, then three pairs of
//! linear layer and activation), so its keys are `1`, `3`, `5`; the decoder starts anew, with keys `0`, `2`, `4`. Beside the
//! tensors a file says in its metadata what they are: see [`Part`].

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::tensors::{opened, sealed};
use crate::config::RunConfig;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::model::forward::network;
use crate::nn::network::{LOG_VARIANCE, SCOPE, first_place, joined};
use crate::nn::{BlockConfig, torchvision};
use crate::ops::array::activation::Activation;
use crate::tensor::Shape;
use crate::train::session::State;
use crate::whole_file;

/// Version of what the metadata says.
const FORMAT: u32 = 1;
/// How bytes of data become values of a row, and back.
const VALUES: &str = "bytes / 255";

/// What a file says of its tensors, as JSON under `gpu_ae` in its metadata.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Version of the layout.
    format: u32,
    /// Kind of model.
    pub model: String,
    /// `encoder`, `decoder`, `log_variance` or `torchvision`.
    pub part: String,
    /// Name of the data that it was trained on.
    pub data: String,
    /// Values of a row of data, which go into an encoder and come out of a decoder.
    pub features: usize,
    /// How bytes of data become these values.
    pub values: String,
    /// The blocks, from what goes in to what comes out.
    pub modules: Vec<Module>,
}

/// A block of a part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Module {
    /// Its place in PyTorch's `nn.Sequential`, which its tensors' names begin with; an activation has the place behind its
    /// layer's.
    pub place: usize,
    /// Shape of a sample before it.
    pub inputs: Vec<usize>,
    /// Shape of a sample behind it.
    pub outputs: Vec<usize>,
    /// What it is, as a configuration spells it.
    pub block: BlockConfig,
}

impl Part {
    fn new(config: &RunConfig, part: &str, features: usize, modules: Vec<Module>) -> Self {
        let (model, data) = (config.model.clone(), config.data.path.clone());
        Part { format: FORMAT, model, part: part.into(), data, features, values: VALUES.into(), modules }
    }

    /// What an encoder of these blocks for rows of `features` values says of itself.
    ///
    /// # Errors
    /// When a block cannot take what the one before it gives.
    pub fn encoder(config: &RunConfig, blocks: &[BlockConfig], features: usize) -> Result<Self> {
        let (modules, _) = modules(blocks, first_place(blocks), &Shape::new(&[features]))?;
        Ok(Part::new(config, "encoder", features, modules))
    }

    /// A file of this part with its tensors.
    ///
    /// # Errors
    /// Never for tensors of a network.
    pub fn to_bytes(&self, tensors: &State) -> Result<Vec<u8>> {
        sealed(tensors, self)
    }

    /// Reads such a file and checks every tensor against its hash.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or is no such file.
    pub fn read(path: &Path) -> Result<(Self, State)> {
        let bytes = whole_file::read(path).map_err(Error::io(path, "read"))?;
        let check = |part: &Part| match part.format {
            FORMAT => Ok(()),
            other => Err(format!("an exported model of format {other}, this program reads {FORMAT}")),
        };
        opened(&bytes, "exported model", check).map_err(|problem| Error::input(path, problem))
    }
}

/// The modules of blocks, the first at this place, for samples of this shape; and the place behind them.
fn modules(blocks: &[BlockConfig], first: usize, sample: &Shape) -> Result<(Vec<Module>, (usize, Shape))> {
    let (mut place, mut sample, mut modules) = (first, sample.clone(), Vec::new());
    for block in joined(blocks) {
        let behind = block.kind().infer(&sample)?;
        let [inputs, outputs] = [&sample, &behind].map(|shape| shape.dims().to_vec());
        let next = place + block.kind().modules();
        modules.push(Module { place, inputs, outputs, block });
        (place, sample) = (next, behind);
    }
    Ok((modules, (place, sample)))
}

/// Writes `encoder.safetensors` and `decoder.safetensors` of a network for rows of `features` values into a folder, of a
/// variational one `log_variance.safetensors`, the layer beside the encoder's last, and of a residual network all of it under
/// torchvision's names, as `torchvision.safetensors`; returns their paths.
///
/// # Errors
/// When a parameter is missing from the state or the folder cannot be written.
pub fn export(state: &State, config: &RunConfig, features: usize, folder: &Path) -> Result<Vec<PathBuf>> {
    let network = network(&mut Graph::new(), config, features)?;
    let first = first_place(&config.encoder);
    let (of_encoder, (begin, code)) = modules(&config.encoder, first, &Shape::new(&[features]))?;
    let (of_decoder, _) = modules(&config.decoder, 0, &code)?;
    let log_variance = of_encoder.last().filter(|_| network.log_variance.is_some()).map(|means| {
        let block = BlockConfig::linear(code.elements(), Activation::Identity);
        Module { block, ..means.clone() }
    });
    let foreign = torchvision::names(&config.encoder, &config.decoder);
    let foreign = foreign.filter(|names| names.len() == network.parameters.len()).unwrap_or_default();
    let [mut encoder, mut decoder, mut beside, mut whole] = [const { State::new() }; 4];
    for (index, parameter) in network.parameters.iter().enumerate() {
        let name = &parameter.name;
        let problem = |what: &str| Error::Failed(format!("checkpoint: '{name}' {what}"));
        let mut tensor = state.get(name).ok_or_else(|| problem("is missing"))?.clone();
        if let Some(order) = &parameter.order {
            tensor = (order.in_file(&tensor.0), order.to_file(&tensor.1));
        }
        if let Some(name) = foreign.get(index) {
            whole.insert(name.clone(), tensor.clone());
        }
        let within = |scope: &str| name.strip_prefix(scope).and_then(|rest| rest.strip_prefix('.'));
        if let Some(rest) = within(LOG_VARIANCE) {
            beside.insert(rest.to_string(), tensor);
            continue;
        }
        let placed = within(SCOPE).and_then(|rest| rest.split_once('.'));
        let (place, rest) = placed.ok_or_else(|| problem("belongs to no part of the network"))?;
        if index < network.encoder_parameters().len() {
            encoder.insert(format!("{place}.{rest}"), tensor);
        } else {
            let place: usize = place.parse().map_err(|_| problem("has no place in the network"))?;
            decoder.insert(format!("{}.{rest}", place.saturating_sub(begin)), tensor);
        }
    }
    whole_file::make_folder(folder)?;
    let all = [&of_encoder[..], &of_decoder].concat();
    let parts = [
        ("encoder", encoder, of_encoder),
        ("decoder", decoder, of_decoder),
        (LOG_VARIANCE, beside, log_variance.into_iter().collect()),
        ("torchvision", whole, all),
    ];
    let mut files = Vec::new();
    for (part, tensors, modules) in parts.into_iter().filter(|(_, tensors, _)| !tensors.is_empty()) {
        let file = folder.join(format!("{part}.safetensors"));
        let bytes = Part::new(config, part, features, modules).to_bytes(&tensors)?;
        whole_file::write(&file, &bytes, "write the exported model")?;
        files.push(file);
    }
    Ok(files)
}
