//! MNIST: 70,000 handwritten digits of 28 x 28 grey pixels (LeCun, Cortes and Burges 1998).

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::data::download::{self, RemoteFile, Timeouts};
use crate::data::format::idx;
use crate::data::{Dataset, Encoding, ImageShape, Progress, Split, default_dir};
use crate::error::{Error, Result};

/// Layout of an image.
pub const IMAGE: ImageShape = ImageShape { height: 28, width: 28, channels: 1 };
/// Images to learn from.
pub const TRAIN_ROWS: usize = 60_000;
const CLASSES: u8 = 10;
/// The sub-folder of the data folder that is looked into, and fetched into.
const SUB_FOLDER: &str = "mnist";

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

/// Loads the four files from `data_dir`, or else [`default_dir`], or their `mnist` sub-folder. Any
/// number of rows is taken, so that a subset will do.
pub fn load(data_dir: Option<&Path>) -> Result<Dataset> {
    let [train_images, train_labels, test_images, test_labels] = find(data_dir)?;
    let split = |images: &Path, labels: &Path| idx::split(images, labels, IMAGE.height, IMAGE.width, CLASSES);
    Ok(Dataset {
        name: "mnist".into(),
        encoding: Encoding::numbered(IMAGE, usize::from(CLASSES)),
        train: split(&train_images, &train_labels)?,
        validation: Split::default(),
        test: split(&test_images, &test_labels)?,
    })
}

/// Downloads the four files from `mirrors`, or [`MIRRORS`] if there are none, to where [`load`]
/// finds them, and returns that folder.
pub fn fetch(data_dir: Option<&Path>, mirrors: &[String], progress: &mut dyn FnMut(Progress<'_>)) -> Result<PathBuf> {
    let [dir, sub_folder] = folders(data_dir)?;
    // The rest joins the files already there: `load` wants all four in one folder, and looks into
    // `dir` first.
    let (above, below) = (count(&dir)?, count(&sub_folder)?);
    let folder = if above > 0 && above >= below { dir } else { sub_folder };
    // Valid under another spelling is as good.
    let mut wanted = Vec::new();
    for file in &FILES {
        let other = locate(&folder, file)?.filter(|path| !path.ends_with(file.name));
        if other.is_some_and(|path| download::verify(&path, file).is_ok()) {
            progress(Progress::Present { file: file.name });
        } else {
            wanted.push(*file);
        }
    }
    let own: Vec<_> = MIRRORS.iter().map(|&mirror| mirror.to_owned()).collect();
    let mirrors = if mirrors.is_empty() { &own } else { mirrors };
    download::fetch(&wanted, &folder, mirrors, Timeouts::default(), progress)?;
    Ok(folder)
}

/// The folders that may hold the files.
fn folders(data_dir: Option<&Path>) -> Result<[PathBuf; 2]> {
    let dir = match data_dir {
        Some(dir) => dir.to_path_buf(),
        None => default_dir()?,
    };
    let sub_folder = dir.join(SUB_FOLDER);
    Ok([dir, sub_folder])
}

/// The four files, all in the first folder that has them all.
fn find(data_dir: Option<&Path>) -> Result<[PathBuf; 4]> {
    let folders = folders(data_dir)?;
    let mut tried = Vec::new();
    for folder in &folders {
        let mut found = Vec::new();
        let mut missing = Vec::new();
        for file in &FILES {
            match locate(folder, file)? {
                Some(path) => found.push(path),
                None => missing.push(plain(file)),
            }
        }
        match <[PathBuf; 4]>::try_from(found) {
            Ok(paths) => return Ok(paths),
            Err(found) if found.is_empty() => tried.push(format!("{} (none)", folder.display())),
            Err(_) => tried.push(format!("{} (no {})", folder.display(), missing.join(", no "))),
        }
    }
    let wanted: Vec<_> = FILES.iter().map(plain).collect();
    let flag = data_dir.map(|dir| format!(" --data-dir {}", dir.display())).unwrap_or_default();
    let problem = format!(
        "MNIST is missing: expected {}, each with or without .gz; looked in {}; \
         `gpu-ae data fetch mnist{flag}` downloads them",
        wanted.join(", "),
        tried.join(" and "),
    );
    Err(Error::input(&folders[0], problem))
}

/// The name of the file without its compression.
fn plain(file: &RemoteFile<'static>) -> &'static str {
    file.name.trim_end_matches(".gz")
}

/// How many of the files are in `folder`.
fn count(folder: &Path) -> Result<usize> {
    FILES.iter().try_fold(0, |count, file| Ok(count + usize::from(locate(folder, file)?.is_some())))
}

/// Where in `folder` the file is, in any of the spellings found in the wild. The one that [`fetch`]
/// writes comes first, so that fetching mends a damaged one of another spelling.
fn locate(folder: &Path, file: &RemoteFile<'static>) -> Result<Option<PathBuf>> {
    let plain = plain(file);
    let dotted = plain.replacen("-idx", ".idx", 1);
    for name in [file.name, plain, &format!("{dotted}.gz"), &dotted] {
        let path = folder.join(name);
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Ok(Some(path)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => return Err(Error::io(&path, "read")(error)),
        }
    }
    Ok(None)
}
