//! Every form of the matrix product on the adapter, and the naive kernel that none of them may lose to:
//! GFLOP/s, in rounds that take turns so that a drifting machine harms all alike. The ratio is the median
//! of each round's own.
//!
//! On the CPU device the products of W2 at batch 1024, forward and back, which `benches/peers/products.py` sets beside
//! PyTorch's. A word picks the rows that have it: `cargo bench --bench matmul -- cpu`.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

#[path = "support/naive.rs"]
mod naive;
mod support;

use std::time::Duration;

use gpu_ae::device::Device;
use gpu_ae::device::proof::check::{load, time_case};
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::matmul::MatMul;
use gpu_ae::ops::matmul::matmul_nn::LinearInputGrad;
use gpu_ae::ops::matmul::matmul_nt::Linear;
use gpu_ae::ops::matmul::matmul_tn::LinearWeightGrad;
use gpu_ae::ops::{Applied, Case, Tolerance};
use gpu_ae::plan::{DeviceKind, candidates, label};
use gpu_ae::tensor::{HostTensor, Ty};
use naive::{Naive, median};

/// Times that everything is measured in turn.
const ROUNDS: usize = 5;
/// Time for one measurement.
const BUDGET: Duration = Duration::from_millis(250);

fn tensor(dims: &[usize]) -> HostTensor<f32> {
    let count: usize = dims.iter().product();
    let elements: Vec<f32> = (0..count).map(|i| (i * 7919 % 1013) as f32 / 1013.0 - 0.5).collect();
    HostTensor::from_f32(dims, &elements)
}

/// 512³, on hardware 4096³ too, and the first layer of the default network: forward, and back to inputs and
/// weights.
fn products(kind: DeviceKind) -> Vec<Case> {
    let t = tensor;
    let cube = |n: usize| Case::new(format!("{n}x{n}x{n}"), MatMul::Nt, vec![t(&[n, n]), t(&[n, n])], Tolerance::EXACT);
    let large = (kind != DeviceKind::Software).then(|| cube(4096));
    let mut cases = vec![
        cube(512),
        Case::new(
            "forward 128x64x784",
            Linear(Activation::Relu),
            vec![t(&[128, 784]), t(&[64, 784]), t(&[64])],
            Tolerance::EXACT,
        ),
        Case::new(
            "input gradient 128x64x784",
            LinearInputGrad(Activation::Relu),
            vec![t(&[128, 784]), t(&[784, 64]), t(&[128, 64])],
            Tolerance::EXACT,
        ),
        Case::new(
            "weight gradient 64x784x128",
            LinearWeightGrad,
            vec![t(&[128, 64]), t(&[128, 784])],
            Tolerance::EXACT,
        ),
    ];
    cases.extend(large);
    cases
}

/// The case by every kernel and variant that the device has for it.
fn forms(case: &Case, device: &dyn Device) -> Vec<(String, Case)> {
    let types: Vec<Ty> = case.inputs.iter().map(HostTensor::ty).collect();
    let inputs: Vec<&Ty> = types.iter().collect();
    let outputs = case.op.infer(&inputs).unwrap();
    let outputs: Vec<&Ty> = outputs.iter().collect();
    let applied = Applied { op: case.op.as_ref(), inputs: &inputs, outputs: &outputs };
    let forms = candidates(&applied, device.profile(), true).unwrap().into_iter();
    forms.map(|(k, variant)| (label(k.stem(), variant), case.clone().computed_by(k.stem(), variant))).collect()
}

/// The naive product a \[M, K\] · b \[N, K\]ᵀ.
fn naive_product(device: &str, inputs: &[HostTensor<f32>]) -> Option<Naive> {
    let [m, k] = inputs[0].shape.dims()[..] else { return None };
    let n = inputs[1].shape.dims()[0];
    let constants = format!("const M: u32 = {m}u; const N: u32 = {n}u; const K: u32 = {k}u;\n");
    let source = format!("{constants}{}", include_str!("support/naive.wgsl"));
    Naive::new(device, [&source, "main"], inputs, m * n, [n.div_ceil(8) as u32, m.div_ceil(8) as u32])
}

