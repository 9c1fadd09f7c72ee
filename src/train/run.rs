//! The training loop: epochs, evaluation, checkpoints.

use std::time::{Duration, Instant};

use super::epoch::{Epoch, Outcome};
use super::group::Together;
use super::pace::Pace;
use super::profile::profiler::Profiler;
use super::record::checkpoint::Checkpoint;
use super::record::events::Events;
use super::record::metrics::Weights;
use super::stretches::{Read, Stretches};
use super::{EpochMetrics, Event, Interrupt, RunDir, Session, TermSums, Tuning};
use crate::config::RunConfig;
use crate::data::{Encoding, Fingerprint};
use crate::device::ceilings::Ceilings;
use crate::device::{Device, wait};
use crate::error::{Error, Result, pasted};
use crate::model::graph::RING_STEPS;
use crate::nn::Pass;
use crate::ops::step::clock;

/// Longest time between two checkpoints.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(30);
/// Time between two readings of the losses.
const READ_EVERY: Duration = Duration::from_millis(400);

/// What looks at the network behind an epoch.
pub(super) type Look = Box<dyn FnMut(&mut Session) -> Result<()> + Send>;

/// A run in a directory.
pub struct Run {
    pub(super) config: RunConfig,
    pub(super) tuning: Tuning,
    pub(super) directory: RunDir,
    pub(super) session: Session,
    /// Classes of the test rows, which no network is told.
    pub(super) labels: Vec<u16>,
    pub(super) encoding: Encoding,
    /// What tells the rows that are trained on from others.
    pub(super) rows: Fingerprint,
    pub(super) clock: Vec<u32>,
    pub(super) sums: TermSums,
    pub(super) metrics: Vec<EpochMetrics>,
    pub(super) saved: Instant,
    pub(super) pace: Pace,
    /// Weights of the terms when they were last read.
    pub(super) weights: Weights,
    pub(super) profiler: Option<Profiler>,
    pub(super) stretches: Stretches,
    pub(super) notice: Option<String>,
    pub(super) interrupt: Interrupt,
    pub(super) events: Option<Events>,
    pub(super) look: Option<Look>,
}

impl Run {
    /// What has to be said about how the run was found when it was gone on with.
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    /// Has [`train`](Self::train) end as soon as a step is done, with a checkpoint of it, once this is set.
    pub fn end_on(&mut self, interrupt: Interrupt) {
        self.interrupt = interrupt;
    }

    /// Has [`train`](Self::train) show this the network as it is judged, whenever an epoch has ended and before that is told:
    /// what it does with it takes its time from the training, and must leave the parameters alone.
    pub fn show_network(&mut self, look: impl FnMut(&mut Session) -> Result<()> + Send + 'static) {
        self.look = Some(Box::new(look));
    }

    /// The run's configuration.
    pub fn config(&self) -> &RunConfig {
        &self.config
    }

    /// Epochs completed.
    pub fn epoch(&self) -> u32 {
        self.clock[clock::EPOCH]
    }

    /// Metrics of every epoch so far.
    pub fn metrics(&self) -> &[EpochMetrics] {
        &self.metrics
    }

    /// Whether there is nothing left to train.
    fn is_over(&self) -> bool {
        self.epoch() >= self.config.epochs || self.judgement().is_some_and(|judgement| judgement.is_over)
    }

    /// The device, for another run.
    pub fn into_device(self) -> Box<dyn Device> {
        self.session.into_device()
    }

    /// The model on its device.
    pub fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Has [`train`](Self::train) profile some of its steps against these ceilings of the device. They are
    /// steps like all others, only slower.
    ///
    /// # Errors
    /// When there is no step left to profile.
    pub fn profile(&mut self, ceilings: Ceilings) -> Result<()> {
        let epochs = self.config.epochs.saturating_sub(self.epoch());
        let steps = (self.batches().saturating_mul(epochs)).saturating_sub(self.clock[clock::BATCH]);
        if steps == 0 {
            let problem = "--profile: nothing is left to train, so nothing can be timed; --epochs N trains further";
            return Err(Error::Usage(problem.into()));
        }
        self.profiler = Some(Profiler::new(ceilings, steps));
        Ok(())
    }

