//! `gpu-ae export`

use std::path::PathBuf;

use gpu_ae::train::record::export::export;
use gpu_ae::{Error, Result};

use crate::cli::flags::{DataFlags, DeviceFlag, open_run};
use crate::cli::output::say;

#[derive(clap::Args)]
pub struct Args {
    /// Run directory
    run: PathBuf,
    /// Folder to write encoder.safetensors and decoder.safetensors into [default: RUN]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print errors only
    #[arg(long, short)]
    quiet: bool,
}

pub fn run(args: Args) -> Result<()> {
    let (run, checkpoint) = open_run(&args.run, &DataFlags::default(), &DeviceFlag::default(), args.quiet)?;
    if checkpoint.config.clustering.is_some() {
        let problem = "is a cluster run, which has left its encoder as plain layers already: encoder.safetensors";
        return Err(Error::input(&args.run, problem));
    }
    let folder = args.out.unwrap_or_else(|| run.path().to_path_buf());
    for file in export(&checkpoint.state, &checkpoint.config, checkpoint.features()?, &folder)? {
        if !args.quiet {
            say(&format!("wrote {}", file.display()));
        }
    }
    Ok(())
}
