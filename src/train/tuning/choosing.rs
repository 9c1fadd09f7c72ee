//! How a run's kernels are chosen: measured, remembered, or by the device's kind.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Tuning;
use crate::config::RunConfig;
use crate::data::Dataset;
use crate::device::Device;
use crate::device::tune::{Cache, Path, Report, Stored, Subject, Task, fingerprint};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::model::graph;
use crate::model::holding::Holding;
use crate::model::start::{settings, start_values};
use crate::plan::{Choices, DeviceKind, DeviceProfile};
use crate::train::feed::{Further, Rows, first, wanted};
use crate::train::room::{self, evaluation_batch};

/// Time that measuring may take unless it was asked for.
const BUDGET: Duration = Duration::from_secs(1);
/// Time that measuring may take when it was asked for.
const LONG_BUDGET: Duration = Duration::from_secs(30);
/// Batches of training data that whole plans are compared on.
const BATCHES: usize = 4;

/// When kernels are measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// What the cache knows, else measured on hardware, else by the device's kind.
    #[default]
    Auto,
    /// By the device's kind.
    Off,
    /// Measured now, on a software adapter too.
    Force,
}

/// What is told while kernels are chosen.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// This many operations are about to be measured.
    Begin(usize),
    /// Measuring is done.
    Done(&'a Report),
    /// Measuring came to nothing; the error follows.
    Failed,
    /// Something that is in the way, which stops nothing.
    Notice(&'a str),
}

/// The ways to fuse a step that may be the best on a device as a whole, the static one first.
fn paths(profile: &DeviceProfile) -> Vec<Path> {
    let kind = |kind| Choices::by_kind(&DeviceProfile { kind, ..profile.clone() });
    let all = [
        ("static", Choices::by_kind(profile)),
        ("small network", Choices::small_network()),
        ("hardware", kind(DeviceKind::Discrete)),
        ("software", kind(DeviceKind::Software)),
    ];
    let mut paths: Vec<Path> = Vec::new();
    for (name, Choices { fusions, .. }) in all {
        if !paths.iter().any(|path| path.fusions == fusions) {
            paths.push(Path { name: name.into(), fusions });
        }
    }
    paths
}

/// What a run computes again and again.
struct Graphs {
    train: Graph,
    evaluate: Graph,
    /// How the device holds the rows of each.
    training: Holding,
    test: Holding,
}

impl Graphs {
    fn new(config: &RunConfig, data: &Dataset, profile: &DeviceProfile) -> Result<Self> {
        let training = room::of_training(config, &data.train, profile);
        let test = room::of_judging(config, &data.test, profile);
        Ok(Graphs {
            train: graph::training(config, training)?,
            evaluate: graph::evaluation(config, "test", test, evaluation_batch(config, test.data))?,
            training,
            test,
        })
    }

    /// What there is to choose; with what to measure it on if it `is_measured`, which takes a copy of the parameters.
    fn task(
        &self,
        config: &RunConfig,
        data: &Dataset,
        [mixed, is_measured]: [bool; 2],
        profile: &DeviceProfile,
    ) -> Result<Task<'_>> {
        let steps = data.train.rows.div_ceil(config.step_rows(data.train.rows).max(1));
        let batches = data.test.rows.div_ceil(evaluation_batch(config, self.test.data).max(1));
        // Those of the first source alone.
        let rows = (BATCHES * config.step_rows(data.train.rows)).min(self.training.shard);
        let mut feeds = Vec::new();
        if is_measured {
            feeds = self.feeds(config, data, rows)?;
        }
        let subject = |name, graph, weight: usize, feeds| Subject { name, graph, weight: weight as f64, feeds };
        Ok(Task {
            subjects: vec![
                subject("train", &self.train, steps, feeds),
                subject("evaluate", &self.evaluate, batches, Vec::new()),
            ],
            paths: paths(profile),
            known: BTreeMap::new(),
            budget: BUDGET,
            mixed,
        })
    }

    /// What a training step begins with, and its first rows.
    fn feeds(&self, config: &RunConfig, data: &Dataset, rows: usize) -> Result<Vec<(String, Vec<u8>)>> {
        let mut feeds = start_values(config, data.train.width, rows)?;
        feeds.extend(settings(config).into_iter().map(|(name, value)| (name, bytemuck::cast_slice(&value).to_vec())));
        let all = Rows::new(&data.train, Further::assumed(data.train.rows));
        let sources = self.train.sources().map(|(_, source)| (source.name.as_str(), source.role));
        for what in wanted(sources, "train") {
            feeds.push((format!("train {what}"), first(&all, &what, &self.training, rows)?));
        }
        Ok(feeds)
    }
}

