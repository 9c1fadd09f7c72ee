//! A reading that was begun shows what was there then, whatever runs before it is waited for.

use crate::common;
use crate::training::{RING, Recipe, training};
use gpu_ae::device::Device;
use gpu_ae::ops::step::clock;

#[test]
fn what_runs_after_the_beginning_of_a_reading_does_not_show() {
    let training = training(Recipe::small());
    let start = training.start(5);
    for mut device in common::devices() {
        let device: &mut dyn Device = device.as_mut();
        let program = training.load(device, &start);
        let mut begun = Vec::new();
        for steps in 1..=3 {
            device.run(program, steps).unwrap();
            begun.push(device.begin(program, &["clock", "ring"]).unwrap());
        }
        // A reading of another kind comes between.
        let last = device.read(program, "ring").unwrap();
        let mut rings = Vec::new();
        for (reading, steps) in begun.into_iter().zip([1, 3, 6]) {
            let bytes = device.end_read(reading).unwrap();
            let (clock, ring) = bytes.split_at(clock::WORDS * 4);
            let clock: Vec<u32> = bytemuck::pod_collect_to_vec(clock);
            assert_eq!(clock[clock::STEP], steps, "{}", device.name());
            let row = 4 * (training.terms + 1);
            assert_eq!(ring.len(), RING * row);
            // A row begins with the samples of its step.
            let rows = ring.chunks_exact(row).filter(|row| row.iter().any(|&byte| byte != 0)).count();
            assert_eq!(rows, steps as usize, "{}", device.name());
            rings.push(ring.to_vec());
        }
        assert!(rings[2] == last, "{}: the last reading differs from a plain one", device.name());
        assert!(rings[0] != rings[1] && rings[1] != rings[2]);
    }
}
