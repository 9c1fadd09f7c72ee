//! Convolutions: `conv2d`, `conv_transpose2d`, and an autoencoder of them, `conv_autoencoder`.

pub mod attacked;
pub mod blocks;
pub mod pool;

use gpu_ae::autodiff::grad;
use gpu_ae::graph::{Role, Var};
use gpu_ae::nn::network::NetworkSpec;
use gpu_ae::nn::order::FileOrder;
use gpu_ae::nn::{BlockConfig, Network, Pass};
use gpu_ae::ops::array::add_bias::AddBias;
use gpu_ae::ops::conv::conv2d::Conv2d;
use gpu_ae::ops::conv::conv2d_dx::Conv2dDx;
use gpu_ae::ops::conv::{Convolution, Window};
use gpu_ae::ops::loss::reconstruction_loss::{LossKind, ReconstructionLoss};
use gpu_ae::ops::step::adam_step::AdamStep;
use gpu_ae::ops::step::clock_advance::ClockAdvance;
use gpu_ae::optim::adam::adam;
use gpu_ae::tensor::{Data, HostTensor, Shape};

use super::images::{images, in_file, on_device, rows};
use super::machine::{Machine, Setup};
use super::vectors::Case;
use super::{Answers, Runner, as_they_are, exact};

/// Forward, and the gradients for a given one of the output.
pub const CONV: Runner =
    Runner { formula: "conv2d", run: convolution, correct: as_they_are, exactness: exact, why: "sums of products" };

/// The same of the transposed convolution.
pub const TRANSPOSED: Runner = Runner {
    formula: "conv_transpose2d",
    run: convolution,
    correct: as_they_are,
    exactness: exact,
    why: "sums of products",
};

/// An autoencoder from its configuration, in the order of files, and three steps of Adam.
pub const AUTOENCODER: Runner = Runner {
    formula: "conv_autoencoder",
    run: autoencoder,
    correct: as_they_are,
    exactness: |name| if name.contains("adam3") || name == "out/losses" { 1e-6 } else { 1e-9 },
    why: "Adam's decays and bias corrections are f32 on every machine; all but what is trained agrees far closer",
};

fn convolution(case: &Case, machine: &mut dyn Machine) -> Answers {
    let transposed = case.optional("output_padding").is_some();
    let of = |name: &str| case.input(name).shape.dims().to_vec();
    let (x, w, dy) = (of("x"), of("w"), of("dy"));
    let window = Window::square(w[2]).strided(case.number("stride") as usize).padded(case.number("pad") as usize);
    // A transposed convolution goes from what a convolution gives to what it takes.
    let size = if transposed { [dy[2], dy[3]] } else { [x[2], x[3]] };
    let of = Convolution::new(size, window);
    let order = FileOrder::of_kernel(w[0], [w[2], w[3]], w[1]);
    let dims = [w[0], w[1] * w[2] * w[3]];

    let mut s = Setup::default();
    let seen = s.source(Role::Param, "in/x", &rows(case.input("x")));
    let weights = s.source(Role::Param, "in/w", &on_device(Some(&order), &dims, case.input("w")));
    let bias = s.source(Role::Param, "in/b", case.input("b"));
    let seed = s.source(Role::Input, "in/dy", &rows(case.input("dy")));
    let y = match transposed {
        true => s.graph.apply(Conv2dDx(of), &[seen, weights]),
        false => s.graph.apply(Conv2d(of), &[seen, weights]),
    };
    let y = s.graph.apply(AddBias, &[y.unwrap(), bias]).unwrap();
    s.graph.result("y", y);
    s.gradients("y", &[(y, seed)], &[("x", seen), ("w", weights), ("b", bias)]);
    machine.load(s);
    machine.run();
    Answers::from([
        ("out/y".into(), images(machine.read("y"), &dy)),
        ("grad/y/x".into(), images(machine.read("grad/y/x"), &x)),
        ("grad/y/w".into(), in_file(Some(&order), machine.read("grad/y/w"))),
        ("grad/y/b".into(), machine.read("grad/y/b")),
    ])
}

