//! `gpu-ae eval`

use std::collections::BTreeMap;
use std::path::PathBuf;

use gpu_ae::Result;
use gpu_ae::report::format_number;
use serde::Serialize;

use crate::cli::flags::{DataFlags, DeviceFlag, open_run, session_on};
use crate::cli::output::{say, say_json};
use crate::cli::terminal::table;

#[derive(clap::Args)]
pub struct Args {
    /// Run directory
    run: PathBuf,
    #[command(flatten)]
    data: DataFlags,
    #[command(flatten)]
    device: DeviceFlag,
    /// Judge reconstructions of noisy images too: gaussian=0.3, masking=0.3 or salt-pepper=0.3
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
}

pub fn run(args: Args) -> Result<()> {
    let (_, mut checkpoint) = open_run(&args.run, &args.data, &args.device, args.quiet || args.json)?;
    if let Some(noise) = &args.noise {
        checkpoint.config.set_noise("--noise", noise)?;
    }
    let data = checkpoint.config.load_data_as(checkpoint.encoding.as_ref())?;
    let mut session = session_on(&checkpoint, &data, args.quiet || args.json)?;
    let sums = session.evaluate()?;
    let mut figures = sums.figures(&checkpoint.config, "test");
    figures.extend(session.judge_answers(&data.test.labels)?);
    let result = Evaluation {
        data: data.name.clone(),
        rows: sums.rows as u64,
        test_loss: sums.loss(&checkpoint.weights()),
        figures,
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
    say(&format!("{} ({} test images)", result.data, result.rows));
    say(&table(&["term", "test"], &rows));
    Ok(())
}
