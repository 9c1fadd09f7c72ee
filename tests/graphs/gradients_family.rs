//! Gradients of the losses of the autoencoder family against f64 central differences, second gradients among them.

use crate::loss::Loss;
use gpu_ae::graph::{Graph, Var, interpret};
use gpu_ae::nn::Boltzmann;
use gpu_ae::nn::layers::Layer;
use gpu_ae::nn::losses::contractive::squared_projections;
use gpu_ae::nn::losses::{contractive_estimate, contractive_exact, contrastive_divergence, gaussian_wasserstein};
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::loss::bures::Bures;
use gpu_ae::tensor::HostTensor;

/// An encoder of these widths, all its parameters, rows with padding, their code and the clock.
fn encoder(loss: &mut Loss, widths: &[usize], activations: &[Activation]) -> (Vec<Layer>, Vec<Var>, [Var; 3]) {
    let x = loss.input("x", &[4, widths[0]]);
    let clock = loss.clock(3);
    let (mut h, mut layers) = (x, Vec::new());
    for (l, (pair, &activation)) in widths.windows(2).zip(activations).enumerate() {
        let layer = crate::layers::layer(&mut loss.graph, &format!("layer {l}"), pair[0], pair[1], activation);
        h = layer.forward(&mut loss.graph, h).unwrap();
        layers.push(layer);
    }
    let parameters = layers.iter().flat_map(|layer| [layer.weight, layer.bias]).collect();
    (layers, parameters, [x, h, clock])
}

#[test]
fn contractive_of_every_activation_and_depth() {
    use Activation::{Identity, LeakyRelu, Relu, Sigmoid, Softplus, Tanh};
    let encoders: [&[Activation]; 9] = [
        &[Identity],
        &[Relu],
        &[LeakyRelu],
        &[Sigmoid],
        &[Tanh],
        &[Softplus],
        &[Tanh, Sigmoid],
        &[Relu, Sigmoid],
        &[Softplus, LeakyRelu, Tanh],
    ];
    for activations in encoders {
        for estimated in [false, true] {
            let build = |seed| {
                let mut loss = Loss::new(seed);
                let widths = &[3, 5, 2, 4][..=activations.len()];
                let (layers, mut wrt, [x, h, clock]) = encoder(&mut loss, widths, activations);
                let value = if estimated {
                    contractive_estimate(&mut loss.graph, x, h, clock, 2, 9).unwrap()
                } else {
                    contractive_exact(&mut loss.graph, &layers, x, h, clock).unwrap()
                };
                // Where slopes are piecewise constant, nothing but a weight moves the norm.
                let last = activations[activations.len() - 1];
                match (activations.len(), last) {
                    (1, Identity | Relu | LeakyRelu) => wrt.truncate(1),
                    _ => wrt.push(x),
                }
                (loss, value, wrt)
            };
            let (loss, value, wrt) = (0..2_000)
                .map(build)
                .find_map(|(mut loss, value, wrt)| (loss.kink() > 0.04).then_some((loss, value, wrt)))
                .expect("a network away from all kinks");
            loss.prove(&format!("{activations:?}, estimated: {estimated}"), &[value], &wrt);
        }
    }
}

/// The closed form of one layer is what a pass for each unit gives, and the estimate is right in the mean.
#[test]
fn ways_to_the_norm_of_a_jacobian_agree() {
    for activation in Activation::ALL {
        let mut loss = Loss::new(7);
        let (layers, _, [x, h, clock]) = encoder(&mut loss, &[3, 4], &[activation]);
        let g = &mut loss.graph;
        let closed = contractive_exact(g, &layers, x, h, clock).unwrap();
        let one_hot = |g: &mut Graph, column| {
            let ones = gpu_ae::ops::batch::valid_ones::ValidOnes {
                rows: 4,
                rows_per_sample: 1,
                columns: 4,
                column: Some(column),
            };
            g.apply(ones, &[clock]).unwrap()
        };
        let units: Vec<Var> = (0..4).map(|column| one_hot(g, column)).collect();
        let passes = squared_projections(g, x, h, clock, &units).unwrap();
        let estimate = contractive_estimate(g, x, h, clock, 400, 9).unwrap();
        loss.feed();
        let values = interpret(&loss.graph, &mut loss.feeds.clone()).unwrap();
        let [closed, passes, estimate] = [closed, passes, estimate].map(|var| values.get(var).scalar());
        assert!(
            (closed - passes).abs() < 1e-12 * closed,
            "{activation:?}: {closed} in closed form, {passes} by passes"
        );
        assert!((estimate / closed - 1.0).abs() < 0.15, "{activation:?}: {closed}, estimated {estimate}");
    }
}

