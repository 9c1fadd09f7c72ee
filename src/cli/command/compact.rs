//! `gpu-ae compact`

use std::path::PathBuf;
use std::time::Instant;

use gpu_ae::config::{RunConfig, Schedule};
use gpu_ae::data::Dataset;
use gpu_ae::report::format_number;
use gpu_ae::study::compact::{Progress, compact};
use gpu_ae::train::{Checkpoint, Event, Run, RunDir};
use gpu_ae::{Error, Result};
use serde::Serialize;

use crate::cli::bar::Bar;
use crate::cli::flags::{DataFlags, DeviceFlag, open_device, open_run, session_on, whole};
use crate::cli::interrupt::Signals;
use crate::cli::output::{complain, say, say_json, tell, thousands};
use crate::cli::pictures::draw;
use crate::cli::progress::RunBar;
use crate::cli::terminal::table;

#[derive(clap::Args)]
#[command(
    after_help = "Every hidden neuron is replaced by its mean in turn, which folds into the next layer's biases, and the \
rise of the error is measured: on the rows that the run has set aside for validation, or on the test data where there are \
none. The cheapest are removed, as many as the tolerance allows. The result is a run directory like any other: eval, \
reconstruct, export and train --resume take it."
)]
pub struct Args {
    /// Run directory
    run: PathBuf,
    /// By how much the error may rise, relative to what it is
    #[arg(long, value_name = "X", default_value_t = 0.01, allow_negative_numbers = true)]
    tolerance: f64,
    /// Train the smaller network for so many epochs, without entropy
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole(0..=u32::MAX), allow_negative_numbers = true)]
    fine_tune: u32,
    /// Run directory to make; must not exist or be empty [default: RUN/compact]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    data: DataFlags,
    #[command(flatten)]
    device: DeviceFlag,
    /// Print errors and the result only
    #[arg(long, short)]
    quiet: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Width and parameters of a layer, before and after.
#[derive(Serialize)]
struct LayerChange {
    layer: usize,
    width_before: usize,
    width_after: usize,
    parameters_before: usize,
    parameters_after: usize,
}

#[derive(Serialize)]
struct Outcome {
    test_mse_before: f64,
    test_mse_after: f64,
    /// Of the rows set aside, which decided, where there are some.
    #[serde(skip_serializing_if = "Option::is_none")]
    validation_mse_before: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    validation_mse_after: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    test_mse_fine_tuned: Option<f64>,
    tolerance: f64,
    parameters_before: usize,
    parameters_after: usize,
    layers: Vec<LayerChange>,
    path: PathBuf,
}

fn layer_changes(before: &RunConfig, after: &RunConfig) -> Vec<LayerChange> {
    // An autoencoder ends as wide as it begins.
    let mut inputs = [before.layers().last().map_or(0, |last| last.linear); 2];
    let mut changes = Vec::new();
    for (number, (before, after)) in before.layers().into_iter().zip(after.layers()).enumerate() {
        changes.push(LayerChange {
            layer: number + 1,
            width_before: before.linear,
            width_after: after.linear,
            parameters_before: before.linear * (inputs[0] + 1),
            parameters_after: after.linear * (inputs[1] + 1),
        });
        inputs = [before.linear, after.linear];
    }
    changes
}

