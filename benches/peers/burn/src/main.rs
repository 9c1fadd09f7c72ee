//! The workloads on burn's wgpu backend: `peer-burn w1|w2 BATCH SECONDS IMAGES`.
//!
//! burn tunes itself for every new shape, which takes minutes, and keeps the result below the working
//! directory's `target/`; where, a `cubecl.toml` in the working directory may say.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams};
use burn::prelude::*;
use burn::tensor::{Tensor, TensorData, activation};
use peer_common::{ALPHA, ENTROPIC_WIDTH, FEATURES, Failure, LAMBDA_ENTROPY, LAMBDA_MSE, LEARNING_RATE, Order, ROWS};

/// The rows as f32 are more than the 128 MiB that a binding holds on every device, so they come in two halves.
const SHARDS: usize = 2;

#[derive(Module, Debug)]
struct Autoencoder {
    layers: Vec<Linear>,
}

impl Autoencoder {
    fn new(widths: &[usize], device: &Device) -> Self {
        Self { layers: widths.windows(2).map(|pair| LinearConfig::new(pair[0], pair[1]).init(device)).collect() }
    }

    fn loss(&self, x: Tensor<2>, entropic: bool) -> Tensor<1> {
        let mut y = x.clone();
        for (number, layer) in self.layers.iter().enumerate() {
            y = layer.forward(y);
            y = if number + 1 == self.layers.len() { activation::sigmoid(y) } else { activation::relu(y) };
        }
        let difference = y - x;
        let mut loss = (difference.clone() * difference).mean();
        if entropic {
            loss = loss.mul_scalar(LAMBDA_MSE);
            let narrow = self.layers.iter().filter(|layer| layer.weight.dims()[1] == ENTROPIC_WIDTH);
            for layer in narrow {
                loss = loss + entropy(layer).mul_scalar(LAMBDA_ENTROPY);
            }
        }
        loss
    }
}

/// Rényi entropy of how active a layer's neurons are: their incoming weights and bias.
fn entropy(layer: &Linear) -> Tensor<1> {
    let mut activeness = layer.weight.val().abs().sum_dim(0).reshape([ENTROPIC_WIDTH]);
    if let Some(bias) = &layer.bias {
        activeness = activeness + bias.val().abs();
    }
    let shares = activeness.clone() / activeness.sum();
    shares.powf_scalar(ALPHA).sum().log().div_scalar(1.0 - ALPHA)
}

/// The data set on the device; one half after the other, each in random order.
struct Batches {
    shards: Vec<Tensor<2>>,
    current: usize,
    order: Order,
    on_device: Option<Tensor<1, Int>>,
    device: Device,
}

impl Batches {
    fn new(images: &[f32], batch: usize, device: &Device) -> Self {
        let rows = ROWS / SHARDS;
        let shards = images
            .chunks(rows * FEATURES)
            .map(|shard| Tensor::from_data(TensorData::new(shard.to_vec(), [rows, FEATURES]), device))
            .collect();
        Self { shards, current: 0, order: Order::new(rows, batch), on_device: None, device: device.clone() }
    }

    fn next(&mut self) -> Tensor<2> {
        let (batch, fresh) = self.order.advance();
        if fresh {
            self.current = (self.current + 1) % SHARDS;
            self.on_device = None;
        }
        let rows = self.on_device.get_or_insert_with(|| {
            let rows: Vec<i32> = self.order.rows().iter().map(|&row| row as i32).collect();
            let count = rows.len();
            Tensor::from_data(TensorData::new(rows, [count]), &self.device)
        });
        self.shards[self.current].clone().select(0, rows.clone().slice([batch]))
    }
}

fn main() -> Result<(), Failure> {
    let request = peer_common::Request::from_args()?;
    let bare = Device::wgpu(Default::default());
    let device = bare.clone().autodiff();
    let mut batches = Batches::new(&request.load()?, request.batch, &device);
    // Taken out and put back at each step, so that burn owns the parameters alone and may update them in place.
    let mut place = Some(Autoencoder::new(request.workload.widths(), &device));
    let mut adam = AdamConfig::new().with_epsilon(1e-8).init();

    peer_common::measure("burn-wgpu", &request, |steps| {
        let mut last = None;
        for _ in 0..steps {
            let model = place.take().ok_or("the model is gone")?;
            let loss = model.loss(batches.next(), request.workload.is_entropic());
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            place = Some(adam.step(LEARNING_RATE, model, gradients));
            last = Some(loss);
        }
        bare.sync().map_err(|error| format!("burn: {error:?}"))?;
        Ok(last.map_or(f32::NAN, |loss| loss.into_scalar::<f32>()))
    })
}
