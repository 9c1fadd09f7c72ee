//! Parts of a trained network: rows become codes, codes become rows, rows are judged one by one.

use super::forward::network;
use crate::config::RunConfig;
use crate::error::Result;
use crate::graph::{Graph, Role};
use crate::ops::array::binary::Binary;
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
    /// Codes in, rows out.
    Decode,
    /// Rows in, the network's answers out: of a classifier logits of the classes.
    Answer,
    /// Rows in, the mean squared error of each one's reconstruction out.
    Judge,
}

impl Part {
    /// Name of its plan.
    pub fn name(self) -> &'static str {
        match self {
            Part::Encode => "encode",
            Part::Decode => "decode",
            Part::Answer => "answer rows",
            Part::Judge => "judge rows",
        }
    }
}

/// The graph of a part for `batch` rows of a network for `features` values: source `rows`, result `result`.
///
/// # Errors
/// When the layers do not fit the data.
pub fn part(config: &RunConfig, part: Part, features: usize, batch: usize) -> Result<Graph> {
    let g = &mut Graph::new();
    let model = network(g, config, features)?;
    let width = if part == Part::Decode { config.code_width() } else { features };
    let rows = g.source(Role::Input, ROWS, Ty::f32(&[batch, width]));
    let result = match part {
        Part::Encode => model.encode(g, rows)?,
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
    };
    g.result(RESULT, result);
    Ok(std::mem::take(g))
}
