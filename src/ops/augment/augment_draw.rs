//! Where images of a batch are read, and what becomes of their colours, by uniform numbers.
//!
//! Sources: the random resized crop of Szegedy et al., "Going Deeper with Convolutions" (2015), and the colour jitter of Chen
//! et al., "A Simple Framework for Contrastive Learning of Visual Representations" (SimCLR, 2020); golden `simclr_augment`.
//!
//! A box is the first of ten tries that fits into the image: area A = HW(m + (1 − m)u₀), aspect r = ¾(16/9)^u₁, width
//! round √(A r), height round √(A/r), top ⌊u₂(H − h + 1)⌋, left ⌊u₃(W − w + 1)⌋; after ten failures the largest one in the
//! middle whose aspect lies in [¾, 4/3]. A box is whole pixels, so a last bit decides: it is computed in products and sums
//! that no device rounds in another way, without its exponential, its quotient, and without trust in its root.

use super::{COLOURS, Movement, PLACE, Placing};
use crate::error::{Error, Result};
use crate::graph::Op;
use crate::ops::kernel::check::{arity, matrix};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// Uniform numbers that an image takes beside those of a box.
const OWN: usize = 16;

/// Tries of a box, four numbers each.
const TRIES: usize = 10;

/// Uniform numbers by what they decide.
mod number {
    pub const FLIP_VERTICAL: usize = 0;
    pub const FLIP: usize = 1;
    /// Whole pixels down and right.
    pub const PADDING: usize = 2;
    /// Shares of height and width.
    pub const SHIFT: usize = 4;
    pub const TURN: usize = 6;
    pub const SCALE: usize = 7;
    pub const JITTER: usize = 8;
    /// Brightness, contrast, saturation, hue.
    pub const FACTORS: usize = 9;
    pub const GREY: usize = 13;
    pub const SHEAR: usize = 14;
}

/// Largest side of an image whose boxes are the same on every device.
const LARGEST: usize = 4096;

/// Places \[rows, [`PLACE`]\] and colours \[rows, [`COLOURS`]\] for uniform numbers \[rows, [`numbers`](Self::numbers)\] in \[0, 1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AugmentDraw {
    /// Height and width of an image.
    pub size: [usize; 2],
    /// Share of images that are turned upside down.
    pub flip_vertical: f32,
    /// Share of images whose left becomes right.
    pub flip: f32,
    /// What is read of an image.
    pub placing: Placing,
    /// Share of images whose colours change.
    pub jitter: f32,
    /// By how much brightness, contrast and saturation change at most, as a share; by how much the hue, of a whole turn.
    pub strengths: [f32; 4],
    /// Share of images that become grey.
    pub grey: f32,
}

impl AugmentDraw {
    /// Uniform numbers that an image takes.
    pub fn numbers(&self) -> usize {
        match self.placing {
            Placing::Moved(_) => OWN,
            Placing::Cut { .. } => OWN + 4 * TRIES,
        }
    }

    /// The largest box in the middle whose aspect is allowed: top, left, height, width.
    fn centred(&self) -> [usize; 4] {
        let [height, width] = self.size;
        let [h, w] = if 4 * width < 3 * height {
            [(4 * width + 1) / 3, width]
        } else if 3 * width > 4 * height {
            [height, (4 * height + 1) / 3]
        } else {
            self.size
        };
        [(height - h) / 2, (width - w) / 2, h, w]
    }

    /// The box of these tries.
    fn cut<T: Real>(&self, tries: &[T], least: f32) -> [T; 4] {
        let [height, width] = self.size.map(|size| T::of(size as f64));
        let [least, rest] = [least, 1.0 - least].map(|share| T::of(f64::from(share)));
        for u in tries.chunks_exact(4) {
            let area = height * width * (least + rest * u[0]);
            let (w, h) = (rounded_root(area * aspect(u[1])), rounded_root(area * aspect(T::one() - u[1])));
            if w > T::zero() && w <= width && h > T::zero() && h <= height {
                return [below(u[2], height - h + T::one()), below(u[3], width - w + T::one()), h, w];
            }
        }
        self.centred().map(|size| T::of(size as f64))
    }

