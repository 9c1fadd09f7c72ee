//! A residual network under attack: `pgd_conv`.

use gpu_ae::nn::Pass;
use gpu_ae::tensor::{Data, HostTensor, Shape};

use super::super::images::{images, rows};
use super::super::judging::descend;
use super::super::machine::Machine;
use super::super::vectors::Case;
use super::super::{Answers, Runner, as_they_are, exact};
use super::blocks::resnet_of;

/// Projected gradient descent on what `mini_resnet18` makes of images as it is judged.
pub const PGD: Runner = Runner {
    formula: "pgd_conv",
    run: attacked,
    correct: as_they_are,
    exactness: exact,
    why: "two float64 implementations that add in different orders",
};

fn attacked(case: &Case, machine: &mut dyn Machine) -> Answers {
    let shape = case.input("x").shape.dims().to_vec();
    let flat = Shape::new(&[shape[0], shape[1..].iter().product()]);
    let mut built = resnet_of(case);
    let labels = built.labels(case);
    let one = built.setup.scalar("one", 1.0);
    let (logits, _) = built.pass(Pass::Show);
    let loss = built.cross_entropy(logits, labels);
    built.setup.graph.result("loss", loss);
    let x = built.x;
    built.setup.gradients("loss", &[(loss, one)], &[("x", x)]);
    machine.load(built.setup);
    let mut answers = Answers::new();
    let mut judge = |machine: &mut dyn Machine, name: &str, values: &[f64]| {
        machine.feed("in/x", &HostTensor { shape: flat.clone(), data: Data::Real(values.to_vec()) });
        machine.run();
        answers.insert(format!("out/loss_{name}"), machine.read("loss"));
    };
    let [x, delta] = ["x", "delta0"].map(|name| rows(case.input(name)).real().to_vec());
    judge(machine, "clean", &x);
    let [first, last] = descend(case, machine, &flat, [&x, &delta]);
    judge(machine, "adv", &last);
    answers.insert("out/x_step1".into(), images(first, &shape));
    answers.insert("out/x_adv".into(), images(last, &shape));
    answers
}
