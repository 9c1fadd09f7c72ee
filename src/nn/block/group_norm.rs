//! Group normalisation: `norm = "group", groups = 8`.
//!
//! See [`GroupNorm`]: every sample by itself, in training and after. As many groups as channels are the instance norm, one
//! group the norm of a whole sample.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::image::channels;
use super::{Block, Flow, Kind};
use crate::error::{Error, Result};
use crate::graph::Var;
use crate::nn::builder::{Builder, Init};
use crate::ops::norm::group_norm::GroupNorm;
use crate::tensor::Shape;

/// Groups of channels of a sample brought to mean 0 and variance 1, then scaled and shifted channel by channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupNormBlock {
    /// Over what: groups.
    norm: Group,
    /// How many.
    pub groups: usize,
}

/// The word that stands for this norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Group {
    Group,
}

#[derive(Debug)]
struct Built {
    of: GroupNorm,
    scale: Var,
    shift: Var,
}

impl Kind for GroupNormBlock {
    fn infer(&self, sample: &Shape) -> Result<Shape> {
        let [channels, _] = channels(sample);
        if self.groups > 0 && channels.is_multiple_of(self.groups) {
            return Ok(sample.clone());
        }
        Err(Error::Usage(format!("norm: {channels} channels cannot be cut into {} groups", self.groups)))
    }

    fn build(&self, b: &mut Builder<'_>, sample: &Shape) -> Result<Box<dyn Block>> {
        self.infer(sample)?;
        let [channels, rows_per_sample] = channels(sample);
        let scale = b.parameter("weight", &[channels], Init::Constant(1.0));
        let shift = b.parameter("bias", &[channels], Init::Constant(0.0));
        Ok(Box::new(Built { of: GroupNorm { rows_per_sample, groups: self.groups }, scale, shift }))
    }

    fn word(&self) -> String {
        format!("norm of {} groups", self.groups)
    }
}

impl Block for Built {
    fn forward(&self, flow: &mut Flow<'_>, x: Var) -> Result<Var> {
        Ok(flow.graph.push(Arc::new(self.of), &[x, self.scale, self.shift])?[0])
    }
}
