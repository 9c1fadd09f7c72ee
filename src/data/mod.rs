//! Data: what there is by a name, what is read from files, and the rows of either as a device takes them.

#[cfg(feature = "native")]
pub mod cache;
#[cfg(feature = "native")]
pub mod columns;
mod divide;
#[cfg(feature = "native")]
pub mod download;
pub mod encoding;
mod fingerprint;
pub mod format;
pub mod found;
pub mod kind;
#[cfg(feature = "native")]
mod mapped;
pub mod memory;
pub mod options;
#[cfg(feature = "native")]
pub mod own;
mod progress;
mod scaling;
pub mod set;
mod split;
pub mod summary;
mod values;

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use kind::Kind;
use set::{digits, one_hot};
#[cfg(feature = "native")]
use set::{mnist, relatives};

pub use encoding::{Encoding, ImageShape};
pub use fingerprint::Fingerprint;
#[cfg(feature = "native")]
pub use mapped::Mapped;
pub use options::DataOptions;
pub use progress::Progress;
pub use split::Split;
pub use values::{Foreign, ValueKind, Values};

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

/// A named data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// The name or path it was asked for by.
    pub name: String,
    /// What its values and labels mean.
    pub encoding: Encoding,
    /// Rows to learn from.
    pub train: Split,
    /// Rows set aside of those, which decide what training decides; none if a run does without.
    pub validation: Split,
    /// Rows never trained on.
    pub test: Split,
}

impl Dataset {
    /// What a row is a picture of.
    pub fn image(&self) -> ImageShape {
        self.encoding.image
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.encoding.classes.len()
    }

    /// What a network has to fit.
    pub fn shape(&self) -> Shape {
        Shape {
            image: self.image(),
            train_rows: self.train.rows,
            classes: self.classes(),
            kind: self.train.kind(),
            is_unit: self.encoding.is_unit(),
        }
    }

    /// Mean squared error on the test rows of taking the mean training row for each of them: what a network that has
    /// learnt nothing but the mean row reaches.
    pub fn mean_row_error(&self) -> f64 {
        let features = self.train.width.max(1);
        let mut sums = vec![0.0f64; features];
        let mut row = Vec::with_capacity(features);
        let mut each = |split: &Split, with: &mut dyn FnMut(&[f32])| {
            for number in 0..split.rows {
                row.clear();
                split.append(number, &mut row);
                with(&row);
            }
        };
        each(&self.train, &mut |row| sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x)));
        let mean: Vec<f64> = sums.iter().map(|sum| sum / self.train.rows.max(1) as f64).collect();
        let mut total = 0.0;
        each(&self.test, &mut |row| {
            total += row.iter().zip(&mean).map(|(&x, m)| (f64::from(x) - m).powi(2)).sum::<f64>()
        });
        total / (self.test.rows * features).max(1) as f64
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
    #[cfg(feature = "native")]
    Source {
        name: "fashion-mnist",
        image: mnist::IMAGE,
        train_rows: 60_000,
        classes: 10,
        about: "articles of clothing, 28 x 28, 60,000 to train on and 10,000 to test with",
        load: |data_dir, _| relatives::FASHION_MNIST.load(data_dir),
        fetch: Some(|data_dir, mirrors, progress| relatives::FASHION_MNIST.fetch(data_dir, mirrors, progress)),
    },
    #[cfg(feature = "native")]
    Source {
        name: "kmnist",
        image: mnist::IMAGE,
        train_rows: 60_000,
        classes: 10,
        about: "cursive Japanese characters, 28 x 28, 60,000 to train on and 10,000 to test with",
        load: |data_dir, _| relatives::KMNIST.load(data_dir),
        fetch: Some(|data_dir, mirrors, progress| relatives::KMNIST.fetch(data_dir, mirrors, progress)),
    },
    #[cfg(feature = "native")]
    Source {
        name: "emnist",
        image: mnist::IMAGE,
        train_rows: 112_800,
        classes: 47,
        about: "handwritten letters and digits, 28 x 28, the balanced split of 131,600",
        load: |data_dir, _| relatives::EMNIST.load(data_dir),
        fetch: Some(|data_dir, mirrors, progress| relatives::EMNIST.fetch(data_dir, mirrors, progress)),
    },
    #[cfg(feature = "native")]
    Source {
        name: "cifar10",
        image: format::array::cifar::IMAGE,
        train_rows: 50_000,
        classes: 10,
        about: "colour photographs of 10 kinds of things, 32 x 32, 50,000 to train on and 10,000 to test with",
        load: |data_dir, _| relatives::CIFAR10.load(data_dir),
        fetch: Some(|data_dir, mirrors, progress| relatives::CIFAR10.fetch(data_dir, mirrors, progress)),
    },
    #[cfg(feature = "native")]
    Source {
        name: "cifar100",
        image: format::array::cifar::IMAGE,
        train_rows: 50_000,
        classes: 100,
        about: "colour photographs of 100 kinds of things, 32 x 32, 50,000 to train on and 10,000 to test with",
        load: |data_dir, _| relatives::CIFAR100.load(data_dir),
        fetch: Some(|data_dir, mirrors, progress| relatives::CIFAR100.fetch(data_dir, mirrors, progress)),
    },
    one_hot::source::<4>("one-hot-4", "4 patterns, each with one unit on: the encoder task 4-2-4 (built in)"),
    one_hot::source::<5>("one-hot-5", "5 patterns, each with one unit on: the encoder task 5-2-5 (built in)"),
    one_hot::source::<8>("one-hot-8", "8 patterns, each with one unit on: the encoder task 8-3-8 (built in)"),
    one_hot::source::<16>("one-hot-16", "16 patterns, each with one unit on: the encoder task 16-4-16 (built in)"),
];

