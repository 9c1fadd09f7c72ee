//! A trained network as ONNX files: the encoder, the decoder, and the whole of it.
//!
//! Rows go in and come out as this program holds them: flat, pixels row by row with their channels side by side, mapped as the file's
//! `encoding` says. Any number of them at a time.

use std::path::{Path, PathBuf};

use super::checkpoint::Checkpoint;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::model::part::{self, Part, RESULT, ROWS};
use crate::nn::network::LOG_VARIANCE;
use crate::onnx::{Interface, model};
use crate::whole_file;

/// Rows of a graph that is written with any number of them.
const ANY: usize = 1;
/// What a code is called in the files.
const CODE: &str = "code";

/// A file: its stem, what goes in, what comes out, by the names that the graph and the file have for them.
struct Whole<'a> {
    stem: &'a str,
    graph: Graph,
    input: &'a str,
    outputs: Vec<[&'a str; 2]>,
}

/// Writes `encoder.onnx`, and where there is one `decoder.onnx` and both as `model.onnx`, into a folder; returns their paths.
///
/// # Errors
/// When a parameter is missing, the network has an operation that ONNX has not, or the folder cannot be written.
pub fn export_onnx(checkpoint: &Checkpoint, folder: &Path) -> Result<Vec<PathBuf>> {
    let (config, features) = (&checkpoint.config, checkpoint.features()?);
    let answer = match (config.classifier.is_some(), config.contrastive.is_some()) {
        (true, _) => "logits",
        (_, true) => "projection",
        _ => "reconstruction",
    };
    let (encoded, has_decoder) = match (config.clustering.is_some(), config.adversarial.is_some()) {
        (true, _) => ("logits", false),
        (_, true) => ("verdict", true),
        _ => (CODE, !config.decoder.is_empty()),
    };
    let graph = part::encoder(config, features, ANY)?;
    let outputs = [[RESULT, encoded], [LOG_VARIANCE, LOG_VARIANCE]].into_iter();
    let outputs = outputs.filter(|[own, _]| graph.results().iter().any(|(name, _)| name == own)).collect();
    let mut files = vec![Whole { stem: "encoder", graph, input: "rows", outputs }];
    if has_decoder {
        let graph = part::part(config, Part::Decode, features, ANY)?;
        files.push(Whole { stem: "decoder", graph, input: CODE, outputs: vec![[RESULT, answer]] });
    }
    // A discriminator and a generator are two networks.
    if has_decoder && config.adversarial.is_none() {
        let graph = part::part(config, Part::Answer, features, ANY)?;
        files.push(Whole { stem: "model", graph, input: "rows", outputs: vec![[RESULT, answer]] });
    }
    let encoding = checkpoint.encoding.as_ref().map(serde_json::to_string).transpose();
    let encoding = encoding.map_err(|error| Error::Failed(format!("encoding: {error}")))?;
    let metadata = |stem: &str| {
        let words = [("model", config.model.clone()), ("part", stem.into()), ("data", config.data.path.clone())];
        words.into_iter().chain(encoding.clone().map(|encoding| ("encoding", encoding))).collect::<Vec<_>>()
    };
    let parameter = |name: &str| checkpoint.state.get(name).map(|(_, bytes)| bytemuck::pod_collect_to_vec(bytes));
    let mut written = Vec::new();
    for Whole { stem, graph, input, outputs } in files {
        let metadata = metadata(stem);
        let name = format!("{} {stem}", config.model);
        let interface = Interface { name: &name, input: [ROWS, input], outputs: &outputs, metadata: &metadata };
        written.push((folder.join(format!("{stem}.onnx")), model(&graph, &interface, parameter)?));
    }
    whole_file::make_folder(folder)?;
    written
        .into_iter()
        .map(|(path, bytes)| whole_file::write(&path, &bytes, "write the model").map(|()| path))
        .collect()
}
