//! Optimisers and schedules: `optim`, `optim_paths`.

use gpu_ae::graph::Role;
use gpu_ae::ops::array::unary::Unary;
use gpu_ae::ops::step::adam_step::{AdamStep, WeightDecay};
use gpu_ae::ops::step::clock_advance::ClockAdvance;
use gpu_ae::ops::step::decayed::Decayed;
use gpu_ae::ops::step::lars_step::LarsStep;
use gpu_ae::ops::step::learning_rate_step::{Decay, LearningRateStep};
use gpu_ae::ops::step::sgd_step::SgdStep;
use gpu_ae::optim::adam::adam;
use gpu_ae::optim::lars::lars;
use gpu_ae::optim::sgd::sgd;
use gpu_ae::tensor::{Data, HostTensor, Shape};

use super::machine::{Machine, Setup, scalar};
use super::vectors::Case;
use super::{Answers, Runner, as_they_are, exact};

/// Trajectories of a parameter under given gradients, and the cosine schedule.
pub const OPTIMISERS: Runner = Runner {
    formula: "optim",
    run: optimisers,
    correct: as_they_are,
    exactness: |name| if name == "out/cosine" { 1e-12 } else { 1e-6 },
    why: "the decays β and Adam's bias corrections are f32 on every machine: they are parameters of a kernel and \
          words of the clock",
};

/// Trajectories of a weight and a bias under given gradients, at the rates of a warm-up and a cosine behind it.
pub const PATHS: Runner = Runner {
    formula: "optim_paths",
    run: paths,
    correct: as_they_are,
    exactness: exact,
    why: "every constant of a case is an f32",
};

/// Learning rate the cosine starts from, as the index's note says.
const COSINE_PEAK: f64 = 5e-3;

fn optimisers(case: &Case, machine: &mut dyn Machine) -> Answers {
    let mut answers = Answers::new();
    for name in case.names_after("out/") {
        let lambda = case.optional("wd").unwrap_or(0.0) as f32;
        let plain = AdamStep::new(1);
        let trajectory = match name.as_str() {
            "adam" => walk(case, machine, Rule::Adam(plain)),
            "adam_l2" => walk(case, machine, Rule::Adam(AdamStep { decay: WeightDecay::L2, lambda, ..plain })),
            "adamw" => walk(case, machine, Rule::Adam(AdamStep { decay: WeightDecay::Decoupled, lambda, ..plain })),
            "sgd" => walk(
                case,
                machine,
                Rule::Sgd(SgdStep { momentum: 0.9, decay: lambda, tensors: 1, ..SgdStep::default() }),
            ),
            "cosine" => {
                let epochs = case.expected()["out/cosine"].values.len();
                // One step an epoch; the peak is applied here, since a kernel's parameters are f32.
                let decay = Decay::Cosine { end: epochs as u32, floor: 0.0 };
                let schedule = LearningRateStep { peak: 1.0, warm_up: 0, decay };
                (0..epochs as u32).map(|epoch| COSINE_PEAK * schedule.rate(epoch)).collect()
            }
            // Left out, and reported as missing by name.
            _ => continue,
        };
        answers.insert(format!("out/{name}"), trajectory);
    }
    answers
}

/// What moves the parameter.
#[derive(Clone, Copy)]
enum Rule {
    Adam(AdamStep),
    Sgd(SgdStep),
}

/// The parameter after each step.
fn walk(case: &Case, machine: &mut dyn Machine, rule: Rule) -> Vec<f64> {
    let (p, g) = (case.input("p"), case.input("g"));
    let n = p.shape.elements();
    let gradients =
        g.real().chunks_exact(n).map(|row| HostTensor { shape: p.shape.clone(), data: Data::Real(row.to_vec()) });
    let gradients: Vec<HostTensor<f64>> = gradients.collect();

    let mut s = Setup::default();
    let clock = s.clock(1);
    let rate = s.scalar("rate", case.number("lr"));
    let parameter = s.source(Role::Param, "p", p);
    let gradient = s.source(Role::Input, "g", &gradients[0]);
    let loss = s.source(Role::Input, "loss", &scalar(0.0));
    let ring = HostTensor { shape: Shape::new(&[1, 2]), data: Data::Real(vec![0.0; 2]) };
    let ring = s.source(Role::State, "ring", &ring);
    let betas = if let Rule::Adam(settings) = rule { settings } else { AdamStep::new(1) };
    let advance = ClockAdvance { beta1: betas.beta1, beta2: betas.beta2 };
    let advanced = s.graph.push(std::sync::Arc::new(advance), &[clock, ring, loss]).unwrap();
    let parameters = [("p".to_string(), parameter)];
    let (clock, g) = (advanced[0], &mut s.graph);
    match rule {
        Rule::Adam(settings) => adam(g, settings, clock, rate, &parameters, &[gradient]).unwrap(),
        Rule::Sgd(settings) => sgd(g, settings, clock, rate, &parameters, &[gradient]).unwrap(),
    };
    s.zero_the_rest();

    machine.load(s);
    let mut trajectory = Vec::new();
    for gradient in &gradients {
        machine.feed("g", gradient);
        machine.run();
        trajectory.extend(machine.read("p"));
    }
    trajectory
}