pub fn run(args: Args) -> Result<()> {
    let signals = Signals::listen()?;
    if !(args.tolerance.is_finite() && args.tolerance >= 0.0) {
        return Err(Error::Usage(format!("--tolerance {}: expected a number of 0 or more", args.tolerance)));
    }
    let quiet = args.quiet || args.json;
    let path = args.out.clone().unwrap_or_else(|| args.run.join("compact"));
    RunDir::open_network(&args.run)?;
    // Before the work is done, so that nobody else takes it; what comes to nothing leaves nothing.
    let directory = RunDir::create(&path)?;
    let (source, checkpoint) = open_run(&args.run, &args.data, &args.device, quiet)?;
    let refused = [
        (checkpoint.config.variational.is_some(), "whose codes are computed; those of a variational one are drawn"),
        (!checkpoint.config.reconstructs(), "that reconstructs; this one answers with something else"),
        (checkpoint.config.tied, "whose layers have weights of their own; those of its decoder are tied"),
    ];
    if let Some((_, what)) = refused.iter().find(|(is, _)| *is) {
        return Err(Error::input(&args.run, format!("expected a network {what}")));
    }
    let data = checkpoint.config.load_data_as(checkpoint.encoding.as_ref())?;
    // Rows set aside decide where there are some: the test data is for the report.
    let aside = (data.validation.rows > 0).then(|| Dataset { test: data.validation.clone(), ..data.clone() });
    let mut session = session_on(&checkpoint, aside.as_ref().unwrap_or(&data), quiet)?;
    let begin = Instant::now();
    let mut bar = Bar::new("judging neurons", 0, quiet);
    let compaction = compact(&mut session, &checkpoint, args.tolerance, |progress| match progress {
        Progress::Judged { done, all } => {
            if done == 1 {
                bar.restart("judging neurons", all as u64);
            }
            bar.at(done as u64, &[]);
            if !quiet && done == all {
                let seconds = begin.elapsed().as_secs_f64();
                bar.suspend(|| complain(&format!("{all} hidden neurons judged in {seconds:.1} s")));
            }
        }
        Progress::Tried { done, all } => {
            if done == 1 {
                bar.restart("removing neurons", all as u64);
            }
            bar.at(done as u64, &[]);
        }
    })?;
    drop((bar, session));
    let mut smaller = compaction.checkpoint;
    // The epochs of the larger network are no measure of this one.
    smaller.config.early_stopping = None;
    let mse = |checkpoint: &Checkpoint, data: &Dataset| -> Result<f64> {
        Ok(session_on(checkpoint, data, true)?.evaluate()?.mean("mse").unwrap_or(f64::NAN))
    };
    let validation_mse_after = aside.as_ref().map(|aside| mse(&smaller, aside)).transpose()?;
    let test_mse_before = if aside.is_some() { mse(&checkpoint, &data)? } else { compaction.mse_before };
    let mut session = session_on(&smaller, &data, true)?;
    let judged = session.evaluate()?;
    let test_mse_after = judged.mean("mse").unwrap_or(f64::NAN);
    let after = validation_mse_after.unwrap_or(test_mse_after);
    let allowed = compaction.mse_before * (1.0 + args.tolerance);
    if after.is_nan() || after > allowed * (1.0 + 1e-6) {
        let on = checkpoint.config.deciding();
        return Err(Error::Failed(format!(
            "the smaller network has a {on} error of {after}, over the {allowed} that were allowed; nothing was written"
        )));
    }
    let before = source.read_metrics()?;
    for metrics in before.iter().filter(|metrics| metrics.step <= smaller.step()) {
        // What was measured of the larger network after these steps is no figure of this one.
        let line = if metrics.step == smaller.step() {
            metrics.of_successor(&smaller.config, &smaller.weights(), &judged, session.observe()?.metrics())
        } else {
            metrics.clone()
        };
        directory.append_metrics(&line)?;
    }
    drop(session);
    let layers = layer_changes(&checkpoint.config, &smaller.config);
    if args.fine_tune > 0 {
        // From the beginning, so that a run that is killed before it is fine-tuned knows what is left to do.
        to_fine_tune(&mut smaller, args.fine_tune);
    }
    // Behind the metrics: with it the run has begun.
    directory.save(&smaller)?;
    directory.write_config(&smaller.config)?;
    let total = |count: fn(&LayerChange) -> usize| layers.iter().map(count).sum();
    let mut outcome = Outcome {
        test_mse_before,
        test_mse_after,
        validation_mse_before: validation_mse_after.map(|_| compaction.mse_before),
        validation_mse_after,
        test_mse_fine_tuned: None,
        tolerance: args.tolerance,
        parameters_before: total(|layer| layer.parameters_before),
        parameters_after: total(|layer| layer.parameters_after),
        layers,
        path,
    };
    if args.fine_tune > 0 {
        outcome.test_mse_fine_tuned = Some(fine_tune(smaller, directory, signals, quiet)?);
    }
    if args.json {
        return say_json(&outcome);
    }
    print(&outcome);
    Ok(())
}

