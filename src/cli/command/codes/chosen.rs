//! Which rows are encoded.

use std::path::Path;

use clap::ValueEnum;
use gpu_ae::data::format::npy::read_rows;
use gpu_ae::data::{Dataset, Split, is_named};
use gpu_ae::train::Checkpoint;
use gpu_ae::{Error, Result};

use crate::cli::trained::RunFlags;

/// Sides of a data set.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Side {
    All,
    Train,
    Validation,
    Test,
}

/// The side that is meant: if nothing is said the test rows, of other data of one's own all.
pub fn side_of(run: &RunFlags, said: Option<Side>) -> Result<Side> {
    let is_own = run.data.data.as_ref().is_none_or(|path| is_named(path))
        || !run.data.is_other_than(&run.as_made()?.config.data);
    Ok(said.unwrap_or(if is_own { Side::Test } else { Side::All }))
}

/// The sides that are asked for, those that have rows.
pub fn chosen(data: &Dataset, side: Side) -> Result<Vec<&Split>> {
    let all = [
        ("train", Side::Train, &data.train),
        ("validation", Side::Validation, &data.validation),
        ("test", Side::Test, &data.test),
    ];
    let wanted = all.into_iter().filter(|(_, of, split)| (side == Side::All || side == *of) && split.rows > 0);
    let splits: Vec<&Split> = wanted.map(|(.., split)| split).collect();
    let name = all.iter().find(|(_, of, _)| *of == side).map_or("all", |(name, ..)| name);
    match splits.is_empty() {
        true => {
            Err(Error::Usage(format!("--split {name}: {} has no such rows, expected a side that has some", data.name)))
        }
        false => Ok(splits),
    }
}

/// The rows of a file, which are all the data there need be.
pub fn rows_of(path: &Path, features: usize, checkpoint: &Checkpoint) -> Result<Vec<f32>> {
    let is_unit = checkpoint.encoding.as_ref().is_none_or(|encoding| encoding.is_unit());
    let of = if is_unit { "an image with values from 0 to 1" } else { "as the network sees it" };
    let rows = read_rows(path, features, of)?;
    let beyond = rows.iter().position(|value| !(0.0..=1.0).contains(value));
    match beyond.filter(|_| is_unit) {
        None => Ok(rows),
        Some(place) => {
            let (row, value) = (place / features, rows[place]);
            Err(Error::input(path, format!("row {row} has the value {value}, expected 0 to 1")))
        }
    }
}
