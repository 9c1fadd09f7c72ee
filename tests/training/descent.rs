//! Plain gradient descent on every model there is. Adam divides a gradient by its own size, so its curves look the
//! same whatever factor a gradient is wrong by; descent moves by the gradient itself, and one that is 1 % too large
//! is refused here.

use std::sync::Arc;

use crate::common;
use crate::start::{CLASSES, DATA, start};
use crate::training::{difference, floats, forms};
use gpu_ae::config::{MODELS, RunConfig};
use gpu_ae::device::{CpuDevice, Device};
use gpu_ae::graph::{Feeds, Graph, Source, Var, interpret};
use gpu_ae::model::graph::training;
use gpu_ae::ops::array::unary::Unary;
use gpu_ae::ops::step::sgd_step::SgdStep;
use gpu_ae::plan::{Choices, Plan};

const STEPS: usize = 10;
/// How far the way that a parameter goes in ten steps may be from that at f64, as a share of its largest part.
const WAY: f64 = 1e-3;
/// A factor that gradients may not be wrong by: the way becomes longer by a hundredth, ten times what is allowed.
const WRONG: f32 = 1.01;

/// Few blocks of a kind for images of 4 x 3 pixels, which are rows of the data.
fn of_images(config: &mut RunConfig, last: usize) {
    let image = "{ unflatten = '4x3x1' }";
    let conv = "conv = 3, kernel = 3, padding = 1, bias = false";
    let (encoder, decoder) = if config.adversarial.is_some() {
        config.set("test", "adversarial.code", "3").unwrap();
        let there = "{ conv = 3, kernel = 3, stride = 2, padding = 1, activation = 'leaky-relu' }";
        let back = "{ conv_transpose = 1, kernel = [4, 3], stride = 2, padding = 1 }";
        let norm = "{ norm = 'batch' }, { activation = 'tanh' }";
        (
            format!("[{image}, {there}, {{ {conv} }}, {norm}, {{ flatten = true }}, {{ linear = 1 }}]"),
            format!(
                "[{{ linear = 12, bias = false }}, {{ unflatten = '2x2x3' }}, {norm}, {back}, {{ flatten = true }}, \
                 {{ activation = 'sigmoid' }}]"
            ),
        )
    } else if config.is_local() {
        let there =
            "{ conv = 3, kernel = 3, stride = 2, padding = 1 }, { gdn = true }, { conv = 2, kernel = 3, padding = 1 }";
        let back = "{ conv_transpose = 3, kernel = 3, padding = 1 }, { gdn = true, inverse = true }";
        let last = "{ conv_transpose = 1, kernel = [4, 3], stride = 2, padding = 1 }";
        (
            format!("[{image}, {there}, {{ flatten = true }}]"),
            format!("[{{ unflatten = '2x2x2' }}, {back}, {last}, {{ flatten = true }}]"),
        )
    } else if config.reconstructs() {
        let there = "{ conv = 3, kernel = 3, stride = 2, padding = 1, activation = 'tanh' }";
        let back = "{ conv_transpose = 1, kernel = [4, 3], stride = 2, padding = 1 }";
        let ends = "{ flatten = true }, { activation = 'sigmoid' }";
        (
            format!("[{image}, {there}, {{ flatten = true }}, {{ linear = 5 }}]"),
            format!("[{{ linear = 12, activation = 'tanh' }}, {{ unflatten = '2x2x3' }}, {back}, {ends}]"),
        )
    } else {
        let around = format!("{{ residual = [{{ {conv} }}, {{ norm = 'batch' }}], shortcut = [{{ {conv} }}] }}");
        let ends = "{ activation = 'tanh' }, { pool = 'global' }";
        let first = format!("{{ {conv} }}, {{ norm = 'batch' }}, {{ activation = 'tanh' }}");
        (format!("[{image}, {first}, {around}, {ends}]"), format!("[{{ linear = {last} }}]"))
    };
    config.set_all("test", &[("encoder", &encoder), ("decoder", &decoder)]).unwrap();
    let Some(augment) = &config.augment else { return };
    // Pixels of one channel have no colours.
    let keys = match augment.crop {
        0 => &[("augment.saturation", "0"), ("augment.hue", "0"), ("augment.grey", "0")][..],
        _ => &[("augment.crop", "1")],
    };
    config.set_all("test", keys).unwrap();
}

/// A model as its file has it, on narrow layers and small rows, and descending.
pub fn small(model: &str) -> RunConfig {
    let mut config = RunConfig::model(model).unwrap();
    let last = match (config.reconstructs(), &config.classifier) {
        (true, _) => DATA.features,
        (false, Some(_)) => CLASSES,
        (false, None) => 4,
    };
    if config.images().is_some() {
        of_images(&mut config, last);
    } else {
        let (depth, code) = (config.depth(), config.encoder_layers() - 1);
        for (index, layer) in config.layers_mut().enumerate() {
            layer.linear = if index + 1 == depth {
                last
            } else if index == code {
                5
            } else {
                8
            };
        }
    }
    // Gradients as they are, none cut down to a limit; those of an error that weighs more lead such steps astray.
    config.optimiser.clip = None;
    config.lambda_mse = config.lambda_mse.min(10.0);
    // So large that the way is long beside the rounding of what moves: a mean error has small gradients, the other
    // objectives are sums over a row.
    let lr = if config.has_own_objective() { "0.05" } else { "0.5" };
    for (key, value) in [
        ("batch_size", "8"),
        ("lr", lr),
        ("optimiser.kind", "sgd"),
        ("optimiser.momentum", "0"),
        ("optimiser.weight_decay", "0"),
    ] {
        config.set("test", key, value).unwrap();
    }
    config.check().unwrap();
    config.settled()
}

