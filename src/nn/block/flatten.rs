//! An image becomes a row of numbers, and back: `flatten = true`, `unflatten = "7x7x32"`.
//!
//! Both are views, which cost nothing: the numbers lie pixel by pixel, channels innermost. PyTorch's lie channel by channel, so what
//! reads a flattened image, or writes one, is stored in that order ([`crate::nn::order`]).

use serde::{Deserialize, Deserializer, Serialize, de};

use super::image::{ImageSize, channels, image};
use super::{Block, Flow, Kind};
use crate::error::{Error, Result};
use crate::graph::Var;
use crate::nn::builder::Builder;
use crate::ops::array::reshape::Reshape;
use crate::tensor::Shape;

/// Largest extent of an image.
const MOST: usize = 1 << 14;

/// An image as a row of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlattenBlock {
    /// That it is one: nothing else can be said.
    #[serde(deserialize_with = "is_true")]
    flatten: bool,
}

fn is_true<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match bool::deserialize(deserializer)? {
        true => Ok(true),
        false => Err(de::Error::custom("flatten = false: expected true, or no such block")),
    }
}

impl FlattenBlock {
    /// The one there is.
    pub fn new() -> Self {
        FlattenBlock { flatten: true }
    }
}

impl Default for FlattenBlock {
    fn default() -> Self {
        Self::new()
    }
}

impl Kind for FlattenBlock {
    fn infer(&self, sample: &Shape) -> Result<Shape> {
        image("flatten", sample)?;
        Ok(Shape::new(&[sample.elements()]))
    }

    fn build(&self, _b: &mut Builder<'_>, sample: &Shape) -> Result<Box<dyn Block>> {
        self.infer(sample)?;
        Ok(Box::new(View { columns: sample.elements() }))
    }

    fn word(&self) -> String {
        "flatten".into()
    }
}

/// A row of numbers as an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnflattenBlock {
    /// Height, width and channels of the image.
    pub unflatten: ImageSize,
}

impl Kind for UnflattenBlock {
    fn check(&self, key: &str) -> Result<()> {
        if self.unflatten.0.iter().all(|extent| (1..=MOST).contains(extent)) {
            return Ok(());
        }
        Err(Error::Usage(format!("{key}.unflatten {}: expected extents from 1 to {MOST}", self.unflatten.word())))
    }

    fn infer(&self, sample: &Shape) -> Result<Shape> {
        let shape = Shape::new(&self.unflatten.0);
        let (found, wanted) = (sample.elements(), shape.elements());
        if sample.dims().len() != 1 || found != wanted {
            let of = if sample.dims().len() == 1 { format!("{found} numbers") } else { format!("images of {sample}") };
            return Err(Error::Usage(format!(
                "unflatten {}: expected rows of {wanted} numbers, found {of}",
                self.unflatten.word()
            )));
        }
        Ok(shape)
    }

    fn build(&self, _b: &mut Builder<'_>, sample: &Shape) -> Result<Box<dyn Block>> {
        let [columns, _] = channels(&self.infer(sample)?);
        Ok(Box::new(View { columns }))
    }

    fn word(&self) -> String {
        format!("unflatten {}", self.unflatten.word())
    }
}

/// The same numbers in rows of another length.
#[derive(Debug)]
struct View {
    columns: usize,
}

impl Block for View {
    fn forward(&self, flow: &mut Flow<'_>, x: Var) -> Result<Var> {
        let rows = flow.graph.ty(x).elements() / self.columns;
        flow.graph.apply(Reshape::to(&[rows, self.columns]), &[x])
    }
}
