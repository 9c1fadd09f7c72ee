//! `gpu-ae compact`

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use gpu_ae::config::Schedule;
use gpu_ae::data::Dataset;
use gpu_ae::device::wait;
use gpu_ae::nn::wired::Wired;
use gpu_ae::report::format_number;
use gpu_ae::study::compact::{Progress, compact, error_term, parameters};
use gpu_ae::train::{Checkpoint, Event, Run, RunDir};
use gpu_ae::{Error, Result};
use serde::Serialize;

use crate::cli::bar::Bar;
use crate::cli::flags::{DataFlags, DeviceFlag, open_device, open_run, session_on, whole};
use crate::cli::interrupt::Signals;
use crate::cli::output::{complain, say, say_json, tell, thousands};
use crate::cli::pictures::{draw, page};
use crate::cli::progress::RunBar;
use crate::cli::terminal::table;

#[derive(clap::Args)]
#[command(
    after_help = "Every hidden unit, a neuron or a whole channel, is replaced by its mean in turn, which folds into the next \
layer's biases, and the rise of the error is measured, of a classifier that of the cross entropy: on the rows that the run has set \
aside for validation, or on the test data where there are none. The cheapest are removed, as many as the tolerance allows. Where \
a convolution pads its image with zeros, the biases get the mean over the image of what a channel would add. Batch norms lose the \
channels that go, and hold means for layers without biases. Channels of the sum of a residual block, and what groups or layers are \
normalised or convolved by, stay: each such layer is named. The result is a run directory like any other: eval, \
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

/// Width and parameters of a layer, before and after, with those of the norms behind it.
#[derive(Serialize)]
struct LayerChange {
    layer: usize,
    /// Key of its block.
    block: String,
    width_before: usize,
    width_after: usize,
    parameters_before: usize,
    parameters_after: usize,
}

#[derive(Serialize)]
struct Outcome {
    /// The error, `mse` or `cross_entropy`, by what it was taken on and when, as `test_mse_before` and `test_mse_after`; with
    /// `validation` of the rows set aside, which decided, where there are some; `fine_tuned` if it was.
    #[serde(flatten)]
    errors: BTreeMap<String, f64>,
    tolerance: f64,
    parameters_before: usize,
    parameters_after: usize,
    layers: Vec<LayerChange>,
    /// Layers whose units had to stay, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kept: Vec<String>,
    path: PathBuf,
}

impl Outcome {
    /// An error by what it was taken on and when.
    fn error(&self, on: &str, term: &str, when: &str) -> Option<f64> {
        self.errors.get(&format!("{on}_{term}_{when}")).copied()
    }
}

