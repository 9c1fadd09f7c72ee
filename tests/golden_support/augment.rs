//! Images changed at random: `simclr_augment`.

use gpu_ae::graph::{Role, Var};
use gpu_ae::ops::augment::augment_apply::AugmentApply;
use gpu_ae::ops::augment::augment_colour::AugmentColour;
use gpu_ae::ops::augment::augment_draw::AugmentDraw;
use gpu_ae::ops::augment::{COLOURS, Placing};
use gpu_ae::tensor::{Data, HostTensor, Shape};

use super::machine::{Machine, Setup};
use super::vectors::Case;
use super::{Answers, Runner, as_they_are, exact, images};

/// Boxes by given uniform numbers, what is read there, and every step of the colours by given factors.
pub const SIMCLR: Runner = Runner {
    formula: "simclr_augment",
    run: views,
    correct: as_they_are,
    exactness: exact,
    why: "places and colours are computed in another order",
};

/// Smallest share of an image that a box has.
const LEAST: f32 = 0.08;

fn matrix(rows: usize, values: Vec<f64>) -> HostTensor<f64> {
    HostTensor { shape: Shape::new(&[rows, values.len() / rows]), data: Data::Real(values) }
}

fn views(case: &Case, machine: &mut dyn Machine) -> Answers {
    let (rows, size) = images::extents(case.input("x"));
    let side = case.number("size") as usize;
    let given = |name: &str, row: usize| case.input(name).real()[row];
    let mut s = Setup::default();
    let pixels = images::rows(case.input("x"));
    let x = s.source(Role::Input, "in/x", &matrix(rows, pixels.real().to_vec()));
    let black = s.source(Role::Input, "black", &HostTensor { shape: Shape::new(&[3]), data: Data::Real(vec![0.0; 3]) });

    let placing = Placing::Cut { least: LEAST };
    let draw =
        AugmentDraw { size, flip_vertical: 0.0, flip: 0.5, placing, jitter: 0.0, strengths: [0.0; 4], grey: 0.0 };
    let own = draw.numbers() - 40;
    let apply = AugmentApply { size, output: [side, side], placing };
    let placed = |name: &str, flips: &dyn Fn(usize) -> bool, s: &mut Setup| -> [Var; 2] {
        let numbers = |row: usize| {
            // The second decides about the flip: below a half it is one.
            let first = (0..own).map(move |n| if n == 1 && !flips(row) { 0.75 } else { 0.25 });
            first.chain(case.input("u_box").real()[40 * row..40 * (row + 1)].to_vec())
        };
        let u = s.source(Role::Input, name, &matrix(rows, (0..rows).flat_map(numbers).collect()));
        let places = s.graph.push(std::sync::Arc::new(draw), &[u]).unwrap()[0];
        [places, s.graph.apply(apply, &[x, places, black]).unwrap()]
    };
    let [places, crop] = placed("u", &|_| false, &mut s);
    let [_, flipped] = placed("u flipped", &|row| given("flip", row) == 1.0, &mut s);
    s.graph.result("places", places);
    s.graph.result("out/crop", crop);
    s.graph.result("out/flip", flipped);

    let factors = ["brightness", "contrast", "saturation", "hue"];
    let neutral = [1.0, 1.0, 1.0, 0.0];
    for (step, name) in factors.iter().enumerate() {
        let colours = |row: usize| {
            let factor = |n: usize| if n <= step { given(factors[n], row) } else { neutral[n] };
            [vec![1.0], (0..4).map(factor).collect(), vec![0.0; 3]].concat()
        };
        recoloured(name, &colours, flipped, rows, &mut s);
    }
    let colours = |row: usize| {
        let chosen = factors.iter().map(|name| given(name, row)).collect();
        [vec![given("jitter", row)], chosen, vec![given("gray", row), 0.0, 0.0]].concat()
    };
    recoloured("y", &colours, flipped, rows, &mut s);

    let names: Vec<String> = s.graph.results().iter().map(|(name, _)| name.clone()).collect();
    machine.load(s);
    machine.run();
    let mut answers = images::read(case, machine, &names);
    let boxes = machine.read("places").chunks_exact(8).flat_map(|place| place[..4].to_vec()).collect();
    answers.insert("out/box".into(), boxes);
    answers
}

/// The result `out/<name>`: images by the factors of each.
fn recoloured(name: &str, colours: &dyn Fn(usize) -> Vec<f64>, x: Var, rows: usize, s: &mut Setup) {
    let values: Vec<f64> = (0..rows).flat_map(colours).collect();
    assert_eq!(values.len(), rows * COLOURS);
    let colours = s.source(Role::Input, &format!("colours {name}"), &matrix(rows, values));
    let y = s.graph.apply(AugmentColour { channels: 3 }, &[x, colours]).unwrap();
    s.graph.result(format!("out/{name}"), y);
}
