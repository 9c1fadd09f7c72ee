//! Pools: `pool = "max", kernel = 2`, or `"average"`, or `"global"`, the mean over the whole image, which leaves a row of
//! numbers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::conv::check_numbers;
use super::image::{Pair, image};
use super::{Block, Flow, Kind};
use crate::error::{Error, Result};
use crate::graph::Var;
use crate::nn::builder::Builder;
use crate::ops::conv::Window;
use crate::ops::pool::Pool;
use crate::ops::pool::avg_pool::AvgPool;
use crate::ops::pool::max_pool::MaxPool;
use crate::tensor::Shape;

/// What becomes of the pixels of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// The largest of them; padding is smaller than anything.
    Max,
    /// Their mean, padding counted as zeros.
    Average,
    /// The mean of all pixels of the image.
    Global,
}

/// One number for a window of each channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolBlock {
    /// Which number.
    pub pool: Pooling,
    /// Pixels of a window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<Pair>,
    /// Pixels from one window to the next: those of the kernel, if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<Pair>,
    /// Pixels around the image.
    #[serde(default = "Pair::zero", skip_serializing_if = "Pair::is_zero")]
    pub padding: Pair,
}

impl PoolBlock {
    fn of(&self, sample: &Shape) -> Result<Pool> {
        let [height, width, _] = image("pool", sample)?;
        let size = [height, width];
        if self.pool == Pooling::Global {
            return Ok(Pool::global(size));
        }
        let problem = || Error::Usage("pool: expected a kernel, as kernel = 2".into());
        let kernel = self.kernel.ok_or_else(problem)?;
        let stride = self.stride.unwrap_or(kernel).0;
        Ok(Pool { size, window: Window { kernel: kernel.0, stride, padding: self.padding.0, dilation: [1; 2] } })
    }
}

impl Kind for PoolBlock {
    fn check(&self, key: &str) -> Result<()> {
        let refuse = |problem: String| Err(Error::Usage(problem));
        let said = self.kernel.is_some() || self.stride.is_some() || !self.padding.is_zero();
        match (self.pool, self.kernel) {
            (Pooling::Global, _) if said => {
                refuse(format!("{key}.pool global: expected no kernel, stride or padding: it is over the whole image"))
            }
            (Pooling::Global, _) => Ok(()),
            (_, None) => refuse(format!("{key}.pool: expected a kernel beside it, as kernel = 2")),
            (_, Some(kernel)) => {
                let stride = self.stride.unwrap_or(kernel);
                check_numbers(key, &[("kernel", kernel, 1), ("stride", stride, 1), ("padding", self.padding, 0)])?;
                match self.padding.0.iter().zip(kernel.0).find(|(padding, kernel)| **padding > kernel / 2) {
                    Some((padding, kernel)) => {
                        let most = kernel / 2;
                        refuse(format!("{key}.padding {padding}: expected at most {most}, half of the kernel"))
                    }
                    None => Ok(()),
                }
            }
        }
    }

    fn infer(&self, sample: &Shape) -> Result<Shape> {
        let [.., channels] = image("pool", sample)?;
        let of = self.of(sample)?;
        let [height, width] = of.window.output(of.size)?;
        Ok(match self.pool {
            Pooling::Global => Shape::new(&[channels]),
            _ => Shape::new(&[height, width, channels]),
        })
    }

    fn build(&self, _b: &mut Builder<'_>, sample: &Shape) -> Result<Box<dyn Block>> {
        self.infer(sample)?;
        Ok(Box::new(Built { of: self.of(sample)?, is_max: self.pool == Pooling::Max }))
    }

    fn word(&self) -> String {
        match (self.pool, self.kernel) {
            (Pooling::Max, Some(kernel)) => format!("max pool {}", kernel.word()),
            (Pooling::Average, Some(kernel)) => format!("average pool {}", kernel.word()),
            _ => "mean over the image".into(),
        }
    }
}

#[derive(Debug)]
struct Built {
    of: Pool,
    is_max: bool,
}

impl Block for Built {
    fn forward(&self, flow: &mut Flow<'_>, x: Var) -> Result<Var> {
        if !self.is_max {
            return flow.graph.apply(AvgPool(self.of), &[x]);
        }
        // The places of the maxima are for their gradient alone.
        Ok(flow.graph.push(Arc::new(MaxPool(self.of)), &[x])?[0])
    }
}
