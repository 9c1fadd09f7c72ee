//! `gpu-ae compare`

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use gpu_ae::model::forward::parameter_count;
use gpu_ae::report::{Series, format_number, is_page, line_plot, write_png};
use gpu_ae::train::early_stopping::outcome;
use gpu_ae::train::{Checkpoint, EpochMetrics, RunDir};
use gpu_ae::{Error, Result, whole_file};
use serde::Serialize;

use crate::cli::output::{complain, say, say_json, thousands};
use crate::cli::pictures::page::{points, write_compared};
use crate::cli::pictures::picture_name;
use crate::cli::terminal::table;

#[derive(clap::Args)]
#[command(
    after_help = "Figures are those of the last epoch, of a run that stops early those of its best one, as train, eval and \
inspect tell them. Active counts the neurons of the code that make more than a thousandth of the differences in the next layer.

Example:
  gpu-ae compare runs/vae runs/sparse runs/plain --out models.png
  gpu-ae compare runs/beta-* --metric test_elbo"
)]
pub struct Args {
    /// Run directories
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// What to draw over epochs: a key of metrics.jsonl [default: test_mse, or test_loss where a run has no such error]
    #[arg(long, value_name = "KEY")]
    metric: Option<String>,
    /// Picture to write; a page with all curves is written beside it, as .html
    #[arg(long, value_name = "FILE", default_value = "compare.png", value_parser = picture_name)]
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
    /// The epoch that the figures are of.
    epoch: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    test_mse: Option<f64>,
    test_loss: f64,
    /// What the model is judged by beside, as `test_` and the term.
    #[serde(flatten)]
    further: BTreeMap<String, f64>,
    code_width: usize,
    active_units: Option<f64>,
    samples_per_second: f64,
}

/// A run that can be compared.
struct Compared {
    line: Line,
    metrics: Vec<EpochMetrics>,
    file: PathBuf,
}

impl Compared {
    /// The run of this folder, which the table calls `name`; an error says why there is nothing to compare.
    fn open(path: &Path, name: String) -> Result<Self> {
        let directory = RunDir::open_network(path)?;
        let checkpoint = Checkpoint::load(&directory.checkpoint())?;
        let config = checkpoint.config.clone();
        let metrics = directory.read_metrics()?;
        let file = directory.metrics();
        let worth = outcome(&config, &metrics).ok_or_else(|| {
            Error::input(&file, "has no epoch in it; expected a run that was trained for one at least")
        })?;
        Ok(Compared { line: line(name, &checkpoint, worth)?, metrics, file })
    }
}

/// The page beside a picture, which must not take the place of anything else: a run's own files, or somebody's page.
fn page_beside(picture: &Path) -> Result<PathBuf> {
    let page = picture.with_extension("html");
    let folder = picture.parent().unwrap_or(Path::new(""));
    if RunDir::open(folder).is_ok() && !folder.as_os_str().is_empty() {
        let problem = "is in a run directory, whose files are the run's; expected --out elsewhere";
        return Err(Error::input(picture, problem));
    }
    if page.exists() && !whole_file::read(&page).is_ok_and(|text| is_page(&String::from_utf8_lossy(&text))) {
        let problem =
            "is there already and no page of this program, which it would take the place of; expected another --out";
        return Err(Error::input(&page, problem));
    }
    Ok(page)
}

