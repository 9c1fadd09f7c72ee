//! The folder of a study: what was asked, what came of it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::sweep::{Grid, Outcome};
use crate::config::RunConfig;
use crate::error::{Error, Result};
use crate::whole_file;

/// A study as it is kept in `sweep.toml`.
#[derive(Serialize, Deserialize)]
pub struct Study {
    /// What is tried.
    pub grid: Grid,
    /// Seeds of each point, counted up from that of the base.
    pub seeds: u32,
    /// What every point starts from.
    pub base: RunConfig,
}

/// The files of a study.
pub struct StudyDir(pub PathBuf);

impl StudyDir {
    /// The file of the study itself.
    pub fn study(&self) -> PathBuf {
        self.0.join("sweep.toml")
    }

    /// The outcome of every run, a line each.
    pub fn table(&self) -> PathBuf {
        self.0.join("sweep.csv")
    }

    /// Width against error.
    pub fn plot(&self) -> PathBuf {
        self.0.join("sweep.png")
    }

    /// The page that tells all of it.
    pub fn page(&self) -> PathBuf {
        self.0.join("report.html")
    }

    /// Of a study of networks that code pictures: what images cost and how good they come back, beside other coders.
    pub fn rate_distortion_plot(&self) -> PathBuf {
        self.0.join("rate_distortion.png")
    }

    /// The same in numbers.
    pub fn rate_distortion_table(&self) -> PathBuf {
        self.0.join("rate_distortion.csv")
    }

    /// The folder of a point's run within that of the study: no system's file names have what is replaced.
    pub fn run(point: &str, seed: u64) -> PathBuf {
        let plain = point.replace(['=', ' '], "-").replace(['/', '\\', ':', '*', '?', '"', '<', '>', '|'], "_");
        PathBuf::from(plain).join(format!("seed-{seed}"))
    }

    /// Reads the study.
    ///
    /// # Errors
    /// When there is none, or the file means nothing.
    pub fn read(&self) -> Result<Study> {
        let file = self.study();
        let text = whole_file::read_text(&file).map_err(Error::io(&file, "read"))?;
        toml::from_str(&text).map_err(|error| Error::input(&file, error.to_string()))
    }

    /// What came of the runs so far.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub fn outcomes(&self) -> Result<Vec<Outcome>> {
        let path = self.table();
        if !path.exists() {
            return Ok(Vec::new());
        }
        let text = whole_file::read_text(&path).map_err(Error::io(&path, "read"))?;
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        reader
            .deserialize()
            .collect::<std::result::Result<_, _>>()
            .map_err(|error| Error::input(&path, error.to_string()))
    }

    /// Writes the study.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write(&self, study: &Study) -> Result<()> {
        let text = toml::to_string_pretty(study).map_err(|error| Error::Failed(format!("sweep.toml: {error}")))?;
        whole_file::write(&self.study(), text.as_bytes(), "write the study")
    }

    /// Writes the table.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write_outcomes(&self, outcomes: &[Outcome]) -> Result<()> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let failed = |error: &dyn std::fmt::Display| Error::Failed(format!("sweep.csv cannot be written: {error}"));
        for outcome in outcomes {
            writer.serialize(outcome).map_err(|error| failed(&error))?;
        }
        let bytes = writer.into_inner().map_err(|error| failed(&error))?;
        whole_file::write(&self.table(), &bytes, "write the table")
    }
}
