//! A window that goes over an image: what convolutions and pools have in common.

use std::fmt;

use crate::error::{Error, Result};

/// What a result sees of an image: `kernel` pixels, `dilation` apart, beginning `padding` before the image, and moved on by
/// `stride` from one result to the next. Vertical first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Pixels that are seen.
    pub kernel: [usize; 2],
    /// Pixels from one result to the next.
    pub stride: [usize; 2],
    /// Pixels before the image, and behind it, that are seen as well.
    pub padding: [usize; 2],
    /// Pixels from one that is seen to the next.
    pub dilation: [usize; 2],
}

impl Window {
    /// A square that sees each pixel of itself, moved on by one, without padding.
    pub fn square(kernel: usize) -> Self {
        Window { kernel: [kernel; 2], stride: [1; 2], padding: [0; 2], dilation: [1; 2] }
    }

    /// The same, moved on by so many pixels.
    pub fn strided(self, stride: usize) -> Self {
        Window { stride: [stride; 2], ..self }
    }

    /// The same with so much padding on all sides.
    pub fn padded(self, padding: usize) -> Self {
        Window { padding: [padding; 2], ..self }
    }

    /// The same with pixels so far apart.
    pub fn dilated(self, dilation: usize) -> Self {
        Window { dilation: [dilation; 2], ..self }
    }

    /// Pixels that a result sees.
    pub fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Height and width of the results for an image of this size: ⌊(size + 2·padding − reach)/stride⌋ + 1, where reach is
    /// dilation·(kernel − 1) + 1. What is left over at the end is not seen.
    ///
    /// # Errors
    /// When an extent is 0 or beyond all images, or the window is larger than the image with its padding.
    pub fn output(&self, size: [usize; 2]) -> Result<[usize; 2]> {
        const MOST: usize = 1 << 24;
        let mut output = [0; 2];
        for (axis, output) in output.iter_mut().enumerate() {
            let (kernel, stride) = (self.kernel[axis], self.stride[axis]);
            let (padding, dilation, size) = (self.padding[axis], self.dilation[axis], size[axis]);
            if [kernel, stride, dilation, size].contains(&0) {
                return Err(Error::Usage(format!("{self}: expected kernel, stride, dilation and image of at least 1")));
            }
            if [kernel, stride, dilation, size, padding].iter().any(|&extent| extent > MOST) {
                return Err(Error::Usage(format!("{self}: expected at most {MOST} of everything")));
            }
            let (reach, padded) = (dilation * (kernel - 1) + 1, size + 2 * padding);
            if reach > padded {
                let problem = format!("sees {reach} pixels, of an image that has {padded} with its padding");
                return Err(Error::Usage(format!("{self}: {problem}; expected a smaller kernel or more padding")));
            }
            *output = (padded - reach) / stride + 1;
        }
        Ok(output)
    }

    /// The pixel of an image of this size that the result at `result` sees through tap number `tap`, counted row by row;
    /// none where that is padding.
    pub fn pixel(&self, size: [usize; 2], result: [usize; 2], tap: usize) -> Option<[usize; 2]> {
        let tap = [tap / self.kernel[1], tap % self.kernel[1]];
        let mut pixel = [0; 2];
        for (axis, pixel) in pixel.iter_mut().enumerate() {
            let at = result[axis] * self.stride[axis] + tap[axis] * self.dilation[axis];
            *pixel = at.checked_sub(self.padding[axis]).filter(|&at| at < size[axis])?;
        }
        Some(pixel)
    }
}

/// `3x3 stride=2 padding=1`, without what is as usual.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.kernel[0], self.kernel[1])?;
        for (name, [vertical, horizontal], usual) in
            [("stride", self.stride, 1), ("padding", self.padding, 0), ("dilation", self.dilation, 1)]
        {
            match vertical == horizontal {
                true if vertical == usual => {}
                true => write!(f, " {name}={vertical}")?,
                false => write!(f, " {name}={vertical}x{horizontal}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_pytorch() {
        let out = |window: Window, size: usize| window.output([size; 2]).unwrap()[0];
        assert_eq!(out(Window::square(3).padded(1), 32), 32);
        assert_eq!(out(Window::square(3).padded(1).strided(2), 28), 14);
        assert_eq!(out(Window::square(3).padded(1).strided(2), 7), 4);
        assert_eq!(out(Window::square(4).padded(1).strided(2), 32), 16);
        assert_eq!(out(Window::square(2).strided(2), 7), 3, "what is left over is not seen");
        assert_eq!(out(Window::square(3).dilated(2), 5), 1);
        assert_eq!(out(Window::square(5).padded(2), 1), 1, "a kernel larger than the image");
        assert_eq!(out(Window::square(1), 1), 1);
    }

    #[test]
    fn what_has_no_place_is_refused_in_words() {
        for (window, size, said) in [
            (Window::square(3), 2, "sees 3 pixels"),
            (Window::square(3).dilated(3), 6, "sees 7 pixels"),
            (Window::square(0), 2, "at least 1"),
            (Window::square(1).strided(0), 2, "at least 1"),
            (Window::square(1 << 30).padded(1 << 30), 2, "at most"),
        ] {
            let message = window.output([size; 2]).unwrap_err().to_string();
            assert!(message.contains(said), "{message}");
        }
    }

    #[test]
    fn padding_is_no_pixel() {
        let window = Window::square(3).padded(1).strided(2);
        assert_eq!(window.pixel([4, 4], [0, 0], 0), None);
        assert_eq!(window.pixel([4, 4], [0, 0], 4), Some([0, 0]));
        assert_eq!(window.pixel([4, 4], [1, 1], 8), Some([3, 3]));
        assert_eq!(window.to_string(), "3x3 stride=2 padding=1");
        assert_eq!(Window { stride: [1, 2], ..Window::square(2) }.to_string(), "2x2 stride=1x2");
    }
}
