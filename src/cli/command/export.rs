//! `gpu-ae export`

use std::path::PathBuf;

use gpu_ae::Result;
use gpu_ae::train::record::export::export;

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
    let folder = args.out.unwrap_or_else(|| run.path().to_path_buf());
    for file in export(&checkpoint.state, &checkpoint.config, checkpoint.features()?, &folder)? {
        if !args.quiet {
            say(&format!("wrote {}", file.display()));
        }
    }
    Ok(())
}
