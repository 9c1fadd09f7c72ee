//! The runs of a study, trained one after the other: those of the whole study, of a shard, or those that a process is given.

use gpu_ae::config::RunConfig;
use gpu_ae::device::Device;
use gpu_ae::error::pasted;
use gpu_ae::study::study_dir::{Planned, Study, StudyDir};
use gpu_ae::study::sweep::{Outcome, settings};
use gpu_ae::train::{Checkpoint, Event, Interrupt, Run, RunDir};
use gpu_ae::{Error, Result};

use crate::cli::interrupt::Signals;
use crate::cli::opened::open_device_of;
use crate::cli::output::{complain, tell};
use crate::cli::progress::StudyBar;
use crate::cli::tuning::{self, Precision, Tune};

/// Trains those runs of a study whose numbers are `wanted` and which are not trained yet, one after the other; what comes of them is
/// kept in the table of `kept`.
pub(super) fn train(
    directory: &StudyDir,
    kept: &StudyDir,
    study: &Study,
    wanted: impl Fn(usize) -> bool,
    signals: Signals,
    quiet: bool,
) -> Result<Vec<Outcome>> {
    let mut outcomes = kept.outcomes()?;
    let runs = study.runs().into_iter().enumerate();
    let runs: Vec<Planned> = runs.filter(|(number, _)| wanted(*number)).map(|(_, run)| run).collect();
    let is_left = |run: &&Planned| !outcomes.iter().any(|outcome| run.is(outcome));
    let left: Vec<Planned> = runs.iter().filter(is_left).cloned().collect();
    if left.is_empty() && !quiet {
        complain(&format!("{}: all {} runs are done", directory.0.display(), runs.len()));
    }
    let mut bar = (!left.is_empty()).then(|| StudyBar::new(runs.len(), left.len(), quiet));
    let mut trainer = Trainer::new(directory, study, signals.interrupt(), 0, quiet);
    for run in left {
        let mut tell_bar = |event: &Event<'_>, epochs, rows| {
            if let Some(bar) = &mut bar {
                bar.show(event, epochs, rows);
            }
        };
        let outcome = trainer.train(&run, &mut tell_bar)?;
        if let Some(bar) = &mut bar {
            bar.run_ended();
            if !quiet {
                bar.suspend(|| tell(&format!("{}/{}  {}", outcomes.len() + 1, runs.len(), line(&outcome))));
            }
        }
        outcomes.push(outcome);
        kept.write_outcomes(&outcomes)?;
    }
    Ok(outcomes)
}

/// Trains runs of a study on one device.
pub(super) struct Trainer<'a> {
    directory: &'a StudyDir,
    study: &'a Study,
    interrupt: Interrupt,
    /// The number of this process on its machine.
    local: usize,
    device: Option<Box<dyn Device>>,
    quiet: bool,
}

impl<'a> Trainer<'a> {
    /// On the device of the study that is meant for the process of this number on its machine, which is opened with the first run.
    pub fn new(directory: &'a StudyDir, study: &'a Study, interrupt: Interrupt, local: usize, quiet: bool) -> Self {
        Trainer { directory, study, interrupt, local, device: None, quiet }
    }

    /// Trains one run, from its checkpoint if there is one; `tell` hears of it, with the epochs and the rows that it has.
    pub fn train(&mut self, run: &Planned, tell: &mut dyn FnMut(&Event<'_>, u32, usize)) -> Result<Outcome> {
        let config = settings(&self.study.base, &run.point, run.seed)?;
        let device = match self.device.take() {
            Some(device) => device,
            None => open_device_of(&config.device, self.local, self.quiet)?,
        };
        let trained = self.train_on(device, &config, run, tell);
        trained.map_err(|error| match error {
            Error::Interrupted { signal, done, .. } => {
                let advice = format!("gpu-ae sweep --resume {}", pasted(&self.directory.0));
                Error::Interrupted { signal, done: format!("{} seed {}: {done}", run.name, run.seed), advice }
            }
            other => other,
        })
    }

    /// A loss that is not finite is an outcome like any other.
    fn train_on(
        &mut self,
        mut device: Box<dyn Device>,
        config: &RunConfig,
        planned: &Planned,
        tell: &mut dyn FnMut(&Event<'_>, u32, usize),
    ) -> Result<Outcome> {
        let path = StudyDir::run(&planned.name, planned.seed);
        let folder = self.directory.0.join(&path);
        let run_dir = RunDir::open(&folder).ok().filter(|run| run.checkpoint().exists());
        let (mut run, data) = match run_dir {
            Some(_) => {
                let existing = RunDir::claim(&folder)?;
                let checkpoint = Checkpoint::load(&existing.checkpoint())?;
                let data = config.load_data_as(checkpoint.encoding.as_ref())?;
                let tuning = checkpoint.tuning.as_ref();
                let tuning = tuning::choose_again(tuning, Tune::Auto, device.as_mut(), config, &data, true)?;
                (Run::resume(config.clone(), checkpoint, existing, device, &data, tuning, &mut |_, _| ())?, data)
            }
            None => {
                let data = config.load_data()?;
                let tuning = tuning::choose(Tune::Auto, Precision::F32, device.as_mut(), config, &data, true)?;
                let run_dir = RunDir::create(&folder)?;
                (Run::start(config.clone(), run_dir, device, &data, tuning, None, &mut |_, _| ())?, data)
            }
        };
        run.end_on(self.interrupt.clone());
        let finished = match run.train(|event| tell(&event, config.epochs, data.train.rows)) {
            Ok(()) => true,
            Err(Error::Failed(_)) => false,
            Err(error) => return Err(error),
        };
        let epochs = if finished { run.epochs_to_outcome() } else { &[] };
        let path = path.display().to_string();
        let outcome = Outcome::new(planned.name.clone(), config, epochs, data.mean_row_error(), path);
        self.device = finished.then(|| run.into_device());
        Ok(outcome)
    }
}

/// An outcome in a line.
pub(super) fn line(outcome: &Outcome) -> String {
    let number = |value: Option<f64>, decimals: usize| value.map_or("-".into(), |value| format!("{value:.decimals$}"));
    format!(
        "{}  seed {}  test mse {}  effective width {}  active {}{}",
        outcome.point,
        outcome.seed,
        number(outcome.test_mse, 4),
        number(outcome.effective_width, 1),
        number(outcome.active_units, 0),
        match (outcome.collapsed, outcome.undertrained) {
            (true, _) => "  collapsed",
            (false, true) => "  undertrained",
            (false, false) => "",
        }
    )
}
