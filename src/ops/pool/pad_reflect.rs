//! Images with their own reflection around them: with p pixels on all sides y\[i\] = x\[|i − p|\], and from the far end on
//! x\[2(H − 1) − (i − p)\]; the pixels of the edge are not repeated. As PyTorch's `ReflectionPad2d`.

use super::pad_reflect_grad::PadReflectGrad;
use super::tried::MOVED;
use super::{MOST, PixelMap, Share, apply, mapped};
use crate::error::{Error, Result};
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, matrix};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// y \[N·(H+2p)·(W+2p), C\] for an input x \[N·H·W, C\].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PadReflect {
    /// Height and width of an image.
    pub size: [usize; 2],
    /// Pixels that are added on each side; fewer than the image has.
    pub padding: usize,
}

impl PadReflect {
    /// In words, for plans and sites.
    pub(in crate::ops) fn attributes(&self) -> String {
        let [height, width] = self.size;
        format!("of {height}x{width} padding={}", self.padding)
    }

    /// The shaders' `reflect_params`.
    pub(in crate::ops) fn params(&self, elements: usize, channels: usize) -> Vec<u32> {
        [elements, channels, self.size[0], self.size[1], self.padding, 0].map(|word| word as u32).to_vec()
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        apply(self, false, x[0], &mut y[0]);
    }
}

impl PixelMap for PadReflect {
    fn size(&self) -> [usize; 2] {
        self.size
    }

    fn output(&self) -> Result<[usize; 2]> {
        let PadReflect { size, padding } = *self;
        if size.iter().any(|&size| padding >= size || size > MOST) {
            let [height, width] = size;
            let problem = format!("{padding} pixels around {height}x{width}: expected fewer than the image has");
            return Err(Error::graph("pad_reflect", format!("{problem}, and at most {MOST} along each axis")));
        }
        Ok(size.map(|size| size + 2 * padding))
    }

    fn shares(&self, axis: usize) -> Vec<Share> {
        let (size, padding) = (self.size[axis], self.padding);
        let share = |result: usize| {
            let distance = result.abs_diff(padding);
            let seen = if result > padding && distance >= size { 2 * (size - 1) - distance } else { distance };
            Share { result, seen, weight: 1.0 }
        };
        (0..size + 2 * padding).map(share).collect()
    }
}

impl Op for PadReflect {
    fn name(&self) -> &'static str {
        "pad_reflect"
    }

    fn attributes(&self) -> String {
        PadReflect::attributes(self)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x] = arity(self.name(), inputs)?;
        Ok(vec![mapped(self.name(), self, x, false)?])
    }

    fn vjp(&self, g: &mut Graph, _x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None]) };
        Ok(vec![Some(g.apply(PadReflectGrad(*self), &[dy])?)])
    }

    crate::twin!();
}

/// `shaders/pool/pad_reflect.wgsl`, an invocation for each result.
pub struct PadReflectKernel;

impl Kernel for PadReflectKernel {
    fn stem(&self) -> &'static str {
        "pad_reflect"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<PadReflect>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (rows, channels) = matrix(self.stem(), "y", r.outputs[0])?;
        let params = r.op::<PadReflect>()?.params(rows * channels, channels);
        let bindings = vec![Bind::Input(0), Bind::Output(0)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(rows * channels)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 0.0))
    }

    fn cases(&self) -> Vec<Case> {
        let mut s = Samples::new(self.stem());
        let mut cases: Vec<Case> = Vec::new();
        for (images, channels, of) in tried() {
            let x = s.normal(&[images * of.size[0] * of.size[1], channels]);
            cases.push(Case::new(label(images, channels, &of), of, vec![x], MOVED));
        }
        cases.iter_mut().next_back().into_iter().for_each(|case| case.bench = true);
        cases
    }
}

/// A case in words.
pub(super) fn label(images: usize, channels: usize, of: &PadReflect) -> String {
    format!("{images} images, {channels} channels, {}", of.attributes())
}

/// Images, channels and what is done with them; the last is the row in the benchmarks.
pub(super) fn tried() -> Vec<(usize, usize, PadReflect)> {
    let of = |height, width, padding| PadReflect { size: [height, width], padding };
    vec![
        (1, 1, of(1, 1, 0)),
        (2, 3, of(2, 2, 1)),
        (3, 1, of(5, 3, 2)),
        (2, 5, of(7, 11, 4)),
        (1, 3, of(4, 4, 3)),
        (1, 257, of(3, 2, 1)),
        (8, 64, of(32, 32, 1)),
    ]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// What `torch.nn.functional.pad` gives for `mode="reflect"`.
    #[test]
    fn the_edge_is_not_repeated() {
        let seen: Vec<usize> =
            PadReflect { size: [4, 4], padding: 3 }.shares(0).iter().map(|share| share.seen).collect();
        assert_eq!(seen, [3, 2, 1, 0, 1, 2, 3, 2, 1, 0]);
    }

    #[test]
    fn padding_as_large_as_the_image_is_refused_by_name() {
        let of = PadReflect { size: [5, 3], padding: 3 };
        let message = of.infer(&[&Ty::f32(&[15, 1])]).unwrap_err().to_string();
        assert!(message.starts_with("pad_reflect: 3 pixels around 5x3"), "{message}");
    }
}
