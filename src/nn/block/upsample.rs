//! Images made larger: `upsample = 2`, with the same pixel several times, or `between = "bilinear"`.

use serde::{Deserialize, Serialize};

use super::image::image;
use super::{Block, Flow, Kind};
use crate::error::{Error, Result};
use crate::graph::Var;
use crate::nn::builder::Builder;
use crate::ops::pool::upsample::{Between, Upsample};
use crate::tensor::Shape;

/// Most times that an image becomes larger.
const MOST: usize = 64;

/// An image a whole number of times as high and as wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpsampleBlock {
    /// How many times.
    pub upsample: usize,
    /// What lies between pixels; the nearest one if nothing is said.
    #[serde(default, skip_serializing_if = "Filling::is_nearest")]
    pub between: Filling,
}

/// What lies between the pixels of an image that is made larger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Filling {
    /// The nearest of them.
    #[default]
    Nearest,
    /// Their neighbours in proportion, along each axis.
    Bilinear,
}

impl Filling {
    fn is_nearest(&self) -> bool {
        *self == Filling::Nearest
    }
}

impl Kind for UpsampleBlock {
    fn check(&self, key: &str) -> Result<()> {
        if (1..=MOST).contains(&self.upsample) {
            return Ok(());
        }
        Err(Error::Usage(format!("{key}.upsample {}: expected 1 to {MOST} times", self.upsample)))
    }

    fn infer(&self, sample: &Shape) -> Result<Shape> {
        let [height, width, channels] = image("upsample", sample)?;
        Ok(Shape::new(&[height * self.upsample, width * self.upsample, channels]))
    }

    fn build(&self, _b: &mut Builder<'_>, sample: &Shape) -> Result<Box<dyn Block>> {
        let [height, width, _] = image("upsample", sample)?;
        let between = if self.between.is_nearest() { Between::Nearest } else { Between::Bilinear };
        Ok(Box::new(Built(Upsample { size: [height, width], factor: self.upsample, between })))
    }

    fn word(&self) -> String {
        let how = if self.between.is_nearest() { "nearest" } else { "bilinear" };
        format!("upsample {}, {how}", self.upsample)
    }
}

#[derive(Debug)]
struct Built(Upsample);

impl Block for Built {
    fn forward(&self, flow: &mut Flow<'_>, x: Var) -> Result<Var> {
        flow.graph.apply(self.0, &[x])
    }
}
