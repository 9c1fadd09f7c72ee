//! The report's network with its entropies and three steps of Adam: `seed000_loss`.

use gpu_ae::graph::{Role, Var};
use gpu_ae::nn::losses::{Activity, weight_entropy};
use gpu_ae::nn::{BlockConfig, Layer, Pass};
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::array::binary::Binary;
use gpu_ae::ops::loss::reconstruction_loss::{LossKind, ReconstructionLoss};
use gpu_ae::ops::step::adam_step::AdamStep;
use gpu_ae::ops::step::clock_advance::ClockAdvance;
use gpu_ae::optim::adam::adam;
use gpu_ae::tensor::{Data, HostTensor, Shape};

use super::machine::{Machine, Setup};
use super::vectors::Case;
use super::{Answers, Runner, as_they_are, order, read_results, weights};
use crate::training::network as chain;

/// Reconstruction, losses and gradients of every variant, and three steps of training.
pub const NETWORK: Runner = Runner {
    formula: "seed000_loss",
    run: network,
    correct: as_they_are,
    exactness: |name| if name.contains("adam3") || name.contains("step3") { 1e-6 } else { 1e-9 },
    why: "Adam's decays and bias corrections are f32 on every machine; all but what is trained agrees far closer",
};

/// Steps after which the index looks at the parameters.
const STEPS: usize = 3;
/// The variant that is trained.
const TRAINED: &str = "listing2";

/// What a variant's entropy term is.
struct Variant {
    activity: Activity,
    alpha: f32,
    /// Whether it is that of the code layer alone, rather than of all latent layers.
    code_only: bool,
    /// −1 when the entropy is maximised.
    sign: f64,
}

/// `listing2`, or a mode, an order and a direction such as `both_a1_min`.
fn variant(name: &str) -> Variant {
    if name == "listing2" {
        return Variant { activity: Activity::Both, alpha: 0.04, code_only: true, sign: 1.0 };
    }
    let parts: Vec<&str> = name.split('_').collect();
    let [mode, alpha, direction] = parts[..] else { panic!("no variant '{name}'") };
    let sign = match direction {
        "min" => 1.0,
        "max" => -1.0,
        other => panic!("'{other}' is neither min nor max"),
    };
    let alpha = order(alpha).unwrap_or_else(|| panic!("no order '{alpha}'"));
    Variant { activity: weights::activity(mode), alpha, code_only: false, sign }
}

/// The network of a case, fed and applied.
struct Network {
    setup: Setup,
    layers: Vec<Layer>,
    /// Names of the parameters in the index, with their variables.
    parameters: Vec<(String, Var)>,
    clock: Var,
    reconstruction: Var,
    mse: Var,
    /// Weight of the reconstruction loss.
    lambda: Var,
}

impl Network {
    fn new(case: &Case) -> Network {
        let mut setup = Setup::default();
        let count = case.number("L") as usize;
        let (rows, features) = case.extents("x");
        let activation = |i: usize| if i + 1 == count { Activation::Sigmoid } else { Activation::Relu };
        let block = |i: usize| BlockConfig::linear(case.extents(&format!("W{i}")).0, activation(i));
        let model = chain(&mut setup.graph, features, &(0..count).map(block).collect::<Vec<_>>());
        let layers = model.chain().unwrap().to_vec();
        let mut parameters = Vec::new();
        for (i, layer) in layers.iter().enumerate() {
            for (input, suffix, var) in [('W', "weight", layer.weight), ('b', "bias", layer.bias)] {
                let input = format!("{input}{i}");
                setup.feeds.insert(format!("{}.{suffix}", layer.name), case.input(&input).clone());
                parameters.push((input, var));
            }
        }
        let clock = setup.clock(rows);
        let x = setup.source(Role::Input, "in/x", case.input("x"));
        let outputs = model.forward(&mut setup.graph, x, clock, Pass::Train).unwrap().outputs;
        let reconstruction = *outputs.last().expect("a network has layers");
        let loss = ReconstructionLoss { kind: LossKind::Mse, rows_per_sample: 1 };
        let mse = setup.graph.apply(loss, &[reconstruction, x, clock]).unwrap();
        let lambda = setup.scalar("lam1", case.number("lam1"));
        Network { setup, layers, parameters, clock, reconstruction, mse, lambda }
    }

