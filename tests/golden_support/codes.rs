//! Entropy of codes: `paiton`.

use gpu_ae::graph::{Role, Var};
use gpu_ae::nn::losses::soft_assignment;
use gpu_ae::ops::array::binary::Binary;

use super::machine::{Machine, Setup};
use super::vectors::Case;
use super::{Answers, Runner, as_they_are, exact, read_results};

/// Soft assignments, their four totals, and the objectives made of them.
pub const PAITON: Runner = Runner {
    formula: "paiton",
    run: paiton,
    correct: as_they_are,
    exactness: exact,
    why: "β and the weights are f32 in the index too; 1e-12 absolute covers sums that cancel to 0",
};

fn paiton(case: &Case, machine: &mut dyn Machine) -> Answers {
    let (rows, columns) = case.extents("X");
    let beta = case.number("beta");
    let mut s = Setup::default();
    let x = s.source(Role::Input, "in/X", case.input("X"));
    let clock = s.clock(rows);
    let totals = soft_assignment(&mut s.graph, x, clock, beta as f32).unwrap();
    let one = s.scalar("one", 1.0);
    let mean = s.scalar("mean over rows", 1.0 / rows as f64);

    // The statistics that the totals are made of, for what only the tests look at.
    let statistics = s.graph.node(totals.entropy).inputs[0].node;
    for (port, name) in [(1, "row_max"), (2, "row_log_sum"), (3, "out/H"), (4, "column_lse")] {
        s.graph.result(name, Var { node: statistics, port });
    }

    let mut objectives: Vec<(&str, Vec<(Var, Var)>)> = vec![
        ("sumH", vec![(totals.entropy, one)]),
        ("A_doc", vec![(totals.document, one)]),
        ("A_avg", vec![(totals.average, one)]),
        ("KL", vec![(totals.divergence, one)]),
    ];
    // A_avg/N is −KL(u‖q̄), hence the minus.
    for (name, lambda, total, factor, entropy) in [
        ("L_doc", "lam_doc", totals.document, 1.0, one),
        ("L_avg", "lam_avg", totals.average, 1.0, one),
        ("L_kl", "lam_kl", totals.divergence, 1.0, mean),
        ("L_ravg", "lam_ravg", totals.average, -1.0 / columns as f64, mean),
    ] {
        if case.wants(&format!("out/{name}")) {
            let weight = s.scalar(lambda, case.number(lambda) * factor);
            objectives.push((name, vec![(totals.entropy, entropy), (total, weight)]));
        }
    }
    for (name, terms) in &objectives {
        let mut value: Option<Var> = None;
        for &(term, weight) in terms {
            let weighted = s.graph.apply(Binary::Mul, &[term, weight]).unwrap();
            value = Some(value.map_or(weighted, |sum| s.graph.apply(Binary::Add, &[sum, weighted]).unwrap()));
        }
        s.graph.result(format!("out/{name}"), value.expect("an objective has terms"));
        if case.wants(&format!("grad/{name}/X")) {
            s.gradients(name, terms, &[("X", x)]);
        }
    }

    let names: Vec<String> = s.graph.results().iter().map(|(name, _)| name.clone()).collect();
    machine.load(s);
    machine.run();
    let mut answers = read_results(machine, &names);
    let mut take = |name: &str| answers.remove(name).expect("a result");
    let (row_max, row_log_sum, column_lse) = (take("row_max"), take("row_log_sum"), take("column_lse"));
    let logits = case.input("X").real().iter().enumerate();
    let q = logits.map(|(i, x)| (-beta * x - row_max[i / columns] - row_log_sum[i / columns]).exp()).collect();
    answers.insert("out/q".into(), q);
    answers.insert("out/qbar".into(), column_lse.iter().map(|lse| lse.exp() / rows as f64).collect());
    answers
}
