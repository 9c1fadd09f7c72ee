//! Images changed at random: what is drawn for each, and what becomes of it.
//!
//! A batch is [rows, height · width · channels], channels innermost. [`augment_draw`] turns uniform numbers into a place and
//! colours for every image, [`augment_apply`] and [`augment_colour`] carry them out; [`augment_blur`]
//! draws for itself. Apart, so that each is proved by itself,
//! and so that whoever wants two views of a batch draws twice, from two streams.
//!
//! Nothing is differentiated through them: images are data, draws decide.

pub mod augment_apply;
pub mod augment_blur;
pub mod augment_colour;
pub mod augment_draw;

/// What a row of the batch reads, by what [`augment_draw::AugmentDraw`] draws for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Placing {
    /// The image turned, scaled and shifted about its middle; what lies beyond its edge is black.
    Moved(Movement),
    /// A box of the image, brought to the size of the result.
    Cut {
        /// Smallest area of a box, as a share of the image's.
        least: f32,
    },
}

/// How far an image may be moved.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Movement {
    /// Whole pixels down or up, and right or left: a window of the image's size into the image with so many pixels around it.
    pub padding: usize,
    /// The same as a share of height and width, between pixels.
    pub shift: f32,
    /// Degrees that it is turned by at most, either way.
    pub degrees: f32,
    /// By what share of its size it is made larger or smaller at most.
    pub scale: f32,
    /// How far a row leans against the one a pixel above it at most, in pixels, either way.
    pub shear: f32,
}

impl Placing {
    /// Its number in the shaders.
    pub(crate) fn number(&self) -> u32 {
        u32::from(matches!(self, Placing::Cut { .. }))
    }
}

/// Numbers of a place: of one that is moved the matrix by rows and how far down and right, of one that is cut out the box as
/// top, left, height and width; last whether it is upside down, and whether left is right.
pub const PLACE: usize = 8;

/// Numbers of colours: whether they change, the factors of brightness, contrast and saturation, the turn of the hue, whether
/// the image becomes grey; two are spare.
pub const COLOURS: usize = 8;

/// Shares of red, green and blue in grey, as ITU-R BT.601 has them with four digits.
pub(crate) const GREY: [f64; 3] = [0.2989, 0.587, 0.114];

#[cfg(test)]
mod tests;
