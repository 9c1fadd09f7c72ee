//! Colours of images changed by the factors that were drawn for them, values from 0 to 1.
//!
//! Source: the jitter of SimCLR (Chen et al., 2020) as torchvision computes it, but always in one order, each step clamped to
//! \[0, 1\]; golden `simclr_augment`. With blend(a, c, f) = f a + (1 − f) c:
//!
//! 1. brightness: f x
//! 2. contrast: blend(x, the mean of grey over the image, f)
//! 3. saturation: blend(x, grey, f)
//! 4. hue: turned by a share of a circle, saturation and value as they were; nothing where it is 0
//!
//! Last, where it is to be, grey: .2989 R + .587 G + .114 B in all channels. Images of one channel are grey as they are, and
//! only the first two steps do anything.

use super::{COLOURS, GREY};
use crate::error::{Error, Result};
use crate::graph::Op;
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// Y for (X \[rows, pixels · channels\], colours \[rows, [`COLOURS`]\]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AugmentColour {
    /// Channels of the images: 3, or 1.
    pub channels: usize,
}

/// Between 0 and 1.
#[inline(always)]
pub(crate) fn clamped<T: Real>(x: T) -> T {
    x.max(T::zero()).min(T::one())
}

/// How light a colour is.
#[inline(always)]
pub(crate) fn grey_of<T: Real>([red, green, blue]: [T; 3]) -> T {
    let [of_red, of_green, of_blue] = GREY.map(T::of);
    of_red * red + of_green * green + of_blue * blue
}

/// A colour between another one and itself, or beyond.
#[inline(always)]
fn blended<T: Real>(colour: [T; 3], other: T, share: T) -> [T; 3] {
    colour.map(|x| clamped(share * x + (T::one() - share) * other))
}

/// A colour whose hue is turned by a share of a circle.
#[inline(always)]
fn turned<T: Real>([red, green, blue]: [T; 3], turn: T) -> [T; 3] {
    let value = red.max(green).max(blue);
    let chroma = value - red.min(green).min(blue);
    if chroma <= T::zero() {
        return [red, green, blue];
    }
    let [r, g, b] = [red, green, blue].map(|x| (value - x) / chroma);
    let (two, four, six) = (T::of(2.0), T::of(4.0), T::of(6.0));
    let sixths = if red == value {
        b - g
    } else if green == value {
        two + r - b
    } else {
        four + g - r
    };
    let hue = sixths / six + turn;
    let hue = six * (hue - hue.floor());
    let sextant = hue.floor();
    let (saturation, part) = (chroma / value, hue - sextant);
    let p = value * (T::one() - saturation);
    let q = value * (T::one() - saturation * part);
    let t = value * (T::one() - saturation * (T::one() - part));
    match sextant.to_u32().unwrap_or(0) % 6 {
        0 => [value, t, p],
        1 => [q, value, p],
        2 => [p, value, t],
        3 => [p, q, value],
        4 => [t, p, value],
        _ => [value, p, q],
    }
    .map(clamped)
}

/// A colour behind all steps; `mean` is that of grey over the brightened image.
#[inline(always)]
pub(crate) fn recoloured<T: Real>(colour: [T; 3], factors: &[T], mean: T) -> [T; 3] {
    let mut colour = colour;
    if factors[0] != T::zero() {
        colour = blended(colour.map(|x| clamped(factors[1] * x)), mean, factors[2]);
        colour = blended(colour, grey_of(colour), factors[3]);
        if factors[4] != T::zero() {
            colour = turned(colour, factors[4]);
        }
    }
    if factors[5] != T::zero() { [grey_of(colour); 3] } else { colour }
}