    fn place<T: Real>(&self, u: &[T]) -> [T; PLACE] {
        let flips = [chosen(u[number::FLIP_VERTICAL], self.flip_vertical), chosen(u[number::FLIP], self.flip)];
        let [a, b, c, d, e, f] = match self.placing {
            Placing::Cut { least } => {
                let [top, left, height, width] = self.cut(&u[OWN..], least);
                [top, left, height, width, T::zero(), T::zero()]
            }
            Placing::Moved(moved) => {
                let [shift, scale] = [moved.shift, moved.scale].map(|most| T::of(f64::from(most)));
                let (sine, cosine) = (T::of(f64::from(moved.degrees.to_radians())) * either(u[number::TURN])).sin_cos();
                let inverse = T::one() / (T::one() + scale * either(u[number::SCALE]));
                let distance = |axis: usize| {
                    let padding = T::of(moved.padding as f64);
                    let whole = below(u[number::PADDING + axis], padding + padding + T::one()) - padding;
                    whole + shift * T::of(self.size[axis] as f64) * either(u[number::SHIFT + axis])
                };
                // A turn of what leans: exactly the turn where nothing does.
                let shear = T::of(f64::from(moved.shear)) * either(u[number::SHEAR]);
                let (down, right) = (cosine - sine * shear, sine + cosine * shear);
                [down * inverse, -sine * inverse, right * inverse, cosine * inverse, distance(0), distance(1)]
            }
        };
        [a, b, c, d, e, f, flips[0], flips[1]]
    }

    fn colours<T: Real>(&self, u: &[T]) -> [T; COLOURS] {
        let strength = |place: usize| T::of(f64::from(self.strengths[place])) * either(u[number::FACTORS + place]);
        let [brightness, contrast, saturation] = [0, 1, 2].map(|place| T::one() + strength(place));
        let (jitter, grey) = (chosen(u[number::JITTER], self.jitter), chosen(u[number::GREY], self.grey));
        [jitter, brightness, contrast, saturation, strength(3), grey, T::zero(), T::zero()]
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let [places, colours] = y else { return };
        let rows = places.real_mut().chunks_exact_mut(PLACE).zip(colours.real_mut().chunks_exact_mut(COLOURS));
        for (u, (place, colours)) in x[0].real().chunks_exact(self.numbers()).zip(rows) {
            place.copy_from_slice(&self.place(u));
            colours.copy_from_slice(&self.colours(u));
        }
    }
}

/// 1 for this share of all numbers, else 0.
fn chosen<T: Real>(u: T, share: f32) -> T {
    if u < T::of(f64::from(share)) { T::one() } else { T::zero() }
}

/// A number of \[−1, 1) for one of \[0, 1).
fn either<T: Real>(u: T) -> T {
    u + u - T::one()
}

/// ⌊u n⌋, a whole number below n.
fn below<T: Real>(u: T, n: T) -> T {
    (u * n).floor().min(n - T::one())
}

/// ¾ (16/9)^u for u of \[0, 1\]: an exponential's series, of positive terms alone.
fn aspect<T: Real>(u: T) -> T {
    let x = T::of(f64::from(SPAN)) * u;
    let sum = (1..=TERMS).rev().fold(T::one(), |sum, n| T::one() + x * T::of(f64::from(1.0 / n as f32)) * sum);
    T::of(0.75) * sum
}

/// ln 16/9
const SPAN: f32 = 0.575_364_2;

/// Terms of the series behind the first: the next is below 10⁻¹⁰.
const TERMS: usize = 10;

/// √x rounded to a whole number n, so that (n − ½)² ≤ x < (n + ½)².
fn rounded_root<T: Real>(x: T) -> T {
    let (two, four) = (T::of(2.0), T::of(4.0));
    let n = (x.sqrt() + T::of(0.5)).floor();
    let (low, high) = (two * n - T::one(), two * n + T::one());
    if n > T::zero() && low * low > four * x {
        n - T::one()
    } else if high * high <= four * x {
        n + T::one()
    } else {
        n
    }
}

