//! A saturated sigmoid's gradients and decaying moments approach 0. On the CPU device they must become 0
//! before they are subnormal numbers, which slow a processor down a hundred times.

use crate::training::{Recipe, training};
use gpu_ae::device::{CpuDevice, Device};
use gpu_ae::ops::loss::reconstruction_loss::LossKind;

#[test]
fn moments_are_never_subnormal() {
    for loss in [LossKind::Mse, LossKind::Bce] {
        let training = training(Recipe { loss, ..Recipe::small() });
        let mut device = CpuDevice::new();
        let device: &mut dyn Device = &mut device;
        let program = training.load(device, &training.start(1));
        // Outputs of e⁻¹⁰ and less: down to where a float ends.
        let bias: Vec<f32> = (0..10).map(|i| -10.0 - 9.0 * i as f32).collect();
        device.write(program, training.parameters.last().unwrap(), bytemuck::cast_slice(&bias)).unwrap();
        for steps in [1, 10, 100, 1000] {
            device.run(program, steps).unwrap();
            let (mut zeros, mut others) = (0, 0);
            for (name, bytes) in training.weights(device, program) {
                if training.parameters.contains(&name) {
                    continue;
                }
                for moment in bytemuck::pod_collect_to_vec::<u8, f32>(&bytes) {
                    assert!(!moment.is_subnormal(), "{loss:?}, {steps} steps: {name} holds {moment:e}");
                    if moment == 0.0 { zeros += 1 } else { others += 1 }
                }
            }
            assert!(zeros > 0 && others > 0, "{loss:?}: {zeros} moments are 0 and {others} are not");
        }
    }
}
