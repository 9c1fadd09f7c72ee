//! Proves one formula on every machine.

use gpu_ae::device::{CpuDevice, Device};

use super::compare::{describe, share};
use super::machine::{Interpreter, Machine, OnDevice};
use super::vectors::{Case, Golden};
use super::{Answers, Runner};
use crate::common::unproved;

/// Absolute part of the bound that the f64 twins are held to: sums that cancel to 0.
const EXACT_ATOL: f64 = 1e-12;

/// How strict a machine's answers are judged.
#[derive(Clone, Copy)]
enum Bound {
    /// The index's tolerance or, far closer, this relative one by name.
    Exact(fn(&str) -> f64),
    /// The index's tolerance times this.
    Times(f64),
}

/// Computes every case of the formula on the interpreter, the CPU device and the adapter, and fails
/// with a list of everything that is missing or too far off.
pub fn prove(runner: &Runner, gpu: Option<Box<dyn Device>>) {
    let golden = Golden::open();
    let Some(mut vectors) = golden.vectors(runner.formula) else {
        assert!(!golden.own, "{} is not in the project's own index", runner.formula);
        return unproved(&format!("{}: not in the index of {}", runner.formula, golden.folder.display()));
    };
    assert!(!vectors.cases.is_empty(), "{} has no cases", runner.formula);
    vectors.cases.iter_mut().for_each(runner.correct);
    let mut failures = Vec::new();
    let mut judge = |what: &str, machine: &mut dyn Machine, bound: Bound| {
        let mut worst = (0.0, String::new());
        for case in &vectors.cases {
            let answers = (runner.run)(case, machine);
            judge_case(case, &answers, bound, &mut worst, &mut |problem| {
                failures.push(format!("{what}: {}/{problem}", case.name));
            });
        }
        let (cases, (share, tensor)) = (vectors.cases.len(), worst);
        println!("{}: {cases} cases on {what}: worst {share:.1e} of what is allowed, at {tensor}", runner.formula);
    };
    judge("f64 interpreter", &mut Interpreter::default(), Bound::Exact(runner.exactness));
    let mut cpu = CpuDevice::new();
    judge("CPU device, fused", &mut OnDevice::new(&mut cpu, true), Bound::Times(1.0));
    judge("CPU device, unfused", &mut OnDevice::new(&mut cpu, false), Bound::Times(1.0));
    if let Some(mut gpu) = gpu {
        let name = gpu.name().to_string();
        judge(&name, &mut OnDevice::new(gpu.as_mut(), true), Bound::Times(vectors.gpu_factor));
    }
    let count = failures.len();
    failures.truncate(40);
    assert!(count == 0, "{}: {count} failures\n{}\n(f64: {})", runner.formula, failures.join("\n"), runner.why);
}

fn judge_case(case: &Case, answers: &Answers, bound: Bound, worst: &mut (f64, String), fail: &mut dyn FnMut(String)) {
    assert!(!case.expected().is_empty(), "case '{}' expects nothing", case.name);
    for (name, expected) in case.expected() {
        let Some(got) = answers.get(name) else {
            fail(format!("{name}: nothing computes it"));
            continue;
        };
        let (atol, rtol) = match bound {
            Bound::Exact(exactness) => (expected.atol.min(EXACT_ATOL), expected.rtol.min(exactness(name))),
            Bound::Times(factor) => (expected.atol * factor, expected.rtol * factor),
        };
        let share = share(got, expected, atol, rtol);
        if share > worst.0 {
            *worst = (share, format!("{}/{name}", case.name));
        }
        if share > 1.0 {
            let problem = describe(got, expected);
            fail(format!("{name} {:?}: {share:.2e} of what is allowed; {problem}", expected.shape));
        }
    }
}
