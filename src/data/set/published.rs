//! Data sets that others publish: where their files come from, where they are looked for, and how they are read.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::data::download::{self, RemoteFile, Timeouts};
use crate::data::format::array::files::Files;
use crate::data::format::array::{cifar, pairs};
use crate::data::format::idx;
use crate::data::found::{Found, Silent};
use crate::data::{DataOptions, Dataset, Encoding, ImageShape, Progress, Split, default_dir, own};
use crate::error::{Error, Result};

/// Images of MNIST and of what replaces it.
const SMALL: ImageShape = ImageShape { height: 28, width: 28, channels: 1 };

/// What the files of a published set are.
#[derive(Clone, Copy, Debug)]
pub(in crate::data) enum Content {
    /// MNIST's four files, by MNIST's names: training images and labels, test images and labels.
    Four {
        /// Names of the classes.
        classes: &'static [&'static str],
        /// Whether the set is the only one that is looked for by these names outside of its own folder.
        is_first: bool,
    },
    /// A .zip of IDX files, of which this split is taken.
    Pairs(&'static str),
    /// A .tar.gz of CIFAR's batches, unpacked by its users into a folder of this name.
    Batches(&'static str),
}

/// A set that others publish.
#[derive(Clone, Copy, Debug)]
pub(in crate::data) struct Published {
    /// What it is called in `--data`, and the sub-folder of the data folder that is looked into, and fetched into.
    pub name: &'static str,
    /// What it is called in sentences.
    pub title: &'static str,
    /// Where the files are fetched from, in the order of trying.
    pub mirrors: &'static [&'static str],
    /// The files.
    pub files: &'static [RemoteFile<'static>],
    /// What they are.
    pub content: Content,
}

impl Published {
    /// Loads the set from `data_dir`, or else [`default_dir`], or their sub-folder of its name. Any number of rows is taken,
    /// so that a subset will do.
    ///
    /// # Errors
    /// When a file is missing, damaged or of another shape.
    pub fn load(&self, data_dir: Option<&Path>) -> Result<Dataset> {
        if let Content::Four { classes, .. } = self.content {
            let paths = self.find(data_dir)?;
            let [train_images, train_labels, test_images, test_labels] = &paths[..] else {
                return Err(Error::Failed(format!("{}: expected four files", self.title)));
            };
            let count = classes.len() as u8;
            let split = |images: &Path, labels: &Path| idx::split(images, labels, SMALL.height, SMALL.width, count);
            return Ok(Dataset {
                name: self.name.into(),
                encoding: Encoding::images(SMALL, classes.iter().map(|class| class.to_string()).collect()),
                train: split(train_images, train_labels)?,
                validation: Split::default(),
                test: split(test_images, test_labels)?,
            });
        }
        let mut options = DataOptions::of(self.name);
        let mut files = self.unpacked(data_dir)?;
        let found = match self.content {
            Content::Pairs(split) => {
                options.key = Some(split.into());
                let mut files = match files.take() {
                    Some(files) => files,
                    None => Files::zip(&self.find(data_dir)?[0])?,
                };
                pairs::read(&mut files, None, None, &options, &mut Silent)?
            }
            _ => {
                let mut files = match files.take() {
                    Some(files) => files,
                    None => Files::tar(&self.find(data_dir)?[0], &options, cifar::is_wanted)?,
                };
                cifar::read(&mut files, None, &options, &mut Silent)?
            }
        };
        let path = &self.folders(data_dir)?[0];
        let Found::Rows { shape, classes, parts } = found else {
            return Err(Error::input(path, format!("expected the rows of {}", self.title)));
        };
        let data = own::sides(path, shape.values(), Encoding::images(shape, classes), parts)?;
        if data.train.rows == 0 || !data.train.is_labelled() {
            return Err(Error::input(path, format!("expected {} with training rows and labels", self.title)));
        }
        Ok(Dataset { name: self.name.into(), ..data })
    }

