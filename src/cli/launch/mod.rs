//! Runs on their way: started or resumed, trained while the terminal shows it, and what every command that trains has in
//! common.

pub mod introduction;
pub mod processes;

use std::path::{Path, PathBuf};
use std::time::Instant;

use gpu_ae::config::{LOSS_SCALE, RunConfig, in_file};
use gpu_ae::data::options::OfRun;
use gpu_ae::data::{Dataset, Encoding};
use gpu_ae::device::Device;
use gpu_ae::report::format_number;
use gpu_ae::train::early_stopping::Judgement;
use gpu_ae::train::record::checkpoint::previous;
use gpu_ae::train::session::State;
use gpu_ae::train::{Checkpoint, Event, Run, RunDir};
use gpu_ae::{Error, Result};

use crate::cli::bar::Bar;
use crate::cli::data_flags::same_path;
use crate::cli::flags::{ConfigFlags, DeviceFlag, open_device};
use crate::cli::interrupt::Signals;
use crate::cli::live::View;
use crate::cli::output::{complain, say_json, tell};
use crate::cli::profile::{ceilings, table, write_table};
use crate::cli::progress::Display;
use crate::cli::tuning::{self, Precision, Tune};
use introduction::{introduce, standing};
use processes::{Own, ProcessFlags};

/// How a run is made, gone on with, watched and told of.
#[derive(clap::Args)]
pub struct TrainingFlags {
    /// Run directory to make; must not exist or be empty [default: in runs/, named by the data]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Continue this run from its checkpoint; only --epochs, --lr, the lambdas, --data (the same rows at another path), --data-dir, --device and --set early_stopping.… may change
    #[arg(long, value_name = "RUN", conflicts_with = "out")]
    pub resume: Option<PathBuf>,
    /// With --resume: use the checkpoint before the newest one
    #[arg(long, requires = "resume")]
    pub from_previous: bool,
    /// Time some steps kernel by kernel: a table, and a trace for Perfetto in the run directory
    #[arg(long)]
    pub profile: bool,
    /// Tell TensorBoard: losses, weights and pictures as events in RUN/tensorboard; a resumed run goes on with them
    #[arg(long)]
    pub tensorboard: bool,
    /// When to measure which kernels are fastest on this device; a resumed run keeps those it has
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Tune::Auto)]
    pub tune: Tune,
    /// How exactly matrix products are computed; a resumed run keeps its own
    #[arg(long, value_enum, default_value_t = Precision::F32, conflicts_with = "resume")]
    pub precision: Precision,
    #[command(flatten)]
    pub processes: ProcessFlags,
    /// Show the run on the whole screen while it trains: curves, images beside what the network makes of them, speed and time left; q or Ctrl-C ends it with all work kept. Without effect where standard output is no terminal
    #[arg(long, conflicts_with_all = ["quiet", "json"])]
    pub tui: bool,
    /// Print errors only
    #[arg(long, short)]
    pub quiet: bool,
    /// Print the last epoch's metrics, under early stopping the best one's, as one JSON object, and nothing else
    #[arg(long)]
    pub json: bool,
}

/// A run about to be trained, or just trained.
pub struct Launched {
    pub run: Run,
    pub config: RunConfig,
    pub data: Dataset,
    pub path: PathBuf,
}

/// What does not fit a device in words for people, without the names of kernels.
pub fn unfit(error: Error) -> Error {
    match error {
        Error::Graph { problem, .. } if problem.contains("the device allows") => {
            Error::Usage(format!("the network does not fit the device: {problem}"))
        }
        error => error,
    }
}

/// Opens the device while the data is being made ready, mapped as `known` says if that is given.
pub fn prepare(config: &RunConfig, known: Option<&Encoding>, quiet: bool) -> Result<(Dataset, Box<dyn Device>)> {
    let (data, device) = rayon::join(|| config.load_data_as(known), || open_device(&config.device, quiet));
    Ok((data?, device?))
}

