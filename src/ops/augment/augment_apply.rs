//! Images read at the places that were drawn for them: cut out, mirrored, shifted, turned, scaled.
//!
//! Pixel (i, j) of a result, mirrored where it is to be, is read at s, between pixels in proportion (bilinear):
//!
//! * of a box (top, left, h, w) at s = top + max(0, (i + ½) h/S − ½), with a = ⌊s⌋ and the pixel behind it a + 1, both held
//!   inside of the box, never beside it; no antialias. As PyTorch's `interpolate` with `align_corners=False`; golden
//!   `simclr_augment`.
//! * of an image that is moved at s = M (i − c, j − c') + t + (c, c'), c the middle; what lies beyond the edge is black, and
//!   so is a neighbour beyond it.
//!
//! Whole pixels are moved as they are, to the bit.

use super::{Movement, PLACE, Placing};
use crate::error::{Error, Result};
use crate::graph::Op;
use crate::ops::kernel::check::{arity, matrix, same, vector};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// Y \[rows, S·S'·C\] for (X \[rows, H·W·C\], places \[rows, [`PLACE`]\], black \[C\]): the value of each channel beyond an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AugmentApply {
    /// Height and width of an image.
    pub size: [usize; 2],
    /// Height and width of a result; the same where images are moved.
    pub output: [usize; 2],
    /// What the places are.
    pub placing: Placing,
}

/// Where along one axis a pixel is read: the first of two neighbours, the second, and the second's share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Between<T> {
    /// Places of both; an image that is moved has none at places it does not have.
    pub at: [i64; 2],
    /// Share of the second.
    pub share: T,
}

/// Neighbours along an axis of a box that begins at `first` and has `length` of the image's pixels, for one of `output`.
pub(crate) fn in_box<T: Real>(first: T, length: T, pixel: usize, output: usize) -> Between<T> {
    let half = T::of(0.5);
    let source = ((T::of(pixel as f64) + half) * length / T::of(output as f64) - half).max(T::zero());
    let last = length - T::one();
    let near = source.floor().min(last);
    let at = [near, (near + T::one()).min(last)].map(|at| whole(first + at));
    Between { at, share: source - near }
}

/// Neighbours of a point.
pub(crate) fn around<T: Real>(source: T) -> Between<T> {
    let near = source.floor();
    Between { at: [whole(near), whole(near) + 1], share: source - near }
}

fn whole<T: Real>(x: T) -> i64 {
    x.to_i64().unwrap_or(-1)
}

impl AugmentApply {
    /// Neighbours of a pixel of the result, along both axes, at a place \[[`PLACE`]\].
    pub(crate) fn neighbours<T: Real>(&self, place: &[T], pixel: [usize; 2]) -> [Between<T>; 2] {
        let [rows, columns] = self.output;
        let mirrored = |at: usize, size: usize, is: T| if is == T::zero() { at } else { size - 1 - at };
        let (i, j) = (mirrored(pixel[0], rows, place[6]), mirrored(pixel[1], columns, place[7]));
        if let Placing::Cut { .. } = self.placing {
            return [in_box(place[0], place[2], i, rows), in_box(place[1], place[3], j, columns)];
        }
        let middle = self.size.map(|size| T::of((size as f64 - 1.0) / 2.0));
        let (i, j) = (T::of(i as f64) - middle[0], T::of(j as f64) - middle[1]);
        [
            around(place[0] * i + place[1] * j + place[4] + middle[0]),
            around(place[2] * i + place[3] * j + place[5] + middle[1]),
        ]
    }

    fn image<T: Real>(&self, place: &[T], black: &[T], x: &[T], y: &mut [T]) {
        let [height, width] = self.size;
        let inside = |at: i64, size: usize| usize::try_from(at).ok().filter(|&at| at < size);
        for (pixel, y) in y.chunks_exact_mut(black.len()).enumerate() {
            let [down, right] = self.neighbours(place, [pixel / self.output[1], pixel % self.output[1]]);
            let (v, u) = (down.at.map(|at| inside(at, height)), right.at.map(|at| inside(at, width)));
            for (channel, y) in y.iter_mut().enumerate() {
                let read = |v: Option<usize>, u: Option<usize>| match (v, u) {
                    (Some(v), Some(u)) => x[(v * width + u) * black.len() + channel],
                    _ => black[channel],
                };
                let line = |v| (T::one() - right.share) * read(v, u[0]) + right.share * read(v, u[1]);
                *y = (T::one() - down.share) * line(v[0]) + down.share * line(v[1]);
            }
        }
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let (places, black) = (x[1].real().chunks_exact(PLACE), x[2].real());
        let [from, to] = [self.size, self.output].map(|size| size[0] * size[1] * black.len());
        let images = x[0].real().chunks_exact(from).zip(y[0].real_mut().chunks_exact_mut(to));
        places.zip(images).for_each(|(place, (x, y))| self.image(place, black, x, y));
    }
}

