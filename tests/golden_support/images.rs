//! Images between the two orders: the vectors have them channel by channel, [N, C, H, W], the project pixel by pixel,
//! [N·H·W, C].

use gpu_ae::nn::order::FileOrder;
use gpu_ae::tensor::{Data, HostTensor, Shape};

/// Elements of a tensor whose axes are taken in another order.
fn turned(values: &[f64], dims: &[usize], axes: &[usize]) -> Vec<f64> {
    let stride = |axis: usize| dims[axis + 1..].iter().product::<usize>();
    let mut places = vec![0];
    for &axis in axes {
        places = places.iter().flat_map(|at| (0..dims[axis]).map(move |i| at + i * stride(axis))).collect();
    }
    places.into_iter().map(|at| values[at]).collect()
}

/// Images [N, C, H, W] as the matrix of their pixels.
pub fn pixels(images: &HostTensor<f64>) -> HostTensor<f64> {
    let &[n, c, h, w] = images.shape.dims() else { panic!("{} are no images", images.shape) };
    let values = turned(images.real(), &[n, c, h, w], &[0, 2, 3, 1]);
    HostTensor { shape: Shape::new(&[n * h * w, c]), data: Data::Real(values) }
}

/// The way back, for images of these extents.
pub fn channels(pixels: &[f64], images: &[usize]) -> Vec<f64> {
    let &[n, c, h, w] = images else { panic!("{images:?} are no images") };
    turned(pixels, &[n, h, w, c], &[0, 3, 1, 2])
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
