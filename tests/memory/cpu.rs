//! The CPU device asks for no memory while it trains: everything is made when a plan is loaded.

use gpu_ae::config::RunConfig;
use gpu_ae::device::{CpuDevice, Device};
use gpu_ae::model::graph::{DataShape, training};
use gpu_ae::ops::step::clock;
use gpu_ae::plan::Plan;

use crate::counting::{measured, turn};

#[test]
fn a_training_step_asks_for_no_memory() {
    const ROWS: usize = 300;
    let _turn = turn();
    let shape = DataShape { rows: ROWS, features: 784, kind: gpu_ae::data::ValueKind::Byte };
    for batch in [64, 300] {
        let config = RunConfig { batch_size: batch, ..RunConfig::default() };
        let mut device = CpuDevice::new();
        let plan = Plan::new("train", &training(&config, shape).unwrap(), device.profile()).unwrap();
        let device: &mut dyn Device = &mut device;
        let program = device.load(plan).unwrap();
        device.write(program, "clock", bytemuck::cast_slice(&clock::start(ROWS, batch, true, 1))).unwrap();
        device.run(program, 2).unwrap();
        // Handing a run over to the threads may ask for memory; its steps may not, however many.
        let requests =
            |device: &mut dyn Device, steps: u32| measured(|| device.run(program, steps).unwrap()).1.requests;
        let (few, many) = (requests(device, 1), requests(device, 50));
        assert!(few.max(many) <= 3, "batch {batch}: {few} requests in a run of 1 step, {many} in one of 50");
        let after = device.read_u32(program, "clock").unwrap();
        assert_eq!((after[clock::STEP], after[clock::BAD_STEP]), (53, 0), "the steps did not run");
    }
}
