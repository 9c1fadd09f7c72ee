//! What decays where not everything does, in every model there is.

use crate::start::DATA;
use gpu_ae::config::{MODELS, RunConfig};
use gpu_ae::data::ValueKind;
use gpu_ae::graph::Graph;
use gpu_ae::model::forward::network;
use gpu_ae::model::graph::{DataShape, training};
use gpu_ae::nn::{BlockConfig, Parameter};
use gpu_ae::ops::array::activation::Activation::{Relu, Sigmoid};
use gpu_ae::ops::step::adam_step::AdamStep;

fn parameters(config: &RunConfig, features: usize) -> Vec<Parameter> {
    network(&mut Graph::new(), config, features).unwrap().parameters
}

/// By their names, which are PyTorch's: biases are no weights, and of what normalises nothing is.
#[test]
fn weights_of_every_model_are_told_from_biases_and_norms() {
    let mut seen = [0; 2];
    for model in MODELS.iter().filter(|model| **model != "hopfield") {
        let config = RunConfig::model(model).unwrap();
        let features = match config.images() {
            Some(image) => image.iter().product(),
            None => 784,
        };
        let all = parameters(&config, features);
        for parameter in all.iter().filter(|parameter| !parameter.is_buffer) {
            let (scope, last) = parameter.name.rsplit_once('.').unwrap_or(("", &parameter.name));
            // A norm has a weight as long as its bias.
            let beside = all.iter().find(|other| other.name == format!("{scope}.bias"));
            let of_norm = beside.is_some_and(|bias| bias.ty == parameter.ty);
            let expected = last.contains("weight") && !of_norm;
            assert_eq!(parameter.is_weight(), expected, "{model}: {} is {}", parameter.name, parameter.ty);
            seen[usize::from(expected)] += 1;
        }
    }
    assert!(seen[0] > 50 && seen[1] > 50, "{seen:?}");
}

/// The order in which parameters lie does not depend on what decays.
#[test]
fn nothing_moves_to_another_place() {
    let mut config = RunConfig { batch_size: 8, ..RunConfig::recipe("plain").unwrap() };
    let layer = BlockConfig::linear;
    config.set_layers(&[layer(5, Relu), layer(12, Sigmoid)], 1);
    config.set("--set", "optimiser.weight_decay", "0.1").unwrap();
    let sources = |config: &RunConfig| -> Vec<(String, bool)> {
        let graph = training(config, DataShape { kind: ValueKind::Float, ..DATA }).unwrap();
        let steps = graph.nodes().iter().filter_map(|node| node.op.downcast::<AdamStep>());
        assert_eq!(steps.count(), 1, "one step over everything");
        graph.sources().map(|(_, source)| (source.name.clone(), source.role.is_stored())).collect()
    };
    let all = sources(&config);
    config.set("--set", "optimiser.decay", "weights").unwrap();
    assert_eq!(sources(&config), all);
}
