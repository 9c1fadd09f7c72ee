//! Runs that start, and runs that go on from a checkpoint.

use std::time::Instant;

use super::early_stopping::settle;
use super::pace::Pace;
use super::session::State;
use super::stretches::Stretches;
use super::{Checkpoint, Interrupt, Run, RunDir, Session, TermSums, Tuning};
use crate::config::RunConfig;
use crate::data::{Dataset, Fingerprint};
use crate::device::{Device, wait};
use crate::error::{Error, Result};
use crate::ops::step::clock;

impl Run {
    /// Starts a new run with these kernels, and with this encoder if there is one: writes a checkpoint of step 0 and its
    /// configuration. Where distances between rows are needed first, `tell` hears of how many of how many they are known.
    ///
    /// # Errors
    /// When the model fits neither data nor device, or the directory cannot be written.
    pub fn start(
        config: RunConfig,
        directory: RunDir,
        device: Box<dyn Device>,
        data: &Dataset,
        tuning: Tuning,
        encoder: Option<&State>,
        tell: &mut dyn FnMut(usize, usize),
    ) -> Result<Self> {
        let mut config = config;
        config.follow_pixels(data)?;
        let rows = Fingerprint::of(&data.train);
        let mut session = wait(Session::for_training(device, &config, data, &tuning.choices, tell))?;
        wait(session.initialise(data.train.rows, encoder))?;
        let mut run = Self::new(config, tuning, directory, session, (data, rows), TermSums::default())?;
        // First, since with it the run has begun: a kill before it leaves an empty folder, one behind it a run.
        run.save()?;
        run.directory.write_config(&run.config)?;
        Ok(run)
    }

    /// Continues a run from one of its checkpoints. The configuration is the checkpoint's, with what the
    /// caller changed, and so are the kernels unless the device is another; the newest checkpoint is made to say the same at once, so that the change outlives
    /// a kill, and so that a damaged newest one is not kept as the previous one. `tell` hears what it does at the
    /// [start](Self::start) of a run.
    ///
    /// # Errors
    /// When the checkpoint does not fit, the data's training rows are no more those of the run, or the directory cannot be written.
    pub fn resume(
        config: RunConfig,
        checkpoint: Checkpoint,
        directory: RunDir,
        device: Box<dyn Device>,
        data: &Dataset,
        tuning: Tuning,
        tell: &mut dyn FnMut(usize, usize),
    ) -> Result<Self> {
        let rows = Fingerprint::of(&data.train);
        check_rows(&config, &checkpoint, &rows)?;
        let mut session = wait(Session::for_training(device, &config, data, &tuning.choices, tell))?;
        wait(session.restore(&checkpoint.state))?;
        let rows = (data, rows);
        let mut run = Self::new(config, tuning, directory, session, rows, checkpoint.sums.clone())?;
        (run.metrics, run.notice) = run.directory.cut_metrics(run.clock[clock::STEP])?;
        let tuning = Some(run.tuning.clone());
        let (config, rows) = (run.config.clone(), Some(run.rows.clone()));
        let checkpoint = Checkpoint { config, tuning, rows, ..checkpoint };
        checkpoint.replace(&run.directory.checkpoint())?;
        settle(&run.directory, &run.metrics, &checkpoint)?;
        run.directory.write_config(&run.config)?;
        Ok(run)
    }

    fn new(
        config: RunConfig,
        tuning: Tuning,
        directory: RunDir,
        mut session: Session,
        (data, rows): (&Dataset, Fingerprint),
        sums: TermSums,
    ) -> Result<Self> {
        let clock = wait(session.clock())?;
        let weights = wait(session.weights())?;
        let (metrics, saved, pace) = (Vec::new(), Instant::now(), Pace::default());
        let (profiler, stretches) = (None, Stretches::new());
        Ok(Run {
            config,
            tuning,
            directory,
            session,
            labels: data.test.labels.clone(),
            encoding: data.encoding.clone(),
            rows,
            clock,
            sums,
            metrics,
            saved,
            pace,
            weights,
            profiler,
            stretches,
            notice: None,
            interrupt: Interrupt::default(),
            events: None,
            look: None,
        })
    }
}

/// Refuses rows that are not those that the run was trained on so far: what it has learnt of the others, and its place in their
/// order, would mean nothing. A checkpoint from before what tells them was kept knows only how many they were.
pub(super) fn check_rows(config: &RunConfig, checkpoint: &Checkpoint, now: &Fingerprint) -> Result<()> {
    let made =
        checkpoint.rows.clone().unwrap_or_else(|| Fingerprint { rows: checkpoint.training_rows(), ..now.clone() });
    let Some(difference) = made.difference(now, config.classifier.is_some()) else { return Ok(()) };
    let remedy = "a run goes on with the rows that it began with: put them back as they were, or train a new run on \
                  these, without --resume";
    Err(Error::Usage(format!("the run's data '{}' has changed: {difference}; {remedy}", config.data.path)))
}