/// The models that are trained by steps, each with its step.
fn models() -> Vec<(&'static str, RunConfig, Graph)> {
    let by_steps = MODELS.iter().filter(|model| **model != "hopfield");
    let models = by_steps.map(|model| {
        let config = small(model);
        let graph = training(&config, DATA).unwrap();
        (*model, config, graph)
    });
    models.collect()
}

/// The same graph, but every gradient is multiplied before the step is made.
fn scaled(graph: &Graph, factor: f32) -> Graph {
    let mut copy = Graph::new();
    let mut vars: Vec<Vec<Var>> = Vec::new();
    for node in graph.nodes() {
        if let Some(source) = node.op.downcast::<Source>() {
            vars.push(vec![copy.source(source.role, source.name.clone(), source.ty.clone())]);
            continue;
        }
        let mut inputs: Vec<Var> = node.inputs.iter().map(|var| vars[var.node][var.port]).collect();
        if let Some(step) = node.op.downcast::<SgdStep>() {
            assert_eq!((step.momentum, step.decay), (0.0, 0.0), "the way is to be that of the gradient alone");
            for gradient in &mut inputs[2 + step.tensors..2 + 2 * step.tensors] {
                *gradient = copy.apply(Unary::Affine { scale: factor, shift: 0.0 }, &[*gradient]).unwrap();
            }
        }
        vars.push(copy.push(Arc::clone(&node.op), &inputs).unwrap());
    }
    copy
}

/// Names and values of parameters.
type Parameters = Vec<(String, Vec<f64>)>;

/// What the step moves; a copy of a tied weight is none of it.
fn parameters(graph: &Graph, mut read: impl FnMut(&str) -> Vec<f64>) -> Parameters {
    let steps = graph.nodes().iter().filter_map(|node| Some((node, node.op.downcast::<SgdStep>()?)));
    let moved = steps.flat_map(|(node, step)| &node.inputs[2..2 + step.tensors]);
    let sources = moved.map(|var| graph.node(*var).op.downcast::<Source>().expect("a parameter is a source"));
    sources.map(|source| (source.name.clone(), read(&source.name))).collect()
}

/// Parameters after the steps by the interpreter.
fn interpreted(graph: &Graph, begin: &Feeds<f64>) -> Parameters {
    let mut feeds = begin.clone();
    for _ in 0..STEPS {
        interpret(graph, &mut feeds).unwrap();
    }
    parameters(graph, |name| floats(&feeds[name]))
}

/// Parameters after the steps on a device.
fn descended(graph: &Graph, begin: &Feeds<f64>, device: &mut dyn Device, choices: &Choices) -> Parameters {
    device.clear();
    let program = device.load(Plan::chosen("train", graph, device.profile(), choices).unwrap()).unwrap();
    for (name, value) in begin {
        device.write(program, name, &value.to_device_bytes()).unwrap();
    }
    device.run(program, STEPS as u32).unwrap();
    parameters(graph, |name| device.read_f32(program, name).unwrap().into_iter().map(f64::from).collect())
}

/// How far the way of each parameter is from the one expected, as a share of its largest part.
fn off(got: &Parameters, expected: &Parameters, begin: &Feeds<f64>) -> Vec<(String, f64)> {
    let pairs = got.iter().zip(expected);
    let each = pairs.map(|((name, got), (_, expected))| {
        let from = floats(&begin[name]);
        let way = |to: &[f64]| -> Vec<f64> { to.iter().zip(&from).map(|(to, from)| to - from).collect() };
        let expected = way(expected);
        assert!(expected.iter().any(|part| part.abs() > 1e-5), "{name} hardly moves, so nothing is said of it");
        (name.clone(), difference(&way(got), &expected))
    });
    each.collect()
}

#[test]
fn ten_steps_of_descent_on_every_model_follow_the_interpreter() {
    let mut devices = common::devices();
    for (model, config, graph) in models() {
        let begin = start(&graph, &config);
        let expected = interpreted(&graph, &begin);
        let judge = |device: &mut dyn Device, form: &str, choices: &Choices| {
            let got = descended(&graph, &begin, device, choices);
            for (name, off) in off(&got, &expected, &begin) {
                println!("{model}, {form}, {name} on {}: {off:.1e}", device.name());
                assert!(off < WAY, "{model}, {form}, {name} on {}: off by {off:.1e}", device.name());
            }
        };
        for device in &mut devices {
            let choices = Choices::by_kind(device.profile());
            judge(device.as_mut(), "static", &choices);
        }
        for (form, choices) in forms() {
            judge(&mut CpuDevice::new(), form, &choices);
        }
    }
}

/// The comparison is worth something: it refuses every gradient that is 1 % too large, of every parameter.
#[test]
fn gradients_that_are_a_hundredth_too_large_are_noticed() {
    for (model, config, graph) in models() {
        let begin = start(&graph, &config);
        let expected = interpreted(&graph, &begin);
        let mut device = CpuDevice::new();
        let choices = Choices::by_kind(device.profile());
        let got = descended(&scaled(&graph, WRONG), &begin, &mut device, &choices);
        let wrong = off(&got, &expected, &begin);
        assert!(!wrong.is_empty(), "{model}: nothing is moved");
        for (name, off) in wrong {
            println!("{model}, {name}: {off:.1e}");
            assert!(off > WAY, "{model}, {name}: a gradient 1 % too large is off by {off:.1e} only");
        }
        // Not because the graph was copied.
        let same = descended(&scaled(&graph, 1.0), &begin, &mut device, &choices);
        assert!(off(&same, &expected, &begin).iter().all(|(_, off)| *off < WAY), "{model}");
    }
}
