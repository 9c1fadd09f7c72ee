//! Runs that start, and runs that go on from a checkpoint.

use std::time::Instant;

use super::early_stopping::settle;
use super::pace::Pace;
use super::session::State;
use super::stretches::Stretches;
use super::{Checkpoint, Interrupt, Run, RunDir, Session, TermSums, Tuning};
use crate::config::RunConfig;
use crate::data::Dataset;
use crate::device::Device;
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
        let mut session = Session::for_training(device, &config, data, &tuning.choices, tell)?;
        session.initialise(data.train.rows, encoder)?;
        let mut run = Self::new(config, tuning, directory, session, data, TermSums::default())?;
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
    /// When the checkpoint does not fit, or the directory cannot be written.
    pub fn resume(
        config: RunConfig,
        checkpoint: Checkpoint,
        directory: RunDir,
        device: Box<dyn Device>,
        data: &Dataset,
        tuning: Tuning,
        tell: &mut dyn FnMut(usize, usize),
    ) -> Result<Self> {
        let mut session = Session::for_training(device, &config, data, &tuning.choices, tell)?;
        session.restore(&checkpoint.state)?;
        let mut run = Self::new(config, tuning, directory, session, data, checkpoint.sums.clone())?;
        if run.clock[clock::ROWS] as usize != data.train.rows {
            return Err(Error::Usage(format!(
                "the checkpoint was made with {} training rows, the data has {}",
                run.clock[clock::ROWS],
                data.train.rows
            )));
        }
        (run.metrics, run.notice) = run.directory.cut_metrics(run.clock[clock::STEP])?;
        let tuning = Some(run.tuning.clone());
        let checkpoint = Checkpoint { config: run.config.clone(), tuning, ..checkpoint };
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
        data: &Dataset,
        sums: TermSums,
    ) -> Result<Self> {
        let clock = session.clock()?;
        let weights = session.weights()?;
        let (metrics, saved, pace) = (Vec::new(), Instant::now(), Pace::default());
        let (profiler, stretches) = (None, Stretches::new());
        Ok(Run {
            config,
            tuning,
            directory,
            session,
            labels: data.test.labels.clone(),
            encoding: data.encoding.clone(),
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
        })
    }
}
