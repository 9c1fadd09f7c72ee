//! `gpu-ae score`

use std::path::{Path, PathBuf};

use gpu_ae::data::Dataset;
use gpu_ae::data::columns::Columns;
use gpu_ae::report::{Strip, brief, format_number, image_sheet, write_png};
use gpu_ae::statistics::auroc::auroc;
use gpu_ae::{Error, Result, whole_file};
use serde::Serialize;

use crate::cli::bar::Bar;
use crate::cli::output::{say, say_json, table_name};
use crate::cli::pictures::{COLUMNS, picture_name, table as columns_of};
use crate::cli::terminal::table;
use crate::cli::trained::{RunFlags, Trained, class_of};

#[derive(clap::Args)]
#[command(
    after_help = "The score of an image is the mean squared error of its reconstruction, per pixel: a network reconstructs \
badly what is unlike anything it was trained on. AUROC is the probability that an anomaly scores higher than a normal image; \
0.5 is chance.

Example:
  gpu-ae train --model vae --without 4 --out runs/no-4
  gpu-ae score runs/no-4                   how well its errors tell a 4, which it never saw
  gpu-ae score runs/NAME --normal 1"
)]
pub struct Args {
    #[command(flatten)]
    run: RunFlags,
    /// Class that is normal, all others being anomalies
    #[arg(long, value_name = "CLASS", allow_hyphen_values = true)]
    normal: Option<String>,
    /// Class that is the anomaly, all others being normal [default: the one that training left out]
    #[arg(long, value_name = "CLASS", conflicts_with = "normal", allow_hyphen_values = true)]
    anomaly: Option<String>,
    /// Table of row, name, class and error of every test row [default: RUN/scores.csv]
    #[arg(long, value_name = "FILE", value_parser = table_name)]
    out: Option<PathBuf>,
    /// Picture of the images with the largest and the smallest scores [default: RUN/scores.png]
    #[arg(long, value_name = "FILE", value_parser = picture_name)]
    picture: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Scored {
    data: String,
    rows: usize,
    mean_score: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    normal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    anomaly: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    anomalies: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auroc: Option<f64>,
    /// The rows with the largest scores, the largest first.
    largest: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    row: usize,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    error: f32,
}

/// Most characters of a class's name above an image, and in one line with the error.
const NAME: usize = 12;
const SHORT: usize = 2;
/// Most characters of a row's name beside what is odd in it.
const ROW_NAME: usize = 24;
/// Rows that are printed.
const LISTED: usize = 10;

pub fn run(args: Args) -> Result<()> {
    let mut trained = args.run.open(args.json)?;
    let test = trained.data.test.clone();
    let encoding = trained.data.encoding.clone();
    let of = |flag: &str, name: &Option<String>| -> Result<Option<u16>> {
        name.as_ref().map(|name| class_of(flag, name, &trained.data)).transpose()
    };
    let (normal, asked) = (of("--normal", &args.normal)?, of("--anomaly", &args.anomaly)?);
    let left_out = trained.config.without.as_ref().and_then(|class| encoding.class(&class.0));
    let left_out = left_out.filter(|class| normal.is_none() && test.labels.contains(class));
    let anomaly = asked.or(left_out);
    let quiet = args.run.quiet || args.json;
    let bar = Bar::new("scoring", test.rows as u64, quiet);
    let scores = trained.session.row_errors(&test.values(0..test.rows), |done, _| bar.at(done as u64, &[]))?;
    drop(bar);
    let is_anomaly = |label: &u16| normal.map_or(anomaly == Some(*label), |normal| normal != *label);
    let anomalies: Vec<bool> = test.labels.iter().map(is_anomaly).collect();
    let judged = normal.or(anomaly).is_some();
    let area = auroc(&scores, &anomalies).filter(|_| judged);
    if judged && area.is_none() {
        let problem = "--normal, --anomaly: the test rows are all of one class, so there is nothing to tell apart";
        return Err(Error::Usage(problem.into()));
    }
    let out = args.out.unwrap_or_else(|| trained.directory.path().join("scores.csv"));
    write_table(&out, &trained.data, &scores)?;
    let picture = args.picture.unwrap_or_else(|| trained.directory.path().join("scores.png"));
    let order = order(&scores);
    draw(&picture, &mut trained, &scores, &order)?;

    let scored = Scored {
        data: trained.data.name.clone(),
        rows: test.rows,
        mean_score: scores.iter().map(|&score| f64::from(score)).sum::<f64>() / test.rows as f64,
        normal: normal.map(|class| encoding.class_name(class).to_string()),
        anomaly: anomaly.map(|class| encoding.class_name(class).to_string()),
        anomalies: area.map(|_| anomalies.iter().filter(|anomaly| **anomaly).count()),
        auroc: area,
        largest: order.iter().take(LISTED).map(|&row| row_of(&trained.data, row, scores[row])).collect(),
    };
    if args.json {
        return say_json(&scored);
    }
    say(&format!("{} test images of {}, mean score {}", scored.rows, scored.data, format_number(scored.mean_score)));
    if let Some(area) = area {
        let what = match (&scored.normal, &scored.anomaly) {
            (Some(class), _) => format!("class {class} normal, all others anomalies"),
            (_, Some(class)) => format!("class {class} the anomaly, all others normal"),
            _ => String::new(),
        };
        say(&format!("AUROC {area:.4}  ({what})"));
    }
    if !args.run.quiet {
        let cells = |row: &Row| {
            let class = row.class.clone().unwrap_or_default();
            vec![row.row.to_string(), row.name.clone(), class, format_number(row.error.into())]
        };
        let rows: Vec<Vec<String>> = scored.largest.iter().map(cells).collect();
        say(&format!("largest scores:\n{}", table(&["row", "name", "class", "error"], &rows)));
    }
    args.run.wrote(&out);
    args.run.wrote(&picture);
    Ok(())
}

/// Rows by their scores, the largest first.
fn order(scores: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    order
}

/// A test row with what it is called and its error.
fn row_of(data: &Dataset, row: usize, error: f32) -> Row {
    let class = data.test.labels.get(row).map(|&class| data.encoding.class_name(class).to_string());
    Row { row, name: data.test.name(row).into_owned(), class, error }
}

fn write_table(path: &Path, data: &Dataset, scores: &[f32]) -> Result<()> {
    let failed =
        |error: &dyn std::fmt::Display| Error::Failed(format!("{}: cannot write the scores: {error}", path.display()));
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(["row", "name", "class", "error"]).map_err(|error| failed(&error))?;
    for (row, &score) in scores.iter().enumerate() {
        let Row { row, name, class, error } = row_of(data, row, score);
        let record = [row.to_string(), name, class.unwrap_or_default(), error.to_string()];
        table.write_record(record).map_err(|error| failed(&error))?;
    }
    let bytes = table.into_inner().map_err(|error| failed(&error))?;
    whole_file::write(path, &bytes, "write the scores")
}

/// The images with the largest scores and those with the smallest, each over its reconstruction.
fn draw(path: &Path, trained: &mut Trained, scores: &[f32], order: &[usize]) -> Result<()> {
    let count = COLUMNS.min(order.len());
    let largest = order[..count].to_vec();
    if let Some(columns) = trained.data.encoding.columns.clone() {
        return draw_columns(path, trained, &columns, &largest);
    }
    let smallest: Vec<usize> = order.iter().rev().take(count).copied().collect();
    let mut strips = Vec::new();
    for (caption, rows) in [("largest error", largest), ("smallest error", smallest)] {
        let (test, encoding) = (&trained.data.test, &trained.data.encoding);
        // Without the zero before the point four digits fit over an image.
        let score = |row: usize| format!("{:.4}", scores[row]).trim_start_matches('0').to_string();
        let headings = rows
            .iter()
            .map(|&row| match test.labels.get(row) {
                Some(&class) => match encoding.class_name(class) {
                    name if name.chars().count() <= SHORT => format!("{name}: {}", score(row)),
                    name => format!("{}\n{}", brief(name, NAME), score(row)),
                },
                None => score(row),
            })
            .collect();
        let originals: Vec<f32> = rows.iter().flat_map(|&row| test.values(row..row + 1)).collect();
        let codes = trained.session.encode(&originals)?;
        let reconstructions = trained.session.decode(&codes)?;
        let [originals, reconstructions] = [&originals, &reconstructions].map(|values| encoding.shown(values));
        strips.push(Strip { caption: caption.into(), headings, pixels: originals });
        strips.push(Strip { caption: "reconstruction".into(), headings: Vec::new(), pixels: reconstructions });
    }
    let headed = if trained.data.test.is_labelled() { "its class and error" } else { "its error" };
    let title = format!("Test images of {} by their errors, each headed by {headed}", trained.data.name);
    write_png(path, &image_sheet(&title, &strips, trained.data.image(), &[])?)
}

/// The rows of a table with the largest scores, and which columns those come from.
fn draw_columns(path: &Path, trained: &mut Trained, columns: &Columns, rows: &[usize]) -> Result<()> {
    let data = &trained.data;
    let name = |row: &usize| match data.test.labels.get(*row) {
        Some(&class) => {
            format!("{}: {}", brief(&data.test.name(*row), ROW_NAME), brief(data.encoding.class_name(class), ROW_NAME))
        }
        None => brief(&data.test.name(*row), ROW_NAME).into_owned(),
    };
    let names = rows.iter().map(name).collect();
    let originals: Vec<f32> = rows.iter().flat_map(|&row| data.test.values(row..row + 1)).collect();
    let title = format!("Squared errors by column of the test rows of {} whose errors are largest", data.name);
    let codes = trained.session.encode(&originals)?;
    let reconstructions = trained.session.decode(&codes)?;
    write_png(path, &columns_of::row_errors(&title, columns, &originals, &reconstructions, names)?)
}
