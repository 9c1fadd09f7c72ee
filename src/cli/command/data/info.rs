//! `gpu-ae data info`

use std::path::PathBuf;

use gpu_ae::config::RunConfig;
use gpu_ae::data::columns::{Cell, Code, Coded, Columns};
use gpu_ae::data::summary::{SideSummary, Summary};
use gpu_ae::data::{Dataset, Encoding, ImageShape};
use gpu_ae::report::format_number;
use gpu_ae::{Error, Result};
use serde::Serialize;

use crate::cli::data_flags::{DataFlags, ReadingFlags};
use crate::cli::flags::{assigned, seed};
use crate::cli::output::{say, say_json, thousands};
use crate::cli::terminal::table;

pub const EXAMPLES: &str = "Example:
  gpu-ae data info photos --size 32x32
  gpu-ae data info flowers.csv --label species";

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub asked: Asked,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Which data.
#[derive(clap::Args)]
pub struct Asked {
    /// A data set of 'gpu-ae data list', or a path: a folder of images, a table, arrays
    #[arg(value_name = "NAME|PATH")]
    path: String,
    /// Folder that holds the files of a named data set [default: $GPU_AE_DATA, or the user's cache]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    reading: ReadingFlags,
    /// A key of the section [data] of config.toml, such as data.most_pixels=100000000; may be repeated
    #[arg(long = "set", value_name = "data.KEY=VALUE")]
    set: Vec<String>,
    /// Seed of a run: divides what does not say which rows are tested with, and draws built-in data
    #[arg(long, value_name = "N", value_parser = seed, default_value_t = 0, allow_negative_numbers = true)]
    seed: u64,
}

impl Asked {
    /// Reads it.
    pub fn load(&self) -> Result<Dataset> {
        let data = Some(self.path.clone());
        let flags = DataFlags { data, data_dir: self.data_dir.clone(), reading: self.reading.clone() };
        let mut config = RunConfig { seed: self.seed, ..Default::default() };
        flags.name_path(&mut config.data);
        let assignments = assigned(&self.set, "data.most_pixels=100000000")?;
        let is_reading = |key: &str| key.starts_with("data.") && key != "data.path";
        if let Some((key, value)) = assignments.iter().find(|(key, _)| !is_reading(key)) {
            let problem = "expected a key of how data is read, such as data.most_pixels";
            return Err(Error::Usage(format!("--set {key}={value}: {problem}")));
        }
        config.set_all("--set", &assignments)?;
        flags.apply(&mut config.data);
        config.data_dir.clone_from(&self.data_dir);
        flags.check_used(&config.data)?;
        config.check()?;
        config.load_data()
    }
}

#[derive(Serialize)]
struct Told {
    name: String,
    height: usize,
    width: usize,
    channels: usize,
    values: usize,
    classes: Vec<String>,
    sides: Vec<Side>,
}

#[derive(Serialize)]
struct Side {
    name: &'static str,
    rows: usize,
    device_bytes: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    classes: Vec<usize>,
    range: Option<[f32; 2]>,
    mean: f64,
    deviation: f64,
    repeated: usize,
    in_training: usize,
}

pub fn run(args: &Args) -> Result<()> {
    let data = args.asked.load()?;
    let summary = Summary::of(&data);
    if args.json {
        return say_json(&told(&data, &summary));
    }
    let encoding = &data.encoding;
    say(&format!("{}: {}", data.name, shape(encoding)));
    say(&table(&["", "rows", "values", "mean", "deviation", "repeated", "also trained on", "on the device"], &{
        summary.sides.iter().map(row).collect::<Vec<_>>()
    }));
    if !encoding.scale.is_empty() {
        say("values are less the mean, over the deviation, of the training rows");
    }
    if let Some(columns) = &encoding.columns {
        say(&table(&["column", "what it holds", "became", "missing"], &shortened(described(&data, columns))));
    }
    if encoding.classes.is_empty() {
        let hint = encoding.columns.as_ref().and_then(|columns| likely_label(columns, data.train.rows));
        say(&hint.map_or("no classes".into(), |name| format!("no classes; --label {name} would take '{name}' as them")));
    } else {
        let names: Vec<&str> = summary.sides.iter().map(|side| side.name).collect();
        let headers: Vec<&str> = ["class"].into_iter().chain(names).collect();
        let rows = encoding.classes.iter().enumerate().map(|(class, name)| {
            let count = |side: &SideSummary| side.classes.get(class).map_or("-".into(), |&n| thousands(n as u64));
            [name.clone()].into_iter().chain(summary.sides.iter().map(count)).collect()
        });
        say(&table(&headers, &shortened(rows.collect())));
    }
    for (test, train) in &summary.leaks {
        say(&format!("test row {} is training row {}", data.test.name(*test), data.train.name(*train)));
    }
    Ok(())
}

