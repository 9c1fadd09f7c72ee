//! `gpu-ae compare`

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use gpu_ae::config::RunConfig;
use gpu_ae::report::{Series, format_number, line_plot, text_table, write_png};
use gpu_ae::train::{EpochMetrics, RunDir};
use gpu_ae::{Error, Result};
use serde::Serialize;

use crate::cli::output::{say, say_json};

#[derive(clap::Args)]
#[command(
    after_help = "Figures are those of the last epoch. Active counts the neurons of the code that make more than a \
thousandth of the differences between codes.

Example:
  gpu-ae compare runs/vae runs/sparse runs/plain --out models.png
  gpu-ae compare runs/beta-* --metric test_elbo"
)]
pub struct Args {
    /// Run directories
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// What to draw over epochs: a key of metrics.jsonl
    #[arg(long, value_name = "KEY", default_value = "test_mse")]
    metric: String,
    /// Picture to write
    #[arg(long, value_name = "FILE", default_value = "compare.png")]
    out: PathBuf,
    /// Print errors and the table only
    #[arg(long, short)]
    quiet: bool,
    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

/// One run's line of the table.
#[derive(Serialize)]
struct Line {
    run: String,
    model: String,
    recipe: String,
    data: String,
    parameters: usize,
    epochs: u32,
    test_mse: f64,
    test_loss: f64,
    /// What the model is judged by beside, as `test_` and the term.
    #[serde(flatten)]
    further: BTreeMap<String, f64>,
    code_width: usize,
    active: Option<f64>,
    samples_per_second: f64,
}

pub fn run(args: Args) -> Result<()> {
    let mut lines = Vec::new();
    let mut series = Vec::new();
    for (path, name) in args.runs.iter().zip(names(&args.runs)) {
        let directory = RunDir::open(path)?;
        let config = RunConfig::read(&directory.config(), None, None)?;
        let metrics = directory.read_metrics()?;
        let last = metrics.last().ok_or_else(|| {
            Error::input(directory.metrics(), "has no epoch in it; expected a run that was trained for one at least")
        })?;
        series.push(curve(&args.metric, name.clone(), &metrics, &directory.metrics())?);
        lines.push(line(name, &config, last));
    }
    let title = format!("{} over epochs", args.metric.replace('_', " "));
    write_png(&args.out, &line_plot(&title, "epoch", "", &series)?)?;
    if args.json {
        return say_json(&lines);
    }
    print(&lines);
    if !args.quiet {
        say(&format!("wrote {}", args.out.display()));
    }
    Ok(())
}

/// A run's folder as its name, or the whole path where folders of several runs are called the same.
fn names(runs: &[PathBuf]) -> Vec<String> {
    let short = |run: &Path| run.file_name().map_or(run.display().to_string(), |name| name.to_string_lossy().into());
    let all: Vec<String> = runs.iter().map(|run| short(run)).collect();
    let unique = |name: &String| all.iter().filter(|other| *other == name).count() == 1;
    let name =
        |(run, short): (&PathBuf, &String)| if unique(short) { short.clone() } else { run.display().to_string() };
    runs.iter().zip(&all).map(name).collect()
}

/// A metric over epochs.
fn curve(key: &str, name: String, metrics: &[EpochMetrics], file: &Path) -> Result<Series> {
    let point = |m: &EpochMetrics| {
        let value = serde_json::to_value(m).ok()?.get(key)?.as_f64()?;
        Some((f64::from(m.epoch), value))
    };
    let points: Vec<(f64, f64)> = metrics.iter().filter_map(point).collect();
    if points.is_empty() {
        return Err(Error::input(file, format!("has no {key}; expected --metric to be a key of its lines")));
    }
    Ok(Series { name, points })
}

fn line(run: String, config: &RunConfig, last: &EpochMetrics) -> Line {
    let further = last.observed.iter().filter(|(key, _)| {
        // Of each dimension there is too much for a line.
        key.starts_with("test_") && !key.ends_with(|last: char| last.is_ascii_digit())
    });
    let features = config.decoder.last().map_or(0, |layer| layer.linear);
    Line {
        run,
        model: config.model.clone(),
        recipe: config.recipe.clone(),
        data: config.data.clone(),
        parameters: config.parameters(features),
        epochs: last.epoch,
        test_mse: last.test_mse,
        test_loss: last.test_loss,
        further: further.map(|(key, value)| (key.clone(), *value)).collect(),
        code_width: config.code_width(),
        active: last.observed.get(&format!("active_units_{}", config.code_layer() + 1)).copied(),
        samples_per_second: last.samples_per_second,
    }
}

fn print(lines: &[Line]) {
    let terms: BTreeSet<&String> = lines.iter().flat_map(|line| line.further.keys()).collect();
    let titles: Vec<String> = terms.iter().map(|term| term.replace('_', " ")).collect();
    let head = ["run", "model", "recipe", "data", "parameters", "epochs", "test mse", "test loss"];
    let tail = ["code", "active", "samples/s"];
    let headers: Vec<&str> = head.into_iter().chain(titles.iter().map(String::as_str)).chain(tail).collect();
    let optional = |value: Option<f64>| value.map_or("-".into(), format_number);
    let row = |line: &Line| {
        let fixed = [&line.run, &line.model, &line.recipe, &line.data].map(String::clone);
        let mut cells = fixed.to_vec();
        cells.extend([line.parameters.to_string(), line.epochs.to_string()]);
        cells.extend([format_number(line.test_mse), format_number(line.test_loss)]);
        cells.extend(terms.iter().map(|term| optional(line.further.get(*term).copied())));
        let active = line.active.map_or("-".into(), |active| active.to_string());
        cells.extend([line.code_width.to_string(), active, format!("{:.0}", line.samples_per_second)]);
        cells
    };
    let rows: Vec<Vec<String>> = lines.iter().map(row).collect();
    say(text_table(&headers, &rows).trim_end());
}
