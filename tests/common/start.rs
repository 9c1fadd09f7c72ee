//! The sources of a training step, as a configuration says it begins.

use gpu_ae::config::RunConfig;
use gpu_ae::graph::{Feeds, Graph, Role};
use gpu_ae::model::forward::network;
use gpu_ae::model::graph::DataShape;
use gpu_ae::nn::Pass;
use gpu_ae::nn::builder::initial_values;
use gpu_ae::ops::step::clock;
use gpu_ae::rng::{Rng, Stream, stream_key};
use gpu_ae::tensor::HostTensor;

/// A small set of rows: three batches of 8 an epoch, the last with 4 rows.
pub const DATA: DataShape = DataShape { rows: 20, features: 12, kind: gpu_ae::data::ValueKind::Byte };
/// Classes of their labels.
pub const CLASSES: usize = 3;

/// Values of all sources of a step on [`DATA`]: random rows and labels, initial parameters, zeros for the rest.
pub fn start(graph: &Graph, config: &RunConfig) -> Feeds<f64> {
    let mut rng = Rng::new(stream_key(5, Stream::Data));
    let mut feeds: Feeds<f64> = Feeds::new();
    let network = network(&mut Graph::new(), config, DATA.features).unwrap();
    let parameters = initial_values(&network.parameters, 3);
    let weights = config.terms(Pass::Train);
    for (_, source) in graph.sources() {
        let (dims, n) = (source.ty.shape.dims(), source.ty.elements());
        let value = match (source.role, source.name.as_str()) {
            (_, "clock") => HostTensor::from_words(dims, &clock::start(DATA.rows, config.batch_size, true, 7)),
            (_, "learning_rate") => HostTensor::from_f32(dims, &[config.lr]),
            (_, "one") => HostTensor::from_f32(dims, &[1.0]),
            (Role::Data, "train labels") => {
                let labels: Vec<u32> = (0..n).map(|_| rng.below(CLASSES as u32)).collect();
                HostTensor::from_words(dims, &labels)
            }
            (Role::Data, "train neighbour distances") => {
                let distances: Vec<f32> = (0..n).map(|_| rng.range(0.2, 2.0)).collect();
                HostTensor::from_f32(dims, &distances)
            }
            (Role::Data, _) => {
                let bytes: Vec<u8> = (0..n).map(|_| rng.below(256) as u8).collect();
                HostTensor::from_bytes(dims, &bytes)
            }
            (Role::Param | Role::Buffer | Role::Average, name) => {
                let name = name.strip_prefix("average.").unwrap_or(name);
                let (_, values) = parameters.iter().find(|(parameter, _)| parameter == name).unwrap();
                HostTensor::from_f32(dims, values)
            }
            // Weights that move begin with nothing.
            (Role::Setting, name) if name.starts_with("lambda_") => {
                let (_, weight) = weights.iter().find(|(term, _)| name == format!("lambda_{term}")).unwrap();
                HostTensor::from_f32(dims, &[weight.value])
            }
            (Role::State, name) if name.starts_with("loss_scale") && !name.ends_with("streak") => {
                HostTensor::from_f32(dims, &[config.optimiser.loss_scale.unwrap()])
            }
            _ => HostTensor::zeros(&source.ty),
        };
        feeds.insert(source.name.clone(), value);
    }
    feeds
}
