//! `gpu-ae eval`

use std::path::PathBuf;

use gpu_ae::Result;
use gpu_ae::report::{format_number, text_table};
use serde::Serialize;

use super::flags::{DataFlags, DeviceFlag, evaluation_session, open_run};
use super::output::{say, say_json};

#[derive(clap::Args)]
pub struct Args {
    /// Run directory
    run: PathBuf,
    #[command(flatten)]
    data: DataFlags,
    #[command(flatten)]
    device: DeviceFlag,
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
}

pub fn run(args: Args) -> Result<()> {
    let (_, checkpoint) = open_run(&args.run, &args.data, &args.device)?;
    let mut session = evaluation_session(&checkpoint, args.quiet || args.json)?;
    let sums = session.evaluate()?;
    let result = Evaluation {
        data: checkpoint.config.data.clone(),
        rows: sums.rows as u64,
        test_loss: sums.loss(&checkpoint.config, checkpoint.entropy_weight()),
        test_mse: sums.mse(),
        test_entropy: sums.entropy(),
    };
    if args.json {
        return say_json(&result);
    }
    let rows = [("loss", result.test_loss), ("mse", result.test_mse), ("entropy", result.test_entropy)]
        .map(|(term, value)| vec![term.to_string(), format_number(value)]);
    say(&format!("{} ({} test images)", result.data, result.rows));
    say(text_table(&["term", "test"], &rows).trim_end());
    Ok(())
}
