//! A convolution, or its input's gradient, as sums over taps: which pixel each result sees through each of them.
//!
//! A convolution is one pass: result q of an axis sees pixel q·stride + offset of every tap. Its input's gradient is as many
//! passes as the stride has steps: the pixels that lie a whole number of strides apart are seen through the same
//! taps, and result q of such a pass is seen by output q + offset. So nothing is ever multiplied by the zeros between.

use crate::ops::conv::Convolution;

/// One axis of a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Axis {
    /// First result, and from one to the next.
    pub first: usize,
    pub step: usize,
    /// How many there are.
    pub count: usize,
    /// Source pixels from one result to the next.
    pub stride: usize,
    /// Taps and the source pixel that result 0 sees through each, in rising order of these.
    pub taps: Vec<(usize, isize)>,
}

/// The axis of a convolution.
pub(super) fn forward(of: &Convolution, axis: usize) -> Axis {
    let (window, count) = (&of.window, of.output().map_or(0, |output| output[axis]));
    let offset = |tap: usize| (tap * window.dilation[axis]) as isize - window.padding[axis] as isize;
    let taps = (0..window.kernel[axis]).map(|tap| (tap, offset(tap))).collect();
    Axis { first: 0, step: 1, count, stride: window.stride[axis], taps }
}

/// The passes of its input's gradient along an axis.
pub(super) fn backward(of: &Convolution, axis: usize) -> Vec<Axis> {
    let (window, size) = (&of.window, of.size[axis]);
    let (stride, padding, dilation) = (window.stride[axis], window.padding[axis], window.dilation[axis]);
    let pass = |first: usize| {
        let seen = |tap: usize| (first + padding) as isize - (tap * dilation) as isize;
        let meets = |tap: &usize| seen(*tap).rem_euclid(stride as isize) == 0;
        let mut taps: Vec<(usize, isize)> =
            (0..window.kernel[axis]).filter(meets).map(|tap| (tap, seen(tap).div_euclid(stride as isize))).collect();
        taps.sort_by_key(|(_, offset)| *offset);
        Axis { first, step: stride, count: (size - first).div_ceil(stride), stride: 1, taps }
    };
    (0..stride.min(size)).map(pass).collect()
}

/// Channels of one pixel, or of several that lie side by side, which a result sees in one go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Where they begin, in a band, for its first result.
    pub offset: usize,
    /// How many numbers.
    pub terms: usize,
}

/// A pass over both axes.
#[derive(Clone, Debug)]
pub(super) struct Pass {
    pub rows: Axis,
    pub columns: Axis,
    /// Number of the tap that each block of weights belongs to, in the order of the runs.
    pub taps: Vec<usize>,
}

impl Pass {
    /// A pass of these axes in a convolution whose kernel has so many columns.
    pub fn new(rows: Axis, columns: Axis, kernel_width: usize) -> Self {
        let horizontal = |a: usize| columns.taps.iter().map(move |(b, _)| a * kernel_width + b);
        let taps = rows.taps.iter().flat_map(|(a, _)| horizontal(*a)).collect();
        Pass { rows, columns, taps }
    }

    /// What result 0 of a band sees of it, where pixels have `channels` numbers, of which group `group` of `of_group`
    /// counts.
    pub fn runs(&self, band: &Frame, channels: usize, [of_group, group]: [usize; 2]) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for (_, row) in &self.rows.taps {
            for (_, column) in &self.columns.taps {
                let pixel = (row - band.top) as usize * band.width + (column - band.left) as usize;
                let offset = pixel * channels + group * of_group;
                match runs.last_mut().filter(|last| of_group == channels && last.offset + last.terms == offset) {
                    Some(last) => last.terms += of_group,
                    None => runs.push(Run { offset, terms: of_group }),
                }
            }
        }
        runs
    }
}

/// The part of the source that all passes of a band see, padding included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// First row and column that result 0 sees.
    pub top: isize,
    pub left: isize,
    /// Rows that a band of so many rows of results sees, and columns.
    pub height: usize,
    pub width: usize,
}

impl Frame {
    /// The frame of bands of `rows` rows of results, of each pass.
    pub fn of(passes: &[Pass], rows: usize) -> Self {
        let extent = |axis: fn(&Pass) -> &Axis, most: usize| {
            let all = || passes.iter().map(axis).filter(|axis| !axis.taps.is_empty() && axis.count > 0);
            let offsets = all().flat_map(|axis| axis.taps.iter().map(|(_, offset)| *offset));
            let begin = offsets.min().unwrap_or(0);
            let end = |axis: &Axis| {
                let last = (axis.count.min(most) - 1) * axis.stride;
                axis.taps.iter().map(|(_, offset)| offset + last as isize + 1).max()
            };
            (begin, (all().filter_map(end).max().unwrap_or(begin) - begin) as usize)
        };
        let (top, height) = extent(|pass| &pass.rows, rows);
        let (left, width) = extent(|pass| &pass.columns, usize::MAX);
        Frame { top, left, height, width }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::conv::Window;

    fn of(window: Window, size: usize) -> Convolution {
        Convolution::new([size; 2], window)
    }

    #[test]
    fn a_convolution_sees_what_its_window_does() {
        let axis = forward(&of(Window::square(3).padded(1).strided(2), 8), 0);
        assert_eq!((axis.count, axis.stride, axis.taps), (4, 2, vec![(0, -1), (1, 0), (2, 1)]));
    }

    /// Every product of the forward pass is met once by the passes of the gradient.
    #[test]
    fn the_passes_back_meet_every_tap_once() {
        for (window, size) in [
            (Window::square(3).padded(1), 5),
            (Window::square(3).padded(1).strided(2), 7),
            (Window::square(4).padded(1).strided(2), 8),
            (Window::square(2).strided(3), 8),
            (Window::square(3).dilated(2).strided(2).padded(3), 6),
            (Window::square(1).strided(4), 3),
        ] {
            let of = of(window, size);
            let count = of.output().map_or(0, |output| output[0]) as isize;
            let mut met = Vec::new();
            for pass in backward(&of, 0) {
                for q in 0..pass.count {
                    for (tap, offset) in &pass.taps {
                        let result = q as isize + offset;
                        if (0..count).contains(&result) {
                            met.push((pass.first + q * pass.step, result as usize, *tap));
                        }
                    }
                }
            }
            let mut expected = Vec::new();
            for result in 0..count as usize {
                for tap in 0..window.kernel[0] {
                    let at = (result * window.stride[0] + tap * window.dilation[0]).checked_sub(window.padding[0]);
                    if let Some(at) = at.filter(|at| *at < size) {
                        expected.push((at, result, tap));
                    }
                }
            }
            met.sort_unstable();
            expected.sort_unstable();
            assert_eq!(met, expected, "{window}");
        }
    }
}