/// Changes a run's configuration so that it trains on for so many epochs, without entropy.
fn to_fine_tune(checkpoint: &mut Checkpoint, epochs: u32) {
    checkpoint.config.epochs = checkpoint.epoch().saturating_add(epochs);
    checkpoint.config.lambda_entropy = 0.0;
    checkpoint.config.entropy.schedule = Schedule::Constant;
    let moved = ["lambda_entropy", "multiplier"];
    checkpoint.state.retain(|name, _| !moved.contains(&name.as_str()));
}

/// Trains as far as the configuration says; returns the test error.
fn fine_tune(checkpoint: Checkpoint, directory: RunDir, signals: Signals, quiet: bool) -> Result<f64> {
    let config = checkpoint.config.clone();
    let data = config.load_data_as(checkpoint.encoding.as_ref())?;
    let device = open_device(&config.device, true)?;
    let tuning = gpu_ae::train::Tuning::fixed(device.as_ref());
    let mut run = Run::resume(config, checkpoint, directory.clone(), device, &data, tuning, &mut |_, _| ())?;
    run.end_on(signals.interrupt());
    let mut bar = RunBar::new(run.config().epochs, data.train.rows, quiet);
    run.train(|event| {
        bar.show(&event);
        if let (Event::Epoch(metrics), false) = (event, quiet) {
            let mse = metrics.test("mse").unwrap_or(f64::NAN);
            bar.suspend(|| tell(&format!("fine-tuning, epoch {}: test mse {mse:.4}", metrics.epoch)));
        }
    })?;
    drop(bar);
    draw(&mut run, &directory, &data)?;
    let last = run.metrics().last().and_then(|metrics| metrics.test("mse"));
    last.ok_or_else(|| Error::Failed("--fine-tune: no epoch was trained".into()))
}

fn print(outcome: &Outcome) {
    let row = |name: String, widths: [String; 2], parameters: [usize; 2]| {
        let share = 100.0 * parameters[1] as f64 / parameters[0].max(1) as f64;
        let [before, after] = parameters.map(|count| thousands(count as u64));
        let [width_before, width_after] = widths;
        vec![name, width_before, width_after, before, after, format!("{share:.0}%")]
    };
    let mut rows: Vec<Vec<String>> = outcome
        .layers
        .iter()
        .map(|layer| {
            let widths = [layer.width_before, layer.width_after].map(|width| width.to_string());
            row(layer.layer.to_string(), widths, [layer.parameters_before, layer.parameters_after])
        })
        .collect();
    let none = ["", ""].map(str::to_string);
    rows.push(row("all".into(), none, [outcome.parameters_before, outcome.parameters_after]));
    say(&table(&["layer", "width", "now", "parameters", "now", "left"], &rows));
    let told = |on: &str, [before, after]: [f64; 2], allowed: &str| {
        let change = 100.0 * (after / before - 1.0);
        let [before, after] = [before, after].map(format_number);
        say(&format!("{on} mse {before} before, {after} after ({change:+.2}%{allowed})"));
    };
    let allowed = format!(", {:.2}% allowed", 100.0 * outcome.tolerance);
    let aside = outcome.validation_mse_before.zip(outcome.validation_mse_after);
    if let Some((before, after)) = aside {
        told("validation", [before, after], &allowed);
    }
    let allowed = if aside.is_some() { "" } else { &allowed };
    told("test", [outcome.test_mse_before, outcome.test_mse_after], allowed);
    if let Some(mse) = outcome.test_mse_fine_tuned {
        let change = 100.0 * (mse / outcome.test_mse_before - 1.0);
        say(&format!("test mse {} fine-tuned ({change:+.2}%)", format_number(mse)));
    }
    say(&format!("compact run:   {}", outcome.path.display()));
}