fn layer_changes(before: &Checkpoint, after: &Checkpoint) -> Result<Vec<LayerChange>> {
    let counted = |checkpoint: &Checkpoint| -> Result<Vec<(Wired, usize)>> {
        Ok(checkpoint.wiring()?.into_iter().zip(parameters(checkpoint)?).collect())
    };
    let mut changes = Vec::new();
    for ((before, parameters_before), (after, parameters_after)) in counted(before)?.into_iter().zip(counted(after)?) {
        let (layer, block) = (changes.len() + 1, before.key);
        let (width_before, width_after) = (before.outputs, after.outputs);
        changes.push(LayerChange { layer, block, width_before, width_after, parameters_before, parameters_after });
    }
    Ok(changes)
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
    let answers = checkpoint.config.reconstructs() || checkpoint.config.classifier.is_some();
    let refused = [
        (checkpoint.config.variational.is_some(), "whose codes are computed; those of a variational one are drawn"),
        (!answers, "that reconstructs, or a classifier; this one answers with something else"),
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
    let mut bar = Bar::new("judging units", 0, quiet);
    let compaction = compact(&mut session, &checkpoint, args.tolerance, |progress| match progress {
        Progress::Judged { done, all } => {
            if done == 1 {
                bar.restart("judging units", all as u64);
            }
            bar.at(done as u64, &[]);
            if !quiet && done == all {
                let seconds = begin.elapsed().as_secs_f64();
                bar.suspend(|| complain(&format!("{all} hidden units judged in {seconds:.1} s")));
            }
        }
        Progress::Tried { done, all } => {
            if done == 1 {
                bar.restart("removing units", all as u64);
            }
            bar.at(done as u64, &[]);
        }
    })?;
    drop((bar, session));
    let mut smaller = compaction.checkpoint;
    // The epochs of the larger network are no measure of this one.
    smaller.config.early_stopping = None;
    let term = error_term(&checkpoint.config);
    let error = |checkpoint: &Checkpoint, data: &Dataset| -> Result<f64> {
        Ok(wait(session_on(checkpoint, data, true)?.evaluate())?.mean(term).unwrap_or(f64::NAN))
    };
    let validated = aside.as_ref().map(|aside| error(&smaller, aside)).transpose()?;
    let before = if aside.is_some() { error(&checkpoint, &data)? } else { compaction.error_before };
    let mut session = session_on(&smaller, &data, true)?;
    let judged = wait(session.evaluate())?;
    let after = judged.mean(term).unwrap_or(f64::NAN);
    let (decided, allowed) = (validated.unwrap_or(after), compaction.error_before * (1.0 + args.tolerance));
    if decided.is_nan() || decided > allowed * (1.0 + 1e-6) {
        let on = checkpoint.config.deciding();
        return Err(Error::Failed(format!(
            "the smaller network has a {on} error of {decided}, over the {allowed} that were allowed; nothing was written"
        )));
    }
    let mut errors = vec![("test", "before", before), ("test", "after", after)];
    if let Some(validated) = validated {
        errors.extend([("validation", "before", compaction.error_before), ("validation", "after", validated)]);
    }
    let measured = source.read_metrics()?;
    for metrics in measured.iter().filter(|metrics| metrics.step <= smaller.step()) {
        // What was measured of the larger network after these steps is no figure of this one.
        let line = if metrics.step == smaller.step() {
            metrics.of_successor(&smaller.config, &smaller.weights(), &judged, wait(session.observe())?.metrics())
        } else {
            metrics.clone()
        };
        directory.append_metrics(&line)?;
    }
    drop(session);
    let layers = layer_changes(&checkpoint, &smaller)?;
    if args.fine_tune > 0 {
        // From the beginning, so that a run that is killed before it is fine-tuned knows what is left to do.
        to_fine_tune(&mut smaller, args.fine_tune);
    }
    // Behind the metrics: with it the run has begun.
    directory.save(&smaller)?;
    directory.write_config(&smaller.config)?;
    let total = |count: fn(&LayerChange) -> usize| layers.iter().map(count).sum();
    let (parameters_before, parameters_after) =
        (total(|layer| layer.parameters_before), total(|layer| layer.parameters_after));
    if args.fine_tune > 0 {
        errors.push(("test", "fine_tuned", fine_tune(smaller, directory, signals, quiet)?));
    }
    let errors = errors.into_iter().map(|(on, when, error)| (format!("{on}_{term}_{when}"), error)).collect();
    let (kept, tolerance) = (compaction.bound, args.tolerance);
    let outcome = Outcome { errors, tolerance, parameters_before, parameters_after, layers, kept, path };
    if args.json {
        return say_json(&outcome);
    }
    print(&outcome, term);
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
    let term = error_term(&checkpoint.config);
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
            let error = metrics.test(term).unwrap_or(f64::NAN);
            bar.suspend(|| tell(&format!("fine-tuning, epoch {}: test {} {error:.4}", metrics.epoch, words(term))));
        }
    })?;
    drop(bar);
    let pictures = draw(&mut run, &directory, &data)?;
    page::write(&mut run, &directory, &data, &pictures)?;
    let last = run.metrics().last().and_then(|metrics| metrics.test(term));
    last.ok_or_else(|| Error::Failed("--fine-tune: no epoch was trained".into()))
}

/// A term as one reads it.
fn words(term: &str) -> String {
    term.replace('_', " ")
}

fn print(outcome: &Outcome, term: &str) {
    outcome.kept.iter().for_each(|kept| say(kept));
    let row = |names: [String; 2], widths: [String; 2], parameters: [usize; 2]| {
        let share = 100.0 * parameters[1] as f64 / parameters[0].max(1) as f64;
        let [before, after] = parameters.map(|count| thousands(count as u64));
        let ([name, block], [width_before, width_after]) = (names, widths);
        vec![name, block, width_before, width_after, before, after, format!("{share:.0}%")]
    };
    let mut rows: Vec<Vec<String>> = outcome
        .layers
        .iter()
        .map(|layer| {
            let widths = [layer.width_before, layer.width_after].map(|width| width.to_string());
            let names = [layer.layer.to_string(), layer.block.clone()];
            row(names, widths, [layer.parameters_before, layer.parameters_after])
        })
        .collect();
    let none = || ["", ""].map(str::to_string);
    rows.push(row(["all".into(), String::new()], none(), [outcome.parameters_before, outcome.parameters_after]));
    say(&table(&["layer", "block", "width", "now", "parameters", "now", "left"], &rows));
    let name = words(term);
    let told = |on: &str, [before, after]: [f64; 2], allowed: &str| {
        let change = 100.0 * (after / before - 1.0);
        let [before, after] = [before, after].map(format_number);
        say(&format!("{on} {name} {before} before, {after} after ({change:+.2}%{allowed})"));
    };
    let both = |on: &str| Some([outcome.error(on, term, "before")?, outcome.error(on, term, "after")?]);
    let allowed = format!(", {:.2}% allowed", 100.0 * outcome.tolerance);
    let decided = both("validation");
    if let Some(both) = decided {
        told("validation", both, &allowed);
    }
    let tested = both("test");
    if let Some(both) = tested {
        told("test", both, if decided.is_some() { "" } else { &allowed });
    }
    if let (Some([before, _]), Some(error)) = (tested, outcome.error("test", term, "fine_tuned")) {
        let change = 100.0 * (error / before - 1.0);
        say(&format!("test {name} {} fine-tuned ({change:+.2}%)", format_number(error)));
    }
    say(&format!("compact run:   {}", outcome.path.display()));
}
