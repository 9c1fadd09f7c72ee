//! Rows on their way through a network: forward for one of the purposes, and halfway.

use super::block::{Flow, dropped};
use super::network::{Network, Passed, Placed};
use super::rate::Coded;
use super::{Layer, Pass, stream};
use crate::error::Result;
use crate::graph::{Graph, Var};
use crate::ops::array::activation::Activation;
use crate::ops::array::binary::Binary;
use crate::ops::array::unary::Unary;
use crate::ops::random::random_normal::RandomNormal;
use crate::tensor::Shape;

impl Network {
    /// Rows through the network, for this purpose.
    ///
    /// # Errors
    /// When x has another shape than the network was built for.
    pub fn forward(&self, g: &mut Graph, x: Var, clock: Var, pass: Pass) -> Result<Passed> {
        let flow = &mut Flow { graph: g, clock: Some(clock), pass, moments: Vec::new() };
        let (mut x, mut code, mut logits, mut latent, mut coded) = (x, x, None, None, None);
        let rows = flow.graph.ty(x).shape.dims().first().copied().unwrap_or(1);
        let mut outputs = Vec::with_capacity(self.blocks.len());
        for (index, placed) in self.blocks.iter().enumerate() {
            let (first, last) = (index + 1 == self.encoder, index + 1 == self.blocks.len());
            let mut output = match (last && self.logits).then(|| argument(flow.graph, placed, x)).flatten() {
                Some((argument, activation)) => {
                    let argument = argument?;
                    logits = Some(argument);
                    flow.graph.apply(activation, &[argument])?
                }
                None => placed.block.forward(flow, x)?,
            };
            if let Some(wide) = self.log_variance.as_ref().filter(|_| first) {
                let log_variance = wide.forward(flow.graph, x)?;
                latent = Some([output, log_variance]);
                if pass != Pass::Show {
                    output = drawn(flow.graph, output, log_variance, clock)?;
                }
            }
            let before = output;
            output = self.quantised(flow, index, before)?;
            if let Some(model) = self.entropy_model.as_ref().filter(|model| model.spec.behind == index) {
                coded = Some(Coded { latent: before, symbols: model.counted(flow, before, output)? });
            }
            if placed.is_layer {
                outputs.push(output);
            }
            if first {
                code = output;
            }
            x = match (placed.dropout, self.prior.filter(|_| first)) {
                (_, Some(width)) => {
                    let codes = RandomNormal { shape: Shape::new(&[rows, width]), stream: stream::CODE };
                    flow.graph.apply(codes, &[clock])?
                }
                (Some((rate, stream)), None) => dropped(flow, output, rate, stream)?,
                (None, None) => output,
            };
        }
        Ok(Passed { outputs, code, answer: x, logits, latent, coded, moments: std::mem::take(&mut flow.moments) })
    }

    /// The codes of rows x, of drawn ones the means.
    ///
    /// # Errors
    /// When x has another shape.
    pub fn encode(&self, g: &mut Graph, x: Var) -> Result<Var> {
        self.through(g, 0..self.encoder, x)
    }

    /// The codes of rows x, with their log-variances where they are drawn.
    ///
    /// # Errors
    /// When x has another shape.
    pub fn latent(&self, g: &mut Graph, x: Var) -> Result<(Var, Option<Var>)> {
        let last = self.encoder - 1;
        let before = self.through(g, 0..last, x)?;
        let code = self.through(g, last..self.encoder, before)?;
        let log_variance = self.log_variance.as_ref().map(|layer| layer.forward(g, before)).transpose()?;
        Ok((code, log_variance))
    }

    /// What the encoder makes of rows x for this purpose.
    ///
    /// # Errors
    /// When x has another shape.
    pub fn judge(&self, g: &mut Graph, x: Var, clock: Var, pass: Pass) -> Result<Var> {
        let flow = &mut Flow { graph: g, clock: Some(clock), pass, moments: Vec::new() };
        self.blocks[..self.encoder].iter().enumerate().try_fold(x, |x, (index, placed)| {
            let output = placed.block.forward(flow, x)?;
            let output = self.quantised(flow, index, output)?;
            placed.dropout.map_or(Ok(output), |(rate, stream)| dropped(flow, output, rate, stream))
        })
    }

