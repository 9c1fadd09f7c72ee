//! Networks of blocks from their configuration: `residual_block`, `mini_resnet18`, `dcgan_generator`.

use gpu_ae::graph::{Role, Var};
use gpu_ae::nn::network::NetworkSpec;
use gpu_ae::nn::{BlockConfig, Network, Parameter, Pass, torchvision};
use gpu_ae::ops::loss::softmax_cross_entropy::SoftmaxCrossEntropy;
use gpu_ae::tensor::{HostTensor, Shape};

use super::super::images::{images, in_file, on_device, rows};
use super::super::machine::{Machine, Setup};
use super::super::vectors::Case;
use super::super::{Answers, Runner, as_they_are, exact};

/// relu(bn2(conv2(relu(bn1(conv1 x)))) + x or a convolution of it), while learning and after.
pub const RESIDUAL: Runner = Runner {
    formula: "residual_block",
    run: residual_block,
    correct: as_they_are,
    exactness: exact,
    why: "sums in another order",
};

/// A network of such blocks that names classes.
pub const RESNET: Runner = Runner {
    formula: "mini_resnet18",
    run: resnet,
    correct: as_they_are,
    exactness: exact,
    why: "sums in another order",
};

/// Transposed convolutions with norms, from codes to images.
pub const GENERATOR: Runner = Runner {
    formula: "dcgan_generator",
    run: generator,
    correct: as_they_are,
    exactness: exact,
    why: "sums in another order",
};

/// Weight of a batch's moments in PyTorch's running ones.
const MOMENTUM: f64 = 0.1;

fn blocks(text: &str) -> Vec<BlockConfig> {
    let table: toml::Table = toml::from_str(&format!("blocks = [{text}]")).unwrap();
    table["blocks"].clone().try_into().unwrap()
}

/// A network in a graph, with what every case's parameter is called here.
pub struct Built {
    pub setup: Setup,
    pub network: Network,
    /// Names in the index, in the order of the parameters.
    names: Vec<String>,
    pub x: Var,
    pub clock: Var,
}

/// The network of these blocks for the images `x` of a case, parameters as the case has them under these names.
pub fn built(case: &Case, x: &str, text: &str, names: Vec<String>) -> Built {
    let input = case.input(x);
    let dims = input.shape.dims();
    let (count, features) = (dims[0], dims[1..].iter().product::<usize>());
    let mut setup = Setup::default();
    let spec = NetworkSpec { encoder: blocks(text), ..NetworkSpec::default() };
    let network = Network::build(&mut setup.graph, &spec, &Shape::new(&[features])).unwrap();
    assert_eq!(names.len(), network.parameters.len(), "{names:?}");
    for (parameter, name) in network.parameters.iter().zip(&names) {
        let value = on_device(parameter.order.as_ref(), parameter.ty.shape.dims(), case.input(name));
        setup.feeds.insert(parameter.name.clone(), value);
    }
    let clock = setup.clock(count);
    let flat = HostTensor { shape: Shape::new(&[count, features]), data: rows(input).data };
    let x = setup.source(Role::Input, &format!("in/{x}"), &flat);
    Built { setup, network, names, x, clock }
}

impl Built {
    /// The classes of the case's images.
    pub fn labels(&mut self, case: &Case) -> Var {
        let labels: Vec<u32> = case.input("labels").real().iter().map(|&label| label as u32).collect();
        self.setup.source(Role::Input, "labels", &HostTensor::from_words(&[labels.len()], &labels))
    }

    /// The mean cross entropy of logits.
    pub fn cross_entropy(&mut self, logits: Var, labels: Var) -> Var {
        let loss = std::sync::Arc::new(SoftmaxCrossEntropy { rows_per_sample: 1 });
        self.setup.graph.push(loss, &[logits, labels, self.clock]).unwrap()[0]
    }

    /// Answers, and moments that were normalised by.
    pub fn pass(&mut self, pass: Pass) -> (Var, Vec<([String; 2], Var)>) {
        let passed = self.network.forward(&mut self.setup.graph, self.x, self.clock, pass).unwrap();
        (passed.answer, passed.moments)
    }

    /// Parameters that are trained, and their names in the index.
    pub fn trained(&self) -> impl Iterator<Item = (&Parameter, &String)> {
        self.network.parameters.iter().zip(&self.names).filter(|(parameter, _)| parameter.trained)
    }

