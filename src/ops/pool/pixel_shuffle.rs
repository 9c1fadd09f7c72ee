//! Pixels made of channels, and channels made of pixels: channel c·r² + a·r + b of a pixel becomes channel c of the pixel at
//! (a, b) among the r × r that take its place, as PyTorch's `PixelShuffle` has them; and the way back.

use super::{MOST, images, tried::MOVED};
use crate::error::{Error, Result};
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, matrix};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Channels become pixels.
    Spread,
    /// Pixels become channels.
    Gather,
}

/// Spread: y \[N·rH·rW, C\] for an input x \[N·H·W, C·r²\]. Gather: the other way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PixelShuffle {
    /// Height and width of the image with fewer pixels and more channels.
    pub size: [usize; 2],
    /// How many times as high and as wide the other one is.
    pub factor: usize,
    /// Which way.
    pub direction: Direction,
}

impl PixelShuffle {
    /// The way back.
    pub fn inverse(self) -> Self {
        let direction = match self.direction {
            Direction::Spread => Direction::Gather,
            Direction::Gather => Direction::Spread,
        };
        PixelShuffle { direction, ..self }
    }

    /// Where in the image of fewer pixels an element of the one of more pixels lies, whose channels there are so many of.
    pub fn place(&self, element: usize, channels: usize) -> usize {
        let PixelShuffle { size: [height, width], factor, .. } = *self;
        let (c, pixel) = (element % channels, element / channels);
        let (row, column) = (pixel / (width * factor), pixel % (width * factor));
        // Rows of all images in one, since all are as high as a whole number of small rows.
        let (image, row) = (row / (height * factor), row % (height * factor));
        let small = (image * height + row / factor) * width + column / factor;
        ((small * channels + c) * factor + row % factor) * factor + column % factor
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let (x, large) = (x[0], if self.direction == Direction::Spread { &y[0].shape } else { &x[0].shape });
        let channels = large.matrix().map_or(1, |(_, channels)| channels);
        let (x, y) = (x.real(), y[0].real_mut());
        for element in 0..x.len() {
            let place = self.place(element, channels);
            match self.direction {
                Direction::Spread => y[element] = x[place],
                Direction::Gather => y[place] = x[element],
            }
        }
    }
}

impl Op for PixelShuffle {
    fn name(&self) -> &'static str {
        "pixel_shuffle"
    }

    fn attributes(&self) -> String {
        let [height, width] = self.size;
        let way = match self.direction {
            Direction::Spread => "spread",
            Direction::Gather => "gather",
        };
        format!("{way} {height}x{width} by {}", self.factor)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let PixelShuffle { size, factor, direction } = *self;
        let [x] = arity(self.name(), inputs)?;
        if factor == 0 || size.iter().any(|&size| size == 0 || size > MOST || factor > MOST / size) {
            let [height, width] = size;
            let expected = format!("expected a factor of at least 1, and at most {MOST} pixels along each axis");
            return Err(Error::graph(self.name(), format!("{height}x{width} by {factor}: {expected}")));
        }
        let (large, squared) = (size.map(|size| size * factor), factor * factor);
        if direction == Direction::Gather {
            let (count, channels) = images(self.name(), "x", x, large)?;
            return Ok(vec![Ty::f32(&[count * size[0] * size[1], channels * squared])]);
        }
        let (count, channels) = images(self.name(), "x", x, size)?;
        if !channels.is_multiple_of(squared) {
            let problem = format!("{channels} channels cannot be spread over {factor}x{factor} pixels");
            return Err(Error::graph(self.name(), problem));
        }
        Ok(vec![Ty::f32(&[count * large[0] * large[1], channels / squared])])
    }

    fn vjp(&self, g: &mut Graph, _x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None]) };
        Ok(vec![Some(g.apply(self.inverse(), &[dy])?)])
    }

    crate::twin!();
}

/// `shaders/pool/pixel_shuffle.wgsl`, an invocation for each element.
pub struct PixelShuffleKernel;

impl Kernel for PixelShuffleKernel {
    fn stem(&self) -> &'static str {
        "pixel_shuffle"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<PixelShuffle>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let PixelShuffle { size, factor, direction } = *r.op()?;
        let large = if direction == Direction::Spread { r.outputs[0] } else { r.inputs[0] };
        let (rows, channels) = matrix(self.stem(), "x", large)?;
        let words = [rows * channels, channels, size[0], size[1], factor, usize::from(direction == Direction::Gather)];
        let (params, bindings) = (words.map(|word| word as u32).to_vec(), vec![Bind::Input(0), Bind::Output(0)]);
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(rows * channels)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 0.0))
    }

    fn cases(&self) -> Vec<Case> {
        let mut s = Samples::new(self.stem());
        let mut cases = Vec::new();
        for (images, channels, size, factor) in [
            (1, 1, [1, 1], 1),
            (2, 3, [1, 1], 3),
            (1, 1, [5, 7], 2),
            (3, 2, [3, 4], 3),
            (1, 257, [2, 1], 2),
            // More than 65,535 workgroups.
            (4, 4, [256, 257], 2),
            (8, 16, [32, 32], 2),
        ] {
            for direction in [Direction::Spread, Direction::Gather] {
                let of = PixelShuffle { size, factor, direction };
                let (pixels, squared) = (images * size[0] * size[1], factor * factor);
                let dims = match direction {
                    Direction::Spread => [pixels, channels * squared],
                    Direction::Gather => [pixels * squared, channels],
                };
                let label = format!("{images} images, {channels} channels, {}", of.attributes());
                cases.push(Case::new(label, of, vec![s.cheap(&dims)], MOVED));
            }
        }
        cases.iter_mut().next_back().into_iter().for_each(|case| case.bench = true);
        cases
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// What `torch.nn.functional.pixel_shuffle` gives: channels of a pixel to pixels, row by row.
    #[test]
    fn channels_become_pixels_row_by_row() {
        let of = PixelShuffle { size: [1, 2], factor: 2, direction: Direction::Spread };
        let x: Vec<f32> = (0..16).map(|i| i as f32).collect();
        let mut y = [HostTensor::zeros(&Ty::f32(&[8, 2]))];
        of.eval(&[&HostTensor::from_f32(&[2, 8], &x)], &mut y);
        // Of each pixel the channels 0 to 3 are those of the first channel.
        let first: Vec<f32> = y[0].real().iter().step_by(2).copied().collect();
        assert_eq!(first, [0.0, 1.0, 8.0, 9.0, 2.0, 3.0, 10.0, 11.0]);
        let mut back = [HostTensor::zeros(&Ty::f32(&[2, 8]))];
        of.inverse().eval(&[&y[0]], &mut back);
        assert_eq!(back[0].real(), x);
    }

    #[test]
    fn channels_that_make_no_pixels_are_refused_by_name() {
        let of = PixelShuffle { size: [2, 2], factor: 2, direction: Direction::Spread };
        let message = of.infer(&[&Ty::f32(&[4, 6])]).unwrap_err().to_string();
        assert_eq!(message, "pixel_shuffle: 6 channels cannot be spread over 2x2 pixels");
        let message = of.inverse().infer(&[&Ty::f32(&[4, 6])]).unwrap_err().to_string();
        assert!(message.contains("no whole images of 4x4"), "{message}");
    }
}
