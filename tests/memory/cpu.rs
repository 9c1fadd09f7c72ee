//! The CPU device asks for no memory while it trains: everything is made when a plan is loaded.

use std::sync::Arc;

use gpu_ae::autodiff::grad;
use gpu_ae::config::RunConfig;
use gpu_ae::device::{CpuDevice, Device, Means, ProgramId};
use gpu_ae::graph::{Graph, Role};
use gpu_ae::model::graph::{DataShape, training};
use gpu_ae::ops::conv::Window;
use gpu_ae::ops::norm::batch_norm::BatchNorm;
use gpu_ae::ops::norm::group_norm::GroupNorm;
use gpu_ae::ops::pool::Pool;
use gpu_ae::ops::pool::avg_pool::AvgPool;
use gpu_ae::ops::pool::max_pool::MaxPool;
use gpu_ae::ops::pool::pad_reflect::PadReflect;
use gpu_ae::ops::pool::pixel_shuffle::{Direction, PixelShuffle};
use gpu_ae::ops::pool::upsample::{Between, Upsample};
use gpu_ae::ops::step::clock;
use gpu_ae::plan::Plan;
use gpu_ae::tensor::Ty;

use crate::counting::{measured, turn};

/// How often a run of so many steps asks for memory.
fn requests(device: &mut dyn Device, program: ProgramId, steps: u32) -> usize {
    measured(|| device.run(program, steps).unwrap()).1.requests
}

/// Images of a batch.
const IMAGES: usize = 5;

/// Norms, pools and changes of size, one behind the other, and their gradients.
fn images() -> Graph {
    let mut g = Graph::new();
    let x = g.source(Role::Param, "x", Ty::f32(&[IMAGES * 12 * 10, 8]));
    let [scale, shift] = ["scale", "shift"].map(|name| g.source(Role::Param, name, Ty::f32(&[8])));
    let clock = g.source(Role::State, "clock", clock::ty());
    let y = g.push(Arc::new(GroupNorm { rows_per_sample: 120, groups: 4 }), &[x, scale, shift]).unwrap()[0];
    let y = g.push(Arc::new(BatchNorm::new(120)), &[y, scale, shift, clock]).unwrap()[0];
    let window = Window::square(3).padded(1).strided(2);
    let y = g.push(Arc::new(MaxPool(Pool::new([12, 10], window))), &[y]).unwrap()[0];
    let y = g.apply(Upsample { size: [6, 5], factor: 2, between: Between::Bilinear }, &[y]).unwrap();
    let y = g.apply(PadReflect { size: [12, 10], padding: 2 }, &[y]).unwrap();
    let y = g.apply(AvgPool(Pool::new([16, 14], Window::square(2).strided(2))), &[y]).unwrap();
    let y = g.apply(PixelShuffle { size: [8, 7], factor: 2, direction: Direction::Spread }, &[y]).unwrap();
    let seed = g.source(Role::Input, "seed", g.ty(y).clone());
    for (number, gradient) in grad(&mut g, &[(y, seed)], &[x, scale, shift]).unwrap().into_iter().enumerate() {
        g.result(format!("gradient {number}"), gradient.unwrap());
    }
    g.result("y", y);
    g
}

#[test]
fn a_step_asks_for_no_memory() {
    let _turn = turn();
    training_steps(&RunConfig::default());
    training_steps(&RunConfig::model("conv").unwrap());
    let mut changed = RunConfig::default();
    let changes = [("augment.image", "28x28x1"), ("augment.rotate", "10"), ("augment.contrast", "0.3")];
    changed.set_all("test", &changes).unwrap();
    training_steps(&changed);
    let mut config = RunConfig::default();
    let keys = [("kind", "lars"), ("weight_decay", "1e-4"), ("average", "0.99"), ("clip", "1"), ("accumulate", "4")];
    keys.iter().for_each(|(key, value)| config.set("test", &format!("optimiser.{key}"), value).unwrap());
    training_steps(&config);
    let mut device = CpuDevice::new();
    let plan = Plan::new("images", &images(), device.profile()).unwrap();
    let device: &mut dyn Device = &mut device;
    let program = device.load(plan).unwrap();
    device.write(program, "clock", bytemuck::cast_slice(&clock::start(IMAGES, IMAGES, false, 1))).unwrap();
    device.run(program, 2).unwrap();
    assert!(!device.means(program).contains(&Means::Twin), "a twin asks for memory as it likes");
    let (few, many) = (requests(device, program, 1), requests(device, program, MANY));
    assert!(few.max(many) <= 3, "images: {few} requests in a run of 1 step, {many} in one of {MANY}");
}

/// Steps of a long run: few enough for the test to be over before its harness says that it takes long, which asks for memory.
const MANY: u32 = 20;

fn training_steps(config: &RunConfig) {
    const ROWS: usize = 300;
    let shape = DataShape { rows: ROWS, features: 784, kind: gpu_ae::data::ValueKind::Byte };
    for batch in [64, 300] {
        let config = RunConfig { batch_size: batch, ..config.clone() };
        let mut device = CpuDevice::new();
        let plan = Plan::new("train", &training(&config, shape).unwrap(), device.profile()).unwrap();
        let device: &mut dyn Device = &mut device;
        let program = device.load(plan).unwrap();
        device.write(program, "clock", bytemuck::cast_slice(&clock::start(ROWS, batch, true, 1))).unwrap();
        device.run(program, 2).unwrap();
        // Handing a run over to the threads may ask for memory; its steps may not, however many.
        let (few, many) = (requests(device, program, 1), requests(device, program, MANY));
        assert!(few.max(many) <= 3, "batch {batch}: {few} requests in a run of 1 step, {many} in one of {MANY}");
        let after = device.read_u32(program, "clock").unwrap();
        assert_eq!((after[clock::STEP], after[clock::BAD_STEP]), (3 + MANY, 0), "the steps did not run");
    }
}
