//! The comparator is itself proved: what it must reject, it rejects, and rounding passes.

use std::any::Any;
use std::sync::Arc;

use crate::common;
use gpu_ae::device::proof::check::{CaseReport, compare, run_case};
use gpu_ae::device::{CpuDevice, Device, Later, ProgramId, Reading, Trace, wait};
use gpu_ae::graph::{Op, OpRef};
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::{Case, KERNELS, Terms, Tolerance};
use gpu_ae::plan::{DeviceProfile, Member, Plan};
use gpu_ae::tensor::{Data, HostTensor, Ty};

const ROUNDING: Tolerance = Tolerance::new(1e-6, 1e-5, Terms::Each, "a few roundings");

/// Compares values near 1 with themselves after `change`.
fn judge(change: impl Fn(usize, f32) -> f32) -> CaseReport {
    let expected: Vec<f64> = (0..100).map(|i| 0.5 + f64::from(i) / 100.0).collect();
    let got: Vec<f32> = expected.iter().enumerate().map(|(i, &x)| change(i, x as f32)).collect();
    compare(&got, &expected, &expected, &ROUNDING)
}

fn fails(report: &CaseReport) -> bool {
    assert_eq!(report.problem.is_some(), report.worst > 1.0, "{report:?} contradicts itself");
    report.problem.is_some()
}

#[test]
fn rounding_passes() {
    assert!(!fails(&judge(|_, x| x)));
    assert!(!fails(&judge(|i, x| if i % 2 == 0 { x.next_up() } else { x.next_down() })));
    assert!(!fails(&judge(|_, x| x * (1.0 + 2e-6))));
}

#[test]
fn whatever_is_wrong_fails() {
    assert!(fails(&judge(|_, x| x * 1.01)), "1 % of scale");
    assert!(fails(&judge(|_, x| x * 1.0001)), "0.01 % of scale");
    assert!(fails(&judge(|_, x| -x)), "the sign");
    assert!(fails(&judge(|_, _| 0.0)), "zeros");
    for at in [0, 57, 99] {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.7, f32::from_bits(0x7FC0_DEAD)] {
            assert!(fails(&judge(|i, x| if i == at { bad } else { x })), "{bad} at {at}");
        }
    }
}

#[test]
fn lengths_must_agree() {
    let reference = [1.0, 2.0];
    assert!(fails(&compare(&[1.0], &reference, &reference, &ROUNDING)), "short output");
    assert!(fails(&compare(&[], &reference, &reference, &ROUNDING)), "no output");
    assert!(fails(&compare(&[1.0, 2.0, 3.0], &reference, &reference, &ROUNDING)), "long output");
    assert!(fails(&compare(&[1.0, 2.0], &reference, &[1.0], &ROUNDING)), "short terms");
}

#[test]
fn expected_infinities_and_nans_are_met_only_by_themselves() {
    let one = |got: f32, expected: f64| fails(&compare(&[got], &[expected], &[expected.abs()], &ROUNDING));
    assert!(!one(f32::INFINITY, f64::INFINITY));
    assert!(!one(f32::NAN, f64::NAN));
    assert!(one(f32::NEG_INFINITY, f64::INFINITY));
    assert!(one(1e38, f64::INFINITY));
    assert!(one(f32::NAN, 1.0));
    assert!(one(1.0, f64::NAN));
    assert!(fails(&compare(&[7.0], &[1.0], &[f64::INFINITY], &ROUNDING)), "an infinite allowance allows nothing");
}

/// With no tolerance at all, one unit in the last place is too much.
#[test]
fn exact_means_exact() {
    let exact = Tolerance::new(0.0, 0.0, Terms::Each, "a copy");
    assert!(!fails(&compare(&[1.0], &[1.0], &[1.0], &exact)));
    assert!(fails(&compare(&[1.0f32.next_up()], &[1.0], &[1.0], &exact)));
}

/// How a twin is falsified.
type Fault = fn(&mut [f64]);

/// An operation whose f64 twin is falsified: to the comparator, every device is then wrong. Kernels are
/// found by the type behind `as_any`, which is still that of the true operation.
#[derive(Debug)]
struct Falsified {
    inner: OpRef,
    fault: Fault,
}

impl Op for Falsified {
    fn name(&self) -> &'static str {
        self.inner.name()
    }
    fn infer(&self, inputs: &[&Ty]) -> gpu_ae::Result<Vec<Ty>> {
        self.inner.infer(inputs)
    }
    fn aliases(&self) -> Vec<(usize, usize)> {
        self.inner.aliases()
    }
    fn packed_inputs(&self, inputs: usize) -> Vec<(&'static str, std::ops::Range<usize>)> {
        self.inner.packed_inputs(inputs)
    }
    fn spanned_inputs(&self, inputs: usize) -> Vec<std::ops::Range<usize>> {
        self.inner.spanned_inputs(inputs)
    }
    fn packed_outputs(&self, outputs: usize) -> Vec<std::ops::Range<usize>> {
        self.inner.packed_outputs(outputs)
    }
    fn eval_f32(&self, x: &[&HostTensor<f32>], y: &mut [HostTensor<f32>]) {
        self.inner.eval_f32(x, y);
    }
    fn eval_f64(&self, x: &[&HostTensor<f64>], y: &mut [HostTensor<f64>]) {
        self.inner.eval_f64(x, y);
        for output in y {
            match &mut output.data {
                Data::Real(x) => (self.fault)(x),
                Data::Words(x) => x[0] ^= 1,
                Data::Bytes(_) => {}
            }
        }
    }
    fn as_any(&self) -> &dyn Any {
        self.inner.as_any()
    }
}

