//! Pools and images made larger: `pool2d`.

use std::sync::Arc;

use gpu_ae::graph::{Role, Var};
use gpu_ae::ops::conv::Window;
use gpu_ae::ops::pool::Pool;
use gpu_ae::ops::pool::avg_pool::AvgPool;
use gpu_ae::ops::pool::max_pool::MaxPool;
use gpu_ae::ops::pool::upsample::{Between, Upsample};

use super::super::machine::{Machine, Setup};
use super::super::vectors::Case;
use super::super::{Answers, Runner, as_they_are, exact, images};

/// Every pool of an image, with its gradient for a given one of the results.
pub const POOLS: Runner =
    Runner { formula: "pool2d", run: pools, correct: as_they_are, exactness: exact, why: "sums in another order" };

fn pools(case: &Case, machine: &mut dyn Machine) -> Answers {
    let (_, size) = images::extents(case.input("x"));
    let mut s = Setup::default();
    let x = s.source(Role::Param, "in/x", &images::rows(case.input("x")));
    let pool = |window| Pool::new(size, window);
    let [two, three] = [Window::square(2), Window::square(3).padded(1)].map(|window| pool(window.strided(2)));
    let add = |name: &str, y: Var, s: &mut Setup| {
        let dy = s.source(Role::Input, &format!("in/d{name}"), &images::rows(case.input(&format!("d{name}"))));
        s.graph.result(format!("out/{name}"), y);
        s.gradients(name, &[(y, dy)], &[("x", x)]);
    };
    for (name, pool) in [("max2", two), ("max3", three)] {
        let y = s.graph.push(Arc::new(MaxPool(pool)), &[x]).unwrap();
        s.graph.result(format!("out/{name}_index"), y[1]);
        add(name, y[0], &mut s);
    }
    for (name, pool) in [("avg2", two), ("gap", Pool::global(size))] {
        let y = s.graph.apply(AvgPool(pool), &[x]).unwrap();
        add(name, y, &mut s);
    }
    let y = s.graph.apply(Upsample { size, factor: 2, between: Between::Nearest }, &[x]).unwrap();
    add("up2", y, &mut s);
    let names: Vec<String> = s.graph.results().iter().map(|(name, _)| name.clone()).collect();
    machine.load(s);
    machine.run();
    images::read(case, machine, &names)
}
