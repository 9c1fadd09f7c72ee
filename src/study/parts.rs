//! Batch by batch through a part of a network: what codes and lone parts share.

use crate::config::RunConfig;
use crate::data::Split;
use crate::device::{Device, ProgramId};
use crate::error::{Error, Result};
use crate::model::part::{self, Part, RESULT, ROWS};

/// Most rows that go through a part at a time.
const BATCH: usize = 500;
/// Most values of all of them, unless one row has more.
const MOST_VALUES: usize = 1 << 22;
/// A program, and how many rows go through it at a time.
pub(super) type Batched = (ProgramId, usize);

/// How many rows of so many values go through a part at a time.
pub(super) fn batch(features: usize) -> usize {
    (MOST_VALUES / features.max(1)).clamp(1, BATCH)
}

/// Where the rows come from that go through a part.
pub(super) enum Source<'a> {
    /// Rows one behind the other.
    Rows(&'a [f32]),
    /// All rows of a split, a batch at a time.
    Split(&'a Split),
}

impl Source<'_> {
    /// Number of rows of so many values; an error if they are no such rows.
    fn count(&self, which: Part, values: usize) -> Result<usize> {
        let (rows, found) = match self {
            Source::Rows(rows) if rows.len().is_multiple_of(values) => return Ok(rows.len() / values),
            Source::Split(split) if split.width == values || split.rows == 0 => return Ok(split.rows),
            Source::Rows(rows) => ("these", rows.len()),
            Source::Split(split) => ("rows of", split.width),
        };
        Err(Error::graph(which.name(), format!("{rows} {found} values are no rows of {values}")))
    }

    /// Appends some rows, of so many values each.
    fn take(&self, range: std::ops::Range<usize>, values: usize, out: &mut Vec<f32>) {
        match self {
            Source::Rows(rows) => out.extend_from_slice(&rows[range.start * values..range.end * values]),
            Source::Split(split) => range.for_each(|row| split.append(row, out)),
        }
    }
}

/// Values of a row that a part takes, and of one that it gives.
pub(super) fn widths(config: &RunConfig, which: Part, features: usize) -> Result<[usize; 2]> {
    let coded = || part::coded_shape(config, which, features);
    Ok(match which {
        Part::Encode | Part::Unrounded => [features, config.encoded_width()],
        Part::Decode => [config.code_width(), features],
        Part::Answer => [features, config.answer_width(features)],
        Part::Judge => [features, 1],
        Part::Symbols => [features, coded()?.symbols()],
        Part::SideSymbols => [features, coded()?.side_symbols()],
        Part::Restore => [coded()?.symbols(), config.answer_width(features)],
    })
}

/// Batch by batch through a part that is loaded; the last one is filled up with zeros.
pub(super) async fn through(
    device: &mut dyn Device,
    (program, batch): Batched,
    which: Part,
    [from, to]: [usize; 2],
    rows: &Source<'_>,
    mut tell: impl FnMut(usize, usize),
) -> Result<Vec<f32>> {
    let count = rows.count(which, from)?;
    let mut results = Vec::with_capacity(count * to);
    let mut filled = Vec::with_capacity(batch * from);
    for first in (0..count).step_by(batch) {
        let end = (first + batch).min(count);
        filled.clear();
        rows.take(first..end, from, &mut filled);
        filled.resize(batch * from, 0.0);
        device.write(program, ROWS, bytemuck::cast_slice(&filled))?;
        device.run(program, 1)?;
        let result = device.fetch_f32(program, RESULT).await?;
        results.extend_from_slice(&result[..(end - first) * to]);
        tell(end, count);
    }
    match results.iter().position(|value| !value.is_finite()) {
        Some(place) => Err(Error::Failed(format!("{}: what comes of row {} is not finite", which.name(), place / to))),
        None => Ok(results),
    }
}