    /// Downloads the files from `mirrors`, or the set's own if there are none, to where [`Published::load`] finds them, and
    /// returns that folder.
    ///
    /// # Errors
    /// When no mirror delivers a file, or it cannot be written.
    pub fn fetch(
        &self,
        data_dir: Option<&Path>,
        mirrors: &[String],
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<PathBuf> {
        // The rest joins the files already there: `load` wants all of them in one folder, and looks into the first first.
        let (mut folder, mut most) = (self.own_folder(data_dir)?, 0);
        for candidate in self.folders(data_dir)? {
            let count = self.count(&candidate)?;
            if count > most {
                (folder, most) = (candidate, count);
            }
        }
        // Valid under another spelling is as good.
        let mut wanted = Vec::new();
        for file in self.files {
            let other = locate(&folder, file)?.filter(|path| !path.ends_with(file.name));
            if other.is_some_and(|path| download::verify(&path, file).is_ok()) {
                progress(Progress::Present { file: file.name });
            } else {
                wanted.push(*file);
            }
        }
        let own: Vec<_> = self.mirrors.iter().map(|&mirror| mirror.to_owned()).collect();
        let mirrors = if mirrors.is_empty() { &own } else { mirrors };
        download::fetch(&wanted, &folder, mirrors, Timeouts::default(), progress)?;
        Ok(folder)
    }

    /// The folder that bears its name.
    fn own_folder(&self, data_dir: Option<&Path>) -> Result<PathBuf> {
        let dir = match data_dir {
            Some(dir) => dir.to_path_buf(),
            None => default_dir()?,
        };
        Ok(if self.is_own(&dir) { dir } else { dir.join(self.name) })
    }

    /// Whether a folder bears its name, however it is spelt: `FashionMNIST`. MNIST is looked for where it always was.
    fn is_own(&self, folder: &Path) -> bool {
        let letters = |name: &str| name.to_lowercase().replace(|c: char| !c.is_alphanumeric(), "");
        let name = folder.file_name().map(|name| letters(&name.to_string_lossy()));
        matches!(self.content, Content::Four { is_first: false, .. }) && name == Some(letters(self.name))
    }

    /// The folders that may hold the files.
    fn folders(&self, data_dir: Option<&Path>) -> Result<Vec<PathBuf>> {
        let own = self.own_folder(data_dir)?;
        Ok(match (self.content, own.parent()) {
            // By the same names another set may lie there.
            (Content::Four { is_first: false, .. }, _) | (_, None) => vec![own],
            (_, Some(above)) => vec![above.to_path_buf(), own],
        })
    }

    /// The files as their users unpack them, if they are there.
    fn unpacked(&self, data_dir: Option<&Path>) -> Result<Option<Files>> {
        for folder in self.folders(data_dir)? {
            let (inner, is_wanted): (&str, &dyn Fn(&String) -> bool) = match self.content {
                Content::Batches(inner) => {
                    (inner, &|name| cifar::record(name).is_some_and(|(set, _)| set.is_of(inner)))
                }
                Content::Pairs(split) => {
                    ("gzip", &move |name| name.starts_with(&format!("emnist-{split}-train-images")))
                }
                Content::Four { .. } => return Ok(None),
            };
            for place in [folder.join(inner), folder] {
                match Files::folder(&place) {
                    Ok(files) if files.names.iter().any(is_wanted) => return Ok(Some(files)),
                    _ => {}
                }
            }
        }
        Ok(None)
    }

    /// The files, all in the first folder that has them all.
    fn find(&self, data_dir: Option<&Path>) -> Result<Vec<PathBuf>> {
        let folders = self.folders(data_dir)?;
        let mut tried = Vec::new();
        for folder in &folders {
            let mut found = Vec::new();
            let mut missing = Vec::new();
            for file in self.files {
                match locate(folder, file)? {
                    Some(path) => found.push(path),
                    None => missing.push(plain(file)),
                }
            }
            match found.len() {
                count if count == self.files.len() => return Ok(found),
                0 => tried.push(format!("{} (none)", folder.display())),
                _ => tried.push(format!("{} (no {})", folder.display(), missing.join(", no "))),
            }
        }
        let wanted: Vec<_> = self.files.iter().map(plain).collect();
        let flag = data_dir.map(|dir| format!(" --data-dir {}", dir.display())).unwrap_or_default();
        let packed = if matches!(self.content, Content::Four { .. }) { ", each with or without .gz" } else { "" };
        let problem = format!(
            "{} is missing: expected {}{packed}; looked in {}; `gpu-ae data fetch {}{flag}` downloads them",
            self.title,
            wanted.join(", "),
            tried.join(" and "),
            self.name,
        );
        Err(Error::input(&folders[0], problem))
    }

    /// How many of the files are in `folder`.
    fn count(&self, folder: &Path) -> Result<usize> {
        self.files.iter().try_fold(0, |count, file| Ok(count + usize::from(locate(folder, file)?.is_some())))
    }
}

/// The name of the file without its compression.
fn plain(file: &RemoteFile<'static>) -> &'static str {
    if file.is_archive() { file.name } else { file.name.trim_end_matches(".gz") }
}

/// Where in `folder` the file is, in any of the spellings found in the wild. The one that [`Published::fetch`]
/// writes comes first, so that fetching mends a damaged one of another spelling.
fn locate(folder: &Path, file: &RemoteFile<'static>) -> Result<Option<PathBuf>> {
    let plain = plain(file);
    let dotted = plain.replacen("-idx", ".idx", 1);
    let spellings = [file.name, plain, &format!("{dotted}.gz"), &dotted];
    for name in &spellings[..if file.is_archive() { 1 } else { 4 }] {
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
