//! A batch of rows and what a network has made of it: what the terms of a loss are made of.

use std::rc::Rc;

use super::network::{Network, Passed};
use crate::error::{Error, Result};
use crate::graph::{Graph, Role, Var};
use crate::tensor::Ty;

/// What a batch is computed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// To learn: with noise, with units left out, codes drawn, normalised by the batch.
    Train,
    /// To be judged: as it is, codes drawn, since a likelihood is that of a draw; see [`Batch::reconstruction`].
    Judge,
    /// To be looked at: as it is, codes their means.
    Show,
}

/// Name of a term's weight on a device.
pub fn weight_name(term: &str) -> String {
    format!("lambda_{term}")
}

/// Draws of one step that must not be the same.
pub mod stream {
    /// Perturbations that a clustering must withstand.
    pub const PERTURBATION: u32 = 1;
    /// Noise on the way in.
    pub const CORRUPTION: u32 = 2;
    /// Codes around their means.
    pub const CODE: u32 = 3;
    /// The distribution that codes are compared with.
    pub const PRIOR: u32 = 4;
    /// What stands for the rounding of codes.
    pub const CODE_NOISE: u32 = 5;
    /// What stands for that of side codes.
    pub const SIDE_NOISE: u32 = 6;
    /// Images changed while training; and the number of the view of them, below 4.
    pub const AUGMENT: u32 = 8;
    /// Those that are blurred; and the number of the view.
    pub const BLUR: u32 = 12;
    /// Units left out behind a layer; and the number of the layer, from 0.
    pub const DROPOUT: u32 = 16;
    /// Units left out by a block of its own; and the number of the block.
    pub const DROPOUT_BLOCK: u32 = 512;
    /// Random projections; and the number of the probe.
    pub const CONTRACTION: u32 = 1 << 10;
    /// Gibbs chains; and twice the number of the step, one more for its visible units.
    pub const GIBBS: u32 = 1 << 16;
}

/// A batch of a data set, and everything computed from it that terms share.
#[derive(Debug)]
pub struct Batch {
    /// What it is computed for.
    pub pass: Pass,
    /// The clock, which says how many rows of `x` count: not that of the plan where each of its rows comes in several views.
    pub clock: Var,
    /// Numbers of the batch's rows \[batch\].
    pub rows: Var,
    /// The rows as they are \[batch, features\]; while training as `[augment]` has changed them, but for clusters, which
    /// compare both. Of views \[2 batch, features\], those of a row side by side.
    pub x: Var,
    /// The rows as the network gets them, under noise if there is any.
    pub input: Var,
    /// The network, which the parts of a batch share.
    pub network: Rc<Network>,
    /// What it makes of them.
    pub passed: Passed,
    /// What the views of all parts came to, where they were compared across the parts that the batch goes through in.
    pub compared: Option<[Var; 2]>,
    /// Name of the data set's split, `train`, `validation` or `test`.
    pub split: String,
    /// Its number of rows, of those that a device holds at a time.
    pub split_rows: usize,
}

impl Batch {
    /// The answer whose distance from the rows is an error of reconstruction: what is learnt from while it is learnt; to be
    /// judged, what whoever looks at the network sees, of a drawn code that of its mean.
    ///
    /// # Errors
    /// When the decoder does not take the codes.
    pub fn reconstruction(&self, g: &mut Graph) -> Result<Var> {
        match self.passed.latent {
            Some([mean, _]) if self.pass == Pass::Judge => self.network.decode(g, mean),
            _ => Ok(self.passed.answer),
        }
    }

    /// What the network makes of other rows, for the same purpose.
    ///
    /// # Errors
    /// When they have another shape.
    pub fn again(&self, g: &mut Graph, x: Var) -> Result<Passed> {
        self.network.forward(g, x, self.clock, self.pass)
    }

    /// What is seen of other rows, codes their means.
    ///
    /// # Errors
    /// When they have another shape.
    pub fn shown(&self, g: &mut Graph, x: Var) -> Result<Passed> {
        self.network.forward(g, x, self.clock, Pass::Show)
    }

    /// Further data of the split, one value a row, as `train labels`: whoever loads the plan writes it.
    ///
    /// # Errors
    /// Never for a type of as many rows as the split has.
    pub fn further(&self, g: &mut Graph, what: &str, ty: Ty) -> Result<Var> {
        if ty.shape.dims().first() != Some(&self.split_rows) {
            return Err(Error::graph(what, format!("{ty} is no value for each of {} rows", self.split_rows)));
        }
        let name = format!("{} {what}", self.split);
        // Another part of the batch may have asked for it.
        let there = g.source_named(&name);
        Ok(there.unwrap_or_else(|| g.source(Role::Data, name, ty)))
    }

    /// The weight of the term of this name, if training has it: what paces whatever is in front of the term.
    pub fn price(&self, g: &Graph, term: &str) -> Option<Var> {
        g.source_named(&weight_name(term))
    }

    /// The layers of the network.
    ///
    /// # Errors
    /// When it is no chain of linear layers; `what` says what needs one.
    pub fn chain(&self, what: &str) -> Result<&[super::Layer]> {
        let problem = || format!("{what}: expected a network of linear layers with biases, one behind the other");
        self.network.chain().ok_or_else(|| Error::Usage(problem()))
    }
}
