//! Flags that several commands share, and how they change a configuration.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use gpu_ae::config::{Assignment, ClassName, MODELS, MOST_BATCH, MOST_SEED, RunConfig, Said, Schedule};
use gpu_ae::data::is_named;
use gpu_ae::device::Choice;
use gpu_ae::{Error, Result};

pub use super::data_flags::DataFlags;
use super::data_flags::same_path;
pub use super::opened::{check_width, open_device, open_run, session_on};

/// Which device.
#[derive(Args, Clone, Default)]
pub struct DeviceFlag {
    /// Device: auto, gpu, cpu, a number from 'gpu-ae devices', or part of an adapter's name; under mpirun several of these, such as 0,1, for the processes of a machine in turn
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
}

impl DeviceFlag {
    /// What is named for the process of this number on its machine.
    pub fn of_process(&self, local: usize) -> Option<String> {
        let names: Vec<&str> = self.device.as_deref()?.split(',').collect();
        Some(names[local % names.len()].to_string())
    }
}

/// Reads a number for the command line; whether it makes sense is the configuration's to say.
pub fn number(text: &str) -> Result<f32, String> {
    text.parse().map_err(|_| "expected a number, such as 0.5 or 1e-3".into())
}

/// Reads whole numbers of a range for the command line.
pub fn whole<T>(range: RangeInclusive<T>) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: FromStr + PartialOrd + Display + Clone + Send + Sync + 'static,
{
    move |text| {
        let read = text.parse().ok().filter(|value| range.contains(value));
        read.ok_or_else(|| format!("expected a whole number from {} to {}", range.start(), range.end()))
    }
}

/// Reads a seed: one that a configuration file can hold.
pub fn seed(text: &str) -> Result<u64, String> {
    whole(0..=MOST_SEED)(text)
}

/// What makes up a configuration.
#[derive(Args, Clone, Default)]
pub struct ConfigFlags {
    #[command(flatten)]
    pub data: DataFlags,
    /// Class whose rows are left out of the training data, not of the test data
    #[arg(long, value_name = "CLASS", allow_hyphen_values = true)]
    pub without: Option<String>,
    /// Share of the training rows that is set aside to decide when to stop and which epoch is best; 0 leaves that to the test data [default: 0; with early_stopping: 0.1]
    #[arg(long, value_name = "SHARE", value_parser = number, allow_negative_numbers = true)]
    pub validation: Option<f32>,
    // Its help lists what there is.
    #[arg(long, value_name = "NAME", help = format!("Kind of model: {} [default: {}]", MODELS.join(", "), MODELS[0]))]
    pub model: Option<String>,
    /// Named settings: bottleneck (as few neurons as a budget of error allows), plain (no entropy), report (the source report's Listing 2) [default: bottleneck; models other than entropic: plain]
    #[arg(long, value_name = "NAME")]
    pub recipe: Option<String>,
    /// Configuration file, such as a run's config.toml; flags win over it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Passes over the training data [default: those of the model, 10 for most; of data of one's own as many as make 2,000 steps, at most 1,000, never fewer than the model's]
    #[arg(long, value_name = "N", value_parser = whole(1..=u32::MAX), allow_negative_numbers = true)]
    pub epochs: Option<u32>,
    /// Samples of a training step [default: those of the model, 128 for most; of data of one's own at most an eighth of the training rows, rounded down to a power of two, at least 8]
    #[arg(long, value_name = "N", value_parser = whole(1..=MOST_BATCH), allow_negative_numbers = true)]
    pub batch_size: Option<usize>,
    /// Step size of the optimiser; where lr_schedule moves it, the largest [default: 0.001]
    #[arg(long, value_name = "X", value_parser = number, allow_negative_numbers = true)]
    pub lr: Option<f32>,
    /// Weight of the reconstruction error [default: 1; report: 0.7]
    #[arg(long, value_name = "X", value_parser = number, allow_negative_numbers = true)]
    pub lambda_mse: Option<f32>,
    /// Weight of the entropy, under a budget the largest; 0 trains a plain autoencoder [default: 1; report: 0.3]
    #[arg(long, value_name = "X", value_parser = number, allow_negative_numbers = true)]
    pub lambda_entropy: Option<f32>,
    /// Mean squared error that the entropy may cost; 0 takes what the warm-up has reached
    #[arg(long, value_name = "MSE", value_parser = number, allow_negative_numbers = true)]
    pub budget: Option<f32>,
    /// Any key of config.toml, such as entropy.alpha=1 or entropy.of=paths; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Seed of everything random [default: 0]
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub seed: Option<u64>,
}

