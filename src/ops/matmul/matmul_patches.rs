//! Convolutions as matrix products, one operand of which is read as patches of images that nobody writes down.
//!
//! | operation | layout | left | right |
//! |---|---|---|---|
//! | forward | `Nt` | patches of x \[N·H'·W', taps·C\] | w \[O, taps·C\] |
//! | input's gradient | `Nn` | patches of dy \[N·H·W, taps·O\] | w, turned to \[taps·O, C\] |
//! | weights' gradient | `Tn` | dy \[N·H'·W', O\] | patches of x \[N·H'·W', taps·C\] |
//!
//! What a shader needs to know of the images are constants of it, since dividing by what a compiler knows costs a
//! multiplication, and every load of a patch divides.

use super::matmul_cases::{lowest, of_layer};
use crate::error::Result;
use crate::ops::array::activation::Activation;
use crate::ops::conv::conv2d::{self, Conv2d, ConvLayer};
use crate::ops::conv::conv2d_dw::{self, Conv2dDw, Conv2dDwBias};
use crate::ops::conv::conv2d_dx::{self, Conv2dDx, Conv2dDxSlope, ConvTransposeLayer};
use crate::ops::conv::direct::{self, SUM};
use crate::ops::conv::{Convolution, Counts};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Case, Request};
use crate::ops::matmul::{Extents, MatMul};

/// A convolution without groups, and how many of everything there are.
#[derive(Clone, Copy, Debug)]
pub(in crate::ops) struct Patches {
    of: Convolution,
    counts: Counts,
}

impl Patches {
    /// The convolution that is asked for; none if it is another product.
    ///
    /// # Errors
    /// When its operands do not fit.
    pub fn of(r: &Request<'_>) -> Result<Option<Self>> {
        let found = |of: Convolution, counts: Result<Counts>| counts.map(|counts| Some(Patches { of, counts }));
        let name = r.op.name();
        if let Some((of, _)) = conv2d::parts(r.op) {
            return found(of, of.of_input(name, r.inputs[0], r.inputs[1]));
        }
        if let Some((of, _)) = conv2d_dx::parts(r.op) {
            return found(of, of.of_output(name, r.inputs[0], r.inputs[1]));
        }
        match conv2d_dw::parts(r.op) {
            Some((of, _)) => found(of, of.of_both(name, r.inputs[0], r.inputs[1])),
            None => Ok(None),
        }
    }

    /// Extents of the product.
    ///
    /// # Errors
    /// When the window has no place in the image.
    pub fn extents(&self, layout: MatMul) -> Result<Extents> {
        let Counts { images, inputs, outputs } = self.counts;
        let ([height, width], [rows, columns]) = (self.of.size, self.of.output()?);
        let (pixels, results, taps) = (images * height * width, images * rows * columns, self.of.window.taps());
        Ok(match layout {
            MatMul::Nt => Extents { m: results, n: outputs, k: taps * inputs },
            MatMul::Nn => Extents { m: pixels, n: inputs, k: taps * outputs },
            MatMul::Tn => Extents { m: outputs, n: taps * inputs, k: results },
        })
    }

    /// Whether channels can be read four at a time.
    pub fn aligned(&self) -> bool {
        self.counts.inputs.is_multiple_of(4) && self.counts.outputs.is_multiple_of(4)
    }

    /// The snippets that read left and right operand, in place of those of plain matrices.
    pub fn access(&self, layout: MatMul, access: &mut [&'static str; 3]) {
        let aligned = self.aligned();
        let of = |vec4: &'static str, scalar: &'static str| if aligned { vec4 } else { scalar };
        match layout {
            MatMul::Tn => access[1] = of("right_patches_vec4", "right_patches_scalar"),
            MatMul::Nt => access[0] = of("left_patches_vec4", "left_patches_scalar"),
            MatMul::Nn => {
                access[0] = of("left_patches_vec4", "left_patches_scalar");
                access[1] = of("right_turned_vec4", "right_turned_scalar");
            }
        }
    }

    /// The snippet that finds the pixel of a row through a tap.
    pub fn pixel(&self, layout: MatMul) -> &'static str {
        if layout == MatMul::Nn { "pixel_seeing" } else { "pixel_seen" }
    }

