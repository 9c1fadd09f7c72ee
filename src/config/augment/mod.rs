//! Images changed at random while training: `[augment]`.
//!
//! Sources: flips and crops with padding as He et al., "Deep Residual Learning for Image Recognition" (2016), have them; the
//! random resized crop, the colours and the blur of SimCLR (Chen et al., 2020); small affine changes of digits as Simard et al., "Best
//! Practices for Convolutional Neural Networks Applied to Visual Document Analysis" (2003).
//!
//! Every image of a training batch is changed by draws of its own, keyed by the step, so that a run that goes on draws what
//! one that never stopped would have. A network that reconstructs is asked for the changed image; noise of `[corruption]`
//! comes on top of it. Moments that stand for a batch's are those of changed images too, as running averages are. Nothing
//! that is judged or looked at is changed. What lies beyond an image's edge is black: 0 as data are stored, so where values
//! were standardised what 0 became.

mod check;
mod pixels;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::graph::{Graph, Role, Var};
use crate::nn::block::image::ImageSize;
use crate::nn::stream;
use crate::ops::augment::augment_apply::AugmentApply;
use crate::ops::augment::augment_blur::{AugmentBlur, BLUR_NUMBERS};
use crate::ops::augment::augment_colour::AugmentColour;
use crate::ops::augment::augment_draw::AugmentDraw;
use crate::ops::augment::{Movement, Placing};
use crate::ops::random::random_uniform::RandomUniform;
use crate::tensor::{Shape, Ty};

/// Name of the values of a black pixel on a device.
pub const BLACK: &str = "black";

/// Longest side of an image that is changed.
const LONGEST: usize = 4096;

/// Shorter sides of a blur's window in an image's: SimCLR's.
const WINDOW: usize = 10;

/// By how much images are changed at most, each by what is drawn for it; 0 is not at all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Augment {
    /// Share of images whose left becomes right.
    pub flip: f32,
    /// Share of images that are turned upside down.
    pub flip_vertical: f32,
    /// Pixels of black around an image, of which a window of its size is cut.
    pub crop: usize,
    /// Share of height and width by which an image is shifted at most, between pixels.
    pub shift: f32,
    /// Degrees by which it is turned at most, either way.
    pub rotate: f32,
    /// Share of its size by which it is made larger or smaller at most.
    pub scale: f32,
    /// How far an image leans at most, as a share of its height, either way.
    pub shear: f32,
    /// Smallest area, as a share of the image's, of a box that is cut out and brought to the image's size; 0 cuts none.
    pub resized_crop: f32,
    /// Share of images whose brightness, contrast, saturation and hue change.
    pub jitter: f32,
    /// Share by which their brightness changes at most.
    pub brightness: f32,
    /// The same of contrast.
    pub contrast: f32,
    /// The same of saturation.
    pub saturation: f32,
    /// Share of a whole turn by which the hue changes at most.
    pub hue: f32,
    /// Share of images that become grey.
    pub grey: f32,
    /// Share of images that are blurred, by a Gaussian of up to 2 pixels.
    pub blur: f32,
    /// Height, width and channels of an image, where neither the network nor the data say them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageSize>,
    /// Values of a black pixel, one a channel, where they are not 0.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub black: Vec<f32>,
}

impl Default for Augment {
    /// Nothing; whoever names a colour wants it changed in every image, unless they say less.
    fn default() -> Self {
        Augment {
            flip: 0.0,
            flip_vertical: 0.0,
            crop: 0,
            shift: 0.0,
            rotate: 0.0,
            scale: 0.0,
            shear: 0.0,
            resized_crop: 0.0,
            jitter: 1.0,
            brightness: 0.0,
            contrast: 0.0,
            saturation: 0.0,
            hue: 0.0,
            grey: 0.0,
            blur: 0.0,
            image: None,
            black: Vec::new(),
        }
    }
}

