//! Which data, and how it is read.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use gpu_ae::data::kind::Kind;
use gpu_ae::data::options::{Crop, OfRun, Scale, Size};
use gpu_ae::data::{DataOptions, is_named, source};
use gpu_ae::{Error, Result};

use super::flags::number;

/// Where data comes from, and how it is read.
#[derive(Args, Clone, Default)]
#[command(next_help_heading = "Data")]
pub struct DataFlags {
    /// A data set of 'gpu-ae data list' such as digits, or a path: a folder of images, a table (.csv, .tsv, .parquet, .feather), arrays (.npy, .npz, IDX), CIFAR's batches [default: digits; of a RUN: its own]
    #[arg(long, value_name = "NAME|PATH")]
    pub data: Option<String>,
    /// Folder that holds the files of a named data set, or their sub-folder [default: $GPU_AE_DATA, or the user's cache]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    #[command(flatten)]
    pub reading: ReadingFlags,
}

/// How data is read.
#[derive(Args, Clone, Default)]
#[command(next_help_heading = "Data")]
pub struct ReadingFlags {
    /// Of a table, the column of the classes; of an .npz file, their array; of CIFAR-100, coarse or fine
    #[arg(long, value_name = "NAME")]
    pub label: Option<String>,
    /// Of a table, the column that names the rows
    #[arg(long, value_name = "COLUMN")]
    pub id: Option<String>,
    /// Of a table, a column that is left out, or several with commas between them; may be repeated
    #[arg(long, value_name = "COLUMN", num_args = 1..)]
    pub drop: Vec<String>,
    /// Of an .npz file, the array of the rows; of EMNIST, the split
    #[arg(long, value_name = "NAME")]
    pub key: Option<String>,
    /// Whether the first line of a table names its columns [default: if it looks like it]
    #[arg(long, value_name = "true|false")]
    pub header: Option<bool>,
    /// Bring images to this size in pixels
    #[arg(long, value_name = "WxH")]
    pub size: Option<Size>,
    /// With --size, cut images of another shape instead of stretching them
    #[arg(long, value_enum, value_name = "centre|none")]
    pub crop: Option<CropFlag>,
    /// Turn colours into grey
    #[arg(long)]
    pub grey: bool,
    /// Leave out files that cannot be decoded, and list them
    #[arg(long)]
    pub skip_broken: bool,
    /// How values reach the network [default: bytes as shares of 255, tables and numbers beyond 0 to 1 standardised]
    #[arg(long, value_enum, value_name = "standard|none")]
    pub scale: Option<ScaleFlag>,
    /// Share of the rows that is tested with, where the data does not say which [default: 0.2; of other data of a RUN: 1]
    #[arg(long, value_name = "SHARE", value_parser = number, allow_negative_numbers = true)]
    pub test: Option<f32>,
}

/// `--crop`
#[derive(Clone, Copy, ValueEnum)]
pub enum CropFlag {
    #[value(alias = "center")]
    Centre,
    None,
}

/// `--scale`
#[derive(Clone, Copy, ValueEnum)]
pub enum ScaleFlag {
    Standard,
    None,
}

fn set<T>(target: &mut Option<T>, value: Option<T>) {
    if value.is_some() {
        *target = value;
    }
}

/// A path as it is kept with a run, whole; the name of a data set as it is.
pub fn same_path(path: &str) -> String {
    if is_named(path) {
        return path.to_string();
    }
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.into());
    // Without a slash at its end.
    whole.components().collect::<PathBuf>().display().to_string()
}

impl DataFlags {
    /// Whether these flags name other data than this.
    pub fn is_other_than(&self, options: &DataOptions) -> bool {
        self.data.as_ref().is_some_and(|path| same_path(path) != same_path(&options.path))
    }

    /// Writes the flags that were given over how data is read.
    pub fn apply(&self, options: &mut DataOptions) {
        self.name_path(options);
        self.reading.apply(options);
    }

    /// Writes the path alone: other data is read in the usual way where nothing else is said.
    pub fn name_path(&self, options: &mut DataOptions) {
        if let Some(path) = self.data.as_ref().filter(|_| self.is_other_than(options)) {
            let (validation, on_device) = (options.validation, options.on_device);
            *options = DataOptions { validation, on_device, ..DataOptions::of(path) };
        }
    }

    /// The same over how a run reads its data, for a command that puts it to use: other rows of one's own are read the
    /// same way and, where they do not say otherwise, all tested with. Of the run of this name only what these flags say must
    /// mean something to the data.
    pub fn apply_to_run(&self, run: &Path, options: &mut DataOptions) {
        let data = self.data.as_ref().map(|_| "--data");
        let anew = self.reading.given().into_iter().chain(data).collect();
        if let Some(path) = self.data.as_ref().filter(|_| self.is_other_than(options)) {
            let read = DataOptions { path: path.clone(), test: Some(1.0), validation: None, ..options.clone() };
            let on_device = options.on_device;
            *options = if is_named(path) { DataOptions { on_device, ..DataOptions::of(path) } } else { read };
        }
        self.reading.apply(options);
        options.of_run = Some(OfRun { name: run.display().to_string(), anew });
    }

    /// Refuses a folder of files for data that is in none, and ways of reading for data that has one of its own, which is
    /// known once the data is.
    pub fn check_used(&self, options: &DataOptions) -> Result<()> {
        let path = &options.path;
        let named = is_named(path);
        if let Some(folder) = &self.data_dir {
            let problem = match named {
                false => Some("is the path of the files itself".to_string()),
                true if source(path)?.fetch.is_none() => Some("is built in and needs no files".to_string()),
                true => None,
            };
            if let Some(problem) = problem {
                let folder = folder.display();
                return Err(Error::Usage(format!("--data-dir {folder}: has no effect; --data {path} {problem}")));
            }
        }
        match self.reading.given().first() {
            Some(flag) if named => {
                Err(Error::Usage(format!("{flag}: has no effect; {path} is {}", Kind::Named.words())))
            }
            _ => Ok(()),
        }
    }
}

impl ReadingFlags {
    /// Writes the flags that were given over how data is read.
    pub fn apply(&self, options: &mut DataOptions) {
        set(&mut options.label, self.label.clone());
        set(&mut options.id, self.id.clone());
        if !self.drop.is_empty() {
            options.drop.clone_from(&self.drop);
        }
        set(&mut options.key, self.key.clone());
        set(&mut options.header, self.header);
        set(&mut options.size, self.size);
        let crop = |crop| match crop {
            CropFlag::Centre => Crop::Centre,
            CropFlag::None => Crop::None,
        };
        set(&mut options.crop, self.crop.map(crop));
        options.grey |= self.grey;
        options.skip_broken |= self.skip_broken;
        let scale = |scale| match scale {
            ScaleFlag::Standard => Scale::Standard,
            ScaleFlag::None => Scale::None,
        };
        set(&mut options.scale, self.scale.map(scale));
        set(&mut options.test, self.test);
    }

    /// Those of these flags that were given.
    pub fn given(&self) -> Vec<&'static str> {
        let mut options = DataOptions::of("");
        self.apply(&mut options);
        options.given()
    }
}
