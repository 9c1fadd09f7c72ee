//! The restricted Boltzmann machine: a layer of visible and one of hidden units, all 0 or 1.
//!
//! Sources: Smolensky, "Information processing in dynamical systems: foundations of harmony theory" (1986); Hinton,
//! "Training products of experts by minimizing contrastive divergence" (2002). With weights W \[hidden, visible\],
//! hidden biases c and visible biases b, a state has the energy −hᵀWv − cᵀh − bᵀv, and
//!
//! * p(h | v) = σ(c + W v) and p(v | h) = σ(b + Wᵀ h), unit by unit
//! * F(v) = −b·v − Σ softplus(c + W v), the free energy: e^{−F(v)} is proportional to the probability of v

use crate::error::Result;
use crate::graph::{Graph, Var};
use crate::ops::array::activation::Activation;
use crate::ops::array::add_bias::AddBias;
use crate::ops::array::binary::Binary;
use crate::ops::array::broadcast::Broadcast;
use crate::ops::array::sum_axis::SumAxis;
use crate::ops::array::unary::Unary;
use crate::ops::matmul::MatMul;
use crate::ops::random::threshold::Threshold;

/// The parameters of a machine in a graph.
#[derive(Clone, Copy, Debug)]
pub struct Boltzmann {
    /// W \[hidden, visible\].
    pub weight: Var,
    /// c \[hidden\].
    pub hidden_bias: Var,
    /// b \[visible\].
    pub visible_bias: Var,
}

/// One step of Gibbs sampling: hidden units given visible ones, then visible units given those.
#[derive(Clone, Copy, Debug)]
pub struct GibbsStep {
    /// p(h | v) \[rows, hidden\].
    pub hidden_probability: Var,
    /// A sample of it.
    pub hidden: Var,
    /// p(v | h) \[rows, visible\] for that sample.
    pub visible_probability: Var,
    /// A sample of it.
    pub visible: Var,
}

impl Boltzmann {
    /// c + W v for rows v \[rows, visible\].
    fn hidden_field(&self, g: &mut Graph, v: Var) -> Result<Var> {
        let product = g.apply(MatMul::Nt, &[v, self.weight])?;
        g.apply(AddBias, &[product, self.hidden_bias])
    }

    /// p(h | v) \[rows, hidden\] for rows v \[rows, visible\].
    ///
    /// # Errors
    /// When v has another width.
    pub fn hidden(&self, g: &mut Graph, v: Var) -> Result<Var> {
        let field = self.hidden_field(g, v)?;
        g.apply(Activation::Sigmoid, &[field])
    }

    /// p(v | h) \[rows, visible\] for rows h \[rows, hidden\], samples or probabilities.
    ///
    /// # Errors
    /// When h has another width.
    pub fn visible(&self, g: &mut Graph, h: Var) -> Result<Var> {
        let product = g.apply(MatMul::Nn, &[h, self.weight])?;
        let field = g.apply(AddBias, &[product, self.visible_bias])?;
        g.apply(Activation::Sigmoid, &[field])
    }

    /// A step from rows v \[rows, visible\], with uniform draws for the hidden \[rows, hidden\] and the visible units
    /// \[rows, visible\]. No gradient passes through a sample.
    ///
    /// # Errors
    /// When the draws do not have the shapes of what is drawn.
    pub fn gibbs(&self, g: &mut Graph, v: Var, draws: [Var; 2]) -> Result<GibbsStep> {
        let hidden_probability = self.hidden(g, v)?;
        let hidden = g.apply(Threshold::Bernoulli, &[hidden_probability, draws[0]])?;
        let visible_probability = self.visible(g, hidden)?;
        let visible = g.apply(Threshold::Bernoulli, &[visible_probability, draws[1]])?;
        Ok(GibbsStep { hidden_probability, hidden, visible_probability, visible })
    }

    /// F(v) \[rows\] in nats for rows v \[rows, visible\].
    ///
    /// # Errors
    /// When v has another width.
    pub fn free_energy(&self, g: &mut Graph, v: Var) -> Result<Var> {
        let rows = g.ty(v).shape.matrix().map_or(1, |(rows, _)| rows);
        let biases = g.apply(Broadcast::Rows(rows), &[self.visible_bias])?;
        let visible = g.apply(Binary::Mul, &[v, biases])?;
        let visible = g.apply(SumAxis::Columns, &[visible])?;
        let field = self.hidden_field(g, v)?;
        let hidden = g.apply(Activation::Softplus, &[field])?;
        let hidden = g.apply(SumAxis::Columns, &[hidden])?;
        let sum = g.apply(Binary::Add, &[visible, hidden])?;
        g.apply(Unary::Affine { scale: -1.0, shift: 0.0 }, &[sum])
    }
}