pub fn run(args: Args) -> Result<()> {
    let web = page_beside(&args.out)?;
    // One that has nothing to compare does not keep the others from it.
    let mut left_out = None;
    let mut leave_out = |error: Error| {
        if !args.quiet {
            complain(&format!("left out: {error}"));
        }
        left_out.get_or_insert(error);
    };
    let mut runs = Vec::new();
    for (path, name) in args.runs.iter().zip(names(&args.runs)) {
        Compared::open(path, name).map_or_else(&mut leave_out, |run| runs.push(run));
    }
    let usual = if runs.iter().all(|run| run.line.test_mse.is_some()) { "test_mse" } else { "test_loss" };
    let metric = args.metric.as_deref().unwrap_or(usual);
    let (mut lines, mut series, mut curves) = (Vec::new(), Vec::new(), Vec::new());
    for Compared { line, metrics, file } in runs {
        match curve(metric, line.run.clone(), &metrics, &file) {
            Ok(curve) => {
                series.push(curve);
                curves.push((line.run.clone(), metrics));
                lines.push(line);
            }
            Err(error) => leave_out(error),
        }
    }
    if let (true, Some(error)) = (lines.is_empty(), left_out) {
        return Err(error);
    }
    let title = format!("{} over epochs", metric.replace('_', " "));
    write_png(&args.out, &line_plot(&title, "epoch", "", &series)?)?;
    let table = cells(&lines);
    let lead = format!("{} runs of gpu-ae side by side", lines.len());
    write_compared(&web, ["Runs compared", &lead], table.clone(), &curves, &[&args.out])?;
    if args.json {
        return say_json(&lines);
    }
    print(&table);
    if !args.quiet {
        say(&format!("wrote {} and {}", args.out.display(), web.display()));
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
    let points = points(metrics, key);
    if points.is_empty() {
        return Err(Error::input(file, format!("has no {key}; expected --metric to be a key of its lines")));
    }
    Ok(Series { name, points })
}

fn line(run: String, checkpoint: &Checkpoint, worth: &EpochMetrics) -> Result<Line> {
    let config = &checkpoint.config;
    let further = worth.figures.iter().filter(|(key, _)| {
        // Of each dimension there is too much for a line.
        key.starts_with("test_") && *key != "test_mse" && !key.ends_with(|last: char| last.is_ascii_digit())
    });
    Ok(Line {
        run,
        model: config.model.clone(),
        recipe: config.recipe.clone(),
        data: config.data.short_name(),
        parameters: parameter_count(config, checkpoint.features()?)?,
        epoch: worth.epoch,
        test_mse: worth.test("mse"),
        test_loss: worth.test_loss,
        further: further.map(|(key, value)| (key.clone(), *value)).collect(),
        code_width: config.code_width(),
        active_units: worth.active_units(config.encoder_layers()),
        samples_per_second: worth.samples_per_second,
    })
}

/// A row of the table for each run, and one of heads before them.
fn cells(lines: &[Line]) -> Vec<Vec<String>> {
    let terms: BTreeSet<&String> = lines.iter().flat_map(|line| line.further.keys()).collect();
    let titles: Vec<String> = terms.iter().map(|term| term.replace('_', " ")).collect();
    let head = ["run", "model", "recipe", "data", "parameters", "epoch", "test mse", "test loss"];
    let tail = ["code", "active", "samples/s"];
    let headers = head.into_iter().chain(titles.iter().map(String::as_str)).chain(tail).map(String::from).collect();
    let optional = |value: Option<f64>| value.map_or("-".into(), format_number);
    let row = |line: &Line| {
        let fixed = [&line.run, &line.model, &line.recipe, &line.data].map(String::clone);
        let mut cells = fixed.to_vec();
        cells.extend([thousands(line.parameters as u64), thousands(line.epoch.into())]);
        cells.extend([optional(line.test_mse), format_number(line.test_loss)]);
        cells.extend(terms.iter().map(|term| optional(line.further.get(*term).copied())));
        let active = line.active_units.map_or("-".into(), |units| format!("{units:.0}"));
        cells.extend([thousands(line.code_width as u64), active, thousands(line.samples_per_second.round() as u64)]);
        cells
    };
    [headers].into_iter().chain(lines.iter().map(row)).collect()
}

fn print(cells: &[Vec<String>]) {
    let Some((heads, rows)) = cells.split_first() else { return };
    say(&table(&heads.iter().map(String::as_str).collect::<Vec<_>>(), rows));
}
