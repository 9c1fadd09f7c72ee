//! Images a whole number of times as large: each pixel repeated, or between pixels in proportion.
//!
//! With factor f: nearest y\[i\] = x\[⌊i/f⌋\]; bilinear, along each axis, the source of i is s = max(0, (i + ½)/f − ½), and with
//! a = ⌊s⌋, y\[i\] = (1 − s + a) x\[a\] + (s − a) x\[min(a + 1, H − 1)\], as PyTorch with `align_corners=False`. Golden `pool2d`.

use super::tried::SUM;
use super::upsample_grad::UpsampleGrad;
use super::{MOST, PixelMap, Share, apply, mapped};
use crate::error::{Error, Result};
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, matrix};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// What lies between pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Between {
    /// The nearest one.
    Nearest,
    /// Both neighbours, in proportion, along each axis.
    Bilinear,
}

/// y \[N·fH·fW, C\] for an input x \[N·H·W, C\].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Upsample {
    /// Height and width of an image.
    pub size: [usize; 2],
    /// How many times as high and as wide a result is.
    pub factor: usize,
    /// What lies between pixels.
    pub between: Between,
}

impl Upsample {
    /// In words, for plans and sites.
    pub(in crate::ops) fn attributes(&self) -> String {
        let [height, width] = self.size;
        let between = match self.between {
            Between::Nearest => "nearest",
            Between::Bilinear => "bilinear",
        };
        format!("of {height}x{width} by {} {between}", self.factor)
    }

    /// The shaders' `upsample_params`.
    pub(in crate::ops) fn params(&self, elements: usize, channels: usize) -> Vec<u32> {
        let between = usize::from(self.between == Between::Bilinear);
        [elements, channels, self.size[0], self.size[1], self.factor, between].map(|word| word as u32).to_vec()
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        apply(self, false, x[0], &mut y[0]);
    }
}

impl PixelMap for Upsample {
    fn size(&self) -> [usize; 2] {
        self.size
    }

    fn output(&self) -> Result<[usize; 2]> {
        let Upsample { size, factor, .. } = *self;
        if factor == 0 || size.iter().any(|&size| size == 0 || size > MOST || factor > MOST / size) {
            let [height, width] = size;
            let expected = format!("expected a factor of at least 1, and at most {MOST} pixels along each axis");
            return Err(Error::graph("upsample", format!("{height}x{width} by {factor}: {expected}")));
        }
        Ok(size.map(|size| size * factor))
    }

    fn shares(&self, axis: usize) -> Vec<Share> {
        let Upsample { factor, between, .. } = *self;
        let size = self.size[axis];
        let mut shares = Vec::new();
        for result in 0..size * factor {
            match between {
                Between::Nearest => shares.push(Share { result, seen: result / factor, weight: 1.0 }),
                Between::Bilinear => {
                    // The source in units of half a pixel of the result, 1/(2f).
                    let source = (2 * result + 1).saturating_sub(factor);
                    let (first, left) = (source / (2 * factor), source % (2 * factor));
                    let second = left as f64 / (2 * factor) as f64;
                    if first + 1 < size && left > 0 {
                        shares.push(Share { result, seen: first, weight: 1.0 - second });
                        shares.push(Share { result, seen: first + 1, weight: second });
                    } else {
                        shares.push(Share { result, seen: first, weight: 1.0 });
                    }
                }
            }
        }
        shares
    }
}

impl Op for Upsample {
    fn name(&self) -> &'static str {
        "upsample"
    }

    fn attributes(&self) -> String {
        Upsample::attributes(self)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x] = arity(self.name(), inputs)?;
        Ok(vec![mapped(self.name(), self, x, false)?])
    }

    fn vjp(&self, g: &mut Graph, _x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None]) };
        Ok(vec![Some(g.apply(UpsampleGrad(*self), &[dy])?)])
    }

    crate::twin!();
}

/// `shaders/pool/upsample.wgsl`, an invocation for each result.
pub struct UpsampleKernel;

impl Kernel for UpsampleKernel {
    fn stem(&self) -> &'static str {
        "upsample"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<Upsample>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (rows, channels) = matrix(self.stem(), "y", r.outputs[0])?;
        let params = r.op::<Upsample>()?.params(rows * channels, channels);
        let bindings = vec![Bind::Input(0), Bind::Output(0)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(rows * channels)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let flops = if r.op::<Upsample>()?.between == Between::Bilinear { 7.0 } else { 0.0 };
        Ok(Cost::streaming(r, flops * r.outputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let mut s = Samples::new(self.stem());
        let mut cases: Vec<Case> = Vec::new();
        for (images, channels, of) in tried() {
            let x = s.normal(&[images * of.size[0] * of.size[1], channels]);
            cases.push(Case::new(label(images, channels, &of), of, vec![x], SUM));
        }
        cases.iter_mut().next_back().into_iter().for_each(|case| case.bench = true);
        cases
    }
}

/// A case in words.
pub(super) fn label(images: usize, channels: usize, of: &Upsample) -> String {
    format!("{images} images, {channels} channels, {}", of.attributes())
}

/// Images, channels and what is done with them; the last is the row in the benchmarks.
pub(super) fn tried() -> Vec<(usize, usize, Upsample)> {
    let mut tried = Vec::new();
    for between in [Between::Nearest, Between::Bilinear] {
        let of = |height, width, factor| Upsample { size: [height, width], factor, between };
        tried.push((1, 1, of(1, 1, 1)));
        tried.push((2, 3, of(1, 1, 5)));
        tried.push((1, 4, of(5, 7, 1)));
        tried.push((3, 5, of(3, 4, 2)));
        tried.push((2, 1, of(7, 1, 3)));
        tried.push((1, 2, of(2, 5, 7)));
        tried.push((1, 257, of(2, 3, 2)));
        tried.push((8, 64, of(16, 16, 2)));
    }
    tried
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn row(factor: usize, x: &[f32]) -> Vec<f32> {
        let of = Upsample { size: [1, x.len()], factor, between: Between::Bilinear };
        let mut y = [HostTensor::zeros(&Ty::f32(&[factor * x.len() * factor, 1]))];
        of.eval(&[&HostTensor::from_f32(&[x.len(), 1], x)], &mut y);
        y[0].real()[..factor * x.len()].to_vec()
    }

    /// What `torch.nn.functional.interpolate` gives for `mode="bilinear", align_corners=False`.
    #[test]
    fn between_pixels_is_where_pytorch_has_it() {
        assert_eq!(row(2, &[1.0, 3.0, 11.0]), [1.0, 1.5, 2.5, 5.0, 9.0, 11.0]);
        let thirds = row(3, &[0.0, 3.0]);
        [0.0, 0.0, 1.0, 2.0, 3.0, 3.0].iter().zip(thirds).for_each(|(a, b)| assert!((a - b).abs() < 1e-6));
        assert_eq!(row(4, &[0.0, 8.0]), [0.0, 0.0, 1.0, 3.0, 5.0, 7.0, 8.0, 8.0]);
    }

    #[test]
    fn what_has_no_size_is_refused_by_name() {
        for (size, factor) in [([0, 1], 2), ([1, 1], 0), ([1 << 20, 1], 1 << 10)] {
            let of = Upsample { size, factor, between: Between::Nearest };
            let message = of.infer(&[&Ty::f32(&[1, 1])]).unwrap_err().to_string();
            assert!(message.starts_with("upsample: ") && message.contains("expected"), "{message}");
        }
    }
}
