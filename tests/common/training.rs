//! A training step built by hand from the library's parts, and the means to run it: through the f64
//! interpreter, and on a device.
#![allow(dead_code)]

use std::sync::Arc;

use gpu_ae::config::report_layers;
use gpu_ae::device::{Device, ProgramId};
use gpu_ae::graph::{Feeds, Graph, Role, Source, Var, interpret};
use gpu_ae::nn::builder::initial_values;
use gpu_ae::nn::losses::{Activity, weight_entropy};
use gpu_ae::nn::network::NetworkSpec;
use gpu_ae::nn::{BlockConfig, Network, Pass};
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::batch::batch_gather::BatchGather;
use gpu_ae::ops::batch::batch_rows::BatchRows;
use gpu_ae::ops::loss::reconstruction_loss::{LossKind, ReconstructionLoss};
use gpu_ae::ops::step::adam_step::AdamStep;
use gpu_ae::ops::step::clock;
use gpu_ae::ops::step::clock_advance::ClockAdvance;
use gpu_ae::optim::adam;
use gpu_ae::plan::{Choices, DeviceKind, DeviceProfile, Plan};
use gpu_ae::rng::{Rng, Stream, stream_key};
use gpu_ae::tensor::{Data, HostTensor, Shape, Ty};
use gpu_ae::{Result, autodiff};

/// Rows of the ring: more than any test runs steps.
pub const RING: usize = 16;

/// What is trained on what.
#[derive(Clone)]
pub struct Recipe {
    pub features: usize,
    pub layers: Vec<BlockConfig>,
    pub rows: usize,
    pub batch: usize,
    pub loss: LossKind,
    pub learning_rate: f32,
    /// Whether the ring has a term that the host sets as it likes.
    pub knob: bool,
}

impl Recipe {
    /// A small relative of the report's network. Batches of 8 from 20 rows: the third has 4.
    pub fn small() -> Self {
        let relu = |width| BlockConfig::linear(width, Activation::Relu);
        let last = BlockConfig::linear(10, Activation::Sigmoid);
        let layers = vec![relu(8), relu(5), relu(5), relu(8), last];
        Recipe { features: 10, layers, rows: 20, batch: 8, loss: LossKind::Mse, learning_rate: 2e-2, knob: true }
    }

    /// The same with rows of whole words and nothing but the step of a network.
    pub fn plain() -> Self {
        let mut recipe = Recipe { features: 12, knob: false, ..Recipe::small() };
        recipe.layers[4] = BlockConfig::linear(12, Activation::Sigmoid);
        recipe
    }

    /// The report's own network and batch.
    pub fn report() -> Self {
        Recipe { features: 784, layers: report_layers(784), rows: 1_000, batch: 128, ..Recipe::small() }
    }
}

/// One step as a graph: batch, model, losses, gradients, clock, Adam.
pub struct Training {
    pub recipe: Recipe,
    pub graph: Graph,
    pub parameters: Vec<String>,
    /// Number of loss terms, each a column of the ring.
    pub terms: usize,
}

/// A network of these layers, half of them the encoder.
pub fn network(graph: &mut Graph, features: usize, layers: &[BlockConfig]) -> Network {
    let (encoder, decoder) = layers.split_at(layers.len().div_ceil(2));
    let spec = NetworkSpec { encoder: encoder.to_vec(), decoder: decoder.to_vec(), ..NetworkSpec::default() };
    Network::build(graph, &spec, &Shape::new(&[features])).unwrap()
}

/// The parameters of a network as values of its graph.
pub fn parameters(network: &Network) -> Vec<Var> {
    network.parameters.iter().map(|parameter| parameter.var).collect()
}

fn scalar(graph: &mut Graph, name: &str) -> Var {
    graph.source(Role::State, name, Ty::f32(&[]))
}