/// Widths of W2, whose batch is 1024.
const W2: [usize; 9] = [784, 1024, 512, 256, 64, 256, 512, 1024, 784];
const W2_BATCH: usize = 1024;

/// What a step of W2 multiplies: each layer forward, back to its inputs but the first, and back to its weights. Labels are
/// `kind results x columns x terms`.
fn products_of_w2() -> Vec<Case> {
    let (batch, act) = (W2_BATCH, Activation::Relu);
    let mut cases = Vec::new();
    for (layer, pair) in W2.windows(2).enumerate() {
        let [inputs, outputs] = [pair[0], pair[1]];
        let [x, dy] = [inputs, outputs].map(|width| tensor(&[batch, width]));
        let forward = vec![x.clone(), tensor(&[outputs, inputs]), tensor(&[outputs])];
        let name = |kind, [m, n, k]: [usize; 3]| format!("cpu {kind} {m}x{n}x{k}");
        cases.push(Case::new(name("forward", [batch, outputs, inputs]), Linear(act), forward, Tolerance::EXACT));
        if layer > 0 {
            let back = vec![dy.clone(), tensor(&[outputs, inputs]), x.clone()];
            let label = name("input-gradient", [batch, inputs, outputs]);
            cases.push(Case::new(label, LinearInputGrad(act), back, Tolerance::EXACT));
        }
        let label = name("weight-gradient", [outputs, inputs, batch]);
        cases.push(Case::new(label, LinearWeightGrad, vec![dy, x], Tolerance::EXACT));
    }
    cases
}

/// Times the products of W2 on the CPU device.
fn on_cpu(device: &mut dyn Device, wanted: &str) {
    for case in products_of_w2().into_iter().filter(|case| case.label.contains(wanted)) {
        let loaded = load(device, &case).unwrap();
        let seconds = time_case(device, &loaded, BUDGET / 2).unwrap().as_secs_f64();
        println!("{} {:.1} GFLOP/s", case.label, loaded.cost.flops / seconds * 1e-9);
    }
}

fn main() {
    let wanted = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    for (row, mut device) in support::devices() {
        match row {
            "cpu" => on_cpu(device.as_mut(), &wanted),
            _ => on_adapter(device.as_mut(), &wanted),
        }
    }
}

/// Times every form of every product on the adapter.
fn on_adapter(device: &mut dyn Device, wanted: &str) {
    for case in products(device.profile().kind).into_iter().filter(|case| case.label.contains(wanted)) {
        let forms = forms(&case, device);
        let naive = case.op.downcast::<MatMul>().and_then(|_| naive_product(device.name(), &case.inputs));
        let mut seconds = vec![Vec::new(); forms.len() + 1];
        let mut flops = 0.0;
        for _ in 0..ROUNDS {
            if let Some(naive) = &naive {
                seconds[forms.len()].push(naive.time(BUDGET).as_secs_f64());
            }
            for (form, seconds) in forms.iter().zip(&mut seconds) {
                let loaded = load(device, &form.1).unwrap();
                flops = loaded.cost.flops;
                seconds.push(time_case(device, &loaded, BUDGET).unwrap().as_secs_f64());
            }
        }
        println!("{} on {}", case.label, device.name());
        // What the rest is compared with: the naive kernel, else the device's first choice.
        let base = seconds.last().filter(|base| !base.is_empty()).unwrap_or(&seconds[0]).clone();
        let names = forms.iter().map(|(name, _)| name.as_str()).chain(naive.iter().map(|_| "naive"));
        for (name, seconds) in names.zip(&seconds) {
            let rate = median(seconds.iter().map(|s| flops / s * 1e-9).collect());
            let ratio = median(seconds.iter().zip(&base).map(|(s, base)| base / s).collect());
            println!("  {name:<32} {rate:8.2} GFLOP/s  {ratio:6.2} x");
        }
    }
}