    /// What the shader must know: the images that rows stand for, those that are read, and the window.
    pub fn constants(&self, layout: MatMul) -> Vec<(&'static str, u32)> {
        let ([height, width], [rows, columns]) = (self.of.size, self.of.output().unwrap_or([1; 2]));
        let window = self.of.window;
        let ([of_rows, seen], channels) = match layout {
            MatMul::Nn => ([[height, width], [rows, columns]], self.counts.outputs),
            MatMul::Nt | MatMul::Tn => ([[rows, columns], [height, width]], self.counts.inputs),
        };
        let words = [
            ("ROWS_HEIGHT", of_rows[0]),
            ("ROWS_WIDTH", of_rows[1]),
            ("SEEN_HEIGHT", seen[0]),
            ("SEEN_WIDTH", seen[1]),
            ("CHANNELS", channels),
            ("TAPS", window.taps()),
            ("KERNEL_WIDTH", window.kernel[1]),
            ("STRIDE_HEIGHT", window.stride[0]),
            ("STRIDE_WIDTH", window.stride[1]),
            ("PADDING_HEIGHT", window.padding[0]),
            ("PADDING_WIDTH", window.padding[1]),
            ("DILATION_HEIGHT", window.dilation[0]),
            ("DILATION_WIDTH", window.dilation[1]),
        ];
        words.into_iter().map(|(name, word)| (name, word as u32)).collect()
    }
}

/// Convolutions that a form is proved on, of the layouts that it computes. Every image and window makes a shader of its own, and
/// every variant another, so they are few, each either plain or fused; the direct kernels, which have one shader for all, see many.
pub(in crate::ops) fn cases(stem: &'static str, layouts: &[MatMul]) -> Vec<Case> {
    let mut s = Samples::new(stem);
    let mut cases = Vec::new();
    for (number, tried) in direct::tiled().into_iter().enumerate() {
        let ([x, w, dy], of) = (tried.inputs(&mut s), tried.of);
        let activation = Activation::ALL[1 + number % (Activation::ALL.len() - 1)];
        let (plain, fused) = (number % 2 == 0, number % 2 == 1);
        let mut add = |layout: MatMul, is_wanted: bool, case: Case| {
            cases.extend((is_wanted && layouts.contains(&layout)).then_some(case));
        };
        let at = |what: &str| format!("{} {what}", tried.label());
        let word = activation.word();
        add(MatMul::Nt, plain, Case::new(at("forward"), Conv2d(of), vec![x.clone(), w.clone()], SUM));
        let inputs = vec![x.clone(), w.clone(), s.normal(&[tried.counts.outputs])];
        add(MatMul::Nt, fused, Case::new(at(word), ConvLayer { of, activation }, inputs, of_layer(activation)));
        add(MatMul::Nn, plain, Case::new(at("dx"), Conv2dDx(of), vec![dy.clone(), w.clone()], SUM));
        let h = s.uniform(x.shape.dims(), lowest(activation), 1.0);
        let slope = Conv2dDxSlope { of, activation };
        add(MatMul::Nn, fused, Case::new(at(&format!("dx {word}")), slope, vec![dy.clone(), w.clone(), h], SUM));
        let inputs = vec![dy.clone(), w, s.normal(&[tried.counts.inputs])];
        let layer = ConvTransposeLayer { of, activation };
        add(MatMul::Nn, fused, Case::new(at(&format!("back, {word}")), layer, inputs, of_layer(activation)));
        add(MatMul::Tn, plain, Case::new(at("dw"), Conv2dDw(of), vec![dy.clone(), x.clone()], SUM));
        add(MatMul::Tn, fused, Case::new(at("dw with bias"), Conv2dDwBias(of), vec![dy, x], SUM));
    }
    cases
}