impl Op for AugmentApply {
    fn name(&self) -> &'static str {
        "augment_apply"
    }

    fn attributes(&self) -> String {
        let ([height, width], [rows, columns]) = (self.size, self.output);
        match self.placing {
            Placing::Cut { .. } => format!("of {height}x{width} boxes to {rows}x{columns}"),
            Placing::Moved(_) => format!("of {height}x{width} moved"),
        }
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x, places, black] = arity(self.name(), inputs)?;
        let (rows, values) = matrix(self.name(), "X", x)?;
        let channels = vector(self.name(), "what is black", black)?;
        let [height, width] = self.size;
        if values != height * width * channels {
            let problem = format!("{x} is no batch of images of {height}x{width}x{channels}");
            return Err(Error::graph(self.name(), problem));
        }
        same(self.name(), "the places", places, &Ty::f32(&[rows, PLACE]))?;
        if self.output.contains(&0) || (matches!(self.placing, Placing::Moved(_)) && self.output != self.size) {
            let [rows, columns] = self.output;
            return Err(Error::graph(
                self.name(),
                format!("a result of {rows}x{columns}: expected the image's own size"),
            ));
        }
        Ok(vec![Ty::f32(&[rows, self.output[0] * self.output[1] * channels])])
    }

    crate::twin!();
}

/// `shaders/augment/augment_apply.wgsl`, an invocation for each value of a result.
pub struct AugmentApplyKernel;

impl Kernel for AugmentApplyKernel {
    fn stem(&self) -> &'static str {
        "augment_apply"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<AugmentApply>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let op = r.op::<AugmentApply>()?;
        let (count, channels) = (r.outputs[0].elements(), r.inputs[2].elements());
        let sizes = [op.size, op.output].concat();
        let params = [count, channels].into_iter().chain(sizes).map(|word| word as u32);
        let params = params.chain([op.placing.number()]).collect();
        let bindings = vec![Bind::Input(0), Bind::Input(1), Bind::Input(2), Bind::Output(0)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(count)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 24.0 * r.outputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let between = Tolerance::new(
            3e-5,
            2e-5,
            Terms::Largest,
            "a point's place is rounded to some 10⁻⁶ of a pixel, and neighbours differ by as much as there is",
        );
        let mut s = Samples::new(self.stem());
        let mut cases = Vec::new();
        for (rows, channels, op) in tried() {
            let inputs = vec![
                s.normal(&[rows, op.size[0] * op.size[1] * channels]),
                op.samples(rows, &mut s),
                s.normal(&[channels]),
            ];
            cases.push(Case::new(
                format!("{rows} images, {channels} channels, {}", op.attributes()),
                op,
                inputs,
                between,
            ));
        }
        cases.iter_mut().next_back().into_iter().for_each(|case| case.bench = true);
        cases
    }
}

impl AugmentApply {
    /// Places within reason: boxes inside of the image, or turns and shifts, every fourth by whole pixels.
    fn samples(&self, rows: usize, s: &mut Samples) -> HostTensor<f32> {
        let mut places = s.uniform(&[rows, PLACE], -1.0, 1.0);
        let [height, width] = self.size.map(|size| size as f32);
        for (row, place) in places.real_mut().chunks_exact_mut(PLACE).enumerate() {
            let part = |x: f32, of: f32| ((x + 1.0) / 2.0 * of).floor().min(of - 1.0);
            let own = match self.placing {
                Placing::Cut { .. } => {
                    let (h, w) = (part(place[2], height) + 1.0, part(place[3], width) + 1.0);
                    [part(place[0], height - h + 1.0), part(place[1], width - w + 1.0), h, w, 0.0, 0.0]
                }
                Placing::Moved(_) if row % 4 == 0 => {
                    [1.0, 0.0, 0.0, 1.0, (3.0 * place[4]).round(), (3.0 * place[5]).round()]
                }
                Placing::Moved(_) => {
                    let (sine, cosine) = (3.0 * place[0]).sin_cos();
                    let scale = 1.0 + 0.5 * place[1];
                    [scale * cosine, -scale * sine, scale * sine, scale * cosine, 3.0 * place[4], 3.0 * place[5]]
                }
            };
            place[..6].copy_from_slice(&own);
            place[6..].iter_mut().for_each(|flip| *flip = f32::from(u8::from(*flip > 0.0)));
        }
        places
    }
}

