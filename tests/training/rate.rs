//! The price of bits as a run trains with it: the model that counts them learns whatever the price is, what makes the code at that
//! price, and a budget is met.

use crate::start::{DATA, start};
use gpu_ae::config::RunConfig;
use gpu_ae::device::{CpuDevice, Device};
use gpu_ae::model::graph::{terms, training as training_graph};
use gpu_ae::nn::{BlockConfig, Pass};
use gpu_ae::ops::array::activation::Activation::{Identity, Relu, Sigmoid};
use gpu_ae::plan::{Choices, Plan};

fn config(set: &[(&str, &str)]) -> RunConfig {
    let layer = BlockConfig::linear;
    let mut config = RunConfig { batch_size: 8, epochs: 200, lr: 1e-2, ..RunConfig::recipe("plain").unwrap() };
    config.set_layers(&[layer(8, Relu), layer(5, Identity), layer(12, Sigmoid)], 2);
    set.iter().for_each(|(key, value)| config.set("test", key, value).unwrap());
    config.check().unwrap();
    config
}

/// A run of so many steps on the CPU device, and what the source of a name holds then.
struct Trained(Box<dyn Device>, gpu_ae::device::ProgramId);

impl Trained {
    fn new(config: &RunConfig, steps: u32) -> Self {
        let graph = training_graph(config, DATA).unwrap();
        let mut device: Box<dyn Device> = Box::new(CpuDevice::new());
        let choices = Choices::by_kind(device.profile());
        let program = device.load(Plan::chosen("train", &graph, device.profile(), &choices).unwrap()).unwrap();
        for (name, value) in start(&graph, config) {
            device.write(program, &name, &value.to_device_bytes()).unwrap();
        }
        device.run(program, steps).unwrap();
        Trained(device, program)
    }

    fn of(&mut self, name: &str) -> Vec<f32> {
        self.0.read_f32(self.1, name).unwrap()
    }
}

#[test]
fn the_model_of_bits_learns_at_any_price_and_the_code_at_its_own() {
    for model in ["gaussian", "factorized", "hyperprior"] {
        let own = match model {
            "gaussian" => "rate.scale",
            "factorized" => "rate.cumulative",
            _ => "rate.hyper_decoder.scale.bias",
        };
        let mut moments = ["0", "0.5", "1"].map(|beta| {
            let mut run = Trained::new(&config(&[("rate.model", model), ("rate.beta", beta)]), 1);
            [own, "autoencoder.1.weight"].map(|name| run.of(&format!("adam.m.{name}")))
        });
        let [[model_0, code_0], [model_half, code_half], [model_1, code_1]] = moments.each_mut();
        assert!(model_0.iter().any(|moment| *moment != 0.0), "{model} learns nothing for nothing");
        assert_eq!((&*model_0, &*model_0), (&*model_half, &*model_1), "{model}");
        let largest = code_1.iter().zip(&*code_0).map(|(one, none)| (one - none).abs()).fold(0.0, f32::max);
        assert!(largest > 0.0, "{model}: a price that moves nothing");
        for ((none, half), one) in code_0.iter().zip(&*code_half).zip(&*code_1) {
            assert!(
                ((half - none) - 0.5 * (one - none)).abs() < 1e-4 * largest,
                "{model}: half the price is half the gradient"
            );
        }
    }
}

#[test]
fn mixed_answers_as_rounding_does_and_counts_bits_as_noise_does() {
    let [ste, noise, mixed] = ["ste", "noise", "mixed"].map(|quantise| {
        let config = config(&[("rate.quantise", quantise), ("rate.model", "factorized"), ("rate.beta", "0.5")]);
        let ring = Trained::new(&config, 1).of("ring");
        ["mse", "bits_per_dim"].map(|name| {
            let place = terms(&config, Pass::Train).iter().position(|term| *term == name).unwrap();
            ring[1 + place]
        })
    });
    assert_eq!([ste[0], noise[1]], mixed);
    assert!(ste[0] != noise[0] && ste[1] != noise[1], "{ste:?} and {noise:?} would tell nothing apart");
}

#[test]
fn bits_are_brought_down_to_their_budget() {
    let steps = 600;
    let mut last = [None, Some("0.5")].map(|budget| {
        let mut set = vec![("rate.warm_up", "10"), ("rate.quantise", "noise")];
        set.push(budget.map_or(("rate.beta", "0"), |budget| ("rate.budget", budget)));
        let config = config(&set);
        let mut run = Trained::new(&config, steps);
        let names = terms(&config, Pass::Train);
        let rate = 1 + names.iter().position(|name| *name == "rate").unwrap();
        let ring = run.of("ring");
        // The mean over the last steps, since noise is of a step.
        let rows = ring.chunks_exact(1 + names.len()).take(steps as usize).skip(steps as usize - 30);
        let mean = rows.map(|row| row[rate]).sum::<f32>() / 30.0;
        (mean, run.of("lambda_rate")[0])
    });
    let [(free, _), (held, weight)] = last.each_mut();
    assert!(*free > 1.0, "{free} bits where they cost nothing");
    assert!(*held < 0.6, "{held} bits under a budget of 0.5, {free} without");
    assert!((0.01..=1.0).contains(weight), "{weight}");
}
