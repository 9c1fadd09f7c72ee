//! The page of a run, `report.html`, and what pages of several runs have in common with it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use gpu_ae::data::Dataset;
use gpu_ae::report::{Chart, Section, Series, format_number, page};
use gpu_ae::train::{EpochMetrics, Run, RunDir};
use gpu_ae::{Error, Result, whole_file};

use crate::cli::output::thousands;
use crate::cli::version::long_version;

/// Kinds of rows that figures are of, as they begin.
const ROWS: [&str; 3] = ["train", "validation", "test"];
/// What every chart of training is over.
const AXIS: &str = "epoch";

/// Writes the page of a run with these pictures, files of its directory.
pub fn write(run: &mut Run, directory: &RunDir, data: &Dataset, pictures: &[String]) -> Result<()> {
    let path = directory.path();
    let device = run.session().device_name().to_string();
    let pictures = pictures.iter().map(|name| {
        let file = path.join(name);
        let bytes = whole_file::read(&file).map_err(Error::io(&file, "read"))?;
        Ok((caption(name), bytes))
    });
    let settings = directory.config();
    let text = whole_file::read(&settings).map_err(Error::io(&settings, "read"))?;
    let again = "Kept as config.toml, these settings make such a run again: gpu-ae train --config config.toml --out again. It has the same bits \
                 on the same device and version, if this one was made in one go and not resumed with other settings.";
    let sections = [
        ("What it came to", Section::Facts(facts(run, data, device))),
        ("Curves", Section::Charts(AXIS, charts(run.metrics()))),
        ("Pictures", Section::Pictures(pictures.collect::<Result<_>>()?)),
        ("How to make it again", Section::Text(again.into(), String::from_utf8_lossy(&text).into_owned())),
    ];
    let lead = format!("A run of gpu-ae: {} on {}", run.config().model, data.name);
    let html = page(&path.display().to_string(), &lead, &sections);
    whole_file::write(&directory.page(), html.as_bytes(), "write the page")
}

/// What a run is and how far it came.
fn facts(run: &Run, data: &Dataset, device: String) -> Vec<(String, String)> {
    let config = run.config();
    let [_, words] = data.encoding.words();
    let [train, test] = [data.train.rows, data.test.rows].map(|rows| thousands(rows as u64));
    let mut facts = vec![
        ("model", config.model.clone()),
        (
            "data",
            format!("{}: {}; {train} to train on, {test} to test with, {words}", data.name, data.encoding.described()),
        ),
        ("seed", config.seed.to_string()),
    ];
    if let Some(metrics) = run.outcome() {
        let figures = metrics.figures.iter().filter(|(key, _)| {
            // Of each dimension or layer there is too much for a list.
            key.starts_with("test_") && !key.ends_with(|last: char| last.is_ascii_digit())
        });
        let loss = [("test loss".to_string(), metrics.test_loss)].into_iter();
        let figures = loss.chain(figures.map(|(key, value)| (key.replace('_', " "), *value)));
        let figures: Vec<String> = figures.map(|(key, value)| format!("{key} {}", format_number(value))).collect();
        facts.push(("figures", figures.join(", ")));
        facts
            .push(("epoch", format!("{} of {}, {} steps", metrics.epoch, run.epoch(), thousands(metrics.step.into()))));
        facts.push((
            "speed",
            format!("{} samples/s in that epoch", thousands(metrics.samples_per_second.round() as u64)),
        ));
    }
    let system = format!("{} on {}", std::env::consts::OS, std::env::consts::ARCH);
    facts.extend([("device", device), ("system", system), ("version", long_version().replace('\n', ", "))]);
    facts.into_iter().map(|(name, fact)| (name.to_string(), fact)).collect()
}