fn set<T>(target: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *target = value;
    }
}

impl ConfigFlags {
    /// The configuration these flags stand for: model, then recipe, then file, then flags.
    pub fn resolve(self, device: &DeviceFlag) -> Result<RunConfig> {
        let config = self.clone().resolve_unsettled(device)?;
        self.check_used(std::slice::from_ref(&config))?;
        Ok(config.settled())
    }

    /// The same with what depends on something else still open.
    pub fn resolve_unsettled(self, device: &DeviceFlag) -> Result<RunConfig> {
        let mut config = match &self.config {
            Some(path) => RunConfig::read(path, self.model.as_deref(), self.recipe.as_deref())?,
            None => RunConfig::base(self.model.as_deref(), self.recipe.as_deref())?,
        };
        let said = self.said()?;
        self.apply(device, &mut config)?;
        config.follow_data(said)?;
        Ok(config.with_usual_validation())
    }

    /// What a flag or the file says of the network; the rest follows the data.
    pub fn said(&self) -> Result<Said> {
        let file = self.config.as_deref().map_or(Ok(Said::default()), RunConfig::said)?;
        let typed = [("epochs", self.epochs.is_some()), ("batch_size", self.batch_size.is_some())];
        let typed = typed.into_iter().filter_map(|(key, is_typed)| is_typed.then_some(key));
        let set = self.set.iter().map(|assignment| assignment.split('=').next().unwrap_or_default());
        Ok(set.chain(typed).fold(file, Said::or_by))
    }

    /// Writes the flags that were given over a configuration.
    pub fn apply(&self, device: &DeviceFlag, config: &mut RunConfig) -> Result<()> {
        let before = config.clone();
        let assignments = self.assignments()?;
        // Keys of the data are of the data that is named, which begins with none.
        self.data.name_path(&mut config.data);
        config.set_all("--set", &assignments)?;
        if let Some(budget) = self.budget {
            if !matches!(config.entropy.schedule, Schedule::Budget { .. }) {
                config.entropy.schedule = Schedule::budget();
            }
            if let Schedule::Budget { mse, .. } = &mut config.entropy.schedule {
                *mse = budget;
            }
        }
        self.data.apply(&mut config.data);
        if self.data.data_dir.is_some() {
            config.data_dir.clone_from(&self.data.data_dir);
        }
        if let Some(class) = &self.without {
            config.without = Some(ClassName(class.clone()));
        }
        if self.validation.is_some() {
            config.data.validation = self.validation;
        }
        set(&mut config.device, device.device.clone());
        set(&mut config.epochs, self.epochs);
        set(&mut config.batch_size, self.batch_size);
        set(&mut config.lr, self.lr);
        set(&mut config.lambda_mse, self.lambda_mse);
        set(&mut config.lambda_entropy, self.lambda_entropy);
        set(&mut config.seed, self.seed);
        config.device.parse::<Choice>()?;
        config.check().map_err(|error| before.beside_other_section("--set", &assignments, error))
    }

