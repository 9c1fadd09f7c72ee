//! Reconstruction losses: `recon_losses`.

use gpu_ae::graph::Role;
use gpu_ae::nn::losses::gaussian_nll;
use gpu_ae::ops::loss::reconstruction_loss::{LossKind, ReconstructionLoss};

use super::machine::{Machine, Setup};
use super::vectors::Case;
use super::{Answers, Runner, read_results};

/// Squared errors, Gaussian and Bernoulli likelihood, with their gradients.
pub const RECONSTRUCTION: Runner = Runner {
    formula: "recon_losses",
    run: reconstruction,
    correct: correct_cross_entropy,
    exactness: |name| if name.contains("gnll") { 1e-6 } else { 1e-9 },
    why: "the Gaussian's ½ log 2π and 1/rows are constants of the graph, and those are f32",
};

/// The cross entropy is smooth, with slope σ(l) − x, ½ − x at a logit of exactly 0. A reference that was
/// differentiated through max(l, 0) and |l|, both given the slope 0 there, has −x instead: such
/// elements are put right.
fn correct_cross_entropy(case: &mut Case) {
    let (rows, _) = case.extents("x");
    let (x, logit) = (case.input("x").real().to_vec(), case.input("logit").real().to_vec());
    let Some(expected) = case.expected_mut("grad/bce/logit") else { return };
    for (i, reference) in expected.values.iter_mut().enumerate() {
        let artefact = -x[i] / rows as f64;
        if logit[i] == 0.0 && (*reference - artefact).abs() < 1e-12 {
            println!("grad/bce/logit: element {i}, at a logit of 0, put right by half a unit");
            *reference += 0.5 / rows as f64;
        }
    }
}

fn reconstruction(case: &Case, machine: &mut dyn Machine) -> Answers {
    let (rows, _) = case.extents("x");
    let mut s = Setup::default();
    let clock = s.clock(rows);
    let one = s.scalar("one", 1.0);
    let mut source = |name: &str| s.source(Role::Input, &format!("in/{name}"), case.input(name));
    let (x, y, logit, log_scale) = (source("x"), source("y"), source("logit"), source("ls"));
    for (name, kind, prediction, input) in
        [("mse", LossKind::Mse, y, "y"), ("sse", LossKind::Sse, y, "y"), ("bce", LossKind::Bce, logit, "logit")]
    {
        let loss = s.graph.apply(ReconstructionLoss { kind, rows_per_sample: 1 }, &[prediction, x, clock]).unwrap();
        s.graph.result(format!("out/{name}"), loss);
        s.gradients(name, &[(loss, one)], &[(input, prediction)]);
    }
    let loss = gaussian_nll(&mut s.graph, y, log_scale, x).unwrap();
    s.graph.result("out/gnll", loss);
    s.gradients("gnll", &[(loss, one)], &[("y", y), ("ls", log_scale)]);

    let names: Vec<String> = s.graph.results().iter().map(|(name, _)| name.clone()).collect();
    machine.load(s);
    machine.run();
    read_results(machine, &names)
}