/// Refuses f16 factors where no kernel has them, or where none would be proved.
fn check_mixed(mode: Mode, device: &dyn Device) -> Result<()> {
    if !device.profile().cooperative_matrix {
        let problem = format!("--precision mixed: {} cannot multiply matrices of f16 with sums in f32", device.name());
        return Err(Error::Usage(problem));
    }
    if mode == Mode::Off {
        let problem =
            "--precision mixed: its kernels are used only where they were proved, which --tune off leaves out";
        return Err(Error::Usage(problem.into()));
    }
    Ok(())
}

/// Chooses the kernels of a new run; `mixed` admits factors rounded to f16.
///
/// # Errors
/// When the model does not fit the data, the device cannot do what is asked, or it fails.
pub fn choose(
    mode: Mode,
    mixed: bool,
    device: &mut dyn Device,
    config: &RunConfig,
    data: &Dataset,
    tell: &mut dyn FnMut(Progress<'_>),
) -> Result<Tuning> {
    let graphs = Graphs::new(config, data, device.profile())?;
    if mixed {
        check_mixed(mode, device)?;
    }
    let kind = device.profile().kind;
    let is_fixed = mode == Mode::Off || kind == DeviceKind::Cpu;
    let mut task = graphs.task(config, data, [mixed, !is_fixed], device.profile())?;
    let mut identity = device.identity();
    if mixed {
        // Remembered apart: what is fastest among more kernels may not be used among fewer.
        identity.driver.push_str(", mixed precision");
    }
    let record = |choices| Ok(Tuning { adapter: identity.adapter.clone(), choices });
    if is_fixed {
        return record(task.resolve(device, &Choices::by_kind(device.profile()))?);
    }

    let cache = match Cache::of(&identity) {
        Ok(cache) => Some(cache),
        Err(error) => {
            tell(Progress::Notice(&error.to_string()));
            None
        }
    };
    let key = fingerprint(&graphs.train);
    if mode == Mode::Force {
        task.budget = LONG_BUDGET;
    } else {
        let stored = cache.as_ref().map_or_else(|| Ok(Stored::default()), Cache::load).unwrap_or_else(|error| {
            tell(Progress::Notice(&format!("{error}; kernels are chosen anew")));
            Stored::default()
        });
        task.known = stored.kernels;
        if let Some(fusions) = stored.fusions.get(&key) {
            task.paths = vec![Path { name: "cached".into(), fusions: fusions.clone() }];
        }
        let software = kind == DeviceKind::Software;
        let open = task.open_sites(device)?.len();
        if software || (open == 0 && task.paths.len() == 1) {
            let choices = Choices { fusions: task.paths[0].fusions.clone(), kernels: task.known.clone(), mixed };
            return record(task.resolve(device, &choices)?);
        }
    }

    tell(Progress::Begin(task.open_sites(device)?.len()));
    let report = task.run(device).inspect_err(|_| tell(Progress::Failed))?;
    tell(Progress::Done(&report));
    let kept = cache.map(|cache| cache.remember(key, report.choices.fusions.clone(), report.kernels.clone()));
    if let Some(Err(error)) = kept {
        tell(Progress::Notice(&format!("{error}; the next run measures again")));
    }
    record(report.choices)
}

/// The kernels of a run that goes on: those of its record on the adapter that they are for; those that
/// `mode` finds on another.
///
/// # Errors
/// As [`choose`].
pub fn choose_again(
    recorded: Option<&Tuning>,
    mode: Mode,
    device: &mut dyn Device,
    config: &RunConfig,
    data: &Dataset,
    tell: &mut dyn FnMut(Progress<'_>),
) -> Result<Tuning> {
    let adapter = device.identity().adapter;
    match recorded {
        // Checkpoints without a record are from before there was a choice.
        None => choose(Mode::Off, false, device, config, data, tell),
        Some(tuning) if tuning.adapter == adapter => {
            if mode != Mode::Auto {
                tell(Progress::Notice("--tune: the run goes on with the kernels that its checkpoint names"));
            }
            let graphs = Graphs::new(config, data, device.profile())?;
            for graph in [&graphs.train, &graphs.evaluate] {
                for missing in tuning.choices.resolved(graph, device.profile())?.1 {
                    let notice = format!("{adapter} no longer has {missing}: other bits than without the interruption");
                    tell(Progress::Notice(&notice));
                }
            }
            Ok(tuning.clone())
        }
        Some(tuning) => {
            let notice = format!("kernels were chosen for {}, now for {adapter}: other bits", tuning.adapter);
            tell(Progress::Notice(&notice));
            choose(mode, tuning.choices.mixed, device, config, data, tell)
        }
    }
}