    /// The keys that are set, with their values.
    fn assignments(&self) -> Result<Vec<Assignment<'_>>> {
        assigned(&self.set, "alpha=0.5")
    }

    /// The flags that may change from one part of a run to the next, as they were given, each with its key.
    fn changeable(&self) -> Vec<(String, &'static str)> {
        let text = |value: Option<f32>| value.map(|value| value.to_string());
        let all = [
            ("--epochs", self.epochs.map(|n| n.to_string()), "epochs"),
            ("--lr", text(self.lr), "lr"),
            ("--lambda-mse", text(self.lambda_mse), "lambda_mse"),
            ("--lambda-entropy", text(self.lambda_entropy), "lambda_entropy"),
        ];
        let given = all.into_iter().filter_map(|(flag, value, key)| Some((format!("{flag} {}", value?), key)));
        given.collect()
    }

    /// What was given that changes a run which is resumed.
    pub fn changes(&self) -> Vec<String> {
        let data_dir = self.data.data_dir.iter().map(|path| format!("--data-dir {}", path.display()));
        let set = self.set.iter().map(|assignment| format!("--set {assignment}"));
        self.changeable().into_iter().map(|(what, _)| what).chain(data_dir).chain(set).collect()
    }

    /// Refuses flags and keys that change nothing of any of these configurations.
    pub fn check_used(&self, configs: &[RunConfig]) -> Result<()> {
        let recipe = self.recipe.iter().map(|name| (format!("--recipe {name}"), "recipe"));
        let batch = self.batch_size.iter().map(|size| (format!("--batch-size {size}"), "batch_size"));
        let budget = self.budget.iter().map(|mse| (format!("--budget {mse}"), "entropy.schedule.mse"));
        let flags = self.changeable().into_iter().chain(recipe).chain(batch).chain(budget);
        let assignments = self.assignments()?;
        let keys = assignments.iter().map(|(key, value)| (format!("--set {key}={value}"), *key));
        flags.chain(keys).try_for_each(|(what, key)| check_idle(&what, key, configs))
    }

    /// Refuses flags that contradict what a run was made with; those that repeat it are fine.
    pub fn check_resume(&self, made: &RunConfig) -> Result<()> {
        if self.config.is_some() {
            return Err(Error::Usage("--config: cannot be used with --resume, which has the run's own".into()));
        }
        // How long to wait for a better epoch may change at any time: it decides nothing but the end.
        if let Some(assignment) = self.set.iter().find(|key| !key.starts_with("early_stopping.")) {
            let problem = "cannot change on --resume; of all keys only early_stopping's can";
            return Err(Error::Usage(format!("--set {assignment}: {problem}")));
        }
        if self.budget.is_some() {
            return Err(Error::Usage("--budget: cannot change on --resume".into()));
        }
        let fixed = [
            (
                "--data",
                self.data.data.as_deref().filter(|path| !may_move(path, made)).map(same_path),
                same_path(&made.data.path),
            ),
            ("--without", self.without.clone(), made.without.as_ref().map_or("none".into(), |name| name.to_string())),
            (
                "--validation",
                self.validation.map(|n| n.to_string()),
                made.data.validation.unwrap_or_default().to_string(),
            ),
            ("--model", self.model.clone(), made.model.clone()),
            ("--recipe", self.recipe.clone(), made.recipe.clone()),
            ("--batch-size", self.batch_size.map(|n| n.to_string()), made.batch_size.to_string()),
            ("--seed", self.seed.map(|n| n.to_string()), made.seed.to_string()),
        ];
        if let Some(flag) = self.data.reading.given().first() {
            return Err(Error::Usage(format!("{flag}: cannot change on --resume, a run reads its data in one way")));
        }
        for (flag, given, made) in fixed {
            if let Some(given) = given.filter(|given| *given != made) {
                return Err(Error::Usage(format!(
                    "{flag} {given}: cannot change on --resume, the run was made with {flag} {made}"
                )));
            }
        }
        Ok(())
    }
}

/// Keys that `--set` was given, with their values.
pub fn assigned<'a>(set: &'a [String], example: &str) -> Result<Vec<Assignment<'a>>> {
    let refuse = |assignment: &str| Error::Usage(format!("--set {assignment}: expected KEY=VALUE, such as {example}"));
    let pairs = set.iter().map(|assignment| {
        let (key, value) = assignment.split_once('=').ok_or_else(|| refuse(assignment))?;
        Ok((key.trim(), value.trim()))
    });
    pairs.collect()
}

/// Whether a path may be where the files of a run lie now that were at another path: whether they are the same, what they
/// hold will say.
fn may_move(path: &str, made: &RunConfig) -> bool {
    !is_named(path) && !is_named(&made.data.path)
}

/// Refuses `what` was given for a key that changes nothing of any of these configurations.
pub fn check_idle(what: &str, key: &str, configs: &[RunConfig]) -> Result<()> {
    let reasons: Option<Vec<&str>> = configs.iter().map(|config| config.idle(key)).collect();
    match reasons.as_deref() {
        Some([reason, ..]) => Err(Error::Usage(format!("{what}: has no effect; {reason}"))),
        _ => Ok(()),
    }
}