    /// Has the processes that train with this one, the leader, begin where the run stands. Its device must have
    /// [joined](Device::join) them before the run was made.
    ///
    /// # Errors
    /// When the device fails, or another process cannot be reached.
    pub fn lead(&mut self, mut together: Together) -> Result<()> {
        together.begin(self.checkpoint()?.to_bytes()?)?;
        self.session.lead(together);
        Ok(())
    }

    /// Steps of an epoch.
    fn batches(&self) -> u32 {
        self.clock[clock::ROWS].div_ceil(self.clock[clock::BATCH_SIZE])
    }

    /// Trains until the configuration's number of epochs is reached, or no epoch has been the best one for long.
    ///
    /// # Errors
    /// When a loss is not finite, the device fails, the directory cannot be written, or the run is interrupted.
    pub fn train(&mut self, mut tell: impl FnMut(Event<'_>)) -> Result<()> {
        let mut steps = 1;
        while !self.is_over() {
            if self.stretches.len() == 0 {
                self.end_if_interrupted()?;
            }
            while self.stretches.len() <= self.ahead() && self.to_begin() > 0 {
                self.begin(steps)?;
            }
            steps = self.end(steps, &mut tell)?;
            let epoch_ended = self.clock[clock::BATCH] == 0;
            if epoch_ended {
                self.end_epoch(&mut tell)?;
            } else if self.stretches.len() == 0 && self.saved.elapsed() > CHECKPOINT_EVERY {
                self.save()?;
            }
            if let Some(profiler) = self.profiler.take_if(|profiler| profiler.is_complete(epoch_ended)) {
                let batch = self.clock[clock::BATCH_SIZE] as usize;
                let profile = profiler.profile(self.session.device_name(), batch, self.session.training_plan()?);
                self.directory.write_profile(&profile)?;
                tell(Event::Profile(&profile));
            }
        }
        self.session.end_together();
        if let Some(judgement) = self.judgement().filter(|judgement| judgement.is_over) {
            tell(Event::Stopped(judgement));
        }
        Ok(())
    }

    /// How many stretches may be started beside the one that is read next. None before a checkpoint,
    /// which is what the losses read so far belong to, and none where times are taken: of a profile and
    /// of the first step.
    fn ahead(&self) -> usize {
        let waited_for = self.saved.elapsed() > CHECKPOINT_EVERY || self.interrupt.signal().is_some();
        let alone = !self.pace.is_warm() || self.profiler.is_some() || waited_for;
        usize::from(self.session.runs_ahead() && !alone)
    }

    /// Saves what was done since the last checkpoint and ends the run, if that is wanted.
    fn end_if_interrupted(&mut self) -> Result<()> {
        let Some(signal) = self.interrupt.signal() else { return Ok(()) };
        // An epoch that has just ended is saved.
        if self.clock[clock::BATCH] != 0 {
            self.save()?;
        }
        let (step, path) = (self.clock[clock::STEP], pasted(self.directory.path()));
        let command = if self.config.clustering.is_some() { "cluster" } else { "train" };
        let done = format!("interrupted after step {step}, which is kept");
        Err(Error::Interrupted { signal, done, advice: format!("gpu-ae {command} --resume {path}") })
    }

    /// Steps of the epoch that are still to be started.
    fn to_begin(&self) -> u32 {
        self.batches() - self.clock[clock::BATCH] - self.stretches.steps()
    }

    /// Starts about `steps` steps, never past the end of the epoch.
    fn begin(&mut self, steps: u32) -> Result<()> {
        let steps = steps.min(self.to_begin());
        let (steps, traced) = self.profiler.as_ref().map_or((steps, false), |profiler| profiler.next(steps));
        let first = self.clock[clock::STEP] + self.stretches.steps();
        self.stretches.begin(&mut self.session, first, steps, traced)?;
        let waits = self.session.take_waits();
        if let Some(profiler) = &mut self.profiler {
            profiler.waited_for_rows(waits);
        }
        Ok(())
    }

    /// Reads the losses of the stretch that was started first; returns how many steps would fill the time
    /// between two readings, which were `steps` so far.
    fn end(&mut self, steps: u32, tell: &mut impl FnMut(Event<'_>)) -> Result<u32> {
        let (epoch, before) = (self.epoch(), self.sums.rows);
        let Some(read) = self.stretches.end(&mut self.session, &mut self.sums)? else { return Ok(steps) };
        let Read { first, steps, begin, waited, time, trace, stretch } = read;
        let traced = trace.is_some();
        let steady = self.pace.took(self.sums.rows - before, time, traced);
        if let Some(profiler) = &mut self.profiler {
            // First, so that it ends before what encloses it.
            profiler.host("read losses".into(), waited);
            let (plural, profiled) = (if steps == 1 { "" } else { "s" }, if traced { ", profiled" } else { "" });
            profiler.host(format!("{steps} step{plural}{profiled}"), begin);
            match trace {
                Some(trace) => profiler.traced(first, steps, trace, time),
                None => profiler.ran(steps, time, steady),
            }
        }
        self.clock = stretch.clock;
        if let Some((step, term)) = stretch.bad {
            return Err(self.directory.stopped(&format!(
                "step {step}: the {term} term of the loss is not finite; training stopped with the parameters of \
                 step {}",
                step - 1
            )));
        }
        tell(Event::Progress {
            epoch: epoch + 1,
            samples: self.sums.rows as u64,
            figure: self.progress(),
            samples_per_second: self.pace.samples_per_second(self.sums.rows),
        });
        let fitting = f64::from(steps) * READ_EVERY.as_secs_f64() / time.as_secs_f64().max(1e-6);
        // Growing by steps: the first one includes what drivers compile late.
        Ok((fitting as u32).clamp(1, (4 * steps).min(RING_STEPS as u32)))
    }

    /// What is told of an epoch under way.
    fn progress(&self) -> (&'static str, f64) {
        let terms = self.config.terms(Pass::Train);
        match terms.first().filter(|_| !self.config.moving_terms().is_empty()) {
            Some((term, _)) => (*term, self.sums.mean(term).unwrap_or(f64::NAN)),
            None => ("loss", self.sums.loss(&self.weights)),
        }
    }

    fn end_epoch(&mut self, tell: &mut impl FnMut(Event<'_>)) -> Result<()> {
        let begin = Instant::now();
        let epoch = Epoch {
            clock: &self.clock,
            seconds: self.pace.seconds(),
            samples_per_second: self.pace.samples_per_second(self.sums.rows),
            sums: &self.sums,
            labels: &self.labels,
        };
        let ended = wait(self.session.end_epoch(epoch)).map_err(|error| match error {
            Error::Failed(what) => self.directory.stopped(&format!("step {}: {what}", self.clock[clock::STEP])),
            other => other,
        });
        self.note("evaluate", begin);
        let Outcome { metrics, weights, .. } = ended?;
        self.weights = weights;
        self.directory.append_metrics(&metrics)?;
        self.events.as_ref().map_or(Ok(()), |events| events.metrics(&metrics))?;
        if let Some(look) = &mut self.look {
            let begin = Instant::now();
            wait(self.session.show_means())?;
            look(&mut self.session)?;
            self.session.learn_on()?;
            self.note("look", begin);
        }
        tell(Event::Epoch(&metrics));
        self.metrics.push(metrics);
        self.sums = TermSums::default();
        self.pace.restart();
        self.save()
    }

    /// Tells a profile what was done since `begin`.
    fn note(&mut self, what: &str, begin: Instant) {
        if let Some(profiler) = &mut self.profiler {
            profiler.host(what.into(), begin);
        }
    }

    /// The run as it stands.
    fn checkpoint(&mut self) -> Result<Checkpoint> {
        let state = wait(self.session.state())?;
        let (config, tuning) = (self.config.clone(), Some(self.tuning.clone()));
        let (encoding, rows) = (Some(self.encoding.clone()), Some(self.rows.clone()));
        Ok(Checkpoint { config, tuning, encoding, rows, state, sums: self.sums.clone() })
    }

    pub(super) fn save(&mut self) -> Result<()> {
        let begin = Instant::now();
        let checkpoint = self.checkpoint()?;
        self.directory.save(&checkpoint)?;
        if let Some(events) = self.events.as_ref().filter(|_| self.clock[clock::BATCH] == 0) {
            events.weights(checkpoint.step(), &checkpoint.state, self.session.parameter_names())?;
        }
        if self.judgement().is_some_and(|judgement| judgement.best.step == checkpoint.step()) {
            checkpoint.replace(&self.directory.best_checkpoint())?;
        }
        self.saved = Instant::now();
        self.note("save checkpoint", begin);
        Ok(())
    }
}