/// Has the device be one of those of all processes, if there are others.
fn join(own: Option<&Own>, device: &mut dyn Device) {
    if let Some(own) = own {
        device.join(own.member());
    }
}

impl TrainingFlags {
    /// Whether nothing is told but errors and results.
    pub fn is_quiet(&self) -> bool {
        self.quiet || self.json
    }

    /// A new run in this folder, with this encoder if there is one; `file` is the configuration file that was named.
    pub fn start(
        &self,
        config: RunConfig,
        directory: RunDir,
        encoder: Option<&State>,
        file: Option<&Path>,
        own: Option<Own>,
    ) -> Result<Launched> {
        self.check_own(own.as_ref(), &config)?;
        let quiet = self.is_quiet();
        let mut config = config.with_data_folder()?;
        if self.precision == Precision::Mixed {
            config.optimiser.loss_scale.get_or_insert(LOSS_SCALE);
        }
        config.warnings().iter().filter(|_| !quiet).for_each(|warning| complain(&format!("warning: {warning}")));
        let (data, mut device) = prepare(&config, None, quiet)?;
        join(own.as_ref(), device.as_mut());
        // Only a file can say so, and only now is it known to be wrong.
        if let Err(error) = config.check_data(&data.shape(), &data.name).and_then(|()| config.follow_pixels(&data)) {
            return Err(file.map_or_else(|| Error::Usage(error.to_string()), |file| in_file(file, &error)));
        }
        config.check_labels(&data, None)?;
        introduce(&config, &data, device.as_ref(), quiet)?;
        let tuning =
            tuning::choose(self.tune, self.precision, device.as_mut(), &config, &data, quiet).map_err(unfit)?;
        let ceilings = ceilings(self.profile, device.as_mut(), quiet)?;
        let path = directory.path().to_path_buf();
        let mut run =
            comparing(quiet, |tell| Run::start(config.clone(), directory, device, &data, tuning, encoder, tell))
                .map_err(unfit)?;
        if let Some(ceilings) = ceilings {
            run.profile(ceilings)?;
        }
        if self.tensorboard {
            run.tell_tensorboard()?;
        }
        if let Some(own) = own {
            run.lead(own.together)?;
        }
        Ok(Launched { run, config, data, path })
    }

    /// Refuses what is of one process, and runs that several cannot share.
    fn check_own(&self, own: Option<&Own>, config: &RunConfig) -> Result<()> {
        let Some(own) = own else { return Ok(()) };
        if self.profile {
            return Err(Error::Usage("--profile: times the steps of one process alone; start one".into()));
        }
        config.check_members(own.member().size)
    }

    /// The run at `path` from its checkpoint, with what these flags change.
    pub fn resume(&self, path: &Path, flags: &ConfigFlags, device: &DeviceFlag, own: Option<Own>) -> Result<Launched> {
        let quiet = self.is_quiet();
        let directory = RunDir::claim(path)?;
        let tells_tensorboard = self.tensorboard || directory.tensorboard().is_dir();
        let mut file = directory.checkpoint();
        if self.from_previous {
            file = previous(&file);
        }
        let checkpoint = Checkpoint::load(&file)?;
        let mut config = checkpoint.config.clone();
        flags.check_resume(&config)?;
        let mut flags = flags.clone();
        let named = flags.data.data.take();
        flags.apply(device, &mut config)?;
        config.data.of_run = Some(OfRun { name: path.display().to_string(), anew: Vec::new() });
        if let Some(named) = named {
            move_data(&mut config, &checkpoint, &named)?;
        }
        flags.data.check_used(&config.data)?;
        let warning = config.decided_by_test().filter(|_| !quiet);
        warning.iter().for_each(|warning| complain(&format!("warning: {warning}")));
        self.check_own(own.as_ref(), &config)?;
        let (data, mut device) = prepare(&config, checkpoint.encoding.as_ref(), quiet)?;
        join(own.as_ref(), device.as_mut());
        config.check_labels(&data, checkpoint.encoding.as_ref())?;
        introduce(&config, &data, device.as_ref(), quiet)?;
        let recorded = checkpoint.tuning.as_ref();
        let tuning = tuning::choose_again(recorded, self.tune, device.as_mut(), &config, &data, quiet)?;
        let ceilings = ceilings(self.profile, device.as_mut(), quiet)?;
        let mut run =
            comparing(quiet, |tell| Run::resume(config.clone(), checkpoint, directory, device, &data, tuning, tell))
                .map_err(unfit)?;
        if let Some(ceilings) = ceilings {
            run.profile(ceilings)?;
        }
        if tells_tensorboard {
            run.tell_tensorboard()?;
        }
        if let Some(own) = own {
            run.lead(own.together)?;
        }
        if let Some(notice) = run.notice() {
            complain(&format!("warning: {notice}"));
        }
        if !quiet {
            complain(&standing(&run, path, config.epochs));
        }
        Ok(Launched { run, config, data, path: path.to_path_buf() })
    }
}