    /// Asks for the gradients of `output`, at which `seed` arrives, with respect to everything that is trained and `x`.
    fn gradients(&mut self, name: &str, x: &str, output: Var, seed: Var) {
        let wanted: Vec<(String, Var)> =
            self.trained().map(|(parameter, name)| (name.clone(), parameter.var)).collect();
        let mut wrt: Vec<(&str, Var)> = wanted.iter().map(|(name, var)| (name.as_str(), *var)).collect();
        wrt.push((x, self.x));
        self.setup.gradients(name, &[(output, seed)], &wrt);
    }

    /// Runs it, and reads gradients and what running moments become by PyTorch's rule of those that were normalised by.
    fn run(self, case: &Case, machine: &mut dyn Machine, name: &str, moments: &[([String; 2], Var)]) -> Answers {
        let Built { mut setup, network, names, .. } = self;
        let mut pixels = Vec::new();
        for (index, (_, var)) in moments.iter().enumerate() {
            let normalised = setup.graph.nodes()[var.node].inputs[0];
            pixels.push(setup.graph.ty(normalised).shape.dims()[0] as f64);
            setup.graph.result(format!("moments {index}"), *var);
        }
        machine.load(setup);
        machine.run();
        let mut answers = Answers::new();
        for (parameter, own) in network.parameters.iter().zip(&names).filter(|(parameter, _)| parameter.trained) {
            let key = format!("grad/{name}/{own}");
            let gradient = in_file(parameter.order.as_ref(), machine.read(&key));
            answers.insert(key, gradient);
        }
        for (index, (buffers, _)) in moments.iter().enumerate() {
            let mut means = machine.read(&format!("moments {index}"));
            let variances = means.split_off(means.len() / 2);
            for (buffer, values) in buffers.iter().zip([means, variances]) {
                let place = network.parameters.iter().position(|parameter| parameter.name == *buffer).unwrap();
                let own = &names[place];
                // PyTorch keeps the unbiased variance.
                let n = pixels[index];
                let share = if own.ends_with("running_var") { n / (n - 1.0) } else { 1.0 };
                let before = case.input(own).real();
                let after = before.iter().zip(values).map(|(b, v)| (1.0 - MOMENTUM) * b + MOMENTUM * v * share);
                answers.insert(format!("out/new.{own}"), after.collect());
            }
        }
        answers
    }
}

/// What PyTorch calls the parameters of a norm here.
fn norm(name: &str) -> [String; 4] {
    ["weight", "bias", "running_mean", "running_var"].map(|what| format!("{name}.{what}"))
}

/// The names of a block's parameters under this prefix, in their order here.
fn block_names(case: &Case, prefix: &str) -> Vec<String> {
    let mut names = Vec::new();
    for number in [1, 2] {
        names.push(format!("{prefix}conv{number}.weight"));
        names.extend(norm(&format!("{prefix}bn{number}")));
    }
    if case.has(&format!("{prefix}downsample.0.weight")) {
        names.push(format!("{prefix}downsample.0.weight"));
        names.extend(norm(&format!("{prefix}downsample.1")));
    }
    names
}

/// A block with the names of this prefix, as a configuration spells it.
fn block(case: &Case, prefix: &str, stride: usize) -> String {
    let channels = case.input(&format!("{prefix}conv1.weight")).shape.dims()[0];
    let shortcut = match case.has(&format!("{prefix}downsample.0.weight")) {
        true => format!(
            ", shortcut = [{{ conv = {channels}, kernel = 1, stride = {stride}, bias = false }}, {{ norm = 'batch' }}]"
        ),
        false => String::new(),
    };
    let conv = |stride: usize| {
        format!(
            "{{ conv = {channels}, kernel = 3, stride = {stride}, padding = 1, bias = false }}, {{ norm = 'batch' }}"
        )
    };
    let relu = "{ activation = 'relu' }";
    format!("{{ residual = [{}, {relu}, {}]{shortcut} }}, {relu}", conv(stride), conv(1))
}

/// The block that makes images of this size of rows.
fn unflatten(x: &HostTensor<f64>) -> String {
    let dims = x.shape.dims();
    format!("{{ unflatten = '{}x{}x{}' }}", dims[2], dims[3], dims[1])
}

