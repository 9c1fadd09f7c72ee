//! Derivatives by f64 central differences along random directions: what gradients are judged by.

use gpu_ae::Result;
use gpu_ae::autodiff;
use gpu_ae::graph::{Feeds, Graph, Source, Var, interpret};
use gpu_ae::rng::{Rng, Stream, stream_key};
use gpu_ae::tensor::{DType, HostTensor};

/// Step of the differences. With four points the error is that of h⁴: 1e-12 for functions of order 1.
const STEP: f64 = 1e-3;
/// Distance that inputs must keep from kinks: a direction moves an element by at most two steps.
pub const MARGIN: f64 = 0.02;
/// Directions tried for each input.
const DIRECTIONS: usize = 2;

/// Random numbers for one test.
pub fn rng(seed: u64) -> Rng {
    Rng::new(stream_key(seed, Stream::Data))
}

/// A float tensor with elements in ±1, none of them within the margin of 0.
pub fn signed(rng: &mut Rng, dims: &[usize]) -> HostTensor<f64> {
    let elements: Vec<f32> = (0..dims.iter().product()).map(|_| rng.range(-1.0, 1.0)).collect();
    let mut tensor = HostTensor::from_f32(dims, &elements);
    away_from_zero(&mut tensor);
    tensor
}

/// Moves elements near 0 out of the margin, on their own side.
pub fn away_from_zero(tensor: &mut HostTensor<f64>) {
    for x in tensor.real_mut() {
        *x = x.signum() * x.abs().max(MARGIN);
    }
}

/// Σ seed · output over all pairs.
fn value(graph: &Graph, outputs: &[(Var, Var)], feeds: &Feeds<f64>) -> Result<f64> {
    let values = interpret(graph, &mut feeds.clone())?;
    let dot = |(output, seed): &(Var, Var)| -> f64 {
        values.get(*output).real().iter().zip(values.get(*seed).real()).map(|(y, s)| y * s).sum()
    };
    Ok(outputs.iter().map(dot).sum())
}

/// Compares the gradient of Σ seed · output with differences, for every float source of `wrt`.
/// Returns the graph with the gradients.
///
/// The outer error is that of building or running a graph; the inner one says which gradient is wrong.
pub fn check(
    graph: &Graph,
    outputs: &[(Var, Var)],
    wrt: &[Var],
    feeds: &Feeds<f64>,
) -> Result<Result<(Graph, Vec<Var>), String>> {
    let mut with_gradients = graph.clone();
    let gradients = autodiff::grad(&mut with_gradients, outputs, wrt)?;
    let values = interpret(&with_gradients, &mut feeds.clone())?;
    let mut rng = rng(wrt.len() as u64);
    for (&var, gradient) in wrt.iter().zip(&gradients) {
        let Some(name) = graph.node(var).op.downcast::<Source>().map(|source| source.name.clone()) else { continue };
        assert_eq!(graph.ty(var).dtype, DType::F32, "{name} is no float");
        for _ in 0..DIRECTIONS {
            let direction = signed(&mut rng, graph.ty(var).shape.dims());
            let at = |steps: f64| {
                let mut moved = feeds.clone();
                if let Some(x) = moved.get_mut(&name) {
                    x.real_mut().iter_mut().zip(direction.real()).for_each(|(x, d)| *x += steps * STEP * d);
                }
                value(graph, outputs, &moved)
            };
            let numeric = (8.0 * (at(1.0)? - at(-1.0)?) - (at(2.0)? - at(-2.0)?)) / (12.0 * STEP);
            let terms: Vec<f64> = match gradient {
                Some(gradient) => {
                    assert_eq!(with_gradients.ty(*gradient), graph.ty(var), "type of the gradient of {name}");
                    values.get(*gradient).real().iter().zip(direction.real()).map(|(g, d)| g * d).collect()
                }
                None => Vec::new(),
            };
            let analytic: f64 = terms.iter().sum();
            // Rounding of the function itself is spread by the division through the step.
            let rounding = 1e-15 / STEP * value(graph, outputs, feeds)?.abs();
            let allowed = 1e-9 + 10.0 * rounding + 1e-6 * terms.iter().map(|t| t.abs()).sum::<f64>();
            let error = (analytic - numeric).abs();
            if error.is_nan() || error > allowed {
                return Ok(Err(format!(
                    "gradient of '{name}': {analytic:e}, by differences {numeric:e}, allowed {allowed:.1e}"
                )));
            }
        }
    }
    Ok(Ok((with_gradients, gradients.into_iter().flatten().collect())))
}