/// One small case of every kernel.
fn cases() -> Vec<Case> {
    KERNELS.iter().map(|kernel| kernel.cases().swap_remove(1.min(kernel.cases().len() - 1))).collect()
}

#[test]
fn a_twin_that_differs_is_noticed_for_every_kernel_on_every_device() {
    let faults: [(&str, Fault); 3] = [
        ("1 % of scale", |x| x.iter_mut().for_each(|x| *x = *x * 1.01 + 0.01)),
        ("one element", |x| *x.last_mut().unwrap() += 0.5),
        ("not a number", |x| x[0] = f64::NAN),
    ];
    for mut device in common::devices() {
        for case in cases() {
            for (label, fault) in faults {
                let op = Arc::new(Falsified { inner: case.op.clone(), fault });
                let report = wait(run_case(device.as_mut(), &Case { op, ..case.clone() })).unwrap();
                assert!(fails(&report), "{} {}: {label} passed on {}", case.op.name(), case.label, device.name());
            }
        }
    }
}

/// What a faulty device does instead of running a plan.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Mischief {
    /// Runs it after all: the control.
    None,
    /// Nothing is written.
    Idle,
    /// The last element of the first output is left out.
    Short,
    /// A word behind the end of the first output's arena is written.
    Overrun,
}

/// The CPU device with a fault.
struct Faulty(CpuDevice, Mischief);

impl Device for Faulty {
    fn name(&self) -> &str {
        "faulty"
    }
    fn profile(&self) -> &DeviceProfile {
        self.0.profile()
    }
    fn load(&mut self, plan: Plan) -> gpu_ae::Result<ProgramId> {
        self.0.load(plan)
    }
    fn clear(&mut self) {
        self.0.clear();
    }
    fn plan(&self, program: ProgramId) -> &Plan {
        self.0.plan(program)
    }
    fn run(&mut self, program: ProgramId, times: u32) -> gpu_ae::Result<()> {
        if self.1 == Mischief::Idle {
            return Ok(());
        }
        let place = self.0.plan(program).results["output 0"].clone();
        let end = self.0.plan(program).arenas[place.arena].bytes;
        let last = place.offset + place.ty.bytes() - 4;
        let cpu: &mut dyn Device = &mut self.0;
        let before = cpu.read_bytes(program, place.arena, last, 4)?;
        self.0.run(program, times)?;
        match self.1 {
            Mischief::Short => self.0.write_bytes(program, place.arena, last, &before),
            Mischief::Overrun => self.0.write_bytes(program, place.arena, end, &[0; 4]),
            _ => Ok(()),
        }
    }
    fn run_stretch(&mut self, program: ProgramId, stretch: usize) -> gpu_ae::Result<()> {
        self.0.run_stretch(program, stretch)
    }
    fn join(&mut self, member: Member) {
        self.0.join(member);
    }
    fn traced(&mut self, program: ProgramId, times: u32) -> Later<'_, Trace> {
        self.0.traced(program, times)
    }
    fn write_bytes(&mut self, program: ProgramId, arena: usize, offset: usize, bytes: &[u8]) -> gpu_ae::Result<()> {
        self.0.write_bytes(program, arena, offset, bytes)
    }
    fn begin_read(&mut self, program: ProgramId, ranges: &[(usize, usize, usize)]) -> gpu_ae::Result<Reading> {
        self.0.begin_read(program, ranges)
    }
}

#[test]
fn a_device_that_writes_too_little_or_too_much_is_noticed() {
    let elements: Vec<f32> = (0..65).map(|i| i as f32 - 31.5).collect();
    let relu = Case::new("relu 65", Activation::Relu, vec![HostTensor::from_f32(&[65], &elements)], ROUNDING);
    for mischief in [Mischief::None, Mischief::Idle, Mischief::Short, Mischief::Overrun] {
        let report = wait(run_case(&mut Faulty(CpuDevice::new(), mischief), &relu)).unwrap();
        assert_eq!(fails(&report), mischief != Mischief::None, "{mischief:?}: {report:?}");
    }
    for case in cases() {
        for mischief in [Mischief::Idle, Mischief::Overrun] {
            let report = wait(run_case(&mut Faulty(CpuDevice::new(), mischief), &case)).unwrap();
            assert!(fails(&report), "{mischief:?} on {} {}", case.op.name(), case.label);
        }
    }
}