impl Op for AugmentDraw {
    fn name(&self) -> &'static str {
        "augment_draw"
    }

    fn attributes(&self) -> String {
        let [height, width] = self.size;
        let placing = match self.placing {
            Placing::Moved(moved) => {
                let Movement { padding, shift, degrees, scale, shear } = moved;
                format!("padding {padding} shift {shift} turn {degrees} scale {scale} shear {shear}")
            }
            Placing::Cut { least } => format!("boxes from {least}"),
        };
        let [brightness, contrast, saturation, hue] = self.strengths;
        format!(
            "of {height}x{width} flip {} {} {placing} jitter {} by {brightness} {contrast} {saturation} {hue} grey {}",
            self.flip_vertical, self.flip, self.jitter, self.grey
        )
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [u] = arity(self.name(), inputs)?;
        let (rows, numbers) = matrix(self.name(), "the draws", u)?;
        if numbers != self.numbers() {
            return Err(Error::graph(self.name(), format!("takes {} numbers an image, got {u}", self.numbers())));
        }
        if self.size.iter().any(|size| !(1..=LARGEST).contains(size)) {
            let [height, width] = self.size;
            return Err(Error::graph(
                self.name(),
                format!("images of {height}x{width}: expected sides of 1 to {LARGEST}"),
            ));
        }
        Ok(vec![Ty::f32(&[rows, PLACE]), Ty::f32(&[rows, COLOURS])])
    }

    crate::twin!();
}

/// `shaders/augment/augment_draw.wgsl`, an invocation for each image.
pub struct AugmentDrawKernel;

impl Kernel for AugmentDrawKernel {
    fn stem(&self) -> &'static str {
        "augment_draw"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<AugmentDraw>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (rows, numbers) = matrix(self.stem(), "the draws", r.inputs[0])?;
        let op = r.op::<AugmentDraw>()?;
        let (moved, least) = match op.placing {
            Placing::Moved(moved) => (moved, 1.0),
            Placing::Cut { least } => (Movement::default(), least),
        };
        let [height, width] = op.size.map(|size| size as f32);
        let floats = [height, width, op.flip_vertical, op.flip, moved.padding as f32, moved.shift];
        let floats =
            floats.into_iter().chain([moved.degrees.to_radians(), moved.scale, moved.shear, least, 1.0 - least]);
        let floats = floats.chain(op.centred().map(|size| size as f32)).chain([op.jitter]).chain(op.strengths);
        let floats = floats.chain([op.grey]).map(f32::to_bits);
        let params = [rows as u32, numbers as u32, op.placing.number()].into_iter().chain(floats).collect();
        let bindings = vec![Bind::Input(0), Bind::Output(0), Bind::Output(1)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(rows)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 60.0 * r.outputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(2e-5, 1e-6, Terms::Each, "a sine and a cosine, a quotient, and a few products");
        let mut s = Samples::new(self.stem());
        let mut cases: Vec<Case> = tried()
            .into_iter()
            .map(|(rows, op)| {
                let u = s.uniform(&[rows, op.numbers()], 0.0, 1.0);
                Case::new(format!("{rows} images {}", op.attributes()), op, vec![u], rounding)
            })
            .collect();
        cases.iter_mut().next_back().into_iter().for_each(|case| case.bench = true);
        cases
    }
}

/// Rows and what is drawn for them; the last is the row in the benchmarks.
fn tried() -> Vec<(usize, AugmentDraw)> {
    let of = |height, width, placing| AugmentDraw {
        size: [height, width],
        flip_vertical: 0.25,
        flip: 0.5,
        placing,
        jitter: 0.8,
        strengths: [0.4, 0.3, 0.2, 0.1],
        grey: 0.2,
    };
    let moved =
        |padding, shift, degrees, scale| Placing::Moved(Movement { padding, shift, degrees, scale, shear: 0.0 });
    let leaning = |degrees, shear| Placing::Moved(Movement { degrees, shear, ..Movement::default() });
    vec![
        (1, of(1, 1, moved(0, 0.0, 0.0, 0.0))),
        (67, of(28, 28, moved(0, 0.1, 15.0, 0.2))),
        (129, of(32, 17, moved(4, 0.0, 0.0, 0.0))),
        (13, of(7, 5, moved(3, 0.5, 180.0, 0.9))),
        (65, of(28, 28, leaning(0.0, 0.3))),
        (33, of(5, 31, leaning(20.0, 1.0))),
        (1, of(1, 1, Placing::Cut { least: 0.08 })),
        (101, of(9, 14, Placing::Cut { least: 1.0 })),
        (257, of(3, 11, Placing::Cut { least: 0.5 })),
        (70_001, of(2, 3, moved(1, 0.0, 0.0, 0.0))),
        (1024, of(32, 32, Placing::Cut { least: 0.08 })),
    ]
}