/// Every figure over epochs: those of one term or one kind side by side, the losses first.
fn charts(metrics: &[EpochMetrics]) -> Vec<Chart> {
    let mut charts: BTreeMap<String, Vec<Series>> = BTreeMap::new();
    for key in keys(metrics) {
        let (chart, name) = headed(&key);
        charts.entry(chart).or_default().push(Series { name, points: points(metrics, &key) });
    }
    // By number, not by digit.
    charts.values_mut().for_each(|series| series.sort_by_key(|series| (series.name.len(), series.name.clone())));
    // By what is told of training and test rows, then by what is told of the network.
    let mut charts: Vec<Chart> = charts.into_iter().map(|(title, series)| Chart { title, series }).collect();
    let is_term =
        |chart: &Chart| chart.series.iter().any(|series| ROWS.iter().any(|rows| series.name.starts_with(rows)));
    charts.sort_by_key(|chart| (chart.title != "loss", !is_term(chart)));
    charts
}

/// The keys of all figures.
fn keys(metrics: &[EpochMetrics]) -> BTreeSet<String> {
    let own = ["train_loss", "test_loss", "samples_per_second"].map(String::from);
    metrics.iter().flat_map(|metrics| metrics.figures.keys().cloned()).chain(own).collect()
}

/// A figure over epochs by its key.
pub fn points(metrics: &[EpochMetrics], key: &str) -> Vec<(f64, f64)> {
    metrics.iter().filter_map(|metrics| Some((f64::from(metrics.epoch), metrics.get(key)?))).collect()
}

/// The chart that a figure belongs to, and its name there: `kl of each`, `test 3` of `test_kl_3`, beside `kl`, `test` of `test_kl`.
fn headed(key: &str) -> (String, String) {
    let rows = ROWS.into_iter().find(|rows| key.strip_prefix(rows).is_some_and(|rest| rest.starts_with('_')));
    let rest = rows.map_or(key, |rows| &key[rows.len() + 1..]);
    let (stem, number) = match rest.rsplit_once('_') {
        Some((stem, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => (stem, Some(number)),
        _ => (rest, None),
    };
    let name: Vec<&str> = rows.into_iter().chain(number).collect();
    let each = if rows.is_some() && number.is_some() { " of each" } else { "" };
    let title = format!("{}{each}", stem.replace('_', " "));
    (title.clone(), if name.is_empty() { title } else { name.join(" ") })
}

/// Writes the page of several runs: a table, its first row the heads, a chart of every figure of test rows that more than one of them
/// has, and pictures by their files.
pub fn write_compared(
    path: &Path,
    [title, lead]: [&str; 2],
    table: Vec<Vec<String>>,
    runs: &[(String, Vec<EpochMetrics>)],
    pictures: &[&Path],
) -> Result<()> {
    let all: BTreeSet<String> = runs.iter().flat_map(|(_, metrics)| keys(metrics)).collect();
    let chart = |key: &String| {
        let series = runs.iter().map(|(name, metrics)| Series { name: name.clone(), points: points(metrics, key) });
        let series: Vec<Series> = series.filter(|series| !series.points.is_empty()).collect();
        Chart { title: key.replace('_', " "), series }
    };
    let is_compared = |key: &&String| !key.starts_with("train_") && !key.ends_with(|last: char| last.is_ascii_digit());
    let mut charts: Vec<Chart> = all.iter().filter(is_compared).map(chart).collect();
    charts.retain(|chart| chart.series.len() > 1 || runs.len() == 1);
    charts.sort_by_key(|chart| !chart.title.starts_with("test"));
    let read = |file: &&Path| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        Ok((caption(&name), whole_file::read(file).map_err(Error::io(file, "read"))?))
    };
    let sections = [
        ("Table", Section::Table(table)),
        ("Curves", Section::Charts(AXIS, charts)),
        ("Pictures", Section::Pictures(pictures.iter().map(read).collect::<Result<_>>()?)),
    ];
    whole_file::write(path, page(title, lead, &sections).as_bytes(), "write the page")
}

/// What a picture is called, of its file's name.
fn caption(name: &str) -> String {
    name.trim_end_matches(".png").replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::headed;

    #[test]
    fn figures_of_one_kind_share_a_chart() {
        let headed = |key: &str| {
            let (chart, name) = headed(key);
            format!("{chart}: {name}")
        };
        assert_eq!(headed("test_mse"), "mse: test");
        assert_eq!(headed("train_kl_12"), "kl of each: train 12");
        assert_eq!(headed("active_units_3"), "active units: 3");
        assert_eq!(headed("learning_rate"), "learning rate: learning rate");
    }
}