/// A rule with the parameters of `optim_paths`.
#[derive(Clone, Copy)]
enum Path {
    Sgd(SgdStep),
    Lars(LarsStep),
}

fn paths(case: &Case, machine: &mut dyn Machine) -> Answers {
    let [momentum, decay, trust] = ["momentum", "wd", "eta"].map(|name| case.number(name) as f32);
    let sgd = SgdStep { momentum, decay, decayed: Decayed::All, nesterov: false, tensors: 2 };
    let rules = [
        ("sgd", Path::Sgd(sgd)),
        ("nesterov", Path::Sgd(SgdStep { nesterov: true, ..sgd })),
        ("lars", Path::Lars(LarsStep { momentum, decay, trust, tensors: 2 })),
    ];
    let mut answers = Answers::new();
    for (name, rule) in rules {
        for (what, values) in path(case, machine, rule) {
            // All rules have the same rates.
            let key = if what == "lr" { "out/lr".into() } else { format!("out/{name}/{what}") };
            answers.insert(key, values);
        }
    }
    answers
}

/// Rates and parameters after each step, `lr`, `w` and `b`.
fn path(case: &Case, machine: &mut dyn Machine, rule: Path) -> Vec<(&'static str, Vec<f64>)> {
    let parts = [("w", "g"), ("b", "h")].map(|(parameter, gradient)| {
        let (begin, gradients) = (case.input(parameter), case.input(gradient));
        let step = |row: &[f64]| HostTensor { shape: begin.shape.clone(), data: Data::Real(row.to_vec()) };
        let steps = gradients.real().chunks_exact(begin.shape.elements()).map(step);
        (parameter, gradient, begin, steps.collect::<Vec<HostTensor<f64>>>())
    });
    let mut s = Setup::default();
    let clock = s.clock(1);
    let rate = s.scalar("lr", 0.0);
    let parameters = parts.each_ref().map(|(name, _, begin, _)| (name.to_string(), s.source(Role::Param, name, begin)));
    let gradients = parts.each_ref().map(|(_, name, _, steps)| s.source(Role::Input, name, &steps[0]));
    // Gradients that a step computes lie side by side; so do these once they are added to nothing.
    let gradients = gradients.map(|var| s.graph.apply(Unary::Affine { scale: 1.0, shift: 0.0 }, &[var]).unwrap());
    let loss = s.source(Role::Input, "loss", &scalar(0.0));
    let ring = HostTensor { shape: Shape::new(&[1, 2]), data: Data::Real(vec![0.0; 2]) };
    let ring = s.source(Role::State, "ring", &ring);
    let schedule = LearningRateStep {
        peak: case.number("lr") as f32,
        warm_up: case.number("warmup") as u32,
        decay: Decay::Cosine { end: case.number("total") as u32, floor: 0.0 },
    };
    let rate = s.graph.apply(schedule, &[clock, rate]).unwrap();
    let betas = AdamStep::new(1);
    let advance = ClockAdvance { beta1: betas.beta1, beta2: betas.beta2 };
    let clock = s.graph.push(std::sync::Arc::new(advance), &[clock, ring, loss]).unwrap()[0];
    match rule {
        Path::Sgd(step) => sgd(&mut s.graph, step, clock, rate, &parameters, &gradients).unwrap(),
        Path::Lars(step) => lars(&mut s.graph, step, clock, rate, &parameters, &gradients).unwrap(),
    };
    s.zero_the_rest();
    machine.load(s);
    let mut found = ["lr", "w", "b"].map(|name| (name, Vec::new()));
    for step in 0..parts[0].3.len() {
        parts.iter().for_each(|(_, name, _, steps)| machine.feed(name, &steps[step]));
        machine.run();
        found.iter_mut().for_each(|(name, values)| values.extend(machine.read(name)));
    }
    found.to_vec()
}
