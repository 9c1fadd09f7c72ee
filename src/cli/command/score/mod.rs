//! `gpu-ae score`

mod drawn;
mod explained;
mod judged;
mod odd;
mod verdict;

use std::path::{Path, PathBuf};

use gpu_ae::device::wait;
use gpu_ae::report::format_number;
use gpu_ae::statistics::auroc::auroc;
use gpu_ae::{Error, Result};
use serde::Serialize;

use self::drawn::draw;
use self::judged::Judged;
use self::odd::{Odd, headings, odd};
use self::verdict::Verdict;
use crate::cli::bar::Bar;
use crate::cli::output::{say, say_json, table_name};
use crate::cli::pictures::picture_name;
use crate::cli::terminal::table;
use crate::cli::trained::{RunFlags, Trained};
use crate::cli::written::{OF_EACH_ROW, Table, check_outputs, of_each_row};

#[derive(clap::Args)]
#[command(
    after_help = "The score of a row is the mean squared error of its reconstruction, per pixel or value: a network reconstructs \
badly what is unlike anything it was trained on. AUROC is the probability that an anomaly scores higher than a normal row; \
0.5 is chance.

The table has row, name, class, error, with --threshold whether the row is odd, and what is odd: of images odd_region, the part of a \
quarter of its sides with the largest squared error, as 'x y width height' in pixels from the upper left; of tables the three columns with the \
largest shares of it, those that come back as they were last, odd_1, odd_1_value, odd_1_expected and so on, in their own units and words.

--threshold 0.01 calls a row odd whose error is larger than that of 99 in 100 of the rows that the run was trained on, its rows \
set aside and left out not among them; also where --data names other rows. Where those training rows cannot be read any more, the scored rows take their place, \
and it is said. What is learnt is reconstructed better than what is new: of new rows of the same kind a larger share may be odd.

Example:
  gpu-ae train --model vae --without 4 --out runs/no-4
  gpu-ae score runs/no-4                   how well its errors tell a 4, which it never saw
  gpu-ae score runs/NAME --normal 1
  gpu-ae score runs/NAME --data more-photos --threshold 0.01 --explain
  gpu-ae score runs/NAME --data newer.csv --threshold 0.01 --out odd.csv"
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
    /// Say of each row whether it is odd, as this share of the training rows would be
    #[arg(long, value_name = "SHARE", value_parser = share, allow_negative_numbers = true)]
    threshold: Option<f64>,
    /// Show where the rows with the largest errors are odd: of images a picture of the errors [default: RUN/explained.png], else a table
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, value_parser = picture_name)]
    explain: Option<Option<PathBuf>>,
    /// Table of every test row [default: RUN/scores.csv]
    #[arg(long, value_name = "FILE", value_parser = table_name)]
    out: Option<PathBuf>,
    /// Picture of the rows with the largest and the smallest scores [default: RUN/scores.png]
    #[arg(long, value_name = "FILE", value_parser = picture_name)]
    picture: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Reads a share of rows for the command line.
fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| *share > 0.0 && *share < 1.0);
    share.ok_or_else(|| "expected a share of rows between 0 and 1, such as 0.01".into())
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
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
    /// Anomalies that are odd.
    #[serde(skip_serializing_if = "Option::is_none")]
    odd_anomalies: Option<usize>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    odd: Option<bool>,
    #[serde(flatten)]
    what: Odd,
}

/// Rows that are printed.
const LISTED: usize = 10;

pub fn run(args: Args) -> Result<()> {
    let mut trained = args.run.open(args.json)?;
    let quiet = args.run.quiet || args.json;
    let inside = |name: &str| trained.directory.path().join(name);
    let out = args.out.clone().unwrap_or_else(|| inside("scores.csv"));
    let picture = args.picture.clone().unwrap_or_else(|| inside("scores.png"));
    let is_image = trained.data.image().height > 1;
    let explained = args.explain.as_ref().map(|path| path.clone().unwrap_or_else(|| inside("explained.png")));
    if let Some(Some(path)) = args.explain.as_ref().filter(|_| !is_image) {
        let problem = "of rows that are no images it prints a table, expected no file";
        return Err(Error::Usage(format!("--explain={}: {problem}", path.display())));
    }
    let mut outputs = vec![("--out", out.as_path()), ("--picture", picture.as_path())];
    outputs.extend(explained.iter().map(|path| ("--explain", path.as_path())));
    check_outputs(&trained.config, &[], &outputs)?;
    let judged = {
        let without = trained.config.without.as_ref().map(|class| class.0.as_str());
        Judged::of([&args.normal, &args.anomaly], without, &trained.data)?
    };

    let test = trained.data.test.clone();
    let bar = Bar::new("scoring", test.rows as u64, quiet);
    let scores = wait(trained.session.row_errors(&test, |done, _| bar.at(done as u64, &[])))?;
    drop(bar);
    let area = judged.as_ref().and_then(|judged| auroc(&scores, &judged.anomalies));
    if judged.is_some() && area.is_none() {
        let problem = "--normal, --anomaly: the test rows are all of one class, so there is nothing to tell apart";
        return Err(Error::Usage(problem.into()));
    }
    let fit = |share| Verdict::fit(share, &args.run, &mut trained, &scores, quiet);
    let verdict = args.threshold.map(fit).transpose()?;
    let order = order(&scores);
    let threshold = verdict.as_ref().map(|verdict| verdict.threshold);
    let largest = write_table(&out, &mut trained, &scores, &order, threshold)?;
    draw(&picture, &mut trained, &scores, &order)?;
    if let Some(path) = explained.as_ref().filter(|_| is_image) {
        explained::draw(path, &mut trained, &scores, &order)?;
    }

    let (normal, anomaly, anomalies) =
        judged.map_or((None, None, Vec::new()), |judged| (judged.normal, judged.anomaly, judged.anomalies));
    let odd_anomalies = threshold.filter(|_| area.is_some()).map(|threshold| {
        scores.iter().zip(&anomalies).filter(|(score, anomaly)| **anomaly && **score > threshold).count()
    });
    let scored = Scored {
        data: trained.data.name.clone(),
        rows: test.rows,
        mean_score: scores.iter().map(|&score| f64::from(score)).sum::<f64>() / test.rows as f64,
        normal,
        anomaly,
        anomalies: area.map(|_| anomalies.iter().filter(|anomaly| **anomaly).count()),
        auroc: area,
        verdict,
        odd_anomalies,
        largest,
    };
    if args.json {
        return say_json(&scored);
    }
    tell(&scored, trained.data.encoding.words()[1]);
    if args.explain.is_some() && !is_image {
        say(&format!("what is odd in the rows with the largest scores:\n{}", explained::listed(&scored.largest)));
    } else if !args.run.quiet {
        say(&format!("largest scores:\n{}", listed(&scored)));
    }
    args.run.wrote(&out);
    args.run.wrote(&picture);
    explained.iter().filter(|_| is_image).for_each(|path| args.run.wrote(path));
    Ok(())
}