/// Images, channels and what is done with them; the last is the row in the benchmarks.
fn tried() -> Vec<(usize, usize, AugmentApply)> {
    let moved = |height, width| {
        let placing = Placing::Moved(Movement::default());
        AugmentApply { size: [height, width], output: [height, width], placing }
    };
    let cut = |size: [usize; 2], output| AugmentApply { size, output, placing: Placing::Cut { least: 0.1 } };
    vec![
        (1, 1, moved(1, 1)),
        (1, 257, moved(5, 3)),
        (9, 1, moved(28, 28)),
        (13, 3, moved(7, 11)),
        (70_001, 1, moved(1, 2)),
        (1, 1, cut([1, 1], [1, 1])),
        (7, 3, cut([9, 14], [8, 8])),
        (3, 257, cut([2, 5], [3, 7])),
        (2, 4, cut([13, 1], [1, 17])),
        (64, 3, moved(32, 32)),
    ]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(op: AugmentApply, place: [f32; PLACE], x: &[f32]) -> Vec<f32> {
        let mut y = [HostTensor::zeros(&Ty::f32(&[1, op.output[0] * op.output[1]]))];
        let inputs = [HostTensor::from_f32(&[1, x.len()], x), HostTensor::from_f32(&[1, PLACE], &place)];
        op.eval(&[&inputs[0], &inputs[1], &HostTensor::from_f32(&[1], &[-1.0])], &mut y);
        y[0].real().to_vec()
    }

    #[test]
    fn whole_pixels_are_moved_as_they_are_and_black_comes_in() {
        let op = AugmentApply { size: [2, 3], output: [2, 3], placing: Placing::Moved(Movement::default()) };
        let x = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
        assert_eq!(read(op, [1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0], &x), x);
        assert_eq!(read(op, [1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0], &x), [0.3, 0.2, 0.1, 0.6, 0.5, 0.4]);
        assert_eq!(read(op, [1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0], &x), [0.4, 0.5, 0.6, 0.1, 0.2, 0.3]);
        assert_eq!(read(op, [1.0, 0.0, 0.0, 1.0, 1.0, -1.0, 0.0, 0.0], &x), [-1.0, 0.4, 0.5, -1.0, -1.0, -1.0]);
        let halfway = read(op, [1.0, 0.0, 0.0, 1.0, 0.0, 0.5, 0.0, 0.0], &x);
        halfway.iter().zip([0.15, 0.25, -0.35, 0.45, 0.55, -0.2]).for_each(|(y, x)| assert!((y - x).abs() < 1e-6));
    }

    /// What lies beside a box is never seen, and corners are not aligned.
    #[test]
    fn a_box_is_read_inside_of_itself() {
        let op = AugmentApply { size: [1, 4], output: [1, 4], placing: Placing::Cut { least: 0.1 } };
        let seen = read(op, [0.0, 1.0, 1.0, 2.0, 0.0, 0.0, 0.0, 0.0], &[9.0, 0.0, 1.0, 9.0]);
        assert_eq!(seen, [0.0, 0.25, 0.75, 1.0]);
        assert_eq!(read(op, [0.0, 1.0, 1.0, 2.0, 0.0, 0.0, 0.0, 1.0], &[9.0, 0.0, 1.0, 9.0]), [1.0, 0.75, 0.25, 0.0]);
    }

    #[test]
    fn what_are_no_images_of_this_size_is_refused_by_name() {
        let op = AugmentApply { size: [2, 3], output: [2, 3], placing: Placing::Moved(Movement::default()) };
        let infer = |op: AugmentApply, values| {
            op.infer(&[&Ty::f32(&[1, values]), &Ty::f32(&[1, PLACE]), &Ty::f32(&[1])]).unwrap_err().to_string()
        };
        assert!(infer(op, 7).contains("no batch of images of 2x3x1"), "{}", infer(op, 7));
        assert!(infer(AugmentApply { output: [3, 2], ..op }, 6).contains("the image's own size"));
    }
}