impl Augment {
    /// What a hand does to a digit: a little to the side, askew, larger or smaller.
    pub fn affine() -> Self {
        Augment { shift: 0.1, rotate: 10.0, scale: 0.1, ..Augment::default() }
    }

    /// Keys that move an image, with what they say.
    fn movements(&self) -> [(&'static str, f32); 5] {
        [
            ("augment.crop", self.crop as f32),
            ("augment.shift", self.shift),
            ("augment.rotate", self.rotate),
            ("augment.scale", self.scale),
            ("augment.shear", self.shear),
        ]
    }

    fn strengths(&self) -> [(&'static str, f32); 4] {
        [
            ("augment.brightness", self.brightness),
            ("augment.contrast", self.contrast),
            ("augment.saturation", self.saturation),
            ("augment.hue", self.hue),
        ]
    }

    /// Whether an image is read at another place.
    fn moves(&self) -> bool {
        let flips = self.flip > 0.0 || self.flip_vertical > 0.0;
        flips || self.resized_crop > 0.0 || self.movements().iter().any(|(_, most)| *most > 0.0)
    }

    /// Whether colours would change if `jitter` says so.
    pub(in crate::config) fn has_strength(&self) -> bool {
        self.strengths().iter().any(|(_, most)| *most > 0.0)
    }

    /// Whether colours change.
    fn recolours(&self) -> bool {
        self.grey > 0.0 || (self.jitter > 0.0 && self.has_strength())
    }

    /// Whether anything changes.
    pub fn is_on(&self) -> bool {
        self.moves() || self.recolours() || self.blur > 0.0
    }

    /// What is drawn for an image of this size.
    fn draw(&self, size: [usize; 2]) -> AugmentDraw {
        let placing = if self.resized_crop > 0.0 {
            Placing::Cut { least: self.resized_crop }
        } else {
            let Augment { crop, shift, rotate, scale, shear, .. } = *self;
            Placing::Moved(Movement { padding: crop, shift, degrees: rotate, scale, shear })
        };
        let Augment { flip, flip_vertical, jitter, grey, .. } = *self;
        let strengths = self.strengths().map(|(_, most)| most);
        AugmentDraw { size, flip_vertical, flip, placing, jitter, strengths, grey }
    }

    /// Images \[rows, height · width · channels\] of this size, changed by what the clock's step draws for this view of them.
    fn apply(
        &self,
        g: &mut Graph,
        [height, width, channels]: [usize; 3],
        x: Var,
        clock: Var,
        view: u32,
    ) -> Result<Var> {
        let size = [height, width];
        let draw = self.draw(size);
        let rows = g.ty(x).shape.matrix().map_or(0, |(rows, _)| rows);
        let shape = Shape::new(&[rows, draw.numbers()]);
        let u = g.apply(RandomUniform { shape, stream: stream::AUGMENT + view }, &[clock])?;
        let drawn = g.push(std::sync::Arc::new(draw), &[u])?;
        let mut x = x;
        if self.moves() {
            // Another view, or another part of the batch, may have asked for it.
            let there = g.source_named(BLACK);
            let black = there.unwrap_or_else(|| g.source(Role::Setting, BLACK, Ty::f32(&[channels])));
            x = g.apply(AugmentApply { size, output: size, placing: draw.placing }, &[x, drawn[0], black])?;
        }
        if self.recolours() {
            x = g.apply(AugmentColour { channels }, &[x, drawn[1]])?;
        }
        if self.blur > 0.0 {
            let shape = Shape::new(&[rows, BLUR_NUMBERS]);
            let u = g.apply(RandomUniform { shape, stream: stream::BLUR + view }, &[clock])?;
            for axis in [0, 1] {
                let radius = (height.min(width) / WINDOW / 2).max(1).min(size[axis] - 1);
                x = g.apply(AugmentBlur { size, axis, radius, share: self.blur }, &[x, u])?;
            }
        }
        Ok(x)
    }
}

#[cfg(test)]
mod tests;