/// The step.
pub fn training(recipe: Recipe) -> Training {
    let mut graph = Graph::new();
    let g = &mut graph;
    let model = network(g, recipe.features, &recipe.layers);
    let layers = model.chain().unwrap();
    let clock = g.source(Role::State, "clock", clock::ty());
    let [learning_rate, one, lambda] = ["learning_rate", "one", "lambda"].map(|name| scalar(g, name));
    let gather = BatchGather { features: recipe.features };
    let data = g.source(Role::Data, "data", Ty::u8(&[recipe.rows, gather.stride()]));
    let rows = g.apply(BatchRows(recipe.batch), &[clock]).unwrap();
    let x = g.apply(gather, &[data, rows]).unwrap();
    let outputs = model.forward(g, x, clock, Pass::Train).unwrap().outputs;
    let loss = g
        .apply(ReconstructionLoss { kind: recipe.loss, rows_per_sample: 1 }, &[outputs[outputs.len() - 1], x, clock])
        .unwrap();
    let mut terms = vec![loss];
    let mut seeds = vec![(loss, one)];
    for i in 0..layers.len() - 1 {
        let (layer, next) = (&layers[i], &layers[i + 1]);
        let activity = if i % 2 == 0 { Activity::Incoming } else { Activity::Outgoing };
        let entropy = weight_entropy(g, layer, next, activity, 0.04, 1.0).unwrap();
        terms.push(entropy);
        seeds.push((entropy, lambda));
    }
    if recipe.knob {
        let knob = scalar(g, "knob");
        let knob = g.apply(gpu_ae::ops::array::unary::Unary::Affine { scale: 1.0, shift: 0.0 }, &[knob]).unwrap();
        terms.push(knob);
    }
    let gradients = autodiff::grad(g, &seeds, &parameters(&model)).unwrap();
    let gradients: Vec<Var> = gradients.into_iter().map(Option::unwrap).collect();
    let ring = g.source(Role::State, "ring", Ty::f32(&[RING, terms.len() + 1]));
    let settings = AdamStep::new(1);
    let advance = ClockAdvance { beta1: settings.beta1, beta2: settings.beta2 };
    let advanced = g.push(Arc::new(advance), &[&[clock, ring][..], &terms].concat()).unwrap()[0];
    let names: Vec<String> = model.parameters.iter().map(|parameter| parameter.name.clone()).collect();
    let pairs: Vec<(String, Var)> = names.iter().cloned().zip(parameters(&model)).collect();
    adam::adam(g, settings, advanced, learning_rate, &pairs, &gradients).unwrap();
    Training { terms: terms.len(), parameters: names, graph, recipe }
}

impl Training {
    /// Values of all sources at the start of a run.
    pub fn start(&self, seed: u64) -> Feeds<f64> {
        let r = &self.recipe;
        let mut rng = Rng::new(stream_key(seed, Stream::Data));
        let mut feeds = Feeds::new();
        let initial = initial_values(&network(&mut Graph::new(), r.features, &r.layers).parameters, seed);
        for (_, source) in self.graph.sources() {
            let dims = source.ty.shape.dims();
            let value = match source.name.as_str() {
                "clock" => HostTensor::from_words(dims, &clock::start(r.rows, r.batch, true, seed)),
                "learning_rate" => HostTensor::from_f32(dims, &[r.learning_rate]),
                "one" => HostTensor::from_f32(dims, &[1.0]),
                "lambda" => HostTensor::from_f32(dims, &[0.02]),
                "data" => {
                    let bytes: Vec<u8> = (0..source.ty.elements()).map(|_| rng.next_u32() as u8).collect();
                    HostTensor::from_bytes(dims, &bytes)
                }
                name => match initial.iter().find(|(parameter, _)| parameter == name) {
                    Some((_, values)) => HostTensor::from_f32(dims, values),
                    None => HostTensor::zeros(&source.ty),
                },
            };
            feeds.insert(source.name.clone(), value);
        }
        feeds
    }

    /// The ring after `steps` steps of the f64 interpreter.
    pub fn interpreted_ring(&self, feeds: &Feeds<f64>, steps: usize) -> Vec<f64> {
        let mut feeds = feeds.clone();
        for _ in 0..steps {
            interpret(&self.graph, &mut feeds).unwrap();
        }
        feeds["ring"].real().to_vec()
    }