/// Prints what there is to say of all rows.
fn tell(scored: &Scored, what: &str) {
    say(&format!("{} test {what} of {}, mean score {}", scored.rows, scored.data, format_number(scored.mean_score)));
    if let Some(area) = scored.auroc {
        let what = match (&scored.normal, &scored.anomaly) {
            (Some(class), _) => format!("class {class} normal, all others anomalies"),
            (_, Some(class)) => format!("class {class} the anomaly, all others normal"),
            _ => String::new(),
        };
        say(&format!("AUROC {area:.4}  ({what})"));
    }
    if let Some(verdict) = &scored.verdict {
        let anomalies = scored.odd_anomalies.zip(scored.anomalies);
        let found =
            anomalies.map_or(String::new(), |(odd, all)| format!("; {odd} of the {all} anomalies are among them"));
        say(&format!("{}{found}", verdict.told(scored.rows, &format_number(verdict.threshold.into()))));
    }
}

/// The rows with the largest scores as a table.
fn listed(scored: &Scored) -> String {
    let cells = |row: &Row| {
        let class = row.class.clone().unwrap_or_default();
        let odd = row.odd.map(|odd| odd.to_string());
        let first = [row.row.to_string(), row.name.clone(), class, format_number(row.error.into())];
        first.into_iter().chain(odd).chain([row.what.told()]).collect()
    };
    let rows: Vec<Vec<String>> = scored.largest.iter().map(cells).collect();
    let verdict = scored.verdict.as_ref().map(|_| "odd");
    let headers: Vec<&str> =
        ["row", "name", "class", "error"].into_iter().chain(verdict).chain(["what is odd"]).collect();
    table(&headers, &rows)
}

/// Rows by their scores, the largest first.
fn order(scores: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    order
}

/// Writes a line for each test row; the rows with the largest scores, the largest first.
fn write_table(
    path: &Path,
    trained: &mut Trained,
    scores: &[f32],
    order: &[usize],
    threshold: Option<f32>,
) -> Result<Vec<Row>> {
    let (test, encoding) = (trained.data.test.clone(), trained.data.encoding.clone());
    let what = headings(&encoding);
    let verdict = threshold.map(|_| "odd".to_string());
    let fixed = OF_EACH_ROW.iter().chain(&["error"]).map(ToString::to_string);
    let mut table = Table::new(fixed.chain(verdict).chain(what.iter().cloned()))?;
    let mut places = vec![None; scores.len()];
    order.iter().take(LISTED).enumerate().for_each(|(place, &row)| places[row] = Some(place));
    let mut largest: Vec<(usize, Row)> = Vec::new();
    trained.reconstructed(&test, |rows, x, y| {
        let width = test.width.max(1);
        for (row, (x, y)) in rows.zip(x.chunks_exact(width).zip(y.chunks_exact(width))) {
            let (error, found) = (scores[row], odd(&encoding, x, y));
            let is_odd = threshold.map(|threshold| error > threshold);
            let named = of_each_row(&test, &encoding, row);
            let cells = named.iter().cloned().chain([error.to_string()]).chain(is_odd.map(|odd| odd.to_string()));
            table.push(cells.chain(found.cells(what.len())))?;
            if let Some(place) = places[row] {
                let [_, name, class] = named;
                let class = Some(class).filter(|_| test.is_labelled());
                largest.push((place, Row { row, name, class, error, odd: is_odd, what: found }));
            }
        }
        Ok(())
    })?;
    table.write(path, "write the scores")?;
    largest.sort_by_key(|(place, _)| *place);
    Ok(largest.into_iter().map(|(_, row)| row).collect())
}
