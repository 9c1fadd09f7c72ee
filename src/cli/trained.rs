//! A trained model with its data, as the commands that put it to use share it.

use std::fmt::Display;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use gpu_ae::config::RunConfig;
use gpu_ae::data::{Dataset, Split};
use gpu_ae::device::wait;
use gpu_ae::error::shortened;
use gpu_ae::model::part::Part;
use gpu_ae::study::lone_part::LonePart;
use gpu_ae::study::symbols::Code;
use gpu_ae::train::{Checkpoint, RunDir, Session, Tuning};
use gpu_ae::{Error, Result};

use super::flags::{DataFlags, DeviceFlag, open_device, open_run, session_on};
use super::output::say;

/// Which run, on what.
#[derive(clap::Args, Clone)]
pub struct RunFlags {
    /// Run directory
    pub run: PathBuf,
    #[command(flatten)]
    pub data: DataFlags,
    #[command(flatten)]
    pub device: DeviceFlag,
    /// Print errors only
    #[arg(long, short)]
    pub quiet: bool,
}

/// A trained model, its data and the device it runs on.
pub struct Trained {
    pub directory: RunDir,
    pub config: RunConfig,
    pub data: Dataset,
    pub session: Session,
}

/// Rows that are taken out of a split at a time.
const BLOCK: usize = 4096;

impl RunFlags {
    /// Opens the run of a network that reconstructs; with `quiet`, without a notice of the device.
    pub fn open(&self, quiet: bool) -> Result<Trained> {
        self.reconstructing(self.open_any(quiet)?)
    }

    /// The same, or that of a generator: one whose decoder makes rows of codes.
    pub fn open_making(&self, quiet: bool) -> Result<Trained> {
        let trained = self.open_any(quiet)?;
        if trained.config.adversarial.is_none() {
            self.check_reconstructs(&trained.config)?;
        }
        Ok(trained)
    }

    /// The same as [`open`](Self::open), for images under this noise, if it is not that of the training.
    pub fn open_under(&self, noise: Option<&str>) -> Result<Trained> {
        self.reconstructing(
            self.open_with(false, |config| noise.map_or(Ok(()), |noise| config.set_noise("--noise", noise)))?,
        )
    }

    fn reconstructing(&self, trained: Trained) -> Result<Trained> {
        self.check_reconstructs(&trained.config)?;
        Ok(trained)
    }

    /// Opens the run of any network that has a code.
    pub fn open_any(&self, quiet: bool) -> Result<Trained> {
        self.open_with(quiet, |_| Ok(()))
    }

    fn open_with(&self, quiet: bool, change: impl Fn(&mut RunConfig) -> Result<()>) -> Result<Trained> {
        let (directory, mut checkpoint) = open_run(&self.run, &self.data, &self.device, self.quiet || quiet)?;
        change(&mut checkpoint.config)?;
        let data = checkpoint.config.load_data_as(checkpoint.encoding.as_ref())?;
        let session = session_on(&checkpoint, &data, self.quiet || quiet)?;
        Ok(Trained { directory, config: checkpoint.config, data, session })
    }

    /// The run as it was made, with its own data, whatever data these flags name.
    pub fn as_made(&self) -> Result<Checkpoint> {
        Ok(open_run(&self.run, &DataFlags::default(), &self.device, true)?.1)
    }

    /// Opens a part of the network of a run, for rows that are brought along.
    pub fn open_part(&self, which: Part, quiet: bool) -> Result<(RunDir, Checkpoint, LonePart)> {
        let (directory, checkpoint) = open_run(&self.run, &self.data, &self.device, self.quiet || quiet)?;
        if which == Part::Decode && !checkpoint.config.makes_rows() {
            self.check_reconstructs(&checkpoint.config)?;
        }
        let device = open_device(&checkpoint.config.device, self.quiet || quiet)?;
        let choices = Tuning::or_static(checkpoint.tuning.as_ref(), device.as_ref());
        let part = LonePart::open(device, &checkpoint, &choices, which)?;
        Ok((directory, checkpoint, part))
    }

