//! `gpu-ae config`

use std::path::PathBuf;

use clap::Subcommand;
use gpu_ae::config::{HopfieldConfig, RunConfig, in_file, model_file};
use gpu_ae::data::shape;
use gpu_ae::model::forward::parameter_count;
use gpu_ae::model::graph::{DataShape, training};
use gpu_ae::nn::Pass;
use gpu_ae::plan::{Choices, DeviceKind, DeviceProfile, Plan};
use gpu_ae::tensor::Shape;
use gpu_ae::train::room::of_data;
use gpu_ae::{Error, Result};

use crate::cli::flags::{ConfigFlags, DeviceFlag, open_device};
use crate::cli::launch::unfit;
use crate::cli::output::{say, thousands};
use crate::cli::terminal::table;

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print the configuration file of a model, to start one's own from
    #[command(
        after_help = "Example: gpu-ae config show vae > mine.toml, change it, then gpu-ae config check mine.toml \
                            and gpu-ae train --config mine.toml"
    )]
    Show {
        /// Model, as in 'gpu-ae train --model'
        model: String,
        /// Print every key there is, with its value and its meaning
        #[arg(long)]
        all: bool,
    },
    /// Say what a configuration would build for its data: layers, parameters, device memory, arithmetic
    #[command(
        after_help = "What neither the file nor a flag says of the network follows the data, as 'gpu-ae train' does it. The last layer is as wide \
as a row, or as there are classes. Hidden layers of a network of which nothing is said have the model's own widths times \
the root of (values of a row / values of a row of the model's own data), 784 for most, rounded, at least 2. On data of one's own a step has at most an eighth of \
the training rows, and there are as many epochs as make 2,000 steps, at most 1,000. Where values are no shares from 0 to 1 the \
last layer is linear and a likelihood Gaussian.

Example:
  gpu-ae config check mine.toml
  gpu-ae config check --data photos --size 32x32
  gpu-ae config check --data flowers.csv --label species --model vae"
    )]
    Check(Box<Check>),
}

#[derive(clap::Args)]
struct Check {
    /// Configuration file [default: that of the model, fitted to the data]
    #[arg(conflicts_with = "config")]
    file: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigFlags,
    #[command(flatten)]
    device: DeviceFlag,
}

pub fn run(args: Args) -> Result<()> {
    match args.command {
        Command::Show { model, all: false } => say(model_file(&model)?.trim_end()),
        Command::Show { model, all: true } => say(RunConfig::model(&model)?.settled().with_meanings()?.trim_end()),
        Command::Check(check) => {
            let flags = ConfigFlags { config: check.file.or(check.config.config.clone()), ..check.config };
            let config = flags.clone().resolve(&check.device)?;
            flags.data.check_used(&config.data)?;
            let profile = profile(&config, check.device.device.is_some())?;
            say(&described(&config, &profile).map_err(unfit).map_err(|error| match (error, &flags.config) {
                (error @ Error::Usage(_), Some(file)) => in_file(file, &error),
                (error, _) => error,
            })?);
        }
    }
    Ok(())
}

/// What is known of the device that would train. One that only the file names need not be there.
fn profile(config: &RunConfig, is_asked: bool) -> Result<DeviceProfile> {
    match open_device(&config.device, true) {
        Ok(device) => Ok(device.profile().clone()),
        Err(error) if is_asked => Err(error),
        Err(_) => Ok(DeviceProfile::portable(DeviceKind::Discrete)),
    }
}

/// What a training step of a configuration consists of on such a device.
fn described(config: &RunConfig, profile: &DeviceProfile) -> Result<String> {
    let mut data = shape(&config.data, config.data_dir.as_deref(), config.seed)?;
    let name = config.data.short_name();
    if config.without.is_some() || config.deciding() == "validation" {
        data.train_rows = config.load_data()?.train.rows;
    }
    let shape = DataShape { rows: data.train_rows, features: data.image.values(), kind: data.kind };
    if let Some(hopfield) = &config.hopfield {
        let (neurons, loads) = (shape.features, hopfield.loads.iter());
        let patterns: Vec<String> = loads.map(|&load| HopfieldConfig::patterns(load, neurons).to_string()).collect();
        return Ok(format!(
            "hopfield on {}: {neurons} neurons, {} patterns; nothing is trained",
            name,
            patterns.join(", ")
        ));
    }
    config.check_data(&data, &name)?;
    let mut config = config.clone();
    config.follow_shape(&data, &name)?;
    let config = &config;
    let holding = of_data(config, shape, profile);
    let graph = training(config, holding)?;
    let plan = Plan::chosen("train", &graph, profile, &Choices::by_kind(profile))?;
    let held = DataShape { rows: holding.held, ..shape };

    let mut before = Shape::new(&[shape.features]);
    let mut blocks = Vec::new();
    for (key, block, behind) in config.shapes(&before)? {
        blocks.push(vec![key, block.kind().word(), format!("{before} to {behind}")]);
        before = behind;
    }
    let parameters = parameter_count(config, shape.features)?;

    let weighted = config.terms(Pass::Train);
    let counted = weighted.iter().filter(|(_, weight)| weight.counts && weight.value != 0.0);
    let loss: Vec<String> = counted.map(|(name, weight)| format!("{} {name}", weight.value)).collect();
    let watched: Vec<&str> =
        weighted.iter().filter(|(_, weight)| !weight.counts || weight.value == 0.0).map(|(name, _)| *name).collect();

    let rows = config.step_rows(shape.rows);
    let in_units = |count: f64, unit: &str| match count < 1e5 {
        true => format!("{:.1} k{unit}", count / 1e3),
        false => format!("{:.1} M{unit}", count / 1e6),
    };
    let bytes = |bytes: usize| in_units(bytes as f64, "B");
    let cost = plan.cost();
    let facts = [
        (
            "model",
            format!("{} on {} ({} rows of {})", config.model, name, thousands(shape.rows as u64), shape.features),
        ),
        ("parameters", thousands(parameters as u64)),
        ("training", config.length(shape.rows)),
        ("loss", loss.join(" + ")),
        ("watched", watched.join(", ")),
        ("device memory", format!("{}, {} of it data", bytes(plan.bytes()), bytes(held.ty().bytes()))),
        ("arithmetic", format!("{} a sample, training step of {rows}", in_units(cost.flops / rows as f64, "FLOP"))),
        ("dispatches", plan.dispatches().to_string()),
    ];
    let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
    let facts: Vec<Vec<String>> = facts.map(|(name, value)| vec![name.to_string(), value]).collect();
    let (blocks, facts) = (table(&["place", "block", "sample"], &blocks), table(&[], &facts));
    Ok(format!("{blocks}\n\n{facts}"))
}
