//! MNIST: 70,000 handwritten digits of 28 x 28 grey pixels (LeCun, Cortes and Burges 1998).

use std::path::{Path, PathBuf};

use super::published::{Content, Published};
use crate::data::download::RemoteFile;
use crate::data::{Dataset, ImageShape, Progress};
use crate::error::Result;

/// Layout of an image.
pub const IMAGE: ImageShape = ImageShape { height: 28, width: 28, channels: 1 };
/// Images to learn from.
pub const TRAIN_ROWS: usize = 60_000;

/// Where the files are fetched from, in the order of trying.
pub const MIRRORS: &[&str] =
    &["https://storage.googleapis.com/cvdf-datasets/mnist/", "https://ossci-datasets.s3.amazonaws.com/mnist/"];

/// The canonical files: training images and labels, test images and labels.
pub const FILES: [RemoteFile<'static>; 4] = [
    RemoteFile {
        name: "train-images-idx3-ubyte.gz",
        bytes: 47_040_016,
        sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    },
    RemoteFile {
        name: "train-labels-idx1-ubyte.gz",
        bytes: 60_008,
        sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    },
    RemoteFile {
        name: "t10k-images-idx3-ubyte.gz",
        bytes: 7_840_016,
        sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    },
    RemoteFile {
        name: "t10k-labels-idx1-ubyte.gz",
        bytes: 10_008,
        sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
];

const MNIST: Published = Published {
    name: "mnist",
    title: "MNIST",
    mirrors: MIRRORS,
    files: &FILES,
    content: Content::Four { classes: &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], is_first: true },
};

/// Loads the four files from `data_dir`, or else [`default_dir`](crate::data::default_dir), or their `mnist` sub-folder. Any
/// number of rows is taken, so that a subset will do.
///
/// # Errors
/// When a file is missing, damaged or of another shape.
pub fn load(data_dir: Option<&Path>) -> Result<Dataset> {
    MNIST.load(data_dir)
}

/// Downloads the four files from `mirrors`, or [`MIRRORS`] if there are none, to where [`load`]
/// finds them, and returns that folder.
///
/// # Errors
/// When no mirror delivers a file, or it cannot be written.
pub fn fetch(data_dir: Option<&Path>, mirrors: &[String], progress: &mut dyn FnMut(Progress<'_>)) -> Result<PathBuf> {
    MNIST.fetch(data_dir, mirrors, progress)
}
