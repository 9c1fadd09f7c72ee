//! Optimisers and schedules: `optim`.

use gpu_ae::graph::Role;
use gpu_ae::ops::step::adam_step::{AdamStep, WeightDecay};
use gpu_ae::ops::step::clock_advance::ClockAdvance;
use gpu_ae::ops::step::learning_rate_step::{Decay, LearningRateStep};
use gpu_ae::ops::step::sgd_step::SgdStep;
use gpu_ae::optim::adam::adam;
use gpu_ae::optim::sgd::sgd;
use gpu_ae::tensor::{Data, HostTensor, Shape};

use super::machine::{Machine, Setup, scalar};
use super::vectors::Case;
use super::{Answers, Runner, as_they_are};

/// Trajectories of a parameter under given gradients, and the cosine schedule.
pub const OPTIMISERS: Runner = Runner {
    formula: "optim",
    run: optimisers,
    correct: as_they_are,
    exactness: |name| if name == "out/cosine" { 1e-12 } else { 1e-6 },
    why: "the decays β and Adam's bias corrections are f32 on every machine: they are parameters of a kernel and \
          words of the clock",
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
            "sgd" => walk(case, machine, Rule::Sgd(SgdStep { momentum: 0.9, decay: lambda, tensors: 1 })),
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