    /// Entropy terms of a variant, their sum, the whole loss, and its terms with their weights.
    fn losses(&mut self, case: &Case, name: &str) -> (Var, Var, Vec<(Var, Var)>) {
        let v = variant(name);
        let g = &mut self.setup.graph;
        let code = self.layers.len().div_ceil(2) - 1;
        let layers = if v.code_only { code..code + 1 } else { code - 1..code + 2 };
        let bias_weight = case.number("bias_weight") as f32;
        let entropies: Vec<Var> = layers
            .map(|i| {
                let (layer, next) = (&self.layers[i], &self.layers[i + 1]);
                weight_entropy(g, layer, next, v.activity, v.alpha, bias_weight).unwrap()
            })
            .collect();
        let add = |g: &mut gpu_ae::graph::Graph, a: Var, b: Var| g.apply(Binary::Add, &[a, b]).unwrap();
        let entropy = entropies[1..].iter().fold(entropies[0], |sum, &term| add(g, sum, term));
        let weight = self.setup.scalar(&format!("lam2 {name}"), v.sign * case.number("lam2"));
        let g = &mut self.setup.graph;
        let judged = g.apply(Binary::Mul, &[self.mse, self.lambda]).unwrap();
        let pressed = g.apply(Binary::Mul, &[entropy, weight]).unwrap();
        let loss = add(g, judged, pressed);
        let mut terms = vec![(self.mse, self.lambda)];
        terms.extend(entropies.into_iter().map(|term| (term, weight)));
        (entropy, loss, terms)
    }
}

fn network(case: &Case, machine: &mut dyn Machine) -> Answers {
    let mut answers = evaluate(case, machine);
    if !case.names_after("out/adam3/").is_empty() || case.wants("out/loss_before_step3") {
        answers.extend(train(case, machine));
    }
    answers
}

/// Values and gradients of every variant.
fn evaluate(case: &Case, machine: &mut dyn Machine) -> Answers {
    let mut n = Network::new(case);
    n.setup.graph.result("out/recon", n.reconstruction);
    n.setup.graph.result("out/mse", n.mse);
    let names = case.names_after("out/");
    for name in names.iter().filter(|name| case.wants(&format!("out/{name}/loss"))) {
        let (entropy, loss, terms) = n.losses(case, name);
        n.setup.graph.result(format!("out/{name}/ent"), entropy);
        n.setup.graph.result(format!("out/{name}/loss"), loss);
        let wrt: Vec<(&str, Var)> = n
            .parameters
            .iter()
            .filter(|(input, _)| case.wants(&format!("grad/{name}/loss/{input}")))
            .map(|(input, var)| (input.as_str(), *var))
            .collect();
        n.setup.gradients(&format!("{name}/loss"), &terms, &wrt);
    }
    let names: Vec<String> = n.setup.graph.results().iter().map(|(name, _)| name.clone()).collect();
    machine.load(n.setup);
    machine.run();
    read_results(machine, &names)
}

/// Parameters after three steps of full-batch Adam, and the loss that the last of them saw, as a
/// training plan: losses into the ring, clock advanced, parameters updated in place.
fn train(case: &Case, machine: &mut dyn Machine) -> Answers {
    let mut n = Network::new(case);
    let (_, loss, terms) = n.losses(case, TRAINED);
    let vars: Vec<Var> = n.parameters.iter().map(|(_, var)| *var).collect();
    let gradients = gpu_ae::autodiff::grad(&mut n.setup.graph, &terms, &vars).unwrap();
    let gradients: Vec<Var> = gradients.into_iter().map(|gradient| gradient.expect("every parameter counts")).collect();

    let ring = HostTensor { shape: Shape::new(&[STEPS, 2]), data: Data::Real(vec![0.0; 2 * STEPS]) };
    let ring = n.setup.source(Role::State, "ring", &ring);
    let rate = n.setup.scalar("rate", case.number("lr"));
    let settings = AdamStep::new(vars.len());
    let advance = ClockAdvance { beta1: settings.beta1, beta2: settings.beta2 };
    let advanced = n.setup.graph.push(std::sync::Arc::new(advance), &[n.clock, ring, loss]).unwrap();
    adam(&mut n.setup.graph, settings, advanced[0], rate, &n.parameters, &gradients).unwrap();
    n.setup.zero_the_rest();

    let sources: Vec<(String, String)> = n
        .layers
        .iter()
        .enumerate()
        .flat_map(|(i, layer)| {
            [('W', "weight"), ('b', "bias")]
                .map(|(kind, suffix)| (format!("{kind}{i}"), format!("{}.{suffix}", layer.name)))
        })
        .collect();
    machine.load(n.setup);
    (0..STEPS).for_each(|_| machine.run());
    let mut answers = Answers::new();
    for (name, source) in sources {
        answers.insert(format!("out/adam3/{name}"), machine.read(&source));
    }
    // A row of the ring is the number of valid rows, then the losses.
    let last_loss = machine.read("ring")[2 * (STEPS - 1) + 1];
    answers.insert("out/loss_before_step3".into(), vec![last_loss]);
    answers
}