/// The run's data lies at this path now. That it is the same, the run will see before it goes on.
fn move_data(config: &mut RunConfig, checkpoint: &Checkpoint, path: &str) -> Result<()> {
    let (now, made) = (same_path(path), same_path(&config.data.path));
    if now != made && checkpoint.rows.is_none() {
        let problem = "this run's checkpoint does not tell its rows from others";
        return Err(Error::Usage(format!(
            "--data {path}: cannot change on --resume, {problem}: it was made with {made}"
        )));
    }
    config.data.path = now;
    if let Some(run) = &mut config.data.of_run {
        run.anew.push("--data");
    }
    Ok(())
}

/// Makes a run ready, with a bar while it compares rows.
fn comparing<T>(quiet: bool, make: impl FnOnce(&mut dyn FnMut(usize, usize)) -> T) -> T {
    let mut bar = None;
    make(&mut |done, all| {
        let bar = bar.get_or_insert_with(|| Bar::new("comparing rows", all as u64, quiet));
        bar.at(done as u64, &[]);
    })
}

impl Launched {
    /// Trains while the terminal shows it as `flags` say and until a signal is heard, and takes the best epoch if the run may
    /// stop early; `begin` is when the program started.
    pub fn train(&mut self, flags: &TrainingFlags, begin: Instant, signals: Signals) -> Result<RunDir> {
        self.run.end_on(signals.interrupt());
        let view = if flags.tui { View::open(self, &signals) } else { None };
        let mut display = Display::new(&self.run, self.data.train.rows, begin, flags.is_quiet(), view);
        let directory = RunDir::open(&self.path)?;
        let mut profiled = Ok(());
        let trained = self.run.train(|event| {
            display.show(event);
            if let Event::Profile(profile) = event {
                profiled = write_table(&directory, &table(profile, None));
            }
        });
        drop((display, signals));
        trained?;
        profiled?;
        self.run.take_best()?;
        Ok(directory)
    }

    /// Prints the metrics of the epoch that the run is worth.
    pub fn say_outcome(&self) -> Result<()> {
        match self.run.outcome() {
            Some(metrics) => say_json(metrics),
            None => {
                let path = self.path.display();
                Err(Error::Failed(format!("{path}/metrics.jsonl: no epoch is left in it to print")))
            }
        }
    }

    /// Tells where the run is, which epoch was the best if it may stop early, and where its profile is.
    pub fn tell_where(&self, profiled: bool) {
        let path = self.path.display();
        tell(&format!("run directory: {path}"));
        if let Some(Judgement { term, best, value, .. }) = self.run.judgement() {
            let value = format_number(value);
            let (of, on) = (self.run.epoch(), self.config.deciding());
            tell(&format!("best epoch:    {} of {of}, {on} {term} {value}", best.epoch));
        }
        if profiled {
            tell(&format!("profile:       {path}/profile.txt, {path}/profile.json"));
            tell(&format!("trace:         {path}/trace.json, for https://ui.perfetto.dev or chrome://tracing"));
        }
    }
}
