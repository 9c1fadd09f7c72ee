//! What a run is and how far it has come, as the page is told.

use gpu_ae::device::AdapterReport;
use gpu_ae::graph::Graph;
use gpu_ae::model::forward::network;
use gpu_ae::nn::wired::Wired;
use gpu_ae::nn::wiring::wiring;
use gpu_ae::plan::DeviceKind;
use gpu_ae::tensor::Shape;
use wasm_bindgen::{JsError, JsValue};

use crate::said;
use crate::training::Training;
use crate::values::{features, floats, json, list, object, text_of};

/// The models that the page offers: name, title, and what it is in a sentence.
const MODELS: [(&str, &str, &str); 6] = [
    ("report", "Entropic", "Squared error and the entropy of the code's paths, each with a weight of its own."),
    (
        "bottleneck",
        "Entropic, by budget",
        "The entropy pushes as hard as a tenth more error allows, so that the network finds its own bottleneck.",
    ),
    ("plain", "Plain", "The same network without an entropy, to compare with."),
    (
        "vae",
        "Variational",
        "Codes are drawn from Gaussians near the standard one; new images can be drawn from the code space.",
    ),
    ("conv-vae", "Variational, convolutional", "The same with convolutions, which know that pixels have neighbours."),
    ("cluster", "Clusters", "Sorts rows into groups without labels."),
];

/// The models on offer.
pub fn models() -> JsValue {
    let model = |(name, title, about): &(&str, &str, &str)| {
        object(&[("name", (*name).into()), ("title", (*title).into()), ("about", (*about).into())])
    };
    list(MODELS.iter().map(model))
}

/// A GPU.
pub fn adapter(gpu: &AdapterReport) -> JsValue {
    object(&[
        ("name", text_of(&gpu.name)),
        ("backend", text_of(&gpu.backend)),
        ("driver", text_of(&gpu.driver)),
        ("is_software", (gpu.kind == DeviceKind::Software).into()),
    ])
}

/// The layers of a run's network with weights, and of each hidden linear layer its number among them, from 1, where its units
/// can be taken away.
fn layers(training: &Training) -> gpu_ae::Result<Vec<Option<usize>>> {
    let config = &training.config;
    let wired = wiring(&config.network_spec(), &Shape::new(&[features(&training.session)]))?;
    let number = |index: usize| {
        let key = config.layer_key(index);
        let place = wired.iter().position(|layer: &Wired| layer.key == key)?;
        wired[place].reading().map(|_| place + 1)
    };
    Ok((0..config.layers().len().saturating_sub(1)).map(number).collect())
}

/// The unit that the page means: its layer counts among all with weights, from 1.
///
/// # Errors
/// When it cannot be taken away.
pub fn unit(training: &Training, layer: u32, unit: u32) -> gpu_ae::Result<(usize, usize)> {
    let number = layers(training)?.get(layer as usize).copied().flatten();
    let number = number.ok_or_else(|| gpu_ae::Error::Usage("the units of this layer cannot be taken away".into()))?;
    Ok((number, unit as usize))
}

/// What a run is.
///
/// # Errors
/// Never for a run that has begun.
pub fn of(training: &Training) -> Result<JsValue, JsValue> {
    let (config, data) = (&training.config, &training.data);
    let image = data.image();
    let numbers = layers(training).map_err(said)?;
    let code = config.encoder_layers().saturating_sub(1);
    let linear = config.layers();
    let layer = |(index, number): (usize, &Option<usize>)| {
        let units = linear[index].linear;
        let activation = format!("{:?}", linear[index].activation).to_lowercase();
        let title =
            if activation == "identity" { format!("linear {units}") } else { format!("linear {units}, {activation}") };
        object(&[
            ("title", title.into()),
            ("units", (units as u32).into()),
            ("is_code", (index == code).into()),
            ("is_removable", number.is_some().into()),
        ])
    };
    let parameters = network(&mut Graph::new(), config, features(&training.session)).map_err(said)?.parameters;
    let parameters: usize = parameters.iter().filter(|it| !it.is_buffer).map(|it| it.ty.elements()).sum();
    let rows = object(&[
        ("name", text_of(&data.name)),
        ("train_rows", (data.train.rows as u32).into()),
        ("test_rows", (data.test.rows as u32).into()),
        ("height", (image.height as u32).into()),
        ("width", (image.width as u32).into()),
        ("channels", (image.channels as u32).into()),
        ("classes", list(data.encoding.classes.iter().map(|name| text_of(name)))),
    ]);
    let model = if config.model == "entropic" { &config.recipe } else { &config.model };
    let is_cluster = config.clustering.is_some();
    Ok(object(&[
        ("model", text_of(model)),
        ("device", training.session.device_name().into()),
        ("data", rows),
        ("layers", list(numbers.iter().enumerate().map(layer))),
        ("parameters", (parameters as f64).into()),
        ("epochs", config.epochs.into()),
        ("epoch", training.epoch().into()),
        ("step", training.step().into()),
        ("samples", training.sums.rows.into()),
        ("steps_per_epoch", training.steps_per_epoch().into()),
        ("batch_size", (config.batch_size as u32).into()),
        ("lr", config.lr.into()),
        ("entropy_weight", training.entropy_weight().map_or(JsValue::NULL, JsValue::from)),
        ("code_width", (if is_cluster { 0 } else { config.code_width() as u32 }).into()),
        ("is_cluster", is_cluster.into()),
        ("metrics", json(&training.metrics)?),
    ]))
}

/// How far it has come within an epoch.
pub fn progress(training: &Training) -> JsValue {
    let (name, value) = training.figure();
    let epoch = training.epoch() + u32::from(!training.is_at_end());
    object(&[
        ("epoch", epoch.into()),
        ("step", training.step().into()),
        ("samples", training.sums.rows.into()),
        ("rows", (training.data.train.rows as u32).into()),
        ("figure", object(&[("name", name.into()), ("value", value.into())])),
        ("is_epoch", training.is_at_end().into()),
    ])
}

/// What the last epoch came to.
///
/// # Errors
/// Before there is one.
pub fn epoch(training: &Training) -> Result<JsValue, JsValue> {
    let metrics = training.metrics.last().ok_or_else(|| JsError::new("no epoch is done"))?;
    let observed = training.observation.iter().flat_map(|observation| &observation.layers);
    let shares = observed.map(|layer| {
        let shares: Vec<f32> = layer.shares().into_iter().map(|share| share as f32).collect();
        object(&[("shares", floats(&shares))])
    });
    let is_over = training.epoch() >= training.config.epochs;
    Ok(object(&[("metrics", json(metrics)?), ("layers", list(shares)), ("is_over", is_over.into())]))
}
