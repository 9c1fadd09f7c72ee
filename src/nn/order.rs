//! How parameters lie in files: as PyTorch has them, which is not always how they lie on a device.
//!
//! On a device channels are innermost: a kernel is \[out, height, width, in\], a flattened image \[height, width, channels\]. In a
//! file a kernel is \[out, in, height, width\], and what reads or writes a flattened image counts it channel by channel.

use crate::tensor::{Shape, Ty};

/// The order of a parameter in files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOrder {
    /// Extents on the device, finer than those of the parameter.
    extents: Vec<usize>,
    /// Which of them come first, second, … in a file.
    axes: Vec<usize>,
    /// Shape in the file.
    shape: Shape,
}

impl FileOrder {
    /// Kernels \[out, height, width, in\] on the device, \[out, in, height, width\] in files.
    pub fn of_kernel(outputs: usize, [height, width]: [usize; 2], inputs: usize) -> Self {
        let shape = Shape::new(&[outputs, inputs, height, width]);
        FileOrder { extents: vec![outputs, height, width, inputs], axes: vec![0, 3, 1, 2], shape }
    }

    /// Weights \[out, in\] of a linear layer that reads flattened images of the size `reads`, or writes what becomes images of
    /// the size `writes`; none where both orders are the same.
    pub fn of_linear(
        [outputs, inputs]: [usize; 2],
        reads: Option<[usize; 3]>,
        writes: Option<[usize; 3]>,
    ) -> Option<Self> {
        let (mut extents, mut axes) = (Vec::new(), Vec::new());
        for (extent, image) in [(outputs, writes), (inputs, reads)] {
            let first = extents.len();
            match image {
                Some(image) => {
                    extents.extend(image);
                    axes.extend([2, 0, 1].map(|axis| first + axis));
                }
                None => {
                    extents.push(extent);
                    axes.push(first);
                }
            }
        }
        let order = FileOrder { extents, axes, shape: Shape::new(&[outputs, inputs]) };
        order.is_other().then_some(order)
    }

    /// Its biases, \[out\].
    pub fn of_bias(outputs: usize, writes: Option<[usize; 3]>) -> Option<Self> {
        let order = FileOrder { extents: writes?.to_vec(), axes: vec![2, 0, 1], shape: Shape::new(&[outputs]) };
        order.is_other().then_some(order)
    }

    /// Whether anything lies elsewhere in a file.
    fn is_other(&self) -> bool {
        let long = self.axes.iter().filter(|&&axis| self.extents[axis] > 1);
        !long.is_sorted()
    }

    /// Type in a file, of the same elements.
    pub fn in_file(&self, ty: &Ty) -> Ty {
        Ty { shape: self.shape.clone(), dtype: ty.dtype }
    }

    /// The bytes of elements of four bytes each, in the order of a file.
    pub fn to_file(&self, bytes: &[u8]) -> Vec<u8> {
        self.places().into_iter().flat_map(|at| bytes[4 * at..4 * at + 4].iter().copied()).collect()
    }

    /// The same back, in the order of a device.
    pub fn from_file(&self, bytes: &[u8]) -> Vec<u8> {
        let mut out = vec![0; bytes.len()];
        for (at, element) in self.places().into_iter().zip(bytes.chunks_exact(4)) {
            out[4 * at..4 * at + 4].copy_from_slice(element);
        }
        out
    }

    /// Where on a device each element of a file lies.
    pub fn places(&self) -> Vec<usize> {
        let stride = |axis: usize| self.extents[axis + 1..].iter().product::<usize>();
        let axes: Vec<[usize; 2]> = self.axes.iter().map(|&axis| [self.extents[axis], stride(axis)]).collect();
        let (mut index, mut places) = (vec![0; axes.len()], Vec::new());
        for _ in 0..self.extents.iter().product() {
            places.push(index.iter().zip(&axes).map(|(index, [_, stride])| index * stride).sum());
            for (index, [extent, _]) in index.iter_mut().zip(&axes).rev() {
                *index += 1;
                if *index < *extent {
                    break;
                }
                *index = 0;
            }
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(count: usize) -> Vec<u8> {
        (0..count as u32).flat_map(u32::to_le_bytes).collect()
    }

    fn numbers(bytes: &[u8]) -> Vec<u32> {
        bytemuck::pod_collect_to_vec(bytes)
    }

    #[test]
    fn kernels_are_turned_and_come_back() {
        let order = FileOrder::of_kernel(2, [1, 2], 3);
        let file = order.to_file(&words(12));
        assert_eq!(numbers(&file), [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]);
        assert_eq!(order.from_file(&file), words(12));
        assert_eq!(order.in_file(&Ty::f32(&[2, 6])), Ty::f32(&[2, 3, 1, 2]));
    }

    #[test]
    fn what_reads_a_flattened_image_counts_channel_by_channel() {
        let order = FileOrder::of_linear([2, 4], Some([1, 2, 2]), None);
        let file = order.as_ref().map(|order| numbers(&order.to_file(&words(8))));
        assert_eq!(file, Some(vec![0, 2, 1, 3, 4, 6, 5, 7]));
        let order = FileOrder::of_linear([4, 1], None, Some([1, 2, 2]));
        assert_eq!(order.map(|order| numbers(&order.to_file(&words(4)))), Some(vec![0, 2, 1, 3]));
        assert_eq!(FileOrder::of_linear([2, 4], None, None), None);
        assert_eq!(FileOrder::of_linear([2, 4], Some([2, 2, 1]), None), None, "one channel lies the same either way");
        assert_eq!(FileOrder::of_bias(4, Some([1, 1, 4])), None);
        assert!(FileOrder::of_bias(4, Some([2, 1, 2])).is_some());
    }
}
