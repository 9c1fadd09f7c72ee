//! A window that goes over images of one size: what both kinds of pools are, and their shaders' parameters.

use super::{PixelMap, Share, images};
use crate::error::{Error, Result};
use crate::ops::conv::Window;
use crate::tensor::Ty;

/// Images of one size, and what a result sees of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pool {
    /// Height and width of an image.
    pub size: [usize; 2],
    /// What a result sees of it.
    pub window: Window,
}

impl Pool {
    /// A window that goes over images of a size.
    pub fn new(size: [usize; 2], window: Window) -> Self {
        Pool { size, window }
    }

    /// One result for each image, which sees all of it.
    pub fn global(size: [usize; 2]) -> Self {
        Pool { size, window: Window { kernel: size, ..Window::square(1) } }
    }

    /// Height and width of the output.
    ///
    /// # Errors
    /// When the window has no place in the image, or an extent is 0.
    pub fn output(&self) -> Result<[usize; 2]> {
        self.window.output(self.size)
    }

    /// In words, for plans and sites.
    pub(in crate::ops) fn attributes(&self) -> String {
        let [height, width] = self.size;
        format!("of {height}x{width} {}", self.window)
    }

    /// The pixels that results see along an axis, each with the same weight.
    pub fn seen(&self, axis: usize, weight: f64) -> Vec<Share> {
        let Ok(output) = self.output() else { return Vec::new() };
        let Window { kernel, stride, padding, dilation } = self.window;
        let taps = (0..output[axis]).flat_map(|result| (0..kernel[axis]).map(move |tap| (result, tap)));
        let share = |(result, tap): (usize, usize)| {
            let at = result * stride[axis] + tap * dilation[axis];
            let seen = at.checked_sub(padding[axis]).filter(|&seen| seen < self.size[axis])?;
            Some(Share { result, seen, weight })
        };
        taps.filter_map(share).collect()
    }

    /// Refuses windows of which one could see nothing but padding: there is no largest of nothing.
    ///
    /// # Errors
    /// When there is such a window; the error names the operation.
    pub(in crate::ops) fn check_sees(&self, op: &str) -> Result<()> {
        let output = self.output()?;
        let Window { kernel, stride, padding, dilation } = self.window;
        for axis in 0..2 {
            if padding[axis] > kernel[axis] / 2 {
                let problem = format!("{}: expected padding of at most half of the kernel", self.window);
                return Err(Error::graph(op, problem));
            }
            let sees = |result: usize| {
                let begin = result * stride[axis];
                let tap = padding[axis].saturating_sub(begin).div_ceil(dilation[axis]);
                tap < kernel[axis] && begin + tap * dilation[axis] < self.size[axis] + padding[axis]
            };
            if let Some(result) = (0..output[axis]).find(|&result| !sees(result)) {
                let side = ["row", "column"][axis];
                let problem = format!("{}: {side} {result} of the results sees nothing but padding", self.window);
                return Err(Error::graph(op, problem));
            }
        }
        Ok(())
    }

    /// Type of the results of images.
    pub(in crate::ops) fn result(&self, op: &str, x: &Ty) -> Result<Ty> {
        let (count, channels) = images(op, "x", x, self.size)?;
        let [height, width] = self.output()?;
        Ok(Ty::f32(&[count * height * width, channels]))
    }

    /// The shaders' `pool_params`.
    pub(in crate::ops) fn params(&self, elements: usize, channels: usize) -> Result<Vec<u32>> {
        let Window { kernel, stride, padding, dilation } = self.window;
        let pairs = [self.size, self.output()?, kernel, stride, padding, dilation];
        Ok([elements, channels].into_iter().chain(pairs.into_iter().flatten()).map(|word| word as u32).collect())
    }
}

/// The mean over a window, padding counted as pixels of 0.
impl PixelMap for Pool {
    fn size(&self) -> [usize; 2] {
        self.size
    }

    fn output(&self) -> Result<[usize; 2]> {
        Pool::output(self)
    }

    fn shares(&self, axis: usize) -> Vec<Share> {
        self.seen(axis, 1.0 / self.window.kernel[axis] as f64)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn windows_that_see_nothing_are_refused_by_name() {
        let square = Window::square;
        for (size, window, said) in [
            (4, square(2).padded(2), "at most half"),
            (4, square(3).padded(2), "at most half"),
            // From −1 and 2: both outside of two pixels.
            (2, square(2).padded(1).dilated(3), "row 0 of the results sees nothing"),
        ] {
            let message = Pool::new([size; 2], window).check_sees("max_pool").unwrap_err().to_string();
            assert!(message.starts_with("max_pool: ") && message.contains(said), "{message}");
        }
        let fine =
            [(1, square(3).padded(1)), (5, square(2).strided(2)), (3, square(2).padded(1).dilated(3)), (7, square(1))];
        for (size, window) in fine {
            Pool::new([size; 2], window).check_sees("max_pool").unwrap();
        }
    }

    /// By looking at every pixel of every window.
    #[test]
    fn what_is_refused_is_what_could_see_nothing() {
        for number in 0..4 * 4 * 3 * 4 * 7 {
            let [kernel, dilation, stride, padding] =
                [number % 4 + 1, number / 4 % 4 + 1, number / 16 % 3 + 1, number / 48 % 4];
            let window = Window::square(kernel).dilated(dilation).strided(stride).padded(padding);
            let pool =
                Pool::new([number / 192 + 1, 9], Window { kernel: [kernel, 1], padding: [padding, 0], ..window });
            let Ok([rows, _]) = pool.output() else { continue };
            let empty =
                (0..rows).any(|row| (0..kernel).all(|tap| pool.window.pixel(pool.size, [row, 0], tap).is_none()));
            let refused = pool.check_sees("max_pool").is_err();
            assert_eq!(refused, empty || padding > kernel / 2, "{pool:?}");
        }
    }

    #[test]
    fn shares_are_what_a_window_sees() {
        let shares = Pool::new([3, 4], Window::square(2).padded(1).strided(2)).shares(1);
        let found: Vec<_> = shares.iter().map(|share| (share.result, share.seen, share.weight)).collect();
        assert_eq!(found, [(0, 0, 0.5), (1, 1, 0.5), (1, 2, 0.5), (2, 3, 0.5)]);
    }
}
