//! The sources of a training step, as a configuration says it begins.

use gpu_ae::config::{RunConfig, Schedule};
use gpu_ae::graph::{Feeds, Graph, Role};
use gpu_ae::model::graph::DataShape;
use gpu_ae::nn::autoencoder::initial_parameters;
use gpu_ae::ops::step::clock;
use gpu_ae::rng::{Rng, Stream, stream_key};
use gpu_ae::tensor::HostTensor;

/// A small set of rows: three batches of 8 an epoch, the last with 4 rows.
pub const DATA: DataShape = DataShape { rows: 20, features: 12 };
/// Classes of their labels.
pub const CLASSES: usize = 3;

/// Values of all sources of a step on [`DATA`]: random rows and labels, initial parameters, zeros for the rest.
pub fn start(graph: &Graph, config: &RunConfig) -> Feeds<f64> {
    let mut rng = Rng::new(stream_key(5, Stream::Data));
    let mut feeds: Feeds<f64> = Feeds::new();
    let parameters = initial_parameters(DATA.features, &config.layer_specs(), 3);
    for (_, source) in graph.sources() {
        let dims = source.ty.shape.dims();
        let value = match (source.role, source.name.as_str()) {
            (_, "clock") => HostTensor::from_words(dims, &clock::start(DATA.rows, config.batch_size, true, 7)),
            (_, "learning_rate") => HostTensor::from_f32(dims, &[config.lr]),
            (_, "lambda_mse") => HostTensor::from_f32(dims, &[config.lambda_mse]),
            (_, "lambda_entropy") if config.entropy.schedule == Schedule::Constant => {
                HostTensor::from_f32(dims, &[config.signed_lambda_entropy()])
            }
            (Role::Data, "train labels") => {
                let labels: Vec<u32> = (0..source.ty.elements()).map(|_| rng.below(CLASSES as u32)).collect();
                HostTensor::from_words(dims, &labels)
            }
            (Role::Data, _) => {
                let bytes: Vec<u8> = (0..source.ty.elements()).map(|_| rng.below(256) as u8).collect();
                HostTensor::from_bytes(dims, &bytes)
            }
            (Role::Param, name) => {
                let known =
                    parameters.iter().find(|(parameter, _)| parameter == name).map(|(_, values)| values.clone());
                let drawn = (0..source.ty.elements()).map(|_| rng.range(-0.4, 0.4)).collect();
                HostTensor::from_f32(dims, &known.unwrap_or(drawn))
            }
            (_, "lambda_kl") if config.variational.unwrap().warm_up > 0.0 => HostTensor::from_f32(dims, &[0.0]),
            (_, name) if name.starts_with("lambda_") && name != "lambda_entropy" => {
                let term = config.further_terms().into_iter().find(|(term, _)| name == format!("lambda_{term}"));
                HostTensor::from_f32(dims, &[term.unwrap().1])
            }
            _ => HostTensor::zeros(&source.ty),
        };
        feeds.insert(source.name.clone(), value);
    }
    feeds
}
