//! The folder of a study: what was asked, what came of it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::sweep::{Grid, MOST_RUNS, Outcome, Point, label};
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

/// A run that a study is to have.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// Its point.
    pub point: Point,
    /// The point in words.
    pub name: String,
    /// Its seed.
    pub seed: u64,
}

impl Study {
    /// All runs, in the order of the table: point by point, the seeds of each.
    pub fn runs(&self) -> Vec<Planned> {
        let seeds = self.base.seed..self.base.seed + u64::from(self.seeds);
        let of_point = |point: Point| {
            let name = label(&point);
            seeds.clone().map(move |seed| Planned { point: point.clone(), name: name.clone(), seed })
        };
        self.grid.points().into_iter().flat_map(of_point).collect()
    }

    /// The study as its file has it.
    ///
    /// # Errors
    /// Never for a study of this program.
    pub fn text(&self) -> Result<String> {
        toml::to_string_pretty(self).map_err(|error| Error::Failed(format!("sweep.toml: {error}")))
    }
}

impl Planned {
    /// Whether this is what came of it.
    pub fn is(&self, outcome: &Outcome) -> bool {
        (outcome.point == self.name) && outcome.seed == self.seed
    }
}

/// One of several processes that each train a share of a study: every so many-th run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    /// Its number, from 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
}

impl Shard {
    /// Whether the run of this number in the study, from 0, is one of its.
    pub fn has(self, run: usize) -> bool {
        run % self.of == self.number - 1
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = |part: &str| part.parse::<usize>().ok().filter(|part| (1..=MOST_RUNS).contains(part));
        let both = text.split_once('/').and_then(|(number, of)| Some((read(number)?, read(of)?)));
        let both = both.filter(|(number, of)| number <= of);
        let expected = format!("expected a shard and how many there are, such as 3/8, at most {MOST_RUNS}");
        both.map(|(number, of)| Shard { number, of }).ok_or(expected)
    }
}

/// Folder of what the shards of a study keep.
const SHARDS: &str = "shards";

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

    /// Where a shard keeps what came of its runs until it is merged with the others; the runs lie where those of the study do.
    pub fn shard(&self, shard: Shard) -> StudyDir {
        StudyDir(self.0.join(SHARDS).join(format!("{}-of-{}", shard.number, shard.of)))
    }

    /// The shards that there are, in order.
    ///
    /// # Errors
    /// When there are none.
    pub fn shards(&self) -> Result<Vec<Shard>> {
        let path = self.0.join(SHARDS);
        let none = |_| Error::input(&self.0, "expected a study that 'gpu-ae sweep --shard' has trained");
        let shard = |entry: std::io::Result<std::fs::DirEntry>| {
            let name = entry.ok()?.file_name().to_string_lossy().into_owned();
            name.replace("-of-", "/").parse().ok()
        };
        let mut shards: Vec<Shard> = std::fs::read_dir(&path).map_err(none)?.filter_map(shard).collect();
        shards.sort();
        Ok(shards)
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
        whole_file::write(&self.study(), study.text()?.as_bytes(), "write the study")
    }

    /// Writes the table.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write_outcomes(&self, outcomes: &[Outcome]) -> Result<()> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let failed = |error: &dyn fmt::Display| Error::Failed(format!("sweep.csv cannot be written: {error}"));
        for outcome in outcomes {
            writer.serialize(outcome).map_err(|error| failed(&error))?;
        }
        let bytes = writer.into_inner().map_err(|error| failed(&error))?;
        whole_file::write(&self.table(), &bytes, "write the table")
    }
}