/// Whether this is the name of a data set, and no path.
pub fn is_named(name: &str) -> bool {
    SOURCES.iter().any(|source| source.name == name)
}

/// The data set called `name`.
///
/// # Errors
/// When there is none of that name; the message blames `--data` for it.
pub fn source(name: &str) -> Result<&'static Source> {
    SOURCES.iter().find(|source| source.name == name).ok_or_else(|| unknown("--data", name, SOURCES.iter()))
}

/// The error of a name that is none of these data sets; `asked` is what was followed by it.
fn unknown(asked: &str, name: &str, known: impl Iterator<Item = &'static Source>) -> Error {
    let known: Vec<_> = known.map(|source| source.name).collect();
    Error::Usage(format!("{asked} '{name}': no such data set, expected one of: {}", known.join(", ")))
}

/// Loads the data set of this name, from `data_dir` or else [`default_dir`] if it is kept in files, from `seed` if it is
/// generated; or what lies at a path, divided by `seed` where it does not say how, mapped as `known` says if that is
/// given.
///
/// # Errors
/// When there is no such data, or it is damaged or does not fit what is known of it.
#[cfg_attr(not(feature = "native"), allow(unused_variables))]
pub fn load(options: &DataOptions, data_dir: Option<&Path>, seed: u64, known: Option<&Encoding>) -> Result<Dataset> {
    match SOURCES.iter().find(|source| source.name == options.path) {
        Some(source) => Kind::Named.check(options).and_then(|()| (source.load)(data_dir, seed)),
        #[cfg(feature = "native")]
        None => own::load(options, seed, known),
        // There are no files, so this is the error of a name that is not known.
        #[cfg(not(feature = "native"))]
        None => source(&options.path).and_then(|source| (source.load)(data_dir, seed)),
    }
}

/// What is to be known of data before its rows: of a data set that has a name, without reading it.
///
/// # Errors
/// As [`load`].
pub fn shape(options: &DataOptions, data_dir: Option<&Path>, seed: u64) -> Result<Shape> {
    match SOURCES.iter().find(|source| source.name == options.path) {
        Some(source) => Ok(Shape {
            image: source.image,
            train_rows: source.train_rows,
            classes: source.classes,
            kind: ValueKind::Byte,
            is_unit: true,
        }),
        None => Ok(load(options, data_dir, seed, None)?.shape()),
    }
}

/// What is to be known of data before its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// What a row is a picture of.
    pub image: ImageShape,
    /// Rows to learn from.
    pub train_rows: usize,
    /// Number of classes.
    pub classes: usize,
    /// How a value is stored.
    pub kind: ValueKind,
    /// Whether all values are from 0 to 1.
    pub is_unit: bool,
}

/// Downloads the data set called `name` from `mirrors`, or its own mirrors if there are none, into
/// the folder where [`load`] will find it, and returns that folder.
pub fn fetch(
    name: &str,
    data_dir: Option<&Path>,
    mirrors: &[String],
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<PathBuf> {
    let asked = "data fetch";
    match SOURCES.iter().find(|source| source.name == name) {
        Some(Source { fetch: Some(fetch), .. }) => fetch(data_dir, mirrors, progress),
        Some(_) => Err(Error::Usage(format!("{asked} '{name}': is built in, there is nothing to fetch"))),
        None => Err(unknown(asked, name, SOURCES.iter().filter(|source| source.fetch.is_some()))),
    }
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