#[test]
fn a_wide_code_behind_several_layers_is_refused() {
    let mut loss = Loss::new(1);
    let (layers, _, [x, h, clock]) = encoder(&mut loss, &[3, 5, 65], &[Activation::Tanh, Activation::Sigmoid]);
    let problem = contractive_exact(&mut loss.graph, &layers, x, h, clock).unwrap_err().to_string();
    assert!(problem.contains("65 units") && problem.contains("Hutchinson"), "{problem}");
}

/// The parameters of a machine, and a batch of rows for it.
fn machine(loss: &mut Loss, rows: usize, visible: usize, hidden: usize) -> (Boltzmann, Var) {
    let sizes: [(&str, &[usize]); 3] = [("W", &[hidden, visible]), ("c", &[hidden]), ("b", &[visible])];
    let [weight, hidden_bias, visible_bias] = sizes.map(|(name, dims)| loss.input(name, dims));
    (Boltzmann { weight, hidden_bias, visible_bias }, loss.input("v0", &[rows, visible]))
}

#[test]
fn contrastive_divergence_of_data_and_of_the_end_of_a_chain() {
    for (rows, valid, visible, hidden) in [(1, 1, 1, 1), (5, 3, 7, 4), (8, 8, 3, 9)] {
        let mut loss = Loss::new(6);
        let (machine, data) = machine(&mut loss, rows, visible, hidden);
        let end = loss.input("vk", &[rows, visible]);
        let clock = loss.clock(valid);
        let value = contrastive_divergence(&mut loss.graph, &machine, data, end, clock).unwrap();
        let wrt = [machine.weight, machine.hidden_bias, machine.visible_bias, data, end];
        loss.prove(&format!("{rows} rows, {valid} valid, {visible}-{hidden}"), &[value], &wrt);
    }
}

/// Samples do not change with the weights but where a probability passes its draw, which no difference here does.
#[test]
fn contrastive_divergence_takes_its_samples_for_constants() {
    let mut loss = Loss::new(7);
    let (machine, data) = machine(&mut loss, 4, 6, 5);
    let mut state = data;
    for step in 0..2 {
        let draws = [5, 6].map(|width| {
            let name = format!("draws of step {step}, {width} wide");
            let numbers: Vec<f32> = (0..4 * width).map(|_| loss.rng.uniform()).collect();
            loss.feeds.insert(name.clone(), HostTensor::from_f32(&[4, width], &numbers));
            loss.input(&name, &[4, width])
        });
        state = machine.gibbs(&mut loss.graph, state, draws).unwrap().visible;
    }
    let clock = loss.clock(3);
    let value = contrastive_divergence(&mut loss.graph, &machine, data, state, clock).unwrap();
    loss.prove("two steps", &[value], &[machine.weight, machine.hidden_bias, machine.visible_bias]);
}

#[test]
fn gaussian_wasserstein_of_codes_behind_a_layer() {
    for (rows, valid, width) in [(5, 4, 1), (9, 9, 3), (40, 31, 6)] {
        for diagonal in [false, true] {
            let mut loss = Loss::new(6);
            let x = loss.input("x", &[rows, 7]);
            let clock = loss.clock(valid);
            let layer = crate::layers::layer(&mut loss.graph, "layer", 7, width, Activation::Identity);
            let codes = layer.forward(&mut loss.graph, x).unwrap();
            let value = gaussian_wasserstein(&mut loss.graph, codes, clock, Bures { diagonal, jitter: 1e-3 }).unwrap();
            let label = format!("{rows}x{width}, {valid} valid, diagonal {diagonal}");
            loss.prove(&label, &[value], &[x, layer.weight, layer.bias]);
        }
    }
}
