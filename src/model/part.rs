//! Parts of a trained network: rows become codes, codes become rows, rows are judged one by one.

use super::forward::{network, unrounded};
use crate::config::RunConfig;
use crate::error::{Error, Result};
use crate::graph::{Graph, Role, Var};
use crate::nn::Network;
use crate::nn::network::LOG_VARIANCE;
use crate::nn::rate::CodedShape;
use crate::ops::array::binary::Binary;
use crate::ops::array::reshape::Reshape;
use crate::ops::array::sum_axis::SumAxis;
use crate::ops::array::unary::Unary;
use crate::tensor::Ty;

/// Name of what goes in, and of what comes out.
pub(crate) const ROWS: &str = "rows";
pub(crate) const RESULT: &str = "result";

/// A part of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Rows in, codes out; of a variational network their means.
    Encode,
    /// The same, but that codes stay as they are where they would become whole numbers.
    Unrounded,
    /// Codes in, rows out.
    Decode,
    /// Rows in, the network's answers out: of a classifier logits of the classes.
    Answer,
    /// Rows in, the mean squared error of each one's reconstruction out.
    Judge,
    /// Rows in, the whole numbers that they become out: \[rows, cells · channels\], channels innermost.
    Symbols,
    /// Rows in, the whole numbers of their side codes out, in the same order.
    SideSymbols,
    /// Whole numbers in, what the network makes of them out: of a classifier logits of the classes.
    Restore,
}

impl Part {
    /// Name of its plan.
    pub fn name(self) -> &'static str {
        match self {
            Part::Encode => "encode",
            Part::Unrounded => "encode unrounded",
            Part::Decode => "decode",
            Part::Answer => "answer rows",
            Part::Judge => "judge rows",
            Part::Symbols => "symbols",
            Part::SideSymbols => "side symbols",
            Part::Restore => "restore symbols",
        }
    }
}

/// The graph of a part for `batch` rows of a network for `features` values: source `rows`, result `result`.
///
/// # Errors
/// When the layers do not fit the data, or the network has no such part.
pub fn part(config: &RunConfig, part: Part, features: usize, batch: usize) -> Result<Graph> {
    let g = &mut Graph::new();
    let model = network(g, config, features)?;
    let width = match part {
        Part::Decode => config.code_width(),
        Part::Restore => coded(&model, part)?.symbols(),
        _ => features,
    };
    let rows = g.source(Role::Input, ROWS, Ty::f32(&[batch, width]));
    let result = match part {
        Part::Encode => model.encode(g, rows)?,
        Part::Unrounded => unrounded(g, config, features, &model)?.encode(g, rows)?,
        Part::Decode => model.decode(g, rows)?,
        Part::Answer => {
            let codes = model.encode(g, rows)?;
            model.decode(g, codes)?
        }
        Part::Judge => {
            let codes = model.encode(g, rows)?;
            let reconstruction = model.decode(g, codes)?;
            let difference = g.apply(Binary::Sub, &[reconstruction, rows])?;
            let square = g.apply(Binary::Mul, &[difference, difference])?;
            let sum = g.apply(SumAxis::Columns, &[square])?;
            g.apply(Unary::Affine { scale: 1.0 / features as f32, shift: 0.0 }, &[sum])?
        }
        Part::Symbols | Part::SideSymbols => {
            let of_rows = model.symbols(g, rows)?;
            let chosen = of_rows.and_then(|(symbols, side)| if part == Part::Symbols { Some(symbols) } else { side });
            let chosen = chosen.ok_or_else(|| missing(part))?;
            rows_of(g, chosen, batch)?
        }
        Part::Restore => {
            let CodedShape { cells, channels, .. } = coded(&model, part)?;
            let symbols = g.apply(Reshape::to(&[batch * cells, channels]), &[rows])?;
            model.restored(g, symbols)?
        }
    };
    g.result(RESULT, result);
    Ok(std::mem::take(g))
}

/// The graph of an encoder for `batch` rows of `features` values: source `rows`, result `result`, the codes, and where these are drawn
/// result `log_variance`.
///
/// # Errors
/// When the layers do not fit the data.
pub fn encoder(config: &RunConfig, features: usize, batch: usize) -> Result<Graph> {
    let g = &mut Graph::new();
    let model = network(g, config, features)?;
    let rows = g.source(Role::Input, ROWS, Ty::f32(&[batch, features]));
    let (code, log_variance) = model.latent(g, rows)?;
    g.result(RESULT, code);
    if let Some(log_variance) = log_variance {
        g.result(LOG_VARIANCE, log_variance);
    }
    Ok(std::mem::take(g))
}

/// A matrix that has some rows for each of a batch, with one for each.
fn rows_of(g: &mut Graph, x: Var, batch: usize) -> Result<Var> {
    let columns = g.ty(x).elements() / batch.max(1);
    g.apply(Reshape::to(&[batch, columns]), &[x])
}

/// The shape of a network's code where it becomes whole numbers.
///
/// # Errors
/// When it does so nowhere, or the layers do not fit rows of so many values.
pub fn coded_shape(config: &RunConfig, part: Part, features: usize) -> Result<CodedShape> {
    coded(&network(&mut Graph::new(), config, features)?, part)
}

fn coded(network: &Network, part: Part) -> Result<CodedShape> {
    network.entropy_model.as_ref().map(|model| model.shape).ok_or_else(|| missing(part))
}

fn missing(part: Part) -> Error {
    Error::graph(
        part.name(),
        "the network has none, expected one with [rate], of a hyperprior if side symbols are asked for",
    )
}