    /// Opens the run of a network whose codes are whole numbers.
    pub fn open_code(&self, quiet: bool) -> Result<(Checkpoint, Code)> {
        let (_, checkpoint) = open_run(&self.run, &self.data, &self.device, self.quiet || quiet)?;
        if checkpoint.config.rate.is_none() {
            let model = &checkpoint.config.model;
            let problem = format!(
                "expected a run with [rate], whose codes are whole numbers, such as one of --model compressive or --set rate.beta=0.1; this one, of \
                 --model {model}, has none"
            );
            return Err(Error::input(&self.run, problem));
        }
        let code = Code::of(&checkpoint)?;
        Ok((checkpoint, code))
    }

    /// Refuses a network that does not make rows of its codes.
    pub fn check_reconstructs(&self, config: &RunConfig) -> Result<()> {
        if config.reconstructs() {
            return Ok(());
        }
        let what = match (&config.classifier, &config.adversarial) {
            (Some(_), _) => "a classifier names classes",
            (_, Some(_)) => "a generator makes rows of random codes, and nothing makes codes of rows",
            _ if config.contrastive.is_some() => "this one compares views of rows",
            _ => "this one sorts rows",
        };
        Err(Error::input(&self.run, format!("expected a network that reconstructs; {what}")))
    }

    /// Tells what was written, unless nothing was to be told.
    pub fn wrote(&self, path: &Path) {
        if !self.quiet {
            say(&format!("wrote {}", path.display()));
        }
    }

    /// The same of an array of this shape and type.
    pub fn wrote_array(&self, path: &Path, shape: &[usize], of: &str) {
        if !self.quiet {
            say(&format!("wrote {}: {of} {shape:?}", path.display()));
        }
    }
}

impl Trained {
    /// The test row of this number, which `flag` asked for, as the network sees it.
    pub fn test_row(&self, flag: &str, row: usize) -> Result<Vec<f32>> {
        let rows = self.data.test.rows;
        if row >= rows {
            return Err(Error::Usage(format!("{flag} {row}: expected a test row, 0 to {}", rows - 1)));
        }
        Ok(self.data.test.values(row..row + 1))
    }

    /// Codes of all rows of a split, `[rows, width of the code]`.
    pub fn codes(&mut self, split: &Split) -> Result<Vec<f32>> {
        wait(self.session.codes(split))
    }

    /// Gives the rows of a split and what the network makes of them to `each`, block by block: the numbers of the rows, and
    /// both as the network sees them, `[rows, values of a row]`.
    pub fn reconstructed(
        &mut self,
        split: &Split,
        mut each: impl FnMut(Range<usize>, &[f32], &[f32]) -> Result<()>,
    ) -> Result<()> {
        for first in (0..split.rows).step_by(BLOCK) {
            let range = first..(first + BLOCK).min(split.rows);
            let rows = split.values(range.clone());
            let codes = wait(self.session.encode(&rows))?;
            each(range, &rows, &wait(self.session.decode(&codes))?)?;
        }
        Ok(())
    }
}

/// The number of the class that `flag` names, which the test rows must have.
pub fn class_of(flag: &str, name: &str, data: &Dataset) -> Result<u16> {
    let classes = data.test.classes();
    let found = data.encoding.class(name).filter(|class| classes.contains(class));
    found.ok_or_else(|| match data.encoding.names_of(&classes) {
        none if none.is_empty() => Error::Usage(format!("{flag} {name}: the rows of {} have no classes", data.name)),
        names => Error::Usage(format!("{flag} {name}: expected a class of the test rows: {}", shortened(&names, 300))),
    })
}

/// Two names of classes as `A,B`, for the command line; one that has a comma is in double quotes, as in a table.
pub fn pair_of_classes(text: &str) -> Result<(String, String), String> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let records: Vec<csv::StringRecord> = reader.records().filter_map(|record| record.ok()).collect();
    match &records[..] {
        [record] if record.len() == 2 => Ok((record[0].to_string(), record[1].to_string())),
        _ => {
            Err(r#"expected two classes, such as 3,8; one whose name has a comma is in quotes, as in '"a, b",c'"#
                .into())
        }
    }
}

/// Two values as `A,B`, for the command line.
pub fn pair<T: FromStr + Display>(text: &str) -> Result<(T, T), String> {
    let read = |part: &str| part.trim().parse::<T>().ok();
    let both = text.split_once(',').and_then(|(a, b)| Some((read(a)?, read(b)?)));
    both.ok_or_else(|| "expected two of them, such as 3,8".into())
}
