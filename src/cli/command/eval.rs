//! `gpu-ae eval`

use std::collections::BTreeMap;
use std::path::PathBuf;

use gpu_ae::Result;
use gpu_ae::report::{format_number, text_table};
use serde::Serialize;

use crate::cli::flags::{DataFlags, DeviceFlag, evaluation_session, open_run};
use crate::cli::output::{say, say_json};

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
    test_mse: f64,
    test_entropy: f64,
    #[serde(flatten)]
    further: BTreeMap<String, f64>,
}

pub fn run(args: Args) -> Result<()> {
    let (_, mut checkpoint) = open_run(&args.run, &args.data, &args.device, args.quiet || args.json)?;
    if let Some(noise) = &args.noise {
        checkpoint.config.set_noise("--noise", noise)?;
    }
    let mut session = evaluation_session(&checkpoint, args.quiet || args.json)?;
    let sums = session.evaluate()?;
    let result = Evaluation {
        data: checkpoint.config.data.clone(),
        rows: sums.rows as u64,
        test_loss: sums.loss(&checkpoint.config, checkpoint.entropy_weight()),
        test_mse: sums.mse(),
        test_entropy: sums.entropy(),
        further: sums.further(&checkpoint.config, "test"),
    };
    if args.json {
        return say_json(&result);
    }
    let rows = [("loss", result.test_loss), ("mse", result.test_mse), ("entropy", result.test_entropy)]
        .map(|(term, value)| (term.to_string(), value));
    let further = result.further.iter().map(|(name, value)| (name.trim_start_matches("test_").to_string(), *value));
    let rows: Vec<Vec<String>> =
        rows.into_iter().chain(further).map(|(term, value)| vec![term, format_number(value)]).collect();
    say(&format!("{} ({} test images)", result.data, result.rows));
    say(text_table(&["term", "test"], &rows).trim_end());
    Ok(())
}
