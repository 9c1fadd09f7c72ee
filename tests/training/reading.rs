//! A reading that was begun shows what was there then, whatever runs before it is waited for.

use crate::common;
use crate::training::{RING, Recipe, training};
use gpu_ae::device::{CpuDevice, Device, Identity, Later, ProgramId, Reading, Trace};
use gpu_ae::ops::step::clock;
use gpu_ae::plan::{DeviceProfile, Member, Plan};

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

#[test]
fn what_is_written_between_runs_lies_between_them() {
    let training = training(Recipe::small());
    let start = training.start(5);
    for mut device in common::devices() {
        let device: &mut dyn Device = device.as_mut();
        let program = training.load(device, &start);
        let first = device.read(program, "clock").unwrap();
        device.run(program, 40).unwrap();
        let before = device.begin(program, &["clock"]).unwrap();
        device.write(program, "clock", &first).unwrap();
        device.run(program, 2).unwrap();
        let after = device.read_u32(program, "clock").unwrap();
        let before: Vec<u32> = bytemuck::pod_collect_to_vec(&device.end_read(before).unwrap());
        assert_eq!((before[clock::STEP], after[clock::STEP]), (40, 2), "{}", device.name());
    }
}

/// The CPU device, with a list of the ranges that are read of it.
struct Counting {
    cpu: CpuDevice,
    reads: Vec<Vec<(usize, usize, usize)>>,
}

impl Device for Counting {
    fn name(&self) -> &str {
        "counting"
    }
    fn identity(&self) -> Identity {
        self.cpu.identity()
    }
    fn profile(&self) -> &DeviceProfile {
        self.cpu.profile()
    }
    fn load(&mut self, plan: Plan) -> gpu_ae::Result<ProgramId> {
        self.cpu.load(plan)
    }
    fn clear(&mut self) {
        self.cpu.clear();
    }
    fn plan(&self, program: ProgramId) -> &Plan {
        self.cpu.plan(program)
    }
    fn run(&mut self, program: ProgramId, times: u32) -> gpu_ae::Result<()> {
        self.cpu.run(program, times)
    }
    fn run_stretch(&mut self, program: ProgramId, stretch: usize) -> gpu_ae::Result<()> {
        self.cpu.run_stretch(program, stretch)
    }
    fn join(&mut self, member: Member) {
        self.cpu.join(member);
    }
    fn traced(&mut self, program: ProgramId, times: u32) -> Later<'_, Trace> {
        self.cpu.traced(program, times)
    }
    fn write_bytes(&mut self, program: ProgramId, arena: usize, offset: usize, bytes: &[u8]) -> gpu_ae::Result<()> {
        self.cpu.write_bytes(program, arena, offset, bytes)
    }
    fn begin_read(&mut self, program: ProgramId, ranges: &[(usize, usize, usize)]) -> gpu_ae::Result<Reading> {
        self.reads.push(ranges.to_vec());
        self.cpu.begin_read(program, ranges)
    }
}

#[test]
fn many_sources_are_read_with_one_look_at_each_arena() {
    let training = training(Recipe::small());
    let start = training.start(5);
    let mut counting = Counting { cpu: CpuDevice::new(), reads: Vec::new() };
    let device: &mut dyn Device = &mut counting;
    let program = training.load(device, &start);
    device.run(program, 3).unwrap();
    let sources = device.plan(program).sources.clone();
    // Not in the order in which they lie, and some of them twice.
    let mut names: Vec<&str> = sources.keys().rev().map(String::as_str).collect();
    names.extend(sources.keys().take(3).map(String::as_str));
    let arenas: std::collections::BTreeSet<usize> = sources.values().map(|(_, place)| place.arena).collect();
    let expected: Vec<Vec<u8>> = names.iter().map(|name| device.read(program, name).unwrap()).collect();
    let one_by_one = counting.reads.len();
    let device: &mut dyn Device = &mut counting;
    assert!(device.read_many(program, &names).unwrap() == expected, "other bytes than read one by one");
    assert_eq!(counting.reads.len(), one_by_one + 1, "more than one reading");
    let read: Vec<usize> = counting.reads[one_by_one].iter().map(|(arena, ..)| *arena).collect();
    assert_eq!(read, arenas.into_iter().collect::<Vec<_>>(), "not every arena once");
    for mut device in common::devices() {
        let device: &mut dyn Device = device.as_mut();
        let program = training.load(device, &start);
        device.run(program, 3).unwrap();
        let expected: Vec<Vec<u8>> = names.iter().map(|name| device.read(program, name).unwrap()).collect();
        assert!(device.read_many(program, &names).unwrap() == expected, "{}", device.name());
    }
}
