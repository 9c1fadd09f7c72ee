//! The workloads on candle's CPU device: `peer-candle w1|w2 BATCH SECONDS IMAGES`.

use candle_core::{D, DType, Device, Result, Tensor};
use candle_nn::{AdamW, Linear, Module, Optimizer, ParamsAdamW, VarBuilder, VarMap, linear, ops};
use peer_common::{ALPHA, ENTROPIC_WIDTH, FEATURES, Failure, LAMBDA_ENTROPY, LAMBDA_MSE, LEARNING_RATE, Order, ROWS};

/// Rényi entropy of how active a layer's neurons are: their incoming weights and bias.
fn entropy(layer: &Linear) -> Result<Tensor> {
    let mut activeness = layer.weight().abs()?.sum(D::Minus1)?;
    if let Some(bias) = layer.bias() {
        activeness = (activeness + bias.abs()?)?;
    }
    let shares = activeness.broadcast_div(&activeness.sum_all()?)?;
    shares.powf(ALPHA)?.sum_all()?.log()? / (1.0 - ALPHA)
}

fn loss(layers: &[Linear], x: &Tensor, entropic: bool) -> Result<Tensor> {
    let mut y = x.clone();
    for (number, layer) in layers.iter().enumerate() {
        y = layer.forward(&y)?;
        y = if number + 1 == layers.len() { ops::sigmoid(&y)? } else { y.relu()? };
    }
    let mut loss = (y - x)?.sqr()?.mean_all()?;
    if entropic {
        loss = (loss * LAMBDA_MSE)?;
        for layer in layers {
            if layer.weight().dim(0)? == ENTROPIC_WIDTH {
                loss = (loss + (entropy(layer)? * LAMBDA_ENTROPY)?)?;
            }
        }
    }
    Ok(loss)
}

fn main() -> std::result::Result<(), Failure> {
    let request = peer_common::Request::from_args()?;
    let device = Device::Cpu;
    let images = Tensor::from_vec(request.load()?, (ROWS, FEATURES), &device)?;
    let variables = VarMap::new();
    let builder = VarBuilder::from_varmap(&variables, DType::F32, &device);
    let widths = request.workload.widths().windows(2).enumerate();
    let layers = widths
        .map(|(number, pair)| linear(pair[0], pair[1], builder.pp(number.to_string())))
        .collect::<Result<Vec<_>>>()?;
    let settings = ParamsAdamW { lr: LEARNING_RATE, weight_decay: 0.0, ..ParamsAdamW::default() };
    let mut adam = AdamW::new(variables.all_vars(), settings)?;
    let mut order = Order::new(ROWS, request.batch);

    peer_common::measure("candle", &request, |steps| {
        let mut last = f32::NAN;
        for step in 0..steps {
            let (batch, _) = order.advance();
            let rows = Tensor::from_slice(&order.rows()[batch], request.batch, &device)?;
            let loss = loss(&layers, &images.index_select(&rows, 0)?, request.workload.is_entropic())?;
            adam.backward_step(&loss)?;
            if step + 1 == steps {
                last = loss.to_scalar()?;
            }
        }
        Ok(last)
    })
}