    /// What each block of the encoder makes of rows x, from the first on.
    ///
    /// # Errors
    /// When x has another shape.
    pub fn stages(&self, g: &mut Graph, mut x: Var) -> Result<Vec<Var>> {
        let flow = &mut Flow { graph: g, clock: None, pass: Pass::Show, moments: Vec::new() };
        let mut stages = Vec::with_capacity(self.encoder);
        for (index, placed) in self.blocks[..self.encoder].iter().enumerate() {
            x = placed.block.forward(flow, x)?;
            x = self.quantised(flow, index, x)?;
            stages.push(x);
        }
        Ok(stages)
    }

    /// The whole numbers that rows x become, and those of their side code if there is one; nothing where codes stay what they are.
    ///
    /// # Errors
    /// When x has another shape.
    pub fn symbols(&self, g: &mut Graph, x: Var) -> Result<Option<(Var, Option<Var>)>> {
        let Some(model) = &self.entropy_model else { return Ok(None) };
        let mut latent = self.through(g, 0..model.spec.behind, x)?;
        let flow = &mut Flow { graph: g, clock: None, pass: Pass::Show, moments: Vec::new() };
        latent = self.blocks[model.spec.behind].block.forward(flow, latent)?;
        let symbols = self.quantised(flow, model.spec.behind, latent)?;
        Ok(Some((symbols, model.side_symbols(g, latent)?)))
    }

    /// What becomes of such numbers.
    ///
    /// # Errors
    /// When they have another shape, or codes stay what they are.
    pub fn restored(&self, g: &mut Graph, symbols: Var) -> Result<Var> {
        let first = self.entropy_model.as_ref().map_or(self.encoder, |model| model.spec.behind + 1);
        self.through(g, first..self.blocks.len(), symbols)
    }

    /// What this block's output passes on as.
    fn quantised(&self, flow: &mut Flow<'_>, index: usize, output: Var) -> Result<Var> {
        match &self.entropy_model {
            Some(model) if model.spec.behind == index => model.quantise(flow, output),
            _ => Ok(output),
        }
    }

    /// What becomes of codes.
    ///
    /// # Errors
    /// When they have another shape.
    pub fn decode(&self, g: &mut Graph, codes: Var) -> Result<Var> {
        self.through(g, self.encoder..self.blocks.len(), codes)
    }

    fn through(&self, g: &mut Graph, blocks: std::ops::Range<usize>, x: Var) -> Result<Var> {
        let flow = &mut Flow { graph: g, clock: None, pass: Pass::Show, moments: Vec::new() };
        let numbers = blocks.clone();
        numbers.zip(&self.blocks[blocks]).try_fold(x, |x, (index, placed)| {
            let output = placed.block.forward(flow, x)?;
            self.quantised(flow, index, output)
        })
    }
}

/// What the activation of a layer, or one by itself, is applied to, and which it is; none of another block.
fn argument(g: &mut Graph, placed: &Placed, x: Var) -> Option<(Result<Var>, Activation)> {
    if let Some(layer) = placed.block.layer() {
        let plain = Layer { activation: Activation::Identity, ..layer.clone() };
        return Some((plain.forward(g, x), layer.activation));
    }
    placed.block.activation().map(|activation| (Ok(x), activation))
}

/// μ + e^{l/2} ε with ε standard normal.
fn drawn(g: &mut Graph, mean: Var, log_variance: Var, clock: Var) -> Result<Var> {
    let noise = g.apply(RandomNormal { shape: g.ty(mean).shape.clone(), stream: stream::CODE }, &[clock])?;
    let half = g.apply(Unary::Affine { scale: 0.5, shift: 0.0 }, &[log_variance])?;
    let deviation = g.apply(Unary::Exp, &[half])?;
    let shift = g.apply(Binary::Mul, &[deviation, noise])?;
    g.apply(Binary::Add, &[mean, shift])
}
