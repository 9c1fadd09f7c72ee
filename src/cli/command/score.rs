//! `gpu-ae score`

use std::path::{Path, PathBuf};

use gpu_ae::data::Split;
use gpu_ae::report::{Strip, format_number, image_sheet, write_png};
use gpu_ae::statistics::auroc::auroc;
use gpu_ae::{Error, Result, whole_file};
use serde::Serialize;

use crate::cli::bar::Bar;
use crate::cli::flags::whole;
use crate::cli::output::{say, say_json, table_name};
use crate::cli::pictures::{COLUMNS, picture_name};
use crate::cli::terminal::table;
use crate::cli::trained::{RunFlags, Trained, check_class};

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
    #[arg(long, value_name = "CLASS", value_parser = whole(0..=u8::MAX), allow_negative_numbers = true)]
    normal: Option<u8>,
    /// Class that is the anomaly, all others being normal [default: the one that training left out]
    #[arg(long, value_name = "CLASS", value_parser = whole(0..=u8::MAX), conflicts_with = "normal",
        allow_negative_numbers = true)]
    anomaly: Option<u8>,
    /// Table of row, label and score of every test image [default: RUN/scores.csv]
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
    normal: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    anomaly: Option<u8>,
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
    label: u8,
    score: f32,
}

/// Rows that are printed.
const LISTED: usize = 10;

pub fn run(args: Args) -> Result<()> {
    let mut trained = args.run.open(args.json)?;
    let test = trained.data.test.clone();
    let left_out = trained.config.without.filter(|class| args.normal.is_none() && test.labels.contains(class));
    let anomaly = args.anomaly.or(left_out);
    for (flag, class) in [("--normal", args.normal), ("--anomaly", args.anomaly)] {
        class.map_or(Ok(()), |class| check_class(flag, class, &test))?;
    }
    let quiet = args.run.quiet || args.json;
    let bar = Bar::new("scoring", test.rows as u64, quiet);
    let scores = trained.session.row_errors(&test.values(0..test.rows), |done, _| bar.at(done as u64, &[]))?;
    drop(bar);
    let is_anomaly = |label: &u8| args.normal.map_or(anomaly == Some(*label), |normal| normal != *label);
    let anomalies: Vec<bool> = test.labels.iter().map(is_anomaly).collect();
    let judged = args.normal.or(anomaly).is_some();
    let area = auroc(&scores, &anomalies).filter(|_| judged);
    if judged && area.is_none() {
        let problem = "--normal, --anomaly: the test rows are all of one class, so there is nothing to tell apart";
        return Err(Error::Usage(problem.into()));
    }
    let out = args.out.unwrap_or_else(|| trained.directory.path().join("scores.csv"));
    write_table(&out, &test, &scores)?;
    let picture = args.picture.unwrap_or_else(|| trained.directory.path().join("scores.png"));
    let order = order(&scores);
    draw(&picture, &mut trained, &scores, &order)?;

    let scored = Scored {
        data: trained.config.data.clone(),
        rows: test.rows,
        mean_score: scores.iter().map(|&score| f64::from(score)).sum::<f64>() / test.rows as f64,
        normal: args.normal,
        anomaly,
        anomalies: area.map(|_| anomalies.iter().filter(|anomaly| **anomaly).count()),
        auroc: area,
        largest: order
            .iter()
            .take(LISTED)
            .map(|&row| Row { row, label: test.labels[row], score: scores[row] })
            .collect(),
    };
    if args.json {
        return say_json(&scored);
    }
    say(&format!("{} test images of {}, mean score {}", scored.rows, scored.data, format_number(scored.mean_score)));
    if let Some(area) = area {
        let what = match (scored.normal, scored.anomaly) {
            (Some(class), _) => format!("class {class} normal, all others anomalies"),
            (_, Some(class)) => format!("class {class} the anomaly, all others normal"),
            _ => String::new(),
        };
        say(&format!("AUROC {area:.4}  ({what})"));
    }
    if !args.run.quiet {
        let cells = |row: &Row| vec![row.row.to_string(), row.label.to_string(), format_number(row.score.into())];
        let rows: Vec<Vec<String>> = scored.largest.iter().map(cells).collect();
        say(&format!("largest scores:\n{}", table(&["row", "class", "score"], &rows)));
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

fn write_table(path: &Path, test: &Split, scores: &[f32]) -> Result<()> {
    let failed =
        |error: &dyn std::fmt::Display| Error::Failed(format!("{}: cannot write the scores: {error}", path.display()));
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(["row", "label", "score"]).map_err(|error| failed(&error))?;
    for (row, (label, score)) in test.labels.iter().zip(scores).enumerate() {
        let record = [row.to_string(), label.to_string(), score.to_string()];
        table.write_record(record).map_err(|error| failed(&error))?;
    }
    let bytes = table.into_inner().map_err(|error| failed(&error))?;
    whole_file::write(path, &bytes, "write the scores")
}

/// The images with the largest scores and those with the smallest, each over its reconstruction.
fn draw(path: &Path, trained: &mut Trained, scores: &[f32], order: &[usize]) -> Result<()> {
    let count = COLUMNS.min(order.len());
    let largest = order[..count].to_vec();
    let smallest: Vec<usize> = order.iter().rev().take(count).copied().collect();
    let mut strips = Vec::new();
    for (caption, rows) in [("largest error", largest), ("smallest error", smallest)] {
        let test = &trained.data.test;
        // Without the zero before the point four digits fit over an image.
        let score = |row: usize| format!("{:.4}", scores[row]).trim_start_matches('0').to_string();
        let headings = rows.iter().map(|&row| format!("{}: {}", test.labels[row], score(row))).collect();
        let originals: Vec<f32> = rows.iter().flat_map(|&row| test.values(row..row + 1)).collect();
        let codes = trained.session.encode(&originals)?;
        let reconstructions = trained.session.decode(&codes)?;
        strips.push(Strip { caption: caption.into(), headings, pixels: originals });
        strips.push(Strip { caption: "reconstruction".into(), headings: Vec::new(), pixels: reconstructions });
    }
    let title = format!("Test images of {} by their errors, each headed by its class and error", trained.data.name);
    write_png(path, &image_sheet(&title, &strips, trained.data.image, &[])?)
}
