//! Golden images are [N, C, H, W], those of the project rows of pixels, channels innermost.

use gpu_ae::nn::order::FileOrder;
use gpu_ae::tensor::{Data, HostTensor, Shape};

use super::Answers;
use super::machine::Machine;
use super::vectors::Case;

/// An input of images as rows of pixels [N·H·W, C]; any other as it is.
pub fn rows(input: &HostTensor<f64>) -> HostTensor<f64> {
    let [images, channels, height, width] = input.shape.dims()[..] else { return input.clone() };
    let pixels = height * width;
    let x = input.real();
    let at = |i: usize| x[(i / channels / pixels * channels + i % channels) * pixels + i / channels % pixels];
    let values = (0..x.len()).map(at).collect();
    HostTensor { shape: Shape::new(&[images * pixels, channels]), data: Data::Real(values) }
}

/// Rows of pixels as images of this shape; values of any other shape as they are.
pub fn images(rows: Vec<f64>, shape: &[usize]) -> Vec<f64> {
    let [images, channels, height, width] = *shape else { return rows };
    let pixels = height * width;
    assert_eq!(rows.len(), images * channels * pixels, "values of {shape:?}");
    let at = |i: usize| rows[(i / pixels / channels * pixels + i % pixels) * channels + i / pixels % channels];
    (0..rows.len()).map(at).collect()
}

/// Reads every result that the case knows, images as it has them.
pub fn read(case: &Case, machine: &mut dyn Machine, names: &[String]) -> Answers {
    let expected = case.expected();
    let known = names.iter().filter_map(|name| Some((name, &expected.get(name)?.shape)));
    known.map(|(name, shape)| (name.clone(), images(machine.read(name), shape))).collect()
}

/// Height and width of the images of an input, and how many there are of them.
pub fn extents(input: &HostTensor<f64>) -> (usize, [usize; 2]) {
    match input.shape.dims()[..] {
        [images, _, height, width] => (images, [height, width]),
        ref dims => panic!("{dims:?} are no images"),
    }
}

/// A parameter as a device has it, of one as a file has it.
pub fn on_device(order: Option<&FileOrder>, dims: &[usize], file: &HostTensor<f64>) -> HostTensor<f64> {
    let mut values = file.real().to_vec();
    if let Some(order) = order {
        for (at, value) in order.places().into_iter().zip(file.real()) {
            values[at] = *value;
        }
    }
    HostTensor { shape: Shape::new(dims), data: Data::Real(values) }
}

/// The way back.
pub fn in_file(order: Option<&FileOrder>, device: Vec<f64>) -> Vec<f64> {
    match order {
        Some(order) => order.places().into_iter().map(|at| device[at]).collect(),
        None => device,
    }
}
