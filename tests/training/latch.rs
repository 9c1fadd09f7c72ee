//! A loss that is not finite stops training where it stands: the latch says when and which, and the
//! last good parameters and moments stay, bit for bit, on every device.

use crate::common;
use crate::training::{Recipe, Training, forms, training};
use gpu_ae::device::{Device, ProgramId};
use gpu_ae::graph::interpret;
use gpu_ae::nn::BlockConfig;
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::step::clock;

const GOOD_STEPS: u32 = 3;
const LATER_STEPS: u32 = 4;

/// What is spoilt after the good steps.
struct Poison {
    source: String,
    value: f32,
    /// The term that shows it.
    term: u32,
}

/// Step, latch, term.
fn state(device: &mut dyn Device, program: ProgramId) -> [u32; 3] {
    let clock = device.read_u32(program, "clock").unwrap();
    [clock::STEP, clock::BAD_STEP, clock::BAD_TERM].map(|word| clock[word])
}

/// Overwrites the last element of a source.
fn spoil(device: &mut dyn Device, program: ProgramId, poison: &Poison) {
    let mut values = device.read_f32(program, &poison.source).unwrap();
    *values.last_mut().unwrap() = poison.value;
    device.write(program, &poison.source, bytemuck::cast_slice(&values)).unwrap();
}

fn poisons(training: &Training) -> Vec<Poison> {
    let last = training.terms as u32 - 1;
    let output_bias = training.parameters.last().unwrap().clone();
    let first_weight = training.parameters[0].clone();
    let mut poisons = Vec::new();
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        poisons.push(Poison { source: "knob".into(), value, term: last });
    }
    poisons.push(Poison { source: output_bias, value: f32::NAN, term: 0 });
    poisons.push(Poison { source: first_weight, value: f32::NAN, term: 0 });
    poisons
}

#[test]
fn a_poisoned_value_sets_the_latch_and_freezes_the_rest() {
    let training = training(Recipe::small());
    let start = training.start(3);
    for mut device in common::devices() {
        let device = device.as_mut();
        for poison in poisons(&training) {
            let label = format!("{} = {} on {}", poison.source, poison.value, device.name());
            let program = training.load(device, &start);
            device.run(program, GOOD_STEPS).unwrap();
            assert_eq!(state(device, program), [GOOD_STEPS, 0, 0], "{label}: before");
            spoil(device, program, &poison);
            let weights = training.weights(device, program);
            let ring = device.read(program, "ring").unwrap();
            device.run(program, LATER_STEPS).unwrap();
            assert_eq!(state(device, program), [GOOD_STEPS, GOOD_STEPS + 1, poison.term], "{label}: latch");
            assert!(training.weights(device, program) == weights, "{label}: a parameter or moment moved");
            assert!(device.read(program, "ring").unwrap() == ring, "{label}: a bad loss reached the ring");
        }
    }
}

#[test]
fn every_form_of_a_step_latches() {
    let training = training(Recipe::plain());
    let start = training.start(3);
    for mut device in common::devices() {
        for (form, choices) in forms() {
            let device = device.as_mut();
            let program = training.load_as(device, &start, &choices);
            device.run(program, GOOD_STEPS).unwrap();
            spoil(device, program, &Poison { source: training.parameters[0].clone(), value: f32::NAN, term: 0 });
            let weights = training.weights(device, program);
            device.run(program, LATER_STEPS).unwrap();
            assert_eq!(state(device, program), [GOOD_STEPS, GOOD_STEPS + 1, 0], "{form} on {}", device.name());
            assert!(training.weights(device, program) == weights, "{form} on {}: something moved", device.name());
        }
    }
}

/// A cure of the cause does not lift the latch: whoever resumes decides from where.
#[test]
fn the_latch_stays_set() {
    let training = training(Recipe::small());
    let start = training.start(4);
    for mut device in common::devices() {
        let device = device.as_mut();
        let program = training.load(device, &start);
        let mut poison = Poison { source: "knob".into(), value: f32::NAN, term: training.terms as u32 - 1 };
        spoil(device, program, &poison);
        device.run(program, 1).unwrap();
        assert_eq!(state(device, program), [0, 1, poison.term]);
        poison.value = 0.0;
        spoil(device, program, &poison);
        let weights = training.weights(device, program);
        device.run(program, 3).unwrap();
        assert_eq!(state(device, program), [0, 1, poison.term], "on {}", device.name());
        assert!(training.weights(device, program) == weights, "on {}", device.name());
    }
}

/// A learning rate far too large: the first step is finite, its result is not. The parameters left are
/// those of the last step whose loss was finite.
#[test]
fn divergence_leaves_the_parameters_of_the_last_good_step() {
    let mut recipe = Recipe { learning_rate: 1e25, ..Recipe::small() };
    let last = recipe.layers.len() - 1;
    recipe.layers[last] = BlockConfig::linear(recipe.features, Activation::Identity);
    let training = training(recipe);
    let start = training.start(5);
    for mut device in common::devices() {
        let device = device.as_mut();
        let program = training.load(device, &start);
        device.run(program, 6).unwrap();
        let [good, bad, term] = state(device, program);
        assert!((1..5).contains(&good), "{good} good steps on {}", device.name());
        assert_eq!([bad, term], [good + 1, 0], "on {}", device.name());
        let stopped = training.weights(device, program);
        let program = training.load(device, &start);
        device.run(program, good).unwrap();
        assert_eq!(state(device, program), [good, 0, 0]);
        assert!(training.weights(device, program) == stopped, "other parameters on {}", device.name());
    }
}

/// The twin at f64 latches alike, and no ReLU hides a NaN from the loss there either.
#[test]
fn the_interpreter_latches_too() {
    let training = training(Recipe::small());
    for poison in poisons(&training) {
        let mut feeds = training.start(3);
        interpret(&training.graph, &mut feeds).unwrap();
        if let Some(last) = feeds.get_mut(&poison.source).and_then(|tensor| tensor.real_mut().last_mut()) {
            *last = f64::from(poison.value);
        }
        let before = feeds.clone();
        for _ in 0..2 {
            interpret(&training.graph, &mut feeds).unwrap();
        }
        let clock = feeds["clock"].words();
        let state = [clock::STEP, clock::BAD_STEP, clock::BAD_TERM].map(|word| clock[word]);
        assert_eq!(state, [1, 2, poison.term], "{} = {}", poison.source, poison.value);
        for name in training.parameters.iter().filter(|name| **name != poison.source) {
            assert_eq!(feeds[name], before[name], "{name}");
        }
    }
}
