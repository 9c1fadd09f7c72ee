//! Data sets, as the bytes they are on disk: the device unpacks and normalises them.

pub mod digits;
#[cfg(feature = "native")]
pub mod download;
#[cfg(feature = "native")]
pub mod idx;
#[cfg(feature = "native")]
pub mod mnist;
#[cfg(feature = "native")]
pub mod npy;
pub mod one_hot;
mod progress;

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

pub use progress::Progress;

/// Training rows of the built-in digits, as many as MNIST has.
const DIGITS_TRAIN_ROWS: usize = 60_000;
/// Test rows of the built-in digits, as many as MNIST has.
const DIGITS_TEST_ROWS: usize = 10_000;

/// Name of the rows of a split on a device, behind the split's own: `train images`.
pub const IMAGES: &str = "images";
/// Name of their labels.
pub const LABELS: &str = "labels";
/// Name of their distances to the tenth nearest other row.
pub const NEIGHBOUR_DISTANCES: &str = "neighbour distances";

/// Layout of one row, channels innermost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageShape {
    /// Rows of pixels.
    pub height: usize,
    /// Pixels in a row.
    pub width: usize,
    /// Values of a pixel.
    pub channels: usize,
}

impl ImageShape {
    /// Bytes of one image.
    pub fn bytes(&self) -> usize {
        self.height * self.width * self.channels
    }
}

/// Rows of bytes, each with its label.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// Number of rows.
    pub rows: usize,
    /// Bytes of one row.
    pub row_bytes: usize,
    /// All rows, one after the other: `[rows, row_bytes]`.
    pub bytes: Vec<u8>,
    /// The class of each row: `[rows]`.
    pub labels: Vec<u8>,
}

impl Split {
    /// All rows as a device holds them: each padded to whole words.
    pub fn device_rows(&self) -> Vec<u8> {
        let stride = self.row_bytes.next_multiple_of(4);
        if stride == self.row_bytes {
            return self.bytes.clone();
        }
        let mut padded = vec![0; self.rows * stride];
        for (to, from) in padded.chunks_exact_mut(stride).zip(self.bytes.chunks_exact(self.row_bytes)) {
            to[..self.row_bytes].copy_from_slice(from);
        }
        padded
    }

    /// Rows `range` as values from 0 to 1, `[rows, row_bytes]`.
    pub fn values(&self, range: Range<usize>) -> Vec<f32> {
        let bytes = &self.bytes[range.start * self.row_bytes..range.end * self.row_bytes];
        bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect()
    }

    /// These rows, in this order.
    pub fn only(&self, rows: &[usize]) -> Split {
        let bytes = rows.iter().flat_map(|row| &self.bytes[row * self.row_bytes..][..self.row_bytes]).copied();
        let labels = rows.iter().map(|&row| self.labels[row]).collect();
        Split { rows: rows.len(), row_bytes: self.row_bytes, bytes: bytes.collect(), labels }
    }

    /// The labels as a device holds them: a word each.
    pub fn device_labels(&self) -> Vec<u8> {
        self.labels.iter().flat_map(|&label| u32::from(label).to_le_bytes()).collect()
    }

    /// The classes that its rows have, in order.
    pub fn classes(&self) -> Vec<u8> {
        let mut classes = self.labels.clone();
        classes.sort_unstable();
        classes.dedup();
        classes
    }

    /// The same without the rows of a class.
    pub fn without(&self, class: u8) -> Split {
        let rows = self.bytes.chunks_exact(self.row_bytes.max(1)).zip(&self.labels);
        let (bytes, labels): (Vec<&[u8]>, Vec<u8>) = rows.filter(|(_, label)| **label != class).unzip();
        Split { rows: labels.len(), row_bytes: self.row_bytes, bytes: bytes.concat(), labels }
    }
}

/// A named data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// The name it was asked for by.
    pub name: String,
    /// What a row is a picture of.
    pub image: ImageShape,
    /// Rows to learn from.
    pub train: Split,
    /// Rows never trained on.
    pub test: Split,
}

impl Dataset {
    /// Number of classes: one more than the largest label.
    pub fn classes(&self) -> usize {
        self.train.labels.iter().chain(&self.test.labels).max().map_or(0, |&most| usize::from(most) + 1)
    }

