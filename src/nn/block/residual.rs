//! Blocks around which there is a way: `residual = [{ linear = 64, activation = "relu" }, { linear = 64 }]`.
//!
//! Source: He et al., "Deep Residual Learning for Image Recognition" (2016): y = F(x) + S(x), F the blocks and S the
//! shortcut, which is the identity if nothing is said.

use serde::{Deserialize, Serialize};

use super::{Block, BlockConfig, Flow, Kind, sequence};
use crate::error::{Error, Result};
use crate::graph::Var;
use crate::nn::builder::Builder;
use crate::ops::array::binary::Binary;
use crate::tensor::Shape;

/// What blocks make of x, added to x or to what a shortcut makes of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResidualBlock {
    /// The blocks.
    pub residual: Vec<BlockConfig>,
    /// The way around them; nothing is done on it if it is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shortcut: Vec<BlockConfig>,
}

#[derive(Debug)]
struct Built {
    blocks: Vec<Box<dyn Block>>,
    shortcut: Vec<Box<dyn Block>>,
}

/// The shape behind a list of blocks.
fn behind(blocks: &[BlockConfig], sample: &Shape) -> Result<Shape> {
    blocks.iter().try_fold(sample.clone(), |sample, block| block.kind().infer(&sample))
}

impl Kind for ResidualBlock {
    fn check(&self, key: &str) -> Result<()> {
        if self.residual.is_empty() {
            return Err(Error::Usage(format!("{key}.residual: expected at least one block")));
        }
        for (name, blocks) in [("residual", &self.residual), ("shortcut", &self.shortcut)] {
            for (index, block) in blocks.iter().enumerate() {
                block.kind().check(&format!("{key}.{name}.{}", index + 1))?;
            }
        }
        Ok(())
    }

    fn infer(&self, sample: &Shape) -> Result<Shape> {
        let (through, around) = (behind(&self.residual, sample)?, behind(&self.shortcut, sample)?);
        if through == around {
            return Ok(through);
        }
        let problem = format!("its blocks give {through}, the way around them {around}: expected the same");
        Err(Error::Usage(format!("residual: {problem}; a linear block in 'shortcut' can change it")))
    }

    fn build(&self, b: &mut Builder<'_>, sample: &Shape) -> Result<Box<dyn Block>> {
        self.infer(sample)?;
        let (blocks, _) = b.within("blocks", |b| sequence(b, &self.residual, sample, 0))?;
        let (shortcut, _) = b.within("shortcut", |b| sequence(b, &self.shortcut, sample, 0))?;
        Ok(Box::new(Built { blocks, shortcut }))
    }

    fn blocks(&self) -> usize {
        1 + self.residual.iter().chain(&self.shortcut).map(|block| block.kind().blocks()).sum::<usize>()
    }

    fn word(&self) -> String {
        format!("residual of {}", self.residual.len())
    }
}

impl Block for Built {
    fn forward(&self, flow: &mut Flow<'_>, x: Var) -> Result<Var> {
        let through = self.blocks.iter().try_fold(x, |x, block| block.forward(flow, x))?;
        let around = self.shortcut.iter().try_fold(x, |x, block| block.forward(flow, x))?;
        flow.graph.apply(Binary::Add, &[through, around])
    }
}
