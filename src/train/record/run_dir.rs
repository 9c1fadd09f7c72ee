//! The run directory: what a run leaves behind.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::checkpoint::{Checkpoint, NEWEST, previous};
use super::metrics_file;
use crate::claim::Claim;
use crate::config::RunConfig;
use crate::error::{Error, Result};
use crate::train::profile::trace_file::trace_file;
use crate::train::{EpochMetrics, Profile};
use crate::whole_file;

/// A run directory.
#[derive(Clone, Debug)]
pub struct RunDir {
    path: PathBuf,
    /// Where a run is made or gone on with, which one process alone may do.
    claim: Option<Arc<Claim>>,
}

impl RunDir {
    /// The directory of a new run, made and claimed; a run that cannot begin leaves nothing behind.
    ///
    /// # Errors
    /// When it holds anything already, or another process works in it.
    pub fn create(path: &Path) -> Result<Self> {
        Claim::new_folder(path).map(Self::claimed)
    }

    /// The same for a name that nobody has chosen: numbered if it is taken.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn numbered(stem: &Path) -> Result<Self> {
        Claim::numbered(stem).map(Self::claimed)
    }

    fn claimed(claim: Claim) -> Self {
        RunDir { path: claim.path().to_path_buf(), claim: Some(Arc::new(claim)) }
    }

    /// An existing run, to go on with: no other process may.
    ///
    /// # Errors
    /// When there is no run of a network in this folder, or another process works in it.
    pub fn claim(path: &Path) -> Result<Self> {
        Self::open_network(path)?;
        Claim::existing(path).map(Self::claimed)
    }

    /// What is in it now is worth keeping. With its first checkpoint every run has that.
    pub fn keep(&self) {
        if let Some(claim) = &self.claim {
            claim.keep();
        }
    }

    /// An existing run.
    ///
    /// # Errors
    /// When there is no run in this folder.
    pub fn open(path: &Path) -> Result<Self> {
        let run = RunDir { path: path.to_path_buf(), claim: None };
        let missing = if path.exists() && !path.is_dir() {
            "is not a folder; expected a run directory made by 'gpu-ae train'"
        } else if !path.exists() {
            "there is no such folder; expected a run directory made by 'gpu-ae train'"
        } else if !run.checkpoint().exists() && !previous(&run.checkpoint()).exists() && !run.config().exists() {
            "is no run directory: expected config.toml and checkpoint.safetensors in it"
        } else if !run.checkpoint().exists() && path.join("encoder.safetensors").exists() {
            "is a cluster run of version 0.1.0 as it was before such runs had checkpoints, which this version does not \
             read; 'gpu-ae cluster' makes one that it does"
        } else {
            return Ok(run);
        };
        Err(Error::input(path, missing))
    }

    /// An existing run that has a network: a Hopfield network's has none, only what it recalled.
    ///
    /// # Errors
    /// As [`open`](Self::open), and when the run is that of a Hopfield network.
    pub fn open_network(path: &Path) -> Result<Self> {
        let run = Self::open(path)?;
        if run.read_config().is_ok_and(|config| config.hopfield.is_some()) {
            let problem = "is the run of a Hopfield network, which stores and recalls patterns and trains nothing: there \
                           is no network to use or to go on with; what it came to is in metrics.jsonl and retrieval.png";
            return Err(Error::input(path, problem));
        }
        Ok(run)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The resolved configuration.
    pub fn config(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// What the run was made with, as its configuration says, or, where a kill came before that was written, its
    /// checkpoint.
    ///
    /// # Errors
    /// When neither can be read.
    pub fn read_config(&self) -> Result<RunConfig> {
        let file = self.config();
        if file.exists() {
            RunConfig::read(&file, None, None)
        } else {
            Ok(Checkpoint::load(&self.checkpoint())?.config)
        }
    }

    /// The newest checkpoint.
    pub fn checkpoint(&self) -> PathBuf {
        self.path.join(NEWEST)
    }

    /// In words, where training can go on from after it broke off.
    pub(crate) fn last_good(&self) -> String {
        let path = self.checkpoint();
        match Checkpoint::load(&path) {
            Ok(checkpoint) => format!("the last good checkpoint is {} (step {})", path.display(), checkpoint.step()),
            Err(_) => format!("look for a good checkpoint at {}", previous(&path).display()),
        }
    }

    /// The checkpoint of the best epoch, where a run stops early.
    pub fn best_checkpoint(&self) -> PathBuf {
        self.path.join("checkpoint.best.safetensors")
    }

    /// One line an epoch.
    pub fn metrics(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// The page that tells all of it.
    pub fn page(&self) -> PathBuf {
        self.path.join("report.html")
    }

    /// The folder of what TensorBoard is told.
    pub fn tensorboard(&self) -> PathBuf {
        self.path.join("tensorboard")
    }

    /// Test images over their reconstructions; of a table, the error of each column.
    pub fn reconstructions(&self) -> PathBuf {
        self.path.join("reconstructions.png")
    }

    /// Rows that a generator made.
    pub fn generated(&self) -> PathBuf {
        self.path.join("generated.png")
    }

    /// Of a table, how its columns move with one another before the network and behind it.
    pub fn columns(&self) -> PathBuf {
        self.path.join("columns.png")
    }

    /// Test images that a classifier takes for another class.
    pub fn mistakes(&self) -> PathBuf {
        self.path.join("mistakes.png")
    }

    /// Training images as `[augment]` changes them.
    pub fn augmented(&self) -> PathBuf {
        self.path.join("augmented.png")
    }

    /// What the blocks of a convolutional encoder make of test images.
    pub fn feature_maps(&self) -> PathBuf {
        self.path.join("feature_maps.png")
    }

    /// Losses over epochs.
    pub fn loss_plot(&self) -> PathBuf {
        self.path.join("loss.png")
    }

    /// Effective widths over epochs.
    pub fn widths_plot(&self) -> PathBuf {
        self.path.join("widths.png")
    }

    /// What the neurons of the first layer read from images, and what those before the last write into them.
    pub fn features(&self) -> PathBuf {
        self.path.join("features.png")
    }

    /// Picture of all weights.
    pub fn weights_picture(&self) -> PathBuf {
        self.path.join("weights.png")
    }

    /// Codes of test rows.
    pub fn codes_plot(&self) -> PathBuf {
        self.path.join("codes.png")
    }

    /// Where the time of a step goes, as a table.
    pub fn profile_table(&self) -> PathBuf {
        self.path.join("profile.txt")
    }

    /// The same for programs.
    pub fn profile(&self) -> PathBuf {
        self.path.join("profile.json")
    }

    /// The profiled steps as a trace for Perfetto.
    pub fn trace(&self) -> PathBuf {
        self.path.join("trace.json")
    }

    /// Writes the newest checkpoint; the one that was there becomes the previous one. With its first checkpoint a run has
    /// begun: it can be resumed, and is not taken for an empty folder.
    ///
    /// # Errors
    /// When the folder cannot be written; an earlier checkpoint is then still in place.
    pub fn save(&self, checkpoint: &Checkpoint) -> Result<()> {
        checkpoint.save(&self.checkpoint())?;
        self.keep();
        Ok(())
    }

    /// Writes the configuration, which is there to be read: a checkpoint has its own.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write_config(&self, config: &RunConfig) -> Result<()> {
        whole_file::write(&self.config(), config.to_toml()?.as_bytes(), "write the configuration")
    }

    /// Writes a profile and its trace.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write_profile(&self, profile: &Profile) -> Result<()> {
        let mut json = serde_json::to_string_pretty(profile).map_err(|e| Error::Failed(format!("profile: {e}")))?;
        json.push('\n');
        whole_file::write(&self.profile(), json.as_bytes(), "write the profile")?;
        whole_file::write(&self.trace(), trace_file(profile).as_bytes(), "write the trace")
    }

    /// Appends one epoch to the metrics.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn append_metrics(&self, metrics: &EpochMetrics) -> Result<()> {
        metrics_file::append(&self.metrics(), metrics)
    }

    /// The metrics of the epochs completed by `step`, and the file cut back to them: what a run that was
    /// killed had measured after its checkpoint will be measured again. What to say where lines are damaged, which is
    /// when the file is kept under another name.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn cut_metrics(&self, step: u32) -> Result<(Vec<EpochMetrics>, Option<String>)> {
        metrics_file::cut(&self.metrics(), step)
    }

    /// The metrics so far; a last line that was cut off in the middle is not one.
    ///
    /// # Errors
    /// When the file cannot be read, or a line is damaged.
    pub fn read_metrics(&self) -> Result<Vec<EpochMetrics>> {
        metrics_file::read(&self.metrics())
    }

    /// The metrics of the network that there was after so many steps, if an epoch ended there.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn metrics_after(&self, step: u32) -> Result<Option<EpochMetrics>> {
        Ok(self.read_metrics()?.into_iter().rfind(|metrics| metrics.step == step))
    }

    /// The error of a loss that is not finite: what happened, and where to go on from.
    pub(crate) fn stopped(&self, what: &str) -> Error {
        Error::Failed(format!("{what}; {}. A smaller --lr usually helps", self.last_good()))
    }
}