/// The configuration of the case's network.
fn spec(case: &Case) -> NetworkSpec {
    let dims = |name: &str| case.input(name).shape.dims().to_vec();
    let [x, first, second] = [dims("x"), dims("encoder.0.weight"), dims("encoder.2.weight")];
    let (code, map) = (dims("encoder.5.weight")[0], dims("decoder.0.weight")[0]);
    let side = ((map / second[0]) as f64).sqrt() as usize;
    let [third, last] = [dims("decoder.3.weight"), dims("decoder.5.weight")];
    let half = |text: String| {
        let table: toml::Table = toml::from_str(&text).unwrap();
        table["blocks"].clone().try_into::<Vec<BlockConfig>>().unwrap()
    };
    let conv =
        |channels: usize| format!("{{ conv = {channels}, kernel = 3, stride = 2, padding = 1, activation = 'relu' }}");
    let back = |channels: usize, activation: &str| {
        format!("{{ conv_transpose = {channels}, kernel = 4, stride = 2, padding = 1, activation = '{activation}' }}")
    };
    NetworkSpec {
        encoder: half(format!(
            "blocks = [{{ unflatten = '{}x{}x{}' }}, {}, {}, {{ flatten = true }}, {{ linear = {code} }}]",
            x[2],
            x[3],
            x[1],
            conv(first[0]),
            conv(second[0])
        )),
        decoder: half(format!(
            "blocks = [{{ linear = {map}, activation = 'relu' }}, {{ unflatten = '{side}x{side}x{}' }}, {}, {}, \
             {{ flatten = true }}]",
            second[0],
            back(third[1], "relu"),
            back(last[1], "sigmoid")
        )),
        ..NetworkSpec::default()
    }
}

/// A parameter's name in the index: the halves are numbered by themselves there.
fn name_of(name: &str) -> String {
    let (place, rest) = name.strip_prefix("autoencoder.").and_then(|rest| rest.split_once('.')).unwrap();
    let place: usize = place.parse().unwrap();
    // In the encoder one module, which makes images of rows, comes before the index's first; seven belong to it.
    if place < 8 { format!("encoder.{}.{rest}", place - 1) } else { format!("decoder.{}.{rest}", place - 8) }
}

fn autoencoder(case: &Case, machine: &mut dyn Machine) -> Answers {
    let x = case.input("x").shape.dims().to_vec();
    let (count, features) = (x[0], x[1] * x[2] * x[3]);
    let mut s = Setup::default();
    let network = Network::build(&mut s.graph, &spec(case), &Shape::new(&[features])).unwrap();
    for parameter in &network.parameters {
        let value =
            on_device(parameter.order.as_ref(), parameter.ty.shape.dims(), case.input(&name_of(&parameter.name)));
        s.feeds.insert(parameter.name.clone(), value);
    }
    let clock = s.clock(count);
    let flat = HostTensor { shape: Shape::new(&[count, features]), data: rows(case.input("x")).data };
    let input = s.source(Role::Input, "in/x", &flat);
    let passed = network.forward(&mut s.graph, input, clock, Pass::Train).unwrap();
    let loss = ReconstructionLoss { kind: LossKind::Mse, rows_per_sample: 1 };
    let mse = s.graph.apply(loss, &[passed.answer, input, clock]).unwrap();
    s.graph.result("code", passed.code);
    s.graph.result("y", passed.answer);
    s.graph.result("mse", mse);
    let one = s.scalar("one", 1.0);
    let named: Vec<(String, Var)> = network.parameters.iter().map(|p| (p.name.clone(), p.var)).collect();
    let vars: Vec<Var> = named.iter().map(|(_, var)| *var).collect();
    let gradients: Vec<Var> =
        grad(&mut s.graph, &[(mse, one)], &vars).unwrap().into_iter().map(Option::unwrap).collect();
    for ((name, _), gradient) in named.iter().zip(&gradients) {
        s.graph.result(format!("gradient of {name}"), *gradient);
    }
    let rate = s.scalar("rate", case.number("lr"));
    let settings = AdamStep::new(named.len());
    let ring =
        s.source(Role::State, "ring", &HostTensor { shape: Shape::new(&[1, 2]), data: Data::Real(vec![0.0; 2]) });
    let advance = ClockAdvance { beta1: settings.beta1, beta2: settings.beta2 };
    let advanced = s.graph.push(std::sync::Arc::new(advance), &[clock, ring, mse]).unwrap();
    adam(&mut s.graph, settings, advanced[0], rate, &named, &gradients).unwrap();
    s.zero_the_rest();
    machine.load(s);
    machine.run();
    let mut answers = Answers::from([
        ("out/code".into(), machine.read("code")),
        ("out/y".into(), images(machine.read("y"), &x)),
        ("out/mse".into(), machine.read("mse")),
    ]);
    for parameter in &network.parameters {
        let gradient = machine.read(&format!("gradient of {}", parameter.name));
        let gradient = in_file(parameter.order.as_ref(), gradient);
        answers.insert(format!("grad/mse/{}", name_of(&parameter.name)), gradient);
    }
    let mut losses = machine.read("mse");
    for _ in 1..3 {
        machine.run();
        losses.extend(machine.read("mse"));
    }
    answers.insert("out/losses".into(), losses);
    for parameter in &network.parameters {
        let value = in_file(parameter.order.as_ref(), machine.read(&parameter.name));
        answers.insert(format!("out/adam3/{}", name_of(&parameter.name)), value);
    }
    answers
}