    /// Mean squared error on the test rows, values from 0 to 1, of taking the mean training row for each of
    /// them: what a network that has learnt nothing but the mean image reaches.
    pub fn mean_image_error(&self) -> f64 {
        let features = self.train.row_bytes;
        let mut sums = vec![0u64; features];
        for row in self.train.bytes.chunks_exact(features.max(1)) {
            sums.iter_mut().zip(row).for_each(|(sum, &byte)| *sum += u64::from(byte));
        }
        let mean: Vec<f64> = sums.iter().map(|&sum| sum as f64 / self.train.rows.max(1) as f64).collect();
        let error = |row: &[u8]| row.iter().zip(&mean).map(|(&x, m)| (f64::from(x) - m).powi(2)).sum::<f64>();
        let total: f64 = self.test.bytes.chunks_exact(features.max(1)).map(error).sum();
        total / self.test.bytes.len().max(1) as f64 / (255.0 * 255.0)
    }
}

/// Reads or makes a data set, given the folder of `--data-dir` and the seed.
pub type Load = fn(Option<&Path>, u64) -> Result<Dataset>;

/// Downloads a data set, given the folder of `--data-dir` and the mirrors of `--mirror` (none: the
/// set's own). Returns the folder that now holds the files.
pub type Fetch = fn(Option<&Path>, &[String], &mut dyn FnMut(Progress<'_>)) -> Result<PathBuf>;

/// One data set that `--data` can name.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// What the user types.
    pub name: &'static str,
    /// One line for listings.
    pub about: &'static str,
    /// What a row is a picture of.
    pub image: ImageShape,
    /// Rows to learn from.
    pub train_rows: usize,
    /// Number of classes.
    pub classes: usize,
    /// How its rows come into memory.
    pub load: Load,
    /// How its files come onto the disk; `None` for a set that needs none.
    pub fetch: Option<Fetch>,
}

/// Every data set there is, those kept in files only where there are files: a further one is a module and a
/// line here.
pub const SOURCES: &[Source] = &[
    Source {
        name: "digits",
        image: digits::IMAGE,
        train_rows: DIGITS_TRAIN_ROWS,
        classes: 10,
        about: "hand-drawn looking digits, 28 x 28, generated from the seed (built in)",
        load: |_, seed| digits::dataset(seed, DIGITS_TRAIN_ROWS, DIGITS_TEST_ROWS),
        fetch: None,
    },
    #[cfg(feature = "native")]
    Source {
        name: "mnist",
        image: mnist::IMAGE,
        train_rows: mnist::TRAIN_ROWS,
        classes: 10,
        about: "handwritten digits, 28 x 28, 60,000 to train on and 10,000 to test with",
        load: |data_dir, _| mnist::load(data_dir),
        fetch: Some(mnist::fetch),
    },
    one_hot::source::<4>("one-hot-4", "4 patterns, each with one unit on: the encoder task 4-2-4 (built in)"),
    one_hot::source::<5>("one-hot-5", "5 patterns, each with one unit on: the encoder task 5-2-5 (built in)"),
    one_hot::source::<8>("one-hot-8", "8 patterns, each with one unit on: the encoder task 8-3-8 (built in)"),
    one_hot::source::<16>("one-hot-16", "16 patterns, each with one unit on: the encoder task 16-4-16 (built in)"),
];

/// The data set called `name`.
pub fn source(name: &str) -> Result<&'static Source> {
    SOURCES.iter().find(|source| source.name == name).ok_or_else(|| {
        let known: Vec<_> = SOURCES.iter().map(|source| source.name).collect();
        Error::Usage(format!("--data '{name}': no such data set, expected one of: {}", known.join(", ")))
    })
}

/// Loads the data set called `name`, from `data_dir` or else [`default_dir`] if it is kept in
/// files, from `seed` if it is generated.
pub fn load(name: &str, data_dir: Option<&Path>, seed: u64) -> Result<Dataset> {
    (source(name)?.load)(data_dir, seed)
}

/// Downloads the data set called `name` from `mirrors`, or its own mirrors if there are none, into
/// the folder where [`load`] will find it, and returns that folder.
pub fn fetch(
    name: &str,
    data_dir: Option<&Path>,
    mirrors: &[String],
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<PathBuf> {
    let fetch = source(name)?
        .fetch
        .ok_or_else(|| Error::Usage(format!("data set '{name}' is built in, there is nothing to fetch")))?;
    fetch(data_dir, mirrors, progress)
}

/// Where data is kept when no `--data-dir` is given: `GPU_AE_DATA`, or else the user's cache.
#[cfg(feature = "native")]
pub fn default_dir() -> Result<PathBuf> {
    if let Some(dir) = std::env::var_os("GPU_AE_DATA").filter(|dir| !dir.is_empty()) {
        return Ok(dir.into());
    }
    directories::ProjectDirs::from("", "", "gpu-ae").map(|dirs| dirs.cache_dir().join("data")).ok_or_else(|| {
        Error::Usage(
            "this user has no home folder to keep data in: name one by --data-dir \
                 or GPU_AE_DATA"
                .into(),
        )
    })
}