/// A network's answers and gradients for a given gradient of the answer, while it learns and after.
fn answered(case: &Case, machine: &mut dyn Machine, x: &str, text: &str, names: Vec<String>) -> Answers {
    let of = |name: &str| case.input(name).shape.dims().to_vec();
    let (dx, dy) = (of(x), of("dy"));
    let mut built = built(case, x, text, names);
    let seed = built.setup.source(Role::Input, "in/dy", &rows(case.input("dy")));
    let (y, moments) = built.pass(Pass::Train);
    let (after, _) = built.pass(Pass::Judge);
    built.setup.graph.result("y", y);
    built.setup.graph.result("y_eval", after);
    built.gradients("y", x, y, seed);
    let mut answers = built.run(case, machine, "y", &moments);
    for name in ["y", "y_eval"] {
        answers.insert(format!("out/{name}"), images(machine.read(name), &dy));
    }
    let slope = format!("grad/y/{x}");
    answers.insert(slope.clone(), images(machine.read(&slope), &dx));
    answers
}

fn residual_block(case: &Case, machine: &mut dyn Machine) -> Answers {
    let text = format!("{}, {}", unflatten(case.input("x")), block(case, "", case.number("stride") as usize));
    answered(case, machine, "x", &text, block_names(case, ""))
}

fn generator(case: &Case, machine: &mut dyn Machine) -> Answers {
    let layers = case.number("layers") as usize;
    let (mut text, mut names) = (unflatten(case.input("z")), Vec::new());
    for layer in 0..layers {
        let name = format!("main.{}.weight", 3 * layer);
        let channels = case.input(&name).shape.dims()[1];
        let window = if layer == 0 { "" } else { ", stride = 2, padding = 1" };
        text += &format!(", {{ conv_transpose = {channels}, kernel = 4, bias = false{window} }}");
        names.push(name);
        if layer + 1 < layers {
            text += ", { norm = 'batch' }, { activation = 'relu' }";
            names.extend(norm(&format!("main.{}", 3 * layer + 1)));
        }
    }
    text += ", { activation = 'tanh' }";
    answered(case, machine, "z", &text, names)
}

/// The network of a case, with the images `x`.
pub fn resnet_of(case: &Case) -> Built {
    let stem = case.input("conv1.weight").shape.dims()[0];
    let classes = case.input("fc.weight").shape.dims()[0];
    let mut text = format!(
        "{}, {{ conv = {stem}, kernel = 3, padding = 1, bias = false }}, {{ norm = 'batch' }}, {{ activation = 'relu' }}",
        unflatten(case.input("x"))
    );
    for layer in 1..=4 {
        for (number, stride) in [(0, if layer == 1 { 1 } else { 2 }), (1, 1)] {
            let prefix = format!("layer{layer}.{number}.");
            text += &format!(", {}", block(case, &prefix, stride));
        }
    }
    text += ", { pool = 'global' }";
    let last = format!("{{ linear = {classes} }}");
    let names = torchvision::names(&blocks(&text), &blocks(&last)).expect("a residual network");
    text += &format!(", {last}");
    built(case, "x", &text, names)
}

fn resnet(case: &Case, machine: &mut dyn Machine) -> Answers {
    let x = case.input("x").shape.dims().to_vec();
    let mut built = resnet_of(case);
    let labels = built.labels(case);
    let one = built.setup.scalar("one", 1.0);
    let (logits, moments) = built.pass(Pass::Train);
    let (after, _) = built.pass(Pass::Judge);
    for (ending, logits) in [("", logits), ("_eval", after)] {
        let loss = built.cross_entropy(logits, labels);
        built.setup.graph.result(format!("logits{ending}"), logits);
        built.setup.graph.result(format!("loss{ending}"), loss);
        match ending {
            "" => built.gradients("loss", "x", loss, one),
            _ => {
                let x = built.x;
                built.setup.gradients("loss_eval", &[(loss, one)], &[("x", x)]);
            }
        }
    }
    let mut answers = built.run(case, machine, "loss", &moments);
    for name in ["logits", "loss", "logits_eval", "loss_eval"] {
        answers.insert(format!("out/{name}"), machine.read(name));
    }
    for name in ["grad/loss/x", "grad/loss_eval/x"] {
        answers.insert(name.into(), images(machine.read(name), &x));
    }
    answers
}