/// Most words of a column that are likely to be classes.
const LIKELY: usize = 20;

/// The last column of a table without classes, if it looks as classes do: it has few different words, each of several rows.
fn likely_label(columns: &Columns, rows: usize) -> Option<&str> {
    let last = columns.columns.last()?;
    let is_likely = |words: &[String]| (2..=LIKELY).contains(&words.len()) && words.len() * 3 <= rows;
    matches!(&last.code, Code::Words { words, other: false } if is_likely(words)).then_some(last.name.as_str())
}

/// Each column: what it holds, how many values it became, and how many training rows lack it.
fn described(data: &Dataset, columns: &Columns) -> Vec<Vec<String>> {
    let train = &data.train;
    let mut missing = vec![0u64; columns.columns.len()];
    for row in 0..train.rows {
        for cells in columns.decode(&train.values(row..row + 1)) {
            let lacks = cells.iter().map(|cell| u64::from(*cell == Cell::Missing));
            missing.iter_mut().zip(lacks).for_each(|(count, lacks)| *count += lacks);
        }
    }
    let row = |(column, missing): (&Coded, &u64)| {
        let what = match &column.code {
            Code::Number { mean, deviation, .. } => {
                format!("numbers, {} ± {}", format_number(*mean), format_number(*deviation))
            }
            Code::Words { words, other } => {
                let more = if *other { " and others" } else { "" };
                format!("{} words{more}: {}", words.len(), words.join(", "))
            }
        };
        let values = match column.width() {
            1 => "1 value".to_string(),
            width => format!("{width} values"),
        };
        let what = gpu_ae::error::shortened(&what, 60).into_owned();
        vec![column.name.clone(), what, values, thousands(*missing)]
    };
    columns.columns.iter().zip(&missing).map(row).collect()
}

/// Classes or columns that are printed; of more, the first ones and how many follow.
const LISTED: usize = 50;

fn shortened(mut rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    if rows.len() > LISTED {
        let more = rows.len() - LISTED;
        rows.truncate(LISTED);
        rows.push(vec![format!("and {more} more")]);
    }
    rows
}

/// What a row is, in words.
fn shape(encoding: &Encoding) -> String {
    let ImageShape { height, width, channels } = encoding.image;
    match (height, channels) {
        _ if encoding.is_table() => format!("a table whose rows become {width} values"),
        (1, 1) => format!("rows of {width} values"),
        (_, 1) => format!("grey images, {width} x {height}"),
        (_, 3) => format!("colour images, {width} x {height}"),
        (_, channels) => format!("images of {channels} channels, {width} x {height}"),
    }
}

fn row(side: &SideSummary) -> Vec<String> {
    let range = side.range.map_or("-".into(), |[least, most]| {
        format!("{} to {}", format_number(least.into()), format_number(most.into()))
    });
    let known = if side.name == "training" { "-".into() } else { thousands(side.known as u64) };
    vec![
        side.name.into(),
        thousands(side.rows as u64),
        range,
        format_number(side.mean),
        format_number(side.deviation),
        thousands(side.repeated as u64),
        known,
        format!("{:.1} MB", side.device_bytes as f64 / 1e6),
    ]
}

fn told(data: &Dataset, summary: &Summary) -> Told {
    let ImageShape { height, width, channels } = data.image();
    let side = |side: &SideSummary| Side {
        name: side.name,
        rows: side.rows,
        device_bytes: side.device_bytes,
        classes: side.classes.clone(),
        range: side.range,
        mean: side.mean,
        deviation: side.deviation,
        repeated: side.repeated,
        in_training: side.known,
    };
    Told {
        name: data.name.clone(),
        height,
        width,
        channels,
        values: height * width * channels,
        classes: data.encoding.classes.clone(),
        sides: summary.sides.iter().map(side).collect(),
    }
}
