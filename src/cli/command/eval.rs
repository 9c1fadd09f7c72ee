//! `gpu-ae eval`

use std::collections::BTreeMap;
use std::path::PathBuf;

use gpu_ae::Result;
use gpu_ae::data::columns::{ColumnError, ColumnErrors};
use gpu_ae::device::wait;
use gpu_ae::report::format_number;
use serde::Serialize;

use crate::cli::columns::column_errors;
use crate::cli::flags::{DataFlags, DeviceFlag, open_run, session_on};
use crate::cli::output::{say, say_json};
use crate::cli::terminal::table;
use crate::cli::trained::Trained;

#[derive(clap::Args)]
#[command(
    after_help = "Of a table it also prints the error of each column, of rows without noise, the ten with the largest shares of the squared \
error: of numbers the root of their mean squared error in their own units, of words the share of those that became another. --json has \
all of them under columns.

Example:
  gpu-ae eval runs/NAME
  gpu-ae eval runs/NAME --data more-photos      other images, read and sized as those of the run
  gpu-ae eval runs/NAME --data newer.csv        other rows of a table with the same columns"
)]
pub struct Args {
    /// Run directory
    run: PathBuf,
    #[command(flatten)]
    data: DataFlags,
    #[command(flatten)]
    device: DeviceFlag,
    /// Judge reconstructions of noisy rows too: gaussian=0.3, masking=0.3 or salt-pepper=0.3
    #[arg(long, value_name = "NOISE=AMOUNT")]
    noise: Option<String>,
    /// Print errors and the result only
    #[arg(long, short)]
    quiet: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Evaluation {
    data: String,
    rows: u64,
    test_loss: f64,
    #[serde(flatten)]
    figures: BTreeMap<String, f64>,
    /// Of a table, the column with the largest error first.
    #[serde(skip_serializing_if = "Option::is_none")]
    columns: Option<Vec<ColumnError>>,
}

/// Columns that are printed.
const LISTED: usize = 10;

pub fn run(args: Args) -> Result<()> {
    let (directory, mut checkpoint) = open_run(&args.run, &args.data, &args.device, args.quiet || args.json)?;
    if let Some(noise) = &args.noise {
        checkpoint.config.set_noise("--noise", noise)?;
    }
    let data = checkpoint.config.load_data_as(checkpoint.encoding.as_ref())?;
    let session = session_on(&checkpoint, &data, args.quiet || args.json)?;
    let mut trained = Trained { directory, config: checkpoint.config.clone(), data, session };
    let columns = columns(&mut trained)?;
    let Trained { data, mut session, .. } = trained;
    let sums = wait(session.evaluate())?;
    let mut figures = sums.figures(&checkpoint.config, "test");
    figures.extend(wait(session.judge_answers(&data.test.labels))?);
    let result = Evaluation {
        data: data.name.clone(),
        rows: sums.rows as u64,
        test_loss: sums.loss(&checkpoint.weights()),
        figures,
        columns,
    };
    if args.json {
        return say_json(&result);
    }
    // In the order of the run's terms, then whatever else there is.
    let order: Vec<String> = checkpoint.config.judged_terms().into_iter().map(|term| format!("test_{term}")).collect();
    let rank = |key: &str| order.iter().position(|other| other == key).unwrap_or(order.len());
    let mut rows: Vec<(&str, f64)> = result.figures.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    rows.push(("test_loss", result.test_loss));
    rows.sort_by_key(|(key, _)| rank(key));
    let row = |(key, value): (&str, f64)| vec![key.trim_start_matches("test_").to_string(), format_number(value)];
    let rows: Vec<Vec<String>> = rows.into_iter().map(row).collect();
    say(&format!("{} ({} test {})", result.data, result.rows, data.encoding.words()[1]));
    say(&table(&["term", "test"], &rows));
    if let Some(columns) = result.columns.filter(|_| !args.quiet) {
        say(&column_errors(&columns, LISTED));
    }
    Ok(())
}

/// The errors of the columns of a table, if it is one and they are reconstructed.
fn columns(trained: &mut Trained) -> Result<Option<Vec<ColumnError>>> {
    let Some(columns) = trained.data.encoding.columns.clone().filter(|_| trained.config.reconstructs()) else {
        return Ok(None);
    };
    let mut errors = ColumnErrors::new(&columns);
    let test = trained.data.test.clone();
    trained.reconstructed(&test, |_, x, y| {
        errors.add(x, y);
        Ok(())
    })?;
    Ok(Some(errors.finish()))
}
