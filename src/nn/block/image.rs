//! What blocks that work on images have in common: the shape of a sample, and numbers of which there is one an axis.
//!
//! A sample that is an image has the shape \[height, width, channels\]; a batch of them is the matrix \[batch · height · width,
//! channels\], as in [`crate::ops::conv`].

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::{Error, Result};
use crate::tensor::Shape;

/// Height, width and channels of a sample that is an image; `kind` is the block that wants one.
///
/// # Errors
/// When it is none.
pub fn image(kind: &str, sample: &Shape) -> Result<[usize; 3]> {
    match *sample.dims() {
        [height, width, channels] => Ok([height, width, channels]),
        _ => {
            let found = format!("{kind}: expected images, found samples of {sample} numbers");
            Err(Error::Usage(format!(
                "{found}; a block unflatten = \"HEIGHTxWIDTHxCHANNELS\" before it makes images of them"
            )))
        }
    }
}

/// Channels of a sample, an image's or a vector's numbers, and how many rows of a matrix it is.
pub(in crate::nn) fn channels(sample: &Shape) -> [usize; 2] {
    let channels = sample.dims().last().copied().unwrap_or(1);
    [channels, sample.elements() / channels.max(1)]
}

/// A number for the vertical and one for the horizontal axis: `3`, or `[3, 1]` where they differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pair(pub [usize; 2]);

impl Pair {
    /// The same for both.
    pub const fn both(number: usize) -> Self {
        Pair([number; 2])
    }

    /// 1, for what is not said.
    pub(super) fn one() -> Self {
        Pair::both(1)
    }

    pub(super) fn zero() -> Self {
        Pair::both(0)
    }

    pub(super) fn is_one(&self) -> bool {
        *self == Pair::one()
    }

    pub(super) fn is_zero(&self) -> bool {
        *self == Pair::zero()
    }

    /// In words: `3`, or `3x1`.
    pub fn word(self) -> String {
        match self.0 {
            [vertical, horizontal] if vertical == horizontal => vertical.to_string(),
            [vertical, horizontal] => format!("{vertical}x{horizontal}"),
        }
    }
}

impl Serialize for Pair {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            [vertical, horizontal] if vertical == horizontal => vertical.serialize(serializer),
            both => both.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Pair {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Spelt {
            One(usize),
            Two([usize; 2]),
        }
        match Spelt::deserialize(deserializer) {
            Ok(Spelt::One(number)) => Ok(Pair::both(number)),
            Ok(Spelt::Two(both)) => Ok(Pair(both)),
            Err(_) => {
                Err(de::Error::custom("expected a number, or two for the vertical and the horizontal axis, as [3, 1]"))
            }
        }
    }
}

/// Height, width and channels, spelt `28x28x1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ImageSize(pub [usize; 3]);

impl ImageSize {
    /// As a configuration spells it.
    pub fn word(self) -> String {
        let [height, width, channels] = self.0;
        format!("{height}x{width}x{channels}")
    }
}

impl Serialize for ImageSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.word())
    }
}

impl<'de> Deserialize<'de> for ImageSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parts: Result<Vec<usize>, _> = text.split('x').map(str::parse).collect();
        match parts.as_deref() {
            Ok(&[height, width, channels]) => Ok(ImageSize([height, width, channels])),
            _ => Err(de::Error::custom(format!("'{text}': expected height, width and channels, as \"28x28x1\""))),
        }
    }
}
