//! Convolutions, forward and back to inputs and weights: GFLOP/s, on the CPU device as a share of what it can multiply and
//! add, on the adapter beside the naive kernel, in rounds that take turns so that a drifting machine harms all alike. Shares
//! and ratios are medians of each round's own. Products with zeros are not counted.
//!
//!     cargo bench --bench conv [-- PART OF A LABEL]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

#[path = "support/naive.rs"]
mod naive;
mod support;

use std::time::Duration;

use gpu_ae::device::Device;
use gpu_ae::device::ceilings::measure;
use gpu_ae::device::proof::check::{load, time_case};
use gpu_ae::ops::conv::conv2d::Conv2d;
use gpu_ae::ops::conv::conv2d_dw::Conv2dDw;
use gpu_ae::ops::conv::conv2d_dx::Conv2dDx;
use gpu_ae::ops::conv::{Convolution, Window};
use gpu_ae::ops::{Case, Tolerance};
use gpu_ae::plan::DeviceKind;
use gpu_ae::tensor::HostTensor;
use naive::{Naive, median};

/// Rounds.
const ROUNDS: usize = 5;
/// Time for one measurement.
const BUDGET: Duration = Duration::from_millis(250);
/// Time for the ceilings of a round.
const CEILINGS: Duration = Duration::from_millis(500);

/// A convolution of square images: the one of which most is asked first, then layers of strided networks, one of few channels,
/// and one of each channel by itself.
struct Measured {
    images: usize,
    channels: [usize; 2],
    of: Convolution,
}

/// What a software adapter computes of the images: the naive kernel takes seconds for all of them.
const OF_SOFTWARE: usize = 8;

fn measured(kind: DeviceKind) -> Vec<Measured> {
    let share = if kind == DeviceKind::Software { OF_SOFTWARE } else { 1 };
    let of = |images: usize, channels, size: usize, window: Window, groups| Measured {
        images: images / share,
        channels,
        of: Convolution { size: [size; 2], window, groups },
    };
    let half = Window::square(4).padded(1).strided(2);
    vec![
        of(16, [64, 64], 32, Window::square(3).padded(1), 1),
        of(32, [64, 128], 16, half, 1),
        of(32, [16, 32], 32, half, 1),
        of(32, [3, 16], 64, half, 1),
        of(16, [64, 64], 32, Window::square(3).padded(1), 64),
    ]
}

/// An operation on a convolution, and its naive kernel's entry point.
struct Direction {
    label: String,
    entry: &'static str,
    case: Case,
    results: usize,
}

impl Measured {
    fn directions(&self) -> Vec<Direction> {
        let Measured { images, channels: [inputs, outputs], of } = *self;
        let [rows, columns] = of.output().unwrap();
        let x = tensor(&[images * of.size[0] * of.size[1], inputs]);
        let dy = tensor(&[images * rows * columns, outputs]);
        let w = tensor(&[outputs, of.window.taps() * inputs / of.groups]);
        let side = of.size[0];
        let groups = if of.groups > 1 { format!(" groups={}", of.groups) } else { String::new() };
        let shape = format!("{} of {images}x{side}x{side}, {inputs} to {outputs} channels{groups}", of.window);
        let direction =
            |what: &str, entry, case: fn(&str, Convolution, [HostTensor<f32>; 2]) -> Case, inputs, results| {
                let label = format!("{what}: {shape}");
                Direction { case: case(&label, of, inputs), label, entry, results }
            };
        let results = [&x, &w, &dy].map(|tensor| tensor.shape.elements());
        vec![
            direction(
                "forward",
                "forward",
                |label, of, inputs| Case::new(label, Conv2d(of), inputs.to_vec(), Tolerance::EXACT),
                [x.clone(), w.clone()],
                results[2],
            ),
            direction(
                "input gradient",
                "input_gradient",
                |label, of, inputs| Case::new(label, Conv2dDx(of), inputs.to_vec(), Tolerance::EXACT),
                [dy.clone(), w],
                results[0],
            ),
            direction(
                "weight gradient",
                "weight_gradient",
                |label, of, inputs| Case::new(label, Conv2dDw(of), inputs.to_vec(), Tolerance::EXACT),
                [dy, x],
                results[1],
            ),
        ]
    }

    /// Products and sums of a batch, those with padding included.
    fn flops(&self) -> f64 {
        let [rows, columns] = self.of.output().unwrap();
        let [inputs, outputs] = self.channels;
        let taps = self.of.window.taps();
        2.0 * (self.images * rows * columns) as f64 * (taps * inputs * outputs / self.of.groups) as f64
    }

    /// The naive kernel of one direction.
    fn naive(&self, device: &str, direction: &Direction) -> Option<Naive> {
        let Measured { images, channels: [inputs, outputs], of } = *self;
        let [rows, columns] = of.output().unwrap();
        let constants = [
            ("IMAGES", images),
            ("INPUTS", inputs),
            ("OUTPUTS", outputs),
            ("GROUPS", of.groups),
            ("SIZE", of.size[0]),
            ("ROWS", rows),
            ("COLUMNS", columns),
            ("KERNEL", of.window.kernel[0]),
            ("STRIDE", of.window.stride[0]),
            ("PADDING", of.window.padding[0]),
        ];
        let constants: String =
            constants.iter().map(|(name, value)| format!("const {name}: u32 = {value}u;\n")).collect();
        let source = format!("{constants}{}", include_str!("support/naive_conv.wgsl"));
        let groups = [direction.results.div_ceil(64) as u32, 1];
        Naive::new(device, [&source, direction.entry], &direction.case.inputs, direction.results, groups)
    }
}

fn tensor(dims: &[usize]) -> HostTensor<f32> {
    let count: usize = dims.iter().product();
    let elements: Vec<f32> = (0..count).map(|i| (i * 7919 % 1013) as f32 / 1013.0 - 0.5).collect();
    HostTensor::from_f32(dims, &elements)
}

fn time(device: &mut dyn Device, case: &Case) -> f64 {
    let loaded = load(device, case).unwrap();
    time_case(device, &loaded, BUDGET).unwrap().as_secs_f64()
}

fn main() {
    let wanted = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    for (row, mut device) in support::devices() {
        println!("{row}: {}", device.name());
        for measured in measured(device.profile().kind) {
            let wanted: Vec<_> = measured.directions().into_iter().filter(|one| one.label.contains(&wanted)).collect();
            for direction in wanted {
                let naive = (row == "adapter").then(|| measured.naive(device.name(), &direction)).flatten();
                let (mut rates, mut ratios) = (Vec::new(), Vec::new());
                for _ in 0..ROUNDS {
                    let rate = measured.flops() / time(device.as_mut(), &direction.case) * 1e-9;
                    rates.push(rate);
                    ratios.push(match &naive {
                        Some(naive) => rate * naive.time(BUDGET).as_secs_f64() / measured.flops() * 1e9,
                        None => 100.0 * rate / measure(device.as_mut(), CEILINGS).unwrap().gflops,
                    });
                }
                let unit = if naive.is_some() { "times the naive kernel" } else { "% of the ceiling" };
                println!("  {:<72} {:8.2} GFLOP/s {:7.1} {unit}", direction.label, median(rates), median(ratios));
            }
        }
    }
}