impl AugmentColour {
    fn image<T: Real>(&self, factors: &[T], x: &[T], y: &mut [T]) {
        let bright = |x: T| clamped(factors[1] * x);
        let pixels = T::of((x.len() / self.channels) as f64);
        if self.channels == 1 {
            let mean = x.iter().fold(T::zero(), |sum, &x| sum + bright(x)) / pixels;
            for (y, &x) in y.iter_mut().zip(x) {
                let changed = factors[2] * bright(x) + (T::one() - factors[2]) * mean;
                *y = if factors[0] != T::zero() { clamped(changed) } else { x };
            }
            return;
        }
        let sum = x.as_chunks::<3>().0.iter().fold(T::zero(), |sum, colour| sum + grey_of(colour.map(bright)));
        for (y, &x) in y.as_chunks_mut::<3>().0.iter_mut().zip(x.as_chunks::<3>().0) {
            *y = recoloured(x, factors, sum / pixels);
        }
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let values = x[0].shape.matrix().map_or(1, |(_, values)| values);
        let images = x[0].real().chunks_exact(values).zip(y[0].real_mut().chunks_exact_mut(values));
        x[1].real().chunks_exact(COLOURS).zip(images).for_each(|(factors, (x, y))| self.image(factors, x, y));
    }
}

impl Op for AugmentColour {
    fn name(&self) -> &'static str {
        "augment_colour"
    }

    fn attributes(&self) -> String {
        format!("channels={}", self.channels)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x, colours] = arity(self.name(), inputs)?;
        let (rows, values) = matrix(self.name(), "X", x)?;
        if ![1, 3].contains(&self.channels) || !values.is_multiple_of(self.channels) {
            let problem = format!("{x} is no batch of images of {} channels: expected 3, or 1", self.channels);
            return Err(Error::graph(self.name(), problem));
        }
        same(self.name(), "the colours", colours, &Ty::f32(&[rows, COLOURS]))?;
        Ok(vec![x.clone()])
    }

    crate::twin!();
}

/// `shaders/augment/augment_colour.wgsl`, a workgroup for each image.
pub struct AugmentColourKernel;

impl Kernel for AugmentColourKernel {
    fn stem(&self) -> &'static str {
        "augment_colour"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<AugmentColour>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (rows, values) = matrix(self.stem(), "X", r.inputs[0])?;
        let channels = r.op::<AugmentColour>()?.channels;
        let params = [rows, values / channels, channels].map(|word| word as u32).to_vec();
        let bindings = vec![Bind::Input(0), Bind::Input(1), Bind::Output(0)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Groups(rows)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 20.0 * r.outputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(
            4e-6,
            0.0,
            Terms::Each,
            "values from 0 to 1 through some twenty roundings, and a hue's quotients by a chroma that is multiplied back",
        );
        let mut s = Samples::new(self.stem());
        let mut cases = Vec::new();
        for (rows, pixels, channels) in
            [(1, 1, 1), (1, 1, 3), (5, 784, 1), (13, 77, 3), (3, 4099, 3), (2, 65, 1), (70_001, 1, 3), (64, 1024, 3)]
        {
            let inputs = vec![s.uniform(&[rows, pixels * channels], 0.0, 1.0), samples(rows, &mut s)];
            let label = format!("{rows} images of {pixels} pixels, {channels} channels");
            cases.push(Case::new(label, AugmentColour { channels }, inputs, rounding));
        }
        cases.iter_mut().next_back().into_iter().for_each(|case| case.bench = true);
        cases
    }
}

/// Colours of all kinds: changed, grey, both, neither.
fn samples(rows: usize, s: &mut Samples) -> HostTensor<f32> {
    let mut colours = s.uniform(&[rows, COLOURS], 0.2, 1.8);
    for (row, colours) in colours.real_mut().chunks_exact_mut(COLOURS).enumerate() {
        colours[0] = f32::from(u8::from(row % 4 != 3));
        colours[4] = if row % 3 == 1 { 0.0 } else { (colours[4] - 1.0) / 2.0 };
        colours[5] = f32::from(u8::from(row % 5 == 2));
    }
    colours
}