    /// The step loaded on a device, its sources written.
    pub fn load(&self, device: &mut dyn Device, feeds: &Feeds<f64>) -> ProgramId {
        let choices = Choices::by_kind(device.profile());
        self.load_as(device, feeds, &choices)
    }

    /// The step loaded in the form that these choices give it.
    pub fn load_as(&self, device: &mut dyn Device, feeds: &Feeds<f64>, choices: &Choices) -> ProgramId {
        let plan = Plan::chosen("train", &self.graph, device.profile(), choices).unwrap();
        device.clear();
        let program = device.load(plan).unwrap();
        write(device, program, &self.graph, feeds).unwrap();
        program
    }

    /// Bits of everything that training changes but for the clock: parameters and moments by name.
    pub fn weights(&self, device: &mut dyn Device, program: ProgramId) -> Vec<(String, Vec<u8>)> {
        let kinds: [fn(&str) -> String; 3] = [str::to_string, adam::first_moment, adam::second_moment];
        let names = self.parameters.iter().flat_map(|parameter| kinds.map(|kind| kind(parameter)));
        names.map(|name| (name.clone(), device.read(program, &name).unwrap())).collect()
    }
}

/// The forms that a step can have, whatever the device: as it is, and by every static choice.
pub fn forms() -> Vec<(&'static str, Choices)> {
    let by_kind = |kind| Choices::by_kind(&DeviceProfile::portable(kind));
    vec![
        ("unfused", Choices::default()),
        ("for a processor", by_kind(DeviceKind::Cpu)),
        ("for software", by_kind(DeviceKind::Software)),
        ("for hardware", by_kind(DeviceKind::Discrete)),
        ("small network", Choices::small_network()),
    ]
}

/// Writes the sources of a graph.
pub fn write(device: &mut dyn Device, program: ProgramId, graph: &Graph, feeds: &Feeds<f64>) -> Result<()> {
    let sources: Vec<Source> = graph.sources().map(|(_, source)| source.clone()).collect();
    sources.iter().try_for_each(|source| device.write(program, &source.name, &feeds[&source.name].to_device_bytes()))
}

/// Runs a graph once on a device and returns its results as f64, by name.
pub fn run_once(device: &mut dyn Device, graph: &Graph, feeds: &Feeds<f64>) -> Result<Vec<(String, Vec<f64>)>> {
    let plan = Plan::new("once", graph, device.profile())?;
    device.clear();
    let program = device.load(plan)?;
    write(device, program, graph, feeds)?;
    device.run(program, 1)?;
    graph
        .results()
        .iter()
        .map(|(name, _)| Ok((name.clone(), device.read_f32(program, name)?.into_iter().map(f64::from).collect())))
        .collect()
}

/// Results of the f64 interpreter, by name.
pub fn interpreted(graph: &Graph, feeds: &Feeds<f64>) -> Vec<(String, Vec<f64>)> {
    let values = interpret(graph, &mut feeds.clone()).unwrap();
    graph.results().iter().map(|(name, var)| (name.clone(), floats(values.get(*var)))).collect()
}

/// Largest difference of two lists as a share of the largest magnitude of the second.
pub fn difference(got: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let scale = expected.iter().fold(1e-30, |most: f64, x| most.max(x.abs()));
    let worst = got.iter().zip(expected).map(|(a, b)| (a - b).abs());
    worst.fold(0.0, |most: f64, d| if d.is_nan() { f64::INFINITY } else { most.max(d / scale) })
}

/// The floats of a value.
pub fn floats(tensor: &HostTensor<f64>) -> Vec<f64> {
    match &tensor.data {
        Data::Real(x) => x.clone(),
        Data::Words(x) => x.iter().map(|&w| f64::from(w)).collect(),
        Data::Bytes(x) => x.iter().map(|&b| f64::from(b)).collect(),
    }
}
