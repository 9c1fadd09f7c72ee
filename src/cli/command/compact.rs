//! `gpu-ae compact`

use std::path::PathBuf;
use std::time::Instant;

use gpu_ae::config::{RunConfig, Schedule};
use gpu_ae::report::{format_number, text_table};
use gpu_ae::study::compact::compact;
use gpu_ae::train::{Checkpoint, Event, Run, RunDir};
use gpu_ae::{Error, Result};
use serde::Serialize;

use crate::cli::flags::{DataFlags, DeviceFlag, evaluation_session, open_device, open_run, whole};
use crate::cli::output::{complain, say, say_json, tell, thousands};
use crate::cli::pictures::draw;

#[derive(clap::Args)]
#[command(
    after_help = "Every hidden neuron is replaced by its mean in turn, which folds into the next layer's biases, and the \
rise of the test error is measured. The cheapest are removed, as many as the tolerance allows. The result is a run \
directory like any other: eval, reconstruct, export and train --resume take it."
)]
pub struct Args {
    /// Run directory
    run: PathBuf,
    /// By how much the test error may rise, relative to what it is
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
    if !(args.tolerance.is_finite() && args.tolerance >= 0.0) {
        return Err(Error::Usage(format!("--tolerance {}: expected a number of 0 or more", args.tolerance)));
    }
    let quiet = args.quiet || args.json;
    let path = args.out.clone().unwrap_or_else(|| args.run.join("compact"));
    RunDir::check_free(&path)?;
    let (source, checkpoint) = open_run(&args.run, &args.data, &args.device, quiet)?;
    let refused = [
        (checkpoint.config.variational.is_some(), "whose codes are computed; those of a variational one are drawn"),
        (!checkpoint.config.reconstructs(), "that reconstructs; this one answers with something else"),
        (checkpoint.config.tied, "whose layers have weights of their own; those of its decoder are tied"),
    ];
    if let Some((_, what)) = refused.iter().find(|(is, _)| *is) {
        return Err(Error::input(&args.run, format!("expected a network {what}")));
    }
    let mut session = evaluation_session(&checkpoint, quiet)?;
    session.restore(&checkpoint.state)?;
    let begin = Instant::now();
    let compaction = compact(&mut session, &checkpoint, args.tolerance, |done, all| {
        if !quiet && done == all {
            complain(&format!("{all} hidden neurons judged in {:.1} s", begin.elapsed().as_secs_f64()));
        }
    })?;
    drop(session);

    let smaller = compaction.checkpoint;
    let test_mse_after = evaluation_session(&smaller, true)?.evaluate()?.mean("mse").unwrap_or(f64::NAN);
    let allowed = compaction.mse_before * (1.0 + args.tolerance);
    if test_mse_after.is_nan() || test_mse_after > allowed * (1.0 + 1e-6) {
        return Err(Error::Failed(format!(
            "the smaller network has a test error of {test_mse_after}, over the {allowed} that were allowed; nothing was \
             written"
        )));
    }
    let directory = RunDir::create(&path)?;
    directory.write_config(&smaller.config)?;
    smaller.save(&directory.checkpoint())?;
    for metrics in source.read_metrics()? {
        directory.append_metrics(&metrics)?;
    }
    let layers = layer_changes(&checkpoint.config, &smaller.config);
    let total = |count: fn(&LayerChange) -> usize| layers.iter().map(count).sum();
    let mut outcome = Outcome {
        test_mse_before: compaction.mse_before,
        test_mse_after,
        test_mse_fine_tuned: None,
        tolerance: args.tolerance,
        parameters_before: total(|layer| layer.parameters_before),
        parameters_after: total(|layer| layer.parameters_after),
        layers,
        path,
    };
    if args.fine_tune > 0 {
        outcome.test_mse_fine_tuned = Some(fine_tune(smaller, directory, args.fine_tune, quiet)?);
    }
    if args.json {
        return say_json(&outcome);
    }
    print(&outcome);
    Ok(())
}

/// Trains on without entropy; returns the test error.
fn fine_tune(mut checkpoint: Checkpoint, directory: RunDir, epochs: u32, quiet: bool) -> Result<f64> {
    let data = checkpoint.config.load_data()?;
    let device = open_device(&checkpoint.config.device, true)?;
    let mut config = checkpoint.config.clone();
    config.epochs = checkpoint.epoch() + epochs;
    config.lambda_entropy = 0.0;
    config.entropy.schedule = Schedule::Constant;
    // So many epochs were asked for; those of the larger network are no measure of this one.
    config.early_stopping = None;
    let moved = ["lambda_entropy", "multiplier"];
    checkpoint.state.retain(|name, _| !moved.contains(&name.as_str()));
    let tuning = gpu_ae::train::Tuning::fixed(device.as_ref());
    let mut run = Run::resume(config, checkpoint, directory.clone(), device, &data, tuning)?;
    run.train(|event| {
        if let (Event::Epoch(metrics), false) = (event, quiet) {
            tell(&format!(
                "fine-tuning, epoch {}: test mse {:.4}",
                metrics.epoch,
                metrics.test("mse").unwrap_or(f64::NAN)
            ));
        }
    })?;
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
    say(text_table(&["layer", "width", "now", "parameters", "now", "left"], &rows).trim_end());
    let change = 100.0 * (outcome.test_mse_after / outcome.test_mse_before - 1.0);
    say(&format!(
        "test mse {} before, {} after ({change:+.2}%, {:.2}% allowed)",
        format_number(outcome.test_mse_before),
        format_number(outcome.test_mse_after),
        100.0 * outcome.tolerance
    ));
    if let Some(mse) = outcome.test_mse_fine_tuned {
        let change = 100.0 * (mse / outcome.test_mse_before - 1.0);
        say(&format!("test mse {} fine-tuned ({change:+.2}%)", format_number(mse)));
    }
    say(&format!("compact run:   {}", outcome.path.display()));
}
