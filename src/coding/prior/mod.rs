//! What a network expects of the symbols of a row: around which number each lies, and a table for the distances from it.
//!
//! Plain numbers: no configuration, no device. The symbols of a row are `cells × channels`, channels innermost; in the order in which a
//! device has them.

use std::borrow::Cow;

use super::cumulative::{Cumulative, Factorized, PARAMETERS, table};
use super::gaussian::{Tables, centre_and_phase, scale_index_of_raw, sixteenths};
use super::table::Table;
use crate::error::{Error, Result};

mod side;

use side::Side;

/// Largest mean of a channel, either way.
const LARGEST_MEAN: f32 = (1 << 26) as f32;

/// How the distribution of a symbol comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A normal distribution for each channel.
    Gaussian,
    /// Any distribution for each channel, by its cumulative function.
    Factorized,
    /// A normal distribution for each symbol, which a side code tells.
    Hyperprior,
}

/// Side codes of an image: each stands for a block of cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Side codes from top to bottom.
    pub height: usize,
    /// Side codes from left to right.
    pub width: usize,
    /// Cells that one stands for, either way: the map has height · factor × width · factor of them.
    pub factor: usize,
}

/// How the symbols of a row lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lie {
    /// Cells: 1 of a plain code, height · width of a map.
    pub cells: usize,
    /// Symbols of a cell.
    pub channels: usize,
    /// How side codes lie; none where there is one for the whole row, or none at all.
    pub grid: Option<Grid>,
}

/// Where the symbols of a row are expected.
#[derive(Clone, Debug)]
pub struct Prior {
    kind: Kind,
    lie: Lie,
    /// For each channel of the symbols, unless a side code tells.
    channels: Vec<Channel>,
    side: Option<Side>,
}

#[derive(Clone, Debug)]
struct Channel {
    centre: i64,
    table: Cow<'static, Table>,
}

/// What is known of a symbol before it is read.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The number that the table's distances are from.
    pub centre: i64,
    /// Distances −T…T and an escape (see [`symbols`](super::symbols)).
    pub table: &'a Table,
}

impl Channel {
    fn known(&self) -> Known<'_> {
        Known { centre: self.centre, table: &self.table }
    }

    fn of(distribution: &impl Cumulative) -> Result<Self> {
        let (centre, table) = table(distribution)?;
        Ok(Channel { centre, table: Cow::Owned(table) })
    }
}

/// A tensor of the model, which has to be there.
type Tensors<'a> = &'a dyn Fn(&str) -> Option<Vec<f32>>;

fn tensor(tensors: Tensors<'_>, name: &str) -> Result<Vec<f32>> {
    tensors(name).ok_or_else(|| Error::Failed(format!("the model has no '{name}', which its code cannot do without")))
}

/// The same, of so many numbers.
fn sized(tensors: Tensors<'_>, name: &str, expected: usize) -> Result<Vec<f32>> {
    let values = tensor(tensors, name)?;
    match values.len() == expected {
        true => Ok(values),
        false => Err(Error::Failed(format!("'{name}': expected {expected} numbers, found {}", values.len()))),
    }
}

/// Says of which channel something is wrong.
fn of_channel(name: &str, channel: usize) -> impl FnOnce(Error) -> Error {
    let place = format!("'{name}', channel {channel}");
    move |error| Error::Failed(format!("{place}: {error}"))
}

impl Prior {
    /// Of the parameters of a model, found by their names, in the order of a device (`src/nn/order.rs` has that of files).
    ///
    /// # Errors
    /// When one is missing, is of another size, or is no number where a distribution has to come of it.
    pub fn new(kind: Kind, lie: Lie, tensors: Tensors<'_>) -> Result<Self> {
        if lie.cells == 0 || lie.channels == 0 {
            return Err(Error::Failed("a code without symbols: expected at least one".into()));
        }
        let (channels, side) = match kind {
            Kind::Gaussian => (gaussian(lie.channels, tensors)?, None),
            Kind::Factorized => (factorised(lie.channels, tensors)?, None),
            Kind::Hyperprior => (Vec::new(), Some(Side::new(lie, tensors)?)),
        };
        Ok(Prior { kind, lie, channels, side })
    }

    /// How its distributions come about.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// How the symbols of a row lie.
    pub fn lie(&self) -> Lie {
        self.lie
    }

    /// Symbols of a row.
    pub fn symbols(&self) -> usize {
        self.lie.cells * self.lie.channels
    }

    /// Side symbols of a row.
    pub fn side_symbols(&self) -> usize {
        self.side.as_ref().map_or(0, |side| side.cells * side.channels.len())
    }

    /// What is known of the side symbols of a row, before anything is.
    pub fn side(&self) -> Vec<Known<'_>> {
        let Some(side) = &self.side else { return Vec::new() };
        repeated(side.channels.iter().map(Channel::known).collect(), side.cells)
    }

    /// What is known of the symbols of every row, unless a side code tells.
    pub fn fixed(&self) -> Option<Vec<Known<'_>>> {
        let is_fixed = self.side.is_none();
        is_fixed.then(|| repeated(self.channels.iter().map(Channel::known).collect(), self.lie.cells))
    }

    /// What the side symbols of a row tell of its symbols, which is added to `all`; nothing where nothing is told.
    ///
    /// # Errors
    /// When they are beyond what the hyper-decoder's integers hold.
    pub fn tell<'a>(&'a self, symbols: &[i32], all: &mut Vec<Known<'a>>) -> Result<()> {
        match &self.side {
            Some(side) => side.tell(self.lie, symbols, all),
            None => Ok(()),
        }
    }
}

fn repeated(channels: Vec<Known<'_>>, cells: usize) -> Vec<Known<'_>> {
    let count = channels.len() * cells;
    channels.into_iter().cycle().take(count).collect()
}

fn gaussian(channels: usize, tensors: Tensors<'_>) -> Result<Vec<Channel>> {
    let means = sized(tensors, "rate.mean", channels)?;
    let scales = sized(tensors, "rate.scale", channels)?;
    let tables = Tables::all()?;
    let each = means.into_iter().zip(scales).enumerate().map(|(channel, (mean, raw))| {
        if mean.is_nan() || mean.abs() > LARGEST_MEAN || raw.is_nan() {
            let problem =
                format!("a mean of {mean} and a scale of softplus({raw}): expected numbers, means up to 2^26");
            return Err(of_channel("rate.mean", channel)(Error::Failed(problem)));
        }
        let (centre, phase) = centre_and_phase(sixteenths(mean));
        Ok(Channel { centre, table: Cow::Borrowed(tables.of(scale_index_of_raw(raw), phase)) })
    });
    each.collect()
}

fn factorised(channels: usize, tensors: Tensors<'_>) -> Result<Vec<Channel>> {
    const NAME: &str = "rate.cumulative";
    let all = sized(tensors, NAME, channels * PARAMETERS)?;
    let (each, _) = all.as_chunks::<PARAMETERS>();
    let each = each
        .iter()
        .enumerate()
        .map(|(channel, parameters)| Channel::of(&Factorized::new(parameters)).map_err(of_channel(NAME, channel)));
    each.collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
